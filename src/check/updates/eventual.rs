//! `eventual`: once all updates had returned, every server showed the same, all that was acknowledged is there, and nothing
//! that was removed is; with a bound, every update was visible that long after it. And the time to converge.
//!
//! The reads that count are marked `final` and began after the last acknowledged update of their object had completed; every
//! server that was ever asked needs one of every object (else `unknown`, with the read to add). An update of unknown outcome may
//! come between two of them: a difference that it explains is `unknown` too.
//!
//! Cost: linear in what reads show.

use super::staleness::age;
use super::{Datatype, Difference, Observed, judgement, unknown};
use crate::check::Settings;
use crate::check::staleness::clock::between;
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::Status;
use crate::verdict::{Figures, Finding, Judgement, Outcome, Verdict};
use crate::witness::updates::Says;
use crate::workload::updates::NONE;

/// The final reads of a history.
struct Finals {
    /// Every server that answered; [`NONE`] alone where none is named.
    nodes: Vec<u32>,
    /// By object, in order.
    by_key: Vec<Vec<u32>>,
    /// By object, when its last acknowledged update had completed.
    quiet: Vec<Option<u32>>,
    /// Reads of an object at a server that are marked as final and began too early.
    early: Vec<(usize, u32)>,
}

impl Finals {
    fn of<D: Datatype>(observed: &Observed<'_, D>) -> Finals {
        let mut answered = vec![false; observed.nodes.len()];
        let mut finals = Finals { nodes: Vec::new(), by_key: Vec::new(), quiet: Vec::new(), early: Vec::new() };
        for (number, object) in observed.objects.iter().enumerate() {
            let reads = || (0u32..).take(object.reads()).map(|read| (read, object.read(read)));
            let ok = object.updates().chain(reads().map(|(_, act)| act)).filter(|act| act.status == Status::Ok);
            for act in ok {
                if let Some(answered) = answered.get_mut(act.node as usize) {
                    *answered = true;
                }
            }
            let quiet = object.updates().filter(|act| act.status == Status::Ok).map(|act| act.ended).max();
            let marked = reads().filter(|(read, act)| act.is_final && object.is_whole(*read));
            let (late, early): (Vec<_>, Vec<_>) =
                marked.partition(|(_, act)| quiet.is_none_or(|quiet| quiet < act.began));
            finals.by_key.push(late.into_iter().map(|(read, _)| read).collect());
            finals.early.extend(early.into_iter().map(|(_, act)| (number, act.node)));
            finals.quiet.push(quiet);
        }
        finals.nodes = (0u32..).zip(&answered).filter(|(_, answered)| **answered).map(|(node, _)| node).collect();
        if finals.nodes.is_empty() {
            finals.nodes.push(NONE);
        }
        finals
    }

    /// The servers that have no final read of an object.
    fn lacks<'a, D: Datatype>(&'a self, object: &D, key: usize) -> impl Iterator<Item = u32> + 'a {
        let mut has: Vec<u32> = self.by_key[key].iter().map(|read| object.read(*read).node).collect();
        has.sort_unstable();
        self.nodes.iter().copied().filter(move |node| has.binary_search(node).is_err())
    }
}

pub(super) fn judge<D: Datatype>(observed: &Observed<'_, D>, settings: &Settings<'_>) -> Outcome {
    let required: Vec<_> = settings.requirements.iter().filter(|one| one.guarantee == Guarantee::Eventual).collect();
    let finals = Finals::of(observed);
    let marked = finals.by_key.iter().any(|reads| !reads.is_empty()) || !finals.early.is_empty();
    if !marked && required.is_empty() {
        return Outcome::default();
    }
    let mut verdict = judgement(observed, Guarantee::Eventual);
    let mut outcome = Outcome::default();
    let (faults, mut doubts) = faults(observed, &finals);
    for anomaly in [Anomaly::G1a, Anomaly::Divergence, Anomaly::LostWrite, Anomaly::Resurrection] {
        let some: Vec<_> = faults
            .iter()
            .filter(|fault| fault.0 == anomaly)
            .map(|(_, key, read, fault)| (*key, *read, fault))
            .collect();
        let finding = observed.finding(anomaly, &some, vec![Guarantee::Eventual], Says::InTheEnd);
        verdict.anomalies.extend(finding.iter().map(|finding| finding.anomaly));
        outcome.findings.extend(finding);
    }
    let bound = required.iter().filter_map(|one| one.policy().ok()?.duration_ns("within")).min();
    if let Some(bound) = bound {
        match overdue(observed, bound) {
            Ok(finding) => {
                verdict.anomalies.extend(finding.iter().map(|finding| finding.anomaly));
                outcome.findings.extend(finding);
            }
            Err(why) => doubts.push(why),
        }
    }
    verdict.anomalies.sort_by_key(|anomaly| anomaly.severity());
    conclude(observed, &finals, &mut verdict, doubts);
    outcome.judgements.push(verdict);
    outcome.measures.extend(convergence(observed, &finals).map(|figures| ("convergence".to_owned(), figures.into())));
    outcome
}

type Faults<F> = Vec<(Anomaly, usize, u32, F)>;

/// What is certainly wrong in the end, and what nobody can tell.
fn faults<D: Datatype>(observed: &Observed<'_, D>, finals: &Finals) -> (Faults<D::Fault>, Vec<String>) {
    let (mut faults, mut doubts) = (Vec::new(), Vec::new());
    for (key, object) in observed.objects.iter().enumerate() {
        let reads = &finals.by_key[key];
        let aborted = observed.unexplained[key].iter().filter(|one| one.anomaly == Anomaly::G1a);
        let aborted = aborted.filter(|one| object.read(one.read).is_final && object.is_whole(one.read));
        faults.extend(aborted.map(|one| (Anomaly::G1a, key, one.read, one.fault.clone())));
        match object.difference(reads) {
            Some(Difference::Certain(fault)) => {
                faults.push((Anomaly::Divergence, key, reads.first().copied().unwrap_or(0), fault));
            }
            Some(Difference::Possible(a, b)) => {
                let positions = [a, b].map(|read| observed.history.op(object.read(read).op).position());
                doubts.push(format!(
                    "the final reads{} differ (records {} and {}), and an update whose outcome nobody knows may have taken effect \
                     between them: read again later, or learn what became of it",
                    observed.of_key(key),
                    positions[0],
                    positions[1]
                ));
            }
            None => {
                let fault = reads.iter().find_map(|read| Some((*read, object.in_the_end(*read)?)));
                faults.extend(fault.map(|(read, (anomaly, fault))| (anomaly, key, read, fault)));
            }
        }
    }
    (faults, doubts)
}

/// The read that missed an update for longest, beyond a bound.
fn overdue<D: Datatype>(observed: &Observed<'_, D>, bound: i64) -> Result<Option<Finding>, String> {
    if observed.clock.is_none() {
        return Err("no record has a `time`, so nobody knows what was visible within the bound".to_owned());
    }
    let untimely = observed.untimely.as_ref().map_err(|by| super::stopped(*by))?;
    let all = untimely.iter().enumerate().flat_map(|(key, some)| some.iter().map(move |one| (key, one)));
    let late: Vec<_> = all
        .filter_map(|(key, one)| Some((age(observed, key, one)?, key, one)))
        .filter(|(age, ..)| *age > bound)
        .collect();
    let Some((age, key, one)) = late.iter().rev().max_by_key(|(age, ..)| *age) else { return Ok(None) };
    let says = Says::Overdue { age_ns: *age, within_ns: bound };
    Ok(observed
        .finding(Anomaly::OverdueVisibility, &[(*key, one.read, &one.fault)], vec![Guarantee::Eventual], says)
        .map(|finding| Finding { count: late.len() as u64, ..finding }))
}

fn conclude<D: Datatype>(
    observed: &Observed<'_, D>,
    finals: &Finals,
    judgement: &mut Judgement,
    mut doubts: Vec<String>,
) {
    let mut put = |name: &str, value: usize| _ = judgement.evidence.insert(name.to_owned(), value.into());
    put("final_reads", finals.by_key.iter().map(Vec::len).sum());
    put("nodes", finals.nodes.iter().filter(|node| **node != NONE).count());
    if !judgement.anomalies.is_empty() {
        judgement.verdict = Verdict::Violated;
        return;
    }
    // The missing premise first: it is what can be helped.
    doubts.splice(0..0, missing(observed, finals));
    let written = |key: usize| !finals.by_key[key].is_empty() && finals.quiet[key].is_some();
    if doubts.is_empty() && !(0..observed.objects.len()).any(written) {
        doubts.push("nothing was updated and read after that: nothing could have diverged".to_owned());
    }
    if let Some(first) = doubts.first() {
        let more =
            if doubts.len() > 1 { format!(" ({} more reasons of this kind)", doubts.len() - 1) } else { String::new() };
        unknown(judgement, format!("{first}{more}"), None);
    }
}

/// Which read to add.
fn missing<D: Datatype>(observed: &Observed<'_, D>, finals: &Finals) -> Option<String> {
    let all = observed.objects.iter().enumerate();
    let mut all = all.flat_map(|(key, object)| finals.lacks(object, key).map(move |node| (key, node)));
    let (key, node) = all.next()?;
    let more = match all.count() {
        0 => String::new(),
        more => format!(", and {more} more like it"),
    };
    let of = observed.of_key(key);
    let at =
        observed.nodes.get(node as usize).map_or_else(String::new, |node| format!(" at node {}", observed.name(*node)));
    Some(if finals.early.contains(&(key, node)) {
        format!(
            "the `final` read{of}{at} began before the last update had completed{more}: wait until all updates have returned \
             before the final reads"
        )
    } else {
        format!(
            "there is no `final` read{of}{at}{more}: after the last update, read everything at every node, in records with \
             \"final\": true"
        )
    })
}

/// `measures.convergence`: from the last acknowledged update until the last read that showed something else began (`time_ns`: it
/// had not converged by then), and until the first read after that had ended (`within_ns`: it had by then).
fn convergence<D: Datatype>(observed: &Observed<'_, D>, finals: &Finals) -> Option<Figures> {
    let clock = observed.clock.as_ref()?;
    let (mut converged, mut diverged, mut most) = (0u64, 0u64, [0i64; 2]);
    for (key, object) in observed.objects.iter().enumerate() {
        let reads = &finals.by_key[key];
        let Some(first) = reads.first().copied() else { continue };
        if reads.iter().any(|read| !object.same(first, *read)) {
            diverged += 1;
            continue;
        }
        converged += 1;
        let Some(quiet) = finals.quiet[key] else { continue };
        // By server: how long it had not converged, and when the first read after that ended.
        let mut nodes: Vec<(i64, Option<u32>)> = vec![(0, None); observed.nodes.len() + 1];
        for read in (0u32..).take(object.reads()).filter(|read| object.is_whole(*read)) {
            let act = object.read(read);
            let slot = &mut nodes[(act.node as usize).min(observed.nodes.len())];
            if object.same(first, read) {
                slot.1 = Some(slot.1.map_or(act.ended, |end| end.min(act.ended)));
            } else {
                let invoked = observed.history.op(act.op).invoked().is_some();
                let since = between(clock.end(quiet + 1), clock.begin(act.began + 1, invoked));
                *slot = (if act.began > quiet { since } else { 0 }, None);
            }
        }
        for (time_ns, end) in nodes {
            let Some(end) = end else { continue };
            let within = if end > quiet { between(clock.end(quiet + 1), clock.end(end + 1)) } else { 0 };
            most = [most[0].max(time_ns), most[1].max(within.max(time_ns))];
        }
    }
    if converged + diverged == 0 {
        return None;
    }
    let mut figures = Figures::new();
    for (name, time) in ["time_ns", "within_ns"].into_iter().zip(most) {
        figures.insert(name.to_owned(), if diverged == 0 { time.into() } else { serde_json::Value::Null });
    }
    figures.insert("converged_keys".to_owned(), converged.into());
    figures.insert("diverged_keys".to_owned(), diverged.into());
    Some(figures)
}
