//! Certificates of what holds: see [`crate::certificate`].

use super::{objects, transactions};
use crate::certificate::{Certificate, Claim, SCHEMA, digest};
use crate::guarantee::Guarantee;
use crate::history::History;
use crate::verdict::{Judgement, Verdict};
use crate::workload::{Workload, WorkloadError};

/// The certificate of those of the guarantees that were judged to hold. What there is no evidence for is claimed without.
///
/// # Errors
/// A record that is not of the workload's vocabulary.
pub fn certify(
    history: &History,
    workload: Workload,
    judgements: &[Judgement],
    guarantees: &[Guarantee],
) -> Result<Certificate, WorkloadError> {
    let mut claims: Vec<Claim> = Vec::new();
    for guarantee in guarantees {
        let holds = judgements.iter().any(|one| one.guarantee == *guarantee && one.verdict == Verdict::Holds);
        if !holds || claims.iter().any(|claim| claim.guarantee == guarantee.name()) {
            continue;
        }
        let claim = match (workload, guarantee) {
            (Workload::Register, Guarantee::Linearizable) => objects::claim(history)?,
            (
                Workload::ListAppend,
                Guarantee::Serializable | Guarantee::StrongSessionSerializable | Guarantee::StrictSerializable,
            ) => transactions::list_append::claim(history, *guarantee)?,
            _ => Claim {
                guarantee: guarantee.name().to_owned(),
                orders: Vec::new(),
                left_out: vec![format!(
                    "this version has no evidence for {guarantee} of {} histories",
                    workload.name()
                )],
            },
        };
        claims.push(claim);
    }
    Ok(Certificate { schema: SCHEMA.to_owned(), history: digest(history), claims })
}
