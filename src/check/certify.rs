//! Certificates of what holds: see [`crate::certificate`].

use super::{Settings, delivery, objects, transactions};
use crate::certificate::{Certificate, Claim, Evidence, SCHEMA, digest};
use crate::guarantee::Guarantee;
use crate::history::History;
use crate::verdict::{Judgement, Verdict};
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
        if let Some(claim) = own(history, workload, guarantee, settings)? {
            claims.push(claim);
            continue;
        }
        let absent = Claim {
            guarantee: guarantee.name().to_owned(),
            evidence: Evidence::Absent,
            left_out: vec![format!("this version has no evidence for {guarantee} of {} histories", workload.name())],
        };
        let mut ground = None;
        for stronger in guarantee.stronger().filter(|stronger| holds.contains(stronger)) {
            ground = own(history, workload, stronger, settings)?;
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
    settings: &Settings<'_>,
) -> Result<Option<Claim>, WorkloadError> {
    Ok(Some(match (workload, guarantee) {
        (Workload::Register, Guarantee::Linearizable) => objects::claim(history)?,
        (
            Workload::ListAppend,
            Guarantee::Serializable | Guarantee::StrongSessionSerializable | Guarantee::StrictSerializable,
        ) => transactions::list_append::claim(history, guarantee)?,
        _ => return delivery::accounts::claim(history, workload, guarantee, settings),
    }))
}
