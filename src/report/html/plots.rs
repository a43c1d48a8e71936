//! Figures of a history on a page: in words, and staleness as two plots, over time and by the time since the last write.
//!
//! The plots are boxes of the page: they are there without script and on paper, and their words stay readable at any width.

use maud::{Markup, html};
use serde_json::Value;

use super::super::measures;
use super::super::page::Cell;
use super::super::staleness;
use super::super::text::{clean, duration};
use super::super::view::HistoryReport;
use super::Drawing;
use crate::verdict::Figures;

/// All that is measured.
pub(super) fn figures(history: &HistoryReport) -> Markup {
    html! {
        h2 { "Figures" }
        dl.figures {
            @for (name, value) in &history.measures { (words(name, value)) }
        }
        @if let Some(Value::Object(figures)) = history.measures.get("staleness") {
            (over_time(figures, history.drawing.as_ref()))
            (freshness(figures))
        }
    }
}

fn words(name: &str, value: &Value) -> Markup {
    let special: Option<Vec<Vec<Cell>>> = match (name, value) {
        ("staleness", Value::Object(figures)) => staleness::staleness(figures),
        ("convergence", Value::Object(figures)) => staleness::convergence(figures),
        _ => None,
    };
    html! {
        @match (special, value) {
            (Some(rows), _) => {
                @for row in &rows {
                    @if let [name, text] = row.as_slice() { dt { (name.text()) } dd { (text.text()) } }
                }
            },
            (None, Value::Object(figures)) => { dt { (measures::words(name)) } dd { (measures::list(figures)) } },
            (None, value) => { dt { (measures::words(name)) } dd { (clean(&value.to_string())) } },
        }
    }
}

fn integer(value: &Value, name: &str) -> i64 {
    value.get(name).and_then(Value::as_i64).unwrap_or(0)
}

/// `part` of `whole` in hundredths, to one digit.
fn percent(part: i64, whole: i64) -> String {
    let thousandths = i128::from(part.max(0)) * 1000 / i128::from(whole.max(1));
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

/// A column for each slice of the run: as high as the stalest read that began in it is stale.
fn over_time(figures: &Figures, drawing: Option<&Drawing>) -> Markup {
    let slices = figures.get("over_time").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let oldest = slices.iter().map(|slice| integer(slice, "time_ns_max")).max().unwrap_or(0);
    let (Some(first), true) = (slices.first(), oldest > 0) else { return html! {} };
    let begin = integer(first, "from_ns");
    let length = slices.get(1).map_or(1, |second| integer(second, "from_ns").saturating_sub(begin)).max(1);
    let span = length.saturating_mul(i64::try_from(slices.len()).unwrap_or(i64::MAX));
    let at = |ns: i64| ns.saturating_sub(begin).clamp(0, span);
    let faults: Vec<(&str, i64, i64)> = drawing.map_or_else(Vec::new, Drawing::faults);
    let told = |slice: &Value| {
        let (reads, stale) = (integer(slice, "reads"), integer(slice, "stale_reads"));
        let since = duration(integer(slice, "from_ns").saturating_sub(begin));
        match stale {
            0 => format!("from {since}: none of {reads} reads stale"),
            _ => format!(
                "from {since}: {stale} of {reads} reads stale, at most {}",
                duration(integer(slice, "time_ns_max"))
            ),
        }
    };
    let worst = slices.iter().max_by_key(|slice| integer(slice, "time_ns_max")).map(told).unwrap_or_default();
    html! {
        figure.plot.over-time {
            h3 { "Staleness over time" }
            div.columns role="img" aria-label={ "Staleness over time; the stalest read " (worst) } {
                @for (name, from, to) in &faults {
                    span.fault-band style={ "left:" (percent(at(*from), span)) "%;width:" (percent(at(*to) - at(*from), span)) "%" } { (name) }
                }
                @for slice in slices {
                    @let age = integer(slice, "time_ns_max");
                    span.column title=(told(slice)) {
                        @if age > 0 { span.fill style={ "height:" (percent(age, oldest)) "%" } {} }
                        @else if integer(slice, "reads") > 0 { span.none {} }
                    }
                }
            }
            div.scale { span { "0 s" } span { "highest: " (duration(oldest)) } span { (duration(span)) } }
            figcaption { "The stalest read of each " (duration(length)) ", by when it began. A green foot: reads, none of them stale." }
        }
    }
}

/// How many of the reads are fresh, by the time since the last write before them.
fn freshness(figures: &Figures) -> Markup {
    let buckets = figures.get("freshness").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let full: Vec<&Value> = buckets.iter().filter(|bucket| integer(bucket, "reads") > 0).collect();
    if full.iter().all(|bucket| integer(bucket, "reads") == integer(bucket, "fresh")) {
        return html! {};
    }
    html! {
        figure.plot.freshness {
            h3 { "Fresh reads, by time since the last write" }
            table aria-label="Fresh reads, by time since the last write" {
                thead { tr { th scope="col" { "since the write" } th scope="col" { "fresh" } th scope="col" { "of reads" } } }
                tbody {
                    @for bucket in full {
                        @let share = percent(integer(bucket, "fresh"), integer(bucket, "reads"));
                        tr {
                            th scope="row" { (duration(integer(bucket, "since_ns"))) " or more" }
                            td.share { span.fill style={ "width:" (share) "%" } {} span.number { (share) "%" } }
                            td { (integer(bucket, "reads")) }
                        }
                    }
                }
            }
            figcaption { "A read counts as fresh unless it is certainly stale." }
        }
    }
}
