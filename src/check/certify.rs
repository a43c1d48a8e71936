//! Certificates of what holds: see [`crate::certificate`].
//!
//! What claims are made of (columns, the graph of transactions, what sessions saw) is put together for the first that asks for it,
//! and what searches found is taken from the judgements.

use std::cell::OnceCell;

use super::sessions::{self, Arbitrations};
use super::staleness::Observed;
use super::transactions::list_append::Commits;
use super::{Settings, delivery, eventual, objects, staleness};
use crate::budget::Budget;
use crate::certificate::{Beside, Certificate, Claim, Evidence, Ruling, SCHEMA, identify};
use crate::contract::Requirement;
use crate::guarantee::{Family, Guarantee};
use crate::history::History;
use crate::verdict::{Judgement, Verdict};
use crate::workload::accesses::Accesses;
use crate::workload::list_append::ListAppend;
use crate::workload::register::Register;
use crate::workload::{Workload, WorkloadError, kv};

/// What was required together, by parameters that agree, and what it came to.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Required.
    pub requirements: &'a [Requirement],
    /// Judged.
    pub judgements: &'a [Judgement],
}

/// The certificate of those of the required guarantees that were judged to hold, where one pass judged all. What there is no evidence
/// for is claimed without; where only a stronger guarantee that holds has evidence, that one is claimed too, and the other follows from it.
///
/// # Errors
/// A record that is not of the workload's vocabulary.
pub fn certify(
    history: &History,
    workload: Workload,
    judgements: &[Judgement],
    settings: &Settings<'_>,
) -> Result<Certificate, WorkloadError> {
    certify_all(history, workload, &[Pass { requirements: settings.requirements, judgements }], settings.budget)
}

/// The same of several passes, pass by pass: each claim is shown by the parameters that it was judged by.
///
/// # Errors
/// A record that is not of the workload's vocabulary.
pub fn certify_all(
    history: &History,
    workload: Workload,
    passes: &[Pass<'_>],
    budget: &Budget,
) -> Result<Certificate, WorkloadError> {
    let ((digest, outline), claims) = rayon::join(|| identify(history), || claims(history, workload, passes, budget));
    Ok(Certificate {
        schema: SCHEMA.to_owned(),
        history: digest,
        outline: Some(outline),
        workload: workload.name().to_owned(),
        reading: history.origin().told().cloned(),
        claims: claims?,
    })
}

fn claims(
    history: &History,
    workload: Workload,
    passes: &[Pass<'_>],
    budget: &Budget,
) -> Result<Vec<Claim>, WorkloadError> {
    let mut claims: Vec<Claim> = Vec::new();
    if passes.iter().all(|pass| wanted(pass).is_empty()) {
        return Ok(claims);
    }
    let (mut registers, mut lists) = (None, None);
    match workload {
        Workload::Register => registers = Some(Register::from_history(history)?),
        Workload::Kv => registers = Some(kv::from_history(history)?),
        Workload::ListAppend => lists = Some(ListAppend::from_history(history)?),
        _ => {}
    }
    let accesses = OnceCell::new();
    let sources = Sources {
        history,
        workload,
        budget,
        registers: registers.as_ref(),
        lists: lists.as_ref(),
        accesses: &accesses,
        arbitrations: OnceCell::new(),
        commits: OnceCell::new(),
        beside: Beside::new(history),
    };
    for pass in passes {
        let before = claims.len();
        let wanted = wanted(pass);
        let mut places: Vec<usize> = (0..wanted.len()).collect();
        // Evidence of the stronger ones serves for the weaker ones, too.
        places.sort_by_key(|place| wanted[*place].stronger().count());
        let mut order: Vec<usize> = Vec::new();
        for place in places {
            let guarantee = wanted[place];
            if !claims[before..].iter().any(|claim| claim.guarantee == guarantee.name()) {
                sources.claim(guarantee, pass, before, &mut claims)?;
                order.resize(claims.len() - before, place);
            }
        }
        let mut found: Vec<(usize, Claim)> = order.into_iter().zip(claims.drain(before..)).collect();
        found.sort_by_key(|(place, _)| *place);
        claims.extend(found.into_iter().map(|(_, claim)| claim));
    }
    Ok(claims)
}

/// What is required and holds.
fn wanted(pass: &Pass<'_>) -> Vec<Guarantee> {
    let holds = holds(pass);
    let required = pass.requirements.iter().map(|requirement| requirement.guarantee);
    required.filter(|guarantee| holds.contains(guarantee)).collect()
}

fn holds(pass: &Pass<'_>) -> Vec<Guarantee> {
    pass.judgements.iter().filter(|one| one.verdict == Verdict::Holds).map(|one| one.guarantee).collect()
}

/// What claims of one history are made of.
struct Sources<'a, 'h> {
    history: &'h History,
    workload: Workload,
    budget: &'a Budget,
    /// Of registers, and of strings that grow.
    registers: Option<&'a Register>,
    lists: Option<&'a ListAppend<'h>>,
    accesses: &'a OnceCell<Accesses<'h>>,
    arbitrations: OnceCell<Arbitrations<'a, 'h>>,
    commits: OnceCell<Commits<'a>>,
    beside: Beside<'h>,
}

impl<'a, 'h: 'a> Sources<'a, 'h> {
    /// Adds the claim of a guarantee that holds, and of what it follows from. `from`: where this pass's claims begin.
    fn claim(
        &self,
        guarantee: Guarantee,
        pass: &Pass<'_>,
        from: usize,
        claims: &mut Vec<Claim>,
    ) -> Result<(), WorkloadError> {
        if let Some(claim) = self.shared(guarantee, claims, from) {
            claims.push(claim);
            return Ok(());
        }
        let absent = match self.own(guarantee, pass)? {
            Some(claim) if claim.evidence != Evidence::Absent => {
                claims.push(claim);
                return Ok(());
            }
            Some(absent) => absent,
            None => {
                let why = format!("this version has no evidence for {guarantee} of {} histories", self.workload.name());
                Claim::without_evidence(guarantee.name(), why)
            }
        };
        let holds = holds(pass);
        for stronger in guarantee.stronger().filter(|stronger| holds.contains(stronger)) {
            let is_there = |claim: &Claim| claim.guarantee == stronger.name() && claim.evidence.stands_by_itself();
            let found = if claims[from..].iter().any(is_there) { None } else { self.own(stronger, pass)? };
            let found = found.filter(|claim| claim.evidence != Evidence::Absent);
            if found.is_some() || claims[from..].iter().any(is_there) {
                let evidence = Evidence::FollowsFrom(stronger.name().to_owned());
                claims.push(Claim { evidence, left_out: Vec::new(), ..absent });
                claims.extend(found);
                return Ok(());
            }
        }
        claims.push(absent);
        Ok(())
    }

    /// A claim by the one order that a stronger one carries, if that shows it; where an order for each session is asked, by these, and
    /// without any where the stronger claim alone implies it.
    fn shared(&self, guarantee: Guarantee, claims: &[Claim], from: usize) -> Option<Claim> {
        let mut claim =
            Claim { guarantee: guarantee.name().to_owned(), evidence: Evidence::Absent, left_out: Vec::new() };
        let is_stronger =
            |carrier: &Claim| Guarantee::named(&carrier.guarantee).is_some_and(|stronger| stronger.entails(guarantee));
        let of_each_session = matches!(guarantee, Guarantee::Pram | Guarantee::CausalMemory);
        // By a name, the first claim that carries evidence is meant.
        let is_meant = |carrier: &Claim| {
            let same = |one: &&Claim| one.guarantee == carrier.guarantee && one.evidence.is_carried();
            claims.iter().find(same).is_some_and(|one| std::ptr::eq(one, carrier))
        };
        let is_one = |evidence: &Evidence| match evidence {
            Evidence::CommitOrder(_) => true,
            Evidence::Arbitrations(orders) => orders.len() == 1 || of_each_session,
            _ => false,
        };
        let shows = |carrier: &&Claim| {
            is_one(&carrier.evidence)
                && is_stronger(carrier)
                && is_meant(carrier)
                && matches!(self.beside.rule_by(self.workload.name(), &claim, &carrier.evidence), Ruling::Proved(_))
        };
        let implies = |carrier: &&Claim| {
            carrier.evidence.stands_by_itself() && carrier.left_out.is_empty() && is_stronger(carrier)
        };
        claim.evidence = match claims.iter().find(shows) {
            Some(carrier) => Evidence::SameAs(carrier.guarantee.clone()),
            None if of_each_session => Evidence::FollowsFrom(claims[from..].iter().find(implies)?.guarantee.clone()),
            None => return None,
        };
        Some(claim)
    }

    /// Evidence of its own for a guarantee that holds, if its family has any.
    fn own(&self, guarantee: Guarantee, pass: &Pass<'_>) -> Result<Option<Claim>, WorkloadError> {
        let settings = Settings { requirements: pass.requirements, budget: self.budget };
        let workload = self.workload;
        if guarantee == Guarantee::Linearizable
            && let Some(register) = self.registers
        {
            let judged = pass.judgements.iter().find(|judgement| judgement.guarantee == guarantee);
            let known = judged.map_or(&[][..], |judgement| &judgement.orders);
            return Ok(Some(match workload {
                Workload::Kv => objects::claim_of_strings(self.history, register, known),
                _ => objects::claim(self.history, register, known),
            }));
        }
        if let Some(lists) = self.lists
            && guarantee.families().contains(&Family::Transactions)
        {
            let commits = self.commits.get_or_init(|| Commits::new(lists));
            return Ok(Some(commits.claim(guarantee, &holds(pass), self.budget, &self.beside)));
        }
        if guarantee == Guarantee::ConsistentPrefix
            && let (Workload::Register, Some(registers)) = (workload, self.registers)
        {
            let found = sessions::prefixes(self.of_registers(registers, pass));
            return Ok(Some(self.proved(guarantee, found.map(Evidence::Arbitrations))));
        }
        let Some(accesses) = self.accesses(pass) else {
            return delivery::accounts::claim(self.history, workload, guarantee, &settings);
        };
        Ok(Some(match guarantee {
            _ if guarantee.families().contains(&Family::Sessions) => {
                // Of transactions, these ask for more than of single reads and writes.
                if self.lists.is_some() && guarantee.entails(Guarantee::Causal) {
                    return Ok(None);
                }
                let arbitrations = self.arbitrations.get_or_init(|| Arbitrations::new(accesses));
                self.proved(guarantee, arbitrations.find(guarantee, self.budget).map(Evidence::Arbitrations))
            }
            Guarantee::BoundedStaleness => {
                self.proved(guarantee, Ok(Evidence::Staleness(staleness::evidence(self.history, &settings))))
            }
            Guarantee::Eventual | Guarantee::StrongEventual => {
                let observed = Observed::new(accesses, self.lists.is_some(), false);
                let evidence = match guarantee {
                    Guarantee::Eventual => Evidence::Convergence(eventual::evidence(&observed, &settings)),
                    _ => Evidence::Agreement(eventual::agreement(&observed, &settings)),
                };
                self.proved(guarantee, Ok(evidence))
            }
            _ => return Ok(None),
        }))
    }

    /// Reads and writes of registers or lists, where this history is of these.
    fn accesses(&self, pass: &Pass<'_>) -> Option<&'a Accesses<'h>> {
        match (self.workload, self.registers, self.lists) {
            (Workload::Register, Some(registers), _) => {
                Some(self.accesses.get_or_init(|| self.of_registers(registers, pass)))
            }
            (_, _, Some(lists)) => Some(self.accesses.get_or_init(|| Accesses::of_lists(lists))),
            _ => None,
        }
    }

    /// As they were judged: by the server's revisions, but where values alone have a legal order.
    fn of_registers(&self, registers: &Register, pass: &Pass<'_>) -> Accesses<'h> {
        let holds = holds(pass);
        let implied = holds.iter().any(|guarantee| guarantee.entails(Guarantee::Sequential));
        match self.history.has_versions() && !implied {
            true => Accesses::of_registers_by_revision(self.history, registers).0,
            false => Accesses::of_registers(self.history, registers),
        }
    }

    /// A claim that its evidence proves; else one without evidence, which says why. What nothing could have refuted is not proved
    /// by itself, but may follow from something stronger.
    fn proved(&self, guarantee: Guarantee, found: Result<Evidence, String>) -> Claim {
        let claim =
            found.map(|evidence| Claim { guarantee: guarantee.name().to_owned(), evidence, left_out: Vec::new() });
        let ruled = claim.and_then(|claim| match self.beside.rule(self.workload.name(), &claim) {
            Ruling::Proved(_) => Ok(claim),
            Ruling::Unproved(why) => Err(why),
            Ruling::Refused(why) => {
                // By values alone, the order may be another one than by the server's revisions.
                debug_assert!(
                    self.history.has_versions(),
                    "{guarantee} is judged to hold, and its evidence is refused: {why}"
                );
                Err(why)
            }
        });
        ruled.unwrap_or_else(|why| Claim::without_evidence(guarantee.name(), why))
    }
}
