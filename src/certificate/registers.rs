//! `linearizable`, of registers: an order for each key.
//!
//! An order respects real time where no operation in it ended before one that stands earlier in it began: the latest
//! beginning so far is all that has to be known.

use std::collections::HashSet;

use super::evidence::other;
use super::places::{Places, at};
use super::{Certificate, Claim, Order, Ruling};
use crate::history::{Compound, History, Operation, Status, Value, View};

/// What became of the claim.
pub(super) fn rule(history: &History, certificate: &Certificate, claim: &Claim, orders: &[Order]) -> Ruling {
    if certificate.workload != "register" || claim.guarantee != "linearizable" {
        return other(certificate, claim);
    }
    let mut places = Places::new(history);
    let mut keys: HashSet<Value> = HashSet::new();
    let mut steps = 0;
    for order in orders {
        match replay(history, order, &mut places, &mut keys) {
            Ok(()) => steps += order.operations.len(),
            Err(why) => return Ruling::Refused(why),
        }
    }
    let mut left: HashSet<Value> = HashSet::new();
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

fn replay(history: &History, order: &Order, places: &mut Places<'_>, keys: &mut HashSet<Value>) -> Result<(), String> {
    let values = history.values();
    let mut known: Option<(Value, Option<Value>)> = None;
    let mut latest = 0;
    for (step, position) in order.operations.iter().enumerate() {
        let refuse = |why: &str| {
            let key = known.filter(|(key, _)| !key.is_absent());
            let of = key.map_or_else(String::new, |(key, _)| format!("key {}, ", values.json(key, 60)));
            format!("{of}{}", at(step, *position, why))
        };
        let op = places.take(*position).map_err(|why| refuse(&why))?;
        let key = key_of(&op);
        let state = match known {
            Some((other, state)) if other == key => state,
            Some(_) => return Err(refuse("this operation is on another key")),
            None if !keys.insert(key) => return Err(refuse("its key has an order already")),
            None => initial(history, key),
        };
        if op.ended() < latest {
            return Err(refuse(&format!("it ended before an earlier step began, at record {latest} or later")));
        }
        latest = latest.max(op.began());
        let Some((observes, writes)) = effect(history, &op) else {
            return Err(refuse("this is no operation on a register"));
        };
        if let (Some(seen), Some(there)) = (observes, state)
            && seen != there
        {
            let (seen, there) = (values.json(seen, 60), values.json(there, 60));
            return Err(refuse(&format!("it found {seen}, and the steps before it leave {there}")));
        }
        known = Some((key, writes.or(observes).or(state)));
    }
    Ok(())
}

pub(super) fn key_of(op: &Operation<'_>) -> Value {
    if op.key().is_null() { Value::ABSENT } else { op.key() }
}

/// What the operation found, and what it leaves behind.
pub(super) fn effect(history: &History, op: &Operation<'_>) -> Option<(Option<Value>, Option<Value>)> {
    let values = history.values();
    let some = |value: Value| if value.is_absent() { Value::NULL } else { value };
    let ok = op.status() == Status::Ok;
    let late = op.argument().is_null() && !op.result().is_null() && (ok || op.argument().is_absent());
    let given = some(if late { op.result() } else { op.argument() });
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
