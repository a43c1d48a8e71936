//! Witnesses of single objects, in words: what each operation did, and when.

pub mod contradiction;

use super::{Minimality, Step, Witness};
use crate::history::{History, OpId, Operation, Status, Value};

/// What an operation of a witness did, for its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The letter of its name: `W` for writes, `R` for reads, `C` for compare-and-set, ...
    pub letter: char,
    /// What it did: "wrote 3", "read 2".
    pub did: String,
    /// What it would have done, where it is not known to have happened: "write 3".
    pub meant: String,
}

/// How an operation tells which write another one shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Nobody else wrote the value.
    Only,
    /// Others wrote it too, and can't have by then.
    OnlyThen,
    /// Of all that can have written it by then, this one was the last to have taken effect.
    LastThen,
    /// Of all that wrote it, this one was the first to begin.
    First,
    /// Several wrote it, and the revision is this write's.
    Revision,
    /// It shows a later version of the object.
    Later,
    /// Of lists: it ends with what was appended.
    End,
    /// Of lists: it has what was appended.
    Element,
}

/// The operations of a witness, with their names.
#[derive(Debug)]
pub struct Cast<'a> {
    history: &'a History,
    key: Value,
    operations: Vec<(OpId, Deed, String)>,
    steps: Vec<Step>,
}

impl<'a> Cast<'a> {
    /// These operations of one object, in the order in which the text names them.
    #[must_use]
    pub fn new(history: &'a History, key: Value, operations: Vec<(OpId, Deed)>) -> Cast<'a> {
        let mut named: Vec<(OpId, Deed, String)> = Vec::with_capacity(operations.len());
        for (op, deed) in operations {
            let number = 1 + named.iter().filter(|(_, other, _)| other.letter == deed.letter).count();
            let name = format!("{}{number}", deed.letter);
            named.push((op, deed, name));
        }
        Cast { history, key, operations: named, steps: Vec::new() }
    }

    fn find(&self, op: OpId) -> Option<&(OpId, Deed, String)> {
        self.operations.iter().find(|(id, ..)| *id == op)
    }

    /// The operation's name.
    #[must_use]
    pub fn name(&self, op: OpId) -> &str {
        self.find(op).map_or("an operation", |(_, _, name)| name)
    }

    /// "W1 wrote 3"; "W1 (crashed) wrote 3"; "W1 failed to write 3".
    #[must_use]
    pub fn did(&self, op: OpId) -> String {
        let Some((_, deed, name)) = self.find(op) else { return String::new() };
        match self.history.op(op).status() {
            Status::Ok => format!("{name} {}", deed.did),
            Status::Info => format!("{name} (outcome unknown) {}", deed.did),
            Status::Fail => format!("{name} failed to {}", deed.meant),
        }
    }

    /// Adds: `first` was over before `then` began.
    pub fn before(&mut self, first: OpId, then: OpId) {
        let (a, b) = (self.history.op(first), self.history.op(then));
        let because = format!("{} and completed (record {}) before {}", self.did(first), a.position(), self.begun(&b));
        self.step(first, then, "realtime", because);
    }

    fn begun(&self, op: &Operation<'_>) -> String {
        let when = match op.invoked() {
            Some(position) => format!("was invoked (record {position})"),
            None => format!("could begin (record {} or later)", op.began()),
        };
        match self.find(op.id) {
            Some((_, deed, name)) if op.status() == Status::Ok => format!("{name}, which {}, {when}", deed.did),
            Some((_, deed, name)) => format!("{name}, which meant to {}, {when}", deed.meant),
            None => when,
        }
    }

    /// Adds: `reader` shows what `writer` wrote, by this.
    pub fn shows(&mut self, writer: OpId, reader: OpId, source: Source) {
        let (did, name) = (self.did(reader), self.name(writer));
        let because = match source {
            Source::Only => format!("{did}, which only {name} wrote"),
            Source::OnlyThen => format!("{did}, which only {name} can have written by then"),
            Source::LastThen => format!("{did}, which of all that can have written it {name} wrote last"),
            Source::First => format!("{did}, which {name} was the first to write"),
            Source::Revision => format!("{did}, whose version says that {name} wrote it"),
            Source::Later => format!("{did}, which comes after what {name} wrote"),
            Source::End => format!("{did}, which ends with what {name} appended"),
            Source::Element => format!("{did}, which has what {name} appended"),
        };
        self.step(writer, reader, "wr", because);
    }

    /// Adds: `reader` saw what `writer` wrote.
    pub fn saw(&mut self, writer: OpId, reader: OpId) {
        let because = format!("{}, which only {} wrote", self.did(reader), self.name(writer));
        self.step(writer, reader, "wr", because);
    }

    /// Adds: `reader` saw what one of `writers` wrote, or the initial value; nobody else can have written it.
    pub fn saw_one_of(&mut self, writers: &[OpId], reader: OpId, initial: bool) {
        let mut names: Vec<&str> = writers.iter().map(|writer| self.name(*writer)).collect();
        if initial {
            names.push("the initial value");
        }
        let did = self.did(reader);
        let because = match names[..] {
            [] => format!("{did}, which no operation can have written by then"),
            [only] if writers.is_empty() => format!("{did}, as {only} was"),
            [only] => format!("{did}, which only {only} can have written by then"),
            _ => format!("{did}, which can only come from {}", names.join(" or ")),
        };
        self.step(writers.first().copied().unwrap_or(reader), reader, "wr", because);
    }

    /// Adds a step in the caller's words.
    pub fn step(&mut self, from: OpId, to: OpId, relation: &'static str, because: String) {
        let position = |op: OpId| self.history.op(op).position();
        let key = (!self.key.is_absent()).then_some(self.key);
        self.steps.push(Step { from: position(from), to: position(to), relation, key, because });
    }

    /// The witness: its sentences, and the last one, which says what it means.
    #[must_use]
    pub fn witness(self, meaning: &str, minimality: Minimality, rechecked: bool) -> Witness {
        let mut text = String::new();
        if !self.key.is_absent() {
            text.push_str(&format!("key {}: ", self.history.values().json(self.key, 60)));
        }
        for (at, step) in self.steps.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { "; " });
            text.push_str(&step.because);
        }
        if !self.steps.is_empty() {
            text.push_str(". ");
        }
        text.push_str(meaning);
        Witness {
            minimality,
            rechecked,
            claim: None,
            operations: self.operations.iter().map(|(op, ..)| self.history.op(*op).position()).collect(),
            names: self.operations.into_iter().map(|(.., name)| name).collect(),
            steps: self.steps,
            timeline: None,
            text,
        }
    }
}
