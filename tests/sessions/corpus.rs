//! Other people's histories: litmus tests with their published or checked labels, and Redis as it was recorded.

use std::path::{Path, PathBuf};

use anachron::guarantee::{Anomaly, Guarantee};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::{judged, verdict};

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn corpus(path: &str) -> Option<PathBuf> {
    match std::env::var_os("ANACHRON_CORPUS") {
        Some(root) => Some(Path::new(&root).join(path)),
        None => {
            println!("skipped: ANACHRON_CORPUS is not set");
            None
        }
    }
}

fn load(path: &Path) -> History {
    read(Source::File(path.to_owned()), &Options::default()).expect("a history")
}

/// Goal: PRAM and causal consistency in its three strengths are what the litmus tests' labels say. The labels of single session
/// guarantees hold as far as a guarantee alone can be told: monotonic writes and writes follow reads are refuted by
/// `session`, as combinations with monotonic reads (DEFINITIONS: not blamed for what only a combination forbids), and where
/// nothing could have refuted a guarantee it is unknown.
#[test]
fn litmus_tests() {
    let Some(folder) = corpus("causal/litmus") else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() >= 22, "{} files", files.len());
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let model: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&file).expect("a file")).expect("json");
        let outcome = judged(&load(&file), Workload::Register);
        for (label, guarantee) in [
            ("PRAM", Guarantee::Pram),
            ("CC", Guarantee::WeakCausal),
            ("CCv", Guarantee::Causal),
            ("CM", Guarantee::CausalMemory),
        ] {
            let expected = if model["expect"]["models"][label] == true { Verdict::Holds } else { Verdict::Violated };
            assert_eq!(verdict(&outcome, guarantee), expected, "{name}: {label}");
        }
        let labels = &model["expect"]["session_guarantees"];
        let named = |list: &str| -> Vec<Guarantee> {
            let names = labels[list].as_array().into_iter().flatten().filter_map(|name| name.as_str());
            names.map(|name| Guarantee::named(name).expect("a guarantee")).collect()
        };
        for guarantee in named("satisfies") {
            assert_ne!(verdict(&outcome, guarantee), Verdict::Violated, "{name}: {guarantee}");
        }
        for guarantee in named("violates") {
            let alone = matches!(guarantee, Guarantee::ReadYourWrites | Guarantee::MonotonicReads);
            let told = if alone { guarantee } else { Guarantee::Session };
            assert_eq!(verdict(&outcome, told), Verdict::Violated, "{name}: {guarantee}");
        }
    }
}

/// Goal: Redis read from its primary keeps every guarantee of sessions; read from a replica that lags, sessions miss their own
/// writes, and the witness names the replica.
#[test]
fn redis() {
    let Some(primary) = corpus("recorded/redis-primary-reads.jsonl.gz") else { return };
    let outcome = judged(&load(&primary), Workload::Register);
    for guarantee in [Guarantee::Session, Guarantee::Pram, Guarantee::CausalMemory, Guarantee::MonotonicReads] {
        assert_eq!(verdict(&outcome, guarantee), Verdict::Holds, "{guarantee}");
    }
    let Some(lagging) = corpus("recorded/redis-replica-reads-lagging.jsonl.gz") else { return };
    let outcome = judged(&load(&lagging), Workload::Register);
    assert_eq!(verdict(&outcome, Guarantee::ReadYourWrites), Verdict::Violated);
    let missed = outcome.findings.iter().find(|finding| finding.anomaly == Anomaly::MissingYourWrites).expect("found");
    let witness = missed.witness.as_ref().expect("a witness");
    assert!(
        witness.rechecked && witness.operations.len() <= 4 && witness.text.contains("node replica"),
        "{}",
        witness.text
    );
}
