//! What the rules found: counts of each class, certain and possible, and the smallest case of each.

use crate::guarantee::Anomaly;
use crate::verdict::Certainty;
use crate::witness::accounts::Reason;

/// The classes, in the order in which a report lists them: what is worst for the data first.
pub const CLASSES: [Anomaly; 17] = [
    Anomaly::DuplicateEffect,
    Anomaly::ConcurrentDuplicateEffect,
    Anomaly::PrematureExpiry,
    Anomaly::LostEffect,
    Anomaly::PhantomEffect,
    Anomaly::RejectedEffect,
    Anomaly::PartialEffect,
    Anomaly::DivergentReplay,
    Anomaly::ReplayMismatch,
    Anomaly::PayloadMismatchAccepted,
    Anomaly::MismatchFalselyRejected,
    Anomaly::ScopeCollision,
    Anomaly::InFlightViolation,
    Anomaly::FalseConflict,
    Anomaly::StuckKey,
    Anomaly::OverRetention,
    Anomaly::MissingKeyAccepted,
];

/// A record that a case is made of, as an index into the columns of the workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// An attempt.
    Attempt(u32),
    /// An effect.
    Effect(u32),
    /// The last complete audit.
    Audit,
}

/// One occurrence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Case {
    /// How it ranks: fewer pieces first, then the earlier one.
    rank: (usize, u32),
    /// Its records.
    pub(super) pieces: Vec<Piece>,
    /// Which of several reasons the rule had.
    pub(super) why: Option<Reason>,
}

/// The sums.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    counts: [[u64; 2]; CLASSES.len()],
    best: [[Option<Case>; 2]; CLASSES.len()],
    /// Effects beyond the one that is due.
    pub(super) extra_effects: u64,
    /// Groups with such an effect.
    pub(super) duplicated: Vec<u32>,
}

impl Tally {
    /// Counts `count` occurrences; `case` is one of them, whose last record is at `at`.
    pub(super) fn add(
        &mut self,
        (anomaly, certainty): (Anomaly, Certainty),
        count: u64,
        at: u32,
        why: Option<Reason>,
        pieces: &[Piece],
    ) {
        let (class, sure) = (index(anomaly), certainty as usize);
        self.counts[class][sure] += count;
        let rank = (pieces.len(), at);
        let best = &mut self.best[class][sure];
        if best.as_ref().is_none_or(|best| rank < best.rank) {
            *best = Some(Case { rank, pieces: pieces.to_vec(), why });
        }
    }

    /// Takes in the sums of groups that come later.
    pub(super) fn merge(mut self, other: Tally) -> Tally {
        for class in 0..CLASSES.len() {
            for sure in 0..2 {
                self.counts[class][sure] += other.counts[class][sure];
            }
        }
        for (ours, theirs) in self.best.iter_mut().flatten().zip(other.best.into_iter().flatten()) {
            if let Some(theirs) = theirs
                && ours.as_ref().is_none_or(|ours| theirs.rank < ours.rank)
            {
                *ours = Some(theirs);
            }
        }
        self.extra_effects += other.extra_effects;
        self.duplicated.extend(other.duplicated);
        self
    }

    /// How often a class occurs.
    pub(super) fn count(&self, anomaly: Anomaly, certainty: Certainty) -> u64 {
        self.counts[index(anomaly)][certainty as usize]
    }

    /// The smallest case of a class.
    pub(super) fn best(&self, anomaly: Anomaly, certainty: Certainty) -> Option<&Case> {
        self.best[index(anomaly)][certainty as usize].as_ref()
    }
}

fn index(anomaly: Anomaly) -> usize {
    CLASSES.iter().position(|class| *class == anomaly).unwrap_or(0)
}
