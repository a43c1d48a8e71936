//! What observers recorded: effects, messages that were put aside, and when nothing more was to come.

use crate::history::{History, Value};
use crate::workload::fields::{Fields, or_null};
use crate::workload::records::{Fact, facts};

/// What an observer recorded. Null is what it does not say.
pub(super) struct Seen {
    /// Which of the functions it is: an effect, a message that was put aside, nothing waiting, all effects recorded.
    pub(super) number: usize,
    pub(super) fact: Fact,
    pub(super) topic: Value,
    pub(super) group: Value,
    pub(super) complete: Value,
    pub(super) id: Value,
    pub(super) dedupe: Value,
}

/// All that observers recorded, in order.
pub(super) fn seen(history: &History) -> Vec<Seen> {
    let mut about = Fields::new(["topic", "group", "complete", "effect", "dedupe-id"]);
    let facts = facts(history, &["effect", "dead-letter", "drained", "audit"]);
    let told = facts.into_iter().map(|(number, fact)| {
        let [topic, group, complete, id, dedupe] = about.of(history.values(), fact.value).map(or_null);
        Seen { number, fact, topic, group, complete, id, dedupe }
    });
    told.collect()
}
