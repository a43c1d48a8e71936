//! When two payloads are one: inside a payload numbers compare as numbers, so that `1`, `1.0` and `1e0` are equal there.
//!
//! A payload's *class* is the same number exactly for equal payloads. It is found by writing the payload down in one
//! canonical form; each distinct payload is written once. Cost: linear in the text of the distinct payloads.

use hashbrown::HashMap;

use crate::history::{Compound, Value, Values, View, escape_json};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Classes of equal payloads.
#[derive(Debug, Default)]
pub struct Payloads {
    by_handle: Map<Value, u32>,
    by_text: Map<String, u32>,
}

impl Payloads {
    /// The class of this payload.
    pub fn class(&mut self, values: &Values, payload: Value) -> u32 {
        if let Some(class) = self.by_handle.get(&payload) {
            return *class;
        }
        let next = u32::try_from(self.by_text.len()).unwrap_or(u32::MAX);
        let class = *self.by_text.entry(canonical(values, payload)).or_insert(next);
        self.by_handle.insert(payload, class);
        class
    }
}

/// The one text of all payloads that are equal to this one.
fn canonical(values: &Values, payload: Value) -> String {
    let mut out = String::new();
    let mut stack = vec![Some(payload)];
    while let Some(item) = stack.pop() {
        let Some(value) = item else {
            out.push(')');
            continue;
        };
        match values.view(value) {
            View::Absent | View::Null => out.push_str("null"),
            View::Bool(bool) => out.push_str(if bool { "true" } else { "false" }),
            View::Int(int) => out.push_str(&int.to_string()),
            View::BigInt(digits) => out.push_str(digits),
            // Rust writes every digit of a whole float, however large.
            View::Float(float) if float.is_finite() && float == float.trunc() => {
                out.push_str(&format!("{:.0}", float + 0.0));
            }
            View::Float(float) => out.push_str(&format!("{float:?}")),
            View::Str(text) => escape_json(text, &mut out),
            View::Compound(kind) => {
                out.push(match kind {
                    Compound::List => '[',
                    Compound::Map => '{',
                    Compound::Set => '<',
                    Compound::Tagged => '#',
                });
                out.push('(');
                stack.push(None);
                stack.extend(values.items(value).into_iter().rev().map(Some));
                continue;
            }
        }
        out.push(' ');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Interner;

    /// Goal: numbers compare as numbers at any depth, and nothing else becomes equal.
    #[test]
    fn numbers_compare_as_numbers() {
        let mut interner = Interner::new();
        let (int, float, text) = (interner.int(500), interner.float(500.0), interner.string("500"));
        let (half, big) = (interner.float(0.5), interner.integer_text("100000000000000000000"));
        let big_float = interner.float(1e20);
        let amount = interner.string("amount");
        let nested = |interner: &mut Interner, value| {
            let list = interner.list(&[value, text]);
            interner.map(&[(amount, list)]).expect("one key")
        };
        let (a, b) = (nested(&mut interner, int), nested(&mut interner, float));
        let c = nested(&mut interner, text);
        let (flat, deep) = (interner.list(&[int, int]), interner.list(&[int]));
        let deep = interner.list(&[deep, int]);
        let values = interner.finish();
        let mut payloads = Payloads::default();
        let mut class = |value| payloads.class(&values, value);
        assert_eq!(class(int), class(float));
        assert_eq!(class(big), class(big_float));
        assert_eq!(class(a), class(b));
        let all = [int, text, half, big, a, c, flat, deep, Value::NULL, Value::TRUE];
        let classes: std::collections::BTreeSet<u32> = all.into_iter().map(class).collect();
        assert_eq!(classes.len(), all.len());
    }
}
