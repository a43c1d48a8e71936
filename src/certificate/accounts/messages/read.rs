//! What belongs to each message, by the records' own words.
//!
//! A message is all that has one key, or one `dedupe-id` where the first record of a key gives one (a publication, if there is
//! any); of these, publications with other payloads are other messages. Where a delivery does not say where in the log it is,
//! its publication tells, unless there are several that disagree.

use std::collections::HashMap;

use super::super::Account;
use super::super::contents::Contents;
use super::super::ledger::{Act, Ledger, is_named, json, name};
use crate::history::Value;

/// A place in the log.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Spot {
    pub(super) offset: Option<i64>,
    pub(super) lane: Lane,
}

/// What has one order: a partition, or one ordering key in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Lane {
    pub(super) topic: Value,
    pub(super) partition: Value,
    pub(super) ordering_key: Value,
}

impl Default for Lane {
    fn default() -> Lane {
        Lane { topic: Value::NULL, partition: Value::NULL, ordering_key: Value::NULL }
    }
}

impl Spot {
    fn of(act: &Act<'_>, say: impl Fn(&str) -> Value, values: &crate::history::Values) -> Result<Spot, String> {
        let offset = say("offset");
        let number = values.as_int(offset);
        if number.is_none() && !offset.is_null() {
            return Err(format!("the offset at record {} is no integer", act.position));
        }
        let lane = Lane { topic: say("topic"), partition: say("partition"), ordering_key: say("ordering-key") };
        Ok(Spot { offset: number, lane })
    }

    /// What is left open here, as it is there.
    fn complete(&mut self, other: &Spot) {
        let fill = |ours: &mut Value, theirs: Value| {
            if ours.is_null() {
                *ours = theirs;
            }
        };
        fill(&mut self.lane.topic, other.lane.topic);
        fill(&mut self.lane.partition, other.lane.partition);
        fill(&mut self.lane.ordering_key, other.lane.ordering_key);
        self.offset = self.offset.or(other.offset);
    }
}

/// A delivery.
#[derive(Clone, Copy)]
pub(super) struct Delivery<'a> {
    pub(super) act: Act<'a>,
    pub(super) spot: Spot,
    pub(super) attempt: Option<i64>,
    /// Acknowledged as processed before.
    pub(super) deduplicated: bool,
}

impl Delivery<'_> {
    /// Whether it may have had an effect.
    pub(super) fn live(&self) -> bool {
        self.act.may() && !self.deduplicated
    }

    /// Whether it says that it was processed now.
    pub(super) fn processed(&self) -> bool {
        self.act.ok() && !self.deduplicated
    }
}

/// What one group has to do with one message.
#[derive(Default)]
pub(super) struct Share<'a> {
    /// In order of beginning.
    pub(super) deliveries: Vec<Delivery<'a>>,
    /// The first records of its first two effects, with their identities: a third says nothing new.
    pub(super) effects: Vec<(u32, Value)>,
    pub(super) parked: bool,
}

/// One message.
#[derive(Default)]
pub(super) struct Message<'a> {
    pub(super) publishes: Vec<(Act<'a>, Spot)>,
    /// By group, in order of appearance.
    pub(super) shares: Vec<(Value, Share<'a>)>,
    by_group: HashMap<Value, usize>,
    pub(super) parked: bool,
}

impl<'a> Message<'a> {
    pub(super) fn share(&self, group: Value) -> Option<&Share<'a>> {
        self.shares.get(*self.by_group.get(&group)?).map(|(_, share)| share)
    }

    fn share_mut(&mut self, group: Value) -> &mut Share<'a> {
        let at = *self.by_group.entry(group).or_insert(self.shares.len());
        if at == self.shares.len() {
            self.shares.push((group, Share::default()));
        }
        &mut self.shares[at].1
    }
}

/// What a key stands for.
#[derive(Clone, Copy)]
struct Key {
    message: usize,
    spot: Spot,
    /// Its publications are in several places.
    scattered: bool,
}

/// Gives each key its message.
#[derive(Default)]
struct Keys {
    of: HashMap<Value, Key>,
    dedupe: HashMap<(Value, Option<u32>), usize>,
    messages: usize,
}

impl Keys {
    fn add(&mut self, key: Value, dedupe: Value, payload: Option<u32>) -> &mut Key {
        let Keys { of, dedupe: known, messages } = self;
        of.entry(key).or_insert_with(|| {
            let mut message = *messages;
            if !dedupe.is_null() {
                message = *known.entry((dedupe, None)).or_insert(*messages);
                if payload.is_some() {
                    message = *known.entry((dedupe, payload)).or_insert(*messages);
                }
            }
            *messages = (*messages).max(message + 1);
            Key { message, spot: Spot::default(), scattered: false }
        })
    }
}

/// What a publication says: the broker's answer, and where that says nothing what was asked.
fn published(act: &Act<'_>, name: &str) -> Value {
    let answer = if act.ok() { act.within(act.result, name) } else { Value::NULL };
    let asked = if act.argument.is_null() { act.result } else { act.argument };
    if answer.is_null() { act.within(asked, name) } else { answer }
}

fn keys(ledger: &Ledger<'_>) -> Result<Keys, String> {
    let (mut keys, mut contents) = (Keys::default(), Contents::default());
    let all = |f: &'static str| ledger.acts.iter().filter(move |act| act.f == f);
    for act in all("publish") {
        let payload = published(act, "payload");
        let payload = (!payload.is_null()).then(|| contents.number(ledger.values, payload));
        let spot = Spot::of(act, |name| published(act, name), ledger.values)?;
        let key = keys.add(act.key, published(act, "dedupe-id"), payload);
        if act.may() {
            let differ = |a: Value, b: Value| !a.is_null() && !b.is_null() && a != b;
            key.scattered |= differ(key.spot.lane.topic, spot.lane.topic)
                || differ(key.spot.lane.partition, spot.lane.partition)
                || key.spot.offset.zip(spot.offset).is_some_and(|(a, b)| a != b);
            key.spot.complete(&spot);
        }
    }
    for act in all("consume") {
        keys.add(act.key, act.said("dedupe-id"), None);
    }
    let mut facts: Vec<&Act<'_>> = all("effect").chain(all("dead-letter")).collect();
    facts.sort_by_key(|act| act.position);
    for act in facts {
        let dedupe = if act.f == "effect" { act.said("dedupe-id") } else { Value::NULL };
        keys.add(act.key, dedupe, None);
    }
    Ok(keys)
}

/// The messages of the accounts, each of which has all records of one.
pub(super) fn messages<'a>(ledger: &mut Ledger<'a>, accounts: &[Account]) -> Result<Vec<Message<'a>>, String> {
    let keys = keys(ledger)?;
    let mut had = vec![false; keys.messages];
    let mut groups: Vec<Value> =
        ledger.acts.iter().filter(|act| act.f == "consume").map(|act| act.said("group")).collect();
    groups.sort_unstable();
    groups.dedup();
    let only = if let [group] = groups[..] { group } else { Value::NULL };
    let mut messages = Vec::with_capacity(accounts.len());
    for account in accounts {
        let refuse = |why: String| Err(format!("{} {why}", name(account)));
        let acts = ledger.take(account, |_| false)?;
        let mut own = None;
        for act in &acts {
            let of = keys.of.get(&act.key).filter(|_| !act.key.is_null()).map(|key| key.message);
            if of.is_none() || *own.get_or_insert(of) != of {
                return refuse(format!("record {} is not of this message", act.position));
            }
        }
        let Some(message) = own.flatten().and_then(|message| had.get_mut(message)) else {
            return refuse("it has no records of a message".to_owned());
        };
        if std::mem::replace(message, true) {
            return refuse("its message has an account already".to_owned());
        }
        if let Some(first) = acts.first() {
            is_named(account, &json(ledger.values, first.key))?;
        }
        match one(ledger, &keys, &acts, only) {
            Ok(message) => messages.push(message),
            Err(why) => return refuse(why),
        }
    }
    ledger.complete(&["publish", "consume", "effect", "dead-letter"])?;
    Ok(messages)
}

fn one<'a>(ledger: &Ledger<'a>, keys: &Keys, acts: &[Act<'a>], only: Value) -> Result<Message<'a>, String> {
    let values = ledger.values;
    let mut message = Message::default();
    let mut consumes: Vec<&Act<'a>> = acts.iter().filter(|act| act.f == "consume").collect();
    consumes.sort_by_key(|act| (if act.begins { act.began } else { act.position }, act.position));
    for act in consumes {
        let mut spot = Spot::of(act, |name| act.said(name), values)?;
        if let Some(key) = keys.of.get(&act.key) {
            let partition = if key.scattered { spot.lane.partition } else { key.spot.lane.partition };
            let offset = if key.scattered { spot.offset } else { key.spot.offset };
            spot.complete(&Spot { offset, lane: Lane { partition, ..key.spot.lane } });
        }
        let deduplicated = act.ok() && act.said("deduplicated") == Value::TRUE;
        let attempt = values.as_int(act.said("attempt"));
        message.share_mut(act.said("group")).deliveries.push(Delivery { act: *act, spot, attempt, deduplicated });
    }
    // An effect that names no group is of the only one that can have made it.
    let unnamed = match &message.shares[..] {
        [] => Some(only),
        [(group, _)] => Some(*group),
        _ => None,
    };
    for act in acts {
        let group = act.said("group");
        match act.f {
            "publish" => {
                let spot = Spot::of(act, |name| published(act, name), values)?;
                message.publishes.push((*act, spot));
            }
            "effect" => {
                let Some(group) = Some(group).filter(|group| !group.is_null()).or(unnamed) else {
                    return Err(format!("the effect at record {} may be of several groups", act.position));
                };
                let id = act.said("effect");
                let effects = &mut message.share_mut(group).effects;
                if effects.len() < 2 && !effects.iter().any(|(_, known)| *known == id) {
                    effects.push((act.position, id));
                }
            }
            "dead-letter" if group.is_null() => message.parked = true,
            "dead-letter" => message.share_mut(group).parked = true,
            _ => {}
        }
    }
    Ok(message)
}
