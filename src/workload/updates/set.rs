//! The vocabulary `set`: elements that are added and removed, of one set or of many by `key`.
//!
//! | `f` | value |
//! |---|---|
//! | `add` | the element; a result of true or false says whether it was new |
//! | `remove`, `del` | the element; a result of true or false says whether it was there |
//! | `contains` | the element; on `ok`, whether it was there |
//! | `read` | on `ok`, a list of all elements (or a set, in EDN) |
//!
//! Every set is empty at first. Jepsen's and Maelstrom's `set`, `set-full` and `g-set` histories are of this vocabulary.
//!
//! Elements are numbered within their set; an element that is only ever read has a number too. A `contains` is a read of one
//! element.

use hashbrown::HashMap;

use super::{Act, NONE, Objects, argument, gather, stranger, unfit};
use crate::history::{Compound, History, Operation, Status, Value, View};
use crate::workload::WorkloadError;

/// One set.
#[derive(Debug)]
pub struct Set {
    /// Its name; absent where the history has one set only.
    pub name: Value,
    /// The elements.
    pub elements: Vec<Value>,
    /// In order of invocation.
    pub updates: Vec<Update>,
    /// In order of invocation.
    pub reads: Vec<Read>,
    /// The elements that reads show, read after read, each once and ascending.
    shown: Vec<u32>,
    numbers: HashMap<Value, u32, foldhash::fast::RandomState>,
}

/// An addition or a removal.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// When, and by whom.
    pub act: Act,
    /// The element's number.
    pub element: u32,
    /// Whether it adds; else it removes.
    pub adds: bool,
    /// Whether it says that it changed anything.
    pub changed: Option<bool>,
}

/// A read of the whole set, or of one element.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// When, and by whom.
    pub act: Act,
    /// The one element that it asked for; [`NONE`] where it shows all.
    pub asked: u32,
    /// Where what it shows begins and ends.
    from: usize,
    to: usize,
    /// How many times more than once it listed elements.
    pub repeated: u32,
}

impl Read {
    /// Whether it says of this element whether it was there.
    #[must_use]
    pub fn tells_of(&self, element: u32) -> bool {
        self.asked == NONE || self.asked == element
    }
}

impl Set {
    fn new(name: Value) -> Set {
        Set {
            name,
            elements: Vec::new(),
            updates: Vec::new(),
            reads: Vec::new(),
            shown: Vec::new(),
            numbers: HashMap::default(),
        }
    }

    /// The elements that a read shows, ascending.
    #[must_use]
    pub fn shown(&self, read: &Read) -> &[u32] {
        &self.shown[read.from..read.to]
    }

    /// Whether a read shows an element.
    #[must_use]
    pub fn shows(&self, read: &Read, element: u32) -> bool {
        self.shown(read).binary_search(&element).is_ok()
    }

    fn number(&mut self, element: Value) -> u32 {
        let next = u32::try_from(self.elements.len()).unwrap_or(NONE);
        *self.numbers.entry(element).or_insert_with(|| {
            self.elements.push(element);
            next
        })
    }

    fn take(&mut self, history: &History, act: Act, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let f = history.values().as_str(op.f()).unwrap_or("");
        match f {
            "add" | "remove" | "del" => {
                let element = argument(op);
                if element.is_null() {
                    // What failed without a word can't be seen either.
                    let silent = act.status == Status::Fail;
                    return if silent { Ok(()) } else { Err(unfit(history, op, element, NO_ELEMENT)) };
                }
                let said = if op.argument().is_null() { Value::NULL } else { op.result() };
                let changed = match said {
                    Value::TRUE | Value::FALSE if act.status == Status::Ok && said != element => {
                        Some(said == Value::TRUE)
                    }
                    _ => None,
                };
                let element = self.number(element);
                self.updates.push(Update { act, element, adds: f == "add", changed });
            }
            "read" | "contains" if act.status != Status::Ok => {}
            "read" => {
                let list = op.result();
                let kind = history.values().view(list);
                if !matches!(kind, View::Compound(Compound::List | Compound::Set)) {
                    return Err(unfit(history, op, list, NO_LIST));
                }
                let from = self.shown.len();
                for element in history.values().items(list) {
                    let number = self.number(element);
                    self.shown.push(number);
                }
                self.shown[from..].sort_unstable();
                let listed = self.shown.len();
                let mut to = from;
                for at in from..listed {
                    if at == from || self.shown[at] != self.shown[at - 1] {
                        self.shown[to] = self.shown[at];
                        to += 1;
                    }
                }
                self.shown.truncate(to);
                let repeated = u32::try_from(listed - to).unwrap_or(u32::MAX);
                self.reads.push(Read { act, asked: NONE, from, to, repeated });
            }
            "contains" => {
                let (element, answer) = (op.argument(), op.result());
                if element.is_null() || !matches!(answer, Value::TRUE | Value::FALSE) {
                    let value = if element.is_null() { element } else { answer };
                    return Err(unfit(history, op, value, NO_ANSWER));
                }
                let element = self.number(element);
                let from = self.shown.len();
                self.shown.extend((answer == Value::TRUE).then_some(element));
                self.reads.push(Read { act, asked: element, from, to: self.shown.len(), repeated: 0 });
            }
            _ => return Err(stranger(history, op, "set", "`add`, `remove`, `contains` and `read`")),
        }
        Ok(())
    }
}

const NO_ELEMENT: &str = "give the invocation of every `add` and `remove` its element";
const NO_LIST: &str = "the `ok` of a `read` is a list of all elements, [] where there is none; a read whose result is not known is \
                       `info` or `fail`";
const NO_ANSWER: &str = "the invocation of a `contains` has the element, and its `ok` true or false";

/// The sets of a history.
///
/// # Errors
/// The first operation that is none of this vocabulary, or does not say enough to be judged.
pub fn from_history(history: &History) -> Result<Objects<Set>, WorkloadError> {
    gather(history, Set::new, |set, act, op| set.take(history, act, op))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Options, Source, read};

    fn sets(lines: &str) -> Result<Objects<Set>, WorkloadError> {
        let source = Source::Bytes { name: "test".to_owned(), bytes: lines.into() };
        from_history(&read(source, &Options::default()).expect("a history"))
    }

    /// Goal: elements have one number however they are met, what a read lists twice is counted and shown once, and what an
    /// operation said of its effect is kept.
    #[test]
    fn sets_are_read() {
        let sets = sets(
            r#"{"type":"invoke","process":0,"f":"add","value":"a"}
{"type":"ok","process":0,"f":"add","value":true}
{"type":"invoke","process":0,"f":"contains","value":"a"}
{"type":"ok","process":0,"f":"contains","value":false}
{"type":"ok","process":0,"f":"read","value":["b","a","b"]}
{"type":"invoke","process":0,"f":"remove","value":"b"}
{"type":"info","process":0,"f":"remove","value":"b"}
{"type":"fail","process":1,"f":"read"}"#,
        );
        let sets = sets.expect("sets");
        let set = &sets.keys[0];
        assert_eq!((set.elements.len(), set.updates.len(), set.reads.len()), (2, 2, 2));
        assert_eq!((set.updates[0].changed, set.updates[1].changed), (Some(true), None));
        assert_eq!((set.shown(&set.reads[0]), set.shown(&set.reads[1])), (&[][..], &[0, 1][..]));
        assert_eq!((set.reads[0].asked, set.reads[1].repeated), (0, 1));
    }

    /// Goal: what says too little is refused with the record and what to write instead.
    #[test]
    fn what_is_no_set_is_refused() {
        for (line, help) in [
            (r#"{"type":"ok","process":0,"f":"add"}"#, "its element"),
            (r#"{"type":"ok","process":0,"f":"read","value":3}"#, "a list of all elements"),
            (r#"{"type":"ok","process":0,"f":"contains","value":true}"#, "true or false"),
            (r#"{"type":"ok","process":0,"f":"pop","value":1}"#, "`remove`"),
        ] {
            let error = sets(line).expect_err(line);
            assert!(error.position == Some(0) && error.help.contains(help), "{error:?}");
        }
    }
}
