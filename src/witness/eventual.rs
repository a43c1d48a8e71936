//! What final reads show, and reads that had seen the same, in words.

use super::claim::Claim;
use super::recheck::accesses::is_write;
use super::recheck::eventual;
use super::sessions::Access;
use super::staleness::cast;
use super::{Minimality, Witness, deeds};
use crate::guarantee::Anomaly;
use crate::history::{History, Operation, Status};

/// Two final reads that can't both be right.
#[must_use]
pub fn divergence(history: &History, reads: [Access; 2]) -> Witness {
    let [a, b] = reads;
    let last = last_write(history, a);
    let mut cast = cast(history, &[a, b].into_iter().chain(last).collect::<Vec<_>>());
    if let Some(last) = last {
        for read in reads {
            cast.before(last.op, read.op);
        }
    }
    let because = format!("{}, and {}", cast.did(a.op), cast.did(b.op));
    cast.step(a.op, b.op, "diverged", because);
    let meaning = "Every write had returned by then, and still the two differ: nothing is left that could make them agree, \
                   and which data a client gets depends on the server that it asks.";
    confirmed(history, Anomaly::Divergence, Claim::Diverged(reads), cast.witness(meaning, Minimality::Minimum, false))
}

/// The acknowledged write of a read's object that returned last.
fn last_write(history: &History, read: Access) -> Option<Access> {
    let (of, key) = (history.op(read.op).key(), deeds::key(history, read));
    let write = |op: &Operation<'_>| {
        // A `cas` reads before it writes.
        let places = u32::try_from(op.mops().len().max(2)).unwrap_or(u32::MAX);
        let mut accesses = (0..places).map(|mop| Access { op: op.id, mop });
        accesses.find(|access| is_write(history, *access) && deeds::key(history, *access) == key)
    };
    let same = |op: &Operation<'_>| op.key() == of || op.key().is_null() && of.is_null();
    let ok = history.ops().filter(|op| op.status() == Status::Ok && same(op));
    let mut last: Option<(u32, Access)> = None;
    for op in ok {
        if last.is_none_or(|(ended, _)| ended < op.ended()) {
            last = write(&op).map(|write| (op.ended(), write)).or(last);
        }
    }
    last.map(|(_, write)| write)
}

/// A final read of what a failed write wrote.
#[must_use]
pub fn aborted(history: &History, read: Access) -> Witness {
    let writer = eventual::failed_writer(history, read);
    let mut cast = cast(history, &[read].into_iter().chain(writer.map(|writer| writer.0)).collect::<Vec<_>>());
    if let Some((writer, is_only)) = writer {
        let others = if is_only { "the only one that could have" } else { "as did all others that could have" };
        let because = format!("{}, and {}, {others}", cast.did(read.op), cast.did(writer.op));
        cast.step(writer.op, read.op, "wr", because);
    }
    let meaning = "A client was told that nothing happened, and its value is there in the end.";
    confirmed(history, Anomaly::G1a, Claim::ShowsFailed(read), cast.witness(meaning, Minimality::Minimum, false))
}

/// Two reads that had seen the same, and returned different values.
#[must_use]
pub fn same_knowledge(history: &History, reads: [Access; 2]) -> Witness {
    let mut cast = cast(history, &reads);
    let [from, to] = reads.map(|read| read.op);
    let seen = eventual::said(history, &history.op(from)).map_or_else(String::new, |said| shortened(&said.to_string()));
    let because = format!("{}, and {}, and both say that they had seen {seen}", cast.did(from), cast.did(to));
    cast.step(from, to, "diverged", because);
    let meaning = "Replicas that know the same updates have to show the same values, whatever order these came in.";
    let told = cast.witness(meaning, Minimality::Minimum, false);
    confirmed(history, Anomaly::StrongDivergence, Claim::SameKnowledge(reads), told)
}

fn confirmed(history: &History, anomaly: Anomaly, claim: Claim, told: Witness) -> Witness {
    told.claiming(history, anomaly, true, &claim)
}

fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(std::iter::once('…')).collect()
}
