//! Configurations, and which were met before.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::plan::NONE;
use super::usage::Usages;

/// How far an order has come. Exact: two configurations that are equal have the same futures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Configuration<const WORDS: usize> {
    /// The pending operations that were taken already, by lane.
    pub(super) taken: [u64; WORDS],
    pub(super) level: u32,
    pub(super) state: u32,
    pub(super) usage: u32,
}

impl<const WORDS: usize> Configuration<WORDS> {
    #[inline]
    pub(super) fn has(&self, lane: u32) -> bool {
        self.taken[lane as usize / 64] >> (lane % 64) & 1 == 1
    }

    #[inline]
    pub(super) fn take(&mut self, lane: u32) {
        self.taken[lane as usize / 64] |= 1 << (lane % 64);
    }

    #[inline]
    pub(super) fn release(&mut self, lane: u32) {
        self.taken[lane as usize / 64] &= !(1 << (lane % 64));
    }
}

/// The configurations met so far. Those that differ in crashed operations only hang together.
pub(super) struct Met<const WORDS: usize> {
    pub(super) all: Vec<(Configuration<WORDS>, u32)>,
    table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl<const WORDS: usize> Met<WORDS> {
    pub(super) fn new() -> Met<WORDS> {
        Met { all: Vec::new(), table: HashTable::new(), hasher: foldhash::fast::RandomState::default() }
    }

    /// Forgets all, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.table.clear();
    }

    /// Whether neither this configuration was met, nor one that used fewer crashed operations and is else the same.
    pub(super) fn is_new(&mut self, it: &Configuration<WORDS>, usages: &Usages) -> bool {
        let all = &mut self.all;
        let same = |a: &Configuration<WORDS>| (a.taken, a.level, a.state) == (it.taken, it.level, it.state);
        let hash = self.hasher.hash_one((it.taken, it.level, it.state));
        let fresh = u32::try_from(all.len()).unwrap_or(NONE);
        match self.table.find(hash, |at| same(&all[*at as usize].0)).copied() {
            None => {
                all.push((*it, NONE));
                let hasher = &self.hasher;
                self.table.insert_unique(hash, fresh, |at| {
                    let other = &all[*at as usize].0;
                    hasher.hash_one((other.taken, other.level, other.state))
                });
                true
            }
            Some(first) => {
                let mut at = first;
                while at != NONE {
                    let (other, next) = &all[at as usize];
                    if usages.within(other.usage, it.usage) {
                        return false;
                    }
                    at = *next;
                }
                let second = std::mem::replace(&mut all[first as usize].1, fresh);
                all.push((*it, second));
                true
            }
        }
    }

    /// How many bytes they occupy, about.
    pub(super) fn bytes(&self) -> usize {
        self.all.capacity() * size_of::<(Configuration<WORDS>, u32)>() + self.table.capacity() * 5
    }
}
