//! Types of cycles, and the shortest cycle of each.
//!
//! Every component of the graph is searched for every type, the more severe ones first: G0, G1c, G-single-item,
//! G-nonadjacent-item, G2-item; with data alone, then with session order, then with real time, where no plainer cycle of
//! the type was found in the component. Which type a cycle is of: as Elle counts its edges. A type is counted once for
//! each component that shows it.
//!
//! Most types most histories can't have at all, as is known already ([`Existing`]): cycles without anti-dependencies, and cycles
//! without two adjacent ones. A store that gives snapshot isolation has neither.
//!
//! Exact as the search is: see `graph::shortest_cycle`. Components are independent, and searched in parallel; each search
//! has its own steps, so that what is found does not depend on threads.

use hashbrown::HashSet;
use rayon::prelude::*;

use super::levels::{Existing, Forbidden, Form};
use crate::budget::Budget;
use crate::graph::{Component, Cycle, Part, Pattern, Relations, RwRule, Search, components, shortest_cycle};
use crate::guarantee::Anomaly;
use crate::verdict::StoppedBy;

/// A type without regard to session order and real time.
#[derive(Clone, Copy, Debug)]
struct Base {
    relations: Forbidden,
    rw: RwRule,
    required: Relations,
    /// Its names in the three forms.
    names: [Anomaly; 3],
}

const fn base(relations: Forbidden, rw: RwRule, required: Relations, names: [Anomaly; 3]) -> Base {
    Base { relations, rw, required, names }
}

use Anomaly as A;
const BASES: [Base; 5] = [
    base(Forbidden::Writes, RwRule::None, Relations::NONE, [A::G0, A::G0Process, A::G0Realtime]),
    base(Forbidden::Dependencies, RwRule::None, Relations::WR, [A::G1c, A::G1cProcess, A::G1cRealtime]),
    base(Forbidden::All, RwRule::One, Relations::NONE, [A::GSingleItem, A::GSingleItemProcess, A::GSingleItemRealtime]),
    base(
        Forbidden::All,
        RwRule::NonAdjacent,
        Relations::NONE,
        [A::GNonadjacentItem, A::GNonadjacentItemProcess, A::GNonadjacentItemRealtime],
    ),
    base(Forbidden::All, RwRule::Adjacent, Relations::NONE, [A::G2Item, A::G2ItemProcess, A::G2ItemRealtime]),
];

fn pattern(base: &Base, form: Form) -> Pattern {
    let suffix = match form {
        Form::Plain => Relations::NONE,
        Form::Session => Relations::PROCESS,
        Form::Strict => Relations::REALTIME,
    };
    let allowed = base.relations.relations() | form.relations();
    Pattern { allowed, rw: base.rw, required: base.required | suffix }
}

/// Cycles of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) anomaly: Anomaly,
    /// In how many components.
    pub(super) count: u64,
    /// The shortest.
    pub(super) cycle: Cycle,
    /// Whether none is shorter.
    pub(super) minimum: bool,
}

/// What the search came to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) types: Vec<Typed>,
    /// Types whose presence was not decided everywhere, and what ended the search.
    pub(super) stopped: Vec<(Anomaly, StoppedBy)>,
}

/// Searches a part of the graph for every type.
pub(super) fn find(part: &Part, existing: &Existing, budget: &Budget) -> Found {
    let graph = &part.graph;
    let mut found = Found::default();
    // For each type, a vertex of each cycle that was found: a component that contains it needs no further form.
    let mut seen: [HashSet<u32, foldhash::fast::RandomState>; BASES.len()] = Default::default();
    let possible = possible(existing);
    for form in Form::ALL {
        let parts = components(graph, Forbidden::All.relations() | form.relations(), false);
        let parts: Vec<&Component> = parts.iter().collect();
        let outcomes: Vec<Vec<(usize, Search)>> = parts
            .par_iter()
            .map(|component| {
                let has = |at: usize| component.real().iter().any(|vertex| seen[at].contains(vertex));
                let open = (0..BASES.len()).filter(|at| possible[*at] && (seen[*at].is_empty() || !has(*at)));
                let searches = open
                    .map(|at| (at, shortest_cycle(graph, component, &pattern(&BASES[at], form), &mut budget.meter())));
                searches.collect()
            })
            .collect();
        for (at, search) in outcomes.into_iter().flatten() {
            if let Search::Found { cycle, .. } = &search {
                seen[at].extend(cycle.steps.first().map(|step| step.from));
            }
            found.take(BASES[at].names[form as usize], search);
        }
    }
    for typed in &mut found.types {
        let undecided = found.stopped.iter().any(|stopped| stopped.0 == typed.anomaly);
        for step in &mut typed.cycle.steps {
            (step.from, step.to) = (part.names[step.from as usize], part.names[step.to as usize]);
        }
        typed.minimum = typed.cycle.steps.len() <= 2 || (typed.minimum && !undecided);
    }
    found.types.sort_by_key(|typed| typed.anomaly);
    found
}

/// By type, whether the whole graph can have such a cycle in any form. A `false` is certain, a `true` is not.
fn possible(existing: &Existing) -> [bool; BASES.len()] {
    BASES.map(|base| match base.rw {
        RwRule::None => existing.any(Forbidden::Dependencies, Form::Strict),
        RwRule::One | RwRule::NonAdjacent => existing.any(Forbidden::NonAdjacent, Form::Strict),
        _ => true,
    })
}

impl Found {
    fn take(&mut self, anomaly: Anomaly, search: Search) {
        let known = self.types.iter_mut().find(|typed| typed.anomaly == anomaly);
        match (search, known) {
            (Search::Absent, _) => {}
            (Search::Stopped(by), _) => {
                if !self.stopped.iter().any(|stopped| stopped.0 == anomaly) {
                    self.stopped.push((anomaly, by));
                }
            }
            (Search::Found { cycle, minimum }, None) => self.types.push(Typed { anomaly, count: 1, cycle, minimum }),
            (Search::Found { cycle, minimum }, Some(known)) => {
                known.count += 1;
                // Where a search was cut short, a shorter one may hide.
                known.minimum &= minimum;
                if cycle.steps.len() < known.cycle.steps.len() {
                    known.cycle = cycle;
                }
            }
        }
    }
}
