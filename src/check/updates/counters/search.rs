//! Whether a counter is linearizable: by search, over sums.
//!
//! A legal order without one of its reads is a legal order, so a counter that has none is told by the fewest reads that leave it
//! without one.
//!
//! Exact. Exponential in what is in flight at one time: under the budget.

use hashbrown::HashMap;

use super::{Counters, Fault};
use crate::budget::Meter;
use crate::check::updates::{Order, stopped};
use crate::history::Status;
use crate::search::{Answer, Operation, Specification, refute, search};
use crate::workload::updates::NONE;

/// How often fewer reads are tried, at most, and how many operations all tries lay out together.
const MOST_TRIES: usize = 2_000;
const MOST_LAID_OUT: usize = 20_000_000;
/// Steps for that.
const STEPS: u64 = 20_000_000;

/// Decides a counter of whose reads none is untimely.
pub(super) fn order(counters: &Counters<'_>, meter: &mut Meter<'_>) -> Order<Fault> {
    let mut reads: Vec<u32> = (0u32..).take(counters.counter.reads.len()).collect();
    let (operations, mut spec) = operations(counters, &reads);
    match search(&operations, &mut spec, meter) {
        Answer::Order(_) => Order::Found,
        Answer::Stopped { by, .. } => Order::Unknown(stopped(by), Some(by)),
        Answer::TooWide(lanes) => {
            let reason = format!("{lanes} operations were in flight at one time, more than the search can hold");
            Order::Unknown(reason, None)
        }
        Answer::Dead(_) => {
            meter.within(STEPS, |meter| narrow(counters, &mut reads, meter));
            Order::None(Fault::NoOrder { reads })
        }
    }
}

/// Leaves out reads, half of them at first, then fewer at a time.
fn narrow(counters: &Counters<'_>, reads: &mut Vec<u32>, meter: &mut Meter<'_>) {
    let count = counters.counter.updates.len() + reads.len();
    let mut tries = 0..MOST_TRIES.min(MOST_LAID_OUT / count.max(1));
    let mut size = reads.len().div_ceil(2);
    loop {
        let mut at = 0;
        while at < reads.len() {
            if tries.next().is_none() {
                return;
            }
            let end = (at + size).min(reads.len());
            let fewer: Vec<u32> = reads[..at].iter().chain(&reads[end..]).copied().collect();
            let (operations, mut spec) = operations(counters, &fewer);
            if matches!(refute(&operations, &mut spec, meter), Answer::Dead(_)) { *reads = fewer } else { at = end }
        }
        if size <= 1 {
            return;
        }
        size = size.div_ceil(2);
    }
}

fn operations(counters: &Counters<'_>, reads: &[u32]) -> (Vec<Operation>, States) {
    let all = counters.all();
    let mut states = States { lowest: all.down, highest: all.up, ..States::default() };
    let mut operations = Vec::with_capacity(counters.counter.updates.len() + reads.len());
    let mut put = |class: Class, began: u32, ended: u32| {
        let next = u32::try_from(states.classes.len()).unwrap_or(NONE);
        let number = *states.class_of.entry(class).or_insert(next);
        if number == next {
            states.classes.push(class);
        }
        operations.push(Operation { class: number, began, ended });
    };
    for update in counters.counter.updates.iter().filter(|update| update.act.status != Status::Fail) {
        put(Class::Add(update.amount), update.act.began, update.act.ended);
    }
    for read in reads.iter().map(|at| &counters.counter.reads[*at as usize]) {
        put(Class::Read(read.sum), read.act.began, read.act.ended);
    }
    states.intern(0);
    (operations, states)
}

/// What an operation does and returns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Add(i64),
    Read(i64),
}

/// The sums that a counter can have.
#[derive(Default)]
struct States {
    classes: Vec<Class>,
    class_of: HashMap<Class, u32, foldhash::fast::RandomState>,
    sums: Vec<i128>,
    numbers: HashMap<i128, u32, foldhash::fast::RandomState>,
    /// No order leaves these bounds. Without them the search, which at first takes as many crashed operations as it likes, would
    /// never end.
    lowest: i128,
    highest: i128,
}

impl States {
    fn intern(&mut self, sum: i128) -> u32 {
        let next = u32::try_from(self.sums.len()).unwrap_or(NONE);
        let number = *self.numbers.entry(sum).or_insert(next);
        if number == next {
            self.sums.push(sum);
        }
        number
    }
}

impl Specification for States {
    fn initial(&mut self) -> Vec<u32> {
        vec![0]
    }

    fn step(&mut self, state: u32, class: u32) -> Option<u32> {
        let sum = self.sums[state as usize];
        match self.classes[class as usize] {
            Class::Add(amount) => {
                let next = sum + i128::from(amount);
                (self.lowest..=self.highest).contains(&next).then(|| self.intern(next))
            }
            Class::Read(shown) => (i128::from(shown) == sum).then_some(state),
        }
    }

    fn classes(&self) -> u32 {
        u32::try_from(self.classes.len()).unwrap_or(NONE)
    }

    fn pure(&self, class: u32) -> bool {
        matches!(self.classes[class as usize], Class::Read(_))
    }
}
