//! The kinds of evidence, and which file looks at which.

use serde::{Deserialize, Serialize};

use super::accounts::{self, Accounts};
use super::agreement::{self, Agreement};
use super::arbitration::{self, Writes};
use super::convergence::{self, Convergence};
use super::staleness::{self, Staleness};
use super::{Beside, Certificate, Claim, Ruling, commits, registers};
use crate::history::History;

/// What shows that a guarantee holds. In JSON, an object of one field, whose name is the kind: `{"commit-order": [3, 1, 5]}`;
/// `"absent"` where there is none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Evidence {
    /// None: the claim's `left_out` says why.
    Absent,
    /// An order in which the operations of each key can have taken effect.
    Orders(Vec<Order>),
    /// One order of all transactions, by position: each commits after those before it.
    CommitOrder(Vec<u32>),
    /// What became of each key, message, event, saga or system, and the policy that it is read by.
    Accounts(Accounts),
    /// Orders of all writes, of which one for everybody, or one for each session or read, explains what reads show.
    Arbitrations(Vec<Writes>),
    /// Bounds on how stale reads are.
    Staleness(Staleness),
    /// The writes whose values are there in the end.
    Convergence(Convergence),
    /// Which reads had seen the same, beside that.
    Agreement(Agreement),
    /// The name of a guarantee that implies this one, and that is claimed beside it.
    FollowsFrom(String),
    /// The name of a guarantee that is claimed beside this one: the evidence of that claim, looked through for this one too.
    SameAs(String),
}

/// Operations in an order in which they can have taken effect.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The key that all are of, as JSON; may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The positions of their completions; of their invocations, where they have none.
    pub operations: Vec<u32>,
}

impl Evidence {
    /// Whether there is some, and it does not need another claim to be proved.
    #[must_use]
    pub fn stands_by_itself(&self) -> bool {
        !matches!(self, Evidence::Absent | Evidence::FollowsFrom(_))
    }

    /// What becomes of the claim by its own evidence; nothing where it rests on another claim.
    pub(crate) fn rule(&self, beside: &Beside<'_>, certificate: &Certificate, claim: &Claim) -> Option<Ruling> {
        Some(match self {
            Evidence::Absent => Ruling::Unproved(
                claim.left_out.first().cloned().unwrap_or_else(|| "the certificate has no evidence for it".to_owned()),
            ),
            Evidence::Orders(orders) => registers::rule(beside.history, certificate, claim, orders),
            Evidence::CommitOrder(order) => commits::rule(beside, certificate, claim, order),
            Evidence::Accounts(accounts) => accounts::rule(beside.history, certificate, claim, accounts),
            Evidence::Arbitrations(orders) => arbitration::rule(beside, certificate, claim, orders),
            Evidence::Staleness(bounds) => staleness::rule(beside, certificate, claim, bounds),
            Evidence::Convergence(end) => convergence::rule(beside, certificate, claim, end),
            Evidence::Agreement(agreement) => agreement::rule(beside, certificate, claim, agreement),
            Evidence::FollowsFrom(_) => return None,
            Evidence::SameAs(name) => {
                let mut carriers = certificate.claims.iter().filter(|other| other.guarantee == *name);
                match carriers.find(|other| other.evidence.is_carried()) {
                    Some(carrier) => return carrier.evidence.rule(beside, certificate, claim),
                    None => Ruling::Refused(format!(
                        "its evidence is to be that of {name}, which the certificate has none for"
                    )),
                }
            }
        })
    }

    /// Whether it is given here, not by the name of another claim.
    pub(crate) fn is_carried(&self) -> bool {
        self.stands_by_itself() && !matches!(self, Evidence::SameAs(_))
    }
}

/// That records name the server's revisions, which may tell more of an order than such evidence goes by.
pub(super) fn by_revision(history: &History) -> Result<(), Ruling> {
    match history.has_versions() && history.ops().all(|op| op.mops().is_empty()) {
        false => Ok(()),
        true => Err(Ruling::Unproved(
            "records name the server's revisions (`version`), and such evidence does not go by these".to_owned(),
        )),
    }
}

/// Evidence of a kind that does not show this guarantee of such histories.
pub(super) fn other(certificate: &Certificate, claim: &Claim) -> Ruling {
    Ruling::Unproved(format!("such evidence does not show {} of {} histories", claim.guarantee, certificate.workload))
}
