//! Relations between vertices, and the cycles they form. Ids and relations only: no key, no value, no guarantee.
//!
//! A [`Graph`] holds its edges in compressed rows, and what an edge is as bits ([`Relations`]); parallel edges are one edge with
//! several bits, which may be used as any one of them. Vertices `0..real` are the caller's; those after them are *auxiliary*: they
//! stand for many edges by few (a barrier of real-time order, or a node that joins all readers of a version to all writers of the
//! next). A path `u -r-> K -LINK-> L -LINK-> v` through auxiliary vertices is *one step* `u -r-> v`, and a step that would lead back to
//! where it began is none.
//!
//! Three questions, in this order:
//! - [`Timed::cyclic`]: where can cycles lie at all, session order and real time ([`Timeline`]) included?
//! - [`has_cycle()`]: is there a cycle of these relations (linear; with or without two adjacent rw edges)? [`components()`]: where?
//! - [`shortest_cycle`]: the shortest cycle of a [`Pattern`] within a component (under a budget).
//!
//! The graph implements petgraph's `visit` traits, so that petgraph's algorithms and its `dot` run on it. Components and the search
//! are our own: petgraph's Tarjan recurses, and neither knows auxiliary vertices or adjacency of rw edges.

mod build;
mod components;
mod cycle;
mod deep;
mod local;
mod pattern;
mod product;
mod timed;
mod timeline;
mod visit;

pub use components::{Component, Components, components, has_cycle};
pub use cycle::{Cycle, CycleStep, Search, shortest_cycle};
pub use local::{Part, topological};
pub use pattern::{Pattern, RwRule};
pub use timed::Timed;
pub use timeline::{Moment, Timeline};

/// What an edge is: a set of relations, as bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Relations(u8);

impl Relations {
    /// None.
    pub const NONE: Relations = Relations(0);
    /// Version order: `to` installs the version after one of `from`'s.
    pub const WW: Relations = Relations(1);
    /// Reads-from.
    pub const WR: Relations = Relations(2);
    /// Session order.
    pub const PROCESS: Relations = Relations(4);
    /// Real-time order.
    pub const REALTIME: Relations = Relations(8);
    /// Anti-dependency: `to` installs the version after one that `from` read.
    pub const RW: Relations = Relations(16);
    /// Continues, out of an auxiliary vertex, the relation of the edge that entered it.
    pub const LINK: Relations = Relations(32);
    /// All of them.
    pub const ALL: Relations = Relations(63);

    /// Whether all of `other` are among these.
    #[must_use]
    pub const fn contains(self, other: Relations) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether one of `other` is among these.
    #[must_use]
    pub const fn intersects(self, other: Relations) -> bool {
        self.0 & other.0 != 0
    }

    /// These, but none of `other`.
    #[must_use]
    pub const fn without(self, other: Relations) -> Relations {
        Relations(self.0 & !other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One by one, the least severe first: ww, wr, process, realtime, rw, link.
    pub fn iter(self) -> impl Iterator<Item = Relations> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let lowest = left & left.wrapping_neg();
            left ^= lowest;
            (lowest != 0).then_some(Relations(lowest))
        })
    }

    /// The name of a single relation, as witnesses say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Relations::WW => "ww",
            Relations::WR => "wr",
            Relations::PROCESS => "process",
            Relations::REALTIME => "realtime",
            Relations::RW => "rw",
            Relations::LINK => "link",
            _ => "several",
        }
    }
}

impl std::ops::BitOr for Relations {
    type Output = Relations;
    fn bitor(self, other: Relations) -> Relations {
        Relations(self.0 | other.0)
    }
}

impl std::ops::BitAnd for Relations {
    type Output = Relations;
    fn bitand(self, other: Relations) -> Relations {
        Relations(self.0 & other.0)
    }
}

/// An edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Where it leaves.
    pub from: u32,
    /// Where it enters.
    pub to: u32,
    /// What it is: any one of these.
    pub relations: Relations,
}

/// A directed graph in compressed rows.
#[derive(Clone, Debug)]
pub struct Graph {
    real: u32,
    /// One more than vertices: where each row begins.
    offsets: Vec<u32>,
    targets: Vec<u32>,
    relations: Vec<Relations>,
}

impl Graph {
    /// The most edges that a graph can have.
    pub const MOST_EDGES: usize = u32::MAX as usize - 1;

    /// How many vertices are the caller's own.
    #[must_use]
    pub fn real(&self) -> u32 {
        self.real
    }

    /// How many vertices there are, auxiliary ones included.
    #[must_use]
    pub fn total(&self) -> u32 {
        id(self.offsets.len() - 1)
    }

    /// How many edges there are, after parallel ones were merged.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.targets.len()
    }

    /// Whether a vertex is auxiliary.
    #[must_use]
    pub fn is_auxiliary(&self, vertex: u32) -> bool {
        vertex >= self.real
    }

    /// The edges out of a vertex, by target.
    pub fn edges_from(&self, vertex: u32) -> impl ExactSizeIterator<Item = (u32, Relations)> {
        let row = self.row(vertex);
        self.targets[row.clone()].iter().copied().zip(self.relations[row].iter().copied())
    }

    fn row(&self, vertex: u32) -> std::ops::Range<usize> {
        self.offsets[vertex as usize] as usize..self.offsets[vertex as usize + 1] as usize
    }

    fn vertices(&self) -> std::ops::Range<u32> {
        0..self.total()
    }
}

/// A count as an id.
fn id(count: usize) -> u32 {
    u32::try_from(count).expect("Graph::build bounds vertices and edges")
}

#[cfg(test)]
mod tests;
