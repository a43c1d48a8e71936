//! What went wrong in the end, as witnesses that a person can read.

use super::finals::quiet;
use super::visibility::Overdue;
use crate::check::deeds;
use crate::check::staleness::Observed;
use crate::check::staleness::key::NONE;
use crate::guarantee::Anomaly;
use crate::history::OpId;
use crate::witness::claim::Claim;
use crate::witness::objects::Cast;
use crate::witness::recheck::eventual::Read;
use crate::witness::recheck::staleness;
use crate::witness::{Minimality, Witness};

/// The operations of some rows as a cast, in order of beginning, each once.
fn cast<'a>(observed: &Observed<'a>, key: usize, rows: &[u32]) -> Cast<'a> {
    let accesses = observed.accesses;
    let mut rows: Vec<u32> = rows.iter().copied().filter(|row| *row != NONE).collect();
    rows.sort_by_key(|row| (accesses.began(*row as usize), *row));
    let mut named: Vec<u32> = Vec::new();
    for row in rows {
        if !named.iter().any(|other| accesses.op[*other as usize] == accesses.op[row as usize]) {
            named.push(row);
        }
    }
    let deeds = named.iter().map(|row| (accesses.op[*row as usize], deeds::deed(accesses, *row))).collect();
    Cast::new(accesses.history, accesses.keys[key], deeds)
}

fn op(observed: &Observed<'_>, row: u32) -> OpId {
    observed.accesses.op[row as usize]
}

fn read_of(observed: &Observed<'_>, row: u32) -> Read {
    Read { op: op(observed, row), mop: observed.accesses.mop[row as usize] as usize }
}

/// Two final reads that can't both be right.
pub(super) fn divergence(observed: &Observed<'_>, number: usize, first: u32, second: u32) -> Witness {
    let key = &observed.keys[number];
    let [a, b] = [first, second].map(|read| key.reads[read as usize].row);
    let quiet = quiet(key);
    let last = key.writes.iter().find(|write| write.acknowledged == quiet).map_or(NONE, |write| write.row);
    let mut cast = cast(observed, number, &[last, a, b]);
    if last != NONE {
        for read in [a, b] {
            cast.before(op(observed, last), op(observed, read));
        }
    }
    let (from, to) = (op(observed, a), op(observed, b));
    let because = format!("{}, and {}", cast.did(from), cast.did(to));
    cast.step(from, to, "diverged", because);
    let meaning = "Every write had returned by then, and still the two differ: nothing is left that could make them agree, \
                   and which data a client gets depends on the server that it asks.";
    let claim = Claim::Diverged([a, b].map(|row| read_of(observed, row)));
    cast.witness(meaning, Minimality::Minimum, false).claiming(
        observed.accesses.history,
        Anomaly::Divergence,
        true,
        &claim,
    )
}

/// A final read of what a failed write wrote.
pub(super) fn aborted(observed: &Observed<'_>, number: usize, row: u32) -> Witness {
    let accesses = observed.accesses;
    let writer = accesses.writer[accesses.version[row as usize] as usize];
    let mut cast = cast(observed, number, &[writer, row]);
    let reader = op(observed, row);
    if writer != NONE {
        let because =
            format!("{}, and {}, the only one that could have", cast.did(reader), cast.did(op(observed, writer)));
        cast.step(op(observed, writer), reader, "wr", because);
    }
    let meaning = "A client was told that nothing happened, and its value is there in the end.";
    let claim = Claim::ShowsFailed(read_of(observed, row));
    cast.witness(meaning, Minimality::Minimum, false).claiming(accesses.history, Anomaly::G1a, true, &claim)
}

/// A final read of what had been overwritten.
pub(super) fn lost(observed: &Observed<'_>, anomaly: Anomaly, number: usize, write: u32, read: u32) -> Witness {
    let (key, accesses) = (&observed.keys[number], observed.accesses);
    let (read, missed) = (&key.reads[read as usize], &key.writes[write as usize]);
    let seen = key.seen(read);
    // Somebody who saw the newer value before it was gone.
    let witness = if missed.shown_by == missed.row {
        let saw = key.reads.iter().find(|other| other.write == write && other.ended < read.began);
        saw.filter(|_| anomaly == Anomaly::Resurrection).map_or(NONE, |saw| saw.row)
    } else {
        missed.shown_by
    };
    let mut cast = cast(observed, number, &[seen.row, seen.shown_by, missed.row, witness, read.row]);
    let (reader, writer) = (op(observed, read.row), op(observed, missed.row));
    if seen.row != NONE {
        cast.saw(op(observed, seen.row), reader);
    }
    if seen.shown_by != NONE && key.order.is_none() {
        cast.before(op(observed, seen.shown_by), writer);
    }
    if witness != NONE {
        cast.saw(writer, op(observed, witness));
        cast.before(op(observed, witness), reader);
    }
    if missed.shown_by == missed.row {
        cast.before(writer, reader);
    }
    let newer = deeds::value(accesses, missed.row);
    let returned = deeds::value(accesses, read.row);
    let name = cast.name(reader);
    let meaning = match anomaly {
        Anomaly::Resurrection => format!(
            "After everything had settled, {name} returned {returned}, which {newer} had replaced, and {newer} had been seen \
             since: what was overwritten came back."
        ),
        _ => format!(
            "After everything had settled, {name} returned {returned} without {newer}, which a client had been told was \
             stored: it is lost."
        ),
    };
    let claim = Claim::Stale(staleness::Claim {
        read: reader,
        mop: accesses.mop[read.row as usize] as usize,
        age_ns: None,
        versions: 1,
        missed: Some(writer),
    });
    cast.witness(&meaning, Minimality::Minimum, false).claiming(accesses.history, anomaly, true, &claim)
}

/// A read that missed a write for too long.
pub(super) fn overdue(observed: &Observed<'_>, overdue: &Overdue) -> Witness {
    let (key, accesses) = (&observed.keys[overdue.key], observed.accesses);
    let (read, missed) = (&key.reads[overdue.read as usize], &key.writes[overdue.write as usize]);
    let seen = key.seen(read);
    let mut cast = cast(observed, overdue.key, &[seen.row, seen.shown_by, missed.row, read.row]);
    let (reader, writer) = (op(observed, read.row), op(observed, missed.row));
    if seen.row != NONE {
        cast.saw(op(observed, seen.row), reader);
    }
    if seen.shown_by != NONE && key.order.is_none() && seen.shown_by != missed.row {
        cast.before(op(observed, seen.shown_by), writer);
    }
    cast.before(writer, reader);
    let meaning = format!(
        "{} began {} after {} had been acknowledged, and did not show it; the bound is {}.",
        cast.name(reader),
        deeds::duration(overdue.age_ns),
        cast.name(writer),
        deeds::duration(overdue.bound_ns)
    );
    let claim = Claim::Stale(staleness::Claim {
        read: reader,
        mop: accesses.mop[read.row as usize] as usize,
        age_ns: Some(overdue.age_ns),
        versions: 1,
        missed: Some(writer),
    });
    let anomaly = Anomaly::OverdueVisibility;
    cast.witness(&meaning, Minimality::Minimum, false).claiming(accesses.history, anomaly, true, &claim)
}

/// Two reads that had seen the same, and returned different values.
pub(super) fn strong(observed: &Observed<'_>, number: usize, rows: [u32; 2], seen: &str) -> Witness {
    let mut cast = cast(observed, number, &rows);
    let [from, to] = rows.map(|row| op(observed, row));
    let because = format!("{}, and {}, and both say that they had seen {seen}", cast.did(from), cast.did(to));
    cast.step(from, to, "diverged", because);
    let meaning = "Replicas that know the same updates have to show the same values, whatever order these came in.";
    let (history, claim) = (observed.accesses.history, Claim::SameKnowledge(rows.map(|row| read_of(observed, row))));
    cast.witness(meaning, Minimality::Minimum, false).claiming(history, Anomaly::StrongDivergence, true, &claim)
}
