//! Probabilistically bounded staleness: how likely a read is fresh, by the time since the last write that had certainly
//! taken effect before it began (Bailis et al. 2012, t-visibility).
//!
//! A figure, not a verdict: a read counts as fresh unless it is certainly stale.

use super::clock::{Clock, between};
use super::key::KeyHistory;
use super::overwritten::Stale;

/// The first limit: what is faster is one bucket.
const FIRST_NS: i64 = 1_000;
/// 1, 2 and 5 of each power of ten, up to a thousand seconds and more.
const BUCKETS: usize = 29;

/// Reads and fresh reads by time since the last write.
#[derive(Clone, Debug)]
pub(super) struct Freshness {
    reads: [u64; BUCKETS],
    fresh: [u64; BUCKETS],
}

/// Where a bucket ends; the last one has no end.
fn limit(bucket: usize) -> i64 {
    let power = i64::pow(10, u32::try_from(bucket / 3).unwrap_or(0));
    FIRST_NS * power * [1, 2, 5][bucket % 3]
}

impl Freshness {
    pub(super) const fn new() -> Freshness {
        Freshness { reads: [0; BUCKETS], fresh: [0; BUCKETS] }
    }

    /// Of a key, whose stale reads are these.
    pub(super) fn of(key: &KeyHistory, stale: &[Stale], clock: &Clock) -> Freshness {
        let mut freshness = Freshness::new();
        let mut over = key.by_end.iter().peekable();
        let mut last = 0;
        let mut stale = stale.iter().peekable();
        for (at, read) in (0..).zip(&key.reads) {
            while let Some(write) = over.next_if(|write| key.writes[**write as usize].ended < read.began) {
                last = key.writes[*write as usize].ended;
            }
            let is_stale = stale.next_if(|stale| stale.read == at).is_some();
            // Before any write there is nothing to be fresh of.
            if last > 0 {
                let since = between(clock.end(last), clock.begin(read.began, read.invoked));
                let bucket = (0..BUCKETS - 1).find(|bucket| since < limit(*bucket)).unwrap_or(BUCKETS - 1);
                freshness.reads[bucket] += 1;
                freshness.fresh[bucket] += u64::from(!is_stale);
            }
        }
        freshness
    }

    /// The reads of both.
    pub(super) fn and(mut self, other: &Freshness) -> Freshness {
        self.reads.iter_mut().zip(&other.reads).for_each(|(sum, more)| *sum += more);
        self.fresh.iter_mut().zip(&other.fresh).for_each(|(sum, more)| *sum += more);
        self
    }

    /// From the first bucket that has reads to the last: `since_ns` is where a bucket begins.
    pub(super) fn json(&self) -> serde_json::Value {
        let first = self.reads.iter().position(|reads| *reads > 0).unwrap_or(BUCKETS);
        let last = self.reads.iter().rposition(|reads| *reads > 0).map_or(0, |last| last + 1);
        let bucket = |at: usize| {
            let since = if at == 0 { 0 } else { limit(at - 1) };
            serde_json::json!({"since_ns": since, "reads": self.reads[at], "fresh": self.fresh[at]})
        };
        (first..last).map(bucket).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: buckets end at 1, 2 and 5 of each power of ten, and reads land in the one that their time is in.
    #[test]
    fn buckets_are_round() {
        let limits: Vec<i64> = (0..5).map(limit).collect();
        assert_eq!(limits, [1_000, 2_000, 5_000, 10_000, 20_000]);
        assert_eq!(limit(BUCKETS - 2), 1_000_000_000_000);
        let mut some = Freshness::new();
        (some.reads[3], some.fresh[3], some.reads[5]) = (4, 3, 1);
        let sum = Freshness::new().and(&some).and(&some);
        assert_eq!(
            sum.json(),
            serde_json::json!([
                {"since_ns": 5_000, "reads": 8, "fresh": 6},
                {"since_ns": 10_000, "reads": 0, "fresh": 0},
                {"since_ns": 20_000, "reads": 2, "fresh": 0}
            ])
        );
    }
}
