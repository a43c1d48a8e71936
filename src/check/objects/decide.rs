//! One key, by the cheapest way that is exact: zones where each value is written once, zones again where repeated values
//! can be resolved, then the search engine.

use super::proof::{Proof, Proofs, Shape};
use super::registers::{Item, Registers};
use super::resolve::Resolved;
use super::strings::Unclear;
use super::zones::{self, Undecided};
use crate::budget::Budget;
use crate::guarantee::Anomaly;
use crate::history::Status;
use crate::search::{Answer, Operation, search};
use crate::verdict::StoppedBy;
use crate::witness::Minimality;
use crate::workload::register::Key;

/// What is known of one key.
pub(super) struct Decision {
    /// Contradictions, the best of each kind, with their counts. Each is certain, whatever else is undecided. What is shown
    /// of them is first made small: [`super::settle::settle`].
    pub(super) proofs: Vec<(Proof, u64)>,
    pub(super) method: Method,
    /// Why the search could not tell, where it could not.
    pub(super) doubt: Option<Doubt>,
    /// The order that the search found, if it did: operations by number.
    pub(super) order: Option<Vec<u32>>,
}

/// How a key was decided.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Zones,
    Search,
}

/// Why the search could not tell.
pub(super) enum Doubt {
    /// A limit ended it: how many of the key's completions were placed in order.
    Stopped { by: StoppedBy, placed: u32, of: u32 },
    /// So many operations at one time.
    TooWide(u32),
    /// Strings that do not show which appends made them.
    Unclear(Unclear),
}

impl Decision {
    /// Undecided: the strings do not tell.
    pub(super) fn unclear(why: Unclear) -> Decision {
        Decision { proofs: Vec::new(), method: Method::Search, doubt: Some(Doubt::Unclear(why)), order: None }
    }

    /// With one proof more.
    pub(super) fn with(mut self, proof: Proof) -> Decision {
        self.proofs.push((proof, 1));
        self
    }
}

/// Decides one key.
pub(super) fn decide(key: &Key<'_>, budget: &Budget) -> Decision {
    let first = zones::decide(key);
    let by_zones = |proofs| Decision { proofs, method: Method::Zones, doubt: None, order: None };
    if first.undecided.is_none() || !first.proofs.is_empty() {
        return by_zones(first.proofs);
    }
    if matches!(first.undecided, Some(Undecided::Repeated))
        && let Some(resolved) = Resolved::new(key)
    {
        let second = zones::decide(&resolved.key(key));
        let mut proofs = Proofs::default();
        let found = second.proofs.into_iter().map(|(proof, _)| proof);
        for mut proof in resolved.hidden.iter().cloned().chain(found) {
            proof.minimality = Minimality::Bounded;
            proof.repeated = true;
            proofs.add(key, proof);
        }
        if !proofs.found.is_empty() || !resolved.ambiguous {
            return by_zones(proofs.found);
        }
    }
    by_search(key, budget)
}

/// Decides one key by search alone: exact for any register, and what the cheaper ways have to agree with.
pub(super) fn by_search(key: &Key<'_>, budget: &Budget) -> Decision {
    let (mut spec, operations, origins) = all_of(key);
    let (mut proofs, mut doubt, mut order) = (Vec::new(), None, None);
    match search(&operations, &mut spec, &mut budget.meter()) {
        Answer::Order(found) => order = Some(found.into_iter().map(|at| origins[at as usize]).collect()),
        Answer::Dead(dead) => {
            let shape = Shape::Searched {
                dead: origins[dead.operation as usize],
                scarce: dead.scarce.iter().map(|at| origins[*at as usize]).collect(),
                states: dead.states.iter().map(|state| spec.value(*state)).collect(),
            };
            proofs.push((Proof::new(Anomaly::NonLinearizable, shape, &[]), 1));
        }
        Answer::Stopped { by, placed, of } => doubt = Some(Doubt::Stopped { by, placed, of }),
        Answer::TooWide(lanes) => doubt = Some(Doubt::TooWide(lanes)),
    }
    Decision { proofs, method: Method::Search, doubt, order }
}

fn all_of(key: &Key<'_>) -> (Registers, Vec<Operation>, Vec<u32>) {
    let items: Vec<Item> = (0u32..)
        .take(key.len())
        .filter(|op| key.status[*op as usize] != Status::Fail)
        .map(|op| Item { op, blind: false })
        .collect();
    Registers::new(key, &items)
}
