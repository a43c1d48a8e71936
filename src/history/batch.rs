//! Records as a reader meets them: consecutive ones make a [`Batch`], whose values are interned among themselves, so that
//! readers can run in parallel.

use super::operations::MicroOp;
use super::{History, Interner, Translation, Value};

/// What a record says of its operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum RecordType {
    /// It begins.
    Invoke,
    /// It happened.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

impl RecordType {
    /// By its name in a history.
    #[must_use]
    pub fn named(name: &str) -> Option<RecordType> {
        match name {
            "invoke" => Some(RecordType::Invoke),
            "ok" => Some(RecordType::Ok),
            "fail" => Some(RecordType::Fail),
            "info" => Some(RecordType::Info),
            _ => None,
        }
    }
}

/// A record as a reader hands it over; what was not there is [`Value::ABSENT`], [`History::NO_TIME`] or `None`.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Its type.
    pub kind: RecordType,
    /// Who acts.
    pub process: Value,
    /// The function.
    pub f: Value,
    /// The object.
    pub key: Value,
    /// Argument or result; not read where the batch was given micro-operations for this record.
    pub value: Value,
    /// Nanoseconds.
    pub time: i64,
    /// Position, as the record claims it.
    pub index: Option<i64>,
    /// The server.
    pub node: Value,
    /// The session.
    pub session: Value,
    /// The server's revision.
    pub version: Value,
    /// A read after everything settled.
    pub final_read: bool,
}

impl Record {
    /// A record of this type that says nothing else.
    #[must_use]
    pub fn new(kind: RecordType) -> Record {
        Record {
            kind,
            process: Value::ABSENT,
            f: Value::ABSENT,
            key: Value::ABSENT,
            value: Value::ABSENT,
            time: History::NO_TIME,
            index: None,
            node: Value::ABSENT,
            session: Value::ABSENT,
            version: Value::ABSENT,
            final_read: false,
        }
    }
}

/// A record in the 32 bytes that all records need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    pub(super) time: i64,
    /// Who acts; in a builder's hands, the process's number as a small integer.
    pub(super) process: Value,
    pub(super) f: Value,
    pub(super) key: Value,
    pub(super) value: Value,
    pub(super) mop_end: u32,
    pub(super) kind: RecordType,
    pub(super) final_read: bool,
}

/// What few histories say of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extra {
    pub(super) node: Value,
    pub(super) session: Value,
    pub(super) version: Value,
}

/// Nothing of it.
pub(super) const NO_EXTRA: Extra = Extra { node: Value::ABSENT, session: Value::ABSENT, version: Value::ABSENT };

/// Consecutive records, their values interned among themselves.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) interner: Interner,
    pub(super) records: Vec<Packed>,
    pub(super) mops: Vec<MicroOp>,
    /// Empty, or one a record.
    pub(super) extras: Vec<Extra>,
    /// Empty while every record's index is its predecessor's plus one (from `first_index`), else one a record.
    indices: Vec<Option<i64>>,
    first_index: Option<i64>,
}

impl Batch {
    /// An empty batch, with room for as much as another one holds: batches of one history are much alike.
    #[must_use]
    pub fn like(other: &Batch) -> Batch {
        let room = |count: usize| count + count / 16;
        Batch {
            interner: Interner::like(&other.interner),
            records: Vec::with_capacity(room(other.records.len())),
            mops: Vec::with_capacity(room(other.mops.len())),
            ..Batch::default()
        }
    }

    /// Where this batch's values live.
    pub fn interner(&mut self) -> &mut Interner {
        &mut self.interner
    }

    /// The records so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds a micro-operation to the record that will be pushed next.
    #[inline]
    pub fn push_mop(&mut self, mop: MicroOp) {
        // A record can't have more of them than its interner may take.
        if self.mops.len() < self.mops.capacity() || self.interner.spend(self.mops.len().max(64) * size_of::<MicroOp>())
        {
            self.mops.push(mop);
        }
    }

    /// Forgets the micro-operations of the record that will be pushed next.
    pub fn drop_mops(&mut self) {
        self.mops.truncate(self.records.last().map_or(0, |record| record.mop_end as usize));
    }

    /// About how many bytes this batch occupies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.records.len() * size_of::<Packed>()
            + self.mops.len() * size_of::<MicroOp>()
            + self.extras.len() * size_of::<Extra>()
            + self.indices.len() * 16
            + self.interner.bytes()
    }

    /// Adds a record, with the micro-operations pushed since the last one.
    pub fn push(&mut self, record: Record) {
        let at = self.records.len();
        if at == 0 {
            self.first_index = record.index;
        }
        let expected = self.first_index.and_then(|first| first.checked_add(i64::try_from(at).ok()?));
        if self.indices.is_empty() && record.index != expected {
            let first = self.first_index;
            self.indices.extend((0..at).map(|i| first.map(|first| first + i as i64)));
            self.indices.push(record.index);
        } else if !self.indices.is_empty() {
            self.indices.push(record.index);
        }
        let extra = Extra { node: record.node, session: record.session, version: record.version };
        let some = !(extra.node.is_absent() && extra.session.is_absent() && extra.version.is_absent());
        if some || !self.extras.is_empty() {
            self.extras.resize(at, NO_EXTRA);
            self.extras.push(extra);
        }
        self.records.push(Packed {
            time: record.time,
            process: record.process,
            f: record.f,
            key: record.key,
            value: record.value,
            mop_end: u32::try_from(self.mops.len()).unwrap_or(u32::MAX),
            kind: record.kind,
            final_read: record.final_read,
        });
    }

    /// The index that a record claims.
    pub(super) fn index(&self, at: usize) -> Option<i64> {
        match self.indices.get(at) {
            Some(index) => *index,
            None => self.first_index.map(|first| first.saturating_add(at as i64)),
        }
    }

    /// Where a record's micro-operations are.
    pub(super) fn mop_range(&self, at: usize) -> std::ops::Range<usize> {
        let start = if at == 0 { 0 } else { self.records[at - 1].mop_end as usize };
        start..self.records[at].mop_end as usize
    }

    /// Whether it came to the limit of its interner.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        self.interner.is_over_limit()
    }

    /// Whether there were more values or micro-operations than can be told apart.
    pub(super) fn is_full(&self) -> bool {
        self.interner.is_full() || u32::try_from(self.mops.len()).is_err()
    }

    /// The first two records whose indices do not grow, `before` being that of the record before this batch: their ranks
    /// (nothing for the one before), and the indices.
    pub(super) fn disorder(&self, before: Option<i64>) -> Option<(Option<usize>, i64, usize, i64)> {
        let mut last = before.map(|index| (None, index));
        // Without a list of indices, they grow by one from the first on.
        let ranks = if self.indices.is_empty() { self.records.len().min(1) } else { self.records.len() };
        for rank in 0..ranks {
            let Some(index) = self.index(rank) else { continue };
            if let Some((other, previous)) = last.filter(|(_, previous)| *previous >= index) {
                return Some((other, previous, rank, index));
            }
            last = Some((Some(rank), index));
        }
        None
    }

    /// The last index that a record claims, and that record's rank.
    pub(super) fn last_index(&self) -> Option<(usize, i64)> {
        (0..self.records.len()).rev().find_map(|rank| Some((rank, self.index(rank)?)))
    }

    /// Gives every value its handle in another interner.
    pub(super) fn translate(&mut self, translation: &Translation) {
        for record in &mut self.records {
            record.process = translation.apply(record.process);
            record.f = translation.apply(record.f);
            record.key = translation.apply(record.key);
            record.value = translation.apply(record.value);
        }
        for mop in &mut self.mops {
            *mop = MicroOp {
                f: translation.apply(mop.f),
                key: translation.apply(mop.key),
                value: translation.apply(mop.value),
            };
        }
        for extra in &mut self.extras {
            *extra = Extra {
                node: translation.apply(extra.node),
                session: translation.apply(extra.session),
                version: translation.apply(extra.version),
            };
        }
    }
}
