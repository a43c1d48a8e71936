//! Levels of snapshots: what a transaction may miss is what comes after its snapshot, a beginning of the order.
//!
//! The evidence need not say where a snapshot ends: the least one that contains all that it has to is the best one, because it lets
//! the reads miss the most.

use super::Form;
use super::versions::Versions;

/// What snapshots have to contain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Snapshots {
    /// The session's earlier transactions; all that returned before.
    pub(super) contains: Form,
    /// Whether one serves for all reads of a transaction; or else, each is followed by one that contains it.
    pub(super) one: bool,
    /// Whether it contains the versions that its transaction overwrites.
    pub(super) exclusive: bool,
}

/// That each transaction has snapshots that contain what it saw and nothing that it missed.
pub(super) fn kept(versions: &Versions<'_>, asked: Snapshots) -> Result<(), String> {
    for (at, txn) in (0u32..).zip(&versions.order.placed) {
        let (reads, writes) = (versions.reads_of(at), versions.writes_of(at));
        // The snapshot is the first so many transactions of the order.
        let mut least = 0;
        let contain = |writer: Option<u32>| writer.map_or(0, |writer| writer + 1);
        if asked.contains >= Form::Session {
            least = least.max(contain(txn.earlier));
        }
        if asked.contains == Form::Strict {
            least = least.max(txn.returned);
        }
        if asked.exclusive {
            let overwritten = writes.iter().map(|write| versions.writer(write.key, write.version - 1));
            least = overwritten.map(contain).fold(least, u32::max);
        }
        let shown = |read: &super::versions::Read| contain(versions.writer(read.key, read.version));
        if asked.one {
            least = reads.iter().map(shown).fold(least, u32::max);
        }
        for read in reads {
            least = least.max(shown(read));
            if let Some(missed) = versions.missed(at, read).first().filter(|missed| **missed < least) {
                return Err(versions.refusal(at, read, *missed, "which is in its snapshot"));
            }
        }
    }
    Ok(())
}
