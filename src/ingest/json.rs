//! The scanner of JSON (RFC 8259), over text that is known to be UTF-8.

use super::advice;
use super::error::Fault;
use super::scan::{DEPTH_LIMIT, Field, Kind, Scan, Scanner, TEXT_LIMIT, Token, too_deep, too_long, word, zero_bytes};

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

/// How many fields of a record are expected where those of the one before it were.
const SHAPE: usize = 16;

/// All bytes from one value of a record to the next: a comma, the name, a colon, and the white space that this writer puts there.
///
/// Records of one writer are written alike. To expect what was there before costs two comparisons, and more than that, the
/// place where the next value begins does not wait for the text to be looked at.
#[derive(Clone, Copy, Debug)]
struct Written {
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
    const NOTHING: Written = Written { field: Field::Other, length: 0, head: 1, mask: 0, tail: 0, tail_mask: 0 };

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

const QUOTES: u64 = 0x2222_2222_2222_2222;
const BACKSLASHES: u64 = 0x5c5c_5c5c_5c5c_5c5c;

/// A mask that marks the bytes which end the plain part of a string (quotes, backslashes, control characters); exact in its
/// lowest set bit.
#[inline]
fn specials(word: u64) -> u64 {
    let controls = word.wrapping_sub(0x2020_2020_2020_2020) & !word & 0x8080_8080_8080_8080;
    zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES) | controls
}

const STRING_HELP: &str = "write the character as an escape, such as \\n or \\u0001";

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

    /// The string whose opening quote is at the cursor.
    #[inline]
    fn string(&mut self) -> Scan<Token<'a>> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            if let Some(word) = word(self.bytes, at) {
                let found = specials(word);
                if found == 0 {
                    at += 8;
                    continue;
                }
                at += (found.trailing_zeros() / 8) as usize;
            }
            match self.bytes.get(at) {
                Some(b'"') if at - start > TEXT_LIMIT => return Err(too_long(start - 1)),
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Token::Str(&self.text[start..at]));
                }
                Some(b'\\') => return self.escaped(start, at),
                Some(0..=0x1f) | None => return Err(self.control(at)),
                Some(_) => at += 1,
            }
        }
    }

    #[cold]
    fn control(&self, at: usize) -> Box<Fault> {
        Fault::unexpected(self.text, at, "the rest of a string", STRING_HELP)
    }

    /// The rest of a string with its first escape at `at`.
    #[cold]
    fn escaped(&mut self, start: usize, mut at: usize) -> Scan<Token<'a>> {
        self.scratch.clear();
        let mut plain = start;
        loop {
            if at - start > TEXT_LIMIT {
                return Err(too_long(start - 1));
            }
            self.scratch.push_str(&self.text[plain..at]);
            plain = at;
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Token::Escaped);
                }
                Some(b'\\') => {
                    at = self.escape(at)?;
                    plain = at;
                }
                Some(0..=0x1f) | None => return Err(self.control(at)),
                Some(_) => {
                    while self.bytes.get(at).is_some_and(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)) {
                        at += 1;
                    }
                }
            }
        }
    }

    /// Takes the escape at `at`, and gives the offset behind it.
    fn escape(&mut self, at: usize) -> Scan<usize> {
        let character = match self.bytes.get(at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.unit(at + 2)?;
                let (character, behind) = match unit {
                    0xd800..=0xdbff => match (self.bytes.get(at + 6), self.bytes.get(at + 7)) {
                        (Some(b'\\'), Some(b'u')) => {
                            let low = self.unit(at + 8)?;
                            let code = 0x10000 + ((unit - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                            (char::from_u32(code).filter(|_| (0xdc00..0xe000).contains(&low)), at + 12)
                        }
                        (None, _) | (Some(b'\\'), None) => return Err(Fault::cut(self.text.len())),
                        _ => (None, at + 6),
                    },
                    _ => (char::from_u32(unit), at + 6),
                };
                let Some(character) = character else {
                    return Err(Fault::new(
                        at,
                        "this escape is half of a surrogate pair",
                        "a character beyond U+FFFF is written as two escapes, a high and a low one",
                    ));
                };
                self.scratch.push(character);
                return Ok(behind);
            }
            _ => {
                let expected = "one of \" \\ / b f n r t u after a backslash";
                return Err(Fault::unexpected(self.text, at + 1, expected, "a backslash itself is written \\\\"));
            }
        };
        self.scratch.push(character);
        Ok(at + 2)
    }

    /// The four hexadecimal digits at `at`.
    fn unit(&self, at: usize) -> Scan<u32> {
        let mut unit = 0;
        for i in at..at + 4 {
            let digit = self.bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
            let Some(digit) = digit else {
                return Err(Fault::unexpected(self.text, i, "four hexadecimal digits after \\u", STRING_HELP));
            };
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }

    #[inline]
    fn number(&mut self) -> Scan<Token<'a>> {
        let start = self.at;
        let negative = self.bytes[start] == b'-';
        let first = start + usize::from(negative);
        let (mut at, mut int) = (first, 0i64);
        while let Some(digit) = self.bytes.get(at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
            if at - first == 18 {
                return self.long_number();
            }
            int = int * 10 + i64::from(digit);
            at += 1;
        }
        let leading = at - first > 1 && self.bytes[first] == b'0';
        if at == first || leading || matches!(self.bytes.get(at), Some(b'.' | b'e' | b'E')) {
            return self.long_number();
        }
        self.at = at;
        Ok(Token::Int(if negative { -int } else { int }))
    }

    /// A number of any form.
    #[cold]
    fn long_number(&mut self) -> Scan<Token<'a>> {
        let start = self.at;
        let digits = |mut at: usize| {
            while self.bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let missing = |at| Err(Fault::unexpected(self.text, at, "a digit", "this is no number of JSON"));
        let first = start + usize::from(self.bytes[start] == b'-');
        let mut at = digits(first);
        if at == first {
            return missing(at);
        }
        if at - first > 1 && self.bytes[first] == b'0' {
            return Err(Fault::new(first, "a number begins with 0", "leave leading zeros out, or write a string"));
        }
        let mut whole = true;
        if self.bytes.get(at) == Some(&b'.') {
            whole = false;
            let fraction = at + 1;
            at = digits(fraction);
            if at == fraction {
                return missing(at);
            }
        }
        if matches!(self.bytes.get(at), Some(b'e' | b'E')) {
            whole = false;
            let exponent = at + 1 + usize::from(matches!(self.bytes.get(at + 1), Some(b'+' | b'-')));
            at = digits(exponent);
            if at == exponent {
                return missing(at);
            }
        }
        let text = &self.text[start..at];
        self.at = at;
        if whole {
            return Ok(text.parse().map_or(Token::Integer(text), Token::Int));
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Token::Float(float)),
            _ => Err(Fault::new(start, "this number is too large for 64 bits", "write it as an integer or a string")),
        }
    }

    fn literal(&mut self, literal: &'static str, token: Token<'a>) -> Scan<Token<'a>> {
        let end = self.at + literal.len();
        let found = self.bytes.get(self.at..end.min(self.bytes.len())).unwrap_or(&[]);
        if found == literal.as_bytes() {
            self.at = end;
            Ok(token)
        } else if literal.as_bytes().starts_with(found) {
            Err(Fault::cut(self.bytes.len()))
        } else {
            Err(self.unexpected("a value"))
        }
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
    /// The next field, if it is written as that of the record before this one was.
    #[inline]
    fn expected(&mut self) -> Option<Field> {
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
    fn field(&mut self, start: usize) -> Scan<Field> {
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
