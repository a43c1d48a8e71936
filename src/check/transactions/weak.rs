//! The weak guarantees: read-committed (Biswas and Enea's), read-atomic, causal, in both readings.
//!
//! Decides whether some total order of the transactions satisfies the [`Axiom`], version orders included as far as they are known.
//! Exact: what the axiom infers does not depend on the order, so the order exists if and only if session order (where it counts), wr,
//! the known version orders and all that is inferred have no cycle together. Internal consistency, and reads of aborted,
//! intermediate or unwritten versions, are the caller's.
//!
//! Cost: O(n^1.5) for read-committed and read-atomic, O(n k) for causal ([`super::causality`]), under the meter; the cycle after that
//! is the shortest.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::axioms::{Axiom, Inferred, infer};
use super::dependencies::possible;
use super::view::{INITIAL, Names, TxnView};
use crate::budget::Meter;
use crate::graph::{CycleStep, Edge, Graph, Pattern, Relations, RwRule, Search, components, shortest_cycle};
use crate::verdict::StoppedBy;

/// What became of a guarantee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Weak {
    /// There is an order.
    Holds,
    /// There is none.
    Violated {
        /// Transactions each of which must commit before the next, and the last before the first.
        cycle: Vec<CommitStep>,
        /// Whether no such cycle has fewer.
        minimum: bool,
    },
    /// This ended the check.
    Unknown(StoppedBy),
}

/// `from` must commit before `to`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitStep {
    /// A transaction, or [`INITIAL`].
    pub from: u32,
    /// Another one, or [`INITIAL`], before which nothing commits.
    pub to: u32,
    /// Why.
    pub why: Why,
}

/// Why a transaction must commit before another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// It comes before it in their session.
    Session,
    /// The other one read its version of this key.
    Read {
        /// Which.
        key: u32,
    },
    /// Its version of this key comes before the other one's.
    Version {
        /// Which.
        key: u32,
    },
    /// It wrote the initial versions.
    Initial,
    /// `reader` saw `from`, which installs `key`, and yet read it from `to`.
    Seen {
        /// Which.
        key: u32,
        /// Who read it from `to`.
        reader: u32,
        /// How it saw `from`: step by step, from `from` to the reader, each by session order or a read.
        through: Vec<CommitStep>,
    },
}

/// Judges one axiom. For several of one view, [`Axioms`] shares the work.
#[must_use]
pub fn check(view: &TxnView, axiom: Axiom, meter: &mut Meter<'_>) -> Weak {
    Axioms::new(view).check(axiom, meter)
}

/// Judges axioms of one view.
#[derive(Debug)]
pub struct Axioms<'a> {
    view: &'a TxnView,
    /// All that is known and all version orders that are possible.
    graph: Option<Graph>,
    /// Without and with session order.
    cores: [Option<Vec<(TxnView, Names)>>; 2],
}

impl<'a> Axioms<'a> {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(view: &'a TxnView) -> Axioms<'a> {
        Axioms { view, graph: None, cores: [None, None] }
    }

    /// Judges one.
    #[must_use]
    pub fn check(&mut self, axiom: Axiom, meter: &mut Meter<'_>) -> Weak {
        let view = self.view;
        let sessions = axiom.has_sessions();
        let graph = self.graph.get_or_insert_with(|| {
            let known = view.dependencies(view.len());
            possible(view.len(), known.auxiliary, || known.edges.iter().copied(), &known.choices)
        });
        let cores = self.cores[usize::from(sessions)].get_or_insert_with(|| cores(view, graph, sessions));
        let mut result = Weak::Holds;
        for (part, names) in cores {
            let found = judge(part, axiom, meter).unwrap_or_else(Weak::Unknown);
            result = match (result, found) {
                (Weak::Violated { cycle, minimum }, Weak::Violated { cycle: other, minimum: other_is }) => {
                    if other.len() < cycle.len() {
                        Weak::Violated { cycle: named(other, names), minimum: other_is }
                    } else {
                        Weak::Violated { cycle, minimum }
                    }
                }
                (_, Weak::Violated { cycle, minimum }) => Weak::Violated { cycle: named(cycle, names), minimum },
                (violated @ Weak::Violated { .. }, _) => violated,
                (Weak::Holds, found) => found,
                (unknown @ Weak::Unknown(_), _) => unknown,
            };
            if matches!(&result, Weak::Violated { cycle, .. } if cycle.len() == 2) {
                break;
            }
        }
        result
    }
}

/// The parts of a view in which an axiom can fail.
///
/// Let the graph have all that is known and all version orders that are possible. Where an axiom fails, wr, session order, known version orders
/// and inferences form a cycle there: an inference is a possible version order, or contradicts a known one, in which case the reader's rw
/// leads to what it saw. In both cases who was seen, the reader, and what leads from one to the other are in one component,
/// and one without adjacent rw: the only rw is the reader's. So each component is judged apart; who else installed what its members read
/// takes part in no cycle but one through a known version order, and goes with it ([`TxnView::part`]).
fn cores(view: &TxnView, graph: &Graph, sessions: bool) -> Vec<(TxnView, Names)> {
    let data = Relations::WW | Relations::WR | Relations::RW;
    let allowed = if sessions { data | Relations::PROCESS } else { data };
    components(graph, allowed, true).iter().map(|component| view.part(component.real())).collect()
}

fn named(mut cycle: Vec<CommitStep>, names: &Names) -> Vec<CommitStep> {
    let txn = |local: u32| if local == INITIAL { INITIAL } else { names.txns[local as usize] };
    for step in &mut cycle {
        (step.from, step.to) = (txn(step.from), txn(step.to));
        match &mut step.why {
            Why::Session | Why::Initial => {}
            Why::Read { key } | Why::Version { key } => *key = names.keys[*key as usize],
            Why::Seen { key, reader, through } => {
                (*key, *reader) = (names.keys[*key as usize], txn(*reader));
                *through = named(std::mem::take(through), names); // one level: hops are direct
            }
        }
    }
    cycle
}

fn judge(view: &TxnView, axiom: Axiom, meter: &mut Meter<'_>) -> Result<Weak, StoppedBy> {
    let initial = view.len(); // stands for INITIAL
    let known = view.dependencies(initial + 1);
    let base = Relations::WR | if axiom.has_sessions() { Relations::PROCESS } else { Relations::NONE };
    let mut edges = known.edges;
    edges.retain(|edge| edge.relations.intersects(base | Relations::WW | Relations::LINK));
    let graph = Graph::build(initial + 1, known.auxiliary, edges.clone());
    if !components(&graph, base, false).is_empty() {
        return explain(view, axiom, &graph, base, meter);
    }
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut tidy = 1 << 20;
    infer(view, axiom, meter, &mut |inferred: Inferred| {
        if inferred.after == INITIAL {
            pairs.push((inferred.before, initial));
            pairs.push((initial, inferred.before));
        } else {
            pairs.push((inferred.before, inferred.after));
        }
        if pairs.len() >= tidy {
            pairs.sort_unstable();
            pairs.dedup();
            tidy = tidy.max(2 * pairs.len());
        }
    })?;
    edges.extend(pairs.iter().map(|(from, to)| Edge { from: *from, to: *to, relations: Relations::WW }));
    drop(pairs);
    let graph = Graph::build(initial + 1, known.auxiliary, edges);
    explain(view, axiom, &graph, base | Relations::WW, meter)
}

/// The shortest cycle of these relations, if there is one, and why each step of it holds.
fn explain(
    view: &TxnView,
    axiom: Axiom,
    graph: &Graph,
    allowed: Relations,
    meter: &mut Meter<'_>,
) -> Result<Weak, StoppedBy> {
    let mut best: Option<(Vec<CycleStep>, bool)> = None;
    let mut stopped = None;
    let pattern = Pattern { allowed, rw: RwRule::None, required: Relations::NONE };
    for component in &components(graph, allowed, false) {
        match shortest_cycle(graph, component, &pattern, meter) {
            Search::Found { cycle, minimum } => {
                if best.as_ref().is_none_or(|(steps, _)| cycle.steps.len() < steps.len()) {
                    best = Some((cycle.steps, minimum));
                }
            }
            Search::Absent => {}
            Search::Stopped(by) => {
                stopped.get_or_insert(by);
            }
        }
        if best.as_ref().is_some_and(|(steps, _)| steps.len() == 2) {
            break;
        }
    }
    let Some((steps, minimum)) = best else {
        // A component without a cycle was not searched to its end.
        return stopped.map_or(Ok(Weak::Holds), Err);
    };
    let minimum = minimum && (stopped.is_none() || steps.len() == 2);
    Ok(Weak::Violated { cycle: reasons(view, axiom, &steps, meter)?, minimum })
}

fn reasons(
    view: &TxnView,
    axiom: Axiom,
    steps: &[CycleStep],
    meter: &mut Meter<'_>,
) -> Result<Vec<CommitStep>, StoppedBy> {
    let name = |vertex: u32| if vertex == view.len() { INITIAL } else { vertex };
    let mut found: Vec<CommitStep> = Vec::new();
    let mut open: HashMap<(u32, u32), usize, foldhash::fast::RandomState> = HashMap::default();
    for (at, step) in steps.iter().enumerate() {
        let (from, to) = (name(step.from), name(step.to));
        // The plainest reason there is.
        let why = if from == INITIAL {
            Why::Initial
        } else if to != INITIAL && (step.relation != Relations::WW || is_direct(view, axiom, from, to)) {
            direct(view, from, to)
        } else if let Some(key) = view.known_order(from, to) {
            Why::Version { key }
        } else {
            open.insert((from, to), at);
            Why::Session // until the inference is found again, below
        };
        found.push(CommitStep { from, to, why });
    }
    if !open.is_empty() {
        let mut premises: Vec<Option<Inferred>> = vec![None; steps.len()];
        infer(view, axiom, meter, &mut |inferred: Inferred| {
            if let Some(at) = open.get(&(inferred.before, inferred.after)) {
                premises[*at].get_or_insert(inferred);
            }
        })?;
        for (step, premise) in found.iter_mut().zip(premises) {
            if let Some(Inferred { before, key, reader, .. }) = premise {
                step.why = Why::Seen { key, reader, through: way(view, axiom, before, reader, meter)? };
            }
        }
    }
    Ok(found)
}

/// Whether a transaction read from another, or follows it in its session, where that counts.
fn is_direct(view: &TxnView, axiom: Axiom, from: u32, to: u32) -> bool {
    view.reads(to).iter().any(|read| read.writer == from) || (axiom.has_sessions() && view.before(to) == Some(from))
}

/// Why a direct step holds.
fn direct(view: &TxnView, from: u32, to: u32) -> Why {
    let read = view.reads(to).iter().find(|read| read.writer == from);
    read.map_or(Why::Session, |read| Why::Read { key: read.key })
}

/// How a reader sees a transaction: the fewest steps of session order and reads that lead from it to the reader.
pub(super) fn way(
    view: &TxnView,
    axiom: Axiom,
    seen: u32,
    reader: u32,
    meter: &mut Meter<'_>,
) -> Result<Vec<CommitStep>, StoppedBy> {
    let step = |from: u32, to: u32| CommitStep { from, to, why: direct(view, from, to) };
    if axiom == Axiom::ReadAtomicBiswasEnea || is_direct(view, axiom, seen, reader) {
        return Ok(vec![step(seen, reader)]); // by a read, or earlier in the session
    }
    let mut after: HashMap<u32, u32, foldhash::fast::RandomState> = HashMap::default();
    let mut open = VecDeque::from([reader]);
    while let Some(txn) = open.pop_front() {
        if txn == seen {
            break;
        }
        meter.steps(1 + u32::try_from(view.reads(txn).len()).unwrap_or(u32::MAX))?;
        let session = view.before(txn).filter(|_| axiom.has_sessions());
        let leads = view.reads(txn).iter().map(|read| read.writer).filter(|writer| *writer != INITIAL).chain(session);
        for before in leads {
            after.entry(before).or_insert_with(|| {
                open.push_back(before);
                txn
            });
        }
    }
    let mut way = Vec::new();
    let mut at = seen;
    while at != reader
        && let Some(next) = after.get(&at).copied()
    {
        way.push(step(at, next));
        at = next;
    }
    Ok(way)
}
