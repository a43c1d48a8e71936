//! Goal: what the README and the tours show is what happens: every command of their `console` blocks prints what stands below it.

use std::path::Path;
use std::process::Command;

#[test]
#[cfg(unix)]
fn every_console_block_is_true() {
    assert!(true_commands("README.md") >= 5 && true_commands("histories/TOURS.md") >= 10, "too few commands");
}

/// Holds each command of a page against what stands below it, and says how many there are.
#[cfg(unix)]
fn true_commands(page: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join(page)).expect("the page");
    let binary = Path::new(env!("CARGO_BIN_EXE_anachron"));
    let folder = binary.parent().expect("a folder").to_string_lossy().into_owned();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    // In a folder of their own: some of the commands write files.
    let here = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root.join("histories"), here.path().join("histories")).expect("a link");
    let mut commands = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("\n```").next().expect("the end of the block");
        let mut shown = String::new();
        let mut printed = String::new();
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                let output = Command::new("sh")
                    .current_dir(here.path())
                    .args(["-c", command])
                    .env("PATH", &path)
                    .env("COLUMNS", "100")
                    .output()
                    .expect("a shell");
                printed.push_str(&format!("$ {command}\n{}", String::from_utf8_lossy(&output.stdout)));
                assert!(output.stderr.is_empty(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
                commands += 1;
            }
            shown.push_str(line);
            shown.push('\n');
        }
        assert_eq!(printed.trim_end(), shown.trim_end());
    }
    commands
}

/// Goal: the first command of the README does what the text beside it says.
#[test]
fn the_first_command_shows_write_skew() {
    let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", "histories/postgres/list-append-repeatable-read.jsonl", "--require", "serializable"])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("violated") && text.contains("G2-item") && text.contains("write skew"), "{text}");
}
