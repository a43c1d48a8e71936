//! A guarantee's parameters, read and checked: the same for `--require`, for a contract and for a history's header.

use super::parameters::Value;
use super::{Parameter, quoted};
use crate::guarantee::{Guarantee, nearest};

/// The parameters of one guarantee, typed. Asking for one that the guarantee doesn't have gives none.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    guarantee: Guarantee,
    /// What was said, in the order of the guarantee's table, as text and typed.
    settings: Vec<(&'static Parameter, String, Value)>,
}

/// Why parameters can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct ParameterError {
    /// The parameter at fault, as it was written; none where one is missing.
    pub parameter: Option<String>,
    /// Whether its value is at fault, rather than its name.
    pub in_value: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// One parameter of a policy, for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<'a> {
    /// Which.
    pub parameter: &'static Parameter,
    /// As it was written; the default where nobody did.
    pub text: &'a str,
    /// Whether it is the default.
    pub is_default: bool,
}

impl Policy {
    /// Reads parameters, by name, as they were written. Names are taken without regard to case.
    ///
    /// # Errors
    /// A name that the guarantee doesn't have (with those it has), one that comes twice, a value that is not of its kind, or
    /// bounds that contradict each other.
    pub fn read<'a>(
        guarantee: Guarantee,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Policy, ParameterError> {
        let table = Parameter::of(guarantee);
        let mut settings: Vec<(&'static Parameter, String, Value)> = Vec::new();
        for (name, text) in pairs {
            let fault =
                |in_value, message, help| ParameterError { parameter: Some(name.to_owned()), in_value, message, help };
            let Some(parameter) = table.iter().find(|known| known.name.eq_ignore_ascii_case(name.trim())) else {
                let (message, help) = unknown(guarantee, name);
                return Err(fault(false, message, Some(help)));
            };
            if settings.iter().any(|(known, ..)| known.name == parameter.name) {
                return Err(fault(false, format!("`{}` of {guarantee} is given twice", parameter.name), None));
            }
            let value = parameter.read(text).map_err(|clause| {
                let message = format!("`{}` of {guarantee}: {} {clause}", parameter.name, quoted(text));
                fault(true, message, None)
            })?;
            settings.push((parameter, text.trim().to_owned(), value));
        }
        settings.sort_by_key(|(parameter, ..)| table.iter().position(|known| known.name == parameter.name));
        let policy = Policy { guarantee, settings };
        policy.check()?;
        Ok(policy)
    }

    /// The same policy, with what `over` says in place of what this one says: a contract over a history's header.
    ///
    /// # Errors
    /// Bounds that contradict each other, one from each; or policies of two guarantees.
    pub fn overridden_by(&self, over: &Policy) -> Result<Policy, ParameterError> {
        let written = |(parameter, text, _): &(&'static Parameter, String, Value)| (parameter.name, text.clone());
        let mut pairs: Vec<(&str, String)> = over.settings.iter().map(written).collect();
        for (name, text) in self.settings.iter().map(written) {
            if !pairs.iter().any(|(known, _)| *known == name) {
                pairs.push((name, text));
            }
        }
        Policy::read(self.guarantee, pairs.iter().map(|(name, text)| (*name, text.as_str())))
    }

    /// Of what.
    #[must_use]
    pub const fn guarantee(&self) -> Guarantee {
        self.guarantee
    }

    /// A duration, in nanoseconds, never negative.
    #[must_use]
    pub fn duration_ns(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Duration(ns) => Some(ns),
            _ => None,
        }
    }

    /// A whole number; of `in-flight`, its status, where it is not a word.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// A single word or text.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Words(mut words) if words.len() == 1 => words.pop(),
            _ => None,
        }
    }

    /// All words of a list; none where the parameter has no value.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::Words(words)) => words,
            _ => Vec::new(),
        }
    }

    /// Everything that has a value, the defaults too, in the order of the guarantee's table.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting<'_>> {
        Parameter::of(self.guarantee)
            .iter()
            .filter_map(|parameter| {
                let said = self.settings.iter().find(|(known, ..)| known.name == parameter.name);
                let text = said.map(|(_, text, _)| text.as_str()).or(parameter.default)?;
                Some(Setting { parameter, text, is_default: said.is_none() })
            })
            .collect()
    }

    fn value(&self, name: &str) -> Option<Value> {
        if let Some((_, _, value)) = self.settings.iter().find(|(parameter, ..)| parameter.name == name) {
            return Some(value.clone());
        }
        let parameter = Parameter::of(self.guarantee).iter().find(|parameter| parameter.name == name)?;
        parameter.read(parameter.default?).ok()
    }

    /// What is right by itself and can't be together.
    fn check(&self) -> Result<(), ParameterError> {
        let fault = |parameter: Option<&str>, message: String, help: &str| {
            Err(ParameterError {
                parameter: parameter.map(ToOwned::to_owned),
                in_value: parameter.is_some(),
                message,
                help: Some(help.to_owned()),
            })
        };
        match self.guarantee {
            Guarantee::BoundedStaleness => {
                let bounds = ["time", "versions"].iter().filter(|name| self.value(name).is_some()).count();
                if bounds == 0 {
                    let message = "bounded-staleness has no bound".to_owned();
                    return fault(None, message, "give it time=500ms, versions=3, or both");
                }
                if bounds == 1 && self.word("combine").as_deref() == Some("all") {
                    let message = "`combine` of bounded-staleness: `all` needs two bounds".to_owned();
                    return fault(Some("combine"), message, "give both time and versions");
                }
            }
            Guarantee::Idempotent => {
                if let (Some(least), Some(most)) = (self.duration_ns("ttl"), self.duration_ns("max-ttl"))
                    && most < least
                {
                    let message = "`max-ttl` of idempotent is shorter than its `ttl`".to_owned();
                    return fault(Some("max-ttl"), message, "a key lives at least ttl and at most max-ttl");
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn unknown(guarantee: Guarantee, name: &str) -> (String, String) {
    let names: Vec<&str> = Parameter::of(guarantee).iter().map(|parameter| parameter.name).collect();
    let message = format!("{guarantee} has no parameter {}", quoted(name));
    let help = match (nearest(name, names.iter().copied()), names.is_empty()) {
        (_, true) => "it has none".to_owned(),
        (Some(close), _) => format!("did you mean `{close}`? It has {}", names.join(", ")),
        (None, _) => format!("it has {}", names.join(", ")),
    };
    (message, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(guarantee: Guarantee, pairs: &[(&str, &str)]) -> Result<Policy, ParameterError> {
        Policy::read(guarantee, pairs.iter().copied())
    }

    /// Goal: what was said is there with its type, and what was not is the default, or nothing.
    #[test]
    fn reads_values_and_defaults() {
        let said = [("TTL", "24h"), ("in-flight", "wait"), ("cache", "2xx + 4xx"), ("effects", "charge+mail")];
        let policy = read(Guarantee::Idempotent, &said).expect("a policy");
        assert_eq!(policy.duration_ns("ttl"), Some(86_400_000_000_000));
        assert_eq!((policy.word("in-flight").as_deref(), policy.integer("in-flight")), (Some("wait"), None));
        assert_eq!(policy.integer("mismatch"), Some(422));
        assert_eq!(policy.word("replay").as_deref(), Some("response"));
        assert_eq!(policy.words("cache"), ["2xx", "4xx"]);
        assert_eq!(policy.words("effects"), ["charge", "mail"]);
        assert_eq!(policy.duration_ns("lease"), None);
        assert_eq!(policy.duration_ns("no such thing"), None);
        let defaults: Vec<&str> =
            policy.settings().iter().filter(|one| one.is_default).map(|one| one.parameter.name).collect();
        assert_eq!(defaults, ["mismatch", "replay", "key"]);
    }

    /// Goal: each wrong parameter is refused with a message that says what would be right.
    #[test]
    fn refuses_what_can_not_be() {
        use Guarantee::{AtLeastOnce, BoundedStaleness, Idempotent, Linearizable, Outbox};
        for (guarantee, pairs, part) in [
            (Idempotent, &[("tll", "24h")][..], "did you mean `ttl`? It has ttl, max-ttl"),
            (Idempotent, &[("colour", "red")], "(it has ttl, max-ttl, lease, mismatch"),
            (Linearizable, &[("time", "1s")], "linearizable has no parameter `time` (it has none)"),
            (Idempotent, &[("ttl", "24")], "`24` has no unit: write 24ms, 24s or 24h"),
            (Idempotent, &[("mismatch", "200")], "`200` is not an HTTP status from 400 to 499"),
            (Idempotent, &[("in-flight", "queue")], "or wait"),
            (Idempotent, &[("replay", "always")], "one of exact, response, status, resource"),
            (Idempotent, &[("cache", "2xx+9xx")], "some of 2xx, 3xx, 4xx, 5xx"),
            (Idempotent, &[("cache", "2xx+2xx")], "has `2xx` twice"),
            (Idempotent, &[("effects", "a++b")], "names, joined by +"),
            (Idempotent, &[("ttl", "24h"), ("max-ttl", "1h")], "shorter than its `ttl`"),
            (Idempotent, &[("ttl", "1h"), ("Ttl", "2h")], "given twice"),
            (BoundedStaleness, &[], "no bound (give it time=500ms"),
            (BoundedStaleness, &[("versions", "-1")], "0 or more"),
            (BoundedStaleness, &[("versions", "1"), ("combine", "all")], "needs two bounds"),
            (AtLeastOnce, &[("max-attempts", "0")], "1 or more"),
            (Outbox, &[("duplicates", "\u{1b}[31mred")], "`\\u{1b}[31mred`"),
        ] {
            let error = read(guarantee, pairs).expect_err(part).to_string();
            assert!(error.contains(part), "{part}: {error}");
            assert!(!error.contains('\u{1b}'));
        }
    }

    /// Goal: a contract goes over a header, and what they say together is checked again.
    #[test]
    fn a_contract_goes_over_a_header() {
        let header = read(Guarantee::Idempotent, &[("ttl", "24h"), ("mismatch", "400")]).expect("a policy");
        let contract = read(Guarantee::Idempotent, &[("mismatch", "409")]).expect("a policy");
        let both = header.overridden_by(&contract).expect("both");
        assert_eq!((both.integer("mismatch"), both.duration_ns("ttl")), (Some(409), Some(86_400_000_000_000)));
        let short = read(Guarantee::Idempotent, &[("max-ttl", "1h")]).expect("a policy");
        assert!(header.overridden_by(&short).is_err());
    }

    /// Goal: every default in the tables is a value of its kind, every name is one word, and every kind says what to write.
    #[test]
    fn defaults_are_values() {
        for &guarantee in Guarantee::ALL {
            for parameter in Parameter::of(guarantee) {
                assert!(parameter.default.is_none_or(|text| parameter.read(text).is_ok()), "{guarantee}");
                assert!(parameter.name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'));
                assert!(!parameter.meaning.is_empty() && !parameter.kind.describe().is_empty());
            }
        }
    }
}
