//! Use cases of a contract: what is required of a part of a history, judged on that part or on the whole.
//!
//! A part stands for itself only where it takes objects with all their operations and the guarantee is local: a history
//! keeps it exactly when each object does (linearizability, staleness and convergence of registers; a saga; an idempotency
//! key). Everything else is judged over the whole history. What holds there holds for the use case; a violation is the use
//! case's where a witness touches what it selects, and where none does, whether it keeps the guarantee is unknown: a part
//! can't show that. Each row says which it was.
//!
//! Idempotency keys are parted by scope or by key only where nothing ties the parts together: no key and no intent is used
//! on both sides, and each effect says, by its key or its scope, on which side it is.
//!
//! Each requirement is judged by its own parameters: where some disagree, in another pass (`passes`).
//!
//! Cost: one pass over the history a use case, and its checks; one more wherever parameters disagree.

use hashbrown::{HashMap, HashSet};

use super::passes::Passes;
use super::{Settings, is_answerable, judge, members};
use crate::contract::{Extent, Requirement, Selection, Subject, UseCase};
use crate::guarantee::Guarantee;
use crate::history::{History, Observation, Operation, Value};
use crate::verdict::{Certainty, Finding, Judgement, Outcome, Verdict};
use crate::witness::Witness;
use crate::workload::{Workload, WorkloadError};

type Seeded = foldhash::fast::RandomState;

/// What a contract's use cases, and what is required beside them, come to.
#[derive(Debug)]
pub struct Rulings {
    /// The whole history, judged; none where everything required could be judged on parts.
    pub whole: Option<Outcome>,
    /// The whole history once more, for each of the settings' requirements that need parameters of their own.
    pub apart: Vec<Apart>,
    /// For each use case, in order.
    pub cases: Vec<Ruling>,
}

/// What is required beside others with other parameters, and what it comes to.
#[derive(Debug)]
pub struct Apart {
    /// Which of the settings' requirements.
    pub requirements: Vec<Requirement>,
    /// Their judgements, and whatever else there is to say with these parameters.
    pub outcome: Outcome,
}

/// What a use case comes to in one history.
#[derive(Debug)]
pub enum Ruling {
    /// It is about histories of another kind.
    Elsewhere,
    /// It is about histories of this kind, and selects nothing of this one.
    Nothing,
    /// Its requirements' judgements, in order. The findings are those of its part alone.
    Judged(Outcome),
}

/// Judges a history by `settings` as a whole, where anything is required of it as a whole, and by each use case.
///
/// # Errors
/// A record that is not of the workload's vocabulary, or terms that its check can't read.
pub fn judge_all(
    history: &History,
    workload: Workload,
    settings: &Settings<'_>,
    use_cases: &[UseCase],
) -> Result<Rulings, WorkloadError> {
    let mut plans: Vec<Plan<'_>> = use_cases.iter().map(|one| Plan::new(history, workload, one)).collect();
    let mut passes = Passes::default();
    let placed: Vec<usize> = settings.requirements.iter().map(|requirement| passes.add(requirement)).collect();
    for plan in &mut plans {
        plan.join(&mut passes);
    }
    let with = |requirements: &[Requirement], history: &History| {
        judge(history, workload, &Settings { requirements, budget: settings.budget })
    };
    let outcomes = passes.requirements.iter().map(|pass| with(pass, history));
    let outcomes = outcomes.collect::<Result<Vec<Outcome>, WorkloadError>>()?;
    let mut cases = Vec::with_capacity(plans.len());
    for plan in &plans {
        cases.push(plan.ruling(history, &outcomes, &with)?);
    }
    let mut outcomes = outcomes.into_iter();
    let whole = outcomes.next();
    let mut apart = Vec::new();
    for (number, outcome) in (1..).zip(outcomes) {
        let own = placed.iter().zip(settings.requirements).filter(|(at, _)| **at == number);
        let requirements: Vec<Requirement> = own.map(|(_, requirement)| requirement.clone()).collect();
        if !requirements.is_empty() {
            apart.push(Apart { requirements, outcome });
        }
    }
    Ok(Rulings { whole, apart, cases })
}

/// How a use case is judged.
struct Plan<'a> {
    use_case: &'a UseCase,
    part: Part,
    /// Required guarantees that are judged on the part.
    local: Vec<Requirement>,
    /// Those that are judged over the whole, each with the number of the pass that answers it.
    whole: Vec<(Requirement, usize)>,
    /// Why local guarantees are not judged on the part.
    tied: Option<&'static str>,
}

/// Which part a use case is about.
enum Part {
    Elsewhere,
    Nothing,
    Whole,
    /// Of operations, and of observations.
    Some(Vec<bool>, Vec<bool>),
}

impl<'a> Plan<'a> {
    fn new(history: &History, workload: Workload, use_case: &'a UseCase) -> Plan<'a> {
        let (part, tied) = part(history, workload, use_case);
        let parted = matches!(part, Part::Some(..)) && tied.is_none();
        let on_part =
            |requirement: &&Requirement| parted && use_case.selection.extent(requirement.guarantee) == Extent::Slice;
        let (local, whole): (Vec<_>, Vec<_>) = use_case.requirements.iter().partition(on_part);
        let local = local.into_iter().cloned().collect();
        let whole = whole.into_iter().map(|requirement| (requirement.clone(), 0)).collect();
        Plan { use_case, part, local, whole, tied }
    }

    /// Adds to what is required of the whole what this use case needs of it.
    fn join(&mut self, passes: &mut Passes) {
        if matches!(self.part, Part::Elsewhere | Part::Nothing) {
            return;
        }
        for (requirement, pass) in &mut self.whole {
            *pass = passes.add(requirement);
        }
    }

    /// `outcomes`: of the passes over the whole history.
    fn ruling(
        &self,
        history: &History,
        outcomes: &[Outcome],
        judge: &impl Fn(&[Requirement], &History) -> Result<Outcome, WorkloadError>,
    ) -> Result<Ruling, WorkloadError> {
        let mut outcome = Outcome::default();
        match &self.part {
            Part::Elsewhere => return Ok(Ruling::Elsewhere),
            Part::Nothing => return Ok(Ruling::Nothing),
            Part::Some(operations, observations) if !self.local.is_empty() => {
                let part = select(history, operations, observations);
                for pass in &Passes::of(&self.local).requirements {
                    let mut own = judge(pass, &part)?;
                    own.judgements.retain(|one| pass.iter().any(|local| local.guarantee == one.guarantee));
                    outcome.judgements.append(&mut own.judgements);
                    add(&own.findings, &mut outcome.findings);
                    if outcome.measures.is_empty() {
                        outcome.measures = own.measures;
                    }
                }
            }
            Part::Whole | Part::Some(..) => {}
        }
        for (requirement, pass) in &self.whole {
            let Some(whole) = outcomes.get(*pass) else { continue };
            let guarantee = requirement.guarantee;
            let judged = whole.judgements.iter().find(|judgement| judgement.guarantee == guarantee);
            let Some(mut judgement) = judged.cloned() else { continue };
            if !self.use_case.selection.is_whole() {
                self.concern(history, whole, &mut judgement);
            }
            outcome.judgements.push(judgement);
            // What the first pass finds is found in the whole history; with other parameters it is this use case's.
            if *pass > 0 {
                add(&whole.findings, &mut outcome.findings);
            }
        }
        let order = |guarantee: Guarantee| self.use_case.requirements.iter().position(|one| one.guarantee == guarantee);
        outcome.judgements.sort_by_key(|judgement| order(judgement.guarantee));
        Ok(Ruling::Judged(outcome))
    }

    /// What a judgement of the whole means for a part of it.
    fn concern(&self, history: &History, whole: &Outcome, judgement: &mut Judgement) {
        let guarantee = judgement.guarantee;
        let note = match self.tied {
            Some(tied) if guarantee.is_local() => format!("judged over the whole history, since {tied}"),
            _ => format!("judged over the whole history, since no part of one can show {guarantee}"),
        };
        let mut witnesses = whole
            .findings
            .iter()
            .filter(|found| found.certainty == Certainty::Certain && judgement.anomalies.contains(&found.anomaly))
            .map(|found| found.witness.as_ref());
        let mut selector = Selector::new(history, &self.use_case.selection);
        let concerned = judgement.anomalies.is_empty()
            || witnesses.any(|witness| witness.is_none_or(|witness| selector.touches(witness)));
        if judgement.verdict == Verdict::Violated && !concerned {
            let anomalies: Vec<&str> = judgement.anomalies.iter().map(|anomaly| anomaly.name()).collect();
            judgement.verdict = Verdict::Unknown;
            judgement.reason = Some(format!(
                "{note}: it is violated there ({}), and no witness touches what the use case selects; whether its own part \
                 keeps it, a history of that part alone would show",
                anomalies.join(", ")
            ));
            judgement.anomalies.clear();
            return;
        }
        judgement.reason = Some(match judgement.reason.take() {
            Some(reason) => format!("{note}: {reason}"),
            None => note,
        });
    }
}

/// The part of a use case, and why local guarantees can't be judged on it, where they can't.
fn part(history: &History, workload: Workload, use_case: &UseCase) -> (Part, Option<&'static str>) {
    let selection = &use_case.selection;
    let name = workload.name();
    if !selection.workload.is_empty() && !selection.workload.iter().any(|pattern| pattern.matches(name)) {
        return (Part::Elsewhere, None);
    }
    if selection.is_whole() {
        return (Part::Whole, None);
    }
    let mut selector = Selector::new(history, selection);
    let operations: Vec<bool> = history.ops().map(|op| selector.operation(&op)).collect();
    let some = operations.contains(&true);
    if !some && !history.observations().iter().any(|seen| selector.observation(seen)) {
        let answerable = |one: &Requirement| {
            members(workload, history).contains(&one.guarantee) || is_answerable(workload, one.guarantee)
        };
        let about = !selection.workload.is_empty() || use_case.requirements.iter().any(answerable);
        return (if about { Part::Nothing } else { Part::Elsewhere }, None);
    }
    let (observations, tied) = match workload {
        Workload::Register | Workload::Kv | Workload::Set | Workload::Counter => {
            (vec![true; history.observations().len()], None)
        }
        Workload::Saga => {
            let belongs = |seen: &Observation| seen.key.is_null() || selector.observation(seen);
            (history.observations().iter().map(belongs).collect(), None)
        }
        Workload::Idempotency => effects(history, &operations, &mut selector),
        _ => (Vec::new(), Some("histories of this workload are not parted")),
    };
    (Part::Some(operations, observations), tied)
}

/// Which observations of an idempotency history belong to a part, and what ties the part to the rest.
fn effects(history: &History, operations: &[bool], selector: &mut Selector<'_>) -> (Vec<bool>, Option<&'static str>) {
    let mut tied = None;
    let mut sides: HashMap<Value, bool, Seeded> = HashMap::default();
    for (op, &selected) in history.ops().zip(operations) {
        let intent = field(history, op.argument(), op.result(), "intent");
        for name in [op.key(), intent].into_iter().filter(|name| !name.is_null()) {
            if *sides.entry(name).or_insert(selected) != selected {
                tied = Some("a key or an intent of this use case is used outside of it too");
            }
        }
    }
    let selection = selector.selection;
    let belongs = |seen: &Observation| {
        if history.values().as_str(seen.f) != Some("effect") {
            return true;
        }
        let scope = field(history, seen.value, Value::ABSENT, "scope");
        let told = selection.scope.is_empty() || !scope.is_null();
        if told && (selection.key.is_empty() || !seen.key.is_null()) {
            return selector.observation(seen);
        }
        match sides.get(&seen.key) {
            Some(side) if !seen.key.is_null() => *side,
            _ => {
                tied = Some("an effect says neither by its key nor by its scope to which use case it belongs");
                false
            }
        }
    };
    let observations = history.observations().iter().map(belongs).collect();
    (observations, tied)
}

/// Adds the findings that are not there yet.
fn add(findings: &[Finding], to: &mut Vec<Finding>) {
    let new: Vec<Finding> =
        findings.iter().filter(|found| !to.iter().any(|other| other.is_same(found))).cloned().collect();
    to.extend(new);
}

fn select(history: &History, operations: &[bool], observations: &[bool]) -> History {
    let mut seen = observations.iter();
    history.select(|op| operations[op.id.index()], |_| seen.next().is_some_and(|kept| *kept))
}

/// A field of the first of two values that has it.
fn field(history: &History, first: Value, second: Value, name: &str) -> Value {
    let values = history.values();
    values.get(first, name).or_else(|| values.get(second, name)).unwrap_or(Value::ABSENT)
}

/// Asks a selection about operations; each distinct combination of names once.
struct Selector<'a> {
    history: &'a History,
    selection: &'a Selection,
    known: HashMap<[Value; 4], bool, Seeded>,
}

impl<'a> Selector<'a> {
    fn new(history: &'a History, selection: &'a Selection) -> Selector<'a> {
        Selector { history, selection, known: HashMap::default() }
    }

    /// Whether an operation is selected: a transaction is where one of its micro-operations is.
    fn operation(&mut self, op: &Operation<'_>) -> bool {
        let scope = self.scope(op.argument(), op.result());
        let node = op.node();
        if self.matches([op.key(), scope, op.f(), node]) {
            return true;
        }
        op.mops().iter().any(|mop| {
            self.matches([mop.key, scope, op.f(), node])
                || (!self.selection.f.is_empty() && self.matches([mop.key, scope, mop.f, node]))
        })
    }

    fn observation(&mut self, seen: &Observation) -> bool {
        let scope = self.scope(seen.value, Value::ABSENT);
        self.matches([seen.key, scope, seen.f, seen.node])
    }

    fn scope(&self, first: Value, second: Value) -> Value {
        if self.selection.scope.is_empty() { Value::ABSENT } else { field(self.history, first, second, "scope") }
    }

    fn matches(&mut self, names: [Value; 4]) -> bool {
        let (history, selection) = (self.history, self.selection);
        *self.known.entry(names).or_insert_with(|| {
            let texts = names.map(|name| text(history, name));
            let [key, scope, f, node] = [0, 1, 2, 3].map(|at| texts[at].as_deref());
            selection.matches_part(&Subject { workload: None, key, scope, f, node })
        })
    }

    /// Whether a witness is about anything that is selected.
    fn touches(&mut self, witness: &Witness) -> bool {
        let history = self.history;
        let named: HashSet<u32, Seeded> = witness.operations.iter().copied().collect();
        let is_named = |position: Option<u32>| position.is_some_and(|position| named.contains(&position));
        history.ops().any(|op| (is_named(op.invoked()) || is_named(op.completed())) && self.operation(&op))
            || history.observations().iter().any(|seen| named.contains(&seen.position) && self.observation(seen))
    }
}

/// A name as a pattern sees it: a string, or anything else as it is written.
fn text(history: &History, name: Value) -> Option<String> {
    let values = history.values();
    match (name.is_null(), values.as_str(name)) {
        (true, _) => None,
        (false, Some(text)) => Some(text.to_owned()),
        (false, None) => Some(values.plain_json(name, usize::MAX)),
    }
}
