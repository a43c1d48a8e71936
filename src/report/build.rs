//! Results to view: one history's report from its check.

use hashbrown::{HashMap, HashSet};
use serde_json::value::RawValue;

use super::html::Drawing;
use super::identity::Identity;
use super::operation::{self, Relevant};
use super::record::OriginalRecord;
use super::statistics::statistics;
use super::table;
use super::view::{
    AnomalyReport, Failure, GuaranteeReport, HistoryReport, MomentReport, Overall, StepReport, WitnessReport,
};
use crate::contract::Requirement;
use crate::guarantee::{Guarantee, weakest};
use crate::history::{History, OpId, Status, Value};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, StoppedBy, Verdict};
use crate::witness::Witness;
use crate::workload::Workload;

/// What is known of one history when its check is over; what could not be had is `None`.
#[derive(Clone, Debug, Default)]
pub struct HistoryResult<'a> {
    /// Where it came from, as it was given.
    pub source: &'a str,
    /// Its vocabulary, where it is known.
    pub workload: Option<Workload>,
    /// The history.
    pub history: Option<&'a History>,
    /// Why it could not be read or judged. Then the outcome counts for nothing.
    pub error: Option<Failure>,
    /// What the checks found.
    pub outcome: Option<&'a Outcome>,
    /// What is required of it, in the order in which it was required.
    pub requirements: &'a [Requirement],
    /// Whether nobody required anything, so that `requirements` is what is customary for the workload.
    pub customary: bool,
    /// What the use cases of a contract came to, in their order (those about other histories are not here), and what
    /// requirements beside them came to that were judged with parameters of their own.
    pub cases: &'a [CaseResult<'a>],
}

/// What one use case came to in one history, or requirements beside use cases that need parameters of their own.
#[derive(Clone, Debug)]
pub struct CaseResult<'a> {
    /// The use case's name; none of requirements beside use cases.
    pub name: Option<&'a str>,
    /// What it requires.
    pub requirements: &'a [Requirement],
    /// The judgements of these, and what was found in its part alone; none where it selects nothing.
    pub outcome: Option<&'a Outcome>,
}

impl HistoryReport {
    /// The report of one history. A required guarantee that no check judged is `unknown`: it never passes in silence.
    #[must_use]
    pub fn new(result: &HistoryResult<'_>) -> HistoryReport {
        let nothing = Outcome::default();
        let outcome = match (&result.error, result.outcome) {
            (None, Some(outcome)) => outcome,
            _ => &nothing,
        };
        let cases = if result.error.is_none() { result.cases } else { &[] };
        let guarantees = match &result.error {
            None => guarantees(outcome, result.requirements, cases),
            Some(Failure { stopped_by: Some(by), .. }) => guarantees(&stopped(result, *by), result.requirements, cases),
            Some(_) => Vec::new(),
        };
        let named = |judged: bool| {
            let some = cases.iter().filter(move |case| case.outcome.is_some() == judged);
            some.filter_map(|case| case.name.map(str::to_owned)).collect()
        };
        let mut report = HistoryReport {
            verdict: Overall::Error,
            customary: result.customary,
            judged: named(true),
            selecting_nothing: named(false),
            source: result.source.to_owned(),
            workload: result.workload.map(Workload::name),
            redacted: result.history.is_some_and(History::is_redacted),
            reading: result.history.and_then(|history| history.origin().told().cloned()),
            error: result.error.clone(),
            statistics: result.history.map(statistics),
            guarantees,
            anomalies: anomalies(result, outcome, cases),
            measures: measures(outcome, cases),
            drawing: None,
        };
        report.settle();
        report
    }

    /// The verdict that its rows amount to.
    pub(super) fn settle(&mut self) {
        let required = self.guarantees.iter().filter(|row| row.required).map(GuaranteeReport::standing);
        self.verdict = match &self.error {
            None => required.reduce(Overall::worse).unwrap_or(Overall::Unknown),
            Some(Failure { stopped_by: Some(_), .. }) => Overall::Unknown,
            Some(_) => Overall::Error,
        };
    }

    /// The same, with what a page draws of the history: only a page needs it, and it is large.
    #[must_use]
    pub fn drawn(mut self, history: &History, outcomes: &[&Outcome]) -> HistoryReport {
        let findings = outcomes.iter().flat_map(|outcome| &outcome.findings);
        let witnesses = findings.filter_map(|finding| finding.witness.as_ref());
        self.drawing = Some(Drawing::new(history, witnesses.flat_map(|witness| witness.operations.iter().copied())));
        self
    }
}

/// What is known of a history that was not read whole, because a limit ended that: nothing.
fn stopped(result: &HistoryResult<'_>, by: StoppedBy) -> Outcome {
    let unknown = |requirement: &Requirement| {
        let mut judgement = Judgement::new(requirement.guarantee, Verdict::Unknown);
        judgement.reason = result.error.as_ref().map(|error| error.message.clone());
        judgement.stopped_by = Some(by);
        judgement
    };
    Outcome { judgements: result.requirements.iter().map(unknown).collect(), ..Outcome::default() }
}

/// Of the whole history; where only parts were judged, of each part.
fn measures(outcome: &Outcome, cases: &[CaseResult<'_>]) -> Figures {
    let mut measures = outcome.measures.clone();
    for case in cases {
        let own = case.outcome.map(|outcome| &outcome.measures).filter(|own| !own.is_empty());
        if let (Some(own), Some(name)) = (own, case.name) {
            measures.insert(name.to_owned(), own.clone().into());
        }
    }
    measures
}

fn guarantees(outcome: &Outcome, requirements: &[Requirement], cases: &[CaseResult<'_>]) -> Vec<GuaranteeReport> {
    let mut rows: Vec<GuaranteeReport> = Vec::new();
    let apart = |requirement: &Requirement| {
        let mut apart = cases.iter().filter(|case| case.name.is_none());
        apart.find(|case| case.requirements.contains(requirement)).and_then(|case| case.outcome)
    };
    let whole = requirements.iter().map(|requirement| (requirement, apart(requirement).unwrap_or(outcome)));
    let parts = cases.iter().filter(|case| case.name.is_some());
    let parts = parts.filter_map(|case| Some((case.requirements, case.outcome?)));
    let parts = parts.flat_map(|(requirements, outcome)| requirements.iter().map(move |one| (one, outcome)));
    for (requirement, outcome) in whole.chain(parts) {
        let mut judged = outcome.judgements.iter();
        let mut row = match judged.find(|judgement| judgement.guarantee == requirement.guarantee) {
            Some(judgement) => row(judgement),
            None => {
                let mut judgement = Judgement::new(requirement.guarantee, Verdict::Unknown);
                judgement.reason = Some("no check judged it".to_owned());
                row(&judgement)
            }
        };
        row.required = true;
        row.telling = true;
        row.parameters = parameters(requirement);
        row.use_case = requirement.use_case.clone();
        rows.push(row);
    }
    let is_required = |guarantee: Guarantee| rows.iter().any(|row| row.required && row.guarantee == guarantee.name());
    let with = |verdict: Verdict| outcome.judgements.iter().filter(move |judgement| judgement.verdict == verdict);
    // Of those that say the same, the first in the table says it.
    let stronger = |a: Guarantee, b: Guarantee| a.entails(b) && (!b.entails(a) || a < b);
    let weaker = |a: Guarantee, b: Guarantee| b.entails(a) && (!a.entails(b) || a < b);
    let mut others: Vec<GuaranteeReport> = Vec::new();
    for verdict in [Verdict::Violated, Verdict::Holds, Verdict::Unknown, Verdict::NotApplicable] {
        let mut group: Vec<GuaranteeReport> = Vec::new();
        for judgement in with(verdict).filter(|judgement| !is_required(judgement.guarantee)) {
            let mut row = row(judgement);
            row.telling = match verdict {
                Verdict::Violated => !with(verdict).any(|other| weaker(other.guarantee, judgement.guarantee)),
                Verdict::Holds => !with(verdict).any(|other| stronger(other.guarantee, judgement.guarantee)),
                _ => false,
            };
            group.push(row);
        }
        group.sort_by_key(|row| !row.telling);
        others.append(&mut group);
    }
    rows.append(&mut others);
    rows
}

fn parameters(requirement: &Requirement) -> Figures {
    requirement.parameters.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
}

fn row(judgement: &Judgement) -> GuaranteeReport {
    // An anomaly that is certain in one place and possible in another is one name.
    let mut anomalies: Vec<&'static str> = judgement.anomalies.iter().map(|anomaly| anomaly.name()).collect();
    anomalies.dedup();
    GuaranteeReport {
        guarantee: judgement.guarantee.name(),
        verdict: judgement.verdict.into(),
        required: false,
        parameters: Figures::new(),
        use_case: None,
        accepted: false,
        anomalies,
        open: Vec::new(),
        reason: judgement.reason.clone(),
        stopped_by: judgement.stopped_by.map(StoppedBy::name),
        evidence: judgement.evidence.clone(),
        telling: false,
    }
}

/// What was found in the whole history, and then what was found in parts of it and is not among that.
fn anomalies(result: &HistoryResult<'_>, outcome: &Outcome, cases: &[CaseResult<'_>]) -> Vec<AnomalyReport> {
    let whole = CaseResult { name: None, requirements: &[], outcome: Some(outcome) };
    let outcomes = || std::iter::once(&whole).chain(cases);
    let all = || {
        outcomes()
            .filter_map(|case| Some((case, case.outcome?)))
            .flat_map(|(case, of)| of.findings.iter().map(move |found| (case, found)))
    };
    let witnesses = || all().filter_map(|(_, found)| found.witness.as_ref());
    let lookup = result.history.map(|history| Lookup::new(history, witnesses()));
    let report = |case: &CaseResult<'_>, finding: &Finding| {
        let parameters = found_with(case, finding);
        let identity = Identity {
            source: result.source,
            workload: result.workload.map(Workload::name),
            use_case: case.name,
            rule: finding.anomaly.name(),
            guarantees: weakest(&finding.rules_out).iter().map(|guarantee| guarantee.name()).collect(),
            key: finding.witness.as_ref().zip(lookup.as_ref()).and_then(|(witness, lookup)| lookup.key(witness)),
            shape: finding.witness.as_ref().map_or_else(Vec::new, shape),
            certain: finding.certainty == Certainty::Certain,
            parameters: table::parameters(&parameters),
        };
        AnomalyReport {
            anomaly: finding.anomaly.name(),
            certainty: match finding.certainty {
                Certainty::Certain => "certain",
                Certainty::Possible => "possible",
            },
            rules_out: finding.rules_out.iter().map(|guarantee| guarantee.name()).collect(),
            use_case: case.name.map(str::to_owned),
            accepted: None,
            fingerprint: identity.fingerprint(),
            count: finding.count,
            witness: finding.witness.as_ref().map(|witness| witness_report(witness, lookup.as_ref())),
            parameters,
        }
    };
    // What a pass over the whole history found is not said again; what one use case found is not yet said of another.
    let is_new = |(case, found): &(&CaseResult<'_>, &Finding)| {
        let before = outcomes().take_while(|other| !std::ptr::eq(*other, *case)).filter(|other| other.name.is_none());
        !before.filter_map(|other| other.outcome).flat_map(|other| &other.findings).any(|other| other.is_same(found))
    };
    all().filter(is_new).map(|(case, found)| report(case, found)).collect()
}

/// The parameters that a finding beside use cases was found with, where the first pass had others.
fn found_with(case: &CaseResult<'_>, finding: &Finding) -> Figures {
    let ruled_out = |one: &&Requirement| finding.rules_out.contains(&one.guarantee);
    let all = if case.name.is_none() { case.requirements } else { &[] };
    let requirement = all.iter().find(ruled_out).or_else(|| all.first());
    requirement.map(parameters).unwrap_or_default()
}

/// The relations of a witness's steps, each once, in their own order: how long it is differs from run to run.
fn shape(witness: &Witness) -> Vec<&'static str> {
    let mut relations: Vec<&'static str> = witness.steps.iter().map(|step| step.relation).collect();
    relations.sort_unstable();
    relations.dedup();
    relations
}

/// How many operations a table shows of one witness.
pub(crate) const MOST_OPERATIONS: usize = 40;

/// A witness as a report in JSON has it, for comparing it with one.
pub(crate) fn witness_in_json(history: &History, witness: &Witness) -> serde_json::Value {
    let lookup = Lookup::new(history, std::iter::once(witness));
    let text = serde_json::to_string(&witness_report(witness, Some(&lookup)));
    text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(serde_json::Value::Null)
}

fn witness_report(witness: &Witness, lookup: Option<&Lookup<'_>>) -> WitnessReport {
    let moment = |moment: &crate::witness::Moment| MomentReport {
        position: moment.position,
        time_ns: moment.time_ns,
        lane: moment.lane.clone(),
        what: moment.what.clone(),
    };
    let step = |step: &crate::witness::Step| StepReport {
        from: step.from,
        to: step.to,
        relation: step.relation,
        key: step
            .key
            .zip(lookup)
            .and_then(|(key, lookup)| RawValue::from_string(lookup.history.values().json(key, usize::MAX)).ok()),
        because: step.because.clone(),
    };
    WitnessReport {
        minimality: witness.minimality.name(),
        rechecked: witness.rechecked,
        // Terms of a policy and names in it are not hidden by hiding values.
        claim: witness.claim.clone().filter(|_| lookup.is_none_or(|lookup| !lookup.history.is_redacted())),
        records: lookup.map_or_else(Vec::new, |lookup| lookup.records(&witness.operations)),
        operations: lookup.map_or_else(Vec::new, |lookup| lookup.operations(witness, MOST_OPERATIONS)),
        line: lookup.and_then(|lookup| lookup.line(&witness.operations)),
        file: lookup.and_then(|lookup| lookup.file(&witness.operations)),
        more_operations: witness.operations.len().saturating_sub(MOST_OPERATIONS),
        steps: witness.steps.iter().map(step).collect(),
        timeline: witness.timeline.as_ref().map(|moments| moments.iter().map(moment).collect()),
        text: witness.text.clone(),
    }
}

/// Positions of witnesses to their operations and observations, found in one pass over the history.
struct Lookup<'a> {
    history: &'a History,
    operations: HashMap<u32, OpId, foldhash::fast::RandomState>,
}

impl<'a> Lookup<'a> {
    fn new<'f>(history: &'a History, witnesses: impl Iterator<Item = &'f Witness>) -> Lookup<'a> {
        let wanted: HashSet<u32, foldhash::fast::RandomState> =
            witnesses.flat_map(|witness| witness.operations.iter().copied()).collect();
        let mut operations = HashMap::default();
        if !wanted.is_empty() {
            for op in history.ops() {
                for position in op.invoked().into_iter().chain(op.completed()).filter(|at| wanted.contains(at)) {
                    operations.insert(position, op.id);
                }
            }
        }
        Lookup { history, operations }
    }

    /// The object that a witness is about first, as text.
    fn key(&self, witness: &Witness) -> Option<String> {
        let of_step = witness.steps.iter().find_map(|step| step.key);
        let of_operation = || {
            let position = witness.operations.first()?;
            match self.operations.get(position) {
                Some(op) => Some(self.history.op(*op).key()),
                None => self.observation(*position).map(|seen| seen.key),
            }
        };
        let key = of_step.or_else(of_operation).filter(|key| !key.is_null())?;
        let values = self.history.values();
        Some(values.as_str(key).map_or_else(|| values.plain_json(key, 200), str::to_owned))
    }

    fn records(&self, positions: &[u32]) -> Vec<OriginalRecord> {
        self.positions(positions).into_iter().filter_map(|position| self.record(position)).collect()
    }

    fn line(&self, positions: &[u32]) -> Option<u64> {
        self.positions(positions).first().and_then(|position| self.history.origin().line(*position))
    }

    /// The file of the first record, where the history is of several.
    fn file(&self, positions: &[u32]) -> Option<String> {
        let first = *self.positions(positions).first()?;
        self.history.origin().source(first).map(str::to_owned)
    }

    /// The positions of all records of these operations, in order.
    fn positions(&self, positions: &[u32]) -> Vec<u32> {
        let of = |position: &u32| match self.operations.get(position) {
            Some(op) => [self.history.op(*op).invoked(), self.history.op(*op).completed()],
            None => [Some(*position), None],
        };
        let mut all: Vec<u32> = positions.iter().flat_map(of).flatten().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn record(&self, position: u32) -> Option<OriginalRecord> {
        OriginalRecord::from_origin(self.history, position).or_else(|| self.rebuilt(position))
    }

    fn observation(&self, position: u32) -> Option<&crate::history::Observation> {
        let observations = self.history.observations();
        observations.binary_search_by_key(&position, |seen| seen.position).ok().map(|at| &observations[at])
    }

    /// A record of a history that has no text to go back to. The two records of an operation share its columns.
    fn rebuilt(&self, position: u32) -> Option<OriginalRecord> {
        let history = self.history;
        if let Some(seen) = self.observation(position) {
            let process = history.process_name(seen.process);
            let columns =
                [("process", process), ("f", seen.f), ("key", seen.key), ("node", seen.node), ("value", seen.value)];
            let time = Some(seen.time).filter(|time| *time != History::NO_TIME);
            return Some(OriginalRecord::from_columns(history, position, "info", time, &columns, None));
        }
        let op = match self.operations.get(&position) {
            Some(op) => history.op(*op),
            None => history.ops().find(|op| op.invoked() == Some(position) || op.completed() == Some(position))?,
        };
        let invokes = op.invoked() == Some(position);
        let (kind, time, value) = match (invokes, op.status()) {
            (true, _) => ("invoke", op.invoked_time(), op.argument()),
            (false, Status::Ok) => ("ok", op.completed_time(), op.result()),
            (false, Status::Fail) => ("fail", op.completed_time(), op.result()),
            (false, Status::Info) => ("info", op.completed_time(), op.result()),
        };
        let mut columns = vec![("process", history.process_name(op.process())), ("f", op.f()), ("key", op.key())];
        columns.push(("node", op.node()));
        let mops = op.mops();
        if mops.is_empty() {
            columns.push(("value", value));
        }
        let transaction = (!mops.is_empty()).then(|| {
            let text = |value: Value| history.values().json(value, usize::MAX);
            let micro = |mop: &crate::history::MicroOp| {
                let is_read = matches!(history.values().as_str(mop.f), Some("r" | "read"));
                let value = if invokes && is_read { "null".to_owned() } else { text(mop.value) };
                format!("[{},{},{value}]", text(mop.f), text(mop.key))
            };
            format!("[{}]", mops.iter().map(micro).collect::<Vec<_>>().join(","))
        });
        Some(OriginalRecord::from_columns(history, position, kind, time, &columns, transaction))
    }

    fn operations(&self, witness: &Witness, most: usize) -> Vec<operation::OperationView> {
        let mut relevant = Relevant::default();
        for op in witness.operations.iter().filter_map(|position| self.operations.get(position)) {
            operation::written(&self.history.op(*op), self.history.values(), &mut relevant);
        }
        let named = witness.operations.iter().enumerate().take(most);
        named
            .filter_map(|(at, position)| {
                let name = witness.names.get(at).cloned().unwrap_or_else(|| format!("T{}", at + 1));
                match self.operations.get(position) {
                    Some(op) => Some(operation::view(self.history, &self.history.op(*op), &name, &relevant)),
                    None => self.observation(*position).map(|seen| operation::observed(self.history, seen, &name)),
                }
            })
            .collect()
    }
}
