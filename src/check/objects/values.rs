//! Which values of one register are written, by whom and how often: the ground that the fast path stands on.

use hashbrown::HashMap;

use crate::history::{Status, Value};
use crate::workload::register::{Initial, Key};

/// No operation, or no slot.
pub(super) const NONE: u32 = u32::MAX;

/// The slot of the initial value.
pub(super) const INITIAL: u32 = 0;

/// The writes of a register, numbered: a slot for each value, found by it, with its first write; and slots that no value
/// finds for further writes of the same. Slot 0 is the initial value.
pub(super) struct Slots {
    initial: Option<Value>,
    index: Index,
    /// The operation that writes the value (of several, the first to begin); none for the initial value.
    pub(super) writer: Vec<u32>,
    /// Whether more than one operation writes it, or it is also the initial value.
    pub(super) repeated: Vec<bool>,
}

/// From values to slots: a table where handles lie close together (small integers do), else a hash map.
enum Index {
    Dense { first: u32, slots: Vec<u32> },
    Hashed(HashMap<Value, u32, foldhash::fast::RandomState>),
}

impl Index {
    fn for_key(key: &Key<'_>) -> Index {
        let raws = || (0..key.len()).filter_map(|at| key.written(at)).map(Value::raw);
        let (Some(first), Some(last)) = (raws().min(), raws().max()) else {
            return Index::Dense { first: 0, slots: Vec::new() };
        };
        let width = (last - first) as usize;
        if width <= 4 * key.len() + 64 {
            Index::Dense { first, slots: vec![NONE; width + 1] }
        } else {
            Index::Hashed(HashMap::default())
        }
    }

    #[inline]
    fn get(&self, value: Value) -> u32 {
        match self {
            Index::Dense { first, slots } => {
                value.raw().checked_sub(*first).and_then(|at| slots.get(at as usize)).copied().unwrap_or(NONE)
            }
            Index::Hashed(map) => map.get(&value).copied().unwrap_or(NONE),
        }
    }

    fn set(&mut self, value: Value, slot: u32) {
        match self {
            Index::Dense { first, slots } => slots[(value.raw() - *first) as usize] = slot,
            Index::Hashed(map) => {
                map.insert(value, slot);
            }
        }
    }
}

impl Slots {
    /// Every value that an operation wrote, or may have written.
    pub(super) fn new(key: &Key<'_>, initial: Option<Value>) -> Slots {
        let mut slots = Slots { initial, index: Index::for_key(key), writer: vec![NONE], repeated: vec![false] };
        for at in 0..key.len() {
            let Some(value) = key.written(at).filter(|_| key.status[at] != Status::Fail) else { continue };
            let op = u32::try_from(at).unwrap_or(NONE);
            match slots.of(value) {
                NONE => {
                    let slot = u32::try_from(slots.writer.len()).unwrap_or(NONE);
                    slots.index.set(value, slot);
                    slots.writer.push(op);
                }
                slot => {
                    slots.repeated[slot as usize] = true;
                    // Columns are in order of the first record, which can be a completion that began long before.
                    let known = &mut slots.writer[slot as usize];
                    let earlier = *known != NONE && key.began[at] < key.began[*known as usize];
                    let other = if earlier { std::mem::replace(known, op) } else { op };
                    slots.writer.push(other);
                }
            }
            slots.repeated.push(false);
        }
        slots
    }

    /// The value's slot, or [`NONE`] where nobody wrote it.
    #[inline]
    pub(super) fn of(&self, value: Value) -> u32 {
        if self.initial == Some(value) { INITIAL } else { self.index.get(value) }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.writer.len()
    }
}

/// The initial value, and where the history itself tells it, the operation that does.
pub(super) struct Beginning {
    pub(super) value: Option<Value>,
    pub(super) told_by: u32,
}

impl Beginning {
    /// Where the initial value is not known, the first observation of a value that nobody can have written by then tells
    /// it: no other value is left to be the initial one. With no such observation it stays unknown.
    pub(super) fn of(key: &Key<'_>) -> Beginning {
        if let Initial::Known(value) = key.initial {
            return Beginning { value: Some(value), told_by: NONE };
        }
        let slots = Slots::new(key, None);
        let mut first: Option<usize> = None;
        for at in 0..key.len() {
            let Some(value) = key.observed(at).filter(|_| key.status[at] == Status::Ok) else { continue };
            let slot = slots.of(value);
            let too_late = slot == NONE || key.began[slots.writer[slot as usize] as usize] > key.ended[at];
            if too_late && first.is_none_or(|first| key.ended[at] < key.ended[first]) {
                first = Some(at);
            }
        }
        Beginning {
            value: first.and_then(|at| key.observed(at)),
            told_by: first.map_or(NONE, |at| u32::try_from(at).unwrap_or(NONE)),
        }
    }
}
