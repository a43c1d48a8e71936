//! From a contradiction to a witness that a person can read.

use super::proof::{Next, Proof, Shape, Side, Why};
use super::registers::Item;
use super::settle;
use super::values::NONE;
use super::words::Words;
use crate::history::{OpId, Status, Value, escape_json};
use crate::witness::Witness;
use crate::witness::objects::contradiction::{self, Object, Why as Contradiction};
use crate::witness::objects::{Cast, Source};
use crate::workload::register::{Action, Key};

/// More operations for one reason than this are told in one line.
const LINES: usize = 4;

/// More names than this are counted.
const NAMES: usize = 6;

/// The witness of a proof.
pub(super) fn witness(words: Words<'_>, key: &Key<'_>, proof: &Proof, why: Option<&Contradiction>) -> Witness {
    let cast = proof.operations.iter().map(|op| (key.op[*op as usize], words.deed(key, *op))).collect();
    let mut story = Story { words, key, cast: Cast::new(words.history, key.name, cast) };
    let meaning = match why {
        Some(why) => contradiction::tell(&mut story.cast, words.history, &OfKey { words, key }, why),
        None => story.tell(proof),
    };
    story.cast.witness(&meaning, proof.minimality, false)
}

struct Story<'a> {
    words: Words<'a>,
    key: &'a Key<'a>,
    cast: Cast<'a>,
}

impl Story<'_> {
    fn id(&self, op: u32) -> OpId {
        self.key.op[op as usize]
    }

    fn text(&self, value: Value) -> String {
        self.words.text(value)
    }

    fn name(&self, op: u32) -> String {
        self.cast.name(self.id(op)).to_owned()
    }

    fn noun(&self) -> &'static str {
        if self.words.is_kv { "string" } else { "register" }
    }

    /// What the operation found, as text.
    fn observed(&self, op: u32) -> String {
        self.key.observed(op as usize).map_or_else(String::new, |value| self.text(value))
    }

    /// The value that a side is about: the one that its late operation read or wrote.
    fn value(&self, op: u32) -> String {
        self.text(self.key.value[op as usize])
    }

    fn tell(&mut self, proof: &Proof) -> String {
        match &proof.shape {
            Shape::Moved { append, first, second } => {
                let (from, to) = (self.id(*first), self.id(*second));
                let (append, text) = (self.id(*append), self.cast.did(self.id(*append)));
                let because = format!("{text} once, and it shows there: {}", self.cast.did(from));
                self.cast.step(append, from, "wr", because);
                let because = format!("{}, where it shows in another place", self.cast.did(to));
                self.cast.step(append, to, "wr", because);
                "One append shows in two places: two pasts of one string exist, or an append took effect twice."
                    .to_owned()
            }
            Shape::Stuck { last, held, next } => self.tell_stuck(*last, held, next, &proof.operations),
            Shape::Exhausted { last, states, next, part } => self.tell_exhausted(*last, states, next, part),
            // Settled before it is told, or told as a contradiction.
            _ => String::new(),
        }
    }

    fn tell_exhausted(&mut self, last: u32, states: &[Option<Value>], next: &[Next], part: &[Item]) -> String {
        for item in part.iter().filter(|item| item.observed(self.key).is_some()) {
            let writers = settle::writers_within(self.key, part, item.op);
            let writers: Vec<OpId> = writers.into_iter().map(|op| self.id(op)).collect();
            let initial = item.observed(self.key).is_some_and(|value| settle::initial_possible(self.key, value));
            self.cast.saw_one_of(&writers, self.id(item.op), initial);
        }
        let mut held: Vec<String> = states.iter().flatten().map(|value| self.text(*value)).collect();
        if states.contains(&None) {
            held.push("a value that none of these operations saw".to_owned());
        }
        let id = self.id(last);
        let held = if held.is_empty() { "other values".to_owned() } else { held.join(" or ") };
        let because = format!(
            "when {}, which needed {}, completed (record {}), the {} could hold only {held}",
            self.name(last),
            self.observed(last),
            self.words.history.op(id).position(),
            self.noun(),
        );
        self.cast.step(id, id, "impossible", because);
        // What wrote the value and was over by then was replaced in every order.
        let is_pending = |op: &u32| next.iter().any(|next| next.op == *op);
        let mut next = next.to_vec();
        let over = settle::writers_within(self.key, part, last).into_iter().filter(|op| !is_pending(op));
        next.splice(..0, over.map(|op| Next { op, why: Why::Used }));
        self.tell_next(last, &next);
        let which = if part.is_empty() { "all operations, too many to be shown," } else { "these operations" };
        format!(
            "Every order of {which} that keeps real time ends there: {} found {} where a single copy of the \
             {} could not have held it.",
            self.name(last),
            self.observed(last),
            self.noun()
        )
    }

    /// Why nothing else that could come at the end helps the last operation.
    fn tell_next(&mut self, last: u32, next: &[Next]) {
        let wanted = self.observed(last);
        for why in [Why::Used, Why::Needs, Why::LeadsNowhere] {
            let tells = |op: u32| why != Why::Used || self.key.action[op as usize] != Action::Read;
            let ops: Vec<u32> = next.iter().filter(|it| it.why == why && tells(it.op)).map(|it| it.op).collect();
            // A line for each, as long as somebody reads them.
            let lines =
                if why == Why::Used || ops.len() > LINES { ops.chunks(ops.len().max(1)) } else { ops.chunks(1) };
            for ops in lines {
                let of = |what: &dyn Fn(u32) -> String| listed(ops.iter().map(|op| what(*op)).collect());
                let (names, one) = (of(&|op| self.name(op)), ops.len() == 1);
                let is_string = self.words.is_kv && self.words.strings.is_none();
                let because = match why {
                    Why::Used if is_string => format!("{names} had taken effect in every order by then"),
                    Why::Used => {
                        format!("{names} had taken effect in every order by then, and {wanted} was there no more")
                    }
                    Why::Needs => format!(
                        "{names} could not come next: {} needed {}",
                        if one { "it" } else { "they" },
                        of(&|op| self.observed(op))
                    ),
                    Why::LeadsNowhere if is_string => format!("{names} could come next, and did not make that string"),
                    Why::LeadsNowhere => {
                        format!("{names} could come next, and left {} there, not {wanted}", of(&|op| self.value(op)))
                    }
                };
                let (from, to) = (self.id(ops[0]), self.id(last));
                self.cast.step(from, to, "impossible", because);
            }
        }
    }

    fn tell_stuck(&mut self, last: u32, held: &[Option<String>], next: &[Next], part: &[u32]) -> String {
        for op in part.iter().filter(|op| self.key.action[**op as usize] == Action::Read && **op != last) {
            let id = self.id(*op);
            let because = self.cast.did(id);
            self.cast.step(id, id, "wr", because);
        }
        let mut texts: Vec<String> = held
            .iter()
            .flatten()
            .map(|text| {
                let mut shown = String::new();
                escape_json(text, &mut shown);
                shown
            })
            .collect();
        if texts.len() < held.len() {
            texts.push("one that nothing these gets got begins with".to_owned());
        }
        if texts.is_empty() {
            texts.push("another one".to_owned());
        }
        let id = self.id(last);
        let because = format!(
            "when {} completed (record {}), which {}, the string could only be {}",
            self.name(last),
            self.words.history.op(id).position(),
            self.words.deed(self.key, last).did,
            texts.join(" or ")
        );
        self.cast.step(id, id, "impossible", because);
        self.tell_next(last, next);
        let which = if held.is_empty() { "all operations, too many to be shown," } else { "these operations" };
        format!("Every order of {which} that keeps real time ends there: no single copy of the string behaves so.")
    }
}

/// A contradiction as witnesses have it; nothing for what a search found, and for texts in two places.
pub(super) fn why(key: &Key<'_>, proof: &Proof) -> Option<Contradiction> {
    let id = |op: u32| key.op[op as usize];
    let some = |op: u32| (op != NONE).then(|| id(op));
    let ids = |ops: &[u32]| ops.iter().map(|op| id(*op)).collect();
    let side = |of: &Side| contradiction::Side { path: ids(&of.path), early: some(of.early), late: id(of.late) };
    Some(match &proof.shape {
        Shape::ThinAir { observer } => Contradiction::FromNowhere { observer: id(*observer) },
        Shape::Aborted { observer, writer } => Contradiction::Failed { observer: id(*observer), writer: id(*writer) },
        Shape::Future { observer, writer } => Contradiction::TooEarly { observer: id(*observer), writer: id(*writer) },
        Shape::Unwritten { observer } => Contradiction::Unwritten { observer: id(*observer) },
        Shape::Hidden { writer, newer, observer } => {
            Contradiction::Overwritten { writer: some(*writer), newer: id(*newer), observer: id(*observer) }
        }
        Shape::Fork { writer, first, second } => {
            Contradiction::ReplacedTwice { writer: some(*writer), first: id(*first), second: id(*second) }
        }
        Shape::Circle { cas } => Contradiction::Circle(ids(cas)),
        Shape::Chain { path, early, late } => {
            Contradiction::Backwards(contradiction::Side { path: ids(path), early: some(*early), late: id(*late) })
        }
        Shape::Pair { sides: [one, other] } => Contradiction::Crossed([side(one), side(other)]),
        Shape::Moved { .. } | Shape::Searched { .. } | Shape::Exhausted { .. } | Shape::Stuck { .. } => return None,
    })
}

/// A key's operations, for the words of a contradiction that are not told from its claim.
struct OfKey<'a> {
    words: Words<'a>,
    key: &'a Key<'a>,
}

impl OfKey<'_> {
    /// An operation by its place in the key.
    fn at(&self, op: OpId) -> usize {
        self.key.op.iter().position(|other| *other == op).unwrap_or(0)
    }
}

impl Object for OfKey<'_> {
    fn noun(&self) -> &'static str {
        if self.words.is_kv { "string" } else { "register" }
    }

    fn observed(&self, op: OpId) -> String {
        self.key.observed(self.at(op)).map_or_else(String::new, |value| self.words.text(value))
    }

    fn value(&self, op: OpId) -> String {
        self.words.text(self.key.value[self.at(op)])
    }

    fn is_read(&self, op: OpId) -> bool {
        self.key.action[self.at(op)] == Action::Read
    }

    fn writer(&self, reader: OpId, among: &[OpId]) -> Option<OpId> {
        let seen = self.key.observed(self.at(reader))?;
        among.iter().copied().find(|writer| self.key.written(self.at(*writer)) == Some(seen))
    }

    fn source(&self, writer: OpId, reader: OpId) -> Source {
        let seen = self.key.observed(self.at(reader));
        let wrote = |at: &usize| self.key.status[*at] != Status::Fail && self.key.written(*at) == seen;
        let [began, ended] = [self.key.began[self.at(writer)], self.key.ended[self.at(reader)]];
        match (0..self.key.len()).filter(wrote).nth(1) {
            None => Source::Only,
            Some(_) if began > ended => Source::First,
            Some(_) => Source::OnlyThen,
        }
    }

    fn is_only_writer(&self, failed: OpId) -> bool {
        let value = self.key.written(self.at(failed));
        (0..self.key.len()).filter(|at| self.key.written(*at) == value).nth(1).is_none()
    }
}

/// "W1, W2 and W3"; of many, the first ones and how many more there are.
fn listed(mut names: Vec<String>) -> String {
    names.dedup();
    let more = names.len().saturating_sub(NAMES);
    if more > 1 {
        names.truncate(NAMES);
        names.push(format!("{more} more"));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}
