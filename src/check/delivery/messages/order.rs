//! Order: is a message first processed after a later one was?
//!
//! A *lane* is what has one order: a partition in a group, or there one ordering key, where its messages have any (those
//! without one then have no order). A share is inverted where everything that can have been its first processing began after
//! the `ok` of a higher offset, and no effect of it was there by then. Cost: n log n.

use std::cmp::Reverse;

use hashbrown::HashMap;

use super::Judge;
use crate::guarantee::Anomaly;
use crate::history::Value;
use crate::verdict::Certainty::{Certain, Possible};
use crate::workload::delivery::Spot;
use crate::workload::records::{Grouped, Place};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A share, as far as order goes.
struct Turn {
    lane: u32,
    share: u32,
    /// The lowest and the highest offset at which it was delivered.
    offsets: (i64, i64),
}

impl Judge<'_> {
    /// Judges every lane.
    pub(super) fn order(&mut self) {
        let (lanes, turns) = self.turns();
        let lane_of: Vec<u32> = turns.iter().map(|turn| turn.lane).collect();
        let of_lane = Grouped::new(lanes, &lane_of);
        let turn = |at: &u32| &turns[*at as usize];
        for lane in 0..lanes {
            // Shares come as they were delivered, which is mostly from the lowest offset up: that is sorted in one go.
            let mut lower = of_lane.of(lane).to_vec();
            lower.sort_by_key(|at| (Reverse(turn(at).offsets.0), turn(at).share));
            let done = lower.iter().filter(|at| self.processed(turn(at)).or(self.effect(turn(at))).is_some()).count();
            if done > 1 {
                self.sums.comparable += done as u64;
            }
            let mut victims = lower.clone();
            victims.sort_by_key(|at| (Reverse(turn(at).offsets.1), turn(at).share));
            let mut higher = lower.iter().map(turn).peekable();
            let mut earliest: Option<(u32, Place)> = None;
            for turn in victims.iter().map(turn) {
                while let Some(above) = higher.next_if(|above| above.offsets.0 > turn.offsets.1) {
                    let acknowledged = self.acknowledged(above);
                    earliest = earliest.into_iter().chain(acknowledged).min_by_key(|(ended, _)| *ended);
                }
                if let Some(above) = earliest {
                    self.turn(turn, above);
                }
            }
        }
    }

    /// Where its first `ok` ended: what is lower may not begin after that.
    fn acknowledged(&self, turn: &Turn) -> Option<(u32, Place)> {
        let ok = self.delivery.consumes_of(turn.share).filter(|consume| consume.run.is_ok());
        ok.map(|consume| (consume.run.ended, consume.run.place())).min()
    }

    /// Where the first delivery began that was processed.
    fn processed(&self, turn: &Turn) -> Option<(u32, Place)> {
        let processed = self.delivery.consumes_of(turn.share).filter(|consume| consume.processed());
        processed.map(|consume| (consume.run.began, consume.run.place())).min()
    }

    /// Where the first delivery began that may have been.
    fn live(&self, turn: &Turn) -> Option<(u32, Place)> {
        let live = self.delivery.consumes_of(turn.share).filter(|consume| consume.live());
        live.map(|consume| (consume.run.began, consume.run.place())).min()
    }

    /// The first effect.
    fn effect(&self, turn: &Turn) -> Option<(u32, Place)> {
        self.delivery.effects_of(turn.share).next().map(|effect| (effect.fact.position, effect.fact.place))
    }

    /// A higher offset was acknowledged at `above`.
    fn turn(&mut self, turn: &Turn, above: (u32, Place)) {
        let (ended, higher) = above;
        let after = |position: Option<(u32, Place)>| position.filter(|(position, _)| *position > ended);
        let effect = self.effect(turn);
        if effect.is_some_and(|(position, _)| position < ended) {
            return;
        }
        let (processed, live) = (self.processed(turn), self.live(turn));
        let Some((began, place)) = after(if processed.is_some() { processed } else { live }) else { return };
        let all_after = after(live).is_some();
        let done = processed.is_some() || effect.is_some();
        let sure = if all_after && done { Certain } else { Possible };
        let mut places = vec![higher, place];
        if processed.is_none() {
            places.extend(effect.map(|(_, place)| place));
        }
        let message = self.delivery.shares[turn.share as usize].message as usize;
        let name = self.delivery.messages[message].key;
        self.tally.add((Anomaly::DeliveryInversion, sure), name, began, None, &places);
    }

    /// How many lanes there are, and all turns, in the order of the shares.
    fn turns(&self) -> (usize, Vec<Turn>) {
        let delivery = self.delivery;
        let mut lanes: Map<(u32, Value, Value, Value), u32> = Map::default();
        let mut keyed: Map<(u32, Value, Value), ()> = Map::default();
        let mut turns = Vec::new();
        let mut unkeyed: Vec<(usize, (u32, Value, Value))> = Vec::new();
        for (share, of) in (0u32..).zip(&delivery.shares) {
            let mut spots = delivery.consumes_of(share).map(|consume| consume.spot);
            let Some(first) = spots.next() else { continue };
            let same = |spot: &Spot| Spot { offset: None, ..*spot } == Spot { offset: None, ..first };
            if !spots.all(|spot| same(&spot)) {
                continue;
            }
            let offsets = || delivery.consumes_of(share).filter_map(|consume| consume.spot.offset);
            let (Some(low), Some(high)) = (offsets().min(), offsets().max()) else { continue };
            let partition = (of.group, first.topic, first.partition);
            if first.ordering_key.is_null() {
                unkeyed.push((turns.len(), partition));
            } else {
                keyed.insert(partition, ());
            }
            let next = u32::try_from(lanes.len()).unwrap_or(u32::MAX);
            let lane = *lanes.entry((of.group, first.topic, first.partition, first.ordering_key)).or_insert(next);
            turns.push(Turn { lane, share, offsets: (low, high) });
        }
        if !keyed.is_empty() {
            let mut dropped = vec![false; turns.len()];
            for (turn, partition) in unkeyed {
                dropped[turn] = keyed.contains_key(&partition);
            }
            let mut dropped = dropped.into_iter();
            turns.retain(|_| !dropped.next().unwrap_or(false));
        }
        (lanes.len(), turns)
    }
}
