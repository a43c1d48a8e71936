//! A serial order of the transactions that happened: a topological order of their dependencies.

use super::Evidence;
use super::versions::Versions;
use crate::certificate::{self, Claim};
use crate::graph::{Relations, topological};
use crate::guarantee::Guarantee;
use crate::history::{History, OpId};
use crate::workload::WorkloadError;
use crate::workload::list_append::ListAppend;

/// The order of a history that was judged to keep one of the forms of serializability.
pub(in crate::check) fn claim(history: &History, guarantee: Guarantee) -> Result<Claim, WorkloadError> {
    let typed = ListAppend::from_history(history)?;
    let (versions, _) = Versions::infer(&typed);
    let graph = Evidence::gather(&typed, &versions).graph.explicit();
    let data = Relations::WW | Relations::WR | Relations::RW;
    let base = match guarantee {
        Guarantee::StrictSerializable => data | Relations::PROCESS | Relations::REALTIME,
        Guarantee::StrongSessionSerializable => data | Relations::PROCESS,
        _ => data,
    };
    let happened = |vertex: &u32| versions.happened.get(*vertex as usize).copied().unwrap_or(false);
    let order = topological(&graph, base);
    let operations = order.into_iter().filter(happened).map(|id| history.op(OpId(id)).position()).collect();
    Ok(Claim {
        guarantee: guarantee.name().to_owned(),
        evidence: certificate::Evidence::CommitOrder(operations),
        left_out: Vec::new(),
    })
}
