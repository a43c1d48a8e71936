//! Which guarantees a dependency graph leaves possible: existence of cycles only, in linear time, nothing searched.
//!
//! Exact for lists whose version orders are known: Adya's levels are defined by such cycles, and where appends that nobody
//! observed leave a choice of order, an acyclic graph has a topological order, which is a choice that satisfies it. Snapshot
//! isolation needs more than that where there is a choice: see `orders`.
//!
//! A strict form contains session order too: sessions are sequential, so real time contains it wherever a session's
//! operations do not overlap, and the lattice says that `strict-serializable` implies `strong-session-serializable`.
//!
//! Sources: Adya, PhD thesis (MIT 1999), 3.2; Cerone and Gotsman, Analysing Snapshot Isolation (PODC 2016), theorem 10;
//! Daudjee and Salem (VLDB 2006) for the session forms.

use crate::graph::{Graph, Relations, has_cycle};
use crate::guarantee::Guarantee;

/// The orders beyond the data that a form of a guarantee contains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Form {
    /// None.
    Plain,
    /// Session order.
    Session,
    /// Session order and real time.
    Strict,
}

impl Form {
    pub(super) const ALL: [Form; 3] = [Form::Plain, Form::Session, Form::Strict];

    pub(super) fn relations(self) -> Relations {
        match self {
            Form::Plain => Relations::NONE,
            Form::Session => Relations::PROCESS,
            Form::Strict => Relations::PROCESS | Relations::REALTIME,
        }
    }
}

/// Which cycles a guarantee forbids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Forbidden {
    /// Of ww.
    Writes,
    /// Of ww and wr.
    Dependencies,
    /// Of all relations, without two adjacent rw.
    NonAdjacent,
    /// All.
    All,
}

impl Forbidden {
    const ALL: [Forbidden; 4] = [Forbidden::Writes, Forbidden::Dependencies, Forbidden::NonAdjacent, Forbidden::All];

    pub(super) fn relations(self) -> Relations {
        match self {
            Forbidden::Writes => Relations::WW,
            Forbidden::Dependencies => Relations::WW | Relations::WR,
            Forbidden::NonAdjacent | Forbidden::All => Relations::WW | Relations::WR | Relations::RW,
        }
    }
}

/// What a guarantee asks of reads, beside cycles.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Reads {
    /// That the versions exist, in one order.
    Exist,
    /// That they are committed, final, and not the reader's own later ones.
    Committed,
    /// That a transaction does not contradict itself.
    Consistent,
}

/// A guarantee that is judged here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) guarantee: Guarantee,
    pub(super) forbidden: Forbidden,
    pub(super) form: Form,
    pub(super) reads: Reads,
}

const fn level(guarantee: Guarantee, forbidden: Forbidden, form: Form, reads: Reads) -> Level {
    Level { guarantee, forbidden, form, reads }
}

/// All of them, the strongest first.
pub(super) const LEVELS: [Level; 13] = [
    level(Guarantee::StrictSerializable, Forbidden::All, Form::Strict, Reads::Consistent),
    level(Guarantee::StrongSessionSerializable, Forbidden::All, Form::Session, Reads::Consistent),
    level(Guarantee::Serializable, Forbidden::All, Form::Plain, Reads::Consistent),
    level(Guarantee::StrongSnapshotIsolation, Forbidden::NonAdjacent, Form::Strict, Reads::Consistent),
    level(Guarantee::StrongSessionSnapshotIsolation, Forbidden::NonAdjacent, Form::Session, Reads::Consistent),
    level(Guarantee::SnapshotIsolation, Forbidden::NonAdjacent, Form::Plain, Reads::Consistent),
    level(Guarantee::RepeatableRead, Forbidden::All, Form::Plain, Reads::Committed),
    level(Guarantee::StrongReadCommitted, Forbidden::Dependencies, Form::Strict, Reads::Committed),
    level(Guarantee::StrongSessionReadCommitted, Forbidden::Dependencies, Form::Session, Reads::Committed),
    level(Guarantee::ReadCommitted, Forbidden::Dependencies, Form::Plain, Reads::Committed),
    level(Guarantee::StrongReadUncommitted, Forbidden::Writes, Form::Strict, Reads::Exist),
    level(Guarantee::StrongSessionReadUncommitted, Forbidden::Writes, Form::Session, Reads::Exist),
    level(Guarantee::ReadUncommitted, Forbidden::Writes, Form::Plain, Reads::Exist),
];

/// Which cycles exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Existing {
    by: [[bool; Form::ALL.len()]; Forbidden::ALL.len()],
}

impl Existing {
    /// No cycle at all.
    pub(super) fn none() -> Existing {
        Existing { by: Default::default() }
    }

    /// Twelve tests at most.
    pub(super) fn find(graph: &Graph) -> Existing {
        let mut by = [[false; Form::ALL.len()]; Forbidden::ALL.len()];
        for forbidden in Forbidden::ALL.into_iter().rev() {
            for form in Form::ALL.into_iter().rev() {
                // Where more relations make no cycle, fewer do not either.
                let (row, column) = (forbidden as usize, form as usize);
                let more = by.get(row + 1).is_some_and(|above| !above[column])
                    || by[row].get(column + 1).is_some_and(|stricter| !stricter);
                let adjacent = forbidden == Forbidden::NonAdjacent;
                let relations = forbidden.relations() | form.relations();
                by[row][column] = !more && has_cycle(graph, relations, adjacent);
            }
        }
        Existing { by }
    }

    /// Whether there is a cycle that this forbids.
    pub(super) fn any(&self, forbidden: Forbidden, form: Form) -> bool {
        self.by[forbidden as usize][form as usize]
    }
}
