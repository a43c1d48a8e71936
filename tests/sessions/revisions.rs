//! Revisions that servers name (`version`): what they order, what they tell apart, and what becomes of those that contradict each other.

use anachron::guarantee::{Anomaly, Guarantee};
use anachron::verdict::{Outcome, Verdict};
use anachron::workload::Workload;

use super::random::{Random, revised};
use super::{history, judged, of, verdict};

fn outcome(lines: &str) -> Outcome {
    judged(&history(lines), Workload::Register)
}

/// Each completion with an invocation right before it.
fn sequential(lines: &str) -> String {
    let mut out = String::new();
    for line in lines.lines() {
        let mut record: serde_json::Value = serde_json::from_str(line).expect("a record");
        record["type"] = "invoke".into();
        record.as_object_mut().expect("an object").remove("version");
        if record["f"] == "read" {
            record["value"] = serde_json::Value::Null;
        }
        out.push_str(&format!("{record}\n{line}\n"));
    }
    out
}

fn measure(outcome: &Outcome, name: &str) -> serde_json::Value {
    outcome.measures["staleness"][name].clone()
}

/// Two writes that overlap, each read by somebody else; the second reader then reads the first one's value.
const CONCURRENT: &str = r#"{"type":"invoke","process":0,"f":"write","key":"x","value":1}
{"type":"invoke","process":1,"f":"write","key":"x","value":2}
{"type":"ok","process":0,"f":"write","key":"x","value":1,"version":4}
{"type":"ok","process":1,"f":"write","key":"x","value":2,"version":9}
{"type":"invoke","process":2,"f":"read","key":"x","value":null}
{"type":"ok","process":2,"f":"read","key":"x","value":2,"version":9}
{"type":"invoke","process":2,"f":"read","key":"x","value":null}
{"type":"ok","process":2,"f":"read","key":"x","value":1,"version":4}
"#;

/// Goal: what values leave open, revisions decide: a session that reads revision 9 and then 4 went back, its witness names both, and the
/// read is stale by one version, exactly.
#[test]
fn revisions_order_what_values_do_not() {
    let by_value = CONCURRENT.replace(",\"version\":4", "").replace(",\"version\":9", "");
    assert_eq!(verdict(&outcome(&by_value), Guarantee::MonotonicReads), Verdict::Holds);
    let told = outcome(CONCURRENT);
    assert_eq!(verdict(&told, Guarantee::MonotonicReads), Verdict::Violated);
    let finding = told.findings.iter().find(|one| one.anomaly == Anomaly::BackwardRead).expect("found");
    let witness = finding.witness.as_ref().expect("a witness");
    assert!(
        witness.rechecked && witness.text.contains("version 9") && witness.text.contains("version 4"),
        "{}",
        witness.text
    );
    assert_eq!((measure(&told, "k"), measure(&told, "versions_max")), (2.into(), 1.into()));
    let stale = told.findings.iter().find(|one| one.anomaly == Anomaly::StaleRead).expect("found");
    assert!(stale.witness.as_ref().is_some_and(|witness| witness.rechecked), "{stale:#?}");
}

/// Goal: a session whose second write got the lower revision broke monotonic writes, which nothing else could have shown.
#[test]
fn the_order_of_a_sessions_writes() {
    let lines = r#"{"type":"ok","process":0,"f":"write","key":"x","value":1,"version":5}
{"type":"ok","process":0,"f":"write","key":"x","value":2,"version":3}
{"type":"ok","process":1,"f":"read","key":"x","value":2}
{"type":"ok","process":1,"f":"read","key":"x","value":1}
"#;
    let told = outcome(&sequential(lines));
    assert_eq!(verdict(&told, Guarantee::MonotonicWrites), Verdict::Violated);
    assert_eq!(verdict(&told, Guarantee::MonotonicReads), Verdict::Holds);
    // Which of the two is newer in real time, where a write that was acknowledged never showed, is no matter of revisions.
    assert_eq!(measure(&told, "versions_max"), 1);
}

/// Goal: of writes of one value, a read with a revision shows the one that has it.
#[test]
fn revisions_tell_writes_of_one_value_apart() {
    let lines = r#"{"type":"ok","process":0,"f":"write","key":"x","value":7,"version":1}
{"type":"ok","process":1,"f":"write","key":"x","value":8,"version":2}
{"type":"ok","process":2,"f":"write","key":"x","value":7,"version":3}
{"type":"ok","process":3,"f":"read","key":"x","value":8,"version":2}
{"type":"ok","process":3,"f":"read","key":"x","value":7,"version":1}
"#;
    let told = outcome(&sequential(lines));
    let finding = told.findings.iter().find(|one| one.anomaly == Anomaly::BackwardRead).expect("found");
    assert!(finding.witness.as_ref().is_some_and(|witness| witness.rechecked), "{finding:#?}");
    let newest =
        lines.replace(r#""read","key":"x","value":7,"version":1"#, r#""read","key":"x","value":7,"version":3"#);
    assert_eq!(verdict(&outcome(&sequential(&newest)), Guarantee::MonotonicReads), Verdict::Holds);
}

/// Goal: revisions that contradict each other are a finding, confirmed, which breaks nothing by itself; and what would need their order
/// is unknown, never guessed.
#[test]
fn contradictory_revisions_order_nothing() {
    let writes = r#"{"type":"ok","process":0,"f":"write","key":"x","value":1,"version":4}
{"type":"ok","process":1,"f":"write","key":"x","value":2,"version":5}
"#;
    // Such that values alone have no order in real time; who reads is not the one who wrote.
    let stale = r#"{"type":"ok","process":2,"f":"read","key":"x","value":1}
"#;
    for (name, line) in [
        ("one version of two writes", r#"{"type":"ok","process":3,"f":"write","key":"x","value":3,"version":5}"#),
        ("one version of two writes", r#"{"type":"ok","process":3,"f":"read","key":"x","value":1,"version":5}"#),
        ("two versions of one value", r#"{"type":"ok","process":3,"f":"read","key":"x","value":2,"version":6}"#),
        ("has no higher version", r#"{"type":"ok","process":3,"f":"read","key":"x","value":null,"version":9}"#),
        ("has no higher version", r#"{"type":"ok","process":3,"f":"cas","key":"x","value":[2,6],"version":3}"#),
    ] {
        let told = outcome(&sequential(&format!("{writes}{stale}{line}\n")));
        let finding = told.findings.iter().find(|one| one.anomaly == Anomaly::ConflictingVersions);
        let witness = finding.and_then(|finding| finding.witness.as_ref()).unwrap_or_else(|| panic!("{line}"));
        let two = witness.text.contains(name) || name.starts_with("one") && witness.text.contains("two versions");
        assert!(witness.rechecked && two, "{line}: {}", witness.text);
        // What is stale by values and real time is stale whatever versions say.
        assert!(told.findings.iter().any(|one| one.anomaly == Anomaly::StaleRead), "{line}");
        let reads = of(&told, Guarantee::MonotonicReads);
        assert_ne!(reads.verdict, Verdict::Holds, "{line}: {reads:#?}");
        assert!(!told.judgements.iter().any(|one| one.anomalies.contains(&Anomaly::ConflictingVersions)), "{line}");
    }
}

/// Goal: where values have a legal order in real time, that one counts, and a finding says that revisions are in another one.
#[test]
fn revisions_against_real_time() {
    let lines = r#"{"type":"ok","process":0,"f":"write","key":"x","value":1,"version":5}
{"type":"ok","process":1,"f":"write","key":"x","value":2,"version":3}
{"type":"ok","process":2,"f":"read","key":"x","value":2,"version":3}
"#;
    let told = outcome(&sequential(lines));
    assert_eq!(verdict(&told, Guarantee::Linearizable), Verdict::Holds);
    let finding = told.findings.iter().find(|one| one.anomaly == Anomaly::ConflictingVersions).expect("found");
    assert!(finding.witness.as_ref().is_some_and(|witness| witness.rechecked), "{finding:#?}");
}

/// Goal: of random histories with revisions, every finding is confirmed by the second look, stale reads too.
#[test]
fn findings_by_revision_are_confirmed() {
    let mut random = Random(9);
    let mut stale = 0;
    for _ in 0..1500 {
        let small = revised(&mut random);
        let told = outcome(&small.records);
        for finding in &told.findings {
            let confirmed = finding.witness.as_ref().is_some_and(|witness| witness.rechecked);
            assert!(confirmed, "{}\n{finding:#?}", small.records);
            stale += u32::from(finding.anomaly == Anomaly::StaleRead);
        }
    }
    assert!(stale > 300, "{stale}");
}
