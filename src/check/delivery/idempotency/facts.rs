//! What the rules ask of one group.

use super::across::Shared;
use super::lives::Lives;
use super::policy::{InFlight, Policy};
use super::tally::{Piece, Tally};
use crate::guarantee::Anomaly;
use crate::history::{History, Status};
use crate::verdict::Certainty;
use crate::witness::accounts::Reason;
use crate::workload::idempotency::{Attempt, Audit, Effect, Idempotency, Identity};

/// One group, and all that concerns it.
pub(super) struct Facts<'a> {
    pub(super) number: u32,
    pub(super) attempts: &'a [Attempt],
    pub(super) effects: &'a [Effect],
    first_attempt: u32,
    first_effect: u32,
    /// Whether its attempts have an idempotency key.
    pub(super) keyed: bool,
    /// Whether some effect may belong to it or to another group.
    pub(super) pooled: bool,
    pub(super) policy: &'a Policy,
    pub(super) audit: Option<Audit>,
    pub(super) synchronous: bool,
    pub(super) lives: Lives,
    pub(super) shared: &'a Shared,
    /// Which of the keys that several scopes use, or `u32::MAX`.
    pub(super) shared_key: u32,
}

impl<'a> Facts<'a> {
    pub(super) fn of(
        workload: &'a Idempotency,
        policy: &'a Policy,
        shared: &'a Shared,
        number: usize,
        pooled: bool,
    ) -> Facts<'a> {
        let group = &workload.groups[number];
        let (attempts, effects) = (workload.attempts_of(number), workload.effects_of(number));
        Facts {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            attempts,
            effects,
            first_attempt: group.first_attempt,
            first_effect: group.first_effect,
            keyed: matches!(group.identity, Identity::Key { .. }),
            pooled,
            policy,
            audit: workload.audit,
            synchronous: workload.synchronous,
            lives: Lives::of(attempts, effects, policy),
            shared,
            shared_key: workload.shared[number],
        }
    }

    /// An attempt of this group as a piece of a case.
    pub(super) fn attempt(&self, at: usize) -> Piece {
        Piece::Attempt(self.first_attempt.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    /// An effect of this group as a piece of a case.
    pub(super) fn effect(&self, at: usize) -> Piece {
        Piece::Effect(self.first_effect.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    /// The attempts whose answers claim an effect, with their indices.
    pub(super) fn claiming(&self) -> impl Iterator<Item = (usize, &'a Attempt)> + Clone + '_ {
        self.attempts.iter().enumerate().filter(|(_, attempt)| attempt.claims())
    }

    /// The attempts that were not refused, with their indices.
    pub(super) fn live(&self) -> impl Iterator<Item = (usize, &'a Attempt)> + Clone + '_ {
        self.attempts.iter().enumerate().filter(|(_, attempt)| attempt.may_execute())
    }

    /// Whether a complete audit comes after this position.
    pub(super) fn audited_after(&self, position: u32) -> bool {
        self.audit.is_some_and(|audit| audit.position > position)
    }

    /// Whether a refusal has the status that the policy gives to another payload.
    pub(super) fn refused_as_mismatch(&self, attempt: &Attempt) -> bool {
        attempt.status == Status::Fail && attempt.code == self.policy.mismatch
    }

    /// Whether a refusal has the status that the policy gives to a request in flight (409, where it promises to wait).
    pub(super) fn refused_as_conflict(&self, attempt: &Attempt) -> bool {
        let code = match self.policy.in_flight {
            InFlight::Status(code) => code,
            InFlight::Wait => 409,
        };
        attempt.status == Status::Fail && attempt.code == code
    }

    /// The number of the position by which a case ranks.
    pub(super) fn add(
        &self,
        tally: &mut Tally,
        what: (Anomaly, Certainty),
        (count, at): (u64, u32),
        why: Option<Reason>,
        pieces: &[Piece],
    ) {
        tally.add(what, count, at, why, pieces);
    }
}

/// Certain where this is so, else possible.
pub(super) fn sure(certain: bool) -> Certainty {
    if certain { Certainty::Certain } else { Certainty::Possible }
}

/// Whether a time is known.
pub(super) fn known(time: i64) -> bool {
    time != History::NO_TIME
}
