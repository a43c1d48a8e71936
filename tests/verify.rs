//! Goal: what a report in JSON shows of a history is confirmed from the history alone, and nothing else is.

use std::collections::BTreeMap;
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

/// What became of the witnesses of these files, by kind of claim: proved, and not proved for the reasons that there are.
fn all_confirmed(paths: Vec<PathBuf>) -> BTreeMap<String, [usize; 2]> {
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut faults = Vec::new();
    for path in paths {
        let Some((history, report)) = reported(&path) else { continue };
        for (line, anomaly) in verified(&history, &report).iter().zip(anomalies(&report)) {
            let witness = &anomaly["witness"];
            let kind = witness["claim"].as_object().and_then(|claim| claim.keys().next()).cloned().unwrap_or_default();
            let proved = match &line.ruling {
                Ruling::Proved(_) => true,
                Ruling::Unproved(_) if witness["rechecked"] != true => false,
                ruling => {
                    faults.push(format!("{}: {}: {ruling:?}", path.display(), line.subject));
                    continue;
                }
            };
            counts.entry(kind).or_default()[usize::from(!proved)] += 1;
        }
    }
    assert!(faults.is_empty(), "{} of them:\n{}\n{counts:?}", faults.len(), faults.join("\n"));
    counts
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("histories")
}

/// Goal: every witness of every shipped history is proved, of every kind of claim.
#[test]
fn every_witness_of_the_shipped_histories_is_proved() {
    let mut counts = all_confirmed(files(&shipped()));
    counts.remove("");
    let kinds: Vec<&str> = counts.keys().map(String::as_str).collect();
    let all = ["account", "conflicting", "diverged", "list-append", "no-order", "same-knowledge", "sessions", "stale"];
    assert_eq!(kinds, all, "{counts:?}");
    assert!(counts.values().all(|[proved, unproved]| *proved > 0 && *unproved == 0), "{counts:?}");
}

/// Goal: and every one of the corpus that says that it was looked at twice.
#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn every_witness_of_the_corpus_is_proved() {
    let Some(corpus) = std::env::var_os("ANACHRON_CORPUS") else {
        println!("skipped: ANACHRON_CORPUS is not set");
        return;
    };
    let mut counts = all_confirmed(files(Path::new(&corpus)));
    counts.remove("");
    let [proved, unproved] = counts.values().fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
    assert!(proved > 300 && unproved == 0, "{counts:?}");
}

/// All places of leaves below a place.
fn leaves(json: &Json, place: &str, all: &mut Vec<String>) {
    match json {
        Json::Object(fields) => fields.iter().for_each(|(name, it)| leaves(it, &format!("{place}/{name}"), all)),
        Json::Array(items) => items.iter().enumerate().for_each(|(at, it)| leaves(it, &format!("{place}/{at}"), all)),
        _ => all.push(place.to_owned()),
    }
}

fn changed(leaf: &Json) -> Vec<Json> {
    match leaf {
        Json::Number(number) => match number.as_i64() {
            Some(int) => vec![(int + 1).into(), int.saturating_sub(1).into(), "1".into()],
            None => vec![0.into()],
        },
        Json::String(text) => vec![format!("{text} ").into(), "".into(), 1.into()],
        Json::Bool(is) => vec![(!is).into()],
        _ => vec![1.into()],
    }
}

/// Goal: no leaf of a witness can be changed without being noticed, where its words are told from its claim; of others none of the
/// claim's operations, the records and what is said of the operations. Neither the anomaly nor what it rules out can be another.
#[test]
fn tampering_is_refused() {
    let (mut tried, mut faults) = (0, Vec::new());
    for folder in ["anomalies", "delivery", "idempotency", "outbox", "saga", "reconciliation"] {
        for path in files(&shipped().join(folder)) {
            let Some((history, report)) = reported(&path) else { continue };
            for anomaly in anomalies(&report) {
                if anomaly["witness"]["claim"].is_null() {
                    continue;
                }
                let claims = |kind: &str| !anomaly["witness"]["claim"][kind].is_null();
                let all = ["list-append", "sessions", "account", "stale", "diverged", "shows-failed", "same-knowledge", "updates", "conflicting"];
                // What a search found has sentences that are not told from its claim.
                let contradicts = !anomaly["witness"]["claim"]["no-order"]["why"].is_null();
                let told = all.into_iter().any(claims) || contradicts;
                let mut places = Vec::new();
                leaves(&anomaly["witness"], "/witness", &mut places);
                places.retain(|place| {
                    let is = |part: &str| place.contains(part);
                    let bounds = ["rule/", "/age_ns", "/versions", "/mop", "/missed", "/value"];
                    let loose = bounds.iter().any(|part| is("/claim/") && is(part));
                    let words = is("/steps/") || is("/timeline") || is("/text") || is("/name");
                    // The terms of a policy are not compared with what the report states.
                    let terms = is("/claim/account/rule/");
                    // Records are compared alike, whatever the claim: of accounts, one each.
                    let more = claims("account") && is("/records/") && !is("/claim/") && !is("/records/0/");
                    !is("/minimality") && !is("/rechecked") && !terms && !more && (told || !loose && !words)
                });
                places.extend(["/anomaly", "/certainty", "/rules_out/0"].map(str::to_owned));
                for place in places {
                    let Some(leaf) = anomaly.pointer(&place) else { continue };
                    // Of records, of which there is the most and which are compared as a whole, one change each.
                    let most = if place.contains("/records/") { 1 } else { 3 };
                    for other in changed(leaf).into_iter().take(most) {
                        let mut alone = report.clone();
                        let mut other_one = anomaly.clone();
                        *other_one.pointer_mut(&place).expect("a leaf") = other.clone();
                        alone["histories"][0]["anomalies"] = Json::Array(vec![other_one]);
                        tried += 1;
                        let ruling = verified(&history, &alone)[0].ruling.clone();
                        if !matches!(ruling, Ruling::Refused(_)) {
                            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                            faults
                                .push(format!("{name}: {}{place}: {leaf} as {other}: {ruling:?}", anomaly["anomaly"]));
                        }
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} of {tried}:\n{}", faults.len(), faults[..faults.len().min(80)].join("\n"));
    assert!(tried > 5000, "{tried}");
}

/// Goal: no witness passes for another anomaly of the same report or of another guarantee.
#[test]
fn a_witness_of_lists_or_sessions_is_of_one_anomaly_alone() {
    let mut tried = 0;
    for path in files(&shipped().join("anomalies")) {
        let Some((history, report)) = reported(&path) else { continue };
        for (at, anomaly) in anomalies(&report).iter().enumerate() {
            if anomaly["witness"]["claim"]["list-append"].is_null() && anomaly["witness"]["claim"]["sessions"].is_null()
            {
                continue;
            }
            for name in
                ["G0", "G1a", "G1c", "G-single-item", "lost-update", "backward-read", "divergence", "double-step"]
            {
                if anomaly["anomaly"] == name {
                    continue;
                }
                let mut report = report.clone();
                let one = &mut report["histories"][0]["anomalies"][at];
                one["anomaly"] = name.into();
                one["rules_out"] = Json::Array(Vec::new());
                let ruling = verified(&history, &report)[at].ruling.clone();
                assert!(matches!(ruling, Ruling::Refused(_)), "{}: {name}: {ruling:?}", path.display());
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
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
        assert!(matches!(&line.ruling, Ruling::Unproved(why) if why.contains("claim")), "{line:?}");
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
