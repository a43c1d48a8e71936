//! Why a rule found something, where it may be for one of several reasons, and the sentence depends on which.

use serde::{Deserialize, Serialize};

/// One of the reasons that a class has. `recheck` confirms that it is this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    // Of one key.
    /// Two attempts of one intent came with different keys.
    Keys,
    /// There are more effects, or answers that claim one, than can be of the other.
    Numbers,
    /// The attempt that caused the second effect had begun before the first.
    Race,
    /// A later attempt caused the second effect.
    Later,
    /// One attempt caused both effects.
    Same,
    /// Which attempt caused the second effect is not known.
    Unclear,
    /// Two answers that are kept differ.
    Differ,
    /// The second answer is not kept, and was executed after the first.
    ExecutedAgain,
    /// The answer names no resource.
    Unnamed,
    /// The answer names another resource.
    OtherResource,
    /// The answer names another scope's resource.
    ScopeResource,
    /// It was refused as another payload.
    RefusedAsMismatch,
    /// It was refused as in flight.
    RefusedAsConflict,
    /// It was refused as in flight, and the policy has it wait.
    Waits,
    /// It was refused as in flight after its outcome was there.
    Settled,
    /// It was refused as in flight when nothing was.
    Idle,
    /// It was refused as in flight when the leases of all before it were over.
    Expired,
    /// Two answers, to two payloads.
    TwoAnswers,
    /// One answer, to a payload that the key can't have been registered with.
    Registered,

    // Of one message in one group.
    /// No `drained` comes after it.
    Undrained,
    /// An offset is missing that says whether it is owed.
    Unplaced,
    /// It was never delivered.
    Undelivered,
    /// Every delivery was rejected.
    Rejected,
    /// It was dropped as processed before.
    Deduplicated,
    /// A delivery was acknowledged as processed.
    Acknowledged,
    /// Deliveries ended without an acknowledgement.
    Crashed,
    /// The group's effects are not recorded.
    Unrecorded,
    /// Its publication began later.
    Before,
    /// Its publications failed.
    Failed,
    /// It has no publication.
    Nobody,
    /// Deliveries came before, and had no effect.
    NoEffect,
    /// No delivery came before.
    NoDelivery,

    // Of one event.
    /// A publication has no known outcome.
    Unanswered,
    /// The commits that list it failed.
    Aborted,

    // Of one saga.
    /// Whether the step was undone is not known.
    UndoUnknown,
    /// Whether the step was done is not known.
    StepUnknown,
    /// The plan names no compensation of the step.
    UnnamedCompensation,
    /// A step was done, and not the one that it follows.
    LaterStep,
    /// The saga completed without the step.
    Completed,
    /// It completed, and it failed.
    TwoEnds,
    /// It completed, and a step was undone.
    Undone,

    // Of one entry.
    /// No snapshots of two systems came before.
    Unseen,
    /// The system that the policy calls right was changed.
    Authority,
    /// Another system was set to something else than that one has.
    OtherSystem,
}
