//! Idempotency and delivery: what was asked, what was answered, and what was really done.

pub(in crate::check) mod accounts;
mod cases;
pub(in crate::check) mod figures;
pub mod idempotency;
pub mod messages;
pub mod outbox;
mod policy;
pub mod reconciliation;
pub mod saga;
