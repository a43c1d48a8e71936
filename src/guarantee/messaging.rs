//! The rows of outbox, saga and delivery: events, plans and messages.

use super::anomalies::{AnomalyRow, rows};
use super::{Anomaly, Family, Guarantee};

/// The row of an anomaly of this part, where it is one.
pub(super) const fn row(anomaly: Anomaly) -> Option<&'static AnomalyRow> {
    outbox(anomaly)
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
