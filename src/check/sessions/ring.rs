//! Whether what has to come before what leads back to where it began, and the shortest such circle.
//!
//! The graph holds only rows that a circle can pass: where every edge that leads back in the order of rows spans a stretch of
//! rows, a circle stays within the stretches, because each cut between its first row and its last is crossed by an edge that leads back.
//! In most histories there is none, and nothing is built.
//!
//! Session order and known orders of versions hold over any number of steps, and count as one: auxiliary vertices stand for
//! the way along a session, and along the versions of a key.

use super::facts::{Facts, INITIAL, id};
use super::links::{Between, Reason};
use crate::budget::Meter;
use crate::graph::{
    Component, Components, CycleStep, Edge, Graph, Pattern, Relations, RwRule, Search, components, shortest_cycle,
};
use crate::verdict::StoppedBy;
use crate::workload::accesses::NONE;

/// What leads from one row to another. The graph's relations, as this check uses them.
pub(super) const WROTE: Relations = Relations::PROCESS;
/// A session had read, and then wrote.
pub(super) const HAD_READ: Relations = Relations::REALTIME;
/// A read shows a write.
pub(super) const SHOWS: Relations = Relations::WR;
/// Versions in a known order.
pub(super) const KNOWN: Relations = Relations::WW;
/// What a read forces upon the order: given from outside.
pub(super) const FORCED: Relations = Relations::RW;

/// Session order, reads, and known orders of versions: what there is before any guarantee asks for more.
pub(super) fn base() -> Relations {
    WROTE | HAD_READ | SHOWS | KNOWN
}

/// By version: the row of the nearest write that is known to precede it, itself left out; only writes that are `kept`.
pub(super) fn known(facts: &Facts<'_, '_>, kept: impl Fn(u32) -> bool) -> Vec<u32> {
    let accesses = facts.accesses;
    let mut known = vec![NONE; accesses.versions()];
    if !facts.ordered.iter().any(|ordered| *ordered) {
        return known;
    }
    let mut in_order = vec![NONE; accesses.versions()];
    for (version, place) in (0u32..).zip(&facts.enter) {
        in_order[*place as usize] = version;
    }
    for version in in_order {
        let parent = accesses.parent[version as usize];
        if parent == NONE || accesses.is_initial(parent) {
            continue;
        }
        let writer = accesses.writer[parent as usize];
        let there = writer != NONE && facts.counted[writer as usize] && kept(writer);
        known[version as usize] = if there { writer } else { known[parent as usize] };
    }
    known
}

/// Rows that a circle can pass.
pub(super) struct Stretches {
    /// From, to; disjoint, ascending.
    list: Vec<(u32, u32)>,
}

impl Stretches {
    /// Of edges that lead back, each from its second row to its first.
    pub(super) fn new(mut spans: Vec<(u32, u32)>) -> Stretches {
        spans.sort_unstable();
        let mut list: Vec<(u32, u32)> = Vec::new();
        for (from, to) in spans {
            match list.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => list.push((from, to)),
            }
        }
        Stretches { list }
    }

    /// All rows, as one.
    pub(super) fn all(rows: usize) -> Stretches {
        Stretches { list: rows.checked_sub(1).map(|last| (0, id(last))).into_iter().collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether both rows are in one stretch.
    pub(super) fn joins(&self, row: u32, other: u32) -> bool {
        let at = self.list.partition_point(|stretch| stretch.1 < row);
        self.list
            .get(at)
            .is_some_and(|stretch| (stretch.0..=stretch.1).contains(&row) && (stretch.0..=stretch.1).contains(&other))
    }

    /// Whether a row is in a stretch.
    pub(super) fn holds(&self, row: u32) -> bool {
        self.joins(row, row)
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.list.iter().copied()
    }
}

/// The edges of the base that lead back in the order of rows.
pub(super) fn backward(facts: &Facts<'_, '_>) -> Vec<(u32, u32)> {
    let mut spans = Vec::new();
    for row in (0..id(facts.accesses.len())).filter(|row| facts.counted[*row as usize]) {
        let source = facts.source[row as usize];
        if source < INITIAL && source > row {
            spans.push((row, source));
        }
        if facts.accesses.writes[row as usize] {
            let earlier = facts.known[facts.version(row) as usize];
            if earlier < INITIAL && earlier > row {
                spans.push((row, earlier));
            }
        }
    }
    spans
}

/// The graph of some rows, and more edges.
pub(super) struct Ring<'f, 'a, 'h> {
    facts: &'f Facts<'a, 'h>,
    /// The rows, ascending: vertex to row.
    rows: Vec<u32>,
    edges: Vec<Edge>,
    auxiliary: u32,
}

impl<'f, 'a, 'h> Ring<'f, 'a, 'h> {
    /// The base, on these rows (ascending).
    pub(super) fn new(facts: &'f Facts<'a, 'h>, rows: Vec<u32>) -> Ring<'f, 'a, 'h> {
        Ring::where_shown(facts, rows, |_| true)
    }

    /// The same, where only some reads count as showing something.
    pub(super) fn where_shown(
        facts: &'f Facts<'a, 'h>,
        rows: Vec<u32>,
        shows: impl Fn(u32) -> bool,
    ) -> Ring<'f, 'a, 'h> {
        let mut ring = Ring { facts, rows, edges: Vec::new(), auxiliary: 0 };
        ring.sessions(shows);
        ring.versions();
        ring
    }

    /// The rows of stretches.
    pub(super) fn of(facts: &'f Facts<'a, 'h>, stretches: &Stretches) -> Ring<'f, 'a, 'h> {
        let rows = stretches.spans().flat_map(|(from, to)| from..=to);
        Ring::new(facts, rows.filter(|row| facts.counted[*row as usize]).collect())
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn vertex(&self, row: u32) -> Option<u32> {
        self.rows.binary_search(&row).ok().map(id)
    }

    fn add(&mut self, from: u32, to: u32, relations: Relations) {
        self.edges.push(Edge { from, to, relations });
    }

    fn sessions(&mut self, shows: impl Fn(u32) -> bool) {
        let (facts, accesses) = (self.facts, self.facts.accesses);
        let real = id(self.rows.len());
        // By session: the vertex of its last row that others follow; and by vertex, of the one before it.
        let mut last = vec![NONE; accesses.sessions as usize];
        let mut within = NONE;
        for vertex in 0..real {
            let row = self.rows[vertex as usize];
            let (at, way) = (row as usize, real + vertex);
            if within != NONE && accesses.op[self.rows[within as usize] as usize] != accesses.op[at] {
                within = NONE;
            }
            let session = &mut last[accesses.session(at) as usize];
            let before = if within == NONE { *session } else { within };
            within = vertex;
            if facts.is_followed(row) {
                *session = vertex;
            }
            if before != NONE {
                let wrote = accesses.writes[self.rows[before as usize] as usize];
                self.add(before, way, if wrote { WROTE } else { HAD_READ });
                self.add(real + before, way, Relations::LINK);
            }
            if accesses.writes[at] {
                self.add(way, vertex, Relations::LINK);
            } else if let Some(source) = self.vertex(facts.source[at]).filter(|_| shows(row)) {
                self.add(source, vertex, SHOWS);
            }
        }
        self.auxiliary = real;
    }

    fn versions(&mut self) {
        let (facts, accesses) = (self.facts, self.facts.accesses);
        let real = id(self.rows.len());
        let known = known(facts, |row| self.rows.binary_search(&row).is_ok());
        for vertex in 0..real {
            let row = self.rows[vertex as usize];
            if !accesses.writes[row as usize] {
                continue;
            }
            let way = 2 * real + vertex;
            if let Some(before) = self.vertex(known[facts.version(row) as usize]) {
                self.add(before, way, KNOWN);
                self.add(2 * real + before, way, Relations::LINK);
            }
            self.add(way, vertex, Relations::LINK);
        }
        self.auxiliary = 2 * real;
    }

    /// The graph, where some writes also have to come before others: single ones, and the first few of runs.
    pub(super) fn closed(&self, forced: impl IntoIterator<Item = (u32, u32)>, runs: &[Run]) -> Closed<'_> {
        let real = id(self.rows.len());
        let mut edges = self.edges.clone();
        for (from, to) in forced {
            if let (Some(from), Some(to)) = (self.vertex(from), self.vertex(to)) {
                edges.push(Edge { from, to, relations: FORCED });
            }
        }
        let mut next = real + self.auxiliary;
        for run in runs {
            // By number of writes: the auxiliary vertex to which these lead.
            let mut ways = vec![NONE];
            for write in &run.writes {
                let mut way = ways[ways.len() - 1];
                if let Some(vertex) = self.vertex(*write) {
                    if way != NONE {
                        edges.push(Edge { from: way, to: next, relations: Relations::LINK });
                    }
                    edges.push(Edge { from: vertex, to: next, relations: FORCED });
                    way = next;
                    next += 1;
                }
                ways.push(way);
            }
            for (count, to) in &run.before {
                let way = ways.get(*count).copied().filter(|way| *way != NONE);
                if let (Some(way), Some(to)) = (way, self.vertex(*to)) {
                    edges.push(Edge { from: way, to, relations: Relations::LINK });
                }
            }
        }
        Closed { facts: self.facts, rows: &self.rows, graph: Graph::build(real, next - real, edges) }
    }
}

/// Writes of a session in order, and what the first few of them have to come before.
pub(super) struct Run {
    pub(super) writes: Vec<u32>,
    /// So many of the writes, and the row that comes after them; it is none of them.
    pub(super) before: Vec<(usize, u32)>,
}

/// A graph that is complete.
pub(super) struct Closed<'r> {
    facts: &'r Facts<'r, 'r>,
    rows: &'r [u32],
    graph: Graph,
}

impl Closed<'_> {
    /// The parts in which these relations form circles.
    pub(super) fn components(&self, allowed: Relations) -> Components {
        components(&self.graph, allowed, false)
    }

    /// The rows of a part.
    pub(super) fn rows(&self, component: &Component) -> Vec<u32> {
        component.real().iter().map(|vertex| self.rows[*vertex as usize]).collect()
    }

    /// The shortest circle of these relations, if there is one; and whether there is none shorter.
    pub(super) fn shortest(
        &self,
        allowed: Relations,
        meter: &mut Meter<'_>,
    ) -> Result<Option<(Vec<CycleStep>, bool)>, StoppedBy> {
        let rw = if allowed.contains(FORCED) { RwRule::Any } else { RwRule::None };
        let pattern = Pattern { allowed, rw, required: Relations::NONE };
        let mut best: Option<(Vec<CycleStep>, bool)> = None;
        let mut stopped = None;
        for component in &self.components(allowed) {
            match shortest_cycle(&self.graph, component, &pattern, meter) {
                Search::Found { cycle, minimum } => {
                    if best.as_ref().is_none_or(|(steps, _)| cycle.steps.len() < steps.len()) {
                        best = Some((cycle.steps, minimum));
                    }
                }
                Search::Absent => {}
                Search::Stopped(by) => stopped = stopped.or(Some(by)),
            }
            if best.as_ref().is_some_and(|(steps, _)| steps.len() == 2) {
                break;
            }
        }
        match (best, stopped) {
            (Some((steps, minimum)), stopped) => {
                let named = steps.into_iter().map(|step| CycleStep {
                    from: self.rows[step.from as usize],
                    to: self.rows[step.to as usize],
                    relation: step.relation,
                });
                Ok(Some((named.collect(), minimum && stopped.is_none())))
            }
            (None, Some(by)) => Err(by),
            (None, None) => Ok(None),
        }
    }

    /// A circle of rows as links between writes; `why` says why a forced step is.
    pub(super) fn links(
        &self,
        mut steps: Vec<CycleStep>,
        mut why: impl FnMut(u32, u32) -> Option<Between>,
    ) -> Option<Vec<Between>> {
        let writes = |row: u32| self.facts.accesses.writes[row as usize];
        let start = steps.iter().position(|step| writes(step.from))?;
        steps.rotate_left(start);
        let mut links = Vec::new();
        let mut shown: Option<(u32, u32)> = None;
        for step in steps {
            match (shown.take(), step.relation) {
                (None, SHOWS) => shown = Some((step.from, step.to)),
                (Some((from, by)), HAD_READ) => links.push(Between { from, to: step.to, why: Reason::Read(by) }),
                (None, WROTE) => links.push(Between { from: step.from, to: step.to, why: Reason::Wrote }),
                (None, KNOWN) => links.push(Between::replaced(step.from, step.to)),
                (None, FORCED) => links.push(why(step.from, step.to)?),
                _ => return None,
            }
        }
        Some(links)
    }
}
