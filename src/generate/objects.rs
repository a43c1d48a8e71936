//! The anomalies of single objects, as scripts: operations one after the other, each by a process of its own, on one key,
//! while the operations of the other clients are under way. Since a script's values are written nowhere else, no
//! operation around it can excuse what it shows. Symbols (1, 2, 3) stand for those values.

use super::Anomaly;
use crate::history::RecordType;

/// Symbols are below this.
pub(super) const SYMBOLS: u64 = 4;

/// What one operation of a script does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// It reads; a register shows the last of these, a string all of them.
    Read(&'static [u8]),
    /// It writes, or puts.
    Write(u8),
    /// It appends (strings).
    Append(u8),
    /// It replaces the first by the second (registers).
    Cas(u8, u8),
}

/// One operation of a script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acted {
    pub(super) act: Act,
    pub(super) outcome: RecordType,
}

impl Acted {
    /// A register's function.
    pub(super) fn f(&self) -> &'static str {
        match self.act {
            Act::Read(_) => "read",
            Act::Write(_) | Act::Append(_) => "write",
            Act::Cas(..) => "cas",
        }
    }
}

/// An anomaly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script {
    pub(super) operations: &'static [Acted],
    /// What the object holds afterwards: a register the last of these, a string all of them; nothing: as before.
    pub(super) left: &'static [u8],
}

const fn ok(act: Act) -> Acted {
    Acted { act, outcome: RecordType::Ok }
}

const fn fail(act: Act) -> Acted {
    Acted { act, outcome: RecordType::Fail }
}

use Act::{Append, Cas, Read, Write};

/// The script of a register's anomaly.
pub(super) fn register(anomaly: Anomaly) -> Option<Script> {
    find(REGISTER, anomaly)
}

/// The script of a string's anomaly.
pub(super) fn string(anomaly: Anomaly) -> Option<Script> {
    find(STRING, anomaly)
}

fn find(scripts: &[Row], anomaly: Anomaly) -> Option<Script> {
    let (_, operations, left) = scripts.iter().chain(COMMON).find(|(named, ..)| *named == anomaly)?;
    Some(Script { operations, left })
}

type Row = (Anomaly, &'static [Acted], &'static [u8]);

const REGISTER: &[Row] = &[(Anomaly::LostUpdate, &[ok(Write(1)), ok(Cas(1, 2)), ok(Cas(1, 3))], &[3])];

const STRING: &[Row] =
    &[(Anomaly::LostUpdate, &[ok(Write(1)), ok(Append(2)), ok(Append(3)), ok(Read(&[1, 3]))], &[1, 3])];

const COMMON: &[Row] = &[
    (Anomaly::StaleRead, &[ok(Write(1)), ok(Write(2)), ok(Read(&[1]))], &[2]),
    (Anomaly::ThinAirRead, &[ok(Read(&[1]))], &[]),
    (Anomaly::G1a, &[fail(Write(1)), ok(Read(&[1]))], &[]),
    (Anomaly::FutureRead, &[ok(Read(&[1])), ok(Write(1))], &[1]),
];
