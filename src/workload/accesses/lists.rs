//! Lists as reads and writes: an append installs a version, and a read returns that of its last element.
//!
//! The longest list that was read orders a key's versions, if all others are beginnings of it; appends that nobody saw come
//! after these, in an order that is not known.

use hashbrown::{HashMap, HashSet};

use super::{Accesses, NONE, Order, id};
use crate::history::{OpId, Status, Value};
use crate::workload::list_append::{ListAppend, MicroOp};

/// What a read saw: its key, its row, the list.
type Seen = (u32, u32, Value);

/// Reads, those of each key together and in order; and where each key's end.
fn by_key(reads: Vec<Seen>, keys: usize) -> (Vec<Seen>, Vec<usize>) {
    let mut next = vec![0; keys];
    reads.iter().for_each(|read| next[read.0 as usize] += 1);
    let mut start = 0;
    for count in &mut next {
        start += std::mem::replace(count, start);
    }
    let mut sorted = vec![(0, 0, Value::EMPTY_LIST); reads.len()];
    for read in reads {
        let at = &mut next[read.0 as usize];
        sorted[*at] = read;
        *at += 1;
    }
    (sorted, next)
}

impl<'h> Accesses<'h> {
    /// The accesses of a history of list-append transactions.
    #[must_use]
    pub fn of_lists(typed: &ListAppend<'h>) -> Accesses<'h> {
        let told = |mop: u32| !matches!(typed.mop(mop), MicroOp::Read { list: None, .. });
        let rows = |op: OpId| id(typed.mops(op.0).filter(|mop| told(*mop)).count());
        let mut accesses = Accesses::with_rows(typed.history(), typed.reads().len() + typed.appends().len(), rows);
        accesses.reserve_versions(typed.keys().len() + typed.appends().len());
        for (key, name) in (0u32..).zip(typed.keys()) {
            accesses.keys.push(*name);
            accesses.add_version(key, Value::EMPTY_LIST, NONE, NONE);
        }
        // Versions of appends, in the order of `appends`: each key's are together.
        let base = id(typed.keys().len());
        for key in 0..base {
            for place in typed.appends_of(key) {
                accesses.add_version(key, typed.appends()[place].element, NONE, key);
            }
        }
        let mut reads: Vec<Seen> = Vec::with_capacity(typed.reads().len());
        let mut next_append: Vec<u32> = (0..base).map(|key| id(typed.appends_of(key).start)).collect();
        let mut row = 0;
        for transaction in 0..id(typed.len()) {
            let mops = typed.mops(transaction);
            for mop in mops.clone().filter(|mop| told(*mop)) {
                accesses.mop[row] = mop - mops.start;
                match typed.mop(mop) {
                    MicroOp::Append { key, .. } => {
                        let version = base + next_append[key as usize];
                        next_append[key as usize] += 1;
                        accesses.writer[version as usize] = id(row);
                        (accesses.key[row], accesses.writes[row], accesses.version[row]) = (key, true, version);
                    }
                    MicroOp::Read { key, list } => {
                        accesses.key[row] = key;
                        reads.push((key, id(row), list.unwrap_or(Value::EMPTY_LIST)));
                    }
                }
                row += 1;
            }
        }
        let (reads, ends) = by_key(reads, typed.keys().len());
        let mut start = 0;
        for (key, end) in (0..base).zip(ends) {
            accesses.take_list(typed, base, key, &reads[start..end]);
            start = end;
        }
        accesses.promote();
        accesses.promote_transactions();
        accesses
    }

    /// A transaction that happened, happened whole.
    fn promote_transactions(&mut self) {
        let Accesses { history, op, happened, .. } = self;
        let mut start = 0;
        for of_one in op.chunk_by(|a, b| a == b) {
            let rows = start..start + of_one.len();
            start = rows.end;
            if history.op(of_one[0]).status() == Status::Info && happened[rows.clone()].contains(&true) {
                happened[rows].fill(true);
            }
        }
    }

    fn take_list(&mut self, typed: &ListAppend<'h>, base: u32, key: u32, reads: &[Seen]) {
        let values = self.history.values();
        let longest = reads.iter().map(|read| read.2).max_by_key(|list| values.len(*list)).unwrap_or(Value::EMPTY_LIST);
        // The beginnings of the longest list, by length, and the version that each ends with.
        let mut path = vec![longest];
        let mut elements = Vec::new();
        while let Some((before, last)) = path.last().and_then(|list| values.split_last(*list)) {
            elements.push(last);
            path.push(before);
        }
        path.reverse();
        elements.reverse();
        let mut thin: HashMap<Value, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut version_of = |accesses: &mut Self, element: Value| match typed.append_of(key, element) {
            Some(place) => base + place,
            None => *thin.entry(element).or_insert_with(|| accesses.add_version(key, element, NONE, key)),
        };
        let mut line = vec![key];
        line.extend(elements.iter().map(|element| version_of(self, *element)));
        let mut contradictory = false;
        for (_, row, list) in reads {
            let length = values.len(*list);
            let version = if path[length] == *list {
                line[length]
            } else {
                contradictory = true;
                values.split_last(*list).map_or(key, |(_, last)| version_of(self, last))
            };
            self.version[*row as usize] = version;
        }
        let mut seen = vec![false; typed.appends_of(key).len()];
        let first = base + id(typed.appends_of(key).start);
        let mut from_nowhere: HashSet<u32, foldhash::fast::RandomState> = HashSet::default();
        for version in &line[1..] {
            // An element that a list holds twice.
            contradictory |= match version.checked_sub(first).and_then(|at| seen.get_mut(at as usize)) {
                Some(slot) => std::mem::replace(slot, true),
                None => !from_nowhere.insert(*version),
            };
        }
        if contradictory {
            self.order.push(Order::Contradictory);
            return;
        }
        for pair in line.windows(2) {
            self.parent[pair[1] as usize] = pair[0];
            let writer = self.writer[pair[1] as usize] as usize;
            if writer < self.len() {
                self.happened[writer] |= self.status(writer) == Status::Info;
            }
        }
        let last = line[line.len() - 1];
        let after: Vec<u32> = (first..).zip(&seen).filter(|(_, seen)| !**seen).map(|(version, _)| version).collect();
        for version in &after {
            self.parent[*version as usize] = last;
        }
        self.order.push(Order::Line { line, after });
    }
}
