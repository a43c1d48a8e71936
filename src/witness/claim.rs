//! What a witness claims, as data: what `recheck` confirms from the history alone, now or from a report later.
//!
//! In memory a claim names operations by their ids. In JSON it names them by position, as all of a report does, and the one value
//! that some claims are about stands beside it, or the elements of a set: `{"sessions": {...}}`, `{"account": {...}, "value": "order-7"}`,
//! `{"updates": {...}, "values": [7]}`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::accounts::Reason;
use super::objects::contradiction::Why;
use super::recheck::revisions::Contradiction;
use super::recheck::{delivery, idempotency};
use super::sessions::Access;
use super::{list_append, sessions, staleness, updates};
use crate::history::{History, OpId, Value};

/// What a witness claims.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Claim {
    /// Of transactions over lists.
    ListAppend(list_append::Claim),
    /// Of what sessions have to see.
    Sessions(sessions::Claim),
    /// A read missed what it had to show.
    Stale(staleness::Claim),
    /// Two final reads of a key can't both be right.
    Diverged([Access; 2]),
    /// A final read shows what failed.
    ShowsFailed(Access),
    /// Two reads had seen the same, and differ.
    SameKnowledge([Access; 2]),
    /// Operations of one object that no order explains.
    NoOrder {
        /// The operations.
        operations: Vec<OpId>,
        /// How they contradict each other, where a few sentences say that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Why>,
    },
    /// Two gets (or one) show an appended text in two places.
    TwoPlaces {
        /// The append.
        append: OpId,
        /// The gets.
        gets: [OpId; 2],
    },
    /// Of reads of sets and counters.
    Updates(updates::Claim),
    /// The servers' own revisions of one register contradict each other.
    Conflicting {
        /// The operations, in order of invocation.
        operations: [OpId; 2],
        /// In which way.
        how: Contradiction,
    },
    /// Of requests, messages, events, sagas and systems: what the records of one of them come to.
    Account(Account),
}

/// What the records of one subject come to, by a rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The rule's vocabulary, with its terms.
    pub rule: Rule,
    /// Which of several reasons the rule had, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Reason>,
    /// What it is about; null where the records tell. In JSON it is the `value` beside the claim.
    #[serde(skip, default = "nothing")]
    pub subject: Value,
    /// The records, by position.
    pub records: Vec<u32>,
}

/// Whose rules an account is read by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// Idempotency keys, by a policy.
    Idempotency(idempotency::Terms),
    /// Messages.
    Delivery(delivery::Terms),
    /// Outboxes.
    Outbox,
    /// Sagas.
    Saga,
    /// Systems that should agree.
    Reconciliation {
        /// The system that is right.
        authority: Option<String>,
    },
}

fn nothing() -> Value {
    Value::NULL
}

/// The operations of a history by position.
#[derive(Debug)]
pub struct Places(HashMap<u32, OpId>);

impl Places {
    /// Those of a history. Cost: a pass over it.
    #[must_use]
    pub fn of(history: &History) -> Places {
        Places(history.ops().map(|op| (op.position(), op.id)).collect())
    }
}

impl Claim {
    pub(super) fn list_append(&self) -> Option<&list_append::Claim> {
        if let Claim::ListAppend(claim) = self { Some(claim) } else { None }
    }

    pub(super) fn sessions(&self) -> Option<&sessions::Claim> {
        if let Claim::Sessions(claim) = self { Some(claim) } else { None }
    }

    /// Every operation that it names, wherever it does.
    fn operations_mut(&mut self) -> Vec<&mut OpId> {
        match self {
            Claim::ListAppend(claim) => claim.operations_mut(),
            Claim::Sessions(claim) => claim.operations_mut(),
            Claim::Stale(claim) => claim.operations_mut(),
            Claim::Diverged(reads) | Claim::SameKnowledge(reads) => reads.iter_mut().map(|read| &mut read.op).collect(),
            Claim::ShowsFailed(read) => vec![&mut read.op],
            Claim::NoOrder { operations, why } => {
                let named = why.iter_mut().flat_map(Why::operations_mut);
                operations.iter_mut().chain(named).collect()
            }
            Claim::TwoPlaces { append, gets } => std::iter::once(append).chain(gets).collect(),
            Claim::Updates(claim) => claim.operations_mut(),
            Claim::Conflicting { operations, .. } => operations.iter_mut().collect(),
            Claim::Account(_) => Vec::new(),
        }
    }

    fn value_mut(&mut self) -> Option<&mut Value> {
        match self {
            Claim::ListAppend(claim) => claim.value_mut(),
            Claim::Account(account) => Some(&mut account.subject),
            _ => None,
        }
    }

    /// The positions of the operations or records that it names, each once, in order.
    #[must_use]
    pub fn positions(&self, history: &History) -> Vec<u32> {
        let mut all: Vec<u32> = match self {
            Claim::Account(account) => account.records.clone(),
            _ => self.clone().operations_mut().into_iter().map(|op| history.op(*op).position()).collect(),
        };
        all.sort_unstable();
        all.dedup();
        all
    }

    /// As reports have it.
    #[must_use]
    pub fn to_json(&self, history: &History) -> Json {
        let mut told = self.clone();
        for op in told.operations_mut() {
            *op = OpId(history.op(*op).position());
        }
        let value = told.value_mut().copied();
        let mut json = serde_json::to_value(&told).unwrap_or(Json::Null);
        if let (Some(value), Some(fields)) = (value, json.as_object_mut()) {
            let text = history.values().json(value, usize::MAX);
            fields.insert("value".to_owned(), serde_json::from_str(&text).unwrap_or(Json::Null));
        }
        if let (Claim::Updates(claim), Some(fields)) = (&told, json.as_object_mut())
            && !claim.elements.is_empty()
        {
            let parsed = |value: &Value| serde_json::from_str(&history.values().json(*value, usize::MAX));
            let elements = claim.elements.iter().map(|value| parsed(value).unwrap_or(Json::Null));
            fields.insert("values".to_owned(), elements.collect());
        }
        json
    }

    /// What a report claims of a history.
    ///
    /// # Errors
    /// It is no claim, or names what the history does not have.
    pub fn from_json(json: &Json, history: &History, places: &Places) -> Result<Claim, String> {
        let mut json = json.clone();
        let value = json.as_object_mut().and_then(|fields| fields.shift_remove("value"));
        let values = json.as_object_mut().and_then(|fields| fields.shift_remove("values"));
        let mut claim: Claim = serde_json::from_value(json).map_err(|error| format!("it is no claim: {error}"))?;
        for op in claim.operations_mut() {
            let known = places.0.get(&op.0);
            *op = *known.ok_or_else(|| format!("it names record {}, where no operation has its end", op.0))?;
        }
        let unknown = |value: &Json| format!("it is about {value}, which the history does not have");
        match (&mut claim, values) {
            (Claim::Updates(claim), Some(Json::Array(values))) => {
                let known = |value: &Json| history.values().named(value).ok_or_else(|| unknown(value));
                claim.elements = values.iter().map(known).collect::<Result<_, _>>()?;
            }
            (_, None) => {}
            (_, Some(_)) => return Err("it has `values`, and is about none".to_owned()),
        }
        match (claim.value_mut(), value) {
            (Some(place), Some(value)) => {
                let known = history.values().named(&value);
                *place = known.ok_or_else(|| unknown(&value))?;
            }
            (None, None) => {}
            (Some(_), None) => return Err("it does not say which `value` it is about".to_owned()),
            (None, Some(_)) => return Err("it is about no `value`, and has one".to_owned()),
        }
        Ok(claim)
    }
}
