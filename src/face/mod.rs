//! The public face: what a program in Rust needs to read histories, to judge them, and to walk through the report.
//!
//! Everything else of the crate is reached through this, and may change with any version. The command line goes the same
//! way: `judge` is what both share.

mod check;
mod contract;
mod history;
pub mod judge;

pub use check::Check;
pub use contract::ContractErrors;
pub use history::{History, ReadOptions};
