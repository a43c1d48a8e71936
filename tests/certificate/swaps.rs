//! Two entries of a certificate swapped: it is refused, unless what is left is a legal order by the naive judges of `naive`.
//!
//! All pairs of entries where they are few; of long certificates, neighbours and distant ones, as many as time allows.

use std::collections::{BTreeMap, HashSet};

use anachron::certificate::{Beside, Claim, Evidence, Ruling, Writes};
use rayon::prelude::*;

use super::naive::arbitrations::{Order, Scene};
use super::naive::{Story, commits, orders};
use super::shelf::{Certified, Shipped, shipped};

/// Histories of more operations are long, and of their claims so many pairs are swapped.
const LONG: usize = 200;
const MOST: usize = 2;

/// An entry: which list, and where in it.
type Place = (usize, usize);

/// How long each list of entries is.
fn lists(evidence: &Evidence) -> Vec<usize> {
    match evidence {
        Evidence::Absent | Evidence::FollowsFrom(_) | Evidence::SameAs(_) | Evidence::Staleness(_) => Vec::new(),
        Evidence::Orders(orders) => orders.iter().map(|order| order.operations.len()).collect(),
        Evidence::CommitOrder(order) => vec![order.len()],
        Evidence::Accounts(accounts) => accounts.accounts.iter().map(|account| account.entries.len()).collect(),
        Evidence::Arbitrations(orders) => orders.iter().map(|order| order.operations.len()).collect(),
        Evidence::Convergence(end) => vec![end.writes.len()],
        Evidence::Agreement(agreement) => {
            std::iter::once(agreement.end.writes.len()).chain(agreement.groups.iter().map(Vec::len)).collect()
        }
    }
}

/// The evidence with two entries swapped; nothing where they are of different kinds, or the same.
fn swapped(evidence: &Evidence, one: Place, other: Place) -> Option<Evidence> {
    let mut evidence = evidence.clone();
    let differs = match &mut evidence {
        Evidence::Absent | Evidence::FollowsFrom(_) | Evidence::SameAs(_) | Evidence::Staleness(_) => false,
        Evidence::Orders(orders) => swap(orders.iter_mut().map(|order| &mut order.operations), one, other),
        Evidence::CommitOrder(order) => swap([order].into_iter(), one, other),
        Evidence::Accounts(accounts) => {
            swap(accounts.accounts.iter_mut().map(|account| &mut account.entries), one, other)
        }
        Evidence::Arbitrations(orders) => {
            let of_lists = orders.iter().any(|order| !order.micro_operations.is_empty());
            let mops = of_lists && swap(orders.iter_mut().map(|order| &mut order.micro_operations), one, other);
            swap(orders.iter_mut().map(|order| &mut order.operations), one, other) || mops
        }
        Evidence::Convergence(end) => swap([&mut end.writes].into_iter(), one, other),
        Evidence::Agreement(agreement) => match (one.0.checked_sub(1), other.0.checked_sub(1)) {
            (None, None) => swap([&mut agreement.end.writes].into_iter(), one, other),
            (Some(a), Some(b)) => swap(agreement.groups.iter_mut(), (a, one.1), (b, other.1)),
            _ => false,
        },
    };
    differs.then_some(evidence)
}

/// Whether the two differed.
fn swap<'l, T: Copy + PartialEq + 'l>(lists: impl Iterator<Item = &'l mut Vec<T>>, one: Place, other: Place) -> bool {
    let mut lists: Vec<&mut Vec<T>> = lists.collect();
    let entries = [one, other].map(|(list, at)| lists[list][at]);
    lists[one.0][one.1] = entries[1];
    lists[other.0][other.1] = entries[0];
    entries[0] != entries[1]
}

/// Pairs of entries: all, or some neighbours and some others. `number`: of the claim, so that others are chosen for the next.
fn pairs(evidence: &Evidence, long: bool, number: usize) -> Vec<(Place, Place)> {
    let lists = lists(evidence);
    let entries: Vec<Place> =
        lists.iter().enumerate().flat_map(|(list, length)| (0..*length).map(move |at| (list, at))).collect();
    let count = entries.len();
    if count < 2 {
        return Vec::new();
    }
    let mut chosen: Vec<(usize, usize)> = if long {
        let mixed = |n: usize| (n + 1) * (number + 3) * 2_654_435_761 % count;
        let near = (0..MOST / 2).map(|n| mixed(n) % (count - 1)).map(|at| (at, at + 1));
        near.chain((0..MOST / 2).map(|n| (mixed(n), mixed(n + MOST)))).collect()
    } else {
        (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other))).collect()
    };
    chosen.retain(|(one, other)| one != other);
    chosen.into_iter().map(|(one, other)| (entries[one], entries[other])).collect()
}

/// Who knows which orders are legal.
struct Naive<'s> {
    story: Option<&'s Story>,
    scenes: BTreeMap<Vec<u32>, Scene<'s>>,
}

impl Naive<'_> {
    /// Whether the evidence shows its guarantee; none where it is of a kind of which no two entries can be swapped.
    fn is_legal(&mut self, claim: &Claim) -> Option<bool> {
        let guarantee = claim.guarantee.as_str();
        match &claim.evidence {
            Evidence::Orders(all) => {
                let all: Vec<Vec<u32>> = all.iter().map(|order| order.operations.clone()).collect();
                Some(orders::linearizable(self.story?, &all))
            }
            Evidence::CommitOrder(order) => Some(commits::is_legal(self.story?, guarantee, order)),
            Evidence::Arbitrations(all) => {
                let story = self.story?;
                let named: HashSet<u32> = all.iter().flat_map(|order| &order.operations).copied().collect();
                let mut key: Vec<u32> = named.iter().copied().collect();
                key.sort_unstable();
                let scene = self.scenes.entry(key).or_insert_with(|| Scene::new(story, &named));
                Some(scene.is_legal(guarantee, &all.iter().map(order_of).collect::<Vec<_>>()))
            }
            _ => None,
        }
    }
}

fn order_of(writes: &Writes) -> Order {
    let mop = |at: usize| writes.micro_operations.get(at).copied().unwrap_or(0);
    let named = writes.operations.iter().enumerate().map(|(at, position)| (*position, mop(at)));
    Order { writes: named.collect(), shares: writes.shares.clone() }
}

/// What became of the swaps of one history: how many were refused, and how many left something legal; and what should not be.
#[derive(Default)]
struct Tally {
    refused: usize,
    legal: usize,
    wrong: Vec<String>,
}

/// Each claim of a certificate with its evidence, be that written at another one.
fn carried(pass: &Certified) -> Vec<Claim> {
    let claims = &pass.certificate.claims;
    let of = |claim: &Claim| match &claim.evidence {
        Evidence::SameAs(name) => {
            let there = |other: &&Claim| other.guarantee == *name && !matches!(other.evidence, Evidence::SameAs(_));
            claims.iter().find(there).expect("a claim of that name").evidence.clone()
        }
        own => own.clone(),
    };
    claims.iter().map(|claim| Claim { evidence: of(claim), ..claim.clone() }).collect()
}

fn try_all(one: &Shipped) -> Tally {
    let long = one.history.len() > LONG;
    let story = Story::of(&one.history);
    let mut naive = Naive { story: story.as_ref(), scenes: BTreeMap::new() };
    let beside = Beside::new(&one.history);
    let mut tally = Tally::default();
    let claims = one.passes.iter().flat_map(carried);
    for (number, claim) in claims.enumerate() {
        for (a, b) in pairs(&claim.evidence, long, number) {
            let Some(evidence) = swapped(&claim.evidence, a, b) else { continue };
            let changed = Claim { evidence, ..claim.clone() };
            let ruling = beside.rule(one.workload.name(), &changed);
            let refused = matches!(ruling, Ruling::Refused(_));
            let legal = if refused && long { None } else { naive.is_legal(&changed) };
            tally.refused += usize::from(refused);
            tally.legal += usize::from(!refused);
            if refused == (legal == Some(true)) {
                tally.wrong.push(
                    format!(
                        "{}, {}, {a:?} and {b:?}: legal {legal:?}, {ruling:?}: {:?}",
                        one.name, claim.guarantee, changed.evidence
                    )
                    .chars()
                    .take(1500)
                    .collect(),
                );
            }
        }
    }
    tally
}

/// Goal: whatever two entries are swapped, within one list or between two, the certificate is refused; but where the naive judges
/// find it as legal as before.
#[test]
fn two_entries_cannot_be_swapped() {
    let tallies: Vec<Tally> = shipped().par_iter().map(try_all).collect();
    let wrong: Vec<&String> = tallies.iter().flat_map(|tally| &tally.wrong).collect();
    assert!(wrong.is_empty(), "{} {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let (refused, legal) = (sum(|tally| tally.refused), sum(|tally| tally.legal));
    assert!(refused > 2000 && legal > 0, "{refused} {legal}");
}
