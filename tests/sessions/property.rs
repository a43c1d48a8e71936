//! Random small histories: every verdict is the definition's, every witness is confirmed, and the lattice is kept.

use anachron::guarantee::{Family, Guarantee};
use anachron::verdict::{Outcome, Verdict};
use anachron::workload::Workload;

use super::brute::{Brute, JUDGED};
use super::random::{Random, Small, lists, registers, revised};
use super::{history, judged, of, verdict};

/// How often `consistent-prefix` held, was violated, and stayed open.
type Prefixes = [u32; 3];

fn check_prefix(small: &Small, outcome: &Outcome, ordered: bool, told: &mut Prefixes) {
    let holds = Brute::new(small).holds(Guarantee::ConsistentPrefix) || ordered;
    let judgement = of(outcome, Guarantee::ConsistentPrefix);
    let (at, agrees) = match judgement.verdict {
        Verdict::Holds => (0, holds),
        Verdict::Violated => (1, !holds),
        Verdict::Unknown | Verdict::NotApplicable => (2, true),
    };
    told[at] += 1;
    assert!(agrees, "holds: {holds}\n{}{small:#?}\n{judgement:#?}\n{:#?}", small.records, outcome.findings);
}

fn check(small: &Small, workload: Workload, broken: &mut [u32; JUDGED.len()], prefixes: &mut Prefixes) {
    let history = history(&small.records);
    let outcome = judged(&history, workload);
    let brute = Brute::new(small);
    // Where values alone have a legal order that contains session order, what a server says of another one is not held against it.
    let ordered = small.revised && verdict(&outcome, Guarantee::Sequential) == Verdict::Holds;
    if workload == Workload::Register {
        check_prefix(small, &outcome, ordered, prefixes);
    }
    for (number, guarantee) in JUDGED.into_iter().enumerate() {
        let (said, holds) = (verdict(&outcome, guarantee), brute.holds(guarantee) || ordered);
        broken[number] += u32::from(!holds);
        // Of transactions more is asked than of their single accesses.
        let more = workload == Workload::ListAppend && guarantee.entails(Guarantee::Causal);
        let agrees = match said {
            Verdict::Holds => holds,
            Verdict::Violated => !holds || more,
            // Nothing could have broken it; or a compare-and-set of unknown outcome has no known place in a session that went on.
            Verdict::Unknown => {
                holds
                    || of(&outcome, guarantee).reason.as_ref().is_some_and(|why| {
                        why.contains("of unknown outcome took effect") || why.contains("name versions and replaced")
                    })
            }
            Verdict::NotApplicable => false,
        };
        assert!(
            agrees,
            "{guarantee} is {said:?}, and holds: {holds}\n{}{small:#?}\n{:#?}\n{:#?}",
            small.records,
            of(&outcome, guarantee),
            outcome.findings
        );
    }
    for finding in &outcome.findings {
        let witness = finding.witness.as_ref();
        let sessions = !finding.anomaly.families().contains(&Family::Transactions)
            && finding.anomaly.families().contains(&Family::Sessions);
        assert!(!sessions || witness.is_some_and(|witness| witness.rechecked), "{}\n{finding:#?}", small.records);
    }
}

fn run(make: impl Fn(&mut Random) -> Small, workload: Workload, seed: u64, count: u32) {
    let mut random = Random(seed);
    let (mut broken, mut prefixes) = ([0; JUDGED.len()], Prefixes::default());
    for _ in 0..count {
        check(&make(&mut random), workload, &mut broken, &mut prefixes);
    }
    let [held, violated, open] = prefixes;
    assert!(
        workload != Workload::Register || held * 5 > count && violated * 10 > count && open * 5 < count,
        "{prefixes:?}"
    );
    for (guarantee, broken) in JUDGED.into_iter().zip(broken) {
        assert!(broken * 200 > count && broken * 10 < count * 9, "{guarantee}: {broken} of {count} break it");
    }
}

fn rounds() -> u32 {
    std::env::var("ANACHRON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// Goal: registers with compare-and-set, crashed, failed and half-recorded operations, sessions that outlive a process: each
/// guarantee is judged as its definition says, with one arbitration for everybody and with one for each session.
#[test]
fn registers_agree_with_brute_force() {
    for round in 0..rounds() {
        run(registers, Workload::Register, 1 + u64::from(round), 1500);
    }
}

/// Goal: the same where records name the server's revisions: these are the order of a register's versions, and tell writes of one
/// value apart.
#[test]
fn revisions_agree_with_brute_force() {
    for round in 0..rounds() {
        run(revised, Workload::Register, 1 + u64::from(round), 1500);
    }
}

/// Goal: the same for lists, whose order of versions is known, in transactions of one to three micro-operations.
#[test]
fn lists_agree_with_brute_force() {
    for round in 0..rounds() {
        run(lists, Workload::ListAppend, 1 + u64::from(round), 1500);
    }
}

/// Goal: a compare-and-set of unknown outcome may take effect after what its session did next, so that it is no evidence against the
/// session; and the verdict says why it is open.
#[test]
fn an_unknown_outcome_has_no_place_in_its_session() {
    let records = r#"{"type":"invoke","process":0,"f":"cas","key":"x","session":"s","value":[6,2]}
{"type":"info","process":0,"f":"cas","key":"x","session":"s","value":[6,2]}
{"type":"invoke","process":3,"f":"read","key":"x","session":"s","value":null}
{"type":"invoke","process":2,"f":"cas","key":"x","session":"t","value":[2,6]}
{"type":"ok","process":2,"f":"cas","key":"x","session":"t","value":[2,6]}
{"type":"ok","process":3,"f":"read","key":"x","session":"s","value":null}
{"type":"invoke","process":3,"f":"read","key":"x","session":"s","value":null}
{"type":"ok","process":3,"f":"read","key":"x","session":"s","value":2}
"#;
    let outcome = judged(&history(records), Workload::Register);
    let pram = of(&outcome, Guarantee::Pram);
    assert_eq!(pram.verdict, Verdict::Unknown, "{pram:#?}");
    assert!(pram.reason.as_ref().is_some_and(|why| why.contains("unknown outcome")), "{pram:#?}");
}

/// Goal: the four session guarantees together, with one arbitration for everybody, are causal convergence.
#[test]
fn session_global_is_causal_convergence() {
    let mut random = Random(3);
    for _ in 0..1500 {
        let small = registers(&mut random);
        let brute = Brute::new(&small);
        assert_eq!(brute.holds(Guarantee::SessionGlobal), brute.holds(Guarantee::Causal), "{}", small.records);
    }
}
