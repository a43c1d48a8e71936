//! Histories small enough to argue about.

use anachron::budget::Budget;
use anachron::check::{Settings, judge};
use anachron::guarantee::{Anomaly, Family, Guarantee};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Finding, Outcome, StoppedBy, Verdict};
use anachron::workload::Workload;

use super::mini::history;

/// Judges, and asserts what must be so of every outcome: each witness is confirmed, and says something.
pub(crate) fn judged(history: &History) -> Outcome {
    let budget = Budget::default();
    let settings = Settings { requirements: &[], budget: &budget };
    let outcome = judge(history, Workload::ListAppend, &settings).expect("list-append");
    for finding in &outcome.findings {
        let witness = finding.witness.as_ref().expect("a witness");
        assert!(witness.rechecked, "not confirmed: {finding:#?}\n{witness:#?}");
        assert!(!witness.steps.is_empty() && !witness.text.is_empty());
        assert_eq!(witness.operations.len(), witness.names.len());
        assert!(finding.count > 0);
    }
    outcome
}

pub(crate) fn verdict(outcome: &Outcome, guarantee: Guarantee) -> Verdict {
    let found = outcome.judgements.iter().find(|judgement| judgement.guarantee == guarantee);
    found.map(|judgement| judgement.verdict).expect("judged")
}

pub(crate) fn anomalies(outcome: &Outcome) -> Vec<&'static str> {
    // What sessions see of it besides is theirs to test.
    let of_lists = |finding: &&Finding| finding.anomaly.families().contains(&Family::Transactions);
    outcome.findings.iter().filter(of_lists).map(|finding| finding.anomaly.name()).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str], holds: &[Guarantee], violated: &[Guarantee]) {
    let history = history(text);
    let outcome = judged(&history);
    assert_eq!(anomalies(&outcome), expected, "{text}");
    for (guarantees, expected) in [(holds, Verdict::Holds), (violated, Verdict::Violated)] {
        for guarantee in guarantees {
            assert_eq!(verdict(&outcome, *guarantee), expected, "{guarantee} of {text}");
        }
    }
}

use Guarantee as G;

/// Goal: each type of cycle is found in its smallest form, and rules out what it should and no more.
#[test]
fn types_of_cycles() {
    check("ax1 ay1; ax2 ay2; rx[1 2] ry[2 1]", &["G0"], &[], &[G::ReadUncommitted, G::ReadCommitted]);
    check("ax1 ry[1]; ax2 ay1; rx[1 2]", &["G1c"], &[G::ReadUncommitted], &[G::ReadCommitted]);
    check(
        "ax1 ay1; rx[1] ry[]",
        &["G-single-item", "non-monotonic-read"],
        &[G::ReadCommitted],
        &[G::SnapshotIsolation, G::RepeatableRead],
    );
    check(
        "ax1; ay1; rx[1] ry[]; rx[] ry[1]",
        &["G-nonadjacent-item", "non-prefix-read"],
        &[G::ReadCommitted],
        &[G::SnapshotIsolation, G::Serializable],
    );
    check(
        "rx[] ay1; ry[] ax1",
        &["G2-item", "G-update"],
        &[G::SnapshotIsolation],
        &[G::RepeatableRead, G::Serializable],
    );
}

/// Goal: session order and real time make cycles of their own, and only for the guarantees that contain them.
#[test]
fn session_and_real_time() {
    check(
        "0= ax1; 0= rx[]; 1= rx[1]",
        &["G-single-item-process", "fractured-read-process"],
        &[G::Serializable, G::StrongSessionReadCommitted],
        &[G::StrongSessionSnapshotIsolation, G::StrongSessionSerializable, G::StrictSerializable],
    );
    check(
        "0> ax1; 0= ax1; 1> rx; 1= rx[]; 2> rx; 2= rx[1]",
        &["G-single-item-realtime"],
        &[G::Serializable, G::StrongSessionSerializable, G::StrongReadCommitted],
        &[G::StrongSnapshotIsolation, G::StrictSerializable],
    );
    // The second transaction begins before the first completes: no order between them.
    check("0> ax1; 1> rx; 0= ax1; 1= rx[]; 2> rx; 2= rx[1]", &[], &[G::StrictSerializable], &[]);
    check(
        "0> ax1; 0= ax1; 1> ax2; 1= ax2; 2> rx; 2= rx[2 1]",
        &["G0-realtime"],
        &[G::Serializable, G::ReadCommitted],
        &[G::StrongReadUncommitted, G::StrictSerializable],
    );
}

/// Goal: reads that no committed state explains, each under its name.
#[test]
fn reads_that_need_no_graph() {
    check("0> ax1; 0! ax1; rx[1]", &["G1a"], &[G::ReadUncommitted], &[G::ReadCommitted]);
    check("ax1 ax2; rx[1]; rx[1 2]", &["G1b", "G-single-item"], &[G::ReadUncommitted], &[G::ReadCommitted]);
    check("rx[7]", &["thin-air-read"], &[], &[G::ReadUncommitted, G::StrictSerializable]);
    check("ax1; rx[1 1]", &["duplicate-elements"], &[], &[G::ReadUncommitted]);
    check("ax1; ax2; rx[1]; rx[2]", &["incompatible-order"], &[], &[G::ReadUncommitted]);
    check("rx[1] ax1", &["future-read"], &[G::ReadUncommitted], &[G::ReadCommitted]);
    check("ax1 rx[]; rx[1]", &["internal"], &[G::ReadCommitted, G::RepeatableRead], &[G::SnapshotIsolation]);
    check(
        "ax1; rx[] rx[1]",
        &["G-single-item", "internal"],
        &[G::ReadCommitted],
        &[G::RepeatableRead, G::SnapshotIsolation],
    );
    check("0> ax1; 0! ax1; ax2; rx[1 2]", &["G1a", "dirty-update"], &[G::ReadUncommitted], &[G::ReadCommitted]);
    check(
        "rx[] ax1; rx[] ax2; rx[1 2]",
        &["G-single-item", "lost-update"],
        &[G::ReadCommitted],
        &[G::SnapshotIsolation, G::RepeatableRead],
    );
}

/// Goal: a transaction's own order of appends is an order that lists may not contradict, whatever the isolation.
#[test]
fn own_appends_out_of_order() {
    let all = [G::ReadUncommitted, G::ReadCommitted, G::Serializable];
    check("ax1 ax2; rx[2]", &["incompatible-order"], &[], &all);
    check("ax1 ax2; rx[2 1]", &["incompatible-order"], &[], &all);
    // Shown without its second append, the first is an intermediate read.
    check("ax1 ax2; rx[1]", &["G1b", "G-single-item"], &[G::ReadUncommitted], &[G::ReadCommitted]);
    // A failed transaction may have been rolled back in part.
    check("0> ax1 ax2; 0! ax1 ax2; rx[2]", &["G1a"], &[G::ReadUncommitted], &[G::ReadCommitted]);
}

/// Goal: a transaction of unknown outcome counts where an `ok` read shows one of its appends, with all it did; else not.
#[test]
fn unknown_outcomes() {
    // Its other append exists, and comes after the empty list that was read.
    check(
        "0> ax1 ay1; 0? ; rx[1] ry[]",
        &["G-single-item", "non-monotonic-read"],
        &[G::ReadCommitted],
        &[G::SnapshotIsolation],
    );
    check("0> ax1 ay1; 0? ; rx[] ry[]", &[], &[G::StrictSerializable], &[]);
    // Only a transaction of unknown outcome saw it: that says nothing.
    check("0> ax1 ay1; 0? ; 1> rx ry; 1? rx[1] ry[]; rx[]", &[], &[G::StrictSerializable], &[]);
    // It follows its session; nothing follows it.
    check("0> rx; 0= rx[]; 0> ax1 ; 0? ; 1> rx; 1= rx[1]; 1> rx; 1= rx[1]", &[], &[G::StrictSerializable], &[]);
    check(
        "0> ax1; 0= ax1; 0> ay1 ; 0?; 1> ry; 1= ry[1]; 1> rx; 1= rx[]",
        &["G-single-item-process", "causality-violation-process"],
        &[G::Serializable],
        &[G::StrongSessionSerializable, G::StrictSerializable],
    );
}

/// Goal: appends that nobody read come after the longest list; where their order is free, a guarantee may choose it.
#[test]
fn unobserved_appends() {
    // One append, never read: every reader of the empty list comes before it.
    check("rx[] ay1; ax1 ry[]", &["G2-item", "G-update"], &[G::SnapshotIsolation], &[G::Serializable]);
    // Two on one key: either order is serial.
    check("ax1; ax2; rx[]", &[], &[G::Serializable, G::SnapshotIsolation], &[]);
    // Whichever order k has, it closes a G-single; the derived edges alone show a G2-item only.
    check(
        "ra[] ab1 ak1; rb[] aa1 ak2",
        &["G-single-item", "G2-item", "unseen-conflict"],
        &[G::ReadCommitted],
        &[G::SnapshotIsolation, G::Serializable],
    );
    // The same, but k's order is free to follow the one that the reads ask for.
    check("ra[] ab1; rb[] aa1 ak2; ak1", &["G2-item", "G-update"], &[G::SnapshotIsolation], &[G::Serializable]);
    // The last observed writer's own append comes first: R missed it, and so read an intermediate version.
    check("ax1 ax2; rx[1]; ax3", &["G1b", "G-single-item"], &[G::ReadUncommitted], &[G::ReadCommitted]);
}

/// Goal: nothing that could have refuted a guarantee: it is unknown, and says so.
#[test]
fn vacuous_histories() {
    for text in ["", "ax1; ax2", "0> rx; 0? rx[]", "0> ax1; 0! ax1"] {
        let outcome = judged(&history(text));
        assert!(outcome.judgements.iter().all(|one| one.verdict == Verdict::Unknown && one.reason.is_some()), "{text}");
    }
}

/// Goal: a session that moves between processes keeps its order, by invocation; a process without a name is a session of
/// its own.
#[test]
fn sessions_beyond_processes() {
    let outcome = |lines: &str| {
        let source = Source::Bytes { name: "test".to_owned(), bytes: lines.into() };
        judged(&read(source, &Options::default()).expect("a history"))
    };
    let moved = outcome(
        r#"{"type":"invoke","process":0,"session":"u","f":"txn","value":[["append","x",1]]}
{"type":"invoke","process":1,"session":"u","f":"txn","value":[["r","x",null]]}
{"type":"ok","process":1,"session":"u","f":"txn","value":[["r","x",null]]}
{"type":"ok","process":0,"session":"u","f":"txn","value":[["append","x",1]]}
{"type":"ok","process":2,"f":"txn","value":[["r","x",[1]]]}"#,
    );
    assert_eq!(anomalies(&moved), ["G-single-item-process", "fractured-read-process"]);
    assert_eq!(verdict(&moved, G::Serializable), Verdict::Holds);
    assert_eq!(verdict(&moved, G::StrongSessionSerializable), Verdict::Violated);
    let nameless = outcome(
        r#"{"type":"ok","f":"txn","value":[["append","x",1]]}
{"type":"ok","f":"txn","value":[["r","x",null]]}
{"type":"ok","f":"txn","value":[["r","x",[1]]]}"#,
    );
    assert_eq!(verdict(&nameless, G::StrictSerializable), Verdict::Holds);
}

/// Goal: where memory does not suffice for the graph, nothing is said to hold or to be violated.
#[test]
fn too_little_memory() {
    let history = history("ax1; rx[1]; rx[7]");
    let budget = Budget::new(Budget::DEFAULT_STEPS, None, 100);
    let settings = Settings { requirements: &[], budget: &budget };
    let outcome = judge(&history, Workload::ListAppend, &settings).expect("list-append");
    assert!(outcome.findings.is_empty());
    assert!(outcome.judgements.iter().all(|one| one.verdict == Verdict::Unknown));
    assert!(outcome.judgements.iter().any(|one| one.stopped_by == Some(StoppedBy::Memory)));
}

/// Goal: a witness reads like a person's explanation: transactions by name, keys, values, and what shows each order.
#[test]
fn words() {
    let outcome = judged(&history("0> ax1; 0= ax1; 1> ax2 ry; 1= ax2 ry[]; rx[1 2]; 2> ay5; 2= ay5; 3> rx; 3= rx[1]"));
    let witness = outcome.findings[0].witness.as_ref().expect("a witness");
    assert_eq!(outcome.findings[0].anomaly, Anomaly::GSingleItemRealtime);
    let because: Vec<&str> = witness.steps.iter().map(|step| step.because.as_str()).collect();
    assert_eq!(
        because,
        [
            "T1 completed at record 3, before T2 was invoked at record 7",
            "T2 read key \"x\" as [1], and after that T1 appended 2 to it (micro-operation 1 of 2), as T3's read [1 2] shows",
        ]
    );
    assert_eq!(
        (witness.names.as_slice(), witness.operations.as_slice()),
        (&["T1", "T2", "T3"].map(String::from)[..], &[3, 8, 4][..])
    );
}
