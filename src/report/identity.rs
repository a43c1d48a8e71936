//! Which finding is the same one in the next run: fingerprints, for code scanning and for baselines.

use crate::contract::Pattern;

/// What makes a finding this one. Recordings never repeat their records, so neither times nor positions are part of it, nor
/// the digits of a key (`user/17` is a `user/*`), nor how often it was found.
#[derive(Clone, Debug, Default)]
pub struct Identity<'a> {
    /// Where the history came from, as it was given.
    pub source: &'a str,
    /// Its vocabulary.
    pub workload: Option<&'a str>,
    /// The use case in whose part it was found.
    pub use_case: Option<&'a str>,
    /// The anomaly's or the guarantee's name.
    pub rule: &'a str,
    /// The weakest guarantees that it rules out: evidence against more is another finding.
    pub guarantees: Vec<&'a str>,
    /// The object.
    pub key: Option<String>,
    /// The relations of the witness's steps, each once, in order.
    pub shape: Vec<&'a str>,
    /// Whether it is certain.
    pub certain: bool,
    /// The parameters that tell it from the same finding with others, as `name=value`; nothing where there are no others.
    pub parameters: String,
}

impl Identity<'_> {
    /// 16 hexadecimal digits, the same on every machine and in every version that has `anachron/v1`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let path = plain(self.source);
        let key = self.key.as_deref().map(Pattern::generalized).unwrap_or_default();
        let certain = if self.certain { "certain" } else { "" };
        let (guarantees, shape) = (self.guarantees.join(","), self.shape.join(","));
        let (workload, use_case) = (self.workload.unwrap_or(""), self.use_case.unwrap_or(""));
        let parts = [path.as_str(), workload, use_case, self.rule, &guarantees, &key, &shape, certain];
        // FNV-1a, whose definition fits here and never changes.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut text = parts.join("\u{1f}");
        if !self.parameters.is_empty() {
            text.push_str(&format!("\u{1f}{}", self.parameters));
        }
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        format!("{hash:016x}")
    }
}

/// A source as it is named everywhere: with slashes, and without `./` before it.
pub(super) fn plain(source: &str) -> String {
    let source = source.replace('\\', "/");
    let mut path = source.as_str();
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a finding keeps its fingerprint from run to run and from version to version (baselines hold them), and two
    /// findings differ.
    #[test]
    fn fingerprints_are_stable() {
        let one = Identity {
            source: "histories/a.jsonl",
            workload: Some("list-append"),
            rule: "G2-item",
            guarantees: vec!["repeatable-read"],
            key: Some("user/17".to_owned()),
            shape: vec!["rw", "wr"],
            certain: true,
            ..Identity::default()
        };
        let known = one.fingerprint();
        assert_eq!(known, "3c80334547453812");
        for source in ["./histories/a.jsonl", ".\\histories\\a.jsonl"] {
            assert_eq!(known, Identity { source, ..one.clone() }.fingerprint());
        }
        assert_eq!(known, Identity { key: Some("user/4".to_owned()), ..one.clone() }.fingerprint());
        for other in [
            Identity { source: "histories/b.jsonl", ..one.clone() },
            Identity { rule: "G1c", ..one.clone() },
            Identity { key: Some("catalog/4".to_owned()), ..one.clone() },
            Identity { shape: vec!["rw"], ..one.clone() },
            Identity { guarantees: vec!["serializable"], ..one.clone() },
            Identity { use_case: Some("payments"), ..one.clone() },
            Identity { certain: false, ..one.clone() },
            Identity { parameters: "ttl=1h".to_owned(), ..one.clone() },
        ] {
            assert_ne!(known, other.fingerprint(), "{other:?}");
        }
    }
}
