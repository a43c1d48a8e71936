//! How large a history is: its records, operations, outcomes, processes and keys. Cost: linear.

use hashbrown::HashSet;

use super::view::Statistics;
use crate::history::{History, Status, Value};

/// Of this history.
pub(super) fn statistics(history: &History) -> Statistics {
    let [mut ok, mut fail, mut info] = [0; 3];
    let mut keys = Distinct::default();
    let mut last = Value::ABSENT;
    for op in history.ops() {
        match op.status() {
            Status::Ok => ok += 1,
            Status::Fail => fail += 1,
            Status::Info => info += 1,
        }
        for key in std::iter::once(op.key()).chain(op.mops().iter().map(|mop| mop.key)) {
            if key != last && !key.is_null() {
                keys.insert(key);
                last = key;
            }
        }
    }
    Statistics {
        records: u64::from(history.records()),
        left_out: history.origin().left_out(),
        operations: count(history.len()),
        ok,
        fail,
        info,
        processes: count(history.processes()),
        keys: count(keys.count),
    }
}

/// How many values there are. Most keys are strings or small numbers, whose handles are dense: a table of them is quicker than
/// a set.
#[derive(Default)]
struct Distinct {
    strings: Vec<bool>,
    numbers: Vec<bool>,
    others: HashSet<Value, foldhash::fast::RandomState>,
    count: usize,
}

impl Distinct {
    const NUMBERS: usize = 1 << 20;

    fn insert(&mut self, value: Value) {
        let number = value.as_small().and_then(|int| usize::try_from(int).ok()).filter(|int| *int < Distinct::NUMBERS);
        let (table, at) = match (value.interned(), number) {
            (Some(at), _) => (&mut self.strings, at),
            (None, Some(at)) => (&mut self.numbers, at),
            (None, None) => {
                self.count += usize::from(self.others.insert(value));
                return;
            }
        };
        if at >= table.len() {
            table.resize((at + 1).max(2 * table.len()), false);
        }
        self.count += usize::from(!std::mem::replace(&mut table[at], true));
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
