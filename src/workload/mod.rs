//! Vocabularies: what the functions and values of a history mean.
//!
//! One file a vocabulary: it turns values into typed observations (reads, writes, appends, effects ...) and refuses what
//! is not its own, with the record at fault. This file detects which vocabulary a history speaks.

/// A vocabulary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Workload {
    /// Reads, writes and compare-and-set of registers.
    Register,
    /// Transactions of reads and appends.
    ListAppend,
    /// Transactions of reads and writes.
    RwRegister,
    /// Get, put and append of strings.
    Kv,
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
