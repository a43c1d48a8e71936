//! Goal: every JSON report is what its schema says.

use super::*;

pub(crate) fn faults(json: &str) -> Vec<String> {
    let schema = serde_json::from_str(&report::schema()).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Goal: reports of every verdict keep to the schema, and have the exit code that their worst history asks for.
#[test]
fn reports_are_what_the_schema_says() {
    for (histories, exit_code) in [
        (vec![skew_report()], 1),
        (vec![charged_report()], 1),
        (vec![holding_report()], 0),
        (vec![unknown_report()], 3),
        (vec![broken_report()], 2),
        (vec![holding_report(), unknown_report()], 3),
        (vec![unknown_report(), skew_report(), holding_report()], 1),
        (vec![holding_report(), skew_report(), broken_report()], 2),
        (vec![], 2),
    ] {
        let report = Report::new(histories);
        assert_eq!(report.exit_code(), exit_code);
        let found = faults(&report::render(&report, Format::Json, &Style::default()));
        assert!(found.is_empty(), "{found:?}");
    }
}

/// Goal: the schema refuses what is no report: a missing field, a field too many, a name that nobody knows, an exit code
/// that does not fit its verdict.
#[test]
fn the_schema_refuses_what_is_none() {
    let json = report::render(&Report::new(vec![skew_report()]), Format::Json, &Style::default());
    for (from, to) in [
        ("\"exit_code\": 1,", ""),
        ("\"exit_code\": 1,", "\"exit_code\": 0,"),
        ("\"exit_code\": 1,", "\"exit_code\": 1, \"more\": 1,"),
        ("\"guarantee\": \"serializable\"", "\"guarantee\": \"serialisable\""),
        ("\"anomaly\": \"G2-item\"", "\"anomaly\": \"G3\""),
        ("\"minimality\": \"minimum\"", "\"minimality\": \"small\""),
        ("\"index\": 0", "\"index\": -1"),
        ("\"required\": false", "\"required\": \"no\""),
    ] {
        let other = json.replacen(from, to, 1);
        assert_ne!(other, json, "the report has {from}");
        assert!(!faults(&other).is_empty(), "the schema takes {to}");
    }
}

/// Goal: a required guarantee that is not applicable is exit code 2, even next to a violated one; one that no check judged is
/// unknown, never passed over; and a history of which nothing is required never passes.
#[test]
fn nothing_passes_in_silence() {
    let exit_code = |verdicts: &[(Guarantee, Verdict)], requirements: &[Guarantee]| {
        let judgements = verdicts.iter().map(|(guarantee, verdict)| Judgement::new(*guarantee, *verdict)).collect();
        let outcome = Outcome { judgements, ..Outcome::default() };
        let requirements: Vec<Requirement> = requirements.iter().map(|guarantee| required(*guarantee)).collect();
        let report = HistoryReport::new(&HistoryResult {
            source: "a",
            workload: None,
            history: None,
            error: None,
            outcome: Some(&outcome),
            requirements: &requirements,
            customary: false,
            cases: &[],
        });
        report.verdict().exit_code()
    };
    let (a, b) = (Guarantee::Serializable, Guarantee::Saga);
    assert_eq!(exit_code(&[(a, Verdict::Holds), (b, Verdict::Violated)], &[a]), 0);
    assert_eq!(exit_code(&[(a, Verdict::Violated), (b, Verdict::NotApplicable)], &[a, b]), 2);
    assert_eq!(exit_code(&[(a, Verdict::Violated), (b, Verdict::Unknown)], &[a, b]), 1);
    assert_eq!(exit_code(&[(a, Verdict::Holds)], &[a, b]), 3);
    assert_eq!(exit_code(&[(a, Verdict::Holds)], &[]), 3);
}
