//! Transactions as axioms see them: who read whose version, who installed which. Dense ids only; no values.
//!
//! A [`TxnView`] holds the transactions that happened (others may have a place in it, with nothing in it), and of these only what
//! others can see: *external* reads (of versions of other transactions) and *installed* versions (the last write of each key). The
//! version order of a key is known as far as ranks say: a version precedes those of a higher rank; two of the same rank are ordered,
//! but it is not known how. A list's observed elements have ranks 0, 1, 2, ..., and its unobserved appends all have the next one.

use crate::graph::{Edge, Relations};

use super::orders::Choice;

/// The transaction that wrote all initial versions.
pub const INITIAL: u32 = u32::MAX;

/// The rank of a version of which nothing is known.
pub const UNRANKED: u32 = u32::MAX;

/// A transaction read a version of another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Read {
    /// Of this key.
    pub key: u32,
    /// Installed by this transaction, or [`INITIAL`].
    pub writer: u32,
}

/// A transaction installed a version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Write {
    /// Of this key.
    pub key: u32,
    /// Its place among the key's versions, or [`UNRANKED`].
    pub rank: u32,
}

/// Transactions in columns, numbered in the order in which they were pushed.
#[derive(Clone, Debug, Default)]
pub struct TxnView {
    /// The transaction of the same session before, or `INITIAL`.
    before: Vec<u32>,
    reads_end: Vec<usize>,
    reads: Vec<Read>,
    writes_end: Vec<usize>,
    writes: Vec<Write>,
    /// By session: its last transaction.
    last: Vec<u32>,
}

impl TxnView {
    /// No transactions.
    #[must_use]
    pub fn new() -> TxnView {
        TxnView::default()
    }

    /// The next transaction. Those of one session (dense numbers) are pushed in session order; one that nothing follows (of
    /// unknown outcome) is not `followed`. Reads are in program order, those of own writes left out; of writes there is one a key.
    pub fn push(
        &mut self,
        session: Option<u32>,
        followed: bool,
        reads: impl IntoIterator<Item = Read>,
        writes: impl IntoIterator<Item = Write>,
    ) -> u32 {
        let own = self.len();
        let mut before = INITIAL;
        if let Some(session) = session {
            let session = session as usize;
            if self.last.len() <= session {
                self.last.resize(session + 1, INITIAL);
            }
            before = self.last[session];
            if followed {
                self.last[session] = own;
            }
        }
        self.before.push(before);
        self.reads.extend(reads.into_iter().filter(|read| read.writer != own));
        self.reads_end.push(self.reads.len());
        let begin = self.writes.len();
        self.writes.extend(writes);
        self.writes[begin..].sort_unstable();
        let mut kept = begin;
        for at in begin..self.writes.len() {
            if at == begin || self.writes[at].key != self.writes[at - 1].key {
                self.writes[kept] = self.writes[at];
                kept += 1;
            }
        }
        self.writes.truncate(kept);
        self.writes_end.push(kept);
        own
    }

    /// How many transactions have a place.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.before.len()).expect("fewer than 2^32 transactions")
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// External reads, in program order.
    #[must_use]
    pub fn reads(&self, txn: u32) -> &[Read] {
        &self.reads[row(&self.reads_end, txn)]
    }

    /// Installed versions, by key.
    #[must_use]
    pub fn writes(&self, txn: u32) -> &[Write] {
        &self.writes[row(&self.writes_end, txn)]
    }

    /// The version that a transaction installed of a key.
    #[must_use]
    pub fn write(&self, txn: u32, key: u32) -> Option<Write> {
        if txn == INITIAL {
            return None;
        }
        let writes = self.writes(txn);
        writes.binary_search_by_key(&key, |write| write.key).ok().map(|at| writes[at])
    }

    /// The transaction of the same session before.
    #[must_use]
    pub fn before(&self, txn: u32) -> Option<u32> {
        Some(self.before[txn as usize]).filter(|before| *before != INITIAL)
    }

    /// Whether `first` is known to install its version of the key before `second`.
    pub(super) fn known_before(&self, first: u32, second: u32, key: u32) -> bool {
        match (self.write(first, key), self.write(second, key)) {
            (Some(a), Some(b)) => a.rank < b.rank && b.rank != UNRANKED,
            _ => false,
        }
    }

    /// A key of which `first` is known to install its version before `second`.
    pub(super) fn known_order(&self, first: u32, second: u32) -> Option<u32> {
        if first == INITIAL || second == INITIAL {
            return None;
        }
        self.writes(first).iter().map(|write| write.key).find(|key| self.known_before(first, second, *key))
    }

    /// Dependencies as edges: session order, wr, and the ww and rw that the known version orders say (joined by auxiliary vertices
    /// from `real` on, where they would be many); and the orders that are left to choose.
    #[must_use]
    pub fn dependencies(&self, real: u32) -> Dependencies {
        let mut found = Dependencies { real, auxiliary: 0, edges: Vec::new(), choices: Vec::new() };
        // By key: readers of versions, then versions, in the order of ranks.
        let mut readers: Vec<(u32, u32, u32)> = Vec::new(); // key, writer, reader
        let mut versions: Vec<(u32, u32, u32)> = Vec::new(); // key, rank, writer
        for txn in 0..self.len() {
            if let Some(from) = self.before(txn) {
                found.edges.push(Edge { from, to: txn, relations: Relations::PROCESS });
            }
            for read in self.reads(txn) {
                readers.push((read.key, read.writer, txn));
                if read.writer != INITIAL {
                    found.edges.push(Edge { from: read.writer, to: txn, relations: Relations::WR });
                }
            }
            versions.extend(self.writes(txn).iter().map(|write| (write.key, write.rank, txn)));
        }
        readers.sort_unstable();
        readers.dedup();
        versions.sort_unstable();
        for of_key in versions.chunk_by(|a, b| a.0 == b.0) {
            let key = of_key[0].0;
            let first = readers.partition_point(|reader| reader.0 < key);
            let last = first + readers[first..].partition_point(|reader| reader.0 == key);
            found.of_key(key, of_key, &readers[first..last]);
        }
        found
    }
}

fn row(ends: &[usize], txn: u32) -> std::ops::Range<usize> {
    let txn = txn as usize;
    txn.checked_sub(1).map_or(0, |before| ends[before])..ends[txn]
}

/// Dependencies between transactions.
#[derive(Clone, Debug)]
pub struct Dependencies {
    /// How many vertices are transactions (or the caller's own).
    pub real: u32,
    /// How many auxiliary vertices follow them.
    pub auxiliary: u32,
    /// What is known.
    pub edges: Vec<Edge>,
    /// What is left to choose: of each set, one order.
    pub choices: Vec<Choice>,
}

impl Dependencies {
    /// `versions`: (key, rank, writer) by rank; `readers`: (key, writer, reader) by writer.
    fn of_key(&mut self, key: u32, versions: &[(u32, u32, u32)], readers: &[(u32, u32, u32)]) {
        let readers_of = |writer: u32| {
            let first = readers.partition_point(|reader| reader.1 < writer);
            readers[first..].iter().take_while(move |reader| reader.1 == writer).map(|reader| reader.2)
        };
        let ranked = versions.partition_point(|version| version.1 != UNRANKED);
        let mut earlier: Vec<u32> = Vec::new();
        let mut seen_earlier: Vec<u32> = readers_of(INITIAL).collect();
        for group in versions[..ranked].chunk_by(|a, b| a.1 == b.1) {
            let writers: Vec<u32> = group.iter().map(|version| version.2).collect();
            self.join(&earlier, &seen_earlier, &writers);
            seen_earlier = writers.iter().flat_map(|writer| readers_of(*writer)).collect();
            if ranked == versions.len() && writers.len() > 1 {
                self.choices.push(Choice::new(key, &writers, readers_of));
            }
            earlier = writers;
        }
        if ranked < versions.len() {
            let writers: Vec<u32> = versions.iter().map(|version| version.2).collect();
            self.join(&[], &readers_of(INITIAL).collect::<Vec<u32>>(), &writers);
            if writers.len() > 1 {
                self.choices.push(Choice::new(key, &writers, readers_of));
            }
        }
    }

    /// Each of `earlier` -ww-> and each of `readers` -rw-> each of `later`.
    fn join(&mut self, earlier: &[u32], readers: &[u32], later: &[u32]) {
        let sources =
            earlier.iter().map(|from| (*from, Relations::WW)).chain(readers.iter().map(|from| (*from, Relations::RW)));
        let count = earlier.len() + readers.len();
        if count > 1 && later.len() > 1 {
            let joined = self.real + self.auxiliary;
            self.auxiliary += 1;
            self.edges.extend(sources.map(|(from, relations)| Edge { from, to: joined, relations }));
            self.edges.extend(later.iter().map(|to| Edge { from: joined, to: *to, relations: Relations::LINK }));
        } else {
            for (from, relations) in sources {
                self.edges.extend(later.iter().map(|to| Edge { from, to: *to, relations }));
            }
        }
    }
}
