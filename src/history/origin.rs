//! Where the records came from: their original text, found again when a witness shows them.

/// Gives back the original records of a history. Histories keep byte offsets, not text, and the file has the rest.
pub trait Origin: Send + Sync + std::fmt::Debug {
    /// The record at this position, as one JSON object in text, with every field that it had.
    fn json(&self, position: u32) -> Option<String>;
    /// The record as it was written in EDN, where it was.
    fn edn(&self, _position: u32) -> Option<Edn> {
        None
    }
    /// The line on which the record begins, from 1, where there are lines.
    fn line(&self, position: u32) -> Option<u64>;
    /// The file that it is in, where the history is put together of several.
    fn source(&self, _position: u32) -> Option<&str> {
        None
    }
    /// How many rows of a foreign log became no record.
    fn left_out(&self) -> u64 {
        0
    }
    /// What its reader was told beside the bytes, as documents keep it; none where nobody said anything.
    fn told(&self) -> Option<&serde_json::Value> {
        None
    }
}

/// A record in EDN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edn {
    /// Its own words.
    pub text: String,
    /// The first thing in it that JSON has no word for, so that [`Origin::json`] shows something near.
    pub beyond_json: Option<&'static str>,
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
