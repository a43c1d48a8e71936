//! How a few operations of one object contradict each other, as data and in words.

use serde::{Deserialize, Serialize};

use super::{Cast, Source};
use crate::history::{History, OpId};

/// Why operations have no order, where that can be said in a few sentences.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Why {
    /// An observation of a value that nobody wrote.
    FromNowhere {
        /// Who observed it.
        observer: OpId,
    },
    /// An observation of a value whose writers all failed.
    Failed {
        /// Who observed it.
        observer: OpId,
        /// One who failed to write it.
        writer: OpId,
    },
    /// An observation that ended before the value's writer began.
    TooEarly {
        /// Who observed it.
        observer: OpId,
        /// The writer that began first.
        writer: OpId,
    },
    /// An observation of a value that nobody can have written by then.
    Unwritten {
        /// Who observed it.
        observer: OpId,
    },
    /// An observation of a value that had been overwritten before it began.
    Overwritten {
        /// Of its writers the one that was over last; nothing for the initial value.
        writer: Option<OpId>,
        /// A write after that, which was over before the observation began.
        newer: OpId,
        /// Who observed it.
        observer: OpId,
    },
    /// Two compare-and-sets replaced the same value.
    ReplacedTwice {
        /// Its writer; nothing for the initial value.
        writer: Option<OpId>,
        /// One of them.
        first: OpId,
        /// The other one.
        second: OpId,
    },
    /// Compare-and-sets each of which needs the one before it, the first the last.
    Circle(Vec<OpId>),
    /// Within a chain of compare-and-sets, what is late in it was over before what is early in it began.
    Backwards(Side),
    /// Two runs of values each of which has to come before the other.
    Crossed([Side; 2]),
}

/// A run of values that stand next to each other in every order: one value, or a piece of a chain of compare-and-sets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Who writes them, in order; empty where it is the initial value alone.
    pub path: Vec<OpId>,
    /// The operation that ended first; nothing where the initial value was there at first.
    pub early: Option<OpId>,
    /// The operation that began last.
    pub late: OpId,
}

impl Side {
    fn operations_mut(&mut self) -> impl Iterator<Item = &mut OpId> {
        self.path.iter_mut().chain(&mut self.early).chain([&mut self.late])
    }
}

impl Why {
    /// Every operation that it names, for putting another name in its place.
    pub(in crate::witness) fn operations_mut(&mut self) -> Vec<&mut OpId> {
        match self {
            Why::FromNowhere { observer } | Why::Unwritten { observer } => vec![observer],
            Why::Failed { observer, writer } | Why::TooEarly { observer, writer } => vec![observer, writer],
            Why::Overwritten { writer, newer, observer } => writer.iter_mut().chain([newer, observer]).collect(),
            Why::ReplacedTwice { writer, first, second } => writer.iter_mut().chain([first, second]).collect(),
            Why::Circle(updates) => updates.iter_mut().collect(),
            Why::Backwards(side) => side.operations_mut().collect(),
            Why::Crossed([one, other]) => one.operations_mut().chain(other.operations_mut()).collect(),
        }
    }
}

/// What the words ask of an object.
pub trait Object {
    /// What it is called.
    fn noun(&self) -> &'static str;
    /// What an operation found.
    fn observed(&self, op: OpId) -> String;
    /// What an operation returned, or left behind.
    fn value(&self, op: OpId) -> String;
    /// Whether it changes nothing.
    fn is_read(&self, op: OpId) -> bool;
    /// Of these writes, the one that an operation saw; nothing for the initial value.
    fn writer(&self, reader: OpId, among: &[OpId]) -> Option<OpId>;
    /// By what it tells that.
    fn source(&self, writer: OpId, reader: OpId) -> Source;
    /// Whether nobody else would have written what a failed operation would have.
    fn is_only_writer(&self, failed: OpId) -> bool;
}

/// Tells a contradiction, step by step; gives what it means.
pub fn tell(cast: &mut Cast<'_>, history: &History, object: &dyn Object, why: &Why) -> String {
    Story { cast, history, object }.tell(why)
}

struct Story<'s, 'h> {
    cast: &'s mut Cast<'h>,
    history: &'s History,
    object: &'s dyn Object,
}

impl Story<'_, '_> {
    fn saw(&mut self, writer: OpId, reader: OpId) {
        self.cast.shows(writer, reader, self.object.source(writer, reader));
    }

    fn name(&self, op: OpId) -> &str {
        self.cast.name(op)
    }

    fn tell(&mut self, why: &Why) -> String {
        let (object, noun) = (self.object, self.object.noun());
        match why {
            Why::FromNowhere { observer } => {
                let (did, seen) = (self.cast.did(*observer), object.observed(*observer));
                let because = format!("{did}, and no operation of this key wrote {seen}");
                self.cast.step(*observer, *observer, "thin-air", because);
                format!(
                    "The {noun} returned a value that no client ever sent: data was invented, mixed up between keys, or left \
                     over from before the test."
                )
            }
            Why::Failed { observer, writer } => {
                let only = object.is_only_writer(*writer);
                let others = if only { "the only one that could have" } else { "as did all others that could have" };
                let because = format!("{}, and {}, {others}", self.cast.did(*observer), self.cast.did(*writer));
                self.cast.step(*writer, *observer, "wr", because);
                format!(
                    "{} was told that nothing happened, and its value is there all the same: a client that tries again \
                     acts twice.",
                    self.name(*writer)
                )
            }
            Why::TooEarly { observer, writer } => {
                self.saw(*writer, *observer);
                self.cast.before(*observer, *writer);
                format!(
                    "{} saw {} before the client that wrote it had begun: the records' order or the history's recorder is \
                     wrong, or the value came from elsewhere.",
                    self.name(*observer),
                    object.observed(*observer)
                )
            }
            Why::Unwritten { observer } => {
                self.cast.saw_one_of(&[], *observer, false);
                format!("{} found a value that could not be there yet.", self.name(*observer))
            }
            Why::Overwritten { writer, newer, observer } => {
                if let Some(writer) = writer {
                    self.saw(*writer, *observer);
                    self.cast.before(*writer, *newer);
                }
                self.cast.before(*newer, *observer);
                self.stale(*observer, &object.observed(*observer), *newer)
            }
            Why::ReplacedTwice { writer, first, second } => {
                for cas in [*first, *second] {
                    if let Some(writer) = writer {
                        self.saw(*writer, cas);
                    }
                }
                let because = format!("{}, and {} there too", self.cast.did(*first), self.cast.did(*second));
                self.cast.step(*first, *second, "rw", because);
                format!(
                    "{} was there once, and both changed it: one of the two updates is lost, though both clients were \
                     told that theirs succeeded.",
                    object.observed(*first)
                )
            }
            Why::Circle(updates) => {
                for (at, op) in updates.iter().enumerate() {
                    self.saw(*op, updates[(at + 1) % updates.len()]);
                }
                "Each of these needs the one before it, and the first needs the last: none can be the first.".to_owned()
            }
            Why::Backwards(side) => self.tell_backwards(side),
            Why::Crossed(sides) => self.tell_crossed(sides),
        }
    }

    fn stale(&self, read: OpId, returned: &str, newer: OpId) -> String {
        format!(
            "{} returned {returned} after {} had taken its place: a client acts on data that was already overwritten, or \
             loses sight of a write that it was told had succeeded.",
            self.name(read),
            self.object.value(newer)
        )
    }

    fn follow(&mut self, side: &Side) {
        for pair in side.path.windows(2) {
            self.saw(pair[0], pair[1]);
        }
        // The reads among its operations, with the writers that they saw.
        let late = Some(side.late).filter(|late| side.early != Some(*late));
        for op in side.early.into_iter().chain(late).filter(|op| self.object.is_read(*op)) {
            match self.object.writer(op, &side.path) {
                Some(writer) => self.saw(writer, op),
                None => {
                    let because = format!("{}, the initial value", self.cast.did(op));
                    self.cast.step(op, op, "wr", because);
                }
            }
        }
    }

    fn tell_backwards(&mut self, side: &Side) -> String {
        self.follow(side);
        let Some(early) = side.early else { return String::new() };
        self.cast.before(early, side.late);
        let (object, late) = (self.object, side.late);
        if object.is_read(late) {
            format!(
                "{} was replaced step by step until {} was there, and {} found it again afterwards: an acknowledged update \
                 went back in time.",
                object.value(late),
                object.value(early),
                self.name(late)
            )
        } else {
            format!(
                "{} comes from {} step by step, and was there before {} had begun.",
                object.value(early),
                object.value(late),
                self.name(late)
            )
        }
    }

    fn tell_crossed(&mut self, sides: &[Side; 2]) -> String {
        sides.iter().for_each(|side| self.follow(side));
        for (a, b) in [(0, 1), (1, 0)] {
            if let Some(first) = sides[a].early {
                self.cast.before(first, sides[b].late);
            }
        }
        // A side whose last operation is a read was read after the other side's value had come: the later such read is
        // the surprising one.
        let stale = (0..2)
            .filter(|at| self.object.is_read(sides[*at].late) && sides[1 - *at].early.is_some())
            .max_by_key(|at| self.history.op(sides[*at].late).began());
        let (object, noun) = (self.object, self.object.noun());
        match stale.and_then(|at| Some((sides[at].late, sides[1 - at].early?))) {
            Some((read, newer)) => self.stale(read, &object.value(read), newer),
            None => {
                let [one, other] = [0, 1].map(|at| object.value(sides[at].late));
                format!(
                    "{one} has to come before {other}, and {other} before {one}: no single copy of the {noun} behaves so."
                )
            }
        }
    }
}
