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

/// Whether the history has what the witness says, and not as a mere possibility where it is said to be certain.
#[must_use]
pub fn confirms(history: &History, terms: &Terms, anomaly: Anomaly, certain: bool, operations: &[u32]) -> bool {
    let case = Case::read(history, terms, operations);
    let (Some(subject), all) = (case.subject(), case.attempts.len() + case.effects.len()) else { return false };
    if all + usize::from(case.audit.is_some()) != operations.len() {
        return false;
    }
    let last = case.attempts.last();
    let refused = case.attempts.iter().find(|attempt| !attempt.live());
    match anomaly {
        Anomaly::DuplicateEffect => case.duplicate(&subject),
        Anomaly::ConcurrentDuplicateEffect => case.duplicate(&subject) && case.raced(&subject),
        Anomaly::PrematureExpiry if certain => terms.life_ns.is_some() && case.duplicate(&subject),
        Anomaly::PrematureExpiry => terms.life_ns.is_some() && case.distinct().is_some(),
        Anomaly::LostEffect => case.lost(&subject, certain),
        Anomaly::PhantomEffect | Anomaly::RejectedEffect => case.unasked(&subject, anomaly == Anomaly::RejectedEffect),
        Anomaly::PartialEffect => case.partial(&subject, certain),
        Anomaly::DivergentReplay => case.divergent(&subject),
        Anomaly::ReplayMismatch => last.is_some_and(|attempt| case.unmatched(&subject, attempt)),
        Anomaly::PayloadMismatchAccepted => case.accepted(&subject, certain),
        Anomaly::MismatchFalselyRejected => {
            refused.is_some_and(|refused| case.falsely_rejected(&subject, refused, certain))
        }
        Anomaly::ScopeCollision => case.collision(certain),
        Anomaly::InFlightViolation => case.early(&subject, certain),
        Anomaly::FalseConflict | Anomaly::StuckKey => {
            refused.is_some_and(|refused| case.false_conflict(&subject, refused))
        }
        Anomaly::OverRetention => case.retained(certain),
        Anomaly::MissingKeyAccepted => terms.key_required && last.is_some_and(|a| a.claims() && a.key.is_null()),
        _ => false,
    }
}
