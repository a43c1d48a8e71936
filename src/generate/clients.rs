//! The clients of a simulated store: who acts when, and what they learn of it.
//!
//! At every turn a random client takes its next step: it invokes an operation, the operation does one of its steps inside
//! the store, or it completes. So every effect lies between its invocation and its completion, and as many operations
//! overlap as there are clients. A client that crashes goes on as a new process. Its operation had its effect (the answer
//! was lost), or has it at some later turn, or never; one crash in four leaves no record at all.
//!
//! Memory: one operation a client, and at most [`LATE_MAX`] that are late.

use std::io;

use super::lines::Lines;
use super::random::{Chance, Random};
use super::{Anomaly, Options};
use crate::history::RecordType;

/// How many crashed operations can wait for their effect.
const LATE_MAX: usize = 32;
/// One of the waiting operations takes effect once in so many turns.
const LATE_TURNS: u64 = 256;

/// What one step of an operation came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It has more to do.
    More,
    /// It took effect, and can complete.
    Done,
    /// The store refused it: it has no effect, and fails.
    Refused,
}

/// A simulated store.
pub(super) trait Store {
    /// An operation, from its plan to its result. A client's is used again for its next one, so it also holds what the
    /// store knows of the session.
    type Operation: Default;

    /// Chooses what the operation will do.
    fn plan(&mut self, operation: &mut Self::Operation, random: &mut Random);

    /// Makes it the read of the nth object, for the end of the history; false where there is no such object.
    fn plan_final(&mut self, operation: &mut Self::Operation, nth: u32) -> bool;

    /// Does its next step.
    fn step(&mut self, operation: &mut Self::Operation, random: &mut Random) -> Step;

    /// Whether what an operation did stays when it fails.
    fn keeps_failed_effects(&self) -> bool;

    /// It will do nothing more.
    fn release(&mut self, operation: &mut Self::Operation);

    /// The function's name.
    fn f(&self, operation: &Self::Operation) -> &'static str;

    /// Writes key and value: the result for `ok`, else the argument.
    fn fields(&self, operation: &Self::Operation, kind: RecordType, text: &mut Vec<u8>);

    /// How many operations an anomaly takes; 0 where this store has no such anomaly.
    fn anomaly_operations(&self, anomaly: Anomaly) -> u64;

    /// Writes the records of an anomaly, by processes from `process` on; how many.
    fn anomaly(
        &mut self,
        anomaly: Anomaly,
        process: u64,
        lines: &mut Lines<'_>,
        random: &mut Random,
    ) -> io::Result<u64>;
}

/// What will come of an operation, chosen when it is invoked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Ok,
    Fail,
    AnswerLost,
    EffectLate,
    NoEffect,
}

enum State {
    Idle,
    Running(Outcome),
    Ending(RecordType),
}

struct Client<O> {
    process: u64,
    state: State,
    operation: O,
}

/// Runs a store until all its operations are invoked and completed.
pub(super) fn run<S: Store>(
    store: &mut S,
    options: &Options,
    lines: &mut Lines<'_>,
    random: &mut Random,
) -> io::Result<()> {
    let anomaly_operations = options.anomaly.map_or(0, |anomaly| store.anomaly_operations(anomaly));
    let anomalies = if options.anomaly.is_some() { options.anomalies } else { 0 };
    let final_reads = if options.final_reads { u64::from(options.nodes.max(1)) * u64::from(options.keys) } else { 0 };
    let scripted = anomaly_operations.saturating_mul(anomalies).saturating_add(final_reads);
    let quota = options.operations.saturating_sub(scripted);
    // The moment of the nth of them: evenly spread over the operations, a single one in the middle.
    let turn = |nth: u64| u128::from(quota) * u128::from(nth + 1) / (u128::from(anomalies) + 1);
    let (crash, fail) = (Chance::of(options.crash_rate), Chance::of(options.fail_rate));
    let mut clients: Vec<Client<S::Operation>> = (0..u64::from(options.processes))
        .map(|process| Client { process, state: State::Idle, operation: S::Operation::default() })
        .collect();
    let mut next_process = u64::from(options.processes);
    let mut late: Vec<S::Operation> = Vec::new();
    let (mut invoked, mut shown) = (0, 0);
    while !clients.is_empty() {
        while shown < anomalies && u128::from(invoked) >= turn(shown) {
            if let Some(anomaly) = options.anomaly {
                next_process += store.anomaly(anomaly, next_process, lines, random)?;
            }
            shown += 1;
        }
        if late.len() > LATE_MAX || (!late.is_empty() && random.one_in(LATE_TURNS)) {
            let mut operation = late.swap_remove(random.index(late.len()));
            while store.step(&mut operation, random) == Step::More {}
            store.release(&mut operation);
        }
        let at = random.index(clients.len());
        let client = &mut clients[at];
        match client.state {
            State::Idle if invoked == quota => {
                clients.swap_remove(at);
            }
            State::Idle => {
                invoked += 1;
                store.plan(&mut client.operation, random);
                client.state = State::Running(outcome(crash, fail, random));
                record(store, client, RecordType::Invoke, lines, random)?;
            }
            State::Running(outcome @ (Outcome::EffectLate | Outcome::NoEffect)) => {
                if !random.one_in(4) {
                    record(store, client, RecordType::Info, lines, random)?;
                }
                let mut operation = restart(client, &mut next_process);
                if outcome == Outcome::EffectLate {
                    late.push(operation);
                } else {
                    store.release(&mut operation);
                }
            }
            State::Running(Outcome::Fail) if !store.keeps_failed_effects() => {
                client.state = State::Ending(RecordType::Fail);
            }
            State::Running(outcome) => {
                client.state = match (store.step(&mut client.operation, random), outcome) {
                    (Step::More, _) => State::Running(outcome),
                    (_, Outcome::AnswerLost) => State::Ending(RecordType::Info),
                    (Step::Refused, _) | (Step::Done, Outcome::Fail) => State::Ending(RecordType::Fail),
                    (Step::Done, _) => State::Ending(RecordType::Ok),
                };
            }
            State::Ending(kind) => {
                if kind != RecordType::Info || !random.one_in(4) {
                    record(store, client, kind, lines, random)?;
                }
                store.release(&mut client.operation);
                client.state = State::Idle;
                if kind == RecordType::Info {
                    restart(client, &mut next_process);
                }
            }
        }
    }
    if options.final_reads {
        read_everything(store, options, next_process, lines, random)?;
    }
    lines.flush()
}

/// Reads every object at every node, one read after the other, now that everything settled: what is still late never
/// takes effect.
fn read_everything<S: Store>(
    store: &mut S,
    options: &Options,
    next_process: u64,
    lines: &mut Lines<'_>,
    random: &mut Random,
) -> io::Result<()> {
    for node in 0..u64::from(options.nodes.max(1)) {
        let operation = S::Operation::default();
        let mut client = Client { process: next_process + node, state: State::Idle, operation };
        for nth in 0..options.keys {
            if !store.plan_final(&mut client.operation, nth) {
                return Ok(());
            }
            for kind in [RecordType::Invoke, RecordType::Ok] {
                if kind == RecordType::Ok {
                    while store.step(&mut client.operation, random) == Step::More {}
                }
                lines.start(kind, client.process, store.f(&client.operation), random);
                store.fields(&client.operation, kind, lines.text());
                lines.text().extend_from_slice(b",\"final\":true");
                lines.end()?;
            }
        }
    }
    Ok(())
}

fn outcome(crash: Chance, fail: Chance, random: &mut Random) -> Outcome {
    if random.chance(crash) {
        [Outcome::AnswerLost, Outcome::EffectLate, Outcome::NoEffect][random.index(3)]
    } else if random.chance(fail) {
        Outcome::Fail
    } else {
        Outcome::Ok
    }
}

/// The client goes on as a new process, which is a new session; gives what the old one was doing.
fn restart<O: Default>(client: &mut Client<O>, next_process: &mut u64) -> O {
    client.process = *next_process;
    *next_process += 1;
    client.state = State::Idle;
    std::mem::take(&mut client.operation)
}

fn record<S: Store>(
    store: &S,
    client: &Client<S::Operation>,
    kind: RecordType,
    lines: &mut Lines<'_>,
    random: &mut Random,
) -> io::Result<()> {
    lines.start(kind, client.process, store.f(&client.operation), random);
    store.fields(&client.operation, kind, lines.text());
    lines.end()
}
