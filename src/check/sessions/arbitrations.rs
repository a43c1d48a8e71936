//! Orders of writes that show why a guarantee of sessions holds, for certificates.
//!
//! An order is a topological one of what it has to contain and of what some reads force (`own`, `global` and `causal` say what that
//! is). One order for all reads is tried first; where what they force has a circle, those who may have an order of their own
//! are halved until it has none; a server that went back lets writes share places (`shared`). The order stays near that of the history, so that mostly little has to be sorted. Sessions whose
//! reads need places in the order (PRAM, causal memory) share one that explains them, else get their own from `views`.
//!
//! Cost: as the checks; n log n for an order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::facts::{Facts, INITIAL, id};
use super::node::{self, Demand};
use super::past::Pasts;
use super::ring::Stretches;
use super::shared::shared;
use super::views::{self, View};
use crate::budget::{Budget, Meter};
use crate::certificate::Writes;
use crate::guarantee::Guarantee;
use crate::verdict::StoppedBy;
use crate::workload::accesses::NONE;

/// How many writes all orders of a claim may name, and how much reads may force.
const MOST: usize = 1 << 25;

/// What a guarantee asks of orders: of the certificate's rules, those that matter for finding one.
#[derive(Clone, Copy)]
struct Asked {
    monotonic_writes: bool,
    writes_follow_reads: bool,
    visible: Visible,
    one_for: OneFor,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visible {
    None,
    Own,
    Seen,
    Past,
    Placed(View),
    There(Demand),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OneFor {
    Everybody,
    Session,
    Server,
    Read,
}

fn asked(guarantee: Guarantee) -> Option<Asked> {
    use Guarantee::*;
    let (monotonic_writes, writes_follow_reads, visible, one_for) = match guarantee {
        ReadYourWrites => (false, false, Visible::Own, OneFor::Session),
        ReadYourWritesGlobal => (false, false, Visible::Own, OneFor::Everybody),
        MonotonicReads => (false, false, Visible::Seen, OneFor::Session),
        MonotonicReadsGlobal => (false, false, Visible::Seen, OneFor::Everybody),
        MonotonicWrites | MonotonicWritesGlobal => (true, false, Visible::None, OneFor::Everybody),
        WritesFollowReads | WritesFollowReadsGlobal => (false, true, Visible::None, OneFor::Everybody),
        MonotonicWritesNode => (true, false, Visible::There(Demand::Writes), OneFor::Server),
        WritesFollowReadsNode => (false, true, Visible::There(Demand::Reads), OneFor::Server),
        Session => (true, true, Visible::Past, OneFor::Session),
        SessionGlobal | Causal => (true, true, Visible::Past, OneFor::Everybody),
        WeakCausal => (true, true, Visible::Past, OneFor::Read),
        Pram => (true, false, Visible::Placed(View::Pram), OneFor::Session),
        CausalMemory => (true, true, Visible::Placed(View::CausalMemory), OneFor::Session),
        _ => return None,
    };
    Some(Asked { monotonic_writes, writes_follow_reads, visible, one_for })
}

/// Orders that show a guarantee which was judged to hold.
///
/// # Errors
/// Why there are none, in words.
pub(super) fn find(facts: &Facts<'_, '_>, guarantee: Guarantee, budget: &Budget) -> Result<Vec<Writes>, String> {
    let asked = asked(guarantee).ok_or_else(|| format!("orders of writes don't show {guarantee}"))?;
    let accesses = facts.accesses;
    if facts.untold > 0 {
        return Err(format!("{} reads show values that were written several times", facts.untold));
    }
    if let Some(row) = circular(facts) {
        let position = accesses.operation(row).position();
        return Err(format!(
            "compare-and-sets replaced each other in a circle (record {position}), which no order has"
        ));
    }
    let known = facts.known.clone();
    let mut finder = Finder { facts, known, edges: Vec::new(), anchors: Vec::new() };
    let orders = finder.find(asked, &mut budget.meter()).map_err(|failed| match failed {
        Failed::Stopped(by) => format!("the search for orders of writes was ended ({by:?})"),
        Failed::Large => "the orders of writes that it takes are too many, or force too much".to_owned(),
        Failed::None => "no order of writes was found".to_owned(),
    })?;
    let lists = accesses.history.ops().any(|op| !op.mops().is_empty());
    let of = |order: Line| Writes {
        operations: order.rows.iter().map(|row| accesses.operation(*row).position()).collect(),
        micro_operations: if lists {
            order.rows.iter().map(|row| accesses.mop[*row as usize]).collect()
        } else {
            Vec::new()
        },
        shares: order.shares,
    };
    Ok(orders.into_iter().map(of).collect())
}

/// A compare-and-set whose version is not known to follow the one that it replaced.
fn circular(facts: &Facts<'_, '_>) -> Option<u32> {
    let accesses = facts.accesses;
    (1..id(accesses.len())).find(|row| {
        let (write, read) = (*row as usize, *row as usize - 1);
        accesses.op[write] == accesses.op[read]
            && accesses.operation(*row).mops().is_empty()
            && facts.counted[write]
            && facts.counted[read]
            && accesses.parent[accesses.version[write] as usize] != accesses.version[read]
    })
}

/// Why no order was found.
enum Failed {
    Stopped(StoppedBy),
    Large,
    None,
}

impl From<StoppedBy> for Failed {
    fn from(by: StoppedBy) -> Failed {
        Failed::Stopped(by)
    }
}

/// A read, or all of a session's reads, force one vertex before another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Force {
    /// Who may have an order without it.
    unit: u32,
    from: u32,
    to: u32,
}

/// Writes in order.
pub(super) struct Line {
    pub(super) rows: Vec<u32>,
    /// Which of these share the place of the one before.
    pub(super) shares: Vec<u32>,
}

impl From<Vec<u32>> for Line {
    fn from(rows: Vec<u32>) -> Line {
        Line { rows, shares: Vec::new() }
    }
}

/// A graph of rows, and of auxiliary vertices that stand for several rows at once; and what is sorted by it.
struct Finder<'f, 'a, 'h> {
    facts: &'f Facts<'a, 'h>,
    known: Vec<u32>,
    edges: Vec<(u32, u32)>,
    /// By auxiliary vertex: the row where it lies.
    anchors: Vec<u32>,
}

impl Finder<'_, '_, '_> {
    fn find(&mut self, asked: Asked, meter: &mut Meter<'_>) -> Result<Vec<Line>, Failed> {
        if let Visible::Placed(view) = asked.visible {
            return Ok(self.placed(view, meter)?.into_iter().map(Line::from).collect());
        }
        self.contain(asked.monotonic_writes, asked.writes_follow_reads);
        let mut forces = match asked.visible {
            Visible::Own => self.own(meter)?,
            Visible::Seen => self.seen(),
            Visible::Past => self.past(asked.one_for, meter)?,
            Visible::There(demand) => {
                let forces = node::forces(self.facts, demand, meter)?.into_iter();
                forces.map(|(unit, force)| Force { unit, from: force.from, to: force.to }).collect()
            }
            Visible::None | Visible::Placed(_) => Vec::new(),
        };
        if asked.one_for == OneFor::Everybody {
            forces.iter_mut().for_each(|force| force.unit = 0);
        }
        forces.sort_unstable();
        forces.dedup();
        self.pack(&forces, asked.one_for)
    }

    /// What every order has to contain.
    fn contain(&mut self, writes: bool, reads: bool) {
        let facts = self.facts;
        // By row: the read before it in its session.
        let mut read_before = vec![NONE; facts.accesses.len()];
        self.edges.clear();
        for row in (0..id(facts.accesses.len())).filter(|row| facts.counted[*row as usize]) {
            let at = row as usize;
            let before = facts.before[at];
            if before != NONE {
                let is_read = !facts.accesses.writes[before as usize];
                read_before[at] = if is_read { before } else { read_before[before as usize] };
            }
            let leads = [
                Some(before).filter(|_| writes),
                Some(read_before[at]).filter(|_| reads && !writes),
                Some(facts.source[at]).filter(|_| reads),
                facts.accesses.writes[at].then(|| self.known[facts.version(row) as usize]),
            ];
            let leads = leads.into_iter().flatten().filter(|other| *other < INITIAL);
            self.edges.extend(leads.map(|other| (other, row)));
        }
    }

    /// Read your writes: all earlier writes of the session come before what it reads. A vertex stands for the first few of them.
    fn own(&mut self, meter: &mut Meter<'_>) -> Result<Vec<Force>, Failed> {
        let facts = self.facts;
        let (accesses, rows) = (facts.accesses, id(facts.accesses.len()));
        let mut forces = Vec::new();
        for group in facts.groups.iter() {
            let unit = accesses.session(group[0] as usize);
            let mut writes: Vec<u32> = Vec::new();
            let base = rows + id(self.anchors.len());
            for row in group.iter().copied() {
                if accesses.writes[row as usize] {
                    if facts.is_followed(row) {
                        let vertex = base + id(writes.len());
                        self.edges.push((row, vertex));
                        if !writes.is_empty() {
                            self.edges.push((vertex - 1, vertex));
                        }
                        writes.push(row);
                        self.anchors.push(row);
                    }
                    continue;
                }
                let to = facts.source[row as usize];
                if writes.is_empty() || to >= INITIAL {
                    continue;
                }
                // An own write: those before it, and one by one those after it.
                let own = writes.partition_point(|write| *write < to);
                let is_own = writes.get(own) == Some(&to);
                let count = if is_own { own } else { writes.len() };
                if let Some(last) = count.checked_sub(1) {
                    forces.push(Force { unit, from: base + id(last), to });
                }
                if is_own {
                    let later = &writes[own + 1..];
                    meter.steps(id(later.len()))?;
                    forces.extend(later.iter().map(|write| Force { unit, from: *write, to }));
                }
                if forces.len() > MOST {
                    return Err(Failed::Large);
                }
            }
        }
        Ok(forces)
    }

    /// Monotonic reads: what the session read before comes before what it reads now.
    fn seen(&self) -> Vec<Force> {
        let facts = self.facts;
        let mut forces = Vec::new();
        for group in facts.groups.iter() {
            let unit = facts.accesses.session(group[0] as usize);
            let mut last = NONE;
            for row in group.iter().copied().filter(|row| facts.source[*row as usize] != NONE) {
                let to = facts.source[row as usize];
                if last < INITIAL && to < INITIAL && last != to {
                    forces.push(Force { unit, from: last, to });
                }
                if facts.is_followed(row) {
                    last = to;
                }
            }
        }
        forces
    }

    /// Of all that leads to a read, the writes of its key come before what it shows.
    fn past(&self, one_for: OneFor, meter: &mut Meter<'_>) -> Result<Vec<Force>, Failed> {
        let facts = self.facts;
        let pasts = Pasts::new(facts).ok_or(Failed::None)?;
        let installers = pasts.installers();
        // What lies between stretches is in order as it is. The first walk finds these, the second one what is forced in them.
        let mut spans: Vec<(u32, u32)> = self.edges.iter().filter(|(a, b)| a > b).map(|(a, b)| (*b, *a)).collect();
        let mut stretches: Option<Stretches> = None;
        let mut forces = Vec::new();
        for _ in 0..2 {
            let mut large = false;
            pasts.walk(&Stretches::all(facts.accesses.len()), false, meter, |row, past, meter| {
                let to = facts.source[row as usize];
                if to >= INITIAL {
                    return Ok(());
                }
                for writes in installers.of(facts.accesses.key[row as usize]) {
                    meter.step()?;
                    let from = past.last_of(writes);
                    let from =
                        from.filter(|from| *from != to && !facts.precedes(facts.version(*from), facts.version(to)));
                    match (from, &stretches) {
                        (Some(from), None) if from > to => spans.push((to, from)),
                        (Some(from), Some(stretches)) if stretches.joins(from, to) => {
                            let unit = if one_for == OneFor::Read { row } else { facts.accesses.session(row as usize) };
                            large |= forces.len() >= MOST;
                            if !large {
                                forces.push(Force { unit, from, to });
                            }
                        }
                        _ => {}
                    }
                }
                Ok(())
            })?;
            if large {
                return Err(Failed::Large);
            }
            let found = Stretches::new(std::mem::take(&mut spans));
            if found.is_empty() || stretches.is_some() {
                break;
            }
            stretches = Some(found);
        }
        Ok(forces)
    }

    /// As few orders as halving finds, each of all writes, such that each unit's forces are in one.
    fn pack(&self, forces: &[Force], one_for: OneFor) -> Result<Vec<Line>, Failed> {
        let mut orders = Vec::new();
        let mut open = vec![forces];
        let mut size = 0;
        while let Some(some) = open.pop() {
            let alone = some.first().zip(some.last()).is_none_or(|(first, last)| first.unit == last.unit);
            let order = self.order(some).map(Line::from).or_else(|| {
                let edges = self.edges.iter().copied().chain(some.iter().map(|force| (force.from, force.to)));
                (alone && one_for == OneFor::Server).then(|| shared(self.facts, edges))
            });
            if let Some(order) = order {
                size += order.rows.len();
                if size > MOST {
                    return Err(Failed::Large);
                }
                orders.push(order);
                continue;
            }
            if alone {
                return Err(Failed::None);
            }
            let units: Vec<&[Force]> = some.chunk_by(|a, b| a.unit == b.unit).collect();
            let (first, rest) = some.split_at(units[..units.len() / 2].iter().map(|unit| unit.len()).sum());
            open.extend([rest, first]);
        }
        Ok(orders)
    }

    fn row(&self, vertex: u32) -> u32 {
        let rows = self.facts.accesses.len();
        (vertex as usize).checked_sub(rows).map_or(vertex, |at| self.anchors[at])
    }

    /// The writes in an order that contains all edges and these forces, if there is one.
    fn order(&self, forces: &[Force]) -> Option<Vec<u32>> {
        let facts = self.facts;
        let rows = id(facts.accesses.len());
        let edges = || self.edges.iter().copied().chain(forces.iter().map(|force| (force.from, force.to)));
        let spans = edges().map(|(from, to)| (self.row(to), self.row(from))).filter(|(to, from)| to < from);
        let stretches = Stretches::new(spans.collect());
        let is_write = |row: &u32| facts.accesses.writes[*row as usize] && facts.counted[*row as usize];
        if stretches.is_empty() {
            return Some((0..rows).filter(is_write).collect());
        }
        // By row: where its stretch begins. What lies in no stretch is one by itself.
        let mut stretch: Vec<u32> = (0..rows).collect();
        for (from, to) in stretches.spans() {
            stretch[from as usize..=to as usize].fill(from);
        }
        let within: Vec<(u32, u32)> =
            edges().filter(|(from, to)| stretches.joins(self.row(*from), self.row(*to))).collect();
        let vertices = rows + id(self.anchors.len());
        let priority = |vertex: u32| (stretch[self.row(vertex) as usize], vertex < rows, vertex);
        let order = sorted(vertices, &within, priority)?;
        Some(order.into_iter().filter(|vertex| *vertex < rows).filter(is_write).collect())
    }

    /// Orders such that each session's reads have places in one.
    fn placed(&mut self, view: View, meter: &mut Meter<'_>) -> Result<Vec<Vec<u32>>, Failed> {
        // Causality is more than PRAM asks for, and near what happened.
        self.contain(true, true);
        let mut first = self.order(&[]);
        if first.is_none() && view == View::Pram {
            self.contain(true, false);
            first = self.order(&[]);
        }
        let first = first.ok_or(Failed::None)?;
        let mut open = self.misplaced(&first);
        let (mut size, mut orders) = (first.len(), vec![first]);
        while let Some(session) = open.first().copied() {
            let order = views::order(self.facts, view, session, meter)?.ok_or(Failed::None)?;
            let failed = self.misplaced(&order);
            if failed.contains(&session) {
                return Err(Failed::None);
            }
            open.retain(|one| failed.binary_search(one).is_ok());
            size += order.len();
            if size > MOST {
                return Err(Failed::Large);
            }
            orders.push(order);
        }
        Ok(orders)
    }

    /// The sessions, ascending, one of whose accesses has no place in an order: see the certificate.
    fn misplaced(&self, order: &[u32]) -> Vec<u32> {
        let (facts, accesses) = (self.facts, self.facts.accesses);
        let mut place = vec![0_u32; accesses.len()];
        (1..).zip(order).for_each(|(number, row)| place[*row as usize] = number);
        let mut next = vec![NONE; accesses.len()];
        let mut next_of = vec![NONE; accesses.keys.len()];
        for row in order.iter().rev() {
            let key = accesses.key[*row as usize] as usize;
            next[*row as usize] = std::mem::replace(&mut next_of[key], place[*row as usize]);
        }
        let mut failed = Vec::new();
        let mut first = vec![0_u32; accesses.len()];
        for row in (0..accesses.len()).filter(|row| facts.counted[*row]) {
            let earlier = first.get(facts.before[row] as usize).copied().unwrap_or(0);
            let source = facts.source[row] as usize;
            let own = if accesses.writes[row] { place[row] } else { place.get(source).copied().unwrap_or(0) };
            first[row] = earlier.max(own);
            let until = match accesses.writes[row] {
                true => own.saturating_add(1),
                false => next.get(source).copied().unwrap_or(next_of[accesses.key[row] as usize]),
            };
            if first[row] >= until {
                failed.push(accesses.session(row));
            }
        }
        failed.sort_unstable();
        failed.dedup();
        failed
    }
}

/// Vertices in an order that contains all edges, if there is one: of those that can be next, the one of the least priority.
pub(super) fn sorted<P: Ord>(vertices: u32, edges: &[(u32, u32)], priority: impl Fn(u32) -> P) -> Option<Vec<u32>> {
    let mut starts = vec![0usize; vertices as usize + 1];
    let mut waiting = vec![0u32; vertices as usize];
    for (from, to) in edges {
        starts[*from as usize + 1] += 1;
        waiting[*to as usize] += 1;
    }
    for at in 0..vertices as usize {
        starts[at + 1] += starts[at];
    }
    let mut next = starts.clone();
    let mut targets = vec![0u32; edges.len()];
    for (from, to) in edges {
        targets[next[*from as usize]] = *to;
        next[*from as usize] += 1;
    }
    let ready = (0..vertices).filter(|vertex| waiting[*vertex as usize] == 0);
    let mut ready: BinaryHeap<Reverse<(P, u32)>> = ready.map(|vertex| Reverse((priority(vertex), vertex))).collect();
    let mut order = Vec::new();
    while let Some(Reverse((_, vertex))) = ready.pop() {
        order.push(vertex);
        for to in &targets[starts[vertex as usize]..starts[vertex as usize + 1]] {
            waiting[*to as usize] -= 1;
            if waiting[*to as usize] == 0 {
                ready.push(Reverse((priority(*to), *to)));
            }
        }
    }
    (order.len() == vertices as usize).then_some(order)
}
