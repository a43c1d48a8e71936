//! `anachron check`: reads each history, judges it, and reports.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anachron::budget::Budget;
use anachron::check::{self, Settings};
use anachron::contract::{RequireError, Requirement};
use anachron::history::History;
use anachron::ingest::{self, Options, Source};
use anachron::report::{self, Failure, HistoryReport, HistoryResult, Report, Style};
use anachron::verdict::Outcome;
use anachron::workload::{self, Workload, WorkloadError};

use super::args::{Check, Format, InputFormat};
use super::progress::Progress;
use super::{CommandError, limits, output};

/// Judges all that was given, prints the report, and says the exit code.
pub(crate) fn run(arguments: &Check) -> Result<u8, CommandError> {
    let begin = Instant::now();
    let required = requirements(arguments)?;
    let workload = arguments.workload.as_deref().map(workload::named).transpose().map_err(from_workload)?;
    limits::use_threads(&arguments.limits)?;
    let memory = limits::memory(&arguments.limits);
    let deadline = limits::deadline(&arguments.limits, begin);
    let options = options(arguments, memory, deadline);
    let progress = Progress::start(arguments.output.quiet);
    let drawn = arguments.output.draws();
    let mut histories = Vec::with_capacity(arguments.files.len());
    for path in &arguments.files {
        let mut judge = Judge { memory, deadline, required: &required, workload, progress: &progress, drawn };
        histories.push(judge.judge(path, &options));
    }
    drop(progress);
    let report = Report::new(histories);
    write(&report, arguments)?;
    Ok(report.exit_code)
}

fn requirements(arguments: &Check) -> Result<Vec<Requirement>, CommandError> {
    arguments
        .require
        .iter()
        .map(|text| {
            text.parse().map_err(|error: RequireError| {
                CommandError::new(format!("--require {text}: {}", error.message)).help(error.help.unwrap_or_default())
            })
        })
        .collect()
}

fn options(arguments: &Check, memory: u64, deadline: Option<Instant>) -> Options {
    let mut options = Options { independent: arguments.independent, ..Options::default() };
    options.max_memory = Some(memory);
    options.deadline = deadline;
    options.format = arguments.input_format.map(input_format);
    if let Some(initial) = &arguments.initial {
        // What is no JSON is a string, so that `--initial unknown` needs no quotes within quotes.
        let json = serde_json::from_str::<serde::de::IgnoredAny>(initial).is_ok();
        let text = if json { initial.clone() } else { serde_json::Value::String(initial.clone()).to_string() };
        options.header.push(("initial".to_owned(), text));
    }
    options
}

pub(super) fn input_format(format: InputFormat) -> ingest::Format {
    match format {
        InputFormat::Json => ingest::Format::Json,
        InputFormat::Jsonl => ingest::Format::JsonLines,
        InputFormat::Edn => ingest::Format::Edn,
        InputFormat::JepsenLog => ingest::Format::JepsenLog,
        InputFormat::Porcupine => ingest::Format::Porcupine,
    }
}

fn from_workload(error: WorkloadError) -> CommandError {
    CommandError::new(error.message).help(error.help)
}

/// How one history is judged.
struct Judge<'a> {
    memory: u64,
    deadline: Option<Instant>,
    required: &'a [Requirement],
    workload: Option<Workload>,
    progress: &'a Progress,
    /// Whether some output draws the history.
    drawn: bool,
}

impl Judge<'_> {
    fn judge(&mut self, path: &Path, options: &Options) -> HistoryReport {
        let is_stream = path == Path::new("-");
        let name = if is_stream { "standard input".to_owned() } else { path.display().to_string() };
        self.progress.say(format!("reading {name}"));
        let failed = |error| {
            HistoryReport::new(&HistoryResult {
                source: &name,
                workload: self.workload,
                history: None,
                error: Some(error),
                outcome: None,
                requirements: self.required,
                customary: self.required.is_empty(),
            })
        };
        let history = match read(path, is_stream, options) {
            Ok(history) => history,
            Err(error) => return failed(error),
        };
        self.progress.say(format!("judging {} operations of {name}", history.len()));
        let (workload, requirements, outcome) = match self.check(&history) {
            Ok(judged) => judged,
            Err(error) => return failed(locate(error, &history)),
        };
        self.progress.say(format!("reporting on {name}"));
        let report = HistoryReport::new(&HistoryResult {
            source: &name,
            workload: Some(workload),
            history: Some(&history),
            error: None,
            outcome: Some(&outcome),
            requirements: &requirements,
            customary: self.required.is_empty(),
        });
        if self.drawn { report.drawn(&history, &outcome) } else { report }
    }

    fn check(&self, history: &History) -> Result<(Workload, Vec<Requirement>, Outcome), WorkloadError> {
        let workload = self.workload.map_or_else(|| workload::detect(history), Ok)?;
        let requirements = match self.required {
            [] => vec![Requirement::new(workload.customary())],
            required => required.to_vec(),
        };
        // What the history itself holds is not left for searches.
        let held = u64::try_from(history.bytes()).unwrap_or(u64::MAX);
        let budget = Budget::new(Budget::DEFAULT_STEPS, self.deadline, self.memory.saturating_sub(held));
        let settings = Settings { requirements: &requirements, budget: &budget };
        let outcome = check::judge(history, workload, &settings)?;
        Ok((workload, requirements, outcome))
    }
}

pub(super) fn read(path: &Path, is_stream: bool, options: &Options) -> Result<History, Failure> {
    let source = if is_stream {
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

fn locate(error: WorkloadError, history: &History) -> Failure {
    let line = error.position.and_then(|position| history.origin().line(position));
    Failure { message: error.message, line, column: None, help: error.help, stopped_by: None }
}

fn write(report: &Report, arguments: &Check) -> Result<(), CommandError> {
    let render = |format: Format, style: &Style| {
        let format = match format {
            Format::Table => report::Format::Table,
            Format::Json => report::Format::Json,
            Format::Junit => report::Format::Junit,
            Format::Sarif => report::Format::Sarif,
            Format::Github => report::Format::Github,
            Format::Markdown => report::Format::Markdown,
            Format::Html => report::Format::Html,
        };
        report::render(report, format, style)
    };
    for (format, path) in &arguments.output.output {
        output::write_file(path, &render(*format, &Style::default()))?;
    }
    if arguments.output.quiet {
        return Ok(());
    }
    output::print(&render(arguments.output.format, &output::style(arguments.output.color)))
}
