//! Seals: whether an anomaly of a report is as it was written.
//!
//! `verify` confirms from the history what a witness claims. That it occurs so often (`count`), that nothing smaller shows it
//! (`minimality`), which baseline accepted it (`accepted`): these were counted, searched and looked up, and no history shows them
//! to someone who only looks at a witness. A seal is the digest of all that is said of an anomaly but for its records, which are in
//! the history. It notices slips of tools and of hands. Whoever forges a report can forge its seals: so nothing that a history can
//! show rests on one.

use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::view::AnomalyReport;

/// An anomaly of a report with its seal.
#[derive(Serialize)]
struct Sealed<'a> {
    #[serde(flatten)]
    anomaly: &'a AnomalyReport,
    /// None where its values are nested deeper than a reader goes.
    seal: Option<String>,
}

/// Writes anomalies with their seals.
pub(super) fn sealed<S: Serializer>(anomalies: &[AnomalyReport], serializer: S) -> Result<S::Ok, S::Error> {
    // Of what a reader of the text will see: numbers included.
    let read = |anomaly: &AnomalyReport| serde_json::from_str::<Json>(&serde_json::to_string(anomaly).ok()?).ok();
    serializer
        .collect_seq(anomalies.iter().map(|anomaly| Sealed { anomaly, seal: read(anomaly).map(|read| seal(&read)) }))
}

/// The seal of an anomaly as JSON has it: `sha256:` and the SHA-256 of all but the seal itself and the witness's records, in whatever
/// order its fields are, and however it is indented.
#[must_use]
pub fn seal(anomaly: &Json) -> String {
    let mut bare = anomaly.clone();
    if let Some(fields) = bare.as_object_mut() {
        fields.shift_remove("seal");
        if let Some(witness) = fields.get_mut("witness").and_then(Json::as_object_mut) {
            witness.shift_remove("records");
        }
    }
    // Neither recurses deeper than the reader of JSON went.
    bare.sort_all_objects();
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bare.to_string().as_bytes()) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
