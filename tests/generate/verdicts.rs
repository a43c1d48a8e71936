//! The program's verdict on generated histories is the one that they have by construction.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use anachron::guarantee::Family;

use crate::{Anomaly, Level, Options, Vocabulary, bytes};

/// What `check` says of a history, and of which anomalies.
fn checked(options: &Options, require: Option<Level>) -> (String, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anachron"));
    command.args(["check", "-", "--format", "json"]);
    command.args(require.map(|level| format!("--require={level}")));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("its standard input is ours");
    stdin.write_all(&bytes(options)).expect("it reads all of it");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let names = report["histories"][0]["anomalies"].as_array().into_iter().flatten();
    let names = names.filter_map(|finding| finding["anomaly"].as_str().map(str::to_owned)).collect();
    (report["verdict"].as_str().unwrap_or_default().to_owned(), names)
}

/// Goal: registers whose values are written once are linearizable at their level, with crashes and failures, on one key
/// and on many; with an anomaly, and at the sequential level, they are not.
#[test]
fn registers_get_their_verdict() {
    for seed in 0..3 {
        for (keys, cas_rate) in [(1, 0.0), (20, 0.3)] {
            let options =
                Options { keys, cas_rate, crash_rate: 0.05, fail_rate: 0.05, ..Options::new(Vocabulary::Register) };
            let options = Options { seed, processes: 30, operations: 1000, ..options };
            assert_eq!(checked(&options, None).0, "holds", "seed {seed}, {keys} keys");
            for anomaly in Anomaly::ALL.iter().filter(|anomaly| anomaly.fits(Vocabulary::Register)) {
                let options = Options { anomaly: Some(*anomaly), ..options.clone() };
                assert_eq!(checked(&options, None).0, "violated", "seed {seed}, {keys} keys, {anomaly}");
            }
            let options = Options { level: Some(Level::Sequential), ..options };
            assert_eq!(checked(&options, None).0, "violated", "seed {seed}, {keys} keys, sequential");
        }
    }
}

/// Goal: strings that grow are linearizable, with crashes and failures; with an anomaly they are not.
#[test]
fn strings_get_their_verdict() {
    for seed in 0..3 {
        for keys in [1, 20] {
            let options = Options { keys, crash_rate: 0.05, fail_rate: 0.05, ..Options::new(Vocabulary::Kv) };
            let options = Options { seed, processes: 30, operations: 1000, ..options };
            assert_eq!(checked(&options, None).0, "holds", "seed {seed}, {keys} keys");
            for anomaly in Anomaly::ALL.iter().filter(|anomaly| anomaly.fits(Vocabulary::Kv)) {
                let options = Options { anomaly: Some(*anomaly), ..options.clone() };
                assert_eq!(checked(&options, None).0, "violated", "seed {seed}, {keys} keys, {anomaly}");
            }
        }
    }
}

/// Goal: a script in a large history is found, as what it is and as nothing else.
#[test]
fn anomalies_of_lists_are_named() {
    for (seed, anomaly) in (0..).zip(Anomaly::ALL.iter().filter(|anomaly| anomaly.fits(Vocabulary::ListAppend))) {
        let options =
            Options { anomaly: Some(*anomaly), seed, operations: 400, ..Options::new(Vocabulary::ListAppend) };
        let (verdict, found) = checked(&Options { crash_rate: 0.05, fail_rate: 0.05, ..options }, None);
        let expected: &[&str] = match anomaly {
            Anomaly::G1b => &["G-single-item", "G1b"],
            Anomaly::LostUpdate => &["G-single-item", "lost-update"],
            // And by the name of the weakest guarantee that the cycle breaks, where it has one.
            Anomaly::GSingleItem => &["G-single-item", "fractured-read"],
            Anomaly::GSingleItemProcess => &["G-single-item-process", "fractured-read-process"],
            Anomaly::GNonadjacentItem => &["G-nonadjacent-item", "non-prefix-read"],
            Anomaly::GNonadjacentItemProcess => &["G-nonadjacent-item-process", "non-prefix-read-process"],
            Anomaly::G2Item => &["G2-item", "G-update"],
            Anomaly::DirtyUpdate => &["G1a", "dirty-update"],
            anomaly => &[anomaly.name()],
        };
        let of_lists = |name: &&str| {
            let all = anachron::guarantee::Anomaly::ALL.iter();
            // What its sessions see of it besides is told too.
            all.into_iter().any(|one| one.name() == *name && one.families().contains(&Family::Transactions))
        };
        let found: BTreeSet<&str> = found.iter().map(String::as_str).filter(of_lists).collect();
        assert_eq!((&verdict[..], found), ("violated", expected.iter().copied().collect()), "{anomaly}, seed {seed}");
    }
}

/// Goal: lists keep the guarantee of their level, in histories that no brute force could judge, and break the next one.
#[test]
fn levels_of_lists_hold() {
    for (level, above) in [
        (Level::StrictSerializable, None),
        (Level::StrongSessionSerializable, Some(Level::StrictSerializable)),
        (Level::Serializable, Some(Level::StrongSessionSerializable)),
        (Level::StrongSnapshotIsolation, Some(Level::Serializable)),
        (Level::StrongSessionSnapshotIsolation, Some(Level::StrongSnapshotIsolation)),
        (Level::SnapshotIsolation, Some(Level::StrongSessionSnapshotIsolation)),
        (Level::Prefix, Some(Level::SnapshotIsolation)),
        (Level::MonotonicAtomicView, Some(Level::SnapshotIsolation)),
        (Level::ReadCommitted, Some(Level::SnapshotIsolation)),
        (Level::ReadUncommitted, Some(Level::ReadCommitted)),
    ] {
        let options =
            Options { level: Some(level), operations: 600, processes: 20, ..Options::new(Vocabulary::ListAppend) };
        let options = Options { crash_rate: 0.02, fail_rate: 0.05, seed: 7, ..options };
        let verdict = checked(&options, Some(level)).0;
        assert_eq!(verdict, "holds", "{level}");
        if let Some(above) = above {
            assert_eq!(checked(&options, Some(above)).0, "violated", "{level} keeps {above}");
        }
    }
}
