//! Satisfiability, behind a trait of our own.
//!
//! The solver inside is batsat (a MiniSat; conflict-driven clause learning). It draws nothing at random: the same clauses in the same
//! order give the same answer. It is run in slices, each of which the meter pays for, so that a budget or a clock ends it.

use std::cell::Cell;

use batsat::{Callbacks, Lit, Solver, SolverInterface, SolverOpts, Var, lbool};

use crate::budget::Meter;
use crate::verdict::StoppedBy;

/// A variable, or its negation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Literal {
    /// Which variable, as [`Sat::variable`] numbered it.
    pub variable: u32,
    /// Whether it is to be true.
    pub positive: bool,
}

/// What a solver found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// All clauses can be true together: [`Sat::value`] says how.
    Satisfiable,
    /// They can't, where all of these are assumed (some of the assumptions, as few as the solver noticed).
    Unsatisfiable(Vec<Literal>),
}

/// A solver of clauses, which may be added between solutions.
pub trait Sat {
    /// A new variable, numbered from 0; `prefer` is tried first.
    fn variable(&mut self, prefer: bool) -> u32;

    /// A new clause: at least one of these is true.
    fn clause(&mut self, literals: &[Literal]);

    /// Whether the clauses, and what is assumed, can be true together.
    ///
    /// # Errors
    /// What ended the search.
    fn solve(&mut self, assumed: &[Literal], meter: &mut Meter<'_>) -> Result<Answer, StoppedBy>;

    /// The value of a variable in the solution that was found last.
    fn value(&self, variable: u32) -> bool;
}

/// Of clauses that contradict each other, by number, some that do so already; fewer if `limit` or fewer are left after a first
/// look, and then none can be left out. If the meter ends it, what was found until then, which contradicts itself too.
pub fn contradiction(variables: u32, clauses: &[Vec<Literal>], limit: usize, meter: &mut Meter<'_>) -> Vec<u32> {
    let mut sat = Batsat::default();
    for _ in 0..variables {
        sat.variable(true);
    }
    // Each clause gets a switch: it counts only where the switch is assumed on.
    let mut core = Vec::with_capacity(clauses.len());
    for clause in clauses {
        let switch = sat.variable(false);
        let off = Literal { variable: switch, positive: false };
        sat.clause(&clause.iter().copied().chain([off]).collect::<Vec<Literal>>());
        core.push(Literal { variable: switch, positive: true });
    }
    let mut at = 0;
    if let Ok(Answer::Unsatisfiable(fewer)) = sat.solve(&core, meter) {
        core = fewer;
        while at < core.len() && core.len() <= limit {
            let mut fewer = core.clone();
            fewer.remove(at);
            match sat.solve(&fewer, meter) {
                Ok(Answer::Unsatisfiable(fewer)) => core = fewer,
                Ok(Answer::Satisfiable) => at += 1,
                Err(_) => break,
            }
        }
    }
    core.iter().map(|switch| switch.variable - variables).collect()
}

/// Looks the solver makes between two looks at the meter.
const SLICE: u32 = 1 << 14;

struct Slice {
    left: Cell<u32>,
}

impl Callbacks for Slice {
    fn stop(&self) -> bool {
        self.left.set(self.left.get().saturating_sub(1));
        self.left.get() == 0
    }
}

/// batsat.
pub struct Batsat {
    solver: Solver<Slice>,
    variables: Vec<Var>,
    values: Vec<bool>,
}

impl std::fmt::Debug for Batsat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batsat({} variables, {} clauses)", self.variables.len(), self.solver.num_clauses())
    }
}

impl Default for Batsat {
    fn default() -> Self {
        let solver = Solver::new(SolverOpts::default(), Slice { left: Cell::new(SLICE) });
        Batsat { solver, variables: Vec::new(), values: Vec::new() }
    }
}

impl Batsat {
    fn literal(&self, literal: Literal) -> Lit {
        Lit::new(self.variables[literal.variable as usize], literal.positive)
    }
}

impl Sat for Batsat {
    fn variable(&mut self, prefer: bool) -> u32 {
        let number = u32::try_from(self.variables.len()).expect("fewer than 2^32 variables");
        self.variables.push(self.solver.new_var(if prefer { lbool::TRUE } else { lbool::FALSE }, true));
        self.values.push(prefer);
        number
    }

    fn clause(&mut self, literals: &[Literal]) {
        let mut clause: Vec<Lit> = literals.iter().map(|literal| self.literal(*literal)).collect();
        self.solver.add_clause_reuse(&mut clause);
    }

    fn solve(&mut self, assumed: &[Literal], meter: &mut Meter<'_>) -> Result<Answer, StoppedBy> {
        let assumptions: Vec<Lit> = assumed.iter().map(|literal| self.literal(*literal)).collect();
        // A slice must reach beyond the assumptions, each of which takes a look.
        let slice = SLICE.saturating_add(u32::try_from(4 * assumed.len()).unwrap_or(u32::MAX));
        loop {
            self.solver.cb_mut().left.set(slice);
            let result = self.solver.solve_limited(&assumptions);
            // A look costs about as much as the clauses it goes through; count a few steps for each.
            meter.steps((slice - self.solver.cb().left.get()).saturating_mul(16))?;
            if result == lbool::TRUE {
                for (value, variable) in self.values.iter_mut().zip(&self.variables) {
                    *value = self.solver.value_var(*variable) == lbool::TRUE;
                }
                return Ok(Answer::Satisfiable);
            }
            if result == lbool::FALSE {
                let in_core =
                    |literal: &Literal| self.solver.unsat_core_contains_var(self.variables[literal.variable as usize]);
                return Ok(Answer::Unsatisfiable(assumed.iter().copied().filter(in_core).collect()));
            }
        }
    }

    fn value(&self, variable: u32) -> bool {
        self.values[variable as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;

    fn literal(variable: u32, positive: bool) -> Literal {
        Literal { variable, positive }
    }

    /// Goal: small formulas are decided as by trying all values; refusals name clauses that suffice; preferred values are kept
    /// where nothing speaks against them.
    #[test]
    fn as_by_trying_all_values() {
        let budget = Budget::default();
        let mut state = 7u64;
        let mut below = |bound: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from((state >> 33) % u64::from(bound)).expect("below a u32")
        };
        let mut refused = 0;
        for _ in 0..1000 {
            let variables = 1 + below(5);
            let mut sat = Batsat::default();
            for _ in 0..variables {
                sat.variable(true);
            }
            let clauses: Vec<Vec<Literal>> = (0..below(12))
                .map(|_| (0..1 + below(3)).map(|_| literal(below(variables), below(2) == 0)).collect())
                .collect();
            for clause in &clauses {
                sat.clause(clause);
            }
            let possible = |clauses: &[&Vec<Literal>]| {
                (0..1u32 << variables).any(|values| {
                    clauses.iter().all(|clause| {
                        clause.iter().any(|literal| (values >> literal.variable & 1 == 1) == literal.positive)
                    })
                })
            };
            let all: Vec<&Vec<Literal>> = clauses.iter().collect();
            match sat.solve(&[], &mut budget.meter()).expect("no limit") {
                Answer::Satisfiable => {
                    let holds = |literal: &Literal| sat.value(literal.variable) == literal.positive;
                    assert!(clauses.iter().all(|clause| clause.iter().any(holds)));
                }
                Answer::Unsatisfiable(_) => {
                    refused += 1;
                    assert!(!possible(&all));
                    let core = contradiction(variables, &clauses, 64, &mut budget.meter());
                    let core: Vec<&Vec<Literal>> = core.iter().map(|clause| &clauses[*clause as usize]).collect();
                    assert!(!possible(&core), "{core:?} can be true");
                    for at in 0..core.len() {
                        let mut fewer = core.clone();
                        fewer.remove(at);
                        assert!(possible(&fewer), "{core:?} is more than need be");
                    }
                }
            }
        }
        assert!(refused > 50, "hardly anything was refused: {refused}");
        let mut sat = Batsat::default();
        let (a, b) = (sat.variable(true), sat.variable(false));
        assert_eq!(sat.solve(&[], &mut budget.meter()), Ok(Answer::Satisfiable));
        assert_eq!((sat.value(a), sat.value(b)), (true, false));
    }

    /// Goal: clauses added after a solution count; assumptions count once; a budget ends the search.
    #[test]
    fn clauses_and_assumptions() {
        let budget = Budget::default();
        let mut sat = Batsat::default();
        let (a, b) = (sat.variable(true), sat.variable(true));
        assert_eq!(sat.solve(&[literal(a, false)], &mut budget.meter()), Ok(Answer::Satisfiable));
        assert!(!sat.value(a) && sat.value(b));
        sat.clause(&[literal(a, true)]);
        let refused = sat.solve(&[literal(b, true), literal(a, false)], &mut budget.meter());
        assert_eq!(refused, Ok(Answer::Unsatisfiable(vec![literal(a, false)])));
        assert_eq!(sat.solve(&[], &mut budget.meter()), Ok(Answer::Satisfiable));
        assert!(sat.value(a));
        let none = Budget::new(1, None, u64::MAX);
        assert_eq!(sat.solve(&[], &mut none.meter()), Err(StoppedBy::Budget));
    }
}
