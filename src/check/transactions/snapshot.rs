//! Snapshot isolation where the order of some writers is free: is there a schedule of snapshots and commits?
//!
//! Each transaction is a beginning (its snapshot) and a commit. A dependency puts a commit before a beginning, an rw edge a
//! beginning before a commit, and the graph without two adjacent rw edges in a row is acyclic exactly when these are. Writers
//! whose order is free may not overlap: one's commit comes before the other's beginning. That is a choice for each pair, so
//! the question is a search, which is made in three steps.
//!
//! 1. *A greedy schedule.* Beginnings and commits are listed in topological order, by the earliest completion (by position)
//!    that waits for them; who writes such an object holds it from its beginning to its commit. A schedule that is listed to
//!    its end is one: the guarantee holds.
//! 2. *Forced orders.* Where it gets stuck, a transaction `w` waits for an object that `v` holds. If `v`'s commit needs `w`'s
//!    beginning, then `v` can't come first: `w` before `v` is forced, in every schedule. The listing starts again with that.
//!    If forced orders alone make a circle, there is no schedule.
//! 3. *Guesses.* If nothing is forced, the first that waits goes first, as a guess. A schedule is a schedule, however it was
//!    guessed; a circle then says nothing, and the question stays open.
//!
//! Cost: O((V + E) log V) for each listing, [`ROUNDS`] of them at most, under the meter.
//!
//! Sources: Cerone and Gotsman (PODC 2016), theorem 10; Viper (EuroSys 2023) for beginnings and commits as vertices.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashMap;

use super::levels::{Forbidden, Form};
use crate::budget::Meter;
use crate::graph::{Graph, Relations};
use crate::verdict::StoppedBy;

type SeededMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// How often the listing starts again.
const ROUNDS: u32 = 200;

/// Whether the guarantee can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    /// There is a schedule.
    Exists,
    /// There is none: these two transactions can't be put in either order.
    Impossible(u32, u32),
    /// None was found, and none was excluded.
    Open,
    /// The search was ended.
    Stopped(StoppedBy),
}

/// Looks for a schedule. `choices`: transactions that may not overlap, for each object whose writers' order is free.
/// `completed`: for each transaction, the position by which it had taken effect, a large one where that is not known.
pub(super) fn schedule(
    graph: &Graph,
    form: Form,
    choices: &[&[u32]],
    completed: &[u32],
    meter: &mut Meter<'_>,
) -> Schedule {
    let mut search = Search {
        graph,
        plain: Forbidden::Dependencies.relations() | form.relations(),
        completed,
        held: SeededMap::default(),
        after: SeededMap::default(),
        orders: 0,
    };
    for (object, writers) in (0u32..).zip(choices) {
        for writer in *writers {
            search.held.entry(*writer).or_default().push(object);
        }
    }
    let mut guessed = false;
    let mut last = (0, 0);
    for _ in 0..ROUNDS {
        if let Err(by) = meter.steps(search.cost()) {
            return Schedule::Stopped(by);
        }
        let Some(deadlines) = search.deadlines() else {
            return if guessed { Schedule::Open } else { Schedule::Impossible(last.0, last.1) };
        };
        let stuck = search.list(&deadlines, choices.len());
        let Some(first) = stuck.first() else { return Schedule::Exists };
        let before = search.orders;
        for wait in stuck.iter().take(LOOK_AT) {
            if let Err(by) = meter.steps(search.cost()) {
                return Schedule::Stopped(by);
            }
            if search.needs(*wait) {
                search.order(*wait);
                last = (wait.waiter, wait.holder);
            }
        }
        if search.orders == before {
            guessed = true;
            search.order(*first);
        }
    }
    Schedule::Open
}

/// How many of those that wait are looked at in a round.
const LOOK_AT: usize = 8;

/// A transaction that waits for another's commit.
#[derive(Clone, Copy, Debug)]
struct Wait {
    waiter: u32,
    holder: u32,
}

/// Node 2v is v's beginning, 2v + 1 its commit; of an auxiliary vertex, what a dependency or an rw edge leads into.
struct Search<'a> {
    graph: &'a Graph,
    plain: Relations,
    completed: &'a [u32],
    /// For each writer whose order is free, the objects that it holds.
    held: SeededMap<u32, Vec<u32>>,
    /// Orders that are forced or guessed: after this one's commit, those beginnings.
    after: SeededMap<u32, Vec<u32>>,
    orders: u32,
}

impl Search<'_> {
    /// Who waits goes first.
    fn order(&mut self, wait: Wait) {
        self.after.entry(wait.waiter).or_default().push(wait.holder);
        self.orders += 1;
    }

    fn nodes(&self) -> usize {
        2 * self.graph.total() as usize
    }

    fn cost(&self) -> u32 {
        u32::try_from(self.graph.edge_count() + self.nodes()).unwrap_or(u32::MAX)
    }

    fn successors(&self, node: u32, mut visit: impl FnMut(u32)) {
        let (vertex, commit) = (node / 2, node % 2 == 1);
        if self.graph.is_auxiliary(vertex) {
            self.graph.edges_from(vertex).for_each(|(target, _)| visit(2 * target + node % 2));
        } else if commit {
            let dependencies = self.graph.edges_from(vertex).filter(|edge| edge.1.intersects(self.plain));
            dependencies.for_each(|(target, _)| visit(2 * target));
            self.after.get(&vertex).into_iter().flatten().for_each(|second| visit(2 * second));
        } else {
            visit(node + 1);
            let missed = self.graph.edges_from(vertex).filter(|edge| edge.1.contains(Relations::RW));
            missed.for_each(|(target, _)| visit(2 * target + 1));
        }
    }

    /// How many nodes come directly before each.
    fn before(&self) -> Vec<u32> {
        let mut before = vec![0u32; self.nodes()];
        for node in (0u32..).take(self.nodes()) {
            self.successors(node, |next| before[next as usize] += 1);
        }
        before
    }

    /// For each node, the earliest completion that waits for it; nothing if there is a circle.
    fn deadlines(&self) -> Option<Vec<u32>> {
        let mut before = self.before();
        let mut order: Vec<u32> = (0u32..).take(self.nodes()).filter(|node| before[*node as usize] == 0).collect();
        let mut at = 0;
        while let Some(node) = order.get(at).copied() {
            at += 1;
            self.successors(node, |next| {
                before[next as usize] -= 1;
                if before[next as usize] == 0 {
                    order.push(next);
                }
            });
        }
        let mut deadlines = vec![u32::MAX; self.nodes()];
        for node in order.iter().rev() {
            let commits = node % 2 == 1;
            let own = self.completed.get(*node as usize / 2).copied().filter(|_| commits);
            let mut least = own.unwrap_or(u32::MAX);
            self.successors(*node, |next| least = least.min(deadlines[next as usize]));
            deadlines[*node as usize] = least;
        }
        (order.len() == self.nodes()).then_some(deadlines)
    }

    /// Lists beginnings and commits; returns who waits for whom when it can't go on, nobody if all are listed.
    fn list(&self, deadlines: &[u32], objects: usize) -> Vec<Wait> {
        let mut before = self.before();
        let mut holder: Vec<Option<u32>> = vec![None; objects];
        let mut waiting: Vec<BinaryHeap<Reverse<(u32, u32)>>> = vec![BinaryHeap::new(); objects];
        let free = (0u32..).take(self.nodes()).filter(|node| before[*node as usize] == 0);
        let mut ready: BinaryHeap<Reverse<(u32, u32)>> =
            free.map(|node| Reverse((deadlines[node as usize], node))).collect();
        while let Some(Reverse((deadline, node))) = ready.pop() {
            let held = if self.graph.is_auxiliary(node / 2) { None } else { self.held.get(&(node / 2)) };
            if let Some(held) = held {
                if node % 2 == 1 {
                    for object in held {
                        holder[*object as usize] = None;
                        ready.extend(waiting[*object as usize].pop());
                    }
                } else if let Some(taken) = held.iter().find(|object| holder[**object as usize].is_some()) {
                    waiting[*taken as usize].push(Reverse((deadline, node)));
                    // It may have been woken for an object that it leaves free: somebody else can have that.
                    for object in held.iter().filter(|object| holder[**object as usize].is_none()) {
                        ready.extend(waiting[*object as usize].pop());
                    }
                    continue;
                } else {
                    held.iter().for_each(|object| holder[*object as usize] = Some(node / 2));
                }
            }
            self.successors(node, |next| {
                before[next as usize] -= 1;
                if before[next as usize] == 0 {
                    ready.push(Reverse((deadlines[next as usize], next)));
                }
            });
        }
        let waits = holder.iter().zip(waiting).filter_map(|(holder, waiting)| holder.map(|holder| (holder, waiting)));
        waits
            .flat_map(|(holder, waiting)| {
                let waiters = waiting.into_sorted_vec().into_iter().rev();
                waiters.map(move |Reverse((_, node))| Wait { waiter: node / 2, holder })
            })
            .collect()
    }

    /// Whether the holder's commit needs the waiter's beginning.
    fn needs(&self, wait: Wait) -> bool {
        let mut seen = vec![false; self.nodes()];
        let mut stack = vec![2 * wait.waiter];
        while let Some(node) = stack.pop() {
            if node == 2 * wait.holder + 1 {
                return true;
            }
            if !std::mem::replace(&mut seen[node as usize], true) {
                self.successors(node, |next| stack.push(next));
            }
        }
        false
    }
}
