//! Certificates: why a guarantee holds, as something that can be looked through by itself.
//!
//! A certificate ([`Certificate`], `anachron.certificate/1`) names one history by its [`digest()`] and carries [`Evidence`] for each
//! guarantee; operations are named by the positions that reports use. [`verify()`] goes through it once, with the history beside it
//! and nothing else: it shares no code with what found it. It reads a report, too: its witnesses (`report`), and what they come to
//! (`verdicts`).
//!
//! | evidence | for | what is looked at | file |
//! |---|---|---|---|
//! | `orders` | `linearizable`, of registers and of strings that grow: an order for each key | each ok operation once, real time, each value that was there | `registers` |
//! | `commit-order` | isolation of transactions over lists: all of them | each ok one once, session order or real time, each list, and what a read misses | `commits` |
//! | `accounts` | idempotency, delivery, outbox, saga, reconciliation: of each key, message, event, saga, system | each record in one account, each account by the policy | `accounts` |
//! | `arbitrations` | guarantees of sessions, and causal ones of registers: orders of the writes | each write that happened once, what each read had to see | `arbitration` |
//! | `staleness` | `bounded-staleness`: the bounds | by how much each read is certainly stale, anew | `staleness` |
//! | `convergence` | `eventual`: the write of what is there in the end | the final reads of each key at each server, and what they had to show | `convergence` |
//! | `agreement` | `strong-eventual`: which reads had seen the same | what each read's record says, and that all of a group show the same; and convergence | `agreement` |
//! | `follows-from` | what a stronger guarantee implies | that the other claim is proved, and that the lattice says so | `follows` |
//! | `same-as` | what evidence of another claim shows, too | that evidence, as if it stood here | `evidence` |
//!
//! Why that is enough: a legal order of all that certainly happened and of some that may have is the definition itself, and a
//! history of objects is linearizable exactly when each object's part is (Herlihy and Wing 1990). Cost: linear, but for the
//! digest's text, which is as long as the history.
//!
//! # A new kind of evidence
//!
//! Evidence is what the definition of a guarantee says that there is; all else is looked up in the history. A kind is
//! 1. a variant of [`Evidence`] with what it carries, in a file of its own here, with `rule(history, certificate, claim, ...) -> Ruling`: what
//!    it does not show (another workload, another guarantee) is [`Ruling::Unproved`], the first step that fails [`Ruling::Refused`];
//! 2. a line in `Evidence::rule` and in the table above;
//! 3. a line in `check/certify.rs`, which asks the family's check for it;
//! 4. its shape in `certificate.schema.json`, and a shipped history whose guarantees it shows (`tests/certificate`).

mod accesses;
mod accounts;
mod agreement;
mod arbitration;
mod beside;
mod commits;
mod compare;
mod convergence;
mod digest;
mod evidence;
mod follows;
mod numbers;
mod places;
mod registers;
mod report;
mod schema;
mod staleness;
mod terms;
mod verdicts;
mod versions;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::history::History;

pub use accounts::{Account, Accounts, Entry, Role};
pub use agreement::Agreement;
pub use arbitration::Writes;
pub use beside::Beside;
pub use convergence::Convergence;
pub use digest::{Outline, digest, identify, times};
pub use evidence::{Evidence, Order};
pub use schema::schema;
pub use staleness::{Bound, Staleness};
pub use terms::header;

/// What certificates call their format.
pub const SCHEMA: &str = "anachron.certificate/1";

/// Tables of what is not dense; never walked through where the order would be seen.
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
type Set<K> = HashSet<K, foldhash::fast::RandomState>;

/// Evidence that a history keeps guarantees.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`SCHEMA`].
    pub schema: String,
    /// The [`digest()`] of the history.
    pub history: String,
    /// By which `verify` says where another history differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Outline>,
    /// The name of the vocabulary that the history is read as.
    pub workload: String,
    /// What its reader was told beside the bytes: with these words another one reads it as the same history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Json>,
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
    /// What shows it.
    pub evidence: Evidence,
    /// What there is no evidence for, in words.
    pub left_out: Vec<String>,
}

impl Claim {
    /// Without evidence: why.
    #[must_use]
    pub fn without_evidence(guarantee: &str, why: String) -> Claim {
        Claim { guarantee: guarantee.to_owned(), evidence: Evidence::Absent, left_out: vec![why] }
    }
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

/// What can be gone through with a history beside it.
#[derive(Debug)]
pub enum Document {
    /// A certificate.
    Certificate(Certificate),
    /// A report in JSON, with its witnesses.
    Report(Json),
}

impl Document {
    /// What its writer's reader was told beside the history's bytes.
    #[must_use]
    pub fn reading(&self) -> Option<&Json> {
        match self {
            Document::Certificate(certificate) => certificate.reading.as_ref(),
            Document::Report(report) => report.pointer("/histories/0/reading"),
        }
    }

    /// Goes through it: one line for each claim, or each anomaly.
    ///
    /// # Errors
    /// A report that is not of one history.
    pub fn verify(&self, history: &History) -> Result<Vec<Line>, String> {
        match self {
            Document::Certificate(certificate) => Ok(verify_certificate(history, certificate)),
            Document::Report(report) => report::verify(history, report),
        }
    }
}

/// Goes through a certificate, or the witnesses of a report in JSON, with the history beside it.
///
/// # Errors
/// What is neither: why.
pub fn verify(history: &History, text: &str) -> Result<Vec<Line>, String> {
    read(text)?.verify(history)
}

/// Reads a certificate, or a report in JSON.
///
/// # Errors
/// What is neither: why.
pub fn read(text: &str) -> Result<Document, String> {
    let head: Head = match serde_json::from_str(text) {
        Ok(head) => head,
        // JSON, and nothing that could say what it is.
        Err(error) if error.is_data() => Head { schema: None },
        Err(error) => return Err(unreadable(&error)),
    };
    match head.schema.as_deref() {
        Some(SCHEMA) => {
            let certificate = serde_json::from_str(text).map_err(|error| format!("no {SCHEMA}: {error}"))?;
            Ok(Document::Certificate(certificate))
        }
        Some(report::SCHEMA) => {
            let report = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
            Ok(Document::Report(report))
        }
        Some(other) => {
            Err(format!("this version reads {SCHEMA} and {}, and this says it is {other:?}", report::SCHEMA))
        }
        None => Err(format!("this is neither {SCHEMA} nor {}: it has no `schema`", report::SCHEMA)),
    }
}

/// What a document says that it is.
#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
}

/// Why a document is none. (What is nested deeper than the reader goes is a record's value in a report: certificates nest a few deep.)
fn unreadable(error: &serde_json::Error) -> String {
    if error.to_string().starts_with("recursion limit") {
        return format!(
            "values are nested more than 127 deep (line {}), and `verify` reads no deeper, so that no document can exhaust its stack. A \
             certificate (`check --certificate`) never nests that deep; of a report with such records, nothing can be verified",
            error.line()
        );
    }
    format!("this is no JSON: {error}")
}

/// What becomes of a claim by its own evidence, of a history that is read as this vocabulary.
#[must_use]
pub fn rule(history: &History, workload: &str, claim: &Claim) -> Ruling {
    Beside::new(history).rule(workload, claim)
}

/// Goes through a certificate with the history beside it: one line for each claim.
#[must_use]
pub fn verify_certificate(history: &History, certificate: &Certificate) -> Vec<Line> {
    // Mostly it is the certificate's history: the claims are gone through while that is found out.
    let ((found, outline), lines) = rayon::join(|| identify(history), || lines(history, certificate));
    let refused = |why: String| vec![Line { subject: "history".to_owned(), ruling: Ruling::Refused(why) }];
    if found != certificate.history {
        let differs = certificate.outline.as_ref().map(|of| digest::difference(history, of));
        let differs = differs.filter(|text| !text.is_empty()).map_or_else(String::new, |text| text + "; ");
        let digests = format!("its digest is {}, and this one's {found}", certificate.history);
        return refused(format!("the certificate is of another history: {differs}{digests}"));
    }
    if certificate.outline.as_ref().is_some_and(|of| *of != outline) {
        return refused("the certificate's digest is this history's, and its outline is another one's".to_owned());
    }
    lines
}

fn lines(history: &History, certificate: &Certificate) -> Vec<Line> {
    // What stands by itself comes first: others may follow from it.
    let beside = Beside::new(history);
    let own: Vec<Option<Ruling>> =
        certificate.claims.iter().map(|claim| claim.evidence.rule(&beside, certificate, claim)).collect();
    let ruled = |(claim, ruling): (&Claim, &Option<Ruling>)| Line {
        subject: claim.guarantee.clone(),
        ruling: ruling.clone().unwrap_or_else(|| follows::rule(certificate, claim, &own)),
    };
    certificate.claims.iter().zip(&own).map(ruled).collect()
}
