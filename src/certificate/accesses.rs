//! Reads and writes of registers and lists, taken from the history anew: what certificates of sessions, of staleness and of
//! convergence look at.
//!
//! One row an access, in order of invocation, within an operation in program order; a `cas` is a read and then a write. What
//! failed has no row, nor has a read whose result is not known.

use super::numbers::{Numbers, sessions};
use super::registers::{effect, initial, key_of};
use super::{Map, Set};
use crate::history::{History, Operation, Status, Value};

/// One read or write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access<'h> {
    pub(super) op: Operation<'h>,
    /// Its place among the operation's micro-operations; of a `cas`, 0 for the read and 1 for the write.
    pub(super) mop: u32,
    pub(super) session: u32,
    pub(super) key: u32,
    pub(super) writes: bool,
    /// What it wrote, or read; of a list, all of it.
    pub(super) value: Value,
}

impl Access<'_> {
    /// Whether it is certain that it took effect, so that later ones of its session follow it.
    pub(super) fn is_ok(&self) -> bool {
        self.op.status() == Status::Ok
    }
}

/// What a read saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// What was there at first.
    Initial,
    /// What this row wrote.
    Write(u32),
    /// Several wrote the value, so it may have seen any of them.
    Several,
    /// Nobody wrote the value.
    Nobody,
}

/// All of a history.
pub(super) struct Accesses<'h> {
    pub(super) history: &'h History,
    pub(super) rows: Vec<Access<'h>>,
    /// The keys' names.
    pub(super) keys: Vec<(Value, Value)>,
    pub(super) sessions: u32,
    /// Whether objects are lists.
    pub(super) lists: bool,
    /// Values that failed writes would have written, by key.
    failed: Set<(u32, Value)>,
}

impl<'h> Accesses<'h> {
    /// The accesses of a history of registers or of lists.
    pub(super) fn read(history: &'h History) -> Result<Accesses<'h>, String> {
        let lists = history.ops().any(|op| !op.mops().is_empty());
        let (rows, failed) = (Vec::new(), Set::default());
        let mut accesses = Accesses { history, rows, keys: Vec::new(), sessions: 0, lists, failed };
        let mut keys = Numbers::default();
        let (sessions, count) = sessions(history.ops());
        for op in history.ops() {
            let session = sessions[op.id.index()];
            let mut add = |named: (Value, Value), mop: usize, writes: bool, value: Value| {
                // A register's name is the second, a list's mostly the first.
                let (name, part) = if lists { named } else { (named.1, named.0) };
                let (key, is_new) = keys.put(name, part.raw());
                if is_new {
                    accesses.keys.push(named);
                }
                match op.status() {
                    Status::Fail if writes => drop(accesses.failed.insert((key, value))),
                    Status::Fail => {}
                    _ => accesses.rows.push(Access { op, mop: number(mop), session, key, writes, value }),
                }
            };
            if lists {
                of_lists(history, &op, add)?;
                continue;
            }
            let (found, left) = match effect(history, &op) {
                Some(both) => both,
                // What failed need not say what it would have done.
                None if op.status() == Status::Fail => continue,
                None => return Err(format!("the operation at record {} is none on a register", op.position())),
            };
            let key = (Value::ABSENT, key_of(&op));
            let places =
                [found, left].into_iter().zip([false, true]).filter_map(|(value, writes)| Some((value?, writes)));
            places.enumerate().for_each(|(mop, (value, writes))| add(key, mop, writes, value));
        }
        accesses.sessions = count;
        Ok(accesses)
    }

    /// Whether a failed write would have written it.
    pub(super) fn is_failed(&self, key: u32, value: Value) -> bool {
        self.failed.contains(&(key, value))
    }

    /// What each read saw, if these rows happened and no others; of other rows, nothing. Where it is not known what was there at
    /// first, the first read of what nobody wrote tells it.
    pub(super) fn sources(&self, happened: &[bool]) -> Vec<Source> {
        let values = self.history.values();
        let mut writers: Map<(u32, Value), Source> = Map::default();
        let mut first: Vec<Option<Value>> = self.keys.iter().map(|(_, key)| initial(self.history, *key)).collect();
        for (row, access) in (0..).zip(&self.rows).filter(|(_, access)| access.writes) {
            if happened[row as usize] {
                let several = |known: &mut Source| *known = Source::Several;
                let known = writers.entry((access.key, access.value)).and_modify(several);
                known.or_insert(Source::Write(row));
            }
        }
        let of = |(row, access): (usize, &Access<'_>)| {
            if access.writes || !happened[row] {
                return Source::Nobody;
            }
            let shown =
                if self.lists { values.split_last(access.value).map(|(_, last)| last) } else { Some(access.value) };
            let Some(shown) = shown else { return Source::Initial };
            let written = writers.get(&(access.key, shown)).copied();
            if self.lists {
                return written.unwrap_or(Source::Nobody);
            }
            let first = &mut first[access.key as usize];
            match written {
                Some(_) if *first == Some(shown) => Source::Several,
                Some(source) => source,
                None if first.is_none() && self.is_failed(access.key, shown) => Source::Nobody,
                None if *first.get_or_insert(shown) == shown => Source::Initial,
                None => Source::Nobody,
            }
        };
        self.rows.iter().enumerate().map(of).collect()
    }

    /// A row, for a person.
    pub(super) fn name(&self, row: u32) -> String {
        let access = &self.rows[row as usize];
        let (values, (key, outer)) = (self.history.values(), self.keys[access.key as usize]);
        let key = if self.lists { key } else { outer };
        let of = if key.is_absent() { String::new() } else { format!(" of key {}", values.json(key, 60)) };
        let what = if access.writes { "write" } else { "read" };
        format!("the {what} {}{of} at record {}", values.json(access.value, 60), access.op.position())
    }
}

fn of_lists(
    history: &History,
    op: &Operation<'_>,
    mut add: impl FnMut((Value, Value), usize, bool, Value),
) -> Result<(), String> {
    let values = history.values();
    for (mop, said) in op.mops().iter().enumerate() {
        let key = (said.key, op.key());
        match values.as_str(said.f) {
            Some("append") => add(key, mop, true, said.value),
            Some("r") if op.status() != Status::Ok => {}
            Some("r") => add(key, mop, false, if said.value.is_null() { Value::EMPTY_LIST } else { said.value }),
            _ => return Err(format!("the transaction at record {} is none over lists", op.position())),
        }
    }
    Ok(())
}

/// A count as a number of 32 bits: a history has no more rows than that.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
