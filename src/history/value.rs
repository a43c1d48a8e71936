//! Values: every datum of a history as a 32-bit handle.
//!
//! Small integers are the handle itself. Everything else is interned, so that two equal values have equal handles and
//! no check ever compares text. Compound values are paths in one shared prefix tree: a list is its longest proper prefix
//! (the parent) and its last element, which makes the growing lists of a list-append history cost one node each. Maps and
//! sets are lists in canonical order under another tag, and so are tagged literals.
//!
//! `1`, `1.0` and `"1"` are three values; keywords and symbols of EDN are strings.

use std::cmp::Ordering;
use std::hash::BuildHasher;

use hashbrown::HashTable;

/// A value of the history: a handle into its [`Values`]. Equal handles are equal values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(u32);

const INLINE_BIAS: i64 = 1 << 30;
const ATOM: u32 = 0x8000_0000;
const COMPOUND: u32 = 0xC000_0000;
const KIND_SHIFT: u32 = 28;
const NODE_MASK: u32 = 0x0FFF_FFFF;
const ATOM_MASK: u32 = 0x3FFF_FFFF;

/// What kind of compound a prefix-tree node stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compound {
    /// An ordered list.
    List,
    /// A map: the list of its keys and values in turn, ordered by key.
    Map,
    /// A set: the list of its elements, ordered.
    Set,
    /// A tagged literal of EDN: the list of its tag and its value.
    Tagged,
}

impl Compound {
    const ALL: [Compound; 4] = [Compound::List, Compound::Map, Compound::Set, Compound::Tagged];
}

impl Value {
    /// The null value.
    pub const NULL: Value = Value(ATOM);
    /// The boolean false.
    pub const FALSE: Value = Value(ATOM + 1);
    /// The boolean true.
    pub const TRUE: Value = Value(ATOM + 2);
    /// The empty string.
    pub const EMPTY_STRING: Value = Value(ATOM + 3);
    /// The empty list.
    pub const EMPTY_LIST: Value = Value(COMPOUND);
    /// No value at all: the field was not there.
    pub const ABSENT: Value = Value(ATOM | ATOM_MASK);

    /// The handle of a small integer, where it fits.
    #[inline]
    #[must_use]
    pub fn small(int: i64) -> Option<Value> {
        let biased = int.checked_add(INLINE_BIAS)?;
        u32::try_from(biased).ok().filter(|raw| raw & ATOM == 0).map(Value)
    }

    /// The integer that this handle itself is, if it is one.
    #[inline]
    #[must_use]
    pub fn as_small(self) -> Option<i64> {
        (self.0 & ATOM == 0).then(|| i64::from(self.0) - INLINE_BIAS)
    }

    /// Whether the field was not there.
    #[must_use]
    pub fn is_absent(self) -> bool {
        self == Value::ABSENT
    }

    /// Whether this is null, or was not there.
    #[must_use]
    pub fn is_null(self) -> bool {
        self == Value::NULL || self == Value::ABSENT
    }

    /// The handle as a number: only for dense tables and hashing, it means nothing.
    #[must_use]
    pub fn raw(self) -> u32 {
        self.0
    }

    /// Whether this is a list.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self.node(), Some((Compound::List, _)))
    }

    fn atom_index(self) -> Option<usize> {
        (self.0 & COMPOUND == ATOM).then_some((self.0 & ATOM_MASK) as usize)
    }

    fn node(self) -> Option<(Compound, u32)> {
        (self.0 & COMPOUND == COMPOUND)
            .then(|| (Compound::ALL[(self.0 >> KIND_SHIFT & 3) as usize], self.0 & NODE_MASK))
    }

    fn from_node(kind: Compound, node: u32) -> Value {
        Value(COMPOUND | (kind as u32) << KIND_SHIFT | node)
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.as_small(), self.node()) {
            (Some(int), _) => write!(f, "{int}"),
            (None, Some((kind, node))) => write!(f, "{kind:?}#{node}"),
            (None, None) if self.is_absent() => f.write_str("absent"),
            (None, None) => write!(f, "atom#{}", self.0 & ATOM_MASK),
        }
    }
}

/// A value taken apart by one level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View<'a> {
    /// The field was not there.
    Absent,
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer beyond 64 bits, as its decimal digits with an optional minus.
    BigInt(&'a str),
    /// A floating-point number.
    Float(f64),
    /// A string, keyword or symbol.
    Str(&'a str),
    /// A compound value: see [`Values::items`].
    Compound(Compound),
}

#[derive(Clone, Copy, Debug)]
enum Atom {
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    BigInt { start: u64, len: u32 },
    Str { start: u64, len: u32 },
}

/// All values of one history, interned. Built by [`Interner`], then read only.
#[derive(Debug, Default)]
pub struct Values {
    atoms: Vec<Atom>,
    text: String,
    parents: Vec<u32>,
    lasts: Vec<Value>,
    lengths: Vec<u32>,
}

impl Values {
    /// The value, one level deep.
    #[must_use]
    pub fn view(&self, value: Value) -> View<'_> {
        if let Some(int) = value.as_small() {
            return View::Int(int);
        }
        if value.is_absent() {
            return View::Absent;
        }
        if let Some((kind, _)) = value.node() {
            return View::Compound(kind);
        }
        match value.atom_index().and_then(|i| self.atoms.get(i)) {
            None | Some(Atom::Null) => View::Null,
            Some(Atom::Bool(b)) => View::Bool(*b),
            Some(Atom::Int(int)) => View::Int(*int),
            Some(Atom::Float(bits)) => View::Float(f64::from_bits(*bits)),
            Some(Atom::BigInt { start, len }) => View::BigInt(self.slice(*start, *len)),
            Some(Atom::Str { start, len }) => View::Str(self.slice(*start, *len)),
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self, value: Value) -> Option<&str> {
        match self.view(value) {
            View::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The number, if this is an integer of 64 bits.
    #[must_use]
    pub fn as_int(&self, value: Value) -> Option<i64> {
        match self.view(value) {
            View::Int(int) => Some(int),
            _ => None,
        }
    }

    /// How many items a compound holds (a map counts keys and values); 0 for anything else.
    #[must_use]
    pub fn len(&self, value: Value) -> usize {
        value.node().map_or(0, |(_, node)| self.lengths[node as usize] as usize)
    }

    /// Whether there are no compound values and no atoms but the fixed ones.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.atoms.len() <= FIXED_ATOMS && self.parents.len() <= 1
    }

    /// The list without its last element, and that element; nothing for an empty list and for what is not a list.
    #[inline]
    #[must_use]
    pub fn split_last(&self, list: Value) -> Option<(Value, Value)> {
        match list.node() {
            Some((Compound::List, node)) if node != 0 => {
                let parent = self.parents[node as usize];
                Some((Value::from_node(Compound::List, parent), self.lasts[node as usize]))
            }
            _ => None,
        }
    }

    /// The items of a compound, in order: a map's keys and values in turn; nothing for anything else.
    #[must_use]
    pub fn items(&self, value: Value) -> Vec<Value> {
        let Some((_, mut node)) = value.node() else { return Vec::new() };
        let mut items = Vec::with_capacity(self.lengths[node as usize] as usize);
        while node != 0 {
            items.push(self.lasts[node as usize]);
            node = self.parents[node as usize];
        }
        items.reverse();
        items
    }

    /// The entries of a map, the last one first; nothing for anything else.
    pub fn entries(&self, map: Value) -> impl Iterator<Item = (Value, Value)> + '_ {
        let mut node = match map.node() {
            Some((Compound::Map, node)) => node,
            _ => 0,
        };
        std::iter::from_fn(move || {
            if node == 0 {
                return None;
            }
            let (key, value) = (self.parents[node as usize], self.lasts[node as usize]);
            node = self.parents[key as usize];
            Some((self.lasts[key as usize], value))
        })
    }

    /// What a map holds under this key, if it is a map and has it.
    #[must_use]
    pub fn get(&self, map: Value, key: &str) -> Option<Value> {
        let (Compound::Map, mut node) = map.node()? else { return None };
        while node != 0 {
            let value = self.lasts[node as usize];
            node = self.parents[node as usize];
            if self.as_str(self.lasts[node as usize]) == Some(key) {
                return Some(value);
            }
            node = self.parents[node as usize];
        }
        None
    }

    /// The value as JSON text (strings of EDN's kinds as strings, sets and tagged literals as arrays and objects), bounded
    /// to about `limit` bytes: what is left out shows as `...`.
    #[must_use]
    pub fn json(&self, value: Value, limit: usize) -> String {
        enum Task {
            Value(Value),
            Key(Value),
            Text(&'static str),
        }
        let mut out = String::new();
        let mut stack = vec![Task::Value(value)];
        while let Some(task) = stack.pop() {
            if out.len() > limit {
                out.push_str("...");
                break;
            }
            let value = match task {
                Task::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Task::Key(key) if self.as_str(key).is_none() => {
                    escape_json(&self.json(key, limit.saturating_sub(out.len())), &mut out);
                    continue;
                }
                Task::Value(value) | Task::Key(value) => value,
            };
            match self.view(value) {
                View::Absent | View::Null => out.push_str("null"),
                View::Bool(b) => out.push_str(if b { "true" } else { "false" }),
                View::Int(int) => out.push_str(&int.to_string()),
                View::BigInt(digits) => out.push_str(digits),
                View::Float(float) => out.push_str(&float_text(float)),
                View::Str(text) => escape_json(text, &mut out),
                View::Compound(kind) => {
                    let items = self.items(value);
                    let (open, close) = if kind == Compound::Map { ("{", "}") } else { ("[", "]") };
                    out.push_str(open);
                    stack.push(Task::Text(close));
                    for (i, item) in items.iter().enumerate().rev() {
                        let is_key = kind == Compound::Map && i % 2 == 0;
                        stack.push(if is_key { Task::Key(*item) } else { Task::Value(*item) });
                        if i > 0 {
                            stack.push(Task::Text(if kind == Compound::Map && i % 2 == 1 { ":" } else { "," }));
                        }
                    }
                }
            }
        }
        out
    }

    /// A total order by content, the same in every run: null, booleans, numbers, strings, compounds.
    #[must_use]
    pub fn compare(&self, a: Value, b: Value) -> Ordering {
        let mut stack = vec![(a, b)];
        while let Some((a, b)) = stack.pop() {
            if a == b {
                continue;
            }
            let order = match (self.view(a), self.view(b)) {
                (View::Int(x), View::Int(y)) => x.cmp(&y),
                (View::Float(x), View::Float(y)) => x.total_cmp(&y),
                (View::Int(x), View::Float(y)) => (x as f64).total_cmp(&y).then(Ordering::Less),
                (View::Float(x), View::Int(y)) => x.total_cmp(&(y as f64)).then(Ordering::Greater),
                (View::Str(x), View::Str(y)) => x.cmp(y),
                (View::BigInt(x), View::BigInt(y)) => compare_digits(x, y),
                (View::Compound(x), View::Compound(y)) => {
                    let kinds = (x as u8).cmp(&(y as u8));
                    if kinds == Ordering::Equal {
                        let (left, right) = (self.items(a), self.items(b));
                        let lengths = left.len().cmp(&right.len());
                        if lengths == Ordering::Equal {
                            stack.extend(left.into_iter().zip(right).rev());
                        }
                        lengths
                    } else {
                        kinds
                    }
                }
                (x, y) => rank(&x).cmp(&rank(&y)),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// How many bytes these values occupy, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.atoms.len() * size_of::<Atom>() + self.text.len() + self.parents.len() * 12
    }

    fn slice(&self, start: u64, len: u32) -> &str {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        self.text.get(start..start.saturating_add(len as usize)).unwrap_or("")
    }
}

fn rank(view: &View<'_>) -> u8 {
    match view {
        View::Absent => 0,
        View::Null => 1,
        View::Bool(false) => 2,
        View::Bool(true) => 3,
        View::BigInt(digits) if digits.starts_with('-') => 4,
        View::Int(_) | View::Float(_) => 5,
        View::BigInt(_) => 6,
        View::Str(_) => 7,
        View::Compound(_) => 8,
    }
}

fn compare_digits(a: &str, b: &str) -> Ordering {
    match (a.strip_prefix('-'), b.strip_prefix('-')) {
        (Some(a), Some(b)) => (b.len(), b).cmp(&(a.len(), a)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => (a.len(), a).cmp(&(b.len(), b)),
    }
}

fn float_text(float: f64) -> String {
    if float.is_finite() {
        format!("{float:?}")
    } else if float.is_nan() {
        "\"NaN\"".to_owned()
    } else if float > 0.0 {
        "\"Infinity\"".to_owned()
    } else {
        "\"-Infinity\"".to_owned()
    }
}

/// Appends `text` as a JSON string, with every control character escaped.
pub fn escape_json(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

const FIXED_ATOMS: usize = 4;

/// Builds [`Values`]: equal values get one handle.
#[derive(Debug)]
pub struct Interner {
    values: Values,
    atom_index: HashTable<u32>,
    node_index: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    full: bool,
}

impl Default for Interner {
    fn default() -> Self {
        Self::new()
    }
}

impl Interner {
    /// An interner that knows null, the booleans, the empty string and the empty list.
    #[must_use]
    pub fn new() -> Self {
        let mut values = Values {
            atoms: vec![Atom::Null, Atom::Bool(false), Atom::Bool(true), Atom::Str { start: 0, len: 0 }],
            ..Values::default()
        };
        values.parents.push(0);
        values.lasts.push(Value::NULL);
        values.lengths.push(0);
        let mut interner = Interner {
            values,
            atom_index: HashTable::new(),
            node_index: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            full: false,
        };
        let hash = interner.hasher.hash_one("");
        interner.atom_index.insert_unique(hash, 3, |_| hash);
        interner
    }

    /// What has been interned so far.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Whether there were more distinct values than handles (2^30 atoms, 2^28 distinct prefixes): then some handles are
    /// wrong, and nothing may be judged.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, int: i64) -> Value {
        match Value::small(int) {
            Some(value) => value,
            None => self.atom(
                self.hasher.hash_one(int),
                Atom::Int(int),
                "",
                |atom, _| matches!(atom, Atom::Int(i) if *i == int),
            ),
        }
    }

    /// A floating-point number; every NaN is one value, and -0.0 is 0.0.
    pub fn float(&mut self, float: f64) -> Value {
        let float = if float.is_nan() { f64::NAN } else { float + 0.0 };
        let bits = float.to_bits();
        self.atom(
            self.hasher.hash_one((1u8, bits)),
            Atom::Float(bits),
            "",
            |atom, _| matches!(atom, Atom::Float(b) if *b == bits),
        )
    }

    /// An integer given by its digits, of any length; leading zeros and a plus sign do not count.
    pub fn integer_text(&mut self, digits: &str) -> Value {
        if let Ok(int) = digits.parse::<i64>() {
            return self.int(int);
        }
        let (sign, rest) = match digits.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", digits.strip_prefix('+').unwrap_or(digits)),
        };
        let canonical = format!("{sign}{}", rest.trim_start_matches('0'));
        if let Ok(int) = canonical.parse::<i64>() {
            return self.int(int);
        }
        let hash = self.hasher.hash_one((2u8, canonical.as_str()));
        let atom = Atom::BigInt { start: 0, len: 0 };
        self.atom(
            hash,
            atom,
            &canonical,
            |atom, values| matches!(atom, Atom::BigInt { start, len } if values.slice(*start, *len) == canonical),
        )
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, text: &str) -> Value {
        let hash = self.hasher.hash_one(text);
        self.atom(
            hash,
            Atom::Str { start: 0, len: 0 },
            text,
            |atom, values| matches!(atom, Atom::Str { start, len } if values.slice(*start, *len) == text),
        )
    }

    /// The list `parent` with `last` behind it.
    #[inline]
    pub fn push(&mut self, parent: Value, last: Value) -> Value {
        let parent = parent.node().map_or(0, |(_, node)| node);
        let node = self.child(parent, last);
        Value::from_node(Compound::List, node)
    }

    /// A list of these items.
    pub fn list(&mut self, items: &[Value]) -> Value {
        items.iter().fold(Value::EMPTY_LIST, |list, item| self.push(list, *item))
    }

    /// A tagged literal.
    pub fn tagged(&mut self, tag: &str, value: Value) -> Value {
        let tag = self.string(tag);
        let list = self.list(&[tag, value]);
        self.retag(list, Compound::Tagged)
    }

    /// A set of these items; the given order and repetitions do not count.
    pub fn set(&mut self, items: &mut Vec<Value>) -> Value {
        items.sort_by(|a, b| self.values.compare(*a, *b));
        items.dedup();
        let list = self.list(items);
        self.retag(list, Compound::Set)
    }

    /// A map of these entries, in any order; the first key that occurs twice is the error.
    ///
    /// # Errors
    /// A key that occurs more than once.
    pub fn map(&mut self, entries: &mut [(Value, Value)]) -> Result<Value, Value> {
        entries.sort_by(|a, b| self.values.compare(a.0, b.0));
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(pair[0].0);
        }
        let mut list = Value::EMPTY_LIST;
        for (key, value) in entries.iter() {
            list = self.push(list, *key);
            list = self.push(list, *value);
        }
        Ok(self.retag(list, Compound::Map))
    }

    /// Takes in all that another interner holds, and says for each of its handles which handle it has here.
    pub fn absorb(&mut self, other: &Values) -> Translation {
        let mut atoms = Vec::with_capacity(other.atoms.len());
        for atom in &other.atoms {
            atoms.push(match *atom {
                Atom::Null => Value::NULL,
                Atom::Bool(b) => {
                    if b {
                        Value::TRUE
                    } else {
                        Value::FALSE
                    }
                }
                Atom::Int(int) => self.int(int),
                Atom::Float(bits) => self.float(f64::from_bits(bits)),
                Atom::BigInt { start, len } => self.integer_text(other.slice(start, len)),
                Atom::Str { start, len } => self.string(other.slice(start, len)),
            });
        }
        let mut translation = Translation { atoms, nodes: Vec::with_capacity(other.parents.len()) };
        translation.nodes.push(0);
        for node in 1..other.parents.len() {
            let parent = translation.nodes[other.parents[node] as usize];
            let last = translation.apply(other.lasts[node]);
            let node = self.child(parent, last);
            translation.nodes.push(node);
        }
        translation
    }

    /// The values, for good: the tables that interning needs are dropped.
    #[must_use]
    pub fn finish(mut self) -> Values {
        self.values.atoms.shrink_to_fit();
        self.values.parents.shrink_to_fit();
        self.values.lasts.shrink_to_fit();
        self.values.lengths.shrink_to_fit();
        self.values
    }

    fn retag(&self, list: Value, kind: Compound) -> Value {
        Value::from_node(kind, list.node().map_or(0, |(_, node)| node))
    }

    #[inline]
    fn child(&mut self, parent: u32, last: Value) -> u32 {
        let Interner { values, node_index, hasher, full, .. } = self;
        let hash = hasher.hash_one((u64::from(parent) << 32) | u64::from(last.0));
        let found = node_index
            .find(hash, |&node| values.parents[node as usize] == parent && values.lasts[node as usize] == last);
        if let Some(&node) = found {
            return node;
        }
        let node = match u32::try_from(values.parents.len()) {
            Ok(node) if node < NODE_MASK => node,
            _ => {
                *full = true;
                return 0;
            }
        };
        values.parents.push(parent);
        values.lasts.push(last);
        values.lengths.push(values.lengths[parent as usize].saturating_add(1));
        node_index.insert_unique(hash, node, |&node| {
            hasher.hash_one((u64::from(values.parents[node as usize]) << 32) | u64::from(values.lasts[node as usize].0))
        });
        node
    }

    fn atom(&mut self, hash: u64, atom: Atom, text: &str, same: impl Fn(&Atom, &Values) -> bool) -> Value {
        let Interner { values, atom_index, hasher, full, .. } = self;
        if let Some(&index) = atom_index.find(hash, |&index| same(&values.atoms[index as usize], values)) {
            return Value(ATOM | index);
        }
        let index = match u32::try_from(values.atoms.len()) {
            Ok(index) if index < ATOM_MASK => index,
            _ => {
                *full = true;
                return Value::NULL;
            }
        };
        let start = values.text.len() as u64;
        let len = u32::try_from(text.len()).unwrap_or_else(|_| {
            *full = true;
            0
        });
        values.text.push_str(&text[..len as usize]);
        values.atoms.push(match atom {
            Atom::Str { .. } => Atom::Str { start, len },
            Atom::BigInt { .. } => Atom::BigInt { start, len },
            other => other,
        });
        atom_index.insert_unique(hash, index, |&index| match values.atoms[index as usize] {
            Atom::Null | Atom::Bool(_) => 0,
            Atom::Int(int) => hasher.hash_one(int),
            Atom::Float(bits) => hasher.hash_one((1u8, bits)),
            Atom::BigInt { start, len } => hasher.hash_one((2u8, values.slice(start, len))),
            Atom::Str { start, len } => hasher.hash_one(values.slice(start, len)),
        });
        Value(ATOM | index)
    }
}

/// Handles of one interner as handles of another: see [`Interner::absorb`].
#[derive(Debug, Default)]
pub struct Translation {
    atoms: Vec<Value>,
    nodes: Vec<u32>,
}

impl Translation {
    /// The handle in the absorbing interner.
    #[inline]
    #[must_use]
    pub fn apply(&self, value: Value) -> Value {
        if value.0 & ATOM == 0 || value.is_absent() {
            value
        } else if let Some((kind, node)) = value.node() {
            Value::from_node(kind, self.nodes[node as usize])
        } else {
            self.atoms[(value.0 & ATOM_MASK) as usize]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: equal content has one handle, whatever the way there, and different kinds of one look stay apart.
    #[test]
    fn equal_values_have_equal_handles() {
        let mut interner = Interner::new();
        let (one, float, text) = (interner.int(1), interner.float(1.0), interner.string("1"));
        assert!(one != float && one != text && float != text);
        let big = interner.int(i64::MAX);
        assert_eq!(big, interner.integer_text("+09223372036854775807"));
        let huge = interner.integer_text("123456789012345678901234567890");
        assert_eq!(huge, interner.integer_text("0123456789012345678901234567890"));
        assert_eq!(interner.values().view(huge), View::BigInt("123456789012345678901234567890"));
        let a = interner.set(&mut vec![one, text, one]);
        let b = interner.set(&mut vec![text, one]);
        assert_eq!(a, b);
        assert_ne!(interner.list(&[one, text]), a);
        assert_eq!(interner.map(&mut [(one, text), (one, big)]), Err(one));
        assert_eq!(interner.string(""), Value::EMPTY_STRING);
        assert_eq!(interner.int(-(1 << 30)).as_small(), Some(-(1 << 30)));
        assert_eq!(interner.int(-(1 << 30) - 1).as_small(), None);
    }

    /// Goal: what one interner holds keeps its meaning in another.
    #[test]
    fn absorbing_translates_every_handle() {
        let (mut ours, mut theirs) = (Interner::new(), Interner::new());
        ours.string("before");
        let (key, item) = (theirs.string("k"), theirs.int(1 << 40));
        let list = theirs.list(&[item, key, item]);
        let map = theirs.map(&mut [(key, list)]).expect("one key");
        let json = theirs.values().json(map, 1000);
        let translation = ours.absorb(theirs.values());
        assert_eq!(ours.values().json(translation.apply(map), 1000), json);
        assert_eq!(json, r#"{"k":[1099511627776,"k",1099511627776]}"#);
        assert_eq!(ours.values().get(translation.apply(map), "k"), Some(translation.apply(list)));
    }
}
