//! What is wrong with a source, and where.

use std::io;

use super::text::Text;
use crate::history::{BuildError, Origin};
use crate::verdict::StoppedBy;

/// Why a source is no history, or can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// What was found, and what was expected.
    pub message: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column, from 1, in characters.
    pub column: Option<u64>,
    /// What to do.
    pub help: String,
    /// The user's limit that ended the reading, where one did: then nothing is known to be wrong with the source.
    pub stopped_by: Option<StoppedBy>,
}

impl InputError {
    /// What is wrong with a source as a whole.
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> InputError {
        InputError { message: message.into(), line: None, column: None, help: help.into(), stopped_by: None }
    }

    /// Nothing is wrong with the input, but a limit of the user's ended the reading.
    pub(super) fn stopped(by: StoppedBy, message: impl Into<String>, help: impl Into<String>) -> InputError {
        InputError { stopped_by: Some(by), ..InputError::new(message, help) }
    }

    /// A source that can't be opened or read.
    pub(super) fn io(error: &io::Error) -> InputError {
        let help = match error.kind() {
            io::ErrorKind::NotFound => "check the path; `-` reads standard input",
            io::ErrorKind::PermissionDenied => "check who may read the file",
            _ => "a history is read whole or not at all: repeat once the file can be read",
        };
        InputError::new(format!("can't be read: {error}"), help)
    }

    /// Records that contradict each other: positions become lines.
    pub(super) fn from_build(error: BuildError, text: &Text) -> InputError {
        let mut message = error.message;
        if let Some(line) = error.other.and_then(|position| text.line(position)) {
            message.push_str(&format!(" (the other record is on line {line})"));
        }
        let (line, column) = match error.position.and_then(|position| text.place(position)) {
            Some((line, column)) => (Some(line), Some(column)),
            None => (None, None),
        };
        InputError { message, line, column, help: error.help, stopped_by: None }
    }
}

/// What is wrong with the text, at a byte offset.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where, from the start of the scanned text.
    pub(super) at: usize,
    /// What was found, and what was expected.
    pub(super) message: String,
    /// What to do.
    pub(super) help: &'static str,
    /// Whether the text ended too early: with more of it, there might be no fault.
    pub(super) cut: bool,
}

impl Fault {
    /// A fault at this offset.
    #[cold]
    pub(super) fn new(at: usize, message: impl Into<String>, help: &'static str) -> Box<Fault> {
        Box::new(Fault { at, message: message.into(), help, cut: false })
    }

    /// The text ends where more has to come.
    #[cold]
    pub(super) fn cut(at: usize) -> Box<Fault> {
        Box::new(Fault {
            at,
            message: "the file ends in the middle of a record: it is cut off".to_owned(),
            help: "a history that was only partly written is not judged: write it again, or remove the incomplete \
                   record at the end if you know that nothing else is missing",
            cut: true,
        })
    }

    /// Something else than what was expected.
    #[cold]
    pub(super) fn unexpected(text: &str, at: usize, expected: &str, help: &'static str) -> Box<Fault> {
        match text.get(at..).and_then(|rest| rest.chars().next()) {
            None => Fault::cut(at),
            Some('\0') => Fault::new(
                at,
                "found a NUL byte",
                "the file was not written to its end (a crash or a full disk leaves such bytes): write it again",
            ),
            Some(found) => Fault::new(at, format!("expected {expected}, and found {}", shown(found)), help),
        }
    }

    /// With its place in the whole source, of which the scanned text begins at `base`.
    pub(super) fn located(self, text: &Text, base: u64) -> InputError {
        let (line, column) = text.place_of(base + self.at as u64);
        let help = self.help.to_owned();
        InputError { message: self.message, line: Some(line), column: Some(column), help, stopped_by: None }
    }
}

/// A character as a message shows it.
fn shown(found: char) -> String {
    match found {
        '`' => "a backquote".to_owned(),
        '\n' | '\r' => "the end of the line".to_owned(),
        found if found.is_control() => format!("the character U+{:04X}", u32::from(found)),
        found => format!("`{found}`"),
    }
}
