//! The answers of one group: do they agree with each other, and with what was done?
//!
//! - `divergent-replay`: two answers that the policy keeps, to one payload in one life of the key, differ as far as the
//!   policy has them repeated; or an answer that is not kept, to a request that began when a kept one was there. A group
//!   counts once.
//! - `replay-mismatch`: an answer claims an effect and names no resource, or another one, where the key's effects name
//!   theirs. Each answer counts. An answer that names another scope's resource is a `scope-collision` instead.
//! - `over-retention`: an answer replays an effect that is older than `max-ttl`.
//! - `in-flight-violation`: an answer claims an effect before the key's first effect. An observer may have recorded that
//!   late, and so it is certain only where observers are synchronous.

use super::across::Map;
use super::facts::{Facts, known, sure};
use super::policy::Replay;
use super::tally::Tally;
use crate::guarantee::Anomaly;
use crate::history::{History, Status, Value};
use crate::verdict::Certainty;
use crate::witness::accounts::Reason;
use crate::workload::idempotency::{Attempt, Content};

/// Judges the answers of a group.
pub(super) fn judge(facts: &Facts<'_>, tally: &mut Tally) {
    if facts.keyed {
        divergent(facts, tally);
        in_flight(facts, tally);
        if let Some(max_ttl) = facts.policy.max_ttl_ns {
            over_retained(facts, max_ttl, tally);
        }
    }
    unmatched(facts, tally);
}

fn divergent(facts: &Facts<'_>, tally: &mut Tally) {
    let mut answers: Vec<(u32, Content, u32, usize)> = Vec::new();
    let ok = facts.attempts.iter().enumerate().filter(|(_, attempt)| attempt.status == Status::Ok);
    for (at, attempt) in ok {
        if let Some(life) = facts.lives.of_attempt(attempt) {
            answers.push((life, attempt.content, attempt.ended, at));
        }
    }
    if answers.len() < 2 {
        return;
    }
    answers.sort_unstable();
    let mut found: Option<(u32, usize, usize)> = None;
    for same in answers.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let kept = |at: usize| facts.policy.caches(facts.attempts[at].code);
        let Some((.., first)) = same.iter().find(|(.., at)| kept(*at)) else { continue };
        let one = &facts.attempts[*first];
        let differing = same.iter().find(|(.., at)| {
            let two = &facts.attempts[*at];
            if kept(*at) { differ(one, two, facts.policy.replay) } else { two.began > one.ended }
        });
        if let Some((.., ended, second)) = differing
            && found.is_none_or(|(other, ..)| *ended < other)
        {
            found = Some((*ended, *first, *second));
        }
    }
    if let Some((ended, first, second)) = found {
        let kept = facts.policy.caches(facts.attempts[second].code);
        let why = if kept { Reason::Differ } else { Reason::ExecutedAgain };
        let pieces = [facts.attempt(first), facts.attempt(second)];
        facts.add(tally, (Anomaly::DivergentReplay, Certainty::Certain), (1, ended), Some(why), &pieces);
    }
}

fn differ(one: &Attempt, two: &Attempt, replay: Replay) -> bool {
    match replay {
        Replay::Exact => one.code != two.code || one.response != two.response,
        Replay::Response => one.response != two.response,
        Replay::Status => one.code != two.code,
        Replay::Resource => one.resource != two.resource,
    }
}

fn in_flight(facts: &Facts<'_>, tally: &mut Tally) {
    let Some(first) = facts.effects.first().filter(|_| !facts.pooled) else { return };
    for (at, attempt) in facts.claiming().filter(|(_, attempt)| attempt.ended < first.position) {
        let what = (Anomaly::InFlightViolation, sure(facts.synchronous));
        facts.add(tally, what, (1, attempt.ended), None, &[facts.attempt(at), facts.effect(0)]);
    }
}

fn unmatched(facts: &Facts<'_>, tally: &mut Tally) {
    let first = facts.effects.iter().position(|effect| !effect.resource.is_null());
    let mut resources: Vec<Value> = facts.effects.iter().map(|effect| effect.resource).collect();
    resources.sort_unstable();
    let own = |resource: Value| resources.binary_search(&resource).is_ok();
    for (at, attempt) in facts.claiming() {
        let named = attempt.resource;
        if !named.is_null() {
            if own(named) {
                continue;
            }
            if let Some(owner) = facts.shared.owner(facts.shared_key, named, facts.number) {
                let what = (Anomaly::ScopeCollision, Certainty::Certain);
                facts.add(tally, what, (1, attempt.ended), Some(Reason::ScopeResource), &[owner, facts.attempt(at)]);
                continue;
            }
        }
        let Some(effect) = first else { continue };
        // Unless it names an effect of a later life that nobody recorded.
        let one_life = facts.policy.life_ns().is_none() || facts.lives.of_attempt(attempt).is_some();
        let certain = named.is_null() || one_life || facts.audited_after(attempt.ended);
        let certain = certain && !(facts.pooled && named.is_null());
        let why = if named.is_null() { Reason::Unnamed } else { Reason::OtherResource };
        let what = (Anomaly::ReplayMismatch, sure(certain));
        facts.add(tally, what, (1, attempt.ended), Some(why), &[facts.effect(effect), facts.attempt(at)]);
    }
}

fn over_retained(facts: &Facts<'_>, max_ttl: i64, tally: &mut Tally) {
    // The youngest effect with each resource: a replay of an older one is older still.
    let mut youngest: Map<Value, usize> = Map::default();
    for (at, effect) in facts.effects.iter().enumerate().filter(|(_, effect)| !effect.resource.is_null()) {
        youngest.insert(effect.resource, at);
    }
    let started = facts.live().map(|(_, attempt)| attempt.invoked_time).min().unwrap_or(History::NO_TIME);
    for (at, attempt) in facts.claiming() {
        let Some(&which) = youngest.get(&attempt.resource) else { continue };
        let effect = &facts.effects[which];
        if attempt.began <= effect.position {
            continue;
        }
        let latest = |time: i64| time.saturating_add(max_ttl);
        let timed = known(effect.time) && known(attempt.invoked_time);
        let certain = timed && attempt.invoked_time > latest(effect.time);
        let never = known(started) && known(attempt.completed_time) && attempt.completed_time <= latest(started);
        if certain || !never {
            let what = (Anomaly::OverRetention, sure(certain));
            facts.add(tally, what, (1, attempt.ended), None, &[facts.effect(which), facts.attempt(at)]);
        }
    }
}
