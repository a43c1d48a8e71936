//! `linearizable`, of registers and of strings that grow: an order for each key.
//!
//! An order respects real time where no operation in it ended before one that stands earlier in it began: the latest
//! beginning so far is all that has to be known.

use super::evidence::other;
use super::places::{Places, at};
use super::{Certificate, Claim, Order, Ruling, Set};
use crate::history::{Compound, History, Operation, Status, Value, Values, View};

/// What became of the claim.
pub(super) fn rule(history: &History, certificate: &Certificate, claim: &Claim, orders: &[Order]) -> Ruling {
    let grows = match (certificate.workload.as_str(), claim.guarantee.as_str()) {
        ("register", "linearizable") => false,
        ("kv", "linearizable") => true,
        _ => return other(certificate, claim),
    };
    let mut places = Places::new(history);
    let mut keys: Set<Value> = Set::default();
    let mut steps = 0;
    for order in orders {
        match replay(history, order, grows, &mut places, &mut keys) {
            Ok(()) => steps += order.operations.len(),
            Err(why) => return Ruling::Refused(why),
        }
    }
    let mut left: Set<Value> = Set::default();
    for op in places.missing() {
        if keys.contains(&key_of(&op)) {
            return Ruling::Refused(format!("the operation at record {} happened, and is in no order", op.position()));
        }
        left.insert(key_of(&op));
    }
    let ordered =
        format!("{steps} operations on {} keys, in an order that keeps real time, give every value", keys.len());
    match (left.len(), claim.left_out.first()) {
        (0, _) if steps > 0 => Ruling::Proved(ordered),
        (0, _) => Ruling::Unproved("nothing is in any order".to_owned()),
        (keys, why) => {
            let why = why.map_or_else(String::new, |why| format!(" ({why})"));
            let ordered = if steps > 0 { format!("; {ordered}") } else { String::new() };
            Ruling::Unproved(format!("no order is given for {keys} keys{why}{ordered}"))
        }
    }
}

fn replay(
    history: &History,
    order: &Order,
    grows: bool,
    places: &mut Places<'_>,
    keys: &mut Set<Value>,
) -> Result<(), String> {
    let values = history.values();
    let mut known: Option<(Value, There)> = None;
    let mut latest = 0;
    for (step, position) in order.operations.iter().enumerate() {
        let of = known.as_ref().map(|(key, _)| *key).filter(|key| !key.is_absent());
        let refuse = |why: &str| {
            let of = of.map_or_else(String::new, |key| format!("key {}, ", values.json(key, 60)));
            format!("{of}{}", at(step, *position, why))
        };
        let op = places.take(*position).map_err(|why| refuse(&why))?;
        let key = key_of(&op);
        let there = match &mut known {
            Some((other, there)) if *other == key => there,
            Some(_) => return Err(refuse("this operation is on another key")),
            None if !keys.insert(key) => return Err(refuse("its key has an order already")),
            None if order.key.as_ref().is_some_and(|name| *name != values.json(key, usize::MAX)) => {
                return Err(refuse(&format!(
                    "it is on key {}, and the order is named otherwise",
                    values.json(key, 60)
                )));
            }
            None => &mut known.insert((key, There::at_first(history, key, grows))).1,
        };
        if op.ended() < latest {
            return Err(refuse(&format!("it ended before an earlier step began, at record {latest} or later")));
        }
        latest = latest.max(op.began());
        let taken = if grows { there.of_string(values, &op) } else { there.of_register(history, &op) };
        taken.map_err(|why| refuse(&why))?;
    }
    Ok(())
}

/// What an object holds.
enum There {
    /// The first that is found tells it.
    Unknown,
    Value(Value),
    Text(String),
}

impl There {
    fn at_first(history: &History, key: Value, grows: bool) -> There {
        match initial(history, key) {
            None => There::Unknown,
            Some(value) if grows => There::Text(history.values().as_str(value).unwrap_or_default().to_owned()),
            Some(value) => There::Value(value),
        }
    }

    /// One operation on a register, or why it can't be.
    fn of_register(&mut self, history: &History, op: &Operation<'_>) -> Result<(), String> {
        let values = history.values();
        let Some((observes, writes)) = effect(history, op) else {
            return Err("this is no operation on a register".to_owned());
        };
        if let (Some(seen), There::Value(there)) = (observes, &*self)
            && seen != *there
        {
            let (seen, there) = (values.json(seen, 60), values.json(*there, 60));
            return Err(format!("it found {seen}, and the steps before it leave {there}"));
        }
        if let Some(value) = writes.or(observes) {
            *self = There::Value(value);
        }
        Ok(())
    }

    /// One operation on a string, or why it can't be.
    fn of_string(&mut self, values: &Values, op: &Operation<'_>) -> Result<(), String> {
        let f = values.as_str(op.f()).unwrap_or_default();
        let text = match f {
            "get" if op.status() != Status::Ok => return Ok(()),
            "get" if op.result().is_null() => Some(""),
            "get" => values.as_str(op.result()),
            "put" | "append" => values.as_str(given(op)),
            _ => None,
        };
        match (f, text, self) {
            (_, None, _) => return Err("this is no operation on a string".to_owned()),
            ("append", Some(_), There::Unknown) => return Err("nothing tells what it was added to".to_owned()),
            ("append", Some(more), There::Text(there)) => there.push_str(more),
            ("get", Some(seen), There::Text(there)) if seen != there => {
                let (seen, there) = (values.json(op.result(), 60), shown(there));
                return Err(format!("it got {seen}, and the steps before it leave {there}"));
            }
            (_, Some(text), it) => *it = There::Text(text.to_owned()),
        }
        Ok(())
    }
}

/// A string in quotes; its end, where it is long.
fn shown(text: &str) -> String {
    let from = text.char_indices().map(|(at, _)| at).find(|at| text.len() - at <= 60).unwrap_or(0);
    format!("{}{:?}", if from > 0 { "…" } else { "" }, &text[from..])
}

pub(super) fn key_of(op: &Operation<'_>) -> Value {
    if op.key().is_null() { Value::ABSENT } else { op.key() }
}

/// What the operation was given; where only its completion says so, that.
fn given(op: &Operation<'_>) -> Value {
    let ok = op.status() == Status::Ok;
    let late = op.argument().is_null() && !op.result().is_null() && (ok || op.argument().is_absent());
    let given = if late { op.result() } else { op.argument() };
    if given.is_absent() { Value::NULL } else { given }
}

/// What the operation found, and what it leaves behind.
pub(super) fn effect(history: &History, op: &Operation<'_>) -> Option<(Option<Value>, Option<Value>)> {
    let some = |value: Value| if value.is_absent() { Value::NULL } else { value };
    let (values, ok, given) = (history.values(), op.status() == Status::Ok, given(op));
    match values.as_str(op.f())? {
        "read" => Some((ok.then(|| some(op.result())), None)),
        "write" => Some((None, Some(given))),
        "cas" => match values.items(given)[..] {
            [old, new] if given.is_list() => Some((Some(old), Some(new))),
            _ => None,
        },
        _ => None,
    }
}

/// What is there at first; nothing where the history says that it is unknown: then the first that is found tells it.
pub(super) fn initial(history: &History, key: Value) -> Option<Value> {
    let values = history.values();
    let said = history.header_field("initial").unwrap_or(Value::NULL);
    let mine = if !key.is_null() && matches!(values.view(said), View::Compound(Compound::Map)) {
        let name = values.as_str(key).map_or_else(|| values.json(key, usize::MAX), str::to_owned);
        values.get(said, &name).unwrap_or(Value::NULL)
    } else {
        said
    };
    let mine = if mine.is_absent() { Value::NULL } else { mine };
    (values.as_str(mine) != Some("unknown")).then_some(mine)
}
