//! Numbers of values: a table where handles are dense, a hash map elsewhere.
//!
//! Interned scalars have handles in order of appearance, and records that belong together come close to each other: so a
//! table of them is walked nearly in order, where a hash map would jump.

use hashbrown::HashMap;

use crate::history::Value;

/// From values to numbers.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// By the place of an interned scalar; [`NONE`] where there is no number.
    dense: Vec<u32>,
    others: HashMap<Value, u32, foldhash::fast::RandomState>,
}

const NONE: u32 = u32::MAX;

impl Numbers {
    /// The number of this value, if it has one.
    pub(crate) fn get(&self, value: Value) -> Option<u32> {
        match value.interned() {
            Some(at) => self.dense.get(at).copied().filter(|number| *number != NONE),
            None => self.others.get(&value).copied(),
        }
    }

    /// The number of this value, which is `next` if it has none yet.
    pub(crate) fn or_insert(&mut self, value: Value, next: u32) -> u32 {
        let Some(at) = value.interned() else { return *self.others.entry(value).or_insert(next) };
        if at >= self.dense.len() {
            self.dense.resize((at + 1).max(self.dense.len() + self.dense.len() / 2), NONE);
        }
        let number = &mut self.dense[at];
        if *number == NONE {
            *number = next;
        }
        *number
    }
}
