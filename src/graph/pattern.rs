//! A type of cycle, and the automaton that reads its steps.
//!
//! The automaton runs along a closed walk from any of its vertices, and accepts it on return if the walk, read as a cycle, is of the
//! type: so it remembers the first relation where the last and the first are adjacent. States that differ in nothing that matters
//! are one: G0 and "any" need a single state, G-single two.

use super::Relations;

/// What a cycle may and must consist of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// The relations that may occur.
    pub allowed: Relations,
    /// How many rw, and where.
    pub rw: RwRule,
    /// Each of these occurs at least once.
    pub required: Relations,
}

/// How many rw steps a cycle has, and where. Adjacent is meant cyclically: the last step and the first are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RwRule {
    /// None: G0, G1c.
    None,
    /// Exactly one: G-single.
    One,
    /// Two or more, no two adjacent: G-nonadjacent.
    NonAdjacent,
    /// Any number, no two adjacent: what snapshot isolation forbids.
    Separate,
    /// At least two adjacent: G2.
    Adjacent,
    /// Any number.
    Any,
}

impl Pattern {
    /// The relations that may occur, the rule considered.
    #[must_use]
    pub(super) fn usable(&self) -> Relations {
        let allowed = self.allowed.without(Relations::LINK);
        if self.rw == RwRule::None { allowed.without(Relations::RW) } else { allowed }
    }

    /// The relations that each cycle of the type has.
    pub(super) fn mandatory(&self) -> Relations {
        match self.rw {
            RwRule::None | RwRule::Separate | RwRule::Any => self.required,
            RwRule::One | RwRule::NonAdjacent | RwRule::Adjacent => self.required | Relations::RW,
        }
    }

    /// Whether cycles of the type have no two adjacent rw steps.
    pub(super) fn no_adjacent_rw(&self) -> bool {
        matches!(self.rw, RwRule::None | RwRule::One | RwRule::NonAdjacent | RwRule::Separate)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct State {
    first_rw: bool,
    last_rw: bool,
    adjacent: bool,
    /// Up to two.
    rw: u8,
    missing: Relations,
}

/// The type's automaton, its states dense. State 0 is before the first step.
#[derive(Debug)]
pub(super) struct Automaton {
    states: usize,
    /// By state and relation (its bit's position): the next state, if the type allows the step.
    next: Vec<[Option<u8>; 5]>,
    accepts: Vec<bool>,
    /// The least number of steps that a cycle of the type may have.
    pub(super) shortest: u32,
    /// The least number of rw steps among such.
    pub(super) fewest_rw: u8,
}

impl Automaton {
    pub(super) fn new(pattern: &Pattern) -> Automaton {
        // The start looks like no state that a step leads to: it is listed first and never looked up.
        let start = State { missing: pattern.required.without(Relations::LINK), ..State::default() };
        let mut states = vec![start];
        let mut next = Vec::new();
        let mut at = 0;
        while at < states.len() {
            let mut row = [None; 5];
            for relation in pattern.usable().iter() {
                if let Some(state) = step(pattern, states[at], relation, at == 0) {
                    let found = states.iter().skip(1).position(|known| *known == state);
                    let index = found.map_or(states.len(), |place| place + 1);
                    if found.is_none() {
                        states.push(state);
                    }
                    row[place(relation)] = u8::try_from(index).ok();
                }
            }
            next.push(row);
            at += 1;
        }
        let accepts = states.iter().enumerate().map(|(at, state)| at > 0 && accepts(pattern, *state)).collect();
        let mut automaton = Automaton { states: states.len(), next, accepts, shortest: u32::MAX, fewest_rw: 0 };
        automaton.measure();
        automaton
    }

    pub(super) fn states(&self) -> usize {
        self.states
    }

    /// The state after one more step, if the type allows it.
    pub(super) fn next(&self, state: u8, relation: Relations) -> Option<u8> {
        self.next[usize::from(state)][place(relation)]
    }

    /// Whether a walk that has come back in this state is of the type.
    pub(super) fn accepts(&self, state: u8) -> bool {
        self.accepts[usize::from(state)]
    }

    /// Finds the least word of two or more steps, by layers: after so many steps, the fewest rw that lead to each state.
    fn measure(&mut self) {
        let mut reached = vec![None; self.states];
        reached[0] = Some(0u8);
        for steps in 1..=2 * u32::try_from(self.states).unwrap_or(u32::MAX / 2) + 2 {
            let mut after = vec![None; self.states];
            for (state, rw) in reached.iter().enumerate().filter_map(|(state, rw)| rw.map(|rw| (state, rw))) {
                for (place, next) in self.next[state].iter().enumerate() {
                    let rw = rw + u8::from(place == PLACE_OF_RW);
                    if let Some(next) = next.map(usize::from)
                        && after[next].is_none_or(|known| rw < known)
                    {
                        after[next] = Some(rw);
                    }
                }
            }
            reached = after;
            let done =
                reached.iter().zip(&self.accepts).filter(|(_, accepts)| **accepts).filter_map(|(rw, _)| *rw).min();
            if let (Some(rw), true) = (done, steps >= 2) {
                (self.shortest, self.fewest_rw) = (steps, rw);
                return;
            }
        }
    }
}

const PLACE_OF_RW: usize = 4;

fn place(relation: Relations) -> usize {
    relation.0.trailing_zeros() as usize
}

fn step(pattern: &Pattern, from: State, relation: Relations, first: bool) -> Option<State> {
    let rw = relation == Relations::RW;
    let mut to = State {
        first_rw: if first { rw } else { from.first_rw },
        last_rw: rw,
        adjacent: from.adjacent || (rw && from.last_rw),
        rw: (from.rw + u8::from(rw)).min(2),
        missing: from.missing.without(relation),
    };
    let rule = match pattern.rw {
        RwRule::None => !rw,
        RwRule::One => to.rw <= 1,
        RwRule::NonAdjacent | RwRule::Separate => !to.adjacent,
        RwRule::Adjacent | RwRule::Any => true,
    };
    // Forget what no longer matters.
    match pattern.rw {
        RwRule::None | RwRule::Any => (to.first_rw, to.last_rw, to.adjacent, to.rw) = (false, false, false, 0),
        RwRule::One => (to.first_rw, to.last_rw, to.adjacent) = (false, false, false),
        RwRule::NonAdjacent => {}
        RwRule::Separate => to.rw = 0,
        RwRule::Adjacent => {
            to.rw = 0;
            if to.adjacent {
                (to.first_rw, to.last_rw) = (false, false);
            }
        }
    }
    rule.then_some(to)
}

fn accepts(pattern: &Pattern, state: State) -> bool {
    let seam = state.first_rw && state.last_rw;
    state.missing.is_empty()
        && match pattern.rw {
            RwRule::None | RwRule::Any => true,
            RwRule::One => state.rw == 1,
            RwRule::NonAdjacent => state.rw == 2 && !seam,
            RwRule::Separate => !seam,
            RwRule::Adjacent => state.adjacent || seam,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the least word of each type is the one that its definition gives by hand.
    #[test]
    fn least_words() {
        let all = Relations::WW | Relations::WR | Relations::RW | Relations::PROCESS | Relations::REALTIME;
        let least = |rw, required| {
            let automaton = Automaton::new(&Pattern { allowed: all, rw, required });
            (automaton.shortest, automaton.fewest_rw)
        };
        assert_eq!(least(RwRule::None, Relations::NONE), (2, 0));
        assert_eq!(least(RwRule::One, Relations::NONE), (2, 1));
        assert_eq!(least(RwRule::NonAdjacent, Relations::NONE), (4, 2));
        assert_eq!(least(RwRule::Adjacent, Relations::NONE), (2, 2));
        assert_eq!(least(RwRule::Adjacent, Relations::REALTIME), (3, 2));
        assert_eq!(least(RwRule::None, Relations::WR | Relations::PROCESS | Relations::REALTIME), (3, 0));
        assert_eq!(least(RwRule::NonAdjacent, Relations::WR | Relations::REALTIME), (4, 2));
    }

    /// Goal: the automata stay small, since the search pays for each state.
    #[test]
    fn small() {
        let all = Relations::WW | Relations::WR | Relations::RW;
        let states = |rw, required| Automaton::new(&Pattern { allowed: all, rw, required }).states();
        assert_eq!(states(RwRule::None, Relations::NONE), 2);
        assert_eq!(states(RwRule::None, Relations::WR), 3);
        assert_eq!(states(RwRule::One, Relations::NONE), 3);
        assert!(states(RwRule::NonAdjacent, Relations::NONE) <= 10);
        assert!(states(RwRule::Adjacent, Relations::NONE) <= 6);
    }
}
