//! `list-append`: transactions of `["append", key, element]` and `["r", key, list]`, as typed columns.
//!
//! Every operation of such a history is a transaction, so a transaction's number is its [`OpId`]'s. Objects get dense
//! numbers in order of first appearance. Appends and reads are also grouped by object, each group in the order of the
//! history. Cost: linear in micro-operations, plus a sort of an object's elements where they were not appended in
//! ascending order.

mod columns;

use std::cmp::Ordering;

use rayon::prelude::*;

use super::WorkloadError;
use crate::history::{History, OpId, Operation, Status, Value};
pub(super) use columns::sessions;
use columns::{Columns, check_header, list_of, position_of, result_of};

/// An append that a transaction asked for, whatever became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Append {
    /// What is appended: no other append to this object has it.
    pub element: Value,
    /// Who appends it.
    pub transaction: u32,
    /// The micro-operation, counted over the whole history.
    pub mop: u32,
}

/// A read whose result is known: one of an `ok` transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// What it returned.
    pub list: Value,
    /// Who reads.
    pub transaction: u32,
    /// The micro-operation, counted over the whole history.
    pub mop: u32,
}

/// One micro-operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MicroOp {
    /// `["append", key, element]`
    Append {
        /// The object.
        key: u32,
        /// What is appended.
        element: Value,
    },
    /// `["r", key, list]`
    Read {
        /// The object.
        key: u32,
        /// What it returned; `None` where the transaction's outcome is unknown or a failure.
        list: Option<Value>,
    },
}

impl MicroOp {
    /// The object.
    #[must_use]
    pub fn key(self) -> u32 {
        match self {
            MicroOp::Append { key, .. } | MicroOp::Read { key, .. } => key,
        }
    }
}

/// A history of list-append transactions. See the module's text.
#[derive(Debug)]
pub struct ListAppend<'h> {
    history: &'h History,
    /// Empty where sessions are processes.
    sessions: Vec<u32>,
    session_count: u32,
    keys: Vec<Value>,
    /// For each micro-operation, twice its object's number, plus one where it is no read without a result.
    mop_keys: Vec<u32>,
    /// The name of appends.
    append: Option<Value>,
    append_starts: Vec<u32>,
    appends: Vec<Append>,
    /// Within each object, its appends (by their place in `appends`) in order of their elements' handles; empty where they
    /// are in that order already.
    by_element: Vec<u32>,
    read_starts: Vec<u32>,
    reads: Vec<Read>,
}

impl<'h> ListAppend<'h> {
    /// Reads a history as list-append.
    ///
    /// # Errors
    /// The first record that is something else, or two appends of one element to one object.
    pub fn from_history(history: &'h History) -> Result<ListAppend<'h>, WorkloadError> {
        check_header(history)?;
        let mut columns = Columns { mop_keys: Vec::with_capacity(history.mops().len()), ..Columns::default() };
        for op in history.ops() {
            columns.take(history, op)?;
        }
        // Mostly each process is a session of its own, and nothing needs to be held.
        let named = history.ops().any(|op| op.session() != history.process_name(op.process()));
        let processes = u32::try_from(history.processes()).unwrap_or(u32::MAX);
        let (sessions, session_count) = if named { sessions(history) } else { (Vec::new(), processes) };
        let keys = columns.keys.names;
        let append_starts = starts(columns.counts.iter().map(|counts| counts.0));
        let read_starts = starts(columns.counts.iter().map(|counts| counts.1));
        let mut typed = ListAppend {
            history,
            sessions,
            session_count,
            keys,
            mop_keys: columns.mop_keys,
            append: columns.names.append,
            append_starts,
            appends: Vec::new(),
            by_element: Vec::new(),
            read_starts,
            reads: Vec::new(),
        };
        typed.group();
        typed.index_elements()?;
        Ok(typed)
    }

    /// The history that this is.
    #[must_use]
    pub fn history(&self) -> &'h History {
        self.history
    }

    /// How many transactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.history.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.history.is_empty()
    }

    /// A transaction as an operation.
    #[inline]
    #[must_use]
    pub fn op(&self, transaction: u32) -> Operation<'h> {
        self.history.op(OpId(transaction))
    }

    /// What is known of a transaction's effect.
    #[inline]
    #[must_use]
    pub fn status(&self, transaction: u32) -> Status {
        self.op(transaction).status()
    }

    /// A transaction's session, dense.
    #[inline]
    #[must_use]
    pub fn session(&self, transaction: u32) -> u32 {
        self.sessions.get(transaction as usize).copied().unwrap_or_else(|| self.op(transaction).process().0)
    }

    /// How many sessions.
    #[must_use]
    pub fn sessions(&self) -> u32 {
        self.session_count
    }

    /// The objects, by number.
    #[must_use]
    pub fn keys(&self) -> &[Value] {
        &self.keys
    }

    /// The numbers of a transaction's micro-operations.
    #[inline]
    #[must_use]
    pub fn mops(&self, transaction: u32) -> std::ops::Range<u32> {
        self.op(transaction).mop_range()
    }

    /// One micro-operation.
    #[inline]
    #[must_use]
    pub fn mop(&self, mop: u32) -> MicroOp {
        let (coded, said) = (self.mop_keys[mop as usize], &self.history.mops()[mop as usize]);
        let key = coded >> 1;
        if Some(said.f) == self.append {
            MicroOp::Append { key, element: said.value }
        } else {
            MicroOp::Read { key, list: (coded & 1 == 1).then(|| list_of(said)) }
        }
    }

    /// The places, in [`ListAppend::appends`], of an object's appends.
    #[inline]
    #[must_use]
    pub fn appends_of(&self, key: u32) -> std::ops::Range<usize> {
        self.append_starts[key as usize] as usize..self.append_starts[key as usize + 1] as usize
    }

    /// The places, in [`ListAppend::reads`], of an object's reads.
    #[inline]
    #[must_use]
    pub fn reads_of(&self, key: u32) -> std::ops::Range<usize> {
        self.read_starts[key as usize] as usize..self.read_starts[key as usize + 1] as usize
    }

    /// All appends, those of one object together, in the order of the history.
    #[must_use]
    pub fn appends(&self) -> &[Append] {
        &self.appends
    }

    /// All reads whose result is known, those of one object together, in the order of the history.
    #[must_use]
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// The place, in [`ListAppend::appends`], of the append of this element to this object.
    #[inline]
    #[must_use]
    pub fn append_of(&self, key: u32, element: Value) -> Option<u32> {
        let places = self.appends_of(key);
        let place_at = |at: usize| match self.by_element.get(places.start + at) {
            Some(place) => *place as usize,
            None => places.start + at,
        };
        let raw_at = |at: usize| self.appends[place_at(at)].element.raw();
        let (mut low, mut high) = (0, places.len());
        let mut middle = 0;
        if low < high {
            // Elements are mostly counted up, one by one: then the first guess is right.
            middle = (element.raw().wrapping_sub(raw_at(0)) as usize).min(high - 1);
        }
        while low < high {
            match raw_at(middle).cmp(&element.raw()) {
                Ordering::Equal => return u32::try_from(place_at(middle)).ok(),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
            middle = low.midpoint(high);
        }
        None
    }

    fn group(&mut self) {
        let nothing = Value::ABSENT;
        let (appends, reads) = (last(&self.append_starts), last(&self.read_starts));
        self.appends = vec![Append { element: nothing, transaction: 0, mop: 0 }; appends as usize];
        self.reads = vec![Read { list: nothing, transaction: 0, mop: 0 }; reads as usize];
        let (mut append_at, mut read_at) = (self.append_starts.clone(), self.read_starts.clone());
        for op in self.history.ops() {
            let transaction = op.id.0;
            for (mop, said) in op.mop_range().zip(op.mops()) {
                let key = (self.mop_keys[mop as usize] >> 1) as usize;
                if Some(said.f) == self.append {
                    self.appends[append_at[key] as usize] = Append { element: said.value, transaction, mop };
                    append_at[key] += 1;
                } else if let Some(list) = result_of(op, said) {
                    self.reads[read_at[key] as usize] = Read { list, transaction, mop };
                    read_at[key] += 1;
                }
            }
        }
    }

    /// Sorts each object's appends by element, and refuses two of one element.
    fn index_elements(&mut self) -> Result<(), WorkloadError> {
        let appends = &self.appends;
        let in_order = |key: usize| {
            let own = &appends[self.append_starts[key] as usize..self.append_starts[key + 1] as usize];
            own.windows(2).all(|pair| pair[0].element.raw() < pair[1].element.raw())
        };
        if (0..self.keys.len()).all(in_order) {
            return Ok(());
        }
        self.by_element = (0u32..).take(self.appends.len()).collect();
        let mut groups: Vec<&mut [u32]> = Vec::with_capacity(self.keys.len());
        let mut rest = &mut self.by_element[..];
        for key in 0..self.keys.len() {
            let count = self.append_starts[key + 1] - self.append_starts[key];
            let (group, others) = rest.split_at_mut(count as usize);
            groups.push(group);
            rest = others;
        }
        let element = |place: &u32| appends[*place as usize].element.raw();
        let twice = groups
            .par_iter_mut()
            .with_min_len(256)
            .filter_map(|group| {
                group.sort_by_key(element);
                let twins = group.windows(2).filter(|pair| element(&pair[0]) == element(&pair[1]));
                twins.map(|pair| (appends[pair[1] as usize].mop, pair[0], pair[1])).min()
            })
            .min();
        let Some((_, first, second)) = twice else { return Ok(()) };
        let (first, second) = (self.appends[first as usize], self.appends[second as usize]);
        let values = self.history.values();
        let key = self.mop(second.mop).key();
        Err(WorkloadError {
            position: Some(position_of(self.op(second.transaction))),
            message: format!(
                "element {} is appended to key {} a second time: the transaction at record {} appends it too",
                values.json(second.element, 60),
                values.json(self.keys[key as usize], 60),
                position_of(self.op(first.transaction))
            ),
            help: "a list can only tell who wrote it if no two appends to a key have the same element, in whatever \
                   became of their transactions: let the generator count elements up for each key, also when it \
                   retries"
                .to_owned(),
        })
    }
}

fn last(starts: &[u32]) -> u32 {
    starts.last().copied().unwrap_or(0)
}

/// Where each object's begin, once they are grouped; one more entry than objects.
fn starts(counts: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut sum = 0;
    let ends = counts.map(|count| {
        sum += count;
        sum
    });
    std::iter::once(0).chain(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Options, Source, read};

    fn history(lines: &str) -> History {
        read(Source::Bytes { name: "test".to_owned(), bytes: lines.into() }, &Options::default()).expect("a history")
    }

    fn refusal(lines: &str) -> (Option<u32>, String) {
        let error = ListAppend::from_history(&history(lines)).expect_err("a refusal");
        assert!(!error.help.is_empty());
        (error.position, error.message)
    }

    /// Goal: micro-operations become typed columns; null read by an `ok` transaction is the empty list, and reads of the
    /// others say nothing; elements are found again by object, in whatever order they were appended.
    #[test]
    fn transactions_become_columns() {
        let history = history(
            r#"{"type":"invoke","process":0,"f":"txn","value":[["append","x",7],["r","y",null]]}
{"type":"invoke","process":1,"f":"txn","value":[["append","x",3],["append","y","a"],["r","x",[3]]]}
{"type":"info","process":1,"f":"txn"}
{"type":"ok","process":0,"f":"txn","value":[["append","x",7],["r","y",null]]}
{"type":"ok","process":0,"f":"txn","value":[["r","x",[7]],["r","x"]]}
{"type":"invoke","process":0,"f":"txn","value":[]}"#,
        );
        let typed = ListAppend::from_history(&history).expect("list-append");
        let element = |key: u32, text: &str| {
            let found = typed.appends_of(key).map(|place| typed.appends()[place].element);
            found.into_iter().find(|element| history.values().json(*element, 9) == text).expect("appended")
        };
        assert_eq!((typed.len(), typed.keys().len(), typed.sessions()), (4, 2, 2));
        assert_eq!(typed.mop(1), MicroOp::Read { key: 1, list: Some(Value::EMPTY_LIST) });
        assert_eq!(typed.mop(4), MicroOp::Read { key: 0, list: None });
        assert_eq!((typed.mops(1), typed.mops(3)), (2..5, 7..7));
        assert_eq!(typed.reads_of(0).len(), 2);
        for (key, text, transaction) in [(0, "7", 0), (0, "3", 1), (1, "\"a\"", 1)] {
            let place = typed.append_of(key, element(key, text)).expect("found");
            assert_eq!(typed.appends()[place as usize].transaction, transaction);
        }
        assert_eq!(typed.append_of(1, element(0, "3")), None);
    }

    /// Goal: what is not list-append is refused at the record at fault.
    #[test]
    fn other_vocabularies_are_refused() {
        let ok = |value: &str| format!("{{\"type\":\"ok\",\"process\":0,\"f\":\"txn\",\"value\":{value}}}\n");
        let (position, message) = refusal(&format!("{}{}", ok(r#"[["append",1,1]]"#), ok(r#"[["w",1,1]]"#)));
        assert_eq!(position, Some(1));
        assert!(message.contains(r#"["w",1,1]"#), "{message}");
        let (_, message) = refusal(&ok(r#"[["r",1,5]]"#));
        assert!(message.contains("returned 5, which is no list"), "{message}");
        let (_, message) = refusal(&ok(r#"[["append",1]]"#));
        assert!(message.contains("appends nothing"), "{message}");
        let (_, message) = refusal(&ok("17"));
        assert!(message.contains("17"), "{message}");
        let (position, message) = refusal(r#"{"type":"ok","process":0,"f":"read","value":1}"#);
        assert!(position == Some(0) && message.contains("\"read\""), "{message}");
        let header = r#"{"history":{"initial":[1]}}"#;
        assert!(refusal(&format!("{header}\n{}", ok(r#"[["r",1,[1]]]"#))).1.contains("initial"));
    }

    /// Goal: two appends of one element to one key are the generator's error, whatever became of them; to two keys they
    /// are none.
    #[test]
    fn an_element_is_appended_once_to_a_key() {
        let (position, message) = refusal(
            r#"{"type":"invoke","process":0,"f":"txn","value":[["append","x",2],["append","x",1]]}
{"type":"fail","process":0,"f":"txn"}
{"type":"ok","process":1,"f":"txn","value":[["append","x",3],["append","y",2]]}
{"type":"ok","process":1,"f":"txn","value":[["append","x",1]]}"#,
        );
        assert_eq!(position, Some(3));
        assert!(message.contains("element 1 is appended to key \"x\" a second time"), "{message}");
        assert!(message.contains("record 0"), "{message}");
    }
}
