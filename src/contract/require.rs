//! `NAME[@READING][:key=value,...]`: a requirement on a command line, or in a contract's list.

use std::ops::Range;
use std::str::FromStr;

use super::{ParameterError, Requirement, quoted};
use crate::guarantee::Guarantee;

/// Why a text is no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct RequireError {
    /// Where in the text, in bytes.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl FromStr for Requirement {
    type Err = RequireError;

    /// Reads `serializable`, `session@global`, `bounded-staleness:time=500ms,versions=3`.
    fn from_str(text: &str) -> Result<Requirement, RequireError> {
        let requirement = parse(text)?;
        requirement.policy().map_err(|error| {
            let at = located(text, &error);
            RequireError { at, message: error.message, help: error.help }
        })?;
        Ok(requirement)
    }
}

/// Reads a requirement whose parameters may still be incomplete: a contract can have more of them in a table.
pub(super) fn parse(text: &str) -> Result<Requirement, RequireError> {
    let (name, list) = text.split_once(':').map_or((text, None), |(name, list)| (name, Some(list)));
    let guarantee = guarantee(name).map_err(|(message, help)| RequireError { at: span(text, name), message, help })?;
    let mut requirement = Requirement::new(guarantee);
    for pair in list.into_iter().flat_map(|list| list.split(',')) {
        let Some((key, value)) = pair.split_once('=') else {
            let message = match pair.trim() {
                "" => format!("a parameter of {guarantee} is empty"),
                pair => format!("{} of {guarantee} has no value", quoted(pair)),
            };
            let help = Some("write key=value, with commas between".to_owned());
            return Err(RequireError { at: span(text, pair), message, help });
        };
        requirement.parameters.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(requirement)
}

/// The guarantee of a name, or what is wrong with it and what to do.
pub(super) fn guarantee(name: &str) -> Result<Guarantee, (String, Option<String>)> {
    let name = name.trim();
    if let Some(guarantee) = Guarantee::named(name) {
        return Ok(guarantee);
    }
    if name.is_empty() {
        return Err((
            "the name of a guarantee is empty".to_owned(),
            Some("`anachron guarantees` lists all".to_owned()),
        ));
    }
    if let Some((base, reading)) = name.split_once('@')
        && let Some(plain) = Guarantee::named(base)
    {
        let readings = readings(plain);
        let help = match readings.as_slice() {
            [] => format!("it has one reading: write `{}`", plain.name()),
            some => format!("it has {}, and the plain `{}`", some.join(", "), plain.name()),
        };
        return Err((format!("{} has no reading {}", plain.name(), quoted(reading)), Some(help)));
    }
    let help = match Guarantee::suggest(name) {
        Some(close) => format!("did you mean `{close}`? `anachron guarantees` lists all"),
        None => "`anachron guarantees` lists all".to_owned(),
    };
    Err((format!("there is no guarantee {}", quoted(name)), Some(help)))
}

/// The readings that a plain name has, with their `@`.
fn readings(plain: Guarantee) -> Vec<&'static str> {
    let names = Guarantee::ALL.iter().flat_map(|one| std::iter::once(one.name()).chain(one.aliases().iter().copied()));
    names.filter_map(|name| name.strip_prefix(plain.name()).filter(|rest| rest.starts_with('@'))).collect()
}

/// Where a part of a text is in it.
fn span(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr()).min(text.len());
    start..(start + part.len()).min(text.len())
}

/// Where in the text of a requirement its wrong parameter is; all of it where one is missing.
pub(super) fn located(text: &str, error: &ParameterError) -> Range<usize> {
    let pairs = text.split_once(':').map_or("", |(_, list)| list).split(',').filter_map(|pair| pair.split_once('='));
    error
        .parameter
        .as_deref()
        .and_then(|name| pairs.rev().find(|(key, _)| key.trim().eq_ignore_ascii_case(name)))
        .map_or(0..text.len(), |(key, value)| span(text, if error.in_value { value } else { key }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the forms that the documentation shows are read, aliases too.
    #[test]
    fn reads_requirements() {
        for (text, guarantee, parameters) in [
            ("serializable", Guarantee::Serializable, vec![]),
            ("PL-3", Guarantee::Serializable, vec![]),
            ("session@global", Guarantee::SessionGlobal, vec![]),
            ("serializable@biswas-enea", Guarantee::StrongSessionSerializable, vec![]),
            (
                "bounded-staleness:time=500ms,versions=3",
                Guarantee::BoundedStaleness,
                vec![("time", "500ms"), ("versions", "3")],
            ),
            ("eventual:within=30s", Guarantee::Eventual, vec![("within", "30s")]),
            (
                "idempotent:ttl=24h, mismatch=422,in-flight=409,replay=exact",
                Guarantee::Idempotent,
                vec![("ttl", "24h"), ("mismatch", "422"), ("in-flight", "409"), ("replay", "exact")],
            ),
        ] {
            let requirement: Requirement = text.parse().expect(text);
            let written: Vec<(&str, &str)> =
                requirement.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!((requirement.guarantee, written), (guarantee, parameters), "{text}");
        }
    }

    /// Goal: a mistake is named, placed, and answered with what would be right.
    #[test]
    fn refuses_with_help() {
        for (text, at, part) in [
            ("serialisable", "serialisable", "did you mean `serializable`?"),
            ("xyzzy", "xyzzy", "there is no guarantee `xyzzy` (`anachron guarantees` lists all)"),
            ("", "", "empty"),
            ("session@node", "session@node", "it has @global, and the plain `session`"),
            ("monotonic-writes@client", "monotonic-writes@client", "it has @global, @node"),
            ("linearizable@home", "linearizable@home", "one reading: write `linearizable`"),
            ("eventual:", "", "a parameter of eventual is empty"),
            ("eventual:within", "within", "`within` of eventual has no value (write key=value"),
            ("eventual:wihtin=30s", "wihtin", "did you mean `within`?"),
            ("eventual:within=30", "30", "has no unit"),
            ("idempotent:ttl=1h,ttl=2h", "ttl", "given twice"),
            ("bounded-staleness", "bounded-staleness", "no bound"),
        ] {
            let error = text.parse::<Requirement>().expect_err(text);
            assert_eq!(&text[error.at.clone()], at, "{text}");
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}
