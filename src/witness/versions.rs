//! Two operations whose servers' revisions contradict each other, in words.

use super::claim::Claim;
use super::objects::Cast;
use super::recheck::revisions::Contradiction;
use super::sessions::Access;
use super::{Minimality, Witness, deeds};
use crate::guarantee::Anomaly;
use crate::history::{History, OpId};

/// A claim as a witness, confirmed from the whole history where that bears it out. The operations are in order of invocation.
#[must_use]
pub fn witness(history: &History, operations: [OpId; 2], how: Contradiction) -> Witness {
    let [first, second] = operations;
    // Of a compare-and-set, what it wrote.
    let access = |op: OpId| {
        let is_cas = history.values().as_str(history.op(op).f()) == Some("cas");
        Access { op, mop: u32::from(is_cas) }
    };
    let deeds = operations.iter().map(|op| (*op, deeds::deed(history, access(*op)))).collect();
    let mut cast = Cast::new(history, deeds::key(history, access(first)), deeds);
    let version = |op| history.values().json(history.op(op).version(), 40);
    let claims = format!(
        "{} as version {}, and {} as version {}",
        cast.did(first),
        version(first),
        cast.did(second),
        version(second)
    );
    let why = match how {
        Contradiction::TwoValues => "one version of two writes",
        Contradiction::TwoRevisions => "two versions of one value, which was written once",
        Contradiction::Backwards => "what replaced the other has no higher version",
        Contradiction::Overtaken => "the higher version was complete before the lower one was asked for",
    };
    cast.step(first, second, "version", format!("{claims}: {why}"));
    let meaning = "Two servers numbered writes by themselves (split brain), or the number that was recorded is not the object's own; \
                   so the field `version` decides nothing about this object. Record the object's own revision (etcd: `mod_revision`, not the header's), \
                   or leave the field out.";
    let told = cast.witness(meaning, Minimality::Minimum, false);
    told.claiming(history, Anomaly::ConflictingVersions, true, &Claim::Conflicting { operations, how })
}
