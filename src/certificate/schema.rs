//! The JSON Schema (2020-12) of certificates, for whoever writes a verifier of their own.

use serde_json::{Value, json};

use crate::guarantee::Guarantee;

const SHAPE: &str = include_str!("certificate.schema.json");

/// The schema of [`super::SCHEMA`], as JSON text that ends with a line feed. The names of guarantees come from their table.
#[must_use]
pub fn schema() -> String {
    let mut schema: Value = serde_json::from_str(SHAPE).expect("certificate.schema.json is JSON, as a test shows");
    if let Some(definition) = schema.pointer_mut("/$defs/guarantee") {
        let names: Vec<&str> = Guarantee::ALL.iter().map(|guarantee| guarantee.name()).collect();
        definition["enum"] = json!(names);
    }
    format!("{schema:#}\n")
}
