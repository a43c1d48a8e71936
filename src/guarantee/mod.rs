//! The lattice: guarantees, anomalies, what implies what, and what rules out what, as tables with their sources.
//!
//! Nothing here looks at a history. Names are the field's own; [`Guarantee::named`] takes every alias too.

mod names;

pub use names::{Anomaly, Guarantee};

/// The guarantees that one kind of history can show or refute.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Family {
    /// Transactions over several objects.
    Transactions,
    /// Operations on single objects.
    Objects,
    /// What one session sees.
    Sessions,
    /// How old a read may be.
    Staleness,
    /// What holds in the end.
    Eventual,
    /// Idempotency, delivery, outbox, saga, reconciliation.
    Delivery,
    /// What one workload of Jepsen asks of itself.
    Workloads,
}
