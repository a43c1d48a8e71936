//! Jepsen's `history.txt`: process, type, function, value, and error, with tabs between, no index and no time.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{ConvertError, edn};

/// What it holds. The order of lines is the index.
const HELD: [&str; 6] = ["process", "type", "f", "value", "error", "index"];

/// One record as a line, without its end.
pub(super) fn from_json(json: &str, position: u32, lossy: bool) -> Result<String, ConvertError> {
    let unfit =
        |message: String, help: &str| ConvertError::Unfit { position: Some(position), message, help: help.to_owned() };
    let record: BTreeMap<String, &RawValue> =
        serde_json::from_str(json).map_err(|error| unfit(error.to_string(), "convert to json, jsonl or edn"))?;
    let unheld = |field: &&String| !HELD.contains(&field.as_str()) && (!lossy || *field == "key");
    if let Some(field) = record.keys().find(unheld) {
        let help = if field == "key" {
            "convert to json, jsonl or edn"
        } else {
            "convert to json, jsonl or edn; or say `--lossy`, and it is left out"
        };
        let message =
            format!("the record has {field:?}, and Jepsen's text log has only process, type, f, value and error");
        return Err(unfit(message, help));
    }
    // Fields are told by the white space between them, and a record by its process.
    for field in ["process", "f"] {
        let text = record.get(field).map_or("", |value| value.get());
        let is_name = serde_json::from_str::<String>(text).is_ok_and(|name| edn::is_name(&name));
        let is_number = field == "process" && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_name && !is_number {
            let what = if text.is_empty() { "none".to_owned() } else { text.chars().take(60).collect() };
            return Err(unfit(
                format!(
                    "Jepsen's text log takes plain names as `process` and `f`, and the record's `{field}` is {what}"
                ),
                "convert to json, jsonl or edn",
            ));
        }
    }
    let edn_of = |field: &str| {
        record.get(field).map_or_else(
            || "nil".to_owned(),
            |value| {
                let wrapped = edn::from_json(&format!("{{\"{field}\":{value}}}"));
                wrapped[field.len() + 3..wrapped.len() - 1].to_owned()
            },
        )
    };
    let process = match record.get("process") {
        Some(name) if name.get().starts_with('"') => format!(":{}", name.get().trim_matches('"')),
        _ => edn_of("process"),
    };
    let mut line = format!("{process}\t{}\t{}\t{}", edn_of("type"), edn_of("f"), edn_of("value"));
    if record.contains_key("error") {
        line.push('\t');
        line.push_str(&edn_of("error"));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::from_json;

    /// Goal: a line as Jepsen prints it; what it has no column for is refused and not dropped.
    #[test]
    fn lines_look_like_jepsens() {
        let line = |json| from_json(json, 0, false).map_err(|error| error.to_string());
        let json = r#"{"index":3,"type":"info","process":1,"f":"txn","value":[["w",151,57]],"error":"timeout"}"#;
        assert_eq!(line(json).as_deref(), Ok("1\t:info\t:txn\t[[:w 151 57]]\t:timeout"));
        assert_eq!(
            line(r#"{"type":"info","process":"nemesis","f":"kill"}"#).as_deref(),
            Ok(":nemesis\t:info\t:kill\tnil")
        );
        assert!(line(r#"{"type":"ok","process":1,"f":"read","key":"x"}"#).expect_err("no column").contains("key"));
    }
}
