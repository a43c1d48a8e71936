//! The records that a witness names, read for themselves.

use super::Terms;
use crate::history::{History, Operation, Status, Value, Values};
use crate::witness::recheck::facts::{Fact, facts};

/// An attempt, as its records give it.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) began: u32,
    pub(super) ended: u32,
    pub(super) invoked: Option<i64>,
    pub(super) completed: Option<i64>,
    pub(super) status: Status,
    pub(super) code: u16,
    pub(super) replayed: bool,
    pub(super) executed: bool,
    pub(super) key: Value,
    pub(super) scope: Value,
    pub(super) intent: Value,
    pub(super) payload: Value,
    pub(super) response: Value,
    pub(super) resource: Value,
}

impl Asked {
    pub(super) fn claims(&self) -> bool {
        self.status == Status::Ok && (self.code == 0 || self.code / 100 == 2)
    }

    pub(super) fn live(&self) -> bool {
        self.status != Status::Fail
    }

    pub(super) fn of(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Key { key, scope } => self.key == *key && self.scope == *scope,
            Subject::Intent(intent) => self.key.is_null() && self.intent == *intent,
            Subject::Attempt(began) => self.began == *began,
            Subject::AnyScope(key) => self.key == *key,
        }
    }
}

/// An effect, as its record gives it.
#[derive(Clone, Copy)]
pub(super) struct Done {
    pub(super) position: u32,
    pub(super) time: Option<i64>,
    pub(super) id: Value,
    pub(super) key: Value,
    pub(super) scope: Value,
    pub(super) intent: Value,
    pub(super) kind: Value,
    pub(super) resource: Value,
}

/// What a witness is about.
pub(super) enum Subject {
    Key { key: Value, scope: Value },
    Intent(Value),
    Attempt(u32),
    AnyScope(Value),
}

pub(super) struct Case<'a> {
    pub(super) history: &'a History,
    pub(super) terms: &'a Terms,
    pub(super) attempts: Vec<Asked>,
    pub(super) effects: Vec<Done>,
    pub(super) audit: Option<u32>,
    /// The intents and the resources that attempts of a keyed subject name, in order.
    intents: Vec<Value>,
    resources: Vec<Value>,
    /// The intents that attempts without a key name, in order.
    keyless: Vec<Value>,
    /// Whether the subject's key is used in another scope too.
    pub(super) shared: bool,
}

fn null(value: Option<Value>) -> Value {
    value.filter(|value| !value.is_null()).unwrap_or(Value::NULL)
}

fn asked(values: &Values, op: &Operation<'_>) -> Option<Asked> {
    if values.as_str(op.f()) != Some("request") {
        return None;
    }
    let argument = if op.invoked().is_some() { op.argument() } else { op.result() };
    let said = |name| null(values.get(argument, name));
    let answer = |name| null(values.get(op.result(), name));
    let named = Some(answer("resource")).filter(|resource| !resource.is_null());
    let payload = Some(said("payload")).filter(|payload| !payload.is_null());
    Some(Asked {
        began: op.began(),
        ended: op.completed().unwrap_or(u32::MAX),
        invoked: op.invoked_time(),
        completed: op.completed_time(),
        status: op.status(),
        code: values.as_int(answer("status")).and_then(|code| u16::try_from(code).ok()).unwrap_or(0),
        replayed: answer("replayed") == Value::TRUE,
        executed: answer("replayed") == Value::FALSE,
        key: null(Some(op.key())),
        scope: said("scope"),
        intent: said("intent"),
        payload: payload.unwrap_or_else(|| said("fingerprint")),
        response: answer("response"),
        resource: named.unwrap_or_else(|| null(values.get(answer("response"), "id"))),
    })
}

fn done(values: &Values, position: u32, time: Option<i64>, key: Value, value: Value) -> Done {
    let said = |name| null(values.get(value, name));
    Done {
        position,
        time,
        id: said("effect"),
        key: null(Some(key)),
        scope: said("scope"),
        intent: said("intent"),
        kind: said("kind"),
        resource: said("resource"),
    }
}

impl<'a> Case<'a> {
    pub(super) fn read(history: &'a History, terms: &'a Terms, operations: &[u32]) -> Case<'a> {
        let mut case = Case {
            history,
            terms,
            attempts: Vec::new(),
            effects: Vec::new(),
            audit: None,
            intents: Vec::new(),
            resources: Vec::new(),
            keyless: Vec::new(),
            shared: false,
        };
        let named = |position: u32| operations.contains(&position);
        case.attempts = case.all().filter(|a| named(if a.ended == u32::MAX { a.began } else { a.ended })).collect();
        case.effects = case.done().filter(|effect| named(effect.position)).collect();
        case.audit = case.last_audit().map(|fact| fact.position).filter(|position| named(*position));
        if let Some(subject) = case.subject() {
            case.learn(&subject);
        }
        case
    }

    /// Where the last record is that says that every effect is in the history.
    pub(super) fn last_audit(&self) -> Option<Fact> {
        let values = self.history.values();
        let complete = |fact: &Fact| values.get(fact.value, "complete") == Some(Value::TRUE);
        let all = facts(self.history, &["audit"]).into_iter().map(|(_, fact)| fact);
        all.filter(complete).max_by_key(|fact| fact.position)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Asked> + 'a {
        let history = self.history;
        history.ops().filter_map(move |op| asked(history.values(), &op))
    }

    pub(super) fn done(&self) -> impl Iterator<Item = Done> + 'a {
        let history = self.history;
        let values = history.values();
        let seen = history.observations().iter().filter(|seen| values.as_str(seen.f) == Some("effect")).map(|seen| {
            done(values, seen.position, Some(seen.time).filter(|time| *time != History::NO_TIME), seen.key, seen.value)
        });
        let acted = history.ops().filter(|op| values.as_str(op.f()) == Some("effect") && op.status() != Status::Fail);
        seen.chain(
            acted.filter_map(|op| Some(done(values, op.completed()?, op.completed_time(), op.key(), op.result()))),
        )
    }

    /// What it is about, by its last attempt, or else its first effect.
    pub(super) fn subject(&self) -> Option<Subject> {
        let (key, scope, intent, began) = match (self.attempts.last(), self.effects.first()) {
            (Some(a), _) => (a.key, a.scope, a.intent, a.began),
            (None, Some(e)) => (e.key, e.scope, e.intent, u32::MAX),
            (None, None) => return None,
        };
        Some(match (key.is_null(), intent.is_null()) {
            (false, _) if self.attempts.is_empty() && scope.is_null() => Subject::AnyScope(key),
            (false, _) => Subject::Key { key, scope },
            (true, false) => Subject::Intent(intent),
            (true, true) => Subject::Attempt(began),
        })
    }

    /// The attempts of what it is about.
    pub(super) fn asked(&self, subject: &'a Subject) -> impl Iterator<Item = Asked> + 'a {
        self.all().filter(move |attempt| attempt.of(subject))
    }

    /// Whether an effect may be of it: where it does not say its scope or its intent, it may be of any; one without a key
    /// is of a keyed request only where its intent or its resource says so.
    pub(super) fn may_be(&self, effect: &Done, subject: &Subject) -> bool {
        let (key, scope) = match subject {
            Subject::Key { key, scope } => (*key, *scope),
            Subject::AnyScope(key) => (*key, Value::NULL),
            Subject::Intent(intent) => {
                return effect.key.is_null() && (effect.intent.is_null() || effect.intent == *intent);
            }
            Subject::Attempt(_) => return effect.key.is_null(),
        };
        if effect.key == key {
            return effect.scope.is_null() || scope.is_null() || effect.scope == scope;
        }
        // Where attempts without a key name the intent, its effects without a key are theirs.
        if self.keyless.binary_search(&effect.intent).is_ok() {
            return false;
        }
        let intent = self.intents.binary_search(&effect.intent).is_ok();
        let resource = self.resources.binary_search(&effect.resource).is_ok();
        effect.key.is_null() && (intent || resource)
    }

    /// Learns what tells whose an effect is, in one scan.
    fn learn(&mut self, subject: &Subject) {
        let Subject::Key { key, scope } = subject else { return };
        for attempt in self.all() {
            if attempt.of(subject) {
                self.intents.push(attempt.intent);
                self.resources.push(if attempt.claims() { attempt.resource } else { Value::NULL });
            } else if attempt.key.is_null() {
                self.keyless.push(attempt.intent);
            }
            self.shared |= attempt.key == *key && attempt.scope != *scope;
        }
        for values in [&mut self.intents, &mut self.resources, &mut self.keyless] {
            values.sort_unstable();
            values.dedup();
            values.retain(|value| !value.is_null());
        }
    }

    pub(super) fn within(&self, subject: &Subject, times: &[Option<i64>], first: u32) -> bool {
        let Some(life) = self.terms.life_ns else { return true };
        let mut started = i64::MAX;
        for attempt in self.all().filter(|a| a.of(subject) && a.live() && a.began <= first) {
            let Some(time) = attempt.invoked else { return false };
            started = started.min(time);
        }
        started != i64::MAX && times.iter().all(|time| time.is_some_and(|time| time < started.saturating_add(life)))
    }
}
