//! Any bytes through everything: reading, finding the vocabulary, judging all that can be asked of it with small budgets, and
//! every format of the report; twice, and both times the same.
#![no_main]

use anachron::{Check, Format, Guarantee, History};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(history) = History::options().max_memory(64 << 20).from_bytes(bytes) else { return };
    let bounded = "bounded-staleness:time=1ms,versions=2".parse::<anachron::Requirement>();
    let judge = |more: bool| {
        let mut check = Check::new().max_steps(2000).max_memory(256 << 20).drawn();
        if more {
            let dear = [Guarantee::CausalMemory, Guarantee::Pram, Guarantee::Sequential, Guarantee::Eventual];
            check = dear.into_iter().fold(check, Check::require).require(bounded.clone().expect("a requirement"));
        }
        let report = check.run(&history);
        Format::ALL.map(|format| report.render(format))
    };
    judge(false);
    let (first, second) = (judge(true), judge(true));
    assert_eq!(first, second, "the same history, and another report");
    assert!(serde_json::from_str::<serde::de::IgnoredAny>(&first[1]).is_ok(), "{}", first[1]);
    for text in &first {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
});
