//! Transactions in the order of the evidence: each that happened once, and session order and real time kept.

use super::Form;
use crate::certificate::Map;
use crate::certificate::places::{Places, at};
use crate::history::{History, Operation, Status, Value};

/// A session: its name, or the process where it has none.
type Session = (Value, u32);

/// A transaction at its place in the order.
pub(super) struct Placed<'a> {
    pub(super) op: Operation<'a>,
    /// What its session did last before it: the place of that.
    pub(super) earlier: Option<u32>,
    /// All that returned before it began is among so many first ones.
    pub(super) returned: u32,
}

/// The transactions, by place.
pub(super) fn taken<'a>(history: &'a History, order: &[u32], form: Form) -> Result<Vec<Placed<'a>>, String> {
    let mut places = Places::new(history);
    let mut last: Map<Session, u32> = Map::default();
    let mut latest = 0;
    let mut placed: Vec<Placed<'_>> = Vec::with_capacity(order.len());
    for (step, position) in order.iter().enumerate() {
        let refuse = |why: &str| at(step, *position, why);
        let op = places.take(*position).map_err(|why| refuse(&why))?;
        if history.values().as_str(op.f()) != Some("txn") {
            return Err(refuse("this is no transaction"));
        }
        // Nothing follows one of unknown outcome, so that it may come before its session's earlier ones only if these are unknown too.
        let last = last.entry(session(&op)).or_insert(op.id.0);
        if form >= Form::Session && op.status() == Status::Ok && op.id.0 < *last {
            return Err(refuse("its session invoked an earlier step after it"));
        }
        *last = op.id.0.max(*last);
        if form == Form::Strict && op.ended() < latest {
            return Err(refuse(&format!("it ended before an earlier step began, at record {latest} or later")));
        }
        latest = op.began().max(latest);
        placed.push(Placed { op, earlier: None, returned: 0 });
    }
    if let Some(op) = places.missing().next() {
        return Err(format!("the transaction at record {} happened, and is not in the order", op.position()));
    }
    look_back(history, &mut placed);
    Ok(placed)
}

fn session(op: &Operation<'_>) -> Session {
    (op.session(), if op.session().is_absent() { op.process().0 + 1 } else { 0 })
}

/// Who came before each: in its session, and in real time.
fn look_back(history: &History, placed: &mut [Placed<'_>]) {
    const NONE: u32 = u32::MAX;
    let mut place = vec![NONE; history.len()];
    // By record: how many first ones contain all that had returned by then.
    let mut returned = vec![0; history.records() as usize + 1];
    for (at, one) in (0u32..).zip(placed.iter()) {
        place[one.op.id.index()] = at;
        if one.op.status() == Status::Ok
            && let Some(by) = returned.get_mut(one.op.ended() as usize + 1)
        {
            *by = at + 1;
        }
    }
    let mut most = 0;
    for by in &mut returned {
        most = most.max(*by);
        *by = most;
    }
    let mut last: Map<Session, u32> = Map::default();
    for op in history.ops() {
        let at = place[op.id.index()];
        let Some(one) = placed.get_mut(at as usize) else { continue };
        one.returned = returned.get(op.began() as usize).copied().unwrap_or(most);
        one.earlier = last.get(&session(&op)).copied();
        if op.status() == Status::Ok {
            last.insert(session(&op), at);
        }
    }
}
