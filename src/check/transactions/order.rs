//! Session order and real time of a history's transactions.
//!
//! Each transaction that happened follows its session's last `ok` one, and those whose completion comes before its
//! invocation, by position. One of unknown outcome may have happened at any time after its invocation: nothing follows it.

use crate::graph::{Moment, Timeline};
use crate::history::{History, Status};

/// `session`: of each operation, dense. `happened`: which operations count.
pub(super) fn timeline(history: &History, session: impl Fn(u32) -> u32 + Clone, happened: &[bool]) -> Timeline {
    let moments = history.ops().zip(happened).map(move |(op, happened)| Moment {
        session: session(op.id.0),
        began: op.began(),
        ended: (op.status() == Status::Ok).then(|| op.ended()),
        counts: *happened,
    });
    Timeline::new(history.records(), moments)
}
