//! `serializable` and its forms, of lists: one order of all transactions.
//!
//! Lists are compared from their ends: what was appended since the list was last read, then that list itself, which is one
//! handle. So a read costs what was appended since the one before it, and not the length of its list.

use std::collections::HashMap;

use super::evidence::other;
use super::places::{Places, at};
use super::{Certificate, Claim, Ruling};
use crate::history::{History, Operation, Status, Value};

/// What the order has to keep beside the lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// Nothing.
    Plain,
    /// Each session's order.
    Session,
    /// Real time, and with it each session's order.
    Strict,
}

/// A list, as far as it was read, and what was appended since.
struct List {
    read: Value,
    since: Vec<Value>,
}

/// What became of the claim.
pub(super) fn rule(history: &History, certificate: &Certificate, claim: &Claim, order: &[u32]) -> Ruling {
    let form = match (certificate.workload.as_str(), claim.guarantee.as_str()) {
        ("list-append", "serializable") => Form::Plain,
        ("list-append", "strong-session-serializable") => Form::Session,
        ("list-append", "strict-serializable") => Form::Strict,
        _ => return other(certificate, claim),
    };
    let mut places = Places::new(history);
    let mut lists: HashMap<(Value, Value), List> = HashMap::new();
    let mut sessions: HashMap<(Value, u32), u32> = HashMap::new();
    let mut latest = 0;
    let mut reads = 0u64;
    for (step, position) in order.iter().enumerate() {
        let place = |why: String| Ruling::Refused(at(step, *position, &why));
        let op = match places.take(*position) {
            Ok(op) => op,
            Err(why) => return place(why),
        };
        if form != Form::Plain {
            let nameless = if op.session().is_absent() { op.process().0 + 1 } else { 0 };
            let last = sessions.entry((op.session(), nameless)).or_insert(op.id.0);
            if op.status() == Status::Ok && op.id.0 < *last {
                return place("its session invoked an earlier step after it".to_owned());
            }
            *last = op.id.0.max(*last);
        }
        if form == Form::Strict && op.ended() < latest {
            return place(format!("it ended before an earlier step began, at record {latest} or later"));
        }
        latest = op.began().max(latest);
        match perform(history, &op, &mut lists) {
            Ok(count) => reads += count,
            Err(why) => return place(why),
        }
    }
    if let Some(op) = places.missing().next() {
        return Ruling::Refused(format!(
            "the transaction at record {} happened, and is not in the order",
            op.position()
        ));
    }
    let keeps = match form {
        Form::Plain => "",
        Form::Session => ", in an order that keeps each session's,",
        Form::Strict => ", in an order that keeps real time and each session's order,",
    };
    if reads == 0 {
        return Ruling::Unproved("no transaction read anything: nothing could have refuted it".to_owned());
    }
    Ruling::Proved(format!(
        "{} transactions, one after the other{keeps} give all {reads} lists that were read",
        order.len()
    ))
}

/// The transaction's effect on the lists, and how many it read; or the first read that shows another list.
fn perform(history: &History, op: &Operation<'_>, lists: &mut HashMap<(Value, Value), List>) -> Result<u64, String> {
    let values = history.values();
    if values.as_str(op.f()) != Some("txn") {
        return Err("this is no transaction".to_owned());
    }
    let mut reads = 0;
    for mop in op.mops() {
        let key = (op.key(), mop.key);
        let list = lists.entry(key).or_insert_with(|| List { read: Value::EMPTY_LIST, since: Vec::new() });
        match values.as_str(mop.f) {
            Some("append") => list.since.push(mop.value),
            Some("r") if op.status() != Status::Ok => {}
            Some("r") => {
                let shown = if mop.value.is_null() { Value::EMPTY_LIST } else { mop.value };
                let mut rest = shown;
                let same = list.since.iter().rev().all(|element| match values.split_last(rest) {
                    Some((before, last)) if last == *element => {
                        rest = before;
                        true
                    }
                    _ => false,
                });
                if !same || rest != list.read {
                    let (there, given) = (values.len(list.read) + list.since.len(), values.len(shown));
                    return Err(format!(
                        "its read of key {} shows {given} elements, {}, and not the {there} that the steps before it append",
                        values.json(mop.key, 60),
                        values.json(shown, 120)
                    ));
                }
                (list.read, reads) = (shown, reads + 1);
                list.since.clear();
            }
            _ => return Err("this transaction is none over lists".to_owned()),
        }
    }
    Ok(reads)
}
