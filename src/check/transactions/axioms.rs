//! The one axiom that the weak guarantees share, each with its own premise.
//!
//! A total order *co* of the transactions contains wr (for some, session order too), and where t3 reads x from t1, and t2 also installs x,
//! and t3 *sees* t2, then t2 co t1 (or t3 would have read x from t2). What t3 sees is what differs: what it read from earlier in its
//! program, or at all; its session; what leads to it by any number of such steps. None of these speaks of co itself, so one pass infers
//! all that must be, and the guarantee holds if and only if it has no cycle.
//!
//! Source: Biswas and Enea, On the Complexity of Checking Transactional Consistency (OOPSLA 2019); the passes are those of AWDIT
//! (Møldrup and Pavlogiannis, PLDI 2025), over dense ids.

use hashbrown::HashMap;

use super::causality;
use super::view::{INITIAL, Read, TxnView};
use crate::budget::Meter;
use crate::verdict::StoppedBy;

/// What a transaction sees, and whether the commit order contains session order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Axiom {
    /// What it read from earlier in its program; session order counts. `read-committed@biswas-enea`.
    ReadCommittedBiswasEnea,
    /// What it read from earlier in its program. `monotonic-atomic-view`.
    MonotonicAtomicView,
    /// What it read from. `read-atomic`.
    ReadAtomic,
    /// What it read from, and its session's earlier transactions; session order counts. `read-atomic@biswas-enea`.
    ReadAtomicBiswasEnea,
    /// What leads to it by session order and reads; session order counts. `causal`.
    Causal,
    /// What leads to it by reads. `causal-cerone`.
    CausalCerone,
}

impl Axiom {
    /// Whether session order is part of the commit order.
    #[must_use]
    pub fn has_sessions(self) -> bool {
        matches!(self, Axiom::ReadCommittedBiswasEnea | Axiom::ReadAtomicBiswasEnea | Axiom::Causal)
    }
}

/// `before` must commit before `after`: `reader` read `key` from `after`, saw `before`, and both installed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Inferred {
    pub(super) before: u32,
    /// `INITIAL`, if the reader saw the initial version: then there is no such order.
    pub(super) after: u32,
    pub(super) key: u32,
    pub(super) reader: u32,
}

/// Calls `found` with all that the axiom infers, but for what the known version orders say already. The caller makes sure that wr (and
/// session order, if the axiom has it) has no cycle.
pub(super) fn infer(
    view: &TxnView,
    axiom: Axiom,
    meter: &mut Meter<'_>,
    found: &mut dyn FnMut(Inferred),
) -> Result<(), StoppedBy> {
    let mut new = |inferred: Inferred| {
        if inferred.before != inferred.after && !view.known_before(inferred.before, inferred.after, inferred.key) {
            found(inferred);
        }
    };
    match axiom {
        Axiom::ReadCommittedBiswasEnea | Axiom::MonotonicAtomicView => directly(view, true, meter, &mut new),
        Axiom::ReadAtomic => directly(view, false, meter, &mut new),
        Axiom::ReadAtomicBiswasEnea => {
            by_session(view, meter, &mut new)?;
            directly(view, false, meter, &mut new)
        }
        Axiom::Causal => causality::infer(view, true, meter, &mut new),
        Axiom::CausalCerone => causality::infer(view, false, meter, &mut new),
    }
}

/// t3 sees t2 if it reads from it; `in_program`: before it reads x. O(n^1.5): of the keys that t2 installed and those that t3 read,
/// the fewer are gone through.
fn directly(
    view: &TxnView,
    in_program: bool,
    meter: &mut Meter<'_>,
    found: &mut dyn FnMut(Inferred),
) -> Result<(), StoppedBy> {
    let mut by_key: Vec<(Read, usize)> = Vec::new();
    let mut seen: Vec<(u32, usize)> = Vec::new();
    for reader in 0..view.len() {
        let reads = view.reads(reader);
        if reads.len() < 2 {
            continue;
        }
        by_key.clear();
        by_key.extend(reads.iter().copied().zip(0..));
        by_key.sort_unstable();
        // The first time that each writer was seen.
        seen.clear();
        seen.extend(reads.iter().map(|read| read.writer).zip(0..));
        seen.sort_unstable();
        seen.dedup_by_key(|writer| writer.0);
        for &(before, at) in seen.iter().filter(|writer| writer.0 != INITIAL) {
            let writes = view.writes(before);
            let is_later = |place: usize| !in_program || place > at;
            meter.steps(1 + u32::try_from(writes.len().min(reads.len())).unwrap_or(u32::MAX))?;
            if writes.len() < reads.len() {
                for write in writes {
                    let first = by_key.partition_point(|(read, _)| read.key < write.key);
                    let of_key = by_key[first..].iter().take_while(|(read, _)| read.key == write.key);
                    for (read, _) in of_key.filter(|(_, place)| is_later(*place)) {
                        found(Inferred { before, after: read.writer, key: read.key, reader });
                    }
                }
            } else {
                for (_, read) in reads.iter().enumerate().filter(|(place, _)| is_later(*place)) {
                    if read.writer != before && view.write(before, read.key).is_some() {
                        found(Inferred { before, after: read.writer, key: read.key, reader });
                    }
                }
            }
        }
    }
    Ok(())
}

/// t3 sees its session's earlier transactions: of each key, the last of them that installed it says all.
fn by_session(view: &TxnView, meter: &mut Meter<'_>, found: &mut dyn FnMut(Inferred)) -> Result<(), StoppedBy> {
    // What follows one transaction is one session; its number is that of its first transaction.
    let mut session: Vec<u32> = (0..view.len()).collect();
    let mut last: HashMap<(u32, u32), u32, foldhash::fast::RandomState> = HashMap::default();
    let mut followed = vec![false; view.len() as usize];
    for txn in 0..view.len() {
        if let Some(before) = view.before(txn) {
            followed[before as usize] = true;
            session[txn as usize] = session[before as usize];
        }
    }
    for reader in 0..view.len() {
        let own = session[reader as usize];
        meter.steps(1 + u32::try_from(view.reads(reader).len()).unwrap_or(u32::MAX))?;
        for read in view.reads(reader) {
            if let Some(before) = last.get(&(own, read.key)) {
                found(Inferred { before: *before, after: read.writer, key: read.key, reader });
            }
        }
        if followed[reader as usize] {
            for write in view.writes(reader) {
                last.insert((own, write.key), reader);
            }
        }
    }
    Ok(())
}
