//! Goal: sets and counters are judged as their definitions say, in every family, and every witness is confirmed.

mod corpus;
mod counters;
mod kv;
mod random;
mod sets;

use anachron::budget::Budget;
use anachron::check::Settings;
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Outcome, Verdict};
use anachron::workload::Workload;

fn parse(lines: &str) -> History {
    read(Source::Bytes { name: "test".to_owned(), bytes: lines.into() }, &Options::default()).expect("a history")
}

fn judged(history: &History, workload: Workload, require: &str) -> Outcome {
    let requirements: Vec<Requirement> =
        require.split_whitespace().map(|text| text.parse().expect("a requirement")).collect();
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    anachron::check::judge(history, workload, &settings).expect("of this vocabulary")
}

fn verdict(outcome: &Outcome, guarantee: Guarantee) -> (Verdict, String) {
    let judgement = outcome.judgements.iter().find(|one| one.guarantee == guarantee).expect("a judgement");
    (judgement.verdict, judgement.reason.clone().unwrap_or_default())
}

/// How many rounds a property test runs.
fn rounds(usual: u64) -> u64 {
    std::env::var("ANACHRON_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn assert_rechecked(outcome: &Outcome, about: &str) {
    for finding in &outcome.findings {
        let witness = finding.witness.as_ref().expect("a witness");
        assert!(witness.rechecked, "{} {}\n{about}", finding.anomaly, witness.text);
    }
}
