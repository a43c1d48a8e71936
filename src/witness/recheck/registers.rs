//! Of operations of one register that have no order: which anomaly they show, and whether they have none without real time either.
//!
//! Without real time, what one session does still comes in its order, and a value comes from a write of it, whenever that was: the
//! operations are a closed part of the history where all writes of the whole history that could have written what one of them
//! certainly observed are among them (see `objects`).
//!
//! Cost: a scan of the history, and a search over sets of operations that is given up after a bounded number of steps.

use std::collections::HashSet;

use super::objects::{Act, act, initial, same_key};
use super::strings;
use crate::guarantee::Anomaly;
use crate::history::{History, OpId, Operation, Value};

/// How many orders' beginnings are tried before giving up.
const STEPS: u32 = 500_000;
/// How many operations are put in order at most.
const MOST: usize = 64;

/// What the operations of a key did; nothing where gets do not show it.
fn acts(history: &History, operations: &[OpId]) -> Option<Vec<Act>> {
    let key = history.op(*operations.first()?).key();
    let ops: Vec<Operation<'_>> = history.ops().filter(|op| same_key(op, key)).collect();
    match strings::is_of_strings(history, ops.first()?) {
        true => strings::acts(history, &ops, initial(history, key)),
        false => Some(ops.iter().filter_map(|op| act(history, op)).collect()),
    }
}

/// What was there at first, where that is known.
fn first(history: &History, operations: &[OpId]) -> Option<Value> {
    let op = history.op(*operations.first()?);
    let known = initial(history, op.key())?;
    Some(if strings::is_of_strings(history, &op) { strings::INITIAL } else { known })
}

/// Whether operations that have no order can be called so.
pub(super) fn is_named(history: &History, anomaly: Anomaly, operations: &[OpId]) -> bool {
    let first = first(history, operations);
    match anomaly {
        Anomaly::NonLinearizable => return true,
        // That nobody wrote a value says that it was not there at first; where that is not known, every value is tried.
        Anomaly::ThinAirRead => return first.is_none(),
        _ => {}
    }
    let Some(acts) = acts(history, operations) else { return false };
    let part = || acts.iter().filter(|act| act.must && operations.contains(&act.op));
    let mut observers = part().filter_map(|act| Some((act, act.observes.filter(|value| first != Some(*value))?)));
    let writers = |of: &Act, value: Value| {
        let (op, writes) = (of.op, move |act: &&Act| act.writes == Some(value));
        acts.iter().filter(writes).filter(move |act| act.op != op).collect::<Vec<&Act>>()
    };
    // What only real time shows has no name of its own.
    if matches!(anomaly, Anomaly::G1a | Anomaly::FutureRead) && !is_timeless(history, operations) {
        return false;
    }
    match anomaly {
        Anomaly::G1a => observers.any(|(act, value)| {
            let writers = writers(act, value);
            !writers.is_empty() && writers.iter().all(|writer| writer.failed)
        }),
        Anomaly::FutureRead => observers.any(|(act, value)| {
            let mut writers = writers(act, value);
            writers.retain(|writer| !writer.failed);
            !writers.is_empty() && writers.iter().all(|writer| act.ended < writer.began)
        }),
        Anomaly::LostUpdate => {
            // Somebody saw what one of unknown outcome wrote, so that it counts, too.
            let own = acts.iter().filter(|act| !act.failed && operations.contains(&act.op));
            let found: Vec<Value> = own.filter(|act| act.writes.is_some()).filter_map(|act| act.observes).collect();
            (1..found.len()).any(|at| found[..at].contains(&found[at]))
        }
        _ => false,
    }
}

/// Whether these operations have no order that contains the order of each session, real time or not.
#[must_use]
pub fn is_timeless(history: &History, operations: &[OpId]) -> bool {
    let (Some(first), Some(acts)) = (first(history, operations), acts(history, operations)) else { return false };
    let mut part: Vec<Act> = acts.iter().filter(|act| operations.contains(&act.op)).copied().collect();
    if part.len() > MOST || part.len() != operations.len() {
        return false;
    }
    part.retain(|act| !act.failed);
    for act in part.iter().filter(|act| act.must || act.writes.is_some()) {
        let Some(value) = act.observes else { continue };
        let writes = acts.iter().filter(|writer| !writer.failed && writer.writes == Some(value) && writer.op != act.op);
        if !writes.into_iter().all(|writer| operations.contains(&writer.op)) {
            return false;
        }
    }
    has_no_order(history, &part, first)
}

/// Whether one session made both.
pub(super) fn is_of_one_session(history: &History, one: OpId, other: OpId) -> bool {
    let (one, other) = (history.op(one), history.op(other));
    let named = !one.session().is_absent() || !other.session().is_absent();
    one.session() == other.session() && (named || one.process() == other.process())
}

/// Whether no order of all that must have happened, and of some that may have, gives every observation.
fn has_no_order(history: &History, part: &[Act], initial: Value) -> bool {
    let goal = part.iter().enumerate().filter(|(_, act)| act.must).fold(0u64, |goal, (at, _)| goal | 1 << at);
    // By operation: those of its session that have to come before it.
    let before: Vec<u64> = part
        .iter()
        .map(|act| {
            let earlier = |other: &Act| is_of_one_session(history, act.op, other.op) && other.op < act.op;
            part.iter()
                .enumerate()
                .filter(|(_, other)| other.must && earlier(other))
                .fold(0, |all, (at, _)| all | 1 << at)
        })
        .collect();
    let mut seen: HashSet<(u64, Value)> = HashSet::new();
    let mut stack = vec![(0u64, initial)];
    let mut steps = 0;
    while let Some((done, state)) = stack.pop() {
        if done & goal == goal {
            return false;
        }
        if !seen.insert((done, state)) {
            continue;
        }
        for (at, act) in part.iter().enumerate() {
            steps += 1;
            if steps > STEPS {
                return false;
            }
            let legal = act.observes.is_none_or(|value| state == value);
            if done >> at & 1 == 0 && before[at] & !done == 0 && legal {
                stack.push((done | 1 << at, act.writes.unwrap_or(state)));
            }
        }
    }
    true
}
