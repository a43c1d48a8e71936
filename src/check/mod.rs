//! Checks: observations to findings, a folder for each family of guarantees.

pub mod delivery;
pub mod lattice;
pub mod objects;

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
    let (families, mut outcome): (&[Family], Outcome) = match workload {
        Workload::Register => (&[Family::Objects], objects::judge(history, settings)?),
        _ => {
            return Err(WorkloadError {
                position: None,
                message: format!("this version can't judge {} histories", workload.name()),
                help: "it judges register and list-append".to_owned(),
            });
        }
    };
    let members: Vec<Guarantee> =
        Guarantee::ALL.iter().copied().filter(|one| one.families().iter().any(|f| families.contains(f))).collect();
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
