//! Certificates: why a guarantee holds, as something that can be looked through by itself.
//!
//! A certificate ([`Certificate`], `anachron.certificate/1`) names one history by its [`digest`] and carries, for each guarantee,
//! orders of operations, by the positions that reports use. [`verify()`] goes through them once, with the history beside it and
//! nothing else: it shares no code with what found them. It reads a report's witnesses, too.
//!
//! | guarantee | evidence | what is looked at |
//! |---|---|---|
//! | `linearizable`, of registers | an order for each key | each ok operation once, real time, each value that was there |
//! | `serializable` and its forms, of lists | one order of all transactions | each ok one once, session order or real time, each list |
//!
//! Why that is enough: a legal order of all that certainly happened and of some that may have is the definition itself, and a
//! history of objects is linearizable exactly when each object's part is (Herlihy and Wing 1990). Cost: linear, but for the
//! digest's text, which is as long as the history.

mod digest;
mod places;
mod registers;
mod report;
mod serial;

use serde::{Deserialize, Serialize};

use crate::history::History;

pub use digest::digest;

/// What certificates call their format.
pub const SCHEMA: &str = "anachron.certificate/1";

/// Evidence that a history keeps guarantees.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`SCHEMA`].
    pub schema: String,
    /// The [`digest`] of the history.
    pub history: String,
    /// What is claimed, in the order in which it was required.
    pub claims: Vec<Claim>,
}

impl Certificate {
    /// As JSON on one line: the same bytes for the same history.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a certificate has only strings and numbers") + "\n"
    }
}

/// That one guarantee holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its name.
    pub guarantee: String,
    /// Orders that show it.
    pub orders: Vec<Order>,
    /// What no order is given for, in words.
    pub left_out: Vec<String>,
}

/// Operations in an order in which they can have taken effect.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The key that all are of, as JSON, for the reader; absent where there is one object, or all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The positions of their completions; of their invocations, where they have none.
    pub operations: Vec<u32>,
}

/// What became of one claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// It follows from the history: why.
    Proved(String),
    /// It may be so, and this doesn't show it: why.
    Unproved(String),
    /// It does not hold as it stands: the first step that fails.
    Refused(String),
}

/// A claim, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The guarantee, or the anomaly.
    pub subject: String,
    /// What became of it.
    pub ruling: Ruling,
}

/// Goes through a certificate, or the witnesses of a report in JSON, with the history beside it.
///
/// # Errors
/// What is neither: why.
pub fn verify(history: &History, text: &str) -> Result<Vec<Line>, String> {
    let document: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
    match document.get("schema").and_then(serde_json::Value::as_str) {
        Some(SCHEMA) => {
            let certificate = serde_json::from_value(document).map_err(|error| format!("no {SCHEMA}: {error}"))?;
            Ok(verify_certificate(history, &certificate))
        }
        Some(report::SCHEMA) => report::verify(history, &document),
        Some(other) => {
            Err(format!("this version reads {SCHEMA} and {}, and this says it is {other:?}", report::SCHEMA))
        }
        None => Err(format!("this is neither {SCHEMA} nor {}: it has no `schema`", report::SCHEMA)),
    }
}

/// Goes through a certificate with the history beside it: one line for each claim.
#[must_use]
pub fn verify_certificate(history: &History, certificate: &Certificate) -> Vec<Line> {
    let found = digest(history);
    if found != certificate.history {
        let why = format!("the certificate is of another history: its digest is {}, and this one's {found}", {
            &certificate.history
        });
        return vec![Line { subject: "history".to_owned(), ruling: Ruling::Refused(why) }];
    }
    let rule = |claim: &Claim| match claim.guarantee.as_str() {
        "linearizable" => registers::rule(history, claim),
        "serializable" => serial::rule(history, claim, serial::Form::Plain),
        "strong-session-serializable" => serial::rule(history, claim, serial::Form::Session),
        "strict-serializable" => serial::rule(history, claim, serial::Form::Strict),
        _ => Ruling::Unproved("this version has no certificate for it".to_owned()),
    };
    certificate.claims.iter().map(|claim| Line { subject: claim.guarantee.clone(), ruling: rule(claim) }).collect()
}
