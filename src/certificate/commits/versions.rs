//! What each transaction of the order read and left behind.
//!
//! A key's versions are the lists that transactions left behind, in the order of their commits: first those that the longest read shows,
//! then those of appends that nobody observed. Version 0 is the empty list.

use std::ops::Range;

use rayon::prelude::*;

use super::Reads;
use super::chains::{Chains, Ends, Lists, Write};
use super::gathered::{Gathered, NONE, length};
use super::order::Order;
use crate::certificate::places;
use crate::history::{History, Operation, Status, Value};

/// A read of an ok transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) key: u32,
    /// Which micro-operation of its transaction it is.
    pub(super) mop: u32,
    /// Which version it shows, below own appends.
    pub(super) version: u32,
}

/// What all transactions of an order read and left behind, by place.
#[derive(Debug)]
pub(super) struct Found {
    /// Transaction by transaction, in program order.
    reads: Vec<Read>,
    /// Transaction by transaction, by key.
    writes: Vec<Write>,
    ends: Vec<Ends>,
    chains: Chains,
    faults: Faults,
}

/// The same, with the history and the order that it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Versions<'a> {
    pub(super) history: &'a History,
    pub(super) gathered: &'a Gathered,
    pub(super) order: &'a Order,
    pub(super) found: &'a Found,
}

/// By level, the first read (its place, its micro-operation) that is not what it asks, and why.
#[derive(Debug, Default)]
struct Faults {
    own: Option<((u32, u32), String)>,
    consistent: Option<((u32, u32), String)>,
}

impl Found {
    /// From the order; or the first thing that is wrong with it, or with what was read. Where lists need only exist, reads are not looked
    /// at further than that.
    pub(super) fn new(history: &History, gathered: &Gathered, order: &Order, exist: bool) -> Result<Found, String> {
        let mut place = vec![NONE; history.len()];
        (0u32..).zip(&order.placed).for_each(|(at, one)| place[one.op.index()] = at);
        let mut chains = Chains::new(gathered);
        let lists = Lists { history, gathered, place: &place, exist };
        (0..gathered.names.len()).try_for_each(|key| lists.order(length(key), &mut chains))?;
        let (writes, mut ends) = lists.unobserved(order, &mut chains)?;
        let reader = Reader { lists, chains: &chains };
        let pieces = order.placed.len().div_ceil(rayon::current_num_threads().max(1)).max(1);
        let pieces: Vec<Range<usize>> =
            (0..order.placed.len()).step_by(pieces).map(|from| from..(from + pieces).min(order.placed.len())).collect();
        let pieces: Vec<Result<Piece, String>> =
            pieces.into_par_iter().map(|places| reader.piece(order, places)).collect();
        let (mut reads, mut faults, mut at) = (Vec::new(), Faults::default(), 0);
        for piece in pieces {
            let piece = piece?;
            let before = length(reads.len());
            for end in &piece.ends {
                ends[at].0 = before + end;
                at += 1;
            }
            reads.extend(piece.reads);
            faults.own = faults.own.or(piece.faults.own);
            faults.consistent = faults.consistent.or(piece.faults.consistent);
        }
        Ok(Found { reads, writes, ends, chains, faults })
    }

    /// How many reads there are.
    pub(super) fn reads(&self) -> usize {
        self.reads.len()
    }

    /// That reads are what a level asks of each by itself.
    pub(super) fn keep(&self, asked: Reads) -> Result<(), String> {
        let own = self.faults.own.as_ref().filter(|_| asked >= Reads::Own);
        let consistent = self.faults.consistent.as_ref().filter(|_| asked >= Reads::Consistent);
        match own.into_iter().chain(consistent).min_by_key(|(at, _)| *at) {
            Some((_, why)) => Err(why.clone()),
            None => Ok(()),
        }
    }
}

impl<'a> Versions<'a> {
    /// How many transactions there are.
    pub(super) fn len(&self) -> u32 {
        length(self.found.ends.len())
    }

    /// What a transaction read, in program order.
    pub(super) fn reads_of(&self, txn: u32) -> &'a [Read] {
        let from = (txn as usize).checked_sub(1).map_or(0, |before| self.found.ends[before].0);
        &self.found.reads[from as usize..self.found.ends[txn as usize].0 as usize]
    }

    /// What a transaction wrote, by key.
    pub(super) fn writes_of(&self, txn: u32) -> &'a [Write] {
        let from = (txn as usize).checked_sub(1).map_or(0, |before| self.found.ends[before].1);
        &self.found.writes[from as usize..self.found.ends[txn as usize].1 as usize]
    }

    /// Every read, by transaction and in program order.
    pub(super) fn all(self) -> impl Iterator<Item = (u32, &'a Read)> {
        (0..self.len()).flat_map(move |at| self.reads_of(at).iter().map(move |read| (at, read)))
    }

    /// Who left a version behind: a place. Nobody left version 0.
    pub(super) fn writer(&self, key: u32, version: u32) -> Option<u32> {
        self.found.chains.of(self.gathered, key).get((version as usize).checked_sub(1)?).copied()
    }

    /// Who left the versions that a read misses: places, ascending.
    pub(super) fn missed(&self, txn: u32, read: &Read) -> &'a [u32] {
        let later = &self.found.chains.of(self.gathered, read.key)[read.version as usize..];
        match later.first() {
            Some(first) if *first < txn => &later[..later.partition_point(|writer| *writer < txn)],
            _ => &[],
        }
    }

    /// Whether somebody left one of the versions that a read misses.
    pub(super) fn misses(&self, txn: u32, read: &Read, somebody: u32) -> bool {
        self.missed(txn, read).binary_search(&somebody).is_ok()
    }

    /// That a read misses nothing.
    pub(super) fn shows_the_latest(&self, txn: u32, read: &Read) -> Result<(), String> {
        match self.missed(txn, read).last() {
            None => Ok(()),
            Some(missed) => Err(self.refusal(txn, read, *missed, "which comes before it in the order")),
        }
    }

    /// That a read misses what somebody left behind: why that must not be.
    pub(super) fn refusal(&self, txn: u32, read: &Read, missed: u32, why: &str) -> String {
        let step = places::at(txn as usize, self.position(txn), "");
        let key = self.history.values().json(self.gathered.names[read.key as usize], 60);
        let missed = self.position(missed);
        format!("{step}its read of key {key} misses the appends of the transaction at record {missed}, {why}")
    }

    fn position(&self, txn: u32) -> u32 {
        self.history.op(self.order.placed[txn as usize].op).position()
    }
}

/// Consecutive transactions of the order.
struct Piece {
    reads: Vec<Read>,
    ends: Vec<u32>,
    faults: Faults,
}

/// What a transaction has done so far, by key; entries of others count for nothing.
struct Seen {
    by: Vec<u32>,
    appended: Vec<u32>,
    version: Vec<u32>,
}

impl Seen {
    fn of(&mut self, key: u32, txn: u32) -> usize {
        let key = key as usize;
        if std::mem::replace(&mut self.by[key], txn) != txn {
            (self.appended[key], self.version[key]) = (0, NONE);
        }
        key
    }
}

struct Reader<'a> {
    lists: Lists<'a>,
    chains: &'a Chains,
}

impl Reader<'_> {
    /// The reads of some transactions of the order, each with the version that it shows.
    fn piece(&self, order: &Order, places: Range<usize>) -> Result<Piece, String> {
        let keys = self.lists.gathered.names.len();
        let mut seen = Seen { by: vec![NONE; keys], appended: vec![0; keys], version: vec![0; keys] };
        let ends = Vec::with_capacity(places.len());
        let mut piece = Piece { reads: Vec::new(), ends, faults: Faults::default() };
        for at in places {
            let op = self.lists.history.op(order.placed[at].op);
            if op.status() == Status::Ok {
                self.reads(length(at), &op, &mut seen, &mut piece)?;
            }
            piece.ends.push(length(piece.reads.len()));
        }
        Ok(piece)
    }

    fn reads(&self, at: u32, op: &Operation<'_>, seen: &mut Seen, piece: &mut Piece) -> Result<(), String> {
        let (values, gathered) = (self.lists.history.values(), self.lists.gathered);
        for said in gathered.mops(op) {
            let (key, list) = (said.key, said.value);
            let known = seen.of(key, at);
            if said.appends {
                seen.appended[known] += 1;
                continue;
            }
            let refuse = |why: &str| self.refuse(at, op, key, list, why);
            if !gathered.is_beginning(values, key, list) {
                return Err(refuse("which is no beginning of the longest one"));
            }
            if self.lists.exist {
                // What more it shows is not looked at.
                piece.reads.push(Read { key, mop: said.place, version: 0 });
                continue;
            }
            let elements = &gathered.elements(key);
            let (mut shown, mut own) = (values.len(list), 0);
            while let Some(last) = shown.checked_sub(1) {
                let append = &gathered.appends[gathered.shown[elements.start + last] as usize];
                if append.op != op.id {
                    break;
                }
                if append.mop > said.place {
                    return Err(refuse("with what the transaction appends later"));
                }
                (shown, own) = (last, own + 1);
            }
            if own != seen.appended[known] {
                let why = || ((at, said.place), refuse("without all that the transaction itself had appended"));
                piece.faults.own.get_or_insert_with(why);
            }
            let version = match shown.checked_sub(1) {
                None => 0,
                Some(last) => self.chains.versions[elements.start + last],
            };
            if version == NONE {
                return Err(refuse("which ends amid what a transaction appends"));
            }
            if let Some(before) = version.checked_sub(1)
                && let Some(writer) = self.chains.of(gathered, key).get(before as usize).filter(|writer| **writer > at)
            {
                return Err(refuse(&format!(
                    "with what the transaction at record {} appends, which comes later in the order",
                    self.lists.op_at(*writer)
                )));
            }
            if seen.version[known] == NONE {
                seen.version[known] = version;
            }
            if seen.version[known] != version {
                let why = "and an earlier read of the same transaction shows another version";
                piece.faults.consistent.get_or_insert_with(|| ((at, said.place), refuse(why)));
            }
            piece.reads.push(Read { key, mop: said.place, version });
        }
        Ok(())
    }

    fn refuse(&self, at: u32, op: &Operation<'_>, key: u32, list: Value, why: &str) -> String {
        let values = self.lists.history.values();
        let why = format!(
            "its read of key {} shows {} elements, {}, {why}",
            self.lists.key_name(key),
            values.len(list),
            values.json(list, 120)
        );
        places::at(at as usize, op.position(), &why)
    }
}
