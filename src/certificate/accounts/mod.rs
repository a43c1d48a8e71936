//! Accounts: what became of each key, message, event, saga or system, record by record, and under which policy.
//!
//! An account is all that the history has of one of them, in order of position; what can be read in several ways has a
//! [`Role`], and what needs an explanation names the record that is it. To look through them is to ask three things: is every
//! record that matters in exactly one account, is it there by its own word (its key, its event, ...), and does the account
//! read as the policy allows. `ledger` asks the first, a file for each vocabulary the other two: each states its guarantee's
//! rule once more, from the definition of its vocabulary, and knows nothing of the check.
//!
//! Nothing is proved of what is only likely: where a record leaves open what it belongs to, or a clock what came first, an
//! account is refused that would have to guess. Cost: linear, n log n where versions or offsets are put in order.

mod contents;
mod idempotency;
mod ledger;
mod messages;
mod outbox;
mod reconciliation;
mod saga;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::evidence::other;
use super::{Certificate, Claim, Ruling};
use crate::contract::Policy;
use crate::guarantee::Guarantee;
use crate::history::History;

/// Accounts, and the policy that they are read by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// Every term that has a value, as a contract writes it: `{"ttl": "24h"}`. It is part of what is claimed.
    pub policy: BTreeMap<String, String>,
    /// Of each key, message, event, saga or system.
    pub accounts: Vec<Account>,
}

/// All records of one key, message, event, saga or system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its name, as JSON; of a repair its number. A reader goes by it, so it has to be right.
    pub of: String,
    /// In order of position.
    pub entries: Vec<Entry>,
}

/// One record, or one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The position of the record; of an operation its completion's, its invocation's where it has none.
    pub at: u32,
    /// How it is read, where there is a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Role>,
    /// The position of what explains it, where something has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<u32>,
}

impl Entry {
    /// Of a record that needs no explanation.
    #[must_use]
    pub fn plain(at: u32) -> Entry {
        Entry { at, is: None, by: None }
    }
}

/// How an attempt with an idempotency key is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// What was done for the key can have been done for this attempt, and all answers agree with its payload.
    Executed,
    /// Refused because of another attempt, in flight: `by`.
    InFlight,
    /// Refused because of another attempt, with another payload: `by`.
    Mismatch,
}

/// What became of the claim.
pub(super) fn rule(history: &History, certificate: &Certificate, claim: &Claim, accounts: &Accounts) -> Ruling {
    let Some(guarantee) = Guarantee::named(&claim.guarantee) else { return other(certificate, claim) };
    let pairs = accounts.policy.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let policy = match Policy::read(guarantee, pairs) {
        Ok(policy) => policy,
        Err(error) => return Ruling::Refused(format!("its policy can't be: {error}")),
    };
    let ruled = match (certificate.workload.as_str(), guarantee) {
        ("idempotency", Guarantee::Idempotent) => idempotency::rule(history, &policy, &accounts.accounts),
        (
            "delivery",
            Guarantee::AtLeastOnce | Guarantee::AtMostOnce | Guarantee::EffectivelyOnce | Guarantee::OrderedDelivery,
        ) => messages::rule(history, guarantee, &policy, &accounts.accounts),
        ("outbox", Guarantee::Outbox) => outbox::rule(history, &policy, &accounts.accounts),
        ("saga", Guarantee::Saga) => saga::rule(history, &accounts.accounts),
        ("reconciliation", Guarantee::Reconciled) => reconciliation::rule(history, &policy, &accounts.accounts),
        _ => return other(certificate, claim),
    };
    if let Some(left) = claim.left_out.first() {
        return Ruling::Unproved(left.clone());
    }
    let terms: Vec<String> =
        policy.settings().iter().map(|one| format!("{}={}", one.parameter.name, one.text)).collect();
    match ruled {
        Ok(Shown::All(what)) if terms.is_empty() => Ruling::Proved(what),
        Ok(Shown::All(what)) => Ruling::Proved(format!("by the policy {}: {what}", terms.join(", "))),
        Ok(Shown::Nothing(why)) => Ruling::Unproved(why.to_owned()),
        Err(why) => Ruling::Refused(why),
    }
}

/// What accounts that are in order show.
enum Shown {
    /// The guarantee: in numbers.
    All(String),
    /// Nothing: why.
    Nothing(&'static str),
}
