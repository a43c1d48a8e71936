//! Durations as people write them: `500ms`, `30s`, `24h`, `1d`, `250us`, `1h30m`, `1.5s`, `0`.

use super::quoted;

/// From the longest to the shortest, so that `1h30m` is told from `30m1h`.
const UNITS: &[(&str, u64)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ns", 1),
];

/// Nanoseconds, never negative, and few enough to be compared with a history's times.
///
/// # Errors
/// What is wrong with the text, as a clause that follows its name (`... has no unit`), and how to write it.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err("is empty: write 500ms, 30s or 24h".to_owned());
    }
    let mut total: u128 = 0;
    let mut shorter_than = u64::MAX;
    while !rest.is_empty() {
        let number =
            rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.').len();
        let (digits, after) = rest.split_at(number);
        let unit =
            after.len() - after.trim_start_matches(|letter: char| !letter.is_ascii_digit() && letter != '.').len();
        let (unit, after) = after.split_at(unit);
        if digits.is_empty() {
            return Err(match unit.starts_with('-') {
                true => "is negative".to_owned(),
                false => "doesn't begin with a number: write 500ms, 30s or 24h".to_owned(),
            });
        }
        if unit.is_empty() {
            return Err(format!("has no unit: write {digits}ms, {digits}s or {digits}h"));
        }
        let Some(&(_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit.trim()) else {
            return Err(format!(
                "has the unit {}, which is none: the units are ns, us, ms, s, m, h and d",
                quoted(unit.trim())
            ));
        };
        if nanoseconds >= shorter_than {
            return Err("has its units in disorder: write 1h30m, the longest first".to_owned());
        }
        shorter_than = nanoseconds;
        let part = scaled(digits, nanoseconds).ok_or("is not a number with at most one point")?;
        total = total.checked_add(part).ok_or(TOO_LONG)?;
        rest = after;
    }
    i64::try_from(total).map_err(|_| TOO_LONG.to_owned())
}

const TOO_LONG: &str = "is longer than 292 years";

/// `digits` of a unit, with or without a point, in whole nanoseconds.
fn scaled(digits: &str, unit: u64) -> Option<u128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || digits.ends_with('.') || fraction.len() > 18 {
        return None;
    }
    let unit = u128::from(unit);
    // Twenty digits are past every duration there is, and stay within 128 bits.
    let whole: u128 = whole.parse().ok().map(|whole: u128| whole.min(100_000_000_000_000_000_000))?;
    let mut part = 0;
    if !fraction.is_empty() {
        let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
        part = fraction.parse::<u128>().ok()? * unit / scale;
    }
    Some(whole * unit + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what people write is read, to the nanosecond.
    #[test]
    fn reads_durations() {
        for (text, ns) in [
            ("0", 0),
            ("0s", 0),
            ("1ns", 1),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("500ms", 500_000_000),
            ("30s", 30_000_000_000),
            ("1.5s", 1_500_000_000),
            ("0.25ms", 250_000),
            ("10m", 600_000_000_000),
            ("10min", 600_000_000_000),
            ("24h", 86_400_000_000_000),
            ("1d", 86_400_000_000_000),
            ("1h30m", 5_400_000_000_000),
            (" 5 s ", 5_000_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(ns), "{text}");
        }
    }

    /// Goal: what is no duration is refused, and the message says what is missing.
    #[test]
    fn refuses_what_is_none() {
        for (text, part) in [
            ("", "empty"),
            ("500", "no unit: write 500ms"),
            ("soon", "number"),
            ("-5s", "negative"),
            ("5 parsecs", "`parsecs`"),
            ("1.2.3s", "one point"),
            (".5s", "one point"),
            ("5.s", "one point"),
            ("30m1h", "disorder"),
            ("1s1s", "disorder"),
            ("300000d", "292 years"),
            ("99999999999999999999999999999999999999999999s", "number"),
            ("340282366920938463463374607431768211455d", "292 years"),
        ] {
            let error = parse_duration(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
