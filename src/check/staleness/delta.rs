//! The smallest delta for which a key's history is delta-atomic: linearizable once each read's invocation is moved earlier
//! by delta (Golab, Li and Shah 2011).
//!
//! With `f` the earliest end in a value's cluster (its write and its reads), `W` its write's beginning and `R` its reads' last
//! one, moving reads by d leaves f as it is and makes the latest beginning `s = max(W, R - d)`. Whether two clusters have to
//! come before each other (`f < s` both ways) only ever gets less likely as d grows, and at some d it is over: so a binary
//! search over whole nanoseconds finds the smallest, and each probe is one sweep over the clusters in order of f. Forward
//! zones `[f, s]` must not overlap, and none may hold a backward zone `[s, f]` (Gibbons and Korach 1997).
//!
//! At delta 0 positions decide, so that 0 is the same as linearizable; above, beginnings that were moved compare by time, and
//! equal times are concurrent. Where the order of the versions is known, delta is the staleness of the stalest read.
//!
//! Exact where each read tells its write; none where no delta is enough. Cost: linear a probe, about forty probes, and only
//! where the key is not linearizable.

use super::clock::Clock;
use super::key::KeyHistory;

/// A value's write and reads.
struct Cluster {
    first_end: u32,
    first_end_ns: i64,
    write_begin: u32,
    /// 0 without reads.
    last_read: u32,
    last_read_ns: i64,
}

impl Cluster {
    /// Whether something of this one ends before something of the other begins. `moved`: by how much reads begin earlier;
    /// none: not at all, by position.
    fn precedes(&self, other: &Cluster, moved: Option<i64>) -> bool {
        self.first_end < other.write_begin
            || match moved {
                None => self.first_end < other.last_read,
                Some(moved) => self.first_end_ns < other.last_read_ns.saturating_sub(moved),
            }
    }
}

/// A key's clusters, in order of their first ends.
pub(super) struct Clusters {
    clusters: Vec<Cluster>,
}

impl Clusters {
    /// Of a key each of whose reads tells its write. Without a clock only [`Clusters::is_linearizable`] means something.
    pub(super) fn new(key: &KeyHistory, clock: Option<&Clock>) -> Clusters {
        let mut last: Vec<(u32, i64)> = vec![(0, i64::MIN); key.writes.len()];
        for read in &key.reads {
            let begin = clock.map_or(i64::MIN, |clock| clock.begin(read.began, read.invoked));
            let last = &mut last[read.write as usize];
            *last = (last.0.max(read.began), last.1.max(begin));
        }
        let clusters = key.by_end.iter().map(|write| {
            let (write, last) = (&key.writes[*write as usize], last[*write as usize]);
            Cluster {
                first_end: write.ended,
                first_end_ns: clock.map_or(i64::MIN, |clock| clock.end(write.ended)),
                write_begin: write.began,
                last_read: last.0,
                last_read_ns: last.1,
            }
        });
        Clusters { clusters: clusters.collect() }
    }

    /// Whether no two clusters have to come before each other.
    pub(super) fn is_linearizable(&self) -> bool {
        self.agree(None)
    }

    /// The smallest delta, in nanoseconds. It is known to be `least` or more.
    pub(super) fn delta_ns(&self, least: i64) -> i64 {
        if self.is_linearizable() {
            return 0;
        }
        let least = least.max(1);
        if self.agree(Some(least)) {
            return least;
        }
        // Twice as far each time, then halfway.
        let (mut low, mut step) = (least, 1_000_i64);
        let mut high = loop {
            let high = low.saturating_add(step);
            if high == i64::MAX || self.agree(Some(high)) {
                break high;
            }
            (low, step) = (high, step.saturating_mul(2));
        };
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.agree(Some(middle)) { high = middle } else { low = middle }
        }
        high
    }

    fn agree(&self, moved: Option<i64>) -> bool {
        let mut forward: Option<&Cluster> = None;
        for cluster in &self.clusters {
            let is_forward = cluster.precedes(cluster, moved);
            if let Some(last) = forward
                && cluster.precedes(last, moved)
                && last.precedes(cluster, moved)
            {
                return false;
            }
            if is_forward {
                forward = Some(cluster);
            }
        }
        true
    }
}

/// Whether a known order of versions agrees with real time: no delta and no k helps where it does not.
pub(super) fn is_possible_order(key: &KeyHistory, order: &[u32]) -> bool {
    // In a known order, a write has ended by the time that a later one has.
    order.iter().map(|write| &key.writes[*write as usize]).all(|write| write.ended >= write.began)
}
