//! The report as one page: it loads nothing, opens from an artifact, and shows the fault before all else.
//!
//! What must be readable without script, or on paper, is markup: verdicts, witnesses with their pictures, guarantees and
//! figures. The time line and the plots are drawn by the scripts from columns that stand in the page as JSON, which no browser
//! executes. Every text of a history goes through the template's escaping or through that JSON; the page's own policy
//! forbids any other script, and every load.

mod drawing;
mod finding;
mod picture;
mod plots;

pub use drawing::Drawing;

use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::measures;
use super::table;
use super::text::clean;
use super::view::{AnomalyReport, GuaranteeReport, HistoryReport, Overall, Report};
use super::witness::some;

const STYLE: &str = include_str!("style.css");
/// One script: its parts share a scope.
const SCRIPT: &str =
    concat!(include_str!("common.js"), include_str!("timeline.js"), include_str!("latency.js"), include_str!("app.js"));

/// The report as a page.
pub(super) fn render(report: &Report) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    );
    let title = match report.histories.as_slice() {
        [one] => format!("{}: {}", report.verdict.name(), clean(&one.source)),
        many => format!("{}: {} histories", report.verdict.name(), many.len()),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ (report.tool.name) " " (report.tool.version) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    span.brand { "anachron" }
                    span.grow {}
                    button #help-open type="button" aria-haspopup="dialog" hidden { "Keys" }
                    button #theme type="button" aria-label="Light or dark" hidden { "Light / dark" }
                }
                main {
                    @if report.histories.len() != 1 { (contents(report)) }
                    (run(report))
                    @for (number, history) in report.histories.iter().enumerate() { (section(history, number)) }
                }
                footer { p { "Written by " (report.tool.name) " " (report.tool.version) ". This page loads nothing." } }
                (help())
                @for (number, history) in report.histories.iter().enumerate() {
                    @if let Some(drawing) = &history.drawing {
                        script type="application/json" id={ "data-" (number) } { (PreEscaped(inert(drawing))) }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

/// JSON that stays text whatever surrounds it: it holds no `<`, so it can't end its element.
fn inert(drawing: &Drawing) -> String {
    let json = serde_json::to_string(drawing).unwrap_or_else(|_| "null".to_owned());
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// What is to be said of the run, where that is more than what its histories say: a use case that selected nothing makes a
/// run fail whose histories hold.
fn run(report: &Report) -> Markup {
    let of_histories = report.histories.iter().map(|history| history.verdict).reduce(Overall::worse);
    html! {
        @if of_histories.is_some_and(|verdict| verdict != report.verdict) && report.histories.len() == 1 {
            p.run { (pill(report.verdict)) " " (clean(&report.summary)) }
        }
        @for notice in &report.notices { p.notice { (pill(notice.verdict)) " " (clean(&notice.message)) } }
        @if let Some(contract) = &report.contract { p.note { "Judged by the contract " (clean(contract)) "." } }
    }
}

fn contents(report: &Report) -> Markup {
    html! {
        nav.contents aria-label="Histories" {
            h1 { (pill(report.verdict)) " " (table::totals(&report.histories)) }
            ol {
                @for (number, history) in report.histories.iter().enumerate() {
                    li { (pill(history.verdict)) " " a href={ "#history-" (number) } { (clean(&history.source)) } }
                }
            }
        }
    }
}

fn pill(verdict: Overall) -> Markup {
    html! { span.pill.(verdict.name()) { (verdict.name()) } }
}

fn section(history: &HistoryReport, number: usize) -> Markup {
    html! {
        section.history id={ "history-" (number) } data-number=(number) {
            h1 { (pill(history.verdict)) " " span.source { (clean(&history.source)) } }
            p.why { (why(history)) }
            @if history.redacted { p.note { "Its values are placeholders: the history was redacted." } }
            @if let Some(error) = &history.error {
                p.error {
                    (clean(&error.message))
                    @if let Some(line) = error.line { ", line " (line) @if let Some(column) = error.column { ", column " (column) } }
                    ". " (clean(&error.help))
                }
            }
            @for (at, anomaly) in ordered(history).into_iter().enumerate() { (finding::finding(anomaly, history, &format!("w{number}-{at}"))) }
            @if !history.guarantees.is_empty() { (guarantees(history)) }
            @if let Some(drawing) = history.drawing.as_ref().filter(|drawing| !drawing.is_empty()) { (time_line(drawing, number)) }
            @if !history.measures.is_empty() { (plots::figures(history)) }
            @if let Some(size) = &history.statistics {
                p.size {
                    @if let Some(workload) = history.workload { (workload) ": " }
                    (size.records) " records"
                    @if size.left_out > 0 { " (" (size.left_out) " rows left out)" }
                    ", " (size.operations) " operations (" (size.ok) " ok, " (size.fail) " fail, " (size.info) " info), "
                    (size.processes) " processes, " (size.keys) " keys."
                }
            }
        }
    }
}

/// In one line, why the verdict is what it is.
fn why(history: &HistoryReport) -> String {
    let required = |verdict: Overall| {
        let rows = history.guarantees.iter().filter(move |row| row.required && row.standing() == verdict);
        rows.collect::<Vec<&GuaranteeReport>>()
    };
    // One guarantee in ten use cases is one name here; the rows below have all of it.
    let names = |rows: &[&GuaranteeReport]| some(&distinct(rows.iter().map(|row| row.guarantee)), 4);
    let anomalies = |rows: &[&GuaranteeReport]| {
        let of = |row: &&GuaranteeReport| if row.open.is_empty() { row.anomalies.clone() } else { row.open.clone() };
        some(&distinct(rows.iter().flat_map(of)), 3)
    };
    if history.error.is_some() {
        return "This history could not be judged.".to_owned();
    }
    let custom = match history.workload.filter(|_| history.customary) {
        Some(workload) => format!(" (customary for {workload})"),
        None => String::new(),
    };
    let (violated, unknown) = (required(Overall::Violated), required(Overall::Unknown));
    let (not_applicable, accepted) = (required(Overall::NotApplicable), required(Overall::Accepted));
    if !violated.is_empty() {
        let by = anomalies(&violated);
        let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
        return format!("Required: {}{custom}; violated{by}.", names(&violated));
    }
    if !not_applicable.is_empty() {
        return format!("Required: {}, which such a history can neither show nor refute.", names(&not_applicable));
    }
    if let Some(first) = unknown.first() {
        let reason = first.reason.as_deref().map(|reason| format!(": {}", clean(reason))).unwrap_or_default();
        return format!("Required: {}{custom}; whether that holds is not known{reason}.", names(&unknown));
    }
    if !accepted.is_empty() {
        let by = anomalies(&accepted);
        return format!("Required: {}{custom}; violated by {by}, which was accepted beforehand.", names(&accepted));
    }
    match required(Overall::Holds).as_slice() {
        [] => "Required: nothing, so nothing can pass (choose with --require, or with a use case of the contract)."
            .to_owned(),
        [one] => format!("Required: {}{custom}; it holds.", one.guarantee),
        several => format!("Required: {}{custom}; all hold.", names(several)),
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// What is found, what breaks a requirement first.
fn ordered(history: &HistoryReport) -> Vec<&AnomalyReport> {
    let required: Vec<&str> = history
        .guarantees
        .iter()
        .filter(|row| row.required && row.verdict == Overall::Violated)
        .flat_map(|row| row.anomalies.iter().copied())
        .collect();
    let mut all: Vec<&AnomalyReport> = history.anomalies.iter().collect();
    all.sort_by_key(|anomaly| (!required.contains(&anomaly.anomaly), anomaly.certainty != "certain"));
    all
}

fn guarantees(history: &HistoryReport) -> Markup {
    let (shown, rest): (Vec<&GuaranteeReport>, Vec<&GuaranteeReport>) =
        history.guarantees.iter().partition(|row| row.required || row.telling);
    html! {
        h2 { "Guarantees" }
        (rows(&shown))
        @if !rest.is_empty() {
            details.rest { summary { (rest.len()) " more, which follow from these or are unknown" } (rows(&rest)) }
        }
    }
}

fn rows(rows: &[&GuaranteeReport]) -> Markup {
    html! {
        table.guarantees aria-label="Guarantees" {
            thead { tr { th scope="col" { "verdict" } th scope="col" { "guarantee" } th scope="col" { "why" } } }
            tbody {
                @for row in rows {
                    tr {
                        td { (pill(row.standing())) }
                        td {
                            (row.guarantee)
                            @for (name, value) in &row.parameters {
                                " " span.parameter { (clean(name)) "=" (clean(value.as_str().unwrap_or(&value.to_string()))) }
                            }
                            @if row.required { " " span.tag { "required" } }
                            @if let Some(name) = &row.use_case { " " span.tag { (clean(name)) } }
                        }
                        td.evidence {
                            @let why = table::why(row);
                            @if !why.is_empty() { (why) ". " }
                            @if !row.evidence.is_empty() { span.figures { (measures::list(&row.evidence)) } }
                        }
                    }
                }
            }
        }
    }
}

fn time_line(drawing: &Drawing, number: usize) -> Markup {
    html! {
        h2 { "Time line" }
        @if drawing.len() < drawing.total() {
            p.note {
                "The history has " (drawing.total()) " operations; the "
                @if drawing.is_around_witnesses() { (drawing.len()) " around the witnesses are drawn. Grey stretches hold operations that are not." }
                @else { "first " (drawing.len()) " are drawn." }
            }
        }
        noscript { p.note { "The time line and the plots need script." } }
        div.timeline data-number=(number) hidden {
            form.controls role="search" aria-label="Operations" {
                label { "Find " input.find type="search" placeholder="text, record" autocomplete="off"; }
                label { "Function " select.by-function { option value="" { "all" } } }
                label { "Key " select.by-key { option value="" { "all" } } }
                label { "Process " select.by-process { option value="" { "all" } } }
                label { "Ended " select.by-status { option value="" { "any" } option value="o" { "ok" } option value="f" { "fail" } option value="i" { "info" } } }
                span.buttons {
                    button.out type="button" aria-label="Zoom out" { "−" }
                    button.in type="button" aria-label="Zoom in" { "+" }
                    button.all type="button" { "All" }
                    button.axis type="button" aria-pressed="false" { "By order" }
                }
                output.matches {}
            }
            p.legend {
                span.sample.ok { "ok" } span.sample.fail { "fail" } span.sample.info { "info: may have happened" }
                span.sample.bad { "of a witness" }
                @if drawing.has_faults() { span.sample.fault { "a fault was injected" } }
                @if drawing.has_observers() { span.sample.seen { "an observer's record, above the lanes" } }
            }
            div.lanes-view tabindex="0" role="application" aria-label="Operations in time, a lane for each process. Arrow keys move, plus and minus zoom, n and p go from operation to operation." {
                div.spacer { canvas {} }
            }
            div.detail role="status" aria-live="polite" { "Choose an operation to see it." }
        }
        div.latencies data-number=(number) hidden {
            h3 { "Latency" }
            canvas role="img" aria-label="Duration of each operation over time" {}
            table.quantiles aria-label="Latency by function" {}
        }
    }
}

fn help() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keys" }
            dl {
                dt { "← → ↑ ↓" } dd { "move" }
                dt { "+ −" } dd { "zoom; so does the wheel with Ctrl or Shift, or a pinch" }
                dt { "0" } dd { "everything" }
                dt { "n p" } dd { "next and previous operation, of those that match" }
                dt { "/" } dd { "find" }
                dt { "w W" } dd { "next and previous witness; Tab goes through its operations, Enter opens one" }
                dt { "t" } dd { "light or dark" }
                dt { "?" } dd { "this" }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}
