//! Words and numbers: from Fressian's, and to EDN's.

/// A token of EDN, if this is one.
pub(super) fn token(name: &str) -> Option<&str> {
    let plain = |c: char| c.is_alphanumeric() || ".*+!-_?$%&=<>/#':".contains(c);
    Some(name).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain))
}

/// The text of a string of EDN; what is none stays.
pub(super) fn unquoted(text: &str) -> String {
    serde_json::from_str(text.trim()).unwrap_or_else(|_| text.trim().to_owned())
}

/// An integer's digits, from its digits or from its bytes in two's complement.
pub(super) fn decimal(text: &str) -> Option<String> {
    let text = text.trim();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.to_owned());
    }
    let hex = text.strip_prefix("#bytes \"")?.strip_suffix('"')?;
    let mut bytes: Vec<u8> = hex
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect::<Option<_>>()?;
    let negative = *bytes.first()? >= 0x80;
    if negative {
        // Two's complement: all bits the other way, and one more.
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    // Digits, the lowest first.
    let mut digits = vec![0u8];
    for byte in bytes {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = u8::try_from(carry % 10).unwrap_or(0);
            carry /= 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or(0));
            carry /= 10;
        }
    }
    let sign = if negative { "-" } else { "" };
    Some(format!("{sign}{}", digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect::<String>()))
}

/// The same number with the other sign.
pub(super) fn negated(digits: &str) -> String {
    digits.strip_prefix('-').map_or_else(|| format!("-{digits}"), str::to_owned)
}

/// The text of Java's modified UTF-8, in which characters beyond U+FFFF are two surrogates.
pub(super) fn text_of(bytes: &[u8]) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(text.to_owned());
    }
    let (mut units, mut at) = (Vec::new(), 0);
    let rest = |at: usize| bytes.get(at).filter(|byte| *byte & 0xc0 == 0x80).map(|byte| u16::from(byte & 0x3f));
    while let Some(&byte) = bytes.get(at) {
        let (unit, length) = match byte {
            0..=0x7f => (u16::from(byte), 1),
            0xc0..=0xdf => (u16::from(byte & 0x1f) << 6 | rest(at + 1)?, 2),
            0xe0..=0xef => (u16::from(byte & 0xf) << 12 | rest(at + 1)? << 6 | rest(at + 2)?, 3),
            _ => return None,
        };
        units.push(unit);
        at += length;
    }
    String::from_utf16(&units).ok()
}
