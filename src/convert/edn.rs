//! JSON text to EDN text, token by token: numbers of any size and text of any depth come through as they are.
//!
//! Names become keywords as Jepsen writes them: keys that are plain names, the values of `type` and `f`, and the first item
//! of a micro-operation. Readers that give keywords and strings one meaning (as anachron's does) find the same history.

/// One valid JSON document as EDN.
pub(super) fn from_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    // For each open container: whether it is an object, and how many items it has begun.
    let mut open: Vec<(bool, usize)> = Vec::new();
    let mut last_key = "";
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let mut used = c.len_utf8();
        match c {
            '{' | '[' => {
                item(&mut open);
                out.push(c);
                open.push((c == '{', 0));
            }
            '}' | ']' => {
                open.pop();
                out.push(c);
            }
            ',' => {
                out.push_str(if open.last().is_some_and(|(object, _)| *object) { ", " } else { " " });
            }
            ':' => out.push(' '),
            '"' => {
                used = string_end(rest);
                let literal = &rest[..used];
                let name = &literal[1..used.max(2) - 1];
                let is_key = open.last().is_some_and(|(object, _)| *object) && is_key(&rest[used..]);
                item(&mut open);
                let names = matches!(open.as_slice(), [(true, _)]) && matches!(last_key, "type" | "f" | "error");
                let micro = matches!(open.as_slice(), [(true, _), (false, _), (false, 1)]) && last_key == "value";
                if (is_key || names || micro) && is_name(name) {
                    out.push(':');
                    out.push_str(name);
                } else {
                    escape(literal, &mut out);
                }
                if is_key && open.len() == 1 {
                    last_key = name;
                }
            }
            c if c.is_ascii_whitespace() => {}
            _ => {
                used =
                    rest.find(|c: char| matches!(c, ',' | ']' | '}') || c.is_ascii_whitespace()).unwrap_or(rest.len());
                item(&mut open);
                match &rest[..used] {
                    "null" => out.push_str("nil"),
                    number => number_text(number, &mut out),
                }
            }
        }
        rest = &rest[used..];
    }
    out
}

fn item(open: &mut [(bool, usize)]) {
    if let Some((_, items)) = open.last_mut() {
        *items += 1;
    }
}

fn is_key(rest: &str) -> bool {
    rest.trim_start().starts_with(':')
}

/// The length of the string literal that `text` begins with, its quotes included.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'?' | b'!'))
}

/// EDN knows no `\/` and no surrogate pairs in `\u`: such characters are written as themselves.
fn escape(literal: &str, out: &mut String) {
    match serde_json::from_str::<String>(literal) {
        Ok(text) => {
            out.push('"');
            for c in text.chars() {
                match c {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                    c => out.push(c),
                }
            }
            out.push('"');
        }
        Err(_) => out.push_str(literal),
    }
}

/// Integers beyond 64 bits carry an `N` in EDN.
fn number_text(number: &str, out: &mut String) {
    out.push_str(number);
    let is_integer = number.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if is_integer && number.parse::<i64>().is_err() {
        out.push('N');
    }
}

#[cfg(test)]
mod tests {
    use super::from_json;

    /// Goal: a record comes out as Jepsen writes it, and what is no name stays a string.
    #[test]
    fn records_look_like_jepsens() {
        let json = r#"{"index":0,"type":"ok","f":"txn","value":[["append","x y",123456789012345678901],["r","k",[1,null]]],"error":"timeout","node":"n1","m":{"0":1.5e3,"ab":"\u00e9\/\ud83d\ude00\u0001"}}"#;
        let edn = r#"{:index 0, :type :ok, :f :txn, :value [[:append "x y" 123456789012345678901N] [:r "k" [1 nil]]], :error :timeout, :node "n1", :m {"0" 1.5e3, :ab "é/😀\u0001"}}"#;
        assert_eq!(from_json(json), edn);
        assert_eq!(from_json("[]"), "[]");
    }
}
