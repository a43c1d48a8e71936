//! Confirms findings about idempotency keys from the history alone, by reading every record once more.
//!
//! Nothing here groups or indexes: what the witness is about is read from its own records, and each claim that something
//! is *not* there is looked for in the whole history. What can't be confirmed this way is not, and stays what it was.
//! Cost: a few scans of the history for each witness.

mod claims;
mod records;

use serde::{Deserialize, Serialize};

use crate::guarantee::Anomaly;
use crate::history::History;
use crate::witness::accounts::Reason;
use crate::witness::claim::Account;

use records::Case;

/// The part of the policy that a finding can depend on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// How long a key lives at least; none: for ever.
    pub life_ns: Option<i64>,
    /// How long at most.
    pub max_ttl_ns: Option<i64>,
    /// How long an attempt is in flight at most.
    pub lease_ns: Option<i64>,
    /// The status for another payload.
    pub mismatch: u16,
    /// The status for a request in flight; none: it waits.
    pub in_flight: Option<u16>,
    /// Whether two answers say the same, as far as a replay repeats them: by status, by response, by resource.
    pub repeats: [bool; 3],
    /// The statuses whose answers are kept, as ranges.
    pub cache: Vec<(u16, u16)>,
    /// Whether a key is required.
    pub key_required: bool,
    /// The kinds of effect of one request.
    pub bundle: Vec<String>,
}

/// Whether the history has what the witness says, for this reason, and not as a mere possibility where it is said to be certain.
#[must_use]
pub fn confirms(history: &History, terms: &Terms, anomaly: Anomaly, certain: bool, account: &Account) -> bool {
    let (operations, why) = (&account.records[..], account.why);
    let case = Case::read(history, terms, operations);
    let (Some(subject), all) = (case.subject(), case.attempts.len() + case.effects.len()) else { return false };
    if all + usize::from(case.audit.is_some()) != operations.len() {
        return false;
    }
    let keyed = case.attempts.iter().all(|attempt| !attempt.key.is_null());
    if !case.is_one(&subject, anomaly, why) || !certain && !is_ever_possible(anomaly) || !keyed && is_of_keys(anomaly) {
        return false;
    }
    let last = case.attempts.last();
    let refused = case.attempts.iter().find(|attempt| !attempt.live());
    match anomaly {
        Anomaly::DuplicateEffect => return case.duplicate(&subject, certain, why),
        Anomaly::LostEffect if why.is_some() => return case.unpaid(&subject, certain, why),
        Anomaly::DivergentReplay => return case.divergent(&subject, why),
        Anomaly::ReplayMismatch => return last.is_some_and(|attempt| case.unmatched(&subject, attempt, why)),
        Anomaly::PayloadMismatchAccepted => return case.accepted(&subject, certain, why),
        Anomaly::ScopeCollision => return case.collision(certain, why),
        Anomaly::FalseConflict => {
            let wrong = |refused| match case.false_conflict(&subject, refused)? {
                Reason::Expired => None,
                Reason::Idle if case.is_elsewhere(refused) => None,
                wrong => Some(wrong),
            };
            return why.is_some() && why == refused.and_then(wrong);
        }
        _ if why.is_some() => return false,
        _ => {}
    }
    let (twice, cause) = (case.again(&subject), case.cause(&subject));
    match anomaly {
        Anomaly::ConcurrentDuplicateEffect => twice && cause == Some(Reason::Race),
        Anomaly::PrematureExpiry if certain => terms.life_ns.is_some() && twice && cause == Some(Reason::Later),
        Anomaly::PrematureExpiry => terms.life_ns.is_some() && case.distinct().is_some() && !twice,
        Anomaly::LostEffect => case.lost(&subject, certain),
        Anomaly::PhantomEffect | Anomaly::RejectedEffect => case.unasked(&subject, anomaly == Anomaly::RejectedEffect),
        Anomaly::PartialEffect => case.partial(&subject, certain),
        Anomaly::MismatchFalselyRejected => {
            let elsewhere = |refused| case.is_elsewhere(refused);
            refused.is_some_and(|refused| case.falsely_rejected(&subject, refused, certain) && !elsewhere(refused))
        }
        Anomaly::InFlightViolation => case.early(&subject, certain),
        Anomaly::StuckKey => {
            refused.is_some_and(|refused| case.is_stuck(&subject, refused) && !case.is_elsewhere(refused))
        }
        Anomaly::OverRetention => case.retained(certain),
        Anomaly::MissingKeyAccepted => terms.key_required && last.is_some_and(|a| a.claims() && a.key.is_null()),
        _ => false,
    }
}

/// Whether a class is of attempts with a key.
fn is_of_keys(anomaly: Anomaly) -> bool {
    use Anomaly::{
        DivergentReplay, FalseConflict, InFlightViolation, MismatchFalselyRejected, OverRetention,
        PayloadMismatchAccepted, ScopeCollision, StuckKey,
    };
    matches!(
        anomaly,
        DivergentReplay
            | FalseConflict
            | InFlightViolation
            | MismatchFalselyRejected
            | OverRetention
            | PayloadMismatchAccepted
            | ScopeCollision
            | StuckKey
    )
}

/// Whether a class is ever only possible.
fn is_ever_possible(anomaly: Anomaly) -> bool {
    use Anomaly::{
        DuplicateEffect, InFlightViolation, LostEffect, MismatchFalselyRejected, OverRetention, PartialEffect,
        PayloadMismatchAccepted, PrematureExpiry, ReplayMismatch, ScopeCollision,
    };
    matches!(
        anomaly,
        DuplicateEffect
            | InFlightViolation
            | LostEffect
            | MismatchFalselyRejected
            | OverRetention
            | PartialEffect
            | PayloadMismatchAccepted
            | PrematureExpiry
            | ReplayMismatch
            | ScopeCollision
    )
}
