//! The text of a history, and the way back to a record's own words.

use std::sync::{Arc, OnceLock};

use memchr::{memchr, memchr_iter, memrchr};

use super::bytes::Bytes;
use super::edn;
use super::json::Json;
use super::log;
use super::operations::{self, Half};
use super::render::edn_to_json;
use super::scan::{Scan, Scanner};
use crate::history::{Edn, Origin};

/// How records are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Syntax {
    /// As JSON objects.
    Json,
    /// As EDN maps.
    Edn,
    /// As lines of Jepsen's log.
    Log,
    /// As halves of Porcupine's operations.
    Operations,
}

/// One in so many records has its place noted; the others are found by skipping from there.
pub(super) const MARK_EVERY: usize = 32;

/// Where a record begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// Its position in the history.
    pub(super) record: u32,
    /// Its offset in the text.
    pub(super) offset: u64,
}

/// All text of a source.
#[derive(Debug)]
pub(super) struct Text {
    bytes: Bytes,
    syntax: Syntax,
    marks: Vec<Mark>,
    /// Where each record is, where they are halves of operations.
    halves: Vec<Half>,
    records: u32,
    /// How many lines end before each block of the text.
    lines: OnceLock<Vec<u64>>,
}

const BLOCK: usize = 1 << 20;

impl Text {
    /// Of these bytes, its records not known yet.
    pub(super) fn new(bytes: Bytes, syntax: Syntax) -> Text {
        Text { bytes, syntax, marks: Vec::new(), halves: Vec::new(), records: 0, lines: OnceLock::new() }
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Where the records begin (in order), and how many there are.
    pub(super) fn mark(&mut self, marks: Vec<Mark>, records: u32) {
        self.marks = marks;
        self.records = records;
    }

    /// Which half of which operation each record is.
    pub(super) fn mark_halves(&mut self, halves: Vec<Half>) {
        self.records = u32::try_from(halves.len()).unwrap_or(u32::MAX);
        self.halves = halves;
    }

    /// How many records there are.
    pub(super) fn records(&self) -> u32 {
        self.records
    }

    /// Line and column, from 1, of an offset.
    pub(super) fn place_of(&self, offset: u64) -> (u64, u64) {
        let bytes = self.bytes();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let lines = self.lines.get_or_init(|| {
            let mut total = 0;
            bytes
                .chunks(BLOCK)
                .map(|block| {
                    let before = total;
                    total += memchr_iter(b'\n', block).count() as u64;
                    before
                })
                .collect()
        });
        let block = (offset / BLOCK).min(lines.len().saturating_sub(1));
        let before = lines.get(block).copied().unwrap_or(0);
        let line = before + memchr_iter(b'\n', &bytes[block * BLOCK..offset]).count() as u64 + 1;
        let start = memrchr(b'\n', &bytes[..offset]).map_or(0, |at| at + 1);
        // A column is a character, and each has one byte that does not continue it.
        let characters = bytes[start..offset].iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        (line, characters as u64 + 1)
    }

    /// Line and column of a record.
    pub(super) fn place(&self, position: u32) -> Option<(u64, u64)> {
        let half = self.halves.get(position as usize);
        let offset = half.map(|half| half.offset).or_else(|| Some(self.find(position)?.0 as u64))?;
        Some(self.place_of(offset))
    }

    /// A record as it is written.
    fn own_text(&self, position: u32) -> Option<&str> {
        let (start, end) = self.find(position)?;
        std::str::from_utf8(self.bytes().get(start..end)?).ok()
    }

    /// Where a record begins and ends.
    fn find(&self, position: u32) -> Option<(usize, usize)> {
        if position >= self.records {
            return None;
        }
        let at = self.marks.partition_point(|mark| mark.record <= position).checked_sub(1)?;
        let mark = self.marks[at];
        let start = usize::try_from(mark.offset).ok()?;
        let end = match self.marks.get(at + 1) {
            Some(next) => usize::try_from(next.offset).ok()?,
            None => self.bytes().len(),
        };
        let text = self.bytes().get(start..end)?;
        // What follows the last record of a document is none of ours, and needs not be text.
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).ok()?,
        };
        let skip = position - mark.record;
        let (from, to) = match self.syntax {
            Syntax::Json => nth::<Json<'_>>(text, skip),
            Syntax::Edn => nth::<edn::Edn<'_>>(text, skip),
            Syntax::Log => return nth_line(text, skip).map(|(from, to)| (start + from, start + to)),
            Syntax::Operations => return None,
        }
        .ok()?;
        Some((start + from, start + to))
    }
}

/// Where the record after this many others begins and ends.
fn nth<'a, S: Scanner<'a>>(text: &'a str, skip: u32) -> Scan<(usize, usize)> {
    let mut scanner = S::new(text);
    scanner.blank()?;
    for _ in 0..skip {
        scanner.skip()?;
        scanner.blank()?;
        if text.as_bytes().get(scanner.at()) == Some(&b',') {
            let behind = scanner.at() + 1;
            scanner.seek(behind);
            scanner.blank()?;
        }
    }
    let start = scanner.at();
    scanner.skip()?;
    Ok((start, scanner.at()))
}

/// Where the line with the record after this many others begins and ends.
fn nth_line(text: &str, skip: u32) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut left = skip;
    for line in text.split_inclusive('\n') {
        if log::record_of(line.trim_end()).is_some() {
            if left == 0 {
                return Some((at, at + line.trim_end().len()));
            }
            left -= 1;
        }
        at += line.len();
    }
    None
}

impl Origin for Text {
    fn json(&self, position: u32) -> Option<String> {
        if let Some(half) = self.halves.get(position as usize) {
            let rest = self.bytes().get(usize::try_from(half.offset).ok()?..)?;
            return operations::record_of(std::str::from_utf8(rest).ok()?, *half);
        }
        let text = self.own_text(position)?;
        match self.syntax {
            Syntax::Json if memchr(b'\n', text.as_bytes()).is_none() => Some(text.to_owned()),
            Syntax::Json => Some(compact(text)),
            Syntax::Edn => edn_to_json(text).ok().map(|shown| shown.json),
            Syntax::Log => edn_to_json(&log::record_of(text)?).ok().map(|shown| shown.json),
            Syntax::Operations => None,
        }
    }

    fn edn(&self, position: u32) -> Option<Edn> {
        let text = match self.syntax {
            Syntax::Json | Syntax::Operations => return None,
            Syntax::Edn => self.own_text(position)?.to_owned(),
            Syntax::Log => log::record_of(self.own_text(position)?)?,
        };
        let beyond_json = edn_to_json(&text).ok().and_then(|shown| shown.beyond_json);
        Some(Edn { text, beyond_json })
    }

    fn line(&self, position: u32) -> Option<u64> {
        self.place(position).map(|(line, _)| line)
    }
}

/// A text that a history and a reader share, and what the reader was told beside it.
#[derive(Debug)]
pub(super) struct Shared(pub(super) Arc<Text>, pub(super) Option<serde_json::Value>);

impl Origin for Shared {
    fn json(&self, position: u32) -> Option<String> {
        self.0.json(position)
    }

    fn edn(&self, position: u32) -> Option<Edn> {
        self.0.edn(position)
    }

    fn line(&self, position: u32) -> Option<u64> {
        self.0.line(position)
    }

    fn told(&self) -> Option<&serde_json::Value> {
        self.1.as_ref()
    }
}

/// JSON without the white space between its tokens.
pub(super) fn compact(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    text.chars()
        .filter(|c| {
            let keep = quoted || !matches!(c, ' ' | '\t' | '\r' | '\n');
            if escaped {
                escaped = false;
            } else if quoted && *c == '\\' {
                escaped = true;
            } else if *c == '"' {
                quoted = !quoted;
            }
            keep
        })
        .collect()
}
