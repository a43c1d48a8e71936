//! The fields of a record's value, found by name without comparing text twice.

use crate::history::{History, Value, Values};

/// Reads the same few fields from many maps. A name is compared as text until it is met, and by its handle from then on; where the
/// fields are is remembered by the keys, which most maps of a history share.
pub(crate) struct Fields<const N: usize> {
    names: [&'static str; N],
    handles: [Value; N],
    /// By the list of a map's keys, where each field is; [`NOWHERE`] where it has none. The last one that was asked for is at `last`.
    shapes: Vec<(Value, [usize; N])>,
    last: usize,
}

const NOWHERE: usize = usize::MAX - 1;

/// So many lists of keys are remembered.
const SHAPES: usize = 16;

impl<const N: usize> Fields<N> {
    /// For these names.
    pub(crate) fn new(names: [&'static str; N]) -> Fields<N> {
        Fields { names, handles: [Value::ABSENT; N], shapes: Vec::new(), last: 0 }
    }

    /// What the map holds under each name; absent where it has none, or where this is no map.
    pub(crate) fn of(&mut self, values: &Values, map: Value) -> [Value; N] {
        let Some(keys) = values.keys(map) else { return [Value::ABSENT; N] };
        let is_last = self.shapes.get(self.last).is_some_and(|shape| shape.0 == keys);
        if !is_last {
            let known = self.shapes.iter().position(|shape| shape.0 == keys);
            self.last = known.unwrap_or_else(|| self.remember(values, keys));
        }
        self.shapes[self.last].1.map(|at| values.value_at(map, at))
    }

    /// Finds the names among a map's keys. (Of many lists of keys the last place is taken again and again.)
    #[cold]
    fn remember(&mut self, values: &Values, keys: Value) -> usize {
        let mut places = [NOWHERE; N];
        for (place, key) in values.items(keys).into_iter().enumerate() {
            if let Some(at) = self.place(values, key) {
                places[at] = place;
            }
        }
        self.shapes.truncate(SHAPES - 1);
        self.shapes.push((keys, places));
        self.shapes.len() - 1
    }

    /// Which of the names this is, which is there.
    #[inline]
    pub(crate) fn place(&mut self, values: &Values, name: Value) -> Option<usize> {
        self.handles.iter().position(|handle| *handle == name).or_else(|| self.learn(values, name))
    }

    fn learn(&mut self, values: &Values, key: Value) -> Option<usize> {
        if self.handles.iter().all(|handle| !handle.is_absent()) {
            return None;
        }
        let text = values.as_str(key)?;
        let at = self.names.iter().position(|name| *name == text)?;
        self.handles[at] = key;
        Some(at)
    }
}

/// What to do about the value of a transaction that has no micro-operations.
pub(crate) fn micro_operations_help(history: &History, value: Value) -> &'static str {
    match history.values().as_str(value) {
        Some(text) if text.trim_start().starts_with(['[', '{']) => {
            "the value is a string with JSON in it: write the list itself, without the quotes around it"
        }
        _ => "a transaction's value is a list of lists: [[\"append\", key, element], [\"r\", key, list], ...]",
    }
}

/// Null and what was not there are one.
pub(crate) fn or_null(value: Value) -> Value {
    if value.is_absent() { Value::NULL } else { value }
}
