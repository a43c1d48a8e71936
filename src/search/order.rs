//! From the configuration in which everything has completed to the order that led there: its steps are gone through once
//! more, and all that they took is written down, what was taken without a choice included.

use super::Specification;
use super::configuration::Configuration;
use super::engine::Engine;
use super::path::Took;
use crate::verdict::StoppedBy;

/// What became of an order that used crashed operations.
pub(super) enum Retraced {
    /// By number among the operations given.
    Order(Vec<u32>),
    /// It used more of these classes, by their places, than there were; and whenever it used one of them, this operation was
    /// to complete next.
    Missing { places: Vec<u32>, due: Vec<u32> },
}

impl<S: Specification, const WORDS: usize> Engine<'_, '_, S, WORDS> {
    /// The order that led to this step.
    pub(super) fn retrace(&mut self, last: u32) -> Result<Retraced, StoppedBy> {
        let plan = self.plan;
        let mut order: Vec<u32> = Vec::with_capacity(plan.len());
        // Those that come before a place of this order, where nobody sees them.
        let mut hidden: Vec<(usize, u32)> = Vec::new();
        let mut overwritten = 0;
        let mut missing: Vec<u32> = Vec::new();
        let mut used = vec![0; plan.crashed.len()];
        let mut uses: Vec<(u32, u32)> = Vec::new();
        let mut it = Configuration::<WORDS>::new(0, 0);
        for took in self.paths.up_to(last) {
            let (class, origin) = match took {
                Took::Beginning(state) => {
                    it.state = state;
                    self.settle(&mut it, &mut |rank| order.push(plan.origin[rank as usize]))?;
                    continue;
                }
                Took::Hidden(rank) => {
                    it.take(plan.lane[rank as usize]);
                    hidden.push((overwritten, plan.origin[rank as usize]));
                    self.settle(&mut it, &mut |rank| order.push(plan.origin[rank as usize]))?;
                    continue;
                }
                Took::Sure(rank) => {
                    it.take(plan.lane[rank as usize]);
                    (plan.class[rank as usize], plan.origin[rank as usize])
                }
                Took::Crashed(place) => {
                    let (crashed, used) = (&plan.crashed[place as usize], &mut used[place as usize]);
                    let began = crashed.began.get(*used).filter(|began| **began <= plan.ended[it.level as usize]);
                    if began.is_none() && !missing.contains(&place) {
                        missing.push(place);
                    }
                    *used += 1;
                    uses.push((place, plan.origin[it.level as usize]));
                    (crashed.class, crashed.origin.get(*used - 1).copied().unwrap_or(u32::MAX))
                }
            };
            let state = self.spec.step(it.state, class);
            debug_assert!(state.is_some(), "what the search took was legal");
            it.state = state.unwrap_or(it.state);
            if self.spec.overwrites(class) {
                overwritten = order.len();
            }
            order.push(origin);
            self.settle(&mut it, &mut |rank| order.push(plan.origin[rank as usize]))?;
        }
        if missing.is_empty() {
            return Ok(Retraced::Order(merged(&order, hidden)));
        }
        let due = uses.into_iter().filter(|(place, _)| missing.contains(place)).map(|(_, due)| due).collect();
        Ok(Retraced::Missing { places: missing, due })
    }
}

/// The order, with each hidden operation before the place that it was hidden at. Places ascend.
fn merged(order: &[u32], hidden: Vec<(usize, u32)>) -> Vec<u32> {
    let mut all = Vec::with_capacity(order.len() + hidden.len());
    let mut hidden = hidden.into_iter().peekable();
    for (place, operation) in order.iter().enumerate() {
        while let Some((_, operation)) = hidden.next_if(|(before, _)| *before <= place) {
            all.push(operation);
        }
        all.push(*operation);
    }
    all
}
