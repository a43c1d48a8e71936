//! `eventual`: once writing has stopped, every server comes to show the same values, and these are what was written.
//!
//! On a finite history that can be judged only where its premise is on record: a `final` read of every key at every server
//! that did anything (a server that only took writes holds data too), begun after the key's last write had completed. Then, key by key: the final reads agree (`finals`); what they
//! show was written and not overwritten, so that nothing acknowledged is lost and nothing replaced is back; and no read shows
//! what nobody wrote. With `within`, a write also has to be visible to every read that began that long after it was acknowledged
//! (`visibility`). How long it took is a figure (`convergence`). `strong-eventual` compares reads that say what they had
//! seen (`strong`).
//!
//! A write of unknown outcome may take effect at any time, between two final reads too. Where one could explain why two of them
//! differ, the verdict is `unknown`; where none could, they have diverged.
//!
//! Source: Burckhardt, Principles of Eventual Consistency (2014); Shapiro et al. 2011. Cost: linear in the reads.

mod convergence;
mod datatype;
mod explain;
mod finals;
mod strong;
mod visibility;

pub(in crate::check) use self::datatype::{Datatype, Lists, Registers};
use self::finals::{Fault, Finals, Missing};
use super::Settings;
use super::staleness::Observed;
use super::staleness::key::{KeyHistory, NONE};
use crate::certificate;
use crate::contract::Requirement;
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::Status;
use crate::verdict::{Certainty, Finding, Judgement, Outcome, Verdict};
use crate::witness::Witness;

/// Judges `eventual`, and `strong-eventual` where it is required, and measures the time to converge.
pub(in crate::check) fn judge(observed: &Observed<'_>, datatype: &dyn Datatype, settings: &Settings<'_>) -> Outcome {
    let required = |guarantee| settings.requirements.iter().filter(move |one| one.guarantee == guarantee);
    let is_strong = required(Guarantee::StrongEventual).next().is_some();
    let is_required = is_strong || required(Guarantee::Eventual).next().is_some();
    let marked = observed.accesses.has_final_reads();
    if !marked && !is_required {
        return Outcome::default();
    }
    let finals = Finals::collect(observed);
    let mut found = Found::default();
    let mut doubts: Vec<String> = Vec::new();
    for key in 0..observed.keys.len() {
        let fault = finals.fault(observed, datatype, key);
        match fault {
            None => {}
            Some(Fault::Doubt(reason)) => doubts.push(reason),
            Some(Fault::Certain { anomaly, first, second }) => found.add(observed, anomaly, key, first, second),
        }
    }
    let bounds = required(Guarantee::Eventual).chain(required(Guarantee::StrongEventual)).filter_map(within);
    let mut overdue = None;
    if let Some(bound) = bounds.min() {
        match &observed.clock {
            Some(clock) => overdue = visibility::overdue(observed, clock, bound),
            None => doubts.push("no record has a `time`, so nobody knows what was visible within the bound".to_owned()),
        }
    }
    let judgement = judgement(observed, &finals, &found, overdue.is_some(), doubts);
    let mut outcome = Outcome { findings: found.findings(observed), ..Outcome::default() };
    outcome.findings.extend(overdue.map(|overdue| Finding {
        anomaly: Anomaly::OverdueVisibility,
        certainty: Certainty::Certain,
        count: overdue.count,
        rules_out: vec![Guarantee::Eventual],
        witness: Some(explain::overdue(observed, &overdue)),
    }));
    if is_strong {
        let (strong, finding) = strong::judge(observed, datatype, &judgement);
        outcome.judgements.push(strong);
        outcome.findings.extend(finding);
    }
    outcome.judgements.insert(0, judgement);
    if let Some(figures) = convergence::measures(observed, datatype, &finals) {
        outcome.measures.insert("convergence".to_owned(), figures.into());
    }
    outcome
}

/// For a certificate: of each key, the write of what its final reads show, and the bound that is required.
pub(in crate::check) fn evidence(observed: &Observed<'_>, settings: &Settings<'_>) -> certificate::Convergence {
    let finals = Finals::collect(observed);
    let write = |(number, key): (usize, &KeyHistory)| {
        let last = finals.of_key(number).first()?;
        let row = key.seen(&key.reads[last.read as usize]).row;
        (row != NONE).then(|| observed.accesses.operation(row).position())
    };
    let required = settings.requirements.iter();
    let required = required.filter(|one| [Guarantee::Eventual, Guarantee::StrongEventual].contains(&one.guarantee));
    certificate::Convergence {
        times: certificate::times(observed.accesses.history),
        within_ns: required.filter_map(within).min(),
        writes: observed.keys.iter().enumerate().map(write).collect(),
    }
}

/// For a certificate: beside that, which reads had seen the same.
pub(in crate::check) fn agreement(observed: &Observed<'_>, settings: &Settings<'_>) -> certificate::Agreement {
    certificate::Agreement { end: evidence(observed, settings), groups: strong::groups(observed) }
}

fn within(requirement: &Requirement) -> Option<i64> {
    requirement.policy().ok()?.duration_ns("within")
}

/// What is certain, the first of each kind.
#[derive(Default)]
struct Found {
    faults: Vec<(Anomaly, u64, usize, u32, u32)>,
}

impl Found {
    fn add(&mut self, observed: &Observed<'_>, anomaly: Anomaly, key: usize, first: u32, second: u32) {
        let distance =
            |key: usize, second: u32| observed.keys[key].reads.get(second as usize).map_or(0, |read| read.began);
        match self.faults.iter_mut().find(|fault| fault.0 == anomaly) {
            None => self.faults.push((anomaly, 1, key, first, second)),
            Some(known) => {
                known.1 += 1;
                if distance(key, second) < distance(known.2, known.4) {
                    (known.2, known.3, known.4) = (key, first, second);
                }
            }
        }
    }

    fn findings(&self, observed: &Observed<'_>) -> Vec<Finding> {
        let finding = |(anomaly, count, key, first, second): &(Anomaly, u64, usize, u32, u32)| {
            let witness: Witness = match anomaly {
                Anomaly::Divergence => explain::divergence(observed, *key, *first, *second),
                Anomaly::G1a => explain::aborted(observed, *first),
                _ => explain::lost(observed, *anomaly, *key, *first, *second),
            };
            Finding {
                anomaly: *anomaly,
                certainty: Certainty::Certain,
                count: *count,
                rules_out: vec![Guarantee::Eventual],
                witness: Some(witness),
            }
        };
        self.faults.iter().map(finding).collect()
    }
}

fn judgement(
    observed: &Observed<'_>,
    finals: &Finals,
    found: &Found,
    overdue: bool,
    mut doubts: Vec<String>,
) -> Judgement {
    let mut judgement = Judgement::new(Guarantee::Eventual, Verdict::Holds);
    judgement.anomalies = found.faults.iter().map(|fault| fault.0).collect();
    judgement.anomalies.extend(overdue.then_some(Anomaly::OverdueVisibility));
    if observed.thin_air {
        judgement.anomalies.push(Anomaly::ThinAirRead);
    }
    judgement.anomalies.sort_by_key(|anomaly| anomaly.severity());
    let mut put = |name: &str, value: u64| _ = judgement.evidence.insert(name.to_owned(), value.into());
    put("final_reads", finals.count());
    put("keys", observed.keys.len() as u64);
    put("nodes", finals.nodes.iter().filter(|node| **node != NONE).count() as u64);
    put("converged_keys", finals.converged(observed));
    if !judgement.anomalies.is_empty() {
        judgement.verdict = Verdict::Violated;
        return judgement;
    }
    // The missing premise first: it is what can be helped.
    doubts.splice(0..0, finals.missing(observed).map(|missing| missing_premise(observed, &missing)));
    let written = |key: &usize| {
        let counts = |row: u32| row != NONE && observed.accesses.status(row as usize) == Status::Ok;
        !finals.of_key(*key).is_empty() && observed.keys[*key].writes.iter().any(|write| counts(write.row))
    };
    if doubts.is_empty() && !(0..observed.keys.len()).any(|key| written(&key)) {
        doubts.push("no key was written and read after that: nothing could have diverged".to_owned());
    }
    if let Some(first) = doubts.first() {
        judgement.verdict = Verdict::Unknown;
        let more =
            if doubts.len() > 1 { format!(" ({} more reasons of this kind)", doubts.len() - 1) } else { String::new() };
        judgement.reason = Some(format!("{first}{more}"));
    }
    judgement
}

/// Which read to add.
fn missing_premise(observed: &Observed<'_>, missing: &Missing) -> String {
    let accesses = observed.accesses;
    let node = match accesses.nodes.get(missing.node as usize) {
        Some(node) => format!(" at node {}", observed.name(*node)),
        None => String::new(),
    };
    let key = accesses.keys[missing.key];
    let of = if key.is_absent() { String::new() } else { format!(" of key {}", observed.name(key)) };
    let more = match missing.more {
        0 => String::new(),
        more => format!(", and {more} more like it"),
    };
    match missing.early {
        true => format!(
            "the `final` read{of}{node} began before the key's last write had completed{more}: wait until all writes have \
             returned before the final reads"
        ),
        false => format!(
            "there is no `final` read{of}{node}{more}: after the last write, read every key at every node, in records with \
             \"final\": true"
        ),
    }
}
