//! Witnesses over requests, messages, events, sagas and systems in words: told from the history and the claim alone.
//!
//! A claim names a few records. The story names them in the order in which they began, says of each pair that follows one another
//! which came first, and draws them as a sequence in time: the client who asks, the service that answers, the store or broker
//! where facts show. What it all means depends on the rule, on the reason that the claim gives, and on whether it is certain.
//! Cost: a scan of the history.

mod delivery;
mod idempotency;
mod outbox;
mod reason;
mod reconciliation;
mod saga;

pub use reason::Reason;

use crate::guarantee::Anomaly;
use crate::history::{History, Observation, Operation, Status, Value};
use crate::witness::claim::{Account, Claim, Rule};
use crate::witness::timeline::{CLIENT, SERVICE, STORE, Timeline};
use crate::witness::{Minimality, Step, Witness};

/// How long a value's text may get.
const VALUE_TEXT: usize = 60;

/// A claim as a witness.
#[must_use]
pub fn witness(history: &History, anomaly: Anomaly, certain: bool, account: &Account, rechecked: bool) -> Witness {
    let case = Case::read(history, anomaly, certain, account);
    let mut witness = match &account.rule {
        Rule::Idempotency(terms) => idempotency::tell(&case, terms),
        Rule::Delivery(terms) => tell(&case, &delivery::Messages { case: &case, terms }),
        Rule::Outbox => tell(&case, &outbox::Events { case: &case }),
        Rule::Saga => tell(&case, &saga::Sagas { case: &case }),
        Rule::Reconciliation { .. } => tell(&case, &reconciliation::Systems { case: &case }),
    };
    witness.rechecked = rechecked;
    witness.claim = Some(Claim::Account(account.clone()).to_json(history));
    witness
}

/// What a check found as a witness, looked at twice.
#[must_use]
pub fn found(history: &History, anomaly: Anomaly, certain: bool, mut account: Account) -> Witness {
    let witness = witness(history, anomaly, certain, &account, false);
    account.records.clone_from(&witness.operations);
    witness.claiming(history, anomaly, certain, &Claim::Account(account))
}

/// A claim, and the records that it names.
struct Case<'h> {
    history: &'h History,
    anomaly: Anomaly,
    certain: bool,
    why: Option<Reason>,
    subject: Value,
    /// In the order in which they began.
    records: Vec<Record<'h>>,
}

/// One of them.
#[derive(Clone, Copy)]
enum Record<'h> {
    Act(Operation<'h>),
    Seen(&'h Observation),
}

impl<'h> Case<'h> {
    fn read(history: &'h History, anomaly: Anomaly, certain: bool, account: &Account) -> Case<'h> {
        let named = |position: u32| account.records.contains(&position);
        let acts = history.ops().filter(|op| named(op.position())).map(Record::Act);
        let seen = history.observations().iter().filter(|seen| named(seen.position)).map(Record::Seen);
        let mut records: Vec<Record<'h>> = acts.chain(seen).collect();
        records.sort_by_key(|record| (record.began(), record.position()));
        Case { history, anomaly, certain, why: account.why, subject: account.subject, records }
    }

    fn json(&self, value: Value) -> String {
        self.history.values().json(value, VALUE_TEXT)
    }

    /// The name of a record's function.
    fn f(&self, f: Value) -> &'h str {
        self.history.values().as_str(f).unwrap_or("")
    }

    /// What an operation says under a name: what was asked, else what was answered; null where neither does.
    fn field(&self, op: &Operation<'_>, name: &str) -> Value {
        let values = self.history.values();
        let of = |value| values.get(value, name).filter(|value| !value.is_null());
        of(op.argument()).or_else(|| of(op.result())).unwrap_or(Value::NULL)
    }
}

impl Record<'_> {
    fn position(&self) -> u32 {
        match self {
            Record::Act(op) => op.position(),
            Record::Seen(seen) => seen.position,
        }
    }

    fn began(&self) -> u32 {
        match self {
            Record::Act(op) => op.began(),
            Record::Seen(seen) => seen.position,
        }
    }

    fn ended(&self) -> Option<u32> {
        match self {
            Record::Act(op) => op.completed(),
            Record::Seen(seen) => Some(seen.position),
        }
    }
}

/// What a vocabulary calls its records and its classes.
trait Words {
    /// A record in a few words, of an operation or an observer: `publish of e-31`.
    fn record(&self, f: &str, key: Value, value: Value) -> String;
    /// What it means for the data.
    fn text(&self) -> String;
    /// Who asks in an operation, and who answers.
    fn lanes(&self, _: &Operation<'_>) -> [String; 2] {
        [CLIENT.to_owned(), SERVICE.to_owned()]
    }
    /// Where an observer's record of this function belongs.
    fn lane_of_fact(&self, _: &str) -> &'static str {
        STORE
    }
    /// How an operation ended.
    fn outcome(&self, op: &Operation<'_>) -> &'static str {
        match op.status() {
            Status::Ok => "is done",
            Status::Fail => "is refused: it did not happen",
            Status::Info => "ends without an answer: it may have happened, or not",
        }
    }
}

/// A record with its name, and what is said of it.
struct Told<'c> {
    name: String,
    what: String,
    record: &'c Record<'c>,
}

fn tell(case: &Case<'_>, words: &dyn Words) -> Witness {
    let mut timeline = Timeline::default();
    let mut numbers = [0u32; 2];
    let told: Vec<Told<'_>> = case
        .records
        .iter()
        .map(|record| {
            let (mut name, what) = one(case, words, record, &mut timeline);
            if let "T" | "E" = &name[..] {
                let number = &mut numbers[usize::from(name == "E")];
                *number += 1;
                name.push_str(&number.to_string());
            }
            Told { name, what, record }
        })
        .collect();
    let steps = told
        .windows(2)
        .map(|pair| {
            let (a, b) = (&pair[0], &pair[1]);
            let before = a.record.ended().is_some_and(|end| end < b.record.began());
            let how = if before { "was over before" } else { "had begun before" };
            Step {
                from: a.record.position(),
                to: b.record.position(),
                relation: if before { "realtime" } else { "overlap" },
                key: (!case.subject.is_null()).then_some(case.subject),
                because: format!("{}, {}, {how} {}, {}", a.name, a.what, b.name, b.what),
            }
        })
        .collect();
    Witness {
        minimality: Minimality::Minimum,
        rechecked: false,
        claim: None,
        operations: told.iter().map(|told| told.record.position()).collect(),
        names: told.iter().map(|told| told.name.clone()).collect(),
        steps,
        timeline: Some(timeline.finish()),
        text: words.text(),
    }
}

/// What kind of name a record gets, and what is said of it.
fn one(case: &Case<'_>, words: &dyn Words, record: &Record<'_>, timeline: &mut Timeline) -> (String, String) {
    match record {
        Record::Act(op) => {
            let value = if op.argument().is_null() { op.result() } else { op.argument() };
            let what = words.record(case.f(op.f()), op.key(), value);
            let [asks, answers] = words.lanes(op);
            if let Some(position) = op.invoked() {
                timeline.say(position, op.invoked_time(), &asks, format!("{what} begins"));
            }
            let outcome = words.outcome(op);
            if let Some(position) = op.completed() {
                let lane = if op.status() == Status::Info { &asks } else { &answers };
                timeline.say(position, op.completed_time(), lane, format!("{what} {outcome}"));
            }
            ("T".to_owned(), format!("the {what}, which {outcome}"))
        }
        Record::Seen(seen) => {
            let f = case.f(seen.f);
            let name = if matches!(f, "audit" | "drained") { f.to_uppercase() } else { "E".to_owned() };
            let what = words.record(f, seen.key, seen.value);
            let time = (seen.time != History::NO_TIME).then_some(seen.time);
            timeline.say(seen.position, time, words.lane_of_fact(f), what.clone());
            (name, what)
        }
    }
}
