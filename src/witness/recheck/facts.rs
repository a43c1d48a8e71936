//! What observers and logs wrote, for confirming: a record of an observer, or an operation that did not fail.

use hashbrown::HashMap;

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
    // Each function's name is compared once.
    let mut known: HashMap<Value, Option<usize>, foldhash::fast::RandomState> = HashMap::default();
    let mut number =
        |f: Value| *known.entry(f).or_insert_with(|| names.iter().position(|name| Some(*name) == values.as_str(f)));
    let mut facts = Vec::new();
    for seen in history.observations() {
        let fact = Fact { position: seen.position, time: seen.time, key: seen.key, value: seen.value };
        facts.extend(number(seen.f).map(|number| (number, fact)));
    }
    for op in history.ops().filter(|op| op.status() != Status::Fail) {
        if let (Some(number), Some(position)) = (number(op.f()), op.completed()) {
            let time = op.completed_time().unwrap_or(History::NO_TIME);
            facts.push((number, Fact { position, time, key: op.key(), value: op.result() }));
        }
    }
    facts.sort_by_key(|(_, fact)| fact.position);
    facts
}
