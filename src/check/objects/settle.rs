//! The proof that one register is not linearizable, made small: one that the search found, and one that was found in another
//! way and that more operations came to than a closed form counts.
//!
//! A part of a register's history is closed where an observation stays only with every write that it can have seen, as far
//! as the part itself tells (a write is hidden where another one of the part lies wholly between it and the observation), and
//! where there are writes but none that it can have seen, with one of these. A compare-and-set that this does not hold of
//! goes on as a plain write.

use hashbrown::HashMap;

use super::narrow::{self, Ground, Narrowing};
use super::proof::{Proof, Shape};
use super::registers::{Item, Registers};
use super::values::NONE;
use crate::budget::Meter;
use crate::guarantee::Anomaly;
use crate::history::{Status, Value};
use crate::search::Operation;
use crate::verdict::StoppedBy;
use crate::witness::Minimality;
use crate::workload::register::{Action, Initial, Key};

/// The proof, as small as can be: one from which nothing can be left out, wherever the budget allows that.
pub(super) fn settle(key: &Key<'_>, proof: Proof, meter: &mut Meter<'_>) -> Proof {
    meter.within(narrow::STEPS, |meter| settle_within(key, proof, meter))
}

fn settle_within(key: &Key<'_>, proof: Proof, meter: &mut Meter<'_>) -> Proof {
    // A closed form is small already, and a key of a million values is not gone through again for it.
    let claim = proof.anomaly != Anomaly::NonLinearizable && !proof.repeated;
    let small = claim
        || proof.minimality == Minimality::Minimum
        || matches!(proof.shape, Shape::Moved { .. } | Shape::Stuck { .. });
    if small && !matches!(proof.shape, Shape::Searched { .. }) {
        return proof;
    }
    let mut narrowing = Narrowing::new(key, Closure::new(key), meter);
    if let Shape::Searched { dead, scarce, states } = &proof.shape {
        let Some(part) = narrowing.window(*dead, scarce) else {
            let shape = Shape::Exhausted { last: *dead, states: states.clone(), next: Vec::new(), part: Vec::new() };
            return Proof { shape, minimality: Minimality::Bounded, repeated: true, ..proof };
        };
        return exhausted(&mut narrowing, part, *dead);
    }
    let mut part = narrowing.close(&proof.operations);
    if !narrowing.dead(&part) {
        // A write outside of it hides one within: it belongs to the proof.
        let more = narrowing.ground.with_hiding(&proof.operations);
        part = narrowing.close(&more);
        if narrowing.cut_short || !narrowing.dead(&part) {
            return Proof { minimality: Minimality::Bounded, ..proof };
        }
    } else if let [_] = proof.operations[..] {
        return Proof { minimality: Minimality::Minimum, ..proof };
    }
    let first = part.first().map_or(NONE, |item| item.op);
    let smaller = exhausted(&mut narrowing, part, first);
    if smaller.operations == proof.operations { Proof { minimality: smaller.minimality, ..proof } } else { smaller }
}

/// From a part without an order, what nothing can be left out of, as a proof. `dead` stands for where the search ends if
/// nobody can tell.
fn exhausted(narrowing: &mut Narrowing<'_, '_, '_, Closure<'_, '_>>, mut part: Vec<Item>, dead: u32) -> Proof {
    narrowing.shrink(&mut part);
    let minimality = if narrowing.cut_short { Minimality::Bounded } else { Minimality::OneMinimal };
    let (last, states, next) = match narrowing.death(&part) {
        Some(death) => {
            let states = death.states.iter().map(|state| death.spec.value(*state)).collect();
            (death.last, states, death.next)
        }
        None => (dead, Vec::new(), Vec::new()),
    };
    let operations: Vec<u32> = part.iter().map(|item| item.op).collect();
    let shape = Shape::Exhausted { last, states, next, part };
    Proof { minimality, repeated: true, ..Proof::new(Anomaly::NonLinearizable, shape, &operations) }
}

/// What a register asks of the parts of its history.
struct Closure<'a, 'k> {
    key: &'a Key<'k>,
    writers: HashMap<Value, Writers, foldhash::fast::RandomState>,
}

/// Who writes a value, in order of beginning.
#[derive(Default)]
struct Writers {
    sure: Vec<u32>,
    /// The latest end among each of these and those before it.
    last_end: Vec<u32>,
    crashed: Vec<u32>,
}

impl<'a, 'k> Closure<'a, 'k> {
    fn new(key: &'a Key<'k>) -> Self {
        let mut writers: HashMap<Value, Writers, foldhash::fast::RandomState> = HashMap::default();
        for op in narrow::in_order(key) {
            let at = op as usize;
            let Some(value) = key.written(at) else { continue };
            let of_value = writers.entry(value).or_default();
            if key.status[at] == Status::Ok {
                of_value.last_end.push(key.ended[at].max(of_value.last_end.last().copied().unwrap_or(0)));
                of_value.sure.push(op);
            } else {
                of_value.crashed.push(op);
            }
        }
        Closure { key, writers }
    }

    /// These operations, and for each observer among them the write that hides most from it, and one that wrote what it saw.
    fn with_hiding(&self, operations: &[u32]) -> Vec<u32> {
        let (mut all, order) = (operations.to_vec(), narrow::in_order(self.key));
        let newest = narrow::newest(self.key, &order, |action| action != Action::Read);
        for (op, newest) in order.iter().zip(newest) {
            let (Some(value), true) = (self.key.observed(*op as usize), operations.contains(op)) else { continue };
            all.extend(Some(newest).filter(|newest| *newest != NONE));
            let writers = self.writers.get(&value).map(|writers| writers.sure.iter().chain(&writers.crashed));
            let mut writers = writers.into_iter().flatten().filter(|writer| *writer != op).peekable();
            let first = writers.peek().copied();
            if !writers.any(|writer| operations.contains(writer)) {
                all.extend(first);
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether all is inside that this operation can have seen, as far as a certain write tells that was over before it
    /// began.
    fn is_closed(&self, op: u32, value: Value, newest: u32, among: &[u32], inside: &[bool]) -> bool {
        let key = self.key;
        let Some(writers) = self.writers.get(&value) else { return true };
        let begun = |of: &[u32]| of.partition_point(|writer| key.began[*writer as usize] <= key.ended[op as usize]);
        let since = if newest == NONE { 0 } else { key.began[newest as usize] };
        let sure = begun(&writers.sure);
        let recent = writers.last_end[..sure].partition_point(|end| *end < since);
        let visible = writers.sure[recent..sure].iter().filter(|writer| key.ended[**writer as usize] >= since);
        let mut visible = visible.chain(&writers.crashed[..begun(&writers.crashed)]).filter(|writer| **writer != op);
        if let Some(first) = visible.next() {
            return inside[*first as usize] && visible.all(|writer| inside[*writer as usize]);
        }
        // All are hidden, or began too late.
        let mut others = writers.sure.iter().chain(&writers.crashed).filter(|writer| **writer != op);
        let shown = |writer: &u32| *writer != op && key.written(*writer as usize) == Some(value);
        initial_possible(key, value) || others.next().is_none() || among.iter().any(shown)
    }
}

impl Ground for Closure<'_, '_> {
    type Item = Item;
    type Spec = Registers;

    fn op(item: Item) -> u32 {
        item.op
    }

    fn close(&mut self, among: &[u32], _: &mut Meter<'_>) -> Result<Vec<Item>, StoppedBy> {
        let mut inside = vec![false; self.key.len()];
        for op in among {
            inside[*op as usize] = true;
        }
        let newest = narrow::newest(self.key, among, |action| action != Action::Read);
        let mut part = Vec::with_capacity(among.len());
        for (op, newest) in among.iter().zip(newest) {
            let observed = self.key.observed(*op as usize);
            let closed = observed.is_none_or(|value| self.is_closed(*op, value, newest, among, &inside));
            let reads = self.key.action[*op as usize] == Action::Read;
            if closed || !reads {
                part.push(Item { op: *op, blind: !closed });
            }
        }
        Ok(part)
    }

    fn lay_out(&self, part: &[Item], told: bool) -> (Registers, Vec<Operation>, Vec<u32>) {
        let (spec, operations, origins) = Registers::new(self.key, part);
        (if told { spec.without_outlook() } else { spec }, operations, origins)
    }
}

/// Whether the initial value is among what an observation can have seen, as far as real time tells.
pub(super) fn initial_possible(key: &Key<'_>, value: Value) -> bool {
    match key.initial {
        Initial::Known(initial) => initial == value,
        Initial::Unknown => true,
    }
}

/// The writers of a part that one of its observers can have seen, for its sentence.
pub(super) fn writers_within(key: &Key<'_>, part: &[Item], observer: u32) -> Vec<u32> {
    let Some(value) = key.observed(observer as usize) else { return Vec::new() };
    let ended = key.ended[observer as usize];
    part.iter()
        .map(|item| item.op)
        .filter(|op| *op != observer && *op != NONE)
        .filter(|op| key.written(*op as usize) == Some(value) && key.began[*op as usize] <= ended)
        .collect()
}
