//! What a text is: its format, by its first characters, and where its records are.

use std::ops::Range;

use super::Format;
use super::chunks::{Shape, Syntax};
use super::error::InputError;
use super::log::looks_like_log;
use super::operations::looks_like_operations;
use super::scan::{Kind, Scan, Scanner, Token};

/// The format: as told, or as the first characters show it.
///
/// # Errors
/// A text that is in no known format, or has nothing in it.
pub(super) fn format(bytes: &[u8], told: Option<Format>) -> Result<Format, InputError> {
    if let Some(format) = told {
        return Ok(format);
    }
    let solid = |at: usize| {
        let rest = bytes.get(at..).unwrap_or(&[]);
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        (at + space, rest.get(space).copied())
    };
    let (at, first) = solid(0);
    match first {
        None => Err(InputError::new(
            "the file is empty",
            "check the path, and whether the test that should have written it ran at all",
        )),
        Some(b';' | b'#' | b'(') => Ok(Format::Edn),
        Some(b'{' | b'[') if looks_like_operations(bytes) => Ok(Format::Porcupine),
        Some(b'{') => Ok(match solid(at + 1).1 {
            // Single quotes are neither, and more often meant for JSON.
            Some(b'"' | b'\'' | b'}') | None => Format::JsonLines,
            _ => Format::Edn,
        }),
        Some(b'[') => {
            let (inner, second) = solid(at + 1);
            Ok(match (second, solid(inner + 1).1) {
                (Some(b'{'), Some(b'"' | b'\'' | b'}') | None) => Format::Json,
                (Some(b'{' | b'#' | b';' | b':' | b'('), _) => Format::Edn,
                _ => Format::Json,
            })
        }
        Some(_) if looks_like_log(bytes) => Ok(Format::JepsenLog),
        Some(b'"' | b'-' | b'0'..=b'9' | b'n' | b't' | b'f') if plain(&bytes[at..]) => Ok(Format::Json),
        Some(_) => Err(unknown()),
    }
}

/// Whether this is a JSON scalar.
fn plain(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

fn unknown() -> InputError {
    let names = Format::ALL.map(Format::name).join(", ");
    InputError {
        line: Some(1),
        column: Some(1),
        ..InputError::new(
            "this is no format that anachron knows",
            format!(
                "histories are JSON, JSON Lines, EDN, Jepsen's text or store, or Porcupine's operations, plain or compressed by gzip or zstd; `--input-format` takes: {names}"
            ),
        )
    }
}

/// Where the records of a text are.
#[derive(Debug)]
pub(super) struct Prelude {
    /// Where they begin.
    pub(super) start: usize,
    /// How they follow each other; nothing where the list of records is empty.
    pub(super) shape: Option<Shape>,
    /// The header: a map.
    pub(super) header: Option<Range<usize>>,
}

/// How much of the text is looked at first for the header.
const HEAD: usize = 1 << 20;

/// Looks at the first value.
///
/// # Errors
/// Text that is not of the syntax.
pub(super) fn prelude<S>(bytes: &[u8]) -> Scan<Prelude>
where
    S: Syntax,
{
    // Most often the first lines show all; where they do not, all of the text is looked at.
    if bytes.len() > HEAD
        && let Some(prelude) = attempt::<S>(&bytes[..HEAD])
    {
        return prelude;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
    };
    first::<S::Scanner<'_>>(text)
}

/// The same for a text that may go on; nothing where that matters.
fn attempt<S>(bytes: &[u8]) -> Option<Scan<Prelude>>
where
    S: Syntax,
{
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
    };
    match first::<S::Scanner<'_>>(text) {
        Err(fault) if fault.cut => None,
        result => Some(result),
    }
}

fn first<'a, S: Scanner<'a>>(text: &'a str) -> Scan<Prelude> {
    let mut scanner = S::new(text);
    scanner.blank()?;
    let start = scanner.at();
    if start == text.len() {
        return Ok(Prelude { start, shape: None, header: None });
    }
    match scanner.token()? {
        Token::Open(kind) if kind.is_list() => {
            if !scanner.first(kind)? {
                super::chunks::epilogue(&mut scanner, false)?;
                return Ok(Prelude { start, shape: None, header: None });
            }
            let start = scanner.at();
            let shape = Some(Shape::List { kind, document: false });
            match header(&mut scanner)? {
                Found::Header(header) => {
                    let more = scanner.next_record(kind)?;
                    scanner.blank()?;
                    Ok(Prelude { start: scanner.at(), shape: shape.filter(|_| more), header: Some(header) })
                }
                _ => Ok(Prelude { start, shape, header: None }),
            }
        }
        Token::Open(Kind::Map) => {
            scanner.seek(start);
            let stream = Some(Shape::Stream);
            Ok(match header(&mut scanner)? {
                Found::Header(header) => {
                    scanner.blank()?;
                    Prelude { start: scanner.at(), shape: stream, header: Some(header) }
                }
                Found::Document(start, kind) => {
                    Prelude { start, shape: kind.map(|kind| Shape::List { kind, document: true }), header: None }
                }
                Found::Record => Prelude { start, shape: stream, header: None },
            })
        }
        _ => Ok(Prelude { start, shape: Some(Shape::Stream), header: None }),
    }
}

/// What the first value of a text is.
enum Found {
    Record,
    /// A header, at this place; it was taken.
    Header(Range<usize>),
    /// A document whose records begin here.
    Document(usize, Option<Kind>),
}

/// What the value at the cursor is.
fn header<'a, S: Scanner<'a>>(scanner: &mut S) -> Scan<Found> {
    scanner.blank()?;
    if scanner.at() == scanner.text().len() || scanner.token()? != Token::Open(Kind::Map) {
        return Ok(Found::Record);
    }
    let mut more = scanner.first(Kind::Map)?;
    let mut found = None;
    while more {
        let token = scanner.key()?;
        let name = match token {
            Token::Str(name) => name.strip_prefix(':').unwrap_or(name),
            Token::Escaped => "",
            _ => return Ok(Found::Record),
        };
        if name == "type" {
            return Ok(Found::Record);
        }
        let is_history = name == "history" && found.is_none();
        scanner.colon()?;
        scanner.blank()?;
        let at = scanner.at();
        if is_history {
            match scanner.token()? {
                Token::Open(kind) if kind.is_list() => {
                    let any = scanner.first(kind)?;
                    let start = scanner.at();
                    if !any {
                        super::chunks::epilogue(scanner, true)?;
                    }
                    return Ok(Found::Document(start, Some(kind).filter(|_| any)));
                }
                Token::Open(Kind::Map) => {
                    scanner.seek(at);
                    scanner.skip()?;
                    found = Some(at..scanner.at());
                }
                _ => {
                    scanner.seek(at);
                    scanner.skip()?;
                }
            }
        } else {
            scanner.skip()?;
        }
        more = scanner.more(Kind::Map)?;
    }
    Ok(found.map_or(Found::Record, Found::Header))
}
