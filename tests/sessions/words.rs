use anachron::guarantee::Anomaly;
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::{Guarantee, history, judged, verdict};

fn text(lines: &str, anomaly: Anomaly) -> String {
    let outcome = judged(&history(lines), Workload::Register);
    let finding = outcome.findings.iter().find(|finding| finding.anomaly == anomaly).expect("found");
    finding.witness.as_ref().expect("a witness").text.clone()
}

/// Goal: a session that misses its own write is told in one sentence, with records and the server that answered.
#[test]
fn a_missed_write_in_words() {
    let told = text(
        r#"{"type":"invoke","process":1,"f":"write","key":"k0","value":2}
{"type":"ok","process":1,"f":"write","key":"k0","value":2}
{"type":"invoke","process":3,"f":"cas","key":"k0","value":[2,4]}
{"type":"ok","process":3,"f":"cas","key":"k0","value":[2,4]}
{"type":"invoke","process":3,"f":"read","key":"k0","value":null,"node":"replica-2"}
{"type":"ok","process":3,"f":"read","key":"k0","value":2,"node":"replica-2"}"#,
        Anomaly::MissingYourWrites,
    );
    assert_eq!(
        told,
        "process 3 replaced 2 by 4 in \"k0\" (records 2-3) and then read 2 from \"k0\", which 4 had replaced (records 4-5, node \
         replica-2). A user doesn't find what they have just saved, and does it again or gives up."
    );
}

/// Goal: what only several guarantees together forbid names these.
#[test]
fn a_combination_in_words() {
    let told = text(
        r#"{"type":"ok","process":0,"f":"write","key":"x","value":1}
{"type":"ok","process":0,"f":"write","key":"y","value":1}
{"type":"ok","process":1,"f":"read","key":"y","value":1}
{"type":"ok","process":1,"f":"read","key":"x","value":null}"#,
        Anomaly::CausallyOverwrittenRead,
    );
    assert!(told.contains("What fails is monotonic-reads and monotonic-writes together."), "{told}");
}

/// Goal: nobody who reads nothing twice can refute anything, and values that were written twice tell nothing.
#[test]
fn what_can_not_be_told_is_unknown() {
    let outcome = judged(
        &history(
            r#"{"type":"ok","process":0,"f":"write","value":1}
{"type":"ok","process":1,"f":"read","value":1}
{"type":"ok","process":1,"f":"read","value":null}
{"type":"ok","process":2,"f":"write","value":5}
{"type":"ok","process":3,"f":"write","value":5}
{"type":"ok","process":2,"f":"read","value":5}"#,
        ),
        Workload::Register,
    );
    assert_eq!(verdict(&outcome, Guarantee::MonotonicReads), Verdict::Violated);
    assert_eq!(verdict(&outcome, Guarantee::ReadYourWrites), Verdict::Unknown);
    assert_eq!(verdict(&outcome, Guarantee::MonotonicWrites), Verdict::Unknown);
}
