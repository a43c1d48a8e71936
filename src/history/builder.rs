//! Batches of records to a history.
//!
//! A [`Builder`] takes the batches in order, gives all values one home and all processes a number, and checks that positions
//! grow; [`Builder::finish`] splits independent tuples and has the operations paired. Cost: linear in records and distinct
//! values.

use hashbrown::HashMap;

use super::batch::{Batch, Packed, RecordType};
use super::operations::{Header, MicroOp};
use super::pairing::pair;
use super::{History, Interner, Origin, Value};

pub(super) type SeededMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

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
    pub(super) interner: Interner,
    pub(super) batches: Vec<Batch>,
    pub(super) processes: Processes,
    /// The position of the first invocation.
    pub(super) invocation: Option<u32>,
    header: Option<Value>,
    independent: Option<bool>,
    records: usize,
    bytes: usize,
    last_index: Option<(u32, i64)>,
    full: bool,
    over_limit: bool,
    error: Option<BuildError>,
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

    /// The records so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// About how many bytes all this occupies.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes + self.interner.bytes()
    }

    /// Whether it came to the limit of its interner.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        self.over_limit
    }

    /// Adds the records that come next.
    pub fn add(&mut self, mut batch: Batch) {
        let translation = self.interner.absorb(&batch.interner);
        self.full |= self.interner.is_full() || batch.is_full();
        self.over_limit |= self.interner.is_over_limit() || batch.is_over_limit();
        batch.translate(&translation);
        batch.interner = Interner::new();
        let before = self.records;
        self.records += batch.len();
        let (Ok(first), Ok(_)) = (u32::try_from(before), u32::try_from(self.records)) else {
            self.full = true;
            return;
        };
        self.check_order(&batch, first);
        for (record, position) in batch.records.iter_mut().zip(first..) {
            if record.kind == RecordType::Invoke && self.invocation.is_none() {
                self.invocation = Some(position);
            }
            if !record.process.is_absent() {
                record.process = self.processes.number(record.process, record.kind != RecordType::Info);
            }
        }
        self.bytes += batch.bytes();
        self.batches.push(batch);
    }

    /// All records as operations.
    ///
    /// # Errors
    /// Records that contradict each other, with their positions and the way out.
    pub fn finish(mut self, origin: Box<dyn Origin>) -> Result<History, BuildError> {
        if self.full || self.records >= History::NO_POSITION as usize {
            return Err(too_large(self.records));
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.split_tuples()?;
        let header = Header { fields: self.header.unwrap_or(Value::ABSENT) };
        let records = u32::try_from(self.records).unwrap_or(u32::MAX);
        pair(self, header, records, origin)
    }

    /// Positions follow the records' own `index`, where they have one: the file's order has to agree with it.
    fn check_order(&mut self, batch: &Batch, first: u32) {
        let position = |rank: usize| first.saturating_add(u32::try_from(rank).unwrap_or(u32::MAX));
        if let Some((other, previous, rank, index)) = batch.disorder(self.last_index.map(|(_, index)| index)) {
            let before = self.last_index.map(|(at, _)| at);
            self.error.get_or_insert_with(|| BuildError {
                position: Some(position(rank)),
                other: other.map(position).or(before),
                message: format!("index {index} comes after index {previous}"),
                help:
                    "records are read in the order of the file, and `index` has to grow with it: sort the records by \
                       index, or leave `index` out"
                        .to_owned(),
            });
        }
        if let Some((rank, index)) = batch.last_index() {
            self.last_index = Some((position(rank), index));
        }
    }

    fn records(&self) -> impl Iterator<Item = &Packed> + '_ {
        self.batches.iter().flat_map(|batch| &batch.records)
    }

    /// Jepsen's independent tuples: `[key, value]` becomes the key and the value.
    fn split_tuples(&mut self) -> Result<(), BuildError> {
        let header = self.header.and_then(|header| self.interner.values().get(header, "independent"));
        let told = self.independent.or(header.map(|value| value == Value::TRUE));
        let independent = match told {
            Some(told) => told,
            None => self.reads_carry_pairs(),
        };
        if !independent {
            return Ok(());
        }
        let txn = self.interner.string("txn");
        let mut position = 0;
        for batch in &mut self.batches {
            let mut mops = Vec::new();
            for at in 0..batch.records.len() {
                let range = batch.mop_range(at);
                let had_mops = !range.is_empty();
                mops.extend_from_slice(&batch.mops[range]);
                let record = &mut batch.records[at];
                let observer = self.processes.is_observer(record.process);
                if record.key.is_absent() && !observer && !had_mops && !record.value.is_null() {
                    let is_list = record.value.is_list();
                    let items = if is_list { self.interner.values().items(record.value) } else { Vec::new() };
                    let &[key, value] = items.as_slice() else {
                        let shown = self.interner.values().json(record.value, 60);
                        return Err(no_tuple(position, &shown));
                    };
                    (record.key, record.value) = (key, value);
                    if record.f == txn || record.f.is_absent() {
                        let before = mops.len();
                        mops_of(&mut self.interner, value, &mut mops);
                        if mops.len() > before {
                            record.value = Value::ABSENT;
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

    fn reads_carry_pairs(&mut self) -> bool {
        let read = self.interner.string("read");
        let values = self.interner.values();
        let mut pairs = 0;
        for record in self.records() {
            if !record.key.is_absent() {
                return false;
            }
            if record.kind == RecordType::Invoke && record.f == read {
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

pub(super) fn too_large(records: usize) -> BuildError {
    BuildError {
        position: None,
        other: None,
        message: format!("the history is too large: {records} records, with their values"),
        help: "one run takes up to 4 billion records and as many micro-operations, 2^30 distinct strings and 2^28 distinct \
               list prefixes; split the history by key"
            .to_owned(),
    }
}

#[cold]
fn no_tuple(position: u32, shown: &str) -> BuildError {
    BuildError {
        position: Some(position),
        other: None,
        message: format!("the value {shown} is no [key, value] tuple, where other records have tuples"),
        help: "give every record a `key` field, or say `--independent false` if a pair is a plain value here"
            .to_owned(),
    }
}

/// Adds the micro-operations that this value is, if all of its items are lists that begin with a name; else nothing.
fn mops_of(interner: &mut Interner, value: Value, mops: &mut Vec<MicroOp>) {
    let before = mops.len();
    for item in interner.values().items(value) {
        let items = if item.is_list() { interner.values().items(item) } else { Vec::new() };
        let Some(&f) = items.first().filter(|f| interner.values().as_str(**f).is_some()) else {
            mops.truncate(before);
            return;
        };
        let value = match items.get(2..) {
            None | Some([]) => Value::ABSENT,
            Some([value]) => *value,
            Some(rest) => interner.list(rest),
        };
        mops.push(MicroOp { f, key: items.get(1).copied().unwrap_or(Value::ABSENT), value });
    }
}

/// The processes, numbered in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Processes {
    pub(super) names: Vec<Value>,
    /// Whether it has a record that is not `info`.
    acts: Vec<bool>,
    /// Numbers plus one by small integer name; 0 where there is none.
    small: Vec<u32>,
    by_name: SeededMap<Value, u32>,
}

/// Names up to this one are looked up in a table.
const SMALL: i64 = 1 << 16;

impl Processes {
    /// The number of this process, as a small integer.
    #[inline]
    fn number(&mut self, name: Value, acts: bool) -> Value {
        let number = match name.as_small() {
            Some(int @ 0..SMALL) => {
                let at = usize::try_from(int).unwrap_or(0);
                match self.small.get(at) {
                    Some(&number) if number > 0 => number - 1,
                    _ => {
                        let number = self.add(name);
                        self.small.resize(self.small.len().max(at + 1), 0);
                        self.small[at] = number + 1;
                        number
                    }
                }
            }
            _ => match self.by_name.get(&name) {
                Some(&number) => number,
                None => {
                    let number = self.add(name);
                    self.by_name.insert(name, number);
                    number
                }
            },
        };
        self.acts[number as usize] |= acts;
        // There are fewer processes than records and atoms, so that the number is small.
        Value::small(i64::from(number)).unwrap_or(Value::ABSENT)
    }

    fn add(&mut self, name: Value) -> u32 {
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name);
        self.acts.push(false);
        number
    }

    /// The number that [`Processes::number`] gave.
    #[inline]
    pub(super) fn decode(number: Value) -> Option<usize> {
        usize::try_from(number.as_small()?).ok()
    }

    /// Whether all records of this process are `info`.
    #[inline]
    pub(super) fn is_observer(&self, number: Value) -> bool {
        Processes::decode(number).is_some_and(|at| !self.acts[at])
    }
}
