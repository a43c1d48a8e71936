//! Shortest closed walks from one vertex: breadth first over vertex x automaton state.
//!
//! Steps count one, links nothing; among walks of as few steps the one with fewest rw wins (counted up to 15: beyond that nobody
//! compares). So nodes are taken by level and, within a level, by bucket of rw. The start is a vertex of its own on return, so that a
//! walk never passes through it. Linear in the part that it sees.

use super::local::Part;
use super::pattern::Automaton;
use super::{Relations, id};
use crate::budget::Meter;
use crate::verdict::StoppedBy;

/// How good a cycle is: fewer steps, then fewer rw.
pub(super) type Length = (u32, u8);

const RW_COUNTED: u8 = 15;

/// A closed walk, step by step, in local vertices: where a step begins, and its relation.
pub(super) type Walk = Vec<(u32, Relations)>;

/// Where a search begins and how far it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) vertex: u32,
    /// What the first step may be.
    pub(super) first: Relations,
    /// Whether all other vertices are below `vertex`.
    pub(super) below: bool,
}

/// What a search from one vertex found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The best simple cycle that it came upon.
    pub(super) simple: Option<(Length, Walk)>,
    /// The length of a better closed walk that passes twice through a vertex: a simple one may hide behind it.
    pub(super) crossing: Option<Length>,
    /// Whether the limit cut the search.
    pub(super) cut: bool,
}

#[derive(Clone, Copy, Debug)]
struct Reached {
    epoch: u32,
    level: u32,
    parent: u32,
    rw: u8,
    via: Relations,
}

/// Scratch for many searches in one part.
#[derive(Debug)]
pub(super) struct Product<'a> {
    local: &'a Part,
    automaton: &'a Automaton,
    lowest: &'a [u32],
    states: u32,
    reached: Vec<Reached>,
    epoch: u32,
    current: Vec<Vec<u32>>,
    following: Vec<Vec<u32>>,
}

impl<'a> Product<'a> {
    pub(super) fn new(
        local: &'a Part,
        automaton: &'a Automaton,
        lowest: &'a [u32],
        meter: &mut Meter<'_>,
    ) -> Result<Product<'a>, StoppedBy> {
        let states = id(automaton.states());
        let nodes = (u64::from(local.graph.total()) + 1) * u64::from(states);
        // Node numbers are u32; a part beyond that would not fit into memory anyway.
        let nodes = u32::try_from(nodes).map_err(|_| StoppedBy::Memory)? as usize;
        let empty = Reached { epoch: 0, level: 0, parent: 0, rw: 0, via: Relations::NONE };
        meter.hold((nodes * size_of::<Reached>()) as u64)?;
        let buckets = || vec![Vec::new(); usize::from(RW_COUNTED) + 1];
        let reached = vec![empty; nodes];
        Ok(Product { local, automaton, lowest, states, reached, epoch: 0, current: buckets(), following: buckets() })
    }

    /// The best simple cycle through `start` that is better than `bound` and has at most `limit` steps.
    pub(super) fn search(
        &mut self,
        start: Start,
        bound: Length,
        limit: u32,
        meter: &mut Meter<'_>,
    ) -> Result<Outcome, StoppedBy> {
        self.epoch += 1;
        for bucket in self.current.iter_mut().chain(&mut self.following) {
            bucket.clear();
        }
        let graph = &self.local.graph;
        let goal = graph.total();
        let mut outcome = Outcome::default();
        let mut bound = bound;
        self.current[0].push(start.vertex * self.states);
        let root = start.vertex as usize * self.states as usize;
        self.reached[root] = Reached { epoch: self.epoch, level: 0, parent: 0, rw: 0, via: Relations::NONE };
        let mut level = 0;
        loop {
            for rw in 0..=RW_COUNTED {
                let mut at = 0;
                while let Some(node) = self.current[usize::from(rw)].get(at).copied() {
                    at += 1;
                    let (vertex, state) = (node / self.states, node % self.states);
                    let known = self.reached[node as usize];
                    if (known.level, known.rw) != (level, rw) || (level, rw) >= bound {
                        continue;
                    }
                    let state = u8::try_from(state).unwrap_or_default();
                    if vertex == goal {
                        if self.automaton.accepts(state) {
                            let walk = self.trace(node, start.vertex);
                            if is_simple(&walk) {
                                bound = (level, rw);
                                outcome.simple = Some((bound, walk));
                            } else if outcome.crossing.is_none() {
                                outcome.crossing = Some((level, rw));
                            }
                        }
                        continue;
                    }
                    let from_real = !graph.is_auxiliary(vertex);
                    if from_real && level >= limit {
                        outcome.cut = true;
                        continue;
                    }
                    let row = graph.edges_from(vertex);
                    meter.steps(id(row.len()) + 1)?;
                    for (target, relations) in row {
                        let target = if target == start.vertex {
                            goal
                        } else if start.below && !self.is_below(target, start.vertex) {
                            continue;
                        } else {
                            target
                        };
                        if !from_real {
                            self.reach((target, state), (level, rw), (level, node), Relations::LINK);
                            continue;
                        }
                        let relations = if level == 0 { relations & start.first } else { relations };
                        for relation in relations.iter() {
                            if let Some(next) = self.automaton.next(state, relation) {
                                let rw = (rw + u8::from(relation == Relations::RW)).min(RW_COUNTED);
                                if (level + 1, rw) < bound {
                                    self.reach((target, next), (level + 1, rw), (level, node), relation);
                                }
                            }
                        }
                    }
                }
                self.current[usize::from(rw)].clear();
            }
            if self.following.iter().all(Vec::is_empty) {
                return Ok(outcome);
            }
            std::mem::swap(&mut self.current, &mut self.following);
            level += 1;
        }
    }

    fn is_below(&self, target: u32, start: u32) -> bool {
        match target.checked_sub(self.local.graph.real()) {
            None => target < start,
            Some(auxiliary) => self.lowest[auxiliary as usize] <= start,
        }
    }

    fn reach(&mut self, to: (u32, u8), length: Length, (from_level, parent): (u32, u32), via: Relations) {
        let node = to.0 * self.states + u32::from(to.1);
        let known = &mut self.reached[node as usize];
        if known.epoch == self.epoch && (known.level, known.rw) <= length {
            return;
        }
        *known = Reached { epoch: self.epoch, level: length.0, parent, rw: length.1, via };
        let bucket = if length.0 == from_level { &mut self.current } else { &mut self.following };
        bucket[usize::from(length.1)].push(node);
    }

    fn trace(&self, goal: u32, start: u32) -> Walk {
        let mut walk = Vec::new();
        let mut node = goal;
        loop {
            let reached = self.reached[node as usize];
            node = reached.parent;
            if reached.via != Relations::LINK {
                let vertex = node / self.states;
                walk.push((vertex, reached.via));
                if vertex == start {
                    walk.reverse();
                    return walk;
                }
            }
        }
    }
}

fn is_simple(walk: &Walk) -> bool {
    let mut vertices: Vec<u32> = walk.iter().map(|step| step.0).collect();
    vertices.sort_unstable();
    walk.len() > 1 && vertices.windows(2).all(|pair| pair[0] != pair[1])
}
