//! Guarantees of single objects: `linearizable`, for registers.
//!
//! A history of objects is linearizable exactly when each object's part of it is (Herlihy and Wing 1990), so keys are
//! judged one by one and in parallel. `zones` decides a key in linear time where reads tell which write they saw, and the
//! search engine decides the others, under a budget.

mod conflict;
mod decide;
mod explain;
mod narrow;
mod order;
mod proof;
mod registers;
mod resolve;
mod settle;
mod strings;
mod texts;
mod values;
mod words;
mod zones;

#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::budget::Budget;
use crate::check::Settings;
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::{History, Status};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, StoppedBy, Verdict};
use crate::witness::Minimality;
use crate::witness::claim::Claim;
use crate::witness::objects::contradiction::Why as Contradiction;
use crate::witness::recheck::contradiction;
use crate::workload::register::{Action, Initial, Key, Register};
use crate::workload::{WorkloadError, kv};

pub(super) use order::{claim, claim_of_strings};

use decide::{Decision, Doubt, Method};
use proof::{Proof, Shape};
use strings::{Strings, Unclear};
use words::Words;

/// Judges a history of registers.
///
/// # Errors
/// What is no register history, with the record at fault.
pub fn judge(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    Ok(judge_registers(history, &Register::from_history(history)?, settings))
}

/// Judges registers whose observations are at hand.
#[must_use]
pub fn judge_registers(history: &History, register: &Register, settings: &Settings<'_>) -> Outcome {
    let objects = Objects { history, register, strings: None };
    let decide = |number| decide::decide(&objects.key(number), settings.budget);
    let decisions: Vec<Decision> = (0..register.keys()).into_par_iter().map(decide).collect();
    outcome(&objects, decisions, settings.budget)
}

/// Judges a history of strings that grow.
///
/// # Errors
/// What is no history of this vocabulary, with the record at fault.
pub fn judge_kv(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    let register = kv::from_history(history)?;
    let strings = |number| Strings::new(history, &register.key(number));
    let strings: Vec<Strings> = (0..register.keys()).into_par_iter().map(strings).collect();
    let objects = Objects { history, register: &register, strings: Some(&strings) };
    let decide = |number: usize| match &strings[number] {
        Strings { unclear: Some(Unclear::Repeated | Unclear::Ambiguous), .. } => {
            texts::decide(history, &objects.key(number), settings.budget)
        }
        Strings { unclear: Some(why), .. } => Decision::unclear(*why),
        Strings { moved: Some(proof), .. } => decide::decide(&objects.key(number), settings.budget).with(proof.clone()),
        _ => decide::decide(&objects.key(number), settings.budget),
    };
    let decisions: Vec<Decision> = (0..register.keys()).into_par_iter().map(decide).collect();
    Ok(outcome(&objects, decisions, settings.budget))
}

/// The objects of a history, as registers.
struct Objects<'a> {
    history: &'a History,
    register: &'a Register,
    strings: Option<&'a [Strings]>,
}

impl<'a> Objects<'a> {
    fn key(&self, number: usize) -> Key<'a> {
        let key = self.register.key(number);
        self.strings(number).map_or(key, |strings| strings.key(&key))
    }

    /// The states of a key's string, where gets show them.
    fn strings(&self, number: usize) -> Option<&'a Strings> {
        self.strings.and_then(|strings| strings.get(number)).filter(|strings| strings.unclear.is_none())
    }

    fn words(&self, number: usize) -> Words<'a> {
        Words { history: self.history, is_kv: self.strings.is_some(), strings: self.strings(number) }
    }
}

fn outcome(objects: &Objects<'_>, decisions: Vec<Decision>, budget: &Budget) -> Outcome {
    let evidence = evidence(objects, &decisions);
    let vacuous = evidence["reads"] == 0;
    let mut best: Vec<(Anomaly, usize, Proof, u64)> = Vec::new();
    let mut doubts: Vec<(usize, Doubt)> = Vec::new();
    let mut orders: Vec<(usize, Vec<u32>)> = Vec::new();
    for (number, decision) in decisions.into_iter().enumerate() {
        orders.extend(decision.order.map(|order| (number, order)));
        doubts.extend(decision.doubt.map(|doubt| (number, doubt)));
        for (mut proof, count) in decision.proofs {
            let key = objects.key(number);
            let named = !matches!(proof.anomaly, Anomaly::NonLinearizable | Anomaly::LostUpdate);
            if named && !is_timeless(objects.history, &key, &proof) {
                (proof.anomaly, proof.minimality) = (Anomaly::NonLinearizable, Minimality::Bounded);
            }
            // A key has an order or has none: that is one occurrence, however many pairs show it.
            let count = if proof.anomaly == Anomaly::NonLinearizable { 1 } else { count };
            let rank = proof.rank(&key);
            match best.iter_mut().find(|(anomaly, ..)| *anomaly == proof.anomaly) {
                None => best.push((proof.anomaly, number, proof, count)),
                Some((_, other, known, total)) => {
                    *total += count;
                    if rank < known.rank(&objects.key(*other)) {
                        (*other, *known) = (number, proof);
                    }
                }
            }
        }
    }
    let best = settled(objects, best, budget);
    let mut judgement = Judgement::new(Guarantee::Linearizable, Verdict::Holds);
    judgement.anomalies = best.iter().map(|(anomaly, ..)| *anomaly).collect();
    judgement.evidence = evidence;
    judgement.orders = orders;
    if !best.is_empty() {
        judgement.verdict = Verdict::Violated;
    } else if let Some((number, doubt)) = doubts.first() {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some(reason(objects.history, &objects.key(*number), doubt, doubts.len()));
        judgement.stopped_by = doubts.iter().find_map(|(_, doubt)| match doubt {
            Doubt::Stopped { by, .. } => Some(*by),
            Doubt::TooWide(_) | Doubt::Unclear(_) => None,
        });
    } else if vacuous {
        judgement.verdict = Verdict::Unknown;
        judgement.reason =
            Some("no operation that tells what was there succeeded: nothing could have shown a violation".to_owned());
    }
    let findings = best.iter().map(|(_, key, proof, count)| finding(objects, *key, proof, *count));
    Outcome { judgements: vec![judgement], findings: findings.collect(), measures: Figures::new() }
}

/// The proofs that are shown, made small: one of each kind, in the order of kinds. To be made small can change the kind.
fn settled(
    objects: &Objects<'_>,
    proofs: Vec<(Anomaly, usize, Proof, u64)>,
    budget: &Budget,
) -> Vec<(Anomaly, usize, Proof, u64)> {
    let settle = |(_, key, proof, count): (Anomaly, usize, Proof, u64)| {
        let (of, meter) = (objects.key(key), &mut budget.meter());
        // Strings that gets do not show have no states of a register.
        let proof = match (&proof.shape, objects.strings.is_some() && objects.strings(key).is_none()) {
            (Shape::Searched { dead, scarce, .. }, true) => texts::settle(objects.history, &of, *dead, scarce, meter),
            _ => settle::settle(&of, proof, meter),
        };
        (proof.anomaly, key, proof, count)
    };
    let mut settled: Vec<_> = proofs.into_iter().map(settle).collect();
    settled.sort_by_key(|(anomaly, key, proof, _)| (*anomaly, proof.rank(&objects.key(*key))));
    settled.dedup_by_key(|(anomaly, ..)| *anomaly);
    settled
}

fn evidence(objects: &Objects<'_>, decisions: &[Decision]) -> Figures {
    let (register, is_kv) = (objects.register, objects.strings.is_some());
    let mut reads = 0u64;
    for number in 0..register.keys() {
        let key = register.key(number);
        // A compare-and-set that succeeded tells what was there; an append does not.
        let tells = |action: Action| action == Action::Read || action == Action::Cas && !is_kv;
        let counts = |at: &usize| key.status[*at] == Status::Ok && tells(key.action[*at]);
        reads += (0..key.len()).filter(counts).map(|_| 1).sum::<u64>();
    }
    let by = |method: Method| decisions.iter().filter(|d| d.doubt.is_none() && d.method == method).count();
    let undecided = decisions.iter().filter(|decision| decision.doubt.is_some()).count();
    let mut evidence = Figures::new();
    evidence.insert("operations".to_owned(), register.len().into());
    evidence.insert("reads".to_owned(), reads.into());
    evidence.insert("keys".to_owned(), register.keys().into());
    evidence.insert(
        "keys_by_method".to_owned(),
        serde_json::json!({"zones": by(Method::Zones), "search": by(Method::Search), "undecided": undecided}),
    );
    evidence
}

fn reason(history: &History, key: &Key<'_>, doubt: &Doubt, keys: usize) -> String {
    let values = history.values();
    let name = if key.name.is_absent() { String::new() } else { format!("key {}: ", values.json(key.name, 60)) };
    let more = if keys > 1 { format!(" ({} more keys are undecided)", keys - 1) } else { String::new() };
    match doubt {
        Doubt::Stopped { by, placed, of } => {
            let what = match by {
                StoppedBy::Budget => "the search spent its steps",
                StoppedBy::Timeout => "the time was over",
                StoppedBy::Memory => "the memory was used up",
            };
            format!(
                "{name}{what} when {placed} of {of} operations had been put in order{more}; values that are written once \
                 need no search, and fewer clients at one time, shorter histories or a larger budget make it easier"
            )
        }
        Doubt::TooWide(lanes) => format!(
            "{name}{lanes} operations were in flight at one time, more than the search can hold{more}; values that are \
             written once need no search"
        ),
        Doubt::Unclear(why) => {
            let why = match why {
                Unclear::Initial => "what was there at first is not known: say it with `initial`",
                _ => "there are too many strings",
            };
            format!("{name}{why}{more}")
        }
    }
}

/// Whether the anomaly is one without real time too: no read of what another session wrote only later, and nothing that
/// real time alone tells of writers or of what was there at first.
fn is_timeless(history: &History, key: &Key<'_>, proof: &Proof) -> bool {
    let written_later = match proof.shape {
        Shape::Future { observer, writer } => {
            let session = |op: u32| history.op(key.op[op as usize]).session();
            session(observer) != session(writer)
        }
        _ => false,
    };
    !written_later && !proof.repeated && key.initial != Initial::Unknown
}

fn finding(objects: &Objects<'_>, number: usize, proof: &Proof, count: u64) -> Finding {
    let (history, key, words) = (objects.history, &objects.key(number), objects.words(number));
    let operations: Vec<_> = proof.operations.iter().map(|op| key.op[*op as usize]).collect();
    let why = explain::why(key, proof);
    // What the second look does not follow sentence by sentence is claimed as a whole only.
    let is_claimed = |why: &Contradiction| {
        matches!(why, Contradiction::FromNowhere { .. }) || contradiction::confirms(history, &operations, why)
    };
    let claimed = why.clone().filter(is_claimed);
    let claim = match proof.shape {
        Shape::Moved { append, first, second } => {
            let [append, first, second] = [append, first, second].map(|op| key.op[op as usize]);
            Claim::TwoPlaces { append, gets: [first, second] }
        }
        _ => Claim::NoOrder { operations: operations.clone(), why: claimed.clone() },
    };
    let without_time = match proof.anomaly {
        Anomaly::NonLinearizable => matches!(proof.shape, Shape::Moved { .. }),
        _ => is_timeless(history, key, proof),
    };
    let told = match &claimed {
        // Verify tells these from the claim, too.
        Some(why) if !words.is_kv => contradiction::witness(history, &operations, why, proof.minimality),
        _ => explain::witness(words, key, proof, why.as_ref()),
    };
    let mut rules_out = vec![Guarantee::Linearizable];
    rules_out.extend(without_time.then_some(Guarantee::Sequential));
    Finding {
        anomaly: proof.anomaly,
        certainty: Certainty::Certain,
        count,
        rules_out,
        witness: Some(told.claiming(history, proof.anomaly, true, &claim)),
    }
}
