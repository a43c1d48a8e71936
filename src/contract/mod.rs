//! What is required of a history: guarantees, with their parameters, of all operations or of a use case.

use crate::guarantee::Guarantee;

/// One required guarantee.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// Which.
    pub guarantee: Guarantee,
    /// Its parameters, by name, as they were written.
    pub parameters: Vec<(String, String)>,
    /// The use case that requires it, where a contract has one.
    pub use_case: Option<String>,
}
