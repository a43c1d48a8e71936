//! Guarantees by their definitions, over a handful of accesses: relations as bits, and orders tried one by one.

use std::collections::HashSet;

use anachron::guarantee::Guarantee;

use super::random::{KEYS, Small, Status, What};

/// A bit for each access.
pub(super) type Set = u64;

pub(crate) struct Brute {
    pub(super) small: Small,
    pub(super) count: usize,
    pub(super) counted: Set,
    /// By access, those that come before it: in its session, by reads and sessions, by what the history tells of versions.
    pub(super) so: Vec<Set>,
    co: Vec<Set>,
    pub(super) known: Vec<Set>,
    /// Something that violates everything: a read of what failed, or of what its own session wrote only later.
    pub spoilt: bool,
}

pub(super) fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..64).filter(move |at| set >> at & 1 == 1)
}

fn closure(mut before: Vec<Set>) -> Vec<Set> {
    for middle in 0..before.len() {
        for at in 0..before.len() {
            if before[at] >> middle & 1 == 1 {
                before[at] |= before[middle];
            }
        }
    }
    before
}

fn acyclic(before: &[Set]) -> bool {
    closure(before.to_vec()).iter().enumerate().all(|(at, set)| set >> at & 1 == 0)
}

fn joined(a: &[Set], b: &[Set]) -> Vec<Set> {
    a.iter().zip(b).map(|(a, b)| a | b).collect()
}

impl Brute {
    pub(crate) fn new(small: &Small) -> Brute {
        let count = small.accesses.len();
        let mut counted: Set = 0;
        for (at, access) in small.accesses.iter().enumerate() {
            counted |= Set::from(access.status == Status::Ok) << at;
        }
        let crashed = |write: &&usize| small.accesses[**write].status == Status::Info;
        for write in small.within.iter().filter(crashed) {
            for (at, access) in small.accesses.iter().enumerate() {
                // All of the transaction's appends happened; what it would have read is not known.
                let own = access.op == small.accesses[*write].op && matches!(access.what, What::Write(_));
                counted |= Set::from(own) << at;
            }
        }
        loop {
            let before = counted;
            for at in members(counted) {
                let What::Read(_, Some(source)) = small.accesses[at].what else { continue };
                if small.accesses[source].status == Status::Info {
                    for (other, access) in small.accesses.iter().enumerate() {
                        let reads = matches!(access.what, What::Read(..)) && !small.lists;
                        let own = access.op == small.accesses[source].op;
                        counted |= Set::from(own && (reads || matches!(access.what, What::Write(_)))) << other;
                    }
                }
            }
            if counted == before {
                break;
            }
        }
        let spoilt = members(counted).any(|at| {
            let What::Read(_, Some(source)) = small.accesses[at].what else { return false };
            let (read, write) = (small.accesses[at], small.accesses[source]);
            write.status == Status::Fail || read.session == write.session && source > at && read.status == Status::Ok
        });
        let failed = |write: &usize| small.accesses[*write].status == Status::Fail;
        let mut spoilt = spoilt || small.within.iter().any(failed);
        for at in members(counted).filter(|_| small.lists) {
            let What::Read(key, Some(last)) = small.accesses[at].what else { continue };
            let line: Vec<usize> =
                small.within.iter().copied().filter(|write| small.accesses[*write].what == What::Write(key)).collect();
            let length = line.iter().position(|write| *write == last).map_or(0, |place| place + 1);
            // Of its own transaction, anywhere in the list.
            spoilt |=
                line[..length].iter().any(|write| small.accesses[*write].op == small.accesses[at].op && *write > at);
        }
        let so: Vec<Set> = (0..count)
            .map(|at| {
                let own = |other: &usize| {
                    let (first, then) = (small.accesses[*other], small.accesses[at]);
                    first.session == then.session && (first.status == Status::Ok || first.op == then.op)
                };
                if counted >> at & 1 == 0 {
                    0
                } else {
                    members(counted).filter(|other| *other < at).filter(own).fold(0, |set, other| set | 1 << other)
                }
            })
            .collect();
        let mut co = so.clone();
        for at in members(counted) {
            if let What::Read(_, Some(source)) = small.accesses[at].what {
                co[at] |= 1 << source;
            }
        }
        let mut known = vec![0; count];
        for (earlier, later) in &small.known {
            if counted >> earlier & counted >> later & 1 == 1 {
                known[*later] |= 1 << earlier;
            }
        }
        // Replacements in a circle tell nothing.
        let round = closure(known.clone());
        for at in 0..count {
            if round[at] >> at & 1 == 1 {
                known[at] = 0;
            }
        }
        Brute { small: small.clone(), count, counted, so, co: closure(co), known: closure(known), spoilt }
    }

    pub(super) fn shows(&self, at: usize) -> Option<(usize, Option<usize>)> {
        match self.small.accesses[at].what {
            What::Read(key, source) if self.counted >> at & 1 == 1 => Some((key, source)),
            _ => None,
        }
    }

    pub(super) fn writes(&self) -> Set {
        members(self.counted).filter(|at| self.shows(*at).is_none()).fold(0, |set, at| set | 1 << at)
    }

    fn writes_key(&self, at: usize, key: usize) -> bool {
        self.counted >> at & 1 == 1 && self.small.accesses[at].what == What::Write(key)
    }

    fn reads_of(&self, session: Option<usize>) -> Set {
        let own = |at: &usize| session.is_none_or(|session| self.small.accesses[*at].session == session);
        members(self.counted).filter(|at| self.shows(*at).is_some()).filter(own).fold(0, |set, at| set | 1 << at)
    }

    fn sessions(&self) -> HashSet<usize> {
        self.small.accesses.iter().map(|access| access.session).collect()
    }

    /// Whether some order of `nodes` that contains `before` gives each of `judged` the last write of its key.
    fn ordered(&self, nodes: Set, before: &[Set], judged: Set) -> bool {
        let before = closure(before.to_vec());
        let mut seen: HashSet<(Set, [Option<usize>; KEYS])> = HashSet::new();
        let mut states = vec![(0, [None; KEYS])];
        while let Some((done, last)) = states.pop() {
            if done == nodes {
                return true;
            }
            for at in members(nodes & !done).filter(|at| before[*at] & nodes & !done == 0) {
                let mut last = last;
                match self.small.accesses[at].what {
                    What::Write(key) => last[key] = Some(at),
                    What::Read(key, from) if judged >> at & 1 == 1 && last[key] != from => continue,
                    What::Read(..) => {}
                }
                if seen.insert((done | 1 << at, last)) {
                    states.push((done | 1 << at, last));
                }
            }
        }
        false
    }

    /// Whether an arbitration exists that contains `base` and gives each of `reads` the latest write that it sees.
    pub(super) fn arbitrated(&self, base: &[Set], reads: Set, sees: impl Fn(usize) -> Set) -> bool {
        let mut before = joined(base, &self.known);
        for at in members(reads) {
            let Some((key, from)) = self.shows(at) else { continue };
            for other in members(sees(at)).filter(|other| self.writes_key(*other, key) && Some(*other) != from) {
                match from {
                    Some(from) => before[from] |= 1 << other,
                    None => return false,
                }
            }
        }
        acyclic(&before)
    }

    pub(super) fn shown(&self, reads: Set) -> Set {
        members(reads).filter_map(|at| self.shows(at)?.1).fold(0, |set, writer| set | 1 << writer)
    }

    /// Who sees a write sees its session's earlier writes, and what that session had read before it.
    fn terry(&self, mut seen: Set) -> Set {
        loop {
            let more = members(seen & self.writes())
                .fold(seen, |seen, write| seen | (self.so[write] & self.writes()) | self.shown(self.so[write]));
            if more == seen {
                return seen;
            }
            seen = more;
        }
    }

    /// The writes that happened, in order of invocation.
    pub(crate) fn written(&self) -> Vec<usize> {
        members(self.writes()).collect()
    }

    /// A guarantee, by its definition.
    pub(crate) fn holds(&self, guarantee: Guarantee) -> bool {
        !self.spoilt && self.units(guarantee).into_iter().all(|reads| self.serves(guarantee, reads))
    }

    /// Whether these orders are what the definition says that there is: each is one of all writes that happened, contains what
    /// the guarantee asks, and explains one of the sets of reads that may have an order of their own.
    pub(crate) fn is_explained(&self, guarantee: Guarantee, orders: &[Vec<usize>]) -> bool {
        // An order explains reads if the guarantee holds with that order of versions known.
        let with = |order: &Vec<usize>| {
            let mut known = self.known.clone();
            for (at, later) in order.iter().enumerate() {
                order[..at].iter().for_each(|earlier| known[*later] |= 1 << earlier);
            }
            let (small, so, co) = (self.small.clone(), self.so.clone(), self.co.clone());
            Brute { small, so, co, known: closure(known), ..*self }
        };
        let is_one = |order: &Vec<usize>| {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            sorted == self.written() && acyclic(&with(order).known) && with(order).serves(guarantee, 0)
        };
        let units = self.units(guarantee);
        !self.spoilt
            && !orders.is_empty()
            && (orders.len() == 1 || !Self::is_global(guarantee))
            && orders.iter().all(is_one)
            && units.iter().all(|reads| orders.iter().any(|order| with(order).serves(guarantee, *reads)))
    }

    fn is_global(guarantee: Guarantee) -> bool {
        use Guarantee::{Causal, ConsistentPrefix, MonotonicWrites, WritesFollowReads};
        guarantee.name().ends_with("@global")
            || matches!(guarantee, Causal | ConsistentPrefix | MonotonicWrites | WritesFollowReads)
    }

    /// The sets of reads that may have an order of their own.
    fn units(&self, guarantee: Guarantee) -> Vec<Set> {
        let mut units = match guarantee {
            Guarantee::WeakCausal => members(self.reads_of(None)).map(|read| 1 << read).collect(),
            Guarantee::ConsistentPrefix => Vec::new(),
            _ if Self::is_global(guarantee) => vec![self.reads_of(None)],
            _ => self.sessions().into_iter().map(|one| self.reads_of(Some(one))).collect(),
        };
        units.push(0);
        units
    }

    /// Whether some order explains these reads.
    fn serves(&self, guarantee: Guarantee, reads: Set) -> bool {
        use Guarantee::*;
        let writes = self.writes();
        let none = vec![0; self.count];
        let of_writes = |what: &dyn Fn(usize) -> Set| -> Vec<Set> {
            (0..self.count).map(|at| if writes >> at & 1 == 1 { what(at) } else { 0 }).collect()
        };
        let session_writes = of_writes(&|at| self.so[at] & writes);
        let after_reads = of_writes(&|at| self.shown(self.so[at]));
        let both = joined(&session_writes, &after_reads);
        let own = |at: usize| self.so[at] & writes;
        let before = |at: usize| self.shown(self.so[at]);
        let all = |at: usize| self.terry(own(at) | before(at) | self.shown(1 << at));
        let causal = joined(&self.co, &self.known);
        match guarantee {
            ConsistentPrefix => {
                let read = self.reads_of(None);
                let own = |at: usize, other: usize| self.small.accesses[at].op == self.small.accesses[other].op;
                let before = (0..self.count).map(|at| match writes >> at & 1 == 1 {
                    true => {
                        self.so[at] & writes
                            | members(read & self.so[at]).filter(|r| own(at, *r)).fold(0, |s, r| s | 1 << r)
                    }
                    false => self.so[at] & read,
                });
                self.ordered(writes | read, &joined(&before.collect::<Vec<Set>>(), &self.known), read)
            }
            Pram => self.ordered(writes | reads, &joined(&self.so, &self.known), reads),
            CausalMemory => acyclic(&causal) && self.ordered(writes | reads, &causal, reads),
            WeakCausal | Causal => acyclic(&causal) && self.arbitrated(&self.co, reads, |at| self.co[at] & writes),
            ReadYourWrites | ReadYourWritesGlobal => self.arbitrated(&none, reads, own),
            MonotonicReads | MonotonicReadsGlobal => self.arbitrated(&none, reads, before),
            MonotonicWrites | MonotonicWritesGlobal => self.arbitrated(&session_writes, 0, |_| 0),
            WritesFollowReads | WritesFollowReadsGlobal => self.arbitrated(&after_reads, 0, |_| 0),
            Session | SessionGlobal => self.arbitrated(&both, reads, all),
            _ => unreachable!("{guarantee} is not judged here"),
        }
    }
}

pub(crate) const JUDGED: [Guarantee; 14] = {
    use Guarantee::*;
    [
        Causal,
        CausalMemory,
        WeakCausal,
        Pram,
        Session,
        ReadYourWrites,
        MonotonicReads,
        MonotonicWrites,
        WritesFollowReads,
        SessionGlobal,
        ReadYourWritesGlobal,
        MonotonicReadsGlobal,
        MonotonicWritesGlobal,
        WritesFollowReadsGlobal,
    ]
};
