//! Transactions that contradict themselves.
//!
//! `internal`: a read that is not the transaction's last read of the object followed by its own appends since; with no
//! read before, one that does not end with its own appends. `future-read`: a read of what the transaction appends later.
//! One occurrence a transaction and object. (For reads that are no prefix of the longest list, `future-read` is not asked:
//! they break everything already.)
//!
//! A read is compared backwards, own append by own append, against the end of its list: what then remains has to be, as a
//! handle, the list of the read before. Cost: linear in the object's appends and reads.
//!
//! Source: Kingsbury and Alvaro, Elle (VLDB 2020), section 4.3.

use super::mop;
use super::tally::Tallies;
use super::versions::ASTRAY;
use crate::history::Value;
use crate::witness::list_append::{Appearance, Claim};
use crate::workload::list_append::{Append, ListAppend, Read};

/// One object's appends and reads in the order of the history, with where they stand in its versions.
pub(super) struct Object<'a> {
    pub(super) typed: &'a ListAppend<'a>,
    pub(super) appends: &'a [Append],
    pub(super) positions: &'a [u32],
    pub(super) reads: &'a [Read],
    pub(super) depths: &'a [u32],
}

/// What a read may contradict.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contradicted {
    /// An append that its transaction made before.
    OwnAppend,
    /// What its transaction read before.
    EarlierRead,
}

impl Object<'_> {
    /// Counts both kinds.
    pub(super) fn judge(&self, tallies: &mut Tallies) {
        let (mut append, mut read) = (0, 0);
        while let Some(first) = self.reads.get(read) {
            let transaction = first.transaction;
            while self.appends.get(append).is_some_and(|append| append.transaction < transaction) {
                append += 1;
            }
            let start = (append, read);
            append += self.appends[append..].iter().take_while(|append| append.transaction == transaction).count();
            read += self.reads[read..].iter().take_while(|read| read.transaction == transaction).count();
            self.judge_one(start.0..append, start.1..read, tallies);
        }
    }

    /// One transaction's own appends and reads.
    fn judge_one(&self, own: std::ops::Range<usize>, reads: std::ops::Range<usize>, tallies: &mut Tallies) {
        // Own appends from here on were made after the last read.
        let mut since = own.start;
        let mut last: Option<Value> = None;
        // The longest list read so far.
        let mut deepest: Option<(u32, &Read)> = None;
        let (mut internal, mut future) = (false, false);
        let mut next = own.start;
        for at in reads.clone() {
            let read = &self.reads[at];
            while next < own.end && self.appends[next].mop < read.mop {
                future = future || self.is_future(next, deepest, tallies);
                next += 1;
            }
            let what = self.contradicted(read, since..next, last);
            // The last own append is missed, though reads have passed since.
            let lost = since > own.start && since == next && !self.ends_with(read, since - 1);
            tallies.own_append_missing |= lost || what == Some(Contradicted::OwnAppend);
            if !internal && what.is_some() {
                internal = true;
                let rank = (u32::try_from(reads.len() + own.len()).unwrap_or(u32::MAX), read.mop, 0);
                tallies.internal.add(rank, || Claim::Internal { read: mop(self.typed, read.transaction, read.mop) });
            }
            let depth = self.depths[at];
            if depth != ASTRAY && deepest.is_none_or(|known| known.0 < depth) {
                deepest = Some((depth, read));
            }
            (since, last) = (next, Some(read.list));
        }
        for later in next..own.end {
            future = future || self.is_future(later, deepest, tallies);
        }
    }

    /// What a read contradicts, if anything, given the own appends since the last read.
    fn contradicted(&self, read: &Read, own: std::ops::Range<usize>, last: Option<Value>) -> Option<Contradicted> {
        let values = self.typed.history().values();
        let mut rest = read.list;
        for append in self.appends[own].iter().rev() {
            match values.split_last(rest) {
                Some((parent, element)) if element == append.element => rest = parent,
                _ => return Some(Contradicted::OwnAppend),
            }
        }
        last.filter(|last| *last != rest).map(|_| Contradicted::EarlierRead)
    }

    /// Whether a read shows this append as the last one.
    fn ends_with(&self, read: &Read, append: usize) -> bool {
        let last = self.typed.history().values().split_last(read.list);
        last.is_some_and(|(_, element)| element == self.appends[append].element)
    }

    /// Whether this append's element is in a list that its transaction read before.
    fn is_future(&self, at: usize, deepest: Option<(u32, &Read)>, tallies: &mut Tallies) -> bool {
        let Some((depth, read)) = deepest.filter(|(depth, _)| self.positions[at] < *depth) else { return false };
        let append = &self.appends[at];
        tallies.future_read.add((depth, read.mop, 0), || {
            let append = mop(self.typed, append.transaction, append.mop);
            Claim::FutureRead(Appearance { append, read: mop(self.typed, read.transaction, read.mop) })
        });
        true
    }
}
