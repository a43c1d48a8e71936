//! anachron reads the recorded history of a distributed system's operations and says which guarantees that history keeps,
//! which it breaks, and shows the smallest piece of it that proves so.
//!
//! # In a test of your own
//!
//! Record what clients did with a [`Recorder`], or [read](History::read) what something else wrote; judge it by a [`Check`];
//! walk through the [`Report`], or print it in any [`Format`].
//!
//! ```
//! use anachron::{Check, Guarantee, History, Overall};
//!
//! let history = History::read("histories/postgres/list-append-repeatable-read.jsonl")?;
//! let report = Check::new().require(Guarantee::Serializable).run(&history);
//!
//! if report.verdict() == Overall::Violated {
//!     eprintln!("{}", report.summary());
//! }
//! for anomaly in report.anomalies() {
//!     let Some(witness) = anomaly.witness() else { continue };
//!     println!("{}, {} times: {}", anomaly.anomaly(), anomaly.count(), witness.text());
//!     for record in witness.records() {
//!         println!("  {record}");
//!     }
//! }
//! # assert_eq!(report.exit_code(), 1);
//! # assert!(report.anomalies().any(|anomaly| anomaly.witness().is_some_and(|witness| witness.is_rechecked())));
//! # Ok::<(), anachron::InputError>(())
//! ```
//!
//! What a report can say is [`Guarantee`], [`Anomaly`] and four [`Verdict`]s; `anachron explain NAME` tells of each. A verdict
//! that something stopped is [`Verdict::Unknown`], never a guess. What stands on this page keeps its shape within a minor
//! version; the rooms below are reached by this package's own program and tests alone, and promise nothing.
//!
//! # The way through the house
//!
//! ```text
//! bytes -> ingest -> history -> workload -> check/<family> -> verdict + witness -> report
//!                    (columns)  (typed        | graph  (dependency relations, components, shortest cycles)
//!                               observations) | search (linearization engine, budgets)
//! ```
//!
//! Data flows one way. `ingest` is the only room that reads files; `history` holds operations in columns of 32-bit
//! ids, and knows no format and no meaning; `workload` gives values their meaning, and refuses what is not its own;
//! `check` finds what is wrong, with the help of `graph` (which knows ids and relations only) and `search`; each
//! finding comes with a `witness`, which is confirmed from the whole history by code that shares nothing with the
//! checks; `guarantee` says what follows from what; a `certificate` shows why a guarantee
//! holds, and is gone through again with code that shares nothing with the checks; `report` renders one view of the results. `convert`,
//! `generate` and `recorder` write histories. `face` joins these rooms for programs, and for the command line.
//!
//! # Invariants
//!
//! * `history` knows no format and no meaning; `graph` knows no guarantee; `witness::recheck` uses neither graph, search
//!   nor check; only the command line prints or exits. A test enforces these on the `use` lines.
//! * Nothing recurses over input; every search that can grow without bound counts its steps in a `budget`.
//! * Same input, same output, byte for byte, whatever the number of threads: no iteration over a hash map reaches output.
//! * A history is read whole or not at all, and a verdict that something stopped is [`Verdict::Unknown`].

pub mod recorder;

// The rooms behind the face: public for this package's own program and tests, without any promise.
#[doc(hidden)]
pub mod budget;
#[doc(hidden)]
pub mod certificate;
#[doc(hidden)]
pub mod check;
#[doc(hidden)]
pub mod contract;
#[doc(hidden)]
pub mod convert;
#[doc(hidden)]
pub mod face;
#[doc(hidden)]
pub mod generate;
#[doc(hidden)]
pub mod graph;
#[doc(hidden)]
pub mod guarantee;
#[doc(hidden)]
pub mod history;
#[doc(hidden)]
pub mod ingest;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod search;
#[doc(hidden)]
pub mod shrink;
#[doc(hidden)]
pub mod verdict;
#[doc(hidden)]
pub mod witness;
#[doc(hidden)]
pub mod workload;

pub use contract::{Contract, ContractError, FailOn, RequireError, Requirement};
pub use face::{Check, ContractErrors, History, ReadOptions};
pub use guarantee::{Anomaly, Family, Guarantee};
pub use ingest::{Format as InputFormat, InputError};
#[doc(inline)]
pub use recorder::Recorder;
pub use report::{
    AnomalyReport, Failure, Format, GuaranteeReport, HistoryReport, MomentReport, Notice, OperationView,
    OriginalRecord, Overall, Report, Statistics, StepReport, WitnessReport,
};
pub use verdict::{StoppedBy, Verdict};
pub use workload::Workload;

/// The README's example runs, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
