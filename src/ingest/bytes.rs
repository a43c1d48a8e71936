//! The bytes of a source, at hand as one slice: files are mapped, compressed and piped input is held in memory while it is
//! small and goes to an unlinked temporary file when it is not. What can be no history is refused before all of it was read.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use memmap2::Mmap;

use super::Source;
use super::error::InputError;
use super::limits::Limits;
use super::store;
use super::{Format, detect};

/// All bytes of a source, without its byte order mark.
#[derive(Debug)]
pub(super) struct Bytes {
    store: Store,
    start: usize,
}

#[derive(Debug)]
enum Store {
    Held(Vec<u8>),
    Mapped(Mmap),
}

impl Bytes {
    /// The bytes.
    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.store.as_slice()[self.start..]
    }
}

impl Store {
    fn as_slice(&self) -> &[u8] {
        match self {
            Store::Held(bytes) => bytes,
            Store::Mapped(map) => map,
        }
    }
}

/// Input that is not a mapped file stays in memory up to this size.
const HELD: usize = if cfg!(test) { 3 << 10 } else { 64 << 20 };

/// All bytes of a source, decompressed, of the format that was told if one was. What is held or spooled stays within the
/// limits.
///
/// # Errors
/// What can't be opened, read or decompressed, is larger than the limit, takes longer, or begins like no history.
pub(super) fn load(source: Source, told: Option<Format>, limits: &Limits) -> Result<Bytes, InputError> {
    let spooler = Spooler { told, limits };
    let store = match source {
        Source::File(path) => spooler.open(&path)?,
        Source::Bytes { bytes, .. } => match compression(&bytes) {
            Some(compression) => spooler.spool(compression.decode(Box::new(&bytes[..]))?)?,
            None => Store::Held(bytes),
        },
        Source::Stream { reader, .. } => spooler.stream(move || Ok(reader))?,
    };
    // Jepsen's store is a container, too: its history is read as the EDN that it is.
    let store = match store.as_slice() {
        bytes if store::looks_like_store(bytes) => Store::Held(store::history_of(bytes, limits)?.into_bytes()),
        _ => store,
    };
    if let Store::Held(bytes) = &store {
        limits.hold_input(bytes.len() as u64);
    }
    let start = text_start(store.as_slice())?;
    Ok(Bytes { store, start })
}

/// Where the text begins behind a byte order mark.
///
/// # Errors
/// Text that is not UTF-8, as its first bytes show.
fn text_start(bytes: &[u8]) -> Result<usize, InputError> {
    let utf_16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
        || matches!(bytes, [first, 0, second, 0, ..] | [0, first, 0, second, ..] if *first != 0 && *second != 0);
    if utf_16 {
        return Err(InputError::new(
            "the file is UTF-16",
            "a history is UTF-8: convert it (`iconv -f UTF-16 -t UTF-8`)",
        ));
    }
    Ok(if bytes.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 })
}

#[expect(
    unsafe_code,
    reason = "mapping a file is the one way to have all of it as a slice without a copy; the map is \
                                private and read only, and a file that shrinks meanwhile is outside of what anyone can \
                                promise (it ends the process)"
)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: nothing in this process writes to the file, and the text is checked before use; see the reason above.
    unsafe { Mmap::map(file) }
}

/// A reader whose bytes come from a thread of their own: a pipe that says nothing does not outlast the deadline. (The thread
/// does, until the pipe says something or the process ends.)
struct Patient {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Cursor<Vec<u8>>,
    deadline: Instant,
}

impl Patient {
    fn new(
        open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static,
        deadline: Instant,
    ) -> io::Result<Patient> {
        let (sender, blocks) = sync_channel(2);
        std::thread::Builder::new().name("input".to_owned()).spawn(move || {
            let mut reader = match open() {
                Ok(reader) => reader,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let mut buffer = vec![0; BLOCK];
            loop {
                let block = match reader.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) => Ok(buffer[..count].to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = block.is_err();
                if sender.send(block).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Patient { blocks, block: Cursor::new(Vec::new()), deadline })
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.block.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.blocks.recv_timeout(left) {
                Ok(block) => self.block = Cursor::new(block?),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    fn decode<'a>(self, reader: Box<dyn Read + 'a>) -> Result<Box<dyn Read + 'a>, InputError> {
        match self {
            Compression::Gzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(reader))),
            Compression::Zstd => match zstd::stream::read::Decoder::new(reader) {
                Ok(decoder) => Ok(Box::new(decoder)),
                Err(error) => Err(InputError::io(&error)),
            },
        }
    }
}

fn compression(head: &[u8]) -> Option<Compression> {
    match head {
        [0x1f, 0x8b, ..] => Some(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
        // A frame that decoders skip, as some compressors put first.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Compression::Zstd),
        _ => None,
    }
}

/// Gets all bytes of what is no plain file.
struct Spooler<'a> {
    told: Option<Format>,
    limits: &'a Limits,
}

/// How much is read at once.
const BLOCK: usize = 256 << 10;

impl Spooler<'_> {
    fn open(&self, path: &Path) -> Result<Store, InputError> {
        // What is asked first does not wait, as opening a pipe does until somebody writes to it.
        let metadata = path.metadata().map_err(|error| InputError::io(&error))?;
        if metadata.is_dir() {
            return Err(InputError::new(
                "this is a directory",
                "name the files in it: a folder is searched for names that end in .jsonl, .ndjson, .json or .edn",
            ));
        }
        if !metadata.is_file() {
            let path = path.to_owned();
            return self.stream(move || Ok(Box::new(File::open(path)?)));
        }
        let file = File::open(path).map_err(|error| InputError::io(&error))?;
        if metadata.len() == 0 {
            return Ok(Store::Held(Vec::new()));
        }
        let map = map(&file).map_err(|error| InputError::io(&error))?;
        match compression(&map) {
            Some(compression) => self.spool(compression.decode(Box::new(&map[..]))?),
            None => Ok(Store::Mapped(map)),
        }
    }

    fn stream(
        &self,
        open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static,
    ) -> Result<Store, InputError> {
        let failed = |error: io::Error| self.failed(&error);
        let mut reader: Box<dyn Read> = match self.limits.deadline() {
            Some(deadline) => Box::new(Patient::new(open, deadline).map_err(failed)?),
            None => open().map_err(failed)?,
        };
        let mut head = Vec::new();
        reader.by_ref().take(4).read_to_end(&mut head).map_err(failed)?;
        match compression(&head) {
            None => self.spool(Box::new(Cursor::new(head).chain(reader))),
            Some(compression) => self.spool(compression.decode(Box::new(Cursor::new(head).chain(reader)))?),
        }
    }

    /// Reads to the end, into memory or a temporary file.
    fn spool(&self, mut reader: Box<dyn Read + '_>) -> Result<Store, InputError> {
        let limit = self.limits.memory();
        let most_held = HELD.min(usize::try_from(limit / 4).unwrap_or(usize::MAX));
        let mut held = Vec::new();
        let mut file: Option<File> = None;
        let mut total = 0u64;
        let mut buffer = vec![0; BLOCK];
        loop {
            self.limits.in_time()?;
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(&error)),
            };
            total += count as u64;
            if total > limit {
                return Err(self.limits.too_much_input());
            }
            if let Some(file) = &mut file {
                file.write_all(&buffer[..count]).map_err(|error| no_room(&error))?;
                continue;
            }
            held.extend_from_slice(&buffer[..count]);
            if held.len() > most_held {
                // So much of it shows whether it can be a history at all: no disk is filled with what is none.
                let text = held[text_start(&held)?..].trim_ascii_start();
                if !text.is_empty() && !store::looks_like_store(text) {
                    detect::format(text, self.told)?;
                }
                let mut spooled = tempfile::tempfile().map_err(|error| no_room(&error))?;
                spooled.write_all(&held).map_err(|error| no_room(&error))?;
                held = Vec::new();
                file = Some(spooled);
            }
        }
        match file {
            None => Ok(Store::Held(held)),
            Some(file) => Ok(Store::Mapped(map(&file).map_err(|error| no_room(&error))?)),
        }
    }

    /// Why nothing more can be read.
    fn failed(&self, error: &io::Error) -> InputError {
        self.limits.in_time().err().unwrap_or_else(|| damaged(error))
    }
}

fn damaged(error: &io::Error) -> InputError {
    let message = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed input is cut off, or something else follows it".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => format!("the compressed input is damaged: {error}"),
        _ => return InputError::io(error),
    };
    InputError::new(message, "a partly read history is not judged: fetch or write the file again")
}

fn no_room(error: &io::Error) -> InputError {
    InputError::new(
        format!("the input does not fit into a temporary file: {error}"),
        "large piped or compressed input is spooled: point TMPDIR to a place with room, or give an uncompressed file",
    )
}
