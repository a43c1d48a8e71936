//! Passes: which requirements one judgement of a history can answer together.
//!
//! A check reads one set of parameters for each table of parameters: one policy of idempotency, one bound of visibility. Two
//! requirements that share a table and say different things (`idempotent:ttl=24h` and `idempotent:ttl=1h`, or
//! `at-most-once:window=1h` and `effectively-once:window=24h`) are therefore judged one after the other, each by what it says
//! itself and by nothing that another says. Where they agree, as nearly always, there is one pass.

use crate::contract::{Parameter, Requirement};

/// Requirements in passes: the first takes all that it can, in order.
#[derive(Debug, Default)]
pub(super) struct Passes {
    pub(super) requirements: Vec<Vec<Requirement>>,
}

impl Passes {
    /// Finds the first pass that can answer a requirement, and says which.
    pub(super) fn add(&mut self, requirement: &Requirement) -> usize {
        let fits = |pass: &Vec<Requirement>| pass.iter().all(|other| agree(other, requirement));
        let at = self.requirements.iter().position(fits).unwrap_or_else(|| {
            self.requirements.push(Vec::new());
            self.requirements.len() - 1
        });
        let pass = &mut self.requirements[at];
        if !pass.iter().any(|other| other.guarantee == requirement.guarantee) {
            pass.push(requirement.clone());
        }
        at
    }

    /// Those of these requirements.
    pub(super) fn of<'a>(requirements: impl IntoIterator<Item = &'a Requirement>) -> Passes {
        let mut passes = Passes::default();
        for requirement in requirements {
            passes.add(requirement);
        }
        passes
    }
}

/// Whether one pass can answer both: they say the same, or speak of different things.
fn agree(a: &Requirement, b: &Requirement) -> bool {
    let table = Parameter::of(a.guarantee);
    table.is_empty() || table != Parameter::of(b.guarantee) || said(a) == said(b)
}

/// What a requirement says, whatever the order.
fn said(requirement: &Requirement) -> Vec<(String, &str)> {
    let pairs = requirement.parameters.iter();
    let mut pairs: Vec<_> = pairs.map(|(name, text)| (name.to_ascii_lowercase(), text.as_str())).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what says different things about one table is parted, and nothing else is.
    #[test]
    fn only_what_disagrees_is_parted() {
        for (texts, passes) in [
            (&["linearizable", "session", "bounded-staleness:time=1s", "eventual:within=1s"][..], &[0, 0, 0, 0][..]),
            (&["idempotent:ttl=24h,mismatch=422", "idempotent:mismatch=422,ttl=24h"], &[0, 0]),
            (&["idempotent:ttl=24h", "idempotent:ttl=1h", "idempotent", "idempotent:ttl=1h"], &[0, 1, 2, 1]),
            (&["at-most-once:window=1h", "ordered-delivery", "effectively-once:window=1h"], &[0, 1, 0]),
            (&["eventual:within=1s", "strong-eventual:within=2s", "linearizable"], &[0, 1, 0]),
        ] {
            let mut all = Passes::default();
            let placed: Vec<usize> = texts.iter().map(|text| all.add(&text.parse().expect("a requirement"))).collect();
            assert_eq!(placed, passes, "{texts:?}");
        }
    }
}
