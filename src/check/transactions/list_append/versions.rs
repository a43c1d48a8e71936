//! Version orders: the longest read of each object, and where every append and every other read stand in it.
//!
//! A version of an object is a list. Lists only grow, so every committed read is a prefix of the longest one; which it
//! is, is one comparison of handles: the lists of a history are nodes of one prefix tree, and the node of the longest
//! list's prefix of that length is known. Reads of transactions that are not `ok` say nothing.
//!
//! On the way, objects show every anomaly that needs no graph. Cost: linear in appends, reads and the elements of the
//! longest lists (and of those that contradict them). Objects are independent, and run in parallel.
//!
//! Source: Kingsbury and Alvaro, Elle (VLDB 2020), section 4.2.

use hashbrown::HashSet;
use rayon::prelude::*;

use super::mop;
use super::stray::Strays;
use super::tally::Tallies;
use super::within::Object;
use crate::history::{Status, Value, Values};
use crate::witness::list_append::{Appearance, Claim, Mop};
use crate::workload::list_append::{Append, ListAppend, Read};

/// The position of an append that no committed read shows.
pub(super) const UNOBSERVED: u32 = u32::MAX;
/// The position of an append that is shown only by reads which contradict the longest one; the depth of these reads.
pub(super) const ASTRAY: u32 = u32::MAX - 1;
/// In an order: an element that nobody appended, or that was there before.
pub(super) const NOBODY: u32 = u32::MAX;

/// Where appends and reads stand.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// For each append, its place in the object's longest list; [`UNOBSERVED`] or [`ASTRAY`].
    pub(super) position: Vec<u32>,
    /// For each read, the length of its list; [`ASTRAY`] where that is no prefix of the longest.
    pub(super) depth: Vec<u32>,
    /// For each object, its longest list: the appends, or [`NOBODY`].
    order: Vec<u32>,
    /// For each object, where its longest list begins in `order`; one more entry than objects.
    starts: Vec<usize>,
    /// For each object, how much of its longest list is before the first element that occurs twice.
    pub(super) clean: Vec<u32>,
    /// For each object, the read that returned its longest list, if there is one.
    pub(super) longest: Vec<Option<u32>>,
    /// For each transaction, whether it happened: it is `ok`, or an `ok` read shows an append of it.
    pub(super) happened: Vec<bool>,
}

impl Versions {
    /// Finds the version orders, and counts the anomalies that objects show.
    pub(super) fn infer(typed: &ListAppend<'_>) -> (Versions, Tallies) {
        let blocks: Vec<Block> = split(typed)
            .into_par_iter()
            .map(|keys| {
                let mut block = Block::new(typed, keys.start);
                keys.for_each(|key| block.take(key));
                block
            })
            .collect();
        let transactions = 0..u32::try_from(typed.len()).unwrap_or(u32::MAX);
        let mut all = Versions {
            position: Vec::with_capacity(typed.appends().len()),
            depth: Vec::with_capacity(typed.reads().len()),
            starts: Vec::with_capacity(typed.keys().len() + 1),
            happened: transactions.map(|id| typed.status(id) == Status::Ok).collect(),
            ..Versions::default()
        };
        let mut tallies = Tallies::default();
        for block in blocks {
            all.position.extend(block.position);
            all.depth.extend(block.depth);
            all.starts.extend(block.starts.iter().map(|start| start + all.order.len()));
            all.order.extend(block.order);
            all.clean.extend(block.clean);
            all.longest.extend(block.longest);
            for transaction in block.proven {
                all.happened[transaction as usize] = true;
            }
            tallies.merge(block.tallies);
        }
        all.starts.push(all.order.len());
        (all, tallies)
    }

    /// An object's longest list.
    pub(super) fn order_of(&self, key: u32) -> &[u32] {
        &self.order[self.starts[key as usize]..self.starts[key as usize + 1]]
    }
}

/// Objects in runs of about the same work.
pub(super) fn split(typed: &ListAppend<'_>) -> Vec<std::ops::Range<u32>> {
    const WORK: usize = 1 << 14;
    let mut blocks = Vec::new();
    let (mut start, mut work) = (0, 0);
    let keys = u32::try_from(typed.keys().len()).unwrap_or(u32::MAX);
    for key in 0..keys {
        work += 1 + typed.appends_of(key).len() + typed.reads_of(key).len();
        if work >= WORK || key + 1 == keys {
            blocks.push(start..key + 1);
            (start, work) = (key + 1, 0);
        }
    }
    blocks
}

/// Consecutive objects, and what is found of them.
struct Block<'a> {
    typed: &'a ListAppend<'a>,
    values: &'a Values,
    /// The first append of the block's first object.
    first_append: usize,
    position: Vec<u32>,
    depth: Vec<u32>,
    order: Vec<u32>,
    starts: Vec<usize>,
    clean: Vec<u32>,
    longest: Vec<Option<u32>>,
    /// Transactions of unknown outcome that happened.
    proven: Vec<u32>,
    tallies: Tallies,
    /// The prefixes of the longest list, by length, and its elements.
    path: Vec<Value>,
    elements: Vec<Value>,
    /// For each length, who read that version and appended to it then.
    updates: Vec<Update>,
}

/// Transactions that read one version first, and appended to the object after that.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Update {
    /// None so far.
    #[default]
    None,
    /// One: its read and its append.
    One(Mop, Mop),
    /// Two or more: counted.
    Lost,
}

/// How far into the longest list a read can go before it shows something that should not be there.
struct Faults {
    aborted: usize,
    thin: usize,
    repeated: usize,
}

impl<'a> Block<'a> {
    fn new(typed: &'a ListAppend<'a>, first: u32) -> Block<'a> {
        Block {
            typed,
            values: typed.history().values(),
            first_append: typed.appends_of(first).start,
            position: Vec::new(),
            depth: Vec::new(),
            order: Vec::new(),
            starts: Vec::new(),
            clean: Vec::new(),
            longest: Vec::new(),
            proven: Vec::new(),
            tallies: Tallies::default(),
            path: Vec::new(),
            elements: Vec::new(),
            updates: Vec::new(),
        }
    }

    fn take(&mut self, key: u32) {
        let places = self.typed.reads_of(key);
        let reads = &self.typed.reads()[places.clone()];
        self.position.resize(self.typed.appends_of(key).end - self.first_append, UNOBSERVED);
        let longest = reads.iter().enumerate().max_by_key(|(at, read)| (self.values.len(read.list), reads.len() - at));
        self.longest.push(longest.and_then(|(at, _)| u32::try_from(places.start + at).ok()));
        self.lay_out(longest.map_or(Value::EMPTY_LIST, |(_, read)| read.list));
        let faults = self.order(key);
        self.find_out_of_order(key, reads);
        self.find_dirty_updates(reads);
        let mut strays = Vec::new();
        for read in reads {
            let length = self.values.len(read.list);
            if self.path.get(length) == Some(&read.list) {
                self.depth.push(u32::try_from(length).unwrap_or(ASTRAY));
                self.judge_read(key, read, length, &faults);
            } else {
                self.depth.push(ASTRAY);
                strays.push(*read);
            }
        }
        if !strays.is_empty() {
            self.take_strays(key, reads, &strays, &faults);
        }
        self.find_lost_updates(key, reads);
        let appends = self.typed.appends_of(key);
        let object = Object {
            typed: self.typed,
            appends: &self.typed.appends()[appends.clone()],
            positions: &self.position[appends.start - self.first_append..],
            reads,
            depths: &self.depth[self.depth.len() - reads.len()..],
        };
        object.judge(&mut self.tallies);
    }

    /// The longest list's prefixes and elements.
    fn lay_out(&mut self, list: Value) {
        let length = self.values.len(list);
        self.path.clear();
        self.path.resize(length + 1, Value::EMPTY_LIST);
        self.elements.clear();
        self.elements.resize(length, Value::ABSENT);
        let mut rest = list;
        for at in (0..length).rev() {
            self.path[at + 1] = rest;
            if let Some((parent, last)) = self.values.split_last(rest) {
                self.elements[at] = last;
                rest = parent;
            }
        }
    }

    /// Who appended each element of the longest list.
    fn order(&mut self, key: u32) -> Faults {
        self.starts.push(self.order.len());
        let length = self.elements.len();
        let mut faults = Faults { aborted: length, thin: length, repeated: length };
        let mut nobodys: HashSet<Value, foldhash::fast::RandomState> = HashSet::default();
        for at in 0..length {
            let Some(place) = self.typed.append_of(key, self.elements[at]) else {
                self.order.push(NOBODY);
                faults.thin = faults.thin.min(at);
                if !nobodys.insert(self.elements[at]) {
                    faults.repeated = faults.repeated.min(at);
                }
                continue;
            };
            let position = &mut self.position[place as usize - self.first_append];
            if *position != UNOBSERVED {
                self.order.push(NOBODY);
                faults.repeated = faults.repeated.min(at);
                continue;
            }
            *position = u32::try_from(at).unwrap_or(ASTRAY);
            self.order.push(place);
            let transaction = self.typed.appends()[place as usize].transaction;
            match self.typed.status(transaction) {
                Status::Ok => {}
                Status::Info => self.proven.push(transaction),
                Status::Fail => faults.aborted = faults.aborted.min(at),
            }
        }
        self.clean.push(u32::try_from(faults.repeated).unwrap_or(ASTRAY));
        faults
    }

    fn order_now(&self) -> &[u32] {
        &self.order[self.starts.last().copied().unwrap_or(0)..]
    }

    fn append(&self, place: u32) -> &'a Append {
        &self.typed.appends()[place as usize]
    }

    fn append_mop(&self, place: u32) -> Mop {
        let append = self.append(place);
        mop(self.typed, append.transaction, append.mop)
    }

    fn read_mop(&self, read: &Read) -> Mop {
        mop(self.typed, read.transaction, read.mop)
    }

    /// The shortest prefix of the longest list that was read and is longer than this.
    fn shortest_beyond(&self, reads: &[Read], length: usize) -> Option<Mop> {
        let beyond = reads.iter().filter_map(|read| {
            let own = self.values.len(read.list);
            (own > length && self.path.get(own) == Some(&read.list)).then_some((own, read))
        });
        beyond.min_by_key(|(own, read)| (*own, read.mop)).map(|(_, read)| self.read_mop(read))
    }

    /// What a prefix of the longest list shows that it should not.
    fn judge_read(&mut self, key: u32, read: &Read, length: usize, faults: &Faults) {
        let rank = (u32::try_from(length).unwrap_or(u32::MAX), read.mop, 0);
        let shown = self.read_mop(read);
        if length > faults.aborted {
            let append = self.append_mop(self.order_now()[faults.aborted]);
            self.tallies.aborted_read.add(rank, || Claim::AbortedRead(Appearance { append, read: shown }));
        }
        if length > faults.thin {
            let element = self.elements[faults.thin];
            self.tallies.thin_air.add(rank, || Claim::ThinAirRead { read: shown, element });
        }
        if length > faults.repeated {
            let element = self.elements[faults.repeated];
            self.tallies.duplicate_elements.add(rank, || Claim::DuplicateElements { read: shown, element });
        }
        let Some(last) = length.checked_sub(1).map(|last| self.order_now()[last]).filter(|last| *last != NOBODY) else {
            return;
        };
        let next = last + 1;
        let half_done = self.typed.appends_of(key).contains(&(next as usize))
            && self.append(next).transaction == self.append(last).transaction
            && self.position[next as usize - self.first_append] as usize >= length;
        if half_done {
            self.judge_end(read, last, next);
        }
    }

    /// A read that ends with an append, and lacks a later one of the same transaction.
    fn judge_end(&mut self, read: &Read, last: u32, later: u32) {
        let writer = self.append(last).transaction;
        if writer != read.transaction && self.typed.status(writer) != Status::Fail {
            let shown = Appearance { append: self.append_mop(last), read: self.read_mop(read) };
            let later = self.append_mop(later);
            let rank = (u32::try_from(self.values.len(read.list)).unwrap_or(u32::MAX), read.mop, 0);
            self.tallies.intermediate_read.add(rank, || Claim::IntermediateRead { shown, later });
        }
    }

    /// A list that shows a transaction's second append without its first, or before it. No execution shows it, whatever
    /// the isolation: the transaction's program is one order of these elements, and the list is another. So it is an
    /// incompatible order. (Shown without its second append, the first one is an intermediate read at most.) Of a
    /// transaction that failed nothing is asked: a partial rollback may have undone its first append alone.
    fn find_out_of_order(&mut self, key: u32, reads: &[Read]) {
        let appends = self.typed.appends_of(key);
        for at in 0..self.elements.len() {
            let place = self.order_now()[at];
            if place == NOBODY || place as usize == appends.start {
                continue;
            }
            let writer = self.append(place).transaction;
            let before = place - 1;
            if self.append(before).transaction != writer
                || self.position[before as usize - self.first_append] < u32::try_from(at).unwrap_or(u32::MAX)
                || self.typed.status(writer) == Status::Fail
            {
                continue;
            }
            let (first, append) = (self.append_mop(before), self.append_mop(place));
            let rank = (u32::try_from(at + 1).unwrap_or(u32::MAX), self.append(place).mop, 0);
            // Ranks ascend along the list, so the reads are looked through once for an object at most.
            let mut tally = std::mem::take(&mut self.tallies.incompatible_order);
            tally.add_costly(rank, || {
                let read = self.shortest_beyond(reads, at)?;
                Some(Claim::OutOfOrder { first, second: Appearance { append, read } })
            });
            self.tallies.incompatible_order = tally;
        }
    }

    /// Committed elements on top of aborted ones.
    fn find_dirty_updates(&mut self, reads: &[Read]) {
        let mut aborted = None;
        // From the first repeated element on, what is on top of what can't be said.
        let clean = self.clean.last().map_or(0, |clean| *clean as usize);
        for at in 0..self.elements.len().min(clean) {
            let place = self.order_now()[at];
            if place == NOBODY {
                continue;
            }
            match (self.typed.status(self.append(place).transaction), aborted) {
                (Status::Fail, _) => aborted = Some(place),
                (Status::Ok, Some(below)) => {
                    aborted = None;
                    let (append, over) = (self.append_mop(below), self.append_mop(place));
                    let rank = (u32::try_from(at + 1).unwrap_or(u32::MAX), self.append(place).mop, 0);
                    let mut tally = std::mem::take(&mut self.tallies.dirty_update);
                    tally.add_costly(rank, || {
                        let read = self.shortest_beyond(reads, at)?;
                        Some(Claim::DirtyUpdate { aborted: Appearance { append, read }, over })
                    });
                    self.tallies.dirty_update = tally;
                }
                _ => {}
            }
        }
    }

    /// Transactions whose first read of the object shows one version, and which appended to it after that.
    fn find_lost_updates(&mut self, key: u32, reads: &[Read]) {
        self.updates.clear();
        self.updates.resize(self.path.len(), Update::None);
        let mut astray: hashbrown::HashMap<Value, Update, foldhash::fast::RandomState> = hashbrown::HashMap::default();
        let appends = &self.typed.appends()[self.typed.appends_of(key)];
        let (mut next, mut reader) = (0, None);
        for read in reads {
            if reader == Some(read.transaction) {
                continue;
            }
            reader = Some(read.transaction);
            while appends.get(next).is_some_and(|append| append.mop < read.mop) {
                next += 1;
            }
            let Some(append) = appends.get(next).filter(|append| append.transaction == read.transaction) else {
                continue;
            };
            let length = self.values.len(read.list);
            let (shown, made) = (self.read_mop(read), mop(self.typed, append.transaction, append.mop));
            let update = match self.updates.get_mut(length) {
                Some(update) if self.path[length] == read.list => update,
                _ => astray.entry(read.list).or_default(),
            };
            match *update {
                Update::None => *update = Update::One(shown, made),
                Update::One(first, first_made) => {
                    *update = Update::Lost;
                    let rank = (u32::try_from(length).unwrap_or(u32::MAX), read.mop, 0);
                    let (reads, appends) = ([first, shown], [first_made, made]);
                    self.tallies.lost_update.add(rank, || Claim::LostUpdate { reads, appends });
                }
                Update::Lost => {}
            }
        }
    }

    /// Reads that are no prefix of the longest one.
    #[cold]
    fn take_strays(&mut self, key: u32, reads: &[Read], strays: &[Read], faults: &Faults) {
        let mut tree = Strays::new(self.typed, key, &self.path);
        strays.iter().for_each(|read| tree.add(read.list));
        let positions = &mut self.position[self.typed.appends_of(key).start - self.first_append..];
        tree.judge(positions, &self.elements);
        for transaction in tree.proven() {
            self.proven.push(transaction);
        }
        // One occurrence each; the pair to show is the shortest stray, and the shortest list that departs from it.
        let shortest = strays.iter().min_by_key(|read| (self.values.len(read.list), read.mop));
        if let Some(read) = shortest
            && let Some(one) = self.shortest_beyond(reads, tree.joins(read.list))
        {
            let rank = (u32::try_from(self.values.len(read.list)).unwrap_or(u32::MAX), read.mop, 0);
            let other = self.read_mop(read);
            self.tallies.incompatible_order.count += strays.len() as u64 - 1;
            self.tallies.incompatible_order.add(rank, || Claim::IncompatibleReads { one, other });
        }
        for read in strays {
            let shown = self.read_mop(read);
            let rank = (u32::try_from(self.values.len(read.list)).unwrap_or(u32::MAX), read.mop, 0);
            let joins = tree.joins(read.list);
            let on_path = |fault: usize| (fault < joins).then_some(fault);
            let aborted = on_path(faults.aborted).map(|at| self.order_now()[at]).or(tree.aborted(read.list));
            if let Some(place) = aborted {
                let append = self.append_mop(place);
                self.tallies.aborted_read.add(rank, || Claim::AbortedRead(Appearance { append, read: shown }));
            }
            if let Some(element) = on_path(faults.thin).map(|at| self.elements[at]).or(tree.thin(read.list)) {
                self.tallies.thin_air.add(rank, || Claim::ThinAirRead { read: shown, element });
            }
            if let Some(element) = on_path(faults.repeated).map(|at| self.elements[at]).or(tree.repeated(read.list)) {
                self.tallies.duplicate_elements.add(rank, || Claim::DuplicateElements { read: shown, element });
            }
            if let Some((last, later)) = tree.half_done(read.list) {
                self.judge_end(read, last, later);
            }
        }
    }
}
