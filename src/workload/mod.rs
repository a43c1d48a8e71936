//! Vocabularies: what the functions and values of a history mean.
//!
//! One file a vocabulary: it turns values into typed observations (reads, writes, appends, effects ...) and refuses what
//! is not its own, with the record at fault. `detect` finds which vocabulary a history speaks.

pub mod accesses;
pub mod delivery;
mod detect;
mod fields;
pub mod idempotency;
pub mod kv;
mod numbers;
pub mod outbox;
pub mod payload;
pub mod reconciliation;
pub mod records;
pub mod register;
pub mod saga;
pub mod updates;

pub use detect::{detect, named};

use crate::guarantee::Guarantee;

pub mod list_append;

/// A vocabulary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[non_exhaustive]
pub enum Workload {
    /// Reads, writes and compare-and-set of registers.
    Register,
    /// Transactions of reads and appends.
    ListAppend,
    /// Transactions of reads and writes.
    RwRegister,
    /// Get, put and append of strings.
    Kv,
    /// Additions and removals of elements.
    Set,
    /// Amounts that are added up.
    Counter,
    /// Clients' attempts with idempotency keys, and a service's effects.
    Idempotency,
    /// A broker's messages, and a consumer's effects.
    Delivery,
    /// Committed state changes, and the events published for them.
    Outbox,
    /// Plans, their steps and compensations.
    Saga,
    /// Snapshots of systems that should agree.
    Reconciliation,
}

impl Workload {
    /// All, in the order in which messages list them.
    pub const ALL: [Workload; 11] = [
        Workload::Register,
        Workload::ListAppend,
        Workload::RwRegister,
        Workload::Kv,
        Workload::Set,
        Workload::Counter,
        Workload::Idempotency,
        Workload::Delivery,
        Workload::Outbox,
        Workload::Saga,
        Workload::Reconciliation,
    ];

    /// The name that headers, options and reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Workload::Register => "register",
            Workload::ListAppend => "list-append",
            Workload::RwRegister => "rw-register",
            Workload::Kv => "kv",
            Workload::Set => "set",
            Workload::Counter => "counter",
            Workload::Idempotency => "idempotency",
            Workload::Delivery => "delivery",
            Workload::Outbox => "outbox",
            Workload::Saga => "saga",
            Workload::Reconciliation => "reconciliation",
        }
    }

    /// What is required where nothing else is said.
    #[must_use]
    pub const fn customary(self) -> Guarantee {
        match self {
            Workload::Register | Workload::Kv | Workload::Set | Workload::Counter => Guarantee::Linearizable,
            Workload::ListAppend | Workload::RwRegister => Guarantee::StrictSerializable,
            Workload::Idempotency => Guarantee::Idempotent,
            Workload::Delivery => Guarantee::EffectivelyOnce,
            Workload::Outbox => Guarantee::Outbox,
            Workload::Saga => Guarantee::Saga,
            Workload::Reconciliation => Guarantee::Reconciled,
        }
    }
}

/// Why a history's values are not of its vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadError {
    /// The record at fault, where one is.
    pub position: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}
