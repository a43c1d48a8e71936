//! Confirms findings about a saga from the history alone: every record of its key is read once more.
//!
//! What the witness names is what is looked at; that something is not there is looked for in all of the saga's records.
//! Cost: a scan of the history for each witness, and pairs of one saga's records.

use crate::guarantee::Anomaly;
use crate::history::{History, Status, Value};
use crate::witness::accounts::Reason;
use crate::witness::claim::Account;

#[derive(Clone, Copy, PartialEq, Debug)]
enum What {
    Saga,
    Step,
    Undo,
    Done,
    Undone,
    Audit,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    what: What,
    step: Value,
    id: Value,
    status: Status,
    began: u32,
    /// The last record of it.
    at: u32,
    named: bool,
}

/// Whether the history has this, of this saga and for this reason, and the witness names the records that show it.
#[must_use]
pub fn confirms(history: &History, anomaly: Anomaly, certain: bool, account: &Account) -> bool {
    let (saga, why) = (account.subject, account.why);
    let items = read(history, saga, &account.records);
    let plan = plan(history, saga);
    let ok = |item: &&Item| item.status == Status::Ok;
    let named = |item: &&Item| item.named;
    let of = |what: What, step: Value| items.iter().filter(move |item| item.what == what && item.step == step);
    let audit = items.iter().filter(|item| item.what == What::Audit).map(|item| item.at).max();
    let done = |step: Value| of(What::Step, step).any(|item| ok(&item)) || of(What::Done, step).next().is_some();
    let undone = |step: Value| of(What::Undo, step).any(|item| ok(&item)) || of(What::Undone, step).next().is_some();
    let unclear = |item: &Item| item.status == Status::Info;
    let perhaps = |step: Value| {
        !done(step) && of(What::Step, step).any(|item| unclear(item) && audit.is_none_or(|audit| audit < item.at))
    };
    let outcome = |status: Status| items.iter().any(|item| item.what == What::Saga && item.status == status);
    let planned = |step: Value| plan.iter().find(|planned| planned.name == step);
    let kind = |step: Value| planned(step).map(|planned| planned.kind);
    let told = || items.iter().filter(named);
    let distinct = |what: What| {
        told().any(|a| a.what == what && told().any(|b| b.what == what && b.step == a.step && b.id != a.id))
    };
    // It had to go forward: nothing was to be undone.
    let half_done = |planned: &Planned<'_>| {
        let stands = done(planned.name) && !undone(planned.name) && !of(What::Undo, planned.name).any(unclear);
        planned.kind != "compensatable" && stands
    };
    // What is only possible, or for one of several reasons, is for the classes that say so.
    let single = || certain && why.is_none();
    match anomaly {
        Anomaly::MissingCompensation | Anomaly::FailedAfterPivot => {
            told().any(|item| {
                let forward = kind(item.step).is_some_and(|kind| kind != "compensatable");
                let left = if certain { done(item.step) } else { done(item.step) || perhaps(item.step) };
                let right = forward == (anomaly == Anomaly::FailedAfterPivot) && kind(item.step).is_some();
                let due = planned(item.step).is_some_and(|planned| planned.named) || forward;
                let open = match (of(What::Undo, item.step).any(unclear), done(item.step)) {
                    (true, _) => Some(Reason::UndoUnknown),
                    (false, false) => Some(Reason::StepUnknown),
                    (false, true) => Some(Reason::UnnamedCompensation).filter(|_| !due),
                };
                let reason = why == open && why.is_none() == certain;
                matches!(item.what, What::Step | What::Done) && left && reason && right && !undone(item.step)
            }) && outcome(Status::Fail)
                && !outcome(Status::Ok)
                && (anomaly == Anomaly::FailedAfterPivot || !plan.iter().any(half_done))
        }
        Anomaly::DoubleStep => single() && distinct(What::Done),
        Anomaly::DoubleCompensation => single() && distinct(What::Undone),
        Anomaly::ZombieEffect => {
            told().any(|late| {
                let undo = |item: &Item| item.what == What::Undone || (item.what == What::Undo && ok(&item));
                let acknowledged = of(What::Step, late.step).filter(ok).map(|item| item.at).min().unwrap_or(u32::MAX);
                let before = |item: &Item| item.step == late.step && item.at < late.at && item.at < acknowledged;
                let first = of(What::Done, late.step).all(|item| item.at >= late.at);
                late.what == What::Done && told().any(|item| undo(item) && before(item)) && first
            }) && certain == synchronous(history)
                && why.is_none()
        }
        Anomaly::DanglingSaga => {
            let began = told().find(|item| item.what == What::Saga).map(|item| item.began);
            let audited = began.is_some_and(|began| audit.is_some_and(|audit| audit > began));
            let ended = outcome(Status::Ok) || outcome(Status::Fail);
            began.is_some() && !ended && audited == certain && why.is_none()
        }
        Anomaly::SkippedStep => {
            let absent = |step: Value| !done(step) && certain != perhaps(step);
            let ended = told().any(|item| item.what == What::Saga && ok(&item));
            let later = |item: &Item| {
                let mut after = planned(item.step).into_iter().flat_map(|planned| &planned.after);
                item.what == What::Step && ok(&item) && after.any(|one| absent(*one))
            };
            match why {
                Some(Reason::Completed) => ended && plan.iter().any(|planned| absent(planned.name)),
                Some(Reason::LaterStep) => certain && told().any(later),
                _ => false,
            }
        }
        Anomaly::CompletedAndCompensated => {
            let both = outcome(Status::Fail);
            let reason = if both { Reason::TwoEnds } else { Reason::Undone };
            let shown = both || told().any(|item| undone(item.step));
            outcome(Status::Ok) && shown && certain && why == Some(reason)
        }
        _ if !single() => false,
        Anomaly::CompensationAfterPivot => told().any(|pivot| {
            let after = |item: &Item| item.what == What::Undo && ok(&item) && item.began > pivot.at;
            pivot.what == What::Step && ok(&pivot) && kind(pivot.step) == Some("pivot") && told().any(after)
        }),
        Anomaly::CompensationWithoutStep => told().any(|item| {
            let never = !done(item.step) && !of(What::Step, item.step).any(unclear);
            matches!(item.what, What::Undo | What::Undone) && undone(item.step) && never
        }),
        Anomaly::CompensationOutOfOrder => told().any(|first| {
            let follows = |later: &Item| {
                let both = later.what == What::Undo && undone(later.step) && done(later.step) && done(first.step);
                both && later.began > first.at && precedes(&plan, first.step, later.step)
            };
            first.what == What::Undo && ok(&first) && told().any(follows)
        }),
        Anomaly::StepAfterCompensation => told().any(|undo| {
            let after = |item: &Item| item.what == What::Step && ok(&item) && item.began > undo.at;
            undo.what == What::Undo && ok(&undo) && told().any(after)
        }),
        Anomaly::StepOutOfOrder => told().any(|step| {
            let mut after = planned(step.step).into_iter().flat_map(|planned| &planned.after);
            let late = |before: &Value| {
                let mut all = of(What::Step, *before).filter(|item| item.status != Status::Fail).peekable();
                let shown = of(What::Done, *before).any(|item| item.at < step.at);
                !shown && all.peek().is_some() && all.all(|item| item.began > step.at)
            };
            step.what == What::Step && ok(&step) && after.any(late)
        }),
        Anomaly::UnplannedStep => told().any(|item| {
            let real = item.status == Status::Ok && !matches!(item.what, What::Saga | What::Audit);
            real && !plan.is_empty() && kind(item.step).is_none()
        }),
        _ => false,
    }
}

fn read(history: &History, saga: Value, operations: &[u32]) -> Vec<Item> {
    let values = history.values();
    let field = |value: Value, name: &str| values.get(value, name).filter(|value| !value.is_null());
    let item = |what, value: Value, status, began, at| Item {
        what,
        step: field(value, "step").unwrap_or(Value::NULL),
        id: field(value, "effect").unwrap_or(Value::NULL),
        status,
        began,
        at,
        named: operations.contains(&at),
    };
    let fact = |f: &str, key: Value, value: Value, at: u32| {
        let kind = field(value, "kind").and_then(|kind| values.as_str(kind));
        let what = match (f, kind) {
            ("effect", Some("do")) if key == saga => What::Done,
            ("effect", Some("undo")) if key == saga => What::Undone,
            ("audit", _) if values.get(value, "complete") == Some(Value::TRUE) => What::Audit,
            _ => return None,
        };
        Some(item(what, value, Status::Ok, at, at))
    };
    let mut items = Vec::new();
    for op in history.ops() {
        let f = values.as_str(op.f()).unwrap_or("");
        let what = match f {
            "saga" => What::Saga,
            "step" => What::Step,
            "compensate" => What::Undo,
            _ if op.status() == Status::Ok => {
                items.extend(fact(f, op.key(), op.result(), op.position()));
                continue;
            }
            _ => continue,
        };
        if op.key() == saga || (op.key().is_absent() && saga.is_null()) {
            let value = if field(op.argument(), "step").is_some() { op.argument() } else { op.result() };
            items.push(item(what, value, op.status(), op.began(), op.position()));
        }
    }
    let seen = history.observations().iter();
    items.extend(seen.filter_map(|seen| fact(values.as_str(seen.f)?, seen.key, seen.value, seen.position)));
    items
}

/// Whether the header says that an observer's record is written as its fact happens.
fn synchronous(history: &History) -> bool {
    history.header_field("observers").and_then(|value| history.values().as_str(value)) == Some("synchronous")
}

/// A step of a plan.
struct Planned<'a> {
    name: Value,
    kind: &'a str,
    /// Whether the plan names what compensates it.
    named: bool,
    /// The names of the steps that it follows.
    after: Vec<Value>,
}

/// The steps of the saga's plan.
fn plan(history: &History, saga: Value) -> Vec<Planned<'_>> {
    let values = history.values();
    let mine = history.ops().filter(|op| values.as_str(op.f()) == Some("saga") && op.key() == saga);
    let Some(list) = mine.flat_map(|op| [op.argument(), op.result()]).find_map(|value| values.get(value, "plan"))
    else {
        return Vec::new();
    };
    let mut plan: Vec<Planned<'_>> = Vec::new();
    for item in values.items(list) {
        let named = values.get(item, "compensation").is_some_and(|compensation| !compensation.is_null());
        let kind = values.get(item, "kind").and_then(|kind| values.as_str(kind)).unwrap_or("compensatable");
        let after = match values.get(item, "after").filter(|after| !after.is_null()) {
            Some(after) => values.items(after),
            None => plan.last().map(|planned| planned.name).into_iter().collect(),
        };
        plan.push(Planned { name: values.get(item, "step").unwrap_or(Value::NULL), kind, named, after });
    }
    plan
}

/// Whether the plan has a way from one step to another.
fn precedes(plan: &[Planned<'_>], from: Value, to: Value) -> bool {
    let mut reached = vec![to];
    let mut next = 0;
    while let Some(step) = reached.get(next).copied() {
        next += 1;
        for before in plan.iter().filter(|planned| planned.name == step).flat_map(|planned| &planned.after) {
            if !reached.contains(before) {
                reached.push(*before);
            }
        }
    }
    from != to && reached.contains(&from)
}
