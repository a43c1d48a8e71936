//! Annotations on GitHub: workflow commands on standard output, after a line that says how the run ended and why.
//!
//! The runner reads `::error file=F,line=N,title=T::MESSAGE`, a command a line. `%`, carriage returns and line feeds are
//! percent-escaped in messages, `:` and `,` too in properties, so that no text of a history can end a command or begin
//! another. GitHub shows ten errors, ten warnings and ten notices of a step: what matters most comes first, and the last one
//! says how many there are besides.

use super::Report;
use super::alert::{Alert, Level, alerts};
use super::text::{clean, shorten};

/// How many annotations of one level GitHub shows.
const MOST: usize = 10;
/// How long an annotation's text may be.
const LONGEST: usize = 3000;

/// The commands.
pub(super) fn render(report: &Report) -> String {
    let alerts = alerts(report);
    let mut out =
        format!("anachron: {} (exit code {}): {}\n", report.verdict.name(), report.exit_code, clean(&report.summary));
    for (level, command) in [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "notice")] {
        let all: Vec<&Alert<'_>> = alerts.iter().filter(|alert| alert.level == level).collect();
        let shown = if all.len() > MOST { MOST - 1 } else { all.len() };
        for alert in &all[..shown] {
            out.push_str(&annotation(command, alert));
        }
        if all.len() > shown {
            let more = all.len() - shown;
            out.push_str(&format!("::{command} title=anachron::{more} more like these: the report has them all\n"));
        }
    }
    out
}

fn annotation(command: &str, alert: &Alert<'_>) -> String {
    let mut properties = vec![format!("file={}", property(&clean(alert.source)))];
    properties.extend(alert.line.map(|line| format!("line={line}")));
    properties.extend(alert.column.map(|column| format!("col={column}")));
    properties.push(format!("title={}", property(&format!("anachron: {}", alert.rule))));
    let mut text = alert.message.clone();
    if !alert.details.is_empty() {
        text.push_str("\n\n");
        text.push_str(alert.details.trim_end());
    }
    format!("::{command} {}::{}\n", properties.join(","), message(&shorten(&text, LONGEST)))
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
