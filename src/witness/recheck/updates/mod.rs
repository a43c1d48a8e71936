//! Confirms, from the history alone, what is claimed of sets and counters.
//!
//! Cost: scans of the history.

pub mod counter;
pub mod set;

use crate::history::{History, OpId, Operation, Status};

/// Whether one was over before the other began.
fn precedes(a: &Operation<'_>, b: &Operation<'_>) -> bool {
    a.status() == Status::Ok && a.ended() < b.began()
}

/// Whether one session did both, the first one first.
fn same_session(a: &Operation<'_>, b: &Operation<'_>) -> bool {
    let named = !a.session().is_absent() || !b.session().is_absent();
    a.id < b.id && a.session() == b.session() && (named || a.process() == b.process())
}

/// The other operations of one object, by function.
fn of_object<'h>(history: &'h History, op: OpId, f: &'static str) -> impl Iterator<Item = Operation<'h>> {
    let key = history.op(op).key();
    let same = move |other: &Operation<'_>| other.key() == key || other.key().is_null() && key.is_null();
    history.ops().filter(move |other| same(other) && history.values().as_str(other.f()) == Some(f))
}

/// Whether a read is marked as final, and all updates of its object that succeeded had completed before it began.
fn is_final(history: &History, read: OpId, updates: &[&'static str]) -> bool {
    let read = history.op(read);
    let late = |f: &&'static str| {
        of_object(history, read.id, f).any(|update| update.status() == Status::Ok && update.ended() >= read.began())
    };
    read.is_final() && !updates.iter().any(late)
}
