//! What the rules of outbox, saga and delivery found: counts of each class, and its smallest case.

use crate::guarantee::{Anomaly, Guarantee};
use crate::history::{History, Value};
use crate::verdict::{Certainty, Figures, Finding};
use crate::witness::accounts::{self, Reason};
use crate::witness::claim::{Account, Rule};
use crate::workload::records::Place;

/// One occurrence.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// How it ranks: fewer records first, then the earlier one.
    rank: (usize, u32),
    /// What it is about.
    subject: Value,
    /// Its records.
    places: Vec<Place>,
    /// Which of several reasons the rule had.
    why: Option<Reason>,
}

/// The sums of some classes.
pub(super) struct Tally {
    classes: &'static [Anomaly],
    counts: Vec<[u64; 2]>,
    best: Vec<[Option<Case>; 2]>,
}

impl Tally {
    /// Nothing found yet of these classes.
    pub(super) fn new(classes: &'static [Anomaly]) -> Tally {
        Tally { classes, counts: vec![[0; 2]; classes.len()], best: vec![[None, None]; classes.len()] }
    }

    /// Counts an occurrence, whose last record is at `at`. `places` may hold one twice.
    pub(super) fn add(
        &mut self,
        (anomaly, certainty): (Anomaly, Certainty),
        subject: Value,
        at: u32,
        why: Option<Reason>,
        places: &[Place],
    ) {
        self.count_only(anomaly, certainty, 1);
        let best = &mut self.best[self.classes.iter().position(|class| *class == anomaly).unwrap_or(0)];
        let best = &mut best[certainty as usize];
        let rank = (places.len(), at);
        if best.as_ref().is_none_or(|best| rank < best.rank) {
            let mut places = places.to_vec();
            places.sort_unstable();
            places.dedup();
            *best = Some(Case { rank, subject, places, why });
        }
    }

    /// Together with what was found after it.
    pub(super) fn merge(mut self, other: Tally) -> Tally {
        for (counts, more) in self.counts.iter_mut().flatten().zip(other.counts.iter().flatten()) {
            *counts += more;
        }
        for (best, other) in self.best.iter_mut().flatten().zip(other.best.into_iter().flatten()) {
            if other.as_ref().is_some_and(|other| best.as_ref().is_none_or(|best| other.rank < best.rank)) {
                *best = other;
            }
        }
        self
    }

    /// Counts more occurrences, of which another is the better case.
    pub(super) fn count_only(&mut self, anomaly: Anomaly, certainty: Certainty, count: u64) {
        let class = self.classes.iter().position(|class| *class == anomaly).unwrap_or(0);
        self.counts[class][certainty as usize] += count;
    }

    /// How often a class occurs.
    pub(super) fn count(&self, anomaly: Anomaly, certainty: Certainty) -> u64 {
        self.classes
            .iter()
            .position(|class| *class == anomaly)
            .map_or(0, |class| self.counts[class][certainty as usize])
    }

    /// How often each class occurs, for the figures.
    pub(super) fn figures(&self) -> Figures {
        let mut figures = Figures::new();
        for (class, [certain, possible]) in self.classes.iter().zip(&self.counts) {
            let counts = serde_json::json!({"certain": certain, "possible": possible});
            figures.insert(class.name().to_owned(), counts);
        }
        figures
    }

    /// The findings, in the order of the classes, each confirmed by this rule where that can. `members` are the guarantees
    /// that this vocabulary judges.
    pub(super) fn findings(&self, history: &History, members: &[Guarantee], rule: &Rule) -> Vec<Finding> {
        let position = |place: &Place| match place {
            Place::Op(op) => history.op(*op).position(),
            Place::Seen(position) => *position,
        };
        let mut findings = Vec::new();
        for (class, &anomaly) in self.classes.iter().enumerate() {
            for certainty in [Certainty::Certain, Certainty::Possible] {
                let count = self.counts[class][certainty as usize];
                let Some(case) = self.best[class][certainty as usize].as_ref() else { continue };
                let records = case.places.iter().map(position).collect();
                let account = Account { rule: rule.clone(), why: case.why, subject: case.subject, records };
                let certain = certainty == Certainty::Certain;
                let witness = accounts::found(history, anomaly, certain, account);
                let rules_out = anomaly.rules_out().iter().filter(|one| certain && members.contains(one)).copied();
                let rules_out = rules_out.collect();
                findings.push(Finding { anomaly, certainty, count, rules_out, witness: Some(witness) });
            }
        }
        findings
    }
}

/// Why nothing certain is wrong, and yet something may be.
pub(super) fn undecided(findings: &[&Finding]) -> String {
    let names: Vec<String> =
        findings.iter().map(|finding| format!("{} {} possible", finding.count, finding.anomaly)).collect();
    let what = findings.first().and_then(|finding| finding.witness.as_ref()).map_or("", |witness| &witness.text);
    format!("{}. {what}", names.join(", "))
}
