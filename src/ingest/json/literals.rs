//! What stands between the brackets: strings, numbers, and the words `true`, `false` and `null`.

use super::Json;
use crate::ingest::error::Fault;
use crate::ingest::scan::{Scan, TEXT_LIMIT, Token, too_long, word, zero_bytes};

const QUOTES: u64 = 0x2222_2222_2222_2222;
const BACKSLASHES: u64 = 0x5c5c_5c5c_5c5c_5c5c;

/// A mask that marks the bytes which end the plain part of a string (quotes, backslashes, control characters); exact in its
/// lowest set bit.
#[inline]
pub(super) fn specials(word: u64) -> u64 {
    let controls = word.wrapping_sub(0x2020_2020_2020_2020) & !word & 0x8080_8080_8080_8080;
    zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES) | controls
}

const STRING_HELP: &str = "write the character as an escape, such as \\n or \\u0001";

impl<'a> Json<'a> {
    /// The string whose opening quote is at the cursor.
    #[inline]
    pub(super) fn string(&mut self) -> Scan<Token<'a>> {
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
    pub(super) fn number(&mut self) -> Scan<Token<'a>> {
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

    pub(super) fn literal(&mut self, literal: &'static str, token: Token<'a>) -> Scan<Token<'a>> {
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
