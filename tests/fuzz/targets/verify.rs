//! Certificates and reports of all kinds against some histories, of which the first byte chooses one: whatever a document says,
//! no claim is proved that a check refutes. `DIGEST` in a document stands for the digest of the history.
#![no_main]

use std::sync::LazyLock;

use anachron::certificate::{Ruling, digest, verify};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::{Check, Guarantee, Verdict};

/// How many histories there are; the seeds count on their order.
static TEXTS: [&str; 8] = [
    include_str!("../../../histories/anomalies/G2-item.jsonl"),
    include_str!("../../../histories/anomalies/G1c.jsonl"),
    include_str!("../../../histories/anomalies/G-single-item-realtime.jsonl"),
    include_str!("../../../histories/anomalies/lost-update.jsonl"),
    include_str!("../../../histories/anomalies/non-linearizable.jsonl"),
    include_str!("../../../histories/anomalies/stale-read.jsonl"),
    include_str!("../../../histories/anomalies/missing-your-writes.jsonl"),
    include_str!("../../../histories/anomalies/causality-violation.jsonl"),
];

struct Known {
    history: History,
    digest: String,
    /// What a check refutes of it.
    refuted: Vec<Guarantee>,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    TEXTS
        .iter()
        .map(|text| {
            let source = Source::Bytes { name: "fuzz".to_owned(), bytes: text.as_bytes().to_vec() };
            let history = read(source, &Options::default()).expect("a history");
            let judged = anachron::History::from_bytes(*text).expect("a history");
            let report = Guarantee::ALL.iter().fold(Check::new(), |check, one| check.require(*one)).run(&judged);
            let refuted = report.guarantees().filter(|row| row.verdict() == Verdict::Violated);
            let refuted = refuted.map(|row| row.guarantee()).collect();
            Known { digest: digest(&history), history, refuted }
        })
        .collect()
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [choice, document @ ..] = bytes else { return };
    let Ok(document) = std::str::from_utf8(document) else { return };
    let known = &KNOWN[usize::from(*choice) % KNOWN.len()];
    let Ok(lines) = verify(&known.history, &document.replace("DIGEST", &known.digest)) else { return };
    for line in lines {
        let guarantee = Guarantee::named(&line.subject);
        let proved = matches!(line.ruling, Ruling::Proved(_));
        assert!(!proved || !guarantee.is_some_and(|one| known.refuted.contains(&one)), "{line:?}");
    }
});
