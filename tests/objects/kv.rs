//! Strings that grow, against brute force on the strings themselves.

use std::collections::HashSet;

use anachron::budget::Budget;
use anachron::check::{Settings, objects};
use anachron::history::{History, Operation, Status, Value};
use anachron::ingest::{Options, Source, read};
use anachron::verdict::Verdict;
use anachron::witness::Minimality;

/// A small generator: reproducible, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 20) % bound as u64).expect("below a usize")
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A history of a real store of strings, whose answers are wrong now and then. Every text is one letter.
fn random_strings(dice: &mut Dice, operations: usize, processes: usize, repeats: bool) -> History {
    struct Open {
        f: &'static str,
        text: String,
        applied: bool,
    }
    let lie = [0, 0, 15, 40][dice.below(4)];
    let (mut state, mut past) = (String::new(), vec![String::new()]);
    let mut open: Vec<Option<Open>> = (0..processes).map(|_| None).collect();
    let mut names: Vec<usize> = (0..processes).collect();
    let (mut begun, mut fresh, mut text) = (0, b'a', String::new());
    while begun < operations || dice.below(7) != 0 {
        let process = dice.below(processes);
        match open[process].take() {
            None if begun < operations => {
                begun += 1;
                let f = ["get", "get", "put", "append", "append"][dice.below(5)];
                let value = match f {
                    "get" => String::new(),
                    "put" if dice.chance(20) => String::new(),
                    _ if repeats && dice.chance(40) => ["a", "b", "ab"][dice.below(3)].to_owned(),
                    _ => {
                        fresh += 1;
                        char::from(fresh - 1).to_string()
                    }
                };
                let shown = if f == "get" { "null".to_owned() } else { format!("{value:?}") };
                text.push_str(&line("invoke", names[process], f, &shown));
                open[process] = Some(Open { f, text: value, applied: false });
            }
            None => {}
            Some(mut it) if !it.applied => {
                match it.f {
                    "get" => it.text.clone_from(&state),
                    "put" => state.clone_from(&it.text),
                    _ => state.push_str(&it.text),
                }
                past.push(state.clone());
                it.applied = true;
                open[process] = Some(it);
            }
            Some(it) => {
                let kind = match dice.below(10) {
                    0 => "info",
                    1 if dice.chance(lie + 5) => "fail",
                    _ => "ok",
                };
                let mut value = it.text;
                if it.f == "get" && dice.chance(lie) {
                    value.clone_from(&past[dice.below(past.len())]);
                    if dice.chance(30) {
                        value.push(char::from(b'a' + u8::try_from(dice.below(4)).expect("small")));
                    }
                }
                let shown = if it.f == "get" && kind != "ok" { "null".to_owned() } else { format!("{value:?}") };
                text.push_str(&line(kind, names[process], it.f, &shown));
                if kind == "info" {
                    names[process] += 100;
                }
            }
        }
    }
    read(Source::Bytes { name: "test".into(), bytes: text.into_bytes() }, &Options::default()).expect("a history")
}

fn line(kind: &str, process: usize, f: &str, value: &str) -> String {
    format!("{{\"type\":{kind:?},\"process\":{process},\"f\":{f:?},\"key\":\"x\",\"value\":{value}}}\n")
}

/// Goal: puts and appends alone prove nothing.
#[test]
fn appends_alone_prove_nothing() {
    let text = ["invoke", "ok"].map(|kind| line(kind, 0, "append", "\"a\"")).concat();
    let history = read(Source::Bytes { name: "test".into(), bytes: text.into_bytes() }, &Options::default());
    let settings = Settings { requirements: &[], budget: &Budget::default() };
    let outcome = objects::judge_kv(&history.expect("a history"), &settings).expect("strings");
    assert_eq!(outcome.judgements[0].verdict, Verdict::Unknown);
}

fn has_order(
    history: &History,
    ops: &[Operation<'_>],
    done: u32,
    state: &str,
    seen: &mut HashSet<(u32, String)>,
) -> bool {
    let left = || ops.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
    let Some(due) = left().filter(|(_, op)| op.status() == Status::Ok).map(|(_, op)| op.ended()).min() else {
        return true;
    };
    let text = |value: Value| history.values().as_str(value).unwrap_or_default();
    seen.insert((done, state.to_owned()))
        && left().filter(|(_, op)| op.began() <= due).any(|(at, op)| {
            let then = match text(op.f()) {
                "get" if text(op.result()) == state => state.to_owned(),
                "put" => text(op.argument()).to_owned(),
                "append" => format!("{state}{}", text(op.argument())),
                _ => return false,
            };
            has_order(history, ops, done | 1 << at, &then, seen)
        })
}

/// Of the chosen operations, those that count: a get stays with every put and append that can have made its string, but for
/// what a chosen put hides, which lies wholly between.
fn close<'a>(history: &'a History, chosen: &[u32]) -> Vec<Operation<'a>> {
    let text = |value: Value| history.values().as_str(value).unwrap_or_default();
    let is = |op: &Operation<'_>, f: &str| text(op.f()) == f;
    let counts = |op: &Operation<'_>| op.status() == Status::Ok || op.status() == Status::Info && !is(op, "get");
    let all = || history.ops().filter(counts);
    let inside = |op: &Operation<'_>| chosen.contains(&op.position());
    let hidden = |maker: &Operation<'_>, get: &Operation<'_>| {
        let between = |put: &Operation<'_>| maker.ended() < put.began() && put.ended() < get.began();
        all().any(|put| inside(&put) && is(&put, "put") && put.status() == Status::Ok && between(&put))
    };
    let is_closed = |get: &Operation<'_>| {
        let (got, begun) = (text(get.result()), |maker: &Operation<'_>| maker.began() <= get.ended());
        all().filter(|maker| !is(maker, "get") && begun(maker)).all(|maker| {
            let part = text(maker.argument());
            let made = if is(&maker, "put") { got.starts_with(part) } else { !part.is_empty() && got.contains(part) };
            !made || inside(&maker) || hidden(&maker, get)
        })
    };
    all().filter(|op| inside(op) && (!is(op, "get") || is_closed(op))).collect()
}

/// Goal: strings are judged as brute force on the strings judges them, with crashed and failed operations, and every
/// witness is confirmed; of one that was searched for, nothing can be left out.
#[test]
fn agrees_with_brute_force_on_strings() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ 21);
    let budget = Budget::default();
    let (mut holds, mut violated, mut searched, mut smallest) = (0, 0, 0, 0);
    for round in 0..6000 {
        let history = random_strings(&mut dice, 2 + round % 7, 2 + round % 3, round % 4 == 0);
        let settings = Settings { requirements: &[], budget: &budget };
        let outcome = objects::judge_kv(&history, &settings).expect("strings");
        let counts = |op: &Operation<'_>| {
            let get = history.values().as_str(op.f()) == Some("get");
            op.status() == Status::Ok || op.status() == Status::Info && !get
        };
        let ops: Vec<Operation<'_>> = history.ops().filter(counts).collect();
        let expected = has_order(&history, &ops, 0, "", &mut HashSet::new());
        match outcome.judgements[0].verdict {
            Verdict::Holds => {
                holds += 1;
                assert!(expected, "round {round}: {history:?}");
            }
            Verdict::Violated => {
                violated += 1;
                assert!(!expected, "round {round}: {history:?}\n{outcome:?}");
            }
            _ => assert_eq!(outcome.judgements[0].evidence["reads"], 0, "round {round}: {history:?}"),
        }
        searched += usize::from(outcome.judgements[0].evidence["keys_by_method"]["search"] != 0);
        for finding in &outcome.findings {
            let witness = finding.witness.as_ref().expect("a witness");
            assert!(witness.rechecked, "round {round}: {history:?}\n{finding:?}");
            // Where gets show which appends made them, strings are registers, and closed as these are.
            if !witness.text.contains("the string could only be") {
                continue;
            }
            assert_eq!(witness.minimality, Minimality::OneMinimal, "round {round}: {history:?}\n{finding:?}");
            for left_out in 0..witness.operations.len() {
                let mut fewer = witness.operations.clone();
                fewer.remove(left_out);
                let part = close(&history, &fewer);
                assert!(has_order(&history, &part, 0, "", &mut HashSet::new()), "round {round}: {finding:?}\n{part:?}");
            }
            let part = close(&history, &witness.operations);
            assert!(!has_order(&history, &part, 0, "", &mut HashSet::new()), "round {round}: {finding:?}\n{part:?}");
            smallest += 1;
        }
    }
    let counts = format!("{holds} hold, {violated} violated, {searched} searched, {smallest} measured");
    assert!(holds > 3000 && violated > 300 && searched > 600 && smallest > 25, "{counts}");
}
