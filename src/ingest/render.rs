//! EDN as JSON text, as witnesses show it: fields and entries in their order, sets as lists, tagged values as a list of the
//! tag and the value, and keys that are no strings as the text that they would be.

use super::edn::Edn;
use super::scan::{DEPTH_LIMIT, Kind, Scan, Scanner, Token, too_deep};
use crate::history::escape_json;

/// A container, or a tag with its value, that is being written.
struct Frame {
    what: What,
    /// How many parts it has so far.
    count: usize,
    /// Where it begins in the output, if it is a key of a map.
    key_at: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Container(Kind),
    Tagged,
}

/// How many keys may be nested in keys: each one doubles the backslashes of what is in it.
const KEY_DEPTH: usize = 4;

/// EDN, shown as JSON.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The JSON.
    pub(super) json: String,
    /// The first thing that JSON has no word for.
    pub(super) beyond_json: Option<&'static str>,
}

/// The EDN value with which this text begins, as JSON; a tag in front of it is left out.
///
/// # Errors
/// Text that is no EDN, or nested too deep.
pub(super) fn edn_to_json(text: &str) -> Scan<Shown> {
    let mut scanner = Edn::new(text);
    let (mut out, mut beyond) = (String::new(), None);
    let mut frames: Vec<Frame> = Vec::new();
    let mut token = scanner.token()?;
    while let Token::Tag(_) = token {
        token = scanner.token()?;
    }
    loop {
        let is_key = frames.last().is_some_and(|f| f.what == What::Container(Kind::Map) && f.count.is_multiple_of(2));
        let start = out.len();
        beyond = beyond.or_else(|| beyond_json(token, is_key));
        let mut done = match token {
            Token::Open(kind) => {
                if frames.len() >= DEPTH_LIMIT {
                    return Err(too_deep(scanner.at()));
                }
                out.push(if kind == Kind::Map { '{' } else { '[' });
                frames.push(Frame { what: What::Container(kind), count: 0, key_at: is_key.then_some(start) });
                !scanner.first(kind)?
            }
            Token::Tag(tag) => {
                if frames.len() >= DEPTH_LIMIT {
                    return Err(too_deep(scanner.at()));
                }
                out.push('[');
                escape_json(tag, &mut out);
                out.push(',');
                frames.push(Frame { what: What::Tagged, count: 0, key_at: is_key.then_some(start) });
                false
            }
            scalar => {
                write_scalar(scalar, &scanner, &mut out);
                if is_key && !matches!(scalar, Token::Str(_) | Token::Escaped) {
                    quote(&mut out, start);
                }
                after_part(&mut frames, &mut out, &mut scanner)?
            }
        };
        while done {
            let Some(frame) = frames.pop() else { return Ok(Shown { json: out, beyond_json: beyond }) };
            out.push(if frame.what == What::Container(Kind::Map) { '}' } else { ']' });
            if let Some(start) = frame.key_at {
                let outer = frames.iter().filter(|frame| frame.key_at.is_some()).count();
                if outer >= KEY_DEPTH {
                    out.truncate(start);
                    out.push_str("...");
                }
                quote(&mut out, start);
            }
            if frames.is_empty() {
                return Ok(Shown { json: out, beyond_json: beyond });
            }
            done = after_part(&mut frames, &mut out, &mut scanner)?;
        }
        token = scanner.token()?;
    }
}

/// What JSON has no word for, if this begins it.
fn beyond_json(token: Token<'_>, is_key: bool) -> Option<&'static str> {
    match token {
        Token::Str(_) | Token::Escaped => None,
        _ if is_key => Some("a map with a key that is no string"),
        Token::Open(Kind::Set) => Some("a set"),
        Token::Tag(_) => Some("a tagged value"),
        Token::Exact(..) => Some("a ratio or a decimal"),
        Token::Float(float) if !float.is_finite() => Some("a number that is not finite"),
        _ => None,
    }
}

/// A part of the innermost container is written; whether that container is complete.
fn after_part(frames: &mut [Frame], out: &mut String, scanner: &mut Edn<'_>) -> Scan<bool> {
    let Some(frame) = frames.last_mut() else { return Ok(true) };
    frame.count += 1;
    let What::Container(kind) = frame.what else { return Ok(true) };
    if kind == Kind::Map && !frame.count.is_multiple_of(2) {
        out.push(':');
        return Ok(false);
    }
    let more = scanner.more(kind)?;
    if more {
        out.push(',');
    }
    Ok(!more)
}

/// Makes a JSON string of what was written from `start` on.
fn quote(out: &mut String, start: usize) {
    let text = out.split_off(start);
    escape_json(&text, out);
}

fn write_scalar(token: Token<'_>, scanner: &Edn<'_>, out: &mut String) {
    match token {
        Token::Null | Token::Open(_) | Token::Tag(_) => out.push_str("null"),
        Token::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Token::Int(int) => out.push_str(&int.to_string()),
        Token::Integer(digits) => out.push_str(digits.trim_start_matches('+')),
        Token::Float(float) if float.is_finite() => out.push_str(&format!("{float:?}")),
        Token::Float(float) if float.is_nan() => out.push_str("\"NaN\""),
        Token::Float(float) => out.push_str(if float > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }),
        Token::Str(text) => escape_json(text, out),
        Token::Escaped => escape_json(scanner.scratch(), out),
        Token::Exact(kind, text) => {
            out.push_str(&format!("[\"{kind}\","));
            escape_json(text, out);
            out.push(']');
        }
    }
}
