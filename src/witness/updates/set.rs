//! What can't be of sets, as a person reads it.

use serde::{Deserialize, Serialize};

use super::{at_node, in_order};
use crate::history::{History, OpId, Operation, Value};
use crate::witness::objects::{Cast, Deed};
use crate::witness::recheck::updates::set::{element, updates_of};

/// How long a value's text may get.
const VALUE_TEXT: usize = 60;

/// An element is there or is not, although no additions and removals explain it. Which elements they are stands in the claim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// A read shows what nobody added.
    Nowhere {
        /// The read.
        read: OpId,
    },
    /// A read shows what only failed additions would have added.
    Aborted {
        /// The read.
        read: OpId,
        /// One of them.
        add: OpId,
    },
    /// A read lists an element twice.
    Repeated {
        /// The read.
        read: OpId,
    },
    /// A read lacks what was there before it began, and nothing can have taken it away.
    Missed {
        /// The read.
        read: OpId,
        /// The element's addition, or a read that shows it.
        by: OpId,
    },
    /// A read shows what was removed before it began, after every addition that it can have seen.
    Returned {
        /// The read.
        read: OpId,
        /// The removal by whose end that was certain.
        remove: OpId,
    },
    /// A read shows what nobody had begun to add when it ended.
    Early {
        /// The read.
        read: OpId,
        /// The first addition.
        add: OpId,
    },
    /// Each of two reads shows an element that the other lacks, and nobody tried to remove either.
    Fork {
        /// The reads.
        reads: [OpId; 2],
    },
    /// One element was there before the only additions of another began, and a read shows that other without it.
    Overtaken {
        /// The addition that was over.
        first: OpId,
        /// The first addition of the other.
        then: OpId,
        /// The read.
        read: OpId,
    },
    /// A read lacks what its own session had added.
    OwnMissed {
        /// The read.
        read: OpId,
        /// The addition.
        add: OpId,
    },
    /// A read lacks what an earlier one of its session shows.
    Backward {
        /// The read.
        read: OpId,
        /// The earlier one.
        earlier: OpId,
    },
    /// A read shows what only its own session added, and only later.
    OwnFuture {
        /// The read.
        read: OpId,
        /// The addition.
        add: OpId,
    },
    /// Of two final reads, one shows an element and the other doesn't, and no operation of unknown outcome explains it.
    Differ {
        /// The one that shows it.
        shows: OpId,
        /// The one that lacks it.
        lacks: OpId,
    },
    /// No order of all updates of some elements gives these reads what they show of these elements, and contains real time.
    NoOrder {
        /// The reads.
        reads: Vec<OpId>,
    },
}

impl Shape {
    pub(super) fn operations_mut(&mut self) -> Vec<&mut OpId> {
        match self {
            Shape::Nowhere { read } | Shape::Repeated { read } => vec![read],
            Shape::Aborted { read, add }
            | Shape::Early { read, add }
            | Shape::OwnMissed { read, add }
            | Shape::OwnFuture { read, add } => vec![read, add],
            Shape::Missed { read, by } => vec![read, by],
            Shape::Returned { read, remove } => vec![read, remove],
            Shape::Backward { read, earlier } => vec![read, earlier],
            Shape::Overtaken { first, then, read } => vec![first, then, read],
            Shape::Differ { shows, lacks } => vec![shows, lacks],
            Shape::Fork { reads } => reads.iter_mut().collect(),
            Shape::NoOrder { reads } => reads.iter_mut().collect(),
        }
    }
}

/// The operations with their steps, and the read that the last sentence is about.
pub(super) fn cast<'h>(history: &'h History, shape: &Shape, elements: &[Value]) -> (Cast<'h>, OpId) {
    let value = |element: Value| history.values().json(element, VALUE_TEXT);
    let about = |at: usize| elements.get(at).copied();
    let of = |update: OpId| element(&history.op(update));
    let told = |reads: &[(OpId, Option<Value>)], updates: &[OpId]| {
        let reads = reads.iter().map(|(read, about)| (*read, shown(history, *read, *about)));
        in_order(history, reads.chain(updates.iter().map(|update| (*update, changed(history, *update)))).collect())
    };
    match *shape {
        Shape::Nowhere { read } => {
            let mut cast = told(&[(read, about(0))], &[]);
            let because = format!("{}, and nobody added {}", cast.did(read), value(about(0).unwrap_or(Value::NULL)));
            cast.step(read, read, "thin-air", because);
            (cast, read)
        }
        Shape::Aborted { read, add } => {
            let mut cast = told(&[(read, Some(of(add)))], &[add]);
            let because = format!("{}, and only {}", cast.did(read), cast.did(add));
            cast.step(add, read, "wr", because);
            (cast, read)
        }
        Shape::Repeated { read } => {
            let mut cast = told(&[(read, None)], &[]);
            let because = format!("{}, which lists an element more than once", cast.did(read));
            cast.step(read, read, "duplicate", because);
            (cast, read)
        }
        Shape::Missed { read, by } => {
            let is_read = is_read(history, by);
            let mut cast = match is_read {
                true => told(&[(by, about(0)), (read, about(0))], &[]),
                false => told(&[(read, about(0))], &[by]),
            };
            cast.before(by, read);
            (cast, read)
        }
        Shape::Returned { read, remove } => {
            let mut cast = told(&[(read, Some(of(remove)))], &[remove]);
            cast.before(remove, read);
            (cast, read)
        }
        Shape::Early { read, add } => {
            let mut cast = told(&[(read, Some(of(add)))], &[add]);
            cast.before(read, add);
            (cast, read)
        }
        Shape::Fork { reads: [a, b] } => {
            let mut cast = told(&[(a, None), (b, None)], &[]);
            let [x, y] = [0, 1].map(|at| value(about(at).unwrap_or(Value::NULL)));
            let (one, other) = (cast.name(a).to_owned(), cast.name(b).to_owned());
            let because = format!(
                "{one} showed {x} and not {y}, and {other} showed {y} and not {x}: a set that only grows passes through one of the two"
            );
            cast.step(a, b, "fork", because);
            (cast, a)
        }
        Shape::Overtaken { first, then, read } => {
            let mut cast = told(&[(read, Some(of(first)))], &[first, then]);
            cast.before(first, then);
            let because = format!("{}, and with {}", cast.did(read), value(of(then)));
            cast.step(then, read, "wr", because);
            (cast, read)
        }
        Shape::OwnMissed { read, add } => {
            let mut cast = told(&[(read, Some(of(add)))], &[add]);
            let because = format!("{}, and later in the same session {}", cast.did(add), cast.did(read));
            cast.step(add, read, "process", because);
            (cast, read)
        }
        Shape::Backward { read, earlier } => {
            let mut cast = told(&[(earlier, about(0)), (read, about(0))], &[]);
            let because = format!("{}, and later in the same session {}", cast.did(earlier), cast.did(read));
            cast.step(earlier, read, "process", because);
            (cast, read)
        }
        Shape::OwnFuture { read, add } => {
            let mut cast = told(&[(read, Some(of(add)))], &[add]);
            let because = format!(
                "{}, which nobody but the same session added, and only later: {}",
                cast.did(read),
                cast.did(add)
            );
            cast.step(read, add, "process", because);
            (cast, read)
        }
        Shape::Differ { shows, lacks } => {
            let mut cast = told(&[(shows, about(0)), (lacks, about(0))], &[]);
            let because = format!("{}, and {}", cast.did(shows), cast.did(lacks));
            cast.step(shows, lacks, "diverged", because);
            (cast, lacks)
        }
        Shape::NoOrder { ref reads } => {
            let subject = reads.last().copied().unwrap_or(OpId(0));
            let one = if let [one] = elements { Some(*one) } else { None };
            let updates: Vec<OpId> = if reads.is_empty() { Vec::new() } else { updates_of(history, subject, elements) };
            let shown: Vec<_> = reads.iter().map(|read| (*read, one)).collect();
            let mut cast = told(&shown, &updates);
            let because = format!(
                "no order of these {} operations that contains real time gives {} what it read",
                shown.len() + updates.len(),
                if reads.len() == 1 { "the read" } else { "every read" }
            );
            cast.step(subject, subject, "no-order", because);
            (cast, subject)
        }
    }
}

fn is_read(history: &History, op: OpId) -> bool {
    matches!(history.values().as_str(history.op(op).f()), Some("read" | "contains"))
}

/// What a read showed: of one element, or all.
fn shown(history: &History, read: OpId, about: Option<Value>) -> Deed {
    let (op, values) = (history.op(read), history.values());
    let did = if values.as_str(op.f()) == Some("contains") {
        let no = if op.result() == Value::TRUE { "" } else { "no " };
        format!("found {no}{}", values.json(op.argument(), VALUE_TEXT))
    } else if let Some(about) = about {
        let mut shown = values.items(op.result());
        shown.sort_unstable();
        shown.dedup();
        let count = match shown.len() {
            0 => "nothing".to_owned(),
            1 => "1 element".to_owned(),
            count => format!("{count} elements"),
        };
        let with = if shown.binary_search(&about).is_ok() { "with" } else { "without" };
        format!("read {count}, {with} {}", values.json(about, VALUE_TEXT))
    } else {
        format!("read {}", values.json(op.result(), VALUE_TEXT))
    };
    Deed { letter: 'R', did: did + &at_node(history, &op), meant: "read".to_owned() }
}

/// What an update did.
fn changed(history: &History, update: OpId) -> Deed {
    let op: Operation<'_> = history.op(update);
    let adds = history.values().as_str(op.f()) == Some("add");
    let (letter, did, meant) = if adds { ('A', "added", "add") } else { ('D', "removed", "remove") };
    let element = history.values().json(element(&op), VALUE_TEXT);
    Deed { letter, did: format!("{did} {element}"), meant: format!("{meant} {element}") }
}
