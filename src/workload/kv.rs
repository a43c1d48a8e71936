//! The vocabulary `kv`: strings by key, that grow.
//!
//! | `f` | value |
//! |---|---|
//! | `get` | on `ok`, the string that was there (null is the empty string: nothing was there) |
//! | `put` | the string that takes its place |
//! | `append` | the string that is added at its end |
//!
//! The observations are those of [`Register`], where an append is a compare-and-set whose expectation is not said: it
//! leaves behind what it found and its own text. Every key holds the empty string at first, unless `initial` says otherwise.
//!
//! Cost: linear in the operations.

use super::WorkloadError;
use super::register::{Dialect, Register};
use crate::history::History;

/// Whether anything is appended. Where nothing is, the strings are registers: each get shows what one put wrote.
#[must_use]
pub fn appends(history: &History) -> bool {
    let append = Some("append");
    history.ops().any(|op| history.values().as_str(op.f()) == append)
}

/// The observations of a history: `Read` is a get, `Write` a put, `Cas` an append, with its text and no expectation.
///
/// # Errors
/// The first operation that is none of this vocabulary, or does not say enough to be judged.
pub fn from_history(history: &History) -> Result<Register, WorkloadError> {
    Register::in_dialect(history, Dialect::Strings)
}
