//! Guarantees of sessions: read your writes, monotonic reads, monotonic writes, writes follow reads, the four together, PRAM,
//! and causal consistency in its three strengths.
//!
//! Each is judged by its own axioms, and alone: what only a combination forbids is `session`'s to find. `own` decides what one
//! session asks of its own reads, `ring` whether what has to come before what leads back to itself, `causal` what the past of a read
//! forces, `views` whether a session has an order of its own. The order of versions may be known, in part, or not.
//!
//! Where a guarantee that implies all of them holds, nothing is done: the lattice says so.

mod arbitrations;
mod causal;
mod court;
mod facts;
mod global;
pub(super) mod likely;
mod links;
mod node;
mod own;
mod past;
mod prefix;
mod ring;
mod server_order;
mod shared;
mod views;
mod why;

#[cfg(test)]
mod tests;

use crate::budget::{Budget, Meter};
use crate::certificate::Writes;
use crate::check::Settings;
use crate::guarantee::{Anomaly, Guarantee};
use crate::verdict::{Judgement, Outcome, StoppedBy, Verdict};
use crate::workload::accesses::Accesses;

use causal::Causal;
use court::{Answer, Court};
use facts::Facts;
use links::{Between, Reason, Tally};
use node::Demand;
use past::Pasts;
use prefix::Prefix;
use ring::{HAD_READ, KNOWN, Ring, SHOWS, Stretches, WROTE, base};
use views::{Judged, View};

/// Steps for PRAM and causal memory where nobody requires them by name: a few tenths of a second each. (Who requires what implies
/// them, as linearizability does, is answered by that.)
const UNASKED_STEPS: u64 = 20_000_000;

/// For certificates: where orders of writes are looked for that show guarantees of sessions.
pub(super) struct Arbitrations<'a, 'h> {
    facts: Facts<'a, 'h>,
}

impl<'a, 'h> Arbitrations<'a, 'h> {
    pub(super) fn new(accesses: &'a Accesses<'h>) -> Arbitrations<'a, 'h> {
        Arbitrations { facts: Facts::new(accesses) }
    }

    /// Orders that show a guarantee which was judged to hold.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub(super) fn find(&self, guarantee: Guarantee, budget: &Budget) -> Result<Vec<Writes>, String> {
        arbitrations::find(&self.facts, guarantee, budget)
    }
}

/// For a certificate of `consistent-prefix`: an order of the writes that explains all reads.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn prefixes(accesses: Accesses<'_>) -> Result<Vec<Writes>, String> {
    let likely = likely::order(&accesses);
    let accesses = accesses.reordered(&likely);
    let order = prefix::order(&Facts::new(&accesses));
    let order = order.ok_or_else(|| "no order of writes was found that explains all reads".to_owned())?;
    let operations = order.iter().map(|row| accesses.operation(*row).position()).collect();
    Ok(vec![Writes { operations, micro_operations: Vec::new(), shares: Vec::new() }])
}

/// Whether what was judged already implies every guarantee of sessions, or memory was used up: then nothing is looked at.
#[must_use]
pub(super) fn is_implied(outcome: &Outcome) -> bool {
    let implies = |judgement: &Judgement| judgement.guarantee.entails(Guarantee::Sequential);
    let stopped = |judgement: &Judgement| judgement.stopped_by == Some(StoppedBy::Memory);
    outcome.judgements.iter().any(|judgement| judgement.verdict == Verdict::Holds && implies(judgement))
        || outcome.judgements.iter().any(stopped)
}

/// Whether there is anything to look at, by what was judged so far.
#[must_use]
pub(super) fn are_asked(accesses: &Accesses<'_>, settings: &Settings<'_>, outcome: &Outcome) -> bool {
    !is_implied(outcome) || asks_servers(accesses, settings, outcome)
}

/// Judges the guarantees of sessions, and adds what it finds to what other checks of the same history have found. `order` is that
/// of [`likely::order`], where it is made already.
pub(super) fn judge(
    mut accesses: Accesses<'_>,
    order: Option<Vec<u32>>,
    settings: &Settings<'_>,
    outcome: &mut Outcome,
) {
    if !are_asked(&accesses, settings, outcome) {
        return;
    }
    // Where there is no memory for a better one, the order of invocation is good enough.
    let mut meter = settings.budget.meter();
    let make = || meter.hold(likely::demand(&accesses)).is_ok().then(|| likely::order(&accesses));
    if let Some(order) = order.or_else(make) {
        accesses = accesses.reordered(&order);
    }
    judge_in_order(&accesses, settings, outcome);
}

/// The same, where rows are in any order that keeps those of an operation together, and those of a session as they were.
fn judge_in_order(accesses: &Accesses<'_>, settings: &Settings<'_>, outcome: &mut Outcome) {
    let (implied, by_server) = (is_implied(outcome), asks_servers(accesses, settings, outcome));
    let facts = Facts::new(accesses);
    let mut court = Court::new(&facts, settings, outcome);
    if !implied {
        court.sit();
    }
    if by_server {
        court.servers();
    }
    court.confirm();
    court.outcome.findings.sort_by_key(|finding| finding.anomaly);
}

/// Whether what servers show in time has to be looked at: an order that ignores real time says nothing of it.
fn asks_servers(accesses: &Accesses<'_>, settings: &Settings<'_>, outcome: &Outcome) -> bool {
    let by_server = [Guarantee::MonotonicWritesNode, Guarantee::WritesFollowReadsNode];
    let required = settings.requirements.iter().any(|requirement| by_server.contains(&requirement.guarantee));
    let answered = outcome.judgements.iter().any(|judgement| {
        judgement.stopped_by == Some(StoppedBy::Memory)
            || judgement.verdict == Verdict::Holds
                && by_server.into_iter().all(|guarantee| judgement.guarantee.entails(guarantee))
    });
    (required || accesses.history.ops().any(|op| !op.node().is_null())) && !answered
}

/// What one guarantee came to, or what ended the search.
type Found = Result<Tally, StoppedBy>;

/// What is causally visible, and what that breaks.
fn causality(facts: &Facts<'_, '_>, budget: &Budget) -> Result<Causal, StoppedBy> {
    if facts.doubtful.is_empty() {
        return Ok(Causal::default());
    }
    let pasts = Pasts::new(facts).ok_or(StoppedBy::Memory)?;
    causal::judge(facts, &pasts, &mut budget.meter())
}

impl Court<'_, '_, '_> {
    fn sit(&mut self) {
        use Guarantee::{MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads};
        let facts = self.facts;
        let mut future = Tally::default();
        for (read, write) in facts.future.iter().copied() {
            // The write follows the read in its session, and so itself.
            future.add(facts, vec![Between { from: write, to: write, why: Reason::Read(read) }]);
        }
        if !self.outcome.findings.iter().any(|finding| finding.anomaly == Anomaly::FutureRead) {
            self.find(Anomaly::FutureReadProcess, &future);
        }
        // What needs nothing of the others is found at once. Where all leads on, no circle stands before causality.
        let budget = self.settings.budget;
        let ((own, causal), global) = rayon::join(
            || rayon::join(|| own::judge(facts), || facts.is_forward().then(|| causality(facts, budget))),
            || rayon::join(|| global::writes(facts, &mut budget.meter()), || global::reads(facts, &mut budget.meter())),
        );
        let (writes, reads) = own;
        self.find(Anomaly::MissingYourWrites, &writes.tally);
        self.find(Anomaly::BackwardRead, &reads.tally);
        self.rule(ReadYourWrites, &Answer::Told(&writes.tally, writes.tested));
        self.rule(MonotonicReads, &Answer::Told(&reads.tally, reads.tested));
        let mut meter = self.settings.budget.meter();
        let base = self.base(&mut meter);
        self.rule(MonotonicWrites, &base.writes.answer(base.ordered));
        self.rule(WritesFollowReads, &base.reads.answer(base.followed));
        self.rule(Guarantee::MonotonicWritesGlobal, &base.writes.answer(base.ordered));
        self.rule(Guarantee::WritesFollowReadsGlobal, &base.reads.answer(base.followed));
        self.global(global, writes.tested, reads.tested);
        self.causal(&base, causal);
        self.view(View::Pram);
        self.view(View::CausalMemory);
        self.prefix();
    }

    /// Where it is required. Of transactions it asks for more than of single accesses, which `prefix` judges.
    fn prefix(&mut self) {
        let guarantee = Guarantee::ConsistentPrefix;
        let required = self.settings.requirements.iter().any(|requirement| requirement.guarantee == guarantee);
        if !required || self.transactions || self.is_ruled_out(guarantee) {
            return;
        }
        match prefix::judge(self.facts, &mut self.settings.budget.meter()) {
            Ok(Prefix::Kept) => self.rule(guarantee, &Answer::Told(&Tally::default(), self.facts.reads)),
            Ok(Prefix::Broken(tally)) => {
                self.find(Anomaly::PrefixInversion, &tally);
                self.rule(guarantee, &Answer::Told(&tally, self.facts.reads));
            }
            Ok(Prefix::Open(keys)) => {
                let mut judgement = Judgement::new(guarantee, Verdict::Unknown);
                judgement.reason = Some(format!(
                    "the order of versions of {keys} keys is not known, the likely one does not explain all reads, and nothing \
                     that holds in every order contradicts them; record the server's revision (`version`) with each operation"
                ));
                self.outcome.judgements.push(judgement);
            }
            Err(by) => self.rule(guarantee, &Answer::Stopped(by)),
        }
    }

    /// Circles that there are whatever reads have to see.
    fn base(&mut self, meter: &mut Meter<'_>) -> Base {
        let facts = self.facts;
        let accesses = facts.accesses;
        let mut found = Base::default();
        // Who read something of others, by session.
        let mut learned = vec![false; accesses.sessions as usize];
        for row in 0..accesses.len() {
            let session = accesses.session(row);
            if accesses.writes[row] && facts.counted[row] {
                found.followed += u64::from(learned[session as usize]);
                found.ordered += u64::from(facts.known[accesses.version[row] as usize] < facts::INITIAL);
            } else if facts.source[row] < facts::INITIAL {
                learned[session as usize] |= accesses.session(facts.source[row] as usize) != session;
            }
        }
        let stretches = Stretches::new(facts.back.clone());
        if stretches.is_empty() {
            return found;
        }
        let ring = Ring::of(facts, &stretches);
        let closed = ring.closed([], &[]);
        let mut look = |allowed| -> Circles {
            let parts = closed.components(allowed).len() as u64;
            if parts == 0 {
                return Circles::default();
            }
            match closed.shortest(allowed, meter) {
                Ok(steps) => {
                    let mut tally = Tally::default();
                    if let Some(circle) = steps.and_then(|(steps, _)| closed.links(steps, |_, _| None)) {
                        tally.add(facts, circle);
                    }
                    tally.count = parts;
                    Circles { tally, stopped: None }
                }
                Err(by) => Circles { tally: Tally::of(parts), stopped: Some(by) },
            }
        };
        found.writes = look(WROTE | KNOWN);
        found.reads = look(SHOWS | HAD_READ | KNOWN);
        found.both = look(base());
        self.find(Anomaly::NonMonotonicWrite, &found.writes.tally);
        self.find(Anomaly::MissingReadWriteDependency, &found.reads.tally);
        if found.writes.tally.count + found.reads.tally.count == 0 {
            self.find(Anomaly::CyclicCausality, &found.both.tally);
        }
        found
    }

    fn global(&mut self, (writes, reads): (Found, Found), writes_tested: u64, reads_tested: u64) {
        use Guarantee::{MonotonicReadsGlobal, ReadYourWritesGlobal};
        for (guarantee, anomaly, result, tested) in [
            (ReadYourWritesGlobal, Anomaly::MissingYourWritesGlobal, writes, writes_tested),
            (MonotonicReadsGlobal, Anomaly::BackwardReadGlobal, reads, reads_tested),
        ] {
            match &result {
                Ok(tally) => {
                    // What one session shows by itself is told of it, and not again.
                    let by_itself = self.is_broken(match guarantee {
                        ReadYourWritesGlobal => Guarantee::ReadYourWrites,
                        _ => Guarantee::MonotonicReads,
                    });
                    if !by_itself {
                        self.find(anomaly, tally);
                    }
                    self.rule(guarantee, &Answer::Told(tally, tested));
                }
                Err(by) => self.rule(guarantee, &Answer::Stopped(*by)),
            }
        }
    }

    /// What servers show in time.
    fn servers(&mut self) {
        use Guarantee::{MonotonicWrites, MonotonicWritesNode, WritesFollowReads, WritesFollowReadsNode};
        let writes = (MonotonicWritesNode, MonotonicWrites, Anomaly::NonMonotonicWriteNode, Demand::Writes);
        let reads = (WritesFollowReadsNode, WritesFollowReads, Anomaly::MissingReadWriteDependencyNode, Demand::Reads);
        // None where the guarantee is broken whatever servers show.
        let broken = [writes, reads].map(|(_, alone, ..)| self.is_broken(alone));
        let (facts, budget) = (self.facts, self.settings.budget);
        let look = |broken: bool, demand| (!broken).then(|| node::judge(facts, demand, &mut budget.meter()));
        let found = rayon::join(|| look(broken[0], writes.3), || look(broken[1], reads.3));
        for ((guarantee, alone, anomaly, _), found) in [(writes, found.0), (reads, found.1)] {
            let Some(found) = found else {
                let mut judgement = Judgement::new(guarantee, Verdict::Violated);
                let against = self.outcome.findings.iter().map(|finding| finding.anomaly);
                judgement.anomalies = against.filter(|anomaly| anomaly.rules_out().contains(&alone)).collect();
                judgement.reason = Some(format!("{alone} is violated, whatever servers show"));
                self.outcome.judgements.push(judgement);
                continue;
            };
            self.find_by(anomaly, &found.tally, &found.premises);
            match found.stopped {
                Some(by) if found.tally.count == 0 => self.rule(guarantee, &Answer::Stopped(by)),
                _ => self.rule(guarantee, &Answer::Told(&found.tally, found.tested)),
            }
        }
    }

    fn causal(&mut self, base: &Base, found: Option<Result<Causal, StoppedBy>>) {
        use Guarantee::{Session, SessionGlobal, WeakCausal};
        if base.both.tally.count > 0 {
            return; // It violates all three.
        }
        let causal = match found.unwrap_or_else(|| causality(self.facts, self.settings.budget)) {
            Ok(causal) => causal,
            Err(by) => {
                for guarantee in [Session, SessionGlobal, WeakCausal] {
                    self.rule(guarantee, &Answer::Stopped(by));
                }
                return;
            }
        };
        // What a guarantee alone shows is told of it; what only several show together, of the weakest of these.
        let alone = [Guarantee::ReadYourWrites, Guarantee::MonotonicReads].into_iter().any(|one| self.is_broken(one));
        if !alone || !self.is_ruled_out(WeakCausal) {
            self.find(Anomaly::CausallyOverwrittenRead, &causal.overwritten);
        }
        if !alone && causal.overwritten.count == 0 {
            self.find(Anomaly::SessionInversion, &causal.session);
        }
        if !alone && causal.overwritten.count + causal.session.count == 0 {
            self.find(Anomaly::CyclicConflict, &causal.global);
        }
        for (guarantee, tally) in
            [(WeakCausal, &causal.overwritten), (Session, &causal.session), (SessionGlobal, &causal.global)]
        {
            match causal.stopped {
                Some(by) if tally.count == 0 => self.rule(guarantee, &Answer::Stopped(by)),
                _ => self.rule(guarantee, &Answer::Told(tally, self.facts.reads)),
            }
        }
    }

    fn view(&mut self, view: View) {
        let (guarantee, anomaly) = match view {
            View::Pram => (Guarantee::Pram, Anomaly::PramInversion),
            View::CausalMemory => (Guarantee::CausalMemory, Anomaly::CyclicHappenedBefore),
        };
        let weaker =
            |judgement: &&Judgement| judgement.guarantee != guarantee && guarantee.entails(judgement.guarantee);
        if self.outcome.judgements.iter().filter(weaker).any(|judgement| judgement.verdict == Verdict::Violated)
            || self.is_ruled_out(guarantee)
        {
            return;
        }
        let required = self.settings.requirements.iter().any(|requirement| requirement.guarantee == guarantee);
        let own = Budget::new(UNASKED_STEPS, None, u64::MAX);
        let mut meter = if required { self.settings.budget.meter() } else { own.meter() };
        match views::judge(self.facts, view, &mut meter, &mut self.settings.budget.meter()) {
            Ok(Judged { broken: None, unplaced: 0 }) => {
                self.rule(guarantee, &Answer::Told(&Tally::default(), self.facts.reads));
            }
            Ok(Judged { broken: None, unplaced }) => {
                let mut judgement = Judgement::new(guarantee, Verdict::Unknown);
                judgement.reason = Some(format!(
                    "{unplaced} compare-and-sets of unknown outcome took effect, and their sessions went on: it is not known \
                     before which of the session's reads. Give each client a new session after such an outcome"
                ));
                self.outcome.judgements.push(judgement);
            }
            Ok(Judged { broken: Some(broken), .. }) => {
                let mut tally = Tally::default();
                tally.add(self.facts, broken.circle);
                self.find_by(anomaly, &tally, &broken.premises);
                self.rule(guarantee, &Answer::Told(&tally, self.facts.reads));
            }
            Err(by) if required => self.rule(guarantee, &Answer::Stopped(by)),
            Err(_) => {
                let mut judgement = Judgement::new(guarantee, Verdict::Unknown);
                judgement.reason = Some(format!(
                    "with {} sessions it takes long, so it is judged when it is required: --require {guarantee}",
                    self.facts.accesses.sessions
                ));
                self.outcome.judgements.push(judgement);
            }
        }
    }
}

/// What there is before any read has to see anything.
#[derive(Default)]
struct Base {
    writes: Circles,
    reads: Circles,
    both: Circles,
    /// Writes with a known predecessor.
    ordered: u64,
    /// Writes of sessions that had read what others wrote.
    followed: u64,
}

#[derive(Default)]
struct Circles {
    tally: Tally,
    stopped: Option<StoppedBy>,
}

impl Circles {
    fn answer(&self, tested: u64) -> Answer<'_> {
        match self.stopped {
            Some(by) if self.tally.count == 0 => Answer::Stopped(by),
            _ => Answer::Told(&self.tally, tested),
        }
    }
}
