//! A graph of dependencies with session order and real time beside it.
//!
//! Mostly there is no cycle at all, and the orders are most of the edges. So what asks whether there is one walks both together,
//! without writing the orders down ([`Timed::cyclic`]); only the part of the graph that cycles can lie in becomes a graph of its
//! own, orders and all.
//!
//! Vertices: the caller's, the dependencies' auxiliary ones, the barriers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::components::{Successors, tarjan};
use super::local::Rows;
use super::timeline::Timeline;
use super::{Edge, Graph, Part, Relations};

/// Dependencies, and the orders of time. See the module's text.
#[derive(Debug)]
pub struct Timed {
    dependencies: Graph,
    time: Timeline,
}

/// How much of a vertex's edges was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// A place in the row of dependencies, or a rank; behind its end, what comes after that.
    at: u32,
    /// The last of those that follow it in its session.
    last: u32,
}

impl Timed {
    /// A graph and the timeline of its real vertices.
    #[must_use]
    pub fn new(dependencies: Graph, time: Timeline) -> Timed {
        Timed { dependencies, time }
    }

    /// Session order and real time.
    #[must_use]
    pub fn time(&self) -> &Timeline {
        &self.time
    }

    /// The part that cycles of any kind can lie in, if there is such: all further questions are asked of it alone.
    #[must_use]
    pub fn cyclic(&self) -> Option<Part> {
        let mut vertices: Vec<u32> = Vec::new();
        tarjan(self, |nodes| {
            if nodes.iter().filter(|node| **node < self.dependencies.real()).count() > 1 {
                vertices.extend(nodes);
            }
        });
        vertices.sort_unstable();
        (!vertices.is_empty()).then(|| Part::among(self, vertices, Relations::ALL))
    }

    /// All of it as one graph.
    #[must_use]
    pub fn explicit(&self) -> Graph {
        Graph::rows(self.real(), self.total(), || {
            (0..self.total()).flat_map(|from| self.edges(from).map(move |(to, relations)| Edge { from, to, relations }))
        })
    }

    /// The real vertices in an order along which these relations lead forward, the one closest to their own; none where they have a
    /// cycle. The same as [`super::topological`] gives of all of it, and nothing is written down.
    #[must_use]
    pub fn forward(&self, base: Relations) -> Option<Vec<u32>> {
        let (real, total) = (self.real(), self.total());
        let leaves = |vertex: u32| {
            let row = self.edges(vertex).filter(|(_, bits)| bits.intersects(base | Relations::LINK));
            row.map(|(target, _)| target)
        };
        let mut waiting = vec![0u32; total as usize];
        for target in (0..total).flat_map(leaves) {
            waiting[target as usize] += 1;
        }
        // An auxiliary vertex takes no place among the real ones, and so goes at once.
        let urgency = |vertex: u32| Reverse((vertex < real, vertex));
        let mut ready: BinaryHeap<Reverse<(bool, u32)>> =
            (0..total).filter(|vertex| waiting[*vertex as usize] == 0).map(urgency).collect();
        let mut order = Vec::with_capacity(real as usize);
        while let Some(Reverse((is_real, vertex))) = ready.pop() {
            if is_real {
                order.push(vertex);
            }
            for target in leaves(vertex) {
                waiting[target as usize] -= 1;
                if waiting[target as usize] == 0 {
                    ready.push(urgency(target));
                }
            }
        }
        (order.len() == real as usize).then_some(order)
    }

    #[inline]
    fn step(&self, vertex: u32, cursor: &mut Cursor) -> Option<(u32, Relations)> {
        let graph = &self.dependencies;
        if let Some(barrier) = vertex.checked_sub(graph.total()) {
            let end = self.time.ranks(barrier).end;
            while cursor.at < end {
                cursor.at += 1;
                if let Some(target) = self.time.ranked(cursor.at - 1) {
                    return Some((target, Relations::LINK));
                }
            }
            let next = (cursor.at == end && barrier + 1 < self.time.barriers()).then_some(vertex + 1)?;
            cursor.at += 1;
            return Some((next, Relations::LINK));
        }
        let end = graph.offsets[vertex as usize + 1];
        if cursor.at < end {
            let at = cursor.at as usize;
            cursor.at += 1;
            return Some((graph.targets[at], graph.relations[at]));
        }
        if cursor.at > end || vertex >= graph.real() {
            return None;
        }
        if let Some(next) = self.time.follower(vertex, cursor.last) {
            cursor.last = next;
            return Some((next, Relations::PROCESS));
        }
        cursor.at += 1;
        self.time.end(vertex).map(|barrier| (graph.total() + barrier, Relations::REALTIME))
    }
}

impl Rows for Timed {
    fn real(&self) -> u32 {
        self.dependencies.real()
    }

    fn total(&self) -> u32 {
        self.dependencies.total() + self.time.barriers()
    }

    fn edges(&self, vertex: u32) -> impl Iterator<Item = (u32, Relations)> {
        let mut cursor = self.begin(vertex);
        std::iter::from_fn(move || self.step(vertex, &mut cursor))
    }
}

impl Successors for Timed {
    type Cursor = Cursor;

    fn nodes(&self) -> usize {
        self.total() as usize
    }

    #[inline]
    fn begin(&self, vertex: u32) -> Cursor {
        let at = match vertex.checked_sub(self.dependencies.total()) {
            Some(barrier) => self.time.ranks(barrier).start,
            None => self.dependencies.offsets[vertex as usize],
        };
        Cursor { at, last: vertex }
    }

    #[inline]
    fn next(&self, vertex: u32, cursor: &mut Cursor) -> Option<u32> {
        self.step(vertex, cursor).map(|(target, _)| target)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Moment;
    use super::*;

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u32) -> u32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from((self.0 >> 33) % u64::from(bound)).expect("below a u32")
        }
    }

    /// Up to 7 operations of up to 3 sessions, in order of invocation; some of unknown end, some that don't count, and some
    /// whose beginning is only known to come after another record.
    fn moments(random: &mut Random) -> (u32, Vec<Moment>) {
        let mut open: [Option<usize>; 3] = [None; 3];
        let (mut moments, mut position, mut free) = (Vec::new(), 0, [0u32; 3]);
        while moments.len() < 7 && position < 20 {
            let session = random.below(3);
            let lane = &mut open[session as usize];
            let counts = random.below(6) > 0;
            if let Some(at) = lane.take() {
                let moment: &mut Moment = &mut moments[at];
                moment.ended = (random.below(4) > 0).then_some(position);
            } else if random.below(4) == 0 {
                let began = free[session as usize];
                moments.push(Moment { session, began, ended: Some(position), counts });
            } else {
                *lane = Some(moments.len());
                moments.push(Moment { session, began: position, ended: None, counts });
            }
            free[session as usize] = position + 1;
            position += 1;
        }
        (position, moments)
    }

    /// The single steps of session order and real time out of `from`, through any auxiliary vertices.
    fn steps(graph: &Graph, from: u32) -> BTreeSet<(u32, Relations)> {
        let mut found = BTreeSet::new();
        let mut open: Vec<(u32, Relations)> =
            graph.edges_from(from).flat_map(|(to, relations)| relations.iter().map(move |one| (to, one))).collect();
        while let Some((to, relation)) = open.pop() {
            if !graph.is_auxiliary(to) {
                found.insert((to, relation));
                continue;
            }
            open.extend(graph.edges_from(to).map(|(to, _)| (to, relation)));
        }
        found
    }

    /// Goal: the orders are exactly the pairs that their definitions name, and the cyclic part is what a graph that holds
    /// all of them as edges says it is.
    #[test]
    fn orders_as_by_definition() {
        let mut random = Random(7);
        for _ in 0..3000 {
            let (positions, moments) = moments(&mut random);
            let real = u32::try_from(moments.len()).expect("few");
            let data: Vec<Edge> = (0..random.below(6))
                .map(|_| Edge { from: random.below(real), to: random.below(real), relations: Relations::WR })
                .filter(|edge| moments[edge.from as usize].counts && moments[edge.to as usize].counts)
                .collect();
            let time = Timeline::new(positions, moments.iter().copied());
            let mut expected: BTreeSet<(u32, u32, Relations)> = BTreeSet::new();
            let (mut in_session, mut in_time) = (BTreeSet::new(), BTreeSet::new());
            for (to, later) in (0u32..).zip(&moments).filter(|(_, later)| later.counts) {
                let before = (0u32..to).zip(&moments).rev();
                let mut own =
                    before.filter(|(_, one)| one.counts && one.session == later.session && one.ended.is_some());
                if let Some((from, _)) = own.next() {
                    expected.insert((from, to, Relations::PROCESS));
                    in_session.insert(to);
                }
                for (from, one) in (0u32..).zip(&moments).filter(|(_, one)| one.counts) {
                    if one.ended.is_some_and(|ended| ended < later.began) {
                        expected.insert((from, to, Relations::REALTIME));
                        in_time.insert(to);
                    }
                }
            }
            assert_eq!((time.in_session, time.in_time), (in_session.len() as u64, in_time.len() as u64));
            expected.extend(data.iter().filter(|e| e.from != e.to).map(|edge| (edge.from, edge.to, edge.relations)));
            let timed = Timed::new(Graph::build(real, 0, data), time);
            let explicit = timed.explicit();
            let found: BTreeSet<(u32, u32, Relations)> = (0..real)
                .flat_map(|from| steps(&explicit, from).into_iter().map(move |(to, relation)| (from, to, relation)))
                .collect();
            assert_eq!(found, expected, "{moments:?}");
            let cyclic: Vec<u32> = timed.cyclic().map(|part| part.names).unwrap_or_default();
            let components = super::super::components(&explicit, Relations::ALL, false);
            let mut all: Vec<u32> = components.iter().flat_map(|one| one.vertices().to_vec()).collect();
            all.sort_unstable();
            assert_eq!(cyclic, all, "{moments:?}");
            for base in [Relations::WR, Relations::WR | Relations::PROCESS, Relations::ALL] {
                let cyclic = !super::super::components(&explicit, base, false).is_empty();
                let order = super::super::topological(&explicit, base).into_iter().filter(|vertex| *vertex < real);
                assert_eq!(timed.forward(base), (!cyclic).then(|| order.collect::<Vec<u32>>()), "{moments:?}");
            }
        }
    }
}
