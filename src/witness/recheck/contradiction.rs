//! Confirms each sentence of how a few operations of one register contradict each other, and tells it from the history alone.
//!
//! That they have no order is confirmed by trying all of them (`objects`); here is which write each observation saw, what
//! follows what, and what was over before what began. Cost: scans of the register's operations.

use super::objects::{Act, act, initial, possible_writers, same_key};
use super::strings::is_of_strings;
use crate::history::{History, OpId, Value};
use crate::witness::objects::contradiction::{Object, Side, Why, tell};
use crate::witness::objects::{Cast, Deed, Source};
use crate::witness::{Minimality, Witness};

/// How long a value's text may get.
const VALUE_TEXT: usize = 80;

/// A register's operations.
struct Register<'h> {
    history: &'h History,
    acts: Vec<Act>,
    initial: Option<Value>,
}

/// Whether the history is of registers, whose contradictions are told here.
#[must_use]
pub fn is_told(history: &History, operations: &[OpId]) -> bool {
    operations.first().is_some_and(|op| !is_of_strings(history, &history.op(*op)))
}

/// A contradiction between these operations in words.
#[must_use]
pub fn witness(history: &History, operations: &[OpId], why: &Why, minimality: Minimality) -> Witness {
    let register = Register::of(history, operations);
    let key = operations.first().map_or(Value::ABSENT, |op| history.op(*op).key());
    let key = if key.is_null() { Value::ABSENT } else { key };
    let deeds = operations.iter().map(|op| (*op, register.deed(*op))).collect();
    let mut cast = Cast::new(history, key, deeds);
    let meaning = tell(&mut cast, history, &register, why);
    cast.witness(&meaning, minimality, false)
}

/// Whether each sentence of it is so.
#[must_use]
pub fn confirms(history: &History, operations: &[OpId], why: &Why) -> bool {
    let mut named = why.clone();
    let inside = named.operations_mut().into_iter().all(|op| operations.contains(op));
    inside && is_told(history, operations) && Register::of(history, operations).is_so(why)
}

impl<'h> Register<'h> {
    fn of(history: &'h History, operations: &[OpId]) -> Register<'h> {
        let key = operations.first().map_or(Value::ABSENT, |op| history.op(*op).key());
        let acts = history.ops().filter(|op| same_key(op, key)).filter_map(|op| act(history, &op)).collect();
        Register { history, acts, initial: initial(history, key) }
    }

    fn act(&self, op: OpId) -> Option<&Act> {
        self.acts.iter().find(|act| act.op == op)
    }

    fn text(&self, value: Option<Value>) -> String {
        value.map_or_else(String::new, |value| self.history.values().json(value, VALUE_TEXT))
    }

    fn deed(&self, op: OpId) -> Deed {
        let (found, left) = self.act(op).map_or((None, None), |act| (act.observes, act.writes));
        let (old, new) = (self.text(found), self.text(left));
        match (found, left) {
            (Some(_), Some(_)) => {
                let (did, meant) = (format!("replaced {old} by {new}"), format!("replace {old} by {new}"));
                Deed { letter: 'C', did, meant }
            }
            (None, Some(_)) => Deed { letter: 'W', did: format!("wrote {new}"), meant: format!("write {new}") },
            _ => Deed { letter: 'R', did: format!("read {old}"), meant: "read".to_owned() },
        }
    }

    /// All that wrote a value, but for one operation.
    fn writers(&self, value: Value, besides: OpId) -> impl Iterator<Item = &Act> {
        self.acts.iter().filter(move |act| act.writes == Some(value) && act.op != besides)
    }

    /// The write that an operation saw, if one alone can be it: nothing within for the initial value.
    fn origin(&self, reader: OpId) -> Option<(Option<OpId>, Source)> {
        let reader = self.act(reader)?;
        let value = reader.observes?;
        let all: Vec<OpId> = self.writers(value, reader.op).filter(|act| !act.failed).map(|act| act.op).collect();
        let may_be_first = self.initial.is_none_or(|initial| initial == value);
        match all[..] {
            [] => return may_be_first.then_some((None, Source::Only)),
            [only] if self.initial != Some(value) => return Some((Some(only), Source::Only)),
            _ => {}
        }
        let over = self.acts.iter().any(|act| act.must && act.writes.is_some() && act.ended < reader.began);
        match possible_writers(&self.acts, reader, value)[..] {
            [] if may_be_first && !over => Some((None, Source::OnlyThen)),
            [only] if !may_be_first || over => Some((Some(only.op), Source::OnlyThen)),
            _ => None,
        }
    }

    fn saw(&self, reader: OpId, writer: Option<OpId>) -> bool {
        self.origin(reader).is_some_and(|(origin, _)| origin == writer)
    }

    fn before(&self, first: OpId, then: OpId) -> bool {
        self.history.op(first).ended() < self.history.op(then).began()
    }

    fn is_so(&self, why: &Why) -> bool {
        let seen = |op: OpId| self.act(op).and_then(|act| act.observes);
        match why {
            Why::FromNowhere { observer } => {
                seen(*observer).is_some_and(|value| self.writers(value, *observer).next().is_none())
            }
            Why::Failed { observer, writer } => {
                let Some(value) = seen(*observer).filter(|value| self.initial != Some(*value)) else { return false };
                let mut writers = self.writers(value, *observer);
                writers.all(|act| act.failed)
                    && self.act(*writer).is_some_and(|act| act.failed && act.writes == Some(value))
            }
            Why::TooEarly { observer, writer } => {
                let Some(value) = seen(*observer).filter(|value| self.initial != Some(*value)) else { return false };
                let writers = || self.writers(value, *observer).filter(|act| !act.failed);
                let first = writers().min_by_key(|act| (act.began, act.op));
                first.is_some_and(|first| first.op == *writer) && self.before(*observer, *writer)
            }
            Why::Unwritten { observer } => {
                let Some((act, value)) = self.act(*observer).zip(seen(*observer)) else { return false };
                let over =
                    self.acts.iter().any(|other| other.must && other.writes.is_some() && other.ended < act.began);
                let at_first = self.initial.is_none_or(|initial| initial == value) && !over;
                possible_writers(&self.acts, act, value).is_empty() && !at_first
            }
            Why::Overwritten { writer, newer, observer } => {
                let (Some(value), Some(hides)) = (seen(*observer), self.act(*newer)) else { return false };
                let ended = self.act(*observer).map_or(0, |act| act.ended);
                let writers = || self.writers(value, *observer).filter(|act| !act.failed && act.began <= ended);
                let last = writers().max_by_key(|act| act.ended);
                hides.must
                    && hides.writes.is_some()
                    && self.before(*newer, *observer)
                    && last.map(|act| act.op) == *writer
                    && last.is_none_or(|act| act.ended < hides.began)
                    && (writer.is_some() || self.initial == Some(value))
            }
            Why::ReplacedTwice { writer, first, second } => {
                let updates = |op: OpId| self.act(op).is_some_and(|act| act.observes.is_some() && act.writes.is_some());
                first != second && [*first, *second].into_iter().all(|op| updates(op) && self.saw(op, *writer))
            }
            Why::Circle(updates) => {
                let next = |at: usize| updates[(at + 1) % updates.len()];
                !updates.is_empty() && (0..updates.len()).all(|at| self.saw(next(at), Some(updates[at])))
            }
            Why::Backwards(side) => {
                let Some(early) = side.early else { return false };
                let places = self.place(side, early).zip(self.place(side, side.late));
                self.is_run(side) && places.is_some_and(|(early, late)| early > late) && self.before(early, side.late)
            }
            Why::Crossed(sides) => [(0, 1), (1, 0)].into_iter().all(|(a, b)| {
                let at_first = || self.begins_with_initial(&sides[a]);
                self.is_run(&sides[a])
                    && sides[a].early.map_or_else(at_first, |first| self.before(first, sides[b].late))
            }),
        }
    }

    fn begins_with_initial(&self, side: &Side) -> bool {
        side.path.first().is_none_or(|first| self.saw(*first, None))
    }

    /// Whether each of its values replaced the one before, and its operations are about them.
    fn is_run(&self, side: &Side) -> bool {
        let linked = side.path.windows(2).all(|pair| self.saw(pair[1], Some(pair[0])));
        let all_write = side.path.iter().all(|op| self.act(*op).is_some_and(|act| act.writes.is_some()));
        let about = |op: &OpId| self.place(side, *op).is_some();
        linked && all_write && side.early.iter().chain([&side.late]).all(about)
    }

    /// Which of a run's values an operation wrote or read, from 1; 0 for the initial one.
    fn place(&self, side: &Side, op: OpId) -> Option<usize> {
        let of = |write: OpId| side.path.iter().position(|other| *other == write).map(|at| at + 1);
        let read = || match self.origin(op)?.0 {
            Some(writer) => of(writer),
            None => self.begins_with_initial(side).then_some(0),
        };
        if self.is_read(op) { read() } else { of(op) }
    }
}

impl Object for Register<'_> {
    fn noun(&self) -> &'static str {
        "register"
    }

    fn observed(&self, op: OpId) -> String {
        self.text(self.act(op).and_then(|act| act.observes))
    }

    fn value(&self, op: OpId) -> String {
        self.text(self.act(op).and_then(|act| act.writes.or(act.observes)))
    }

    fn is_read(&self, op: OpId) -> bool {
        self.act(op).is_some_and(|act| act.writes.is_none())
    }

    fn writer(&self, reader: OpId, _: &[OpId]) -> Option<OpId> {
        self.origin(reader).and_then(|(origin, _)| origin)
    }

    fn source(&self, writer: OpId, reader: OpId) -> Source {
        match self.origin(reader) {
            Some((Some(origin), source)) if origin == writer => source,
            // Of several that had been overwritten, or had not begun.
            _ if self.before(reader, writer) => Source::First,
            _ => Source::LastThen,
        }
    }

    fn is_only_writer(&self, failed: OpId) -> bool {
        let value = self.act(failed).and_then(|act| act.writes);
        value.is_some_and(|value| self.writers(value, failed).next().is_none())
    }
}
