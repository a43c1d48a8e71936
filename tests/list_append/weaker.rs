//! The guarantees between read-committed and serializable: the smallest history that breaks each, and what still holds of it.

use anachron::guarantee::{Family, Guarantee as G};
use anachron::verdict::Verdict;

use super::cases::{anomalies, judged, verdict};
use super::mini::history;

/// Breaks `broken`, which is shown as `anomaly`, and keeps the others.
#[track_caller]
fn breaks(text: &str, broken: &[G], anomaly: &str, kept: &[G]) {
    let outcome = judged(&history(text));
    assert!(anomalies(&outcome).contains(&anomaly), "{text}: {:?}", anomalies(&outcome));
    for (guarantees, expected) in [(broken, Verdict::Violated), (kept, Verdict::Holds)] {
        for guarantee in guarantees {
            assert_eq!(verdict(&outcome, *guarantee), expected, "{guarantee} of {text}");
        }
    }
    // Nothing of the family is left open; others (sessions, staleness) need more than these few operations.
    let open = outcome.judgements.iter().filter(|one| one.verdict == Verdict::Unknown);
    let open: Vec<G> = open.map(|one| one.guarantee).filter(|one| one.families()[0] == Family::Transactions).collect();
    assert!(open.is_empty(), "{text}: {open:?}");
}

/// Goal: what a transaction saw and missed, from the next read to the longest way around.
#[test]
fn seen_and_missed() {
    breaks(
        "ax1 ay1; rx[1] ry[]",
        &[G::MonotonicAtomicView, G::ReadAtomic],
        "non-monotonic-read",
        &[G::CursorStability],
    );
    // The other way round it had not seen anything yet when it missed.
    breaks(
        "ax1 ay1; ry[] rx[1]",
        &[G::ReadAtomic, G::Causal, G::ConsistentView],
        "fractured-read",
        &[G::MonotonicAtomicView, G::MonotonicView, G::MonotonicSnapshotRead, G::ReadCommittedBiswasEnea],
    );
    breaks(
        "0= ax1; 0= rx[]",
        &[G::ReadAtomicBiswasEnea, G::Causal, G::PrefixBiswasEnea],
        "fractured-read-process",
        &[G::ReadAtomic, G::CausalCerone, G::Prefix, G::ReadCommittedBiswasEnea, G::Serializable],
    );
    breaks(
        "ax1; rx[1] ay1; rx[] ry[1]",
        &[G::CausalCerone, G::Causal, G::Prefix],
        "causality-violation",
        &[G::ReadAtomic, G::ReadAtomicBiswasEnea, G::UpdateAtomic, G::MonotonicView, G::MonotonicSnapshotRead],
    );
    breaks(
        "0= ax1; 0= ay1; rx[] ry[1]",
        &[G::Causal, G::PrefixBiswasEnea],
        "causality-violation-process",
        &[G::CausalCerone, G::ReadAtomicBiswasEnea, G::Serializable],
    );
}

/// Goal: a read that ends with own appends shows the version below them: no commit order has a prefix that explains it.
#[test]
fn own_appends_stand_on_a_version() {
    breaks(
        "ax1 ay1; ax2 ry[] rx[1 2]",
        &[G::ReadAtomic, G::Prefix, G::UpdateAtomic],
        "fractured-read",
        &[G::MonotonicAtomicView, G::CursorStability],
    );
}

/// Goal: an own append stays seen, however often the transaction reads after it.
#[test]
fn own_appends_stay_seen() {
    breaks(
        "ax1; ax2 rx[1 2] rx[1]",
        &[G::ReadCommittedBiswasEnea, G::ReadAtomic],
        "internal",
        &[G::ReadCommitted, G::MonotonicAtomicView],
    );
}

/// Goal: commits seen in two orders (long fork), and a chain of writes seen without its beginning.
#[test]
fn prefixes() {
    breaks(
        "ax1; ay1; rx[1] ry[]; rx[] ry[1]",
        &[G::Prefix, G::SnapshotIsolation],
        "non-prefix-read",
        &[G::ParallelSnapshotIsolation, G::Causal, G::UpdateSerializable, G::ConsistentView, G::ForwardConsistentView],
    );
    // k's order says that the first came before the second, which is seen; causality does not know of it.
    breaks(
        "ax1 ak1; ak2 ay1; ry[1] rx[]; rk[1 2]",
        &[G::Prefix, G::ConsistentView, G::ParallelSnapshotIsolation],
        "non-prefix-read",
        &[G::Causal, G::UpdateAtomic, G::CursorStability],
    );
}

/// Goal: writers of one key that don't know of each other, with and without an order that somebody saw.
#[test]
fn conflicts() {
    breaks(
        "ax1 ak1; rx[] ak2; rk[1 2]",
        &[G::UpdateAtomic, G::ParallelSnapshotIsolation],
        "unseen-conflict",
        &[G::CursorStability, G::Causal, G::Prefix],
    );
    breaks("ax1; rx[] ax2; rx[1 2]", &[G::CursorStability, G::UpdateAtomic], "G-cursor", &[G::Causal, G::Prefix]);
    // Nobody read k: whichever came first, the other missed its a or b.
    breaks(
        "ra[] ab1 ak1; rb[] aa1 ak2",
        &[G::UpdateAtomic, G::ParallelSnapshotIsolation],
        "unseen-conflict",
        &[G::CursorStability, G::Causal, G::Prefix],
    );
    // Two that read the same version and append to it unseen: neither can come first.
    breaks("ax1; rx[1] ax2; rx[1] ax3", &[G::CursorStability], "lost-update", &[G::Causal, G::Prefix]);
}

/// Goal: Adya's views, and the one of writing transactions.
#[test]
fn views() {
    // What the writer of k's second version depends on is missed after k was overwritten: the view goes back.
    breaks(
        "ax1 ak1; ak2 rx[]; rk[1 2]",
        &[G::MonotonicView, G::ConsistentView],
        "G-monotonic",
        &[G::MonotonicAtomicView, G::MonotonicSnapshotRead, G::Causal],
    );
    breaks(
        "ax1; ay1; rx[1] ry[] rx[1]; ry[1] rx[]",
        &[G::Prefix, G::MonotonicSnapshotRead],
        "G-MSR",
        &[G::MonotonicView, G::ParallelSnapshotIsolation],
    );
    breaks("rx[] ay1; ry[] ax1", &[G::UpdateSerializable], "G-update", &[G::SnapshotIsolation, G::Prefix]);
    // A reader between them is one transaction; two readers (a long fork) are not asked about.
    breaks(
        "rx[] ay1; ax1; rx[1] ry[]",
        &[G::UpdateSerializable],
        "G-update",
        &[G::SnapshotIsolation, G::ParallelSnapshotIsolation],
    );
}

/// Goal: a witness says what was seen, what was missed, and what shows it.
#[test]
fn words() {
    let outcome = judged(&history("ax1; rx[1] ay1; rx[] ry[1]"));
    let finding = outcome.findings.iter().find(|one| one.anomaly.name() == "causality-violation").expect("found");
    let witness = finding.witness.as_ref().expect("a witness");
    let because: Vec<&str> = witness.steps.iter().map(|step| step.because.as_str()).collect();
    assert_eq!(
        because,
        [
            "T2 read key \"x\" as [1] (micro-operation 1 of 2), and its last element is what T1 appended",
            "T3 read key \"y\" as [1] (micro-operation 2 of 2), and its last element is what T2 appended (micro-operation 2 of 2)",
            "T3 read key \"x\" as [] (micro-operation 1 of 2), and after that T1 appended 1 to it, as T2's read [1] \
             (micro-operation 1 of 2) shows",
        ]
    );
    assert_eq!(witness.text, "T3 saw what came of T1's work and missed the work itself: an effect before its cause.");
}
