//! The `saga` vocabulary: a plan, its steps and their compensations.
//!
//! Everything with one `key` is one saga. Its `saga` operation brings the plan; `step` and `compensate` name a step of it, and
//! an observer's `effect` says that a step was done or undone. Equal plans are read once. Cost: linear in records.

use hashbrown::HashMap;

use super::WorkloadError;
use super::fields::{Fields, or_null};
use super::numbers::Numbers;
use super::records::{Fact, Grouped, Run, facts, stranger};
use crate::history::{History, Operation, Value};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// What can follow a step that was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It can be undone.
    Compensatable,
    /// It can't, and from there on the saga goes forward.
    Pivot,
    /// It can't, and is repeated until it succeeds.
    Retriable,
}

/// A step of a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name.
    pub name: Value,
    /// What can follow it.
    pub kind: Kind,
    /// Whether the plan names a compensation.
    pub named: bool,
    /// The steps that it follows, as indices into the plan: all are smaller than its own.
    pub after: Vec<u32>,
}

/// What a record of a step says.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// An attempt to do it.
    Step(Run),
    /// An attempt to undo it.
    Compensate(Run),
    /// It was done: the effect's identity.
    Done(Fact, Value),
    /// It was undone.
    Undone(Fact, Value),
}

/// A record of one step of one saga.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// The step's name.
    pub name: Value,
    /// Its index in the plan; `u32::MAX` where that has no such step, or there is no plan.
    pub step: u32,
    /// What it says.
    pub act: Act,
}

/// One saga.
#[derive(Clone, Copy, Debug)]
pub struct Saga {
    /// Its key.
    pub key: Value,
    /// The plan, where one is recorded.
    pub plan: Option<u32>,
}

/// A history of sagas.
#[derive(Debug)]
pub struct Sagas {
    /// In order of first appearance.
    pub sagas: Vec<Saga>,
    /// Plans, each once.
    pub plans: Vec<Vec<Planned>>,
    /// The last complete audit.
    pub audit: Option<Fact>,
    runs: Vec<Run>,
    runs_of: Grouped,
    records: Vec<Record>,
    records_of: Grouped,
}

impl Sagas {
    /// Reads the vocabulary.
    ///
    /// # Errors
    /// An operation or effect that is not of the vocabulary, a plan that can't be read, a step without a name, an effect
    /// without identity.
    pub fn from_history(history: &History) -> Result<Sagas, WorkloadError> {
        let mut reader = Reader::new(history);
        for op in history.ops() {
            match history.values().as_str(op.f()) {
                Some("saga") => reader.saga(&op)?,
                Some("step") => reader.step(&op, Act::Step(Run::of(&op)))?,
                Some("compensate") => reader.step(&op, Act::Compensate(Run::of(&op)))?,
                Some("effect" | "audit") => {}
                _ => {
                    let help =
                        "operations are `saga`, `step` and `compensate`; observers' records are `effect` and `audit`";
                    return Err(stranger(history, &op, "saga", help));
                }
            }
        }
        let mut audit = None;
        for (number, fact) in facts(history, &["effect", "audit"]) {
            if number == 0 {
                reader.effect(fact)?;
            } else if history.values().get(fact.value, "complete") == Some(Value::TRUE) {
                audit = Some(fact);
            }
        }
        let Reader { sagas, plans, steps, runs, run_owner, mut records, record_owner, .. } = reader;
        for (record, owner) in records.iter_mut().zip(&record_owner) {
            if let Some(plan) = sagas[*owner as usize].plan {
                record.step = steps.get(&(plan, record.name)).copied().unwrap_or(u32::MAX);
            }
        }
        Ok(Sagas {
            runs_of: Grouped::new(sagas.len(), &run_owner),
            records_of: Grouped::new(sagas.len(), &record_owner),
            sagas,
            plans,
            audit,
            runs,
            records,
        })
    }

    /// The `saga` operations of a saga.
    pub fn runs_of(&self, saga: usize) -> impl Iterator<Item = &Run> + Clone {
        self.runs_of.of(saga).iter().map(|at| &self.runs[*at as usize])
    }

    /// The records of a saga's steps: operations first, then effects by position.
    pub fn records_of(&self, saga: usize) -> impl Iterator<Item = &Record> + Clone {
        self.records_of.of(saga).iter().map(|at| &self.records[*at as usize])
    }
}

struct Reader<'a> {
    history: &'a History,
    by_key: Numbers,
    by_plan: Numbers,
    steps: Map<(u32, Value), u32>,
    sagas: Vec<Saga>,
    plans: Vec<Vec<Planned>>,
    runs: Vec<Run>,
    run_owner: Vec<u32>,
    records: Vec<Record>,
    record_owner: Vec<u32>,
    plan: Fields<1>,
    planned: Fields<4>,
    named: Fields<3>,
}

impl<'a> Reader<'a> {
    fn new(history: &'a History) -> Reader<'a> {
        Reader {
            history,
            by_key: Numbers::default(),
            by_plan: Numbers::default(),
            steps: Map::default(),
            sagas: Vec::new(),
            plans: Vec::new(),
            runs: Vec::new(),
            run_owner: Vec::new(),
            records: Vec::new(),
            record_owner: Vec::new(),
            plan: Fields::new(["plan"]),
            planned: Fields::new(["step", "kind", "compensation", "after"]),
            named: Fields::new(["step", "kind", "effect"]),
        }
    }

    fn owner(&mut self, key: Value) -> u32 {
        let next = narrow(self.sagas.len());
        let saga = self.by_key.or_insert(or_null(key), next);
        if saga == next {
            self.sagas.push(Saga { key: or_null(key), plan: None });
        }
        saga
    }

    fn saga(&mut self, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let owner = self.owner(op.key());
        self.runs.push(Run::of(op));
        self.run_owner.push(owner);
        for value in [op.argument(), op.result()] {
            let [plan] = self.plan.of(self.history.values(), value);
            if !plan.is_null() && self.sagas[owner as usize].plan.is_none() {
                let plan = self.read_plan(plan, op.position())?;
                self.sagas[owner as usize].plan = Some(plan);
            }
        }
        Ok(())
    }

    fn read_plan(&mut self, plan: Value, position: u32) -> Result<u32, WorkloadError> {
        if let Some(known) = self.by_plan.get(plan) {
            return Ok(known);
        }
        let values = self.history.values();
        let wrong =
            |message: String, help: &str| WorkloadError { position: Some(position), message, help: help.to_owned() };
        if !plan.is_list() {
            return Err(wrong(format!("this plan is {}", values.json(plan, 60)), "a plan is a list of steps"));
        }
        let number = narrow(self.plans.len());
        let mut steps: Vec<Planned> = Vec::new();
        for item in values.items(plan) {
            let [name, kind, compensation, after] = self.planned.of(values, item);
            let kind = match values.as_str(kind) {
                None if kind.is_null() => Kind::Compensatable,
                Some("compensatable") => Kind::Compensatable,
                Some("pivot") => Kind::Pivot,
                Some("retriable") => Kind::Retriable,
                _ => {
                    let message = format!("a planned step's `kind` is {}", values.json(kind, 60));
                    return Err(wrong(message, "it can be compensatable, pivot or retriable"));
                }
            };
            let at = narrow(steps.len());
            if name.is_null() || self.steps.insert((number, name), at).is_some() {
                let message = format!("the plan's step {} has no name, or that of another", values.json(item, 60));
                return Err(wrong(message, "give each planned step a `step` of its own"));
            }
            let after = if after.is_null() {
                at.checked_sub(1).into_iter().collect()
            } else {
                let of = |name: Value| self.steps.get(&(number, name)).copied().filter(|before| *before < at);
                let before: Option<Vec<u32>> = values.items(after).into_iter().map(of).collect();
                before.ok_or_else(|| {
                    let message = format!("a planned step's `after` is {}", values.json(after, 60));
                    wrong(
                        message,
                        "it is a list of steps that stand before it in the plan: list them in an order that works",
                    )
                })?
            };
            steps.push(Planned { name, kind, named: !compensation.is_null(), after });
        }
        self.plans.push(steps);
        self.by_plan.or_insert(plan, number);
        Ok(number)
    }

    fn step(&mut self, op: &Operation<'_>, act: Act) -> Result<(), WorkloadError> {
        let values = self.history.values();
        let [mut name, ..] = self.named.of(values, op.argument());
        if name.is_null() {
            [name, ..] = self.named.of(values, op.result());
        }
        self.push(op.key(), name, act, op.position())
    }

    fn effect(&mut self, fact: Fact) -> Result<(), WorkloadError> {
        let values = self.history.values();
        let [name, kind, id] = self.named.of(values, fact.value);
        let act = match values.as_str(kind) {
            Some("do") if !id.is_null() => Act::Done(fact, id),
            Some("undo") if !id.is_null() => Act::Undone(fact, id),
            _ => {
                return Err(WorkloadError {
                    position: Some(fact.position),
                    message: format!("this effect is {}", values.json(fact.value, 60)),
                    help: "an effect has an identity, `effect`, and a `kind`: do or undo".to_owned(),
                });
            }
        };
        self.push(fact.key, name, act, fact.position)
    }

    fn push(&mut self, key: Value, name: Value, act: Act, position: u32) -> Result<(), WorkloadError> {
        if name.is_null() {
            return Err(WorkloadError {
                position: Some(position),
                message: "this record names no step".to_owned(),
                help: "give its `step` in `value`".to_owned(),
            });
        }
        let owner = self.owner(key);
        self.records.push(Record { name, step: u32::MAX, act });
        self.record_owner.push(owner);
        Ok(())
    }
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
