//! How operations and values of one object are told.

use super::strings::Strings;
use crate::history::{History, Value};
use crate::witness::objects::Deed;
use crate::workload::register::{Action, Key};

/// How long a value's text may get.
const VALUE_TEXT: usize = 80;

/// The words of a register, or of a string that grows.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) history: &'a History,
    pub(super) is_kv: bool,
    /// The states of a string, where values are these.
    pub(super) strings: Option<&'a Strings>,
}

impl Words<'_> {
    /// A value as a person reads it.
    pub(super) fn text(&self, value: Value) -> String {
        let values = self.history.values();
        match self.strings {
            Some(strings) => strings.text(values, value, VALUE_TEXT),
            None => values.json(value, VALUE_TEXT),
        }
    }

    /// What an operation of the key did.
    pub(super) fn deed(&self, key: &Key<'_>, op: u32) -> Deed {
        let at = op as usize;
        if self.is_kv {
            return self.deed_of_string(key, at);
        }
        let value = self.text(key.value[at]);
        match key.action[at] {
            Action::Read => Deed { letter: 'R', did: format!("read {value}"), meant: "read".to_owned() },
            Action::Write => Deed { letter: 'W', did: format!("wrote {value}"), meant: format!("write {value}") },
            Action::Cas => {
                let old = key.expected.get(at).map_or_else(String::new, |old| self.text(*old));
                let (did, meant) = (format!("replaced {old} by {value}"), format!("replace {old} by {value}"));
                Deed { letter: 'C', did, meant }
            }
        }
    }

    fn deed_of_string(&self, key: &Key<'_>, at: usize) -> Deed {
        let values = self.history.values();
        let op = self.history.op(key.op[at]);
        let given = if op.argument().is_null() { op.result() } else { op.argument() };
        let text = values.json(given, VALUE_TEXT);
        match (key.action[at], values.as_str(op.f())) {
            (Action::Read, _) => {
                Deed { letter: 'G', did: format!("got {}", self.text(key.value[at])), meant: "get".to_owned() }
            }
            (_, Some("put")) => Deed { letter: 'P', did: format!("put {text}"), meant: format!("put {text}") },
            (Action::Write, _) => {
                Deed { letter: 'A', did: format!("appended {text}"), meant: format!("append {text}") }
            }
            (Action::Cas, _) => {
                let old = key.expected.get(at).filter(|_| self.strings.is_some());
                let old = old.map_or_else(String::new, |old| format!(" to {}", self.text(*old)));
                Deed { letter: 'A', did: format!("appended {text}{old}"), meant: format!("append {text}") }
            }
        }
    }
}
