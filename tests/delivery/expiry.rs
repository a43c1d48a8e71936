//! A key's life as intervals, against every reading of when things happened.

use anachron::check::delivery::idempotency;
use anachron::guarantee::Anomaly::*;
use anachron::guarantee::Guarantee;
use anachron::verdict::Certainty;
use serde_json::{Value, json};

use crate::random::Random;
use crate::support::{certain, finding, history, judged, reasoned};

/// Two or three attempts with one key, and two effects somewhere after the first of them.
fn records(random: &mut Random, answered: bool) -> Vec<Value> {
    let mut time = 0;
    let mut records = Vec::new();
    let mut made = 0;
    for process in 0..2 + random.below(2) {
        let value = json!({"payload": {"amount": 1}});
        time += random.below(6);
        records.push(json!({"type":"invoke","process":process,"f":"request","key":"k","value":value,"time":time}));
        if made < 2 && (answered || random.chance(70)) {
            made += 1;
            time += 1 + random.below(5);
            let effect = json!({"effect": made, "resource": format!("r{made}")});
            records.push(json!({"type":"info","process":"db","f":"effect","key":"k","value":effect,"time":time}));
        }
        time += 1 + random.below(5);
        let answer = json!({"status": 201, "response": {"id": format!("r{made}")}, "replayed": false});
        let record = json!({"type":"ok","process":process,"f":"request","key":"k","value":answer,"time":time});
        let crashed = json!({"type":"info","process":process,"f":"request","key":"k","time":time});
        records.push(if answered { record } else { crashed });
        if made == 2 {
            break;
        }
    }
    records
}

fn time(record: &Value) -> i64 {
    record["time"].as_i64().expect("a time")
}

/// Goal: a second effect is certainly too early exactly if every reading has it so: whichever attempt caused which, and
/// whenever between invocation and record the first execution began and the second looked its key up. Where each answer
/// says which effect is its own, it is possible exactly if some reading has it so.
#[test]
fn certain_is_every_reading() {
    let ttl = 8;
    let mut seen = [0; 3];
    for seed in 0..1500 {
        let mut random = Random::new(seed);
        let answered = random.chance(50);
        let records = records(&mut random, answered);
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        let header = json!({"history": {"workload": "idempotency", "ttl": format!("{ttl}ns")}});
        let text = format!("{header}\n{}", lines.join("\n"));
        let effects: Vec<usize> = (0..records.len()).filter(|at| records[*at]["f"] == "effect").collect();
        let [one, two] = effects[..] else { continue };
        let causes = |effect: usize| -> Vec<i64> {
            let began = |at: &usize| records[*at]["type"] == "invoke";
            if answered {
                // The attempt right before its effect, as its answer says.
                return vec![time(&records[effect - 1])];
            }
            (0..effect).filter(began).map(|at| time(&records[at])).collect()
        };
        let mut readings = [0u32; 2];
        for first in causes(one) {
            for second in causes(two) {
                for start in first..=time(&records[one]) {
                    for lookup in second..=time(&records[two]) {
                        readings[usize::from(lookup < start + ttl)] += 1;
                    }
                }
            }
        }
        let history = history(&text);
        let outcome = judged(idempotency::judge, Guarantee::Idempotent, &history, "");
        reasoned(&history, &outcome, &format!("seed {seed}\n{text}"));
        let sure = certain(&outcome, DuplicateEffect) > 0;
        assert_eq!(sure, readings[0] == 0, "seed {seed}: {readings:?}\n{text}");
        let possible = finding(&outcome, PrematureExpiry, Certainty::Possible).is_some();
        if answered {
            assert_eq!(possible, readings[0] > 0 && readings[1] > 0, "seed {seed}: {readings:?}\n{text}");
        }
        seen[if sure {
            0
        } else if possible {
            1
        } else {
            2
        }] += 1;
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

/// Goal: answers of two lives may differ, and those of one may not.
#[test]
fn answers_agree_within_a_life() {
    let text = |ttl: &str, last: &str| {
        format!(
            r#"{{"history":{{"workload":"idempotency","ttl":"{ttl}"}}}}
{{"type":"invoke","process":0,"f":"request","key":"k","value":{{"payload":1}},"time":0}}
{{"type":"info","process":"db","f":"effect","key":"k","value":{{"effect":1,"resource":"r1"}},"time":1}}
{{"type":"ok","process":0,"f":"request","key":"k","value":{{"status":201,"response":{{"id":"r1"}}}},"time":2}}
{{"type":"invoke","process":0,"f":"request","key":"k","value":{{"payload":2}},"time":100}}
{{"type":"info","process":"db","f":"effect","key":"k","value":{{"effect":2,"resource":"r2"}},"time":101}}
{{"type":"ok","process":0,"f":"request","key":"k","value":{{"status":201,"response":{{"id":"r2"}}}},"time":102}}
{{"type":"invoke","process":0,"f":"request","key":"k","value":{{"payload":2}},"time":110}}
{{"type":"ok","process":0,"f":"request","key":"k","value":{{"status":201,"response":{{"id":"{last}"}}}},"time":112}}
{{"type":"info","process":"db","f":"audit","value":{{"complete":true}},"time":113}}"#
        )
    };
    let found = |ttl: &str, last: &str| {
        let outcome = judged(idempotency::judge, Guarantee::Idempotent, &history(&text(ttl, last)), "");
        outcome.findings.iter().map(|finding| (finding.anomaly, finding.certainty)).collect::<Vec<_>>()
    };
    assert_eq!(found("50ns", "r2"), []);
    // The new life's request is answered with the old life's outcome.
    assert_eq!(found("50ns", "r1"), [(DivergentReplay, Certainty::Certain)]);
    let one_life = [DuplicateEffect, PrematureExpiry, PayloadMismatchAccepted];
    assert_eq!(found("1h", "r2"), one_life.map(|anomaly| (anomaly, Certainty::Certain)));
    // Neither the first life nor the second is certain: 100 is 99 to 100 after the start of the first.
    assert_eq!(found("100ns", "r2"), [(PrematureExpiry, Certainty::Possible)]);
}
