//! Goal: strings that are only put and got are registers in every family.

use anachron::verdict::{Judgement, Verdict};
use anachron::workload::Workload;

use super::random::Dice;
use super::{assert_rechecked, judged, parse, rounds};

/// Goal: a history of gets and puts has the verdicts of the register history that says the same, in all families, and each of its
/// witnesses is confirmed in its own words; what is null or was not there is the empty string.
#[test]
fn strings_that_are_put_are_registers() {
    let mut violated = 0;
    for seed in 0..rounds(400) {
        let mut dice = Dice::new(seed + 41);
        let (mut registers, mut strings) = (String::new(), String::new());
        let last = [(); 2].map(|()| dice.below(4));
        for at in 0..4 + seed % 8 {
            let (process, node, key) = (dice.below(3), dice.below(2), dice.below(2));
            let (write, value) = if dice.chance(50) { (true, at + 1) } else { (false, dice.below(at + 1)) };
            let kind = ["ok", "info", "fail"][usize::try_from(dice.below(6).saturating_sub(3)).expect("small")];
            let kind = if write { kind } else { "ok" };
            let value = if value == 0 { "\"\"".to_owned() } else { format!("\"{value}\"") };
            for (text, names) in [(&mut registers, ["write", "read"]), (&mut strings, ["put", "get"])] {
                let f = names[usize::from(!write)];
                let shown = if f == "get" && value == "\"\"" { "null" } else { &value };
                let process = if write { 10 * at + process + 3 } else { process };
                let invoked = if write { &value } else { "null" };
                for (kind, value) in [("invoke", invoked), (kind, shown)] {
                    text.push_str(&format!(
                        "{{\"type\":\"{kind}\",\"process\":{process},\"session\":\"s{}\",\"f\":\"{f}\",\"key\":\"k{key}\",\"value\":{value},\"node\":\"n{node}\"}}\n",
                        process % 3
                    ));
                }
            }
        }
        for node in 0..2 {
            for (key, value) in last.iter().enumerate() {
                for (text, f) in [(&mut registers, "read"), (&mut strings, "get")] {
                    let value = if *value == 0 { "\"\"".to_owned() } else { format!("\"{value}\"") };
                    text.push_str(&format!(
                        "{{\"type\":\"ok\",\"process\":99,\"f\":\"{f}\",\"key\":\"k{key}\",\"value\":{value},\"node\":\"n{node}\",\"final\":true}}\n"
                    ));
                }
            }
        }
        let header = "{\"history\":{\"initial\":\"\"}}\n";
        let require = "linearizable session causal bounded-staleness:versions=0 eventual";
        let registers = judged(&parse(&format!("{header}{registers}")), Workload::Register, require);
        let outcome = judged(&parse(&strings), Workload::Kv, require);
        let said = |judgements: &[Judgement]| -> Vec<_> {
            let mut said: Vec<_> = judgements.iter().map(|one| (one.guarantee, one.verdict)).collect();
            said.sort_unstable_by_key(|(guarantee, _)| *guarantee);
            said
        };
        assert_eq!(said(&outcome.judgements), said(&registers.judgements), "seed {seed}\n{strings}");
        violated += outcome.judgements.iter().filter(|one| one.verdict == Verdict::Violated).count();
        assert_rechecked(&outcome, &strings);
    }
    assert!(violated > 400, "{violated}");
}
