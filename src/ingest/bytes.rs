//! The bytes of a source, at hand as one slice: files are mapped, compressed and piped input is held in memory while it is
//! small and goes to an unlinked temporary file when it is not.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use memmap2::Mmap;

use super::Source;
use super::error::InputError;

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

/// All bytes of a source, decompressed. At most `limit` bytes are held or spooled.
///
/// # Errors
/// What can't be opened, read or decompressed, and what is larger than the limit.
pub(super) fn load(source: Source, limit: Option<u64>) -> Result<Bytes, InputError> {
    let limit = limit.unwrap_or(u64::MAX);
    let store = match source {
        Source::File(path) => open(&path, limit)?,
        Source::Bytes { bytes, .. } => match compression(&bytes) {
            Some(compression) => spool(compression.decode(Box::new(&bytes[..]))?, limit)?,
            None => Store::Held(bytes),
        },
        Source::Stream { reader, .. } => stream(reader, limit)?,
    };
    let mut start = 0;
    let bytes = store.as_slice();
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        start = 3;
    } else if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(InputError::new(
            "the file is UTF-16",
            "a history is UTF-8: convert it (`iconv -f UTF-16 -t UTF-8`)",
        ));
    }
    Ok(Bytes { store, start })
}

fn open(path: &Path, limit: u64) -> Result<Store, InputError> {
    let file = File::open(path).map_err(|error| InputError::io(&error))?;
    let metadata = file.metadata().map_err(|error| InputError::io(&error))?;
    if metadata.is_dir() {
        return Err(InputError::new("this is a directory", "name the files in it"));
    }
    if !metadata.is_file() {
        return stream(Box::new(file), limit);
    }
    if metadata.len() == 0 {
        return Ok(Store::Held(Vec::new()));
    }
    let map = map(&file).map_err(|error| InputError::io(&error))?;
    match compression(&map) {
        Some(compression) => spool(compression.decode(Box::new(&map[..]))?, limit),
        None => Ok(Store::Mapped(map)),
    }
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

fn stream(mut reader: Box<dyn Read + Send>, limit: u64) -> Result<Store, InputError> {
    let mut head = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut head).map_err(|error| InputError::io(&error))?;
    match compression(&head) {
        None => spool(Box::new(Cursor::new(head).chain(reader)), limit),
        Some(compression) => spool(compression.decode(Box::new(Cursor::new(head).chain(reader)))?, limit),
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

/// Reads to the end, into memory or a temporary file.
fn spool(mut reader: Box<dyn Read + '_>, limit: u64) -> Result<Store, InputError> {
    let mut held = Vec::new();
    let mut file: Option<File> = None;
    let mut total = 0u64;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(&error)),
        };
        total += count as u64;
        if total > limit {
            return Err(InputError::new(
                format!("the input is larger than the memory limit of {limit} bytes"),
                "raise `--max-memory`, or give the history as an uncompressed file, which is not held in memory",
            ));
        }
        if let Some(file) = &mut file {
            file.write_all(&buffer[..count]).map_err(|error| no_room(&error))?;
        } else {
            held.extend_from_slice(&buffer[..count]);
            if held.len() > HELD {
                let mut spooled = tempfile::tempfile().map_err(|error| no_room(&error))?;
                spooled.write_all(&held).map_err(|error| no_room(&error))?;
                held = Vec::new();
                file = Some(spooled);
            }
        }
    }
    match file {
        None => Ok(Store::Held(held)),
        Some(file) => Ok(Store::Mapped(map(&file).map_err(|error| no_room(&error))?)),
    }
}

fn damaged(error: &io::Error) -> InputError {
    let message = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed input is cut off".to_owned(),
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
