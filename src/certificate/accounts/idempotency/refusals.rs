//! Payloads and refusals: what a key was registered with, and why attempts were refused.

use std::collections::HashMap;

use super::super::{Entry, Role};
use super::{Attempt, Content, Read, Terms, by_position, entry_of, reason, unanswered};
use crate::history::{Status, Value};

/// By where the first execution of each life had begun: its first effect, or its first kept answer.
fn registered(read: &Read<'_>, terms: &Terms) -> HashMap<u32, u32> {
    let mut first: HashMap<u32, u32> = HashMap::new();
    let mut take = |life: u32, position: u32| {
        let known = first.entry(life).or_insert(position);
        *known = position.min(*known);
    };
    for attempt in read.attempts.iter().filter(|attempt| terms.keeps(attempt)) {
        read.lives.of_attempt(attempt).into_iter().for_each(|life| take(life, attempt.act.ended));
    }
    for (at, effect) in read.effects.iter().enumerate() {
        if let (life, true) = read.lives.of_effect(at) {
            take(life, effect.position);
        }
    }
    first
}

/// Answers that claim an effect are to one payload in each life, that of an attempt that can have been executed.
pub(super) fn payloads(read: &Read<'_>, terms: &Terms, entries: &[Entry]) -> Result<(), String> {
    let registered = registered(read, terms);
    let role = |attempt: &Attempt<'_>| entry_of(entries, attempt).and_then(|entry| entry.is);
    let executed: Vec<&Attempt<'_>> =
        read.attempts.iter().filter(|attempt| role(attempt) == Some(Role::Executed)).collect();
    if let Some(refused) = executed.iter().find(|attempt| !attempt.act.may()) {
        return Err(format!(
            "the attempt at record {} was refused, and can't have been executed",
            refused.act.position
        ));
    }
    let mut answers: HashMap<u32, Vec<&Attempt<'_>>> = HashMap::new();
    for attempt in read.attempts.iter().filter(|attempt| attempt.claims() && attempt.content != Content::Unknown) {
        if let Some(life) = read.lives.of_attempt(attempt) {
            answers.entry(life).or_default().push(attempt);
        }
    }
    let mut used = 0;
    let mut lives: Vec<(&u32, &Vec<&Attempt<'_>>)> = answers.iter().collect();
    lives.sort_unstable_by_key(|(life, _)| **life);
    for (life, answers) in lives {
        let Some(by) = registered.get(life) else { continue };
        // The executed ones stand in the order of the lives that need one.
        let Some(first) = executed.get(used) else {
            return Err(format!("nothing was executed for the answer at record {}", answers[0].act.position));
        };
        used += 1;
        if first.act.began > *by {
            return Err(format!(
                "the attempt at record {} had not begun when record {by} shows that something was executed",
                first.act.position
            ));
        }
        // Every two of them say the same where each says the same as the first of its kind.
        let mut known = [first.content, Content::Unknown];
        for answer in answers {
            if known.iter().any(|content| content.differs(answer.content)) {
                return Err(format!(
                    "the answer at record {} is to another payload than was executed",
                    answer.act.position
                ));
            }
            known[1] = answer.content;
        }
    }
    if let Some(more) = executed.get(used) {
        return Err(format!("nothing shows that the attempt at record {} was executed", more.act.position));
    }
    replays(read, &answers)
}

/// An answer that says it is a replay is not the only one of its payload, where there were others.
fn replays(read: &Read<'_>, answers: &HashMap<u32, Vec<&Attempt<'_>>>) -> Result<(), String> {
    let says = |attempt: &Attempt<'_>| attempt.act.within(attempt.act.result, "replayed") == Value::TRUE;
    let claims: Vec<&Attempt<'_>> = answers.values().flatten().filter(|attempt| says(attempt)).copied().collect();
    let live = || read.attempts.iter().filter(|attempt| attempt.act.may());
    if claims.is_empty() || live().any(|attempt| attempt.content == Content::Unknown) {
        return Ok(());
    }
    // When the first two attempts with each payload began, and of all.
    let (mut of, mut all): (HashMap<Content, [u32; 2]>, [u32; 2]) = (HashMap::new(), [u32::MAX; 2]);
    for attempt in live() {
        for two in [of.entry(attempt.content).or_insert([u32::MAX; 2]), &mut all] {
            match *two {
                [u32::MAX, _] => two[0] = attempt.act.began,
                [_, u32::MAX] => two[1] = attempt.act.began,
                _ => {}
            }
        }
    }
    let alone = |attempt: &&&Attempt<'_>| {
        let own = of.get(&attempt.content).copied().unwrap_or([u32::MAX; 2]);
        own[0] == attempt.act.began && own[1] > attempt.act.ended && all[1] <= attempt.act.ended
    };
    match claims.iter().find(alone) {
        Some(claim) => Err(format!(
            "the answer at record {} says that it is a replay, and what came before it had other payloads",
            claim.act.position
        )),
        None => Ok(()),
    }
}

/// Every refusal for another payload, or as in flight, has its reason.
pub(super) fn refused(read: &Read<'_>, terms: &Terms, entries: &[Entry]) -> Result<(), String> {
    let registered = registered(read, terms).get(&0).copied().filter(|_| terms.life_ns.is_none()).unwrap_or(u32::MAX);
    let settled = settled(read);
    let by = by_position(read);
    for attempt in &read.attempts {
        let Some(entry) = entry_of(entries, attempt) else { continue };
        let refuse = |why: &str| Err(format!("the refusal at record {} {why}", attempt.act.position));
        let fail = attempt.act.status == Status::Fail;
        let is = |code: Option<i64>| fail && code == Some(attempt.code);
        let (mismatch, conflict) = (is(terms.mismatch), is(terms.in_flight.or(Some(409))));
        match entry.is {
            Some(Role::Mismatch) if mismatch => {
                let Some(other) = reason(read, &by, entry) else { return refuse("has no reason in this account") };
                let begun = other.act.may() && other.act.began <= attempt.act.ended.min(registered);
                let same = other.content == attempt.content && attempt.content != Content::Unknown;
                if !begun || same {
                    return refuse("is not for the payload of the attempt that it names");
                }
                if terms.max_ttl_ns.is_some_and(|max| forgotten(other, attempt, terms, max)) {
                    return refuse("is for the payload of an attempt that ended longer than max-ttl before");
                }
            }
            Some(Role::InFlight) if conflict => {
                let Some(other) = reason(read, &by, entry) else { return refuse("has no reason in this account") };
                if terms.in_flight.is_none() {
                    return refuse("can't be: the policy has retries wait");
                }
                let life = read.lives.of_attempt(attempt);
                if life.and_then(|life| settled.get(&life)).is_some_and(|settled| *settled < attempt.act.began) {
                    return refuse("came after the key was settled");
                }
                if other.act.position == attempt.act.position || !in_flight(other, attempt, terms) {
                    return refuse("is not for an attempt in flight");
                }
            }
            Some(Role::Mismatch | Role::InFlight) => return refuse("has not the status for its reason"),
            // A payload that is not known may be any.
            None if mismatch && attempt.content != Content::Unknown => return refuse("for another payload names none"),
            None if conflict && !mismatch => return refuse("as in flight names nothing that was"),
            _ => {}
        }
    }
    Ok(())
}

/// Whether an attempt was over so long before another that its payload was to be forgotten.
fn forgotten(other: &Attempt<'_>, refused: &Attempt<'_>, terms: &Terms, max: i64) -> bool {
    let over = match (unanswered(other), terms.lease_ns) {
        (false, _) => other.act.completed,
        (true, lease) => lease.zip(other.act.invoked).map(|(lease, begun)| begun.saturating_add(lease)),
    };
    over.zip(refused.act.invoked).is_some_and(|(over, now)| over.saturating_add(max) < now)
}

/// Whether an attempt may have been in flight while another one was refused.
fn in_flight(other: &Attempt<'_>, refused: &Attempt<'_>, terms: &Terms) -> bool {
    let leased = || match (terms.lease_ns, other.act.invoked.zip(refused.act.invoked)) {
        (Some(lease), Some((begun, now))) => begun.saturating_add(lease) >= now,
        _ => true,
    };
    let going = if unanswered(other) { leased() } else { other.act.ended >= refused.act.began };
    other.act.began <= refused.act.ended && going
}

/// Where each life of the key was settled: its first effect, or the first answer that claims one.
fn settled(read: &Read<'_>) -> HashMap<u32, u32> {
    let effects = read.effects.iter().enumerate().filter_map(|(at, effect)| match read.lives.of_effect(at) {
        (life, true) => Some((life, effect.position)),
        _ => None,
    });
    let claims = read.attempts.iter().filter(|attempt| attempt.claims());
    let claims = claims.filter_map(|attempt| Some((read.lives.of_attempt(attempt)?, attempt.act.ended)));
    let mut first: HashMap<u32, u32> = HashMap::new();
    for (life, position) in effects.chain(claims) {
        let known = first.entry(life).or_insert(position);
        *known = position.min(*known);
    }
    first
}
