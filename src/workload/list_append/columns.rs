//! Records to columns, and every way in which they are not list-append.

use hashbrown::HashMap;

use super::WorkloadError;
use crate::history::{History, MicroOp, Operation, Status, Value};
use crate::workload::fields::micro_operations_help;

/// The record that an operation's micro-operations were read from: see [`Operation::mops`].
pub(super) fn position_of(op: Operation<'_>) -> u32 {
    match op.invoked() {
        Some(invoked) if op.status() != Status::Ok => invoked,
        _ => op.position(),
    }
}

pub(super) fn check_header(history: &History) -> Result<(), WorkloadError> {
    match history.header_field("initial") {
        None | Some(Value::NULL | Value::EMPTY_LIST) => Ok(()),
        Some(initial) => Err(WorkloadError {
            position: None,
            message: format!(
                "the header's `initial` is {}, and lists begin empty here",
                history.values().json(initial, 60)
            ),
            help: "leave `initial` out, and put transactions that append the initial elements before the others"
                .to_owned(),
        }),
    }
}

/// Sessions as dense numbers. A process without a name is a session of its own.
pub(in crate::workload) fn sessions(history: &History) -> (Vec<u32>, u32) {
    let mut numbers: HashMap<(Value, u32), u32, foldhash::fast::RandomState> = HashMap::default();
    let mut last: Vec<(Value, u32)> = vec![(Value::ABSENT, 0); history.processes()];
    let mut count = 0;
    let of = history.ops().map(|op| {
        let (name, process) = (op.session(), op.process().0);
        let known = &mut last[process as usize];
        // Most processes have one session all along: no hashing for these.
        if known.0 != name || name.is_absent() {
            let nameless = if name.is_absent() { process + 1 } else { 0 };
            let number = *numbers.entry((name, nameless)).or_insert_with(|| {
                count += 1;
                count - 1
            });
            *known = (name, number);
        }
        known.1
    });
    (of.collect(), count)
}

/// The columns while they grow.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) keys: Keys,
    /// For each micro-operation, twice its object's number, plus one where it says something.
    pub(super) mop_keys: Vec<u32>,
    /// For each object, how many appends and how many reads with a result it has.
    pub(super) counts: Vec<(u32, u32)>,
    pub(super) names: Names,
}

/// The handles of the three names, once met: the rest of the history compares handles.
#[derive(Default)]
pub(super) struct Names {
    txn: Option<Value>,
    pub(super) append: Option<Value>,
    read: Option<Value>,
}

impl Columns {
    pub(super) fn take(&mut self, history: &History, op: Operation<'_>) -> Result<(), WorkloadError> {
        let values = history.values();
        if self.names.txn != Some(op.f()) {
            if values.as_str(op.f()) != Some("txn") {
                return Err(not_a_transaction(history, op));
            }
            self.names.txn = Some(op.f());
        }
        if op.mops().is_empty() {
            check_empty(history, op)?;
        }
        for mop in op.mops() {
            let is_append = Some(mop.f) == self.names.append;
            if !is_append && Some(mop.f) != self.names.read {
                match values.as_str(mop.f) {
                    Some("append") => self.names.append = Some(mop.f),
                    Some("r") => self.names.read = Some(mop.f),
                    _ => return Err(unknown_micro_operation(history, op, mop)),
                }
            }
            if mop.key.is_absent() {
                let text = micro_operation(history, mop);
                let message = format!("the micro-operation {text} names no key");
                return Err(fault(op, message, "write [\"append\", key, element] or [\"r\", key, list]"));
            }
            let key = self.keys.number(op.key(), mop.key);
            self.counts.resize(self.keys.names.len(), (0, 0));
            let counts = &mut self.counts[key as usize];
            let mut told = 1;
            if Some(mop.f) == self.names.append {
                if mop.value.is_absent() {
                    let text = micro_operation(history, mop);
                    let message = format!("the micro-operation {text} appends nothing");
                    return Err(fault(op, message, "write [\"append\", key, element]"));
                }
                counts.0 += 1;
            } else if result_of(op, mop).is_some() {
                check_list(history, op, mop)?;
                counts.1 += 1;
            } else {
                told = 0;
            }
            self.mop_keys.push(key << 1 | told);
        }
        Ok(())
    }
}

/// What a read says: a list, or nothing where its transaction is not `ok`.
#[inline]
pub(super) fn result_of(op: Operation<'_>, mop: &MicroOp) -> Option<Value> {
    (op.status() == Status::Ok).then(|| list_of(mop))
}

/// A list that was read: null is the empty one.
#[inline]
pub(super) fn list_of(mop: &MicroOp) -> Value {
    if mop.value.is_null() { Value::EMPTY_LIST } else { mop.value }
}

fn check_list(history: &History, op: Operation<'_>, mop: &MicroOp) -> Result<(), WorkloadError> {
    if mop.value.is_null() || mop.value.is_list() {
        return Ok(());
    }
    let message = format!(
        "the read of key {} returned {}, which is no list",
        history.values().json(mop.key, 60),
        history.values().json(mop.value, 60)
    );
    let help = "a read of list-append returns the list of all elements, in order, or null where there are none; if \
                reads return the last write instead, the workload is rw-register, and its writes are \"w\"";
    Err(fault(op, message, help))
}

fn fault(op: Operation<'_>, message: String, help: &str) -> WorkloadError {
    WorkloadError { position: Some(position_of(op)), message, help: help.to_owned() }
}

fn micro_operation(history: &History, mop: &MicroOp) -> String {
    let items = [mop.f, mop.key, mop.value];
    let present = items.iter().filter(|item| !item.is_absent());
    let texts: Vec<String> = present.map(|item| history.values().json(*item, 60)).collect();
    format!("[{}]", texts.join(","))
}

fn unknown_micro_operation(history: &History, op: Operation<'_>, mop: &MicroOp) -> WorkloadError {
    let message =
        format!("the micro-operation {} is neither an append nor a read of a list", micro_operation(history, mop));
    let help = "list-append has [\"append\", key, element] and [\"r\", key, list] only; transactions with \"w\" are \
                the workload rw-register";
    fault(op, message, help)
}

fn not_a_transaction(history: &History, op: Operation<'_>) -> WorkloadError {
    let message =
        format!("this operation's `f` is {}, and list-append has `txn` only", { history.values().json(op.f(), 60) });
    let help = "say which workload the history is of (`--workload`), or give what is no transaction (a nemesis, a \
                log) a process all of whose records are `info`";
    fault(op, message, help)
}

/// A transaction without micro-operations has to say so: an empty list, or nothing at all.
fn check_empty(history: &History, op: Operation<'_>) -> Result<(), WorkloadError> {
    let said = [op.argument(), op.result()];
    match said.into_iter().find(|value| !value.is_null() && *value != Value::EMPTY_LIST) {
        None => Ok(()),
        Some(value) => {
            let message = format!("the value {} is no list of micro-operations", history.values().json(value, 60));
            Err(fault(op, message, micro_operations_help(history, value)))
        }
    }
}

/// Objects as dense numbers. An object is a micro-operation's key, within its record's `key` where there is one.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) names: Vec<Value>,
    /// Small integers without a record's key, directly; `u32::MAX` is none.
    direct: Vec<u32>,
    others: HashMap<(Value, Value), u32, foldhash::fast::RandomState>,
}

/// Small integers below this are looked up in a table instead of a hash map.
const DIRECT: i64 = 1 << 20;

impl Keys {
    #[inline]
    fn number(&mut self, part: Value, key: Value) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let small = key.as_small().filter(|small| part.is_absent() && (0..DIRECT).contains(small));
        let number = match small.and_then(|small| usize::try_from(small).ok()) {
            Some(small) => {
                if small >= self.direct.len() {
                    self.direct.resize((small + 1).next_power_of_two(), u32::MAX);
                }
                let slot = &mut self.direct[small];
                if *slot == u32::MAX {
                    *slot = next;
                }
                *slot
            }
            None => *self.others.entry((part, key)).or_insert(next),
        };
        if number == next {
            self.names.push(key);
        }
        number
    }
}
