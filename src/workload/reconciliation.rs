//! The `reconciliation` vocabulary: snapshots of systems that should agree, and repairs of their differences.
//!
//! An observer's `snapshot` lists a system's entries, as a map, or as a list of `[id, value]`, which can hold an id twice;
//! `reconcile` is a repair, with its `fixes`. A map's key `"7"` is the integer 7 where a list or a fix names that id as an
//! integer. Cost: linear in records and entries.

use std::ops::Range;

use hashbrown::HashMap;

use super::WorkloadError;
use super::fields::{Fields, or_null};
use super::records::{Fact, Run, facts, stranger};
use crate::history::{Compound, History, Operation, Status, Value, View};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// All of a system at one time.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The record.
    pub fact: Fact,
    /// Of which system.
    pub system: u32,
    /// Its entries, within [`Reconciliation::entries`].
    pub entries: Range<usize>,
}

/// One change that a repair made.
#[derive(Clone, Copy, Debug)]
pub struct Fix {
    /// Where.
    pub system: u32,
    /// Of which entry.
    pub id: Value,
    /// What the entry is now; null is an entry that is null, or none.
    pub to: Value,
}

/// One repair.
#[derive(Clone, Debug)]
pub struct Reconcile {
    /// When, and whether.
    pub run: Run,
    /// What it changed, within [`Reconciliation::fixes`].
    pub fixes: Range<usize>,
}

/// A history of snapshots and repairs.
#[derive(Debug)]
pub struct Reconciliation {
    /// The systems' names, in order of first appearance.
    pub systems: Vec<Value>,
    /// In order of position.
    pub snapshots: Vec<Snapshot>,
    /// Ids and values.
    pub entries: Vec<(Value, Value)>,
    /// In order of beginning.
    pub reconciles: Vec<Reconcile>,
    /// Of all repairs.
    pub fixes: Vec<Fix>,
}

impl Reconciliation {
    /// Reads the vocabulary.
    ///
    /// # Errors
    /// An operation that is neither `reconcile` nor `snapshot`, a snapshot without its system, entries or fixes that can't be
    /// read.
    pub fn from_history(history: &History) -> Result<Reconciliation, WorkloadError> {
        let mut reader = Reader {
            history,
            systems: Map::default(),
            keys: Vec::new(),
            whole: Map::default(),
            read: Reconciliation {
                systems: Vec::new(),
                snapshots: Vec::new(),
                entries: Vec::new(),
                reconciles: Vec::new(),
                fixes: Vec::new(),
            },
            shot: Fields::new(["system", "entries"]),
            fixed: Fields::new(["fixes"]),
            fix: Fields::new(["system", "id", "to"]),
        };
        for (_, fact) in facts(history, &["snapshot"]) {
            reader.snapshot(fact)?;
        }
        for op in history.ops() {
            match history.values().as_str(op.f()) {
                Some("reconcile") => reader.reconcile(&op)?,
                Some("snapshot") => {}
                _ => {
                    let help = "operations are `reconcile`; an observer's record is `snapshot`";
                    return Err(stranger(history, &op, "reconciliation", help));
                }
            }
        }
        Ok(reader.finish())
    }

    /// The last snapshot of each system, where it has one.
    #[must_use]
    pub fn last(&self) -> Vec<Option<&Snapshot>> {
        let mut last = vec![None; self.systems.len()];
        for snapshot in &self.snapshots {
            last[snapshot.system as usize] = Some(snapshot);
        }
        last
    }
}

struct Reader<'a> {
    history: &'a History,
    systems: Map<Value, u32>,
    /// Entries that came as keys of a map.
    keys: Vec<usize>,
    /// The ids that are integers.
    whole: Map<i64, Value>,
    read: Reconciliation,
    shot: Fields<2>,
    fixed: Fields<1>,
    fix: Fields<3>,
}

impl Reader<'_> {
    fn snapshot(&mut self, fact: Fact) -> Result<(), WorkloadError> {
        let values = self.history.values();
        let wrong = |message: String, help: &str| WorkloadError {
            position: Some(fact.position),
            message,
            help: help.to_owned(),
        };
        let [system, entries] = self.shot.of(values, fact.value);
        if system.is_null() {
            return Err(wrong("this snapshot names no system".to_owned(), "give its `system` in `value`"));
        }
        let system = self.system(system);
        let first = self.read.entries.len();
        match values.view(entries) {
            View::Compound(Compound::Map) => {
                self.read.entries.extend(values.entries(entries));
                self.keys.extend(first..self.read.entries.len());
            }
            View::Compound(Compound::List) => {
                for entry in values.items(entries) {
                    let pair = if entry.is_list() { values.items(entry) } else { Vec::new() };
                    let [id, value] = pair[..] else {
                        let message = format!("an entry of this snapshot is {}", values.json(entry, 60));
                        return Err(wrong(message, "in a list, an entry is [id, value]"));
                    };
                    self.id(id);
                    self.read.entries.push((id, value));
                }
            }
            _ => {
                let message = format!("the `entries` of this snapshot are {}", values.json(or_null(entries), 60));
                return Err(wrong(message, "give a map of ids to values, or a list of [id, value]"));
            }
        }
        self.read.snapshots.push(Snapshot { fact, system, entries: first..self.read.entries.len() });
        Ok(())
    }

    fn reconcile(&mut self, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let values = self.history.values();
        let wrong = |message: String, help: &str| WorkloadError {
            position: Some(op.position()),
            message,
            help: help.to_owned(),
        };
        let [answered] = self.fixed.of(values, if op.status() == Status::Ok { op.result() } else { Value::NULL });
        let [asked] = self.fixed.of(values, if op.argument().is_null() { op.result() } else { op.argument() });
        let fixes = if answered.is_null() { or_null(asked) } else { answered };
        if !fixes.is_null() && !fixes.is_list() {
            return Err(wrong(format!("the `fixes` of this repair are {}", values.json(fixes, 60)), "give a list"));
        }
        let first = self.read.fixes.len();
        for fix in values.items(fixes) {
            let [system, id, to] = self.fix.of(values, fix);
            if system.is_null() || id.is_absent() {
                let message = format!("a fix of this repair is {}", values.json(fix, 60));
                return Err(wrong(message, "a fix names its `system`, the `id` of the entry, `from` and `to`"));
            }
            self.id(id);
            let system = self.system(system);
            self.read.fixes.push(Fix { system, id, to: or_null(to) });
        }
        self.read.reconciles.push(Reconcile { run: Run::of(op), fixes: first..self.read.fixes.len() });
        Ok(())
    }

    fn system(&mut self, name: Value) -> u32 {
        let next = u32::try_from(self.read.systems.len()).unwrap_or(u32::MAX);
        let system = *self.systems.entry(name).or_insert(next);
        if system == next {
            self.read.systems.push(name);
        }
        system
    }

    fn id(&mut self, id: Value) {
        if let Some(whole) = self.history.values().as_int(id) {
            self.whole.insert(whole, id);
        }
    }

    fn finish(mut self) -> Reconciliation {
        if !self.whole.is_empty() {
            for at in self.keys {
                let id = &mut self.read.entries[at].0;
                let text = self.history.values().as_str(*id).unwrap_or("");
                let whole = text.parse::<i64>().ok().filter(|whole| whole.to_string() == text);
                if let Some(same) = whole.and_then(|whole| self.whole.get(&whole)) {
                    *id = *same;
                }
            }
        }
        self.read
    }
}
