//! The columns of a history, and how they are read.

use std::sync::Arc;

use super::{Origin, Value, Values};

/// An operation: an invocation and its completion, where it has both. Dense, in order of invocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct OpId(pub u32);

impl OpId {
    /// As an index into columns.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A process, dense, in order of first appearance. See [`History::process_name`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProcessId(pub u32);

/// What is known of an operation's effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Status {
    /// It happened.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// It may have happened, at any time from its invocation on, or never: `info`, or no completion at all.
    Info,
}

/// One micro-operation of a transaction: `[f, key, value]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MicroOp {
    /// What it does: `"append"`, `"r"`, `"w"` ...
    pub f: Value,
    /// The object; absent where the micro-operation has one item.
    pub key: Value,
    /// The argument or the result; absent where the micro-operation has two items. More than three items: the list of
    /// those from the third on.
    pub value: Value,
}

/// What the header says, or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// All of the header, as a map; absent where there was none.
    pub fields: Value,
}

/// A record of an observer (a nemesis, a server's log, an audit): a point in time, no operation.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// Its position.
    pub position: u32,
    /// Who saw it.
    pub process: ProcessId,
    /// What was seen.
    pub f: Value,
    /// The object.
    pub key: Value,
    /// What was seen of it.
    pub value: Value,
    /// When, in nanoseconds of the observer's clock, or [`History::NO_TIME`].
    pub time: i64,
    /// The server it concerns; absent where not said.
    pub node: Value,
}

/// Several histories: what one run judges.
pub type Histories = Vec<History>;

/// Operations in columns. See the module's text.
#[derive(Debug)]
pub struct History {
    pub(super) values: Arc<Values>,
    pub(super) header: Header,
    pub(super) processes: Arc<Vec<Value>>,
    pub(super) process: Vec<ProcessId>,
    pub(super) f: Vec<Value>,
    pub(super) status: Vec<Status>,
    pub(super) began: Vec<u32>,
    pub(super) invoked: Vec<u32>,
    pub(super) completed: Vec<u32>,
    pub(super) key: Vec<Value>,
    pub(super) argument: Vec<Value>,
    pub(super) result: Vec<Value>,
    pub(super) invoked_time: Vec<i64>,
    pub(super) completed_time: Vec<i64>,
    pub(super) mop_ends: Vec<u32>,
    pub(super) mops: Vec<MicroOp>,
    pub(super) node: Vec<Value>,
    pub(super) session: Vec<Value>,
    pub(super) version: Vec<Value>,
    pub(super) final_read: Vec<bool>,
    pub(super) observations: Vec<Observation>,
    pub(super) records: u32,
    pub(super) origin: Arc<dyn Origin>,
}

impl History {
    /// The position of what has none (an operation without that record).
    pub const NO_POSITION: u32 = u32::MAX;
    /// The time of what has none.
    pub const NO_TIME: i64 = i64::MIN;

    /// How many operations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.process.len()
    }

    /// Whether there is no operation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.process.is_empty()
    }

    /// How many records, the observers' included, a header not.
    #[must_use]
    pub fn records(&self) -> u32 {
        self.records
    }

    /// All operations, in order of invocation (of completion, where there is no invocation).
    pub fn ops(&self) -> impl ExactSizeIterator<Item = Operation<'_>> + Clone + '_ {
        let len = u32::try_from(self.len()).unwrap_or(u32::MAX);
        (0..len).map(|id| Operation { history: self, id: OpId(id) })
    }

    /// One operation.
    #[must_use]
    pub fn op(&self, id: OpId) -> Operation<'_> {
        Operation { history: self, id }
    }

    /// All micro-operations, operation by operation.
    #[must_use]
    pub fn mops(&self) -> &[MicroOp] {
        &self.mops
    }

    /// What the values are.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// What the history says of itself.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    /// A field of the header.
    #[must_use]
    pub fn header_field(&self, name: &str) -> Option<Value> {
        self.values.get(self.header.fields, name)
    }

    /// How many processes.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    /// A process as the history names it.
    #[must_use]
    pub fn process_name(&self, process: ProcessId) -> Value {
        self.processes[process.0 as usize]
    }

    /// The positions of all records of operations and observers, in order.
    #[must_use]
    pub fn positions(&self) -> Vec<u32> {
        let records = self.ops().flat_map(|op| op.invoked().into_iter().chain(op.completed()));
        let mut all: Vec<u32> = records.chain(self.observations.iter().map(|seen| seen.position)).collect();
        all.sort_unstable();
        all
    }

    /// What observers saw, in order.
    #[must_use]
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// Whether some record names the server's revision of its object.
    #[must_use]
    pub fn has_versions(&self) -> bool {
        self.version.iter().any(|version| !version.is_null())
    }

    /// Where the original records are.
    #[must_use]
    pub fn origin(&self) -> &dyn Origin {
        &*self.origin
    }

    /// How many bytes this history occupies, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.len() * 53
            + self.mops.len() * size_of::<MicroOp>()
            + self.mop_ends.len() * 4
            + self.values.bytes()
            + self.observations.len() * size_of::<Observation>()
            + (self.node.len() + self.session.len() + self.version.len()) * 4
    }
}

/// One operation of a history.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    history: &'a History,
    /// Which.
    pub id: OpId,
}

impl<'a> Operation<'a> {
    /// Who acted.
    #[inline]
    #[must_use]
    pub fn process(&self) -> ProcessId {
        self.history.process[self.id.index()]
    }

    /// The session: `session` where it is given, else the process.
    #[must_use]
    pub fn session(&self) -> Value {
        match self.history.session.get(self.id.index()) {
            Some(session) if !session.is_absent() => *session,
            _ => self.history.process_name(self.process()),
        }
    }

    /// The function's name.
    #[inline]
    #[must_use]
    pub fn f(&self) -> Value {
        self.history.f[self.id.index()]
    }

    /// What is known of its effect.
    #[inline]
    #[must_use]
    pub fn status(&self) -> Status {
        self.history.status[self.id.index()]
    }

    /// It began at or after this position: its invocation's, or where it has none, the one after its process's previous
    /// record (0 where there is none). `a` precedes `b` in real time exactly when `a.ended() < b.began()`.
    #[inline]
    #[must_use]
    pub fn began(&self) -> u32 {
        self.history.began[self.id.index()]
    }

    /// It had taken effect at this position: that of its `ok`; [`History::NO_POSITION`] for anything else.
    #[inline]
    #[must_use]
    pub fn ended(&self) -> u32 {
        if self.status() == Status::Ok { self.history.completed[self.id.index()] } else { History::NO_POSITION }
    }

    /// The invocation's position, where there is one.
    #[must_use]
    pub fn invoked(&self) -> Option<u32> {
        Some(self.history.invoked[self.id.index()]).filter(|p| *p != History::NO_POSITION)
    }

    /// The completion's position, where there is one (`fail` and `info` too).
    #[must_use]
    pub fn completed(&self) -> Option<u32> {
        Some(self.history.completed[self.id.index()]).filter(|p| *p != History::NO_POSITION)
    }

    /// The position that reports name this operation by: its completion's, else its invocation's.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.completed().or(self.invoked()).unwrap_or(History::NO_POSITION)
    }

    /// The object; absent where not said.
    #[inline]
    #[must_use]
    pub fn key(&self) -> Value {
        self.history.key[self.id.index()]
    }

    /// The invocation's value; where there is no invocation, absent.
    #[inline]
    #[must_use]
    pub fn argument(&self) -> Value {
        self.history.argument[self.id.index()]
    }

    /// The completion's value (also of `fail` and `info`, where it is no result); absent where there is none.
    #[inline]
    #[must_use]
    pub fn result(&self) -> Value {
        self.history.result[self.id.index()]
    }

    /// The micro-operations: of the completion where it is `ok` and has them, else of the invocation, else of the
    /// completion. Empty for what is no transaction.
    #[inline]
    #[must_use]
    pub fn mops(&self) -> &'a [MicroOp] {
        let range = self.mop_range();
        &self.history.mops[range.start as usize..range.end as usize]
    }

    /// The places of [`Operation::mops`] among those of all operations.
    #[inline]
    #[must_use]
    pub fn mop_range(&self) -> std::ops::Range<u32> {
        let ends = &self.history.mop_ends;
        match (self.id.index(), ends.get(self.id.index())) {
            (_, None) => 0..0,
            (0, Some(end)) => 0..*end,
            (i, Some(end)) => ends[i - 1]..*end,
        }
    }

    /// When it was invoked, in nanoseconds, where that is known.
    #[must_use]
    pub fn invoked_time(&self) -> Option<i64> {
        Some(self.history.invoked_time[self.id.index()]).filter(|t| *t != History::NO_TIME)
    }

    /// When it completed, in nanoseconds, where that is known.
    #[must_use]
    pub fn completed_time(&self) -> Option<i64> {
        Some(self.history.completed_time[self.id.index()]).filter(|t| *t != History::NO_TIME)
    }

    /// The server that it contacted; absent where not said.
    #[must_use]
    pub fn node(&self) -> Value {
        self.history.node.get(self.id.index()).copied().unwrap_or(Value::ABSENT)
    }

    /// The server's own revision of the object; absent where not said.
    #[must_use]
    pub fn version(&self) -> Value {
        self.history.version.get(self.id.index()).copied().unwrap_or(Value::ABSENT)
    }

    /// Whether it is a read made after everything settled.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.history.final_read.get(self.id.index()).copied().unwrap_or(false)
    }
}
