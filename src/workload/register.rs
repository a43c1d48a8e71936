//! The vocabulary `register`: reads, writes and compare-and-set of single values, of one register or of many by `key`.
//!
//! | `f` | value |
//! |---|---|
//! | `read` | on `ok`, what was read (null is the value null) |
//! | `write` | what is written |
//! | `cas` | `[old, new]`: on `ok`, `old` was there and `new` replaced it |
//!
//! The observations lie in columns, key after key and within a key in order of invocation, so that each key is one slice.
//! Reads that are not `ok` say nothing and are left out; failed writes stay, because to see one is an anomaly.
//!
//! Cost: linear in the operations.

use hashbrown::HashMap;

use super::WorkloadError;
use crate::history::{History, OpId, Operation, Status, Value, Values};

/// What an operation does to its register.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Action {
    /// Returns the value.
    Read,
    /// Replaces the value, whatever it was.
    Write,
    /// Replaces the value if it was the expected one; of strings: appends to it, whatever it was.
    Cas,
}

/// How operations are named, and what their values are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// `read`, `write`, `cas` of any values.
    Register,
    /// `get`, `put`, `append` of strings.
    Strings,
}

/// What a register holds before the first operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Initial {
    /// This value.
    Known(Value),
    /// Some value: what is read tells it.
    Unknown,
}

/// The operations of a register history, in columns. See the module's text.
#[derive(Debug)]
pub struct Register {
    keys: Vec<Value>,
    /// Where each key's operations end.
    ends: Vec<u32>,
    initial: Vec<Initial>,
    op: Vec<OpId>,
    action: Vec<Action>,
    status: Vec<Status>,
    began: Vec<u32>,
    ended: Vec<u32>,
    value: Vec<Value>,
    /// Empty where the history has no compare-and-set.
    expected: Vec<Value>,
}

/// The operations of one register: columns of equal length, in order of invocation.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// Its name; absent where the history has one register only.
    pub name: Value,
    /// What it holds at first.
    pub initial: Initial,
    /// Which operations of the history these are.
    pub op: &'a [OpId],
    /// What each does.
    pub action: &'a [Action],
    /// What is known of its effect. Reads are all `ok`.
    pub status: &'a [Status],
    /// The position at or after which it began.
    pub began: &'a [u32],
    /// The position at which it had taken effect; [`History::NO_POSITION`] for what is not `ok`.
    pub ended: &'a [u32],
    /// What it read or wrote; for compare-and-set, the new value.
    pub value: &'a [Value],
    /// For compare-and-set, the value that it expects; empty where the history has none.
    pub expected: &'a [Value],
}

impl Key<'_> {
    /// How many operations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.op.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.op.is_empty()
    }

    /// What the operation was certain to find, where it says so: what an ok read returned, what a compare-and-set expects.
    #[inline]
    #[must_use]
    pub fn observed(&self, at: usize) -> Option<Value> {
        match self.action[at] {
            Action::Read => Some(self.value[at]),
            Action::Write => None,
            Action::Cas => self.expected.get(at).copied(),
        }
    }

    /// What the operation leaves behind, where it changes the register.
    #[inline]
    #[must_use]
    pub fn written(&self, at: usize) -> Option<Value> {
        (self.action[at] != Action::Read).then_some(self.value[at])
    }
}

impl Register {
    /// The observations of a history.
    ///
    /// # Errors
    /// The first operation that is none of this vocabulary, or does not say enough to be judged.
    pub fn from_history(history: &History) -> Result<Register, WorkloadError> {
        Register::in_dialect(history, Dialect::Register)
    }

    pub(super) fn in_dialect(history: &History, dialect: Dialect) -> Result<Register, WorkloadError> {
        let values = history.values();
        let lanes = Lanes::new(history, dialect)?;
        let mut cursors = lanes.starts();
        let total = lanes.kept as usize;
        let mut register = Register {
            initial: lanes.names.iter().map(|key| initial_of(history, *key, dialect)).collect(),
            op: vec![OpId(0); total],
            action: vec![Action::Read; total],
            status: vec![Status::Ok; total],
            began: vec![0; total],
            ended: vec![0; total],
            value: vec![Value::NULL; total],
            expected: if lanes.any_cas { vec![Value::ABSENT; total] } else { Vec::new() },
            ends: lanes
                .counts
                .iter()
                .scan(0, |end, count| {
                    Some({
                        *end += count;
                        *end
                    })
                })
                .collect(),
            keys: lanes.names,
        };
        for (op, (lane, action)) in history.ops().zip(&lanes.of) {
            if *lane == NO_LANE {
                continue;
            }
            let cursor = &mut cursors[*lane as usize];
            let at = *cursor as usize;
            *cursor += 1;
            register.op[at] = op.id;
            register.action[at] = *action;
            register.status[at] = op.status();
            register.began[at] = op.began();
            register.ended[at] = op.ended();
            match (action, dialect) {
                (Action::Read, Dialect::Register) => register.value[at] = present(op.result()),
                (Action::Write, Dialect::Register) => register.value[at] = present(argument(values, &op)?),
                (Action::Read, Dialect::Strings) if op.result().is_null() => register.value[at] = Value::EMPTY_STRING,
                (Action::Read, Dialect::Strings) => register.value[at] = string(values, &op, op.result())?,
                (_, Dialect::Strings) => register.value[at] = string(values, &op, argument(values, &op)?)?,
                (Action::Cas, Dialect::Register) => {
                    let (old, new) = pair(values, &op)?;
                    register.expected[at] = present(old);
                    register.value[at] = present(new);
                }
            }
        }
        Ok(register)
    }

    /// How many registers.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How many operations, reads that are not `ok` left out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.op.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.op.is_empty()
    }

    /// One register, by number: they are in order of first appearance.
    #[must_use]
    pub fn key(&self, key: usize) -> Key<'_> {
        let start = if key == 0 { 0 } else { self.ends[key - 1] as usize };
        let range = start..self.ends[key] as usize;
        Key {
            name: self.keys[key],
            initial: self.initial[key],
            op: &self.op[range.clone()],
            action: &self.action[range.clone()],
            status: &self.status[range.clone()],
            began: &self.began[range.clone()],
            ended: &self.ended[range.clone()],
            value: &self.value[range.clone()],
            expected: if self.expected.is_empty() { &[] } else { &self.expected[range] },
        }
    }
}

const NO_LANE: u32 = u32::MAX;

/// Which key each operation belongs to, and what it does.
struct Lanes {
    names: Vec<Value>,
    counts: Vec<u32>,
    of: Vec<(u32, Action)>,
    kept: u32,
    any_cas: bool,
}

impl Lanes {
    fn new(history: &History, dialect: Dialect) -> Result<Lanes, WorkloadError> {
        let mut functions: Vec<(Value, Action)> = Vec::new();
        let mut numbers: HashMap<Value, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut last = (Value::ABSENT, NO_LANE);
        let mut lanes = Lanes { names: Vec::new(), counts: Vec::new(), of: Vec::new(), kept: 0, any_cas: false };
        lanes.of.reserve_exact(history.len());
        for op in history.ops() {
            let action = match functions.iter().find(|(f, _)| *f == op.f()) {
                Some((_, action)) => *action,
                None => {
                    let action = action_of(history.values(), &op, dialect)?;
                    functions.push((op.f(), action));
                    action
                }
            };
            let silent = op.status() != Status::Ok && action == Action::Read
                || op.status() == Status::Fail && !says_value(&op, action);
            if silent {
                lanes.of.push((NO_LANE, action));
                continue;
            }
            let key = if op.key().is_null() { Value::ABSENT } else { op.key() };
            if last.1 == NO_LANE || last.0 != key {
                let number = *numbers.entry(key).or_insert_with(|| {
                    lanes.names.push(key);
                    lanes.counts.push(0);
                    u32::try_from(lanes.names.len() - 1).unwrap_or(NO_LANE)
                });
                last = (key, number);
                if lanes.names.len() == 2 && lanes.names.contains(&Value::ABSENT) {
                    return Err(keyless(history, &op));
                }
            }
            lanes.any_cas |= action == Action::Cas;
            lanes.counts[last.1 as usize] += 1;
            lanes.kept += 1;
            lanes.of.push((last.1, action));
        }
        Ok(lanes)
    }

    fn starts(&self) -> Vec<u32> {
        self.counts.iter().scan(0, |start, count| Some(std::mem::replace(start, *start + count))).collect()
    }
}

fn action_of(values: &Values, op: &Operation<'_>, dialect: Dialect) -> Result<Action, WorkloadError> {
    let (of, names) = match dialect {
        Dialect::Register => ("register", ["read", "write", "cas"]),
        Dialect::Strings => ("kv", ["get", "put", "append"]),
    };
    let name = values.as_str(op.f());
    let actions = [Action::Read, Action::Write, Action::Cas];
    let known = names.into_iter().zip(actions).find(|(known, _)| name == Some(*known));
    known.map(|(_, action)| action).ok_or_else(|| WorkloadError {
        position: Some(op.position()),
        message: format!("{} is no function of a {of} history", values.json(op.f(), 60)),
        help: format!(
            "a {of} history has `{}`, `{}` and `{}`; name another vocabulary with `--workload`",
            names[0], names[1], names[2]
        ),
    })
}

fn string(values: &Values, op: &Operation<'_>, value: Value) -> Result<Value, WorkloadError> {
    match values.as_str(value) {
        Some(_) => Ok(value),
        None => Err(WorkloadError {
            position: Some(op.position()),
            message: format!(
                "the value of this {} is {}, and no string",
                values.json(op.f(), 60),
                values.json(value, 60)
            ),
            help: "a kv history gets, puts and appends strings; for other values use `read` and `write`".to_owned(),
        }),
    }
}

fn keyless(history: &History, op: &Operation<'_>) -> WorkloadError {
    let first = if op.key().is_null() { *op } else { first_without_key(history).unwrap_or(*op) };
    WorkloadError {
        position: Some(first.position()),
        message: "this operation has no `key`, and others have one".to_owned(),
        help: "name the register of every operation, or of none where there is one register only".to_owned(),
    }
}

fn first_without_key(history: &History) -> Option<Operation<'_>> {
    history.ops().find(|op| op.key().is_null())
}

/// Whether a failed operation says what it would have written.
fn says_value(op: &Operation<'_>, action: Action) -> bool {
    let said = if op.argument().is_null() { op.result() } else { op.argument() };
    !said.is_null() || action == Action::Write && op.argument() == Value::NULL
}

fn present(value: Value) -> Value {
    if value.is_absent() { Value::NULL } else { value }
}

/// What a write or compare-and-set was given. On `ok` the completion repeats it, or leaves it out.
fn argument(values: &Values, op: &Operation<'_>) -> Result<Value, WorkloadError> {
    let (given, repeated) = (op.argument(), op.result());
    let told_late = given.is_null() && op.status() == Status::Ok && !repeated.is_null();
    if !given.is_absent() && !told_late {
        if op.status() == Status::Ok && !repeated.is_null() && repeated != given {
            return Err(WorkloadError {
                position: Some(op.position()),
                message: format!(
                    "this operation was invoked with {} and completed with {}",
                    values.json(given, 60),
                    values.json(repeated, 60)
                ),
                help: "the `ok` of a write or cas repeats the value of its invocation, or has none".to_owned(),
            });
        }
        return Ok(given);
    }
    if repeated.is_absent() || op.status() != Status::Ok && repeated.is_null() {
        return Err(WorkloadError {
            position: Some(op.position()),
            message: "this operation has no value: nobody knows what it wrote".to_owned(),
            help: "give the invocation of every `write` and `cas` its value".to_owned(),
        });
    }
    Ok(repeated)
}

fn pair(values: &Values, op: &Operation<'_>) -> Result<(Value, Value), WorkloadError> {
    let value = argument(values, op)?;
    let parts = values
        .split_last(value)
        .and_then(|(rest, new)| values.split_last(rest).map(|(none, old)| (none, old, new)))
        .filter(|(none, ..)| values.len(*none) == 0);
    match parts {
        Some((_, old, new)) => Ok((old, new)),
        None => Err(WorkloadError {
            position: Some(op.position()),
            message: format!("the value of this cas is {}, and not a pair", values.json(value, 60)),
            help: "the value of a `cas` is [expected, new]".to_owned(),
        }),
    }
}

/// What a register holds at first: `initial` of the header, for all keys or, as an object, key by key; else null, or the
/// empty string.
fn initial_of(history: &History, key: Value, dialect: Dialect) -> Initial {
    let values = history.values();
    let nothing = if dialect == Dialect::Strings { Value::EMPTY_STRING } else { Value::NULL };
    let Some(said) = history.header_field("initial") else { return Initial::Known(nothing) };
    let by_key =
        !key.is_absent() && matches!(values.view(said), crate::history::View::Compound(crate::history::Compound::Map));
    let said = if by_key {
        let name = match values.as_str(key) {
            Some(name) => name.to_owned(),
            None => values.plain_json(key, usize::MAX),
        };
        values.get(said, &name).unwrap_or(nothing)
    } else {
        said
    };
    if values.as_str(said) == Some("unknown") {
        Initial::Unknown
    } else {
        Initial::Known(if said.is_null() { nothing } else { said })
    }
}
