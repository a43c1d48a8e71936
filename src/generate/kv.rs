//! Strings: `get`, `put`, `append`; linearizable. What is written is never written twice.

use std::io;

use super::clients::{Step, Store};
use super::lines::{Lines, integer};
use super::objects::{self, Act};
use super::random::{Chance, Random};
use super::{Anomaly, Options};
use crate::history::RecordType;

pub(super) struct Strings {
    keys: Vec<Key>,
    unwritten: u64,
    gets: Chance,
    appends_max: u32,
}

#[derive(Default)]
struct Key {
    text: Vec<u8>,
    /// How many appends were planned since the last planned put.
    appends: u32,
}

#[derive(Clone, Copy, Default)]
enum Function {
    #[default]
    Get,
    Put(u64),
    Append(u64),
}

#[derive(Default)]
pub(super) struct Operation {
    key: usize,
    function: Function,
    seen: Vec<u8>,
}

impl Strings {
    pub(super) fn new(options: &Options) -> Strings {
        Strings {
            keys: (0..options.keys).map(|_| Key::default()).collect(),
            unwritten: 0,
            gets: Chance::of(options.read_rate),
            appends_max: options.max_writes_per_key,
        }
    }
}

impl Store for Strings {
    type Operation = Operation;

    fn plan(&mut self, operation: &mut Operation, random: &mut Random) {
        operation.key = random.index(self.keys.len());
        operation.seen.clear();
        if random.chance(self.gets) {
            operation.function = Function::Get;
            return;
        }
        let key = &mut self.keys[operation.key];
        self.unwritten += 1;
        if key.appends >= self.appends_max || random.one_in(8) {
            key.appends = 0;
            operation.function = Function::Put(self.unwritten);
        } else {
            key.appends += 1;
            operation.function = Function::Append(self.unwritten);
        }
    }

    fn plan_final(&mut self, operation: &mut Operation, nth: u32) -> bool {
        (operation.key, operation.function) = (nth as usize, Function::Get);
        operation.seen.clear();
        operation.key < self.keys.len()
    }

    fn step(&mut self, operation: &mut Operation, _: &mut Random) -> Step {
        let text = &mut self.keys[operation.key].text;
        match operation.function {
            Function::Get => operation.seen.extend_from_slice(text),
            Function::Put(new) => {
                text.clear();
                token(text, new);
            }
            Function::Append(new) => token(text, new),
        }
        Step::Done
    }

    fn keeps_failed_effects(&self) -> bool {
        false
    }

    fn release(&mut self, _: &mut Operation) {}

    fn f(&self, operation: &Operation) -> &'static str {
        match operation.function {
            Function::Get => "get",
            Function::Put(_) => "put",
            Function::Append(_) => "append",
        }
    }

    fn fields(&self, operation: &Operation, kind: RecordType, text: &mut Vec<u8>) {
        start_value(text, operation.key);
        match operation.function {
            Function::Get if kind == RecordType::Ok => quoted(text, |text| text.extend_from_slice(&operation.seen)),
            Function::Get => text.extend_from_slice(b"null"),
            Function::Put(new) | Function::Append(new) => quoted(text, |text| token(text, new)),
        }
    }

    fn anomaly_operations(&self, anomaly: Anomaly) -> u64 {
        objects::string(anomaly).map_or(0, |script| script.operations.len() as u64)
    }

    fn anomaly(
        &mut self,
        anomaly: Anomaly,
        process: u64,
        lines: &mut Lines<'_>,
        random: &mut Random,
    ) -> io::Result<u64> {
        let Some(script) = objects::string(anomaly) else { return Ok(0) };
        let key = random.index(self.keys.len());
        let base = self.unwritten;
        self.unwritten += objects::SYMBOLS;
        let tokens = |text: &mut Vec<u8>, symbols: &[u8]| {
            symbols.iter().for_each(|symbol| token(text, base + u64::from(*symbol)));
        };
        for (operation, act) in (0..).zip(script.operations) {
            let (f, argument) = match &act.act {
                Act::Read(seen) => ("get", *seen),
                Act::Write(new) => ("put", std::slice::from_ref(new)),
                Act::Append(new) | Act::Cas(_, new) => ("append", std::slice::from_ref(new)),
            };
            for kind in [RecordType::Invoke, act.outcome] {
                lines.start(kind, process + operation, f, random);
                start_value(lines.text(), key);
                if f == "get" && kind == RecordType::Invoke {
                    lines.text().extend_from_slice(b"null");
                } else {
                    quoted(lines.text(), |text| tokens(text, argument));
                }
                lines.end()?;
            }
        }
        if !script.left.is_empty() {
            let text = &mut self.keys[key].text;
            text.clear();
            tokens(text, script.left);
        }
        Ok(script.operations.len() as u64)
    }
}

fn start_value(text: &mut Vec<u8>, key: usize) {
    text.extend_from_slice(b",\"key\":");
    integer(text, key as u64);
    text.extend_from_slice(b",\"value\":");
}

fn quoted(text: &mut Vec<u8>, inside: impl FnOnce(&mut Vec<u8>)) {
    text.push(b'"');
    inside(text);
    text.push(b'"');
}

/// What is written: a number and a full stop, so that no two sequences of tokens read alike.
fn token(text: &mut Vec<u8>, number: u64) {
    integer(text, number);
    text.push(b'.');
}
