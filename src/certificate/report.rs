//! The witnesses of a report in JSON, gone through once more.
//!
//! A witness carries what it claims as data ([`Claim`]): operations and records by position. Of each
//! 1. the anomaly's name has to be one that claims of this kind are about, and it has to rule out what the report says;
//! 2. the records have to stand in the history as the report shows them, and operations and steps have to be about them;
//! 3. the claim is confirmed from the whole history, by [`recheck::confirm`], the same code that `check` asked;
//! 4. its steps and sentences are told again from the claim alone, where they are told from claims (transactions over lists,
//!    sessions, sets and counters, stale reads, what is there in the end, accounts), and have to be the same to the letter. Of others
//!    only the records, the operations, their objects and real time are compared (`compare`), and the ruling says so;
//! 5. its fingerprint, its bounds and the terms of its policy have to be those that follow from it and from what the report says
//!    that was required;
//! 6. its seal has to be of what it says. That is all there is to show that something occurs so often (`count`), that nothing smaller
//!    exists (`minimality`), and who accepted it: see `report::seal` for what that is worth.
//!
//! Cost: some scans of the history for all claims of lists and sessions together, and for each other claim.

use serde_json::Value as Json;

mod required;

use self::required::{Required, Scope};
use super::{Line, Ruling, compare, verdicts};
use crate::guarantee::Anomaly;
use crate::history::History;
use crate::report::seal as seal_of;
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
    let look = Look {
        history,
        places: Places::of(history),
        judged,
        required: Required::read(judged)?,
        redacted: judged.get("redacted") == Some(&Json::Bool(true)),
    };
    let all: Vec<Result<Asserted<'_>, Ruling>> =
        anomalies.iter().map(|anomaly| Asserted::read(&look, anomaly)).collect();
    let claims: Vec<_> = all.iter().flatten().map(|one| (one.anomaly, one.certain, &one.claim)).collect();
    let mut confirmed = recheck::confirm(history, &claims).into_iter();
    let mut ruling = |said: &Json, asserted: &Result<Asserted<'_>, Ruling>| match asserted {
        Ok(asserted) => asserted.rule(&look, said, confirmed.next() == Some(true)),
        Err(ruling) => ruling.clone(),
    };
    let rulings: Vec<Ruling> = anomalies.iter().zip(&all).map(|(one, of)| ruling(one, of)).collect();
    let found: Vec<_> = anomalies.iter().zip(&rulings).collect();
    let guarantees = judged.get("guarantees").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let verdicts = verdicts::rule(report, guarantees, &found);
    let subject = |anomaly: &Json| anomaly.get("anomaly").and_then(Json::as_str).unwrap_or("anomaly").to_owned();
    let mut lines: Vec<Line> =
        anomalies.iter().zip(&rulings).map(|(one, of)| Line { subject: subject(one), ruling: of.clone() }).collect();
    lines.extend(verdicts);
    Ok(lines)
}

/// What a broken seal says.
const CHANGED: &str = "what it claims is so, but it was changed after it was written: its `seal` is of something else (it covers \
                       what no history shows: `count`, `minimality`, `accepted`)";

/// Whether an anomaly is as it was written; nothing where it has no seal.
fn is_sealed(said: &Json) -> Option<bool> {
    let seal = said.get("seal").filter(|seal| !seal.is_null())?;
    Some(*seal == Json::String(seal_of(said)))
}

/// A report that says less than it could is none that says what is wrong: it leaves open what it is about, and whoever needs to
/// know has to ask for another one. So that is never refused, and never proved: the exit code is 3. That somebody took the rest out
/// by hand, rather than a program that had no more to say, is told beside it, for what was taken out may have been the reason.
fn unproved(said: &Json, why: &str) -> Ruling {
    Ruling::Unproved(match is_sealed(said) {
        Some(false) => format!("{why}; and its `seal` is of something else: it was changed after it was written"),
        _ => why.to_owned(),
    })
}

/// An anomaly of a report, and what its witness claims.
struct Asserted<'r> {
    anomaly: Anomaly,
    certain: bool,
    scope: Scope<'r>,
    /// Whether the report says that a second look confirmed it.
    rechecked: bool,
    minimality: Minimality,
    witness: &'r Json,
    claim: Claim,
}

/// What all anomalies of a report are looked at with.
struct Look<'r> {
    history: &'r History,
    places: Places,
    judged: &'r Json,
    required: Required<'r>,
    redacted: bool,
}

impl<'r> Asserted<'r> {
    /// What a report asserts, if its records stand in the history and it makes sense by itself.
    fn read(look: &Look<'r>, said: &'r Json) -> Result<Asserted<'r>, Ruling> {
        let refuse = Ruling::Refused;
        let history = look.history;
        let text = |it: &'r Json, name: &str| it.get(name).and_then(Json::as_str);
        let name = text(said, "anomaly").unwrap_or_default();
        let anomaly = Anomaly::ALL.iter().copied().find(|anomaly| anomaly.name() == name);
        let anomaly = anomaly.ok_or_else(|| refuse(format!("there is no anomaly {name:?}")))?;
        let certain = match text(said, "certainty") {
            Some("certain") => true,
            Some("possible") => false,
            _ => return Err(refuse("its `certainty` is neither certain nor possible".to_owned())),
        };
        if said.get("use_case").is_some_and(|name| !name.is_null() && !name.is_string()) {
            return Err(refuse("its `use_case` is no name".to_owned()));
        }
        let scope =
            Scope { use_case: text(said, "use_case"), parameters: said.get("parameters").and_then(Json::as_object) };
        look.required.has(scope).map_err(refuse)?;
        let Some(witness) = said.get("witness").filter(|witness| !witness.is_null()) else {
            return Err(unproved(said, "the report shows no witness of it"));
        };
        if look.redacted {
            let why = "the report's values are placeholders: verify needs one that was written without --redact";
            return Err(unproved(said, why));
        }
        compare::records(history, witness)?;
        let Some(claim) = witness.get("claim").filter(|claim| !claim.is_null()) else {
            let why = "its records are in the history, but the report does not have its `claim` as data";
            return Err(unproved(said, why));
        };
        let claim =
            Claim::from_json(claim, history, &look.places).map_err(|why| refuse(format!("its claim: {why}")))?;
        let rules_out = said.get("rules_out").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        if let (false, Some(one)) = (certain, rules_out.first()) {
            return Err(refuse(format!("what is only possible does not rule out {one}")));
        }
        look.required.allow(history, rules_out, anomaly, &claim, scope).map_err(refuse)?;
        if let Claim::Account(account) = &claim {
            look.required.has_terms(history, &account.rule, scope).map_err(refuse)?;
        }
        let all = [Minimality::Minimum, Minimality::OneMinimal, Minimality::Bounded];
        let minimality = all.into_iter().find(|one| Some(one.name()) == text(witness, "minimality"));
        let minimality = minimality.ok_or_else(|| refuse("its `minimality` is none".to_owned()))?;
        let rechecked = witness.get("rechecked") == Some(&Json::Bool(true));
        Ok(Asserted { anomaly, certain, scope, rechecked, minimality, witness, claim })
    }

    /// What becomes of it. `confirmed`: whether the history bears out the claim.
    fn rule(&self, look: &Look<'_>, said: &Json, confirmed: bool) -> Ruling {
        let history = look.history;
        if !confirmed {
            let named = self.claim.positions(history).len();
            let within = format!("({named} operations)");
            return match self.scope.use_case {
                _ if !self.rechecked => {
                    let why = format!("found by search: a second look does not confirm it within its bounds {within}");
                    unproved(said, &why)
                }
                Some(part) => {
                    let why = format!(
                        "it was found in the part of the history that the use case {part:?} is about, and verify looks at all of it"
                    );
                    unproved(said, &why)
                }
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
        if let Err(why) = compared.and_then(|()| compare::fingerprint(history, look.judged, said)) {
            return Ruling::Refused(why);
        }
        if !self.rechecked {
            return unproved(said, "it says that a second look did not confirm it; by the whole history it is so");
        }
        match is_sealed(said) {
            Some(true) => Ruling::Proved(self.proof(told.as_ref())),
            Some(false) => Ruling::Refused(CHANGED.to_owned()),
            None => unproved(
                said,
                "what it claims is so, but without a `seal` nobody can tell whether the rest is as it was written",
            ),
        }
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
