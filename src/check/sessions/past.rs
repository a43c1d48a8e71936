//! What leads to an access by session order and reads (its causal past), for all accesses in turn: clocks over chains.
//!
//! Accesses are covered by chains, each a path of session order and reads: an access continues the chain of one that leads to
//! it, if it is the first to do so. A past is a beginning of each chain: a clock, one number a chain. A clock is let go when all
//! that follow from it have seen it. Optionally the known orders of versions lead on, too.
//!
//! Cost: O(n k) for k chains, of which there are no more than sessions, and operations of unknown outcome that others saw.
//! Sources: AWDIT (PLDI 2025); chains: Jagadish, A Compression Technique to Materialize Transitive Closure (TODS 1990).

use super::facts::{Facts, INITIAL, id};
use super::ring::Stretches;
use crate::budget::Meter;
use crate::verdict::StoppedBy;
use crate::workload::accesses::NONE;

/// Accesses in an order that contains session order and reads, and chains over it.
pub(super) struct Pasts<'f, 'a, 'h> {
    facts: &'f Facts<'a, 'h>,
    /// Counted rows, each after all that lead to it.
    pub(super) order: Vec<u32>,
    /// By row: its place in `order`.
    pub(super) place: Vec<u32>,
    /// By row: its chain, if something follows from it.
    chain: Vec<u32>,
    /// And its number there, from 1.
    number: Vec<u32>,
    chains: usize,
}

/// The past of one access.
pub(super) struct Past<'p> {
    chain: &'p [u32],
    number: &'p [u32],
    column: &'p [u32],
    clock: &'p [u32],
}

impl Past<'_> {
    /// Whether a row leads to this access. The row is one of which something follows.
    #[inline]
    pub(super) fn contains(&self, row: u32) -> bool {
        let chain = self.chain[row as usize];
        chain != NONE && self.number[row as usize] <= self.reached(chain)
    }

    /// Of a row's chain, how many rows lead to this access.
    #[inline]
    fn reached(&self, chain: u32) -> u32 {
        // A chain that has no row in the stretch has no column.
        self.clock.get(self.column[chain as usize] as usize).copied().unwrap_or(0)
    }

    /// The last of the writes of one chain that leads to this access.
    #[inline]
    pub(super) fn last_of(&self, writes: &[u32]) -> Option<u32> {
        let reached = self.reached(self.chain[*writes.first()? as usize]);
        // Mostly none.
        if self.number[writes[0] as usize] > reached {
            return None;
        }
        let visible = writes.partition_point(|write| self.number[*write as usize] <= reached);
        visible.checked_sub(1).map(|last| writes[last])
    }
}

impl<'f, 'a, 'h> Pasts<'f, 'a, 'h> {
    /// Nothing where accesses, with the known orders of versions, lead back to themselves.
    pub(super) fn new(facts: &'f Facts<'a, 'h>) -> Option<Pasts<'f, 'a, 'h>> {
        let rows = facts.accesses.len();
        let mut pasts = Pasts {
            facts,
            order: Vec::new(),
            place: vec![NONE; rows],
            chain: vec![NONE; rows],
            number: vec![0; rows],
            chains: 0,
        };
        pasts.order = if facts.is_forward() {
            (0..id(rows)).filter(|row| facts.counted[*row as usize]).collect()
        } else {
            pasts.topological()?
        };
        for (place, row) in (0u32..).zip(&pasts.order) {
            pasts.place[*row as usize] = place;
        }
        pasts.cover();
        Some(pasts)
    }

    /// What leads directly to a row: its session, what it read, and the write that is known to precede its version.
    #[inline]
    fn leads(&self, row: u32, known: bool) -> [Option<u32>; 3] {
        let facts = self.facts;
        let at = row as usize;
        if !facts.counted[at] {
            return [None; 3];
        }
        let there = |row: u32| (row < INITIAL).then_some(row);
        let earlier = if known && facts.accesses.writes[at] { facts.known[facts.version(row) as usize] } else { NONE };
        [there(facts.before[at]), there(facts.source[at]), there(earlier)]
    }

    fn topological(&self) -> Option<Vec<u32>> {
        let rows = self.place.len();
        let counted = |row: &u32| self.facts.counted[*row as usize];
        let edges =
            || (0..id(rows)).flat_map(|row| self.leads(row, true).into_iter().flatten().map(move |other| (other, row)));
        let mut starts = vec![0usize; rows + 1];
        let mut waiting = vec![0u32; rows];
        for (from, to) in edges() {
            starts[from as usize + 1] += 1;
            waiting[to as usize] += 1;
        }
        for at in 0..rows {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut targets = vec![0u32; starts[rows]];
        for (from, to) in edges() {
            targets[next[from as usize]] = to;
            next[from as usize] += 1;
        }
        // The first row that can be next is: the order stays near that of the history.
        let mut ready: std::collections::BinaryHeap<std::cmp::Reverse<u32>> =
            (0..id(rows)).filter(counted).filter(|row| waiting[*row as usize] == 0).map(std::cmp::Reverse).collect();
        let mut order = Vec::new();
        while let Some(std::cmp::Reverse(row)) = ready.pop() {
            order.push(row);
            for to in &targets[starts[row as usize]..starts[row as usize + 1]] {
                waiting[*to as usize] -= 1;
                if waiting[*to as usize] == 0 {
                    ready.push(std::cmp::Reverse(*to));
                }
            }
        }
        (order.len() == (0..id(rows)).filter(counted).count()).then_some(order)
    }

    fn cover(&mut self) {
        let mut continued = vec![false; self.place.len()];
        for at in 0..self.order.len() {
            let row = self.order[at];
            let free = self.leads(row, false).into_iter().flatten().find(|other| !continued[*other as usize]);
            let row = row as usize;
            if let Some(before) = free {
                continued[before as usize] = true;
                self.chain[row] = self.chain[before as usize];
                self.number[row] = self.number[before as usize] + 1;
            } else {
                self.chain[row] = id(self.chains);
                self.number[row] = 1;
                self.chains += 1;
            }
        }
    }

    /// Visits the counted rows of stretches, each with its past as far as it lies within the stretch (a row before the stretch may
    /// seem to be in it), itself left out; with `known`, known orders of versions lead on. Where the order of rows leads back, all
    /// rows are one stretch.
    pub(super) fn walk(
        &self,
        stretches: &Stretches,
        known: bool,
        meter: &mut Meter<'_>,
        mut visit: impl FnMut(u32, &Past<'_>, &mut Meter<'_>) -> Result<(), StoppedBy>,
    ) -> Result<(), StoppedBy> {
        if stretches.is_empty() {
            return Ok(());
        }
        let columns = vec![NONE; self.chains];
        let mut clocks = Clocks { columns, width: 0, numbers: Vec::new(), free: Vec::new() };
        if !self.facts.is_forward() {
            let all = (0, id(self.place.len() - 1));
            return self.stretch(all, &self.order, known, &mut clocks, meter, &mut visit);
        }
        for (from, to) in stretches.spans() {
            // The order is that of rows.
            let order = &self.order[self.order.partition_point(|row| *row < from)..];
            let order = &order[..order.partition_point(|row| *row <= to)];
            self.stretch((from, to), order, known, &mut clocks, meter, &mut visit)?;
        }
        Ok(())
    }

    fn stretch(
        &self,
        (from, to): (u32, u32),
        order: &[u32],
        known: bool,
        clocks: &mut Clocks,
        meter: &mut Meter<'_>,
        visit: &mut impl FnMut(u32, &Past<'_>, &mut Meter<'_>) -> Result<(), StoppedBy>,
    ) -> Result<(), StoppedBy> {
        let length = (to - from) as usize + 1;
        let place = |row: u32| (row - from) as usize;
        let leads = |row: u32| self.leads(row, known).into_iter().flatten().filter(|other| *other >= from);
        let mut waiting = vec![0u32; length];
        for row in order {
            leads(*row).for_each(|other| waiting[place(other)] += 1);
        }
        let mut of = vec![NONE; length];
        clocks.begin(order.iter().map(|row| self.chain[*row as usize]));
        // Numbers of a clock are joined many at once.
        let width = id(clocks.width / 16 + 1);
        for row in order.iter().copied() {
            let own = clocks.take(meter)?;
            for other in leads(row) {
                meter.steps(width)?;
                clocks.join(own, of[place(other)]);
                let number = clocks.of_chain(own, self.chain[other as usize]);
                *number = (*number).max(self.number[other as usize]);
                waiting[place(other)] -= 1;
                if waiting[place(other)] == 0 {
                    clocks.free.push(of[place(other)]);
                }
            }
            let (column, clock) = clocks.clock(own);
            visit(row, &Past { chain: &self.chain, number: &self.number, column, clock }, meter)?;
            if waiting[place(row)] > 0 {
                of[place(row)] = own;
            } else {
                clocks.free.push(own);
            }
        }
        order.iter().for_each(|row| clocks.columns[self.chain[*row as usize] as usize] = NONE);
        Ok(())
    }

    /// All writes, by key and chain, in the order of their chain.
    pub(super) fn installers(&self) -> Installers {
        let accesses = self.facts.accesses;
        let mut rows: Vec<(u32, u32, u32)> = Vec::new();
        for row in self.order.iter().copied().filter(|row| accesses.writes[*row as usize]) {
            rows.push((accesses.key[row as usize], self.chain[row as usize], row));
        }
        // Stable: within a chain, the order is that of its numbers.
        rows.sort_by_key(|(key, chain, _)| (*key, *chain));
        let (mut groups, mut keys) = (Vec::new(), vec![0; accesses.keys.len() + 1]);
        for (at, row) in rows.iter().enumerate() {
            if at == 0 || (rows[at - 1].0, rows[at - 1].1) != (row.0, row.1) {
                groups.push(at);
                keys[row.0 as usize + 1] += 1;
            }
        }
        groups.push(rows.len());
        for key in 0..accesses.keys.len() {
            keys[key + 1] += keys[key];
        }
        Installers { rows: rows.into_iter().map(|row| row.2).collect(), groups, keys }
    }
}

/// The writes of each key, by chain.
pub(super) struct Installers {
    rows: Vec<u32>,
    /// Where the rows of a key and chain begin; and one more.
    groups: Vec<usize>,
    /// By key, where its groups begin; and one more.
    keys: Vec<usize>,
}

impl Installers {
    /// The chains' writes of a key.
    pub(super) fn of(&self, key: u32) -> impl Iterator<Item = &[u32]> {
        let groups = self.keys[key as usize]..self.keys[key as usize + 1];
        groups.map(|group| &self.rows[self.groups[group]..self.groups[group + 1]])
    }
}

/// Clocks in rows of one column, free ones reused.
struct Clocks {
    /// By chain: its place in a clock; [`NONE`] where it has no row in the stretch.
    columns: Vec<u32>,
    width: usize,
    numbers: Vec<u32>,
    free: Vec<u32>,
}

impl Clocks {
    /// Clocks of these chains only.
    fn begin(&mut self, chains: impl Iterator<Item = u32>) {
        (self.width, self.numbers, self.free) = (0, Vec::new(), Vec::new());
        for chain in chains {
            let column = &mut self.columns[chain as usize];
            if *column == NONE {
                *column = id(self.width);
                self.width += 1;
            }
        }
    }

    fn of_chain(&mut self, row: u32, chain: u32) -> &mut u32 {
        let column = self.columns[chain as usize] as usize;
        &mut self.row(row)[column]
    }

    fn clock(&self, row: u32) -> (&[u32], &[u32]) {
        (&self.columns, &self.numbers[row as usize * self.width..][..self.width])
    }

    fn row(&mut self, row: u32) -> &mut [u32] {
        &mut self.numbers[row as usize * self.width..][..self.width]
    }

    fn take(&mut self, meter: &mut Meter<'_>) -> Result<u32, StoppedBy> {
        // As wide as there are chains: a million of them, one operation each, are a million times a million numbers.
        meter.steps(id(self.width / 16 + 1))?;
        if let Some(row) = self.free.pop() {
            self.row(row).fill(0);
            return Ok(row);
        }
        meter.hold((self.width * size_of::<u32>()) as u64)?;
        let row = id(self.numbers.len() / self.width.max(1));
        self.numbers.resize(self.numbers.len() + self.width, 0);
        Ok(row)
    }

    fn join(&mut self, into: u32, from: u32) {
        let (into, from) = (into as usize * self.width, from as usize * self.width);
        for at in 0..self.width {
            self.numbers[into + at] = self.numbers[into + at].max(self.numbers[from + at]);
        }
    }
}
