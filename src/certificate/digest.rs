//! The digest of a history's content, whatever format it was written in.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::history::{History, Status, Value};

/// `sha256:` and the SHA-256 of the times of the clock, a line for each record that has one: for certificates that rest on durations.
#[must_use]
pub fn times(history: &History) -> String {
    let mut hash = Sha256::new();
    let mut put = |position: Option<u32>, time: Option<i64>| {
        if let (Some(position), Some(time)) = (position, time) {
            hash.update(format!("{position}\t{time}\n"));
        }
    };
    for op in history.ops() {
        put(op.invoked(), op.invoked_time());
        put(op.completed(), op.completed_time());
    }
    for seen in history.observations() {
        put(Some(seen.position), Some(seen.time).filter(|time| *time != History::NO_TIME));
    }
    in_words(hash)
}

/// `sha256:` and the SHA-256 of the content: the header, then each operation's positions, outcome, actor and values, then the
/// observers' records, a line each, values as JSON. The same history in another format has the same digest; times of the clock
/// are not part of it: what rests on them is looked up in the history that is beside the certificate, and bounds on durations
/// name their digest ([`times`]).
#[must_use]
pub fn digest(history: &History) -> String {
    let values = history.values();
    let json = |value: Value| if value.is_absent() { String::new() } else { values.json(value, usize::MAX) };
    let mut hash = Sha256::new();
    hash.update(format!("{}\t{}\n", history.records(), json(history.header().fields)));
    for op in history.ops() {
        let status = match op.status() {
            Status::Ok => "ok",
            Status::Fail => "fail",
            Status::Info => "info",
        };
        let place = |place: Option<u32>| place.map_or_else(String::new, |place| place.to_string());
        hash.update(format!("{}\t{}\t{}\t{status}", place(op.invoked()), place(op.completed()), op.began()));
        for value in [
            history.process_name(op.process()),
            op.session(),
            op.f(),
            op.key(),
            op.argument(),
            op.result(),
            op.node(),
            op.version(),
        ] {
            hash.update("\t");
            hash.update(json(value));
        }
        for value in op.mops().iter().flat_map(|mop| [mop.f, mop.key, mop.value]) {
            hash.update("\t");
            hash.update(json(value));
        }
        hash.update(if op.is_final() { "\tfinal\n" } else { "\n" });
    }
    for seen in history.observations() {
        hash.update(format!("{}", seen.position));
        for value in [history.process_name(seen.process), seen.f, seen.key, seen.value, seen.node] {
            hash.update("\t");
            hash.update(json(value));
        }
        hash.update("\n");
    }
    in_words(hash)
}

fn in_words(hash: Sha256) -> String {
    let mut text = "sha256:".to_owned();
    for byte in hash.finalize() {
        // To write into a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
