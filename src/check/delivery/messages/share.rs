//! One message in one group: effects that are too many, or nobody's, and deliveries that should not have been.

use super::{Judge, known};
use crate::guarantee::Anomaly;
use crate::history::{History, Value};
use crate::verdict::Certainty::{self, Certain, Possible};
use crate::witness::accounts::Reason;
use crate::workload::delivery::{Consume, Delivery, Effect};
use crate::workload::records::{Fact, Place};

/// A share, and what the rules ask of it.
struct Facts<'a> {
    delivery: &'a Delivery,
    name: Value,
    share: u32,
    /// Whether the group's effects are recorded.
    recorded: bool,
    audit: Option<Fact>,
    /// Its first effect.
    first: Option<Effect>,
}

impl<'a> Facts<'a> {
    fn consumes(&self) -> impl Iterator<Item = &'a Consume> + Clone {
        self.delivery.consumes_of(self.share)
    }

    fn live(&self) -> impl Iterator<Item = &'a Consume> + Clone {
        self.consumes().filter(|consume| consume.live())
    }

    /// Whether it is known that no effect was there before this position. What an observer has not written yet may have
    /// happened, and only an audit says that nothing is missing.
    fn nothing_before(&self, position: u32) -> bool {
        let audited = self.audit.is_some_and(|audit| audit.position > position);
        match self.first {
            None => audited,
            Some(first) => self.delivery.synchronous && first.fact.position > position,
        }
    }

    /// The likely causes of effects at these positions: the latest live deliveries that had begun by then.
    fn causes(&self, effects: &[&Effect]) -> Vec<Place> {
        let cause = |effect: &&Effect| {
            let before = self.live().filter(|consume| consume.run.began < effect.fact.position);
            let during = before.clone().filter(|consume| consume.run.ended > effect.fact.position);
            let latest = |some: &mut dyn Iterator<Item = &'a Consume>| some.max_by_key(|consume| consume.run.began);
            latest(&mut during.clone()).or_else(|| latest(&mut before.clone())).map(|consume| consume.run.place())
        };
        effects.iter().filter_map(cause).chain(effects.iter().map(|effect| effect.fact.place)).collect()
    }
}

impl Judge<'_> {
    /// Judges a share.
    pub(super) fn share(&mut self, share: u32) {
        let delivery = self.delivery;
        let of = delivery.shares[share as usize];
        let facts = Facts {
            delivery,
            name: delivery.messages[of.message as usize].key,
            share,
            recorded: delivery.recorded[of.group as usize],
            audit: delivery.audit(of.group),
            first: delivery.effects_of(share).next().copied(),
        };
        self.sums.delivered += u64::from(facts.consumes().next().is_some());
        self.duplicates(&facts);
        self.redelivered(&facts);
        self.early(&facts);
        self.parked(&facts);
        self.concurrent(&facts);
        self.falsely_deduplicated(&facts);
        self.attempts(&facts);
        self.ghosts(&facts);
        self.latencies(&facts);
    }

    fn found(
        &mut self,
        facts: &Facts<'_>,
        (anomaly, certainty): (Anomaly, Certainty),
        at: u32,
        why: Option<Reason>,
        places: &[Place],
    ) {
        self.tally.add((anomaly, certainty), facts.name, at, why, places);
    }

    fn duplicates(&mut self, facts: &Facts<'_>) {
        let Some(first) = facts.first else {
            let mut live = facts.live();
            if let (false, Some(one), Some(two)) = (facts.recorded, live.next(), live.next()) {
                let places = [one.run.place(), two.run.place()];
                self.found(facts, (Anomaly::DuplicateEffect, Possible), two.run.began, None, &places);
            }
            return;
        };
        let others = || self.delivery.effects_of(facts.share).skip(1);
        let count = others().count() as u64;
        if count == 0 {
            return;
        }
        let window = self.window_ns;
        let exceeded = |effect: &&Effect| {
            let gap =
                known(effect.fact.time).zip(known(first.fact.time)).map(|(later, time)| later.saturating_sub(time));
            window.zip(gap).is_some_and(|(window, gap)| gap > window)
        };
        let (within, beyond) = (others().find(|effect| !exceeded(effect)), others().find(exceeded));
        self.sums.duplicate_effects += count;
        self.sums.duplicated += 1;
        for (anomaly, second) in [(Anomaly::DuplicateEffect, within), (Anomaly::DeduplicationWindowExceeded, beyond)] {
            if let Some(second) = second {
                let at = second.fact.position;
                self.found(facts, (anomaly, Certain), at, None, &facts.causes(&[&first, second]));
            }
        }
    }

    /// Delivered again after it had its effect.
    fn redelivered(&mut self, facts: &Facts<'_>) {
        let after = |position: u32| {
            facts.consumes().filter(|consume| consume.run.began > position).min_by_key(|consume| consume.run.began)
        };
        let what = |certainty| (Anomaly::RedeliveryAfterEffect, certainty);
        if let Some(first) = facts.first
            && let Some(again) = after(first.fact.position)
        {
            let places = [first.fact.place, again.run.place()];
            return self.found(facts, what(Certain), again.run.began, None, &places);
        }
        let processed = facts.consumes().filter(|consume| consume.processed()).min_by_key(|one| one.run.ended);
        if let (false, Some(one)) = (facts.recorded, processed)
            && let Some(again) = after(one.run.ended)
        {
            let places = [one.run.place(), again.run.place()];
            return self.found(facts, what(Certain), again.run.began, Some(Reason::Acknowledged), &places);
        }
        let Some(earliest) = facts.live().min_by_key(|consume| consume.run.began) else { return };
        let Some(last) = facts.consumes().max_by_key(|consume| consume.run.began) else { return };
        let audited = facts.audit.is_some_and(|audit| audit.position > last.run.began);
        let excluded = audited && (facts.first.is_none() || self.delivery.synchronous);
        if earliest.run.began < last.run.began && !excluded {
            let places = [earliest.run.place(), last.run.place()];
            let why = (!facts.recorded).then_some(Reason::Unrecorded);
            self.found(facts, what(Possible), last.run.began, why, &places);
        }
    }

    /// Acknowledged before it was processed.
    fn early(&mut self, facts: &Facts<'_>) {
        let Some(first) = facts.first else { return };
        let sure = if self.delivery.synchronous { Certain } else { Possible };
        for consume in facts.consumes().filter(|one| one.processed() && one.run.ended < first.fact.position) {
            let places = [consume.run.place(), first.fact.place];
            self.found(facts, (Anomaly::EarlyAcknowledgement, sure), first.fact.position, None, &places);
        }
    }

    /// Processed after it was parked.
    fn parked(&mut self, facts: &Facts<'_>) {
        let delivery = self.delivery;
        let Some(parked) = delivery.parked(facts.share) else { return };
        // A delivery from the topic that parked messages go to is how they are taken up again.
        let again = facts.live().filter(|consume| {
            let elsewhere = [parked.topic, consume.spot.topic].iter().all(|topic| !topic.is_null())
                && parked.topic != consume.spot.topic;
            consume.run.began > parked.fact.position && !elsewhere
        });
        let processed = again.clone().find(|consume| consume.processed());
        let effect = delivery.effects_of(facts.share).find(|effect| effect.fact.position > parked.fact.position);
        let mut found = |certainty, at, place| {
            let what = (Anomaly::ProcessedAfterDeadLetter, certainty);
            self.tally.add(what, facts.name, at, None, &[parked.fact.place, place]);
        };
        if let Some(consume) = processed {
            found(Certain, consume.run.began, consume.run.place());
        } else if let Some(effect) = effect {
            let sure = if delivery.synchronous { Certain } else { Possible };
            found(sure, effect.fact.position, effect.fact.place);
        } else if let Some(consume) = again.clone().next() {
            found(Possible, consume.run.began, consume.run.place());
        }
    }

    /// Two deliveries in process at once. One without any completion may have ended at once, and is passed over.
    fn concurrent(&mut self, facts: &Facts<'_>) {
        let (mut ok, mut any): (Option<&Consume>, Option<&Consume>) = (None, None);
        let (mut certain, mut possible) = (None, None);
        let during =
            |one: Option<&Consume>, began: u32| one.filter(|one| one.run.ended > began).map(|one| one.run.place());
        for consume in facts.live().filter(|consume| consume.invoked) {
            let began = consume.run.began;
            let pair = |other: Place| (began, [other, consume.run.place()]);
            if consume.run.is_ok() {
                certain = certain.or_else(|| during(ok, began).map(pair));
            }
            possible = possible.or_else(|| during(any, began).map(pair));
            let later = |other: Option<&Consume>| other.is_none_or(|other| other.run.ended < consume.run.ended);
            if consume.run.is_ok() && later(ok) {
                ok = Some(consume);
            }
            if consume.run.ended != History::NO_POSITION && later(any) {
                any = Some(consume);
            }
        }
        let found = certain.map(|pair| (Certain, pair)).or_else(|| possible.map(|pair| (Possible, pair)));
        if let Some((certainty, (at, places))) = found {
            self.found(facts, (Anomaly::ConcurrentProcessing, certainty), at, None, &places);
        }
    }

    /// Acknowledged as processed before, when nothing can have processed it.
    fn falsely_deduplicated(&mut self, facts: &Facts<'_>) {
        if !facts.consumes().any(|consume| consume.deduplicated) {
            return;
        }
        let began = facts.live().map(|consume| consume.run.began).min().unwrap_or(u32::MAX);
        let effect = facts.first.map_or(u32::MAX, |first| first.fact.position);
        let message = self.delivery.shares[facts.share as usize].message;
        let published = self.delivery.publishes_of(message).any(|publish| publish.run.may());
        for consume in facts.consumes().filter(|consume| consume.deduplicated) {
            let ended = consume.run.ended;
            if effect < ended || (began < ended && !facts.nothing_before(ended)) {
                continue;
            }
            let why = if began < ended { Reason::NoEffect } else { Reason::NoDelivery };
            // What was published before the history began may have been processed then.
            let sure = if published { Certain } else { Possible };
            let mut places = vec![consume.run.place()];
            if began < ended {
                places.extend(facts.first.map(|first| first.fact.place).or(facts.audit.map(|audit| audit.place)));
            }
            self.found(facts, (Anomaly::FalseDeduplication, sure), ended, Some(why), &places);
        }
    }

    fn attempts(&mut self, facts: &Facts<'_>) {
        let Some(most) = self.max_attempts else { return };
        let mut count = 0i64;
        let over = facts.consumes().find(|consume| {
            count += 1;
            count > most || consume.attempt.is_some_and(|attempt| attempt > most)
        });
        if let Some(over) = over {
            let by_word = over.attempt.is_some_and(|attempt| attempt > most);
            let all = facts.consumes().map(|consume| consume.run.place());
            let shown = usize::try_from(most.saturating_add(1)).unwrap_or(usize::MAX);
            let places: Vec<Place> = if by_word { vec![over.run.place()] } else { all.take(shown).collect() };
            self.found(facts, (Anomaly::MaxAttemptsExceeded, Certain), over.run.began, None, &places);
        }
    }

    /// Effects and deliveries of what nobody had published by then.
    fn ghosts(&mut self, facts: &Facts<'_>) {
        let message = self.delivery.shares[facts.share as usize].message;
        let all = self.delivery.publishes_of(message);
        let first = all.clone().filter(|publish| publish.run.may()).min_by_key(|publish| publish.run.began);
        let published = first.map_or(u32::MAX, |publish| publish.run.began);
        let sure = if self.delivery.has_publishes() { Certain } else { Possible };
        let of = first.or_else(|| all.clone().next()).map(|publish| publish.run.place());
        let why = match (first, of) {
            (Some(_), _) => Some(Reason::Before),
            (None, Some(_)) => Some(Reason::Failed),
            _ => (sure == Certain).then_some(Reason::Nobody),
        };
        if let Some(effect) = facts.first.filter(|effect| effect.fact.position < published) {
            let places: Vec<Place> = [effect.fact.place].into_iter().chain(of).collect();
            self.found(facts, (Anomaly::GhostEffect, sure), effect.fact.position, why, &places);
        }
        let delivered = |consume: &Consume| if consume.invoked { consume.run.began } else { consume.run.ended };
        if let Some(consume) = facts.consumes().find(|consume| delivered(consume) < published) {
            let places: Vec<Place> = [consume.run.place()].into_iter().chain(of).collect();
            self.found(facts, (Anomaly::GhostDelivery, sure), delivered(consume), why, &places);
        }
    }

    fn latencies(&mut self, facts: &Facts<'_>) {
        let message = self.delivery.shares[facts.share as usize].message;
        let publish = self.delivery.publishes_of(message).find(|publish| publish.run.may());
        let consume = facts.consumes().next();
        let done = facts.consumes().filter(|consume| consume.processed()).min_by_key(|one| one.run.ended);
        let since = |from: Option<i64>, to: Option<i64>| {
            let (from, to) = (known(from?)?, known(to?)?);
            Some(to.saturating_sub(from).max(0))
        };
        let published = publish.map(|publish| publish.run.invoked_time);
        let delivered = consume.map(|consume| consume.run.invoked_time);
        self.sums.publish_to_effect.extend(since(published, facts.first.map(|first| first.fact.time)));
        self.sums.publish_to_delivery.extend(since(published, delivered));
        self.sums.processing.extend(since(delivered, done.map(|one| one.run.completed_time)));
    }
}
