//! From positions to operations, and what every order is asked: nothing twice, nothing that failed.

use crate::history::{History, OpId, Operation, Status};

const NONE: u32 = u32::MAX;

/// Operations by position, and which of them an order has had.
pub(super) struct Places<'a> {
    history: &'a History,
    /// The operation that each position names.
    at: Vec<u32>,
    had: Vec<bool>,
}

impl<'a> Places<'a> {
    pub(super) fn new(history: &'a History) -> Places<'a> {
        let mut at = vec![NONE; history.records() as usize];
        for op in history.ops() {
            if let Some(place) = at.get_mut(op.position() as usize) {
                *place = op.id.0;
            }
        }
        Places { history, at, had: vec![false; history.len()] }
    }

    /// The operation at a position that an order names, taken; or what is wrong with naming it.
    pub(super) fn take(&mut self, position: u32) -> Result<Operation<'a>, String> {
        let id = self.at.get(position as usize).copied().filter(|id| *id != NONE);
        let Some(id) = id else { return Err("no operation is named by this record".to_owned()) };
        let op = self.history.op(OpId(id));
        if std::mem::replace(&mut self.had[op.id.index()], true) {
            return Err("this operation was there before".to_owned());
        }
        if op.status() == Status::Fail {
            return Err("this operation failed: it has no place in any order".to_owned());
        }
        Ok(op)
    }

    /// The operations that certainly happened, and that no order has.
    pub(super) fn missing(&self) -> impl Iterator<Item = Operation<'a>> {
        self.history.ops().filter(|op| op.status() == Status::Ok && !self.had[op.id.index()])
    }
}

/// What is wrong, and where.
pub(super) fn at(step: usize, position: u32, why: &str) -> String {
    format!("step {} (record {position}): {why}", step + 1)
}
