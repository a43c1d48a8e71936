//! What reads and writes did, in words, whatever the vocabulary calls them.

use crate::history::View;
use crate::witness::objects::Deed;
use crate::workload::accesses::Accesses;

/// How long a value's text may get.
const VALUE_TEXT: usize = 80;

/// What a row's operation did to the row's object.
pub(in crate::check) fn deed(accesses: &Accesses<'_>, row: u32) -> Deed {
    let values = accesses.history.values();
    let text = value(accesses, row);
    let is_write = accesses.writes[row as usize];
    let operation = accesses.operation(row);
    let at_node = match accesses.node_of(row) {
        Some(node) if !is_write => format!(" at node {}", values.json(accesses.nodes[node as usize], VALUE_TEXT)),
        _ => String::new(),
    };
    let of = |letter, did: String, meant: String| Deed { letter, did, meant };
    match (values.as_str(operation.f()), is_write) {
        (Some("txn"), true) => of('T', format!("appended {text}"), format!("append {text}")),
        (Some("txn"), false) => of('T', format!("read {text}{at_node}"), "read".to_owned()),
        (Some("cas"), true) => of('C', format!("put {text} in place"), format!("put {text} in place")),
        (Some("cas"), false) => of('C', format!("found {text}{at_node}"), format!("find {text}")),
        (_, true) => of('W', format!("wrote {text}"), format!("write {text}")),
        (_, false) => of('R', format!("read {text}{at_node}"), "read".to_owned()),
    }
}

/// What a row read or wrote: of a list that was read, all of it.
pub(in crate::check) fn value(accesses: &Accesses<'_>, row: u32) -> String {
    let values = accesses.history.values();
    let operation = accesses.operation(row);
    let at = accesses.mop[row as usize] as usize;
    match operation.mops().get(at) {
        Some(mop) if !accesses.writes[row as usize] => match values.view(mop.value) {
            View::Null => "[]".to_owned(),
            _ => values.json(mop.value, VALUE_TEXT),
        },
        _ => values.json(accesses.version_value[accesses.version[row as usize] as usize], VALUE_TEXT),
    }
}

/// Nanoseconds as milliseconds where they are some, never rounded up.
pub(in crate::check) fn duration(ns: i64) -> String {
    let (unit, name) = match ns {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..10_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let (whole, tenths) = (ns / unit, ns % unit * 10 / unit);
    if tenths > 0 && whole < 100 { format!("{whole}.{tenths} {name}") } else { format!("{whole} {name}") }
}
