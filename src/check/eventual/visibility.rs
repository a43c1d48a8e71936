//! Whether a write is visible to every read that began a given time after it was acknowledged.

use crate::check::staleness::Observed;
use crate::check::staleness::clock::{Clock, between};
use crate::check::staleness::overwritten::first_overwriters;

/// The read that missed a write for longest.
pub(super) struct Overdue {
    pub(super) key: usize,
    /// By its place in the key's reads.
    pub(super) read: u32,
    /// The write that it missed, by its place in the key's writes.
    pub(super) write: u32,
    pub(super) age_ns: i64,
    pub(super) bound_ns: i64,
    /// How many reads missed one for longer than the bound.
    pub(super) count: u64,
}

/// Nothing where all were in time.
pub(super) fn overdue(observed: &Observed<'_>, clock: &Clock, bound_ns: i64) -> Option<Overdue> {
    let mut worst: Option<Overdue> = None;
    for (number, key) in observed.keys.iter().enumerate() {
        let first = first_overwriters(key, |write| write.acknowledged);
        for (at, read) in (0..).zip(&key.reads) {
            let write = first[read.write as usize];
            let Some(missed) = key.writes.get(write as usize).filter(|missed| missed.acknowledged < read.began) else {
                continue;
            };
            let age_ns = between(clock.end(missed.acknowledged), clock.begin(read.began, read.invoked));
            if age_ns <= bound_ns {
                continue;
            }
            let count = worst.as_ref().map_or(0, |worst| worst.count) + 1;
            match &mut worst {
                Some(worst) if age_ns <= worst.age_ns => worst.count = count,
                worst => *worst = Some(Overdue { key: number, read: at, write, age_ns, bound_ns, count }),
            }
        }
    }
    worst
}
