//! What the tests share: reading histories, and asking for a judgement.

use std::path::PathBuf;

use anachron::budget::Budget;
use anachron::check::Settings;
use anachron::contract::Requirement;
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Certainty, Finding, Judgement, Outcome, Verdict};
use anachron::witness::claim::{Claim, Places};
use anachron::witness::recheck;
use anachron::workload::WorkloadError;
use serde_json::Value as Json;

/// A check of this family.
pub(crate) type Judge = fn(&History, &Settings<'_>) -> Result<Outcome, WorkloadError>;

/// A history written as JSON Lines.
pub(crate) fn history(text: &str) -> History {
    let source = Source::Bytes { name: "test".into(), bytes: text.as_bytes().to_vec() };
    read(source, &Options::default()).unwrap_or_else(|error| panic!("{error:?} in\n{text}"))
}

/// A history of the corpus, where that is there.
#[expect(clippy::print_stdout, reason = "a test that was skipped has to say so")]
pub(crate) fn recorded(name: &str) -> Option<History> {
    let Some(corpus) = std::env::var_os("ANACHRON_CORPUS") else {
        println!("skipped: ANACHRON_CORPUS is not set");
        return None;
    };
    let path = PathBuf::from(corpus).join("recorded").join(format!("{name}.jsonl.gz"));
    Some(read(Source::File(path), &Options::default()).unwrap_or_else(|error| panic!("{name}: {error:?}")))
}

/// Judges with these parameters, `name=value` between commas.
pub(crate) fn judged(judge: Judge, guarantee: Guarantee, history: &History, parameters: &str) -> Outcome {
    let pairs = parameters.split(',').filter(|pair| !pair.is_empty());
    let parameters = pairs
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).expect("name=value"))
        .collect();
    let requirements = [Requirement { guarantee, parameters, use_case: None }];
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    judge(history, &settings).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The judgement of one guarantee.
pub(crate) fn judgement(outcome: &Outcome, guarantee: Guarantee) -> &Judgement {
    outcome.judgements.iter().find(|judgement| judgement.guarantee == guarantee).expect("a judgement")
}

/// The verdict on one guarantee.
pub(crate) fn verdict(outcome: &Outcome, guarantee: Guarantee) -> Verdict {
    judgement(outcome, guarantee).verdict
}

/// What was found of a class.
pub(crate) fn finding(outcome: &Outcome, anomaly: Anomaly, certainty: Certainty) -> Option<&Finding> {
    outcome.findings.iter().find(|finding| finding.anomaly == anomaly && finding.certainty == certainty)
}

/// How often a class certainly occurs.
pub(crate) fn certain(outcome: &Outcome, anomaly: Anomaly) -> u64 {
    finding(outcome, anomaly, Certainty::Certain).map_or(0, |finding| finding.count)
}

/// Every finding was confirmed from the history alone.
pub(crate) fn confirmed(outcome: &Outcome, what: &str) {
    for finding in &outcome.findings {
        let witness = finding.witness.as_ref().expect("a witness");
        assert!(
            witness.rechecked,
            "{what}: {} {:?} is not confirmed: {witness:#?}",
            finding.anomaly, finding.certainty
        );
        assert_eq!(witness.operations.len(), witness.names.len(), "{what}");
        assert!(!witness.text.is_empty(), "{what}");
    }
}

/// All reasons that a claim can give.
pub(crate) const REASONS: [&str; 44] = [
    "keys",
    "numbers",
    "race",
    "later",
    "same",
    "unclear",
    "differ",
    "executed-again",
    "unnamed",
    "other-resource",
    "scope-resource",
    "refused-as-mismatch",
    "refused-as-conflict",
    "waits",
    "settled",
    "idle",
    "expired",
    "two-answers",
    "registered",
    "undrained",
    "unplaced",
    "undelivered",
    "rejected",
    "deduplicated",
    "acknowledged",
    "crashed",
    "unrecorded",
    "before",
    "failed",
    "nobody",
    "no-effect",
    "no-delivery",
    "unanswered",
    "aborted",
    "undo-unknown",
    "step-unknown",
    "unnamed-compensation",
    "later-step",
    "completed",
    "two-ends",
    "undone",
    "unseen",
    "authority",
    "other-system",
];

/// Every finding is confirmed for the reason that it gives, and for no other: the sentence depends on it. Of a history in a few
/// lines, some others are tried, and of one with a name all.
pub(crate) fn reasoned(history: &History, outcome: &Outcome, what: &str) {
    confirmed(outcome, what);
    let places = Places::of(history);
    for finding in &outcome.findings {
        let (anomaly, certain) = (finding.anomaly, finding.certainty == Certainty::Certain);
        let claimed = finding.witness.as_ref().and_then(|witness| witness.claim.clone()).expect("a claim");
        let confirms = |claimed: &Json| {
            let claim = Claim::from_json(claimed, history, &places).expect("a claim");
            recheck::confirm(history, &[(anomaly, certain, &claim)]) == [true]
        };
        assert!(confirms(&claimed), "{what}: {anomaly} {certain}: {claimed}");
        let given = claimed["account"].get("why").cloned().unwrap_or(Json::Null);
        if given == "authority" || given == "other-system" {
            // One repair can do both.
            continue;
        }
        let all = REASONS.into_iter().map(Json::from).chain([Json::Null]);
        let every = if what.contains('\n') { 11 } else { 1 };
        for other in all.skip(what.len() % every).step_by(every).filter(|other| *other != given) {
            let mut claimed = claimed.clone();
            claimed["account"]["why"] = other;
            assert!(!confirms(&claimed), "{what}: {anomaly} {certain}, as {claimed}");
        }
    }
}
