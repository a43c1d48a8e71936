//! The vocabulary `counter`: amounts that are added up, in one counter or in many by `key`.
//!
//! | `f` | value |
//! |---|---|
//! | `add` | the amount, an integer; less than 0 takes away |
//! | `inc`, `dec` | how much more or less, 1 unless said |
//! | `read` | on `ok`, the sum |
//!
//! Every counter is 0 at first. Jepsen's `counter` and Maelstrom's `g-counter` and `pn-counter` histories are of this vocabulary.

use super::{Act, Objects, argument, gather, stranger, unfit};
use crate::history::{History, Operation, Status, Value};
use crate::workload::WorkloadError;

/// One counter.
#[derive(Debug)]
pub struct Counter {
    /// Its name; absent where the history has one counter only.
    pub name: Value,
    /// What was added, in order of invocation: never 0, for that changes nothing and nobody can see it.
    pub updates: Vec<Update>,
    /// In order of invocation.
    pub reads: Vec<Read>,
}

/// An addition.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// When, and by whom.
    pub act: Act,
    /// How much.
    pub amount: i64,
}

/// A read.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// When, and by whom.
    pub act: Act,
    /// What it showed.
    pub sum: i64,
}

impl Counter {
    fn take(&mut self, history: &History, act: Act, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let values = history.values();
        let f = values.as_str(op.f()).unwrap_or("");
        match f {
            "add" | "inc" | "dec" => {
                // What an increment returns is no amount: many return the new sum.
                let said = if f == "add" || op.argument().is_absent() { argument(op) } else { op.argument() };
                let amount = match values.as_int(said) {
                    Some(amount) if f == "dec" => amount.checked_neg(),
                    None if said.is_null() && f == "inc" => Some(1),
                    None if said.is_null() && f == "dec" => Some(-1),
                    amount => amount,
                };
                match amount {
                    Some(0) => {}
                    Some(amount) => self.updates.push(Update { act, amount }),
                    None if said.is_null() && act.status == Status::Fail => {}
                    None => return Err(unfit(history, op, said, NO_AMOUNT)),
                }
            }
            "read" if act.status != Status::Ok => {}
            "read" => match values.as_int(op.result()) {
                Some(sum) => self.reads.push(Read { act, sum }),
                None => return Err(unfit(history, op, op.result(), NO_SUM)),
            },
            _ => return Err(stranger(history, op, "counter", "`add`, `inc`, `dec` and `read`")),
        }
        Ok(())
    }
}

const NO_AMOUNT: &str = "a counter's amounts are integers of 64 bits: give the invocation of every `add` its own";
const NO_SUM: &str =
    "the `ok` of a `read` is an integer of 64 bits; a read whose result is not known is `info` or `fail`";

/// The counters of a history.
///
/// # Errors
/// The first operation that is none of this vocabulary, or does not say enough to be judged.
pub fn from_history(history: &History) -> Result<Objects<Counter>, WorkloadError> {
    let named = |name| Counter { name, updates: Vec::new(), reads: Vec::new() };
    gather(history, named, |counter, act, op| counter.take(history, act, op))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Options, Source, read};

    fn counters(lines: &str) -> Result<Objects<Counter>, WorkloadError> {
        let source = Source::Bytes { name: "test".to_owned(), bytes: lines.into() };
        from_history(&read(source, &Options::default()).expect("a history"))
    }

    /// Goal: each way to say an amount is understood, and what is no amount is refused with what to write instead.
    #[test]
    fn amounts_are_read() {
        let lines = r#"{"type":"ok","process":0,"f":"add","value":3}
{"type":"ok","process":0,"f":"inc"}
{"type":"ok","process":0,"f":"dec"}
{"type":"ok","process":0,"f":"dec","value":5}
{"type":"ok","process":0,"f":"add","value":0}
{"type":"ok","process":0,"f":"read","value":-2}"#;
        let read = counters(lines).expect("counters");
        let amounts: Vec<i64> = read.keys[0].updates.iter().map(|update| update.amount).collect();
        assert_eq!((&amounts[..], read.keys[0].reads[0].sum), (&[3, 1, -1, -5][..], -2));
        for (line, help) in [
            (r#"{"type":"ok","process":0,"f":"add","value":"x"}"#, "integers of 64 bits"),
            (r#"{"type":"ok","process":0,"f":"dec","value":-9223372036854775808}"#, "integers of 64 bits"),
            (r#"{"type":"ok","process":0,"f":"read","value":null}"#, "`info` or `fail`"),
        ] {
            let error = counters(line).expect_err(line);
            assert!(error.position == Some(0) && error.help.contains(help), "{error:?}");
        }
    }
}
