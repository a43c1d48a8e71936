//! Times of foreign logs, in nanoseconds: numbers with a unit, and dates as loggers write them.

/// What a number of a time or a duration counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
}

impl Unit {
    pub(super) fn named(name: &str) -> Option<Unit> {
        match name {
            "ns" => Some(Unit::Nanoseconds),
            "us" | "µs" => Some(Unit::Microseconds),
            "ms" => Some(Unit::Milliseconds),
            "s" => Some(Unit::Seconds),
            "m" | "min" => Some(Unit::Minutes),
            _ => None,
        }
    }

    const fn nanoseconds(self) -> i128 {
        match self {
            Unit::Nanoseconds => 1,
            Unit::Microseconds => 1_000,
            Unit::Milliseconds => 1_000_000,
            Unit::Seconds => 1_000_000_000,
            Unit::Minutes => 60_000_000_000,
        }
    }
}

/// A decimal number of this unit, in whole nanoseconds; digits below these are dropped.
pub(super) fn number(text: &str, unit: Unit) -> Option<i64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 25 || !digits(whole) || !digits(fraction) || !(-30..=30).contains(&exponent) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(12)];
    let scaled = format!("{whole}{fraction}").parse::<i128>().ok()?.checked_mul(unit.nanoseconds())?;
    let shift = exponent - i32::try_from(fraction.len()).ok()?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    let nanoseconds = if shift < 0 { scaled / power } else { scaled.checked_mul(power)? };
    i64::try_from(if negative { -nanoseconds } else { nanoseconds }).ok()
}

/// A duration in words (`1.5s`, `2m3.4s`, `350µs`, as Go prints them), in nanoseconds.
pub(super) fn words(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let part = match (unit, Unit::named(unit)) {
            ("h", _) => number(digits, Unit::Minutes)?.checked_mul(60)?,
            (_, unit) => number(digits, unit?)?,
        };
        total = total.checked_add(part)?;
        rest = after;
    }
    Some(total)
}

/// A moment as RFC 3339 and loggers write it: `2026-03-01T09:30:00.25Z`, with a blank for the `T`, a comma for the point,
/// `+0100` for `+01:00`, or no zone at all (then it is taken as UTC: only differences count).
pub(super) fn date(text: &str) -> Option<i64> {
    let text = text.trim();
    let field = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let mark = |at: usize, marks: &[u8]| text.as_bytes().get(at).is_some_and(|byte| marks.contains(byte));
    if !(mark(4, b"-/") && mark(7, b"-/") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":")) {
        return None;
    }
    let (year, month, day) = (field(0..4)?, field(5..7)?, field(8..10)?);
    let (hour, minute, second) = (field(11..13)?, field(14..16)?, field(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let (digits, after) = fraction.split_at(end);
        let digits: String = digits.chars().chain("000000000".chars()).take(9).collect();
        nanoseconds = digits.parse::<i64>().ok()?;
        rest = after;
    }
    let zone = match rest.trim() {
        "" | "Z" | "z" | "UTC" => 0,
        offset => {
            let sign = match offset.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let digits: String = offset[1..].chars().filter(|c| *c != ':').collect();
            if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            sign * (digits[..2].parse::<i64>().ok()? * 60 + digits[2..].parse::<i64>().ok()?)
        }
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - zone * 60;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

/// Days since 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms", 2013).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what loggers write is read to the nanosecond, without rounding through binary fractions.
    #[test]
    fn times_are_exact() {
        for (text, unit, ns) in [
            ("1700000000.123456789", Unit::Seconds, 1_700_000_000_123_456_789),
            ("1.7000000001e9", Unit::Seconds, 1_700_000_000_100_000_000),
            ("12", Unit::Milliseconds, 12_000_000),
            ("0.25", Unit::Microseconds, 250),
            ("-3", Unit::Nanoseconds, -3),
            ("2", Unit::Minutes, 120_000_000_000),
        ] {
            assert_eq!(number(text, unit), Some(ns), "{text}");
        }
        for text in ["", "x", "1.2.3", "1e99", "99999999999999999999999999", "-"] {
            assert_eq!(number(text, Unit::Seconds), None, "{text}");
        }
        for (text, ns) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-03-01T09:30:00.25Z", 1_772_357_400_250_000_000),
            ("2026-03-01 10:30:00,250+0100", 1_772_357_400_250_000_000),
            ("2026-03-01T04:30:00.250000-05:00", 1_772_357_400_250_000_000),
            ("2000-02-29T23:59:59", 951_868_799_000_000_000),
        ] {
            assert_eq!(date(text), Some(ns), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-03-01T00:00:00+1",
            "2026-03-01T00:00:00é",
            "2026-03-01T00:00:00+é1",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        for (text, ns) in
            [("1.5s", 1_500_000_000), ("2m3.4s", 123_400_000_000), ("350µs", 350_000), ("1h1m", 3_660_000_000_000)]
        {
            assert_eq!(words(text), Some(ns), "{text}");
        }
        assert!(words("").is_none() && words("5").is_none() && words("s").is_none() && words("5 parsecs").is_none());
    }
}
