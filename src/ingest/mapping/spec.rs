//! What a mapping says: for each field of a record, where it is in a row.
//!
//! A source is a dotted path (`request.id`), or a JSON constant (`"ok"`, with its quotes), and behind a `|` a unit
//! (`ts|ms`) or a table (`status|2xx=ok,4xx=fail,*=info`). In a contract the same can be a table:
//! `{ path = "status", values = { 2xx = "ok" }, default = "info" }`.

use super::clock::Unit;

/// How rows of a foreign log become records.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// The first that takes a row maps it.
    pub(super) rules: Vec<Rule>,
    /// Whether rows that lack what a record needs, and lines that are no rows, are left out rather than refused.
    pub(super) skip: bool,
    order: Option<Order>,
    /// What it was made from.
    table: toml::Table,
}

/// What the order of records is, and so the order of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// That of the rows.
    Rows,
    /// That of their times. What ends at the same time as something begins is taken as concurrent with it.
    Time,
}

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MappingError {
    /// Where, in the tables of `[input]`: `["rows", "0", "time"]`.
    pub at: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// How some rows become records.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    /// A path, and the texts of which it has to have one.
    pub(super) when: Vec<(String, Vec<String>)>,
    /// In the order of the fields' table.
    pub(super) fields: Vec<(Target, Source)>,
}

/// A field of a record, or of what its value holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    pub(super) field: &'static str,
    /// Below `value`, `argument` and `result`.
    pub(super) below: Vec<String>,
}

/// Where a field comes from.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Source {
    pub(super) from: From,
    pub(super) unit: Option<Unit>,
    /// Texts, and the JSON that each becomes.
    pub(super) table: Vec<(String, String)>,
    /// What it is where the row doesn't have it, or the table doesn't have what the row has.
    pub(super) default: Option<String>,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum From {
    Path(String),
    /// As JSON.
    Constant(String),
}

/// All fields that can be mapped; those of a record, and what rows with a beginning and an end have in their place.
pub(super) const FIELDS: [&str; 16] = [
    "type", "process", "f", "key", "value", "argument", "result", "time", "start", "end", "duration", "node",
    "session", "version", "final", "error",
];
const VALUES: [&str; 3] = ["value", "argument", "result"];
const TIMES: [&str; 4] = ["time", "start", "end", "duration"];

impl Mapping {
    /// From a command line: `FIELD=SOURCE`, and `PATH=TEXT` for the rows that count.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn from_options(fields: &[String], when: &[String], skip: bool) -> Result<Mapping, MappingError> {
        let mut rule = Rule::default();
        let mut table = toml::Table::new();
        for text in fields {
            let at = || vec![text.clone()];
            let (field, source) = text.split_once('=').ok_or_else(|| {
                fault(at(), format!("`{text}` maps nothing"), "write FIELD=PATH, for example --map process=worker.id")
            })?;
            rule.put(field, source_of(source, at)?, at)?;
            table.insert(field.trim().to_owned(), source.into());
        }
        let mut conditions = toml::Table::new();
        for text in when {
            let (path, value) = text.split_once('=').ok_or_else(|| {
                fault(
                    vec![text.clone()],
                    format!("`{text}` selects nothing"),
                    "write PATH=TEXT, for example msg=request",
                )
            })?;
            if let toml::Value::Array(texts) =
                conditions.entry(path).or_insert_with(|| Vec::<toml::Value>::new().into())
            {
                texts.push(value.into());
            }
            match rule.when.iter_mut().find(|(known, _)| known == path) {
                Some((_, texts)) => texts.push(value.to_owned()),
                None => rule.when.push((path.to_owned(), vec![value.to_owned()])),
            }
        }
        if !conditions.is_empty() {
            table.insert("when".to_owned(), conditions.into());
        }
        if skip {
            table.insert("unmapped".to_owned(), "skip".into());
        }
        Mapping { rules: vec![rule], skip, order: None, table }.checked()
    }

    /// As the table `[input]` of a contract.
    #[must_use]
    pub fn table(&self) -> &toml::Table {
        &self.table
    }

    /// From the table `[input]` of a contract.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn from_table(table: &toml::Table) -> Result<Mapping, MappingError> {
        let mut mapping = Mapping { table: table.clone(), ..Mapping::default() };
        let mut common = Rule::default();
        let mut rows: &[toml::Value] = &[];
        for (name, value) in table {
            let at = || vec![name.clone()];
            match (name.as_str(), value) {
                ("rows", toml::Value::Array(array)) => rows = array,
                ("rows", _) => return Err(fault(at(), "`rows` is no list of tables", "write [[input.rows]]")),
                ("unmapped", value) => match value.as_str() {
                    Some("skip") => mapping.skip = true,
                    Some("refuse") => mapping.skip = false,
                    _ => {
                        return Err(fault(
                            at(),
                            "`unmapped` is neither skip nor refuse",
                            "skip leaves rows out that are no records",
                        ));
                    }
                },
                ("order", value) => match value.as_str() {
                    Some("time") => mapping.order = Some(Order::Time),
                    Some("rows") => mapping.order = Some(Order::Rows),
                    _ => {
                        return Err(fault(
                            at(),
                            "`order` is neither rows nor time",
                            "rows: as they stand; time: by their times",
                        ));
                    }
                },
                _ => common.take(name, value, at)?,
            }
        }
        for (number, row) in rows.iter().enumerate() {
            let place = |name: &str| vec!["rows".to_owned(), number.to_string(), name.to_owned()];
            let toml::Value::Table(row) = row else {
                return Err(fault(place(""), "a rule for rows is a table", "write [[input.rows]]"));
            };
            let mut rule = Rule::default();
            for (name, value) in row {
                rule.take(name, value, || place(name))?;
            }
            for (target, source) in &common.fields {
                let said = rule.fields.iter().any(|(own, _)| own.field == target.field);
                if !said {
                    rule.fields.push((target.clone(), source.clone()));
                }
            }
            rule.when.extend(common.when.iter().cloned());
            mapping.rules.push(rule);
        }
        if rows.is_empty() {
            mapping.rules.push(common);
        }
        mapping.checked()
    }

    /// What the order of the records is: that of the times where a row has a beginning and an end, else that of the rows.
    #[must_use]
    pub fn order(&self) -> Order {
        let spans = self.rules.iter().any(Rule::spans);
        self.order.unwrap_or(if spans { Order::Time } else { Order::Rows })
    }

    fn checked(mut self) -> Result<Mapping, MappingError> {
        let many = self.rules.len() > 1;
        let order = self.order();
        for (number, rule) in self.rules.iter_mut().enumerate() {
            let at = |name: &str| {
                if many { vec!["rows".to_owned(), number.to_string(), name.to_owned()] } else { vec![name.to_owned()] }
            };
            let has = |name: &str| rule.fields.iter().any(|(target, _)| target.field == name);
            if !has("type") {
                return Err(fault(
                    at(""),
                    "nothing says what the `type` of a record is",
                    "map it: type=status|2xx=ok,5xx=info, or a constant: type='\"ok\"'",
                ));
            }
            let spans = rule.spans();
            if spans && has("time") {
                return Err(fault(
                    at("time"),
                    "`time` is the time of one record, and these rows have two",
                    "map `start` or `end` instead",
                ));
            }
            if spans && [has("start"), has("end"), has("duration")].iter().filter(|has| **has).count() != 2 {
                return Err(fault(
                    at(""),
                    "a row's beginning and end take two of `start`, `end` and `duration`",
                    "map two of them",
                ));
            }
            if order == Order::Time && !spans && !has("time") {
                return Err(fault(
                    at(""),
                    "rows are put in order by time, and these have none",
                    "map `time` (or `start` and `duration`)",
                ));
            }
            for values in VALUES {
                let whole = rule.fields.iter().any(|(target, _)| target.field == values && target.below.is_empty());
                let parts = rule.fields.iter().any(|(target, _)| target.field == values && !target.below.is_empty());
                if whole && parts {
                    return Err(fault(
                        at(values),
                        format!("`{values}` is mapped as a whole and in parts"),
                        "map one or the other",
                    ));
                }
            }
            rule.fields.sort_by_key(|(target, _)| {
                (FIELDS.iter().position(|field| *field == target.field), target.below.clone())
            });
        }
        Ok(self)
    }
}

impl Rule {
    /// Whether a row is an operation with its beginning and its end.
    pub(super) fn spans(&self) -> bool {
        self.fields.iter().any(|(target, _)| ["start", "end", "duration"].contains(&target.field))
    }

    /// An entry of a table: a source, a condition, or parts of a value.
    fn take(
        &mut self,
        name: &str,
        value: &toml::Value,
        at: impl Fn() -> Vec<String> + Copy,
    ) -> Result<(), MappingError> {
        if name == "when" {
            let toml::Value::Table(conditions) = value else {
                return Err(fault(at(), "`when` is no table", "write when = { msg = \"request\" }"));
            };
            for (path, value) in conditions {
                let texts = match value {
                    toml::Value::Array(several) => several.iter().map(plain).collect::<Option<Vec<_>>>(),
                    one => plain(one).map(|one| vec![one]),
                };
                let texts = texts.ok_or_else(|| {
                    fault(
                        at(),
                        format!("`{path}` is compared with no text"),
                        "write a text, a number, true or false, or a list of these",
                    )
                })?;
                self.when.push((path.clone(), texts));
            }
            return Ok(());
        }
        // Parts of a value are tables in tables.
        let mut open = vec![(name.to_owned(), value)];
        while let Some((name, value)) = open.pop() {
            match value {
                toml::Value::Table(table) if !table.contains_key("path") && !table.contains_key("constant") => {
                    open.extend(table.iter().map(|(part, value)| (format!("{name}.{part}"), value)));
                }
                toml::Value::Table(table) => self.put(&name, source_of_table(table, at)?, at)?,
                toml::Value::String(text) => self.put(&name, source_of(text, at)?, at)?,
                other => {
                    let constant = plain(other).ok_or_else(|| fault(at(), format!("`{name}` is no source"), HELP))?;
                    let from = From::Constant(constant);
                    self.put(&name, Source { from, unit: None, table: Vec::new(), default: None }, at)?;
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, name: &str, source: Source, at: impl Fn() -> Vec<String>) -> Result<(), MappingError> {
        let mut parts = name.trim().split('.').map(str::to_owned);
        let first = parts.next().unwrap_or_default();
        let below: Vec<String> = parts.collect();
        let Some(field) = FIELDS.into_iter().find(|field| *field == first) else {
            return Err(fault(
                at(),
                format!("a record has no field `{first}`"),
                &format!("it has {}", FIELDS.join(", ")),
            ));
        };
        if !below.is_empty() && !VALUES.contains(&field) {
            return Err(fault(
                at(),
                format!("`{field}` has no parts"),
                "only `value`, `argument` and `result` are made of parts",
            ));
        }
        if source.unit.is_some() && !TIMES.contains(&field) {
            return Err(fault(
                at(),
                format!("`{field}` has no unit"),
                "a unit belongs to `time`, `start`, `end` and `duration`",
            ));
        }
        let target = Target { field, below };
        let clash = |other: &Target| {
            other.field == field
                && (other.below.starts_with(&target.below) || target.below.starts_with(&other.below))
                && !VALUES.contains(&field)
                || *other == target
        };
        if self.fields.iter().any(|(other, _)| clash(other)) {
            return Err(fault(at(), format!("`{name}` is mapped twice"), "map each field once"));
        }
        self.fields.push((target, source));
        Ok(())
    }
}

const HELP: &str = "a source is a path (request.id), or a constant in JSON (\"ok\" with its quotes), and behind a | a unit \
                    (ts|ms) or a table (status|2xx=ok,*=info)";

fn source_of(text: &str, at: impl Fn() -> Vec<String>) -> Result<Source, MappingError> {
    let text = text.trim();
    let mut source = Source { from: From::Path(String::new()), unit: None, table: Vec::new(), default: None };
    if is_json(text) {
        source.from = From::Constant(text.to_owned());
        return Ok(source);
    }
    let (path, more) = text.split_once('|').map_or((text, None), |(path, more)| (path.trim(), Some(more.trim())));
    if path.is_empty() {
        return Err(fault(at(), format!("`{text}` is no source"), HELP));
    }
    source.from = From::Path(path.to_owned());
    match more {
        None => {}
        Some(pairs) if pairs.contains('=') => {
            for pair in pairs.split(',') {
                let (from, to) =
                    pair.split_once('=').ok_or_else(|| fault(at(), format!("`{pair}` is no pair of a table"), HELP))?;
                source.pair(from.trim(), json(to.trim()));
            }
        }
        Some(unit) => source.unit = unit_of(unit, at)?,
    }
    Ok(source)
}

fn source_of_table(table: &toml::Table, at: impl Fn() -> Vec<String>) -> Result<Source, MappingError> {
    let mut source = Source { from: From::Path(String::new()), unit: None, table: Vec::new(), default: None };
    for (name, value) in table {
        let text = plain(value);
        match (name.as_str(), value, text) {
            ("path", toml::Value::String(path), _) => source.from = From::Path(path.clone()),
            ("constant", toml::Value::String(text), _) => source.from = From::Constant(quoted(text)),
            ("constant", _, Some(text)) => source.from = From::Constant(text),
            ("unit", _, Some(unit)) => source.unit = unit_of(&unit, &at)?,
            ("default", toml::Value::String(text), _) => source.default = Some(quoted(text)),
            ("default", _, Some(text)) => source.default = Some(text),
            ("values", toml::Value::Table(values), _) => {
                for (from, to) in values {
                    let to = match to {
                        toml::Value::String(text) => Some(quoted(text)),
                        other => plain(other),
                    };
                    let to = to
                        .ok_or_else(|| fault(at(), format!("`{from}` becomes no text, number or truth value"), HELP))?;
                    source.pair(from, to);
                }
            }
            _ => {
                return Err(fault(
                    at(),
                    format!("a source has no `{name}` of this kind"),
                    "it has path or constant, and unit, values and default",
                ));
            }
        }
    }
    Ok(source)
}

impl Source {
    fn pair(&mut self, from: &str, to: String) {
        if from == "*" { self.default = Some(to) } else { self.table.push((from.to_owned(), to)) }
    }
}

fn unit_of(unit: &str, at: impl Fn() -> Vec<String>) -> Result<Option<Unit>, MappingError> {
    // Dates and Go's durations have their units in them.
    if matches!(unit, "date" | "rfc3339") {
        return Ok(None);
    }
    Unit::named(unit).map(Some).ok_or_else(|| {
        fault(at(), format!("there is no unit `{unit}`"), "the units are ns, us, ms, s and m; a date needs none")
    })
}

/// A text of a table as JSON: what is JSON stays, everything else is a string.
fn json(text: &str) -> String {
    if is_json(text) { text.to_owned() } else { quoted(text) }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// A scalar of TOML as a row's text.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn fault(at: Vec<String>, message: impl Into<String>, help: &str) -> MappingError {
    MappingError { at, message: message.into(), help: help.to_owned() }
}
