//! Checks: observations to findings, a folder for each family of guarantees.

mod certify;
mod deeds;
pub mod delivery;
mod eventual;
pub mod lattice;
pub mod objects;
mod passes;
mod profile;
mod revisions;
mod sessions;
mod staleness;
pub mod transactions;
mod updates;
pub mod use_cases;

pub use certify::{Pass, certify, certify_all};

use crate::budget::Budget;
use crate::contract::Requirement;
use crate::guarantee::{Family, Guarantee};
use crate::history::History;
use crate::verdict::{Judgement, Outcome, Verdict};
use crate::workload::accesses::{Accesses, overtaken};
use crate::workload::register::Register;
use crate::workload::{Workload, WorkloadError, kv};

/// What a check is told beside the history.
#[derive(Debug)]
pub struct Settings<'a> {
    /// What is required. Where these say different things about one table of parameters, [`use_cases::judge_all`] judges each
    /// by its own; [`judge`] takes what comes later.
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
        Workload::Register => {
            let register = Register::from_history(history)?;
            let mut outcome = objects::judge_registers(history, &register, settings);
            let accesses = by_revision(history, &register, &mut outcome);
            observe(accesses, &eventual::Registers, settings, &mut outcome);
            outcome
        }
        Workload::Kv => {
            let mut outcome = objects::judge_kv(history, settings)?;
            // Without appends, a key's string is a register's value; what an append left, its own record doesn't say.
            if !kv::appends(history) {
                let register = kv::from_history(history)?;
                let accesses = Accesses::of_registers(history, &register);
                observe(accesses, &eventual::Registers, settings, &mut outcome);
            }
            outcome
        }
        Workload::Set => updates::judge_sets(history, settings)?,
        Workload::Counter => updates::judge_counters(history, settings)?,
        Workload::ListAppend => {
            let (mut outcome, typed) = transactions::list_append::judge_and_keep(history, settings)?;
            if let Some(typed) = typed {
                let accesses = Accesses::of_lists(&typed);
                drop(typed);
                observe(accesses, &eventual::Lists, settings, &mut outcome);
            }
            outcome
        }
        Workload::Idempotency => delivery::idempotency::judge(history, settings)?,
        Workload::Delivery => delivery::messages::judge(history, settings)?,
        Workload::Outbox => delivery::outbox::judge(history, settings)?,
        Workload::Reconciliation => delivery::reconciliation::judge(history, settings)?,
        Workload::Saga => delivery::saga::judge(history, settings)?,
        _ => {
            return Err(WorkloadError {
                position: None,
                message: format!("this version can't judge {} histories", workload.name()),
                help: "it judges list-append, register, kv, set, counter, idempotency, delivery, outbox, saga and reconciliation \
                       histories"
                    .to_owned(),
            });
        }
    };
    let mut members = members(workload, history);
    let required = settings.requirements.iter().map(|requirement| requirement.guarantee);
    members.extend(required.filter(|guarantee| is_answerable(workload, *guarantee)));
    outcome.judgements = lattice::close(&members, outcome.judgements, &outcome.findings);
    lattice::credit(&mut outcome.findings, &outcome.judgements);
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

/// The accesses of registers; in the order of the server's own revisions where records name them. Where values alone have a legal order
/// that contains session order, that one counts, and a finding says where what servers say is another one.
fn by_revision<'h>(history: &'h History, register: &Register, outcome: &mut Outcome) -> Accesses<'h> {
    if !history.has_versions() {
        return Accesses::of_registers(history, register);
    }
    let (accesses, mut conflicts) = Accesses::of_registers_by_revision(history, register);
    let implied = sessions::is_implied(outcome);
    if implied {
        conflicts.extend(overtaken(&accesses));
    }
    outcome.findings.extend(revisions::finding(&accesses, &conflicts));
    if implied { Accesses::of_registers(history, register) } else { accesses }
}

/// Judges what reads and writes show beside their own family: staleness and convergence, and then sessions. The order in which
/// sessions are looked at needs nothing of the former, so that both are made at once, where memory is no question.
fn observe(accesses: Accesses<'_>, datatype: &dyn eventual::Datatype, settings: &Settings<'_>, outcome: &mut Outcome) {
    let both = profile::demand(&accesses) + sessions::likely::demand(&accesses);
    let at_once = settings.budget.has_room(2 * both) && sessions::are_asked(&accesses, settings, outcome);
    let ((), order) = rayon::join(
        || profile::extend(&accesses, datatype, settings, outcome),
        || at_once.then(|| sessions::likely::order(&accesses)),
    );
    sessions::judge(accesses, order, settings, outcome);
}

/// Requirements in the groups that one judgement can answer: see [`Settings::requirements`].
#[must_use]
pub fn passes(requirements: &[Requirement]) -> Vec<Vec<Requirement>> {
    passes::Passes::of(requirements).requirements
}

/// Whether a history of this workload could show or refute a guarantee, by a check of its own or by what implies it.
fn is_answerable(workload: Workload, guarantee: Guarantee) -> bool {
    let families: &[Family] = match workload {
        Workload::ListAppend | Workload::RwRegister => {
            &[Family::Transactions, Family::Objects, Family::Sessions, Family::Staleness, Family::Eventual]
        }
        Workload::Register | Workload::Kv | Workload::Set | Workload::Counter => {
            &[Family::Objects, Family::Sessions, Family::Staleness, Family::Eventual]
        }
        Workload::Idempotency | Workload::Delivery | Workload::Outbox | Workload::Saga | Workload::Reconciliation => {
            &[]
        }
    };
    guarantee.families().iter().any(|family| families.contains(family))
}

/// The guarantees that a report on a history of this workload speaks of, whatever is required.
fn members(workload: Workload, history: &History) -> Vec<Guarantee> {
    let families = match workload {
        Workload::ListAppend => [Family::Transactions, Family::Sessions],
        Workload::RwRegister => [Family::Transactions; 2],
        Workload::Register | Workload::Set | Workload::Counter => [Family::Objects, Family::Sessions],
        Workload::Kv if !kv::appends(history) => [Family::Objects, Family::Sessions],
        Workload::Kv => [Family::Objects; 2],
        Workload::Delivery => {
            use Guarantee::{AtLeastOnce, AtMostOnce, EffectivelyOnce, OrderedDelivery};
            return vec![AtLeastOnce, AtMostOnce, EffectivelyOnce, OrderedDelivery];
        }
        Workload::Idempotency | Workload::Outbox | Workload::Saga | Workload::Reconciliation => {
            return vec![workload.customary()];
        }
    };
    let by_node = [Guarantee::MonotonicWritesNode, Guarantee::WritesFollowReadsNode];
    let nodes = history.ops().any(|op| !op.node().is_null());
    let spoken_of = |guarantee: &Guarantee| families.iter().any(|family| guarantee.families().contains(family));
    Guarantee::ALL.iter().copied().filter(spoken_of).filter(|guarantee| nodes || !by_node.contains(guarantee)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Options, Source, read};

    /// Goal: what implication reaches is judged when it is required, what no check reaches is unknown, and what such a
    /// history can't show is not applicable. Nothing required passes in silence.
    #[test]
    fn every_requirement_has_a_verdict() {
        let text = r#"{"type":"ok","process":0,"f":"write","value":1}
{"type":"ok","process":0,"f":"read","value":1}"#;
        let history = read(Source::Bytes { name: "test".into(), bytes: text.into() }, &Options::default());
        let history = history.expect("a history");
        let guarantees = [Guarantee::BoundedStaleness, Guarantee::Eventual, Guarantee::Serializable];
        let requirements = guarantees.map(Requirement::new);
        let budget = Budget::default();
        let settings = Settings { requirements: &requirements, budget: &budget };
        let outcome = judge(&history, Workload::Register, &settings).expect("registers");
        let verdicts = guarantees.map(|guarantee| {
            let judgement = outcome.judgements.iter().find(|judgement| judgement.guarantee == guarantee);
            judgement.expect("a judgement").verdict
        });
        assert_eq!(verdicts, [Verdict::Holds, Verdict::Unknown, Verdict::NotApplicable]);
    }
}
