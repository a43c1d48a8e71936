//! What the operation of a row did, in words.

use crate::witness::deeds;
use crate::witness::objects::Deed;
use crate::witness::sessions::Access;
use crate::workload::accesses::Accesses;

pub(in crate::check) use crate::witness::deeds::duration;

/// What a row's operation did to the row's object.
pub(in crate::check) fn deed(accesses: &Accesses<'_>, row: u32) -> Deed {
    deeds::deed(accesses.history, access(accesses, row))
}

/// A row, as witnesses name it.
pub(in crate::check) fn access(accesses: &Accesses<'_>, row: u32) -> Access {
    Access { op: accesses.op[row as usize], mop: accesses.mop[row as usize] }
}
