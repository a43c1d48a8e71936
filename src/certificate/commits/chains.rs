//! What the longest lists show, by an order of commits: who left each key's versions behind.

use super::gathered::{AGAIN, Gathered, NOBODY, NONE, length};
use super::order::Order;
use crate::certificate::places;
use crate::history::{History, Status};

/// A key that a transaction appended to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    pub(super) key: u32,
    /// Its last append to it, as a micro-operation of the transaction.
    pub(super) mop: u32,
    /// The version that it left behind.
    pub(super) version: u32,
}

/// Where a transaction's reads and its writes end.
pub(super) type Ends = (u32, u32);

/// Who left the versions of each key behind.
#[derive(Debug)]
pub(super) struct Chains {
    /// By key, and by version from 1 on: places, ascending.
    writers: Vec<u32>,
    /// By key: how many there are.
    counts: Vec<u32>,
    /// By element of the longest lists: the version that ends with it; [`NONE`] where none does.
    pub(super) versions: Vec<u32>,
}

impl Chains {
    pub(super) fn new(gathered: &Gathered) -> Chains {
        let most = gathered.writers.last().copied().unwrap_or(0) as usize;
        Chains {
            writers: vec![NONE; most],
            counts: vec![0; gathered.names.len()],
            versions: vec![NONE; gathered.shown.len()],
        }
    }

    pub(super) fn of(&self, gathered: &Gathered, key: u32) -> &[u32] {
        &self.writers[gathered.writers[key as usize] as usize..][..self.counts[key as usize] as usize]
    }

    fn push(&mut self, gathered: &Gathered, key: u32, writer: u32) {
        let count = &mut self.counts[key as usize];
        self.writers[(gathered.writers[key as usize] + *count) as usize] = writer;
        *count += 1;
    }
}

/// The history, to be gone through by an order.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    pub(super) history: &'a History,
    pub(super) gathered: &'a Gathered,
    /// By operation: its place in the order.
    pub(super) place: &'a [u32],
    /// Whether lists need only exist.
    pub(super) exist: bool,
}

impl Lists<'_> {
    pub(super) fn key_name(&self, key: u32) -> String {
        self.history.values().json(self.gathered.names[key as usize], 60)
    }

    /// The record of the transaction at a place of the order.
    pub(super) fn op_at(&self, wanted: u32) -> u32 {
        self.history.ops().find(|op| self.place[op.id.index()] == wanted).map_or(NONE, |op| op.position())
    }

    /// That the longest list of a key shows whole transactions in the order, one after the other.
    pub(super) fn order(&self, key: u32, chains: &mut Chains) -> Result<(), String> {
        let (values, gathered) = (self.history.values(), self.gathered);
        let (mut last, mut next) = (None, 0);
        for at in gathered.elements(key) {
            let refuse = |why: &str| {
                let element = values.json(gathered.element(values, at), 60);
                Err(format!("key {}: element {element} {why}", self.key_name(key)))
            };
            let append = match gathered.shown[at] {
                NOBODY => return refuse("was appended by nobody"),
                AGAIN => return refuse("is shown twice"),
                append => gathered.appends[append as usize],
            };
            let op = self.history.op(append.op);
            if op.status() == Status::Fail {
                if !self.exist {
                    return refuse(&format!("is of the transaction at record {}, which failed", op.position()));
                }
                continue;
            }
            let place = self.place[append.op.index()];
            if place == NONE {
                return refuse(&format!(
                    "was read, and the transaction at record {} that appends it is not in the order",
                    op.position()
                ));
            }
            match last {
                Some(last) if last == place => {}
                Some(last) if last > place => {
                    return refuse(&format!(
                        "comes after what the transaction at record {} appends, and that comes later in the order",
                        self.op_at(last)
                    ));
                }
                Some(_) if next != 0 => return refuse("comes between the appends of one transaction"),
                _ => chains.push(gathered, key, place),
            }
            last = Some(place);
            if append.nth != next {
                return refuse("is shown without what its transaction appended before it");
            }
            // So far it may be half of what the transaction appends: then nobody else may see it.
            next = if append.is_last { 0 } else { append.nth + 1 };
            if next == 0 {
                chains.versions[at] = chains.counts[key as usize];
            }
        }
        Ok(())
    }

    /// All transactions with what they left behind: appends that nobody observed come after the longest list. What they wrote, and where
    /// that ends.
    pub(super) fn unobserved(&self, order: &Order, chains: &mut Chains) -> Result<(Vec<Write>, Vec<Ends>), String> {
        let gathered = self.gathered;
        let mut writes: Vec<Write> = Vec::with_capacity(chains.writers.len());
        let mut ends = Vec::with_capacity(order.placed.len());
        let mut own: Vec<Write> = Vec::new();
        for (at, op) in order.ops(self.history) {
            let mops = gathered.mops(&op).filter(|said| said.appends);
            own.clear();
            own.extend(mops.map(|said| Write { key: said.key, mop: said.place, version: 0 }));
            if own.len() > 1 {
                own.sort_unstable_by_key(|write| (write.key, std::cmp::Reverse(write.mop)));
                own.dedup_by_key(|write| write.key);
            }
            for write in &mut own {
                let chain = chains.of(gathered, write.key);
                let version = match chain.last() {
                    Some(last) if *last >= at => match chain.binary_search(&at) {
                        Ok(observed) => observed,
                        Err(_) => {
                            let why = format!(
                                "nobody observed what it appends to key {}, which comes after all that was read",
                                self.key_name(write.key)
                            );
                            return Err(places::at(at as usize, op.position(), &why));
                        }
                    },
                    _ => {
                        let version = chain.len();
                        chains.push(gathered, write.key, at);
                        version
                    }
                };
                write.version = length(version + 1);
            }
            writes.extend_from_slice(&own);
            ends.push((0, length(writes.len())));
        }
        Ok((writes, ends))
    }
}
