//! Goal: every witness that there is, is proved; the few that are not are known, with their reasons.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anachron::certificate::Ruling;
use rayon::prelude::*;

use super::{anomalies, files, reported, shipped, verified};

/// How many witnesses are proved and how many are not, by kind of claim.
type Counts = BTreeMap<String, [usize; 2]>;

/// What became of the witnesses of these files; those that are not proved are named, with their reasons.
fn ruled(paths: Vec<PathBuf>) -> (Counts, Vec<String>) {
    let of_one = |path: PathBuf| {
        let Some((history, report)) = reported(&path) else { return Vec::new() };
        let lines = verified(&history, &report).into_iter();
        let told = lines.zip(anomalies(&report)).map(|(line, anomaly)| {
            let claim = anomaly["witness"]["claim"].as_object();
            let kind = claim.and_then(|claim| claim.keys().next()).cloned().unwrap_or_default();
            let why = match line.ruling {
                Ruling::Proved(_) => None,
                Ruling::Unproved(why) => Some(format!("unproved: {why}")),
                Ruling::Refused(why) => Some(format!("refused: {why}")),
            };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (kind, why.map(|why| format!("{name}: {}: {why}", line.subject)))
        });
        told.collect()
    };
    let all: Vec<_> = paths.into_par_iter().map(of_one).collect();
    let (mut counts, mut unproved) = (Counts::new(), Vec::new());
    for (kind, why) in all.into_iter().flatten() {
        counts.entry(kind).or_default()[usize::from(why.is_some())] += 1;
        unproved.extend(why);
    }
    (counts, unproved)
}

/// Goal: every witness of every shipped history is proved, of every kind of claim.
#[test]
fn every_witness_of_the_shipped_histories_is_proved() {
    let (counts, unproved) = ruled(files(&shipped()));
    assert!(unproved.is_empty(), "{}\n{counts:?}", unproved.join("\n"));
    for kind in ["account", "conflicting", "diverged", "list-append", "same-knowledge", "sessions", "stale"] {
        assert!(counts.contains_key(kind), "{kind}: {counts:?}");
    }
}

/// Goal: every one of the corpus is proved, too. What search decided and brute force can't confirm (more than 20 operations) would be
/// the exception: there is none.
#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn every_witness_of_the_corpus_is_proved() {
    let Some(corpus) = std::env::var_os("ANACHRON_CORPUS") else {
        println!("skipped: ANACHRON_CORPUS is not set");
        return;
    };
    let (counts, unproved) = ruled(files(Path::new(&corpus)));
    let proved: usize = counts.values().map(|[proved, _]| proved).sum();
    println!("{proved} witnesses of the corpus are proved: {counts:?}");
    assert!(unproved.is_empty(), "{}\n{counts:?}", unproved.join("\n"));
    assert!(proved > 300 && counts["updates"][0] > 10, "{counts:?}");
}
