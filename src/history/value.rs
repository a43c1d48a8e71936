//! Values: every datum of a history as a 32-bit handle.
//!
//! Small integers are the handle itself. Everything else is interned, so that two equal values have equal handles and
//! no check ever compares text. Lists are paths in one shared prefix tree: a list is its longest proper prefix (the parent) and
//! its last element, which makes the growing lists of a list-append history cost one node each. Sets are lists in canonical
//! order under another tag, and so are tagged literals. A map is the list of its keys, which many maps share, and a row of
//! values (`maps`).
//!
//! `1`, `1.0` and `"1"` are three values; keywords and symbols of EDN are strings.

use std::cmp::Ordering;

/// A value of the history: a handle into its [`Values`]. Equal handles are equal values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub(super) u32);

const INLINE_BIAS: i64 = 1 << 30;
pub(super) const ATOM: u32 = 0x8000_0000;
const COMPOUND: u32 = 0xC000_0000;
const KIND_SHIFT: u32 = 28;
pub(super) const NODE_MASK: u32 = 0x0FFF_FFFF;
pub(super) const ATOM_MASK: u32 = 0x3FFF_FFFF;

/// What kind of compound a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compound {
    /// An ordered list.
    List,
    /// A map: its keys and values in turn, ordered by key.
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

    /// The place of a list among all lists, if this is one: dense, for tables. A list comes after its beginnings.
    #[inline]
    #[must_use]
    pub fn listed(self) -> Option<usize> {
        self.node().filter(|(kind, _)| *kind == Compound::List).map(|(_, node)| node as usize)
    }

    /// The place of an interned scalar among all of them, if this is one: dense, for tables.
    #[inline]
    #[must_use]
    pub fn interned(self) -> Option<usize> {
        self.atom_index().filter(|_| !self.is_absent())
    }

    fn atom_index(self) -> Option<usize> {
        (self.0 & COMPOUND == ATOM).then_some((self.0 & ATOM_MASK) as usize)
    }

    pub(super) fn node(self) -> Option<(Compound, u32)> {
        (self.0 & COMPOUND == COMPOUND)
            .then(|| (Compound::ALL[(self.0 >> KIND_SHIFT & 3) as usize], self.0 & NODE_MASK))
    }

    pub(super) fn from_node(kind: Compound, node: u32) -> Value {
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
pub(super) enum Atom {
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    BigInt { start: u64, len: u32 },
    Str { start: u64, len: u32 },
}

/// All values of one history, interned. Built by [`super::Interner`], then read only.
#[derive(Debug, Default, Clone)]
pub struct Values {
    pub(super) atoms: Vec<Atom>,
    pub(super) text: String,
    pub(super) parents: Vec<u32>,
    pub(super) lasts: Vec<Value>,
    pub(super) lengths: Vec<u32>,
    /// For each map, where its row begins.
    pub(super) map_starts: Vec<u32>,
    /// A row each: the list of its keys, and its values.
    pub(super) map_rows: Vec<u32>,
    /// What is not to be shown.
    pub(super) hidden: Option<Box<super::redact::Hidden>>,
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
        match value.node() {
            Some((Compound::Map, map)) => 2 * (self.map_row(map).len() - 1),
            Some((_, node)) => self.lengths[node as usize] as usize,
            None => 0,
        }
    }

    /// How many lists there are: see [`Value::listed`].
    #[must_use]
    pub fn lists(&self) -> usize {
        self.parents.len()
    }

    /// Whether there are no compound values and no atoms but the fixed ones.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.atoms.len() <= FIXED_ATOMS && self.parents.len() <= 1 && self.map_starts.len() <= 1
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
        let Some((kind, mut node)) = value.node() else { return Vec::new() };
        if kind == Compound::Map {
            let mut items: Vec<Value> = self.entries(value).flat_map(|(key, value)| [value, key]).collect();
            items.reverse();
            return items;
        }
        let mut items = Vec::with_capacity(self.lengths[node as usize] as usize);
        while node != 0 {
            items.push(self.lasts[node as usize]);
            node = self.parents[node as usize];
        }
        items.reverse();
        items
    }

    /// The value as JSON text (strings of EDN's kinds as strings, sets and tagged literals as arrays and objects), bounded
    /// to about `limit` bytes: what is left out shows as `...`. Values that are hidden are placeholders.
    #[must_use]
    pub fn json(&self, value: Value, limit: usize) -> String {
        self.json_key(value, limit, 0, self.hidden.as_deref())
    }

    /// The same, for what is not shown to anybody: nothing is hidden.
    #[must_use]
    pub fn plain_json(&self, value: Value, limit: usize) -> String {
        self.json_key(value, limit, 0, None)
    }

    /// What is shown in place of a value, where it is hidden.
    #[must_use]
    pub fn placeholder(&self, value: Value) -> Option<String> {
        self.hidden.as_ref()?.placeholder(value)
    }

    /// The same for a key within keys: compound keys of compound keys are left out from the fourth level on.
    fn json_key(&self, value: Value, limit: usize, level: u8, hidden: Option<&super::redact::Hidden>) -> String {
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
                    let left = limit.saturating_sub(out.len());
                    let key = if level < 4 { self.json_key(key, left, level + 1, hidden) } else { "...".to_owned() };
                    escape_json(&key, &mut out);
                    continue;
                }
                Task::Value(value) | Task::Key(value) => value,
            };
            let shows_name = matches!(task, Task::Key(_)) && !hidden.is_some_and(|hidden| hidden.names);
            if let Some(placeholder) = hidden.filter(|_| !shows_name).and_then(|hidden| hidden.placeholder(value)) {
                escape_json(&placeholder, &mut out);
                continue;
            }
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
        self.atoms.len() * size_of::<Atom>()
            + self.text.len()
            + self.parents.len() * 12
            + (self.map_starts.len() + self.map_rows.len()) * 4
    }

    pub(super) fn slice(&self, start: u64, len: u32) -> &str {
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
