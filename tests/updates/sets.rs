//! Goal: sets agree with brute force.

use std::collections::BTreeSet;

use anachron::guarantee::{Anomaly, Guarantee};
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::random::{Dice, NEVER, Op, Shape, Status, What, has_order, history};
use super::{assert_rechecked, judged, parse, rounds, verdict};

fn shape(seed: u64, ops: u64, finals: u64) -> Shape {
    let wrong = [0, 15, 30][usize::try_from(seed % 3).expect("small")];
    Shape { counter: false, removes: seed % 2 == 1, asks: seed % 5 == 4, amounts: &[], ops, finals, wrong }
}

fn added(ops: &[Op], element: u64) -> impl Iterator<Item = &Op> {
    ops.iter().filter(move |op| op.what == What::Add(element) && op.status != Status::Fail)
}

/// What a read says of each element that it says anything of.
fn says(op: &Op) -> Vec<(u64, bool)> {
    match &op.what {
        What::Read(shown) => (1..=9).map(|element| (element, shown.contains(&element))).collect(),
        What::Contains(element, answer) => vec![(*element, *answer)],
        _ => Vec::new(),
    }
}

/// Reads that show what no addition explains.
fn unexplained(ops: &[Op], failed_too: bool) -> bool {
    let seen = ops.iter().filter(|op| op.status == Status::Ok).flat_map(says);
    let mut seen = seen.filter(|(_, is_there)| *is_there);
    let tried = |element: u64| ops.iter().any(|op| op.what == What::Add(element));
    seen.any(|(element, _)| added(ops, element).next().is_none() && (failed_too || !tried(element)))
}

/// Goal: a set is linearizable exactly when brute force finds an order.
#[test]
fn linearizable_agrees_with_brute_force() {
    let mut counts = [0; 2];
    for seed in 0..rounds(1_200) {
        let (ops, lines) = history(&mut Dice::new(seed), shape(seed, 3 + seed % 8, 0));
        let outcome = judged(&parse(&lines), Workload::Set, "linearizable");
        let (found, reason) = verdict(&outcome, Guarantee::Linearizable);
        let expected = has_order(&ops.iter().collect::<Vec<_>>());
        let expected = match expected {
            true if !ops.iter().any(Op::is_read) => Verdict::Unknown,
            true => Verdict::Holds,
            false => Verdict::Violated,
        };
        assert_eq!(found, expected, "seed {seed}: {reason}\n{lines}");
        counts[usize::from(expected == Verdict::Violated)] += 1;
        assert_rechecked(&outcome, &lines);
    }
    assert!(counts[0] > 200 && counts[1] > 200, "{counts:?}");
}

/// Goal: read-your-writes and monotonic-reads of elements that are never removed are what a session's reads lack.
#[test]
fn sessions_agree_with_their_definitions() {
    let mut counts = [[0; 3]; 2];
    for seed in 0..rounds(900) {
        let (ops, lines) = history(&mut Dice::new(seed + 7), shape(seed, 4 + seed % 9, 0));
        let outcome = judged(&parse(&lines), Workload::Set, "");
        let removed = |element: u64| ops.iter().any(|op| op.what == What::Remove(element) && op.status != Status::Fail);
        let future = ops.iter().enumerate().any(|(at, read)| {
            let shown = says(read).into_iter().filter(|(_, is_there)| *is_there);
            shown.map(|(element, _)| element).any(|element| {
                let later = |add: &Op| ops[at..].iter().any(|op| op.began == add.began) && add.process == read.process;
                added(&ops, element).next().is_some() && added(&ops, element).all(later)
            })
        });
        let lacks = |due: &dyn Fn(&Op, u64) -> bool| {
            ops.iter().enumerate().any(|(at, read)| {
                let own = |op: &&Op| op.process == read.process && op.status == Status::Ok;
                let absent = says(read).into_iter().filter(|(element, is_there)| !is_there && !removed(*element));
                absent
                    .map(|(element, _)| element)
                    .any(|element| ops[..at].iter().filter(own).any(|op| due(op, element)))
            })
        };
        let wrote = |op: &Op, element: u64| op.what == What::Add(element);
        let saw = |op: &Op, element: u64| says(op).contains(&(element, true)) && added(&ops, element).next().is_some();
        let faults = [lacks(&wrote), lacks(&saw)];
        for (at, guarantee) in [Guarantee::ReadYourWrites, Guarantee::MonotonicReads].into_iter().enumerate() {
            let (found, reason) = verdict(&outcome, guarantee);
            let violated = faults[at] || future || unexplained(&ops, true);
            let found_so = found == Verdict::Violated;
            assert_eq!(found_so, violated, "seed {seed} {guarantee}: {found:?} {reason}\n{lines}");
            counts[at][match found {
                Verdict::Holds => 0,
                Verdict::Violated => 1,
                _ => 2,
            }] += 1;
        }
        assert_rechecked(&outcome, &lines);
    }
    assert!(counts.iter().flatten().all(|count| *count > 30), "{counts:?}");
}

/// Goal: how many updates a read certainly misses is what brute force finds, element by element: the read alone among the
/// element's updates, and what other reads had shown of elements that are never removed.
#[test]
fn staleness_agrees_with_brute_force() {
    let mut counts = [0; 2];
    for seed in 0..rounds(600) {
        let (ops, lines) = history(&mut Dice::new(seed + 13), shape(seed, 4 + seed % 7, 0));
        let most = seed % 2;
        let outcome = judged(&parse(&lines), Workload::Set, &format!("bounded-staleness:versions={most}"));
        let (found, reason) = verdict(&outcome, Guarantee::BoundedStaleness);
        let missed = |read: &Op| {
            let stale = |(element, is_there): &(u64, bool)| {
                let of = |op: &&Op| {
                    matches!(op.what, What::Add(e) | What::Remove(e) if e == *element) && op.status != Status::Fail
                };
                let updates: Vec<&Op> = ops.iter().filter(of).collect();
                let asked = Op { what: What::Contains(*element, *is_there), ..read.clone() };
                let removed = updates.iter().any(|op| matches!(op.what, What::Remove(_)));
                let early = added(&ops, *element).all(|add| read.precedes(add));
                let seen = ops.iter().any(|other| {
                    let early = added(&ops, *element).all(|add| other.precedes(add));
                    other.status == Status::Ok
                        && other.precedes(read)
                        && says(other).contains(&(*element, true))
                        && !early
                });
                let seen = seen && !is_there && !removed && added(&ops, *element).next().is_some();
                let alone: Vec<&Op> = updates.iter().copied().chain([&asked]).collect();
                seen || !(has_order(&alone) || early && *is_there)
            };
            says(read).iter().filter(|said| stale(said)).count() as u64
        };
        let beyond = ops.iter().filter(|op| op.status == Status::Ok).any(|read| missed(read) > most);
        let violated = beyond || unexplained(&ops, false);
        assert_eq!(found == Verdict::Violated, violated, "seed {seed}: {found:?} {reason}\n{lines}");
        counts[usize::from(violated)] += 1;
        assert_rechecked(&outcome, &lines);
    }
    assert!(counts.iter().all(|count| *count > 90), "{counts:?}");
}

/// Goal: in the end, all that brute force can't explain is found, as far as final reads agree; where they differ, nothing is said
/// that an update of unknown outcome may explain.
#[test]
fn eventual_agrees_with_brute_force() {
    let mut counts = [0; 3];
    for seed in 0..rounds(1_200) {
        let (ops, lines) = history(&mut Dice::new(seed + 19), shape(seed, 3 + seed % 6, 2 + seed % 2));
        let outcome = judged(&parse(&lines), Workload::Set, "eventual");
        let (found, reason) = verdict(&outcome, Guarantee::Eventual);
        let quiet = ops.iter().filter(|op| !op.is_read()).map(|op| op.ended).filter(|ended| *ended != NEVER).max();
        let finals: Vec<&Op> = ops.iter().filter(|op| op.last && quiet.is_none_or(|quiet| quiet < op.began)).collect();
        // What was seen of an element that is never removed was there from then on.
        let mut settled: Vec<Op> = ops.iter().filter(|op| !op.is_read()).cloned().collect();
        for element in 1..=4 {
            let removed = ops.iter().any(|op| op.what == What::Remove(element) && op.status != Status::Fail);
            let early = |read: &Op| added(&ops, element).all(|add| read.precedes(add));
            let shows = |read: &&Op| read.status == Status::Ok && says(read).contains(&(element, true)) && !early(read);
            let first = ops.iter().filter(shows).min_by_key(|read| read.ended).filter(|_| !removed);
            settled.extend(first.map(|read| Op { what: What::Contains(element, true), ..read.clone() }));
        }
        let final_aborted = ops
            .iter()
            .filter(|op| op.last)
            .flat_map(says)
            .any(|(element, is_there)| is_there && added(&ops, element).next().is_none());
        let explained = has_order(&settled.iter().chain(finals.iter().copied()).collect::<Vec<_>>());
        let impossible = unexplained(&ops, false) || final_aborted || !explained;
        let shown: BTreeSet<_> = finals.iter().map(|op| says(op)).collect();
        let nodes: BTreeSet<u64> = ops.iter().filter(|op| op.status == Status::Ok).map(|op| op.node).collect();
        let complete = nodes.iter().all(|node| finals.iter().any(|op| op.node == *node));
        match found {
            Verdict::Violated => assert!(impossible, "seed {seed}: {:?}\n{lines}", outcome.findings),
            Verdict::Holds => {
                assert!(!impossible && shown.len() == 1 && complete, "seed {seed}\n{lines}");
            }
            _ => assert!(!impossible || shown.len() > 1, "seed {seed}: {reason}\n{lines}"),
        }
        counts[match found {
            Verdict::Holds => 0,
            Verdict::Violated => 1,
            _ => 2,
        }] += 1;
        assert_rechecked(&outcome, &lines);
    }
    assert!(counts.iter().all(|count| *count > 60), "{counts:?}");
}

/// Goal: a lost element is named with its addition, and what a reader has to add is said where it is missing.
#[test]
fn a_lost_element_in_words() {
    let lines = r#"{"type":"invoke","process":0,"f":"add","value":"a","time":0}
{"type":"ok","process":0,"f":"add","value":"a","time":10000000}
{"type":"invoke","process":1,"f":"add","value":"b","time":20000000}
{"type":"ok","process":1,"f":"add","value":"b","time":30000000}
{"type":"invoke","process":2,"f":"read","value":null,"time":40000000,"final":true}
{"type":"ok","process":2,"f":"read","value":["b"],"time":50000000,"final":true}
"#;
    let outcome = judged(&parse(lines), Workload::Set, "eventual bounded-staleness:time=29ms");
    let lost = outcome.findings.iter().find(|finding| finding.anomaly == Anomaly::LostWrite).expect("a lost element");
    assert_eq!(
        lost.witness.as_ref().expect("a witness").text,
        "A1 added \"a\" and completed (record 1) before R1, which read 1 element, without \"a\", was invoked (record 4). After \
         everything had settled, R1 still lacked what a client had been told was stored: it is lost."
    );
    assert_eq!(verdict(&outcome, Guarantee::BoundedStaleness).0, Verdict::Violated);
    assert_eq!(outcome.measures["staleness"]["time_ns_max"], 30_000_000);
    assert_eq!(outcome.measures["set"]["lost"], 1);
    let unmarked = lines.replace(",\"final\":true", "");
    let (found, reason) = verdict(&judged(&parse(&unmarked), Workload::Set, "eventual"), Guarantee::Eventual);
    assert_eq!(found, Verdict::Unknown);
    assert!(reason.contains("there is no `final` read: after the last update"), "{reason}");
}
