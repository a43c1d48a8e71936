//! The algorithms of one key against brute force by the definitions, over small random histories.

use super::atomicity;
use super::clock::{Clock, between};
use super::delta::{Clusters, is_possible_order};
use super::key::{Access, KeyHistory, NEVER, NONE, Read};
use super::overwritten::{overwriters, stale};
use crate::budget::Budget;
use crate::history::Status;

/// A small generator: reproducible, and the same on every machine.
pub(in crate::check) struct Dice(u64);

impl Dice {
    pub(in crate::check) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(in crate::check) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 20) % u64::from(bound)).expect("below a u32")
    }

    pub(in crate::check) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// Accesses in order of beginning, with a time for each position.
struct Case {
    accesses: Vec<Access>,
    times: Vec<i64>,
}

/// What may be in a case.
struct Mix {
    operations: u32,
    /// Whether some operations crash or fail.
    faults: bool,
    /// Whether several writes may write one version.
    repeats: bool,
}

fn random(dice: &mut Dice, mix: &Mix) -> Case {
    let width = 1 + dice.below(3);
    let mut open: Vec<Option<(usize, u32)>> = vec![None; width as usize];
    let mut accesses: Vec<Access> = Vec::new();
    let mut times: Vec<i64> = Vec::new();
    let mut time = 0;
    let mut position = 0;
    while u32::try_from(accesses.len()).expect("small") < mix.operations || open.iter().any(Option::is_some) {
        let lane = dice.below(width) as usize;
        let step = if dice.chance(20) { 0 } else { i64::from(dice.below(9)) };
        if let Some((at, _)) = open[lane].take() {
            if accesses[at].status == Status::Ok {
                accesses[at].ended = position;
            }
        } else if u32::try_from(accesses.len()).expect("small") < mix.operations {
            let writes = dice.chance(50);
            let row = u32::try_from(accesses.len()).expect("small");
            let status = match dice.below(10) {
                0 if mix.faults => Status::Fail,
                1 if mix.faults => Status::Info,
                _ => Status::Ok,
            };
            let version = match (writes, mix.repeats) {
                (true, true) => dice.below(3),
                (true, false) => row + 1,
                // Of the versions so far, or the initial one; now and then any.
                (false, _) => {
                    let known: Vec<u32> =
                        accesses.iter().filter(|one| one.writes).map(|one| one.version).chain([0]).collect();
                    let near = if dice.chance(60) { known.len().min(2) } else { known.len() };
                    if dice.chance(4) {
                        dice.below(mix.operations + 1)
                    } else {
                        let back = dice.below(u32::try_from(near).expect("small")) as usize;
                        known.iter().rev().skip(1).chain([&0]).nth(back).copied().unwrap_or(0)
                    }
                }
            };
            accesses.push(Access { row, began: position, ended: NEVER, status, writes, version, invoked: true });
            open[lane] = Some((row as usize, 0));
        } else {
            continue;
        }
        time += step;
        times.push(time);
        position += 1;
    }
    Case { accesses, times }
}

impl Case {
    fn key(&self) -> KeyHistory {
        KeyHistory::new(self.accesses.iter().copied(), 0, None)
    }
}

/// All orders of the operations that must have happened, and some that may have, which keep what comes before what. `visit` is
/// told of each operation that is put next, with the versions written so far, and says whether to go on.
fn some_order(
    operations: &[Access],
    before: &dyn Fn(&Access, &Access) -> bool,
    legal: &dyn Fn(&Access, &[u32]) -> bool,
) -> bool {
    let mut stack: Vec<(u32, Vec<u32>)> = vec![(0, vec![0])];
    let mut known = std::collections::HashSet::new();
    while let Some((done, written)) = stack.pop() {
        let waits = |at: usize| done >> at & 1 == 0;
        let must = |at: usize| operations[at].status == Status::Ok;
        if (0..operations.len()).all(|at| !waits(at) || !must(at)) {
            return true;
        }
        if !known.insert((done, written.clone())) {
            continue;
        }
        for (at, one) in operations.iter().enumerate().filter(|(at, _)| waits(*at)) {
            let early =
                (0..operations.len()).any(|other| other != at && waits(other) && before(&operations[other], one));
            if early || !one.writes && !legal(one, &written) {
                continue;
            }
            let mut written = written.clone();
            if one.writes {
                written.push(one.version);
            }
            stack.push((done | 1 << at, written));
        }
    }
    false
}

fn counted(case: &Case) -> Vec<Access> {
    let says = |one: &&Access| one.status == Status::Ok || one.writes && one.status == Status::Info;
    case.accesses.iter().filter(says).copied().collect()
}

fn is_atomic(case: &Case, k: u32) -> bool {
    let before = |a: &Access, b: &Access| a.ended < b.began;
    let legal = |read: &Access, written: &[u32]| written.iter().rev().take(k as usize).any(|v| *v == read.version);
    some_order(&counted(case), &before, &legal)
}

fn is_delta_atomic(case: &Case, delta: i64) -> bool {
    let time = |position: u32| case.times[position as usize];
    let before = |a: &Access, b: &Access| {
        if a.ended == NEVER {
            false
        } else if b.writes || delta == 0 {
            a.ended < b.began
        } else {
            time(a.ended) < time(b.began) - delta
        }
    };
    let legal = |read: &Access, written: &[u32]| written.last() == Some(&read.version);
    some_order(&counted(case), &before, &legal)
}

fn clock(case: &Case) -> Clock {
    Clock::new(case.times.clone())
}

/// How often the loops below run; more often where somebody asks for it when building.
fn rounds(default: u64) -> u64 {
    option_env!("ANACHRON_ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Goal: the smallest delta is the smallest one by the definition; 0 is linearizable; and no read is staler than it.
#[test]
fn delta_is_the_smallest() {
    let (mut positive, mut zero) = (0, 0);
    for seed in 0..rounds(1_500) {
        let mut dice = Dice::new(seed + 1);
        let case = random(
            &mut dice,
            &Mix { operations: 3 + u32::try_from(seed % 5).expect("small"), faults: seed % 2 == 0, repeats: false },
        );
        let key = case.key();
        if !key.unexplained.is_empty() {
            continue;
        }
        let clock = clock(&case);
        let clusters = Clusters::new(&key, Some(&clock));
        let delta = clusters.delta_ns(0);
        assert!(is_delta_atomic(&case, delta), "seed {seed}: {delta} is too small");
        assert!(delta == 0 || !is_delta_atomic(&case, delta - 1), "seed {seed}: {delta} is too large");
        assert_eq!(delta == 0, clusters.is_linearizable(), "seed {seed}");
        for stale in stale(&key) {
            let read = &key.reads[stale.read as usize];
            let age = between(clock.end(key.writes[stale.first as usize].ended), clock.begin(read.began, read.invoked));
            assert!(age <= delta, "seed {seed}: a read is {age} stale, and delta is {delta}");
            assert_eq!(clusters.delta_ns(age), delta, "seed {seed}");
            assert!(delta > 0, "seed {seed}: a stale read in a linearizable history");
        }
        if delta == 0 { zero += 1 } else { positive += 1 }
    }
    assert!(positive > 100 && zero > 100, "{positive} {zero}");
}

/// Goal: the smallest k lies within its bounds, which meet up to 2; and a read that missed n versions makes it at least n + 1.
#[test]
fn k_is_within_its_bounds() {
    let budget = Budget::default();
    let mut seen = [0; 5];
    for seed in 0..rounds(1_500) {
        let mut dice = Dice::new(seed + 7_777);
        let case = random(
            &mut dice,
            &Mix { operations: 3 + u32::try_from(seed % 6).expect("small"), faults: seed % 2 == 0, repeats: false },
        );
        let key = case.key();
        if !key.unexplained.is_empty() {
            continue;
        }
        let k = (1..10).find(|k| is_atomic(&case, *k)).expect("some k is enough");
        seen[k.min(4) as usize] += 1;
        let clusters = Clusters::new(&key, None);
        assert_eq!(clusters.is_linearizable(), k == 1, "seed {seed}");
        let versions = stale(&key).iter().map(|stale| stale.versions).max().unwrap_or(0);
        assert!(versions < k, "seed {seed}: {versions} missed, and k is {k}");
        if k > 1 {
            let bounds = atomicity::bounds(&key, versions, &mut budget.meter());
            assert!(
                bounds.at_least <= k && bounds.at_most.is_some_and(|most| k <= most),
                "seed {seed}: {k}, {bounds:?}"
            );
            assert!(k > 2 || bounds.at_most == Some(2), "seed {seed}: {bounds:?}");
        }
    }
    assert!(seen[1] > 50 && seen[2] > 50 && seen[3] > 20, "{seen:?}");
}

/// Which writes a read may have seen, by the definition, and the fewest that overwrote it in any of these readings.
fn least_stale(case: &Case, read: &Read) -> usize {
    let own = |one: &Access| one.began + 1;
    let end = |one: &Access| one.ended.saturating_add(1);
    let version = case.accesses[read.row as usize].version;
    let mut all: Vec<(u32, u32, u32)> = vec![(0, 0, 0)];
    all.extend(
        case.accesses
            .iter()
            .filter(|one| one.writes && one.status != Status::Fail)
            .map(|one| (own(one), end(one), one.version)),
    );
    let candidates = |version: u32, until: u32| -> Vec<usize> {
        (0..all.len()).filter(|at| all[*at].2 == version && all[*at].0 <= until).collect()
    };
    let mut ends: Vec<u32> = all.iter().map(|write| write.1).collect();
    for other in case.accesses.iter().filter(|one| !one.writes && one.status == Status::Ok) {
        if let [only] = candidates(other.version, end(other))[..] {
            ends[only] = ends[only].min(end(other));
        }
    }
    let missed = |seen: usize| (0..all.len()).filter(|at| all[*at].0 > ends[seen] && ends[*at] < read.began).count();
    candidates(version, read.ended).into_iter().map(missed).min().expect("an explained read")
}

/// Goal: what a read certainly missed is, of all readings of it, what the least stale one missed; and those that are named are
/// as many as are counted.
#[test]
fn staleness_is_certain() {
    let (mut stale_reads, mut ambiguous) = (0, 0);
    for seed in 0..rounds(3_000) {
        let mut dice = Dice::new(seed + 99_999);
        let mix = Mix {
            operations: 4 + u32::try_from(seed % 9).expect("small"),
            faults: seed % 3 == 0,
            repeats: seed % 2 == 0,
        };
        let case = random(&mut dice, &mix);
        let key = case.key();
        let found = stale(&key);
        for (at, read) in (0..).zip(&key.reads) {
            let expected = least_stale(&case, read);
            let stale = found.iter().find(|stale| stale.read == at);
            assert_eq!(stale.map_or(0, |stale| stale.versions as usize), expected, "seed {seed}, read {read:?}");
            let named = overwriters(&key, read, usize::MAX);
            assert_eq!(named.len(), expected, "seed {seed}");
            if let Some(stale) = stale {
                assert_eq!(key.writes[named[0] as usize].ended, key.writes[stale.first as usize].ended);
                stale_reads += 1;
                ambiguous += usize::from(!read.certain);
            }
        }
    }
    assert!(stale_reads > 500 && ambiguous > 20, "{stale_reads} {ambiguous}");
}

/// Goal: where the order of versions is known, k and delta are those of the stalest read.
#[test]
fn a_known_order_is_exact() {
    let (mut impossible, mut above) = (0, 0);
    for seed in 0..rounds(2_000) {
        let mut dice = Dice::new(seed + 5_555_555);
        let case = random(
            &mut dice,
            &Mix { operations: 3 + u32::try_from(seed % 5).expect("small"), faults: seed % 2 == 0, repeats: false },
        );
        // Any order of the versions that were read and of some others could be the one that the lists show.
        let mut order: Vec<u32> =
            case.accesses.iter().filter(|one| !one.writes && one.status == Status::Ok).map(|one| one.version).collect();
        order.sort_unstable();
        order.dedup();
        order.retain(|version| *version != 0);
        if dice.chance(30) {
            let len = u32::try_from(order.len()).expect("small").max(1);
            order.rotate_left(dice.below(len) as usize);
        }
        let key = KeyHistory::new(case.accesses.iter().copied(), 0, Some(&order));
        let Some(known) = &key.order else { continue };
        if !key.unexplained.is_empty() {
            continue;
        }
        let found = stale(&key);
        let versions = found.iter().map(|stale| stale.versions).max().unwrap_or(0);
        // By the definition: orders in which the versions come as they are known to, and unread ones last.
        let place = |version: u32| order.iter().position(|one| *one == version).unwrap_or(usize::MAX);
        let in_order = |k: u32| {
            let before = |a: &Access, b: &Access| {
                a.ended < b.began || a.writes && b.writes && place(a.version) < place(b.version)
            };
            let legal =
                |read: &Access, written: &[u32]| written.iter().rev().take(k as usize).any(|v| *v == read.version);
            // Versions that were read have happened.
            let mut some = counted(&case);
            for one in some.iter_mut().filter(|one| place(one.version) < usize::MAX) {
                one.status = Status::Ok;
            }
            some.retain(|one| one.status == Status::Ok);
            some_order(&some, &before, &legal)
        };
        let k = (1..10).find(|k| in_order(*k));
        if is_possible_order(&key, known) {
            assert_eq!(k, Some(versions + 1), "seed {seed}");
            above += usize::from(versions > 0);
        } else {
            assert_eq!(k, None, "seed {seed}");
            impossible += 1;
        }
        for (at, read) in (0..).zip(&key.reads) {
            let count = found.iter().find(|stale| stale.read == at).map_or(0, |stale| stale.versions as usize);
            assert_eq!(overwriters(&key, read, usize::MAX).len(), count, "seed {seed}");
        }
    }
    assert!(impossible > 20 && above > 50, "{impossible} {above}");
    assert_eq!(NONE, NEVER);
}
