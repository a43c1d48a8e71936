//! Counters: which sums no choice of additions gives.
//!
//! What has to be visible to a read adds up to something, and what may be visible moves it down or up: a sum below the lowest or
//! above the highest is impossible, and so is one between them that no amounts reach by their common divisor. With what was
//! acknowledged before a read and what had begun by its end these are the bounds of Jepsen's `counter`, for amounts below 0 too.
//! Which sums between the bounds are reached is a subset sum, and NP-hard: what is within them is never called wrong here, and
//! whether a counter is linearizable is for the search to decide.
//!
//! Cost: n log n.

use super::{Datatype, Difference, Order, Own, Unexplained, Untimely};
use crate::budget::Meter;
use crate::guarantee::Anomaly;
use crate::history::{Status, Value};
use crate::verdict::{Figures, StoppedBy};
use crate::witness::updates;
use crate::witness::updates::counter::{Premise, Shape};
use crate::workload::updates::counter::Counter;
use crate::workload::updates::{Act, NONE};

mod search;

/// A counter, with its sums.
pub(super) struct Counters<'a> {
    counter: &'a Counter,
    /// Acknowledged updates in order of completion.
    ended: Vec<u32>,
    /// What the first so many of these add up to.
    acknowledged: Vec<Sums>,
    /// Updates that did not fail, in order of beginning.
    began: Vec<u32>,
    attempted: Vec<Sums>,
    /// With failed ones: whether these alone explain a sum.
    with_failed: Sums,
}

/// What some amounts add up to: those below 0, and those above.
#[derive(Clone, Copy, Default, Debug)]
struct Sums {
    down: i128,
    up: i128,
    /// The common divisor of the amounts.
    divisor: u64,
    /// The largest amount below 0, and above, without its sign.
    most: [i128; 2],
}

impl Sums {
    fn and(self, amount: i64) -> Sums {
        let (down, up) = (i128::from(amount.min(0)), i128::from(amount.max(0)));
        Sums {
            down: self.down + down,
            up: self.up + up,
            divisor: common(self.divisor, amount.unsigned_abs()),
            most: [self.most[0].max(-down), self.most[1].max(up)],
        }
    }

    /// Whether some of the amounts may give this sum.
    fn reaches(&self, sum: i64) -> bool {
        let divides = sum.unsigned_abs().checked_rem(self.divisor).map_or(sum == 0, |rest| rest == 0);
        divides && (self.down..=self.up).contains(&i128::from(sum))
    }

    fn all(&self) -> i128 {
        self.down + self.up
    }
}

/// The greatest common divisor; of 0 and a number, that number.
fn common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Why something can't be: see [`Shape`], which says the same of operations.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    Outside { read: u32, premise: Premise },
    Backward { read: u32, earlier: u32 },
    Differ { reads: [u32; 2] },
    NoOrder { reads: Vec<u32> },
}

impl<'a> Counters<'a> {
    pub(super) fn new(counter: &'a Counter) -> Counters<'a> {
        let updates = &counter.updates;
        let numbers = || (0u32..).take(updates.len());
        let act = |at: u32| &updates[at as usize].act;
        let sums = |order: &[u32]| {
            let mut sums = vec![Sums::default()];
            for at in order {
                let last = sums.last().copied().unwrap_or_default();
                sums.push(last.and(updates[*at as usize].amount));
            }
            sums
        };
        let mut ended: Vec<u32> = numbers().filter(|at| act(*at).status == Status::Ok).collect();
        ended.sort_by_key(|at| act(*at).ended);
        let mut began: Vec<u32> = numbers().filter(|at| act(*at).status != Status::Fail).collect();
        began.sort_by_key(|at| act(*at).began);
        let with_failed = updates.iter().fold(Sums::default(), |sums, update| sums.and(update.amount));
        Counters { acknowledged: sums(&ended), attempted: sums(&began), counter, ended, began, with_failed }
    }

    fn act(&self, update: u32) -> &Act {
        &self.counter.updates[update as usize].act
    }

    fn amount(&self, update: u32) -> i64 {
        self.counter.updates[update as usize].amount
    }

    /// All that did not fail.
    fn all(&self) -> Sums {
        self.attempted.last().copied().unwrap_or_default()
    }

    /// How many updates had been acknowledged before a position.
    fn acknowledged_before(&self, position: u32) -> usize {
        self.ended.partition_point(|at| self.act(*at).ended < position)
    }

    /// What had begun by a position.
    fn attempted_by(&self, position: u32) -> Sums {
        self.attempted[self.began.partition_point(|at| self.act(*at).began < position)]
    }

    fn is_explained(&self, read: u32) -> bool {
        self.all().reaches(self.counter.reads[read as usize].sum)
    }

    /// Whether all amounts are the same, so that a sum tells how many were visible.
    fn is_uniform(&self) -> bool {
        self.began.iter().all(|at| self.amount(*at) == self.amount(self.began[0]))
    }

    fn untimely(&self, at: u32) -> Option<Untimely<Fault>> {
        let read = &self.counter.reads[at as usize];
        let sum = i128::from(read.sum);
        let count = self.acknowledged_before(read.act.began);
        let (due, may) = (self.acknowledged[count], self.attempted_by(read.act.ended));
        let (lowest, highest) = (due.up + may.down, due.down + may.up);
        if (lowest..=highest).contains(&sum) {
            return None;
        }
        let fault = Fault::Outside { read: at, premise: Premise::Timely };
        if !(may.down..=may.up).contains(&sum) {
            // Something that had not begun was counted.
            return Some(Untimely { read: at, since: None, updates: 0, fault });
        }
        // The first acknowledged update with which it is certain that one of those up to it is missing.
        let possible = |sums: &Sums| if sum < lowest { sums.up + may.down <= sum } else { sums.down + may.up >= sum };
        let first = self.acknowledged[..=count].partition_point(possible);
        let update = *self.ended.get(first.checked_sub(1)?)?;
        let (lacks, side) = if sum < lowest { (lowest - sum, 1) } else { (sum - highest, 0) };
        let most = due.most[side].max(1);
        let updates = u32::try_from((lacks + most - 1) / most).unwrap_or(u32::MAX);
        Some(Untimely { read: at, since: Some(self.act(update).ended), updates, fault })
    }
}

impl Datatype for Counters<'_> {
    type Fault = Fault;

    fn name(&self) -> Value {
        self.counter.name
    }

    fn updates(&self) -> impl Iterator<Item = &Act> {
        self.counter.updates.iter().map(|update| &update.act)
    }

    fn reads(&self) -> usize {
        self.counter.reads.len()
    }

    fn read(&self, read: u32) -> &Act {
        &self.counter.reads[read as usize].act
    }

    fn is_whole(&self, _: u32) -> bool {
        true
    }

    fn same(&self, a: u32, b: u32) -> bool {
        self.counter.reads[a as usize].sum == self.counter.reads[b as usize].sum
    }

    fn unexplained(&self) -> Vec<Unexplained<Fault>> {
        let reads = (0u32..).take(self.reads()).filter(|read| !self.is_explained(*read));
        let explain = |read: u32| {
            let aborted = self.with_failed.reaches(self.counter.reads[read as usize].sum);
            Unexplained {
                read,
                anomaly: if aborted { Anomaly::G1a } else { Anomaly::ThinAirRead },
                fault: Fault::Outside { read, premise: Premise::Any },
            }
        };
        reads.map(explain).collect()
    }

    fn untimely(&self, _: &mut Meter<'_>) -> Result<Vec<Untimely<Fault>>, StoppedBy> {
        let reads = (0u32..).take(self.reads()).filter(|read| self.is_explained(*read));
        Ok(reads.filter_map(|read| Counters::untimely(self, read)).collect())
    }

    fn order(&self, meter: &mut Meter<'_>) -> Order<Fault> {
        search::order(self, meter)
    }

    fn difference(&self, finals: &[u32]) -> Option<Difference<Fault>> {
        let first = *finals.first()?;
        let other = finals.iter().copied().find(|other| !self.same(first, *other))?;
        let open = self.counter.updates.iter().any(|update| update.act.status == Status::Info);
        Some(match open {
            true => Difference::Possible(first, other),
            false => Difference::Certain(Fault::Differ { reads: [first, other] }),
        })
    }

    fn in_the_end(&self, read: u32) -> Option<(Anomaly, Fault)> {
        let due = self.acknowledged.last().copied().unwrap_or_default().all();
        let unknown = self.began.iter().filter(|at| self.act(**at).status == Status::Info);
        let open = unknown.fold(Sums::default(), |sums, at| sums.and(self.amount(*at)));
        let sum = self.counter.reads[read as usize].sum;
        let reached = i64::try_from(i128::from(sum) - due).is_ok_and(|rest| open.reaches(rest));
        let fault = Fault::Outside { read, premise: Premise::End };
        (!reached && self.is_explained(read)).then_some((Anomaly::LostWrite, fault))
    }

    fn own(&self) -> Own<Fault> {
        own(self)
    }

    fn figures(objects: &[Counters<'_>]) -> Option<(&'static str, Figures)> {
        let [mut acknowledged, mut lowest, mut highest] = [0i128; 3];
        for counter in objects {
            let due = counter.acknowledged.last().copied().unwrap_or_default();
            acknowledged += due.all();
            lowest += due.up + counter.all().down;
            highest += due.down + counter.all().up;
        }
        let put = |(name, sum): (&str, i128)| {
            let sum = i64::try_from(sum).map_or_else(|_| sum.to_string().into(), serde_json::Value::from);
            (name.to_owned(), sum)
        };
        Some((
            "counter",
            [("acknowledged", acknowledged), ("lowest", lowest), ("highest", highest)].map(put).into_iter().collect(),
        ))
    }

    fn claim(&self, fault: &Fault) -> (updates::Shape, Vec<Value>) {
        (updates::Shape::Counter(fault.claim(self)), Vec::new())
    }
}

/// What sessions ask of their own reads. Exact where all amounts are the same; else what is out of bounds is certain, and of the
/// rest nobody can tell.
fn own(counters: &Counters<'_>) -> Own<Fault> {
    let counter = counters.counter;
    let mut own = Own { missing: Vec::new(), backward: Vec::new(), future: Vec::new(), could: [0; 2], doubt: None };
    // By session, its reads (even) and updates (odd) in order of invocation.
    let mut acts: Vec<(u32, u32, u32)> = Vec::with_capacity(counter.reads.len() + counter.updates.len());
    acts.extend((0u32..).zip(&counter.reads).map(|(at, read)| (read.act.session, read.act.op.0, 2 * at)));
    let updates = (0u32..).zip(&counter.updates).filter(|(_, update)| update.act.status != Status::Fail);
    acts.extend(updates.map(|(at, update)| (update.act.session, update.act.op.0, 2 * at + 1)));
    acts.sort_unstable();
    let all = counters.all();
    for session in acts.chunk_by(|a, b| a.0 == b.0) {
        let of_session = session.iter().filter(|(.., act)| act % 2 == 1).map(|(.., act)| act / 2);
        let mut later = of_session.fold(Sums::default(), |sums, at| sums.and(counters.amount(at)));
        let (mut wrote, mut last_own, mut earlier): (Sums, u32, Option<u32>) = (Sums::default(), NONE, None);
        for (.., act) in session {
            let at = act / 2;
            if act % 2 == 1 {
                let amount = counters.amount(at);
                (later.down, later.up) = (later.down - i128::from(amount.min(0)), later.up - i128::from(amount.max(0)));
                if counters.act(at).status == Status::Ok {
                    (wrote, last_own) = (wrote.and(amount), at);
                }
                continue;
            }
            let read = &counter.reads[at as usize];
            let sum = i128::from(read.sum);
            own.could[0] += u64::from(last_own != NONE);
            own.could[1] += u64::from(earlier.is_some());
            if counters.is_explained(at) {
                let outside = |premise, lowest: i128, highest: i128| {
                    let fault = Fault::Outside { read: at, premise };
                    (!(lowest..=highest).contains(&sum)).then_some((at, fault))
                };
                own.missing.extend(outside(Premise::Own, wrote.up + all.down, wrote.down + all.up));
                let (lowest, highest) = (all.down - later.down, all.up - later.up);
                own.future.extend(outside(Premise::Future, lowest, highest));
                if let Some(before) = earlier {
                    let known = i128::from(counter.reads[before as usize].sum);
                    let backward = all.down == 0 && sum < known || all.up == 0 && sum > known;
                    own.backward.extend(backward.then_some((at, Fault::Backward { read: at, earlier: before })));
                }
                // The furthest that the session has come.
                let further = |before: u32| {
                    let known = i128::from(counter.reads[before as usize].sum);
                    all.down == 0 && sum >= known || all.up == 0 && sum <= known
                };
                if earlier.is_none_or(further) {
                    earlier = Some(at);
                }
            }
        }
    }
    if !counters.is_uniform() {
        own.doubt = Some("amounts differ, so that a sum does not tell which updates a read had seen");
    }
    own
}

impl Fault {
    /// What is claimed, of operations of the history.
    fn claim(&self, counters: &Counters<'_>) -> Shape {
        let read = |read: u32| counters.read(read).op;
        match self {
            Fault::Outside { read: at, premise, .. } => Shape::Outside { read: read(*at), premise: *premise },
            Fault::Backward { read: at, earlier } => Shape::Backward { read: read(*at), earlier: read(*earlier) },
            Fault::Differ { reads } => Shape::Differ { reads: reads.map(read) },
            Fault::NoOrder { reads } => Shape::NoOrder { reads: reads.iter().map(|at| read(*at)).collect() },
        }
    }
}
