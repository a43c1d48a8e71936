//! The search itself: the passes over configurations, one step after the other (see `steps`).

use std::collections::BTreeMap;

use super::configuration::{Configuration, Met};
use super::crashes::Crashes;
use super::order::Retraced;
use super::outlook::Outlook;
use super::path::Paths;
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
    pub(super) outlook: Option<Outlook>,
    pub(super) spec: &'a mut S,
    pub(super) meter: &'a mut Meter<'m>,
    pub(super) usages: Usages,
    /// For each class of crashed operations, and then for each pool, whether those used are counted. Where not, there are as
    /// many as are asked for.
    pub(super) counted: Vec<bool>,
    pub(super) paths: Paths,
    /// Where there were too few crashed operations: see [`Dead`].
    scarce: Vec<u32>,
    met: Met<WORDS>,
    /// The configuration in whose steps an operation of each class was seen last, among those that can't be hidden and
    /// among those that can: of these, only the first is taken.
    pub(super) seen: Vec<[u64; 2]>,
    /// The configuration in whose steps each state was last seen to be needed by an operation that could come next.
    pub(super) wanted: Vec<u64>,
    pub(super) crashed: Crashes,
    pub(super) steps: u64,
    /// The next configurations of the current one, those to be tried first last.
    pub(super) next: Vec<Configuration<WORDS>>,
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
        // To count classes is to count pools.
        let mut counted = vec![true; plan.crashed.len()];
        counted.resize(plan.crashed.len() + crashed.pools(), false);
        Engine {
            plan,
            outlook,
            spec,
            meter,
            usages: Usages::new(),
            counted,
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
    /// order that needs more than there are tells which classes have to be counted; then again. At first, classes that leave the
    /// same state behind are counted together: what matters is mostly how often that state can come back.
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
                    places.into_iter().for_each(|place| self.count(place));
                    self.scarce.extend(due);
                }
            }
        }
    }

    /// From now on, counts the pool of the class at this place; if it is counted already, or there is none, the class itself.
    fn count(&mut self, place: u32) {
        let pool = self.crashed.pool(place).map(|(pool, _)| self.counter(pool));
        let pool = pool.filter(|pool| !self.counted[*pool as usize]);
        self.counted[pool.unwrap_or(place) as usize] = true;
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
            let now = plan.ended[level as usize];
            let is_left = |it: &Configuration<WORDS>| self.is_left(it.usage, place, now);
            let states = if begun > 0 { self.met.states(level, is_left) } else { Vec::new() };
            next.extend(crashed.origin[..begun].iter().map(|at| Next { operation: *at, states: states.clone() }));
        }
        next
    }
}
