//! The recent past of a store: what each key was before each of the last commits, so that reads can be old.

use std::collections::VecDeque;

/// How many writes are remembered. Also bounds the cost of one read of the past.
const REMEMBERED: usize = 128;

/// A moment: how many commits there were. Commit `n` is visible at `n` and after.
pub(super) type Moment = u64;

struct Change {
    commit: Moment,
    key: u64,
    before: u64,
}

/// The last writes, oldest first.
#[derive(Default)]
pub(super) struct Log {
    changes: VecDeque<Change>,
    now: Moment,
    oldest: Moment,
}

impl Log {
    /// The present.
    pub(super) fn now(&self) -> Moment {
        self.now
    }

    /// The moment that lies `back` commits in the past, or the oldest that is remembered, but not before `floor`.
    pub(super) fn past(&self, back: u64, floor: Moment) -> Moment {
        self.now.saturating_sub(back).max(self.oldest).max(floor)
    }

    /// Begins a commit: the writes that follow belong to it.
    pub(super) fn commit(&mut self) -> Moment {
        self.now += 1;
        self.now
    }

    /// A write of the present commit: what the key was before it.
    pub(super) fn write(&mut self, key: u64, before: u64) {
        if self.changes.len() == REMEMBERED
            && let Some(forgotten) = self.changes.pop_front()
        {
            self.oldest = forgotten.commit;
        }
        self.changes.push_back(Change { commit: self.now, key, before });
    }

    /// What a key was at a moment that is remembered.
    pub(super) fn at(&self, moment: Moment, key: u64, present: u64) -> u64 {
        let later = self.changes.iter().rev().take_while(|change| change.commit > moment);
        later.filter(|change| change.key == key).last().map_or(present, |change| change.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every remembered moment shows what was there, however old; a moment that is forgotten is never given.
    #[test]
    fn the_past_is_what_was() {
        let mut log = Log::default();
        let mut states = vec![[0u64; 3]];
        for commit in 1..1000u64 {
            let mut state = states[states.len() - 1];
            assert_eq!(log.commit(), commit);
            for key in [commit % 3, (commit / 7) % 3] {
                log.write(key, state[key as usize]);
                state[key as usize] = commit * 10 + key;
            }
            states.push(state);
            for back in 0..100 {
                let moment = log.past(back, 0);
                for key in 0..3 {
                    assert_eq!(log.at(moment, key, state[key as usize]), states[moment as usize][key as usize]);
                }
            }
        }
        assert!(log.past(50, 0) == log.now() - 50 && log.past(500, 0) > log.now() - 500);
        assert_eq!(log.past(500, log.now() - 3), log.now() - 3);
    }
}
