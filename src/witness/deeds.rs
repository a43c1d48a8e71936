//! What reads and writes did, in words, whatever the vocabulary calls them.

use super::objects::Deed;
use super::recheck::objects::act;
use super::sessions::Access;
use crate::history::{History, Value};

/// How long a value's text may get.
const VALUE_TEXT: usize = 80;

/// Whether an access writes: of a `cas`, the second one does.
#[must_use]
pub fn writes(history: &History, access: Access) -> bool {
    let (op, values) = (history.op(access.op), history.values());
    match op.mops().get(access.mop as usize) {
        Some(mop) => values.as_str(mop.f) == Some("append"),
        None => match values.as_str(op.f()) {
            Some("read" | "get") => false,
            Some("cas") => access.mop == 1,
            _ => true,
        },
    }
}

/// What an access did to its object.
#[must_use]
pub fn deed(history: &History, access: Access) -> Deed {
    let (op, values) = (history.op(access.op), history.values());
    let text = value(history, access);
    let is_write = writes(history, access);
    let at_node = match op.node() {
        Value::ABSENT | Value::NULL => String::new(),
        node => format!(" at node {}", values.json(node, VALUE_TEXT)),
    };
    let of = |letter, did: String, meant: String| Deed { letter, did, meant };
    match (values.as_str(op.f()), is_write) {
        (Some("txn"), true) => of('T', format!("appended {text}"), format!("append {text}")),
        (Some("txn"), false) => of('T', format!("read {text}{at_node}"), "read".to_owned()),
        (Some("cas"), true) => of('C', format!("put {text} in place"), format!("put {text} in place")),
        (Some("cas"), false) => of('C', format!("found {text}{at_node}"), format!("find {text}")),
        (Some("put"), _) => of('P', format!("put {text}"), format!("put {text}")),
        (Some("get"), _) => of('G', format!("got {text}{at_node}"), "get".to_owned()),
        (_, true) => of('W', format!("wrote {text}"), format!("write {text}")),
        (_, false) => of('R', format!("read {text}{at_node}"), "read".to_owned()),
    }
}

/// What an access read or wrote: of a list that was read, all of it.
#[must_use]
pub fn value(history: &History, access: Access) -> String {
    let (op, values) = (history.op(access.op), history.values());
    if let Some(mop) = op.mops().get(access.mop as usize) {
        let nothing = mop.value.is_null() && !writes(history, access);
        return values.json(if nothing { Value::EMPTY_LIST } else { mop.value }, VALUE_TEXT);
    }
    let act = act(history, &op);
    let value = act.and_then(|act| if writes(history, access) { act.writes } else { act.observes });
    values.json(value.unwrap_or(Value::NULL), VALUE_TEXT)
}

/// The object that an access is about; absent where the history has one only.
#[must_use]
pub fn key(history: &History, access: Access) -> Value {
    let op = history.op(access.op);
    let key = op.mops().get(access.mop as usize).map_or(op.key(), |mop| mop.key);
    if key.is_null() && op.mops().is_empty() { Value::ABSENT } else { key }
}

/// Nanoseconds as milliseconds where they are some, never rounded up.
#[must_use]
pub fn duration(ns: i64) -> String {
    let (unit, name) = match ns {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..10_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let (whole, tenths) = (ns / unit, ns % unit * 10 / unit);
    if tenths > 0 && whole < 100 { format!("{whole}.{tenths} {name}") } else { format!("{whole} {name}") }
}

/// The same to the nanosecond, for what somebody has set: in the largest unit that leaves nothing over.
#[must_use]
pub fn exactly(ns: i64) -> String {
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns")];
    let unit = units.into_iter().find(|(unit, _)| ns % unit == 0 && ns != 0).unwrap_or((1, "ns"));
    format!("{} {}", ns / unit.0, unit.1)
}
