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
