//! `consistent-prefix`: reads show prefixes of one order of the writes, without gaps, and never shorter ones later in a session.
//!
//! One order of all writes contains each session's writes as it made them, and what is known of versions. Each read has a prefix of it,
//! and shows the last write of its key there (the initial value where there is none); the prefixes of a session's reads don't shrink.
//! A client that sees C has seen A and B, or could have: A | A, B | A, B, C, never A, C. Own writes need not be seen (the replica that
//! answers may lag), and what a session writes need not follow what it read: those are `read-your-writes` and `writes-follow-reads`.
//! A compare-and-set reads from the prefix before itself. Real time doesn't count.
//!
//! Decides: put the end of each read's prefix among the writes. What a read shows comes before that end, the next version of its
//! key after it, and ends are in their session's order: so a history keeps it exactly where the graph of these has no circle. Linear where
//! each key's order of versions is known. Where it is not, the likely order of the writes is tried: if it explains all reads, they are
//! explained. If not, what holds in every order (known replacements, and that what a session read of a key comes before what it
//! read of it later) may have a circle: then no order explains them. Else it stays open: with unknown orders the question is
//! about as hard as sequential consistency.
//!
//! Source: Terry 2013 (replicated data consistency explained through baseball) and Azure Cosmos DB, for reads of several things
//! one after the other; as a definition, Girault, Goessler, Guerraoui, Hamza, Seredinschi 2018 (monotonic prefix consistency); the
//! graph is that of sequential consistency with known orders (Gibbons and Korach 1997), without the way from writes to reads.

use super::facts::{Facts, INITIAL, id};
use super::links::{Between, Reason, Tally};
use super::ring::{FORCED, HAD_READ, KNOWN, SHOWS, WROTE};
use crate::budget::Meter;
use crate::graph::{
    CycleStep, Edge, Graph, Pattern, Relations, RwRule, Search, components, shortest_cycle, topological,
};
use crate::verdict::StoppedBy;
use crate::workload::accesses::NONE;

/// A read's prefix ends before a write: the relation that rereads have, which leaves a write, never a read.
const MISSED: Relations = FORCED;

/// Bytes a row and version, about, while it is judged.
const BYTES: u64 = 160;

/// What it came to.
pub(super) enum Prefix {
    /// Some order explains all reads.
    Kept,
    /// None does.
    Broken(Tally),
    /// Neither is known: so many keys whose order of versions is not.
    Open(usize),
}

/// Judges it.
pub(super) fn judge(facts: &Facts<'_, '_>, meter: &mut Meter<'_>) -> Result<Prefix, StoppedBy> {
    let accesses = facts.accesses;
    let size = accesses.len() + accesses.versions();
    meter.hold(BYTES * size as u64)?;
    meter.steps(id(size))?;
    let open = (0..id(accesses.keys.len())).filter(|key| !facts.is_line(*key)).count();
    let likely = if open == 0 { Vec::new() } else { in_order_of_rows(facts) };
    let ends = Ends { facts, rereads: Vec::new() };
    let graph = ends.graph(&likely);
    if components(&graph, Relations::ALL, false).is_empty() {
        return Ok(Prefix::Kept);
    }
    if open == 0 {
        return Ok(Prefix::Broken(ends.tally(&graph, meter)?));
    }
    let ends = Ends { facts, rereads: rereads(facts) };
    let graph = ends.graph(&[]);
    match components(&graph, Relations::ALL, false).is_empty() {
        true => Ok(Prefix::Open(open)),
        false => Ok(Prefix::Broken(ends.tally(&graph, meter)?)),
    }
}

/// For a certificate: the writes in an order that explains all reads, if the likely one does.
pub(super) fn order(facts: &Facts<'_, '_>) -> Option<Vec<u32>> {
    let graph = Ends { facts, rereads: Vec::new() }.graph(&in_order_of_rows(facts));
    if !components(&graph, Relations::ALL, false).is_empty() {
        return None;
    }
    let is_write = |row: &u32| {
        let row = *row as usize;
        row < facts.accesses.len() && facts.accesses.writes[row] && facts.counted[row]
    };
    Some(topological(&graph, Relations::ALL).into_iter().filter(is_write).collect())
}

/// For keys of unknown order, each version and the one before it in the order of rows.
fn in_order_of_rows(facts: &Facts<'_, '_>) -> Vec<(u32, u32)> {
    let accesses = facts.accesses;
    let mut last: Vec<u32> = (0..id(accesses.keys.len())).collect();
    let mut pairs = Vec::new();
    for row in (0..accesses.len()).filter(|row| accesses.writes[*row] && facts.counted[*row]) {
        let last = &mut last[accesses.key[row] as usize];
        if !facts.is_line(accesses.key[row]) {
            pairs.push((*last, accesses.version[row]));
            *last = accesses.version[row];
        }
    }
    pairs
}

/// What one session's reads of a key show one after the other: write, write, and the read of each. In order.
fn rereads(facts: &Facts<'_, '_>) -> Vec<(u32, u32, u32, u32)> {
    let mut found = Vec::new();
    for rows in facts.groups.iter() {
        let mut last = NONE;
        for row in rows.iter().copied().filter(|row| facts.source[*row as usize] < INITIAL) {
            let source = facts.source[row as usize];
            if last != NONE && facts.source[last as usize] != source {
                found.push((facts.source[last as usize], source, last, row));
            }
            if facts.is_followed(row) {
                last = row;
            }
        }
    }
    found.sort_unstable();
    found
}

/// Writes and the ends of reads' prefixes: each row is a vertex.
struct Ends<'f, 'a, 'h> {
    facts: &'f Facts<'a, 'h>,
    rereads: Vec<(u32, u32, u32, u32)>,
}

impl Ends<'_, '_, '_> {
    /// `more`: versions that follow others beside what is known. After the rows, auxiliary vertices: one a row for the way along its
    /// session, and one a version for all that follow it.
    fn graph(&self, more: &[(u32, u32)]) -> Graph {
        let (facts, accesses) = (self.facts, self.facts.accesses);
        let rows = id(accesses.len());
        let (way, next) = (|row: u32| rows + row, |version: u32| 2 * rows + version);
        let mut edges: Vec<Edge> = Vec::with_capacity(accesses.len() * 5);
        let mut add = |from: u32, to: u32, relations: Relations| edges.push(Edge { from, to, relations });
        // By session: its last read that others follow, and its last write.
        let mut last = vec![[NONE; 2]; accesses.sessions as usize];
        for row in (0..rows).filter(|row| facts.counted[*row as usize]) {
            let at = row as usize;
            let writes = accesses.writes[at];
            let last = &mut last[accesses.session(at) as usize][usize::from(writes)];
            add(way(row), row, Relations::LINK);
            if *last != NONE {
                add(*last, way(row), if writes { WROTE } else { HAD_READ });
                add(way(*last), way(row), Relations::LINK);
            }
            if facts.is_followed(row) {
                *last = row;
            }
            if writes {
                add(row, next(facts.version(row)), KNOWN);
                // A compare-and-set.
                if at > 0 && accesses.op[at - 1] == accesses.op[at] && facts.counted[at - 1] {
                    add(row - 1, row, HAD_READ);
                }
                continue;
            }
            add(row, next(facts.version(row)), MISSED);
            if facts.source[at] < INITIAL {
                add(facts.source[at], row, SHOWS);
            }
        }
        let versions = id(accesses.versions());
        let known = (0..versions).map(|version| (accesses.parent[version as usize], version));
        for (before, version) in known.filter(|pair| pair.0 != NONE).chain(more.iter().copied()) {
            let writer = accesses.writer[version as usize];
            if writer != NONE && facts.counted[writer as usize] {
                add(next(before), writer, Relations::LINK);
                add(next(before), next(version), Relations::LINK);
            }
        }
        for (from, to, ..) in &self.rereads {
            add(*from, *to, FORCED);
        }
        Graph::build(rows, rows + versions, edges)
    }

    /// The shortest circle, and how many parts have one.
    fn tally(&self, graph: &Graph, meter: &mut Meter<'_>) -> Result<Tally, StoppedBy> {
        let parts = components(graph, Relations::ALL, false);
        let pattern = Pattern { allowed: Relations::ALL, rw: RwRule::Any, required: Relations::NONE };
        let mut tally = Tally::default();
        for part in &parts {
            match shortest_cycle(graph, part, &pattern, meter) {
                Search::Found { cycle, .. } => {
                    if let Some(circle) = self.links(cycle.steps) {
                        tally.add(self.facts, circle);
                    }
                }
                Search::Absent | Search::Stopped(StoppedBy::Budget) => {}
                Search::Stopped(by) => return Err(by),
            }
        }
        tally.count = parts.len() as u64;
        Ok(tally)
    }

    /// A circle as links between writes.
    fn links(&self, mut steps: Vec<CycleStep>) -> Option<Vec<Between>> {
        let facts = self.facts;
        let start = steps.iter().position(|step| facts.accesses.writes[step.from as usize])?;
        steps.rotate_left(start);
        let mut links = Vec::new();
        // What a read shows, that read, and the last of its session.
        let mut seen: Option<(u32, u32, u32)> = None;
        for CycleStep { from, to, relation } in steps {
            let writes = facts.accesses.writes[to as usize];
            match (seen, relation) {
                (None, WROTE) => links.push(Between { from, to, why: Reason::Wrote }),
                (None, KNOWN) => links.push(Between::replaced(from, to)),
                (None, SHOWS) => seen = Some((from, to, to)),
                (None, FORCED) => {
                    let at = self.rereads.partition_point(|reread| (reread.0, reread.1) < (from, to));
                    let reread = self.rereads.get(at)?;
                    links.push(Between::reread(from, reread.2, reread.3, to));
                }
                (Some((write, first, _)), HAD_READ) if !writes => seen = Some((write, first, to)),
                (Some((write, first, _)), HAD_READ) => {
                    links.push(Between { from: write, to, why: Reason::Within(first) });
                    seen = None;
                }
                (Some((write, first, last)), MISSED) => {
                    let over = facts.source[last as usize];
                    links.push(Between { from: write, to, why: Reason::Missed { first, last, over } });
                    seen = None;
                }
                _ => return None,
            }
        }
        Some(links)
    }
}
