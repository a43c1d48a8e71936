//! The shortest cycle of a type within a component.
//!
//! Decides: whether there is a simple cycle of the [`Pattern`], and which is shortest (fewest steps, then fewest rw, then by vertices).
//! Source: Elle (Kingsbury and Alvaro, VLDB 2020) for the types, whose own search keeps whole paths.
//!
//! A shortest *closed walk* of a type is found by a breadth-first search over vertex x automaton from each of a few starts, and one
//! start suffices for all cycles that are highest at it (`local`), or for all that leave it by a relation that each cycle of the type
//! must have; whichever needs fewer starts. The search goes in rounds: all starts up to two steps, then four, eight, ..., so that short
//! cycles, which end everything, cost little.
//!
//! Exact when: the closed walk is simple. It always is for G0, G1c and G-single, and for any type in a component that holds no more
//! severe one: a walk that passes twice through a vertex splits there into two, one of which is of the type and shorter, or of a more
//! severe type. Otherwise simple cycles are searched by paths (`deep`), which is exponential (asking for a simple cycle through two given
//! edges is NP-hard) and has a small budget of its own.
//!
//! Cost: O(starts (V + E)) in the worst case, under the meter; what ends it leaves the best that was found, `minimum: false`.

use super::components::{Component, components};
use super::deep;
use super::local::Part;
use super::pattern::{Automaton, Pattern};
use super::product::{Length, Product, Start, Walk};
use super::{Graph, Relations};
use crate::budget::Meter;
use crate::verdict::StoppedBy;

/// A step of a cycle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CycleStep {
    /// A real vertex.
    pub from: u32,
    /// Another.
    pub to: u32,
    /// Why: a single relation.
    pub relation: Relations,
}

/// A simple cycle over real vertices, from its smallest vertex.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cycle {
    /// Two or more; each begins where the one before ends, the first where the last ends.
    pub steps: Vec<CycleStep>,
}

/// What a search for a cycle came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Search {
    /// There is one.
    Found {
        /// The best.
        cycle: Cycle,
        /// Whether none has fewer steps.
        minimum: bool,
    },
    /// There is none.
    Absent,
    /// None was found before this ended the search.
    Stopped(StoppedBy),
}

/// The shortest cycle of the pattern among a component's vertices, or that there is none. The component may be one of more relations
/// than the pattern allows.
#[must_use]
pub fn shortest_cycle(graph: &Graph, component: &Component, pattern: &Pattern, meter: &mut Meter<'_>) -> Search {
    let automaton = Automaton::new(pattern);
    if automaton.shortest == u32::MAX {
        return Search::Absent;
    }
    let whole = Part::of(graph, component, pattern.usable());
    let present = whole.graph.relations.iter().fold(Relations::NONE, |known, relations| known | *relations);
    if !present.contains(pattern.mandatory()) {
        return Search::Absent;
    }
    let parts = components(&whole.graph, pattern.usable(), pattern.no_adjacent_rw());
    let mut parts: Vec<&Component> = parts.iter().collect();
    parts.sort_by_key(|part| part.real().len()); // small ones are quick, and bound the others
    let mut found = Found { best: None, stopped: None };
    for part in parts {
        let within = if part.vertices().len() == whole.names.len() {
            Part { graph: whole.graph.clone(), names: part.vertices().to_vec() }
        } else {
            Part::of(&whole.graph, part, pattern.usable())
        };
        if let Err(by) = search_part(within, &whole.names, pattern, &automaton, &mut found, meter) {
            found.stopped.get_or_insert(by);
            break;
        }
        if found.is_least(&automaton) {
            break;
        }
    }
    match (found.best, found.stopped) {
        (Some((length, cycle)), stopped) => {
            Search::Found { cycle, minimum: stopped.is_none() || length.0 == automaton.shortest }
        }
        (None, Some(by)) => Search::Stopped(by),
        (None, None) => Search::Absent,
    }
}

struct Found {
    best: Option<(Length, Cycle)>,
    stopped: Option<StoppedBy>,
}

impl Found {
    fn bound(&self) -> Length {
        self.best.as_ref().map_or((u32::MAX, u8::MAX), |best| best.0)
    }

    fn is_least(&self, automaton: &Automaton) -> bool {
        self.bound() <= (automaton.shortest, automaton.fewest_rw)
    }

    /// A walk in local vertices; `names` lead to the graph's own.
    fn take(&mut self, length: Length, walk: &Walk, local: &Part, names: &[u32]) {
        let name = |local_vertex: u32| names[local.names[local_vertex as usize] as usize];
        let vertices: Vec<u32> = walk.iter().map(|step| name(step.0)).collect();
        let first = (0..vertices.len()).min_by_key(|at| vertices[*at]).unwrap_or_default();
        let steps = (0..vertices.len()).map(|at| {
            let (at, next) = ((first + at) % vertices.len(), (first + at + 1) % vertices.len());
            CycleStep { from: vertices[at], to: vertices[next], relation: walk[at].1 }
        });
        self.best = Some((length, Cycle { steps: steps.collect() }));
    }
}

/// Above this many real vertices, a few starts are searched without limit first: should the budget end, something was found.
const LARGE: u32 = 1 << 14;

fn search_part(
    within: Part,
    names: &[u32],
    pattern: &Pattern,
    automaton: &Automaton,
    found: &mut Found,
    meter: &mut Meter<'_>,
) -> Result<(), StoppedBy> {
    meter.steps(within.graph.total())?;
    // The relation that each cycle has and that leaves the fewest vertices.
    let rarest = pattern.mandatory().iter().map(|relation| (leaving(&within, relation), relation));
    let rarest = rarest.min_by_key(|(vertices, _)| vertices.len());
    if rarest.as_ref().is_some_and(|(vertices, _)| vertices.is_empty()) {
        return Ok(());
    }
    let apart = rarest.as_ref().map_or(pattern.usable() & Relations::RW, |(_, relation)| *relation);
    let base = if apart.is_empty() { Relations::NONE } else { pattern.usable().without(apart) };
    let local = within.along(base);
    let lowest = local.lowest();
    let mut starts: Vec<Start> = backward(&local, &lowest)
        .into_iter()
        .map(|vertex| Start { vertex, first: pattern.usable(), below: true })
        .collect();
    if let Some((vertices, relation)) = rarest
        && vertices.len() < starts.len()
    {
        starts = leaving(&local, relation)
            .into_iter()
            .map(|vertex| Start { vertex, first: relation, below: false })
            .collect();
    }
    let mut product = Product::new(&local, automaton, &lowest, meter)?;
    if local.graph.real() > LARGE {
        for at in [0, starts.len() / 2, starts.len().saturating_sub(1)] {
            if let Some(start) = starts.get(at) {
                let outcome = product.search(Start { below: false, ..*start }, found.bound(), u32::MAX, meter)?;
                if let Some((length, walk)) = outcome.simple {
                    found.take(length, &walk, &local, names);
                }
            }
        }
    }
    let mut limit = automaton.shortest.max(2);
    loop {
        let mut crossing: Vec<(Start, Length)> = Vec::new();
        let mut cut = false;
        for start in &starts {
            let outcome = product.search(*start, found.bound(), limit, meter)?;
            cut |= outcome.cut;
            if let Some((length, walk)) = outcome.simple {
                found.take(length, &walk, &local, names);
                if found.is_least(automaton) {
                    return Ok(());
                }
            }
            if let Some(length) = outcome.crossing {
                crossing.push((*start, length));
            }
        }
        // A cycle within the limit ends the rounds: whatever was cut is longer.
        if !cut || found.bound().0 <= limit {
            crossing.retain(|(_, length)| *length < found.bound());
            if crossing.is_empty() {
                return Ok(());
            }
            let starts: Vec<Start> = crossing.into_iter().map(|(start, _)| start).collect();
            drop(product);
            if let Some((length, walk)) = deep::search(&local, automaton, &lowest, &starts, found.bound(), meter)? {
                found.take(length, &walk, &local, names);
            }
            return Ok(());
        }
        limit = limit.saturating_mul(2);
    }
}

/// The real vertices that an edge of this relation leaves, ascending.
fn leaving(local: &Part, relation: Relations) -> Vec<u32> {
    let leaves = |vertex: &u32| local.graph.edges_from(*vertex).any(|(_, relations)| relations.intersects(relation));
    (0..local.graph.real()).filter(leaves).collect()
}

/// The real vertices from which a step may lead to a lower one, ascending.
fn backward(local: &Part, lowest: &[u32]) -> Vec<u32> {
    let real = local.graph.real();
    let leads = |vertex: &u32| {
        local.graph.edges_from(*vertex).any(|(target, _)| match target.checked_sub(real) {
            None => target < *vertex,
            Some(auxiliary) => lowest[auxiliary as usize] < *vertex,
        })
    };
    (0..real).filter(leads).collect()
}
