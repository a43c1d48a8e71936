//! Outboxes in words.

use super::{Case, Reason, Words};
use crate::guarantee::Anomaly;
use crate::history::Value;

pub(super) struct Events<'c> {
    pub(super) case: &'c Case<'c>,
}

impl Words for Events<'_> {
    fn record(&self, f: &str, _: Value, value: Value) -> String {
        let field = |name: &str| self.case.history.values().get(value, name).map(|value| self.case.json(value));
        let version = match (field("aggregate"), field("version")) {
            (Some(aggregate), Some(version)) => format!("{aggregate} version {version}"),
            (Some(aggregate), None) => aggregate,
            _ => "a change".to_owned(),
        };
        match f {
            "commit" => {
                format!("commit of {version} with {}", field("events").unwrap_or_else(|| "no events".to_owned()))
            }
            "publish" => format!("publish of {} ({version})", field("event").unwrap_or_default()),
            "drained" => "drained: nothing is waiting".to_owned(),
            other => other.to_owned(),
        }
    }

    fn text(&self) -> String {
        let event = format!("event {}", self.case.json(self.case.subject));
        let certain = self.case.certain;
        match (self.case.anomaly, self.case.why) {
            (Anomaly::MissingPublish, _) if certain => {
                format!("The change of {event} was committed, and it was never published: nobody will ever hear of it.")
            }
            (Anomaly::MissingPublish, Some(Reason::Unanswered)) => format!(
                "The change of {event} was committed, and whether its publish happened is unknown: a publish with `ok`, or \
                 the broker's own list, would decide it."
            ),
            (Anomaly::MissingPublish, _) => format!(
                "The change of {event} was committed, and it is not published yet: a `drained` record after the commit would \
                 decide whether it is missing."
            ),
            (Anomaly::PublishGap, _) if certain => format!(
                "{event} was passed over: a later version of its aggregate was published, and it never was. Consumers \
                 believe that they have seen everything up to that version."
            ),
            (Anomaly::PublishGap, _) => {
                format!("{event} may have been passed over: a later version of its aggregate was published first.")
            }
            (Anomaly::PhantomPublish, Some(Reason::Aborted)) if certain => {
                format!("{event} was published, and its change was rolled back: consumers act on what never happened.")
            }
            (Anomaly::PhantomPublish, _) if certain => {
                format!("{event} was published, and no commit lists it: consumers act on what never happened.")
            }
            (Anomaly::PhantomPublish, _) => {
                format!("{event} of no committed change may have been published: its publish ended without an answer.")
            }
            (Anomaly::EarlyPublish, _) => {
                format!(
                    "{event} was published before the commit of its change began: a rollback could not take it back."
                )
            }
            (Anomaly::PublishInversion, _) if certain => format!(
                "{event} was first published after a later version of its aggregate: consumers see the older state last."
            ),
            (Anomaly::PublishInversion, _) => format!(
                "{event} was published after a later version of its aggregate, unless a publish without an answer came first."
            ),
            (Anomaly::DivergentEvent, _) => {
                let was = if certain { "was" } else { "may have been" };
                format!("{event} {was} published with two payloads: consumers disagree about what happened.")
            }
            (Anomaly::EventVersionMismatch, _) => {
                let was = if certain { "was" } else { "may have been" };
                format!("{event} {was} published with another aggregate or version than its commit has.")
            }
            (Anomaly::DuplicatePublish, _) => {
                let was = if certain { "was" } else { "may have been" };
                format!("{event} {was} published more than once, and the policy forbids duplicates.")
            }
            (other, _) => format!("{other}: {event}"),
        }
    }
}
