//! Claims of counters: a sum that no choice of additions gives.

use std::collections::HashSet;

use super::{is_final, is_marked, of_object, precedes, same_session};
use crate::guarantee::Anomaly;
use crate::history::{History, OpId, Operation, Status};
use crate::witness::updates::Says;
use crate::witness::updates::counter::{Premise, Shape};

const UPDATES: [&str; 3] = ["add", "inc", "dec"];

/// Whether a shape is of this anomaly, given what it means.
fn is_named(history: &History, anomaly: Anomaly, says: Says, shape: &Shape) -> bool {
    let unexplained = says == Says::Unexplained;
    match *shape {
        Shape::Outside { read, premise } => match premise {
            Premise::Any => {
                let failed = || Bounds::of(&additions(history, read, true), |_| (false, true));
                let Some(sum) = shown(history, read) else { return false };
                match anomaly {
                    Anomaly::ThinAirRead => unexplained && !failed().reach(sum),
                    Anomaly::G1a => {
                        (unexplained || says == Says::InTheEnd && is_marked(history, read)) && failed().reach(sum)
                    }
                    _ => false,
                }
            }
            // Where even nothing that has to be counted would help, something was counted before anybody had begun to add it.
            Premise::Timely if telling(history, read, premise).is_none() => {
                unexplained && anomaly == Anomaly::NonLinearizable
            }
            Premise::Timely => {
                matches!(says, Says::Behind { .. } if anomaly == Anomaly::StaleRead)
                    || matches!(says, Says::Overdue { .. } if anomaly == Anomaly::OverdueVisibility)
            }
            Premise::Own => unexplained && anomaly == Anomaly::MissingYourWrites,
            Premise::Future => unexplained && anomaly == Anomaly::FutureReadProcess,
            Premise::End => {
                says == Says::InTheEnd && anomaly == Anomaly::LostWrite && is_final(history, read, &UPDATES)
            }
        },
        Shape::Backward { .. } => unexplained && anomaly == Anomaly::BackwardRead,
        Shape::Differ { .. } => says == Says::InTheEnd && anomaly == Anomaly::Divergence,
        Shape::NoOrder { .. } => unexplained && anomaly == Anomaly::NonLinearizable,
    }
}

/// Whether the whole history bears a claim out.
#[must_use]
pub(super) fn holds(history: &History, anomaly: Anomaly, says: Says, shape: &Shape) -> bool {
    is_named(history, anomaly, says, shape) && can_not_be(history, shape)
}

fn can_not_be(history: &History, shape: &Shape) -> bool {
    match shape {
        Shape::Outside { read, premise } => {
            shown(history, *read).is_some_and(|sum| !premised(history, *read, *premise).reach(sum))
        }
        Shape::Backward { read, earlier } => {
            let amounts: Vec<i128> = additions(history, *read, false).into_iter().map(|(_, amount)| amount).collect();
            let (Some(now), Some(then)) = (shown(history, *read), shown(history, *earlier)) else { return false };
            of_one(history, &[*read, *earlier])
                && same_session(&history.op(*earlier), &history.op(*read))
                && (now < then && amounts.iter().all(|amount| *amount > 0)
                    || now > then && amounts.iter().all(|amount| *amount < 0))
        }
        Shape::Differ { reads: reads @ [a, b] } => {
            let sums = reads.map(|read| shown(history, read));
            of_one(history, reads)
                && reads.iter().all(|read| is_final(history, *read, &UPDATES))
                && sums.iter().all(Option::is_some)
                && shown(history, *a) != shown(history, *b)
                && additions(history, *a, false).iter().all(|(op, _)| op.status() == Status::Ok)
        }
        Shape::NoOrder { reads } => of_one(history, reads) && has_no_order(history, reads),
    }
}

/// Whether all are of one counter.
fn of_one(history: &History, reads: &[OpId]) -> bool {
    let key = |read: &OpId| history.op(*read).key();
    reads.windows(2).all(|pair| key(&pair[0]) == key(&pair[1]) || pair.iter().all(|read| key(read).is_null()))
}

/// What a read shows.
pub(in crate::witness) fn shown(history: &History, read: OpId) -> Option<i128> {
    let read = history.op(read);
    let reads = read.status() == Status::Ok && history.values().as_str(read.f()) == Some("read");
    history.values().as_int(read.result()).filter(|_| reads).map(i128::from)
}

/// By how much an addition moves its counter.
pub(in crate::witness) fn amount(history: &History, op: &Operation<'_>) -> i128 {
    let f = history.values().as_str(op.f()).unwrap_or_default();
    let none = if f == "add" { op.argument().is_null() } else { op.argument().is_absent() };
    let said = if none { op.result() } else { op.argument() };
    let amount = history.values().as_int(said).map_or(i128::from(f != "add"), i128::from);
    if f == "dec" { -amount } else { amount }
}

/// The additions to the counter that an operation is of, each with its amount.
fn additions(history: &History, of: OpId, failed_too: bool) -> Vec<(Operation<'_>, i128)> {
    let all = UPDATES.iter().flat_map(|f| of_object(history, of, f));
    let wanted = all.filter(|op| failed_too || op.status() != Status::Fail);
    wanted.map(|op| (op, amount(history, &op))).filter(|(_, amount)| *amount != 0).collect()
}

/// Which sums there can be, at most: some amounts have to be counted, and some may be.
#[derive(Default)]
struct Bounds {
    lowest: i128,
    highest: i128,
    /// What has to be counted.
    base: i128,
    /// The common divisor of what may be.
    divisor: i128,
}

impl Bounds {
    /// `of`: whether an addition has to be counted, and whether it may be.
    fn of<'h>(additions: &[(Operation<'h>, i128)], of: impl Fn(&Operation<'h>) -> (bool, bool)) -> Bounds {
        let mut bounds = Bounds::default();
        for (op, amount) in additions {
            let (has_to_be, may_be) = of(op);
            if has_to_be {
                bounds.base += amount;
            } else if may_be {
                bounds.lowest += (*amount).min(0);
                bounds.highest += (*amount).max(0);
                let (mut a, mut b) = (bounds.divisor, amount.abs());
                while b != 0 {
                    (a, b) = (b, a % b);
                }
                bounds.divisor = a;
            }
        }
        bounds.lowest += bounds.base;
        bounds.highest += bounds.base;
        bounds
    }

    fn contain(&self, sum: i128) -> bool {
        (self.lowest..=self.highest).contains(&sum)
    }

    /// Whether nothing speaks against this sum.
    fn reach(&self, sum: i128) -> bool {
        let rest = sum - self.base;
        self.contain(sum) && if self.divisor == 0 { rest == 0 } else { rest % self.divisor == 0 }
    }
}

fn premised(history: &History, read: OpId, premise: Premise) -> Bounds {
    let reads = history.op(read);
    Bounds::of(&additions(history, read, false), |op| match premise {
        Premise::Any => (false, true),
        Premise::Timely => (precedes(op, &reads), !precedes(&reads, op)),
        Premise::Own => (op.status() == Status::Ok && same_session(op, &reads), true),
        Premise::Future => (false, !same_session(&reads, op)),
        Premise::End => (op.status() == Status::Ok, true),
    })
}

/// From which to which sum there can be.
pub(in crate::witness) fn span(history: &History, read: OpId, premise: Premise) -> (i128, i128) {
    let bounds = premised(history, read, premise);
    (bounds.lowest, bounds.highest)
}

/// The addition by whose end it was certain that a read shows too little or too much; nothing where none tells by itself.
pub(in crate::witness) fn telling(history: &History, read: OpId, premise: Premise) -> Option<OpId> {
    let (reads, all) = (history.op(read), additions(history, read, false));
    let mut due: Vec<&Operation<'_>> = all.iter().map(|(op, _)| op).filter(|op| op.status() == Status::Ok).collect();
    due.retain(|op| match premise {
        Premise::Any => false,
        Premise::Timely => precedes(op, &reads),
        Premise::Own | Premise::Future => same_session(op, &reads),
        Premise::End => true,
    });
    if matches!(premise, Premise::Own | Premise::Future) {
        return due.iter().map(|op| op.id).max();
    }
    due.sort_by_key(|op| op.ended());
    if premise != Premise::Timely {
        return due.last().map(|op| op.id);
    }
    let sum = shown(history, read)?;
    // What of this has to be counted: the more, the narrower the bounds.
    let possible = |count: usize| {
        let until = count.checked_sub(1).map(|last| due[last].ended());
        let has_to_be =
            |op: &Operation<'_>| op.status() == Status::Ok && until.is_some_and(|until| op.ended() <= until);
        Bounds::of(&all, |op| (has_to_be(op), !precedes(&reads, op))).contain(sum)
    };
    let counts: Vec<usize> = (0..=due.len()).collect();
    let first = counts.partition_point(|count| possible(*count));
    Some(due.get(first.checked_sub(1)?)?.id)
}

/// By how many updates a read is behind, at least, and by which one's end that was certain.
pub(super) fn behind(history: &History, shape: &Shape) -> Option<(u32, OpId)> {
    let &Shape::Outside { read, premise: Premise::Timely } = shape else { return None };
    let (sum, reads) = (shown(history, read)?, history.op(read));
    let (lowest, highest) = span(history, read, Premise::Timely);
    let most = |up: bool| {
        let due = additions(history, read, false).into_iter().filter(|(op, _)| precedes(op, &reads));
        due.map(|(_, amount)| if up { amount } else { -amount }).max().unwrap_or(1).max(1)
    };
    let (lacks, most) = if sum < lowest { (lowest - sum, most(true)) } else { (sum - highest, most(false)) };
    let updates = u32::try_from((lacks + most - 1) / most).unwrap_or(u32::MAX);
    Some((updates, telling(history, read, Premise::Timely)?))
}

/// Brute force: what was over before the first of the reads began is counted, what began after all had ended is not; the rest is
/// tried in every order, unless it is too much.
fn has_no_order(history: &History, reads: &[OpId]) -> bool {
    const MOST: usize = 20;
    let all: Vec<Operation<'_>> = reads.iter().map(|read| history.op(*read)).collect();
    let Some(first) = reads.first() else { return false };
    let mut base = 0i128;
    let mut steps: Vec<(Operation<'_>, Option<i128>, i128)> = Vec::new();
    for (op, amount) in additions(history, *first, false) {
        if all.iter().all(|read| precedes(&op, read)) {
            base += amount;
        } else if !all.iter().all(|read| precedes(read, &op)) {
            steps.push((op, None, amount));
        }
    }
    for (read, op) in reads.iter().zip(&all) {
        let Some(sum) = shown(history, *read) else { return false };
        steps.push((*op, Some(sum), 0));
    }
    if steps.len() > MOST {
        return false;
    }
    let mut open = vec![(0u32, base)];
    let mut met: HashSet<(u32, i128)> = HashSet::new();
    while let Some((done, sum)) = open.pop() {
        if !met.insert((done, sum)) {
            continue;
        }
        let left = || steps.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
        let due = left().filter(|(_, (op, ..))| op.status() == Status::Ok).map(|(_, (op, ..))| op.ended()).min();
        let Some(due) = due else { return false };
        for (at, (_, read, amount)) in left().filter(|(_, (op, ..))| op.began() <= due) {
            if read.is_none_or(|shown| shown == sum) {
                open.push((done | 1 << at, sum + amount));
            }
        }
    }
    true
}
