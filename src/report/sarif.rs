//! SARIF 2.1.0, for code scanning and whatever else reads static analysis.
//!
//! A result is an anomaly, or a required guarantee that no anomaly explains (unknown, not applicable); its rule is the name of
//! that. What makes the run fail is an `error`. Results have a location (the line of the first record that shows it) and a
//! fingerprint that stays the same from run to run, so that an alert is not closed and opened again by every new recording.

use serde_json::{Value, json};

use super::alert::{Alert, Level, alerts, consequence, is_name, meaning};
use super::text::clean;
use super::{Report, json};

/// The log.
pub(super) fn render(report: &Report) -> String {
    let alerts = alerts(report);
    let mut rules: Vec<&'static str> = alerts.iter().map(|alert| alert.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let results: Vec<Value> = alerts.iter().map(|alert| result(alert, &rules)).collect();
    let descriptors: Vec<Value> = rules.iter().map(|rule| descriptor(rule)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "rules": descriptors,
            }},
            "invocations": [{
                "executionSuccessful": report.exit_code != 2,
                "exitCode": report.exit_code,
                "exitCodeDescription": clean(&report.summary),
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    json::safe(&format!("{log:#}"))
}

fn result(alert: &Alert<'_>, rules: &[&'static str]) -> Value {
    let mut message = alert.message.clone();
    if !alert.details.is_empty() {
        message.push_str("\n\n");
        message.push_str(alert.details.trim_end());
    }
    let mut region = json!({"startLine": alert.line.unwrap_or(1).max(1)});
    if let Some(column) = alert.column {
        region["startColumn"] = column.max(1).into();
    }
    let mut result = json!({
        "ruleId": alert.rule,
        "ruleIndex": rules.binary_search(&alert.rule).ok(),
        "level": level(alert.level),
        "message": {"text": message},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri(alert.source)}, "region": region},
        }],
        "partialFingerprints": {"anachron/v1": alert.fingerprint},
    });
    if let Some(how) = alert.accepted {
        let by = if how == "allowed" { "allowed by name" } else { "accepted by the baseline" };
        result["suppressions"] = json!([{"kind": "external", "justification": by}]);
    }
    result
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

fn descriptor(rule: &str) -> Value {
    let text = |text: &str| json!({"text": text});
    let mut descriptor = json!({"id": rule, "name": rule, "shortDescription": text(meaning(rule))});
    if let Some(consequence) = consequence(rule) {
        descriptor["fullDescription"] = text(&format!("{}. {consequence}", meaning(rule)));
    }
    if is_name(rule) {
        let help = format!("`anachron explain {rule}` says more: what it does to data, and what commonly causes it.");
        descriptor["help"] = text(&help);
    }
    descriptor
}

/// The source as a URI reference: relative as it was given, or a `file:` URI.
fn uri(source: &str) -> String {
    let path = clean(source).replace('\\', "/");
    let mut out = String::new();
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    if out.is_empty() { "unknown".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::uri;

    /// Goal: any path is a URI reference that names it.
    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("histories/a b.jsonl"), "histories/a%20b.jsonl");
        assert_eq!(uri("./a.jsonl"), "a.jsonl");
        assert_eq!(uri("/var/log/a.jsonl"), "file:///var/log/a.jsonl");
        assert_eq!(uri("a:b?c#d%"), "a%3Ab%3Fc%23d%25");
        assert_eq!(uri("-"), "-");
        assert_eq!(uri(""), "unknown");
    }
}
