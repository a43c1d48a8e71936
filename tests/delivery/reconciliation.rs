//! Reconciliation: the smallest histories, and random ones against a naive reading of the definition.

use std::collections::BTreeMap;

use anachron::check::delivery::reconciliation::{self, CLASSES};
use anachron::guarantee::Anomaly::{self, *};
use anachron::guarantee::Guarantee::Reconciled;
use anachron::verdict::{Certainty, Outcome, Verdict};
use anachron::workload::Workload;

use crate::litmus;
use crate::random::Random;
use crate::recorded::measure;
use crate::support::{certain, confirmed, history, judged, judgement, reasoned, verdict};

fn judge(lines: &[&str]) -> Outcome {
    judged(reconciliation::judge, Reconciled, &history(&lines.join("\n")), "")
}

/// Goal: each class is found in the smallest history that has it, and not in the one beside it.
#[test]
fn litmus() {
    litmus::check("reconciliation", reconciliation::judge, Workload::Reconciliation, &[]);
    let pairs = CLASSES.map(|class| format!("{class}-violated.jsonl"));
    assert_eq!(pairs.iter().find(|name| !litmus::exists("reconciliation", name)), None);
}

const LEDGER: &str =
    r#"{"type":"info","process":"a","f":"snapshot","value":{"system":"ledger","entries":{"pay_8":500}}}"#;
const PROVIDER: &str =
    r#"{"type":"info","process":"a","f":"snapshot","value":{"system":"provider","entries":{"pay_8":500,"pay_9":500}}}"#;
const REPAIR: &str = r#"{"type":"ok","process":7,"f":"reconcile","value":{"fixes":[{"system":"ledger","id":"pay_9","from":null,"to":500}]}}"#;

/// Goal: the example of the vocabulary: without a snapshot after the repair nobody knows whether it worked, and with one it
/// holds; one system alone says nothing.
#[test]
fn a_repair_is_seen_in_the_snapshot_after_it() {
    assert_eq!(verdict(&judge(&[LEDGER, PROVIDER]), Reconciled), Verdict::Violated);
    let repaired = judge(&[LEDGER, PROVIDER, REPAIR]);
    assert_eq!(verdict(&repaired, Reconciled), Verdict::Unknown);
    confirmed(&repaired, "repaired");
    let reason = judgement(&repaired, Reconciled).reason.clone().unwrap_or_default();
    assert!(reason.contains("a snapshot after the repair would decide"), "{reason}");
    let after = PROVIDER.replace("provider", "ledger");
    assert_eq!(verdict(&judge(&[LEDGER, PROVIDER, REPAIR, &after]), Reconciled), Verdict::Holds);
    assert_eq!(verdict(&judge(&[LEDGER, PROVIDER, REPAIR, LEDGER]), Reconciled), Verdict::Violated);
    let alone = judge(&[LEDGER]);
    assert_eq!(verdict(&alone, Reconciled), Verdict::Unknown);
    assert_eq!(verdict(&judge(&[LEDGER, LEDGER]), Reconciled), Verdict::Unknown);
}

/// Goal: counts are of ids, for each system that lacks them, and an authority that nobody has seen leaves it open.
#[test]
fn differences_are_counted() {
    let third = r#"{"type":"info","process":"a","f":"snapshot","value":{"system":"app","entries":[["pay_9",400],["pay_7",1]]}}"#;
    let outcome = judge(&[LEDGER, PROVIDER, third]);
    // pay_8 lacks in app, pay_9 in ledger, pay_7 in both others.
    assert_eq!((certain(&outcome, MissingEntry), certain(&outcome, EntryMismatch)), (4, 1));
    assert_eq!(measure(&outcome, "missing_in"), serde_json::json!({"ledger": 2, "provider": 1, "app": 1}));
    let agreed = history(&[PROVIDER, &PROVIDER.replace("provider", "ledger")].join("\n"));
    let outcome = judged(reconciliation::judge, Reconciled, &agreed, "authority=bank");
    assert_eq!(verdict(&outcome, Reconciled), Verdict::Unknown);
    assert!(judgement(&outcome, Reconciled).reason.as_ref().is_some_and(|reason| reason.contains("\"bank\"")));
    assert_eq!(verdict(&judged(reconciliation::judge, Reconciled, &agreed, ""), Reconciled), Verdict::Holds);
}

/// Goal: a map's key is the integer that lists name, and what can't be read is refused with its record.
#[test]
fn ids_and_shapes() {
    let map = r#"{"type":"info","process":"a","f":"snapshot","value":{"system":"x","entries":{"7":1}}}"#;
    let list = r#"{"type":"info","process":"a","f":"snapshot","value":{"system":"y","entries":[[7,1]]}}"#;
    assert_eq!(verdict(&judge(&[map, list]), Reconciled), Verdict::Holds);
    let text = list.replace("[7,1]", r#"["7",1]"#);
    assert_eq!(verdict(&judge(&[map, &text]), Reconciled), Verdict::Holds);
    use anachron::budget::Budget;
    use anachron::check::Settings;
    for (line, message) in [
        (list.replace("[[7,1]]", "[7]"), "an entry of this snapshot is 7"),
        (list.replace("[[7,1]]", "3"), "the `entries` of this snapshot are 3"),
        (list.replace(r#""system":"y","#, ""), "names no system"),
        (REPAIR.replace(r#""id":"pay_9","#, ""), "a fix of this repair is"),
        (REPAIR.replace("reconcile", "repair"), "no part of the reconciliation workload"),
    ] {
        let history = history(&[map, &line].join("\n"));
        let settings = Settings { requirements: &[], budget: &Budget::default() };
        let error = reconciliation::judge(&history, &settings).expect_err(&line);
        assert_eq!(error.position, Some(1), "{line}");
        assert!(error.message.contains(message), "{line}: {error:?}");
    }
}

const SYSTEMS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
struct Shot {
    system: usize,
    position: u32,
    entries: Vec<(u64, Option<u64>)>,
}

#[derive(Clone, Debug)]
struct Repair {
    fixes: Vec<(usize, u64, Option<u64>)>,
    began: u32,
    ended: u32,
    status: &'static str,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) lines: Vec<String>,
    shots: Vec<Shot>,
    repairs: Vec<Repair>,
    authority: bool,
}

fn text(value: Option<u64>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

pub(crate) fn random(random: &mut Random) -> World {
    let mut world = World { authority: random.chance(30), ..World::default() };
    let authority = if world.authority { r#","policy":{"authority":"b"}"# } else { "" };
    world.lines.push(format!(r#"{{"history":{{"workload":"reconciliation"{authority}}}}}"#));
    let systems = 1 + random.below(5).min(2) as usize;
    let size = 2 + random.below(7) as usize;
    let mut open: Vec<usize> = Vec::new();
    let (calm, seen_first) = (random.chance(60), random.chance(80));
    let value = |random: &mut Random| (!random.chance(15)).then(|| if calm { 0 } else { random.below(2) });
    while world.lines.len() <= size || !open.is_empty() {
        let position = u32::try_from(world.lines.len() - 1).expect("few");
        let more = world.lines.len() <= size;
        // Mostly a snapshot of each system comes first: else repairs rest on nothing.
        let begins = seen_first && world.shots.len() < systems;
        if begins || (more && random.chance(40)) {
            let system = if begins { world.shots.len() } else { random.below(systems as u64) as usize };
            let mut entries = Vec::new();
            for id in 0..2 {
                let times = if random.chance(6) { 2 } else { u64::from(random.chance(75)) };
                (0..times).for_each(|_| entries.push((id, value(random))));
            }
            let listed: Vec<String> = entries.iter().map(|(id, value)| format!("[{id},{}]", text(*value))).collect();
            let shown = format!(r#"{{"system":"{}","entries":[{}]}}"#, SYSTEMS[system], listed.join(","));
            world.lines.push(format!(r#"{{"type":"info","process":"o","f":"snapshot","value":{shown}}}"#));
            world.shots.push(Shot { system, position, entries });
        } else if more && (open.is_empty() || random.chance(30)) {
            let process = world.repairs.len();
            let fixes: Vec<_> = (0..1 + random.below(2))
                .map(|_| (random.below(systems as u64) as usize, random.below(2), value(random)))
                .collect();
            let listed: Vec<String> = fixes
                .iter()
                .map(|(system, id, to)| format!(r#"{{"system":"{}","id":{id},"to":{}}}"#, SYSTEMS[*system], text(*to)))
                .collect();
            let asked = format!(r#"{{"fixes":[{}]}}"#, listed.join(","));
            world.lines.push(format!(r#"{{"type":"invoke","process":{process},"f":"reconcile","value":{asked}}}"#));
            world.repairs.push(Repair { fixes, began: position, ended: u32::MAX, status: "info" });
            open.push(process);
        } else if !open.is_empty() {
            let at = open.swap_remove(random.below(open.len() as u64) as usize);
            let status = random.of(&["ok", "ok", "ok", "fail", "info", "none"]);
            if status != "none" {
                world.lines.push(format!(r#"{{"type":"{status}","process":{at},"f":"reconcile"}}"#));
                (world.repairs[at].ended, world.repairs[at].status) = (position, status);
            }
        }
    }
    world
}

/// What a system may have under an id: values, and whether a repair left them, so that null may be none.
type Content = (Vec<Option<u64>>, bool);

fn agree(a: &Content, b: &Content) -> bool {
    let nothing = |one: &Content| one.0.iter().all(Option::is_none);
    a.0.len() < 2 && b.0.len() < 2 && (a.0 == b.0 || ((a.1 || b.1) && nothing(a) && nothing(b)))
}

impl World {
    fn found(&self, shot: &Shot, id: u64) -> Vec<Option<u64>> {
        let mut found: Vec<_> = shot.entries.iter().filter(|(one, _)| *one == id).map(|(_, value)| *value).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// All that a repair can have seen; `open`: whether what others may have changed is taken for changed.
    fn seen(&self, of: usize, system: usize, id: u64, open: Option<bool>) -> Vec<Content> {
        let repair = &self.repairs[of];
        let shots: Vec<&Shot> = self.shots.iter().filter(|shot| shot.system == system).collect();
        let last = shots.iter().filter(|shot| shot.position < repair.began).map(|shot| shot.position).max();
        let may = |shot: &&&Shot| {
            Some(shot.position) == last || (shot.position > repair.began && shot.position < repair.ended)
        };
        let mut contents = Vec::new();
        for shot in shots.iter().filter(may) {
            let mut content = (self.found(shot, id), false);
            let (mut done, mut unsure) = (0, Vec::new());
            for (at, other) in self.repairs.iter().enumerate() {
                let since = other.ended > shot.position && other.began < repair.ended;
                if at == of || other.status == "fail" || !since || open.is_none() {
                    continue;
                }
                for (_, _, to) in other.fixes.iter().filter(|fix| (fix.0, fix.1) == (system, id)) {
                    if other.status != "ok" || other.ended > repair.began {
                        unsure.push((vec![*to], true));
                    } else if other.ended >= done {
                        (done, content) = (other.ended, (vec![*to], true));
                    }
                }
            }
            if open == Some(true) && !unsure.is_empty() {
                contents.extend(unsure);
            } else {
                contents.push(content);
            }
        }
        contents
    }

    fn differ(&self, of: usize, system: usize, id: u64, open: Option<bool>) -> Option<bool> {
        let own = self.seen(of, system, id, open);
        let others: Vec<Content> = (0..SYSTEMS.len())
            .filter(|other| *other != system)
            .flat_map(|other| self.seen(of, other, id, open))
            .collect();
        let apart = own.iter().any(|a| others.iter().any(|b| !agree(a, b)));
        (apart || (!own.is_empty() && !others.is_empty())).then_some(apart)
    }
}

type Found = BTreeMap<(Anomaly, bool), u64>;

fn naive(world: &World) -> (Found, bool) {
    let mut found = Found::new();
    let mut add = |anomaly, sure: bool| *found.entry((anomaly, sure)).or_default() += 1;
    let last: Vec<&Shot> =
        (0..SYSTEMS.len()).filter_map(|system| world.shots.iter().rev().find(|shot| shot.system == system)).collect();
    for id in 0..2 {
        let all: Vec<Vec<Option<u64>>> = last.iter().map(|shot| world.found(shot, id)).collect();
        for shot in &last {
            if shot.entries.iter().filter(|(one, _)| *one == id).count() > 1 {
                add(DuplicateEntry, last.len() > 1);
            }
        }
        let left: Vec<Content> = last
            .iter()
            .map(|shot| {
                let later = world.repairs.iter().filter(|one| one.status != "fail" && one.ended > shot.position);
                let fixes = later.flat_map(|one| one.fixes.iter().map(move |fix| (one.ended, fix)));
                let fixes = fixes.filter(|(_, fix)| (fix.0, fix.1) == (shot.system, id));
                let to = fixes.max_by_key(|(ended, _)| *ended).map(|(_, fix)| fix.2);
                to.map_or_else(|| (world.found(shot, id), false), |to| (vec![to], true))
            })
            .collect();
        let settled = left.iter().all(|a| a.0.len() < 2 && left.iter().all(|b| agree(a, b)));
        let has: Vec<_> = all.iter().filter(|found| !found.is_empty()).collect();
        if !has.is_empty() {
            (has.len()..all.len()).for_each(|_| add(MissingEntry, !settled));
        }
        if has.iter().any(|a| has.iter().any(|b| a != b)) {
            add(EntryMismatch, !settled);
        }
    }
    for (at, repair) in world.repairs.iter().enumerate().filter(|(_, repair)| repair.status == "ok") {
        for &(system, id, to) in &repair.fixes {
            let readings = [Some(false), Some(true)].map(|open| world.differ(at, system, id, open));
            if readings != [Some(true); 2] {
                let again = world.differ(at, system, id, None) == Some(true);
                let sure = readings == [Some(false); 2];
                add(if again { RepeatedRepair } else { OverCorrection }, sure);
            }
            if world.authority {
                let named = world.shots.iter().any(|shot| shot.system == 1)
                    || world.repairs.iter().any(|one| one.fixes.iter().any(|fix| fix.0 == 1));
                let right = world.seen(at, 1, id, Some(false));
                if named && system == 1 {
                    add(AuthorityOverruled, true);
                } else if named && !right.iter().any(|content| agree(content, &(vec![to], true))) {
                    add(AuthorityOverruled, !right.is_empty());
                }
            }
        }
    }
    let decided = last.len() > 1 && (!world.authority || last.iter().any(|shot| shot.system == 1));
    (found, decided)
}

/// Goal: on small histories, broken ones and whole ones, counts and verdict are those of a naive reading, and what is found is
/// confirmed from the history.
#[test]
fn agrees_with_a_naive_reading() {
    let rounds = std::env::var("ANACHRON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3000);
    let mut numbers = Random::new(23);
    let mut seen = BTreeMap::new();
    for round in 0..rounds {
        let world = random(&mut numbers);
        let text = world.lines.join("\n");
        if world.lines.len() < 2 {
            continue;
        }
        let history = history(&text);
        let outcome = judged(reconciliation::judge, Reconciled, &history, "");
        let sure = |certainty| certainty == Certainty::Certain;
        let found: Found = outcome.findings.iter().map(|one| ((one.anomaly, sure(one.certainty)), one.count)).collect();
        let (expected, decided) = naive(&world);
        assert_eq!(found, expected, "round {round}\n{text}");
        reasoned(&history, &outcome, &text);
        let due = match (expected.keys().any(|(_, sure)| *sure), expected.is_empty() && decided) {
            (true, _) => Verdict::Violated,
            (_, true) => Verdict::Holds,
            _ => Verdict::Unknown,
        };
        assert_eq!(verdict(&outcome, Reconciled), due, "round {round}\n{text}");
        *seen.entry(due.name().to_owned()).or_insert(0) += 1;
        for (anomaly, sure) in expected.keys() {
            *seen.entry(format!("{anomaly} {sure}")).or_insert(0) += 1;
        }
    }
    assert!(seen.values().all(|count| *count > 10), "some are hardly met: {seen:?}");
    assert!(seen.len() >= 3 + 2 * CLASSES.len(), "some are never met: {seen:?}");
}
