//! What the future needs of a state: which operations that have yet to begin observe it, and who can still bring it back.
//!
//! Only where the specification names one state that each class observes and one that it produces (a register does).

use super::Specification;
use super::plan::{NONE, Plan};

/// Whether a state can be left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leave {
    /// Nobody needs it, or an operation that has yet to begin can bring it back in time.
    Freely,
    /// Only if a pending or crashed operation, begun by this position, is left to bring it back.
    IfProducible(u32),
}

/// Observers and producers of each state.
pub(super) struct Outlook {
    /// For each state, where its part of the columns below ends.
    observer_ends: Vec<u32>,
    observer_began: Vec<u32>,
    /// The earliest completion among this observer of the state and those that begin after it.
    observer_due: Vec<u32>,
    producer_ends: Vec<u32>,
    producer_began: Vec<u32>,
    /// For each state, the last level at which an observer completes; none where there is no observer.
    last_observer: Vec<Option<u32>>,
}

fn part<'a>(ends: &[u32], column: &'a [u32], state: u32) -> &'a [u32] {
    let Some(end) = ends.get(state as usize) else { return &[] };
    let start = if state == 0 { 0 } else { ends[state as usize - 1] };
    &column[start as usize..*end as usize]
}

impl Outlook {
    /// Nothing, where the specification does not say enough.
    pub(super) fn new(plan: &Plan, spec: &impl Specification) -> Option<Outlook> {
        let classes = 0..spec.classes();
        let says = |class: u32| spec.produces(class).is_some();
        if !classes.clone().any(says) || !classes.clone().all(|class| spec.pure(class) || says(class)) {
            return None;
        }
        let named = classes.clone().flat_map(|class| [spec.observes(class), spec.produces(class)]).flatten();
        let states = named.max().map_or(0, |last| last as usize + 1);
        let mut observers: Vec<(u32, u32, u32)> = Vec::new();
        let mut producers: Vec<(u32, u32)> = Vec::new();
        let mut last_observer = vec![None; states];
        for (level, (class, began)) in (0u32..).zip(plan.class.iter().zip(&plan.began)) {
            if let Some(state) = spec.observes(*class) {
                observers.push((state, *began, plan.ended[level as usize]));
                last_observer[state as usize] = Some(level);
            }
            if let Some(state) = spec.produces(*class) {
                producers.push((state, *began));
            }
        }
        for crashed in &plan.crashed {
            if let Some(state) = spec.observes(crashed.class) {
                last_observer[state as usize] = Some(NONE);
            }
        }
        observers.sort_unstable();
        producers.sort_unstable();
        let mut due: Vec<u32> = observers.iter().map(|(.., ended)| *ended).collect();
        for at in (1..observers.len()).rev() {
            if observers[at - 1].0 == observers[at].0 {
                due[at - 1] = due[at - 1].min(due[at]);
            }
        }
        let ends = |of: &dyn Fn(u32) -> usize| -> Vec<u32> {
            let states = u32::try_from(states).unwrap_or(u32::MAX);
            (0..states).map(|state| u32::try_from(of(state)).unwrap_or(u32::MAX)).collect()
        };
        Some(Outlook {
            observer_ends: ends(&|state| observers.partition_point(|(other, ..)| *other <= state)),
            observer_began: observers.iter().map(|(_, began, _)| *began).collect(),
            observer_due: due,
            producer_ends: ends(&|state| producers.partition_point(|(other, _)| *other <= state)),
            producer_began: producers.iter().map(|(_, began)| *began).collect(),
            last_observer,
        })
    }

    /// How many states have a number here: the others are neither observed nor produced.
    pub(super) fn states(&self) -> usize {
        self.last_observer.len()
    }

    /// Whether the state can be left at this position.
    pub(super) fn leave(&self, state: u32, now: u32) -> Leave {
        let began = part(&self.observer_ends, &self.observer_began, state);
        let next = began.partition_point(|began| *began <= now);
        let Some(due) = part(&self.observer_ends, &self.observer_due, state).get(next) else { return Leave::Freely };
        let producers = part(&self.producer_ends, &self.producer_began, state);
        let after = producers.partition_point(|began| *began <= now);
        match producers.get(after) {
            Some(began) if began <= due => Leave::Freely,
            _ => Leave::IfProducible(*due),
        }
    }

    /// Whether nobody observes the state from this level on.
    #[inline]
    pub(super) fn unseen(&self, state: u32, level: u32) -> bool {
        match self.last_observer.get(state as usize) {
            Some(Some(last)) => *last < level,
            _ => true,
        }
    }
}
