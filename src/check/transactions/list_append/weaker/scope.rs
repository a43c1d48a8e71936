//! The transactions that can take part in a cycle, as axioms see them.
//!
//! Each guarantee here implies read-committed, and is judged only where that holds. So every read shows a version that its writer left
//! behind, each transaction's appends to an object stand together in the object's order, and what breaks the guarantee is a cycle of
//! dependencies: nothing outside the graph's cyclic part matters. Who else wrote what its members read is there too, with its
//! versions and nothing more.

use super::super::edges::happened_last;
use super::super::later::{Version, version};
use super::super::versions::{ASTRAY, Versions};
use crate::budget::Meter;
use crate::check::transactions::view::{INITIAL, Read, TxnView, Write};
use crate::graph::Part;
use crate::history::Status;
use crate::verdict::StoppedBy;
use crate::workload::list_append::{ListAppend, MicroOp};

/// What is looked at.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) typed: &'a ListAppend<'a>,
    pub(super) versions: &'a Versions,
    /// The graph's cyclic part; its vertices are the members by local number.
    pub(super) part: &'a Part,
    pub(super) view: TxnView,
    /// By local number, what a transaction is called: members, then the others.
    names: Vec<u32>,
    members: usize,
}

/// A read of another transaction's version.
#[derive(Clone, Copy, Debug)]
pub(super) struct External {
    pub(super) key: u32,
    /// The micro-operation, counted over the whole history.
    pub(super) mop: u32,
    pub(super) version: Version,
    /// Who wrote it, over the whole history; or [`INITIAL`].
    pub(super) writer: u32,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        typed: &'a ListAppend<'a>,
        versions: &'a Versions,
        part: &'a Part,
        meter: &mut Meter<'_>,
    ) -> Result<Scope<'a>, StoppedBy> {
        let members = part.graph.real() as usize;
        let mut scope =
            Scope { typed, versions, part, view: TxnView::new(), names: part.names[..members].to_vec(), members };
        let mut others: Vec<u32> = Vec::new();
        for at in 0..members {
            meter.steps(1 + u32::try_from(typed.mops(scope.names[at]).len()).unwrap_or(u32::MAX))?;
            let writers = scope.reads(scope.names[at]).map(|read| read.writer).filter(|writer| *writer != INITIAL);
            others.extend(writers.filter(|writer| scope.member(*writer).is_none()));
        }
        others.sort_unstable();
        others.dedup();
        scope.names.extend(others);
        meter.hold((scope.names.len() * 64) as u64)?;
        let mut view = TxnView::new();
        for (at, txn) in scope.names.iter().copied().enumerate() {
            let writes = scope.installs(txn);
            if at < members {
                let ok = typed.status(txn) == Status::Ok;
                let local = |writer: u32| if writer == INITIAL { INITIAL } else { scope.local(writer) };
                let reads = scope.reads(txn).map(|read| Read { key: read.key, writer: local(read.writer) });
                view.push(Some(typed.session(txn)), ok, reads.collect::<Vec<Read>>(), writes);
            } else {
                view.push(None, false, [], writes);
            }
        }
        scope.view = view;
        Ok(scope)
    }

    /// Members by local number.
    pub(super) fn members(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.members).unwrap_or(u32::MAX)
    }

    /// What a local number is called.
    pub(super) fn name(&self, local: u32) -> u32 {
        self.names[local as usize]
    }

    /// A member's local number.
    pub(super) fn member(&self, txn: u32) -> Option<u32> {
        let at = self.names[..self.members].binary_search(&txn).ok()?;
        u32::try_from(at).ok()
    }

    fn local(&self, txn: u32) -> u32 {
        let other = || self.names[self.members..].binary_search(&txn).ok().map(|at| self.members + at);
        self.member(txn).or_else(|| other().and_then(|at| u32::try_from(at).ok())).unwrap_or(INITIAL)
    }

    /// A transaction's reads of others' versions, in program order.
    pub(super) fn reads(&self, txn: u32) -> impl Iterator<Item = External> {
        let typed = self.typed;
        typed.mops(txn).filter_map(move |mop| {
            let MicroOp::Read { key, list: Some(list) } = typed.mop(mop) else { return None };
            let version = version(typed, txn, key, list);
            let writer = version.writer.map_or(INITIAL, |place| typed.appends()[place as usize].transaction);
            Some(External { key, mop, version, writer })
        })
    }

    /// The versions that a transaction left behind, one an object.
    pub(super) fn installs(&self, txn: u32) -> Vec<Write> {
        let appends = self.typed.mops(txn).filter_map(|mop| match self.typed.mop(mop) {
            MicroOp::Append { key, element } => Some(Write { key, rank: self.rank(txn, key, element) }),
            MicroOp::Read { .. } => None,
        });
        let mut writes: Vec<Write> = appends.collect();
        // Of several appends to one object the last counts.
        writes.sort_unstable_by(|a, b| (a.key, b.rank).cmp(&(b.key, a.rank)));
        writes.dedup_by_key(|write| write.key);
        writes
    }

    /// A member's last append to an object: the micro-operation.
    pub(super) fn last_append(&self, txn: u32, key: u32) -> Option<u32> {
        self.typed
            .mops(txn)
            .rev()
            .find(|mop| matches!(self.typed.mop(*mop), MicroOp::Append { key: object, .. } if object == key))
    }

    /// Where an append stands among the versions. Those that nobody observed share a rank: their order is free. But the last observed
    /// writer's own come first.
    fn rank(&self, txn: u32, key: u32, element: crate::history::Value) -> u32 {
        let place = self.typed.append_of(key, element).map_or(ASTRAY, |place| self.versions.position[place as usize]);
        if place < ASTRAY {
            return place;
        }
        let length = u32::try_from(self.versions.order_of(key).len()).unwrap_or(ASTRAY);
        length + u32::from(happened_last(self.typed, self.versions, key) != Some(txn))
    }

    /// Whether a rank is one of those that have no order among themselves.
    pub(super) fn is_free(&self, write: Write) -> bool {
        write.rank as usize > self.versions.order_of(write.key).len()
    }
}
