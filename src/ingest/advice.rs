//! What to do about common mistakes: what was found, in the writer's words, and the way out.

use super::error::Fault;
use super::scan::{Kind, Scan, Scanner, Token};

/// A record without a type, which begins at this offset.
#[cold]
pub(super) fn no_type<'a, S: Scanner<'a>>(scanner: &mut S, start: usize) -> Box<Fault> {
    scanner.seek(start);
    let fields = fields(scanner).unwrap_or_default();
    let shown: Vec<String> = fields.iter().take(8).map(|name| format!("`{}`", short(name))).collect();
    let more = if fields.len() > shown.len() { ", ..." } else { "" };
    let message = match shown.as_slice() {
        [] => "this record is empty".to_owned(),
        shown => format!("this record has no `type`, only {}{more}", shown.join(", ")),
    };
    let help = if fields.iter().any(|name| name.eq_ignore_ascii_case("type")) {
        "the names of fields are in lower case: `type`, `process`, `f`, `value`, `key`, `time`"
    } else {
        "every record has a `type`: `invoke`, `ok` (it happened), `fail` (it did not) or `info` (unknown); with it come \
         `process`, `f` and `value`; a document has its records in the field `history`"
    };
    Fault::new(start, message, help)
}

/// The names of the fields of the record at the cursor.
fn fields<'a, S: Scanner<'a>>(scanner: &mut S) -> Scan<Vec<String>> {
    let mut names = Vec::new();
    while let Token::Tag(_) = scanner.token()? {}
    let mut more = scanner.first(Kind::Map)?;
    while more {
        match scanner.key()? {
            Token::Str(name) => names.push(name.to_owned()),
            Token::Escaped => names.push(scanner.scratch().to_owned()),
            Token::Open(_) | Token::Tag(_) => return Ok(names),
            _ => {}
        }
        scanner.colon()?;
        scanner.skip()?;
        more = scanner.more(Kind::Map)?;
    }
    Ok(names)
}

/// A type that is none, at this offset.
#[cold]
pub(super) fn odd_type(at: usize, name: &str) -> Box<Fault> {
    let lower = name.trim().trim_start_matches(':').to_ascii_lowercase();
    let help = match lower.as_str() {
        "invoke" | "call" | "invocation" | "begin" | "start" | "request" | "req" | "send" => {
            "the beginning of an operation is written `invoke`, in lower case"
        }
        "ok" | "return" | "success" | "succeeded" | "done" | "response" | "resp" | "end" | "complete" | "completed" => {
            "an operation that certainly happened is written `ok`, in lower case"
        }
        "fail" | "failed" | "failure" | "abort" | "aborted" | "rejected" => {
            "an operation that certainly did not happen is written `fail`, in lower case; one that may have happened, `info`"
        }
        "info" | "timeout" | "timedout" | "unknown" | "error" | "crash" | "crashed" | "exception" => {
            "an operation of which nobody knows whether it happened is written `info`, in lower case; `fail` only where it \
             certainly did not"
        }
        _ => "`ok` happened, `fail` certainly did not, `info` is unknown",
    };
    Fault::new(at, format!("the type `{}` is none of `invoke`, `ok`, `fail` and `info`", short(name)), help)
}

/// What to do where JSON was expected, and this was found instead.
#[cold]
pub(super) fn no_json(before: &str, found: &str) -> &'static str {
    let begins = |words: &[&str]| words.iter().any(|word| found.starts_with(word));
    let last = before.trim_end().chars().next_back();
    if begins(&["NaN", "Infinity", "-Infinity"]) {
        "JSON has no such number: write null, or a string"
    } else if begins(&["True", "False", "None"]) {
        "JSON writes true, false and null: write the record with a JSON library"
    } else if begins(&["//", "/*", "#"]) {
        "JSON has no comments: remove this"
    } else if begins(&["'"]) {
        "JSON has double quotes: write the record with a JSON library"
    } else if begins(&["}", "]"]) && last == Some(',') {
        "JSON has no comma behind the last element: remove it"
    } else if begins(&[","]) {
        "records one a line have no commas between them; a list of records stands in [ and ]"
    } else if begins(&["{", "["]) && matches!(last, Some('}' | ']')) {
        "put a comma between the elements of a list, or write one record a line, without the brackets around them"
    } else if begins(&[":", "{:"]) && before.trim_start().len() < 3 {
        "for EDN, say `--input-format edn`"
    } else {
        "the file is no JSON from here on: check what wrote it"
    }
}

/// At most forty characters of it.
fn short(text: &str) -> String {
    let mut short: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}
