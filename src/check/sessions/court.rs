//! Where the judgements and findings of one history's sessions are gathered: what a tally means for a guarantee, what keeps a guarantee
//! from holding although nothing breaks it, and the witness of each finding.

use super::facts::Facts;
use super::links::{Between, Tally, claim};
use crate::check::Settings;
use crate::guarantee::{Anomaly, Family, Guarantee};
use crate::history::{Operation, Status};
use crate::verdict::{Certainty, Figures, Finding, Judgement, Outcome, StoppedBy, Verdict};
use crate::witness::Minimality;
use crate::witness::recheck;
use crate::witness::sessions::{Access, Claim, Link, Why, witness};
use crate::workload::accesses::{Accesses, Order};

/// Where judgements and findings are gathered.
pub(super) struct Court<'c, 'a, 'h> {
    pub(super) facts: &'c Facts<'a, 'h>,
    pub(super) settings: &'c Settings<'c>,
    pub(super) outcome: &'c mut Outcome,
    pub(super) transactions: bool,
    /// By finding, what its witness claims.
    claims: Vec<(usize, Claim)>,
}

/// Whether operations are transactions: guarantees of these then ask for more than those of single accesses.
fn transactions(accesses: &Accesses<'_>) -> bool {
    accesses.history.ops().any(|op| !op.mops().is_empty())
}

/// What became of one guarantee.
pub(super) enum Answer<'t> {
    /// Broken as often as the tally says, or kept; so many observations could have broken it.
    Told(&'t Tally, u64),
    /// Ended by this.
    Stopped(StoppedBy),
}

impl<'c, 'a, 'h> Court<'c, 'a, 'h> {
    pub(super) fn new(
        facts: &'c Facts<'a, 'h>,
        settings: &'c Settings<'c>,
        outcome: &'c mut Outcome,
    ) -> Court<'c, 'a, 'h> {
        Court { facts, settings, outcome, transactions: transactions(facts.accesses), claims: Vec::new() }
    }

    pub(super) fn is_ruled_out(&self, guarantee: Guarantee) -> bool {
        let certain = self.outcome.findings.iter().filter(|finding| finding.certainty == Certainty::Certain);
        certain.into_iter().any(|finding| finding.anomaly.rules_out().contains(&guarantee))
    }

    pub(super) fn is_broken(&self, guarantee: Guarantee) -> bool {
        let own = self.outcome.judgements.iter().find(|judgement| judgement.guarantee == guarantee);
        own.is_some_and(|judgement| judgement.verdict == Verdict::Violated)
    }

    /// Enters a verdict, as far as this check can give one.
    pub(super) fn rule(&mut self, guarantee: Guarantee, answer: &Answer<'_>) {
        let mut judgement = Judgement::new(guarantee, Verdict::Unknown);
        judgement.evidence = self.evidence();
        match answer {
            Answer::Told(tally, _) if tally.count > 0 => {
                judgement.verdict = Verdict::Violated;
                let against = self.outcome.findings.iter().map(|finding| finding.anomaly);
                judgement.anomalies = against.filter(|anomaly| anomaly.rules_out().contains(&guarantee)).collect();
            }
            // Other findings rule it out, or it is one with what is asked of whole transactions.
            _ if self.is_ruled_out(guarantee) => return,
            _ if self.transactions && guarantee.entails(Guarantee::Causal) => return,
            Answer::Stopped(by) => {
                judgement.stopped_by = Some(*by);
                judgement.reason = Some("it was ended before all sessions had been looked at".to_owned());
            }
            // Nothing is known of what is newer there, and was not looked at.
            Answer::Told(..) if self.facts.accesses.order.contains(&Order::Contradictory) => {
                let what = match self.transactions {
                    true => "lists that were read contradict each other, or hold an element twice",
                    false => "the versions that records name contradict each other (conflicting-versions)",
                };
                judgement.reason = Some(format!("{what}, so there is no order of versions by which to judge it"));
            }
            Answer::Told(_, 0) if self.facts.accesses.nodes.is_empty() && guarantee.name().ends_with("@node") => {
                judgement.reason = Some("no record says which server answered: give reads a field `node`".to_owned());
            }
            Answer::Told(_, 0) => judgement.reason = Some(vacuous(guarantee).to_owned()),
            Answer::Told(..) if self.facts.accesses.loose > 0 => {
                judgement.reason = Some(format!(
                    "{} compare-and-sets name versions and replaced what no record names a version of, so that its place among \
                     the others is not known; nothing breaks it. Record `version` with every operation that is `ok`",
                    self.facts.accesses.loose
                ));
            }
            Answer::Told(..) if self.facts.untold > 0 => {
                judgement.reason = Some(format!(
                    "{} reads show values that were written several times, so they don't tell which write they saw; nothing \
                     else breaks it. Let the generator write each value once",
                    self.facts.untold
                ));
            }
            Answer::Told(..) => judgement.verdict = Verdict::Holds,
        }
        self.outcome.judgements.push(judgement);
    }

    fn evidence(&self) -> Figures {
        let mut evidence = Figures::new();
        evidence.insert("reads".to_owned(), self.facts.reads.into());
        evidence.insert("writes".to_owned(), self.facts.writes.into());
        evidence.insert("sessions".to_owned(), self.facts.accesses.sessions.into());
        evidence.insert("keys".to_owned(), self.facts.accesses.keys.len().into());
        if self.facts.untold > 0 {
            evidence.insert("undetermined_reads".to_owned(), self.facts.untold.into());
        }
        evidence
    }

    /// Enters a finding, if there is one.
    pub(super) fn find(&mut self, anomaly: Anomaly, tally: &Tally) {
        self.find_by(anomaly, tally, &[]);
    }

    /// The same, where the best circle rests on premises.
    pub(super) fn find_by(&mut self, anomaly: Anomaly, tally: &Tally, premises: &[Between]) {
        if tally.count == 0 {
            return;
        }
        let claim = tally.best().map(|circle| claim(self.facts, anomaly, premises, circle));
        self.claims.extend(claim.map(|claim| (self.outcome.findings.len(), claim)));
        let sessions =
            Guarantee::ALL.iter().copied().filter(|guarantee| guarantee.families().contains(&Family::Sessions));
        self.outcome.findings.push(Finding {
            anomaly,
            certainty: Certainty::Certain,
            count: tally.count,
            rules_out: sessions.filter(|guarantee| anomaly.rules_out().contains(guarantee)).collect(),
            witness: None,
        });
    }

    /// Gives each finding its witness, rechecked.
    pub(super) fn confirm(&mut self) {
        let history = self.facts.accesses.history;
        let claims: Vec<&Claim> = self.claims.iter().map(|(_, claim)| claim).collect();
        let confirmed = recheck::sessions::confirm(history, &claims);
        for ((finding, claim), rechecked) in self.claims.iter().zip(confirmed) {
            let witness = witness(history, claim, self.minimality(claim), rechecked);
            self.outcome.findings[*finding].witness = Some(witness);
        }
    }
}

impl Court<'_, '_, '_> {
    /// Whether no fewer operations show an anomaly of the kind, by these arguments (for operations that are single reads, writes or
    /// compare-and-sets, and where the operations themselves tell the order of two versions: else more may be needed than are named).
    ///
    /// - Own writes: one operation can't miss itself. Two are a write and a read of the initial value, and each read that has such a
    ///   write before it is looked at; so where none was found, three are fewest: the older version's writer has to be there.
    /// - Monotonic reads: two reads and the writer of what the first shows, if the second shows the initial value. If none does, the second
    ///   one's writer is there too (it is none of the three: a session that reads its own later write is left out, and a
    ///   compare-and-set that wrote the older version would have replaced the newer one): four. If no two versions are known to
    ///   be in the other order, some version comes back, which takes three reads of two: five.
    /// - Two writes, and for what had been read the read between them, are fewest of their kinds.
    fn minimality(&self, claim: &Claim) -> Minimality {
        let mut operations: Vec<_> = claim.accesses().iter().map(|access| access.op).collect();
        operations.dedup();
        let most = match claim.anomaly {
            Anomaly::MissingYourWrites => 3,
            Anomaly::BackwardRead => 5,
            Anomaly::NonMonotonicWrite => 2,
            Anomaly::MissingReadWriteDependency => 3,
            _ => 0,
        };
        let told = |link: &Link| match (&link.why, link.to) {
            (Why::Replaced, Some(to)) => self.tells(link.from, to),
            _ => true,
        };
        // What is of unknown outcome counts because somebody saw it, and that may be none of these.
        let history = self.facts.accesses.history;
        let sure = operations.iter().all(|op| history.op(*op).status() == Status::Ok);
        match !self.transactions && sure && operations.len() <= most && claim.links().all(told) {
            true => Minimality::Minimum,
            false => Minimality::OneMinimal,
        }
    }

    /// Whether two writes say themselves which one came first: one replaced the other, or both name their versions.
    fn tells(&self, first: Access, second: Access) -> bool {
        let history = self.facts.accesses.history;
        let (a, b) = (history.op(first.op), history.op(second.op));
        let named = |op: &Operation<'_>| op.status() == Status::Ok && !op.version().is_null();
        let written = |access: Access| {
            let rows = self.facts.accesses.op.iter().zip(0u32..).filter(|(op, _)| **op == access.op);
            rows.map(|(_, row)| row).find(|row| self.facts.accesses.mop[*row as usize] == access.mop)
        };
        let replaced = || {
            let (from, to) = (written(first)?, written(second)?);
            Some(second.mop == 1 && self.facts.source.get(to.checked_sub(1)? as usize) == Some(&from))
        };
        named(&a) && named(&b) || replaced() == Some(true)
    }
}

/// Why nothing could have refuted it.
fn vacuous(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::ReadYourWrites | Guarantee::ReadYourWritesGlobal => {
            "no session read a key that it had written, so nothing could have refuted it"
        }
        Guarantee::MonotonicReads | Guarantee::MonotonicReadsGlobal => {
            "no session read a key twice, so nothing could have refuted it"
        }
        Guarantee::MonotonicWrites | Guarantee::MonotonicWritesGlobal => {
            "the history tells no order of writes (no lists, no compare-and-set), so by itself nothing could have refuted it; \
             `session` judges it together with what reads show"
        }
        Guarantee::WritesFollowReads | Guarantee::WritesFollowReadsGlobal => {
            "no session wrote after it had read what another wrote, so nothing could have refuted it"
        }
        Guarantee::MonotonicWritesNode => {
            "no server that had shown a session's later write was then read for what the session wrote before it, so nothing \
             could have refuted it"
        }
        Guarantee::WritesFollowReadsNode => {
            "no server that had shown a write was then read for what its session had read before it, so nothing could have \
             refuted it"
        }
        _ => "nothing was read, so nothing could have refuted it",
    }
}
