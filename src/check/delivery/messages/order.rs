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
use crate::workload::records::Place;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A share, as far as order goes.
struct Turn {
    lane: u32,
    share: usize,
    /// The lowest and the highest offset at which it was delivered.
    offsets: (i64, i64),
    /// Where its first `ok` ended: what is lower may not begin after that.
    acknowledged: Option<(u32, Place)>,
    /// Where the first delivery began that was processed.
    processed: Option<(u32, Place)>,
    /// Where the first delivery began that may have been.
    live: Option<(u32, Place)>,
    /// The first effect.
    effect: Option<(u32, Place)>,
}

impl Judge<'_> {
    /// Judges every lane.
    pub(super) fn order(&mut self) {
        let mut turns = self.turns();
        turns.sort_by_key(|turn| (turn.lane, Reverse(turn.offsets.0), turn.share));
        for lane in turns.chunk_by(|a, b| a.lane == b.lane) {
            let done = lane.iter().filter(|turn| turn.processed.is_some() || turn.effect.is_some()).count();
            if done > 1 {
                self.sums.comparable += done as u64;
            }
            let mut victims: Vec<&Turn> = lane.iter().collect();
            victims.sort_by_key(|turn| (Reverse(turn.offsets.1), turn.share));
            let mut higher = lane.iter().peekable();
            let mut earliest: Option<(u32, Place)> = None;
            for turn in victims {
                while let Some(above) = higher.next_if(|above| above.offsets.0 > turn.offsets.1) {
                    earliest = earliest.into_iter().chain(above.acknowledged).min_by_key(|(ended, _)| *ended);
                }
                if let Some(above) = earliest {
                    self.turn(turn, above);
                }
            }
        }
    }

    /// A higher offset was acknowledged at `above`.
    fn turn(&mut self, turn: &Turn, above: (u32, Place)) {
        let (ended, higher) = above;
        let after = |position: Option<(u32, Place)>| position.filter(|(position, _)| *position > ended);
        if turn.effect.is_some_and(|(position, _)| position < ended) {
            return;
        }
        let (Some((began, place)), all_after) = (
            match turn.processed {
                Some(_) => after(turn.processed),
                None => after(turn.live),
            },
            after(turn.live).is_some(),
        ) else {
            return;
        };
        let done = turn.processed.is_some() || turn.effect.is_some();
        let sure = if all_after && done { Certain } else { Possible };
        let mut places = vec![higher, place];
        if turn.processed.is_none() {
            places.extend(turn.effect.map(|(_, place)| place));
        }
        let message = self.delivery.shares[turn.share].message as usize;
        let name = self.delivery.messages[message].key;
        self.tally.add((Anomaly::DeliveryInversion, sure), name, began, "", &places);
    }

    fn turns(&self) -> Vec<Turn> {
        let delivery = self.delivery;
        let mut lanes: Map<(u32, Value, Value, Value), u32> = Map::default();
        let mut keyed: Map<(u32, Value, Value), ()> = Map::default();
        let mut turns = Vec::new();
        let mut unkeyed: Vec<(usize, (u32, Value, Value))> = Vec::new();
        for (share, of) in delivery.shares.iter().enumerate() {
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
            let ok = delivery.consumes_of(share).filter(|consume| consume.run.is_ok());
            let live = delivery.consumes_of(share).filter(|consume| consume.live());
            turns.push(Turn {
                lane,
                share,
                offsets: (low, high),
                acknowledged: ok.map(|consume| (consume.run.ended, consume.run.place())).min(),
                processed: live
                    .clone()
                    .filter(|consume| consume.processed())
                    .map(|consume| (consume.run.began, consume.run.place()))
                    .min(),
                live: live.map(|consume| (consume.run.began, consume.run.place())).min(),
                effect: delivery.effects_of(share).next().map(|effect| (effect.fact.position, effect.fact.place)),
            });
        }
        if !keyed.is_empty() {
            let mut dropped = vec![false; turns.len()];
            for (turn, partition) in unkeyed {
                dropped[turn] = keyed.contains_key(&partition);
            }
            let mut dropped = dropped.into_iter();
            turns.retain(|_| !dropped.next().unwrap_or(false));
        }
        turns
    }
}
