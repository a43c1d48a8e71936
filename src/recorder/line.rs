//! A record as it is written: the fields of a history's record, those left out that say nothing.

use serde::Serialize;

use super::Name;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Type {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// One record. Times are nanoseconds since the recorder began.
#[derive(Serialize)]
pub(super) struct Line<'a, T> {
    #[serde(rename = "type")]
    pub(super) kind: Type,
    pub(super) process: &'a Name,
    pub(super) f: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<&'a Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<T>,
    pub(super) time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<&'a Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<&'a Name>,
    #[serde(rename = "final", skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_final: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a str>,
}

impl<'a, T> Line<'a, T> {
    pub(super) fn new(kind: Type, process: &'a Name, f: &'a str) -> Line<'a, T> {
        Line {
            kind,
            process,
            f,
            key: None,
            value: None,
            time: 0,
            node: None,
            session: None,
            is_final: false,
            error: None,
        }
    }
}
