//! Orders of versions that nobody knows: whether some choice of them keeps a guarantee.
//!
//! Each [`Choice`] is a set of versions of one key of which no order is known (unobserved appends; blind writes of a register). One
//! order of each set is to be chosen so that the dependency graph has none of the cycles that the level forbids. NP-hard for each
//! level as soon as there are readers, and for snapshot isolation even without.
//!
//! The search refines guesses. A guess orders all sets by one order of the transactions that all known dependencies, and what has been
//! decided so far, lead forward. Each forbidden cycle of the guess is a clause: not all the orders of two versions that it uses. Pairs become
//! variables only as cycles name them; a solver decides them, and the next guess obeys. It ends with a guess that has no forbidden
//! cycle; or with clauses that contradict each other, a set of cycles of which each choice closes one; or with the budget.
//! What can't take part in a common cycle, whatever is chosen, is decided apart (a component each).
//!
//! Exact within the budget. Mostly the first guess does. Sources: Tan et al., Cobra (OSDI 2020), and Huang et al., PolySI (VLDB 2023), who
//! encode every pair at once; refinement by cycles: Dutertre's lazy lemmas, as in any CDCL(T).

use hashbrown::HashMap;

use super::dependencies::{edges, edges_of, possible};
use super::prefix::Moments;
use crate::budget::Meter;
use crate::graph::{
    Cycle, Edge, Graph, Part, Pattern, Relations, RwRule, Search, components, shortest_cycle, topological,
};
use crate::search::sat::{Answer, Batsat, Literal, Sat, contradiction};
use crate::verdict::StoppedBy;

/// Versions of one key of which one order is to be chosen. All that precedes or follows all of them is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Which key.
    pub key: u32,
    /// Who installs them, ascending.
    pub writers: Vec<u32>,
    /// Who read which of them: (writer, reader), ascending.
    pub reads: Vec<(u32, u32)>,
    /// Where each writer's version is entered, if elsewhere than at the writer: where its events are apart. As many as writers, or none.
    pub entries: Vec<u32>,
}

impl Choice {
    /// The versions of these writers; `readers_of`: who read the version of one.
    #[must_use]
    pub fn new<R: Iterator<Item = u32>>(key: u32, writers: &[u32], readers_of: impl Fn(u32) -> R) -> Choice {
        let mut writers = writers.to_vec();
        writers.sort_unstable();
        writers.dedup();
        let mut reads: Vec<(u32, u32)> =
            writers.iter().flat_map(|writer| readers_of(*writer).map(move |reader| (*writer, reader))).collect();
        reads.sort_unstable();
        Choice { key, writers, reads, entries: Vec::new() }
    }

    /// Where steps to a writer's version lead.
    pub(super) fn entry(&self, writer: u32) -> u32 {
        let at = self.writers.binary_search(&writer).ok().filter(|at| *at < self.entries.len());
        at.map_or(writer, |at| self.entries[at])
    }

    fn readers(&self, writer: u32) -> impl Iterator<Item = u32> {
        let first = self.reads.partition_point(|read| read.0 < writer);
        self.reads[first..].iter().take_while(move |read| read.0 == writer).map(|read| read.1)
    }
}

/// Which cycles are forbidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// All.
    Serializable,
    /// Those without two adjacent rw.
    SnapshotIsolation,
    /// Those with one rw at most.
    ParallelSnapshotIsolation,
    /// Those in which each rw follows directly a wr (or an order beside the data).
    Prefix,
}

/// What became of a choice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Orders {
    /// It can be made: one order of each set's writers.
    Possible(Vec<Vec<u32>>),
    /// It can't: each way to choose closes one of these cycles. One, if nothing known to it was chosen.
    Impossible(Vec<Cycle>),
    /// This ended the search.
    Unknown(StoppedBy),
}

/// Chooses. `known`: all that is certain (ww, wr, rw, and the orders beside the data that count, `order`), the choices' own orders
/// aside.
#[must_use]
pub fn choose(known: &Graph, order: Relations, choices: &[Choice], level: Level, meter: &mut Meter<'_>) -> Orders {
    match decide(known, order, choices, level, meter) {
        Ok(orders) => orders,
        Err(by) => Orders::Unknown(by),
    }
}

fn data(order: Relations) -> Relations {
    Relations::WW | Relations::WR | Relations::RW | order
}

fn decide(
    known: &Graph,
    order: Relations,
    choices: &[Choice],
    level: Level,
    meter: &mut Meter<'_>,
) -> Result<Orders, StoppedBy> {
    let auxiliary = known.total() - known.real();
    let possible = possible(known.real(), auxiliary, || edges(known), choices);
    let parts = components(&possible, data(order), false);
    // Sets outside of all components: any order will do.
    let mut orders: Vec<Vec<u32>> = choices.iter().map(|choice| choice.writers.clone()).collect();
    let mut places: HashMap<u32, Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
    for (at, choice) in choices.iter().enumerate() {
        if let Some(first) = choice.writers.first() {
            places.entry(*first).or_default().push(at);
        }
    }
    for component in &parts {
        // A set of two or more writers lies in one component, or in none.
        let vertices = component.vertices().iter().copied().filter(|vertex| *vertex < known.total()).collect();
        let part = Part::new(known, vertices, data(order));
        let mut own: Vec<usize> =
            component.real().iter().filter_map(|vertex| places.get(vertex)).flatten().copied().collect();
        own.retain(|at| choices[*at].writers.len() > 1);
        let local = |vertex: u32| component.real().binary_search(&vertex).ok().and_then(|at| u32::try_from(at).ok());
        let inside = |choice: &Choice| Choice {
            key: choice.key,
            writers: choice.writers.iter().filter_map(|writer| local(*writer)).collect(),
            reads: choice
                .reads
                .iter()
                .filter_map(|(writer, reader)| Some((local(*writer)?, local(*reader)?)))
                .collect(),
            entries: choice.entries.iter().filter_map(|entry| local(*entry)).collect(),
        };
        let inner: Vec<Choice> = own.iter().map(|at| inside(&choices[*at])).collect();
        match Refinement::new(&part.graph, order, &inner, level).run(meter)? {
            Orders::Possible(found) => {
                for (at, found) in own.iter().zip(found) {
                    orders[*at] = found.iter().map(|writer| part.names[*writer as usize]).collect();
                }
            }
            Orders::Impossible(mut cycles) => {
                for step in cycles.iter_mut().flat_map(|cycle| &mut cycle.steps) {
                    (step.from, step.to) = (part.names[step.from as usize], part.names[step.to as usize]);
                }
                return Ok(Orders::Impossible(cycles));
            }
            unknown @ Orders::Unknown(_) => return Ok(unknown),
        }
    }
    Ok(Orders::Possible(orders))
}

/// Cycles that are taken from one guess.
const CYCLES: usize = 32;

/// Contradictions of so many cycles are made as small as can be; larger ones nobody reads.
const FEW: usize = 64;

struct Refinement<'a> {
    known: &'a Graph,
    order: Relations,
    choices: &'a [Choice],
    level: Level,
    sat: Batsat,
    /// Pairs that have a variable, by it: true where the first (smaller) one comes first.
    pairs: Vec<(u32, u32)>,
    variables: HashMap<(u32, u32), u32, foldhash::fast::RandomState>,
    clauses: Vec<Vec<Literal>>,
    /// By clause: why.
    cycles: Vec<Cycle>,
    /// By transaction: the choices that it is in.
    of: HashMap<u32, Vec<usize>, foldhash::fast::RandomState>,
}

/// Whether forbidden cycles rule something out.
#[derive(PartialEq, Eq)]
enum Refuted {
    No,
    /// Some, which rest on what was chosen: they are clauses now.
    Perhaps,
    /// This one rests on nothing that was.
    Certainly(Cycle),
}

/// A guess: the graph, and what each chosen step rests on.
struct Guess {
    graph: Graph,
    /// (from, to, relation, the pair that is chosen to be in this order), ascending.
    chosen: Vec<(u32, u32, Relations, (u32, u32))>,
}

impl<'a> Refinement<'a> {
    fn new(known: &'a Graph, order: Relations, choices: &'a [Choice], level: Level) -> Refinement<'a> {
        let mut of: HashMap<u32, Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
        for (at, choice) in choices.iter().enumerate() {
            for writer in &choice.writers {
                of.entry(*writer).or_default().push(at);
            }
        }
        Refinement {
            known,
            order,
            choices,
            level,
            sat: Batsat::default(),
            pairs: Vec::new(),
            variables: HashMap::default(),
            clauses: Vec::new(),
            cycles: Vec::new(),
            of,
        }
    }

    fn run(mut self, meter: &mut Meter<'_>) -> Result<Orders, StoppedBy> {
        loop {
            // First what is decided, alone: only if that has no forbidden cycle does its order obey it.
            let decided = self.decided(meter)?;
            let mut orders = None;
            let mut refuted = self.refute(&decided, meter)?;
            if refuted == Refuted::No {
                let (guess, of_guess) = self.guess(decided, meter)?;
                refuted = self.refute(&guess, meter)?;
                orders = Some(of_guess);
            }
            match (refuted, orders) {
                (Refuted::Certainly(cycle), _) => return Ok(Orders::Impossible(vec![cycle])),
                (Refuted::No, Some(orders)) => return Ok(Orders::Possible(orders)),
                _ => {}
            }
            if self.sat.solve(&[], meter)? != Answer::Satisfiable {
                let variables = u32::try_from(self.pairs.len()).expect("fewer than 2^32 variables");
                let core = contradiction(variables, &self.clauses, FEW, meter);
                let cycles = core.iter().map(|clause| self.cycles[*clause as usize].clone());
                return Ok(Orders::Impossible(cycles.collect()));
            }
        }
    }

    /// The steps that a pair's order brings, on every key that both are a choice of.
    fn steps(&self, (first, second): (u32, u32), into: &mut Vec<(u32, u32, Relations, (u32, u32))>) {
        let (Some(of_first), Some(of_second)) = (self.of.get(&first), self.of.get(&second)) else { return };
        for at in of_first.iter().filter(|at| of_second.contains(at)) {
            let (choice, entry) = (&self.choices[*at], self.choices[*at].entry(second));
            into.push((first, entry, Relations::WW, (first, second)));
            let readers = choice.readers(first).filter(|reader| *reader != second);
            into.extend(readers.map(|reader| (reader, entry, Relations::RW, (first, second))));
        }
    }

    fn graph(&self, chosen: &[(u32, u32, Relations, (u32, u32))]) -> Graph {
        let mut edges = edges_of(self.known);
        edges.extend(chosen.iter().map(|(from, to, relations, _)| Edge {
            from: *from,
            to: *to,
            relations: *relations,
        }));
        Graph::build(self.known.real(), self.known.total() - self.known.real(), edges)
    }

    /// Turns forbidden cycles into clauses.
    fn refute(&mut self, guess: &Guess, meter: &mut Meter<'_>) -> Result<Refuted, StoppedBy> {
        let mut cut: Vec<(u32, u32)> = Vec::new();
        for _ in 0..CYCLES {
            let Some(cycle) = self.forbidden(guess, &cut, meter)? else { break };
            let literals = self.literals(guess, &cycle);
            if literals.is_empty() {
                return Ok(Refuted::Certainly(cycle));
            }
            cut.extend(literals.iter().map(|literal| self.ordered(*literal)));
            cut.sort_unstable();
            let clause: Vec<Literal> =
                literals.iter().map(|literal| Literal { positive: !literal.positive, ..*literal }).collect();
            self.sat.clause(&clause);
            self.clauses.push(clause);
            self.cycles.push(cycle);
        }
        Ok(if cut.is_empty() { Refuted::No } else { Refuted::Perhaps })
    }

    /// What is known and what the solver decided.
    fn decided(&self, meter: &mut Meter<'_>) -> Result<Guess, StoppedBy> {
        meter.steps(u32::try_from(2 * self.known.edge_count() + 1).unwrap_or(u32::MAX))?;
        let mut chosen = Vec::new();
        for ((a, b), variable) in self.pairs.iter().zip(0u32..) {
            let pair = if self.sat.value(variable) { (*a, *b) } else { (*b, *a) };
            self.steps(pair, &mut chosen);
        }
        chosen.sort_unstable();
        chosen.dedup();
        Ok(Guess { graph: self.graph(&chosen), chosen })
    }

    /// And all orders beside, by one order of the transactions that obeys this.
    fn guess(&self, decided: Guess, meter: &mut Meter<'_>) -> Result<(Guess, Vec<Vec<u32>>), StoppedBy> {
        let Guess { graph: decided, mut chosen } = decided;
        let by = match self.level {
            Level::Serializable => topological(&decided, data(self.order)),
            Level::ParallelSnapshotIsolation => topological(&decided, data(self.order).without(Relations::RW)),
            Level::SnapshotIsolation | Level::Prefix => Moments::new(&decided, self.order).commits(),
        };
        let mut place = vec![0u32; self.known.total() as usize];
        for (at, vertex) in (0u32..).zip(by) {
            if let Some(place) = place.get_mut(vertex as usize) {
                *place = at;
            }
        }
        let mut orders = Vec::with_capacity(self.choices.len());
        for choice in self.choices {
            let mut writers = choice.writers.clone();
            writers.sort_unstable_by_key(|writer| place[*writer as usize]);
            for pair in writers.windows(2) {
                self.steps((pair[0], pair[1]), &mut chosen);
            }
            orders.push(writers);
        }
        meter.steps(u32::try_from(chosen.len()).unwrap_or(u32::MAX))?;
        chosen.sort_unstable();
        chosen.dedup();
        Ok((Guess { graph: self.graph(&chosen), chosen }, orders))
    }

    /// A forbidden cycle of a guess that uses none of the pairs in `cut` (ascending).
    fn forbidden(&self, guess: &Guess, cut: &[(u32, u32)], meter: &mut Meter<'_>) -> Result<Option<Cycle>, StoppedBy> {
        let thinned;
        let graph = if cut.is_empty() {
            &guess.graph
        } else {
            meter.steps(u32::try_from(guess.graph.edge_count()).unwrap_or(u32::MAX))?;
            let kept: Vec<_> =
                guess.chosen.iter().copied().filter(|chosen| cut.binary_search(&chosen.3).is_err()).collect();
            thinned = self.graph(&kept);
            &thinned
        };
        let data = data(self.order);
        let pattern = |rw, allowed| Pattern { allowed, rw, required: Relations::NONE };
        let patterns = match self.level {
            Level::Prefix => {
                let cycles = Moments::new(graph, self.order).cycles(meter);
                return first(cycles.into_iter());
            }
            Level::Serializable => vec![pattern(RwRule::Any, data)],
            Level::SnapshotIsolation => vec![pattern(RwRule::Separate, data)],
            Level::ParallelSnapshotIsolation => vec![pattern(RwRule::None, data), pattern(RwRule::One, data)],
        };
        let found = components(graph, data, self.level != Level::Serializable);
        let searches = patterns.iter().flat_map(|pattern| found.iter().map(move |component| (pattern, component)));
        first(searches.map(|(pattern, component)| shortest_cycle(graph, component, pattern, meter)))
    }

    /// A variable's pair in the order that a literal says.
    fn ordered(&self, literal: Literal) -> (u32, u32) {
        let (a, b) = self.pairs[literal.variable as usize];
        if literal.positive { (a, b) } else { (b, a) }
    }

    /// The orders of pairs that a cycle rests on.
    fn literals(&mut self, guess: &Guess, cycle: &Cycle) -> Vec<Literal> {
        let mut literals = Vec::new();
        for step in &cycle.steps {
            let certain = self
                .known
                .edges_from(step.from)
                .any(|(to, relations)| to == step.to && relations.contains(step.relation));
            let key = (step.from, step.to, step.relation);
            let at = guess.chosen.partition_point(|chosen| (chosen.0, chosen.1, chosen.2) < key);
            let reasons = guess.chosen[at..].iter().take_while(|chosen| (chosen.0, chosen.1, chosen.2) == key);
            // One that has a variable, if any.
            let reasons: Vec<(u32, u32)> = reasons.map(|chosen| chosen.3).collect();
            let sorted = |pair: (u32, u32)| (pair.0.min(pair.1), pair.0.max(pair.1));
            let known = reasons.iter().find(|pair| self.variables.contains_key(&sorted(**pair))).or(reasons.first());
            if let (false, Some(&(first, second))) = (certain, known) {
                let variable = self.variable(sorted((first, second)), first < second);
                literals.push(Literal { variable, positive: first < second });
            }
        }
        literals.sort_unstable();
        literals.dedup();
        literals
    }

    fn variable(&mut self, pair: (u32, u32), prefer: bool) -> u32 {
        if let Some(known) = self.variables.get(&pair) {
            return *known;
        }
        let variable = self.sat.variable(prefer);
        self.variables.insert(pair, variable);
        self.pairs.push(pair);
        variable
    }
}

/// The first cycle found. What was stopped before one was found is an error only if nothing else is found.
fn first(searches: impl Iterator<Item = Search>) -> Result<Option<Cycle>, StoppedBy> {
    let mut stopped = None;
    for search in searches {
        match search {
            Search::Found { cycle, .. } => return Ok(Some(cycle)),
            Search::Absent => {}
            Search::Stopped(by) => stopped = Some(by),
        }
    }
    stopped.map_or(Ok(None), Err)
}
