//! What `explain` says of a name is what a check finds.

use std::process::{Command, Output};

use anachron::budget::Budget;
use anachron::check::{self, Settings};
use anachron::contract::Requirement;
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Outcome, Verdict};
use anachron::workload;

/// What the checks say of an anomaly's example, when these are required of it.
fn judged(anomaly: Anomaly, path: &str, text: &str, guarantees: &[Guarantee]) -> Outcome {
    let source = Source::Bytes { name: path.to_owned(), bytes: text.into() };
    let history = read(source, &Options::default()).unwrap_or_else(|error| panic!("{path}: {error}"));
    let workload = workload::detect(&history).unwrap_or_else(|error| panic!("{path}: {error:?}"));
    let mut requirements: Vec<Requirement> = guarantees.iter().copied().map(Requirement::new).collect();
    if let Some((guarantee, parameters)) = anomaly.shown_by() {
        let mut requirement = Requirement::new(guarantee);
        let own = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        requirement.parameters = own.collect();
        requirements.push(requirement);
    }
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    check::judge(&history, workload, &settings).unwrap_or_else(|error| panic!("{path}: {error:?}"))
}

/// Goal: each anomaly that some check finds has a smallest history, and that shows it, confirmed by a second look.
#[test]
fn every_example_shows_its_anomaly() {
    for anomaly in Anomaly::ALL.iter().filter(|anomaly| anomaly.is_found()) {
        let (path, text) = anomaly.told().example.unwrap_or_else(|| panic!("{anomaly} is found, and has no example"));
        let outcome = judged(*anomaly, path, text, anomaly.rules_out());
        let finding = outcome.findings.iter().find(|finding| finding.anomaly == *anomaly);
        let finding = finding.unwrap_or_else(|| panic!("{path} does not show {anomaly}"));
        assert!(
            finding.witness.as_ref().is_some_and(|witness| witness.rechecked),
            "{path}: {anomaly} is not confirmed"
        );
    }
}

/// Goal: each anomaly has a cause, and one that is said never to be found has no history in which it is.
#[test]
fn every_anomaly_has_a_cause() {
    for anomaly in Anomaly::ALL {
        assert!(!anomaly.told().cause.is_empty(), "{anomaly} has no cause");
        assert!(anomaly.is_found() || anomaly.told().example.is_none(), "{anomaly} is found");
    }
}

/// Goal: no operation can be left out of an example: it is the smallest of its kind.
#[test]
fn no_example_has_an_operation_too_many() {
    for anomaly in Anomaly::ALL {
        let Some((path, text)) = anomaly.told().example.filter(|(path, _)| path.starts_with("anomalies/")) else {
            continue;
        };
        let lines: Vec<&str> = text.lines().collect();
        let process =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("a record")["process"].clone();
        for at in (0..lines.len()).filter(|at| lines[*at].contains("\"invoke\"")) {
            let end =
                (at + 1..lines.len()).find(|end| process(lines[*end]) == process(lines[at])).expect("a completion");
            let kept = lines.iter().enumerate().filter(|(line, _)| *line != at && *line != end);
            let less: String = kept.map(|(_, line)| format!("{line}\n")).collect();
            if less.is_empty() {
                continue;
            }
            let outcome = judged(*anomaly, path, &less, anomaly.rules_out());
            // A read of what is no longer written would be another anomaly's example.
            let has = |wanted: Anomaly| outcome.findings.iter().any(|finding| finding.anomaly == wanted);
            let found = has(*anomaly) && (*anomaly == Anomaly::ThinAirRead || !has(Anomaly::ThinAirRead));
            assert!(!found, "{path} shows {anomaly} without lines {} and {}", at + 1, end + 1);
        }
    }
}

/// Goal: each guarantee that something found can violate has a history, and that violates it.
#[test]
fn every_example_violates_its_guarantee() {
    for guarantee in Guarantee::ALL {
        let mut against = Anomaly::ALL.iter().filter(|one| one.is_found() && one.rules_out().contains(guarantee));
        let Some(anomaly) = guarantee.example() else {
            assert!(against.next().is_none(), "{guarantee} has no example");
            continue;
        };
        let (path, text) = anomaly.told().example.expect("it is one with a history");
        let outcome = judged(anomaly, path, text, &[*guarantee]);
        let judgement = outcome.judgements.iter().find(|judgement| judgement.guarantee == *guarantee);
        let verdict = judgement.unwrap_or_else(|| panic!("{path}: {guarantee} was not judged")).verdict;
        assert_eq!(verdict, Verdict::Violated, "{path}: {guarantee}");
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anachron")).args(arguments).env("COLUMNS", "80").output().expect("the binary runs")
}

/// Goal: the command says what, why and how, takes aliases, and suggests what was meant.
#[test]
fn the_command_explains() {
    let output = run(&["explain", "write-skew"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    for words in
        ["G2-item (an anomaly)", "For the data:", "Snapshot isolation", "\"append\"", "write skew", "Adya 1999"]
    {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let output = run(&["explain", "exit", "3"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("something required is unknown"));
    let output = run(&["explain", "serialisable"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `serializable`?"));
}

/// Goal: the history of an explanation goes straight into a check.
#[test]
fn the_history_alone_can_be_checked() {
    let output = run(&["explain", "lost-update", "--history"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), Anomaly::LostUpdate.told().example.expect("an example").1);
    assert_eq!(run(&["explain", "exit-codes", "--history"]).status.code(), Some(2));
}

/// Goal: completions know every command, and each command has a manual page.
#[test]
fn completions_and_manual_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("explain") && text.contains("generate"), "{shell}: {text}");
    }
    let page = run(&["man"]);
    assert!(String::from_utf8_lossy(&page.stdout).contains(".TH anachron 1"));
    let page = run(&["man", "check"]);
    let text = String::from_utf8_lossy(&page.stdout);
    assert!(text.contains(".TH anachron-check 1") && text.contains("max\\-memory"), "{text}");
    let page = run(&["man", "nonsense"]);
    assert_eq!(page.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&page.stderr).contains("explain"));
}
