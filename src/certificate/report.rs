//! The witnesses of a report in JSON, gone through once more.
//!
//! A witness carries what it claims as data ([`Claim`]): operations and records by position. Of each
//! 1. the anomaly's name has to be one that claims of this kind are about, and it has to rule out what the report says;
//! 2. the records have to stand in the history as the report shows them, and operations and steps have to be about them;
//! 3. the claim is confirmed from the whole history, by [`recheck::confirm`], the same code that `check` asked;
//! 4. its steps and sentences are told again from the claim alone, where they are told from claims (transactions over lists,
//!    sessions, stale reads, what is there in the end, accounts), and have to be the same to the letter. Of others only the
//!    records, the operations, their objects and real
//!    time are compared (`compare`), and the ruling says so.
//!
//! How often something occurs (`count`) and that nothing smaller exists (`minimality`) is not looked at.
//! Cost: some scans of the history for all claims of lists and sessions together, and for each other claim.

use serde_json::Value as Json;

use super::{Line, Ruling, compare, verdicts};
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::History;
use crate::witness::claim::{Claim, Places};
use crate::witness::objects::contradiction::Why;
use crate::witness::recheck::contradiction;
use crate::witness::{
    Minimality, Witness, accounts, eventual, list_append, recheck, sessions, staleness, updates, versions,
};

/// What reports call their format.
pub(super) const SCHEMA: &str = "anachron.report/1";

/// One line for each anomaly of the report, and one for each guarantee that it says was required.
pub(super) fn verify(history: &History, report: &Json) -> Result<Vec<Line>, String> {
    let judged = match report.get("histories").and_then(Json::as_array).map(Vec::as_slice) {
        Some([one]) => one,
        Some(several) => return Err(format!("the report is of {} histories: verify needs one of one", several.len())),
        None => return Err(format!("no {SCHEMA}: it has no `histories`")),
    };
    let anomalies = judged.get("anomalies").and_then(Json::as_array).map(Vec::as_slice);
    let anomalies = anomalies.ok_or_else(|| format!("no {SCHEMA}: its history has no `anomalies`"))?;
    let redacted = judged.get("redacted") == Some(&Json::Bool(true));
    let places = Places::of(history);
    let all: Vec<Result<Asserted<'_>, Ruling>> =
        anomalies.iter().map(|anomaly| Asserted::read(history, &places, anomaly, redacted)).collect();
    let claims: Vec<_> = all.iter().flatten().map(|one| (one.anomaly, one.certain, &one.claim)).collect();
    let mut confirmed = recheck::confirm(history, &claims).into_iter();
    let mut ruling = |asserted: &Result<Asserted<'_>, Ruling>| match asserted {
        Ok(asserted) => asserted.rule(history, confirmed.next() == Some(true)),
        Err(ruling) => ruling.clone(),
    };
    let rulings: Vec<Ruling> = all.iter().map(&mut ruling).collect();
    let found: Vec<_> = anomalies.iter().zip(&rulings).collect();
    let guarantees = judged.get("guarantees").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let verdicts = verdicts::rule(report, guarantees, &found);
    let subject = |anomaly: &Json| anomaly.get("anomaly").and_then(Json::as_str).unwrap_or("anomaly").to_owned();
    let mut lines: Vec<Line> =
        anomalies.iter().zip(&rulings).map(|(one, of)| Line { subject: subject(one), ruling: of.clone() }).collect();
    lines.extend(verdicts);
    Ok(lines)
}

/// An anomaly of a report, and what its witness claims.
struct Asserted<'r> {
    anomaly: Anomaly,
    certain: bool,
    /// The use case in whose part of the history it was found.
    use_case: Option<&'r str>,
    /// Whether the report says that a second look confirmed it.
    rechecked: bool,
    minimality: Minimality,
    witness: &'r Json,
    claim: Claim,
}

impl<'r> Asserted<'r> {
    /// What a report asserts, if its records stand in the history and it makes sense by itself.
    fn read(history: &History, places: &Places, said: &'r Json, redacted: bool) -> Result<Asserted<'r>, Ruling> {
        let refuse = Ruling::Refused;
        let unproved = |why: &str| Ruling::Unproved(why.to_owned());
        let text = |it: &'r Json, name: &str| it.get(name).and_then(Json::as_str);
        let name = text(said, "anomaly").unwrap_or_default();
        let anomaly = Anomaly::ALL.iter().copied().find(|anomaly| anomaly.name() == name);
        let anomaly = anomaly.ok_or_else(|| refuse(format!("there is no anomaly {name:?}")))?;
        let certain = match text(said, "certainty") {
            Some("certain") => true,
            Some("possible") => false,
            _ => return Err(refuse("its `certainty` is neither certain nor possible".to_owned())),
        };
        let Some(witness) = said.get("witness").filter(|witness| !witness.is_null()) else {
            return Err(unproved("the report shows no witness of it"));
        };
        if redacted {
            return Err(unproved(
                "the report's values are placeholders: verify needs one that was written without --redact",
            ));
        }
        compare::records(history, witness)?;
        let Some(claim) = witness.get("claim").filter(|claim| !claim.is_null()) else {
            return Err(unproved("its records are in the history, but the report does not have its `claim` as data"));
        };
        let claim = Claim::from_json(claim, history, places).map_err(|why| refuse(format!("its claim: {why}")))?;
        rules_out(said, anomaly, certain, &claim).map_err(refuse)?;
        let all = [Minimality::Minimum, Minimality::OneMinimal, Minimality::Bounded];
        let minimality = all.into_iter().find(|one| Some(one.name()) == text(witness, "minimality"));
        let minimality = minimality.ok_or_else(|| refuse("its `minimality` is none".to_owned()))?;
        let rechecked = witness.get("rechecked") == Some(&Json::Bool(true));
        Ok(Asserted { anomaly, certain, use_case: text(said, "use_case"), rechecked, minimality, witness, claim })
    }

    /// What becomes of it. `confirmed`: whether the history bears out the claim.
    fn rule(&self, history: &History, confirmed: bool) -> Ruling {
        if !confirmed {
            let named = self.claim.positions(history).len();
            return match self.use_case {
                _ if !self.rechecked => Ruling::Unproved(format!(
                    "found by search: a second look does not confirm it within its bounds ({named} operations)"
                )),
                Some(part) => Ruling::Unproved(format!(
                    "it was found in the part of the history that the use case {part:?} is about, and verify looks at all of it"
                )),
                None => Ruling::Refused(format!(
                    "what it claims to be {} is not so, or is none, by the whole history",
                    self.anomaly
                )),
            };
        }
        let told = match &self.claim {
            Claim::ListAppend(claim) => Some(list_append::witness(history, claim, self.minimality, self.rechecked)),
            Claim::Sessions(claim) => Some(sessions::witness(history, claim, self.minimality, self.rechecked)),
            Claim::Account(account) => {
                Some(accounts::witness(history, self.anomaly, self.certain, account, self.rechecked))
            }
            Claim::Stale(claim) => Some(staleness::witness(history, self.anomaly, claim, self.minimality)),
            Claim::Diverged(reads) => Some(eventual::divergence(history, *reads)),
            Claim::ShowsFailed(read) => Some(eventual::aborted(history, *read)),
            Claim::SameKnowledge(reads) => Some(eventual::same_knowledge(history, *reads)),
            Claim::NoOrder { operations, why: Some(why) } if contradiction::is_told(history, operations) => {
                let told = contradiction::witness(history, operations, why, self.minimality);
                Some(Witness { claim: Some(self.claim.to_json(history)), ..told })
            }
            Claim::Updates(claim) => Some(updates::witness(history, self.anomaly, claim)),
            Claim::Conflicting { operations, how } => Some(versions::witness(history, *operations, *how)),
            _ => None,
        };
        let compared = match &told {
            Some(told) => compare::all(history, told, self.witness),
            None => compare::outline(history, &self.claim, self.witness),
        };
        if let Err(why) = compared {
            return Ruling::Refused(why);
        }
        Ruling::Proved(self.proof(told.as_ref()))
    }

    fn proof(&self, told: Option<&Witness>) -> String {
        let what = match &self.claim {
            Claim::ListAppend(list_append::Claim::Cycle { .. }) => "each step of the cycle holds in the whole history",
            Claim::ListAppend(list_append::Claim::EveryOrder { .. }) => {
                "whichever order the appends had that no read shows, one of the cycles holds in the whole history"
            }
            Claim::Sessions(_) => "each link of the circle holds in the whole history",
            Claim::Stale(_) => {
                "by the whole history, the read missed what had been overwritten or acknowledged before it began"
            }
            Claim::Diverged(_) => "both reads are final, and no write explains that they differ",
            Claim::ShowsFailed(_) => "by the whole history, only what failed wrote what is there in the end",
            Claim::SameKnowledge(_) => "both reads say that they had seen the same, and they differ",
            Claim::NoOrder { why: Some(Why::FromNowhere { .. }), .. } => {
                "nothing in the whole history wrote what was read, and no order explains it"
            }
            Claim::NoOrder { .. } => {
                "no order of its operations gives what was read, so the history is not linearizable"
            }
            Claim::Updates(_) => "no choice of updates of the whole history explains what was read",
            Claim::Conflicting { .. } => "both records stand in the history, and their versions contradict each other",
            Claim::TwoPlaces { .. } => "what was appended once is there in two places",
            Claim::ListAppend(_) | Claim::Account(_) => "the whole history bears it out, record by record",
        };
        let words = match told {
            Some(_) => "its sentences say that and no more",
            None => "its sentences were not compared",
        };
        format!("{what}; {words}")
    }
}

/// Whether an anomaly of this kind rules out what the report says that it does.
fn rules_out(said: &Json, anomaly: Anomaly, certain: bool, claim: &Claim) -> Result<(), String> {
    let names = said.get("rules_out").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    for name in names {
        let name = name.as_str().unwrap_or_default();
        let guarantee = Guarantee::ALL.iter().copied().find(|guarantee| guarantee.name() == name);
        let guarantee = guarantee.ok_or_else(|| format!("there is no guarantee {name:?} that it could rule out"))?;
        let more = match claim {
            Claim::NoOrder { .. } | Claim::TwoPlaces { .. } => {
                matches!(guarantee, Guarantee::Linearizable | Guarantee::Sequential)
            }
            // What a bound says of a read depends on the bound.
            Claim::Stale(_) => matches!(guarantee, Guarantee::BoundedStaleness | Guarantee::Eventual),
            // One that misses its own transaction's append breaks more than one that reads twice.
            Claim::ListAppend(list_append::Claim::Internal { .. }) => {
                guarantee.entails(Guarantee::ReadCommittedBiswasEnea)
            }
            _ => anomaly == Anomaly::G1a && guarantee == Guarantee::Eventual,
        };
        if !certain {
            return Err(format!("what is only possible does not rule out {guarantee}"));
        }
        if !more && !anomaly.rules_out().contains(&guarantee) {
            return Err(format!("{anomaly} does not rule out {guarantee}"));
        }
    }
    Ok(())
}
