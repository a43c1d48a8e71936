//! Registers: linearizable, or sequentially consistent.

use std::io;

use super::clients::{Step, Store};
use super::lines::{Lines, integer};
use super::log::{Log, Moment};
use super::objects::{self, Act};
use super::random::{Chance, Random};
use super::{Anomaly, Level, Options};
use crate::history::RecordType;

/// The initial value.
const NULL: u64 = u64::MAX;
/// How many commits a sequentially consistent read may lag behind.
const LAG_MAX: u64 = 32;

pub(super) struct Registers {
    values: Vec<u64>,
    /// How many values are written repeatedly; none: each is written once.
    domain: Option<u64>,
    /// The next value that was never written.
    unwritten: u64,
    reads: Chance,
    cas: Chance,
    /// The past, where reads may be old.
    log: Option<Log>,
}

#[derive(Clone, Copy, Default)]
enum Function {
    #[default]
    Read,
    Write(u64),
    Cas(u64, u64),
}

#[derive(Default)]
pub(super) struct Operation {
    key: usize,
    function: Function,
    seen: u64,
    /// The session's place in the log.
    place: Moment,
}

impl Registers {
    pub(super) fn new(options: &Options) -> Registers {
        Registers {
            values: vec![NULL; options.keys as usize],
            domain: options.values,
            unwritten: options.values.unwrap_or(0),
            reads: Chance::of(options.read_rate),
            cas: Chance::of(options.cas_rate),
            log: (options.level() == Level::Sequential).then(Log::default),
        }
    }

    fn new_value(&mut self, random: &mut Random) -> u64 {
        if let Some(domain) = self.domain {
            return random.below(domain);
        }
        self.unwritten += 1;
        self.unwritten - 1
    }

    fn set(&mut self, key: usize, value: u64) -> Moment {
        let before = std::mem::replace(&mut self.values[key], value);
        self.log.as_mut().map_or(0, |log| {
            let commit = log.commit();
            log.write(key as u64, before);
            commit
        })
    }

    fn key(&self, key: usize, text: &mut Vec<u8>) {
        if self.values.len() > 1 {
            text.extend_from_slice(b",\"key\":");
            integer(text, key as u64);
        }
    }
}

impl Store for Registers {
    type Operation = Operation;

    fn plan(&mut self, operation: &mut Operation, random: &mut Random) {
        operation.key = random.index(self.values.len());
        let present = self.values[operation.key];
        operation.function = if random.chance(self.reads) {
            Function::Read
        } else if random.chance(self.cas) && present != NULL {
            // Mostly what is there now, as a client knows it that has just read it.
            let guess = if random.one_in(4) { self.domain } else { None };
            let old = guess.map_or(present, |domain| random.below(domain));
            Function::Cas(old, self.new_value(random))
        } else {
            Function::Write(self.new_value(random))
        };
    }

    fn plan_final(&mut self, operation: &mut Operation, nth: u32) -> bool {
        (operation.key, operation.function) = (nth as usize, Function::Read);
        // A sequentially consistent session that knows the present reads the present.
        operation.place = self.log.as_ref().map_or(0, Log::now);
        operation.key < self.values.len()
    }

    fn step(&mut self, operation: &mut Operation, random: &mut Random) -> Step {
        let present = self.values[operation.key];
        match (operation.function, &self.log) {
            (Function::Read, None) => operation.seen = present,
            (Function::Read, Some(log)) => {
                operation.place = log.past(random.below(LAG_MAX), operation.place);
                operation.seen = log.at(operation.place, operation.key as u64, present);
            }
            (Function::Cas(old, _), _) if old != present => return Step::Refused,
            (Function::Write(new) | Function::Cas(_, new), _) => operation.place = self.set(operation.key, new),
        }
        Step::Done
    }

    fn keeps_failed_effects(&self) -> bool {
        false
    }

    fn release(&mut self, _: &mut Operation) {}

    fn f(&self, operation: &Operation) -> &'static str {
        match operation.function {
            Function::Read => "read",
            Function::Write(_) => "write",
            Function::Cas(..) => "cas",
        }
    }

    fn fields(&self, operation: &Operation, kind: RecordType, text: &mut Vec<u8>) {
        self.key(operation.key, text);
        text.extend_from_slice(b",\"value\":");
        match operation.function {
            Function::Read if kind == RecordType::Ok => value(text, operation.seen),
            Function::Read => value(text, NULL),
            Function::Write(new) => value(text, new),
            Function::Cas(old, new) => pair(text, old, new),
        }
    }

    fn anomaly_operations(&self, anomaly: Anomaly) -> u64 {
        objects::register(anomaly).map_or(0, |script| script.operations.len() as u64)
    }

    fn anomaly(
        &mut self,
        anomaly: Anomaly,
        process: u64,
        lines: &mut Lines<'_>,
        random: &mut Random,
    ) -> io::Result<u64> {
        let Some(script) = objects::register(anomaly) else { return Ok(0) };
        let key = random.index(self.values.len());
        let base = self.unwritten;
        self.unwritten += objects::SYMBOLS;
        let symbol = |symbol: u8| base + u64::from(symbol);
        for (operation, act) in (0..).zip(script.operations) {
            for kind in [RecordType::Invoke, act.outcome] {
                lines.start(kind, process + operation, act.f(), random);
                let text = lines.text();
                self.key(key, text);
                text.extend_from_slice(b",\"value\":");
                match act.act {
                    Act::Read(_) if kind == RecordType::Invoke => value(text, NULL),
                    Act::Read(seen) => value(text, seen.last().map_or(NULL, |seen| symbol(*seen))),
                    Act::Write(new) | Act::Append(new) => value(text, symbol(new)),
                    Act::Cas(old, new) => pair(text, symbol(old), symbol(new)),
                }
                lines.end()?;
            }
        }
        for new in script.left {
            self.set(key, symbol(*new));
        }
        Ok(script.operations.len() as u64)
    }
}

fn value(text: &mut Vec<u8>, value: u64) {
    if value == NULL { text.extend_from_slice(b"null") } else { integer(text, value) }
}

fn pair(text: &mut Vec<u8>, old: u64, new: u64) {
    text.push(b'[');
    value(text, old);
    text.push(b',');
    value(text, new);
    text.push(b']');
}
