//! A history at a glance, and parts of it as a time line: what somebody looks at before and after a verdict.

mod lanes;
mod summary;

pub use lanes::Focus;

use super::page::Page;
use super::{Style, json};
use crate::history::History;
use crate::workload::Workload;

/// The summary of a history as a page.
#[must_use]
pub fn inspect(history: &History, source: &str, workload: Option<Workload>, style: &Style) -> String {
    let mut page = Page::new(style);
    summary::Summary::of(history, source, workload).render(&mut page);
    page.finish()
}

/// The summary as JSON, `anachron.inspection/1`.
#[must_use]
pub fn inspect_json(history: &History, source: &str, workload: Option<Workload>) -> String {
    let summary = summary::Summary::of(history, source, workload);
    json::safe(&serde_json::to_string_pretty(&summary).unwrap_or_default())
}

/// The operations and observers' records that are in focus, as a time line: nothing where none is.
#[must_use]
pub fn inspect_lanes(history: &History, focus: &Focus, style: &Style) -> Option<String> {
    lanes::render(history, focus, style)
}

/// The same as JSON Lines: the original records.
#[must_use]
pub fn inspect_records(history: &History, focus: &Focus) -> Option<String> {
    lanes::records(history, focus).map(|text| json::safe(text.trim_end()))
}
