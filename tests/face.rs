//! Goal: what the crate's root offers is enough for a program of somebody else, and says what the command line says.

use std::process::Command;
use std::time::Duration;

use anachron::{
    Anomaly, Check, Contract, FailOn, Format, Guarantee, History, InputFormat, Overall, Recorder, Requirement,
    StoppedBy, Verdict, Workload,
};

const SKEW: &str = "histories/anomalies/G2-item.jsonl";

fn history(path: &str) -> History {
    History::read(path).expect("a history")
}

/// Goal: the library and the program go the same way: their reports are the same bytes, in every format that has no clock.
#[test]
fn a_program_says_what_the_command_line_says() {
    let check = Check::new().require(Guarantee::Serializable).require(Guarantee::ReadCommitted);
    for path in [SKEW, "histories/anomalies/G1a.jsonl", "histories/etcd/cas-register.jsonl"] {
        let report = check.clone().drawn().run(&history(path));
        for format in Format::ALL {
            let arguments =
                ["check", "-r", "serializable", "-r", "read-committed", "--no-contract", "-f", format.name()];
            let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
                .args(arguments)
                .arg(path)
                .env("COLUMNS", "80")
                .env_remove("GITHUB_STEP_SUMMARY")
                .output()
                .expect("the program runs");
            let printed = String::from_utf8(output.stdout).expect("UTF-8");
            assert_eq!(report.render(format), printed, "{path} as {}", format.name());
            assert_eq!(Some(i32::from(report.exit_code())), output.status.code(), "{path}");
        }
    }
}

/// Goal: the accessors lead to everything that the JSON report has of guarantees, anomalies and witnesses.
#[test]
fn a_walk_sees_what_the_json_has() {
    let report = Check::new().require(Guarantee::Serializable).run(&history(SKEW));
    let json: serde_json::Value = serde_json::from_str(&report.render(Format::Json)).expect("JSON");
    assert_eq!(report.verdict(), Overall::Violated);
    assert_eq!(json["summary"], report.summary());
    let [one] = report.histories() else { panic!("one history") };
    let json = &json["histories"][0];
    assert_eq!((json["source"].as_str(), json["workload"].as_str()), (Some(SKEW), one.workload()));
    assert_eq!(json["statistics"]["operations"], one.statistics().expect("figures").operations);
    let rows = json["guarantees"].as_array().expect("rows");
    assert_eq!(rows.len(), one.guarantees().len());
    for (json, row) in rows.iter().zip(one.guarantees()) {
        assert_eq!(json["guarantee"], row.guarantee().name());
        assert_eq!(json["verdict"], row.verdict().name());
        assert_eq!(json["required"], row.is_required());
        assert_eq!(json["reason"].as_str(), row.reason());
        assert_eq!(json["anomalies"], serde_json::json!(row.anomalies()));
        assert_eq!(json["evidence"], serde_json::json!(row.evidence()));
    }
    let found = json["anomalies"].as_array().expect("anomalies");
    assert_eq!(found.len(), one.anomalies().len());
    for (json, anomaly) in found.iter().zip(one.anomalies()) {
        assert_eq!(json["anomaly"], anomaly.anomaly().name());
        assert_eq!(json["certainty"] == "certain", anomaly.is_certain());
        assert_eq!(json["count"], anomaly.count());
        assert_eq!(json["fingerprint"], anomaly.fingerprint());
        let (json, witness) = (&json["witness"], anomaly.witness().expect("a witness"));
        assert_eq!(json["minimality"], witness.minimality());
        assert_eq!(json["rechecked"], witness.is_rechecked());
        assert_eq!(json["text"], witness.text());
        let records: Vec<serde_json::Value> =
            witness.records().iter().map(|record| serde_json::from_str(&record.to_string()).expect("JSON")).collect();
        assert_eq!(json["records"], serde_json::json!(records));
        assert!(witness.records().iter().all(|record| record.fields().any(|(name, _)| name == "index")));
        for (json, step) in json["steps"].as_array().expect("steps").iter().zip(witness.steps()) {
            assert_eq!((&json["from"], &json["to"]), (&step.from().into(), &step.to().into()));
            assert_eq!(
                (json["relation"].as_str(), json["because"].as_str()),
                (Some(step.relation()), Some(step.because()))
            );
            assert_eq!(
                json["key"],
                step.key().map_or(serde_json::Value::Null, |key| serde_json::from_str(key).expect("JSON"))
            );
        }
        for (json, operation) in json["operations"].as_array().expect("operations").iter().zip(witness.operations()) {
            assert_eq!(
                (json["name"].as_str(), json["does"].as_str()),
                (Some(operation.name()), Some(operation.does()))
            );
        }
    }
}

/// Goal: contracts count with their use cases and their gate; what is wrong with one is said, all at once, with its line.
#[test]
fn contracts_are_read_and_judged_by() {
    let text = "[gate]\nallow = [\"G2-item\", \"G-update\"]\n\n[[use-case]]\nname = \"ledger\"\nrequire = [\"serializable\"]\n";
    let contract: Contract = text.parse().expect("a contract");
    assert_eq!(contract.requirements().count(), 1);
    let report = Check::new().contract(contract).run(&history(SKEW));
    assert_eq!((report.verdict(), report.exit_code()), (Overall::Accepted, 0));
    let row = report.guarantees().find(|row| row.is_required()).expect("a requirement");
    assert_eq!((row.verdict(), row.is_accepted(), row.use_case()), (Verdict::Violated, true, Some("ledger")));
    let violating = report.anomalies().find(|anomaly| anomaly.anomaly() == Anomaly::G2Item).expect("the anomaly");
    assert_eq!(violating.accepted(), Some("allowed"));

    let errors = "[[use-case]]\nrequire = [\"serialisable\"]\n".parse::<Contract>().expect_err("no contract");
    assert_eq!(errors.all().len(), 2);
    assert!(errors.to_string().contains("did you mean `serializable`?"), "{errors}");
    let error = "session@moon".parse::<Requirement>().expect_err("no reading");
    assert!(error.to_string().contains("@global"), "{error}");
}

/// Goal: without any requirement the customary one counts; a limit gives `unknown` with what ended the search; what can't be
/// judged is an error of its history, and the others are judged all the same.
#[test]
fn what_is_not_decided_is_said() {
    let none = Check::new().run(&history(SKEW));
    assert!(none.guarantees().any(|row| row.is_required() && row.guarantee() == Guarantee::StrictSerializable));

    let slow = Check::new().timeout(Duration::ZERO).max_steps(1).fail_on(FailOn::Unknown);
    let report = slow.run(&history("histories/etcd/cas-register.jsonl"));
    let row = report.guarantees().next().expect("a row");
    assert_eq!((row.verdict(), report.exit_code()), (Verdict::Unknown, 1));
    assert!(row.reason().is_some() && row.stopped_by().is_some(), "{row:?}");

    let unjudged = r#"{"process":0,"type":"ok","f":"levitate","value":1}"#;
    let unjudged = History::from_bytes(unjudged).expect("a history").named("odd");
    let fine = history("histories/etcd/cas-register.jsonl");
    let both = Check::new().run_all([&unjudged, &fine]);
    assert_eq!((both.verdict(), both.exit_code()), (Overall::Error, 2));
    let [odd, judged] = both.histories() else { panic!("two histories") };
    assert_eq!((odd.source(), odd.error().is_some()), ("odd", true));
    assert_eq!((judged.verdict(), judged.error()), (Overall::Holds, None));
}

/// Goal: what can't be read says where and why; what a history leaves open can be told; any reader will do.
#[test]
fn histories_are_read_from_anywhere() {
    let edn = "{:process 0, :type :invoke, :f :read, :value nil}\n{:process 0, :type :ok, :f :read, :value 7}\n";
    let told = History::options()
        .format(InputFormat::Edn)
        .workload(Workload::Register)
        .initial("7")
        .timeout(Duration::from_secs(60));
    let report = Check::new().run(&told.from_reader(std::io::Cursor::new(edn)).expect("a history"));
    assert_eq!(report.verdict(), Overall::Holds, "{report}");
    let report = Check::new().run(&told.initial("8").from_bytes(edn).expect("a history"));
    assert_eq!(report.verdict(), Overall::Violated, "{report}");

    let error = History::read("histories/nowhere.jsonl").expect_err("no file");
    assert!(error.message.contains("can't be read") && error.line.is_none(), "{error:?}");
    let error = History::options().max_memory(1000).read(SKEW).expect_err("too large");
    assert_eq!(error.stopped_by, Some(StoppedBy::Memory));
}

/// Goal: what is recorded is judged.
#[test]
fn what_was_recorded_is_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl");
    let recorder = Recorder::create(&path).expect("a file");
    let mut client = recorder.client(0);
    client.invoke("write", "x", 1).and_then(|write| write.ok(1)).expect("recorded");
    client.invoke("read", "x", ()).and_then(|read| read.ok(2)).expect("recorded");
    recorder.flush().expect("written");
    let report = Check::new().require(Guarantee::Linearizable).run(&History::read(&path).expect("a history"));
    assert_eq!(report.verdict(), Overall::Violated);
    assert!(report.to_string().contains("linearizable"), "{report}");
}
