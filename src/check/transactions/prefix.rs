//! Prefix: each transaction reads a prefix of one commit order.
//!
//! Each transaction has two moments: its snapshot, and after that its commit. A reader's snapshot comes after the commit of whom it read
//! from, and before the commit of whoever installs the next version; versions are in the order of their commits. The guarantee holds if
//! and only if these moments can be ordered: a graph, and linear. (Snapshot isolation asks more: an installer's snapshot comes after
//! the commit of the version before. Then every rw stands between two others, and the graph itself can be walked: `graph`.)
//!
//! Exact where version orders are known. Where unobserved appends leave a choice it is none here: nobody read them, and any order of
//! the moments orders them. For unknown orders of versions that were read: [`super::orders`].
//! Source: the axiom is Biswas and Enea's (OOPSLA 2019), and without session order Burckhardt's; the two moments: Zhang et al., Viper
//! (EuroSys 2023).

use crate::budget::Meter;
use crate::graph::{
    Cycle, CycleStep, Edge, Graph, Pattern, Relations, RwRule, Search, components, shortest_cycle, topological,
};

/// A graph of snapshots (2t) and commits (2t + 1).
#[derive(Debug)]
pub(super) struct Moments {
    graph: Graph,
    allowed: Relations,
}

impl Moments {
    /// `order`: the orders beside the data that a snapshot contains.
    pub(super) fn new(graph: &Graph, order: Relations) -> Moments {
        let real = graph.real();
        let snapshot = |txn: u32| 2 * txn;
        let commit = |txn: u32| 2 * txn + 1;
        // Steps through an auxiliary vertex go to snapshots, or to commits: one vertex for each.
        let to_snapshot = |vertex: u32| 2 * vertex;
        let to_commit = |vertex: u32| 2 * vertex + 1;
        let mut edges = Vec::with_capacity(graph.edge_count() + real as usize);
        let later = order | Relations::WR;
        for txn in 0..real {
            edges.push(Edge { from: snapshot(txn), to: commit(txn), relations: Relations::WW });
            for (to, relations) in graph.edges_from(txn) {
                let mut push = |from, to, relations: Relations| {
                    if !relations.is_empty() {
                        edges.push(Edge { from, to, relations });
                    }
                };
                push(commit(txn), to_snapshot(to), relations & later);
                push(commit(txn), to_commit(to), relations & Relations::WW);
                push(snapshot(txn), to_commit(to), relations & Relations::RW);
            }
        }
        for vertex in real..graph.total() {
            for (to, relations) in graph.edges_from(vertex) {
                edges.push(Edge { from: to_snapshot(vertex), to: to_snapshot(to), relations });
                edges.push(Edge { from: to_commit(vertex), to: to_commit(to), relations });
            }
        }
        let graph = Graph::build(2 * real, 2 * (graph.total() - real), edges);
        Moments { graph, allowed: later | Relations::WW | Relations::RW }
    }

    /// An order of the transactions by commit; a good guess where there is none.
    pub(super) fn commits(&self) -> Vec<u32> {
        let moments = topological(&self.graph, self.allowed);
        moments
            .iter()
            .filter(|moment| !self.graph.is_auxiliary(**moment) && *moment % 2 == 1)
            .map(|moment| moment / 2)
            .collect()
    }

    /// The shortest cycle of each component, or what kept it from being found.
    pub(super) fn cycles(&self, meter: &mut Meter<'_>) -> Vec<Search> {
        let pattern = Pattern { allowed: self.allowed, rw: RwRule::Any, required: Relations::NONE };
        let found = components(&self.graph, self.allowed, false);
        found.iter().map(|component| of_transactions(shortest_cycle(&self.graph, component, &pattern, meter))).collect()
    }
}

/// From moments to transactions: a step from a snapshot to its own commit is none.
fn of_transactions(search: Search) -> Search {
    let Search::Found { cycle, minimum } = search else { return search };
    let mut steps: Vec<CycleStep> = cycle.steps;
    steps.retain(|step| step.from / 2 != step.to / 2);
    for step in &mut steps {
        (step.from, step.to) = (step.from / 2, step.to / 2);
    }
    let least = (0..steps.len()).min_by_key(|at| steps[*at].from).unwrap_or_default();
    steps.rotate_left(least);
    Search::Found { cycle: Cycle { steps }, minimum }
}

/// The shortest cycle that rules out prefix, or that there is none. Counts ww, wr and rw of the graph, and `order`: session order
/// for `prefix@biswas-enea`, nothing for `prefix`. In such a cycle each rw step follows directly one of wr or of `order`.
///
/// `minimum` is about moments: a cycle with fewer transactions may exist where the one found has more snapshots than need be.
#[must_use]
pub fn prefix(graph: &Graph, order: Relations, meter: &mut Meter<'_>) -> Search {
    let mut best = Search::Absent;
    for search in Moments::new(graph, order).cycles(meter) {
        best = match (best, search) {
            (Search::Found { cycle, minimum }, Search::Found { cycle: other, minimum: other_is }) => {
                let better = other.steps.len() < cycle.steps.len();
                if better {
                    Search::Found { cycle: other, minimum: other_is }
                } else {
                    Search::Found { cycle, minimum }
                }
            }
            (found @ Search::Found { .. }, _) | (Search::Absent, found) | (_, found @ Search::Found { .. }) => found,
            (stopped @ Search::Stopped(_), _) => stopped,
        };
    }
    best
}
