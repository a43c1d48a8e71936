//! Idempotency keys: does a retry get the outcome of the first attempt, and is everything done once?
//!
//! The history is read as groups of attempts and effects (`workload/idempotency`), and each group is judged alone by the
//! rules of the files beside this one: `effects` (too many, too few, unasked), `replay` (answers that disagree), `payload`
//! (one key, several payloads) and `conflict` (refusals as in flight); `across` has what several groups say together.
//!
//! Exactness. Order comes from positions, and an effect's record proves only that it had happened by then; what would need
//! that something had *not* happened yet is possible, not certain, unless the header says that observers are synchronous.
//! Times are used for `ttl`, `max-ttl` and `lease` alone, as intervals. A certain finding holds in every reading of what
//! is unknown; a possible one in some. `idempotent` is violated by a certain finding, unknown with a possible one, or
//! where no complete audit comes after the last answer, and else holds.
//!
//! Cost: linear in attempts and effects, n log n within a group; groups run in parallel, and their sums are added in order.
//!
//! Sources: draft-ietf-httpapi-idempotency-key-header; Stripe, "Idempotent requests" (API reference).

pub(in crate::check::delivery) mod account;
mod across;
mod conflict;
mod effects;
mod facts;
mod lives;
mod measures;
mod payload;
mod policy;
mod replay;
mod tally;

pub use policy::{InFlight, Policy, Replay};

use rayon::prelude::*;

use crate::check::Settings;
use crate::guarantee::Guarantee;
use crate::history::{History, Status, Value};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, Verdict};
use crate::witness::accounts;
use crate::witness::claim::{Account, Rule};
use crate::workload::WorkloadError;
use crate::workload::idempotency::{Attempt, Idempotency};

use across::Shared;
use conflict::Flight;
use facts::Facts;
pub use tally::CLASSES;
use tally::{Case, Piece, Tally};

/// How many groups one task judges.
const GROUPS_A_TASK: usize = 4096;

/// Judges `idempotent`.
///
/// # Errors
/// The history is not of this vocabulary, or the policy has a term that can't be read.
pub fn judge(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    let policy = Policy::of(history, settings.requirements)?;
    let workload = Idempotency::from_history(history)?;
    let tally = tally(history, &workload, &policy);
    let mut findings = Vec::new();
    for anomaly in CLASSES {
        for certainty in [Certainty::Certain, Certainty::Possible] {
            let count = tally.count(anomaly, certainty);
            let Some(case) = tally.best(anomaly, certainty).filter(|_| count > 0) else { continue };
            let (rule, records) = (Rule::Idempotency(policy.terms()), positions(&workload, case));
            let account = Account { rule, why: case.why, subject: Value::NULL, records };
            let witness = accounts::found(history, anomaly, certainty == Certainty::Certain, account);
            let rules_out = if certainty == Certainty::Certain { vec![Guarantee::Idempotent] } else { Vec::new() };
            findings.push(Finding { anomaly, certainty, count, rules_out, witness: Some(witness) });
        }
    }
    let judgement = judgement(&workload, &findings);
    let mut measures = Figures::new();
    measures.insert("delivery".to_owned(), measures::of(&workload, &policy, &tally).into());
    Ok(Outcome { judgements: vec![judgement], findings, measures })
}

/// The positions of a case's records, each once.
fn positions(workload: &Idempotency, case: &Case) -> Vec<u32> {
    let position = |piece: &Piece| match *piece {
        Piece::Attempt(at) => Some(workload.attempts[at as usize].position()),
        Piece::Effect(at) => Some(workload.effects[at as usize].position),
        Piece::Audit => workload.audit.map(|audit| audit.position),
    };
    let mut positions: Vec<u32> = case.pieces.iter().filter_map(position).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

fn tally(history: &History, workload: &Idempotency, policy: &Policy) -> Tally {
    let shared = Shared::of(workload);
    let pooled = across::pooled(workload);
    let numbers: Vec<usize> = (0..workload.groups.len()).step_by(GROUPS_A_TASK).collect();
    let tallies: Vec<Tally> = numbers
        .into_par_iter()
        .map(|first| {
            let mut tally = Tally::default();
            for (number, pooled) in pooled.iter().enumerate().skip(first).take(GROUPS_A_TASK) {
                let facts = Facts::of(workload, policy, &shared, number, *pooled);
                effects::judge(&facts, history.values(), &mut tally);
                replay::judge(&facts, &mut tally);
                if facts.keyed {
                    let mut flight = Flight::default();
                    payload::judge(&facts, &mut flight, &mut tally);
                    conflict::judge(&facts, &mut flight, &mut tally);
                }
            }
            tally
        })
        .collect();
    let mut tally = tallies.into_iter().fold(Tally::default(), Tally::merge);
    across::pools(workload, policy, &mut tally);
    across::intents(workload, policy, &mut tally);
    tally
}

fn judgement(workload: &Idempotency, findings: &[Finding]) -> Judgement {
    let answers = || workload.attempts.iter().filter(|attempt| attempt.status == Status::Ok);
    let refused = workload.attempts.iter().filter(|attempt| attempt.status == Status::Fail).count();
    let last = answers().map(|attempt: &Attempt| attempt.ended).max();
    let audited = workload.audit.is_some_and(|audit| last.is_none_or(|last| last < audit.position));
    let certain: Vec<_> = findings.iter().filter(|finding| finding.certainty == Certainty::Certain).collect();
    let mut judgement = Judgement::new(Guarantee::Idempotent, Verdict::Holds);
    if !certain.is_empty() {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies = certain.iter().map(|finding| finding.anomaly).collect();
    } else if answers().next().is_none() && refused == 0 && workload.effects.is_empty() {
        judgement.verdict = Verdict::Unknown;
        judgement.reason =
            Some("no request was answered, and no effect is recorded: nothing could refute it".to_owned());
    } else if let Some(finding) = findings.first() {
        judgement.verdict = Verdict::Unknown;
        let what = finding.witness.as_ref().map_or("", |witness| witness.text.as_str());
        let names: Vec<String> =
            findings.iter().map(|finding| format!("{} {} possible", finding.count, finding.anomaly)).collect();
        judgement.reason = Some(format!("{}. {what}", names.join(", ")));
    } else if !audited {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some(
            "nothing is wrong with what is recorded, and no `audit` with `complete` after the last answer says that every \
             effect is: add one to the history"
                .to_owned(),
        );
    }
    let mut put = |name: &str, value: u64| _ = judgement.evidence.insert(name.to_owned(), value.into());
    put("attempts", workload.attempts.len() as u64);
    put("answered", answers().count() as u64);
    put("refused", refused as u64);
    put("effects", workload.effects.len() as u64);
    put("groups", workload.groups.len() as u64);
    judgement.evidence.insert("audited".to_owned(), audited.into());
    judgement
}
