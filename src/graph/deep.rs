//! Simple cycles where the shortest closed walk is not simple: by paths.
//!
//! Iterative deepening (Korf 1985): paths from a start, depth first, each extended only while the steps it has and those it still needs
//! (to come back, crossing allowed) stay within a limit, which rises to the least that it cut. Exponential in the worst case, so
//! it has a small budget of its own: what is found after that is only a cycle, and what is not found is not known to be absent.

use super::local::{Part, transposed};
use super::pattern::Automaton;
use super::product::{Length, Start, Walk};
use super::{Graph, Relations, id};
use crate::budget::Meter;
use crate::verdict::StoppedBy;

/// Steps that one search by paths may take: a fraction of a second.
const STEPS: u64 = 1 << 24;

const FAR: u32 = u32::MAX;

/// The shortest simple cycle through one of the starts that has fewer steps than `bound`, or as many and fewer rw.
pub(super) fn search(
    local: &Part,
    automaton: &Automaton,
    lowest: &[u32],
    starts: &[Start],
    bound: Length,
    meter: &mut Meter<'_>,
) -> Result<Option<(Length, Walk)>, StoppedBy> {
    let mut deep = Deep {
        local,
        automaton,
        lowest,
        into: transposed(&local.graph, |_| true),
        remaining: vec![FAR; local.graph.total() as usize * automaton.states()],
        touched: Vec::new(),
        on_path: vec![false; local.graph.real() as usize],
        left: STEPS,
    };
    let mut limit = 2;
    while limit <= bound.0 && limit <= local.graph.real() {
        let mut next = FAR;
        for start in starts {
            deep.estimate(*start, meter)?;
            let (walk, cut) = deep.paths(*start, limit, bound, meter)?;
            if let Some(walk) = walk {
                return Ok(Some((length(&walk), walk)));
            }
            next = next.min(cut);
        }
        if next == FAR {
            break;
        }
        limit = next;
    }
    Ok(None)
}

fn length(walk: &Walk) -> Length {
    let rw = walk.iter().filter(|step| step.1 == Relations::RW).count();
    (id(walk.len()), u8::try_from(rw).unwrap_or(u8::MAX).min(15))
}

struct Deep<'a> {
    local: &'a Part,
    automaton: &'a Automaton,
    lowest: &'a [u32],
    into: Graph,
    /// By vertex and state: the least steps back to the start, crossings allowed.
    remaining: Vec<u32>,
    touched: Vec<usize>,
    on_path: Vec<bool>,
    left: u64,
}

/// A place on the path: the steps out of it that are still to be tried, the last first.
struct Place {
    vertex: u32,
    choices: Vec<(u32, u8, Relations)>,
}

impl Deep<'_> {
    fn spend(&mut self, steps: usize, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        self.left = self.left.checked_sub(steps as u64 + 1).ok_or(StoppedBy::Budget)?;
        meter.steps(id(steps) + 1)
    }

    fn at(&self, vertex: u32, state: u8) -> usize {
        vertex as usize * self.automaton.states() + usize::from(state)
    }

    fn permits(&self, start: Start, vertex: u32) -> bool {
        match vertex.checked_sub(self.local.graph.real()) {
            None => !start.below || vertex <= start.vertex,
            Some(auxiliary) => !start.below || self.lowest[auxiliary as usize] <= start.vertex,
        }
    }

    /// Backward from the start, breadth first: links cost nothing.
    fn estimate(&mut self, start: Start, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        for at in self.touched.drain(..) {
            self.remaining[at] = FAR;
        }
        let states: Vec<u8> = (0..self.automaton.states()).filter_map(|state| u8::try_from(state).ok()).collect();
        let mut current: Vec<(u32, u8)> = Vec::new();
        for state in states.iter().copied().filter(|state| self.automaton.accepts(*state)) {
            current.push((start.vertex, state)); // come back; the start itself is never left in such a state
        }
        let mut following: Vec<(u32, u8)> = Vec::new();
        let mut distance = 0;
        while !current.is_empty() {
            while let Some((vertex, state)) = current.pop() {
                let row = self.into.row(vertex);
                self.spend(row.len(), meter)?;
                for at in row {
                    let (from, relations) = (self.into.targets[at], self.into.relations[at]);
                    if !self.permits(start, from) {
                        continue;
                    }
                    if relations == Relations::LINK {
                        let at = self.at(from, state);
                        if self.remaining[at] > distance {
                            self.remaining[at] = distance;
                            self.touched.push(at);
                            current.push((from, state));
                        }
                        continue;
                    }
                    for before in states.iter().copied().filter(|before| (*before == 0) == (from == start.vertex)) {
                        let usable = if before == 0 { relations & start.first } else { relations };
                        if usable.iter().any(|relation| self.automaton.next(before, relation) == Some(state)) {
                            let at = self.at(from, before);
                            if self.remaining[at] == FAR {
                                self.remaining[at] = distance + 1;
                                self.touched.push(at);
                                if from != start.vertex {
                                    following.push((from, before));
                                }
                            }
                        }
                    }
                }
            }
            std::mem::swap(&mut current, &mut following);
            distance += 1;
        }
        Ok(())
    }

    /// A simple cycle of at most `limit` steps, better than `bound`; and the least length that the limit cut.
    fn paths(
        &mut self,
        start: Start,
        limit: u32,
        bound: Length,
        meter: &mut Meter<'_>,
    ) -> Result<(Option<Walk>, u32), StoppedBy> {
        let mut cut = FAR;
        let mut path: Vec<Place> =
            vec![Place { vertex: start.vertex, choices: self.choices(start, start.vertex, 0, meter)? }];
        let mut walk: Walk = Vec::new();
        let mut answer = None;
        while let Some(place) = path.last_mut() {
            let Some((target, state, relation)) = place.choices.pop() else {
                if place.vertex != start.vertex {
                    self.on_path[place.vertex as usize] = false;
                }
                path.pop();
                walk.pop();
                continue;
            };
            let from = place.vertex;
            let steps = id(path.len());
            if target == start.vertex {
                if self.automaton.accepts(state) && steps > 1 {
                    walk.push((from, relation));
                    if steps <= limit && length(&walk) < bound {
                        answer = Some(walk.clone());
                        break;
                    }
                    walk.pop();
                    if steps > limit {
                        cut = cut.min(steps);
                    }
                }
                continue;
            }
            let remaining = self.remaining[self.at(target, state)];
            if remaining == FAR || self.on_path[target as usize] {
                continue;
            }
            if steps.saturating_add(remaining) > limit {
                cut = cut.min(steps.saturating_add(remaining));
                continue;
            }
            self.on_path[target as usize] = true;
            walk.push((from, relation));
            let choices = self.choices(start, target, state, meter)?;
            path.push(Place { vertex: target, choices });
        }
        for place in path {
            self.on_path[place.vertex as usize] = false;
        }
        Ok((answer, cut))
    }

    /// The steps out of a vertex, through auxiliary vertices too, each once.
    fn choices(
        &mut self,
        start: Start,
        vertex: u32,
        state: u8,
        meter: &mut Meter<'_>,
    ) -> Result<Vec<(u32, u8, Relations)>, StoppedBy> {
        let mut found = Vec::new();
        let mut through: Vec<(u32, u8, Relations)> = Vec::new();
        for (target, relations) in self.local.graph.edges_from(vertex) {
            let relations = if state == 0 { relations & start.first } else { relations };
            for relation in relations.iter() {
                if let Some(next) = self.automaton.next(state, relation) {
                    let list = if self.local.graph.is_auxiliary(target) { &mut through } else { &mut found };
                    list.push((target, next, relation));
                }
            }
        }
        let mut at = 0;
        let mut seen = hashbrown::HashSet::with_hasher(foldhash::fast::RandomState::default());
        while let Some((auxiliary, state, relation)) = through.get(at).copied() {
            at += 1;
            let row = self.local.graph.row(auxiliary);
            self.spend(row.len(), meter)?;
            for edge in row {
                let target = self.local.graph.targets[edge];
                if target == vertex || !self.permits(start, target) {
                    continue; // a step that ends where it began is none
                }
                if self.local.graph.is_auxiliary(target) {
                    if seen.insert((target, state)) {
                        through.push((target, state, relation));
                    }
                } else {
                    found.push((target, state, relation));
                }
            }
        }
        self.spend(found.len(), meter)?;
        found.retain(|(target, _, _)| self.permits(start, *target));
        found.sort_unstable_by(|a, b| b.cmp(a)); // the last is tried first
        found.dedup_by_key(|choice| (choice.0, choice.1));
        Ok(found)
    }
}
