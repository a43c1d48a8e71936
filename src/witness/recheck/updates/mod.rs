//! Confirms, from the history alone, what is claimed of sets and counters.
//!
//! Cost: scans of the history.

pub(in crate::witness) mod counter;
pub(in crate::witness) mod set;

use super::staleness::Clock;
use crate::guarantee::Anomaly;
use crate::history::{History, OpId, Operation, Status};
use crate::witness::updates::{Claim, Says, Shape};

/// Whether the whole history bears out a claim of this anomaly.
#[must_use]
pub fn holds(history: &History, anomaly: Anomaly, claim: &Claim) -> bool {
    let (holds, behind) = match &claim.shape {
        Shape::Set(shape) => {
            (set::holds(history, anomaly, claim.says, shape, &claim.elements), set::behind(history, shape))
        }
        Shape::Counter(shape) => {
            let holds = claim.elements.is_empty() && counter::holds(history, anomaly, claim.says, shape);
            (holds, counter::behind(history, shape))
        }
    };
    let since = |by: OpId| {
        let read = claim.shape.read()?;
        Clock::between(history, i64::from(history.op(by).ended()), &history.op(read))
    };
    let measured = match (claim.says, behind) {
        (Says::Behind { updates, age_ns }, Some((most, by))) => updates == most && age_ns == since(by),
        (Says::Overdue { age_ns, within_ns }, Some((_, by))) => age_ns > within_ns && Some(age_ns) == since(by),
        (Says::Behind { .. } | Says::Overdue { .. }, None) => false,
        (Says::Unexplained | Says::InTheEnd, _) => true,
    };
    holds && measured
}

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

/// Whether a read is marked as final.
fn is_marked(history: &History, read: OpId) -> bool {
    let read = history.op(read);
    read.is_final() && history.values().as_str(read.f()) == Some("read")
}

/// Whether a read is marked as final, and all updates of its object that succeeded had completed before it began.
fn is_final(history: &History, read: OpId, updates: &[&'static str]) -> bool {
    let read = history.op(read);
    let late = |f: &&'static str| {
        of_object(history, read.id, f).any(|update| update.status() == Status::Ok && update.ended() >= read.began())
    };
    read.is_final() && !updates.iter().any(late)
}
