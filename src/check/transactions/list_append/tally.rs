//! Occurrences of an anomaly: how many, and the one that is easiest to read.

use crate::witness::list_append::Claim;

/// How hard an occurrence is to read: elements to look at, then its place in the history. The least is shown.
pub(super) type Rank = (u32, u32, u32);

/// Occurrences of one kind.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    best: Option<(Rank, Claim)>,
}

impl Tally {
    /// One more.
    pub(super) fn add(&mut self, rank: Rank, claim: impl FnOnce() -> Claim) {
        self.count += 1;
        if self.best.as_ref().is_none_or(|best| rank < best.0) {
            self.best = Some((rank, claim()));
        }
    }

    /// One more, if its claim costs something to make: `None` where it can't be made.
    pub(super) fn add_costly(&mut self, rank: Rank, claim: impl FnOnce() -> Option<Claim>) {
        self.count += 1;
        if self.best.as_ref().is_none_or(|best| rank < best.0)
            && let Some(claim) = claim()
        {
            self.best = Some((rank, claim));
        }
    }

    /// Those of another part of the history.
    pub(super) fn merge(&mut self, other: Tally) {
        self.count += other.count;
        let Some(theirs) = other.best else { return };
        if self.best.as_ref().is_none_or(|best| theirs.0 < best.0) {
            self.best = Some(theirs);
        }
    }

    /// The occurrence to show.
    pub(super) fn best(&self) -> Option<&Claim> {
        self.best.as_ref().map(|best| &best.1)
    }
}

/// Every anomaly of list-append that is not a cycle.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// Reads that show an aborted element.
    pub(super) aborted_read: Tally,
    /// Reads that end between two appends of another transaction.
    pub(super) intermediate_read: Tally,
    /// Transactions with a read that contradicts themselves.
    pub(super) internal: Tally,
    /// Whether one of these reads misses what its own transaction had appended.
    pub(super) own_append_missing: bool,
    /// Transactions that read what they append later.
    pub(super) future_read: Tally,
    /// Committed appends on top of aborted ones.
    pub(super) dirty_update: Tally,
    /// Reads that show an element twice.
    pub(super) duplicate_elements: Tally,
    /// Reads that are no prefix of the longest, and pairs of appends shown against their transaction's order.
    pub(super) incompatible_order: Tally,
    /// Versions that two or more transactions read and then appended to.
    pub(super) lost_update: Tally,
    /// Reads that show an element from nowhere.
    pub(super) thin_air: Tally,
}

impl Tallies {
    /// All kinds, in the order in which they are reported.
    pub(super) fn all(&self) -> [&Tally; 9] {
        [
            &self.aborted_read,
            &self.intermediate_read,
            &self.internal,
            &self.future_read,
            &self.dirty_update,
            &self.duplicate_elements,
            &self.incompatible_order,
            &self.lost_update,
            &self.thin_air,
        ]
    }

    pub(super) fn merge(&mut self, other: Tallies) {
        self.aborted_read.merge(other.aborted_read);
        self.intermediate_read.merge(other.intermediate_read);
        self.internal.merge(other.internal);
        self.own_append_missing |= other.own_append_missing;
        self.future_read.merge(other.future_read);
        self.dirty_update.merge(other.dirty_update);
        self.duplicate_elements.merge(other.duplicate_elements);
        self.incompatible_order.merge(other.incompatible_order);
        self.lost_update.merge(other.lost_update);
        self.thin_air.merge(other.thin_air);
    }
}
