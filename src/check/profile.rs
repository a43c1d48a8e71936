//! What a history of reads and writes shows beside its own family: how stale reads are, and whether the servers come to agree. One
//! look at the accesses serves all.

use super::Settings;
use super::eventual::{self, Datatype};
use super::staleness::{self, Observed};
use crate::guarantee::{Anomaly, Guarantee};
use crate::verdict::{Certainty, Finding, Judgement, Outcome, Verdict};
use crate::workload::accesses::Accesses;

/// Adds these to what was judged so far.
pub(super) fn extend(accesses: &Accesses<'_>, datatype: &dyn Datatype, settings: &Settings<'_>, outcome: &mut Outcome) {
    let mut meter = settings.budget.meter();
    if let Err(by) = meter.hold(demand(accesses)) {
        // What is not required is left out, and what is required is unknown.
        let left = [Guarantee::BoundedStaleness, Guarantee::Eventual, Guarantee::StrongEventual];
        let required = |guarantee: &Guarantee| settings.requirements.iter().any(|one| one.guarantee == *guarantee);
        outcome.judgements.extend(left.into_iter().filter(required).map(|guarantee| {
            let mut judgement = Judgement::new(guarantee, Verdict::Unknown);
            judgement.reason = Some("what each key's reads saw was not put together".to_owned());
            judgement.stopped_by = Some(by);
            judgement
        }));
        return;
    }
    let thin_air =
        |finding: &Finding| finding.anomaly == Anomaly::ThinAirRead && finding.certainty == Certainty::Certain;
    let thin_air = outcome.findings.iter().any(thin_air);
    let observed = Observed::new(accesses, !datatype.values_return(), thin_air);
    let is_linearizable = outcome
        .judgements
        .iter()
        .any(|judgement| judgement.verdict == Verdict::Holds && judgement.guarantee.entails(Guarantee::Linearizable));
    let mut more = vec![staleness::judge(&observed, settings, is_linearizable)];
    more.push(eventual::judge(&observed, datatype, settings));
    for part in more {
        outcome.judgements.extend(part.judgements);
        outcome.findings.extend(part.findings);
        outcome.measures.extend(part.measures);
    }
    outcome.findings.sort_by_key(|finding| finding.anomaly);
}

/// How many bytes this takes, about.
pub(super) fn demand(accesses: &Accesses<'_>) -> u64 {
    const ACCESS: u64 = 80;
    const RECORD: u64 = 16;
    accesses.len() as u64 * ACCESS + u64::from(accesses.history.records()) * RECORD
}
