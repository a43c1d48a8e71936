//! The rows of delivery, outbox, saga and reconciliation: messages, events, plans and the books.

use super::anomalies::{AnomalyRow, rows};
use super::{Anomaly, Family, Guarantee};

/// The row of an anomaly of this part, where it is one.
pub(super) const fn row(anomaly: Anomaly) -> Option<&'static AnomalyRow> {
    let parts = [messages(anomaly), outbox(anomaly), saga(anomaly), reconciliation(anomaly)];
    let mut at = 0;
    while at < parts.len() {
        if parts[at].is_some() {
            return parts[at];
        }
        at += 1;
    }
    None
}

rows! { messages:
    LostMessage: Delivery; ["lost"];
        "a published message had no effect in a group that was owed it, and was not parked";
        "Somebody ordered, and nothing happens, now or later.";
        "Kafka documentation, 4.6, message delivery semantics";
        implies [], rules out [AtLeastOnce];
    DeduplicationWindowExceeded: Delivery; ["dedupe-window-exceeded", "window-expiry"];
        "a message took effect again after the deduplication window had passed";
        "What comes back late enough is taken for new, and is done twice.";
        "Own definition, after Hohpe and Woolf 2003, Idempotent Receiver";
        implies [], rules out [AtMostOnce, EffectivelyOnce];
    GhostEffect: Delivery; ["ghost"];
        "an effect of a message that nobody had published";
        "Something was done that nobody asked for.";
        "Kafka documentation, 4.6, message delivery semantics";
        implies [], rules out [EffectivelyOnce];
    RedeliveryAfterEffect: Delivery; ["at-most-once-broken"];
        "a message was delivered again after it had taken effect";
        "Only deduplication stands between it and a second effect.";
        "Kafka documentation, 4.6, message delivery semantics";
        implies [], rules out [AtMostOnce];
    DeliveryInversion: Delivery; ["out-of-order-processing"];
        "a message was first processed after a later one of its partition or ordering key had been acknowledged";
        "The older fact is applied last, and stays.";
        "Kafka documentation, 4.6, message delivery semantics";
        implies [], rules out [OrderedDelivery];
    MaxAttemptsExceeded: Delivery; ["poison-loop"];
        "a message was delivered more often than the policy allows, and not parked";
        "A message that can't be processed keeps consumers busy for ever, and whoever should look at it never hears of it.";
        "Hohpe and Woolf 2003, Dead Letter Channel";
        implies [], rules out [AtLeastOnce];
    FalseDeduplication: Delivery; ["dedupe-false-positive"];
        "a message was taken for processed before, and nothing had processed it";
        "It is acknowledged and dropped, and nobody notices.";
        "Own definition, after Hohpe and Woolf 2003, Idempotent Receiver";
        implies [], rules out [];
    ConcurrentProcessing: Delivery; ["concurrent-double-processing"];
        "two consumers of a group processed one message at once";
        "A consumer that was taken for dead still works: what it looked up is changed under it.";
        "Own definition, after Kafka documentation, 4.6, and Hohpe and Woolf 2003, Competing Consumers";
        implies [], rules out [];
    EarlyAcknowledgement: Delivery; ["ack-before-process"];
        "a message was acknowledged before it had taken effect";
        "A crash in between loses it: the broker believes that it is done.";
        "Kafka documentation, 4.6, message delivery semantics";
        implies [], rules out [];
    ProcessedAfterDeadLetter: Delivery; ["processed-after-dlq"];
        "a message was processed after it had been parked as a dead letter";
        "Whoever handles dead letters does by hand what was done already.";
        "Hohpe and Woolf 2003, Dead Letter Channel";
        implies [], rules out [];
    GhostDelivery: Delivery; [];
        "a message was delivered that nobody had published";
        "Consumers act on what comes from somewhere else, or from a publication that was given up.";
        "Kafka documentation, 4.6, message delivery semantics";
        implies [], rules out [];
}

rows! { outbox:
    MissingPublish: Delivery; [];
        "a committed change whose event was never published";
        "The order is stored, and nobody who should act on it ever hears of it.";
        "Richardson 2018, ch. 3, transactional outbox";
        implies [], rules out [Outbox];
    PublishGap: Delivery; ["gap"];
        "a committed event was passed over: a later version was published, and it never was";
        "Consumers believe that they have seen everything up to a version, and lack a part of it.";
        "Richardson 2018, ch. 3, transactional outbox";
        implies [MissingPublish], rules out [Outbox];
    PhantomPublish: Delivery; [];
        "an event was published of a change that was rolled back, or never made";
        "Somebody ships what was never ordered.";
        "Richardson 2018, ch. 3, transactional outbox";
        implies [], rules out [Outbox];
    EarlyPublish: Delivery; ["publish-before-commit"];
        "an event was published before the commit of its change began";
        "Consumers look up what does not exist yet, and a rollback can't take the event back.";
        "Richardson 2018, ch. 3, transactional outbox";
        implies [], rules out [Outbox];
    PublishInversion: Delivery; [];
        "the events of one aggregate were first published against the order of its versions";
        "Consumers see the older state last, and keep it.";
        "Richardson 2018, ch. 3, transactional outbox";
        implies [], rules out [Outbox];
    DivergentEvent: Delivery; [];
        "one event was published with two payloads";
        "Two consumers of one event act on different facts.";
        "Own definition, after Richardson 2018, ch. 3";
        implies [], rules out [Outbox];
    EventVersionMismatch: Delivery; [];
        "an event was published with another aggregate or version than its commit has";
        "Consumers apply a change to the wrong thing, or in the wrong place.";
        "Own definition, after Richardson 2018, ch. 3";
        implies [], rules out [Outbox];
    DuplicatePublish: Delivery; [];
        "an event was published more than once, where that is forbidden";
        "Whoever does not deduplicate acts twice.";
        "Own definition, after Richardson 2018, ch. 3";
        implies [], rules out [Outbox];
}

rows! { saga:
    MissingCompensation: Delivery; [];
        "a saga failed, and a step that was done was not undone";
        "Stock stays reserved, or money stays taken, for an order that does not exist.";
        "Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
    FailedAfterPivot: Delivery; [];
        "a saga failed after a step was done that can't be undone";
        "The order was shipped, and the books say that it failed.";
        "Richardson 2018, ch. 4, pivot transactions";
        implies [], rules out [Saga];
    DoubleStep: Delivery; [];
        "a step of a saga took effect twice";
        "A customer is charged twice for one order.";
        "Own definition, after Richardson 2018, ch. 4";
        implies [], rules out [Saga];
    DoubleCompensation: Delivery; [];
        "a step of a saga was undone twice";
        "What was taken once is given back twice.";
        "Own definition, after Richardson 2018, ch. 4";
        implies [], rules out [Saga];
    ZombieEffect: Delivery; [];
        "a step took effect after it had been undone";
        "A late request lands when everybody believes that it is over, and nobody undoes it again.";
        "Own definition, after Richardson 2018, ch. 4";
        implies [], rules out [Saga];
    DanglingSaga: Delivery; [];
        "a saga that neither completed nor failed";
        "Whoever waits for it waits for ever, and what it holds is never released.";
        "Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
    SkippedStep: Delivery; [];
        "a saga completed without a step of its plan, or went on past it";
        "The order is confirmed, and nobody was charged.";
        "Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
    CompletedAndCompensated: Delivery; [];
        "a saga completed although something of it was undone, or ended both ways";
        "The customer has a confirmation for an order that was taken apart.";
        "Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
    CompensationAfterPivot: Delivery; [];
        "a step was undone after the pivot had succeeded";
        "The saga goes back where it has promised to go forward.";
        "Richardson 2018, ch. 4, pivot transactions";
        implies [], rules out [Saga];
    CompensationWithoutStep: Delivery; [];
        "a step was undone that was never done";
        "A refund is paid for what nobody was charged.";
        "Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
    CompensationOutOfOrder: Delivery; [];
        "steps were undone in another order than the reverse of the plan's";
        "A step is undone while a later one still relies on it.";
        "Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
    StepAfterCompensation: Delivery; [];
        "a step was done after compensation had begun";
        "The saga goes back and forward at once, and ends in no state that was planned.";
        "Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
    StepOutOfOrder: Delivery; [];
        "a step was done before the one that it follows began";
        "What it relies on was not there yet.";
        "Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
    UnplannedStep: Delivery; [];
        "a saga did what its plan does not have";
        "Nothing says how to undo it.";
        "Own definition, after Garcia-Molina and Salem 1987";
        implies [], rules out [Saga];
}

rows! { reconciliation:
    MissingEntry: Delivery; ["missing-left", "missing-right"];
        "an entry that one system has in the end, and another lacks";
        "Money or goods are booked on one side only.";
        "Own definition, of the last snapshots of systems that should agree";
        implies [], rules out [Reconciled];
    EntryMismatch: Delivery; [];
        "an entry with two values in the end";
        "Two books name two amounts for one thing, and at most one of them is right.";
        "Own definition, of the last snapshots of systems that should agree";
        implies [], rules out [Reconciled];
    DuplicateEntry: Delivery; [];
        "a system that has one entry twice in the end";
        "Whoever sums it up counts it twice.";
        "Own definition, of the last snapshots of systems that should agree";
        implies [], rules out [Reconciled];
    OverCorrection: Delivery; [];
        "a repair of an entry that did not differ";
        "The repair itself does the damage.";
        "Own definition, of repairs that rest on snapshots";
        implies [], rules out [Reconciled];
    RepeatedRepair: Delivery; ["repair-not-idempotent"];
        "a repair of what an earlier one had settled";
        "Run twice, it corrects twice: a refund is booked again.";
        "Own definition, of repairs that rest on snapshots";
        implies [], rules out [Reconciled];
    AuthorityOverruled: Delivery; [];
        "a repair that changes the system that is right, or sets another to something else than it has";
        "What was right is made to agree with what was wrong.";
        "Own definition, of repairs with a declared authority";
        implies [], rules out [Reconciled];
}
