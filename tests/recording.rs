//! What `histories/RECORDING.md` shows is a program that writes a history: each is run, where its language is installed.

use std::path::Path;
use std::process::{Command, Stdio};

/// The first block of the page in this language.
fn program(language: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories/RECORDING.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a block of that language");
    rest.split_once("\n```").expect("the end of the block").0.to_owned() + "\n"
}

/// Runs the program as a file of this name, and judges what it prints. Says why where its language is not installed.
#[expect(clippy::print_stdout, reason = "says why a test was skipped")]
fn run(language: &str, file: &str, command: &[&str]) {
    let installed = Command::new(command[0]).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if installed.is_err() {
        println!("skipped: {} is not installed", command[0]);
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(file), program(language)).expect("a file");
    let mut program = Command::new(command[0]);
    let cache = folder.path().join("cache");
    program.args(&command[1..]).arg(file).current_dir(&folder).env("GOCACHE", cache).env("GOFLAGS", "-mod=mod");
    let output = program.output().expect("it runs");
    assert!(output.status.success(), "{language}: {}", String::from_utf8_lossy(&output.stderr));
    let history = folder.path().join("history");
    std::fs::write(&history, &output.stdout).expect("a file");
    let check = Command::new(env!("CARGO_BIN_EXE_anachron")).args(["check", "--format", "json"]).arg(&history).output();
    let check = check.expect("the binary runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(check.status.code(), Some(0), "{printed}\n{}", String::from_utf8_lossy(&check.stdout));
    let report: serde_json::Value = serde_json::from_slice(&check.stdout).expect("a report");
    let statistics = &report["histories"][0]["statistics"];
    assert_eq!((&statistics["operations"], &statistics["ok"]), (&2.into(), &2.into()), "{printed}");
    assert!(printed.contains("time"), "{printed}");
}

/// Goal: the Go program writes a history that is read and judged.
#[test]
fn go() {
    run("go", "main.go", &["go", "run"]);
}

/// Goal: the Python program writes a history that is read and judged.
#[test]
fn python() {
    run("python", "record.py", &["python3"]);
}

/// Goal: the Java program writes a history that is read and judged.
#[test]
fn java() {
    run("java", "Recorder.java", &["java"]);
}

/// Goal: the Clojure program writes a history that is read and judged.
#[test]
fn clojure() {
    run("clojure", "record.clj", &["clojure"]);
}

/// Goal: the history that the page says they print is one, too.
#[test]
fn the_history_of_the_page_holds() {
    let history = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&history, program("json")).expect("written");
    let check =
        Command::new(env!("CARGO_BIN_EXE_anachron")).arg("check").arg(history.path()).output().expect("it runs");
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
}
