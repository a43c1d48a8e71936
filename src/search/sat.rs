//! Satisfiability, behind a trait of our own: clauses come and go by a handle, and a refusal names the clauses that cause it.
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
    /// They can't: these of them, by handle, ascending, already can't (not nec. the fewest).
    Unsatisfiable(Vec<u32>),
}

/// A solver of clauses, which may be added between solutions.
pub trait Sat {
    /// A new variable, numbered from 0; `prefer` is tried first.
    fn variable(&mut self, prefer: bool) -> u32;

    /// A new clause: at least one of these is true. Returns its handle, numbered from 0.
    fn clause(&mut self, literals: &[Literal]) -> u32;

    /// Whether the clauses (or only those given by handle) can be true together.
    ///
    /// # Errors
    /// What ended the search.
    fn solve(&mut self, only: Option<&[u32]>, meter: &mut Meter<'_>) -> Result<Answer, StoppedBy>;

    /// The value of a variable in the solution that was found last.
    fn value(&self, variable: u32) -> bool;
}

/// Looks at the solver makes between two looks at the meter.
const SLICE: u32 = 1 << 10;

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
    /// Each clause carries a switch: it counts only where the switch is assumed on.
    switches: Vec<Var>,
    values: Vec<bool>,
}

impl std::fmt::Debug for Batsat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batsat({} variables, {} clauses)", self.variables.len(), self.switches.len())
    }
}

impl Default for Batsat {
    fn default() -> Self {
        let solver = Solver::new(SolverOpts::default(), Slice { left: Cell::new(SLICE) });
        Batsat { solver, variables: Vec::new(), switches: Vec::new(), values: Vec::new() }
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

    fn clause(&mut self, literals: &[Literal]) -> u32 {
        let handle = u32::try_from(self.switches.len()).expect("fewer than 2^32 clauses");
        let switch = self.solver.new_var(lbool::FALSE, false);
        self.switches.push(switch);
        let mut clause: Vec<Lit> = literals.iter().map(|literal| self.literal(*literal)).collect();
        clause.push(Lit::new(switch, false));
        self.solver.add_clause_reuse(&mut clause);
        handle
    }

    fn solve(&mut self, only: Option<&[u32]>, meter: &mut Meter<'_>) -> Result<Answer, StoppedBy> {
        let on = |switch: &Var| Lit::new(*switch, true);
        let assumed: Vec<Lit> = match only {
            None => self.switches.iter().map(on).collect(),
            Some(handles) => handles.iter().map(|handle| on(&self.switches[*handle as usize])).collect(),
        };
        loop {
            self.solver.cb_mut().left.set(SLICE);
            let result = self.solver.solve_limited(&assumed);
            // A look costs about as much as the clauses it goes through; count a few steps for each.
            let looks = SLICE - self.solver.cb().left.get();
            meter.steps(looks.saturating_mul(16).saturating_add(u32::try_from(assumed.len()).unwrap_or(u32::MAX)))?;
            if result == lbool::TRUE {
                for (value, variable) in self.values.iter_mut().zip(&self.variables) {
                    *value = self.solver.value_var(*variable) == lbool::TRUE;
                }
                return Ok(Answer::Satisfiable);
            }
            if result == lbool::FALSE {
                let mut core: Vec<u32> = (0u32..)
                    .zip(&self.switches)
                    .filter(|(_, switch)| self.solver.unsat_core_contains_var(**switch))
                    .map(|(handle, _)| handle)
                    .collect();
                core.sort_unstable();
                return Ok(Answer::Unsatisfiable(core));
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
            match sat.solve(None, &mut budget.meter()).expect("no limit") {
                Answer::Satisfiable => {
                    let holds = |literal: &Literal| sat.value(literal.variable) == literal.positive;
                    assert!(clauses.iter().all(|clause| clause.iter().any(holds)));
                }
                Answer::Unsatisfiable(core) => {
                    refused += 1;
                    assert!(!possible(&all));
                    let core: Vec<&Vec<Literal>> = core.iter().map(|handle| &clauses[*handle as usize]).collect();
                    assert!(!possible(&core), "{core:?} can be true");
                }
            }
        }
        assert!(refused > 50, "hardly anything was refused: {refused}");
        let mut sat = Batsat::default();
        let (a, b) = (sat.variable(true), sat.variable(false));
        assert_eq!(sat.solve(None, &mut budget.meter()), Ok(Answer::Satisfiable));
        assert_eq!((sat.value(a), sat.value(b)), (true, false));
    }

    /// Goal: clauses added after a solution count; those left out do not.
    #[test]
    fn clauses_come_and_go() {
        let budget = Budget::default();
        let mut sat = Batsat::default();
        let a = sat.variable(true);
        let yes = sat.clause(&[literal(a, true)]);
        assert_eq!(sat.solve(None, &mut budget.meter()), Ok(Answer::Satisfiable));
        let no = sat.clause(&[literal(a, false)]);
        assert_eq!(sat.solve(None, &mut budget.meter()), Ok(Answer::Unsatisfiable(vec![yes, no])));
        assert_eq!(sat.solve(Some(&[no]), &mut budget.meter()), Ok(Answer::Satisfiable));
        assert!(!sat.value(a));
    }
}
