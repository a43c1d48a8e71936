//! Whether a cycle of dependencies is one that a weaker guarantee forbids: by the anomaly's definition, step by step.
//!
//! That each step holds is confirmed elsewhere; here is only what kinds of steps there are, and which micro-operations meet in a
//! transaction. A step to a later version stands for one to the next version and ww steps from there.

use crate::guarantee::Anomaly;
use crate::witness::list_append::{Dependency, Why};

/// The anomalies whose steps may lead to any later version.
pub(super) fn may_skip_versions(anomaly: Anomaly) -> bool {
    use Anomaly::{
        CausalityViolation, CausalityViolationProcess, FracturedRead, FracturedReadProcess, GCursor, GMonotonic, GMsr,
        GUpdate, NonMonotonicRead, NonPrefixRead, NonPrefixReadProcess, UnseenConflict,
    };
    matches!(
        anomaly,
        CausalityViolation
            | CausalityViolationProcess
            | FracturedRead
            | FracturedReadProcess
            | GCursor
            | GMonotonic
            | GMsr
            | GUpdate
            | NonMonotonicRead
            | NonPrefixRead
            | NonPrefixReadProcess
            | UnseenConflict
    )
}

fn is_rw(step: &Dependency) -> bool {
    matches!(step.why, Why::ReadWrite { .. })
}

fn is_wr(step: &Dependency) -> bool {
    matches!(step.why, Why::WriteRead(_))
}

fn is_ww(step: &Dependency) -> bool {
    matches!(step.why, Why::WriteWrite { .. } | Why::Supposed { .. })
}

/// The place of the read that a rw step leaves, among its transaction's micro-operations.
fn leaves(step: &Dependency) -> Option<u32> {
    match step.why {
        Why::ReadWrite { read, .. } => Some(read.index),
        _ => None,
    }
}

/// The place of the micro-operation at which a step of data enters its transaction.
fn enters(step: &Dependency) -> Option<u32> {
    match step.why {
        Why::WriteRead(shown) => Some(shown.read.index),
        Why::WriteWrite { later, .. } | Why::Supposed { later, .. } => Some(later.index),
        _ => None,
    }
}

/// Whether a cycle is of this type. `only_reads`: whether the transaction that a step leaves appends nothing.
pub(super) fn is_shape(anomaly: Anomaly, steps: &[Dependency], only_reads: impl Fn(&Dependency) -> bool) -> bool {
    let count = |kind: fn(&Dependency) -> bool| steps.iter().filter(|step| kind(step)).count();
    let is_process = |step: &Dependency| step.why == Why::Process;
    let process = steps.iter().any(is_process);
    let (all, rw, wr, ww) = (steps.len(), count(is_rw), count(is_wr), count(is_ww));
    let data = rw + wr + ww == all;
    // Each rw step, and the one before it.
    let pairs = || (0..all).filter(|at| is_rw(&steps[*at])).map(|at| (&steps[(at + all - 1) % all], &steps[at]));
    let in_program = |(before, step): (&Dependency, &Dependency)| enters(before) <= leaves(step);
    match anomaly {
        Anomaly::NonMonotonicRead => {
            all == 2 && rw == 1 && wr == 1 && pairs().all(|(before, step)| enters(before) < leaves(step))
        }
        Anomaly::FracturedRead => all == 2 && rw == 1 && wr == 1,
        Anomaly::FracturedReadProcess => all == 2 && rw == 1 && process,
        Anomaly::CausalityViolation => rw == 1 && wr == all - 1,
        Anomaly::CausalityViolationProcess => {
            rw == 1 && process && steps.iter().all(|step| is_rw(step) || is_wr(step) || is_process(step))
        }
        Anomaly::NonPrefixRead => data && pairs().all(|(before, _)| is_wr(before)),
        Anomaly::NonPrefixReadProcess => {
            let known = steps.iter().all(|step| is_rw(step) || is_wr(step) || is_ww(step) || is_process(step));
            known && process && pairs().all(|(before, _)| is_wr(before) || is_process(before))
        }
        Anomaly::UnseenConflict => all == 2 && rw == 1 && ww == 1,
        Anomaly::GCursor => all == 2 && rw == 1 && ww == 1 && pairs().all(one_key_read_first),
        Anomaly::GMonotonic => data && rw == 1 && pairs().all(in_program),
        Anomaly::GMsr => data && pairs().all(|pair| is_wr(pair.0) && in_program(pair)),
        Anomaly::GUpdate => data && steps.iter().filter(|step| only_reads(step)).count() <= 1,
        _ => false,
    }
}

/// Whether the step before leads to a write of the transaction after the read (that both are of one key, the caller confirms).
fn one_key_read_first((before, step): (&Dependency, &Dependency)) -> bool {
    enters(before) > leaves(step)
}
