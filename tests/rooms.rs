//! Goal: the rooms of the house keep their walls. Each rule is an invariant of absence: what a room must not know.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The code of a file without its tests, comments and documentation; a file of tests has none.
fn code(path: &Path) -> String {
    if path.iter().skip_while(|part| *part != "src").any(|part| part == "tests" || part == "tests.rs") {
        return String::new();
    }
    let text = fs::read_to_string(path).expect("a readable source");
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or("").to_owned();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that a file names, `crate::graph::...` or `use crate::{graph, ...}` alike.
fn rooms_used(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => rooms.push(std::mem::take(&mut name)),
                    c if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            rooms.push(name);
        } else {
            rooms.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    rooms.iter().map(|room| room.trim().split("::").next().unwrap_or("").to_owned()).collect()
}

const ROOMS: [&str; 19] = [
    "certificate",
    "convert",
    "budget",
    "check",
    "cli",
    "contract",
    "face",
    "generate",
    "graph",
    "guarantee",
    "history",
    "ingest",
    "recorder",
    "report",
    "search",
    "shrink",
    "verdict",
    "witness",
    "workload",
];

/// What each room may use beside itself; a path's longest prefix decides.
const MAY_USE: &[(&str, &[&str])] = &[
    ("history", &[]),
    ("ingest", &["history", "verdict"]),
    ("convert", &["history"]),
    ("workload", &["history", "guarantee"]),
    ("guarantee", &[]),
    ("contract", &["guarantee"]),
    ("graph", &["budget", "verdict"]),
    ("search", &["history", "budget", "verdict"]),
    ("budget.rs", &["verdict"]),
    ("verdict.rs", &["guarantee", "witness"]),
    ("witness/recheck", &["history", "verdict", "guarantee"]),
    ("witness", &["history", "verdict", "guarantee"]),
    ("certificate", &["contract", "history", "witness", "guarantee", "report"]),
    (
        "check",
        &[
            "certificate",
            "history",
            "workload",
            "graph",
            "search",
            "guarantee",
            "contract",
            "verdict",
            "witness",
            "budget",
        ],
    ),
    ("shrink", &["check", "history", "workload", "guarantee", "contract", "verdict", "budget"]),
    ("generate", &["history"]),
    ("recorder", &[]),
    (
        "face",
        &[
            "certificate",
            "history",
            "ingest",
            "workload",
            "check",
            "guarantee",
            "contract",
            "verdict",
            "budget",
            "report",
        ],
    ),
    ("report", &["verdict", "witness", "guarantee", "contract", "history", "workload"]),
];

#[test]
fn rooms_use_only_what_they_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        let home = MAY_USE.iter().filter(|(room, _)| relative.starts_with(room)).max_by_key(|(room, _)| room.len());
        let Some((room, may)) = home else {
            assert!(
                relative == "lib.rs" || relative == "main.rs" || relative.starts_with("cli/"),
                "{relative} is in no room that this test knows: give it one"
            );
            continue;
        };
        let own = room.split(['/', '.']).next().unwrap_or(room);
        for used in rooms_used(&code(&path)) {
            if used != own && ROOMS.contains(&used.as_str()) && !may.contains(&used.as_str()) {
                faults.push(format!("{relative} uses {used}"));
            }
        }
    }
    assert!(faults.is_empty(), "walls broken:\n{}", faults.join("\n"));
}

#[test]
fn only_the_command_line_prints_or_exits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let words = ["println!", "print!(", "process::exit", "std::env::", "io::stdout", "io::stderr"];
    let mut faults = Vec::new();
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        if relative.starts_with("cli/") || relative == "main.rs" {
            continue;
        }
        let code = code(&path);
        faults.extend(words.iter().filter(|word| code.contains(*word)).map(|word| format!("{relative} has {word}")));
        if !relative.starts_with("ingest/") && (code.contains("fs::read") || code.contains("File::open")) {
            faults.push(format!("{relative} reads files, and only `ingest` may"));
        }
    }
    assert!(faults.is_empty(), "walls broken:\n{}", faults.join("\n"));
}

/// Goal: the test itself sees both forms of `use`.
#[test]
fn both_forms_of_use_are_seen() {
    assert_eq!(rooms_used("use crate::graph::Graph;"), ["graph"]);
    assert_eq!(rooms_used("use crate::{graph::{A, B}, history, check::x};"), ["graph", "history", "check"]);
}
