//! The scanner of JSON (RFC 8259), over text that is known to be UTF-8.

mod literals;
mod written;

use super::advice;
use super::error::Fault;
use super::scan::{DEPTH_LIMIT, Field, Kind, Scan, Scanner, Token, too_deep, word};
use literals::specials;
use written::{SHAPE, Written};

/// A cursor over JSON text.
#[derive(Debug)]
pub(super) struct Json<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    scratch: String,
    /// The open containers of what is being skipped.
    open: Vec<Kind>,
    /// How the fields of the record before this one were written, in order.
    shape: [Written; SHAPE],
    /// How many fields of this record were taken.
    turn: usize,
}

impl<'a> Json<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is no white space.
    #[inline]
    fn solid(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[cold]
    fn unexpected(&self, expected: &str) -> Box<Fault> {
        let (before, found) = self.text.split_at_checked(self.at).unwrap_or((self.text, ""));
        let help = advice::no_json(before, found);
        Fault::unexpected(self.text, self.at, expected, help)
    }
}

impl<'a> Scanner<'a> for Json<'a> {
    fn new(text: &'a str) -> Self {
        Json {
            text,
            bytes: text.as_bytes(),
            at: 0,
            scratch: String::new(),
            open: Vec::new(),
            shape: [Written::NOTHING; SHAPE],
            turn: 0,
        }
    }

    #[inline]
    fn text(&self) -> &'a str {
        self.text
    }

    #[inline]
    fn at(&self) -> usize {
        self.at
    }

    #[inline]
    fn seek(&mut self, at: usize) {
        self.at = at;
    }

    #[inline]
    fn blank(&mut self) -> Scan<()> {
        self.solid();
        Ok(())
    }

    #[inline]
    fn token(&mut self) -> Scan<Token<'a>> {
        match self.solid() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'[') => {
                self.at += 1;
                Ok(Token::Open(Kind::Vector))
            }
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Open(Kind::Map))
            }
            Some(b'n') => self.literal("null", Token::Null),
            Some(b't') => self.literal("true", Token::Bool(true)),
            Some(b'f') => self.literal("false", Token::Bool(false)),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn key(&mut self) -> Scan<Token<'a>> {
        match self.solid() {
            Some(b'"') => self.string(),
            _ => Err(self.unexpected("a name in double quotes")),
        }
    }

    #[inline]
    fn first_field(&mut self) -> Scan<Option<Field>> {
        self.turn = 0;
        match self.expected() {
            Some(field) => Ok(Some(field)),
            None if self.first(Kind::Map)? => self.field(self.at).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_field(&mut self) -> Scan<Option<Field>> {
        match self.expected() {
            Some(field) => Ok(Some(field)),
            None => {
                let start = self.at;
                if self.more(Kind::Map)? { self.field(start).map(Some) } else { Ok(None) }
            }
        }
    }

    #[inline]
    fn quick_int(&mut self) -> Option<i64> {
        let start = self.at + usize::from(self.peek() == Some(b' '));
        let (mut at, mut int) = (start, 0i64);
        // A loop over digits beats arithmetic on eight of them at once: where it ends is predicted, and so the next field
        // is looked at before the number is known.
        while let Some(digit) = self.bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            int = int.wrapping_mul(10).wrapping_add(i64::from(digit));
            at += 1;
        }
        let leading = at - start > 1 && self.bytes[start] == b'0';
        if at == start || at - start > 18 || leading || !matches!(self.bytes.get(at), Some(b',' | b']' | b'}')) {
            return None;
        }
        self.at = at;
        Some(int)
    }

    #[inline]
    fn quick_name(&mut self) -> Option<u64> {
        let start = self.at + usize::from(self.peek() == Some(b' '));
        if self.bytes.get(start) != Some(&b'"') {
            return None;
        }
        let word = word(self.bytes, start + 1)?;
        let special = specials(word);
        let bits = special.trailing_zeros() & 0x38;
        if special == 0 || (word >> bits) & 0xff != u64::from(b'"') {
            return None;
        }
        self.at = start + bits as usize / 8 + 2;
        Some(word & ((1 << bits) - 1) | u64::from(bits) << 53)
    }

    #[inline]
    fn colon(&mut self) -> Scan<()> {
        if self.solid() != Some(b':') {
            return Err(self.unexpected("`:` between a name and its value"));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn first(&mut self, kind: Kind) -> Scan<bool> {
        let closed = self.solid() == Some(kind.close());
        self.at += usize::from(closed);
        Ok(!closed)
    }

    #[inline]
    fn more(&mut self, kind: Kind) -> Scan<bool> {
        match self.solid() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == kind.close() => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.unexpected(if kind == Kind::Map { "`,` or `}`" } else { "`,` or `]`" })),
        }
    }

    fn next_record(&mut self, kind: Kind) -> Scan<bool> {
        let more = self.more(kind)?;
        if more && self.solid() == Some(kind.close()) {
            return Err(self.unexpected("another record after the comma"));
        }
        Ok(more)
    }

    #[inline]
    fn delimits(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), Some(b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t'))
    }

    #[inline]
    fn skip(&mut self) -> Scan<()> {
        match self.token()? {
            Token::Open(kind) => self.skip_container(kind),
            _ => Ok(()),
        }
    }

    fn scratch(&self) -> &str {
        &self.scratch
    }
}

impl Json<'_> {
    /// Skips a container whose opening bracket was taken.
    fn skip_container(&mut self, kind: Kind) -> Scan<()> {
        self.open.clear();
        self.open.push(kind);
        let mut more = self.first(kind)?;
        while let Some(kind) = self.open.last().copied() {
            if !more {
                self.open.pop();
                if let Some(outer) = self.open.last().copied() {
                    more = self.more(outer)?;
                }
                continue;
            }
            if kind == Kind::Map {
                self.key()?;
                self.colon()?;
            }
            match self.token()? {
                Token::Open(inner) => {
                    if self.open.len() >= DEPTH_LIMIT {
                        return Err(too_deep(self.at));
                    }
                    self.open.push(inner);
                    more = self.first(inner)?;
                }
                _ => more = self.more(kind)?,
            }
        }
        Ok(())
    }
}
