//! An order of commits that shows a guarantee: what `certificate::commits` looks through.
//!
//! A serial order shows all weaker levels with it, and an order of snapshots all that lie below these; so a level's own order is built
//! only where it is the strongest that holds. That one leads forward what the level says must be forward (ww and wr; orders of sessions;
//! orders of unread versions that were searched for), and of what is left as much as can be: the less reads miss, the sooner it
//! is looked through.
//!
//! Nothing is given away that wasn't looked through by the certificate's own code.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Evidence;
use super::versions::Versions;
use super::weaker::{self, Whole};
use crate::budget::{Budget, Meter};
use crate::certificate::{self, Beside, Claim};
use crate::check::transactions::levels::Form;
use crate::check::transactions::orders::{Choice, Level, Orders, choose};
use crate::check::transactions::prefix::Moments;
use crate::graph::{Edge, Graph, Part, Relations, Timed, topological};
use crate::guarantee::Guarantee;
use crate::history::OpId;
use crate::verdict::StoppedBy;
use crate::workload::Workload;
use crate::workload::list_append::ListAppend;

/// How an order is built.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// All dependencies forward.
    Serial(Form),
    /// Snapshots and commits, and nobody between who wrote the same.
    Snapshots(Form),
    /// What the guarantee itself asks.
    Own(Form),
}

/// The graph of a history's transactions, for all that is claimed of it.
pub(in crate::check) struct Commits<'a> {
    typed: &'a ListAppend<'a>,
    versions: Versions,
    choices: Vec<Choice>,
    graph: Timed,
    /// The same, written down without what did not happen: a serial order needs none of it.
    part: OnceCell<Part>,
}

impl<'a> Commits<'a> {
    pub(in crate::check) fn new(typed: &'a ListAppend<'a>) -> Commits<'a> {
        let (versions, _) = Versions::infer(typed);
        let evidence = Evidence::gather(typed, &versions);
        let (graph, choices) = (evidence.graph, evidence.dependencies.choices);
        Commits { typed, versions, choices, graph, part: OnceCell::new() }
    }

    fn happened(&self, vertex: u32) -> bool {
        self.versions.happened.get(vertex as usize).copied().unwrap_or(true)
    }

    fn part(&self) -> &Part {
        self.part.get_or_init(|| {
            let graph = self.graph.explicit();
            let is_there = |vertex: &u32| self.happened(*vertex);
            Part::new(&graph, (0..graph.total()).filter(is_there).collect(), Relations::ALL)
        })
    }

    /// What shows a guarantee of transactions, which was judged to hold as all of these were.
    pub(in crate::check) fn claim(
        &self,
        guarantee: Guarantee,
        holds: &[Guarantee],
        budget: &Budget,
        beside: &Beside<'_>,
    ) -> Claim {
        let evidence = certificate::Evidence::Absent;
        let mut claim = Claim { guarantee: guarantee.name().to_owned(), evidence, left_out: Vec::new() };
        for plan in plans(guarantee, holds) {
            let Ok(Some(order)) = self.order(plan, guarantee, budget) else { continue };
            let name = |vertex: &u32| self.typed.history().op(OpId(*vertex)).position();
            claim.evidence = certificate::Evidence::CommitOrder(order.iter().map(name).collect());
            if matches!(beside.rule(Workload::ListAppend.name(), &claim), certificate::Ruling::Proved(_)) {
                return claim;
            }
        }
        claim.evidence = certificate::Evidence::Absent;
        claim.left_out.push(format!("no order of commits that shows {guarantee} was found within the budget"));
        claim
    }

    /// An order of the transactions that happened; none, where what was planned can't be.
    fn order(&self, plan: Plan, guarantee: Guarantee, budget: &Budget) -> Result<Option<Vec<u32>>, StoppedBy> {
        let part = || {
            let part = self.part();
            (part, Whole { typed: self.typed, versions: &self.versions, part, choices: &self.choices })
        };
        let mut meter = budget.meter();
        let (part, order) = match plan {
            Plan::Serial(form) => {
                let order = self.graph.forward(data() | form.relations());
                return Ok(order.map(|order| order.into_iter().filter(|vertex| self.happened(*vertex)).collect()));
            }
            Plan::Snapshots(form) => {
                let (part, whole) = part();
                (part, by_snapshots(&whole, form, &mut meter)?)
            }
            Plan::Own(form) => {
                let (part, whole) = part();
                (part, as_asked(&whole, form, guarantee, &mut meter)?)
            }
        };
        Ok(order.map(|order| order.iter().map(|local| part.names[*local as usize]).collect()))
    }
}

/// The ways to an order, the one that is likeliest to do first.
fn plans(guarantee: Guarantee, holds: &[Guarantee]) -> Vec<Plan> {
    use Guarantee as G;
    let form = form(guarantee);
    let serial = [G::Serializable, G::StrongSessionSerializable, G::StrictSerializable];
    let snapshots = [G::SnapshotIsolation, G::StrongSessionSnapshotIsolation, G::StrongSnapshotIsolation];
    let mut plans = Vec::new();
    plans.extend(holds.contains(&serial[form as usize]).then_some(Plan::Serial(form)));
    plans.extend(holds.contains(&snapshots[form as usize]).then_some(Plan::Snapshots(form)));
    plans.push(Plan::Own(form));
    plans
}

/// The orders beside the data that a guarantee's order of commits contains.
fn form(guarantee: Guarantee) -> Form {
    use Guarantee as G;
    match guarantee {
        G::StrictSerializable | G::StrongSnapshotIsolation | G::StrongReadCommitted | G::StrongReadUncommitted => {
            Form::Strict
        }
        G::StrongSessionSerializable
        | G::SessionSerializable
        | G::StrongSessionSnapshotIsolation
        | G::StrongSessionReadCommitted
        | G::StrongSessionReadUncommitted
        | G::PrefixBiswasEnea
        | G::ReadAtomicBiswasEnea
        | G::ReadCommittedBiswasEnea
        | G::Causal => Form::Session,
        _ => Form::Plain,
    }
}

/// Commits and snapshots, where such orders of unread versions are found that nobody between wrote the same.
fn by_snapshots(whole: &Whole<'_>, form: Form, meter: &mut Meter<'_>) -> Result<Option<Vec<u32>>, StoppedBy> {
    let graph = &whole.part.graph;
    match choose(graph, form.relations(), &whole.choices(), Level::SnapshotIsolation, meter) {
        Orders::Possible(orders) => {
            let ordered = with(graph, in_a_row(&orders));
            Ok(Some(Moments::new(&ordered, form.relations()).commits()))
        }
        Orders::Impossible(_) => Ok(None),
        Orders::Unknown(by) => Err(by),
    }
}

/// An order of the part's transactions that leads forward what the guarantee itself asks.
fn as_asked(
    whole: &Whole<'_>,
    form: Form,
    guarantee: Guarantee,
    meter: &mut Meter<'_>,
) -> Result<Option<Vec<u32>>, StoppedBy> {
    use Guarantee as G;
    let graph = &whole.part.graph;
    Ok(match guarantee {
        G::RepeatableRead => Some(real(graph, topological(graph, data()))),
        G::Prefix | G::PrefixBiswasEnea => {
            let below = weaker::below_own_appends(whole, meter)?;
            Some(Moments::new(&with(graph, below), form.relations()).commits())
        }
        G::MonotonicSnapshotRead => Some(weaker::advancing_snapshots(whole, meter)?),
        _ => {
            let Some(led) = weaker::led_forward(whole, guarantee, meter)? else { return Ok(None) };
            let graph = with(graph, led);
            let versions = match guarantee {
                G::ReadUncommitted | G::StrongSessionReadUncommitted | G::StrongReadUncommitted => Relations::WW,
                _ => Relations::WW | Relations::WR,
            };
            forward(&graph, versions | form.relations(), &topological(&graph, data() | form.relations()))
        }
    })
}

/// Of the data: ww, wr, rw.
fn data() -> Relations {
    Relations::WW | Relations::WR | Relations::RW
}

fn real(graph: &Graph, order: Vec<u32>) -> Vec<u32> {
    order.into_iter().filter(|vertex| !graph.is_auxiliary(*vertex)).collect()
}

/// Each writer before the next.
pub(super) fn in_a_row(orders: &[Vec<u32>]) -> Vec<Edge> {
    let pairs = orders.iter().flat_map(|order| order.windows(2));
    pairs.map(|pair| Edge { from: pair[0], to: pair[1], relations: Relations::WW }).collect()
}

fn with(graph: &Graph, more: Vec<Edge>) -> Graph {
    let mut edges = crate::check::transactions::dependencies::edges_of(graph);
    edges.extend(more);
    Graph::build(graph.real(), graph.total() - graph.real(), edges)
}

/// An order that leads these relations forward, and keeps to the wished one beside; none, where they have a cycle.
fn forward(graph: &Graph, relations: Relations, wished: &[u32]) -> Option<Vec<u32>> {
    let total = graph.total() as usize;
    let mut place = vec![0u32; total];
    (0u32..).zip(wished).for_each(|(at, vertex)| place[*vertex as usize] = at);
    let leaves = |vertex: u32| {
        let row = graph.edges_from(vertex).filter(|(_, bits)| bits.intersects(relations | Relations::LINK));
        row.map(|(to, _)| to)
    };
    let mut waiting = vec![0u32; total];
    for to in (0..graph.total()).flat_map(leaves) {
        waiting[to as usize] += 1;
    }
    let ready = (0..graph.total()).filter(|vertex| waiting[*vertex as usize] == 0);
    let mut ready: BinaryHeap<Reverse<(u32, u32)>> =
        ready.map(|vertex| Reverse((place[vertex as usize], vertex))).collect();
    let mut order = Vec::with_capacity(graph.real() as usize);
    while let Some(Reverse((_, vertex))) = ready.pop() {
        if !graph.is_auxiliary(vertex) {
            order.push(vertex);
        }
        for to in leaves(vertex) {
            waiting[to as usize] -= 1;
            if waiting[to as usize] == 0 {
                ready.push(Reverse((place[to as usize], to)));
            }
        }
    }
    (order.len() == graph.real() as usize).then_some(order)
}
