//! Jepsen's store, `test.jepsen`: its history, as EDN text.
//!
//! A store is a header (`JEPSEN`, a version, where the index is) and blocks, each with its length, checksum and type; the index
//! says where each block is, and which one is the test. The test is a Fressian map, whose `:history` refers to a big vector of
//! chunks of operations, or (in old stores) to one list of them. Layout as in `jepsen.store.format`; a block's header has 28
//! bytes, 14 of them zero. A run that crashed has all chunks that were sealed, and is read so far only if its index says so.

use std::collections::BTreeMap;

use super::edn::Edn;
use super::error::InputError;
use super::fressian::{Transcriber, Trouble};
use super::limits::Limits;
use super::scan::{Kind, Scan, Scanner, Token};
use crate::verdict::StoppedBy;

const MAGIC: &[u8] = b"JEPSEN";

/// How long the header of a block is.
const HEADER: u64 = 28;

/// Whether these are the bytes of a store.
pub(super) fn looks_like_store(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

fn damaged(message: impl Into<String>) -> InputError {
    InputError::new(
        format!("this Jepsen store can't be read: {}", message.into()),
        "a partly read history is not judged: copy the store again, or give the `history.edn` or `history.txt` beside it",
    )
}

/// A block: its type, and what it holds.
struct Block<'a> {
    kind: u16,
    body: &'a [u8],
}

struct Store<'a> {
    bytes: &'a [u8],
    offsets: BTreeMap<u32, u64>,
    limits: &'a Limits,
    has_tuples: bool,
}

/// The history as EDN, a record a line, with a header where its values are independent tuples.
///
/// # Errors
/// A store that is damaged, has no history, or has more than the limits.
pub(super) fn history_of(bytes: &[u8], limits: &Limits) -> Result<String, InputError> {
    let mut store = Store { bytes, offsets: BTreeMap::new(), limits, has_tuples: false };
    let version = number(bytes, 6, 4).ok_or_else(|| damaged("it ends within its header"))?;
    if version > 1 {
        return Err(damaged(format!("its version is {version}, and versions 0 and 1 are known")));
    }
    let index = number(bytes, 10, 8).filter(|index| *index > 0);
    let index = index.ok_or_else(|| damaged("it has no index: the test crashed before it stored anything"))?;
    let root = store.index(index)?;
    let test = store.block(root)?;
    let fields = match test.kind {
        2 => test.body,
        3 => test.body.get(4..).unwrap_or(&[]),
        kind => return Err(damaged(format!("its test is in a block of type {kind}"))),
    };
    let mut text = String::new();
    store.values(fields, &mut text)?;
    let history = history_block(&text).ok().flatten();
    let history = history.ok_or_else(|| damaged("its test has no history"))?;
    let mut out = String::new();
    let block = store.block(history)?;
    match block.kind {
        5 => {
            for chunk in chunks(block.body) {
                let block = store.block(chunk)?;
                store.values(block.body, &mut out)?;
            }
        }
        _ => store.values(block.body, &mut out)?,
    }
    if out.trim() == "nil" {
        return Err(damaged("its history was never sealed: the test crashed while it ran"));
    }
    Ok(if store.has_tuples { format!("{{:history {{:independent true}}}}\n{out}") } else { out })
}

impl<'a> Store<'a> {
    /// Reads the index at this offset; the block of the test.
    fn index(&mut self, offset: u64) -> Result<u32, InputError> {
        let block = self.block_at(offset)?;
        if block.kind != 1 {
            return Err(damaged(format!("its index is in a block of type {}", block.kind)));
        }
        let id = |at: usize| number(block.body, at, 4).and_then(|id| u32::try_from(id).ok());
        let root = id(0).ok_or_else(|| damaged("its index is empty"))?;
        let mut at = 4;
        while let (Some(id), Some(offset)) = (id(at), number(block.body, at + 4, 8)) {
            self.offsets.insert(id, offset);
            at += 12;
        }
        Ok(root)
    }

    fn block(&self, id: u32) -> Result<Block<'a>, InputError> {
        match self.offsets.get(&id) {
            Some(offset) => self.block_at(*offset),
            None => Err(damaged(format!("its index knows no block {id}"))),
        }
    }

    /// The block at this offset, its checksum verified.
    fn block_at(&self, offset: u64) -> Result<Block<'a>, InputError> {
        self.limits.in_time()?;
        let cut = || damaged(format!("the block at byte {offset} is cut off"));
        let start = usize::try_from(offset).map_err(|_| cut())?;
        let length = number(self.bytes, start, 8).filter(|length| *length >= HEADER).ok_or_else(cut)?;
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length)).ok_or_else(cut)?;
        let whole = self.bytes.get(start..end).ok_or_else(cut)?;
        let (header, body) = whole.split_at(28);
        let mut crc = flate2::Crc::new();
        crc.update(body);
        // The header counts with zeros in place of the checksum.
        crc.update(&header[..8]);
        crc.update(&[0; 4]);
        crc.update(&header[12..]);
        if number(header, 8, 4) != Some(u64::from(crc.sum())) {
            return Err(damaged(format!("the block at byte {offset} is not what its checksum says")));
        }
        Ok(Block { kind: number(header, 12, 2).and_then(|kind| u16::try_from(kind).ok()).unwrap_or(0), body })
    }

    /// Writes all values of a block, a line each.
    fn values(&mut self, body: &[u8], out: &mut String) -> Result<(), InputError> {
        let most = usize::try_from(self.limits.left()).unwrap_or(usize::MAX);
        let mut transcriber = Transcriber::new(body, out, most);
        while !transcriber.is_at_end() {
            transcriber.value().map_err(|trouble| match trouble {
                Trouble::Damaged(what) => damaged(what),
                Trouble::TooLong => self.limits.error(StoppedBy::Memory),
            })?;
            transcriber.end_line();
            self.limits.in_time()?;
        }
        self.has_tuples |= transcriber.has_tuples;
        Ok(())
    }
}

/// An unsigned number, the highest byte first.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The blocks of a big vector: its length, and then for each chunk its first index and its block.
fn chunks(body: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let entries = body.get(8..).unwrap_or(&[]).chunks_exact(12);
    entries.filter_map(|entry| u32::try_from(number(entry, 8, 4)?).ok())
}

/// The block to which the test's `:history` refers.
fn history_block(test: &str) -> Scan<Option<u32>> {
    let mut scanner = Edn::new(test);
    if scanner.token()? != Token::Open(Kind::Map) {
        return Ok(None);
    }
    let mut more = scanner.first(Kind::Map)?;
    while more {
        if scanner.key()? == Token::Str("history") {
            return Ok(match (scanner.token()?, scanner.token()?, scanner.token()?) {
                (Token::Tag(_), Token::Open(Kind::Vector), Token::Int(id)) => u32::try_from(id).ok(),
                _ => None,
            });
        }
        scanner.skip()?;
        more = scanner.more(Kind::Map)?;
    }
    Ok(None)
}
