//! From a contradiction to a witness that a person can read.

use super::narrow;
use super::proof::{Proof, Shape, Side};
use super::registers::Item;
use super::values::NONE;
use crate::history::{History, OpId, Value};
use crate::witness::Witness;
use crate::witness::objects::{Cast, Deed};
use crate::workload::register::{Action, Key};

/// How long a value's text may get.
const VALUE_TEXT: usize = 80;

/// The witness of a proof.
pub(super) fn witness(history: &History, key: &Key<'_>, proof: &Proof, rechecked: bool) -> Witness {
    let cast = proof.operations.iter().map(|op| (key.op[*op as usize], deed(history, key, *op))).collect();
    let mut story = Story { history, key, cast: Cast::new(history, key.name, cast), repeated: proof.repeated };
    let meaning = story.tell(proof);
    story.cast.witness(&meaning, proof.minimality, rechecked)
}

fn deed(history: &History, key: &Key<'_>, op: u32) -> Deed {
    let at = op as usize;
    let text = |value: Value| history.values().json(value, VALUE_TEXT);
    let value = text(key.value[at]);
    match key.action[at] {
        Action::Read => Deed { letter: 'R', did: format!("read {value}"), meant: "read".to_owned() },
        Action::Write => Deed { letter: 'W', did: format!("wrote {value}"), meant: format!("write {value}") },
        Action::Cas => {
            let old = key.expected.get(at).map_or_else(String::new, |old| text(*old));
            Deed { letter: 'C', did: format!("replaced {old} by {value}"), meant: format!("replace {old} by {value}") }
        }
    }
}

struct Story<'a> {
    history: &'a History,
    key: &'a Key<'a>,
    cast: Cast<'a>,
    repeated: bool,
}

impl Story<'_> {
    fn id(&self, op: u32) -> OpId {
        self.key.op[op as usize]
    }

    fn text(&self, value: Value) -> String {
        self.history.values().json(value, VALUE_TEXT)
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
                let because = format!("{}, and so did {}", self.cast.did(from), self.cast.did(to));
                self.cast.step(from, to, "rw", because);
                format!(
                    "{seen} was there once, and both replaced it: one of the two updates is lost, though both clients were \
                     told that theirs succeeded."
                )
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
            Shape::Exhausted { last, states, part } => self.tell_exhausted(*last, states, part),
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

    fn tell_exhausted(&mut self, last: u32, states: &[Option<Value>], part: &[Item]) -> String {
        for item in part.iter().filter(|item| item.observed(self.key).is_some()) {
            let writers = narrow::writers_within(self.key, part, item.op);
            let writers: Vec<OpId> = writers.into_iter().map(|op| self.id(op)).collect();
            let initial = item.observed(self.key).is_some_and(|value| narrow::initial_possible(self.key, value));
            self.cast.saw_one_of(&writers, self.id(item.op), initial);
        }
        let mut held: Vec<String> = states.iter().flatten().map(|value| self.text(*value)).collect();
        if states.contains(&None) {
            held.push("a value that none of these operations saw".to_owned());
        }
        let id = self.id(last);
        let because = format!(
            "when {}, which needed {}, completed (record {}), the register could hold only {}",
            self.name(last),
            self.observed(last),
            self.history.op(id).position(),
            held.join(" or ")
        );
        self.cast.step(id, id, "impossible", because);
        format!(
            "Every order of these operations that keeps real time ends there: {} found {} where a single copy of the \
             register could not have held it.",
            self.name(last),
            self.observed(last)
        )
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
