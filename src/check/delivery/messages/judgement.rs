//! From findings to the verdicts on the four guarantees.

use super::{GUARANTEES, Sums};
use crate::check::delivery::cases::undecided;
use crate::guarantee::Guarantee;
use crate::verdict::Certainty::Certain;
use crate::verdict::{Finding, Judgement, StoppedBy, Verdict};
use crate::workload::delivery::Delivery;

pub(super) fn of(delivery: &Delivery, sums: &Sums, findings: &[Finding], stopped: Option<StoppedBy>) -> Vec<Judgement> {
    GUARANTEES.into_iter().map(|guarantee| one(guarantee, delivery, sums, findings, stopped)).collect()
}

fn one(
    guarantee: Guarantee,
    delivery: &Delivery,
    sums: &Sums,
    findings: &[Finding],
    stopped: Option<StoppedBy>,
) -> Judgement {
    let against = || findings.iter().filter(|finding| finding.anomaly.rules_out().contains(&guarantee));
    let (certain, possible): (Vec<&Finding>, Vec<&Finding>) = against().partition(|one| one.certainty == Certain);
    let needs_owed = matches!(guarantee, Guarantee::AtLeastOnce | Guarantee::EffectivelyOnce);
    let vacuous = match guarantee {
        Guarantee::AtMostOnce if delivery.consumes.is_empty() && delivery.effects.is_empty() => {
            Some("nothing was delivered, and no effect is recorded: nothing could refute it")
        }
        Guarantee::OrderedDelivery if sums.comparable == 0 => Some(
            "no two messages of one partition or ordering key were processed with known offsets: nothing could refute it. \
             Give the offset of each message in its publication or its delivery",
        ),
        _ if needs_owed && sums.owed == 0 => {
            Some("no group was delivered anything of a partition that was published to: nothing is owed to anybody")
        }
        _ => None,
    };
    let mut judgement = Judgement::new(guarantee, Verdict::Holds);
    if !certain.is_empty() {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies = certain.iter().map(|finding| finding.anomaly).collect();
    } else if let Some(by) = stopped.filter(|_| needs_owed) {
        judgement.verdict = Verdict::Unknown;
        judgement.stopped_by = Some(by);
        judgement.reason = Some("what is owed to every group was not all looked at".to_owned());
    } else if !possible.is_empty() {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some(undecided(&possible));
    } else if let Some(reason) = vacuous {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some(reason.to_owned());
    }
    let mut put = |name: &str, value: serde_json::Value| _ = judgement.evidence.insert(name.to_owned(), value);
    put("messages", delivery.messages.len().into());
    put("deliveries", delivery.consumes.len().into());
    put("effects", delivery.effects.len().into());
    put("groups", delivery.groups.len().into());
    if guarantee == Guarantee::OrderedDelivery {
        put("ordered", sums.comparable.into());
    } else if needs_owed {
        put("owed", sums.owed.into());
    }
    judgement
}
