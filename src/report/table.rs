//! The report for people: the verdict and what was required first, then why, then what shows it.

use super::Style;
use super::measures;
use super::page::{ASIDE, Cell, HEADING, Page, ink};
use super::text::{clean, counted, shorten};
use super::view::{Failure, GuaranteeReport, HistoryReport, Overall, Report};
use super::witness::{self, some};
use crate::verdict::Figures;

/// The table.
pub(super) fn render(report: &Report, style: &Style) -> String {
    let mut page = Page::new(style);
    match report.histories.as_slice() {
        [] => verdict(&mut page, Overall::Error, "no history was given"),
        [history] => {
            if history.error.is_none() {
                verdict(&mut page, report.verdict, &report.summary);
            }
            one(&mut page, report, history, true);
        }
        histories => {
            verdict(&mut page, report.verdict, &report.summary);
            for history in histories.iter().filter(|history| history.verdict != Overall::Holds) {
                page.gap();
                let name = clean(&shorten(&history.source, page.width().saturating_sub(6).max(30)));
                page.headed(0, 2, &format!("== {name} =="), HEADING, "");
                one(&mut page, report, history, false);
            }
            summary(&mut page, histories);
        }
    }
    for (at, notice) in report.notices.iter().enumerate() {
        if at == 0 {
            page.gap();
        }
        page.headed(0, 2, "note:", ink(notice.verdict), &clean(&shorten(&notice.message, 400)));
    }
    page.finish()
}

/// The verdict, set apart from what it is about.
fn verdict(page: &mut Page, verdict: Overall, text: &str) {
    page.headed(0, 2, &format!("{} ", verdict.name()), ink(verdict), text);
}

/// `3 histories: 1 violated, 2 hold`.
pub(super) fn totals(histories: &[HistoryReport]) -> String {
    let count = |overall| histories.iter().filter(|history| history.verdict == overall).count();
    let kinds = [
        (Overall::Error, "can't be judged"),
        (Overall::NotApplicable, "not applicable"),
        (Overall::Violated, "violated"),
        (Overall::Unknown, "unknown"),
        (Overall::Accepted, "accepted"),
        (Overall::Holds, "hold"),
    ];
    let some = kinds.iter().filter(|(overall, _)| count(*overall) > 0);
    let words = some.map(|(overall, word)| match (overall, count(*overall)) {
        (Overall::Holds, 1) => "1 holds".to_owned(),
        (_, count) => format!("{count} {word}"),
    });
    let words: Vec<String> = words.collect();
    format!("{} histories: {}", histories.len(), words.join(", "))
}

fn one(page: &mut Page, report: &Report, history: &HistoryReport, alone: bool) {
    if let Some(error) = &history.error {
        return failure(page, history, error);
    }
    if !alone {
        verdict(page, history.verdict, &required(history));
    } else if report.verdict != Overall::Holds && history.guarantees.iter().filter(|row| row.required).count() > 1 {
        page.paragraph(0, 2, &required(history));
    }
    if let Some(contract) = &report.contract {
        page.paragraph(0, 2, &format!("contract: {}", clean(contract)));
    }
    let facts = facts(history);
    page.paragraph(0, 2, &if alone { format!("{}: {facts}", clean(&history.source)) } else { facts });
    page.gap();
    guarantees(page, history);
    evidence(page, history);
    let (first, rest): (Vec<_>, Vec<_>) = history
        .anomalies
        .iter()
        .partition(|anomaly| history.guarantees.iter().any(|row| row.required && anomaly.explains(row)));
    for anomaly in first.into_iter().chain(rest) {
        witness::render(page, anomaly);
    }
    measures::render(page, &history.measures);
}

fn failure(page: &mut Page, history: &HistoryReport, error: &Failure) {
    let mut place = clean(&history.source);
    if let Some(line) = error.line {
        place.push_str(&format!(", line {line}"));
    }
    if let Some(column) = error.column {
        place.push_str(&format!(", column {column}"));
    }
    verdict(page, history.verdict, &place);
    for line in error.message.lines() {
        page.paragraph(2, 0, &clean(line));
    }
    for (at, line) in error.help.lines().enumerate() {
        page.headed(2, 6, if at == 0 { "help:" } else { "     " }, HEADING, &clean(line));
    }
}

/// `required: strict-serializable (customary for list-append; choose with --require)`.
pub(super) fn required(history: &HistoryReport) -> String {
    let required: Vec<&GuaranteeReport> = history.guarantees.iter().filter(|row| row.required).collect();
    if required.is_empty() {
        return "required: nothing, so nothing can pass (choose with --require, or with a use case of the contract)"
            .to_owned();
    }
    // One guarantee in ten use cases is one name here; the rows below have all of it.
    let mut names: Vec<&str> = required.iter().map(|row| row.guarantee).collect();
    names.sort_unstable_by_key(|name| required.iter().position(|row| row.guarantee == *name));
    names.dedup();
    let mut text = format!("required: {}", some(&names, 8));
    if let (true, Some(workload)) = (history.customary, history.workload) {
        text.push_str(&format!(" (customary for {workload}; choose with --require)"));
    }
    text
}

/// `list-append, 6000 records, 3000 operations (1769 ok, 1229 fail, 2 info), 10 processes, 41 keys`.
fn facts(history: &HistoryReport) -> String {
    let mut words: Vec<String> = history.workload.iter().map(|workload| (*workload).to_owned()).collect();
    if let Some(statistics) = &history.statistics {
        words.push(counted(statistics.records, "record", "records"));
        if statistics.left_out > 0 {
            words.push(format!("{} left out", counted(statistics.left_out, "row", "rows")));
        }
        words.push(format!(
            "{} ({} ok, {} fail, {} info)",
            counted(statistics.operations, "operation", "operations"),
            statistics.ok,
            statistics.fail,
            statistics.info
        ));
        words.push(counted(statistics.processes, "process", "processes"));
        words.push(counted(statistics.keys, "key", "keys"));
    }
    if words.is_empty() { "nothing is known of it".to_owned() } else { words.join(", ") }
}

/// A row for what is required and what says most, a line for the rest.
fn guarantees(page: &mut Page, history: &HistoryReport) {
    let telling = |row: &&GuaranteeReport| row.telling;
    let row = |row: &GuaranteeReport| {
        let standing = row.standing();
        let verdict = Cell::inked(standing.name(), ink(standing));
        vec![verdict, Cell::from(described(row)), Cell::from(why(row))]
    };
    let rows: Vec<Vec<Cell>> = history.guarantees.iter().filter(telling).map(row).collect();
    let most = page.width().saturating_sub(2 + 14 + 4) * 3 / 5;
    page.grid(2, &rows, &[14, most]);
    // A heading, the reason that these share, and their names.
    let mut rest: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for row in history.guarantees.iter().filter(|row| !row.telling) {
        let (heading, why) = match row.verdict {
            Overall::Violated => ("also violated:", String::new()),
            Overall::Holds => ("also hold:", String::new()),
            Overall::NotApplicable => ("not applicable:", String::new()),
            _ => ("unknown:", shorten(&why(row), 200)),
        };
        match rest.iter_mut().find(|(other, reason, _)| *other == heading && *reason == why) {
            Some((.., names)) => names.push(row.guarantee),
            None => rest.push((heading, why, vec![row.guarantee])),
        }
    }
    for (heading, why, names) in &rest {
        let mut text = names.join(", ");
        if !why.is_empty() {
            text.push_str(&format!(" ({why})"));
        }
        page.headed(2, 2, heading, ASIDE, &text);
    }
}

/// `bounded-staleness (required: time=500ms, versions=3; use case profiles)`.
fn described(row: &GuaranteeReport) -> String {
    if !row.required {
        return row.guarantee.to_owned();
    }
    let mut notes = Vec::new();
    if !row.parameters.is_empty() {
        notes.push(parameters(&row.parameters));
    }
    if let Some(use_case) = &row.use_case {
        notes.push(format!("use case {}", clean(&shorten(use_case, 60))));
    }
    match notes.as_slice() {
        [] => format!("{} (required)", row.guarantee),
        notes => format!("{} (required: {})", row.guarantee, notes.join("; ")),
    }
}

/// `time=500ms, versions=3`.
pub(crate) fn parameters(all: &Figures) -> String {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => clean(&shorten(text, 60)),
        other => clean(&shorten(&other.to_string(), 60)),
    };
    let named = |(name, value): (&String, &serde_json::Value)| format!("{}={}", clean(name), text(value));
    all.iter().map(named).collect::<Vec<String>>().join(", ")
}

pub(super) fn why(row: &GuaranteeReport) -> String {
    let mut words = Vec::new();
    if !row.anomalies.is_empty() {
        words.push(some(&row.anomalies, 8));
    }
    if !row.open.is_empty() {
        words.push(format!("not accepted of these: {}", some(&row.open, 8)));
    }
    if let Some(reason) = &row.reason {
        words.push(clean(reason));
    }
    if let Some(stopped_by) = row.stopped_by {
        words.push(match stopped_by {
            "budget" => "stopped by the budget of steps".to_owned(),
            "timeout" => "stopped by --timeout".to_owned(),
            _ => "stopped by --max-memory".to_owned(),
        });
    }
    words.join("; ")
}

/// What the required guarantees' verdicts rest on, in numbers: once for those that rest on the same.
fn evidence(page: &mut Page, history: &HistoryReport) {
    let mut shown: Vec<(Vec<&str>, String)> = Vec::new();
    for row in history.guarantees.iter().filter(|row| row.required && !row.evidence.is_empty()) {
        let text = measures::list(&row.evidence);
        match shown.iter_mut().find(|(_, other)| *other == text) {
            Some((names, _)) => names.push(row.guarantee),
            None => shown.push((vec![row.guarantee], text)),
        }
    }
    let alone = shown.len() == 1;
    for (names, text) in &shown {
        let heading = if alone { "evidence:".to_owned() } else { format!("evidence for {}:", some(names, 3)) };
        page.headed(2, 2, &heading, ASIDE, text);
    }
}

/// A line a history, the worst verdicts first to be seen: in the order in which they were given.
fn summary(page: &mut Page, histories: &[HistoryReport]) {
    /// How many histories that hold are listed.
    const MOST_HOLDING: usize = 40;
    page.gap();
    page.headed(0, 0, "summary", HEADING, "");
    let mut holding = 0;
    let mut rows = Vec::new();
    for history in histories {
        holding += usize::from(history.verdict == Overall::Holds);
        if history.verdict == Overall::Holds && holding > MOST_HOLDING {
            continue;
        }
        let operations =
            history.statistics.map_or_else(String::new, |s| counted(s.operations, "operation", "operations"));
        let names: Vec<&str> = history.guarantees.iter().filter(|row| row.required).map(|row| row.guarantee).collect();
        let found: Vec<&str> = history.anomalies.iter().map(|anomaly| anomaly.anomaly).collect();
        let why = match (&history.error, found.is_empty()) {
            (Some(error), _) => clean(&shorten(error.message.lines().next().unwrap_or(""), 80)),
            (None, true) => some(&names, 2),
            (None, false) => format!("{}: {}", some(&names, 2), some(&found, 4)),
        };
        let verdict = Cell::inked(history.verdict.name(), ink(history.verdict));
        let mut row = vec![verdict, Cell::from(clean(&history.source)), Cell::from(why)];
        if page.width() >= 80 {
            row.insert(2, Cell::from(operations));
        }
        rows.push(row);
    }
    page.grid(2, &rows, &[]);
    if holding > MOST_HOLDING {
        page.paragraph(2, 0, &format!("… and {} more hold.", holding - MOST_HOLDING));
    }
}
