//! The contents of attempts: classes of equal payloads, or fingerprints, within each group.
//!
//! Where all of a group gave one and the same value, nothing is compared. Only where they differ are they written down in
//! their canonical form, so that `500` and `500.0` are found to be one.

use super::{Asked, Content};
use crate::history::Values;
use crate::workload::payload::Payloads;

/// The contents of the attempts in this order, whose groups begin at `starts`.
pub(super) fn of(values: &Values, asked: &[Asked], order: &[u32], starts: &[u32]) -> Vec<Content> {
    let mut payloads = Payloads::default();
    let mut contents = Vec::with_capacity(order.len());
    for range in starts.windows(2) {
        let group = &order[range[0] as usize..range[1] as usize];
        let given = |at: &u32| {
            let asked = &asked[*at as usize];
            if asked.payload.is_null() { (asked.fingerprint, true) } else { (asked.payload, false) }
        };
        let uniform = group.windows(2).all(|pair| given(&pair[0]) == given(&pair[1]));
        contents.extend(group.iter().map(|at| {
            let (value, fingerprint) = given(at);
            match (value.is_null(), fingerprint) {
                (true, _) => Content::Unknown,
                (false, true) => Content::Fingerprint(value.raw()),
                (false, false) if uniform => Content::Payload(0),
                (false, false) => Content::Payload(payloads.class(values, value)),
            }
        }));
    }
    contents
}
