//! Jepsen's text: `history.txt`, and the operations that `jepsen.log` and older consoles print among other lines.
//!
//! A line holds, separated by white space, a process, a type, a function, a value and perhaps an error, each as EDN, after whatever
//! the logger puts in front. Lines without such a row are no records. Each row is rewritten as an EDN map, so that one reader
//! of records serves here, too. One thread; such files are small.

use super::edn::Edn;
use super::error::{Fault, InputError};
use super::limits::Limits;
use super::record::RecordReader;
use super::scan::Scanner;
use super::text::{MARK_EVERY, Mark, Text};
use crate::history::Builder;
use crate::verdict::StoppedBy;

/// How many operations are read before they become part of the history.
const BATCH: usize = 1 << 14;

const TYPES: [&str; 4] = [":invoke", ":ok", ":fail", ":info"];

/// Whether these are lines of such a log: one of the first lines is an operation.
pub(super) fn looks_like_log(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    let lines = head.split(|byte| *byte == b'\n').take(1000);
    lines.filter_map(|line| std::str::from_utf8(line).ok()).any(|line| row(line).is_some_and(|row| row.is_whole()))
}

/// How much of a text is looked at.
const HEAD: usize = 16 << 20;

/// How long a line with an operation may be.
const LINE: usize = 64 << 20;

/// The row of a line.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    process: &'a str,
    kind: &'a str,
    f: &'a str,
    value: &'a str,
}

impl Row<'_> {
    fn is_whole(&self) -> bool {
        TYPES.contains(&self.kind) && !self.f.is_empty()
    }
}

/// The row of an operation: from the first type that follows a process. Fields stand behind tabs, or behind spaces where an
/// editor replaced the tabs; behind a tab, any keyword stands for a type, and is one or a torn line.
fn row(line: &str) -> Option<Row<'_>> {
    let line = line.trim_end();
    let mut process = "";
    let mut at = 0;
    for word in line.split(['\t', ' ']) {
        let tab = at > 0 && line.as_bytes()[at - 1] == b'\t';
        if word.is_empty() {
            at += 1;
            continue;
        }
        let is_process = process.bytes().all(|b| b.is_ascii_digit()) || process.starts_with(':');
        if !process.is_empty() && is_process && (TYPES.contains(&word) || (tab && word.starts_with(':'))) {
            let rest = line[at + word.len()..].trim_start();
            let (f, value) = rest.split_once(['\t', ' ']).unwrap_or((rest, ""));
            return Some(Row { process, kind: word, f, value: value.trim_start() });
        }
        process = word;
        at += word.len() + 1;
    }
    None
}

/// The row as a record of EDN. A value that is a keyword, on what did not or may not have happened, is the reason.
fn edn(row: &Row<'_>) -> String {
    let Row { process, kind, f, value } = row;
    let mut scanner = Edn::new(value);
    let end = if scanner.skip().is_ok() { scanner.at() } else { value.len() };
    let (value, error) = (&value[..end], value[end..].trim());
    let reason = matches!(*kind, ":fail" | ":info") && value.starts_with(':') && !process.starts_with(':');
    let (value, error) = if reason && error.is_empty() { ("nil", value) } else { (value, error) };
    let mut record =
        format!("{{:process {process} :type {kind} :f {f} :value {}", if value.is_empty() { "nil" } else { value });
    if !error.is_empty() {
        // What follows the value is for people: it is shown as it stands.
        record.push_str(" :error \"");
        record.extend(error.chars().flat_map(|c| if matches!(c, '"' | '\\') { vec!['\\', c] } else { vec![c] }));
        record.push('"');
    }
    record.push('}');
    record
}

/// The record on the line that begins this text, as EDN.
pub(super) fn record_of(line: &str) -> Option<String> {
    row(line).map(|row| edn(&row))
}

/// Reads all records.
///
/// # Errors
/// A row that is no record, and a last line that does not end.
pub(super) fn read(text: &mut Text, limits: &Limits, builder: &mut Builder) -> Result<(), InputError> {
    let (mut reader, mut marks, mut count) = (RecordReader::new(), Vec::new(), 0u32);
    let mut at = 0usize;
    reader.limit(limits.left() / 2);
    for line in text.bytes().split_inclusive(|byte| *byte == b'\n') {
        let ends = line.ends_with(b"\n");
        let locate = |fault: Box<Fault>| fault.located(text, at as u64);
        let content = std::str::from_utf8(line.trim_ascii_end()).map_err(|error| {
            let help = "a history is UTF-8 text: the file is damaged, binary, or in another encoding";
            locate(Fault::new(error.valid_up_to(), "found bytes that are no UTF-8", help))
        })?;
        if !ends && !content.is_empty() {
            return Err(locate(Fault::cut(content.len())));
        }
        if let Some(row) = row(content) {
            if !row.is_whole() {
                return Err(locate(Fault::new(
                    0,
                    "this line is no operation: after the process come a type, a function and a value",
                    "the type is :invoke, :ok, :fail or :info; a line that is cut makes the history unreadable",
                )));
            }
            if content.len() > LINE {
                let message = format!("this line is longer than {} MiB", LINE >> 20);
                return Err(locate(Fault::new(0, message, "no operation needs that: check what wrote this line")));
            }
            if reader.len() == BATCH {
                builder.add(reader.take());
                limits.keep(builder.bytes());
                reader.limit(limits.left() / 2);
            }
            if (count as usize).is_multiple_of(MARK_EVERY) {
                marks.push(Mark { record: count, offset: at as u64 });
                let over = reader.is_over_limit().then_some(StoppedBy::Memory);
                if let Some(by) = over.or_else(|| limits.stopped()) {
                    return Err(limits.error(by));
                }
            }
            let record = edn(&row);
            reader.change_text();
            let mut scanner = Edn::new(&record);
            let result = reader.record(&mut scanner);
            let whole = result.and_then(|()| super::chunks::epilogue(&mut scanner, false));
            whole.map_err(|fault| {
                let message = format!("this operation can't be read: {}", fault.message);
                locate(Fault::new(0, message, "function and value are EDN, as Jepsen prints them"))
            })?;
            count = count.saturating_add(1);
        }
        at += line.len();
    }
    builder.add(reader.take());
    if builder.is_over_limit() {
        return Err(limits.error(StoppedBy::Memory));
    }
    text.mark(marks, count);
    Ok(())
}
