//! What every history keeps by construction, checked on small ones by brute force that shares nothing with the stores.

mod levels;
mod oracle;
mod scripts;
mod verdicts;

use anachron::generate::{Anomaly, Level, Options, Vocabulary, generate};
use anachron::history::{History, Operation, Status};
use anachron::ingest;

/// A history's bytes.
fn bytes(options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    generate(options, &mut out).expect("options that are valid, and a writer that takes all");
    out
}

/// A history as the reader of native histories sees it.
fn history(options: &Options) -> History {
    let source = ingest::Source::Bytes { name: "generated".into(), bytes: bytes(options) };
    ingest::read(source, &ingest::Options::default()).expect("a native history")
}

/// Ten operations of three clients, with crashes and failures.
fn small(vocabulary: Vocabulary, seed: u64) -> Options {
    Options {
        operations: 10,
        processes: 3,
        keys: 2,
        crash_rate: 0.1,
        fail_rate: 0.1,
        seed,
        max_writes_per_key: 6,
        max_transaction_length: 3,
        ..Options::new(vocabulary)
    }
}

/// Goal: one seed is one history, down to the bytes; another seed is another.
#[test]
fn the_same_options_are_the_same_bytes() {
    for vocabulary in Vocabulary::ALL {
        let options = small(*vocabulary, 1);
        assert_eq!(bytes(&options), bytes(&options.clone()));
        assert_ne!(bytes(&options), bytes(&Options { seed: 2, ..options }));
    }
}

/// Goal: a seed means the same history on every machine and in every release (FNV-1a of the bytes). Whoever changes a
/// store or the order in which it asks for random numbers changes what every recorded seed means: say so in the changelog,
/// and only then change these numbers.
#[test]
fn seeds_keep_their_meaning() {
    let hash = |options: &Options| {
        bytes(options)
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
    };
    let found: Vec<u64> = Vocabulary::ALL.iter().map(|vocabulary| hash(&small(*vocabulary, 42))).collect();
    assert_eq!(found, [2_679_556_765_700_567_528, 962_809_837_524_957_467, 5_586_748_579_804_396_486]);
    let options =
        Options { level: Some(Level::SnapshotIsolation), crash_rate: 0.05, ..Options::new(Vocabulary::ListAppend) };
    assert_eq!(hash(&options), 4_778_994_387_044_137_174);
}

/// Goal: every record is of the native form and in order, the number of operations is as asked, and each rate is met.
#[test]
fn records_are_native_and_rates_are_met() {
    for vocabulary in Vocabulary::ALL {
        let operations = 4000;
        let options = Options { operations, crash_rate: 0.1, fail_rate: 0.2, ..Options::new(*vocabulary) };
        let mut last_ns = 0;
        for (index, line) in bytes(&options).split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let record: serde_json::Value = serde_json::from_slice(line).expect("a line of JSON");
            let time_ns = record["time"].as_u64().expect("a time");
            assert!(record["index"] == index && time_ns > last_ns && record["process"].is_u64(), "{record}");
            last_ns = time_ns;
        }
        let history = history(&options);
        let count = |status| history.ops().filter(|op| op.status() == status).count();
        assert_eq!(history.len(), 4000, "{vocabulary}");
        assert!(history.observations().is_empty());
        assert!((300..500).contains(&count(Status::Info)), "{vocabulary}: {} unknown", count(Status::Info));
        assert!((600..850).contains(&count(Status::Fail)), "{vocabulary}: {} failed", count(Status::Fail));
        let unfinished = history.ops().filter(|op| op.completed().is_none()).count();
        assert!((50..150).contains(&unfinished), "{vocabulary}: {unfinished} unfinished");
    }
}

/// Goal: an anomaly's operations are among those asked for, and it is in the middle, as often as asked.
#[test]
fn an_anomaly_is_in_the_middle() {
    let options = Options { anomaly: Some(Anomaly::ThinAirRead), ..Options::new(Vocabulary::ListAppend) };
    let history = history(&Options { anomalies: 3, ..options.clone() });
    let middle = crate::history(&options);
    assert_eq!((history.len(), middle.len()), (1000, 1000));
    let strangers = |history: &History| -> Vec<usize> {
        let process = |op: &Operation<'_>| history.process_name(op.process()).as_small();
        history.ops().filter(|op| process(op) >= Some(10)).map(|op| op.id.index()).collect()
    };
    assert_eq!(strangers(&middle).len(), 1);
    assert!((490..510).contains(&strangers(&middle)[0]));
    assert_eq!(strangers(&history).len(), 3);
}

/// Goal: every node reads every key at the end, they agree, and nothing is written after that.
#[test]
fn final_reads_end_a_history() {
    for vocabulary in [Vocabulary::Register, Vocabulary::Kv] {
        for level in Level::ALL.iter().filter(|level| level.fits(vocabulary)) {
            let options = Options { nodes: 3, final_reads: true, level: Some(*level), ..Options::new(vocabulary) };
            let history = history(&Options { crash_rate: 0.1, ..options });
            assert_eq!(history.len(), 1000);
            let mut seen = std::collections::BTreeMap::new();
            for op in history.ops().skip(970) {
                assert!(
                    op.is_final()
                        && op.status() == Status::Ok
                        && history.ops().nth(969).is_some_and(|op| !op.is_final())
                );
                let values: &mut Vec<_> = seen.entry(op.key()).or_default();
                values.push((op.node(), op.result()));
            }
            assert_eq!(seen.len(), 10);
            for values in seen.values() {
                assert!(values.len() == 3 && values.iter().all(|value| value.1 == values[0].1), "{values:?}");
                assert!(values[0].0 != values[1].0 && values[1].0 != values[2].0 && values[0].0 != values[2].0);
            }
        }
    }
}

/// Goal: what no store can do is refused with what could be, before anything is written.
#[test]
fn impossible_options_are_refused() {
    let register = Options::new(Vocabulary::Register);
    for (options, message) in [
        (Options { level: Some(Level::Serializable), ..register.clone() }, "no register store has the isolation"),
        (Options { anomaly: Some(Anomaly::G0), ..register.clone() }, "a register history can't show G0"),
        (Options { processes: 0, ..register.clone() }, "no history has 0 processes"),
        (Options { values: Some(0), ..register.clone() }, "nothing can be written"),
        (Options { crash_rate: f64::NAN, ..register.clone() }, "the crash rate is NaN"),
    ] {
        let mut out = Vec::new();
        let error = generate(&options, &mut out).expect_err("impossible options");
        assert!(out.is_empty() && error.to_string().starts_with(message), "{error}");
    }
    assert!(Level::ALL.iter().all(|level| Level::named(level.name()) == Some(*level)));
}
