//! What single accesses are, from their records.

use super::objects::act;
use crate::history::{History, Status, Value};
use crate::witness::deeds;
use crate::witness::sessions::Access;

/// Whether there is this access, and it reads.
pub(super) fn is_read(history: &History, access: Access) -> bool {
    let op = history.op(access.op);
    match op.mops().get(access.mop as usize) {
        Some(_) => !deeds::writes(history, access),
        None => op.mops().is_empty() && access.mop == 0 && act(history, &op).is_some_and(|act| act.observes.is_some()),
    }
}

/// Whether there is this access, and it writes.
#[must_use]
pub fn is_write(history: &History, access: Access) -> bool {
    let op = history.op(access.op);
    match op.mops().get(access.mop as usize) {
        Some(_) => deeds::writes(history, access),
        None => {
            let place =
                |act: super::objects::Act| u32::from(act.observes.is_some()) == access.mop && act.writes.is_some();
            op.mops().is_empty() && act(history, &op).is_some_and(place)
        }
    }
}

/// What a read returned; nothing where it is no read that happened.
pub(super) fn returned(history: &History, read: Access) -> Option<Value> {
    let op = history.op(read.op);
    if op.status() != Status::Ok || !is_read(history, read) {
        return None;
    }
    match op.mops().get(read.mop as usize) {
        Some(mop) if mop.value.is_null() => Some(Value::EMPTY_LIST),
        Some(mop) => Some(mop.value),
        None => act(history, &op)?.observes,
    }
}
