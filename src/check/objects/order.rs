//! An order of each register's operations that shows it to be linearizable: its blocks, one after the other (see `zones`).
//!
//! Blocks that do not contradict each other stand in order of their lower ends. Of u before v in that order, v before u is
//! asked nowhere: two forward zones do not overlap, a backward zone that begins within a forward one ends after it, and two
//! backward zones ask nothing of each other. Of a forward and a backward zone that begin at one place, the backward one may
//! have to be first. Within a block: cluster after cluster, each its write and then its reads as they began.
//!
//! Cost: linear, but for the sorts.

use rayon::prelude::*;

use super::values::NONE;
use super::zones::{self, Block};
use crate::certificate::{Claim, Evidence, Order};
use crate::guarantee::Guarantee;
use crate::history::{History, Status};
use crate::workload::WorkloadError;
use crate::workload::register::{Action, Key, Register};

/// The orders of a history that was judged linearizable. Keys whose order only a search could find are left out.
pub(in crate::check) fn claim(history: &History) -> Result<Claim, WorkloadError> {
    let register = Register::from_history(history)?;
    let orders: Vec<Option<Vec<u32>>> =
        (0..register.keys()).into_par_iter().map(|number| order(&register.key(number))).collect();
    let (mut found, mut without) = (Vec::new(), 0);
    for (number, order) in orders.into_iter().enumerate() {
        let key = register.key(number);
        let name = (!key.name.is_absent()).then(|| history.values().json(key.name, usize::MAX));
        match order {
            Some(order) => {
                let position = |at: &u32| history.op(key.op[*at as usize]).position();
                found.push(Order { key: name, operations: order.iter().map(position).collect() });
            }
            None => without += 1,
        }
    }
    let searched = format!(
        "{without} keys with values that were written more than once: a search found that an order exists, and did not keep it"
    );
    Ok(Claim {
        guarantee: Guarantee::Linearizable.name().to_owned(),
        evidence: Evidence::Orders(found),
        left_out: if without > 0 { vec![searched] } else { Vec::new() },
    })
}

/// The operations of one key, by number.
fn order(key: &Key<'_>) -> Option<Vec<u32>> {
    let (clusters, mut blocks) = zones::blocks(key)?;
    let mut reads: Vec<(u32, u32, u32)> = Vec::new();
    for at in (0..key.len()).filter(|at| key.status[*at] == Status::Ok && key.action[*at] == Action::Read) {
        reads.push((clusters.slots.of(key.value[at]), key.began[at], u32::try_from(at).ok()?));
    }
    reads.sort_unstable();
    let place = |block: &Block| (block.first_end.min(block.last_begin), block.first_end < block.last_begin, block.head);
    blocks.sort_unstable_by_key(place);
    let mut order = Vec::with_capacity(key.len());
    for block in &blocks {
        let mut slot = block.head;
        while slot != NONE {
            let writer = clusters.slots.writer[slot as usize];
            order.extend((writer != NONE).then_some(writer));
            let first = reads.partition_point(|read| read.0 < slot);
            order.extend(reads[first..].iter().take_while(|read| read.0 == slot).map(|read| read.2));
            slot = clusters.next.get(slot as usize).copied().unwrap_or(NONE);
        }
    }
    Some(order)
}
