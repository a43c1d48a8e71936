//! Strings that grow, as registers: `get`, `put` and `append`.
//!
//! Where each appended text is appended once and every string that was got falls into texts in one way only, a get shows
//! which appends made it, and in which order. So an append that somebody saw found one certain string and left one certain
//! string behind: it is a compare-and-set between the two. An append that nobody saw is a plain write of a value that nobody
//! reads: whatever came after it and before the next put would have shown it to a reader. Then zones, chains and the search
//! decide, and witnesses are told, as for any register.
//!
//! A text that stands in two places (after different beginnings, or twice) contradicts itself: it was appended once.
//!
//! Exact where it applies; elsewhere it says why not. Cost: linear in the strings that were got, times the number of
//! different lengths of appended texts.

use hashbrown::HashMap;

use super::proof::{Proof, Shape};
use super::values::NONE;
use crate::guarantee::Anomaly;
use crate::history::{History, Status, Value, Values, escape_json};
use crate::witness::Minimality;
use crate::workload::register::{Action, Initial, Key};

/// One key's operations, as those of a register whose values are states.
pub(super) struct Strings {
    action: Vec<Action>,
    status: Vec<Status>,
    value: Vec<Value>,
    expected: Vec<Value>,
    states: Vec<State>,
    /// A text that stands in two places.
    pub(super) moved: Option<Proof>,
    /// Why the operations are not those of a register.
    pub(super) unclear: Option<Unclear>,
}

/// Why a get does not show which appends made its string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unclear {
    /// A text was appended several times.
    Repeated,
    /// A string falls into texts in several ways.
    Ambiguous,
    /// What was there at first is not known.
    Initial,
    /// There are more strings than handles for them.
    TooMany,
}

/// What a key can hold: a string, by what was appended to which.
#[derive(Clone, Copy)]
struct State {
    /// The state before; none where `text` is all of it, [`UNSEEN`] where nobody saw what was before.
    before: u32,
    text: Value,
}

const UNSEEN: u32 = NONE - 1;

type SeededMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The texts that operations append and put.
#[derive(Default)]
struct Texts<'a> {
    appends: SeededMap<&'a str, u32>,
    lengths: Vec<usize>,
    /// Whole strings: what was put, and what was there at first (no operation).
    puts: SeededMap<&'a str, u32>,
    put_lengths: Vec<usize>,
}

/// How a string falls into texts.
enum Reading {
    No,
    /// The whole string at its beginning, and what was appended to it.
    One(usize, Vec<u32>),
    /// The same for one of several ways.
    Several(usize, Vec<u32>),
}

impl<'a> Texts<'a> {
    fn append(&mut self, text: &'a str, op: u32) -> bool {
        self.appends.insert(text, op).is_none()
    }

    fn put(&mut self, text: &'a str, op: u32) {
        self.puts.entry(text).or_insert(op);
    }

    fn finish(mut self) -> Texts<'a> {
        let lengths = |texts: &SeededMap<&str, u32>| {
            let mut lengths: Vec<usize> = texts.keys().map(|text| text.len()).collect();
            lengths.sort_unstable();
            lengths.dedup();
            lengths
        };
        (self.lengths, self.put_lengths) = (lengths(&self.appends), lengths(&self.puts));
        self
    }

    fn read(&self, string: &str) -> Reading {
        // For each place, in how many ways it can be reached, and the last step of the first of these.
        let mut ways = vec![0u8; string.len() + 1];
        let mut last = vec![NONE; string.len() + 1];
        for length in &self.put_lengths {
            if string.get(..*length).is_some_and(|head| self.puts.contains_key(head)) {
                ways[*length] = 1;
            }
        }
        for place in 0..string.len() {
            if ways[place] == 0 {
                continue;
            }
            for length in self.lengths.iter().take_while(|length| place + **length <= string.len()) {
                let found = string.get(place..place + length).and_then(|text| self.appends.get(text));
                if let Some(op) = found {
                    let then = place + length;
                    ways[then] = (ways[then] + ways[place]).min(2);
                    last[then] = *op;
                }
            }
        }
        if ways[string.len()] == 0 {
            return Reading::No;
        }
        let mut appends = Vec::new();
        let mut place = string.len();
        while last[place] != NONE {
            let op = last[place];
            appends.push(op);
            place -= self.length_of(op, &string[..place]);
        }
        appends.reverse();
        if ways[string.len()] == 1 { Reading::One(place, appends) } else { Reading::Several(place, appends) }
    }

    /// How long the text is that this operation appended at the end of a string.
    fn length_of(&self, op: u32, string: &str) -> usize {
        let ends = |length: &&usize| {
            let text = string.len().checked_sub(**length).and_then(|from| string.get(from..));
            text.and_then(|text| self.appends.get(text)) == Some(&op)
        };
        self.lengths.iter().find(ends).copied().unwrap_or(string.len())
    }
}

impl Strings {
    /// The operations of this key.
    pub(super) fn new(history: &History, key: &Key<'_>) -> Strings {
        let values = history.values();
        let zero = Value::NULL;
        let mut strings = Strings {
            action: key.action.to_vec(),
            status: key.status.to_vec(),
            value: vec![zero; key.len()],
            expected: vec![zero; key.expected.len()],
            states: Vec::new(),
            moved: None,
            unclear: None,
        };
        strings.unclear = strings.derive(values, key).err();
        strings
    }

    /// The key as a register.
    pub(super) fn key<'a>(&'a self, key: &Key<'a>) -> Key<'a> {
        let initial = state_value(0).map_or(Initial::Unknown, Initial::Known);
        Key {
            initial,
            action: &self.action,
            status: &self.status,
            value: &self.value,
            expected: &self.expected,
            ..*key
        }
    }

    fn derive(&mut self, values: &Values, key: &Key<'_>) -> Result<(), Unclear> {
        let Initial::Known(initial) = key.initial else { return Err(Unclear::Initial) };
        let text = |at: usize| values.as_str(key.value[at]).unwrap_or_default();
        let (mut texts, mut with_failed) = (Texts::default(), Texts::default());
        let first = values.as_str(initial).unwrap_or_default();
        texts.put(first, NONE);
        for at in 0..key.len() {
            let op = u32::try_from(at).map_err(|_| Unclear::TooMany)?;
            let happened = key.status[at] != Status::Fail;
            match key.action[at] {
                Action::Read => {}
                // Nothing was appended.
                Action::Cas if text(at).is_empty() => self.status[at] = Status::Fail,
                Action::Cas => {
                    if happened && !texts.append(text(at), op) {
                        return Err(Unclear::Repeated);
                    }
                }
                Action::Write if happened => texts.put(text(at), op),
                Action::Write => {}
            }
        }
        with_failed.puts.clone_from(&texts.puts);
        for at in 0..key.len() {
            let op = u32::try_from(at).map_err(|_| Unclear::TooMany)?;
            match key.action[at] {
                Action::Cas if !text(at).is_empty() && !texts.appends.contains_key(text(at)) => {
                    with_failed.append(text(at), op);
                }
                Action::Cas if !text(at).is_empty() && key.status[at] != Status::Fail => {
                    with_failed.append(text(at), op);
                }
                Action::Write => with_failed.put(text(at), op),
                _ => {}
            }
        }
        let (texts, with_failed) = (texts.finish(), with_failed.finish());
        let mut found = Found::new(initial);
        for at in 0..key.len() {
            match key.action[at] {
                Action::Write if key.status[at] != Status::Fail => {
                    self.value[at] = found.head(key.value[at])?;
                }
                Action::Write => self.value[at] = found.other(key.value[at], NONE)?,
                // Until somebody sees it: a value of its own, whatever was there.
                Action::Cas => {
                    self.action[at] = Action::Write;
                    self.value[at] = found.other(key.value[at], UNSEEN)?;
                }
                Action::Read => {}
            }
        }
        let mut known: SeededMap<Value, (Value, Status)> = SeededMap::default();
        for at in 0..key.len() {
            if key.action[at] != Action::Read {
                continue;
            }
            if let Some(same) = known.get(&key.value[at]) {
                (self.value[at], self.status[at]) = *same;
                continue;
            }
            let state = match texts.read(text(at)) {
                Reading::One(head, appends) => self.follow(key, &texts, &mut found, at, text(at), (head, &appends))?,
                Reading::Several(..) => return Err(Unclear::Ambiguous),
                Reading::No => match with_failed.read(text(at)) {
                    // Whatever failed is the value's writer.
                    Reading::One(head, appends) | Reading::Several(head, appends) => {
                        let head = with_failed.puts.get(&text(at)[..head]).copied();
                        let mut all = head.into_iter().filter(|op| *op != NONE).chain(appends);
                        let failed = all.find(|op| key.status[*op as usize] == Status::Fail);
                        failed.map_or_else(|| found.other(key.value[at], NONE), |op| Ok(self.value[op as usize]))?
                    }
                    Reading::No => found.other(key.value[at], NONE)?,
                },
            };
            self.value[at] = state;
            known.insert(key.value[at], (state, self.status[at]));
        }
        self.states = found.states;
        Ok(())
    }

    /// What a get of this reading shows of each append: what it found, and what it left behind.
    fn follow(
        &mut self,
        key: &Key<'_>,
        texts: &Texts<'_>,
        found: &mut Found,
        at: usize,
        whole: &str,
        (head, appends): (usize, &[u32]),
    ) -> Result<Value, Unclear> {
        let mut state = match texts.puts.get(&whole[..head]) {
            Some(op) if *op != NONE => state_of(self.value[*op as usize]).ok_or(Unclear::TooMany)?,
            _ => 0,
        };
        for op in appends {
            let append = *op as usize;
            match found.after.get(op).copied() {
                None => {
                    let then = found.add(State { before: state, text: key.value[append] })?;
                    found.after.insert(*op, (state, then, at));
                    self.action[append] = Action::Cas;
                    self.expected[append] = state_value(state).ok_or(Unclear::TooMany)?;
                    self.value[append] = state_value(then).ok_or(Unclear::TooMany)?;
                    state = then;
                }
                Some((before, then, _)) if before == state => state = then,
                Some((.., first)) => {
                    let observer = |at: usize| u32::try_from(at).unwrap_or(NONE);
                    let shape = Shape::Moved { append: *op, first: observer(first), second: observer(at) };
                    let mut proof = Proof::new(Anomaly::NonLinearizable, shape, &[]);
                    proof.minimality = Minimality::OneMinimal;
                    if self.moved.as_ref().is_none_or(|known| proof.rank(key) < known.rank(key)) {
                        self.moved = Some(proof);
                    }
                    // What this get saw is no state that can be.
                    self.status[at] = Status::Fail;
                    return found.other(key.value[at], NONE);
                }
            }
        }
        state_value(state).ok_or(Unclear::TooMany)
    }

    /// The string of a state: its end, where it is long.
    pub(super) fn text(&self, values: &Values, state: Value, limit: usize) -> String {
        let mut pieces: Vec<&str> = Vec::new();
        let (mut length, mut cut) = (0, false);
        let mut at = state_of(state);
        while let Some(state) = at.and_then(|at| self.states.get(at as usize)) {
            let piece = values.as_str(state.text).unwrap_or_default();
            length += piece.len();
            pieces.push(piece);
            cut = length > limit || state.before == UNSEEN;
            at = if cut || state.before == NONE { None } else { Some(state.before) };
        }
        let all: String = pieces.into_iter().rev().collect();
        let from = all.char_indices().map(|(at, _)| at).find(|at| all.len() - at <= limit).unwrap_or(0);
        let mut shown = String::new();
        escape_json(&all[from..], &mut shown);
        if cut { format!("\"…{}", shown.trim_start_matches('"')) } else { shown }
    }
}

/// The states that were found so far.
struct Found {
    states: Vec<State>,
    heads: SeededMap<Value, u32>,
    /// For each append that was seen: the states before and after it, and the get that showed them first.
    after: SeededMap<u32, (u32, u32, usize)>,
}

impl Found {
    fn new(initial: Value) -> Found {
        let mut found = Found { states: Vec::new(), heads: SeededMap::default(), after: SeededMap::default() };
        found.states.push(State { before: NONE, text: initial });
        found.heads.insert(initial, 0);
        found
    }

    fn add(&mut self, state: State) -> Result<u32, Unclear> {
        let id = u32::try_from(self.states.len()).ok().filter(|id| *id < UNSEEN).ok_or(Unclear::TooMany)?;
        self.states.push(state);
        Ok(id)
    }

    /// A state that no other operation leads to.
    fn other(&mut self, text: Value, before: u32) -> Result<Value, Unclear> {
        let id = self.add(State { before, text })?;
        state_value(id).ok_or(Unclear::TooMany)
    }

    fn head(&mut self, text: Value) -> Result<Value, Unclear> {
        let id = match self.heads.get(&text) {
            Some(id) => *id,
            None => {
                let id = self.add(State { before: NONE, text })?;
                self.heads.insert(text, id);
                id
            }
        };
        state_value(id).ok_or(Unclear::TooMany)
    }
}

/// The handle that stands for a state.
fn state_value(id: u32) -> Option<Value> {
    Value::small(i64::from(id))
}

fn state_of(value: Value) -> Option<u32> {
    value.as_small().and_then(|id| u32::try_from(id).ok())
}
