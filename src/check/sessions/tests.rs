use std::fmt::Write;

use super::*;
use crate::generate::{Level, Options as Generated, Vocabulary, generate};
use crate::history::History;
use crate::ingest::{Options, Source, read};
use crate::verdict::{Figures, Finding};
use crate::workload::list_append::ListAppend;
use crate::workload::register::Register;

fn history(bytes: Vec<u8>) -> History {
    read(Source::Bytes { name: "test".to_owned(), bytes }, &Options::default()).expect("a history")
}

type Verdicts = Vec<(Guarantee, Verdict)>;
type Found = Vec<(Anomaly, u64, bool)>;

/// Verdicts, and how often each anomaly was found.
fn judged(accesses: &Accesses<'_>) -> (Verdicts, Found) {
    let budget = Budget::default();
    let mut outcome = Outcome { judgements: Vec::new(), findings: Vec::new(), measures: Figures::new() };
    judge_in_order(accesses, &Settings { requirements: &[], budget: &budget }, &mut outcome);
    let verdicts = outcome.judgements.iter().map(|judgement| (judgement.guarantee, judgement.verdict)).collect();
    let confirmed = |finding: &Finding| finding.witness.as_ref().is_some_and(|witness| witness.rechecked);
    let found = outcome.findings.iter().map(|finding| (finding.anomaly, finding.count, confirmed(finding))).collect();
    (verdicts, found)
}

/// Judges in the likely order, as it was invoked, and session by session, where much leads back. How many stretches the likely
/// order leaves, and whether it leads nowhere back.
fn agree(make: impl Fn() -> Vec<u8>, of: impl for<'h> Fn(&'h History) -> Accesses<'h>) -> (usize, bool) {
    let history = history(make());
    let likely = {
        let accesses = of(&history);
        let order = likely::order(&accesses);
        accesses.reordered(&order)
    };
    let mut by_session: Vec<u32> = (0..facts::id(likely.len())).collect();
    by_session.sort_by_key(|row| likely.session(*row as usize));
    let expected = judged(&of(&history));
    let told = judged(&likely);
    assert_eq!(told.0, expected.0);
    assert!(told.1.iter().all(|(_, _, confirmed)| *confirmed), "{:?}", told.1);
    let kinds = |found: &[(Anomaly, u64, bool)]| found.iter().map(|one| one.0).collect::<Vec<_>>();
    assert_eq!(kinds(&told.1), kinds(&expected.1));
    let facts = Facts::new(&likely);
    let left = (Stretches::new(facts.doubtful.clone()).spans().count(), facts.is_forward());
    let sessions = judged(&of(&history).reordered(&likely::order(&of(&history))).reordered(&by_session));
    assert_eq!((sessions.0, kinds(&sessions.1)), (expected.0, kinds(&expected.1)));
    left
}

/// A history of registers of which one read in `stale` shows an earlier value, and one operation in twenty is of unknown outcome.
fn registers(seed: u64, stale: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut text = String::new();
    let mut written: [Vec<u64>; 3] = Default::default();
    let mut value = 0;
    // By process: what it does, if it does something: the key, and the value that it writes.
    let mut open: Vec<Option<(usize, Option<u64>)>> = vec![None; 5];
    for _ in 0..160 {
        let process = random(5) as usize;
        let Some((key, writes)) = open[process].take() else {
            let key = random(3) as usize;
            value += 1;
            let writes = (random(2) == 0).then_some(value);
            let (f, value) = writes.map_or(("read", "null".to_owned()), |value| ("write", value.to_string()));
            writeln!(text, r#"{{"type":"invoke","process":{process},"f":"{f}","key":"{key}","value":{value}}}"#)
                .expect("text");
            open[process] = Some((key, writes));
            continue;
        };
        let kind = if random(20) == 0 { "info" } else { "ok" };
        if let Some(value) = writes {
            if kind == "ok" || random(2) == 0 {
                written[key].push(value);
            }
            writeln!(text, r#"{{"type":"{kind}","process":{process},"f":"write","key":"{key}","value":{value}}}"#)
                .expect("text");
            continue;
        }
        let back = if random(stale) == 0 { 1 + random(2) as usize } else { 0 };
        let seen = written[key].iter().rev().nth(back).map_or("null".to_owned(), u64::to_string);
        writeln!(text, r#"{{"type":"ok","process":{process},"f":"read","key":"{key}","value":{seen}}}"#).expect("text");
    }
    text.into_bytes()
}

/// Goal: the order of rows decides how much is looked at, never what is found. Histories of registers with few and with many stale
/// reads, in three orders; and the likely one leaves little to look at where little is stale.
#[test]
fn registers_in_any_order() {
    let (mut several, mut none) = (0, 0);
    for seed in 0..150 {
        let stale = [4, 12, 40, 1000][seed as usize % 4];
        let (stretches, forward) = agree(
            || registers(seed, stale),
            |history| Accesses::of_registers(history, &Register::from_history(history).expect("registers")),
        );
        assert!(forward || stale < 1000, "seed {seed}");
        several += u32::from(stretches > 1);
        none += u32::from(stretches == 0);
    }
    assert!(several > 20 && none > 20, "{several} {none}");
}

/// Goal: the same for lists, of every level that lets transactions read what others replaced.
#[test]
fn lists_in_any_order() {
    let mut several = 0;
    for seed in 0..12 {
        let levels = [Level::SnapshotIsolation, Level::ReadCommitted, Level::StrictSerializable];
        let options = Generated {
            operations: 150,
            keys: 4,
            level: Some(levels[seed as usize % 3]),
            crash_rate: 0.05,
            seed,
            ..Generated::new(Vocabulary::ListAppend)
        };
        let write = || {
            let mut bytes = Vec::new();
            generate(&options, &mut bytes).expect("a history");
            bytes
        };
        let (stretches, forward) =
            agree(write, |history| Accesses::of_lists(&ListAppend::from_history(history).expect("lists")));
        several += u32::from(stretches > 1);
        // What nobody saw has no known order, and a bad guess of it leaves a few more.
        let strict = options.level == Some(Level::StrictSerializable);
        assert!(!strict || forward && stretches < 3, "seed {seed}: {stretches}");
    }
    assert!(several > 2, "{several}");
}
