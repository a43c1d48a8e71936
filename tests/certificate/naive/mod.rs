//! Whether orders are legal, from the definitions and pair by pair: as slow as that is, and without a line of what certificates
//! are gone through with.

pub(crate) mod arbitrations;
pub(crate) mod commits;
pub(crate) mod orders;

use std::collections::HashMap;

use anachron::history::{History, Operation, Status, Value};

/// An operation that did not fail, with what it did in program order. Reads whose result is not known are left out.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) position: u32,
    pub(crate) session: usize,
    pub(crate) began: u32,
    /// Beyond all records where it is not known to have ended.
    pub(crate) ended: u32,
    pub(crate) ok: bool,
    pub(crate) node: Option<String>,
    pub(crate) version: Option<i64>,
    pub(crate) steps: Vec<Step>,
}

/// One step on one object.
#[derive(Debug)]
pub(crate) struct Step {
    /// Its place among the operation's micro-operations, those that are left out included.
    pub(crate) mop: u32,
    pub(crate) key: String,
    pub(crate) deed: Deed,
}

/// Values as JSON.
#[derive(Debug)]
pub(crate) enum Deed {
    Write(String),
    /// What was there: of a list its elements; of a register one value, or none at first.
    Read(Vec<String>),
}

impl Op {
    /// Whether it was over before the other began.
    pub(crate) fn precedes(&self, other: &Op) -> bool {
        self.ended < other.began
    }
}

/// A history of registers or of lists.
pub(crate) struct Story {
    /// In order of invocation.
    pub(crate) ops: Vec<Op>,
    pub(crate) lists: bool,
    by_position: HashMap<u32, usize>,
}

impl Story {
    /// Reads it; `None` where it is of another vocabulary.
    pub(crate) fn of(history: &History) -> Option<Story> {
        assert!(history.header_field("initial").is_none(), "every object is empty at first");
        let lists = history.ops().any(|op| !op.mops().is_empty());
        let mut sessions: HashMap<(Value, Option<u32>), usize> = HashMap::new();
        let mut ops = Vec::new();
        for op in history.ops() {
            let name = (op.session(), op.session().is_absent().then_some(op.process().0));
            let next = sessions.len();
            let session = *sessions.entry(name).or_insert(next);
            if op.status() == Status::Fail {
                continue;
            }
            let text = |value: Value| history.values().json(value, usize::MAX);
            ops.push(Op {
                position: op.position(),
                session,
                began: op.began(),
                ended: op.ended(),
                ok: op.status() == Status::Ok,
                node: Some(text(op.node())).filter(|node| node != "null"),
                version: history.values().as_int(op.version()),
                steps: if lists { mops(history, &op) } else { register(history, &op)? },
            });
        }
        let by_position = ops.iter().enumerate().map(|(at, op)| (op.position, at)).collect();
        Some(Story { ops, lists, by_position })
    }

    /// The operation at a position.
    pub(crate) fn at(&self, position: u32) -> Option<usize> {
        self.by_position.get(&position).copied()
    }
}

fn mops(history: &History, op: &Operation<'_>) -> Vec<Step> {
    let values = history.values();
    let text = |value: Value| values.json(value, usize::MAX);
    let steps = (0u32..).zip(op.mops()).filter_map(|(mop, said)| {
        let deed = match values.as_str(said.f) {
            Some("append") => Deed::Write(text(said.value)),
            _ if op.status() != Status::Ok => return None,
            _ => Deed::Read(values.items(said.value).into_iter().map(text).collect()),
        };
        Some(Step { mop, key: text(said.key), deed })
    });
    steps.collect()
}

fn register(history: &History, op: &Operation<'_>) -> Option<Vec<Step>> {
    let values = history.values();
    let text = |value: Value| values.json(value, usize::MAX);
    let given = if op.argument().is_null() { op.result() } else { op.argument() };
    let key = text(op.key());
    let read = |value: Value| Deed::Read(Some(text(value)).filter(|value| value != "null").into_iter().collect());
    let step = |mop: u32, deed: Deed| Step { mop, key: key.clone(), deed };
    Some(match values.as_str(op.f())? {
        "read" if op.status() != Status::Ok => Vec::new(),
        "read" => vec![step(0, read(op.result()))],
        "write" => vec![step(0, Deed::Write(text(given)))],
        "cas" => match values.items(given)[..] {
            [old, new] => vec![step(0, read(old)), step(1, Deed::Write(text(new)))],
            _ => return None,
        },
        _ => return None,
    })
}
