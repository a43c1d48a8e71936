//! Messages and their consumers: the smallest histories, recorded ones, and what the vocabulary refuses.

use anachron::check::delivery::messages::{self, CLASSES};
use anachron::guarantee::Anomaly::{self, *};
use anachron::guarantee::Guarantee::{self, AtLeastOnce, AtMostOnce, EffectivelyOnce, OrderedDelivery};
use anachron::verdict::{Certainty, Outcome, Verdict};
use anachron::workload::{Workload, detect};

use crate::litmus;
use crate::recorded::measure;
use crate::support::{certain, confirmed, finding, history, judged, judgement, recorded, verdict};

/// The class that a pair shows, and what it breaks: nothing, where it is a finding of its own.
fn shown(name: &str) -> (Anomaly, Option<Guarantee>) {
    match name {
        "republished" => return (DuplicateEffect, Some(EffectivelyOnce)),
        "ordering-key-inversion" => return (DeliveryInversion, Some(OrderedDelivery)),
        _ => {}
    }
    let class = CLASSES.into_iter().find(|class| class.name() == name).unwrap_or_else(|| panic!("{name}: no class"));
    let broken = match class {
        RedeliveryAfterEffect => Some(AtMostOnce),
        DeliveryInversion => Some(OrderedDelivery),
        ConcurrentProcessing | EarlyAcknowledgement | ProcessedAfterDeadLetter | GhostDelivery => None,
        _ => Some(EffectivelyOnce),
    };
    (class, broken)
}

/// Goal: each class is found in the smallest history that has it, and not in the one beside it; what is a finding of its own
/// breaks nothing.
#[test]
fn litmus() {
    let mut names = Vec::new();
    for (name, text) in litmus::histories("delivery") {
        let history = history(&text);
        assert_eq!(detect(&history), Ok(Workload::Delivery), "{name}");
        let outcome = judged(messages::judge, EffectivelyOnce, &history, "");
        confirmed(&outcome, &name);
        if let Some(pair) = name.strip_suffix("-violated") {
            let (class, broken) = shown(pair);
            let found = finding(&outcome, class, Certainty::Certain);
            let witness = found.and_then(|found| found.witness.as_ref()).unwrap_or_else(|| panic!("{name}"));
            assert!(witness.timeline.as_ref().is_some_and(|moments| !moments.is_empty()), "{name}");
            let guarantee = broken.unwrap_or(EffectivelyOnce);
            let due = if broken.is_some() { Verdict::Violated } else { Verdict::Holds };
            assert_eq!(verdict(&outcome, guarantee), due, "{name}");
            assert!(litmus::exists("delivery", &format!("{pair}-holds.jsonl")), "{pair} has no history that holds");
            names.push(class);
        } else {
            let (class, broken) = shown(name.strip_suffix("-holds").expect("a name"));
            for certainty in [Certainty::Certain, Certainty::Possible] {
                assert!(finding(&outcome, class, certainty).is_none(), "{name}: {:?}", outcome.findings);
            }
            let judgement = judgement(&outcome, broken.unwrap_or(EffectivelyOnce));
            assert_eq!(judgement.verdict, Verdict::Holds, "{name}: {judgement:?}");
        }
    }
    for class in CLASSES {
        assert!(names.contains(&class), "{class} has no history");
    }
}

fn stream(name: &str) -> Option<Outcome> {
    let outcome = judged(messages::judge, EffectivelyOnce, &recorded(&format!("redis-stream-{name}"))?, "");
    confirmed(&outcome, name);
    Some(outcome)
}

/// Goal: real streams without deduplication, and with one that looks first and writes later, double as many messages as
/// was counted when they were recorded.
#[test]
fn streams_take_effect_twice() {
    for (name, messages) in [("no-dedupe", 24), ("check-dedupe", 43)] {
        let Some(outcome) = stream(name) else { return };
        assert_eq!(certain(&outcome, DuplicateEffect), messages, "{name}");
        assert_eq!(measure(&outcome, "messages_with_duplicate_effects"), messages, "{name}");
        let verdicts = [EffectivelyOnce, AtMostOnce, AtLeastOnce].map(|guarantee| verdict(&outcome, guarantee));
        assert_eq!(verdicts, [Verdict::Violated, Verdict::Violated, Verdict::Holds], "{name}");
        let witness = finding(&outcome, DuplicateEffect, Certainty::Certain).and_then(|found| found.witness.as_ref());
        let timeline = witness.and_then(|witness| witness.timeline.as_ref()).expect("a time line");
        assert_eq!(timeline.iter().filter(|moment| moment.lane == "store").count(), 2, "{name}");
    }
}

/// Goal: deduplication in one transaction with the effect is effectively once, in spite of 36 redeliveries; these are not at
/// most once, and consumers that overlap keep no order.
#[test]
fn atomic_deduplication_is_effectively_once() {
    let Some(outcome) = stream("atomic-dedupe") else { return };
    let verdicts = messages::GUARANTEES.map(|guarantee| verdict(&outcome, guarantee));
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Holds, Verdict::Violated, Verdict::Violated]);
    for (name, value) in [("redeliveries", 36), ("deduplicated", 27), ("effects", 300), ("duplicate_effects", 0)] {
        assert_eq!(measure(&outcome, name), value, "{name}");
    }
    assert_eq!(measure(&outcome, "redelivery_factor"), 1.12);
    assert_eq!(measure(&outcome, "dedupe_reject_rate"), 0.080357, "27 of 336");
    assert_eq!(measure(&outcome, "effect_latency_ns")["count"], 300);
}

const LINES: &str = r#"{"type":"ok","process":0,"f":"publish","key":"m","value":{"topic":"t","offset":0}}
{"type":"ok","process":1,"f":"consume","key":"m","value":{"topic":"t","offset":0,"group":"a"}}"#;

fn extended(lines: &[&str]) -> Outcome {
    let text = format!("{LINES}\n{}", lines.join("\n"));
    judged(messages::judge, EffectivelyOnce, &history(&text), "")
}

/// Goal: an `ok` stands for an effect where the group's effects are not recorded, and not where they are; that none is missing,
/// only an audit after it says.
#[test]
fn an_ok_is_an_effect_where_none_are_recorded() {
    const AUDIT: &str = r#"{"type":"info","process":"o","f":"audit","value":{"complete":true}}"#;
    const DRAINED: &str = r#"{"type":"info","process":"o","f":"drained","value":{"topic":"t"}}"#;
    const OTHER: &str = r#"{"type":"info","process":"o","f":"effect","key":"x","value":{"effect":1,"group":"a"}}"#;
    let at_least_once = |lines: &[&str]| verdict(&extended(lines), AtLeastOnce);
    assert_eq!(at_least_once(&[]), Verdict::Holds);
    assert_eq!(at_least_once(&[OTHER]), Verdict::Unknown);
    assert_eq!(at_least_once(&[OTHER, DRAINED]), Verdict::Unknown, "it says nothing of effects");
    assert_eq!(at_least_once(&[OTHER, AUDIT]), Verdict::Unknown, "it may still be waiting");
    assert_eq!(at_least_once(&[OTHER, DRAINED, AUDIT]), Verdict::Violated);
}

/// Goal: a group is owed what comes after the first thing that it was delivered, and not what came before.
#[test]
fn a_group_is_owed_what_comes_after_its_first() {
    let publish = |key: u32| {
        format!(r#"{{"type":"ok","process":0,"f":"publish","key":{key},"value":{{"topic":"t","offset":{key}}}}}"#)
    };
    let consume = r#"{"type":"ok","process":1,"f":"consume","key":1,"value":{"topic":"t","group":"late"}}"#;
    let drained = r#"{"type":"info","process":"o","f":"drained","value":{}}"#;
    let outcome = |keys: &[u32]| {
        let mut lines: Vec<String> = keys.iter().map(|key| publish(*key)).collect();
        lines.extend([consume.to_owned(), drained.to_owned()]);
        judged(messages::judge, AtLeastOnce, &history(&lines.join("\n")), "")
    };
    assert_eq!(verdict(&outcome(&[0, 1]), AtLeastOnce), Verdict::Holds);
    let lost = outcome(&[0, 1, 2]);
    assert_eq!((verdict(&lost, AtLeastOnce), certain(&lost, LostMessage)), (Verdict::Violated, 1));
    confirmed(&lost, "owed");
}

/// Goal: what can't be read is refused with its record and a way out, and a policy that can't be with its name.
#[test]
fn what_can_not_be_read_is_refused() {
    use anachron::budget::Budget;
    use anachron::check::Settings;
    for (line, message, help) in [
        (r#"{"type":"ok","process":1,"f":"nack","key":"m"}"#, "no part of the delivery", "`publish` and `consume`"),
        (r#"{"type":"ok","process":1,"f":"consume","value":{"group":"a"}}"#, "names no message", "`key`"),
        (r#"{"type":"ok","process":1,"f":"consume","key":"m","value":{"offset":"7"}}"#, "`offset` is", "integer"),
        (
            r#"{"type":"info","process":"o","f":"effect","key":"m","value":{"group":"a"}}"#,
            "no identity",
            "which effect",
        ),
    ] {
        let history = history(&format!("{LINES}\n{line}"));
        let settings = Settings { requirements: &[], budget: &Budget::default() };
        let error = messages::judge(&history, &settings).expect_err(line);
        assert_eq!(error.position, Some(2), "{line}");
        assert!(error.message.contains(message) && error.help.contains(help), "{line}: {error:?}");
    }
    let text = format!("{{\"history\":{{\"workload\":\"delivery\",\"policy\":{{\"windows\":\"5m\"}}}}}}\n{LINES}");
    let settings = Settings { requirements: &[], budget: &Budget::default() };
    let error = messages::judge(&history(&text), &settings).expect_err("no such term");
    assert!(error.help.contains("did you mean `window`?"), "{error:?}");
}
