//! Small random transactions, and the guarantees' definitions word by word, by trying every commit order.

use std::collections::BTreeMap;

use super::axioms::Axiom;
use super::orders::{Choice, Level, Orders, choose};
use super::prefix::prefix;
use super::view::{INITIAL, Read, TxnView, UNRANKED, Write};
use super::weak::{CommitStep, Weak, Why, check};
use crate::budget::Budget;
use crate::graph::{Graph, Relations, Search};

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(bound)).expect("below a u32")
    }
}

/// What is known of the version orders.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Known {
    All,
    /// A list: what was read is ordered, and what was not comes after that.
    List,
    Nothing,
    Some,
}

fn random(random: &mut Random, known: Known) -> TxnView {
    let (txns, keys, sessions) = (2 + random.below(4), 1 + random.below(3), 1 + random.below(4));
    let mut writes: Vec<Vec<u32>> = vec![Vec::new(); txns as usize];
    let mut writers: Vec<Vec<u32>> = vec![Vec::new(); keys as usize];
    for txn in 0..txns {
        for key in 0..keys {
            if random.below(2) == 0 {
                writes[txn as usize].push(key);
                writers[key as usize].push(txn);
            }
        }
    }
    let mut reads: Vec<Vec<Read>> = vec![Vec::new(); txns as usize];
    for txn in 0..txns {
        for _ in 0..random.below(4) {
            let key = random.below(keys);
            let from = &writers[key as usize];
            let choice = random.below(u32::try_from(from.len()).expect("few") + 1) as usize;
            // Reads of later transactions are rare, or nothing would ever hold.
            let writer = from.get(choice).copied().unwrap_or(INITIAL);
            if writer == INITIAL || writer < txn || random.below(6) == 0 {
                reads[txn as usize].push(Read { key, writer });
            }
        }
    }
    let mut ranks: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for (key, writers) in (0u32..).zip(&mut writers) {
        for at in 1..writers.len() {
            if random.below(3) == 0 {
                let other = random.below(u32::try_from(at).expect("few") + 1) as usize;
                writers.swap(at, other);
            }
        }
        let read = |txn: &u32| reads.iter().flatten().any(|read| read.key == key && read.writer == *txn);
        let last_read = writers.iter().rposition(read).map_or(0, |at| at + 1);
        for (rank, txn) in (0u32..).zip(writers.iter()) {
            let rank = match known {
                Known::All => rank,
                Known::List => rank.min(u32::try_from(last_read).expect("few")),
                Known::Nothing => UNRANKED,
                Known::Some => {
                    if random.below(2) == 0 {
                        rank
                    } else {
                        UNRANKED
                    }
                }
            };
            ranks.insert((*txn, key), rank);
        }
    }
    let mut view = TxnView::new();
    for txn in 0..txns {
        let session = random.below(sessions + 1);
        let writes = writes[txn as usize].iter().map(|key| Write { key: *key, rank: ranks[&(txn, *key)] });
        view.push((session < sessions).then_some(session), random.below(8) > 0, reads[txn as usize].clone(), writes);
    }
    view
}

/// All orders of `0..count`.
fn permutations(count: u32) -> Vec<Vec<u32>> {
    let mut found: Vec<Vec<u32>> = vec![Vec::new()];
    for next in 0..count {
        let longer = |order: Vec<u32>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            })
        };
        found = found.into_iter().flat_map(longer).collect();
    }
    found
}

/// One commit order, and questions to it.
struct Order<'a> {
    view: &'a TxnView,
    place: Vec<usize>,
}

impl<'a> Order<'a> {
    fn new(view: &'a TxnView, order: &[u32]) -> Order<'a> {
        let mut place = vec![0; order.len()];
        for (at, txn) in order.iter().enumerate() {
            place[*txn as usize] = at;
        }
        Order { view, place }
    }

    fn before(&self, a: u32, b: u32) -> bool {
        b != INITIAL && (a == INITIAL || self.place[a as usize] < self.place[b as usize])
    }

    fn installers(&self, key: u32) -> impl Iterator<Item = u32> {
        (0..self.view.len()).filter(move |txn| self.view.write(*txn, key).is_some())
    }

    fn txns(&self) -> std::ops::Range<u32> {
        0..self.view.len()
    }

    /// Contains wr and the known version orders; and session order, if asked.
    fn is_sound(&self, sessions: bool) -> bool {
        let view = self.view;
        self.txns().all(|txn| {
            view.reads(txn).iter().all(|read| self.before(read.writer, txn))
                && (!sessions || view.before(txn).is_none_or(|before| self.before(before, txn)))
                && self.txns().all(|other| {
                    view.writes(txn)
                        .iter()
                        .all(|write| !view.known_before(txn, other, write.key) || self.before(txn, other))
                })
        })
    }

    /// Each read is of the last version among those of a set of transactions.
    fn reads_last_of(&self, txn: u32, seen: impl Fn(u32) -> bool) -> bool {
        self.view.reads(txn).iter().all(|read| {
            let installers = self.installers(read.key).filter(|other| *other != txn && seen(*other));
            let last = installers.max_by_key(|other| self.place[*other as usize]).unwrap_or(INITIAL);
            last == read.writer
        })
    }

    /// The axiom, as Biswas and Enea write it.
    fn satisfies(&self, axiom: Axiom) -> bool {
        let view = self.view;
        self.is_sound(axiom.has_sessions())
            && self.txns().all(|reader| {
                view.reads(reader).iter().enumerate().all(|(at, read)| {
                    let seen = |other: u32| match axiom {
                        Axiom::ReadCommittedBiswasEnea | Axiom::MonotonicAtomicView => {
                            view.reads(reader)[..at].iter().any(|read| read.writer == other)
                        }
                        Axiom::ReadAtomic => leads(view, false, reader).contains(&other),
                        Axiom::ReadAtomicBiswasEnea => {
                            leads(view, false, reader).contains(&other) || earlier(view, reader).contains(&other)
                        }
                        Axiom::Causal => past(view, true, reader).contains(&other),
                        Axiom::CausalCerone => past(view, false, reader).contains(&other),
                    };
                    self.installers(read.key)
                        .all(|other| other == read.writer || !seen(other) || self.before(other, read.writer))
                })
            })
    }

    /// The levels that commit orders and snapshots define.
    fn keeps(&self, level: Level, sessions: bool) -> bool {
        let view = self.view;
        if !self.is_sound(sessions) {
            return false;
        }
        match level {
            Level::Serializable => self.txns().all(|txn| self.reads_last_of(txn, |other| self.before(other, txn))),
            Level::SnapshotIsolation | Level::Prefix => self.txns().all(|txn| {
                (0..=self.place[txn as usize]).any(|snapshot| {
                    let within = |other: u32| self.place[other as usize] < snapshot;
                    let conflict = |other: u32| {
                        !within(other)
                            && self.before(other, txn)
                            && view.writes(txn).iter().any(|write| view.write(other, write.key).is_some())
                    };
                    self.reads_last_of(txn, within)
                        && (!sessions || earlier(view, txn).into_iter().all(within))
                        && (level == Level::Prefix || !self.txns().any(conflict))
                })
            }),
            Level::ParallelSnapshotIsolation => self.some_visibility(),
        }
    }

    /// Parallel snapshot isolation, as Cerone, Bernardi and Gotsman define it: a transitive visibility within the order, that
    /// relates all who install a common key, such that each read is of the last visible version. Every such visibility is tried.
    fn some_visibility(&self) -> bool {
        let view = self.view;
        let pairs: Vec<(u32, u32)> =
            self.txns().flat_map(|a| self.txns().map(move |b| (a, b))).filter(|(a, b)| self.before(*a, *b)).collect();
        (0..1u32 << pairs.len()).any(|chosen| {
            let sees =
                |b: u32, a: u32| pairs.iter().zip(0..).any(|(pair, at)| *pair == (a, b) && chosen >> at & 1 == 1);
            let conflict = |a: u32, b: u32| view.writes(a).iter().any(|write| view.write(b, write.key).is_some());
            pairs.iter().all(|(a, b)| sees(*b, *a) || !conflict(*a, *b))
                && pairs.iter().all(|(a, b)| self.txns().all(|c| !sees(*b, *a) || !sees(c, *b) || sees(c, *a)))
                && self.txns().all(|txn| self.reads_last_of(txn, |other| sees(txn, other)))
        })
    }
}

/// Who leads to a transaction directly.
fn leads(view: &TxnView, sessions: bool, txn: u32) -> Vec<u32> {
    let read = view.reads(txn).iter().map(|read| read.writer).filter(|writer| *writer != INITIAL);
    read.chain(view.before(txn).filter(|_| sessions)).collect()
}

fn earlier(view: &TxnView, txn: u32) -> Vec<u32> {
    std::iter::successors(view.before(txn), |before| view.before(*before)).collect()
}

fn past(view: &TxnView, sessions: bool, txn: u32) -> Vec<u32> {
    let mut past = leads(view, sessions, txn);
    let mut at = 0;
    while let Some(before) = past.get(at).copied() {
        at += 1;
        for other in leads(view, sessions, before) {
            if !past.contains(&other) {
                past.push(other);
            }
        }
    }
    past
}

const KNOWN: [Known; 4] = [Known::All, Known::List, Known::Nothing, Known::Some];

/// A witness holds up, step by step.
fn confirm(view: &TxnView, axiom: Axiom, cycle: &[CommitStep]) {
    for (step, next) in cycle.iter().zip(cycle.iter().skip(1).chain(&cycle[..1])) {
        assert_eq!(step.to, next.from);
        confirm_step(view, axiom, step);
    }
}

fn confirm_step(view: &TxnView, axiom: Axiom, step: &CommitStep) {
    match &step.why {
        Why::Session => assert!(axiom.has_sessions() && earlier(view, step.to).contains(&step.from), "{step:?}"),
        Why::Read { key } => assert!(view.reads(step.to).contains(&Read { key: *key, writer: step.from }), "{step:?}"),
        Why::Version { key } => assert!(view.known_before(step.from, step.to, *key), "{step:?}"),
        Why::Initial => assert_eq!(step.from, INITIAL),
        Why::Seen { key, reader, through } => {
            assert!(view.write(step.from, *key).is_some(), "{step:?}");
            assert!(view.reads(*reader).contains(&Read { key: *key, writer: step.to }), "{step:?}");
            assert_eq!((through[0].from, through[through.len() - 1].to), (step.from, *reader), "{step:?}");
            assert!(through.windows(2).all(|pair| pair[0].to == pair[1].from));
            for hop in through {
                confirm_step(view, axiom, hop);
            }
        }
    }
}

/// Goal: each axiom holds exactly where some commit order satisfies it, and each violation's witness is one.
#[test]
fn weak_guarantees_as_by_all_commit_orders() {
    let budget = Budget::default();
    for axiom in [
        Axiom::ReadCommittedBiswasEnea,
        Axiom::MonotonicAtomicView,
        Axiom::ReadAtomic,
        Axiom::ReadAtomicBiswasEnea,
        Axiom::Causal,
        Axiom::CausalCerone,
    ] {
        let (mut held, mut broken) = (0, 0);
        for seed in 0..400 {
            for known in KNOWN {
                let view = random(&mut Random(seed), known);
                let expected = permutations(view.len()).iter().any(|order| Order::new(&view, order).satisfies(axiom));
                match check(&view, axiom, &mut budget.meter()) {
                    Weak::Holds => {
                        held += 1;
                        assert!(expected, "seed {seed} {known:?} {axiom:?}: {view:?}");
                    }
                    Weak::Violated { cycle, minimum } => {
                        broken += 1;
                        assert!(!expected, "seed {seed} {known:?} {axiom:?}: {cycle:?} {view:?}");
                        assert!(minimum);
                        confirm(&view, axiom, &cycle);
                    }
                    Weak::Unknown(by) => panic!("stopped by {by:?}"),
                }
            }
        }
        assert!(held > 100 && broken > 100, "{axiom:?}: {held} held, {broken} broken");
    }
}

/// Goal: orders are found exactly where some commit order keeps the level; those that are found keep it; and where none is, the cycles
/// rest on no more than is known and can be chosen.
#[test]
fn orders_as_by_all_commit_orders() {
    let budget = Budget::default();
    for level in [Level::Serializable, Level::SnapshotIsolation, Level::Prefix, Level::ParallelSnapshotIsolation] {
        let (mut possible, mut impossible, mut chosen, mut several) = (0, 0, 0, 0);
        for seed in 0..400 {
            for known in KNOWN {
                let view = random(&mut Random(seed), known);
                let small = level != Level::ParallelSnapshotIsolation || view.len() < 5;
                // Visibility without session order: it is no part of parallel snapshot isolation.
                let sessions = seed % 2 == 0 && level != Level::ParallelSnapshotIsolation;
                if !small {
                    continue;
                }
                let order = if sessions { Relations::PROCESS } else { Relations::NONE };
                let dependencies = view.dependencies(view.len());
                let graph = Graph::build(view.len(), dependencies.auxiliary, dependencies.edges);
                let expected =
                    permutations(view.len()).iter().any(|order| Order::new(&view, order).keeps(level, sessions));
                let case = format!("seed {seed} {known:?} {level:?} {sessions}: {view:?}");
                match choose(&graph, order, &dependencies.choices, level, &mut budget.meter()) {
                    Orders::Possible(orders) => {
                        assert!(expected, "{case}");
                        possible += 1;
                        obeyed(&dependencies.choices, &orders);
                        let total = permutations(view.len()).iter().any(|order| {
                            let order = Order::new(&view, order);
                            let obeys =
                                |orders: &Vec<u32>| orders.windows(2).all(|pair| order.before(pair[0], pair[1]));
                            // Under parallel snapshot isolation keys may differ in what nobody sees both of.
                            orders.iter().all(obeys) && order.keeps(level, sessions)
                        });
                        assert!(total, "{orders:?} {case}");
                        chosen += usize::from(!orders.is_empty());
                    }
                    Orders::Impossible(cycles) => {
                        assert!(!expected, "{cycles:?} {case}");
                        impossible += 1;
                        assert!(!cycles.is_empty());
                        several += usize::from(cycles.len() > 1);
                    }
                    Orders::Unknown(by) => panic!("stopped by {by:?}"),
                }
                if level == Level::Prefix && known != Known::Nothing && known != Known::Some {
                    let found = prefix(&graph, order, &mut budget.meter());
                    assert_eq!(found == Search::Absent, expected, "{case}");
                }
            }
        }
        assert!(possible > 100 && impossible > 100, "{level:?}: {possible} {impossible}");
        assert!(chosen > 50 && several > 5, "{level:?}: {chosen} with a choice, {several} with several cycles");
    }
}

fn obeyed(choices: &[Choice], orders: &[Vec<u32>]) {
    assert_eq!(choices.len(), orders.len());
    for (choice, order) in choices.iter().zip(orders) {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, choice.writers);
    }
}

/// Goal: the standard trap: two unobserved appends on one key, either order of which closes a G-single.
#[test]
fn unobserved_appends_that_no_order_saves() {
    let (a, b, k) = (0, 1, 2);
    let mut view = TxnView::new();
    let write = |key| Write { key, rank: 0 };
    view.push(None, true, [Read { key: a, writer: INITIAL }], [write(b), write(k)]);
    view.push(None, true, [Read { key: b, writer: INITIAL }], [write(a), write(k)]);
    let dependencies = view.dependencies(2);
    assert_eq!(dependencies.choices.len(), 1);
    let graph = Graph::build(2, dependencies.auxiliary, dependencies.edges);
    let budget = Budget::default();
    let judge = |level| choose(&graph, Relations::NONE, &dependencies.choices, level, &mut budget.meter());
    match judge(Level::SnapshotIsolation) {
        Orders::Impossible(cycles) => assert_eq!(cycles.len(), 2, "one for each order: {cycles:?}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(judge(Level::Prefix), Orders::Possible(_)));
    assert!(matches!(judge(Level::ParallelSnapshotIsolation), Orders::Impossible(_)));
    assert!(matches!(judge(Level::Serializable), Orders::Impossible(_)));
}
