//! `linearizable`: each object has an order of its operations that explains every read and contains real time.
//!
//! A read that is untimely refutes it by itself; where none is, the data type decides.

use rayon::prelude::*;

use super::{Datatype, Observed, Order, judgement, stopped, unknown};
use crate::check::Settings;
use crate::guarantee::{Anomaly, Guarantee};
use crate::verdict::{Outcome, Verdict};
use crate::witness::updates::Says;

pub(super) fn judge<D: Datatype>(observed: &Observed<'_, D>, settings: &Settings<'_>) -> Outcome {
    let mut judgement = judgement(observed, Guarantee::Linearizable);
    let mut outcome = Outcome::default();
    let untimely = match &observed.untimely {
        Ok(untimely) => untimely,
        Err(by) => {
            unknown(&mut judgement, stopped(*by), Some(*by));
            outcome.judgements.push(judgement);
            return outcome;
        }
    };
    let early: Vec<_> = untimely
        .iter()
        .enumerate()
        .flat_map(|(key, some)| some.iter().filter(|one| one.since.is_none()).map(move |one| (key, one)))
        .map(|(key, one)| (key, one.read, &one.fault))
        .collect();
    if untimely.iter().flatten().any(|one| one.since.is_some()) {
        // Staleness tells of it.
        judgement.anomalies.push(Anomaly::StaleRead);
    }
    let rules_out = || vec![Guarantee::Linearizable];
    outcome.findings.extend(observed.finding(Anomaly::NonLinearizable, &early, rules_out(), Says::Unexplained));
    if outcome.findings.is_empty() && judgement.anomalies.is_empty() {
        let decide = |object: &D| object.order(&mut settings.budget.meter());
        let orders: Vec<Order<D::Fault>> = observed.objects.par_iter().map(decide).collect();
        let none: Vec<_> = orders
            .iter()
            .enumerate()
            .filter_map(|(key, order)| match order {
                Order::None(fault) => Some((key, fault)),
                Order::Found | Order::Unknown(..) => None,
            })
            .collect();
        if let Some((key, fault)) = none.first() {
            let witness = observed.witness(Anomaly::NonLinearizable, *key, fault, Says::Unexplained);
            outcome.findings.push(crate::verdict::Finding {
                anomaly: Anomaly::NonLinearizable,
                certainty: crate::verdict::Certainty::Certain,
                count: none.len() as u64,
                rules_out: rules_out(),
                witness: Some(witness),
            });
        } else if let Some((reason, by)) = orders.into_iter().find_map(|order| match order {
            Order::Unknown(reason, by) => Some((reason, by)),
            Order::Found | Order::None(_) => None,
        }) {
            unknown(&mut judgement, reason, by);
        }
    }
    if !outcome.findings.is_empty() {
        judgement.anomalies.push(Anomaly::NonLinearizable);
    }
    judgement.anomalies.sort_by_key(|anomaly| anomaly.severity());
    if !judgement.anomalies.is_empty() {
        judgement.verdict = Verdict::Violated;
    } else if observed.reads() == 0 {
        unknown(&mut judgement, "nothing was read: nothing could have shown a violation".to_owned(), None);
    }
    outcome.judgements.push(judgement);
    outcome
}
