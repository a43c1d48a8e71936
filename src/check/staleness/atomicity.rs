//! The smallest k for which a key's history is k-atomic: some order of its operations contains real time, and each read in
//! it returns one of the k latest writes (1: linearizable). The initial value is the oldest write.
//!
//! Exact for k = 1 (zones), for k = 2 by LBT, and where the order of the versions is known (the stalest read). Elsewhere
//! bounds: at least one more than the versions that some read certainly missed, and 3 where LBT refuses; at most what the
//! order of the writes by their ends gives. Deciding k = 3 has no known polynomial algorithm.
//!
//! LBT ("limited backtracking": Golab, Hurwitz and Li 2013) builds the order of the writes from its end, in epochs. The last
//! write w is one that no remaining write begins after. Reads that begin after w ended come after it, so they saw w or the write
//! before it: if they saw two others, w was the wrong choice; if one, that one comes before w and the epoch goes on with
//! it; if none, the epoch is over and never has to be undone. Cost: n log n, times the writes that overlap (tried in turns, with
//! limits that double, so that a good choice is found at the cost of the best one).

use super::key::{KeyHistory, NONE};
use super::range::Range;
use crate::budget::Meter;
use crate::verdict::StoppedBy;

/// For a key that is not linearizable, each of whose reads tells its write, and where no order is known. `versions`: the most that
/// some read certainly missed.
pub(super) fn bounds(key: &KeyHistory, versions: u32, meter: &mut Meter<'_>) -> Range<u32> {
    let at_most = by_ends(key);
    let mut at_least = versions.saturating_add(1).max(2);
    if at_least == 2 && at_most > 2 {
        match Lbt::new(key).is_two_atomic(meter) {
            Ok(true) => return Range::exactly(2),
            Ok(false) => at_least = 3,
            Err(_) => {}
        }
    }
    Range { at_least, at_most: Some(at_most) }
}

/// What k is needed when writes take effect in the order of their ends. That order contains real time, and so does putting each
/// read after its own write and all those that had ended before it began.
fn by_ends(key: &KeyHistory) -> u32 {
    let mut place = vec![0_usize; key.writes.len()];
    key.by_end.iter().enumerate().for_each(|(at, write)| place[*write as usize] = at);
    let mut over = key.by_end.iter().peekable();
    let (mut ended, mut most) = (0_usize, 0_usize);
    for read in &key.reads {
        while over.next_if(|write| key.writes[**write as usize].ended < read.began).is_some() {
            ended += 1;
        }
        most = most.max(ended.saturating_sub(1).saturating_sub(place[read.write as usize]));
    }
    u32::try_from(most + 1).unwrap_or(u32::MAX)
}

/// A list of numbers from which some are taken out, and put back in reverse.
struct Links {
    previous: Vec<u32>,
    next: Vec<u32>,
    last: u32,
}

impl Links {
    fn new(len: usize) -> Links {
        let count = u32::try_from(len).unwrap_or(NONE);
        Links {
            previous: (0..count).map(|at| at.checked_sub(1).unwrap_or(NONE)).collect(),
            next: (0..count).map(|at| if at + 1 < count { at + 1 } else { NONE }).collect(),
            last: count.checked_sub(1).unwrap_or(NONE),
        }
    }

    fn take(&mut self, at: u32) {
        let (previous, next) = (self.previous[at as usize], self.next[at as usize]);
        if let Some(link) = self.next.get_mut(previous as usize) {
            *link = next;
        }
        match self.previous.get_mut(next as usize) {
            Some(link) => *link = previous,
            None => self.last = previous,
        }
    }

    fn put_back(&mut self, at: u32) {
        let (previous, next) = (self.previous[at as usize], self.next[at as usize]);
        if let Some(link) = self.next.get_mut(previous as usize) {
            *link = at;
        }
        match self.previous.get_mut(next as usize) {
            Some(link) => *link = at,
            None => self.last = at,
        }
    }

    /// From the last one back.
    fn back(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(self.last), |at| self.previous.get(*at as usize).copied())
            .take_while(|at| *at != NONE)
    }
}

/// What was taken out.
enum Taken {
    Read(u32),
    Write(u32),
}

/// How an attempt at an epoch ended.
enum Attempt {
    Success,
    Refused,
    /// More steps than it was given.
    Long,
}

/// The operations that have no place yet. Writes are numbered by their ends, reads by their beginnings.
struct Lbt<'a> {
    key: &'a KeyHistory,
    /// By end: the write's beginning and end.
    began: Vec<u32>,
    ended: Vec<u32>,
    by_end: Links,
    /// Writes by beginning, and each write's place there.
    by_begin: Links,
    begin_order: Vec<u32>,
    begin_place: Vec<u32>,
    reads: Links,
    taken_reads: Vec<bool>,
    /// For each read, the write that it saw; for each write, its reads.
    saw: Vec<u32>,
    reads_of: Vec<u32>,
    reads_end: Vec<u32>,
}

impl<'a> Lbt<'a> {
    fn new(key: &'a KeyHistory) -> Lbt<'a> {
        let mut number = vec![NONE; key.writes.len()];
        (0..).zip(&key.by_end).for_each(|(at, write)| number[*write as usize] = at);
        let begin_order: Vec<u32> = number.iter().copied().filter(|write| *write != NONE).collect();
        let mut begin_place = vec![0; begin_order.len()];
        (0..).zip(&begin_order).for_each(|(at, write)| begin_place[*write as usize] = at);
        let saw: Vec<u32> = key.reads.iter().map(|read| number[read.write as usize]).collect();
        let mut reads_end = vec![0_u32; key.by_end.len() + 1];
        saw.iter().for_each(|write| reads_end[*write as usize + 1] += 1);
        for at in 1..reads_end.len() {
            reads_end[at] += reads_end[at - 1];
        }
        let mut fill = reads_end.clone();
        let mut reads_of = vec![0; saw.len()];
        for (read, write) in (0..).zip(&saw) {
            let at = &mut fill[*write as usize];
            reads_of[*at as usize] = read;
            *at += 1;
        }
        let of = |f: fn(&super::key::Write) -> u32| key.by_end.iter().map(|at| f(&key.writes[*at as usize])).collect();
        Lbt {
            began: of(|write| write.began),
            ended: of(|write| write.ended),
            by_end: Links::new(begin_order.len()),
            by_begin: Links::new(begin_order.len()),
            begin_order,
            begin_place,
            reads: Links::new(saw.len()),
            taken_reads: vec![false; saw.len()],
            saw,
            reads_of,
            reads_end,
            key,
        }
    }

    fn is_two_atomic(&mut self, meter: &mut Meter<'_>) -> Result<bool, StoppedBy> {
        let mut taken = Vec::new();
        while self.by_end.last != NONE {
            let mut candidates: Vec<u32> = self.by_end.back().take_while(|write| self.may_be_last(*write)).collect();
            let mut limit = 64;
            loop {
                let mut success = false;
                let mut long = Vec::new();
                for write in candidates {
                    taken.clear();
                    match self.attempt(write, limit, &mut taken) {
                        Attempt::Success => success = true,
                        Attempt::Refused => self.undo(&taken),
                        Attempt::Long => {
                            self.undo(&taken);
                            long.push(write);
                        }
                    }
                    meter.steps(u32::try_from(taken.len()).unwrap_or(u32::MAX).saturating_add(1))?;
                    if success {
                        break;
                    }
                }
                if success {
                    break;
                }
                if long.is_empty() {
                    return Ok(false);
                }
                candidates = long;
                limit *= 2;
            }
        }
        Ok(true)
    }

    /// Whether no remaining write begins after this one ended.
    fn may_be_last(&self, write: u32) -> bool {
        let last = self.by_begin.last;
        last == NONE || self.began[self.begin_order[last as usize] as usize] <= self.ended[write as usize]
    }

    fn attempt(&mut self, mut write: u32, limit: usize, taken: &mut Vec<Taken>) -> Attempt {
        loop {
            if !self.may_be_last(write) {
                return Attempt::Refused;
            }
            let mut before = NONE;
            while let Some(read) = Some(self.reads.last).filter(|read| {
                self.key.reads.get(*read as usize).is_some_and(|read| read.began > self.ended[write as usize])
            }) {
                let saw = self.saw[read as usize];
                if saw != write {
                    if before != NONE && before != saw {
                        return Attempt::Refused;
                    }
                    before = saw;
                }
                self.take_read(read, taken);
            }
            for at in self.reads_end[write as usize]..self.reads_end[write as usize + 1] {
                let read = self.reads_of[at as usize];
                if !self.taken_reads[read as usize] {
                    self.take_read(read, taken);
                }
            }
            self.by_end.take(write);
            self.by_begin.take(self.begin_place[write as usize]);
            taken.push(Taken::Write(write));
            if before == NONE {
                return Attempt::Success;
            }
            if taken.len() > limit {
                return Attempt::Long;
            }
            write = before;
        }
    }

    fn take_read(&mut self, read: u32, taken: &mut Vec<Taken>) {
        self.reads.take(read);
        self.taken_reads[read as usize] = true;
        taken.push(Taken::Read(read));
    }

    fn undo(&mut self, taken: &[Taken]) {
        for one in taken.iter().rev() {
            match *one {
                Taken::Read(read) => {
                    self.reads.put_back(read);
                    self.taken_reads[read as usize] = false;
                }
                Taken::Write(write) => {
                    self.by_begin.put_back(self.begin_place[write as usize]);
                    self.by_end.put_back(write);
                }
            }
        }
    }
}
