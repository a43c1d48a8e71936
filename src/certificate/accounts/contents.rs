//! When two payloads are one: written down with numbers as numbers, so that `500` and `500.0` read alike.

use std::collections::HashMap;

use crate::history::{Compound, Value, Values, View};

/// Numbers for payloads, the same for equal ones.
#[derive(Default)]
pub(super) struct Contents {
    of: HashMap<Value, u32>,
    by_text: HashMap<String, u32>,
}

impl Contents {
    /// The number of a payload.
    pub(super) fn number(&mut self, values: &Values, payload: Value) -> u32 {
        if let Some(number) = self.of.get(&payload) {
            return *number;
        }
        let next = u32::try_from(self.by_text.len()).unwrap_or(u32::MAX);
        let number = *self.by_text.entry(text(values, payload)).or_insert(next);
        self.of.insert(payload, number);
        number
    }
}

/// A text that all equal payloads have, and no others.
fn text(values: &Values, payload: Value) -> String {
    let mut out = String::new();
    let mut rest = vec![Ok(payload)];
    while let Some(next) = rest.pop() {
        let value = match next {
            Ok(value) => value,
            Err(end) => {
                out.push(end);
                continue;
            }
        };
        match values.view(value) {
            View::Compound(kind) => {
                let (begin, end) = match kind {
                    Compound::List => ('[', ']'),
                    Compound::Map => ('{', '}'),
                    Compound::Set => ('<', '>'),
                    Compound::Tagged => ('(', ')'),
                };
                out.push(begin);
                rest.push(Err(end));
                rest.extend(values.items(value).into_iter().rev().map(Ok));
            }
            View::Float(float) if float.is_finite() && float.fract() == 0.0 => {
                // Without the sign of a zero.
                out.push_str(&format!("{:.0},", float + 0.0));
            }
            View::BigInt(digits) => out.push_str(&format!("{digits},")),
            View::Absent => out.push_str("null,"),
            _ => out.push_str(&format!("{},", values.json(value, usize::MAX))),
        }
    }
    out
}
