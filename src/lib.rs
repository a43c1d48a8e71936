//! anachron reads the recorded history of a distributed system's operations and says which guarantees that history keeps,
//! which it breaks, and shows the smallest piece of it that proves so.
//!
//! # The way through the house
//!
//! ```text
//! bytes -> ingest -> history -> workload -> check/<family> -> verdict + witness -> report
//!                    (columns)  (typed        | graph  (dependency relations, components, shortest cycles)
//!                               observations) | search (linearization engine, budgets)
//! ```
//!
//! Data flows one way. [`ingest`] is the only room that reads files; [`history`] holds operations in columns of 32-bit
//! ids, and knows no format and no meaning; [`workload`] gives values their meaning, and refuses what is not its own;
//! [`check`] finds what is wrong, with the help of [`graph`] (which knows ids and relations only) and [`search`]; each
//! finding comes with a [`witness`], which is confirmed from the whole history by code that shares nothing with the
//! checks; [`guarantee`] says what follows from what; a [`certificate`] shows why a guarantee
//! holds, and is gone through again with code that shares nothing with the checks; [`report`] renders one view of the results. [`convert`],
//! [`generate`] and [`recorder`] write histories.
//!
//! # Invariants
//!
//! * `history` knows no format and no meaning; `graph` knows no guarantee; `witness::recheck` uses neither graph, search
//!   nor check; only the command line prints or exits. A test enforces these on the `use` lines.
//! * Nothing recurses over input; every search that can grow without bound counts its steps in a [`budget`].
//! * Same input, same output, byte for byte, whatever the number of threads: no iteration over a hash map reaches output.
//! * A history is read whole or not at all, and a verdict that something stopped is [`verdict::Verdict::Unknown`].

pub mod budget;
pub mod certificate;
pub mod check;
pub mod contract;
pub mod convert;
pub mod generate;
pub mod graph;
pub mod guarantee;
pub mod history;
pub mod ingest;
pub mod recorder;
pub mod report;
pub mod search;
pub mod shrink;
pub mod verdict;
pub mod witness;
pub mod workload;
