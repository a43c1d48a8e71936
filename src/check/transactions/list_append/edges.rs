//! Dependencies between the transactions that happened: ww, wr and rw.
//!
//! - ww: writers of neighbouring elements of an object's longest list (aborted elements and those from nowhere are
//!   passed over).
//! - wr: the writer of a read's last element, to the reader.
//! - rw: the reader of a prefix, to the writer of the element after it.
//!
//! Appends that nobody observed come after the longest list, because lists only grow: so the last observed writer comes
//! before their transactions (ww), and so do the readers of the whole list (rw). If the last observed writer has such an
//! append itself, it is the next version, and all others come after it. Several others leave a choice of order: they hang
//! on one auxiliary vertex, which keeps the edges few, and an rw edge through it stands for rw and then any number of ww.
//! That says everything about cycles; about cycles without adjacent rw edges it says too little, so each such object
//! is also listed as a [`Choice`].
//!
//! Cost: linear in appends and reads, and so is the number of edges. Source: Kingsbury and Alvaro, Elle (VLDB 2020).

use rayon::prelude::*;

use super::free::choice;
use super::versions::{ASTRAY, NOBODY, UNOBSERVED, Versions, split};
use crate::check::transactions::orders::Choice;
use crate::graph::{Edge, Graph, Relations};
use crate::workload::list_append::{Append, ListAppend};

/// From one vertex to another.
type Pair = (u32, u32);

/// Edges between transactions.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    /// Auxiliary vertices, numbered from the number of transactions.
    pub(super) auxiliary: u32,
    /// Objects with appends that nobody observed, of two or more transactions: their order is free.
    pub(super) choices: Vec<Choice>,
    /// How many edges there are of each relation.
    pub(super) ww: u64,
    pub(super) wr: u64,
    pub(super) rw: u64,
}

/// The edges that a run of objects makes. Its auxiliary vertices are numbered from 0, and marked.
#[derive(Debug, Default)]
struct Found {
    ww: Vec<Pair>,
    wr: Vec<Pair>,
    rw: Vec<Pair>,
    links: Vec<Pair>,
    auxiliary: u32,
    choices: Vec<Choice>,
}

/// The last transaction that an object's longest list shows to have happened.
pub(super) fn happened_last(typed: &ListAppend<'_>, versions: &Versions, key: u32) -> Option<u32> {
    let writer = |place: &u32| (*place != NOBODY).then(|| typed.appends()[*place as usize].transaction);
    let mut committed = versions.order_of(key).iter().rev().filter_map(writer);
    committed.find(|writer| versions.happened[*writer as usize])
}

/// Marks a vertex as auxiliary while edges are gathered.
const AUXILIARY: u32 = 1 << 31;

impl Found {
    /// The edges, where this run's auxiliary vertices are numbered from `base`.
    fn edges(&self, base: u32) -> impl Iterator<Item = Edge> {
        let vertex = move |id: u32| if id & AUXILIARY == 0 { id } else { base + (id & !AUXILIARY) };
        let lists = [
            (&self.ww, Relations::WW),
            (&self.wr, Relations::WR),
            (&self.rw, Relations::RW),
            (&self.links, Relations::LINK),
        ];
        lists.into_iter().flat_map(move |(pairs, relations)| {
            pairs.iter().map(move |(from, to)| Edge { from: vertex(*from), to: vertex(*to), relations })
        })
    }
}

/// All dependencies, and the graph of them.
pub(super) fn infer(typed: &ListAppend<'_>, versions: &Versions) -> (Dependencies, Graph) {
    let mut blocks: Vec<Found> = split(typed)
        .into_par_iter()
        .map(|keys| {
            let mut block = Block { typed, versions, found: Found::default(), next: Vec::new() };
            keys.for_each(|key| block.take(key));
            block.found
        })
        .collect();
    let real = u32::try_from(typed.len()).unwrap_or(u32::MAX);
    let mut all = Dependencies::default();
    let mut bases = Vec::with_capacity(blocks.len());
    for block in &mut blocks {
        bases.push(real + all.auxiliary);
        all.auxiliary += block.auxiliary;
        all.choices.append(&mut block.choices);
        all.ww += block.ww.len() as u64;
        all.wr += block.wr.len() as u64;
        all.rw += block.rw.len() as u64;
    }
    let graph =
        Graph::gather(real, all.auxiliary, || blocks.iter().zip(&bases).flat_map(|(block, base)| block.edges(*base)));
    (all, graph)
}

/// What comes after an object's longest list.
#[derive(Clone, Copy)]
enum Tail {
    /// Nothing.
    Nothing,
    /// The appends of one transaction.
    One(u32),
    /// Those of several, behind an auxiliary vertex.
    Several(u32),
}

struct Block<'a> {
    typed: &'a ListAppend<'a>,
    versions: &'a Versions,
    found: Found,
    /// For each prefix of the longest list, who wrote the first committed element after it.
    next: Vec<u32>,
}

impl Block<'_> {
    fn append(&self, place: u32) -> &Append {
        &self.typed.appends()[place as usize]
    }

    /// The transaction of an append, if it happened.
    fn writer(&self, place: u32) -> Option<u32> {
        let writer = (place != NOBODY).then(|| self.append(place).transaction)?;
        self.versions.happened[writer as usize].then_some(writer)
    }

    fn edge(&mut self, from: u32, to: u32, relations: Relations) {
        if from != to {
            let list = match relations {
                Relations::WW => &mut self.found.ww,
                Relations::WR => &mut self.found.wr,
                Relations::RW => &mut self.found.rw,
                _ => &mut self.found.links,
            };
            list.push((from, to));
        }
    }

    fn take(&mut self, key: u32) {
        let versions = self.versions;
        // From the first repeated element on, the list shows no order.
        let clean = versions.clean[key as usize] as usize;
        let order = &versions.order_of(key)[..clean];
        let whole = clean == versions.order_of(key).len();
        let mut last = None;
        for writer in order.iter().filter_map(|place| self.writer(*place)).collect::<Vec<_>>() {
            if let Some(last) = last {
                self.edge(last, writer, Relations::WW);
            }
            last = Some(writer);
        }
        let tail = if whole { self.tail(key, last) } else { Tail::Nothing };
        self.next.clear();
        self.next.resize(order.len() + 1, NOBODY);
        for at in (0..order.len()).rev() {
            self.next[at] = self.writer(order[at]).unwrap_or(self.next[at + 1]);
        }
        let mut before = None;
        for place in self.typed.reads_of(key) {
            let read = self.typed.reads()[place];
            let depth = versions.depth[place];
            if before == Some((read.transaction, read.list)) {
                continue;
            }
            before = Some((read.transaction, read.list));
            if depth == ASTRAY {
                let end = self.typed.history().values().split_last(read.list);
                let end = end.and_then(|(_, element)| self.typed.append_of(key, element));
                if let Some(writer) = end.and_then(|place| self.writer(place)) {
                    self.edge(writer, read.transaction, Relations::WR);
                }
                continue;
            }
            let depth = depth as usize;
            if depth > clean {
                continue;
            }
            if let Some(writer) = depth.checked_sub(1).and_then(|last| self.writer(order[last])) {
                self.edge(writer, read.transaction, Relations::WR);
            }
            match (self.next[depth], tail) {
                (NOBODY, Tail::Nothing) => {}
                (NOBODY, Tail::One(writer)) => self.edge(read.transaction, writer, Relations::RW),
                (NOBODY, Tail::Several(auxiliary)) => self.edge(read.transaction, auxiliary, Relations::RW),
                (writer, _) => self.edge(read.transaction, writer, Relations::RW),
            }
        }
    }

    /// The appends that nobody observed.
    fn tail(&mut self, key: u32, last: Option<u32>) -> Tail {
        let mut writers: Vec<u32> = Vec::new();
        let mut observed = None;
        for place in self.typed.appends_of(key).rev() {
            let writer = self.append(u32::try_from(place).unwrap_or(NOBODY)).transaction;
            if self.versions.position[place] != UNOBSERVED {
                observed = Some(writer);
            // What a transaction appended before an observed append of its own is lost (out of order), not later.
            } else if observed != Some(writer)
                && self.versions.happened[writer as usize]
                && writers.last() != Some(&writer)
            {
                writers.push(writer);
            }
        }
        writers.reverse();
        // The last observed writer's own appends can only come next.
        let own = last.filter(|last| writers.binary_search(last).is_ok());
        writers.retain(|writer| Some(*writer) != own);
        let tail = match writers.as_slice() {
            [] => Tail::Nothing,
            [one] => {
                if let Some(last) = last {
                    self.edge(last, *one, Relations::WW);
                }
                Tail::One(*one)
            }
            _ => {
                let auxiliary = AUXILIARY | self.found.auxiliary;
                self.found.auxiliary += 1;
                for writer in &writers {
                    self.edge(auxiliary, *writer, Relations::LINK);
                }
                if let Some(last) = last {
                    self.edge(last, auxiliary, Relations::WW);
                }
                self.found.choices.push(choice(key, &writers));
                Tail::Several(auxiliary)
            }
        };
        own.map_or(tail, Tail::One)
    }
}
