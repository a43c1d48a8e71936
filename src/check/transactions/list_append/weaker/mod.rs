//! The guarantees between read-committed and serializable that need more than the existence of a cycle.
//!
//! Each implies read-committed, and most are implied by snapshot isolation. So each is judged only where nothing that is decided says
//! what becomes of it: from the weaker to the stronger, since what one breaks, those that imply it break too. What nobody asked for gets
//! few steps, about linear in the part of the graph that has cycles; what is required, or decides what is required, gets all.
//!
//! | file | guarantees |
//! |---|---|
//! | `seen` | monotonic-atomic-view, read-atomic, causal, with and without session order |
//! | `conflicts` | cursor-stability, update-atomic |
//! | `events` | monotonic-view, monotonic-snapshot-read |
//! | `updates` | update-serializable |
//! | `forward` | what the order of a certificate has to lead forward beside the data |
//! | here | consistent-view, parallel-snapshot-isolation (no cycle with one rw step), prefix |
//!
//! `read-committed@biswas-enea` needs none of its own: its order contains ww, wr and session order, so it is
//! strong-session-read-committed together with monotonic-atomic-view, and with reads that don't miss an own append.

mod conflicts;
mod events;
mod forward;
mod scope;
mod seen;
mod updates;

pub(super) use self::forward::{Whole, advancing_snapshots, below_own_appends, led_forward};

use self::scope::Scope;
use super::explain::Explainer;
use super::tally::Tallies;
use super::versions::Versions;
use super::{Evidence, VACUOUS, rules_out};
use crate::budget::{Budget, Meter};
use crate::check::Settings;
use crate::check::transactions::axioms::Axiom;
use crate::check::transactions::cycles::Found;
use crate::check::transactions::dependencies::edges_of;
use crate::check::transactions::orders::{Choice, Level, Orders, choose};
use crate::check::transactions::prefix::prefix;
use crate::graph::{Cycle, Graph, Part, Pattern, Relations, RwRule, Search, components, shortest_cycle};
use crate::guarantee::{Anomaly, Guarantee};
use crate::verdict::{Judgement, StoppedBy, Verdict};
use crate::witness::Minimality;
use crate::witness::list_append::Claim;
use crate::workload::list_append::ListAppend;

/// An anomaly that was found.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) anomaly: Anomaly,
    pub(super) count: u64,
    pub(super) claim: Option<Claim>,
    pub(super) minimality: Minimality,
}

/// What became of a guarantee.
enum Judged {
    Holds,
    Violated(Shown),
    /// Violated, but what shows it was not found before this ended the search.
    Unseen(StoppedBy),
}

/// In the order in which they are judged: the weaker first, and of two, the one that decides more.
const ORDER: [Guarantee; 15] = [
    Guarantee::MonotonicAtomicView,
    Guarantee::ReadCommittedBiswasEnea,
    Guarantee::ReadAtomic,
    Guarantee::ReadAtomicBiswasEnea,
    Guarantee::ConsistentView,
    Guarantee::ParallelSnapshotIsolation,
    Guarantee::Causal,
    Guarantee::CausalCerone,
    Guarantee::CursorStability,
    Guarantee::UpdateAtomic,
    Guarantee::PrefixBiswasEnea,
    Guarantee::Prefix,
    Guarantee::MonotonicSnapshotRead,
    Guarantee::MonotonicView,
    Guarantee::UpdateSerializable,
];

/// What the weaker guarantees come to.
#[derive(Debug, Default)]
pub(super) struct Weaker {
    pub(super) judgements: Vec<Judgement>,
    pub(super) shown: Vec<Shown>,
}

/// All guarantees that are judged here, for when nothing could be.
pub(super) fn guarantees() -> impl Iterator<Item = Guarantee> {
    ORDER.into_iter().chain([Guarantee::ForwardConsistentView])
}

/// What is known so far.
struct Knowledge {
    holds: Vec<Guarantee>,
    violated: Vec<Guarantee>,
}

impl Knowledge {
    fn decides(&self, guarantee: Guarantee) -> bool {
        self.holds(guarantee) || self.violates(guarantee)
    }

    fn holds(&self, guarantee: Guarantee) -> bool {
        self.holds.iter().any(|stronger| stronger.entails(guarantee))
    }

    fn violates(&self, guarantee: Guarantee) -> bool {
        self.violated.iter().any(|weaker| guarantee.entails(*weaker))
    }
}

/// All that the checks before have found.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) typed: &'a ListAppend<'a>,
    pub(super) versions: &'a Versions,
    pub(super) evidence: &'a Evidence,
    pub(super) part: Option<&'a Part>,
    pub(super) tallies: &'a Tallies,
    pub(super) found: &'a Found,
    /// Anomalies that are there.
    pub(super) anomalies: &'a [Anomaly],
    /// Of the levels that cycles define.
    pub(super) judgements: &'a [Judgement],
}

/// Judges what is not decided.
pub(super) fn judge(before: Before<'_>, settings: &Settings<'_>) -> Weaker {
    let mut weaker = Weaker::default();
    if before.evidence.reads == 0 {
        for guarantee in guarantees() {
            weaker.add(guarantee, before.evidence, Verdict::Unknown, Some(VACUOUS.to_owned()), None);
        }
        return weaker;
    }
    let with = |verdict| {
        let of = before.judgements.iter().filter(move |one| one.verdict == verdict);
        of.map(|one| one.guarantee).collect::<Vec<Guarantee>>()
    };
    let mut known = Knowledge { holds: with(Verdict::Holds), violated: with(Verdict::Violated) };
    known.violated.extend(before.anomalies.iter().flat_map(|anomaly| rules_out(*anomaly, before.tallies)));
    if !known.holds(Guarantee::ReadCommitted) {
        return weaker;
    }
    let nothing;
    let part = match before.part {
        Some(part) => part,
        None => {
            nothing = Part { graph: Graph::build(0, 0, Vec::new()), names: Vec::new() };
            &nothing
        }
    };
    // Few steps: about linear in what has cycles.
    let size = part.graph.edge_count() as u64 + u64::from(part.graph.total());
    let few = FEW_STEPS + STEPS_A_PLACE * size;
    let mut scope: Option<Result<Scope<'_>, StoppedBy>> = None;
    for guarantee in ORDER {
        if known.decides(guarantee) {
            continue;
        }
        let asked = |required: Guarantee| required.entails(guarantee) && !known.decides(required);
        let required = settings.requirements.iter().any(|one| asked(one.guarantee));
        let mut meter = meter(settings.budget, required, few);
        let scope = scope.get_or_insert_with(|| Scope::new(before.typed, before.versions, part, &mut meter));
        let judged = match scope {
            Ok(scope) => one(guarantee, scope, &before, &known, &mut meter),
            Err(by) => Err(*by),
        };
        let (verdict, reason, stopped) = match judged {
            Ok(Judged::Holds) => {
                known.holds.push(guarantee);
                (Verdict::Holds, None, None)
            }
            Ok(Judged::Violated(shown)) => {
                known.violated.push(guarantee);
                known.violated.extend(rules_out(shown.anomaly, before.tallies));
                weaker.shown.push(shown);
                (Verdict::Violated, None, None)
            }
            Ok(Judged::Unseen(by)) => {
                known.violated.push(guarantee);
                let reason = "a cycle exists, and the budget ended before it was found";
                (Verdict::Violated, Some(reason.to_owned()), Some(by))
            }
            Err(by) => {
                let reason = match (required, by) {
                    (false, StoppedBy::Budget) => format!(
                        "not decided in the {few} steps that a guarantee gets which nobody requires; --require {guarantee} gives it \
                         the whole budget"
                    ),
                    _ => "the search for a cycle that it forbids was ended".to_owned(),
                };
                (Verdict::Unknown, Some(reason), Some(by))
            }
        };
        weaker.add(guarantee, before.evidence, verdict, reason, stopped);
    }
    weaker.follow();
    weaker
}

const FEW_STEPS: u64 = 4_000_000;
const STEPS_A_PLACE: u64 = 32;

fn meter(budget: &Budget, required: bool, few: u64) -> Meter<'_> {
    if required { budget.meter() } else { budget.meter_within(few) }
}

impl Weaker {
    fn add(
        &mut self,
        guarantee: Guarantee,
        evidence: &Evidence,
        verdict: Verdict,
        reason: Option<String>,
        stopped_by: Option<StoppedBy>,
    ) {
        let mut judgement = Judgement::new(guarantee, verdict);
        judgement.reason = reason;
        judgement.stopped_by = stopped_by;
        judgement.evidence = evidence.figures(form_of(guarantee));
        self.judgements.push(judgement);
    }

    /// What is the same as an undecided one is undecided for the same reason.
    fn follow(&mut self) {
        let twin = self.judgements.iter().find(|one| one.guarantee == Guarantee::ConsistentView).cloned();
        if let Some(twin) = twin.filter(|twin| twin.verdict == Verdict::Unknown) {
            self.judgements.push(Judgement { guarantee: Guarantee::ForwardConsistentView, ..twin });
        }
    }
}

fn has_sessions(guarantee: Guarantee) -> bool {
    use Guarantee::{Causal, PrefixBiswasEnea, ReadAtomicBiswasEnea, ReadCommittedBiswasEnea};
    matches!(guarantee, Causal | PrefixBiswasEnea | ReadAtomicBiswasEnea | ReadCommittedBiswasEnea)
}

fn form_of(guarantee: Guarantee) -> super::Form {
    if has_sessions(guarantee) { super::Form::Session } else { super::Form::Plain }
}

/// One guarantee. What it implies, and is not decided to be violated, has been judged before.
fn one(
    guarantee: Guarantee,
    scope: &Scope<'_>,
    before: &Before<'_>,
    known: &Knowledge,
    meter: &mut Meter<'_>,
) -> Result<Judged, StoppedBy> {
    let choices = &before.evidence.dependencies.choices;
    match guarantee {
        Guarantee::MonotonicAtomicView => seen::judge(scope, Axiom::MonotonicAtomicView, true, meter),
        Guarantee::ReadCommittedBiswasEnea => Ok(Judged::Holds),
        Guarantee::ReadAtomic => seen::judge(scope, Axiom::ReadAtomic, true, meter),
        Guarantee::ReadAtomicBiswasEnea => seen::judge(scope, Axiom::ReadAtomicBiswasEnea, true, meter),
        Guarantee::Causal => seen::judge(scope, Axiom::Causal, known.holds(Guarantee::ReadAtomicBiswasEnea), meter),
        Guarantee::CausalCerone => seen::judge(scope, Axiom::CausalCerone, known.holds(Guarantee::ReadAtomic), meter),
        Guarantee::ConsistentView | Guarantee::ParallelSnapshotIsolation => one_rw(scope, before, known, meter),
        Guarantee::CursorStability => conflicts::judge(scope, true, meter),
        Guarantee::UpdateAtomic => conflicts::judge(scope, false, meter),
        Guarantee::PrefixBiswasEnea => prefixes(scope, Relations::PROCESS, meter),
        Guarantee::Prefix => prefixes(scope, Relations::NONE, meter),
        Guarantee::MonotonicSnapshotRead => events::snapshots(scope, meter),
        Guarantee::MonotonicView => events::views(scope, meter),
        Guarantee::UpdateSerializable => updates::judge(scope, choices, meter),
        other => unreachable!("{other} is not judged here"),
    }
}

/// Consistent-view and parallel snapshot isolation: the same cycles (the latter also asks what transactions contradict in themselves,
/// which is decided before).
fn one_rw(
    scope: &Scope<'_>,
    before: &Before<'_>,
    known: &Knowledge,
    meter: &mut Meter<'_>,
) -> Result<Judged, StoppedBy> {
    if known.holds(Guarantee::ConsistentView) {
        return Ok(Judged::Holds);
    }
    if let Some((_, by)) = before.found.stopped.iter().find(|stopped| stopped.0 == Anomaly::GSingleItem) {
        return Err(*by);
    }
    // Cycles of the known orders were searched for, and there is none.
    let choices = local_choices(scope.part, &before.evidence.dependencies.choices);
    if choices.is_empty() {
        return Ok(Judged::Holds);
    }
    match choose(&scope.part.graph, Relations::NONE, &choices, Level::ParallelSnapshotIsolation, meter) {
        Orders::Possible(_) => Ok(Judged::Holds),
        Orders::Unknown(by) => Err(by),
        Orders::Impossible(mut cycles) => {
            for step in cycles.iter_mut().flat_map(|cycle| &mut cycle.steps) {
                (step.from, step.to) = (scope.name(step.from), scope.name(step.to));
            }
            let explainer = Explainer { typed: scope.typed, versions: scope.versions };
            let claim = explainer.every_order(&cycles);
            let minimality = Minimality::OneMinimal;
            Ok(Judged::Violated(Shown { anomaly: Anomaly::GSingleItem, count: 1, claim, minimality }))
        }
    }
}

/// Prefix: see `prefix`. Reads that end with own appends show a version too, which the graph has as ww only.
fn prefixes(scope: &Scope<'_>, order: Relations, meter: &mut Meter<'_>) -> Result<Judged, StoppedBy> {
    let mut below = forward::below(scope);
    let known = &scope.part.graph;
    let graph;
    let whole = if below.is_empty() {
        known
    } else {
        below.extend(edges_of(known));
        graph = Graph::build(known.real(), known.total() - known.real(), below);
        &graph
    };
    let (cycle, minimum) = match prefix(whole, order, meter) {
        Search::Absent => return Ok(Judged::Holds),
        Search::Stopped(by) => return Ok(Judged::Unseen(by)),
        Search::Found { cycle, minimum } => (cycle, minimum),
    };
    let in_session = cycle.steps.iter().any(|step| step.relation == Relations::PROCESS);
    let anomaly = if in_session { Anomaly::NonPrefixReadProcess } else { Anomaly::NonPrefixRead };
    let named = cycle.steps.iter().map(|step| crate::graph::CycleStep {
        from: scope.name(step.from),
        to: scope.name(step.to),
        relation: step.relation,
    });
    let explainer = Explainer { typed: scope.typed, versions: scope.versions };
    let minimum = minimum && cycle.steps.len() == 2;
    let claim = explainer.cycle(anomaly, &Cycle { steps: named.collect() });
    let minimality = if minimum { Minimality::Minimum } else { Minimality::Bounded };
    Ok(Judged::Violated(Shown { anomaly, count: 1, claim, minimality }))
}

/// The choices of order that are left within the part, by local number. Those between its components are none: they can follow the
/// order of these.
fn local_choices(part: &Part, choices: &[Choice]) -> Vec<Choice> {
    let members = &part.names[..part.graph.real() as usize];
    let local = |txn: &u32| members.binary_search(txn).ok().and_then(|at| u32::try_from(at).ok());
    let inside = choices.iter().map(|choice| {
        let writers: Vec<u32> = choice.writers.iter().filter_map(local).collect();
        Choice::new(choice.key, &writers, |_| std::iter::empty())
    });
    inside.filter(|choice| choice.writers.len() > 1).collect()
}

/// Whether some order of the choices leaves no cycle with one rw step or none.
fn at_most_one_rw(graph: &Graph, choices: &[Choice], meter: &mut Meter<'_>) -> Orders {
    let allowed = Relations::WW | Relations::WR | Relations::RW;
    let pattern = |rw| Pattern { allowed, rw, required: Relations::NONE };
    match shortest(graph, &[pattern(RwRule::None), pattern(RwRule::One)], meter) {
        Search::Found { cycle, .. } => Orders::Impossible(vec![cycle]),
        Search::Stopped(by) => Orders::Unknown(by),
        Search::Absent if choices.is_empty() => Orders::Possible(Vec::new()),
        Search::Absent => choose(graph, Relations::NONE, choices, Level::ParallelSnapshotIsolation, meter),
    }
}

/// The shortest cycle of the first of these patterns that has one.
fn shortest(graph: &Graph, patterns: &[Pattern], meter: &mut Meter<'_>) -> Search {
    let mut stopped = None;
    for pattern in patterns {
        let separate = pattern.rw != RwRule::Any;
        let allowed = if pattern.rw == RwRule::None { pattern.allowed.without(Relations::RW) } else { pattern.allowed };
        let mut best: Option<(Cycle, bool)> = None;
        for component in &components(graph, allowed, separate) {
            match shortest_cycle(graph, component, pattern, meter) {
                Search::Found { cycle, minimum } => {
                    if best.as_ref().is_none_or(|best| cycle.steps.len() < best.0.steps.len()) {
                        best = Some((cycle, minimum));
                    }
                }
                Search::Absent => {}
                Search::Stopped(by) => stopped = Some(by),
            }
        }
        if let Some((cycle, minimum)) = best {
            return Search::Found { cycle, minimum: minimum && stopped.is_none() };
        }
    }
    stopped.map_or(Search::Absent, Search::Stopped)
}
