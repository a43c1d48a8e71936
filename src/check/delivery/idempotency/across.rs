//! What several groups say together.
//!
//! - A key that several scopes use: which scope owns a resource, and who came first (`scope-collision`).
//! - A pool: some effects, each of which belongs to one of some groups. There only numbers are compared: more effects than
//!   groups that lack one are duplicates, fewer than groups whose answers claim one are lost.
//! - An intent that came with several keys, or with and without one: its effects are duplicates of each other, where they
//!   are of one scope.

use hashbrown::HashMap;

use super::facts::sure;
use super::policy::Policy;
use super::tally::{Piece, Tally};
use crate::guarantee::Anomaly;
use crate::history::Value;
use crate::verdict::Certainty;
use crate::witness::accounts::Reason;
use crate::workload::idempotency::{Attempt, Effect, Group, Idempotency, Identity};

pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// What is known of the keys that several scopes use.
#[derive(Default)]
pub(super) struct Shared {
    /// Of each such key: the earliest attempts, not refused, of two groups.
    earliest: Vec<[Option<(u32, u32, Piece)>; 2]>,
    /// Which group a resource belongs to: that of its effect, else of the first answer that named it.
    owners: Map<(u32, Value), (u32, u32, Piece)>,
}

impl Shared {
    /// Of a whole history. Cost: linear in the groups of such keys.
    pub(super) fn of(workload: &Idempotency) -> Shared {
        let mut shared = Shared::default();
        let sharing = || workload.shared.iter().enumerate().filter(|(_, key)| **key != u32::MAX);
        let piece = |base: u32, at: usize| base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
        for (number, &key) in sharing() {
            let group = &workload.groups[number];
            for (at, effect) in workload.effects_of(number).iter().enumerate() {
                if !effect.resource.is_null() {
                    let owner = (narrow(number), 0, Piece::Effect(piece(group.first_effect, at)));
                    shared.owners.entry((key, effect.resource)).or_insert(owner);
                }
            }
        }
        for (number, &key) in sharing() {
            if shared.earliest.len() <= key as usize {
                shared.earliest.resize(key as usize + 1, [None; 2]);
            }
            let first_attempt = workload.groups[number].first_attempt;
            let attempts = workload.attempts_of(number);
            if let Some(at) = attempts.iter().position(Attempt::may_execute) {
                let new = (attempts[at].began, narrow(number), Piece::Attempt(piece(first_attempt, at)));
                let earliest = &mut shared.earliest[key as usize];
                match *earliest {
                    [None, _] => earliest[0] = Some(new),
                    [Some(first), _] if new.0 < first.0 => *earliest = [Some(new), Some(first)],
                    [_, None] => earliest[1] = Some(new),
                    [_, Some(second)] if new.0 < second.0 => earliest[1] = Some(new),
                    _ => {}
                }
            }
            for (at, attempt) in attempts.iter().enumerate().filter(|(_, attempt)| attempt.claims()) {
                let new = (narrow(number), attempt.ended, Piece::Attempt(piece(first_attempt, at)));
                let owner = shared.owners.entry((key, attempt.resource)).or_insert(new);
                if new.1 < owner.1 {
                    *owner = new;
                }
            }
        }
        shared
    }

    /// What shows that this resource belongs to another group of the key.
    pub(super) fn owner(&self, key: u32, resource: Value, group: u32) -> Option<Piece> {
        self.owners.get(&(key, resource)).filter(|(owner, ..)| *owner != group).map(|(.., piece)| *piece)
    }

    /// An attempt with the same key in another scope that began before this position.
    pub(super) fn earlier_elsewhere(&self, key: u32, group: u32, position: u32) -> Option<Piece> {
        let earliest = self.earliest.get(key as usize)?;
        let other = earliest.iter().flatten().find(|(_, other, _)| *other != group);
        other.filter(|(began, ..)| *began <= position).map(|(.., piece)| *piece)
    }
}

/// Whether each group has a claim on some pool's effects.
pub(super) fn pooled(workload: &Idempotency) -> Vec<bool> {
    let mut pooled = vec![false; workload.groups.len()];
    for group in workload.pools.iter().flat_map(|pool| &pool.groups) {
        pooled[*group as usize] = true;
    }
    pooled
}

/// Judges the pools.
pub(super) fn pools(workload: &Idempotency, policy: &Policy, tally: &mut Tally) {
    for pool in &workload.pools {
        let (mut live, mut began) = (u32::MAX, u32::MAX);
        let (mut lacking, mut claimed) = (0u64, [0u64; 2]);
        let mut claim: Option<(u32, Piece)> = None;
        for &group in &pool.groups {
            let attempts = workload.attempts_of(group as usize);
            let first = attempts.iter().find(|attempt| attempt.may_execute());
            began = began.min(attempts.first().map_or(u32::MAX, |attempt| attempt.began));
            live = live.min(first.map_or(u32::MAX, |attempt| attempt.began));
            if !workload.effects_of(group as usize).is_empty() {
                continue;
            }
            lacking += u64::from(first.is_some());
            let ended = |at: &usize| attempts[*at].ended;
            let Some(at) = (0..attempts.len()).filter(|at| attempts[*at].claims()).min_by_key(ended) else { continue };
            let audited = workload.audit.is_some_and(|audit| audit.position > ended(&at));
            claimed[usize::from(audited)] += 1;
            let piece = Piece::Attempt(workload.groups[group as usize].first_attempt + narrow(at));
            if claim.is_none_or(|(other, ..)| ended(&at) < other) {
                claim = Some((ended(&at), piece));
            }
        }
        let effects = &workload.effects[pool.effects.start as usize..pool.effects.end as usize];
        let group = pool.groups.first().copied().unwrap_or(u32::MAX);
        let mut due = effects.len() as u64;
        for (at, effect) in (pool.effects.clone()).zip(effects).filter(|(_, effect)| effect.position < live) {
            let anomaly = if effect.position < began { Anomaly::PhantomEffect } else { Anomaly::RejectedEffect };
            let what = (anomaly, Certainty::Certain);
            tally.add(what, 1, effect.position, None, &[Piece::Effect(at)]);
            due -= 1;
        }
        if due > lacking {
            let certain = policy.life_ns().is_none() && policy.effects.is_empty();
            let last = pool.effects.end - 1;
            let at = workload.effects[last as usize].position;
            let pieces: Vec<Piece> = pool.effects.clone().map(Piece::Effect).take(2).collect();
            tally.add((Anomaly::DuplicateEffect, sure(certain)), 1, at, Some(Reason::Numbers), &pieces);
            if certain {
                tally.extra_effects += due - lacking;
                tally.duplicated.push(group);
            }
        }
        let lost = (claimed[0] + claimed[1]).saturating_sub(due);
        let certain = claimed[1].saturating_sub(due);
        let Some((at, piece)) = claim else { continue };
        if certain > 0 {
            let what = (Anomaly::LostEffect, Certainty::Certain);
            tally.add(what, certain, at, Some(Reason::Numbers), &[piece, Piece::Audit]);
        }
        if lost > certain {
            tally.add((Anomaly::LostEffect, Certainty::Possible), lost - certain, at, Some(Reason::Numbers), &[piece]);
        }
    }
}

/// The one intent of a group's attempts, where they name one.
pub(super) fn intent_of(workload: &Idempotency, number: usize) -> Option<Value> {
    if let Identity::Intent(intent) = workload.groups[number].identity {
        return Some(intent);
    }
    let mut intents = workload.attempts_of(number).iter().map(|attempt| attempt.intent).filter(|i| !i.is_null());
    let first = intents.next()?;
    intents.all(|intent| intent == first).then_some(first)
}

/// Where an intent had an effect before.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// With a key, in this scope.
    Scope(Value),
    /// With a key, in any scope.
    Keyed,
    /// Without a key.
    Keyless,
}

/// Judges the intents that came with several keys. Without a key there is no scope to tell them apart.
pub(super) fn intents(workload: &Idempotency, policy: &Policy, tally: &mut Tally) {
    let mut seen: Map<(Value, Place), u32> = Map::default();
    let mut counted: Map<Value, ()> = Map::default();
    for number in 0..workload.groups.len() {
        if workload.effects_of(number).is_empty() || workload.attempts_of(number).is_empty() {
            continue;
        }
        let Some(intent) = intent_of(workload, number) else { continue };
        let (ours, conflicting) = match workload.groups[number].identity {
            Identity::Key { scope, .. } => ([Place::Scope(scope), Place::Keyed], [Place::Scope(scope), Place::Keyless]),
            _ => ([Place::Keyless; 2], [Place::Keyed; 2]),
        };
        let other = conflicting.iter().find_map(|place| seen.get(&(intent, *place)).copied());
        for place in ours {
            seen.entry((intent, place)).or_insert(narrow(number));
        }
        if let Some((other, effects)) =
            other.and_then(|other| Some((other, two_of_a_kind(workload, policy, other, number)?)))
        {
            let count = u64::from(counted.insert(intent, ()).is_none());
            two_keys(workload, [other as usize, number], effects, count, tally);
        }
    }
}

/// An intent has an effect in each of two groups.
fn two_keys(workload: &Idempotency, groups: [usize; 2], effects: [usize; 2], count: u64, tally: &mut Tally) {
    let mut story = [0, 1].map(|which| {
        let Group { first_attempt, first_effect, .. } = workload.groups[groups[which]];
        // The first that names the intent: others with the same key may say none.
        let attempts = workload.attempts_of(groups[which]);
        let naming = attempts.iter().position(|attempt| !attempt.intent.is_null()).unwrap_or(0);
        let position = workload.effects_of(groups[which])[effects[which]].position;
        (
            position,
            [Piece::Attempt(first_attempt + narrow(naming)), Piece::Effect(first_effect + narrow(effects[which]))],
        )
    });
    story.sort_unstable_by_key(|(position, _)| *position);
    let pieces = [story[0].1, story[1].1].concat();
    let group = narrow(groups[1]);
    tally.add((Anomaly::DuplicateEffect, Certainty::Certain), count, story[1].0, Some(Reason::Keys), &pieces);
    tally.extra_effects += 1;
    tally.duplicated.push(group);
}

/// An effect of each group that are of one kind, and not one effect that both keys name.
fn two_of_a_kind(workload: &Idempotency, policy: &Policy, one: u32, two: usize) -> Option<[usize; 2]> {
    let kind = |effect: &Effect| if policy.effects.is_empty() { Value::NULL } else { effect.kind };
    // Of each kind, two effects at most: one of them is another than any given one.
    let mut known: Map<Value, [Option<usize>; 2]> = Map::default();
    let ones = workload.effects_of(one as usize);
    for (at, effect) in ones.iter().enumerate() {
        let of_kind = known.entry(kind(effect)).or_default();
        if let Some(free) = of_kind.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(at);
        }
    }
    workload.effects_of(two).iter().enumerate().find_map(|(at, effect)| {
        let others = known.get(&kind(effect))?;
        let other = others.iter().flatten().find(|other| ones[**other].id != effect.id)?;
        Some([*other, at])
    })
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
