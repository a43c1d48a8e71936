//! The policy that a history is judged by: what its header says, and over it the parameters of what is required.
//!
//! Header, `--require` and contract are read by one parser, `contract::Policy`; how a header gives its terms, `certificate::header`
//! says.

use crate::certificate::header;
use crate::contract::{ParameterError, Policy, Requirement};
use crate::guarantee::Guarantee;
use crate::history::History;
use crate::workload::WorkloadError;

/// The policy of the first of these guarantees, which share one table of parameters; what is required later counts.
///
/// # Errors
/// A term that there is not, one given twice, a value that is not of its kind, or terms that contradict each other.
pub(super) fn stated(
    history: &History,
    requirements: &[Requirement],
    guarantees: &[Guarantee],
) -> Result<Policy, WorkloadError> {
    let guarantee = guarantees[0];
    let terms = header(history, guarantee);
    let pairs = terms.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let mut policy = Policy::read(guarantee, pairs).map_err(|error| refused("the history's header", error))?;
    for requirement in requirements.iter().filter(|required| guarantees.contains(&required.guarantee)) {
        let what =
            || requirement.use_case.as_ref().map_or_else(|| "--require".to_owned(), |name| format!("use case {name}"));
        let over = requirement.policy().map_err(|error| refused(&what(), error))?;
        policy = policy
            .overridden_by(&over)
            .map_err(|error| refused(&format!("{}, over the history's header", what()), error))?;
    }
    Ok(policy)
}

fn refused(source: &str, error: ParameterError) -> WorkloadError {
    let names = "its parameters are those of `anachron guarantees`";
    WorkloadError {
        position: None,
        message: format!("{source}: {}", error.message),
        help: error.help.unwrap_or_else(|| names.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Options, Source, read};

    fn of(header: &str, required: &[&str]) -> Result<Policy, WorkloadError> {
        let text = format!("{{\"history\":{header}}}\n{{\"type\":\"ok\",\"process\":0,\"f\":\"request\"}}");
        let history = read(Source::Bytes { name: "test".into(), bytes: text.into() }, &Options::default());
        let required: Vec<Requirement> = required.iter().map(|text| text.parse().expect("a requirement")).collect();
        stated(&history.expect("a history"), &required, &[Guarantee::Idempotent])
    }

    /// Goal: one policy, however it is written, and what is required goes over what the header says.
    #[test]
    fn header_and_requirement_are_read_alike() {
        let written = of(r#"{"policy":{"ttl":"24h","in_flight":409,"cache":["2xx","4xx"],"lease":null}}"#, &[]);
        let bare = of(r#"{"ttl":86400000000000,"in-flight":"409","cache":"2xx+4xx","observers":"synchronous"}"#, &[]);
        let asked = of("{}", &["idempotent:ttl=24h,in-flight=409,cache=2xx+4xx"]);
        for policy in [written, bare, asked] {
            let policy = policy.expect("a policy");
            assert_eq!(policy.duration_ns("ttl"), Some(86_400_000_000_000));
            assert_eq!((policy.integer("in-flight"), policy.duration_ns("lease")), (Some(409), None));
            assert_eq!(policy.words("cache"), ["2xx", "4xx"]);
        }
        let policy = of(r#"{"policy":{"ttl":"24h","mismatch":400}}"#, &["idempotent:mismatch=422"]).expect("a policy");
        assert_eq!((policy.integer("mismatch"), policy.duration_ns("ttl")), (Some(422), Some(86_400_000_000_000)));
    }

    /// Goal: a term that can't be is refused with the place where it was said, and what would be right.
    #[test]
    fn wrong_terms_are_refused() {
        for (header, required, message, help) in [
            (
                r#"{"policy":{"tll":"24h"}}"#,
                &[][..],
                "header: idempotent has no parameter `tll`",
                "did you mean `ttl`?",
            ),
            (r#"{"policy":{"ttl":"24"}}"#, &[], "header: `ttl` of idempotent: `24` has no unit", "guarantees"),
            (r#"{"policy":{"ttl":"1h"},"ttl":"1h"}"#, &[], "given twice", "guarantees"),
            (
                r#"{"policy":{"ttl":"2h"}}"#,
                &["idempotent:max-ttl=1h"],
                "--require, over the history's header",
                "at least ttl",
            ),
        ] {
            let error = of(header, required).expect_err(header);
            assert!(error.message.contains(message) && error.help.contains(help), "{header}: {error:?}");
        }
    }
}
