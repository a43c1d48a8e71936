//! Checks: observations to findings, a folder for each family of guarantees.

pub mod lattice;
pub mod objects;

use crate::budget::Budget;
use crate::contract::Requirement;

/// What a check is told beside the history.
#[derive(Debug)]
pub struct Settings<'a> {
    /// What is required.
    pub requirements: &'a [Requirement],
    /// The limits of this run.
    pub budget: &'a Budget,
}
