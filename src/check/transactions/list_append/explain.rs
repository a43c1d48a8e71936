//! From a cycle's steps to claims: which micro-operations make each edge, and which read shows it.
//!
//! The graph holds ids only, so an edge is explained when it is shown. Where several objects make it, the one is taken whose
//! order a transaction of the cycle itself shows.

use super::later::version;
use super::versions::{ASTRAY, NOBODY, UNOBSERVED, Versions};
use super::{mop, mop_of};
use crate::graph::{Cycle, CycleStep, Relations};
use crate::guarantee::Anomaly;
use crate::history::{OpId, Status};
use crate::witness::list_append::{Appearance, Claim, Dependency, Mop, Order, Why};
use crate::workload::list_append::{ListAppend, MicroOp, Read};

/// Explains cycles of one history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explainer<'a> {
    pub(super) typed: &'a ListAppend<'a>,
    pub(super) versions: &'a Versions,
}

/// How well an explanation reads: the least is taken. Unobserved appends are harder to see than lists that show an order,
/// and reads of others are harder than those of the cycle.
type Rank = (bool, bool, u32);

impl Explainer<'_> {
    /// The claim that a cycle makes; nothing where an edge has no reason (which would be an error of ours).
    pub(super) fn cycle(&self, anomaly: Anomaly, cycle: &Cycle) -> Option<Claim> {
        let members: Vec<u32> = cycle.steps.iter().map(|step| step.from).collect();
        let steps: Option<Vec<Dependency>> = cycle.steps.iter().map(|step| self.dependency(*step, &members)).collect();
        self.circle(anomaly, steps?, &members)
    }

    /// The claim of steps that lead back to where they began.
    pub(super) fn circle(&self, anomaly: Anomaly, steps: Vec<Dependency>, members: &[u32]) -> Option<Claim> {
        let unknown = members.iter().filter(|member| self.typed.status(**member) != Status::Ok);
        let happened: Option<Vec<Appearance>> = unknown.map(|member| self.appearance(*member, members)).collect();
        Some(Claim::Cycle { anomaly, steps, happened: happened? })
    }

    /// The claim of cycles some of whose steps are supposed orders of appends that nobody read.
    pub(super) fn every_order(&self, cycles: &[Cycle]) -> Option<Claim> {
        let mut all: Vec<Vec<Dependency>> = Vec::new();
        let mut mildest = (2, 0);
        for cycle in cycles {
            let members: Vec<u32> = cycle.steps.iter().map(|step| step.from).collect();
            let steps: Option<Vec<Dependency>> = cycle
                .steps
                .iter()
                .map(|step| self.dependency(*step, &members).or_else(|| self.supposed(*step)))
                .collect();
            let steps = steps?;
            let rw = steps.iter().filter(|step| matches!(step.why, Why::ReadWrite { .. })).count();
            let form = |why: Why, form: usize| if steps.iter().any(|step| step.why == why) { form } else { 0 };
            let form = form(Why::Process, 1).max(form(Why::Realtime, 2));
            mildest = (mildest.0.max(if rw > 1 { 3 } else { 2 }), mildest.1.max(form));
            all.push(steps);
        }
        let anomaly = match mildest {
            (2, 0) => Anomaly::GSingleItem,
            (2, 1) => Anomaly::GSingleItemProcess,
            (2, _) => Anomaly::GSingleItemRealtime,
            (_, 0) => Anomaly::GNonadjacentItem,
            (_, 1) => Anomaly::GNonadjacentItemProcess,
            _ => Anomaly::GNonadjacentItemRealtime,
        };
        self.every_circle(anomaly, all)
    }

    /// The claim that one of these circles is there, whatever the order of appends that nobody read.
    pub(super) fn every_circle(&self, anomaly: Anomaly, cycles: Vec<Vec<Dependency>>) -> Option<Claim> {
        let mut happened: Vec<Appearance> = Vec::new();
        for steps in &cycles {
            let members: Vec<u32> = steps.iter().map(|step| step.from.0).collect();
            for member in members.iter().filter(|member| self.typed.status(**member) != Status::Ok) {
                let shown = self.appearance(*member, &members)?;
                if !happened.contains(&shown) {
                    happened.push(shown);
                }
            }
        }
        Some(Claim::EveryOrder { anomaly, cycles, happened })
    }

    /// Two transactions with appends to one object that nobody read.
    pub(super) fn supposed(&self, step: CycleStep) -> Option<Dependency> {
        self.typed.mops(step.from).find_map(|at| {
            let MicroOp::Append { key, .. } = self.typed.mop(at) else { return None };
            let earlier = self.unobserved(key, step.from)?;
            let later = self.unobserved(key, step.to)?;
            let why =
                Why::Supposed { earlier: mop(self.typed, step.from, earlier), later: mop(self.typed, step.to, later) };
            Some(Dependency { from: OpId(step.from), to: OpId(step.to), why })
        })
    }

    /// A transaction's last append to an object, if nobody read it.
    pub(super) fn unobserved(&self, key: u32, writer: u32) -> Option<u32> {
        let last = self.typed.mops(writer).rev().find_map(|at| match self.typed.mop(at) {
            MicroOp::Append { key: object, element } if object == key => Some((at, element)),
            _ => None,
        });
        last.filter(|(_, element)| self.position(key, *element) == UNOBSERVED).map(|last| last.0)
    }

    pub(super) fn dependency(&self, step: CycleStep, members: &[u32]) -> Option<Dependency> {
        let why = match step.relation {
            Relations::PROCESS => Some(Why::Process),
            Relations::REALTIME => Some(Why::Realtime),
            Relations::WW => self.write_write(step, members),
            Relations::WR => self.write_read(step),
            Relations::RW => self.read_write(step, members),
            _ => None,
        };
        why.map(|why| Dependency { from: OpId(step.from), to: OpId(step.to), why })
    }

    fn write_write(&self, step: CycleStep, members: &[u32]) -> Option<Why> {
        let mut best: Option<(Rank, Why)> = None;
        for at in self.typed.mops(step.from) {
            let MicroOp::Append { key, element } = self.typed.mop(at) else { continue };
            let position = self.position(key, element);
            if position >= ASTRAY {
                continue;
            }
            if let Some((rank, later, order)) = self.next(key, position as usize + 1, step.to, members) {
                let why = Why::WriteWrite { earlier: mop(self.typed, step.from, at), later, order };
                better(&mut best, (rank.0, rank.1, at), why);
            }
        }
        best.map(|best| best.1)
    }

    fn read_write(&self, step: CycleStep, members: &[u32]) -> Option<Why> {
        let mut best: Option<(Rank, Why)> = None;
        for at in self.typed.mops(step.from) {
            let MicroOp::Read { key, list: Some(_) } = self.typed.mop(at) else { continue };
            let Some(depth) = self.depth(key, at) else { continue };
            if depth > self.versions.clean[key as usize] {
                continue;
            }
            if let Some((rank, later, order)) = self.next(key, depth as usize, step.to, members) {
                let why = Why::ReadWrite { read: mop(self.typed, step.from, at), later, order };
                better(&mut best, (rank.0, rank.1, at), why);
            }
        }
        best.map(|best| best.1)
    }

    pub(super) fn write_read(&self, step: CycleStep) -> Option<Why> {
        self.typed
            .mops(step.to)
            .find_map(|at| self.version_read(step.to, at).filter(|(writer, _)| *writer == step.from))
            .map(|read| read.1)
    }

    /// Whose version a read returned (its own transaction's appends at the end left out), and why that is so.
    pub(super) fn version_read(&self, reader: u32, read: u32) -> Option<(u32, Why)> {
        let MicroOp::Read { key, list: Some(list) } = self.typed.mop(read) else { return None };
        let append = self.typed.appends()[version(self.typed, reader, key, list).writer? as usize];
        let shown = Appearance { append: mop_of(self.typed, &append), read: mop(self.typed, reader, read) };
        Some((append.transaction, Why::WriteRead(shown)))
    }

    /// If this transaction wrote the first committed element at or after a place of the longest list, or comes after all
    /// of it: its append, and what shows that.
    fn next(&self, key: u32, from: usize, writer: u32, members: &[u32]) -> Option<(Rank, Mop, Order)> {
        let order = self.versions.order_of(key);
        let committed = |place: u32| {
            let transaction = (place != NOBODY).then(|| self.typed.appends()[place as usize].transaction)?;
            self.versions.happened[transaction as usize].then_some(transaction)
        };
        let clean = self.versions.clean[key as usize] as usize;
        let next = (from..clean).find_map(|at| committed(order[at]).map(|transaction| (at, transaction)));
        let shown_by = |least: usize| self.shown_by(key, least, members);
        match next {
            Some((at, transaction)) => {
                let append = (transaction == writer).then(|| self.typed.appends()[order[at] as usize])?;
                let read = shown_by(at + 1)?;
                let outside = !members.contains(&read.transaction);
                let order = Order::Shown(mop(self.typed, read.transaction, read.mop));
                Some(((false, outside, 0), mop_of(self.typed, &append), order))
            }
            None if clean == order.len() => {
                let unobserved = self.unobserved(key, writer)?;
                let read = shown_by(order.len())?;
                let outside = !members.contains(&read.transaction);
                let order = Order::Unobserved(mop(self.typed, read.transaction, read.mop));
                Some(((true, outside, 0), mop(self.typed, writer, unobserved), order))
            }
            None => None,
        }
    }

    /// The best read of those that return so many elements at least.
    pub(super) fn shown_by(&self, key: u32, least: usize, members: &[u32]) -> Option<&Read> {
        let reads = &self.typed.reads()[self.typed.reads_of(key)];
        let depths = &self.versions.depth[self.typed.reads_of(key)];
        let long = reads.iter().zip(depths).filter(|(_, depth)| **depth != ASTRAY && **depth as usize >= least);
        let rank = |read: &Read, depth: u32| (!members.contains(&read.transaction), depth, read.mop);
        long.min_by_key(|(read, depth)| rank(read, **depth)).map(|(read, _)| read)
    }

    pub(super) fn position(&self, key: u32, element: crate::history::Value) -> u32 {
        self.typed.append_of(key, element).map_or(UNOBSERVED, |place| self.versions.position[place as usize])
    }

    /// The length of what a read returned, if that is a prefix of the longest list.
    fn depth(&self, key: u32, read: u32) -> Option<u32> {
        let places = self.typed.reads_of(key);
        let at = self.typed.reads()[places.clone()].binary_search_by_key(&read, |read| read.mop).ok()?;
        Some(self.versions.depth[places.start + at]).filter(|depth| *depth != ASTRAY)
    }

    /// What shows that a transaction of unknown outcome happened: a read by the cycle where there is one, else the shortest.
    pub(super) fn appearance(&self, transaction: u32, members: &[u32]) -> Option<Appearance> {
        let values = self.typed.history().values();
        let mut best: Option<((bool, usize, u32), Appearance)> = None;
        for at in self.typed.mops(transaction) {
            let MicroOp::Append { key, element } = self.typed.mop(at) else { continue };
            let position = self.position(key, element);
            if position == UNOBSERVED {
                continue;
            }
            for place in self.typed.reads_of(key) {
                let (read, depth) = (&self.typed.reads()[place], self.versions.depth[place]);
                let rank = (!members.contains(&read.transaction), values.len(read.list), read.mop);
                let worse = best.as_ref().is_some_and(|best| best.0 <= rank);
                let shows = match (position, depth) {
                    _ if worse => false,
                    (_, ASTRAY) => values.items(read.list).contains(&element),
                    (ASTRAY, _) => false,
                    _ => position < depth,
                };
                if shows {
                    let append = mop(self.typed, transaction, at);
                    best = Some((rank, Appearance { append, read: mop(self.typed, read.transaction, read.mop) }));
                }
            }
        }
        best.map(|best| best.1)
    }
}

fn better(best: &mut Option<(Rank, Why)>, rank: Rank, why: Why) {
    if best.as_ref().is_none_or(|known| rank < known.0) {
        *best = Some((rank, why));
    }
}
