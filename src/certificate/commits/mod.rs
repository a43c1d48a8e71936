//! Isolation of transactions over lists: one order of all transactions, in which they commit.
//!
//! With that order, every level is a condition on single reads, which is looked up read by read. What the order has to keep (`order`,
//! `versions`): each transaction that certainly happened once; session order and real time, where the level contains them; and each key's
//! list, as it was read, has the appends of whole transactions, one after the other as they commit. A read shows a version that
//! somebody before it left behind (from read-committed upward). It *misses* a version if that was left between the one
//! that it shows and its own transaction. What a level says of missed versions is all that differs:
//!
//! | level | a read may miss a version |
//! |---|---|
//! | read-uncommitted, read-committed | always |
//! | serializable, repeatable-read | never |
//! | monotonic-snapshot-read, prefix, snapshot isolation (`snapshots`) | of after its snapshot, a prefix of the order that serves for all; and that contains what is overwritten |
//! | the others (`seen`) | of somebody whom its transaction does not see |
//!
//! Sources: Biswas and Enea (OOPSLA 2019) for the axioms of that form; Adya (MIT 1999), of whose levels each forbids cycles that leave a
//! read which misses something: without such a read, all edges of the graph lead forward in the order. Cost: linear, but for what
//! reads miss: there a search goes back from the reader as far as to the version that it shows.

mod chains;
mod gathered;
mod order;
mod seen;
mod snapshots;
mod versions;

use std::cell::OnceCell;

use super::evidence::other;
use super::{Beside, Certificate, Claim, Ruling};
use crate::guarantee::Guarantee;
use crate::history::History;
pub(super) use gathered::Gathered;
use order::Order;
use seen::Sees;
use snapshots::Snapshots;
use versions::{Found, Versions};

/// An order, and what it makes of the history: for all levels that it is to show.
pub(super) struct Looked {
    positions: Vec<u32>,
    order: Result<Order, String>,
    /// With reads that need only exist; and with all that there is to say of them.
    found: [OnceCell<Result<Found, String>>; 2],
}

impl Looked {
    pub(super) fn new(history: &History, gathered: &Gathered, positions: &[u32]) -> Looked {
        let order = Order::taken(history, &gathered.sessions, positions);
        Looked { positions: positions.to_vec(), order, found: Default::default() }
    }

    /// Whether it is this one.
    pub(super) fn is_of(&self, positions: &[u32]) -> bool {
        self.positions == positions
    }

    /// The versions, where order and reads are each by itself what a level asks.
    fn versions<'a>(
        &'a self,
        history: &'a History,
        gathered: &'a Gathered,
        level: &Level,
    ) -> Result<Versions<'a>, String> {
        let order = self.order.as_ref().map_err(Clone::clone)?;
        order.keeps(level.form)?;
        let exist = level.reads == Reads::Exist;
        let found = self.found[usize::from(!exist)].get_or_init(|| Found::new(history, gathered, order, exist));
        let found = found.as_ref().map_err(Clone::clone)?;
        found.keep(level.reads)?;
        Ok(Versions { history, gathered, order, found })
    }
}

/// Orders beside the data that the order of commits contains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Form {
    /// None.
    Plain,
    /// Each session's order.
    Session,
    /// And real time.
    Strict,
}

/// What is asked of each read by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reads {
    /// That others' reads and the transactions' programs show one list.
    Exist,
    /// That it shows what somebody before left behind, and after that own appends.
    Committed,
    /// And all of its transaction's own appends so far.
    Own,
    /// And one version for all reads of a key.
    Consistent,
}

/// When a read may miss a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Misses {
    Always,
    Never,
    Snapshots(Snapshots),
    Unless(Sees),
}

/// A level.
#[derive(Clone, Copy, Debug)]
struct Level {
    form: Form,
    reads: Reads,
    misses: Misses,
}

/// What each guarantee asks; nothing where this can't show it.
fn level(guarantee: Guarantee) -> Option<Level> {
    use {Form::*, Guarantee as G, Reads::*};
    let unless = Misses::Unless;
    let snapshots = |contains, exclusive| Misses::Snapshots(Snapshots { contains, one: true, exclusive });
    let (form, reads, misses) = match guarantee {
        G::StrictSerializable => (Strict, Consistent, Misses::Never),
        G::StrongSessionSerializable | G::SessionSerializable => (Session, Consistent, Misses::Never),
        G::Serializable | G::ViewSerializable | G::OneCopySerializable => (Plain, Consistent, Misses::Never),
        G::RepeatableRead => (Plain, Committed, Misses::Never),
        G::StrongSnapshotIsolation => (Strict, Consistent, snapshots(Strict, true)),
        G::StrongSessionSnapshotIsolation => (Session, Consistent, snapshots(Session, true)),
        G::SnapshotIsolation => (Plain, Consistent, snapshots(Plain, true)),
        G::PrefixBiswasEnea => (Session, Consistent, snapshots(Session, false)),
        G::Prefix => (Plain, Consistent, snapshots(Plain, false)),
        G::MonotonicSnapshotRead => {
            (Plain, Committed, Misses::Snapshots(Snapshots { contains: Plain, one: false, exclusive: false }))
        }
        G::UpdateSerializable => (Plain, Committed, unless(Sees::Updates)),
        G::ParallelSnapshotIsolation => (Plain, Consistent, unless(Sees::Dependencies)),
        G::ConsistentView | G::ForwardConsistentView => (Plain, Committed, unless(Sees::Dependencies)),
        G::MonotonicView => (Plain, Committed, unless(Sees::DependenciesSoFar)),
        G::UpdateAtomic => (Plain, Consistent, unless(Sees::Overwritten)),
        G::CursorStability => (Plain, Committed, unless(Sees::Cursor)),
        G::Causal => (Session, Consistent, unless(Sees::SessionsAndReads)),
        G::CausalCerone => (Plain, Consistent, unless(Sees::Reads)),
        G::ReadAtomicBiswasEnea => (Session, Consistent, unless(Sees::SessionAndRead)),
        G::ReadAtomic => (Plain, Consistent, unless(Sees::Read)),
        G::ReadCommittedBiswasEnea => (Session, Own, unless(Sees::ReadSoFar)),
        G::MonotonicAtomicView => (Plain, Committed, unless(Sees::ReadSoFar)),
        G::StrongReadCommitted => (Strict, Committed, Misses::Always),
        G::StrongSessionReadCommitted => (Session, Committed, Misses::Always),
        G::ReadCommitted => (Plain, Committed, Misses::Always),
        G::StrongReadUncommitted => (Strict, Exist, Misses::Always),
        G::StrongSessionReadUncommitted => (Session, Exist, Misses::Always),
        G::ReadUncommitted => (Plain, Exist, Misses::Always),
        _ => return None,
    };
    Some(Level { form, reads, misses })
}

/// What became of the claim.
pub(super) fn rule(beside: &Beside<'_>, certificate: &Certificate, claim: &Claim, order: &[u32]) -> Ruling {
    let level = Guarantee::named(&claim.guarantee).filter(|_| certificate.workload == "list-append").and_then(level);
    let Some(level) = level else { return other(certificate, claim) };
    let gathered = match beside.gathered() {
        Ok(gathered) => gathered,
        Err(why) => return Ruling::Refused(why),
    };
    let looked = beside.looked(gathered, order);
    let versions = match looked.versions(beside.history, gathered, &level) {
        Ok(versions) => versions,
        Err(why) => return Ruling::Refused(why),
    };
    let kept = match level.misses {
        Misses::Always => Ok(true),
        Misses::Never => versions.all().try_for_each(|(txn, read)| versions.shows_the_latest(txn, read)).map(|()| true),
        Misses::Snapshots(snapshots) => snapshots::kept(&versions, snapshots).map(|()| true),
        Misses::Unless(sees) => seen::kept(&versions, sees),
    };
    let reads = versions.found.reads();
    let keeps = match level.form {
        Form::Plain => "",
        Form::Session => " that keeps each session's",
        Form::Strict => " that keeps real time and each session's",
    };
    match kept {
        Err(why) => Ruling::Refused(why),
        Ok(false) => Ruling::Unproved("what its reads miss takes too many steps to look up".to_owned()),
        Ok(true) if reads == 0 => {
            Ruling::Unproved("no transaction read anything: nothing could have refuted it".to_owned())
        }
        Ok(true) => Ruling::Proved(format!(
            "{} transactions, committed in an order{keeps}, give all {reads} lists that were read, as {} asks",
            order.len(),
            claim.guarantee
        )),
    }
}
