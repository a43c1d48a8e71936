//! Goal: the lattice of what objects and sessions see says what is true, by brute force over small random histories of
//! reads and writes; and each pair that it keeps apart must be told apart by one of them.
//!
//! An arbitration exists exactly when what it must contain has no cycle: a read asks only that each other write of its key
//! which it sees comes before the one that it shows. So arbitrations are not enumerated; orders with reads in them are.

use std::collections::HashSet;

use anachron::guarantee::Guarantee;

const OPS: usize = 9;
const KEYS: usize = 3;
const SESSIONS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    /// Of a key; every write writes a value of its own.
    Write(usize),
    /// Of a key, what this operation wrote; none: the initial value.
    Read(usize, Option<usize>),
}

/// A bit for each operation.
type Set = u32;
/// For each operation, those that come before it.
type Relation = [Set; OPS];

#[derive(Debug)]
struct History {
    ops: [Op; OPS],
    session: [usize; OPS],
    span: [(usize, usize); OPS],
    so: Relation,
    rt: Relation,
    /// (so or reads-from)+
    co: Relation,
}

/// SplitMix64: the same histories on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("below a usize")
    }
}

fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..OPS).filter(move |at| set >> at & 1 == 1)
}

fn set(of: impl Fn(usize) -> bool) -> Set {
    (0..OPS).filter(|&at| of(at)).fold(0, |set, at| set | 1 << at)
}

fn closure(mut before: Relation) -> Relation {
    for middle in 0..OPS {
        for at in 0..OPS {
            if before[at] >> middle & 1 == 1 {
                before[at] |= before[middle];
            }
        }
    }
    before
}

fn acyclic(before: Relation) -> bool {
    let closed = closure(before);
    (0..OPS).all(|at| closed[at] >> at & 1 == 0)
}

impl History {
    fn random(random: &mut Random) -> History {
        let session = std::array::from_fn(|_| random.below(SESSIONS));
        let keys = 1 + random.below(2);
        // Half of them write first: then there is more to see. The others write after they have read.
        let mixed = random.below(2) == 0;
        let mut ops: [Op; OPS] = std::array::from_fn(|at| match (at, random.below(2)) {
            (0..=1, _) | (_, 0) if at < 5 || mixed => Op::Write(random.below(keys)),
            _ => Op::Read(random.below(keys), None),
        });
        for at in 0..OPS {
            let Op::Read(key, _) = ops[at] else { continue };
            // A session that reads its own later write violates everything; that is tested with the anomalies.
            let writers: Vec<usize> = (0..OPS)
                .filter(|&other| ops[other] == Op::Write(key) && (other < at || session[other] != session[at]))
                .collect();
            ops[at] = Op::Read(key, writers.get(random.below(writers.len() + 1)).copied());
        }
        let mut span = [(0, 0); OPS];
        for at in 0..OPS {
            let own = (0..at).filter(|&other| session[other] == session[at]).map(|other| span[other].1 + 1);
            let start = own.chain(span[..at].iter().map(|one| one.0 + 1)).max().unwrap_or(0);
            span[at] = (start, start + random.below(6));
        }
        History::new(ops, session, span)
    }

    /// ALGORITHMS' example of what is convergent but not PRAM: the order can put the write of x by the second session before the
    /// one that the first has read; the first session's own order can't.
    fn convergent_but_not_pram() -> History {
        use Op::{Read, Write};
        let (x, y, z) = (0, 1, 2);
        let ops = [
            Write(x),
            Write(y),
            Write(x),
            Write(z),
            Read(x, Some(0)),
            Read(y, None),
            Read(y, Some(1)),
            Read(z, Some(3)),
            Read(x, Some(0)),
        ];
        History::new(ops, [0, 1, 1, 1, 2, 2, 2, 2, 2], std::array::from_fn(|at| (2 * at, 2 * at + 1)))
    }

    fn new(ops: [Op; OPS], session: [usize; OPS], span: [(usize, usize); OPS]) -> History {
        let so: Relation = std::array::from_fn(|at| set(|other| other < at && session[other] == session[at]));
        let rt = std::array::from_fn(|at| set(|other| span[other].1 < span[at].0));
        let co = closure(std::array::from_fn(|at| match ops[at] {
            Op::Read(_, Some(writer)) => so[at] | 1 << writer,
            _ => so[at],
        }));
        History { ops, session, span, so, rt, co }
    }

    fn shows(&self, at: usize) -> Option<(usize, Option<usize>)> {
        match self.ops[at] {
            Op::Read(key, from) => Some((key, from)),
            Op::Write(_) => None,
        }
    }

    fn writes(&self) -> Set {
        set(|at| self.shows(at).is_none())
    }

    /// Whether some order of `nodes` that contains `before` gives each of the reads in `judged` the last write of its key.
    fn ordered(&self, nodes: Set, before: &Relation, judged: Set) -> bool {
        let mut seen: HashSet<(Set, [Option<usize>; KEYS])> = HashSet::new();
        let mut states = vec![(0, [None; KEYS])];
        while let Some((done, last)) = states.pop() {
            if done == nodes {
                return true;
            }
            for at in members(nodes & !done).filter(|&at| before[at] & nodes & !done == 0) {
                let mut last = last;
                match self.ops[at] {
                    Op::Write(key) => last[key] = Some(at),
                    Op::Read(key, from) if judged >> at & 1 == 1 && last[key] != from => continue,
                    Op::Read(..) => {}
                }
                if seen.insert((done | 1 << at, last)) {
                    states.push((done | 1 << at, last));
                }
            }
        }
        false
    }

    /// Whether an arbitration exists that contains `base` and gives each of `reads` the latest write that it sees.
    fn arbitrated(&self, base: &Relation, reads: Set, sees: impl Fn(usize) -> Set) -> bool {
        let mut before = *base;
        for at in members(reads) {
            let Some((key, from)) = self.shows(at) else { continue };
            let others = members(sees(at)).filter(|&w| self.ops[w] == Op::Write(key) && Some(w) != from);
            for other in others {
                match from {
                    Some(from) => before[from] |= 1 << other,
                    None => return false,
                }
            }
        }
        acyclic(before)
    }

    /// The same for everybody at once, or for each session by itself.
    fn for_all(&self, global: bool, base: &Relation, sees: impl Fn(usize) -> Set) -> bool {
        let everybody: Set = (1 << OPS) - 1;
        match global {
            true => self.arbitrated(base, everybody, sees),
            false => (0..SESSIONS).all(|one| self.arbitrated(base, set(|at| self.session[at] == one), &sees)),
        }
    }

    /// What the reads in a set show.
    fn shown(&self, reads: Set) -> Set {
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

    fn holds(&self, guarantee: Guarantee) -> bool {
        use Guarantee::*;
        let writes = self.writes();
        let everybody: Set = (1 << OPS) - 1;
        let none = [0; OPS];
        let session_writes: Relation =
            std::array::from_fn(|at| if writes >> at & 1 == 1 { self.so[at] & writes } else { 0 });
        let after_reads: Relation =
            std::array::from_fn(|at| if writes >> at & 1 == 1 { self.shown(self.so[at]) } else { 0 });
        let both: Relation = std::array::from_fn(|at| session_writes[at] | after_reads[at]);
        let own = |at: usize| self.so[at] & writes;
        let before = |at: usize| self.shown(self.so[at]);
        let all = |at: usize| self.terry(own(at) | before(at) | self.shown(1 << at));
        let nothing = |_: usize| 0;
        let global = guarantee.name().ends_with("@global");
        match guarantee {
            Linearizable => self.ordered(everybody, &self.rt, everybody),
            Sequential => self.ordered(everybody, &self.so, everybody),
            Pram => (0..SESSIONS).all(|one| {
                let reads = set(|at| self.session[at] == one);
                self.ordered(writes | reads, &self.so, reads)
            }),
            WeakCausal | CausalMemory => {
                let own = |at: usize| if guarantee == WeakCausal { 1 << at } else { self.so[at] | 1 << at };
                acyclic(self.co) && (0..OPS).all(|at| self.ordered(self.co[at] | 1 << at, &self.co, own(at)))
            }
            Causal => acyclic(self.co) && self.arbitrated(&self.co, everybody, |at| self.co[at]),
            ReadYourWrites | ReadYourWritesGlobal => self.for_all(global, &none, own),
            MonotonicReads | MonotonicReadsGlobal => self.for_all(global, &none, before),
            MonotonicWrites | MonotonicWritesGlobal => self.for_all(global, &session_writes, nothing),
            WritesFollowReads | WritesFollowReadsGlobal => self.for_all(global, &after_reads, nothing),
            Session | SessionGlobal => self.for_all(global, &both, all),
            // Ends of reads' prefixes among the writes, in their sessions' orders.
            ConsistentPrefix => {
                let before: Relation = std::array::from_fn(|at| {
                    self.so[at] & if writes >> at & 1 == 1 { writes } else { everybody & !writes }
                });
                self.ordered(everybody, &before, everybody)
            }
            // With the tightest bound: no read misses a write that certainly came after what it shows, and was over before it.
            BoundedStaleness => (0..OPS).all(|at| {
                let Some((key, from)) = self.shows(at) else { return true };
                let over = |writer: usize| {
                    let readers = (0..OPS).filter(|&read| self.shows(read) == Some((key, Some(writer))));
                    readers.map(|read| self.span[read].1).chain([self.span[writer].1]).min()
                };
                let newer = |w: usize| from.is_none_or(|from| over(from) < Some(self.span[w].0));
                !(0..OPS).any(|w| self.ops[w] == Op::Write(key) && newer(w) && over(w) < Some(self.span[at].0))
            }),
            _ => unreachable!("{guarantee} is not judged here"),
        }
    }
}

const JUDGED: [Guarantee; 18] = {
    use Guarantee::*;
    [
        Linearizable,
        Sequential,
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
        BoundedStaleness,
        ConsistentPrefix,
    ]
};

/// Judged here with the tightest bound; with another one it implies nothing.
const EXCUSED: [Guarantee; 1] = [Guarantee::BoundedStaleness];

/// By itself it asks only for an order that contains each session's writes, and there always is one: it means something
/// together with others, and where a session reads its own later write.
const VACUOUS: [Guarantee; 2] = [Guarantee::MonotonicWrites, Guarantee::MonotonicWritesGlobal];

#[test]
fn the_lattice_agrees_with_the_definitions() {
    let mut random = Random(11);
    let mut sample: Vec<History> = (0..4_000).map(|_| History::random(&mut random)).collect();
    sample.push(History::convergent_but_not_pram());
    let verdicts: Vec<[bool; JUDGED.len()]> =
        sample.iter().map(|history| JUDGED.map(|one| history.holds(one))).collect();
    let mut alike = Vec::new();
    for (i, stronger) in JUDGED.iter().enumerate() {
        for (j, weaker) in JUDGED.iter().enumerate() {
            let apart = verdicts.iter().position(|verdicts| verdicts[i] && !verdicts[j]);
            if stronger.entails(*weaker) {
                assert!(apart.is_none(), "{stronger} does not imply {weaker}: {:#?}", apart.map(|at| &sample[at]));
            } else if apart.is_none() && !EXCUSED.contains(stronger) && !VACUOUS.contains(weaker) {
                alike.push(format!("{stronger} => {weaker}"));
            }
        }
    }
    assert_eq!(alike, [""; 0], "no history tells these apart");
}
