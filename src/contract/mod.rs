//! What is required of a history: guarantees, with their parameters, of all operations or of a use case.
//!
//! One table says which parameters a guarantee has and what they may be; `--require`, a contract file and a history's header
//! are three ways to write them, read by the same code. Nothing here looks at a history: a contract that asks for what
//! doesn't exist, or can't be, is refused before any is read.

mod duration;
mod file;
mod gating;
mod parameters;
mod pattern;
mod policy;
mod require;
mod selection;
#[cfg(test)]
mod tests;

pub use duration::parse_duration;
pub use file::{Contract, ContractError, UseCase, place_of};
pub use gating::{FailOn, Gating, anomaly};
pub use parameters::{Kind, Parameter};
pub use pattern::Pattern;
pub use policy::{ParameterError, Policy, Setting};
pub use require::RequireError;
pub use selection::{Extent, Selection, Subject};

use crate::guarantee::Guarantee;

/// One required guarantee: of a [`Guarantee`] alone, or of a text as `--require` takes it (`NAME[@READING][:key=value,...]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// Which.
    pub guarantee: Guarantee,
    /// Its parameters, by name, as they were written.
    pub parameters: Vec<(String, String)>,
    /// The use case that requires it, where a contract has one.
    #[doc(hidden)]
    pub use_case: Option<String>,
}

impl Requirement {
    /// A guarantee without parameters, of everything.
    #[must_use]
    pub const fn new(guarantee: Guarantee) -> Requirement {
        Requirement { guarantee, parameters: Vec::new(), use_case: None }
    }

    /// Its parameters, typed.
    ///
    /// # Errors
    /// A parameter that the guarantee doesn't have, a value that is not of its kind, or a combination that can't be. What came
    /// from `--require` or from a contract has been checked before.
    #[doc(hidden)]
    pub fn policy(&self) -> Result<Policy, ParameterError> {
        Policy::read(self.guarantee, self.parameters.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }
}

/// What somebody wrote, in backticks, fit for a terminal and not longer than a line.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
