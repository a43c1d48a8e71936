//! Random small histories: what is judged agrees with brute force.

use anachron::guarantee::Guarantee as G;
use anachron::verdict::Verdict;

use super::brute::Brute;
use super::cases::judged;
use super::mini::history;

/// A small generator of random numbers (splitmix64): the same histories in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 33).expect("31 bits") % sides
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

/// How a simulated store isolates transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Store {
    /// One at a time.
    Serial,
    /// A snapshot each; the first that commits wins.
    Snapshot,
    /// Snapshots that may be old, and nobody wins.
    Stale,
    /// Each read shows what is committed then.
    Committed,
    /// Each read shows what was written.
    Dirty,
}

pub(super) const STORES: [Store; 5] = [Store::Serial, Store::Snapshot, Store::Stale, Store::Committed, Store::Dirty];

/// A key; the element, of an append; the list, of a read, once there is one.
type Mop = (usize, Option<usize>, Option<Vec<usize>>);

/// A transaction under way.
struct Running {
    process: usize,
    mops: Vec<Mop>,
    done: usize,
    snapshot: Vec<Vec<usize>>,
    version: usize,
}

const KEYS: [&str; 3] = ["x", "y", "z"];

/// A history in the mini-language: up to six transactions by three processes.
pub(super) fn simulate(store: Store, dice: &mut Dice) -> String {
    let keys = 1 + dice.roll(3);
    let mut left = 2 + dice.roll(5);
    let mut lists: Vec<Vec<usize>> = vec![Vec::new(); keys];
    let mut old = vec![lists.clone()];
    // When each key was last committed to.
    let (mut clock, mut changed) = (0, vec![0; keys]);
    let mut next = vec![1; keys];
    let mut processes: Vec<usize> = vec![0, 1, 2];
    let mut fresh = 3;
    let mut running: Vec<Running> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    let corrupt = dice.chance(30);
    while left > 0 || !running.is_empty() {
        let may_begin = left > 0 && running.len() < 3 && (store != Store::Serial || running.is_empty());
        if running.is_empty() || (may_begin && dice.chance(40)) {
            let idle: Vec<usize> =
                processes.iter().copied().filter(|p| running.iter().all(|other| other.process != *p)).collect();
            let process = idle[dice.roll(idle.len())];
            let mut mops = Vec::new();
            for _ in 0..1 + dice.roll(3) {
                let key = dice.roll(keys);
                let append = dice.chance(45) && next[key] < 5;
                let element = append.then(|| {
                    next[key] += 1;
                    next[key] - 1
                });
                mops.push((key, element, None));
            }
            lines.push(format!("{process}>{}", text(&mops, false)));
            let snapshot = if store == Store::Stale { old[dice.roll(old.len())].clone() } else { lists.clone() };
            running.push(Running { process, mops, done: 0, snapshot, version: clock });
            left -= 1;
            continue;
        }
        let at = dice.roll(running.len());
        let txn = &mut running[at];
        if txn.done < txn.mops.len() {
            let (key, element, list) = &mut txn.mops[txn.done];
            let source = match store {
                Store::Committed | Store::Dirty => &lists,
                _ => &txn.snapshot,
            };
            match element {
                Some(element) if store == Store::Dirty => lists[*key].push(*element),
                Some(_) => {}
                None => *list = Some(source[*key].clone()),
            }
            if list.is_some() && store != Store::Dirty {
                let key = *key;
                let own: Vec<usize> =
                    txn.mops[..txn.done].iter().filter(|mop| mop.0 == key).filter_map(|mop| mop.1).collect();
                txn.mops[txn.done].2.as_mut().expect("a read").extend(own);
            }
            txn.done += 1;
            continue;
        }
        let mut txn = running.swap_remove(at);
        let writes: Vec<(usize, usize)> =
            txn.mops.iter().filter_map(|mop| mop.1.map(|element| (mop.0, element))).collect();
        let conflict = store == Store::Snapshot && writes.iter().any(|(key, _)| changed[*key] > txn.version);
        let fate = dice.roll(100);
        let fails = conflict || fate < 8;
        let unknown = !conflict && (8..25).contains(&fate);
        let applied = !fails && (!unknown || dice.chance(60));
        if applied && store != Store::Dirty {
            clock += 1;
            for (key, element) in &writes {
                lists[*key].push(*element);
                changed[*key] = clock;
            }
        } else if !applied && store == Store::Dirty && dice.chance(70) {
            for (key, element) in &writes {
                lists[*key].retain(|other| other != element);
            }
        }
        old.push(lists.clone());
        if corrupt && dice.chance(40) {
            spoil(&mut txn.mops, dice);
        }
        let process = txn.process;
        match (fails, unknown) {
            (true, _) => lines.push(format!("{process}!{}", text(&txn.mops, false))),
            (_, true) if dice.chance(50) => lines.push(format!("{process}?{}", text(&txn.mops, true))),
            (_, true) => {}
            _ => lines.push(format!("{process}={}", text(&txn.mops, true))),
        }
        // A process whose operation crashed is gone, and mostly another one takes its place. One without any completion
        // can't go on.
        let completed = lines.last().is_some_and(|line| line.starts_with(&format!("{process}?")));
        if unknown && (!completed || dice.chance(80)) {
            processes.retain(|other| *other != process);
            processes.push(fresh);
            fresh += 1;
        }
    }
    if dice.chance(15) {
        lines.retain(|line| !line.contains('>'));
    }
    lines.join("; ")
}

fn text(mops: &[Mop], results: bool) -> String {
    let mut out = String::new();
    for (key, element, list) in mops {
        match (element, list) {
            (Some(element), _) => out.push_str(&format!(" a{}{element}", KEYS[*key])),
            (None, Some(list)) if results => {
                let list: Vec<String> = list.iter().map(ToString::to_string).collect();
                out.push_str(&format!(" r{}[{}]", KEYS[*key], list.join(" ")));
            }
            _ => out.push_str(&format!(" r{}", KEYS[*key])),
        }
    }
    out
}

/// Makes a read show something else.
fn spoil(mops: &mut [Mop], dice: &mut Dice) {
    let reads: Vec<usize> = (0..mops.len()).filter(|at| mops[*at].2.is_some()).collect();
    if reads.is_empty() {
        return;
    }
    let at = reads[dice.roll(reads.len())];
    let list = mops[at].2.as_mut().expect("a read");
    match dice.roll(5) {
        0 => drop(list.pop()),
        1 => list.push(1 + dice.roll(5)),
        2 if list.len() > 1 => {
            let last = list.len() - 1;
            list.swap(last, last - 1);
        }
        3 if !list.is_empty() => drop(list.remove(0)),
        _ => list.insert(0, 1 + dice.roll(5)),
    }
}

pub(super) const JUDGED: [G; 29] = [
    G::Prefix,
    G::PrefixBiswasEnea,
    G::MonotonicAtomicView,
    G::ReadCommittedBiswasEnea,
    G::ReadAtomic,
    G::ReadAtomicBiswasEnea,
    G::CausalCerone,
    G::Causal,
    G::UpdateAtomic,
    G::ParallelSnapshotIsolation,
    G::ConsistentView,
    G::ForwardConsistentView,
    G::MonotonicView,
    G::MonotonicSnapshotRead,
    G::CursorStability,
    G::UpdateSerializable,
    G::StrictSerializable,
    G::StrongSessionSerializable,
    G::Serializable,
    G::StrongSnapshotIsolation,
    G::StrongSessionSnapshotIsolation,
    G::SnapshotIsolation,
    G::RepeatableRead,
    G::StrongReadCommitted,
    G::StrongSessionReadCommitted,
    G::ReadCommitted,
    G::StrongReadUncommitted,
    G::StrongSessionReadUncommitted,
    G::ReadUncommitted,
];

/// So many of them are not levels that cycles define.
const WEAKER: usize = 16;

/// What a run of many histories came to: for each guarantee, how often it held, was violated, was open.
type Counts = [[u32; 3]; JUDGED.len()];

fn compare(text: &str, counts: &mut Counts) {
    let history = history(text);
    let (brute, outcome) = (Brute::new(&history), judged(&history));
    let worlds = brute.worlds();
    let holds = |guarantee: G| match guarantee {
        weaker if JUDGED[2..WEAKER].contains(&weaker) => worlds.iter().any(|world| world.keeps(weaker)),
        level => brute.holds(level),
    };
    let by_definition: Vec<bool> = JUDGED.into_iter().map(holds).collect();
    for (at, stronger) in JUDGED.into_iter().enumerate() {
        for (weaker, kept) in JUDGED.into_iter().zip(&by_definition) {
            let follows = !by_definition[at] || *kept || !stronger.entails(weaker);
            assert!(follows, "{stronger} does not imply {weaker}: {text}");
        }
    }
    for (at, guarantee) in JUDGED.into_iter().enumerate() {
        let judgement = outcome.judgements.iter().find(|one| one.guarantee == guarantee).expect("judged");
        let holds = by_definition[at];
        match judgement.verdict {
            Verdict::Holds => assert!(holds && !brute.is_vacuous(), "{guarantee} does not hold: {text}"),
            Verdict::Violated => assert!(!holds, "{guarantee} holds: {text}\n{:#?}", outcome.findings),
            _ if brute.is_vacuous() => assert!(holds, "{guarantee} is violated without reads: {text}"),
            _ => {
                assert_eq!(judgement.verdict, Verdict::Unknown);
                assert!(guarantee.name().contains("snapshot"), "{guarantee} is decided always: {text}");
                counts[at][2] += 1;
            }
        }
        counts[at][usize::from(!holds)] += 1;
        if judgement.verdict == Verdict::Violated {
            let said = !judgement.anomalies.is_empty() || judgement.reason.is_some();
            assert!(said, "{guarantee}: violated without evidence: {text}");
        }
        let ruled_out = outcome.findings.iter().find(|finding| finding.rules_out.contains(&guarantee));
        assert!(ruled_out.is_none() || !holds, "{:?} rules out {guarantee}: {text}", ruled_out.map(|one| one.anomaly));
    }
}

fn run(store: Store, histories: u32) -> Counts {
    let mut dice = Dice(0x5EED ^ (store as u64) << 32);
    let mut counts = Counts::default();
    for _ in 0..histories {
        compare(&simulate(store, &mut dice), &mut counts);
    }
    counts
}

/// Goal: every verdict agrees with brute force, on histories of stores of every strength, broken ones among them; and the
/// test sees both verdicts of every guarantee.
#[test]
fn agrees_with_brute_force() {
    let mut seen = Counts::default();
    for store in STORES {
        let counts = run(store, 300);
        for (total, one) in seen.iter_mut().zip(counts) {
            (0..3).for_each(|at| total[at] += one[at]);
        }
    }
    for (guarantee, [held, violated, open]) in JUDGED.into_iter().zip(seen) {
        assert!(held > 50 && violated > 50, "{guarantee}: {held} held, {violated} were violated");
        assert!(open == 0, "{guarantee} was left open {open} times, of so few transactions");
    }
}
