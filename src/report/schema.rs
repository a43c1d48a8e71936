//! The JSON Schema (2020-12) of the report.
//!
//! `report.schema.json` has its shape; the names of guarantees and anomalies come from their tables, so that the schema
//! of a version lists exactly the names which that version can report.

use serde_json::{Value, json};

use crate::guarantee::{Anomaly, Guarantee};

const SHAPE: &str = include_str!("report.schema.json");

/// The schema of `anachron.report/1`, as JSON text that ends with a line feed.
#[must_use]
pub fn schema() -> String {
    let mut schema: Value = serde_json::from_str(SHAPE).expect("report.schema.json is JSON, as a test shows");
    let guarantees: Vec<&str> = Guarantee::ALL.iter().map(|guarantee| guarantee.name()).collect();
    let anomalies: Vec<&str> = Anomaly::ALL.iter().map(|anomaly| anomaly.name()).collect();
    for (name, names) in [("guarantee", guarantees), ("anomaly", anomalies)] {
        if let Some(definition) = schema.pointer_mut(&format!("/$defs/{name}")) {
            definition["enum"] = json!(names);
        }
    }
    format!("{schema:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the schema is a schema, and knows every name.
    #[test]
    fn the_schema_is_one() {
        let schema: Value = serde_json::from_str(&schema()).expect("JSON");
        assert!(jsonschema::draft202012::meta::is_valid(&schema));
        let names = schema.pointer("/$defs/anomaly/enum").and_then(Value::as_array).expect("names");
        assert_eq!(names.len(), Anomaly::ALL.len());
        assert!(schema.pointer("/$defs/guarantee/enum/0").is_some_and(|name| name == "strict-serializable"));
    }
}
