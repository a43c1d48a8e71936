//! The lives of one key: from the start of an execution for as long as the policy promises at least.
//!
//! Without a `ttl` a key lives once and for ever. With one, whether two things fall into one life is interval arithmetic:
//! an execution started between the invocation of the first attempt that can have caused it and the record of its effect,
//! and a key was looked up between an attempt's invocation and what came of it. What is inside for every reading is
//! certain, what is after for every reading begins another life, and the rest is unclear.
//!
//! Which attempt caused an effect: the one whose answer names its resource and says that it was no replay; else any that
//! was not refused, began before the effect's record, names no other resource, is not past its lease, and was not the
//! only one that can have caused an earlier effect. Cost: n log n for a key with n attempts, and nothing without a `ttl`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashMap;

use super::policy::Policy;
use crate::history::{History, Status, Value};
use crate::workload::idempotency::{Attempt, Effect};

/// One life.
#[derive(Clone, Copy, Debug)]
struct Life {
    /// The position of what opened it: its first effect, or answer.
    opened: u32,
    /// The resource of that, or null.
    resource: Value,
    /// It started at this time or later; [`History::NO_TIME`]: not known.
    lo: i64,
    /// It started at this time or earlier; [`History::NO_TIME`]: not known.
    hi: i64,
}

/// The lives of one key.
#[derive(Debug, Default)]
pub(super) struct Lives {
    life_ns: Option<i64>,
    lives: Vec<Life>,
    /// For each effect its life, and whether that is certain; empty where there is one life for ever.
    effects: Vec<(u32, bool)>,
}

/// What opens a life: an effect, or where none is recorded the first answer that is kept.
struct Opening {
    position: u32,
    time: i64,
    resource: Value,
}

impl Lives {
    /// The lives of a key with these attempts and effects.
    pub(super) fn of(attempts: &[Attempt], effects: &[Effect], policy: &Policy) -> Lives {
        let Some(life_ns) = policy.life_ns() else { return Lives::default() };
        let mut lives = Lives { life_ns: Some(life_ns), ..Lives::default() };
        let mut causes = Causes::new(attempts, policy.lease_ns);
        for effect in effects {
            let opening = Opening { position: effect.position, time: effect.time, resource: effect.resource };
            let life = lives.open(&opening, &mut causes);
            lives.effects.push(life);
        }
        if effects.is_empty() {
            let kept = attempts.iter().filter(|a| a.status == Status::Ok && policy.caches(a.code));
            if let Some(first) = kept.min_by_key(|a| a.ended) {
                let opening = Opening { position: first.ended, time: first.completed_time, resource: first.resource };
                lives.open(&opening, &mut causes);
            }
        }
        lives
    }

    fn open(&mut self, opening: &Opening, causes: &mut Causes<'_>) -> (u32, bool) {
        let (earliest, any) = causes.earliest(opening);
        let number = u32::try_from(self.lives.len()).unwrap_or(u32::MAX);
        let new = |lo| Life { opened: opening.position, resource: opening.resource, lo, hi: opening.time };
        let life_ns = self.life_ns.unwrap_or(0);
        let Some(current) = self.lives.last_mut() else {
            self.lives.push(new(any));
            return (number, true);
        };
        if known(opening.time) && known(current.lo) && opening.time < current.lo.saturating_add(life_ns) {
            return (number - 1, true);
        }
        if known(earliest) && known(current.hi) && earliest >= current.hi.saturating_add(life_ns) {
            self.lives.push(new(earliest));
            return (number, true);
        }
        // It may have opened a life: what follows is after only if it is after this one too.
        current.hi = if known(opening.time) { current.hi.max(opening.time) } else { History::NO_TIME };
        (number - 1, false)
    }

    /// The life of an effect, and whether it certainly is of that life.
    pub(super) fn of_effect(&self, effect: usize) -> (u32, bool) {
        self.effects.get(effect).copied().unwrap_or((0, true))
    }

    /// The life to which all of an attempt certainly belongs.
    pub(super) fn of_attempt(&self, attempt: &Attempt) -> Option<u32> {
        let Some(life_ns) = self.life_ns else { return Some(0) };
        let within = |life: &Life| {
            known(life.lo) && known(attempt.completed_time) && attempt.completed_time < life.lo.saturating_add(life_ns)
        };
        let named = |life: &Life| !attempt.resource.is_null() && attempt.resource == life.resource;
        let after = self.lives.partition_point(|life| life.opened < attempt.began);
        let number = match after {
            0 | 1 => self.lives.iter().take(2).rposition(named).unwrap_or(0),
            after => self.lives.get(after).filter(|life| named(life)).map_or(after - 1, |_| after),
        };
        self.lives.get(number).filter(|life| within(life)).and_then(|_| u32::try_from(number).ok())
    }
}

/// The attempts that can have caused what comes next.
struct Causes<'a> {
    attempts: &'a [Attempt],
    lease_ns: Option<i64>,
    next: usize,
    /// Those that name no resource, by time of invocation.
    open: BinaryHeap<Reverse<(i64, u32)>>,
    /// By the resource that they name: the earliest of all, and the earliest that says it was no replay.
    naming: HashMap<Value, (i64, Option<i64>), foldhash::fast::RandomState>,
    any: i64,
    untimed: bool,
}

impl<'a> Causes<'a> {
    fn new(attempts: &'a [Attempt], lease_ns: Option<i64>) -> Causes<'a> {
        Causes {
            attempts,
            lease_ns,
            next: 0,
            open: BinaryHeap::new(),
            naming: HashMap::default(),
            any: i64::MAX,
            untimed: false,
        }
    }

    /// When the earliest of its likely causes was invoked, and the earliest of all that came before it.
    fn earliest(&mut self, opening: &Opening) -> (i64, i64) {
        while let Some(attempt) = self.attempts.get(self.next).filter(|a| a.began <= opening.position) {
            self.next += 1;
            if !attempt.may_execute() {
                continue;
            }
            let time = attempt.invoked_time;
            self.untimed |= !known(time);
            self.any = self.any.min(time);
            if attempt.claims() && !attempt.resource.is_null() {
                let entry = self.naming.entry(attempt.resource).or_insert((i64::MAX, None));
                entry.0 = entry.0.min(time);
                if attempt.replayed == Some(false) {
                    entry.1 = Some(entry.1.unwrap_or(i64::MAX).min(time));
                }
            } else {
                self.open.push(Reverse((time, u32::from(attempt.status == Status::Info))));
            }
        }
        let any = if self.untimed || self.any == i64::MAX { History::NO_TIME } else { self.any };
        if let (Some(lease), true) = (self.lease_ns, known(opening.time)) {
            while self
                .open
                .peek()
                .is_some_and(|Reverse((time, info))| *info == 1 && time.saturating_add(lease) < opening.time)
            {
                self.open.pop();
            }
        }
        let named = self.naming.get(&opening.resource).filter(|_| !opening.resource.is_null());
        if let Some((_, Some(executor))) = named {
            return (*executor, any);
        }
        let open = self.open.peek().map_or(i64::MAX, |Reverse((time, _))| *time);
        let earliest = named.map_or(open, |(time, _)| open.min(*time));
        if self.open.len() == 1 && named.is_none() {
            self.open.pop();
        }
        (if earliest == i64::MAX { History::NO_TIME } else { earliest }, any)
    }
}

fn known(time: i64) -> bool {
    time != History::NO_TIME
}
