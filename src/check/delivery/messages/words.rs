//! Findings about messages in words.

use crate::check::delivery::cases::{Case, Words};
use crate::guarantee::Anomaly;
use crate::history::{History, Operation, Status, Value};
use crate::verdict::Certainty;
use crate::witness::timeline::STORE;
use crate::workload::delivery::Delivery;
use crate::workload::records::Place;

pub(super) struct Messages<'a> {
    pub(super) history: &'a History,
    pub(super) delivery: &'a Delivery,
}

impl Messages<'_> {
    fn json(&self, value: Value) -> String {
        self.history.values().json(value, 60)
    }

    fn field(&self, op: &Operation<'_>, name: &str) -> Value {
        let values = self.history.values();
        let of = |value| values.get(value, name).filter(|value| !value.is_null());
        of(op.argument()).or_else(|| of(op.result())).unwrap_or(Value::NULL)
    }

    /// The group that a case is about, as ` in group billing`; nothing where there is one without a name.
    fn group(&self, case: &Case) -> String {
        let values = self.history.values();
        let observations = self.history.observations();
        let of = |place: &Place| match place {
            Place::Op(id) => self.field(&self.history.op(*id), "group"),
            Place::Seen(position) => observations
                .binary_search_by_key(position, |seen| seen.position)
                .ok()
                .and_then(|at| values.get(observations[at].value, "group"))
                .unwrap_or(Value::NULL),
        };
        let named = case.places.iter().map(of).find(|group| !group.is_null());
        let only = || self.delivery.groups.first().copied().filter(|_| self.delivery.groups.len() == 1);
        match named.or_else(only).filter(|group| !group.is_null()) {
            Some(group) => format!(" in group {}", self.json(group)),
            None => String::new(),
        }
    }
}

impl Words for Messages<'_> {
    fn record(&self, f: &str, key: Value, value: Value) -> String {
        let values = self.history.values();
        let field = |name: &str| {
            let value = values.get(value, name).filter(|value| !value.is_null());
            value.map(|value| self.json(value))
        };
        let message = self.json(key);
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
        let consumer = || format!("consumer {}", self.json(self.history.process_name(op.process())));
        match self.history.values().as_str(op.f()) {
            Some("publish") => ["producer".to_owned(), "broker".to_owned()],
            Some("consume") => [consumer(), consumer()],
            _ => [STORE.to_owned(), STORE.to_owned()],
        }
    }

    fn lane_of_fact(&self, f: &str) -> &'static str {
        if matches!(f, "dead-letter" | "drained") { "broker" } else { STORE }
    }

    fn outcome(&self, op: &Operation<'_>) -> &'static str {
        let consumed = self.history.values().as_str(op.f()) == Some("consume");
        match op.status() {
            Status::Ok if !consumed => "is done",
            Status::Ok if self.field(op, "deduplicated") == Value::TRUE => {
                "is acknowledged as processed before, without an effect"
            }
            Status::Ok => "is acknowledged as processed",
            Status::Fail if consumed => "is rejected: it had no effect",
            Status::Fail => "is refused: it did not happen",
            Status::Info if consumed => "ends without an acknowledgement: it may have had its effect, or not",
            Status::Info => "ends without an answer: it may have happened, or not",
        }
    }

    fn text(&self, anomaly: Anomaly, certainty: Certainty, case: &Case) -> String {
        let message = format!("message {}{}", self.json(case.subject), self.group(case));
        let certain = certainty == Certainty::Certain;
        match (anomaly, case.because) {
            (Anomaly::LostMessage, because) => lost(&message, certain, because),
            (Anomaly::DuplicateEffect, "unrecorded") => format!(
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
            (Anomaly::GhostEffect, because) => ghost(&format!("{message} had an effect"), because),
            (Anomaly::GhostDelivery, because) => ghost(&format!("{message} was delivered"), because),
            (Anomaly::RedeliveryAfterEffect, _) if certain => format!(
                "{message} was delivered again after it had taken effect: legal for at-least-once, not for at-most-once."
            ),
            (Anomaly::RedeliveryAfterEffect, "unrecorded") => format!(
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
                format!("{message} was delivered more often than `max-attempts` allows, and not parked before that.")
            }
            (Anomaly::FalseDeduplication, "no effect") => format!(
                "{message} was acknowledged as processed before, and no delivery before that had an effect: it was marked \
                 before it was processed, or its mark belongs to another message."
            ),
            (Anomaly::FalseDeduplication, _) if certain => format!(
                "{message} was acknowledged as processed before, and nothing before that can have processed it: another \
                 message's mark was taken for its own, and it is dropped."
            ),
            (Anomaly::FalseDeduplication, _) => format!(
                "{message} was acknowledged as processed before, unless it was before this history began: its publication \
                 is not recorded."
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

fn lost(message: &str, certain: bool, because: &str) -> String {
    match because {
        "undrained" => format!(
            "{message} was published, and has had no effect yet: a `drained` record after it would decide whether it is lost."
        ),
        "unplaced" => format!(
            "{message} was published, and nothing came of it; whether the group is owed it depends on an offset that is not \
             recorded: give the offsets of publications and deliveries."
        ),
        "undelivered" => {
            format!("{message} was published, and never delivered, though the group was delivered earlier ones.")
        }
        "rejected" => format!("{message} was published, and only rejected: it had no effect, and was not parked."),
        "deduplicated" => {
            format!(
                "{message} was published, and dropped as processed before, which it was not: its effect is missing."
            )
        }
        "acknowledged" if certain => {
            format!("{message} was acknowledged as processed, and had no effect: nobody will try again.")
        }
        _ if certain => {
            format!("{message} was given up after a crash, without an effect, and nothing of it is waiting any more.")
        }
        "acknowledged" => format!(
            "{message} was acknowledged, and no effect is recorded: an `audit` with `complete` after it would decide whether \
             it is lost."
        ),
        _ => format!(
            "{message} was last delivered to a consumer that crashed, and no effect is recorded: an `audit` with `complete` \
             after `drained` would decide whether it is lost."
        ),
    }
}

fn ghost(what: &str, because: &str) -> String {
    match because {
        "before" => format!("{what} before its publication began: it came from somewhere else."),
        "failed" => format!("{what}, and its publication had failed: what was given up was processed all the same."),
        "unrecorded" => {
            format!(
                "{what}, and this history records no publication at all: record `publish` to know who published what."
            )
        }
        _ => format!("{what}, and nobody published it: it comes from elsewhere, or under another key."),
    }
}
