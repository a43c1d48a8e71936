//! Histories with known verdicts: Elle's own tests, and PostgreSQL's recorded runs.

use std::path::{Path, PathBuf};

use anachron::guarantee::Guarantee as G;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Outcome, Verdict};
use anachron::witness::Minimality;
use anachron::workload::list_append::ListAppend;
use serde_json::Value;

use super::cases::{anomalies, judged, verdict};
use super::mini::history;

#[expect(clippy::print_stdout, reason = "says why a test was skipped")]
fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("ANACHRON_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        println!("skipped: ANACHRON_CORPUS is not set");
    }
    corpus
}

/// The outcome, or the message of what refused the file.
fn outcome(file: &Path) -> Result<Outcome, String> {
    let history = read(Source::File(file.to_owned()), &Options::default()).map_err(|error| error.message)?;
    ListAppend::from_history(&history).map_err(|error| error.message)?;
    Ok(judged(&history))
}

/// Goal: PostgreSQL keeps what it promises at each level, and breaks what it does not promise, by name.
#[test]
fn postgres() {
    let Some(corpus) = corpus() else { return };
    let file = |level: &str| corpus.join(format!("recorded/postgres-list-append-{level}.jsonl.gz"));
    let of = |level: &str| outcome(&file(level)).expect("a history");
    let committed = of("rc");
    assert_eq!(verdict(&committed, G::ReadCommitted), Verdict::Holds);
    assert_eq!(verdict(&committed, G::SnapshotIsolation), Verdict::Violated);
    for anomaly in ["lost-update", "internal", "G-single-item", "G2-item"] {
        assert!(anomalies(&committed).contains(&anomaly), "{anomaly}");
    }
    let repeatable = of("rr");
    assert_eq!(verdict(&repeatable, G::SnapshotIsolation), Verdict::Holds);
    assert_eq!(verdict(&repeatable, G::StrongSnapshotIsolation), Verdict::Holds);
    assert_eq!(verdict(&repeatable, G::Serializable), Verdict::Violated);
    // (Components that only session order or real time make show write skew in their form.)
    assert_eq!(anomalies(&repeatable), ["G2-item", "G2-item-process", "G2-item-realtime", "G-update"]);
    let serializable = of("ser");
    assert_eq!(verdict(&serializable, G::StrictSerializable), Verdict::Holds);
    assert_eq!(anomalies(&serializable), [""; 0]);
}

/// Elle's tests whose input is no history of list-append, and why. Those that say anything are judged below, as the history
/// that was meant.
const NOT_A_HISTORY: &[(&str, &str)] = &[
    // Two transactions append 3 to x (Elle's test calls a function that does not look).
    ("internal-cases-test-append-read.json", "is appended to key \"x\" a second time"),
    // No records at all.
    ("g1a-cases-test-empty.json", "no records"),
    ("g1b-cases-test-empty.json", "no records"),
    ("internal-cases-test-empty.json", "no records"),
    // Process 0 invokes five transactions at once; a process has one at a time.
    ("unobserved-write-test-serializable.json", "invokes an operation while its last one has no completion"),
];

/// Goal: every list-append test of Elle's comes to what Elle's test says: the anomalies are found, what it rules out is
/// violated, and the levels that it finds valid hold. Elle judges one level at a time and hides the anomalies of others, so
/// more may be found here.
#[test]
fn elle_tests() {
    let Some(corpus) = corpus() else { return };
    let mut files: Vec<PathBuf> = std::fs::read_dir(corpus.join("list-append/elle-tests"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 40);
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        match (outcome(&file), NOT_A_HISTORY.iter().find(|known| known.0 == name)) {
            (Ok(outcome), None) => {
                let text = std::fs::read_to_string(&file).expect("a readable file");
                conforms(&name, &serde_json::from_str(&text).expect("JSON"), &outcome);
            }
            (Err(error), Some(known)) => assert!(error.contains(known.1), "{name}: {error}"),
            (Ok(_), Some(_)) => panic!("{name} was thought to be no history"),
            (Err(error), None) => panic!("{name}: {error}"),
        }
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn conforms(name: &str, test: &Value, outcome: &Outcome) {
    let (options, expected, found) = (&test["options"], &test["expect"], anomalies(outcome));
    // "empty-transaction-graph" is not an anomaly: where nothing was read, the verdicts are unknown here.
    for anomaly in strings(&expected["anomalies"]).into_iter().filter(|one| *one != "empty-transaction-graph") {
        assert!(found.contains(&anomaly), "{name}: {anomaly} is not in {found:?}");
    }
    for guarantee in strings(&expected["not"]) {
        let guarantee = G::named(guarantee).expect("a guarantee");
        let ruled_out = outcome.findings.iter().any(|finding| finding.rules_out.contains(&guarantee));
        assert!(ruled_out, "{name}: {guarantee} is not ruled out by {found:?}");
    }
    if let Some(function) = options["function"].as_str() {
        return only(name, function, &expected["details"]["cases"], outcome);
    }
    let asked = strings(&options["anomalies"]);
    let models = match strings(&options["consistency-models"]) {
        none if none.is_empty() && asked.is_empty() => vec!["strict-serializable"],
        models => models,
    };
    match &expected["valid"] {
        Value::Bool(true) => {
            for model in models {
                let model = G::named(model).expect("a guarantee");
                assert_eq!(verdict(outcome, model), Verdict::Holds, "{name}: {model}");
            }
            assert!(asked.iter().all(|anomaly| !found.contains(anomaly)), "{name}: {asked:?} in {found:?}");
        }
        Value::Bool(false) => {
            for model in models {
                let model = G::named(model).expect("a guarantee");
                assert_eq!(verdict(outcome, model), Verdict::Violated, "{name}: {model}");
            }
        }
        // An empty graph. Where there is nothing else, all is unknown.
        _ => assert!(!found.is_empty() || outcome.judgements.iter().all(|one| one.verdict == Verdict::Unknown)),
    }
}

/// Tests of one function: its own anomalies, as often as it finds them.
fn only(name: &str, function: &str, cases: &Value, outcome: &Outcome) {
    let kinds: &[&str] = match function {
        "g1a-cases" => &["G1a"],
        "g1b-cases" => &["G1b"],
        "internal-cases" => &["internal", "future-read"],
        other => panic!("{name}: {other} is a new function"),
    };
    for kind in kinds {
        let listed = cases.as_array().or_else(|| cases[kind].as_array()).map_or(0, Vec::len);
        let found = outcome.findings.iter().find(|finding| finding.anomaly.name() == *kind);
        assert_eq!(found.map_or(0, |finding| finding.count), listed as u64, "{name}: {kind}");
    }
}

/// Goal: what Elle's malformed tests meant, with a process for each transaction in flight.
#[test]
fn elle_tests_as_they_were_meant() {
    let outcome = judged(&history(
        "0> ax1 ay1; 1> ax2 ay2; 2> ax3 ay3; 3> rx; 4> ry; 0= ax1 ay1; 1= ax2 ay2; 2= ax3 ay3; 3= rx[1 2]; 4= ry[2]",
    ));
    assert_eq!(verdict(&outcome, G::ReadUncommitted), Verdict::Violated);
    let outcome_of = |text: &str| anomalies(&judged(&history(text)));
    assert_eq!(outcome_of("ax1; ax2; ax4; ax3 rx[1 2 3 4]"), ["G1c", "internal"]);
    assert_eq!(outcome_of("ax3 rx[]"), ["internal"]);
    assert!(["G0", "G-single-item"].iter().all(|anomaly| anomalies(&outcome).contains(anomaly)));
}

/// Goal: the histories that Elle and elle-cli ship.
#[test]
fn elle_histories() {
    let Some(corpus) = corpus() else { return };
    let of = |file: &str| outcome(&corpus.join("list-append").join(file));
    // (Elle's own copy has no processes; each completion follows its invocation, so nothing is lost.)
    for file in ["elle/paper-example.edn", "elle-cli/paper-example.edn", "elle-cli/paper-example.json"] {
        let paper = of(file).expect("a history");
        assert_eq!(verdict(&paper, G::StrictSerializable), Verdict::Violated, "{file}");
        assert_eq!(verdict(&paper, G::ReadCommitted), Verdict::Holds, "{file}");
        assert!(anomalies(&paper).contains(&"G-single-item"), "{:?}", anomalies(&paper));
    }
    let gh30 = of("elle-cli/list-append-gh-30.edn").expect("a history");
    assert_eq!(verdict(&gh30, G::Serializable), Verdict::Violated);
    let skew = of("elle/si-without-g-single.edn").expect("a history");
    // (Only real time makes more of it: T4 read a state without what T3 had appended.)
    assert_eq!(anomalies(&skew), ["G-single-item-realtime", "G2-item", "G-update"]);
    assert_eq!(verdict(&skew, G::SnapshotIsolation), Verdict::Holds);
    assert_eq!(verdict(&skew, G::RepeatableRead), Verdict::Violated);
}

/// Goal: a component of ten thousand transactions, where Elle's search times out, is answered in full.
#[test]
fn huge_component() {
    let Some(corpus) = corpus() else { return };
    let huge = outcome(&corpus.join("list-append/elle/huge-scc.edn.gz")).expect("a history");
    assert_eq!(verdict(&huge, G::StrongSnapshotIsolation), Verdict::Violated);
    assert_eq!(verdict(&huge, G::StrictSerializable), Verdict::Violated);
    assert!(huge.judgements.iter().all(|judgement| judgement.verdict != Verdict::Unknown), "{:#?}", huge.judgements);
    for finding in &huge.findings {
        let minimality = finding.witness.as_ref().map(|witness| witness.minimality);
        assert_eq!(minimality, Some(Minimality::Minimum), "{}", finding.anomaly);
    }
    assert!(anomalies(&huge).contains(&"G2-item-realtime"));
}

/// Goal: the outcome is the same, to the last word, whatever the number of threads.
#[test]
fn threads_change_nothing() {
    let Some(corpus) = corpus() else { return };
    let file = corpus.join("recorded/postgres-list-append-rc.jsonl.gz");
    let said = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| format!("{:?}", outcome(&file)))
    };
    assert_eq!(said(1), said(5));
}
