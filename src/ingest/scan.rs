//! What a scanner of one syntax offers, so that one reader of records serves all of them.
//!
//! A scanner is pulled: it gives a scalar or says that a container opens, and then, element by element, whether another one
//! follows. It never recurses; who builds values keeps the stack.

use super::error::Fault;

/// How deep containers may be nested.
pub(super) const DEPTH_LIMIT: usize = 10_000;

/// A container, by its closing bracket and its meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `[...]`
    Vector,
    /// `(...)`, a list of EDN
    List,
    /// `{...}`
    Map,
    /// `#{...}`, a set of EDN
    Set,
}

impl Kind {
    /// What closes it.
    #[inline]
    pub(super) fn close(self) -> u8 {
        match self {
            Kind::Vector => b']',
            Kind::List => b')',
            Kind::Map | Kind::Set => b'}',
        }
    }

    /// Whether it is an ordered list.
    #[inline]
    pub(super) fn is_list(self) -> bool {
        matches!(self, Kind::Vector | Kind::List)
    }
}

/// What begins at a place: a whole scalar, or a container's opening bracket.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Token<'a> {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer of any size, by its digits and sign.
    Integer(&'a str),
    /// A floating-point number.
    Float(f64),
    /// A string without escapes.
    Str(&'a str),
    /// A string with escapes, which is in [`Scanner::scratch`] until the next token.
    Escaped,
    /// A number that is neither integer nor binary floating point: its kind and its text.
    Exact(&'static str, &'a str),
    /// A container opens.
    Open(Kind),
    /// A tag, which belongs to the value that follows.
    Tag(&'a str),
}

/// A field of a record that means something to anachron.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Field {
    /// `type`
    Type,
    /// `process`
    Process,
    /// `f`
    F,
    /// `value`
    Value,
    /// `key`
    Key,
    /// `index`
    Index,
    /// `time`
    Time,
    /// `node`
    Node,
    /// `session`
    Session,
    /// `version`
    Version,
    /// `final`
    Final,
    /// Any other: kept in the file only.
    Other,
}

impl Field {
    /// Their names, in the order of their numbers.
    pub(super) const NAMES: [&'static str; 11] =
        ["type", "process", "f", "value", "key", "index", "time", "node", "session", "version", "final"];

    /// By its name; `:f` is `f`, and Jepsen's workloads call `final` also `final?` and `final-read?`.
    pub(super) fn named(name: &str) -> Field {
        match name.strip_prefix(':').unwrap_or(name) {
            "type" => Field::Type,
            "process" => Field::Process,
            "f" => Field::F,
            "value" => Field::Value,
            "key" => Field::Key,
            "index" => Field::Index,
            "time" => Field::Time,
            "node" => Field::Node,
            "session" => Field::Session,
            "version" => Field::Version,
            "final" | "final?" | "final-read?" => Field::Final,
            _ => Field::Other,
        }
    }

    /// As histories spell it.
    pub(super) fn name(self) -> &'static str {
        Field::NAMES.get(self as usize).copied().unwrap_or("other")
    }
}

/// The result of scanning: faults are rare and large, so they are boxed.
pub(super) type Scan<T> = Result<T, Box<Fault>>;

/// A cursor over text of one syntax.
pub(super) trait Scanner<'a>: Sized {
    /// Over this text, from its start.
    fn new(text: &'a str) -> Self;
    /// The whole text.
    fn text(&self) -> &'a str;
    /// The offset of the next byte.
    fn at(&self) -> usize;
    /// Goes on from this offset, which has to be one where it was before.
    fn seek(&mut self, at: usize);
    /// Skips what separates top-level values: white space, and comments where the syntax has them.
    fn blank(&mut self) -> Scan<()>;
    /// The value that begins here, after white space.
    fn token(&mut self) -> Scan<Token<'a>>;
    /// The key of a map that begins here.
    fn key(&mut self) -> Scan<Token<'a>>;
    /// The first key of a record whose opening bracket was taken, with all that separates it from its value; nothing where
    /// the record is closed.
    fn first_field(&mut self) -> Scan<Option<Field>>;
    /// After a value of a record: its next key, as [`Scanner::first_field`].
    fn next_field(&mut self) -> Scan<Option<Field>>;
    /// The small whole number that begins here, if one plainly does; else nothing is taken, and [`Scanner::token`] decides.
    #[inline]
    fn quick_int(&mut self) -> Option<i64> {
        None
    }
    /// The string of at most seven bytes that begins here, packed as by [`packed`], if one plainly does; else nothing is
    /// taken, and [`Scanner::token`] decides.
    #[inline]
    fn quick_name(&mut self) -> Option<u64> {
        None
    }
    /// What separates a key from its value.
    fn colon(&mut self) -> Scan<()>;
    /// After a container's opening: whether it has an element. If not, it is closed.
    fn first(&mut self, kind: Kind) -> Scan<bool>;
    /// After an element: whether another one follows. If not, the container is closed.
    fn more(&mut self, kind: Kind) -> Scan<bool>;
    /// Between records of a list: skips what separates them, and says whether the list goes on; if not, it is closed. At the
    /// end of the text, it goes on.
    fn next_record(&mut self, kind: Kind) -> Scan<bool>;
    /// Whether an element ends at this offset, if it can.
    fn delimits(&self, at: usize) -> bool;
    /// Skips one value, checking its syntax.
    fn skip(&mut self) -> Scan<()>;
    /// The last [`Token::Escaped`].
    fn scratch(&self) -> &str;
}

/// A text of at most seven bytes as a number of its own: its bytes, the first one lowest, and its length in the highest.
pub(super) const fn packed(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let (mut packed, mut at) = (bytes.len() as u64, 7);
    while at > 0 {
        at -= 1;
        packed = packed << 8 | if at < bytes.len() { bytes[at] as u64 } else { 0 };
    }
    packed
}

/// The text that [`packed`] gave this number, in a buffer.
pub(super) fn unpacked(packed: u64, buffer: &mut [u8; 8]) -> &str {
    *buffer = packed.to_le_bytes();
    let length = usize::from(buffer[7]).min(7);
    std::str::from_utf8(&buffer[..length]).unwrap_or("")
}

/// The next eight bytes, as one number whose lowest byte comes first.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let slice = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(slice.try_into().ok()?))
}

/// A mask with the highest bit of each byte that is zero; exact in its lowest set bit.
#[inline]
pub(super) fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080
}

/// How many bytes a string may have: it is copied a few times.
pub(super) const TEXT_LIMIT: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// The fault of a string that is too long.
#[cold]
pub(super) fn too_long(at: usize) -> Box<Fault> {
    Fault::new(
        at,
        format!("this string is longer than {} MiB", TEXT_LIMIT >> 20),
        "no check needs that: record a digest of it instead, or check what wrote this record",
    )
}

/// The fault of nesting too deep.
#[cold]
pub(super) fn too_deep(at: usize) -> Box<Fault> {
    Fault::new(
        at,
        format!("lists and maps are nested more than {DEPTH_LIMIT} deep"),
        "no history needs that: check what wrote this record",
    )
}
