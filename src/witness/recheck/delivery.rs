//! Confirms findings about messages from the history alone: every record of the message is read once more.
//!
//! What the witness names is what is looked at; that something is not there is looked for in all records. Cost: a few scans of the
//! history for each witness, and pairs of one message's records.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::guarantee::Anomaly;
use crate::history::{History, Operation, Status, Value, Values};
use crate::witness::accounts::Reason;
use crate::witness::claim::Account;
use crate::witness::recheck::facts::{Fact, facts};

/// What confirming needs of the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// How long deduplication holds.
    pub window_ns: Option<i64>,
    /// How often a message is tried.
    pub max_attempts: Option<i64>,
}

/// An operation that is about the message.
struct Act<'a> {
    op: Operation<'a>,
    named: bool,
    deduplicated: bool,
}

impl Act<'_> {
    fn may(&self) -> bool {
        self.op.status() != Status::Fail
    }

    fn live(&self) -> bool {
        self.may() && !self.deduplicated
    }

    fn processed(&self) -> bool {
        self.op.status() == Status::Ok && !self.deduplicated
    }

    fn over(&self) -> u32 {
        self.op.completed().unwrap_or(u32::MAX)
    }
}

/// All records of one message in one group.
struct Case<'a> {
    history: &'a History,
    operations: &'a [u32],
    group: Value,
    publishes: Vec<Act<'a>>,
    consumes: Vec<Act<'a>>,
    effects: Vec<Fact>,
    parked: Vec<Fact>,
    drained: Vec<Fact>,
    audit: Option<u32>,
    recorded: bool,
    synchronous: bool,
    has_publishes: bool,
}

/// Whether the history has this, of this message and for this reason, and the witness names the records that show it.
#[must_use]
pub fn confirms(history: &History, terms: &Terms, anomaly: Anomaly, certain: bool, account: &Account) -> bool {
    let operations = &account.records[..];
    let case = Case::read(history, account.subject, operations);
    let why = account.why;
    match anomaly {
        Anomaly::LostMessage => return case.lost(certain, why),
        Anomaly::GhostEffect | Anomaly::GhostDelivery if why != case.origin(certain) => return false,
        Anomaly::GhostEffect | Anomaly::GhostDelivery => {}
        Anomaly::RedeliveryAfterEffect => return case.again(certain, why),
        Anomaly::FalseDeduplication => return case.taken_for_another(certain, why),
        _ if why.is_some() => return false,
        _ => {}
    }
    match anomaly {
        Anomaly::DuplicateEffect if !certain => {
            !case.recorded && case.told(&case.consumes).filter(|act| act.live()).count() > 1
        }
        Anomaly::DuplicateEffect => case.twice(|gap| terms.window_ns.zip(gap).is_none_or(|(most, gap)| gap <= most)),
        Anomaly::DeduplicationWindowExceeded => {
            certain && case.twice(|gap| terms.window_ns.zip(gap).is_some_and(|(most, gap)| gap > most))
        }
        Anomaly::GhostEffect => {
            case.has_publishes == certain && case.shown().any(|effect| effect.position < case.published())
        }
        Anomaly::GhostDelivery => {
            let delivered = |act: &Act<'_>| act.op.invoked().unwrap_or(act.over());
            case.has_publishes == certain && case.told(&case.consumes).any(|act| delivered(act) < case.published())
        }
        Anomaly::DeliveryInversion => case.inverted(certain),
        Anomaly::MaxAttemptsExceeded if certain => terms.max_attempts.is_some_and(|most| {
            let claimed = |act: &Act<'_>| case.int(&act.op, "attempt").is_some_and(|attempt| attempt > most);
            let told = case.told(&case.consumes).count();
            i64::try_from(told).is_ok_and(|told| told > most) || case.told(&case.consumes).any(claimed)
        }),
        Anomaly::ConcurrentProcessing => {
            let busy = |act: &&Act<'_>| act.live() && act.op.invoked().is_some();
            let all: Vec<&Act<'_>> = case.told(&case.consumes).filter(busy).collect();
            let overlap = |a: &&Act<'_>, b: &&Act<'_>| {
                let during = a.op.completed().is_some_and(|end| end > b.op.began()) && a.op.began() < b.op.began();
                during && (a.processed() && b.processed()) == certain
            };
            all.iter().any(|a| all.iter().any(|b| overlap(a, b)))
        }
        Anomaly::EarlyAcknowledgement => {
            let first = case.effects.iter().map(|effect| effect.position).min();
            let early = |act: &Act<'_>| act.processed() && first.is_some_and(|first| act.over() < first);
            case.synchronous == certain && case.told(&case.consumes).any(early)
        }
        Anomaly::ProcessedAfterDeadLetter => case.taken_up_again(certain),
        _ => false,
    }
}

fn field(values: &Values, op: &Operation<'_>, name: &str) -> Value {
    let of = |value| values.get(value, name).filter(|value| !value.is_null());
    of(op.argument()).or_else(|| of(op.result())).unwrap_or(Value::NULL)
}

impl<'a> Case<'a> {
    fn read(history: &'a History, message: Value, operations: &'a [u32]) -> Case<'a> {
        let values = history.values();
        let is = |op: &Operation<'_>, f: &str| values.as_str(op.f()) == Some(f);
        let get = |op: &Operation<'_>, name: &str| field(values, op, name);
        let publishes = || history.ops().filter(|op| is(op, "publish"));
        // The keys of the message: those of its dedupe-id with the payload that it has.
        let content = |op: &Operation<'_>| (get(op, "dedupe-id"), get(op, "payload"));
        let its = |op: &Operation<'_>| op.key() == message && is(op, "publish");
        let mine = history.ops().find(its).map(|op| content(&op));
        let same = |op: &Operation<'_>| {
            let (dedupe, payload) = content(op);
            let first = |payload: Value| {
                payload.is_null()
                    && publishes().find(|op| content(op).0 == dedupe).map(|op| content(&op).1)
                        == mine.map(|mine| mine.1)
            };
            !dedupe.is_null()
                && mine.is_some_and(|(id, its)| id == dedupe && (its == payload || first(payload) || its.is_null()))
        };
        let shares_an_id = mine.is_some_and(|(id, _)| !id.is_null());
        let mut keys: Vec<Value> = publishes().filter(|op| shares_an_id && same(op)).map(|op| op.key()).collect();
        keys.push(message);
        let named = |position: u32| operations.contains(&position);
        // All that is looked at again: operations about these keys, and those of the witness.
        let about: Vec<Operation<'a>> =
            history.ops().filter(|op| keys.contains(&op.key()) || named(op.position())).collect();
        let consumes = || about.iter().copied().filter(|op| is(op, "consume"));
        let group_of = |value: Value| values.get(value, "group").filter(|group| !group.is_null());
        let seen = facts(history, &["effect", "dead-letter", "drained", "audit"]);
        let told = consumes().filter(|op| named(op.position())).map(|op| get(&op, "group"));
        let observed =
            seen.iter().filter(|(_, fact)| named(fact.position)).filter_map(|(_, fact)| group_of(fact.value));
        let mut delivered: Vec<Value> =
            consumes().filter(|op| keys.contains(&op.key())).map(|op| get(&op, "group")).collect();
        delivered.dedup();
        let group = told.chain(observed).find(|group| !group.is_null()).or(delivered.first().copied());
        let group = group.unwrap_or(Value::NULL);
        let of_group = |value: Value| match group_of(value) {
            Some(name) => name == group,
            None => group.is_null() || delivered.iter().all(|one| *one == group),
        };
        let for_group = |value: Value| group_of(value).is_none_or(|name| name == group);
        let act = |op: Operation<'a>| Act {
            named: named(op.position()),
            deduplicated: op.status() == Status::Ok && get(&op, "deduplicated") == Value::TRUE,
            op,
        };
        let is_about = |kind: usize, fact: &Fact| match kind {
            0 => keys.contains(&fact.key) && of_group(fact.value),
            1 => keys.contains(&fact.key) && for_group(fact.value),
            _ => for_group(fact.value),
        };
        let of = |kind: usize| -> Vec<Fact> {
            seen.iter()
                .filter(|(number, fact)| *number == kind && is_about(kind, fact))
                .map(|(_, fact)| *fact)
                .collect()
        };
        let complete = |fact: &&Fact| values.get(fact.value, "complete") == Some(Value::TRUE);
        let audit = of(3).iter().filter(complete).map(|fact| fact.position).max();
        let any_effect = seen.iter().any(|(kind, fact)| {
            *kind == 0 && group_of(fact.value).map_or_else(|| of_group(fact.value), |name| name == group)
        });
        // A second record of an effect says nothing new.
        let mut effects = of(0);
        let mut met = HashSet::new();
        effects.retain(|effect| met.insert(values.get(effect.value, "effect")));
        let observers = history.header_field("observers").and_then(|value| values.as_str(value));
        Case {
            history,
            operations,
            group,
            publishes: about
                .iter()
                .copied()
                .filter(|op| keys.contains(&op.key()) && is(op, "publish"))
                .map(act)
                .collect(),
            consumes: consumes().filter(|op| keys.contains(&op.key()) && get(op, "group") == group).map(act).collect(),
            effects,
            parked: of(1),
            drained: of(2),
            recorded: any_effect || audit.is_some(),
            audit,
            synchronous: observers == Some("synchronous"),
            has_publishes: publishes().next().is_some(),
        }
    }

    fn told<'b>(&self, acts: &'b [Act<'a>]) -> impl Iterator<Item = &'b Act<'a>> {
        acts.iter().filter(|act| act.named)
    }

    /// The effects that the witness names.
    fn shown(&self) -> impl Iterator<Item = &Fact> + Clone {
        self.effects.iter().filter(|effect| self.operations.contains(&effect.position))
    }

    fn int(&self, op: &Operation<'_>, name: &str) -> Option<i64> {
        let values = self.history.values();
        values.as_int(field(values, op, name))
    }

    /// Where the first publication began that may have happened.
    fn published(&self) -> u32 {
        self.publishes.iter().filter(|act| act.may()).map(|act| act.op.began()).min().unwrap_or(u32::MAX)
    }

    /// Where it comes from that nobody had published by then.
    fn origin(&self, certain: bool) -> Option<Reason> {
        let reason = match (self.publishes.iter().any(Act::may), self.publishes.is_empty()) {
            (true, _) => Reason::Before,
            (false, false) => Reason::Failed,
            (false, true) => Reason::Nobody,
        };
        certain.then_some(reason)
    }

    /// Whether a delivery was taken for processed before, and was not.
    fn taken_for_another(&self, certain: bool, why: Option<Reason>) -> bool {
        let wrong = |act: &Act<'a>| {
            let end = act.over();
            let earlier = self.consumes.iter().any(|one| one.live() && one.op.began() < end);
            let reason = if earlier { Reason::NoEffect } else { Reason::NoDelivery };
            act.deduplicated
                && self.effects.iter().all(|effect| effect.position > end)
                && (!earlier || self.nothing_before(end))
                && why == Some(reason)
        };
        self.publishes.iter().any(Act::may) == certain && self.told(&self.consumes).any(wrong)
    }

    /// Whether something came of it after it was parked. A delivery from the topic that parked messages go to is how they are
    /// taken up again.
    fn taken_up_again(&self, certain: bool) -> bool {
        let named = self.parked.iter().filter(|fact| self.operations.contains(&fact.position));
        let Some(parked) = named.min_by_key(|fact| fact.position) else { return false };
        let from = self.history.values().get(parked.value, "topic").unwrap_or(Value::NULL);
        let elsewhere = |act: &Act<'a>| {
            let topic = self.own(&act.op, "topic");
            !from.is_null() && !topic.is_null() && topic != from
        };
        let late = |act: &Act<'a>| act.live() && act.op.began() > parked.position && !elsewhere(act);
        let after = |effect: &Fact| effect.position > parked.position;
        if certain {
            let shown = self.synchronous && self.shown().any(after);
            return shown || self.told(&self.consumes).any(|act| act.processed() && late(act));
        }
        let sure = self.consumes.iter().any(|act| act.processed() && late(act))
            || self.synchronous && self.effects.iter().any(after);
        !sure && (self.shown().any(after) || self.told(&self.consumes).any(late))
    }

    fn nothing_before(&self, position: u32) -> bool {
        match self.effects.iter().map(|effect| effect.position).min() {
            None => self.audit.is_some_and(|audit| audit > position),
            Some(first) => self.synchronous && first > position,
        }
    }

    fn twice(&self, fits: impl Fn(Option<i64>) -> bool) -> bool {
        let id = |fact: &Fact| self.history.values().get(fact.value, "effect");
        let timed = |fact: &Fact| Some(fact.time).filter(|time| *time != History::NO_TIME);
        let Some(first) = self.effects.iter().min_by_key(|effect| effect.position) else { return false };
        let gap = |other: &Fact| Some(timed(other)?.saturating_sub(timed(first)?));
        self.operations.contains(&first.position) && self.shown().any(|two| id(first) != id(two) && fits(gap(two)))
    }

    fn again(&self, certain: bool, why: Option<Reason>) -> bool {
        let later = |position: u32| self.told(&self.consumes).any(|act| act.op.began() > position);
        let processed = |act: &Act<'a>| !self.recorded && act.processed() && later(act.over());
        let live = || self.told(&self.consumes).any(|act| act.live() && later(act.op.began()));
        match (certain, why) {
            (true, None) => self.shown().any(|effect| later(effect.position)),
            (true, Some(Reason::Acknowledged)) => self.told(&self.consumes).any(processed),
            (false, None) => self.recorded && !self.is_excluded() && live(),
            (false, Some(Reason::Unrecorded)) => !self.recorded && live(),
            _ => false,
        }
    }

    /// Whether it is known that nothing had an effect before the last delivery that was not recorded by then.
    fn is_excluded(&self) -> bool {
        let last = self.consumes.iter().map(|act| act.op.began()).max();
        let audited = last.is_some_and(|last| self.audit.is_some_and(|audit| audit > last));
        audited && (self.effects.is_empty() || self.synchronous)
    }

    fn lost(&self, certain: bool, why: Option<Reason>) -> bool {
        let values = self.history.values();
        let live = || self.consumes.iter().filter(|act| act.live());
        let began = live().map(|act| act.op.began()).min().unwrap_or(u32::MAX);
        let acknowledged = |act: &Act<'a>| act.processed() || (act.deduplicated && began < act.over());
        let explained = !self.recorded && self.consumes.iter().any(acknowledged);
        if !self.effects.is_empty() || !self.parked.is_empty() || explained {
            return false;
        }
        self.told(&self.publishes).any(|publish| {
            if publish.op.status() != Status::Ok {
                return false;
            }
            let topic = field(values, &publish.op, "topic");
            let about =
                |fact: &&Fact| values.get(fact.value, "topic").is_none_or(|named| named.is_null() || named == topic);
            let drained = self.drained.iter().filter(about).map(|fact| fact.position).max();
            let Some(drained) = drained.filter(|drained| *drained > publish.over()) else {
                let due = !self.consumes.is_empty() || self.owed(publish) || self.is_unplaced(publish);
                return !certain && due && why == Some(Reason::Undrained);
            };
            let over = |act: &Act<'a>| {
                let until = if act.processed() { act.over() } else { drained.max(act.op.began()) };
                self.recorded && act.op.began() < drained && self.audit.is_some_and(|audit| audit > until)
            };
            let sure = live().all(over) && (!self.consumes.is_empty() || self.owed(publish));
            sure == certain && why == self.fate(publish)
        })
    }

    /// What became of it in the group, by all deliveries of it, of which the witness names one, or by none.
    fn fate(&self, publish: &Act<'a>) -> Option<Reason> {
        let any = |is: fn(&Act<'a>) -> bool| self.consumes.iter().any(is);
        let (reason, shows): (_, fn(&Act<'a>) -> bool) = if self.consumes.is_empty() {
            let owed = self.owed(publish);
            let reason = if owed { Reason::Undelivered } else { Reason::Unplaced };
            return (owed || self.is_unplaced(publish)).then_some(reason);
        } else if any(Act::processed) {
            (Reason::Acknowledged, Act::processed)
        } else if any(Act::live) {
            (Reason::Crashed, Act::live)
        } else if any(|act| act.deduplicated) {
            (Reason::Deduplicated, |act| act.deduplicated)
        } else {
            (Reason::Rejected, |_| true)
        };
        self.told(&self.consumes).any(shows).then_some(reason)
    }

    /// Whether the witness names a delivery to the group, of the partition, and the offset of that or of the publication is missing.
    fn is_unplaced(&self, publish: &Act<'a>) -> bool {
        let offset = |op: &Operation<'_>| self.history.values().as_int(self.own(op, "offset"));
        let near = |op: &Operation<'_>| {
            ["topic", "partition"].iter().all(|name| self.own(op, name) == self.own(&publish.op, name))
        };
        let mut named = self.history.ops().filter(|op| self.operations.contains(&op.position()));
        named.any(|op| {
            let open = || offset(&op).is_none() || offset(&publish.op).is_none();
            self.is_consume(&op) && near(&op) && open()
        })
    }

    /// Whether the witness names a delivery to the group, of the partition, at or before this publication.
    fn owed(&self, publish: &Act<'a>) -> bool {
        let Some((partition, offset)) = self.spot(&publish.op) else { return false };
        let named = |op: &Operation<'_>| self.operations.contains(&op.position());
        self.history
            .ops()
            .filter(|op| self.is_consume(op) && named(op))
            .filter_map(|op| self.spot(&op))
            .any(|(other, at)| other == partition && at <= offset)
    }

    fn is_consume(&self, op: &Operation<'_>) -> bool {
        let values = self.history.values();
        values.as_str(op.f()) == Some("consume") && field(values, op, "group") == self.group
    }

    /// The topic and partition of an operation, and its offset; by its key's publications where it says nothing.
    fn spot(&self, op: &Operation<'_>) -> Option<([Value; 2], i64)> {
        let own = |name: &str| self.own(op, name);
        Some(([own("topic"), own("partition")], self.history.values().as_int(own("offset"))?))
    }

    fn own(&self, op: &Operation<'_>, name: &str) -> Value {
        let values = self.history.values();
        // What a broker answers is where the message went.
        let answered = |op: &Operation<'_>| match values.get(op.result(), name) {
            Some(value) if op.status() == Status::Ok && !value.is_null() => value,
            _ => field(values, op, name),
        };
        let publishes = || {
            let mine = |other: &Operation<'_>| other.key() == op.key() && other.status() != Status::Fail;
            self.history.ops().filter(move |other| values.as_str(other.f()) == Some("publish") && mine(other))
        };
        Some(answered(op))
            .filter(|value| !value.is_null())
            .or_else(|| publishes().map(|other| answered(&other)).find(|value| !value.is_null()))
            .unwrap_or(Value::NULL)
    }

    fn inverted(&self, certain: bool) -> bool {
        let highest = self.consumes.iter().filter_map(|act| self.spot(&act.op)).map(|(_, offset)| offset).max();
        let Some(highest) = highest else { return false };
        let done = !self.effects.is_empty() || self.consumes.iter().any(Act::processed);
        let has_processed = self.consumes.iter().any(Act::processed);
        self.told(&self.consumes).any(|late| {
            let Some((partition, _)) = self.spot(&late.op) else { return false };
            let above = |op: &Operation<'_>| {
                let spot = self.spot(op);
                op.status() == Status::Ok
                    && spot.is_some_and(|(other, offset)| other == partition && offset > highest)
                    && self.own(op, "ordering-key") == self.own(&late.op, "ordering-key")
            };
            let named = |op: &Operation<'_>| self.operations.contains(&op.position());
            let mut higher = self.history.ops().filter(|op| named(op) && self.is_consume(op) && above(op));
            higher.any(|higher| {
                let end = higher.ended();
                let counts = |act: &&Act<'_>| if certain || !has_processed { act.live() } else { act.processed() };
                late.live()
                    && (done || !certain)
                    && self.consumes.iter().filter(counts).all(|act| act.op.began() > end)
                    && self.effects.iter().all(|effect| effect.position > end)
            })
        })
    }
}
