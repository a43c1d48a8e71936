//! What `shrink` keeps still fails in the same way, and nothing in it is superfluous.

use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anachron"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .expect("the binary runs")
}

/// The anomalies of a history, and the verdict of what is required.
fn check(history: &Path, require: &[&str]) -> (Vec<String>, String) {
    let mut arguments = vec!["check", history.to_str().expect("a path"), "--format", "json", "--no-contract"];
    arguments.extend(require.iter().flat_map(|name| ["--require", name]));
    let output = run(&arguments);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let history = &report["histories"][0];
    let anomalies = history["anomalies"].as_array().expect("anomalies");
    let certain = anomalies.iter().filter(|one| one["certainty"] == "certain");
    let names = certain.map(|one| one["anomaly"].as_str().expect("a name").to_owned()).collect();
    let required =
        history["guarantees"].as_array().map(|all| all.iter().filter(|one| one["required"] == true).collect());
    let required: Vec<&serde_json::Value> = required.unwrap_or_default();
    (names, required.first().map_or("none", |one| one["verdict"].as_str().expect("a verdict")).to_owned())
}

/// The lines of a history in groups that belong together: an operation's records, or an observer's one.
fn operations(text: &str) -> Vec<Vec<usize>> {
    let mut groups: Vec<(serde_json::Value, Vec<usize>)> = Vec::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let record: serde_json::Value = serde_json::from_str(line).expect("a record");
        let open = groups.iter_mut().rev().find(|(process, lines)| *process == record["process"] && lines.len() == 1);
        match open {
            Some((_, lines))
                if record["type"] != "invoke"
                    && text.lines().nth(lines[0]).is_some_and(|first| first.contains("\"invoke\"")) =>
            {
                lines.push(number);
            }
            _ => groups.push((record["process"].clone(), vec![number])),
        }
    }
    groups.into_iter().map(|(_, lines)| lines).collect()
}

/// Goal: on each of these recorded histories the result fails by the same anomaly, is small, and does not fail so without
/// any one of its operations.
#[test]
fn what_is_kept_fails_and_nothing_is_superfluous() {
    let folder = tempfile::tempdir().expect("a folder");
    for (history, require, anomaly, most) in [
        ("histories/postgres/list-append-repeatable-read.jsonl", "serializable", "G2-item", 8),
        ("histories/postgres/list-append-read-committed.jsonl", "snapshot-isolation", "lost-update", 40),
        ("histories/redis/replica-reads-lagging.jsonl", "linearizable", "non-linearizable", 6),
        ("histories/payments/check-then-insert.jsonl", "idempotent", "duplicate-effect", 6),
    ] {
        let small = folder.path().join("small.jsonl");
        let small_name = small.to_str().expect("a path");
        let output = run(&["shrink", history, "--require", require, "--anomaly", anomaly, "--output", small_name]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{history}: {said}");
        assert!(said.contains("nothing more can be left out"), "{history}: {said}");
        let text = std::fs::read_to_string(&small).expect("a history");
        let groups = operations(&text);
        assert!(!groups.is_empty() && groups.len() <= most, "{history}: {} operations are left:\n{text}", groups.len());
        let (found, verdict) = check(&small, &[require]);
        assert!(found.iter().any(|name| name == anomaly) && verdict == "violated", "{history}: {found:?}, {verdict}");
        for gone in &groups {
            let kept = text.lines().enumerate().filter(|(number, _)| !gone.contains(number));
            let less: String = kept.map(|(_, line)| format!("{line}\n")).collect();
            let less_file = folder.path().join("less.jsonl");
            std::fs::write(&less_file, &less).expect("a file");
            let (found, verdict) = check(&less_file, &[require]);
            let same = verdict == "violated"
                && found.iter().any(|name| name == anomaly)
                && !found.iter().any(|name| name == "thin-air-read");
            assert!(!same, "{history}: {anomaly} is there without lines {gone:?} of\n{text}");
        }
    }
}

/// Goal: a history that fails nothing has nothing to keep, and the message says so.
#[test]
fn what_holds_is_not_shrunk() {
    let output = run(&["shrink", "histories/redis/primary-reads.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing that is required is certainly violated"));
    assert!(output.stdout.is_empty());
}
