//! Snapshot isolation where the order of some appends is free: is there an order that keeps it?
//!
//! Cycles of the known orders decide most: one without adjacent rw edges breaks the guarantee whatever is chosen, and where
//! there is no cycle at all, a serial order keeps it. Only what is between needs a choice of orders (`orders`), under the
//! budget; a stricter form that can be kept keeps the weaker ones.

use super::Evidence;
use crate::budget::Budget;
use crate::check::transactions::levels::{Existing, Forbidden, Form};
use crate::check::transactions::orders::{Choice, Level, Orders, choose};
use crate::graph::Cycle;
use crate::verdict::StoppedBy;

/// What became of a form of snapshot isolation.
#[derive(Debug)]
pub(super) enum Choosing {
    /// There was nothing to choose: cycles alone decide.
    Needless,
    /// There is an order that keeps it.
    Possible,
    /// There is none: each way to choose closes one of these cycles.
    Impossible(Vec<Cycle>),
    /// The search was ended.
    Unknown(StoppedBy),
}

/// The three forms.
#[derive(Debug)]
pub(super) struct Free {
    forms: [Choosing; Form::ALL.len()],
}

impl Free {
    /// Decides what cycles leave open.
    pub(super) fn decide(evidence: &Evidence, existing: &Existing, budget: &Budget) -> Free {
        let mut forms = Form::ALL.map(|_| Choosing::Needless);
        let mut possible = false;
        let mut known = None;
        for form in Form::ALL.into_iter().rev() {
            let open = existing.any(Forbidden::All, form) && !existing.any(Forbidden::NonAdjacent, form);
            if evidence.dependencies.choices.is_empty() || !open {
                continue;
            }
            forms[form as usize] = if possible {
                Choosing::Possible
            } else {
                let known = known.get_or_insert_with(|| evidence.graph.explicit());
                let choices = &evidence.dependencies.choices;
                match choose(known, form.relations(), choices, Level::SnapshotIsolation, &mut budget.meter()) {
                    Orders::Possible(_) => Choosing::Possible,
                    Orders::Impossible(cycles) => Choosing::Impossible(cycles),
                    Orders::Unknown(by) => Choosing::Unknown(by),
                }
            };
            possible = matches!(forms[form as usize], Choosing::Possible);
        }
        Free { forms }
    }

    pub(super) fn of(&self, form: Form) -> &Choosing {
        &self.forms[form as usize]
    }

    /// The cycles that show it of the weakest form for which there is no order.
    pub(super) fn impossible(&self) -> Option<&[Cycle]> {
        self.forms.iter().find_map(|form| match form {
            Choosing::Impossible(cycles) => Some(cycles.as_slice()),
            _ => None,
        })
    }
}

/// An object with appends that nobody observed, of two or more transactions.
pub(super) fn choice(key: u32, writers: &[u32]) -> Choice {
    Choice::new(key, writers, |_| std::iter::empty())
}
