//! `bounded-staleness`, and how stale reads were.
//!
//! A read is as stale as the oldest update that it certainly misses has been acknowledged, or shown by another read, when it
//! began; and by as many versions as it certainly misses updates. See [`super::Untimely`].

use super::{Datatype, Observed, Untimely, judgement, stopped, unknown};
use crate::check::Settings;
use crate::check::staleness::clock::between;
use crate::check::staleness::{Bounds, unbounded};
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::Status;
use crate::verdict::{Certainty, Figures, Finding, Outcome, Verdict};
use crate::witness::updates::Says;

/// How stale a read is: in time, where the history has any, and in versions.
type Rank = (Option<i64>, u32);

/// A stale read of a key.
type Stale<'a, F> = (Rank, usize, &'a Untimely<F>);

pub(super) fn judge<D: Datatype>(observed: &Observed<'_, D>, settings: &Settings<'_>) -> Outcome {
    let mut judgement = judgement(observed, Guarantee::BoundedStaleness);
    let untimely = match &observed.untimely {
        Ok(untimely) => untimely,
        Err(by) => {
            unknown(&mut judgement, stopped(*by), Some(*by));
            return Outcome { judgements: vec![judgement], ..Outcome::default() };
        }
    };
    let required = settings.requirements.iter().filter(|one| one.guarantee == Guarantee::BoundedStaleness);
    let bounds: Vec<Bounds> = required.filter_map(Bounds::of).collect();
    let mut stale: Vec<Stale<'_, D::Fault>> = Vec::new();
    for (key, one) in untimely.iter().enumerate().flat_map(|(key, some)| some.iter().map(move |one| (key, one))) {
        if one.since.is_some() {
            stale.push(((age(observed, key, one), one.updates), key, one));
        }
    }
    let exceeded = |rank: &Rank| bounds.iter().map(|bounds| bounds.exceeded(rank.0, rank.1)).collect::<Vec<_>>();
    let beyond: Vec<_> = stale.iter().copied().filter(|(rank, ..)| exceeded(rank).contains(&Some(true))).collect();
    let undecided = stale.iter().filter(|(rank, ..)| exceeded(rank).contains(&None)).count();
    judgement.evidence.insert("stale_reads".to_owned(), stale.len().into());
    if !bounds.is_empty() {
        judgement.evidence.insert("beyond_the_bound".to_owned(), beyond.len().into());
    }
    let shown = if beyond.is_empty() { &stale } else { &beyond };
    let mut rules_out = vec![Guarantee::Linearizable];
    if !beyond.is_empty() {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies.push(Anomaly::StaleRead);
        rules_out.push(Guarantee::BoundedStaleness);
    } else if undecided > 0 {
        let reason = format!("{undecided} reads are stale, and no record has a `time` that would say by how long");
        unknown(&mut judgement, reason, None);
    } else if !could_be_stale(observed) {
        let reason = "no read began after an update had certainly taken effect: nothing could have been stale";
        unknown(&mut judgement, reason.to_owned(), None);
    } else if bounds.is_empty()
        && let Some((rank, ..)) = worst(&stale)
    {
        unknown(&mut judgement, unbounded(Some(rank)), None);
    }
    let finding = worst(shown).map(|(rank, key, one)| {
        let says = Says::Behind { updates: rank.1, age_ns: rank.0 };
        Finding {
            anomaly: Anomaly::StaleRead,
            certainty: Certainty::Certain,
            count: shown.len() as u64,
            rules_out,
            witness: Some(observed.witness(Anomaly::StaleRead, key, &one.fault, says)),
        }
    });
    let ranks: Vec<Rank> = stale.iter().map(|(rank, ..)| *rank).collect();
    let mut measures = Figures::new();
    measures.insert("staleness".to_owned(), figures(observed, &ranks).into());
    Outcome { judgements: vec![judgement], findings: finding.into_iter().collect(), measures }
}

/// The stalest, the first of several.
fn worst<'a, F>(some: &[Stale<'a, F>]) -> Option<Stale<'a, F>> {
    some.iter().rev().max_by_key(|(rank, ..)| *rank).copied()
}

/// How long it had been certain, when a read began, what the read doesn't show.
pub(super) fn age<D: Datatype>(observed: &Observed<'_, D>, key: usize, one: &Untimely<D::Fault>) -> Option<i64> {
    let (clock, read) = (observed.clock.as_ref()?, observed.objects[key].read(one.read));
    let invoked = observed.history.op(read.op).invoked().is_some();
    Some(between(clock.end(one.since? + 1), clock.begin(read.began + 1, invoked)))
}

/// Whether some read began after an update of its object had been acknowledged.
fn could_be_stale<D: Datatype>(observed: &Observed<'_, D>) -> bool {
    observed.objects.iter().any(|object| {
        let first = object.updates().filter(|act| act.status == Status::Ok).map(|act| act.ended).min();
        let last = (0u32..).take(object.reads()).map(|read| object.read(read).began).max();
        first.zip(last).is_some_and(|(first, last)| first < last)
    })
}

fn figures<D: Datatype>(observed: &Observed<'_, D>, ranks: &[Rank]) -> Figures {
    let mut figures = Figures::new();
    figures.insert("reads".to_owned(), observed.reads().into());
    figures.insert("stale_reads".to_owned(), ranks.len().into());
    let time = match (&observed.clock, ranks.iter().filter_map(|rank| rank.0).max()) {
        (None, _) => serde_json::Value::Null,
        (Some(_), most) => most.unwrap_or(0).into(),
    };
    figures.insert("time_ns_max".to_owned(), time);
    figures.insert("versions_max".to_owned(), ranks.iter().map(|rank| rank.1).max().unwrap_or(0).into());
    figures
}
