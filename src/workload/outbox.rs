//! The `outbox` vocabulary: committed state changes, and the events published for them.
//!
//! `commit` names an aggregate, its new version and the events that belong to it; `publish` is one publication of one event;
//! an observer's `drained` says that nothing was waiting any more. Cost: linear in records.

use super::WorkloadError;
use super::fields::{Fields, or_null};
use super::numbers::Numbers;
use super::payload::Payloads;
use super::records::{Fact, Grouped, Run, facts, stranger};
use crate::history::{History, Operation, Value};

/// A change of one aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Commit {
    /// When, and whether.
    pub run: Run,
    /// What changed, or null.
    pub aggregate: Value,
    /// The aggregate's version after it.
    pub version: Option<i64>,
}

/// One publication of an event.
#[derive(Clone, Copy, Debug)]
pub struct Publish {
    /// When, and whether.
    pub run: Run,
    /// The event, dense.
    pub event: u32,
    /// The aggregate that it names, or null.
    pub aggregate: Value,
    /// The version that it names.
    pub version: Option<i64>,
    /// Its payload: equal numbers for equal ones.
    pub payload: Option<u32>,
    /// Its fingerprint, or null.
    pub fingerprint: Value,
}

/// A history of commits and publications.
#[derive(Debug)]
pub struct Outbox {
    /// In order of beginning.
    pub commits: Vec<Commit>,
    /// In order of beginning.
    pub publishes: Vec<Publish>,
    /// The events' names, in order of first appearance.
    pub events: Vec<Value>,
    /// The last record that says: nothing is waiting.
    pub drained: Option<Fact>,
    /// Pairs of a commit and an event that it lists: the commit of each, and below the pairs of each event.
    pub listed: Vec<u32>,
    listed_of: Grouped,
    publishes_of: Grouped,
}

impl Outbox {
    /// Reads the vocabulary.
    ///
    /// # Errors
    /// An operation that is none of `commit`, `publish` and `drained`, a version that is no integer, `events` that are no
    /// list, a publication without event.
    pub fn from_history(history: &History) -> Result<Outbox, WorkloadError> {
        let mut reader = Reader {
            history,
            commits: Vec::new(),
            publishes: Vec::new(),
            events: Vec::new(),
            by_name: Numbers::default(),
            listed: Vec::new(),
            listed_event: Vec::new(),
            payloads: Payloads::default(),
            commit: Fields::new(["aggregate", "version", "events"]),
            publish: Fields::new(["event", "aggregate", "version", "payload", "fingerprint"]),
        };
        for op in history.ops() {
            match history.values().as_str(op.f()) {
                Some("commit") => reader.commit(&op)?,
                Some("publish") => reader.publish(&op)?,
                Some("drained") => {}
                _ => {
                    let help = "operations are `commit` and `publish`; an observer's record is `drained`";
                    return Err(stranger(history, &op, "outbox", help));
                }
            }
        }
        let events = reader.events.len();
        let owners: Vec<u32> = reader.publishes.iter().map(|publish| publish.event).collect();
        Ok(Outbox {
            drained: facts(history, &["drained"]).last().map(|(_, fact)| *fact),
            listed_of: Grouped::new(events, &reader.listed_event),
            publishes_of: Grouped::new(events, &owners),
            commits: reader.commits,
            publishes: reader.publishes,
            events: reader.events,
            listed: reader.listed,
        })
    }

    /// The commits that list this event.
    pub fn commits_of(&self, event: usize) -> impl Iterator<Item = &Commit> + Clone {
        self.listed_of.of(event).iter().map(|pair| &self.commits[self.listed[*pair as usize] as usize])
    }

    /// The publications of this event.
    pub fn publishes_of(&self, event: usize) -> impl Iterator<Item = &Publish> + Clone {
        self.publishes_of.of(event).iter().map(|at| &self.publishes[*at as usize])
    }
}

struct Reader<'a> {
    history: &'a History,
    commits: Vec<Commit>,
    publishes: Vec<Publish>,
    events: Vec<Value>,
    by_name: Numbers,
    listed: Vec<u32>,
    listed_event: Vec<u32>,
    payloads: Payloads,
    commit: Fields<3>,
    publish: Fields<5>,
}

impl Reader<'_> {
    /// What the invocation says, and where it says nothing, the completion.
    fn either<const N: usize>(history: &History, fields: &mut Fields<N>, op: &Operation<'_>) -> [Value; N] {
        let asked = fields.of(history.values(), op.argument());
        let answered = fields.of(history.values(), op.result());
        std::array::from_fn(|at| if or_null(asked[at]).is_null() { or_null(answered[at]) } else { asked[at] })
    }

    fn commit(&mut self, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let values = self.history.values();
        let [aggregate, version, events] = Self::either(self.history, &mut self.commit, op);
        let version = self.version(op, version)?;
        let commit = u32::try_from(self.commits.len()).unwrap_or(u32::MAX);
        self.commits.push(Commit { run: Run::of(op), aggregate, version });
        if !events.is_null() && !events.is_list() {
            return Err(wrong(op, format!("this commit's `events` are {}", values.json(events, 60)), "give a list"));
        }
        for event in values.items(events) {
            let event = self.event(event);
            self.listed.push(commit);
            self.listed_event.push(event);
        }
        Ok(())
    }

    fn publish(&mut self, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let values = self.history.values();
        let [event, aggregate, version, payload, fingerprint] = Self::either(self.history, &mut self.publish, op);
        if event.is_null() {
            return Err(wrong(op, "this publication names no event".to_owned(), "give its `event` in `value`"));
        }
        let version = self.version(op, version)?;
        let payload = (!payload.is_null()).then(|| self.payloads.class(values, payload));
        let event = self.event(event);
        self.publishes.push(Publish { run: Run::of(op), event, aggregate, version, payload, fingerprint });
        Ok(())
    }

    fn version(&self, op: &Operation<'_>, version: Value) -> Result<Option<i64>, WorkloadError> {
        let values = self.history.values();
        match values.as_int(version) {
            None if !version.is_null() => {
                Err(wrong(op, format!("`version` is {}", values.json(version, 60)), "a version is an integer"))
            }
            version => Ok(version),
        }
    }

    fn event(&mut self, name: Value) -> u32 {
        let next = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        let event = self.by_name.or_insert(name, next);
        if event == next {
            self.events.push(name);
        }
        event
    }
}

fn wrong(op: &Operation<'_>, message: String, help: &str) -> WorkloadError {
    WorkloadError { position: Some(op.position()), message, help: help.to_owned() }
}
