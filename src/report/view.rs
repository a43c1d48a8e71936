//! The view: what a report says, in the shape that its JSON has. Field by field, `report.schema.json` says the same.

use serde::Serialize;
use serde_json::{Map, Value};

use super::operation::OperationView;
use super::record::OriginalRecord;
use crate::verdict::{Figures, StoppedBy, Verdict};

/// The verdict of a run or of one history, with its exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Overall {
    /// Everything required holds: 0.
    Holds,
    /// Something required is violated, and all that violates it was accepted (`--allow`, a baseline): 0.
    Accepted,
    /// Nothing required is violated, but something required is unknown, or nothing was required: 3.
    Unknown,
    /// Something required is violated: 1.
    Violated,
    /// Something required can't be shown or refuted by such a history: 2.
    NotApplicable,
    /// A history could not be read or judged, or there was none: 2.
    Error,
}

impl Overall {
    /// The name that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Overall::Holds => "holds",
            Overall::Accepted => "accepted",
            Overall::Unknown => "unknown",
            Overall::Violated => "violated",
            Overall::NotApplicable => "not-applicable",
            Overall::Error => "error",
        }
    }

    /// The exit code, where nothing else is asked for (`--fail-on`).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Overall::Holds | Overall::Accepted => 0,
            Overall::Violated => 1,
            Overall::NotApplicable | Overall::Error => 2,
            Overall::Unknown => 3,
        }
    }

    /// The worse of two: exit code 2 is worse than 1, 1 than 3, and 3 than 0.
    #[must_use]
    pub fn worse(self, other: Overall) -> Overall {
        let badness = |overall: Overall| match overall {
            Overall::Holds => 0,
            Overall::Accepted => 1,
            Overall::Unknown => 2,
            Overall::Violated => 3,
            Overall::NotApplicable => 4,
            Overall::Error => 5,
        };
        if badness(other) > badness(self) { other } else { self }
    }
}

impl From<Verdict> for Overall {
    fn from(verdict: Verdict) -> Overall {
        match verdict {
            Verdict::Holds => Overall::Holds,
            Verdict::Violated => Overall::Violated,
            Verdict::Unknown => Overall::Unknown,
            Verdict::NotApplicable => Overall::NotApplicable,
        }
    }
}

/// All that one run has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `anachron.report/1`.
    pub(super) schema: &'static str,
    /// Who says it.
    pub(super) tool: Tool,
    /// The worst verdict of the histories, and of what a contract asks of them together.
    pub(super) verdict: Overall,
    /// What `check` exits with.
    pub(super) exit_code: u8,
    /// Why, in one line.
    pub(super) summary: String,
    /// The contract that was judged by, as it was given or found.
    pub(super) contract: Option<String>,
    /// What is to be said of the run rather than of one history.
    pub(super) notices: Vec<Notice>,
    /// In the order in which they were given.
    pub(super) histories: Vec<HistoryReport>,
}

/// Something to say of a run: a use case that nothing was judged by, an accepted finding that is gone.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    /// `use-case-selects-nothing`, `use-case-not-judged` or `stale-baseline`.
    pub(super) kind: &'static str,
    /// The use case, or the fingerprint.
    pub(super) subject: String,
    /// In a sentence, with what to do.
    pub(super) message: String,
    /// What it makes of the run.
    #[serde(skip)]
    pub(super) verdict: Overall,
}

/// The program.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tool {
    /// `anachron`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl Tool {
    /// This one.
    pub const CURRENT: Tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}

/// One history, judged.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryReport {
    /// Its verdict: the worst of what is required.
    #[serde(skip)]
    pub(super) verdict: Overall,
    /// Whether what is required is only what is customary for the workload.
    #[serde(skip)]
    pub(super) customary: bool,
    /// The use cases that were judged.
    #[serde(skip)]
    pub(super) judged: Vec<String>,
    /// The use cases for such histories that select nothing of this one.
    #[serde(skip)]
    pub(super) selecting_nothing: Vec<String>,
    /// Where it came from, as it was given.
    pub(super) source: String,
    /// Its vocabulary, where it is known.
    pub(super) workload: Option<&'static str>,
    /// Whether its values are placeholders; not there where they are not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) redacted: bool,
    /// What its reader was told beside the bytes, by which `verify` reads it again; not there where nobody said anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reading: Option<Value>,
    /// Why it could not be read or judged; then there are no guarantees.
    pub(super) error: Option<Failure>,
    /// How large it is, where it could be read.
    pub(super) statistics: Option<Statistics>,
    /// The required ones as they were required; then what is violated, the weakest first, what holds, the strongest first,
    /// what is unknown, and what is not applicable.
    pub(super) guarantees: Vec<GuaranteeReport>,
    /// What was found, in the order of the table of anomalies. In JSON each has a seal: see [`super::seal`].
    #[serde(serialize_with = "super::seal::sealed")]
    pub(super) anomalies: Vec<AnomalyReport>,
    /// Figures of the history itself.
    pub(super) measures: Figures,
    /// What a page draws of it: see [`HistoryReport::drawn`].
    #[serde(skip)]
    pub(super) drawing: Option<super::Drawing>,
}

/// Why a history could not be read or judged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Failure {
    /// What was found, and what was expected.
    pub message: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column, from 1, in characters.
    pub column: Option<u64>,
    /// What to do.
    pub help: String,
    /// The user's limit that ended the reading, where one did: then the history may be sound, and what is required is unknown.
    #[serde(skip)]
    pub stopped_by: Option<StoppedBy>,
}

/// How large a history is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Statistics {
    /// Records, the observers' included.
    pub records: u64,
    /// Rows of a foreign log that became no record.
    pub left_out: u64,
    /// Operations: an invocation and its completion are one.
    pub operations: u64,
    /// Operations that happened.
    pub ok: u64,
    /// Operations that certainly did not.
    pub fail: u64,
    /// Operations of which nobody knows, those without a completion included.
    pub info: u64,
    /// Processes, observers included.
    pub processes: u64,
    /// Distinct keys of operations and their micro-operations.
    pub keys: u64,
}

/// One guarantee, judged.
#[derive(Clone, Debug, Serialize)]
pub struct GuaranteeReport {
    /// Which.
    pub(super) guarantee: &'static str,
    /// `holds`, `violated`, `unknown` or `not-applicable`.
    pub(super) verdict: Overall,
    /// Whether the verdict of the history depends on it.
    pub(super) required: bool,
    /// The parameters of the requirement, by name, as they were written.
    pub(super) parameters: Map<String, Value>,
    /// The use case that requires it.
    pub(super) use_case: Option<String>,
    /// Whether it is violated, and all that violates it was accepted.
    pub(super) accepted: bool,
    /// The anomalies that rule it out.
    pub(super) anomalies: Vec<&'static str>,
    /// Those of them that were not accepted, where others were.
    #[serde(skip)]
    pub open: Vec<&'static str>,
    /// Why the verdict is what it is.
    pub(super) reason: Option<String>,
    /// `budget`, `timeout` or `memory`, where one of these ended the search.
    pub(super) stopped_by: Option<&'static str>,
    /// What was looked at, in numbers.
    pub(super) evidence: Figures,
    /// Whether its verdict says more than those of the others: nothing weaker is violated, nothing stronger holds.
    #[serde(skip)]
    pub(super) telling: bool,
}

/// One kind of anomaly.
#[derive(Clone, Debug, Serialize)]
pub struct AnomalyReport {
    /// Which.
    pub(super) anomaly: &'static str,
    /// `certain` or `possible`.
    pub(super) certainty: &'static str,
    /// The guarantees of this history that it rules out.
    pub(super) rules_out: Vec<&'static str>,
    /// The use case in whose part of the history it was found, where it was looked for in a part.
    pub(super) use_case: Option<String>,
    /// The parameters that it was found with, where the history was judged with others too.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) parameters: Map<String, Value>,
    /// `allowed` or `baseline`, where it was accepted beforehand.
    pub(super) accepted: Option<&'static str>,
    /// The same for the same finding in the next run: see [`super::Identity`].
    pub(super) fingerprint: String,
    /// Components of the graph for cycles, occurrences otherwise.
    pub(super) count: u64,
    /// The smallest piece of the history that shows it.
    pub(super) witness: Option<WitnessReport>,
}

impl AnomalyReport {
    /// Whether it is part of why a guarantee is violated.
    #[must_use]
    pub fn explains(&self, row: &GuaranteeReport) -> bool {
        row.verdict == Overall::Violated
            && row.anomalies.contains(&self.anomaly)
            && (self.use_case.is_none() || self.use_case == row.use_case)
            && (self.parameters.is_empty() || (self.parameters == row.parameters && row.use_case.is_none()))
    }
}

impl GuaranteeReport {
    /// Its part in the verdict of the history.
    #[must_use]
    pub fn standing(&self) -> Overall {
        if self.accepted { Overall::Accepted } else { self.verdict }
    }
}

/// The smallest piece of a history that shows an anomaly.
#[derive(Clone, Debug, Serialize)]
pub struct WitnessReport {
    /// `minimum`, `1-minimal` or `bounded`.
    pub(super) minimality: &'static str,
    /// Whether a second look at the whole history confirmed it.
    pub(super) rechecked: bool,
    /// What that second look confirmed, as data, for whoever repeats it; null where the witness has only words.
    pub(super) claim: Option<serde_json::Value>,
    /// The original records of its operations, in order of position.
    pub(super) records: Vec<OriginalRecord>,
    /// Its operations as a person reads them, in the order in which it names them.
    pub(super) operations: Vec<OperationView>,
    /// The line of its first record, from 1, where the history has lines.
    #[serde(skip)]
    pub(super) line: Option<u64>,
    /// The file that it is in, where the history is put together of several.
    #[serde(skip)]
    pub(super) file: Option<String>,
    /// How many more operations there are than are listed in `operations`.
    #[serde(skip)]
    pub(super) more_operations: usize,
    /// Why it can't be, step by step.
    pub(super) steps: Vec<StepReport>,
    /// As a sequence in time, where that says more.
    pub(super) timeline: Option<Vec<MomentReport>>,
    /// What it means for the data.
    pub(super) text: String,
}

/// One step of a witness.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// The position of the operation that comes first.
    pub(super) from: u32,
    /// The position of the operation that comes after it.
    pub(super) to: u32,
    /// `ww`, `wr`, `rw`, `process`, `realtime`, ...
    pub(super) relation: &'static str,
    /// The object, where the relation concerns one.
    pub(super) key: Option<Box<serde_json::value::RawValue>>,
    /// Why, in a sentence.
    pub(super) because: String,
}

/// A moment of a failure time line.
#[derive(Clone, Debug, Serialize)]
pub struct MomentReport {
    /// The position of its record.
    pub(super) position: u32,
    /// Nanoseconds, where known.
    pub(super) time_ns: Option<i64>,
    /// Who: `client`, `service`, `store`, ...
    pub(super) lane: String,
    /// What happened.
    pub(super) what: String,
}
