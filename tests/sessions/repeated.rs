//! Values that several writes wrote: what a check says is so whichever of them each read saw.

use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::brute::{Brute, JUDGED};
use super::random::{Random, Small, Status, What, repeated};
use super::{history, judged, of};

/// How many choices are tried; histories with more are left out.
const MOST: usize = 100;

/// The writes that each read can have seen: those of its value that did not fail, else those that did; not its own operation's.
fn choices(small: &Small) -> Option<Vec<Small>> {
    let mut all = vec![small.clone()];
    for at in 0..small.accesses.len() {
        let What::Read(key, Some(source)) = small.accesses[at].what else { continue };
        let wrote = |other: &usize| {
            small.accesses[*other].what == What::Write(key)
                && small.named[*other] == small.named[source]
                && small.accesses[*other].op != small.accesses[at].op
        };
        let (failed, fine): (Vec<usize>, Vec<usize>) =
            (0..small.accesses.len()).filter(wrote).partition(|other| small.accesses[*other].status == Status::Fail);
        let possible = if fine.is_empty() { failed } else { fine };
        let with = |choice: &Small, source: usize| {
            let mut choice = choice.clone();
            choice.accesses[at].what = What::Read(key, Some(source));
            choice
        };
        all = all.iter().flat_map(|choice| possible.iter().map(move |source| with(choice, *source))).collect();
        if all.len() > MOST {
            return None;
        }
    }
    for choice in &mut all {
        choice.known.clear();
        for at in 1..choice.accesses.len() {
            let (read, write) = (choice.accesses[at - 1], choice.accesses[at]);
            if let (What::Read(_, Some(source)), true) = (read.what, read.op == write.op) {
                choice.known.push((source, at));
            }
        }
    }
    Some(all)
}

/// Goal: whatever holds, holds by some choice of who wrote what each read saw; whatever is violated is so by every choice. And not
/// everything is left unknown.
#[test]
fn verdicts_are_so_whichever_write_was_seen() {
    let rounds: u64 = std::env::var("ANACHRON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let mut told = [0; 3];
    for round in 0..rounds {
        let mut random = Random(23 + round);
        for _ in 0..300 {
            let small = repeated(&mut random);
            let Some(choices) = choices(&small) else { continue };
            let choices: Vec<Brute> = choices.iter().map(Brute::new).collect();
            let outcome = judged(&history(&small.records), Workload::Register);
            for guarantee in JUDGED {
                let possible = || choices.iter().any(|choice| choice.holds(guarantee));
                let judgement = of(&outcome, guarantee);
                let (at, agrees) = match judgement.verdict {
                    Verdict::Holds => (0, possible()),
                    Verdict::Violated => (1, !possible()),
                    Verdict::Unknown | Verdict::NotApplicable => (2, true),
                };
                told[at] += 1;
                assert!(agrees, "{guarantee}\n{}{judgement:#?}\n{:#?}", small.records, outcome.findings);
            }
        }
    }
    assert!(told[0] > 500 && told[1] > 200, "{told:?}");
}
