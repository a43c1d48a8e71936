//! The figures of an idempotency history.
//!
//! Rates are of attempts unless they say otherwise; latencies are in nanoseconds, and leave out what has no times. An
//! *intent* is what the attempts name, else their key, else the attempt itself.

use super::across::{Map, intent_of};
use super::policy::{InFlight, Policy};
use super::tally::{CLASSES, Tally};
use crate::check::delivery::figures::{distribution, rate};
use crate::history::{Status, Value};
use crate::verdict::{Certainty, Figures};
use crate::workload::idempotency::{Idempotency, Identity};

use super::facts::known;

/// Everything that `measures.delivery` says.
pub(super) fn of(workload: &Idempotency, policy: &Policy, tally: &Tally) -> Figures {
    let mut sums = Sums::default();
    let mut units = Units { by_intent: Map::default(), attempts: vec![0; workload.groups.len()] };
    for number in 0..workload.groups.len() {
        let attempts = workload.attempts_of(number);
        if attempts.is_empty() {
            continue;
        }
        let unit = units.of(intent_of(workload, number), number);
        units.attempts[unit as usize] += i64::try_from(attempts.len()).unwrap_or(i64::MAX);
        sums.keys += u64::from(matches!(workload.groups[number].identity, Identity::Key { .. }));
        sums.group(workload, policy, number);
    }
    let attempts = workload.attempts.len() as u64;
    let asked: Vec<i64> = units.attempts.iter().copied().filter(|attempts| *attempts > 0).collect();
    let intents = asked.len() as u64;
    let retries = attempts - intents;
    let mut duplicated: Vec<u64> =
        tally.duplicated.iter().map(|group| units.of(intent_of(workload, *group as usize), *group as usize)).collect();
    duplicated.sort_unstable();
    duplicated.dedup();

    let mut figures = Figures::new();
    let mut put = |name: &str, value: serde_json::Value| _ = figures.insert(name.to_owned(), value);
    put("attempts", attempts.into());
    put("keys", sums.keys.into());
    put("intents", intents.into());
    put("effects", workload.effects.len().into());
    put("repeated_effect_records", (workload.repeated_effects.len() as u64).into());
    put("duplicate_effects", tally.extra_effects.into());
    put("intents_with_duplicate_effects", duplicated.len().into());
    put("attempts_per_intent", distribution(asked).into());
    put("retries", retries.into());
    put("retry_rate", rate(retries, attempts));
    put("retry_hit_rate", rate(sums.replayed, retries));
    put("dedupe_reject_rate", rate(sums.mismatches, attempts));
    put("conflict_rate", rate(sums.conflicts, attempts));
    put("unresolved_conflicts", sums.unresolved.into());
    put("conflict_resolution_latency_ns", distribution(sums.resolutions).into());
    put("effect_latency_ns", distribution(sums.effects).into());
    let mut classes = Figures::new();
    for class in CLASSES {
        let (certain, possible) = (tally.count(class, Certainty::Certain), tally.count(class, Certainty::Possible));
        classes.insert(class.name().to_owned(), serde_json::json!({"certain": certain, "possible": possible}));
    }
    put("classes", classes.into());
    figures
}

/// What counts as one intent: the first group of each.
struct Units {
    by_intent: Map<Value, u64>,
    /// For each group, how many attempts the intent has whose first group it is.
    attempts: Vec<i64>,
}

impl Units {
    fn of(&mut self, intent: Option<Value>, number: usize) -> u64 {
        match intent {
            Some(intent) => *self.by_intent.entry(intent).or_insert(number as u64),
            None => number as u64,
        }
    }
}

#[derive(Default)]
struct Sums {
    keys: u64,
    replayed: u64,
    mismatches: u64,
    conflicts: u64,
    unresolved: u64,
    resolutions: Vec<i64>,
    effects: Vec<i64>,
}

impl Sums {
    fn group(&mut self, workload: &Idempotency, policy: &Policy, number: usize) {
        let conflict = match policy.in_flight {
            InFlight::Status(code) => code,
            InFlight::Wait => 409,
        };
        let attempts = workload.attempts_of(number);
        let mut waiting: Option<(u32, i64)> = None;
        let mut answered = u64::from(u32::MAX);
        for attempt in attempts {
            match attempt.status {
                Status::Ok => {
                    self.replayed += u64::from(attempt.replayed == Some(true));
                    answered = answered.min(u64::from(attempt.ended));
                }
                Status::Fail => {
                    self.mismatches += u64::from(attempt.code == policy.mismatch);
                    if attempt.code == conflict {
                        self.conflicts += 1;
                        if waiting.is_none_or(|(first, _)| attempt.ended < first) {
                            waiting = Some((attempt.ended, attempt.completed_time));
                        }
                    }
                }
                Status::Info => {}
            }
        }
        if let Some((from, time)) = waiting {
            let later = attempts.iter().filter(|a| a.status == Status::Ok && a.ended > from);
            match later.min_by_key(|a| a.ended) {
                Some(end) if known(time) && known(end.completed_time) => {
                    self.resolutions.push(end.completed_time.saturating_sub(time).max(0));
                }
                Some(_) => {}
                None if answered < u64::from(from) => {}
                None => self.unresolved += 1,
            }
        }
        let asked = attempts.iter().filter(|a| a.may_execute()).map(|a| a.invoked_time).find(|time| known(*time));
        if let (Some(asked), Some(effect)) = (asked, workload.effects_of(number).first())
            && known(effect.time)
        {
            self.effects.push(effect.time.saturating_sub(asked).max(0));
        }
    }
}
