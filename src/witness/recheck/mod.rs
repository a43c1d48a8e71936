//! Confirms witnesses from the whole history, with code of its own: nothing here is shared with what found them.

pub mod accesses;
pub mod contradiction;
pub mod delivery;
pub mod eventual;
mod facts;
pub mod idempotency;
pub mod list_append;
pub mod objects;
pub mod outbox;
pub mod reconciliation;
pub mod registers;
pub mod revisions;
pub mod saga;
pub mod sessions;
mod shapes;
pub mod staleness;
mod strings;
pub mod updates;

use crate::guarantee::Anomaly;
use crate::history::{History, OpId};
use crate::witness::claim::{Account, Claim, Rule};
use crate::witness::objects::contradiction::Why;

/// Which of these claims the history bears out, each of an anomaly that is certain or only possible.
#[must_use]
pub fn confirm(history: &History, claims: &[(Anomaly, bool, &Claim)]) -> Vec<bool> {
    let lists: Vec<_> = claims.iter().filter_map(|(_, _, claim)| claim.list_append()).collect();
    let circles: Vec<_> = claims.iter().filter_map(|(_, _, claim)| claim.sessions()).collect();
    let mut lists = list_append::confirm(history, &lists).into_iter();
    let mut circles = sessions::confirm(history, &circles).into_iter();
    let one = |(anomaly, certain, claim): &(Anomaly, bool, &Claim)| match claim {
        Claim::ListAppend(of) => lists.next() == Some(true) && *certain && of.anomaly() == *anomaly,
        Claim::Sessions(of) => circles.next() == Some(true) && *certain && of.anomaly == *anomaly,
        Claim::Account(account) => accounts(history, *anomaly, *certain, account),
        _ => *certain && object(history, *anomaly, claim),
    };
    claims.iter().map(one).collect()
}

/// What single operations show, or some operations of one object.
fn object(history: &History, anomaly: Anomaly, claim: &Claim) -> bool {
    let no_order = |operations: &[OpId]| {
        let key = operations.first().map(|op| history.op(*op).key());
        key.is_some_and(|key| objects::no_order(history, key, operations))
    };
    match claim {
        Claim::Stale(of) => staleness::is_stale(history, anomaly, of),
        Claim::Diverged([a, b]) => anomaly == Anomaly::Divergence && eventual::diverged(history, *a, *b),
        Claim::ShowsFailed(read) => anomaly == Anomaly::G1a && eventual::shows_failed(history, *read),
        Claim::SameKnowledge([a, b]) => {
            anomaly == Anomaly::StrongDivergence && eventual::same_knowledge(history, *a, *b)
        }
        Claim::NoOrder { operations, why } => {
            // That nobody wrote a value says that it was not there at first; where that is not known, every value is tried.
            let known =
                || operations.first().is_some_and(|op| objects::initial(history, history.op(*op).key()).is_some());
            let named = match (anomaly, why) {
                (Anomaly::ThinAirRead, Some(Why::FromNowhere { observer })) => {
                    known() && objects::from_nowhere(history, history.op(*observer).key(), *observer)
                }
                (Anomaly::ThinAirRead, _) => false,
                (Anomaly::NonLinearizable, _) => true,
                (Anomaly::G1a, Some(why)) => matches!(why, Why::Failed { .. }),
                // What only real time shows to be too early is no more than non-linearizable.
                (Anomaly::FutureRead, Some(Why::TooEarly { observer, writer })) => {
                    registers::is_of_one_session(history, *observer, *writer)
                }
                (Anomaly::FutureRead, Some(_)) => false,
                (Anomaly::LostUpdate, Some(why)) => matches!(why, Why::ReplacedTwice { .. }),
                // Without a reason, registers show it themselves; of strings, the name is not looked at.
                (Anomaly::G1a | Anomaly::FutureRead | Anomaly::LostUpdate, None) => {
                    !contradiction::is_told(history, operations) || registers::is_named(history, anomaly, operations)
                }
                _ => false,
            };
            let told = |why: &Why| {
                !contradiction::is_told(history, operations) || contradiction::confirms(history, operations, why)
            };
            named && why.as_ref().is_none_or(told) && no_order(operations)
        }
        Claim::Updates(of) => updates::holds(history, anomaly, of),
        Claim::Conflicting { operations, how } => {
            anomaly == Anomaly::ConflictingVersions && revisions::contradict(history, *operations, *how)
        }
        Claim::TwoPlaces { append, gets } => {
            anomaly == Anomaly::NonLinearizable
                && objects::two_places(history, history.op(*append).key(), *append, *gets)
        }
        Claim::ListAppend(_) | Claim::Sessions(_) | Claim::Account(_) => false,
    }
}

fn accounts(history: &History, anomaly: Anomaly, certain: bool, account: &Account) -> bool {
    if !stand(history, &account.records) {
        return false;
    }
    match &account.rule {
        // What it is about, its records say.
        Rule::Idempotency(_) if !account.subject.is_null() => false,
        Rule::Idempotency(terms) => idempotency::confirms(history, terms, anomaly, certain, account),
        Rule::Delivery(terms) => delivery::confirms(history, terms, anomaly, certain, account),
        Rule::Outbox => outbox::confirms(history, anomaly, certain, account),
        Rule::Saga => saga::confirms(history, anomaly, certain, account),
        Rule::Reconciliation { authority } => {
            reconciliation::confirms(history, authority.as_deref(), anomaly, certain, account)
        }
    }
}

/// Whether each of these is a record of an observer, or the last one of an operation, and named once.
fn stand(history: &History, records: &[u32]) -> bool {
    let named = |position: &u32| records.contains(position);
    let acts = history.ops().map(|op| op.position()).filter(named).count();
    let seen = history.observations().iter().map(|seen| seen.position).filter(named).count();
    acts + seen == records.len()
}
