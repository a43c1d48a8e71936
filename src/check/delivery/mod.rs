//! Idempotency and delivery: what was asked, what was answered, and what was really done.

mod figures;
pub mod idempotency;
mod terms;
