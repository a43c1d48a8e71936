//! One key, several payloads: what was accepted that should have been refused, and the other way round.
//!
//! The key is registered with the payload of its first execution. That is one of those attempts that were not refused and
//! had begun when the key's first effect was recorded, or its first kept answer completed: the *candidates*.
//!
//! - `payload-mismatch-accepted`: a 2xx to a payload that the key was not registered with. Whatever candidate it was
//!   registered with (one whose payload is not recorded may have had any), that many 2xx went to other payloads: the least
//!   such number is certain. Each answer counts. A 2xx
//!   that says it is a replay, where every other attempt until then had another payload, is possible: it takes the
//!   service at its word. That an unanswered attempt may have been the first proves nothing against the others.
//! - `mismatch-falsely-rejected`: refused with the status for another payload, and no candidate before it has another one.
//!   Where the same key was used in another scope before, it is a `scope-collision`. Either is only possible where there is no
//!   candidate at all: a service that refuses a request as invalid, whatever its key, may answer with the same status.
//! - `over-retention`: refused so, and every attempt with another payload was over more than `max-ttl` before.

use std::collections::BTreeMap;

use super::across::Map;
use super::conflict::Flight;
use super::facts::{Facts, known, sure};
use super::policy::InFlight;
use super::tally::{Piece, Tally};
use crate::guarantee::Anomaly;
use crate::history::Status;
use crate::verdict::Certainty;
use crate::witness::accounts::Reason;
use crate::workload::idempotency::{Attempt, Content};

/// Judges what a group did with the payloads of its attempts.
pub(super) fn judge(facts: &Facts<'_>, flight: &mut Flight, tally: &mut Tally) {
    let first = facts.attempts.first().map(|attempt| attempt.content);
    if facts.attempts.iter().any(|attempt| Some(attempt.content) != first) {
        accepted(facts, tally);
    }
    if facts.attempts.iter().any(|attempt| facts.refused_as_mismatch(attempt)) {
        rejected(facts, flight, tally);
    }
}

/// The position by which a key's first execution of a life had begun, and the record that proves it.
type Registered = (u32, Piece);

/// That of every life: its first effect, or its first kept answer.
fn registrations(facts: &Facts<'_>) -> Map<u32, Registered> {
    let mut first: Map<u32, Registered> = Map::default();
    let mut take = |life: u32, position: u32, piece: Piece| {
        let known = first.entry(life).or_insert((position, piece));
        if position < known.0 {
            *known = (position, piece);
        }
    };
    for (at, attempt) in facts.attempts.iter().enumerate() {
        if attempt.status == Status::Ok
            && facts.policy.caches(attempt.code)
            && let Some(life) = facts.lives.of_attempt(attempt)
        {
            take(life, attempt.ended, facts.attempt(at));
        }
    }
    for (at, effect) in facts.effects.iter().enumerate().filter(|_| !facts.pooled) {
        if let (life, true) = facts.lives.of_effect(at) {
            take(life, effect.position, facts.effect(at));
        }
    }
    first
}

/// The attempts that a key can have been registered with, up to some position: the first of each content.
#[derive(Default)]
struct Candidates {
    next: usize,
    contents: BTreeMap<Content, usize>,
}

impl Candidates {
    fn advance(&mut self, facts: &Facts<'_>, position: u32) {
        while let Some(attempt) = facts.attempts.get(self.next).filter(|attempt| attempt.began <= position) {
            if attempt.may_execute() {
                self.contents.entry(attempt.content).or_insert(self.next);
            }
            self.next += 1;
        }
    }

    /// Whether all of them, and these answers, can be compared with each other.
    fn comparable(&self, answers: &[(u32, Content, usize)]) -> bool {
        let kind = |content: &Content| std::mem::discriminant(content);
        let (Some((first, _)), Some((last, _))) = (self.contents.first_key_value(), self.contents.last_key_value())
        else {
            return false;
        };
        *first != Content::Unknown
            && kind(first) == kind(last)
            && answers.iter().all(|(_, content, _)| kind(content) == kind(first))
    }
}

fn accepted(facts: &Facts<'_>, tally: &mut Tally) {
    let mut answers: Vec<(u32, Content, usize)> = Vec::new();
    for (at, attempt) in facts.claiming().filter(|(_, attempt)| attempt.content != Content::Unknown) {
        if let Some(life) = facts.lives.of_attempt(attempt) {
            answers.push((life, attempt.content, at));
        }
    }
    answers.sort_unstable();
    let registrations = registrations(facts);
    let mut candidates = Candidates::default();
    for answers in answers.chunk_by(|a, b| a.0 == b.0) {
        if let Some(registered) = registrations.get(&answers[0].0) {
            candidates.advance(facts, registered.0);
            let kind = |content: &Content| std::mem::discriminant(content);
            let alike = answers.iter().all(|(_, content, _)| kind(content) == kind(&answers[0].1));
            if candidates.comparable(answers) {
                accepted_in(facts, answers, Some(&candidates), *registered, tally);
            } else if alike && !candidates.contents.is_empty() {
                // The key may be any of these payloads' own: of two different ones, one was not.
                accepted_in(facts, answers, None, *registered, tally);
            }
        }
    }
}

/// For each life with answers: an attempt that its key can have been registered with, whose payload none of them contradicts.
/// Nothing where there is none.
pub(super) fn executed(facts: &Facts<'_>) -> Option<Vec<usize>> {
    let mut answers: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, attempt) in facts.claiming().filter(|(_, attempt)| attempt.content != Content::Unknown) {
        if let Some(life) = facts.lives.of_attempt(attempt) {
            answers.entry(life).or_default().push(at);
        }
    }
    let mut of_content: Map<Content, Vec<usize>> = Map::default();
    for (at, attempt) in facts.live() {
        of_content.entry(attempt.content).or_default().push(at);
    }
    let registrations = registrations(facts);
    let mut found: Vec<usize> = Vec::new();
    for (life, answers) in answers {
        let Some((by, _)) = registrations.get(&life) else { continue };
        let content = facts.attempts[answers[0]].content;
        if answers.iter().any(|at| facts.attempts[*at].content.differs(content)) {
            return None;
        }
        let begun = |at: &usize| facts.attempts[*at].began <= *by;
        // Rather one that was answered in this life than one of which nobody knows.
        let latest = |content: Content| {
            let all = of_content.get(&content).map_or(&[][..], Vec::as_slice);
            all[..all.partition_point(begun)].iter().rev().copied().find(|at| found.last() != Some(at))
        };
        let own = answers.iter().copied().find(begun);
        found.push(own.or_else(|| latest(content)).or_else(|| latest(Content::Unknown))?);
    }
    Some(found)
}

/// The answers of one life, in order of content. Without candidates, the key can have been registered with any content.
fn accepted_in(
    facts: &Facts<'_>,
    answers: &[(u32, Content, usize)],
    candidates: Option<&Candidates>,
    (_, proof): Registered,
    tally: &mut Tally,
) {
    let ended = |at: usize| facts.attempts[at].ended;
    // Of each content, how many answers, and the first of them.
    let contents: Vec<(Content, usize, usize)> = answers
        .chunk_by(|a, b| a.1 == b.1)
        .map(|same| {
            let first = same.iter().map(|(.., at)| *at).min_by_key(|at| ended(*at)).unwrap_or(same[0].2);
            (same[0].1, same.len(), first)
        })
        .collect();
    let may_be = |content: &Content| candidates.is_none_or(|known| known.contents.contains_key(content));
    let answered = contents.iter().filter(|(content, ..)| may_be(content));
    let most = answered.map(|(_, count, _)| *count).max().unwrap_or(0);
    let certain = answers.len() - most;
    let first_but = |skip: Option<Content>| {
        let rest = contents.iter().filter(|(content, ..)| Some(*content) != skip);
        rest.min_by_key(|(.., at)| ended(*at)).copied()
    };
    let one = first_but(None);
    let two = one.and_then(|(content, ..)| first_but(Some(content)));
    let what = (Anomaly::PayloadMismatchAccepted, Certainty::Certain);
    if let (true, Some((.., a)), Some((.., b))) = (certain > 0, one, two) {
        // Two answers to two payloads: one of them was not the key's.
        facts.add(
            tally,
            what,
            (certain as u64, ended(b)),
            Some(Reason::TwoAnswers),
            &[facts.attempt(a), facts.attempt(b)],
        );
    } else if let (true, Some((.., at)), Some((_, first))) =
        (certain > 0, one, candidates.and_then(|known| known.contents.first_key_value()))
    {
        let pieces = [facts.attempt(*first), proof, facts.attempt(at)];
        facts.add(tally, what, (certain as u64, ended(at)), Some(Reason::Registered), &pieces);
    }
    if certain == 0 {
        replayed(facts, answers, tally);
    }
}

/// Answers that say they are replays, and of which no other attempt had the payload until then.
fn replayed(facts: &Facts<'_>, answers: &[(u32, Content, usize)], tally: &mut Tally) {
    let mut claims =
        answers.iter().map(|(.., at)| *at).filter(|at| facts.attempts[*at].replayed == Some(true)).peekable();
    if claims.peek().is_none() {
        return;
    }
    // Of each content, the first attempt, and when the second one began.
    let mut firsts: Map<Content, (usize, u32)> = Map::default();
    for (at, attempt) in facts.live() {
        firsts
            .entry(attempt.content)
            .and_modify(|(_, second)| *second = attempt.began.min(*second))
            .or_insert((at, u32::MAX));
    }
    let kind = |content: &Content| std::mem::discriminant(content);
    if firsts.keys().any(|content| kind(content) != kind(&answers[0].1)) {
        return;
    }
    for at in claims {
        let attempt = &facts.attempts[at];
        let alone = firsts.get(&attempt.content).is_some_and(|(first, second)| *first == at && *second > attempt.ended);
        let other = facts.live().find(|(other, _)| *other != at).filter(|(_, other)| other.began <= attempt.ended);
        if let (true, Some((other, _))) = (alone, other) {
            let what = (Anomaly::PayloadMismatchAccepted, Certainty::Possible);
            facts.add(tally, what, (1, attempt.ended), None, &[facts.attempt(other), facts.attempt(at)]);
        }
    }
}

fn rejected(facts: &Facts<'_>, flight: &mut Flight, tally: &mut Tally) {
    let reasons = Reasons::of(facts);
    let refused = facts.attempts.iter().enumerate().filter(|(_, attempt)| facts.refused_as_mismatch(attempt));
    for (at, attempt) in refused.filter(|(_, attempt)| attempt.content != Content::Unknown) {
        if reasons.reason(attempt).is_some() {
            if let Some(other) = reasons.ages.as_ref().and_then(|ages| ages.all_over(attempt)) {
                let what = (Anomaly::OverRetention, Certainty::Certain);
                let pieces = [facts.attempt(other), facts.attempt(at)];
                facts.add(tally, what, (1, attempt.ended), None, &pieces);
            }
            continue;
        }
        if facts.policy.in_flight == InFlight::Status(attempt.code) && flight.possible(facts, attempt) {
            // One status for both reasons, and the other reason stands.
            continue;
        }
        let first = reasons.live.first.map(|(first, _)| first);
        let before = first.filter(|first| facts.attempts[*first].began <= reasons.limit(attempt));
        let certainty = sure(before.is_some());
        if let Some(other) = facts.shared.earlier_elsewhere(facts.shared_key, facts.number, attempt.ended) {
            let what = (Anomaly::ScopeCollision, certainty);
            facts.add(tally, what, (1, attempt.ended), Some(Reason::RefusedAsMismatch), &[other, facts.attempt(at)]);
        } else {
            let mut pieces: Vec<Piece> = before.map(|first| facts.attempt(first)).into_iter().collect();
            pieces.push(facts.attempt(at));
            let what = (Anomaly::MismatchFalselyRejected, certainty);
            facts.add(tally, what, (1, attempt.ended), None, &pieces);
        }
    }
}

/// What a group's refusals for another payload can be because of.
pub(super) struct Reasons {
    live: Live,
    ages: Option<Ages>,
    /// From here on, no attempt can have registered its payload.
    until: u32,
}

impl Reasons {
    pub(super) fn of(facts: &Facts<'_>) -> Reasons {
        let registered = registrations(facts).get(&0).map(|(position, _)| *position);
        Reasons {
            live: Live::of(facts),
            ages: facts.policy.max_ttl_ns.map(|max_ttl| Ages::of(facts, max_ttl)),
            until: registered.filter(|_| facts.policy.life_ns().is_none()).unwrap_or(u32::MAX),
        }
    }

    fn limit(&self, refused: &Attempt) -> u32 {
        refused.ended.min(self.until)
    }

    /// An attempt that began in time, and has, or may have, another payload: of several, the one that is remembered longest.
    pub(super) fn reason(&self, refused: &Attempt) -> Option<usize> {
        let first = self.live.differing(refused.content, self.limit(refused))?;
        let latest = self.ages.as_ref().and_then(|ages| ages.latest_other(refused));
        Some(latest.map_or(first, |(_, at)| at))
    }
}

/// An attempt, and where it began.
type Begun = Option<(usize, u32)>;

/// The first attempts that were not refused: with a content, with another one, with none.
#[derive(Default)]
struct Live {
    first: Begun,
    content: Option<Content>,
    other: Begun,
    unknown: Begun,
}

impl Live {
    fn of(facts: &Facts<'_>) -> Live {
        let mut live = Live::default();
        for (at, attempt) in facts.live() {
            let begun = Some((at, attempt.began));
            if attempt.content == Content::Unknown {
                live.unknown = live.unknown.or(begun);
            } else if live.first.is_none() {
                (live.first, live.content) = (begun, Some(attempt.content));
            } else if live.content != Some(attempt.content) {
                live.other = live.other.or(begun);
            }
        }
        live
    }

    /// One that began by then and has, or may have, another content than this.
    fn differing(&self, content: Content, limit: u32) -> Option<usize> {
        let other = if self.content == Some(content) { self.other } else { self.first };
        [other, self.unknown].into_iter().flatten().find(|(_, began)| *began <= limit).map(|(at, _)| at)
    }
}

/// Until when attempts can have registered their payload: the two latest with different contents, for every prefix.
struct Ages {
    max_ttl: i64,
    began: Vec<u32>,
    latest: Vec<[Option<(i64, Content, usize)>; 2]>,
}

impl Ages {
    fn of(facts: &Facts<'_>, max_ttl: i64) -> Ages {
        let mut ages = Ages { max_ttl, began: Vec::new(), latest: Vec::new() };
        let mut latest = [None; 2];
        for (at, attempt) in facts.live() {
            let time = match (attempt.status, facts.policy.lease_ns) {
                (Status::Ok, _) if known(attempt.completed_time) => attempt.completed_time,
                (Status::Info, Some(lease)) if known(attempt.invoked_time) => {
                    attempt.invoked_time.saturating_add(lease)
                }
                _ => i64::MAX,
            };
            let new = Some((time, attempt.content, at));
            let same =
                |known: Option<(i64, Content, usize)>| known.is_some_and(|(_, known, _)| known == attempt.content);
            if same(latest[0]) || latest[0].is_none() {
                latest[0] = latest[0].max(new);
            } else if same(latest[1]) || latest[1].is_none() || latest[1] < new {
                latest[1] = latest[1].max(new);
            }
            if latest[0] < latest[1] {
                latest.swap(0, 1);
            }
            ages.began.push(attempt.began);
            ages.latest.push(latest);
        }
        ages
    }

    /// The latest attempt with another payload, where all those before this refusal had long been over.
    fn all_over(&self, refused: &Attempt) -> Option<usize> {
        let (time, at) = self.latest_other(refused)?;
        let over = known(refused.invoked_time) && time.saturating_add(self.max_ttl) < refused.invoked_time;
        over.then_some(at)
    }

    /// The attempt with another payload that may have been over last before this refusal, and when.
    fn latest_other(&self, refused: &Attempt) -> Option<(i64, usize)> {
        let before = self.began.partition_point(|began| *began <= refused.ended);
        let latest = self.latest.get(before.checked_sub(1)?)?;
        let other = latest.iter().flatten().find(|(_, content, _)| *content != refused.content)?;
        Some((other.0, other.2))
    }
}
