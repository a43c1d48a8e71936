//! The terms of a policy, as text: from the history's header, and over them the parameters of what is required.
//!
//! A header gives them as fields of its own or within `policy`; a requirement as `name=value`. Durations have a unit
//! (`24h`, `500ms`); a bare number is nanoseconds, the unit of `time`.

use crate::contract::Requirement;
use crate::guarantee::Guarantee;
use crate::history::{History, Value, Values, View};
use crate::workload::WorkloadError;

/// Terms by name; what is said later counts.
#[derive(Debug, Default)]
pub(super) struct Terms {
    said: Vec<(String, String)>,
}

impl Terms {
    /// Those of these names.
    ///
    /// # Errors
    /// A parameter, or a term within the header's `policy`, that has none of the names.
    pub(super) fn of(
        history: &History,
        requirements: &[Requirement],
        guarantees: &[Guarantee],
        names: &[&str],
    ) -> Result<Terms, WorkloadError> {
        let values = history.values();
        let mut terms = Terms::default();
        let header = history.header().fields;
        let policy = values.get(header, "policy").unwrap_or(Value::ABSENT);
        for (map, strict) in [(header, false), (policy, true)] {
            for (name, value) in values.entries(map) {
                let name = values.as_str(name).unwrap_or("");
                if strict || names.contains(&name) {
                    terms.say(name, text(values, value), names)?;
                }
            }
        }
        for requirement in requirements.iter().filter(|required| guarantees.contains(&required.guarantee)) {
            for (name, value) in &requirement.parameters {
                terms.say(name, value.clone(), names)?;
            }
        }
        Ok(terms)
    }

    fn say(&mut self, name: &str, value: String, names: &[&str]) -> Result<(), WorkloadError> {
        let name = name.replace('_', "-");
        if !names.contains(&name.as_str()) {
            return Err(wrong(
                &format!("the policy has no term {name:?}"),
                &format!("its terms are {}", names.join(", ")),
            ));
        }
        if value != "null" {
            self.said.push((name, value));
        }
        Ok(())
    }

    /// A term as it was written.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.said.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// A duration in nanoseconds, where the term is there.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn duration(&self, name: &str) -> Result<Option<i64>, WorkloadError> {
        let Some(text) = self.text(name).filter(|text| *text != "none") else { return Ok(None) };
        let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = (text[..split].trim(), &text[split..]);
        let unit: Option<f64> = match unit {
            "ns" | "" => Some(1.0),
            "us" => Some(1e3),
            "ms" => Some(1e6),
            "s" => Some(1e9),
            "m" | "min" => Some(60e9),
            "h" => Some(3600e9),
            "d" => Some(86400e9),
            _ => None,
        };
        let nanoseconds = number.parse::<f64>().ok().zip(unit).map(|(number, unit)| number * unit);
        match nanoseconds.filter(|nanoseconds| (0.0..9e18).contains(nanoseconds)) {
            #[expect(clippy::cast_possible_truncation, reason = "it is within the range of i64")]
            Some(nanoseconds) => Ok(Some(nanoseconds.round() as i64)),
            None => {
                Err(wrong(&format!("{name} is {text:?}, and should be a duration"), "write it with a unit: 24h, 500ms"))
            }
        }
    }

    /// A status code, where the term is there.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn status(&self, name: &str) -> Result<Option<u16>, WorkloadError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<u16>() {
            Ok(code) if (100..1000).contains(&code) => Ok(Some(code)),
            _ => Err(wrong(&format!("{name} is {text:?}, and should be a status"), "write its number: 409, 422")),
        }
    }

    /// One of these words, where the term is there.
    ///
    /// # Errors
    /// It is none of them.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, WorkloadError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(wrong(&format!("{name} is {text:?}"), &format!("it can be {}", words.join(", "))))
            }
        }
    }

    /// A list, where the term is there: its items stand between commas, plus signs or spaces.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        let items = self.text(name)?.split([',', '+', ' ', '[', ']', '"', '|']);
        Some(items.filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }
}

/// A value of the header as the text that a parameter would have.
fn text(values: &Values, value: Value) -> String {
    match values.view(value) {
        View::Str(text) => text.to_owned(),
        View::Compound(_) => {
            values.items(value).into_iter().map(|item| text_of_item(values, item)).collect::<Vec<_>>().join(",")
        }
        _ => values.json(value, 200),
    }
}

fn text_of_item(values: &Values, item: Value) -> String {
    values.as_str(item).map_or_else(|| values.json(item, 200), str::to_owned)
}

pub(super) fn wrong(message: &str, help: &str) -> WorkloadError {
    WorkloadError { position: None, message: message.to_owned(), help: help.to_owned() }
}
