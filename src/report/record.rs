//! A record as the history had it: every field, in its own order, numbers digit by digit.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::history::{History, Value};

/// One record of the input, whose `index` is its position. Values stay text: a number of a hundred digits keeps them.
#[derive(Clone, Debug)]
pub struct OriginalRecord {
    fields: Vec<(String, Box<RawValue>)>,
}

impl OriginalRecord {
    /// The record at this position. A history that was made in memory has no text to go back to: then nothing.
    pub(super) fn from_origin(history: &History, position: u32) -> Option<OriginalRecord> {
        let text = history.origin().json(position)?;
        let mut record: OriginalRecord = serde_json::from_str(&text).ok()?;
        let index = raw(position.to_string())?;
        match record.fields.iter_mut().find(|(name, _)| name == "index") {
            Some((_, value)) => *value = index,
            None => record.fields.insert(0, ("index".to_owned(), index)),
        }
        Some(record)
    }

    /// Its position, as [`OriginalRecord::from_origin`] has put it in.
    pub(super) fn position(&self) -> Option<u32> {
        let (_, index) = self.fields.iter().find(|(name, _)| name == "index")?;
        index.get().parse().ok()
    }

    /// A record from columns; fields that are absent are left out.
    pub(super) fn from_columns(
        history: &History,
        position: u32,
        kind: &str,
        time: Option<i64>,
        columns: &[(&str, Value)],
        value: Option<String>,
    ) -> OriginalRecord {
        let mut record = OriginalRecord { fields: Vec::new() };
        record.put("index", position.to_string());
        if let Some(time) = time {
            record.put("time", time.to_string());
        }
        record.put("type", format!("\"{kind}\""));
        for (name, value) in columns.iter().filter(|(_, value)| !value.is_absent()) {
            record.put(name, history.values().json(*value, usize::MAX));
        }
        if let Some(value) = value {
            record.put("value", value);
        }
        record
    }

    /// Its fields, by name.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    fn put(&mut self, name: &str, json: String) {
        if let Some(value) = raw(json) {
            self.fields.push((name.to_owned(), value));
        }
    }
}

/// The text, if it is JSON.
fn raw(json: String) -> Option<Box<RawValue>> {
    RawValue::from_string(json).ok()
}

impl Serialize for OriginalRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for OriginalRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = OriginalRecord;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OriginalRecord, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(OriginalRecord { fields })
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: nothing of a record is lost or rounded on its way through a report.
    #[test]
    fn records_keep_their_digits_and_their_order() {
        let text = r#"{"b":123456789012345678901234567890,"a":[1.10,{"deep":null}],"e":"ü"}"#;
        let record: OriginalRecord = serde_json::from_str(text).expect("a record");
        assert_eq!(serde_json::to_string(&record).expect("JSON"), text);
    }
}
