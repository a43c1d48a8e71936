//! Messages in words.

use super::{Case, Reason, Record, Words};
use crate::guarantee::Anomaly;
use crate::history::{Operation, Status, Value};
use crate::witness::recheck::delivery::Terms;
use crate::witness::timeline::STORE;

pub(super) struct Messages<'c> {
    pub(super) case: &'c Case<'c>,
    pub(super) terms: &'c Terms,
}

impl Messages<'_> {
    /// The group that a case is about, as ` in group billing`; nothing where it has no name.
    fn group(&self) -> String {
        let (case, values) = (self.case, self.case.history.values());
        let of = |record: &Record<'_>| match record {
            Record::Act(op) => case.field(op, "group"),
            Record::Seen(seen) => values.get(seen.value, "group").unwrap_or(Value::NULL),
        };
        let named = case.records.iter().map(of).find(|group| !group.is_null());
        match named.or_else(|| self.only_group()) {
            Some(group) => format!(" in group {}", case.json(group)),
            None => String::new(),
        }
    }

    /// The group that all deliveries of the history name.
    fn only_group(&self) -> Option<Value> {
        let consumes = self.case.history.ops().filter(|op| self.case.f(op.f()) == "consume");
        let mut groups = consumes.map(|op| self.case.field(&op, "group"));
        let first = groups.next().filter(|group| !group.is_null())?;
        groups.all(|group| group == first).then_some(first)
    }
}

impl Words for Messages<'_> {
    fn record(&self, f: &str, key: Value, value: Value) -> String {
        let values = self.case.history.values();
        let field = |name: &str| {
            let value = values.get(value, name).filter(|value| !value.is_null());
            value.map(|value| self.case.json(value))
        };
        let message = self.case.json(key);
        let spot = match (field("topic"), field("partition"), field("offset")) {
            (Some(topic), Some(partition), Some(offset)) => {
                format!(" ({topic}, partition {partition}, offset {offset})")
            }
            (Some(topic), _, Some(offset)) => format!(" ({topic}, offset {offset})"),
            (None, _, Some(offset)) => format!(" (offset {offset})"),
            _ => String::new(),
        };
        let group = field("group").map(|group| format!(" to {group}")).unwrap_or_default();
        match f {
            "publish" => format!("publish of {message}{spot}"),
            "consume" => {
                let attempt = field("attempt").map(|attempt| format!(", attempt {attempt}")).unwrap_or_default();
                format!("delivery of {message}{group}{attempt}{spot}")
            }
            "effect" => format!("effect {} of {message}", field("effect").unwrap_or_default()),
            "dead-letter" => format!("{message} is parked as a dead letter"),
            "drained" => {
                let topic = field("topic").map(|topic| format!(" of {topic}")).unwrap_or_default();
                format!("drained: nothing{topic} is waiting or in flight")
            }
            "audit" => "audit: every effect so far is recorded".to_owned(),
            other => other.to_owned(),
        }
    }

    fn lanes(&self, op: &Operation<'_>) -> [String; 2] {
        let consumer = || format!("consumer {}", self.case.json(self.case.history.process_name(op.process())));
        match self.case.f(op.f()) {
            "publish" => ["producer".to_owned(), "broker".to_owned()],
            "consume" => [consumer(), consumer()],
            _ => [STORE.to_owned(), STORE.to_owned()],
        }
    }

    fn lane_of_fact(&self, f: &str) -> &'static str {
        if matches!(f, "dead-letter" | "drained") { "broker" } else { STORE }
    }

    fn outcome(&self, op: &Operation<'_>) -> &'static str {
        let consumed = self.case.f(op.f()) == "consume";
        match op.status() {
            Status::Ok if !consumed => "is done",
            Status::Ok if self.case.field(op, "deduplicated") == Value::TRUE => {
                "is acknowledged as processed before, without an effect"
            }
            Status::Ok => "is acknowledged as processed",
            Status::Fail if consumed => "is rejected: it had no effect",
            Status::Fail => "is refused: it did not happen",
            Status::Info if consumed => "ends without an acknowledgement: it may have had its effect, or not",
            Status::Info => "ends without an answer: it may have happened, or not",
        }
    }

    fn text(&self) -> String {
        let message = format!("message {}{}", self.case.json(self.case.subject), self.group());
        let certain = self.case.certain;
        match (self.case.anomaly, self.case.why) {
            (Anomaly::LostMessage, why) => lost(&message, certain, why),
            (Anomaly::DuplicateEffect, _) if !certain => format!(
                "{message} was delivered more than once, and the group's effects are not recorded: `effect` records would \
                 decide whether it took effect twice."
            ),
            (Anomaly::DuplicateEffect, _) => {
                format!("{message} took effect twice: whoever it charges or notifies, it did so again.")
            }
            (Anomaly::DeduplicationWindowExceeded, _) => format!(
                "{message} took effect again after the deduplication window had passed: it came back later than anybody \
                 remembered it. Redeliver sooner, or remember for longer."
            ),
            (Anomaly::GhostEffect, why) => ghost(&format!("{message} had an effect"), certain, why),
            (Anomaly::GhostDelivery, why) => ghost(&format!("{message} was delivered"), certain, why),
            (Anomaly::RedeliveryAfterEffect, Some(Reason::Acknowledged)) => format!(
                "{message} was delivered again after it had been acknowledged as processed: legal for at-least-once, not for \
                 at-most-once."
            ),
            (Anomaly::RedeliveryAfterEffect, _) if certain => format!(
                "{message} was delivered again after it had taken effect: legal for at-least-once, not for at-most-once."
            ),
            (Anomaly::RedeliveryAfterEffect, Some(Reason::Unrecorded)) => format!(
                "{message} was delivered again, and the group's effects are not recorded: `effect` records would decide \
                 whether the delivery before had one."
            ),
            (Anomaly::RedeliveryAfterEffect, _) => format!(
                "{message} was delivered again, and may have taken effect before that: an `audit` with `complete`, and \
                 observers that are synchronous, would decide."
            ),
            (Anomaly::DeliveryInversion, _) if certain => format!(
                "{message} was first processed after a later one had been acknowledged: the older fact is applied last."
            ),
            (Anomaly::DeliveryInversion, _) => format!(
                "{message} was processed after a later one had been acknowledged, unless a crashed delivery had processed \
                 it before: an `effect` record would decide."
            ),
            (Anomaly::MaxAttemptsExceeded, _) => {
                let most = self.terms.max_attempts.unwrap_or_default();
                format!("{message} was delivered more often than `max-attempts` allows, which is {most}.")
            }
            (Anomaly::FalseDeduplication, _) if !certain => format!(
                "{message} was acknowledged as processed before, and nothing in this history can have processed it. It may have \
                 been processed before the history began: its publication is not recorded."
            ),
            (Anomaly::FalseDeduplication, Some(Reason::NoEffect)) => format!(
                "{message} was acknowledged as processed before, and no delivery before that had an effect: it was marked \
                 before it was processed, or its mark belongs to another message."
            ),
            (Anomaly::FalseDeduplication, _) => format!(
                "{message} was acknowledged as processed before, and nothing before that can have processed it: another \
                 message's mark was taken for its own, and it is dropped."
            ),
            (Anomaly::ConcurrentProcessing, _) => {
                let were = if certain { "processed" } else { "perhaps processed" };
                format!(
                    "{message} was {were} by two consumers at once: what one looks up, the other is about to change."
                )
            }
            (Anomaly::EarlyAcknowledgement, _) if certain => {
                format!("{message} was acknowledged before it had taken effect: a crash in between would have lost it.")
            }
            (Anomaly::EarlyAcknowledgement, _) => format!(
                "{message} may have been acknowledged before it had taken effect, if its effect was recorded as it happened: \
                 `\"observers\": \"synchronous\"` in the header says so."
            ),
            (Anomaly::ProcessedAfterDeadLetter, _) => {
                let was = if certain { "was" } else { "may have been" };
                format!(
                    "{message} {was} processed after it had been parked: whoever handles dead letters does it again."
                )
            }
            (other, _) => format!("{other}: {message}"),
        }
    }
}

fn lost(message: &str, certain: bool, why: Option<Reason>) -> String {
    match why {
        Some(Reason::Undrained) => format!(
            "{message} was published, and has had no effect yet: a `drained` record after it would decide whether it is lost."
        ),
        Some(Reason::Unplaced) => format!(
            "{message} was published, and nothing came of it; whether the group is owed it depends on an offset that is not \
             recorded: give the offsets of publications and deliveries."
        ),
        Some(Reason::Undelivered) => {
            format!("{message} was published, and never delivered, though the group was delivered earlier ones.")
        }
        Some(Reason::Rejected) => {
            format!("{message} was published, and only rejected: it had no effect, and was not parked.")
        }
        Some(Reason::Deduplicated) => {
            format!(
                "{message} was published, and dropped as processed before, which it was not: its effect is missing."
            )
        }
        Some(Reason::Acknowledged) if certain => {
            format!("{message} was acknowledged as processed, and had no effect: nobody will try again.")
        }
        _ if certain => {
            format!("{message} was given up after a crash, without an effect, and nothing of it is waiting any more.")
        }
        Some(Reason::Acknowledged) => format!(
            "{message} was acknowledged, and no effect is recorded: an `audit` with `complete` after it would decide whether \
             it is lost."
        ),
        _ => format!(
            "{message} was delivered to a consumer that crashed, and no effect is recorded: an `audit` with `complete` after \
             `drained` would decide whether it is lost."
        ),
    }
}

fn ghost(what: &str, certain: bool, why: Option<Reason>) -> String {
    match why {
        _ if !certain => {
            format!(
                "{what}, and this history records no publication at all: record `publish` to know who published what."
            )
        }
        Some(Reason::Before) => format!("{what} before its publication began: it came from somewhere else."),
        Some(Reason::Failed) => {
            format!("{what}, and its publication had failed: what was given up was processed all the same.")
        }
        _ => format!("{what}, and nobody published it: it comes from elsewhere, or under another key."),
    }
}
