//! The histories of other checkers, with the verdicts that their tests assert.
//!
//! What a register holds at first is part of each model: null for Knossos, Jepsen and Porcupine's etcd logs (this is our own
//! default, so nothing is said), `""` for Porcupine's key-value store, and what the file's `model` says for the small ones.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anachron::budget::Budget;
use anachron::check::{Settings, objects};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::Verdict;

use super::judged;

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

fn load(path: &Path, initial: Option<&str>) -> History {
    let header = initial.map(|initial| ("initial".to_owned(), initial.to_owned())).into_iter().collect();
    read(Source::File(path.to_owned()), &Options { header, ..Options::default() }).expect("a history")
}

/// What the manifest says of linearizability: nothing where the file's test asks for something else.
fn expected(column: &str) -> Option<bool> {
    let says = |texts: [&str; 3]| texts.iter().any(|text| column.contains(text));
    match column {
        _ if says(["linearizable: true", r#"""valid"": true"#, "valid: true"]) => Some(true),
        _ if says(["linearizable: false", r#"""valid"": false"#, "valid: false"]) => Some(false),
        _ => None,
    }
}

/// The initial value that a small history's model names: `register, initial 0`.
fn initial_of_model(file: &Path) -> String {
    let text = std::fs::read_to_string(file).expect("a file");
    let model: serde_json::Value = serde_json::from_str(&text).expect("json");
    let initial = model["model"].as_str().and_then(|model| model.strip_prefix("register, initial ")).expect("a model");
    match serde_json::from_str::<serde_json::Value>(initial) {
        Ok(_) => initial.to_owned(),
        Err(_) => format!("{initial:?}"),
    }
}

/// Goal: every history of single registers has the verdict that the test it comes from asserts, whatever its format, and
/// every witness is confirmed.
#[test]
fn every_register() {
    let Some(manifest) = corpus("MANIFEST.tsv") else { return };
    let rows = std::fs::read_to_string(manifest).expect("the manifest");
    let mut counts = [0; 3];
    let mut logs = Duration::ZERO;
    for row in rows.lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let (path, kind, format) = (columns[0], columns[1], columns[2]);
        if !matches!(kind, "register-linear" | "cas-register") {
            continue;
        }
        let Some(valid) = expected(columns[6]) else { continue };
        let file = corpus(path).expect("set");
        let initial = (format == "conformance json").then(|| initial_of_model(&file));
        let begin = Instant::now();
        let outcome = judged(&load(&file, initial.as_deref()));
        if format.starts_with("jepsen text log") {
            logs += begin.elapsed();
        }
        let judgement = &outcome.judgements[0];
        // A history that reads nothing is vacuous: legal, and no evidence.
        let expected = match (valid, judgement.evidence["reads"] == 0) {
            (true, true) => Verdict::Unknown,
            (true, false) => Verdict::Holds,
            (false, _) => Verdict::Violated,
        };
        assert_eq!(judgement.verdict, expected, "{path}: {outcome:?}");
        for finding in &outcome.findings {
            let witness = finding.witness.as_ref().expect("a witness");
            assert!(witness.rechecked, "{path}: {finding:?}");
        }
        counts[match format {
            "conformance json" => 0,
            "jepsen text log (INFO jepsen.util - proc :type :f value)" => 1,
            _ => 2,
        }] += 1;
    }
    assert_eq!(counts, [22, 57, 68], "small ones, etcd's logs, Knossos's");
    // Together they take a second at most, and far less than that; this is a build without optimizations, on any machine.
    assert!(logs < Duration::from_secs(20), "etcd's logs took {logs:?}");
}

/// Goal: Porcupine's key-value histories have the verdicts that its tests assert (some texts are appended twice there: these
/// keys are searched), and every witness is
/// confirmed.
#[test]
fn every_key_value_store() {
    for (name, expected) in [
        ("c01-ok", Verdict::Holds),
        ("c01-bad", Verdict::Violated),
        ("c10-ok", Verdict::Holds),
        ("c10-bad", Verdict::Violated),
        ("c50-ok", Verdict::Holds),
        ("c50-bad", Verdict::Violated),
    ] {
        let Some(file) = corpus(&format!("kv-linear/porcupine/{name}.txt")) else { return };
        let settings = Settings { requirements: &[], budget: &Budget::default() };
        let outcome = objects::judge_kv(&load(&file, None), &settings).expect("strings");
        assert_eq!(outcome.judgements[0].verdict, expected, "{name}: {:?}", outcome.judgements);
        for finding in &outcome.findings {
            let witness = finding.witness.as_ref().expect("a witness");
            assert!(witness.rechecked && witness.operations.len() <= 6, "{name}: {finding:?}");
        }
    }
}

/// Goal: Redis read from its primary is linearizable; read from replicas it is not, even without an added lag.
#[test]
fn corpus_of_redis() {
    for (name, expected) in [
        ("redis-primary-reads", Verdict::Holds),
        ("redis-replica-reads", Verdict::Violated),
        ("redis-replica-reads-lagging", Verdict::Violated),
        ("redis-replica-only-lagging", Verdict::Violated),
    ] {
        let Some(file) = corpus(&format!("recorded/{name}.jsonl.gz")) else { return };
        let outcome = judged(&load(&file, None));
        assert_eq!(outcome.judgements[0].verdict, expected, "{name}: {:?}", outcome.judgements);
        for finding in &outcome.findings {
            let witness = finding.witness.as_ref().expect("a witness");
            assert!(witness.rechecked && witness.operations.len() <= 3, "{name}: {finding:?}");
        }
    }
}
