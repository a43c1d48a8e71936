//! What observers and logs wrote, for confirming: a record of an observer, or an operation that did not fail.

use crate::history::{History, Status, Value};

/// Something that had happened by its position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    pub(super) position: u32,
    /// Nanoseconds, or [`History::NO_TIME`].
    pub(super) time: i64,
    pub(super) key: Value,
    pub(super) value: Value,
}

/// The facts of these functions, in order of position, each with the function's number in `names`.
pub(super) fn facts(history: &History, names: &[&str]) -> Vec<(usize, Fact)> {
    let values = history.values();
    let number = |f: Value| names.iter().position(|name| Some(*name) == values.as_str(f));
    let seen = history.observations().iter().filter_map(|seen| {
        let fact = Fact { position: seen.position, time: seen.time, key: seen.key, value: seen.value };
        Some((number(seen.f)?, fact))
    });
    let logged = history.ops().filter(|op| op.status() != Status::Fail).filter_map(|op| {
        let time = op.completed_time().unwrap_or(History::NO_TIME);
        Some((number(op.f())?, Fact { position: op.completed()?, time, key: op.key(), value: op.result() }))
    });
    let mut facts: Vec<(usize, Fact)> = seen.chain(logged).collect();
    facts.sort_by_key(|(_, fact)| fact.position);
    facts
}
