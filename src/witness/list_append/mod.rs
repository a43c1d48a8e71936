//! What is claimed of list-append transactions, precisely enough that `recheck` can confirm it from the history alone.
//!
//! A claim names operations and their micro-operations; what those did is in the history. [`witness`] puts a claim in
//! words.

mod cycles;
mod names;
mod words;

pub use words::witness;

use serde::{Deserialize, Serialize};

use crate::guarantee::Anomaly;
use crate::history::{OpId, Value};

/// What is named beside a claim, before it is looked up.
fn unnamed() -> Value {
    Value::ABSENT
}

/// A micro-operation: which one of which operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mop {
    /// The operation.
    pub op: OpId,
    /// Its place among the operation's micro-operations, from 0.
    pub index: u32,
}

/// What a witness claims.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Claim {
    /// Dependencies that lead back to where they began.
    Cycle {
        /// The type of the cycle.
        anomaly: Anomaly,
        /// Each leads to where the next one begins, the last to where the first does.
        steps: Vec<Dependency>,
        /// For each transaction of the cycle whose outcome is not known: what shows that it happened.
        happened: Vec<Appearance>,
    },
    /// No read shows the order of some appends, and whichever it was, one of these cycles is there.
    EveryOrder {
        /// The mildest type among the cycles.
        anomaly: Anomaly,
        /// Cycles that rest on orders which were not seen ([`Why::Supposed`]); each way to choose these closes one of them.
        cycles: Vec<Vec<Dependency>>,
        /// As in [`Claim::Cycle`].
        happened: Vec<Appearance>,
    },
    /// `G1a`: the read shows the element of an append that failed.
    AbortedRead(Appearance),
    /// `G1b`: the read ends between two appends of another transaction.
    IntermediateRead {
        /// The read, and the append whose element is its last.
        shown: Appearance,
        /// A later append of that transaction to the same object, which the read does not show.
        later: Mop,
    },
    /// `internal`: the read contradicts its own transaction's earlier micro-operations.
    Internal {
        /// The read.
        read: Mop,
    },
    /// `future-read`: the read shows what its own transaction appends only later.
    FutureRead(Appearance),
    /// `dirty-update`: the read shows a committed element on top of an aborted one.
    DirtyUpdate {
        /// The read, and the append that failed.
        aborted: Appearance,
        /// The append that is committed on top of it.
        over: Mop,
    },
    /// `duplicate-elements`: the read shows an element twice.
    DuplicateElements {
        /// The read.
        read: Mop,
        /// The element. In JSON it is the `value` beside the claim.
        #[serde(skip, default = "unnamed")]
        element: Value,
    },
    /// `incompatible-order`: two reads of one object, neither a prefix of the other.
    IncompatibleReads {
        /// One.
        one: Mop,
        /// The other.
        other: Mop,
    },
    /// `incompatible-order`: the read shows the second of two appends of one transaction without the first, or before it.
    OutOfOrder {
        /// The append that its transaction made first.
        first: Mop,
        /// The read, and the append that was made after `first`.
        second: Appearance,
    },
    /// `lost-update`: two transactions read one version of an object, and appended to it then.
    LostUpdate {
        /// Each one's first read of the object.
        reads: [Mop; 2],
        /// Each one's append after that.
        appends: [Mop; 2],
    },
    /// `thin-air-read`: the read shows an element that nobody appended.
    ThinAirRead {
        /// The read.
        read: Mop,
        /// The element. In JSON it is the `value` beside the claim.
        #[serde(skip, default = "unnamed")]
        element: Value,
    },
}

/// A read that shows an append's element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appearance {
    /// What was appended.
    pub append: Mop,
    /// Where it was seen.
    pub read: Mop,
}

/// Why one transaction must come before another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// The one that comes first.
    pub from: OpId,
    /// The one that comes after it.
    pub to: OpId,
    /// Why.
    pub why: Why,
}

/// The reason of a [`Dependency`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Why {
    /// `to` appended to what `from` had appended to.
    WriteWrite {
        /// The append of `from`.
        earlier: Mop,
        /// The append of `to`.
        later: Mop,
        /// What shows their order.
        order: Order,
    },
    /// `to` read a list that ends with what `from` appended.
    WriteRead(Appearance),
    /// `to` appended to what `from` had read.
    ReadWrite {
        /// The read of `from`.
        read: Mop,
        /// The append of `to`.
        later: Mop,
        /// What shows their order.
        order: Order,
    },
    /// Nobody read either append, so one of the two came first: here it is supposed that this one did.
    Supposed {
        /// The append of `from`.
        earlier: Mop,
        /// The append of `to`, to the same object.
        later: Mop,
    },
    /// Session order.
    Process,
    /// `from` completed before `to` began.
    Realtime,
}

/// What shows that an append came after something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// This read shows it there.
    Shown(Mop),
    /// No read shows it, and lists only grow: it came after the longest list that was read, by this read.
    Unobserved(Mop),
}

impl Claim {
    /// The anomaly that this is one of.
    #[must_use]
    pub fn anomaly(&self) -> Anomaly {
        match self {
            Claim::Cycle { anomaly, .. } | Claim::EveryOrder { anomaly, .. } => *anomaly,
            Claim::AbortedRead(_) => Anomaly::G1a,
            Claim::IntermediateRead { .. } => Anomaly::G1b,
            Claim::Internal { .. } => Anomaly::Internal,
            Claim::FutureRead(_) => Anomaly::FutureRead,
            Claim::DirtyUpdate { .. } => Anomaly::DirtyUpdate,
            Claim::DuplicateElements { .. } => Anomaly::DuplicateElements,
            Claim::IncompatibleReads { .. } | Claim::OutOfOrder { .. } => Anomaly::IncompatibleOrder,
            Claim::LostUpdate { .. } => Anomaly::LostUpdate,
            Claim::ThinAirRead { .. } => Anomaly::ThinAirRead,
        }
    }

    /// One micro-operation of each object that the claim is about.
    #[must_use]
    pub fn objects(&self) -> Vec<Mop> {
        match self {
            Claim::Cycle { steps, happened, .. } => {
                let of_steps = steps.iter().filter_map(Dependency::object);
                of_steps.chain(happened.iter().map(|shown| shown.read)).collect()
            }
            Claim::EveryOrder { cycles, happened, .. } => {
                let of_steps = cycles.iter().flatten().filter_map(Dependency::object);
                of_steps.chain(happened.iter().map(|shown| shown.read)).collect()
            }
            Claim::AbortedRead(shown)
            | Claim::FutureRead(shown)
            | Claim::IntermediateRead { shown, .. }
            | Claim::DirtyUpdate { aborted: shown, .. }
            | Claim::OutOfOrder { second: shown, .. } => vec![shown.read],
            Claim::Internal { read }
            | Claim::DuplicateElements { read, .. }
            | Claim::ThinAirRead { read, .. }
            | Claim::IncompatibleReads { one: read, .. }
            | Claim::LostUpdate { reads: [read, _], .. } => vec![*read],
        }
    }
}

impl Dependency {
    /// A micro-operation of the object that it is about, if it is about one.
    fn object(&self) -> Option<Mop> {
        match self.why {
            Why::WriteWrite { earlier, .. } | Why::Supposed { earlier, .. } => Some(earlier),
            Why::WriteRead(shown) => Some(shown.read),
            Why::ReadWrite { read, .. } => Some(read),
            Why::Process | Why::Realtime => None,
        }
    }
}
