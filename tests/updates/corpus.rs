//! Goal: the histories of other checkers' tests get the verdicts that these assert, or an argued other one.

use std::path::{Path, PathBuf};

use anachron::guarantee::Guarantee;
use anachron::history::Status;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::Verdict;
use anachron::workload::{Workload, detect};

use super::{assert_rechecked, judged, verdict};

/// Of each history of this kind: where it is, its name, and what the manifest says of it.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn rows(kind: &str) -> Vec<(PathBuf, String, String)> {
    let Some(root) = std::env::var_os("ANACHRON_CORPUS") else {
        println!("skipped: ANACHRON_CORPUS is not set");
        return Vec::new();
    };
    let manifest = std::fs::read_to_string(Path::new(&root).join("MANIFEST.tsv")).expect("the manifest");
    let rows = manifest.lines().map(|row| row.split('\t').collect::<Vec<_>>()).filter(|row| row[1] == kind);
    rows.map(|row| (Path::new(&root).join(row[0]), row[0].to_owned(), row[6].replace('"', ""))).collect()
}

/// Goal: Jepsen's `set` and `set-full`, and Couchbase's, agree about each of their histories: what they call valid loses nothing
/// and is linearizable here (their histories with stale elements are lost ones, too), and what they call invalid is violated.
#[test]
fn sets_of_other_checkers() {
    for (path, name, expected) in rows("set") {
        // In elle-cli's file the last read has lost its key, and so its lists are no tuples: everything is lost, as it says.
        let independent = name.contains("set_full").then_some(false);
        let history = match read(Source::File(path), &Options { independent, ..Options::default() }) {
            Ok(history) => history,
            Err(error) => {
                // Two completions without a process: which invocation is whose nobody can say, and we don't guess.
                assert!(name.contains("couchbase") && error.to_string().contains("no `process`"), "{name}: {error}");
                continue;
            }
        };
        // Numbers that are added and never read could be amounts as well: refused, with both names.
        let vacuous = name.contains("full-test-never-read");
        assert!(if vacuous { detect(&history).is_err() } else { detect(&history) == Ok(Workload::Set) }, "{name}");
        let outcome = judged(&history, Workload::Set, "");
        let (found, reason) = verdict(&outcome, Guarantee::Linearizable);
        let lost = &outcome.measures["set"]["lost"];
        match expected {
            _ if expected.contains("valid: true") => assert!(found == Verdict::Holds && lost == 0, "{name}: {reason}"),
            _ if expected.contains("valid: false") => assert_eq!(found, Verdict::Violated, "{name}: {reason}"),
            // Jepsen asks for an element that is there in the end. That a read which could have shown it didn't have to is an
            // observation all the same: linearizable. Without any read, it is unknown here too.
            _ => {
                assert_eq!(found, if vacuous { Verdict::Unknown } else { Verdict::Holds }, "{name}: {reason}");
                assert!(outcome.measures["set"]["stable"] == 0 && lost == 0, "{name}");
            }
        }
        assert_rechecked(&outcome, &name);
    }
}

/// Goal: Jepsen's `counter` agrees about each of its histories: what is out of its bounds is violated, and the others are
/// linearizable. A history that reads nothing is vacuous here.
#[test]
fn counters_of_other_checkers() {
    for (path, name, expected) in rows("counter") {
        let Ok(history) = read(Source::File(path), &Options::default()) else {
            // Jepsen calls the history without operations valid; we ask for one.
            assert!(name.contains("empty"), "{name}");
            continue;
        };
        // Without a sum that was read, amounts could be elements; reads alone could be a register's.
        let of = |f: &str| history.ops().any(|op| history.values().as_str(op.f()) == Some(f));
        if let Ok(found) = detect(&history) {
            assert!(found == Workload::Counter || !of("add"), "{name}: {found:?}");
        }
        let outcome = judged(&history, Workload::Counter, "");
        let (found, reason) = verdict(&outcome, Guarantee::Linearizable);
        let vacuous =
            !history.ops().any(|op| op.status() == Status::Ok && history.values().as_str(op.f()) == Some("read"));
        let expected = match (expected.contains("valid: true"), vacuous) {
            (true, true) => Verdict::Unknown,
            (true, false) => Verdict::Holds,
            (false, _) => Verdict::Violated,
        };
        assert_eq!(found, expected, "{name}: {reason}");
        assert_rechecked(&outcome, &name);
    }
}
