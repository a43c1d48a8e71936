//! Orders of commits as certificates: none at all is accepted for what is violated, and what is tampered with only where it is an
//! order of its own.

use anachron::budget::Budget;
use anachron::certificate::{Certificate, Claim, Evidence, Ruling, rule};
use anachron::check::{Settings, certify};
use anachron::contract::Requirement;
use anachron::guarantee::{Family, Guarantee as G};
use anachron::history::{History, OpId, Status};
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::brute::Brute;
use super::cases::judged;
use super::mini::history;
use super::property::{Dice, STORES, simulate};

fn transactions() -> Vec<G> {
    G::ALL.iter().copied().filter(|one| one.families().contains(&Family::Transactions)).collect()
}

/// The certificate of these guarantees, which all hold.
fn certified(history: &History, guarantees: &[G]) -> Certificate {
    let budget = Budget::default();
    let requirements: Vec<Requirement> = guarantees.iter().copied().map(Requirement::new).collect();
    let settings = Settings { requirements: &requirements, budget: &budget };
    certify(history, Workload::ListAppend, &judged(history).judgements, &settings).expect("list-append")
}

fn holding(history: &History, verdict: Verdict) -> Vec<G> {
    let outcome = judged(history);
    let such =
        |guarantee: &G| outcome.judgements.iter().any(|one| one.guarantee == *guarantee && one.verdict == verdict);
    transactions().into_iter().filter(such).collect()
}

/// Goal: for a guarantee that does not hold, no order is accepted: each order of some of the transactions is tried.
#[test]
fn no_order_proves_what_is_violated() {
    let mut dice = Dice(0xBAD);
    let mut refused = 0u64;
    for store in STORES {
        for _ in 0..25 {
            let text = simulate(store, &mut dice);
            let history = history(&text);
            if history.len() > 5 {
                continue;
            }
            let broken = holding(&history, Verdict::Violated);
            let all: Vec<u32> =
                history.ops().filter(|op| op.status() != Status::Fail).map(|op| op.position()).collect();
            for order in arrangements(&all) {
                for guarantee in &broken {
                    let ruling = ruled(&history, *guarantee, &order);
                    assert!(!matches!(ruling, Ruling::Proved(_)), "{guarantee} of {text} by {order:?}: {ruling:?}");
                    refused += u64::from(matches!(ruling, Ruling::Refused(_)));
                }
            }
        }
    }
    assert!(refused > 10_000, "{refused}");
}

fn ruled(history: &History, guarantee: G, order: &[u32]) -> Ruling {
    let evidence = Evidence::CommitOrder(order.to_vec());
    rule(history, "list-append", &Claim { guarantee: guarantee.name().to_owned(), evidence, left_out: Vec::new() })
}

/// Each order of each part of these.
fn arrangements(all: &[u32]) -> Vec<Vec<u32>> {
    let mut found: Vec<Vec<u32>> = vec![Vec::new()];
    let mut from = 0;
    while from < found.len() {
        let next: Vec<Vec<u32>> = all
            .iter()
            .filter(|one| !found[from].contains(one))
            .map(|one| [&found[from][..], &[*one]].concat())
            .collect();
        found.extend(next);
        from += 1;
    }
    found
}

/// Goal: any two entries swapped, one left out, one twice: it is refused, or what is left is a serial order by itself.
#[test]
fn tampered_orders_are_refused() {
    let mut dice = Dice(0x7A3B);
    let (mut refused, mut legal) = (0, 0);
    for store in [STORES[0], STORES[1]] {
        for _ in 0..60 {
            let text = simulate(store, &mut dice);
            let history = history(&text);
            let brute = Brute::new(&history);
            if brute.is_vacuous() || !brute.holds(G::Serializable) {
                continue;
            }
            let certificate = certified(&history, &[G::Serializable]);
            let Evidence::CommitOrder(order) = &certificate.claims[0].evidence else {
                panic!("{text}: {certificate:?}")
            };
            let mut tampered = Vec::new();
            for at in 0..order.len() {
                let mut one = order.clone();
                one.remove(at);
                tampered.push(one);
                tampered.push([&order[..], &[order[at]]].concat());
                for other in 0..at {
                    let mut one = order.clone();
                    one.swap(at, other);
                    tampered.push(one);
                }
            }
            for one in tampered {
                let is_proved = matches!(ruled(&history, G::Serializable, &one), Ruling::Proved(_));
                assert_eq!(is_proved, replays(&history, &one), "{text} by {one:?}");
                if is_proved { legal += 1 } else { refused += 1 }
            }
        }
    }
    assert!(refused > 300 && legal > 20, "{refused} refused, {legal} legal");
}

/// Whether this is a serial order that gives every list: lists as they are written down, one step after the other.
fn replays(history: &History, order: &[u32]) -> bool {
    let values = history.values();
    let ops: Vec<_> = order
        .iter()
        .filter_map(|position| history.ops().find(|op| op.position() == *position).map(|op| op.id))
        .collect();
    let mut had: Vec<OpId> = ops.clone();
    had.sort_unstable_by_key(|id| id.0);
    had.dedup();
    if had.len() != order.len() || history.ops().any(|op| op.status() == Status::Ok && !had.contains(&op.id)) {
        return false;
    }
    let mut lists: Vec<(anachron::history::Value, Vec<u32>)> = Vec::new();
    for id in ops {
        let op = history.op(id);
        for mop in op.mops() {
            let at = lists.iter().position(|(key, _)| *key == mop.key).unwrap_or_else(|| {
                lists.push((mop.key, Vec::new()));
                lists.len() - 1
            });
            let shown = || values.items(mop.value).iter().map(|one| one.raw()).collect::<Vec<u32>>();
            if values.as_str(mop.f) == Some("append") {
                lists[at].1.push(mop.value.raw());
            } else if op.status() == Status::Ok && shown() != lists[at].1 {
                return false;
            }
        }
    }
    true
}
