//! From a search that found no order to few operations that show it.
//!
//! The operations are kept *closed*: an observation stays only with every write that it can have seen, and a compare-and-set
//! whose expectation lost one of these goes on as a plain write. A closed part of a history that has an order has one, so
//! a closed part without any is a proof. A window around the place where the search ended grows until it holds one; then
//! chunks of it are left out, down to single operations, as long as what is left still has no order (Zeller's ddmin). What
//! remains is 1-minimal, or as small as the budget allowed.

use hashbrown::HashMap;

use super::proof::{Proof, Shape};
use super::registers::{Item, Registers};
use super::values::NONE;
use crate::budget::Meter;
use crate::guarantee::Anomaly;
use crate::history::{Status, Value};
use crate::search::{Answer, Dead, search};
use crate::witness::Minimality;
use crate::workload::register::{Action, Initial, Key};

/// How many operations to each side of the place of death the window begins with.
const WINDOW: usize = 8;

/// A small proof that this key has no order. `dead` is the operation at which the search of all ended.
pub(super) fn narrow(key: &Key<'_>, dead: u32, meter: &mut Meter<'_>) -> Proof {
    let mut narrowing = Narrowing::new(key, meter);
    let mut part = narrowing.window(dead);
    narrowing.shrink(&mut part);
    let minimality = if narrowing.cut_short { Minimality::Bounded } else { Minimality::OneMinimal };
    let (last, states) = narrowing.death(&part).unwrap_or((dead, Vec::new()));
    let shape = Shape::Exhausted { last, states, part: part.clone() };
    let operations: Vec<u32> = part.iter().map(|item| item.op).collect();
    let mut proof = Proof::new(Anomaly::NonLinearizable, shape, &operations);
    proof.minimality = minimality;
    proof.repeated = true;
    proof
}

struct Narrowing<'a, 'k, 'm> {
    key: &'a Key<'k>,
    meter: &'a mut Meter<'m>,
    /// Operations that count, in order of beginning.
    order: Vec<u32>,
    /// For each operation, the latest beginning of a certain write that was over before it began.
    hidden_before: Vec<u32>,
    writers: HashMap<Value, Vec<u32>, foldhash::fast::RandomState>,
    cut_short: bool,
}

impl<'a, 'k, 'm> Narrowing<'a, 'k, 'm> {
    fn new(key: &'a Key<'k>, meter: &'a mut Meter<'m>) -> Self {
        let mut order: Vec<u32> = (0u32..).take(key.len()).collect();
        order.retain(|op| key.status[*op as usize] != Status::Fail);
        order.sort_by_key(|op| key.began[*op as usize]);
        let mut ended: Vec<u32> = order.clone();
        ended.retain(|op| key.status[*op as usize] == Status::Ok && key.action[*op as usize] != Action::Read);
        ended.sort_unstable_by_key(|op| key.ended[*op as usize]);
        let mut ended = ended.into_iter().peekable();
        let mut hidden_before = vec![0; key.len()];
        let mut latest = 0;
        let mut writers: HashMap<Value, Vec<u32>, foldhash::fast::RandomState> = HashMap::default();
        for op in &order {
            let at = *op as usize;
            while let Some(write) = ended.next_if(|write| key.ended[*write as usize] < key.began[at]) {
                latest = latest.max(key.began[write as usize]);
            }
            hidden_before[at] = latest;
            if let Some(value) = key.written(at) {
                writers.entry(value).or_default().push(*op);
            }
        }
        Narrowing { key, meter, order, hidden_before, writers, cut_short: false }
    }

    /// Who can have written what this operation observed.
    fn possible_writers(&self, op: u32, value: Value) -> impl Iterator<Item = u32> + '_ {
        let (key, at) = (self.key, op as usize);
        let all = self.writers.get(&value).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(move |writer| {
            let writer_at = *writer as usize;
            *writer != op && key.began[writer_at] <= key.ended[at] && key.ended[writer_at] >= self.hidden_before[at]
        })
    }

    /// The closed part within these operations, which are marked and in `among`.
    fn close(&self, among: &[u32]) -> Vec<Item> {
        let mut inside = vec![false; self.key.len()];
        for op in among {
            inside[*op as usize] = true;
        }
        let mut part = Vec::with_capacity(among.len());
        for op in among {
            let observed = self.key.observed(*op as usize);
            let closed = observed.is_none_or(|value| self.possible_writers(*op, value).all(|w| inside[w as usize]));
            let reads = self.key.action[*op as usize] == Action::Read;
            if closed || !reads {
                part.push(Item { op: *op, blind: !closed });
            }
        }
        part
    }

    /// Whether the part has no order; where the budget ends, nobody knows, and it counts as having one.
    fn dead(&mut self, part: &[Item]) -> bool {
        let (mut spec, operations, _) = Registers::new(self.key, part);
        match search(&operations, &mut spec, self.meter) {
            Answer::Dead(_) => true,
            Answer::Order => false,
            Answer::Stopped { .. } | Answer::TooWide(_) => {
                self.cut_short = true;
                false
            }
        }
    }

    /// The smallest window around an operation, of those that double, whose closed part has no order.
    fn window(&mut self, dead: u32) -> Vec<Item> {
        let key = self.key;
        let middle = self.order.iter().position(|op| *op == dead).unwrap_or(0);
        let mut reach = WINDOW;
        loop {
            let from = middle.saturating_sub(reach);
            let to = (middle + reach + 1).min(self.order.len());
            let start = key.began[self.order[from] as usize];
            let earlier = self.order[..from].iter().filter(|op| key.ended[**op as usize] >= start);
            let among: Vec<u32> = earlier.chain(&self.order[from..to]).copied().collect();
            let part = self.close(&among);
            let whole = from == 0 && to == self.order.len();
            if whole || self.dead(&part) || self.cut_short {
                let all = if self.cut_short { self.close(&self.order) } else { part };
                return all;
            }
            reach *= 2;
        }
    }

    fn shrink(&mut self, part: &mut Vec<Item>) {
        // Crashed operations and late ones are the likeliest to be of no use.
        let mut chunk = part.len().div_ceil(2);
        while !self.cut_short {
            let mut smaller = false;
            let mut end = part.len();
            while end > 0 && !self.cut_short {
                let start = end.saturating_sub(chunk);
                let rest: Vec<u32> = part[..start].iter().chain(&part[end..]).map(|item| item.op).collect();
                let rest = self.close(&rest);
                if self.dead(&rest) {
                    smaller = true;
                    *part = rest;
                    end = start.min(part.len());
                } else {
                    end = start;
                }
            }
            if chunk == 1 && !smaller {
                break;
            }
            if !smaller || chunk > part.len() {
                chunk = chunk.min(part.len()).div_ceil(2).max(1);
            }
        }
    }

    /// The completion that no order of the part passes, and what the register can hold before it.
    fn death(&mut self, part: &[Item]) -> Option<(u32, Vec<Option<Value>>)> {
        let (spec, operations, origins) = Registers::new(self.key, part);
        let mut spec = spec.without_outlook();
        let Answer::Dead(Dead { operation, states, .. }) = search(&operations, &mut spec, self.meter) else {
            return None;
        };
        Some((origins[operation as usize], states.into_iter().map(|state| spec.value(state)).collect()))
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
