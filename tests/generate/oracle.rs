//! Brute force: does some order of a few operations explain what they saw?

use std::collections::{BTreeMap, BTreeSet};

use anachron::history::{History, Status, Value};

/// What one part of an operation does, in texts: a register's value, a list's elements, a string.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Read(String, String),
    Set(String, String),
    Append(String, String),
    Cas(String, String, String),
}

/// An operation that happened, or may have.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) process: String,
    pub(crate) began: u32,
    pub(crate) ended: u32,
    pub(crate) certain: bool,
    pub(crate) acts: Vec<Act>,
}

type State = BTreeMap<String, String>;

/// Which operations must come before which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Any,
    Session,
    Realtime,
}

impl Order {
    pub(crate) fn precedes(self, a: &Op, b: &Op) -> bool {
        match self {
            Order::Any => false,
            Order::Session => a.process == b.process && a.began < b.began,
            Order::Realtime => a.ended < b.began,
        }
    }
}

/// All operations that did not fail; lists' elements and strings as they are joined, null as nothing.
pub(crate) fn ops(history: &History) -> Vec<Op> {
    let text = |value: Value| {
        let json = history.values().json(value, usize::MAX);
        let inner = json.trim_start_matches(['[', '"']).trim_end_matches([']', '"']);
        if json == "null" { String::new() } else { inner.replace(' ', ",").replace(",,", ",") }
    };
    let string = |value| history.values().as_str(value).unwrap_or_default();
    let mut ops = Vec::new();
    for op in history.ops().filter(|op| op.status() != Status::Fail) {
        let certain = op.status() == Status::Ok;
        let seen = if certain { op.result() } else { op.argument() };
        let key = text(op.key());
        let items = history.values().items(seen);
        let mut acts = match string(op.f()) {
            "read" | "get" => vec![Act::Read(key, text(seen))],
            "write" | "put" => vec![Act::Set(key, text(seen))],
            "append" => vec![Act::Append(key, text(seen))],
            "cas" => vec![Act::Cas(key, text(items[0]), text(items[1]))],
            _ => op
                .mops()
                .iter()
                .map(|mop| match string(mop.f) {
                    "append" => Act::Append(text(mop.key), format!("{},", text(mop.value))),
                    _ if text(mop.value).is_empty() => Act::Read(text(mop.key), String::new()),
                    _ => Act::Read(text(mop.key), format!("{},", text(mop.value))),
                })
                .collect(),
        };
        if !certain {
            acts.retain(|act| !matches!(act, Act::Read(..)));
        }
        let process = text(history.process_name(op.process()));
        ops.push(Op { process, began: op.began(), ended: op.ended(), certain, acts });
    }
    ops
}

/// The state after an operation, if its reads agree.
fn after(op: &Op, mut state: State) -> Option<State> {
    for act in &op.acts {
        match act {
            Act::Read(key, seen) if state.get(key).is_none_or(String::is_empty) && seen.is_empty() => {}
            Act::Read(key, seen) if state.get(key) == Some(seen) => {}
            Act::Read(..) => return None,
            Act::Set(key, new) => {
                state.insert(key.clone(), new.clone());
            }
            Act::Append(key, new) => state.entry(key.clone()).or_default().push_str(new),
            Act::Cas(key, old, new) if state.get(key) == Some(old) => {
                state.insert(key.clone(), new.clone());
            }
            Act::Cas(..) => return None,
        }
    }
    Some(state)
}

/// Whether one after the other, in an order that contains `order`, all certain and some uncertain ones explain what they
/// saw.
pub(crate) fn serial(ops: &[Op], order: Order) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack = vec![(0u64, State::new())];
    while let Some((done, state)) = stack.pop() {
        if ops.iter().enumerate().all(|(at, op)| done >> at & 1 == 1 || !op.certain) {
            return true;
        }
        for (at, op) in ops.iter().enumerate().rev().filter(|(at, _)| done >> at & 1 == 0) {
            let waits = |before: &Op| order.precedes(before, op) && before.certain;
            if ops.iter().enumerate().any(|(before, op)| done >> before & 1 == 0 && waits(op)) {
                continue;
            }
            if let Some(next) = after(op, state.clone()) {
                let next = (done | 1 << at, next);
                if seen.insert(next.clone()) {
                    stack.push(next);
                }
            }
        }
    }
    false
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Snapshots {
    /// 0: not begun, 1: under way, 2: committed.
    phase: Vec<u8>,
    state: State,
    /// For those under way, the keys that others wrote since they began.
    overtaken: Vec<BTreeSet<String>>,
}

/// Whether a commit order and a snapshot each explain lists: nobody else commits a write of a key that a transaction
/// writes between its snapshot and its commit (`first_wins`), and snapshots contain what `order` says.
pub(crate) fn snapshots(ops: &[Op], order: Order, first_wins: bool) -> bool {
    let start =
        Snapshots { phase: vec![0; ops.len()], state: State::new(), overtaken: vec![BTreeSet::new(); ops.len()] };
    let mut seen = BTreeSet::from([start.clone()]);
    let mut stack = vec![start];
    while let Some(now) = stack.pop() {
        if now.phase.iter().zip(ops).all(|(phase, op)| *phase == 2 || !op.certain) {
            return true;
        }
        // The first to be pushed is the last to be tried: those that began early are tried early.
        for (at, op) in ops.iter().enumerate().rev() {
            let mut next = now.clone();
            let writes =
                || op.acts.iter().filter_map(|act| if let Act::Append(key, _) = act { Some(key) } else { None });
            if now.phase[at] == 0 {
                let mut before = ops.iter().zip(&now.phase).filter(|(_, phase)| **phase < 2);
                if before.any(|(before, _)| before.certain && order.precedes(before, op)) {
                    continue;
                }
                if after(op, now.state.clone()).is_none() {
                    continue;
                }
                next.phase[at] = if writes().next().is_none() { 2 } else { 1 };
            } else if now.phase[at] == 1 {
                if first_wins && writes().any(|key| now.overtaken[at].contains(key)) {
                    continue;
                }
                next.phase[at] = 2;
                next.overtaken[at].clear();
                for act in &op.acts {
                    if let Act::Append(key, new) = act {
                        next.state.entry(key.clone()).or_default().push_str(new);
                        for other in (0..ops.len()).filter(|other| next.phase[*other] == 1) {
                            next.overtaken[other].insert(key.clone());
                        }
                    }
                }
            } else {
                continue;
            }
            if seen.insert(next.clone()) {
                stack.push(next);
            }
        }
    }
    false
}
