//! A figure that is known exactly, or within bounds.

use serde_json::{Value, json};

/// The smallest number that is enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Range<T> {
    pub(super) at_least: T,
    /// None: nobody knows.
    pub(super) at_most: Option<T>,
}

impl<T: Ord + Copy + Into<Value> + serde::Serialize> Range<T> {
    pub(super) const fn exactly(figure: T) -> Range<T> {
        Range { at_least: figure, at_most: Some(figure) }
    }

    pub(super) const fn from(at_least: T) -> Range<T> {
        Range { at_least, at_most: None }
    }

    /// What is enough for both.
    pub(super) fn and(self, other: Range<T>) -> Range<T> {
        Range {
            at_least: self.at_least.max(other.at_least),
            at_most: self.at_most.zip(other.at_most).map(|(a, b)| a.max(b)),
        }
    }

    /// A number, or an object of two.
    pub(super) fn json(self) -> Value {
        match self.at_most {
            Some(most) if most == self.at_least => most.into(),
            most => json!({"at_least": self.at_least, "at_most": most}),
        }
    }
}
