//! Classes of crashed operations: by the state that they need, and in pools of those that leave the same state behind.

use super::Specification;
use super::plan::{NONE, Plan};

/// Places of classes among the plan's crashed ones.
pub(super) struct Crashes {
    /// Those of which it is not known that they need one state.
    anywhere: Vec<u32>,
    /// For each state, those that need it.
    from: Vec<Vec<u32>>,
    /// For each state, the place of the class that leaves it behind, whatever was there.
    write: Vec<u32>,
    /// The pool of each place; none where it is not known what its class leaves behind.
    pool: Vec<u32>,
    /// When the operations of each pool began, ascending.
    began: Vec<Vec<u32>>,
}

impl Crashes {
    pub(super) fn new(plan: &Plan, spec: &impl Specification, states: usize) -> Crashes {
        let mut crashes = Crashes {
            anywhere: Vec::new(),
            from: vec![Vec::new(); states],
            write: vec![NONE; states],
            pool: Vec::new(),
            began: Vec::new(),
        };
        let mut pools = vec![NONE; states];
        for (place, crashed) in (0u32..).zip(&plan.crashed) {
            match spec.observes(crashed.class).map(|state| state as usize).filter(|state| *state < states) {
                Some(state) => crashes.from[state].push(place),
                None => crashes.anywhere.push(place),
            }
            let produced = spec.produces(crashed.class);
            let Some(pool) = produced.and_then(|state| pools.get_mut(state as usize)) else {
                crashes.pool.push(NONE);
                continue;
            };
            if let (true, Some(state)) = (spec.overwrites(crashed.class), produced) {
                crashes.write[state as usize] = place;
            }
            if *pool == NONE {
                *pool = u32::try_from(crashes.began.len()).unwrap_or(NONE);
                crashes.began.push(Vec::new());
            }
            crashes.pool.push(*pool);
            crashes.began[*pool as usize].extend(&crashed.began);
        }
        for began in &mut crashes.began {
            began.sort_unstable();
        }
        crashes
    }

    /// How many pools.
    pub(super) fn pools(&self) -> usize {
        self.began.len()
    }

    /// The pool of the class at this place, if it is in one, and when the pool's operations began.
    pub(super) fn pool(&self, place: u32) -> Option<(u32, &[u32])> {
        let pool = *self.pool.get(place as usize)?;
        Some((pool, self.began.get(pool as usize)?))
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

    /// Those that need this state.
    pub(super) fn needing(&self, state: u32) -> &[u32] {
        self.from.get(state as usize).map_or(&[], Vec::as_slice)
    }

    /// The place of the class that leaves this state behind, whatever was there, if there is one.
    pub(super) fn write(&self, state: u32) -> Option<u32> {
        self.write.get(state as usize).copied().filter(|place| *place != NONE)
    }
}
