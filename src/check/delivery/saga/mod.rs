//! Sagas: does every plan come to its end, or is what it did undone, in reverse and once?
//!
//! Each saga is judged alone, by what is known of each step of its plan: done (an `ok`, or an effect), perhaps done (an `info`
//! that no audit cleared), undone, perhaps undone. Every class counts sagas.
//!
//! - After a `fail`: `missing-compensation` (a compensatable step was done and not undone), `failed-after-pivot` (a pivot or
//!   retriable step was done: it can't be undone, so the saga had to go forward).
//! - After an `ok`: `skipped-step` (a step was not done, also where a later one was), `completed-and-compensated`.
//! - `dangling-saga`: neither before a complete audit.
//! - Of effects: `double-step`, `double-compensation` (two of one kind), `zombie-effect` (done after it was undone; certain only
//!   with synchronous observers).
//! - Of order: `step-out-of-order`, `step-after-compensation`, `compensation-out-of-order`, `compensation-after-pivot`. What
//!   overlaps has no order.
//! - `compensation-without-step` (of one that certainly was not done), `unplanned-step`.
//!
//! A step without a named compensation may have nothing to undo: that it is not undone is possible, not certain. Cost: linear.
//! Sources: Garcia-Molina and Salem 1987; Richardson, Microservices Patterns, 2018, ch. 4.

mod state;

use super::cases::{Tally, undecided};
use super::figures::{distribution, rate};
use super::policy;
use crate::check::Settings;
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::{History, Status};
use crate::verdict::Certainty::{Certain, Possible};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, Verdict};
use crate::witness::accounts::Reason;
use crate::witness::claim::Rule;
use crate::workload::WorkloadError;
use crate::workload::records::{Place, Run, synchronous};
use crate::workload::saga::{Act, Kind, Planned, Sagas};

use state::Step;

/// The classes, in the order in which a report lists them.
pub const CLASSES: [Anomaly; 14] = [
    Anomaly::MissingCompensation,
    Anomaly::FailedAfterPivot,
    Anomaly::DoubleStep,
    Anomaly::DoubleCompensation,
    Anomaly::ZombieEffect,
    Anomaly::DanglingSaga,
    Anomaly::SkippedStep,
    Anomaly::CompletedAndCompensated,
    Anomaly::CompensationAfterPivot,
    Anomaly::CompensationWithoutStep,
    Anomaly::CompensationOutOfOrder,
    Anomaly::StepAfterCompensation,
    Anomaly::StepOutOfOrder,
    Anomaly::UnplannedStep,
];

/// Judges `saga`.
///
/// # Errors
/// The history is not of this vocabulary, or a policy is given: it has none.
pub fn judge(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    policy::stated(history, settings.requirements, &[Guarantee::Saga])?;
    let sagas = Sagas::from_history(history)?;
    let mut judge = Judge {
        sagas: &sagas,
        synchronous: synchronous(history),
        tally: Tally::new(&CLASSES),
        sums: Sums::default(),
        steps: Vec::new(),
    };
    for saga in 0..sagas.sagas.len() {
        judge.saga(saga);
    }
    let findings = judge.tally.findings(history, &[Guarantee::Saga], &Rule::Saga);
    let judgement = judgement(&sagas, &judge.sums, &findings);
    let mut measures = Figures::new();
    measures.insert("delivery".to_owned(), judge.figures().into());
    Ok(Outcome { judgements: vec![judgement], findings, measures })
}

fn judgement(sagas: &Sagas, sums: &Sums, findings: &[Finding]) -> Judgement {
    let mut judgement = Judgement::new(Guarantee::Saga, Verdict::Holds);
    let (certain, possible): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|one| one.certainty == Certain);
    if !certain.is_empty() {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies = certain.iter().map(|finding| finding.anomaly).collect();
    } else if !possible.is_empty() {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some(undecided(&possible));
    } else if sagas.sagas.is_empty() {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some("no saga is recorded: nothing could refute it".to_owned());
    } else if sums.planless > 0 {
        judgement.verdict = Verdict::Unknown;
        judgement.reason =
            Some(format!("the plan of {} sagas is not recorded: give it in the `saga` operation", sums.planless));
    }
    judgement.evidence.insert("sagas".to_owned(), sagas.sagas.len().into());
    judgement.evidence.insert("completed".to_owned(), sums.completed.into());
    judgement.evidence.insert("failed".to_owned(), sums.failed.into());
    judgement.evidence.insert("audited".to_owned(), sagas.audit.is_some().into());
    judgement
}

#[derive(Default)]
struct Sums {
    completed: u64,
    failed: u64,
    planless: u64,
    compensated: u64,
    dangling_done: u64,
    attempts: u64,
    compensations: u64,
    retries: u64,
    durations: Vec<i64>,
}

struct Judge<'a> {
    sagas: &'a Sagas,
    synchronous: bool,
    tally: Tally,
    sums: Sums,
    /// Of the saga at hand: its plan's steps, and one more for each record outside of it.
    steps: Vec<Step>,
}

/// The surest case of one class in one saga.
type Found = Option<(Certainty, Option<Reason>, Vec<Place>)>;

fn better(found: &mut Found, sure: Certainty, why: Option<Reason>, places: impl IntoIterator<Item = Option<Place>>) {
    if found.as_ref().is_none_or(|(known, ..)| *known == Possible && sure == Certain) {
        *found = Some((sure, why, places.into_iter().flatten().collect()));
    }
}

impl<'a> Judge<'a> {
    fn saga(&mut self, saga: usize) {
        let sagas = self.sagas;
        let plan: &[Planned] = sagas.sagas[saga].plan.map_or(&[], |plan| &sagas.plans[plan as usize]);
        let planless = sagas.sagas[saga].plan.is_none();
        self.steps.clear();
        self.steps.resize(plan.len(), Step::default());
        let mut unplanned = None;
        for record in sagas.records_of(saga) {
            let happened = match record.act {
                Act::Step(run) => {
                    self.sums.attempts += 1;
                    run.is_ok().then_some(run.place())
                }
                Act::Compensate(run) => {
                    self.sums.compensations += 1;
                    run.is_ok().then_some(run.place())
                }
                Act::Done(fact, _) | Act::Undone(fact, _) => Some(fact.place),
            };
            match self.steps.get_mut(record.step as usize) {
                Some(step) => {
                    if matches!(record.act, Act::Step(_)) && (step.ok.is_some() || step.info.is_some()) {
                        self.sums.retries += 1;
                    }
                    step.take(record.act);
                }
                None if !planless => {
                    better(&mut unplanned, Certain, None, [happened].into_iter().filter(Option::is_some))
                }
                None => {}
            }
        }
        if unplanned.as_ref().is_some_and(|(.., places)| places.is_empty()) {
            unplanned = None;
        }
        let steps = std::mem::take(&mut self.steps);
        let began = sagas.runs_of(saga).min_by_key(|run| run.began);
        let ended = |status| sagas.runs_of(saga).filter(move |run| run.status == status).min_by_key(|run| run.ended);
        let (completed, failed) = (ended(Status::Ok), ended(Status::Fail));
        self.sums.planless += u64::from(planless);
        self.sums.completed += u64::from(completed.is_some());
        self.sums.failed += u64::from(failed.is_some());
        self.sums.compensated += u64::from(steps.iter().any(|step| step.undo_ok.is_some()));
        if let (Some(from), Some(to)) = (began, completed.or(failed))
            && from.invoked_time != History::NO_TIME
            && to.completed_time != History::NO_TIME
        {
            self.sums.durations.push(to.completed_time.saturating_sub(from.invoked_time).max(0));
        }
        let one = One { plan, steps: &steps, sagas, synchronous: self.synchronous };
        let mut found: Vec<(Anomaly, Found)> = vec![(Anomaly::UnplannedStep, unplanned)];
        match (completed, failed) {
            (None, None) => {
                found.push((Anomaly::DanglingSaga, one.dangling(began)));
                let all = !planless && steps.iter().all(Step::is_done);
                let audited = began.is_some_and(|began| sagas.audit.is_some_and(|audit| audit.position > began.began));
                self.sums.dangling_done += u64::from(all && audited);
            }
            (None, Some(failed)) => {
                let (missing, pivot) = one.failed(failed);
                found.push((Anomaly::MissingCompensation, missing));
                found.push((Anomaly::FailedAfterPivot, pivot));
            }
            (Some(completed), _) => found.push((Anomaly::CompletedAndCompensated, one.compensated(completed, failed))),
        }
        found.push((Anomaly::SkippedStep, one.skipped(completed)));
        one.effects(&mut found);
        one.order(&mut found);
        let key = sagas.sagas[saga].key;
        for (anomaly, found) in found {
            if let Some((sure, why, places)) = found {
                let at = began.map_or(u32::MAX, |began| began.began);
                self.tally.add((anomaly, sure), key, at, why, &places);
            }
        }
        self.steps = steps;
    }

    fn figures(self) -> Figures {
        let sums = self.sums;
        let all = self.sagas.sagas.len() as u64;
        let mut figures = Figures::new();
        let mut put = |name: &str, value: serde_json::Value| _ = figures.insert(name.to_owned(), value);
        put("sagas", all.into());
        put("completed", sums.completed.into());
        put("failed", sums.failed.into());
        put("dangling", self.tally.count(Anomaly::DanglingSaga, Certain).into());
        put("dangling_with_every_step_done", sums.dangling_done.into());
        put("step_attempts", sums.attempts.into());
        put("step_retries", sums.retries.into());
        put("compensations", sums.compensations.into());
        put("compensated", sums.compensated.into());
        put("compensation_ratio", rate(sums.compensated, all));
        put("saga_duration_ns", distribution(sums.durations).into());
        put("classes", self.tally.figures().into());
        figures
    }
}

/// One saga.
struct One<'a> {
    plan: &'a [Planned],
    steps: &'a [Step],
    sagas: &'a Sagas,
    synchronous: bool,
}

impl One<'_> {
    fn both(&self) -> impl Iterator<Item = (&Planned, &Step)> + Clone {
        self.plan.iter().zip(self.steps)
    }

    fn dangling(&self, began: Option<&Run>) -> Found {
        let began = began?;
        let mut found = None;
        match self.sagas.audit.filter(|audit| audit.position > began.began) {
            Some(audit) => better(&mut found, Certain, None, [Some(began.place()), Some(audit.place)]),
            None => better(&mut found, Possible, None, [Some(began.place())]),
        }
        found
    }

    /// What a failed saga left behind.
    fn failed(&self, failed: &Run) -> (Found, Found) {
        let (mut missing, mut pivot) = (None, None);
        let end = Some(failed.place());
        for (planned, step) in self.both().filter(|(_, step)| !step.is_undone()) {
            let sure = if !step.is_done() || step.undo_info.is_some() { Possible } else { Certain };
            if !step.is_done() && !step.may_be_done(self.sagas.audit) {
                continue;
            }
            let unknown = if step.undo_info.is_some() { Reason::UndoUnknown } else { Reason::StepUnknown };
            let open = (sure == Possible).then_some(unknown);
            let undo = step.undo_info.filter(|_| sure == Possible).map(|run| run.place());
            if planned.kind != Kind::Compensatable {
                better(&mut pivot, sure, open, [step.shown(), undo, end]);
            } else if planned.named || sure == Possible {
                better(&mut missing, sure, open, [step.shown(), undo, end]);
            } else {
                better(&mut missing, Possible, Some(Reason::UnnamedCompensation), [step.shown(), end]);
            }
        }
        // It had to go forward: nothing was to be undone.
        if pivot.as_ref().is_some_and(|(sure, ..)| *sure == Certain) {
            missing = None;
        }
        (missing, pivot)
    }

    fn compensated(&self, completed: &Run, failed: Option<&Run>) -> Found {
        let mut found = None;
        if let Some(failed) = failed {
            better(&mut found, Certain, Some(Reason::TwoEnds), [Some(completed.place()), Some(failed.place())]);
        }
        if let Some(step) = self.steps.iter().find(|step| step.is_undone()) {
            better(&mut found, Certain, Some(Reason::Undone), [step.shown_undone(), Some(completed.place())]);
        }
        found
    }

    /// A step that was not done, where the saga completed or a later step was done.
    fn skipped(&self, completed: Option<&Run>) -> Found {
        let mut found = None;
        for step in self.steps.iter().filter(|step| !step.is_done()) {
            if let Some(completed) = completed {
                let sure = if step.may_be_done(self.sagas.audit) { Possible } else { Certain };
                let info = step.info.filter(|_| sure == Possible).map(|run| run.place());
                better(&mut found, sure, Some(Reason::Completed), [info, Some(completed.place())]);
            }
        }
        for (planned, step) in self.both() {
            let Some([early, _]) = step.ok else { continue };
            let missing = planned.after.iter().map(|at| &self.steps[*at as usize]);
            if missing.clone().any(|before| !before.is_done() && !before.may_be_done(self.sagas.audit)) {
                better(&mut found, Certain, Some(Reason::LaterStep), [Some(early.place())]);
            }
        }
        found
    }

    fn effects(&self, found: &mut Vec<(Anomaly, Found)>) {
        let (mut twice, mut undone_twice, mut zombie) = (None, None, None);
        for step in self.steps {
            for (pair, found) in [(&step.done, &mut twice), (&step.undone, &mut undone_twice)] {
                if let [Some((one, _)), Some((two, _))] = pair {
                    better(found, Certain, None, [Some(one.place), Some(two.place)]);
                }
            }
            // The first moment at which it was undone, and what says so.
            let undone = step.undone[0].map(|(fact, _)| (fact.position, fact.place));
            let run = step.undo_ok.map(|[early, _]| (early.ended, early.place()));
            let Some((at, place)) = [undone, run].into_iter().flatten().min_by_key(|(at, _)| *at) else { continue };
            if let Some((done, _)) = step.done[0].filter(|(done, _)| done.position > at)
                && step.ok.is_none_or(|[early, _]| early.ended > at)
            {
                let sure = if self.synchronous { Certain } else { Possible };
                better(&mut zombie, sure, None, [Some(place), Some(done.place)]);
            }
        }
        found.push((Anomaly::DoubleStep, twice));
        found.push((Anomaly::DoubleCompensation, undone_twice));
        found.push((Anomaly::ZombieEffect, zombie));
    }

    fn order(&self, found: &mut Vec<(Anomaly, Found)>) {
        let mut early = None;
        for (planned, step) in self.both() {
            let Some([run, _]) = step.ok else { continue };
            for before in planned.after.iter().map(|at| &self.steps[*at as usize]) {
                let shown = before.done[0].is_some_and(|(fact, _)| fact.position < run.ended);
                if let Some(first) = before.first.filter(|first| first.began > run.ended && !shown) {
                    better(&mut early, Certain, None, [Some(run.place()), Some(first.place())]);
                }
            }
        }
        let (mut without, mut after_pivot, mut forward, mut reverse) = (None, None, None, None);
        let undo = |step: &Step| step.undo_ok;
        let first_undo = self.steps.iter().filter_map(undo).map(|[first, _]| first).min_by_key(|run| run.ended);
        let last_undo = self.steps.iter().filter_map(undo).map(|[_, last]| last).max_by_key(|run| run.began);
        for (planned, step) in self.both() {
            if step.is_undone() && !step.is_done() && step.info.is_none() {
                better(&mut without, Certain, None, [step.shown_undone()]);
            }
            let Some([early, late]) = step.ok else { continue };
            if let Some(undo) = last_undo.filter(|undo| planned.kind == Kind::Pivot && undo.began > early.ended) {
                better(&mut after_pivot, Certain, None, [Some(early.place()), Some(undo.place())]);
            }
            if let Some(undo) = first_undo.filter(|undo| undo.ended < late.began) {
                better(&mut forward, Certain, None, [Some(undo.place()), Some(late.place())]);
            }
        }
        if early.is_none() {
            reverse = self.reverse();
        }
        found.push((Anomaly::StepOutOfOrder, early));
        found.push((Anomaly::CompensationWithoutStep, without));
        found.push((Anomaly::CompensationAfterPivot, after_pivot));
        found.push((Anomaly::StepAfterCompensation, forward));
        found.push((Anomaly::CompensationOutOfOrder, reverse));
    }

    /// A step that was undone before the undoing of one that comes after it in the plan began. From the last step back, each
    /// hands the latest beginning of an undoing to those it follows.
    fn reverse(&self) -> Found {
        let mut latest: Vec<Option<Run>> = vec![None; self.steps.len()];
        let mut found = None;
        for at in (0..self.steps.len()).rev() {
            let step = &self.steps[at];
            let undo = step.undo_ok.filter(|_| step.is_done());
            if let (Some([first, _]), Some(later)) = (undo, latest[at])
                && first.ended < later.began
            {
                better(&mut found, Certain, None, [Some(first.place()), Some(later.place())]);
            }
            let own = undo.and(step.undo_first);
            let hand = [own, latest[at]].into_iter().flatten().max_by_key(|run| run.began);
            for before in &self.plan[at].after {
                let known = &mut latest[*before as usize];
                *known = [*known, hand].into_iter().flatten().max_by_key(|run| run.began);
            }
        }
        found
    }
}
