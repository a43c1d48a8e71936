//! Confirms, from the history alone, what final reads show.
//!
//! Cost: scans of the history.

use super::accesses::returned;
use super::objects::{act, initial, same_key};
use crate::history::{History, Operation, Status, Value};
use crate::witness::sessions::Access;

/// Whether two final reads of one key, begun after all its acknowledged writes had completed, differ in a way that no write of
/// unknown outcome explains.
#[must_use]
pub fn diverged(history: &History, a: Access, b: Access) -> bool {
    let (Some(first), Some(second)) = (returned(history, a), returned(history, b)) else { return false };
    let ops = [history.op(a.op), history.op(b.op)];
    if first == second || !ops.iter().all(Operation::is_final) || ops[0].key() != ops[1].key() {
        return false;
    }
    let begun = ops[0].began().min(ops[1].began());
    match (ops[0].mops().get(a.mop as usize), ops[1].mops().get(b.mop as usize)) {
        (Some(one), Some(other)) => {
            one.key == other.key && lists_differ(history, &ops[0], one.key, [first, second], begun)
        }
        (None, None) => registers_differ(history, ops[0].key(), [first, second], begun),
        _ => false,
    }
}

fn registers_differ(history: &History, key: Value, values: [Value; 2], begun: u32) -> bool {
    let acts: Vec<_> = history.ops().filter(|op| same_key(op, key)).filter_map(|op| act(history, &op)).collect();
    let quiet =
        acts.iter().filter(|act| act.must && act.writes.is_some()).all(|act| history.op(act.op).ended() < begun);
    let settled = |value: Value| {
        let writers: Vec<_> = acts.iter().filter(|act| !act.failed && act.writes == Some(value)).collect();
        let seen_before =
            || acts.iter().any(|act| act.must && act.observes == Some(value) && history.op(act.op).ended() < begun);
        let only = writers.len() == 1 && initial(history, key) != Some(value);
        writers.iter().all(|act| act.must) || only && seen_before()
    };
    quiet && values.into_iter().all(settled)
}

fn lists_differ(history: &History, read: &Operation<'_>, key: Value, lists: [Value; 2], begun: u32) -> bool {
    let values = history.values();
    let [a, b] = lists.map(|list| values.items(list));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut extra: std::collections::HashSet<Value> = long[short.len()..].iter().copied().collect();
    let is = |f: Value, name: &str| values.as_str(f) == Some(name);
    let mut quiet = true;
    for op in history.ops().filter(|op| op.key() == read.key()) {
        for mop in op.mops().iter().filter(|mop| mop.key == key) {
            if is(mop.f, "append") {
                quiet &= op.status() != Status::Ok || op.ended() < begun;
            }
        }
    }
    if !long.starts_with(&short) {
        return quiet;
    }
    // What remains is explained: an append of unknown outcome that nobody had seen yet.
    let all = extra.len();
    let mut explained = 0;
    let mut shown: Vec<Value> = Vec::new();
    for op in history.ops().filter(|op| op.key() == read.key()) {
        for mop in op.mops().iter().filter(|mop| mop.key == key) {
            if is(mop.f, "append") && op.status() == Status::Info && extra.contains(&mop.value) {
                explained += 1;
            } else if is(mop.f, "r") && op.status() == Status::Ok && op.ended() < begun {
                shown.push(mop.value);
            }
        }
    }
    let longest = shown.into_iter().filter(|list| list.is_list()).max_by_key(|list| values.len(*list));
    extra.retain(|element| longest.is_none_or(|list| !values.items(list).contains(element)));
    quiet && (explained < all || extra.len() < all)
}

/// Whether a read returned what only failed writes wrote.
#[must_use]
pub fn shows_failed(history: &History, read: Access) -> bool {
    let op = history.op(read.op);
    let Some(seen) = returned(history, read) else { return false };
    if let Some(mop) = op.mops().get(read.mop as usize) {
        let values = history.values();
        let Some((_, last)) = values.split_last(seen) else { return false };
        let appends = |other: &Operation<'_>| {
            let one = |own: &crate::history::MicroOp| {
                own.key == mop.key && own.value == last && values.as_str(own.f) == Some("append")
            };
            other.key() == op.key() && other.mops().iter().any(one)
        };
        return history.ops().filter(appends).all(|other| other.status() == Status::Fail);
    }
    let writers = history.ops().filter(|other| same_key(other, op.key())).filter_map(|other| act(history, &other));
    writers.filter(|act| act.writes == Some(seen)).all(|act| act.failed) && initial(history, op.key()) != Some(seen)
}

/// Whether two reads of one key returned different values, and their records say the same of what they had seen.
#[must_use]
pub fn same_knowledge(history: &History, a: Access, b: Access) -> bool {
    let (Some(first), Some(second)) = (returned(history, a), returned(history, b)) else { return false };
    let ops = [history.op(a.op), history.op(b.op)];
    let keys = [(0, a), (1, b)]
        .map(|(at, read): (usize, Access)| (ops[at].key(), ops[at].mops().get(read.mop as usize).map(|mop| mop.key)));
    first != second
        && keys[0] == keys[1]
        && said(history, &ops[0]).is_some_and(|seen| said(history, &ops[1]) == Some(seen))
}

/// What a read's record says that it had seen: updates in any order, or a version vector.
#[must_use]
pub fn said(history: &History, op: &Operation<'_>) -> Option<serde_json::Value> {
    let text = history.origin().json(op.completed()?)?;
    let record: serde_json::Value = serde_json::from_str(&text).ok()?;
    let fields = ["seen", "vv", "version-vector", "version_vector"];
    let mut said = fields.iter().find_map(|name| record.get(*name).filter(|said| !said.is_null()))?.clone();
    if let Some(updates) = said.as_array_mut() {
        updates.sort_by_key(ToString::to_string);
        updates.dedup();
    }
    Some(said)
}

/// The first failed write, or append, of what a final read shows, and whether it is the only one.
#[must_use]
pub fn failed_writer(history: &History, read: Access) -> Option<(Access, bool)> {
    let op = history.op(read.op);
    let seen = returned(history, read)?;
    let values = history.values();
    let of = |other: Operation<'_>| match op.mops().get(read.mop as usize) {
        Some(mop) if other.key() == op.key() => {
            let (_, last) = values.split_last(seen)?;
            let mut mops = (0..).zip(other.mops());
            let is = |own: &crate::history::MicroOp| {
                own.key == mop.key && own.value == last && values.as_str(own.f) == Some("append")
            };
            mops.find(|(_, own)| is(own)).map(|(mop, _)| Access { op: other.id, mop })
        }
        Some(_) => None,
        None => {
            let act = act(history, &other).filter(|_| same_key(&other, op.key()))?;
            let mop = u32::from(values.as_str(other.f()) == Some("cas"));
            (act.writes == Some(seen)).then_some(Access { op: other.id, mop })
        }
    };
    let mut failed = history.ops().filter(|other| other.status() == Status::Fail).filter_map(of);
    Some((failed.next()?, failed.next().is_none()))
}
