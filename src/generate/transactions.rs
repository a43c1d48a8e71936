//! The anomalies of transactions, as scripts: a few transactions on keys of their own, by processes of their own, in the
//! middle of a history that is otherwise what its level says.
//!
//! No cycle leads through the rest of the history: keys and processes are shared with nobody, and real time leads from
//! what was before the script to what comes after it, never back. So a history of strict-serializable transactions has
//! exactly the script's anomalies. Most scripts hold a single type. Those that can't: `G1b` (the reader of the first
//! append anti-depends on the second one's transaction, which it read: G-single-item), `lost-update` (which is a
//! G-single-item), `dirty-update` (its last read sees the failed append too: G1a).
//!
//! A script's last transactions read what was appended, so that no version order is left open.

use super::Anomaly;
use crate::history::RecordType;

/// How many keys a script takes.
pub(super) const KEYS: u64 = 2;

/// A micro-operation: its key (0, 1), and its element or its result.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mop {
    Append(u8, u8),
    Read(u8, &'static [u8]),
}

/// A transaction of a script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    pub(super) process: u8,
    pub(super) outcome: RecordType,
    pub(super) mops: &'static [Mop],
}

/// An anomaly: transactions by number, and the order of their records (a number's first place is the invocation, its
/// second the completion).
#[derive(Clone, Copy, Debug)]
pub(super) struct Script {
    pub(super) transactions: &'static [Transaction],
    pub(super) order: &'static [u8],
}

const X: u8 = 0;
const Y: u8 = 1;

use Mop::{Append as A, Read as R};

const fn ok(process: u8, mops: &'static [Mop]) -> Transaction {
    Transaction { process, outcome: RecordType::Ok, mops }
}

const fn fail(process: u8, mops: &'static [Mop]) -> Transaction {
    Transaction { process, outcome: RecordType::Fail, mops }
}

/// The script of an anomaly; none where lists can't show it.
pub(super) fn script(anomaly: Anomaly) -> Option<Script> {
    let (_, transactions, order) = SCRIPTS.iter().find(|(named, ..)| *named == anomaly)?;
    Some(Script { transactions, order })
}

type Row = (Anomaly, &'static [Transaction], &'static [u8]);

const SCRIPTS: &[Row] = &[
    (
        Anomaly::G0,
        &[ok(0, &[A(X, 1), A(Y, 1)]), ok(1, &[A(X, 2), A(Y, 2)]), ok(2, &[R(X, &[1, 2]), R(Y, &[2, 1])])],
        &[0, 1, 0, 1, 2, 2],
    ),
    (Anomaly::G0Process, &[ok(0, &[A(X, 1)]), ok(0, &[A(X, 2)]), ok(1, &[R(X, &[2, 1])])], &[0, 0, 1, 1, 2, 2]),
    (Anomaly::G0Realtime, &[ok(0, &[A(X, 1)]), ok(1, &[A(X, 2)]), ok(2, &[R(X, &[2, 1])])], &[0, 0, 1, 1, 2, 2]),
    (Anomaly::G1a, &[fail(0, &[A(X, 1)]), ok(1, &[R(X, &[1])])], &[0, 1, 0, 1]),
    (Anomaly::G1b, &[ok(0, &[A(X, 1), A(X, 2)]), ok(1, &[R(X, &[1])]), ok(2, &[R(X, &[1, 2])])], &[0, 1, 0, 1, 2, 2]),
    (Anomaly::G1c, &[ok(0, &[A(X, 1), R(Y, &[1])]), ok(1, &[A(Y, 1), R(X, &[1])])], &[0, 1, 0, 1]),
    (Anomaly::G1cProcess, &[ok(0, &[R(X, &[1])]), ok(0, &[A(X, 1)])], &[0, 0, 1, 1]),
    (Anomaly::G1cRealtime, &[ok(0, &[R(X, &[1])]), ok(1, &[A(X, 1)])], &[0, 0, 1, 1]),
    (
        Anomaly::GSingleItem,
        &[ok(0, &[R(X, &[]), R(Y, &[1])]), ok(1, &[A(X, 1), A(Y, 1)]), ok(2, &[R(X, &[1])])],
        &[0, 1, 0, 1, 2, 2],
    ),
    (Anomaly::GSingleItemProcess, &[ok(0, &[A(X, 1)]), ok(0, &[R(X, &[])]), ok(1, &[R(X, &[1])])], &[0, 0, 1, 1, 2, 2]),
    (
        Anomaly::GSingleItemRealtime,
        &[ok(0, &[A(X, 1)]), ok(1, &[R(X, &[])]), ok(2, &[R(X, &[1])])],
        &[0, 0, 1, 1, 2, 2],
    ),
    (
        Anomaly::GNonadjacentItem,
        &[ok(0, &[R(X, &[]), R(Y, &[1])]), ok(1, &[A(X, 1)]), ok(2, &[R(X, &[1]), R(Y, &[])]), ok(3, &[A(Y, 1)])],
        &[0, 1, 2, 3, 0, 1, 2, 3],
    ),
    // 3 precedes 0, which anti-depends on 1, which 2 read, which anti-depends on 3. Everything else overlaps, or two
    // of these relations would make a shorter cycle.
    (
        Anomaly::GNonadjacentItemProcess,
        &[
            ok(3, &[R(X, &[])]),
            ok(1, &[A(X, 1)]),
            ok(2, &[R(X, &[1]), R(Y, &[])]),
            ok(3, &[A(Y, 1)]),
            ok(4, &[R(Y, &[1])]),
        ],
        &[1, 2, 3, 3, 0, 0, 1, 2, 4, 4],
    ),
    (
        Anomaly::GNonadjacentItemRealtime,
        &[
            ok(0, &[R(X, &[])]),
            ok(1, &[A(X, 1)]),
            ok(2, &[R(X, &[1]), R(Y, &[])]),
            ok(3, &[A(Y, 1)]),
            ok(4, &[R(Y, &[1])]),
        ],
        &[1, 2, 3, 3, 0, 0, 1, 2, 4, 4],
    ),
    (
        Anomaly::G2Item,
        &[ok(0, &[R(X, &[]), A(Y, 1)]), ok(1, &[R(Y, &[]), A(X, 1)]), ok(2, &[R(X, &[1]), R(Y, &[1])])],
        &[0, 1, 0, 1, 2, 2],
    ),
    // 2 precedes 0, which anti-depends on 1, which anti-depends on 2; 1 overlaps both.
    (
        Anomaly::G2ItemProcess,
        &[ok(2, &[R(X, &[])]), ok(1, &[A(X, 1), R(Y, &[])]), ok(2, &[A(Y, 1)]), ok(3, &[R(X, &[1]), R(Y, &[1])])],
        &[1, 2, 2, 0, 0, 1, 3, 3],
    ),
    (
        Anomaly::G2ItemRealtime,
        &[ok(0, &[R(X, &[])]), ok(1, &[A(X, 1), R(Y, &[])]), ok(2, &[A(Y, 1)]), ok(3, &[R(X, &[1]), R(Y, &[1])])],
        &[1, 2, 2, 0, 0, 1, 3, 3],
    ),
    (Anomaly::Internal, &[ok(0, &[R(X, &[]), A(X, 1), R(X, &[])]), ok(1, &[R(X, &[1])])], &[0, 0, 1, 1]),
    (Anomaly::FutureRead, &[ok(0, &[R(X, &[1]), A(X, 1)])], &[0, 0]),
    (Anomaly::ThinAirRead, &[ok(0, &[R(X, &[1])])], &[0, 0]),
    (Anomaly::DuplicateElements, &[ok(0, &[A(X, 1)]), ok(1, &[R(X, &[1, 1])])], &[0, 0, 1, 1]),
    (
        Anomaly::IncompatibleOrder,
        &[ok(0, &[A(X, 1)]), ok(1, &[A(X, 2)]), ok(2, &[R(X, &[1, 2])]), ok(3, &[R(X, &[2, 1])])],
        &[0, 1, 2, 3, 0, 1, 2, 3],
    ),
    (
        Anomaly::LostUpdate,
        &[ok(0, &[R(X, &[]), A(X, 1)]), ok(1, &[R(X, &[]), A(X, 2)]), ok(2, &[R(X, &[1, 2])])],
        &[0, 1, 0, 1, 2, 2],
    ),
    (Anomaly::DirtyUpdate, &[fail(0, &[A(X, 1)]), ok(1, &[A(X, 2)]), ok(2, &[R(X, &[1, 2])])], &[0, 1, 0, 1, 2, 2]),
];
