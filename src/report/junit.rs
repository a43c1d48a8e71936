//! JUnit XML: a suite a history, a case for every required guarantee.
//!
//! A violated guarantee is a failure, or skipped where all that violates it was accepted; one that is unknown or not applicable is an error, and so is a history that can't be
//! read: a consumer that knows only passed and failed never takes these for passed. The document keeps to both schemas that
//! consumers check: Ant's, which wants all the attributes below, and Jenkins', which allows no others. Same report, same
//! bytes: there is no clock here, so times are zero.

use super::Report;
use super::alert::{details, failure, verdict};
use super::table;
use super::text::{clean, shorten};
use super::view::{GuaranteeReport, HistoryReport, Overall};

/// The document.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (id, history) in report.histories.iter().enumerate() {
        let package = history.workload.unwrap_or("anachron");
        suite(&mut out, id, &history.source, package, &properties(history), &cases(history));
    }
    let run = run(report);
    if !run.is_empty() {
        let source = report.contract.as_deref().unwrap_or("anachron");
        let summary = vec![("summary", attribute(&report.summary))];
        suite(&mut out, report.histories.len(), source, "anachron", &summary, &run);
    }
    out.push_str("</testsuites>\n");
    out
}

/// One case: its name, and what is wrong.
struct Case {
    name: String,
    wrong: Option<Wrong>,
}

struct Wrong {
    element: &'static str,
    kind: &'static str,
    message: String,
    body: String,
}

/// What is wrong with the run rather than with one history.
fn run(report: &Report) -> Vec<Case> {
    let wrong = report.notices.iter().filter(|notice| notice.verdict != Overall::Holds);
    wrong
        .map(|notice| {
            let message = notice.message.clone();
            let wrong = Wrong { element: "error", kind: notice.verdict.name(), message, body: String::new() };
            Case { name: format!("use case {}", shorten(&notice.subject, 60)), wrong: Some(wrong) }
        })
        .collect()
}

fn suite(
    out: &mut String,
    id: usize,
    source: &str,
    package: &str,
    properties: &[(&'static str, String)],
    cases: &[Case],
) {
    let count = |element: &str| {
        let wrong = cases.iter().filter_map(|case| case.wrong.as_ref());
        wrong.filter(|wrong| wrong.element == element).count()
    };
    let source = if source.is_empty() { "-".to_owned() } else { attribute(source) };
    out.push_str(&format!(
        "  <testsuite id=\"{id}\" name=\"{source}\" package=\"{package}\" timestamp=\"1970-01-01T00:00:00\" hostname=\"localhost\" \
         tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">\n",
        cases.len(),
        count("failure"),
        count("error"),
        count("skipped"),
    ));
    out.push_str("    <properties>\n");
    for (name, value) in properties {
        out.push_str(&format!("      <property name=\"{name}\" value=\"{value}\"/>\n"));
    }
    out.push_str("    </properties>\n");
    for case in cases {
        let head = format!("    <testcase name=\"{}\" classname=\"{source}\" time=\"0\"", attribute(&case.name));
        match &case.wrong {
            None => out.push_str(&format!("{head}/>\n")),
            Some(wrong) => out.push_str(&format!(
                "{head}>\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>\n",
                wrong.kind,
                attribute(&wrong.message),
                body(&wrong.body),
                element = wrong.element,
            )),
        }
    }
    out.push_str("    <system-out/>\n    <system-err/>\n  </testsuite>\n");
}

fn properties(history: &HistoryReport) -> Vec<(&'static str, String)> {
    let mut properties = vec![("verdict", history.verdict.name().to_owned())];
    properties.extend(history.workload.map(|workload| ("workload", workload.to_owned())));
    if let Some(statistics) = &history.statistics {
        properties.push(("records", statistics.records.to_string()));
        properties.push(("operations", statistics.operations.to_string()));
    }
    properties
}

fn cases(history: &HistoryReport) -> Vec<Case> {
    let error = |name: &str, kind: &'static str, message: String| Case {
        name: name.to_owned(),
        wrong: Some(Wrong { element: "error", kind, message, body: String::new() }),
    };
    if let Some(found) = &history.error {
        let mut message = failure(found);
        if let Some(line) = found.line {
            message = format!("line {line}: {message}");
        }
        return vec![error("the history can be read", "error", message)];
    }
    let mut cases: Vec<Case> =
        history.guarantees.iter().filter(|row| row.required).map(|row| case(history, row)).collect();
    if cases.is_empty() {
        let message = "nothing is required of this history, so it can't pass: choose with --require, or with a use case of the contract".to_owned();
        cases.push(error("something is required", "unknown", message));
    }
    cases
}

fn case(history: &HistoryReport, row: &GuaranteeReport) -> Case {
    let mut name = row.guarantee.to_owned();
    if let Some(use_case) = &row.use_case {
        name.push_str(&format!(" ({})", shorten(use_case, 60)));
    }
    // Consumers tell cases by their names.
    let same =
        |other: &&GuaranteeReport| other.required && other.guarantee == row.guarantee && other.use_case == row.use_case;
    if history.guarantees.iter().filter(same).count() > 1 && !row.parameters.is_empty() {
        name.push_str(&format!(" ({})", table::parameters(&row.parameters)));
    }
    let element = match row.verdict {
        Overall::Holds => return Case { name, wrong: None },
        Overall::Violated if row.accepted => "skipped",
        Overall::Violated => "failure",
        _ => "error",
    };
    let shown = history.anomalies.iter().filter(|anomaly| anomaly.explains(row));
    let body: Vec<String> = shown.map(details).collect();
    Case {
        name,
        wrong: Some(Wrong { element, kind: row.verdict.name(), message: verdict(row), body: body.join("\n") }),
    }
}

/// Text for an attribute: one line, and nothing that XML would read.
fn attribute(text: &str) -> String {
    markup(&clean(text))
}

/// Text for an element: its lines are kept.
fn body(text: &str) -> String {
    text.lines().map(|line| markup(&clean(line))).collect::<Vec<_>>().join("\n")
}

fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}
