//! Findings about sagas in words.

use crate::check::delivery::cases::{Case, Words};
use crate::guarantee::Anomaly;
use crate::history::{Value, Values};
use crate::verdict::Certainty;

pub(super) struct Stories<'a> {
    pub(super) values: &'a Values,
}

impl Words for Stories<'_> {
    fn record(&self, f: &str, key: Value, value: Value) -> String {
        let json = |value: Value| self.values.json(value, 60);
        let field = |name: &str| self.values.get(value, name).map(json).unwrap_or_default();
        match f {
            "saga" => format!("saga {}", json(key)),
            "step" => format!("step {} of {}", field("step"), json(key)),
            "compensate" => format!("compensation of {} of {}", field("step"), json(key)),
            "effect" => format!("effect {}: {} {} of {}", field("effect"), field("kind"), field("step"), json(key)),
            "audit" => "audit: every effect is recorded".to_owned(),
            other => other.to_owned(),
        }
    }

    fn text(&self, anomaly: Anomaly, certainty: Certainty, case: &Case) -> String {
        let saga = format!("saga {}", self.values.json(case.subject, 60));
        let certain = certainty == Certainty::Certain;
        match (anomaly, case.because) {
            (Anomaly::MissingCompensation, _) if certain => {
                format!("{saga} failed, and a step that was done was never undone: what it took is gone for nothing.")
            }
            (Anomaly::MissingCompensation, "undo") => format!(
                "{saga} failed, and whether a step was undone is unknown: a compensation with `ok`, or its effect, would \
                 decide it."
            ),
            (Anomaly::MissingCompensation, "unnamed") => format!(
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
            (Anomaly::SkippedStep, "later") => format!("A step of {saga} was done, and the one before it never was."),
            (Anomaly::SkippedStep, _) if certain => format!("{saga} completed, and a step of its plan was not done."),
            (Anomaly::SkippedStep, _) => format!(
                "{saga} completed, and whether a step of it was done is unknown: its effect, or an `audit`, would decide it."
            ),
            (Anomaly::CompletedAndCompensated, "both") => format!("{saga} ended twice: it completed, and it failed."),
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
