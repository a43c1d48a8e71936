//! What is causally visible: `session`, `session@global` (which is `causal`), `weak-causal`.
//!
//! Terry's closure of what a session has to see is the causal past of its read: who sees a write sees its session's earlier
//! writes and what that session had read, and so on. So every write of the read's key in its causal past, other than the one it shows, is
//! forced before that one. Then, with session order, reads and the known orders of versions:
//!
//! - `session@global`: all that is forced, by whichever reads, has no circle. That is causal convergence.
//! - `session`: what the reads of any one session force has no circle.
//! - `weak-causal`: what any one read forces has no circle: a write that it sees does not already follow the one that it shows.
//!
//! Exact. Of each chain of accesses only the last write of the key in a past is looked at: the others come before that one.
//! Cost: linear where the order of rows explains all reads; else O(m k) for k chains (`past`) and two or three walks through the m
//! rows that can lead to the other reads from what they show; `session` then looks at the part in which all that is forced has circles,
//! for each session anew. Sources: Bouajjani, Enea, Guerraoui, Hamza (POPL 2017); AWDIT (PLDI 2025); Brzezinski, Sobaniec,
//! Wawrzyniak (2004).

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use super::facts::{Facts, INITIAL, id};
use super::links::{Between, Reason, Tally};
use super::past::{Installers, Past, Pasts};
use super::ring::{FORCED, Ring, Stretches, base};
use crate::budget::{Budget, Meter};
use crate::verdict::StoppedBy;
use crate::witness::sessions::Hop;
use crate::workload::accesses::NONE;

/// What causality forces, and what that breaks.
#[derive(Clone, Debug, Default)]
pub(super) struct Causal {
    /// Reads that show what their past had replaced: of `weak-causal`.
    pub(super) overwritten: Tally,
    /// Sessions whose reads force a circle.
    pub(super) session: Tally,
    /// All reads together.
    pub(super) global: Tally,
    /// What ended the look at single reads and sessions, where something did.
    pub(super) stopped: Option<StoppedBy>,
}

/// A read forces a write of its past before the one that it shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Force {
    session: u32,
    from: u32,
    to: u32,
    reader: u32,
}

/// Judges all three. The base has no circle.
///
/// # Errors
/// What ended it before anything was known.
pub(super) fn judge(
    facts: &Facts<'_, '_>,
    pasts: &Pasts<'_, '_, '_>,
    meter: &mut Meter<'_>,
) -> Result<Causal, StoppedBy> {
    let mut causal = Causal::default();
    let installers = pasts.installers();
    let mut spans = facts.back.clone();
    let mut before_all = Vec::new();
    let mut is_doubtful = vec![false; facts.accesses.len()];
    facts.doubtful.iter().for_each(|(_, row)| is_doubtful[*row as usize] = true);
    let doubtful = Stretches::new(facts.doubtful.clone());
    pasts.walk(&doubtful, false, meter, |row, past, meter| {
        if !is_doubtful[row as usize] {
            return Ok(());
        }
        forced(facts, &installers, row, past, meter, |force| {
            if force.to == INITIAL {
                before_all.push(force);
            } else if force.from > force.to {
                spans.push((force.to, force.from));
            }
        })
    })?;
    add_nearest(facts, &mut causal.overwritten, before_all, |force| Some(vec![seen(facts, force)]));
    let stretches = Stretches::new(spans);
    if !stretches.is_empty() {
        let result = within(facts, pasts, &installers, &stretches, meter, &mut causal);
        if let Err(by) = result {
            let anything = causal.overwritten.count + causal.session.count + causal.global.count > 0;
            if !anything {
                return Err(by);
            }
            causal.stopped = Some(by);
        }
    }
    Ok(causal)
}

/// What one access forces, if it is a read.
fn forced(
    facts: &Facts<'_, '_>,
    installers: &Installers,
    row: u32,
    past: &Past<'_>,
    meter: &mut Meter<'_>,
    mut found: impl FnMut(Force),
) -> Result<(), StoppedBy> {
    let (accesses, to) = (facts.accesses, facts.source[row as usize]);
    if to == NONE {
        return Ok(());
    }
    for writes in installers.of(accesses.key[row as usize]) {
        meter.step()?;
        if let Some(from) = past.last_of(writes) {
            let known = to != INITIAL && facts.precedes(facts.version(from), facts.version(to));
            if from != to && !known {
                found(Force { session: accesses.session(row as usize), from, to, reader: row });
            }
        }
    }
    Ok(())
}

/// Looks at the stretches in which a circle can be.
fn within(
    facts: &Facts<'_, '_>,
    pasts: &Pasts<'_, '_, '_>,
    installers: &Installers,
    stretches: &Stretches,
    meter: &mut Meter<'_>,
    causal: &mut Causal,
) -> Result<(), StoppedBy> {
    let mut forces: Vec<Force> = Vec::new();
    // From each stretch to the last read of what was written in it.
    let (shown, reach) = readers(facts, stretches);
    pasts.walk(&reach, false, meter, |row, past, meter| {
        if !shown[row as usize] {
            return Ok(());
        }
        let before = forces.len();
        forced(facts, installers, row, past, meter, |force| {
            if force.to != INITIAL && stretches.joins(force.from, force.to) {
                forces.push(force);
            }
        })?;
        meter.hold(((forces.len() - before) * size_of::<Force>()) as u64)
    })?;
    forces.sort_unstable();
    forces.dedup_by_key(|force| (force.session, force.from, force.to));
    let ring = Ring::of(facts, stretches);
    let all = ring.closed(forces.iter().map(|force| (force.from, force.to)), &[]);
    let components = all.components(base() | FORCED);
    if components.is_empty() {
        return Ok(());
    }
    let mut part = vec![NONE; facts.accesses.len()];
    let mut rows = Vec::new();
    for (number, component) in (0u32..).zip(&components) {
        causal.global.count += 1;
        for row in all.rows(component) {
            part[row as usize] = number;
            rows.push(row);
        }
    }
    causal.global.count -= 1;
    let why = |from: u32, to: u32| {
        let force = forces.iter().find(|force| force.from == from && force.to == to)?;
        Some(seen(facts, force))
    };
    let found = all.shortest(base() | FORCED, meter)?;
    if let Some(circle) = found.and_then(|(steps, _)| all.links(steps, why)) {
        causal.global.add(facts, circle);
    }
    rows.sort_unstable();
    rows.dedup();
    forces.retain(|force| part[force.from as usize] == part[force.to as usize] && part[force.from as usize] != NONE);
    overwritten(facts, pasts, &forces, stretches, meter, causal)?;
    let ring = Ring::new(facts, rows);
    let leads_back = |force: &Force| pasts.place[force.from as usize] > pasts.place[force.to as usize];
    for own in forces.chunk_by(|a, b| a.session == b.session) {
        if !own.iter().any(leads_back) {
            continue;
        }
        meter.steps(id(ring.len()))?;
        let closed = ring.closed(own.iter().map(|force| (force.from, force.to)), &[]);
        let why =
            |from: u32, to: u32| Some(seen(facts, own.iter().find(|force| force.from == from && force.to == to)?));
        let found = closed.shortest(base() | FORCED, meter)?;
        if let Some(circle) = found.and_then(|(steps, _)| closed.links(steps, why)) {
            causal.session.add(facts, circle);
        }
    }
    Ok(())
}

/// Which reads show what was written in a stretch; and each stretch with all rows up to the last of these.
fn readers(facts: &Facts<'_, '_>, stretches: &Stretches) -> (Vec<bool>, Stretches) {
    let mut stretch = vec![NONE; facts.accesses.len()];
    let mut reach: Vec<(u32, u32)> = stretches.spans().collect();
    for (number, (from, to)) in (0u32..).zip(stretches.spans()) {
        stretch[from as usize..=to as usize].fill(number);
    }
    let mut shown = vec![false; stretch.len()];
    for (row, source) in facts.source.iter().enumerate() {
        if let Some(number) = stretch.get(*source as usize).filter(|number| **number != NONE) {
            shown[row] = true;
            reach[*number as usize].1 = reach[*number as usize].1.max(id(row));
        }
    }
    (shown, Stretches::new(reach))
}

/// Reads that show a write which, by what they see, had been replaced.
fn overwritten(
    facts: &Facts<'_, '_>,
    pasts: &Pasts<'_, '_, '_>,
    forces: &[Force],
    stretches: &Stretches,
    meter: &mut Meter<'_>,
    causal: &mut Causal,
) -> Result<(), StoppedBy> {
    let mut asked: Vec<(u32, usize)> =
        (0..forces.len()).map(|at| (pasts.place[forces[at].from as usize], at)).collect();
    asked.sort_unstable();
    let mut next = 0;
    let mut found = Vec::new();
    pasts.walk(stretches, true, meter, |row, past, meter| {
        while let Some((_, at)) = asked.get(next).filter(|asked| asked.0 == pasts.place[row as usize]) {
            meter.step()?;
            if past.contains(forces[*at].to) {
                found.push(forces[*at]);
            }
            next += 1;
        }
        Ok(())
    })?;
    // Each is told by the way from the write that it shows to the one that it had to see.
    add_nearest(facts, &mut causal.overwritten, found, |force| {
        let mut circle = path(facts, force.to, force.from, meter).ok()?;
        circle.push(seen(facts, force));
        Some(circle)
    });
    Ok(())
}

/// How one write leads to another by session order, reads and known orders, as links between writes.
fn path(facts: &Facts<'_, '_>, from: u32, to: u32, meter: &mut Meter<'_>) -> Result<Vec<Between>, StoppedBy> {
    let mut links: Vec<Between> = Vec::new();
    let mut write = from;
    let mut read = None;
    for (how, row) in hops(facts, from, to, true, meter)? {
        let is_write = facts.accesses.writes[row as usize];
        match (how, read.take()) {
            (How::Known, _) => links.push(Between::replaced(write, row)),
            (How::Hop(Hop::Session), None) if is_write => {
                links.push(Between { from: write, to: row, why: Reason::Wrote })
            }
            (How::Hop(Hop::Session), Some(by)) if is_write => {
                links.push(Between { from: write, to: row, why: Reason::Read(by) });
            }
            (_, _) => {
                read = Some(row);
                continue;
            }
        }
        write = row;
    }
    Ok(links)
}

/// How a force is told: the way from the write to the read that had to see it.
fn seen(facts: &Facts<'_, '_>, force: &Force) -> Between {
    // A walk through the history at most; its own few steps, so that what is found is always told.
    let budget = Budget::new(u64::from(u32::MAX), None, u64::MAX);
    let hops = hops(facts, force.from, force.reader, false, &mut budget.meter()).unwrap_or_default();
    let hops = hops.into_iter().filter_map(|(how, row)| match how {
        How::Hop(hop) => Some((hop, row)),
        How::Known => None,
    });
    Between { from: force.from, to: force.to, why: Reason::Seen(hops.collect()) }
}

/// Adds the nearest of many, and counts the others.
fn add_nearest(
    facts: &Facts<'_, '_>,
    tally: &mut Tally,
    mut forces: Vec<Force>,
    mut circle: impl FnMut(&Force) -> Option<Vec<Between>>,
) {
    const LOOKED_AT: usize = 16;
    forces.sort_by_key(|force| (force.reader.abs_diff(force.from), force.reader));
    tally.count += forces.len().saturating_sub(LOOKED_AT) as u64;
    for force in forces.iter().take(LOOKED_AT) {
        if let Some(circle) = circle(force) {
            tally.add(facts, circle);
        }
    }
}

/// How an access leads to the next.
#[derive(Clone, Copy)]
enum How {
    Hop(Hop),
    Known,
}

/// The fewest hops from one access to a later one: a hop along a session is one, however far.
fn hops(
    facts: &Facts<'_, '_>,
    from: u32,
    to: u32,
    known: bool,
    meter: &mut Meter<'_>,
) -> Result<Vec<(How, u32)>, StoppedBy> {
    // What is before the first of them leads there only where the order of rows leads back.
    let earliest = if facts.is_forward() { from } else { 0 };
    // By row: how it leads on, and whether what is before it in its session was met too.
    let mut onward: HashMap<u32, (How, u32), foldhash::fast::RandomState> = HashMap::default();
    let mut walked: HashSet<u32, foldhash::fast::RandomState> = HashSet::default();
    let mut open = VecDeque::from([to]);
    while let Some(row) = open.pop_front() {
        if row == from {
            break;
        }
        meter.step()?;
        let mut meet = |other: u32, how: How, open: &mut VecDeque<u32>| {
            if other < INITIAL && other >= earliest && other != to && !onward.contains_key(&other) {
                onward.insert(other, (how, row));
                open.push_back(other);
            }
        };
        meet(facts.source[row as usize], How::Hop(Hop::Shows), &mut open);
        if known && facts.accesses.writes[row as usize] {
            meet(facts.known[facts.version(row) as usize], How::Known, &mut open);
        }
        let mut before = row;
        while walked.insert(before) && facts.before[before as usize] != NONE {
            meter.step()?;
            before = facts.before[before as usize];
            if before < earliest {
                break;
            }
            meet(before, How::Hop(Hop::Session), &mut open);
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
