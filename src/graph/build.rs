//! From a list of edges to compressed rows: two passes over the list, and nothing else of its size; linear but for the order
//! within a row.
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
    /// If an edge names a vertex that does not exist, or with more than 2^31 vertices or [`Graph::MOST_EDGES`] edges: defects of the
    /// caller, not of input.
    #[must_use]
    pub fn build(real: u32, auxiliary: u32, edges: Vec<Edge>) -> Graph {
        Graph::gather(real, auxiliary, || edges.iter().copied())
    }

    /// The same, of edges that are told twice, the same ones each time, and need not be held together.
    ///
    /// # Panics
    /// As [`Graph::build`].
    #[must_use]
    pub fn gather<I: Iterator<Item = Edge>>(real: u32, auxiliary: u32, edges: impl Fn() -> I) -> Graph {
        let total = real.checked_add(auxiliary).filter(|total| *total <= 1 << 31).expect("at most 2^31 vertices");
        let mut graph = Graph::rows(real, total, edges);
        graph.part_self_steps();
        graph
    }

    /// Rows from edges; each edge's ids are below `total`.
    pub(super) fn rows<I: Iterator<Item = Edge>>(real: u32, total: u32, edges: impl Fn() -> I) -> Graph {
        Graph::rows_where(real, total, edges, |edge| {
            let relations = if edge.from < real { edge.relations.without(Relations::LINK) } else { Relations::LINK };
            (edge.from != edge.to && !relations.is_empty()).then_some(relations)
        })
    }

    /// Rows from edges as they are: nothing dropped, all vertices real.
    pub(super) fn rows_as_given(total: u32, edges: &[Edge]) -> Graph {
        Graph::rows_where(total, total, || edges.iter().copied(), |edge| Some(edge.relations))
    }

    fn rows_where<I: Iterator<Item = Edge>>(
        real: u32,
        total: u32,
        edges: impl Fn() -> I,
        kept: impl Fn(&Edge) -> Option<Relations>,
    ) -> Graph {
        let mut offsets = vec![0u32; total as usize + 1];
        let mut count = 0usize;
        for edge in edges() {
            assert!(edge.to < total, "an edge to a vertex that does not exist");
            if kept(&edge).is_some() {
                // Counts that wrapped are never read: see the assertion below.
                let slot = &mut offsets[edge.from as usize];
                *slot = slot.wrapping_add(1);
                count += 1;
            }
        }
        assert!(count <= Graph::MOST_EDGES, "at most 2^32 - 2 edges");
        let mut sum = 0;
        for slot in &mut offsets {
            sum += std::mem::replace(slot, sum);
        }
        let mut targets = vec![0u32; count];
        let mut bits = vec![Relations::NONE; count];
        for edge in edges() {
            if let Some(relations) = kept(&edge) {
                let slot = &mut offsets[edge.from as usize];
                targets[*slot as usize] = edge.to;
                bits[*slot as usize] = relations;
                *slot += 1;
            }
        }
        // Each offset is now the end of its row, and so the beginning of the next.
        let mut scratch = Vec::new();
        let (mut begin, mut kept) = (0, 0);
        for slot in offsets.iter_mut().take(total as usize) {
            let row = begin..std::mem::replace(slot, id(kept)) as usize;
            begin = row.end;
            sort_row(&mut targets[row.clone()], &mut bits[row.clone()], &mut scratch);
            let first = kept;
            for at in row {
                if kept > first && targets[kept - 1] == targets[at] {
                    bits[kept - 1] = bits[kept - 1] | bits[at];
                } else {
                    (targets[kept], bits[kept]) = (targets[at], bits[at]);
                    kept += 1;
                }
            }
        }
        offsets[total as usize] = id(kept);
        targets.truncate(kept);
        bits.truncate(kept);
        Graph { real, offsets, targets, relations: bits }
    }

    fn part_self_steps(&mut self) {
        let mut back: Vec<(u32, u32)> = Vec::new(); // (auxiliary, real), there and back
        for vertex in 0..self.real {
            for (through, _) in self.edges_from(vertex) {
                if self.is_auxiliary(through) && self.targets[self.row(through)].binary_search(&vertex).is_ok() {
                    back.push((through, vertex));
                }
            }
        }
        back.sort_unstable();
        let groups = || back.chunk_by(|a, b| a.0 == b.0);
        let steps: usize = groups().map(|group| self.row(group[0].0).len()).sum();
        self.offsets.reserve_exact(2 * steps + back.len());
        self.targets.reserve_exact(4 * steps + 2 * back.len());
        self.relations.reserve_exact(4 * steps + 2 * back.len());
        let mut scratch = Vec::new();
        for group in groups() {
            let through = group[0].0;
            let row: Vec<u32> = self.targets[self.row(through)].to_vec();
            let mut up_to = Vec::with_capacity(row.len()); // two chains over the row
            for (at, target) in row.iter().enumerate() {
                let before = at.checked_sub(1).map(|before| up_to[before]);
                up_to.push(self.add_auxiliary(std::iter::once(*target).chain(before)));
            }
            let mut onward = vec![0; row.len()];
            for (at, target) in row.iter().enumerate().rev() {
                let after = onward.get(at + 1).copied();
                onward[at] = self.add_auxiliary(std::iter::once(*target).chain(after));
            }
            for &(_, vertex) in group {
                let Ok(at) = row.binary_search(&vertex) else { continue };
                let others = [at.checked_sub(1).map(|before| up_to[before]), onward.get(at + 1).copied()];
                let others: Vec<u32> = others.into_iter().flatten().collect();
                let instead = match others.as_slice() {
                    [one] => *one,
                    // A vertex of its own takes the place of one edge by none or by two.
                    several => self.add_auxiliary(several.iter().copied()),
                };
                let own = self.row(vertex);
                let (targets, bits) = (&mut self.targets[own.clone()], &mut self.relations[own]);
                if let Ok(entering) = targets.binary_search(&through) {
                    targets[entering] = instead;
                    sort_row(targets, bits, &mut scratch);
                }
            }
        }
        assert!(self.total() <= 1 << 31 && self.targets.len() <= Graph::MOST_EDGES, "at most 2^31 vertices");
    }

    /// One more vertex, after all others, that links to these.
    fn add_auxiliary(&mut self, targets: impl Iterator<Item = u32>) -> u32 {
        let vertex = self.total();
        self.targets.extend(targets);
        self.relations.resize(self.targets.len(), Relations::LINK);
        self.offsets.push(id(self.targets.len()));
        let row = self.row(vertex);
        self.targets[row].sort_unstable();
        vertex
    }
}

/// Orders a row by target, its bits with it.
fn sort_row(targets: &mut [u32], bits: &mut [Relations], scratch: &mut Vec<(u32, Relations)>) {
    const SHORT: usize = 24;
    if targets.len() <= SHORT {
        for at in 1..targets.len() {
            let mut place = at;
            while place > 0 && targets[place - 1] > targets[place] {
                targets.swap(place - 1, place);
                bits.swap(place - 1, place);
                place -= 1;
            }
        }
    } else if !targets.is_sorted() {
        scratch.clear();
        scratch.extend(targets.iter().copied().zip(bits.iter().copied()));
        scratch.sort_unstable_by_key(|entry| entry.0);
        for (at, entry) in scratch.iter().enumerate() {
            (targets[at], bits[at]) = *entry;
        }
    }
}
