//! Links between writes, by row, and the best of many findings.

use super::facts::{Facts, INITIAL};
use crate::guarantee::Anomaly;
use crate::history::OpId;
use crate::witness::sessions::{Access, Claim, Hop, Link, Why};

/// A write comes before another: see [`Link`]. By rows; `to` may be [`INITIAL`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Between {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) why: Reason,
}

/// See [`Why`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reason {
    Wrote,
    Read(u32),
    Replaced,
    Seen(Vec<(Hop, u32)>),
    /// `over` may be [`INITIAL`].
    Missed {
        first: u32,
        last: u32,
        over: u32,
    },
    Within(u32),
}

impl Between {
    /// `reader`, later in the session of the write `from`, shows `to`.
    pub(super) fn own(from: u32, reader: u32, to: u32) -> Between {
        Between { from, to, why: Reason::Seen(vec![(Hop::Session, reader)]) }
    }

    /// `earlier` shows the write `from`, and `reader`, later in the same session, shows `to`.
    pub(super) fn reread(from: u32, earlier: u32, reader: u32, to: u32) -> Between {
        Between { from, to, why: Reason::Seen(vec![(Hop::Shows, earlier), (Hop::Session, reader)]) }
    }

    /// The history says so.
    pub(super) fn replaced(from: u32, to: u32) -> Between {
        Between { from, to, why: Reason::Replaced }
    }

    fn rows(&self) -> impl Iterator<Item = u32> {
        let mut rows = vec![self.from];
        match &self.why {
            Reason::Read(by) | Reason::Within(by) => rows.push(*by),
            Reason::Missed { first, last, over } => rows.extend([*first, *last, *over]),
            Reason::Seen(hops) => rows.extend(hops.iter().map(|hop| hop.1)),
            Reason::Wrote | Reason::Replaced => {}
        }
        rows.into_iter().chain(Some(self.to)).filter(|row| *row != INITIAL)
    }
}

/// The rows that links need, each once.
fn rows(links: &[Between]) -> Vec<u32> {
    let mut rows: Vec<u32> = links.iter().flat_map(Between::rows).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// Operations, rows, operations from the first to the last, the first.
type Rank = (usize, usize, u32, OpId);

/// One kind of anomaly: how often, and where it shows best.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    best: Option<(Rank, Vec<Between>)>,
}

impl Tally {
    /// So many, none of which is told.
    pub(super) fn of(count: u64) -> Tally {
        Tally { count, best: None }
    }

    /// One more: of the fewest operations, then the fewest rows, then over the shortest stretch, then the first.
    pub(super) fn add(&mut self, facts: &Facts<'_, '_>, circle: Vec<Between>) {
        self.count += 1;
        let rows = rows(&circle);
        let mut ops: Vec<OpId> = rows.iter().map(|row| facts.accesses.op[*row as usize]).collect();
        ops.sort_unstable();
        ops.dedup();
        let (first, last) = (ops.first().copied().unwrap_or(OpId(0)), ops.last().copied().unwrap_or(OpId(0)));
        let rank = (ops.len(), rows.len(), last.0 - first.0, first);
        if self.best.as_ref().is_none_or(|best| rank < best.0) {
            self.best = Some((rank, circle));
        }
    }

    pub(super) fn best(&self) -> Option<&[Between]> {
        self.best.as_ref().map(|best| &best.1[..])
    }
}

/// A circle as a claim.
pub(super) fn claim(facts: &Facts<'_, '_>, anomaly: Anomaly, premises: &[Between], circle: &[Between]) -> Claim {
    let accesses = facts.accesses;
    let access = |row: u32| Access { op: accesses.op[row as usize], mop: accesses.mop[row as usize] };
    let link = |between: &Between| Link {
        from: access(between.from),
        to: Some(between.to).filter(|to| *to != INITIAL).map(access),
        why: match &between.why {
            Reason::Wrote => Why::Wrote,
            Reason::Read(by) => Why::Read(access(*by)),
            Reason::Replaced => Why::Replaced,
            Reason::Missed { first, last, over } => Why::Missed {
                first: access(*first),
                last: access(*last),
                over: Some(*over).filter(|over| *over != INITIAL).map(access),
            },
            Reason::Within(by) => Why::Within(access(*by)),
            Reason::Seen(hops) => Why::Seen(hops.iter().map(|(hop, row)| (*hop, access(*row))).collect()),
        },
    };
    Claim { anomaly, premises: premises.iter().map(link).collect(), circle: circle.iter().map(link).collect() }
}
