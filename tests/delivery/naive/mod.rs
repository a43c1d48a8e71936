//! The definitions of idempotency read naively: every attempt against every other, straight from the records.
//!
//! Without a `ttl`, so that a key lives once; effects say their scope, and those without a key their intent.

mod answers;
mod effects;
mod random;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};

use anachron::check::delivery::idempotency::{self, CLASSES};
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::verdict::{Certainty, Verdict};
use serde_json::{Value, json};

use crate::random::Random;
use crate::support::{finding, history, judged, reasoned, verdict};

pub(crate) use random::random_history;

#[derive(Debug)]
struct Asked {
    group: String,
    keyed: bool,
    key: Value,
    scope: Value,
    intent: Value,
    content: Option<String>,
    began: usize,
    ended: usize,
    kind: String,
    code: u64,
    replayed: bool,
    resource: Value,
    response: Value,
    time: i64,
}

impl Asked {
    fn claims(&self) -> bool {
        self.kind == "ok" && (200..300).contains(&self.code)
    }
    fn live(&self) -> bool {
        self.kind != "fail"
    }
    /// Whether both say what they asked for, and it is not the same.
    fn differs(&self, other: &Asked) -> bool {
        self.content.is_some() && other.content.is_some() && self.content != other.content
    }
}

struct Done {
    group: String,
    position: usize,
    id: Value,
    resource: Value,
    kind: Value,
}

struct Naive {
    asked: Vec<Asked>,
    done: Vec<Done>,
    audit: Option<usize>,
    audit_time: i64,
    policy: Value,
    synchronous: bool,
}

const NEVER: usize = usize::MAX;

fn group(key: &Value, scope: &Value, intent: &Value, position: usize) -> String {
    match (key.is_null(), intent.is_null()) {
        (false, _) => format!("key {scope} {key}"),
        (true, false) => format!("intent {intent}"),
        (true, true) => format!("alone {position}"),
    }
}

fn content(value: &Value) -> Option<String> {
    let number = |value: &Value| value.as_f64().map_or_else(|| value.to_string(), |float| format!("{float:.3}"));
    value["payload"].as_object().map(|payload| number(&payload["amount"]))
}

impl Naive {
    fn read(header: &Value, records: &[Value]) -> Naive {
        let mut naive = Naive {
            asked: Vec::new(),
            done: Vec::new(),
            audit: None,
            audit_time: 0,
            policy: header["policy"].clone(),
            synchronous: header["observers"] == "synchronous",
        };
        let mut open: BTreeMap<String, usize> = BTreeMap::new();
        for (position, record) in records.iter().enumerate() {
            let (value, process) = (&record["value"], record["process"].to_string());
            match (record["f"].as_str(), record["type"].as_str()) {
                (Some("request"), Some("invoke")) => {
                    open.insert(process, naive.asked.len());
                    let (key, scope, intent) = (&record["key"], &value["scope"], &value["intent"]);
                    naive.asked.push(Asked {
                        group: group(key, scope, intent, position),
                        keyed: !key.is_null(),
                        key: key.clone(),
                        scope: scope.clone(),
                        intent: intent.clone(),
                        content: content(value),
                        began: position,
                        ended: NEVER,
                        kind: "info".to_owned(),
                        code: 0,
                        replayed: false,
                        resource: Value::Null,
                        response: Value::Null,
                        time: record["time"].as_i64().expect("a time"),
                    });
                }
                (Some("request"), Some(kind)) => {
                    let asked = &mut naive.asked[open.remove(&process).expect("an invocation")];
                    asked.ended = position;
                    asked.kind = kind.to_owned();
                    asked.code = value["status"].as_u64().unwrap_or(0);
                    asked.replayed = value["replayed"] == true;
                    asked.response = value["response"].clone();
                    asked.resource = value["response"]["id"].clone();
                }
                (Some("effect"), _) => naive.done.push(Done {
                    group: group(&record["key"], &value["scope"], &value["intent"], position),
                    position,
                    id: value["effect"].clone(),
                    resource: value["resource"].clone(),
                    kind: value["kind"].clone(),
                }),
                _ => (naive.audit, naive.audit_time) = (Some(position), record["time"].as_i64().expect("a time")),
            }
        }
        // One effect may be recorded twice.
        let mut seen = BTreeSet::new();
        naive.done.retain(|done| seen.insert((done.group.clone(), done.id.to_string())));
        naive
    }

    fn of<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Asked> + Clone + 'a {
        self.asked.iter().filter(move |asked| asked.group == group)
    }

    fn effects<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Done> + Clone + 'a {
        self.done.iter().filter(move |done| done.group == group)
    }

    fn audited(&self, position: usize) -> bool {
        self.audit.is_some_and(|audit| audit > position)
    }

    fn cached(&self, asked: &Asked) -> bool {
        let classes = self.policy["cache"].as_array().map(|classes| classes.iter().any(|class| class == "4xx"));
        asked.kind == "ok" && (asked.claims() || (classes == Some(true) && asked.code / 100 == 4))
    }

    /// The counts of every class, certain and possible.
    fn counts(&self) -> BTreeMap<(Anomaly, bool), u64> {
        let mut counts: BTreeMap<(Anomaly, bool), u64> = BTreeMap::new();
        let mut add = |anomaly, certain, count: usize| {
            if count > 0 {
                *counts.entry((anomaly, certain)).or_default() += count as u64;
            }
        };
        let groups: BTreeSet<&str> =
            self.asked.iter().map(|a| a.group.as_str()).chain(self.done.iter().map(|d| d.group.as_str())).collect();
        for group in groups {
            self.count_effects(group, &mut add);
            self.count_answers(group, &mut add);
        }
        for asked in &self.asked {
            if asked.keyed {
                self.count_refusal(asked, &mut add);
            } else if self.policy["key"] == "required" && asked.claims() {
                add(Anomaly::MissingKeyAccepted, true, 1);
            }
        }
        let intents: BTreeSet<&str> = self.asked.iter().filter_map(|a| a.intent.as_str()).collect();
        for intent in intents {
            // Its groups with an effect, and the scope of those with a key.
            let of_it = |group: &str| self.of(group).all(|a| a.intent.is_null() || a.intent == intent);
            let mut places: BTreeMap<&str, Option<String>> = BTreeMap::new();
            for asked in self.asked.iter().filter(|a| a.intent == intent) {
                if of_it(&asked.group) && self.effects(&asked.group).next().is_some() {
                    places.insert(&asked.group, asked.keyed.then(|| asked.scope.to_string()));
                }
            }
            let clash = |a: &str, b: &str| {
                let bundled = self.policy["effects"].is_array();
                let two = |x: &Done, y: &Done| x.id != y.id && (!bundled || x.kind == y.kind);
                let apart = self.effects(a).any(|x| self.effects(b).any(|y| two(x, y)));
                let scopes = (&places[a], &places[b]);
                a < b && (scopes.0.is_none() || scopes.1.is_none() || scopes.0 == scopes.1) && apart
            };
            let any = places.keys().any(|a| places.keys().any(|b| clash(a, b)));
            add(Anomaly::DuplicateEffect, true, usize::from(any));
        }
        counts
    }
}

/// Goal: on random histories, however broken, every class counts as its definition says.
#[test]
fn every_count_is_the_definition() {
    let mut met: BTreeMap<(Anomaly, bool), u64> = BTreeMap::new();
    let mut verdicts = [0; 3];
    for seed in 0..2000 {
        let mut random = Random::new(seed);
        let (header, records) = random_history(&mut random);
        if records.is_empty() {
            continue;
        }
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        let text = format!("{}\n{}", json!({"history": header}), lines.join("\n"));
        let history = history(&text);
        let outcome = judged(idempotency::judge, Guarantee::Idempotent, &history, "");
        reasoned(&history, &outcome, &format!("seed {seed}\n{text}"));
        let naive = Naive::read(&header, &records);
        let expected = naive.counts();
        for anomaly in CLASSES.into_iter().filter(|anomaly| *anomaly != Anomaly::ConcurrentDuplicateEffect) {
            for (certain, certainty) in [(true, Certainty::Certain), (false, Certainty::Possible)] {
                let found = finding(&outcome, anomaly, certainty).map_or(0, |finding| finding.count);
                let due = expected.get(&(anomaly, certain)).copied().unwrap_or(0);
                assert_eq!(found, due, "seed {seed}: {anomaly} {certainty:?}\n{text}");
                *met.entry((anomaly, certain)).or_default() += due;
            }
        }
        let last = naive.asked.iter().filter(|a| a.kind == "ok").map(|a| a.ended).max();
        let audited = naive.audit.is_some_and(|audit| last.is_none_or(|last| last < audit));
        let answered = naive.asked.iter().any(|a| a.kind == "ok" || a.kind == "fail");
        let due = if expected.keys().any(|(_, certain)| *certain) {
            Verdict::Violated
        } else if expected.is_empty() && audited && (answered || !naive.done.is_empty()) {
            Verdict::Holds
        } else {
            Verdict::Unknown
        };
        assert_eq!(verdict(&outcome, Guarantee::Idempotent), due, "seed {seed}: {expected:?}\n{text}");
        verdicts[due as usize] += 1;
    }
    for anomaly in CLASSES {
        let timed =
            matches!(anomaly, Anomaly::PrematureExpiry | Anomaly::OverRetention | Anomaly::ConcurrentDuplicateEffect);
        assert!(timed || met.get(&(anomaly, true)).is_some_and(|count| *count > 0), "{anomaly}: {met:?}");
    }
    assert!(verdicts.iter().all(|count| *count > 20), "{verdicts:?}");
}
