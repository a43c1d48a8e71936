//! A row's operation, as witnesses name it.

use crate::witness::sessions::Access;
use crate::workload::accesses::Accesses;

/// A row, as witnesses name it.
pub(in crate::check) fn access(accesses: &Accesses<'_>, row: u32) -> Access {
    Access { op: accesses.op[row as usize], mop: accesses.mop[row as usize] }
}
