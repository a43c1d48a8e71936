//! `outbox`: of each event, the commits that list it and its publications.
//!
//! An event is in order where
//! - a commit that lists it may have happened, or it was never published;
//! - it was published, if a commit that lists it certainly happened;
//! - its first publication was not over before the earliest of these commits began;
//! - all its publications say one payload, and the aggregate and version of a commit;
//! - there is one publication at most, where the policy forbids duplicates;
//! - of its aggregate, no higher version had been published when its own first publication began.
//!
//! The accounts stand aggregate by aggregate, and there from the lowest version up, so that the last is seen at a glance.

use std::collections::{HashMap, HashSet};

use super::contents::Contents;
use super::ledger::{Act, Ledger, name};
use super::{Account, Shown};
use crate::contract::Policy;
use crate::history::{History, Value};

/// What stands below in the same aggregate.
struct Below {
    aggregate: Value,
    /// The version at hand, and when the latest first publication of it began.
    version: i64,
    began: u32,
    /// The same of all lower versions.
    lower: u32,
}

/// Whether the accounts show that the outbox is in order.
pub(super) fn rule(history: &History, policy: &Policy, accounts: &[Account]) -> Result<Shown, String> {
    let forbidden = policy.word("duplicates").as_deref() == Some("forbidden");
    let mut ledger = Ledger::new(history, &["commit", "publish"], &["drained"])?;
    let (by_name, listed) = named(&ledger);
    let mut events: HashSet<Value> = HashSet::new();
    let mut aggregates: HashSet<Value> = HashSet::new();
    let mut below: Option<Below> = None;
    let mut contents = Contents::default();
    let (mut listings, mut committed, mut published) = (0usize, 0usize, 0usize);
    for account in accounts {
        let refuse = |why: &str| Err(format!("{} {why}", name(account)));
        let acts = ledger.take(account, |act| act.f == "commit")?;
        let Some(&event) = by_name.get(&account.of) else { return refuse("there is no such event") };
        if !events.insert(event) {
            return refuse("its event has an account already");
        }
        let own = |act: &&Act<'_>| listed.contains(&(act.position, event)) || act.said("event") == event;
        if let Some(other) = acts.iter().find(|act| !own(act)) {
            return refuse(&format!("record {} is not of this event", other.position));
        }
        listings += acts.iter().filter(|act| act.f == "commit").count();
        committed += usize::from(acts.iter().any(|act| act.f == "commit" && act.ok()));
        published += acts.iter().filter(|act| act.f == "publish" && act.ok()).count();
        let (order, first) = match one(&acts, forbidden, ledger.values, &mut contents) {
            Ok(found) => found,
            Err(why) => return refuse(&why),
        };
        let Some((aggregate, version)) = order else { continue };
        let state = match below.take().filter(|below| below.aggregate == aggregate) {
            Some(state) if version < state.version => {
                return refuse("a higher version of its aggregate stands before it");
            }
            Some(state) if version == state.version => state,
            Some(state) => Below { version, began: 0, lower: state.lower.max(state.began), ..state },
            None if !aggregates.insert(aggregate) => return refuse("its aggregate is interrupted by another one"),
            None => Below { aggregate, version, began: 0, lower: 0 },
        };
        if first.is_some_and(|(_, ended)| ended < state.lower) {
            return refuse("it was published before a publication of a lower version began");
        }
        let began = state.began.max(first.map_or(0, |(began, _)| began));
        below = Some(Below { began, ..state });
    }
    ledger.complete(&["publish"])?;
    // A commit is there once for each event that it lists.
    if listings != listed.len() {
        return Err(format!("commits list {} events, and {listings} of these are in accounts", listed.len()));
    }
    let commits = ledger.acts.iter().filter(|act| act.f == "commit" && act.ok()).count();
    if commits + published == 0 {
        return Ok(Shown::Nothing("nothing was committed, and nothing published: nothing could refute it"));
    }
    Ok(Shown::All(format!(
        "{commits} commits: each of their {committed} events was published, in order of version, and nothing that was not \
         committed: {published} publications"
    )))
}

/// The events by their names as JSON, and those that each commit lists.
fn named(ledger: &Ledger<'_>) -> (HashMap<String, Value>, HashSet<(u32, Value)>) {
    let mut listed: HashSet<(u32, Value)> = HashSet::new();
    let mut by_name: HashMap<String, Value> = HashMap::new();
    let mut add = |event: Value| _ = by_name.insert(ledger.values.json(event, usize::MAX), event);
    for act in &ledger.acts {
        match act.f {
            "commit" => {
                for event in act.items(act.said("events")) {
                    if listed.insert((act.position, event)) {
                        add(event);
                    }
                }
            }
            "publish" => add(act.said("event")),
            _ => {}
        }
    }
    (by_name, listed)
}

/// Whether the records of one event are in order; its aggregate and version, and where its earliest `ok` publication, by its
/// beginning, began, and the earliest, by its end, ended.
#[expect(clippy::type_complexity, reason = "two pairs, each of which may be missing")]
fn one(
    acts: &[Act<'_>],
    forbidden: bool,
    values: &crate::history::Values,
    contents: &mut Contents,
) -> Result<(Option<(Value, i64)>, Option<(u32, u32)>), String> {
    let commits = || acts.iter().filter(|act| act.f == "commit" && act.may());
    let publishes = || acts.iter().filter(|act| act.f == "publish" && act.may());
    let done = || publishes().filter(|act| act.ok());
    let committed = commits().filter(|act| act.ok()).min_by_key(|act| act.ended);
    let earliest = commits().min_by_key(|act| act.began);
    let ended = done().map(|act| act.ended).min();
    if let (None, Some(publish)) = (earliest, publishes().next()) {
        return Err(format!("it was published at record {}, and no commit can have caused it", publish.position));
    }
    if let (Some(commit), None) = (committed, ended) {
        return Err(format!("it was committed at record {}, and certainly published nowhere", commit.position));
    }
    if let (Some(commit), Some(ended)) = (earliest, ended)
        && ended < commit.began
    {
        return Err(format!("it was published by record {ended}, before its commit began"));
    }
    if forbidden && publishes().count() > 1 {
        return Err("it may have been published twice, and the policy forbids it".to_owned());
    }
    let (mut payload, mut print): (Option<u32>, Option<Value>) = (None, None);
    for act in publishes() {
        let (given, fingerprint) = (act.said("payload"), act.said("fingerprint"));
        let number = (!given.is_null()).then(|| contents.number(values, given));
        let other = number.is_some_and(|number| *payload.get_or_insert(number) != number)
            || (!fingerprint.is_null() && *print.get_or_insert(fingerprint) != fingerprint);
        if other {
            return Err(format!("its publication at record {} says another payload than one before", act.position));
        }
        let (aggregate, version) = (act.said("aggregate"), act.said("version"));
        let open = |commit: &Act<'_>| {
            let of = (commit.said("aggregate"), commit.said("version"));
            of.0.is_null() || of.1.is_null() || of == (aggregate, version)
        };
        if !aggregate.is_null() && !version.is_null() && !commits().any(open) {
            return Err(format!(
                "its publication at record {} names an aggregate or a version that no commit of it has",
                act.position
            ));
        }
    }
    let order =
        committed.or(earliest).and_then(|act| Some((act.said("aggregate"), values.as_int(act.said("version"))?)));
    Ok((order, done().map(|act| act.began).min().zip(ended)))
}
