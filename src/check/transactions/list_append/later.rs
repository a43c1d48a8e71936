//! Versions that others installed *later*, not merely next: what the weaker guarantees speak of.
//!
//! A read returns a version of another transaction and, after that, its own transaction's appends so far. The version is what it
//! saw: `ax2 rx[1 2]` has read version `[1]`, and by that whoever appended 1. (The list is a version of the reader itself, which
//! nobody else need have written; that it shows `[1]` below it is an observation all the same.)

use super::explain::Explainer;
use super::mop;
use super::versions::{ASTRAY, UNOBSERVED};
use crate::history::{OpId, Value};
use crate::witness::list_append::{Dependency, Mop, Order, Why};
use crate::workload::list_append::{ListAppend, MicroOp};

/// A version of another transaction, or the initial one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Version {
    /// How many elements it has.
    pub(super) length: usize,
    /// The append of its last element.
    pub(super) writer: Option<u32>,
    /// How many appends of the reader itself the read shows after it.
    pub(super) own: usize,
}

/// The version that a read of this list shows to this transaction.
pub(super) fn version(typed: &ListAppend<'_>, reader: u32, key: u32, list: Value) -> Version {
    let values = typed.history().values();
    let (mut rest, mut own) = (list, 0);
    while let Some((parent, element)) = values.split_last(rest) {
        let writer = typed.append_of(key, element);
        if writer.is_none_or(|place| typed.appends()[place as usize].transaction != reader) {
            return Version { length: values.len(rest), writer, own };
        }
        (rest, own) = (parent, own + 1);
    }
    Version { length: 0, writer: None, own }
}

impl Explainer<'_> {
    /// That a read lacks the last append of `writer` to its object, which came after all that it shows.
    pub(super) fn missed(&self, reader: u32, read: u32, writer: u32, members: &[u32]) -> Option<Dependency> {
        let MicroOp::Read { key, list: Some(list) } = self.typed.mop(read) else { return None };
        let from = self.typed.history().values().len(list);
        let (later, order) = self.comes_after(key, from, writer, members)?;
        let why = Why::ReadWrite { read: mop(self.typed, reader, read), later, order };
        Some(Dependency { from: OpId(reader), to: OpId(writer), why })
    }

    /// That `later` appended to an object after `earlier` had.
    pub(super) fn overwrote(&self, key: u32, earlier: u32, later: u32, members: &[u32]) -> Option<Dependency> {
        let appends = self.typed.mops(earlier).rev().filter_map(|at| match self.typed.mop(at) {
            MicroOp::Append { key: object, element } if object == key => Some((at, self.position(key, element))),
            _ => None,
        });
        let (at, position) = appends.into_iter().find(|(_, position)| *position < ASTRAY)?;
        let (append, order) = self.comes_after(key, position as usize + 1, later, members)?;
        let why = Why::WriteWrite { earlier: mop(self.typed, earlier, at), later: append, order };
        Some(Dependency { from: OpId(earlier), to: OpId(later), why })
    }

    /// A transaction's last append to an object, which came after so many elements, and what shows that.
    fn comes_after(&self, key: u32, from: usize, writer: u32, members: &[u32]) -> Option<(Mop, Order)> {
        let (at, element) = self.typed.mops(writer).rev().find_map(|at| match self.typed.mop(at) {
            MicroOp::Append { key: object, element } if object == key => Some((at, element)),
            _ => None,
        })?;
        let position = self.position(key, element);
        let least = if position == UNOBSERVED { self.versions.order_of(key).len() } else { position as usize + 1 };
        if position != UNOBSERVED && (position == ASTRAY || (position as usize) < from) {
            return None;
        }
        let read = self.shown_by(key, least, members)?;
        let shown = mop(self.typed, read.transaction, read.mop);
        let order = if position == UNOBSERVED { Order::Unobserved(shown) } else { Order::Shown(shown) };
        Some((mop(self.typed, writer, at), order))
    }

    /// That a read shows a version of `writer`.
    pub(super) fn saw(&self, reader: u32, read: u32, writer: u32) -> Option<Dependency> {
        let (from, why) = self.version_read(reader, read)?;
        (from == writer).then_some(Dependency { from: OpId(from), to: OpId(reader), why })
    }

    /// Two appends to an object that nobody read, in this order.
    pub(super) fn suppose(&self, key: u32, earlier: u32, later: u32) -> Option<Dependency> {
        let (first, second) = (self.unobserved(key, earlier)?, self.unobserved(key, later)?);
        let why = Why::Supposed { earlier: mop(self.typed, earlier, first), later: mop(self.typed, later, second) };
        Some(Dependency { from: OpId(earlier), to: OpId(later), why })
    }
}
