//! What transactions appended, and each key's longest list, in columns: whatever the order of commits.
//!
//! Lists of a history are handles that share their beginnings, so that "a beginning of the longest list" is one comparison: with the
//! longest list's beginning of that length. Keys are independent, and run in parallel.

use std::ops::Range;

use rayon::prelude::*;

use crate::certificate::numbers::{Numbers, sessions};
use crate::history::{History, OpId, Operation, Status, Value, Values};

/// An append, wherever it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Append {
    pub(super) element: Value,
    pub(super) op: OpId,
    /// Which micro-operation of its transaction it is.
    pub(super) mop: u32,
    /// How many its transaction had made to the key before.
    pub(super) nth: u32,
    /// Whether it is its transaction's last to the key.
    pub(super) is_last: bool,
}

/// The appends of all transactions, and each key's longest list.
#[derive(Debug, Default)]
pub(in crate::certificate) struct Gathered {
    pub(super) names: Vec<Value>,
    /// By operation, its session; and how many there are.
    pub(super) sessions: (Vec<u32>, u32),
    /// By micro-operation of the history, its key.
    keys: Vec<u32>,
    /// How appends are called.
    append: Option<Value>,
    /// Key by key, in the order of the history.
    pub(super) appends: Vec<Append>,
    /// By key: how many transactions append to the keys before it; one more entry than keys.
    pub(super) writers: Vec<u32>,
    /// By key: where its longest list begins in the next two; one more entry than keys.
    starts: Vec<u32>,
    /// Its beginnings, from the one of one element on.
    beginnings: Vec<Value>,
    /// Which append made the last element of each; [`NOBODY`], [`AGAIN`].
    pub(super) shown: Vec<u32>,
}

/// An element that nobody appended.
pub(super) const NOBODY: u32 = NONE;
/// An element that the list has shown before.
pub(super) const AGAIN: u32 = NONE - 1;

pub(super) const NONE: u32 = u32::MAX;

/// One micro-operation.
pub(super) struct Mop {
    /// Its place in the transaction.
    pub(super) place: u32,
    pub(super) key: u32,
    pub(super) appends: bool,
    /// What it appends, or what it shows.
    pub(super) value: Value,
}

impl Gathered {
    /// From the history; or why its transactions are none over lists.
    pub(in crate::certificate) fn new(history: &History) -> Result<Gathered, String> {
        let keys = Vec::with_capacity(history.mops().len());
        let mut gathered = Gathered { keys, sessions: sessions(history.ops()), ..Gathered::default() };
        let (counts, longest) = gathered.number(history)?;
        let first = gathered.group(history, &counts);
        gathered.lay_out(history, &first, &longest)?;
        Ok(gathered)
    }

    /// The micro-operations of a transaction. (Of one that is not ok, what reads show is not known.)
    pub(super) fn mops<'a>(&'a self, op: &Operation<'a>) -> impl Iterator<Item = Mop> + 'a {
        let keys = &self.keys[op.mop_range().start as usize..op.mop_range().end as usize];
        (0..).zip(op.mops()).zip(keys).map(|((place, said), key)| {
            let appends = Some(said.f) == self.append;
            Mop { place, key: *key, appends, value: if appends { said.value } else { shown(said.value) } }
        })
    }

    /// A key's longest list, among the elements of all.
    pub(super) fn elements(&self, key: u32) -> Range<usize> {
        self.starts[key as usize] as usize..self.starts[key as usize + 1] as usize
    }

    /// Whether this is the longest list, or a beginning of it.
    pub(super) fn is_beginning(&self, values: &Values, key: u32, list: Value) -> bool {
        match values.len(list) {
            0 => list == Value::EMPTY_LIST,
            length => self.beginnings[self.elements(key)].get(length - 1) == Some(&list),
        }
    }

    /// The element at which a beginning ends.
    pub(super) fn element(&self, values: &Values, at: usize) -> Value {
        values.split_last(self.beginnings[at]).map_or(Value::ABSENT, |(_, element)| element)
    }

    /// Numbers the keys. By key: how many appends there are, and the longest list.
    fn number(&mut self, history: &History) -> Result<(Vec<u32>, Vec<Value>), String> {
        let values = history.values();
        let (mut numbers, mut read) = (Numbers::default(), None);
        let (mut counts, mut longest) = (Vec::new(), Vec::new());
        for op in history.ops() {
            for said in op.mops() {
                let (key, is_new) = numbers.put(said.key, op.key().raw());
                if is_new {
                    self.names.push(said.key);
                    counts.push(0);
                    longest.push(Value::EMPTY_LIST);
                }
                self.keys.push(key);
                if Some(said.f) != self.append && Some(said.f) != read {
                    match values.as_str(said.f) {
                        Some("append") => self.append = Some(said.f),
                        Some("r") => read = Some(said.f),
                        _ => return Err(format!("the transaction at record {} is none over lists", op.position())),
                    }
                }
                let longest = &mut longest[key as usize];
                if Some(said.f) == self.append {
                    counts[key as usize] += 1;
                } else if op.status() == Status::Ok
                    && said.value.is_list()
                    && values.len(said.value) > values.len(*longest)
                {
                    *longest = said.value;
                }
            }
        }
        Ok((counts, longest))
    }

    /// Puts the appends in place. By key: where its own begin; one more entry than keys.
    fn group(&mut self, history: &History, counts: &[u32]) -> Vec<usize> {
        let mut first = Vec::with_capacity(counts.len() + 1);
        first.push(0);
        let mut total = 0;
        first.extend(counts.iter().map(|count| {
            total += *count as usize;
            total
        }));
        let nothing = Append { element: Value::ABSENT, op: OpId(NONE), mop: 0, nth: 0, is_last: true };
        let mut appends = vec![nothing; total];
        let mut next = first.clone();
        for op in history.ops() {
            for said in self.mops(&op).filter(|said| said.appends) {
                let at = next[said.key as usize];
                next[said.key as usize] += 1;
                let before = if at > first[said.key as usize] { appends.get_mut(at - 1) } else { None };
                let nth = match before.filter(|before| before.op == op.id) {
                    Some(before) => {
                        before.is_last = false;
                        before.nth + 1
                    }
                    None => 0,
                };
                appends[at] = Append { element: said.value, op: op.id, mop: said.place, nth, is_last: true };
            }
        }
        self.appends = appends;
        first
    }

    /// Lays out the longest lists, and finds who made their elements; or what was appended twice.
    fn lay_out(&mut self, history: &History, first: &[usize], longest: &[Value]) -> Result<(), String> {
        /// So many appends and elements make a block.
        const WORK: usize = 1 << 14;
        let values = history.values();
        let mut blocks: Vec<Range<usize>> = Vec::new();
        let (mut start, mut work) = (0, 0);
        for key in 0..longest.len() {
            work += 1 + first[key + 1] - first[key] + values.len(longest[key]);
            if work >= WORK || key + 1 == longest.len() {
                blocks.push(start..key + 1);
                (start, work) = (key + 1, 0);
            }
        }
        let appends = &self.appends;
        let lay_out = |keys: Range<usize>| {
            let mut block = Block::new(values, appends);
            keys.for_each(|key| block.take(key, first[key]..first[key + 1], longest[key]));
            block
        };
        let blocks: Vec<Block<'_>> = blocks.into_par_iter().map(lay_out).collect();
        if let Some((_, key, element)) = blocks.iter().filter_map(|block| block.twice).min() {
            let (name, element) = (values.json(self.names[key], 60), values.json(element, 60));
            return Err(format!("element {element} is appended to key {name} twice"));
        }
        let elements = blocks.iter().map(|block| block.shown.len()).sum();
        let (mut beginnings, mut shown) = (Vec::with_capacity(elements), Vec::with_capacity(elements));
        let (mut starts, mut writers) = (vec![0], vec![0]);
        let (mut end, mut count) = (0, 0);
        for block in blocks {
            starts.extend(block.lengths.iter().map(|length| {
                end += length;
                end
            }));
            writers.extend(block.writers.iter().map(|writers| {
                count += writers;
                count
            }));
            beginnings.extend(block.beginnings);
            shown.extend(block.shown);
        }
        (self.starts, self.writers) = (starts, writers);
        (self.beginnings, self.shown) = (beginnings, shown);
        Ok(())
    }
}

/// Consecutive keys.
struct Block<'a> {
    values: &'a Values,
    appends: &'a [Append],
    lengths: Vec<u32>,
    writers: Vec<u32>,
    beginnings: Vec<Value>,
    shown: Vec<u32>,
    /// The first append, in the order of the history, of what was appended before: its micro-operation, the key, the element.
    twice: Option<((u32, u32), usize, Value)>,
    /// The key's appends, ordered by element; and which of them the longest list has shown.
    sorted: Vec<(u32, u32)>,
    had: Vec<bool>,
}

impl<'a> Block<'a> {
    fn new(values: &'a Values, appends: &'a [Append]) -> Block<'a> {
        let (lengths, writers, beginnings, shown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (twice, sorted, had) = (None, Vec::new(), Vec::new());
        Block { values, appends, lengths, writers, beginnings, shown, twice, sorted, had }
    }

    fn take(&mut self, key: usize, appends: Range<usize>, longest: Value) {
        let own = &self.appends[appends.clone()];
        self.writers.push(length(own.iter().filter(|append| append.nth == 0).count()));
        self.sorted.clear();
        self.sorted.extend((0..).zip(own).map(|(at, append)| (append.element.raw(), at)));
        if self.sorted.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            self.sorted.sort_unstable();
            for pair in self.sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
                let append = &own[pair[1].1 as usize];
                let found = ((append.op.0, append.mop), key, append.element);
                self.twice = Some(self.twice.map_or(found, |known| known.min(found)));
            }
        }
        self.had.clear();
        self.had.resize(own.len(), false);
        let count = self.values.len(longest);
        self.lengths.push(length(count));
        let from = self.beginnings.len();
        self.beginnings.resize(from + count, Value::EMPTY_LIST);
        let mut rest = longest;
        for beginning in self.beginnings[from..].iter_mut().rev() {
            *beginning = rest;
            rest = self.values.split_last(rest).map_or(Value::EMPTY_LIST, |(before, _)| before);
        }
        for at in from..from + count {
            let element = self.values.split_last(self.beginnings[at]).map_or(Value::ABSENT, |(_, last)| last);
            self.shown.push(match self.find(element) {
                None => NOBODY,
                Some(place) if std::mem::replace(&mut self.had[place as usize], true) => AGAIN,
                Some(place) => length(appends.start) + place,
            });
        }
    }

    /// Which of the key's appends made an element.
    fn find(&self, element: Value) -> Option<u32> {
        let (raw, sorted) = (element.raw(), &self.sorted);
        // Elements are mostly counted up, one by one: then the first guess is right.
        let guess = sorted.get(raw.wrapping_sub(sorted.first()?.0) as usize);
        if let Some((_, place)) = guess.filter(|guess| guess.0 == raw) {
            return Some(*place);
        }
        let found = sorted.binary_search_by_key(&raw, |one| one.0).ok()?;
        Some(sorted[found].1)
    }
}

fn shown(list: Value) -> Value {
    if list.is_null() { Value::EMPTY_LIST } else { list }
}

pub(super) fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}
