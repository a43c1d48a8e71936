//! What a report says, to walk through by program: each accessor is named as the field of the JSON report that says the same.

use std::fmt;

use super::operation::OperationView;
use super::record::OriginalRecord;
use super::view::{
    AnomalyReport, Failure, GuaranteeReport, HistoryReport, MomentReport, Notice, Overall, Report, Statistics,
    StepReport, WitnessReport,
};
use super::{Format, Style, render};
use crate::guarantee::{Anomaly, Guarantee};
use crate::verdict::{Figures, Verdict};

impl Report {
    /// The worst verdict of all that was judged.
    #[must_use]
    pub fn verdict(&self) -> Overall {
        self.verdict
    }

    /// What `anachron check` exits with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// Why, in one line.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What is to be said of the run rather than of one history.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Each history's report, in the order in which they were given.
    #[must_use]
    pub fn histories(&self) -> &[HistoryReport] {
        &self.histories
    }

    /// All guarantees of all histories.
    pub fn guarantees(&self) -> impl Iterator<Item = &GuaranteeReport> {
        self.histories.iter().flat_map(|history| &history.guarantees)
    }

    /// All anomalies of all histories.
    pub fn anomalies(&self) -> impl Iterator<Item = &AnomalyReport> {
        self.histories.iter().flat_map(|history| &history.anomalies)
    }

    /// The report in a format, ending with a line feed: the table with 80 columns and without colour. Same report, same bytes.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        render(self, format, &Style::default())
    }

    /// Each history's report, to make another one of them.
    #[doc(hidden)]
    #[must_use]
    pub fn into_histories(self) -> Vec<HistoryReport> {
        self.histories
    }
}

/// The table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Format::Table))
    }
}

impl Notice {
    /// `use-case-selects-nothing`, `use-case-not-judged` or `stale-baseline`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The use case, or the fingerprint.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// In a sentence, with what to do.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl HistoryReport {
    /// Where it came from, as it was given.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The worst verdict of what is required of it.
    #[must_use]
    pub fn verdict(&self) -> Overall {
        self.verdict
    }

    /// The name of its vocabulary, where it is known.
    #[must_use]
    pub fn workload(&self) -> Option<&'static str> {
        self.workload
    }

    /// Why it could not be read or judged.
    #[must_use]
    pub fn error(&self) -> Option<&Failure> {
        self.error.as_ref()
    }

    /// How large it is, where it could be read.
    #[must_use]
    pub fn statistics(&self) -> Option<&Statistics> {
        self.statistics.as_ref()
    }

    /// The required ones as they were required; then what is violated, the weakest first, what holds, the strongest first,
    /// what is unknown, and what is not applicable.
    #[must_use]
    pub fn guarantees(&self) -> &[GuaranteeReport] {
        &self.guarantees
    }

    /// What was found.
    #[must_use]
    pub fn anomalies(&self) -> &[AnomalyReport] {
        &self.anomalies
    }

    /// Figures of the history itself: `staleness`, `convergence`, `delivery`. Their names end with their units.
    #[must_use]
    pub fn measures(&self) -> &Figures {
        &self.measures
    }
}

impl GuaranteeReport {
    /// Which.
    ///
    /// # Panics
    /// Never: a report names guarantees of the table.
    #[must_use]
    pub fn guarantee(&self) -> Guarantee {
        Guarantee::named(self.guarantee).expect("a report names guarantees of the table")
    }

    /// How it was judged.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.verdict {
            Overall::Holds => Verdict::Holds,
            Overall::Violated | Overall::Accepted => Verdict::Violated,
            Overall::NotApplicable => Verdict::NotApplicable,
            Overall::Unknown | Overall::Error => Verdict::Unknown,
        }
    }

    /// Whether the verdict of the history depends on it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Whether it is violated, and all that violates it was accepted beforehand.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// The use case of the contract that requires it.
    #[must_use]
    pub fn use_case(&self) -> Option<&str> {
        self.use_case.as_deref()
    }

    /// Why the verdict is what it is: always there for `unknown` and `not-applicable`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// `budget`, `timeout` or `memory`, where one of these ended the search.
    #[must_use]
    pub fn stopped_by(&self) -> Option<&'static str> {
        self.stopped_by
    }

    /// The names of the anomalies that rule it out.
    #[must_use]
    pub fn anomalies(&self) -> &[&'static str] {
        &self.anomalies
    }

    /// What was looked at, in numbers.
    #[must_use]
    pub fn evidence(&self) -> &Figures {
        &self.evidence
    }
}

impl AnomalyReport {
    /// Which.
    ///
    /// # Panics
    /// Never: a report names anomalies of the table.
    #[must_use]
    pub fn anomaly(&self) -> Anomaly {
        Anomaly::named(self.anomaly).expect("a report names anomalies of the table")
    }

    /// Whether it is there however clocks and missing records are read; otherwise it is possible, and violates nothing.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.certainty == "certain"
    }

    /// The names of the guarantees of this history that it rules out.
    #[must_use]
    pub fn rules_out(&self) -> &[&'static str] {
        &self.rules_out
    }

    /// `allowed` or `baseline`, where it was accepted beforehand.
    #[must_use]
    pub fn accepted(&self) -> Option<&'static str> {
        self.accepted
    }

    /// The same for the same finding in the next run.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How often: components of the graph for cycles, occurrences otherwise.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The smallest piece of the history that shows it.
    #[must_use]
    pub fn witness(&self) -> Option<&WitnessReport> {
        self.witness.as_ref()
    }
}

impl WitnessReport {
    /// `minimum`: no smaller one exists; `1-minimal`: nothing can be left out; `bounded`: the budget ended before either was
    /// sure.
    #[must_use]
    pub fn minimality(&self) -> &'static str {
        self.minimality
    }

    /// Whether a second look at the whole history, by code that shares nothing with the first, confirmed it.
    #[must_use]
    pub fn is_rechecked(&self) -> bool {
        self.rechecked
    }

    /// What it means for the data.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its operations in words, 40 at most.
    #[must_use]
    pub fn operations(&self) -> &[OperationView] {
        &self.operations
    }

    /// The original records of its operations, in order of position.
    #[must_use]
    pub fn records(&self) -> &[OriginalRecord] {
        &self.records
    }

    /// Why it can't be, step by step.
    #[must_use]
    pub fn steps(&self) -> &[StepReport] {
        &self.steps
    }

    /// As a sequence in time, where that says more; else empty.
    #[must_use]
    pub fn timeline(&self) -> &[MomentReport] {
        self.timeline.as_deref().unwrap_or_default()
    }
}

impl OperationView {
    /// What the witness calls it: `T1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its position, by which steps name it.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.position
    }

    /// Who acted.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.process
    }

    /// `ok`, `fail`, `info`, `no completion` or `observed`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        self.status
    }

    /// What it did: `append x 1; read y [1 2]`.
    #[must_use]
    pub fn does(&self) -> &str {
        &self.does
    }
}

impl StepReport {
    /// The position of the operation that comes first.
    #[must_use]
    pub fn from(&self) -> u32 {
        self.from
    }

    /// The position of the operation that comes after it.
    #[must_use]
    pub fn to(&self) -> u32 {
        self.to
    }

    /// `ww`, `wr`, `rw`, `process`, `realtime`, ...
    #[must_use]
    pub fn relation(&self) -> &'static str {
        self.relation
    }

    /// The object, as JSON, where the relation concerns one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref().map(serde_json::value::RawValue::get)
    }

    /// Why, in a sentence.
    #[must_use]
    pub fn because(&self) -> &str {
        &self.because
    }
}

impl MomentReport {
    /// The position of its record.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.position
    }

    /// When, in nanoseconds of the history's clock, where that is known.
    #[must_use]
    pub fn time_ns(&self) -> Option<i64> {
        self.time_ns
    }

    /// Who: `client`, `service`, `store`, ...
    #[must_use]
    pub fn lane(&self) -> &str {
        &self.lane
    }

    /// What happened.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl OriginalRecord {
    /// Its fields in their own order, values as JSON; `index` is its position.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named().map(|(name, value)| (name, value.get()))
    }
}

/// The record as JSON on one line.
impl fmt::Display for OriginalRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(super::json::safe(&text).trim_end())
    }
}
