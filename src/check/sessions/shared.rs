//! The order of a server that went back by itself: writes that it has shown either before the other share a place.
//!
//! These are the components of what has to come before what. What a guarantee of sessions asks for lies within none of them, or the
//! server breaks it (see `node`); so all of that leads from an earlier place to a later one. Cost: linear but for sorting.

use super::arbitrations::Line;
use super::facts::{Facts, id};
use crate::graph::{Edge, Graph, Relations, components, topological};
use crate::workload::accesses::NONE;

/// The counted writes, in an order that contains these edges between rows, as far as they lead in no circle.
pub(super) fn shared(facts: &Facts<'_, '_>, edges: impl Iterator<Item = (u32, u32)>) -> Line {
    let count = facts.accesses.len();
    let edges = edges.map(|(from, to)| Edge { from, to, relations: Relations::WW }).collect();
    let graph = Graph::build(id(count), 0, edges);
    let mut component = vec![NONE; count];
    for (number, part) in (0..).zip(&components(&graph, Relations::WW, false)) {
        part.real().iter().for_each(|row| component[*row as usize] = number);
    }
    let mut order = topological(&graph, Relations::WW);
    order.retain(|row| facts.accesses.writes[*row as usize] && facts.counted[*row as usize]);
    let same = |a: &u32, b: &u32| component[*a as usize] != NONE && component[*a as usize] == component[*b as usize];
    for group in order.chunk_by_mut(same) {
        // Versions in the order that is known of them.
        group.sort_by_key(|row| facts.enter[facts.version(*row) as usize]);
    }
    let shares = (1..order.len()).filter(|at| same(&order[at - 1], &order[*at])).map(id).collect();
    Line { rows: order, shares }
}
