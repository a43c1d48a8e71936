//! The operations of one object, laid out for the search: levels, lanes, and what is pending when.

use super::{Operation, Specification};
use crate::history::History;

/// No lane, no class.
pub(super) const NONE: u32 = u32::MAX;

/// Operations in order of completion: number `e` completes at level `e`.
pub(super) struct Plan {
    pub(super) class: Vec<u32>,
    pub(super) began: Vec<u32>,
    pub(super) ended: Vec<u32>,
    /// The bit that stands for the operation while it is pending.
    pub(super) lane: Vec<u32>,
    /// Its number among the operations given.
    pub(super) origin: Vec<u32>,
    /// Where each level's part of `pending` ends.
    pending_ends: Vec<u32>,
    /// Level by level, the operations that have begun and not completed, in order of completion.
    pending: Vec<u32>,
    pub(super) lanes: u32,
    /// Level by level, in words, the lanes of pending operations that never change a state.
    pure: Vec<u64>,
    /// Likewise, those of operations that are legal everywhere and change states.
    total: Vec<u64>,
    /// Classes of which operations crashed.
    pub(super) crashed: Vec<Crashed>,
}

/// Lanes of one level, as bits.
pub(super) struct Lanes<const WORDS: usize> {
    /// Of operations that never change a state.
    pub(super) pure: [u64; WORDS],
    /// Of operations that are legal everywhere and change states.
    pub(super) total: [u64; WORDS],
}

/// The crashed operations of one class.
pub(super) struct Crashed {
    pub(super) class: u32,
    /// When they began, ascending.
    pub(super) began: Vec<u32>,
    /// Their numbers among the operations given.
    pub(super) origin: Vec<u32>,
}

impl Plan {
    pub(super) fn new(operations: &[Operation], spec: &impl Specification) -> Plan {
        let mut sure: Vec<u32> = Vec::with_capacity(operations.len());
        let mut crashed: Vec<Crashed> = Vec::new();
        let mut crashed_of = vec![NONE; spec.classes() as usize];
        for (at, operation) in (0u32..).zip(operations) {
            if operation.ended != History::NO_POSITION {
                sure.push(at);
                continue;
            }
            let place = &mut crashed_of[operation.class as usize];
            if *place == NONE {
                *place = u32::try_from(crashed.len()).unwrap_or(NONE);
                crashed.push(Crashed { class: operation.class, began: Vec::new(), origin: Vec::new() });
            }
            crashed[*place as usize].origin.push(at);
        }
        for class in &mut crashed {
            class.origin.sort_by_key(|at| operations[*at as usize].began);
            class.began = class.origin.iter().map(|at| operations[*at as usize].began).collect();
        }
        sure.sort_by_key(|at| operations[*at as usize].ended);
        let column = |of: fn(&Operation) -> u32| sure.iter().map(|at| of(&operations[*at as usize])).collect();
        let mut plan = Plan {
            class: column(|operation| operation.class),
            began: column(|operation| operation.began),
            ended: column(|operation| operation.ended),
            lane: vec![NONE; sure.len()],
            origin: sure,
            pending_ends: Vec::new(),
            pending: Vec::new(),
            lanes: 0,
            pure: Vec::new(),
            total: Vec::new(),
            crashed,
        };
        plan.lay_out();
        plan.pure = plan.mark(|class| spec.pure(class));
        plan.total = plan.mark(|class| !spec.pure(class) && spec.total(class));
        plan
    }

    /// Gives each operation the lowest lane that is free from its beginning to its completion, and lists what is pending.
    fn lay_out(&mut self) {
        let count = self.len();
        let mut by_beginning: Vec<u32> = (0u32..).take(count).collect();
        by_beginning.sort_by_key(|rank| (self.began[*rank as usize], *rank));
        let mut beginnings = by_beginning.into_iter().peekable();
        let mut free: Vec<u32> = Vec::new();
        let mut pending: Vec<u32> = Vec::new();
        self.pending_ends.reserve_exact(count);
        for level in 0..count {
            while let Some(rank) = beginnings.next_if(|rank| self.began[*rank as usize] <= self.ended[level]) {
                let lane = free.pop().unwrap_or_else(|| {
                    self.lanes += 1;
                    self.lanes - 1
                });
                self.lane[rank as usize] = lane;
                let place = pending.partition_point(|other| *other < rank);
                pending.insert(place, rank);
            }
            self.pending.extend_from_slice(&pending);
            self.pending_ends.push(u32::try_from(self.pending.len()).unwrap_or(u32::MAX));
            // The first to complete of those pending is the one that completes here.
            free.push(self.lane[pending.remove(0) as usize]);
        }
    }

    /// Level by level, the lanes of pending operations of such classes.
    fn mark(&self, such: impl Fn(u32) -> bool) -> Vec<u64> {
        let words = self.words();
        let mut marked = vec![0; words * self.len()];
        for (level, mask) in (0u32..).zip(marked.chunks_exact_mut(words)) {
            for rank in self.pending(level).iter().map(|rank| *rank as usize).filter(|rank| such(self.class[*rank])) {
                mask[self.lane[rank] as usize / 64] |= 1 << (self.lane[rank] % 64);
            }
        }
        marked
    }

    fn words(&self) -> usize {
        (self.lanes as usize).div_ceil(64).max(1)
    }

    /// The lanes of kinds of operations that are pending at this level.
    #[inline]
    pub(super) fn lanes<const WORDS: usize>(&self, level: u32) -> Lanes<WORDS> {
        Lanes { pure: self.mask(&self.pure, level), total: self.mask(&self.total, level) }
    }

    #[inline]
    fn mask<const WORDS: usize>(&self, marked: &[u64], level: u32) -> [u64; WORDS] {
        let words = self.words();
        let start = level as usize * words;
        let mut mask = [0; WORDS];
        for (into, from) in mask.iter_mut().zip(&marked[start..start + words]) {
            *into = *from;
        }
        mask
    }

    /// How many levels.
    pub(super) fn len(&self) -> usize {
        self.class.len()
    }

    /// The operations that may be taken at this level, in order of completion: the first completes here.
    #[inline]
    pub(super) fn pending(&self, level: u32) -> &[u32] {
        let level = level as usize;
        let start = if level == 0 { 0 } else { self.pending_ends[level - 1] as usize };
        &self.pending[start..self.pending_ends[level] as usize]
    }

    /// How many bytes it occupies, about.
    pub(super) fn bytes(&self) -> usize {
        self.len() * 24 + self.pending.len() * 4 + (self.pure.len() + self.total.len()) * 8
    }
}
