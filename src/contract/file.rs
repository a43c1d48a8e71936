//! `anachron.toml`: use cases, each with what it matches, what it requires, and the parameters of that.
//!
//! ```toml
//! [[use-case]]
//! name = "profiles"
//! match = { key = "user/*" }
//! require = ["session", "bounded-staleness"]
//! bounded-staleness = { time = "500ms", versions = 3 }
//! ```
//!
//! All that can be wrong is said at once, each with its line and column, before any history is read.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Gating, Pattern, Policy, Requirement, Selection, quoted, require};
use crate::guarantee::{Guarantee, nearest};

/// What is required, use case by use case, and what fails a run: `anachron.toml`, read by `text.parse::<Contract>()`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    /// In the order of the file.
    #[doc(hidden)]
    pub use_cases: Vec<UseCase>,
    /// What fails a run.
    #[doc(hidden)]
    pub gate: Gating,
    /// `[input]`, as it stands there.
    #[doc(hidden)]
    pub input: Option<toml::Table>,
}

/// Some operations, and what is required of them.
#[derive(Clone, Debug, PartialEq)]
pub struct UseCase {
    /// Its name; no two of a contract are equal.
    pub name: String,
    /// Which operations.
    pub selection: Selection,
    /// What of them: each with its parameters, and with the name of the use case. Never empty.
    pub requirements: Vec<Requirement>,
    /// Where it begins, from 1.
    pub line: usize,
}

/// Something wrong in a contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}{}", help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct ContractError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Contract {
    /// Reads a contract. `workloads` are the names of all vocabularies there are; with none, any is taken.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file; never an empty list.
    #[doc(hidden)]
    pub fn parse(text: &str, workloads: &[&str]) -> Result<Contract, Vec<ContractError>> {
        let mut reader = Reader { text, workloads, errors: Vec::new() };
        let contract = match DeTable::parse(text) {
            Ok(table) => reader.contract(table.get_ref()),
            Err(error) => {
                reader.fault(error.span().unwrap_or(0..0), error.message().replace('\n', ": "), None);
                Contract::default()
            }
        };
        if reader.errors.is_empty() {
            return Ok(contract);
        }
        reader.errors.sort_by_key(|(at, _)| *at);
        Err(reader.errors.into_iter().map(|(_, error)| error).collect())
    }

    /// All requirements of all use cases, in the order of the file.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.use_cases.iter().flat_map(|use_case| &use_case.requirements)
    }
}

const TOP: &[&str] = &["use-case", "gate", "input"];
const FIELDS: &[&str] = &["name", "match", "require"];
const SELECTORS: &[&str] = &["workload", "key", "scope", "f", "node"];

type Value<'a> = Spanned<DeValue<'a>>;

pub(super) struct Reader<'a> {
    text: &'a str,
    workloads: &'a [&'a str],
    /// With the byte at which each is, to put them in order.
    errors: Vec<(usize, ContractError)>,
}

impl Reader<'_> {
    pub(super) fn fault(&mut self, at: Range<usize>, message: String, help: Option<String>) {
        let (line, column) = place(self.text, at.start);
        self.errors.push((at.start, ContractError { line, column, message, help }));
    }

    fn contract(&mut self, table: &DeTable<'_>) -> Contract {
        let mut use_cases: Vec<UseCase> = Vec::new();
        let mut gate = Gating::default();
        for (key, value) in in_order(table) {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("use-case", DeValue::Array(cases)) => {
                    for case in cases.iter() {
                        let Some(use_case) = self.use_case(case) else { continue };
                        if let Some(other) = use_cases.iter().find(|other| other.name == use_case.name) {
                            let message = format!(
                                "the use case {} is there twice, first in line {}",
                                quoted(&other.name),
                                other.line
                            );
                            self.fault(case.span(), message, Some("give each a name of its own".to_owned()));
                        }
                        use_cases.push(use_case);
                    }
                }
                ("use-case", _) => {
                    self.fault(
                        key.span(),
                        "`use-case` is not a list of tables".to_owned(),
                        Some("write `[[use-case]]`".to_owned()),
                    );
                }
                ("gate", _) => gate = self.gating(value),
                ("input", DeValue::Table(_)) => {}
                ("input", _) => {
                    self.fault(key.span(), "`input` is not a table".to_owned(), Some("write `[input]`".to_owned()));
                }
                (name, _) => {
                    let help = match name {
                        "require" | "match" => {
                            Some("put it below a `[[use-case]]`; one without `match` is about everything".to_owned())
                        }
                        _ => Some(meant(name, TOP.iter().copied(), TOP)),
                    };
                    self.fault(key.span(), format!("a contract has no {}", quoted(name)), help);
                }
            }
        }
        // The same text once more, for the one table that is handed on as it stands.
        let mut whole: toml::Table = toml::from_str(self.text).unwrap_or_default();
        let input = match whole.remove("input") {
            Some(toml::Value::Table(input)) => Some(input),
            _ => None,
        };
        Contract { use_cases, gate, input }
    }

    fn use_case(&mut self, value: &Value<'_>) -> Option<UseCase> {
        let DeValue::Table(table) = value.get_ref() else {
            self.fault(value.span(), "a use case is a table".to_owned(), Some("write `[[use-case]]`".to_owned()));
            return None;
        };
        let name = self.name(value, table);
        let selection = match table.get("match") {
            Some(found) => self.selection(found),
            None => Selection::default(),
        };
        let tables = self.parameter_tables(table);
        let mut requirements: Vec<Requirement> = Vec::new();
        for item in self.required(value, table) {
            let Some(requirement) = self.requirement(item, &tables, &name) else { continue };
            if requirements.iter().any(|other| other.guarantee == requirement.guarantee) {
                self.fault(item.span(), format!("{} is required twice", requirement.guarantee), None);
                continue;
            }
            requirements.push(requirement);
        }
        Some(UseCase { name, selection, requirements, line: place(self.text, value.span().start).0 })
    }

    fn name(&mut self, case: &Value<'_>, table: &DeTable<'_>) -> String {
        match table.get("name").map(|name| (name, name.get_ref())) {
            Some((_, DeValue::String(name))) if !name.trim().is_empty() => return name.clone().into_owned(),
            Some((at, _)) => self.fault(at.span(), "the name of a use case is text".to_owned(), None),
            None => {
                self.fault(case.span(), "a use case without a name".to_owned(), Some("add name = \"...\"".to_owned()))
            }
        }
        String::new()
    }

    fn selection(&mut self, value: &Value<'_>) -> Selection {
        let mut selection = Selection::default();
        let DeValue::Table(table) = value.get_ref() else {
            let help = Some("write match = { key = \"user/*\" }".to_owned());
            self.fault(value.span(), "`match` is not a table".to_owned(), help);
            return selection;
        };
        for (field, value) in in_order(table) {
            let patterns = match field.get_ref().as_ref() {
                "workload" => &mut selection.workload,
                "key" => &mut selection.key,
                "scope" => &mut selection.scope,
                "f" => &mut selection.f,
                "node" => &mut selection.node,
                name => {
                    let help = meant(name, SELECTORS.iter().copied(), SELECTORS);
                    self.fault(field.span(), format!("nothing is matched by {}", quoted(name)), Some(help));
                    continue;
                }
            };
            for item in items(value) {
                let Some(text) = scalar(item.get_ref()) else {
                    self.fault(
                        item.span(),
                        "a pattern is text".to_owned(),
                        Some("write \"user/*\", or a list of such".to_owned()),
                    );
                    continue;
                };
                match Pattern::new(&text) {
                    Ok(pattern) => patterns.push(pattern),
                    Err(message) => self.fault(item.span(), message, None),
                }
                if field.get_ref() == "workload"
                    && !self.workloads.is_empty()
                    && patterns.last().is_some_and(|pattern| !self.workloads.iter().any(|name| pattern.matches(name)))
                {
                    let help = meant(&text, self.workloads.iter().copied(), self.workloads);
                    self.fault(item.span(), format!("there is no workload {}", quoted(&text)), Some(help));
                }
            }
            if items(value).is_empty() {
                self.fault(value.span(), "an empty list matches nothing".to_owned(), None);
            }
        }
        selection
    }

    /// The tables that are named after a guarantee.
    fn parameter_tables<'t>(&mut self, table: &'t DeTable<'t>) -> Vec<Parameters<'t>> {
        let mut tables: Vec<Parameters<'t>> = Vec::new();
        for (key, value) in in_order(table) {
            let name = key.get_ref().as_ref();
            if FIELDS.contains(&name) {
                continue;
            }
            let Some(guarantee) = Guarantee::named(name) else {
                let guarantees = Guarantee::ALL.iter().map(|guarantee| guarantee.name());
                let help = meant(
                    name,
                    FIELDS.iter().copied().chain(guarantees),
                    &["name", "match", "require", "a table for each guarantee with parameters"],
                );
                self.fault(key.span(), format!("a use case has no {}", quoted(name)), Some(help));
                continue;
            };
            let DeValue::Table(pairs) = value.get_ref() else {
                let help = Some(format!("write {name} = {{ ... }}, or require it by name"));
                self.fault(value.span(), format!("the parameters of {guarantee} are not a table"), help);
                continue;
            };
            if let Some(other) = tables.iter().find(|other| other.guarantee == guarantee) {
                let message = format!("{} and {} are the same guarantee", quoted(other.name), quoted(name));
                self.fault(key.span(), message, None);
                continue;
            }
            let required = items_of(table.get("require")).iter().any(|item| names(item) == Some(guarantee));
            if !required {
                let help = Some(format!("add it: require = [\"{guarantee}\"]"));
                self.fault(key.span(), format!("{guarantee} has parameters here, but is not required"), help);
            }
            tables.push(Parameters { guarantee, name, pairs });
        }
        tables
    }

    fn required<'t>(&mut self, case: &Value<'_>, table: &'t DeTable<'t>) -> &'t [Value<'t>] {
        let Some(value) = table.get("require") else {
            let help = Some("add require = [\"linearizable\"]".to_owned());
            self.fault(case.span(), "a use case that requires nothing".to_owned(), help);
            return &[];
        };
        let found = items(value);
        if found.is_empty() {
            self.fault(value.span(), "a use case that requires nothing".to_owned(), None);
        }
        found
    }

    fn requirement(&mut self, item: &Value<'_>, tables: &[Parameters<'_>], use_case: &str) -> Option<Requirement> {
        let DeValue::String(text) = item.get_ref() else {
            let help = Some("write require = [\"linearizable\"]".to_owned());
            self.fault(item.span(), "what is required is not the name of a guarantee".to_owned(), help);
            return None;
        };
        let mut requirement = match require::parse(text) {
            Ok(requirement) => requirement,
            Err(error) => {
                self.fault(self.within(item, text, &error.at), error.message, error.help);
                return None;
            }
        };
        requirement.use_case = Some(use_case.to_owned());
        let table = tables.iter().find(|table| table.guarantee == requirement.guarantee);
        for (key, value) in table.into_iter().flat_map(|table| in_order(table.pairs)) {
            let Some(parts) = items(value).iter().map(|part| scalar(part.get_ref())).collect::<Option<Vec<String>>>()
            else {
                let message =
                    format!("{} of {} is not a text or a number", quoted(key.get_ref()), requirement.guarantee);
                self.fault(value.span(), message, None);
                return None;
            };
            requirement.parameters.push((key.get_ref().to_ascii_lowercase(), parts.join("+")));
        }
        let pairs = requirement.parameters.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        if let Err(error) = Policy::read(requirement.guarantee, pairs) {
            let pair = error
                .parameter
                .as_deref()
                .and_then(|name| table?.pairs.iter().find(|(key, _)| key.get_ref().eq_ignore_ascii_case(name)));
            let at = match pair {
                Some((_, value)) if error.in_value => value.span(),
                Some((key, _)) => key.span(),
                None => self.within(item, text, &require::located(text, &error)),
            };
            self.fault(at, error.message, error.help);
            return None;
        }
        Some(requirement)
    }

    /// The place of a part of a string, where the file has the string as it is; else the string's.
    fn within(&self, item: &Value<'_>, text: &str, at: &Range<usize>) -> Range<usize> {
        let span = item.span();
        match self.text.get(span.clone()).and_then(|raw| raw.find(text)) {
            Some(start) => span.start + start + at.start..span.start + start + at.end,
            None => span,
        }
    }
}

/// A guarantee's parameters, as a table of the file.
struct Parameters<'t> {
    guarantee: Guarantee,
    name: &'t str,
    pairs: &'t DeTable<'t>,
}

/// A table's entries as the file has them: the table itself is in the order of its keys.
pub(super) fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v Spanned<DeString<'t>>, &'v Value<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// The items of a list, or the one value that stands in its place.
pub(super) fn items<'v, 't>(value: &'v Value<'t>) -> &'v [Value<'t>] {
    match value.get_ref() {
        DeValue::Array(array) => array,
        _ => std::slice::from_ref(value),
    }
}

fn items_of<'v, 't>(value: Option<&'v Value<'t>>) -> &'v [Value<'t>] {
    value.map_or(&[], items)
}

/// The guarantee that an item of `require` names.
fn names(item: &Value<'_>) -> Option<Guarantee> {
    match item.get_ref() {
        DeValue::String(text) => Guarantee::named(text.split(':').next().unwrap_or("").trim()),
        _ => None,
    }
}

/// A value as somebody would write it on a command line.
pub(super) fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The close name, where there is one, and all that there are.
pub(super) fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>, all: &[&str]) -> String {
    match nearest(name, known) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("there is {}", all.join(", ")),
    }
}

/// The line and the column of a byte, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    // Bytes that continue a character are not counted.
    let column = before[start..].iter().filter(|&&byte| byte & 0xC0 != 0x80).count() + 1;
    (line, column)
}

/// Where something is in a contract, by the names of tables and the numbers of list items that lead to it; the nearest
/// thing that is there.
#[must_use]
pub fn place_of(text: &str, path: &[String]) -> (usize, usize) {
    let mut at = 0;
    if let Ok(table) = DeTable::parse(text) {
        let mut here: Option<&Value<'_>> = None;
        for name in path {
            let next = match here.map(Spanned::get_ref) {
                None => table.get_ref().get_key_value(name.as_str()),
                Some(DeValue::Table(table)) => table.get_key_value(name.as_str()),
                Some(DeValue::Array(items)) => {
                    let Some(item) = name.parse().ok().and_then(|number: usize| items.get(number)) else { break };
                    (at, here) = (item.span().start, Some(item));
                    continue;
                }
                Some(_) => None,
            };
            let Some((key, value)) = next else { break };
            (at, here) = (key.span().start, Some(value));
        }
    }
    place(text, at)
}
