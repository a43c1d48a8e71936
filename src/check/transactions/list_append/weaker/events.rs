//! Transactions taken apart: monotonic-view and monotonic-snapshot-read.
//!
//! Both speak of the moment of each read. A graph has a vertex for each read of another's version, for each version that a transaction
//! leaves behind, in program order, and after these one for the transaction itself, from which all that depends on it leads.
//!
//! - Monotonic view (Adya's G-monotonic): no cycle with one rw step, where wr and ww lead to the read or write that makes them, rw leaves the
//!   read that makes it, and the program leads forward only. A cycle that comes back after that read is none.
//! - Monotonic snapshot read: each read has a snapshot, a beginning of one commit order, and these advance within a transaction. A
//!   snapshot comes after the commit of whose version it shows, and before that of who installs the next; versions are in the order
//!   of their commits. It holds if and only if this graph has no cycle at all. An order of versions that nobody read is none
//!   to choose: any order of the moments orders them.
//!
//! Exact. Cost: linear in micro-operations for the graph and for snapshots; a search under the meter for views (and where the order of
//! appends that nobody read matters to these, `orders`). Sources: Adya (MIT 1999), chapter 4, as the guarantees' rows read it.

use super::scope::Scope;
use super::{Judged, Shown, at_most_one_rw, shortest};
use crate::budget::Meter;
use crate::check::transactions::list_append::explain::Explainer;
use crate::check::transactions::orders::{Choice, Orders};
use crate::check::transactions::view::INITIAL;
use crate::graph::{Cycle, CycleStep, Edge, Graph, Pattern, Relations, RwRule, Search, topological};
use crate::guarantee::Anomaly;
use crate::verdict::StoppedBy;
use crate::witness::Minimality;
use crate::witness::list_append::Dependency;

const NONE: u32 = u32::MAX;

/// The graph, and what its vertices are.
struct Events {
    edges: Vec<Edge>,
    auxiliary: u32,
    choices: Vec<Choice>,
    /// By vertex: its transaction, over the whole history.
    txns: Vec<u32>,
    /// By vertex: its micro-operation; none, where it is the transaction itself.
    mops: Vec<u32>,
}

/// A version or a read of one key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Row {
    key: u32,
    /// Of a version: its rank; of a read: how long the version is that it returned.
    place: u32,
    event: u32,
    txn: u32,
}

impl Events {
    /// `snapshots`: steps to a version lead to its commit, not to the write.
    fn new(scope: &Scope<'_>, snapshots: bool, meter: &mut Meter<'_>) -> Result<Events, StoppedBy> {
        let mut events =
            Events { edges: Vec::new(), auxiliary: 0, choices: Vec::new(), txns: Vec::new(), mops: Vec::new() };
        let (mut versions, mut reads, mut from) = (Vec::new(), Vec::new(), Vec::new());
        let mut commits: Vec<u32> = Vec::new();
        for local in scope.members() {
            let txn = scope.name(local);
            let first = events.len();
            let installs: Vec<(u32, u32, u32)> = scope
                .installs(txn)
                .iter()
                .filter_map(|write| Some((scope.last_append(txn, write.key)?, write.key, write.rank)))
                .collect();
            let external: Vec<_> = scope.reads(txn).collect();
            meter.steps(1 + u32::try_from(external.len() + installs.len()).unwrap_or(u32::MAX))?;
            let mut places: Vec<u32> =
                external.iter().map(|read| read.mop).chain(installs.iter().map(|install| install.0)).collect();
            places.sort_unstable();
            let event =
                |mop: u32| places.binary_search(&mop).ok().and_then(|at| u32::try_from(at).ok()).map(|at| first + at);
            for read in &external {
                let length = u32::try_from(read.version.length).unwrap_or(NONE);
                let event = event(read.mop).unwrap_or(NONE);
                reads.push(Row { key: read.key, place: length, event, txn: local });
                if let Some(writer) = Some(read.writer).filter(|writer| *writer != INITIAL) {
                    from.extend(scope.member(writer).map(|writer| (writer, event)));
                }
            }
            for (mop, key, rank) in &installs {
                versions.push(Row { key: *key, place: *rank, event: event(*mop).unwrap_or(NONE), txn: local });
            }
            for mop in places {
                events.txns.push(txn);
                events.mops.push(mop);
            }
            events.txns.push(txn);
            events.mops.push(NONE);
            let commit = events.len() - 1;
            commits.push(commit);
            events.edges.extend((first..commit).map(|at| Edge { from: at, to: at + 1, relations: Relations::WW }));
        }
        let commit = |local: u32| commits[local as usize];
        let wr =
            from.iter().map(|(writer, event)| Edge { from: commit(*writer), to: *event, relations: Relations::WR });
        events.edges.extend(wr.collect::<Vec<Edge>>());
        versions.sort_unstable();
        reads.sort_unstable();
        let entry = |row: &Row| if snapshots { commit(row.txn) } else { row.event };
        let mut next_read = 0;
        for of_key in versions.chunk_by(|a, b| a.key == b.key) {
            let key = of_key[0].key;
            while reads.get(next_read).is_some_and(|read| read.key < key) {
                next_read += 1;
            }
            let mut earlier: &[Row] = &[];
            for group in of_key.chunk_by(|a, b| a.place == b.place) {
                // Reads of what is before this version, and not before the one before.
                let begin = next_read;
                while reads.get(next_read).is_some_and(|read| read.key == key && read.place <= group[0].place) {
                    next_read += 1;
                }
                let writers = earlier.iter().map(|row| (commit(row.txn), row.txn, Relations::WW));
                let readers = reads[begin..next_read].iter().map(|row| (row.event, row.txn, Relations::RW));
                let sources: Vec<(u32, u32, Relations)> = writers.chain(readers).collect();
                events.join(&sources, group, entry);
                if group.len() > 1 && !snapshots {
                    let writers: Vec<u32> = group.iter().map(|row| commit(row.txn)).collect();
                    let mut choice = Choice::new(key, &writers, |_| std::iter::empty());
                    // Rows of one place are by event, and so by transaction, as the writers are.
                    choice.entries = group.iter().map(|row| row.event).collect();
                    events.choices.push(choice);
                }
                earlier = group;
            }
        }
        // Auxiliary vertices come after all others.
        let real = events.len();
        for edge in &mut events.edges {
            for end in [&mut edge.from, &mut edge.to] {
                if *end & AUXILIARY != 0 {
                    *end = real + (*end & !AUXILIARY);
                }
            }
        }
        meter.hold((events.edges.len() * size_of::<Edge>() * 2) as u64)?;
        Ok(events)
    }

    fn len(&self) -> u32 {
        u32::try_from(self.txns.len()).unwrap_or(NONE)
    }

    /// Each source leads to each version of the group, but for its own transaction's.
    fn join(&mut self, sources: &[(u32, u32, Relations)], group: &[Row], entry: impl Fn(&Row) -> u32) {
        if let [only] = group {
            let others = sources.iter().filter(|source| source.1 != only.txn);
            self.edges.extend(others.map(|(from, _, relations)| Edge {
                from: *from,
                to: entry(only),
                relations: *relations,
            }));
            return;
        }
        // Two chains over the group: up to a place, and from it on. A source that is in the group itself enters beside its place.
        let count = u32::try_from(group.len()).unwrap_or(NONE);
        let (up_to, onward) = (AUXILIARY | self.auxiliary, AUXILIARY | (self.auxiliary + count));
        self.auxiliary += 2 * count;
        for (at, row) in (0u32..).zip(group) {
            for chain in [up_to, onward] {
                self.edges.push(Edge { from: chain + at, to: entry(row), relations: Relations::LINK });
            }
            if at > 0 {
                self.edges.push(Edge { from: up_to + at, to: up_to + at - 1, relations: Relations::LINK });
                self.edges.push(Edge { from: onward + at - 1, to: onward + at, relations: Relations::LINK });
            }
        }
        for &(from, txn, relations) in sources {
            let own = group.iter().position(|row| row.txn == txn).and_then(|at| u32::try_from(at).ok());
            match own {
                None => self.edges.push(Edge { from, to: onward, relations }),
                Some(at) => {
                    if at > 0 {
                        self.edges.push(Edge { from, to: up_to + at - 1, relations });
                    }
                    if at + 1 < count {
                        self.edges.push(Edge { from, to: onward + at + 1, relations });
                    }
                }
            }
        }
    }

    fn graph(&mut self) -> Graph {
        let real = self.len();
        Graph::build(real, self.auxiliary, std::mem::take(&mut self.edges))
    }

    /// A cycle's steps between transactions, as claims: rw leaves, and wr enters, by the micro-operation of the vertex.
    fn steps(&self, scope: &Scope<'_>, cycle: &Cycle, supposed: bool) -> Option<Vec<Dependency>> {
        let explainer = Explainer { typed: scope.typed, versions: scope.versions };
        let txn = |vertex: u32| self.txns[vertex as usize];
        let between: Vec<CycleStep> =
            cycle.steps.iter().copied().filter(|step| txn(step.from) != txn(step.to)).collect();
        let members: Vec<u32> = between.iter().map(|step| txn(step.from)).collect();
        let one = |step: &CycleStep| -> Option<Dependency> {
            let (from, to) = (txn(step.from), txn(step.to));
            let mop = |vertex: u32| Some(self.mops[vertex as usize]).filter(|mop| *mop != NONE);
            match step.relation {
                Relations::RW => explainer.missed(from, mop(step.from)?, to, &members),
                Relations::WR => explainer.saw(to, mop(step.to)?, from),
                _ => {
                    let keys = match mop(step.to) {
                        Some(mop) => vec![scope.typed.mop(mop).key()],
                        None => scope.installs(from).iter().map(|write| write.key).collect(),
                    };
                    let known = keys.iter().find_map(|key| explainer.overwrote(*key, from, to, &members));
                    known.or_else(|| keys.iter().filter(|_| supposed).find_map(|key| explainer.suppose(*key, from, to)))
                }
            }
        };
        between.iter().map(one).collect()
    }
}

/// Marks a vertex as auxiliary while edges are gathered.
const AUXILIARY: u32 = 1 << 31;

/// Judges monotonic-snapshot-read.
pub(super) fn snapshots(scope: &Scope<'_>, meter: &mut Meter<'_>) -> Result<Judged, StoppedBy> {
    let mut events = Events::new(scope, true, meter)?;
    let graph = events.graph();
    let allowed = Relations::WW | Relations::WR | Relations::RW;
    let pattern = Pattern { allowed, rw: RwRule::Any, required: Relations::NONE };
    if crate::graph::components(&graph, allowed, false).is_empty() {
        return Ok(Judged::Holds);
    }
    Ok(match shortest(&graph, &[pattern], meter) {
        Search::Absent => Judged::Holds,
        Search::Found { cycle, .. } => Judged::Violated(events.shown(scope, Anomaly::GMsr, &cycle)),
        Search::Stopped(by) => Judged::Unseen(by),
    })
}

/// Judges monotonic-view.
pub(super) fn views(scope: &Scope<'_>, meter: &mut Meter<'_>) -> Result<Judged, StoppedBy> {
    let mut events = Events::new(scope, false, meter)?;
    let graph = events.graph();
    Ok(match at_most_one_rw(&graph, &events.choices, meter) {
        Orders::Possible(_) => Judged::Holds,
        Orders::Unknown(by) => return Err(by),
        Orders::Impossible(cycles) => Judged::Violated(match cycles.as_slice() {
            [cycle] => events.shown(scope, Anomaly::GMonotonic, cycle),
            cycles => {
                let explainer = Explainer { typed: scope.typed, versions: scope.versions };
                let all: Option<Vec<Vec<Dependency>>> =
                    cycles.iter().map(|cycle| events.steps(scope, cycle, true)).collect();
                let claim = all.and_then(|all| explainer.every_circle(Anomaly::GMonotonic, all));
                Shown { anomaly: Anomaly::GMonotonic, count: 1, claim, minimality: Minimality::Bounded }
            }
        }),
    })
}

/// An order of commits, by local number, in which snapshots advance, if there is one.
pub(super) fn commits(scope: &Scope<'_>, meter: &mut Meter<'_>) -> Result<Vec<u32>, StoppedBy> {
    let mut events = Events::new(scope, true, meter)?;
    let order = topological(&events.graph(), Relations::WW | Relations::WR | Relations::RW);
    let is_commit = |vertex: &u32| events.mops.get(*vertex as usize) == Some(&NONE);
    Ok(order.into_iter().filter(is_commit).filter_map(|vertex| scope.member(events.txns[vertex as usize])).collect())
}

/// Orders of versions that nobody read, as writers by local number, that keep monotonic-view; none, if no order does.
pub(super) fn orders(scope: &Scope<'_>, meter: &mut Meter<'_>) -> Result<Option<Vec<Vec<u32>>>, StoppedBy> {
    let mut events = Events::new(scope, false, meter)?;
    let graph = events.graph();
    let members = |order: Vec<u32>| {
        order.iter().filter_map(|commit| scope.member(events.txns[*commit as usize])).collect::<Vec<u32>>()
    };
    match at_most_one_rw(&graph, &events.choices, meter) {
        Orders::Possible(orders) => Ok(Some(orders.into_iter().map(members).collect())),
        Orders::Impossible(_) => Ok(None),
        Orders::Unknown(by) => Err(by),
    }
}

impl Events {
    fn shown(&self, scope: &Scope<'_>, anomaly: Anomaly, cycle: &Cycle) -> Shown {
        let explainer = Explainer { typed: scope.typed, versions: scope.versions };
        let steps = self.steps(scope, cycle, false).filter(|steps| steps.len() > 1);
        let minimum = steps.as_ref().is_some_and(|steps| steps.len() == 2);
        let claim = steps.and_then(|steps| {
            let members: Vec<u32> = steps.iter().map(|step: &Dependency| step.from.0).collect();
            explainer.circle(anomaly, steps, &members)
        });
        let minimality = if minimum { Minimality::Minimum } else { Minimality::Bounded };
        Shown { anomaly, count: 1, claim, minimality }
    }
}
