//! Certificates of what holds: accepted as they are written, refused when they are tampered with, and not to be had for what
//! does not hold, however its records are read.

use std::collections::BTreeMap;

use anachron::budget::Budget;
use anachron::certificate::{
    Account, Accounts, Certificate, Claim, Entry, Evidence, Role, Ruling, digest, verify_certificate,
};
use anachron::check::{Settings, certify};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::{History, Value};
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use crate::random::Random;
use crate::support::{Judge, history};
use crate::{naive, naive_messages, outbox, reconciliation, saga, service};

/// What was met.
#[derive(Default, Debug)]
struct Met {
    proved: u32,
    left_out: u32,
    refused: u32,
    denied: u32,
}

impl Met {
    /// Judges one history, and asks each of its guarantees for a certificate.
    fn meet(
        &mut self,
        (judge, workload): (Judge, Workload),
        guarantees: &[Guarantee],
        text: &str,
        random: &mut Random,
    ) {
        let history = history(text);
        let requirements: Vec<Requirement> = guarantees.iter().copied().map(Requirement::new).collect();
        let settings = Settings { requirements: &requirements, budget: &Budget::default() };
        let Ok(outcome) = judge(&history, &settings) else { return };
        let certificate = certify(&history, workload, &outcome.judgements, &settings).expect("certified");
        let lines = verify_certificate(&history, &certificate);
        for judgement in outcome.judgements.iter().filter(|one| guarantees.contains(&one.guarantee)) {
            let at = certificate.claims.iter().position(|claim| claim.guarantee == judgement.guarantee.name());
            if judgement.verdict != Verdict::Holds {
                assert_eq!(at, None, "{text}");
                self.deny(&history, workload, judgement.guarantee, text, random);
                continue;
            }
            let at = at.expect("a claim of what holds");
            let claim = &certificate.claims[at];
            let Evidence::Accounts(accounts) = &claim.evidence else {
                assert!(claim.evidence == Evidence::Absent && !claim.left_out.is_empty(), "{claim:?}\n{text}");
                self.left_out += 1;
                continue;
            };
            assert!(matches!(lines[at].ruling, Ruling::Proved(_)), "{:?}\n{text}", lines[at]);
            self.proved += 1;
            for (what, tampered) in tampered(accounts, random) {
                match ruling(&history, workload, judgement.guarantee, tampered.clone()) {
                    Ruling::Refused(_) => self.refused += 1,
                    // What explains a repair can change places with what else does.
                    Ruling::Proved(_) if workload == Workload::Reconciliation && what == "swap" => {}
                    other => panic!("{what}: {other:?}\n{tampered:?}\n{text}"),
                }
            }
        }
    }

    /// However the records of what does not hold are read, no reading is accepted.
    fn deny(&mut self, history: &History, workload: Workload, of: Guarantee, text: &str, random: &mut Random) {
        let tries = if workload == Workload::Idempotency { 8 } else { 2 };
        for _ in 0..tries {
            let accounts = reading(history, workload, random);
            let ruled = ruling(history, workload, of, accounts.clone());
            assert!(!matches!(ruled, Ruling::Proved(_)), "{of}: {ruled:?} {accounts:?}\n{text}");
            self.denied += 1;
        }
    }
}

fn ruling(history: &History, workload: Workload, guarantee: Guarantee, accounts: Accounts) -> Ruling {
    let claim =
        Claim { guarantee: guarantee.name().to_owned(), evidence: Evidence::Accounts(accounts), left_out: Vec::new() };
    let certificate = Certificate {
        schema: anachron::certificate::SCHEMA.to_owned(),
        history: digest(history),
        outline: None,
        reading: None,
        workload: workload.name().to_owned(),
        claims: vec![claim],
    };
    verify_certificate(history, &certificate).remove(0).ruling
}

/// The same accounts with one thing wrong.
fn tampered(accounts: &Accounts, random: &mut Random) -> Vec<(&'static str, Accounts)> {
    let mut all = Vec::new();
    let mut at = |most: usize| usize::try_from(random.below(most as u64)).expect("an index");
    let mut change = |what, change: &mut dyn FnMut(&mut Vec<Account>) -> bool| {
        let mut changed = accounts.clone();
        if change(&mut changed.accounts) {
            all.push((what, changed));
        }
    };
    let one = at(accounts.accounts.len().max(1));
    let Some(entries) = accounts.accounts.get(one).map(|account| &account.entries) else { return all };
    let (first, second, other) = (at(entries.len()), at(entries.len()), at(accounts.accounts.len()));
    change("swap", &mut |accounts| {
        accounts[one].entries.swap(first, second);
        entries[first] != entries[second]
    });
    change("drop", &mut |accounts| {
        accounts[one].entries.remove(first);
        true
    });
    change("double", &mut |accounts| {
        accounts[one].entries.insert(first, entries[first]);
        true
    });
    change("move", &mut |accounts| {
        let moved = accounts[one].entries.remove(first);
        accounts[other].entries.push(moved);
        accounts[other].entries.sort_by_key(|entry| entry.at);
        other != one
    });
    change("drop all", &mut |accounts| {
        accounts.remove(one);
        true
    });
    change("double all", &mut |accounts| {
        accounts.push(accounts[one].clone());
        true
    });
    change("merge", &mut |accounts| {
        let more = accounts[other].entries.clone();
        accounts[one].entries.extend(more);
        accounts[one].entries.sort_by_key(|entry| entry.at);
        accounts.remove(other);
        other != one
    });
    change("unsay", &mut |accounts| {
        let said = accounts[one].entries.iter_mut().find(|entry| entry.is.is_some());
        said.map(|entry| entry.is = None).is_some()
    });
    all
}

/// One reading of the records: each in the account of what it names, as anything that it can be.
fn reading(history: &History, workload: Workload, random: &mut Random) -> Accounts {
    let values = history.values();
    let json = |value: Value| values.json(value, usize::MAX);
    let mut accounts: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let mut fixes: Vec<(u32, usize)> = Vec::new();
    let mut add = |f: Value, key: Value, value: Value, at: u32| {
        let field = |name: &str| values.get(value, name).filter(|value| !value.is_null()).unwrap_or(Value::NULL);
        let of = match (workload, values.as_str(f).unwrap_or("")) {
            (_, "audit" | "drained") => return,
            (Workload::Outbox, "commit") => values.items(field("events")).into_iter().map(json).collect(),
            (Workload::Outbox, _) => vec![json(field("event"))],
            (Workload::Reconciliation, "reconcile") => {
                fixes.push((at, values.len(field("fixes"))));
                return;
            }
            (Workload::Reconciliation, _) => vec![json(field("system"))],
            (Workload::Idempotency, _) if key.is_null() => vec![format!("intent {}", json(field("intent")))],
            (Workload::Idempotency, _) => vec![format!("{} {}", json(key), json(field("scope")))],
            _ => vec![json(key)],
        };
        for of in of {
            accounts.entry(of).or_default().push(Entry::plain(at));
        }
    };
    for op in history.ops() {
        let value = if op.argument().is_null() { op.result() } else { op.argument() };
        add(op.f(), op.key(), value, op.position());
    }
    for seen in history.observations() {
        add(seen.f, seen.key, seen.value, seen.position);
    }
    let mut accounts: Vec<Account> = accounts.into_iter().map(|(of, entries)| Account { of, entries }).collect();
    for account in &mut accounts {
        account.entries.sort_by_key(|entry| entry.at);
        account.entries.dedup();
        if workload == Workload::Idempotency {
            let all: Vec<u32> = account.entries.iter().map(|entry| entry.at).collect();
            for entry in &mut account.entries {
                entry.is = random.of(&[None, None, Some(Role::Executed), Some(Role::InFlight), Some(Role::Mismatch)]);
                let by = random.of(&all);
                entry.by = entry.is.filter(|is| *is != Role::Executed).map(|_| by);
            }
        }
    }
    let shown: Vec<u32> = (0..history.records()).collect();
    for (at, count) in fixes {
        let mut entries = vec![Entry::plain(at)];
        for _ in 0..count {
            entries.push(Entry { by: Some(random.of(&shown)), ..Entry::plain(random.of(&shown)) });
        }
        accounts.push(Account { of: "repair".to_owned(), entries });
    }
    Accounts { policy: stated(history), accounts }
}

/// The policy of the header, as a contract would write it.
fn stated(history: &History) -> BTreeMap<String, String> {
    let values = history.values();
    let policy = history.header_field("policy").unwrap_or(Value::NULL);
    let term = |(name, value): (Value, Value)| {
        let name = values.as_str(name).expect("a name").to_owned();
        let plain = |value| values.as_str(value).map_or_else(|| values.json(value, 60), str::to_owned);
        let text = match name.as_str() {
            "ttl" | "max-ttl" | "lease" | "window" => format!("{}ns", plain(value)),
            _ if value.is_list() => values.items(value).into_iter().map(plain).collect::<Vec<_>>().join("+"),
            _ => plain(value),
        };
        (name, text)
    };
    values.entries(policy).map(term).collect()
}

/// Goal: a certificate is read by people: it says which attempt was executed and why another was refused, its policy is part of
/// what is proved, and a fault is told with its account and its record.
#[test]
fn a_certificate_says_what_became_of_a_key() {
    let text = r#"{"history":{"workload":"idempotency","policy":{"mismatch":422}}}
{"type":"invoke","process":0,"f":"request","key":"k","value":{"scope":"pay","payload":{"amount":5}}}
{"type":"invoke","process":1,"f":"request","key":"k","value":{"scope":"pay","payload":{"amount":5}}}
{"type":"fail","process":1,"f":"request","key":"k","value":{"status":409}}
{"type":"info","process":"db","f":"effect","key":"k","value":{"effect":"row-1","resource":"pay_1"}}
{"type":"ok","process":0,"f":"request","key":"k","value":{"status":201,"response":{"id":"pay_1"}}}
{"type":"invoke","process":2,"f":"request","key":"k","value":{"scope":"pay","payload":{"amount":7}}}
{"type":"fail","process":2,"f":"request","key":"k","value":{"status":422}}
{"type":"info","process":"db","f":"audit","value":{"complete":true}}"#;
    let history = history(text);
    let requirements = [Requirement::new(Guarantee::Idempotent)];
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    let outcome = anachron::check::delivery::idempotency::judge(&history, &settings).expect("judged");
    let certificate = certify(&history, Workload::Idempotency, &outcome.judgements, &settings).expect("certified");
    let Evidence::Accounts(accounts) = &certificate.claims[0].evidence else { panic!("{certificate:?}") };
    let entry = |at, is, by| Entry { at, is, by };
    let expected = [
        entry(2, Some(Role::InFlight), Some(4)),
        entry(3, None, None),
        entry(4, Some(Role::Executed), None),
        entry(6, Some(Role::Mismatch), Some(4)),
    ];
    assert_eq!(accounts.accounts, [Account { of: r#""k" in "pay""#.to_owned(), entries: expected.to_vec() }]);
    let ruled = |change: &dyn Fn(&mut Accounts)| {
        let mut changed = accounts.clone();
        change(&mut changed);
        match ruling(&history, Workload::Idempotency, Guarantee::Idempotent, changed) {
            Ruling::Proved(text) | Ruling::Unproved(text) | Ruling::Refused(text) => text,
        }
    };
    let proved = "by the policy mismatch=422, in-flight=409, replay=response, cache=2xx, key=optional: 3 attempts of 1 requests, \
                  1 effects, each once";
    assert_eq!(ruled(&|_| {}), proved);
    let swapped = ruled(&|accounts| accounts.accounts[0].entries.swap(1, 2));
    assert_eq!(swapped, r#"account of "k" in "pay", record 3: it stands after a later one, or twice"#);
    let reason = ruled(&|accounts| accounts.accounts[0].entries[3].by = Some(2));
    let why = "the refusal at record 6 is not for the payload of the attempt that it names";
    assert_eq!(reason, format!(r#"account of "k" in "pay", {why}"#));
    let policy = ruled(&|accounts| drop(accounts.policy.insert("in-flight".to_owned(), "423".to_owned())));
    assert_eq!(policy, r#"account of "k" in "pay", the refusal at record 2 has not the status for its reason"#);
    let wrong = ruled(&|accounts| drop(accounts.policy.insert("tll".to_owned(), "24h".to_owned())));
    assert!(wrong.starts_with("its policy can't be: idempotent has no parameter `tll`"), "{wrong}");
}

fn rounds(usual: u64) -> u64 {
    std::env::var("ANACHRON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// Goal: what holds of an outbox is proved by its accounts, and by nothing else.
#[test]
fn outboxes() {
    let (mut numbers, mut met) = (Random::new(5), Met::default());
    for _ in 0..rounds(1500) {
        let (text, ..) = outbox::random(&mut numbers);
        let family = (anachron::check::delivery::outbox::judge as Judge, Workload::Outbox);
        met.meet(family, &[Guarantee::Outbox], &text, &mut numbers);
    }
    assert!(met.proved > 30 && met.refused > 150 && met.denied > 500 && met.left_out == 0, "{met:?}");
}

/// Goal: the same of sagas.
#[test]
fn sagas() {
    let (mut numbers, mut met) = (Random::new(6), Met::default());
    for _ in 0..rounds(1500) {
        let (text, ..) = saga::random(&mut numbers);
        met.meet((anachron::check::delivery::saga::judge, Workload::Saga), &[Guarantee::Saga], &text, &mut numbers);
    }
    assert!(met.proved > 5 && met.refused > 25 && met.denied > 500 && met.left_out == 0, "{met:?}");
}

/// Goal: the same of messages, for each guarantee.
#[test]
fn deliveries() {
    let (mut numbers, mut met) = (Random::new(7), Met::default());
    let family = (anachron::check::delivery::messages::judge as Judge, Workload::Delivery);
    for _ in 0..rounds(400) {
        let text = naive_messages::random(&mut numbers).text();
        met.meet(family, &anachron::check::delivery::messages::GUARANTEES, &text, &mut numbers);
    }
    assert!(met.proved > 50 && met.refused > 250 && met.denied > 500 && met.left_out == 0, "{met:?}");
}

/// Goal: the same of systems and repairs; a repair that no two records alone explain is left out, and that is rare.
#[test]
fn reconciliations() {
    let (mut numbers, mut met) = (Random::new(8), Met::default());
    let family = (anachron::check::delivery::reconciliation::judge as Judge, Workload::Reconciliation);
    for _ in 0..rounds(1200) {
        let text = reconciliation::random(&mut numbers).lines.join("\n");
        met.meet(family, &[Guarantee::Reconciled], &text, &mut numbers);
    }
    assert!(met.proved > 25 && met.refused > 100 && met.denied > 500 && met.left_out * 10 < met.proved, "{met:?}");
}

/// Goal: the same of idempotency keys, on histories of any kind.
#[test]
fn keys() {
    let (mut met, family) =
        (Met::default(), (anachron::check::delivery::idempotency::judge as Judge, Workload::Idempotency));
    for seed in 0..rounds(700) {
        let mut random = Random::new(seed);
        let (header, records) = naive::random_history(&mut random);
        let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
        let text = format!("{}\n{}", serde_json::json!({"history": header}), lines.join("\n"));
        met.meet(family, &[Guarantee::Idempotent], &text, &mut random);
    }
    assert!(met.proved > 5 && met.denied > 500 && met.left_out == 0, "{met:?}");
}

/// Goal: and on those of services that keep their word, or break it, with keys that expire and keys that don't.
#[test]
fn services() {
    let (mut met, family) =
        (Met::default(), (anachron::check::delivery::idempotency::judge as Judge, Workload::Idempotency));
    for seed in 0..rounds(300) {
        let mut random = Random::new(seed);
        let text = service::any(&mut random);
        met.meet(family, &[Guarantee::Idempotent], &text, &mut random);
    }
    assert!(met.proved > 80 && met.refused > 350 && met.left_out == 0, "{met:?}");
}
