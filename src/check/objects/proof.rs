//! What shows that one register is not linearizable: a few of its operations, and how they contradict each other.

use crate::guarantee::Anomaly;
use crate::history::{Status, Value};
use crate::witness::Minimality;
use crate::workload::register::Key;

use super::registers::Item;
use super::values::NONE;

/// How operations contradict each other. Operations are numbers within their key.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// An observation of a value that nobody wrote.
    ThinAir { observer: u32 },
    /// An observation of a value whose only writer failed.
    Aborted { observer: u32, writer: u32 },
    /// An observation that ended before the value's writer began.
    Future { observer: u32, writer: u32 },
    /// Two compare-and-sets that replaced the same value of the same writer (none: the initial value).
    Fork { writer: u32, first: u32, second: u32 },
    /// Two gets (or one) that show an appended text in two places.
    Moved { append: u32, first: u32, second: u32 },
    /// Compare-and-sets each of which needs the one before it, the first the last.
    Circle { cas: Vec<u32> },
    /// Within one chain of compare-and-sets: `early`, of the last value, ended before `late`, of the first, began.
    Chain { path: Vec<u32>, early: u32, late: u32 },
    /// An observation of a value that nobody else can have written by then.
    Unwritten { observer: u32 },
    /// An observation of a value whose last writer (none: the initial value) was over before `newer` began.
    Hidden { writer: u32, newer: u32, observer: u32 },
    /// The search of all operations found no order past the completion of `dead`: what the object can hold before it, and
    /// where there were too few crashed operations. Not yet a proof that a person can follow.
    Searched { dead: u32, scarce: Vec<u32>, states: Vec<Option<Value>> },
    /// Operations none of whose orders passes the completion of `last`: what the object can hold before it. All operations
    /// of the key, where there are no fewer of which that is known.
    Exhausted { last: u32, states: Vec<Option<Value>>, next: Vec<Next>, part: Vec<Item> },
    /// Operations on a string none of whose orders passes the completion of `last`: the strings that there can be before it
    /// (nothing for those that begin none that was got). No strings where nobody knows fewer operations than all.
    Stuck { last: u32, held: Vec<Option<String>>, next: Vec<Next> },
    /// Two runs of values each of which has to come before the other.
    Pair { sides: [Side; 2] },
}

/// An operation that could come next where no order goes on, and why that does not help.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub(super) op: u32,
    pub(super) why: Why,
}

/// Why an operation that could come next does not help.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Why {
    /// Every order that gets so far has taken it.
    Used,
    /// What it needs is not there.
    Needs,
    /// It can be taken, and leads to nothing that is needed.
    LeadsNowhere,
}

/// A run of values that stand next to each other in every order: one value, or a piece of a chain of compare-and-sets.
#[derive(Clone, Debug)]
pub(super) struct Side {
    /// Who writes them, in order; empty where it is the initial value alone.
    pub(super) path: Vec<u32>,
    /// The operation that ended first; none where it is the initial value's write.
    pub(super) early: u32,
    /// The operation that began last.
    pub(super) late: u32,
}

/// A contradiction, with the operations that it needs.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) anomaly: Anomaly,
    pub(super) shape: Shape,
    /// Distinct, in order of invocation.
    pub(super) operations: Vec<u32>,
    pub(super) minimality: Minimality,
    /// Whether values are written several times, so that a read does not name its writer by its value alone.
    pub(super) repeated: bool,
}

impl Proof {
    pub(super) fn new(anomaly: Anomaly, shape: Shape, more: &[u32]) -> Proof {
        let mut operations = more.to_vec();
        match &shape {
            Shape::ThinAir { observer } | Shape::Unwritten { observer } => operations.push(*observer),
            Shape::Aborted { observer, writer } | Shape::Future { observer, writer } => {
                operations.extend([*observer, *writer]);
            }
            Shape::Moved { append, first, second } => operations.extend([*append, *first, *second]),
            Shape::Hidden { writer, newer, observer } => operations.extend([*writer, *newer, *observer]),
            Shape::Searched { dead: op, .. } | Shape::Exhausted { last: op, .. } | Shape::Stuck { last: op, .. } => {
                operations.push(*op);
            }
            Shape::Fork { writer, first, second } => operations.extend([*writer, *first, *second]),
            Shape::Circle { cas } => operations.extend(cas),
            Shape::Chain { path, early, late } => {
                operations.extend(path);
                operations.extend([*early, *late]);
            }
            Shape::Pair { sides } => {
                for side in sides {
                    operations.extend(&side.path);
                    operations.extend([side.early, side.late]);
                }
            }
        }
        operations.retain(|op| *op != NONE);
        operations.sort_unstable();
        operations.dedup();
        Proof { anomaly, shape, operations, minimality: Minimality::Minimum, repeated: false }
    }

    /// Adds an observer for each crashed operation whose effect nothing here observes: without one it need not have
    /// happened. Crashed operations that observe only each other need one from outside.
    pub(super) fn with_observers(mut self, key: &Key<'_>) -> Proof {
        let (mut at, bare) = (0, self.operations.len());
        while at < self.operations.len() {
            let op = self.operations[at];
            at += 1;
            let Some(value) = crashed_value(key, op) else { continue };
            let observed = |other: &u32| *other != op && key.observed(*other as usize) == Some(value);
            if !self.operations.iter().any(observed) {
                self.operations.extend(observer_of(key, value, &self.operations));
            }
            let none_sure = self.operations.iter().all(|op| key.status[*op as usize] == Status::Info);
            if at == self.operations.len() && none_sure {
                let outside = |op: &u32| observer_of(key, crashed_value(key, *op)?, &self.operations);
                let outside = self.operations.iter().find_map(outside);
                self.operations.extend(outside);
            }
        }
        self.with(&[], bare)
    }

    /// With these operations too: more than `bare` are more than a closed form counts, so that nobody knows whether fewer
    /// do. Where one kind of observation is the whole claim, each operation is needed for it.
    pub(super) fn with(mut self, more: &[u32], bare: usize) -> Proof {
        self.operations.extend(more);
        self.operations.sort_unstable();
        self.operations.dedup();
        if self.operations.len() > bare {
            let claim = self.anomaly != Anomaly::NonLinearizable;
            self.minimality = if claim { Minimality::OneMinimal } else { Minimality::Bounded };
        }
        self
    }

    /// What is found by search is found last; else fewest operations first, then the shortest window, then the earliest.
    pub(super) fn rank(&self, key: &Key<'_>) -> (bool, usize, u32, u32) {
        let (from, to) = window(key, &self.operations);
        match self.shape {
            Shape::Searched { .. } => (true, key.len(), 0, from),
            _ => (false, self.operations.len(), to - from, from),
        }
    }
}

fn crashed_value(key: &Key<'_>, op: u32) -> Option<Value> {
    key.written(op as usize).filter(|_| key.status[op as usize] == Status::Info)
}

/// Whoever else observed the value: an ok operation where there is one.
fn observer_of(key: &Key<'_>, value: Value, besides: &[u32]) -> Option<u32> {
    let observers = || {
        (0u32..).take(key.len()).filter(|op| {
            let at = *op as usize;
            key.observed(at) == Some(value) && key.status[at] != Status::Fail && !besides.contains(op)
        })
    };
    observers().find(|op| key.status[*op as usize] == Status::Ok).or_else(|| observers().next())
}

/// From the first beginning to the last known end.
pub(super) fn window(key: &Key<'_>, operations: &[u32]) -> (u32, u32) {
    let from = operations.iter().map(|op| key.began[*op as usize]).min().unwrap_or(0);
    let to = operations.iter().map(|op| end_seen(key, *op)).max().unwrap_or(from);
    (from, to)
}

fn end_seen(key: &Key<'_>, op: u32) -> u32 {
    let op = op as usize;
    if key.status[op] == Status::Ok { key.ended[op] } else { key.began[op] }
}

/// The best proof of each kind so far, and how many there were.
#[derive(Default)]
pub(super) struct Proofs {
    pub(super) found: Vec<(Proof, u64)>,
}

impl Proofs {
    /// One more.
    pub(super) fn add(&mut self, key: &Key<'_>, proof: Proof) {
        match self.found.iter_mut().find(|(known, _)| known.anomaly == proof.anomaly) {
            None => self.found.push((proof, 1)),
            Some((known, count)) => {
                *count += 1;
                if proof.rank(key) < known.rank(key) {
                    *known = proof;
                }
            }
        }
    }
}
