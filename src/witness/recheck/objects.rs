//! Confirms, from the history alone, that a few operations of one register have no order.
//!
//! The operations are a *closed* part of the history: for each value that one of them certainly observed, every operation
//! of the whole history that could have written the value it saw is among them. A legal order of the whole history, cut
//! down to a closed part, is a legal order of that part; so where trying every order of the part finds none, the history
//! has none. A compare-and-set whose expected value has writers outside counts as a plain write: that asks less of it.
//!
//! Strings that grow are read as registers of whole strings (see `strings`).
//!
//! A writer is out of question for an observer where it began after the observer ended, or where another write lay wholly
//! between the two. Everything else is a writer, failed ones excepted.
//!
//! Cost: a scan of the history, and a search over sets of operations that is given up after a bounded number of steps.

use std::collections::HashSet;

use super::strings;
use crate::history::{History, OpId, Operation, Status, Value};

/// How many orders' beginnings are tried before giving up.
const STEPS: u32 = 2_000_000;

/// What an operation does, as read from its records.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::witness) struct Act {
    pub(in crate::witness) op: OpId,
    pub(in crate::witness) began: u32,
    pub(in crate::witness) ended: u32,
    pub(in crate::witness) must: bool,
    pub(in crate::witness) failed: bool,
    pub(in crate::witness) observes: Option<Value>,
    pub(in crate::witness) writes: Option<Value>,
}

/// Whether these operations show that the register of this key is not linearizable.
#[must_use]
pub fn no_order(history: &History, key: Value, operations: &[OpId]) -> bool {
    if operations.len() > 128 {
        return false;
    }
    let ops = || history.ops().filter(|op| same_key(op, key));
    let grown = ops().next().is_some_and(|op| strings::is_of_strings(history, &op));
    let acts: Vec<Act> = if grown {
        let (ops, initial) = (ops().collect::<Vec<_>>(), initial(history, key));
        match strings::acts(history, &ops, initial) {
            Some(acts) => acts,
            None => return strings::no_order(history, &ops, initial, operations),
        }
    } else {
        ops().filter_map(|op| act(history, &op)).collect()
    };
    let mut part: Vec<Act> = acts.iter().filter(|act| operations.contains(&act.op)).copied().collect();
    if part.len() != operations.len() {
        return false;
    }
    part.retain(|act| !act.failed);
    for at in 0..part.len() {
        let Some(value) = part[at].observes else { continue };
        let inside = |writer: &Act| part.iter().any(|other| other.op == writer.op);
        let outsider = possible_writers(&acts, &part[at], value).iter().any(|writer| !inside(writer));
        if outsider {
            if part[at].writes.is_none() {
                return false;
            }
            part[at].observes = None;
        }
    }
    let initials = match initial(history, key).map(|initial| if grown { strings::INITIAL } else { initial }) {
        Some(value) => vec![Some(value)],
        // Any value could have been there first: each one that is observed, and one that is not.
        None => part.iter().filter_map(|act| act.observes).map(Some).chain([None]).collect(),
    };
    initials.into_iter().all(|initial| orders(&part, initial) == Some(false))
}

/// Whether no operation of this key, whatever its outcome, wrote what this one observed, and it is no initial value.
#[must_use]
pub fn from_nowhere(history: &History, key: Value, observer: OpId) -> bool {
    if strings::is_of_strings(history, &history.op(observer)) {
        let ops: Vec<Operation<'_>> = history.ops().filter(|op| same_key(op, key)).collect();
        return strings::from_nowhere(history, &ops, initial(history, key), &history.op(observer));
    }
    let Some(seen) = act(history, &history.op(observer)).and_then(|act| act.observes) else { return false };
    let written = history
        .ops()
        .filter(|op| same_key(op, key) && op.id != observer)
        .filter_map(|op| act(history, &op))
        .any(|act| act.writes == Some(seen));
    !written && initial(history, key).is_some_and(|initial| initial != seen)
}

/// Whether two gets (or one) show an appended text in two places.
#[must_use]
pub fn two_places(history: &History, key: Value, append: OpId, gets: [OpId; 2]) -> bool {
    let ops: Vec<Operation<'_>> = history.ops().filter(|op| same_key(op, key)).collect();
    strings::two_places(history, &ops, initial(history, key), append, gets)
}

pub(in crate::witness) fn same_key(op: &Operation<'_>, key: Value) -> bool {
    op.key() == key || op.key().is_null() && key.is_null()
}

pub(in crate::witness) fn act(history: &History, op: &Operation<'_>) -> Option<Act> {
    let values = history.values();
    let ok = op.status() == Status::Ok;
    let given = if op.argument().is_null() && !op.result().is_null() && (ok || op.argument().is_absent()) {
        op.result()
    } else {
        op.argument()
    };
    let given = if given.is_absent() { Value::NULL } else { given };
    let (observes, writes) = match values.as_str(op.f())? {
        "read" if ok => (Some(if op.result().is_absent() { Value::NULL } else { op.result() }), None),
        "get" if ok => (Some(if op.result().is_null() { Value::EMPTY_STRING } else { op.result() }), None),
        "write" | "put" => (None, Some(given)),
        "cas" => match values.items(given)[..] {
            [old, new] => (Some(old), Some(new)),
            _ => return None,
        },
        _ => return None,
    };
    Some(Act {
        op: op.id,
        began: op.began(),
        ended: op.ended(),
        must: ok,
        failed: op.status() == Status::Fail,
        observes,
        writes,
    })
}

/// Who could have written what this observer saw, in some order of the whole history.
pub(super) fn possible_writers<'a>(acts: &'a [Act], observer: &Act, value: Value) -> Vec<&'a Act> {
    // Of the certain writes that were over before the observer began, the latest beginning: a write that ended before it
    // is hidden behind it.
    let hidden_before = acts
        .iter()
        .filter(|act| act.must && act.writes.is_some() && act.ended < observer.began)
        .map(|act| act.began)
        .max()
        .unwrap_or(0);
    acts.iter()
        .filter(|act| act.writes == Some(value) && !act.failed && act.op != observer.op)
        .filter(|act| act.began <= observer.ended && act.ended >= hidden_before)
        .collect()
}

pub(super) fn initial(history: &History, key: Value) -> Option<Value> {
    let values = history.values();
    // Strings are empty at first, registers hold null.
    let strings =
        history.ops().next().and_then(|op| values.as_str(op.f())).is_some_and(|f| ["get", "put"].contains(&f));
    let said = history.header_field("initial").unwrap_or(Value::NULL);
    let mine = if !key.is_null() && values.json(said, 1).starts_with('{') {
        let name = values.as_str(key).map_or_else(|| values.plain_json(key, usize::MAX), str::to_owned);
        values.get(said, &name).unwrap_or(Value::NULL)
    } else {
        said
    };
    let mine = if strings && mine.is_null() { Value::EMPTY_STRING } else { mine };
    (values.as_str(mine) != Some("unknown")).then_some(mine)
}

/// Whether some order of all that must have happened, and of some that may have, gives every observation. Nothing: given
/// up.
fn orders(part: &[Act], initial: Option<Value>) -> Option<bool> {
    let goal = part.iter().enumerate().filter(|(_, act)| act.must).fold(0u128, |goal, (at, _)| goal | 1 << at);
    let mut seen: HashSet<(u128, Option<Value>)> = HashSet::new();
    let mut stack = vec![(0u128, initial)];
    let mut steps = 0;
    while let Some((done, state)) = stack.pop() {
        if done & goal == goal {
            return Some(true);
        }
        if !seen.insert((done, state)) {
            continue;
        }
        let waiting = |at: usize| done >> at & 1 == 0;
        let due = part.iter().enumerate().filter(|(at, act)| waiting(*at) && act.must).map(|(_, act)| act.ended).min();
        let due = due.unwrap_or(u32::MAX);
        for (at, act) in part.iter().enumerate() {
            steps += 1;
            if steps > STEPS {
                return None;
            }
            let legal = act.observes.is_none_or(|value| state == Some(value));
            // Of crashed operations that do the same, the one that could begin first stands for all.
            let twin = !act.must
                && part[..at].iter().enumerate().any(|(other, twin)| {
                    waiting(other)
                        && !twin.must
                        && (twin.observes, twin.writes) == (act.observes, act.writes)
                        && twin.began <= act.began
                });
            if waiting(at) && act.began <= due && legal && !twin {
                stack.push((done | 1 << at, act.writes.or(state)));
            }
        }
    }
    Some(false)
}
