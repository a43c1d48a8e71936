//! The witness of a case: its records, why they can't be, and the failure as a sequence in time.

use super::policy::{Policy, Replay};
use super::tally::{Case, Piece};
use crate::guarantee::Anomaly;
use crate::history::{History, Status, Value};
use crate::verdict::Certainty;
use crate::witness::timeline::{CLIENT, SERVICE, STORE, Timeline};
use crate::witness::{Minimality, Step, Witness};
use crate::workload::idempotency::{Attempt, Effect, Idempotency, Identity};

/// Tells cases of one history.
pub(super) struct Teller<'a> {
    pub(super) history: &'a History,
    pub(super) workload: &'a Idempotency,
    pub(super) policy: &'a Policy,
}

/// A piece with its name, and where it stands.
struct Told<'a> {
    name: String,
    position: u32,
    piece: What<'a>,
}

enum What<'a> {
    Attempt(&'a Attempt),
    Effect(&'a Effect),
    Audit,
}

impl Teller<'_> {
    /// The witness of a case.
    pub(super) fn witness(&self, anomaly: Anomaly, certainty: Certainty, case: &Case) -> Witness {
        let told = self.told(&case.pieces);
        let steps = told
            .windows(2)
            .map(|pair| Step {
                from: pair[0].position,
                to: pair[1].position,
                relation: relation(&pair[0].piece, &pair[1].piece),
                key: self.key(case),
                because: self.because(anomaly, case, &pair[0], &pair[1]),
            })
            .collect();
        Witness {
            minimality: Minimality::Minimum,
            rechecked: false,
            claim: None,
            operations: told.iter().map(|told| told.position).collect(),
            names: told.iter().map(|told| told.name.clone()).collect(),
            steps,
            timeline: Some(self.timeline(&told)),
            text: self.text(anomaly, certainty, case),
        }
    }

    fn told(&self, pieces: &[Piece]) -> Vec<Told<'_>> {
        let began = |piece: &Piece| match *piece {
            Piece::Attempt(at) => self.workload.attempts[at as usize].began,
            Piece::Effect(at) => self.workload.effects[at as usize].position,
            Piece::Audit => u32::MAX,
        };
        let mut pieces = pieces.to_vec();
        pieces.sort_by_key(began);
        let (mut attempts, mut effects) = (0, 0);
        let mut told: Vec<Told<'_>> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let (name, position, piece) = match piece {
                Piece::Attempt(at) => {
                    attempts += 1;
                    let attempt = &self.workload.attempts[at as usize];
                    (format!("A{attempts}"), attempt.position(), What::Attempt(attempt))
                }
                Piece::Effect(at) => {
                    effects += 1;
                    let effect = &self.workload.effects[at as usize];
                    (format!("E{effects}"), effect.position, What::Effect(effect))
                }
                Piece::Audit => match self.workload.audit {
                    Some(audit) => ("AUDIT".to_owned(), audit.position, What::Audit),
                    None => continue,
                },
            };
            if told.iter().all(|told| told.position != position) {
                told.push(Told { name, position, piece });
            }
        }
        told
    }

    fn key(&self, case: &Case) -> Option<Value> {
        match self.workload.groups.get(case.group as usize)?.identity {
            Identity::Key { key, .. } => Some(key),
            Identity::Intent(_) | Identity::Lone => None,
        }
    }

    /// What the attempts of the case share, in words.
    fn subject(&self, case: &Case) -> String {
        match self.workload.groups.get(case.group as usize).map(|group| group.identity) {
            Some(Identity::Key { scope, key }) if scope.is_null() => format!("key {}", self.json(key)),
            Some(Identity::Key { scope, key }) => format!("key {} of {}", self.json(key), self.json(scope)),
            Some(Identity::Intent(intent)) => format!("intent {} (sent without a key)", self.json(intent)),
            Some(Identity::Lone) | None => "a request without a key".to_owned(),
        }
    }

    fn json(&self, value: Value) -> String {
        self.history.values().json(value, 60)
    }

    fn timeline(&self, told: &[Told<'_>]) -> Vec<crate::witness::Moment> {
        let mut timeline = Timeline::default();
        for Told { name, position, piece } in told {
            match piece {
                What::Attempt(attempt) => self.tell_attempt(name, attempt, &mut timeline),
                What::Effect(effect) => {
                    let what = format!("{name}: {}", self.effect(effect));
                    timeline.say(*position, known(effect.time), STORE, what);
                }
                What::Audit => {
                    let time = self.workload.audit.and_then(|audit| known(audit.time));
                    timeline.say(*position, time, STORE, format!("{name}: no other effect up to here"));
                }
            }
        }
        timeline.finish()
    }

    fn tell_attempt(&self, name: &str, attempt: &Attempt, timeline: &mut Timeline) {
        let op = self.history.op(attempt.op);
        if let Some(position) = op.invoked() {
            let values = self.history.values();
            let key =
                if op.key().is_null() { "without a key".to_owned() } else { format!("key {}", self.json(op.key())) };
            let payload = values.get(op.argument(), "payload").or_else(|| values.get(op.argument(), "fingerprint"));
            let payload = payload.map_or(String::new(), |payload| format!(", {}", self.json(payload)));
            timeline.say(position, known(attempt.invoked_time), CLIENT, format!("{name} sends {key}{payload}"));
        }
        let Some(position) = op.completed() else {
            return;
        };
        let (lane, what) = match attempt.status {
            Status::Ok => (SERVICE, format!("{name} is answered {}", self.answer(attempt))),
            Status::Fail => (SERVICE, format!("{name} is refused {}", self.answer(attempt))),
            Status::Info => (CLIENT, format!("{name} ends without an answer: it may have happened, or not")),
        };
        timeline.say(position, known(attempt.completed_time), lane, what);
    }

    fn answer(&self, attempt: &Attempt) -> String {
        let mut text = if attempt.code == 0 { "without a status".to_owned() } else { attempt.code.to_string() };
        if !attempt.resource.is_null() {
            text.push_str(&format!(", {}", self.json(attempt.resource)));
        } else if !attempt.response.is_null() {
            text.push_str(&format!(", {}", self.json(attempt.response)));
        }
        if attempt.replayed == Some(true) {
            text.push_str(", replayed");
        }
        text
    }

    fn effect(&self, effect: &Effect) -> String {
        let resource =
            if effect.resource.is_null() { String::new() } else { format!(", {}", self.json(effect.resource)) };
        let kind = if effect.kind.is_null() { String::new() } else { format!(" ({})", self.json(effect.kind)) };
        format!("effect {}{kind}{resource}", self.json(effect.id))
    }

    /// Why one piece of a case leads to the next.
    fn because(&self, anomaly: Anomaly, case: &Case, from: &Told<'_>, to: &Told<'_>) -> String {
        let (a, b) = (&from.name, &to.name);
        match (&from.piece, &to.piece) {
            (What::Attempt(_), What::Effect(effect)) if anomaly == Anomaly::RejectedEffect => {
                format!("{a} was refused, as was every attempt before {b}: {}", self.effect(effect))
            }
            (What::Attempt(x), What::Effect(effect))
                if x.ended < effect.position && anomaly == Anomaly::InFlightViolation =>
            {
                format!("{a} was answered {} before {b} was recorded: {}", self.answer(x), self.effect(effect))
            }
            (What::Attempt(_), What::Effect(effect)) => {
                format!("{a} had begun when {b} was recorded: {}", self.effect(effect))
            }
            (What::Effect(_), What::Attempt(x)) if x.began > from.position => {
                format!("{a} was there before {b} began, which was {}", self.outcome(x))
            }
            (What::Effect(_), What::Attempt(x)) => format!("{b}, {}, had begun when {a} was recorded", self.outcome(x)),
            (What::Effect(_), What::Effect(effect)) => {
                format!("{a} and {b} are two effects of {}: the second is {}", self.subject(case), self.effect(effect))
            }
            (What::Attempt(x), What::Attempt(y)) if y.began > x.ended => {
                format!("{a} was {}; then came {b}, and was {}", self.outcome(x), self.outcome(y))
            }
            (What::Attempt(x), What::Attempt(y)) => {
                format!("{a}, {}, and {b}, {}, were under way at once", self.outcome(x), self.outcome(y))
            }
            (_, What::Audit) => format!("{b} says that every effect is in the history, and there is no other"),
            (What::Audit, _) => format!("{b} comes after {a}"),
        }
    }

    fn outcome(&self, attempt: &Attempt) -> String {
        match attempt.status {
            Status::Ok => format!("answered {}", self.answer(attempt)),
            Status::Fail => format!("refused {}", self.answer(attempt)),
            Status::Info => "never answered".to_owned(),
        }
    }

    /// What it means for the data.
    fn text(&self, anomaly: Anomaly, certainty: Certainty, case: &Case) -> String {
        let subject = self.subject(case);
        let certain = certainty == Certainty::Certain;
        match (anomaly, case.because) {
            (Anomaly::DuplicateEffect, "keys") => format!(
                "One intent of the client's took effect twice, since its attempts came with different keys ({subject} is \
                 one of them): a retry has to send the key of the first attempt."
            ),
            (Anomaly::DuplicateEffect, "pool") => {
                "There are more effects than requests that can have caused them.".to_owned()
            }
            (Anomaly::DuplicateEffect, "same") => {
                format!("{subject} took effect twice: one attempt was executed twice.")
            }
            (Anomaly::DuplicateEffect, "race") => format!(
                "{subject} took effect twice: two attempts ran at once, and both were executed. Whoever pays, pays twice."
            ),
            (Anomaly::DuplicateEffect, _) => format!(
                "{subject} took effect twice: an attempt was retried, and the retry was executed again. Whoever pays, pays \
                 twice."
            ),
            (Anomaly::ConcurrentDuplicateEffect, _) => format!(
                "{subject} took effect twice because two attempts raced: both had begun before the first effect was there. \
                 Looking the key up and writing it has to be one atomic step."
            ),
            (Anomaly::PrematureExpiry, _) if certain => {
                format!("{subject} was executed again within its ttl: the key was forgotten too early, or never kept.")
            }
            (Anomaly::PrematureExpiry, _) => format!(
                "{subject} was executed again about when its ttl ended: closer times of the first execution and of the \
                 second lookup would decide whether too early."
            ),
            (Anomaly::LostEffect, _) if certain => {
                format!("{subject} was answered with success, and nothing was done.")
            }
            (Anomaly::LostEffect, _) => format!(
                "{subject} was answered with success, and no effect is recorded: an `audit` with `complete` after it would \
                 decide whether it is lost."
            ),
            (Anomaly::PhantomEffect, _) => format!("An effect that nobody had asked for when it happened ({subject})."),
            (Anomaly::RejectedEffect, _) => format!(
                "{subject} took effect, although every attempt until then was refused: the client was told that nothing \
                 happened."
            ),
            (Anomaly::PartialEffect, _) => {
                let rest = if certain { "and the rest never came" } else { "and the rest may still come" };
                format!(
                    "{subject} made only a part of its effects ({} are due), {rest}.",
                    self.policy.effects.join(", ")
                )
            }
            (Anomaly::DivergentReplay, "executed again") => format!(
                "{subject} had its answer, and a retry that began afterwards got one that is not kept: it was executed again."
            ),
            (Anomaly::DivergentReplay, _) => {
                let level = match self.policy.replay {
                    Replay::Exact => "status or response differ",
                    Replay::Response => "the responses differ",
                    Replay::Status => "the statuses differ",
                    Replay::Resource => "the resources differ",
                };
                format!(
                    "{subject} got two answers for one and the same request: {level}. A client that retries can't know \
                         which is true."
                )
            }
            (Anomaly::ReplayMismatch, "none") => format!(
                "{subject} was answered with success, without naming the resource that its effect made: the client can't \
                 find what it paid for."
            ),
            (Anomaly::ReplayMismatch, _) => {
                format!("{subject} was answered with a resource that its effect did not make.")
            }
            (Anomaly::PayloadMismatchAccepted, _) if certain => format!(
                "{subject} came with two payloads, and both were accepted (a refusal with {} is due): one of the two was \
                 answered with what the other asked for.",
                self.policy.mismatch
            ),
            (Anomaly::PayloadMismatchAccepted, _) => format!(
                "{subject} came with two payloads, and one got a success that may be the other's: an answer to the first \
                 attempt, or its effect before the second began, would decide it (the service says that it replayed)."
            ),
            (Anomaly::MismatchFalselyRejected, _) if !certain => format!(
                "{subject} was refused with {}, the status for another payload, and nothing was tried with it before: unless the \
                 service answers so to invalid requests too, which a status of their own would decide.",
                self.policy.mismatch
            ),
            (Anomaly::MismatchFalselyRejected, _) => format!(
                "{subject} was refused with {}, the status for another payload, and it had no other payload before.",
                self.policy.mismatch
            ),
            (Anomaly::ScopeCollision, "resource") => format!(
                "{subject} was answered with another scope's resource: keys of different scopes are taken for one."
            ),
            (Anomaly::ScopeCollision, _) if !certain => format!(
                "{subject} was refused with {}, the status for another payload, and was only used in another scope before: keys \
                 of different scopes are taken for one, unless the service answers so to invalid requests too, which a status of \
                 their own would decide.",
                self.policy.mismatch
            ),
            (Anomaly::ScopeCollision, _) => format!(
                "{subject} was refused because of another scope's request: keys of different scopes are taken for one."
            ),
            (Anomaly::InFlightViolation, _) if certain => {
                format!("{subject} was answered with success before its effect had happened.")
            }
            (Anomaly::InFlightViolation, _) => format!(
                "{subject} was answered with success before its effect was recorded: `\"observers\": \"synchronous\"` in the \
                 header would decide whether too early."
            ),
            (Anomaly::FalseConflict, "wait") => format!("{subject} was refused, and the policy has retries wait."),
            (Anomaly::FalseConflict, "settled") => format!(
                "{subject} was refused as in flight after it had been settled: the client can't get its outcome."
            ),
            (Anomaly::FalseConflict, _) => format!("{subject} was refused as in flight, and nothing was."),
            (Anomaly::StuckKey, _) => format!(
                "{subject} is still refused as in flight although the lease of every attempt is over: the key is stuck."
            ),
            (Anomaly::OverRetention, _) if certain => {
                format!("{subject} was remembered for longer than max-ttl: a new request was taken for an old one.")
            }
            (Anomaly::OverRetention, _) => {
                format!(
                    "{subject} was replayed about when its max-ttl ended: closer times would decide whether too late."
                )
            }
            (Anomaly::MissingKeyAccepted, _) => {
                "A request without a key was accepted, and the policy requires one: a retry of it would be executed again."
                    .to_owned()
            }
            (other, _) => format!("{other}: {subject}"),
        }
    }
}

fn known(time: i64) -> Option<i64> {
    (time != History::NO_TIME).then_some(time)
}

fn relation(from: &What<'_>, to: &What<'_>) -> &'static str {
    match (from, to) {
        (_, What::Effect(_)) => "effect",
        (_, What::Attempt(_)) => "attempt",
        (_, What::Audit) => "audit",
    }
}
