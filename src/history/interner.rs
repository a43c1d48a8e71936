//! Interning: equal values get one handle.
//!
//! Every value has a *tag*, a hash of its content: the same in all interners of a run, so that what was hashed in parallel needs no
//! second look when one interner takes in another.
//!
//! Atoms are found by hash, and maps (`maps`). A list is found as a child of the list without its last element: the first child of a node is kept
//! in a column, since lists that grow have no other, and only further children need a hash table.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::maps::MapIndex;
use super::tags::{AHEAD, Slot, hasher, look_ahead, spread, upper};
use super::value::{ATOM, ATOM_MASK, Atom, NODE_MASK};
use super::{Compound, Value, Values};

/// What a new atom takes beside its text, and a new prefix of lists, with their places in the tables.
const ATOM_BYTES: usize = size_of::<Atom>() + 18;
const NODE_BYTES: usize = 24;

/// Builds [`Values`]: equal values get one handle.
#[derive(Debug)]
pub struct Interner {
    pub(super) values: Values,
    atom_index: HashTable<Slot>,
    /// For each atom, each list and each map, its tag.
    atom_tags: Vec<u32>,
    node_tags: Vec<u32>,
    pub(super) map_tags: Vec<u32>,
    /// Each node's first child: lists that grow have no other. 0 where there is none.
    first_child: Vec<u32>,
    /// All other children, by parent and last element.
    node_index: HashTable<Slot>,
    pub(super) maps: MapIndex,
    pub(super) hasher: foldhash::fast::RandomState,
    pub(super) room: Room,
}

/// How much more an interner may take.
#[derive(Debug)]
pub(super) struct Room {
    /// Bytes, about.
    bytes: usize,
    /// Whether there was something that it could not take.
    pub(super) full: bool,
    /// Whether that was because of the bytes.
    over_limit: bool,
}

impl Room {
    /// Takes so many bytes; false where they are not left.
    #[inline]
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
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
        values.map_starts.push(0);
        values.map_rows.push(0);
        let mut interner = Interner {
            values,
            atom_index: HashTable::new(),
            atom_tags: Vec::new(),
            node_tags: vec![0],
            map_tags: vec![1],
            first_child: vec![0],
            node_index: HashTable::new(),
            maps: MapIndex::default(),
            hasher: hasher(),
            room: Room { bytes: usize::MAX, full: false, over_limit: false },
        };
        interner.maps.before.push(1);
        let tag = interner.text_tag("");
        interner.atom_tags.extend([2, 3, 4, tag]);
        interner.atom_index.insert_unique(spread(tag), Slot { tag, index: 3 }, Slot::hash);
        interner
    }

    /// An empty interner, with room for as much as another one holds.
    #[must_use]
    pub(super) fn like(other: &Interner) -> Interner {
        fn make_room<T>(column: &mut Vec<T>, other: &[T]) {
            column.reserve(other.len() + other.len() / 16);
        }
        let mut interner = Interner::new();
        let Interner { values, atom_index, atom_tags, node_tags, map_tags, first_child, node_index, maps, .. } =
            &mut interner;
        make_room(&mut values.atoms, &other.values.atoms);
        values.text.reserve(other.values.text.len() + other.values.text.len() / 16);
        make_room(&mut values.parents, &other.values.parents);
        make_room(&mut values.lasts, &other.values.lasts);
        make_room(&mut values.lengths, &other.values.lengths);
        make_room(&mut values.map_starts, &other.values.map_starts);
        make_room(&mut values.map_rows, &other.values.map_rows);
        make_room(atom_tags, &other.atom_tags);
        make_room(node_tags, &other.node_tags);
        make_room(map_tags, &other.map_tags);
        make_room(first_child, &other.first_child);
        atom_index.reserve(other.atom_index.len(), Slot::hash);
        node_index.reserve(other.node_index.len(), Slot::hash);
        maps.make_room(&other.maps);
        interner
    }

    /// What has been interned so far.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// About how many bytes all this occupies, with the tables that interning needs.
    #[must_use]
    pub fn bytes(&self) -> usize {
        2 * self.values.bytes()
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
            None => self.big(int, upper(self.hasher.hash_one(int))),
        }
    }

    fn big(&mut self, int: i64, tag: u32) -> Value {
        self.atom(tag, Atom::Int(int), "", |atom, _| matches!(atom, Atom::Int(i) if *i == int))
    }

    /// A floating-point number; every NaN is one value, and -0.0 is 0.0.
    pub fn float(&mut self, float: f64) -> Value {
        let float = if float.is_nan() { f64::NAN } else { float + 0.0 };
        let bits = float.to_bits();
        self.float_bits(bits, upper(self.hasher.hash_one((1u8, bits))))
    }

    fn float_bits(&mut self, bits: u64, tag: u32) -> Value {
        self.atom(tag, Atom::Float(bits), "", |atom, _| matches!(atom, Atom::Float(b) if *b == bits))
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
        let tag = upper(self.hasher.hash_one((2u8, canonical.as_str())));
        self.huge(&canonical, tag)
    }

    fn huge(&mut self, canonical: &str, tag: u32) -> Value {
        let atom = Atom::BigInt { start: 0, len: 0 };
        self.atom(
            tag,
            atom,
            canonical,
            |atom, values| matches!(atom, Atom::BigInt { start, len } if values.slice(*start, *len) == canonical),
        )
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, text: &str) -> Value {
        self.text(text, self.text_tag(text))
    }

    fn text_tag(&self, text: &str) -> u32 {
        upper(self.hasher.hash_one(text))
    }

    #[inline]
    fn text(&mut self, text: &str, tag: u32) -> Value {
        self.atom(
            tag,
            Atom::Str { start: 0, len: 0 },
            text,
            |atom, values| matches!(atom, Atom::Str { start, len } if values.slice(*start, *len) == text),
        )
    }

    /// The tag of any value here.
    #[inline]
    pub(super) fn tag_of(&self, value: Value) -> u32 {
        if value.0 & ATOM == 0 {
            return upper(self.hasher.hash_one(value.0));
        }
        match value.node() {
            Some((Compound::Map, map)) => self.map_tags[map as usize],
            Some((kind, node)) => self.node_tags[node as usize].rotate_left(kind as u32),
            None => self.atom_tags.get((value.0 & ATOM_MASK) as usize).copied().unwrap_or(0),
        }
    }

    /// The tag of a list of keys.
    pub(super) fn keys_tag(&self, keys: u32) -> u32 {
        self.node_tags[keys as usize]
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

    /// Takes in all that another interner holds, and says for each of its handles which handle it has here.
    pub fn absorb(&mut self, other: &Interner) -> Translation {
        let theirs = &other.values;
        let mut translation = Translation {
            atoms: Vec::with_capacity(theirs.atoms.len()),
            nodes: Vec::with_capacity(theirs.parents.len()),
            maps: Vec::with_capacity(theirs.map_starts.len()),
        };
        for (atoms, tags) in theirs.atoms.chunks(AHEAD).zip(other.atom_tags.chunks(AHEAD)) {
            look_ahead(&self.atom_index, tags);
            for (atom, tag) in atoms.iter().zip(tags) {
                translation.atoms.push(match *atom {
                    Atom::Null => Value::NULL,
                    Atom::Bool(false) => Value::FALSE,
                    Atom::Bool(true) => Value::TRUE,
                    Atom::Int(int) => self.big(int, *tag),
                    Atom::Float(bits) => self.float_bits(bits, *tag),
                    Atom::BigInt { start, len } => self.huge(theirs.slice(start, len), *tag),
                    Atom::Str { start, len } => self.text(theirs.slice(start, len), *tag),
                });
            }
        }
        translation.nodes.push(0);
        translation.maps.push(0);
        // Lists and maps hold what was there before them, and so come in the order in which they came there.
        self.absorb_maps(other, &mut translation);
        self.absorb_lists(other, theirs.parents.len(), &mut translation);
        translation
    }

    /// The lists up to the one at `end`.
    pub(super) fn absorb_lists(&mut self, other: &Interner, end: usize, translation: &mut Translation) {
        for node in translation.nodes.len()..end {
            let parent = translation.nodes[other.values.parents[node] as usize];
            let last = translation.apply(other.values.lasts[node]);
            let first = self.first_child[parent as usize];
            let known = first != 0 && self.values.lasts[first as usize] == last;
            let node = if known { first } else { self.other_child(parent, last, other.node_tags[node]) };
            translation.nodes.push(node);
        }
    }

    /// The values, for good: the tables that interning needs are dropped.
    #[must_use]
    pub fn finish(mut self) -> Values {
        self.values.atoms.shrink_to_fit();
        self.values.parents.shrink_to_fit();
        self.values.lasts.shrink_to_fit();
        self.values.lengths.shrink_to_fit();
        self.values.map_starts.shrink_to_fit();
        self.values.map_rows.shrink_to_fit();
        self.values
    }

    fn retag(&self, list: Value, kind: Compound) -> Value {
        Value::from_node(kind, list.node().map_or(0, |(_, node)| node))
    }

    #[inline]
    pub(super) fn child(&mut self, parent: u32, last: Value) -> u32 {
        let first = self.first_child[parent as usize];
        if first != 0 && self.values.lasts[first as usize] == last {
            return first;
        }
        let tags = u64::from(self.node_tags[parent as usize]) << 32 | u64::from(self.tag_of(last));
        self.other_child(parent, last, upper(self.hasher.hash_one(tags)))
    }

    /// A child that is not the first one, or is new; and its tag.
    fn other_child(&mut self, parent: u32, last: Value, tag: u32) -> u32 {
        let Interner { values, first_child, node_index, node_tags, room, .. } = self;
        let only = first_child[parent as usize] == 0;
        let same = |slot: &Slot| {
            slot.tag == tag
                && values.parents[slot.index as usize] == parent
                && values.lasts[slot.index as usize] == last
        };
        if !only && let Some(slot) = node_index.find(spread(tag), same) {
            return slot.index;
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
            node_index.insert_unique(spread(tag), Slot { tag, index: node }, Slot::hash);
        }
        values.parents.push(parent);
        values.lasts.push(last);
        values.lengths.push(values.lengths[parent as usize].saturating_add(1));
        first_child.push(0);
        node_tags.push(tag);
        node
    }

    fn atom(&mut self, tag: u32, atom: Atom, text: &str, same: impl Fn(&Atom, &Values) -> bool) -> Value {
        let Interner { values, atom_index, atom_tags, room, .. } = self;
        let found = |slot: &Slot| slot.tag == tag && same(&values.atoms[slot.index as usize], values);
        if let Some(slot) = atom_index.find(spread(tag), found) {
            return Value(ATOM | slot.index);
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
        atom_index.insert_unique(spread(tag), Slot { tag, index }, Slot::hash);
        atom_tags.push(tag);
        Value(ATOM | index)
    }
}

/// Handles of one interner as handles of another: see [`Interner::absorb`].
#[derive(Debug, Default)]
pub struct Translation {
    atoms: Vec<Value>,
    pub(super) nodes: Vec<u32>,
    pub(super) maps: Vec<u32>,
}

impl Translation {
    /// The handle in the absorbing interner.
    #[inline]
    #[must_use]
    pub fn apply(&self, value: Value) -> Value {
        if value.0 & ATOM == 0 || value.is_absent() {
            value
        } else if let Some((kind, node)) = value.node() {
            let known = if kind == Compound::Map { &self.maps } else { &self.nodes };
            Value::from_node(kind, known[node as usize])
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
        assert_eq!(interner.map(&[(one, text), (one, big)]), Err(one));
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
        let map = theirs.map(&[(key, list)]).expect("one key");
        let json = theirs.values().json(map, 1000);
        let translation = ours.absorb(&theirs);
        assert_eq!(ours.values().json(translation.apply(map), 1000), json);
        assert_eq!(json, r#"{"k":[1099511627776,"k",1099511627776]}"#);
        assert_eq!(ours.values().get(translation.apply(map), "k"), Some(translation.apply(list)));
    }
}
