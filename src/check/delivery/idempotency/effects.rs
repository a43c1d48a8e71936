//! The effects of one group: too many, too few, or of nobody's asking.
//!
//! - `duplicate-effect`: two effects (of one kind, where the policy names a bundle) in one life of the key. Every group
//!   that has one counts once. Of these, `concurrent-duplicate-effect` are the groups where the second was certainly
//!   caused by an attempt that began before the first effect was there: a race, no time-out. `premature-expiry` are those
//!   where a `ttl` is promised, the second was caused by a later attempt, and the first was not old enough.
//! - `phantom-effect`: no attempt had begun when it was recorded. `rejected-effect`: only refused ones had.
//! - `lost-effect`: an answer claims an effect, and there is none. `partial-effect`: some of the bundle, not all.
//!
//! All are exact: an effect's record proves that it had happened by then, and so that its cause had begun before.

use super::facts::{Facts, known, sure};
use super::tally::{Piece, Tally};
use crate::guarantee::Anomaly;
use crate::history::{Status, Value, Values};
use crate::verdict::Certainty;
use crate::witness::accounts::Reason;
use crate::workload::idempotency::Effect;

/// Judges the effects of a group.
pub(super) fn judge(facts: &Facts<'_>, values: &Values, tally: &mut Tally) {
    unasked(facts, tally);
    if facts.effects.len() > 1 {
        duplicates(facts, tally);
    }
    missing(facts, values, tally);
    if facts.policy.key_required && !facts.keyed {
        for (at, attempt) in facts.claiming() {
            let what = (Anomaly::MissingKeyAccepted, Certainty::Certain);
            facts.add(tally, what, (1, attempt.ended), None, &[facts.attempt(at)]);
        }
    }
}

fn unasked(facts: &Facts<'_>, tally: &mut Tally) {
    if facts.effects.is_empty() {
        return;
    }
    let began = facts.attempts.first().map_or(u32::MAX, |attempt| attempt.began);
    let live = facts.live().next().map_or(u32::MAX, |(_, attempt)| attempt.began);
    // By position: as soon as one is explained, all are.
    for (at, effect) in facts.effects.iter().enumerate().take_while(|(_, effect)| effect.position < live) {
        if began > effect.position {
            let what = (Anomaly::PhantomEffect, Certainty::Certain);
            facts.add(tally, what, (1, effect.position), None, &[facts.effect(at)]);
        } else {
            let what = (Anomaly::RejectedEffect, Certainty::Certain);
            facts.add(tally, what, (1, effect.position), None, &[facts.attempt(0), facts.effect(at)]);
        }
    }
}

fn duplicates(facts: &Facts<'_>, tally: &mut Tally) {
    let bundled = !facts.policy.effects.is_empty();
    let kind = |effect: &Effect| if bundled { effect.kind } else { Value::NULL };
    let mut order: Vec<(Value, u32, bool, usize)> = facts
        .effects
        .iter()
        .enumerate()
        .map(|(at, effect)| {
            let (life, certain) = facts.lives.of_effect(at);
            (kind(effect), life, !certain, at)
        })
        .collect();
    order.sort_unstable();
    let mut extra = 0;
    let mut pair: Option<(usize, usize)> = None;
    let mut unclear: Option<(usize, usize)> = None;
    for same in order.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter(|same| same.len() > 1) {
        let certain = same.iter().filter(|(.., unclear, _)| !unclear).count();
        if certain > 1 {
            extra += certain - 1;
            pair = pair.into_iter().chain([(same[0].3, same[1].3)]).min_by_key(|(_, second)| *second);
        } else {
            let (a, b) = (same[0].3, same[1].3);
            unclear = unclear.into_iter().chain([(a.min(b), a.max(b))]).min_by_key(|(_, second)| *second);
        }
    }
    let Some((first, second)) = pair else {
        if let Some((first, second)) = unclear {
            let pieces = [facts.effect(first), facts.effect(second)];
            let at = facts.effects[second].position;
            facts.add(tally, (Anomaly::PrematureExpiry, Certainty::Possible), (1, at), None, &pieces);
        }
        return;
    };
    tally.extra_effects += extra as u64;
    tally.duplicated.push(facts.number);
    let (cause, pieces) = cause(facts, first, second);
    let at = facts.effects[second].position;
    let classes: &[Anomaly] = match cause {
        Reason::Race => &[Anomaly::DuplicateEffect, Anomaly::ConcurrentDuplicateEffect],
        Reason::Later if facts.policy.ttl_ns.is_some() => &[Anomaly::DuplicateEffect, Anomaly::PrematureExpiry],
        _ => &[Anomaly::DuplicateEffect],
    };
    for class in classes {
        let why = (*class == Anomaly::DuplicateEffect).then_some(cause);
        facts.add(tally, (*class, Certainty::Certain), (1, at), why, &pieces);
    }
}

/// The cause of the second effect, and the story: the likely attempts, each with its effect.
fn cause(facts: &Facts<'_>, first: usize, second: usize) -> (Reason, Vec<Piece>) {
    let (one, two) = (&facts.effects[first], &facts.effects[second]);
    let executor = |effect: &Effect| {
        let named = |a: &crate::workload::idempotency::Attempt| a.resource == effect.resource && !a.resource.is_null();
        facts.claiming().find(|(_, a)| a.replayed == Some(false) && named(a) && a.began <= effect.position)
    };
    let before: Vec<usize> =
        facts.live().take_while(|(_, a)| a.began <= one.position).map(|(at, _)| at).take(2).collect();
    let between = facts.live().find(|(_, a)| a.began > one.position && a.began <= two.position).map(|(at, _)| at);
    let (made_one, made_two) = (executor(one).map(|(at, _)| at), executor(two));
    let cause = match (made_two, between, before.len()) {
        (Some((at, _)), ..) if Some(at) == made_one => Reason::Same,
        (Some((_, a)), ..) if a.began <= one.position => Reason::Race,
        (Some(_), ..) | (None, Some(_), 1) => Reason::Later,
        (None, None, 2) => Reason::Race,
        (None, None, 1) => Reason::Same,
        (None, None, _) | (None, Some(_), _) => Reason::Unclear,
    };
    let other = |taken: Option<usize>| before.iter().copied().find(|at| Some(*at) != taken);
    let two_by = made_two.map(|(at, _)| at).or(between).or_else(|| other(made_one.or(before.first().copied())));
    let one_by = made_one.or_else(|| other(two_by));
    let mut pieces = Vec::with_capacity(4);
    pieces.extend(one_by.map(|at| facts.attempt(at)));
    pieces.push(facts.effect(first));
    pieces.extend(two_by.filter(|at| Some(*at) != one_by).map(|at| facts.attempt(at)));
    pieces.push(facts.effect(second));
    (cause, pieces)
}

fn missing(facts: &Facts<'_>, values: &Values, tally: &mut Tally) {
    if facts.pooled {
        return;
    }
    let bundle = &facts.policy.effects;
    let has = |kind: &String| facts.effects.iter().any(|effect| values.as_str(effect.kind) == Some(kind.as_str()));
    let had = if bundle.is_empty() { facts.effects.len() } else { bundle.iter().filter(|kind| has(kind)).count() };
    // An effect that does not say its kind may be of any.
    let unnamed = facts.effects.iter().any(|effect| effect.kind.is_null());
    let first = facts.claiming().min_by_key(|(_, attempt)| attempt.ended);
    if had == 0 && (facts.effects.is_empty() || !unnamed) {
        if let Some((at, attempt)) = first {
            let audited = facts.audited_after(attempt.ended);
            let pieces = [facts.attempt(at), Piece::Audit];
            let pieces = if audited { &pieces[..] } else { &pieces[..1] };
            facts.add(tally, (Anomaly::LostEffect, sure(audited)), (1, attempt.ended), None, pieces);
        }
    } else if had < bundle.len() {
        partial(facts, first.map(|(at, _)| at), unnamed, tally);
    }
}

/// Part of the bundle is there. The rest may still come while an attempt is in flight.
fn partial(facts: &Facts<'_>, claiming: Option<usize>, unnamed: bool, tally: &mut Tally) {
    let claimed = claiming.is_some_and(|at| facts.audited_after(facts.attempts[at].ended));
    let over = facts.audit.is_some_and(|audit| {
        facts.live().all(|(_, attempt)| match (attempt.status, facts.policy.lease_ns) {
            (Status::Ok, _) => attempt.ended < audit.position,
            (_, Some(lease)) => {
                known(attempt.invoked_time)
                    && known(audit.time)
                    && attempt.invoked_time.saturating_add(lease) < audit.time
            }
            _ => false,
        })
    });
    let certain = !unnamed && (claimed || over);
    let mut pieces: Vec<Piece> = claiming.map(|at| facts.attempt(at)).into_iter().collect();
    pieces.push(facts.effect(0));
    if certain {
        pieces.push(Piece::Audit);
    }
    let at = facts.effects[0].position;
    facts.add(tally, (Anomaly::PartialEffect, sure(certain)), (1, at), None, &pieces);
}
