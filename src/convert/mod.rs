//! A history in another format: JSON, JSON Lines, EDN, or Jepsen's text log.
//!
//! Records are written from their original text, so that fields which no check reads survive. What a format can't hold is
//! refused, with the first record that has it; nothing is left out in silence. Cost: one pass, one record in memory.

mod edn;
mod text;

use std::io::{self, Write};

use crate::history::{Compound, History, Value, Values, View};

/// A format that can hold a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One array of records.
    Json,
    /// A record a line.
    JsonLines,
    /// Jepsen's `history.edn`: a map a line.
    Edn,
    /// Jepsen's `history.txt`: process, type, function, value and error, with tabs between.
    Text,
}

/// How a history is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// In which format.
    pub format: Format,
    /// Whether what the format has no word for is written as something near, as witnesses show it (a set as a list), and what it
    /// has no place for is left out. Not so for keys, and for who acts: without these, it would be another history.
    pub lossy: bool,
}

impl Options {
    /// In this format, and nothing may be lost.
    #[must_use]
    pub const fn new(format: Format) -> Options {
        Options { format, lossy: false }
    }
}

/// Why a history was not written.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The destination failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The format can't hold a record, or the header.
    #[error("{message}")]
    Unfit {
        /// The record, by position; nothing for the header.
        position: Option<u32>,
        /// What it has that the format can't hold.
        message: String,
        /// What to do.
        help: String,
    },
}

/// Writes a history, and its header where it has one.
///
/// # Errors
/// The destination fails, or a record has what the format can't hold.
pub fn write(history: &History, options: &Options, out: &mut dyn Write) -> Result<(), ConvertError> {
    let format = options.format;
    let mut first = true;
    let mut put = |record: &str, out: &mut dyn Write| -> io::Result<()> {
        let begin = match (format, std::mem::take(&mut first)) {
            (Format::Json, true) => "[",
            (Format::Json, false) => ",\n ",
            _ => "",
        };
        let end = if format == Format::Json { "" } else { "\n" };
        write!(out, "{begin}{record}{end}")
    };
    if !history.header().fields.is_absent() {
        put(&header(history, options)?, out)?;
    }
    for position in 0..history.records() {
        put(&record(history, position, options)?, out)?;
    }
    if format == Format::Json {
        out.write_all(if first { b"[]\n" } else { b"]\n" })?;
    }
    Ok(())
}

fn header(history: &History, options: &Options) -> Result<String, ConvertError> {
    let unfit = |message: String, help: &str| ConvertError::Unfit { position: None, message, help: help.to_owned() };
    let fields = history.header().fields;
    if let Some(what) = beyond_json(history.values(), fields)
        && !options.lossy
    {
        return Err(unfit(format!("the header has {what}, which is written in EDN only"), LOSSY));
    }
    let json = format!("{{\"history\":{}}}", history.values().json(fields, usize::MAX));
    match options.format {
        Format::Json | Format::JsonLines => Ok(json),
        Format::Edn => Ok(edn::from_json(&json)),
        Format::Text => {
            let message = "the history has a header, and Jepsen's text log has no place for one".to_owned();
            Err(unfit(message, "convert to json, jsonl or edn"))
        }
    }
}

const LOSSY: &str = "convert to edn, which holds it; or say `--lossy`, and it is written as something near (a set as a list, \
                     a key as a string), which checks may take for something else";

fn record(history: &History, position: u32, options: &Options) -> Result<String, ConvertError> {
    let unfit =
        |message: String, help: &str| ConvertError::Unfit { position: Some(position), message, help: help.to_owned() };
    let original = history.origin().edn(position);
    if options.format == Format::Edn
        && let Some(original) = original
    {
        return Ok(original.text);
    }
    if let Some(what) = original.and_then(|original| original.beyond_json)
        && !options.lossy
    {
        return Err(unfit(format!("this record has {what}, which JSON and Jepsen's text have no word for"), LOSSY));
    }
    let Some(json) = history.origin().json(position) else {
        return Err(unfit(
            "this record can't be shown as JSON".to_owned(),
            "it is nested too deep: convert EDN to edn",
        ));
    };
    match options.format {
        Format::Json | Format::JsonLines => Ok(json),
        Format::Edn => Ok(edn::from_json(&json)),
        Format::Text => text::from_json(&json, position, options.lossy),
    }
}

/// What this value has that JSON has no word for.
fn beyond_json(values: &Values, value: Value) -> Option<&'static str> {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match values.view(value) {
            View::Compound(Compound::Set) => return Some("a set"),
            View::Compound(Compound::Tagged) => return Some("a tagged value"),
            View::Compound(Compound::Map) => {
                if values.entries(value).any(|(key, _)| values.as_str(key).is_none()) {
                    return Some("a map with a key that is no string");
                }
                stack.extend(values.entries(value).map(|(_, value)| value));
            }
            View::Compound(Compound::List) => stack.extend(values.items(value)),
            View::Float(float) if !float.is_finite() => return Some("a number that is not finite"),
            _ => {}
        }
    }
    None
}
