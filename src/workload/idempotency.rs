//! The `idempotency` vocabulary: a client's attempts, and what the service really did.
//!
//! One operation `request` is one attempt; observers' `effect` records are what was done, `audit` says that the list of
//! them is complete. Attempts that share an idempotency key, within its scope, are a *group*; so are those that have no
//! key and share an `intent`; an attempt with neither stands alone. `relate` finds the group of each effect.
//!
//! Cost: linear in records. What makes the verdict is in `check/delivery`.

mod content;
mod groups;
mod relate;

use super::WorkloadError;
use super::fields::{Fields, or_null};
use crate::history::{History, OpId, Operation, Status, Value};

pub use groups::{Group, Identity, Pool};

/// The payload of an attempt, as far as it can be compared: equal exactly where the payloads are, within one group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Content {
    /// The record gives none.
    Unknown,
    /// By its payload.
    Payload(u32),
    /// By its fingerprint, where there is no payload.
    Fingerprint(u32),
}

impl Content {
    /// Whether the two payloads certainly are different ones.
    #[must_use]
    pub fn differs(self, other: Content) -> bool {
        match (self, other) {
            (Content::Payload(a), Content::Payload(b)) | (Content::Fingerprint(a), Content::Fingerprint(b)) => a != b,
            _ => false,
        }
    }
}

/// One attempt.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The operation.
    pub op: OpId,
    /// It began at or after this position.
    pub began: u32,
    /// The position of its completion, whatever that says; [`History::NO_POSITION`] without one.
    pub ended: u32,
    /// Nanoseconds, or [`History::NO_TIME`].
    pub invoked_time: i64,
    /// Nanoseconds, or [`History::NO_TIME`].
    pub completed_time: i64,
    /// What is known of it: `fail` is refused before execution.
    pub status: Status,
    /// The answer's status code; 0 where it gives none.
    pub code: u16,
    /// Whether the service says that it replayed an earlier outcome.
    pub replayed: Option<bool>,
    /// What was asked.
    pub content: Content,
    /// The resource that the answer names, or null.
    pub resource: Value,
    /// The answer's body, or null.
    pub response: Value,
    /// The client's one business intent, or null.
    pub intent: Value,
}

impl Attempt {
    /// Whether the answer claims an effect: an `ok` with a 2xx, or with no code at all.
    #[must_use]
    pub fn claims(&self) -> bool {
        self.status == Status::Ok && (self.code == 0 || self.code / 100 == 2)
    }

    /// Whether it may have been executed: everything but a refusal.
    #[must_use]
    pub fn may_execute(&self) -> bool {
        self.status != Status::Fail
    }

    /// The position that reports name it by.
    #[must_use]
    pub fn position(&self) -> u32 {
        if self.ended == History::NO_POSITION { self.began } else { self.ended }
    }
}

/// One business effect, at its first record.
#[derive(Clone, Copy, Debug)]
pub struct Effect {
    /// The record.
    pub position: u32,
    /// Nanoseconds, or [`History::NO_TIME`].
    pub time: i64,
    /// Its identity.
    pub id: Value,
    /// The resource that it made, or null.
    pub resource: Value,
    /// Which part of a bundle it is, or null.
    pub kind: Value,
    /// The intent that it names, or null.
    pub intent: Value,
}

impl Effect {
    /// Takes from another record of the same effect what this one leaves open.
    fn complete(&mut self, other: &Effect) {
        for (ours, theirs) in
            [(&mut self.resource, other.resource), (&mut self.kind, other.kind), (&mut self.intent, other.intent)]
        {
            if ours.is_null() {
                *ours = theirs;
            }
        }
    }
}

/// The last record that says: every effect up to here is in the history.
#[derive(Clone, Copy, Debug)]
pub struct Audit {
    /// The record.
    pub position: u32,
    /// Nanoseconds, or [`History::NO_TIME`].
    pub time: i64,
}

/// A history of attempts and effects.
#[derive(Debug)]
pub struct Idempotency {
    /// By group, in order of beginning.
    pub attempts: Vec<Attempt>,
    /// By group, in order of position; those of the pools come after all groups'.
    pub effects: Vec<Effect>,
    /// In order of first appearance.
    pub groups: Vec<Group>,
    /// Effects that belong to one of several groups, and to which is not known.
    pub pools: Vec<Pool>,
    /// For each group that shares its key with another scope's: the number of that key; `u32::MAX` for the others.
    pub shared: Vec<u32>,
    /// The last complete audit.
    pub audit: Option<Audit>,
    /// Whether an observer's record is written as its fact happens.
    pub synchronous: bool,
    /// Records of effects whose identity was there already: the effect, and the record's position.
    pub repeated_effects: Vec<(u32, u32)>,
}

impl Idempotency {
    /// Reads the vocabulary.
    ///
    /// # Errors
    /// An operation that is none of `request`, `effect` and `audit`, an effect without identity, a status that is no
    /// number.
    pub fn from_history(history: &History) -> Result<Idempotency, WorkloadError> {
        let mut reader = Reader::new(history);
        for op in history.ops() {
            reader.operation(&op)?;
        }
        let values = history.values();
        let mut last = (Value::ABSENT, "");
        for seen in history.observations() {
            if seen.f != last.0 {
                last = (seen.f, values.as_str(seen.f).unwrap_or(""));
            }
            match last.1 {
                "effect" => reader.effect(seen.position, seen.time, seen.key, seen.value)?,
                "audit" => reader.audit(seen.position, seen.time, seen.value),
                _ => {}
            }
        }
        Ok(reader.finish())
    }

    /// The attempts of a group.
    #[must_use]
    pub fn attempts_of(&self, group: usize) -> &[Attempt] {
        let end = self.groups.get(group + 1).map_or(self.attempts.len(), |next| next.first_attempt as usize);
        &self.attempts[self.groups[group].first_attempt as usize..end]
    }

    /// The effects of a group.
    #[must_use]
    pub fn effects_of(&self, group: usize) -> &[Effect] {
        let pooled = self.pools.first().map_or(self.effects.len(), |pool| pool.effects.start as usize);
        let end = self.groups.get(group + 1).map_or(pooled, |next| next.first_effect as usize);
        &self.effects[self.groups[group].first_effect as usize..end]
    }
}

/// An effect as its record gives it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    effect: Effect,
    key: Value,
    scope: Value,
}

/// An attempt with what groups it.
#[derive(Clone, Copy, Debug)]
struct Asked {
    attempt: Attempt,
    key: Value,
    scope: Value,
    payload: Value,
    fingerprint: Value,
}

struct Reader<'a> {
    history: &'a History,
    asked: Vec<Asked>,
    seen: Vec<Seen>,
    audit: Option<Audit>,
    argument: Fields<4>,
    answer: Fields<4>,
    done: Fields<5>,
    id: Fields<1>,
    complete: Fields<1>,
    /// The last function met, and whether it is `request`.
    f: (Value, bool),
}

impl<'a> Reader<'a> {
    fn new(history: &'a History) -> Reader<'a> {
        Reader {
            history,
            asked: Vec::with_capacity(history.len()),
            seen: Vec::with_capacity(history.observations().len()),
            audit: None,
            argument: Fields::new(["scope", "payload", "fingerprint", "intent"]),
            answer: Fields::new(["status", "response", "resource", "replayed"]),
            done: Fields::new(["effect", "resource", "scope", "intent", "kind"]),
            id: Fields::new(["id"]),
            complete: Fields::new(["complete"]),
            f: (Value::ABSENT, false),
        }
    }

    fn operation(&mut self, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let values = self.history.values();
        if op.f() != self.f.0 {
            self.f = (op.f(), values.as_str(op.f()) == Some("request"));
        }
        if self.f.1 {
            return self.attempt(op);
        }
        // A log that a client's process wrote: no operation either, where it says that the thing happened.
        let time = op.completed_time().unwrap_or(History::NO_TIME);
        match (values.as_str(op.f()), op.completed()) {
            (Some("effect"), Some(position)) if op.status() != Status::Fail => {
                self.effect(position, time, op.key(), op.result())
            }
            (Some("audit"), Some(position)) if op.status() != Status::Fail => {
                self.audit(position, time, op.result());
                Ok(())
            }
            (Some("effect" | "audit"), _) => Ok(()),
            _ => Err(WorkloadError {
                position: Some(op.position()),
                message: format!(
                    "`f` is {} here, which is no part of the idempotency workload",
                    values.json(op.f(), 60)
                ),
                help: "clients' operations are `request`; observers' records are `effect` and `audit`, and everything \
                       else that an observer writes is passed over: give such a process `info` records only"
                    .to_owned(),
            }),
        }
    }

    fn attempt(&mut self, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let values = self.history.values();
        let mut argument = self.argument.of(values, op.argument());
        if op.invoked().is_none() {
            argument = self.argument.of(values, op.result());
        }
        let [scope, payload, fingerprint, intent] = argument;
        let [status, response, resource, replayed] = self.answer.of(values, op.result());
        let mut named = or_null(resource);
        if named.is_null() {
            let [id] = self.id.of(values, response);
            named = or_null(id);
        }
        let code = match values.as_int(status).map(u16::try_from) {
            Some(Ok(code)) => code,
            None if status.is_null() => 0,
            _ => {
                return Err(WorkloadError {
                    position: op.completed(),
                    message: format!("this answer's `status` is {}", values.json(status, 60)),
                    help: "a status is a number, as in HTTP: 201, 409, 422".to_owned(),
                });
            }
        };
        let attempt = Attempt {
            op: op.id,
            began: op.began(),
            ended: op.completed().unwrap_or(History::NO_POSITION),
            invoked_time: op.invoked_time().unwrap_or(History::NO_TIME),
            completed_time: op.completed_time().unwrap_or(History::NO_TIME),
            status: op.status(),
            code,
            replayed: match replayed {
                Value::TRUE => Some(true),
                Value::FALSE => Some(false),
                _ => None,
            },
            content: Content::Unknown,
            resource: named,
            response: or_null(response),
            intent: or_null(intent),
        };
        self.asked.push(Asked { attempt, key: or_null(op.key()), scope: or_null(scope), payload, fingerprint });
        Ok(())
    }

    fn effect(&mut self, position: u32, time: i64, key: Value, value: Value) -> Result<(), WorkloadError> {
        let [id, resource, scope, intent, kind] = self.done.of(self.history.values(), value);
        if id.is_null() {
            return Err(WorkloadError {
                position: Some(position),
                message: "this effect has no identity".to_owned(),
                help: "say which effect it is (`\"value\": {\"effect\": \"row-41\"}`), so that two records of one \
                       effect are not taken for two effects"
                    .to_owned(),
            });
        }
        let effect =
            Effect { position, time, id, resource: or_null(resource), kind: or_null(kind), intent: or_null(intent) };
        self.seen.push(Seen { effect, key: or_null(key), scope: or_null(scope) });
        Ok(())
    }

    fn audit(&mut self, position: u32, time: i64, value: Value) {
        let [complete] = self.complete.of(self.history.values(), value);
        if complete == Value::TRUE && self.audit.is_none_or(|last| last.position < position) {
            self.audit = Some(Audit { position, time });
        }
    }

    fn finish(mut self) -> Idempotency {
        let values = self.history.values();
        self.seen.sort_by_key(|seen| seen.effect.position);
        let synchronous = self.history.header_field("observers").and_then(|value| values.as_str(value));
        relate::relate(values, self.asked, self.seen, self.audit, synchronous == Some("synchronous"))
    }
}
