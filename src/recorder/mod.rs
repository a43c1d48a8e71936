//! Writes histories: for test harnesses in Rust, one recorder shared by all their threads.
//!
//! A [`Recorder`] writes one JSON record a line, as [`crate::ingest`] reads them. Two rules make what it writes usable as
//! evidence. An invocation is recorded *before* the operation can begin and a completion *after* it has ended, so the
//! order of the lines never claims more real time than there was. And lines leave memory in the order in which they were
//! recorded, so a process that is killed leaves a prefix of its history: operations in flight at the end have no
//! completion, and count as `info`.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("history.jsonl");
//! use anachron::recorder::Recorder;
//!
//! let recorder = Recorder::create(&path)?;
//! std::thread::scope(|scope| {
//!     for number in 0..4u32 {
//!         let mut client = recorder.client(number).node("db-1");
//!         scope.spawn(move || -> std::io::Result<()> {
//!             let write = client.invoke("write", "x", number)?;
//!             // ... call the database here, and tell what became of it: ok, fail or info.
//!             write.ok(number)
//!         });
//!     }
//! });
//! recorder.flush()?;
//! assert_eq!(std::fs::read_to_string(&path)?.lines().count(), 8);
//! # Ok(())
//! # }
//! ```

mod line;
mod name;

pub use name::Name;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use line::{Line, Type};

/// Lines are written to the file when so many bytes wait ...
const BUFFER: usize = 1 << 16;
/// ... or when a record comes so long after the last writing.
const PATIENCE: Duration = Duration::from_millis(100);

/// Writes a history, from any number of threads. Clones write to the same history.
///
/// Lines wait in memory until 64 KiB have gathered or a record comes 100 ms after the last writing, and are written by
/// [`Recorder::flush`] and when the last clone and client are dropped. A killed process loses what waits, and nothing
/// before it. [`Recorder::unbuffered`] writes each line at once.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
}

impl Recorder {
    /// A recorder that writes to this file, which is emptied if it exists.
    ///
    /// # Errors
    /// The file can't be created.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Recorder> {
        Ok(Recorder::to_writer(File::create(path)?))
    }

    /// A recorder that writes to anything: whole lines, several at a time.
    pub fn to_writer(writer: impl Write + Send + 'static) -> Recorder {
        let began = Instant::now();
        let page =
            Page { writer: Box::new(writer), waiting: Vec::new(), written: began, patience: PATIENCE, broken: None };
        Recorder { shared: Arc::new(Shared { began, page: Mutex::new(page) }) }
    }

    /// The same, with each line written at once: nothing is lost when the process is killed, at the price of a system call
    /// a record.
    #[must_use]
    pub fn unbuffered(self) -> Recorder {
        self.shared.page().patience = Duration::ZERO;
        self
    }

    /// Writes a header, such as `{"workload": "register", "initial": 0}`: it must come before the first record.
    ///
    /// # Errors
    /// What waits can't be written, or the fields can't be JSON.
    pub fn header(&self, fields: impl Serialize) -> io::Result<()> {
        #[derive(Serialize)]
        struct Header<T> {
            history: T,
        }
        self.shared.page().take(&Header { history: fields })
    }

    /// A client: a process that does one operation at a time. Give each thread its own, under its own name.
    #[must_use]
    pub fn client(&self, process: impl Into<Name>) -> Client {
        Client { shared: self.shared.clone(), process: process.into(), node: None, session: None }
    }

    /// Records what an observer saw at this moment (a nemesis, an audit, a server's log): a point in time, no operation.
    /// The observer's name must be no client's.
    ///
    /// # Errors
    /// What waits can't be written, or the value can't be JSON.
    pub fn observe(&self, observer: impl Into<Name>, f: &str, value: impl Serialize) -> io::Result<()> {
        self.shared.record(Line { value: Some(value), ..Line::new(Type::Info, &observer.into(), f) })
    }

    /// The same, about one key.
    ///
    /// # Errors
    /// As [`Recorder::observe`].
    pub fn observe_key(
        &self,
        observer: impl Into<Name>,
        f: &str,
        key: impl Into<Name>,
        value: impl Serialize,
    ) -> io::Result<()> {
        let key = key.into();
        self.shared.record(Line { key: Some(&key), value: Some(value), ..Line::new(Type::Info, &observer.into(), f) })
    }

    /// Writes all lines that wait.
    ///
    /// # Errors
    /// They can't be written.
    pub fn flush(&self) -> io::Result<()> {
        self.shared.page().flush()
    }
}

/// One process of the history: it has one operation in flight at a time, which the borrow of [`Client::invoke`] sees to.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    process: Name,
    node: Option<Name>,
    session: Option<Name>,
}

impl Client {
    /// The server that it talks to from here on.
    #[must_use]
    pub fn node(mut self, node: impl Into<Name>) -> Client {
        self.node = Some(node.into());
        self
    }

    /// The session that it acts for from here on, where that is not the process: a user who moves between connections.
    #[must_use]
    pub fn session(mut self, session: impl Into<Name>) -> Client {
        self.session = Some(session.into());
        self
    }

    /// Records that an operation on one key is about to begin: call this before the request is sent. The value is the
    /// argument; `()` is null, as for a read.
    ///
    /// # Errors
    /// What waits can't be written, or the value can't be JSON. Then the operation must not be done: nobody would know of it.
    pub fn invoke(&mut self, f: &str, key: impl Into<Name>, value: impl Serialize) -> io::Result<Pending<'_>> {
        self.begin(f, Some(key.into()), value)
    }

    /// The same, for an operation on no key of its own: a transaction, or a history of one object.
    ///
    /// # Errors
    /// As [`Client::invoke`].
    pub fn invoke_keyless(&mut self, f: &str, value: impl Serialize) -> io::Result<Pending<'_>> {
        self.begin(f, None, value)
    }

    fn begin(&mut self, f: &str, key: Option<Name>, value: impl Serialize) -> io::Result<Pending<'_>> {
        self.record(Type::Invoke, f, key.as_ref(), Some(value), None)?;
        Ok(Pending { client: self, f: f.to_owned(), key, is_final: false, told: false })
    }

    fn record(
        &self,
        kind: Type,
        f: &str,
        key: Option<&Name>,
        value: Option<impl Serialize>,
        error: Option<&str>,
    ) -> io::Result<()> {
        let line = Line::new(kind, &self.process, f);
        let (node, session) = (self.node.as_ref(), self.session.as_ref());
        self.shared.record(Line { key, node, session, error, value, ..line })
    }
}

/// An operation in flight. Tell what became of it; dropped without a word, it is recorded as `info`: nobody knows.
#[derive(Debug)]
#[must_use = "an operation of which nothing is told is recorded as info"]
pub struct Pending<'c> {
    client: &'c Client,
    f: String,
    key: Option<Name>,
    is_final: bool,
    told: bool,
}

impl Pending<'_> {
    /// It certainly happened, with this result: what a read returned, what a write wrote.
    ///
    /// # Errors
    /// What waits can't be written, or the value can't be JSON.
    pub fn ok(self, value: impl Serialize) -> io::Result<()> {
        self.tell(Type::Ok, Some(value), None)
    }

    /// It certainly did not happen, and never will. When in doubt, it is [`Pending::info`].
    ///
    /// # Errors
    /// What waits can't be written.
    pub fn fail(self, error: &str) -> io::Result<()> {
        self.tell(Type::Fail, None::<()>, Some(error))
    }

    /// Nobody knows: a timeout, a lost connection, a server's error that doesn't say.
    ///
    /// # Errors
    /// What waits can't be written.
    pub fn info(self, error: &str) -> io::Result<()> {
        self.tell(Type::Info, None::<()>, Some(error))
    }

    /// It is a read made after everything settled.
    pub fn last(mut self) -> Self {
        self.is_final = true;
        self
    }

    fn tell(mut self, kind: Type, value: Option<impl Serialize>, error: Option<&str>) -> io::Result<()> {
        self.told = true;
        let client = self.client;
        let line = Line::new(kind, &client.process, &self.f);
        let (node, session) = (client.node.as_ref(), client.session.as_ref());
        let line = Line { key: self.key.as_ref(), node, session, error, value, is_final: self.is_final, ..line };
        client.shared.record(line)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.told {
            // Without this line the operation has no completion, which means the same.
            let _ =
                self.client.record(Type::Info, &self.f, self.key.as_ref(), None::<()>, Some("nothing was told of it"));
        }
    }
}

/// What the clones of one recorder and its clients share.
#[derive(Debug)]
struct Shared {
    began: Instant,
    page: Mutex<Page>,
}

impl Shared {
    fn page(&self) -> MutexGuard<'_, Page> {
        // A thread that panicked here left whole lines: they are taken or cut off as one.
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a record at the end of the history. Time is taken where the place is, so that both have one order.
    fn record<T: Serialize>(&self, mut line: Line<'_, T>) -> io::Result<()> {
        let mut page = self.page();
        line.time = i64::try_from(self.began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        page.take(&line)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Who must know whether all was written calls `flush`.
        let _ = self.page().flush();
    }
}

/// The lines that wait, and where they go.
struct Page {
    writer: Box<dyn Write + Send>,
    waiting: Vec<u8>,
    written: Instant,
    patience: Duration,
    /// Why nothing more is written: after half a line, nothing that follows could be read.
    broken: Option<String>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl Page {
    fn take(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.usable()?;
        let start = self.waiting.len();
        if let Err(error) = serde_json::to_writer(&mut self.waiting, line) {
            self.waiting.truncate(start);
            return Err(error.into());
        }
        self.waiting.push(b'\n');
        if self.waiting.len() >= BUFFER || self.written.elapsed() >= self.patience { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.usable()?;
        let written = self.writer.write_all(&self.waiting).and_then(|()| self.writer.flush());
        self.waiting.clear();
        self.written = Instant::now();
        self.broken = written.as_ref().err().map(io::Error::to_string);
        written
    }

    fn usable(&self) -> io::Result<()> {
        match &self.broken {
            None => Ok(()),
            Some(why) => Err(io::Error::other(format!("the history ends where it could not be written before: {why}"))),
        }
    }
}
