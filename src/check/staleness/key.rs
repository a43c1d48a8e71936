//! One key's part of a history, as staleness and convergence see it: which writes there are, by when each had certainly
//! taken effect, and which write each read saw.
//!
//! A write had certainly taken effect when it completed, and by the end of any read that certainly saw it; where the order of
//! the versions is known (lists), by the end of any read that saw a later one. Failed writes are left out. A write of unknown
//! outcome counts where a read saw it, by the end of that read.
//!
//! Where several writes wrote the value that a read returned, the read is taken to have seen the one that had taken effect
//! last: of all readings, that one makes it the least stale. So what is found here is certain in every reading.
//!
//! Positions are counted from 1; the initial value was written at 0. Cost: linear, but for a sort of the writes by end.

use hashbrown::HashMap;
use rayon::prelude::*;

use super::delta::is_possible_order;
use crate::history::{Status, Value};
use crate::workload::accesses::{Accesses, Order};

/// No row, or no write.
pub(in crate::check) const NONE: u32 = u32::MAX;
/// The end of what is not known to have happened.
pub(in crate::check) const NEVER: u32 = u32::MAX;

/// One access, as it is put in.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Access {
    /// Its number in the caller's columns.
    pub(in crate::check) row: u32,
    /// The position at or after which it began.
    pub(in crate::check) began: u32,
    /// The position of its `ok`; [`NEVER`] for anything else.
    pub(in crate::check) ended: u32,
    pub(in crate::check) status: Status,
    pub(in crate::check) writes: bool,
    /// What it read or wrote.
    pub(in crate::check) version: u32,
    /// Whether its invocation is on record: else nobody knows when it began.
    pub(in crate::check) invoked: bool,
}

/// A write that happened or may have.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Write {
    /// [`NONE`] for the initial value's.
    pub(in crate::check) row: u32,
    pub(in crate::check) began: u32,
    /// By when it had certainly taken effect.
    pub(in crate::check) ended: u32,
    /// The access that says so: itself, or a read.
    pub(in crate::check) shown_by: u32,
    /// When it was acknowledged.
    pub(in crate::check) acknowledged: u32,
    pub(in crate::check) version: u32,
}

/// A read that returned what a write wrote.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Read {
    pub(in crate::check) row: u32,
    pub(in crate::check) began: u32,
    pub(in crate::check) ended: u32,
    /// The write that it saw, by its place in [`KeyHistory::writes`].
    pub(in crate::check) write: u32,
    /// Whether it can't have seen another.
    pub(in crate::check) certain: bool,
    /// Whether its invocation is on record.
    pub(in crate::check) invoked: bool,
}

/// Why no write explains a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) enum Unexplained {
    /// Nobody wrote it.
    ThinAir,
    /// Only failed writes wrote it.
    Aborted,
    /// Whoever wrote it began after the read had ended.
    Future,
}

/// One key. See the module's text.
#[derive(Debug, Default)]
pub(in crate::check) struct KeyHistory {
    /// In order of beginning; the first is the initial value's.
    pub(in crate::check) writes: Vec<Write>,
    /// In order of beginning.
    pub(in crate::check) reads: Vec<Read>,
    /// Reads that no write explains, in order of beginning: where each began, its row, and why.
    pub(in crate::check) unexplained: Vec<(u32, u32, Unexplained)>,
    /// Writes that certainly happened, in order of their ends.
    pub(in crate::check) by_end: Vec<u32>,
    /// The order of the versions where it is known, as writes, the initial value's first. Writes that it lacks were never seen
    /// and come after these.
    pub(in crate::check) order: Option<Vec<u32>>,
    /// Whether lists that were read contradict each other or what was appended, so that nothing is sure of their order.
    pub(in crate::check) contradictory: bool,
    /// Whether some operation both reads and writes the key: then reads and writes alone don't say all.
    pub(in crate::check) replaces: bool,
}

/// Who wrote a version.
#[derive(Clone, Copy)]
enum Writers {
    Nobody,
    One(u32),
    /// Several: an index into lists of them.
    Many(u32),
}

/// The writers of each version: a table where a key's versions lie close together (those of an only key do), else a hash map.
enum ByVersion {
    Dense { first: u32, writers: Vec<Writers> },
    Hashed(HashMap<u32, Writers, foldhash::fast::RandomState>),
}

impl ByVersion {
    /// For these versions.
    fn new(versions: impl ExactSizeIterator<Item = u32> + Clone) -> ByVersion {
        let (first, last) = (versions.clone().min().unwrap_or(0), versions.clone().max().unwrap_or(0));
        let width = (last - first) as usize + 1;
        if width <= 4 * versions.len() + 64 {
            ByVersion::Dense { first, writers: vec![Writers::Nobody; width] }
        } else {
            ByVersion::Hashed(HashMap::with_capacity_and_hasher(versions.len(), <_>::default()))
        }
    }

    fn of(&self, version: u32) -> Writers {
        match self {
            ByVersion::Dense { first, writers } => {
                let at = version.checked_sub(*first).and_then(|at| writers.get(at as usize));
                at.copied().unwrap_or(Writers::Nobody)
            }
            ByVersion::Hashed(writers) => writers.get(&version).copied().unwrap_or(Writers::Nobody),
        }
    }

    /// Of one of the versions that it is for.
    fn of_mut(&mut self, version: u32) -> &mut Writers {
        match self {
            ByVersion::Dense { first, writers } => &mut writers[(version - *first) as usize],
            ByVersion::Hashed(writers) => writers.entry(version).or_insert(Writers::Nobody),
        }
    }
}

/// The rows of each key, in order of invocation.
fn rows_by_key(accesses: &Accesses<'_>) -> (Vec<u32>, Vec<u32>) {
    let mut ends = vec![0_u32; accesses.keys.len() + 1];
    accesses.key.iter().for_each(|key| ends[*key as usize + 1] += 1);
    for key in 1..ends.len() {
        ends[key] += ends[key - 1];
    }
    let mut next = ends.clone();
    let mut rows = vec![0; accesses.len()];
    for (row, key) in (0..).zip(&accesses.key) {
        let at = &mut next[*key as usize];
        rows[*at as usize] = row;
        *at += 1;
    }
    (rows, ends)
}

impl KeyHistory {
    /// Every key of a history. `lists`: each read shows all that was written before it, or else nothing is sure.
    pub(in crate::check) fn all(accesses: &Accesses<'_>, lists: bool) -> Vec<KeyHistory> {
        let (rows, ends) = rows_by_key(accesses);
        let one = |key: u32| {
            let rows = &rows[ends[key as usize] as usize..ends[key as usize + 1] as usize];
            let mut history = KeyHistory::of(accesses, key, rows);
            history.contradictory = lists && history.order.is_none();
            history
        };
        (0..u32::try_from(accesses.keys.len()).unwrap_or(NONE)).into_par_iter().map(one).collect()
    }

    fn of(accesses: &Accesses<'_>, key: u32, rows: &[u32]) -> KeyHistory {
        // Writes of one value have versions of their own; a read that doesn't tell them apart has one for all.
        let mut shared: HashMap<Value, u32, foldhash::fast::RandomState> = HashMap::default();
        let ambiguous = |version: u32| accesses.ambiguous[version as usize];
        if ambiguous(key) {
            shared.insert(accesses.version_value[key as usize], key);
        }
        for row in rows {
            let version = accesses.version[*row as usize];
            if ambiguous(version) && accesses.writes[*row as usize] {
                shared.entry(accesses.version_value[version as usize]).or_insert(version);
            }
        }
        let version_of = |row: usize| {
            let version = accesses.version[row];
            let shared = ambiguous(version).then(|| shared.get(&accesses.version_value[version as usize])).flatten();
            shared.copied().unwrap_or(version)
        };
        let access = |row: &u32| {
            let at = *row as usize;
            Access {
                row: *row,
                began: accesses.began(at),
                ended: accesses.ended(at),
                status: accesses.status(at),
                writes: accesses.writes[at],
                version: version_of(at),
                invoked: accesses.operation(*row).invoked().is_some(),
            }
        };
        let order = match &accesses.order[key as usize] {
            Order::Line { line, .. } => Some(&line[1..]),
            Order::Tree | Order::Contradictory => None,
        };
        let mut history = KeyHistory::new(rows.iter().map(access), key, order);
        // What servers say of an order is not taken against real time: a write that was overtaken would hide a stale read.
        if accesses.by_revision.get(key as usize) == Some(&true)
            && history.order.as_ref().is_some_and(|order| !is_possible_order(&history, order))
        {
            history = KeyHistory::new(rows.iter().map(access), key, None);
        }
        history.replaces = rows.windows(2).any(|pair| {
            let [read, write] = [pair[0] as usize, pair[1] as usize];
            accesses.op[read] == accesses.op[write] && !accesses.writes[read] && accesses.writes[write]
        });
        history
    }

    /// From a key's accesses. `initial` is the version that is there at first; `order` the versions in their order, where it
    /// is known, without the initial one.
    pub(in crate::check) fn new(
        accesses: impl Iterator<Item = Access> + Clone,
        initial: u32,
        order: Option<&[u32]>,
    ) -> KeyHistory {
        let mut key = KeyHistory::default();
        key.writes.push(Write { row: NONE, began: 0, ended: 0, shown_by: NONE, acknowledged: 0, version: initial });
        let counts = |access: &Access| access.writes && access.status != Status::Fail;
        key.writes.extend(accesses.clone().filter(counts).map(|access| Write {
            row: access.row,
            began: access.began + 1,
            ended: access.ended.saturating_add(1),
            shown_by: if access.ended == NEVER { NONE } else { access.row },
            acknowledged: access.ended.saturating_add(1),
            version: access.version,
        }));
        key.writes.sort_by_key(|write| write.began);
        let reads = accesses.clone().filter(|access| !access.writes && access.status == Status::Ok);
        key.observe(reads, accesses);
        key.put_in_order(order);
        key.by_end = (0..).zip(&key.writes).filter(|(_, write)| write.ended != NEVER).map(|(at, _)| at).collect();
        key.by_end.sort_by_key(|at| key.writes[*at as usize].ended);
        // All keys stay until the last is judged: what growing took too much is given back.
        key.writes.shrink_to_fit();
        key.reads.shrink_to_fit();
        key.by_end.shrink_to_fit();
        key
    }

    /// Finds the write that each read saw.
    fn observe(&mut self, reads: impl Iterator<Item = Access>, all: impl Iterator<Item = Access> + Clone) {
        let mut many: Vec<Vec<u32>> = Vec::new();
        let mut writers = ByVersion::new(self.writes.iter().map(|write| write.version));
        for (at, write) in (0..).zip(&self.writes) {
            let known = writers.of_mut(write.version);
            match *known {
                Writers::Nobody => *known = Writers::One(at),
                Writers::One(first) => {
                    *known = Writers::Many(u32::try_from(many.len()).unwrap_or(NONE));
                    many.push(vec![first, at]);
                }
                Writers::Many(list) => many[list as usize].push(at),
            }
        }
        let mut failed: Option<hashbrown::HashSet<u32, foldhash::fast::RandomState>> = None;
        // Reads of versions with several possible writers wait until all is known of when these had taken effect.
        let mut waiting: Vec<(usize, u32, u32)> = Vec::new();
        for access in reads {
            let (began, ended) = (access.began + 1, access.ended.saturating_add(1));
            let possible = match writers.of(access.version) {
                Writers::Nobody => {
                    let failed = failed.get_or_insert_with(|| {
                        let failed = all.clone().filter(|one| one.writes && one.status == Status::Fail);
                        failed.map(|one| one.version).collect()
                    });
                    let why =
                        if failed.contains(&access.version) { Unexplained::Aborted } else { Unexplained::ThinAir };
                    self.unexplained.push((began, access.row, why));
                    continue;
                }
                Writers::One(write) => Some(write).filter(|write| self.writes[*write as usize].began <= ended),
                Writers::Many(list) => {
                    let some = &many[list as usize];
                    let count = some.partition_point(|write| self.writes[*write as usize].began <= ended);
                    if count > 1 {
                        let count = u32::try_from(count).unwrap_or(NONE);
                        waiting.push((self.reads.len(), list, count));
                    }
                    some.first().copied().filter(|_| count > 0)
                }
            };
            match possible {
                Some(write) => {
                    let (row, invoked) = (access.row, access.invoked);
                    self.reads.push(Read { row, began, ended, write, certain: true, invoked });
                }
                None => self.unexplained.push((began, access.row, Unexplained::Future)),
            }
        }
        for (read, ..) in &waiting {
            self.reads[*read].certain = false;
        }
        for read in self.reads.iter().filter(|read| read.certain) {
            let write = &mut self.writes[read.write as usize];
            if read.ended < write.ended {
                (write.ended, write.shown_by) = (read.ended, read.row);
            }
        }
        let latest: Vec<Vec<u32>> =
            if waiting.is_empty() { Vec::new() } else { many.iter().map(|some| self.latest(some)).collect() };
        for (read, list, count) in waiting {
            self.reads[read].write = latest[list as usize][count as usize - 1];
        }
        self.reads.sort_by_key(|read| read.began);
        self.unexplained.sort_by_key(|(began, ..)| *began);
    }

    /// For each beginning of a list of writes, the one of it that had taken effect last.
    fn latest(&self, some: &[u32]) -> Vec<u32> {
        let mut best = NONE;
        some.iter()
            .map(|write| {
                let ended = |write: u32| self.writes[write as usize].ended;
                if best == NONE || ended(*write) > ended(best) {
                    best = *write;
                }
                best
            })
            .collect()
    }

    /// Takes over a known order of versions: by the time a later version was there, the earlier ones had been.
    fn put_in_order(&mut self, order: Option<&[u32]>) {
        let Some(order) = order else { return };
        let places: HashMap<u32, u32, foldhash::fast::RandomState> =
            (0..).zip(&self.writes).map(|(at, write)| (write.version, at)).collect();
        let mut known = vec![0];
        for version in order {
            // An order that names what nobody wrote orders nothing.
            let Some(write) = places.get(version) else { return };
            known.push(*write);
        }
        let mut ordered = vec![false; self.writes.len()];
        known.iter().for_each(|write| ordered[*write as usize] = true);
        let all_known = self.reads.iter().all(|read| read.certain && ordered[read.write as usize]);
        if !all_known || ordered.iter().filter(|ordered| **ordered).count() != known.len() {
            return;
        }
        let rest = self.writes.iter().zip(&ordered).filter(|(_, ordered)| !**ordered).map(|(write, _)| write);
        let mut earliest =
            rest.min_by_key(|write| write.ended).map_or((NEVER, NONE), |write| (write.ended, write.shown_by));
        for write in known.iter().rev() {
            let write = &mut self.writes[*write as usize];
            if write.ended <= earliest.0 {
                earliest = (write.ended, write.shown_by);
            } else {
                (write.ended, write.shown_by) = earliest;
            }
        }
        self.order = Some(known);
    }

    /// Whether each read tells which write it saw.
    pub(in crate::check) fn is_unambiguous(&self) -> bool {
        self.reads.iter().all(|read| read.certain)
    }

    /// The write that a read saw.
    pub(in crate::check) fn seen(&self, read: &Read) -> &Write {
        &self.writes[read.write as usize]
    }
}
