//! How many crashed operations of each class a configuration used, as small numbers.

use std::hash::BuildHasher;

use hashbrown::{HashMap, HashTable};

/// No crashed operation used.
pub(super) const UNUSED: u32 = 0;

/// All combinations of crashed operations that the search met, interned: lists of (place of the class, count), by place.
pub(super) struct Usages {
    ends: Vec<u32>,
    counts: Vec<(u32, u32)>,
    totals: Vec<u32>,
    index: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    more: HashMap<(u32, u32), u32, foldhash::fast::RandomState>,
}

impl Usages {
    pub(super) fn new() -> Usages {
        let mut usages = Usages {
            ends: vec![0],
            counts: Vec::new(),
            totals: vec![0],
            index: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            more: HashMap::default(),
        };
        let hash = usages.hasher.hash_one::<&[(u32, u32)]>(&[]);
        usages.index.insert_unique(hash, UNUSED, |_| hash);
        usages
    }

    fn of(&self, usage: u32) -> &[(u32, u32)] {
        let usage = usage as usize;
        let start = if usage == 0 { 0 } else { self.ends[usage - 1] as usize };
        &self.counts[start..self.ends[usage] as usize]
    }

    /// How many of the class at this place were used.
    pub(super) fn used(&self, usage: u32, place: u32) -> u32 {
        self.of(usage).iter().find(|(other, _)| *other == place).map_or(0, |(_, count)| *count)
    }

    /// How many were used in all.
    pub(super) fn total(&self, usage: u32) -> u32 {
        self.totals[usage as usize]
    }

    /// The usage with one more of the class at this place.
    pub(super) fn with(&mut self, usage: u32, place: u32) -> u32 {
        if let Some(known) = self.more.get(&(usage, place)) {
            return *known;
        }
        let mut counts = self.of(usage).to_vec();
        match counts.binary_search_by_key(&place, |(other, _)| *other) {
            Ok(at) => counts[at].1 += 1,
            Err(at) => counts.insert(at, (place, 1)),
        }
        let hash = self.hasher.hash_one(&counts[..]);
        let found = self.index.find(hash, |other| self.of(*other) == counts).copied();
        let next = found.unwrap_or_else(|| {
            let id = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
            self.counts.extend_from_slice(&counts);
            self.ends.push(u32::try_from(self.counts.len()).unwrap_or(u32::MAX));
            self.totals.push(self.totals[usage as usize] + 1);
            let (ends, all, hasher) = (&self.ends, &self.counts, &self.hasher);
            self.index.insert_unique(hash, id, |other| {
                let other = *other as usize;
                let start = if other == 0 { 0 } else { ends[other - 1] as usize };
                hasher.hash_one(&all[start..ends[other] as usize])
            });
            id
        });
        self.more.insert((usage, place), next);
        next
    }

    /// Whether `a` used no more of any class than `b`.
    pub(super) fn within(&self, a: u32, b: u32) -> bool {
        if a == b || a == UNUSED {
            return true;
        }
        if self.total(a) >= self.total(b) {
            return false;
        }
        let mut rest = self.of(b).iter();
        self.of(a).iter().all(|(place, count)| {
            rest.by_ref().find(|(other, _)| other >= place).is_some_and(|(other, more)| other == place && more >= count)
        })
    }

    /// How many bytes they occupy, about.
    pub(super) fn bytes(&self) -> usize {
        self.counts.len() * 8 + self.ends.len() * 16 + self.more.len() * 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: equal combinations are one number, and smaller ones are within larger ones only.
    #[test]
    fn combinations_are_interned_and_compared() {
        let mut usages = Usages::new();
        let one = usages.with(UNUSED, 3);
        let two = usages.with(one, 5);
        let other = usages.with(UNUSED, 5);
        assert_eq!(usages.with(other, 3), two);
        assert!(usages.within(one, two) && usages.within(other, two) && usages.within(UNUSED, one));
        assert!(!usages.within(two, one) && !usages.within(one, other) && usages.within(two, two));
        let twice = usages.with(one, 3);
        assert!(usages.within(one, twice) && !usages.within(twice, two) && !usages.within(other, twice));
        assert_eq!((usages.used(twice, 3), usages.used(twice, 5), usages.total(two)), (2, 0, 2));
    }
}
