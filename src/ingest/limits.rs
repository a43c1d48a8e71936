//! What reading may take: the user's memory and the user's time.
//!
//! Three things grow while a history is read: input that is held, batches that are on their way, and the history itself. Their
//! sum stays below the limit of memory; spooled input has the same limit for itself. What one record may intern is limited
//! before it is read, so that a line of gigabytes ends where memory does, and not behind it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::error::InputError;
use crate::verdict::StoppedBy;

/// Batches on their way may take so much before their readers wait.
const MANY: u64 = 1 << 30;

/// The limits of one reading, shared by its threads.
#[derive(Debug)]
pub(super) struct Limits {
    memory: u64,
    deadline: Option<Instant>,
    /// Bytes of input that are held in memory.
    input: AtomicU64,
    /// Bytes of batches that are read, and not yet part of the history.
    batches: AtomicU64,
    /// Bytes of the history.
    history: AtomicU64,
}

impl Limits {
    /// These; what is not said is no limit.
    pub(super) fn new(memory: Option<u64>, deadline: Option<Instant>) -> Limits {
        Limits {
            memory: memory.unwrap_or(u64::MAX),
            deadline,
            input: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            history: AtomicU64::new(0),
        }
    }

    /// The most bytes.
    pub(super) fn memory(&self) -> u64 {
        self.memory
    }

    /// The moment by which all ends.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// So much input is held from now on.
    pub(super) fn hold_input(&self, bytes: u64) {
        self.input.store(bytes, Ordering::Relaxed);
    }

    /// The history has grown to this.
    pub(super) fn keep(&self, bytes: usize) {
        self.history.store(bytes as u64, Ordering::Relaxed);
    }

    /// A batch was read.
    pub(super) fn arrive(&self, bytes: usize) {
        self.batches.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A batch is part of the history, or dropped.
    pub(super) fn depart(&self, bytes: usize) {
        self.batches.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// How many bytes may still be taken.
    pub(super) fn left(&self) -> u64 {
        let used = [&self.input, &self.batches, &self.history].map(|part| part.load(Ordering::Relaxed));
        used.iter().fold(self.memory, |left, part| left.saturating_sub(*part))
    }

    /// Whether batches on their way take a large part of the memory.
    pub(super) fn is_crowded(&self) -> bool {
        self.batches.load(Ordering::Relaxed) > (self.memory / 8).min(MANY)
    }

    /// Whether to stop now, and why.
    pub(super) fn stopped(&self) -> Option<StoppedBy> {
        if self.left() == 0 {
            Some(StoppedBy::Memory)
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Some(StoppedBy::Timeout)
        } else {
            None
        }
    }

    /// What stopped the reading of records, as a message.
    #[cold]
    pub(super) fn error(&self, by: StoppedBy) -> InputError {
        match by {
            StoppedBy::Timeout => InputError::stopped(
                by,
                "the history was not read whole before the time limit",
                "raise `--timeout`: a history is read whole or not at all",
            ),
            _ => InputError::stopped(
                by,
                format!("the history needs more than the memory limit of {}", size(self.memory)),
                "raise `--max-memory`, or split the history by key",
            ),
        }
    }

    /// What stopped the collection of input, as a message.
    ///
    /// # Errors
    /// The time is over.
    pub(super) fn in_time(&self) -> Result<(), InputError> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(self.error(StoppedBy::Timeout)),
            _ => Ok(()),
        }
    }

    /// Input that is larger than the limit.
    #[cold]
    pub(super) fn too_much_input(&self) -> InputError {
        InputError::stopped(
            StoppedBy::Memory,
            format!("the input is larger than the memory limit of {}", size(self.memory)),
            "raise `--max-memory`, or give the history as an uncompressed file, which is not held in memory",
        )
    }
}

/// A number of bytes as people say it, where it is a round one.
fn size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000), ("kB", 1000)];
    let round = units.iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    match round {
        Some((name, unit)) => format!("{} {name}", bytes / unit),
        None if bytes >= 10 << 20 => format!("{} MiB", bytes >> 20),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a limit is shown as it was given.
    #[test]
    fn sizes_are_round() {
        let sizes = [(2 << 30, "2 GiB"), (500_000_000, "500 MB"), (10_000, "10 kB"), (1025, "1025 bytes")];
        for (bytes, shown) in sizes {
            assert_eq!(size(bytes), shown);
        }
        assert_eq!(size((23 << 30) + 12345), "23552 MiB");
    }

    /// Goal: input, batches and the history count together.
    #[test]
    fn all_that_grows_counts() {
        let limits = Limits::new(Some(100), None);
        limits.hold_input(10);
        limits.arrive(30);
        limits.keep(50);
        assert_eq!((limits.left(), limits.stopped()), (10, None));
        limits.arrive(10);
        assert_eq!(limits.stopped(), Some(StoppedBy::Memory));
        limits.depart(40);
        assert_eq!(limits.left(), 40);
        let late = Limits::new(None, Some(Instant::now()));
        assert_eq!(late.stopped(), Some(StoppedBy::Timeout));
        assert!(late.in_time().is_err());
    }
}
