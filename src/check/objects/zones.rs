//! Linearizability of one register, where every value that was observed has one writer: zones and chains.
//!
//! A value's *cluster* is its write and its reads. In every linearization a cluster is one contiguous block, so a register
//! is linearizable exactly when no two blocks have to come before each other. With `f` the earliest end in a cluster and
//! `s` its latest beginning, u comes before v where `f(u) < s(v)`. A cluster with `f < s` is a forward zone [f, s], else a
//! backward zone [s, f]; two clusters contradict each other exactly where two forward zones overlap or a backward zone
//! lies inside a forward one (Gibbons and Korach, "Testing shared memories", 1997).
//!
//! A compare-and-set from u to v is v's write, and v's block follows u's immediately. Chains of them are super-blocks:
//! within a chain the order is given, between chains the same test holds. Two that replaced one value contradict each
//! other.
//!
//! A crashed write or compare-and-set counts where its value was observed, and can be left out where it was not (a
//! linearization without it is legal too). Failed ones are left out. Values that were written several times and never
//! observed make one cluster each.
//!
//! Exact where no observed value has two writers; elsewhere it says which value has. Cost: linear in the operations, but
//! for one sort of the clusters.

use hashbrown::HashMap;

use super::conflict;
use super::proof::{Proof, Proofs, Shape};
use super::values::{Beginning, INITIAL, NONE, Slots};
use crate::guarantee::Anomaly;
use crate::history::{Status, Value};
use crate::witness::Minimality;
use crate::workload::register::{Action, Key};

/// What the fast path knows of one key.
pub(super) struct Decision {
    /// Contradictions, the best of each kind, with their counts. Each is certain, whatever else is undecided.
    pub(super) proofs: Vec<(Proof, u64)>,
    /// Why there may be more than these.
    pub(super) undecided: Option<Undecided>,
}

/// Why the fast path can't tell.
pub(super) enum Undecided {
    /// An observed value has two writers.
    Repeated,
    /// Nothing tells the initial value, and without knowing it the operations contradict each other.
    InitialUnknown,
}

/// Clusters by slot. Positions are counted from 1, so that the initial value's write is at 0.
pub(super) struct Clusters {
    pub(super) slots: Slots,
    pub(super) first_end: Vec<u32>,
    pub(super) last_begin: Vec<u32>,
    observed: Vec<bool>,
    /// The value that a compare-and-set put in this one's place, and the other way round. Empty without any.
    pub(super) next: Vec<u32>,
    pub(super) previous: Vec<u32>,
}

/// A run of clusters that are contiguous: its first cluster, and f and s of all.
pub(super) struct Block {
    pub(super) head: u32,
    pub(super) first_end: u32,
    pub(super) last_begin: u32,
}

/// The clusters of a key that contradicts itself nowhere, and the blocks that they make; nothing where that is not so, or not
/// known.
pub(super) fn blocks(key: &Key<'_>) -> Option<(Clusters, Vec<Block>)> {
    let mut run = Run::new(key, &Beginning::of(key));
    run.observe();
    if run.repeated().is_some() {
        return None;
    }
    run.link();
    let blocks = run.blocks();
    (run.proofs.found.is_empty() && !contradict(&blocks)).then_some((run.clusters, blocks))
}

/// Decides one key.
pub(super) fn decide(key: &Key<'_>) -> Decision {
    let beginning = Beginning::of(key);
    let mut run = Run::new(key, &beginning);
    run.observe();
    if let Some(undecided) = run.repeated() {
        return Decision { proofs: run.proofs.found, undecided: Some(undecided) };
    }
    run.link();
    let blocks = run.blocks();
    if contradict(&blocks)
        && let Some(proof) = conflict::smallest(key, &run.clusters, &blocks)
    {
        let proof = run.complete(proof);
        run.proofs.add(key, proof);
    }
    let doubtful = beginning.value.is_none() && !run.proofs.found.is_empty();
    if doubtful {
        return Decision { proofs: Vec::new(), undecided: Some(Undecided::InitialUnknown) };
    }
    Decision { proofs: run.proofs.found, undecided: None }
}

impl Clusters {
    fn new(key: &Key<'_>, slots: Slots) -> Clusters {
        let count = slots.len();
        let mut first_end = vec![0; count];
        let mut last_begin = vec![0; count];
        for (slot, writer) in slots.writer.iter().enumerate().skip(1) {
            first_end[slot] = key.ended[*writer as usize].saturating_add(1);
            last_begin[slot] = key.began[*writer as usize] + 1;
        }
        let links = if key.expected.is_empty() { 0 } else { count };
        Clusters {
            slots,
            first_end,
            last_begin,
            observed: vec![false; count],
            next: vec![NONE; links],
            previous: vec![NONE; links],
        }
    }

    /// Whether the write certainly happened, and so has a place in the order.
    pub(super) fn happened(&self, key: &Key<'_>, slot: usize) -> bool {
        self.observed[slot]
            || self.slots.writer.get(slot).is_some_and(|w| *w != NONE && key.status[*w as usize] == Status::Ok)
    }
}

struct Run<'a, 'k> {
    key: &'a Key<'k>,
    clusters: Clusters,
    proofs: Proofs,
    /// Values whose writers failed, and one of these; made when first needed.
    failed: Option<HashMap<Value, u32, foldhash::fast::RandomState>>,
    /// The operation that tells the initial value: every proof needs it.
    told_by: Vec<u32>,
    /// Compare-and-sets whose expectation is a proof of its own: from there on, plain writes.
    broken: Vec<u32>,
}

impl<'a, 'k> Run<'a, 'k> {
    fn new(key: &'a Key<'k>, beginning: &Beginning) -> Run<'a, 'k> {
        Run {
            key,
            clusters: Clusters::new(key, Slots::new(key, beginning.value)),
            proofs: Proofs::default(),
            failed: None,
            told_by: if beginning.told_by == NONE { Vec::new() } else { vec![beginning.told_by] },
            broken: Vec::new(),
        }
    }

    fn complete(&self, proof: Proof) -> Proof {
        let proof = proof.with_observers(self.key);
        let bare = proof.operations.len();
        proof.with(&self.told_by, bare)
    }

    /// Puts each observation into its value's cluster, or reports that it has none.
    fn observe(&mut self) {
        let key = self.key;
        for at in 0..key.len() {
            if key.status[at] == Status::Ok
                && let Some(value) = key.observed(at)
            {
                self.observation(at, value);
            }
        }
        if key.expected.is_empty() {
            return;
        }
        // A crashed compare-and-set happened where its value was observed; then it observed what it expected.
        let mut waiting: Vec<u32> = (0..self.clusters.slots.len())
            .filter(|slot| self.clusters.observed[*slot])
            .filter_map(|slot| self.crashed_cas(slot))
            .collect();
        while let Some(op) = waiting.pop() {
            let at = op as usize;
            let Some(value) = key.observed(at) else { continue };
            let slot = self.clusters.slots.of(value);
            let fresh = slot != NONE && !self.clusters.observed[slot as usize];
            self.observation(at, value);
            if fresh {
                waiting.extend(self.crashed_cas(slot as usize));
            }
        }
    }

    fn crashed_cas(&self, slot: usize) -> Option<u32> {
        let writer = self.clusters.slots.writer[slot];
        let crashed = writer != NONE
            && !self.clusters.slots.repeated[slot]
            && self.key.status[writer as usize] == Status::Info
            && self.key.action[writer as usize] == Action::Cas;
        crashed.then_some(writer)
    }

    fn observation(&mut self, at: usize, value: Value) {
        let key = self.key;
        let op = u32::try_from(at).unwrap_or(NONE);
        let slot = self.clusters.slots.of(value);
        if slot == NONE {
            let proof = match self.failed_writer(value) {
                Some(writer) => Proof::new(Anomaly::G1a, Shape::Aborted { observer: op, writer }, &[]),
                None => Proof::new(Anomaly::ThinAirRead, Shape::ThinAir { observer: op }, &[]),
            };
            let proof = self.complete(proof);
            self.proofs.add(key, proof);
            self.broken.push(op);
            return;
        }
        let slot = slot as usize;
        let writer = self.clusters.slots.writer[slot];
        if slot != INITIAL as usize && key.ended[at] < key.began[writer as usize] {
            let mut proof = Proof::new(Anomaly::FutureRead, Shape::Future { observer: op, writer }, &[]);
            // Of several writers none had begun; whose it shows, and whether of its own session, is not known.
            proof.repeated = self.clusters.slots.repeated[slot];
            let proof = self.complete(proof);
            self.proofs.add(key, proof);
            self.broken.push(op);
            return;
        }
        self.clusters.observed[slot] = true;
        if key.action[at] == Action::Read {
            let (end, begin) = (key.ended[at] + 1, key.began[at] + 1);
            let first_end = &mut self.clusters.first_end[slot];
            *first_end = end.min(*first_end);
            let last_begin = &mut self.clusters.last_begin[slot];
            *last_begin = begin.max(*last_begin);
        }
    }

    fn failed_writer(&mut self, value: Value) -> Option<u32> {
        let key = self.key;
        let failed = self.failed.get_or_insert_with(|| {
            let writes = (0..key.len()).filter(|at| key.status[*at] == Status::Fail);
            writes.filter_map(|at| Some((key.written(at)?, u32::try_from(at).ok()?))).collect()
        });
        failed.get(&value).copied()
    }

    fn repeated(&self) -> Option<Undecided> {
        let mut slots = self.clusters.slots.repeated.iter().zip(&self.clusters.observed);
        slots.any(|(repeated, observed)| *repeated && *observed).then_some(Undecided::Repeated)
    }

    /// Joins each compare-and-set's value to the one that it replaced.
    fn link(&mut self) {
        let key = self.key;
        if key.expected.is_empty() {
            return;
        }
        self.broken.sort_unstable();
        let writer = |slot: &usize| self.clusters.slots.writer[*slot];
        let mut slots: Vec<usize> = (1..self.clusters.slots.len())
            .filter(|slot| key.action[writer(slot) as usize] == Action::Cas && self.clusters.happened(key, *slot))
            .filter(|slot| self.broken.binary_search(&writer(slot)).is_err())
            .collect();
        // Certain ones first: a crashed one needs an observer beside it in a witness.
        slots.sort_by_key(|slot| key.status[writer(slot) as usize] != Status::Ok);
        for slot in slots {
            let cas = self.clusters.slots.writer[slot];
            let at = cas as usize;
            let expected = self.clusters.slots.of(key.expected[at]) as usize;
            let new = u32::try_from(slot).unwrap_or(NONE);
            let rival = self.clusters.next[expected];
            if rival == NONE {
                self.clusters.next[expected] = new;
                self.clusters.previous[slot] = u32::try_from(expected).unwrap_or(NONE);
            } else {
                let first = self.clusters.slots.writer[rival as usize];
                let writer = self.clusters.slots.writer[expected];
                let shape = Shape::Fork { writer, first, second: cas };
                let proof = self.complete(Proof::new(Anomaly::LostUpdate, shape, &[]));
                self.proofs.add(key, proof);
            }
        }
    }

    /// The super-blocks; what contradicts itself within one is reported here.
    fn blocks(&mut self) -> Vec<Block> {
        let key = self.key;
        let count = self.clusters.slots.len();
        let mut blocks = Vec::with_capacity(count);
        let mut visited = vec![false; self.clusters.next.len()];
        for head in 0..count {
            if !self.clusters.happened(key, head) || self.clusters.previous.get(head).is_some_and(|p| *p != NONE) {
                continue;
            }
            let mut block = Block {
                head: u32::try_from(head).unwrap_or(NONE),
                first_end: self.clusters.first_end[head],
                last_begin: self.clusters.last_begin[head],
            };
            if !visited.is_empty() {
                visited[head] = true;
                let mut at = self.clusters.next[head];
                let mut crossed = false;
                while at != NONE {
                    let slot = at as usize;
                    visited[slot] = true;
                    crossed |= self.clusters.first_end[slot] < block.last_begin;
                    block.first_end = block.first_end.min(self.clusters.first_end[slot]);
                    block.last_begin = block.last_begin.max(self.clusters.last_begin[slot]);
                    at = self.clusters.next[slot];
                }
                if crossed && let Some(proof) = conflict::within(key, &self.clusters, block.head) {
                    let proof = self.complete(proof);
                    self.proofs.add(key, proof);
                }
            }
            blocks.push(block);
        }
        self.circles(&mut visited);
        blocks
    }

    /// Compare-and-sets that follow each other in a circle have no first.
    fn circles(&mut self, visited: &mut [bool]) {
        for slot in 0..visited.len() {
            if visited[slot] || self.clusters.previous[slot] == NONE {
                continue;
            }
            let mut cas = Vec::new();
            let mut at = slot;
            while !visited[at] {
                visited[at] = true;
                cas.push(self.clusters.slots.writer[at]);
                at = self.clusters.next[at] as usize;
            }
            let proof = self.complete(Proof::new(Anomaly::NonLinearizable, Shape::Circle { cas }, &[]));
            self.proofs.add(self.key, Proof { minimality: Minimality::Bounded, ..proof });
        }
    }
}

/// Whether two blocks have to come before each other.
fn contradict(blocks: &[Block]) -> bool {
    let mut forward: Vec<(u32, u32)> = blocks
        .iter()
        .filter(|block| block.first_end < block.last_begin)
        .map(|block| (block.first_end, block.last_begin))
        .collect();
    forward.sort_unstable();
    if forward.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return true;
    }
    // The forward zones are disjoint now: only the last one that opens before a backward zone can hold it.
    blocks.iter().filter(|block| block.first_end >= block.last_begin).any(|block| {
        let after = forward.partition_point(|zone| zone.0 < block.last_begin);
        after > 0 && block.first_end < forward[after - 1].1
    })
}
