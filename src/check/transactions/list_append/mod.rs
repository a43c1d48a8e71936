//! list-append: isolation of transactions over lists.
//!
//! A list tells who wrote before whom, so version orders are read off the longest list of each object (`versions`), the
//! dependencies off these (`edges`), and every level that is defined by cycles is decided by existence of components, in
//! linear time (`levels`). Types of cycles are searched only where a level fails (`cycles`), and explained only when they
//! are shown (`explain`).
//!
//! Exact: read-uncommitted, read-committed, repeatable-read and serializable, with their session and real-time forms, for
//! every history. Snapshot isolation and its forms: where no object has appends of two or more transactions that nobody
//! observed; where one has, their order is searched for within the budget (`free`). What lies between read-committed and
//! serializable beside these is judged where nothing else decides it (`weaker`).
//!
//! Sources: Kingsbury and Alvaro, Elle (VLDB 2020); Adya (MIT 1999).

mod commits;
mod edges;
mod explain;
mod free;
mod later;
mod stray;
mod tally;
mod versions;
mod weaker;
mod within;

pub(in crate::check) use self::commits::Commits;

use self::edges::Dependencies;
use self::explain::Explainer;
use self::free::{Choosing, Free};
use self::tally::{Tallies, Tally};
use self::versions::Versions;
use self::weaker::{Before, Shown};
use super::cycles::{self, Found};
use super::levels::{Existing, Forbidden, Form, LEVELS, Level, Reads};
use super::order;
use crate::check::Settings;
use crate::graph::Timed;
use crate::guarantee::{Anomaly, Family, Guarantee};
use crate::history::{History, OpId};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, StoppedBy, Verdict};
use crate::witness::Minimality;
use crate::witness::list_append::{Claim, Mop, witness};
use crate::witness::recheck::list_append::confirm;
use crate::workload::WorkloadError;
use crate::workload::list_append::{Append, ListAppend};

/// Judges every guarantee of transactions that this decides, and finds every anomaly of lists and of single cycles.
///
/// # Errors
/// What is not list-append, with the record at fault.
pub fn judge(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    judge_and_keep(history, settings).map(|(outcome, _)| outcome)
}

/// As [`judge`], and gives the observations back, unless memory ended it: others look at them too.
///
/// # Errors
/// What is not list-append, with the record at fault.
pub fn judge_and_keep<'h>(
    history: &'h History,
    settings: &Settings<'_>,
) -> Result<(Outcome, Option<ListAppend<'h>>), WorkloadError> {
    let mut meter = settings.budget.meter();
    if let Err(by) = meter.hold(demand(history)) {
        return Ok((stopped(by), None));
    }
    let typed = ListAppend::from_history(history)?;
    let (versions, tallies) = Versions::infer(&typed);
    let evidence = Evidence::gather(&typed, &versions);
    let part = evidence.graph.cyclic();
    let (existing, found) = match &part {
        None => (Existing::none(), Found::default()),
        Some(part) => {
            let existing = Existing::find(&part.graph);
            (existing, cycles::find(part, &existing, settings.budget))
        }
    };
    let free = Free::decide(&evidence, &existing, settings.budget);
    let mut shown = shown(&typed, &versions, &tallies, &found, &free);
    let mut judgements: Vec<Judgement> = LEVELS
        .iter()
        .map(|level| {
            let verdict = evidence.judge(level, &tallies, &existing, &free);
            let mut judgement = Judgement::new(level.guarantee, verdict.verdict);
            judgement.reason = verdict.reason;
            judgement.stopped_by = verdict.stopped_by;
            judgement.evidence = evidence.figures(level.form);
            judgement
        })
        .collect();
    let anomalies: Vec<Anomaly> = shown.iter().map(|shown| shown.anomaly).collect();
    let weaker = weaker::judge(
        Before {
            typed: &typed,
            versions: &versions,
            evidence: &evidence,
            part: part.as_ref(),
            tallies: &tallies,
            found: &found,
            anomalies: &anomalies,
            judgements: &judgements,
        },
        settings,
    );
    judgements.extend(weaker.judgements);
    shown.extend(weaker.shown);
    let findings = findings(&typed, shown, &tallies);
    for judgement in judgements.iter_mut().filter(|judgement| judgement.verdict == Verdict::Violated) {
        let against = findings.iter().filter(|finding| finding.rules_out.contains(&judgement.guarantee));
        judgement.anomalies = against.map(|finding| finding.anomaly).collect();
        if judgement.anomalies.is_empty() && judgement.reason.is_none() {
            judgement.reason = Some("a cycle exists, and the budget ended before it was found".to_owned());
            judgement.stopped_by = found.stopped.first().map(|stopped| stopped.1);
        }
    }
    Ok((Outcome { judgements, findings, measures: Figures::new() }, Some(typed)))
}

/// How many bytes columns, edges and the graph take together, about.
fn demand(history: &History) -> u64 {
    const MICRO_OPERATION: usize = 70;
    const TRANSACTION: usize = 120;
    let mops: usize = history.ops().map(|op| op.mops().len()).sum();
    (mops * MICRO_OPERATION + history.len() * TRANSACTION) as u64
}

/// Nothing was judged.
fn stopped(by: StoppedBy) -> Outcome {
    let guarantees = LEVELS.iter().map(|level| level.guarantee).chain(weaker::guarantees());
    let judgements = guarantees.map(|guarantee| {
        let mut judgement = Judgement::new(guarantee, Verdict::Unknown);
        judgement.reason = Some("the graph of the transactions' dependencies was not built".to_owned());
        judgement.stopped_by = Some(by);
        judgement
    });
    Outcome { judgements: judgements.collect(), ..Outcome::default() }
}

/// Why nothing is said to hold where nothing was read.
const VACUOUS: &str = "no transaction that is known to have happened read anything, so nothing could have refuted it";

/// A verdict, and why.
struct Verdicted {
    verdict: Verdict,
    reason: Option<String>,
    stopped_by: Option<StoppedBy>,
}

impl Verdicted {
    fn new(verdict: Verdict) -> Verdicted {
        Verdicted { verdict, reason: None, stopped_by: None }
    }

    fn because(self, reason: String) -> Verdicted {
        Verdicted { reason: Some(reason), ..self }
    }
}

/// The dependency graph, and how much it says.
struct Evidence {
    graph: Timed,
    dependencies: Dependencies,
    transactions: u64,
    reads: u64,
}

impl Evidence {
    fn gather(typed: &ListAppend<'_>, versions: &Versions) -> Evidence {
        let happened = &versions.happened;
        let time = order::timeline(typed.history(), |op| typed.session(op), happened);
        let (dependencies, graph) = edges::infer(typed, versions);
        Evidence {
            graph: Timed::new(graph, time),
            dependencies,
            transactions: happened.iter().filter(|happened| **happened).count() as u64,
            reads: typed.reads().len() as u64,
        }
    }

    fn judge(&self, level: &Level, tallies: &Tallies, existing: &Existing, free: &Free) -> Verdicted {
        let asked = [Reads::Exist, Reads::Committed, Reads::Consistent];
        let broken = asked.iter().filter(|reads| **reads <= level.reads).any(|reads| tallies.any(*reads));
        if broken || existing.any(level.forbidden, level.form) {
            return Verdicted::new(Verdict::Violated);
        }
        if self.reads == 0 {
            return Verdicted::new(Verdict::Unknown).because(VACUOUS.to_owned());
        }
        match free.of(level.form) {
            Choosing::Impossible(_) if level.forbidden == Forbidden::NonAdjacent => Verdicted::new(Verdict::Violated),
            Choosing::Unknown(by) if level.forbidden == Forbidden::NonAdjacent => Verdicted {
                stopped_by: Some(*by),
                ..Verdicted::new(Verdict::Unknown).because(format!(
                    "on {} keys, two or more transactions made appends that no read shows; the search for an order of these \
                     that keeps the guarantee was ended",
                    self.dependencies.choices.len()
                ))
            },
            _ => Verdicted::new(Verdict::Holds),
        }
    }

    fn figures(&self, form: Form) -> Figures {
        let mut edges = Figures::new();
        edges.insert("ww".to_owned(), self.dependencies.ww.into());
        edges.insert("wr".to_owned(), self.dependencies.wr.into());
        edges.insert("rw".to_owned(), self.dependencies.rw.into());
        if form >= Form::Session {
            edges.insert("process".to_owned(), self.graph.time().in_session.into());
        }
        if form >= Form::Strict {
            edges.insert("realtime".to_owned(), self.graph.time().in_time.into());
        }
        let mut figures = Figures::new();
        figures.insert("transactions".to_owned(), self.transactions.into());
        figures.insert("reads".to_owned(), self.reads.into());
        figures.insert("edges".to_owned(), edges.into());
        figures
    }
}

impl Tallies {
    /// Whether something is wrong with reads in this way.
    fn any(&self, reads: Reads) -> bool {
        let kinds: &[&Tally] = match reads {
            Reads::Exist => &[&self.thin_air, &self.duplicate_elements, &self.incompatible_order],
            Reads::Committed => &[&self.aborted_read, &self.intermediate_read, &self.future_read],
            Reads::Consistent => &[&self.internal],
        };
        kinds.iter().any(|kind| kind.count > 0)
    }
}

/// Every anomaly that cycles and reads show, and what is claimed of the best occurrence.
fn shown(typed: &ListAppend<'_>, versions: &Versions, tallies: &Tallies, found: &Found, free: &Free) -> Vec<Shown> {
    let explainer = Explainer { typed, versions };
    let mut all: Vec<Shown> = Vec::new();
    for typed in &found.types {
        let claim = explainer.cycle(typed.anomaly, &typed.cycle);
        debug_assert!(claim.is_some(), "a cycle that can't be explained: {typed:?}");
        let minimality = if typed.minimum { Minimality::Minimum } else { Minimality::Bounded };
        all.push(Shown { anomaly: typed.anomaly, count: typed.count, claim, minimality });
    }
    if let Some(claim) = free.impossible().and_then(|cycles| explainer.every_order(cycles)) {
        let anomaly = claim.anomaly();
        // Found as a cycle of known orders, it needs no supposition.
        if !all.iter().any(|found| found.anomaly == anomaly) {
            all.push(Shown { anomaly, count: 1, claim: Some(claim), minimality: Minimality::OneMinimal });
        }
    }
    for tally in tallies.all() {
        if let Some(claim) = tally.best() {
            let (anomaly, count, claim) = (claim.anomaly(), tally.count, Some(claim.clone()));
            all.push(Shown { anomaly, count, claim, minimality: Minimality::Minimum });
        }
    }
    all
}

/// What was shown, each anomaly once, with its witness, rechecked.
fn findings(typed: &ListAppend<'_>, mut all: Vec<Shown>, tallies: &Tallies) -> Vec<Finding> {
    all.sort_by_key(|shown| shown.anomaly);
    all.dedup_by_key(|shown| shown.anomaly);
    let claims: Vec<&Claim> = all.iter().filter_map(|shown| shown.claim.as_ref()).collect();
    let mut confirmed = confirm(typed.history(), &claims).into_iter();
    let finding = |shown: &Shown| Finding {
        anomaly: shown.anomaly,
        certainty: Certainty::Certain,
        count: shown.count,
        rules_out: rules_out(shown.anomaly, tallies),
        witness: shown
            .claim
            .as_ref()
            .map(|claim| witness(typed.history(), claim, shown.minimality, confirmed.next().unwrap_or(false))),
    };
    all.iter().map(finding).collect()
}

/// The guarantees of transactions that an anomaly rules out here.
fn rules_out(anomaly: Anomaly, tallies: &Tallies) -> Vec<Guarantee> {
    // Only a transaction that misses its own append breaks this one; one that reads twice, and two things, does not.
    let own = |guarantee: &Guarantee| {
        anomaly == Anomaly::Internal
            && tallies.own_append_missing
            && guarantee.entails(Guarantee::ReadCommittedBiswasEnea)
    };
    let all = Guarantee::ALL.iter().copied();
    all.filter(|guarantee| guarantee.families().contains(&Family::Transactions))
        .filter(|guarantee| anomaly.rules_out().contains(guarantee) || own(guarantee))
        .collect()
}

/// A micro-operation of a transaction as witnesses name it.
fn mop(typed: &ListAppend<'_>, transaction: u32, mop: u32) -> Mop {
    Mop { op: OpId(transaction), index: mop - typed.mops(transaction).start }
}

/// An append as witnesses name it.
fn mop_of(typed: &ListAppend<'_>, append: &Append) -> Mop {
    mop(typed, append.transaction, append.mop)
}
