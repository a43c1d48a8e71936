//! Findings about the server's own revisions (`version`): where these contradict each other, they order nothing, and that is said.
//!
//! What contradicts what is found as the accesses are read (see [`Conflict`]). It rules out no guarantee by itself, since these speak of
//! values; what would need the order is unknown.

use crate::guarantee::Anomaly;
use crate::verdict::{Certainty, Finding};
use crate::witness::recheck::revisions::Contradiction;
use crate::witness::{Witness, versions};
use crate::workload::accesses::{Accesses, Conflict, ConflictKind};

/// The finding, if there is a contradiction: the first one as its witness, and how many there are.
pub(super) fn finding(accesses: &Accesses<'_>, conflicts: &[(Conflict, u64)]) -> Option<Finding> {
    let (first, _) = conflicts.first()?;
    Some(Finding {
        anomaly: Anomaly::ConflictingVersions,
        certainty: Certainty::Certain,
        count: conflicts.iter().map(|(_, count)| count).sum(),
        rules_out: Vec::new(),
        witness: Some(witness(accesses, first)),
    })
}

fn witness(accesses: &Accesses<'_>, conflict: &Conflict) -> Witness {
    let how = match conflict.kind {
        ConflictKind::TwoValues => Contradiction::TwoValues,
        ConflictKind::TwoRevisions => Contradiction::TwoRevisions,
        ConflictKind::Backwards => Contradiction::Backwards,
        ConflictKind::Overtaken => Contradiction::Overtaken,
    };
    versions::witness(accesses.history, conflict.operations, how)
}
