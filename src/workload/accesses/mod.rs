//! Reads and writes of objects, whatever the vocabulary calls them: what guarantees of sessions, staleness and convergence
//! look at.
//!
//! One row an access, in order of invocation, within an operation in program order. A `cas` is a read and then a write; the
//! micro-operations of a transaction are a row each. Reads whose result is not known have no row. Failed writes stay, because
//! to see one is an anomaly; writes of unknown outcome stay too, and [`Accesses::happened`] says of which it is certain that
//! they took effect.
//!
//! A *version* is what a write installs and a read returns. Versions are dense over the history: first the initial one of
//! each key (version `k` is key `k`'s), then the others. What the history itself tells of their order is a tree for each
//! key, its root the initial version: [`Accesses::parent`] of a version is one that it certainly replaced, itself or through
//! others. A list's elements form one line; a `cas` replaces what it expected; a plain write replaces the initial version and
//! more is not known of it, unless records name the server's revisions (`revisions`).
//!
//! Cost: linear in the operations. A column is 4 bytes a row or less.

mod lists;
mod registers;
mod revisions;

pub use revisions::{Conflict, ConflictKind, overtaken};

use hashbrown::HashMap;

use super::list_append::sessions;
use crate::history::{History, OpId, Operation, Status, Value};

/// No row, no version, no node.
pub const NONE: u32 = u32::MAX;

/// The reads and writes of a history, in columns. See the module's text.
#[derive(Debug)]
pub struct Accesses<'h> {
    /// The history that this is.
    pub history: &'h History,
    /// The objects' names, in order of first appearance; absent where the history has one only.
    pub keys: Vec<Value>,
    /// By row: its operation.
    pub op: Vec<OpId>,
    /// By row: its place among the operation's micro-operations; of a `cas`, 0 for the read and 1 for the write.
    pub mop: Vec<u32>,
    /// By operation: its session (`session` where given, else the process), dense.
    session_of: Vec<u32>,
    /// How many sessions.
    pub sessions: u32,
    /// By row: the server that it contacted, dense, or [`NONE`] where not said. Empty where the history names no server.
    pub node: Vec<u32>,
    /// The servers' names, in order of first appearance.
    pub nodes: Vec<Value>,
    /// By row: its object.
    pub key: Vec<u32>,
    /// By row: whether it writes; else it reads.
    pub writes: Vec<bool>,
    /// By row: whether it certainly took effect: an `ok` operation, or one of unknown outcome whose write was seen.
    pub happened: Vec<bool>,
    /// By row: the version that it returned or installs. A read of a value that several writes installed has the first of
    /// these: see [`Accesses::ambiguous`].
    pub version: Vec<u32>,
    /// By version: its object.
    pub version_key: Vec<u32>,
    /// By version: its value; of a list, the element that was appended last (of the empty one, the empty list).
    pub version_value: Vec<Value>,
    /// By version: the row of its write; [`NONE`] for an initial version, and for one that nobody wrote (thin air).
    pub writer: Vec<u32>,
    /// By version: whether several writes, or a write and the initial version, have its value, so that reads of it don't tell
    /// which they saw.
    pub ambiguous: Vec<bool>,
    /// By version: another one of its key that it certainly came after, the nearest known; [`NONE`] for initial versions.
    pub parent: Vec<u32>,
    /// By key: what is known of the order of its versions.
    pub order: Vec<Order>,
    /// By key: whether that rests on what servers say (`version`). Empty where nothing does.
    pub by_revision: Vec<bool>,
    /// How many versions certainly replaced another one beside their [`Accesses::parent`], so that the tree doesn't say all: nothing holds
    /// because nothing in it speaks against it.
    pub loose: u64,
}

/// How much the history tells of the order of one key's versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// All of it: these versions, the initial one first. `after` come after all of these, in an order that is not known, and
    /// nobody saw them.
    Line {
        /// In order.
        line: Vec<u32>,
        /// Not seen by anybody.
        after: Vec<u32>,
    },
    /// No more than the tree of [`Accesses::parent`].
    Tree,
    /// Records contradict each other: two lists of one key that no order explains, or revisions.
    Contradictory,
}

impl<'h> Accesses<'h> {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.op.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.op.is_empty()
    }

    /// How many versions.
    #[must_use]
    pub fn versions(&self) -> usize {
        self.writer.len()
    }

    /// Whether a version is the initial one of its key.
    #[inline]
    #[must_use]
    pub fn is_initial(&self, version: u32) -> bool {
        (version as usize) < self.keys.len()
    }

    /// Whether nobody wrote a version, and it is no initial one.
    #[must_use]
    pub fn is_thin_air(&self, version: u32) -> bool {
        !self.is_initial(version) && self.writer[version as usize] == NONE
    }

    /// The operation of a row.
    #[must_use]
    pub fn operation(&self, row: u32) -> Operation<'h> {
        self.history.op(self.op[row as usize])
    }

    /// The session of a row (`session` where given, else the process), dense.
    #[inline]
    #[must_use]
    pub fn session(&self, row: usize) -> u32 {
        self.session_of[self.op[row].index()]
    }

    /// What is known of a row's operation. A read is `ok`, or part of a `cas` of unknown outcome.
    #[inline]
    #[must_use]
    pub fn status(&self, row: usize) -> Status {
        self.history.op(self.op[row]).status()
    }

    /// The position at or after which a row began.
    #[inline]
    #[must_use]
    pub fn began(&self, row: usize) -> u32 {
        self.history.op(self.op[row]).began()
    }

    /// The position at which a row had taken effect; [`History::NO_POSITION`] for what is not `ok`.
    #[inline]
    #[must_use]
    pub fn ended(&self, row: usize) -> u32 {
        self.history.op(self.op[row]).ended()
    }

    /// Whether a row is a read made after everything settled.
    #[must_use]
    pub fn is_final(&self, row: usize) -> bool {
        self.history.op(self.op[row]).is_final()
    }

    /// Whether some read is marked as made after everything settled.
    #[must_use]
    pub fn has_final_reads(&self) -> bool {
        self.op.iter().any(|op| self.history.op(*op).is_final())
    }

    /// The server that a row contacted, where that is said.
    #[must_use]
    pub fn node_of(&self, row: u32) -> Option<u32> {
        self.node.get(row as usize).copied().filter(|node| *node != NONE)
    }

    /// The same with its rows in another order: each row's number before.
    #[must_use]
    pub fn reordered(mut self, order: &[u32]) -> Accesses<'h> {
        fn put<T: Copy>(column: &mut Vec<T>, order: &[u32]) {
            if !column.is_empty() {
                *column = order.iter().map(|row| column[*row as usize]).collect();
            }
        }
        put(&mut self.op, order);
        put(&mut self.mop, order);
        put(&mut self.node, order);
        put(&mut self.key, order);
        put(&mut self.writes, order);
        put(&mut self.happened, order);
        put(&mut self.version, order);
        for (row, version) in (0u32..).zip(&self.version) {
            if self.writes[row as usize] {
                self.writer[*version as usize] = row;
            }
        }
        self
    }

    /// Columns with one entry a row, not filled in yet beyond what operations say; `rows` are the rows of each operation, `most` of
    /// all.
    fn with_rows(history: &'h History, most: usize, rows: impl Fn(OpId) -> u32) -> Accesses<'h> {
        let (session_of, count) = sessions(history);
        let mut accesses = Accesses {
            history,
            keys: Vec::new(),
            op: Vec::with_capacity(most),
            mop: Vec::with_capacity(most),
            session_of,
            sessions: count,
            node: Vec::new(),
            nodes: Vec::new(),
            key: Vec::new(),
            writes: Vec::new(),
            happened: Vec::with_capacity(most),
            version: Vec::new(),
            version_key: Vec::new(),
            version_value: Vec::new(),
            writer: Vec::new(),
            ambiguous: Vec::new(),
            parent: Vec::new(),
            order: Vec::new(),
            by_revision: Vec::new(),
            loose: 0,
        };
        let mut numbers: HashMap<Value, u32, foldhash::fast::RandomState> = HashMap::default();
        for op in history.ops() {
            let count = rows(op.id);
            if count == 0 {
                continue;
            }
            let node = match op.node() {
                Value::ABSENT | Value::NULL => NONE,
                name => *numbers.entry(name).or_insert_with(|| {
                    accesses.nodes.push(name);
                    id(accesses.nodes.len() - 1)
                }),
            };
            // Where no server has been named yet, there is no column of them.
            if !accesses.nodes.is_empty() {
                accesses.node.resize(accesses.op.len(), NONE);
                accesses.node.resize(accesses.op.len() + count as usize, node);
            }
            for mop in 0..count {
                accesses.op.push(op.id);
                accesses.mop.push(mop);
                accesses.happened.push(op.status() == Status::Ok);
            }
        }
        let rows = accesses.op.len();
        accesses.key = vec![NONE; rows];
        accesses.writes = vec![false; rows];
        accesses.version = vec![NONE; rows];
        accesses
    }

    /// Room for so many versions more.
    fn reserve_versions(&mut self, count: usize) {
        self.version_key.reserve_exact(count);
        self.version_value.reserve_exact(count);
        self.writer.reserve_exact(count);
        self.ambiguous.reserve_exact(count);
        self.parent.reserve_exact(count);
    }

    /// A new version.
    fn add_version(&mut self, key: u32, value: Value, writer: u32, parent: u32) -> u32 {
        self.version_key.push(key);
        self.version_value.push(value);
        self.writer.push(writer);
        self.ambiguous.push(false);
        self.parent.push(parent);
        id(self.writer.len() - 1)
    }

    /// What was seen of writes of unknown outcome happened, and so did what these themselves had seen.
    fn promote(&mut self) {
        let mut seen: Vec<u32> = Vec::new();
        for row in 0..self.len() {
            if self.happened[row] && !self.writes[row] {
                seen.push(self.version[row]);
            }
        }
        while let Some(version) = seen.pop() {
            let writer = self.writer[version as usize] as usize;
            if self.ambiguous[version as usize]
                || writer >= self.len()
                || self.status(writer) != Status::Info
                || self.happened[writer]
            {
                continue;
            }
            self.happened[writer] = true;
            // A cas: its read is the row before.
            if writer > 0 && !self.writes[writer - 1] && self.op[writer - 1] == self.op[writer] {
                self.happened[writer - 1] = true;
                seen.push(self.version[writer - 1]);
            }
        }
    }
}

/// A count as an id.
fn id(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Options, Source, read};
    use crate::workload::list_append::ListAppend;
    use crate::workload::register::Register;

    fn history(lines: &str) -> History {
        read(Source::Bytes { name: "test".to_owned(), bytes: lines.into() }, &Options::default()).expect("a history")
    }

    fn json(history: &History, version: u32, accesses: &Accesses<'_>) -> String {
        history.values().json(accesses.version_value[version as usize], 60)
    }

    /// Each row as `session key w|r value`, a question mark where it may not have happened.
    fn rows(accesses: &Accesses<'_>) -> Vec<String> {
        (0..accesses.len())
            .map(|row| {
                let kind = if accesses.writes[row] { 'w' } else { 'r' };
                let maybe = if accesses.happened[row] { "" } else { "?" };
                let value = json(accesses.history, accesses.version[row], accesses);
                format!("{} {} {kind} {value}{maybe}", accesses.session(row), accesses.key[row])
            })
            .collect()
    }

    fn line(accesses: &Accesses<'_>, key: usize) -> Option<String> {
        let names = |versions: &[u32]| -> Vec<String> {
            versions.iter().map(|version| json(accesses.history, *version, accesses)).collect()
        };
        match &accesses.order[key] {
            Order::Line { line, after } => Some(format!("{} | {}", names(line).join(" "), names(after).join(" "))),
            Order::Tree | Order::Contradictory => None,
        }
    }

    /// Goal: a cas is a read and a write, in order of invocation over all keys; what a cas of unknown outcome wrote and was seen
    /// happened, and so did what it had seen; versions that replaced one another have a known order, others a tree.
    #[test]
    fn registers_become_accesses() {
        let history = history(
            r#"{"type":"invoke","process":0,"f":"write","key":"x","value":1}
{"type":"ok","process":0,"f":"write","key":"x","value":1,"node":"a"}
{"type":"invoke","process":1,"f":"cas","key":"x","value":[1,2]}
{"type":"invoke","process":0,"f":"write","key":"y","value":1}
{"type":"info","process":1,"f":"cas","key":"x"}
{"type":"info","process":0,"f":"write","key":"y"}
{"type":"invoke","process":2,"f":"cas","key":"x","value":[2,3]}
{"type":"info","process":2,"f":"cas","key":"x"}
{"type":"ok","process":3,"f":"read","key":"x","value":3,"session":"s","node":"b"}
{"type":"ok","process":4,"f":"write","key":"z","value":5,"session":"s"}
{"type":"ok","process":4,"f":"write","key":"z","value":6}
{"type":"ok","process":4,"f":"read","key":"z","value":null,"final":true}
{"type":"fail","process":4,"f":"cas","key":"z","value":[5,9]}"#,
        );
        let accesses = Accesses::of_registers(&history, &Register::from_history(&history).expect("registers"));
        assert_eq!(
            rows(&accesses),
            [
                "0 0 w 1",
                "1 0 r 1",
                "1 0 w 2",
                "0 1 w 1?",
                "2 0 r 2",
                "2 0 w 3",
                "3 0 r 3",
                "3 2 w 5",
                "4 2 w 6",
                "4 2 r null",
                "4 2 w 9?"
            ]
        );
        assert_eq!(line(&accesses, 0).as_deref(), Some("null 1 2 3 | "));
        assert_eq!(line(&accesses, 2), None);
        assert_eq!((accesses.node_of(0), accesses.node_of(6), accesses.node_of(7)), (Some(0), Some(1), None));
        assert_eq!((0..accesses.len()).filter(|row| accesses.is_final(*row)).count(), 1);
        assert!((0..3).all(|key| accesses.is_initial(key) && accesses.version_key[key as usize] == key));
    }

    /// Goal: what doesn't tell which write it saw is marked, failed writes aside; what nobody wrote is its own version; circles of
    /// replacement order nothing.
    #[test]
    fn values_that_do_not_tell_their_writer() {
        let history = history(
            r#"{"type":"ok","process":0,"f":"write","key":"x","value":1}
{"type":"ok","process":0,"f":"write","key":"x","value":1}
{"type":"fail","process":0,"f":"write","key":"x","value":2}
{"type":"ok","process":0,"f":"write","key":"x","value":2}
{"type":"ok","process":1,"f":"read","key":"x","value":1}
{"type":"ok","process":1,"f":"read","key":"x","value":2}
{"type":"ok","process":1,"f":"read","key":"x","value":7}
{"type":"fail","process":0,"f":"write","key":"y","value":3}
{"type":"ok","process":1,"f":"read","key":"y","value":3}
{"type":"ok","process":2,"f":"cas","key":"z","value":[1,2]}
{"type":"ok","process":3,"f":"cas","key":"z","value":[2,1]}"#,
        );
        let accesses = Accesses::of_registers(&history, &Register::from_history(&history).expect("registers"));
        let version = |row: usize| accesses.version[row] as usize;
        assert_eq!([4, 5, 6].map(|row| accesses.ambiguous[version(row)]), [true, false, false]);
        assert_eq!(accesses.writer[version(5)], 3);
        assert!(accesses.is_thin_air(accesses.version[6]));
        assert_eq!(accesses.writer[version(8)], 7);
        assert_eq!(accesses.order[2], Order::Tree);
        assert!([10, 12].iter().all(|row| accesses.parent[version(*row)] == 2));
    }

    /// Goal: an append is a version of its list, ordered by the longest read; what nobody saw comes after, and happened if
    /// its transaction did; a list that contradicts another orders nothing.
    #[test]
    fn lists_become_accesses() {
        let history = history(
            r#"{"type":"invoke","process":0,"f":"txn","value":[["append","x",1],["r","y",null]]}
{"type":"invoke","process":1,"f":"txn","value":[["append","x",2],["append","x",3]]}
{"type":"info","process":1,"f":"txn"}
{"type":"ok","process":0,"f":"txn","value":[["append","x",1],["r","y",null]]}
{"type":"ok","process":0,"f":"txn","value":[["r","x",[2,1]],["append","y",8],["append","y",9]]}
{"type":"ok","process":2,"f":"txn","value":[["r","x",[2]],["r","y",[8]],["r","y",[9]]]}"#,
        );
        let typed = ListAppend::from_history(&history).expect("lists");
        let accesses = Accesses::of_lists(&typed);
        assert_eq!(
            rows(&accesses),
            [
                "0 0 w 1", "0 1 r []", "1 0 w 2", "1 0 w 3", "0 0 r 1", "0 1 w 8", "0 1 w 9", "2 0 r 2", "2 1 r 8",
                "2 1 r 9"
            ]
        );
        assert_eq!(line(&accesses, 0).as_deref(), Some("[] 2 1 | 3"));
        assert_eq!(accesses.order[1], Order::Contradictory);
        assert_eq!((accesses.mop[6], accesses.op[6]), (2, OpId(2)));
    }
}
