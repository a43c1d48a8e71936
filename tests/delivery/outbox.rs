//! The outbox: recorded histories, and random ones against a naive reading of the definition.

use std::collections::BTreeMap;

use anachron::check::delivery::outbox::{self, CLASSES};
use anachron::guarantee::Anomaly::{self, *};
use anachron::guarantee::Guarantee;
use anachron::verdict::{Certainty, Outcome, Verdict};
use anachron::workload::Workload;

use crate::litmus;
use crate::random::Random;
use crate::recorded::{classes, measure};
use crate::support::{certain, confirmed, history, judged, reasoned, recorded, verdict};

fn judge(name: &str) -> Option<Outcome> {
    Some(judged(outbox::judge, Guarantee::Outbox, &recorded(name)?, ""))
}

/// Goal: each class is found in the smallest history that has it, and not in the one beside it.
#[test]
fn litmus() {
    litmus::check("outbox", outbox::judge, Workload::Outbox, &[]);
    let pairs = CLASSES.map(|class| format!("{class}-violated.jsonl"));
    assert_eq!(pairs.iter().find(|name| !litmus::exists("outbox", name)), None);
}

/// Goal: a real outbox holds, and its 13 duplicates are counted; where they are forbidden, they are what breaks it.
#[test]
fn an_outbox_holds_with_duplicates() {
    let Some(outcome) = judge("outbox") else { return };
    assert_eq!(verdict(&outcome, Guarantee::Outbox), Verdict::Holds);
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
    assert_eq!(measure(&outcome, "duplicates"), 13);
    assert_eq!(measure(&outcome, "outbox_lag_ns")["count"], 281);
    let Some(history) = recorded("outbox") else { return };
    let strict = judged(outbox::judge, Guarantee::Outbox, &history, "duplicates=forbidden");
    assert_eq!(classes(&strict), [(DuplicatePublish, 13)]);
}

/// Goal: publishing after the commit, without an outbox, loses 10 events, 6 of which were passed over; its publishes that
/// complete out of order overlap, which is no inversion.
#[test]
fn publishing_after_the_commit_loses_events() {
    let Some(outcome) = judge("outbox-commit-first") else { return };
    assert_eq!(verdict(&outcome, Guarantee::Outbox), Verdict::Violated);
    assert_eq!(classes(&outcome), [(MissingPublish, 10), (PublishGap, 6)]);
    assert_eq!((measure(&outcome, "missing"), measure(&outcome, "passed_over")), (10.into(), 6.into()));
    confirmed(&outcome, "recorded");
}

/// Goal: publishing before the commit leaves 22 events of changes that were rolled back.
#[test]
fn publishing_before_the_commit_leaves_phantoms() {
    let Some(outcome) = judge("outbox-publish-first") else { return };
    assert_eq!(verdict(&outcome, Guarantee::Outbox), Verdict::Violated);
    assert_eq!(classes(&outcome), [(PhantomPublish, 22)]);
    assert_eq!(certain(&outcome, PhantomPublish), 22);
    confirmed(&outcome, "recorded");
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Act {
    commit: bool,
    event: u64,
    aggregate: u64,
    version: u64,
    payload: u64,
    began: u32,
    ended: u32,
    status: &'static str,
}

impl Act {
    fn record(&self, process: usize, kind: &str) -> String {
        let Act { event, aggregate, version, payload, .. } = self;
        let (f, value) = if self.commit {
            ("commit", format!(r#"{{"aggregate":{aggregate},"version":{version},"events":[{event}]}}"#))
        } else {
            let value = format!(r#""event":{event},"aggregate":{aggregate},"version":{version},"payload":{payload}"#);
            ("publish", format!("{{{value}}}"))
        };
        format!(r#"{{"type":"{kind}","process":{process},"f":"{f}","value":{value}}}"#)
    }
}

/// A random history: its records, its operations, and where it was drained.
pub(crate) fn random(random: &mut Random) -> (String, Vec<Act>, Option<u32>) {
    let mut acts: Vec<Act> = Vec::new();
    let mut lines = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut drained = None;
    let wild = random.below(3) == 0;
    let size = 2 + random.below(7) as usize;
    while acts.len() < size || !open.is_empty() {
        let position = lines.len() as u32;
        if random.below(12) == 0 {
            drained = Some(position);
            lines.push(r#"{"type":"info","process":"broker","f":"drained"}"#.to_owned());
        } else if acts.len() < size && (open.is_empty() || random.below(2) == 0) {
            let event = random.below(4);
            let odd = |random: &mut Random, usual: u64| if wild && random.chance(16) { usual + 1 } else { usual };
            let act = Act {
                commit: random.below(2) == 0,
                event,
                aggregate: odd(random, event / 2),
                version: odd(random, 1 + event % 2),
                payload: odd(random, 0),
                began: position,
                ended: u32::MAX,
                status: "info",
            };
            lines.push(act.record(acts.len(), "invoke"));
            open.push(acts.len());
            acts.push(act);
        } else {
            let at = open.swap_remove(random.below(open.len() as u64) as usize);
            let status = random.of(&["ok", "ok", "ok", "fail", "info", "none"]);
            if status != "none" {
                lines.push(acts[at].record(at, status));
                acts[at].ended = position;
                acts[at].status = status;
            }
        }
    }
    (lines.join("\n"), acts, drained)
}

/// The definition, event by event and pair by pair.
fn naive(acts: &[Act], drained: Option<u32>) -> BTreeMap<(Anomaly, bool), u64> {
    let mut found: BTreeMap<(Anomaly, bool), u64> = BTreeMap::new();
    let mut add = |anomaly, sure| *found.entry((anomaly, sure)).or_default() += 1;
    let of = |event: u64, commit: bool| -> Vec<Act> {
        acts.iter().filter(|act| act.event == event && act.commit == commit && act.status != "fail").copied().collect()
    };
    let ok = |acts: &[Act]| acts.iter().filter(|act| act.status == "ok").copied().collect::<Vec<Act>>();
    // The commit that gives an event its place: the first that is `ok`, else the first that may be.
    let home = |event: u64| {
        let all = of(event, true);
        ok(&all).into_iter().min_by_key(|act| act.ended).or(all.into_iter().min_by_key(|act| act.began))
    };
    for event in 0..4 {
        let (commits, publishes) = (of(event, true), of(event, false));
        let (committed, published) = (ok(&commits), ok(&publishes));
        let payloads = |acts: &[Act]| acts.iter().any(|a| acts.iter().any(|b| a.payload != b.payload));
        if payloads(&publishes) {
            add(DivergentEvent, payloads(&published));
        }
        let above: Vec<Act> = (0..4)
            .filter(|other| match (home(event), home(*other)) {
                (Some(mine), Some(its)) => mine.aggregate == its.aggregate && mine.version < its.version,
                _ => false,
            })
            .flat_map(|other| ok(&of(other, false)))
            .collect();
        if let Some(commit) = committed.iter().min_by_key(|act| act.ended)
            && published.is_empty()
        {
            let sure = publishes.is_empty() && drained.is_some_and(|drained| drained > commit.ended);
            add(MissingPublish, sure);
            if !above.is_empty() {
                add(PublishGap, sure);
            }
        }
        if commits.is_empty() {
            if !publishes.is_empty() {
                add(PhantomPublish, !published.is_empty());
            }
            continue;
        }
        if published.iter().any(|publish| commits.iter().all(|commit| publish.ended < commit.began)) {
            add(EarlyPublish, true);
        }
        let agrees = |act: &Act| commits.iter().any(|one| (one.aggregate, one.version) == (act.aggregate, act.version));
        if !publishes.iter().all(agrees) {
            add(EventVersionMismatch, !published.iter().all(agrees));
        }
        let after = |acts: &[Act]| above.iter().any(|higher| acts.iter().all(|act| act.began > higher.ended));
        if !published.is_empty() && after(&published) {
            add(PublishInversion, after(&publishes));
        }
    }
    found
}

/// Goal: on small histories, broken ones and whole ones, counts and verdict are those of a naive reading, and what is found is
/// confirmed from the history.
#[test]
fn agrees_with_a_naive_reading() {
    let mut random_numbers = Random::new(5);
    let mut holds = 0;
    for round in 0..3000 {
        let (text, acts, drained) = random(&mut random_numbers);
        let history = history(&text);
        let outcome = judged(outbox::judge, Guarantee::Outbox, &history, "");
        let found: BTreeMap<(Anomaly, bool), u64> = outcome
            .findings
            .iter()
            .map(|finding| ((finding.anomaly, finding.certainty == Certainty::Certain), finding.count))
            .collect();
        let expected = naive(&acts, drained);
        assert_eq!(found, expected, "round {round}\n{text}");
        reasoned(&history, &outcome, &text);
        let nothing = !acts.iter().any(|act| act.status == "ok");
        let verdict = verdict(&outcome, Guarantee::Outbox);
        let due = match (expected.keys().any(|(_, sure)| *sure), expected.is_empty() && !nothing) {
            (true, _) => Verdict::Violated,
            (_, true) => Verdict::Holds,
            _ => Verdict::Unknown,
        };
        assert_eq!(verdict, due, "round {round}\n{text}");
        holds += u32::from(verdict == Verdict::Holds);
    }
    assert!(holds > 50, "only {holds} histories hold: the generator is too wild");
}
