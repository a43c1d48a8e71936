//! `at-least-once`, `at-most-once`, `effectively-once` and `ordered-delivery`: of each message, its publications, deliveries,
//! effects, and whether it was parked.
//!
//! - At least once: a group is owed what was published at or after the lowest offset that it was delivered of the partition
//!   (all of it, where offsets are not recorded), and what it was delivered itself. What it is owed had an effect, or was
//!   parked; where the group's effects are not recorded, it was acknowledged. No message was tried more often than the policy
//!   allows.
//! - At most once: a message has one effect in a group at most, and is not delivered again after a delivery that can have had
//!   it. Where the group's effects are not recorded, one delivery at most can have had one.
//! - Effectively once: at least once, one effect at most, and none before a publication began.
//! - In order: `order`.

mod order;
mod read;

use std::collections::{HashMap, HashSet};

use super::ledger::{Ledger, name};
use super::{Account, Shown};
use crate::contract::Policy;
use crate::guarantee::Guarantee;
use crate::history::{History, Value};

use read::{Message, Share};

/// What is known of effects.
struct Known {
    /// The groups whose effects are recorded; null: of all.
    recorded: HashSet<Value>,
    /// By group, null for all: the last record that every effect until then is.
    audits: HashMap<Value, u32>,
    synchronous: bool,
}

impl Known {
    fn is_recorded(&self, group: Value) -> bool {
        self.recorded.contains(&group) || self.audits.contains_key(&group) || self.audits.contains_key(&Value::NULL)
    }

    fn audit(&self, group: Value) -> Option<u32> {
        self.audits.get(&group).copied().max(self.audits.get(&Value::NULL).copied())
    }
}

/// Whether the accounts show the guarantee.
pub(super) fn rule(
    history: &History,
    guarantee: Guarantee,
    policy: &Policy,
    accounts: &[Account],
) -> Result<Shown, String> {
    let facts = ["effect", "dead-letter", "drained", "audit"];
    let mut ledger = Ledger::new(history, &["publish", "consume"], &facts)?;
    let messages = read::messages(&mut ledger, accounts)?;
    let mut known = Known { recorded: HashSet::new(), audits: HashMap::new(), synchronous: ledger.synchronous };
    for act in ledger.acts.iter().filter(|act| act.f == "audit" && act.said("complete") == Value::TRUE) {
        let last = known.audits.entry(act.said("group")).or_insert(act.position);
        *last = act.position.max(*last);
    }
    let shares = || messages.iter().flat_map(|message| &message.shares);
    known.recorded.extend(shares().filter(|(_, share)| !share.effects.is_empty()).map(|(group, _)| *group));
    if guarantee == Guarantee::OrderedDelivery {
        return order::rule(&messages, accounts);
    }
    let floors = Floors::of(&messages);
    let most = policy.integer("max-attempts");
    let (least, once) = (guarantee != Guarantee::AtMostOnce, guarantee != Guarantee::AtLeastOnce);
    let mut owed = 0usize;
    for (message, account) in messages.iter().zip(accounts) {
        let refuse = |why: String| format!("{} {why}", name(account));
        if least {
            owed += at_least_once(message, &floors, &known, most).map_err(refuse)?;
        }
        for (group, share) in &message.shares {
            if once {
                one_effect(share, *group, &known).map_err(refuse)?;
            }
            match guarantee {
                Guarantee::AtMostOnce => not_again(share, *group, &known).map_err(refuse)?,
                Guarantee::EffectivelyOnce => published_before(message, share).map_err(refuse)?,
                _ => {}
            }
        }
    }
    let effects = ledger.acts.iter().filter(|act| act.f == "effect").count();
    let deliveries: usize = shares().map(|(_, share)| share.deliveries.len()).sum();
    if least && owed == 0 {
        return Ok(Shown::Nothing("nothing is owed to any group: nothing could refute it"));
    }
    if deliveries + effects == 0 {
        return Ok(Shown::Nothing("nothing was delivered, and no effect is recorded: nothing could refute it"));
    }
    let all = format!("{} messages, {deliveries} deliveries, {effects} records of effects", messages.len());
    Ok(Shown::All(match guarantee {
        Guarantee::AtLeastOnce => format!("{all}: all {owed} that groups are owed took effect or were parked"),
        Guarantee::EffectivelyOnce => {
            format!("{all}: all {owed} that groups are owed took effect or were parked, none twice")
        }
        _ => format!("{all}: none twice, and none delivered again after its effect"),
    }))
}

/// From where on a group is owed a partition.
struct Floor {
    group: Value,
    /// The lowest offset that it was delivered.
    lowest: Option<i64>,
    /// Whether it was delivered something without an offset.
    open: bool,
}

/// Of all groups, by topic and partition.
struct Floors(HashMap<(Value, Value), Vec<Floor>>);

impl Floors {
    fn of(messages: &[Message<'_>]) -> Floors {
        let mut floors: HashMap<(Value, Value), Vec<Floor>> = HashMap::new();
        let mut places: HashMap<(Value, Value, Value), usize> = HashMap::new();
        for (group, share) in messages.iter().flat_map(|message| &message.shares) {
            for delivery in &share.deliveries {
                let (topic, partition) = (delivery.spot.lane.topic, delivery.spot.lane.partition);
                let all = floors.entry((topic, partition)).or_default();
                let at = *places.entry((topic, partition, *group)).or_insert_with(|| {
                    all.push(Floor { group: *group, lowest: None, open: false });
                    all.len() - 1
                });
                let floor = &mut all[at];
                match delivery.spot.offset {
                    Some(offset) => floor.lowest = Some(floor.lowest.map_or(offset, |lowest| lowest.min(offset))),
                    None => floor.open = true,
                }
            }
        }
        Floors(floors)
    }
}

/// Whether every group has what it is owed of a message; and to how many it certainly is owed.
fn at_least_once(message: &Message<'_>, floors: &Floors, known: &Known, most: Option<i64>) -> Result<usize, String> {
    for (_, share) in &message.shares {
        let too_many = |most: i64| {
            let counted = i64::try_from(share.deliveries.len()).unwrap_or(i64::MAX);
            counted > most || share.deliveries.iter().any(|one| one.attempt.is_some_and(|attempt| attempt > most))
        };
        if most.is_some_and(too_many) {
            return Err("it was delivered more often than the policy allows".to_owned());
        }
    }
    // To whom it is owed, whether for certain, and by which publication.
    let mut owed: HashMap<Value, (bool, u32)> = HashMap::new();
    for (act, spot) in message.publishes.iter().filter(|(act, _)| act.ok()) {
        let mut add = |group: Value, sure: bool| owed.entry(group).or_insert((sure, act.position)).0 |= sure;
        for (group, _) in message.shares.iter().filter(|(_, share)| !share.deliveries.is_empty()) {
            add(*group, true);
        }
        for floor in floors.0.get(&(spot.lane.topic, spot.lane.partition)).into_iter().flatten() {
            let sure = spot.offset.zip(floor.lowest).is_some_and(|(offset, lowest)| offset >= lowest);
            if sure || floor.open || spot.offset.is_none() {
                add(floor.group, sure);
            }
        }
    }
    let unsettled =
        owed.iter().filter(|(group, _)| !settled(message, **group, known)).map(|(_, (_, position))| *position);
    match unsettled.min() {
        Some(position) => Err(format!(
            "what record {position} published is owed to a group in which it neither took effect nor was parked"
        )),
        None => Ok(owed.values().filter(|(sure, _)| *sure).count()),
    }
}

/// Whether a group has what it can be owed of a message.
fn settled(message: &Message<'_>, group: Value, known: &Known) -> bool {
    let Some(share) = message.share(group) else { return message.parked };
    let began = share.deliveries.iter().filter(|one| one.live()).map(|one| one.act.began).min().unwrap_or(u32::MAX);
    // What was taken for processed before, when nothing had been delivered, was not.
    let mut acknowledged =
        share.deliveries.iter().filter(|one| one.processed() || (one.deduplicated && began < one.act.ended));
    message.parked
        || share.parked
        || !share.effects.is_empty()
        || (!known.is_recorded(group) && acknowledged.next().is_some())
}

fn one_effect(share: &Share<'_>, group: Value, known: &Known) -> Result<(), String> {
    if let [_, (second, _), ..] = share.effects[..] {
        return Err(format!("record {second} is its second effect in one group"));
    }
    let mut live = share.deliveries.iter().filter(|one| one.live());
    match (live.next(), live.next()) {
        (Some(_), Some(second)) if !known.is_recorded(group) => Err(format!(
            "its delivery at record {} is the second that may have had an effect, and the group's are not recorded",
            second.act.position
        )),
        _ => Ok(()),
    }
}

fn not_again(share: &Share<'_>, group: Value, known: &Known) -> Result<(), String> {
    let (effect, deliveries) = (share.effects.first().map(|(at, _)| *at), &share.deliveries);
    let Some(last) = deliveries.iter().max_by_key(|one| one.act.began) else { return Ok(()) };
    let again = |why: &str| Err(format!("it was delivered again at record {}, {why}", last.act.position));
    if effect.is_some_and(|effect| effect < last.act.began) {
        return again("after its effect");
    }
    let acknowledged = deliveries.iter().filter(|one| one.processed()).map(|one| one.act.ended).min();
    if !known.is_recorded(group) && acknowledged.is_some_and(|ended| ended < last.act.began) {
        return again("after it had been processed");
    }
    let live = deliveries.iter().filter(|one| one.live()).map(|one| one.act.began).min();
    // That an earlier one had no effect by then is known where all until then are recorded, and at once.
    let audited = known.audit(group).is_some_and(|audit| audit > last.act.began);
    let none_yet = audited && (effect.is_none() || known.synchronous);
    match live.is_some_and(|live| live < last.act.began) && !none_yet {
        true => again("and an earlier delivery may have had its effect by then"),
        false => Ok(()),
    }
}

fn published_before(message: &Message<'_>, share: &Share<'_>) -> Result<(), String> {
    let published = message.publishes.iter().filter(|(act, _)| act.may()).map(|(act, _)| act.began).min();
    match share.effects.first() {
        Some((effect, _)) if published.is_none_or(|published| *effect < published) => {
            Err(format!("nobody can have published it before its effect at record {effect}"))
        }
        _ => Ok(()),
    }
}
