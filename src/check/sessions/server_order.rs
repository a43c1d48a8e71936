//! Whether one server's writes have an order: the graph of what has to come before what, and its shortest circle that passes
//! through something that the guarantee asks for. See `node`.

use super::facts::{Facts, id};
use super::links::{Between, Reason};
use super::node::{Demand, Found, Server};
use super::ring::{HAD_READ, KNOWN, Stretches, WROTE};
use crate::budget::Meter;
use crate::graph::{Component, CycleStep, Edge, Graph, Pattern, Relations, RwRule, Search, components, shortest_cycle};
use crate::verdict::StoppedBy;
use crate::workload::accesses::NONE;

/// What the server itself has shown.
const SHOWN: Relations = Relations::RW;
/// What the guarantee says that it has.
const OWED: Relations = Relations::WR;

/// A write has to come before another, which a read shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Force {
    pub(super) from: u32,
    pub(super) to: u32,
    /// Whether the guarantee alone says that the first is there.
    pub(super) owed: bool,
    pub(super) reader: u32,
}

/// The graph, on the rows that a circle can pass.
pub(super) struct Order<'s, 'f, 'a, 'h> {
    server: &'s Server<'f, 'a, 'h>,
    /// Ascending: vertex to row.
    rows: Vec<u32>,
    forces: Vec<Force>,
    graph: Graph,
}

impl<'s, 'f, 'a, 'h> Order<'s, 'f, 'a, 'h> {
    pub(super) fn new(
        server: &'s Server<'f, 'a, 'h>,
        stretches: &Stretches,
        mut forces: Vec<Force>,
        meter: &mut Meter<'_>,
    ) -> Result<Order<'s, 'f, 'a, 'h>, StoppedBy> {
        let facts = server.facts;
        for (from, to) in stretches.spans() {
            meter.steps(to - from + 1)?;
        }
        let rows = stretches.spans().flat_map(|(from, to)| from..=to);
        let rows: Vec<u32> = rows.filter(|row| facts.counted[*row as usize]).collect();
        meter.hold((rows.len() * 64 + forces.len() * 32) as u64)?;
        forces.sort_unstable();
        let vertex = |row: u32| rows.binary_search(&row).ok().map(id);
        let mut edges = along_sessions(facts, &rows, server.demand);
        for (at, row) in (0..).zip(&rows).filter(|(_, row)| facts.accesses.writes[**row as usize]) {
            if let Some(from) = vertex(facts.known[facts.version(*row) as usize]) {
                edges.push(Edge { from, to: at, relations: KNOWN });
            }
        }
        for force in &forces {
            if let (Some(from), Some(to)) = (vertex(force.from), vertex(force.to)) {
                edges.push(Edge { from, to, relations: if force.owed { OWED } else { SHOWN } });
            }
        }
        let count = id(rows.len());
        Ok(Order { server, graph: Graph::build(count, count, edges), rows, forces })
    }

    /// Adds each part of the graph that has a circle of the kind.
    pub(super) fn judge(&self, found: &mut Found, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        for part in &components(&self.graph, Relations::ALL, false) {
            let owed = |vertex: &u32| {
                let mut edges = self.graph.edges_from(*vertex);
                edges.any(|(to, relations)| {
                    relations.intersects(WROTE | HAD_READ | OWED) && part.vertices().binary_search(&to).is_ok()
                })
            };
            if !part.real().iter().any(owed) {
                continue; // The server went back, whatever sessions did.
            }
            match self.shortest(part, meter) {
                Ok(Some(steps)) => {
                    let mut premises = Vec::new();
                    let circle = self.links(&steps, &mut premises);
                    found.add(self.server.facts, circle, premises);
                }
                // Each edge within a part lies on a circle: there is one, found or not.
                Ok(None) | Err(StoppedBy::Budget) => found.tally.count += 1,
                Err(by) => {
                    found.tally.count += 1;
                    return Err(by);
                }
            }
        }
        Ok(())
    }

    fn shortest(&self, part: &Component, meter: &mut Meter<'_>) -> Result<Option<Vec<CycleStep>>, StoppedBy> {
        let mut best: Option<Vec<CycleStep>> = None;
        let mut stopped = None;
        for required in [WROTE, HAD_READ, OWED] {
            let pattern = Pattern { allowed: Relations::ALL, rw: RwRule::Any, required };
            match shortest_cycle(&self.graph, part, &pattern, meter) {
                Search::Found { cycle, .. } => {
                    if best.as_ref().is_none_or(|steps| cycle.steps.len() < steps.len()) {
                        best = Some(cycle.steps);
                    }
                }
                Search::Absent => {}
                Search::Stopped(by) => stopped = Some(by),
            }
        }
        match (best, stopped) {
            (None, Some(by)) => Err(by),
            (best, _) => Ok(best),
        }
    }

    /// A circle as links; what one session wrote in several steps, and what replaced what in several, is one.
    fn links(&self, steps: &[CycleStep], premises: &mut Vec<Between>) -> Vec<Between> {
        let mut links: Vec<Between> = Vec::new();
        for step in steps {
            let (from, to) = (self.rows[step.from as usize], self.rows[step.to as usize]);
            let link = match step.relation {
                WROTE => Between { from, to, why: Reason::Wrote },
                HAD_READ => Between { from, to, why: Reason::Read(self.reader(from, to)) },
                KNOWN => Between::replaced(from, to),
                relation => {
                    let owed = relation == OWED;
                    let at = self.forces.partition_point(|force| (force.from, force.to, force.owed) < (from, to, owed));
                    match self.forces.get(at) {
                        Some(force) => self.server.seen(*force, premises),
                        None => continue, // No such edge is in the graph.
                    }
                }
            };
            match links.last_mut() {
                Some(last) if last.why == link.why && matches!(link.why, Reason::Wrote | Reason::Replaced) => {
                    last.to = to
                }
                _ => links.push(link),
            }
        }
        links
    }

    /// The read by which a session that wrote `to` had seen `from`.
    fn reader(&self, from: u32, to: u32) -> u32 {
        let facts = self.server.facts;
        let mut at = facts.before[to as usize];
        while at != NONE && facts.source[at as usize] != from {
            at = facts.before[at as usize];
        }
        at
    }
}

/// Writes in the order of their sessions, or what sessions had read before what they wrote. Auxiliary vertices stand for the way along
/// a session.
fn along_sessions(facts: &Facts<'_, '_>, rows: &[u32], demand: Demand) -> Vec<Edge> {
    let accesses = facts.accesses;
    let real = id(rows.len());
    let mut edges = Vec::new();
    let mut add = |from: u32, to: u32, relations: Relations| edges.push(Edge { from, to, relations });
    let mut last = vec![NONE; accesses.sessions as usize];
    // The vertex before, of the same operation.
    let mut within = NONE;
    for vertex in 0..real {
        let row = rows[vertex as usize];
        let (at, writes) = (row as usize, accesses.writes[row as usize]);
        if demand == Demand::Writes && !writes {
            continue;
        }
        if within != NONE && accesses.op[rows[within as usize] as usize] != accesses.op[at] {
            within = NONE;
        }
        let session = &mut last[accesses.session(at) as usize];
        let before = if within == NONE { *session } else { within };
        within = vertex;
        if facts.is_followed(row) {
            *session = vertex;
        }
        match demand {
            Demand::Writes if before != NONE => add(before, vertex, WROTE),
            Demand::Writes => {}
            Demand::Reads => {
                if before != NONE {
                    add(real + before, real + vertex, Relations::LINK);
                }
                if writes {
                    add(real + vertex, vertex, Relations::LINK);
                } else if let Ok(source) = rows.binary_search(&facts.source[at]) {
                    add(id(source), real + vertex, HAD_READ);
                }
            }
        }
    }
    edges
}
