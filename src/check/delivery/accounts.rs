//! Certificates of these guarantees: an account of each key, message, event, saga or system, and the policy it is read by.
//!
//! Accounts are written from what the checks read, and looked through at once by what `verify` looks with: what that would
//! not accept is not claimed, and said to be left out.

use std::collections::BTreeMap;

use super::{idempotency, policy, reconciliation};
use crate::certificate::{self, Account, Accounts, Claim, Entry, Evidence, Ruling};
use crate::check::Settings;
use crate::guarantee::Guarantee;
use crate::history::{History, Value};
use crate::workload::delivery::Delivery;
use crate::workload::outbox::Outbox;
use crate::workload::records::{Place, facts};
use crate::workload::saga::{Act, Sagas};
use crate::workload::{Workload, WorkloadError};

/// The claim of a guarantee that holds; nothing where it is none of this family.
///
/// # Errors
/// A record that is not of the workload's vocabulary, or a policy that can't be read.
pub(in crate::check) fn claim(
    history: &History,
    workload: Workload,
    guarantee: Guarantee,
    settings: &Settings<'_>,
) -> Result<Option<Claim>, WorkloadError> {
    use Guarantee::{AtLeastOnce, AtMostOnce, EffectivelyOnce, Idempotent, OrderedDelivery, Reconciled, Saga};
    // By its own parameters, whatever is required of others beside it.
    let own = settings.requirements.iter().find(|requirement| requirement.guarantee == guarantee);
    let settings = &Settings { requirements: own.map_or(&[], std::slice::from_ref), budget: settings.budget };
    let (sharing, accounts) = match (workload, guarantee) {
        (Workload::Idempotency, Idempotent) => (&[Idempotent][..], idempotency::account::accounts(history, settings)?),
        (Workload::Delivery, AtLeastOnce | AtMostOnce | EffectivelyOnce | OrderedDelivery) => {
            (&super::messages::GUARANTEES[..], Ok(messages(history)?))
        }
        (Workload::Outbox, Guarantee::Outbox) => (&[Guarantee::Outbox][..], Ok(events(history)?)),
        (Workload::Saga, Saga) => (&[Saga][..], Ok(sagas(history)?)),
        (Workload::Reconciliation, Reconciled) => {
            (&[Reconciled][..], reconciliation::account::accounts(history, settings)?)
        }
        _ => return Ok(None),
    };
    let stated = policy::stated(history, settings.requirements, sharing)?;
    let terms = stated.settings().iter().map(|one| (one.parameter.name.to_owned(), one.text.to_owned())).collect();
    Ok(Some(looked_through(history, workload, guarantee, terms, accounts)))
}

/// The claim, with its evidence where that would be accepted.
fn looked_through(
    history: &History,
    workload: Workload,
    guarantee: Guarantee,
    policy: BTreeMap<String, String>,
    accounts: Result<Vec<Account>, String>,
) -> Claim {
    let mut claim = Claim { guarantee: guarantee.name().to_owned(), evidence: Evidence::Absent, left_out: Vec::new() };
    let why = match accounts {
        Err(why) => Some(why),
        Ok(accounts) => {
            claim.evidence = Evidence::Accounts(Accounts { policy, accounts });
            match certificate::rule(history, workload.name(), &claim) {
                Ruling::Proved(_) => None,
                Ruling::Unproved(why) | Ruling::Refused(why) => Some(why),
            }
        }
    };
    if let Some(why) = why {
        claim.evidence = Evidence::Absent;
        claim.left_out.push(format!("no full account can be given of it: {why}"));
    }
    claim
}

fn account(history: &History, of: Value, mut positions: Vec<u32>) -> Account {
    positions.sort_unstable();
    let entries = positions.into_iter().map(Entry::plain).collect();
    Account { of: history.values().json(of, usize::MAX), entries }
}

/// Of each message, in order of first appearance.
fn messages(history: &History) -> Result<Vec<Account>, WorkloadError> {
    let values = history.values();
    let message_of = Delivery::message_of_key(history)?;
    let named = |f: Value| values.as_str(f).is_some_and(|f| matches!(f, "publish" | "consume"));
    let acts = history.ops().filter(|op| named(op.f())).map(|op| (op.position(), op.key()));
    let facts = facts(history, &["effect", "dead-letter"]).into_iter().map(|(_, fact)| (fact.position, fact.key));
    let mut records: Vec<(u32, u32, Value)> =
        acts.chain(facts).filter_map(|(at, key)| Some((message_of(key)?, at, key))).collect();
    records.sort_unstable_by_key(|(message, at, _)| (*message, *at));
    let of =
        |records: &[(u32, u32, Value)]| account(history, records[0].2, records.iter().map(|(_, at, _)| *at).collect());
    Ok(records.chunk_by(|a, b| a.0 == b.0).map(of).collect())
}

/// Of each event: aggregate by aggregate, from the lowest version up.
fn events(history: &History) -> Result<Vec<Account>, WorkloadError> {
    let outbox = Outbox::from_history(history)?;
    let mut aggregates: BTreeMap<Value, usize> = BTreeMap::new();
    let mut accounts: Vec<(Option<(usize, i64)>, Account)> = Vec::new();
    for (event, name) in outbox.events.iter().enumerate() {
        let commits = outbox.commits_of(event).filter(|commit| commit.run.may());
        let committed = commits.clone().filter(|commit| commit.run.is_ok()).min_by_key(|commit| commit.run.ended);
        let order = committed.or_else(|| commits.min_by_key(|commit| commit.run.began)).and_then(|commit| {
            let next = aggregates.len();
            Some((*aggregates.entry(commit.aggregate).or_insert(next), commit.version?))
        });
        let runs = outbox.commits_of(event).map(|commit| commit.run);
        let runs = runs.chain(outbox.publishes_of(event).map(|publish| publish.run));
        let mut positions: Vec<u32> = runs.map(|run| history.op(run.op).position()).collect();
        positions.sort_unstable();
        positions.dedup();
        accounts.push((order, account(history, *name, positions)));
    }
    accounts.sort_by_key(|(order, _)| *order);
    Ok(accounts.into_iter().map(|(_, account)| account).collect())
}

/// Of each saga, in order of first appearance.
fn sagas(history: &History) -> Result<Vec<Account>, WorkloadError> {
    let sagas = Sagas::from_history(history)?;
    let position = |place: Place| match place {
        Place::Op(op) => history.op(op).position(),
        Place::Seen(position) => position,
    };
    let of = |(number, saga): (usize, &crate::workload::saga::Saga)| {
        let runs = sagas.runs_of(number).map(|run| run.place());
        let steps = sagas.records_of(number).map(|record| match record.act {
            Act::Step(run) | Act::Compensate(run) => run.place(),
            Act::Done(fact, _) | Act::Undone(fact, _) => fact.place,
        });
        account(history, saga.key, runs.chain(steps).map(position).collect())
    };
    Ok(sagas.sagas.iter().enumerate().map(of).collect())
}
