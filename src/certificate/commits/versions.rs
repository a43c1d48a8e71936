//! What each transaction of the order read and left behind.
//!
//! A key's versions are the lists that transactions left behind, in the order of their commits: first those that the longest read shows,
//! then those of appends that nobody observed. Version 0 is the empty list. Lists of a history are handles that share their
//! beginnings, so that "a prefix of the longest" is a question about one handle.

use super::Reads;
use super::order::Placed;
use crate::certificate::{Map, Set};
use crate::history::{History, OpId, Operation, Status, Value};

/// A read of an ok transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) key: u32,
    /// Which micro-operation of its transaction it is.
    pub(super) mop: u32,
    /// Which version it shows, below own appends.
    pub(super) version: u32,
}

/// A key that a transaction appended to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    pub(super) key: u32,
    /// Its last append to it, as a micro-operation of the transaction.
    pub(super) mop: u32,
    /// The version that it left behind.
    pub(super) version: u32,
}

/// A transaction of the order.
#[derive(Debug)]
pub(super) struct Txn {
    pub(super) position: u32,
    pub(super) earlier: Option<u32>,
    pub(super) returned: u32,
    /// In program order.
    pub(super) reads: Vec<Read>,
    pub(super) writes: Vec<Write>,
}

/// All of them, by place.
#[derive(Debug)]
pub(super) struct Versions<'a> {
    history: &'a History,
    pub(super) txns: Vec<Txn>,
    names: &'a [Value],
    /// By key: who left the versions from 1 on, by place; ascending.
    chains: Vec<Vec<u32>>,
}

/// An append, wherever it was.
#[derive(Clone, Copy, Debug)]
struct Append {
    op: OpId,
    mop: u32,
    /// How many its transaction had made to the key before.
    nth: u32,
}

/// The appends of all transactions, and each key's longest list: whatever the order.
#[derive(Debug, Default)]
pub(in crate::certificate) struct Gathered {
    keys: Map<(Value, Value), u32>,
    names: Vec<Value>,
    appends: Map<(u32, Value), Append>,
    /// By operation and key: how many appends there are.
    counts: Map<(u32, u32), u32>,
    /// By key: the longest list that was read ...
    longest: Vec<Option<Value>>,
    /// ... and its beginnings.
    prefixes: Set<(u32, Value)>,
}

const NONE: u32 = u32::MAX;

struct Reader<'a> {
    history: &'a History,
    asked: Reads,
    gathered: &'a Gathered,
    /// By operation: its place in the order.
    place: Vec<u32>,
    /// By key, and by version from 1 on: how many elements it has; nothing where nobody read so far.
    ends: Vec<Vec<Option<u32>>>,
    chains: Vec<Vec<u32>>,
}

impl<'a> Versions<'a> {
    /// From the order; or the first thing that is wrong with it, or with what was read.
    pub(super) fn new(
        history: &'a History,
        gathered: &'a Gathered,
        placed: Vec<Placed<'a>>,
        asked: Reads,
    ) -> Result<Versions<'a>, String> {
        let mut place = vec![NONE; history.len()];
        (0u32..).zip(&placed).for_each(|(at, one)| place[one.op.id.index()] = at);
        let keys = gathered.names.len();
        let mut reader =
            Reader { history, asked, gathered, place, ends: vec![Vec::new(); keys], chains: vec![Vec::new(); keys] };
        for key in 0..keys {
            reader.order_list(key)?;
        }
        let mut txns = reader.unobserved(&placed)?;
        if asked > Reads::Exist {
            for (at, one) in (0u32..).zip(&placed) {
                txns[at as usize].reads = reader.reads(at, &one.op)?;
            }
        } else {
            reader.only_prefixes(&placed, &mut txns)?;
        }
        Ok(Versions { history, txns, names: &gathered.names, chains: reader.chains })
    }

    /// Every read, by transaction and in program order.
    pub(super) fn reads(&self) -> impl Iterator<Item = (u32, &Read)> {
        (0u32..).zip(&self.txns).flat_map(|(at, txn)| txn.reads.iter().map(move |read| (at, read)))
    }

    /// Who left a version behind: a place. Nobody left version 0.
    pub(super) fn writer(&self, key: u32, version: u32) -> Option<u32> {
        self.chains[key as usize].get((version as usize).checked_sub(1)?).copied()
    }

    /// Who left the versions that a read misses: places, ascending.
    pub(super) fn missed(&self, txn: u32, read: &Read) -> &[u32] {
        let later = &self.chains[read.key as usize][read.version as usize..];
        &later[..later.partition_point(|writer| *writer < txn)]
    }

    /// Whether somebody left one of the versions that a read misses.
    pub(super) fn misses(&self, txn: u32, read: &Read, somebody: u32) -> bool {
        self.missed(txn, read).binary_search(&somebody).is_ok()
    }

    /// That a read misses nothing.
    pub(super) fn shows_the_latest(&self, txn: u32, read: &Read) -> Result<(), String> {
        match self.missed(txn, read).last() {
            None => Ok(()),
            Some(missed) => Err(self.refusal(txn, read, *missed, "which comes before it in the order")),
        }
    }

    /// That a read misses what somebody left behind: why that must not be.
    pub(super) fn refusal(&self, txn: u32, read: &Read, missed: u32, why: &str) -> String {
        let step = crate::certificate::places::at(txn as usize, self.txns[txn as usize].position, "");
        let key = self.history.values().json(self.names[read.key as usize], 60);
        let missed = self.txns[missed as usize].position;
        format!("{step}its read of key {key} misses the appends of the transaction at record {missed}, {why}")
    }
}

impl Gathered {
    /// From the history; or why its transactions are none over lists.
    pub(in crate::certificate) fn new(history: &History) -> Result<Gathered, String> {
        let values = history.values();
        let mut gathered = Gathered::default();
        for op in history.ops() {
            for (mop, said) in (0u32..).zip(op.mops()) {
                let key = gathered.put(op.key(), said.key);
                match values.as_str(said.f) {
                    Some("append") => {
                        let count = gathered.counts.entry((op.id.0, key)).or_insert(0);
                        let append = Append { op: op.id, mop, nth: *count };
                        *count += 1;
                        if gathered.appends.insert((key, said.value), append).is_some() {
                            let name = values.json(gathered.names[key as usize], 60);
                            let element = values.json(said.value, 60);
                            return Err(format!("element {element} is appended to key {name} twice"));
                        }
                    }
                    Some("r") if op.status() != Status::Ok => {}
                    Some("r") => {
                        let (longest, list) = (&mut gathered.longest[key as usize], shown(said.value));
                        if longest.is_none_or(|longest| values.len(longest) < values.len(list)) {
                            *longest = Some(list);
                        }
                    }
                    _ => return Err(format!("the transaction at record {} is none over lists", op.position())),
                }
            }
        }
        for (key, longest) in (0u32..).zip(&gathered.longest) {
            let mut rest = *longest;
            while let Some(list) = rest {
                gathered.prefixes.insert((key, list));
                rest = values.split_last(list).map(|(before, _)| before);
            }
        }
        Ok(gathered)
    }

    fn put(&mut self, part: Value, key: Value) -> u32 {
        let next = length(self.names.len());
        let number = *self.keys.entry((part, key)).or_insert(next);
        if number == next {
            self.names.push(key);
            self.longest.push(None);
        }
        number
    }

    /// A key that some transaction names.
    fn key(&self, part: Value, key: Value) -> u32 {
        self.keys.get(&(part, key)).copied().unwrap_or(NONE)
    }
}

impl<'a> Reader<'a> {
    fn key_name(&self, key: usize) -> String {
        self.history.values().json(self.gathered.names[key], 60)
    }

    /// That the longest list of a key shows whole transactions in the order, one after the other.
    fn order_list(&mut self, key: usize) -> Result<(), String> {
        let values = self.history.values();
        let gathered = self.gathered;
        let Some(longest) = gathered.longest[key] else { return Ok(()) };
        let (number, elements) = (length(key), values.items(longest));
        let (mut chain, mut ends): (Vec<u32>, Vec<Option<u32>>) = (Vec::new(), Vec::new());
        let mut next = 0;
        let mut shown_before: Set<Value> = Set::default();
        for (at, element) in elements.iter().enumerate() {
            let refuse =
                |why: &str| Err(format!("key {}: element {} {why}", self.key_name(key), values.json(*element, 60)));
            if !shown_before.insert(*element) {
                return refuse("is shown twice");
            }
            let Some(append) = gathered.appends.get(&(number, *element)) else {
                return refuse("was appended by nobody");
            };
            let op = self.history.op(append.op);
            if op.status() == Status::Fail {
                if self.asked > Reads::Exist {
                    return refuse(&format!("is of the transaction at record {}, which failed", op.position()));
                }
                continue;
            }
            let place = self.place[append.op.index()];
            if place == NONE {
                return refuse(&format!(
                    "was read, and the transaction at record {} that appends it is not in the order",
                    op.position()
                ));
            }
            match chain.last() {
                Some(last) if *last == place => {}
                Some(last) if *last > place => {
                    return refuse(&format!(
                        "comes after what the transaction at record {} appends, and that comes later in the order",
                        op_at(self.history, &self.place, *last)
                    ));
                }
                Some(_) if next != 0 => return refuse("comes between the appends of one transaction"),
                _ => chain.push(place),
            }
            if append.nth != next {
                return refuse("is shown without what its transaction appended before it");
            }
            let count = gathered.counts[&(append.op.0, number)];
            next = if append.nth + 1 == count { 0 } else { append.nth + 1 };
            // So far it may be half of what the transaction appends: then nobody else may see it.
            ends.resize(chain.len(), None);
            if next == 0
                && let Some(end) = ends.last_mut()
            {
                *end = Some(length(at + 1));
            }
        }
        (self.chains[key], self.ends[key]) = (chain, ends);
        Ok(())
    }

    /// All transactions with what they left behind: appends that nobody observed come after the longest list.
    fn unobserved(&mut self, placed: &[Placed<'a>]) -> Result<Vec<Txn>, String> {
        let mut txns = Vec::with_capacity(placed.len());
        for (at, one) in (0u32..).zip(placed) {
            let mut writes: Vec<Write> = Vec::new();
            for (mop, said) in (0u32..).zip(one.op.mops()) {
                if self.history.values().as_str(said.f) == Some("append") {
                    let key = self.gathered.key(one.op.key(), said.key);
                    writes.push(Write { key, mop, version: 0 });
                }
            }
            writes.sort_unstable_by_key(|write| (write.key, std::cmp::Reverse(write.mop)));
            writes.dedup_by_key(|write| write.key);
            for write in &mut writes {
                let chain = &mut self.chains[write.key as usize];
                let observed = chain.binary_search(&at);
                if observed.is_err() {
                    if chain.last().is_some_and(|last| *last > at) {
                        let key = self.key_name(write.key as usize);
                        return Err(crate::certificate::places::at(
                            at as usize,
                            one.op.position(),
                            &format!(
                                "nobody observed what it appends to key {key}, which comes after all that was read"
                            ),
                        ));
                    }
                    chain.push(at);
                    self.ends[write.key as usize].push(None);
                }
                write.version = length(observed.unwrap_or(self.chains[write.key as usize].len() - 1) + 1);
            }
            txns.push(Txn {
                position: one.op.position(),
                earlier: one.earlier,
                returned: one.returned,
                reads: Vec::new(),
                writes,
            });
        }
        Ok(txns)
    }

    /// That each read shows a beginning of the longest list; what more it shows is not looked at.
    fn only_prefixes(&self, placed: &[Placed<'a>], txns: &mut [Txn]) -> Result<(), String> {
        for ((at, one), txn) in (0u32..).zip(placed).zip(txns) {
            for (mop, said) in (0u32..).zip(one.op.mops()) {
                if one.op.status() == Status::Ok && self.history.values().as_str(said.f) == Some("r") {
                    let key = self.gathered.key(one.op.key(), said.key);
                    self.is_prefix(at, &one.op, key, shown(said.value))?;
                    txn.reads.push(Read { key, mop, version: 0 });
                }
            }
        }
        Ok(())
    }

    fn is_prefix(&self, at: u32, op: &Operation<'_>, key: u32, list: Value) -> Result<(), String> {
        if self.gathered.prefixes.contains(&(key, list)) {
            return Ok(());
        }
        Err(self.refuse(at, op, key, list, "which is no beginning of the longest one"))
    }

    fn refuse(&self, at: u32, op: &Operation<'_>, key: u32, list: Value, why: &str) -> String {
        let values = self.history.values();
        let why = format!(
            "its read of key {} shows {} elements, {}, {why}",
            self.key_name(key as usize),
            values.len(list),
            values.json(list, 120)
        );
        crate::certificate::places::at(at as usize, op.position(), &why)
    }

    /// The reads of one transaction, each with the version that it shows.
    fn reads(&self, at: u32, op: &Operation<'_>) -> Result<Vec<Read>, String> {
        let values = self.history.values();
        let mut reads: Vec<Read> = Vec::new();
        let mut known: Map<u32, u32> = Map::default();
        let mut appended: Map<u32, u32> = Map::default();
        for (mop, said) in (0u32..).zip(op.mops()).filter(|_| op.status() == Status::Ok) {
            let key = self.gathered.key(op.key(), said.key);
            if values.as_str(said.f) == Some("append") {
                *appended.entry(key).or_insert(0) += 1;
                continue;
            }
            let list = shown(said.value);
            self.is_prefix(at, op, key, list)?;
            let refuse = |why: &str| Err(self.refuse(at, op, key, list, why));
            let (mut rest, mut own) = (list, 0);
            while let Some((before, last)) = values.split_last(rest) {
                match self.gathered.appends.get(&(key, last)) {
                    Some(append) if append.op == op.id && append.mop > mop => {
                        return refuse("with what the transaction appends later");
                    }
                    Some(append) if append.op == op.id => (rest, own) = (before, own + 1),
                    _ => break,
                }
            }
            if self.asked >= Reads::Own && own != appended.get(&key).copied().unwrap_or(0) {
                return refuse("without all that the transaction itself had appended");
            }
            let shown = length(values.len(rest));
            let ends = &self.ends[key as usize];
            let version = if shown == 0 {
                0
            } else {
                // A version of which only the beginning was ever read has no end; it is the last that was observed.
                let found = ends.partition_point(|end| end.is_some_and(|end| end < shown));
                match ends.get(found) {
                    Some(Some(end)) if *end == shown => length(found + 1),
                    _ => return refuse("which ends amid what a transaction appends"),
                }
            };
            if let Some(writer) = version.checked_sub(1).map(|before| self.chains[key as usize][before as usize])
                && writer > at
            {
                return refuse(&format!(
                    "with what the transaction at record {} appends, which comes later in the order",
                    op_at(self.history, &self.place, writer)
                ));
            }
            if self.asked == Reads::Consistent && *known.entry(key).or_insert(version) != version {
                return refuse("and an earlier read of the same transaction shows another version");
            }
            reads.push(Read { key, mop, version });
        }
        Ok(reads)
    }
}

/// The record of the transaction at a place of the order.
fn op_at(history: &History, place: &[u32], wanted: u32) -> u32 {
    history.ops().find(|op| place[op.id.index()] == wanted).map_or(NONE, |op| op.position())
}

fn shown(list: Value) -> Value {
    if list.is_null() { Value::EMPTY_LIST } else { list }
}

fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}
