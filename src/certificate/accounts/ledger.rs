//! The records of a history, each of which is taken into one account.

use super::Account;
use crate::history::{History, Operation, Status, Value, Values};

/// An operation, or something that an observer or a log says has happened.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    values: &'a Values,
    /// The function.
    pub(super) f: &'a str,
    pub(super) key: Value,
    /// A fact is `ok`.
    pub(super) status: Status,
    /// The position by which it is named.
    pub(super) position: u32,
    /// It began at or after this position.
    pub(super) began: u32,
    /// Where its last record is, whatever that says; the end of all positions without one.
    pub(super) ended: u32,
    /// Nanoseconds.
    pub(super) invoked: Option<i64>,
    pub(super) completed: Option<i64>,
    /// Whether its beginning is recorded.
    pub(super) begins: bool,
    pub(super) argument: Value,
    pub(super) result: Value,
}

impl Act<'_> {
    /// Whether it certainly happened.
    pub(super) fn ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// Whether it may have happened.
    pub(super) fn may(&self) -> bool {
        self.status != Status::Fail
    }

    /// What a value has under a name; null where it has nothing.
    pub(super) fn within(&self, value: Value, name: &str) -> Value {
        or_null(self.values.get(value, name))
    }

    /// The items of a list.
    pub(super) fn items(&self, list: Value) -> Vec<Value> {
        self.values.items(list)
    }

    /// What the invocation says, and where it says nothing, the completion.
    pub(super) fn said(&self, name: &str) -> Value {
        let asked = self.within(self.argument, name);
        if asked.is_null() { self.within(self.result, name) } else { asked }
    }
}

/// Null, absent and nothing are one here.
pub(super) fn or_null(value: Option<Value>) -> Value {
    value.filter(|value| !value.is_null()).unwrap_or(Value::NULL)
}

/// What no position names.
const FREE: u32 = u32::MAX;

/// All records that matter.
pub(super) struct Ledger<'a> {
    pub(super) values: &'a Values,
    pub(super) acts: Vec<Act<'a>>,
    /// The act that each position names.
    at: Vec<u32>,
    /// Whether an account has each act.
    taken: Vec<bool>,
    /// Whether an observer's record is written as its fact happens.
    pub(super) synchronous: bool,
}

impl<'a> Ledger<'a> {
    /// Of a history: operations with these functions, and facts with those. What else an observer writes is passed over.
    pub(super) fn new(history: &'a History, operations: &[&str], facts: &[&str]) -> Result<Ledger<'a>, String> {
        let values = history.values();
        let mut ledger = Ledger {
            values,
            acts: Vec::with_capacity(history.len()),
            at: vec![FREE; history.records() as usize],
            taken: Vec::new(),
            synchronous: history.header_field("observers").and_then(|value| values.as_str(value))
                == Some("synchronous"),
        };
        for op in history.ops() {
            let f = values.as_str(op.f()).unwrap_or("");
            if operations.contains(&f) {
                ledger.push(act(values, &op, f));
            } else if !facts.contains(&f) {
                return Err(format!("the operation at record {} is of another vocabulary", op.position()));
            } else if let (true, Some(at)) = (op.status() != Status::Fail, op.completed()) {
                let time = op.completed_time();
                ledger.push(fact(values, f, op.key(), op.result(), at, time));
            }
        }
        for seen in history.observations() {
            let f = values.as_str(seen.f).unwrap_or("");
            if facts.contains(&f) {
                let time = Some(seen.time).filter(|time| *time != History::NO_TIME);
                ledger.push(fact(values, f, seen.key, seen.value, seen.position, time));
            }
        }
        ledger.taken = vec![false; ledger.acts.len()];
        Ok(ledger)
    }

    fn push(&mut self, act: Act<'a>) {
        if let Some(at) = self.at.get_mut(act.position as usize) {
            *at = u32::try_from(self.acts.len()).unwrap_or(FREE);
            self.acts.push(act);
        }
    }

    /// What a position names, whoever has it.
    pub(super) fn find(&self, position: u32) -> Option<(usize, &Act<'a>)> {
        let at = *self.at.get(position as usize)? as usize;
        Some((at, self.acts.get(at)?))
    }

    /// Takes the records of an account, which stand in order. `shared`: those that others may have too.
    pub(super) fn take(&mut self, account: &Account, shared: fn(&Act<'_>) -> bool) -> Result<Vec<Act<'a>>, String> {
        let mut acts: Vec<Act<'a>> = Vec::with_capacity(account.entries.len());
        for entry in &account.entries {
            let refuse = |why: &str| Err(format!("{} record {}: {why}", name(account), entry.at));
            let Some((at, act)) = self.find(entry.at) else { return refuse("it names nothing that has an account") };
            let act = *act;
            if acts.last().is_some_and(|last| last.position >= act.position) {
                return refuse("it stands after a later one, or twice");
            }
            if std::mem::replace(&mut self.taken[at], true) && !shared(&act) {
                return refuse("it is in an earlier account already");
            }
            acts.push(act);
        }
        Ok(acts)
    }

    /// Refuses where a record with one of these functions is in no account.
    pub(super) fn complete(&self, functions: &[&str]) -> Result<(), String> {
        let mut left = self.acts.iter().zip(&self.taken).filter(|(act, taken)| !**taken && functions.contains(&act.f));
        match left.next() {
            Some((act, _)) => Err(format!("the {} at record {} is in no account", act.f, act.position)),
            None => Ok(()),
        }
    }

    /// The last complete audit.
    pub(super) fn audit(&self) -> Option<&Act<'a>> {
        let complete = |act: &&Act<'_>| act.f == "audit" && act.within(act.result, "complete") == Value::TRUE;
        self.acts.iter().filter(complete).max_by_key(|act| act.position)
    }
}

/// The account, for a message.
pub(super) fn name(account: &Account) -> String {
    let mut of: String = account.of.chars().take(60).collect();
    if of.len() < account.of.len() {
        of.push_str("...");
    }
    format!("account of {of},")
}

/// Refuses an account whose name is another one's: a reader goes by it.
pub(super) fn is_named(account: &Account, of: &str) -> Result<(), String> {
    match account.of == of {
        true => Ok(()),
        false => Err(format!("{} its records are of {of}", name(account))),
    }
}

/// A name as JSON, whatever its length.
pub(super) fn json(values: &Values, name: Value) -> String {
    values.json(name, usize::MAX)
}

fn act<'a>(values: &'a Values, op: &Operation<'_>, f: &'a str) -> Act<'a> {
    Act {
        values,
        f,
        key: or_null(Some(op.key())),
        status: op.status(),
        position: op.position(),
        began: op.began(),
        ended: op.completed().unwrap_or(History::NO_POSITION),
        invoked: op.invoked_time(),
        completed: op.completed_time(),
        begins: op.invoked().is_some(),
        argument: op.argument(),
        result: op.result(),
    }
}

fn fact<'a>(values: &'a Values, f: &'a str, key: Value, value: Value, position: u32, time: Option<i64>) -> Act<'a> {
    Act {
        values,
        f,
        key: or_null(Some(key)),
        status: Status::Ok,
        position,
        began: position,
        ended: position,
        invoked: time,
        completed: time,
        begins: false,
        argument: Value::ABSENT,
        result: value,
    }
}
