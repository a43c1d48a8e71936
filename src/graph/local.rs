//! A component as a small graph of its own, its vertices numbered so that few steps lead backward.
//!
//! Every cycle has a step from its highest-numbered vertex to a lower one. Numbered along a topological order of most of its relations
//! (all but one that each cycle of the type must have), few vertices have such a step, and each search may stay below the vertex
//! from which it starts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::components::{Component, Filtered, tarjan};
use super::{Edge, Graph, Relations, id};

/// A part of a graph, renumbered: vertices and edges are few, whatever the whole.
#[derive(Clone, Debug)]
pub struct Part {
    /// The part.
    pub graph: Graph,
    /// What each of its vertices is called in the whole, the real ones first.
    pub names: Vec<u32>,
}

/// A graph, however it is held.
pub(super) trait Rows {
    fn real(&self) -> u32;
    fn total(&self) -> u32;
    /// The edges out of a vertex, in any order; parallel ones may be several.
    fn edges(&self, vertex: u32) -> impl Iterator<Item = (u32, Relations)>;
}

impl Rows for Graph {
    fn real(&self) -> u32 {
        Graph::real(self)
    }

    fn total(&self) -> u32 {
        Graph::total(self)
    }

    fn edges(&self, vertex: u32) -> impl Iterator<Item = (u32, Relations)> {
        self.edges_from(vertex)
    }
}

impl Part {
    /// A component alone: its vertices, ascending, and the edges of these relations among them.
    #[must_use]
    pub fn of(graph: &Graph, component: &Component, relations: Relations) -> Part {
        Part::new(graph, component.vertices().to_vec(), relations)
    }

    /// The vertices given, in the order given (the real ones first), and among them the edges of these relations.
    #[must_use]
    pub fn new(graph: &Graph, names: Vec<u32>, relations: Relations) -> Part {
        Part::among(graph, names, relations)
    }

    pub(super) fn among(graph: &impl Rows, names: Vec<u32>, relations: Relations) -> Part {
        let real = id(names.iter().take_while(|name| **name < graph.real()).count());
        // A column over all vertices only where the part is a good part of the whole: there may be many parts.
        let dense = names.len() >= graph.total() as usize / 16;
        let mut column = vec![u32::MAX; if dense { graph.total() as usize } else { 0 }];
        let mut sorted: Vec<(u32, u32)> = Vec::new();
        if dense {
            for (local, name) in (0u32..).zip(&names) {
                column[*name as usize] = local;
            }
        } else {
            sorted = names.iter().copied().zip(0u32..).collect();
            sorted.sort_unstable();
        }
        let find = &|name: u32| {
            if dense {
                Some(column[name as usize]).filter(|local| *local != u32::MAX)
            } else {
                sorted.binary_search_by_key(&name, |pair| pair.0).ok().map(|at| sorted[at].1)
            }
        };
        let edges = || {
            (0u32..).zip(&names).flat_map(|(from, name)| {
                graph.edges(*name).filter_map(move |(target, bits)| {
                    let relations = bits & (relations | Relations::LINK);
                    let to = (!relations.is_empty()).then(|| find(target)).flatten()?;
                    Some(Edge { from, to, relations })
                })
            })
        };
        let graph = Graph::rows(real, id(names.len()), edges);
        Part { graph, names }
    }

    /// The same, real vertices numbered along the order that `base` gives; where it gives none, by name.
    pub(super) fn along(self, base: Relations) -> Part {
        if base.is_empty() {
            return self;
        }
        let order = topological(&self.graph, base);
        let (real, auxiliary): (Vec<u32>, Vec<u32>) =
            order.into_iter().partition(|vertex| !self.graph.is_auxiliary(*vertex));
        let mut place = vec![0u32; self.names.len()];
        let order: Vec<u32> = real.into_iter().chain(auxiliary).collect();
        for (at, vertex) in (0u32..).zip(&order) {
            place[*vertex as usize] = at;
        }
        let mut edges = Vec::with_capacity(self.graph.edge_count());
        for from in self.graph.vertices() {
            for (to, relations) in self.graph.edges_from(from) {
                edges.push(Edge { from: place[from as usize], to: place[to as usize], relations });
            }
        }
        let names = order.iter().map(|vertex| self.names[*vertex as usize]).collect();
        Part { graph: Graph::rows(self.graph.real(), self.graph.total(), || edges.iter().copied()), names }
    }

    /// For each auxiliary vertex the lowest real one that it links to, by whatever way; `u32::MAX` for none.
    pub(super) fn lowest(&self) -> Vec<u32> {
        let graph = &self.graph;
        let mut lowest = vec![u32::MAX; (graph.total() - graph.real()) as usize];
        if lowest.is_empty() {
            return lowest;
        }
        let into = transposed(graph, |relations| relations == Relations::LINK);
        let mut open = Vec::new();
        for vertex in 0..graph.real() {
            open.push(vertex);
            while let Some(target) = open.pop() {
                for (from, _) in into.edges_from(target) {
                    let known = &mut lowest[(from - graph.real()) as usize];
                    if *known == u32::MAX {
                        *known = vertex;
                        open.push(from);
                    }
                }
            }
        }
        lowest
    }
}

/// All edges of a kind, turned around, whatever they are; their bits as they were.
pub(super) fn transposed(graph: &Graph, kept: impl Fn(Relations) -> bool) -> Graph {
    let mut edges = Vec::new();
    for from in graph.vertices() {
        for (to, relations) in graph.edges_from(from) {
            if kept(relations) {
                edges.push(Edge { from: to, to: from, relations });
            }
        }
    }
    // Every vertex counts as real, or its bits would be lost.
    Graph::rows_as_given(graph.total(), &edges)
}

/// An order of all vertices along which the relations of `base` lead forward, except within a component; of several orders, the one
/// closest to the vertices' own.
#[must_use]
pub fn topological(graph: &Graph, base: Relations) -> Vec<u32> {
    let total = graph.total() as usize;
    let filtered = Filtered { graph, allowed: base | Relations::LINK };
    let component = tarjan(&filtered, |_| ()); // falls from sinks to sources: a source has the lowest
    let lowest = component.iter().copied().min().unwrap_or_default();
    let component: Vec<u32> = component.iter().map(|number| number - lowest).collect();
    let mut members = vec![0usize; total + 1];
    for at in &component {
        members[*at as usize + 1] += 1;
    }
    for at in 0..total {
        members[at + 1] += members[at];
    }
    let mut next = members.clone();
    let mut listed = vec![0u32; total];
    for vertex in graph.vertices() {
        let at = &mut next[component[vertex as usize] as usize];
        listed[*at] = vertex;
        *at += 1;
    }
    let mut waiting = vec![0u32; total];
    let leaves = |vertex: u32| {
        let own = component[vertex as usize];
        let row = graph.edges_from(vertex).filter(move |(_, bits)| bits.intersects(base | Relations::LINK));
        row.map(|(target, _)| component[target as usize]).filter(move |other| *other != own)
    };
    for vertex in graph.vertices() {
        for other in leaves(vertex) {
            waiting[other as usize] += 1;
        }
    }
    // An auxiliary vertex takes no place among the real ones, and so goes at once.
    let urgency = |at: u32| {
        let first = listed[members[at as usize]];
        if graph.is_auxiliary(first) { (0, first) } else { (1, first) }
    };
    let mut ready: BinaryHeap<Reverse<((u32, u32), u32)>> = BinaryHeap::new();
    for at in 0..id(total) {
        if members[at as usize] < members[at as usize + 1] && waiting[at as usize] == 0 {
            ready.push(Reverse((urgency(at), at)));
        }
    }
    let mut order = Vec::with_capacity(total);
    while let Some(Reverse((_, at))) = ready.pop() {
        for vertex in &listed[members[at as usize]..members[at as usize + 1]] {
            order.push(*vertex);
            for other in leaves(*vertex) {
                waiting[other as usize] -= 1;
                if waiting[other as usize] == 0 {
                    ready.push(Reverse((urgency(other), other)));
                }
            }
        }
    }
    order
}
