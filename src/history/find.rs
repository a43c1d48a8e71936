//! Values by their JSON, for documents that name one.

use serde_json::Value as Json;

use super::value::ATOM;
use super::{History, Value, Values, View};

impl Values {
    /// The scalar of this history that JSON shows so; nothing where it has none, or where it is compound. Cost: a pass over the
    /// scalars.
    #[must_use]
    pub fn named(&self, json: &Json) -> Option<Value> {
        match json {
            Json::Null => return Some(Value::NULL),
            Json::Bool(is) => return Some(if *is { Value::TRUE } else { Value::FALSE }),
            Json::Array(_) | Json::Object(_) => return None,
            Json::Number(number) => {
                if let Some(small) = number.as_i64().and_then(Value::small) {
                    return Some(small);
                }
            }
            Json::String(_) => {}
        }
        let mut atoms = (0..u32::try_from(self.atoms.len()).ok()?).map(|at| Value(ATOM | at));
        atoms.find(|value| match (json, self.view(*value)) {
            (Json::String(text), View::Str(known)) => text == known,
            (Json::Number(number), View::Int(_) | View::BigInt(_) | View::Float(_)) => {
                self.plain_json(*value, usize::MAX) == number.to_string()
            }
            _ => false,
        })
    }
}

impl History {
    /// Whether its values are hidden: see [`History::redact`].
    #[must_use]
    pub fn is_redacted(&self) -> bool {
        self.values.hidden.is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::history::Interner;

    /// Goal: what was interned is found by its JSON, a number and the string of its digits apart; what was not is not.
    #[test]
    fn a_scalar_is_found_by_its_json() {
        let mut interner = Interner::new();
        let known = [interner.string("7"), interner.int(i64::MAX), interner.string("a b"), interner.float(0.5)];
        let list = interner.list(&known);
        let values = interner.finish();
        let found = [json!("7"), json!(i64::MAX), json!("a b"), json!(0.5)].map(|json| values.named(&json));
        assert_eq!(found, known.map(Some));
        assert_eq!(values.named(&json!(7)), Value::small(7));
        assert_eq!(values.named(&json!(null)), Some(Value::NULL));
        for absent in [json!("8"), json!(i64::MIN), json!([1]), json!(values.json(list, 100))] {
            assert_eq!(values.named(&absent), None, "{absent}");
        }
    }
}
