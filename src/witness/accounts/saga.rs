//! Sagas in words.

use super::{Case, Reason, Words};
use crate::guarantee::Anomaly;
use crate::history::Value;

pub(super) struct Sagas<'c> {
    pub(super) case: &'c Case<'c>,
}

impl Words for Sagas<'_> {
    fn record(&self, f: &str, key: Value, value: Value) -> String {
        let json = |value: Value| self.case.json(value);
        let field = |name: &str| self.case.history.values().get(value, name).map(json).unwrap_or_default();
        match f {
            "saga" => format!("saga {}", json(key)),
            "step" => format!("step {} of {}", field("step"), json(key)),
            "compensate" => format!("compensation of {} of {}", field("step"), json(key)),
            "effect" => format!("effect {}: {} {} of {}", field("effect"), field("kind"), field("step"), json(key)),
            "audit" => "audit: every effect is recorded".to_owned(),
            other => other.to_owned(),
        }
    }

    fn text(&self) -> String {
        let saga = format!("saga {}", self.case.json(self.case.subject));
        let certain = self.case.certain;
        match (self.case.anomaly, self.case.why) {
            (Anomaly::MissingCompensation, _) if certain => {
                format!("{saga} failed, and a step that was done was never undone: what it took is gone for nothing.")
            }
            (Anomaly::MissingCompensation, Some(Reason::UndoUnknown)) => format!(
                "{saga} failed, and whether a step was undone is unknown: a compensation with `ok`, or its effect, would \
                 decide it."
            ),
            (Anomaly::MissingCompensation, Some(Reason::UnnamedCompensation)) => format!(
                "{saga} failed, and a step was not undone, for which the plan names no compensation: name one, or give the \
                 step its kind."
            ),
            (Anomaly::MissingCompensation, _) => format!(
                "{saga} failed, and a step that ended without an answer was not undone: an `audit` with `complete`, or its \
                 effect, would decide whether it was done."
            ),
            (Anomaly::FailedAfterPivot, _) if certain => {
                format!("{saga} failed after a step was done that can't be undone: it is half done for ever.")
            }
            (Anomaly::FailedAfterPivot, Some(Reason::UndoUnknown)) => format!(
                "{saga} failed, and whether a step was undone that can't be is unknown: a compensation with `ok`, or its \
                 effect, would decide it."
            ),
            (Anomaly::FailedAfterPivot, _) => {
                format!(
                    "{saga} failed, and a step that can't be undone may have been done: an `audit` would decide it."
                )
            }
            (Anomaly::DoubleStep, _) => format!("A step of {saga} took effect twice."),
            (Anomaly::DoubleCompensation, _) => {
                format!("A step of {saga} was undone twice: what was taken once is given back twice.")
            }
            (Anomaly::ZombieEffect, _) if certain => {
                format!("A step of {saga} took effect after it was undone: nobody will undo it again.")
            }
            (Anomaly::ZombieEffect, _) => format!(
                "An effect of {saga} was recorded after its step was undone: `\"observers\": \"synchronous\"` in the header \
                 would decide whether it came too late."
            ),
            (Anomaly::DanglingSaga, _) if certain => {
                format!("{saga} has no end: whoever waits for it waits for ever, and nothing says what became of it.")
            }
            (Anomaly::DanglingSaga, _) => {
                format!("{saga} has no end yet: an `audit` with `complete` would decide whether it is left dangling.")
            }
            (Anomaly::SkippedStep, Some(Reason::LaterStep)) => {
                format!("A step of {saga} was done, and the one before it never was.")
            }
            (Anomaly::SkippedStep, _) if certain => format!("{saga} completed, and a step of its plan was not done."),
            (Anomaly::SkippedStep, _) => format!(
                "{saga} completed, and whether a step of it was done is unknown: its effect, or an `audit`, would decide it."
            ),
            (Anomaly::CompletedAndCompensated, Some(Reason::TwoEnds)) => {
                format!("{saga} ended twice: it completed, and it failed.")
            }
            (Anomaly::CompletedAndCompensated, _) => format!("{saga} completed, and a step of it was undone."),
            (Anomaly::CompensationAfterPivot, _) => {
                format!(
                    "A step of {saga} was undone after its pivot had succeeded: from there on it has to go forward."
                )
            }
            (Anomaly::CompensationWithoutStep, _) => {
                format!("A step of {saga} was undone that was never done: what was not taken is given back.")
            }
            (Anomaly::CompensationOutOfOrder, _) => {
                format!(
                    "Steps of {saga} were undone in another order than the reverse: a later one still relied on it."
                )
            }
            (Anomaly::StepAfterCompensation, _) => {
                format!("A step of {saga} was done after another had been undone: it goes back and forward at once.")
            }
            (Anomaly::StepOutOfOrder, _) => format!("A step of {saga} was done before the step that it follows began."),
            (Anomaly::UnplannedStep, _) => format!("{saga} did what its plan does not have."),
            (other, _) => format!("{other}: {saga}"),
        }
    }
}
