//! Values that are not to be shown: placeholders in their place, the same for the same value, numbered as they first appear.
//!
//! What a check sees stays what it is, so that no verdict depends on this; what is *shown* of a value (as JSON, or as a
//! record of the file) is its placeholder. A name that is also a value is hidden with it. Null, true and false say too
//! little to be hidden. Cost: one pass over the operations and their values.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use serde_json::Value as Json;

use super::{History, Origin, Value, Values, View};

type Seeded = foldhash::fast::RandomState;

/// The placeholders of values.
#[derive(Debug, Default, Clone)]
pub(super) struct Hidden {
    numbers: HashMap<Value, u32, Seeded>,
    /// Whether names within values are hidden, too.
    pub(super) names: bool,
}

impl Hidden {
    /// What is shown in place of a value.
    pub(super) fn placeholder(&self, value: Value) -> Option<String> {
        self.numbers.get(&value).map(|number| format!("v{number}"))
    }
}

impl History {
    /// Hides all values from now on, and with `keys` all keys and the names within values. To be called before anything is
    /// shown.
    pub fn redact(&mut self, keys: bool) {
        let mut collector =
            Collector { values: &self.values, keys, hidden: Hidden::default(), seen: HashSet::default() };
        for op in self.ops() {
            if keys {
                collector.take(op.key());
            }
            collector.take(op.argument());
            collector.take(op.result());
            for mop in op.mops() {
                if keys {
                    collector.take(mop.key);
                }
                collector.take(mop.value);
            }
        }
        for seen in &self.observations {
            if keys {
                collector.take(seen.key);
            }
            collector.take(seen.value);
        }
        let mut hidden = collector.hidden;
        hidden.names = keys;
        // What stands for itself: functions, and keys that are not hidden.
        let mut names = HashSet::default();
        let mut keep = |value: Value| {
            if !value.is_null() && hidden.placeholder(value).is_none() {
                names.insert(self.values.plain_json(value, usize::MAX));
            }
        };
        for op in self.ops() {
            for mop in op.mops() {
                keep(mop.f);
                keep(mop.key);
            }
        }
        let texts = hidden
            .numbers
            .iter()
            .map(|(value, number)| (self.values.plain_json(*value, usize::MAX), *number))
            .collect();
        self.origin = Arc::new(Redacted { inner: Arc::clone(&self.origin), texts, names, keys });
        Arc::make_mut(&mut self.values).hidden = Some(Box::new(hidden));
    }
}

/// Gives every value a number.
struct Collector<'a> {
    values: &'a Values,
    keys: bool,
    hidden: Hidden,
    /// Compound values that were taken apart.
    seen: HashSet<Value, Seeded>,
}

impl Collector<'_> {
    fn take(&mut self, value: Value) {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match self.values.view(value) {
                View::Absent | View::Null | View::Bool(_) => {}
                View::Compound(kind) => {
                    let named = kind == super::Compound::Map && !self.keys;
                    let mut list = value;
                    // A list that grows was seen up to where it was longer than before.
                    while let Some((parent, last)) = self.values.split_last(list) {
                        if !self.seen.insert(list) {
                            break;
                        }
                        open.push(last);
                        list = parent;
                    }
                    if !value.is_list() && self.seen.insert(value) {
                        let items = self.values.items(value);
                        open.extend(
                            items.iter().enumerate().filter(|(at, _)| !named || at % 2 == 1).map(|(_, item)| *item),
                        );
                    }
                }
                _ => {
                    let next = u32::try_from(self.hidden.numbers.len()).unwrap_or(u32::MAX - 1) + 1;
                    self.hidden.numbers.entry(value).or_insert(next);
                }
            }
        }
    }
}

/// The original records, without what is hidden.
#[derive(Debug)]
struct Redacted {
    inner: Arc<dyn Origin>,
    /// Values as JSON, with their numbers.
    texts: HashMap<String, u32, Seeded>,
    /// What stands for itself, as JSON.
    names: HashSet<String, Seeded>,
    keys: bool,
}

/// Fields of a record that have no value in them.
const PLAIN: [&str; 9] = ["type", "process", "f", "index", "time", "node", "session", "version", "final"];
const HIDDEN: &str = "hidden";

impl Redacted {
    fn leaf(&self, value: &Json) -> Json {
        let text = value.to_string();
        match self.texts.get(&text) {
            Some(number) => Json::String(format!("v{number}")),
            None if value.is_null() || value.is_boolean() || self.names.contains(&text) => value.clone(),
            None => Json::String(HIDDEN.to_owned()),
        }
    }

    /// A value with its leaves hidden. Records were read, and so nest no deeper than reading allows.
    fn hide(&self, value: &mut Json) {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Json::Array(items) => open.extend(items),
                Json::Object(fields) => {
                    if self.keys {
                        let named = std::mem::take(fields).into_iter();
                        fields.extend(named.map(|(name, value)| match self.leaf(&Json::String(name)) {
                            Json::String(name) => (name, value),
                            other => (other.to_string(), value),
                        }));
                    }
                    open.extend(fields.values_mut());
                }
                leaf => *leaf = self.leaf(leaf),
            }
        }
    }
}

impl Origin for Redacted {
    fn json(&self, position: u32) -> Option<String> {
        let mut record: Json = serde_json::from_str(&self.inner.json(position)?).ok()?;
        for (name, value) in record.as_object_mut()? {
            match name.as_str() {
                name if PLAIN.contains(&name) => {}
                "key" if !self.keys => {}
                "key" | "value" => self.hide(value),
                _ => *value = Json::String(HIDDEN.to_owned()),
            }
        }
        Some(record.to_string())
    }

    fn line(&self, position: u32) -> Option<u64> {
        self.inner.line(position)
    }

    fn source(&self, position: u32) -> Option<&str> {
        self.inner.source(position)
    }

    fn left_out(&self) -> u64 {
        self.inner.left_out()
    }
}
