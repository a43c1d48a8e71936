//! Globs: `*` is any run of characters (a `/` too: `user/*` is every key below `user/`), `?` is any one, `[a-z]` and `[!0-9]` one
//! of a set, `\` takes the next character as it is. A pattern is the whole name, in its own case.
//!
//! Cost: at most the product of the two lengths; a `*` is tried again only from where the last one stood.

use super::quoted;

/// A glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Exactly(char),
    AnyOne,
    AnyRun,
    Set { except: bool, ranges: Vec<(char, char)> },
}

impl Part {
    fn takes(&self, letter: char) -> bool {
        match self {
            Part::Exactly(own) => *own == letter,
            Part::AnyOne => true,
            Part::AnyRun => false,
            Part::Set { except, ranges } => {
                ranges.iter().any(|&(first, last)| (first..=last).contains(&letter)) != *except
            }
        }
    }
}

impl Pattern {
    /// Reads a glob.
    ///
    /// # Errors
    /// What is wrong, in a sentence: a set that has no end or nothing in it, a `\` with nothing after it.
    pub fn new(text: &str) -> Result<Pattern, String> {
        let mut parts = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            parts.push(match letter {
                '*' if parts.last() == Some(&Part::AnyRun) => continue,
                '*' => Part::AnyRun,
                '?' => Part::AnyOne,
                '\\' => Part::Exactly(
                    letters.next().ok_or_else(|| format!("the pattern {} ends with a `\\`", quoted(text)))?,
                ),
                '[' => set(&mut letters).map_err(|clause| format!("the pattern {} {clause}", quoted(text)))?,
                letter => Part::Exactly(letter),
            });
        }
        Ok(Pattern { text: text.to_owned(), parts })
    }

    /// The pattern of the names that differ from this one in their numbers only: `user/*` of `user/17`, `k*` of `k0`. A run of
    /// letters and digits that begins with a digit, mixes the two or is as long as an identifier is a `*` as a whole.
    #[must_use]
    pub fn generalized(name: &str) -> String {
        /// Hexadecimal letters in such numbers are identifiers.
        const IDENTIFIER: usize = 12;
        let mut out = String::new();
        let mut rest = name;
        while let Some(first) = rest.chars().next() {
            if let Some(after) = after_uuid(rest) {
                out.push('*');
                rest = after;
                continue;
            }
            let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
            if end == 0 {
                if matches!(first, '*' | '?' | '[' | '\\') {
                    out.push('\\');
                }
                out.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
            let (word, after) = rest.split_at(end);
            let head = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
            let has_digit = |text: &str| text.chars().any(char::is_numeric);
            let identifier = word.len() >= IDENTIFIER && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !has_digit(word) && !identifier {
                out.push_str(word);
            } else {
                if !has_digit(head) && !identifier {
                    out.push_str(head);
                }
                out.push('*');
            }
            rest = after;
        }
        out
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is the whole of `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut at = 0;
        let mut rest = name.chars();
        // The last `*`, and what is left of the name after the characters that it has taken so far.
        let mut again: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = rest.clone();
            match (self.parts.get(at), rest.next()) {
                (Some(Part::AnyRun), _) => {
                    again = Some((at, before.clone()));
                    rest = before;
                    at += 1;
                }
                (None, None) => return true,
                (Some(part), Some(letter)) if part.takes(letter) => at += 1,
                _ => {
                    let Some((star, mut left)) = again.take() else { return false };
                    if left.next().is_none() {
                        return false;
                    }
                    (at, rest) = (star + 1, left.clone());
                    again = Some((star, left));
                }
            }
        }
    }
}

/// What follows the UUID that a text begins with.
fn after_uuid(text: &str) -> Option<&str> {
    let mut rest = text;
    for (at, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        rest = if at == 0 { rest } else { rest.strip_prefix('-')? };
        let (group, after) = rest.split_at_checked(length)?;
        rest = group.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(after)?;
    }
    Some(rest)
}

/// What follows a `[`, up to its `]`; a `]` that comes first is one of the set.
fn set(letters: &mut std::str::Chars<'_>) -> Result<Part, &'static str> {
    let open = "has a `[` without its `]`: write `\\[` for the character";
    let mut except = false;
    let mut ranges: Vec<(char, char)> = Vec::new();
    let mut next = letters.next();
    if matches!(next, Some('!' | '^')) {
        except = true;
        next = letters.next();
    }
    loop {
        let first = match next.ok_or(open)? {
            ']' if !ranges.is_empty() => return Ok(Part::Set { except, ranges }),
            '\\' => letters.next().ok_or(open)?,
            letter => letter,
        };
        let mut ahead = letters.clone();
        match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) if last != ']' => {
                *letters = ahead;
                let last = if last == '\\' { letters.next().ok_or(open)? } else { last };
                if last < first {
                    return Err("has a range that runs backwards");
                }
                ranges.push((first, last));
            }
            _ => ranges.push((first, first)),
        }
        next = letters.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: each form takes what it says and nothing else.
    #[test]
    fn matches_whole_names() {
        for (pattern, yes, no) in [
            ("user/*", &["user/7", "user/7/name", "user/"][..], &["user", "users/7", "xuser/7"][..]),
            ("*", &["", "anything"], &[]),
            ("", &[""], &["a"]),
            ("k-?", &["k-1", "k-é"], &["k-", "k-12"]),
            ("*-eu-*", &["a-eu-b", "-eu-", "a-eu-eu-b"], &["a-eu", "eu"]),
            ("a*b*c", &["abc", "aXbXbXc", "abcbc"], &["ab", "acb"]),
            ("**x", &["x", "aax"], &["xa"]),
            ("POST /payments", &["POST /payments"], &["POST /payments/1", "post /payments"]),
            ("n[0-35]", &["n0", "n3", "n5"], &["n4", "n", "n00"]),
            ("n[!0-3]", &["n4", "nx"], &["n0"]),
            ("[]x]", &["]", "x"], &["a", ""]),
            ("[a-]", &["a", "-"], &["b"]),
            (r"\*[\]]", &["*]"], &["a]"]),
        ] {
            let pattern = Pattern::new(pattern).expect(pattern);
            for name in yes {
                assert!(pattern.matches(name), "{} {name}", pattern.as_str());
            }
            for name in no {
                assert!(!pattern.matches(name), "{} {name}", pattern.as_str());
            }
        }
    }

    /// Goal: names that differ in their numbers have one pattern, which takes them.
    #[test]
    fn numbers_are_generalized() {
        for (name, pattern) in [
            ("user/17", "user/*"),
            ("k0", "k*"),
            ("42", "*"),
            ("pay_9f3c", "pay_*"),
            ("order-123e4567-e89b-12d3-a456-426614174000", "order-*"),
            ("deadbeefcafe", "*"),
            ("POST /payments", "POST /payments"),
            ("a*b[7]", r"a\*b\[*]"),
            ("", ""),
        ] {
            assert_eq!(Pattern::generalized(name), pattern, "{name}");
            assert!(Pattern::new(pattern).expect(pattern).matches(name), "{name}");
        }
    }

    /// Goal: what is no pattern is refused.
    #[test]
    fn refuses_broken_patterns() {
        for (text, part) in
            [("[ab", "without its"), ("a\\", "ends with"), ("[b-a]", "backwards"), ("[]", "without its")]
        {
            let error = Pattern::new(text).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
    }

    /// Goal: agrees with a slow, obvious matcher on all short patterns and names, and stays fast on a hostile pair.
    #[test]
    fn agrees_with_the_definition() {
        fn slow(pattern: &[u8], name: &[u8]) -> bool {
            match (pattern.first(), name.first()) {
                (None, None) => true,
                (Some(b'*'), _) => slow(&pattern[1..], name) || (!name.is_empty() && slow(pattern, &name[1..])),
                (Some(b'?'), Some(_)) => slow(&pattern[1..], &name[1..]),
                (Some(a), Some(b)) if a == b => slow(&pattern[1..], &name[1..]),
                _ => false,
            }
        }
        let words = |letters: &[char], longest: usize| {
            let mut all = vec![String::new()];
            let mut from = 0;
            for _ in 0..longest {
                let to = all.len();
                for at in from..to {
                    let longer = letters.iter().map(|letter| format!("{}{letter}", all[at]));
                    let longer: Vec<String> = longer.collect();
                    all.extend(longer);
                }
                from = to;
            }
            all
        };
        let names = words(&['a', 'b'], 5);
        for text in words(&['a', 'b', '*', '?'], 5) {
            let pattern = Pattern::new(&text).expect("no sets in it");
            for name in &names {
                assert_eq!(pattern.matches(name), slow(text.as_bytes(), name.as_bytes()), "{text} {name}");
            }
        }
        let hostile = Pattern::new(&"*a".repeat(50)).expect("a pattern");
        assert!(!hostile.matches(&"b".repeat(5_000)) && !hostile.matches(&("a".repeat(5_000) + "b")));
    }
}
