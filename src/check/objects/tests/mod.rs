//! The fast path against brute force.

use std::collections::HashSet;

mod smallest;

use super::*;
use crate::budget::Budget;
use crate::history::{Batch, Builder, History, NoOrigin, Operation, Record, RecordType, Value};

fn settings(budget: &Budget) -> Settings<'_> {
    Settings { requirements: &[], budget }
}

fn judged(history: &History) -> Outcome {
    judge(history, &settings(&Budget::default())).expect("a register history")
}

/// A small generator: reproducible, and the same on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 20) % bound as u64).expect("below a usize")
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What a random history may hold.
#[derive(Clone, Copy)]
pub(super) struct Mix {
    pub(super) operations: usize,
    pub(super) processes: usize,
    pub(super) keys: usize,
    /// Values are drawn from so many; 0: each is written once.
    pub(super) domain: usize,
    pub(super) cas: bool,
    /// Whether the initial value is left unknown.
    pub(super) unknown: bool,
}

/// A history of a real register, whose answers are wrong now and then.
pub(super) fn random(dice: &mut Dice, mix: Mix) -> History {
    struct Open {
        f: &'static str,
        key: usize,
        argument: (i64, i64),
        result: Option<i64>,
        applied: bool,
        refused: bool,
    }
    let lie = [0, 0, 15, 40][dice.below(4)];
    let initial = i64::try_from(dice.below(2)).expect("small");
    let mut state = vec![initial; mix.keys];
    let mut fresh = 10;
    let mut open: Vec<Option<Open>> = (0..mix.processes).map(|_| None).collect();
    let mut names: Vec<i64> = (0..mix.processes).map(|p| i64::try_from(p).expect("small")).collect();
    let mut builder = Builder::default();
    let mut batch = Batch::default();
    let mut begun = 0;
    let mut turns = 0;
    while begun < mix.operations || turns % 7 != 0 {
        turns += 1;
        let process = dice.below(mix.processes);
        let any = |dice: &mut Dice, fresh: i64| {
            if mix.domain > 0 {
                i64::try_from(dice.below(mix.domain)).expect("small")
            } else if dice.chance(20) {
                initial
            } else {
                let known = usize::try_from(fresh - 10).expect("positive") + usize::from(dice.chance(10));
                10 + i64::try_from(dice.below(known.max(1))).expect("small")
            }
        };
        match open[process].take() {
            None if begun < mix.operations => {
                begun += 1;
                let key = dice.below(mix.keys);
                let new = if mix.domain > 0 {
                    i64::try_from(dice.below(mix.domain)).expect("small")
                } else {
                    fresh += 1;
                    fresh - 1
                };
                let old = if dice.chance(60) { state[key] } else { any(dice, fresh) };
                let (f, argument) = match dice.below(if mix.cas { 4 } else { 3 }) {
                    0 | 1 => ("read", (0, 0)),
                    2 => ("write", (new, 0)),
                    _ => ("cas", (old, new)),
                };
                let operation = Open { f, key, argument, result: None, applied: false, refused: false };
                if !dice.chance(5) {
                    push(&mut batch, RecordType::Invoke, names[process], mix.keys, operation.f, key, argument, None);
                }
                open[process] = Some(operation);
            }
            None => {}
            Some(mut operation) => {
                if !operation.applied && !operation.refused {
                    let cell = &mut state[operation.key];
                    match operation.f {
                        "read" => operation.result = Some(*cell),
                        "write" => *cell = operation.argument.0,
                        _ if *cell == operation.argument.0 => *cell = operation.argument.1,
                        _ => operation.refused = !dice.chance(lie),
                    }
                    operation.applied = true;
                    open[process] = Some(operation);
                    continue;
                }
                let fate = dice.below(10);
                let kind = match (operation.refused, fate) {
                    (true, _) => RecordType::Fail,
                    (false, 0 | 1) => RecordType::Info,
                    (false, 2) if dice.chance(lie + 5) => RecordType::Fail,
                    _ => RecordType::Ok,
                };
                if operation.f == "read" && dice.chance(lie) {
                    operation.result = Some(any(dice, fresh));
                }
                let Open { f, key, argument, result, .. } = operation;
                push(&mut batch, kind, names[process], mix.keys, f, key, argument, result);
                if kind == RecordType::Info {
                    names[process] += 100;
                }
            }
        }
    }
    let text = if mix.unknown { builder.interner().string("unknown") } else { builder.interner().int(initial) };
    let name = builder.interner().string("initial");
    let header = builder.interner().map(&[(name, text)]).expect("one entry");
    builder.header(header);
    builder.add(batch);
    builder.finish(Box::new(NoOrigin)).expect("a history")
}

#[expect(clippy::too_many_arguments, reason = "the fields of a record")]
fn push(
    batch: &mut Batch,
    kind: RecordType,
    process: i64,
    keys: usize,
    f: &str,
    key: usize,
    argument: (i64, i64),
    result: Option<i64>,
) {
    let interner = batch.interner();
    let mut record = Record::new(kind);
    record.process = interner.int(process);
    record.f = interner.string(f);
    if keys > 1 {
        record.key = interner.int(i64::try_from(key).expect("small"));
    }
    record.value = match (f, kind) {
        ("read", RecordType::Ok) => interner.int(result.expect("an applied read")),
        ("read", _) => Value::NULL,
        ("write", _) => interner.int(argument.0),
        _ => {
            let pair = [interner.int(argument.0), interner.int(argument.1)];
            interner.list(&pair)
        }
    };
    batch.push(record);
}

/// Whether an order exists, by trying all: from the records, with nothing of the checker.
pub(super) fn brute_force(history: &History) -> bool {
    let mut keys: Vec<Value> = history.ops().map(|op| op.key()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().all(|key| {
        let ops: Vec<Operation<'_>> = history
            .ops()
            .filter(|op| op.key() == key && op.status() != Status::Fail)
            .filter(|op| op.status() == Status::Ok || history.values().as_str(op.f()) != Some("read"))
            .collect();
        let said = history.header_field("initial").expect("always given");
        let initials: Vec<Value> = if history.values().as_str(said) == Some("unknown") {
            let seen = ops.iter().flat_map(|op| [op.result(), *parts(history, op).first().unwrap_or(&Value::NULL)]);
            seen.chain([Value::FALSE]).collect()
        } else {
            vec![said]
        };
        initials.into_iter().any(|initial| place(history, &ops, 0, initial, &mut HashSet::new()))
    })
}

fn parts(history: &History, op: &Operation<'_>) -> Vec<Value> {
    history.values().items(if op.argument().is_absent() { op.result() } else { op.argument() })
}

fn place(history: &History, ops: &[Operation<'_>], done: u32, state: Value, seen: &mut HashSet<(u32, Value)>) -> bool {
    let left = || ops.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
    if left().all(|(_, op)| op.status() != Status::Ok) {
        return true;
    }
    if !seen.insert((done, state)) {
        return false;
    }
    let due = left().map(|(_, op)| op.ended()).min().expect("some are left");
    left().filter(|(_, op)| op.began() <= due).any(|(at, op)| {
        let argument = if op.argument().is_absent() { op.result() } else { op.argument() };
        let after = match history.values().as_str(op.f()).expect("a name") {
            "read" if op.result() == state => state,
            "write" => argument,
            "cas" if parts(history, op)[0] == state => parts(history, op)[1],
            _ => return false,
        };
        place(history, ops, done | 1 << at, after, seen)
    })
}

/// Goal: the fast path says what brute force says, on registers with crashed, failed, unmatched and half-recorded
/// operations, with and without compare-and-set; and every witness stands up to `recheck`.
#[test]
fn agrees_with_brute_force() {
    let mut dice = Dice::new(7);
    let (mut holds, mut violated, mut undecided, mut smallest) = (0, 0, 0, 0);
    for round in 0..50_000 {
        let mix = Mix {
            operations: 2 + round % 7,
            processes: 2 + round % 3,
            keys: 1 + usize::from(round % 5 == 0),
            domain: 0,
            cas: round % 2 == 0,
            unknown: round % 6 == 0,
        };
        let history = random(&mut dice, mix);
        let outcome = judged(&history);
        let expected = brute_force(&history);
        match outcome.judgements[0].verdict {
            Verdict::Holds => {
                holds += 1;
                assert!(expected, "round {round}: {history:?}");
            }
            Verdict::Violated => {
                violated += 1;
                assert!(!expected, "round {round}: {history:?}\n{outcome:?}");
                for finding in &outcome.findings {
                    let witness = finding.witness.as_ref().expect("a witness");
                    assert!(witness.rechecked, "round {round}: {history:?}\n{finding:?}");
                    smallest += usize::from(smallest::is_true(&history, finding, outcome.findings.len() == 1));
                }
            }
            _ => undecided += usize::from(outcome.judgements[0].evidence["reads"] != 0),
        }
    }
    let counts = format!("{holds} hold, {violated} violated ({smallest} measured), {undecided} undecided");
    assert!(holds > 25_000 && violated > 5000 && smallest > 300 && undecided < 1000, "{counts}");
}

/// Goal: where values are written again and again, resolved or searched, the verdict is that of brute force, and every
/// witness stands up to `recheck`.
#[test]
fn agrees_with_brute_force_on_repeated_values() {
    let mut dice = Dice::new(3);
    let (mut holds, mut violated, mut searched, mut smallest) = (0, 0, 0, 0);
    for round in 0..50_000 {
        let mix = Mix {
            operations: 2 + round % 7,
            processes: 2 + round % 3,
            keys: 1 + usize::from(round % 7 == 0),
            domain: 2 + round % 3,
            cas: round % 2 == 0,
            unknown: round % 6 == 0,
        };
        let history = random(&mut dice, mix);
        let outcome = judged(&history);
        let expected = brute_force(&history);
        let judgement = &outcome.judgements[0];
        searched += usize::from(judgement.evidence["keys_by_method"]["search"] != 0);
        match judgement.verdict {
            Verdict::Holds => holds += 1,
            Verdict::Violated => violated += 1,
            _ => assert_eq!(judgement.evidence["reads"], 0, "round {round}: {history:?}"),
        }
        assert_eq!(judgement.verdict != Verdict::Violated, expected, "round {round}: {history:?}\n{outcome:?}");
        for finding in &outcome.findings {
            let witness = finding.witness.as_ref().expect("a witness");
            assert!(witness.rechecked, "round {round}: {history:?}\n{finding:?}");
            smallest += usize::from(smallest::is_true(&history, finding, outcome.findings.len() == 1));
        }
    }
    let counts = format!("{holds} hold, {violated} violated ({smallest} measured), {searched} searched");
    assert!(holds > 20_000 && violated > 5000 && smallest > 800 && searched > 5000, "{counts}");
}

/// Goal: zones (values written once, and repeated ones that can be resolved) and the search engine say the same of every
/// history that both decide, also of such as are too long for brute force.
#[test]
fn fast_path_and_search_agree() {
    let mut dice = Dice::new(19);
    let budget = Budget::default();
    let (mut holds, mut violated, mut resolved) = (0, 0, 0);
    for round in 0..12_000 {
        let mix = Mix {
            operations: 2 + round % 39,
            processes: 2 + round % 5,
            keys: 1,
            domain: if round % 3 == 0 { 4 + round % 9 } else { 0 },
            cas: round % 2 == 0,
            unknown: round % 7 == 0,
        };
        let history = random(&mut dice, mix);
        let register = Register::from_history(&history).expect("a register history");
        let Some(key) = (register.keys() == 1).then(|| register.key(0)) else { continue };
        let fast = decide::decide(&key, &budget);
        if fast.method != Method::Zones {
            continue;
        }
        let search = decide::by_search(&key, &budget);
        assert!(search.doubt.is_none(), "round {round}: {history:?}");
        assert_eq!(fast.proofs.is_empty(), search.proofs.is_empty(), "round {round}: {history:?}");
        resolved += usize::from(mix.domain > 0);
        if fast.proofs.is_empty() { holds += 1 } else { violated += 1 }
    }
    let counts = format!("{holds} hold, {violated} violated, {resolved} resolved");
    assert!(holds > 5000 && violated > 3000 && resolved > 1000, "{counts}");
}
