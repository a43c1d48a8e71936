//! Session order and real-time order as edges, few of them.
//!
//! Session order: each transaction that happened follows its session's last `ok` one. One of unknown outcome may have
//! happened at any time after its invocation: nothing follows it.
//!
//! Real time: a completion before an invocation, by position. Completions form a chain of auxiliary vertices, each
//! transaction leads into the one of its completion, and follows the last one before its invocation. So the edges are two
//! for each transaction and one for each link of the chain, where the relation itself is quadratic.
//! Source: the barriers are our own; Elle keeps a transitive reduction instead.

use crate::graph::{Edge, Relations};
use crate::history::{History, Status};

/// Adds session order; returns the number of edges. `session`: of each operation, dense below `sessions`.
pub(super) fn sessions(
    history: &History,
    session: impl Fn(u32) -> u32,
    sessions: u32,
    happened: &[bool],
    edges: &mut Vec<Edge>,
) -> u64 {
    let mut last = vec![None; sessions as usize];
    let before = edges.len();
    for (op, _) in history.ops().zip(happened).filter(|(_, happened)| **happened) {
        let last = &mut last[session(op.id.0) as usize];
        if let Some(from) = *last {
            edges.push(Edge { from, to: op.id.0, relations: Relations::PROCESS });
        }
        if op.status() == Status::Ok {
            *last = Some(op.id.0);
        }
    }
    (edges.len() - before) as u64
}

/// What real time adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RealTime {
    /// How many auxiliary vertices.
    pub(super) auxiliary: u32,
    /// How many transactions began after another one had completed.
    pub(super) followers: u64,
}

/// Adds real-time order; the auxiliary vertices are numbered from `first`.
pub(super) fn real_time(history: &History, happened: &[bool], first: u32, edges: &mut Vec<Edge>) -> RealTime {
    const NOTHING: u32 = u32::MAX;
    // By position: which transaction completed there; then how many barriers there are up to it.
    let mut at: Vec<u32> = vec![NOTHING; history.records() as usize];
    let mut begins = vec![false; history.records() as usize + 1];
    for (op, _) in history.ops().zip(happened).filter(|(_, happened)| **happened) {
        begins[op.began() as usize] = true;
        if op.status() == Status::Ok {
            at[op.ended() as usize] = op.id.0;
        }
    }
    // Completions with no beginning between them share a barrier.
    let mut barriers = 0;
    let mut open = false;
    for (position, slot) in at.iter_mut().enumerate() {
        if begins[position] {
            open = false;
        }
        if *slot != NOTHING {
            if !open {
                open = true;
                if barriers > 0 {
                    edges.push(Edge { from: first + barriers - 1, to: first + barriers, relations: Relations::LINK });
                }
                barriers += 1;
            }
            edges.push(Edge { from: *slot, to: first + barriers - 1, relations: Relations::REALTIME });
        }
        *slot = barriers;
    }
    let mut followers = 0;
    for (op, _) in history.ops().zip(happened).filter(|(_, happened)| **happened) {
        let passed = op.began().checked_sub(1).map_or(0, |before| at[before as usize]);
        if let Some(last) = passed.checked_sub(1) {
            followers += 1;
            edges.push(Edge { from: first + last, to: op.id.0, relations: Relations::LINK });
        }
    }
    RealTime { auxiliary: barriers, followers }
}
