//! From a contradiction to a witness that a person can read.

use super::proof::{Next, Proof, Shape, Side, Why};
use super::registers::Item;
use super::settle;
use super::values::NONE;
use super::words::Words;
use crate::history::{OpId, Value, escape_json};
use crate::witness::Witness;
use crate::witness::objects::Cast;
use crate::workload::register::{Action, Key};

/// More operations for one reason than this are told in one line.
const LINES: usize = 4;

/// More names than this are counted.
const NAMES: usize = 6;

/// The witness of a proof.
pub(super) fn witness(words: Words<'_>, key: &Key<'_>, proof: &Proof) -> Witness {
    let cast = proof.operations.iter().map(|op| (key.op[*op as usize], words.deed(key, *op))).collect();
    let mut story = Story { words, key, cast: Cast::new(words.history, key.name, cast), repeated: proof.repeated };
    let meaning = story.tell(proof);
    story.cast.witness(&meaning, proof.minimality, false)
}

struct Story<'a> {
    words: Words<'a>,
    key: &'a Key<'a>,
    cast: Cast<'a>,
    repeated: bool,
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

    /// What the operation found, as text.
    fn observed(&self, op: u32) -> String {
        self.key.observed(op as usize).map_or_else(String::new, |value| self.text(value))
    }

    /// The value that a side is about: the one that its late operation read or wrote.
    fn value(&self, op: u32) -> String {
        self.text(self.key.value[op as usize])
    }

    fn before(&mut self, first: u32, then: u32) {
        let (first, then) = (self.id(first), self.id(then));
        self.cast.before(first, then);
    }

    fn saw(&mut self, writer: u32, reader: u32) {
        let (writer, reader) = (self.id(writer), self.id(reader));
        if self.repeated {
            self.cast.saw_one_of(&[writer], reader, false);
        } else {
            self.cast.saw(writer, reader);
        }
    }

    fn tell(&mut self, proof: &Proof) -> String {
        match &proof.shape {
            Shape::ThinAir { observer } => {
                let op = self.id(*observer);
                let seen = self.observed(*observer);
                let did = self.cast.did(op);
                self.cast.step(op, op, "thin-air", format!("{did}, and no operation of this key wrote {seen}"));
                "The register returned a value that no client ever sent: data was invented, mixed up between keys, or left \
                 over from before the test."
                    .to_owned()
            }
            Shape::Aborted { observer, writer } => {
                let (from, to) = (self.id(*writer), self.id(*observer));
                let because =
                    format!("{}, and {}, the only one that could have", self.cast.did(to), self.cast.did(from));
                self.cast.step(from, to, "wr", because);
                format!(
                    "{} was told that nothing happened, and its value is there all the same: a client that tries again \
                     acts twice.",
                    self.name(*writer)
                )
            }
            Shape::Future { observer, writer } => {
                self.saw(*writer, *observer);
                self.before(*observer, *writer);
                format!(
                    "{} saw {} before the client that wrote it had begun: the records' order or the history's recorder is \
                     wrong, or the value came from elsewhere.",
                    self.name(*observer),
                    self.observed(*observer)
                )
            }
            Shape::Fork { writer, first, second } => {
                for cas in [*first, *second] {
                    if *writer != NONE {
                        self.saw(*writer, cas);
                    }
                }
                let (from, to) = (self.id(*first), self.id(*second));
                let seen = self.observed(*first);
                let because = format!("{}, and {} there too", self.cast.did(from), self.cast.did(to));
                self.cast.step(from, to, "rw", because);
                format!(
                    "{seen} was there once, and both changed it: one of the two updates is lost, though both clients were \
                     told that theirs succeeded."
                )
            }
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
            Shape::Circle { cas } => {
                for (at, op) in cas.iter().enumerate() {
                    let then = cas[(at + 1) % cas.len()];
                    self.saw(*op, then);
                }
                "Each of these needs the one before it, and the first needs the last: none can be the first.".to_owned()
            }
            Shape::Chain { path, early, late } => {
                self.follow(path);
                self.members(path, *early, *late);
                self.before(*early, *late);
                format!(
                    "{} was replaced step by step until {} was there, and {} found it again afterwards: an acknowledged \
                     update went back in time.",
                    self.value(*late),
                    self.value(*early),
                    self.name(*late)
                )
            }
            Shape::Pair { sides } => self.tell_pair(sides),
            Shape::Unwritten { observer } => {
                let op = self.id(*observer);
                self.cast.saw_one_of(&[], op, false);
                format!("{} found a value that could not be there yet.", self.name(*observer))
            }
            Shape::Hidden { writer, newer, observer } => {
                if *writer != NONE {
                    self.saw(*writer, *observer);
                    self.before(*writer, *newer);
                }
                self.before(*newer, *observer);
                format!(
                    "{} returned {} after {} had taken its place: a client acts on data that was already overwritten, or \
                     loses sight of a write that it was told had succeeded.",
                    self.name(*observer),
                    self.observed(*observer),
                    self.value(*newer)
                )
            }
            // Settled before it is told.
            Shape::Searched { .. } => String::new(),
            Shape::Stuck { last, held, next } => self.tell_stuck(*last, held, next, &proof.operations),
            Shape::Exhausted { last, states, next, part } => self.tell_exhausted(*last, states, next, part),
        }
    }

    fn follow(&mut self, path: &[u32]) {
        for pair in path.windows(2) {
            self.saw(pair[0], pair[1]);
        }
    }

    /// The reads among a run's operations, with the writers that they saw.
    fn members(&mut self, path: &[u32], early: u32, late: u32) {
        for (at, op) in [early, late].into_iter().enumerate() {
            if op == NONE || at == 1 && op == early || self.key.action[op as usize] != Action::Read {
                continue;
            }
            let value = self.key.value[op as usize];
            if self.repeated {
                let writers = path.iter().filter(|writer| self.key.value[**writer as usize] == value);
                let writers: Vec<OpId> = writers.map(|writer| self.id(*writer)).collect();
                self.cast.saw_one_of(&writers, self.id(op), writers.is_empty());
            } else if let Some(writer) = path.iter().find(|writer| self.key.value[**writer as usize] == value) {
                self.saw(*writer, op);
            } else {
                let id = self.id(op);
                let because = format!("{}, the initial value", self.cast.did(id));
                self.cast.step(id, id, "wr", because);
            }
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
            "when {}, which needed {}, completed (record {}), the register could hold only {held}",
            self.name(last),
            self.observed(last),
            self.words.history.op(id).position(),
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
             register could not have held it.",
            self.name(last),
            self.observed(last)
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

    fn tell_pair(&mut self, sides: &[Side; 2]) -> String {
        for side in sides {
            self.follow(&side.path);
            self.members(&side.path, side.early, side.late);
        }
        for (a, b) in [(0, 1), (1, 0)] {
            let (first, then) = (sides[a].early, sides[b].late);
            if first != NONE {
                self.before(first, then);
            }
        }
        // A side whose last operation is a read was read after the other side's value had come: the later such read is
        // the surprising one.
        let stale = (0..2)
            .filter(|at| self.key.action[sides[*at].late as usize] == Action::Read && sides[1 - *at].early != NONE)
            .max_by_key(|at| self.key.began[sides[*at].late as usize]);
        match stale {
            Some(at) => {
                let (read, newer) = (sides[at].late, sides[1 - at].early);
                format!(
                    "{} returned {} after {} had taken its place: a client acts on data that was already overwritten, or \
                     loses sight of a write that it was told had succeeded.",
                    self.name(read),
                    self.value(read),
                    self.value(newer)
                )
            }
            None => format!(
                "{} has to come before {}, and {} before {}: no single copy of the register behaves so.",
                self.value(sides[0].late),
                self.value(sides[1].late),
                self.value(sides[1].late),
                self.value(sides[0].late)
            ),
        }
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
