//! Bytes to a history: the only room that reads files.

use std::path::PathBuf;

use crate::history::{Batch, BuildError, Builder, History, MicroOp, Origin, Record, RecordType, Value};

/// Where a history comes from.
#[derive(Debug)]
pub enum Source {
    /// A file, whose format is found by its content.
    File(PathBuf),
    /// Standard input, or any other stream; read to its end.
    Stream {
        /// What errors and reports call it.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// What a reader is told beside the bytes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether values are Jepsen's `[key, value]` tuples; not said: where the reads' invocations show it.
    pub independent: Option<bool>,
    /// Fields that override the history's header, as JSON text: `("initial", "0")`.
    pub header: Vec<(String, String)>,
}

/// Why a source is no history, or can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// What was found, and what was expected.
    pub message: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column, from 1, in characters.
    pub column: Option<u64>,
    /// What to do.
    pub help: String,
}

/// Reads one history.
///
/// # Errors
/// What can't be read, or is no history: where, what was found, and what to do. A partly read history is never returned.
pub fn read(source: Source, options: &Options) -> Result<History, InputError> {
    let bytes = match source {
        Source::File(path) => std::fs::read(&path).map_err(|error| failure(error.to_string()))?,
        Source::Stream { bytes, .. } => bytes,
    };
    let mut plain = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        use std::io::Read as _;
        flate2::read::MultiGzDecoder::new(&bytes[..])
            .read_to_end(&mut plain)
            .map_err(|error| failure(error.to_string()))?;
    } else {
        plain = bytes;
    }
    let mut records: Vec<serde_json::Value> = Vec::new();
    for document in serde_json::Deserializer::from_slice(&plain).into_iter::<serde_json::Value>() {
        match document.map_err(|error| failure(error.to_string()))? {
            serde_json::Value::Array(items) => records.extend(items),
            serde_json::Value::Object(mut conformance) if conformance.get("history").is_some_and(|h| h.is_array()) => {
                if let Some(serde_json::Value::Array(items)) = conformance.remove("history") {
                    records.extend(items);
                }
            }
            record => records.push(record),
        }
    }
    let mut builder = Builder::default();
    builder.independent(options.independent);
    let mut batch = Batch::default();
    let mut header = serde_json::Map::new();
    if let Some(serde_json::Value::Object(fields)) = records.first().and_then(|r| r.get("history")) {
        header = fields.clone();
        records.remove(0);
    }
    for (name, text) in &options.header {
        let value = serde_json::from_str(text).map_err(|error| failure(error.to_string()))?;
        header.insert(name.clone(), value);
    }
    if !header.is_empty() {
        let fields = intern(builder.interner(), &serde_json::Value::Object(header));
        builder.header(fields);
    }
    for json in &records {
        let kind = json.get("type").and_then(|t| t.as_str()).and_then(RecordType::named);
        let mut record = Record::new(kind.ok_or_else(|| failure(format!("no type in {json}")))?);
        let field = |batch: &mut Batch, name: &str| {
            json.get(name).map_or(Value::ABSENT, |value| intern(batch.interner(), value))
        };
        record.process = field(&mut batch, "process");
        record.f = field(&mut batch, "f");
        record.key = field(&mut batch, "key");
        record.node = field(&mut batch, "node");
        record.session = field(&mut batch, "session");
        record.version = field(&mut batch, "version");
        record.final_read = json.get("final") == Some(&serde_json::Value::Bool(true));
        record.time = json.get("time").and_then(serde_json::Value::as_i64).unwrap_or(History::NO_TIME);
        record.index = json.get("index").and_then(serde_json::Value::as_i64);
        let is_txn = json.get("f").is_none_or(|f| f == "txn");
        match json.get("value").and_then(|v| v.as_array()) {
            Some(mops)
                if is_txn && !mops.is_empty() && mops.iter().all(|m| m.get(0).is_some_and(|f| f.is_string())) =>
            {
                for mop in mops {
                    let item = |batch: &mut Batch, at: usize| {
                        mop.get(at).map_or(Value::ABSENT, |value| intern(batch.interner(), value))
                    };
                    let mop = MicroOp { f: item(&mut batch, 0), key: item(&mut batch, 1), value: item(&mut batch, 2) };
                    batch.push_mop(mop);
                }
            }
            _ => record.value = field(&mut batch, "value"),
        }
        batch.push(record);
    }
    builder.add(batch);
    builder.finish(Box::new(Texts(records.iter().map(ToString::to_string).collect()))).map_err(from_build)
}

fn failure(message: String) -> InputError {
    InputError { message, line: None, column: None, help: String::new() }
}

fn from_build(error: BuildError) -> InputError {
    InputError { message: error.message, line: error.position.map(u64::from), column: None, help: error.help }
}

fn intern(interner: &mut crate::history::Interner, json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::NULL,
        serde_json::Value::Bool(true) => Value::TRUE,
        serde_json::Value::Bool(false) => Value::FALSE,
        serde_json::Value::Number(n) if n.is_f64() => interner.float(n.as_f64().unwrap_or(0.0)),
        serde_json::Value::Number(n) => interner.integer_text(&n.to_string()),
        serde_json::Value::String(s) => interner.string(s),
        serde_json::Value::Array(items) => {
            let items: Vec<Value> = items.iter().map(|item| intern(interner, item)).collect();
            interner.list(&items)
        }
        serde_json::Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(k, v)| (interner.string(k), intern(interner, v))).collect();
            interner.map(&mut entries).unwrap_or(Value::NULL)
        }
    }
}

#[derive(Debug)]
struct Texts(Vec<String>);

impl Origin for Texts {
    fn json(&self, position: u32) -> Option<String> {
        self.0.get(position as usize).cloned()
    }

    fn line(&self, position: u32) -> Option<u64> {
        Some(u64::from(position) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the records of one client pair up, and a transaction's results are those of its completion.
    #[test]
    fn records_become_operations() {
        let text = r#"{"type":"invoke","process":0,"f":"txn","value":[["append",1,2],["r",1,null]]}
{"type":"info","process":"nemesis","f":"kill","value":"n1"}
{"type":"ok","process":0,"f":"txn","value":[["append",1,2],["r",1,[2]]]}
{"type":"invoke","process":0,"f":"txn","value":[["r",1,null]]}"#;
        let source = Source::Stream { name: "test".into(), bytes: text.into() };
        let history = read(source, &Options::default()).expect("a history");
        assert_eq!((history.len(), history.observations().len(), history.records()), (2, 1, 4));
        let op = history.ops().next().expect("an operation");
        assert_eq!((op.began(), op.ended(), op.mops().len()), (0, 2, 2));
        assert_eq!(history.values().json(op.mops()[1].value, 100), "[2]");
        assert_eq!(history.ops().nth(1).map(|op| (op.began(), op.ended())), Some((3, History::NO_POSITION)));
    }
}
