//! The scanner of EDN, as Clojure prints it: keywords and symbols are strings without their colon, characters are strings of
//! one character, ratios and big decimals stay exact under a tag, and `#_` and `;` hide what they hide.

use super::error::Fault;
use super::scan::{DEPTH_LIMIT, Field, Kind, Scan, Scanner, TEXT_LIMIT, Token, too_deep, too_long};

/// A cursor over EDN text.
#[derive(Debug)]
pub(super) struct Edn<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    scratch: String,
    /// The open containers of what is being skipped.
    open: Vec<Skipped>,
}

/// A container that is being skipped.
#[derive(Clone, Copy, Debug)]
struct Skipped {
    kind: Kind,
    /// Whether it had an odd number of forms so far.
    odd: bool,
    /// How many of the forms that follow are discarded.
    discarded: usize,
    /// Whether a tag waits for its form.
    tagged: bool,
}

const NOT_EDN: &str = "the file is no EDN from here on: check what wrote it";

/// Whether a token (a number, a symbol, a keyword, a tag) ends before this byte.
#[inline]
fn ends_token(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b',' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b';' | b'\\')
}

impl<'a> Edn<'a> {
    #[inline]
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Skips white space, commas and comments.
    #[inline]
    fn space(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b' ' | b',' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c | 0x1c..=0x1f => self.at += 1,
                b';' => {
                    let rest = &self.bytes[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                _ => break,
            }
        }
    }

    /// Skips white space, comments and discarded forms.
    #[inline]
    fn solid(&mut self) -> Scan<Option<u8>> {
        self.space();
        match self.peek(0) {
            Some(b'#') if self.peek(1) == Some(b'_') => self.discard(),
            byte => Ok(byte),
        }
    }

    #[cold]
    fn discard(&mut self) -> Scan<Option<u8>> {
        let mut pending = 0usize;
        loop {
            self.space();
            if self.bytes[self.at..].starts_with(b"#_") {
                self.at += 2;
                pending += 1;
            } else if pending == 0 {
                return Ok(self.peek(0));
            } else {
                self.skip_form()?;
                pending -= 1;
            }
        }
    }

    /// Skips one form.
    fn skip_form(&mut self) -> Scan<()> {
        let frame = |kind| Skipped { kind, odd: false, discarded: 0, tagged: false };
        self.open.clear();
        let mut top = frame(Kind::List);
        loop {
            self.space();
            if self.bytes[self.at..].starts_with(b"#_") {
                self.at += 2;
                top.discarded += 1;
                continue;
            }
            if !self.open.is_empty() && self.peek(0) == Some(top.kind.close()) {
                if top.discarded > 0 || top.tagged || (top.kind == Kind::Map && top.odd) {
                    return Err(self.unexpected("a value"));
                }
                self.at += 1;
                top = self.open.pop().unwrap_or(top);
            } else {
                match self.form()? {
                    Token::Open(_) if self.open.len() >= DEPTH_LIMIT => return Err(too_deep(self.at)),
                    Token::Open(kind) => {
                        self.open.push(top);
                        top = frame(kind);
                        continue;
                    }
                    Token::Tag(_) => {
                        top.tagged |= top.discarded == 0;
                        continue;
                    }
                    _ => {}
                }
            }
            // A form is complete.
            if top.discarded > 0 {
                top.discarded -= 1;
            } else {
                top.odd = !top.odd;
                top.tagged = false;
                if self.open.is_empty() {
                    return Ok(());
                }
            }
        }
    }

    /// The text from the cursor on until the token ends.
    #[inline]
    fn word(&mut self, start: usize) -> &'a str {
        let mut end = start;
        while self.bytes.get(end).is_some_and(|byte| !ends_token(*byte)) {
            end += 1;
        }
        self.at = end;
        &self.text[start..end]
    }

    #[cold]
    fn unexpected(&self, expected: &str) -> Box<Fault> {
        Fault::unexpected(self.text, self.at, expected, NOT_EDN)
    }

    /// What begins at the cursor, where there is no white space.
    #[inline]
    fn form(&mut self) -> Scan<Token<'a>> {
        let start = self.at;
        let Some(byte) = self.peek(0) else { return Err(Fault::cut(start)) };
        let open = |scanner: &mut Self, kind| {
            scanner.at += 1;
            Ok(Token::Open(kind))
        };
        match byte {
            b'[' => open(self, Kind::Vector),
            b'{' => open(self, Kind::Map),
            b'(' => open(self, Kind::List),
            b'"' => self.string(),
            b':' => {
                let word = self.word(start + 1);
                if word.is_empty() {
                    return Err(self.unexpected("a name after `:`"));
                }
                Ok(Token::Str(word))
            }
            b'0'..=b'9' => self.number(),
            b'+' | b'-' if self.peek(1).is_some_and(|b| b.is_ascii_digit()) => self.number(),
            b'#' => self.dispatch(),
            b'\\' => self.character(),
            b')' | b']' | b'}' | b'\'' | b'`' | b'~' | b'@' | b'^' | 0 => Err(self.unexpected("a value")),
            _ => Ok(match self.word(start) {
                "nil" => Token::Null,
                "true" => Token::Bool(true),
                "false" => Token::Bool(false),
                "" => return Err(self.unexpected("a value")),
                symbol => Token::Str(symbol),
            }),
        }
    }

    fn string(&mut self) -> Scan<Token<'a>> {
        let start = self.at + 1;
        let rest = &self.bytes[start..];
        let Some(length) = memchr::memchr2(b'"', b'\\', rest) else { return Err(Fault::cut(self.bytes.len())) };
        let mut at = start + length;
        if self.bytes[at] == b'"' && length <= TEXT_LIMIT {
            self.at = at + 1;
            return Ok(Token::Str(&self.text[start..at]));
        }
        self.scratch.clear();
        let mut plain = start;
        loop {
            if at - start > TEXT_LIMIT {
                return Err(too_long(start - 1));
            }
            self.scratch.push_str(&self.text[plain..at]);
            plain = at;
            match self.bytes.get(at) {
                None => return Err(Fault::cut(at)),
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Token::Escaped);
                }
                Some(b'\\') => {
                    at = self.escape(at)?;
                    plain = at;
                }
                Some(_) => {
                    at += memchr::memchr2(b'"', b'\\', &self.bytes[at..]).unwrap_or(self.bytes.len() - at);
                }
            }
        }
    }

    /// Takes the escape at `at`, and gives the offset behind it.
    fn escape(&mut self, at: usize) -> Scan<usize> {
        let (character, behind) = match self.bytes.get(at + 1) {
            Some(b'u') => {
                let unit = self.unit(at + 2)?;
                // A pair of surrogates, as Java writes characters beyond U+FFFF.
                if (0xd800..0xdc00).contains(&unit) && self.bytes.get(at + 6..at + 8) == Some(b"\\u") {
                    let low = self.unit(at + 8)?;
                    let code = 0x10000 + ((unit - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                    (char::from_u32(code).filter(|_| (0xdc00..0xe000).contains(&low)), at + 12)
                } else {
                    (char::from_u32(unit), at + 6)
                }
            }
            Some(b'0'..=b'7') => {
                let digits = self.bytes[at + 1..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
                (octal(&self.text[at + 1..at + 1 + digits]), at + 1 + digits)
            }
            Some(byte) => {
                let plain = match byte {
                    b't' => '\t',
                    b'r' => '\r',
                    b'n' => '\n',
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'"' | b'\\' => char::from(*byte),
                    _ => {
                        let expected = "one of \" \\ t r n b f u after a backslash";
                        return Err(Fault::unexpected(self.text, at + 1, expected, "a backslash itself is \\\\"));
                    }
                };
                (Some(plain), at + 2)
            }
            None => return Err(Fault::cut(at + 1)),
        };
        match character {
            Some(character) => self.scratch.push(character),
            None => return Err(Fault::new(at, "this escape is no character", "half of a surrogate pair is none")),
        }
        Ok(behind)
    }

    /// The four hexadecimal digits at `at`.
    fn unit(&self, at: usize) -> Scan<u32> {
        let mut unit = 0;
        for i in at..at + 4 {
            let Some(digit) = self.bytes.get(i).and_then(|b| char::from(*b).to_digit(16)) else {
                return Err(Fault::unexpected(self.text, i, "four hexadecimal digits after \\u", NOT_EDN));
            };
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }

    /// `\a`, `\newline`, `\u0041`, `\o101`.
    fn character(&mut self) -> Scan<Token<'a>> {
        let start = self.at;
        let Some(first) = self.text[start + 1..].chars().next() else { return Err(Fault::cut(start + 1)) };
        let name = start + 1;
        self.word(name + first.len_utf8());
        let word = &self.text[name..self.at];
        let hex = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        let named = match word {
            "newline" => Some('\n'),
            "space" => Some(' '),
            "tab" => Some('\t'),
            "return" => Some('\r'),
            "backspace" => Some('\u{8}'),
            "formfeed" => Some('\u{c}'),
            _ if word.len() == first.len_utf8() => return Ok(Token::Str(word)),
            _ if first == 'u' && word.len() == 5 => hex(&word[1..]),
            _ if first == 'o' => octal(&word[1..]),
            _ => None,
        };
        let Some(character) = named else {
            return Err(Fault::new(start, format!("`\\{word}` is no character"), NOT_EDN));
        };
        self.scratch.clear();
        self.scratch.push(character);
        Ok(Token::Escaped)
    }

    fn number(&mut self) -> Scan<Token<'a>> {
        let start = self.at;
        let word = self.word(start);
        let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = unsigned.split_at(digits);
        let sign = &word[..word.len() - unsigned.len()];
        let token = match rest {
            "" | "N" if digits == 1 || !whole.starts_with('0') => {
                let text = &word[..sign.len() + digits];
                Some(text.parse().map_or(Token::Integer(text), Token::Int))
            }
            "" | "N" => None,
            _ if rest.starts_with('/') => ratio(word, whole, &rest[1..]),
            _ if rest.starts_with(['x', 'X']) && whole == "0" => {
                i64::from_str_radix(&format!("{sign}{}", rest[1..].trim_end_matches('N')), 16).ok().map(Token::Int)
            }
            _ if rest.ends_with('M') => {
                let decimal = &word[..word.len() - 1];
                decimal.parse::<f64>().ok().map(|_| Token::Exact("decimal", decimal))
            }
            _ => word.parse::<f64>().ok().filter(|float| float.is_finite()).map(Token::Float),
        };
        token.ok_or_else(|| {
            Fault::new(start, format!("`{}` is no number", word.chars().take(40).collect::<String>()), NOT_EDN)
        })
    }

    /// What begins with `#`.
    fn dispatch(&mut self) -> Scan<Token<'a>> {
        let start = self.at;
        match self.peek(1) {
            Some(b'{') => {
                self.at += 2;
                Ok(Token::Open(Kind::Set))
            }
            Some(b'"') => {
                self.at += 1;
                self.string()
            }
            Some(b'#') => match self.word(start + 2) {
                "Inf" => Ok(Token::Float(f64::INFINITY)),
                "-Inf" => Ok(Token::Float(f64::NEG_INFINITY)),
                "NaN" => Ok(Token::Float(f64::NAN)),
                name => {
                    let cut = self.at == self.bytes.len() && ["Inf", "-Inf", "NaN"].iter().any(|n| n.starts_with(name));
                    Err(if cut { Fault::cut(self.at) } else { Fault::new(start, "no such number", NOT_EDN) })
                }
            },
            Some(byte) if byte == b':' || byte.is_ascii_alphabetic() => Ok(Token::Tag(self.word(start + 1))),
            _ => {
                self.at += 1;
                Err(self.unexpected("a tag, a set or a symbolic value after `#`"))
            }
        }
    }

    /// The key of a record.
    fn field(&mut self) -> Scan<Field> {
        match self.token()? {
            Token::Str(name) => Ok(Field::named(name)),
            Token::Escaped => Ok(Field::named(&self.scratch)),
            Token::Open(kind) => {
                self.at -= if kind == Kind::Set { 2 } else { 1 };
                self.skip_form()?;
                Ok(Field::Other)
            }
            Token::Tag(_) => {
                self.skip_form()?;
                Ok(Field::Other)
            }
            _ => Ok(Field::Other),
        }
    }
}

fn octal(digits: &str) -> Option<char> {
    u32::from_str_radix(digits, 8).ok().filter(|code| *code <= 0o377).and_then(char::from_u32)
}

fn ratio<'a>(word: &'a str, numerator: &str, denominator: &str) -> Option<Token<'a>> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (digits(numerator) && digits(denominator) && denominator.bytes().any(|b| b != b'0'))
        .then_some(Token::Exact("ratio", word))
}

impl<'a> Scanner<'a> for Edn<'a> {
    fn new(text: &'a str) -> Self {
        Edn { text, bytes: text.as_bytes(), at: 0, scratch: String::new(), open: Vec::new() }
    }

    fn text(&self) -> &'a str {
        self.text
    }

    fn at(&self) -> usize {
        self.at
    }

    fn seek(&mut self, at: usize) {
        self.at = at;
    }

    fn blank(&mut self) -> Scan<()> {
        self.solid().map(|_| ())
    }

    #[inline]
    fn token(&mut self) -> Scan<Token<'a>> {
        self.solid()?;
        self.form()
    }

    fn key(&mut self) -> Scan<Token<'a>> {
        self.token()
    }

    fn first_field(&mut self) -> Scan<Option<Field>> {
        if self.first(Kind::Map)? { self.field().map(Some) } else { Ok(None) }
    }

    fn next_field(&mut self) -> Scan<Option<Field>> {
        self.first_field()
    }

    #[inline]
    fn colon(&mut self) -> Scan<()> {
        Ok(())
    }

    #[inline]
    fn first(&mut self, kind: Kind) -> Scan<bool> {
        let closed = self.solid()? == Some(kind.close());
        self.at += usize::from(closed);
        Ok(!closed)
    }

    #[inline]
    fn more(&mut self, kind: Kind) -> Scan<bool> {
        self.first(kind)
    }

    fn next_record(&mut self, kind: Kind) -> Scan<bool> {
        self.first(kind)
    }

    fn delimits(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), Some(b',' | b']' | b')' | b'}' | b' ' | b'\n' | b'\r' | b'\t'))
    }

    fn skip(&mut self) -> Scan<()> {
        self.solid()?;
        self.skip_form()
    }

    fn scratch(&self) -> &str {
        &self.scratch
    }
}
