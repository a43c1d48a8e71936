//! Idempotency keys in words: what was sent, what was answered, and what was done.

mod meaning;

use super::{Case, Record};
use crate::guarantee::Anomaly;
use crate::history::{History, Operation, Status, Value};
use crate::witness::recheck::idempotency::Terms;
use crate::witness::timeline::{CLIENT, SERVICE, STORE, Timeline};
use crate::witness::{Minimality, Moment, Step, Witness};

/// A claim about attempts and effects as a witness.
pub(super) fn tell(case: &Case<'_>, terms: &Terms) -> Witness {
    let teller = Teller::of(case, terms);
    let step = |pair: &[Told<'_>]| Step {
        from: pair[0].position,
        to: pair[1].position,
        relation: pair[1].what.relation(),
        key: Some(teller.subject.key).filter(|key| !key.is_null()),
        because: teller.because(&pair[0], &pair[1]),
    };
    Witness {
        minimality: Minimality::Minimum,
        rechecked: false,
        claim: None,
        operations: teller.told.iter().map(|told| told.position).collect(),
        names: teller.told.iter().map(|told| told.name.clone()).collect(),
        steps: teller.told.windows(2).map(step).collect(),
        timeline: Some(teller.timeline()),
        text: teller.text(),
    }
}

struct Teller<'c> {
    case: &'c Case<'c>,
    terms: &'c Terms,
    /// In the order in which they began; an audit comes last.
    told: Vec<Told<'c>>,
    subject: Subject,
}

/// A record with its name, and where it stands.
struct Told<'c> {
    name: String,
    position: u32,
    what: What<'c>,
}

#[derive(Clone, Copy)]
enum What<'c> {
    Attempt(Operation<'c>),
    Effect(Effect),
    Audit(Option<i64>),
}

/// An effect as its record gives it.
#[derive(Clone, Copy)]
struct Effect {
    time: Option<i64>,
    key: Value,
    value: Value,
}

/// What it is about: null where it says nothing of it.
#[derive(Clone, Copy)]
struct Subject {
    key: Value,
    scope: Value,
    intent: Value,
}

impl Subject {
    fn is_nothing(&self) -> bool {
        self.key.is_null() && self.intent.is_null()
    }
}

impl What<'_> {
    /// What joins a record to the one before it.
    fn relation(&self) -> &'static str {
        match self {
            What::Attempt(_) => "attempt",
            What::Effect(_) => "effect",
            What::Audit(_) => "audit",
        }
    }
}

fn null(value: Option<Value>) -> Value {
    value.filter(|value| !value.is_null()).unwrap_or(Value::NULL)
}

impl<'c> Teller<'c> {
    fn of(case: &'c Case<'c>, terms: &'c Terms) -> Teller<'c> {
        let what = |record: &Record<'c>| match *record {
            Record::Act(op) if case.f(op.f()) == "request" => What::Attempt(op),
            Record::Act(op) if case.f(op.f()) == "audit" => What::Audit(op.completed_time()),
            Record::Act(op) => What::Effect(Effect { time: op.completed_time(), key: op.key(), value: op.result() }),
            Record::Seen(seen) => {
                let time = Some(seen.time).filter(|time| *time != History::NO_TIME);
                match case.f(seen.f) {
                    "audit" => What::Audit(time),
                    _ => What::Effect(Effect { time, key: seen.key, value: seen.value }),
                }
            }
        };
        let mut whats: Vec<(u32, What<'c>)> =
            case.records.iter().map(|record| (record.position(), what(record))).collect();
        whats.sort_by_key(|(_, what)| matches!(what, What::Audit(_)));
        let (mut attempts, mut effects) = (0, 0);
        let mut name = |what: &What<'_>| {
            let (letter, count) = match what {
                What::Attempt(_) => ('A', &mut attempts),
                What::Effect(_) => ('E', &mut effects),
                What::Audit(_) => return "AUDIT".to_owned(),
            };
            *count += 1;
            format!("{letter}{count}")
        };
        let told: Vec<Told<'c>> =
            whats.into_iter().map(|(position, what)| Told { name: name(&what), position, what }).collect();
        let subject = subject(case, &told);
        Teller { case, terms, told, subject }
    }

    fn json(&self, value: Value) -> String {
        self.case.json(value)
    }

    fn get(&self, value: Value, name: &str) -> Value {
        null(self.case.history.values().get(value, name))
    }

    fn timeline(&self) -> Vec<Moment> {
        let mut timeline = Timeline::default();
        for Told { name, position, what } in &self.told {
            match what {
                What::Attempt(op) => self.tell_attempt(name, op, &mut timeline),
                What::Effect(effect) => {
                    timeline.say(*position, effect.time, STORE, format!("{name}: {}", self.effect(effect)));
                }
                What::Audit(time) => {
                    timeline.say(*position, *time, STORE, format!("{name}: no other effect up to here"));
                }
            }
        }
        timeline.finish()
    }

    fn tell_attempt(&self, name: &str, op: &Operation<'_>, timeline: &mut Timeline) {
        if let Some(position) = op.invoked() {
            let key =
                if op.key().is_null() { "without a key".to_owned() } else { format!("key {}", self.json(op.key())) };
            let values = self.case.history.values();
            let payload = values.get(op.argument(), "payload").or_else(|| values.get(op.argument(), "fingerprint"));
            let payload = payload.map_or(String::new(), |payload| format!(", {}", self.json(payload)));
            timeline.say(position, op.invoked_time(), CLIENT, format!("{name} sends {key}{payload}"));
        }
        let Some(position) = op.completed() else { return };
        let (lane, what) = match op.status() {
            Status::Ok => (SERVICE, format!("{name} is answered {}", self.answer(op))),
            Status::Fail => (SERVICE, format!("{name} is refused {}", self.answer(op))),
            Status::Info => (CLIENT, format!("{name} ends without an answer: it may have happened, or not")),
        };
        timeline.say(position, op.completed_time(), lane, what);
    }

    fn answer(&self, op: &Operation<'_>) -> String {
        let said = |name| self.get(op.result(), name);
        let code = self.case.history.values().as_int(said("status")).filter(|code| *code != 0);
        let mut text = code.map_or_else(|| "without a status".to_owned(), |code| code.to_string());
        let named = Some(said("resource")).filter(|named| !named.is_null());
        let named = named.unwrap_or_else(|| self.get(said("response"), "id"));
        if let Some(body) = [named, said("response")].into_iter().find(|value| !value.is_null()) {
            text.push_str(&format!(", {}", self.json(body)));
        }
        if said("replayed") == Value::TRUE {
            text.push_str(", replayed");
        }
        text
    }

    fn outcome(&self, op: &Operation<'_>) -> String {
        match op.status() {
            Status::Ok => format!("answered {}", self.answer(op)),
            Status::Fail => format!("refused {}", self.answer(op)),
            Status::Info => "never answered".to_owned(),
        }
    }

    fn effect(&self, effect: &Effect) -> String {
        let said = |name| Some(self.get(effect.value, name)).filter(|value| !value.is_null());
        let kind = said("kind").map_or_else(String::new, |kind| format!(" ({})", self.json(kind)));
        let resource = said("resource").map_or_else(String::new, |resource| format!(", {}", self.json(resource)));
        format!("effect {}{kind}{resource}", self.json(self.get(effect.value, "effect")))
    }

    /// What the attempts of the case share.
    fn subject(&self) -> String {
        let Subject { key, scope, intent } = self.subject;
        match (key.is_null(), scope.is_null(), intent.is_null()) {
            (false, true, _) => format!("key {}", self.json(key)),
            (false, false, _) => format!("key {} of {}", self.json(key), self.json(scope)),
            (true, _, false) => format!("intent {} (sent without a key)", self.json(intent)),
            (true, _, true) => "a request without a key".to_owned(),
        }
    }

    /// Why one record of a case leads to the next.
    fn because(&self, from: &Told<'_>, to: &Told<'_>) -> String {
        let (a, b) = (&from.name, &to.name);
        match (&from.what, &to.what) {
            (What::Attempt(_), What::Effect(effect)) if self.case.anomaly == Anomaly::RejectedEffect => {
                format!("{a} was refused, as was every attempt before {b}: {}", self.effect(effect))
            }
            (What::Attempt(x), What::Effect(effect))
                if self.case.anomaly == Anomaly::InFlightViolation
                    && x.completed().is_some_and(|end| end < to.position) =>
            {
                format!("{a} was answered {} before {b} was recorded: {}", self.answer(x), self.effect(effect))
            }
            (What::Attempt(_), What::Effect(effect)) => {
                format!("{a} had begun when {b} was recorded: {}", self.effect(effect))
            }
            (What::Effect(_), What::Attempt(x)) if x.began() > from.position => {
                format!("{a} was there before {b} began, which was {}", self.outcome(x))
            }
            (What::Effect(_), What::Attempt(x)) => format!("{b}, {}, had begun when {a} was recorded", self.outcome(x)),
            (What::Effect(_), What::Effect(effect)) => {
                format!("{a} and {b} are two effects of {}: the second is {}", self.subject(), self.effect(effect))
            }
            (What::Attempt(x), What::Attempt(y)) if x.completed().is_some_and(|end| y.began() > end) => {
                format!("{a} was {}; then came {b}, and was {}", self.outcome(x), self.outcome(y))
            }
            (What::Attempt(x), What::Attempt(y)) => {
                format!("{a}, {}, and {b}, {}, were under way at once", self.outcome(x), self.outcome(y))
            }
            (_, What::Audit(_)) => self.audited(b),
            (What::Audit(_), _) => format!("{b} comes after {a}"),
        }
    }

    /// What an audit says of the case.
    fn audited(&self, name: &str) -> String {
        let rest = match self.case.anomaly {
            Anomaly::LostEffect if self.case.why.is_none() => "there is none of it",
            Anomaly::LostEffect => "there are not enough",
            _ => "there is no other",
        };
        format!("{name} says that every effect is in the history, and {rest}")
    }
}

/// What a case is about: its last attempt, or else its first effect. Where scopes are mixed up: what was refused, or answered last.
fn subject(case: &Case<'_>, told: &[Told<'_>]) -> Subject {
    let get = |value: Value, name: &str| null(case.history.values().get(value, name));
    let mut attempts = told.iter().filter_map(|told| if let What::Attempt(op) = &told.what { Some(op) } else { None });
    let about = if case.anomaly == Anomaly::ScopeCollision {
        attempts.max_by_key(|op| (op.status() == Status::Fail, op.ended()))
    } else {
        attempts.next_back()
    };
    if let Some(op) = about {
        let said = if op.invoked().is_some() { op.argument() } else { op.result() };
        return Subject { key: null(Some(op.key())), scope: get(said, "scope"), intent: get(said, "intent") };
    }
    let effect = told.iter().find_map(|told| if let What::Effect(effect) = &told.what { Some(effect) } else { None });
    let (key, value) = effect.map_or((Value::NULL, Value::NULL), |effect| (effect.key, effect.value));
    Subject { key: null(Some(key)), scope: get(value, "scope"), intent: get(value, "intent") }
}
