//! Contracts: any text is refused with places, or a history is judged by it.
#![no_main]

use std::sync::LazyLock;

use anachron::{Check, Contract, Format, History};

static HISTORIES: LazyLock<Vec<History>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../../histories/anomalies/G2-item.jsonl"),
        include_str!("../../../histories/anomalies/stale-read.jsonl"),
        include_str!("../../../histories/idempotency/duplicate-effect-violated.jsonl"),
    ];
    texts.into_iter().map(|text| History::from_bytes(text).expect("a history")).collect()
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<Contract>() {
        Ok(contract) => {
            let report = Check::new().max_steps(2000).contract(contract).run_all(HISTORIES.iter());
            assert!(report.render(Format::Json).ends_with('\n'));
        }
        Err(errors) => {
            let lines = text.split('\n').count();
            let placed = |line: usize| (1..=lines).contains(&line);
            assert!(!errors.all().is_empty() && errors.all().iter().all(|error| placed(error.line)), "{errors}");
        }
    }
});
