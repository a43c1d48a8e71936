//! The four-valued verdict, and what a check hands to a report: judgements of guarantees, and findings with witnesses.

use crate::guarantee::{Anomaly, Guarantee};
use crate::witness::Witness;

/// What is known of a guarantee.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Verdict {
    /// Every observation is consistent with it, and at least one could have refuted it.
    Holds,
    /// The history certainly breaks it.
    Violated,
    /// Neither could be decided: the judgement's reason says why.
    Unknown,
    /// This vocabulary can neither show nor refute it.
    NotApplicable,
}

impl Verdict {
    /// The name that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Violated => "violated",
            Verdict::Unknown => "unknown",
            Verdict::NotApplicable => "not-applicable",
        }
    }
}

/// Whether evidence depends on something that is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Certainty {
    /// However clocks and missing records are read.
    Certain,
    /// In some readings.
    Possible,
}

/// What ended a search before its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum StoppedBy {
    /// The budget of steps.
    Budget,
    /// `--timeout`.
    Timeout,
    /// `--max-memory`.
    Memory,
}

impl StoppedBy {
    /// The name that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            StoppedBy::Budget => "budget",
            StoppedBy::Timeout => "timeout",
            StoppedBy::Memory => "memory",
        }
    }
}

/// Named figures, in the order in which they were put in.
pub type Figures = serde_json::Map<String, serde_json::Value>;

/// One guarantee, judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Which.
    pub guarantee: Guarantee,
    /// How.
    pub verdict: Verdict,
    /// The anomalies that rule it out, where it is violated.
    pub anomalies: Vec<Anomaly>,
    /// Why the verdict is what it is: always there for `unknown` and `not-applicable`.
    pub reason: Option<String>,
    /// What ended the search, where something did.
    pub stopped_by: Option<StoppedBy>,
    /// What was looked at, in numbers.
    pub evidence: Figures,
    /// Orders that a search found, for a certificate: of an object, by number, its operations by number.
    pub orders: Vec<(usize, Vec<u32>)>,
}

impl Judgement {
    /// A judgement without reason or evidence.
    #[must_use]
    pub fn new(guarantee: Guarantee, verdict: Verdict) -> Judgement {
        Judgement {
            guarantee,
            verdict,
            anomalies: Vec::new(),
            reason: None,
            stopped_by: None,
            evidence: Figures::new(),
            orders: Vec::new(),
        }
    }
}

/// One kind of anomaly that was found, with its best witness.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What.
    pub anomaly: Anomaly,
    /// How sure.
    pub certainty: Certainty,
    /// How often: components of the graph for cycles, occurrences otherwise.
    pub count: u64,
    /// The guarantees of this history that it rules out.
    pub rules_out: Vec<Guarantee>,
    /// The smallest piece of the history that shows it.
    pub witness: Option<Witness>,
}

impl Finding {
    /// Whether another pass over the same history would report this as the same.
    #[must_use]
    pub fn is_same(&self, other: &Finding) -> bool {
        let operations = |found: &Finding| found.witness.as_ref().map(|witness| witness.operations.clone());
        self.anomaly == other.anomaly && self.certainty == other.certainty && operations(self) == operations(other)
    }
}

/// All that one family of checks has to say of one history.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Guarantees, judged.
    pub judgements: Vec<Judgement>,
    /// Anomalies, in the order of their table.
    pub findings: Vec<Finding>,
    /// Figures of the history itself (`staleness`, `convergence`, `delivery`).
    pub measures: Figures,
}
