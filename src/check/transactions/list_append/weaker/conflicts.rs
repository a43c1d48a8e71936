//! Writers of one key that don't know of each other: cursor-stability and update-atomic.
//!
//! Update-atomic: of two writers of a key the later one sees the earlier (Cerone's NOCONFLICT), with all that it wrote. So a transaction
//! may not miss a later version of somebody whose version it overwrote, of whatever key. Cursor-stability asks that of
//! the key itself, where it was read before it was written (Adya's G-cursor: all edges of one key).
//!
//! Of transactions that wrote both x and y, the versions of x and those of y are in the same order (or read-committed would not
//! hold). So of all who wrote y before a transaction did, the last one that wrote x too says everything about x.
//!
//! Versions that nobody read have no order yet. Whoever missed a later version of another one must come before it on each key of which
//! both wrote such a version: these orders are forced, and if ww and wr have no cycle together with them, any order that they lead
//! forward keeps the guarantee.
//!
//! Exact. Cost: a transaction's writes times its writes and reads, and the forced orders, under the meter.

use hashbrown::HashMap;

use super::scope::{External, Scope};
use super::{Judged, Shown, shortest};
use crate::budget::Meter;
use crate::check::transactions::dependencies::edges_of;
use crate::check::transactions::list_append::explain::Explainer;
use crate::graph::{Cycle, Edge, Graph, Pattern, Relations, RwRule, Search};
use crate::guarantee::Anomaly;
use crate::verdict::StoppedBy;
use crate::witness::Minimality;
use crate::witness::list_append::{Claim, Dependency};

/// Whoever wrote two keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Both {
    /// The rank of its version of the key that is written.
    written: u32,
    /// And of the one that is read.
    read: u32,
    txn: u32,
}

/// Who missed whom: `reader` read `read` and lacks the later version of `other`; both wrote `key`.
#[derive(Clone, Copy, Debug)]
struct Missed {
    reader: u32,
    read: u32,
    other: u32,
    key: u32,
}

struct Conflicts<'a, 's> {
    scope: &'a Scope<'s>,
    /// By written and read key.
    both: HashMap<(u32, u32), Vec<Both>, foldhash::fast::RandomState>,
    /// Only reads of the key that is written, before it is.
    cursor: bool,
}

/// Judges cursor-stability (`cursor`) or update-atomic.
pub(super) fn judge(scope: &Scope<'_>, cursor: bool, meter: &mut Meter<'_>) -> Result<Judged, StoppedBy> {
    let anomaly = if cursor { Anomaly::GCursor } else { Anomaly::UnseenConflict };
    let mut conflicts = Conflicts { scope, both: HashMap::default(), cursor };
    conflicts.gather(meter)?;
    let (mut count, mut first) = (0, None);
    let mut forced: Vec<Missed> = Vec::new();
    for local in scope.members() {
        let found = conflicts.of(local, &mut forced, meter)?;
        count += u64::from(found.is_some());
        first = first.or(found);
    }
    if let Some(missed) = first {
        let claim = conflicts.claim(anomaly, missed);
        return Ok(Judged::Violated(Shown { anomaly, count, claim, minimality: Minimality::Minimum }));
    }
    if forced.is_empty() {
        return Ok(Judged::Holds);
    }
    let mut edges = edges_of(&scope.part.graph);
    let place = |txn: u32| scope.member(txn).unwrap_or_default();
    edges.extend(forced.iter().map(|missed| Edge {
        from: place(missed.reader),
        to: place(missed.other),
        relations: Relations::WW,
    }));
    let (real, total) = (scope.part.graph.real(), scope.part.graph.total());
    let graph = Graph::build(real, total - real, edges);
    let pattern = Pattern { allowed: Relations::WW | Relations::WR, rw: RwRule::None, required: Relations::NONE };
    match shortest(&graph, &[pattern], meter) {
        Search::Absent => Ok(Judged::Holds),
        Search::Stopped(by) => Err(by),
        Search::Found { cycle, .. } => {
            let claim = conflicts.every_order(anomaly, &cycle, &forced);
            Ok(Judged::Violated(Shown { anomaly, count: 1, claim, minimality: Minimality::Bounded }))
        }
    }
}

/// Who has to come before whom, of those who wrote what nobody read: (the one that missed, the missed one), by local number.
pub(super) fn forced(scope: &Scope<'_>, cursor: bool, meter: &mut Meter<'_>) -> Result<Vec<(u32, u32)>, StoppedBy> {
    let mut conflicts = Conflicts { scope, both: HashMap::default(), cursor };
    conflicts.gather(meter)?;
    let mut forced: Vec<Missed> = Vec::new();
    for local in scope.members() {
        conflicts.of(local, &mut forced, meter)?;
    }
    let place = |txn: u32| scope.member(txn).unwrap_or_default();
    Ok(forced.iter().map(|missed| (place(missed.reader), place(missed.other))).collect())
}

impl Conflicts<'_, '_> {
    fn reads(&self, txn: u32) -> Vec<External> {
        self.scope.reads(txn).collect()
    }

    /// Whether a read counts where this key is written.
    fn counts(&self, txn: u32, read: &External, key: u32) -> bool {
        !self.cursor || (read.key == key && self.scope.last_append(txn, key).is_some_and(|append| append > read.mop))
    }

    fn gather(&mut self, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let scope = self.scope;
        let writes_of = |local: u32| scope.view.writes(local);
        for local in scope.members() {
            let reads = self.reads(scope.name(local));
            for write in writes_of(local) {
                meter.steps(1 + u32::try_from(reads.len()).unwrap_or(u32::MAX))?;
                for read in reads.iter().filter(|read| !self.cursor || read.key == write.key) {
                    self.both.entry((write.key, read.key)).or_default();
                }
            }
        }
        for local in scope.members() {
            let writes = writes_of(local);
            for written in writes {
                meter.steps(1 + if self.cursor { 0 } else { u32::try_from(writes.len()).unwrap_or(u32::MAX) })?;
                let alone = [*written];
                for read in if self.cursor { &alone[..] } else { writes } {
                    if let Some(group) = self.both.get_mut(&(written.key, read.key)) {
                        group.push(Both { written: written.rank, read: read.rank, txn: scope.name(local) });
                    }
                }
            }
        }
        for group in self.both.values_mut() {
            group.sort_unstable();
        }
        Ok(())
    }

    /// Somebody whom a transaction missed though it overwrote its version; and the orders that must be.
    fn of(&self, local: u32, forced: &mut Vec<Missed>, meter: &mut Meter<'_>) -> Result<Option<Missed>, StoppedBy> {
        let scope = self.scope;
        let txn = scope.name(local);
        let reads = self.reads(txn);
        for write in scope.view.writes(local) {
            for read in &reads {
                meter.step()?;
                let Some(group) = self.both.get(&(write.key, read.key)) else { continue };
                if !self.counts(txn, read, write.key) {
                    continue;
                }
                let missed = |other: u32| Missed { reader: txn, read: read.mop, other, key: write.key };
                let is_later = |both: &Both| both.txn != txn && both.read as usize >= read.version.length;
                let before = group.partition_point(|both| both.written < write.rank);
                if let Some(last) = before.checked_sub(1).map(|last| group[last]).filter(|last| is_later(last)) {
                    return Ok(Some(missed(last.txn)));
                }
                if scope.is_free(*write) {
                    let unordered = group[before..].iter().take_while(|both| both.written == write.rank);
                    for both in unordered.filter(|both| is_later(both)) {
                        meter.step()?;
                        forced.push(missed(both.txn));
                    }
                }
            }
        }
        Ok(None)
    }

    fn explainer(&self) -> Explainer<'_> {
        Explainer { typed: self.scope.typed, versions: self.scope.versions }
    }

    fn claim(&self, anomaly: Anomaly, missed: Missed) -> Option<Claim> {
        let members = [missed.other, missed.reader];
        let explainer = self.explainer();
        let overwrote = explainer.overwrote(missed.key, missed.other, missed.reader, &members)?;
        let lacks = explainer.missed(missed.reader, missed.read, missed.other, &members)?;
        explainer.circle(anomaly, vec![overwrote, lacks], &members)
    }

    /// The forced orders close a circle; and each of them is forced, for the other way round there is a circle too.
    fn every_order(&self, anomaly: Anomaly, cycle: &Cycle, forced: &[Missed]) -> Option<Claim> {
        let explainer = self.explainer();
        let mut all: Vec<Vec<Dependency>> = Vec::new();
        let names: Vec<u32> = cycle.steps.iter().map(|step| self.scope.name(step.from)).collect();
        let mut circle: Vec<Dependency> = Vec::new();
        for step in &cycle.steps {
            let (from, to) = (self.scope.name(step.from), self.scope.name(step.to));
            let named = crate::graph::CycleStep { from, to, relation: step.relation };
            if let Some(known) = explainer.dependency(named, &names) {
                circle.push(known);
                continue;
            }
            let missed = forced.iter().find(|missed| (missed.reader, missed.other) == (from, to))?;
            circle.push(explainer.suppose(missed.key, from, to)?);
            let lacks = explainer.missed(from, missed.read, to, &[from, to])?;
            all.push(vec![explainer.suppose(missed.key, to, from)?, lacks]);
        }
        all.insert(0, circle);
        explainer.every_circle(anomaly, all)
    }
}
