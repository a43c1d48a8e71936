//! Idempotency and delivery: recorded histories, the smallest ones of each class, and random ones against a naive reading.

mod certificates;
mod expiry;
mod forged;
mod litmus;
mod messages;
mod naive;
mod naive_messages;
mod outbox;
mod random;
mod reconciliation;
mod recorded;
mod saga;
mod service;
mod support;
