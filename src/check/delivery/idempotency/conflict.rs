//! Requests in flight: a refusal because of one, where there was none.
//!
//! A key is in flight from an attempt's invocation to the key's first effect, or the answer that claims it; one without
//! either until it completes, and a crashed one until its `lease` ends, or for ever without one. A refused attempt is in
//! flight itself until its refusal.
//!
//! - `false-conflict`: refused with the status for a request in flight, and nothing can have been. Where the same key was
//!   used in another scope before, it is a `scope-collision`.
//! - `stuck-key`: the same, and only attempts whose lease was over stand before it: the key was never released. A group
//!   counts once.
//!
//! Cost: n log n for a group of n attempts, and nothing for one without such refusals.

use super::facts::{Facts, known};
use super::policy::InFlight;
use super::tally::{Piece, Tally};
use crate::guarantee::Anomaly;
use crate::history::{History, Status};
use crate::verdict::Certainty;
use crate::witness::accounts::Reason;
use crate::workload::idempotency::Attempt;

/// What was in flight when, of one group; made when it is first asked for.
#[derive(Default)]
pub(super) struct Flight {
    made: bool,
    /// When each attempt began.
    began: Vec<u32>,
    /// Up to each: the two latest ends of those that completed, with the attempts.
    ends: Vec<[(u32, u32); 2]>,
    /// Up to each: the latest invocation of those without an outcome, and its attempt.
    crashed: Vec<Option<(i64, u32)>>,
    /// The first effect of each life, or answer that claims one: the key is settled from there on.
    settled: Vec<(u32, u32, Piece)>,
}

/// Judges a group's refusals.
pub(super) fn judge(facts: &Facts<'_>, flight: &mut Flight, tally: &mut Tally) {
    let mut stuck = false;
    for (at, attempt) in facts.attempts.iter().enumerate().filter(|(_, attempt)| facts.refused_as_conflict(attempt)) {
        // One status for both reasons: the other rule judges it.
        if facts.refused_as_mismatch(attempt) {
            continue;
        }
        let waits = facts.policy.in_flight == InFlight::Wait;
        if !waits && flight.possible(facts, attempt) {
            continue;
        }
        let certain = |anomaly| (anomaly, Certainty::Certain);
        let this = (1, attempt.ended);
        if waits {
            facts.add(tally, certain(Anomaly::FalseConflict), this, Some(Reason::Waits), &[facts.attempt(at)]);
        } else if let Some(settled) = flight.settled_before(facts, attempt) {
            let pieces = [settled, facts.attempt(at)];
            facts.add(tally, certain(Anomaly::FalseConflict), this, Some(Reason::Settled), &pieces);
        } else if let Some(other) = facts.shared.earlier_elsewhere(facts.shared_key, facts.number, attempt.ended) {
            facts.add(
                tally,
                certain(Anomaly::ScopeCollision),
                this,
                Some(Reason::RefusedAsConflict),
                &[other, facts.attempt(at)],
            );
        } else if let Some(crashed) = flight.crashed_before(attempt) {
            let pieces = [facts.attempt(crashed), facts.attempt(at)];
            let count = u64::from(!std::mem::replace(&mut stuck, true));
            facts.add(tally, certain(Anomaly::StuckKey), (count, attempt.ended), None, &pieces);
        } else {
            facts.add(tally, certain(Anomaly::FalseConflict), this, Some(Reason::Idle), &[facts.attempt(at)]);
        }
    }
}

impl Flight {
    fn make(&mut self, facts: &Facts<'_>) {
        if std::mem::replace(&mut self.made, true) {
            return;
        }
        let mut ends = [(0, u32::MAX); 2];
        let mut crashed: Option<(i64, u32)> = None;
        for (at, attempt) in (0u32..).zip(facts.attempts) {
            if attempt.status == Status::Info {
                let time = if known(attempt.invoked_time) { attempt.invoked_time } else { i64::MAX };
                crashed = crashed.max(Some((time, at)));
            } else if attempt.ended > ends[0].0 {
                ends = [(attempt.ended, at), ends[0]];
            } else if attempt.ended > ends[1].0 {
                ends[1] = (attempt.ended, at);
            }
            self.began.push(attempt.began);
            self.ends.push(ends);
            self.crashed.push(crashed);
        }
        let mut settled: Vec<(u32, u32, Piece)> = Vec::new();
        for (at, effect) in facts.effects.iter().enumerate().filter(|_| !facts.pooled) {
            if let (life, true) = facts.lives.of_effect(at) {
                settled.push((life, effect.position, facts.effect(at)));
            }
        }
        for (at, attempt) in facts.claiming() {
            if let Some(life) = facts.lives.of_attempt(attempt) {
                settled.push((life, attempt.ended, facts.attempt(at)));
            }
        }
        settled.sort_unstable_by_key(|(life, position, _)| (*life, *position));
        settled.dedup_by_key(|(life, ..)| *life);
        self.settled = settled;
    }

    /// Whether another attempt of the key can have been in flight during this refused one.
    pub(super) fn possible(&mut self, facts: &Facts<'_>, refused: &Attempt) -> bool {
        self.other(facts, refused).is_some()
    }

    /// An attempt of the key that can have been in flight during this refused one.
    pub(super) fn other(&mut self, facts: &Facts<'_>, refused: &Attempt) -> Option<usize> {
        self.make(facts);
        if self.settled_before(facts, refused).is_some() {
            return None;
        }
        let last = self.began.partition_point(|began| *began <= refused.ended).checked_sub(1)?;
        let this = |at: u32| facts.attempts.get(at as usize).is_some_and(|attempt| attempt.op == refused.op);
        let latest = self.ends[last].iter().find(|(_, at)| !this(*at));
        if let Some((_, at)) = latest.filter(|(ended, at)| *at != u32::MAX && *ended >= refused.began) {
            return Some(*at as usize);
        }
        let leased = |time: i64| match facts.policy.lease_ns {
            None => true,
            Some(lease) => {
                refused.invoked_time == History::NO_TIME || time.saturating_add(lease) >= refused.invoked_time
            }
        };
        self.crashed[last].filter(|(time, _)| leased(*time)).map(|(_, at)| at as usize)
    }

    /// The effect or answer that settled the key before this refused attempt began.
    fn settled_before(&self, facts: &Facts<'_>, refused: &Attempt) -> Option<Piece> {
        let life = facts.lives.of_attempt(refused)?;
        let at = self.settled.binary_search_by_key(&life, |(life, ..)| *life).ok()?;
        let (_, position, piece) = self.settled[at];
        (position < refused.began).then_some(piece)
    }

    /// The latest attempt without an outcome that began before this refusal.
    fn crashed_before(&self, refused: &Attempt) -> Option<usize> {
        let last = self.began.partition_point(|began| *began <= refused.ended).checked_sub(1)?;
        self.crashed[last].map(|(_, at)| at as usize)
    }
}
