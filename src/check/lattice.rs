//! From the judgements that checks made themselves to one verdict for every guarantee of their family.
//!
//! A check decides some guarantees by an algorithm of its own and finds anomalies. The lattice says the rest: what a certain
//! anomaly rules out is violated, and so is all that implies a violated guarantee; what a guarantee that holds implies, holds
//! too. What neither reaches stays `unknown`, with a reason. Exact as far as its input is: it adds no evidence. Cost: the
//! square of the size of the family, and that is small.

use crate::guarantee::{Anomaly, Guarantee, strongest, weakest};
use crate::verdict::{Certainty, Finding, Judgement, Verdict};

/// Gives every guarantee of `members` a verdict, from the judgements of checks and from certain findings.
///
/// Judgements are carried over with their evidence, anomalies and reasons; those of guarantees outside of `members` too. A
/// derived verdict says in its reason what it follows from. The strongest guarantees that hold come first, then the weakest
/// that are violated, then the others: implied ones, unknown ones, and those that are not applicable.
///
/// That a guarantee holds while another that it implies is violated can't be, whatever the history: some check is wrong. Then
/// all those in between are `unknown` and say so (and a debug build stops here).
#[must_use]
pub fn close(members: &[Guarantee], judgements: Vec<Judgement>, findings: &[Finding]) -> Vec<Judgement> {
    let (closed, contradictions) = settle(members, judgements, findings);
    debug_assert!(contradictions.is_empty(), "checks contradict each other on {contradictions:?}");
    closed
}

/// Enters in each certain finding what of the history's violated guarantees the lattice says that it rules out, whichever check judged
/// them: what a report says of a guarantee and what it says of an anomaly are one thing.
pub fn credit(findings: &mut [Finding], judgements: &[Judgement]) {
    let mut violated: Vec<Guarantee> =
        judgements.iter().filter(|one| one.verdict == Verdict::Violated).map(|one| one.guarantee).collect();
    violated.sort_unstable();
    for finding in findings.iter_mut().filter(|one| one.certainty == Certainty::Certain) {
        let table = finding.anomaly.rules_out();
        let more = violated.iter().filter(|one| table.contains(one) && !finding.rules_out.contains(one));
        let more: Vec<Guarantee> = more.copied().collect();
        finding.rules_out.extend(more);
    }
}

fn settle(members: &[Guarantee], judgements: Vec<Judgement>, findings: &[Finding]) -> (Vec<Judgement>, Vec<Guarantee>) {
    let known = Known::new(&judgements, findings);
    let mut own: Vec<Option<Judgement>> = vec![None; Guarantee::ALL.len()];
    for &member in members {
        own[member as usize] = Some(Judgement::new(member, Verdict::Unknown));
    }
    for judgement in judgements.iter().cloned() {
        let at = judgement.guarantee as usize;
        own[at] = Some(judgement);
    }
    let mut contradictions = Vec::new();
    let closed: Vec<Judgement> = own
        .into_iter()
        .flatten()
        .map(|judgement| {
            let (judgement, sound) = known.judge(judgement);
            contradictions.extend((!sound).then_some(judgement.guarantee));
            judgement
        })
        .collect();
    (in_order(closed), contradictions)
}

/// What the checks are sure of.
struct Known<'a> {
    held: Vec<&'a Judgement>,
    broken: Vec<&'a Judgement>,
    /// For each guarantee, the anomalies that rule it out, the most severe first.
    ruled_out_by: Vec<Vec<Anomaly>>,
}

impl<'a> Known<'a> {
    fn new(judgements: &'a [Judgement], findings: &[Finding]) -> Known<'a> {
        let with = |verdict| judgements.iter().filter(|one| one.verdict == verdict).collect();
        let mut certain: Vec<&Finding> = findings.iter().filter(|one| one.certainty == Certainty::Certain).collect();
        certain.sort_by_key(|one| one.anomaly.severity());
        let ruled_out_by = Guarantee::ALL
            .iter()
            .map(|&guarantee| {
                let mut evidence: Vec<Anomaly> = certain
                    .iter()
                    .filter(|finding| rules_out(finding, guarantee))
                    .map(|finding| finding.anomaly)
                    .collect();
                evidence.dedup();
                evidence
            })
            .collect();
        Known { held: with(Verdict::Holds), broken: with(Verdict::Violated), ruled_out_by }
    }

    /// The verdict on one guarantee, and whether what is known agrees with itself about it.
    fn judge(&self, own: Judgement) -> (Judgement, bool) {
        if own.verdict == Verdict::NotApplicable {
            return (own, true);
        }
        let guarantee = own.guarantee;
        // The nearest reason to hold, and the deepest to be violated.
        let above: Vec<&Judgement> = self.held.iter().copied().filter(|one| one.guarantee.entails(guarantee)).collect();
        let below: Vec<&Judgement> =
            self.broken.iter().copied().filter(|one| guarantee.entails(one.guarantee)).collect();
        let (holds, broken) = (basis(&above), basis(&below));
        let ruled_out_by = &self.ruled_out_by[guarantee as usize];
        let violated = broken.is_some() || !ruled_out_by.is_empty();
        match (holds, violated) {
            (Some(stronger), true) => {
                let against = match (broken, ruled_out_by.first()) {
                    (Some(weaker), _) => format!("{} is violated", weaker.guarantee),
                    (None, Some(anomaly)) => format!("{anomaly} was found"),
                    (None, None) => unreachable!("violated means one of the two"),
                };
                let mut judgement = Judgement::new(guarantee, Verdict::Unknown);
                judgement.evidence = own.evidence;
                judgement.reason = Some(format!(
                    "{} was judged to hold, but {against}: one of the two is wrong; please report this history",
                    stronger.guarantee
                ));
                (judgement, false)
            }
            (None, true) => (violation(own, broken, &below, ruled_out_by), true),
            (Some(_), false) if own.verdict == Verdict::Holds => (own, true),
            (Some(stronger), false) => {
                let mut judgement = Judgement::new(guarantee, Verdict::Holds);
                judgement.reason = Some(format!("follows from {}", stronger.guarantee));
                judgement.evidence = stronger.evidence.clone();
                (judgement, true)
            }
            (None, false) => (undecided(own), true),
        }
    }
}

/// Whether a finding is evidence against a guarantee: by the lattice, or because its check says so of this very occurrence.
fn rules_out(finding: &Finding, guarantee: Guarantee) -> bool {
    finding.anomaly.rules_out().contains(&guarantee)
        || finding.rules_out.iter().any(|&weaker| guarantee.entails(weaker))
}

/// The one that implies no other.
fn basis<'a>(some: &[&'a Judgement]) -> Option<&'a Judgement> {
    let names: Vec<Guarantee> = some.iter().map(|one| one.guarantee).collect();
    let weakest = *weakest(&names).first()?;
    some.iter().copied().find(|one| one.guarantee == weakest)
}

fn violation(
    mut own: Judgement,
    broken: Option<&Judgement>,
    below: &[&Judgement],
    ruled_out_by: &[Anomaly],
) -> Judgement {
    if own.verdict != Verdict::Violated {
        own = Judgement { evidence: own.evidence, ..Judgement::new(own.guarantee, Verdict::Violated) };
        if let Some(weaker) = broken {
            own.reason = Some(format!("implies {}, which is violated", weaker.guarantee));
            if own.evidence.is_empty() {
                own.evidence = weaker.evidence.clone();
            }
        }
    }
    for anomaly in ruled_out_by.iter().chain(below.iter().flat_map(|weaker| &weaker.anomalies)) {
        if !own.anomalies.contains(anomaly) {
            own.anomalies.push(*anomaly);
        }
    }
    own.anomalies.sort_by_key(|anomaly| anomaly.severity());
    own
}

fn undecided(mut own: Judgement) -> Judgement {
    if own.reason.is_none() {
        own.reason = Some(format!(
            "this version has no algorithm of its own for {}, and nothing that was decided implies or refutes it",
            own.guarantee
        ));
    }
    own
}

/// The strongest that hold, the weakest that are violated, and then the others by verdict, each in the order of the table.
fn in_order(mut judgements: Vec<Judgement>) -> Vec<Judgement> {
    let with = |verdict| -> Vec<Guarantee> {
        judgements.iter().filter(|one| one.verdict == verdict).map(|one| one.guarantee).collect()
    };
    let (best, worst) = (strongest(&with(Verdict::Holds)), weakest(&with(Verdict::Violated)));
    judgements.sort_by_key(|one| {
        let rank = match one.verdict {
            Verdict::Holds if best.contains(&one.guarantee) => 0,
            Verdict::Violated if worst.contains(&one.guarantee) => 1,
            Verdict::Holds => 2,
            Verdict::Violated => 3,
            Verdict::Unknown => 4,
            Verdict::NotApplicable => 5,
        };
        (rank, one.guarantee)
    });
    judgements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantee::Family;

    fn judged(guarantee: Guarantee, verdict: Verdict) -> Judgement {
        let mut judgement = Judgement::new(guarantee, verdict);
        judgement.evidence.insert("transactions".to_owned(), 7.into());
        judgement
    }

    fn found(anomaly: Anomaly) -> Finding {
        Finding { anomaly, certainty: Certainty::Certain, count: 1, rules_out: Vec::new(), witness: None }
    }

    fn transactions() -> Vec<Guarantee> {
        Family::Transactions.members().collect()
    }

    fn of(closed: &[Judgement], guarantee: Guarantee) -> &Judgement {
        let mut all = closed.iter().filter(|one| one.guarantee == guarantee);
        let one = all.next().expect("every member has a verdict");
        assert!(all.next().is_none(), "{guarantee} has two verdicts");
        one
    }

    /// Goal: what holds carries all that it implies, says from where, and comes first.
    #[test]
    fn what_is_implied_holds() {
        let closed = close(&transactions(), vec![judged(Guarantee::Serializable, Verdict::Holds)], &[]);
        assert_eq!(closed.len(), transactions().len());
        assert_eq!(closed[0].guarantee, Guarantee::Serializable);
        assert_eq!(closed[0].reason, None);
        let prefix = of(&closed, Guarantee::Prefix);
        assert_eq!((prefix.verdict, prefix.reason.as_deref()), (Verdict::Holds, Some("follows from serializable")));
        assert_eq!(prefix.evidence["transactions"], 7);
        let causal = of(&closed, Guarantee::Causal);
        assert_eq!(causal.verdict, Verdict::Unknown);
        assert!(causal.reason.as_deref().is_some_and(|reason| reason.contains("no algorithm")));
        assert_eq!(of(&closed, Guarantee::OneCopySerializable).verdict, Verdict::Holds);
    }

    /// Goal: the reason names the closest guarantee that holds, not merely some.
    #[test]
    fn the_closest_reason_is_given() {
        let own =
            vec![judged(Guarantee::SnapshotIsolation, Verdict::Holds), judged(Guarantee::Serializable, Verdict::Holds)];
        let closed = close(&transactions(), own, &[]);
        assert_eq!(of(&closed, Guarantee::Prefix).reason.as_deref(), Some("follows from snapshot-isolation"));
    }

    /// Goal: a violation goes upward with its anomalies and nowhere else; the weakest violated comes right after what holds.
    #[test]
    fn what_implies_a_violated_one_is_violated() {
        let mut own = vec![judged(Guarantee::SnapshotIsolation, Verdict::Violated)];
        own[0].anomalies = vec![Anomaly::GNonadjacentItem];
        own.push(judged(Guarantee::ReadCommitted, Verdict::Holds));
        own.push(judged(Guarantee::StrictSerializable, Verdict::Unknown));
        let closed = close(&transactions(), own, &[]);
        let order: Vec<Guarantee> = closed.iter().take(2).map(|one| one.guarantee).collect();
        assert_eq!(order, [Guarantee::ReadCommitted, Guarantee::SnapshotIsolation]);
        for above in [Guarantee::Serializable, Guarantee::StrictSerializable, Guarantee::StrongSnapshotIsolation] {
            let above = of(&closed, above);
            assert_eq!(above.verdict, Verdict::Violated);
            assert_eq!(above.anomalies, [Anomaly::GNonadjacentItem]);
            assert_eq!(above.reason.as_deref(), Some("implies snapshot-isolation, which is violated"));
        }
        assert_eq!(of(&closed, Guarantee::RepeatableRead).verdict, Verdict::Unknown);
        assert_eq!(of(&closed, Guarantee::ReadUncommitted).verdict, Verdict::Holds);
    }

    /// Goal: a certain finding decides, a possible one doesn't, and a check can say more of one occurrence than the lattice of all.
    #[test]
    fn findings_rule_out() {
        let closed =
            close(&transactions(), vec![judged(Guarantee::Serializable, Verdict::Unknown)], &[found(Anomaly::G2)]);
        assert_eq!(of(&closed, Guarantee::Serializable).anomalies, [Anomaly::G2]);
        assert_eq!(of(&closed, Guarantee::Serializable).verdict, Verdict::Violated);
        assert_eq!(of(&closed, Guarantee::SnapshotIsolation).verdict, Verdict::Unknown);

        let possible = Finding { certainty: Certainty::Possible, ..found(Anomaly::G2) };
        assert_eq!(
            of(&close(&transactions(), Vec::new(), &[possible]), Guarantee::Serializable).verdict,
            Verdict::Unknown
        );

        let special = Finding { rules_out: vec![Guarantee::Prefix], ..found(Anomaly::G2) };
        let closed = close(&transactions(), Vec::new(), &[special]);
        assert_eq!(of(&closed, Guarantee::SnapshotIsolation).verdict, Verdict::Violated);
        assert_eq!(of(&closed, Guarantee::CausalCerone).verdict, Verdict::Unknown);
    }

    /// Goal: a finding is credited with every violated guarantee that the lattice says it rules out, and with no other.
    #[test]
    fn findings_are_credited() {
        let closed = close(&transactions(), Vec::new(), &[found(Anomaly::G1a)]);
        let mut findings = [found(Anomaly::G1a), Finding { certainty: Certainty::Possible, ..found(Anomaly::G0) }];
        credit(&mut findings, &closed);
        assert!(findings[0].rules_out.contains(&Guarantee::ReadCommitted));
        assert!(!findings[0].rules_out.contains(&Guarantee::ReadUncommitted));
        assert!(!findings[0].rules_out.contains(&Guarantee::ReadYourWrites), "nobody judged it here");
        assert!(findings[1].rules_out.is_empty());
    }

    /// Goal: what a vocabulary can't show stays so, and judgements outside of the family are not lost.
    #[test]
    fn nothing_is_lost() {
        let own = vec![
            judged(Guarantee::ReadAtomic, Verdict::NotApplicable),
            judged(Guarantee::Linearizable, Verdict::Holds),
        ];
        let closed = close(&[Guarantee::ReadAtomic, Guarantee::Sequential], own, &[]);
        let verdicts: Vec<(Guarantee, Verdict)> = closed.iter().map(|one| (one.guarantee, one.verdict)).collect();
        assert_eq!(
            verdicts,
            [
                (Guarantee::Linearizable, Verdict::Holds),
                (Guarantee::Sequential, Verdict::Holds),
                (Guarantee::ReadAtomic, Verdict::NotApplicable)
            ]
        );
    }

    /// Goal: checks that contradict each other give no verdict on what they contradict each other about, and keep the rest.
    #[test]
    fn contradictions_are_unknown() {
        let own = vec![
            judged(Guarantee::SnapshotIsolation, Verdict::Holds),
            judged(Guarantee::ReadAtomic, Verdict::Violated),
        ];
        let (closed, contradictions) = settle(&transactions(), own, &[]);
        assert!(contradictions.contains(&Guarantee::Prefix) && contradictions.contains(&Guarantee::SnapshotIsolation));
        for between in contradictions {
            assert_eq!(of(&closed, between).verdict, Verdict::Unknown);
            assert!(
                of(&closed, between).reason.as_deref().is_some_and(|reason| reason.contains("one of the two is wrong"))
            );
        }
        assert_eq!(of(&closed, Guarantee::ReadCommitted).verdict, Verdict::Holds);
        assert_eq!(of(&closed, Guarantee::Serializable).verdict, Verdict::Violated);
    }
}
