//! The accounts of keys that were kept, for a certificate: each attempt and effect, and what each refusal was because of.

use super::across::{self, Shared};
use super::conflict::Flight;
use super::facts::Facts;
use super::payload::{self, Reasons};
use super::policy::{InFlight, Policy};
use crate::certificate::{Account, Entry, Role};
use crate::check::Settings;
use crate::history::{History, Value};
use crate::workload::WorkloadError;
use crate::workload::idempotency::{Content, Idempotency, Identity};

/// Of each key, intent or lone attempt; or why there is no account of some.
pub(in crate::check::delivery) fn accounts(
    history: &History,
    settings: &Settings<'_>,
) -> Result<Result<Vec<Account>, String>, WorkloadError> {
    let policy = Policy::of(history, settings.requirements)?;
    let workload = Idempotency::from_history(history)?;
    if !workload.pools.is_empty() {
        return Ok(Err("some effects could be of several requests: give their key, scope or intent".to_owned()));
    }
    let shared = Shared::of(&workload);
    let pooled = across::pooled(&workload);
    let mut repeated = workload.repeated_effects.clone();
    repeated.sort_unstable();
    let mut accounts = Vec::with_capacity(workload.groups.len());
    for (number, pooled) in pooled.iter().enumerate() {
        let facts = Facts::of(&workload, &policy, &shared, number, *pooled);
        let Some(mut entries) = attempts(history, &facts) else {
            return Ok(Err("the payloads of one key can't be compared".to_owned()));
        };
        let first = workload.groups[number].first_effect;
        for (at, effect) in (first..).zip(facts.effects) {
            entries.push(Entry::plain(effect.position));
            let from = repeated.partition_point(|(effect, _)| *effect < at);
            let again = repeated[from..].iter().take_while(|(effect, _)| *effect == at);
            entries.extend(again.map(|(_, position)| Entry::plain(*position)));
        }
        entries.sort_unstable_by_key(|entry| entry.at);
        let json = |value: Value| history.values().json(value, usize::MAX);
        let of = match workload.groups[number].identity {
            Identity::Key { scope, key } if scope.is_null() => json(key),
            Identity::Key { scope, key } => format!("{} in {}", json(key), json(scope)),
            Identity::Intent(intent) => format!("intent {}", json(intent)),
            Identity::Lone => "an attempt without a key".to_owned(),
        };
        accounts.push(Account { of, entries });
    }
    Ok(Ok(accounts))
}

fn attempts(history: &History, facts: &Facts<'_>) -> Option<Vec<Entry>> {
    let position = |at: usize| history.op(facts.attempts[at].op).position();
    let mut entries: Vec<Entry> = (0..facts.attempts.len()).map(|at| Entry::plain(position(at))).collect();
    if !facts.keyed {
        return Some(entries);
    }
    for at in payload::executed(facts)? {
        entries[at].is = Some(Role::Executed);
    }
    let mut flight = Flight::default();
    let mut reasons: Option<Reasons> = None;
    for (at, attempt) in facts.attempts.iter().enumerate() {
        let mismatch = facts.refused_as_mismatch(attempt);
        let known = mismatch && attempt.content != Content::Unknown;
        let conflict = facts.policy.in_flight == InFlight::Status(attempt.code) && facts.refused_as_conflict(attempt);
        let other = known.then(|| reasons.get_or_insert_with(|| Reasons::of(facts)).reason(attempt)).flatten();
        if let Some(other) = other {
            (entries[at].is, entries[at].by) = (Some(Role::Mismatch), Some(position(other)));
        } else if let (true, Some(other)) = (conflict && (known || !mismatch), flight.other(facts, attempt)) {
            (entries[at].is, entries[at].by) = (Some(Role::InFlight), Some(position(other)));
        }
    }
    Some(entries)
}
