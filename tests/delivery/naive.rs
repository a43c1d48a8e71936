//! The definitions of idempotency read naively: every attempt against every other, straight from the records.
//!
//! Without a `ttl`, so that a key lives once; effects say their scope, and those without a key their intent.

use std::collections::{BTreeMap, BTreeSet};

use anachron::check::delivery::idempotency::{self, CLASSES};
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::verdict::{Certainty, Verdict};
use serde_json::{Value, json};

use crate::random::Random;
use crate::support::{finding, history, judged, reasoned, verdict};

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

    fn count_effects(&self, group: &str, add: &mut impl FnMut(Anomaly, bool, usize)) {
        for effect in self.effects(group) {
            let earlier: Vec<&Asked> = self.of(group).filter(|a| a.began < effect.position).collect();
            add(Anomaly::PhantomEffect, true, usize::from(earlier.is_empty()));
            let refused = !earlier.is_empty() && earlier.iter().all(|a| !a.live());
            add(Anomaly::RejectedEffect, true, usize::from(refused));
        }
        let bundle = self.policy["effects"].as_array();
        let same = |a: &Done, b: &Done| bundle.is_none() || a.kind == b.kind;
        let twice = self.effects(group).any(|a| self.effects(group).any(|b| a.position < b.position && same(a, b)));
        add(Anomaly::DuplicateEffect, true, usize::from(twice));

        let claimed = self.of(group).filter(|a| a.claims()).map(|a| a.ended).min();
        let due = bundle.map_or(1, Vec::len);
        let there = match bundle {
            None => self.effects(group).count().min(1),
            Some(kinds) => kinds.iter().filter(|kind| self.effects(group).any(|e| e.kind == **kind)).count(),
        };
        if there == 0 {
            if let Some(ended) = claimed {
                add(Anomaly::LostEffect, self.audited(ended), 1);
            }
        } else if there < due {
            let over = self.audit.is_some_and(|audit| {
                self.of(group).filter(|a| a.live()).all(|a| match (a.kind.as_str(), self.policy["lease"].as_i64()) {
                    ("ok", _) => a.ended < audit,
                    (_, Some(lease)) => a.time + lease < self.audit_time,
                    _ => false,
                })
            });
            let certain = over || claimed.is_some_and(|ended| self.audited(ended));
            add(Anomaly::PartialEffect, certain, 1);
        }
    }

    fn count_answers(&self, group: &str, add: &mut impl FnMut(Anomaly, bool, usize)) {
        let names = |resource: &Value| self.effects(group).any(|e| e.resource == *resource);
        let naming = self.effects(group).any(|e| !e.resource.is_null());
        for asked in self.of(group).filter(|a| a.claims()) {
            if !asked.resource.is_null() && names(&asked.resource) {
                continue;
            }
            if asked.keyed && !asked.resource.is_null() && self.owner(asked).is_some_and(|owner| owner != group) {
                add(Anomaly::ScopeCollision, true, 1);
            } else if naming {
                add(Anomaly::ReplayMismatch, true, 1);
            }
        }
        if !self.of(group).any(|a| a.keyed) {
            return;
        }
        let first_effect = self.effects(group).map(|e| e.position).min();
        let early = self.of(group).filter(|a| a.claims() && first_effect.is_some_and(|e| a.ended < e)).count();
        add(Anomaly::InFlightViolation, self.synchronous, early);

        let differ = |a: &Asked, b: &Asked| match self.policy["replay"].as_str() {
            Some("exact") => a.code != b.code || a.response != b.response,
            Some("status") => a.code != b.code,
            Some("resource") => a.resource != b.resource,
            _ => a.response != b.response,
        };
        let diverge = |a: &Asked, b: &Asked| {
            let kept = self.cached(a) && b.kind == "ok" && a.content == b.content;
            kept && if self.cached(b) { differ(a, b) } else { b.began > self.first_kept(group, a) }
        };
        let divergent = self.of(group).any(|a| self.of(group).any(|b| diverge(a, b)));
        add(Anomaly::DivergentReplay, true, usize::from(divergent));
        self.count_payloads(group, add);
    }

    /// When the first kept answer to this payload ended.
    fn first_kept(&self, group: &str, like: &Asked) -> usize {
        let kept = self.of(group).filter(|a| self.cached(a) && a.content == like.content);
        kept.map(|a| a.ended).min().unwrap_or(NEVER)
    }

    /// By when the key was registered.
    fn registered(&self, group: &str) -> usize {
        let answer = self.of(group).filter(|a| self.cached(a)).map(|a| a.ended).min().unwrap_or(NEVER);
        self.effects(group).map(|e| e.position).min().unwrap_or(NEVER).min(answer)
    }

    fn count_payloads(&self, group: &str, add: &mut impl FnMut(Anomaly, bool, usize)) {
        let by = self.registered(group);
        if by == NEVER {
            return;
        }
        let candidates: Vec<&Asked> = self.of(group).filter(|a| a.live() && a.began < by).collect();
        if candidates.is_empty() {
            return;
        }
        // Whichever of them was executed first, so many others were answered as if it had been theirs. One that does not say
        // its payload may have had that of any answer.
        let wrong = |first: &Asked| self.of(group).filter(|a| a.claims() && a.differs(first)).count();
        let certain = if candidates.iter().any(|a| a.content.is_none()) {
            self.of(group).filter(|a| a.claims() && a.content.is_some()).map(wrong).min().unwrap_or(0)
        } else {
            candidates.iter().map(|first| wrong(first)).min().unwrap_or(0)
        };
        add(Anomaly::PayloadMismatchAccepted, true, certain);
        let unknown = self.of(group).any(|a| a.live() && a.content.is_none());
        if certain == 0 && !unknown {
            let borrowed = |a: &&Asked| {
                let mut others = self.of(group).filter(|b| b.live() && b.began != a.began && b.began < a.ended);
                a.claims() && a.replayed && others.clone().next().is_some() && others.all(|b| b.differs(a))
            };
            add(Anomaly::PayloadMismatchAccepted, false, self.of(group).filter(borrowed).count());
        }
    }

    /// The group that a named resource belongs to, among those of the same key.
    fn owner(&self, asked: &Asked) -> Option<&str> {
        let alike = |group: &str| self.of(group).next().is_some_and(|a| a.keyed && a.key == asked.key);
        let effect = self.done.iter().filter(|e| e.resource == asked.resource && alike(&e.group));
        // In the order in which the groups first appear.
        let order = |group: &str| self.asked.iter().position(|a| a.group == group);
        if let Some(effect) = effect.min_by_key(|e| order(&e.group)) {
            return Some(&effect.group);
        }
        let named =
            self.asked.iter().filter(|a| a.keyed && a.claims() && a.key == asked.key && a.resource == asked.resource);
        named.min_by_key(|a| a.ended).map(|a| a.group.as_str())
    }

    fn count_refusal(&self, refused: &Asked, add: &mut impl FnMut(Anomaly, bool, usize)) {
        let status = |name: &str, default: u64| self.policy[name].as_u64().unwrap_or(default);
        if refused.kind != "fail" {
            return;
        }
        let waits = self.policy["in-flight"] == "wait";
        let elsewhere = self.asked.iter().any(|a| {
            a.keyed && a.key == refused.key && a.group != refused.group && a.live() && a.began < refused.ended
        });
        if refused.code == status("mismatch", 422) {
            let by = self.registered(&refused.group).min(refused.ended);
            let explained = refused.content.is_none()
                || self
                    .of(&refused.group)
                    .any(|a| a.live() && a.began <= by && (a.differs(refused) || a.content.is_none()));
            if !explained && (waits || refused.code != status("in-flight", 409) || !self.flight(refused).0) {
                let anomaly = if elsewhere { Anomaly::ScopeCollision } else { Anomaly::MismatchFalselyRejected };
                // With nothing before it, the status may be that of an invalid request as well.
                let tried = self.of(&refused.group).any(|a| a.live() && a.began <= by);
                add(anomaly, tried, 1);
            }
        } else if refused.code == if waits { 409 } else { status("in-flight", 409) } {
            let (flying, settled, crashed) = self.flight(refused);
            match (waits, flying) {
                (true, _) => add(Anomaly::FalseConflict, true, 1),
                (false, true) => {}
                (false, false) if settled => add(Anomaly::FalseConflict, true, 1),
                (false, false) if elsewhere => add(Anomaly::ScopeCollision, true, 1),
                (false, false) if crashed => {
                    let earlier = self.of(&refused.group).filter(|a| a.kind == "fail" && a.code == refused.code);
                    let stuck = earlier.filter(|a| a.began < refused.began).any(|a| {
                        let (flying, settled, crashed) = self.flight(a);
                        !flying && !settled && crashed
                    });
                    add(Anomaly::StuckKey, true, usize::from(!stuck));
                }
                (false, false) => add(Anomaly::FalseConflict, true, 1),
            }
        }
    }

    /// Whether something else can have been in flight; whether the key was settled before; whether something crashed.
    fn flight(&self, refused: &Asked) -> (bool, bool, bool) {
        let group = &refused.group;
        let settled = self.effects(group).any(|e| e.position < refused.began)
            || self.of(group).any(|a| a.claims() && a.ended < refused.began);
        let others = || self.of(group).filter(|a| a.began != refused.began && a.began < refused.ended);
        let flying = others().any(|a| match (a.kind.as_str(), self.policy["lease"].as_i64()) {
            ("info", None) => true,
            ("info", Some(lease)) => a.time + lease >= refused.time,
            _ => a.ended > refused.began,
        });
        (flying && !settled, settled, others().any(|a| a.kind == "info"))
    }
}

pub(crate) fn random_history(random: &mut Random) -> (Value, Vec<Value>) {
    let mut policy = json!({});
    for (name, values) in [
        ("mismatch", &[json!(422), json!(409)][..]),
        ("in-flight", &[json!(409), json!("wait")]),
        ("replay", &[json!("exact"), json!("status"), json!("resource"), json!("response")]),
        ("cache", &[json!(["2xx"]), json!(["2xx", "4xx"])]),
        ("key", &[json!("required"), json!("optional")]),
        ("lease", &[json!(1), json!(1), json!(3)]),
        ("effects", &[json!(["charge", "mail"])]),
    ] {
        if random.chance(if name == "lease" { 50 } else { 25 }) {
            policy[name] = values[usize::try_from(random.below(values.len() as u64)).expect("small")].clone();
        }
    }
    let observers = random.of(&["synchronous", "lagging"]);
    let header = json!({"workload": "idempotency", "policy": policy, "observers": observers});
    let (keys, intents) = ([Some("k"), Some("k"), Some("l"), None], [Some("i"), Some("j"), None, None]);
    let (scopes, resources) = (["a", "a", "b"], [Some("r1"), Some("r1"), Some("r2"), None]);
    let mut records = Vec::new();
    let mut open: Vec<(u64, Value)> = Vec::new();
    let length = 3 + random.below(12);
    let mut alone = false;
    let made: Vec<_> = (0..6).map(|_| random.of(&resources)).collect();
    for serial in 0..length {
        let (key, scope, intent) = (random.of(&keys), random.of(&scopes), random.of(&intents));
        let mut record = match random.below(10) {
            0..5 => {
                let mut value = json!({"scope": scope, "intent": intent});
                if random.chance(90) {
                    value["payload"] = json!({"amount": random.of(&[5.0, 5.0, 7.0])});
                    if random.chance(30) {
                        value["payload"] = json!({"amount": 5});
                    }
                }
                alone |= key.is_none() && intent.is_none();
                open.push((serial, json!(key)));
                json!({"type":"invoke","process":serial,"f":"request","key":key,"value":value})
            }
            5..9 if !open.is_empty() => {
                let at = usize::try_from(random.below(open.len() as u64)).expect("small");
                let (process, key) = open.remove(at);
                let resource = random.of(&resources);
                let mut value = json!({"status": random.of(&[200, 201, 402]), "response": {"id": resource}});
                value["replayed"] = json!(random.chance(40));
                let kind = random.of(&["ok", "ok", "fail", "info"]);
                if kind == "fail" {
                    value = json!({"status": random.of(&[409, 409, 422, 400])});
                }
                json!({"type":kind,"process":process,"f":"request","key":key,"value":value})
            }
            9 if random.chance(30) => json!({"type":"info","process":"db","f":"audit","value":{"complete":true}}),
            _ => {
                let intent = if key.is_none() { intent.or(Some("i")) } else { None };
                let effect = usize::try_from(random.below(6)).expect("small");
                let kind = if effect < 3 { "charge" } else { "mail" };
                let value = json!({"effect": effect, "resource": made[effect], "scope": scope, "intent": intent,
                    "kind": kind});
                json!({"type":"info","process":"db","f":"effect","key":key,"value":value})
            }
        };
        record["time"] = json!(serial);
        records.push(record);
    }
    if alone {
        // Which effect is of an attempt that says neither is a matter of numbers: not read here.
        records.retain(|record| record["f"] != "effect" || !record["key"].is_null());
    }
    // Nor are effects without a key whose intent no attempt without a key names: their resource may tell.
    let named = |intent: &Value| {
        let mut asked = records.iter().filter(|record| record["f"] == "request" && record["type"] == "invoke");
        asked.any(|record| record["value"]["intent"] == *intent && record["key"].is_null())
    };
    let strays: Vec<bool> = records
        .iter()
        .map(|record| {
            let intent = &record["value"]["intent"];
            record["f"] == "effect" && record["key"].is_null() && !named(intent)
        })
        .collect();
    let mut strays = strays.into_iter();
    records.retain(|_| !strays.next().unwrap_or(false));
    (header, records)
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
