//! The schema of certificates, which says to whoever writes a verifier what there can be.

use serde_json::Value;

use super::anachron;
use super::shelf::shipped;

/// Goal: what `anachron schema certificate` prints is a schema, knows every kind of evidence that shipped histories have, takes each of
/// their certificates, and none with a field or a kind that it doesn't know.
#[test]
fn certificates_are_what_their_schema_says() {
    let (code, text) = anachron(&["schema", "certificate"]);
    assert_eq!(code, Some(0), "{text}");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut kinds = std::collections::BTreeSet::new();
    for one in shipped() {
        for pass in &one.passes {
            let json: Value = serde_json::to_value(&pass.certificate).expect("JSON");
            let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", one.name);
            for claim in json["claims"].as_array().expect("claims") {
                kinds.extend(claim["evidence"].as_object().and_then(|kind| kind.keys().next()).cloned());
                let mut other = json.clone();
                other["claims"] = vec![claim.clone()].into();
                other["claims"][0]["evidence"] = serde_json::json!({"belief": []});
                assert!(!validator.is_valid(&other));
            }
        }
    }
    let known = schema.pointer("/$defs/evidence/oneOf").and_then(Value::as_array).expect("kinds");
    let mut known: std::collections::BTreeSet<String> =
        known.iter().filter_map(|kind| kind.pointer("/required/0")?.as_str()).map(str::to_owned).collect();
    // No shipped history whose reads say what they had seen converges: tests/eventual.rs makes some.
    known.remove("agreement");
    assert_eq!(kinds, known);
}
