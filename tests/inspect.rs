//! What `inspect` shows of a history is what is in it.

use std::process::{Command, Output};

fn run(arguments: &[&str], columns: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anachron"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .env("COLUMNS", columns)
        .output()
        .expect("the binary runs")
}

fn text(arguments: &[&str], columns: &str) -> String {
    let output = run(arguments, columns);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Goal: the summary counts what the file has, as a page and as JSON.
#[test]
fn the_summary_counts() {
    let file = "histories/redis/replica-reads-lagging.jsonl";
    let page = text(&["inspect", file], "100");
    assert!(page.contains("12020 records, 6010 operations (6010 ok, 0 fail, 0 info), 9 processes, 5 keys"), "{page}");
    let summary: serde_json::Value =
        serde_json::from_str(&text(&["inspect", file, "--format", "json"], "100")).expect("JSON");
    let lines = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("the file");
    let records: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    for row in summary["functions"].as_array().expect("functions") {
        let count = records.iter().filter(|record| record["type"] == "ok" && record["f"] == row["name"]).count();
        assert_eq!(row["ok"], count, "{row}");
    }
    let mut pauses: Vec<i64> = records
        .windows(2)
        .map(|pair| pair[1]["time"].as_i64().expect("a time") - pair[0]["time"].as_i64().expect("a time"))
        .collect();
    pauses.sort_unstable();
    assert_eq!(summary["gaps"][0]["duration_ns"], *pauses.last().expect("a pause"));
}

/// Goal: a time line has the operations that are asked for, and fits the terminal.
#[test]
fn time_lines_fit_and_hold_what_is_asked_for() {
    let file = "histories/redis/replica-reads-lagging.jsonl";
    for columns in ["40", "60", "100", "160"] {
        let lines = text(&["inspect", file, "--around", "70"], columns);
        assert!(lines.contains("66-69") && lines.contains("70-71") && lines.contains("write k0 4"), "{lines}");
        let most: usize = columns.parse().expect("a number");
        assert!(lines.lines().all(|line| line.chars().count() <= most.max(46)), "at {columns}:\n{lines}");
    }
    let witness = text(&["inspect", file, "--witness", "1", "--require", "linearizable"], "100");
    assert_eq!(witness.lines().count(), 2, "{witness}");
    let records = text(&["inspect", file, "--key", "k3", "--process", "2", "--format", "json"], "100");
    for line in records.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("a record");
        assert!(record["key"] == "k3" && record["process"] == 2, "{line}");
    }
    let limited = text(&["inspect", file, "--process", "2", "--limit", "3"], "100");
    assert!(limited.lines().count() == 4 && limited.contains("more: raise --limit"), "{limited}");
}

/// Goal: what is not there is said, with a way out; a history's strings can't steer the terminal.
#[test]
fn nonsense_is_answered_and_escapes_are_shown() {
    let output = run(&["inspect", "histories/redis/replica-reads-lagging.jsonl", "--key", "nonsense"], "100");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no operation of the history is in focus"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("evil.jsonl");
    let evil = "{\"type\":\"ok\",\"process\":\"p\\u001b[31m\",\"f\":\"write\\u001b[2J\",\"key\":\"k\\u0007\",\"node\":\"n\\u202e\",\"value\":\"v\\u001b]0;x\\u0007\"}\n";
    std::fs::write(&file, evil).expect("a file");
    for more in [&["inspect"][..], &["inspect", "--around", "0"]] {
        let mut arguments = more.to_vec();
        arguments.push(file.to_str().expect("a path"));
        let shown = text(&arguments, "100");
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}') && !shown.contains('\u{202e}'), "{shown:?}");
    }
}
