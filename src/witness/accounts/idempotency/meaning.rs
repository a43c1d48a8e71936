//! What each class means for the data.

use super::Teller;
use crate::guarantee::Anomaly;
use crate::witness::accounts::Reason;

impl Teller<'_> {
    /// The sentence of a case.
    pub(super) fn text(&self) -> String {
        let subject = self.subject();
        let certain = self.case.certain;
        let mismatch = self.terms.mismatch;
        match (self.case.anomaly, self.case.why) {
            (Anomaly::DuplicateEffect, why) => self.twice(&subject, why),
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
            (Anomaly::LostEffect, Some(Reason::Numbers)) if certain => {
                "More requests were answered with success than there are effects that can be theirs: of one of them, nothing was \
                 done."
                    .to_owned()
            }
            (Anomaly::LostEffect, Some(Reason::Numbers)) => {
                "More requests were answered with success than effects are recorded that can be theirs: an `audit` with \
                 `complete` after them would decide whether one is lost."
                    .to_owned()
            }
            (Anomaly::LostEffect, _) if certain => {
                format!("{subject} was answered with success, and nothing was done.")
            }
            (Anomaly::LostEffect, _) => format!(
                "{subject} was answered with success, and no effect is recorded: an `audit` with `complete` after it would \
                 decide whether it is lost."
            ),
            (Anomaly::PhantomEffect, _) if self.subject.is_nothing() => {
                "An effect that nobody had asked for when it happened (it names neither a key nor an intent).".to_owned()
            }
            (Anomaly::PhantomEffect, _) => format!("An effect that nobody had asked for when it happened ({subject})."),
            (Anomaly::RejectedEffect, _) => format!(
                "{subject} took effect, although every attempt until then was refused: the client was told that nothing \
                 happened."
            ),
            (Anomaly::PartialEffect, _) => {
                let rest = if certain { "and the rest never came" } else { "and the rest may still come" };
                let due = self.terms.bundle.join(", ");
                format!("{subject} made only a part of its effects ({due} are due), {rest}.")
            }
            (Anomaly::DivergentReplay, Some(Reason::ExecutedAgain)) => format!(
                "{subject} had its answer, and a retry that began afterwards got one that is not kept: it was executed again."
            ),
            (Anomaly::DivergentReplay, _) => {
                let differ = match self.terms.repeats {
                    [true, true, _] => "status or response differ",
                    [true, false, _] => "the statuses differ",
                    [false, true, _] => "the responses differ",
                    [false, false, _] => "the resources differ",
                };
                format!(
                    "{subject} got two answers for one and the same request: {differ}. A client that retries can't know \
                     which is true."
                )
            }
            (Anomaly::ReplayMismatch, why) => mismatched(&subject, certain, why),
            (Anomaly::PayloadMismatchAccepted, Some(Reason::Registered)) => format!(
                "{subject} came with one payload, and later with another that was accepted too (a refusal with {mismatch} is \
                 due): the second got the first one's answer, or was done under its key."
            ),
            (Anomaly::PayloadMismatchAccepted, _) if certain => format!(
                "{subject} came with two payloads, and both were accepted (a refusal with {mismatch} is due): one of the two was \
                 answered with what the other asked for."
            ),
            (Anomaly::PayloadMismatchAccepted, _) => format!(
                "{subject} came with two payloads, and one got a success that may be the other's: an answer to the first \
                 attempt, or its effect before the second began, would decide it (the service says that it replayed)."
            ),
            (Anomaly::MismatchFalselyRejected, _) if !certain => format!(
                "{subject} was refused with {mismatch}, the status for another payload, and nothing was tried with it before: unless the \
                 service answers so to invalid requests too, which a status of their own would decide."
            ),
            (Anomaly::MismatchFalselyRejected, _) => format!(
                "{subject} was refused with {mismatch}, the status for another payload, and it had no other payload before."
            ),
            (Anomaly::ScopeCollision, Some(Reason::ScopeResource)) => format!(
                "{subject} was answered with another scope's resource: keys of different scopes are taken for one."
            ),
            (Anomaly::ScopeCollision, _) if !certain => format!(
                "{subject} was refused with {mismatch}, the status for another payload, and was only used in another scope before: keys \
                 of different scopes are taken for one, unless the service answers so to invalid requests too, which a status of \
                 their own would decide."
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
            (Anomaly::FalseConflict, Some(Reason::Waits)) => {
                format!("{subject} was refused, and the policy has retries wait.")
            }
            (Anomaly::FalseConflict, Some(Reason::Settled)) => format!(
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

    fn twice(&self, subject: &str, why: Option<Reason>) -> String {
        match why {
            Some(Reason::Keys) => format!(
                "One intent of the client's took effect twice, since its attempts came with different keys ({subject} is \
                 one of them): a retry has to send the key of the first attempt."
            ),
            Some(Reason::Numbers) if self.case.certain => {
                "There are more effects than requests that can have caused them.".to_owned()
            }
            Some(Reason::Numbers) => {
                "There are more effects than requests that can have caused them, unless one request made \
                several, or made one again when its key had expired."
                    .to_owned()
            }
            Some(Reason::Same) => format!("{subject} took effect twice: one attempt was executed twice."),
            Some(Reason::Race) => format!(
                "{subject} took effect twice: two attempts ran at once, and both were executed. Whoever pays, pays twice."
            ),
            Some(Reason::Later) => format!(
                "{subject} took effect twice: an attempt was retried, and the retry was executed again. Whoever pays, pays \
                 twice."
            ),
            _ => format!(
                "{subject} took effect twice, and which of its attempts caused the second is not recorded. Whoever pays, pays \
                 twice."
            ),
        }
    }
}

fn mismatched(subject: &str, certain: bool, why: Option<Reason>) -> String {
    match why {
        Some(Reason::Unnamed) if certain => format!(
            "{subject} was answered with success, without naming the resource that its effect made: the client can't \
             find what it paid for."
        ),
        Some(Reason::Unnamed) => format!(
            "{subject} was answered with success, without naming a resource, and an effect that may be its own made one: effects \
             that name their scope would decide."
        ),
        _ if certain => format!("{subject} was answered with a resource that its effect did not make."),
        _ => format!(
            "{subject} was answered with a resource that no recorded effect of it made: an `audit` with `complete` after it \
             would decide whether another effect did."
        ),
    }
}
