//! Budgets: every search that can grow without bound counts its steps here.
//!
//! Steps are the same on every machine, so a verdict that they ended is reproducible; the clock and the memory meter are
//! the user's own limits, and what they ended says so.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Instant;

use crate::verdict::StoppedBy;

/// Limits for one run, shared by its threads. Whoever spends a step learns at once whether to stop.
#[derive(Debug)]
pub struct Budget {
    steps: u64,
    deadline: Option<Instant>,
    memory: u64,
    used: AtomicU64,
    stopped: AtomicU8,
}

impl Budget {
    /// Steps that one search may take unless told otherwise: some tens of seconds on one core.
    pub const DEFAULT_STEPS: u64 = 500_000_000;

    /// Limits: steps for each search, a moment by which all ends, and bytes that searches may hold together.
    #[must_use]
    pub fn new(steps: u64, deadline: Option<Instant>, memory: u64) -> Budget {
        Budget { steps, deadline, memory, used: AtomicU64::new(0), stopped: AtomicU8::new(0) }
    }

    /// Steps for each search.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// A meter for one search. Not shared: each search, and so each key, has its own steps, whatever the threads do.
    #[must_use]
    pub fn meter(&self) -> Meter<'_> {
        Meter { budget: self, given: self.steps, left: self.steps, until_clock: CLOCK_EVERY, held: 0 }
    }

    /// A meter for a search that may take no more than so many steps, if these are fewer than the budget's.
    #[must_use]
    pub fn meter_within(&self, steps: u64) -> Meter<'_> {
        let given = self.steps.min(steps);
        Meter { given, left: given, ..self.meter() }
    }

    /// Whether searches may hold so many bytes more than they do now.
    #[must_use]
    pub fn has_room(&self, bytes: u64) -> bool {
        self.memory.checked_sub(self.used.load(Ordering::Relaxed)).is_some_and(|left| left >= bytes)
    }

    /// What ended the run for all, if something did: the clock or memory.
    #[must_use]
    pub fn stopped(&self) -> Option<StoppedBy> {
        match self.stopped.load(Ordering::Relaxed) {
            1 => Some(StoppedBy::Timeout),
            2 => Some(StoppedBy::Memory),
            _ => None,
        }
    }

    fn stop(&self, by: StoppedBy) -> StoppedBy {
        let code = if by == StoppedBy::Timeout { 1 } else { 2 };
        // The first reason stands.
        let _ = self.stopped.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
        self.stopped().unwrap_or(by)
    }
}

impl Default for Budget {
    /// The default steps, no clock, no memory limit.
    fn default() -> Self {
        Budget::new(Budget::DEFAULT_STEPS, None, u64::MAX)
    }
}

const CLOCK_EVERY: u32 = 1 << 14;

/// Counts the steps and bytes of one search.
#[derive(Debug)]
pub struct Meter<'a> {
    budget: &'a Budget,
    given: u64,
    left: u64,
    until_clock: u32,
    held: u64,
}

impl Meter<'_> {
    /// One step.
    ///
    /// # Errors
    /// What ended the search.
    #[inline]
    pub fn step(&mut self) -> Result<(), StoppedBy> {
        self.steps(1)
    }

    /// Several steps at once.
    ///
    /// # Errors
    /// What ended the search.
    #[inline]
    pub fn steps(&mut self, count: u32) -> Result<(), StoppedBy> {
        self.left = self.left.checked_sub(u64::from(count)).ok_or(StoppedBy::Budget)?;
        self.until_clock = self.until_clock.saturating_sub(count);
        if self.until_clock == 0 { self.look_up() } else { Ok(()) }
    }

    /// Does something with so many steps at most, of those that are left.
    pub fn within<T>(&mut self, steps: u64, work: impl FnOnce(&mut Self) -> T) -> T {
        let kept_back = self.left.saturating_sub(steps);
        self.left -= kept_back;
        let done = work(self);
        self.left += kept_back;
        done
    }

    /// The search now holds this many bytes more.
    ///
    /// # Errors
    /// What ended the search.
    pub fn hold(&mut self, bytes: u64) -> Result<(), StoppedBy> {
        self.held += bytes;
        let used = self.budget.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.budget.memory { Err(self.budget.stop(StoppedBy::Memory)) } else { Ok(()) }
    }

    /// Steps taken so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.given - self.left
    }

    #[cold]
    fn look_up(&mut self) -> Result<(), StoppedBy> {
        self.until_clock = CLOCK_EVERY;
        if let Some(by) = self.budget.stopped() {
            return Err(by);
        }
        match self.budget.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(self.budget.stop(StoppedBy::Timeout)),
            _ => Ok(()),
        }
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.held, Ordering::Relaxed);
    }
}
