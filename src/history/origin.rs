//! Where the records came from: their original text, found again when a witness shows them.

/// Gives back the original records of a history. Histories keep byte offsets, not text, and the file has the rest.
pub trait Origin: Send + Sync + std::fmt::Debug {
    /// The record at this position, as one JSON object in text, with every field that it had.
    fn json(&self, position: u32) -> Option<String>;
    /// The line on which the record begins, from 1, where there are lines.
    fn line(&self, position: u32) -> Option<u64>;
}

/// A history that was made in memory: there is no text to go back to.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOrigin;

impl Origin for NoOrigin {
    fn json(&self, _position: u32) -> Option<String> {
        None
    }

    fn line(&self, _position: u32) -> Option<u64> {
        None
    }
}
