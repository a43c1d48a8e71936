//! Against brute force: all simple cycles of small random graphs, with every reading of every step.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Component, Edge, Graph, Pattern, Relations, RwRule, Search, components, has_cycle, shortest_cycle, topological,
};
use crate::budget::Budget;

const WW: Relations = Relations::WW;
const WR: Relations = Relations::WR;
const RW: Relations = Relations::RW;
const PROCESS: Relations = Relations::PROCESS;
const REALTIME: Relations = Relations::REALTIME;

fn edge(from: u32, to: u32, relations: Relations) -> Edge {
    Edge { from, to, relations }
}

/// The types as Elle names them, each plain and with suffixes.
fn patterns() -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for (order, needed) in [
        (Relations::NONE, Relations::NONE),
        (PROCESS, PROCESS),
        (PROCESS | REALTIME, REALTIME),
        (PROCESS | REALTIME, Relations::NONE),
    ] {
        for (allowed, rw, required) in [
            (WW, RwRule::None, Relations::NONE),
            (WW | WR, RwRule::None, WR),
            (WW | WR | RW, RwRule::One, Relations::NONE),
            (WW | WR | RW, RwRule::NonAdjacent, Relations::NONE),
            (WW | WR | RW, RwRule::Separate, Relations::NONE),
            (WW | WR | RW, RwRule::Adjacent, Relations::NONE),
            (WW | WR | RW, RwRule::Any, Relations::NONE),
        ] {
            patterns.push(Pattern { allowed: allowed | order, rw, required: required | needed });
        }
    }
    patterns
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(bound)).expect("below a u32")
    }
}

struct Small {
    real: u32,
    auxiliary: u32,
    edges: Vec<Edge>,
}

/// A small graph; links lead to higher auxiliary vertices or to real ones, and no way through two of them leads back.
fn random(random: &mut Random) -> Small {
    let (real, auxiliary) = (2 + random.below(4), random.below(4));
    let total = real + auxiliary;
    let kinds = [WW, WR, RW, RW, PROCESS, REALTIME, WW | RW, WR | REALTIME, WW | WR];
    let few = if random.below(2) == 0 { kinds.len() } else { 4 };
    let mut edges = Vec::new();
    for _ in 0..random.below(3 * total) + 2 {
        let (from, to) = (random.below(total), random.below(total));
        let up = to < real || from < to;
        if from < real {
            let kind = kinds[random.below(u32::try_from(few).expect("nine")) as usize];
            edges.push(edge(from, to, kind));
        } else if up {
            edges.push(edge(from, to, Relations::LINK));
        }
    }
    let links = reach(real, total, &edges);
    let kept = |edge: &&Edge| {
        let onward = |link: &&Edge| link.from == edge.to && link.to >= real;
        let back = |link: &Edge| links[link.to as usize].contains(&edge.from);
        edge.from >= real || edge.to < real || !edges.iter().filter(onward).any(back)
    };
    let edges = edges.iter().filter(kept).copied().collect();
    Small { real, auxiliary, edges }
}

/// By auxiliary vertex, the real ones that links lead to.
fn reach(real: u32, total: u32, edges: &[Edge]) -> Vec<BTreeSet<u32>> {
    let mut reach = vec![BTreeSet::new(); total as usize];
    for _ in 0..total {
        for edge in edges.iter().filter(|edge| edge.from >= real) {
            let more = if edge.to < real { BTreeSet::from([edge.to]) } else { reach[edge.to as usize].clone() };
            reach[edge.from as usize].extend(more);
        }
    }
    reach
}

/// All steps between different real vertices.
fn steps(small: &Small) -> BTreeMap<(u32, u32), Relations> {
    let links = reach(small.real, small.real + small.auxiliary, &small.edges);
    let mut steps: BTreeMap<(u32, u32), Relations> = BTreeMap::new();
    for edge in small.edges.iter().filter(|edge| edge.from < small.real) {
        let targets = if edge.to < small.real { BTreeSet::from([edge.to]) } else { links[edge.to as usize].clone() };
        for target in targets.into_iter().filter(|target| *target != edge.from) {
            let known = steps.entry((edge.from, target)).or_default();
            *known = *known | edge.relations;
        }
    }
    steps
}

/// Every simple cycle, from its smallest vertex, as sets of readings per step.
fn cycles(small: &Small) -> Vec<Vec<(u32, Relations)>> {
    let steps = steps(small);
    let mut found = Vec::new();
    let mut open: Vec<Vec<u32>> = (0..small.real).map(|first| vec![first]).collect();
    while let Some(path) = open.pop() {
        let last = path[path.len() - 1];
        for ((_, target), _) in steps.range((last, 0)..(last + 1, 0)) {
            if *target == path[0] && path.len() > 1 {
                let next = path.iter().skip(1).chain(&path[..1]);
                found.push(path.iter().zip(next).map(|(from, to)| (*from, steps[&(*from, *to)])).collect());
            } else if *target > path[0] && !path.contains(target) {
                open.push(path.iter().copied().chain([*target]).collect());
            }
        }
    }
    found
}

/// The definition of a type, on single relations.
fn fits(pattern: &Pattern, reading: &[Relations]) -> bool {
    let rw = reading.iter().filter(|relation| **relation == RW).count();
    let next = reading.iter().skip(1).chain(&reading[..1]);
    let adjacent = reading.iter().zip(next).any(|(a, b)| *a == RW && *b == RW);
    reading.iter().all(|relation| pattern.allowed.contains(*relation))
        && pattern.required.iter().all(|needed| reading.contains(&needed))
        && match pattern.rw {
            RwRule::None => rw == 0,
            RwRule::One => rw == 1,
            RwRule::NonAdjacent => rw >= 2 && !adjacent,
            RwRule::Separate => !adjacent,
            RwRule::Adjacent => adjacent,
            RwRule::Any => true,
        }
}

/// The least (steps, rw) of a cycle of the type.
fn least(pattern: &Pattern, cycles: &[Vec<(u32, Relations)>]) -> Option<(usize, usize)> {
    let mut least = None;
    for cycle in cycles {
        let mut readings: Vec<Vec<Relations>> = vec![Vec::new()];
        for (_, relations) in cycle {
            let extended = |reading: Vec<Relations>| {
                relations.iter().map(move |relation| reading.iter().copied().chain([relation]).collect())
            };
            readings = readings.into_iter().flat_map(extended).collect();
        }
        for reading in readings.iter().filter(|reading| fits(pattern, reading)) {
            let length = (reading.len(), reading.iter().filter(|relation| **relation == RW).count());
            if least.is_none_or(|known| length < known) {
                least = Some(length);
            }
        }
    }
    least
}

fn everything(graph: &Graph) -> Vec<Component> {
    components(graph, WW | WR | RW | PROCESS | REALTIME, false).iter().cloned().collect()
}

/// Goal: for each type, a cycle is found exactly where brute force finds one, it is one, and it is as short; in components that are
/// larger than the type needs, and where more severe types cross it.
#[test]
fn shortest_cycles_as_by_brute_force() {
    let budget = Budget::default();
    let mut found = BTreeMap::new();
    for seed in 0..4000 {
        let small = random(&mut Random(seed));
        let graph = Graph::build(small.real, small.auxiliary, small.edges.clone());
        let cycles = cycles(&small);
        let steps = steps(&small);
        let components = everything(&graph);
        for (number, pattern) in patterns().iter().enumerate() {
            let mut best = None;
            for component in &components {
                match shortest_cycle(&graph, component, pattern, &mut budget.meter()) {
                    Search::Found { cycle, minimum } => {
                        assert!(minimum, "seed {seed}: {pattern:?}");
                        let reading: Vec<Relations> = cycle.steps.iter().map(|step| step.relation).collect();
                        assert!(fits(pattern, &reading), "seed {seed}: {pattern:?} {cycle:?}");
                        let vertices: BTreeSet<u32> = cycle.steps.iter().map(|step| step.from).collect();
                        assert_eq!(vertices.len(), cycle.steps.len(), "seed {seed}: {pattern:?} {cycle:?}");
                        let next = cycle.steps.iter().skip(1).chain(&cycle.steps[..1]);
                        assert!(cycle.steps.iter().zip(next).all(|(step, next)| step.to == next.from));
                        assert!(cycle.steps.iter().all(|step| steps[&(step.from, step.to)].contains(step.relation)));
                        let length = (reading.len(), reading.iter().filter(|relation| **relation == RW).count());
                        best = Some(best.map_or(length, |known: (usize, usize)| known.min(length)));
                    }
                    Search::Absent => {}
                    Search::Stopped(by) => panic!("seed {seed}: {pattern:?} stopped by {by:?}"),
                }
            }
            let expected = least(pattern, &cycles);
            // Fewest rw only where the walk was simple at once; steps always.
            assert_eq!(
                best.map(|best| best.0),
                expected.map(|least| least.0),
                "seed {seed}: {pattern:?}\n{:?}",
                small.edges
            );
            *found.entry((number, best.is_some())).or_insert(0) += 1;
        }
    }
    for number in 0..patterns().len() {
        assert!(
            found.get(&(number, true)).is_some_and(|count| *count > 10),
            "type {number} is hardly ever found: {found:?}"
        );
        assert!(found.get(&(number, false)).is_some_and(|count| *count > 50), "type {number} is hardly ever absent");
    }
}

/// Goal: where no more severe type exists, ties of steps go to fewest rw.
#[test]
fn fewest_rw_where_walks_are_simple() {
    let budget = Budget::default();
    let any = Pattern { allowed: WW | WR | RW, rw: RwRule::Any, required: Relations::NONE };
    for seed in 0..2000 {
        let small = random(&mut Random(seed));
        let graph = Graph::build(small.real, small.auxiliary, small.edges.clone());
        let mut best = None;
        for component in &everything(&graph) {
            if let Search::Found { cycle, .. } = shortest_cycle(&graph, component, &any, &mut budget.meter()) {
                let rw = cycle.steps.iter().filter(|step| step.relation == RW).count();
                let length = (cycle.steps.len(), rw);
                best = Some(best.map_or(length, |known: (usize, usize)| known.min(length)));
            }
        }
        assert_eq!(best, least(&any, &cycles(&small)), "seed {seed}: {:?}", small.edges);
    }
}

/// Goal: a component exists exactly where a simple cycle does, for each set of relations, with and without the rw rule, and has the
/// vertices of all such cycles.
#[test]
fn components_as_by_brute_force() {
    for seed in 0..4000 {
        let small = random(&mut Random(seed));
        let graph = Graph::build(small.real, small.auxiliary, small.edges.clone());
        let cycles = cycles(&small);
        for allowed in [WW, WW | WR, WW | WR | RW, WW | WR | PROCESS, WW | WR | RW | PROCESS | REALTIME] {
            let within = |cycle: &&Vec<(u32, Relations)>| cycle.iter().all(|step| step.1.intersects(allowed));
            let expected: BTreeSet<u32> = cycles.iter().filter(within).flatten().map(|step| step.0).collect();
            let found = components(&graph, allowed, false);
            let actual: BTreeSet<u32> = found.iter().flat_map(|component| component.real().to_vec()).collect();
            assert_eq!(actual, expected, "seed {seed} {allowed:?}: {:?}", small.edges);
            let total: usize = found.iter().map(|component| component.real().len()).sum();
            assert_eq!(total, actual.len(), "components are apart");

            let calm = [RwRule::None, RwRule::One, RwRule::NonAdjacent]
                .iter()
                .any(|rw| least(&Pattern { allowed, rw: *rw, required: Relations::NONE }, &cycles).is_some());
            assert_eq!(has_cycle(&graph, allowed, false), !expected.is_empty(), "seed {seed} {allowed:?}");
            assert_eq!(has_cycle(&graph, allowed, true), calm, "seed {seed} {allowed:?}: {:?}", small.edges);
            assert_eq!(
                components(&graph, allowed, true).is_empty(),
                !calm,
                "seed {seed} {allowed:?}: {:?}",
                small.edges
            );
        }
    }
}

/// Goal: the order leads every edge forward that no cycle turns back, and of independent vertices keeps the smaller one first.
#[test]
fn topological_orders() {
    for seed in 0..500 {
        let small = random(&mut Random(seed));
        let graph = Graph::build(small.real, small.auxiliary, small.edges.clone());
        for base in [WW, WW | WR | RW, Relations::NONE] {
            let order = topological(&graph, base);
            let place = |vertex: u32| order.iter().position(|other| *other == vertex);
            assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), graph.total() as usize);
            let steps = steps(&small);
            if components(&graph, base, false).is_empty() {
                let forward = |((from, to), _): (&(u32, u32), _)| place(*from) < place(*to);
                assert!(steps.iter().filter(|step| step.1.intersects(base)).all(forward), "seed {seed} {base:?}");
            }
            if base.is_empty() && small.auxiliary == 0 {
                assert!(order.is_sorted());
            }
        }
    }
}

/// Goal: petgraph's own algorithms agree, which run on the graph by its visit traits.
#[test]
fn petgraph_agrees() {
    let mut cyclic = 0;
    for seed in 0..500 {
        let small = random(&mut Random(seed));
        let graph = Graph::build(small.real, small.auxiliary, small.edges.clone());
        let mut theirs: Vec<Vec<u32>> = petgraph::algo::tarjan_scc(&graph);
        theirs.retain_mut(|component| {
            component.sort_unstable();
            component.iter().filter(|vertex| !graph.is_auxiliary(**vertex)).count() > 1
        });
        theirs.sort();
        let ours: Vec<Vec<u32>> = everything(&graph).iter().map(|component| component.vertices().to_vec()).collect();
        assert_eq!(ours, theirs, "seed {seed}");
        cyclic += usize::from(!ours.is_empty());
    }
    assert!(cyclic > 100);
    let graph = Graph::build(2, 0, vec![edge(0, 1, WW), edge(1, 0, RW)]);
    let dot = format!("{:?}", petgraph::dot::Dot::with_config(&graph, &[petgraph::dot::Config::NodeNoLabel]));
    assert!(dot.contains("0 -> 1") && dot.contains("1 -> 0"), "{dot}");
}

/// Goal: a step that leads back to where it began is none, however severe it looks: T0 read the last version and wrote one of the
/// next, and T1 the other; neither reads the other's.
#[test]
fn no_cycle_through_oneself() {
    let joined = |more: &[Edge]| {
        let mut edges = vec![edge(0, 2, RW), edge(2, 0, Relations::LINK), edge(2, 1, Relations::LINK)];
        edges.extend(more);
        Graph::build(2, 1, edges)
    };
    assert!(components(&joined(&[]), WW | WR | RW, false).is_empty());
    assert!(components(&joined(&[edge(1, 0, WR)]), WW | WR | RW, true).len() == 1);
    // T0 -rw-> itself and T1 -rw-> T0 -rw-> T1 would be adjacent: no violation of snapshot isolation.
    assert!(components(&joined(&[edge(1, 0, RW)]), WW | WR | RW, true).is_empty());
    // Nor does T0 -ww-> itself part two rw.
    let parted = Graph::build(2, 1, vec![edge(0, 2, WW), edge(2, 0, Relations::LINK), edge(0, 1, RW), edge(1, 0, RW)]);
    assert!(components(&parted, WW | WR | RW, true).is_empty());
}

/// Goal: real time through a chain of barriers is one step, however long the chain.
#[test]
fn barriers_are_one_step() {
    let chain = 50;
    let mut edges = vec![edge(0, 2, REALTIME), edge(1, 0, WR)];
    for barrier in 2..2 + chain {
        let to = if barrier + 1 < 2 + chain { barrier + 1 } else { 1 };
        edges.push(edge(barrier, to, Relations::LINK));
    }
    let graph = Graph::build(2, chain, edges);
    let found = everything(&graph);
    assert_eq!(found.len(), 1);
    let pattern = Pattern { allowed: WW | WR | REALTIME, rw: RwRule::None, required: WR | REALTIME };
    let budget = Budget::default();
    match shortest_cycle(&graph, &found[0], &pattern, &mut budget.meter()) {
        Search::Found { cycle, minimum: true } => assert_eq!(cycle.steps.len(), 2),
        other => panic!("{other:?}"),
    }
}

/// Goal: a long chain overflows no stack, and its only cycle, as long as the graph, is found within the budget.
#[test]
fn long_chains() {
    let count = 200_000;
    let mut edges: Vec<Edge> = (1..count).map(|at| edge(at - 1, at, WW)).collect();
    edges.push(edge(count - 1, 0, WR));
    let graph = Graph::build(count, 0, edges);
    let found = everything(&graph);
    assert_eq!(found.iter().map(|component| component.real().len()).collect::<Vec<_>>(), [count as usize]);
    let pattern = Pattern { allowed: WW | WR, rw: RwRule::None, required: WR };
    let budget = Budget::default();
    match shortest_cycle(&graph, &found[0], &pattern, &mut budget.meter()) {
        Search::Found { cycle, minimum: true } => assert_eq!(cycle.steps.len(), count as usize),
        other => panic!("{other:?}"),
    }
}

/// Goal: when the budget ends, the search says so, and claims nothing.
#[test]
fn the_budget_ends_it() {
    let budget = Budget::new(3, None, u64::MAX);
    let graph = Graph::build(3, 0, vec![edge(0, 1, WW), edge(1, 2, WW), edge(2, 0, WW)]);
    let pattern = Pattern { allowed: WW, rw: RwRule::None, required: Relations::NONE };
    let search = shortest_cycle(&graph, &everything(&graph)[0], &pattern, &mut budget.meter());
    assert_eq!(search, Search::Stopped(crate::verdict::StoppedBy::Budget));
}
