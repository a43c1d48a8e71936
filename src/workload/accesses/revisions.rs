//! The order of versions by the server's own revisions: the field `version` of records.
//!
//! A write's revision is its own, a read's that of the value which it returned; so a write whose record names none has the one of a
//! read that shows it, and a read of a value that was written several times shows the write that has its revision. Revisions of one
//! object are different, and ascend in the order in which its versions came about: these then form a line. Where a compare-and-set is
//! in that line, and replaced a version which is known to be in none of its places, both can't be told by one tree: the line is, and
//! [`Accesses::loose`] says how much is not.
//!
//! A revision is a claim. Where an object's contradict each other ([`Conflict`]), nothing is known of the order of its versions, and it is
//! said so: they are never used in part. Failed operations and those of unknown outcome claim nothing; transactions are of no
//! single object.
//!
//! Cost: linear, but for a sort of each object's revisions.

use hashbrown::{HashMap, HashSet};

use super::{Accesses, NONE, Order, id};
use crate::history::{OpId, Status, Value};

type Seeded = foldhash::fast::RandomState;

/// Two operations whose revisions contradict each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// What contradicts what.
    pub kind: ConflictKind,
    /// The object.
    pub key: u32,
    /// In order of invocation.
    pub operations: [OpId; 2],
}

/// How revisions contradict each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ConflictKind {
    /// One revision has two values.
    TwoValues,
    /// One value, written once, has two revisions.
    TwoRevisions,
    /// A compare-and-set has no higher revision than what it replaced, or a write none higher than the initial value.
    Backwards,
    /// A write was over before one of a lower revision began.
    Overtaken,
}

/// What revisions say of each version.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    /// By version: its revision, and the row that says so first.
    of: HashMap<u32, (i64, u32), Seeded>,
    /// By object and revision: the version.
    owners: HashMap<(u32, i64), u32, Seeded>,
    /// The first contradiction of each object, and how many more there are.
    conflicts: Vec<(Conflict, u64)>,
    /// By object: its place among these.
    conflicting: HashMap<u32, usize, Seeded>,
}

impl Revisions {
    /// Reads them, and finds the write that each read shows whose value doesn't tell it.
    pub(super) fn read(accesses: &mut Accesses<'_>) -> Revisions {
        let mut revisions = Revisions::default();
        if !accesses.history.has_versions() {
            return revisions;
        }
        for row in 0..accesses.len() {
            if accesses.writes[row]
                && let Some(number) = said(accesses, row)
            {
                revisions.take(accesses, row, accesses.version[row], number);
            }
        }
        // Values that several writes wrote, and that a read shows which doesn't tell its write.
        let mut untold: HashSet<(u32, Value), Seeded> = HashSet::default();
        for row in 0..accesses.len() {
            let version = accesses.version[row];
            if accesses.writes[row] {
                continue;
            }
            let (key, value) = (accesses.key[row], accesses.version_value[version as usize]);
            let number = said(accesses, row);
            if !accesses.ambiguous[version as usize] {
                if let Some(number) = number.filter(|_| exists(accesses, version)) {
                    revisions.take(accesses, row, version, number);
                }
                continue;
            }
            match number.map(|number| (number, revisions.owners.get(&(key, number)).copied())) {
                Some((_, Some(owner))) if accesses.version_value[owner as usize] == value => {
                    accesses.version[row] = owner;
                }
                Some((number, Some(_))) => revisions.take(accesses, row, version, number),
                Some((_, None)) | None => drop(untold.insert((key, value))),
            }
        }
        let keys: HashSet<u32, Seeded> = revisions.owners.keys().map(|(key, _)| *key).collect();
        for version in 0..accesses.versions() {
            let (key, value) = (accesses.version_key[version], accesses.version_value[version]);
            if accesses.ambiguous[version] && keys.contains(&key) && !untold.contains(&(key, value)) {
                accesses.ambiguous[version] = false;
            }
        }
        revisions
    }

    /// Takes in what one row says of a version.
    fn take(&mut self, accesses: &Accesses<'_>, row: usize, version: u32, number: i64) {
        let key = accesses.key[row];
        match self.of.get(&version) {
            Some((other, _)) if *other == number => return,
            Some((_, first)) => return self.conflict(accesses, ConflictKind::TwoRevisions, key, [*first, id(row)]),
            None => {}
        }
        match self.owners.get(&(key, number)) {
            Some(owner) => {
                let first = self.of[owner].1;
                self.conflict(accesses, ConflictKind::TwoValues, key, [first, id(row)]);
            }
            None => {
                self.owners.insert((key, number), version);
                self.of.insert(version, (number, id(row)));
            }
        }
    }

    fn conflict(&mut self, accesses: &Accesses<'_>, kind: ConflictKind, key: u32, rows: [u32; 2]) {
        let mut operations = rows.map(|row| accesses.op[row as usize]);
        operations.sort_unstable();
        let conflict = Conflict { kind, key, operations };
        match self.conflicting.get(&key) {
            Some(at) => self.conflicts[*at].1 += 1,
            None => {
                self.conflicting.insert(key, self.conflicts.len());
                self.conflicts.push((conflict, 1));
            }
        }
    }

    /// Puts each object's versions in their order, where nothing contradicts it. What replaced what is known by now.
    pub(super) fn order(&mut self, accesses: &mut Accesses<'_>) {
        let mut numbered: Vec<(u32, i64, u32)> =
            self.owners.iter().map(|((key, number), version)| (*key, *number, *version)).collect();
        numbered.sort_unstable();
        for of_one in numbered.chunk_by(|a, b| a.0 == b.0) {
            let key = of_one[0].0;
            let parents = self.parents(accesses, of_one);
            if self.conflicting.contains_key(&key) {
                continue;
            }
            accesses.by_revision[key as usize] = true;
            for (version, parent) in parents {
                match parent {
                    Some(parent) => accesses.parent[version as usize] = parent,
                    None => accesses.loose += 1,
                }
            }
        }
    }

    /// The versions of one object, and the version before each; none for the second of two that it certainly followed, of
    /// which the first is known by revision, and the second by compare-and-set.
    fn parents(&mut self, accesses: &Accesses<'_>, numbered: &[(u32, i64, u32)]) -> Vec<(u32, Option<u32>)> {
        let mut parents = Vec::with_capacity(numbered.len());
        // Of versions without revisions, where the way up from them ends.
        let mut tops: HashMap<u32, u32, Seeded> = HashMap::default();
        let mut before = numbered[0].0;
        for (at, (key, number, version)) in numbered.iter().copied().enumerate() {
            let row = self.of[&version].1;
            if accesses.is_initial(version) {
                if let Some((.., lower)) = numbered[..at].first() {
                    self.conflict(accesses, ConflictKind::Backwards, key, [self.of[lower].1, row]);
                }
                continue;
            }
            // What it replaced, over compare-and-sets of which no record names a revision, up to one of which one does.
            let mut ancestor = accesses.parent[version as usize];
            let direct = accesses.is_initial(ancestor) || self.of.contains_key(&ancestor);
            let mut way = Vec::new();
            while !accesses.is_initial(ancestor) && !self.of.contains_key(&ancestor) {
                way.push(ancestor);
                ancestor = tops.get(&ancestor).copied().unwrap_or(accesses.parent[ancestor as usize]);
            }
            tops.extend(way.into_iter().map(|one| (one, ancestor)));
            match self.of.get(&ancestor) {
                Some((other, first)) if *other >= number => {
                    self.conflict(accesses, ConflictKind::Backwards, key, [*first, row]);
                }
                _ if direct => parents.push((version, Some(before))),
                _ if ancestor == before => {}
                _ => parents.extend([(version, Some(before)), (version, None)]),
            }
            before = version;
        }
        parents
    }

    /// Objects of which nothing is known now.
    pub(super) fn contradict(&self, accesses: &mut Accesses<'_>) {
        for (conflict, _) in &self.conflicts {
            accesses.order[conflict.key as usize] = Order::Contradictory;
        }
    }

    /// The first contradiction of each object in order of invocation, and how many there are.
    pub(super) fn conflicts(self) -> Vec<(Conflict, u64)> {
        let mut conflicts = self.conflicts;
        conflicts.sort_by_key(|(conflict, _)| (conflict.operations[1], conflict.key));
        conflicts
    }
}

/// For each object whose revisions order its writes, the first write that was over before one of a lower revision began, and how many
/// are so overtaken. They contradict real time, not each other, and do order the versions: it may be that no guarantee knows real time.
#[must_use]
pub fn overtaken(accesses: &Accesses<'_>) -> Vec<(Conflict, u64)> {
    let mut numbered: Vec<(u32, i64, usize)> = (0..accesses.len())
        .filter(|row| accesses.writes[*row] && accesses.by_revision.get(accesses.key[*row] as usize) == Some(&true))
        .filter_map(|row| Some((accesses.key[row], said(accesses, row)?, row)))
        .collect();
    numbered.sort_unstable();
    let mut found = Vec::new();
    for of_one in numbered.chunk_by(|a, b| a.0 == b.0) {
        // From the highest: of those that are higher, the one that was over first.
        let mut first: Option<usize> = None;
        let mut overtaken: Option<(Conflict, u64)> = None;
        for (key, _, row) in of_one.iter().rev().copied() {
            match first {
                Some(higher) if accesses.ended(higher) < accesses.began(row) => {
                    let operations = [accesses.op[higher], accesses.op[row]];
                    let count = overtaken.as_ref().map_or(0, |one| one.1) + 1;
                    overtaken = Some((Conflict { kind: ConflictKind::Overtaken, key, operations }, count));
                }
                Some(higher) if accesses.ended(higher) <= accesses.ended(row) => {}
                _ => first = Some(row),
            }
        }
        found.extend(overtaken);
    }
    found
}

/// The revision that a row's record names.
fn said(accesses: &Accesses<'_>, row: usize) -> Option<i64> {
    let op = accesses.operation(id(row));
    // Of a compare-and-set it is that of what it wrote.
    let part = !accesses.writes[row] && accesses.op.get(row + 1) == Some(&accesses.op[row]);
    if op.status() != Status::Ok || part {
        return None;
    }
    accesses.history.values().as_int(op.version())
}

/// Whether somebody wrote a version and did not fail, or it was there at first.
fn exists(accesses: &Accesses<'_>, version: u32) -> bool {
    let writer = accesses.writer[version as usize];
    accesses.is_initial(version) || (writer != NONE && accesses.status(writer as usize) != Status::Fail)
}
