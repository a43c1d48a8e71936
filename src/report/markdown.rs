//! Markdown as GitHub reads it: for step summaries, comments and wikis.
//!
//! Text from a history stands only in code (spans and fenced blocks that it can't close), where Markdown, HTML, mentions and
//! links mean nothing. GitHub takes a mebibyte of summary: details stop before that, and say so.

use super::Report;
use super::alert::{details, failure, verdict};
use super::text::{clean, shorten};
use super::view::{HistoryReport, Overall};
use super::witness::some;

/// How many bytes of details there are at most.
const MOST_DETAILS: usize = 700_000;
/// How many histories the table has at most.
const MOST_ROWS: usize = 500;

/// The document.
pub(super) fn render(report: &Report) -> String {
    let mut out = format!("## anachron: {} {}\n", sign(report.verdict), words(report.verdict));
    out.push_str(&fenced(&report.summary));
    out.push('\n');
    out.push_str("| | history | workload | required | operations | found |\n|---|---|---|---|---:|---|\n");
    // What does not hold comes first: it is what people look for.
    let (good, bad): (Vec<&HistoryReport>, Vec<&HistoryReport>) =
        report.histories.iter().partition(|history| history.verdict == Overall::Holds);
    let all: Vec<&HistoryReport> = bad.iter().chain(&good).copied().collect();
    for history in all.iter().take(MOST_ROWS) {
        out.push_str(&row(history));
    }
    if all.len() > MOST_ROWS {
        out.push_str(&format!("\n… and {} more histories.\n", all.len() - MOST_ROWS));
    }
    for notice in &report.notices {
        out.push_str(&fenced(&notice.message));
    }
    let start = out.len();
    let mut left_out = 0;
    for history in &bad {
        let section = section(history);
        if out.len() - start + section.len() > MOST_DETAILS {
            left_out += 1;
        } else {
            out.push_str(&section);
        }
    }
    if left_out > 0 {
        let histories = if left_out == 1 { "history is" } else { "histories are" };
        out.push_str(&format!(
            "\nThe details of {left_out} more {histories} left out here: the JSON report has them.\n"
        ));
    }
    out
}

fn sign(verdict: Overall) -> &'static str {
    match verdict {
        Overall::Holds => "✅",
        Overall::Accepted => "☑️",
        Overall::Violated | Overall::Error => "❌",
        Overall::Unknown => "❔",
        Overall::NotApplicable => "🚫",
    }
}

fn words(verdict: Overall) -> &'static str {
    match verdict {
        Overall::Holds => "everything required holds",
        Overall::Accepted => "something required is violated, and accepted",
        Overall::Violated => "something required is violated",
        Overall::Unknown => "something required is unknown",
        Overall::NotApplicable => "something required is not applicable",
        Overall::Error => "something could not be read or judged",
    }
}

fn row(history: &HistoryReport) -> String {
    let required: Vec<&str> = history.guarantees.iter().filter(|row| row.required).map(|row| row.guarantee).collect();
    let found: Vec<&str> = history.anomalies.iter().map(|anomaly| anomaly.anomaly).collect();
    let operations = history.statistics.map_or_else(String::new, |statistics| statistics.operations.to_string());
    format!(
        "| {} {} | {} | {} | {} | {operations} | {} |\n",
        sign(history.verdict),
        history.verdict.name(),
        cell(&shorten(&history.source, 200)),
        history.workload.unwrap_or(""),
        some(&required, 3),
        some(&found, 4),
    )
}

/// What is wrong with one history.
fn section(history: &HistoryReport) -> String {
    let mut out = format!("\n### {} {}\n", sign(history.verdict), span(&shorten(&history.source, 200)));
    if let Some(error) = &history.error {
        let place = error.line.map_or_else(String::new, |line| format!("line {line}: "));
        out.push_str(&fenced(&format!("{place}{}", failure(error))));
        return out;
    }
    let wrong = history.guarantees.iter().filter(|row| row.required && row.verdict != Overall::Holds);
    out.push_str(&fenced(&wrong.map(verdict).collect::<Vec<_>>().join("\n")));
    for anomaly in &history.anomalies {
        let names = some(&anomaly.rules_out, 4);
        let ruled_out = if names.is_empty() { names } else { format!(": rules out {names}") };
        let accepted = match anomaly.accepted {
            Some("allowed") => " (allowed)",
            Some(_) => " (in the baseline)",
            None => "",
        };
        let open = format!("\n<details><summary><b>{}</b>{accepted}{ruled_out}</summary>\n", anomaly.anomaly);
        out.push_str(&open);
        out.push_str(&fenced(&details(anomaly)));
        out.push_str("\n</details>\n");
    }
    out
}

/// A block of code that its text can't end.
fn fenced(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(clean).collect();
    let text = lines.join("\n");
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!("\n{fence}text\n{text}\n{fence}\n")
}

/// A span of code that its text can't end.
fn span(text: &str) -> String {
    let text = clean(text);
    if text.trim().is_empty() {
        return "(no name)".to_owned();
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    format!("{ticks} {text} {ticks}")
}

/// A span in a table, where a bar ends the cell even inside code.
fn cell(text: &str) -> String {
    span(&text.replace('|', "¦"))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
