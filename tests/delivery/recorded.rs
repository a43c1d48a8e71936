//! Histories that were recorded from real servers, with and without the safeguard that their name says.

use anachron::check::delivery::idempotency;
use anachron::guarantee::Anomaly::*;
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::verdict::{Certainty, Outcome, Verdict};

use crate::support::{certain, confirmed, finding, judged, recorded, verdict};

fn payments(name: &str) -> Option<Outcome> {
    let history = recorded(name)?;
    let outcome = judged(idempotency::judge, Guarantee::Idempotent, &history, "mismatch=422,in-flight=409");
    confirmed(&outcome, name);
    Some(outcome)
}

/// The classes that were certainly found, with their counts.
pub(crate) fn classes(outcome: &Outcome) -> Vec<(Anomaly, u64)> {
    let found = outcome.findings.iter().filter(|finding| finding.certainty == Certainty::Certain);
    found.map(|finding| (finding.anomaly, finding.count)).collect()
}

pub(crate) fn measure(outcome: &Outcome, name: &str) -> serde_json::Value {
    outcome.measures["delivery"][name].clone()
}

/// Goal: charges without a key, and a key that is looked up before it is written, take effect twice as often as was counted
/// when they were recorded, and a time line shows one.
#[test]
fn unsafe_payments_take_effect_twice() {
    for (name, intents) in [("payments-no-key", 160), ("payments-check-then-insert", 101)] {
        let Some(outcome) = payments(name) else { return };
        assert_eq!(verdict(&outcome, Guarantee::Idempotent), Verdict::Violated, "{name}");
        assert_eq!(certain(&outcome, DuplicateEffect), intents, "{name}");
        assert_eq!(measure(&outcome, "intents_with_duplicate_effects"), intents, "{name}");
        let witness = finding(&outcome, DuplicateEffect, Certainty::Certain).and_then(|f| f.witness.as_ref());
        let lanes: Vec<&str> = witness
            .and_then(|witness| witness.timeline.as_ref())
            .map(|moments| moments.iter().map(|moment| moment.lane.as_str()).collect())
            .unwrap_or_default();
        assert_eq!(lanes.iter().filter(|lane| **lane == "store").count(), 2, "{name}: {lanes:?}");
        assert!(lanes.contains(&"client"), "{name}: {lanes:?}");
    }
}

/// Goal: a unique constraint keeps the promise, with its conflicts and refusals counted.
#[test]
fn a_unique_key_is_idempotent() {
    let Some(outcome) = payments("payments-unique") else { return };
    assert_eq!(verdict(&outcome, Guarantee::Idempotent), Verdict::Holds);
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
    assert_eq!(measure(&outcome, "conflict_rate"), 0.018627, "19 of 1020");
    assert_eq!(measure(&outcome, "dedupe_reject_rate"), 0.003922, "4 of 1020");
}

/// Goal: of 14 keys that came with two payloads, the four that positions and answers prove are certain; the four more
/// where only the service's own word tells are possible.
#[test]
fn accepted_mismatches_are_found() {
    let Some(outcome) = payments("payments-accepts-mismatch") else { return };
    assert_eq!(verdict(&outcome, Guarantee::Idempotent), Verdict::Violated);
    assert_eq!(classes(&outcome), [(PayloadMismatchAccepted, 4)]);
    let possible = finding(&outcome, PayloadMismatchAccepted, Certainty::Possible);
    assert_eq!(possible.map(|finding| finding.count), Some(4));
}

/// Goal: a flag without the answer: five keys got two answers, and 167 answers name nothing.
#[test]
fn a_flag_is_no_replay() {
    let Some(outcome) = payments("payments-flag-only") else { return };
    assert_eq!(verdict(&outcome, Guarantee::Idempotent), Verdict::Violated);
    assert_eq!(classes(&outcome), [(DivergentReplay, 5), (ReplayMismatch, 167)]);
}
