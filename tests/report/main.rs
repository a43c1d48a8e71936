//! Goal: reports say what is so, in a shape that people and programs can rely on. The histories are small enough to check
//! the expected texts by hand.

mod formats;
mod golden;
mod hostile;
mod schema;

use anachron::contract::Requirement;
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::history::History;
use anachron::ingest::{self, Source};
use anachron::report::{self, CaseResult, Failure, Format, HistoryReport, HistoryResult, Report, Style};
use anachron::verdict::{Certainty, Figures, Finding, Judgement, Outcome, StoppedBy, Verdict};
use anachron::witness::{Minimality, Moment, Step, Witness};
use anachron::workload::Workload;

fn history(text: &str) -> History {
    let source = Source::Bytes { name: "test".into(), bytes: text.into() };
    ingest::read(source, &ingest::Options::default()).expect("a history")
}

fn figures(json: &str) -> Figures {
    serde_json::from_str(json).expect("figures")
}

fn required(guarantee: Guarantee) -> Requirement {
    Requirement { guarantee, parameters: Vec::new(), use_case: None }
}

fn judged(guarantee: Guarantee, verdict: Verdict, anomalies: &[Anomaly]) -> Judgement {
    Judgement { anomalies: anomalies.to_vec(), ..Judgement::new(guarantee, verdict) }
}

/// Two transactions that each read what the other is about to change: write skew. The read list is long enough to be
/// shortened, and its last element is what the step is about.
fn write_skew() -> (History, Outcome) {
    let long: Vec<String> = (1..=40).map(|i| i.to_string()).collect();
    let long = long.join(",");
    let text = format!(
        r#"{{"index":0,"time":1000000,"type":"invoke","process":3,"f":"txn","value":[["r","x",null],["append","y",1]],"trace":"a1"}}
{{"index":1,"time":1300000,"type":"invoke","process":5,"f":"txn","value":[["r","y",null],["append","x",41]]}}
{{"index":2,"time":2219999,"type":"ok","process":3,"f":"txn","value":[["r","x",[{long}]],["append","y",1]],"trace":"a1"}}
{{"index":3,"time":3500000,"type":"ok","process":5,"f":"txn","value":[["r","y",[]],["append","x",41]],"node":"db 2"}}
"#
    );
    let history = history(&text);
    let key = |op: usize, mop: usize| history.ops().nth(op).map(|op| op.mops()[mop].key);
    let witness = Witness {
        minimality: Minimality::Minimum,
        rechecked: true,
        claim: None,
        operations: vec![2, 3],
        names: vec!["T1".into(), "T2".into()],
        steps: vec![
            Step {
                from: 2,
                to: 3,
                relation: "rw",
                key: key(0, 0),
                because: "T1 read x without 41, and T2 appended 41 to it".into(),
            },
            Step {
                from: 3,
                to: 2,
                relation: "rw",
                key: key(1, 0),
                because: "T2 read y without 1, and T1 appended 1 to it".into(),
            },
        ],
        timeline: None,
        text: "Each transaction decided on data that the other changed at the same time: a rule that spans both keys \
               (at least one doctor on call) can be broken although each transaction kept it."
            .into(),
    };
    let found = [Anomaly::G2Item];
    let mut strict = judged(Guarantee::StrictSerializable, Verdict::Violated, &found);
    strict.evidence = figures(r#"{"transactions":2,"reads":2,"edges":{"ww":0,"wr":0,"rw":2}}"#);
    let mut unknown = Judgement::new(Guarantee::Causal, Verdict::Unknown);
    unknown.reason = Some("the search was not over".into());
    unknown.stopped_by = Some(StoppedBy::Budget);
    let outcome = Outcome {
        judgements: vec![
            strict,
            judged(Guarantee::Serializable, Verdict::Violated, &found),
            judged(Guarantee::SnapshotIsolation, Verdict::Holds, &[]),
            judged(Guarantee::ReadCommitted, Verdict::Holds, &[]),
            unknown,
        ],
        findings: vec![Finding {
            anomaly: Anomaly::G2Item,
            certainty: Certainty::Certain,
            count: 1,
            rules_out: vec![Guarantee::Serializable, Guarantee::StrictSerializable],
            witness: Some(witness),
        }],
        measures: Figures::new(),
    };
    (history, outcome)
}

/// A retry without an idempotency key that charges twice, with its moments.
fn charged_twice() -> (History, Outcome) {
    let text = r#"{"type":"invoke","process":3,"f":"request","key":"k-17","value":{"scope":"POST /payments","payload":{"amount":500}},"time":1000}
{"type":"info","process":"ledger","f":"effect","key":"k-17","value":{"effect":"row-41","resource":"pay_8","amount":500},"time":900001000}
{"type":"info","process":3,"f":"request","key":"k-17","error":"timeout","time":1000001000}
{"type":"invoke","process":4,"f":"request","key":"k-17","value":{"scope":"POST /payments","payload":{"amount":500}},"time":1100001000}
{"type":"info","process":"ledger","f":"effect","key":"k-17","value":{"effect":"row-42","resource":"pay_9","amount":500},"time":1300001000}
{"type":"ok","process":4,"f":"request","key":"k-17","value":{"status":201,"response":{"id":"pay_9"},"replayed":false},"time":1400001000}
"#;
    let history = history(text);
    let moment = |position: u32, time_ns: i64, lane: &str, what: &str| Moment {
        position,
        time_ns: Some(time_ns),
        lane: lane.into(),
        what: what.into(),
    };
    let witness = Witness {
        minimality: Minimality::OneMinimal,
        rechecked: false,
        claim: None,
        operations: vec![2, 1, 5, 4],
        names: vec!["A1".into(), "E1".into(), "A2".into(), "E2".into()],
        steps: vec![Step {
            from: 1,
            to: 4,
            relation: "duplicate",
            key: None,
            because: "E1 and E2 are two effects of the one key k-17".into(),
        }],
        timeline: Some(vec![
            moment(0, 1000, "client", "A1: POST /payments, amount 500"),
            moment(1, 900_001_000, "store", "E1: row-41, pay_8, 500"),
            moment(2, 1_000_001_000, "client", "A1 timed out"),
            moment(3, 1_100_001_000, "client", "A2: the same request again"),
            moment(4, 1_300_001_000, "store", "E2: row-42, pay_9, 500"),
            moment(5, 1_400_001_000, "service", "A2: 201, pay_9"),
        ]),
        text: "The customer was charged twice for one payment.".into(),
    };
    let mut idempotent = judged(Guarantee::Idempotent, Verdict::Violated, &[Anomaly::DuplicateElements]);
    idempotent.evidence = figures(r#"{"keys":1,"attempts":2,"effects":2}"#);
    let outcome = Outcome {
        judgements: vec![idempotent],
        findings: vec![Finding {
            anomaly: Anomaly::DuplicateElements,
            certainty: Certainty::Certain,
            count: 1,
            rules_out: vec![Guarantee::Idempotent],
            witness: Some(witness),
        }],
        measures: figures(r#"{"delivery":{"duplicate_effects":1,"latency_ns_max":300000000,"rate":0.5}}"#),
    };
    (history, outcome)
}

fn skew_report() -> HistoryReport {
    let (history, outcome) = write_skew();
    HistoryReport::new(&HistoryResult {
        source: "histories/write-skew.jsonl",
        workload: Some(Workload::ListAppend),
        history: Some(&history),
        error: None,
        outcome: Some(&outcome),
        requirements: &[required(Guarantee::StrictSerializable)],
        customary: true,
        cases: &[],
    })
}

fn charged_report() -> HistoryReport {
    let (history, outcome) = charged_twice();
    let requirement = Requirement {
        guarantee: Guarantee::Idempotent,
        parameters: vec![("ttl".into(), "24h".into()), ("mismatch".into(), "422".into())],
        use_case: Some("payments".into()),
    };
    HistoryReport::new(&HistoryResult {
        source: "payments.jsonl",
        workload: Some(Workload::Idempotency),
        history: Some(&history),
        error: None,
        outcome: Some(&outcome),
        requirements: &[requirement],
        customary: false,
        cases: &[],
    })
}

fn holding_report() -> HistoryReport {
    holding_report_with(&[])
}

fn holding_report_with(cases: &[CaseResult<'_>]) -> HistoryReport {
    let history = history(
        r#"{"type":"invoke","process":0,"f":"read","key":"a","value":null}
{"type":"ok","process":0,"f":"read","key":"a","value":null}"#,
    );
    let mut outcome = Outcome::default();
    let mut judgement = Judgement::new(Guarantee::Linearizable, Verdict::Holds);
    judgement.evidence = figures(r#"{"reads":1,"keys":1}"#);
    outcome.judgements.push(judgement);
    outcome.measures = figures(
        r#"{"staleness":{"time_ns_max":0,"versions_max":0,"delta_ns":0,"k":1,"stale_reads":0},"convergence":{"time_ns":82000000}}"#,
    );
    HistoryReport::new(&HistoryResult {
        source: "good.jsonl",
        workload: Some(Workload::Register),
        history: Some(&history),
        error: None,
        outcome: Some(&outcome),
        requirements: &[required(Guarantee::Linearizable)],
        customary: true,
        cases,
    })
}

fn broken_report() -> HistoryReport {
    HistoryReport::new(&HistoryResult {
        source: "broken.jsonl",
        workload: None,
        history: None,
        error: Some(Failure {
            message: "expected a comma or `}` after a value, found `\"process\"`".into(),
            line: Some(17),
            column: Some(24),
            help: "line 17 is no JSON: it seems to have been cut off while it was written; remove it, or record again"
                .into(),
            stopped_by: None,
        }),
        outcome: None,
        requirements: &[required(Guarantee::Linearizable)],
        customary: true,
        cases: &[],
    })
}

/// A contract of many use cases, none of which could be decided.
fn unknown_report() -> HistoryReport {
    let history = history(r#"{"type":"invoke","process":0,"f":"write","key":"a","value":1}"#);
    let mut unknown = Judgement::new(Guarantee::Linearizable, Verdict::Unknown);
    unknown.reason = Some("no read completed: nothing here could refute it".into());
    let mut stopped = Judgement::new(Guarantee::Sequential, Verdict::Unknown);
    stopped.reason = Some("16 million steps did not decide key a".into());
    stopped.stopped_by = Some(StoppedBy::Budget);
    let outcome = Outcome { judgements: vec![unknown, stopped], ..Outcome::default() };
    let requirements = [required(Guarantee::Linearizable), required(Guarantee::Sequential), required(Guarantee::Saga)];
    HistoryReport::new(&HistoryResult {
        source: "writes.jsonl",
        workload: Some(Workload::Register),
        history: Some(&history),
        error: None,
        outcome: Some(&outcome),
        requirements: &requirements,
        customary: false,
        cases: &[],
    })
}

fn table(report: &Report, width: usize) -> String {
    report::render(report, Format::Table, &Style { width, color: false })
}
