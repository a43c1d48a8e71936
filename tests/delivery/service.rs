//! A service that keeps its word, simulated: nothing that it does may be called a violation.
//!
//! Requests arrive late, answers get lost, clients give up and retry at once or much later, with the same payload or another
//! one; effects are recorded as they happen or later. The key is looked up, executed and settled in one step each.

use std::collections::BTreeMap;

use anachron::check::delivery::idempotency;
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::verdict::{Certainty, Verdict};
use serde_json::{Value, json};

use crate::random::Random;
use crate::support::{certain, history, judged, reasoned, verdict};

/// What the service does wrong, now and then.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    None,
    /// Doesn't look the key up.
    ForgetsKey,
    /// Doesn't see an execution that is not settled yet.
    Races,
    /// Doesn't compare payloads.
    IgnoresPayload,
    /// Looks keys up without their scope.
    IgnoresScope,
    /// Refuses a settled key as in flight.
    RefusesSettled,
    /// Refuses the same payload as another one.
    RefusesSame,
    /// Replays another body.
    Reinvents,
    /// Answers a new request without doing it.
    Loses,
}

/// What the service promises, and how well it is watched.
struct Setting {
    fault: Fault,
    ttl: Option<i64>,
    waits: bool,
    synchronous: bool,
}

#[derive(Clone, Copy)]
enum Event {
    Send(usize),
    Arrive(usize),
    Settle(usize),
    Answer(usize),
    GiveUp(usize),
    Record(usize),
}

struct Request {
    key: &'static str,
    scope: &'static str,
    payload: Value,
    process: u64,
    over: bool,
    answer: Option<(u64, Value)>,
}

struct Entry {
    start: i64,
    payload: Value,
    outcome: Option<Value>,
    waiting: Vec<usize>,
}

struct Simulation<'a> {
    random: &'a mut Random,
    setting: &'a Setting,
    agenda: BTreeMap<(i64, u64), Event>,
    serial: u64,
    requests: Vec<Request>,
    keys: BTreeMap<(&'static str, &'static str), Entry>,
    effects: Vec<(usize, String)>,
    records: Vec<Value>,
}

impl Simulation<'_> {
    fn at(&mut self, time: i64, event: Event) {
        self.serial += 1;
        self.agenda.insert((time, self.serial), event);
    }

    fn soon(&mut self, now: i64, most: u64) -> i64 {
        now + 1 + i64::try_from(self.random.below(most)).expect("small")
    }

    fn record(&mut self, time: i64, record: Value) {
        let mut record = record;
        record["time"] = json!(time);
        self.records.push(record);
    }

    fn run(mut self, attempts: usize) -> Vec<Value> {
        let mut now = 0;
        for _ in 0..attempts {
            now = if self.random.chance(25) { now } else { self.soon(now, 60) };
            let request = Request {
                key: self.random.of(&["k1", "k1", "k2"]),
                scope: self.random.of(&["a", "a", "b"]),
                payload: json!({"amount": if self.random.chance(80) { json!(5) } else { json!(7) }}),
                process: self.requests.len() as u64,
                over: false,
                answer: None,
            };
            self.requests.push(request);
            let number = self.requests.len() - 1;
            self.at(now, Event::Send(number));
        }
        while let Some(((time, _), event)) = self.agenda.pop_first() {
            self.happen(time, event);
        }
        self.records
    }

    fn happen(&mut self, now: i64, event: Event) {
        match event {
            Event::Send(number) => {
                let Request { key, scope, payload, process, .. } = &self.requests[number];
                // Numbers compare as numbers.
                let payload =
                    if number % 2 == 0 { payload.clone() } else { json!({"amount": payload["amount"].as_f64()}) };
                let value = json!({"scope": scope, "payload": payload});
                let record = json!({"type":"invoke","process":process,"f":"request","key":key,"value":value});
                self.record(now, record);
                if !self.random.chance(10) {
                    let arrival = self.soon(now, 30);
                    self.at(arrival, Event::Arrive(number));
                }
                let patience = self.soon(now + 5, 60);
                self.at(patience, Event::GiveUp(number));
            }
            Event::Arrive(number) => self.arrive(now, number),
            Event::Settle(number) => {
                let name = format!("{}", self.effects.len() + 1);
                let outcome = json!({"id": format!("pay_{name}")});
                self.effects.push((number, name));
                let scope = if self.setting.fault == Fault::IgnoresScope { "a" } else { self.requests[number].scope };
                let id = (scope, self.requests[number].key);
                let mut answered = vec![number];
                if let Some(entry) = self.keys.get_mut(&id) {
                    entry.outcome = Some(outcome.clone());
                    answered.append(&mut entry.waiting);
                }
                let effect = self.effects.len() - 1;
                if self.setting.synchronous {
                    self.happen(now, Event::Record(effect));
                } else {
                    let later = self.soon(now, 40);
                    self.at(later, Event::Record(effect));
                }
                for number in answered {
                    self.answer(now, number, 201, outcome.clone());
                }
            }
            Event::Record(effect) => {
                let (number, name) = self.effects[effect].clone();
                let Request { key, scope, .. } = &self.requests[number];
                let value = json!({"effect": format!("row-{name}"), "resource": format!("pay_{name}"), "scope": scope});
                let record = json!({"type":"info","process":"ledger","f":"effect","key":key,"value":value});
                self.record(now, record);
            }
            Event::Answer(number) => {
                let Some((code, body)) = self.requests[number].answer.clone() else { return };
                if std::mem::replace(&mut self.requests[number].over, true) {
                    return;
                }
                let Request { key, process, .. } = &self.requests[number];
                let kind = if code < 300 { "ok" } else { "fail" };
                let value = json!({"status": code, "response": body});
                let record = json!({"type":kind,"process":process,"f":"request","key":key,"value":value});
                self.record(now, record);
            }
            Event::GiveUp(number) => {
                if !std::mem::replace(&mut self.requests[number].over, true) && self.random.chance(80) {
                    let Request { key, process, .. } = &self.requests[number];
                    let record = json!({"type":"info","process":process,"f":"request","key":key,"error":"timeout"});
                    self.record(now, record);
                }
            }
        }
    }

    fn arrive(&mut self, now: i64, number: usize) {
        let Request { key, scope, payload, .. } = &self.requests[number];
        let (mut id, payload) = ((*scope, *key), payload.clone());
        let fault = if self.random.chance(50) { self.setting.fault } else { Fault::None };
        if self.setting.fault == Fault::IgnoresScope {
            id.0 = "a";
        }
        let kept = self.random.chance(50);
        let ttl = self.setting.ttl;
        let expired =
            |entry: &Entry| ttl.is_some_and(|ttl| now >= entry.start + ttl) && entry.outcome.is_some() && !kept;
        let known = self.keys.get(&id).filter(|entry| !expired(entry));
        if known.is_none() && fault == Fault::Loses {
            let outcome = json!({"id": format!("lost_{number}")});
            self.keys.insert(id, Entry { start: now, payload, outcome: Some(outcome.clone()), waiting: Vec::new() });
            return self.answer(now, number, 201, outcome);
        }
        let unseen = match fault {
            Fault::ForgetsKey => true,
            Fault::Races => known.is_some_and(|entry| entry.outcome.is_none()),
            _ => false,
        };
        if known.is_none() || unseen {
            self.keys.insert(id, Entry { start: now, payload, outcome: None, waiting: Vec::new() });
            let done = self.soon(now, 25);
            self.at(done, Event::Settle(number));
            return;
        }
        let Some(entry) = self.keys.get_mut(&id) else { return };
        let same = entry.payload == payload || fault == Fault::IgnoresPayload;
        match (fault, &entry.outcome) {
            (Fault::RefusesSettled, Some(_)) => return self.answer(now, number, 409, Value::Null),
            (Fault::RefusesSame, _) => return self.answer(now, number, 422, Value::Null),
            (Fault::Reinvents, Some(outcome)) => {
                let other = json!({"id": outcome["id"], "at": now});
                return self.answer(now, number, 201, other);
            }
            _ => {}
        }
        match (entry.outcome.clone(), same) {
            (_, false) => self.answer(now, number, 422, Value::Null),
            (Some(outcome), true) => self.answer(now, number, 201, outcome),
            (None, true) if self.setting.waits => entry.waiting.push(number),
            (None, true) => self.answer(now, number, 409, Value::Null),
        }
    }

    fn answer(&mut self, now: i64, number: usize, code: u64, body: Value) {
        self.requests[number].answer = Some((code, body));
        if !self.random.chance(15) {
            let arrival = self.soon(now, 20);
            self.at(arrival, Event::Answer(number));
        }
    }
}

/// A history of a service that keeps its word.
fn simulate(random: &mut Random, setting: &Setting, attempts: usize) -> String {
    let simulation = Simulation {
        random,
        setting,
        agenda: BTreeMap::new(),
        serial: 0,
        requests: Vec::new(),
        keys: BTreeMap::new(),
        effects: Vec::new(),
        records: Vec::new(),
    };
    let mut policy = json!({"in-flight": if setting.waits { json!("wait") } else { json!(409) }});
    if let Some(ttl) = setting.ttl {
        policy["ttl"] = json!(ttl);
    }
    let observers = if setting.synchronous { "synchronous" } else { "lagging" };
    let header = json!({"workload": "idempotency", "policy": policy, "observers": observers});
    let mut lines = vec![json!({"history": header})];
    lines.extend(simulation.run(attempts));
    lines.push(json!({"type":"info","process":"ledger","f":"audit","value":{"complete":true}}));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A history of a service that keeps its word, two times of three.
pub(crate) fn any(random: &mut Random) -> String {
    let faults = [Fault::ForgetsKey, Fault::Races, Fault::IgnoresPayload, Fault::IgnoresScope, Fault::RefusesSame];
    let setting = Setting {
        fault: if random.chance(66) { Fault::None } else { random.of(&faults) },
        ttl: random.chance(40).then(|| 60 + i64::try_from(random.below(60)).expect("small")),
        waits: random.chance(30),
        synchronous: random.chance(80),
    };
    let attempts = 2 + usize::try_from(random.below(10)).expect("small");
    simulate(random, &setting, attempts)
}

/// Goal: what a correct service does is never called a violation, whatever is lost, late or unrecorded; and where its
/// effects are recorded as they happen and keys never expire, it holds.
#[test]
fn a_correct_service_is_never_blamed() {
    let (mut held, mut expiring) = (0, 0);
    for seed in 0..1500 {
        let mut random = Random::new(seed);
        let setting = Setting {
            fault: Fault::None,
            ttl: random.chance(40).then(|| 60 + i64::try_from(random.below(60)).expect("small")),
            waits: random.chance(30),
            synchronous: random.chance(60),
        };
        let attempts = 2 + usize::try_from(random.below(10)).expect("small");
        let text = simulate(&mut random, &setting, attempts);
        let outcome = judged(idempotency::judge, Guarantee::Idempotent, &history(&text), "");
        let blamed = outcome.findings.iter().find(|finding| finding.certainty == Certainty::Certain);
        assert!(blamed.is_none(), "seed {seed}: {blamed:#?}\n{text}");
        let verdict = verdict(&outcome, Guarantee::Idempotent);
        if setting.synchronous && setting.ttl.is_none() {
            let vacuous = outcome.judgements[0].reason.as_ref().is_some_and(|reason| reason.contains("nothing could"));
            assert!(verdict == Verdict::Holds || vacuous, "seed {seed}: {:?}\n{text}", outcome.judgements);
            held += u32::from(verdict == Verdict::Holds);
        }
        expiring += u32::from(setting.ttl.is_some() && verdict == Verdict::Holds);
    }
    assert!(held > 300 && expiring > 100, "{held} hold, {expiring} of them with a ttl");
}

/// Goal: each way to break the word is found under its own name.
#[test]
fn a_broken_service_is_found_out() {
    for (fault, anomaly) in [
        (Fault::ForgetsKey, Anomaly::DuplicateEffect),
        (Fault::Races, Anomaly::ConcurrentDuplicateEffect),
        (Fault::IgnoresPayload, Anomaly::PayloadMismatchAccepted),
        (Fault::IgnoresScope, Anomaly::ScopeCollision),
        (Fault::RefusesSettled, Anomaly::FalseConflict),
        (Fault::RefusesSame, Anomaly::MismatchFalselyRejected),
        (Fault::Reinvents, Anomaly::DivergentReplay),
        (Fault::Loses, Anomaly::LostEffect),
    ] {
        let mut found = 0;
        for seed in 0..60 {
            let mut random = Random::new(seed);
            let setting = Setting { fault, ttl: None, waits: false, synchronous: random.chance(50) };
            let text = simulate(&mut random, &setting, 10);
            let history = history(&text);
            let outcome = judged(idempotency::judge, Guarantee::Idempotent, &history, "");
            reasoned(&history, &outcome, &format!("seed {seed}\n{text}"));
            found += u32::from(certain(&outcome, anomaly) > 0);
        }
        assert!(found >= 5, "{fault:?}: {anomaly} in {found} of 60");
    }
    let mut early = 0;
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let setting = Setting { fault: Fault::ForgetsKey, ttl: Some(300), waits: false, synchronous: true };
        let text = simulate(&mut random, &setting, 10);
        let outcome = judged(idempotency::judge, Guarantee::Idempotent, &history(&text), "");
        early += u32::from(certain(&outcome, Anomaly::PrematureExpiry) > 0);
    }
    assert!(early >= 5, "premature-expiry in {early} of 60");
}
