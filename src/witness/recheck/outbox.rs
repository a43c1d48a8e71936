//! Confirms findings about an outbox from the history alone: every record that names the event is read once more.
//!
//! Cost: a scan of the history for each witness.

use crate::guarantee::Anomaly;
use crate::history::{History, Operation, Status, Value};
use crate::witness::accounts::Reason;
use crate::witness::claim::Account;

struct Act<'a> {
    op: Operation<'a>,
    named: Value,
}

impl Act<'_> {
    fn ok(&self) -> bool {
        self.op.status() == Status::Ok
    }

    fn failed(&self) -> bool {
        self.op.status() == Status::Fail
    }
}

/// Whether the history has this, of this event and for this reason, and the witness names the records that show it.
#[must_use]
pub fn confirms(history: &History, anomaly: Anomaly, certain: bool, account: &Account) -> bool {
    let (event, operations, why) = (account.subject, &account.records[..], account.why);
    let values = history.values();
    let field = |op: &Operation<'_>, name: &str| {
        let of = |value| values.get(value, name).filter(|value| !value.is_null());
        of(op.argument()).or_else(|| of(op.result())).unwrap_or(Value::NULL)
    };
    let is = |op: &Operation<'_>, f: &str| values.as_str(op.f()) == Some(f);
    let commits: Vec<Act<'_>> = history
        .ops()
        .filter(|op| is(op, "commit") && values.items(field(op, "events")).contains(&event))
        .map(|op| Act { op, named: Value::NULL })
        .collect();
    let publishes: Vec<Act<'_>> = history
        .ops()
        .filter(|op| is(op, "publish") && field(op, "event") == event)
        .map(|op| Act { named: field(&op, "payload"), op })
        .collect();
    let drained_after = |position: u32| {
        history.observations().iter().any(|seen| values.as_str(seen.f) == Some("drained") && seen.position > position)
    };
    let named = |act: &Act<'_>| operations.contains(&act.op.position());
    let missing = || {
        let due = commits.iter().filter(|act| act.ok()).any(|act| !certain || drained_after(act.op.position()));
        due && publishes.iter().all(|act| act.failed() || (!certain && !act.ok()))
    };
    // Why it is not certain.
    let open = || {
        let unanswered = publishes.iter().any(|act| !act.failed());
        let committed = commits.iter().filter(|act| act.ok());
        let undrained = committed.min_by_key(|act| act.op.ended()).is_some_and(|act| !drained_after(act.op.position()));
        match (unanswered, undrained) {
            (true, _) => Some(Reason::Unanswered),
            (false, true) => Some(Reason::Undrained),
            (false, false) => None,
        }
    };
    // The commit that gives an event its version: the first that is done, else the first that began.
    let made = |event: Value| {
        let lists = |op: &Operation<'_>| is(op, "commit") && values.items(field(op, "events")).contains(&event);
        let all = || history.ops().filter(|op| lists(op) && op.status() != Status::Fail);
        all()
            .filter(|op| op.status() == Status::Ok)
            .min_by_key(Operation::ended)
            .or_else(|| all().min_by_key(Operation::began))
    };
    // The publications of higher versions of the event's aggregate that the witness names.
    let mine = made(event);
    let higher = |position: &u32| {
        let mine = mine.as_ref()?;
        let publish = history.ops().find(|op| op.position() == *position && is(op, "publish"))?;
        let other = made(field(&publish, "event")).filter(|_| publish.status() == Status::Ok)?;
        let version = |op: &Operation<'_>| values.as_int(field(op, "version"));
        let above = version(&other).zip(version(mine)).is_some_and(|(other, mine)| other > mine);
        (above && field(&other, "aggregate") == field(mine, "aggregate")).then_some(publish)
    };
    match anomaly {
        Anomaly::MissingPublish => missing() && commits.iter().any(named) && certain == why.is_none() && why == open(),
        Anomaly::PublishGap => {
            let passed = operations.iter().any(|position| higher(position).is_some());
            missing() && passed && open().is_none() == certain && why.is_none()
        }
        Anomaly::PhantomPublish => {
            let shown = publishes.iter().any(|act| named(act) && !act.failed() && act.ok() == certain);
            let reason = if commits.is_empty() { Reason::Nobody } else { Reason::Aborted };
            shown && commits.iter().all(Act::failed) && why == certain.then_some(reason)
        }
        Anomaly::EarlyPublish => {
            let early = |act: &Act<'_>| {
                let mut made = commits.iter().filter(|one| !one.failed()).peekable();
                act.ok() && made.peek().is_some() && made.all(|one| act.op.ended() < one.op.began())
            };
            certain && why.is_none() && publishes.iter().any(|act| named(act) && early(act))
        }
        Anomaly::PublishInversion => operations.iter().filter_map(higher).any(|above| {
            let late = |act: &&Act<'_>| act.op.began() > above.ended();
            publishes.iter().any(|act| act.ok() && named(act) && late(&act))
                && publishes.iter().filter(|act| act.ok()).all(|act| late(&act))
                && publishes.iter().filter(|act| !act.failed()).all(|act| late(&act)) == certain
                && why.is_none()
        }),
        Anomaly::DivergentEvent => {
            let told: Vec<&Act<'_>> = publishes.iter().filter(|act| named(act) && !act.failed()).collect();
            let differ = |a: &Act<'_>, b: &Act<'_>| {
                let print = |act: &Act<'_>| field(&act.op, "fingerprint");
                let known = |a: Value, b: Value| !a.is_null() && !b.is_null() && a != b;
                known(a.named, b.named) || known(print(a), print(b))
            };
            let apart = told.iter().any(|a| told.iter().any(|b| differ(a, b)));
            apart && told.iter().all(|act| act.ok()) == certain && why.is_none()
        }
        Anomaly::EventVersionMismatch => publishes.iter().filter(|act| named(act) && !act.failed()).any(|act| {
            let same = |one: &Act<'_>| {
                ["aggregate", "version"].iter().all(|name| field(&one.op, name) == field(&act.op, name))
            };
            let says = |one: &Act<'_>| ["aggregate", "version"].iter().all(|name| !field(&one.op, name).is_null());
            let mut made = commits.iter().filter(|one| !one.failed()).peekable();
            let differs = says(act) && made.peek().is_some() && made.all(|one| says(one) && !same(one));
            act.ok() == certain && differs && why.is_none()
        }),
        Anomaly::DuplicatePublish => {
            let told: Vec<&Act<'_>> = publishes.iter().filter(|act| named(act) && !act.failed()).collect();
            told.len() >= 2 && told.iter().all(|act| act.ok()) == certain && why.is_none()
        }
        _ => false,
    }
}
