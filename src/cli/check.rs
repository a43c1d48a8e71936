//! `anachron check`: reads each history, judges it, and reports.

use std::time::Instant;

use anachron::contract::{RequireError, Requirement};
use anachron::report::{self, Gate, Report, Style};

use super::args::{Check, Format};
use super::judge::{self, Judge};
use super::progress::Progress;
use super::{CommandError, contract, limits, output};

/// Judges all that was given, prints the report, and says the exit code.
pub(crate) fn run(arguments: &Check) -> Result<u8, CommandError> {
    let begin = Instant::now();
    let required = requirements(arguments)?;
    let workload = judge::workload(&arguments.reading)?;
    let contract = contract::choose(&arguments.contract)?;
    limits::use_threads(&arguments.limits)?;
    let memory = limits::memory(&arguments.limits);
    let deadline = limits::deadline(&arguments.limits, begin);
    let options = judge::options(&arguments.reading, memory, deadline);
    let progress = Progress::start(arguments.output.quiet);
    let judge = Judge {
        memory,
        deadline,
        required: &required,
        contract: contract.as_ref().map(|found| &found.contract),
        workload,
        options: &options,
        progress: &progress,
        drawn: arguments.output.draws(),
    };
    let histories = arguments.files.iter().map(|path| judge.report(path)).collect();
    drop(progress);
    let name = contract.as_ref().map(contract::Found::name);
    let gate =
        Gate { contract: name.as_deref().zip(contract.as_ref().map(|found| &found.contract)), ..Gate::default() };
    let report = Report::gated(histories, &gate);
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
