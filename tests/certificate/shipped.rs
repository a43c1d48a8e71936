//! The shipped histories: whatever is judged to hold of them has a certificate that is accepted.

use std::path::Path;

use anachron::certificate::{Ruling, verify_certificate};
use anachron::check::{Settings, certify, judge};
use anachron::contract::Requirement;
use anachron::guarantee::{Family, Guarantee};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::Verdict;
use anachron::workload::{Workload, detect};

use anachron::budget::Budget;

/// Guarantees of histories of one vocabulary that have certificates. Each family has its rows here.
const CERTIFIED: &[(Workload, &[Guarantee])] = &[
    (Workload::Register, &[Guarantee::Linearizable]),
    (Workload::Kv, &[Guarantee::Linearizable]),
    (Workload::Idempotency, &[Guarantee::Idempotent]),
    (
        Workload::Delivery,
        &[Guarantee::AtLeastOnce, Guarantee::AtMostOnce, Guarantee::EffectivelyOnce, Guarantee::OrderedDelivery],
    ),
    (Workload::Outbox, &[Guarantee::Outbox]),
    (Workload::Saga, &[Guarantee::Saga]),
    (Workload::Reconciliation, &[Guarantee::Reconciled]),
    (Workload::ListAppend, SESSIONS),
    (Workload::Register, SESSIONS),
    (Workload::Register, &[Guarantee::Causal, Guarantee::SessionGlobal, Guarantee::ConsistentPrefix]),
    (Workload::Register, &[Guarantee::BoundedStaleness, Guarantee::Eventual, Guarantee::StrongEventual]),
    (Workload::ListAppend, &[Guarantee::BoundedStaleness, Guarantee::Eventual, Guarantee::StrongEventual]),
];

/// Of single reads and writes; of transactions, `causal` asks for more.
const SESSIONS: &[Guarantee] = &[
    Guarantee::ReadYourWrites,
    Guarantee::MonotonicReads,
    Guarantee::MonotonicWrites,
    Guarantee::WritesFollowReads,
    Guarantee::Session,
    Guarantee::ReadYourWritesGlobal,
    Guarantee::MonotonicReadsGlobal,
    Guarantee::MonotonicWritesGlobal,
    Guarantee::WritesFollowReadsGlobal,
    Guarantee::MonotonicWritesNode,
    Guarantee::WritesFollowReadsNode,
    Guarantee::Pram,
    Guarantee::CausalMemory,
    Guarantee::WeakCausal,
];

/// Every history under `histories/` that can be read as it is.
fn histories() -> Vec<(String, History)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("histories")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(history) = read(Source::File(path.clone()), &Options::default()) {
                found.push((path.display().to_string(), history));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Goal: of each shipped history, each guarantee of the table that holds has a certificate, and it is proved.
#[test]
fn what_holds_of_shipped_histories_is_proved() {
    let budget = Budget::default();
    let mut proved = 0;
    for (name, history) in histories() {
        let Ok(workload) = detect(&history) else { continue };
        let mut table: Vec<Guarantee> =
            CERTIFIED.iter().filter(|row| row.0 == workload).flat_map(|row| row.1).copied().collect();
        if workload == Workload::ListAppend {
            table.extend(Family::Transactions.members());
        }
        let requirements: Vec<Requirement> = table.iter().copied().map(Requirement::new).collect();
        let settings = Settings { requirements: &requirements, budget: &budget };
        let Ok(outcome) = judge(&history, workload, &settings) else { continue };
        let certificate = certify(&history, workload, &outcome.judgements, &settings).expect("certified");
        let holds = |guarantee: &Guarantee| {
            outcome.judgements.iter().any(|one| one.guarantee == *guarantee && one.verdict == Verdict::Holds)
        };
        let lines = verify_certificate(&history, &certificate);
        for guarantee in table.iter().filter(|guarantee| holds(guarantee)) {
            let at = certificate.claims.iter().position(|claim| claim.guarantee == guarantee.name());
            let at = at.unwrap_or_else(|| panic!("{name}: {guarantee} holds and is not claimed"));
            match &lines[at].ruling {
                Ruling::Proved(_) => proved += 1,
                other => panic!("{name}: {guarantee}: {other:?}"),
            }
        }
    }
    assert!(proved > 100, "{proved}");
}
