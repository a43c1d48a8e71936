//! The final reads of each key, and what is wrong with them.

use super::datatype::Datatype;
use crate::check::staleness::Observed;
use crate::check::staleness::key::{KeyHistory, NEVER, NONE, Unexplained};
use crate::check::staleness::overwritten::first_overwriters;
use crate::guarantee::Anomaly;
use crate::history::{Status, Value};

/// A final read that counts: it began after the key's last write had completed.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Final {
    /// By its place in the key's reads.
    pub(super) read: u32,
    /// The server, [`NONE`] where not said.
    pub(super) node: u32,
    /// What it showed.
    pub(super) value: Value,
}

/// What is wrong with a key in the end.
pub(super) enum Fault {
    /// Reads that can't both be right, or a read and the write that it misses: by their places in the key's columns.
    Certain { anomaly: Anomaly, first: u32, second: u32 },
    /// Why nobody can tell.
    Doubt(String),
}

/// A premise that is not there.
pub(super) struct Missing {
    pub(super) key: usize,
    pub(super) node: u32,
    /// Whether there is such a read, but it began too early.
    pub(super) early: bool,
    /// How many more are missing.
    pub(super) more: usize,
}

/// The final reads of a history.
pub(super) struct Finals {
    /// Every server that did anything; [`NONE`] alone where none is named.
    pub(super) nodes: Vec<u32>,
    by_key: Vec<Vec<Final>>,
    /// Marked as final and begun too early, by key and node.
    early: Vec<(usize, u32)>,
}

/// When the last acknowledged write of a key had completed.
pub(super) fn quiet(key: &KeyHistory) -> u32 {
    key.writes.iter().map(|write| write.acknowledged).filter(|end| *end != NEVER).max().unwrap_or(0)
}

impl Finals {
    pub(super) fn collect(observed: &Observed<'_>) -> Finals {
        let accesses = observed.accesses;
        let slot = |row: u32| accesses.node_of(row).map_or(accesses.nodes.len(), |node| node as usize);
        let mut is_used = vec![false; accesses.nodes.len() + 1];
        for row in (0..).take(accesses.len()) {
            is_used[slot(row)] |= accesses.status(row as usize) == Status::Ok;
        }
        let mut finals =
            Finals { nodes: Vec::new(), by_key: Vec::with_capacity(observed.keys.len()), early: Vec::new() };
        for (number, key) in observed.keys.iter().enumerate() {
            let quiet = quiet(key);
            let mut own = Vec::new();
            for (at, read) in (0..).zip(&key.reads) {
                let node = accesses.node_of(read.row);
                if accesses.is_final(read.row as usize) {
                    let node = node.unwrap_or(NONE);
                    if read.began > quiet {
                        own.push(Final { read: at, node, value: Value::NULL });
                    } else {
                        finals.early.push((number, node));
                    }
                }
            }
            finals.by_key.push(own);
        }
        // Who named no server says nothing of how many there are.
        let named = (0..).take(accesses.nodes.len()).zip(&is_used).filter(|(_, is_used)| **is_used);
        finals.nodes = named.map(|(node, _)| node).collect();
        if finals.nodes.is_empty() {
            finals.nodes.push(NONE);
        }
        finals
    }

    pub(super) fn of_key(&self, key: usize) -> &[Final] {
        &self.by_key[key]
    }

    pub(super) fn count(&self) -> u64 {
        self.by_key.iter().map(|finals| finals.len() as u64).sum()
    }

    /// With what each final read showed.
    pub(super) fn shown(&self, observed: &Observed<'_>, datatype: &dyn Datatype, key: usize) -> Vec<Final> {
        let value = |one: &Final| datatype.shown(observed, observed.keys[key].reads[one.read as usize].row);
        self.by_key[key].iter().map(|one| Final { value: value(one), ..*one }).collect()
    }

    /// How many keys have a final read at every server.
    pub(super) fn converged(&self, observed: &Observed<'_>) -> u64 {
        (0..observed.keys.len()).filter(|key| self.lacks(*key).next().is_none()).map(|_| 1).sum()
    }

    fn lacks(&self, key: usize) -> impl Iterator<Item = u32> + '_ {
        let mut has: Vec<u32> = self.by_key[key].iter().map(|one| one.node).collect();
        has.sort_unstable();
        self.nodes.iter().copied().filter(move |node| has.binary_search(node).is_err())
    }

    /// The first final read that is not there.
    pub(super) fn missing(&self, observed: &Observed<'_>) -> Option<Missing> {
        let mut all = (0..observed.keys.len()).flat_map(|key| self.lacks(key).map(move |node| (key, node)));
        let (key, node) = all.next()?;
        Some(Missing { key, node, early: self.early.contains(&(key, node)), more: all.count() })
    }

    /// What is wrong with a key, as far as it was read in the end.
    pub(super) fn fault(&self, observed: &Observed<'_>, datatype: &dyn Datatype, number: usize) -> Option<Fault> {
        let (key, accesses) = (&observed.keys[number], observed.accesses);
        let aborted = key
            .unexplained
            .iter()
            .find(|(_, row, why)| *why == Unexplained::Aborted && accesses.is_final(*row as usize));
        if let Some((_, row, _)) = aborted {
            return Some(Fault::Certain { anomaly: Anomaly::G1a, first: *row, second: NONE });
        }
        let finals = self.shown(observed, datatype, number);
        let first = finals.first()?;
        // A write of unknown outcome that was seen before the first final read had happened by then.
        let begins = finals.iter().map(|one| key.reads[one.read as usize].began).min().unwrap_or(0);
        let open = |write: u32| {
            let write = &key.writes[write as usize];
            write.row != NONE && accesses.status(write.row as usize) == Status::Info && write.ended >= begins
        };
        if let Some(other) = finals.iter().find(|one| one.value != first.value) {
            return Some(match datatype.contradiction(observed, key, &finals, &open) {
                Some((a, b)) => {
                    Fault::Certain { anomaly: Anomaly::Divergence, first: finals[a].read, second: finals[b].read }
                }
                None => Fault::Doubt(unsettled(observed, number, [first, other])),
            });
        }
        let overwriters = first_overwriters(key, |write| write.ended);
        let missed = |one: &Final| {
            let read = &key.reads[one.read as usize];
            let first = overwriters[read.write as usize];
            key.writes.get(first as usize).is_some_and(|write| write.ended < read.began).then_some(first)
        };
        let (write, read) = finals.iter().find_map(|one| Some((missed(one)?, one.read)))?;
        // The newer value was seen, and is gone again; or nobody ever saw it.
        let shown_by = key.writes[write as usize].shown_by;
        let seen = shown_by != NONE && shown_by != key.writes[write as usize].row
            || key
                .reads
                .iter()
                .any(|other| other.write == write && other.certain && other.ended < key.reads[read as usize].began);
        let back = seen && datatype.values_return();
        let anomaly = if back { Anomaly::Resurrection } else { Anomaly::LostWrite };
        Some(Fault::Certain { anomaly, first: write, second: read })
    }
}

fn unsettled(observed: &Observed<'_>, key: usize, [a, b]: [&Final; 2]) -> String {
    let (accesses, values) = (observed.accesses, observed.accesses.history.values());
    let name = accesses.keys[key];
    let of = if name.is_absent() { String::new() } else { format!(" of key {}", observed.name(name)) };
    let at = |one: &Final| match accesses.nodes.get(one.node as usize) {
        Some(node) => format!("{} at node {}", values.json(one.value, 60), observed.name(*node)),
        None => values.json(one.value, 60),
    };
    format!(
        "the final reads{of} differ ({}, {}), and a write whose outcome nobody knows may have taken effect between them: read \
         again later, or learn what became of it",
        at(a),
        at(b)
    )
}
