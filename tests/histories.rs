//! Goal: every command of `histories/README.md` gives the verdict that stands beside it.

use std::path::Path;
use std::process::Command;

fn run(arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .expect("the binary runs");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{arguments:?}: {error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code(), report)
}

#[test]
fn every_row_of_the_readme_holds() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("histories/README.md"))
        .expect("the README of the histories");
    let mut rows = 0;
    for line in readme.lines().filter(|line| line.starts_with("| `anachron check ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let command: Vec<&str> = cells[0].trim_matches('`').split(' ').skip(1).collect();
        let (verdict, anomalies) = cells[1].split_once(": ").unwrap_or((cells[1], ""));
        let (code, report) = run(&command);
        let history = &report["histories"][0];
        let required: Vec<_> = history["guarantees"]
            .as_array()
            .expect("guarantees")
            .iter()
            .filter(|guarantee| guarantee["required"] == true)
            .collect();
        assert!(!required.is_empty(), "{line}");
        for guarantee in required {
            assert_eq!(guarantee["verdict"], verdict, "{line}: {guarantee}");
        }
        assert_eq!(code, Some(i32::from(verdict == "violated")), "{line}");
        let found = history["anomalies"].as_array().expect("anomalies");
        for anomaly in anomalies.split(", ").filter(|anomaly| !anomaly.is_empty()) {
            let finding = found.iter().find(|finding| finding["anomaly"] == anomaly);
            let finding = finding.unwrap_or_else(|| panic!("{line}: no {anomaly} in {}", history["anomalies"]));
            assert!(finding["witness"]["rechecked"] == true, "{line}: {anomaly}");
        }
        rows += 1;
    }
    assert!(rows >= 8, "the table has {rows} rows");
}

/// Goal: no history ships that the table does not explain.
#[test]
fn every_history_is_in_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README of the histories");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(&root).expect("below histories").to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if name != "README.md" {
                let folder = name.split('/').next().unwrap_or("");
                let explained = readme.contains(&name) || readme.contains(&format!("`{folder}/`: one file a class"));
                assert!(explained, "{name} is not in histories/README.md");
            }
        }
    }
}

/// What was counted when the histories were recorded: the history, its policy, the verdict on what is customary, and what the
/// report's JSON says how often, `certain` anomalies and figures of `measures.delivery`.
type Counted =
    (&'static str, &'static str, &'static str, &'static [(&'static str, u64)], &'static [(&'static str, u64)]);

const COUNTED: &[Counted] = &[
    ("payments-no-key", "", "violated", &[("duplicate-effect", 160)], &[("intents_with_duplicate_effects", 160)]),
    (
        "payments-check-then-insert",
        "",
        "violated",
        &[("duplicate-effect", 101)],
        &[("intents_with_duplicate_effects", 101)],
    ),
    (
        "payments-unique",
        "idempotent:mismatch=422,in-flight=409",
        "holds",
        &[],
        &[("intents_with_duplicate_effects", 0)],
    ),
    ("payments-accepts-mismatch", "", "violated", &[("payload-mismatch-accepted", 4)], &[]),
    ("payments-flag-only", "", "violated", &[("divergent-replay", 5), ("replay-mismatch", 167)], &[]),
    (
        "redis-stream-no-dedupe",
        "",
        "violated",
        &[("duplicate-effect", 24)],
        &[("messages_with_duplicate_effects", 24), ("duplicate_effects", 25)],
    ),
    (
        "redis-stream-check-dedupe",
        "",
        "violated",
        &[("duplicate-effect", 43)],
        &[("messages_with_duplicate_effects", 43), ("duplicate_effects", 44)],
    ),
    (
        "redis-stream-atomic-dedupe",
        "",
        "holds",
        &[],
        &[("redeliveries", 36), ("messages_with_duplicate_effects", 0), ("lost", 0)],
    ),
    ("outbox", "", "holds", &[], &[("duplicates", 13), ("missing", 0), ("phantoms", 0)]),
    (
        "outbox-commit-first",
        "",
        "violated",
        &[("missing-publish", 10), ("publish-gap", 6)],
        &[("missing", 10), ("passed_over", 6), ("inversions", 0)],
    ),
    ("outbox-publish-first", "", "violated", &[("phantom-publish", 22)], &[("phantoms", 22), ("missing", 0)]),
    ("saga", "", "holds", &[], &[("dangling", 0)]),
    (
        "saga-dangling",
        "",
        "violated",
        &[("dangling-saga", 34)],
        &[("dangling", 34), ("dangling_with_every_step_done", 10)],
    ),
    ("saga-missing-compensation", "", "violated", &[("missing-compensation", 14)], &[]),
    ("saga-double-compensation", "", "violated", &[("double-compensation", 15)], &[]),
];

/// Goal: the counts that were made when the histories of retries, messages, events and sagas were recorded are those of the
/// report's JSON, anomalies and measures alike, no class more.
#[test]
#[expect(clippy::print_stdout, reason = "a test that was skipped has to say so")]
fn reports_count_what_was_counted() {
    let Some(corpus) = std::env::var_os("ANACHRON_CORPUS") else {
        return println!("skipped: ANACHRON_CORPUS is not set");
    };
    for (name, required, verdict, anomalies, figures) in COUNTED {
        let path = Path::new(&corpus).join("recorded").join(format!("{name}.jsonl.gz"));
        let path = path.to_string_lossy().into_owned();
        let mut command = vec!["check", path.as_str()];
        command.extend((!required.is_empty()).then_some(["--require", required]).into_iter().flatten());
        let (code, report) = run(&command);
        let history = &report["histories"][0];
        assert_eq!(report["verdict"], *verdict, "{name}");
        assert_eq!(code, Some(i32::from(*verdict == "violated")), "{name}");
        let required: Vec<_> = history["guarantees"]
            .as_array()
            .expect("guarantees")
            .iter()
            .filter(|guarantee| guarantee["required"] == true)
            .map(|guarantee| guarantee["guarantee"].clone())
            .collect();
        let found: Vec<(String, u64)> = history["anomalies"]
            .as_array()
            .expect("anomalies")
            .iter()
            .filter(|one| one["certainty"] == "certain")
            // Those of the duplicates that were certainly a race: how many, nobody counted.
            .filter(|one| one["anomaly"] != "concurrent-duplicate-effect")
            .filter(|one| one["rules_out"].as_array().is_some_and(|out| out.iter().any(|one| required.contains(one))))
            .map(|one| (one["anomaly"].as_str().unwrap_or("").to_owned(), one["count"].as_u64().unwrap_or(0)))
            .collect();
        let due: Vec<(String, u64)> = anomalies.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        assert_eq!(found, due, "{name}");
        for (figure, value) in *figures {
            assert_eq!(history["measures"]["delivery"][figure], *value, "{name}: {figure}");
        }
    }
}
