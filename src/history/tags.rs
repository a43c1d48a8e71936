//! Tags: a hash of the content goes with every value, the same in all interners of a run.
//!
//! So what was hashed in parallel needs no second look when one interner takes in another, and what is looked up is known
//! long before its turn: a table of millions is all over memory, and a look-up that begins only when the one before it has
//! ended would wait for memory each time.

use std::sync::OnceLock;

use hashbrown::HashTable;

/// An id in a table, and enough of its hash that neither a table that grows nor most comparisons need to look at what it stands
/// for, which is elsewhere in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) tag: u32,
    pub(super) index: u32,
}

impl Slot {
    /// The hash of a slot, as its table takes it.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        spread(self.tag)
    }
}

/// A tag as a table's hash.
#[inline]
pub(super) fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// How many entries are looked at ahead.
pub(super) const AHEAD: usize = 32;

/// Has the places of these tags loaded: all at once, where one look-up after the other would wait for each of them.
#[inline]
pub(super) fn look_ahead(table: &HashTable<Slot>, tags: &[u32]) {
    let mut seen = 0;
    for tag in tags {
        let none = table.find(spread(*tag), |slot| {
            seen ^= slot.index;
            false
        });
        seen ^= u32::from(none.is_some());
    }
    std::hint::black_box(seen);
}

/// The upper half of a hash.
#[inline]
pub(super) fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// One for the whole run: tags have to mean the same everywhere, and nothing outside can know them.
pub(super) fn hasher() -> foldhash::fast::RandomState {
    static HASHER: OnceLock<foldhash::fast::RandomState> = OnceLock::new();
    HASHER.get_or_init(foldhash::fast::RandomState::default).clone()
}
