//! What a witness is: the smallest piece of a history that shows an anomaly, and why each step of it holds.

pub mod accounts;
pub mod claim;
pub mod deeds;
pub mod eventual;
pub mod list_append;
pub mod objects;
pub mod recheck;
pub mod sessions;
pub mod staleness;
pub mod timeline;
pub mod updates;
pub mod versions;

use crate::guarantee::Anomaly;
use crate::history::{History, Value};

/// How small a witness is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Minimality {
    /// No smaller one exists.
    Minimum,
    /// Nothing can be left out.
    OneMinimal,
    /// The budget ended before either was sure.
    Bounded,
}

impl Minimality {
    /// The name that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Minimality::Minimum => "minimum",
            Minimality::OneMinimal => "1-minimal",
            Minimality::Bounded => "bounded",
        }
    }
}

/// One step: why something must come before something else, or why it is impossible.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The position of the operation that comes first (its completion's, else its invocation's).
    pub from: u32,
    /// The position of the one that comes after it.
    pub to: u32,
    /// The relation: `ww`, `wr`, `rw`, `process`, `realtime`, ...
    pub relation: &'static str,
    /// The object, where the relation concerns one.
    pub key: Option<Value>,
    /// Why, in a sentence. Operations are named T1, T2, ... in the order of [`Witness::operations`].
    pub because: String,
}

/// A moment of a failure time line: who did what to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The record.
    pub position: u32,
    /// Nanoseconds, where known.
    pub time_ns: Option<i64>,
    /// `client`, `service`, `store`, ...
    pub lane: String,
    /// What happened.
    pub what: String,
}

/// The smallest piece of a history that shows an anomaly.
#[derive(Clone, Debug)]
pub struct Witness {
    /// How small it is.
    pub minimality: Minimality,
    /// Whether `recheck` confirmed it from the whole history.
    pub rechecked: bool,
    /// What `recheck` confirmed, as reports have it: see [`claim::Claim`].
    pub claim: Option<serde_json::Value>,
    /// The operations (or observers' records) that it consists of, by position, in the order in which it names them.
    pub operations: Vec<u32>,
    /// What each of these is called in the text: `T1`, `W`, ...; as many as `operations`.
    pub names: Vec<String>,
    /// Step by step, why it can't be.
    pub steps: Vec<Step>,
    /// As a sequence in time, where that says more.
    pub timeline: Option<Vec<Moment>>,
    /// What it means for the data, in a sentence.
    pub text: String,
}

impl Witness {
    /// The same with what it claims, and whether the history bears that out, of an anomaly that is certain or only possible.
    #[must_use]
    pub fn claiming(mut self, history: &History, anomaly: Anomaly, certain: bool, claim: &claim::Claim) -> Witness {
        self.rechecked = recheck::confirm(history, &[(anomaly, certain, claim)]) == [true];
        self.claim = Some(claim.to_json(history));
        self
    }
}
