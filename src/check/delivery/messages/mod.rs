//! Delivery: does every message take effect in every group, once, and in order, whatever the broker does?
//!
//! Each share, what one group has to do with one message, is judged alone; then each partition or ordering key by order.
//! Every class counts shares but two, which count deliveries: `early-acknowledgement` and `false-deduplication`. Redelivery
//! alone is legal.
//!
//! - `owed`: `lost-message`. Its publication is `ok`, the group was delivered something of its partition at or before it, and
//!   there is no effect (no `ok` of a delivery, where the group's effects are not recorded), nor was it parked. Certain where a
//!   `drained` came after it, and no delivery can have had an effect that nobody recorded.
//! - `share`: `duplicate-effect` (two effects), `deduplication-window-exceeded` (two, further apart than the policy's `window`,
//!   as recorded), `redelivery-after-effect`, `early-acknowledgement`, `processed-after-dead-letter`,
//!   `concurrent-processing` (two deliveries overlap, both `ok`), `false-deduplication` (nothing before it can have had an
//!   effect), `max-attempts-exceeded`, and `ghost-effect` and `ghost-delivery` of what nobody had published.
//! - `order`: `delivery-inversion`. Every delivery that can have been its first processing began after a higher offset's `ok`.
//!
//! Exactness: linear passes, no search. A certain finding holds in every reading of what is unknown (crashed deliveries, effects
//! that nobody recorded, records that come late); a possible one in some. A guarantee is violated by a certain finding that rules
//! it out, and unknown with a possible one. What rules out none (`concurrent-processing`, `early-acknowledgement`, ...) is
//! reported, and breaks a guarantee only through its effects.
//!
//! Cost: linear, n log n within a partition; owed shares are messages times groups, under the budget.
//! Sources: Kafka's delivery semantics (Kafka documentation, 4.6); Hohpe and Woolf, Enterprise Integration Patterns, 2003,
//! "Idempotent Receiver", "Dead Letter Channel".

mod judgement;
mod order;
mod owed;
mod share;

use rayon::prelude::*;

use super::cases::Tally;
use super::figures::{distribution, rate};
use super::policy;
use crate::check::Settings;
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::History;
use crate::verdict::Certainty::Certain;
use crate::verdict::{Figures, Outcome, StoppedBy};
use crate::witness::claim::Rule;
use crate::witness::recheck;
use crate::workload::WorkloadError;
use crate::workload::delivery::Delivery;

/// The classes, in the order in which a report lists them.
pub const CLASSES: [Anomaly; 12] = [
    Anomaly::LostMessage,
    Anomaly::DuplicateEffect,
    Anomaly::DeduplicationWindowExceeded,
    Anomaly::GhostEffect,
    Anomaly::RedeliveryAfterEffect,
    Anomaly::DeliveryInversion,
    Anomaly::MaxAttemptsExceeded,
    Anomaly::FalseDeduplication,
    Anomaly::ConcurrentProcessing,
    Anomaly::EarlyAcknowledgement,
    Anomaly::ProcessedAfterDeadLetter,
    Anomaly::GhostDelivery,
];

/// The guarantees of this vocabulary: the customary one first.
pub const GUARANTEES: [Guarantee; 4] =
    [Guarantee::EffectivelyOnce, Guarantee::AtLeastOnce, Guarantee::AtMostOnce, Guarantee::OrderedDelivery];

/// How many shares one task judges.
const SHARES_A_TASK: u32 = 4096;

/// Judges `at-least-once`, `at-most-once`, `effectively-once` and `ordered-delivery`.
///
/// # Errors
/// The history is not of this vocabulary, or the policy has a term that can't be read.
pub fn judge(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    let policy = policy::stated(history, settings.requirements, &GUARANTEES)?;
    let delivery = Delivery::from_history(history)?;
    let judge = || Judge {
        delivery: &delivery,
        window_ns: policy.duration_ns("window"),
        max_attempts: policy.integer("max-attempts"),
        tally: Tally::new(&CLASSES),
        sums: Sums::default(),
    };
    let all = u32::try_from(delivery.shares.len()).unwrap_or(u32::MAX);
    let some = |first: u32| {
        let mut judge = judge();
        (first..all.min(first.saturating_add(SHARES_A_TASK))).for_each(|share| judge.share(share));
        judge
    };
    let owed = || {
        let mut judge = judge();
        (judge.owed(&mut settings.budget.meter()).err(), judge)
    };
    let order = || {
        let mut judge = judge();
        judge.order();
        judge
    };
    let tasks: Vec<u32> = (0..all).step_by(SHARES_A_TASK as usize).collect();
    let (shares, ((stopped, owed), order)) =
        rayon::join(|| tasks.into_par_iter().map(some).collect::<Vec<_>>(), || rayon::join(owed, order));
    let judge = shares.into_iter().chain([owed, order]).fold(judge(), Judge::merge);
    let terms = recheck::delivery::Terms { window_ns: judge.window_ns, max_attempts: judge.max_attempts };
    let findings = judge.tally.findings(history, &GUARANTEES, &Rule::Delivery(terms));
    let judgements = judgement::of(&delivery, &judge.sums, &findings, stopped);
    let mut measures = Figures::new();
    measures.insert("delivery".to_owned(), judge.figures(stopped).into());
    Ok(Outcome { judgements, findings, measures })
}

#[derive(Default)]
struct Sums {
    delivered: u64,
    owed: u64,
    /// Shares that were processed, in lanes where another one was.
    comparable: u64,
    duplicate_effects: u64,
    duplicated: u64,
    publish_to_effect: Vec<i64>,
    publish_to_delivery: Vec<i64>,
    processing: Vec<i64>,
}

impl Sums {
    fn add(&mut self, other: Sums) {
        self.delivered += other.delivered;
        self.owed += other.owed;
        self.comparable += other.comparable;
        self.duplicate_effects += other.duplicate_effects;
        self.duplicated += other.duplicated;
        self.publish_to_effect.extend(other.publish_to_effect);
        self.publish_to_delivery.extend(other.publish_to_delivery);
        self.processing.extend(other.processing);
    }
}

/// Some of what is to be judged.
struct Judge<'a> {
    delivery: &'a Delivery,
    window_ns: Option<i64>,
    max_attempts: Option<i64>,
    tally: Tally,
    sums: Sums,
}

impl Judge<'_> {
    /// Together with what came after it.
    fn merge(mut self, other: Self) -> Self {
        self.tally = self.tally.merge(other.tally);
        self.sums.add(other.sums);
        self
    }

    fn figures(self, stopped: Option<StoppedBy>) -> Figures {
        let delivery = self.delivery;
        let count = |anomaly| self.tally.count(anomaly, Certain);
        let deliveries = delivery.consumes.len() as u64;
        let deduplicated = delivery.consumes.iter().filter(|consume| consume.deduplicated).count() as u64;
        let rejected = delivery.consumes.iter().filter(|consume| !consume.run.may()).count();
        let parked = (0..).take(delivery.shares.len()).filter(|share| delivery.parked(*share).is_some()).count();
        let lost = if stopped.is_some() { serde_json::Value::Null } else { count(Anomaly::LostMessage).into() };
        let mut figures = Figures::new();
        let mut put = |name: &str, value: serde_json::Value| _ = figures.insert(name.to_owned(), value);
        put("messages", delivery.messages.len().into());
        put("publishes", delivery.publishes.len().into());
        put("deliveries", deliveries.into());
        put("redeliveries", deliveries.saturating_sub(self.sums.delivered).into());
        put("redelivery_factor", rate(deliveries, self.sums.delivered));
        put("deduplicated", deduplicated.into());
        put("dedupe_reject_rate", rate(deduplicated, deliveries));
        put("rejected", rejected.into());
        put("dead_lettered", parked.into());
        put("effects", delivery.effects.len().into());
        put("repeated_effect_records", delivery.repeated_effects.into());
        put("duplicate_effects", self.sums.duplicate_effects.into());
        put("messages_with_duplicate_effects", self.sums.duplicated.into());
        put("lost", lost);
        put("inversions", count(Anomaly::DeliveryInversion).into());
        put("ghosts", (count(Anomaly::GhostEffect) + count(Anomaly::GhostDelivery)).into());
        put("delivery_latency_ns", distribution(self.sums.publish_to_delivery).into());
        put("processing_latency_ns", distribution(self.sums.processing).into());
        put("effect_latency_ns", distribution(self.sums.publish_to_effect).into());
        put("classes", self.tally.figures().into());
        figures
    }
}

fn known(time: i64) -> Option<i64> {
    (time != History::NO_TIME).then_some(time)
}
