//! A history in another format: JSON, JSON Lines, EDN, or Jepsen's text log.
//!
//! Records are written from their original text, so that fields which no check reads survive. What a format can't hold is
//! refused, with the first record that has it; nothing is left out in silence. Cost: one pass, one record in memory.

mod edn;
mod text;

use std::io::{self, Write};

use crate::history::History;

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

/// Why a history was not written.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The destination failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The format can't hold a record.
    #[error("{message}")]
    Unfit {
        /// The record, by position.
        position: u32,
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
pub fn write(history: &History, format: Format, out: &mut dyn Write) -> Result<(), ConvertError> {
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
        let header = format!("{{\"history\":{}}}", history.values().json(history.header().fields, usize::MAX));
        let header = match format {
            Format::Json | Format::JsonLines => header,
            Format::Edn => edn::from_json(&header),
            Format::Text => {
                return Err(ConvertError::Unfit {
                    position: 0,
                    message: "the history has a header, and Jepsen's text log has no place for one".to_owned(),
                    help: "convert to json, jsonl or edn".to_owned(),
                });
            }
        };
        put(&header, out)?;
    }
    for position in 0..history.records() {
        let Some(json) = history.origin().json(position) else { continue };
        match format {
            Format::Json | Format::JsonLines => put(&json, out)?,
            Format::Edn => put(&edn::from_json(&json), out)?,
            Format::Text => put(&text::from_json(&json, position)?, out)?,
        }
    }
    if format == Format::Json {
        out.write_all(if first { b"[]\n" } else { b"]\n" })?;
    }
    Ok(())
}
