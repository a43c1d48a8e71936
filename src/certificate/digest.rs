//! The digest of a history's content, whatever format it was written in, and an outline that tells where another one differs.
//!
//! The content is the header, then each operation's positions, outcome, actor and values, then the observers' records. Operations are
//! hashed in blocks, and the digest is that of the blocks' digests; the outline has the beginning of each. Lists that share their
//! beginnings, as those of reads do, are hashed element by element once. Times of the clock are no part of it: what rests on them is
//! looked up in the history that is beside the certificate, and bounds on durations name their digest ([`times`]).
//!
//! Cost: linear in the columns.

use std::fmt::Write as _;
use std::io::Write as _;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::history::{History, Observation, Operation, Status, Value, Values};

/// Into how many blocks operations are put, at most.
const BLOCKS: usize = 128;

/// What a certificate tells of its history beside the digest, so that `verify` can say where another one differs. It proves nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outline {
    /// How many records there are.
    pub records: u32,
    /// How many operations.
    pub operations: u32,
    /// The beginnings of the digests: of the header ...
    pub header: String,
    /// ... of blocks of operations, all of one length but for the last ...
    pub blocks: Vec<String>,
    /// ... and of what observers recorded.
    pub observers: String,
}

/// `sha256:` and the SHA-256 of the times of the clock, a line for each record that has one: for certificates that rest on durations.
#[must_use]
pub fn times(history: &History) -> String {
    let mut hash = Sha256::new();
    let mut line = Vec::new();
    let mut put = |position: Option<u32>, time: Option<i64>| {
        if let (Some(position), Some(time)) = (position, time) {
            line.clear();
            // To write into memory can't fail.
            let _ = writeln!(line, "{position}\t{time}");
            hash.update(&line);
        }
    };
    for op in history.ops() {
        put(op.invoked(), op.invoked_time());
        put(op.completed(), op.completed_time());
    }
    for seen in history.observations() {
        put(Some(seen.position), Some(seen.time).filter(|time| *time != History::NO_TIME));
    }
    in_words(&hash.finalize())
}

/// `sha256:` and the SHA-256 of the content. The same history in another format has the same digest.
#[must_use]
pub fn digest(history: &History) -> String {
    identify(history).0
}

/// The digest, and the outline.
#[must_use]
pub fn identify(history: &History) -> (String, Outline) {
    let parts = Parts::new(history, block_length(history.len()));
    let mut whole = Sha256::new();
    whole.update(history.records().to_be_bytes());
    whole.update(parts.header);
    parts.blocks.iter().for_each(|block| whole.update(block));
    whole.update(parts.observers);
    let outline = Outline {
        records: history.records(),
        operations: u32::try_from(history.len()).unwrap_or(u32::MAX),
        header: beginning(&parts.header),
        blocks: parts.blocks.iter().map(beginning).collect(),
        observers: beginning(&parts.observers),
    };
    (in_words(&whole.finalize()), outline)
}

/// Where a history differs from the one that an outline is of, in words.
pub(super) fn difference(history: &History, of: &Outline) -> String {
    let length = block_length(of.operations as usize);
    let parts = Parts::new(history, length);
    let mut told = Vec::new();
    if history.records() != of.records {
        told.push(format!("the certificate's has {} records, and this one {}", of.records, history.records()));
    }
    if beginning(&parts.header) != of.header {
        told.push("their headers differ".to_owned());
    }
    let blocks = parts.blocks.len().max(of.blocks.len());
    let differs = |block: &usize| parts.blocks.get(*block).map(beginning).as_ref() != of.blocks.get(*block);
    if let Some(block) = (0..blocks).find(differs) {
        let own = history.ops().skip(block * length).take(length).map(|op| op.began());
        told.push(match (own.clone().min(), own.max()) {
            (Some(from), Some(to)) if from == to => format!("the first operation that differs began at record {from}"),
            (Some(from), Some(to)) => {
                format!("the first operation that differs is among those that began at records {from} to {to}")
            }
            _ => format!("this one ends after {} operations", history.len()),
        });
    }
    if told.is_empty() && beginning(&parts.observers) != of.observers {
        told.push("what observers recorded differs".to_owned());
    }
    told.join("; ")
}

fn block_length(operations: usize) -> usize {
    operations.div_ceil(BLOCKS).max(1)
}

type Hash = [u8; 32];

/// The digests of a history's parts.
struct Parts {
    header: Hash,
    blocks: Vec<Hash>,
    observers: Hash,
}

impl Parts {
    fn new(history: &History, length: usize) -> Parts {
        let lists = Lists::of(history);
        let lines = || Lines { values: history.values(), lists: &lists, text: Vec::new() };
        let mut header = lines();
        header.put(history.header().fields);
        let starts: Vec<usize> = (0..history.len()).step_by(length).collect();
        let block = |lines: &mut Lines<'_>, start: usize| {
            history.ops().skip(start).take(length).for_each(|op| lines.operation(history, op));
            lines.hash()
        };
        let blocks = starts.into_par_iter().map_init(lines, block).collect();
        let mut observers = lines();
        for seen in history.observations() {
            observers.place(Some(seen.position));
            of_observation(history, seen).into_iter().for_each(|value| observers.put(value));
            observers.text.push(b'\n');
        }
        Parts { header: header.hash(), blocks, observers: observers.hash() }
    }
}

fn of_operation(history: &History, op: Operation<'_>) -> [Value; 8] {
    let process = history.process_name(op.process());
    [process, op.session(), op.f(), op.key(), op.argument(), op.result(), op.node(), op.version()]
}

fn of_observation(history: &History, seen: &Observation) -> [Value; 5] {
    [history.process_name(seen.process), seen.f, seen.key, seen.value, seen.node]
}

/// By list, its hash: of its beginning's hash and its last element, from the empty one on, whose hash is 0. Nothing is known of lists
/// that no record has.
struct Lists(Vec<Hash>);

impl Lists {
    fn of(history: &History) -> Lists {
        let values = history.values();
        let mut lists = Lists(vec![Hash::default(); values.lists()]);
        let mut done = vec![false; values.lists()];
        let (mut open, mut text) = (Vec::new(), Vec::new());
        let mut add = |value: Value| {
            let mut rest = value;
            while let (Some(at), Some((before, last))) = (rest.listed(), values.split_last(rest)) {
                if std::mem::replace(&mut done[at], true) {
                    break;
                }
                open.push((at, before, last));
                rest = before;
            }
            while let Some((at, before, last)) = open.pop() {
                text.clear();
                text.extend_from_slice(&lists.get(before));
                scalar(values, last, &mut text);
                lists.0[at] = Sha256::digest(&text).into();
            }
        };
        add(history.header().fields);
        for op in history.ops() {
            of_operation(history, op).into_iter().for_each(&mut add);
        }
        history.mops().iter().flat_map(|mop| [mop.f, mop.key, mop.value]).for_each(&mut add);
        history.observations().iter().flat_map(|seen| of_observation(history, seen)).for_each(&mut add);
        lists
    }

    fn get(&self, list: Value) -> Hash {
        list.listed().and_then(|at| self.0.get(at)).copied().unwrap_or_default()
    }
}

/// Values as bytes, such that the same bytes are the same values.
struct Lines<'h> {
    values: &'h Values,
    lists: &'h Lists,
    text: Vec<u8>,
}

impl Lines<'_> {
    fn hash(&mut self) -> Hash {
        let hash = Sha256::digest(&self.text).into();
        self.text.clear();
        hash
    }

    fn operation(&mut self, history: &History, op: Operation<'_>) {
        let status = match op.status() {
            Status::Ok => "ok",
            Status::Fail => "fail",
            Status::Info => "info",
        };
        self.place(op.invoked());
        self.place(op.completed());
        self.place(Some(op.began()));
        self.text.extend_from_slice(status.as_bytes());
        of_operation(history, op).into_iter().for_each(|value| self.put(value));
        op.mops().iter().flat_map(|mop| [mop.f, mop.key, mop.value]).for_each(|value| self.put(value));
        self.text.extend_from_slice(if op.is_final() { b"\tfinal\n" } else { b"\n" });
    }

    fn place(&mut self, place: Option<u32>) {
        match place {
            Some(place) => decimal(i64::from(place), &mut self.text),
            None => self.text.push(b'-'),
        }
        self.text.push(b'\t');
    }

    fn put(&mut self, value: Value) {
        self.text.push(b'\t');
        if value.is_list() {
            self.text.push(b'l');
            self.text.extend_from_slice(&self.lists.get(value));
        } else {
            scalar(self.values, value, &mut self.text);
        }
    }
}

/// A value; what is put together, as JSON.
fn scalar(values: &Values, value: Value, text: &mut Vec<u8>) {
    if value.is_absent() {
        text.push(b'-');
    } else if let Some(int) = value.as_small() {
        decimal(int, text);
    } else if let Some(name) = values.as_str(value) {
        text.push(b's');
        decimal(i64::try_from(name.len()).unwrap_or(i64::MAX), text);
        text.push(b':');
        text.extend_from_slice(name.as_bytes());
    } else {
        text.extend_from_slice(values.plain_json(value, usize::MAX).as_bytes());
    }
}

/// A number, as `Display` writes it: here there are so many that it pays to do without.
fn decimal(number: i64, text: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        text.push(b'-');
    }
    text.extend_from_slice(&digits[at..]);
}

fn in_words(hash: &[u8]) -> String {
    "sha256:".to_owned() + &hex(hash)
}

fn beginning(hash: &Hash) -> String {
    hex(&hash[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // To write into a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
