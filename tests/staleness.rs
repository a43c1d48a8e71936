//! Goal: staleness and convergence of the histories whose truth somebody else counted, and of generated ones.

use std::path::PathBuf;

use anachron::budget::Budget;
use anachron::check::{Settings, judge};
use anachron::contract::Requirement;
use anachron::generate::{Level, Options as Generated, Vocabulary, generate};
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Judgement, Outcome, Verdict};
use anachron::workload::Workload;
use serde_json::{Value, json};

fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("ANACHRON_CORPUS").map(PathBuf::from);
    if path.is_none() {
        #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
        {
            eprintln!("skipped: ANACHRON_CORPUS is not set");
        }
    }
    path
}

fn outcome(history: &History, workload: Workload, require: &[&str]) -> Outcome {
    let requirements: Vec<Requirement> = require.iter().map(|text| text.parse().expect("a requirement")).collect();
    let budget = Budget::default();
    let outcome = judge(history, workload, &Settings { requirements: &requirements, budget: &budget }).expect("judged");
    for finding in &outcome.findings {
        let witness = finding.witness.as_ref().expect("a witness");
        assert!(witness.rechecked, "not confirmed: {} {}", finding.anomaly, witness.text);
    }
    outcome
}

fn judgement(outcome: &Outcome, guarantee: Guarantee) -> &Judgement {
    outcome.judgements.iter().find(|judgement| judgement.guarantee == guarantee).expect("a judgement")
}

fn verdict(outcome: &Outcome, guarantee: Guarantee) -> Verdict {
    judgement(outcome, guarantee).verdict
}

fn parse(text: String) -> History {
    read(Source::Bytes { name: "test".to_owned(), bytes: text.into() }, &Options::default()).expect("a history")
}

fn recorded(name: &str) -> Option<History> {
    let path = corpus()?.join("recorded").join(name);
    Some(read(Source::File(path), &Options::default()).expect("a history"))
}

/// Goal: the figures of the recorded histories are those that were counted when they were recorded (recorded/README.md), each
/// bound is violated just below the stalest read and holds at it, and the witness is a read from the replica.
#[test]
fn recorded_figures() {
    for (name, stale, within, beyond, versions) in [
        ("redis-primary-reads", 0, "1ns", None, 0),
        ("redis-replica-reads-lagging", 1775, "82045us", Some("82044us"), 31),
        ("redis-replica-only-lagging", 1845, "69818us", Some("69817us"), 49),
        ("redis-replica-reads", 2, "261us", Some("260us"), 2),
    ] {
        let Some(history) = recorded(&format!("{name}.jsonl.gz")) else { return };
        let required = |bound: &str| outcome(&history, Workload::Register, &[&format!("bounded-staleness:{bound}")]);
        let held = required(&format!("time={within}"));
        assert_eq!(verdict(&held, Guarantee::BoundedStaleness), Verdict::Holds, "{name}");
        assert_eq!(verdict(&held, Guarantee::Eventual), Verdict::Holds, "{name}");
        let measures = &held.measures["staleness"];
        assert_eq!(measures["stale_reads"], stale, "{name}");
        assert_eq!(measures["versions_max"], versions, "{name}");
        assert_eq!(verdict(&held, Guarantee::Linearizable) == Verdict::Holds, stale == 0, "{name}");
        let Some(beyond) = beyond else {
            assert_eq!((&measures["delta_ns"], &measures["k"]), (&json!(0), &json!(1)));
            continue;
        };
        assert!(measures["by_node"]["primary"]["stale_reads"] == 0, "{measures}");
        let at_least = measures["k"]["at_least"].as_u64().or(measures["k"].as_u64()).expect("k");
        assert!(at_least > versions, "{measures}");
        assert!(measures["delta_ns"].as_i64() >= measures["time_ns_max"].as_i64(), "{measures}");
        let by_versions = format!("versions={}", versions - 1);
        for bound in [format!("time={beyond}"), by_versions.clone(), format!("time={within},{by_versions}")] {
            let broken = required(&bound);
            assert_eq!(verdict(&broken, Guarantee::BoundedStaleness), Verdict::Violated, "{name}, {bound}");
            let finding = broken.findings.iter().find(|finding| finding.anomaly == Anomaly::StaleRead).expect("one");
            assert!(finding.rules_out.contains(&Guarantee::BoundedStaleness));
            let text = &finding.witness.as_ref().expect("a witness").text;
            assert!(text.contains("at node \"replica\""), "{text}");
        }
        // Both bounds have to be exceeded by one read.
        let both = required(&format!("time={within},{by_versions},combine=all"));
        assert_eq!(verdict(&both, Guarantee::BoundedStaleness), Verdict::Holds, "{name}");
    }
}

/// Transactions of reads and writes of all keys as one operation a key, each by a process of its own.
fn flattened(records: &[Value]) -> String {
    let mut lines = String::new();
    let keys: std::collections::BTreeSet<String> = records
        .iter()
        .flat_map(|record| record["value"].as_array().expect("micro-operations"))
        .flat_map(|mop| mop[2].as_object().into_iter().flat_map(|map| map.keys().cloned()))
        .collect();
    for record in records {
        let mops = record["value"].as_array().expect("micro-operations");
        let last = record["final-read?"] == true;
        let mut put = |f: &str, key: &str, value: Value| {
            let process = format!("{}-{f}-{key}", record["process"]);
            lines.push_str(
                &json!({"type": record["type"], "process": process, "f": f, "key": key, "value": value,
                        "node": record["node"], "final": last})
                .to_string(),
            );
            lines.push('\n');
        };
        for (key, value) in mops[1][2].as_object().expect("writes") {
            put("write", key, value.clone());
        }
        for key in keys.iter().filter(|_| last) {
            put("read", key, if record["type"] == "invoke" { Value::Null } else { mops[0][2][key].clone() });
        }
    }
    lines
}

/// Goal: the manifest's verdicts on convergence, except where its tests take a read that is not there for a violation: a
/// history can't show what a server holds that nobody read, so that is unknown, and says which read to add.
#[test]
fn manifest_verdicts() {
    let Some(corpus) = corpus() else { return };
    let mut files: Vec<PathBuf> = std::fs::read_dir(corpus.join("eventual/nurturenature-tests"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 9);
    for path in files {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("text")).expect("JSON");
        let records = case["history"].as_array().expect("records");
        let lists = case["model"].as_str().is_some_and(|model| model.contains("list-append"));
        let (history, workload) = if lists {
            let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
            (parse(lines.join("\n").replace("final-read?", "final")), Workload::ListAppend)
        } else {
            (parse(flattened(records)), Workload::Register)
        };
        let outcome = outcome(&history, workload, &["eventual"]);
        let judgement = judgement(&outcome, Guarantee::Eventual);
        let missing = !case["expect"]["details"]["missing-nodes"].is_null();
        let expected = match case["expect"]["valid"].as_bool() {
            Some(true) => Verdict::Holds,
            _ if missing => Verdict::Unknown,
            _ => Verdict::Violated,
        };
        assert_eq!(judgement.verdict, expected, "{}: {:?}", path.display(), judgement.reason);
        if missing {
            let reason = judgement.reason.as_deref().unwrap_or_default();
            assert!(reason.contains("at node n2"), "{reason}");
        }
    }
}

fn generated(options: &Generated) -> History {
    let mut text = Vec::new();
    generate(options, &mut text).expect("generated");
    parse(String::from_utf8(text).expect("text"))
}

/// Goal: strong stores are never stale, whatever crashes; weaker ones are, and every read that is named is confirmed from the
/// whole history. Lists and registers alike.
#[test]
fn generated_histories() {
    let mut stale = 0;
    for seed in 0..8 {
        for vocabulary in [Vocabulary::Register, Vocabulary::ListAppend] {
            let workload = if vocabulary == Vocabulary::Register { Workload::Register } else { Workload::ListAppend };
            let strong = Generated {
                seed,
                operations: 600,
                keys: 4,
                nodes: 3,
                final_reads: vocabulary == Vocabulary::Register,
                crash_rate: 0.05,
                fail_rate: 0.05,
                cas_rate: if seed % 2 == 0 { 0.0 } else { 0.2 },
                ..Generated::new(vocabulary)
            };
            let held = outcome(&generated(&strong), workload, &["bounded-staleness:versions=0,time=0ns"]);
            assert_eq!(verdict(&held, Guarantee::BoundedStaleness), Verdict::Holds, "{vocabulary}, seed {seed}");
            let figures = &held.measures["staleness"];
            assert_eq!((&figures["delta_ns"], &figures["k"]), (&json!(0), &json!(1)), "{vocabulary}, seed {seed}");
            if vocabulary == Vocabulary::Register {
                assert_ne!(verdict(&held, Guarantee::Eventual), Verdict::Violated, "seed {seed}");
            }
            let level =
                if vocabulary == Vocabulary::Register { Level::Sequential } else { Level::StrongSessionSerializable };
            let weak = Generated { level: Some(level), final_reads: false, ..strong };
            let broken = outcome(&generated(&weak), workload, &["bounded-staleness:versions=0"]);
            let found = broken.findings.iter().any(|finding| finding.anomaly == Anomaly::StaleRead);
            assert_eq!(verdict(&broken, Guarantee::BoundedStaleness) == Verdict::Violated, found);
            stale += u32::from(found);
        }
    }
    assert!(stale >= 12, "{stale}");
}

/// Goal: a list that lacks what was there is stale by exactly these elements, also where only a later list shows that one was there;
/// lists that contradict each other are not judged.
#[test]
fn lists() {
    let append = |process: u32, element: u32, kind: &str| {
        format!(r#"{{"type":"{kind}","process":{process},"f":"txn","value":[["append","x",{element}]]}}"#)
    };
    let read = |process: u32, list: &str| {
        format!(
            r#"{{"type":"invoke","process":{process},"f":"txn","value":[["r","x",null]]}}
{{"type":"ok","process":{process},"f":"txn","value":[["r","x",{list}]]}}"#
        )
    };
    for (lines, versions) in [
        (vec![append(0, 1, "ok"), append(0, 2, "ok"), read(1, "[1]"), read(2, "[1,2]")], Some(1)),
        (
            vec![append(0, 1, "ok"), append(3, 2, "invoke"), append(0, 3, "ok"), read(1, "[1]"), read(2, "[1,2,3]")],
            Some(2),
        ),
        (vec![append(0, 1, "ok"), append(0, 2, "ok"), read(1, "null")], Some(2)),
        (vec![append(0, 1, "ok"), append(0, 2, "ok"), read(1, "[1,2]"), read(2, "[2,1]")], None),
    ] {
        let outcome = outcome(&parse(lines.join("\n")), Workload::ListAppend, &["bounded-staleness:versions=0"]);
        match versions {
            Some(versions) => {
                assert_eq!(outcome.measures["staleness"]["versions_max"], versions, "{lines:?}");
                assert_eq!(verdict(&outcome, Guarantee::BoundedStaleness), Verdict::Violated);
            }
            None => assert_eq!(verdict(&outcome, Guarantee::BoundedStaleness), Verdict::Unknown),
        }
    }
}
