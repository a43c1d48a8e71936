//! What an order of commits has to lead forward beside ww and wr, so that it shows a guarantee: orders of the versions that nobody
//! read, as far as the guarantee depends on them.

use super::scope::Scope;
use super::{at_most_one_rw, conflicts, events, local_choices, updates};
use crate::budget::Meter;
use crate::check::transactions::list_append::commits::in_a_row;
use crate::check::transactions::list_append::versions::Versions;
use crate::check::transactions::orders::{Choice, Level, Orders, choose};
use crate::graph::{Edge, Part, Relations};
use crate::guarantee::Guarantee;
use crate::verdict::StoppedBy;
use crate::workload::list_append::ListAppend;

/// All transactions that happened.
#[derive(Clone, Copy)]
pub(in crate::check::transactions::list_append) struct Whole<'a> {
    pub(in crate::check::transactions::list_append) typed: &'a ListAppend<'a>,
    pub(in crate::check::transactions::list_append) versions: &'a Versions,
    pub(in crate::check::transactions::list_append) part: &'a Part,
    /// Over the whole history.
    pub(in crate::check::transactions::list_append) choices: &'a [Choice],
}

impl<'a> Whole<'a> {
    /// The orders that are left to choose, by local number.
    pub(in crate::check::transactions::list_append) fn choices(&self) -> Vec<Choice> {
        local_choices(self.part, self.choices)
    }

    fn scope(&self, meter: &mut Meter<'_>) -> Result<Scope<'a>, StoppedBy> {
        Scope::new(self.typed, self.versions, self.part, meter)
    }
}

/// Steps, by local number, that any order which leads them and the data forward keeps the guarantee with; none, if there are none such.
pub(in crate::check::transactions::list_append) fn led_forward(
    whole: &Whole<'_>,
    guarantee: Guarantee,
    meter: &mut Meter<'_>,
) -> Result<Option<Vec<Edge>>, StoppedBy> {
    use Guarantee as G;
    let choices = whole.choices();
    let orders = match guarantee {
        G::UpdateSerializable => {
            let graph = updates::between_writers(&whole.scope(meter)?);
            let mut steps = crate::check::transactions::dependencies::edges_of(&graph);
            let Orders::Possible(orders) = at_most_one_rw(&graph, &choices, meter) else { return Ok(None) };
            // What one writer missed of another comes after it.
            steps.retain(|step| step.from < graph.real() && step.relations.contains(Relations::WW));
            steps.extend(in_a_row(&orders));
            return Ok(Some(steps));
        }
        _ if choices.is_empty() => return Ok(Some(Vec::new())),
        G::ConsistentView | G::ForwardConsistentView | G::ParallelSnapshotIsolation => {
            match choose(&whole.part.graph, Relations::NONE, &choices, Level::ParallelSnapshotIsolation, meter) {
                Orders::Possible(orders) => orders,
                Orders::Impossible(_) => return Ok(None),
                Orders::Unknown(by) => return Err(by),
            }
        }
        G::MonotonicView => match events::orders(&whole.scope(meter)?, meter)? {
            Some(orders) => orders,
            None => return Ok(None),
        },
        G::CursorStability | G::UpdateAtomic => {
            let forced = conflicts::forced(&whole.scope(meter)?, guarantee == G::CursorStability, meter)?;
            let step = |(from, to): (u32, u32)| Edge { from, to, relations: Relations::WW };
            return Ok(Some(forced.into_iter().map(step).collect()));
        }
        _ => return Ok(Some(Vec::new())),
    };
    Ok(Some(in_a_row(&orders)))
}

/// An order of commits in which each transaction's snapshots advance.
pub(in crate::check::transactions::list_append) fn advancing_snapshots(
    whole: &Whole<'_>,
    meter: &mut Meter<'_>,
) -> Result<Vec<u32>, StoppedBy> {
    events::commits(&whole.scope(meter)?, meter)
}

/// From whoever left the version below a transaction's own appends that it read.
pub(in crate::check::transactions::list_append) fn below_own_appends(
    whole: &Whole<'_>,
    meter: &mut Meter<'_>,
) -> Result<Vec<Edge>, StoppedBy> {
    Ok(below(&whole.scope(meter)?))
}

/// Reads that end with own appends show a version too, which the graph has as ww only.
pub(super) fn below(scope: &Scope<'_>) -> Vec<Edge> {
    let mut below: Vec<Edge> = Vec::new();
    for local in scope.members() {
        let writers = scope.reads(scope.name(local)).filter(|read| read.version.own > 0);
        let writers = writers.filter_map(|read| scope.member(read.writer));
        below.extend(writers.map(|from| Edge { from, to: local, relations: Relations::WR }));
    }
    below
}
