//! Why a session has no order of its own (`views`), as links that can be confirmed one by one.
//!
//! What reads force was found step by step, each step by what was known before it; the log of `views` is in that order. A circle
//! needs some of these steps, and they need others, so the witness is those that are needed, the first found first.
//!
//! Cost: a breadth-first search for each step that is needed, under the meter.

use std::collections::{BTreeSet, VecDeque};

use hashbrown::HashMap;

use super::facts::{INITIAL, id};
use super::links::{Between, Reason};
use super::ring::{FORCED, Ring, base};
use super::views::{Broken, Levels, View};
use crate::budget::Meter;
use crate::verdict::StoppedBy;
use crate::witness::sessions::Hop;
use crate::workload::accesses::NONE;

/// How a row leads to the next.
#[derive(Clone, Copy)]
enum How {
    Hop(Hop),
    /// By the known order of versions.
    Known,
    /// By the step of this number in the log.
    Step(usize),
}

impl Levels<'_, '_, '_> {
    /// Why the session, whose levels these are, has no order.
    pub(super) fn explain(&self, writes: &[Vec<u32>], meter: &mut Meter<'_>) -> Result<Broken, StoppedBy> {
        let log = self.log.as_deref().unwrap_or(&[]);
        let mut teller = Teller { levels: self, log, steps: BTreeSet::new(), orders: Vec::new() };
        let circle = match self.contradiction(writes) {
            Some(forced) => forced,
            None => return teller.around(writes, meter),
        };
        let mut links = Vec::new();
        for (from, to, reader) in circle {
            links.push(teller.seen(from, to, reader, log.len(), meter)?);
        }
        teller.finish(links, meter)
    }

    /// A read of the initial version below a write, or two versions each forced before the other: from, to, reader.
    fn contradiction(&self, writes: &[Vec<u32>]) -> Option<Vec<(u32, u32, u32)>> {
        let facts = self.facts;
        for (number, row) in (0u32..).zip(&self.reads) {
            if facts.source[*row as usize] == INITIAL {
                let key = facts.accesses.key[*row as usize] as usize;
                let first = writes[key].iter().min_by_key(|write| self.level[**write as usize]);
                if let Some(from) = first.filter(|from| self.level[**from as usize] <= number) {
                    return Some(vec![(*from, INITIAL, *row)]);
                }
            }
        }
        for key in &self.keys {
            let shown = writes[*key as usize].iter().filter(|row| self.last[**row as usize] != NONE);
            let mut shown: Vec<u32> = shown.copied().collect();
            shown.sort_by_key(|row| (self.level[*row as usize], *row));
            // The one among the earlier ones that is read last.
            let mut latest: Option<u32> = None;
            for row in shown {
                if let Some(other) = latest.filter(|other| self.last[*other as usize] >= self.level[row as usize]) {
                    let reader = |row: u32| self.reads[self.last[row as usize] as usize];
                    return Some(vec![(other, row, reader(row)), (row, other, reader(other))]);
                }
                if latest.is_none_or(|other| self.last[other as usize] < self.last[row as usize]) {
                    latest = Some(row);
                }
            }
        }
        None
    }
}

struct Teller<'l> {
    levels: &'l Levels<'l, 'l, 'l>,
    log: &'l [(u32, u32)],
    /// Steps of the log that are needed.
    steps: BTreeSet<usize>,
    /// Known orders that are needed.
    orders: Vec<(u32, u32)>,
}

impl Teller<'_> {
    /// A circle of what leads on and what is forced, all on one level.
    fn around(mut self, writes: &[Vec<u32>], meter: &mut Meter<'_>) -> Result<Broken, StoppedBy> {
        let levels = self.levels;
        let facts = levels.facts;
        let mut forced: Vec<(u32, u32)> = Vec::new();
        for key in &levels.keys {
            let placed = writes[*key as usize].iter().copied().filter(|row| levels.level[*row as usize] != NONE);
            let mut placed: Vec<u32> = placed.collect();
            placed.sort_by_key(|row| (levels.level[*row as usize], levels.last[*row as usize] != NONE, *row));
            for same in placed.chunk_by(|a, b| levels.level[*a as usize] == levels.level[*b as usize]) {
                if let Some((last, others)) = same.split_last().filter(|(last, _)| levels.last[**last as usize] != NONE)
                {
                    forced.extend(others.iter().map(|other| (*other, *last)));
                }
            }
        }
        let rows = (0..id(levels.level.len())).filter(|row| facts.counted[*row as usize]);
        let own =
            |row: u32| levels.view == View::CausalMemory || facts.accesses.session(row as usize) == levels.session;
        let ring = Ring::where_shown(facts, rows.collect(), own);
        let closed = ring.closed(forced, &[]);
        let Some((steps, _)) = closed.shortest(base() | FORCED, meter)? else { return Ok(Broken::default()) };
        let mut stopped = None;
        let links = closed.links(steps, |from, to| {
            let reader = levels.reads[levels.last[to as usize] as usize];
            match self.seen(from, to, reader, self.log.len(), meter) {
                Ok(link) => Some(link),
                Err(by) => {
                    stopped = Some(by);
                    None
                }
            }
        });
        match stopped {
            Some(by) => Err(by),
            None => self.finish(links.unwrap_or_default(), meter),
        }
    }

    /// The circle, with all that it rests on.
    fn finish(mut self, mut circle: Vec<Between>, meter: &mut Meter<'_>) -> Result<Broken, StoppedBy> {
        // Later steps rest on earlier ones only.
        let mut told: Vec<(usize, Between)> = Vec::new();
        let mut upper = self.log.len();
        while let Some(step) = self.steps.range(..upper).next_back().copied() {
            let (from, to) = self.log[step];
            let reader = self.levels.reads[self.levels.last[to as usize] as usize];
            let link = self.seen(from, to, reader, step, meter)?;
            told.push((step, link));
            upper = step;
        }
        told.reverse();
        // Known orders come first, then the steps: the numbers of premises follow.
        let orders = self.orders.len();
        let place = |number: usize| {
            let step = number
                .checked_sub(KNOWN_ORDERS)
                .map_or_else(|| told.iter().position(|(step, _)| *step == number).map(|at| orders + at), Some);
            step.unwrap_or(0)
        };
        let renumber = |link: &mut Between| {
            if let Reason::Seen(hops) = &mut link.why {
                for (hop, _) in hops {
                    if let Hop::Premise(number) = hop {
                        *number = place(*number);
                    }
                }
            }
        };
        circle.iter_mut().for_each(renumber);
        let mut steps: Vec<Between> = told.iter().map(|(_, link)| link.clone()).collect();
        steps.iter_mut().for_each(renumber);
        let known = self.orders.iter().map(|(from, to)| Between::replaced(*from, *to));
        Ok(Broken { premises: known.chain(steps).collect(), circle })
    }

    /// A read that shows `to` had to see `from`, by what was known before a step.
    fn seen(
        &mut self,
        from: u32,
        to: u32,
        reader: u32,
        upper: usize,
        meter: &mut Meter<'_>,
    ) -> Result<Between, StoppedBy> {
        let hops = self.hops(from, reader, upper, meter)?;
        let mut told: Vec<(Hop, u32)> = Vec::new();
        let mut at = from;
        for (how, row) in hops {
            let hop = match how {
                // Two hops along a session are one.
                How::Hop(Hop::Session) if matches!(told.last(), Some((Hop::Session, _))) => {
                    told.pop();
                    Hop::Session
                }
                How::Hop(hop) => hop,
                How::Known => {
                    let known = self.orders.iter().position(|order| *order == (at, row));
                    let number = known.unwrap_or(self.orders.len());
                    if known.is_none() {
                        self.orders.push((at, row));
                    }
                    Hop::Premise(KNOWN_ORDERS + number)
                }
                How::Step(step) => {
                    self.steps.insert(step);
                    Hop::Premise(step)
                }
            };
            told.push((hop, row));
            at = row;
        }
        Ok(Between { from, to, why: Reason::Seen(told) })
    }

    /// The fewest hops from one access to a later one, by what leads on in this view and the first steps of the log.
    fn hops(&self, from: u32, to: u32, upper: usize, meter: &mut Meter<'_>) -> Result<Vec<(How, u32)>, StoppedBy> {
        let (levels, facts) = (self.levels, self.levels.facts);
        let mut steps: HashMap<u32, Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
        for (step, (_, before)) in self.log[..upper].iter().enumerate() {
            steps.entry(*before).or_default().push(step);
        }
        let mut onward: HashMap<u32, (How, u32), foldhash::fast::RandomState> = HashMap::default();
        let mut open = VecDeque::from([to]);
        while let Some(row) = open.pop_front() {
            if row == from {
                break;
            }
            meter.step()?;
            let mut meet = |other: u32, how: How| {
                if other != to && !onward.contains_key(&other) {
                    onward.insert(other, (how, row));
                    open.push_back(other);
                }
            };
            for other in levels.leads(row) {
                let how = if other == facts.before[row as usize] {
                    How::Hop(Hop::Session)
                } else if other == facts.source[row as usize] {
                    How::Hop(Hop::Shows)
                } else {
                    How::Known
                };
                meet(other, how);
            }
            for step in steps.get(&row).into_iter().flatten() {
                meet(self.log[*step].0, How::Step(*step));
            }
        }
        let mut way = Vec::new();
        let mut at = from;
        while at != to {
            let Some((how, next)) = onward.get(&at).copied() else { return Ok(Vec::new()) };
            way.push((how, next));
            at = next;
        }
        Ok(way)
    }
}

/// Numbers of premises from here on are those of known orders, until all are known.
const KNOWN_ORDERS: usize = 1 << 40;
