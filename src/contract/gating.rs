//! `[gate]`: what of all that is found fails a run.

use toml::Spanned;
use toml::de::DeValue;

use super::file::{Reader, in_order, items, meant, scalar};
use super::quoted;
use crate::guarantee::Anomaly;

/// What fails a run, with which exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FailOn {
    /// What is violated, with 1, and what is unknown, with 3.
    #[default]
    Each,
    /// What is violated, with 1; what is unknown passes.
    Violated,
    /// What is violated and what is unknown, with 1.
    Unknown,
}

/// What a contract's `[gate]` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gating {
    /// What fails a run, where it says so.
    pub fail_on: Option<FailOn>,
    /// Anomalies that are shown, and fail nothing.
    pub allow: Vec<Anomaly>,
    /// The file with accepted findings, as seen from the contract.
    pub baseline: Option<String>,
}

const FIELDS: &[&str] = &["fail-on", "allow", "baseline"];

/// The anomaly of a name, or what is wrong with the name and what was probably meant.
///
/// # Errors
/// There is none of this name.
pub fn anomaly(name: &str) -> Result<Anomaly, (String, Option<String>)> {
    Anomaly::named(name.trim()).ok_or_else(|| {
        let close = Anomaly::suggest(name).map(|close| format!("did you mean `{close}`?"));
        let help = close.unwrap_or_else(|| "`anachron guarantees --format json` lists all anomalies".to_owned());
        (format!("there is no anomaly {}", quoted(name)), Some(help))
    })
}

impl Reader<'_> {
    /// The table `[gate]`.
    pub(super) fn gating(&mut self, value: &Spanned<DeValue<'_>>) -> Gating {
        let mut gating = Gating::default();
        let DeValue::Table(table) = value.get_ref() else {
            self.fault(value.span(), "`gate` is not a table".to_owned(), Some("write `[gate]`".to_owned()));
            return gating;
        };
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "fail-on" => match scalar(value.get_ref()).as_deref() {
                    Some("violated") => gating.fail_on = Some(FailOn::Violated),
                    Some("unknown") => gating.fail_on = Some(FailOn::Unknown),
                    _ => {
                        let help = Some(
                            "write \"violated\" or \"unknown\"; without it, each has its own exit code".to_owned(),
                        );
                        self.fault(value.span(), "`fail-on` is neither violated nor unknown".to_owned(), help);
                    }
                },
                "allow" => {
                    for item in items(value) {
                        match scalar(item.get_ref()).as_deref().map(anomaly) {
                            Some(Ok(anomaly)) => gating.allow.push(anomaly),
                            Some(Err((message, help))) => self.fault(item.span(), message, help),
                            None => self.fault(item.span(), "the name of an anomaly is text".to_owned(), None),
                        }
                    }
                }
                "baseline" => match value.get_ref() {
                    DeValue::String(path) if !path.is_empty() => gating.baseline = Some(path.clone().into_owned()),
                    _ => self.fault(value.span(), "`baseline` is no path".to_owned(), None),
                },
                name => {
                    let help = Some(meant(name, FIELDS.iter().copied(), FIELDS));
                    self.fault(key.span(), format!("`gate` has no {}", quoted(name)), help);
                }
            }
        }
        gating
    }
}
