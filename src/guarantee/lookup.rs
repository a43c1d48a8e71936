//! From what somebody typed to a name, and from what nobody knows to the name that was probably meant.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Anomaly, Guarantee};

/// By its name.
impl Serialize for Anomaly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// By its own name, letter for letter.
impl<'de> Deserialize<'de> for Anomaly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Anomaly, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Anomaly::ALL.iter().copied().find(|anomaly| anomaly.name() == name);
        known.ok_or_else(|| serde::de::Error::custom(format!("there is no anomaly {name:?}")))
    }
}

impl Guarantee {
    /// The guarantee of this name or alias, without regard to case.
    #[must_use]
    pub fn named(name: &str) -> Option<Guarantee> {
        Guarantee::ALL.iter().copied().find(|guarantee| is_called(name, guarantee.name(), guarantee.aliases()))
    }

    /// The known name or alias that is closest to `name`, where one is close.
    #[must_use]
    pub fn suggest(name: &str) -> Option<&'static str> {
        nearest(name, Guarantee::ALL.iter().flat_map(|guarantee| names(guarantee.name(), guarantee.aliases())))
    }
}

impl Anomaly {
    /// The anomaly of this name or alias, without regard to case.
    #[must_use]
    pub fn named(name: &str) -> Option<Anomaly> {
        Anomaly::ALL.iter().copied().find(|anomaly| is_called(name, anomaly.name(), anomaly.aliases()))
    }

    /// The known name or alias that is closest to `name`, where one is close.
    #[must_use]
    pub fn suggest(name: &str) -> Option<&'static str> {
        nearest(name, Anomaly::ALL.iter().flat_map(|anomaly| names(anomaly.name(), anomaly.aliases())))
    }
}

fn is_called(typed: &str, name: &'static str, aliases: &'static [&'static str]) -> bool {
    names(name, aliases).any(|known| known.eq_ignore_ascii_case(typed))
}

fn names(name: &'static str, aliases: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    std::iter::once(name).chain(aliases.iter().copied())
}

/// What is longer than this was not meant as a name. It also bounds the work.
const LONGEST: usize = 64;

/// The candidate with the fewest edits to `typed`, where there are few: one for every three characters, and one more. The first
/// of several that are as close.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = normal(typed).take(LONGEST + 1).collect();
    if typed.is_empty() || typed.len() > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let edits = distance(&typed, &normal(candidate).collect::<Vec<char>>());
        if edits <= typed.len() / 3 + 1 && edits < typed.len() && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Case, blanks and underscores are how people type, not what they mean.
fn normal(name: &str) -> impl Iterator<Item = char> {
    name.trim().chars().map(|letter| if matches!(letter, '_' | ' ') { '-' } else { letter.to_ascii_lowercase() })
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment) between two short words.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut older: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (i, &left) in from.iter().enumerate() {
        let mut row = vec![i + 1; to.len() + 1];
        for (j, &right) in to.iter().enumerate() {
            row[j + 1] = (above[j] + usize::from(left != right)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left == to[j - 1] && from[i - 1] == right {
                row[j + 1] = row[j + 1].min(older[j - 1] + 1);
            }
        }
        older = std::mem::replace(&mut above, row);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a suggestion is what was probably meant, and nothing is suggested for what resembles nothing.
    #[test]
    fn suggests_what_was_meant() {
        for (typed, meant) in [
            ("serialisable", Some("serializable")),
            ("linearizible", Some("linearizable")),
            ("snapshot isolation", Some("snapshot-isolation")),
            ("read_your_writes", Some("read-your-writes")),
            ("causl", Some("causal")),
            ("seriailzable", Some("serializable")),
            ("xyzzy-plugh", None),
            ("", None),
            ("q", None),
        ] {
            assert_eq!(Guarantee::suggest(typed), meant, "{typed}");
        }
        assert_eq!(Anomaly::suggest("lost updates"), Some("lost-update"));
        assert_eq!(Anomaly::suggest(&"g".repeat(100_000)), None);
    }

    /// Goal: the distance counts what a slip of the fingers is.
    #[test]
    fn counts_slips() {
        let distance = |from: &str, to: &str| distance(&Vec::from_iter(from.chars()), &Vec::from_iter(to.chars()));
        assert_eq!(distance("pram", "pram"), 0);
        assert_eq!(distance("pram", "parm"), 1);
        assert_eq!(distance("pram", "ram"), 1);
        assert_eq!(distance("", "pram"), 4);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
