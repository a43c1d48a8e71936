//! One register's versions in the order that the server's own revisions give them, read anew; and whether two operations'
//! revisions contradict each other.
//!
//! The revision of a write is what its record names, else what a read that shows it names; what a compare-and-set found, and
//! nobody named a revision of, comes right before it. Nothing is in order where any two revisions of the register contradict each other.
//!
//! Cost: linear in the register's operations, but for a sort of its revisions.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::objects::{Act, act, initial, same_key};
use crate::history::{History, OpId, Status, Value};

type Seeded = foldhash::fast::RandomState;

/// The writes of a register that have a place, and which of them a read with a revision shows.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    /// By write: its revision, or the lowest that it leads to by compare-and-set, and over how many of these.
    place: HashMap<OpId, (i64, Reverse<u32>), Seeded>,
    /// By compare-and-set: what it replaced.
    replaced: HashMap<OpId, OpId, Seeded>,
    /// By read of a value that several wrote: the write with its revision.
    shown: HashMap<OpId, OpId, Seeded>,
}

impl Revisions {
    /// Those of a register, if any are named.
    pub(super) fn of(history: &History, key: Value) -> Option<Revisions> {
        let acts: Vec<Act> = history.ops().filter(|op| same_key(op, key)).filter_map(|op| act(history, &op)).collect();
        let named = |act: &Act| {
            let op = history.op(act.op);
            history.values().as_int(op.version()).filter(|_| op.status() == Status::Ok)
        };
        acts.iter().find_map(named)?;
        let first = initial(history, key);
        let mut writers: HashMap<Value, Vec<OpId>, Seeded> = HashMap::default();
        for act in acts.iter().filter(|act| !act.failed) {
            act.writes.into_iter().for_each(|value| writers.entry(value).or_default().push(act.op));
        }
        // By revision: the value, and the write; nothing for the initial value.
        let mut numbered: BTreeMap<i64, (Value, Option<OpId>)> = BTreeMap::new();
        for act in &acts {
            if let (Some(value), Some(number)) = (act.writes, named(act))
                && numbered.insert(number, (value, Some(act.op))).is_some()
            {
                return None;
            }
        }
        let mut revisions = Revisions::default();
        let mut number_of: HashMap<Option<OpId>, i64, Seeded> =
            numbered.iter().map(|(number, (_, write))| (*write, *number)).collect();
        for act in acts.iter().filter(|act| act.writes.is_none()) {
            let (Some(value), Some(number)) = (act.observes, named(act)) else { continue };
            let source = match (writers.get(&value).map_or(&[][..], |some| &some[..]), first == Some(value)) {
                ([], true) => None,
                ([only], false) => Some(*only),
                ([], false) if first.is_some() => continue,
                ([], false) => None,
                _ => match numbered.get(&number) {
                    Some((other, Some(write))) if *other == value => {
                        revisions.shown.insert(act.op, *write);
                        continue;
                    }
                    Some(_) => return None,
                    None => continue,
                },
            };
            if *number_of.entry(source).or_insert(number) != number {
                return None;
            }
            if numbered.entry(number).or_insert((value, source)).1 != source {
                return None;
            }
        }
        if number_of.get(&None).is_some_and(|number| numbered.keys().next() != Some(number)) {
            return None;
        }
        for act in acts.iter().filter(|act| !act.failed && act.writes.is_some()) {
            let Some(found) = act.observes.filter(|value| first != Some(*value)) else { continue };
            if let Some([only]) = writers.get(&found).map(|some| &some[..]) {
                revisions.replaced.insert(act.op, *only);
            }
        }
        for (number, (_, write)) in &numbered {
            let Some(write) = write else { continue };
            revisions.place.insert(*write, (*number, Reverse(0)));
            let mut at = *write;
            for depth in 1.. {
                let Some(before) = revisions.replaced.get(&at) else { break };
                if let Some(own) = number_of.get(&Some(*before)) {
                    if own >= number {
                        return None;
                    }
                    break;
                }
                if revisions.place.contains_key(before) {
                    break;
                }
                revisions.place.insert(*before, (*number, Reverse(depth)));
                at = *before;
            }
        }
        Some(revisions)
    }

    /// Whether one write comes before another.
    pub(super) fn precedes(&self, first: OpId, second: OpId) -> bool {
        let mut seen: HashSet<OpId, Seeded> = HashSet::default();
        let mut at = second;
        // What replaced what, up to the first that has a revision.
        while seen.insert(at) {
            if let Some((number, Reverse(0))) = self.place.get(&at) {
                return self.place.get(&first).is_some_and(|place| *place < (*number, Reverse(0)))
                    || first == at && at != second;
            }
            match self.replaced.get(&at) {
                Some(before) if *before == first => return first != second,
                Some(before) => at = *before,
                None => return false,
            }
        }
        false
    }

    /// The write whose revision a read names, of several that wrote its value.
    pub(super) fn shown(&self, read: OpId) -> Option<OpId> {
        self.shown.get(&read).copied()
    }

    /// The writes that have a place, in order, if they are in one.
    pub(super) fn line(&self) -> Option<Vec<OpId>> {
        let mut places: Vec<_> = self.place.iter().map(|(op, place)| (*place, *op)).collect();
        places.sort_unstable();
        for (at, ((_, depth), op)) in places.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| places[before].1);
            if *depth != Reverse(0) && self.replaced.get(op).copied() != before {
                return None;
            }
        }
        Some(places.into_iter().map(|(_, op)| op).collect())
    }
}

/// Over how many compare-and-sets what replaced what is followed, to confirm that it leads backwards.
const LONGEST: u32 = 64;

/// What two operations say of one revision, or of one value, can't both be so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contradiction {
    /// One revision has two values, or two writes.
    TwoValues,
    /// One value, written once, has two revisions.
    TwoRevisions,
    /// What came later has no higher revision.
    Backwards,
    /// A write was over before one of a lower revision began.
    Overtaken,
}

/// Whether the records of two operations of one register contradict each other in this way.
#[must_use]
pub fn contradict(history: &History, operations: [OpId; 2], kind: Contradiction) -> bool {
    let [a, b] = operations.map(|id| history.op(id));
    let number = |id: OpId| {
        let op = history.op(id);
        history.values().as_int(op.version()).filter(|_| op.status() == Status::Ok)
    };
    let (Some(first), Some(second)) = (act(history, &a), act(history, &b)) else { return false };
    let (Some(m), Some(n)) = (number(a.id), number(b.id)) else { return false };
    if !same_key(&b, a.key()) {
        return false;
    }
    let value = |act: &Act| act.writes.or(act.observes);
    let writers = |value: Option<Value>| {
        let ops = history.ops().filter(|op| same_key(op, a.key()));
        ops.filter_map(|op| act(history, &op))
            .filter(|act| !act.failed && act.writes.is_some() && act.writes == value)
            .count()
    };
    let there_at_first = |value: Option<Value>| value.is_some() && value == initial(history, a.key());
    match kind {
        Contradiction::Overtaken => {
            first.writes.is_some() && second.writes.is_some() && m > n && first.ended < second.began
        }
        Contradiction::TwoValues => {
            m == n && (value(&first) != value(&second) || first.writes.is_some() && second.writes.is_some())
        }
        Contradiction::TwoRevisions => {
            let once = writers(value(&first)) + usize::from(there_at_first(value(&first))) <= 1;
            m != n && value(&first) == value(&second) && once
        }
        Contradiction::Backwards => {
            let replaced = |earlier: &Act, later: &Act, m: i64, n: i64| {
                let mut found = later.observes.filter(|_| later.writes.is_some());
                for _ in 0..LONGEST {
                    if found.is_none() || writers(found) != 1 || there_at_first(found) {
                        return false;
                    }
                    if found == value(earlier) {
                        return m >= n;
                    }
                    let before = history.ops().filter(|op| same_key(op, a.key())).filter_map(|op| act(history, &op));
                    found =
                        before.filter(|act| !act.failed).find(|act| act.writes == found).and_then(|act| act.observes);
                }
                false
            };
            let initial_after = |one: &Act, write: &Act, m: i64, n: i64| {
                let at_first = one.writes.is_none() && writers(one.observes) == 0;
                m >= n && at_first && there_at_first(one.observes) && value(write) != one.observes
            };
            replaced(&first, &second, m, n)
                || replaced(&second, &first, n, m)
                || initial_after(&first, &second, m, n)
                || initial_after(&second, &first, n, m)
        }
    }
}
