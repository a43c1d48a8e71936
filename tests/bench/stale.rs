//! Stale reads of values that are written again and again: one more than the operations of unknown outcome can explain.
//!
//! Of the value that fewest such operations write, each of these reads needs one of its own: every certain write of the value
//! was replaced before the read began, and something else was certainly written between one of these reads and the next.
//! So whatever the clients of unknown outcome did, no order exists; and only counting tells.

use std::io::{self, BufRead as _, Write};

use anachron::generate::{Options, generate};
use serde_json::Value;

/// Where the reads stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Start,
    Middle,
    End,
}

/// What a register's operation did, by the numbers of its records.
struct Operation {
    began: usize,
    /// None where nobody knows whether it happened.
    ended: Option<usize>,
    writes: Option<Value>,
}

/// Writes a history of one register with values that repeat, and such reads at this place.
pub(crate) fn write(options: &Options, place: Place, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    generate(options, &mut text)?;
    let mut records: Vec<Value> =
        text.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect::<io::Result<_>>()?;
    let operations = operations(&records);
    let Some((value, unknown)) = rarest(&operations) else { return out.write_all(&text) };
    let share = match place {
        Place::Start => 10,
        Place::Middle => 50,
        Place::End => 90,
    };
    let (mut left, mut after) = (unknown + 1, records.len() * share / 100);
    for read in operations.iter().filter(|operation| operation.writes.is_none()) {
        let Some(ended) = read.ended.filter(|_| left > 0 && read.began >= after) else { continue };
        if is_stale(&operations, &value, read.began, ended, after) {
            records[ended]["value"] = value.clone();
            (left, after) = (left - 1, ended);
        }
    }
    if left > 0 {
        return Err(io::Error::other(format!("{options:?} leaves no room for stale reads")));
    }
    for record in records {
        serde_json::to_writer(&mut *out, &record)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The operations that did not fail, in order of beginning.
fn operations(records: &[Value]) -> Vec<Operation> {
    let mut open = std::collections::BTreeMap::new();
    let mut operations = Vec::new();
    let operation = |began: usize, ended: Option<usize>| {
        let writes = match records[began]["f"].as_str() {
            Some("write") => Some(records[began]["value"].clone()),
            Some("cas") => Some(records[began]["value"][1].clone()),
            _ => None,
        };
        Operation { began, ended, writes }
    };
    for (at, record) in records.iter().enumerate() {
        let process = record["process"].as_u64();
        match record["type"].as_str() {
            Some("invoke") => _ = open.insert(process, at),
            Some("ok") => operations.extend(open.remove(&process).map(|began| operation(began, Some(at)))),
            Some("fail") => _ = open.remove(&process),
            _ => operations.extend(open.remove(&process).map(|began| operation(began, None))),
        }
    }
    operations.extend(open.into_values().map(|began| operation(began, None)));
    operations.sort_by_key(|operation| operation.began);
    operations
}

/// The value that fewest operations of unknown outcome write, and how many do.
fn rarest(operations: &[Operation]) -> Option<(Value, usize)> {
    let unknown =
        |value: &Value| operations.iter().filter(|it| it.ended.is_none() && it.writes.as_ref() == Some(value)).count();
    let mut values: Vec<&Value> = operations.iter().filter_map(|operation| operation.writes.as_ref()).collect();
    values.sort_by_key(|value| value.as_u64());
    values.dedup();
    values.into_iter().map(|value| (value.clone(), unknown(value))).min_by_key(|(_, unknown)| *unknown)
}

/// Whether a read in this time would be stale if it returned this value, and something else was certainly written since the
/// position `after`.
fn is_stale(operations: &[Operation], value: &Value, began: usize, ended: usize, after: usize) -> bool {
    // Operations are in order of beginning, and few are under way at a time.
    let upto = operations.partition_point(|operation| operation.began <= ended);
    let others = operations[..upto].iter().rev().filter(|other| {
        other.writes.as_ref().is_some_and(|written| written != value) && other.ended.is_some_and(|end| end < began)
    });
    let Some(newest) = others.map(|other| other.began).next() else { return false };
    newest > after
        && operations[..upto].iter().rev().take(1000).all(|other| {
            let certain = other.ended.filter(|_| other.writes.as_ref() == Some(value));
            certain.is_none_or(|end| end < newest)
        })
}
