//! Certificates of the levels: what holds has an order of commits that is accepted, and none is accepted for what is violated.

use anachron::budget::Budget;
use anachron::certificate::{Certificate, Claim, Evidence, Ruling, SCHEMA, digest, verify_certificate};
use anachron::check::{Settings, certify};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::History;
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::cases::judged;
use super::mini::history;
use super::property::{Dice, JUDGED, STORES, simulate};

fn ruling(history: &History, guarantee: Guarantee, order: &[u32]) -> Ruling {
    let claim = Claim {
        guarantee: guarantee.name().to_owned(),
        evidence: Evidence::CommitOrder(order.to_vec()),
        left_out: Vec::new(),
    };
    let certificate = Certificate {
        schema: SCHEMA.to_owned(),
        history: digest(history),
        outline: None,
        reading: None,
        workload: Workload::ListAppend.name().to_owned(),
        claims: vec![claim],
    };
    verify_certificate(history, &certificate).remove(0).ruling
}

/// Goal: of random histories of stores of every strength, each level that holds has an accepted certificate; and whatever order
/// is given, with entries swapped, dropped or doubled, none is accepted for a level that is violated.
#[test]
fn what_holds_is_certified_and_nothing_else() {
    let requirements = JUDGED.map(Requirement::new);
    let budget = Budget::default();
    let settings = Settings { requirements: &requirements, budget: &budget };
    let (mut proved, mut forged, mut refused) = (0, 0, 0);
    for store in STORES {
        let mut dice = Dice(0xCE27 ^ (store as u64) << 32);
        for _ in 0..60 {
            let text = simulate(store, &mut dice);
            let history = history(&text);
            let outcome = judged(&history);
            let verdict = |guarantee: Guarantee| {
                outcome.judgements.iter().find(|one| one.guarantee == guarantee).map(|one| one.verdict)
            };
            let certificate =
                certify(&history, Workload::ListAppend, &outcome.judgements, &settings).expect("certified");
            for (line, claim) in verify_certificate(&history, &certificate).iter().zip(&certificate.claims) {
                let accepted = matches!(line.ruling, Ruling::Proved(_));
                assert!(accepted, "{}: {:?}\n{text}\n{claim:?}", claim.guarantee, line.ruling);
                proved += 1;
            }
            let mut order: Vec<u32> = match certificate.claims.last().map(|claim| &claim.evidence) {
                Some(Evidence::CommitOrder(order)) => order.clone(),
                _ => history.ops().map(|op| op.position()).collect(),
            };
            for _ in 0..6 {
                if order.is_empty() {
                    break;
                }
                let (a, b) = (dice.roll(order.len()), dice.roll(order.len()));
                match dice.roll(6) {
                    0 => drop(order.remove(a)),
                    1 => order.insert(a, order[b]),
                    _ => order.swap(a, b),
                }
                for guarantee in JUDGED {
                    match (ruling(&history, guarantee, &order), verdict(guarantee)) {
                        (Ruling::Proved(_), Some(Verdict::Violated)) => {
                            panic!("{guarantee} is violated, and yet {order:?} is accepted: {text}")
                        }
                        (Ruling::Proved(_), _) => forged += 1,
                        _ => refused += 1,
                    }
                }
            }
        }
    }
    assert!(proved > 1000 && forged > 100 && refused > 1000, "{proved} {forged} {refused}");
}
