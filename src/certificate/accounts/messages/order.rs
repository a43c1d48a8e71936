//! `ordered-delivery`: no message is first processed after a later one was acknowledged.
//!
//! In a lane (a partition of one group, or one ordering key there), a message that was processed had an effect before the first
//! acknowledgement of a higher offset, or its first processing, and everything that can have been it, began before that. A
//! message without an ordering key has no order where others of its partition have one, nor has one that was delivered in
//! several lanes, or without any offset. Cost: n log n.

use std::collections::{HashMap, HashSet};

use super::super::ledger::name;
use super::super::{Account, Shown};
use super::read::{Lane, Message, Share};
use crate::history::Value;

/// A message in a lane.
struct Turn {
    lane: (Value, Lane),
    account: usize,
    lowest: i64,
    highest: i64,
    /// Where its first `ok` ended.
    acknowledged: u32,
    /// Where the first delivery began that was processed; that may have been.
    processed: Option<u32>,
    live: Option<u32>,
    effect: Option<u32>,
}

pub(super) fn rule(messages: &[Message<'_>], accounts: &[Account]) -> Result<Shown, String> {
    let mut turns: Vec<Turn> = Vec::new();
    for (account, message) in messages.iter().enumerate() {
        turns.extend(message.shares.iter().filter_map(|(group, share)| turn(account, *group, share)));
    }
    let partition = |turn: &Turn| (turn.lane.0, turn.lane.1.topic, turn.lane.1.partition);
    let unkeyed = |turn: &Turn| turn.lane.1.ordering_key.is_null();
    let keyed: HashSet<(Value, Value, Value)> = turns.iter().filter(|turn| !unkeyed(turn)).map(partition).collect();
    turns.retain(|turn| !unkeyed(turn) || !keyed.contains(&partition(turn)));
    let mut lanes: HashMap<(Value, Lane), usize> = HashMap::new();
    let mut by_lane: Vec<Vec<&Turn>> = Vec::new();
    for turn in &turns {
        let lane = *lanes.entry(turn.lane).or_insert(by_lane.len());
        if lane == by_lane.len() {
            by_lane.push(Vec::new());
        }
        by_lane[lane].push(turn);
    }
    let (mut compared, mut found) = (0usize, None);
    for lane in &mut by_lane {
        let done = lane.iter().filter(|turn| turn.processed.is_some() || turn.effect.is_some()).count();
        compared += if done > 1 { done } else { 0 };
        // From the highest offset down, with the earliest acknowledgement above.
        lane.sort_by_key(|turn| std::cmp::Reverse(turn.highest));
        let mut above: Vec<&Turn> = lane.clone();
        above.sort_by_key(|turn| std::cmp::Reverse(turn.lowest));
        let (mut above, mut earliest) = (above.into_iter().peekable(), u32::MAX);
        for turn in lane.iter() {
            while let Some(higher) = above.next_if(|higher| higher.lowest > turn.highest) {
                earliest = earliest.min(higher.acknowledged);
            }
            let late = turn.processed.or(turn.live).is_some_and(|began| began > earliest);
            if late && turn.effect.is_none_or(|effect| effect >= earliest) {
                found = found.into_iter().chain([(turn.account, earliest)]).min();
            }
        }
    }
    match found {
        Some((account, earliest)) => Err(format!(
            "{} it may have been first processed after record {earliest} acknowledged a later message",
            name(&accounts[account])
        )),
        None if compared == 0 => {
            Ok(Shown::Nothing("no two messages of one lane were processed: nothing could refute it"))
        }
        None => Ok(Shown::All(format!("{compared} messages were first processed in the order of their offsets"))),
    }
}

fn turn(account: usize, group: Value, share: &Share<'_>) -> Option<Turn> {
    let lane = share.deliveries.first()?.spot.lane;
    if share.deliveries.iter().any(|one| one.spot.lane != lane) {
        return None;
    }
    let offsets = || share.deliveries.iter().filter_map(|one| one.spot.offset);
    let began = |all: &mut dyn Iterator<Item = u32>| all.min();
    Some(Turn {
        lane: (group, lane),
        account,
        lowest: offsets().min()?,
        highest: offsets().max()?,
        acknowledged: share
            .deliveries
            .iter()
            .filter(|one| one.act.ok())
            .map(|one| one.act.ended)
            .min()
            .unwrap_or(u32::MAX),
        processed: began(&mut share.deliveries.iter().filter(|one| one.processed()).map(|one| one.act.began)),
        live: began(&mut share.deliveries.iter().filter(|one| one.live()).map(|one| one.act.began)),
        effect: share.effects.first().map(|(at, _)| *at),
    })
}
