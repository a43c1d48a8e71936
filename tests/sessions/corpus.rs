//! Other people's histories: litmus tests with their published or checked labels, and Redis as it was recorded.

use std::path::{Path, PathBuf};

use anachron::budget::Budget;
use anachron::check::{Settings, judge};
use anachron::contract::Requirement;
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

/// A test of others that keeps its history beside what is expected of it; a read that they call final is one.
fn conformance(path: &str) -> Option<(History, serde_json::Value)> {
    let text = std::fs::read_to_string(corpus(path)?).expect("a file").replace("\"final-read?\"", "\"final\"");
    let test: serde_json::Value = serde_json::from_str(&text).expect("json");
    let records = test["history"].as_array().expect("records").iter().map(|record| format!("{record}\n"));
    let bytes = records.collect::<String>().into_bytes();
    let history = read(Source::Bytes { name: path.to_owned(), bytes }, &Options::default()).expect("a history");
    Some((history, test["expect"].clone()))
}

/// Goal: nurturenature's tests of causal consistency, whose transactions are of lists: the anomalies that are expected are found,
/// where they are anomalies of lists at all, and what is valid there keeps causal consistency. Argued otherwise:
/// - `internal` is of registers that are written whole, last writer wins: two lists, [0 1] and [0 2], that no appending explains. We read
///   lists, and say that they are incompatible; so with `lww`, where [1] and [0] were read.
/// - `writes-follow-reads-4`: the cycle passes from a session's read to its write in another transaction, so that it is of session
///   order: `G-single-item-process`, as in `writes-follow-reads-3`.
/// - `cyclic-versions` and `garbage-versions` are about orders that Elle infers for registers; a list shows its own.
#[test]
fn nurturenature_causal() {
    let Some(folder) = corpus("causal/nurturenature-tests") else { return };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with("mww"))
        .collect();
    names.sort();
    assert!(names.len() >= 16, "{names:?}");
    for name in names {
        let Some((history, expected)) = conformance(&format!("causal/nurturenature-tests/{name}")) else { return };
        let outcome = judged(&history, Workload::ListAppend);
        let found = |anomaly: &str| outcome.findings.iter().any(|finding| finding.anomaly.name() == anomaly);
        if name == "adya-internal.json" || name == "lww-lww.json" {
            assert!(found("incompatible-order"), "{name}");
            continue;
        }
        if expected["valid"] == true {
            assert_ne!(verdict(&outcome, Guarantee::Causal), Verdict::Violated, "{name}");
        }
        for anomaly in expected["anomalies"].as_array().into_iter().flatten().filter_map(|anomaly| anomaly.as_str()) {
            let anomaly = match (anomaly, &name[..]) {
                ("cyclic-versions" | "garbage-versions", _) => continue,
                ("G-single-item", "adya-writes-follow-reads-4.json") => "G-single-item-process",
                (anomaly, _) => anomaly,
            };
            assert!(found(anomaly), "{name}: no {anomaly} in {:#?}", outcome.findings);
        }
    }
}

/// Goal: vocabularies that this version doesn't know are refused or unexplained, never passed: registers that keep the greatest value,
/// read and written several at once (`readAll`, `writeSome`: no register of ours, and `rw-register` is not there yet), and
/// `causal-reverse`, whose writes add to a list that reads return.
#[test]
fn other_vocabularies_do_not_pass() {
    for (folder, prefix) in [
        ("causal/nurturenature-tests", "mww"),
        ("eventual/nurturenature-tests", "mww"),
        ("causal-reverse/jepsen-tests", "casusal-reverse-test-can-validate-sequential"),
    ] {
        let Some(path) = corpus(folder) else { return };
        let names = std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        for name in names.iter().filter(|name| name.starts_with(prefix)) {
            let Some((history, _)) = conformance(&format!("{folder}/{name}")) else { return };
            let Ok(workload) = anachron::workload::detect(&history) else { continue };
            let outcome = judged(&history, workload);
            assert!(
                outcome.judgements.iter().all(|one| one.verdict != Verdict::Holds),
                "{name}: {:#?}",
                outcome.judgements
            );
        }
    }
}

/// Goal: Couchbase's tests of sequential consistency: what fails there is violated here, what passes is not.
#[test]
fn couchbase_sequential() {
    for (name, valid) in [
        ("sequential-monotonic-read-fail", false),
        ("sequential-monotonic-write-fail", false),
        ("sequential-ryw-fail", false),
        ("sequential-single-order-fail", false),
        ("sequential-ok", true),
        ("sequential-single-order-ok", true),
        // Not decided there, for values that are written twice, another function, or a read of unknown outcome: nothing is wrong.
        ("illegal-non-unique-write-value", true),
        ("illegal-op-function", true),
        ("illegal-op-indeterminate-read", true),
    ] {
        let Some((history, _)) = conformance(&format!("sequential/couchbase-tests/{name}.json")) else { return };
        let outcome = judged(&history, Workload::Register);
        assert_eq!(verdict(&outcome, Guarantee::Sequential) == Verdict::Violated, !valid, "{name}");
    }
}

/// Goal: nurturenature's tests of strong convergence, which compare final reads by node: what diverges there is violated here, and a
/// node that was never read at the end leaves the verdict open (there it is invalid; DEFINITIONS: `unknown`).
#[test]
fn nurturenature_convergence() {
    for (name, expected) in [
        ("sc-strong-convergence", Verdict::Holds),
        ("sc-strong-convergence-3", Verdict::Unknown),
        ("sc-strong-convergence-5", Verdict::Violated),
        ("sc-strong-convergence-6", Verdict::Violated),
    ] {
        let Some((history, _)) = conformance(&format!("eventual/nurturenature-tests/{name}.json")) else { return };
        let requirements = [Requirement::new(Guarantee::Eventual)];
        let settings = Settings { requirements: &requirements, budget: &Budget::default() };
        let outcome = judge(&history, Workload::ListAppend, &settings).expect("lists");
        let judgement = super::of(&outcome, Guarantee::Eventual);
        assert_eq!(judgement.verdict, expected, "{name}: {judgement:#?}");
    }
}
