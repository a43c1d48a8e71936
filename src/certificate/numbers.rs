//! Names as dense numbers, in order of first appearance.

use super::Map;
use crate::history::{Operation, Value};

/// Pairs that have a number. Mostly all have one second part, and the first is a small integer: these are looked up in a table.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    plain: Option<u32>,
    /// By small integer: its number, plus one.
    direct: Vec<u32>,
    others: Map<(Value, u32), u32>,
    count: u32,
}

/// Integers below this are looked up in a table.
const DIRECT: usize = 1 << 20;

impl Numbers {
    /// The pair's number, and whether it is new.
    pub(super) fn put(&mut self, name: Value, part: u32) -> (u32, bool) {
        let is_plain = *self.plain.get_or_insert(part) == part;
        let small = name.as_small().filter(|_| is_plain).and_then(|small| usize::try_from(small).ok());
        let next = self.count;
        let known = match small.filter(|small| *small < DIRECT) {
            Some(small) => {
                if small >= self.direct.len() {
                    self.direct.resize((small + 1).next_power_of_two(), 0);
                }
                let slot = &mut self.direct[small];
                let known = slot.checked_sub(1);
                *slot = known.unwrap_or(next) + 1;
                known
            }
            None => Some(*self.others.entry((name, part)).or_insert(next)).filter(|known| *known != next),
        };
        self.count += u32::from(known.is_none());
        (known.unwrap_or(next), known.is_none())
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.count
    }
}

/// By operation, its session's number: that of its name, or of the process where it has none. And how many there are.
pub(super) fn sessions<'h>(ops: impl Iterator<Item = Operation<'h>>) -> (Vec<u32>, u32) {
    let mut numbers = Numbers::default();
    let mut of = |op: Operation<'h>| {
        let name = op.session();
        numbers.put(name, if name.is_absent() { op.process().0 + 1 } else { 0 }).0
    };
    let sessions = ops.map(&mut of).collect();
    (sessions, numbers.len())
}
