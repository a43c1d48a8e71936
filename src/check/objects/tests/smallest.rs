//! Whether a witness is as small as it says, by trying every smaller one: from the records, with nothing of the checker.
//!
//! A part of a history says something of the whole only if it is *closed*: a read stays with every write that it can have
//! seen. (A write can't have been seen where it began too late, or where another one of the part lay wholly between it and
//! the read; if so for all that there are, one of them is shown.) A compare-and-set without these is a plain write.

use std::collections::HashSet;

use crate::guarantee::Anomaly;
use crate::history::{History, Operation, Status, Value};
use crate::verdict::Finding;
use crate::witness::Minimality;

#[derive(Clone, Copy, Debug)]
struct Act {
    position: u32,
    began: u32,
    ended: u32,
    sure: bool,
    observes: Option<Value>,
    writes: Option<Value>,
}

/// Panics where the finding's witness is not as small as it says. Says whether there was anything to try: anomalies that
/// name what was seen (an aborted write, say) claim more than that there is no order, and are left out, and so is a minimum
/// beside them, which is one of its kind only.
pub(super) fn is_true(history: &History, finding: &Finding, alone: bool) -> bool {
    let witness = finding.witness.as_ref().expect("a witness");
    assert_ne!(witness.minimality, Minimality::Bounded, "{history:?}\n{finding:?}");
    let minimum = witness.minimality == Minimality::Minimum;
    if finding.anomaly != Anomaly::NonLinearizable || minimum && !alone {
        return false;
    }
    let key = history.ops().find(|op| witness.operations.contains(&op.position())).expect("an operation").key();
    let acts: Vec<Act> = history.ops().filter(|op| op.key() == key).filter_map(|op| act(history, &op)).collect();
    let initials = initials(history, &acts);
    let has_order = |part: &[Act]| initials.iter().any(|initial| place(part, 0, *initial, &mut HashSet::new()));
    let chosen: Vec<Act> = acts.iter().filter(|act| witness.operations.contains(&act.position)).copied().collect();
    assert!(!has_order(&close(&acts, &chosen, &initials)), "{history:?}\n{finding:?}");
    if !minimum {
        for left_out in 0..chosen.len() {
            let mut fewer = chosen.clone();
            fewer.remove(left_out);
            let fewer = close(&acts, &fewer, &initials);
            assert!(has_order(&fewer), "{history:?}\n{finding:?}\n{fewer:?} has no order either");
        }
        return true;
    }
    for subset in 0u32..1 << acts.len() {
        if (subset.count_ones() as usize) < chosen.len() {
            let fewer: Vec<Act> = (0..acts.len()).filter(|at| subset >> at & 1 == 1).map(|at| acts[at]).collect();
            let fewer = close(&acts, &fewer, &initials);
            assert!(has_order(&fewer), "{history:?}\n{finding:?}\n{fewer:?} has no order either");
        }
    }
    true
}

fn act(history: &History, op: &Operation<'_>) -> Option<Act> {
    let argument = if op.argument().is_absent() { op.result() } else { op.argument() };
    let parts = history.values().items(argument);
    let (observes, writes) = match history.values().as_str(op.f()).expect("a name") {
        "read" => (Some(op.result()), None),
        "write" => (None, Some(argument)),
        _ => (Some(parts[0]), Some(parts[1])),
    };
    let sure = op.status() == Status::Ok;
    let counts = op.status() != Status::Fail && (sure || writes.is_some());
    let (began, ended) = (op.began(), op.ended());
    counts.then_some(Act { position: op.position(), began, ended, sure, observes, writes })
}

fn initials(history: &History, acts: &[Act]) -> Vec<Value> {
    let said = history.header_field("initial").expect("always given");
    if history.values().as_str(said) == Some("unknown") {
        acts.iter().filter_map(|act| act.observes).chain([Value::FALSE]).collect()
    } else {
        vec![said]
    }
}

fn close(all: &[Act], chosen: &[Act], initials: &[Value]) -> Vec<Act> {
    let inside = |act: &&Act| chosen.iter().any(|other| other.position == act.position);
    let is_closed = |observer: &Act, value: Value| {
        let writes = |writer: &Act| writer.position != observer.position && writer.writes == Some(value);
        let hides = |writer: &Act, between: &Act| {
            between.sure && between.writes.is_some() && writer.ended < between.began && between.ended < observer.began
        };
        let hidden = |writer: &Act| chosen.iter().any(|between| hides(writer, between));
        let writers: Vec<&Act> = all.iter().filter(|act| writes(act)).collect();
        let mut visible = writers.iter().copied().filter(|it| it.began <= observer.ended && !hidden(it)).peekable();
        if visible.peek().is_some() {
            return visible.all(|writer| inside(&writer));
        }
        initials.contains(&value) || writers.is_empty() || writers.into_iter().any(|writer| inside(&writer))
    };
    let mut part = Vec::new();
    for act in chosen {
        match act.observes {
            Some(value) if !is_closed(act, value) => {
                if act.writes.is_some() {
                    part.push(Act { observes: None, ..*act });
                }
            }
            _ => part.push(*act),
        }
    }
    part
}

fn place(part: &[Act], done: u32, state: Value, seen: &mut HashSet<(u32, Value)>) -> bool {
    let left = || part.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
    let Some(due) = left().filter(|(_, act)| act.sure).map(|(_, act)| act.ended).min() else { return true };
    seen.insert((done, state))
        && left().filter(|(_, act)| act.began <= due).any(|(at, act)| {
            act.observes.is_none_or(|value| value == state)
                && place(part, done | 1 << at, act.writes.unwrap_or(state), seen)
        })
}
