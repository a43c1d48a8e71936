//! Histories of a few keys, intents, scopes and resources, of which any may meet any.

use serde_json::{Value, json};

use crate::random::Random;

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
