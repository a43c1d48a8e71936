//! One key after the other: by when each write had certainly taken effect, which write each read saw, and what is known of the
//! order of versions. What certificates of staleness and convergence look at.
//!
//! A write had certainly taken effect when it completed, and by the end of any read that can't have seen another; in a known
//! order of versions, by the time a later one had. Of several writes of one value, a read is taken to have seen the one that
//! had taken effect last: that reading makes it the least stale. Positions count from 1; what was there at first was written at 0.
//!
//! Cost: linear, but for sorting.

use super::accesses::{Access, Accesses};
use super::registers::initial;
use super::{Map, Set};
use crate::history::{History, Value};

/// The end of what is not known to have happened.
pub(super) const NEVER: u32 = u32::MAX;

/// A write that happened, or may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    /// None: what was there at first.
    pub(super) row: Option<u32>,
    pub(super) began: u32,
    /// By when it had certainly taken effect.
    pub(super) ended: u32,
    /// When it was acknowledged.
    pub(super) acknowledged: u32,
    /// Its place in the known order of versions; what that lacks comes last.
    pub(super) place: u32,
}

/// A read that a write explains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) row: u32,
    pub(super) began: u32,
    pub(super) ended: u32,
    /// What it saw, among the key's writes.
    pub(super) write: usize,
}

/// Why no write explains a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unexplained {
    /// Nobody wrote it.
    Nobody,
    /// Only failed writes wrote it.
    Failed,
    /// Who wrote it began after the read had ended.
    Later,
}

/// One key.
#[derive(Debug, Default)]
pub(super) struct Key {
    /// In order of beginning, what was there at first first.
    pub(super) writes: Vec<Write>,
    pub(super) reads: Vec<Read>,
    /// Reads that no write explains, and why.
    pub(super) unexplained: Vec<(u32, Unexplained)>,
    /// Whether the order of versions is known.
    pub(super) ordered: bool,
    /// Whether lists contradict each other.
    pub(super) contradictory: bool,
}

/// Every key of a history.
pub(super) fn keys(accesses: &Accesses<'_>) -> Vec<Key> {
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); accesses.keys.len()];
    for (row, access) in (0..).zip(&accesses.rows) {
        rows[access.key as usize].push(row);
    }
    rows.iter().map(|rows| Key::of(accesses, rows)).collect()
}

impl Key {
    fn of(accesses: &Accesses<'_>, rows: &[u32]) -> Key {
        let access = |row: u32| &accesses.rows[row as usize];
        let mut key = Key::default();
        key.writes.push(Write { row: None, began: 0, ended: 0, acknowledged: 0, place: 0 });
        key.writes.extend(rows.iter().filter(|row| access(**row).writes).map(|row| {
            let op = access(*row).op;
            let ended = op.ended().saturating_add(1);
            Write { row: Some(*row), began: op.began() + 1, ended, acknowledged: ended, place: NEVER }
        }));
        key.writes.sort_by_key(|write| write.began);
        let several = key.see(accesses, rows);
        for read in
            key.reads.iter().enumerate().filter(|(at, _)| several.binary_search(at).is_err()).map(|(_, read)| *read)
        {
            let write = &mut key.writes[read.write];
            write.ended = write.ended.min(read.ended);
        }
        let order = if accesses.lists { key.list(accesses, rows) } else { key.line(accesses) };
        if let Some(order) = order.filter(|order| several.is_empty() && key.is_complete(order)) {
            key.put_in_order(&order);
        }
        key.contradictory = accesses.lists && !key.ordered;
        for at in several {
            key.reads[at].write = key.latest(accesses, &key.reads[at]);
        }
        key
    }

    /// Finds what each read saw. Gives the places of those that may have seen several writes.
    fn see(&mut self, accesses: &Accesses<'_>, rows: &[u32]) -> Vec<usize> {
        let mut several = Vec::new();
        let Some(first) = rows.first().map(|row| &accesses.rows[*row as usize]) else { return several };
        let mut writers: Map<Value, Vec<usize>> = Map::default();
        for (at, write) in self.writes.iter().enumerate() {
            if let Some(row) = write.row {
                writers.entry(accesses.rows[row as usize].value).or_default().push(at);
            }
        }
        let mut known =
            if accesses.lists { None } else { initial(accesses.history, accesses.keys[first.key as usize].1) };
        for row in rows.iter().copied() {
            let read = &accesses.rows[row as usize];
            if read.writes || !read.is_ok() {
                continue;
            }
            let shown = if accesses.lists { last(accesses.history, read) } else { Some(read.value) };
            let written = shown.and_then(|shown| writers.get(&shown)).map_or(&[][..], Vec::as_slice);
            let is_failed = shown.is_some_and(|shown| accesses.is_failed(read.key, shown));
            if !accesses.lists && written.is_empty() && !is_failed {
                known = known.or(shown);
            }
            let at_first = if accesses.lists { shown.is_none() } else { known == shown };
            let ended = read.op.ended().saturating_add(1);
            let began = |at: &usize| self.writes[*at].began <= ended;
            let count = written.iter().filter(|at| began(at)).count() + usize::from(at_first);
            if count == 0 {
                let why = match (written.is_empty(), is_failed) {
                    (false, _) => Unexplained::Later,
                    (true, true) => Unexplained::Failed,
                    (true, false) => Unexplained::Nobody,
                };
                self.unexplained.push((row, why));
                continue;
            }
            if written.len() + usize::from(at_first) > 1 {
                several.push(self.reads.len());
            }
            let write = if at_first { 0 } else { written[0] };
            self.reads.push(Read { row, began: read.op.began() + 1, ended, write });
        }
        several
    }

    /// Of the writes of the value that a read shows, the one that had taken effect last.
    fn latest(&self, accesses: &Accesses<'_>, read: &Read) -> usize {
        let shown = accesses.rows[read.row as usize].value;
        let wrote = |write: &Write| write.row.is_none_or(|row| accesses.rows[row as usize].value == shown);
        let at_first = if read.write == 0 { 0 } else { 1 };
        let candidates = self.writes.iter().enumerate().skip(at_first);
        let candidates = candidates.filter(|(_, write)| wrote(write) && write.began <= read.ended);
        candidates.max_by_key(|(at, write)| (write.ended, std::cmp::Reverse(*at))).map_or(read.write, |(at, _)| at)
    }

    /// The writes that the longest list shows, in its order, if all others are beginnings of it.
    fn list(&self, accesses: &Accesses<'_>, rows: &[u32]) -> Option<Vec<usize>> {
        let values = accesses.history.values();
        let reads = || rows.iter().map(|row| &accesses.rows[*row as usize]).filter(|read| !read.writes && read.is_ok());
        let longest = reads().map(|read| read.value).max_by_key(|list| values.len(*list)).unwrap_or(Value::EMPTY_LIST);
        let by_value: Map<Value, usize> = (1..self.writes.len())
            .filter_map(|at| Some((accesses.rows[self.writes[at].row? as usize].value, at)))
            .collect();
        let (mut beginnings, mut order, mut rest) =
            (std::iter::once(longest).collect::<Set<Value>>(), Vec::new(), longest);
        while let Some((before, element)) = values.split_last(rest) {
            order.push(*by_value.get(&element)?);
            beginnings.insert(before);
            rest = before;
        }
        order.reverse();
        let once: Set<usize> = order.iter().copied().collect();
        let agree = once.len() == order.len() && reads().all(|read| beginnings.contains(&read.value));
        agree.then_some(order)
    }

    /// The writes in their order, where each of those that happened replaced another version: one plain write at most, and
    /// compare-and-sets.
    fn line(&self, accesses: &Accesses<'_>) -> Option<Vec<usize>> {
        let replaced = |write: &Write| {
            let row = write.row?;
            let read = row.checked_sub(1).map(|read| &accesses.rows[read as usize])?;
            (accesses.rows[row as usize].mop == 1 && !read.writes).then_some(read.value)
        };
        // By value, who wrote it; nothing where several did.
        let mut writers: Map<Value, Option<usize>> = Map::default();
        let first = self.writes.get(1).and_then(|write| write.row).map(|row| accesses.rows[row as usize].key)?;
        if let Some(value) = self.at_first(accesses, first) {
            writers.insert(value, Some(0));
        }
        for (at, write) in self.writes.iter().enumerate().skip(1) {
            let value = accesses.rows[write.row? as usize].value;
            writers.entry(value).and_modify(|known| *known = None).or_insert(Some(at));
        }
        if writers.values().any(Option::is_none) {
            return None;
        }
        // What happened: what is known to, and what it saw.
        let mut happened: Vec<bool> = self.writes.iter().map(|write| write.ended != NEVER).collect();
        let mut open: Vec<usize> = (0..happened.len()).filter(|at| happened[*at]).collect();
        while let Some(at) = open.pop() {
            let seen = replaced(&self.writes[at]).and_then(|value| writers.get(&value).copied().flatten());
            if let Some(seen) = seen.filter(|seen| !std::mem::replace(&mut happened[*seen], true)) {
                open.push(seen);
            }
        }
        let mut next: Map<usize, usize> = Map::default();
        for at in (1..self.writes.len()).filter(|at| happened[*at]) {
            let before = match replaced(&self.writes[at]) {
                None => 0,
                Some(value) => (*writers.get(&value)?)?,
            };
            if next.insert(before, at).is_some() {
                return None;
            }
        }
        let order: Vec<usize> = std::iter::successors(next.get(&0).copied(), |at| next.get(at).copied()).collect();
        (order.len() == next.len()).then_some(order)
    }

    /// What was there at first, as far as that is known or told by what was read.
    fn at_first(&self, accesses: &Accesses<'_>, key: u32) -> Option<Value> {
        let told = || self.reads.iter().find(|read| read.write == 0).map(|read| accesses.rows[read.row as usize].value);
        initial(accesses.history, accesses.keys[key as usize].1).or_else(told)
    }

    /// Whether every read saw one of these writes, or what was there at first.
    fn is_complete(&self, order: &[usize]) -> bool {
        let known: Set<usize> = order.iter().copied().collect();
        self.reads.iter().all(|read| read.write == 0 || known.contains(&read.write))
    }

    /// By the time a later version was there, the earlier ones had been.
    fn put_in_order(&mut self, order: &[usize]) {
        self.ordered = true;
        for (place, at) in (1..).zip(order) {
            self.writes[*at].place = place;
        }
        let rest = self.writes.iter().filter(|write| write.place == NEVER);
        let mut earliest = rest.map(|write| write.ended).min().unwrap_or(NEVER);
        for at in order.iter().rev() {
            earliest = earliest.min(self.writes[*at].ended);
            self.writes[*at].ended = earliest;
        }
    }

    /// Whether a write certainly overwrote what another one had left: it began after that had taken effect, or is known to
    /// come later.
    pub(super) fn overwrote(&self, write: &Write, seen: &Write) -> bool {
        if self.ordered { write.place > seen.place } else { write.began > seen.ended }
    }

    /// For each write, the least end (as `end` has it) of those that overwrote it; [`NEVER`] where none did.
    pub(super) fn first_overwritten(&self, end: impl Fn(&Write) -> u32) -> Vec<u32> {
        // In order of what decides who overwrote whom.
        let rank = |write: &Write| if self.ordered { write.place } else { write.began };
        let mut sorted: Vec<&Write> = self.writes.iter().collect();
        sorted.sort_by_key(|write| rank(write));
        let mut least: Vec<u32> = sorted.iter().map(|write| end(write)).collect();
        for at in (1..least.len()).rev() {
            least[at - 1] = least[at - 1].min(least[at]);
        }
        let beyond = |seen: &Write| sorted.partition_point(|write| !self.overwrote(write, seen));
        self.writes.iter().map(|seen| least.get(beyond(seen)).copied().unwrap_or(NEVER)).collect()
    }
}

/// The last element of the list that a read shows.
fn last(history: &History, read: &Access<'_>) -> Option<Value> {
    history.values().split_last(read.value).map(|(_, last)| last)
}

/// How much time passed between positions, at least. Where times go backwards or are missing, a beginning counts as early and
/// an end as late as what is known allows.
pub(super) struct Clock {
    begins: Vec<i64>,
    ends: Vec<i64>,
}

impl Clock {
    /// None where no record has a time.
    pub(super) fn of(history: &History) -> Option<Clock> {
        let mut times: Vec<Option<i64>> = vec![None; history.records() as usize];
        let mut put = |place: Option<u32>, time: Option<i64>| {
            if let Some(slot) = place.and_then(|place| times.get_mut(place as usize)) {
                *slot = time;
            }
        };
        for op in history.ops() {
            put(op.invoked(), op.invoked_time());
            put(op.completed(), op.completed_time());
        }
        for seen in history.observations() {
            put(Some(seen.position), Some(seen.time).filter(|time| *time != History::NO_TIME));
        }
        times.iter().any(Option::is_some).then(|| {
            let mut ends: Vec<i64> = times
                .iter()
                .rev()
                .scan(i64::MAX, |known, time| {
                    *known = time.unwrap_or(*known);
                    Some(*known)
                })
                .collect();
            ends.reverse();
            let mut latest = i64::MIN;
            ends.iter_mut().for_each(|end| {
                latest = latest.max(*end);
                *end = latest;
            });
            let mut begins: Vec<i64> = times
                .iter()
                .scan(i64::MIN, |known, time| {
                    *known = time.unwrap_or(*known);
                    Some(*known)
                })
                .collect();
            let mut earliest = i64::MAX;
            begins.iter_mut().rev().for_each(|begin| {
                earliest = earliest.min(*begin);
                *begin = earliest;
            });
            Clock { begins, ends }
        })
    }

    /// Between what had ended at one position (from 1; 0: before the history), and the beginning of an operation.
    pub(super) fn between(&self, ended: u32, access: &Access<'_>) -> i64 {
        let end = match ended.checked_sub(1) {
            None => i64::MIN,
            Some(at) => self.ends.get(at as usize).copied().unwrap_or(i64::MAX),
        };
        // Without an invocation, it may have begun as early as the record before.
        let began = access.op.began();
        let at = if access.op.invoked().is_some() { began } else { began.saturating_sub(1) };
        self.begins.get(at as usize).copied().unwrap_or(i64::MIN).saturating_sub(end).max(0)
    }
}
