//! Dependencies of a view as edges: what is known, and what could be.

use super::orders::Choice;
use super::view::{INITIAL, TxnView, UNRANKED};
use crate::graph::{Edge, Graph, Relations};

impl TxnView {
    /// Dependencies as edges: session order, wr, and the ww and rw that the known version orders say (joined by auxiliary vertices
    /// from `real` on, where they would be many); and the orders that are left to choose.
    #[must_use]
    pub fn dependencies(&self, real: u32) -> Dependencies {
        let mut found = Dependencies { real, auxiliary: 0, edges: Vec::new(), choices: Vec::new() };
        for txn in 0..self.len() {
            if let Some(from) = self.before(txn) {
                found.edges.push(Edge { from, to: txn, relations: Relations::PROCESS });
            }
            for read in self.reads(txn).iter().filter(|read| read.writer != INITIAL) {
                found.edges.push(Edge { from: read.writer, to: txn, relations: Relations::WR });
            }
        }
        let txns = || 0..self.len();
        // By writer, and by rank.
        let mut readers = ByKey::new(|| {
            txns().flat_map(|txn| self.reads(txn).iter().map(move |read| (read.key, (read.writer, txn))))
        });
        let mut versions = ByKey::new(|| {
            txns().flat_map(|txn| self.writes(txn).iter().map(move |write| (write.key, (write.rank, txn))))
        });
        for key in 0..versions.keys() {
            let readers = readers.sorted(key);
            let versions = versions.sorted(key);
            if !versions.is_empty() {
                found.of_key(key, versions, readers);
            }
        }
        found
    }
}

/// Pairs of ids in rows, one a key.
struct ByKey {
    begins: Vec<usize>,
    pairs: Vec<(u32, u32)>,
}

impl ByKey {
    fn new<I: Iterator<Item = (u32, (u32, u32))>>(pairs: impl Fn() -> I) -> ByKey {
        let mut begins = vec![0usize];
        for (key, _) in pairs() {
            let key = key as usize;
            if begins.len() < key + 2 {
                begins.resize(key + 2, 0);
            }
            begins[key + 1] += 1;
        }
        for key in 1..begins.len() {
            begins[key] += begins[key - 1];
        }
        let mut next = begins.clone();
        let mut rows = vec![(0, 0); begins[begins.len() - 1]];
        for (key, pair) in pairs() {
            rows[next[key as usize]] = pair;
            next[key as usize] += 1;
        }
        ByKey { begins, pairs: rows }
    }

    fn keys(&self) -> u32 {
        u32::try_from(self.begins.len() - 1).expect("keys are u32")
    }

    fn sorted(&mut self, key: u32) -> &[(u32, u32)] {
        let key = key as usize;
        if key + 1 >= self.begins.len() {
            return &[];
        }
        let row = &mut self.pairs[self.begins[key]..self.begins[key + 1]];
        row.sort_unstable();
        row
    }
}

/// Dependencies between transactions.
#[derive(Clone, Debug)]
pub struct Dependencies {
    /// How many vertices are transactions (or the caller's own).
    pub real: u32,
    /// How many auxiliary vertices follow them.
    pub auxiliary: u32,
    /// What is known.
    pub edges: Vec<Edge>,
    /// What is left to choose: of each set, one order.
    pub choices: Vec<Choice>,
}

impl Dependencies {
    /// `versions`: (rank, writer) by rank; `readers`: (writer, reader) by writer.
    fn of_key(&mut self, key: u32, versions: &[(u32, u32)], readers: &[(u32, u32)]) {
        let readers_of = |writer: u32| {
            let first = readers.partition_point(|reader| reader.0 < writer);
            readers[first..].iter().take_while(move |reader| reader.0 == writer).map(|reader| reader.1)
        };
        let ranked = versions.partition_point(|version| version.0 != UNRANKED);
        let mut earlier: Vec<u32> = Vec::new();
        let mut seen_earlier: Vec<u32> = readers_of(INITIAL).collect();
        let mut writers: Vec<u32> = Vec::new();
        for group in versions[..ranked].chunk_by(|a, b| a.0 == b.0) {
            writers.clear();
            writers.extend(group.iter().map(|version| version.1));
            self.join(&earlier, &seen_earlier, &writers);
            seen_earlier.clear();
            seen_earlier.extend(writers.iter().flat_map(|writer| readers_of(*writer)));
            if ranked == versions.len() && writers.len() > 1 {
                self.choices.push(Choice::new(key, &writers, readers_of));
            }
            std::mem::swap(&mut earlier, &mut writers);
        }
        if ranked < versions.len() {
            let writers: Vec<u32> = versions.iter().map(|version| version.1).collect();
            self.join(&[], &readers_of(INITIAL).collect::<Vec<u32>>(), &writers);
            if writers.len() > 1 {
                self.choices.push(Choice::new(key, &writers, readers_of));
            }
        }
    }

    /// Each of `earlier` -ww-> and each of `readers` -rw-> each of `later`.
    fn join(&mut self, earlier: &[u32], readers: &[u32], later: &[u32]) {
        let sources =
            earlier.iter().map(|from| (*from, Relations::WW)).chain(readers.iter().map(|from| (*from, Relations::RW)));
        let count = earlier.len() + readers.len();
        if count > 1 && later.len() > 1 {
            let joined = self.real + self.auxiliary;
            self.auxiliary += 1;
            self.edges.extend(sources.map(|(from, relations)| Edge { from, to: joined, relations }));
            self.edges.extend(later.iter().map(|to| Edge { from: joined, to: *to, relations: Relations::LINK }));
        } else {
            for (from, relations) in sources {
                self.edges.extend(later.iter().map(|to| Edge { from, to: *to, relations }));
            }
        }
    }
}

/// What is known and all that could be chosen: who is in a set leads to everyone in it, and so does who read one of its versions.
#[must_use]
pub(super) fn possible<I: Iterator<Item = Edge>>(
    real: u32,
    auxiliary: u32,
    known: impl Fn() -> I,
    choices: &[Choice],
) -> Graph {
    let mut edges = Vec::new();
    let mut next = real + auxiliary;
    for choice in choices.iter().filter(|choice| choice.writers.len() > 1) {
        for writer in &choice.writers {
            edges.push(Edge { from: *writer, to: next, relations: Relations::WW });
            edges.push(Edge { from: next, to: choice.entry(*writer), relations: Relations::LINK });
        }
        edges.extend(choice.reads.iter().map(|(_, reader)| Edge { from: *reader, to: next, relations: Relations::RW }));
        next += 1;
    }
    Graph::gather(real, next - real, || known().chain(edges.iter().copied()))
}

/// A graph's edges, one after the other.
pub(super) fn edges(graph: &Graph) -> impl Iterator<Item = Edge> {
    let row = |from| graph.edges_from(from).map(move |(to, relations)| Edge { from, to, relations });
    (0..graph.total()).flat_map(row)
}

pub(super) fn edges_of(graph: &Graph) -> Vec<Edge> {
    let mut all = Vec::with_capacity(graph.edge_count());
    all.extend(edges(graph));
    all
}
