//! The `delivery` vocabulary: a broker's messages, and what their consumers made of them.
//!
//! `publish` and `consume` are operations; observers' records are `effect`, `dead-letter`, `drained` and `audit`. A *message*
//! is all that has one key, or one `dedupe-id` where publications give one: of these, other payloads are other messages. What
//! a consumer group has to do with a message is a *share*, and most is judged there. Where a delivery leaves out its topic,
//! partition, offset or ordering key, the publication tells. Cost: linear in records.

mod read;
mod seen;

use hashbrown::HashMap;

use super::records::{Fact, Grouped, Run};
use crate::history::Value;

pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Where in the broker's log a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    /// The topic, or null.
    pub topic: Value,
    /// The partition, or null.
    pub partition: Value,
    /// The offset in it.
    pub offset: Option<i64>,
    /// The ordering key, or null.
    pub ordering_key: Value,
}

impl Spot {
    const NOWHERE: Spot = Spot { topic: Value::NULL, partition: Value::NULL, offset: None, ordering_key: Value::NULL };

    /// Takes from another what this one leaves open.
    fn complete(&mut self, other: &Spot) {
        for (ours, theirs) in [
            (&mut self.topic, other.topic),
            (&mut self.partition, other.partition),
            (&mut self.ordering_key, other.ordering_key),
        ] {
            if ours.is_null() {
                *ours = theirs;
            }
        }
        self.offset = self.offset.or(other.offset);
    }
}

/// One publication of a message.
#[derive(Clone, Copy, Debug)]
pub struct Publish {
    /// When, and whether.
    pub run: Run,
    /// Where.
    pub spot: Spot,
}

/// One delivery of a message to a consumer.
#[derive(Clone, Copy, Debug)]
pub struct Consume {
    /// When, and what came of it: `ok` is acknowledged, `fail` rejected, `info` crashed.
    pub run: Run,
    /// Of what.
    pub spot: Spot,
    /// The how manieth it is, by its own word.
    pub attempt: Option<i64>,
    /// Acknowledged as processed before.
    pub deduplicated: bool,
    /// Whether its beginning is recorded.
    pub invoked: bool,
}

impl Consume {
    /// Whether it may have had an effect: it was neither rejected nor taken for processed before.
    #[must_use]
    pub fn live(&self) -> bool {
        self.run.may() && !self.deduplicated
    }

    /// Whether it says that it was processed now.
    #[must_use]
    pub fn processed(&self) -> bool {
        self.run.is_ok() && !self.deduplicated
    }
}

/// One effect, at its first record.
#[derive(Clone, Copy, Debug)]
pub struct Effect {
    /// The record.
    pub fact: Fact,
    /// Its identity.
    pub id: Value,
}

/// A record that a message was parked.
#[derive(Clone, Copy, Debug)]
pub struct Parked {
    /// The record.
    pub fact: Fact,
    /// The topic that it was parked from, or null.
    pub topic: Value,
}

/// What a group has to do with a message.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The message.
    pub message: u32,
    /// The group.
    pub group: u32,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// The key by which it was met first.
    pub key: Value,
}

/// A history of messages, deliveries and effects.
#[derive(Debug)]
pub struct Delivery {
    /// In order of first appearance.
    pub messages: Vec<Message>,
    /// The groups' names, in order of first appearance; null for the one without a name.
    pub groups: Vec<Value>,
    /// In order of first appearance.
    pub shares: Vec<Share>,
    /// In order of beginning.
    pub publishes: Vec<Publish>,
    /// In order of beginning.
    pub consumes: Vec<Consume>,
    /// In order of position, each identity of a share once.
    pub effects: Vec<Effect>,
    /// For each group: whether its effects are recorded, by an effect or by an audit that says so.
    pub recorded: Vec<bool>,
    /// Whether an observer's record is written as its fact happens.
    pub synchronous: bool,
    /// Records of effects whose identity was there already.
    pub repeated_effects: u64,
    publishes_of: Grouped,
    shares_of: Grouped,
    consumes_of: Grouped,
    effects_of: Grouped,
    /// The first records that messages were parked for every group, and shares for theirs: few are.
    parked_messages: Map<u32, Parked>,
    parked_shares: Map<u32, Parked>,
    /// By topic and group, null for all: the last record that nothing is waiting or in flight.
    drained: Map<(Value, Value), Fact>,
    /// For each group: the last complete audit of its effects.
    audits: Vec<Option<Fact>>,
}

impl Delivery {
    /// The publications of a message, in order of beginning.
    pub fn publishes_of(&self, message: u32) -> impl Iterator<Item = &Publish> + Clone {
        self.publishes_of.of(message as usize).iter().map(|at| &self.publishes[*at as usize])
    }

    /// The shares of a message.
    #[must_use]
    pub fn shares_of(&self, message: u32) -> &[u32] {
        self.shares_of.of(message as usize)
    }

    /// The deliveries of a share, in order of beginning.
    pub fn consumes_of(&self, share: u32) -> impl Iterator<Item = &Consume> + Clone {
        self.consumes_of.of(share as usize).iter().map(|at| &self.consumes[*at as usize])
    }

    /// The effects of a share, in order of position.
    pub fn effects_of(&self, share: u32) -> impl DoubleEndedIterator<Item = &Effect> + Clone {
        self.effects_of.of(share as usize).iter().map(|at| &self.effects[*at as usize])
    }

    /// The last record that nothing of a topic is waiting or in flight for a group.
    #[must_use]
    pub fn drained(&self, topic: Value, group: u32) -> Option<Fact> {
        let group = self.groups[group as usize];
        let of = |topic, group| self.drained.get(&(topic, group)).copied();
        [of(topic, group), of(topic, Value::NULL), of(Value::NULL, group), of(Value::NULL, Value::NULL)]
            .into_iter()
            .flatten()
            .max_by_key(|fact| fact.position)
    }

    /// The last record that every effect of a group up to there is in the history.
    #[must_use]
    pub fn audit(&self, group: u32) -> Option<Fact> {
        self.audits[group as usize]
    }

    /// Where a message was parked for the group of this share.
    #[must_use]
    pub fn parked(&self, share: u32) -> Option<Parked> {
        let all = self.parked_for_all(self.shares[share as usize].message);
        self.parked_shares.get(&share).copied().into_iter().chain(all).min_by_key(|parked| parked.fact.position)
    }

    /// Where a message was parked for every group.
    #[must_use]
    pub fn parked_for_all(&self, message: u32) -> Option<Parked> {
        self.parked_messages.get(&message).copied()
    }

    /// Whether the history has publications at all: without them, nobody knows who published what.
    #[must_use]
    pub fn has_publishes(&self) -> bool {
        !self.publishes.is_empty()
    }
}
