//! Interning: equal values get one handle.
//!
//! Atoms are found by hash. A list is found as a child of the list without its last element: the first child of a node is kept
//! in a column, since lists that grow have no other, and only further children need a hash table.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::value::{ATOM, ATOM_MASK, Atom, NODE_MASK};
use super::{Compound, Value, Values};

/// What a new atom takes beside its text, and a new prefix of lists, with their places in the tables.
const ATOM_BYTES: usize = size_of::<Atom>() + 10;
const NODE_BYTES: usize = 20;

/// Builds [`Values`]: equal values get one handle.
#[derive(Debug)]
pub struct Interner {
    values: Values,
    atom_index: HashTable<u32>,
    /// Each node's first child: lists that grow have no other. 0 where there is none.
    first_child: Vec<u32>,
    /// All other children, by parent and last element.
    node_index: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    room: Room,
}

/// How much more an interner may take.
#[derive(Debug)]
struct Room {
    /// Bytes, about.
    bytes: usize,
    /// Whether there was something that it could not take.
    full: bool,
    /// Whether that was because of the bytes.
    over_limit: bool,
}

impl Room {
    /// Takes so many bytes; false where they are not left.
    #[inline]
    fn spend(&mut self, bytes: usize) -> bool {
        match self.bytes.checked_sub(bytes) {
            Some(left) => self.bytes = left,
            None => (self.full, self.over_limit) = (true, true),
        }
        !self.over_limit
    }
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
            first_child: vec![0],
            node_index: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            room: Room { bytes: usize::MAX, full: false, over_limit: false },
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

    /// Whether there were more distinct values than handles (2^30 atoms, 2^28 distinct prefixes), or more
    /// bytes than its limit: then some handles are wrong, and nothing may be judged.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.room.full
    }

    /// From here on, it may take about so many bytes more. What does not fit is not interned: the interner is full.
    pub fn limit(&mut self, bytes: usize) {
        self.room.bytes = bytes;
    }

    /// Whether it is full because it came to its limit.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        self.room.over_limit
    }

    /// Takes so many bytes of what it may take; false where they are not left.
    #[inline]
    pub fn spend(&mut self, bytes: usize) -> bool {
        self.room.spend(bytes)
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
        let first = self.first_child[parent as usize];
        if first != 0 && self.values.lasts[first as usize] == last { first } else { self.other_child(parent, last) }
    }

    /// A child that is not the first one, or is new.
    fn other_child(&mut self, parent: u32, last: Value) -> u32 {
        let Interner { values, first_child, node_index, hasher, room, .. } = self;
        let hash_of = |parent: u32, last: Value| hasher.hash_one((u64::from(parent) << 32) | u64::from(last.0));
        let hash = hash_of(parent, last);
        let only = first_child[parent as usize] == 0;
        let same = |node: &u32| values.parents[*node as usize] == parent && values.lasts[*node as usize] == last;
        if !only && let Some(&node) = node_index.find(hash, same) {
            return node;
        }
        let node = match u32::try_from(values.parents.len()) {
            Ok(node) if node < NODE_MASK => node,
            _ => {
                room.full = true;
                return 0;
            }
        };
        if !room.spend(NODE_BYTES) {
            return 0;
        }
        if only {
            first_child[parent as usize] = node;
        } else {
            node_index
                .insert_unique(hash, node, |&node| hash_of(values.parents[node as usize], values.lasts[node as usize]));
        }
        values.parents.push(parent);
        values.lasts.push(last);
        values.lengths.push(values.lengths[parent as usize].saturating_add(1));
        first_child.push(0);
        node
    }

    fn atom(&mut self, hash: u64, atom: Atom, text: &str, same: impl Fn(&Atom, &Values) -> bool) -> Value {
        let Interner { values, atom_index, hasher, room, .. } = self;
        if let Some(&index) = atom_index.find(hash, |&index| same(&values.atoms[index as usize], values)) {
            return Value(ATOM | index);
        }
        let index = match u32::try_from(values.atoms.len()) {
            Ok(index) if index < ATOM_MASK => index,
            _ => {
                room.full = true;
                return Value::NULL;
            }
        };
        let Ok(len) = u32::try_from(text.len()) else {
            room.full = true;
            return Value::NULL;
        };
        if !room.spend(ATOM_BYTES + text.len()) {
            return Value::NULL;
        }
        let start = values.text.len() as u64;
        values.text.push_str(text);
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
    use super::super::View;
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
