//! From a list of edges to compressed rows: two passes, linear but for the order within a row.
//!
//! A step through an auxiliary vertex may lead back to where it began (a transaction that read the last version and wrote one of the
//! next). It is no step, but a search over vertices can't see that, so such an auxiliary vertex is taken apart here: it keeps its row,
//! and beside it stand two chains over the same row, one of all targets up to the i-th, one of all from the i-th. The vertex that is
//! the i-th target enters the first before itself and the second after itself. Twice the row's size, and exact.

use super::{Edge, Graph, Relations, id};

impl Graph {
    /// A graph of `real` vertices and, after them, `auxiliary` ones.
    ///
    /// Parallel edges become one with the bits of all; edges from a vertex to itself vanish. Edges out of an auxiliary vertex are
    /// `LINK`, whatever they say; others can't be. Steps that would end where they began vanish, as far as they pass through one
    /// auxiliary vertex; longer ways back are the caller's to avoid (a barrier of real-time order has none). Auxiliary vertices of
    /// the graph's own may be added after the caller's.
    ///
    /// # Panics
    /// If an edge names a vertex that does not exist, or with more than 2^31 vertices: defects of the caller, not of input.
    #[must_use]
    pub fn build(real: u32, auxiliary: u32, edges: Vec<Edge>) -> Graph {
        let total = real.checked_add(auxiliary).filter(|total| *total <= 1 << 31).expect("at most 2^31 vertices");
        let graph = Graph::rows(real, total, &edges);
        drop(edges);
        graph.without_self_steps()
    }

    /// Rows from edges; each edge's ids are below `total`.
    pub(super) fn rows(real: u32, total: u32, edges: &[Edge]) -> Graph {
        Graph::rows_where(real, total, edges, |edge| {
            let relations = if edge.from < real { edge.relations.without(Relations::LINK) } else { Relations::LINK };
            (edge.from != edge.to && !relations.is_empty()).then_some(relations)
        })
    }

    /// Rows from edges as they are: nothing dropped, all vertices real.
    pub(super) fn rows_as_given(total: u32, edges: &[Edge]) -> Graph {
        Graph::rows_where(total, total, edges, |edge| Some(edge.relations))
    }

    fn rows_where(real: u32, total: u32, edges: &[Edge], kept: impl Fn(&Edge) -> Option<Relations>) -> Graph {
        let mut offsets = vec![0usize; total as usize + 1];
        for edge in edges {
            assert!(edge.to < total, "an edge to a vertex that does not exist");
            if kept(edge).is_some() {
                offsets[edge.from as usize + 1] += 1;
            }
        }
        for vertex in 0..total as usize {
            offsets[vertex + 1] += offsets[vertex];
        }
        let mut next = offsets.clone();
        let mut entries = vec![(0u32, Relations::NONE); offsets[total as usize]];
        for edge in edges {
            if let Some(relations) = kept(edge) {
                let at = &mut next[edge.from as usize];
                entries[*at] = (edge.to, relations);
                *at += 1;
            }
        }
        let mut targets = Vec::with_capacity(entries.len());
        let mut bits: Vec<Relations> = Vec::with_capacity(entries.len());
        for vertex in 0..total as usize {
            let row = &mut entries[offsets[vertex]..offsets[vertex + 1]];
            row.sort_unstable_by_key(|entry| entry.0);
            let begin = targets.len();
            offsets[vertex] = begin;
            for &(target, relations) in row.iter() {
                if targets.len() > begin && targets.last() == Some(&target) {
                    let last = bits.len() - 1;
                    bits[last] = bits[last] | relations;
                } else {
                    targets.push(target);
                    bits.push(relations);
                }
            }
        }
        offsets[total as usize] = targets.len();
        Graph { real, offsets, targets, relations: bits }
    }

    fn without_self_steps(self) -> Graph {
        let mut back: Vec<(u32, u32)> = Vec::new(); // (auxiliary, real), there and back
        for vertex in 0..self.real {
            for (through, _) in self.edges_from(vertex) {
                if self.is_auxiliary(through) && self.targets[self.row(through)].binary_search(&vertex).is_ok() {
                    back.push((through, vertex));
                }
            }
        }
        if back.is_empty() {
            return self;
        }
        back.sort_unstable();
        let mut edges: Vec<Edge> = Vec::with_capacity(self.edge_count() + back.len());
        for from in self.vertices() {
            for (to, relations) in self.edges_from(from) {
                if back.binary_search(&(to, from)).is_err() {
                    edges.push(Edge { from, to, relations });
                }
            }
        }
        let mut total = self.total();
        for group in back.chunk_by(|a, b| a.0 == b.0) {
            let through = group[0].0;
            let row = &self.targets[self.row(through)];
            let (up_to, onward) = (total, total + id(row.len())); // two chains over the row
            total += 2 * id(row.len());
            let link = |from: u32, to: u32| Edge { from, to, relations: Relations::LINK };
            for (at, &target) in (0u32..).zip(row) {
                edges.push(link(up_to + at, target));
                edges.push(link(onward + at, target));
                if at > 0 {
                    edges.push(link(up_to + at, up_to + at - 1));
                    edges.push(link(onward + at - 1, onward + at));
                }
            }
            for &(_, vertex) in group {
                let at = row.binary_search(&vertex).map_or(0, id);
                let entering = self.targets[self.row(vertex)].binary_search(&through).unwrap_or_default();
                let relations = self.relations[self.row(vertex).start + entering];
                if at > 0 {
                    edges.push(Edge { from: vertex, to: up_to + at - 1, relations });
                }
                if at + 1 < id(row.len()) {
                    edges.push(Edge { from: vertex, to: onward + at + 1, relations });
                }
            }
        }
        assert!(total <= 1 << 31, "at most 2^31 vertices");
        Graph::rows(self.real, total, &edges)
    }
}
