//! Goal: single objects are judged as other checkers judge them, and witnesses read as a person would tell them.

mod corpus;
mod kv;

use anachron::budget::Budget;
use anachron::check::{Settings, objects};
use anachron::guarantee::{Anomaly, Guarantee};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Finding, Outcome, Verdict};
use anachron::witness::Minimality;

fn judge(history: &History) -> Result<Outcome, anachron::workload::WorkloadError> {
    objects::judge(history, &Settings { requirements: &[], budget: &Budget::default() })
}

fn judged(history: &History) -> Outcome {
    judge(history).expect("a register history")
}

/// One record a line: `0 invoke write x 1`; `_` is no value, `-` no key, `3,4` a pair.
fn parse(text: &str, initial: &str) -> History {
    let mut lines = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [process, kind, f, key, value] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let key = if key == "-" { String::new() } else { format!(r#","key":"{key}""#) };
        let value = match value {
            "_" => "null".to_owned(),
            pair if pair.contains(',') => format!("[{pair}]"),
            value => value.to_owned(),
        };
        lines.push_str(&format!(r#"{{"process":{process},"type":"{kind}","f":"{f}"{key},"value":{value}}}"#));
        lines.push('\n');
    }
    let options = Options { header: vec![("initial".to_owned(), initial.to_owned())], ..Options::default() };
    read(Source::Bytes { name: "test".to_owned(), bytes: lines.into_bytes() }, &options).expect("a history")
}

fn texts(outcome: &Outcome) -> Vec<(Anomaly, String)> {
    let text = |finding: &Finding| finding.witness.as_ref().map_or_else(String::new, |witness| witness.text.clone());
    outcome.findings.iter().map(|finding| (finding.anomaly, text(finding))).collect()
}

/// Goal: a stale read is told with its operations, their records, and what it means.
#[test]
fn a_stale_read_in_words() {
    let history = parse(
        "0 invoke write x 1
         0 ok write x 1
         1 invoke write x 2
         1 ok write x 2
         2 invoke read x _
         2 ok read x 1
         3 invoke read y _
         3 ok read y null",
        "null",
    );
    let outcome = judged(&history);
    assert_eq!(outcome.judgements[0].verdict, Verdict::Violated);
    let expected = "key \"x\": R1 read 1, which only W1 wrote; W1 wrote 1 and completed (record 1) before W2, which wrote 2, \
                    was invoked (record 2); W2 wrote 2 and completed (record 3) before R1, which read 1, was invoked \
                    (record 4). R1 returned 1 after 2 had taken its place: a client acts on data that was already \
                    overwritten, or loses sight of a write that it was told had succeeded.";
    assert_eq!(texts(&outcome), [(Anomaly::NonLinearizable, expected.to_owned())]);
    let witness = outcome.findings[0].witness.as_ref().expect("a witness");
    assert_eq!((witness.operations.as_slice(), witness.names.join(" ").as_str()), (&[1, 3, 5][..], "W1 W2 R1"));
    assert!(witness.rechecked && witness.minimality == Minimality::Minimum);
}

/// Goal: what only a search finds is told with what the register could hold where it ends, and why nothing else could come.
#[test]
fn a_searched_witness_in_words() {
    // Two equal writes at one time: values do not tell which one was read.
    let history = parse(
        "0 invoke write - 1
         1 invoke write - 1
         2 invoke write - 2
         0 ok write - 1
         1 ok write - 1
         2 ok write - 2
         3 invoke read - _
         3 ok read - 2
         4 invoke read - _
         4 ok read - 1",
        "0",
    );
    let expected = "R1 read 2, which only W3 can have written by then; R2 read 1, which can only come from W1 or W2; when R2, \
                    which needed 1, completed (record 9), the register could hold only 2; W1 and W2 had taken effect in \
                    every order by then, and 1 was there no more. Every order of these operations that keeps real time ends there: R2 \
                    found 1 where a single copy of the register could not have held it.";
    let outcome = judged(&history);
    assert_eq!(texts(&outcome), [(Anomaly::NonLinearizable, expected.to_owned())]);
    let witness = outcome.findings[0].witness.as_ref().expect("a witness");
    assert!(witness.rechecked && witness.minimality == Minimality::OneMinimal);
    assert_eq!(witness.steps.last().map(|step| step.to), Some(9), "the last step is about what can't be");
}

/// Goal: each kind of anomaly has its name, from the fewest operations that show it.
#[test]
fn every_kind_of_anomaly() {
    for (anomaly, positions, text) in [
        (Anomaly::ThinAirRead, &[3][..], "0 invoke write - 1\n0 ok write - 1\n1 invoke read - _\n1 ok read - 9"),
        (Anomaly::G1a, &[1, 3], "0 invoke write - 1\n0 fail write - 1\n1 invoke read - _\n1 ok read - 1"),
        // Another session's write: only real time forbids it.
        (Anomaly::NonLinearizable, &[1, 3], "1 invoke read - _\n1 ok read - 1\n0 invoke write - 1\n0 ok write - 1"),
        (Anomaly::FutureRead, &[1, 3], "0 invoke read - _\n0 ok read - 1\n0 invoke write - 1\n0 ok write - 1"),
        (
            Anomaly::LostUpdate,
            &[1, 4, 5],
            "0 invoke write - 1\n0 ok write - 1\n1 invoke cas - 1,2\n2 invoke cas - 1,3\n1 ok cas - 1,2\n2 ok cas - 1,3",
        ),
        (Anomaly::NonLinearizable, &[1, 3], "0 invoke write - 1\n0 ok write - 1\n1 invoke read - _\n1 ok read - 0"),
    ] {
        let outcome = judged(&parse(text, "0"));
        let found: Vec<_> = outcome.findings.iter().map(|f| (f.anomaly, f.witness.as_ref())).collect();
        let [(found, Some(witness))] = found[..] else { panic!("{text}: {found:?}") };
        assert_eq!((found, witness.operations.as_slice(), witness.rechecked), (anomaly, positions, true), "{text}");
    }
}

/// Goal: where only real time tells which of two equal writes was replaced twice, `sequential`, which ignores real time, is
/// not ruled out: W1 C1 W2 C2 is a sequential order here.
#[test]
fn a_lost_update_that_real_time_tells() {
    let writes = "0 invoke write - 5\n0 ok write - 5\n1 invoke write - 5\n1 ok write - 5\n";
    let both = "2 invoke cas - 5,1\n3 invoke cas - 5,2\n2 ok cas - 5,1\n3 ok cas - 5,2";
    let outcome = judged(&parse(&format!("{writes}{both}"), "0"));
    assert_eq!(outcome.findings.len(), 1);
    assert_eq!(outcome.findings[0].rules_out, [Guarantee::Linearizable]);
    assert!(outcome.findings[0].witness.as_ref().is_some_and(|witness| witness.rechecked));
    let once = "0 invoke write - 5\n0 ok write - 5\n";
    let outcome = judged(&parse(&format!("{once}{both}"), "0"));
    assert_eq!(outcome.findings[0].rules_out, [Guarantee::Linearizable, Guarantee::Sequential]);
}

/// Goal: what could not have shown a violation proves nothing.
#[test]
fn writes_alone_prove_nothing() {
    let outcome = judged(&parse("0 invoke write - 1\n0 ok write - 1\n0 invoke read - _\n0 info read - _", "0"));
    assert_eq!(outcome.judgements[0].verdict, Verdict::Unknown);
    assert!(outcome.judgements[0].reason.as_ref().is_some_and(|reason| reason.contains("nothing could have shown")));
}

/// Goal: what is no register operation is refused with its record, and what lacks its key too.
#[test]
fn what_is_no_register_is_refused() {
    for (text, position, message) in [
        ("0 invoke write - 1\n0 ok write - 1\n0 invoke push - 1", 2, "\"push\" is no function of a register history"),
        ("0 invoke cas - 1\n0 ok cas - 1", 1, "the value of this cas is 1, and not a pair"),
        ("0 invoke write - 1\n0 ok write - 2", 1, "this operation was invoked with 1 and completed with 2"),
        ("0 invoke read x _\n0 ok read x 1\n0 invoke write - 1", 2, "this operation has no `key`, and others have one"),
        ("0 invoke write - 1\n0 ok write - 1\n0 ok read x 1", 1, "this operation has no `key`, and others have one"),
    ] {
        let error = judge(&parse(text, "0")).expect_err(text);
        assert_eq!((error.position, error.message.as_str()), (Some(position), message));
    }
}
