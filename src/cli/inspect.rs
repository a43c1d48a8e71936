//! `anachron inspect`: a history at a glance, or a part of it as a time line.

use std::path::Path;
use std::time::Instant;

use anachron::budget::Budget;
use anachron::check::{self, Settings};
use anachron::contract::Requirement;
use anachron::history::History;
use anachron::report::{self, Focus};
use anachron::workload;

use super::args::{Inspect, InspectFormat};
use super::{CommandError, contract, judge, limits, output};

/// Shows one history.
pub(crate) fn run(arguments: &Inspect) -> Result<u8, CommandError> {
    let begin = Instant::now();
    limits::use_threads(&arguments.limits)?;
    let memory = limits::memory(&arguments.limits);
    let deadline = limits::deadline(&arguments.limits, begin);
    let found = contract::for_input(&arguments.reading)?;
    let options = judge::options(&arguments.reading, found.as_ref(), memory, deadline)?;
    let path = &arguments.file;
    let history = judge::read(path, &options).map_err(|error| judge::unreadable(path, error))?;
    let style = output::style(arguments.color);
    let mut focus = Focus {
        key: arguments.key.clone(),
        process: arguments.process.clone(),
        around: arguments.around,
        positions: None,
        span: arguments.span,
        limit: arguments.limit,
    };
    if let Some(number) = arguments.witness {
        focus.positions = Some(witness(arguments, &history, number, path)?);
    }
    let text = if focus.is_empty() {
        let workload = judge::workload(&arguments.reading)?.or_else(|| workload::detect(&history).ok());
        let name = judge::name(path);
        Some(match arguments.format {
            InspectFormat::Table => report::inspect(&history, &name, workload, &style),
            InspectFormat::Json => report::inspect_json(&history, &name, workload),
        })
    } else {
        match arguments.format {
            InspectFormat::Table => report::inspect_lanes(&history, &focus, &style),
            InspectFormat::Json => report::inspect_records(&history, &focus),
        }
    };
    let text = text.ok_or_else(|| {
        CommandError::new("no operation of the history is in focus").help(
            "`anachron inspect FILE` lists functions and the busiest keys; keys and processes are written as there",
        )
    })?;
    output::print(&text).map(|()| 0)
}

/// The positions of the operations of a witness: the first is number 1, as a check of what is required lists them.
fn witness(arguments: &Inspect, history: &History, number: usize, path: &Path) -> Result<Vec<u32>, CommandError> {
    let refused = |error| judge::unreadable(path, judge::locate(error, history));
    let workload = match judge::workload(&arguments.reading)? {
        Some(workload) => workload,
        None => workload::detect(history).map_err(refused)?,
    };
    let mut required = super::check::requirements(&arguments.require)?;
    if required.is_empty() {
        required.push(Requirement::new(workload.customary()));
    }
    let budget = Budget::default();
    let settings = Settings { requirements: &required, budget: &budget };
    let outcome = check::judge(history, workload, &settings).map_err(refused)?;
    let witnesses: Vec<_> = outcome.findings.iter().filter_map(|finding| finding.witness.as_ref()).collect();
    let chosen = number.checked_sub(1).and_then(|at| witnesses.get(at));
    chosen.map(|witness| witness.operations.clone()).ok_or_else(|| {
        CommandError::new(format!("there is no witness {number}: the check has {}", witnesses.len()))
            .help("witnesses are numbered from 1, in the order in which `anachron check` lists anomalies")
    })
}
