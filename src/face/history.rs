//! Reading a history.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::history;
use crate::ingest::{self, Format as InputFormat, InputError, Source};
use crate::workload::Workload;

/// The recorded history of a system's operations, whole and immutable.
///
/// JSON, JSON Lines, EDN, Jepsen's text and store, and Porcupine's operations are read, plain or compressed (gzip, zstd); the
/// format is found by content.
///
/// ```
/// use anachron::History;
///
/// let history = History::from_bytes(r#"
///     {"process": 0, "type": "invoke", "f": "write", "value": 1}
///     {"process": 0, "type": "ok",     "f": "write", "value": 1}
/// "#)?;
/// assert_eq!((history.records(), history.operations()), (2, 1));
///
/// // A history that was cut off while it was written is not judged by what is left of it.
/// let error = History::from_bytes(r#"{"process": 0, "type": "inv"#).unwrap_err();
/// assert_eq!((error.line, error.column), (Some(1), Some(28)));
/// # Ok::<(), anachron::InputError>(())
/// ```
pub struct History {
    pub(super) source: String,
    pub(super) columns: history::History,
}

impl History {
    /// Reads a file.
    ///
    /// # Errors
    /// It can't be read, or is no history: where, what was found, and what to do.
    pub fn read(path: impl AsRef<Path>) -> Result<History, InputError> {
        History::options().read(path)
    }

    /// Reads bytes in memory.
    ///
    /// # Errors
    /// They are no history: where, what was found, and what to do.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<History, InputError> {
        History::options().from_bytes(bytes)
    }

    /// Reads a stream to its end.
    ///
    /// # Errors
    /// It can't be read, or is no history: where, what was found, and what to do.
    pub fn from_reader(reader: impl Read + Send + 'static) -> Result<History, InputError> {
        History::options().from_reader(reader)
    }

    /// To say what can't be seen from a history itself, or how much it may take to read it.
    #[must_use]
    pub fn options() -> ReadOptions {
        ReadOptions::default()
    }

    /// The same history, under the name by which reports and baselines shall know it.
    #[must_use]
    pub fn named(mut self, source: impl Into<String>) -> History {
        self.source = source.into();
        self
    }

    /// What reports call it: its path, `bytes` or `stream`, or the name that it was given.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// How many records it has, a header not counted.
    #[must_use]
    pub fn records(&self) -> u32 {
        self.columns.records()
    }

    /// How many operations it has: an invocation and its completion are one, observers' records are none.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.columns.len()
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("source", &self.source)
            .field("records", &self.records())
            .field("operations", &self.operations())
            .finish_non_exhaustive()
    }
}

/// How a history is read: see [`History::options`].
///
/// ```
/// use anachron::{History, Workload};
///
/// let history = History::options()
///     .workload(Workload::Register)
///     .initial("null")
///     .max_memory(1 << 30)
///     .read("histories/etcd/cas-register.jsonl")?;
/// # Ok::<(), anachron::InputError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    told: ingest::Options,
    timeout: Option<Duration>,
}

impl ReadOptions {
    /// How the history is written, where its content doesn't show it.
    #[must_use]
    pub fn format(mut self, format: InputFormat) -> ReadOptions {
        self.told.format = Some(format);
        self
    }

    /// What its functions mean, where that is not clear from them.
    #[must_use]
    pub fn workload(self, workload: Workload) -> ReadOptions {
        self.header("workload", format!("\"{}\"", workload.name()))
    }

    /// The initial value of every object, as JSON; `"unknown"`, with its quotes: the first read tells it.
    #[must_use]
    pub fn initial(self, json: impl Into<String>) -> ReadOptions {
        self.header("initial", json)
    }

    /// A field of the history's header, as JSON, in place of what the header says.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, json: impl Into<String>) -> ReadOptions {
        let name = name.into();
        self.told.header.retain(|(other, _)| *other != name);
        self.told.header.push((name, json.into()));
        self
    }

    /// Whether values are Jepsen's independent tuples, `[key, value]`.
    #[must_use]
    pub fn independent(mut self, independent: bool) -> ReadOptions {
        self.told.independent = Some(independent);
        self
    }

    /// The most bytes that the history may take; not said: no limit. Set one where you read what others send.
    #[must_use]
    pub fn max_memory(mut self, bytes: u64) -> ReadOptions {
        self.told.max_memory = Some(bytes);
        self
    }

    /// The longest that reading may take; not said: no limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> ReadOptions {
        self.timeout = Some(timeout);
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It can't be read, or is no history: where, what was found, and what to do.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<History, InputError> {
        self.source(Source::File(path.as_ref().to_owned()))
    }

    /// Reads bytes in memory.
    ///
    /// # Errors
    /// They are no history: where, what was found, and what to do.
    pub fn from_bytes(&self, bytes: impl Into<Vec<u8>>) -> Result<History, InputError> {
        self.source(Source::Bytes { name: "bytes".to_owned(), bytes: bytes.into() })
    }

    /// Reads a stream to its end.
    ///
    /// # Errors
    /// It can't be read, or is no history: where, what was found, and what to do.
    pub fn from_reader(&self, reader: impl Read + Send + 'static) -> Result<History, InputError> {
        self.source(Source::Stream { name: "stream".to_owned(), reader: Box::new(reader) })
    }

    fn source(&self, source: Source) -> Result<History, InputError> {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let name = source.name();
        let columns = ingest::read(source, &ingest::Options { deadline, ..self.told.clone() })?;
        Ok(History { source: name, columns })
    }
}
