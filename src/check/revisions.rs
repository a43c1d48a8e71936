//! Findings about the server's own revisions (`version`): where these contradict each other, they order nothing, and that is said.
//!
//! What contradicts what is found as the accesses are read (see [`Conflict`]). It rules out no guarantee by itself, since these speak of
//! values; what would need the order is unknown.

use super::deeds;
use crate::guarantee::Anomaly;
use crate::verdict::{Certainty, Finding};
use crate::witness::objects::Cast;
use crate::witness::recheck::revisions::{Contradiction, contradict};
use crate::witness::{Minimality, Witness};
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
    let history = accesses.history;
    let [first, second] = conflict.operations;
    // Of a compare-and-set, what it wrote.
    let row = |op| (0u32..).zip(&accesses.op).filter(|(_, of)| **of == op).map(|(row, _)| row).last();
    let deeds = [first, second].iter().filter_map(|op| Some((*op, deeds::deed(accesses, row(*op)?)))).collect();
    let mut cast = Cast::new(history, accesses.keys[conflict.key as usize], deeds);
    let version = |op| history.values().json(history.op(op).version(), 40);
    let claims = format!(
        "{} as version {}, and {} as version {}",
        cast.did(first),
        version(first),
        cast.did(second),
        version(second)
    );
    let (kind, why) = match conflict.kind {
        ConflictKind::TwoValues => (Contradiction::TwoValues, "one version of two writes"),
        ConflictKind::TwoRevisions => {
            (Contradiction::TwoRevisions, "two versions of one value, which was written once")
        }
        ConflictKind::Backwards => (Contradiction::Backwards, "what replaced the other has no higher version"),
        ConflictKind::Overtaken => {
            (Contradiction::Overtaken, "the higher version was complete before the lower one was asked for")
        }
    };
    let because = format!("{claims}: {why}");
    cast.step(first, second, "version", because);
    let meaning = "Two servers numbered writes by themselves (split brain), or the number that was recorded is not the object's own; \
                   so the field `version` decides nothing about this object. Record the object's own revision (etcd: `mod_revision`, not the header's), \
                   or leave the field out.";
    cast.witness(meaning, Minimality::Minimum, contradict(history, conflict.operations, kind))
}
