//! Figures in words: `time_ns_max: 82000000` is "time max 82 ms".

use serde_json::Value;

use super::page::{Cell, HEADING, Page};
use super::staleness;
use super::text::{clean, duration, shorten};
use crate::verdict::Figures;

/// The measures of a history, a line for each group.
pub(super) fn render(page: &mut Page, measures: &Figures) {
    if measures.is_empty() {
        return;
    }
    page.gap();
    page.headed(0, 0, "measures", HEADING, "");
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (name, value) in measures {
        let special = match (name.as_str(), value) {
            ("staleness", Value::Object(figures)) => staleness::staleness(figures),
            ("convergence", Value::Object(figures)) => staleness::convergence(figures),
            _ => None,
        };
        match (special, value) {
            (Some(lines), _) => rows.extend(lines),
            (None, Value::Object(figures)) => rows.push(vec![Cell::from(words(name)), Cell::from(list(figures))]),
            (None, value) => {
                rows.push(vec![Cell::from(words(&unit_off(name))), Cell::from(figure(name, value, false, 0))])
            }
        }
    }
    page.grid(2, &rows, &[24]);
    if let Some(Value::Object(figures)) = measures.get("staleness") {
        staleness::freshness(page, figures);
    }
}

/// Figures as `transactions 1771, reads 2400, edges (ww 900, wr 1100)`.
pub(super) fn list(figures: &Figures) -> String {
    phrases(figures, false, 0)
}

/// `durations`: a group whose name says nanoseconds says it for all in it but counts.
fn phrases(figures: &Figures, durations: bool, depth: usize) -> String {
    let phrase = |(name, value): (&String, &Value)| {
        let text = figure(name, value, durations && name != "count", depth);
        if value.is_object() {
            format!("{} ({text})", words(&unit_off(name)))
        } else {
            format!("{} {text}", words(&unit_off(name)))
        }
    };
    figures.iter().filter(|(_, value)| says_something(value)).map(phrase).collect::<Vec<_>>().join(", ")
}

/// A group of zeros, such as a tally of what did not occur, is left to the formats for programs.
fn says_something(value: &Value) -> bool {
    let mut open = vec![value];
    let is_group = value.is_object();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(figures) => open.extend(figures.values()),
            Value::Number(number) if is_group && number.as_f64() == Some(0.0) => {}
            Value::Null if is_group => {}
            _ => return true,
        }
    }
    false
}

fn figure(name: &str, value: &Value, durations: bool, depth: usize) -> String {
    /// Figures nest two or three deep; what is deeper is shown as JSON.
    const DEEPEST: usize = 4;
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_i64() {
            Some(ns) if durations || is_duration(name) => duration(ns),
            _ => number.to_string(),
        },
        Value::String(text) => clean(&shorten(text, 80)),
        Value::Object(figures) if depth < DEEPEST => phrases(figures, is_duration(name), depth + 1),
        other => clean(&shorten(&other.to_string(), 80)),
    }
}

fn is_duration(name: &str) -> bool {
    name.split('_').any(|word| word == "ns")
}

fn unit_off(name: &str) -> String {
    name.split('_').filter(|word| *word != "ns").collect::<Vec<_>>().join("_")
}

pub(super) fn words(name: &str) -> String {
    clean(&shorten(name, 60)).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: figures read as a person says them, units where the name has them.
    #[test]
    fn figures_are_words() {
        let json = r#"{"time_ns_max":82000000,"k":{"at_least":2,"at_most":null},"delta_ns":null,"stale_reads":1775,
            "exact":true,"lost":0,"latency_ns":{"count":3,"p50":1500},"classes":{"a":0,"b":{"certain":0}}}"#;
        let figures: Figures = serde_json::from_str(json).expect("figures");
        assert_eq!(
            list(&figures),
            "time max 82 ms, k (at least 2, at most none), delta none, stale reads 1775, exact yes, lost 0, \
             latency (count 3, p50 1.5 µs)"
        );
    }
}
