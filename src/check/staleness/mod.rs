//! Staleness: how old what reads returned was, as verdicts on bounds and as figures.
//!
//! `bounded-staleness` is violated by a read that is certainly staler than its bound: `overwritten` finds for each read the
//! writes that had certainly overwritten what it returned, whatever order overlapping operations took, and the first of
//! these says since when. It never depends on a race, and so never says more than is true; the exact figures beside it (`delta`,
//! `atomicity`) look at all operations of a key together and can be larger.
//!
//! Each key is judged by itself, in parallel: delta-atomicity and k-atomicity are local, like linearizability (Golab, Li and
//! Shah 2011). Cost: n log n.

mod atomicity;
pub(in crate::check) mod clock;
mod delta;
mod explain;
mod figures;
mod freshness;
pub(in crate::check) mod key;
mod over_time;
pub(in crate::check) mod overwritten;
mod range;

#[cfg(test)]
pub(in crate::check) mod oracle;

use self::clock::Clock;
use self::figures::KeyFigures;
use self::key::{KeyHistory, Unexplained};
use super::Settings;
use crate::certificate;
use crate::contract::{Policy, Requirement};
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::{History, Value};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, Verdict};
use crate::workload::accesses::Accesses;

/// What staleness and convergence look at: made once for both.
pub(in crate::check) struct Observed<'a> {
    pub(in crate::check) accesses: &'a Accesses<'a>,
    /// By key.
    pub(in crate::check) keys: Vec<KeyHistory>,
    /// None where no record has a time.
    pub(in crate::check) clock: Option<Clock>,
    /// Whether some read is known to show what nobody wrote.
    pub(in crate::check) thin_air: bool,
    /// Whether objects are lists.
    pub(in crate::check) lists: bool,
}

impl<'a> Observed<'a> {
    pub(in crate::check) fn new(accesses: &'a Accesses<'a>, lists: bool, thin_air: bool) -> Observed<'a> {
        let (keys, clock) = rayon::join(|| KeyHistory::all(accesses, lists), || Clock::of(accesses.history));
        let mut unexplained = keys.iter().flat_map(|key| &key.unexplained);
        let thin_air = thin_air || unexplained.any(|(.., why)| *why == Unexplained::ThinAir);
        Observed { accesses, keys, clock, thin_air, lists }
    }

    /// A key or a server as a word.
    pub(in crate::check) fn name(&self, value: Value) -> String {
        let values = self.accesses.history.values();
        values.as_str(value).map_or_else(|| values.json(value, 60), str::to_owned)
    }

    /// A key as JSON.
    fn json(&self, value: Value) -> serde_json::Value {
        serde_json::from_str(&self.accesses.history.values().json(value, 200))
            .unwrap_or_else(|_| self.name(value).into())
    }
}

/// The bounds of one requirement.
pub(in crate::check) struct Bounds {
    time_ns: Option<i64>,
    versions: Option<u32>,
    all: bool,
}

impl Bounds {
    pub(in crate::check) fn of(requirement: &Requirement) -> Option<Bounds> {
        let policy: Policy = requirement.policy().ok()?;
        Some(Bounds {
            time_ns: policy.duration_ns("time"),
            versions: policy.integer("versions").map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
            all: policy.word("combine").as_deref() == Some("all"),
        })
    }

    /// Whether a read is staler than this; none: without times nobody knows.
    pub(in crate::check) fn exceeded(&self, age: Option<i64>, versions: u32) -> Option<bool> {
        let by_versions = self.versions.map(|most| versions > most);
        let by_time = self.time_ns.map(|most| age.map(|age| age > most));
        match (by_versions, by_time) {
            (None, None) => Some(false),
            (Some(versions), None) => Some(versions),
            (None, Some(time)) => time,
            (Some(true), Some(time)) if self.all => time,
            (Some(false), Some(_)) if self.all => Some(false),
            (Some(true), Some(_)) => Some(true),
            (Some(false), Some(time)) => time,
        }
    }
}

/// The bounds that a certificate says are kept: those that are required; where none is, that nothing is stale.
pub(in crate::check) fn evidence(history: &History, settings: &Settings<'_>) -> certificate::Staleness {
    let required = settings.requirements.iter().filter(|one| one.guarantee == Guarantee::BoundedStaleness);
    let mut bounds: Vec<certificate::Bound> = required
        .filter_map(Bounds::of)
        .map(|bounds| certificate::Bound { time_ns: bounds.time_ns, versions: bounds.versions, all: bounds.all })
        .filter(|bound| bound.time_ns.is_some() || bound.versions.is_some())
        .collect();
    if bounds.is_empty() {
        bounds.push(certificate::Bound { time_ns: None, versions: Some(0), all: false });
    }
    certificate::Staleness { times: certificate::times(history), bounds }
}

/// The place of a stale read: its key, and which of the key's stale reads.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    key: usize,
    at: usize,
}

/// Judges `bounded-staleness`, finds the stalest read, and measures. `linearizable`: whether every key is known to be.
pub(in crate::check) fn judge(observed: &Observed<'_>, settings: &Settings<'_>, linearizable: bool) -> Outcome {
    let keys = figures::all(observed, linearizable, settings.budget);
    let required = settings.requirements.iter().filter(|one| one.guarantee == Guarantee::BoundedStaleness);
    let bounds: Vec<Bounds> = required.filter_map(Bounds::of).collect();
    let mut excess = Excess::default();
    for (key, figures) in keys.iter().enumerate() {
        for (at, stale) in figures.stale.iter().enumerate() {
            let age = figures.ages.get(at).copied();
            let rank = (age, stale.versions);
            let place = Place { key, at };
            excess.all.take(rank, place);
            let verdicts = || bounds.iter().map(|bounds| bounds.exceeded(age, stale.versions));
            if verdicts().any(|verdict| verdict == Some(true)) {
                excess.beyond.take(rank, place);
            } else if verdicts().any(|verdict| verdict.is_none()) {
                excess.undecided += 1;
            }
        }
    }
    let mut measures = Figures::new();
    measures.insert("staleness".to_owned(), figures::measures(observed, &keys).into());
    let judgement = judgement(observed, &keys, !bounds.is_empty(), &excess);
    let shown = if excess.beyond.count > 0 { &excess.beyond } else { &excess.all };
    let mut rules_out = vec![Guarantee::Linearizable];
    rules_out.extend((excess.beyond.count > 0).then_some(Guarantee::BoundedStaleness));
    // Of lists, cycles of transactions say the same, and more.
    let silent = observed.lists && bounds.is_empty();
    let finding = shown.worst.filter(|_| !silent).map(|(_, place)| Finding {
        anomaly: Anomaly::StaleRead,
        certainty: Certainty::Certain,
        count: shown.count,
        rules_out,
        witness: Some(explain::witness(observed, &keys, place, needed(&bounds, &keys, place))),
    });
    // Nobody asked for a bound: lists are not told that one is missing.
    let told = !(silent && judgement.verdict == Verdict::Unknown);
    let judgements = told.then_some(judgement).into_iter().collect();
    Outcome { judgements, findings: finding.into_iter().collect(), measures }
}

/// How many overwriters of a read show that it is beyond a bound: one where time alone says so.
fn needed(bounds: &[Bounds], keys: &[KeyFigures], place: Place) -> u32 {
    let figures = &keys[place.key];
    let (age, versions) = (figures.ages.get(place.at).copied(), figures.stale[place.at].versions);
    let beyond = bounds.iter().filter(|bounds| bounds.exceeded(age, versions) == Some(true));
    let of = |bounds: &Bounds| {
        let by_time = bounds.time_ns.zip(age).is_some_and(|(most, age)| age > most);
        if by_time && !bounds.all { 1 } else { bounds.versions.unwrap_or(0).saturating_add(1) }
    };
    beyond.map(of).min().unwrap_or(1)
}

/// The worst of some stale reads, and how many they are.
#[derive(Default)]
struct Worst {
    count: u64,
    worst: Option<((Option<i64>, u32), Place)>,
}

impl Worst {
    fn take(&mut self, rank: (Option<i64>, u32), place: Place) {
        self.count += 1;
        if self.worst.is_none_or(|(worst, _)| rank > worst) {
            self.worst = Some((rank, place));
        }
    }
}

#[derive(Default)]
struct Excess {
    all: Worst,
    beyond: Worst,
    undecided: u64,
}

fn judgement(observed: &Observed<'_>, keys: &[KeyFigures], bounded: bool, excess: &Excess) -> Judgement {
    let judged: u64 = keys.iter().map(|key| key.judged).sum();
    let mut judgement = Judgement::new(Guarantee::BoundedStaleness, Verdict::Holds);
    let mut put = |name: &str, value: u64| _ = judgement.evidence.insert(name.to_owned(), value.into());
    put("reads", observed.keys.iter().map(|key| (key.reads.len() + key.unexplained.len()) as u64).sum());
    put("reads_after_a_write", judged);
    put("stale_reads", excess.all.count);
    if bounded {
        put("beyond_the_bound", excess.beyond.count);
    }
    let several = observed.keys.iter().flat_map(|key| &key.reads).filter(|read| !read.certain).count() as u64;
    if several > 0 {
        put("reads_with_several_possible_writes", several);
    }
    let unknown = |judgement: &mut Judgement, reason: String| {
        (judgement.verdict, judgement.reason) = (Verdict::Unknown, Some(reason));
    };
    if observed.thin_air {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies.push(Anomaly::ThinAirRead);
    }
    if excess.beyond.count > 0 {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies.push(Anomaly::StaleRead);
    } else if judgement.verdict == Verdict::Violated {
    } else if excess.undecided > 0 {
        let count = excess.undecided;
        unknown(
            &mut judgement,
            format!("{count} reads are stale, and no record has a `time` that would say by how long"),
        );
    } else if let Some(key) = observed.keys.iter().position(|key| key.contradictory) {
        let name = observed.name(observed.accesses.keys[key]);
        unknown(&mut judgement, format!("the lists of key {name} contradict each other: nobody knows what is newer"));
    } else if judged == 0 {
        let reason = "no read began after a write had certainly taken effect: nothing could have been stale";
        unknown(&mut judgement, reason.to_owned());
    } else if !bounded && excess.all.count > 0 {
        unknown(&mut judgement, unbounded(excess.all.worst.map(|(rank, _)| rank)));
    }
    judgement
}

/// Why a history with stale reads has no verdict: nobody said how stale they may be.
pub(in crate::check) fn unbounded(worst: Option<(Option<i64>, u32)>) -> String {
    let bound = match worst {
        Some((Some(age), _)) => format!("time={}ms", age / 1_000_000 + 1),
        Some((None, versions)) => format!("versions={versions}"),
        None => "time=1ms".to_owned(),
    };
    format!("no bound was given; --require bounded-staleness:{bound} would hold")
}
