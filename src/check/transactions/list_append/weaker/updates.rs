//! Update-serializable: the writing transactions are serializable, also together with any single one that only reads (Adya's G-update).
//!
//! All that leaves a transaction which only reads is rw. So where rw between writing transactions counts like any other dependency,
//! a circle through at most one reader is a cycle with at most one rw step: what consistent-view forbids, of another graph.
//!
//! Exact. Cost: linear where the writing transactions have a cycle among themselves, but for its search; else a search from each reader,
//! under the meter.

use super::scope::Scope;
use super::{Judged, Shown, at_most_one_rw, local_choices};
use crate::budget::Meter;
use crate::check::transactions::list_append::explain::Explainer;
use crate::check::transactions::orders::{Choice, Orders};
use crate::graph::{Cycle, CycleStep, Edge, Graph, Relations};
use crate::guarantee::Anomaly;
use crate::verdict::StoppedBy;
use crate::witness::Minimality;
use crate::witness::list_append::Dependency;
use crate::workload::list_append::MicroOp;

/// Judges it.
pub(super) fn judge(scope: &Scope<'_>, choices: &[Choice], meter: &mut Meter<'_>) -> Result<Judged, StoppedBy> {
    let graph = between_writers(scope);
    match at_most_one_rw(&graph, &local_choices(scope.part, choices), meter) {
        Orders::Possible(_) => Ok(Judged::Holds),
        Orders::Unknown(by) => Err(by),
        Orders::Impossible(cycles) => Ok(Judged::Violated(shown(scope, &cycles))),
    }
}

/// The graph, with rw between writing transactions as ww.
pub(super) fn between_writers(scope: &Scope<'_>) -> Graph {
    let known = &scope.part.graph;
    let data = Relations::WW | Relations::WR | Relations::RW;
    let mut edges = Vec::with_capacity(known.edge_count());
    for from in 0..known.total() {
        let writes = from < known.real() && writes(scope, from);
        for (to, relations) in known.edges_from(from) {
            let mut relations = relations & (data | Relations::LINK);
            if writes && relations.contains(Relations::RW) {
                relations = relations.without(Relations::RW) | Relations::WW;
            }
            if !relations.is_empty() {
                edges.push(Edge { from, to, relations });
            }
        }
    }
    Graph::build(known.real(), known.total() - known.real(), edges)
}

fn writes(scope: &Scope<'_>, local: u32) -> bool {
    let typed = scope.typed;
    typed.mops(scope.name(local)).any(|mop| matches!(typed.mop(mop), MicroOp::Append { .. }))
}

fn shown(scope: &Scope<'_>, cycles: &[Cycle]) -> Shown {
    let explainer = Explainer { typed: scope.typed, versions: scope.versions };
    let all: Option<Vec<Vec<Dependency>>> = cycles
        .iter()
        .map(|cycle| {
            let members: Vec<u32> = cycle.steps.iter().map(|step| scope.name(step.from)).collect();
            let one = |step: &CycleStep| {
                let (from, to) = (scope.name(step.from), scope.name(step.to));
                let relations = [step.relation, Relations::WW, Relations::WR, Relations::RW];
                let known = relations
                    .into_iter()
                    .find_map(|relation| explainer.dependency(CycleStep { from, to, relation }, &members));
                known.or_else(|| explainer.supposed(CycleStep { from, to, relation: Relations::WW }))
            };
            cycle.steps.iter().map(one).collect()
        })
        .collect();
    let single = cycles.len() == 1;
    let minimum = single && cycles[0].steps.len() == 2;
    let claim = all.and_then(|mut all| match all.pop() {
        Some(steps) if all.is_empty() => {
            let members: Vec<u32> = steps.iter().map(|step| step.from.0).collect();
            explainer.circle(Anomaly::GUpdate, steps, &members)
        }
        Some(last) => {
            all.push(last);
            explainer.every_circle(Anomaly::GUpdate, all)
        }
        None => None,
    });
    let minimality = if minimum { Minimality::Minimum } else { Minimality::Bounded };
    Shown { anomaly: Anomaly::GUpdate, count: 1, claim, minimality }
}
