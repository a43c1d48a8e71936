//! Claims that nobody made, of random histories: what `verify` would believe has to be what the check finds.

use std::collections::{BTreeMap, BTreeSet};

use anachron::check::delivery::{idempotency, messages, outbox, reconciliation, saga};
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::verdict::Certainty;
use anachron::witness::claim::{Claim, Places};
use anachron::witness::recheck;
use serde_json::{Value as Json, json};

use crate::random::Random;
use crate::support::{Judge, REASONS, history, judged};
use crate::{naive, naive_messages, service};

/// How many claims are tried of each history.
const TRIES: u64 = 60;

struct Forger {
    check: Judge,
    guarantee: Guarantee,
    classes: &'static [Anomaly],
    /// The rule of a claim, by the header.
    rule: fn(&Json) -> Json,
    /// How often a claim was believed.
    believed: BTreeMap<(Anomaly, bool), u64>,
    /// And the first of each class that should not have been.
    faults: BTreeMap<(Anomaly, bool), String>,
}

/// All scalars below a value.
fn scalars(json: &Json, all: &mut BTreeSet<String>) {
    match json {
        Json::Object(fields) => fields.values().for_each(|it| scalars(it, all)),
        Json::Array(items) => items.iter().for_each(|it| scalars(it, all)),
        it => _ = all.insert(it.to_string()),
    }
}

impl Forger {
    fn new(check: Judge, guarantee: Guarantee, classes: &'static [Anomaly], rule: fn(&Json) -> Json) -> Forger {
        Forger { check, guarantee, classes, rule, believed: BTreeMap::new(), faults: BTreeMap::new() }
    }

    fn forge(&mut self, text: &str, random: &mut Random) {
        let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let header = lines.first().map(|line| line["history"].clone()).unwrap_or_default();
        let history = history(text);
        let outcome = judged(self.check, self.guarantee, &history, "");
        let mut subjects = BTreeSet::new();
        lines.iter().for_each(|line| {
            scalars(&line["key"], &mut subjects);
            scalars(&line["value"], &mut subjects);
        });
        let subjects: Vec<Json> = subjects.iter().map(|text| serde_json::from_str(text).expect("a scalar")).collect();
        let acts = history.ops().map(|op| op.position());
        let positions: Vec<u32> = acts.chain(history.observations().iter().map(|seen| seen.position)).collect();
        let places = Places::of(&history);
        if positions.is_empty() || subjects.is_empty() {
            return;
        }
        let some = |random: &mut Random| {
            subjects[usize::try_from(random.below(subjects.len() as u64)).expect("small")].clone()
        };
        let given: Vec<&Json> =
            outcome.findings.iter().filter_map(|one| one.witness.as_ref()?.claim.as_ref()).collect();
        for _ in 0..TRIES {
            // That duplicates are forbidden is a policy's word, which `verify` looks at beside the claim.
            let anomaly = random.of(self.classes);
            if anomaly == Anomaly::DuplicatePublish {
                continue;
            }
            let certain = random.chance(50);
            // From nothing, or from a claim that is true of something.
            let mut claimed = match given.len() {
                0 => json!({"account": {"rule": (self.rule)(&header), "records": []}, "value": some(random)}),
                all => given[usize::try_from(random.below(all as u64)).expect("small")].clone(),
            };
            if random.chance(60) {
                let count = 1 + random.below(3);
                let some: BTreeSet<u32> = (0..count).map(|_| random.of(&positions)).collect();
                claimed["account"]["records"] = json!(some);
            }
            if self.guarantee == Guarantee::Idempotent {
                claimed["value"] = Json::Null;
            } else if random.chance(50) {
                claimed["value"] = some(random);
            }
            match random.below(3) {
                0 => claimed["account"]["why"] = Json::Null,
                1 => claimed["account"]["why"] = random.of(&REASONS).into(),
                _ => {}
            }
            let Ok(claim) = Claim::from_json(&claimed, &history, &places) else { continue };
            if recheck::confirm(&history, &[(anomaly, certain, &claim)]) == [true] {
                // What is certain may be called possible, by who leaves out what decides it; not the other way round.
                let fits = |certainty: Certainty| !certain || certainty == Certainty::Certain;
                let found = outcome.findings.iter().any(|one| one.anomaly == anomaly && fits(one.certainty));
                if !found {
                    let fault = format!("{anomaly}, certain: {certain}, is believed: {claimed}\n{text}");
                    self.faults.entry((anomaly, certain)).or_insert(fault);
                }
                *self.believed.entry((anomaly, certain)).or_default() += 1;
            }
        }
    }
}

impl Forger {
    /// Nothing was believed that should not have been, and enough that should.
    fn judge(&self, least: usize) {
        let faults: Vec<&str> = self.faults.values().map(String::as_str).collect();
        assert!(faults.is_empty(), "{} classes:\n{}", faults.len(), faults.join("\n\n"));
        assert!(self.believed.len() > least, "{:?}", self.believed);
    }
}

fn rounds(usual: u64) -> u64 {
    std::env::var("ANACHRON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// Goal: no claim about an outbox is believed of which nothing is found.
#[test]
fn outboxes() {
    let mut forger = Forger::new(outbox::judge, Guarantee::Outbox, &outbox::CLASSES, |_| json!("outbox"));
    let mut random = Random::new(41);
    for _ in 0..rounds(150) {
        let (text, ..) = crate::outbox::random(&mut random);
        forger.forge(&text, &mut random);
    }
    forger.judge(5);
}

/// Goal: nor about a saga.
#[test]
fn sagas() {
    let mut forger = Forger::new(saga::judge, Guarantee::Saga, &saga::CLASSES, |_| json!("saga"));
    let mut random = Random::new(42);
    for _ in 0..rounds(150) {
        let (text, ..) = crate::saga::random(&mut random);
        forger.forge(&text, &mut random);
    }
    forger.judge(5);
}

/// Goal: nor about a message.
#[test]
fn deliveries() {
    let rule = |header: &Json| {
        let (window, most) = (&header["policy"]["window"], &header["policy"]["max-attempts"]);
        json!({"delivery": {"window_ns": window, "max_attempts": most}})
    };
    let mut forger = Forger::new(messages::judge, Guarantee::EffectivelyOnce, &messages::CLASSES, rule);
    let mut random = Random::new(43);
    for _ in 0..rounds(150) {
        let text = naive_messages::random(&mut random).text();
        forger.forge(&text, &mut random);
    }
    forger.judge(5);
}

/// Goal: nor about systems that should agree.
#[test]
fn reconciliations() {
    let rule = |header: &Json| json!({"reconciliation": {"authority": header["policy"]["authority"]}});
    let mut forger = Forger::new(reconciliation::judge, Guarantee::Reconciled, &reconciliation::CLASSES, rule);
    let mut random = Random::new(44);
    for _ in 0..rounds(150) {
        let text = crate::reconciliation::random(&mut random).lines.join("\n");
        forger.forge(&text, &mut random);
    }
    forger.judge(5);
}

/// Goal: nor about idempotency keys, with a `ttl` and without one.
#[test]
fn keys() {
    let mut forger = Forger::new(idempotency::judge, Guarantee::Idempotent, &idempotency::CLASSES, |header| {
        let text = format!("{}\n{}", json!({"history": header}), r#"{"type":"ok","process":0,"f":"request"}"#);
        let policy = idempotency::Policy::of(&history(&text), &[]).expect("a policy");
        json!({"idempotency": policy.terms()})
    });
    let mut random = Random::new(45);
    for round in 0..rounds(150) {
        let text = if round % 3 == 0 {
            service::any(&mut random)
        } else {
            let (header, records) = naive::random_history(&mut random);
            let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
            format!("{}\n{}", json!({"history": header}), lines.join("\n"))
        };
        forger.forge(&text, &mut random);
    }
    forger.judge(10);
}
