//! The transactional outbox: is every committed change's event published, no other one, and in order?
//!
//! Each event is judged by its commits and its publications; then each aggregate by the order of its events' first
//! publications. What is `info` may have happened or not: a finding that needs one of the two is only possible.
//!
//! - `missing-publish`: committed with `ok`, and never published. Certain where a `drained` comes after the commit and no
//!   publication ended without an answer. `publish-gap`: and a later version of its aggregate was published.
//! - `phantom-publish`: published, and every commit that lists it failed, or none does.
//! - `early-publish`: a publication was over before the commit began.
//! - `publish-inversion`: its first publication began after that of a higher version was over; overlapping ones are none.
//! - `divergent-event`: publications with different payloads. `event-version-mismatch`: a publication names another aggregate
//!   or version than the commit.
//! - `duplicate-publish`: only where `duplicates` is `forbidden`; otherwise a figure.
//!
//! Every class counts events but the last, which counts publications. Exact; cost: linear, n log n within an aggregate.
//! Source: Richardson, Microservices Patterns, 2018, ch. 3.

use hashbrown::HashMap;

use super::cases::{Tally, undecided};
use super::figures::distribution;
use super::policy;
use crate::check::Settings;
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::{History, Value};
use crate::verdict::Certainty::{Certain, Possible};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, Verdict};
use crate::witness::accounts::Reason;
use crate::witness::claim::Rule;
use crate::workload::WorkloadError;
use crate::workload::outbox::{Outbox, Publish};
use crate::workload::records::Place;

/// The classes, in the order in which a report lists them.
pub const CLASSES: [Anomaly; 8] = [
    Anomaly::MissingPublish,
    Anomaly::PublishGap,
    Anomaly::PhantomPublish,
    Anomaly::EarlyPublish,
    Anomaly::PublishInversion,
    Anomaly::DivergentEvent,
    Anomaly::EventVersionMismatch,
    Anomaly::DuplicatePublish,
];

/// Judges `outbox`.
///
/// # Errors
/// The history is not of this vocabulary, or the policy has a term that can't be read.
pub fn judge(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    let policy = policy::stated(history, settings.requirements, &[Guarantee::Outbox])?;
    let forbidden = policy.word("duplicates").as_deref() == Some("forbidden");
    let outbox = Outbox::from_history(history)?;
    let mut judge =
        Judge { outbox: &outbox, forbidden, tally: Tally::new(&CLASSES), orders: Vec::new(), sums: Sums::default() };
    for event in 0..outbox.events.len() {
        judge.event(event);
    }
    judge.aggregates();
    let findings = judge.tally.findings(history, &[Guarantee::Outbox], &Rule::Outbox);
    let judgement = judgement(&outbox, &findings);
    let mut measures = Figures::new();
    measures.insert("delivery".to_owned(), judge.figures().into());
    Ok(Outcome { judgements: vec![judgement], findings, measures })
}

fn judgement(outbox: &Outbox, findings: &[Finding]) -> Judgement {
    let mut judgement = Judgement::new(Guarantee::Outbox, Verdict::Holds);
    let (certain, possible): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|one| one.certainty == Certain);
    let committed = outbox.commits.iter().filter(|commit| commit.run.is_ok()).count();
    let published = outbox.publishes.iter().filter(|publish| publish.run.is_ok()).count();
    if !certain.is_empty() {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies = certain.iter().map(|finding| finding.anomaly).collect();
    } else if !possible.is_empty() {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some(undecided(&possible));
    } else if committed == 0 && published == 0 {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some("nothing was committed, and nothing published: nothing could refute it".to_owned());
    }
    for (name, value) in [("committed", committed), ("published", published), ("events", outbox.events.len())] {
        judgement.evidence.insert(name.to_owned(), value.into());
    }
    judgement.evidence.insert("drained".to_owned(), outbox.drained.is_some().into());
    judgement
}

#[derive(Default)]
struct Sums {
    published: u64,
    duplicates: u64,
    duplicated: u64,
    lags: Vec<i64>,
}

/// An event of an aggregate, as far as order matters.
struct Ordered {
    aggregate: Value,
    version: i64,
    event: u32,
    /// Its first publication, by beginning, that is `ok`.
    first: Option<Place>,
    /// Where that began; the end of positions without one.
    began: u32,
    /// Where the earliest publication began that may have happened.
    may_begin: u32,
    /// Where the earliest `ok` was, and of which publication.
    ended: (u32, Option<Place>),
    /// Where it is missing: the commit, and how sure.
    missing: Option<(Place, u32, Certainty)>,
}

struct Judge<'a> {
    outbox: &'a Outbox,
    forbidden: bool,
    tally: Tally,
    orders: Vec<Ordered>,
    sums: Sums,
}

impl<'a> Judge<'a> {
    fn event(&mut self, event: usize) {
        let outbox = self.outbox;
        let name = outbox.events[event];
        let commits = outbox.commits_of(event).filter(|commit| commit.run.may());
        let committed = commits.clone().filter(|commit| commit.run.is_ok()).min_by_key(|commit| commit.run.ended);
        let all = outbox.publishes_of(event).filter(|publish| publish.run.may());
        let done = all.clone().filter(|publish| publish.run.is_ok());
        let first = done.clone().min_by_key(|publish| publish.run.ended);
        let count = done.clone().count() as u64;
        self.sums.published += u64::from(count > 0);
        self.sums.duplicates += count.saturating_sub(1);
        self.sums.duplicated += u64::from(count > 1);
        if self.forbidden {
            self.duplicates(name, all.clone());
        }
        self.contents(name, all.clone());
        let mut missing = None;
        match (committed, first) {
            (Some(commit), None) => {
                let drained = outbox.drained.filter(|drained| drained.position > commit.run.ended);
                let sure = if drained.is_some() && all.clone().next().is_none() { Certain } else { Possible };
                let mut places = vec![commit.run.place()];
                places.extend(all.clone().next().map(|publish| publish.run.place()));
                places.extend(drained.map(|drained| drained.place));
                let open = if all.clone().next().is_some() { Reason::Unanswered } else { Reason::Undrained };
                let why = (sure == Possible).then_some(open);
                let at = drained.map_or(commit.run.ended, |drained| drained.position);
                self.tally.add((Anomaly::MissingPublish, sure), name, at, why, &places);
                missing = Some((commit.run.place(), commit.run.ended, sure));
            }
            (Some(commit), Some(publish)) => {
                if let (Some(from), Some(to)) = (known(commit.run.completed_time), known(publish.run.completed_time)) {
                    self.sums.lags.push(to.saturating_sub(from).max(0));
                }
            }
            _ => {}
        }
        if commits.clone().next().is_none() {
            let Some(publish) = first.or_else(|| all.clone().next()) else { return };
            let sure = if publish.run.is_ok() { Certain } else { Possible };
            let aborted = outbox.commits_of(event).next();
            let mut places = vec![publish.run.place()];
            places.extend(aborted.map(|commit| commit.run.place()));
            let reason = if aborted.is_some() { Reason::Aborted } else { Reason::Nobody };
            let why = (sure == Certain).then_some(reason);
            let at = publish.run.ended.max(aborted.map_or(0, |commit| commit.run.ended));
            self.tally.add((Anomaly::PhantomPublish, sure), name, at, why, &places);
            return;
        }
        let earliest = commits.clone().min_by_key(|commit| commit.run.began);
        if let (Some(commit), Some(publish)) = (earliest, first)
            && publish.run.ended < commit.run.began
        {
            let places = [publish.run.place(), commit.run.place()];
            self.tally.add((Anomaly::EarlyPublish, Certain), name, commit.run.began, None, &places);
        }
        self.versions(name, event, all.clone());
        if let Some(commit) = committed.or(earliest)
            && let Some(version) = commit.version
        {
            let first = done.clone().min_by_key(|publish| publish.run.began);
            self.orders.push(Ordered {
                aggregate: commit.aggregate,
                version,
                event: u32::try_from(event).unwrap_or(u32::MAX),
                first: first.map(|publish| publish.run.place()),
                began: first.map_or(u32::MAX, |publish| publish.run.began),
                may_begin: all.map(|publish| publish.run.began).min().unwrap_or(u32::MAX),
                ended: done
                    .map(|publish| (publish.run.ended, Some(publish.run.place())))
                    .min_by_key(|(ended, _)| *ended)
                    .unwrap_or((u32::MAX, None)),
                missing,
            });
        }
    }

    fn duplicates(&mut self, name: Value, all: impl Iterator<Item = &'a Publish> + Clone) {
        let done = all.clone().filter(|publish| publish.run.is_ok());
        let some = [done.clone().next(), all.clone().next()].into_iter().flatten().next();
        let Some(first) = some else { return };
        for other in all.filter(|other| other.run.op != first.run.op) {
            let sure = if first.run.is_ok() && other.run.is_ok() { Certain } else { Possible };
            let places = [first.run.place(), other.run.place()];
            let at = first.run.began.max(other.run.began);
            self.tally.add((Anomaly::DuplicatePublish, sure), name, at, None, &places);
        }
    }

    /// Whether the publications of one event say one thing. Comparing each with the first of its kind is enough.
    fn contents(&mut self, name: Value, all: impl Iterator<Item = &'a Publish> + Clone) {
        let mut best: Option<(Certainty, &Publish, &Publish)> = None;
        for only_ok in [true, false] {
            let some = || all.clone().filter(|publish| publish.run.is_ok() || !only_ok);
            let payload = some().find(|publish| publish.payload.is_some());
            let fingerprint = some().find(|publish| !publish.fingerprint.is_null());
            let differs = |one: &&Publish| {
                payload.filter(|first| one.payload.is_some() && one.payload != first.payload).or_else(|| {
                    fingerprint.filter(|first| !one.fingerprint.is_null() && one.fingerprint != first.fingerprint)
                })
            };
            if let Some((first, other)) = some().find_map(|one| Some((differs(&one)?, one))) {
                best = Some((if only_ok { Certain } else { Possible }, first, other));
                break;
            }
        }
        if let Some((sure, first, other)) = best {
            let places = [first.run.place(), other.run.place()];
            self.tally.add((Anomaly::DivergentEvent, sure), name, other.run.began, None, &places);
        }
    }

    /// Whether each publication names the aggregate and version of a commit.
    fn versions(&mut self, name: Value, event: usize, all: impl Iterator<Item = &'a Publish> + Clone) {
        let outbox = self.outbox;
        let commits = || outbox.commits_of(event).filter(|commit| commit.run.may());
        let mut agreed: HashMap<(Value, Option<i64>), (), foldhash::fast::RandomState> = HashMap::default();
        let open = commits().any(|commit| commit.aggregate.is_null() || commit.version.is_none());
        agreed.extend(commits().map(|commit| ((commit.aggregate, commit.version), ())));
        let differs = |publish: &&Publish| {
            let named = !publish.aggregate.is_null() && publish.version.is_some();
            named && !open && !agreed.contains_key(&(publish.aggregate, publish.version))
        };
        let wrong = all.clone().filter(|publish| publish.run.is_ok()).find(differs);
        let found = wrong.map(|publish| (Certain, publish)).or_else(|| Some((Possible, all.clone().find(differs)?)));
        if let (Some((sure, publish)), Some(commit)) = (found, commits().next()) {
            let places = [commit.run.place(), publish.run.place()];
            let at = commit.run.began.max(publish.run.began);
            self.tally.add((Anomaly::EventVersionMismatch, sure), name, at, None, &places);
        }
    }

    /// Judges the order of each aggregate's events: from the highest version down, with the earliest end above.
    fn aggregates(&mut self) {
        let mut numbers: HashMap<Value, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut orders = std::mem::take(&mut self.orders);
        for one in &orders {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            numbers.entry(one.aggregate).or_insert(next);
        }
        let number = |one: &Ordered| numbers.get(&one.aggregate).copied();
        orders.sort_by_key(|one| (number(one), std::cmp::Reverse(one.version), one.event));
        for aggregate in orders.chunk_by(|a, b| a.aggregate == b.aggregate) {
            let mut above = (u32::MAX, None);
            for same in aggregate.chunk_by(|a, b| a.version == b.version) {
                if let (ended, Some(higher)) = above {
                    for one in same {
                        self.below(one, ended, higher);
                    }
                }
                above =
                    same.iter().map(|one| one.ended).chain([above]).min_by_key(|(ended, _)| *ended).unwrap_or(above);
            }
        }
    }

    /// A higher version was published by `ended`.
    fn below(&mut self, one: &Ordered, ended: u32, higher: Place) {
        let name = self.outbox.events[one.event as usize];
        if let Some((commit, at, sure)) = one.missing {
            let mut places = vec![commit, higher];
            places.extend(self.outbox.drained.map(|drained| drained.place));
            self.tally.add((Anomaly::PublishGap, sure), name, ended.max(at), None, &places);
        }
        if let Some(first) = one.first
            && one.began > ended
        {
            let sure = if one.may_begin > ended { Certain } else { Possible };
            self.tally.add((Anomaly::PublishInversion, sure), name, one.began, None, &[higher, first]);
        }
    }

    fn figures(self) -> Figures {
        let count = |anomaly| self.tally.count(anomaly, Certain);
        let outbox = self.outbox;
        let status = |status| outbox.commits.iter().filter(|commit| commit.run.status == status).count();
        let mut figures = Figures::new();
        let mut put = |name: &str, value: serde_json::Value| _ = figures.insert(name.to_owned(), value);
        put("commits", outbox.commits.len().into());
        put("aborted_commits", status(crate::history::Status::Fail).into());
        put("unknown_commits", status(crate::history::Status::Info).into());
        put("events", outbox.events.len().into());
        put("publishes", outbox.publishes.len().into());
        put("published_events", self.sums.published.into());
        put("missing", count(Anomaly::MissingPublish).into());
        put("passed_over", count(Anomaly::PublishGap).into());
        put("phantoms", count(Anomaly::PhantomPublish).into());
        put("inversions", count(Anomaly::PublishInversion).into());
        put("duplicates", self.sums.duplicates.into());
        put("events_with_duplicates", self.sums.duplicated.into());
        put("outbox_lag_ns", distribution(self.sums.lags).into());
        put("classes", self.tally.figures().into());
        figures
    }
}

fn known(time: i64) -> Option<i64> {
    (time != History::NO_TIME).then_some(time)
}
