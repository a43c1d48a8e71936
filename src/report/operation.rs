//! An operation as a person reads it: `append x 1; read y [1 2]`.
//!
//! Everything here is bounded: a list of a hundred thousand elements is shown by its ends and by the elements that the
//! witness is about.

use hashbrown::HashSet;

use super::text::{self, clean};
use crate::history::{Compound, History, MicroOp, Observation, Operation, Status, Value, Values, View};

/// An operation of a witness, or an observer's record, in words.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct OperationView {
    /// What the witness calls it: `T1`.
    pub(super) name: String,
    /// Its position, by which steps name it.
    pub(super) position: u32,
    /// Who acted.
    #[serde(skip)]
    pub(super) process: String,
    /// The session, where it is not the process.
    #[serde(skip)]
    pub(super) session: Option<String>,
    /// The server that it contacted, where that is known.
    #[serde(skip)]
    pub(super) node: Option<String>,
    /// `ok`, `fail`, `info`, `no completion` or `observed`.
    #[serde(skip)]
    pub(super) status: &'static str,
    /// The positions of its records.
    #[serde(skip)]
    pub(super) records: Vec<u32>,
    /// When it was invoked (or seen), in nanoseconds of the history's clock, where known.
    #[serde(skip)]
    pub(super) invoked_ns: Option<i64>,
    /// When it completed, in nanoseconds of the history's clock, where known.
    #[serde(skip)]
    pub(super) completed_ns: Option<i64>,
    /// What it did.
    pub(super) does: String,
}

/// Keys with the values that a witness is about: long lists keep these.
pub(super) type Relevant = HashSet<(Value, Value), foldhash::fast::RandomState>;

/// What an operation writes, as far as a list of its key can show it.
pub(super) fn written(op: &Operation<'_>, values: &Values, relevant: &mut Relevant) {
    for mop in op.mops().iter().filter(|mop| !is_read(values, mop.f)) {
        relevant.insert((mop.key, mop.value));
    }
    if op.mops().is_empty() && !op.argument().is_null() {
        relevant.insert((op.key(), op.argument()));
    }
}

/// An operation in words.
pub(super) fn view(history: &History, op: &Operation<'_>, name: &str, relevant: &Relevant) -> OperationView {
    let values = history.values();
    let process = history.process_name(op.process());
    let status = match (op.completed(), op.status()) {
        (None, _) => "no completion",
        (_, Status::Ok) => "ok",
        (_, Status::Fail) => "fail",
        (_, Status::Info) => "info",
    };
    OperationView {
        name: name.to_owned(),
        position: op.position(),
        process: self::name(values, process, 40),
        session: Some(op.session())
            .filter(|session| *session != process)
            .map(|session| self::name(values, session, 40)),
        node: Some(op.node()).filter(|node| !node.is_null()).map(|node| self::name(values, node, 40)),
        status,
        records: op.invoked().into_iter().chain(op.completed()).collect(),
        invoked_ns: op.invoked_time(),
        completed_ns: op.completed_time(),
        does: does(values, op, relevant),
    }
}

/// An observer's record in words.
pub(super) fn observed(history: &History, seen: &Observation, name: &str) -> OperationView {
    let values = history.values();
    let about = [seen.key, seen.value];
    let about = about.iter().filter(|word| !word.is_null()).map(|word| short(values, *word, 120));
    let words = Some(self::name(values, seen.f, 40)).filter(|_| !seen.f.is_null()).into_iter().chain(about);
    OperationView {
        name: name.to_owned(),
        position: seen.position,
        process: self::name(values, history.process_name(seen.process), 40),
        session: None,
        node: Some(seen.node).filter(|node| !node.is_null()).map(|node| self::name(values, node, 40)),
        status: "observed",
        records: vec![seen.position],
        invoked_ns: Some(seen.time).filter(|time| *time != History::NO_TIME),
        completed_ns: None,
        does: words.collect::<Vec<_>>().join(" "),
    }
}

pub(super) fn does(values: &Values, op: &Operation<'_>, relevant: &Relevant) -> String {
    /// A transaction of more micro-operations than this shows its ends.
    const MOST: usize = 24;
    let ok = op.status() == Status::Ok;
    if !op.mops().is_empty() {
        let mops = op.mops();
        let left_out = mops.len().saturating_sub(MOST);
        let (head, tail) = if left_out == 0 { (mops, &mops[..0]) } else { (&mops[..16], &mops[mops.len() - 8..]) };
        let mut words: Vec<String> = head.iter().map(|mop| micro(values, mop, ok, relevant)).collect();
        if left_out > 0 {
            words.push(format!("… {left_out} more …"));
            words.extend(tail.iter().map(|mop| micro(values, mop, ok, relevant)));
        }
        return words.join("; ");
    }
    let mut words = vec![name(values, op.f(), 40)];
    if !op.key().is_null() {
        words.push(short(values, op.key(), 60));
    }
    if !op.argument().is_null() {
        words.push(listed(values, op.key(), op.argument(), relevant));
    }
    // A write's result usually repeats its argument; a read that found nothing says so.
    let repeats = op.result() == op.argument() && !op.argument().is_null();
    if ok && !repeats && !op.result().is_absent() {
        words.push("→".to_owned());
        words.push(listed(values, op.key(), op.result(), relevant));
    }
    words.join(" ")
}

fn micro(values: &Values, mop: &MicroOp, ok: bool, relevant: &Relevant) -> String {
    let f = match values.as_str(mop.f) {
        Some("r") => "read".to_owned(),
        Some("w") => "write".to_owned(),
        _ => name(values, mop.f, 40),
    };
    let mut words = vec![f];
    if !mop.key.is_absent() {
        words.push(short(values, mop.key, 60));
    }
    if is_read(values, mop.f) && !ok {
        words.push("?".to_owned());
    } else if !mop.value.is_absent() {
        words.push(listed(values, mop.key, mop.value, relevant));
    }
    words.join(" ")
}

fn is_read(values: &Values, f: Value) -> bool {
    matches!(values.as_str(f), Some("r" | "read"))
}

/// A value where a list keeps its first two elements, its last three, and what is relevant with its neighbours.
fn listed(values: &Values, key: Value, value: Value, relevant: &Relevant) -> String {
    const SHOWN_WHOLE: usize = 12;
    const MOST_RELEVANT: usize = 6;
    if !value.is_list() || values.len(value) <= SHOWN_WHOLE {
        return short(values, value, 160);
    }
    let items = values.items(value);
    let mut shown: Vec<usize> = vec![0, 1, items.len() - 3, items.len() - 2, items.len() - 1];
    let found = items.iter().enumerate().filter(|(_, item)| relevant.contains(&(key, **item)));
    for (at, _) in found.take(MOST_RELEVANT) {
        shown.extend([at.saturating_sub(1), at, (at + 1).min(items.len() - 1)]);
    }
    shown.sort_unstable();
    shown.dedup();
    let mut out = String::from("[");
    let mut next = 0;
    for at in shown {
        if at > 0 {
            out.push(' ');
        }
        if at > next {
            out.push_str("… ");
        }
        out.push_str(&short(values, items[at], 40));
        next = at + 1;
    }
    out.push_str(&format!("] ({} elements)", items.len()));
    out
}

/// A value in at most about `most` characters: words without quotes where that can't be misread, lists with spaces.
pub(super) fn short(values: &Values, value: Value, most: usize) -> String {
    shown(values, value, most, true)
}

/// The same for what is never hidden: who acted, and how.
pub(super) fn name(values: &Values, value: Value, most: usize) -> String {
    shown(values, value, most, false)
}

fn shown(values: &Values, value: Value, most: usize, hides: bool) -> String {
    enum Task {
        Value(Value),
        Text(&'static str),
    }
    let mut out = String::new();
    let mut stack = vec![Task::Value(value)];
    while let Some(task) = stack.pop() {
        if out.len() > most {
            // The stack is at most as deep as what was opened: all that is missing is after this point.
            out.push('…');
            break;
        }
        let value = match task {
            Task::Text(text) => {
                out.push_str(text);
                continue;
            }
            Task::Value(value) => value,
        };
        if let Some(placeholder) = values.placeholder(value).filter(|_| hides) {
            out.push_str(&placeholder);
            continue;
        }
        match values.view(value) {
            View::Str(text) => out.push_str(&text::shorten(&word(text), most)),
            View::Compound(kind) => {
                let items = values.items(value);
                let (open, close) = match kind {
                    Compound::List => ("[", "]"),
                    Compound::Map => ("{", "}"),
                    Compound::Set => ("#{", "}"),
                    Compound::Tagged => ("#", ""),
                };
                out.push_str(open);
                stack.push(Task::Text(close));
                // An item takes a character or more: those beyond `most` can't be shown.
                for (at, item) in items.iter().enumerate().take(most + 1).rev() {
                    stack.push(Task::Value(*item));
                    if at > 0 {
                        stack.push(Task::Text(match kind {
                            Compound::Map if at % 2 == 1 => ": ",
                            Compound::Map => ", ",
                            _ => " ",
                        }));
                    }
                }
            }
            View::Absent => {}
            _ if hides => out.push_str(&values.json(value, most)),
            _ => out.push_str(&values.plain_json(value, most)),
        }
    }
    out
}

/// A string without quotes where it can't be taken for anything else.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '+' | '*' | '$');
    let other = matches!(text, "null" | "true" | "false") || text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if !text.is_empty() && !other && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("\"{}\"", clean(&text.replace('\\', "\\\\").replace('"', "\\\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Interner;

    /// Goal: a long list keeps its ends and what the witness is about; a short one is whole.
    #[test]
    fn long_lists_keep_what_matters() {
        let mut interner = Interner::new();
        let small = |int: i64| Value::small(int).expect("a small integer");
        let key = interner.string("x");
        let items: Vec<Value> = (1..=100).map(small).collect();
        let (list, short_list) = (interner.list(&items), interner.list(&items[..12]));
        let mut relevant = Relevant::default();
        let values = interner.values();
        assert_eq!(listed(values, key, list, &relevant), "[1 2 … 98 99 100] (100 elements)");
        relevant.insert((key, small(42)));
        relevant.insert((key, small(3)));
        relevant.insert((small(1), small(77)));
        assert_eq!(listed(values, key, list, &relevant), "[1 2 3 4 … 41 42 43 … 98 99 100] (100 elements)");
        assert_eq!(listed(values, key, short_list, &relevant), "[1 2 3 4 5 6 7 8 9 10 11 12]");
    }

    /// Goal: a word has quotes where it could be taken for something else, and nothing is as deep as its input.
    #[test]
    fn values_read_as_words() {
        let mut interner = Interner::new();
        for (text, shown) in [
            ("k-17", "k-17"),
            ("POST /payments", "\"POST /payments\""),
            ("17", "\"17\""),
            ("null", "\"null\""),
            ("", "\"\""),
            ("a\"b\\c\u{1b}", "\"a\\\"b\\\\c\\u{1b}\""),
        ] {
            let value = interner.string(text);
            assert_eq!(short(interner.values(), value, 80), shown);
        }
        let mut deep = Value::EMPTY_LIST;
        for _ in 0..200_000 {
            deep = interner.list(&[deep]);
        }
        assert_eq!(short(interner.values(), deep, 5), "[[[[[[…");
        let entries = [(interner.string("a"), Value::NULL), (interner.string("b"), Value::TRUE)];
        let map = interner.map(&entries).expect("distinct keys");
        assert_eq!(short(interner.values(), map, 80), "{a: null, b: true}");
    }
}
