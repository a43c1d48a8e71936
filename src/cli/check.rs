//! `anachron check`: reads each history, judges it, and reports.

use std::sync::OnceLock;
use std::time::Instant;

use anachron::contract::{RequireError, Requirement};
use anachron::ingest::Join;
use anachron::report::{self, Gate, Report, Style};

use super::args::{Check, Format, JoinBy};
use super::gate::Chosen;
use super::judge::{self, Judge};
use super::progress::Progress;
use super::{CommandError, contract, files, limits, many, output};

/// Judges all that was given, prints the report, and says the exit code.
pub(crate) fn run(arguments: &Check) -> Result<u8, CommandError> {
    let begin = Instant::now();
    let required = requirements(&arguments.require)?;
    let workload = judge::workload(&arguments.reading)?;
    let contract = contract::choose(&arguments.contract)?;
    let mut chosen = Chosen::new(&arguments.gating, contract.as_ref())?;
    let files = files::expand(&arguments.files)?;
    if arguments.certificate.is_some() && files.len() != 1 && arguments.join.is_none() {
        return Err(CommandError::new("--certificate is for one history").help("check the histories one by one"));
    }
    limits::use_threads(&arguments.limits)?;
    let memory = limits::memory(&arguments.limits);
    let deadline = limits::deadline(&arguments.limits, begin);
    let options = judge::options(&arguments.reading, contract.as_ref(), memory, deadline)?;
    let progress = Progress::start(arguments.output.quiet);
    let certificate = OnceLock::new();
    let judge = Judge {
        memory,
        deadline,
        required: &required,
        contract: contract.as_ref().map(|found| &found.contract),
        workload,
        options: &options,
        join: arguments.join.map(|join| match join {
            JoinBy::Time => Join::Time,
            JoinBy::Index => Join::Index,
        }),
        progress: &progress,
        redact: arguments.output.redact,
        drawn: arguments.output.draws(),
        certificate: arguments.certificate.is_some().then_some(&certificate),
    };
    let histories = many::reports(&judge, &files);
    if let (Some(path), Some(certificate)) = (&arguments.certificate, certificate.get()) {
        output::write_file(path, &certificate.to_json())?;
    }
    drop(progress);
    let name = contract.as_ref().map(contract::Found::name);
    let gated = |histories, chosen: &Chosen| {
        let contract = name.as_deref().zip(contract.as_ref().map(|found| &found.contract));
        let Chosen { fail_on, allow, .. } = chosen;
        Report::gated(histories, &Gate { contract, fail_on: *fail_on, allow, baseline: chosen.baseline() })
    };
    let mut report = gated(histories, &chosen);
    if chosen.update(&report)? {
        report = gated(report.into_histories(), &chosen);
    }
    write(&report, arguments)?;
    Ok(report.exit_code())
}

/// What was typed, as requirements.
pub(crate) fn requirements(typed: &[String]) -> Result<Vec<Requirement>, CommandError> {
    typed
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
    if arguments.output.format == Format::Github {
        output::add_step_summary(&render(Format::Markdown, &Style::default()))?;
    }
    output::print(&render(arguments.output.format, &output::style(arguments.output.color)))
}
