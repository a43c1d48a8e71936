//! The lives of a key, where the policy lets it expire: each begins with an execution and lasts as long as is promised at least.
//!
//! An effect is of the life before it where it certainly came within, and of a new one where everything that can have caused it
//! began after that had ended; else it is of the life before, and nothing rests on it. An attempt is of a life where it was
//! over before that can have ended. What can have caused an effect: the attempt whose answer names what it made and says that
//! it was no replay; else any that was not refused, had begun, names nothing else, is not past its lease, and was not the only
//! one that can have caused an earlier effect. Without expiry, all is of one life. Cost: n log n.

use std::collections::{BTreeSet, HashMap};

use super::{Attempt, Effect, Terms, unanswered};
use crate::history::Value;

/// One life.
struct Life {
    /// Where what opened it is recorded, and what that made.
    opened: u32,
    resource: Value,
    /// It began at this time or later, and at that or earlier, where these are known.
    earliest: Option<i64>,
    latest: Option<i64>,
}

pub(super) struct Lives {
    life_ns: Option<i64>,
    lives: Vec<Life>,
    /// For each effect its life, and whether it certainly is of it.
    effects: Vec<(u32, bool)>,
}

impl Lives {
    pub(super) fn of(attempts: &[Attempt<'_>], effects: &[Effect], terms: &Terms) -> Lives {
        let mut lives = Lives { life_ns: terms.life_ns, lives: Vec::new(), effects: vec![(0, true); effects.len()] };
        let Some(life_ns) = terms.life_ns else { return lives };
        let mut causes = Causes { attempts: attempts.iter().collect(), ..Causes::default() };
        for (at, effect) in effects.iter().enumerate() {
            lives.effects[at] =
                lives.open((effect.position, effect.time, effect.resource), &mut causes, terms, life_ns);
        }
        let kept = attempts.iter().filter(|attempt| terms.keeps(attempt)).min_by_key(|attempt| attempt.act.ended);
        if let (true, Some(first)) = (effects.is_empty(), kept) {
            lives.open((first.act.ended, first.act.completed, first.resource), &mut causes, terms, life_ns);
        }
        lives
    }

    fn open(
        &mut self,
        (opened, time, resource): (u32, Option<i64>, Value),
        causes: &mut Causes<'_, '_>,
        terms: &Terms,
        life_ns: i64,
    ) -> (u32, bool) {
        let (cause, any) = causes.earliest(opened, time, resource, terms);
        let last = u32::try_from(self.lives.len()).unwrap_or(u32::MAX);
        let ended = |time: Option<i64>| time.map(|time| time.saturating_add(life_ns));
        let Some(life) = self.lives.last_mut() else {
            self.lives.push(Life { opened, resource, earliest: any, latest: time });
            return (last, true);
        };
        if time.zip(ended(life.earliest)).is_some_and(|(time, end)| time < end) {
            return (last - 1, true);
        }
        if cause.zip(ended(life.latest)).is_some_and(|(cause, end)| cause >= end) {
            self.lives.push(Life { opened, resource, earliest: cause, latest: time });
            return (last, true);
        }
        life.latest = life.latest.zip(time).map(|(latest, time)| latest.max(time));
        (last - 1, false)
    }

    /// The life of an effect, and whether it certainly is of it.
    pub(super) fn of_effect(&self, at: usize) -> (u32, bool) {
        self.effects.get(at).copied().unwrap_or((0, true))
    }

    /// The life that all of an attempt certainly is of.
    pub(super) fn of_attempt(&self, attempt: &Attempt<'_>) -> Option<u32> {
        let Some(life_ns) = self.life_ns else { return Some(0) };
        let names = |life: &Life| !attempt.resource.is_null() && life.resource == attempt.resource;
        // The last that had been opened when it began; the next where it names what opened that.
        let opened = self.lives.partition_point(|life| life.opened < attempt.act.began);
        let at = match opened {
            0 | 1 => self.lives.iter().take(2).rposition(names).unwrap_or(0),
            _ if self.lives.get(opened).is_some_and(names) => opened,
            _ => opened - 1,
        };
        let life = self.lives.get(at)?;
        let within = life.earliest.zip(attempt.act.completed);
        within.filter(|(begun, now)| *now < begun.saturating_add(life_ns)).and_then(|_| u32::try_from(at).ok())
    }
}

/// What can have caused what comes next.
#[derive(Default)]
struct Causes<'r, 'a> {
    attempts: Vec<&'r Attempt<'a>>,
    next: usize,
    /// Those that name nothing, by time (unknown first), unanswered ones after others.
    open: BTreeSet<(Option<i64>, bool, usize)>,
    /// By what they name: the earliest, and the earliest that says it was no replay.
    naming: HashMap<Value, (Option<i64>, Option<Option<i64>>)>,
    /// The earliest of all so far.
    any: Option<Option<i64>>,
}

impl Causes<'_, '_> {
    /// When the earliest that can have caused it began, and the earliest of all before it; none where a time is not known.
    fn earliest(
        &mut self,
        position: u32,
        time: Option<i64>,
        resource: Value,
        terms: &Terms,
    ) -> (Option<i64>, Option<i64>) {
        while let Some(attempt) = self.attempts.get(self.next).filter(|attempt| attempt.act.began <= position) {
            let (at, began) = (self.next, attempt.act.invoked);
            self.next += 1;
            if !attempt.act.may() {
                continue;
            }
            self.any = Some(self.any.map_or(began, |any| any.min(began)));
            if attempt.claims() && !attempt.resource.is_null() {
                let (first, executed) = self.naming.entry(attempt.resource).or_insert((began, None));
                *first = (*first).min(began);
                if attempt.act.within(attempt.act.result, "replayed") == Value::FALSE {
                    *executed = Some(executed.map_or(began, |executed| executed.min(began)));
                }
            } else {
                self.open.insert((began, unanswered(attempt), at));
            }
        }
        let any = self.any.flatten();
        if let Some((lease, now)) = terms.lease_ns.zip(time) {
            let over = |(began, unanswered, _): &(Option<i64>, bool, usize)| {
                *unanswered && began.is_none_or(|began| began.saturating_add(lease) < now)
            };
            while self.open.first().is_some_and(over) {
                self.open.pop_first();
            }
        }
        let named = self.naming.get(&resource).filter(|_| !resource.is_null()).copied();
        if let Some((_, Some(executed))) = named {
            return (executed, any);
        }
        let open = self.open.first().map(|(began, ..)| *began);
        if self.open.len() == 1 && named.is_none() {
            self.open.pop_first();
        }
        let earliest = match (open, named) {
            (Some(open), Some((named, _))) => open.min(named),
            (Some(only), None) | (None, Some((only, _))) => only,
            (None, None) => None,
        };
        (earliest, any)
    }
}
