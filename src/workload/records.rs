//! The records of a history, each with where it is: operations, and what observers saw.
//!
//! A log that a client's process wrote with `ok` records says the same as an observer's: both are facts here.

use hashbrown::HashMap;

use super::WorkloadError;
use crate::history::{History, OpId, Operation, Status, Value};

/// Where a fact is recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// In an operation.
    Op(OpId),
    /// In an observer's record at this position.
    Seen(u32),
}

/// Something that had happened by its position.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// Where it is recorded.
    pub place: Place,
    /// Its position.
    pub position: u32,
    /// Nanoseconds, or [`History::NO_TIME`].
    pub time: i64,
    /// The object.
    pub key: Value,
    /// What is said of it.
    pub value: Value,
}

/// The facts of these functions, in order of position, each with the function's number in `names`.
#[must_use]
pub fn facts(history: &History, names: &[&str]) -> Vec<(usize, Fact)> {
    let values = history.values();
    let mut known: HashMap<Value, Option<usize>, foldhash::fast::RandomState> = HashMap::default();
    let mut last = (Value::ABSENT, None);
    // Functions take turns, so that the last one is seldom this one: each name is compared as text once.
    let mut number = |f: Value| {
        if f != last.0 {
            let place = || values.as_str(f).and_then(|text| names.iter().position(|name| *name == text));
            last = (f, *known.entry(f).or_insert_with(place));
        }
        last.1
    };
    let mut found = Vec::new();
    for seen in history.observations() {
        if let Some(number) = number(seen.f) {
            let place = Place::Seen(seen.position);
            found.push((
                number,
                Fact { place, position: seen.position, time: seen.time, key: seen.key, value: seen.value },
            ));
        }
    }
    let observed = found.len();
    for op in history.ops() {
        let Some(number) = number(op.f()) else { continue };
        if let Some(position) = op.completed().filter(|_| op.status() != Status::Fail) {
            let time = op.completed_time().unwrap_or(History::NO_TIME);
            found.push((number, Fact { place: Place::Op(op.id), position, time, key: op.key(), value: op.result() }));
        }
    }
    if found.len() > observed {
        found.sort_by_key(|(_, fact)| fact.position);
    }
    found
}

/// Refuses an operation whose function is not of the vocabulary.
pub(super) fn stranger(history: &History, op: &Operation<'_>, workload: &str, help: &str) -> WorkloadError {
    WorkloadError {
        position: Some(op.position()),
        message: format!(
            "`f` is {} here, which is no part of the {workload} workload",
            history.values().json(op.f(), 60)
        ),
        help: format!(
            "{help}; everything else that an observer writes is passed over: give such a process `info` records only"
        ),
    }
}

/// When an operation ran, and how it ended.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The operation.
    pub op: OpId,
    /// It began at or after this position.
    pub began: u32,
    /// The position of its completion, whatever that says; [`History::NO_POSITION`] without one.
    pub ended: u32,
    /// What is known of it.
    pub status: Status,
    /// Nanoseconds, or [`History::NO_TIME`].
    pub invoked_time: i64,
    /// Nanoseconds, or [`History::NO_TIME`].
    pub completed_time: i64,
}

impl Run {
    /// Of this operation.
    #[must_use]
    pub fn of(op: &Operation<'_>) -> Run {
        Run {
            op: op.id,
            began: op.began(),
            ended: op.completed().unwrap_or(History::NO_POSITION),
            status: op.status(),
            invoked_time: op.invoked_time().unwrap_or(History::NO_TIME),
            completed_time: op.completed_time().unwrap_or(History::NO_TIME),
        }
    }

    /// Whether it certainly happened.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// Whether it may have happened.
    #[must_use]
    pub fn may(&self) -> bool {
        self.status != Status::Fail
    }

    /// Where it stands, for a story.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::Op(self.op)
    }
}

/// Whether the header says that an observer's record is written as its fact happens.
#[must_use]
pub fn synchronous(history: &History) -> bool {
    history.header_field("observers").and_then(|value| history.values().as_str(value)) == Some("synchronous")
}

/// Ranges of items by owner: those of owner `n` are `items[starts[n]..starts[n + 1]]`, in their order.
#[derive(Debug, Default)]
pub struct Grouped {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Grouped {
    /// Groups the items `0..`, whose owners (below `owners`) these are.
    #[must_use]
    pub fn new(owners: usize, owner_of: &[u32]) -> Grouped {
        let mut starts = vec![0u32; owners + 1];
        for owner in owner_of {
            starts[*owner as usize + 1] += 1;
        }
        for at in 0..owners {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut items = vec![0; owner_of.len()];
        for (item, owner) in (0u32..).zip(owner_of) {
            let at = &mut next[*owner as usize];
            items[*at as usize] = item;
            *at += 1;
        }
        Grouped { starts, items }
    }

    /// The items of this owner.
    #[must_use]
    pub fn of(&self, owner: usize) -> &[u32] {
        &self.items[self.starts[owner] as usize..self.starts[owner + 1] as usize]
    }
}
