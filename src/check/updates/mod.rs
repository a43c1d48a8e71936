//! Sets and counters in every family: linearizable, sessions, bounded staleness, eventual.
//!
//! A *replicated data type* is a function from the updates that are visible to a read to what it returns (Burckhardt, Gotsman,
//! Yang, Zawirski 2014). A guarantee says which updates have to be visible, and which can't be: those acknowledged before the
//! read began, the session's own ones, all of them in the end. So a family asks a data type for the reads that no such choice of
//! updates explains, and does the rest itself, the same for all.
//!
//! A further data type joins by one `impl` of [`Datatype`]: its vocabulary in `workload::updates`, the reads that can't be right
//! in a file here, the claims and words of its witnesses in `witness::updates`, what confirms them in `witness::recheck::updates`, and one line in `check::judge`. What the trait asks
//! for is listed in the order in which a new type can grow: reads that nothing explains come first.
//!
//! Each key is judged by itself. That is exact for linearizability, staleness and convergence, which are local, and for
//! `read-your-writes` and `monotonic-reads`, which ask nothing across keys.

mod counters;
mod eventual;
mod linearizable;
mod sessions;
mod sets;
mod staleness;

use rayon::prelude::*;

use super::Settings;
use super::staleness::clock::Clock;
use crate::budget::Meter;
use crate::guarantee::{Anomaly, Family, Guarantee};
use crate::history::{History, Status, Value};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, StoppedBy, Verdict};
use crate::witness::Witness;
use crate::witness::updates::{self, Claim, Says, Shape};
use crate::workload::WorkloadError;
use crate::workload::updates::{Act, Objects, counter, set};

use counters::Counters;
use sets::Sets;

/// A replicated data type: one object of it, with all that happened to it.
pub(super) trait Datatype: Sync {
    /// Why something can't be: see [`Datatype::claim`].
    type Fault: Clone + Send + Sync;

    /// The object's name.
    fn name(&self) -> Value;

    /// Its updates, in order of invocation.
    fn updates(&self) -> impl Iterator<Item = &Act>;

    /// How many reads there are: they are numbered in order of invocation.
    fn reads(&self) -> usize;

    /// A read.
    fn read(&self, read: u32) -> &Act;

    /// Whether a read shows all of the object.
    fn is_whole(&self, read: u32) -> bool;

    /// Whether two reads of the whole object show the same.
    fn same(&self, a: u32, b: u32) -> bool;

    /// Reads that no choice of updates explains, failed ones left out.
    fn unexplained(&self) -> Vec<Unexplained<Self::Fault>>;

    /// Reads that no choice explains which has all updates acknowledged before they began, and none that began after they had
    /// ended; those of [`Datatype::unexplained`] may be left out.
    ///
    /// # Errors
    /// What ended the search for them.
    fn untimely(&self, meter: &mut Meter<'_>) -> Result<Vec<Untimely<Self::Fault>>, StoppedBy>;

    /// Whether the object is linearizable, where nothing of the above is wrong with it.
    fn order(&self, meter: &mut Meter<'_>) -> Order<Self::Fault>;

    /// What is wrong with reads made after all updates had returned: nothing where they agree.
    fn difference(&self, finals: &[u32]) -> Option<Difference<Self::Fault>>;

    /// What such a read lacks or shows although it is certain that it should not.
    fn in_the_end(&self, read: u32) -> Option<(Anomaly, Self::Fault)>;

    /// What each session's reads have to show of its own updates and of its earlier reads.
    fn own(&self) -> Own<Self::Fault>;

    /// What is measured beside: a name, and figures.
    fn figures(objects: &[Self]) -> Option<(&'static str, Figures)>
    where
        Self: Sized;

    /// The fault as it is claimed of the history's operations, and the elements that it is about, if any.
    fn claim(&self, fault: &Self::Fault) -> (Shape, Vec<Value>);
}

/// A read that no choice of updates explains.
pub(super) struct Unexplained<F> {
    pub(super) read: u32,
    /// `thin-air-read`, `G1a` or `duplicate-elements`.
    pub(super) anomaly: Anomaly,
    pub(super) fault: F,
}

/// A read that misses what was there, or shows what can't have been.
pub(super) struct Untimely<F> {
    pub(super) read: u32,
    /// The position by which it was certain what the read does not show; none where it shows what came later.
    pub(super) since: Option<u32>,
    /// How many updates it misses, at least.
    pub(super) updates: u32,
    pub(super) fault: F,
}

/// Whether one object is linearizable.
pub(super) enum Order<F> {
    Found,
    None(F),
    /// Why nobody knows.
    Unknown(String, Option<StoppedBy>),
}

/// Why final reads differ.
pub(super) enum Difference<F> {
    /// However updates of unknown outcome went.
    Certain(F),
    /// As an update of unknown outcome may explain: two of the reads.
    Possible(u32, u32),
}

/// What sessions ask of their own reads.
pub(super) struct Own<F> {
    /// Reads that miss an earlier update of their session.
    pub(super) missing: Vec<(u32, F)>,
    /// Reads that miss what an earlier read of their session had shown.
    pub(super) backward: Vec<(u32, F)>,
    /// Reads that show what only their own session wrote, and only later.
    pub(super) future: Vec<(u32, F)>,
    /// Reads that had something of their session's own to show; reads after another one that had shown something.
    pub(super) could: [u64; 2],
    /// Why nobody can tell of the others, if there is a reason.
    pub(super) doubt: Option<&'static str>,
}

/// Judges a history of sets.
///
/// # Errors
/// What is no history of this vocabulary, with the record at fault.
pub(super) fn judge_sets(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    let objects = set::from_history(history)?;
    let sets: Vec<Sets<'_>> = objects.keys.par_iter().map(Sets::new).collect();
    Ok(judge(history, &sets, &objects, settings))
}

/// Judges a history of counters.
///
/// # Errors
/// What is no history of this vocabulary, with the record at fault.
pub(super) fn judge_counters(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    let objects = counter::from_history(history)?;
    let counters: Vec<Counters<'_>> = objects.keys.par_iter().map(Counters::new).collect();
    Ok(judge(history, &counters, &objects, settings))
}

/// What all families look at.
struct Observed<'a, D: Datatype> {
    history: &'a History,
    objects: &'a [D],
    nodes: &'a [Value],
    clock: Option<Clock>,
    /// By object.
    unexplained: Vec<Vec<Unexplained<D::Fault>>>,
    /// By object; or what ended the search.
    untimely: Result<Vec<Vec<Untimely<D::Fault>>>, StoppedBy>,
}

impl<D: Datatype> Observed<'_, D> {
    /// A key or a server as a word.
    fn name(&self, value: Value) -> String {
        let values = self.history.values();
        values.as_str(value).map_or_else(|| values.json(value, 60), str::to_owned)
    }

    fn of_key(&self, key: usize) -> String {
        let name = self.objects[key].name();
        if name.is_absent() { String::new() } else { format!(" of key {}", self.name(name)) }
    }

    fn reads(&self) -> u64 {
        self.objects.iter().map(|object| object.reads() as u64).sum()
    }

    /// The kinds of reads that nothing explains, each once.
    fn unexplained(&self) -> Vec<Anomaly> {
        let mut kinds: Vec<Anomaly> = self.unexplained.iter().flatten().map(|one| one.anomaly).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// The first of some faults as a finding, and how many they are.
    fn finding(
        &self,
        anomaly: Anomaly,
        faults: &[(usize, u32, &D::Fault)],
        rules_out: Vec<Guarantee>,
        says: Says,
    ) -> Option<Finding> {
        let (key, _, fault) = faults.iter().min_by_key(|(key, read, _)| {
            let read = self.objects[*key].read(*read);
            (read.began, read.op)
        })?;
        Some(Finding {
            anomaly,
            certainty: Certainty::Certain,
            count: faults.len() as u64,
            rules_out,
            witness: Some(self.witness(anomaly, *key, fault, says)),
        })
    }

    /// A fault in words, confirmed from the whole history.
    fn witness(&self, anomaly: Anomaly, key: usize, fault: &D::Fault, says: Says) -> Witness {
        let (shape, elements) = self.objects[key].claim(fault);
        updates::witness(self.history, anomaly, &Claim { shape, says, elements })
    }

    /// Reads that nothing explains, as findings.
    fn nowhere(&self) -> Vec<Finding> {
        let all = || self.unexplained.iter().enumerate().flat_map(|(key, some)| some.iter().map(move |one| (key, one)));
        let find = |anomaly: Anomaly| {
            let faults: Vec<_> =
                all().filter(|(_, one)| one.anomaly == anomaly).map(|(key, one)| (key, one.read, &one.fault)).collect();
            let families = [Family::Objects, Family::Sessions, Family::Staleness, Family::Eventual];
            let whole = |guarantee: &Guarantee| guarantee.families().iter().any(|family| families.contains(family));
            let rules_out = match anomaly {
                // No set shows an element twice.
                Anomaly::DuplicateElements => Guarantee::ALL.iter().copied().filter(whole).collect(),
                _ => Vec::new(),
            };
            self.finding(anomaly, &faults, rules_out, Says::Unexplained)
        };
        self.unexplained().into_iter().filter_map(find).collect()
    }
}

fn judge<D: Datatype, K>(history: &History, objects: &[D], of: &Objects<K>, settings: &Settings<'_>) -> Outcome {
    let untimely = |object: &D| object.untimely(&mut settings.budget.meter());
    let observed = Observed {
        history,
        objects,
        nodes: &of.nodes,
        clock: Clock::of(history),
        unexplained: objects.par_iter().map(Datatype::unexplained).collect(),
        untimely: objects.par_iter().map(untimely).collect(),
    };
    let mut outcome = Outcome { findings: observed.nowhere(), ..Outcome::default() };
    let families = [
        linearizable::judge(&observed, settings),
        staleness::judge(&observed, settings),
        eventual::judge(&observed, settings),
        sessions::judge(&observed),
    ];
    for family in families {
        outcome.judgements.extend(family.judgements);
        outcome.findings.extend(family.findings);
        outcome.measures.extend(family.measures);
    }
    let figures = D::figures(objects).map(|(name, figures)| (name.to_owned(), figures.into()));
    outcome.measures.extend(figures);
    outcome.findings.sort_by_key(|finding| finding.anomaly);
    outcome
}

/// A judgement of reads: violated where nothing explains one of them.
fn judgement<D: Datatype>(observed: &Observed<'_, D>, guarantee: Guarantee) -> Judgement {
    let mut judgement = Judgement::new(guarantee, Verdict::Holds);
    judgement.anomalies = observed.unexplained();
    // A failed update that was shown says nothing of staleness or of the end, as long as it is not shown there.
    if [Guarantee::BoundedStaleness, Guarantee::Eventual].contains(&guarantee) {
        judgement.anomalies.retain(|anomaly| *anomaly != Anomaly::G1a);
    }
    if !judgement.anomalies.is_empty() {
        judgement.verdict = Verdict::Violated;
    }
    let updates = observed.objects.iter().flat_map(Datatype::updates);
    let updates = updates.filter(|act| act.status != Status::Fail).count();
    judgement.evidence.insert("updates".to_owned(), updates.into());
    judgement.evidence.insert("reads".to_owned(), observed.reads().into());
    judgement.evidence.insert("keys".to_owned(), observed.objects.len().into());
    judgement
}

/// Nobody knows, and why; what is violated stays so.
fn unknown(judgement: &mut Judgement, reason: String, by: Option<StoppedBy>) {
    if judgement.verdict != Verdict::Violated {
        (judgement.verdict, judgement.reason, judgement.stopped_by) = (Verdict::Unknown, Some(reason), by);
    }
}

fn stopped(by: StoppedBy) -> String {
    let what = match by {
        StoppedBy::Budget => "the search spent its steps",
        StoppedBy::Timeout => "the time was over",
        StoppedBy::Memory => "the memory was used up",
    };
    format!("{what} before every read was looked at")
}
