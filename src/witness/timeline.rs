//! A failure as a sequence in time: who did what to whom, in the order of the records.
//!
//! The lanes are those of a call: the client who asks, the service that answers, the store where effects show.

use super::Moment;

/// The client's lane.
pub const CLIENT: &str = "client";
/// The service's lane.
pub const SERVICE: &str = "service";
/// The store's lane.
pub const STORE: &str = "store";

/// Collects moments in any order.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    moments: Vec<Moment>,
}

impl Timeline {
    /// Adds a moment: the record's position, its time in nanoseconds where known, the lane, and what happened.
    pub fn say(&mut self, position: u32, time_ns: Option<i64>, lane: &str, what: String) {
        self.moments.push(Moment { position, time_ns, lane: lane.to_owned(), what });
    }

    /// The moments in order of position, each once.
    #[must_use]
    pub fn finish(mut self) -> Vec<Moment> {
        self.moments.sort_by(|a, b| (a.position, &a.lane, &a.what).cmp(&(b.position, &b.lane, &b.what)));
        self.moments.dedup();
        self.moments
    }
}
