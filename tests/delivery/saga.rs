//! Sagas: recorded histories, and random ones against a naive reading of the definition.

use std::collections::BTreeMap;

use anachron::check::delivery::saga::{self, CLASSES};
use anachron::guarantee::Anomaly::{self, *};
use anachron::guarantee::Guarantee;
use anachron::verdict::{Certainty, Outcome, Verdict};
use anachron::workload::Workload;

use crate::litmus;
use crate::random::Random;
use crate::recorded::{classes, measure};
use crate::support::{confirmed, history, judged, reasoned, recorded, verdict};

fn judge(name: &str) -> Option<Outcome> {
    let outcome = judged(saga::judge, Guarantee::Saga, &recorded(name)?, "");
    confirmed(&outcome, name);
    Some(outcome)
}

/// Goal: each class is found in the smallest history that has it, and not in the one beside it.
#[test]
fn litmus() {
    litmus::check("saga", saga::judge, Workload::Saga, &[]);
    let pairs = CLASSES.map(|class| format!("{class}-violated.jsonl"));
    assert_eq!(pairs.iter().find(|name| !litmus::exists("saga", name)), None);
}

/// Goal: sagas whose failures are compensated hold, and the others show what was counted when they were recorded.
#[test]
fn recorded_sagas() {
    let Some(outcome) = judge("saga") else { return };
    assert_eq!(verdict(&outcome, Guarantee::Saga), Verdict::Holds);
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
    assert_eq!(measure(&outcome, "compensation_ratio"), 0.14, "56 of 400");
    assert_eq!(measure(&outcome, "saga_duration_ns")["count"], 400);
    let broken = [
        ("saga-dangling", DanglingSaga, 34),
        ("saga-missing-compensation", MissingCompensation, 14),
        ("saga-double-compensation", DoubleCompensation, 15),
    ];
    for (name, class, count) in broken {
        let Some(outcome) = judge(name) else { return };
        assert_eq!(verdict(&outcome, Guarantee::Saga), Verdict::Violated, "{name}");
        assert_eq!(classes(&outcome), [(class, count)], "{name}");
        if class == DanglingSaga {
            assert_eq!(measure(&outcome, "dangling_with_every_step_done"), 10);
        }
    }
}

const STEPS: [(&str, &str); 3] = [("a", "compensatable"), ("b", "pivot"), ("c", "retriable")];

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Act {
    what: &'static str,
    /// An index into `STEPS`, or the identity of an effect above it.
    step: usize,
    id: u64,
    began: u32,
    ended: u32,
    status: &'static str,
}

/// A random saga: its records, what they say, and where it was audited.
pub(crate) fn random(random: &mut Random) -> (String, Vec<Act>, Option<u32>) {
    let plan = STEPS.map(|(step, kind)| format!(r#"{{"step":"{step}","kind":"{kind}","compensation":"x"}}"#)).join(",");
    let mut lines = vec![format!(r#"{{"type":"invoke","process":0,"f":"saga","key":1,"value":{{"plan":[{plan}]}}}}"#)];
    let mut acts = vec![Act { what: "saga", step: 0, id: 0, began: 0, ended: u32::MAX, status: "info" }];
    let mut open: Vec<usize> = Vec::new();
    let mut audit = None;
    let size = 1 + random.below(7) as usize;
    let mut planned = 0;
    while acts.len() < size || !open.is_empty() {
        let position = lines.len() as u32;
        if random.chance(8) {
            audit = Some(position);
            lines.push(r#"{"type":"info","process":"store","f":"audit","value":{"complete":true}}"#.to_owned());
        } else if acts.len() < size && (open.is_empty() || random.chance(30)) {
            let what = random.of(&["step", "step", "step", "compensate", "do", "undo"]);
            let step = if what == "step" && planned < 3 && random.chance(70) {
                planned += 1;
                planned - 1
            } else {
                random.below(3) as usize
            };
            let (name, id) = (STEPS[step].0, random.below(2));
            let act = Act { what, step, id, began: position, ended: position, status: "ok" };
            if matches!(what, "do" | "undo") {
                let value = format!(r#"{{"step":"{name}","kind":"{what}","effect":{id}}}"#);
                lines.push(format!(r#"{{"type":"info","process":"store","f":"effect","key":1,"value":{value}}}"#));
                acts.push(act);
            } else {
                open.push(acts.len());
                lines.push(record(acts.len(), "invoke", &act));
                acts.push(Act { ended: u32::MAX, status: "info", ..act });
            }
        } else if !open.is_empty() {
            let at = open.swap_remove(random.below(open.len() as u64) as usize);
            let status = random.of(&["ok", "ok", "ok", "fail", "info", "none"]);
            if status != "none" {
                lines.push(record(at, status, &acts[at]));
                acts[at].ended = position;
                acts[at].status = status;
            }
        }
    }
    let status = random.of(&["ok", "fail", "ok", "fail", "info"]);
    acts[0].ended = lines.len() as u32;
    acts[0].status = status;
    lines.push(format!(r#"{{"type":"{status}","process":0,"f":"saga","key":1}}"#));
    if random.chance(50) {
        audit = Some(lines.len() as u32);
        lines.push(r#"{"type":"info","process":"store","f":"audit","value":{"complete":true}}"#.to_owned());
    }
    (lines.join("\n"), acts, audit)
}

fn record(process: usize, kind: &str, act: &Act) -> String {
    let (f, step) = (act.what, STEPS[act.step].0);
    format!(r#"{{"type":"{kind}","process":{process},"f":"{f}","key":1,"value":{{"step":"{step}"}}}}"#)
}

/// The definition, step by step and pair by pair.
fn naive(acts: &[Act], audit: Option<u32>) -> BTreeMap<(Anomaly, bool), u64> {
    let of = |what: &str, step: usize| -> Vec<Act> {
        acts.iter().filter(|act| act.what == what && act.step == step && act.status != "fail").copied().collect()
    };
    let ok =
        |what: &str, step: usize| of(what, step).into_iter().filter(|act| act.status == "ok").collect::<Vec<Act>>();
    let last = |act: &Act| if act.ended == u32::MAX { act.began } else { act.ended };
    let done = |step| !ok("step", step).is_empty() || !ok("do", step).is_empty();
    let undone = |step| !ok("compensate", step).is_empty() || !ok("undo", step).is_empty();
    let tried = |step| of("step", step).iter().any(|act| act.status == "info");
    let uncleared = |act: &Act| act.status == "info" && audit.is_none_or(|audit| audit < last(act));
    let perhaps = |step| !done(step) && of("step", step).iter().any(uncleared);
    let mut found: BTreeMap<Anomaly, bool> = BTreeMap::new();
    let mut add = |anomaly, sure: bool| *found.entry(anomaly).or_default() |= sure;
    let end = acts[0].status;
    if end == "info" {
        add(DanglingSaga, audit.is_some());
    }
    for step in 0..3 {
        let perhaps_undone = of("compensate", step).iter().any(|act| act.status == "info");
        if end == "fail" && !undone(step) && (done(step) || perhaps(step)) {
            add(if step == 0 { MissingCompensation } else { FailedAfterPivot }, done(step) && !perhaps_undone);
        }
        if end == "ok" {
            if undone(step) {
                add(CompletedAndCompensated, true);
            }
            if !done(step) {
                add(SkippedStep, !perhaps(step));
            }
        }
        for (what, class) in [("do", DoubleStep), ("undo", DoubleCompensation)] {
            if ok(what, step).iter().any(|act| act.id != ok(what, step)[0].id) {
                add(class, true);
            }
        }
        if undone(step) && !done(step) && !tried(step) {
            add(CompensationWithoutStep, true);
        }
        let undoings: Vec<u32> =
            [ok("compensate", step), ok("undo", step)].concat().iter().map(|act| act.ended).collect();
        if let (Some(first), Some(undo)) = (ok("do", step).first(), undoings.iter().min())
            && first.ended > *undo
            && ok("step", step).iter().all(|act| act.ended > *undo)
        {
            add(ZombieEffect, false);
        }
        for act in ok("step", step) {
            if step > 0 && !done(step - 1) && !perhaps(step - 1) {
                add(SkippedStep, true);
            }
            for other in 0..3 {
                if ok("compensate", other).iter().any(|undo| undo.ended < act.began) {
                    add(StepAfterCompensation, true);
                }
                if step == 1 && ok("compensate", other).iter().any(|undo| undo.began > act.ended) {
                    add(CompensationAfterPivot, true);
                }
            }
        }
        // Whichever of its attempts counts, it was done before the step that it follows began.
        if step > 0
            && let Some(first) = ok("step", step).iter().map(|act| act.ended).min()
        {
            let before = of("step", step - 1);
            let seen = ok("do", step - 1).iter().any(|act| act.ended < first);
            if !before.is_empty() && !seen && before.iter().all(|act| act.began > first) {
                add(StepOutOfOrder, true);
            }
        }
    }
    if !found.contains_key(&StepOutOfOrder) {
        for (first, later) in [(0, 1), (0, 2), (1, 2)] {
            let counts = |step| done(step) && !ok("compensate", step).is_empty();
            let began = of("compensate", later).iter().map(|act| act.began).min();
            let ended = ok("compensate", first).iter().map(|act| act.ended).min();
            if counts(first) && counts(later) && ended < began {
                found.insert(CompensationOutOfOrder, true);
            }
        }
    }
    if found.get(&FailedAfterPivot) == Some(&true) {
        found.remove(&MissingCompensation);
    }
    found.into_iter().map(|(anomaly, sure)| ((anomaly, sure), 1)).collect()
}

/// Goal: on small sagas, broken ones and whole ones, what is found is what a naive reading finds, and is confirmed from the
/// history.
#[test]
fn agrees_with_a_naive_reading() {
    let mut numbers = Random::new(8);
    let mut holds = 0;
    for round in 0..3000 {
        let (text, acts, audit) = random(&mut numbers);
        let history = history(&text);
        let outcome = judged(saga::judge, Guarantee::Saga, &history, "");
        let found: BTreeMap<(Anomaly, bool), u64> = outcome
            .findings
            .iter()
            .map(|finding| ((finding.anomaly, finding.certainty == Certainty::Certain), finding.count))
            .collect();
        let expected = naive(&acts, audit);
        assert_eq!(found, expected, "round {round}\n{text}");
        reasoned(&history, &outcome, &text);
        let due = match (expected.keys().any(|(_, sure)| *sure), expected.is_empty()) {
            (true, _) => Verdict::Violated,
            (_, true) => Verdict::Holds,
            _ => Verdict::Unknown,
        };
        assert_eq!(verdict(&outcome, Guarantee::Saga), due, "round {round}\n{text}");
        holds += u32::from(due == Verdict::Holds);
    }
    assert!(holds > 30, "only {holds} histories hold: the generator is too wild");
}
