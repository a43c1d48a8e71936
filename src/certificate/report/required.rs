//! What a report says that was required, and what follows for what an anomaly rules out.

use serde_json::{Map, Value as Json};

use crate::certificate::terms;
use crate::contract::Policy;
use crate::guarantee::{Anomaly, Family, Guarantee};
use crate::history::History;
use crate::witness::claim::{Claim, Rule};
use crate::witness::objects::contradiction::Why;
use crate::witness::recheck::registers;
use crate::witness::{list_append, staleness, updates};

type Fields = Map<String, Json>;

/// Where an anomaly was looked for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'r> {
    /// The use case in whose part of the history it was found.
    pub(super) use_case: Option<&'r str>,
    /// The parameters that it was found with, where the history was judged with others too.
    pub(super) parameters: Option<&'r Fields>,
}

/// One requirement.
struct Row<'r> {
    guarantee: Guarantee,
    use_case: Option<&'r str>,
    parameters: &'r Fields,
    policy: Policy,
}

/// All requirements of a history.
pub(super) struct Required<'r>(Vec<Row<'r>>);

impl<'r> Required<'r> {
    /// What the rows of a report's `guarantees` say.
    ///
    /// # Errors
    /// A row of a guarantee that there is not, or whose parameters can't be.
    pub(super) fn read(judged: &'r Json) -> Result<Required<'r>, String> {
        let rows = judged.get("guarantees").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut all = Vec::new();
        for row in rows.iter().filter(|row| row.get("required") == Some(&Json::Bool(true))) {
            let name = row.get("guarantee").and_then(Json::as_str).unwrap_or_default();
            let none = || format!("it requires {name:?}, and there is no such guarantee");
            let guarantee = Guarantee::named(name).ok_or_else(none)?;
            let parameters = row.get("parameters").and_then(Json::as_object);
            let parameters = parameters.ok_or_else(|| format!("its requirement {name} has no `parameters`"))?;
            let pairs = parameters.iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap_or_default()));
            let policy =
                Policy::read(guarantee, pairs).map_err(|error| format!("its requirement {name} can't be: {error}"))?;
            let use_case = row.get("use_case").and_then(Json::as_str);
            all.push(Row { guarantee, use_case, parameters, policy });
        }
        Ok(Required(all))
    }

    /// The requirements that an anomaly of this scope can have been judged by.
    fn of<'a>(&'a self, scope: Scope<'a>) -> impl Iterator<Item = &'a Row<'r>> {
        let is_its = move |row: &&Row<'r>| {
            row.use_case == scope.use_case && scope.parameters.is_none_or(|own| own == row.parameters)
        };
        self.0.iter().filter(is_its)
    }

    /// Whether an anomaly can have this scope.
    pub(super) fn has(&self, scope: Scope<'_>) -> Result<(), String> {
        if let Some(name) = scope.use_case
            && self.of(Scope { parameters: None, ..scope }).next().is_none()
        {
            return Err(format!("it was found for the use case {name:?}, which requires nothing here"));
        }
        if scope.parameters.is_some() && self.of(scope).next().is_none() {
            return Err("it was found with `parameters` that no requirement has".to_owned());
        }
        Ok(())
    }

    /// Whether an account is read by terms that the history's header and the requirements come to.
    pub(super) fn has_terms(&self, history: &History, rule: &Rule, scope: Scope<'_>) -> Result<(), String> {
        let guarantees = terms::guarantees(rule);
        let over: Vec<Policy> =
            self.of(scope).filter(|row| guarantees.contains(&row.guarantee)).map(|row| row.policy.clone()).collect();
        // One after the other; or, where the history was judged with each, one of them.
        let several = if over.len() > 1 { over.len() } else { 0 };
        let choices = std::iter::once(&over[..]).chain((0..several).map(|one| &over[one..=one]));
        let mut first = None;
        for choice in choices {
            match terms::stated(history, guarantees[0], choice) {
                Ok(policy) if terms::are_of(rule, &policy) => return Ok(()),
                Ok(_) => {}
                Err(error) => first = first.or(Some(format!("the terms that it was judged by can't be: {error}"))),
            }
        }
        Err(first.unwrap_or_else(|| {
            "its claim rests on other terms than the history's header and the report's requirements come to".to_owned()
        }))
    }

    /// Whether a read this stale is beyond a bound that is required.
    fn is_beyond(&self, scope: Scope<'_>, age_ns: Option<i64>, versions: u32) -> bool {
        let bounds = self.of(scope).filter(|row| row.guarantee == Guarantee::BoundedStaleness).map(|row| &row.policy);
        bounds.into_iter().any(|bound| {
            let time = bound.duration_ns("time").map(|most| age_ns.is_some_and(|age| age > most));
            let count = bound.integer("versions").map(|most| i64::from(versions) > most);
            let mut exceeded = time.into_iter().chain(count);
            if bound.word("combine").as_deref() == Some("all") { exceeded.all(|is| is) } else { exceeded.any(|is| is) }
        })
    }

    /// Whether it is required that updates are visible within this time.
    fn has_bound(&self, scope: Scope<'_>, within_ns: i64) -> bool {
        let rows =
            self.of(scope).filter(|row| [Guarantee::Eventual, Guarantee::StrongEventual].contains(&row.guarantee));
        rows.into_iter().any(|row| row.policy.duration_ns("within") == Some(within_ns))
    }

    /// Whether what an anomaly claims is by the bounds that are required, and rules out what it is said to rule out.
    pub(super) fn allow(
        &self,
        history: &History,
        said: &[Json],
        anomaly: Anomaly,
        claim: &Claim,
        scope: Scope<'_>,
    ) -> Result<(), String> {
        if let Some(within_ns) = within(claim)
            && !self.has_bound(scope, within_ns)
        {
            return Err(format!("its bound of {within_ns} ns is not what the report's requirements say"));
        }
        let mut before: Vec<Guarantee> = Vec::new();
        for name in said {
            let name = name.as_str().unwrap_or_default();
            let guarantee = Guarantee::named(name)
                .ok_or_else(|| format!("there is no guarantee {name:?} that it could rule out"))?;
            if before.contains(&guarantee) {
                return Err(format!("it rules out {guarantee} twice"));
            }
            before.push(guarantee);
            if !self.rules_out(history, guarantee, anomaly, claim, scope) {
                return Err(format!("what it claims does not rule out {guarantee}"));
            }
        }
        Ok(())
    }

    fn rules_out(
        &self,
        history: &History,
        guarantee: Guarantee,
        anomaly: Anomaly,
        claim: &Claim,
        scope: Scope<'_>,
    ) -> bool {
        let in_the_end = guarantee == Guarantee::Eventual;
        let stale =
            |age_ns, versions| guarantee == Guarantee::BoundedStaleness && self.is_beyond(scope, age_ns, versions);
        // By its definition; or by more than that, which only what is claimed of it shows.
        if anomaly.rules_out().contains(&guarantee) {
            return true;
        }
        match claim {
            // What real time alone tells says nothing of an order without it.
            Claim::NoOrder { operations, why } => match guarantee {
                Guarantee::Linearizable => true,
                Guarantee::Sequential if matches!(why, Some(Why::FromNowhere { .. })) => true,
                Guarantee::Sequential => registers::is_timeless(history, operations),
                _ => false,
            },
            Claim::TwoPlaces { .. } => {
                matches!(guarantee, Guarantee::Linearizable | Guarantee::Sequential)
            }
            Claim::Stale(of) => match of.says {
                staleness::Says::Overwritten { versions, age_ns } => stale(age_ns, versions),
                staleness::Says::Gone | staleness::Says::Overdue { .. } => in_the_end,
            },
            Claim::ShowsFailed(_) => in_the_end,
            Claim::Updates(of) => match of.says {
                updates::Says::Behind { updates, age_ns } => stale(age_ns, updates),
                updates::Says::Overdue { .. } | updates::Says::InTheEnd => in_the_end,
                // No set shows an element twice, whatever is asked of it.
                updates::Says::Unexplained => anomaly == Anomaly::DuplicateElements && of_objects(guarantee),
            },
            // One that misses its own transaction's append breaks more than one that reads twice.
            Claim::ListAppend(list_append::Claim::Internal { .. }) => {
                guarantee.entails(Guarantee::ReadCommittedBiswasEnea)
            }
            _ => false,
        }
    }
}

fn of_objects(guarantee: Guarantee) -> bool {
    let all = [Family::Objects, Family::Sessions, Family::Staleness, Family::Eventual];
    guarantee.families().iter().any(|family| all.contains(family))
}

/// The bound that a claim is beyond, where it is beyond one.
fn within(claim: &Claim) -> Option<i64> {
    match claim {
        Claim::Stale(of) => match of.says {
            staleness::Says::Overdue { within_ns, .. } => Some(within_ns),
            staleness::Says::Overwritten { .. } | staleness::Says::Gone => None,
        },
        Claim::Updates(of) => match of.says {
            updates::Says::Overdue { within_ns, .. } => Some(within_ns),
            updates::Says::Behind { .. } | updates::Says::Unexplained | updates::Says::InTheEnd => None,
        },
        _ => None,
    }
}
