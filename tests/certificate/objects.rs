//! Orders of objects that only a search finds: registers whose values repeat, and strings that grow. A replay of its own
//! decides what is an order.

use anachron::budget::Budget;
use anachron::certificate::{Evidence, Ruling, verify_certificate};
use anachron::check::{Settings, certify, judge};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::{History, Operation, Status, Value};
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::{Dice, history};

/// Three clients of one object that is right, but for an answer now and then. As records.
fn simulate(dice: &mut Dice, grows: bool) -> String {
    struct Open {
        process: usize,
        f: &'static str,
        text: String,
        done: bool,
        refused: bool,
    }
    let letter =
        |dice: &mut Dice| if dice.roll(9) == 0 { String::new() } else { ["a", "b", "ab"][dice.roll(3)].to_owned() };
    let (mut state, mut open, mut lines) = (String::new(), Vec::<Open>::new(), Vec::new());
    let (mut next, mut left) = (3, 3 + dice.roll(8));
    let mut idle = vec![0, 1, 2];
    let line = |it: &Open, kind: &str, seen: Option<&str>| {
        let value = match (it.f, seen) {
            ("get" | "read", Some(seen)) => format!("{seen:?}"),
            ("get" | "read", None) => "null".to_owned(),
            ("cas", _) => it.text.clone(),
            _ => format!("{:?}", it.text),
        };
        format!(r#"{{"type":"{kind}","process":{},"f":"{}","key":"x","value":{value}}}"#, it.process, it.f)
    };
    while left > 0 || !open.is_empty() {
        if left > 0 && !idle.is_empty() && (open.is_empty() || dice.roll(2) == 0) {
            left -= 1;
            let process = idle.swap_remove(dice.roll(idle.len()));
            let names = if grows {
                ["get", "get", "put", "append", "append"]
            } else {
                ["read", "read", "write", "write", "cas"]
            };
            let f = names[dice.roll(5)];
            let text = if f == "cas" { format!("[{:?},{:?}]", letter(dice), letter(dice)) } else { letter(dice) };
            open.push(Open { process, f, text, done: false, refused: false });
            lines.push(line(open.last().expect("just pushed"), "invoke", None));
            continue;
        }
        let at = dice.roll(open.len());
        let it = &mut open[at];
        if !it.done {
            it.done = true;
            match it.f {
                "get" | "read" => it.text = if dice.roll(25) == 0 { letter(dice) } else { state.clone() },
                "append" => state.push_str(&it.text),
                "cas" => {
                    let [old, new]: [String; 2] = serde_json::from_str(&it.text).expect("a pair");
                    it.refused = old != state;
                    state = if it.refused { state } else { new };
                }
                _ => state.clone_from(&it.text),
            }
            continue;
        }
        let it = open.swap_remove(at);
        if it.refused {
            lines.push(line(&it, "fail", None));
        } else if dice.roll(6) == 0 {
            lines.push(line(&it, "info", None));
            idle.push(next);
            next += 1;
            continue;
        } else {
            lines.push(line(&it, "ok", Some(&it.text)));
        }
        idle.push(it.process);
    }
    lines.join("\n")
}

/// By definition: each ok operation once, none that failed, real time, and what each one finds.
fn is_legal(history: &History, order: &[u32]) -> bool {
    let find = |position: &u32| history.ops().find(|op| op.position() == *position);
    let Some(ops) = order.iter().map(find).collect::<Option<Vec<Operation<'_>>>>() else { return false };
    let once = history.ops().all(|op| {
        let count = order.iter().filter(|position| **position == op.position()).count();
        match op.status() {
            Status::Ok => count == 1,
            Status::Info => count <= 1,
            Status::Fail => count == 0,
        }
    });
    let timely = (0..ops.len()).all(|at| ops[..at].iter().all(|earlier| earlier.began() <= ops[at].ended()));
    let text = |value: Value| history.values().as_str(value).map(str::to_owned);
    let first = if ops.iter().any(|op| matches!(text(op.f()).as_deref(), Some("get" | "put" | "append"))) {
        Some(String::new())
    } else {
        None
    };
    let mut state = first;
    let legal = ops.iter().all(|op| {
        let ok = op.status() == Status::Ok;
        match text(op.f()).as_deref().expect("a name") {
            "get" | "read" => !ok || text(op.result()) == state,
            "append" => {
                state = state.take().zip(text(op.argument())).map(|(there, more)| there + &more);
                true
            }
            "cas" => {
                let pair = history.values().items(op.argument());
                let found = text(pair[0]) == state;
                state = text(pair[1]);
                found
            }
            _ => {
                state = text(op.argument());
                true
            }
        }
    });
    once && timely && legal
}

/// Goal: what a search finds to hold is proved by its order, and with two entries swapped it is accepted exactly where the swapped
/// order is legal too.
#[test]
fn what_a_search_found_is_proved() {
    let mut dice = Dice(17);
    let budget = Budget::default();
    let requirements = [Requirement::new(Guarantee::Linearizable)];
    let settings = Settings { requirements: &requirements, budget: &budget };
    let (mut searched, mut kept, mut refused) = (0, 0, 0);
    for round in 0..1600 {
        let grows = round % 2 == 0;
        let text = simulate(&mut dice, grows);
        let history = history(&text);
        let workload = if grows { Workload::Kv } else { Workload::Register };
        let judgements = judge(&history, workload, &settings).expect("judged").judgements;
        let judgement = judgements.iter().find(|one| one.guarantee == Guarantee::Linearizable).expect("judged");
        let certificate = certify(&history, workload, &judgements, &settings).expect("certified");
        if judgement.verdict != Verdict::Holds {
            assert!(certificate.claims.is_empty());
            continue;
        }
        searched += usize::from(judgement.evidence["keys_by_method"]["search"] != 0);
        let ruling = verify_certificate(&history, &certificate).remove(0).ruling;
        assert!(matches!(ruling, Ruling::Proved(_)), "{ruling:?}\n{text}\n{certificate:?}");
        let Evidence::Orders(orders) = &certificate.claims[0].evidence else { panic!("{certificate:?}") };
        let order = orders[0].operations.clone();
        assert!(is_legal(&history, &order), "{text}\n{order:?}");
        for (a, b) in (0..order.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let (mut tampered, mut swapped) = (certificate.clone(), order.clone());
            swapped.swap(a, b);
            let legal = is_legal(&history, &swapped);
            let Evidence::Orders(orders) = &mut tampered.claims[0].evidence else { panic!("{certificate:?}") };
            orders[0].operations = swapped;
            let ruling = verify_certificate(&history, &tampered).remove(0).ruling;
            assert_eq!(matches!(ruling, Ruling::Proved(_)), legal, "{ruling:?}\n{text}\n{tampered:?}");
            (kept, refused) = (kept + usize::from(legal), refused + usize::from(!legal));
        }
    }
    assert!(searched > 150 && kept > 300 && refused > 3000, "{searched} {kept} {refused}");
}
