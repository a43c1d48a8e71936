//! `linearizable`: each order is one of all the operations of one key, and keeps time and values.

use std::collections::{HashMap, HashSet};

use super::{Deed, Op, Story};

/// Whether these orders, each of positions, are legal together.
pub(crate) fn linearizable(story: &Story, orders: &[Vec<u32>]) -> bool {
    let ops: Option<Vec<Vec<&Op>>> = orders
        .iter()
        .map(|order| order.iter().map(|position| story.at(*position).map(|at| &story.ops[at])).collect())
        .collect();
    let Some(ops) = ops else { return false };
    let mut there: HashSet<u32> = HashSet::new();
    let once = ops.iter().flatten().all(|op| there.insert(op.position));
    let all = story.ops.iter().filter(|op| op.ok).all(|op| there.contains(&op.position));
    let key = |op: &&Op| op.steps.first().map(|step| step.key.clone());
    let mut keys = HashSet::new();
    let apart = ops.iter().all(|order| {
        order.first().is_none_or(|first| keys.insert(key(first)) && order.iter().all(|op| key(op) == key(first)))
    });
    let timely =
        |order: &Vec<&Op>| (0..order.len()).all(|at| order[..at].iter().all(|before| !order[at].precedes(before)));
    once && all && apart && ops.iter().all(|order| timely(order) && replayed(order))
}

fn replayed(order: &[&Op]) -> bool {
    let mut state: HashMap<&str, Vec<String>> = HashMap::new();
    order.iter().flat_map(|op| &op.steps).all(|step| match &step.deed {
        Deed::Write(value) => {
            state.insert(&step.key, vec![value.clone()]);
            true
        }
        Deed::Read(shown) => state.get(step.key.as_str()).map_or(&[][..], Vec::as_slice) == shown.as_slice(),
    })
}
