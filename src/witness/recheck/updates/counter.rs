//! Claims of counters: a sum that no choice of additions gives.

use std::collections::HashSet;

use super::{is_final, of_object, precedes, same_session};
use crate::history::{History, OpId, Operation, Status};

/// Which additions have to be counted by a read, and which may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Premise {
    /// None has to be; each that did not fail may be.
    Any,
    /// What was acknowledged before the read began; what had begun when it ended.
    Timely,
    /// What its own session had done before; all others.
    Own,
    /// None; all but what its own session did later.
    Future,
    /// All that was acknowledged; those of unknown outcome.
    End,
}

/// What is claimed.
#[derive(Clone, Debug)]
pub enum Claim {
    /// No choice of additions gives what a read shows.
    Outside {
        /// The read.
        read: OpId,
        /// The additions.
        premise: Premise,
    },
    /// A read shows less than an earlier one of its session although nothing is taken away, or more although nothing is added.
    Backward {
        /// The read.
        read: OpId,
        /// The earlier one.
        earlier: OpId,
    },
    /// Two final reads differ, and nothing is of unknown outcome.
    Differ {
        /// The reads.
        reads: [OpId; 2],
    },
    /// No order of all additions gives these reads what they show, and contains real time.
    NoOrder {
        /// The reads.
        reads: Vec<OpId>,
    },
}

const UPDATES: [&str; 3] = ["add", "inc", "dec"];

/// Whether the whole history bears a claim out.
#[must_use]
pub fn holds(history: &History, claim: &Claim) -> bool {
    match claim {
        Claim::Outside { read, premise } => is_outside(history, *read, *premise).unwrap_or(false),
        Claim::Backward { read, earlier } => {
            let amounts: Vec<i128> = additions(history, *read).into_iter().map(|(_, amount)| amount).collect();
            let (Some(now), Some(then)) = (shown(history, *read), shown(history, *earlier)) else { return false };
            same_session(&history.op(*earlier), &history.op(*read))
                && (now < then && amounts.iter().all(|amount| *amount > 0)
                    || now > then && amounts.iter().all(|amount| *amount < 0))
        }
        Claim::Differ { reads: [a, b] } => {
            [a, b].into_iter().all(|read| is_final(history, *read, &UPDATES))
                && shown(history, *a) != shown(history, *b)
                && additions(history, *a).iter().all(|(op, _)| op.status() == Status::Ok)
        }
        Claim::NoOrder { reads } => has_no_order(history, reads),
    }
}

/// What a read shows.
fn shown(history: &History, read: OpId) -> Option<i128> {
    let read = history.op(read);
    let sum = history.values().as_int(read.result()).filter(|_| read.status() == Status::Ok)?;
    Some(sum.into())
}

/// The additions to the counter that an operation is of, failed ones left out, each with its amount.
fn additions(history: &History, of: OpId) -> Vec<(Operation<'_>, i128)> {
    let mut all = Vec::new();
    for f in UPDATES {
        for op in of_object(history, of, f).filter(|op| op.status() != Status::Fail) {
            let none = if f == "add" { op.argument().is_null() } else { op.argument().is_absent() };
            let said = if none { op.result() } else { op.argument() };
            let amount = history.values().as_int(said).map_or(i128::from(f != "add"), i128::from);
            let amount = if f == "dec" { -amount } else { amount };
            if amount != 0 {
                all.push((op, amount));
            }
        }
    }
    all
}

fn is_outside(history: &History, read: OpId, premise: Premise) -> Option<bool> {
    let (sum, reads) = (shown(history, read)?, history.op(read));
    if premise == Premise::End && !is_final(history, read, &UPDATES) {
        return Some(false);
    }
    let (mut base, mut may) = (0i128, Vec::new());
    for (op, amount) in additions(history, read) {
        let ok = op.status() == Status::Ok;
        let (has_to_be, may_be) = match premise {
            Premise::Any => (false, true),
            Premise::Timely => (precedes(&op, &reads), !precedes(&reads, &op)),
            Premise::Own => (ok && same_session(&op, &reads), true),
            Premise::Future => (false, !same_session(&reads, &op)),
            Premise::End => (ok, true),
        };
        if has_to_be {
            base += amount;
        } else if may_be {
            may.push(amount);
        }
    }
    let lowest: i128 = base + may.iter().copied().filter(|amount| *amount < 0).sum::<i128>();
    let highest: i128 = base + may.iter().copied().filter(|amount| *amount > 0).sum::<i128>();
    let mut divisor = 0i128;
    for amount in may {
        let (mut a, mut b) = (divisor, amount.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        divisor = a;
    }
    let rest = sum - base;
    Some(sum < lowest || sum > highest || if divisor == 0 { rest != 0 } else { rest % divisor != 0 })
}

/// Brute force: what was over before the first of the reads began is counted, what began after all had ended is not; the rest is
/// tried in every order, unless it is too much.
fn has_no_order(history: &History, reads: &[OpId]) -> bool {
    const MOST: usize = 20;
    let all: Vec<Operation<'_>> = reads.iter().map(|read| history.op(*read)).collect();
    let Some(first) = reads.first() else { return false };
    let mut base = 0i128;
    let mut steps: Vec<(Operation<'_>, Option<i128>, i128)> = Vec::new();
    for (op, amount) in additions(history, *first) {
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
