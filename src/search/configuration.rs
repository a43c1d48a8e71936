//! Configurations, and which were met before.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::plan::{Lanes, NONE};
use super::usage::{UNUSED, Usages};

/// How far an order has come. Exact: two that are equal in all but their paths have the same futures.
#[derive(Clone, Copy)]
pub(super) struct Configuration<const WORDS: usize> {
    /// The pending operations that were taken already, by lane.
    pub(super) taken: [u64; WORDS],
    /// Of those not taken, the ones that can as well have been hidden: that are legal everywhere, and were pending when the
    /// last overwriting operation was taken. Just before that one, nobody saw them.
    pub(super) hidden: [u64; WORDS],
    pub(super) level: u32,
    pub(super) state: u32,
    /// How many crashed operations it used, of the classes that are counted.
    pub(super) usage: u32,
    /// The last step that led here: of no account for what can follow.
    pub(super) path: u32,
}

impl<const WORDS: usize> Configuration<WORDS> {
    /// Where nothing was taken yet.
    pub(super) fn new(state: u32, path: u32) -> Self {
        Configuration { taken: [0; WORDS], hidden: [0; WORDS], level: 0, state, usage: UNUSED, path }
    }

    #[inline]
    pub(super) fn has(&self, lane: u32) -> bool {
        self.taken[lane as usize / 64] >> (lane % 64) & 1 == 1
    }

    #[inline]
    pub(super) fn take(&mut self, lane: u32) {
        self.taken[lane as usize / 64] |= 1 << (lane % 64);
        self.hidden[lane as usize / 64] &= !(1 << (lane % 64));
    }

    /// Whether the operation of this lane can be taken as one that nobody saw.
    #[inline]
    pub(super) fn can_hide(&self, lane: u32) -> bool {
        self.hidden[lane as usize / 64] >> (lane % 64) & 1 == 1
    }

    /// An overwriting operation was taken: these lanes' operations, if not taken, can have come just before it.
    #[inline]
    pub(super) fn hide(&mut self, total: &[u64; WORDS]) {
        for (hidden, (total, taken)) in self.hidden.iter_mut().zip(total.iter().zip(&self.taken)) {
            *hidden = total & !taken;
        }
    }

    #[inline]
    pub(super) fn release(&mut self, lane: u32) {
        self.taken[lane as usize / 64] &= !(1 << (lane % 64));
    }
}

/// A configuration that was met.
struct Entry<const WORDS: usize> {
    it: Configuration<WORDS>,
    hash: u64,
    /// The next one that differs in crashed, pure or total operations only.
    next: u32,
}

/// The configurations met so far. Those that differ only in crashed operations, in pure ones and in
/// such as are legal everywhere hang together.
pub(super) struct Met<const WORDS: usize> {
    all: Vec<Entry<WORDS>>,
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

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The states that were met at this level in such configurations, ascending.
    pub(super) fn states(&self, level: u32, such: impl Fn(&Configuration<WORDS>) -> bool) -> Vec<u32> {
        let at_level = self.all.iter().map(|entry| &entry.it).filter(|it| it.level == level && such(it));
        let mut states: Vec<u32> = at_level.map(|it| it.state).collect();
        states.sort_unstable();
        states.dedup();
        states
    }

    /// Whether neither this configuration was met, nor one that is as good: that used no more crashed operations; took what
    /// it took of the pure ones; took none of the total ones that it did not take, and can hide those that it did not take
    /// and all that this one can. And how many were compared.
    pub(super) fn is_new(&mut self, it: &Configuration<WORDS>, lanes: &Lanes<WORDS>, usages: &Usages) -> (bool, u32) {
        let Lanes { pure, total } = lanes;
        let impure = |it: &Configuration<WORDS>| -> [u64; WORDS] {
            std::array::from_fn(|word| it.taken[word] & !(pure[word] | total[word]))
        };
        let all = &mut self.all;
        let own = impure(it);
        let hash = self.hasher.hash_one((own, it.level, it.state));
        let fresh = u32::try_from(all.len()).unwrap_or(NONE);
        let same = |at: &u32| {
            let other = &all[*at as usize].it;
            (other.level, other.state) == (it.level, it.state) && impure(other) == own
        };
        let Some(first) = self.table.find(hash, same).copied() else {
            all.push(Entry { it: *it, hash, next: NONE });
            self.table.insert_unique(hash, fresh, |at| all[*at as usize].hash);
            return (true, 1);
        };
        let mut compared = 0;
        let mut at = first;
        while at != NONE {
            compared += 1;
            let other = &all[at as usize];
            let is_as_good = (0..WORDS).all(|word| {
                let (taken, can_hide) = (other.it.taken[word], other.it.hidden[word]);
                let more = (it.taken[word] & !taken) | it.hidden[word];
                (it.taken[word] & !taken & pure[word])
                    | (taken & !it.taken[word] & total[word])
                    | (more & total[word] & !can_hide)
                    == 0
            });
            if is_as_good && usages.within(other.it.usage, it.usage) {
                return (false, compared);
            }
            at = other.next;
        }
        let second = std::mem::replace(&mut all[first as usize].next, fresh);
        all.push(Entry { it: *it, hash, next: second });
        (true, compared)
    }

    /// How many bytes they occupy, about.
    pub(super) fn bytes(&self) -> usize {
        self.all.capacity() * size_of::<Entry<WORDS>>() + self.table.capacity() * 5
    }
}
