//! `saga`: of each saga, its operations, its steps, their compensations and effects.
//!
//! A saga is in order where its plan is recorded, everything that happened is a step of it, and
//! - it completed, every step was done, and none undone; or it failed, and everything that may have been done was undone;
//! - no step was done or undone twice, nor undone that cannot have been done, nor done again after it was undone;
//! - no step was over before one that it follows had begun, and what it follows may have been done;
//! - after a pivot, and before a step, nothing was undone; what is undone is undone in the reverse of the plan.
//!
//! What overlaps has no order. A step may have been done where an attempt ended without an answer, unless an audit after it
//! shows no effect.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::ledger::{Act, Ledger, is_named, json, name};
use super::{Account, Shown};
use crate::history::{History, Status, Value, Values};

/// A step of a plan.
struct Planned {
    pivot: bool,
    /// What it follows: steps before it.
    after: Vec<usize>,
}

struct Plan {
    steps: Vec<Planned>,
    by_name: HashMap<Value, usize>,
}

/// Attempts to do something, or to undo it.
#[derive(Clone, Copy, Default)]
struct Attempts {
    /// The earliest end of one that was done, and the latest beginning.
    ok: Option<(u32, u32)>,
    /// The earliest beginning of one that may have been.
    first: Option<u32>,
    /// Where the last one that ended without an answer has its last record.
    open: Option<u32>,
    /// Where its effect was first seen, and which it is.
    effect: Option<(u32, Value)>,
}

impl Attempts {
    fn happened(&self) -> bool {
        self.ok.is_some() || self.effect.is_some()
    }

    fn take(&mut self, act: &Act<'_>) {
        if act.may() {
            self.first = Some(self.first.map_or(act.began, |first| first.min(act.began)));
        }
        match act.status {
            Status::Ok => {
                let (ended, began) = self.ok.unwrap_or((u32::MAX, 0));
                self.ok = Some((ended.min(act.ended), began.max(act.began)));
            }
            Status::Info => self.open = self.open.max(Some(act.position)),
            Status::Fail => {}
        }
    }

    /// Another effect than the one before is one too many.
    fn see(&mut self, act: &Act<'_>) -> Result<(), String> {
        let id = act.said("effect");
        match self.effect.get_or_insert((act.position, id)).1 == id {
            true => Ok(()),
            false => Err(format!("record {} is a second effect of one step", act.position)),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Step {
    done: Attempts,
    undone: Attempts,
}

/// Whether the accounts show that every saga is in order.
pub(super) fn rule(history: &History, accounts: &[Account]) -> Result<Shown, String> {
    let mut ledger = Ledger::new(history, &["saga", "step", "compensate"], &["effect", "audit"])?;
    let audit = ledger.audit().map(|audit| audit.position);
    let mut plans: HashMap<Value, Rc<Plan>> = HashMap::new();
    let mut keys: HashSet<Value> = HashSet::new();
    let (mut completed, mut undone) = (0usize, 0usize);
    for account in accounts {
        let refuse = |why: &str| Err(format!("{} {why}", name(account)));
        let acts = ledger.take(account, |_| false)?;
        let Some(key) = acts.first().map(|act| act.key) else { return refuse("it has no records") };
        if let Some(other) = acts.iter().find(|act| act.key != key) {
            return refuse(&format!("record {} is of another saga", other.position));
        }
        is_named(account, &json(ledger.values, key))?;
        if !keys.insert(key) {
            return refuse("its saga has an account already");
        }
        let ruled = plan(&acts, ledger.values, &mut plans).and_then(|plan| one(&acts, &plan, ledger.values, audit));
        match ruled {
            Ok(true) => completed += 1,
            Ok(false) => undone += 1,
            Err(why) => return refuse(&why),
        }
    }
    ledger.complete(&["saga", "step", "compensate", "effect"])?;
    if accounts.is_empty() {
        return Ok(Shown::Nothing("no saga is recorded: nothing could refute it"));
    }
    Ok(Shown::All(format!(
        "{completed} sagas did every step of their plans, and {undone} undid, in reverse, all that they had done"
    )))
}

/// The plan that the saga's first operation with one has.
fn plan(acts: &[Act<'_>], values: &Values, plans: &mut HashMap<Value, Rc<Plan>>) -> Result<Rc<Plan>, String> {
    let begun = |act: &&Act<'_>| if act.begins { act.began } else { act.position };
    let planned = acts.iter().filter(|act| act.f == "saga" && !act.said("plan").is_null());
    let Some(given) = planned.min_by_key(begun).map(|act| act.said("plan")) else {
        return Err("its plan is not recorded".to_owned());
    };
    if let Some(known) = plans.get(&given) {
        return Ok(Rc::clone(known));
    }
    let mut plan = Plan { steps: Vec::new(), by_name: HashMap::new() };
    for item in values.items(given) {
        let said = |name: &str| values.get(item, name).filter(|value| !value.is_null());
        let at = plan.steps.len();
        let after = match said("after") {
            None => at.checked_sub(1).into_iter().collect(),
            Some(list) => {
                let before = values.items(list).into_iter().map(|name| plan.by_name.get(&name).copied());
                before
                    .collect::<Option<Vec<usize>>>()
                    .ok_or("its plan has a step that follows one that is not before it")?
            }
        };
        if said("step").is_none_or(|name| plan.by_name.insert(name, at).is_some()) {
            return Err("its plan has a step without a name of its own".to_owned());
        }
        plan.steps.push(Planned { pivot: said("kind").and_then(|kind| values.as_str(kind)) == Some("pivot"), after });
    }
    let plan = Rc::new(plan);
    plans.insert(given, Rc::clone(&plan));
    Ok(plan)
}

/// Whether a saga is in order, and then whether it completed.
fn one(acts: &[Act<'_>], plan: &Plan, values: &Values, audit: Option<u32>) -> Result<bool, String> {
    let mut steps = vec![Step::default(); plan.steps.len()];
    for act in acts.iter().filter(|act| act.f != "saga") {
        let at = plan.by_name.get(&act.said("step"));
        let Some(step) = at.and_then(|at| steps.get_mut(*at)) else {
            match act.ok() {
                true => return Err(format!("record {} is of no step of its plan", act.position)),
                false => continue,
            }
        };
        match (act.f, values.as_str(act.said("kind"))) {
            ("step", _) => step.done.take(act),
            ("compensate", _) => step.undone.take(act),
            (_, Some("do")) => step.done.see(act)?,
            (_, Some("undo")) => step.undone.see(act)?,
            _ => return Err(format!("the effect at record {} neither does nor undoes", act.position)),
        }
    }
    let may_be_done =
        |step: &Step| step.done.happened() || step.done.open.is_some_and(|last| audit.is_none_or(|audit| audit < last));
    let ended = |status| acts.iter().any(|act| act.f == "saga" && act.status == status);
    let every = |test: &dyn Fn(&Step) -> bool, why: &str| match steps.iter().position(|step| !test(step)) {
        Some(at) => Err(format!("step {} of its plan {why}", at + 1)),
        None => Ok(()),
    };
    match (ended(Status::Ok), ended(Status::Fail)) {
        (true, true) => return Err("it both completed and failed".to_owned()),
        (false, false) => return Err("it neither completed nor failed".to_owned()),
        (true, false) => {
            every(&|step| step.done.happened(), "was not done for certain, and it completed")?;
            every(&|step| !step.undone.happened(), "was undone, and it completed")?;
        }
        (false, true) => {
            every(&|step| step.undone.happened() || !may_be_done(step), "may have been done and was not undone")?;
        }
    }
    every(
        &|step| !step.undone.happened() || step.done.happened() || step.done.open.is_some(),
        "was undone, and can't have been done",
    )?;
    every(&in_time, "was seen done after it had been undone")?;
    forward(plan, &steps, &may_be_done)?;
    backward(plan, &steps)?;
    Ok(ended(Status::Ok))
}

/// Whether a step that was done and undone was done first.
fn in_time(step: &Step) -> bool {
    let undone =
        step.undone.effect.map(|(seen, _)| seen).into_iter().chain(step.undone.ok.map(|(ended, _)| ended)).min();
    match (undone, step.done.effect) {
        (Some(undone), Some((seen, _))) => seen <= undone || step.done.ok.is_some_and(|(ended, _)| ended <= undone),
        _ => true,
    }
}

/// Steps follow what they follow, and nothing follows an undoing.
fn forward(plan: &Plan, steps: &[Step], may_be_done: &dyn Fn(&Step) -> bool) -> Result<(), String> {
    let first_undone = steps.iter().filter_map(|step| step.undone.ok).map(|(ended, _)| ended).min().unwrap_or(u32::MAX);
    let last_undone = steps.iter().filter_map(|step| step.undone.ok).map(|(_, began)| began).max().unwrap_or(0);
    for (at, (planned, step)) in plan.steps.iter().zip(steps).enumerate() {
        let refuse = |why: &str| Err(format!("step {} of its plan {why}", at + 1));
        let Some((ended, began)) = step.done.ok else { continue };
        for before in planned.after.iter().map(|at| &steps[*at]) {
            if !may_be_done(before) {
                return refuse("was done without one that it follows");
            }
            let seen = before.done.effect.is_some_and(|(seen, _)| seen < ended);
            if !seen && before.done.first.is_some_and(|first| first > ended) {
                return refuse("was over before one that it follows had begun");
            }
        }
        if planned.pivot && last_undone > ended {
            return refuse("is a pivot, and something was undone after it");
        }
        if first_undone < began {
            return refuse("was begun after something had been undone");
        }
    }
    Ok(())
}

/// What follows a step is undone before it: from the last step back, each hands the latest beginning to those it follows.
fn backward(plan: &Plan, steps: &[Step]) -> Result<(), String> {
    let mut latest = vec![0; steps.len()];
    for (at, step) in steps.iter().enumerate().rev() {
        let undone = step.undone.ok.filter(|_| step.done.happened());
        if undone.is_some_and(|(ended, _)| ended < latest[at]) {
            return Err(format!("step {} of its plan was undone before one that follows it", at + 1));
        }
        let own = undone.and(step.undone.first).unwrap_or(0);
        for before in &plan.steps[at].after {
            latest[*before] = latest[*before].max(own).max(latest[at]);
        }
    }
    Ok(())
}
