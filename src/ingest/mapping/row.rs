//! One row to its record or records, as the text of native ones.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::clock;
use super::spec::{From, Mapping, Rule, Source, Target};

/// Which record of an operation a row gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ingest) enum Half {
    /// The one that it has.
    Only,
    /// The invocation.
    Begin,
    /// The completion.
    End,
}

/// A record that a row gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::ingest) struct Mapped {
    /// Which.
    pub(in crate::ingest) half: Half,
    /// Whether it begins an operation.
    pub(in crate::ingest) invokes: bool,
    /// Nanoseconds, where the row has a time.
    pub(in crate::ingest) time: Option<i64>,
    /// Who acts, as JSON; none: the rows say nothing of it.
    pub(in crate::ingest) process: Option<String>,
    /// Whether the row says to which session the operation belongs.
    pub(in crate::ingest) has_session: bool,
    /// The fields of the record but `process`, as `"name":value` with commas between.
    pub(in crate::ingest) fields: String,
}

/// Why a row gives no record.
#[derive(Debug)]
pub(in crate::ingest) enum Unmapped {
    /// No rule takes it.
    Other,
    /// It lacks something: what.
    Lacks(String),
}

/// A row's fields, as they stand there.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

/// The fields of an object, in their order; nothing where the text is none.
pub(in crate::ingest) fn fields(text: &str) -> Option<Vec<(String, &RawValue)>> {
    struct All;
    impl<'de> Visitor<'de> for All {
        type Value = Vec<(String, &'de RawValue)>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let fields = reader.deserialize_map(All).ok()?;
    reader.end().ok()?;
    Some(fields)
}

/// Whether a row is a record as it stands.
pub(in crate::ingest) fn is_record(row: &str) -> bool {
    let Some(fields) = fields(row) else { return false };
    let of = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.get());
    let kind = of("type").unwrap_or("");
    fields.len() == 1 && fields[0].0 == "history"
        || ["\"invoke\"", "\"ok\"", "\"fail\"", "\"info\""].contains(&kind)
            && of("process").is_some()
            && of("f").is_some()
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Option<Fields<'a>> {
        fields(text).map(Fields)
    }

    /// What is at a path; null is nothing. A name with dots in it is found before its parts are.
    fn at(&self, path: &str) -> Option<&'a RawValue> {
        let (mut value, mut rest) = split(&self.0, path)?;
        while let Some(path) = rest {
            let text = value.get();
            (value, rest) = match text.as_bytes().first() {
                Some(b'{') => split(&Fields::of(text)?.0, path)?,
                Some(b'[') => {
                    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                    let (index, rest) = path.split_once('.').map_or((path, None), |(index, rest)| (index, Some(rest)));
                    (*items.get(index.parse::<usize>().ok()?)?, rest)
                }
                _ => return None,
            };
        }
        (value.get() != "null").then_some(value)
    }
}

/// The field that a path begins with, the longest name first, and what is left of the path.
fn split<'a, 'p>(fields: &[(String, &'a RawValue)], path: &'p str) -> Option<(&'a RawValue, Option<&'p str>)> {
    let named = |name: &str| fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value);
    if let Some(value) = named(path) {
        return Some((value, None));
    }
    path.rmatch_indices('.').find_map(|(at, _)| Some((named(&path[..at])?, Some(&path[at + 1..]))))
}

/// A scalar as tables and conditions see it: a string without its quotes, anything else as it stands.
fn text(value: &RawValue) -> String {
    serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

impl Mapping {
    /// The records that a row gives, as one rule says.
    pub(in crate::ingest) fn records(&self, row: &str) -> Result<Vec<Mapped>, Unmapped> {
        let fields = Fields::of(row).ok_or_else(|| Unmapped::Lacks("it is no JSON object".to_owned()))?;
        let takes = |rule: &&Rule| {
            rule.when.iter().all(|(path, texts)| fields.at(path).is_some_and(|value| texts.contains(&text(value))))
        };
        let rule = self.rules.iter().find(takes).ok_or(Unmapped::Other)?;
        rule.records(&fields)
    }

    /// Whether rows that give no record are left out.
    pub(in crate::ingest) fn skips(&self) -> bool {
        self.skip
    }
}

impl Rule {
    fn records(&self, row: &Fields<'_>) -> Result<Vec<Mapped>, Unmapped> {
        let kind = self.needed(row, "type")?;
        let kind = kind.trim_matches('"');
        if !["invoke", "ok", "fail", "info"].contains(&kind) {
            return Err(Unmapped::Lacks(format!(
                "its `type` is {kind}, which is none of invoke, ok, fail and info: say in a table what it means (type=PATH|{kind}=ok)"
            )));
        }
        let process = self.said(row, "process");
        if process.is_none() && self.fields.iter().any(|(target, _)| target.field == "process") {
            return Err(self.lacks("process"));
        }
        let record = |half: Half, kind: &str, time: Option<i64>| Mapped {
            half,
            invokes: kind == "invoke",
            time,
            process: process.clone(),
            has_session: self.said(row, "session").is_some(),
            fields: self.text(row, kind, time),
        };
        if !self.spans() {
            return Ok(vec![record(Half::Only, kind, self.time(row, "time")?)]);
        }
        if kind == "invoke" {
            return Err(Unmapped::Lacks(
                "it has a beginning and an end, and its `type` says that it only begins".to_owned(),
            ));
        }
        let far = || Unmapped::Lacks("its times are too far apart".to_owned());
        let (start, end) = match (self.time(row, "start")?, self.time(row, "end")?, self.time(row, "duration")?) {
            (Some(start), Some(end), _) => (start, end),
            (Some(start), None, Some(duration)) => (start, start.checked_add(duration).ok_or_else(far)?),
            (None, Some(end), Some(duration)) => (end.checked_sub(duration).ok_or_else(far)?, end),
            _ => return Err(self.lacks("start")),
        };
        if end < start {
            return Err(Unmapped::Lacks("it ends before it begins".to_owned()));
        }
        Ok(vec![record(Half::Begin, "invoke", Some(start)), record(Half::End, kind, Some(end))])
    }

    /// The fields of a record of this type.
    fn text(&self, row: &Fields<'_>, kind: &str, time: Option<i64>) -> String {
        let mut out = format!("\"type\":\"{kind}\"");
        for field in ["f", "key", "node", "session", "version", "final", "error"] {
            if let Some(value) = self.said(row, field) {
                out.push_str(&format!(",\"{field}\":{value}"));
            }
        }
        let own = if kind == "invoke" { "argument" } else { "result" };
        let of = |target: &&(Target, Source)| target.0.field == own || target.0.field == "value";
        // What is said of one record alone counts more than what is said of both.
        let mut parts: Vec<(&[String], String)> = Vec::new();
        for field in [own, "value"] {
            for (target, source) in self.fields.iter().filter(of).filter(|(target, _)| target.field == field) {
                let said =
                    parts.iter().any(|(path, _)| path.starts_with(&target.below) || target.below.starts_with(path));
                if let Some(value) = source.json(row).filter(|_| !said) {
                    parts.push((&target.below, value));
                }
            }
        }
        if !parts.is_empty() {
            parts.sort();
            out.push_str(",\"value\":");
            out.push_str(&object(&parts));
        }
        if let Some(time) = time {
            out.push_str(&format!(",\"time\":{time}"));
        }
        out
    }

    fn source(&self, field: &str) -> Option<&Source> {
        self.fields.iter().find(|(target, _)| target.field == field).map(|(_, source)| source)
    }

    fn said(&self, row: &Fields<'_>, field: &str) -> Option<String> {
        self.source(field)?.json(row)
    }

    fn needed(&self, row: &Fields<'_>, field: &str) -> Result<String, Unmapped> {
        self.said(row, field).ok_or_else(|| self.lacks(field))
    }

    fn lacks(&self, field: &str) -> Unmapped {
        Unmapped::Lacks(match self.source(field).map(|source| &source.from) {
            Some(From::Path(path)) => format!("it has nothing at `{path}` that would be its `{field}`"),
            _ => format!("nothing in it says what its `{field}` is"),
        })
    }

    /// A time of a row, where it is mapped; then the row has to have it.
    fn time(&self, row: &Fields<'_>, field: &str) -> Result<Option<i64>, Unmapped> {
        let Some(source) = self.source(field) else { return Ok(None) };
        let json = source.json(row).ok_or_else(|| self.lacks(field))?;
        let words = serde_json::from_str::<String>(&json).ok();
        let read = match (&words, source.unit) {
            (Some(words), Some(unit)) => clock::number(words, unit),
            (Some(words), None) if field == "duration" => clock::words(words),
            (Some(words), None) => clock::date(words),
            (None, Some(unit)) => clock::number(&json, unit),
            // A whole number without a unit is what a record's time is.
            (None, None) => json.parse().ok(),
        };
        match read {
            Some(time) => Ok(Some(time)),
            None => Err(Unmapped::Lacks(format!(
                "its `{field}` is {}, which is no time in {}: give its unit ({field}=PATH|ms), or write it as 2026-03-01T09:30:00Z",
                json.chars().take(40).collect::<String>(),
                if source.unit.is_some() { "this unit" } else { "whole nanoseconds" }
            ))),
        }
    }
}

impl Source {
    /// What it gives, as JSON.
    fn json(&self, row: &Fields<'_>) -> Option<String> {
        let found = match &self.from {
            From::Constant(json) => return Some(json.clone()),
            From::Path(path) => row.at(path),
        };
        let Some(value) = found else { return self.default.clone() };
        if self.table.is_empty() {
            return Some(value.get().to_owned());
        }
        let text = text(value);
        let entry = self.table.iter().find(|(from, _)| matches(from, &text));
        entry.map(|(_, to)| to.clone()).or_else(|| self.default.clone())
    }
}

/// Whether an entry of a table is about this text: the text itself, `2xx` for statuses, `error*` for beginnings.
fn matches(entry: &str, text: &str) -> bool {
    if let Some(start) = entry.strip_suffix('*') {
        return text.starts_with(start);
    }
    let class = entry.len() == 3 && entry.ends_with("xx") && entry.as_bytes()[0].is_ascii_digit();
    entry == text
        || class && text.len() == 3 && text.as_bytes()[0] == entry.as_bytes()[0] && text.parse::<u16>().is_ok()
}

/// Parts, sorted by their paths, as one value: the one part without a path, or an object.
fn object(parts: &[(&[String], String)]) -> String {
    if let [(path, value)] = parts
        && path.is_empty()
    {
        return value.clone();
    }
    let mut out = String::from("{");
    let mut open: &[String] = &[];
    for (at, (path, value)) in parts.iter().enumerate() {
        let Some((name, folders)) = path.split_last() else { continue };
        let shared = open.iter().zip(folders).take_while(|(a, b)| a == b).count();
        out.extend(std::iter::repeat_n('}', open.len() - shared));
        if at > 0 {
            out.push(',');
        }
        for folder in &folders[shared..] {
            out.push_str(&format!("{}:{{", serde_json::Value::String(folder.clone())));
        }
        out.push_str(&format!("{}:{value}", serde_json::Value::String(name.clone())));
        open = folders;
    }
    out.extend(std::iter::repeat_n('}', open.len() + 1));
    out
}
