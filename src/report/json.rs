//! JSON: the view as it is, indented.

use super::{Report, text};

/// The report as `anachron.report/1`.
pub(super) fn render(report: &Report) -> String {
    safe(&serde_json::to_string_pretty(report).expect("a report has only string keys and finite numbers"))
}

/// JSON text whose strings have nothing that a terminal would obey, and a line feed at its end: it means the same.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // JSON leaves DEL, the C1 controls and the bidi controls as they are. They can only stand inside strings, where an
        // escape means the same and no terminal obeys it. Tabs and carriage returns can only stand between the tokens of
        // an original record.
        if matches!(c, '\t' | '\r') {
            out.push(' ');
        } else if c != '\n' && text::is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}
