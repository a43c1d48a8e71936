//! One history: read, judged by what is required, and made a report of.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anachron::budget::Budget;
use anachron::check::Settings;
use anachron::check::use_cases::{self, Ruling, Rulings};
use anachron::contract::{Contract, Requirement};
use anachron::history::History;
use anachron::ingest::{self, Options, Source};
use anachron::report::{CaseResult, Failure, HistoryReport, HistoryResult};
use anachron::verdict::Outcome;
use anachron::workload::{self, Workload, WorkloadError};

use super::CommandError;
use super::args::{InputFormat, Reading};
use super::progress::Progress;

/// How histories are judged.
pub(crate) struct Judge<'a> {
    pub(crate) memory: u64,
    pub(crate) deadline: Option<Instant>,
    pub(crate) required: &'a [Requirement],
    pub(crate) contract: Option<&'a Contract>,
    pub(crate) workload: Option<Workload>,
    pub(crate) options: &'a Options,
    pub(crate) progress: &'a Progress,
    /// Whether some output draws the history.
    pub(crate) drawn: bool,
}

/// What was judged of a history.
pub(crate) struct Judged {
    pub(crate) workload: Workload,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) customary: bool,
    pub(crate) rulings: Rulings,
}

impl Judge<'_> {
    /// The report of the history in a file.
    pub(crate) fn report(&self, path: &Path) -> HistoryReport {
        let name = name(path);
        self.progress.say(format!("reading {name}"));
        let failed = |error| {
            HistoryReport::new(&HistoryResult {
                source: &name,
                workload: self.workload,
                error: Some(error),
                requirements: self.required,
                customary: self.required.is_empty(),
                ..HistoryResult::default()
            })
        };
        let history = match read(path, self.options) {
            Ok(history) => history,
            Err(error) => return failed(error),
        };
        self.progress.say(format!("judging {} operations of {name}", history.len()));
        let judged = match self.judge(&history) {
            Ok(judged) => judged,
            Err(error) => return failed(locate(error, &history)),
        };
        self.progress.say(format!("reporting on {name}"));
        let use_cases = self.contract.map_or(&[][..], |contract| &contract.use_cases);
        let cases = use_cases.iter().zip(&judged.rulings.cases).filter_map(|(use_case, ruling)| {
            let outcome = match ruling {
                Ruling::Elsewhere => return None,
                Ruling::Nothing => None,
                Ruling::Judged(outcome) => Some(outcome),
            };
            Some(CaseResult { name: &use_case.name, requirements: &use_case.requirements, outcome })
        });
        let cases: Vec<CaseResult<'_>> = cases.collect();
        let report = HistoryReport::new(&HistoryResult {
            source: &name,
            workload: Some(judged.workload),
            history: Some(&history),
            error: None,
            outcome: judged.rulings.whole.as_ref(),
            requirements: &judged.requirements,
            customary: judged.customary,
            cases: &cases,
        });
        if !self.drawn {
            return report;
        }
        let outcomes = judged.rulings.whole.as_ref().into_iter().chain(cases.iter().filter_map(|case| case.outcome));
        report.drawn(&history, &outcomes.collect::<Vec<_>>())
    }

    /// What becomes of a history. What is customary is required only where nothing is.
    pub(crate) fn judge(&self, history: &History) -> Result<Judged, WorkloadError> {
        let workload = self.workload.map_or_else(|| workload::detect(history), Ok)?;
        let use_cases = self.contract.map_or(&[][..], |contract| &contract.use_cases);
        let customary = self.required.is_empty() && use_cases.is_empty();
        let requirements =
            if customary { vec![Requirement::new(workload.customary())] } else { self.required.to_vec() };
        // What the history itself holds is not left for searches.
        let held = u64::try_from(history.bytes()).unwrap_or(u64::MAX);
        let budget = Budget::new(Budget::DEFAULT_STEPS, self.deadline, self.memory.saturating_sub(held));
        let settings = Settings { requirements: &requirements, budget: &budget };
        let mut rulings = use_cases::judge_all(history, workload, &settings, use_cases)?;
        rulings.whole.get_or_insert_with(Outcome::default);
        Ok(Judged { workload, requirements, customary, rulings })
    }
}

/// What reports call the history in a file.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// The history in a file.
pub(crate) fn read(path: &Path, options: &Options) -> Result<History, Failure> {
    let source = if path == Path::new("-") {
        Source::Stream { name: "standard input".to_owned(), reader: Box::new(std::io::stdin()) }
    } else {
        Source::File(PathBuf::from(path))
    };
    ingest::read(source, options).map_err(|error| Failure {
        message: error.message,
        line: error.line,
        column: error.column,
        help: error.help,
        stopped_by: error.stopped_by,
    })
}

/// A history that can't be read, as the reason why a command ends.
pub(crate) fn unreadable(path: &Path, error: Failure) -> CommandError {
    let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
    let column = error.column.map(|column| format!(":{column}")).unwrap_or_default();
    CommandError::new(format!("{}{line}{column}: {}", name(path), error.message)).help(error.help)
}

/// A record that is not of the workload, with its line.
pub(crate) fn locate(error: WorkloadError, history: &History) -> Failure {
    let line = error.position.and_then(|position| history.origin().line(position));
    Failure { message: error.message, line, column: None, help: error.help, stopped_by: None }
}

/// What the reader is told.
pub(crate) fn options(reading: &Reading, memory: u64, deadline: Option<Instant>) -> Options {
    let mut options = Options { independent: reading.independent, deadline, ..Options::default() };
    options.max_memory = Some(memory);
    options.format = reading.input_format.map(input_format);
    if let Some(initial) = &reading.initial {
        // What is no JSON is a string, so that `--initial unknown` needs no quotes within quotes.
        let json = serde_json::from_str::<serde::de::IgnoredAny>(initial).is_ok();
        let text = if json { initial.clone() } else { serde_json::Value::String(initial.clone()).to_string() };
        options.header.push(("initial".to_owned(), text));
    }
    options
}

/// The workload that was named.
pub(crate) fn workload(reading: &Reading) -> Result<Option<Workload>, CommandError> {
    let named = reading.workload.as_deref().map(workload::named).transpose();
    named.map_err(|error| CommandError::new(error.message).help(error.help))
}

pub(crate) fn input_format(format: InputFormat) -> ingest::Format {
    match format {
        InputFormat::Json => ingest::Format::Json,
        InputFormat::Jsonl => ingest::Format::JsonLines,
        InputFormat::Edn => ingest::Format::Edn,
        InputFormat::JepsenLog => ingest::Format::JepsenLog,
        InputFormat::Porcupine => ingest::Format::Porcupine,
    }
}
