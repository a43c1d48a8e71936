//! Certificates of what holds: see [`crate::certificate`].

use super::staleness::Observed;
use super::{Settings, delivery, eventual, objects, sessions, staleness, transactions};
use crate::certificate::{self, Certificate, Claim, Evidence, Ruling, SCHEMA, digest};
use crate::guarantee::{Family, Guarantee};
use crate::history::History;
use crate::verdict::{Judgement, Verdict};
use crate::workload::accesses::Accesses;
use crate::workload::list_append::ListAppend;
use crate::workload::register::Register;
use crate::workload::{Workload, WorkloadError};

/// The certificate of those of the required guarantees that were judged to hold. What there is no evidence for is claimed without;
/// where only a stronger guarantee that holds has evidence, that one is claimed too, and the other follows from it.
///
/// # Errors
/// A record that is not of the workload's vocabulary.
pub fn certify(
    history: &History,
    workload: Workload,
    judgements: &[Judgement],
    settings: &Settings<'_>,
) -> Result<Certificate, WorkloadError> {
    let holds: Vec<Guarantee> =
        judgements.iter().filter(|one| one.verdict == Verdict::Holds).map(|one| one.guarantee).collect();
    let mut claims: Vec<Claim> = Vec::new();
    for guarantee in settings.requirements.iter().map(|requirement| requirement.guarantee) {
        if !holds.contains(&guarantee) || claims.iter().any(|claim| claim.guarantee == guarantee.name()) {
            continue;
        }
        let absent = match own(history, workload, guarantee, &holds, settings)? {
            Some(claim) if claim.evidence != Evidence::Absent => {
                claims.push(claim);
                continue;
            }
            Some(absent) => absent,
            None => {
                let why = format!("this version has no evidence for {guarantee} of {} histories", workload.name());
                Claim::without_evidence(guarantee.name(), why)
            }
        };
        let mut ground = None;
        for stronger in guarantee.stronger().filter(|stronger| holds.contains(stronger)) {
            ground =
                own(history, workload, stronger, &holds, settings)?.filter(|claim| claim.evidence != Evidence::Absent);
            if ground.is_some() {
                break;
            }
        }
        let Some(ground) = ground else {
            claims.push(absent);
            continue;
        };
        let evidence = Evidence::FollowsFrom(ground.guarantee.clone());
        claims.push(Claim { evidence, left_out: Vec::new(), ..absent });
        if !claims.iter().any(|claim| claim.guarantee == ground.guarantee) {
            claims.push(ground);
        }
    }
    Ok(Certificate {
        schema: SCHEMA.to_owned(),
        history: digest(history),
        workload: workload.name().to_owned(),
        claims,
    })
}

/// Evidence of its own for a guarantee that holds, if its family has any.
fn own(
    history: &History,
    workload: Workload,
    guarantee: Guarantee,
    holds: &[Guarantee],
    settings: &Settings<'_>,
) -> Result<Option<Claim>, WorkloadError> {
    Ok(Some(match (workload, guarantee) {
        (Workload::Register, Guarantee::Linearizable) => objects::claim(history, settings)?,
        (Workload::Kv, Guarantee::Linearizable) => objects::claim_of_strings(history, settings)?,
        (Workload::ListAppend, _) if guarantee.families().contains(&Family::Transactions) => {
            return transactions::list_append::claim(history, guarantee, holds, settings);
        }
        (Workload::Register | Workload::ListAppend, _) if guarantee.families().contains(&Family::Sessions) => {
            let find = |accesses: &Accesses<'_>| sessions::arbitrations(accesses, guarantee, settings.budget);
            let found = match workload {
                Workload::Register => find(&Accesses::of_registers(history, &Register::from_history(history)?)),
                // Of transactions, these ask for more than of single reads and writes.
                _ if guarantee.entails(Guarantee::Causal) => return Ok(None),
                _ => find(&Accesses::of_lists(&ListAppend::from_history(history)?)),
            };
            proved(history, workload, guarantee, found.map(Evidence::Arbitrations))
        }
        (Workload::Register | Workload::ListAppend, Guarantee::BoundedStaleness) => {
            let evidence = Evidence::Staleness(staleness::evidence(history, settings));
            proved(history, workload, guarantee, Ok(evidence))
        }
        (Workload::Register | Workload::ListAppend, Guarantee::Eventual | Guarantee::StrongEventual) => {
            let lists = workload == Workload::ListAppend;
            let find = |accesses: &Accesses<'_>| {
                let observed = Observed::new(accesses, lists, false);
                match guarantee {
                    Guarantee::Eventual => Evidence::Convergence(eventual::evidence(&observed, settings)),
                    _ => Evidence::Agreement(eventual::agreement(&observed, settings)),
                }
            };
            let found = match lists {
                false => find(&Accesses::of_registers(history, &Register::from_history(history)?)),
                true => find(&Accesses::of_lists(&ListAppend::from_history(history)?)),
            };
            proved(history, workload, guarantee, Ok(found))
        }
        _ => return delivery::accounts::claim(history, workload, guarantee, settings),
    }))
}

/// A claim that its evidence proves; else one without evidence, which says why. What nothing could have refuted is not proved
/// by itself, but may follow from something stronger.
fn proved(history: &History, workload: Workload, guarantee: Guarantee, found: Result<Evidence, String>) -> Claim {
    let claim = found.map(|evidence| Claim { guarantee: guarantee.name().to_owned(), evidence, left_out: Vec::new() });
    let ruled = claim.and_then(|claim| match certificate::rule(history, workload.name(), &claim) {
        Ruling::Proved(_) => Ok(claim),
        Ruling::Unproved(why) => Err(why),
        Ruling::Refused(why) => {
            debug_assert!(false, "{guarantee} is judged to hold, and its evidence is refused: {why}");
            Err(why)
        }
    });
    ruled.unwrap_or_else(|why| Claim::without_evidence(guarantee.name(), why))
}
