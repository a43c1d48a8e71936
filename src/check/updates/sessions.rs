//! `read-your-writes` and `monotonic-reads`: which of its own updates, and of what it has seen, a session's reads show.
//!
//! Updates of sets and counters commute, so no order of them explains that a read lacks one which has to be visible: each session
//! is judged by its own reads alone. The other guarantees of sessions speak of the order of updates; of these, nothing is decided
//! here but what follows from linearizability, and from reads that nothing explains.

use super::{Datatype, Observed, Own, judgement, unknown};
use crate::guarantee::{Anomaly, Guarantee};
use crate::verdict::{Outcome, Verdict};
use crate::witness::updates::Says;

const COMMUTE: &str =
    "updates commute, so what reads show says little of their order; this version does not look for the rest";

/// Some of what sessions ask.
type Of<F> = fn(&Own<F>) -> &[(u32, F)];

pub(super) fn judge<D: Datatype>(observed: &Observed<'_, D>) -> Outcome {
    let own: Vec<Own<D::Fault>> = observed.objects.iter().map(Datatype::own).collect();
    let mut outcome = Outcome::default();
    let all = |of: Of<D::Fault>| -> Vec<(usize, u32, &D::Fault)> {
        own.iter()
            .enumerate()
            .flat_map(|(key, own)| of(own).iter().map(move |(read, fault)| (key, *read, fault)))
            .collect()
    };
    let future = all(|own| &own.future);
    use Guarantee::{MonotonicReads, MonotonicWrites, ReadYourWrites, Session};
    let rules_out = vec![ReadYourWrites, MonotonicReads, MonotonicWrites, Session];
    let future = observed.finding(Anomaly::FutureReadProcess, &future, rules_out, Says::Unexplained);
    let rows: [(_, _, Of<D::Fault>, _); 2] = [
        (
            ReadYourWrites,
            Anomaly::MissingYourWrites,
            |own| &own.missing,
            "no session read an object after it had updated it",
        ),
        (MonotonicReads, Anomaly::BackwardRead, |own| &own.backward, "no session read an object twice"),
    ];
    for (at, (guarantee, anomaly, of, vacuous)) in rows.into_iter().enumerate() {
        let mut judgement = judgement(observed, guarantee);
        let faults = all(of);
        let could: u64 = own.iter().map(|own| own.could[at]).sum();
        judgement.evidence.insert("reads_that_could_refute".to_owned(), could.into());
        let finding = observed.finding(anomaly, &faults, vec![guarantee], Says::Unexplained);
        judgement.anomalies.extend(finding.iter().chain(&future).map(|finding| finding.anomaly));
        judgement.anomalies.sort_by_key(|anomaly| anomaly.severity());
        if !judgement.anomalies.is_empty() {
            judgement.verdict = Verdict::Violated;
        } else if let Some(doubt) = own.iter().find_map(|own| own.doubt) {
            unknown(&mut judgement, doubt.to_owned(), None);
        } else if could == 0 {
            unknown(&mut judgement, format!("{vacuous}, so nothing could have refuted it"), None);
        }
        outcome.judgements.push(judgement);
        outcome.findings.extend(finding);
    }
    outcome.findings.extend(future);
    // Said once for each, rather than that there is no algorithm.
    use Guarantee::{
        MonotonicWritesGlobal, MonotonicWritesNode, WritesFollowReads, WritesFollowReadsGlobal, WritesFollowReadsNode,
    };
    let by_node = if observed.nodes.is_empty() { &[][..] } else { &[MonotonicWritesNode, WritesFollowReadsNode] };
    let of_order = [MonotonicWrites, WritesFollowReads, MonotonicWritesGlobal, WritesFollowReadsGlobal];
    for guarantee in of_order.iter().chain(by_node) {
        let mut judgement = judgement(observed, *guarantee);
        unknown(&mut judgement, COMMUTE.to_owned(), None);
        outcome.judgements.push(judgement);
    }
    outcome
}
