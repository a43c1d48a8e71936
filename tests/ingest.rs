//! Goal: files as they are found in the wild read, or are refused for a reason that we can name.
//!
//! The corpus is found through `ANACHRON_CORPUS`.

use std::path::{Path, PathBuf};

use anachron::ingest::{Options, Source, read};

/// Every file of the corpus in one of these formats.
#[expect(clippy::print_stdout, reason = "says that a test had nothing to look at")]
fn corpus() -> Vec<PathBuf> {
    let Some(root) = std::env::var_os("ANACHRON_CORPUS") else {
        println!("skipped: ANACHRON_CORPUS is not set");
        return Vec::new();
    };
    let manifest = std::fs::read_to_string(Path::new(&root).join("MANIFEST.tsv")).expect("a manifest");
    let mut paths = Vec::new();
    for line in manifest.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields[2].contains("edn op")
            || fields[2].contains("edn vector")
            || fields[2].contains("json array")
            || fields[2].starts_with("conformance")
            || fields[2].starts_with("jepsen text log")
        {
            paths.push(Path::new(&root).join(fields[0]));
        }
    }
    for entry in std::fs::read_dir(Path::new(&root).join("recorded")).expect("recorded histories") {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains(".jsonl") {
            paths.push(path);
        }
    }
    paths
}

/// Goal: every file of the corpus in one of these formats is a history, except those that can't be one.
#[test]
fn the_corpus_reads() {
    // Why each is refused: unit tests of other checkers, written for code that looks at less.
    let expected = [
        // One process with two operations in flight.
        "casusal-reverse-test-can-validate-concurrent-histories-2.json",
        "casusal-reverse-test-can-validate-concurrent-histories.json",
        "unobserved-write-test-serializable.json",
        // No process, and two reads in flight.
        "long-fork-checker-test.json",
        // Invocations with a process, completions without.
        "failed-ops.json",
        "indeterminate.json",
        // `something-strange` as a type: refused by its own checker, too.
        "illegal-op-type.json",
        // Invocations are [key, value] tuples, and the read's completion is none: with `independent: false`, it reads.
        "set_full.edn",
        "set_full.json",
    ];
    let mut refused = Vec::new();
    for path in corpus() {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match read(Source::File(path.clone()), &Options::default()) {
            Ok(history) => assert!(history.records() > 0 && !expected.contains(&&*name), "{name}"),
            // etcd did not start in this run.
            Err(error) if name == "etcd_095.log" => assert_eq!(error.message, "the file is empty"),
            Err(error) if name.ends_with("-empty.json") => assert_eq!(error.message, "the file holds no records"),
            Err(_) if expected.contains(&&*name) => {}
            Err(error) => refused.push(format!("{name}: {:?} {}", error.line, error.message)),
        }
        if name.starts_with("set_full") {
            let options = Options { independent: Some(false), ..Options::default() };
            assert!(read(Source::File(path), &options).is_ok(), "{name}");
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}
