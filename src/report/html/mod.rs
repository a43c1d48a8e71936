//! The report as one page: it loads nothing, opens from an artifact, and shows the fault before all else.
//!
//! What must be readable without script, or on paper, is markup: verdicts, witnesses with their pictures, guarantees and
//! figures. The time line and the plots are drawn by `app.js` from columns that stand in the page as JSON, which no browser
//! executes. Every text of a history goes through the template's escaping or through that JSON; the page's own policy
//! forbids any other script, and every load.

mod drawing;
mod picture;

pub use drawing::Drawing;

use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::measures;
use super::text::{clean, shorten};
use super::view::{AnomalyReport, GuaranteeReport, HistoryReport, Overall, Report, WitnessReport};
use super::witness::{some, times};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("app.js");

/// The report as a page.
pub(super) fn render(report: &Report) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    );
    let title = match report.histories.as_slice() {
        [one] => format!("{}: {}", one.verdict.name(), clean(&one.source)),
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
                    @if report.histories.len() > 1 { (contents(report)) }
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

fn contents(report: &Report) -> Markup {
    html! {
        nav.contents aria-label="Histories" {
            h1 { (pill(report.verdict)) " " (report.histories.len()) " histories" }
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
            @if let Some(error) = &history.error {
                p.error {
                    (clean(&error.message))
                    @if let Some(line) = error.line { ", line " (line) @if let Some(column) = error.column { ", column " (column) } }
                    ". " (clean(&error.help))
                }
            }
            @for (at, anomaly) in ordered(history).into_iter().enumerate() { (finding(anomaly, history, &format!("w{number}-{at}"))) }
            @if !history.guarantees.is_empty() { (guarantees(history)) }
            @if let Some(drawing) = history.drawing.as_ref().filter(|drawing| !drawing.is_empty()) { (time_line(drawing, number)) }
            @if !history.measures.is_empty() { (figures(history)) }
            @if let Some(size) = &history.statistics {
                p.size {
                    @if let Some(workload) = history.workload { (workload) ": " }
                    (size.records) " records, " (size.operations) " operations (" (size.ok) " ok, " (size.fail) " fail, " (size.info) " info), "
                    (size.processes) " processes, " (size.keys) " keys."
                }
            }
        }
    }
}

/// In one line, why the verdict is what it is.
fn why(history: &HistoryReport) -> String {
    let required = |verdict: Overall| {
        let rows = history.guarantees.iter().filter(move |row| row.required && row.verdict == verdict);
        rows.collect::<Vec<&GuaranteeReport>>()
    };
    let names = |rows: &[&GuaranteeReport]| some(&rows.iter().map(|row| row.guarantee).collect::<Vec<_>>(), 4);
    if history.error.is_some() {
        return "This history could not be judged.".to_owned();
    }
    let custom = match history.workload.filter(|_| history.customary) {
        Some(workload) => format!(" (customary for {workload})"),
        None => String::new(),
    };
    let (violated, unknown) = (required(Overall::Violated), required(Overall::Unknown));
    if !violated.is_empty() {
        let mut anomalies: Vec<&str> = violated.iter().flat_map(|row| row.anomalies.iter().copied()).collect();
        anomalies.dedup();
        let by = if anomalies.is_empty() { String::new() } else { format!(" by {}", some(&anomalies, 3)) };
        return format!("It requires {}{custom}, and that is violated{by}.", names(&violated));
    }
    let not_applicable = required(Overall::NotApplicable);
    if !not_applicable.is_empty() {
        return format!("It requires {}, which such a history can neither show nor refute.", names(&not_applicable));
    }
    match unknown.first() {
        Some(first) => {
            let reason = first.reason.as_deref().map(|reason| format!(": {}", clean(reason))).unwrap_or_default();
            format!("It requires {}{custom}, and whether that holds is not known{reason}.", names(&unknown))
        }
        None => format!("It requires {}{custom}, and that holds.", names(&required(Overall::Holds))),
    }
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

fn finding(anomaly: &AnomalyReport, history: &HistoryReport, id: &str) -> Markup {
    let required: Vec<&str> = history.guarantees.iter().filter(|row| row.required).map(|row| row.guarantee).collect();
    let certain = anomaly.certainty == "certain";
    html! {
        article.finding.possible[!certain] id=(id) {
            h2 {
                (anomaly.anomaly)
                span.count { @if !certain { "possible, " } "found " (times(anomaly.count)) }
            }
            @if let Some(witness) = &anomaly.witness { (shown(witness, id)) }
            @if !anomaly.rules_out.is_empty() {
                details.rules {
                    summary {
                        @if certain { "Rules out " } @else { "Would rule out " }
                        (some(&anomaly.rules_out.iter().copied().filter(|name| required.contains(name)).chain(anomaly.rules_out.iter().copied().filter(|name| !required.contains(name))).collect::<Vec<_>>(), 3))
                    }
                    p { (anomaly.rules_out.join(", ")) }
                }
            }
        }
    }
}

fn shown(witness: &WitnessReport, id: &str) -> Markup {
    html! {
        p.meaning { (clean(&witness.text)) }
        div.witness {
            div.picture { (picture::draw(witness, id)) }
            div.words {
                @if !witness.steps.is_empty() {
                    ol.steps {
                        @for step in &witness.steps {
                            @let (from, to) = (picture::named(witness, step.from).0, picture::named(witness, step.to).0);
                            li {
                                b.(picture::relation_class(step.relation)) { (from) @if from != to { " → " (to) } " (" (step.relation) ")" } ": "
                                (clean(&step.because))
                            }
                        }
                    }
                }
                p.sure {
                    @match witness.minimality {
                        "minimum" => "No smaller witness exists",
                        "1-minimal" => "Nothing can be left out of this witness",
                        _ => "The budget ended before a smaller witness could be ruled out",
                    }
                    @if witness.rechecked { "; confirmed by a second look at the whole history." } @else { "; not confirmed by recheck: read it with care." }
                }
            }
        }
        div.operations {
            @for (at, op) in witness.operations.iter().enumerate() {
                details id={ (id) "-" (at) } data-at=(op.position) {
                    summary {
                        b { (clean(&shorten(&op.name, 16))) } " "
                        span.who { @if op.status != "observed" { "process " } (clean(&op.process)) @if let Some(node) = &op.node { " on " (clean(node)) } ", " (op.status) }
                        " " span.does { (clean(&op.does)) }
                    }
                    @for record in witness.records.iter().filter(|record| record.position().is_some_and(|at| op.records.contains(&at))) {
                        pre { (clean(&serde_json::to_string(record).unwrap_or_default())) }
                    }
                }
            }
            @if witness.more_operations > 0 { p { "… and " (witness.more_operations) " more operations: the JSON report has them." } }
        }
    }
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
        table.guarantees {
            thead { tr { th scope="col" { "verdict" } th scope="col" { "guarantee" } th scope="col" { "why" } } }
            tbody {
                @for row in rows {
                    tr {
                        td { (pill(row.verdict)) }
                        td {
                            (row.guarantee)
                            @for (name, value) in &row.parameters {
                                " " span.parameter { (clean(name)) "=" (clean(value.as_str().unwrap_or(&value.to_string()))) }
                            }
                            @if row.required { " " span.tag { "required" } }
                            @if let Some(name) = &row.use_case { " " span.tag { (clean(name)) } }
                        }
                        td.evidence {
                            @if !row.anomalies.is_empty() { (row.anomalies.join(", ")) ". " }
                            @if let Some(reason) = &row.reason { (clean(reason)) ". " }
                            @if let Some(by) = row.stopped_by { "Stopped by " (by) ". " }
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
            p.note { "The history has " (drawing.total()) " operations; the " (drawing.len()) " around the witnesses are drawn." }
        }
        noscript { p.note { "The time line and the plots need script." } }
        div.timeline data-number=(number) hidden {
            form.controls role="search" {
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
            div.lanes-view tabindex="0" role="application" aria-label="Operations in time, a lane for each process. Arrow keys move, plus and minus zoom, n and p go from operation to operation." {
                div.spacer { canvas {} }
            }
            div.detail role="status" aria-live="polite" { "Choose an operation to see it." }
        }
        div.latencies data-number=(number) hidden {
            h3 { "Latency" }
            canvas role="img" aria-label="Duration of each operation over time" {}
            table.quantiles {}
        }
    }
}

fn figures(history: &HistoryReport) -> Markup {
    html! {
        h2 { "Figures" }
        dl.figures {
            @for (name, value) in &history.measures {
                dt { (measures::words(name)) }
                dd { (match value { serde_json::Value::Object(figures) => measures::list(figures), value => value.to_string() }) }
            }
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
                dt { "w" } dd { "next witness" }
                dt { "t" } dd { "light or dark" }
                dt { "?" } dd { "this" }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}
