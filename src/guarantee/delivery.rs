//! The rows of idempotency and delivery: where clients retry, brokers redeliver, and work stops half-way.

use super::anomalies::{AnomalyRow, rows};
use super::{Anomaly, Family, Guarantee, messaging};

/// The row of an anomaly of this part. Every anomaly has one, here or in `anomalies`: a test asks each for its own.
pub(super) const fn row(anomaly: Anomaly) -> &'static AnomalyRow {
    match idempotency(anomaly) {
        Some(row) => row,
        None => match messaging::row(anomaly) {
            Some(row) => row,
            None => panic!("every anomaly has a row"),
        },
    }
}

rows! { idempotency:
    DuplicateEffect: Delivery; ["double-charge"];
        "one request, or one message in a group, took effect twice";
        "A customer is charged twice, an order is shipped twice.";
        "draft-ietf-httpapi-idempotency-key-header; Hohpe and Woolf 2003, Idempotent Receiver";
        implies [], rules out [Idempotent, AtMostOnce, EffectivelyOnce];
    ConcurrentDuplicateEffect: Delivery; [];
        "two attempts raced, and both took effect";
        "Looking the key up and writing it are two steps, and whoever retries early enough is charged twice.";
        "draft-ietf-httpapi-idempotency-key-header, concurrent requests";
        implies [DuplicateEffect], rules out [Idempotent];
    PrematureExpiry: Delivery; [];
        "a key was forgotten before its ttl, and its request took effect again";
        "A retry within the time that was promised is taken for a new request.";
        "draft-ietf-httpapi-idempotency-key-header, expiry";
        implies [DuplicateEffect], rules out [Idempotent];
    LostEffect: Delivery; [];
        "a request was answered with success, and had no effect";
        "The client believes that it paid, and never retries.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    PhantomEffect: Delivery; [];
        "an effect that no request had asked for when it happened";
        "Somebody is charged for what nobody ordered.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    RejectedEffect: Delivery; ["failed-but-applied"];
        "an effect of requests that were all refused";
        "The client was told that nothing happened, orders again elsewhere, and pays twice.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    PartialEffect: Delivery; [];
        "a request made some of its effects, and not the others";
        "The charge is there and the receipt is not, or the other way round: somebody has to repair it by hand.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    DivergentReplay: Delivery; [];
        "one request with one payload got two different answers";
        "A client that retries can't know which answer is true.";
        "draft-ietf-httpapi-idempotency-key-header, idempotent retries";
        implies [], rules out [Idempotent];
    ReplayMismatch: Delivery; [];
        "a success does not name what its effect made";
        "The client stores a reference to nothing, or to somebody else's payment.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    PayloadMismatchAccepted: Delivery; ["fingerprint-mismatch-accepted"];
        "a key came again with another payload, and got a success";
        "The client believes that its second request was done, and got the answer to its first.";
        "draft-ietf-httpapi-idempotency-key-header, fingerprint";
        implies [], rules out [Idempotent];
    MismatchFalselyRejected: Delivery; ["mismatch-false-reject"];
        "a request was refused as another payload, and had the same one";
        "A client that retries honestly is told that it lies, and can't finish.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    ScopeCollision: Delivery; [];
        "equal keys of two scopes were taken for one";
        "One tenant gets the answer that belongs to another.";
        "draft-ietf-httpapi-idempotency-key-header, composite keys";
        implies [], rules out [Idempotent];
    InFlightViolation: Delivery; [];
        "a success before the effect had happened";
        "The client goes on with what does not exist yet, and may never.";
        "draft-ietf-httpapi-idempotency-key-header, concurrent requests";
        implies [], rules out [Idempotent];
    FalseConflict: Delivery; [];
        "a request was refused as in flight, and nothing was";
        "A client can't get the outcome of what it did.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    StuckKey: Delivery; [];
        "a key stays in flight after the lease of every attempt is over";
        "An attempt crashed, and its key can never be used again.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    OverRetention: Delivery; [];
        "a key was remembered for longer than its longest life";
        "A new request is taken for an old one, and is not done.";
        "Own definition, after Stripe's description of idempotent requests";
        implies [], rules out [Idempotent];
    MissingKeyAccepted: Delivery; [];
        "a request without a key was accepted, where one is required";
        "A retry of it can't be told from a new request.";
        "draft-ietf-httpapi-idempotency-key-header, missing key";
        implies [], rules out [Idempotent];
}
