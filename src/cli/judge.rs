//! One history: read, judged by what is required, and made a report of.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anachron::budget::Budget;
use anachron::certificate::Certificate;
use anachron::contract::{Contract, Requirement};
pub(crate) use anachron::face::judge::refused as locate;
use anachron::face::judge::{Judged, Terms};
use anachron::history::History;
use anachron::ingest::{self, InputError, Join, Mapping, MappingError, Options, Source};
use anachron::report::{Failure, HistoryReport, HistoryResult};
use anachron::verdict::StoppedBy;
use anachron::workload::{self, Workload, WorkloadError};

use super::CommandError;
use super::args::{InputFormat, Reading, Redact, Unmapped};
use super::contract::Found;
use super::progress::Progress;

/// How histories are judged.
pub(crate) struct Judge<'a> {
    pub(crate) memory: u64,
    pub(crate) deadline: Option<Instant>,
    pub(crate) required: &'a [Requirement],
    pub(crate) contract: Option<&'a Contract>,
    pub(crate) workload: Option<Workload>,
    pub(crate) options: &'a Options,
    /// How several files are one history, where they are.
    pub(crate) join: Option<Join>,
    pub(crate) progress: &'a Progress,
    /// What reports must not show.
    pub(crate) redact: Option<Redact>,
    /// Whether some output draws the history.
    pub(crate) drawn: bool,
    /// Where the certificate goes, where one is wanted.
    pub(crate) certificate: Option<&'a OnceLock<Certificate>>,
}

impl Judge<'_> {
    /// The report of the history in a file, or of one that is spread over several, and whether more memory would not change it.
    pub(crate) fn report(&self, files: &[PathBuf]) -> (HistoryReport, bool) {
        let name = names(files);
        self.progress.say(format!("reading {name}"));
        let failed = |error: Failure| {
            let error = if self.redact.is_some() { unquoted(error) } else { error };
            HistoryReport::new(&HistoryResult {
                source: &name,
                workload: self.workload,
                error: Some(error),
                requirements: self.required,
                customary: self.required.is_empty(),
                ..HistoryResult::default()
            })
        };
        let mut history = match read_all(files, self.join, self.options) {
            Ok(history) => history,
            Err(error) => {
                let is_final = error.stopped_by != Some(StoppedBy::Memory);
                return (failed(error), is_final);
            }
        };
        if let Some(redact) = self.redact {
            history.redact(redact == Redact::Keys);
        }
        self.progress.say(format!("judging {} operations of {name}", history.len()));
        let judged = match self.judge(&history) {
            Ok(judged) => judged,
            Err(error) => return (failed(locate(error, &history)), true),
        };
        if let Some(wanted) = self.certificate {
            self.progress.say(format!("certifying {name}"));
            match judged.certificate(&history, &self.terms().budget(&history)) {
                Ok(certificate) => drop(wanted.set(certificate)),
                Err(error) => return (failed(locate(error, &history)), true),
            }
        }
        self.progress.say(format!("reporting on {name}"));
        let is_final = judged.stopped_by != Some(StoppedBy::Memory);
        (judged.report(&name, &history, self.terms().use_cases, self.drawn), is_final)
    }

    /// What becomes of a history.
    pub(crate) fn judge(&self, history: &History) -> Result<Judged, WorkloadError> {
        self.terms().judge(history)
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            required: self.required,
            use_cases: self.contract.map_or(&[][..], |contract| &contract.use_cases),
            workload: self.workload,
            steps: Budget::DEFAULT_STEPS,
            memory: self.memory,
            deadline: self.deadline,
        }
    }
}

/// A failure that quotes nothing of the history: what is wrong in a record is told by its place alone.
fn unquoted(error: Failure) -> Failure {
    if error.line.is_none() || error.stopped_by.is_some() {
        return error;
    }
    Failure {
        message: "what stands here can't be read as a history's record, or contradicts another".to_owned(),
        help: "--redact keeps what is wrong with it out of reports, since that could quote it: run once without, where the history may be \
               seen"
            .to_owned(),
        ..error
    }
}

/// What reports call the history in a file.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// What reports call a history of these files.
pub(crate) fn names(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|path| name(path)).collect();
    match names.as_slice() {
        [first, .., last] if names.len() > 3 => format!("{first} ... {last} ({} files)", names.len()),
        names => names.join(" + "),
    }
}

/// The history in a file, or in several that are one.
pub(crate) fn read_all(files: &[PathBuf], join: Option<Join>, options: &Options) -> Result<History, Failure> {
    if let ([path], None) = (files, join) {
        return read(path, options);
    }
    let sources = files.iter().map(|path| source(path)).collect();
    ingest::read_joined(sources, join.unwrap_or(Join::Time), options).map_err(failure)
}

/// The history in a file.
pub(crate) fn read(path: &Path, options: &Options) -> Result<History, Failure> {
    ingest::read(source(path), options).map_err(failure)
}

fn source(path: &Path) -> Source {
    if path == Path::new("-") {
        Source::Stream { name: "standard input".to_owned(), reader: Box::new(std::io::stdin()) }
    } else {
        Source::File(PathBuf::from(path))
    }
}

fn failure(error: InputError) -> Failure {
    let InputError { message, line, column, help, stopped_by } = error;
    Failure { message, line, column, help, stopped_by }
}

/// A history that can't be read, as the reason why a command ends.
pub(crate) fn unreadable(path: &Path, error: Failure) -> CommandError {
    unreadable_named(&name(path), error)
}

/// The same, of a history that has a name of its own.
pub(crate) fn unreadable_named(name: &str, error: Failure) -> CommandError {
    let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
    let column = error.column.map(|column| format!(":{column}")).unwrap_or_default();
    CommandError::new(format!("{name}{line}{column}: {}", error.message)).help(error.help)
}

/// What the reader is told.
pub(crate) fn options(
    reading: &Reading,
    contract: Option<&Found>,
    memory: u64,
    deadline: Option<Instant>,
) -> Result<Options, CommandError> {
    let mut options = Options { independent: reading.independent, deadline, ..Options::default() };
    options.max_memory = Some(memory);
    options.format = reading.input_format.map(input_format);
    if let Some(initial) = &reading.initial {
        // What is no JSON is a string, so that `--initial unknown` needs no quotes within quotes.
        let json = serde_json::from_str::<serde::de::IgnoredAny>(initial).is_ok();
        let text = if json { initial.clone() } else { serde_json::Value::String(initial.clone()).to_string() };
        options.header.push(("initial".to_owned(), text));
    }
    let said = &reading.mapping;
    if said.map.is_empty() {
        options.mapping = contract.map(Found::mapping).transpose()?.flatten().map(Arc::new);
    } else {
        let mapping = Mapping::from_options(&said.map, &said.when, said.unmapped == Unmapped::Skip);
        let refused = |error: MappingError| {
            CommandError::new(format!("--map {}: {}", error.at.join(" "), error.message)).help(error.help)
        };
        options.mapping = Some(Arc::new(mapping.map_err(refused)?));
        options.maps_all = true;
    }
    Ok(options)
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
