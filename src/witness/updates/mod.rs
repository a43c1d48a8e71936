//! Sets and counters: what is claimed of their reads, and in words.
//!
//! A claim says what can't be ([`Shape`]) and what that means ([`Says`]); all else that the words tell (which update makes it
//! certain, what a sum should have been) is read from the history anew.

pub mod counter;
pub mod set;

use serde::{Deserialize, Serialize};

use super::objects::Cast;
use super::{Minimality, Witness, claim, deeds};
use crate::guarantee::Anomaly;
use crate::history::{History, OpId, Operation, Value};

/// What is claimed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// What can't be.
    pub shape: Shape,
    /// What that means.
    pub says: Says,
    /// The elements that it is about, of sets. In JSON they are the `values` beside the claim.
    #[serde(skip)]
    pub elements: Vec<Value>,
}

/// What can't be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// Of a set.
    Set(set::Shape),
    /// Of a counter.
    Counter(counter::Shape),
}

/// What follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Says {
    /// That no choice of updates, or no order of them, explains it.
    Unexplained,
    /// That the read was behind when it began.
    Behind {
        /// By how many updates, at least.
        updates: u32,
        /// Since how long that was certain, at least, in nanoseconds; nothing without times.
        age_ns: Option<i64>,
    },
    /// That it was behind for too long.
    Overdue {
        /// Since how long it was certain what the read does not show, at least, in nanoseconds.
        age_ns: i64,
        /// The bound.
        within_ns: i64,
    },
    /// That it is so in the end.
    InTheEnd,
}

impl Shape {
    /// The read that is measured, where one is.
    pub(super) fn read(&self) -> Option<OpId> {
        match *self {
            Shape::Set(set::Shape::Missed { read, .. } | set::Shape::Returned { read, .. })
            | Shape::Counter(counter::Shape::Outside { read, .. }) => Some(read),
            _ => None,
        }
    }
}

impl Claim {
    pub(super) fn operations_mut(&mut self) -> Vec<&mut OpId> {
        match &mut self.shape {
            Shape::Set(shape) => shape.operations_mut(),
            Shape::Counter(shape) => shape.operations_mut(),
        }
    }

    /// How small its witness is: of a set, nothing smaller tells of this element or these; a sum is all updates' doing.
    #[must_use]
    pub fn minimality(&self) -> Minimality {
        match self.shape {
            Shape::Set(_) => Minimality::Minimum,
            Shape::Counter(_) => Minimality::OneMinimal,
        }
    }
}

/// A claim as a witness, confirmed from the whole history where that bears it out.
#[must_use]
pub fn witness(history: &History, anomaly: Anomaly, claim: &Claim) -> Witness {
    let (cast, subject) = match &claim.shape {
        Shape::Set(shape) => set::cast(history, shape, &claim.elements),
        Shape::Counter(shape) => counter::cast(history, shape),
    };
    let meaning = meaning(anomaly, claim, cast.name(subject));
    let told = cast.witness(&meaning, claim.minimality(), false);
    told.claiming(history, anomaly, true, &claim::Claim::Updates(claim.clone()))
}

/// What follows, given the name of the read.
fn meaning(anomaly: Anomaly, claim: &Claim, name: &str) -> String {
    match claim.says {
        Says::Behind { updates, age_ns } => {
            let since = match age_ns {
                Some(age) if age > 0 => format!(", and that had been certain for {}", deeds::duration(age)),
                _ => String::new(),
            };
            let more = if updates > 1 { format!("; it misses {updates} updates") } else { String::new() };
            format!("{name} was stale when it began{since}{more}.")
        }
        Says::Overdue { age_ns, within_ns } => format!(
            "{name} began {} after it had been certain what it does not show; the bound is {}.",
            deeds::duration(age_ns),
            deeds::exactly(within_ns)
        ),
        Says::Unexplained => match claim.shape {
            Shape::Set(set::Shape::Early { .. })
            | Shape::Counter(counter::Shape::Outside { premise: counter::Premise::Timely, .. }) => {
                format!("{name} showed what nobody had begun to write: the order of time is broken.")
            }
            _ => anomaly.consequence().to_owned(),
        },
        Says::InTheEnd => match anomaly {
            Anomaly::Divergence => {
                "Every update had returned by then, and still the two differ: nothing is left that could make \
                                    them agree, and which data a client gets depends on the server that it asks."
                    .to_owned()
            }
            Anomaly::LostWrite => format!(
                "After everything had settled, {name} still lacked what a client had been told was stored: it is lost."
            ),
            Anomaly::Resurrection => {
                format!("After everything had settled, {name} showed what had been removed: it came back.")
            }
            _ => "A client was told that nothing happened, and it is there in the end.".to_owned(),
        },
    }
}

/// The server that answered, for a read's sentence.
fn at_node(history: &History, op: &Operation<'_>) -> String {
    if op.node().is_null() { String::new() } else { format!(" at node {}", history.values().json(op.node(), 60)) }
}

/// These operations of one object, in order of beginning.
fn in_order<'h>(history: &'h History, mut operations: Vec<(OpId, super::objects::Deed)>) -> Cast<'h> {
    operations.sort_by_key(|(op, _)| (history.op(*op).began(), *op));
    let key = operations.first().map_or(Value::ABSENT, |(op, _)| history.op(*op).key());
    Cast::new(history, if key.is_null() { Value::ABSENT } else { key }, operations)
}
