//! From records to messages, shares and what belongs to them: publications first, since they tell what a key is.

use super::seen::{Seen, seen};
use super::{Consume, Delivery, Effect, Map, Message, Parked, Publish, Share, Spot};
use crate::history::{History, Operation, Status, Value, Values};
use crate::workload::WorkloadError;
use crate::workload::fields::{Fields, or_null};
use crate::workload::numbers::Numbers;
use crate::workload::payload::Payloads;
use crate::workload::records::{Fact, Grouped, Run, stranger, synchronous};

/// What a key stands for.
#[derive(Clone, Copy)]
struct Key {
    message: u32,
    /// Where its publication put it.
    spot: Spot,
    /// Whether several publications put it in several places: then none of them tells a delivery's.
    scattered: bool,
}

struct Reader<'a> {
    history: &'a History,
    keys: Vec<Key>,
    keys_by_name: Numbers,
    dedupe: Map<(Value, Option<u32>), u32>,
    groups_by_name: Numbers,
    /// Of each message the share that came first, or [`NONE`]: most have no other.
    first_share: Vec<u32>,
    /// All other shares, by message and group.
    other_shares: Map<(u32, u32), u32>,
    messages: Vec<Message>,
    groups: Vec<Value>,
    shares: Vec<Share>,
    publishes: Vec<Publish>,
    publish_owner: Vec<u32>,
    consumes: Vec<Consume>,
    consume_owner: Vec<u32>,
    /// Each with its message and the group that it names.
    effects: Vec<(u32, Value, Effect)>,
    /// Each with its message and the group that it names.
    parked: Vec<(u32, Value, Parked)>,
    payloads: Payloads,
    functions: Fields<6>,
    published: Fields<6>,
    consumed: Fields<8>,
}

/// By topic and group, and by group: the last record that nothing is waiting, and that every effect is recorded.
type Ends = (Map<(Value, Value), Fact>, Map<Value, Fact>);

impl Delivery {
    /// Reads the vocabulary.
    ///
    /// # Errors
    /// An operation that is none of the vocabulary's, a message without a key, an offset that is no integer, an effect
    /// without identity, or one that could be of several groups.
    pub fn from_history(history: &History) -> Result<Delivery, WorkloadError> {
        let (reader, (drained, audits)) = Reader::read(history)?;
        reader.finish(drained, &audits)
    }

    /// The number of the message that each key stands for.
    ///
    /// # Errors
    /// As [`Delivery::from_history`].
    pub fn message_of_key(history: &History) -> Result<impl Fn(Value) -> Option<u32>, WorkloadError> {
        let (Reader { keys, keys_by_name, .. }, _) = Reader::read(history)?;
        Ok(move |key| keys_by_name.get(key).map(|at| keys[at as usize].message))
    }
}

impl<'a> Reader<'a> {
    fn read(history: &'a History) -> Result<(Reader<'a>, Ends), WorkloadError> {
        let (reader, seen) = rayon::join(|| Reader::operations(history), || seen(history));
        let mut reader = reader?;
        let mut drained: Map<(Value, Value), Fact> = Map::default();
        let mut audits: Map<Value, Fact> = Map::default();
        for Seen { number, fact, topic, group, complete, id, dedupe } in seen {
            match number {
                0 => reader.effect(fact, group, id, dedupe)?,
                1 => {
                    let message = reader.message(fact.key, fact.position)?;
                    reader.parked.push((message, group, Parked { fact, topic }));
                }
                2 => _ = drained.insert((topic, group), fact),
                _ if complete == Value::TRUE => _ = audits.insert(group, fact),
                _ => {}
            }
        }
        Ok((reader, (drained, audits)))
    }

    /// Publications, and then deliveries.
    fn operations(history: &'a History) -> Result<Reader<'a>, WorkloadError> {
        let mut reader = Reader::new(history);
        for op in history.ops() {
            match reader.function(&op) {
                Some(PUBLISH) => reader.publish(&op)?,
                Some(_) => {}
                None => {
                    let help = "operations are `publish` and `consume`; observers' records are `effect`, `dead-letter`, \
                                `drained` and `audit`";
                    return Err(stranger(history, &op, "delivery", help));
                }
            }
        }
        for op in history.ops() {
            if reader.function(&op) == Some(CONSUME) {
                reader.consume(&op)?;
            }
        }
        Ok(reader)
    }

    fn new(history: &'a History) -> Reader<'a> {
        Reader {
            history,
            keys: Vec::new(),
            keys_by_name: Numbers::default(),
            dedupe: Map::default(),
            groups_by_name: Numbers::default(),
            first_share: Vec::new(),
            other_shares: Map::default(),
            messages: Vec::new(),
            groups: Vec::new(),
            shares: Vec::new(),
            publishes: Vec::new(),
            publish_owner: Vec::new(),
            consumes: Vec::new(),
            consume_owner: Vec::new(),
            effects: Vec::new(),
            parked: Vec::new(),
            payloads: Payloads::default(),
            functions: Fields::new(["publish", "consume", "effect", "dead-letter", "drained", "audit"]),
            published: Fields::new(["topic", "partition", "offset", "ordering-key", "dedupe-id", "payload"]),
            consumed: Fields::new([
                "topic",
                "partition",
                "offset",
                "ordering-key",
                "dedupe-id",
                "group",
                "attempt",
                "deduplicated",
            ]),
        }
    }

    /// Which of the vocabulary's functions this operation has.
    #[inline]
    fn function(&mut self, op: &Operation<'_>) -> Option<usize> {
        if op.f().is_absent() { None } else { self.functions.place(self.history.values(), op.f()) }
    }

    fn publish(&mut self, op: &Operation<'_>) -> Result<(), WorkloadError> {
        // What the broker answers is where the message went.
        let answer = if op.status() == Status::Ok { op.result() } else { Value::NULL };
        let other = if op.argument().is_null() { op.result() } else { op.argument() };
        let values = self.history.values();
        let [topic, partition, offset, ordering_key, dedupe, payload] =
            merged(values, &mut self.published, answer, other);
        let spot = Spot { topic, partition, offset: self.offset(op, offset)?, ordering_key };
        if op.key().is_null() {
            return Err(keyless(op.position(), "publication"));
        }
        let known = self.keys_by_name.get(op.key());
        let message = match known {
            Some(key) => self.keys[key as usize].message,
            None if dedupe.is_null() => self.new_message(op.key()),
            None => {
                let payload = (!payload.is_null()).then(|| self.payloads.class(values, payload));
                self.deduplicated(op.key(), dedupe, payload)
            }
        };
        let run = Run::of(op);
        let at = known.unwrap_or_else(|| self.new_key(op.key(), message));
        if run.may() {
            let key = &mut self.keys[at as usize];
            let differ = |a: Value, b: Value| !a.is_null() && !b.is_null() && a != b;
            key.scattered |= differ(key.spot.partition, spot.partition)
                || differ(key.spot.topic, spot.topic)
                || key.spot.offset.zip(spot.offset).is_some_and(|(a, b)| a != b);
            key.spot.complete(&spot);
        }
        self.publishes.push(Publish { run, spot });
        self.publish_owner.push(message);
        Ok(())
    }

    fn consume(&mut self, op: &Operation<'_>) -> Result<(), WorkloadError> {
        let values = self.history.values();
        let [topic, partition, offset, ordering_key, dedupe, group, attempt, deduplicated] =
            merged(values, &mut self.consumed, op.argument(), op.result());
        let mut spot = Spot { topic, partition, offset: self.offset(op, offset)?, ordering_key };
        if op.key().is_null() {
            return Err(keyless(op.position(), "delivery"));
        }
        let key = self.key(op.key(), dedupe);
        if key.scattered {
            // Only what is the same wherever it was published.
            spot.complete(&Spot { partition: spot.partition, offset: spot.offset, ..key.spot });
        } else {
            spot.complete(&key.spot);
        }
        let group = self.group(group);
        let share = self.share(key.message, group);
        let run = Run::of(op);
        self.consumes.push(Consume {
            run,
            spot,
            attempt: values.as_int(attempt),
            deduplicated: run.is_ok() && deduplicated == Value::TRUE,
            invoked: op.invoked().is_some(),
        });
        self.consume_owner.push(share);
        Ok(())
    }

    fn effect(&mut self, fact: Fact, group: Value, id: Value, dedupe: Value) -> Result<(), WorkloadError> {
        if id.is_null() {
            return Err(WorkloadError {
                position: Some(fact.position),
                message: "this effect has no identity".to_owned(),
                help:
                    "say which effect it is (`\"value\": {\"effect\": \"row-1\"}`), so that two records of one effect \
                       are not taken for two effects"
                        .to_owned(),
            });
        }
        if fact.key.is_null() {
            return Err(keyless(fact.position, "effect"));
        }
        let message = self.key(fact.key, dedupe).message;
        self.effects.push((message, group, Effect { fact, id }));
        Ok(())
    }

    fn message(&mut self, key: Value, position: u32) -> Result<u32, WorkloadError> {
        if key.is_null() {
            return Err(keyless(position, "record"));
        }
        Ok(self.key(key, Value::NULL).message)
    }

    fn key(&mut self, name: Value, dedupe: Value) -> Key {
        let at = match self.keys_by_name.get(name) {
            Some(at) => at,
            None => {
                let message =
                    if dedupe.is_null() { self.new_message(name) } else { self.deduplicated(name, dedupe, None) };
                self.new_key(name, message)
            }
        };
        self.keys[at as usize]
    }

    fn new_key(&mut self, name: Value, message: u32) -> u32 {
        let at = narrow(self.keys.len());
        self.keys.push(Key { message, spot: Spot::NOWHERE, scattered: false });
        self.keys_by_name.or_insert(name, at)
    }

    /// The message of a dedupe-id; a payload that is not that of the first makes another.
    fn deduplicated(&mut self, key: Value, dedupe: Value, payload: Option<u32>) -> u32 {
        let next = narrow(self.messages.len());
        let first = *self.dedupe.entry((dedupe, None)).or_insert(next);
        let message = match payload {
            None => first,
            Some(_) => *self.dedupe.entry((dedupe, payload)).or_insert(next),
        };
        if message == next {
            self.new_message(key);
        }
        message
    }

    fn new_message(&mut self, key: Value) -> u32 {
        self.messages.push(Message { key });
        self.first_share.push(NONE);
        narrow(self.messages.len() - 1)
    }

    fn group(&mut self, name: Value) -> u32 {
        let next = narrow(self.groups.len());
        let group = self.groups_by_name.or_insert(name, next);
        if group == next {
            self.groups.push(name);
        }
        group
    }

    fn share(&mut self, message: u32, group: u32) -> u32 {
        let next = narrow(self.shares.len());
        let first = &mut self.first_share[message as usize];
        let share = if *first == NONE {
            *first = next;
            next
        } else if self.shares[*first as usize].group == group {
            *first
        } else {
            *self.other_shares.entry((message, group)).or_insert(next)
        };
        if share == next {
            self.shares.push(Share { message, group });
        }
        share
    }

    fn offset(&self, op: &Operation<'_>, offset: Value) -> Result<Option<i64>, WorkloadError> {
        match self.history.values().as_int(offset) {
            None if !offset.is_null() => Err(WorkloadError {
                position: Some(op.position()),
                message: format!("`offset` is {}", self.history.values().json(offset, 60)),
                help: "an offset is an integer, or null where the consumer doesn't know it".to_owned(),
            }),
            offset => Ok(offset),
        }
    }

    fn finish(
        mut self,
        drained: Map<(Value, Value), Fact>,
        audits: &Map<Value, Fact>,
    ) -> Result<Delivery, WorkloadError> {
        let (effects, effect_owner, repeated_effects) = self.place_effects()?;
        let (mut parked_messages, mut parked_shares) = (Map::default(), Map::default());
        for (message, group, parked) in std::mem::take(&mut self.parked) {
            if group.is_null() {
                parked_messages.entry(message).or_insert(parked);
            } else {
                let group = self.group(group);
                parked_shares.entry(self.share(message, group)).or_insert(parked);
            }
        }
        let audit = |name: &Value| audits.get(name).copied();
        let last: Vec<Option<Fact>> = self
            .groups
            .iter()
            .map(|group| audit(group).into_iter().chain(audit(&Value::NULL)).max_by_key(|fact| fact.position))
            .collect();
        let mut recorded: Vec<bool> = last.iter().map(Option::is_some).collect();
        for share in &effect_owner {
            recorded[self.shares[*share as usize].group as usize] = true;
        }
        let share_owner: Vec<u32> = self.shares.iter().map(|share| share.message).collect();
        let (messages, shares) = (self.messages.len(), self.shares.len());
        Ok(Delivery {
            publishes_of: Grouped::new(messages, &self.publish_owner),
            shares_of: Grouped::new(messages, &share_owner),
            consumes_of: Grouped::new(shares, &self.consume_owner),
            effects_of: Grouped::new(shares, &effect_owner),
            synchronous: synchronous(self.history),
            messages: self.messages,
            groups: self.groups,
            shares: self.shares,
            publishes: self.publishes,
            consumes: self.consumes,
            effects,
            parked_messages,
            parked_shares,
            recorded,
            repeated_effects,
            drained,
            audits: last,
        })
    }

    /// The effects, each identity of a share once, with their shares. One that names no group is of the only group that
    /// can have made it.
    fn place_effects(&mut self) -> Result<(Vec<Effect>, Vec<u32>, u64), WorkloadError> {
        let given = std::mem::take(&mut self.effects);
        // Of each message: the group that was delivered it, or `SEVERAL`.
        const SEVERAL: u32 = u32::MAX;
        let mut delivered: Map<u32, u32> = Map::default();
        if given.iter().any(|(_, group, _)| group.is_null()) {
            for share in &self.shares {
                let group = delivered.entry(share.message).or_insert(share.group);
                if *group != share.group {
                    *group = SEVERAL;
                }
            }
        }
        let only = if self.groups.len() == 1 { self.groups[0] } else { Value::NULL };
        // Of each share the first effect, as most have no other; and all others.
        let mut first: Vec<Value> = Vec::new();
        let mut others: Map<(u32, Value), ()> = Map::default();
        let (mut effects, mut owners) = (Vec::with_capacity(given.len()), Vec::with_capacity(given.len()));
        let mut repeated = 0;
        for (message, name, effect) in given {
            let group = match delivered.get(&message) {
                Some(&SEVERAL) if name.is_null() => return Err(self.groupless(message, &effect)),
                Some(&group) if name.is_null() => group,
                _ => self.group(if name.is_null() { only } else { name }),
            };
            let share = self.share(message, group);
            first.resize(self.shares.len(), Value::ABSENT);
            let known = &mut first[share as usize];
            let is_new = if known.is_absent() {
                *known = effect.id;
                true
            } else {
                *known != effect.id && others.insert((share, effect.id), ()).is_none()
            };
            if is_new {
                effects.push(effect);
                owners.push(share);
            } else {
                repeated += 1;
            }
        }
        Ok((effects, owners, repeated))
    }

    fn groupless(&self, message: u32, effect: &Effect) -> WorkloadError {
        let key = self.history.values().json(self.messages[message as usize].key, 60);
        WorkloadError {
            position: Some(effect.fact.position),
            message: format!("this effect names no group, and several groups were delivered {key}"),
            help: "give its `group` in `value`, as the deliveries do".to_owned(),
        }
    }
}

/// No share yet.
const NONE: u32 = u32::MAX;

/// The places of these functions in `functions`.
const PUBLISH: usize = 0;
const CONSUME: usize = 1;

/// Both records of an operation, field by field: `first` where it says something, else the other.
fn merged<const N: usize>(values: &Values, fields: &mut Fields<N>, first: Value, other: Value) -> [Value; N] {
    let mut found = fields.of(values, first).map(or_null);
    if !other.is_null() {
        for (ours, theirs) in found.iter_mut().zip(fields.of(values, other)) {
            if ours.is_null() {
                *ours = or_null(theirs);
            }
        }
    }
    found
}

fn keyless(position: u32, what: &str) -> WorkloadError {
    WorkloadError {
        position: Some(position),
        message: format!("this {what} names no message"),
        help: "give the message's `key` in every record that is about it".to_owned(),
    }
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
