//! What can't be of counters, as a person reads it.

use serde::{Deserialize, Serialize};

use super::{at_node, in_order};
use crate::history::{History, OpId};
use crate::witness::objects::{Cast, Deed};
use crate::witness::recheck::updates::counter::{amount, shown, span, telling};

/// Which additions have to be counted by a read, and which may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Premise {
    /// None has to be; each that did not fail may be.
    Any,
    /// What was acknowledged before the read began; what had begun when it ended.
    Timely,
    /// What its own session had done before; all others.
    Own,
    /// None; all but what its own session did later.
    Future,
    /// All that was acknowledged; those of unknown outcome.
    End,
}

/// A sum that no choice of additions gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// No choice of additions gives what a read shows.
    Outside {
        /// The read.
        read: OpId,
        /// The additions.
        premise: Premise,
    },
    /// A read shows less than an earlier one of its session although nothing is taken away, or more although nothing is added.
    Backward {
        /// The read.
        read: OpId,
        /// The earlier one.
        earlier: OpId,
    },
    /// Two final reads differ, and nothing is of unknown outcome.
    Differ {
        /// The reads.
        reads: [OpId; 2],
    },
    /// No order of all additions gives these reads what they show, and contains real time.
    NoOrder {
        /// The reads.
        reads: Vec<OpId>,
    },
}

impl Shape {
    pub(super) fn operations_mut(&mut self) -> Vec<&mut OpId> {
        match self {
            Shape::Outside { read, .. } => vec![read],
            Shape::Backward { read, earlier } => vec![read, earlier],
            Shape::Differ { reads } => reads.iter_mut().collect(),
            Shape::NoOrder { reads } => reads.iter_mut().collect(),
        }
    }
}

/// The operations with their steps, and the read that the last sentence is about.
pub(super) fn cast<'h>(history: &'h History, shape: &Shape) -> (Cast<'h>, OpId) {
    let told = |reads: &[OpId], update: Option<OpId>| {
        let reads = reads.iter().map(|read| (*read, read_deed(history, *read)));
        in_order(history, reads.chain(update.map(|update| (update, added(history, update)))).collect())
    };
    match *shape {
        Shape::Outside { read, premise } => {
            let update = telling(history, read, premise);
            let mut cast = told(&[read], update);
            if let (Premise::Timely | Premise::End, Some(update)) = (premise, update) {
                cast.before(update, read);
            }
            let ground = match premise {
                Premise::Any => "all additions that did not fail, in any choice, give",
                Premise::Timely => {
                    "what had been acknowledged when it began, with or without what was under way until it ended, gives"
                }
                Premise::Own => "what its own session had added before, with or without all others, gives",
                Premise::Future => "what others added, and its own session before, gives",
                Premise::End => "all that was acknowledged, with or without what nobody knows of, gives",
            };
            let (lowest, highest) = span(history, read, premise);
            let span = if lowest == highest { lowest.to_string() } else { format!("{lowest} to {highest}") };
            let step = match premise {
                Premise::Any => "thin-air",
                Premise::Own | Premise::Future => "process",
                Premise::Timely | Premise::End => "sum",
            };
            let because = format!("{}, and {ground} {span}", cast.did(read));
            cast.step(read, read, step, because);
            (cast, read)
        }
        Shape::Backward { read, earlier } => {
            let mut cast = told(&[earlier, read], None);
            let because = format!(
                "{}, and later in the same session {}, although amounts only go one way",
                cast.did(earlier),
                cast.did(read)
            );
            cast.step(earlier, read, "process", because);
            (cast, read)
        }
        Shape::Differ { reads: [a, b] } => {
            let mut cast = told(&[a, b], None);
            let because = format!("{}, and {}", cast.did(a), cast.did(b));
            cast.step(a, b, "diverged", because);
            (cast, b)
        }
        Shape::NoOrder { ref reads } => {
            let mut cast = told(reads, None);
            let subject = reads.last().copied().unwrap_or(OpId(0));
            let because = "no order of all additions that contains real time, with or without those of unknown outcome, gives what was read";
            cast.step(subject, subject, "no-order", because.to_owned());
            (cast, subject)
        }
    }
}

fn read_deed(history: &History, read: OpId) -> Deed {
    let sum = shown(history, read).map_or_else(|| "nothing".to_owned(), |sum| sum.to_string());
    let did = format!("read {sum}{}", at_node(history, &history.op(read)));
    Deed { letter: 'R', did, meant: "read".to_owned() }
}

fn added(history: &History, update: OpId) -> Deed {
    let amount = amount(history, &history.op(update));
    Deed { letter: 'A', did: format!("added {amount}"), meant: format!("add {amount}") }
}
