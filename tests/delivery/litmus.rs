//! The smallest histories: of each class one that violates, and one that just doesn't.

use std::path::Path;

use anachron::check::delivery::idempotency;
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::history::History;
use anachron::verdict::{Certainty, Verdict};
use anachron::witness::claim::{Claim, Places};
use anachron::witness::recheck;
use anachron::workload::{Workload, detect};

use crate::support::{Judge, finding, history, judged, judgement, reasoned};

/// Judges every history of a folder; what a name that is no class stands for is in `other`.
pub(crate) fn check(folder: &str, judge: Judge, workload: Workload, other: &[(&str, Anomaly)]) {
    let guarantee = workload.customary();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories").join(folder);
    let mut pairs = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let history = history(&text);
        assert_eq!(detect(&history), Ok(workload), "{name}");
        let outcome = judged(judge, guarantee, &history, "");
        reasoned(&history, &outcome, &name);
        if let Some(class) = name.strip_suffix("-violated") {
            let named = Anomaly::ALL.iter().find(|anomaly| anomaly.name() == class).copied();
            let anomaly = named.or_else(|| other.iter().find(|(name, _)| *name == class).map(|(_, anomaly)| *anomaly));
            let anomaly = anomaly.unwrap_or_else(|| panic!("{name}: no such class"));
            assert_eq!(judgement(&outcome, guarantee).verdict, Verdict::Violated, "{name}");
            let found = finding(&outcome, anomaly, Certainty::Certain);
            let found = found.unwrap_or_else(|| panic!("{name}: found {:?}", outcome.findings));
            let witness = found.witness.as_ref().expect("a witness");
            assert!(witness.timeline.as_ref().is_some_and(|moments| !moments.is_empty()), "{name}");
            assert!(folder.join(format!("{class}-holds.jsonl")).exists(), "{class} has no history that holds");
            pairs += 1;
        } else {
            assert!(name.ends_with("-holds"), "{name}");
            let judgement = judgement(&outcome, guarantee);
            assert_eq!(judgement.verdict, Verdict::Holds, "{name}: {judgement:?} {:?}", outcome.findings);
        }
    }
    assert!(pairs > 0);
}

/// Goal: each class of idempotency keys is found in the smallest history that has it, and not in the one beside it.
#[test]
fn idempotency() {
    let other = [("keyless-retry", Anomaly::DuplicateEffect)];
    check("idempotency", idempotency::judge, Workload::Idempotency, &other);
}

/// Goal: the smallest histories are all of the classes.
#[test]
fn every_class_has_a_history() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories/idempotency");
    for anomaly in idempotency::CLASSES {
        assert!(folder.join(format!("{anomaly}-violated.jsonl")).exists(), "{anomaly}");
    }
    assert_eq!(Workload::Idempotency.customary(), Guarantee::Idempotent);
}

/// Goal: what the history that violates shows is not confirmed in the one beside it that doesn't.
#[test]
fn no_witness_is_confirmed_elsewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories/idempotency");
    let read = |name: String| history(&std::fs::read_to_string(folder.join(name)).expect("a readable file"));
    for anomaly in idempotency::CLASSES {
        let (violated, holds) = (read(format!("{anomaly}-violated.jsonl")), read(format!("{anomaly}-holds.jsonl")));
        let outcome = judged(idempotency::judge, Guarantee::Idempotent, &violated, "");
        let witness = finding(&outcome, anomaly, Certainty::Certain).and_then(|finding| finding.witness.as_ref());
        let claim = witness.and_then(|witness| witness.claim.as_ref()).expect("a claim");
        let confirms = |history: &History| {
            let claim = Claim::from_json(claim, history, &Places::of(history)).expect("a claim");
            recheck::confirm(history, &[(anomaly, true, &claim)]) == [true]
        };
        assert!(confirms(&violated) && !confirms(&holds), "{anomaly}: {claim}");
    }
}

/// The histories of a folder, by name.
pub(crate) fn histories(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories").join(folder);
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("a readable file"))
    };
    std::fs::read_dir(folder).expect("the folder").map(read).collect()
}

/// Whether there is such a history.
pub(crate) fn exists(folder: &str, name: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("histories").join(folder).join(name).exists()
}
