//! Classes of crashed operations, by the state that they need.

use super::Specification;
use super::plan::{NONE, Plan};

/// Places of classes among the plan's crashed ones.
pub(super) struct Crashes {
    /// Those of which it is not known that they need one state.
    anywhere: Vec<u32>,
    /// For each state, those that need it.
    from: Vec<Vec<u32>>,
    /// For each state, when the first that needs it began.
    first: Vec<u32>,
}

impl Crashes {
    pub(super) fn new(plan: &Plan, spec: &impl Specification, states: usize) -> Crashes {
        let mut crashes = Crashes { anywhere: Vec::new(), from: vec![Vec::new(); states], first: vec![NONE; states] };
        for (place, crashed) in (0u32..).zip(&plan.crashed) {
            match spec.observes(crashed.class).map(|state| state as usize).filter(|state| *state < states) {
                Some(state) => {
                    crashes.from[state].push(place);
                    crashes.first[state] = crashes.first[state].min(crashed.began[0]);
                }
                None => crashes.anywhere.push(place),
            }
        }
        crashes
    }

    /// How many may be legal in this state.
    pub(super) fn from(&self, state: u32) -> usize {
        self.anywhere.len() + self.from.get(state as usize).map_or(0, Vec::len)
    }

    /// The place of one of these, by its number.
    pub(super) fn place(&self, state: u32, number: usize) -> u32 {
        match self.anywhere.get(number) {
            Some(place) => *place,
            None => self.from[state as usize][number - self.anywhere.len()],
        }
    }

    /// Whether one that began by now needs this state.
    pub(super) fn observe(&self, state: u32, now: u32) -> bool {
        self.first.get(state as usize).is_some_and(|began| *began <= now)
    }
}
