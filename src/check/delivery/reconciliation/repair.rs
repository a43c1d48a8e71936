//! Repairs: was there a difference to fix, and was it fixed once?
//!
//! What a repair can have worked from: of each system the last snapshot before it began, or any that was taken while it ran,
//! with what earlier repairs had changed since. A fix is explained where some of these differ; it is called wrong only
//! where none do, and where that depends on a repair whose outcome is unknown, or that ran at the same time, it is
//! possible.
//!
//! Cost of a fix: the systems, and what was recorded of the entry while its repair ran; under the budget.

use super::{Judge, Map};
use crate::budget::Meter;
use crate::guarantee::Anomaly;
use crate::history::{History, Value};
use crate::verdict::Certainty::{Certain, Possible};
use crate::verdict::StoppedBy;
use crate::witness::accounts::Reason;
use crate::workload::reconciliation::{Fix, Reconcile, Reconciliation, Snapshot};
use crate::workload::records::Place;

/// What a system has under an id.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Cell {
    Absent,
    Is(Value),
    /// Several values: it agrees with nothing.
    Several,
    /// What a repair left: of null, nobody knows whether that is an entry.
    Fixed(Value),
}

impl Cell {
    pub(super) fn agrees(self, other: Cell) -> bool {
        match (self, other) {
            (Cell::Several, _) | (_, Cell::Several) => false,
            (Cell::Fixed(value), Cell::Absent) | (Cell::Absent, Cell::Fixed(value)) => value.is_null(),
            (Cell::Fixed(a) | Cell::Is(a), Cell::Fixed(b) | Cell::Is(b)) => a == b,
            (Cell::Absent, Cell::Absent) => true,
            _ => false,
        }
    }
}

/// What a system may have had: all of it, or as much as decides whether it agrees with what others had.
struct Cells {
    cells: Vec<Cell>,
    all: bool,
}

impl Cells {
    /// Nothing agrees with more than three: what a repair left of null, with itself, with no entry, and with one that is null.
    const ENOUGH: usize = 4;

    fn add(&mut self, cell: Cell) {
        // What a repair left is what it is, but of null.
        let cell = match cell {
            Cell::Fixed(value) if !value.is_null() => Cell::Is(value),
            cell => cell,
        };
        if self.all || (self.cells.len() < Cells::ENOUGH && !self.cells.contains(&cell)) {
            self.cells.push(cell);
        }
    }
}

/// The fixes of one entry, by the end of their repairs.
#[derive(Default)]
struct Fixes {
    /// Each with its repair, and where that began and ended.
    by_end: Vec<(u32, Value, u32, u32)>,
    /// From each on: where the first of these repairs began.
    began: Vec<u32>,
}

impl Fixes {
    fn index(&mut self) {
        self.by_end.sort_by_key(|(.., ended)| *ended);
        self.began = vec![u32::MAX; self.by_end.len()];
        let mut first = u32::MAX;
        for (known, (_, _, began, _)) in self.began.iter_mut().zip(&self.by_end).rev() {
            first = first.min(*began);
            *known = first;
        }
    }

    /// Those whose repairs ended at or after `since`, and began by `until`. What came later is not walked through.
    fn between(&self, since: u32, until: u32) -> impl Iterator<Item = (u32, Value)> + '_ {
        let first = self.by_end.partition_point(|(.., ended)| *ended < since);
        let some = self.by_end[first..].iter().zip(&self.began[first..]);
        let some = some.take_while(move |(_, began)| **began <= until);
        some.filter(move |((_, _, began, _), _)| *began <= until).map(|((repair, to, ..), _)| (*repair, *to))
    }

    /// The repair beside this one that began by then and ended last; one without an end only where there is no other.
    fn last(&self, until: u32, but: u32) -> Option<u32> {
        let before = self.by_end.partition_point(|(.., ended)| *ended <= until);
        let (mut last, mut open) = (None, None);
        for (&(repair, _, began, ended), first) in self.by_end[before..].iter().zip(&self.began[before..]) {
            if *first > until {
                break;
            }
            if repair != but && began <= until {
                let found = if ended == History::NO_POSITION { &mut open } else { &mut last };
                *found = Some(repair);
            }
        }
        let earlier = || self.by_end[..before].iter().rev().map(|(repair, ..)| *repair).find(|one| *one != but);
        last.or_else(earlier).or(open)
    }
}

/// Snapshots and repairs, found by system and id.
pub(super) struct Repairs<'a> {
    read: &'a Reconciliation,
    cells: Map<(u32, Value), Cell>,
    /// For each system, its snapshots by position.
    snapshots: Vec<Vec<u32>>,
    /// The fixes of each entry.
    fixes: Map<(u32, Value), Fixes>,
    /// The ids that were ever fixed.
    fixed: Map<Value, ()>,
}

impl<'a> Repairs<'a> {
    /// Of a history. Without a repair there is nothing to find.
    pub(super) fn of(read: &'a Reconciliation) -> Repairs<'a> {
        let mut repairs = Repairs {
            read,
            cells: Map::default(),
            snapshots: vec![Vec::new(); read.systems.len()],
            fixes: Map::default(),
            fixed: Map::default(),
        };
        if read.fixes.is_empty() {
            return repairs;
        }
        for (at, snapshot) in (0u32..).zip(&read.snapshots) {
            repairs.snapshots[snapshot.system as usize].push(at);
            for &(id, value) in &read.entries[snapshot.entries.clone()] {
                let cell = repairs.cells.entry((at, id)).or_insert(Cell::Is(value));
                if *cell != Cell::Is(value) {
                    *cell = Cell::Several;
                }
            }
        }
        for (at, repair) in (0u32..).zip(&read.reconciles).filter(|(_, repair)| repair.run.may()) {
            for fix in &read.fixes[repair.fixes.clone()] {
                let fixes = repairs.fixes.entry((fix.system, fix.id)).or_default();
                fixes.by_end.push((at, fix.to, repair.run.began, repair.run.ended));
                repairs.fixed.insert(fix.id, ());
            }
        }
        repairs.fixes.values_mut().for_each(Fixes::index);
        repairs
    }

    fn cell(&self, snapshot: u32, id: Value) -> Cell {
        self.cells.get(&(snapshot, id)).copied().unwrap_or(Cell::Absent)
    }

    fn repair(&self, at: u32) -> &'a Reconcile {
        &self.read.reconciles[at as usize]
    }

    /// Whether repairs that ended after the last snapshots would have settled a difference under this id: then one of them.
    pub(super) fn settle(&self, id: Value, last: &[&Snapshot]) -> Option<Place> {
        self.fixed.get(&id)?;
        let mut by = None;
        let mut cells = last.iter().map(|snapshot| {
            let last = self.fixes.get(&(snapshot.system, id)).and_then(|fixes| fixes.by_end.last());
            if let Some((at, to, ..)) = last.filter(|(.., ended)| *ended > snapshot.fact.position) {
                by = Some(self.repair(*at).run.place());
                return Cell::Fixed(*to);
            }
            let of = self.snapshots[snapshot.system as usize].last();
            of.map_or(Cell::Absent, |at| self.cell(*at, id))
        });
        let mut plain = cells.next()?;
        let mut settled = plain != Cell::Several;
        for cell in cells {
            settled &= cell.agrees(plain);
            // What a repair left of null agrees with two things, and these not with each other.
            if matches!(plain, Cell::Fixed(_)) {
                plain = cell;
            }
        }
        by.filter(|_| settled)
    }

    /// What this system may have had under an id when `of` ran; nothing where no snapshot tells. `applied`: whether repairs
    /// with an unknown outcome, and those that ran at the same time, are taken for done before; `all`: more than decides whether it agrees with what others had.
    fn seen(
        &self,
        of: &Reconcile,
        (system, id): (u32, Value),
        applied: Option<bool>,
        all: bool,
        meter: &mut Meter<'_>,
    ) -> Result<Vec<Cell>, StoppedBy> {
        let snapshots = &self.snapshots[system as usize];
        let position = |at: &u32| self.read.snapshots[*at as usize].fact.position;
        let before = snapshots.partition_point(|at| position(at) < of.run.began);
        let during = snapshots.partition_point(|at| position(at) < of.run.ended);
        let (mut cells, mut done) = (Cells { cells: Vec::new(), all }, None);
        // Up to here, what was seen may have been changed before the repair saw it.
        let mut changed = None;
        let Some((first, rest)) = snapshots[before.saturating_sub(1)..during].split_first() else {
            return Ok(cells.cells);
        };
        let fixes = self.fixes.get(&(system, id)).filter(|_| applied.is_some());
        for (other, to) in fixes.into_iter().flat_map(|fixes| fixes.between(position(first), of.run.ended)) {
            meter.step()?;
            let (run, ran) = (self.repair(other).run, of.run);
            if run.op == ran.op {
                continue;
            }
            if run.is_ok() && run.ended < ran.began {
                // They come by their ends. What was seen while the repair ran came after all of these.
                done = Some(Cell::Fixed(to));
            } else if applied == Some(true) {
                changed = changed.max(Some(run.ended));
                cells.add(Cell::Fixed(to));
            }
        }
        if changed < Some(position(first)) {
            cells.add(done.unwrap_or_else(|| self.cell(*first, id)));
        }
        for at in rest {
            meter.step()?;
            if changed < Some(position(at)) {
                cells.add(self.cell(*at, id));
            }
        }
        Ok(cells.cells)
    }

    /// The records that show by themselves what a system had under an id when `of` ran: a snapshot that nobody else can have
    /// changed since, or the last repair after one, where all that changed the entry certainly came before.
    pub(super) fn shows(
        &self,
        history: &History,
        of: &Reconcile,
        (system, id): (u32, Value),
        meter: &mut Meter<'_>,
    ) -> Result<Vec<(u32, Cell)>, StoppedBy> {
        let snapshots = &self.snapshots[system as usize];
        let position = |at: &u32| self.read.snapshots[*at as usize].fact.position;
        let before = snapshots.partition_point(|at| position(at) < of.run.began);
        let during = snapshots.partition_point(|at| position(at) < of.run.ended);
        let fixes = self.fixes.get(&(system, id));
        let mut shown = Vec::new();
        for at in &snapshots[before.saturating_sub(1)..during] {
            meter.step()?;
            let mut last = Some((0, (position(at), self.cell(*at, id))));
            for (other, to) in fixes.into_iter().flat_map(|fixes| fixes.between(position(at), of.run.ended)) {
                meter.step()?;
                let run = self.repair(other).run;
                if run.op == of.run.op {
                    continue;
                }
                let sure = run.is_ok() && run.ended < of.run.began;
                last = last.filter(|_| sure).map(|last| match run.ended >= last.0 {
                    true => (run.ended, (history.op(run.op).position(), Cell::Fixed(to))),
                    false => last,
                });
            }
            shown.extend(last.map(|(_, shown)| shown));
        }
        Ok(shown)
    }

    /// Whether some systems may have differed at an entry when `of` ran: `None` where no snapshots tell.
    fn differs(
        &self,
        of: &Reconcile,
        fix: &Fix,
        applied: Option<bool>,
        meter: &mut Meter<'_>,
    ) -> Result<Option<bool>, StoppedBy> {
        let own = self.seen(of, (fix.system, fix.id), applied, false, meter)?;
        let mut known = false;
        for system in (0u32..).take(self.snapshots.len()).filter(|system| *system != fix.system) {
            meter.step()?;
            let others = self.seen(of, (system, fix.id), applied, false, meter)?;
            known |= !others.is_empty();
            if own.iter().any(|a| others.iter().any(|b| !a.agrees(*b))) {
                return Ok(Some(true));
            }
        }
        Ok((known && !own.is_empty()).then_some(false))
    }

    /// The snapshot that a story shows of a system: the last that `of` can have worked from.
    fn shown(&self, of: &Reconcile, system: u32) -> Option<Place> {
        let position = |at: &u32| self.read.snapshots[*at as usize].fact.position;
        let snapshots = &self.snapshots[system as usize];
        let end = snapshots.partition_point(|at| position(at) < of.run.ended);
        end.checked_sub(1).map(|at| self.read.snapshots[snapshots[at] as usize].fact.place)
    }
}

impl Judge<'_> {
    /// Judges every fix of every repair that was done.
    pub(super) fn repairs(&mut self, authority: Option<usize>, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let read = self.read;
        let authority = authority.and_then(|system| u32::try_from(system).ok());
        for (number, repair) in (0u32..).zip(&read.reconciles).filter(|(_, repair)| repair.run.is_ok()) {
            for fix in &read.fixes[repair.fixes.clone()] {
                self.fix((number, repair), fix, meter)?;
                if let Some(authority) = authority {
                    self.overruled(repair, fix, authority, meter)?;
                }
            }
        }
        Ok(())
    }

    fn fix(&mut self, (number, repair): (u32, &Reconcile), fix: &Fix, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let repairs = self.repairs;
        let without = repairs.differs(repair, fix, Some(false), meter)?;
        let with = repairs.differs(repair, fix, Some(true), meter)?;
        let sure = match (without, with) {
            (Some(true), Some(true)) => return Ok(()),
            (Some(false), Some(false)) => Certain,
            _ => Possible,
        };
        let raw = repairs.differs(repair, fix, None, meter)?;
        let earlier = repairs.fixes.get(&(fix.system, fix.id)).and_then(|fixes| fixes.last(repair.run.ended, number));
        let earlier = earlier.map(|at| repairs.repair(at));
        let mut places = vec![repair.run.place()];
        let mut why = None;
        let anomaly = if raw == Some(true) { Anomaly::RepeatedRepair } else { Anomaly::OverCorrection };
        if anomaly == Anomaly::RepeatedRepair {
            places.extend(earlier.map(|other| other.run.place()));
        } else if raw.is_none() {
            why = Some(Reason::Unseen);
        } else {
            let others = (0u32..).take(repairs.snapshots.len()).filter(|system| *system != fix.system);
            places.extend(repairs.shown(repair, fix.system));
            places.extend(others.filter_map(|system| repairs.shown(repair, system)).next());
        }
        self.tally.add((anomaly, sure), fix.id, repair.run.ended, why, &places);
        Ok(())
    }

    fn overruled(
        &mut self,
        repair: &Reconcile,
        fix: &Fix,
        authority: u32,
        meter: &mut Meter<'_>,
    ) -> Result<(), StoppedBy> {
        let repairs = self.repairs;
        let mut places = vec![repair.run.place()];
        let (sure, why) = if fix.system == authority {
            (Certain, Reason::Authority)
        } else {
            let right = repairs.seen(repair, (authority, fix.id), Some(false), true, meter)?;
            if right.iter().any(|cell| cell.agrees(Cell::Fixed(fix.to))) {
                return Ok(());
            }
            places.extend(repairs.shown(repair, authority));
            (if right.is_empty() { Possible } else { Certain }, Reason::OtherSystem)
        };
        self.tally.add((Anomaly::AuthorityOverruled, sure), fix.id, repair.run.ended, Some(why), &places);
        Ok(())
    }
}
