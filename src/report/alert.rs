//! What a report has to say, one thing at a time: the list that annotations and static-analysis formats are made of.

use super::identity::Identity;
use super::page::Page;
use super::text::{clean, shorten};
use super::view::{AnomalyReport, GuaranteeReport, HistoryReport, Overall, Report};
use super::witness::{self, some};
use super::{Style, table, view};
use crate::guarantee::{Anomaly, Guarantee};

/// How much an alert matters to the exit code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    /// It alone makes the run fail with exit code 1 or 2.
    Error,
    /// Nothing required is violated by it, or it is why something required is unknown.
    Warning,
    /// It is only possible.
    Note,
}

/// One thing to say.
#[derive(Debug)]
pub(super) struct Alert<'a> {
    /// How much it matters.
    pub(super) level: Level,
    /// The name of the anomaly; else of the guarantee; else `input-error` or `nothing-required`.
    pub(super) rule: &'static str,
    /// Where the history came from, as it was given.
    pub(super) source: &'a str,
    /// The line of what shows it, from 1, where known.
    pub(super) line: Option<u64>,
    /// The column, from 1, where known.
    pub(super) column: Option<u64>,
    /// In a sentence, clean.
    pub(super) message: String,
    /// The witness as text of several lines, clean; empty where there is none.
    pub(super) details: String,
    /// The same for the same thing in the next run.
    pub(super) fingerprint: String,
    /// `allowed` or `baseline`, where it was accepted.
    pub(super) accepted: Option<&'static str>,
}

/// The column's width of details: they are read in web pages and logs.
const WIDTH: usize = 100;

/// All alerts: history by history, and then those of the run.
pub(super) fn alerts(report: &Report) -> Vec<Alert<'_>> {
    let source = report.contract.as_deref().unwrap_or("anachron.toml");
    let notices = report.notices.iter().map(|notice| Alert {
        level: match notice.verdict {
            Overall::Holds => Level::Note,
            _ => Level::Warning,
        },
        rule: notice.kind,
        source,
        line: None,
        column: None,
        message: clean(&notice.message),
        details: String::new(),
        fingerprint: Identity { source, rule: notice.kind, key: Some(notice.subject.clone()), ..Identity::default() }
            .fingerprint(),
        accepted: None,
    });
    report.histories.iter().flat_map(of_history).chain(notices).collect()
}

fn of_history(history: &HistoryReport) -> Vec<Alert<'_>> {
    if let Some(error) = &history.error {
        return vec![alert(history, Level::Error, "input-error", failure(error), (error.line, error.column))];
    }
    let required: Vec<&GuaranteeReport> = history.guarantees.iter().filter(|row| row.required).collect();
    let mut alerts = Vec::new();
    if required.is_empty() {
        let message = "nothing is required of this history, so it can't pass: choose with --require, or with a use case of the contract".to_owned();
        alerts.push(alert(history, Level::Warning, "nothing-required", message, (None, None)));
    }
    for row in required.iter().filter(|row| !shown_by_an_anomaly(history, row)) {
        let level = match row.verdict {
            Overall::Holds => continue,
            Overall::Unknown => Level::Warning,
            _ => Level::Error,
        };
        let mut own = alert(history, level, row.guarantee, verdict(row), (None, None));
        let same = |other: &&&GuaranteeReport| other.guarantee == row.guarantee && other.use_case == row.use_case;
        let parameters =
            if required.iter().filter(same).count() > 1 { table::parameters(&row.parameters) } else { String::new() };
        own.fingerprint = fingerprint(history, row.guarantee, row.use_case.as_deref(), parameters);
        alerts.push(own);
    }
    for anomaly in &history.anomalies {
        alerts.push(of_anomaly(history, &required, anomaly));
    }
    alerts.sort_by_key(|alert| alert.level);
    alerts
}

fn shown_by_an_anomaly(history: &HistoryReport, row: &GuaranteeReport) -> bool {
    history.anomalies.iter().any(|anomaly| anomaly.explains(row))
}

fn of_anomaly<'a>(history: &'a HistoryReport, required: &[&GuaranteeReport], anomaly: &'a AnomalyReport) -> Alert<'a> {
    let blamed = required.iter().filter(|row| anomaly.explains(row));
    let mut blamed: Vec<&str> = blamed.map(|row| row.guarantee).collect();
    blamed.dedup();
    let certain = anomaly.certainty == "certain";
    let level = match (blamed.is_empty(), certain) {
        _ if anomaly.accepted.is_some() => Level::Note,
        (false, _) => Level::Error,
        (true, true) => Level::Warning,
        (true, false) => Level::Note,
    };
    let times = witness::times(anomaly.count);
    let found = match anomaly.accepted {
        Some("allowed") => "found (and allowed)",
        Some(_) => "found (and accepted by the baseline)",
        None => "found",
    };
    let mut message = match (blamed.as_slice(), certain) {
        ([], true) => format!("{} {found} {times}", anomaly.anomaly),
        ([], false) => format!("{} is possible, {times}", anomaly.anomaly),
        (names, _) => {
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!("{} {verb} required, and violated: {} {found} {times}", some(names, 3), anomaly.anomaly)
        }
    };
    if let Some(witness) = anomaly.witness.as_ref().filter(|witness| !witness.text.is_empty()) {
        message.push_str(&format!(". {}", clean(&shorten(&witness.text, 600))));
    }
    let line = anomaly.witness.as_ref().and_then(|witness| witness.line);
    let mut alert = alert(history, level, anomaly.anomaly, message, (line, None));
    alert.details = details(anomaly);
    alert.accepted = anomaly.accepted;
    if let Some(file) = anomaly.witness.as_ref().and_then(|witness| witness.file.as_deref()) {
        alert.source = file;
    }
    alert.fingerprint.clone_from(&anomaly.fingerprint);
    alert
}

/// The anomaly with its witness, as the table has it.
pub(super) fn details(anomaly: &AnomalyReport) -> String {
    let mut page = Page::new(&Style { width: WIDTH, color: false });
    witness::render(&mut page, anomaly);
    page.finish()
}

/// `saga is required, and unknown: no check judged it`.
pub(super) fn verdict(row: &GuaranteeReport) -> String {
    verdict_of(row, "")
}

/// The same, with a note on why it is required.
pub(super) fn verdict_of(row: &GuaranteeReport, note: &str) -> String {
    let why = table::why(row);
    let colon = if why.is_empty() { "" } else { ": " };
    let verdict = if row.verdict == Overall::NotApplicable { "not applicable" } else { row.verdict.name() };
    let use_case = row.use_case.as_ref().map_or_else(String::new, |name| format!(" by {}", clean(&shorten(name, 60))));
    let accepted = if row.accepted { "accepted as " } else { "" };
    format!("{} is required{use_case}{note}, and {accepted}{verdict}{colon}{why}", row.guarantee)
}

/// The message of a failure and its help, in one line.
pub(super) fn failure(error: &view::Failure) -> String {
    let lines = error.message.lines().chain(error.help.lines()).filter(|line| !line.trim().is_empty());
    lines.map(|line| clean(line.trim())).collect::<Vec<_>>().join("; ")
}

fn alert<'a>(
    history: &'a HistoryReport,
    level: Level,
    rule: &'static str,
    message: String,
    (line, column): (Option<u64>, Option<u64>),
) -> Alert<'a> {
    let fingerprint = fingerprint(history, rule, None, String::new());
    let source = &history.source;
    Alert { level, rule, source, line, column, message, details: String::new(), fingerprint, accepted: None }
}

/// What a rule is about, in one line.
pub(super) fn meaning(rule: &str) -> &'static str {
    match (Anomaly::named(rule), Guarantee::named(rule)) {
        (Some(anomaly), _) => anomaly.meaning(),
        (None, Some(guarantee)) => guarantee.meaning(),
        (None, None) if rule == "nothing-required" => "nothing is required of a history, so nothing can hold",
        (None, None) if rule == "use-case-selects-nothing" => "a use case of the contract selects nothing",
        (None, None) if rule == "use-case-not-judged" => "a use case of the contract is about none of the histories",
        (None, None) if rule == "stale-baseline" => "an accepted finding is no longer found",
        (None, None) => "a history could not be read or judged",
    }
}

/// Whether a rule is an anomaly or a guarantee.
pub(super) fn is_name(rule: &str) -> bool {
    Anomaly::named(rule).is_some() || Guarantee::named(rule).is_some()
}

/// What it means for the data, where it is an anomaly.
pub(super) fn consequence(rule: &str) -> Option<&'static str> {
    Anomaly::named(rule).map(Anomaly::consequence)
}

/// The fingerprint of what is no finding.
fn fingerprint(history: &HistoryReport, rule: &str, use_case: Option<&str>, parameters: String) -> String {
    Identity { source: &history.source, workload: history.workload, use_case, rule, parameters, ..Identity::default() }
        .fingerprint()
}
