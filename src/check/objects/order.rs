//! An order of each object's operations that shows it to be linearizable: its blocks, one after the other (see `zones`), where
//! each observation has one writer that it can have seen; else the order that the search had found.
//!
//! Blocks that do not contradict each other stand in order of their lower ends. Of u before v in that order, v before u is
//! asked nowhere: two forward zones do not overlap, a backward zone that begins within a forward one ends after it, and two
//! backward zones ask nothing of each other. Of a forward and a backward zone that begin at one place, the backward one may
//! have to be first. Within a block: cluster after cluster, each its write and then its reads as they began.
//!
//! Of strings that grow, an append of nothing is left out at first: it can stand anywhere that real time allows.
//!
//! Cost: linear, but for the sorts.

use rayon::prelude::*;

use super::resolve::Resolved;
use super::strings::{Strings, Unclear};
use super::values::NONE;
use super::zones::{self, Block};
use crate::certificate::{Claim, Evidence, Order};
use crate::guarantee::Guarantee;
use crate::history::{History, Status};
use crate::workload::register::{Action, Key, Register};

/// Orders that searches found while these objects were judged: see [`crate::verdict::Judgement::orders`].
type Known = [(usize, Vec<u32>)];

/// The orders of a history of registers that was judged linearizable.
pub(in crate::check) fn claim(history: &History, register: &Register, known: &Known) -> Claim {
    claim_of(history, register, known, by_blocks_or)
}

/// The orders of a history of strings that grow, judged likewise.
pub(in crate::check) fn claim_of_strings(history: &History, register: &Register, known: &Known) -> Claim {
    claim_of(history, register, known, |key, known| of_strings(history, key, known))
}

fn claim_of(
    history: &History,
    register: &Register,
    known: &Known,
    order: impl Fn(&Key<'_>, Option<&[u32]>) -> Option<Vec<u32>> + Sync,
) -> Claim {
    let mut searched: Vec<Option<&[u32]>> = vec![None; register.keys()];
    for (number, found) in known {
        if let Some(slot) = searched.get_mut(*number) {
            *slot = Some(found);
        }
    }
    let orders: Vec<Option<Vec<u32>>> =
        (0..register.keys()).into_par_iter().map(|number| order(&register.key(number), searched[number])).collect();
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
    let left = format!("nothing kept an order of {without} keys");
    Claim {
        guarantee: Guarantee::Linearizable.name().to_owned(),
        evidence: Evidence::Orders(found),
        left_out: if without > 0 { vec![left] } else { Vec::new() },
    }
}

/// The operations of one register, by number; where blocks don't tell, those that a search found.
fn by_blocks_or(key: &Key<'_>, searched: Option<&[u32]>) -> Option<Vec<u32>> {
    by_blocks(key)
        .or_else(|| {
            let resolved = Resolved::new(key).filter(|resolved| resolved.hidden.is_empty() && !resolved.ambiguous)?;
            by_blocks(&resolved.key(key))
        })
        .or_else(|| searched.map(<[u32]>::to_vec))
}

/// The operations of one string.
fn of_strings(history: &History, key: &Key<'_>, searched: Option<&[u32]>) -> Option<Vec<u32>> {
    let strings = Strings::new(history, key);
    let mut order = match strings.unclear {
        None => by_blocks_or(&strings.key(key), searched),
        Some(Unclear::Repeated | Unclear::Ambiguous) => searched.map(<[u32]>::to_vec),
        Some(Unclear::Initial | Unclear::TooMany) => None,
    }?;
    let mut had = vec![false; key.len()];
    order.iter().for_each(|op| had[*op as usize] = true);
    let left = (0u32..).zip(&had).filter(|(op, had)| !**had && key.status[*op as usize] == Status::Ok);
    weave(key, &mut order, left.map(|(op, _)| op).collect());
    Some(order)
}

/// Puts operations that ask nothing but real time into an order that keeps it: each behind the last one that ended before it
/// began. (What stands before that one began before that one ended.)
fn weave(key: &Key<'_>, order: &mut Vec<u32>, mut more: Vec<u32>) {
    if more.is_empty() {
        return;
    }
    more.sort_by_key(|op| key.began[*op as usize]);
    let mut ended: Vec<(u32, usize)> = order.iter().map(|op| key.ended[*op as usize]).zip(1..).collect();
    ended.sort_unstable();
    let (mut ended, mut behind) = (ended.into_iter().peekable(), 0);
    let mut woven = Vec::with_capacity(order.len() + more.len());
    for op in more {
        while let Some((_, place)) = ended.next_if(|(ended, _)| *ended < key.began[op as usize]) {
            behind = behind.max(place);
        }
        woven.push((behind, op));
    }
    let mut woven = woven.into_iter().peekable();
    for (place, op) in std::mem::take(order).into_iter().enumerate() {
        while let Some((_, more)) = woven.next_if(|(behind, _)| *behind <= place) {
            order.push(more);
        }
        order.push(op);
    }
    order.extend(woven.map(|(_, op)| op));
}

/// Block after block, where no observed value has two writers.
fn by_blocks(key: &Key<'_>) -> Option<Vec<u32>> {
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
