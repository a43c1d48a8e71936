//! Goal: counters agree with brute force.

use std::collections::BTreeSet;

use anachron::guarantee::{Anomaly, Guarantee};
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::random::{Dice, NEVER, Op, Shape, Status, What, has_order, history};
use super::{assert_rechecked, judged, parse, rounds, verdict};

fn shape(seed: u64, ops: u64, finals: u64) -> Shape {
    let amounts: &[i64] = [&[1][..], &[1, 2, 5], &[1, -1], &[3, 6, -2]][usize::try_from(seed / 3 % 4).expect("small")];
    let wrong = [0, 15, 30][usize::try_from(seed % 3).expect("small")];
    Shape { counter: true, removes: false, asks: false, amounts, ops, finals, wrong }
}

fn amount(op: &Op) -> i64 {
    match op.what {
        What::Change(amount) => amount,
        _ => 0,
    }
}

fn sum(op: &Op) -> i64 {
    match op.what {
        What::Sum(sum) => sum,
        _ => panic!("{op:?} is no read"),
    }
}

/// Whether some of the amounts that may be added to what has to be there give a sum.
fn reached(has: i64, may: &[i64], sum: i64) -> bool {
    let mut sums = BTreeSet::from([has]);
    for amount in may {
        let more: Vec<i64> = sums.iter().map(|sum| sum + amount).collect();
        sums.extend(more);
    }
    sums.contains(&sum)
}

/// Goal: a counter is linearizable exactly when brute force finds an order.
#[test]
fn linearizable_agrees_with_brute_force() {
    let mut counts = [0; 2];
    for seed in 0..rounds(1_200) {
        let (ops, lines) = history(&mut Dice::new(seed + 3), shape(seed, 3 + seed % 8, 0));
        let outcome = judged(&parse(&lines), Workload::Counter, "linearizable");
        let (found, reason) = verdict(&outcome, Guarantee::Linearizable);
        let expected = match has_order(&ops.iter().collect::<Vec<_>>()) {
            true if !ops.iter().any(Op::is_read) => Verdict::Unknown,
            true => Verdict::Holds,
            false => Verdict::Violated,
        };
        assert_eq!(found, expected, "seed {seed}: {reason}\n{lines}");
        counts[usize::from(expected == Verdict::Violated)] += 1;
        assert_rechecked(&outcome, &lines);
    }
    assert!(counts.iter().all(|count| *count > 200), "{counts:?}");
}

/// Goal: where all amounts are the same, read-your-writes and monotonic-reads are what brute force over the visible updates
/// says; where they are not, nothing is called violated that some choice of visible updates explains.
#[test]
fn sessions_agree_with_their_definitions() {
    let mut counts = [[0; 3]; 2];
    for seed in 0..rounds(1_200) {
        let (ops, lines) = history(&mut Dice::new(seed + 11), shape(seed, 4 + seed % 7, 0));
        let outcome = judged(&parse(&lines), Workload::Counter, "");
        let updates: Vec<&Op> = ops.iter().filter(|op| !op.is_read() && op.status != Status::Fail).collect();
        let explained = |read: &Op, must: &dyn Fn(&Op) -> bool| {
            let later = |op: &Op| op.process == read.process && op.began > read.began;
            let has = updates.iter().filter(|op| must(op)).map(|op| amount(op)).sum();
            let may: Vec<i64> = updates.iter().filter(|op| !must(op) && !later(op)).map(|op| amount(op)).collect();
            reached(has, &may, sum(read))
        };
        let reads: Vec<&Op> = ops.iter().filter(|op| op.is_read()).collect();
        let own = |read: &Op| {
            let (process, began) = (read.process, read.began);
            move |op: &Op| op.process == process && op.began < began && op.status == Status::Ok
        };
        let any = reads.iter().all(|read| explained(read, &|_| false));
        let mine = any && reads.iter().all(|read| explained(read, &own(read)));
        let uniform = updates.iter().all(|op| amount(op) == 1);
        let moves = |which: fn(i64, i64) -> bool| {
            reads.iter().enumerate().any(|(at, read)| {
                reads[..at].iter().any(|earlier| earlier.process == read.process && which(sum(earlier), sum(read)))
            })
        };
        let (falls, climbs) = (moves(|before, after| before > after), moves(|before, after| before < after));
        for (at, guarantee) in [Guarantee::ReadYourWrites, Guarantee::MonotonicReads].into_iter().enumerate() {
            let (found, reason) = verdict(&outcome, guarantee);
            let kept = if at == 0 { mine } else { any && !(uniform && falls) };
            let about = format!("seed {seed} {guarantee}: {found:?} {reason}\n{lines}");
            let backward =
                updates.iter().all(|op| amount(op) > 0) && falls || updates.iter().all(|op| amount(op) < 0) && climbs;
            match found {
                Verdict::Holds => assert!(kept, "{about}"),
                Verdict::Violated => assert!(!kept || at == 1 && backward, "{about}"),
                _ => assert!(!uniform || kept, "{about}"),
            }
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

/// Goal: in the end, what no choice of updates of unknown outcome explains is violated, and what one may explain is not.
#[test]
fn eventual_agrees_with_brute_force() {
    let mut counts = [0; 3];
    for seed in 0..rounds(1_200) {
        let (ops, lines) = history(&mut Dice::new(seed + 29), shape(seed, 3 + seed % 6, 2 + seed % 2));
        let outcome = judged(&parse(&lines), Workload::Counter, "eventual");
        let (found, reason) = verdict(&outcome, Guarantee::Eventual);
        let quiet = ops.iter().filter(|op| !op.is_read()).map(|op| op.ended).filter(|ended| *ended != NEVER).max();
        let finals: Vec<&Op> = ops.iter().filter(|op| op.last && quiet.is_none_or(|quiet| quiet < op.began)).collect();
        let of = |status: Status| ops.iter().filter(move |op| !op.is_read() && op.status == status).map(amount);
        let (ok, open): (Vec<i64>, Vec<i64>) = (of(Status::Ok).collect(), of(Status::Info).collect());
        let all: Vec<i64> = ok.iter().chain(&open).copied().collect();
        let thin = ops.iter().filter(|op| op.is_read()).any(|read| !reached(0, &all, sum(read)));
        let lost = finals.iter().any(|read| !reached(ok.iter().sum(), &open, sum(read)));
        let shown: BTreeSet<i64> = finals.iter().map(|read| sum(read)).collect();
        let nodes: BTreeSet<u64> = ops.iter().filter(|op| op.status == Status::Ok).map(|op| op.node).collect();
        let complete = nodes.iter().all(|node| finals.iter().any(|op| op.node == *node));
        let about = format!("seed {seed}: {found:?} {reason} {:?}\n{lines}", outcome.findings);
        let aborted = outcome.findings.iter().any(|finding| finding.anomaly == Anomaly::G1a);
        match found {
            Verdict::Violated => assert!(thin || lost || aborted || shown.len() > 1 && open.is_empty(), "{about}"),
            Verdict::Holds => assert!(shown.len() == 1 && complete, "{about}"),
            // Sums between the bounds that no choice gives are not looked for, unless all amounts are the same.
            _ => assert!(shown.len() > 1 || !lost || all.iter().any(|amount| *amount != 1), "{about}"),
        }
        if all.iter().all(|amount| *amount == 1) && found == Verdict::Holds {
            assert!(!lost, "{about}");
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

/// Goal: a read that is too low says what it should have been, since when, and how many updates it misses at least.
#[test]
fn a_low_sum_in_words() {
    let lines = r#"{"type":"invoke","process":0,"f":"add","value":3,"time":0}
{"type":"ok","process":0,"f":"add","value":3,"time":10000000}
{"type":"invoke","process":0,"f":"add","value":4,"time":20000000}
{"type":"ok","process":0,"f":"add","value":4,"time":30000000}
{"type":"invoke","process":1,"f":"read","value":null,"time":50000000}
{"type":"ok","process":1,"f":"read","value":3,"time":60000000}
"#;
    let outcome = judged(&parse(lines), Workload::Counter, "bounded-staleness:time=19ms");
    assert_eq!(verdict(&outcome, Guarantee::BoundedStaleness).0, Verdict::Violated);
    assert_eq!(verdict(&outcome, Guarantee::Linearizable).0, Verdict::Violated);
    let stale = outcome.findings.iter().find(|finding| finding.anomaly == Anomaly::StaleRead).expect("a stale read");
    assert_eq!(
        stale.witness.as_ref().expect("a witness").text,
        "A1 added 4 and completed (record 3) before R1, which read 3, was invoked (record 4); R1 read 3, and what had been \
         acknowledged when it began, with or without what was under way until it ended, gives 7. R1 was stale when it began, and \
         that had been certain for 20 ms."
    );
}
