//! Registers as reads and writes. A `cas` reads what it expects and replaces it; `revisions` says what servers tell of their order.

use hashbrown::HashMap;

use super::revisions::{Conflict, Revisions};
use super::{Accesses, NONE, Order, id};
use crate::history::{History, Status, Value};
use crate::workload::register::{Action, Initial, Key, Register};

impl<'h> Accesses<'h> {
    /// The accesses of a register history, from values alone.
    #[must_use]
    pub fn of_registers(history: &'h History, register: &Register) -> Accesses<'h> {
        Accesses::registers(history, register, false).0
    }

    /// The same where the revisions that records name (`version`) order the versions of their object, and tell writes of one value
    /// apart. And for each object whose revisions contradict each other, the first contradiction, and how many there are.
    #[must_use]
    pub fn of_registers_by_revision(history: &'h History, register: &Register) -> (Accesses<'h>, Vec<(Conflict, u64)>) {
        Accesses::registers(history, register, true)
    }

    fn registers(history: &'h History, register: &Register, by_revision: bool) -> (Accesses<'h>, Vec<(Conflict, u64)>) {
        let mut counts = vec![0u8; history.len()];
        for number in 0..register.keys() {
            let key = register.key(number);
            for at in 0..key.len() {
                counts[key.op[at].index()] = if reads_too(&key, at) { 2 } else { 1 };
            }
        }
        let most = counts.iter().map(|count| usize::from(*count)).sum();
        let mut accesses = Accesses::with_rows(history, most, |op| u32::from(counts[op.index()]));
        let mut first = vec![NONE; history.len()];
        for (row, op) in (0u32..).zip(&accesses.op) {
            if accesses.mop[row as usize] == 0 {
                first[op.index()] = row;
            }
        }
        let writes: usize = (0..register.keys())
            .map(|number| {
                let key = register.key(number);
                (0..key.len()).filter(|at| key.written(*at).is_some()).count()
            })
            .sum();
        accesses.reserve_versions(register.keys() + writes);
        for number in 0..register.keys() {
            let key = register.key(number);
            accesses.keys.push(key.name);
            let value = match key.initial {
                Initial::Known(value) => value,
                Initial::Unknown => Value::ABSENT,
            };
            accesses.add_version(id(number), value, NONE, NONE);
        }
        for number in 0..register.keys() {
            accesses.take_register(number, &register.key(number), &first);
        }
        let mut revisions = if by_revision { Revisions::read(&mut accesses) } else { Revisions::default() };
        accesses.promote();
        accesses.cut_circles();
        accesses.by_revision = vec![false; accesses.keys.len()];
        revisions.order(&mut accesses);
        for key in 0..accesses.keys.len() {
            accesses.order.push(Order::Tree);
            debug_assert!(accesses.parent[key] == NONE);
        }
        accesses.find_lines();
        revisions.contradict(&mut accesses);
        (accesses, revisions.conflicts())
    }

    fn take_register(&mut self, number: usize, key: &Key<'_>, first: &[u32]) {
        let number = id(number);
        let mut known = Lookup::for_key(key);
        // Every write has a version of its own; the value finds the first that did not fail, else the first.
        for at in 0..key.len() {
            let Some(value) = key.written(at) else { continue };
            let row = first[key.op[at].index()] + u32::from(reads_too(key, at));
            let version = self.add_version(number, value, row, number);
            self.fill(row, number, true, version);
            let failed = |accesses: &Self, version: u32| {
                accesses.status(accesses.writer[version as usize] as usize) == Status::Fail
            };
            match known.get(value) {
                NONE => known.set(value, version),
                other if failed(self, other) => known.set(value, version),
                _ if key.status[at] == Status::Fail => {}
                other => {
                    self.ambiguous[other as usize] = true;
                    self.ambiguous[version as usize] = true;
                }
            }
        }
        let mut initial = self.version_value[number as usize];
        if !initial.is_absent() {
            let same = known.get(initial);
            if same != NONE && self.status(self.writer[same as usize] as usize) != Status::Fail {
                self.ambiguous[same as usize] = true;
                self.ambiguous[number as usize] = true;
            }
        }
        let mut thin: HashMap<Value, u32, foldhash::fast::RandomState> = HashMap::default();
        for at in 0..key.len() {
            let reads = key.action[at] == Action::Read || reads_too(key, at);
            let Some(value) = key.observed(at).filter(|_| reads) else { continue };
            let version = match known.get(value) {
                // A failed write of the initial value is no reason to call a read aborted.
                found if found != NONE && (value != initial || self.ambiguous[number as usize]) => found,
                _ if value == initial => number,
                _ if initial.is_absent() => {
                    // What nobody wrote was there at first, where nothing is said of what was.
                    initial = value;
                    self.version_value[number as usize] = value;
                    number
                }
                _ => *thin.entry(value).or_insert_with(|| self.add_version(number, value, NONE, number)),
            };
            let row = first[key.op[at].index()];
            self.fill(row, number, false, version);
            if key.action[at] == Action::Cas && !self.ambiguous[version as usize] {
                let own = self.version[row as usize + 1];
                self.parent[own as usize] = version;
            }
        }
    }

    fn fill(&mut self, row: u32, key: u32, writes: bool, version: u32) {
        let row = row as usize;
        (self.key[row], self.writes[row], self.version[row]) = (key, writes, version);
    }

    /// Versions that replaced each other in a circle have no known order: each is taken to follow the initial one.
    fn cut_circles(&mut self) {
        // 0: not met; else the walk that met it first.
        let mut met = vec![0u32; self.versions()];
        for start in 0..id(self.versions()) {
            let (walk, mut at) = (start + 1, start);
            while at != NONE && met[at as usize] == 0 {
                met[at as usize] = walk;
                at = self.parent[at as usize];
            }
            if at != NONE && met[at as usize] == walk {
                let mut around = at;
                loop {
                    let next = self.parent[around as usize];
                    self.parent[around as usize] = self.version_key[around as usize];
                    around = next;
                    if around == at {
                        break;
                    }
                }
            }
        }
        // Failed writes, and those that may not have happened, replaced nothing.
        for version in self.keys.len()..self.versions() {
            let writer = self.writer[version] as usize;
            if writer != NONE as usize && !self.happened[writer] {
                self.parent[version] = self.version_key[version];
            }
        }
    }

    /// Keys whose every write that happened replaced another version, each a different one: the order is known.
    fn find_lines(&mut self) {
        let mut next = vec![NONE; self.versions()];
        let mut is_line = vec![true; self.keys.len()];
        for version in self.keys.len()..self.versions() {
            let (key, writer) = (self.version_key[version] as usize, self.writer[version] as usize);
            if self.ambiguous[version] {
                is_line[key] = false;
            }
            if writer != NONE as usize && !self.happened[writer] {
                continue;
            }
            let parent = &mut next[self.parent[version] as usize];
            is_line[key] &= *parent == NONE && writer != NONE as usize;
            *parent = id(version);
        }
        for key in (0..self.keys.len()).filter(|key| is_line[*key] && !self.ambiguous[*key]) {
            // A first write without cas follows the initial version too, if it is the only one.
            let line: Vec<u32> =
                std::iter::successors(Some(id(key)), |at| Some(next[*at as usize]).filter(|next| *next != NONE))
                    .collect();
            self.order[key] = Order::Line { line, after: Vec::new() };
        }
    }
}

/// Whether an operation of a register also is a read whose result counts.
fn reads_too(key: &Key<'_>, at: usize) -> bool {
    key.action[at] == Action::Cas && key.status[at] != Status::Fail
}

/// From values to versions of one key: a table where handles lie close together (small integers do), else a hash map.
enum Lookup {
    Dense { first: u32, versions: Vec<u32> },
    Hashed(HashMap<Value, u32, foldhash::fast::RandomState>),
}

impl Lookup {
    fn for_key(key: &Key<'_>) -> Lookup {
        let raws = || (0..key.len()).filter_map(|at| key.written(at)).map(Value::raw);
        let (Some(first), Some(last)) = (raws().min(), raws().max()) else {
            return Lookup::Dense { first: 0, versions: Vec::new() };
        };
        let width = (last - first) as usize;
        if width <= 4 * key.len() + 64 {
            Lookup::Dense { first, versions: vec![NONE; width + 1] }
        } else {
            Lookup::Hashed(HashMap::default())
        }
    }

    fn get(&self, value: Value) -> u32 {
        match self {
            Lookup::Dense { first, versions } => {
                value.raw().checked_sub(*first).and_then(|at| versions.get(at as usize)).copied().unwrap_or(NONE)
            }
            Lookup::Hashed(map) => map.get(&value).copied().unwrap_or(NONE),
        }
    }

    fn set(&mut self, value: Value, version: u32) {
        match self {
            Lookup::Dense { first, versions } => versions[(value.raw() - *first) as usize] = version,
            Lookup::Hashed(map) => {
                map.insert(value, version);
            }
        }
    }
}
