//! Checks: observations to findings, a folder for each family of guarantees.

pub mod delivery;
pub mod lattice;
pub mod objects;
pub mod transactions;

use crate::budget::Budget;
use crate::contract::Requirement;
use crate::guarantee::{Family, Guarantee};
use crate::history::History;
use crate::verdict::{Judgement, Outcome, Verdict};
use crate::workload::{Workload, WorkloadError};

/// What a check is told beside the history.
#[derive(Debug)]
pub struct Settings<'a> {
    /// What is required.
    pub requirements: &'a [Requirement],
    /// The limits of this run.
    pub budget: &'a Budget,
}

/// Judges every guarantee of the families that this workload can show or refute, and every one that is required.
///
/// # Errors
/// A record that is not of the workload's vocabulary.
pub fn judge(history: &History, workload: Workload, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    let mut outcome = match workload {
        Workload::Register => objects::judge(history, settings)?,
        Workload::ListAppend => transactions::list_append::judge(history, settings)?,
        Workload::Idempotency => delivery::idempotency::judge(history, settings)?,
        _ => {
            return Err(WorkloadError {
                position: None,
                message: format!("this version can't judge {} histories", workload.name()),
                help: "it judges list-append, register and idempotency histories".to_owned(),
            });
        }
    };
    let members = members(workload);
    outcome.judgements = lattice::close(&members, outcome.judgements, &outcome.findings);
    for requirement in settings.requirements {
        let guarantee = requirement.guarantee;
        if !outcome.judgements.iter().any(|judgement| judgement.guarantee == guarantee) {
            let mut judgement = Judgement::new(guarantee, Verdict::NotApplicable);
            judgement.reason = Some(format!("a {} history can neither show nor refute {guarantee}", workload.name()));
            outcome.judgements.push(judgement);
        }
    }
    Ok(outcome)
}

/// The guarantees that a history of this workload can show or refute.
fn members(workload: Workload) -> Vec<Guarantee> {
    let family = match workload {
        Workload::ListAppend | Workload::RwRegister => Family::Transactions,
        Workload::Register | Workload::Kv => Family::Objects,
        Workload::Delivery => {
            use Guarantee::{AtLeastOnce, AtMostOnce, EffectivelyOnce, OrderedDelivery};
            return vec![AtLeastOnce, AtMostOnce, EffectivelyOnce, OrderedDelivery];
        }
        Workload::Idempotency | Workload::Outbox | Workload::Saga | Workload::Reconciliation => {
            return vec![workload.customary()];
        }
    };
    family.members().collect()
}
