//! `anachron shrink`: the smallest history that still fails in the same way.

use std::time::Instant;

use anachron::budget::Budget;
use anachron::check::Settings;
use anachron::contract::Requirement;
use anachron::guarantee::Anomaly;
use anachron::history::History;
use anachron::report;
use anachron::shrink::{self, ShrinkError, Shrunk};
use anachron::workload::{self, Workload};

use super::args::Shrink;
use super::{CommandError, check, contract, judge, limits, output};

/// Steps of a search within one check.
const STEPS: u64 = 1_000_000;

/// Shrinks one history, and says on standard error what became of it.
pub(crate) fn run(arguments: &Shrink) -> Result<u8, CommandError> {
    let begin = Instant::now();
    let mut required = check::requirements(&arguments.require)?;
    let anomaly = arguments.anomaly.as_deref().map(named).transpose()?;
    let workload = judge::workload(&arguments.reading)?;
    limits::use_threads(&arguments.limits)?;
    let memory = limits::memory(&arguments.limits);
    let deadline = limits::deadline(&arguments.limits, begin);
    let found = contract::for_input(&arguments.reading)?;
    let options = judge::options(&arguments.reading, found.as_ref(), memory, deadline)?;
    let path = &arguments.file;
    let history = judge::read(path, &options).map_err(|error| judge::unreadable(path, error))?;
    let refused = |error, history: &History| judge::unreadable(path, judge::locate(error, history));
    let workload = workload.map_or_else(|| workload::detect(&history), Ok).map_err(|error| refused(error, &history))?;
    if required.is_empty() {
        required.push(Requirement::new(workload.customary()));
    }
    let held = u64::try_from(history.bytes()).unwrap_or(u64::MAX);
    // Each of many checks has its own steps: what one of them can't decide soon is not what is kept.
    let budget = Budget::new(STEPS, deadline, memory.saturating_sub(held));
    let settings = Settings { requirements: &required, budget: &budget };
    let shrunk = shrink::shrink(&history, workload, &settings, anomaly).map_err(|error| match error {
        ShrinkError::Workload(error) => refused(error, &history),
        ShrinkError::Nothing(why) => CommandError::new(why).help("`anachron check` says what is violated, and by what"),
    })?;
    let text = report::safe_json(written(&shrunk.history, workload).trim_end());
    match &arguments.output {
        Some(path) => output::write_file(path, &text)?,
        None => output::print(&text)?,
    }
    output::remark(&remark(&history, &shrunk));
    Ok(0)
}

fn named(name: &str) -> Result<Anomaly, CommandError> {
    Anomaly::named(name).ok_or_else(|| {
        let help = Anomaly::suggest(name).map(|close| format!("did you mean `{close}`?")).unwrap_or_default();
        CommandError::new(format!("there is no anomaly {name:?}")).help(help)
    })
}

/// The kept records as they were, after a header that says what the whole history said.
fn written(history: &History, workload: Workload) -> String {
    let fields = history.header().fields;
    let mut header: serde_json::Map<String, serde_json::Value> = match fields.is_absent() {
        true => serde_json::Map::new(),
        false => serde_json::from_str(&history.values().json(fields, usize::MAX)).unwrap_or_default(),
    };
    // A few operations alone may not show whose they are.
    header.entry("workload").or_insert_with(|| workload.name().into());
    let mut text = serde_json::json!({ "history": header }).to_string();
    text.push('\n');
    for position in history.positions() {
        if let Some(record) = history.origin().json(position) {
            text.push_str(&record);
            text.push('\n');
        }
    }
    text
}

fn remark(whole: &History, shrunk: &Shrunk) -> String {
    let (before, after) =
        (whole.len() + whole.observations().len(), shrunk.history.len() + shrunk.history.observations().len());
    let size = match shrunk.stopped_by {
        None => "nothing more can be left out".to_owned(),
        Some(by) => format!("{} ended the search for a smaller one", by.name()),
    };
    format!(
        "{} is still violated by {}: {after} of {before} operations and observations, {size} ({} histories tried)",
        shrunk.guarantee, shrunk.anomaly, shrunk.tries
    )
}
