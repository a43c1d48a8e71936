//! Fressian, the binary format of Jepsen's stores, written out as EDN text.
//!
//! One pass with an explicit stack: each value is appended to the text, and its container puts it right when it is complete
//! (the list behind a map's code becomes a map). Values that were cached are copied, and the text has a limit, so that caches
//! of caches end there. Codes and caches as in `org.fressian.impl.Codes`; structures as Jepsen's store and data.fressian write
//! them. What has another tag is kept under it.

mod frames;
mod words;

use super::scan::DEPTH_LIMIT;
use crate::history::escape_json;
use frames::{Frame, What};
use words::{decimal, negated, text_of, token, unquoted};

/// Why bytes are no Fressian.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// What was found, and where.
    Damaged(String),
    /// The text is longer than it may be.
    TooLong,
}

const OP_FIELDS: [&str; 7] = ["{:index ", ", :time ", ", :type ", ", :process ", ", :f ", ", :value ", " "];

/// How long what is put together from its text may be.
const SMALL: usize = 4 << 10;

/// A structure's tag and its number of values.
#[derive(Clone)]
struct Structure {
    tag: String,
    fields: u64,
}

/// Writes one block's values as EDN.
pub(super) struct Transcriber<'a> {
    bytes: &'a [u8],
    at: usize,
    out: &'a mut String,
    most: usize,
    cache: Vec<Option<String>>,
    /// How many bytes are cached.
    held: usize,
    /// How many values that will be cached are being written.
    caching: usize,
    structures: Vec<Structure>,
    frames: Vec<Frame>,
    /// Whether an operation's value was an independent tuple.
    pub(super) has_tuples: bool,
}

type Done<T> = Result<T, Trouble>;

fn damaged<T>(what: impl Into<String>) -> Done<T> {
    Err(Trouble::Damaged(what.into()))
}

impl<'a> Transcriber<'a> {
    /// For these bytes, to the end of this text, which may become `most` bytes long.
    pub(super) fn new(bytes: &'a [u8], out: &'a mut String, most: usize) -> Transcriber<'a> {
        let (cache, structures, frames) = (Vec::new(), Vec::new(), Vec::new());
        Transcriber { bytes, at: 0, out, most, cache, held: 0, caching: 0, structures, frames, has_tuples: false }
    }

    /// Whether all values were written.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len() || self.bytes[self.at] == 0xcf
    }

    /// Ends the line of the last value.
    pub(super) fn end_line(&mut self) {
        self.out.push('\n');
    }

    fn take(&mut self, count: u64) -> Done<&'a [u8]> {
        let end = usize::try_from(count).ok().and_then(|count| self.at.checked_add(count));
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(bytes) => {
                self.at += bytes.len();
                Ok(bytes)
            }
            None => damaged("a value ends behind the end of its block"),
        }
    }

    fn raw(&mut self, count: u64) -> Done<u64> {
        Ok(self.take(count)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The integer that begins with this code.
    fn int_of(&mut self, code: u8) -> Done<Option<i64>> {
        let packed =
            |zero: u8, bytes: u64, rest: u64| (i64::from(code) - i64::from(zero)) << (8 * bytes) | rest.cast_signed();
        Ok(Some(match code {
            0x00..=0x3f => i64::from(code),
            0xff => -1,
            0x40..=0x5f => packed(0x50, 1, self.raw(1)?),
            0x60..=0x6f => packed(0x68, 2, self.raw(2)?),
            0x70..=0x73 => packed(0x72, 3, self.raw(3)?),
            0x74..=0x77 => packed(0x76, 4, self.raw(4)?),
            0x78..=0x7b => packed(0x7a, 5, self.raw(5)?),
            0x7c..=0x7f => packed(0x7e, 6, self.raw(6)?),
            0xf8 => self.raw(8)?.cast_signed(),
            _ => return Ok(None),
        }))
    }

    fn code(&mut self) -> Done<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or(0))
    }

    fn count(&mut self) -> Done<u64> {
        let code = self.code()?;
        let int = self.int_of(code)?;
        match int.and_then(|int| u64::try_from(int).ok()) {
            Some(count) => Ok(count),
            None => damaged("a length is no number"),
        }
    }

    /// Writes the next value, whole.
    pub(super) fn value(&mut self) -> Done<()> {
        self.frames.clear();
        loop {
            if self.out.len() > self.most {
                return Err(Trouble::TooLong);
            }
            if let Some(frame) = self.frames.last() {
                let open_end = frame.what == What::List { open: true } && self.at >= self.bytes.len();
                let marked = frame.left.is_none() && (open_end || self.bytes.get(self.at) == Some(&0xfd));
                if marked || frame.left == Some(0) {
                    self.at += usize::from(marked && !open_end);
                    if self.close()? {
                        return Ok(());
                    }
                    continue;
                }
                self.separate();
            }
            if self.begin()? && self.complete()? {
                return Ok(());
            }
        }
    }

    /// What stands in front of the next value of the innermost container.
    fn separate(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        match (&frame.what, frame.count) {
            (What::Op, field) => {
                let name = usize::try_from(field).ok().and_then(|field| OP_FIELDS.get(field));
                self.out.push_str(name.unwrap_or(&""));
            }
            (_, 0) => {}
            _ => self.out.push(' '),
        }
        let last = if frame.what == What::Op { 6 } else { 1 };
        if frame.count == last {
            frame.second = self.out.len();
        }
    }

    fn open(&mut self, what: What, left: Option<u64>) -> Done<bool> {
        if self.frames.len() >= DEPTH_LIMIT {
            return damaged(format!("values are nested more than {DEPTH_LIMIT} deep"));
        }
        // What stands in front is written at once: to insert it later would move all that is within.
        match what {
            What::List { .. } | What::Tuple => self.out.push('['),
            What::Set => self.out.push('#'),
            What::Instant => self.out.push_str("#inst-ms "),
            What::Record => self.out.push_str("#record ["),
            _ => {}
        }
        let start = self.out.len();
        self.frames.push(Frame { what, left, count: 0, start, second: start });
        Ok(false)
    }

    /// Takes the next code; true where it was a whole value.
    fn begin(&mut self) -> Done<bool> {
        let mut code = self.code()?;
        while code == 0xfe {
            if self.caching > 0 {
                return damaged("caches are reset within a value that is cached");
            }
            self.cache.clear();
            self.held = 0;
            self.structures.clear();
            code = self.code()?;
        }
        if let Some(int) = self.int_of(code)? {
            self.out.push_str(&int.to_string());
            return Ok(true);
        }
        match code {
            0x80..=0x9f => self.cached(u64::from(code - 0x80)),
            0xa0..=0xaf => self.structure(u64::from(code - 0xa0)),
            // Arrays hold their elements as lists do.
            0xb0..=0xb5 | 0xec => {
                let count = self.count()?;
                self.open(What::List { open: false }, Some(count))
            }
            0xc0 => self.open(What::Map, Some(1)),
            0xc1 => self.open(What::Set, Some(1)),
            0xc3..=0xc5 => {
                self.out.push_str(["#uuid ", "#regex ", "#uri "][usize::from(code - 0xc3)]);
                self.open(What::Itself, Some(1))
            }
            0xc6 => self.open(What::BigInt, Some(1)),
            0xc7 => self.open(What::BigDecimal, Some(2)),
            0xc8 => self.open(What::Instant, Some(1)),
            0xc9 | 0xca => self.open(What::Name { keyword: code == 0xca }, Some(2)),
            0xcc => {
                let at = self.count()?;
                self.cached(at)
            }
            0xcd => {
                self.cache.push(None);
                self.caching += 1;
                self.open(What::Cached(self.cache.len() - 1), Some(1))
            }
            0xd0..=0xd9 => self.binary(code),
            0xda..=0xe3 => self.string(code),
            0xe4..=0xeb => self.open(What::List { open: false }, Some(u64::from(code - 0xe4))),
            0xed | 0xee => self.open(What::List { open: code == 0xee }, None),
            0xef => self.open(What::Tag, Some(2)),
            0xf0 => {
                let at = self.count()?;
                self.structure(at)
            }
            0xf5..=0xf7 => {
                self.out.push_str(["true", "false", "nil"][usize::from(code - 0xf5)]);
                Ok(true)
            }
            0xf9 => {
                let bits = u32::try_from(self.raw(4)?).unwrap_or(0);
                self.float(f64::from(f32::from_bits(bits)))
            }
            0xfa => {
                let bits = self.raw(8)?;
                self.float(f64::from_bits(bits))
            }
            0xfb | 0xfc => self.float(f64::from(code - 0xfb)),
            _ => damaged(format!("the code {code:#04x} is none of Fressian's")),
        }
    }

    fn float(&mut self, float: f64) -> Done<bool> {
        match float {
            float if float.is_nan() => self.out.push_str("##NaN"),
            float if float.is_infinite() => self.out.push_str(if float > 0.0 { "##Inf" } else { "##-Inf" }),
            float => self.out.push_str(&format!("{float:?}")),
        }
        Ok(true)
    }

    fn cached(&mut self, at: u64) -> Done<bool> {
        let value = usize::try_from(at).ok().and_then(|at| self.cache.get(at)).and_then(Option::as_ref);
        match value {
            Some(text) if self.out.len().saturating_add(text.len()) > self.most => Err(Trouble::TooLong),
            Some(text) => {
                self.out.push_str(text);
                Ok(true)
            }
            None => damaged("a value refers to one that was not cached"),
        }
    }

    fn binary(&mut self, code: u8) -> Done<bool> {
        let mut code = code;
        self.out.push_str("#bytes \"");
        loop {
            let length = if code < 0xd8 { u64::from(code - 0xd0) } else { self.count()? };
            let bytes = self.take(length)?;
            if self.out.len().saturating_add(bytes.len() * 2) > self.most {
                return Err(Trouble::TooLong);
            }
            for byte in bytes {
                self.out.push_str(&format!("{byte:02x}"));
            }
            if code != 0xd8 {
                break;
            }
            code = self.code()?;
            if !(0xd0..=0xd9).contains(&code) {
                return damaged("bytes go on with something else");
            }
        }
        self.out.push('"');
        Ok(true)
    }

    fn string(&mut self, code: u8) -> Done<bool> {
        let (mut code, mut bytes) = (code, Vec::new());
        loop {
            let length = if code < 0xe2 { u64::from(code - 0xda) } else { self.count()? };
            bytes.extend_from_slice(self.take(length)?);
            if code != 0xe2 {
                break;
            }
            code = self.code()?;
            if !(0xda..=0xe3).contains(&code) {
                return damaged("a string goes on with something else");
            }
        }
        match text_of(&bytes) {
            Some(text) => escape_json(&text, self.out),
            None => return damaged("a string is no UTF-8"),
        }
        Ok(true)
    }

    fn structure(&mut self, at: u64) -> Done<bool> {
        let known = usize::try_from(at).ok().and_then(|at| self.structures.get(at)).cloned();
        match known {
            Some(structure) => self.enter(&structure),
            None => damaged("a structure refers to one that was not described"),
        }
    }

    /// Opens a structure.
    fn enter(&mut self, structure: &Structure) -> Done<bool> {
        let what = match What::of_structure(&structure.tag, structure.fields) {
            Some(what) => what,
            None => {
                if self.frames.len() >= DEPTH_LIMIT {
                    return damaged(format!("values are nested more than {DEPTH_LIMIT} deep"));
                }
                self.out.push_str(&format!("#{} [", token(&structure.tag).unwrap_or("unknown")));
                What::Tagged
            }
        };
        self.open(what, Some(structure.fields))
    }

    /// A value is complete; true where it was the outermost one.
    fn complete(&mut self) -> Done<bool> {
        let Some(frame) = self.frames.last_mut() else { return Ok(true) };
        frame.count += 1;
        frame.left = frame.left.map(|left| left.saturating_sub(1));
        Ok(false)
    }

    /// The innermost container is complete: puts its text right. True where it was the outermost one.
    fn close(&mut self) -> Done<bool> {
        let Some(frame) = self.frames.pop() else { return Ok(true) };
        let Frame { start, second, .. } = frame;
        if frame.what.is_small() && self.out.len() - start > SMALL {
            return damaged("a name or a number is longer than any");
        }
        match frame.what {
            What::Tuple => {
                self.out.push(']');
                let of_op = self.frames.last().is_some_and(|outer| outer.what == What::Op && outer.count == 5);
                self.has_tuples |= of_op;
            }
            What::List { .. } | What::Tagged | What::Record => self.out.push(']'),
            What::Map => self.bracket(start)?,
            What::Set => self.bracket(start)?,
            What::Itself | What::Instant => {}
            What::Cached(at) => {
                self.caching -= 1;
                let text = self.out[start..].to_owned();
                self.held += text.len();
                if self.held > self.most {
                    return Err(Trouble::TooLong);
                }
                self.cache[at] = Some(text);
            }
            What::Name { keyword } => {
                let (space, name) = (unquoted(&self.out[start..second]), unquoted(&self.out[second..]));
                let name = match (space.as_str(), name) {
                    ("nil", name) => name,
                    (space, name) => format!("{space}/{name}"),
                };
                self.out.truncate(start);
                // A symbol is a string to every reader of histories, and no word of another meaning.
                match token(&name).filter(|_| keyword) {
                    Some(name) => self.out.push_str(&format!(":{name}")),
                    None => escape_json(&name, self.out),
                }
            }
            What::Tag => {
                let (tag, fields) = (unquoted(&self.out[start..second]), self.out[second..].parse());
                self.out.truncate(start);
                let Ok(fields) = fields else { return damaged("a structure has no number of values") };
                let structure = Structure { tag, fields };
                self.structures.push(structure.clone());
                self.enter(&structure)?;
                return Ok(false);
            }
            What::BigInt | What::BigDecimal | What::Ratio => {
                let second = second.max(start);
                let (first, rest) = (decimal(&self.out[start..second]), decimal(&self.out[second..]));
                let (alone, negative) = (decimal(&self.out[start..]), rest.as_deref().map(negated));
                self.out.truncate(start);
                let number = match (frame.what, alone, first, rest) {
                    (What::BigInt, Some(int), ..) => format!("{int}N"),
                    (What::Ratio, _, Some(above), Some(below)) => format!("{above}/{below}"),
                    (_, _, Some(digits), Some(_)) => format!("{digits}e{}M", negative.unwrap_or_default()),
                    _ => return damaged("a number is none"),
                };
                self.out.push_str(&number);
            }
            What::Char => {
                let code = self.out[start..].parse().ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
                self.out.truncate(start);
                escape_json(code.encode_utf8(&mut [0; 4]), self.out);
            }
            What::Op => {
                // The other fields are a map, or nothing: its entries become the operation's own.
                match self.out.as_bytes().get(second) {
                    Some(b'{') => {
                        self.out.replace_range(second..=second, " ");
                        self.out.pop();
                    }
                    _ if &self.out[second..] == "nil" => self.out.truncate(second),
                    _ => return damaged("an operation's other fields are no map"),
                }
                self.out.push('}');
            }
        }
        self.complete()
    }

    /// The list that begins there becomes a map or a set.
    fn bracket(&mut self, start: usize) -> Done<()> {
        if self.out.as_bytes().get(start) != Some(&b'[') || !self.out.ends_with(']') {
            return damaged("a map or a set has no list of its entries");
        }
        self.out.replace_range(start..=start, "{");
        self.out.pop();
        self.out.push('}');
        Ok(())
    }
}
