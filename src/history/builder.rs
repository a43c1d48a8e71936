//! Records to operations.
//!
//! A [`Batch`] takes records as a reader meets them, with values interned locally, so that readers can run in parallel. A
//! [`Builder`] takes the batches in order, gives all values one home, pairs invocations with completions, and yields the
//! [`History`]. Cost: linear in records and distinct values.

use hashbrown::HashMap;
use rayon::prelude::*;

use super::operations::{Header, MicroOp, Observation, ProcessId, Status};
use super::{History, Interner, Origin, Value};

type SeededMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

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

#[derive(Clone, Copy, Debug)]
struct Packed {
    time: i64,
    process: Value,
    f: Value,
    key: Value,
    value: Value,
    mop_end: u32,
    kind: RecordType,
    final_read: bool,
}

#[derive(Clone, Copy, Debug)]
struct Extra {
    node: Value,
    session: Value,
    version: Value,
}

const NO_EXTRA: Extra = Extra { node: Value::ABSENT, session: Value::ABSENT, version: Value::ABSENT };

/// Consecutive records, their values interned among themselves.
#[derive(Debug, Default)]
pub struct Batch {
    interner: Interner,
    records: Vec<Packed>,
    mops: Vec<MicroOp>,
    /// Empty, or one a record.
    extras: Vec<Extra>,
    /// Empty while every record's index is its predecessor's plus one (from `first_index`), else one a record.
    indices: Vec<Option<i64>>,
    first_index: Option<i64>,
}

impl Batch {
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
        self.mops.push(mop);
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
            + self.interner.values().bytes() * 3 / 2
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

    fn index(&self, at: usize) -> Option<i64> {
        match self.indices.get(at) {
            Some(index) => *index,
            None => self.first_index.map(|first| first.saturating_add(at as i64)),
        }
    }

    fn mop_range(&self, at: usize) -> std::ops::Range<usize> {
        let start = if at == 0 { 0 } else { self.records[at - 1].mop_end as usize };
        start..self.records[at].mop_end as usize
    }

    fn translate(&mut self, translation: &super::Translation) {
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

/// Why records are no history. Positions are ranks in the order in which the records were pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    /// The record at fault, where one is.
    pub position: Option<u32>,
    /// Another record that matters.
    pub other: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Collects batches in order; [`Builder::finish`] makes them a history.
#[derive(Debug, Default)]
pub struct Builder {
    interner: Interner,
    batches: Vec<Batch>,
    header: Option<Value>,
    independent: Option<bool>,
}

impl Builder {
    /// Where the values of the header live.
    pub fn interner(&mut self) -> &mut Interner {
        &mut self.interner
    }

    /// What the header says: a map in [`Builder::interner`].
    pub fn header(&mut self, fields: Value) {
        self.header = Some(fields);
    }

    /// Whether values are `[key, value]` tuples; not said: where the reads' invocations show it.
    pub fn independent(&mut self, independent: Option<bool>) {
        self.independent = independent;
    }

    /// Adds the records that come next.
    pub fn add(&mut self, batch: Batch) {
        self.batches.push(batch);
    }

    /// All records as operations.
    ///
    /// # Errors
    /// Records that contradict each other, with their positions and the way out.
    pub fn finish(mut self, origin: Box<dyn Origin>) -> Result<History, BuildError> {
        let translations: Vec<_> =
            self.batches.iter().map(|batch| self.interner.absorb(batch.interner.values())).collect();
        let full = self.interner.is_full() || self.batches.iter().any(|batch| batch.interner.is_full());
        self.batches.par_iter_mut().zip(translations).for_each(|(batch, translation)| {
            batch.translate(&translation);
            batch.interner = Interner::new();
        });
        let records: usize = self.batches.iter().map(Batch::len).sum();
        if full || u32::try_from(records).is_err() || records >= History::NO_POSITION as usize {
            return Err(BuildError {
                position: None,
                other: None,
                message: format!("the history is too large: {records} records, with their values"),
                help: "one run takes up to 4 billion records, 2^30 distinct strings and 2^28 distinct list prefixes; \
                       split the history by key"
                    .to_owned(),
            });
        }
        self.check_order()?;
        self.split_tuples()?;
        Pairing::new(self)?.run(origin)
    }

    fn records(&self) -> impl Iterator<Item = (u32, &Packed)> + '_ {
        self.batches.iter().flat_map(|batch| &batch.records).zip(0u32..).map(|(record, at)| (at, record))
    }

    /// Positions follow the records' own `index`, where they have one: the file's order has to agree with it.
    fn check_order(&self) -> Result<(), BuildError> {
        let mut last: Option<(u32, i64)> = None;
        let mut position = 0;
        for batch in &self.batches {
            for at in 0..batch.len() {
                if let Some(index) = batch.index(at) {
                    if let Some((other, previous)) = last.filter(|(_, previous)| *previous >= index) {
                        return Err(BuildError {
                            position: Some(position),
                            other: Some(other),
                            message: format!("index {index} comes after index {previous}"),
                            help: "records are read in the order of the file, and `index` has to grow with it: sort \
                                   the records by index, or leave `index` out"
                                .to_owned(),
                        });
                    }
                    last = Some((position, index));
                }
                position += 1;
            }
        }
        Ok(())
    }

    /// Jepsen's independent tuples: `[key, value]` becomes the key and the value.
    fn split_tuples(&mut self) -> Result<(), BuildError> {
        let header = self.header.and_then(|header| self.interner.values().get(header, "independent"));
        let told = self.independent.or(header.map(|value| value == Value::TRUE));
        if !told.unwrap_or_else(|| self.reads_carry_pairs()) {
            return Ok(());
        }
        let txn = self.interner.string("txn");
        let values = self.interner.values();
        let observers = Observers::find(self.records().map(|(_, record)| *record));
        let mut position = 0;
        for batch in &mut self.batches {
            let mut mops = Vec::new();
            for at in 0..batch.records.len() {
                let range = batch.mop_range(at);
                let had_mops = !range.is_empty();
                mops.extend_from_slice(&batch.mops[range]);
                let record = &mut batch.records[at];
                if record.key.is_absent() && !observers.contains(record.process) && !had_mops && !record.value.is_null()
                {
                    let items = if record.value.is_list() { values.items(record.value) } else { Vec::new() };
                    let &[key, value] = items.as_slice() else {
                        return Err(BuildError {
                            position: Some(position),
                            other: None,
                            message: format!(
                                "the value {} is no [key, value] tuple, where other records have tuples",
                                values.json(record.value, 60)
                            ),
                            help: "give every record a `key` field, or say `--independent false` if a pair is a plain \
                                   value here"
                                .to_owned(),
                        });
                    };
                    (record.key, record.value) = (key, value);
                    if record.f == txn || record.f.is_absent() {
                        for mop in values.items(value) {
                            mops.push(mop_of(&values.items(mop)));
                        }
                    }
                }
                position += 1;
                record.mop_end = u32::try_from(mops.len()).unwrap_or(u32::MAX);
            }
            batch.mops = mops;
        }
        Ok(())
    }

    fn reads_carry_pairs(&self) -> bool {
        let values = self.interner.values();
        let mut pairs = 0;
        for (_, record) in self.records() {
            if !record.key.is_absent() {
                return false;
            }
            if record.kind == RecordType::Invoke && values.as_str(record.f) == Some("read") {
                let Some((rest, last)) = values.split_last(record.value) else { return false };
                if last != Value::NULL || values.len(rest) != 1 {
                    return false;
                }
                pairs += 1;
            }
        }
        pairs > 0
    }
}

fn mop_of(items: &[Value]) -> MicroOp {
    MicroOp {
        f: items.first().copied().unwrap_or(Value::ABSENT),
        key: items.get(1).copied().unwrap_or(Value::ABSENT),
        value: items.get(2).copied().unwrap_or(Value::ABSENT),
    }
}

/// The processes all of whose records are `info`.
struct Observers {
    acts: SeededMap<Value, bool>,
}

impl Observers {
    fn find(records: impl Iterator<Item = Packed>) -> Observers {
        let mut acts: SeededMap<Value, bool> = SeededMap::default();
        for record in records {
            *acts.entry(record.process).or_insert(false) |= record.kind != RecordType::Info;
        }
        Observers { acts }
    }

    fn contains(&self, process: Value) -> bool {
        !process.is_absent() && self.acts.get(&process) == Some(&false)
    }
}

/// A process while its records are paired.
#[derive(Clone, Copy)]
struct Lane {
    id: ProcessId,
    observer: bool,
    /// The operation in flight, the position of its invocation, and whether that has micro-operations.
    open: Option<(u32, u32, bool)>,
    /// The position of the process's last record.
    last: Option<u32>,
}

struct Pairing {
    interner: Interner,
    batches: Vec<Batch>,
    lanes: Vec<Lane>,
    by_name: SeededMap<Value, u32>,
    anonymous: bool,
    history: History,
    has_mops: bool,
    has_extras: bool,
    has_final: bool,
    /// For each operation, the record whose micro-operations it has.
    mop_record: Vec<u32>,
}

impl Pairing {
    fn new(mut builder: Builder) -> Result<Pairing, BuildError> {
        let mut lanes: Vec<Lane> = Vec::new();
        let mut by_name: SeededMap<Value, u32> = SeededMap::default();
        let mut processes = Vec::new();
        let (mut invocation, mut nameless) = (None, None);
        for (position, record) in builder.records() {
            if record.kind == RecordType::Invoke {
                invocation = invocation.or(Some(position));
            }
            if record.process.is_absent() {
                nameless = nameless.or(Some(position));
                continue;
            }
            let lane = *by_name.entry(record.process).or_insert_with(|| {
                let id = u32::try_from(lanes.len()).unwrap_or(u32::MAX);
                lanes.push(Lane { id: ProcessId(id), observer: true, open: None, last: None });
                processes.push(record.process);
                id
            });
            lanes[lane as usize].observer &= record.kind == RecordType::Info;
        }
        if let (Some(position), Some(other)) = (nameless, invocation) {
            return Err(BuildError {
                position: Some(position),
                other: Some(other),
                message: "this record has no `process`".to_owned(),
                help: "a completion finds its invocation by its process: give every record a `process`; only a \
                       history of completions alone can do without"
                    .to_owned(),
            });
        }
        let (mut has_mops, mut has_extras, mut has_final) = (false, false, false);
        for batch in &builder.batches {
            has_mops |= !batch.mops.is_empty();
            has_extras |= !batch.extras.is_empty();
            has_final |= batch.records.iter().any(|record| record.final_read);
        }
        let header = Header { fields: builder.header.unwrap_or(Value::ABSENT) };
        let records = builder.records().count();
        let interner = std::mem::take(&mut builder.interner);
        let history = History {
            values: super::Values::default(),
            header,
            processes,
            process: Vec::with_capacity(records / 2 + 1),
            f: Vec::with_capacity(records / 2 + 1),
            status: Vec::with_capacity(records / 2 + 1),
            began: Vec::with_capacity(records / 2 + 1),
            invoked: Vec::with_capacity(records / 2 + 1),
            completed: Vec::with_capacity(records / 2 + 1),
            key: Vec::with_capacity(records / 2 + 1),
            argument: Vec::with_capacity(records / 2 + 1),
            result: Vec::with_capacity(records / 2 + 1),
            invoked_time: Vec::with_capacity(records / 2 + 1),
            completed_time: Vec::with_capacity(records / 2 + 1),
            mop_ends: Vec::new(),
            mops: Vec::new(),
            node: Vec::new(),
            session: Vec::new(),
            version: Vec::new(),
            final_read: Vec::new(),
            observations: Vec::new(),
            records: u32::try_from(records).unwrap_or(u32::MAX),
            origin: Box::new(super::NoOrigin),
        };
        Ok(Pairing {
            interner,
            batches: builder.batches,
            lanes,
            by_name,
            anonymous: nameless.is_some(),
            history,
            has_mops,
            has_extras,
            has_final,
            mop_record: Vec::new(),
        })
    }

    fn run(mut self, origin: Box<dyn Origin>) -> Result<History, BuildError> {
        let batches = std::mem::take(&mut self.batches);
        let mut position = 0u32;
        for batch in &batches {
            for (at, record) in batch.records.iter().enumerate() {
                let extra = batch.extras.get(at).copied().unwrap_or(NO_EXTRA);
                let mops = self.has_mops && !batch.mop_range(at).is_empty();
                self.take(position, record, extra, mops)?;
                position += 1;
            }
        }
        if self.has_mops {
            self.gather_mops(&batches);
        }
        drop(batches);
        self.history.values = self.interner.finish();
        self.history.origin = origin;
        Ok(self.history)
    }

    fn take(&mut self, position: u32, record: &Packed, extra: Extra, mops: bool) -> Result<(), BuildError> {
        let mut lane = match self.by_name.get(&record.process) {
            Some(lane) => self.lanes[*lane as usize],
            None => self.fresh_lane(),
        };
        if lane.observer {
            self.history.observations.push(Observation {
                position,
                process: lane.id,
                f: record.f,
                key: record.key,
                value: record.value,
                time: record.time,
                node: extra.node,
            });
            return Ok(());
        }
        match (record.kind, lane.open) {
            (RecordType::Invoke, Some((_, other, _))) => {
                return Err(BuildError {
                    position: Some(position),
                    other: Some(other),
                    message: format!(
                        "process {} invokes an operation while its last one has no completion",
                        self.interner.values().json(record.process, 60)
                    ),
                    help:
                        "a process has one operation at a time: complete the first one (`info` if its outcome is not \
                           known), or give concurrent operations processes of their own"
                            .to_owned(),
                });
            }
            (RecordType::Invoke, None) => {
                let op = self.open(lane, position, record, extra);
                let at = op as usize;
                self.history.invoked[at] = position;
                self.history.began[at] = position;
                self.history.invoked_time[at] = record.time;
                self.history.argument[at] = record.value;
                self.mop_record[at] = position;
                lane.open = Some((op, position, mops));
            }
            (RecordType::Ok, Some((_, other, true))) if !mops => {
                return Err(BuildError {
                    position: Some(position),
                    other: Some(other),
                    message: "this transaction is `ok`, and does not say what its micro-operations returned".to_owned(),
                    help: "the `ok` record's value repeats the invocation's list, with the results of its reads; if \
                           the results are not known, write `info`"
                        .to_owned(),
                });
            }
            (_, Some((op, ..))) => {
                self.complete(op, position, record, extra, mops)?;
                lane.open = None;
            }
            (_, None) => {
                let op = self.open(lane, position, record, extra);
                self.history.began[op as usize] = lane.last.map_or(0, |last| last + 1);
                self.complete(op, position, record, extra, mops)?;
            }
        }
        lane.last = Some(position);
        self.lanes[lane.id.0 as usize] = lane;
        Ok(())
    }

    /// In a history of completions alone, a record without a process is its own process.
    fn fresh_lane(&mut self) -> Lane {
        debug_assert!(self.anonymous, "every named process was seen before");
        let id = ProcessId(u32::try_from(self.lanes.len()).unwrap_or(u32::MAX));
        let lane = Lane { id, observer: false, open: None, last: None };
        self.lanes.push(lane);
        self.history.processes.push(Value::ABSENT);
        lane
    }

    fn open(&mut self, lane: Lane, position: u32, record: &Packed, extra: Extra) -> u32 {
        let history = &mut self.history;
        let op = u32::try_from(history.process.len()).unwrap_or(u32::MAX);
        history.process.push(lane.id);
        history.f.push(record.f);
        history.status.push(Status::Info);
        history.began.push(0);
        history.invoked.push(History::NO_POSITION);
        history.completed.push(History::NO_POSITION);
        history.key.push(record.key);
        history.argument.push(Value::ABSENT);
        history.result.push(Value::ABSENT);
        history.invoked_time.push(History::NO_TIME);
        history.completed_time.push(History::NO_TIME);
        if self.has_extras {
            history.node.push(extra.node);
            history.session.push(extra.session);
            history.version.push(extra.version);
        }
        if self.has_final {
            history.final_read.push(record.final_read);
        }
        self.mop_record.push(position);
        op
    }

    fn complete(
        &mut self,
        op: u32,
        position: u32,
        record: &Packed,
        extra: Extra,
        mops: bool,
    ) -> Result<(), BuildError> {
        let history = &mut self.history;
        let at = op as usize;
        let invocation = Some(history.invoked[at]).filter(|p| *p != History::NO_POSITION);
        for (what, column, said) in [("f", &mut history.f, record.f), ("key", &mut history.key, record.key)] {
            let known = &mut column[at];
            if known.is_absent() || (what == "key" && known.is_null() && !said.is_absent()) {
                *known = said;
            } else if *known != said && !said.is_absent() && !(what == "key" && said.is_null()) {
                let values = self.interner.values();
                return Err(BuildError {
                    position: Some(position),
                    other: invocation,
                    message: format!(
                        "this completion has `{what}` {}, and its invocation {}",
                        values.json(said, 60),
                        values.json(*known, 60)
                    ),
                    help: "a completion belongs to the last invocation of its process: check the two records, and \
                           whether two clients share a process"
                        .to_owned(),
                });
            }
        }
        history.status[at] = match record.kind {
            RecordType::Ok => Status::Ok,
            RecordType::Fail => Status::Fail,
            RecordType::Info | RecordType::Invoke => Status::Info,
        };
        history.completed[at] = position;
        history.completed_time[at] = record.time;
        history.result[at] = record.value;
        if mops && (record.kind == RecordType::Ok || invocation.is_none()) {
            self.mop_record[at] = position;
        }
        if self.has_extras {
            for (column, said) in [
                (&mut history.node, extra.node),
                (&mut history.session, extra.session),
                (&mut history.version, extra.version),
            ] {
                if !said.is_absent() {
                    column[at] = said;
                }
            }
        }
        if self.has_final {
            history.final_read[at] |= record.final_read;
        }
        Ok(())
    }

    fn gather_mops(&mut self, batches: &[Batch]) {
        let mut starts = Vec::with_capacity(batches.len());
        let mut first = 0usize;
        for batch in batches {
            starts.push(first);
            first += batch.len();
        }
        let history = &mut self.history;
        history.mop_ends.reserve_exact(self.mop_record.len());
        let txn = self.interner.string("txn");
        for (at, record) in self.mop_record.iter().enumerate() {
            let record = *record as usize;
            let batch = starts.partition_point(|start| *start <= record) - 1;
            let range = batches[batch].mop_range(record - starts[batch]);
            if !range.is_empty() && history.f[at].is_absent() {
                history.f[at] = txn;
            }
            history.mops.extend_from_slice(&batches[batch].mops[range]);
            history.mop_ends.push(u32::try_from(history.mops.len()).unwrap_or(u32::MAX));
        }
        history.mops.shrink_to_fit();
    }
}
