//! One view of the results, and a renderer a file for every format.
//!
//! [`HistoryReport::new`] reads one history's results into the view, [`Report::new`] judges them together, and [`render`]
//! writes them down. The view is what the JSON format serializes: other formats say no more and no less than that, in
//! other words. Nothing here judges a history, reads a file or prints.
//!
//! Same report, same bytes: no clock, no environment, no iteration over a hash map.

mod alert;
mod baseline;
mod build;
mod explain;
mod gate;
mod github;
mod guarantees;
mod html;
mod identity;
mod inspect;
mod json;
mod junit;
mod markdown;
mod measures;
mod operation;
mod page;
mod record;
mod sarif;
mod schema;
mod seal;
mod staleness;
mod statistics;
mod table;
mod text;
mod timeline;
mod view;
mod walk;
mod witness;

pub use baseline::Baseline;
pub use build::{CaseResult, HistoryResult};
pub(crate) use build::{MOST_OPERATIONS, witness_in_json};
pub use explain::{Subject, explain};
pub use gate::Gate;
pub use guarantees::{guarantees_dot, guarantees_json, guarantees_table};
pub use html::Drawing;
pub use identity::Identity;
pub use inspect::{Focus, inspect, inspect_json, inspect_lanes, inspect_records};
pub use json::safe as safe_json;
pub use operation::OperationView;
pub use record::OriginalRecord;
pub use schema::schema;
pub use seal::seal;
pub(crate) use table::parameters as parameters_in_words;
pub use view::{
    AnomalyReport, Failure, GuaranteeReport, HistoryReport, MomentReport, Notice, Overall, Report, Statistics,
    StepReport, Tool, WitnessReport,
};

/// How a report is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[non_exhaustive]
pub enum Format {
    /// For people, at a terminal.
    Table,
    /// For programs: `anachron.report/1`, see [`schema()`].
    Json,
    /// For continuous integration: JUnit XML.
    Junit,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For GitHub's runner: annotations.
    Github,
    /// For GitHub's step summaries, comments and wikis.
    Markdown,
    /// For the night after a failure: one page that loads nothing.
    Html,
}

impl Format {
    /// All, in the order in which help lists them.
    pub const ALL: [Format; 7] =
        [Format::Table, Format::Json, Format::Junit, Format::Sarif, Format::Github, Format::Markdown, Format::Html];

    /// The name that options use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Junit => "junit",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Markdown => "markdown",
            Format::Html => "html",
        }
    }

    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// How the table looks; no other format depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// The terminal's width in columns. Less than 40 counts as 40.
    pub width: usize,
    /// Whether to colour. Without it, the text has no escape sequence at all.
    pub color: bool,
}

impl Default for Style {
    /// 80 columns, no colour.
    fn default() -> Style {
        Style { width: 80, color: false }
    }
}

/// The report in this format, ending with a line feed.
#[must_use]
pub fn render(report: &Report, format: Format, style: &Style) -> String {
    match format {
        Format::Table => table::render(report, style),
        Format::Json => json::render(report),
        Format::Junit => junit::render(report),
        Format::Sarif => sarif::render(report),
        Format::Github => github::render(report),
        Format::Markdown => markdown::render(report),
        Format::Html => html::render(report),
    }
}
