//! Confirms witnesses from the whole history, with code of its own: nothing here is shared with what found them.

pub mod delivery;
pub mod eventual;
mod facts;
pub mod idempotency;
pub mod list_append;
pub mod objects;
pub mod outbox;
pub mod reconciliation;
pub mod revisions;
pub mod saga;
pub mod sessions;
mod shapes;
pub mod staleness;
mod strings;
pub mod updates;
