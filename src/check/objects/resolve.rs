//! Repeated values, resolved: which write each observation can have seen.
//!
//! An observation can't have seen a write that began after it ended, nor one that was over before a certain write began
//! which itself was over before the observation began. Where one writer is left for every observation, reads-from is a
//! function after all: each write gets a value of its own, and [`super::zones`] decides. Where several are left for some,
//! these observations are dropped, and what the rest contradicts is certain all the same (dropping a read, or
//! the expectation of a compare-and-set, only permits more).
//!
//! Cost: two sorts, then one sweep in which each writer is struck out once.

use super::proof::{Proof, Shape};
use super::values::NONE;
use crate::guarantee::Anomaly;
use crate::history::{Status, Value};
use crate::witness::Minimality;
use crate::workload::register::{Action, Initial, Key};

use hashbrown::HashMap;

/// The same key, with a value for each write.
pub(super) struct Resolved {
    action: Vec<Action>,
    status: Vec<Status>,
    value: Vec<Value>,
    expected: Vec<Value>,
    /// Observations that no write is left for.
    pub(super) hidden: Vec<Proof>,
    /// Whether some observation had several writers left, and was dropped.
    pub(super) ambiguous: bool,
}

/// The writers of one value that are not struck out, in order of beginning: a list through `Sweep::next`.
#[derive(Clone, Copy)]
struct Writers {
    first: u32,
    /// Of those struck out, the one that ended last.
    struck: u32,
    initial: bool,
}

struct Sweep<'a, 'k> {
    key: &'a Key<'k>,
    /// All operations in order of beginning.
    order: Vec<u32>,
    next: Vec<u32>,
    by_value: HashMap<Value, Writers, foldhash::fast::RandomState>,
}

/// What is left for an observation.
enum Left {
    One(u32),
    Initial,
    None { last: u32 },
    Several,
}

impl Resolved {
    /// Nothing where the initial value is not known, or there are more operations than values can be made for.
    pub(super) fn new(key: &Key<'_>) -> Option<Resolved> {
        let Initial::Known(initial) = key.initial else { return None };
        let mut resolved = Resolved {
            action: key.action.to_vec(),
            status: key.status.to_vec(),
            value: vec![own(0)?; key.len()],
            expected: vec![own(0)?; key.expected.len()],
            hidden: Vec::new(),
            ambiguous: false,
        };
        own(key.len())?;
        let mut sweep = Sweep::new(key, initial);
        let mut ended: Vec<u32> = (0u32..).take(key.len()).collect();
        ended.retain(|op| key.status[*op as usize] == Status::Ok && key.action[*op as usize] != Action::Read);
        ended.sort_unstable_by_key(|op| key.ended[*op as usize]);
        let mut ended = ended.into_iter().peekable();
        // Of the certain writes that were over before the current operation began, the one that began last.
        let mut newest = NONE;
        for at in sweep.order.clone() {
            let at = at as usize;
            while let Some(op) = ended.next_if(|op| key.ended[*op as usize] < key.began[at]) {
                if newest == NONE || key.began[op as usize] > key.began[newest as usize] {
                    newest = op;
                }
            }
            if key.written(at).is_some() {
                resolved.value[at] = own(at + 1)?;
            }
            let (Some(seen), true) = (key.observed(at), key.status[at] != Status::Fail) else { continue };
            let found = match sweep.left(at, seen, newest) {
                Left::One(writer) => own(writer as usize + 1)?,
                Left::Initial => own(0)?,
                Left::None { last } if key.status[at] == Status::Ok => {
                    resolved.hidden.push(hidden(at, last, newest, seen == initial));
                    resolved.drop_observation(at);
                    continue;
                }
                Left::None { .. } | Left::Several => {
                    resolved.ambiguous = true;
                    resolved.drop_observation(at);
                    continue;
                }
            };
            if key.action[at] == Action::Read {
                resolved.value[at] = found;
            } else {
                resolved.expected[at] = found;
            }
        }
        Some(resolved)
    }

    fn drop_observation(&mut self, at: usize) {
        match self.action[at] {
            Action::Read => self.status[at] = Status::Fail,
            _ => self.action[at] = Action::Write,
        }
    }

    /// The key as it is now.
    pub(super) fn key<'a>(&'a self, key: &Key<'a>) -> Key<'a> {
        Key {
            initial: Initial::Known(own(0).unwrap_or(Value::NULL)),
            action: &self.action,
            status: &self.status,
            value: &self.value,
            expected: &self.expected,
            ..*key
        }
    }
}

/// The value that stands for an operation's write, counted from 1; 0 is the initial value.
fn own(number: usize) -> Option<Value> {
    Value::small(i64::try_from(number).ok()?)
}

fn hidden(at: usize, last: u32, newest: u32, initial: bool) -> Proof {
    let observer = u32::try_from(at).unwrap_or(NONE);
    let shape = if newest == NONE || last == NONE && !initial {
        Shape::Unwritten { observer }
    } else {
        Shape::Hidden { writer: last, newer: newest, observer }
    };
    let mut proof = Proof::new(Anomaly::NonLinearizable, shape, &[]);
    proof.minimality = Minimality::OneMinimal;
    proof
}

impl<'a, 'k> Sweep<'a, 'k> {
    fn new(key: &'a Key<'k>, initial: Value) -> Sweep<'a, 'k> {
        let mut order: Vec<u32> = (0u32..).take(key.len()).collect();
        order.sort_by_key(|op| key.began[*op as usize]);
        let mut sweep = Sweep { key, order, next: vec![NONE; key.len()], by_value: HashMap::default() };
        let none = Writers { first: NONE, struck: NONE, initial: false };
        sweep.by_value.insert(initial, Writers { initial: true, ..none });
        for op in sweep.order.iter().rev() {
            let at = *op as usize;
            if let (Some(value), true) = (key.written(at), key.status[at] != Status::Fail) {
                let writers = sweep.by_value.entry(value).or_insert(none);
                sweep.next[at] = std::mem::replace(&mut writers.first, *op);
            }
        }
        sweep
    }

    /// The writers of a value that an operation can have seen, where `newest` hides what ended before it began. Operations
    /// come in order of beginning, so what is hidden once stays hidden.
    fn left(&mut self, observer: usize, value: Value, newest: u32) -> Left {
        let key = self.key;
        let Some(writers) = self.by_value.get_mut(&value) else { return Left::None { last: NONE } };
        let hidden = |op: u32| newest != NONE && key.ended[op as usize] < key.began[newest as usize];
        writers.initial &= newest == NONE;
        let mut found = if writers.initial { Left::Initial } else { Left::None { last: writers.struck } };
        let (mut before, mut at) = (NONE, writers.first);
        while at != NONE && key.began[at as usize] <= key.ended[observer] {
            let next = self.next[at as usize];
            if hidden(at) {
                if before == NONE {
                    writers.first = next;
                } else {
                    self.next[before as usize] = next;
                }
                if writers.struck == NONE || key.ended[at as usize] > key.ended[writers.struck as usize] {
                    writers.struck = at;
                }
                if let Left::None { last } = &mut found {
                    *last = writers.struck;
                }
            } else {
                before = at;
                if at as usize != observer {
                    match found {
                        Left::None { .. } => found = Left::One(at),
                        _ => return Left::Several,
                    }
                }
            }
            at = next;
        }
        found
    }
}
