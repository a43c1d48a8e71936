//! Goal: the lattice of transactional guarantees says what is true. Every implication and everything that an anomaly rules
//! out is held against the definitions, by brute force over small random histories; and each pair that the lattice keeps
//! apart must be told apart by one of them, so that no implication is forgotten either.
//!
//! A history here has its version orders with it, as a list-append history does. What is true for every choice of them is
//! true of histories that don't show them.

use std::collections::BTreeSet;

use anachron::guarantee::{Anomaly, Guarantee};

const TXNS: usize = 4;
const KEYS: usize = 2;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Access {
    /// Of a key.
    Write(usize),
    /// Of a key, what this transaction wrote; none: the initial version.
    Read(usize, Option<usize>),
}

/// What the model of reads and writes below leaves out, as a fact that is simply there.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Aside {
    Nothing,
    /// A transaction's read contradicted what it had read or written; at the least, what it had read.
    Internal,
    /// A cycle through a predicate, with two rw edges in a row, or with one at all.
    PredicateG2,
    PredicateGSingle,
}

/// A relation on the transactions: a bit for each successor, a row for each transaction.
type Relation = [u8; TXNS];

#[derive(Debug)]
struct History {
    txns: Vec<Vec<Access>>,
    aside: Aside,
    /// The writers of each key, in version order.
    versions: [Vec<usize>; KEYS],
    so: Relation,
    rt: Relation,
    ww: Relation,
    wr: Relation,
    rw: Relation,
    /// All orders of the transactions that agree with the version orders, as the rank of each.
    orders: Vec<[usize; TXNS]>,
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

fn relation(of: impl Fn(usize, usize) -> bool) -> Relation {
    std::array::from_fn(|a| (0..TXNS).filter(|&b| a != b && of(a, b)).fold(0, |row, b| row | 1 << b))
}

fn union(some: &[Relation]) -> Relation {
    std::array::from_fn(|a| some.iter().fold(0, |row, one| row | one[a]))
}

fn has(relation: &Relation, a: usize, b: usize) -> bool {
    relation[a] >> b & 1 == 1
}

fn closure(mut relation: Relation) -> Relation {
    for middle in 0..TXNS {
        for a in 0..TXNS {
            if has(&relation, a, middle) {
                relation[a] |= relation[middle];
            }
        }
    }
    relation
}

fn acyclic(some: &[Relation]) -> bool {
    let closed = closure(union(some));
    (0..TXNS).all(|t| !has(&closed, t, t))
}

impl History {
    fn random(random: &mut Random) -> History {
        let mut txns: Vec<Vec<Access>> = vec![Vec::new(); TXNS];
        let mut versions = [const { Vec::new() }; KEYS];
        // One in three has transactions that only read or only write: long forks need them.
        let apart = random.below(3) == 0;
        for (t, txn) in txns.iter_mut().enumerate() {
            let only = random.below(2);
            for _ in 0..=random.below(3) {
                let key = random.below(KEYS);
                let kind = if apart { only } else { random.below(2) };
                // One write of a key, and no read of it afterwards.
                if txn.contains(&Access::Write(key)) {
                    continue;
                }
                if kind == 0 {
                    txn.push(Access::Write(key));
                    let order: &mut Vec<usize> = &mut versions[key];
                    order.insert(random.below(order.len() + 1), t);
                } else {
                    txn.push(Access::Read(key, None));
                }
            }
        }
        for (t, txn) in txns.iter_mut().enumerate() {
            for access in txn {
                if let Access::Read(key, from) = access {
                    let others: Vec<usize> = versions[*key].iter().copied().filter(|&writer| writer != t).collect();
                    *from = others.get(random.below(others.len() + 1)).copied();
                }
            }
        }
        let session: [usize; TXNS] = std::array::from_fn(|_| random.below(3));
        // Transactions begin in the order of their numbers; a session's don't overlap.
        let mut span = [(0, 0); TXNS];
        for t in 0..TXNS {
            let after = (0..t).filter(|&other| session[other] == session[t]).map(|other| span[other].1 + 1);
            let start = after.chain(span[..t].iter().map(|one| one.0 + 1)).max().unwrap_or(0);
            span[t] = (start, start + random.below(8));
        }
        let aside = match random.below(12) {
            0 => Aside::Internal,
            1 => Aside::PredicateG2,
            2 => Aside::PredicateGSingle,
            _ => Aside::Nothing,
        };
        History::new(txns, versions, aside, session, span)
    }

    fn new(
        txns: Vec<Vec<Access>>,
        versions: [Vec<usize>; KEYS],
        aside: Aside,
        session: [usize; TXNS],
        span: [(usize, usize); TXNS],
    ) -> History {
        let none = [0; TXNS];
        let mut history =
            History { txns, aside, versions, so: none, rt: none, ww: none, wr: none, rw: none, orders: Vec::new() };
        history.so = relation(|a, b| a < b && session[a] == session[b]);
        history.rt = relation(|a, b| span[a].1 < span[b].0);
        history.ww = relation(|a, b| (0..KEYS).any(|key| history.writes(a, key) && history.newer(key, Some(a), b)));
        history.wr = relation(|a, b| history.reads(b).any(|(_, _, from)| from == Some(a)));
        history.rw = relation(|a, b| history.reads(a).any(|(_, key, from)| history.newer(key, from, b)));
        for code in 0..TXNS.pow(4) {
            let rank: [usize; TXNS] = std::array::from_fn(|t| code >> (2 * t) & 3);
            let distinct = (0..TXNS).all(|a| (0..a).all(|b| rank[a] != rank[b]));
            if distinct && contains(&rank, &history.ww) {
                history.orders.push(rank);
            }
        }
        history
    }

    /// What random histories hardly ever are: spans that let one transaction miss another that a third one saw.
    fn read_only_anomaly() -> History {
        use Access::{Read, Write};
        let txns = vec![vec![Read(0, None), Write(1)], vec![Write(0)], vec![Read(0, Some(1)), Read(1, None)], vec![]];
        History::new(txns, [vec![1], vec![0]], Aside::Nothing, [0, 1, 1, 0], [(0, 9), (1, 2), (4, 5), (10, 11)])
    }

    fn writes(&self, t: usize, key: usize) -> bool {
        self.txns[t].contains(&Access::Write(key))
    }

    fn reads(&self, t: usize) -> impl Iterator<Item = (usize, usize, Option<usize>)> {
        self.txns[t].iter().enumerate().filter_map(|(at, access)| match *access {
            Access::Read(key, from) => Some((at, key, from)),
            Access::Write(_) => None,
        })
    }

    /// Whether `writer` wrote a newer version of the key than `old` did (none: than the initial one).
    fn newer(&self, key: usize, old: Option<usize>, writer: usize) -> bool {
        let place = |of: usize| self.versions[key].iter().position(|&one| one == of);
        place(writer).is_some() && old.is_none_or(|old| place(old) < place(writer))
    }

    fn dependency(&self) -> Relation {
        union(&[self.ww, self.wr])
    }
}

fn contains(rank: &[usize; TXNS], relation: &Relation) -> bool {
    (0..TXNS).all(|a| (0..TXNS).all(|b| !has(relation, a, b) || rank[a] < rank[b]))
}

/// Biswas and Enea's axioms, and Cerone's without sessions: some order that contains `base`, in which whoever wrote x and `sees`
/// a reader of x (by its read at a position) comes no later than the one that it read from.
fn some_order(history: &History, base: Relation, sees: impl Fn(&[usize; TXNS], usize, usize, usize) -> bool) -> bool {
    history.orders.iter().filter(|rank| contains(rank, &base)).any(|rank| {
        (0..TXNS).all(|t3| {
            history.reads(t3).all(|(at, key, from)| {
                let others = (0..TXNS).filter(|&t2| t2 != t3 && Some(t2) != from && history.writes(t2, key));
                others.into_iter().all(|t2| !sees(rank, t2, t3, at) || from.is_some_and(|t1| rank[t2] < rank[t1]))
            })
        })
    })
}

/// A commit order, and for each transaction a prefix of it that contains what comes before it in `base` and gives all its
/// reads; `exclusive`: and no other writer of its keys between that and its commit.
fn snapshots(history: &History, base: Relation, exclusive: bool) -> bool {
    history.orders.iter().any(|rank| {
        (0..TXNS).all(|t| {
            (0..=rank[t]).any(|length| {
                let inside = |other: usize| rank[other] < length;
                let last = |key| (0..TXNS).filter(|&w| inside(w) && history.writes(w, key)).max_by_key(|&w| rank[w]);
                let conflict = |w: usize| (0..KEYS).any(|key| history.writes(w, key) && history.writes(t, key));
                (0..TXNS).all(|a| !has(&base, a, t) || inside(a))
                    && history.reads(t).all(|(_, key, from)| last(key) == from)
                    && !(exclusive && (0..TXNS).any(|w| !inside(w) && rank[w] < rank[t] && conflict(w)))
            })
        })
    })
}

/// Cerone, Bernardi and Gotsman: visibility within an order of all, and no two writers of a key that don't see each other.
fn visibility(history: &History, transitive: bool) -> bool {
    history.orders.iter().filter(|rank| contains(rank, &history.wr)).any(|rank| {
        let free: Vec<(usize, usize)> = (0..TXNS)
            .flat_map(|a| (0..TXNS).map(move |b| (a, b)))
            .filter(|&(a, b)| rank[a] < rank[b] && !has(&history.wr, a, b) && !has(&history.ww, a, b))
            .collect();
        (0..1_u32 << free.len()).any(|mask| {
            let mut vis = history.dependency();
            for (at, &(a, b)) in free.iter().enumerate() {
                vis[a] |= u8::from(mask >> at & 1 == 1) << b;
            }
            let last =
                |t, key| (0..TXNS).filter(|&w| has(&vis, w, t) && history.writes(w, key)).max_by_key(|&w| rank[w]);
            (!transitive || closure(vis) == vis)
                && (0..TXNS).all(|t| history.reads(t).all(|(_, key, from)| last(t, key) == from))
        })
    })
}

/// Adya's G-monotonic: the reads and writes of one transaction apart, in program order; no cycle with one rw edge, from a read.
fn monotonic_view(history: &History) -> bool {
    let dependency = history.dependency();
    let path = closure(dependency);
    acyclic(&[dependency])
        && (0..TXNS).all(|t| {
            history.reads(t).all(|(at, key, from)| {
                // From a newer writer back to what this transaction had done before its read, or to the read itself.
                let enters = |other: usize, earlier: usize| match history.txns[t][earlier] {
                    Access::Write(key) => history.writes(other, key) && history.newer(key, Some(other), t),
                    Access::Read(_, from) => from == Some(other),
                };
                let back = |writer: usize| {
                    (0..=at).any(|earlier| {
                        (0..TXNS).any(|last| {
                            last != t && enters(last, earlier) && (last == writer || has(&path, writer, last))
                        })
                    })
                };
                (0..TXNS).filter(|&w| w != t && history.newer(key, from, w)).all(|writer| !back(writer))
            })
        })
}

/// No cycle with one rw edge.
fn consistent_view(history: &History) -> bool {
    let path = closure(history.dependency());
    acyclic(&[path]) && (0..TXNS).all(|a| (0..TXNS).all(|b| !has(&history.rw, a, b) || !has(&path, b, a)))
}

/// No transaction writes a key of which it had read a version that another had overwritten in between.
fn cursor_stability(history: &History) -> bool {
    let lost = |t: usize, key: usize, from: Option<usize>| {
        let between = |w: usize| w != t && history.newer(key, from, w) && history.newer(key, Some(w), t);
        history.writes(t, key) && (0..TXNS).any(between)
    };
    acyclic(&[history.dependency()]) && (0..TXNS).all(|t| history.reads(t).all(|(_, key, from)| !lost(t, key, from)))
}

/// All writing transactions with any single other one.
fn update_serializable(history: &History) -> bool {
    let updates = |t: usize| (0..KEYS).any(|key| history.writes(t, key));
    let all = union(&[history.dependency(), history.rw]);
    (0..TXNS).all(|one| acyclic(&[relation(|a, b| has(&all, a, b) && [a, b].iter().all(|&t| t == one || updates(t)))]))
}

fn holds(history: &History, guarantee: Guarantee) -> bool {
    use Guarantee::*;
    let History { so, rt, ww, wr, rw, .. } = *history;
    let (none, with_so) = ([0; TXNS], union(&[wr, so]));
    let read_earlier =
        |_: &[usize; TXNS], t2, t3, at| history.reads(t3).any(|(when, _, from)| when < at && from == Some(t2));
    let fine = match guarantee {
        ReadUncommitted => acyclic(&[ww]),
        StrongSessionReadUncommitted => acyclic(&[ww, so]),
        StrongReadUncommitted => acyclic(&[ww, rt]),
        ReadCommitted => acyclic(&[ww, wr]),
        StrongSessionReadCommitted => acyclic(&[ww, wr, so]),
        StrongReadCommitted => acyclic(&[ww, wr, rt]),
        RepeatableRead | Serializable => acyclic(&[ww, wr, rw]),
        StrongSessionSerializable => acyclic(&[ww, wr, rw, so]),
        StrictSerializable => acyclic(&[ww, wr, rw, rt]),
        UpdateSerializable => update_serializable(history),
        MonotonicAtomicView => some_order(history, wr, read_earlier),
        ReadCommittedBiswasEnea => some_order(history, with_so, read_earlier),
        ReadAtomic => some_order(history, wr, |_, t2, t3, _| has(&wr, t2, t3)),
        ReadAtomicBiswasEnea => some_order(history, with_so, |_, t2, t3, _| has(&with_so, t2, t3)),
        CausalCerone => some_order(history, wr, |_, t2, t3, _| has(&closure(wr), t2, t3)),
        Causal => some_order(history, with_so, |_, t2, t3, _| has(&closure(with_so), t2, t3)),
        Prefix => snapshots(history, none, false),
        PrefixBiswasEnea => some_order(history, with_so, |rank, t2, t3, _| {
            (0..TXNS).any(|last| has(&with_so, last, t3) && rank[t2] <= rank[last])
        }),
        SnapshotIsolation => snapshots(history, none, true),
        StrongSessionSnapshotIsolation => snapshots(history, so, true),
        StrongSnapshotIsolation => snapshots(history, rt, true),
        ParallelSnapshotIsolation => visibility(history, true),
        UpdateAtomic => visibility(history, false),
        MonotonicView => monotonic_view(history),
        ConsistentView => consistent_view(history),
        CursorStability => cursor_stability(history),
        _ => unreachable!("{guarantee} is not judged here"),
    };
    // What DEFINITIONS and Adya say of the rest; the closure has to agree.
    let plain = matches!(
        guarantee,
        ReadUncommitted
            | ReadCommitted
            | StrongReadUncommitted
            | StrongReadCommitted
            | StrongSessionReadUncommitted
            | StrongSessionReadCommitted
            | MonotonicAtomicView
            | MonotonicView
            | CursorStability
    );
    let serial = matches!(guarantee, Serializable | StrongSessionSerializable | StrictSerializable);
    let snapshot = matches!(
        guarantee,
        ParallelSnapshotIsolation | SnapshotIsolation | StrongSessionSnapshotIsolation | StrongSnapshotIsolation
    );
    fine && match history.aside {
        Aside::Nothing => true,
        Aside::Internal => {
            let others = [RepeatableRead, ConsistentView, UpdateSerializable, ReadCommittedBiswasEnea];
            plain || others.contains(&guarantee)
        }
        Aside::PredicateG2 => !serial,
        Aside::PredicateGSingle => !serial && !snapshot && !matches!(guarantee, ConsistentView | UpdateSerializable),
    }
}

const JUDGED: [Guarantee; 27] = {
    use Guarantee::*;
    [
        StrictSerializable,
        StrongSessionSerializable,
        StrongSnapshotIsolation,
        StrongSessionSnapshotIsolation,
        StrongReadCommitted,
        StrongReadUncommitted,
        StrongSessionReadCommitted,
        StrongSessionReadUncommitted,
        Serializable,
        UpdateSerializable,
        RepeatableRead,
        SnapshotIsolation,
        ParallelSnapshotIsolation,
        ConsistentView,
        MonotonicView,
        MonotonicAtomicView,
        CursorStability,
        Prefix,
        CausalCerone,
        UpdateAtomic,
        ReadAtomic,
        ReadCommitted,
        ReadUncommitted,
        PrefixBiswasEnea,
        ReadAtomicBiswasEnea,
        ReadCommittedBiswasEnea,
        Causal,
    ]
};

/// The names of all simple cycles, of what is wrong inside transactions, and of what is merely there.
fn anomalies(history: &History) -> BTreeSet<Anomaly> {
    let mut found = BTreeSet::new();
    let relations = [history.ww, history.wr, history.rw, history.so, history.rt];
    let mut paths: Vec<(Vec<usize>, Vec<usize>)> = (0..TXNS).map(|start| (vec![start], Vec::new())).collect();
    while let Some((nodes, edges)) = paths.pop() {
        let last = nodes[nodes.len() - 1];
        for (kind, relation) in relations.iter().enumerate() {
            let with = |kind| edges.iter().copied().chain([kind]).collect::<Vec<usize>>();
            if has(relation, last, nodes[0]) {
                found.extend(classified(&with(kind)));
            }
            for next in (nodes[0] + 1..TXNS).filter(|next| !nodes.contains(next) && has(relation, last, *next)) {
                paths.push((nodes.iter().copied().chain([next]).collect(), with(kind)));
            }
        }
    }
    for t in 0..TXNS {
        for (_, key, from) in history.reads(t) {
            let first = |t: usize| history.reads(t).find(|(_, other, _)| *other == key).map(|(_, _, from)| from);
            if history.reads(t).any(|(_, other, seen)| other == key && seen != from) {
                found.insert(Anomaly::NonRepeatableRead);
            }
            let alike = |other: usize| other != t && history.writes(other, key) && first(other) == first(t);
            if history.writes(t, key) && (0..TXNS).any(alike) {
                found.insert(Anomaly::LostUpdate);
            }
        }
    }
    found.extend(match history.aside {
        Aside::Nothing => None,
        Aside::Internal => Some(Anomaly::Internal),
        Aside::PredicateG2 => Some(Anomaly::G2),
        Aside::PredicateGSingle => Some(Anomaly::GSingle),
    });
    found
}

/// What a cycle is called: ww 0, wr 1, rw 2, session order 3, real time 4.
fn classified(edges: &[usize]) -> Option<Anomaly> {
    let missed: Vec<bool> = edges.iter().map(|&edge| edge == 2).collect();
    let adjacent = (0..missed.len()).any(|at| missed[at] && missed[(at + 1) % missed.len()]);
    let base = match missed.iter().filter(|&&rw| rw).count() {
        0 if edges.contains(&1) => "G1c",
        0 if edges.contains(&0) => "G0",
        // Session order and real time alone have no cycle.
        0 => return None,
        1 => "G-single-item",
        _ if adjacent => "G2-item",
        _ => "G-nonadjacent-item",
    };
    let suffix = if edges.contains(&4) {
        "-realtime"
    } else if edges.contains(&3) {
        "-process"
    } else {
        ""
    };
    Anomaly::named(&format!("{base}{suffix}"))
}

#[test]
fn the_lattice_agrees_with_the_definitions() {
    let mut random = Random(7);
    let mut sample: Vec<History> = (0..6_000).map(|_| History::random(&mut random)).collect();
    sample.push(History::read_only_anomaly());
    let verdicts: Vec<[bool; JUDGED.len()]> =
        sample.iter().map(|history| JUDGED.map(|one| holds(history, one))).collect();

    let mut alike = Vec::new();
    for (i, stronger) in JUDGED.iter().enumerate() {
        for (j, weaker) in JUDGED.iter().enumerate() {
            let apart = verdicts.iter().position(|verdicts| verdicts[i] && !verdicts[j]);
            if stronger.entails(*weaker) {
                assert!(apart.is_none(), "{stronger} does not imply {weaker}: {:#?}", apart.map(|at| &sample[at]));
            } else if apart.is_none() {
                alike.push(format!("{stronger} => {weaker}"));
            }
        }
    }
    // They differ by predicates that one transaction reads in turn, which are not modelled.
    assert_eq!(alike, ["repeatable-read => monotonic-view"], "no history tells these apart");

    let mut spared = Vec::new();
    let found: Vec<BTreeSet<Anomaly>> = sample.iter().map(anomalies).collect();
    for &anomaly in Anomaly::ALL {
        let shown: Vec<usize> = (0..sample.len()).filter(|&at| found[at].contains(&anomaly)).collect();
        for (at, guarantee) in JUDGED.iter().enumerate() {
            let kept = shown.iter().copied().find(|&history| verdicts[history][at]);
            if anomaly.rules_out().contains(guarantee) {
                assert!(kept.is_none(), "{guarantee} holds in spite of {anomaly}: {:#?}", kept.map(|at| &sample[at]));
            } else if !shown.is_empty() && kept.is_none() {
                spared.push(format!("{anomaly}: {guarantee}"));
            }
        }
    }
    // A cycle that needs two transactions which only read, and two rw edges in a row, has five transactions.
    assert_eq!(spared, ["G2-item: update-serializable"], "these could be ruled out too");
}
