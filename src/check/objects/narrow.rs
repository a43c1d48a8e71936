//! From a search that found no order to few operations that show it.
//!
//! Parts of a history are kept *closed*: what is left of one that has an order has one too, so that a closed part without any
//! is a proof. What that asks is the object's to say (its [`Ground`]). Windows around the place where the search ended, and
//! around those where it lacked crashed operations (which others had used up, perhaps long before), grow until they hold such
//! a part; then chunks of it are left out, down to single operations, as long as what is left still has no order (Zeller's
//! ddmin). What remains is 1-minimal, or as small as the budget allowed.

use super::proof::{Next, Why};
use super::values::NONE;
use crate::budget::Meter;
use crate::history::Status;
use crate::search::{Answer, Dead, refute, search};
use crate::search::{Operation, Specification};
use crate::verdict::StoppedBy;
use crate::workload::register::{Action, Key};

/// How many operations to each side of the place of death the window begins with.
const WINDOW: usize = 8;

/// How many places a window is around at most.
const MIDDLES: usize = 32;

/// Steps that all of it may take, the look at one window, and one attempt to leave something out.
pub(super) const STEPS: u64 = 100_000_000;
const STEPS_A_WINDOW: u64 = 20_000_000;
const STEPS_AN_ATTEMPT: u64 = 4_000_000;

/// What an object asks of the parts of its history.
pub(super) trait Ground {
    /// An operation of a part, and how it counts there.
    type Item: Copy;
    type Spec: Specification;

    fn op(item: Self::Item) -> u32;

    /// The closed part within these operations, which are in order of beginning.
    ///
    /// # Errors
    /// What ended the search for it.
    fn close(&mut self, among: &[u32], meter: &mut Meter<'_>) -> Result<Vec<Self::Item>, StoppedBy>;

    /// A part for the engine, and which operations it is given, in its order. Where the place of death is to be `told`, it has
    /// to be where an observation fails and not where that can be foreseen.
    fn lay_out(&self, part: &[Self::Item], told: bool) -> (Self::Spec, Vec<Operation>, Vec<u32>);

    /// Roughly how many steps it takes to lay a part out.
    fn effort(&self, part: &[Self::Item]) -> usize {
        part.len().saturating_mul(16)
    }
}

/// Where no order of a part goes on.
pub(super) struct Death<S> {
    /// The operation that completes there.
    pub(super) last: u32,
    /// The states that the object can be in before it.
    pub(super) states: Vec<u32>,
    pub(super) next: Vec<Next>,
    pub(super) spec: S,
}

pub(super) struct Narrowing<'a, 'k, 'm, G> {
    key: &'a Key<'k>,
    pub(super) ground: G,
    pub(super) meter: &'a mut Meter<'m>,
    /// Operations that count, in order of beginning.
    order: Vec<u32>,
    pub(super) cut_short: bool,
}

/// The operations of a key that count, in order of beginning.
pub(super) fn in_order(key: &Key<'_>) -> Vec<u32> {
    let mut order: Vec<u32> = (0u32..).take(key.len()).collect();
    order.retain(|op| key.status[*op as usize] != Status::Fail);
    order.sort_by_key(|op| key.began[*op as usize]);
    order
}

/// For each of these operations, in order of beginning, of the certain ones among them that hide what was there and were over
/// before it began, the one that began last.
pub(super) fn newest(key: &Key<'_>, among: &[u32], hides: impl Fn(Action) -> bool) -> Vec<u32> {
    let mut ended: Vec<u32> = among.to_vec();
    ended.retain(|op| key.status[*op as usize] == Status::Ok && hides(key.action[*op as usize]));
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

impl<'a, 'k, 'm, G: Ground> Narrowing<'a, 'k, 'm, G> {
    pub(super) fn new(key: &'a Key<'k>, ground: G, meter: &'a mut Meter<'m>) -> Self {
        Narrowing { key, ground, meter, order: in_order(key), cut_short: false }
    }

    /// The closed part within these operations; nothing of it where the budget ends.
    pub(super) fn close(&mut self, among: &[u32]) -> Vec<G::Item> {
        let mut among = among.to_vec();
        among.retain(|op| self.key.status[*op as usize] != Status::Fail);
        among.sort_by_key(|op| self.key.began[*op as usize]);
        self.ground.close(&among, self.meter).unwrap_or_else(|_| {
            self.cut_short = true;
            Vec::new()
        })
    }

    /// Whether the part has no order; where the budget ends, nobody knows, and it counts as having one.
    pub(super) fn dead(&mut self, part: &[G::Item]) -> bool {
        self.dead_within(part, STEPS_AN_ATTEMPT)
    }

    fn dead_within(&mut self, part: &[G::Item], steps: u64) -> bool {
        // To lay it out takes time as well, and to close it did.
        let effort = u32::try_from(self.ground.effort(part)).unwrap_or(u32::MAX);
        if self.meter.steps(effort).is_err() {
            self.cut_short = true;
            return false;
        }
        let (mut spec, operations, _) = self.ground.lay_out(part, false);
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
    pub(super) fn window(&mut self, dead: u32, scarce: &[u32]) -> Option<Vec<G::Item>> {
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

    /// Leaves out of a part without an order what is not needed for that. Whether the budget ended first is in `cut_short`.
    pub(super) fn shrink(&mut self, part: &mut Vec<G::Item>) {
        let mut ops: Vec<u32> = part.iter().map(|item| G::op(*item)).collect();
        self.cut_short = false;
        leave_out(&mut ops, |rest| {
            let closed = self.close(rest);
            self.dead(&closed).then(|| closed.into_iter().map(G::op).collect())
        });
        let cut_short = self.cut_short;
        let closed = self.close(&ops);
        // The last attempt that succeeded closed the same operations; without budget, that is all there is.
        if closed.len() >= ops.len() {
            *part = closed;
        }
        self.cut_short |= cut_short;
    }

    /// The completion that no order of the part passes, what there can be before it, and what else could come there.
    pub(super) fn death(&mut self, part: &[G::Item]) -> Option<Death<G::Spec>> {
        let (mut spec, operations, origins) = self.ground.lay_out(part, true);
        let Answer::Dead(Dead { operation, states, next, .. }) = search(&operations, &mut spec, self.meter) else {
            return None;
        };
        let mut told = Vec::with_capacity(next.len());
        for next in next.into_iter().filter(|next| next.operation != operation) {
            let class = operations[next.operation as usize].class;
            let is_legal = next.states.iter().any(|state| spec.step(*state, class).is_some());
            let why = match (next.states.is_empty(), is_legal) {
                (true, _) => Why::Used,
                (_, false) => Why::Needs,
                (_, true) => Why::LeadsNowhere,
            };
            told.push(Next { op: origins[next.operation as usize], why });
        }
        Some(Death { last: origins[operation as usize], states, next: told, spec })
    }
}

/// Leaves out what is not needed for there to be no order: chunks, then single operations (Zeller's ddmin). An attempt gives
/// the closed part within what it is given, if that has no order.
fn leave_out(part: &mut Vec<u32>, mut attempt: impl FnMut(&[u32]) -> Option<Vec<u32>>) {
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
