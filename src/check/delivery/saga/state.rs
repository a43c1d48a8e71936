//! What is known of each step of one saga.

use crate::history::{History, Status, Value};
use crate::workload::records::{Fact, Place, Run};
use crate::workload::saga::Act;

/// One step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// The earliest `ok` attempt, by its end, and the one that began last.
    pub(super) ok: Option<[Run; 2]>,
    /// An attempt without an outcome: the one that ended last.
    pub(super) info: Option<Run>,
    /// The attempt that began first among those that did not fail.
    pub(super) first: Option<Run>,
    /// The same of its compensations.
    pub(super) undo_ok: Option<[Run; 2]>,
    pub(super) undo_info: Option<Run>,
    pub(super) undo_first: Option<Run>,
    /// The first two effects with different identities.
    pub(super) done: [Option<(Fact, Value)>; 2],
    pub(super) undone: [Option<(Fact, Value)>; 2],
}

impl Step {
    /// Takes in a record.
    pub(super) fn take(&mut self, act: Act) {
        let ran = |run: Run, ok: &mut Option<[Run; 2]>, info: &mut Option<Run>, first: &mut Option<Run>| {
            if run.may() && first.is_none_or(|first| run.began < first.began) {
                *first = Some(run);
            }
            match run.status {
                Status::Ok => {
                    let [early, late] = ok.get_or_insert([run, run]);
                    if run.ended < early.ended {
                        *early = run;
                    }
                    if run.began > late.began {
                        *late = run;
                    }
                }
                Status::Info if info.is_none_or(|info| closed(&run) > closed(&info)) => *info = Some(run),
                _ => {}
            }
        };
        let happened = |found: &mut [Option<(Fact, Value)>; 2], fact: Fact, id: Value| match found {
            [None, _] => found[0] = Some((fact, id)),
            [Some((_, first)), None] if *first != id => found[1] = Some((fact, id)),
            _ => {}
        };
        match act {
            Act::Step(run) => ran(run, &mut self.ok, &mut self.info, &mut self.first),
            Act::Compensate(run) => ran(run, &mut self.undo_ok, &mut self.undo_info, &mut self.undo_first),
            Act::Done(fact, id) => happened(&mut self.done, fact, id),
            Act::Undone(fact, id) => happened(&mut self.undone, fact, id),
        }
    }

    /// It certainly happened.
    pub(super) fn is_done(&self) -> bool {
        self.ok.is_some() || self.done[0].is_some()
    }

    /// It may have happened: nothing says so, and no audit says that it did not.
    pub(super) fn may_be_done(&self, audit: Option<Fact>) -> bool {
        !self.is_done() && self.info.is_some_and(|info| audit.is_none_or(|audit| audit.position < closed(&info)))
    }

    /// It certainly was undone.
    pub(super) fn is_undone(&self) -> bool {
        self.undo_ok.is_some() || self.undone[0].is_some()
    }

    /// The record that shows that it happened, or may have.
    pub(super) fn shown(&self) -> Option<Place> {
        let run = self.ok.map(|[early, _]| early.place());
        run.or(self.done[0].map(|(fact, _)| fact.place)).or(self.info.map(|info| info.place()))
    }

    /// The record that shows that it was undone, or may have been.
    pub(super) fn shown_undone(&self) -> Option<Place> {
        let run = self.undo_ok.map(|[early, _]| early.place());
        run.or(self.undone[0].map(|(fact, _)| fact.place)).or(self.undo_info.map(|info| info.place()))
    }
}

/// Where an attempt's last record is.
fn closed(run: &Run) -> u32 {
    if run.ended == History::NO_POSITION { run.began } else { run.ended }
}
