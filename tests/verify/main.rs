//! Goal: what a report in JSON shows of a history is confirmed from the history alone, and nothing else is.

mod counted;
mod tampered;

use std::path::{Path, PathBuf};

use anachron::budget::Budget;
use anachron::certificate::{Line, Ruling, verify};
use anachron::check::{Settings, judge};
use anachron::contract::Requirement;
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::report::{self, Format, HistoryReport, HistoryResult, Report, Style};
use anachron::workload::{Workload, detect};
use serde_json::Value as Json;

/// What is asked of histories of reads and writes beside what is customary, so that every family has its say.
const ASKED: [&str; 6] =
    ["session", "causal", "bounded-staleness:versions=1", "eventual:within=1ms", "strong-eventual", "sequential"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// A history, and its report in JSON; nothing where it is none that this program judges.
fn reported(path: &Path) -> Option<(History, Json)> {
    let history = read(Source::File(path.to_owned()), &Options::default()).ok()?;
    let report = report_of(&history)?;
    Some((history, report))
}

fn report_of(history: &History) -> Option<Json> {
    let workload = detect(history).ok()?;
    let mut requirements = vec![Requirement::new(workload.customary())];
    if matches!(workload, Workload::Register | Workload::ListAppend) {
        requirements.extend(ASKED.iter().map(|one| one.parse::<Requirement>().expect("a requirement")));
    }
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    let outcome = judge(history, workload, &settings).ok()?;
    let report = HistoryReport::new(&HistoryResult {
        source: "history",
        workload: Some(workload),
        history: Some(history),
        outcome: Some(&outcome),
        requirements: &requirements,
        ..HistoryResult::default()
    });
    let text = report::render(&Report::new(vec![report]), Format::Json, &Style { width: 80, color: false });
    Some(serde_json::from_str(&text).expect("JSON"))
}

fn verified(history: &History, report: &Json) -> Vec<Line> {
    verify(history, &report.to_string()).expect("a report")
}

fn anomalies(report: &Json) -> &[Json] {
    report.pointer("/histories/0/anomalies").and_then(Json::as_array).expect("anomalies")
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("histories")
}

/// Goal: a report with placeholders for values is not refused, and says what to do; one without claims likewise.
#[test]
fn what_a_report_leaves_out_is_unproved() {
    let path = shipped().join("anomalies/G2-item.jsonl");
    let (mut history, report) = reported(&path).expect("a history");
    let mut bare = report.clone();
    for anomaly in bare["histories"][0]["anomalies"].as_array_mut().expect("anomalies") {
        anomaly["witness"].as_object_mut().expect("a witness").shift_remove("claim");
    }
    for (line, _) in verified(&history, &bare).iter().zip(anomalies(&bare)) {
        let is_told = |why: &str| why.contains("claim") && why.contains("changed after it was written");
        assert!(matches!(&line.ruling, Ruling::Unproved(why) if is_told(why)), "{line:?}");
    }
    history.redact(false);
    let redacted = report_of(&history).expect("a report");
    let (history, _) = reported(&path).expect("a history");
    let lines = verified(&history, &redacted);
    assert!(!lines.is_empty());
    for (line, _) in lines.iter().zip(anomalies(&redacted)) {
        assert!(matches!(&line.ruling, Ruling::Unproved(why) if why.contains("--redact")), "{line:?}");
    }
    assert!(!lines.iter().any(|line| matches!(line.ruling, Ruling::Proved(_))), "{lines:?}");
}

/// Goal: what a report does not vouch for itself is not proved either, and the line says that the history does.
#[test]
fn what_was_not_looked_at_twice_is_unproved() {
    let (history, report) = reported(&shipped().join("anomalies/G2-item.jsonl")).expect("a history");
    let mut doubtful = report.clone();
    for anomaly in doubtful["histories"][0]["anomalies"].as_array_mut().expect("anomalies") {
        anomaly["witness"]["rechecked"] = false.into();
        let seal = report::seal(anomaly);
        anomaly["seal"] = seal.into();
    }
    for (line, _) in verified(&history, &doubtful).iter().zip(anomalies(&doubtful)) {
        let is_told = |why: &str| why.contains("by the whole history it is so") && !why.contains("changed");
        assert!(matches!(&line.ruling, Ruling::Unproved(why) if is_told(why)), "{line:?}");
    }
    let mut open = report;
    for anomaly in open["histories"][0]["anomalies"].as_array_mut().expect("anomalies") {
        anomaly.as_object_mut().expect("an anomaly").shift_remove("seal");
    }
    for (line, _) in verified(&history, &open).iter().zip(anomalies(&open)) {
        assert!(matches!(&line.ruling, Ruling::Unproved(why) if why.contains("without a `seal`")), "{line:?}");
    }
}

/// Goal: what a report says of its guarantees is what its proved witnesses come to: each violated one is ruled out by what is shown,
/// whichever of its anomalies is taken away or said to speak against less; that one holds is nothing that a report proves.
#[test]
fn guarantees_stand_on_witnesses() {
    let path = shipped().join("anomalies/backward-read.jsonl");
    let (history, report) = reported(&path).expect("a history");
    let of = |report: &Json, name: &str| {
        let lines = verified(&history, report);
        lines.into_iter().find(|line| line.subject == name).map(|line| line.ruling)
    };
    assert!(matches!(of(&report, "linearizable"), Some(Ruling::Proved(_))));
    assert_eq!(of(&report, "report"), None);
    for (at, anomaly) in anomalies(&report).iter().enumerate() {
        let mut less = report.clone();
        less["histories"][0]["anomalies"].as_array_mut().expect("anomalies").remove(at);
        assert!(matches!(of(&less, "linearizable"), Some(Ruling::Refused(_))), "{}", anomaly["anomaly"]);
        let mut weaker = report.clone();
        weaker["histories"][0]["anomalies"][at]["rules_out"] = Json::Array(Vec::new());
        assert!(matches!(of(&weaker, "linearizable"), Some(Ruling::Refused(_))), "{}", anomaly["anomaly"]);
    }
    let mut better = report.clone();
    better["verdict"] = "holds".into();
    assert!(matches!(of(&better, "report"), Some(Ruling::Refused(_))));
    let mut passing = report.clone();
    passing["exit_code"] = 0.into();
    assert!(matches!(of(&passing, "report"), Some(Ruling::Refused(_))));
    let rows = report["histories"][0]["guarantees"].as_array().expect("guarantees");
    for at in 0..rows.len() {
        let mut holds = report.clone();
        let row = &mut holds["histories"][0]["guarantees"][at];
        row["verdict"] = "holds".into();
        row["required"] = true.into();
        let name = row["guarantee"].as_str().expect("a name").to_owned();
        assert!(matches!(of(&holds, &name), Some(Ruling::Unproved(_))), "{name}");
    }
}
