//! Bytes to a history: the only room that reads files.
//!
//! The way: `bytes` gets all of a source as one slice (mapped, held or spooled; decompressed); `detect` finds its format;
//! `json` and `edn` are scanners, pulled token by token; `record` and `values` make records of tokens, whatever the syntax;
//! `chunks` does so in parallel; `text` finds a record's own words again. The history itself is built in `crate::history`.
//!
//! A history is read whole or not at all: every fault is an [`InputError`] that says where, what was found and what to do.

mod advice;
mod assemble;
mod bytes;
mod chunks;
mod detect;
mod edn;
mod error;
mod fressian;
mod json;
mod limits;
mod lists;
mod log;
mod mapping;
mod operations;
mod record;
mod render;
mod scan;
mod several;
mod store;
mod text;
mod told;
mod values;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use assemble::Assembly;
use chunks::Syntax;
use detect::Prelude;
use json::Json;
use limits::Limits;
use scan::Scanner;
use text::{Shared, Text};
use values::ValueReader;

use crate::history::{Builder, History, Interner, Value};

pub use assemble::Join;
pub use error::InputError;
pub use mapping::{Mapping, MappingError, Order};
pub use several::read_joined;

/// Where a history comes from.
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input, or any other stream; read to its end.
    Stream {
        /// What errors and reports call it.
        name: String,
        /// Its bytes.
        reader: Box<dyn Read + Send>,
    },
    /// Bytes in memory.
    Bytes {
        /// What errors and reports call them.
        name: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

impl Source {
    /// What errors and reports call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Source::File(path) => path.display().to_string(),
            Source::Stream { name, .. } | Source::Bytes { name, .. } => name.clone(),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::File(path) => f.debug_tuple("File").field(path).finish(),
            Source::Stream { name, .. } => f.debug_tuple("Stream").field(name).finish(),
            Source::Bytes { name, bytes } => f.debug_tuple("Bytes").field(name).field(&bytes.len()).finish(),
        }
    }
}

/// How a history is written. Compression is no format: it is found by content, always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Format {
    /// A JSON array of records, or an object with such an array in its field `history`.
    Json,
    /// A JSON object a record, one after the other.
    JsonLines,
    /// EDN: a map a record, or one vector of them.
    Edn,
    /// Jepsen's `history.txt`, or a log with its operations: process, type, function and value, separated by tabs.
    JepsenLog,
    /// Porcupine's operations: a JSON object an operation, with its client, input, call, output and return.
    Porcupine,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 5] = [Format::Json, Format::JsonLines, Format::Edn, Format::JepsenLog, Format::Porcupine];

    /// The name, as the command line takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::JsonLines => "jsonl",
            Format::Edn => "edn",
            Format::JepsenLog => "jepsen-log",
            Format::Porcupine => "porcupine",
        }
    }

    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What a reader is told beside the bytes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How the history is written; not said: found by its content.
    pub format: Option<Format>,
    /// Whether values are Jepsen's `[key, value]` tuples; not said: where the reads' invocations show it.
    pub independent: Option<bool>,
    /// Fields that override the history's header, as JSON text: `("initial", "0")`.
    pub header: Vec<(String, String)>,
    /// The most bytes that the history may take while it is read, with the input that is held in memory; and separately, how
    /// large decompressed or piped input may be, which is spooled to a temporary file. Not said: no limit.
    pub max_memory: Option<u64>,
    /// When to stop; not said: when all is read.
    pub deadline: Option<Instant>,
    /// How rows of a foreign log become records.
    pub mapping: Option<Arc<Mapping>>,
    /// Whether the mapping is for whatever is read, and not only for what is no history as it stands.
    pub maps_all: bool,
}

/// Reads one history.
///
/// # Errors
/// What can't be read, or is no history: where, what was found, and what to do. A partly read history is never returned.
pub fn read(source: Source, options: &Options) -> Result<History, InputError> {
    let limits = Limits::new(options.max_memory, options.deadline);
    let name = source.name();
    let bytes = bytes::load(source, options.format, &limits)?;
    if let Some(mapping) = several::mapping_for(&bytes, options) {
        let mut assembly = Assembly::default();
        assembly.rows(&name, bytes, mapping, &limits)?;
        return several::assembled(assembly, Some(mapping.order()), None, Vec::new(), options, &limits);
    }
    match detect::format(bytes.as_slice(), options.format)? {
        Format::Json | Format::JsonLines => {
            records::<JsonSyntax>(Text::new(bytes, text::Syntax::Json), options, &limits)
        }
        Format::Edn => records::<EdnSyntax>(Text::new(bytes, text::Syntax::Edn), options, &limits),
        Format::JepsenLog => rewritten(Text::new(bytes, text::Syntax::Log), options, &limits, log::read),
        Format::Porcupine => rewritten(Text::new(bytes, text::Syntax::Operations), options, &limits, operations::read),
    }
}

/// Parses every line of a file into a [`serde_json::Value`] on one thread, and drops it: how long reading has to take at the
/// very least if nobody does anything clever, and so the yardstick of our benchmarks. Gives the number of lines and bytes.
///
/// # Errors
/// What can't be read, and lines that are no JSON.
pub fn plain_read(path: &Path) -> Result<(u64, u64), InputError> {
    let bytes = bytes::load(Source::File(path.to_owned()), Some(Format::JsonLines), &Limits::new(None, None))?;
    let mut records = 0;
    for line in bytes.as_slice().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let value: serde_json::Value = serde_json::from_slice(line)
            .map_err(|error| InputError::new(error.to_string(), "the plain read takes JSON Lines"))?;
        drop(std::hint::black_box(value));
        records += 1;
    }
    Ok((records, bytes.as_slice().len() as u64))
}

struct JsonSyntax;

impl Syntax for JsonSyntax {
    type Scanner<'a> = Json<'a>;
}

struct EdnSyntax;

impl Syntax for EdnSyntax {
    type Scanner<'a> = edn::Edn<'a>;
}

/// A history of records in one of the syntaxes.
fn records<S>(mut text: Text, options: &Options, limits: &Limits) -> Result<History, InputError>
where
    S: Syntax,
{
    let prelude = match detect::prelude::<S>(text.bytes()) {
        Ok(prelude) => prelude,
        Err(fault) => return Err(fault.located(&text, 0)),
    };
    let mut builder = Builder::default();
    let Prelude { start, shape, header } = prelude;
    header_fields::<S>(&text, header, options, &mut builder)?;
    if let Some(shape) = shape {
        chunks::read::<S>(&mut text, start, shape, limits, &mut builder)?;
    }
    finish(builder, text, options)
}

/// A history of what is no records yet, and is made into them by this reader.
fn rewritten(
    mut text: Text,
    options: &Options,
    limits: &Limits,
    read: impl Fn(&mut Text, &Limits, &mut Builder) -> Result<(), InputError>,
) -> Result<History, InputError> {
    let mut builder = Builder::default();
    header_fields::<JsonSyntax>(&text, None, options, &mut builder)?;
    read(&mut text, limits, &mut builder)?;
    finish(builder, text, options)
}

fn finish(mut builder: Builder, text: Text, options: &Options) -> Result<History, InputError> {
    builder.independent(options.independent);
    if builder.is_empty() {
        let help = "check the path, and whether the test that should have written it ran at all";
        return Err(InputError::new("the file holds no records", help));
    }
    let text = Arc::new(text);
    let told = told::told(options, None, false);
    builder.finish(Box::new(Shared(Arc::clone(&text), told))).map_err(|error| InputError::from_build(error, &text))
}

/// Hands the header's fields to the builder, with the options' fields in place of its own.
fn header_fields<S>(
    text: &Text,
    header: Option<std::ops::Range<usize>>,
    options: &Options,
    builder: &mut Builder,
) -> Result<(), InputError>
where
    S: Syntax,
{
    let mut entries: Vec<(Value, Value)> = Vec::new();
    if let Some(range) = &header {
        let slice = std::str::from_utf8(&text.bytes()[range.clone()]).unwrap_or("");
        let map = whole::<S::Scanner<'_>>(slice, builder.interner());
        let map = map.map_err(|fault| fault.located(text, range.start as u64))?;
        let items = builder.interner().values().items(map);
        entries.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
    }
    told_fields(entries, &options.header, header.is_some(), builder)
}

/// Hands to the builder the fields of a header, with those in place of them that are told beside it.
fn told_fields(
    mut entries: Vec<(Value, Value)>,
    told: &[(String, String)],
    is_there: bool,
    builder: &mut Builder,
) -> Result<(), InputError> {
    for (name, json) in told {
        let value = whole::<Json<'_>>(json, builder.interner()).map_err(|fault| {
            InputError::new(
                format!("the value given for `{name}` is no JSON: {}", fault.message),
                "write null, a number, true, or a string in double quotes",
            )
        })?;
        let name = builder.interner().string(name);
        match entries.iter_mut().find(|entry| entry.0 == name) {
            Some(entry) => entry.1 = value,
            None => entries.push((name, value)),
        }
    }
    let independent = builder.interner().string("independent");
    if let Some((_, value)) = entries.iter().find(|entry| entry.0 == independent)
        && !matches!(*value, Value::TRUE | Value::FALSE)
    {
        let value = builder.interner().values().json(*value, 60);
        return Err(InputError::new(
            format!("`independent` in the header is {value}"),
            "true where values are [key, value] tuples, false where a pair is a plain value",
        ));
    }
    if is_there || !entries.is_empty() {
        // The names differ: those of a map do, and the options replaced theirs.
        if let Ok(map) = builder.interner().map(&entries) {
            builder.header(map);
        }
    }
    Ok(())
}

/// The one value that a text is.
fn whole<'a, S: Scanner<'a>>(text: &'a str, interner: &mut Interner) -> scan::Scan<Value> {
    let mut scanner = S::new(text);
    let token = scanner.token()?;
    let value = ValueReader::default().value(&mut scanner, interner, token)?;
    chunks::epilogue(&mut scanner, false)?;
    Ok(value)
}

#[cfg(test)]
mod tests;
