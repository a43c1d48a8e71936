//! The search itself: one step from a configuration to the next ones, and the passes that make these steps.

use std::collections::BTreeMap;

use super::configuration::{Configuration, Met};
use super::crashes::Crashes;
use super::order::Retraced;
use super::outlook::{Leave, Outlook};
use super::path::{Paths, Took};
use super::plan::{NONE, Plan};
use super::usage::Usages;
use super::{Answer, Dead, Next, Operation, Specification};
use crate::budget::Meter;
use crate::verdict::StoppedBy;

/// Configurations that the first pass meets at most, beside some for each level: enough for any history that has an order
/// which a few wrong turns do not hide.
const FIRST_PASS: usize = 50_000;
const FIRST_PASS_A_LEVEL: usize = 4;

/// Configurations of which it is told what could come next: nobody reads of more.
const TOLD: usize = 10_000;

/// Finds an order of the operations, or the completion that none passes.
pub fn search<S: Specification>(operations: &[Operation], spec: &mut S, meter: &mut Meter<'_>) -> Answer {
    begin(operations, spec, meter, true)
}

/// The same, without the first pass: cheaper where there is most likely no order.
pub fn refute<S: Specification>(operations: &[Operation], spec: &mut S, meter: &mut Meter<'_>) -> Answer {
    begin(operations, spec, meter, false)
}

fn begin<S: Specification>(operations: &[Operation], spec: &mut S, meter: &mut Meter<'_>, depth_first: bool) -> Answer {
    let plan = Plan::new(operations, spec);
    let outlook = Outlook::new(&plan, spec);
    match plan.lanes {
        0..=64 => Engine::<S, 1>::new(&plan, outlook, spec, meter).run(depth_first),
        65..=128 => Engine::<S, 2>::new(&plan, outlook, spec, meter).run(depth_first),
        129..=256 => Engine::<S, 4>::new(&plan, outlook, spec, meter).run(depth_first),
        257..=1024 => Engine::<S, 16>::new(&plan, outlook, spec, meter).run(depth_first),
        1025..=4096 => Engine::<S, 64>::new(&plan, outlook, spec, meter).run(depth_first),
        lanes => Answer::TooWide(lanes),
    }
}

pub(super) struct Engine<'a, 'm, S, const WORDS: usize> {
    pub(super) plan: &'a Plan,
    outlook: Option<Outlook>,
    pub(super) spec: &'a mut S,
    meter: &'a mut Meter<'m>,
    usages: Usages,
    /// For each class of crashed operations, whether those used are counted. Where not, there are as many as are asked for.
    counted: Vec<bool>,
    pub(super) paths: Paths,
    /// Where there were too few crashed operations: see [`Dead`].
    scarce: Vec<u32>,
    met: Met<WORDS>,
    /// The configuration in whose steps an operation of each class was seen last, among those that can't be hidden and
    /// among those that can: of these, only the first is taken.
    seen: Vec<[u64; 2]>,
    /// The configuration in whose steps each state was last seen to be needed by an operation that could come next.
    wanted: Vec<u64>,
    crashed: Crashes,
    steps: u64,
    /// The next configurations of the current one, those to be tried first last.
    next: Vec<Configuration<WORDS>>,
    held: usize,
    furthest: u32,
}

/// Why a pass ended before its answer.
enum Pause {
    Stopped(StoppedBy),
    /// The first pass has met as many configurations as it may.
    Limit,
}

/// What a pass came to.
enum Passed {
    No(Answer),
    /// An order, whose last step this is.
    Order(u32),
}

impl From<StoppedBy> for Pause {
    fn from(by: StoppedBy) -> Pause {
        Pause::Stopped(by)
    }
}

impl<'a, 'm, S: Specification, const WORDS: usize> Engine<'a, 'm, S, WORDS> {
    fn new(plan: &'a Plan, outlook: Option<Outlook>, spec: &'a mut S, meter: &'a mut Meter<'m>) -> Self {
        let classes = spec.classes() as usize;
        let wanted = vec![0; outlook.as_ref().map_or(0, Outlook::states)];
        let crashed = Crashes::new(plan, spec, wanted.len());
        Engine {
            plan,
            outlook,
            spec,
            meter,
            usages: Usages::new(),
            counted: vec![true; plan.crashed.len()],
            paths: Paths::default(),
            scarce: Vec::new(),
            met: Met::new(),
            seen: vec![[0; 2]; classes],
            wanted,
            crashed,
            steps: 0,
            next: Vec::new(),
            held: 0,
            furthest: 0,
        }
    }

    fn run(mut self, depth_first: bool) -> Answer {
        let of = u32::try_from(self.plan.len()).unwrap_or(u32::MAX);
        let first = if depth_first { self.depth_first() } else { Err(Pause::Limit) };
        let answer = match first {
            Err(Pause::Limit) => self.refining(),
            answer => answer,
        };
        match answer {
            Ok(answer) => answer,
            Err(Pause::Stopped(by)) => Answer::Stopped { by, placed: self.furthest, of },
            Err(Pause::Limit) => Answer::Stopped { by: StoppedBy::Budget, placed: self.furthest, of },
        }
    }

    fn beginnings(&mut self) -> Result<Vec<Configuration<WORDS>>, StoppedBy> {
        let mut all = Vec::new();
        for state in self.spec.initial() {
            let mut first = Configuration::new(state, self.paths.begin(state));
            self.settle(&mut first, &mut |_| {})?;
            all.push(first);
        }
        Ok(all)
    }

    fn done(&self, it: &Configuration<WORDS>) -> bool {
        it.level as usize == self.plan.len()
    }

    /// Accounts for memory that grew.
    fn weigh(&mut self, more: usize) -> Result<(), StoppedBy> {
        let bytes = self.met.bytes() + self.usages.bytes() + self.plan.bytes() + self.paths.bytes() + more;
        if bytes > self.held + (1 << 16) {
            self.meter.hold((bytes - self.held) as u64)?;
            self.held = bytes;
        }
        Ok(())
    }

    fn is_new(&mut self, it: &Configuration<WORDS>) -> Result<bool, StoppedBy> {
        let (is_new, compared) = self.met.is_new(it, &self.plan.lanes(it.level), &self.usages);
        self.meter.steps(compared)?;
        Ok(is_new)
    }

    /// Level by level, first as if there were crashed operations without end: where even so no order exists, none does. An
    /// order that needs more than there are tells which classes have to be counted; then again.
    fn refining(&mut self) -> Result<Answer, Pause> {
        self.counted.fill(false);
        loop {
            let last = match self.level_by_level()? {
                Passed::No(answer) => return Ok(answer),
                Passed::Order(last) => last,
            };
            match self.retrace(last)? {
                Retraced::Order(order) => return Ok(Answer::Order(order)),
                Retraced::Missing { places, due } => {
                    places.into_iter().for_each(|place| self.counted[place as usize] = true);
                    self.scarce.extend(due);
                }
            }
        }
    }

    fn depth_first(&mut self) -> Result<Answer, Pause> {
        let limit = FIRST_PASS + FIRST_PASS_A_LEVEL * self.plan.len();
        let mut stack = self.beginnings()?;
        while let Some(it) = stack.pop() {
            if self.done(&it) {
                match self.retrace(it.path)? {
                    Retraced::Order(order) => return Ok(Answer::Order(order)),
                    // Nothing is missing where all are counted.
                    Retraced::Missing { .. } => continue,
                }
            }
            if !self.is_new(&it)? {
                continue;
            }
            self.furthest = self.furthest.max(it.level);
            if self.met.len() > limit {
                self.met = Met::new();
                return Err(Pause::Limit);
            }
            self.expand(&it)?;
            stack.append(&mut self.next);
            self.weigh(stack.capacity() * size_of::<Configuration<WORDS>>())?;
        }
        Ok(self.dead(self.furthest))
    }

    fn uses(&self, it: &Configuration<WORDS>) -> u32 {
        self.paths.crashed(it.path)
    }

    fn level_by_level(&mut self) -> Result<Passed, Pause> {
        self.paths.clear();
        self.next.clear();
        let mut waiting: Vec<Vec<Configuration<WORDS>>> = vec![Vec::new(); self.plan.len()];
        let mut ahead = 0;
        for it in self.beginnings()? {
            if self.done(&it) {
                return Ok(Passed::Order(it.path));
            }
            waiting[it.level as usize].push(it);
            ahead += 1;
        }
        for level in 0..waiting.len() {
            let mut arrived = std::mem::take(&mut waiting[level]);
            if arrived.is_empty() {
                continue;
            }
            ahead -= arrived.len();
            self.met.clear();
            if self.paths.is_full() {
                let live = arrived.iter_mut().chain(waiting[level..].iter_mut().flatten());
                self.paths.retain(live.map(|it| &mut it.path));
            }
            self.furthest = self.furthest.max(u32::try_from(level).unwrap_or(u32::MAX));
            // Those that used fewest crashed operations first: they stand for others, and an order uses no more than it has to.
            let mut by_uses: BTreeMap<u32, Vec<Configuration<WORDS>>> = BTreeMap::new();
            for it in arrived {
                by_uses.entry(self.uses(&it)).or_default().push(it);
            }
            while let Some(mut fewest) = by_uses.first_entry() {
                let Some(it) = fewest.get_mut().pop() else {
                    fewest.remove();
                    continue;
                };
                if !self.is_new(&it)? {
                    continue;
                }
                self.expand(&it)?;
                while let Some(then) = self.next.pop() {
                    if self.done(&then) {
                        return Ok(Passed::Order(then.path));
                    }
                    if then.level == it.level {
                        by_uses.entry(self.uses(&then)).or_default().push(then);
                    } else {
                        waiting[then.level as usize].push(then);
                        ahead += 1;
                    }
                }
                self.weigh((2 * self.met.len() + ahead) * size_of::<Configuration<WORDS>>())?;
            }
            if ahead == 0 {
                return Ok(Passed::No(self.dead(u32::try_from(level).unwrap_or(u32::MAX))));
            }
        }
        Ok(Passed::No(self.dead(self.furthest)))
    }

    fn dead(&mut self, level: u32) -> Answer {
        self.scarce.sort_unstable();
        self.scarce.dedup();
        let operation = self.plan.origin.get(level as usize).copied().unwrap_or(NONE);
        let (states, scarce, next) = (self.met.states(level, |_| true), self.scarce.clone(), self.next_at(level));
        Answer::Dead(Dead { operation, level, states, scarce, next })
    }

    /// What could come next at this level.
    fn next_at(&self, level: u32) -> Vec<Next> {
        let plan = self.plan;
        if level as usize >= plan.len() || self.met.len() > TOLD {
            return Vec::new();
        }
        let sure = plan.pending(level).iter().map(|rank| {
            let lane = plan.lane[*rank as usize];
            Next { operation: plan.origin[*rank as usize], states: self.met.states(level, |it| !it.has(lane)) }
        });
        let mut next: Vec<Next> = sure.collect();
        for (place, crashed) in (0u32..).zip(&plan.crashed) {
            let begun = crashed.began.partition_point(|began| *began <= plan.ended[level as usize]);
            let is_counted = self.counted[place as usize];
            let is_left =
                |it: &Configuration<WORDS>| !is_counted || (self.usages.used(it.usage, place) as usize) < begun;
            let states = if begun > 0 { self.met.states(level, is_left) } else { Vec::new() };
            next.extend(crashed.origin[..begun].iter().map(|at| Next { operation: *at, states: states.clone() }));
        }
        next
    }

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
            || self.crashed.observe(state, now)
    }

    /// The configurations that follow this one by taking one more operation.
    fn expand(&mut self, it: &Configuration<WORDS>) -> Result<(), StoppedBy> {
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
            if self.seen[crashed.class as usize].contains(&self.steps) || crashed.began[0] > now {
                continue;
            }
            let is_counted = self.counted[place as usize];
            if is_counted {
                let used = self.usages.used(it.usage, place) as usize;
                if crashed.began.get(used).is_none_or(|began| *began > now) {
                    continue;
                }
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
            if is_counted {
                then.usage = self.usages.with(it.usage, place);
            }
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
            || (0u32..).zip(&plan.crashed).any(|(place, crashed)| {
                brings_back(crashed.class) && {
                    let is_counted = self.counted[place as usize];
                    let used = if is_counted { self.usages.used(then.usage, place) as usize } else { 0 };
                    crashed.began.get(used).is_some_and(|began| *began <= before)
                }
            })
    }
}
