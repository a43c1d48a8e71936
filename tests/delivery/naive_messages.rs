//! Messages: random histories against a naive reading of the definitions, share by share and pair by pair.

use std::collections::BTreeMap;

use anachron::check::delivery::messages;
use anachron::guarantee::Anomaly::{self, *};
use anachron::guarantee::Guarantee::{self, AtLeastOnce, AtMostOnce, EffectivelyOnce, OrderedDelivery};
use anachron::verdict::{Certainty, Verdict};

use crate::random::Random;
use crate::support::{history, judged, reasoned, verdict};

const KEYS: u64 = 3;
const GROUPS: u64 = 2;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Act {
    f: &'static str,
    key: u64,
    group: u64,
    /// Of an effect.
    id: u64,
    offset: Option<i64>,
    deduplicated: bool,
    began: u32,
    ended: u32,
    status: &'static str,
}

impl Act {
    fn may(&self) -> bool {
        self.status != "fail"
    }

    fn live(&self) -> bool {
        self.may() && !self.deduplicated
    }

    fn processed(&self) -> bool {
        self.status == "ok" && !self.deduplicated
    }
}

#[derive(Default)]
pub(crate) struct World {
    lines: Vec<String>,
    acts: Vec<Act>,
    synchronous: bool,
    window: Option<i64>,
    most: Option<i64>,
}

impl World {
    /// A record at the next position; its time is ten nanoseconds a position.
    fn line(&mut self, rest: &str) {
        self.lines.push(format!(r#"{{"time":{},{rest}}}"#, self.lines.len() * 10));
    }

    fn position(&self) -> u32 {
        u32::try_from(self.lines.len()).expect("a small history")
    }

    pub(crate) fn text(&self) -> String {
        let observers = if self.synchronous { r#","observers":"synchronous""# } else { "" };
        let mut policy = Vec::new();
        policy.extend(self.window.map(|window| format!(r#""window":{window}"#)));
        policy.extend(self.most.map(|most| format!(r#""max-attempts":{most}"#)));
        let header = format!(r#"{{"history":{{"workload":"delivery"{observers},"policy":{{{}}}}}}}"#, policy.join(","));
        format!("{header}\n{}", self.lines.join("\n"))
    }

    fn of(&self, f: &str) -> impl Iterator<Item = &Act> {
        self.acts.iter().filter(move |act| act.f == f)
    }

    fn share(&self, f: &'static str, key: u64, group: u64) -> Vec<&Act> {
        self.of(f).filter(|act| act.key == key && act.group == group).collect()
    }

    /// The offset of a delivery: its own, else that of the key's publication.
    fn offset(&self, consume: &Act) -> Option<i64> {
        consume.offset.or_else(|| self.of("publish").find(|act| act.key == consume.key && act.may())?.offset)
    }
}

pub(crate) fn random(random: &mut Random) -> World {
    let mut world = World {
        synchronous: random.chance(33),
        window: random.chance(25).then(|| 10 * random.below(8) as i64),
        most: random.chance(25).then(|| 1 + random.below(2) as i64),
        ..World::default()
    };
    let (mut open, mut next_offset) = (Vec::<usize>::new(), 0);
    let size = 3 + random.below(9) as usize;
    let mut published = [false; KEYS as usize];
    while world.acts.len() < size || !open.is_empty() {
        let (key, group, position) = (random.below(KEYS), random.below(GROUPS), world.position());
        let began = position;
        let mut act = Act {
            f: "",
            key,
            group,
            id: random.below(3),
            offset: None,
            deduplicated: false,
            began,
            ended: u32::MAX,
            status: "info",
        };
        if random.below(3) == 0 && world.acts.len() < size {
            act.f = random.of(&["effect", "effect", "effect", "dead-letter", "drained", "audit"]);
            let (f, id) = (act.f, act.id);
            let value = match f {
                "effect" => format!(r#""key":{key},"value":{{"effect":{id},"group":{group}}}"#),
                "dead-letter" => format!(r#""key":{key},"value":{{"topic":"t","group":{group}}}"#),
                "drained" => r#""value":{"topic":"t"}"#.to_owned(),
                _ => r#""value":{"complete":true}"#.to_owned(),
            };
            world.line(&format!(r#""type":"info","process":"o","f":"{f}",{value}"#));
            world.acts.push(act);
        } else if world.acts.len() < size && (open.is_empty() || random.below(2) == 0) {
            act.f = if published[key as usize] || random.below(4) == 0 { "consume" } else { "publish" };
            if act.f == "publish" {
                published[key as usize] = true;
            } else if random.chance(20) {
                // Only an offset that is true: what a broker says of one message doesn't change.
                act.offset =
                    world.of("publish").find(|one| one.key == key && one.status == "ok").and_then(|one| one.offset);
            }
            let offset = act.offset.map_or_else(|| "null".to_owned(), |offset| offset.to_string());
            let value = format!(r#"{{"topic":"t","partition":0,"offset":{offset},"group":{group}}}"#);
            let (f, process) = (act.f, world.acts.len());
            world.line(&format!(r#""type":"invoke","process":{process},"f":"{f}","key":{key},"value":{value}"#));
            open.push(world.acts.len());
            world.acts.push(act);
        } else if !open.is_empty() {
            let at = open.swap_remove(random.below(open.len() as u64) as usize);
            let status = random.of(&["ok", "ok", "ok", "ok", "fail", "info", "none"]);
            let (f, key) = (world.acts[at].f, world.acts[at].key);
            let mut value = "null".to_owned();
            if status == "ok" && f == "publish" {
                world.acts[at].offset = Some(next_offset);
                value = format!(r#"{{"topic":"t","partition":0,"offset":{next_offset}}}"#);
                next_offset += 1;
            } else if status == "ok" && random.chance(25) {
                world.acts[at].deduplicated = true;
                value = r#"{"deduplicated":true}"#.to_owned();
            }
            if status != "none" {
                world.line(&format!(r#""type":"{status}","process":{at},"f":"{f}","key":{key},"value":{value}"#));
                (world.acts[at].ended, world.acts[at].status) = (position, status);
            }
        }
    }
    world
}

type Found = BTreeMap<(Anomaly, bool), u64>;

/// The definitions.
fn naive(world: &World) -> (Found, [bool; 4]) {
    let mut found = Found::new();
    let mut owed = false;
    let audit = world.of("audit").map(|act| act.began).max();
    let has_publishes = world.of("publish").next().is_some();
    for (key, group) in (0..KEYS).flat_map(|key| (0..GROUPS).map(move |group| (key, group))) {
        let mut add = |anomaly, sure: bool| *found.entry((anomaly, sure)).or_default() += 1;
        let consumes = world.share("consume", key, group);
        let mut effects = world.share("effect", key, group);
        let mut ids = Vec::new();
        effects.retain(|effect| {
            !ids.contains(&effect.id) && {
                ids.push(effect.id);
                true
            }
        });
        let parked = world.share("dead-letter", key, group).first().map(|act| act.began);
        let group_is_known =
            world.acts.iter().any(|act| act.group == group && matches!(act.f, "consume" | "effect" | "dead-letter"));
        let recorded = world.of("effect").any(|act| act.group == group) || (audit.is_some() && group_is_known);
        let live: Vec<&&Act> = consumes.iter().filter(|act| act.live()).collect();
        let ok: Vec<&&Act> = consumes.iter().filter(|act| act.processed()).collect();
        let first = effects.first().map(|act| act.began);

        // Effects.
        if effects.len() > 1 {
            let gap = |act: &&&Act| 10 * i64::from(act.began - effects[0].began);
            let beyond = |act: &&&Act| world.window.is_some_and(|window| gap(act) > window);
            if effects[1..].iter().any(|act| !beyond(&act)) {
                add(DuplicateEffect, true);
            }
            if effects[1..].iter().any(|act| beyond(&act)) {
                add(DeduplicationWindowExceeded, true);
            }
        } else if effects.is_empty() && !recorded && live.len() > 1 {
            add(DuplicateEffect, false);
        }
        let publish = world.of("publish").find(|act| act.key == key && act.may());
        let published = publish.map_or(u32::MAX, |act| act.began);
        if first.is_some_and(|first| first < published) {
            add(GhostEffect, has_publishes);
        }
        if consumes.iter().any(|act| act.began < published) {
            add(GhostDelivery, has_publishes);
        }

        // Deliveries.
        let again = |position: u32| consumes.iter().any(|act| act.began > position);
        if first.is_some_and(again) || (!recorded && ok.iter().any(|act| again(act.ended))) {
            add(RedeliveryAfterEffect, true);
        } else {
            let last = consumes.iter().map(|act| act.began).max().unwrap_or(0);
            let cleared = audit.is_some_and(|audit| audit > last) && (first.is_none() || world.synchronous);
            if live.iter().any(|act| act.began < last) && !cleared {
                add(RedeliveryAfterEffect, false);
            }
        }
        for act in &ok {
            if first.is_some_and(|first| act.ended < first) {
                add(EarlyAcknowledgement, world.synchronous);
            }
        }
        if let Some(parked) = parked {
            let late = effects.iter().any(|act| act.began > parked);
            if ok.iter().any(|act| act.began > parked) || (late && world.synchronous) {
                add(ProcessedAfterDeadLetter, true);
            } else if late || live.iter().any(|act| act.began > parked) {
                add(ProcessedAfterDeadLetter, false);
            }
        }
        let overlap = |some: &[&&Act]| {
            some.iter().any(|a| some.iter().any(|b| a.began < b.began && a.ended != u32::MAX && a.ended > b.began))
        };
        if overlap(&ok) {
            add(ConcurrentProcessing, true);
        } else if overlap(&live) {
            add(ConcurrentProcessing, false);
        }
        for act in consumes.iter().filter(|act| act.deduplicated) {
            let earlier = live.iter().any(|one| one.began < act.ended);
            let shown = first.is_some_and(|first| first < act.ended);
            let without = match first {
                None => audit.is_some_and(|audit| audit > act.ended),
                Some(_) => world.synchronous,
            };
            if !shown && (!earlier || without) {
                add(FalseDeduplication, publish.is_some());
            }
        }
        if world.most.is_some_and(|most| consumes.len() as i64 > most) {
            add(MaxAttemptsExceeded, true);
        }

        // What is owed.
        if let Some(publish) = publish.filter(|act| act.status == "ok") {
            let at = publish.offset.expect("an offset");
            let before = |act: &&Act| world.offset(act).is_some_and(|offset| offset <= at);
            let sure = !consumes.is_empty() || world.of("consume").any(|act| act.group == group && before(&act));
            let perhaps = sure || world.of("consume").any(|act| act.group == group && world.offset(act).is_none());
            owed |= sure;
            let acknowledged =
                |act: &&Act| act.processed() || (act.deduplicated && live.iter().any(|one| one.began < act.ended));
            let explained = !recorded && consumes.iter().any(acknowledged);
            if perhaps && first.is_none() && parked.is_none() && !explained {
                let drained = world.of("drained").map(|act| act.began).max().filter(|drained| *drained > publish.ended);
                let over = |act: &&&Act| {
                    let until = if act.status == "ok" { act.ended } else { drained.unwrap_or(u32::MAX).max(act.began) };
                    drained.is_some_and(|drained| drained > act.began) && audit.is_some_and(|audit| audit > until)
                };
                add(LostMessage, sure && drained.is_some() && live.iter().all(over));
            }
        }

        // Order.
        let offset = consumes.iter().find_map(|act| world.offset(act));
        let higher = world.of("consume").filter(|act| {
            act.group == group && act.status == "ok" && world.offset(act).zip(offset).is_some_and(|(a, b)| a > b)
        });
        if let Some(end) = higher.map(|act| act.ended).min() {
            let all_after = |some: &[&&Act]| !some.is_empty() && some.iter().all(|act| act.began > end);
            let seen = first.is_some_and(|first| first < end);
            let late = if ok.is_empty() { all_after(&live) } else { all_after(&ok) };
            if late && !seen {
                add(DeliveryInversion, all_after(&live) && (!ok.is_empty() || first.is_some()));
            }
        }
    }
    let comparable = (0..GROUPS).any(|group| {
        let turn = |key: u64| {
            let consumes = world.share("consume", key, group);
            let done = consumes.iter().any(|act| act.processed()) || !world.share("effect", key, group).is_empty();
            done && consumes.iter().any(|act| world.offset(act).is_some())
        };
        (0..KEYS).filter(|key| turn(*key)).count() > 1
    });
    let acted = world.of("consume").next().is_some() || world.of("effect").next().is_some();
    (found, [owed, owed, acted, comparable])
}

const RULES: [(Guarantee, &[Anomaly]); 4] = [
    (EffectivelyOnce, &[LostMessage, MaxAttemptsExceeded, DuplicateEffect, DeduplicationWindowExceeded, GhostEffect]),
    (AtLeastOnce, &[LostMessage, MaxAttemptsExceeded]),
    (AtMostOnce, &[DuplicateEffect, DeduplicationWindowExceeded, RedeliveryAfterEffect]),
    (OrderedDelivery, &[DeliveryInversion]),
];

/// Goal: on small histories, broken ones and whole ones, counts and verdicts are those of a naive reading, and what is found is
/// confirmed from the history.
#[test]
fn agrees_with_a_naive_reading() {
    let rounds = std::env::var("ANACHRON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2500);
    let mut numbers = Random::new(11);
    let mut seen = BTreeMap::new();
    for round in 0..rounds {
        let world = random(&mut numbers);
        let text = world.text();
        let history = history(&text);
        let outcome = judged(messages::judge, EffectivelyOnce, &history, "");
        let sure = |certainty| certainty == Certainty::Certain;
        let found: Found = outcome.findings.iter().map(|one| ((one.anomaly, sure(one.certainty)), one.count)).collect();
        let (expected, evidence) = naive(&world);
        assert_eq!(found, expected, "round {round}\n{text}");
        reasoned(&history, &outcome, &text);
        for ((guarantee, rules), evidence) in RULES.into_iter().zip(evidence) {
            let against = |sure| rules.iter().any(|anomaly| expected.contains_key(&(*anomaly, sure)));
            let due = match (against(true), against(false), evidence) {
                (true, ..) => Verdict::Violated,
                (_, false, true) => Verdict::Holds,
                _ => Verdict::Unknown,
            };
            assert_eq!(verdict(&outcome, guarantee), due, "round {round}: {guarantee}\n{text}");
            *seen.entry((guarantee, due.name())).or_insert(0) += 1;
        }
        for key in expected.keys() {
            *seen.entry((EffectivelyOnce, key.0.name())).or_insert(0) += 1;
        }
    }
    assert!(seen.values().all(|count| *count > 10), "some are hardly met: {seen:?}");
    assert!(seen.len() >= 12 + messages::CLASSES.len(), "some are never met: {seen:?}");
}
