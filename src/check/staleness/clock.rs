//! How much time passed between two positions of a history, at least.
//!
//! Positions give the order, `time` gives durations only. Where times go backwards or are missing, a beginning counts as
//! early and an end as late as what is known allows: durations are then too short, never too long.
//!
//! Cost: linear in the records; 8 bytes a record, 16 where times go backwards.

use crate::history::History;

/// The times of a history's records.
#[derive(Debug)]
pub(in crate::check) struct Clock {
    /// For each position, by when it had certainly passed.
    ends: Vec<i64>,
    /// For each position, before when it had certainly not been reached; empty where that is the same.
    begins: Vec<i64>,
}

impl Clock {
    /// The clock of a history; none where no record has a time.
    pub(in crate::check) fn of(history: &History) -> Option<Clock> {
        let mut times = vec![History::NO_TIME; history.records() as usize];
        let mut any = false;
        let mut put = |position: Option<u32>, time: Option<i64>| {
            if let (Some(position), Some(time)) = (position, time)
                && let Some(slot) = times.get_mut(position as usize)
            {
                *slot = time;
                any = true;
            }
        };
        for op in history.ops() {
            put(op.invoked(), op.invoked_time());
            put(op.completed(), op.completed_time());
        }
        for seen in history.observations() {
            put(Some(seen.position), Some(seen.time).filter(|time| *time != History::NO_TIME));
        }
        any.then(|| Clock::new(times))
    }

    /// From the time at each position, [`History::NO_TIME`] where it has none.
    pub(super) fn new(times: Vec<i64>) -> Clock {
        if times.is_sorted() && times.first().is_none_or(|first| *first != History::NO_TIME) {
            return Clock { ends: times, begins: Vec::new() };
        }
        let mut ends = times;
        let mut begins = ends.clone();
        // What has no time passed by the next one's, and not before the previous one's.
        let mut known = i64::MAX;
        for time in ends.iter_mut().rev() {
            if *time == History::NO_TIME { *time = known } else { known = *time }
        }
        let mut known = i64::MIN;
        for time in &mut begins {
            if *time == History::NO_TIME { *time = known } else { known = *time }
        }
        let mut latest = i64::MIN;
        for time in &mut ends {
            latest = latest.max(*time);
            *time = latest;
        }
        let mut earliest = i64::MAX;
        for time in begins.iter_mut().rev() {
            earliest = earliest.min(*time);
            *time = earliest;
        }
        Clock { ends, begins }
    }

    /// Not before this did what began at this position (from 1) begin. `invoked`: whether the record at this position is
    /// its invocation; else it may have begun as early as the record before.
    pub(in crate::check) fn begin(&self, position: u32, invoked: bool) -> i64 {
        let begins = if self.begins.is_empty() { &self.ends } else { &self.begins };
        let at = position.saturating_sub(if invoked { 1 } else { 2 }) as usize;
        begins.get(at).copied().unwrap_or(i64::MIN)
    }

    /// By then it had ended, at this position (from 1; 0: before the history).
    pub(in crate::check) fn end(&self, position: u32) -> i64 {
        match position.checked_sub(1) {
            None => i64::MIN,
            Some(at) => self.ends.get(at as usize).copied().unwrap_or(i64::MAX),
        }
    }
}

/// From one time to a later one; 0 where that is not certainly later.
pub(in crate::check) fn between(end: i64, begin: i64) -> i64 {
    begin.saturating_sub(end).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a clock that goes backwards, or leaves times out, makes durations shorter, never longer.
    #[test]
    fn a_bad_clock_shortens_durations() {
        let none = History::NO_TIME;
        let good = Clock::new(vec![10, 20, 30, 40]);
        assert_eq!(between(good.end(1), good.begin(4, true)), 30);
        assert_eq!(between(good.end(1), good.begin(4, false)), 20);
        let outlier = Clock::new(vec![10, 9_000, 30, 40]);
        assert_eq!(between(outlier.end(1), outlier.begin(4, true)), 30);
        assert_eq!(between(outlier.end(2), outlier.begin(4, true)), 0);
        let missing = Clock::new(vec![10, none, none, 40]);
        assert_eq!(between(missing.end(1), missing.begin(3, true)), 0);
        assert_eq!(between(missing.end(2), missing.begin(4, true)), 0);
        assert_eq!(between(missing.end(1), missing.begin(4, true)), 30);
        let silent = Clock::new(vec![none, none, 30, none]);
        assert_eq!(between(silent.end(4), silent.begin(1, true)), 0);
        assert_eq!(between(silent.end(0), silent.begin(1, true)), 0);
    }
}
