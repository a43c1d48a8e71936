//! An order of the accesses in which little leads back.
//!
//! All that is decided about sessions asks whether what has to come before what leads back to where it began; so it helps to
//! look at the rows in an order in which hardly anything does. Where a history is linearizable but for a few reads, an order
//! that explains all others is as good as found: each value's block of accesses has its place by zones (Gibbons and Korach
//! 1997), the keys' blocks are merged along sessions, reads and known orders, and where these contradict each other the order of
//! invocation decides. Nothing rests on the order being a good one: it says how much has to be looked at, never what is found.
//!
//! Cost: linear, but for a sort of each key's values and a queue of sessions.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::facts::{id, walk};
use crate::workload::accesses::{Accesses, NONE};

/// How many bytes this takes, about.
pub(in crate::check) fn demand(accesses: &Accesses<'_>) -> u64 {
    const ACCESS: u64 = 64;
    accesses.len() as u64 * ACCESS
}

/// Rows in a likely order: those of an operation together, those of a session as they were.
pub(in crate::check) fn order(accesses: &Accesses<'_>) -> Vec<u32> {
    let sequence = Sequence::new(accesses);
    Merge::new(accesses, &sequence).rows()
}

/// Whether a row takes part: it happened, and tells its version.
fn counts(accesses: &Accesses<'_>, row: usize) -> bool {
    accesses.happened[row] && (accesses.writes[row] || !accesses.ambiguous[accesses.version[row] as usize])
}

/// Whether a version was installed.
fn is_there(accesses: &Accesses<'_>, version: u32) -> bool {
    accesses.happened.get(accesses.writer[version as usize] as usize).copied().unwrap_or(false)
}

/// The likely order of each key's versions.
struct Sequence {
    /// By version: the one after it, or [`NONE`].
    next: Vec<u32>,
    /// By version: the nearest one that is known to precede it, initial ones left out, or [`NONE`].
    known: Vec<u32>,
    /// By row: whether it reads what had certainly been replaced, so that it says nothing of what comes next. Empty where all orders
    /// are known.
    late: Vec<bool>,
}

/// The versions below one that replaced the initial one, by their places in the walk through their key's tree.
#[derive(Clone, Copy)]
struct Tree {
    first: u32,
    last: u32,
}

impl Sequence {
    fn new(accesses: &Accesses<'_>) -> Sequence {
        let (enter, leave) = walk(accesses);
        let mut placed = vec![NONE; accesses.versions()];
        for (version, place) in (0u32..).zip(&enter) {
            placed[*place as usize] = version;
        }
        let (mut next, mut known) = (vec![NONE; accesses.versions()], vec![NONE; accesses.versions()]);
        for version in placed.iter().copied() {
            let parent = accesses.parent[version as usize];
            if parent != NONE && !accesses.is_initial(parent) {
                known[version as usize] = if is_there(accesses, parent) { parent } else { known[parent as usize] };
            }
        }
        let mut zones: Option<Zones> = None;
        for key in 0..id(accesses.keys.len()) {
            let (mut place, end) = (enter[key as usize] + 1, leave[key as usize]);
            let mut trees: Vec<Tree> = Vec::new();
            while place <= end {
                let last = leave[placed[place as usize] as usize];
                trees.push(Tree { first: place, last });
                place = last + 1;
            }
            if trees.len() > 1 {
                trees = zones.get_or_insert_with(|| Zones::new(accesses)).arranged(accesses, &placed, &trees);
            }
            let mut before = key;
            for place in trees.into_iter().flat_map(|tree| tree.first..=tree.last) {
                let version = placed[place as usize];
                if is_there(accesses, version) {
                    next[before as usize] = version;
                    before = version;
                }
            }
        }
        Sequence { next, known, late: zones.map(|zones| zones.late).unwrap_or_default() }
    }

    fn is_late(&self, row: usize) -> bool {
        self.late.get(row).copied().unwrap_or(false)
    }
}

/// When each version was there: positions from 1, so that the initial versions' writes are at 0.
struct Zones {
    /// By version: the earliest end of an access of it.
    first_end: Vec<u32>,
    /// By version: the latest beginning, of accesses that are not late.
    last_begin: Vec<u32>,
    late: Vec<bool>,
}

impl Zones {
    fn new(accesses: &Accesses<'_>) -> Zones {
        let (versions, rows) = (accesses.versions(), accesses.len());
        let mut zones =
            Zones { first_end: vec![NONE; versions], last_begin: vec![0; versions], late: vec![false; rows] };
        zones.first_end[..accesses.keys.len()].fill(0);
        // By position: the first row of the operation that ends there.
        let mut ends_at = vec![NONE; accesses.history.records() as usize + 1];
        for row in 0..rows {
            if counts(accesses, row) {
                let version = accesses.version[row] as usize;
                zones.first_end[version] = accesses.ended(row).saturating_add(1).min(zones.first_end[version]);
                if accesses.writes[row] {
                    zones.last_begin[version] = accesses.began(row) + 1;
                }
            }
            if (row == 0 || accesses.op[row - 1] != accesses.op[row])
                && let Some(at) = ends_at.get_mut(accesses.ended(row) as usize)
            {
                *at = id(row);
            }
        }
        // By key: the latest beginning of a write that has ended.
        let mut replaced = vec![0; accesses.keys.len()];
        let mut position = 0;
        for row in (0..rows).filter(|row| !accesses.writes[*row] && counts(accesses, *row)) {
            let began = accesses.began(row);
            while position < began {
                let first = ends_at[position as usize] as usize;
                position += 1;
                let of_one = |row: &usize| accesses.op[*row] == accesses.op[first];
                for write in (first..rows).take_while(of_one).filter(|write| accesses.writes[*write]) {
                    let latest = &mut replaced[accesses.key[write] as usize];
                    *latest = (accesses.began(write) + 1).max(*latest);
                }
            }
            let version = accesses.version[row] as usize;
            if replaced[accesses.key[row] as usize] > zones.first_end[version] {
                zones.late[row] = true;
            } else {
                zones.last_begin[version] = (began + 1).max(zones.last_begin[version]);
            }
        }
        zones
    }

    /// Trees so that one which ends before another begins is before it: each at its latest beginning, or after the forward zone
    /// that this falls into.
    fn arranged(&self, accesses: &Accesses<'_>, placed: &[u32], trees: &[Tree]) -> Vec<Tree> {
        let mut zoned: Vec<(u32, bool, u32, Tree)> = Vec::with_capacity(trees.len());
        let mut forward: Vec<(u32, u32)> = Vec::new();
        for tree in trees {
            let (mut first_end, mut last_begin) = (NONE, 0);
            for place in tree.first..=tree.last {
                let version = placed[place as usize];
                if is_there(accesses, version) {
                    first_end = first_end.min(self.first_end[version as usize]);
                    last_begin = last_begin.max(self.last_begin[version as usize]);
                }
            }
            if last_begin > 0 {
                zoned.push((last_begin, first_end >= last_begin, last_begin, *tree));
                if first_end < last_begin {
                    forward.push((first_end, last_begin));
                }
            }
        }
        forward.sort_unstable();
        zoned.sort_unstable_by_key(|(place, _, _, tree)| (*place, tree.first));
        let mut opened = forward.into_iter().peekable();
        let mut until = 0;
        for (place, ..) in &mut zoned {
            while let Some((_, last_begin)) = opened.next_if(|zone| zone.0 < *place) {
                until = last_begin.max(until);
            }
            *place = until.max(*place);
        }
        zoned.sort_unstable_by_key(|(place, backward, last_begin, tree)| (*place, *backward, *last_begin, tree.first));
        zoned.into_iter().map(|(.., tree)| tree).collect()
    }
}

/// Operations, merged along sessions, reads and the orders of versions (Kahn 1962), those invoked first in front.
struct Merge<'m, 'h> {
    accesses: &'m Accesses<'h>,
    sequence: &'m Sequence,
    /// By operation that has rows: the first of these; and one more.
    starts: Vec<u32>,
    /// By row: its operation's number.
    block: Vec<u32>,
    /// By version: where its readers begin; and one more.
    reader_starts: Vec<u32>,
    /// Operations that read what another one wrote, and those that replaced it though not as the next one.
    readers: Vec<u32>,
    /// By operation: the next of its session.
    follows: Vec<u32>,
    queue: Queue,
}

/// What can be next.
struct Queue {
    /// By operation: what has to come before it, and is not there yet.
    hard: Vec<u32>,
    /// And what should.
    soft: Vec<u32>,
    is_done: Vec<bool>,
    ready: BinaryHeap<Reverse<u32>>,
    /// Ready but for what should come before.
    waiting: BinaryHeap<Reverse<u32>>,
    /// No operation before this one is left.
    left: u32,
}

impl Queue {
    fn release(&mut self, of: u32, hard: bool) {
        let at = of as usize;
        if hard {
            self.hard[at] -= 1;
        } else {
            self.soft[at] -= 1;
        }
        if self.hard[at] > 0 || self.is_done[at] {
            return;
        }
        if self.soft[at] == 0 {
            self.ready.push(Reverse(of));
        } else if hard {
            self.waiting.push(Reverse(of));
        }
    }

    fn next(&mut self) -> Option<u32> {
        while let Some(Reverse(next)) = self.ready.pop().or_else(|| self.waiting.pop()) {
            if !std::mem::replace(&mut self.is_done[next as usize], true) {
                return Some(next);
            }
        }
        // What has to come before what leads back to itself.
        while *self.is_done.get(self.left as usize)? {
            self.left += 1;
        }
        self.is_done[self.left as usize] = true;
        Some(self.left)
    }
}

impl<'m, 'h> Merge<'m, 'h> {
    fn new(accesses: &'m Accesses<'h>, sequence: &'m Sequence) -> Merge<'m, 'h> {
        let rows = accesses.len();
        let (mut starts, mut block) = (Vec::new(), Vec::with_capacity(rows));
        for row in 0..rows {
            if row == 0 || accesses.op[row - 1] != accesses.op[row] {
                starts.push(id(row));
            }
            block.push(id(starts.len() - 1));
        }
        let count = starts.len();
        starts.push(id(rows));
        let queue = Queue {
            hard: vec![0; count],
            soft: vec![0; count],
            is_done: vec![false; count],
            ready: BinaryHeap::new(),
            waiting: BinaryHeap::new(),
            left: 0,
        };
        let mut merge = Merge {
            accesses,
            sequence,
            starts,
            block,
            reader_starts: vec![0; accesses.versions() + 1],
            readers: Vec::new(),
            follows: vec![NONE; count],
            queue,
        };
        merge.sessions();
        merge.read();
        for (before, after) in (0u32..).zip(&sequence.next) {
            if let Some((to, hard)) = merge.replacement(before, *after) {
                if hard {
                    merge.queue.hard[to as usize] += 1;
                } else {
                    merge.queue.soft[to as usize] += 1;
                }
            }
        }
        for at in 0..id(count) {
            match (merge.queue.hard[at as usize], merge.queue.soft[at as usize]) {
                (0, 0) => merge.queue.ready.push(Reverse(at)),
                (0, _) => merge.queue.waiting.push(Reverse(at)),
                _ => {}
            }
        }
        merge
    }

    fn sessions(&mut self) {
        let mut last = vec![NONE; self.accesses.sessions as usize];
        for at in 0..self.follows.len() {
            let session = self.accesses.session(self.starts[at] as usize) as usize;
            let before = std::mem::replace(&mut last[session], id(at));
            if before != NONE {
                self.follows[before as usize] = id(at);
                self.queue.hard[at] += 1;
            }
        }
    }

    fn read(&mut self) {
        for row in 0..self.block.len() {
            if let Some(version) = self.shown(row) {
                self.reader_starts[version as usize + 1] += 1;
                self.queue.hard[self.block[row] as usize] += 1;
            }
            if let Some(after) = self.overwriting(row) {
                self.queue.soft[after as usize] += 1;
            }
        }
        let branches: Vec<(u32, u32)> = (0..id(self.accesses.versions())).filter_map(|of| self.branch(of)).collect();
        for (version, to) in &branches {
            self.reader_starts[*version as usize + 1] += 1;
            self.queue.hard[*to as usize] += 1;
        }
        for at in 1..self.reader_starts.len() {
            self.reader_starts[at] += self.reader_starts[at - 1];
        }
        let mut next = self.reader_starts.clone();
        self.readers = vec![NONE; next[next.len() - 1] as usize];
        for row in 0..self.block.len() {
            if let Some(version) = self.shown(row) {
                self.readers[next[version as usize] as usize] = self.block[row];
                next[version as usize] += 1;
            }
        }
        for (version, to) in branches {
            self.readers[next[version as usize] as usize] = to;
            next[version as usize] += 1;
        }
    }

    /// What is known to precede a version that is not the next one after it; and the operation of that version, if it is another.
    fn branch(&self, version: u32) -> Option<(u32, u32)> {
        let before = self.sequence.known[version as usize];
        if before == NONE || self.sequence.next[before as usize] == version || !is_there(self.accesses, version) {
            return None;
        }
        let block = |version: u32| self.block[self.accesses.writer[version as usize] as usize];
        (block(before) != block(version)).then_some((before, block(version)))
    }

    /// What a row reads that another operation wrote.
    fn shown(&self, row: usize) -> Option<u32> {
        let accesses = self.accesses;
        if accesses.writes[row] || !counts(accesses, row) || !is_there(accesses, accesses.version[row]) {
            return None;
        }
        let version = accesses.version[row];
        let writer = accesses.writer[version as usize] as usize;
        let own = self.block[writer] == self.block[row];
        let future = writer > row && accesses.session(writer) == accesses.session(row);
        (!own && !future).then_some(version)
    }

    /// The other operation that replaces what a row reads.
    fn overwriting(&self, row: usize) -> Option<u32> {
        if self.accesses.writes[row] || !counts(self.accesses, row) || self.sequence.is_late(row) {
            return None;
        }
        let next = self.sequence.next[self.accesses.version[row] as usize];
        let after = self.block[*self.accesses.writer.get(next as usize)? as usize];
        (after != self.block[row]).then_some(after)
    }

    /// The operation that writes the second version, if another wrote the first; and whether the order is known.
    fn replacement(&self, before: u32, after: u32) -> Option<(u32, bool)> {
        let to = self.block[*self.accesses.writer.get(after as usize)? as usize];
        let from = self.block.get(self.accesses.writer[before as usize] as usize)?;
        (*from != to).then_some((to, self.sequence.known[after as usize] == before))
    }

    fn rows(mut self) -> Vec<u32> {
        let mut order = Vec::with_capacity(self.block.len());
        while let Some(at) = self.queue.next() {
            let rows = self.starts[at as usize]..self.starts[at as usize + 1];
            order.extend(rows.clone());
            for row in rows.start as usize..rows.end as usize {
                if let Some(after) = self.overwriting(row) {
                    self.queue.release(after, false);
                }
                let version = self.accesses.version[row];
                if !self.accesses.writes[row] || !is_there(self.accesses, version) {
                    continue;
                }
                let readers =
                    self.reader_starts[version as usize] as usize..self.reader_starts[version as usize + 1] as usize;
                for reader in &self.readers[readers] {
                    self.queue.release(*reader, true);
                }
                if let Some((to, hard)) = self.replacement(version, self.sequence.next[version as usize]) {
                    self.queue.release(to, hard);
                }
            }
            if self.follows[at as usize] != NONE {
                self.queue.release(self.follows[at as usize], true);
            }
        }
        order
    }
}
