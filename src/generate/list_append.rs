//! Lists, and transactions over them: simulated concurrency control, a level each ([`Level`] says which).
//!
//! A key's elements are numbered from 1 in the order in which clients plan them; when the last of them is planned, a new
//! key takes its place, so no list grows beyond `max_writes_per_key`. The lists are kept as the text that reads print.

use std::io;

use super::clients::{Step, Store};
use super::lines::{Lines, integer};
use super::log::{Log, Moment};
use super::random::{Chance, Random};
use super::transactions::{self, Mop};
use super::{Anomaly, Level, Options};
use crate::history::RecordType;

/// How many commits an old snapshot lags behind, at most.
const LAG_MAX: u64 = 24;

pub(super) struct Lists {
    level: Level,
    keys: Vec<Key>,
    /// The keys that clients use now.
    active: Vec<usize>,
    /// Places of `keys` that nobody uses.
    free: Vec<usize>,
    next_key: u64,
    writes_max: u32,
    length_max: u64,
    reads: Chance,
    log: Log,
}

#[derive(Default)]
struct Key {
    name: u64,
    /// The elements, with commas between them.
    text: Vec<u8>,
    planned: u32,
    last_commit: Moment,
    /// How many micro-operations under way use it.
    users: u32,
    retired: bool,
}

#[derive(Clone, Copy)]
struct Planned {
    key: usize,
    /// The element to append; 0: a read.
    element: u32,
}

#[derive(Default)]
pub(super) struct Operation {
    mops: Vec<Planned>,
    /// How many of its steps are done.
    stage: usize,
    snapshot: Moment,
    /// The result, as far as it is known.
    result: Vec<u8>,
    /// The latest moment that the session knows.
    place: Moment,
}

impl Lists {
    pub(super) fn new(options: &Options) -> Lists {
        let mut lists = Lists {
            level: options.level(),
            keys: Vec::new(),
            active: Vec::new(),
            free: Vec::new(),
            next_key: 0,
            writes_max: options.max_writes_per_key.max(1),
            length_max: u64::from(options.max_transaction_length.max(1)),
            reads: Chance::of(options.read_rate),
            log: Log::default(),
        };
        lists.active = (0..options.keys).map(|_| lists.new_key()).collect();
        lists
    }

    fn new_key(&mut self) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.keys.push(Key::default());
            self.keys.len() - 1
        });
        let key = &mut self.keys[place];
        key.name = self.next_key;
        key.text.clear();
        (key.planned, key.last_commit, key.retired) = (0, 0, false);
        self.next_key += 1;
        place
    }

    /// Levels without a check at commit could show a transaction its own append at a place that it loses at commit.
    fn reads_precede_appends(&self) -> bool {
        matches!(self.level, Level::Prefix | Level::MonotonicAtomicView | Level::ReadCommitted | Level::ReadUncommitted)
    }

    /// The moment whose state a transaction or a read shows.
    fn moment(&self, operation: &Operation, random: &mut Random) -> Moment {
        let floor = match self.level {
            Level::StrongSessionSerializable | Level::StrongSessionSnapshotIsolation => operation.place,
            Level::Serializable | Level::RepeatableRead => 0,
            Level::SnapshotIsolation | Level::Prefix | Level::ReadCommitted => 0,
            _ => return self.log.now(),
        };
        let back = if random.one_in(3) { random.below(LAG_MAX) } else { 0 };
        self.log.past(back, floor)
    }

    /// Does one micro-operation as far as its transaction can see.
    fn look(&self, operation: &mut Operation, at: usize, moment: Moment) {
        let Planned { key: place, element } = operation.mops[at];
        let key = &self.keys[place];
        let text = &mut operation.result;
        start_mop(text, at == 0, element > 0, key.name);
        if element > 0 {
            integer(text, u64::from(element));
        } else {
            let present = key.text.len() as u64;
            // What a key was is a prefix of what it is.
            let length = self.log.at(moment, key.name, present).min(present) as usize;
            text.push(b'[');
            text.extend_from_slice(&key.text[..length]);
            let mut empty = length == 0;
            for own in operation.mops[..at].iter().filter(|mop| mop.key == place && mop.element > 0) {
                if !std::mem::take(&mut empty) {
                    text.push(b',');
                }
                integer(text, u64::from(own.element));
            }
            text.push(b']');
        }
        text.push(b']');
    }

    /// All appends of a transaction take effect.
    fn commit(&mut self, operation: &mut Operation) {
        if operation.mops.iter().all(|mop| mop.element == 0) {
            return;
        }
        let commit = self.log.commit();
        for mop in operation.mops.iter().filter(|mop| mop.element > 0) {
            let key = &mut self.keys[mop.key];
            self.log.write(key.name, key.text.len() as u64);
            if !key.text.is_empty() {
                key.text.push(b',');
            }
            integer(&mut key.text, u64::from(mop.element));
            key.last_commit = commit;
        }
        operation.place = commit;
    }
}

impl Store for Lists {
    type Operation = Operation;

    fn plan(&mut self, operation: &mut Operation, random: &mut Random) {
        operation.stage = 0;
        operation.result.clear();
        operation.result.push(b'[');
        for _ in 0..=random.below(self.length_max) {
            let slot = random.index(self.active.len());
            let place = self.active[slot];
            let key = &mut self.keys[place];
            key.users += 1;
            let mut read = random.chance(self.reads);
            if read && operation.mops.iter().any(|mop| mop.key == place && mop.element > 0) {
                read = !self.reads_precede_appends();
            }
            if read {
                operation.mops.push(Planned { key: place, element: 0 });
                continue;
            }
            let key = &mut self.keys[place];
            key.planned += 1;
            operation.mops.push(Planned { key: place, element: key.planned });
            if key.planned >= self.writes_max {
                key.retired = true;
                self.active[slot] = self.new_key();
            }
        }
    }

    fn plan_final(&mut self, _: &mut Operation, _: u32) -> bool {
        false
    }

    fn step(&mut self, operation: &mut Operation, random: &mut Random) -> Step {
        let stage = operation.stage;
        let length = operation.mops.len();
        let writes = operation.mops.iter().any(|mop| mop.element > 0);
        operation.stage += 1;
        match self.level {
            Level::Prefix
            | Level::StrongSnapshotIsolation
            | Level::StrongSessionSnapshotIsolation
            | Level::SnapshotIsolation => {
                if stage == 0 {
                    operation.snapshot = self.moment(operation, random);
                    for at in 0..length {
                        self.look(operation, at, operation.snapshot);
                    }
                    if writes {
                        return Step::More;
                    }
                    operation.place = operation.snapshot;
                    return Step::Done;
                }
                let mut appends = operation.mops.iter().filter(|mop| mop.element > 0);
                let overtaken = appends.any(|mop| self.keys[mop.key].last_commit > operation.snapshot);
                if overtaken && self.level != Level::Prefix {
                    return Step::Refused;
                }
                self.commit(operation);
                Step::Done
            }
            Level::MonotonicAtomicView | Level::ReadCommitted => {
                if stage < length {
                    let moment = self.moment(operation, random);
                    self.look(operation, stage, moment);
                    return Step::More;
                }
                self.commit(operation);
                Step::Done
            }
            Level::ReadUncommitted => {
                if stage == length {
                    return Step::Done;
                }
                self.look(operation, stage, self.log.now());
                if operation.mops.iter().rposition(|mop| mop.element > 0) == Some(stage) {
                    self.commit(operation);
                }
                Step::More
            }
            _ => {
                let moment = if writes { self.log.now() } else { self.moment(operation, random) };
                for at in 0..length {
                    self.look(operation, at, moment);
                }
                operation.place = moment;
                self.commit(operation);
                Step::Done
            }
        }
    }

    fn keeps_failed_effects(&self) -> bool {
        self.level == Level::ReadUncommitted
    }

    fn release(&mut self, operation: &mut Operation) {
        for mop in operation.mops.drain(..) {
            let key = &mut self.keys[mop.key];
            key.users -= 1;
            if key.users == 0 && key.retired {
                self.free.push(mop.key);
            }
        }
    }

    fn f(&self, _: &Operation) -> &'static str {
        "txn"
    }

    fn fields(&self, operation: &Operation, kind: RecordType, text: &mut Vec<u8>) {
        text.extend_from_slice(b",\"value\":");
        if kind == RecordType::Ok {
            text.extend_from_slice(&operation.result);
        } else {
            text.push(b'[');
            for (at, mop) in operation.mops.iter().enumerate() {
                start_mop(text, at == 0, mop.element > 0, self.keys[mop.key].name);
                if mop.element > 0 {
                    integer(text, u64::from(mop.element));
                } else {
                    text.extend_from_slice(b"null");
                }
                text.push(b']');
            }
        }
        text.push(b']');
    }

    fn anomaly_operations(&self, anomaly: Anomaly) -> u64 {
        transactions::script(anomaly).map_or(0, |script| script.transactions.len() as u64)
    }

    fn anomaly(
        &mut self,
        anomaly: Anomaly,
        process: u64,
        lines: &mut Lines<'_>,
        random: &mut Random,
    ) -> io::Result<u64> {
        let Some(script) = transactions::script(anomaly) else { return Ok(0) };
        let mut invoked = vec![false; script.transactions.len()];
        for at in script.order {
            let at = usize::from(*at);
            let transaction = &script.transactions[at];
            let kind = if std::mem::replace(&mut invoked[at], true) { transaction.outcome } else { RecordType::Invoke };
            lines.start(kind, process + u64::from(transaction.process), "txn", random);
            let text = lines.text();
            text.extend_from_slice(b",\"value\":[");
            for (nth, mop) in transaction.mops.iter().enumerate() {
                let (appends, key) = match mop {
                    Mop::Append(key, _) => (true, key),
                    Mop::Read(key, _) => (false, key),
                };
                start_mop(text, nth == 0, appends, self.next_key + u64::from(*key));
                match mop {
                    Mop::Append(_, element) => integer(text, u64::from(*element)),
                    Mop::Read(_, list) if kind == RecordType::Ok => elements(text, list),
                    Mop::Read(..) => text.extend_from_slice(b"null"),
                }
                text.push(b']');
            }
            text.push(b']');
            lines.end()?;
        }
        self.next_key += transactions::KEYS;
        Ok(script.transactions.len() as u64)
    }
}

fn start_mop(text: &mut Vec<u8>, first: bool, append: bool, key: u64) {
    if !first {
        text.push(b',');
    }
    text.extend_from_slice(if append { b"[\"append\"," } else { b"[\"r\"," });
    integer(text, key);
    text.push(b',');
}

fn elements(text: &mut Vec<u8>, list: &[u8]) {
    text.push(b'[');
    for (nth, element) in list.iter().enumerate() {
        if nth > 0 {
            text.push(b',');
        }
        integer(text, u64::from(*element));
    }
    text.push(b']');
}
