//! From a search that found no order to few operations that show it.
//!
//! The operations are kept *closed*: an observation stays only with every write that it can have seen, as far as the part
//! itself tells (a write is hidden where another one of the part lies wholly between it and the observation), and where
//! there are writes but none that it can have seen, with one of these. A compare-and-set that this does not hold of goes on as a plain write. A closed
//! part of a history that has an order has one, so
//! a closed part without any is a proof. Windows around the place where the search ended, and around those where it lacked
//! crashed operations (which others had used up, perhaps long before), grow until they hold one; then
//! chunks of it are left out, down to single operations, as long as what is left still has no order (Zeller's ddmin). What
//! remains is 1-minimal, or as small as the budget allowed. The same is done with a contradiction that was found in another
//! way, and that more operations came to than a closed form counts.

use hashbrown::HashMap;

use super::proof::{Proof, Shape};
use super::registers::{Item, Registers};
use super::values::NONE;
use crate::budget::Meter;
use crate::guarantee::Anomaly;
use crate::history::{Status, Value};
use crate::search::{Answer, Dead, refute};
use crate::witness::Minimality;
use crate::workload::register::{Action, Initial, Key};

/// How many operations to each side of the place of death the window begins with.
const WINDOW: usize = 8;

/// How many places a window is around at most.
const MIDDLES: usize = 32;

/// Steps that all of it may take, the look at one window, and one attempt to leave something out.
const STEPS: u64 = 100_000_000;
const STEPS_A_WINDOW: u64 = 20_000_000;
const STEPS_AN_ATTEMPT: u64 = 4_000_000;

/// The proof, as small as can be: one from which nothing can be left out, wherever the budget allows that.
pub(super) fn settle(key: &Key<'_>, proof: Proof, meter: &mut Meter<'_>) -> Proof {
    meter.within(STEPS, |meter| settle_within(key, proof, meter))
}

fn settle_within(key: &Key<'_>, proof: Proof, meter: &mut Meter<'_>) -> Proof {
    if let Shape::Searched { dead, scarce, states } = &proof.shape {
        let mut narrowing = Narrowing::new(key, meter);
        let Some(part) = narrowing.window(*dead, scarce) else {
            let shape = Shape::Exhausted { last: *dead, states: states.clone(), part: Vec::new() };
            return Proof { shape, minimality: Minimality::Bounded, repeated: true, ..proof };
        };
        return narrowing.exhausted(part, *dead);
    }
    let claim = proof.anomaly != Anomaly::NonLinearizable && !proof.repeated;
    if claim
        || proof.minimality == Minimality::Minimum
        || matches!(proof.shape, Shape::Moved { .. } | Shape::Stuck { .. })
    {
        return proof;
    }
    let mut narrowing = Narrowing::new(key, meter);
    let mut part = narrowing.close(&proof.operations);
    if !narrowing.dead(&part) {
        // A write outside of it hides one within: it belongs to the proof.
        part = narrowing.close(&narrowing.with_hiding(&proof.operations));
        if narrowing.cut_short || !narrowing.dead(&part) {
            return Proof { minimality: Minimality::Bounded, ..proof };
        }
    } else if let [_] = proof.operations[..] {
        return Proof { minimality: Minimality::Minimum, ..proof };
    }
    let first = part.first().map_or(NONE, |item| item.op);
    let smaller = narrowing.exhausted(part, first);
    if smaller.operations == proof.operations { Proof { minimality: smaller.minimality, ..proof } } else { smaller }
}

struct Narrowing<'a, 'k, 'm> {
    key: &'a Key<'k>,
    meter: &'a mut Meter<'m>,
    /// Operations that count, in order of beginning.
    order: Vec<u32>,
    writers: HashMap<Value, Writers, foldhash::fast::RandomState>,
    cut_short: bool,
}

/// Who writes a value, in order of beginning.
#[derive(Default)]
struct Writers {
    sure: Vec<u32>,
    /// The latest end among each of these and those before it.
    last_end: Vec<u32>,
    crashed: Vec<u32>,
}

impl<'a, 'k, 'm> Narrowing<'a, 'k, 'm> {
    fn new(key: &'a Key<'k>, meter: &'a mut Meter<'m>) -> Self {
        let mut order: Vec<u32> = (0u32..).take(key.len()).collect();
        order.retain(|op| key.status[*op as usize] != Status::Fail);
        order.sort_by_key(|op| key.began[*op as usize]);
        let mut writers: HashMap<Value, Writers, foldhash::fast::RandomState> = HashMap::default();
        for op in &order {
            let at = *op as usize;
            let Some(value) = key.written(at) else { continue };
            let of_value = writers.entry(value).or_default();
            if key.status[at] == Status::Ok {
                of_value.last_end.push(key.ended[at].max(of_value.last_end.last().copied().unwrap_or(0)));
                of_value.sure.push(*op);
            } else {
                of_value.crashed.push(*op);
            }
        }
        Narrowing { key, meter, order, writers, cut_short: false }
    }

    /// For each of these operations, in order of beginning, of the certain writes among them that were over before it
    /// began, the one that began last.
    fn newest(&self, among: &[u32]) -> Vec<u32> {
        let key = self.key;
        let mut ended: Vec<u32> = among.to_vec();
        ended.retain(|op| key.status[*op as usize] == Status::Ok && key.action[*op as usize] != Action::Read);
        ended.sort_unstable_by_key(|op| key.ended[*op as usize]);
        let mut ended = ended.into_iter().peekable();
        let mut latest = NONE;
        let newest = among.iter().map(|op| {
            while let Some(write) = ended.next_if(|write| key.ended[*write as usize] < key.began[*op as usize]) {
                if latest == NONE || key.began[write as usize] > key.began[latest as usize] {
                    latest = write;
                }
            }
            latest
        });
        newest.collect()
    }

    /// These operations, and for each observer among them the write that hides most from it, and one that wrote what it saw.
    fn with_hiding(&self, operations: &[u32]) -> Vec<u32> {
        let mut all = operations.to_vec();
        let newest = self.newest(&self.order);
        for (op, newest) in self.order.iter().zip(newest) {
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

    /// The closed part within these operations.
    fn close(&self, among: &[u32]) -> Vec<Item> {
        let mut among = among.to_vec();
        among.retain(|op| self.key.status[*op as usize] != Status::Fail);
        among.sort_by_key(|op| self.key.began[*op as usize]);
        let mut inside = vec![false; self.key.len()];
        for op in &among {
            inside[*op as usize] = true;
        }
        let newest = self.newest(&among);
        let mut part = Vec::with_capacity(among.len());
        for (op, newest) in among.iter().zip(newest) {
            let observed = self.key.observed(*op as usize);
            let closed = observed.is_none_or(|value| self.is_closed(*op, value, newest, &among, &inside));
            let reads = self.key.action[*op as usize] == Action::Read;
            if closed || !reads {
                part.push(Item { op: *op, blind: !closed });
            }
        }
        part
    }

    /// From a part without an order, what nothing can be left out of, as a proof. `dead` stands for where the search ends
    /// if nobody can tell.
    fn exhausted(&mut self, mut part: Vec<Item>, dead: u32) -> Proof {
        self.shrink(&mut part);
        let minimality = if self.cut_short { Minimality::Bounded } else { Minimality::OneMinimal };
        let (last, states) = self.death(&part).unwrap_or((dead, Vec::new()));
        let operations: Vec<u32> = part.iter().map(|item| item.op).collect();
        let shape = Shape::Exhausted { last, states, part };
        Proof { minimality, repeated: true, ..Proof::new(Anomaly::NonLinearizable, shape, &operations) }
    }

    /// Whether the part has no order; where the budget ends, nobody knows, and it counts as having one.
    fn dead(&mut self, part: &[Item]) -> bool {
        self.dead_within(part, STEPS_AN_ATTEMPT)
    }

    fn dead_within(&mut self, part: &[Item], steps: u64) -> bool {
        // To lay it out takes time as well, and to close it did.
        let laid_out = self.meter.steps(u32::try_from(part.len().saturating_mul(16)).unwrap_or(u32::MAX));
        if laid_out.is_err() {
            self.cut_short = true;
            return false;
        }
        let (mut spec, operations, _) = Registers::new(self.key, part);
        match self.meter.within(steps, |meter| refute(&operations, &mut spec, meter)) {
            Answer::Dead(_) => true,
            Answer::Order(_) => false,
            Answer::Stopped { .. } | Answer::TooWide(_) => {
                self.cut_short = true;
                false
            }
        }
    }

    /// The smallest windows around where the search ended and where crashed operations were scarce, of those that double,
    /// whose closed part has no order. Nothing where the budget ends first.
    fn window(&mut self, dead: u32, scarce: &[u32]) -> Option<Vec<Item>> {
        let key = self.key;
        let mut middles: Vec<usize> = scarce.iter().rev().take(MIDDLES).chain([&dead]).map(|op| *op as usize).collect();
        let mut place = vec![0; key.len()];
        self.order.iter().enumerate().for_each(|(at, op)| place[*op as usize] = at);
        middles.iter_mut().for_each(|op| *op = place[*op]);
        let mut reach = WINDOW;
        loop {
            let mut inside = vec![false; self.order.len()];
            for middle in &middles {
                let from = middle.saturating_sub(reach);
                let to = (middle + reach + 1).min(self.order.len());
                let start = key.began[self.order[from] as usize];
                inside[from..to].fill(true);
                for (inside, op) in inside.iter_mut().zip(&self.order[..from]) {
                    *inside |= key.ended[*op as usize] >= start;
                }
            }
            let among: Vec<u32> = self.order.iter().zip(&inside).filter(|it| *it.1).map(|it| *it.0).collect();
            let part = self.close(&among);
            if self.dead_within(&part, STEPS_A_WINDOW) {
                return Some(part);
            }
            if among.len() == self.order.len() {
                return None;
            }
            reach *= 2;
        }
    }

    fn shrink(&mut self, part: &mut Vec<Item>) {
        let mut ops: Vec<u32> = part.iter().map(|item| item.op).collect();
        self.cut_short = false;
        leave_out(&mut ops, |rest| {
            let closed = self.close(rest);
            self.dead(&closed).then(|| closed.into_iter().map(|item| item.op).collect())
        });
        *part = self.close(&ops);
    }

    /// The completion that no order of the part passes, and what the register can hold before it.
    fn death(&mut self, part: &[Item]) -> Option<(u32, Vec<Option<Value>>)> {
        let (spec, operations, origins) = Registers::new(self.key, part);
        let mut spec = spec.without_outlook();
        let Answer::Dead(Dead { operation, states, .. }) = refute(&operations, &mut spec, self.meter) else {
            return None;
        };
        Some((origins[operation as usize], states.into_iter().map(|state| spec.value(state)).collect()))
    }
}

/// Leaves out what is not needed for there to be no order: chunks, then single operations (Zeller's ddmin). An attempt gives
/// the closed part within what it is given, if that has no order.
pub(super) fn leave_out(part: &mut Vec<u32>, mut attempt: impl FnMut(&[u32]) -> Option<Vec<u32>>) {
    // Late operations are the likeliest to be of no use.
    let mut chunk = part.len().div_ceil(2);
    loop {
        let mut smaller = false;
        let mut end = part.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let rest: Vec<u32> = part[..start].iter().chain(&part[end..]).copied().collect();
            match attempt(&rest) {
                Some(rest) => {
                    smaller = true;
                    *part = rest;
                    end = start.min(part.len());
                }
                None => end = start,
            }
        }
        if chunk <= 1 && !smaller {
            break;
        }
        if !smaller || chunk > part.len() {
            chunk = chunk.min(part.len()).div_ceil(2).max(1);
        }
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
