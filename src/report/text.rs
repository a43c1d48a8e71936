//! Text that is safe to print and fits: escapes, widths, wrapping, durations.
//!
//! Whatever comes from a history goes through [`clean`] before it is printed. Nothing else here changes characters.

use std::fmt;

use tabled::grid::util::string::get_char_width;

/// The text with everything escaped that could move a cursor, change a colour, hide itself or reverse the direction of
/// what follows: control characters, bidi controls, invisible format characters, line separators.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character must never be printed as it is.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// How many columns the text takes at most: terminals disagree about characters that join.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// A variation selector takes no column, but makes the character before it as wide as an emoji.
fn columns(c: char) -> usize {
    if c == '\u{fe0f}' { 1 } else { get_char_width(c) }
}

/// The text broken into lines of at most `width` columns, at spaces where there are some, inside words where there are
/// none. Lines after the first begin with `indent` spaces, which count.
pub(super) fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    // Without four columns of its own, a line with an indent would never end.
    let indent = indent.min(width.saturating_sub(4));
    let mut lines = Vec::new();
    let mut line = String::new();
    let (mut used, mut start) = (0, 0);
    let mut next_line = |line: &mut String, used: &mut usize, start: &mut usize| {
        lines.push(std::mem::take(line));
        line.extend(std::iter::repeat_n(' ', indent));
        (*used, *start) = (indent, indent);
    };
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = self::width(word);
        if used > start && used + 1 + length > width {
            next_line(&mut line, &mut used, &mut start);
        }
        if used > start {
            line.push(' ');
            used += 1;
        }
        if used + length <= width {
            line.push_str(word);
            used += length;
            continue;
        }
        // Too long for any line: broken after a separator where one comes late in the line, else where the line is full.
        let mut rest = word;
        while !rest.is_empty() {
            let fits = fitting(rest, width.saturating_sub(used));
            if fits == 0 && used > start {
                next_line(&mut line, &mut used, &mut start);
                continue;
            }
            let fits = fits.max(rest.chars().next().map_or(0, char::len_utf8));
            let (head, tail) = rest.split_at(fits);
            line.push_str(head);
            used += self::width(head);
            rest = tail;
            if !rest.is_empty() {
                next_line(&mut line, &mut used, &mut start);
            }
        }
    }
    lines.push(line);
    lines
}

/// How many bytes of a word go into `room` columns.
fn fitting(word: &str, room: usize) -> usize {
    let (mut used, mut end, mut nice) = (0, 0, None);
    for (at, c) in word.char_indices() {
        used += columns(c);
        if used > room {
            return nice.unwrap_or(end);
        }
        end = at + c.len_utf8();
        if matches!(c, '/' | '-' | '_' | ',' | ';' | ':' | '.' | '@') && used * 2 > room {
            nice = Some(end);
        }
    }
    end
}

/// The text with its middle left out, where it is longer than `most` characters.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let tail = most.saturating_sub(1) / 3;
    let head = most.saturating_sub(1) - tail;
    let end: String = text.chars().skip(count - tail).collect();
    text.chars().take(head).chain(std::iter::once('…')).chain(end.chars()).collect()
}

/// Nanoseconds as a person says them: `350 ns`, `1.21 ms`, `4 s`, `2 min 5 s`, `3 h 20 min`.
pub(super) fn duration(ns: i64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    let scaled = |unit: u64, name: &str| {
        // Three digits that mean something, rounded down, so that nothing looks later than it was.
        let (whole, rest) = (ns / unit, ns % unit);
        let digits = if whole >= 100 {
            0
        } else if whole >= 10 {
            1
        } else {
            2
        };
        let fraction = format!("{:02}", rest * 100 / unit);
        let fraction = fraction.get(..digits).unwrap_or("").trim_end_matches('0');
        if fraction.is_empty() { format!("{sign}{whole} {name}") } else { format!("{sign}{whole}.{fraction} {name}") }
    };
    let pair = |whole: u64, big: &str, rest: u64, small: &str| match rest {
        0 => format!("{sign}{whole} {big}"),
        rest => format!("{sign}{whole} {big} {rest} {small}"),
    };
    match ns {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{sign}{ns} ns"),
        1_000..1_000_000 => scaled(1_000, "µs"),
        1_000_000..SECOND => scaled(1_000_000, "ms"),
        _ if ns < 60 * SECOND => scaled(SECOND, "s"),
        _ if ns < 3_600 * SECOND => pair(ns / SECOND / 60, "min", ns / SECOND % 60, "s"),
        _ if ns < 86_400 * SECOND => pair(ns / SECOND / 3_600, "h", ns / SECOND / 60 % 60, "min"),
        _ => pair(ns / SECOND / 86_400, "d", ns / SECOND / 3_600 % 24, "h"),
    }
}

/// `1 key`, `2 keys`.
pub(super) fn counted<N: fmt::Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let word = if count == N::from(1) { one } else { many };
    format!("{count} {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what a terminal would obey is shown instead.
    #[test]
    fn control_characters_are_shown() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}"), r"a\u{1b}[31mred\u{7}");
        assert_eq!(clean("\u{202e}txt.exe\u{2066}\u{9b}"), r"\u{202e}txt.exe\u{2066}\u{9b}");
        assert_eq!(clean("two\nlines\t\r"), r"two\nlines\t\r");
        assert_eq!(clean("Zürich 東京 k/1"), "Zürich 東京 k/1");
    }

    /// Goal: no line is too wide, nothing but spaces is lost, and wide characters count as two columns.
    #[test]
    fn wrapping_keeps_every_word() {
        assert_eq!(wrap("one two three", 8, 2), ["one two", "  three"]);
        assert_eq!(wrap("abcdefghij", 6, 2), ["abcdef", "  ghij"]);
        assert_eq!(wrap("東京東京", 5, 0), ["東京", "東京"]);
        assert_eq!(wrap("", 8, 2), [""]);
        for width in 1..30 {
            let text = "the quick brown fox_jumps_over_the lazy 東京 dog";
            let lines = wrap(text, width, 3);
            // A character of two columns can't be made narrower.
            assert!(lines.iter().all(|line| self::width(line) <= width.max(2)), "{width}: {lines:?}");
            let kept: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            assert_eq!(kept, text.replace(' ', ""));
        }
    }

    /// Goal: durations read as people say them, and never round up.
    #[test]
    fn durations_read_naturally() {
        let cases = [
            (0, "0 s"),
            (350, "350 ns"),
            (1_219_999, "1.21 ms"),
            (82_000_000, "82 ms"),
            (999_999_999, "999 ms"),
            (4_000_000_000, "4 s"),
            (59_999_999_999, "59.9 s"),
            (125_000_000_000, "2 min 5 s"),
            (12_000_000_000_000, "3 h 20 min"),
            (86_400_000_000_000, "1 d"),
            (-1_500, "-1.5 µs"),
            (i64::MIN, "-106751 d 23 h"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(ns), text);
        }
    }

    /// Goal: a long text keeps both its ends.
    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!(shorten("abcdefghijklmnop", 10), "abcdef…nop");
        assert_eq!(shorten("short", 10), "short");
    }
}
