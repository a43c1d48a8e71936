//! How the records before this one were written: one writer writes them alike, so the next field is expected where it was.

use super::Json;
use crate::ingest::scan::{Field, Scan, Scanner as _, Token, word};

/// How many fields of a record are expected where those of the one before it were.
pub(super) const SHAPE: usize = 16;

/// All bytes from one value of a record to the next: a comma, the name, a colon, and the white space that this writer puts there.
///
/// Records of one writer are written alike. To expect what was there before costs two comparisons, and more than that, the
/// place where the next value begins does not wait for the text to be looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    field: Field,
    /// How many bytes; 0 where nothing is known.
    length: u8,
    /// The first eight of them, of which `mask` count.
    head: u64,
    mask: u64,
    /// The last eight, where there are more than eight; else the same again.
    tail: u64,
    tail_mask: u64,
}

impl Written {
    pub(super) const NOTHING: Written =
        Written { field: Field::Other, length: 0, head: 1, mask: 0, tail: 0, tail_mask: 0 };

    /// These bytes, if there are at most sixteen.
    fn new(field: Field, bytes: &[u8]) -> Written {
        let Some(length) = u8::try_from(bytes.len()).ok().filter(|length| *length <= 16) else {
            return Written::NOTHING;
        };
        let load = |bytes: &[u8]| {
            bytes.iter().rev().fold((0u64, 0u64), |(word, mask), b| (word << 8 | u64::from(*b), mask << 8 | 0xff))
        };
        let (head, mask) = load(&bytes[..bytes.len().min(8)]);
        let (tail, tail_mask) = load(&bytes[bytes.len().saturating_sub(8)..]);
        Written { field, length, head, mask, tail, tail_mask }
    }
}

impl Json<'_> {
    /// The next field, if it is written as that of the record before this one was.
    #[inline]
    pub(super) fn expected(&mut self) -> Option<Field> {
        let written = self.shape.get(self.turn)?;
        let length = usize::from(written.length);
        let head = word(self.bytes, self.at)?;
        let tail = word(self.bytes, (self.at + length).saturating_sub(8).max(self.at))?;
        if head & written.mask != written.head || tail & written.tail_mask != written.tail {
            return None;
        }
        self.at += length;
        self.turn += 1;
        Some(written.field)
    }

    /// The field whose name begins after white space, and how it is written from `start` on.
    pub(super) fn field(&mut self, start: usize) -> Scan<Field> {
        let field = match self.key()? {
            Token::Str(name) => Field::named(name),
            _ => Field::named(&self.scratch),
        };
        self.colon()?;
        if self.peek() == Some(b' ') {
            self.at += 1;
        }
        if let Some(written) = self.shape.get_mut(self.turn) {
            *written = Written::new(field, &self.bytes[start..self.at]);
        }
        self.turn += 1;
        Ok(field)
    }
}
