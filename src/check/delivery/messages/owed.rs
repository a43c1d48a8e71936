//! What was published and owed to a group: did it take effect, or was it parked?
//!
//! A group is owed what was published at or after the lowest offset that it was delivered of the partition; what it was
//! delivered itself, it is owed in any case. Cost: messages times the groups of their partitions, under the budget.

use hashbrown::HashMap;

use super::Judge;
use crate::budget::Meter;
use crate::guarantee::Anomaly;
use crate::history::{History, Value};
use crate::verdict::Certainty::{Certain, Possible};
use crate::verdict::StoppedBy;
use crate::witness::accounts::Reason;
use crate::workload::delivery::{Consume, Publish};
use crate::workload::records::Place;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// From where on a group is owed a partition.
struct Floor {
    group: u32,
    offset: i64,
    /// The delivery at that offset.
    place: Place,
    /// A delivery of which nobody knows the offset.
    open: Option<Place>,
}

/// What a group is owed of the message at hand.
#[derive(Clone, Copy)]
struct Due<'a> {
    group: u32,
    sure: bool,
    publish: &'a Publish,
    /// The delivery that shows it, where it is none of the message itself.
    floor: Option<Place>,
}

/// What groups are owed of the message at hand, each once.
struct Dues<'a> {
    due: Vec<Due<'a>>,
    /// For each group: the message at hand when it was added, and where it is in `due`.
    at: Vec<(u32, usize)>,
}

impl<'a> Dues<'a> {
    fn add(&mut self, message: u32, one: Due<'a>) {
        let slot = &mut self.at[one.group as usize];
        if slot.0 != message {
            *slot = (message, self.due.len());
            self.due.push(one);
            return;
        }
        let known = &mut self.due[slot.1];
        let rank = |one: &Due<'_>| (!one.sure, one.floor.is_some(), one.publish.run.ended);
        if rank(&one) < rank(known) {
            *known = one;
        }
    }
}

impl Judge<'_> {
    /// Judges what every group is owed.
    pub(super) fn owed(&mut self, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let delivery = self.delivery;
        let floors = self.floors();
        // For each group, the share of the message at hand.
        let mut shares: Vec<(u32, Option<u32>)> = vec![(u32::MAX, None); delivery.groups.len()];
        let mut dues = Dues { due: Vec::new(), at: vec![(u32::MAX, 0); delivery.groups.len()] };
        for message in (0..).take(delivery.messages.len()) {
            dues.due.clear();
            for &share in delivery.shares_of(message) {
                shares[delivery.shares[share as usize].group as usize] = (message, Some(share));
            }
            for publish in delivery.publishes_of(message).filter(|publish| publish.run.is_ok()) {
                for &share in delivery.shares_of(message) {
                    meter.step()?;
                    if delivery.consumes_of(share).next().is_some() {
                        let group = delivery.shares[share as usize].group;
                        dues.add(message, Due { group, sure: true, publish, floor: None });
                    }
                }
                for floor in floors.get(&(publish.spot.topic, publish.spot.partition)).into_iter().flatten() {
                    meter.step()?;
                    let sure = publish.spot.offset.is_some_and(|offset| offset >= floor.offset);
                    if sure || floor.open.is_some() || publish.spot.offset.is_none() {
                        let shows = floor.open.filter(|_| !sure).unwrap_or(floor.place);
                        dues.add(message, Due { group: floor.group, sure, publish, floor: Some(shows) });
                    }
                }
            }
            for one in &dues.due {
                let (of, share) = shares[one.group as usize];
                self.one(message, one, share.filter(|_| of == message));
            }
        }
        Ok(())
    }

    /// The lowest offset that each group was delivered of each partition.
    fn floors(&self) -> Map<(Value, Value), Vec<Floor>> {
        let delivery = self.delivery;
        let mut floors: Map<(Value, Value), Vec<Floor>> = Map::default();
        let mut index: Map<(Value, Value, u32), usize> = Map::default();
        for (share, of) in (0u32..).zip(&delivery.shares) {
            for consume in delivery.consumes_of(share) {
                let (topic, partition) = (consume.spot.topic, consume.spot.partition);
                let all = floors.entry((topic, partition)).or_default();
                let at = *index.entry((topic, partition, of.group)).or_insert_with(|| {
                    all.push(Floor { group: of.group, offset: i64::MAX, place: consume.run.place(), open: None });
                    all.len() - 1
                });
                let floor = &mut all[at];
                match consume.spot.offset {
                    None => floor.open = floor.open.or(Some(consume.run.place())),
                    Some(offset) if offset < floor.offset => {
                        (floor.offset, floor.place) = (offset, consume.run.place());
                    }
                    Some(_) => {}
                }
            }
        }
        floors
    }

    fn one(&mut self, message: u32, due: &Due<'_>, share: Option<u32>) {
        let delivery = self.delivery;
        self.sums.owed += u64::from(due.sure);
        let recorded = delivery.recorded[due.group as usize];
        let consumes = || share.into_iter().flat_map(|share| delivery.consumes_of(share));
        let live = || consumes().filter(|consume| consume.live());
        let effect = share.is_some_and(|share| delivery.effects_of(share).next().is_some());
        let parked = match share {
            Some(share) => delivery.parked(share).is_some(),
            None => delivery.parked_for_all(message).is_some(),
        };
        let began = live().map(|consume| consume.run.began).min().unwrap_or(u32::MAX);
        // Taken for processed before, when nothing had been delivered: that is no processing.
        let acknowledged =
            |consume: &Consume| consume.processed() || (consume.deduplicated && began < consume.run.ended);
        if effect || parked || (!recorded && consumes().any(acknowledged)) {
            return;
        }
        let drained = delivery.drained(due.publish.spot.topic, due.group);
        let drained = drained.filter(|drained| drained.position > due.publish.run.ended);
        let audit = delivery.audit(due.group).filter(|_| recorded);
        // Each delivery that can have had an effect had it by an audited position, or never.
        let over = |consume: &Consume| {
            let until =
                if consume.run.is_ok() { consume.run.ended } else { drained.map_or(u32::MAX, |one| one.position) };
            audit.is_some_and(|audit| audit.position > until.max(consume.run.began))
                && drained.is_some_and(|drained| drained.position > consume.run.began)
        };
        let sure = due.sure && drained.is_some() && live().all(over);
        let processed = || consumes().find(|consume| consume.processed());
        let deduplicated = || consumes().find(|consume| consume.deduplicated);
        let handled = processed().or_else(|| live().next()).or_else(deduplicated).or_else(|| consumes().next());
        let mut places = vec![due.publish.run.place()];
        places.extend(handled.map(|consume| consume.run.place()).or(due.floor));
        places.extend(drained.map(|drained| drained.place));
        places.extend(audit.filter(|_| sure && live().next().is_some()).map(|audit| audit.place));
        let why = match (drained, handled) {
            (None, _) => Reason::Undrained,
            _ if !due.sure => Reason::Unplaced,
            (_, None) => Reason::Undelivered,
            (_, Some(consume)) if !consume.run.may() => Reason::Rejected,
            (_, Some(consume)) if consume.deduplicated => Reason::Deduplicated,
            (_, Some(consume)) if consume.run.is_ok() => Reason::Acknowledged,
            _ => Reason::Crashed,
        };
        let at = drained.map_or(due.publish.run.ended, |drained| drained.position);
        debug_assert!(due.publish.run.ended != History::NO_POSITION, "an `ok` is a record");
        let what = (Anomaly::LostMessage, if sure { Certain } else { Possible });
        self.tally.add(what, delivery.messages[message as usize].key, at, Some(why), &places);
    }
}
