//! What a transaction saw and yet missed: monotonic-atomic-view, read-atomic, causal.
//!
//! The axioms (`axioms`) infer that whoever is seen by a reader and wrote an object comes before the version of it that the reader
//! returned. Here the order of versions is known as far as anybody read them, so an inference either repeats it, or says that the
//! reader missed a later version of somebody whom it saw: then no commit order is left. And where there is no such
//! reader, every order that session order (where it counts), wr and ww lead forward satisfies the axiom; there is one, because
//! read-committed (strong-session-read-committed) holds.
//!
//! Exact. Cost: O(n^1.5), and O(n k) for causal with k chains, under the meter; nothing is built for a cycle, it is read off the reader.

use super::scope::Scope;
use super::{Judged, Shown};
use crate::budget::Meter;
use crate::check::transactions::axioms::{Axiom, Inferred, infer};
use crate::check::transactions::list_append::explain::Explainer;
use crate::check::transactions::view::INITIAL;
use crate::check::transactions::weak::{CommitStep, Why, way};
use crate::guarantee::Anomaly;
use crate::history::OpId;
use crate::verdict::StoppedBy;
use crate::witness::Minimality;
use crate::witness::list_append::{Claim, Dependency, Why as Because};

/// Readers of which the way is looked for; the shortest is shown.
const CANDIDATES: usize = 16;

/// Judges an axiom. `shorter`: whether axioms are known to hold that forbid all cycles of two transactions.
pub(super) fn judge(
    scope: &Scope<'_>,
    axiom: Axiom,
    shorter: bool,
    meter: &mut Meter<'_>,
) -> Result<Judged, StoppedBy> {
    let mut missing = vec![false; scope.view.len() as usize];
    let mut candidates: Vec<Inferred> = Vec::new();
    infer(&scope.view, axiom, meter, &mut |inferred| {
        let known = &mut missing[inferred.reader as usize];
        if !*known && candidates.len() < CANDIDATES {
            candidates.push(inferred);
        }
        *known = true;
    })?;
    let mut best: Option<(Inferred, Vec<CommitStep>)> = None;
    for candidate in candidates {
        let steps = way(&scope.view, axiom, candidate.before, candidate.reader, meter)?;
        if best.as_ref().is_none_or(|best| steps.len() < best.1.len()) {
            best = Some((candidate, steps));
        }
    }
    let Some((inferred, steps)) = best else { return Ok(Judged::Holds) };
    let in_session = steps.iter().any(|step| step.why == Why::Session);
    let anomaly = match (axiom, in_session) {
        (Axiom::MonotonicAtomicView | Axiom::ReadCommittedBiswasEnea, _) => Anomaly::NonMonotonicRead,
        (Axiom::ReadAtomic | Axiom::ReadAtomicBiswasEnea, false) => Anomaly::FracturedRead,
        (Axiom::ReadAtomicBiswasEnea | Axiom::ReadAtomic, true) => Anomaly::FracturedReadProcess,
        (Axiom::Causal | Axiom::CausalCerone, false) => Anomaly::CausalityViolation,
        (Axiom::Causal | Axiom::CausalCerone, true) => Anomaly::CausalityViolationProcess,
    };
    let minimum = steps.len() == 1 || (steps.len() == 2 && shorter);
    let count = missing.iter().filter(|missing| **missing).count() as u64;
    Ok(Judged::Violated(Shown {
        anomaly,
        count,
        claim: claim(scope, anomaly, inferred, &steps),
        minimality: if minimum { Minimality::Minimum } else { Minimality::Bounded },
    }))
}

fn claim(scope: &Scope<'_>, anomaly: Anomaly, inferred: Inferred, way: &[CommitStep]) -> Option<Claim> {
    let explainer = Explainer { typed: scope.typed, versions: scope.versions };
    let name = |local: u32| if local == INITIAL { INITIAL } else { scope.name(local) };
    let (seen, reader) = (name(inferred.before), name(inferred.reader));
    let members: Vec<u32> = way.iter().map(|step| name(step.from)).chain([reader]).collect();
    let mut steps: Vec<Dependency> = Vec::with_capacity(way.len() + 1);
    for step in way {
        let (from, to) = (name(step.from), name(step.to));
        steps.push(match step.why {
            Why::Session => Dependency { from: OpId(from), to: OpId(to), why: Because::Process },
            // The first read that shows it: what a later one misses, it misses after having seen it.
            _ => scope.reads(to).find_map(|read| explainer.saw(to, read.mop, from))?,
        });
    }
    let returned = name(inferred.after);
    let read = scope.reads(reader).filter(|read| read.key == inferred.key && read.writer == returned).last()?;
    steps.push(explainer.missed(reader, read.mop, seen, &members)?);
    explainer.circle(anomaly, steps, &members)
}
