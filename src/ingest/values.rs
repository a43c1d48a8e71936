//! From tokens to interned values, with an explicit stack in place of recursion.

use super::error::Fault;
use super::scan::{DEPTH_LIMIT, Kind, Scan, Scanner, Token, packed, too_deep, unpacked};
use crate::history::{Interner, Value};

/// A container that is being read.
#[derive(Debug)]
struct Frame {
    what: What,
    /// A list so far.
    list: Value,
    /// Where the items of a map or a set begin.
    items: usize,
    /// Where the container begins in the text.
    at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Container(Kind),
    Tagged,
}

/// Reads values; keeps its buffers and caches from one value to the next.
#[derive(Debug, Default)]
pub(super) struct ValueReader {
    frames: Vec<Frame>,
    items: Vec<Value>,
    tags: Vec<String>,
    names: Names,
}

impl ValueReader {
    /// Forgets all handles: what follows is interned elsewhere.
    pub(super) fn reset(&mut self) {
        self.names = Names::default();
    }

    /// The handle of a string.
    #[inline]
    pub(super) fn string(&mut self, interner: &mut Interner, text: &str) -> Value {
        self.names.get(interner, text)
    }

    /// The handle of a string that is [`packed`].
    #[inline]
    pub(super) fn packed(&mut self, interner: &mut Interner, packed: u64) -> Value {
        self.names.packed(interner, packed)
    }

    /// The value that begins here.
    #[inline]
    pub(super) fn next<'a, S: Scanner<'a>>(&mut self, scanner: &mut S, interner: &mut Interner) -> Scan<Value> {
        if let Some(int) = scanner.quick_int() {
            return Ok(interner.int(int));
        }
        let token = scanner.token()?;
        self.value(scanner, interner, token)
    }

    /// The value that begins with this token.
    #[inline]
    pub(super) fn value<'a, S: Scanner<'a>>(
        &mut self,
        scanner: &mut S,
        interner: &mut Interner,
        token: Token<'a>,
    ) -> Scan<Value> {
        match token {
            Token::Int(int) => Ok(interner.int(int)),
            Token::Str(text) => Ok(self.names.get(interner, text)),
            Token::Null => Ok(Value::NULL),
            token => self.other(scanner, interner, token),
        }
    }

    fn other<'a, S: Scanner<'a>>(&mut self, scanner: &mut S, interner: &mut Interner, token: Token<'a>) -> Scan<Value> {
        Ok(match token {
            Token::Null => Value::NULL,
            Token::Bool(false) => Value::FALSE,
            Token::Bool(true) => Value::TRUE,
            Token::Int(int) => interner.int(int),
            Token::Integer(digits) => interner.integer_text(digits),
            Token::Float(float) => interner.float(float),
            Token::Str(text) => interner.string(text),
            Token::Escaped => interner.string(scanner.scratch()),
            Token::Exact(kind, text) => {
                let text = interner.string(text);
                interner.tagged(kind, text)
            }
            Token::Open(_) | Token::Tag(_) => self.compound(scanner, interner, token)?,
        })
    }

    fn open<'a, S: Scanner<'a>>(&mut self, scanner: &mut S, token: Token<'a>) -> Scan<bool> {
        if self.frames.len() >= DEPTH_LIMIT {
            return Err(too_deep(scanner.at()));
        }
        let (what, more) = match token {
            Token::Open(kind) => (What::Container(kind), scanner.first(kind)?),
            Token::Tag(tag) => {
                self.tags.push(tag.to_owned());
                (What::Tagged, true)
            }
            _ => (What::Tagged, true),
        };
        self.frames.push(Frame { what, list: Value::EMPTY_LIST, items: self.items.len(), at: scanner.at() });
        Ok(more)
    }

    fn compound<'a, S: Scanner<'a>>(
        &mut self,
        scanner: &mut S,
        interner: &mut Interner,
        token: Token<'a>,
    ) -> Scan<Value> {
        self.frames.clear();
        self.items.clear();
        self.tags.clear();
        let mut more = self.open(scanner, token)?;
        loop {
            let mut done = if more {
                let wants_key = self.frames.last().is_some_and(|frame| {
                    frame.what == What::Container(Kind::Map) && (self.items.len() - frame.items).is_multiple_of(2)
                });
                match if wants_key { scanner.key()? } else { scanner.token()? } {
                    token @ (Token::Open(_) | Token::Tag(_)) => {
                        more = self.open(scanner, token)?;
                        continue;
                    }
                    Token::Escaped => interner.string(scanner.scratch()),
                    Token::Str(text) => self.names.get(interner, text),
                    scalar => self.other(scanner, interner, scalar)?,
                }
            } else {
                match self.frames.pop() {
                    Some(frame) => self.close(&frame, interner)?,
                    None => Value::NULL,
                }
            };
            // A finished value goes to what contains it.
            more = loop {
                let Some(frame) = self.frames.last_mut() else { return Ok(done) };
                match frame.what {
                    What::Tagged => {
                        self.frames.pop();
                        done = interner.tagged(&self.tags.pop().unwrap_or_default(), done);
                    }
                    What::Container(kind @ Kind::Map) => {
                        self.items.push(done);
                        spend_items(&self.items, interner, scanner.at())?;
                        break if (self.items.len() - frame.items).is_multiple_of(2) {
                            scanner.more(kind)?
                        } else {
                            scanner.colon()?;
                            true
                        };
                    }
                    What::Container(kind @ Kind::Set) => {
                        self.items.push(done);
                        spend_items(&self.items, interner, scanner.at())?;
                        break scanner.more(kind)?;
                    }
                    What::Container(kind) => {
                        frame.list = interner.push(frame.list, done);
                        break scanner.more(kind)?;
                    }
                }
            };
        }
    }

    fn close(&mut self, frame: &Frame, interner: &mut Interner) -> Scan<Value> {
        match frame.what {
            What::Container(Kind::Set) => {
                let mut items = self.items.split_off(frame.items);
                Ok(interner.set(&mut items))
            }
            What::Container(Kind::Map) => {
                let map = interner.map_of(&self.items[frame.items..]);
                self.items.truncate(frame.items);
                map.map_err(|key| {
                    Fault::new(
                        frame.at,
                        format!("the key {} occurs twice in this map", interner.values().json(key, 60)),
                        "nobody can say which of the two is meant: give each key once",
                    )
                })
            }
            _ => Ok(frame.list),
        }
    }
}

/// Items that wait for their map or set to be complete count against the interner's limit.
#[inline]
fn spend_items(items: &[Value], interner: &mut Interner, at: usize) -> Scan<()> {
    const MANY: usize = 1 << 14;
    if items.len().is_multiple_of(MANY) && !interner.spend(3 * MANY * size_of::<Value>()) {
        return Err(Fault::new(at, "this map or set is larger than the memory limit", "raise `--max-memory`"));
    }
    Ok(())
}

/// Handles of short strings that occur again and again, such as names of functions: one comparison instead of a hash.
#[derive(Debug)]
struct Names {
    slots: [(u64, Value); Names::SLOTS],
}

impl Default for Names {
    fn default() -> Self {
        Names { slots: [(0, Value::EMPTY_STRING); Names::SLOTS] }
    }
}

impl Names {
    const SLOTS: usize = 64;

    #[inline]
    fn get(&mut self, interner: &mut Interner, text: &str) -> Value {
        if text.len() > 7 { interner.string(text) } else { self.packed(interner, packed(text)) }
    }

    #[inline]
    fn packed(&mut self, interner: &mut Interner, packed: u64) -> Value {
        let hash = packed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        let slot = &mut self.slots[usize::try_from(hash).unwrap_or(0) % Names::SLOTS];
        if slot.0 != packed {
            *slot = (packed, interner.string(unpacked(packed, &mut [0; 8])));
        }
        slot.1
    }
}
