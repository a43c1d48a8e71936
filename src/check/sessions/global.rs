//! `read-your-writes@global` and `monotonic-reads@global`: as `own`, with one arbitration for everybody.
//!
//! Decides whether one order of the versions contains what the history tells of it and, for each session, that what it had to see
//! comes before what its reads show. Exact. Cost: linear; only reads of own writes that others of the session's own had followed by then are
//! ordered one by one, under the meter. Source: Viotti and Vukolic 2016.

use super::facts::{Facts, INITIAL, id};
use super::links::{Between, Tally};
use super::ring::{FORCED, KNOWN, Ring, Run, Stretches};
use crate::budget::Meter;
use crate::verdict::StoppedBy;
use crate::workload::accesses::NONE;

/// Monotonic reads: what the session read before comes before what it reads now.
pub(super) fn reads(facts: &Facts<'_, '_>, meter: &mut Meter<'_>) -> Result<Tally, StoppedBy> {
    let mut tally = Tally::default();
    // Write, write; the read that shows the second, and the one before it, that shows the first.
    let mut forces: Vec<(u32, u32, u32, u32)> = Vec::new();
    for rows in facts.groups.iter() {
        let mut last = NONE;
        for row in rows.iter().copied().filter(|row| facts.source[*row as usize] != NONE) {
            if last != NONE && facts.source[last as usize] != INITIAL {
                let (from, to) = (facts.source[last as usize], facts.source[row as usize]);
                if to == INITIAL {
                    tally.add(facts, vec![Between::reread(from, last, row, to)]);
                } else if from != to {
                    forces.push((from, to, row, last));
                }
            }
            if facts.is_followed(row) {
                last = row;
            }
        }
    }
    let spans = forces.iter().filter(|force| force.0 > force.1).map(|force| (force.1, force.0));
    let stretches = Stretches::new(facts.back.iter().copied().chain(spans).collect());
    forces.retain(|force| stretches.joins(force.0, force.1));
    forces.sort_unstable();
    let why = |from: u32, to: u32| {
        let at = forces.partition_point(|force| (force.0, force.1) < (from, to));
        let force = forces.get(at).filter(|force| (force.0, force.1) == (from, to))?;
        Some(Between::reread(from, force.3, force.2, to))
    };
    decide(facts, &stretches, forces.iter().map(|force| (force.0, force.1)), &[], why, &mut tally, meter)?;
    Ok(tally)
}

/// Read your writes: the session's own earlier writes come before what it reads.
pub(super) fn writes(facts: &Facts<'_, '_>, meter: &mut Meter<'_>) -> Result<Tally, StoppedBy> {
    let accesses = facts.accesses;
    let mut tally = Tally::default();
    let mut spans = facts.back.clone();
    let (mut runs, mut single): (Vec<Run>, Vec<(u32, u32)>) = (Vec::new(), Vec::new());
    for rows in facts.groups.iter() {
        let mut run = Run { writes: Vec::new(), before: Vec::new() };
        for row in rows.iter().copied() {
            if accesses.writes[row as usize] {
                if facts.is_followed(row) {
                    run.writes.push(row);
                }
                continue;
            }
            let (to, count) = (facts.source[row as usize], run.writes.len());
            let Some(last) = run.writes.last().copied() else { continue };
            if to == INITIAL {
                tally.add(facts, vec![Between::own(last, row, to)]);
                continue;
            }
            if last > to {
                spans.push((to, last));
            }
            // An own write: those before it, and one by one those after it.
            let own = run.writes.partition_point(|write| *write < to);
            if run.writes.get(own) == Some(&to) {
                let later = &run.writes[own + 1..];
                meter.steps(id(later.len()))?;
                meter.hold((later.len() * size_of::<(u32, u32)>()) as u64)?;
                single.extend(later.iter().map(|write| (*write, to)));
                run.before.push((own, to));
            } else {
                run.before.push((count, to));
            }
        }
        if !run.before.is_empty() {
            runs.push(run);
        }
    }
    let stretches = Stretches::new(spans);
    let why = |from: u32, to: u32| {
        // Who wrote one, and read the other after that.
        let session = accesses.session(from as usize);
        let reader = (from..id(accesses.len())).find(|row| {
            let at = *row as usize;
            accesses.session(at) == session && facts.source[at] == to
        })?;
        Some(Between::own(from, reader, to))
    };
    decide(facts, &stretches, single, &runs, why, &mut tally, meter)?;
    Ok(tally)
}

fn decide(
    facts: &Facts<'_, '_>,
    stretches: &Stretches,
    forces: impl IntoIterator<Item = (u32, u32)>,
    runs: &[Run],
    why: impl Fn(u32, u32) -> Option<Between>,
    tally: &mut Tally,
    meter: &mut Meter<'_>,
) -> Result<(), StoppedBy> {
    if stretches.is_empty() {
        return Ok(());
    }
    let ring = Ring::of(facts, stretches);
    let closed = ring.closed(forces, runs);
    let allowed = KNOWN | FORCED;
    let parts = closed.components(allowed).len() as u64;
    if parts == 0 {
        return Ok(());
    }
    if let Some((steps, _)) = closed.shortest(allowed, meter)?
        && let Some(circle) = closed.links(steps, why)
    {
        tally.add(facts, circle);
    }
    tally.count += parts - 1;
    Ok(())
}
