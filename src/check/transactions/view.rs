//! Transactions as axioms see them: who read whose version, who installed which. Dense ids only; no values.
//!
//! A [`TxnView`] holds the transactions that happened (others may have a place in it, with nothing in it), and of these only what
//! others can see: *external* reads (of versions of other transactions) and *installed* versions (the last write of each key). The
//! version order of a key is known as far as ranks say: a version precedes those of a higher rank; two of the same rank are ordered,
//! but it is not known how. A list's observed elements have ranks 0, 1, 2, ..., and its unobserved appends all have the next one.

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

    /// These transactions (ascending) alone, numbered anew; keys too, of which only those remain that one of them installs. Who else
    /// installed a version of such a key that one of them read comes after them, with such versions and nothing more. Second, what
    /// transactions and keys are called here.
    #[must_use]
    pub(super) fn part(&self, members: &[u32]) -> (TxnView, Names) {
        let mut keys: Vec<u32> = members.iter().flat_map(|txn| self.writes(*txn)).map(|write| write.key).collect();
        keys.sort_unstable();
        keys.dedup();
        let key = |name: u32| keys.binary_search(&name).ok().and_then(|at| u32::try_from(at).ok());
        let kept = |read: &&Read| read.writer != INITIAL && key(read.key).is_some();
        let mut outside: Vec<u32> =
            members.iter().flat_map(|txn| self.reads(*txn)).filter(kept).map(|read| read.writer).collect();
        outside.sort_unstable();
        outside.dedup();
        outside.retain(|txn| members.binary_search(txn).is_err());
        let count = members.len();
        let number = |name: u32| {
            let inside = members.binary_search(&name).ok();
            inside
                .or_else(|| outside.binary_search(&name).ok().map(|at| count + at))
                .and_then(|at| u32::try_from(at).ok())
        };
        let mut part = TxnView::new();
        for txn in members.iter().chain(&outside) {
            let inside = part.before.len() < count;
            let reads = if inside { self.reads(*txn) } else { &[] };
            part.push(
                None,
                false,
                reads.iter().filter_map(|read| {
                    let writer = if read.writer == INITIAL { INITIAL } else { number(read.writer)? };
                    Some(Read { key: key(read.key)?, writer })
                }),
                self.writes(*txn).iter().filter_map(|write| Some(Write { key: key(write.key)?, rank: write.rank })),
            );
            if let Some(before) = self.before(*txn).filter(|_| inside)
                && let Ok(before) = members.binary_search(&before)
                && let Some(own) = part.before.last_mut()
            {
                *own = u32::try_from(before).unwrap_or(INITIAL);
            }
        }
        (part, Names { txns: members.iter().copied().chain(outside).collect(), keys })
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
}

fn row(ends: &[usize], txn: u32) -> std::ops::Range<usize> {
    let txn = txn as usize;
    txn.checked_sub(1).map_or(0, |before| ends[before])..ends[txn]
}

/// What the transactions and keys of a part are called in the whole.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) txns: Vec<u32>,
    pub(super) keys: Vec<u32>,
}
