//! Interning maps: a row each, found by one hash.
//!
//! A map is the list of its keys, in canonical order, and its values in that order. The maps of one writer have the same few
//! keys again and again, given in the same order: so which order that is and which list is remembered by the keys as given,
//! and what is left to do for a map is to hash and compare a short row of ids.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::interner::{Interner, Translation};
use super::tags::{AHEAD, Slot, look_ahead, spread, upper};
use super::value::{Compound, NODE_MASK, Value, Values};

/// The tables by which maps are found.
#[derive(Debug, Default)]
pub(super) struct MapIndex {
    rows: HashTable<Slot>,
    /// For each map, how many list nodes there were before it: these may be in it, others may hold it.
    pub(super) before: Vec<u32>,
    shapes: Vec<Shape>,
    row: Vec<u32>,
    tags: Vec<u32>,
}

/// Keys as they were given.
#[derive(Clone, Debug, Default)]
struct Shape {
    given: Vec<Value>,
    /// Which of the given entries comes first, second ... in canonical order.
    order: Vec<usize>,
    /// The list of the keys in that order.
    keys: u32,
}

impl MapIndex {
    /// Room for as many maps as another one knows.
    pub(super) fn make_room(&mut self, other: &MapIndex) {
        self.rows.reserve(other.rows.len(), Slot::hash);
        self.before.reserve(other.before.len());
    }
}

/// What a new map takes beside its row, with its place in the table.
const ROW_BYTES: usize = 24;

/// How many shapes are remembered.
const SHAPES: usize = 64;

impl Interner {
    /// A map of these entries, in any order; the first key that occurs twice is the error.
    ///
    /// # Errors
    /// A key that occurs more than once.
    pub fn map(&mut self, entries: &[(Value, Value)]) -> Result<Value, Value> {
        let items: Vec<Value> = entries.iter().flat_map(|(key, value)| [*key, *value]).collect();
        self.map_of(&items)
    }

    /// A map of these keys and values in turn, the entries in any order; the first key that occurs twice is the error.
    ///
    /// # Errors
    /// A key that occurs more than once.
    pub fn map_of(&mut self, items: &[Value]) -> Result<Value, Value> {
        if items.is_empty() {
            return Ok(Value::from_node(Compound::Map, 0));
        }
        let hash = items.iter().step_by(2).fold(0u32, |hash, key| (hash ^ key.raw()).wrapping_mul(0x9e37_79b1));
        let slot = (hash >> 26) as usize % SHAPES;
        if self.maps.shapes.is_empty() {
            self.maps.shapes.resize(SHAPES, Shape::default());
        }
        if !self.maps.shapes[slot].given.iter().eq(items.iter().step_by(2)) {
            self.maps.shapes[slot] = self.shape(items)?;
        }
        let (mut row, mut tags) = (std::mem::take(&mut self.maps.row), std::mem::take(&mut self.maps.tags));
        let shape = &self.maps.shapes[slot];
        row.clear();
        tags.clear();
        row.push(shape.keys);
        tags.push(self.keys_tag(shape.keys));
        for at in &shape.order {
            let value = items[2 * at + 1];
            row.push(value.raw());
            tags.push(self.tag_of(value));
        }
        let tag = upper(self.hasher.hash_one(tags.as_slice()));
        let map = self.row(&row, tag);
        (self.maps.row, self.maps.tags) = (row, tags);
        Ok(Value::from_node(Compound::Map, map))
    }

    /// The maps of another interner, each after the lists that were there before it.
    pub(super) fn absorb_maps(&mut self, other: &Interner, translation: &mut Translation) {
        let mut row = Vec::new();
        let mut map = 1;
        for tags in other.map_tags[1..].chunks(AHEAD) {
            look_ahead(&self.maps.rows, tags);
            for tag in tags {
                self.absorb_lists(other, other.maps.before[map as usize] as usize, translation);
                let theirs = other.values.map_row(map);
                row.clear();
                row.push(translation.nodes[theirs[0] as usize]);
                row.extend(theirs[1..].iter().map(|value| translation.apply(Value(*value)).raw()));
                translation.maps.push(self.row(&row, *tag));
                map += 1;
            }
        }
    }

    #[cold]
    fn shape(&mut self, items: &[Value]) -> Result<Shape, Value> {
        let given: Vec<Value> = items.iter().step_by(2).copied().collect();
        let mut order: Vec<usize> = (0..given.len()).collect();
        order.sort_by(|a, b| self.values().compare(given[*a], given[*b]));
        if let Some(pair) = order.windows(2).find(|pair| given[pair[0]] == given[pair[1]]) {
            return Err(given[pair[0]]);
        }
        let keys = order.iter().fold(0, |list, at| self.child(list, given[*at]));
        Ok(Shape { given, order, keys })
    }

    /// The map with this row (the list of its keys, and its values) and this tag.
    fn row(&mut self, row: &[u32], tag: u32) -> u32 {
        let Interner { values, maps, map_tags, room, .. } = self;
        let same = |slot: &Slot| slot.tag == tag && values.map_row(slot.index) == row;
        if let Some(slot) = maps.rows.find(spread(tag), same) {
            return slot.index;
        }
        let (index, start) = (u32::try_from(values.map_starts.len()), u32::try_from(values.map_rows.len()));
        let (Ok(index @ 0..NODE_MASK), Ok(start)) = (index, start) else {
            room.full = true;
            return 0;
        };
        if !room.spend(ROW_BYTES + 4 * row.len()) {
            return 0;
        }
        values.map_starts.push(start);
        values.map_rows.extend_from_slice(row);
        map_tags.push(tag);
        maps.before.push(u32::try_from(values.parents.len()).unwrap_or(u32::MAX));
        maps.rows.insert_unique(spread(tag), Slot { tag, index }, Slot::hash);
        index
    }
}

impl Values {
    /// A map's row: the list of its keys, and its values in the order of these.
    #[inline]
    pub(super) fn map_row(&self, map: u32) -> &[u32] {
        let start = self.map_starts[map as usize] as usize;
        let keys = self.map_rows[start];
        &self.map_rows[start..=start + self.lengths[keys as usize] as usize]
    }

    /// The entries of a map, the last one first; nothing for anything else.
    pub fn entries(&self, map: Value) -> impl Iterator<Item = (Value, Value)> + '_ {
        let (mut keys, values) = match map.node() {
            Some((Compound::Map, map)) => self.map_row(map).split_first().map_or((0, &[][..]), |row| (*row.0, row.1)),
            _ => (0, &[][..]),
        };
        values.iter().rev().map(move |value| {
            let key = self.lasts[keys as usize];
            keys = self.parents[keys as usize];
            (key, Value(*value))
        })
    }

    /// The list of a map's keys, which all maps of these keys share; nothing for anything else. The empty map's is the empty list.
    #[inline]
    #[must_use]
    pub fn keys(&self, map: Value) -> Option<Value> {
        match map.node() {
            Some((Compound::Map, map)) => {
                Some(Value::from_node(Compound::List, self.map_rows[self.map_starts[map as usize] as usize]))
            }
            _ => None,
        }
    }

    /// What a map holds under the key at this place of [`Values::keys`]; absent where there is no such.
    #[inline]
    #[must_use]
    pub fn value_at(&self, map: Value, place: usize) -> Value {
        let row = match map.node() {
            Some((Compound::Map, map)) => self.map_row(map),
            _ => &[],
        };
        row.get(place + 1).map_or(Value::ABSENT, |value| Value(*value))
    }

    /// What a map holds under this key, if it is a map and has it.
    #[must_use]
    pub fn get(&self, map: Value, key: &str) -> Option<Value> {
        self.entries(map).find(|entry| self.as_str(entry.0) == Some(key)).map(|entry| entry.1)
    }
}
