//! anachron reads the recorded history of a distributed system's operations and says which guarantees that history keeps,
//! which it breaks, and shows the smallest piece of it that proves so.
pub mod budget;
pub mod check;
pub mod contract;
pub mod generate;
pub mod graph;
pub mod guarantee;
pub mod history;
pub mod ingest;
pub mod report;
pub mod verdict;
pub mod witness;
pub mod workload;
