//! Each level holds, and the levels above it do not always.

use crate::oracle::{Op, Order, ops, serial, snapshots};
use crate::{Anomaly, Level, Options, Vocabulary, history, small};

/// How many of the small histories of a level a brute force accepts.
fn accepted(options: impl Fn(u64) -> Options, seeds: u64, check: impl Fn(&[Op]) -> bool) -> u64 {
    (0..seeds).filter(|seed| check(&ops(&history(&options(*seed))))).count() as u64
}

/// Goal: objects of the level linearizable have an order that contains real time; with an anomaly they have none.
#[test]
fn linearizable_objects_are() {
    for vocabulary in [Vocabulary::Register, Vocabulary::Kv] {
        for (values, cas_rate) in [(None, 0.0), (None, 0.5), (Some(3), 0.5)] {
            let options = |seed| Options { values, cas_rate, keys: 1, ..small(vocabulary, seed) };
            assert_eq!(accepted(options, 40, |ops| serial(ops, Order::Realtime)), 40, "{vocabulary} {values:?}");
            for anomaly in Anomaly::ALL.iter().filter(|anomaly| anomaly.fits(vocabulary)) {
                let broken = |seed| Options { anomaly: Some(*anomaly), ..options(seed) };
                assert_eq!(accepted(broken, 20, |ops| serial(ops, Order::Realtime)), 0, "{vocabulary} {anomaly}");
            }
        }
    }
}

/// Goal: sequential registers have an order that contains session order, and mostly none that contains real time.
#[test]
fn sequential_registers_are() {
    let options =
        |seed| Options { level: Some(Level::Sequential), operations: 14, ..small(Vocabulary::Register, seed) };
    assert_eq!(accepted(options, 60, |ops| serial(ops, Order::Session)), 60);
    assert!(accepted(options, 60, |ops| serial(ops, Order::Realtime)) < 55);
}

fn lists(level: Level) -> impl Fn(u64) -> Options {
    move |seed| Options { level: Some(level), fail_rate: 0.0, ..small(Vocabulary::ListAppend, seed) }
}

/// Goal: serializable lists have a serial order, with what the level adds to it and not always with more.
#[test]
fn serializable_lists_are() {
    for (level, holds, above) in [
        (Level::StrictSerializable, Order::Realtime, None),
        (Level::StrongSessionSerializable, Order::Session, Some(Order::Realtime)),
        (Level::Serializable, Order::Any, Some(Order::Session)),
        (Level::RepeatableRead, Order::Any, Some(Order::Session)),
    ] {
        let options = |seed| Options { operations: 11, ..lists(level)(seed) };
        assert_eq!(accepted(options, 60, |ops| serial(ops, holds)), 60, "{level}");
        if let Some(above) = above {
            assert!(accepted(options, 60, |ops| serial(ops, above)) < 58, "{level} always has {above:?}");
        }
    }
}

/// Goal: snapshots explain the snapshot levels, with what the level adds and not always with more; and write skew occurs.
#[test]
fn snapshot_lists_are() {
    for (level, holds, above) in [
        (Level::StrongSnapshotIsolation, Order::Realtime, None),
        (Level::StrongSessionSnapshotIsolation, Order::Session, Some(Order::Realtime)),
        (Level::SnapshotIsolation, Order::Any, Some(Order::Session)),
    ] {
        let options = |seed| Options { operations: 8, ..lists(level)(seed) };
        assert_eq!(accepted(options, 20, |ops| snapshots(ops, holds, true)), 20, "{level}");
        assert!(accepted(options, 60, |ops| serial(ops, Order::Any)) < 60, "{level} shows no write skew");
        if let Some(above) = above {
            assert!(accepted(options, 20, |ops| snapshots(ops, above, true)) < 20, "{level} always has {above:?}");
        }
    }
    let prefix = |seed| Options { operations: 8, ..lists(Level::Prefix)(seed) };
    assert_eq!(accepted(prefix, 20, |ops| snapshots(ops, Order::Any, false)), 20, "prefix");
    assert!(accepted(prefix, 20, |ops| snapshots(ops, Order::Any, true)) < 20, "prefix shows no lost update");
}
