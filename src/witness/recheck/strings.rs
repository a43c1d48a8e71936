//! What the operations on one string found and left behind, read from the history alone: appended texts differ from each
//! other, so a get shows which of them made its string.
//!
//! A string is taken to pieces from its end: `rest` counts the ways in which each of its tails falls into appended texts.
//! Cost: the strings, times the number of different lengths of texts.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::objects::Act;
use crate::history::{History, OpId, Operation, Status, Value};

/// How many orders' beginnings are tried before giving up.
const STEPS: u32 = 2_000_000;

/// The state that a key begins in.
pub(super) const INITIAL: Value = Value::EMPTY_STRING;

/// Whether this is an operation of the vocabulary `kv`.
pub(super) fn is_of_strings(history: &History, op: &Operation<'_>) -> bool {
    matches!(history.values().as_str(op.f()), Some("get" | "put" | "append"))
}

fn text<'a>(history: &'a History, op: &Operation<'_>) -> &'a str {
    let value = if op.argument().is_null() { op.result() } else { op.argument() };
    history.values().as_str(value).unwrap_or_default()
}

struct Texts<'a> {
    appends: HashMap<&'a str, usize>,
    lengths: BTreeSet<usize>,
    wholes: BTreeSet<&'a str>,
}

impl<'a> Texts<'a> {
    /// Nothing where one text was appended twice.
    fn new(history: &'a History, ops: &[Operation<'_>], initial: Option<Value>, failed: bool) -> Option<Texts<'a>> {
        let first = initial.and_then(|initial| history.values().as_str(initial)).unwrap_or_default();
        let mut texts =
            Texts { appends: HashMap::new(), lengths: BTreeSet::new(), wholes: std::iter::once(first).collect() };
        for (number, op) in ops.iter().enumerate().filter(|(_, op)| failed || op.status() != Status::Fail) {
            let text = text(history, op);
            match history.values().as_str(op.f()) {
                Some("put") => _ = texts.wholes.insert(text),
                Some("append") if !text.is_empty() => {
                    texts.lengths.insert(text.len());
                    if texts.appends.insert(text, number).is_some() && !failed {
                        return None;
                    }
                }
                _ => {}
            }
        }
        Some(texts)
    }

    fn next(&self, string: &str, from: usize) -> impl Iterator<Item = (usize, usize)> {
        let fitting = self.lengths.iter().filter_map(move |length| {
            let number = self.appends.get(string.get(from..from + length)?)?;
            Some((*number, from + length))
        });
        fitting.collect::<Vec<_>>().into_iter()
    }

    /// For each tail of a string, in how many ways appended texts make it: none, one, or more.
    fn rest(&self, string: &str) -> Vec<u8> {
        let mut rest = vec![0u8; string.len() + 1];
        rest[string.len()] = 1;
        for from in (0..string.len()).rev() {
            let ways: u32 = self.next(string, from).map(|(_, then)| u32::from(rest[then])).sum();
            rest[from] = if ways > 1 { 2 } else { u8::from(ways == 1) };
        }
        rest
    }

    /// Where each append stands that made this string, and its number, where that is told.
    fn pieces(&self, string: &str) -> Option<(usize, Vec<(usize, usize)>)> {
        let rest = self.rest(string);
        let ways: u32 = self.beginnings(string).map(|whole| u32::from(rest[whole.len()])).sum();
        let head = self.beginnings(string).map(str::len).find(|head| ways == 1 && rest[*head] == 1)?;
        let (mut at, mut pieces) = (head, Vec::new());
        while at < string.len() {
            let (append, then) = self.next(string, at).find(|(_, then)| rest[*then] == 1)?;
            pieces.push((at, append));
            at = then;
        }
        Some((head, pieces))
    }

    fn beginnings<'s>(&'s self, string: &'s str) -> impl Iterator<Item = &'s str> {
        self.wholes.iter().copied().filter(move |whole| string.starts_with(*whole))
    }
}

/// What each operation found and left behind. Nothing where gets do not show it.
pub(super) fn acts(history: &History, ops: &[Operation<'_>], initial: Option<Value>) -> Option<Vec<Act>> {
    let texts = Texts::new(history, ops, Some(initial?), false)?;
    let first = history.values().as_str(initial?).unwrap_or_default();
    let mut count = 0;
    let mut fresh = || {
        count += 1;
        Value::small(count)
    };
    let mut heads: HashMap<&str, Value> = std::iter::once((first, INITIAL)).collect();
    for whole in &texts.wholes {
        if !heads.contains_key(whole) {
            heads.insert(whole, fresh()?);
        }
    }
    let mut states: HashMap<(Value, usize), Value> = HashMap::new();
    let mut appended: HashMap<usize, (Value, Value)> = HashMap::new();
    let mut seen: HashMap<&str, Value> = HashMap::new();
    for op in ops.iter().filter(|op| op.status() == Status::Ok && history.values().as_str(op.f()) == Some("get")) {
        let string = history.values().as_str(op.result()).unwrap_or_default();
        if seen.contains_key(string) {
            continue;
        }
        let state = match texts.pieces(string) {
            Some((head, pieces)) => {
                let mut state = *heads.get(&string[..head])?;
                for (_, append) in pieces {
                    let new = match states.get(&(state, append)) {
                        Some(known) => *known,
                        None => fresh()?,
                    };
                    states.insert((state, append), new);
                    appended.entry(append).or_insert((state, new));
                    state = new;
                }
                state
            }
            None => {
                let rest = texts.rest(string);
                if texts.beginnings(string).any(|whole| rest[whole.len()] > 0) {
                    return None;
                }
                fresh()?
            }
        };
        seen.insert(string, state);
    }
    let mut acts = Vec::with_capacity(ops.len());
    for (number, op) in ops.iter().enumerate() {
        let ok = op.status() == Status::Ok;
        let (observes, writes) = match history.values().as_str(op.f())? {
            "get" if ok => (seen.get(history.values().as_str(op.result()).unwrap_or_default()).copied(), None),
            "put" if op.status() != Status::Fail => (None, heads.get(text(history, op)).copied()),
            "append" if text(history, op).is_empty() => continue,
            "append" => match appended.get(&number) {
                Some((before, after)) => (Some(*before), Some(*after)),
                None => (None, Some(fresh()?)),
            },
            "put" => (None, Some(fresh()?)),
            _ => continue,
        };
        let (began, ended, failed) = (op.began(), op.ended(), op.status() == Status::Fail);
        acts.push(Act { op: op.id, began, ended, must: ok, failed, observes, writes });
    }
    Some(acts)
}

/// Whether what this get returned can't be made of anything that was put or appended, or failed to be.
pub(super) fn from_nowhere(
    history: &History,
    ops: &[Operation<'_>],
    initial: Option<Value>,
    get: &Operation<'_>,
) -> bool {
    let Some(texts) = initial.and_then(|initial| Texts::new(history, ops, Some(initial), true)) else { return false };
    let string = history.values().as_str(get.result()).unwrap_or_default();
    let rest = texts.rest(string);
    !texts.beginnings(string).any(|whole| rest[whole.len()] > 0)
}

/// Whether these gets show the text of an append after different beginnings.
pub(super) fn two_places(
    history: &History,
    ops: &[Operation<'_>],
    initial: Option<Value>,
    append: OpId,
    gets: [OpId; 2],
) -> bool {
    let Some(texts) = initial.and_then(|initial| Texts::new(history, ops, Some(initial), false)) else { return false };
    let mut before = BTreeSet::new();
    for get in gets {
        let string = history.values().as_str(history.op(get).result()).unwrap_or_default();
        let Some((_, pieces)) = texts.pieces(string) else { return false };
        let places = pieces.into_iter().filter(|(_, number)| ops[*number].id == append);
        before.extend(places.map(|(at, _)| &string[..at]));
    }
    before.len() > 1
}

/// Whether these operations have no order, and each get among them stands with all that may have made its string: puts that
/// it begins with, appends whose text is in it, and that no put among them hides.
pub(super) fn no_order(history: &History, ops: &[Operation<'_>], initial: Option<Value>, part: &[OpId]) -> bool {
    let Some(initial) = initial else { return false };
    let get = |op: &Operation<'_>| history.values().as_str(op.f()) == Some("get");
    let put = |op: &Operation<'_>| history.values().as_str(op.f()) == Some("put");
    let got = |op: &Operation<'_>| history.values().as_str(op.result()).unwrap_or_default();
    let counts = |op: &Operation<'_>| op.status() == Status::Ok || op.status() == Status::Info && !get(op);
    let inside: Vec<&Operation<'_>> = ops.iter().filter(|op| part.contains(&op.id) && counts(op)).collect();
    let outside = ops.iter().filter(|op| !part.contains(&op.id) && counts(op) && !get(op));
    for op in outside {
        let text = text(history, op);
        let needed = |get: &Operation<'_>| {
            let shows = if put(op) { got(get).starts_with(text) } else { !text.is_empty() && got(get).contains(text) };
            shows && op.began() <= get.ended()
        };
        // A put that lies wholly between the two hides what was there before.
        let hidden = |get: &Operation<'_>| {
            let between = |put: &Operation<'_>| op.ended() < put.began() && put.ended() < get.began();
            inside.iter().any(|it| put(it) && it.status() == Status::Ok && between(it))
        };
        if inside.iter().any(|op| get(op) && needed(op) && !hidden(op)) {
            return false;
        }
    }
    if inside.len() > 128 {
        return false;
    }
    let first = history.values().as_str(initial).unwrap_or_default();
    let mut seen: HashSet<(u128, String)> = HashSet::new();
    let mut stack = vec![(0u128, first.to_owned())];
    let mut steps = 0;
    while let Some((done, state)) = stack.pop() {
        let left = || inside.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
        let Some(due) = left().filter(|(_, op)| op.status() == Status::Ok).map(|(_, op)| op.ended()).min() else {
            return false;
        };
        if !seen.insert((done, state.clone())) {
            continue;
        }
        for (at, op) in left().filter(|(_, op)| op.began() <= due) {
            steps += 1;
            if steps > STEPS {
                return false;
            }
            let then = match (get(op), put(op)) {
                (true, _) if got(op) != state => continue,
                (true, _) => state.clone(),
                (_, true) => text(history, op).to_owned(),
                _ => format!("{state}{}", text(history, op)),
            };
            stack.push((done | 1 << at, then));
        }
    }
    true
}
