//! Objects whose reads show what many updates made together: sets and counters.
//!
//! A register's read shows one write; a set's shows every addition that was not removed, a counter's the sum of all. So there
//! is no version that a read returned, and these vocabularies have rows of their own instead of those of
//! [`accesses`](super::accesses): an [`Act`] for every update and every read, key by key, each in order of invocation. What an
//! update does and what a read returned is in the column beside it.
//!
//! Reads that are not `ok` say nothing and are left out; failed updates stay, because to see one is an anomaly.
//!
//! Cost: linear in the operations, and in the elements that reads list.

pub mod counter;
pub mod set;

use hashbrown::HashMap;

use super::WorkloadError;
use super::list_append::sessions;
use crate::history::{History, OpId, Operation, Status, Value};

/// No number.
pub const NONE: u32 = u32::MAX;

/// What is known of an update or a read, whatever it does.
#[derive(Clone, Copy, Debug)]
pub struct Act {
    /// The operation.
    pub op: OpId,
    /// Its session (`session` where given, else the process), dense.
    pub session: u32,
    /// The server that it contacted, dense over the history, or [`NONE`] where not said.
    pub node: u32,
    /// What is known of its effect. Reads are all `ok`.
    pub status: Status,
    /// The position at or after which it began.
    pub began: u32,
    /// The position at which it had taken effect; [`History::NO_POSITION`] for what is not `ok`.
    pub ended: u32,
    /// Whether it is a read made after everything settled.
    pub is_final: bool,
}

impl Act {
    /// Whether it was over before the other began.
    #[must_use]
    pub fn precedes(&self, other: &Act) -> bool {
        self.ended < other.began
    }
}

/// The objects of a history, of one kind.
#[derive(Debug)]
pub struct Objects<K> {
    /// One for each key, in order of first appearance.
    pub keys: Vec<K>,
    /// How many sessions.
    pub sessions: u32,
    /// The servers' names, in order of first appearance.
    pub nodes: Vec<Value>,
}

/// Gives each operation of a history to its key.
fn gather<K>(
    history: &History,
    named: impl Fn(Value) -> K,
    mut take: impl FnMut(&mut K, Act, &Operation<'_>) -> Result<(), WorkloadError>,
) -> Result<Objects<K>, WorkloadError> {
    let (of, count) = sessions(history);
    let mut objects = Objects { keys: Vec::new(), sessions: count, nodes: Vec::new() };
    let mut keys: HashMap<Value, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut nodes: HashMap<Value, u32, foldhash::fast::RandomState> = HashMap::default();
    for (op, session) in history.ops().zip(of) {
        let name = if op.key().is_null() { Value::ABSENT } else { op.key() };
        let number = *keys.entry(name).or_insert_with(|| {
            objects.keys.push(named(name));
            objects.keys.len() - 1
        });
        if objects.keys.len() == 2 && keys.contains_key(&Value::ABSENT) {
            return Err(keyless(history, &op));
        }
        let node = match op.node() {
            Value::ABSENT | Value::NULL => NONE,
            name => *nodes.entry(name).or_insert_with(|| {
                objects.nodes.push(name);
                u32::try_from(objects.nodes.len() - 1).unwrap_or(NONE)
            }),
        };
        let act = Act {
            op: op.id,
            session,
            node,
            status: op.status(),
            began: op.began(),
            ended: op.ended(),
            is_final: op.is_final(),
        };
        take(&mut objects.keys[number], act, &op)?;
    }
    Ok(objects)
}

fn keyless(history: &History, op: &Operation<'_>) -> WorkloadError {
    let first = if op.key().is_null() { Some(*op) } else { history.ops().find(|op| op.key().is_null()) };
    WorkloadError {
        position: Some(first.unwrap_or(*op).position()),
        message: "this operation has no `key`, and others have one".to_owned(),
        help: "name the object of every operation, or of none where there is one object only".to_owned(),
    }
}

/// A function that is not of the vocabulary.
fn stranger(history: &History, op: &Operation<'_>, of: &str, functions: &str) -> WorkloadError {
    WorkloadError {
        position: Some(op.position()),
        message: format!("{} is no function of a {of} history", history.values().json(op.f(), 60)),
        help: format!("a {of} history has {functions}; name another vocabulary with `--workload`"),
    }
}

/// A value that is not as it should be.
fn unfit(history: &History, op: &Operation<'_>, value: Value, help: &str) -> WorkloadError {
    let values = history.values();
    let value = if value.is_null() { "nothing".to_owned() } else { values.json(value, 60) };
    WorkloadError {
        position: Some(op.position()),
        message: format!("the value of this {} is {value}", values.json(op.f(), 60)),
        help: help.to_owned(),
    }
}

/// What an operation was told: of the invocation, else of what completed it.
fn argument(op: &Operation<'_>) -> Value {
    if op.argument().is_null() { op.result() } else { op.argument() }
}
