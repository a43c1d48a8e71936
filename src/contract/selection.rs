//! Which operations a use case is about, and whether a guarantee may be judged on these alone.

use super::Pattern;
use crate::guarantee::Guarantee;

/// What a use case matches: everything that all of its fields match. An empty field matches everything, one with several
/// patterns whatever one of them matches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// The vocabulary of the history.
    pub workload: Vec<Pattern>,
    /// The key; an integer as it is written.
    pub key: Vec<Pattern>,
    /// What an idempotency key is unique within.
    pub scope: Vec<Pattern>,
    /// The function.
    pub f: Vec<Pattern>,
    /// The replica or server.
    pub node: Vec<Pattern>,
}

/// One operation, or one key's, as far as a selection asks. What it doesn't have, no pattern matches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The vocabulary of the history.
    pub workload: Option<&'a str>,
    /// The key; an integer as it is written.
    pub key: Option<&'a str>,
    /// What an idempotency key is unique within.
    pub scope: Option<&'a str>,
    /// The function.
    pub f: Option<&'a str>,
    /// The replica or server.
    pub node: Option<&'a str>,
}

/// What a guarantee has to be judged on, for a use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything there is: a guarantee that is not local can't be shown to hold by a part of a history.
    Whole,
    /// What the use case selects.
    Slice,
}

/// Whether a name is one that the patterns allow.
fn fits(patterns: &[Pattern], name: Option<&str>) -> bool {
    patterns.is_empty() || name.is_some_and(|name| patterns.iter().any(|pattern| pattern.matches(name)))
}

impl Selection {
    /// Whether it selects this one.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        fits(&self.workload, subject.workload) && self.matches_part(subject)
    }

    /// The same, of a history whose workload it is known to select.
    #[must_use]
    pub fn matches_part(&self, subject: &Subject<'_>) -> bool {
        fits(&self.key, subject.key)
            && fits(&self.scope, subject.scope)
            && fits(&self.f, subject.f)
            && fits(&self.node, subject.node)
    }

    /// Whether it is about histories as a whole: nothing but the workload is asked.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.key.is_empty() && self.scope.is_empty() && self.f.is_empty() && self.node.is_empty()
    }

    /// What a guarantee must be judged on.
    ///
    /// A slice only where it takes keys (or scopes) with all their operations, and the guarantee is kept by a history exactly
    /// when each key keeps it. A slice by function or node leaves out writes that its reads show, and a slice of sessions or
    /// transactions leaves out what relates them: there the whole is judged, and a violation counts for the use case where
    /// its witness touches what the use case selects.
    #[must_use]
    pub fn extent(&self, guarantee: Guarantee) -> Extent {
        if !self.is_whole() && self.f.is_empty() && self.node.is_empty() && guarantee.is_local() {
            Extent::Slice
        } else {
            Extent::Whole
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| Pattern::new(text).expect("a pattern")).collect()
    }

    /// Goal: all fields must fit, one pattern of a field is enough, and what is missing fits nothing.
    #[test]
    fn matches_field_by_field() {
        let selection =
            Selection { key: patterns(&["user/*", "admin"]), f: patterns(&["read"]), ..Selection::default() };
        let subject = |key, f| Subject { key, f, ..Subject::default() };
        assert!(selection.matches(&subject(Some("user/7"), Some("read"))));
        assert!(selection.matches(&subject(Some("admin"), Some("read"))));
        assert!(!selection.matches(&subject(Some("admin"), Some("write"))));
        assert!(!selection.matches(&subject(Some("catalog/7"), Some("read"))));
        assert!(!selection.matches(&subject(None, Some("read"))));
        assert!(Selection::default().matches(&Subject::default()));
    }

    /// Goal: what is not local is never judged on a slice, and nothing is on one that cuts through keys.
    #[test]
    fn only_local_guarantees_are_judged_on_slices() {
        let keys = Selection { key: patterns(&["user/*"]), ..Selection::default() };
        let scopes = Selection { scope: patterns(&["POST *"]), ..Selection::default() };
        let nodes = Selection { node: patterns(&["n1"]), ..keys.clone() };
        let workload = Selection { workload: patterns(&["register"]), ..Selection::default() };
        for local in [Guarantee::Linearizable, Guarantee::BoundedStaleness, Guarantee::Eventual, Guarantee::Idempotent]
        {
            assert_eq!(keys.extent(local), Extent::Slice, "{local}");
            assert_eq!(nodes.extent(local), Extent::Whole, "{local}");
        }
        assert_eq!(scopes.extent(Guarantee::Idempotent), Extent::Slice);
        assert_eq!(workload.extent(Guarantee::Linearizable), Extent::Whole);
        for &guarantee in Guarantee::ALL {
            use crate::guarantee::Family::{Sessions, Transactions};
            if guarantee.families().iter().any(|family| matches!(family, Sessions | Transactions)) {
                assert_eq!(keys.extent(guarantee), Extent::Whole, "{guarantee}");
            }
        }
        assert_eq!(keys.extent(Guarantee::Sequential), Extent::Whole);
        assert_eq!(keys.extent(Guarantee::Reconciled), Extent::Whole);
    }
}
