//! Staleness over time: a run cut into slices of one length, with how many of the reads that began in each are stale, and
//! by how much at most. It shows when a replica fell behind, and whether it caught up.
//!
//! A figure, not a verdict: a read counts as stale where it certainly is.

use super::clock::Clock;
use super::figures::KeyFigures;
use super::key::{KeyHistory, Read};

/// How many slices there are at most.
const SLICES: i64 = 60;

/// The reads that began within one slice.
#[derive(Clone, Copy, Default)]
struct Slice {
    reads: u64,
    stale: u64,
    oldest_ns: i64,
}

/// `measures.staleness.over_time`: `from_ns`, where a slice begins, is on the history's clock. Reads whose beginning has no
/// time are left out.
pub(super) fn over_time(histories: &[KeyHistory], keys: &[KeyFigures], clock: &Clock) -> serde_json::Value {
    let began = |read: &Read| {
        let time = clock.begin(read.began, read.invoked);
        (time > i64::MIN && time < i64::MAX).then_some(time)
    };
    let times = || histories.iter().flat_map(|key| &key.reads).filter_map(began);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return serde_json::json!([]) };
    let length = last.saturating_sub(first) / SLICES + 1;
    let of = |time: i64| usize::try_from(time.saturating_sub(first) / length).unwrap_or(0);
    let mut slices = vec![Slice::default(); of(last) + 1];
    for (history, key) in histories.iter().zip(keys) {
        for time in history.reads.iter().filter_map(began) {
            slices[of(time)].reads += 1;
        }
        for (stale, age) in key.stale.iter().zip(&key.ages) {
            let Some(time) = history.reads.get(stale.read as usize).and_then(began) else { continue };
            let slice = &mut slices[of(time)];
            slice.stale += 1;
            slice.oldest_ns = slice.oldest_ns.max(*age);
        }
    }
    let json = |(at, slice): (i64, &Slice)| {
        serde_json::json!({
            "from_ns": first.saturating_add(at.saturating_mul(length)),
            "reads": slice.reads,
            "stale_reads": slice.stale,
            "time_ns_max": slice.oldest_ns,
        })
    };
    (0..).zip(&slices).map(json).collect()
}
