//! One step: from a configuration to those that follow it.

use super::Specification;
use super::configuration::Configuration;
use super::engine::Engine;
use super::outlook::Leave;
use super::path::Took;
use super::plan::NONE;
use crate::verdict::StoppedBy;

impl<S: Specification, const WORDS: usize> Engine<'_, '_, S, WORDS> {
    /// Takes what can be taken without a choice: pure operations that are legal, and completions of what was taken.
    /// Says what.
    pub(super) fn settle(
        &mut self,
        it: &mut Configuration<WORDS>,
        takes: &mut impl FnMut(u32),
    ) -> Result<(), StoppedBy> {
        let plan = self.plan;
        while (it.level as usize) < plan.len() {
            let pending = plan.pending(it.level);
            self.meter.steps(u32::try_from(pending.len()).unwrap_or(u32::MAX))?;
            for rank in pending {
                let (class, lane) = (plan.class[*rank as usize], plan.lane[*rank as usize]);
                if self.spec.pure(class) && !it.has(lane) && self.spec.step(it.state, class).is_some() {
                    it.take(lane);
                    takes(*rank);
                }
            }
            let due = plan.lane[it.level as usize];
            if !it.has(due) {
                break;
            }
            it.release(due);
            it.level += 1;
            if let Some(nowhere) = self.spec.nowhere()
                && self.outlook.as_ref().is_some_and(|outlook| outlook.unseen(it.state, it.level))
            {
                it.state = nowhere;
            }
        }
        Ok(())
    }

    /// Notes which states the pending operations need.
    fn note_wanted(&mut self, it: &Configuration<WORDS>) {
        if self.outlook.is_none() {
            return;
        }
        let plan = self.plan;
        for rank in plan.pending(it.level) {
            if !it.has(plan.lane[*rank as usize])
                && let Some(state) = self.spec.observes(plan.class[*rank as usize])
            {
                self.wanted[state as usize] = self.steps;
            }
        }
    }

    /// Whether an operation that could come next needs this state, as far as is known.
    fn is_wanted(&self, state: u32, now: u32) -> bool {
        self.outlook.is_none()
            || self.wanted.get(state as usize).is_some_and(|step| *step == self.steps)
            || self.crashed.needing(state).iter().any(|place| self.may_help(*place, now))
    }

    /// The configurations that follow this one by taking one more operation.
    pub(super) fn expand(&mut self, it: &Configuration<WORDS>) -> Result<(), StoppedBy> {
        let plan = self.plan;
        self.steps += 1;
        let now = plan.ended[it.level as usize];
        let lanes = plan.lanes(it.level);
        self.note_wanted(it);
        for rank in plan.pending(it.level) {
            let (class, lane) = (plan.class[*rank as usize], plan.lane[*rank as usize]);
            if it.has(lane) || self.spec.pure(class) {
                continue;
            }
            let (is_due, can_hide) = (*rank == it.level, it.can_hide(lane));
            if is_due && can_hide {
                self.hide(it, *rank, now)?;
                // Whoever finds a state that nobody observes finds the one that is there now as good.
                if self.is_unseen(class, it.level) {
                    continue;
                }
            }
            let seen = &mut self.seen[class as usize][usize::from(can_hide)];
            if std::mem::replace(seen, self.steps) == self.steps {
                continue;
            }
            let Some(state) = self.spec.step(it.state, class) else { continue };
            // One that nobody sees at once can wait, to be hidden later or to be due.
            if !is_due && self.spec.overwrites(class) && !self.is_wanted(state, now) {
                continue;
            }
            let mut then = *it;
            then.state = state;
            then.take(lane);
            if self.spec.overwrites(class) {
                then.hide(&lanes.total);
            }
            self.follow(it, then, Took::Sure(*rank), now)?;
        }
        for at in 0..self.crashed.from(it.state) {
            let place = self.crashed.place(it.state, at);
            let crashed = &plan.crashed[place as usize];
            self.meter.step()?;
            if self.seen[crashed.class as usize].contains(&self.steps) || !self.is_left(it.usage, place, now) {
                continue;
            }
            if !self.may_help(place, now) {
                continue;
            }
            let Some(state) = self.spec.step(it.state, crashed.class) else { continue };
            // Nobody is made to take it, so it has to be of use, and at once.
            let nowhere = Some(state) == self.spec.nowhere();
            if nowhere || !self.is_wanted(state, now) {
                continue;
            }
            let mut then = *it;
            then.state = state;
            if self.spec.overwrites(crashed.class) {
                then.hide(&lanes.total);
            }
            if state == it.state && then.hidden == it.hidden {
                continue;
            }
            then.usage = self.used_one(it.usage, place);
            self.follow(it, then, Took::Crashed(place), now)?;
        }
        // The operation that completes here came first: it is tried first.
        self.next.reverse();
        Ok(())
    }

    fn follow(
        &mut self,
        from: &Configuration<WORDS>,
        mut then: Configuration<WORDS>,
        took: Took,
        now: u32,
    ) -> Result<(), StoppedBy> {
        if then.state != from.state && !self.may_leave(from.state, &then, now) {
            return Ok(());
        }
        if self.spec.hopeless(then.state, now) {
            return Ok(());
        }
        self.settle(&mut then, &mut |_| {})?;
        then.path = self.paths.then(from.path, took);
        self.next.push(then);
        Ok(())
    }

    /// Takes the operation that completes here, as one that came just before the last overwriting one.
    fn hide(&mut self, it: &Configuration<WORDS>, rank: u32, now: u32) -> Result<(), StoppedBy> {
        let mut then = *it;
        then.take(self.plan.lane[rank as usize]);
        let gone = self.spec.produces(self.plan.class[rank as usize]);
        if gone.is_some_and(|gone| gone != it.state && !self.may_leave(gone, &then, now)) {
            return Ok(());
        }
        self.settle(&mut then, &mut |_| {})?;
        then.path = self.paths.then(it.path, Took::Hidden(rank));
        self.next.push(then);
        Ok(())
    }

    /// Whether nobody observes what the class leaves behind from this level on.
    fn is_unseen(&self, class: u32, level: u32) -> bool {
        let produced = self.outlook.as_ref().zip(self.spec.produces(class));
        produced.is_some_and(|(outlook, state)| outlook.unseen(state, level))
    }

    /// Whether a crashed operation of the class at this place can do by now what no crashed write can do as well, which
    /// leaves the same state behind, hides more, and is not counted for itself.
    fn may_help(&self, place: u32, now: u32) -> bool {
        let crashed = &self.plan.crashed[place as usize];
        let write = self.spec.produces(crashed.class).and_then(|state| self.crashed.write(state));
        let is_as_good = |write: u32| {
            write != place && !self.counted[write as usize] && self.plan.crashed[write as usize].began[0] <= now
        };
        crashed.began[0] <= now && !write.is_some_and(is_as_good)
    }

    /// Whether, as far as is counted, a crashed operation of the class at this place is left that began by then.
    pub(super) fn is_left(&self, usage: u32, place: u32, by: u32) -> bool {
        let used = |place: u32| if self.counted[place as usize] { self.usages.used(usage, place) as usize } else { 0 };
        let is_left = |began: &[u32], used: usize| began.get(used).is_some_and(|began| *began <= by);
        is_left(&self.plan.crashed[place as usize].began, used(place))
            && self.crashed.pool(place).is_none_or(|(pool, began)| is_left(began, used(self.counter(pool))))
    }

    /// The usage with one more of the class at this place, as far as it is counted.
    fn used_one(&mut self, usage: u32, place: u32) -> u32 {
        let pool = self.crashed.pool(place).map(|(pool, _)| self.counter(pool));
        let counters = [Some(place), pool].into_iter().flatten();
        counters.fold(
            usage,
            |usage, place| {
                if self.counted[place as usize] { self.usages.with(usage, place) } else { usage }
            },
        )
    }

    /// The place at which a pool is counted: after those of all classes.
    pub(super) fn counter(&self, pool: u32) -> u32 {
        u32::try_from(self.plan.crashed.len()).unwrap_or(NONE).saturating_add(pool)
    }

    /// Whether everything that has yet to begin can still find the state that is left here.
    fn may_leave(&self, state: u32, then: &Configuration<WORDS>, now: u32) -> bool {
        let (plan, Some(outlook)) = (self.plan, &self.outlook) else { return true };
        let Leave::IfProducible(before) = outlook.leave(state, now) else { return true };
        let brings_back = |class: u32| self.spec.produces(class) == Some(state);
        let pending = plan
            .pending(then.level)
            .iter()
            .any(|rank| !then.has(plan.lane[*rank as usize]) && brings_back(plan.class[*rank as usize]));
        pending
            || (0u32..)
                .zip(&plan.crashed)
                .any(|(place, crashed)| brings_back(crashed.class) && self.is_left(then.usage, place, before))
    }
}
