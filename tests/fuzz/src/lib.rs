//! What every fuzz target asks of a reader: any bytes give an answer, and what is read can be read again.

use anachron::convert;
use anachron::history::History;
use anachron::ingest::{Format, Options, Source, read};

fn history(bytes: &[u8], format: Option<Format>) -> Option<History> {
    let options = Options { format, max_memory: Some(64 << 20), ..Options::default() };
    match read(Source::Bytes { name: "fuzz".to_owned(), bytes: bytes.to_vec() }, &options) {
        Ok(history) => Some(history),
        Err(error) => {
            assert!(!error.message.is_empty() && !error.help.is_empty(), "{error:?}");
            None
        }
    }
}

/// Reads the bytes. A history has its records' own text, as JSON, and is the same when it was written and read once more.
pub fn answer(bytes: &[u8], format: Option<Format>) {
    let Some(first) = history(bytes, format) else { return };
    for position in 0..first.records() {
        assert!(first.origin().line(position).is_some(), "record {position} has no line");
        // What is nested too deep to be shown is the one thing that has no text.
        if let Some(json) = first.origin().json(position) {
            let parsed = serde_json::from_str::<&serde_json::value::RawValue>(&json);
            assert!(parsed.is_ok(), "{json}: {parsed:?}");
        }
    }
    let mut written = Vec::new();
    if convert::write(&first, &convert::Options::new(convert::Format::JsonLines), &mut written).is_ok() {
        let second = history(&written, Some(Format::JsonLines)).expect("what was written is a history");
        assert_eq!((first.records(), first.len()), (second.records(), second.len()));
    }
}

/// A target: the bytes of a file that is said to be of this format, or of none.
#[macro_export]
macro_rules! target {
    ($format:expr) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::answer(bytes, $format));
    };
}
