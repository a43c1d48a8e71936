//! The lattice: guarantees, anomalies, what implies what, and what rules out what, as tables with their sources.
//!
//! Nothing here looks at a history. Names are the field's own; [`Guarantee::named`] takes every alias too.
//!
//! | file | its table |
//! |---|---|
//! | `names` | the names, one enum each |
//! | `rows` | a guarantee's aliases, families, meaning and source |
//! | `implications` | which guarantee implies which, and why; and what follows from that |
//! | `anomalies` | an anomaly's meaning, what it does to data, what it rules out |
//! | `staleness` | the anomalies of staleness and convergence |
//! | `causes` | what commonly causes an anomaly, and the smallest history that shows it |
//! | `sessions`, `delivery`, `messaging` | the anomalies of these families |
//! | `lookup` | from what somebody typed to a name |
//!
//! The tables rest on Adya's thesis, on Elle's graph of models, and on Biswas and Enea. Where they differ, a row says which
//! reading is meant. Two rules decide most of it. Session order is only in `causal`, in the readings `@biswas-enea`, in the
//! strong-session guarantees and in those of sessions: `serializable` implies none of these, `strong-session-serializable`
//! all. And real time is only in the `strong` guarantees, in strict serializability and in linearizability; it contains session
//! order, because a session does one thing at a time.

mod anomalies;
mod causes;
mod delivery;
mod implications;
mod lookup;
mod messaging;
mod names;
mod rows;
mod sessions;
mod staleness;
#[cfg(test)]
mod tests;

pub use anomalies::AnomalyRow;
pub use causes::Cause;
pub use implications::{Implication, implications, strongest, weakest};
pub(crate) use lookup::nearest;
pub use names::{Anomaly, Guarantee};
pub use rows::GuaranteeRow;

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

impl Family {
    /// All, in the order of the enum.
    pub const ALL: &'static [Family] = &[
        Family::Transactions,
        Family::Objects,
        Family::Sessions,
        Family::Staleness,
        Family::Eventual,
        Family::Delivery,
        Family::Workloads,
    ];

    /// The name that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Family::Transactions => "transactions",
            Family::Objects => "objects",
            Family::Sessions => "sessions",
            Family::Staleness => "staleness",
            Family::Eventual => "eventual",
            Family::Delivery => "delivery",
            Family::Workloads => "workloads",
        }
    }

    /// Its guarantees, in the order of their table.
    pub fn members(self) -> impl Iterator<Item = Guarantee> {
        Guarantee::ALL.iter().copied().filter(move |guarantee| guarantee.families().contains(&self))
    }
}
