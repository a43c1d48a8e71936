//! Invocations and completions to operations.
//!
//! A completion belongs to the open invocation of its process. A process all of whose records are `info` observes, and is
//! never paired. Records without a process are paired where that leaves no choice: one such operation of each function in
//! flight at a time. Cost: linear in records and micro-operations; batches are freed as they are consumed.

use std::sync::Arc;

use super::batch::{Batch, Extra, NO_EXTRA, Packed, RecordType};
use super::builder::{BuildError, Builder, Processes, SeededMap, too_large};
use super::operations::{Header, MicroOp, Observation, ProcessId, Status};
use super::{History, Interner, NoOrigin, Origin, Value};

/// The history of these records.
///
/// # Errors
/// Records that contradict each other, with their positions and the way out.
pub(super) fn pair(
    builder: Builder,
    header: Header,
    records: u32,
    origin: Box<dyn Origin>,
) -> Result<History, BuildError> {
    Pairing::new(builder, header, records).run(origin)
}

/// Where the micro-operations of a record are.
#[derive(Clone, Copy)]
struct MopRange {
    batch: u32,
    start: u32,
    end: u32,
}

const NO_MOPS: MopRange = MopRange { batch: 0, start: 0, end: 0 };

impl MopRange {
    fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// An operation in flight.
#[derive(Clone, Copy)]
struct Open {
    op: u32,
    position: u32,
    has_mops: bool,
}

/// A process while its records are paired.
#[derive(Clone, Copy, Default)]
struct Lane {
    open: Option<Open>,
    /// The position after the process's last record.
    next: u32,
}

struct Pairing {
    interner: Interner,
    batches: Vec<Batch>,
    processes: Processes,
    lanes: Vec<Lane>,
    /// The operations in flight without a process, by function.
    nameless: SeededMap<Value, Open>,
    invocation: Option<u32>,
    history: History,
    has_mops: bool,
    has_extras: bool,
    has_final: bool,
    /// For each operation, where its micro-operations are; empty where no record has any.
    mops: Vec<MopRange>,
}

impl Pairing {
    fn new(mut builder: Builder, header: Header, records: u32) -> Pairing {
        let (mut has_mops, mut has_extras, mut has_final) = (false, false, false);
        for batch in &builder.batches {
            has_mops |= !batch.mops.is_empty();
            has_extras |= !batch.extras.is_empty();
            has_final |= batch.records.iter().any(|record| record.final_read);
        }
        let mut processes = std::mem::take(&mut builder.processes);
        let room = records as usize / 2 + 1;
        let history = History {
            values: Arc::default(),
            header,
            processes: Arc::new(std::mem::take(&mut processes.names)),
            process: Vec::with_capacity(room),
            f: Vec::with_capacity(room),
            status: Vec::with_capacity(room),
            began: Vec::with_capacity(room),
            invoked: Vec::with_capacity(room),
            completed: Vec::with_capacity(room),
            key: Vec::with_capacity(room),
            argument: Vec::with_capacity(room),
            result: Vec::with_capacity(room),
            invoked_time: Vec::with_capacity(room),
            completed_time: Vec::with_capacity(room),
            mop_ends: Vec::new(),
            mops: Vec::new(),
            node: Vec::new(),
            session: Vec::new(),
            version: Vec::new(),
            final_read: Vec::new(),
            observations: Vec::new(),
            records,
            origin: Arc::new(NoOrigin),
        };
        Pairing {
            interner: std::mem::take(&mut builder.interner),
            batches: builder.batches,
            lanes: vec![Lane::default(); history.processes.len()],
            processes,
            nameless: SeededMap::default(),
            invocation: builder.invocation,
            history,
            has_mops,
            has_extras,
            has_final,
            mops: Vec::new(),
        }
    }

    fn run(mut self, origin: Box<dyn Origin>) -> Result<History, BuildError> {
        let mut mops: Vec<Vec<MicroOp>> = Vec::new();
        let mut position = 0u32;
        for (at, batch) in std::mem::take(&mut self.batches).into_iter().enumerate() {
            let mut start = 0;
            for (rank, record) in batch.records.iter().enumerate() {
                let extra = if self.has_extras { batch.extras.get(rank).copied() } else { None };
                let range = MopRange { batch: u32::try_from(at).unwrap_or(u32::MAX), start, end: record.mop_end };
                start = record.mop_end;
                self.take(position, record, extra.unwrap_or(NO_EXTRA), range)?;
                position += 1;
            }
            mops.push(batch.mops);
        }
        if self.has_mops {
            self.gather_mops(mops)?;
        }
        self.history.values = Arc::new(self.interner.finish());
        self.history.origin = Arc::from(origin);
        Ok(self.history)
    }

    #[inline]
    fn take(&mut self, position: u32, record: &Packed, extra: Extra, mops: MopRange) -> Result<(), BuildError> {
        let Some(at) = Processes::decode(record.process) else {
            return self.take_nameless(position, record, extra, mops);
        };
        let process = ProcessId(u32::try_from(at).unwrap_or(u32::MAX));
        if self.processes.is_observer(record.process) {
            self.history.observations.push(Observation {
                position,
                process,
                f: record.f,
                key: record.key,
                value: record.value,
                time: record.time,
                node: extra.node,
            });
            return Ok(());
        }
        let lane = self.lanes[at];
        let open = match (record.kind, lane.open) {
            (RecordType::Invoke, Some(open)) => return Err(self.overlap(position, open.position, at)),
            (RecordType::Invoke, None) => Some(self.invoke(process, position, record, extra, mops)),
            (_, Some(open)) => {
                self.complete(open, position, record, extra, mops)?;
                None
            }
            (_, None) => {
                self.appear(process, lane.next, position, record, extra, mops)?;
                None
            }
        };
        self.lanes[at] = Lane { open, next: position + 1 };
        Ok(())
    }

    /// A record that does not say who acts: with one operation of each function in flight at a time, or with completions
    /// alone, that can be told; each such operation is a process of its own.
    #[cold]
    fn take_nameless(
        &mut self,
        position: u32,
        record: &Packed,
        extra: Extra,
        mops: MopRange,
    ) -> Result<(), BuildError> {
        let process = ProcessId(u32::try_from(self.history.processes.len()).unwrap_or(u32::MAX));
        let open = self.nameless.remove(&record.f);
        match (record.kind, open) {
            (RecordType::Invoke, None) => {
                Arc::make_mut(&mut self.history.processes).push(Value::ABSENT);
                let open = self.invoke(process, position, record, extra, mops);
                self.nameless.insert(record.f, open);
                Ok(())
            }
            (RecordType::Invoke, Some(open)) => Err(nameless(
                position,
                open.position,
                "two operations of one function are in flight, and neither says which process invoked it",
            )),
            (_, Some(open)) => self.complete(open, position, record, extra, mops),
            (_, None) => {
                if let Some(other) = self.invocation {
                    let message =
                        "this completion has no `process`, so that nobody can say which invocation is its own";
                    return Err(nameless(position, other, message));
                }
                Arc::make_mut(&mut self.history.processes).push(Value::ABSENT);
                self.appear(process, 0, position, record, extra, mops)
            }
        }
    }

    #[cold]
    fn overlap(&self, position: u32, other: u32, at: usize) -> BuildError {
        BuildError {
            position: Some(position),
            other: Some(other),
            message: format!(
                "process {} invokes an operation while its last one has no completion",
                self.interner.values().json(self.history.processes[at], 60)
            ),
            help: "a process has one operation at a time: complete the first one (`info` if its outcome is not known), or \
                   give concurrent operations processes of their own"
                .to_owned(),
        }
    }

    /// A new operation, with its invocation.
    #[inline]
    fn invoke(&mut self, process: ProcessId, position: u32, record: &Packed, extra: Extra, mops: MopRange) -> Open {
        let op = self.open(process, position, record, extra, mops);
        let has_mops = self.has_mops && !mops.is_empty();
        self.history.argument.push(record.value);
        self.history.invoked_time.push(record.time);
        self.history.began.push(position);
        Open { op, position, has_mops }
    }

    /// An operation of which only the completion is known: it began somewhere from `began` on.
    fn appear(
        &mut self,
        process: ProcessId,
        began: u32,
        position: u32,
        record: &Packed,
        extra: Extra,
        mops: MopRange,
    ) -> Result<(), BuildError> {
        let op = self.open(process, History::NO_POSITION, record, extra, NO_MOPS);
        self.history.argument.push(Value::ABSENT);
        self.history.invoked_time.push(History::NO_TIME);
        self.history.began.push(began);
        self.complete(Open { op, position: History::NO_POSITION, has_mops: false }, position, record, extra, mops)
    }

    /// The columns that every new operation fills.
    #[inline]
    fn open(&mut self, process: ProcessId, invoked: u32, record: &Packed, extra: Extra, mops: MopRange) -> u32 {
        let history = &mut self.history;
        let op = u32::try_from(history.process.len()).unwrap_or(u32::MAX);
        history.process.push(process);
        history.f.push(record.f);
        history.status.push(Status::Info);
        history.invoked.push(invoked);
        history.completed.push(History::NO_POSITION);
        history.key.push(record.key);
        history.result.push(Value::ABSENT);
        history.completed_time.push(History::NO_TIME);
        if self.has_extras {
            history.node.push(extra.node);
            history.session.push(extra.session);
            history.version.push(extra.version);
        }
        if self.has_final {
            history.final_read.push(record.final_read);
        }
        if self.has_mops {
            self.mops.push(mops);
        }
        op
    }

    #[inline]
    fn complete(
        &mut self,
        open: Open,
        position: u32,
        record: &Packed,
        extra: Extra,
        mops: MopRange,
    ) -> Result<(), BuildError> {
        let at = open.op as usize;
        let history = &mut self.history;
        if record.f != history.f[at] || record.key != history.key[at] {
            self.reconcile(open, position, record)?;
        }
        let history = &mut self.history;
        history.status[at] = match record.kind {
            RecordType::Ok => Status::Ok,
            RecordType::Fail => Status::Fail,
            RecordType::Info | RecordType::Invoke => Status::Info,
        };
        history.completed[at] = position;
        history.completed_time[at] = record.time;
        history.result[at] = record.value;
        if self.has_mops {
            if open.has_mops && mops.is_empty() && record.kind == RecordType::Ok {
                return Err(BuildError {
                    position: Some(position),
                    other: Some(open.position),
                    message: "this transaction is `ok`, and does not say what its micro-operations returned".to_owned(),
                    help:
                        "the `ok` record's value repeats the invocation's list, with the results of its reads; if the \
                           results are not known, write `info`"
                            .to_owned(),
                });
            }
            if !mops.is_empty() && (record.kind == RecordType::Ok || open.position == History::NO_POSITION) {
                self.mops[at] = mops;
            }
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

    /// A completion that does not repeat its invocation's function and key: it may leave them out, or add the key.
    fn reconcile(&mut self, open: Open, position: u32, record: &Packed) -> Result<(), BuildError> {
        let at = open.op as usize;
        let history = &mut self.history;
        for (what, column, said) in [("f", &mut history.f, record.f), ("key", &mut history.key, record.key)] {
            let known = &mut column[at];
            if known.is_absent() || (what == "key" && known.is_null() && !said.is_absent()) {
                *known = said;
            } else if *known != said && !said.is_absent() && !(what == "key" && said.is_null()) {
                let values = self.interner.values();
                return Err(BuildError {
                    position: Some(position),
                    other: Some(open.position),
                    message: format!(
                        "this completion has `{what}` {}, and its invocation {}",
                        values.json(said, 60),
                        values.json(*known, 60)
                    ),
                    help: "a completion belongs to the last invocation of its process: check the two records, and whether \
                           two clients share a process"
                        .to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Each operation's micro-operations, in the operations' order. A batch is freed when its last one is taken.
    fn gather_mops(&mut self, mut batches: Vec<Vec<MicroOp>>) -> Result<(), BuildError> {
        let mut total = 0usize;
        let mut waiting = vec![0usize; batches.len()];
        for range in self.mops.iter().filter(|range| !range.is_empty()) {
            total += (range.end - range.start) as usize;
            waiting[range.batch as usize] += 1;
        }
        if u32::try_from(total).is_err() {
            return Err(too_large(self.history.records as usize));
        }
        let txn = self.interner.string("txn");
        let history = &mut self.history;
        history.mop_ends.reserve_exact(self.mops.len());
        history.mops.reserve_exact(total);
        for (at, range) in self.mops.iter().enumerate() {
            if !range.is_empty() {
                let batch = range.batch as usize;
                history.mops.extend_from_slice(&batches[batch][range.start as usize..range.end as usize]);
                if history.f[at].is_absent() {
                    history.f[at] = txn;
                }
                waiting[batch] -= 1;
                if waiting[batch] == 0 {
                    batches[batch] = Vec::new();
                }
            }
            history.mop_ends.push(u32::try_from(history.mops.len()).unwrap_or(u32::MAX));
        }
        Ok(())
    }
}

#[cold]
fn nameless(position: u32, other: u32, message: &str) -> BuildError {
    BuildError {
        position: Some(position),
        other: Some(other),
        message: message.to_owned(),
        help: "a completion finds its invocation by its process: give every record a `process`".to_owned(),
    }
}
