//! petgraph's `visit` traits: its algorithms and its `dot` run on our rows, auxiliary vertices and all.

use fixedbitset::FixedBitSet;
use petgraph::visit::{
    Data, EdgeRef, GraphBase, GraphProp, IntoEdgeReferences, IntoEdges, IntoNeighbors, IntoNodeIdentifiers,
    IntoNodeReferences, NodeCompactIndexable, NodeCount, NodeIndexable, Visitable,
};

use super::{Graph, Relations, id};

/// An edge in place.
#[derive(Clone, Copy, Debug)]
pub struct EdgeAt<'a> {
    graph: &'a Graph,
    from: u32,
    at: usize,
}

impl EdgeRef for EdgeAt<'_> {
    type NodeId = u32;
    type EdgeId = usize;
    type Weight = Relations;

    fn source(&self) -> u32 {
        self.from
    }

    fn target(&self) -> u32 {
        self.graph.targets[self.at]
    }

    fn weight(&self) -> &Relations {
        &self.graph.relations[self.at]
    }

    fn id(&self) -> usize {
        self.at
    }
}

/// Edges in place, of some vertices in a row.
#[derive(Clone, Debug)]
pub struct EdgesAt<'a> {
    graph: &'a Graph,
    from: u32,
    at: usize,
    end: usize,
}

impl<'a> Iterator for EdgesAt<'a> {
    type Item = EdgeAt<'a>;

    fn next(&mut self) -> Option<EdgeAt<'a>> {
        if self.at == self.end {
            return None;
        }
        while self.graph.row(self.from).end <= self.at {
            self.from += 1;
        }
        let edge = EdgeAt { graph: self.graph, from: self.from, at: self.at };
        self.at += 1;
        Some(edge)
    }
}

impl GraphBase for Graph {
    type EdgeId = usize;
    type NodeId = u32;
}

impl GraphProp for Graph {
    type EdgeType = petgraph::Directed;
}

impl Data for Graph {
    type NodeWeight = ();
    type EdgeWeight = Relations;
}

impl NodeCount for Graph {
    fn node_count(&self) -> usize {
        self.offsets.len() - 1
    }
}

impl NodeIndexable for Graph {
    fn node_bound(&self) -> usize {
        self.node_count()
    }

    fn to_index(&self, vertex: u32) -> usize {
        vertex as usize
    }

    fn from_index(&self, index: usize) -> u32 {
        id(index)
    }
}

impl NodeCompactIndexable for Graph {}

impl Visitable for Graph {
    type Map = FixedBitSet;

    fn visit_map(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.node_count())
    }

    fn reset_map(&self, map: &mut FixedBitSet) {
        map.clear();
        map.grow(self.node_count());
    }
}

impl<'a> IntoNeighbors for &'a Graph {
    type Neighbors = std::iter::Copied<std::slice::Iter<'a, u32>>;

    fn neighbors(self, vertex: u32) -> Self::Neighbors {
        self.targets[self.row(vertex)].iter().copied()
    }
}

impl<'a> IntoEdgeReferences for &'a Graph {
    type EdgeRef = EdgeAt<'a>;
    type EdgeReferences = EdgesAt<'a>;

    fn edge_references(self) -> EdgesAt<'a> {
        EdgesAt { graph: self, from: 0, at: 0, end: self.targets.len() }
    }
}

impl<'a> IntoEdges for &'a Graph {
    type Edges = EdgesAt<'a>;

    fn edges(self, vertex: u32) -> EdgesAt<'a> {
        let row = self.row(vertex);
        EdgesAt { graph: self, from: vertex, at: row.start, end: row.end }
    }
}

impl IntoNodeIdentifiers for &Graph {
    type NodeIdentifiers = std::ops::Range<u32>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        self.vertices()
    }
}

impl<'a> IntoNodeReferences for &'a Graph {
    type NodeRef = (u32, &'a ());
    type NodeReferences = std::iter::Map<std::ops::Range<u32>, fn(u32) -> (u32, &'a ())>;

    fn node_references(self) -> Self::NodeReferences {
        self.vertices().map(|vertex| (vertex, &()))
    }
}
