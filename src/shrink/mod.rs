//! The smallest history that still fails in the same way.
//!
//! What is kept fails in the same way when a check of it alone finds the same anomaly, certainly, against the same guarantee,
//! and finds no read of what nobody wrote unless that is the anomaly: leaving out a write must not make its readers the fault.
//!
//! It begins with the witness. Where that does not fail by itself (what proves it lies in the operations around it), with all
//! that touches the witness's keys, and where that does not either, with everything. Then pieces are left out, halves first
//! and single ones last, until nothing can be: the result is 1-minimal (Zeller and Hildebrandt, Simplifying and Isolating
//! Failure-Inducing Input, 2002). Cost: a check for every piece that is tried, of what is kept by then, under the budget.

use std::collections::BTreeSet;

use crate::check::{self, Settings};
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::{History, Operation, Value};
use crate::verdict::{Certainty, Outcome, StoppedBy, Verdict};
use crate::workload::{Workload, WorkloadError};

/// No more operations than this are judged, all tries together: minutes, where a check is dear.
const MOST_JUDGED: u64 = 5_000_000;

/// A smaller history, and what it shows.
#[derive(Debug)]
pub struct Shrunk {
    /// What is kept: a part of the whole, at its old positions.
    pub history: History,
    /// What it breaks.
    pub guarantee: Guarantee,
    /// By what.
    pub anomaly: Anomaly,
    /// What ended the search for a smaller one, where something did: else nothing can be left out.
    pub stopped_by: Option<StoppedBy>,
    /// How many histories were judged.
    pub tries: u64,
}

/// Why a history can't be made smaller.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    /// It is not of its vocabulary.
    #[error("{}", .0.message)]
    Workload(WorkloadError),
    /// Nothing that is required is certainly violated, or not by this anomaly.
    #[error("{0}")]
    Nothing(String),
}

/// What has to stay wrong.
#[derive(Clone, Copy)]
struct Fault {
    guarantee: Guarantee,
    anomaly: Anomaly,
}

impl Fault {
    fn is_in(self, outcome: &Outcome) -> bool {
        let violated = outcome
            .judgements
            .iter()
            .any(|judged| judged.guarantee == self.guarantee && judged.verdict == Verdict::Violated);
        let certain = |anomaly: Anomaly| {
            outcome.findings.iter().any(|found| found.anomaly == anomaly && found.certainty == Certainty::Certain)
        };
        violated && certain(self.anomaly) && (self.anomaly == Anomaly::ThinAirRead || !certain(Anomaly::ThinAirRead))
    }
}

/// Makes a history smaller that violates something required; `anomaly` says by what, where there is a choice.
///
/// # Errors
/// The history is not of the workload, or does not fail in that way.
pub fn shrink(
    history: &History,
    workload: Workload,
    settings: &Settings<'_>,
    anomaly: Option<Anomaly>,
) -> Result<Shrunk, ShrinkError> {
    let mut refused = None;
    for pass in check::passes(settings.requirements) {
        match shrink_by(history, workload, &Settings { requirements: &pass, budget: settings.budget }, anomaly) {
            Err(ShrinkError::Nothing(why)) => _ = refused.get_or_insert(why),
            done => return done,
        }
    }
    Err(ShrinkError::Nothing(refused.unwrap_or_else(|| "nothing is required".to_owned())))
}

/// The same, of requirements that don't disagree about parameters.
fn shrink_by(
    history: &History,
    workload: Workload,
    settings: &Settings<'_>,
    anomaly: Option<Anomaly>,
) -> Result<Shrunk, ShrinkError> {
    let outcome = check::judge(history, workload, settings).map_err(ShrinkError::Workload)?;
    let fault = fault(&outcome, settings, anomaly)?;
    let mut shrinking = Shrinking { workload, settings, fault, tries: 1, stopped_by: None, steps: MOST_JUDGED };
    let witness: BTreeSet<u32> = outcome
        .findings
        .iter()
        .filter(|found| found.anomaly == fault.anomaly)
        .filter_map(|found| found.witness.as_ref())
        .flat_map(|witness| witness.operations.iter().copied())
        .collect();
    let kept = shrinking.begin(history, &witness);
    let kept = shrinking.head(kept);
    let kept = shrinking.reduce(kept);
    let Shrinking { tries, stopped_by, .. } = shrinking;
    Ok(Shrunk { history: kept, guarantee: fault.guarantee, anomaly: fault.anomaly, stopped_by, tries })
}

/// The first required guarantee that is violated, by the anomaly that is asked for, or by the first that rules it out.
fn fault(outcome: &Outcome, settings: &Settings<'_>, anomaly: Option<Anomaly>) -> Result<Fault, ShrinkError> {
    let required = |guarantee| settings.requirements.iter().any(|one| one.guarantee == guarantee);
    let mut violated = Vec::new();
    for judged in outcome.judgements.iter().filter(|judged| required(judged.guarantee)) {
        if judged.verdict == Verdict::Violated {
            let all = judged.anomalies.iter().copied();
            violated.extend(all.map(|anomaly| Fault { guarantee: judged.guarantee, anomaly }));
        }
    }
    let asked = |fault: &&Fault| anomaly.is_none_or(|anomaly| fault.anomaly == anomaly) && fault.is_in(outcome);
    violated.iter().find(asked).copied().ok_or_else(|| {
        ShrinkError::Nothing(match anomaly {
            None => {
                "nothing that is required is certainly violated: there is nothing to keep while shrinking".to_owned()
            }
            Some(anomaly) if violated.is_empty() => {
                format!("nothing that is required is violated, by {anomaly} or otherwise")
            }
            Some(anomaly) => {
                let mut names: Vec<&str> = violated.iter().map(|fault| fault.anomaly.name()).collect();
                names.dedup();
                format!("nothing that is required is violated by {anomaly}; it is by {}", names.join(", "))
            }
        })
    })
}

struct Shrinking<'a> {
    workload: Workload,
    settings: &'a Settings<'a>,
    fault: Fault,
    tries: u64,
    stopped_by: Option<StoppedBy>,
    /// Operations that may still be judged, all tries together.
    steps: u64,
}

impl Shrinking<'_> {
    /// Something small that fails, and otherwise everything.
    fn begin(&mut self, history: &History, witness: &BTreeSet<u32>) -> History {
        let is_in = |op: &Operation<'_>| op.invoked().into_iter().chain(op.completed()).any(|at| witness.contains(&at));
        // Observers' words without a key (an audit, a drained topic) are about everything.
        let narrow = history.select(is_in, |seen| witness.contains(&seen.position) || seen.key.is_null());
        if self.fails(&narrow) {
            return narrow;
        }
        let mut keys: Vec<Value> = Vec::new();
        for op in history.ops().filter(is_in) {
            keys.extend(touched(&op));
        }
        keys.extend(history.observations().iter().filter(|seen| witness.contains(&seen.position)).map(|seen| seen.key));
        keys.sort_unstable_by_key(|key| key.raw());
        keys.dedup();
        let knows = |key: Value| keys.binary_search_by_key(&key.raw(), |known| known.raw()).is_ok();
        let wide = history.select(
            |op| touched(op).into_iter().any(knows) || op.key().is_null() && op.mops().is_empty(),
            |seen| seen.key.is_null() || knows(seen.key),
        );
        if self.fails(&wide) { wide } else { history.select(|_| true, |_| true) }
    }

    /// The shortest part from the beginning that fails, found by halving.
    fn head(&mut self, kept: History) -> History {
        let (mut passes, mut fails) = (0, kept.records());
        let mut shortest = None;
        while passes + 1 < fails && self.stopped_by.is_none() {
            let middle = u32::midpoint(passes, fails);
            let head = kept.before(middle);
            if self.fails(&head) {
                (fails, shortest) = (middle, Some(head));
            } else {
                passes = middle;
            }
        }
        shortest.unwrap_or(kept)
    }

    /// Leaves out what can be: pieces of half the size each round, until single ones make no difference.
    fn reduce(&mut self, mut kept: History) -> History {
        let mut piece = items(&kept).div_ceil(2).max(1);
        loop {
            let mut end = items(&kept);
            let mut changed = false;
            while end > 0 && self.stopped_by.is_none() {
                let start = end.saturating_sub(piece);
                let without = without(&kept, start, end - start);
                if self.fails(&without) {
                    kept = without;
                    changed = true;
                }
                end = start;
            }
            // What could not be left out before may be superfluous now.
            if self.stopped_by.is_some() || piece == 1 && !changed {
                return kept;
            }
            piece = if piece == 1 { 1 } else { piece.div_ceil(2) };
        }
    }

    /// Whether this history fails in the same way. One that is not of the vocabulary does not.
    fn fails(&mut self, history: &History) -> bool {
        let cost = u64::try_from(items(history)).unwrap_or(u64::MAX).max(1);
        self.stopped_by = self.settings.budget.stopped();
        match self.steps.checked_sub(cost) {
            Some(left) if self.stopped_by.is_none() => self.steps = left,
            _ => {
                self.stopped_by.get_or_insert(StoppedBy::Budget);
                return false;
            }
        }
        self.tries += 1;
        check::judge(history, self.workload, self.settings).is_ok_and(|outcome| self.fault.is_in(&outcome))
    }
}

/// Operations, and then observers' records.
fn items(history: &History) -> usize {
    history.len() + history.observations().len()
}

/// The history without these items.
fn without(history: &History, start: usize, count: usize) -> History {
    let gone = start..start + count;
    let observations = history.observations();
    history.select(
        |op| !gone.contains(&op.id.index()),
        |seen| {
            let at = observations.partition_point(|other| other.position < seen.position);
            !gone.contains(&(history.len() + at))
        },
    )
}

/// The keys that an operation touches.
fn touched(op: &Operation<'_>) -> Vec<Value> {
    let keys = std::iter::once(op.key()).chain(op.mops().iter().map(|mop| mop.key));
    keys.filter(|key| !key.is_null()).collect()
}
