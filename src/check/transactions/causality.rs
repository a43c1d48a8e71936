//! What leads to a transaction by reads (and session order): clocks over chains.
//!
//! The transactions from which others read are covered by chains, each of which is a path of wr (and session order): each transaction
//! continues the chain of one that leads to it, if it is the first to do so. What leads to a transaction is then a beginning of each
//! chain: a clock, one number a chain. A clock is let go when all whom it leads to have seen it.
//!
//! Of each chain only the last installer of x in a reader's past matters to it: the others commit before that one.
//! Cost: O(n k) for k chains; sessions bound k where session order counts. Source: AWDIT (PLDI 2025); chain decomposition: Jagadish,
//! A Compression Technique to Materialize Transitive Closure (TODS 1990).

use super::axioms::Inferred;
use super::view::{INITIAL, TxnView};
use crate::budget::Meter;
use crate::graph::{Edge, Graph, Relations, topological};
use crate::verdict::StoppedBy;

const NONE: u32 = u32::MAX;

/// All transactions, those that lead to one before it; and the chains.
struct Chains {
    order: Vec<u32>,
    /// By transaction: its chain, if another one follows from it.
    chain: Vec<u32>,
    /// And its place there, from 1.
    place: Vec<u32>,
    count: usize,
    /// How many follow directly from it.
    followers: Vec<u32>,
}

/// Who leads directly to a transaction, each once.
fn leading(view: &TxnView, sessions: bool, txn: u32, into: &mut Vec<u32>) {
    into.clear();
    into.extend(view.reads(txn).iter().map(|read| read.writer).filter(|writer| *writer != INITIAL));
    into.sort_unstable();
    into.dedup();
    if sessions && let Some(before) = view.before(txn) {
        into.retain(|other| *other != before);
        into.insert(0, before);
    }
}

impl Chains {
    fn new(view: &TxnView, sessions: bool) -> Chains {
        let count = view.len() as usize;
        let mut edges = Vec::new();
        let mut followers = vec![0; count];
        let mut leads = Vec::new();
        for to in 0..view.len() {
            leading(view, sessions, to, &mut leads);
            for from in &leads {
                followers[*from as usize] += 1;
                edges.push(Edge { from: *from, to, relations: Relations::WR });
            }
        }
        let order = topological(&Graph::build(view.len(), 0, edges), Relations::WR);
        let mut chains = Chains { order, chain: vec![NONE; count], place: vec![0; count], count: 0, followers };
        let mut continued = vec![false; count];
        for txn in chains.order.iter().copied().filter(|txn| chains.followers[*txn as usize] > 0) {
            leading(view, sessions, txn, &mut leads);
            if let Some(before) = leads.iter().copied().find(|before| !continued[*before as usize]) {
                continued[before as usize] = true;
                chains.chain[txn as usize] = chains.chain[before as usize];
                chains.place[txn as usize] = chains.place[before as usize] + 1;
            } else {
                chains.chain[txn as usize] = u32::try_from(chains.count).expect("fewer chains than transactions");
                chains.place[txn as usize] = 1;
                chains.count += 1;
            }
        }
        chains
    }
}

/// The installers of each key, by chain and place.
struct Installers {
    /// (key, chain, place, transaction), ascending.
    rows: Vec<(u32, u32, u32, u32)>,
    /// Where the rows of a key and chain begin; and one more.
    groups: Vec<usize>,
    /// By key: where its groups begin; and one more.
    keys: Vec<usize>,
}

impl Installers {
    fn new(view: &TxnView, chains: &Chains) -> Installers {
        let mut rows = Vec::new();
        for txn in (0..view.len()).filter(|txn| chains.chain[*txn as usize] != NONE) {
            let (chain, place) = (chains.chain[txn as usize], chains.place[txn as usize]);
            rows.extend(view.writes(txn).iter().map(|write| (write.key, chain, place, txn)));
        }
        rows.sort_unstable();
        let (mut groups, mut keys) = (Vec::new(), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| (rows[before].0, rows[before].1));
            if before != Some((row.0, row.1)) {
                while keys.len() <= row.0 as usize {
                    keys.push(groups.len());
                }
                groups.push(at);
            }
        }
        keys.push(groups.len());
        groups.push(rows.len());
        Installers { rows, groups, keys }
    }

    fn of(&self, key: u32) -> impl Iterator<Item = &[(u32, u32, u32, u32)]> {
        let key = key as usize;
        let groups = if key + 1 < self.keys.len() { self.keys[key]..self.keys[key + 1] } else { 0..0 };
        groups.map(|group| &self.rows[self.groups[group]..self.groups[group + 1]])
    }
}

/// Clocks in rows of one column, free ones reused.
struct Clocks {
    width: usize,
    numbers: Vec<u32>,
    free: Vec<u32>,
    /// By transaction.
    row: Vec<u32>,
}

impl Clocks {
    fn take(&mut self, meter: &mut Meter<'_>) -> Result<u32, StoppedBy> {
        if let Some(row) = self.free.pop() {
            self.numbers[row as usize * self.width..][..self.width].fill(0);
            return Ok(row);
        }
        meter.hold((self.width * size_of::<u32>()) as u64)?;
        let row = u32::try_from(self.numbers.len() / self.width.max(1)).unwrap_or(NONE);
        self.numbers.resize(self.numbers.len() + self.width, 0);
        Ok(row)
    }

    fn join(&mut self, into: u32, from: u32) {
        let (into, from) = (into as usize * self.width, from as usize * self.width);
        for at in 0..self.width {
            self.numbers[into + at] = self.numbers[into + at].max(self.numbers[from + at]);
        }
    }
}

/// All that causality infers (see `axioms`).
pub(super) fn infer(
    view: &TxnView,
    sessions: bool,
    meter: &mut Meter<'_>,
    found: &mut dyn FnMut(Inferred),
) -> Result<(), StoppedBy> {
    let chains = Chains::new(view, sessions);
    let installers = Installers::new(view, &chains);
    let mut waiting = chains.followers.clone();
    let mut clocks =
        Clocks { width: chains.count, numbers: Vec::new(), free: Vec::new(), row: vec![NONE; view.len() as usize] };
    // Numbers of a clock are joined many at once.
    let width = u32::try_from(chains.count / 16).unwrap_or(u32::MAX);
    let mut leads = Vec::new();
    for reader in chains.order.iter().copied() {
        leading(view, sessions, reader, &mut leads);
        if leads.is_empty() && chains.followers[reader as usize] == 0 {
            continue;
        }
        let row = clocks.take(meter)?;
        for before in &leads {
            meter.steps(width.saturating_add(1))?;
            let other = clocks.row[*before as usize];
            if other != NONE {
                clocks.join(row, other);
            }
            let own = &mut clocks.numbers[row as usize * clocks.width + chains.chain[*before as usize] as usize];
            *own = (*own).max(chains.place[*before as usize]);
            waiting[*before as usize] -= 1;
            if waiting[*before as usize] == 0 && other != NONE {
                clocks.row[*before as usize] = NONE;
                clocks.free.push(other);
            }
        }
        let clock = &clocks.numbers[row as usize * clocks.width..][..clocks.width];
        for read in view.reads(reader) {
            for group in installers.of(read.key) {
                meter.step()?;
                let past = group.partition_point(|installer| installer.2 <= clock[group[0].1 as usize]);
                if let Some(last) = past.checked_sub(1) {
                    found(Inferred { before: group[last].3, after: read.writer, key: read.key, reader });
                }
            }
        }
        if chains.followers[reader as usize] > 0 {
            clocks.row[reader as usize] = row;
        } else {
            clocks.free.push(row);
        }
    }
    Ok(())
}
