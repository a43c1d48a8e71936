//! Strongly connected components of some relations: whether there is a cycle at all. Linear, iterative.
//!
//! Without the rw rule a component with two real vertices holds a simple cycle, and each of its edges lies on one. With it (no two rw
//! steps adjacent, cyclically) the components are those of a layered graph that is never built: (v, 1) stands for
//! v entered by rw, (v, 0) for v entered by anything else; rw steps lead from (u, 0) to (v, 1), all others from (u, *) to (v, 0), and an
//! auxiliary vertex keeps the layer of the step that passes through it. A component there is a closed walk without adjacent rw; split at
//! a repeated vertex, one of its halves has none either, so a simple cycle of the kind exists too (Cerone and Gotsman: snapshot
//! isolation is the absence of such cycles).
//!
//! Tarjan's algorithm in Pearce's form (one number a vertex; "A space-efficient algorithm for finding strongly connected
//! components", IPL 2016), with an explicit stack.

use super::{Graph, Relations, id};

/// One component: at least two real vertices, each of which reaches each other one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Component {
    vertices: Vec<u32>,
    real: usize,
}

impl Component {
    /// The real vertices, ascending.
    #[must_use]
    pub fn real(&self) -> &[u32] {
        &self.vertices[..self.real]
    }

    /// All vertices, ascending: the real ones, then the auxiliary ones.
    #[must_use]
    pub fn vertices(&self) -> &[u32] {
        &self.vertices
    }

    /// `nodes` in any order, repeats allowed; none if fewer than two are real.
    fn new(mut vertices: Vec<u32>, graph: &Graph) -> Option<Component> {
        vertices.sort_unstable();
        vertices.dedup();
        let real = vertices.partition_point(|vertex| !graph.is_auxiliary(*vertex));
        (real > 1).then_some(Component { vertices, real })
    }
}

/// The components with a cycle, by their smallest vertex.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Components {
    list: Vec<Component>,
}

impl Components {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none: no cycle.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Component> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Components {
    type Item = &'a Component;
    type IntoIter = std::slice::Iter<'a, Component>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The components that cycles of the allowed relations form; with `no_adjacent_rw`, cycles without two adjacent rw steps. In the
/// latter case components may share vertices.
#[must_use]
pub fn components(graph: &Graph, allowed: Relations, no_adjacent_rw: bool) -> Components {
    let mut list = Vec::new();
    if no_adjacent_rw && allowed.contains(Relations::RW) {
        tarjan(&Layered { graph, plain: allowed.without(Relations::RW) | Relations::LINK }, |nodes| {
            list.extend(Component::new(nodes.iter().map(|node| node / 2).collect(), graph));
        });
    } else {
        tarjan(&Filtered { graph, allowed: allowed | Relations::LINK }, |nodes| {
            list.extend(Component::new(nodes.to_vec(), graph));
        });
    }
    list.sort_unstable_by(|a: &Component, b: &Component| a.vertices.cmp(&b.vertices));
    Components { list }
}

/// Whether [`components()`] finds any: ends at the first.
#[must_use]
pub fn has_cycle(graph: &Graph, allowed: Relations, no_adjacent_rw: bool) -> bool {
    let mut any = false;
    let several = |vertices: &[u32], layers: u32| {
        let mut real = vertices.iter().map(|node| node / layers).filter(|vertex| !graph.is_auxiliary(*vertex));
        let first = real.next();
        real.any(|vertex| Some(vertex) != first)
    };
    if no_adjacent_rw && allowed.contains(Relations::RW) {
        walk(&Layered { graph, plain: allowed.without(Relations::RW) | Relations::LINK }, |nodes| {
            any = several(nodes, 2);
            !any
        });
    } else {
        walk(&Filtered { graph, allowed: allowed | Relations::LINK }, |nodes| {
            any = several(nodes, 1);
            !any
        });
    }
    any
}

/// A graph as Tarjan walks it.
pub(super) trait Successors {
    /// A place among a node's edges.
    type Cursor: Copy;
    fn nodes(&self) -> usize;
    /// Before a node's first edge.
    fn begin(&self, node: u32) -> Self::Cursor;
    /// The node at the end of the next edge that counts; nothing, again and again, after the last one.
    fn next(&self, node: u32, cursor: &mut Self::Cursor) -> Option<u32>;
}

/// The graph, but only some relations.
pub(super) struct Filtered<'a> {
    pub(super) graph: &'a Graph,
    pub(super) allowed: Relations,
}

impl Successors for Filtered<'_> {
    type Cursor = u32;

    fn nodes(&self) -> usize {
        self.graph.total() as usize
    }

    #[inline]
    fn begin(&self, node: u32) -> u32 {
        self.graph.offsets[node as usize]
    }

    #[inline]
    fn next(&self, node: u32, cursor: &mut u32) -> Option<u32> {
        let end = self.graph.offsets[node as usize + 1];
        while *cursor < end {
            let at = *cursor as usize;
            *cursor += 1;
            if self.graph.relations[at].intersects(self.allowed) {
                return Some(self.graph.targets[at]);
            }
        }
        None
    }
}

/// Node 2v + layer.
struct Layered<'a> {
    graph: &'a Graph,
    plain: Relations,
}

impl Successors for Layered<'_> {
    type Cursor = u32;

    fn nodes(&self) -> usize {
        2 * self.graph.total() as usize
    }

    #[inline]
    fn begin(&self, node: u32) -> u32 {
        self.graph.offsets[node as usize / 2]
    }

    #[inline]
    fn next(&self, node: u32, cursor: &mut u32) -> Option<u32> {
        let end = self.graph.offsets[node as usize / 2 + 1];
        while *cursor < end {
            let at = *cursor as usize;
            *cursor += 1;
            let (target, relations) = (self.graph.targets[at], self.graph.relations[at]);
            if relations == Relations::LINK {
                return Some(2 * target + node % 2);
            } else if relations.intersects(self.plain) {
                // An edge that is also rw need not be used as such: whatever (v, 1) reaches, (v, 0) does.
                return Some(2 * target);
            } else if relations.contains(Relations::RW) && node.is_multiple_of(2) {
                return Some(2 * target + 1);
            }
        }
        None
    }
}

struct Frame<C> {
    node: u32,
    root: bool,
    cursor: C,
}

/// Calls `found` with the nodes of each component of two or more, sinks first. Returns each node's component, a number that falls
/// from sinks to sources.
///
/// See [`walk`].
pub(super) fn tarjan<S: Successors>(graph: &S, mut found: impl FnMut(&[u32])) -> Vec<u32> {
    walk(graph, |nodes| {
        found(nodes);
        true
    })
}

/// The same, until `found` says that it is enough.
///
/// Begins at the last node: numbers mostly grow with time, and edges lead forward in time, so that most successors are done when a
/// node's turn comes, and the path stays short.
fn walk<S: Successors>(graph: &S, mut found: impl FnMut(&[u32]) -> bool) -> Vec<u32> {
    let nodes = graph.nodes();
    let mut number = vec![0u32; nodes]; // 0: not seen; then its place on the stack or below; then its component
    let (mut index, mut component) = (1u32, id(nodes) + 1); // index never reaches component
    let mut open: Vec<u32> = Vec::new(); // seen, not yet in a component, and not on the path
    let mut path: Vec<Frame<S::Cursor>> = Vec::new();
    for start in (0..id(nodes)).rev() {
        if number[start as usize] != 0 {
            continue;
        }
        let mut enter = Some(start);
        loop {
            if let Some(node) = enter.take() {
                number[node as usize] = index;
                index += 1;
                path.push(Frame { node, root: true, cursor: graph.begin(node) });
            }
            let Some(frame) = path.last_mut() else { break };
            let mut least = number[frame.node as usize];
            while let Some(target) = graph.next(frame.node, &mut frame.cursor) {
                match number[target as usize] {
                    0 => {
                        enter = Some(target);
                        break;
                    }
                    seen => least = least.min(seen),
                }
            }
            let own = &mut number[frame.node as usize];
            if least < *own {
                *own = least;
                frame.root = false;
            }
            if enter.is_some() {
                continue;
            }
            let (node, root) = (frame.node, frame.root);
            path.pop();
            if root {
                let own = number[node as usize];
                let first = open.iter().rposition(|node| number[*node as usize] < own).map_or(0, |last| last + 1);
                open.push(node);
                for member in &open[first..] {
                    number[*member as usize] = component;
                }
                index -= id(open.len() - first);
                if open.len() - first > 1 && !found(&open[first..]) {
                    return number;
                }
                component -= 1;
                open.truncate(first);
            } else {
                open.push(node);
            }
            if let Some(parent) = path.last_mut() {
                // A child in a component of its own has a number above all indices, and changes nothing.
                let (child, own) = (number[node as usize], number[parent.node as usize]);
                if child < own {
                    number[parent.node as usize] = child;
                    parent.root = false;
                }
            }
        }
    }
    number
}
