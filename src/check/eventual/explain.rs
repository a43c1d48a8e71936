//! What went wrong in the end, as claims.

use super::visibility::Overdue;
use crate::check::deeds::access;
use crate::check::staleness::Observed;
use crate::guarantee::Anomaly;
use crate::witness::staleness::{Claim, Says, witness};
use crate::witness::{Minimality, Witness, eventual};

/// Two final reads that can't both be right.
pub(super) fn divergence(observed: &Observed<'_>, number: usize, first: u32, second: u32) -> Witness {
    let key = &observed.keys[number];
    let reads = [first, second].map(|read| access(observed.accesses, key.reads[read as usize].row));
    eventual::divergence(observed.accesses.history, reads)
}

/// A final read of what a failed write wrote.
pub(super) fn aborted(observed: &Observed<'_>, row: u32) -> Witness {
    eventual::aborted(observed.accesses.history, access(observed.accesses, row))
}

/// A final read of what had been overwritten.
pub(super) fn lost(observed: &Observed<'_>, anomaly: Anomaly, number: usize, write: u32, read: u32) -> Witness {
    missed(observed, anomaly, (number, write, read), Says::Gone)
}

/// A read that missed a write for too long.
pub(super) fn overdue(observed: &Observed<'_>, overdue: &Overdue) -> Witness {
    let says = Says::Overdue { age_ns: overdue.age_ns, within_ns: overdue.bound_ns };
    missed(observed, Anomaly::OverdueVisibility, (overdue.key, overdue.write, overdue.read), says)
}

fn missed(observed: &Observed<'_>, anomaly: Anomaly, (number, write, read): (usize, u32, u32), says: Says) -> Witness {
    let (key, accesses) = (&observed.keys[number], observed.accesses);
    let [read, write] = [key.reads[read as usize].row, key.writes[write as usize].row].map(|row| access(accesses, row));
    witness(accesses.history, anomaly, &Claim { read, missed: vec![write], says }, Minimality::Minimum)
}

/// Two reads that had seen the same, and returned different values.
pub(super) fn strong(observed: &Observed<'_>, rows: [u32; 2]) -> Witness {
    eventual::same_knowledge(observed.accesses.history, rows.map(|row| access(observed.accesses, row)))
}
