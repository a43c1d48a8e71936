//! Sessions: against brute force by the definitions, against other people's histories, and in words.

mod at_servers;
mod brute;
mod certificates;
mod corpus;
mod property;
mod random;
mod repeated;
mod revisions;
mod servers;
mod smallest;
mod words;

use anachron::budget::Budget;
use anachron::check::{Settings, judge};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Judgement, Outcome, Verdict};
use anachron::workload::Workload;

fn history(lines: &str) -> History {
    read(Source::Bytes { name: "test".to_owned(), bytes: lines.into() }, &Options::default()).expect("a history")
}

/// Everything, with PRAM, causal memory and prefixes.
fn judged(history: &History, workload: Workload) -> Outcome {
    let requirements = [Guarantee::Pram, Guarantee::CausalMemory, Guarantee::ConsistentPrefix].map(Requirement::new);
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    judge(history, workload, &settings).expect("of this vocabulary")
}

fn of(outcome: &Outcome, guarantee: Guarantee) -> &Judgement {
    outcome.judgements.iter().find(|one| one.guarantee == guarantee).expect("every guarantee of sessions is judged")
}

fn verdict(outcome: &Outcome, guarantee: Guarantee) -> Verdict {
    of(outcome, guarantee).verdict
}
