//! Idempotency and delivery: recorded histories, the smallest ones of each class, and random ones against a naive reading.

mod litmus;
mod recorded;
mod support;
