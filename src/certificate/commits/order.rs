//! Transactions in the order of the evidence: each that happened once, and session order and real time kept.

use super::Form;
use crate::certificate::places::{Places, at};
use crate::history::{History, OpId, Operation, Status};

/// A transaction at its place in the order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) op: OpId,
    /// What its session did last before it: the place of that.
    pub(super) earlier: Option<u32>,
    /// All that returned before it began is among so many first ones.
    pub(super) returned: u32,
}

/// The transactions, by place.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) placed: Vec<Placed>,
    /// The first step that is against its session's order, or against real time, and why.
    out_of_session: Option<(usize, String)>,
    out_of_time: Option<(usize, String)>,
}

impl Order {
    /// From the positions; `sessions`: by operation.
    pub(super) fn taken(history: &History, sessions: &(Vec<u32>, u32), order: &[u32]) -> Result<Order, String> {
        let (sessions, count) = (&sessions.0, sessions.1 as usize);
        let mut places = Places::new(history);
        let mut last: Vec<u32> = vec![0; count];
        let mut txn = None;
        let mut latest = 0;
        let mut taken = Order { placed: Vec::with_capacity(order.len()), out_of_session: None, out_of_time: None };
        for (step, position) in order.iter().enumerate() {
            let refuse = |why: &str| at(step, *position, why);
            let op = places.take(*position).map_err(|why| refuse(&why))?;
            if txn != Some(op.f()) {
                if history.values().as_str(op.f()) != Some("txn") {
                    return Err(refuse("this is no transaction"));
                }
                txn = Some(op.f());
            }
            // Nothing follows one of unknown outcome, so that it may come before its session's earlier ones only if these are unknown too.
            let last = &mut last[sessions[op.id.index()] as usize];
            if op.status() == Status::Ok && op.id.0 < *last {
                let why = || (step, refuse("its session invoked an earlier step after it"));
                taken.out_of_session.get_or_insert_with(why);
            }
            *last = op.id.0.max(*last);
            if op.ended() < latest {
                let why =
                    || (step, refuse(&format!("it ended before an earlier step began, at record {latest} or later")));
                taken.out_of_time.get_or_insert_with(why);
            }
            latest = op.began().max(latest);
            taken.placed.push(Placed { op: op.id, earlier: None, returned: 0 });
        }
        if let Some(op) = places.missing().next() {
            return Err(format!("the transaction at record {} happened, and is not in the order", op.position()));
        }
        taken.look_back(history, sessions, count);
        Ok(taken)
    }

    /// That it contains what a form asks.
    pub(super) fn keeps(&self, form: Form) -> Result<(), String> {
        let session = self.out_of_session.as_ref().filter(|_| form >= Form::Session);
        let time = self.out_of_time.as_ref().filter(|_| form == Form::Strict);
        match session.into_iter().chain(time).min_by_key(|(step, _)| *step) {
            Some((_, why)) => Err(why.clone()),
            None => Ok(()),
        }
    }

    /// The transactions themselves, by place.
    pub(super) fn ops<'h>(&self, history: &'h History) -> impl Iterator<Item = (u32, Operation<'h>)> {
        (0u32..).zip(&self.placed).map(|(at, one)| (at, history.op(one.op)))
    }

    /// Who came before each: in its session, and in real time.
    fn look_back(&mut self, history: &History, sessions: &[u32], count: usize) {
        const NONE: u32 = u32::MAX;
        let mut place = vec![NONE; history.len()];
        // By record: how many first ones contain all that had returned by then.
        let mut returned = vec![0; history.records() as usize + 1];
        for (at, op) in self.ops(history) {
            place[op.id.index()] = at;
            if op.status() == Status::Ok
                && let Some(by) = returned.get_mut(op.ended() as usize + 1)
            {
                *by = at + 1;
            }
        }
        let mut most = 0;
        for by in &mut returned {
            most = most.max(*by);
            *by = most;
        }
        let mut last: Vec<Option<u32>> = vec![None; count];
        for op in history.ops() {
            let at = place[op.id.index()];
            let Some(one) = self.placed.get_mut(at as usize) else { continue };
            let last = &mut last[sessions[op.id.index()] as usize];
            one.returned = returned.get(op.began() as usize).copied().unwrap_or(most);
            one.earlier = *last;
            if op.status() == Status::Ok {
                *last = Some(at);
            }
        }
    }
}
