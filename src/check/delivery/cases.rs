//! What the rules of outbox, saga and delivery found: counts of each class, its smallest case, and how that is told.
//!
//! A case is a few records. Its story names them in the order in which they began, says of each pair that follows one another
//! which came first, and draws them as a sequence in time: the client who asks, the service that answers, the store or broker
//! where facts show.

use crate::guarantee::{Anomaly, Guarantee};
use crate::history::{History, Operation, Status, Value};
use crate::verdict::{Certainty, Figures, Finding};
use crate::witness::claim::{Account, Claim, Rule};
use crate::witness::timeline::{CLIENT, SERVICE, STORE, Timeline};
use crate::witness::{Minimality, Step, Witness};
use crate::workload::records::Place;

/// One occurrence.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// How it ranks: fewer records first, then the earlier one.
    rank: (usize, u32),
    /// What it is about.
    pub(super) subject: Value,
    /// Its records.
    pub(super) places: Vec<Place>,
    /// Which of several reasons the rule had.
    pub(super) because: &'static str,
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
        because: &'static str,
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
            *best = Some(Case { rank, subject, places, because });
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
    pub(super) fn findings(
        &self,
        history: &History,
        words: &dyn Words,
        members: &[Guarantee],
        rule: &Rule,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (class, &anomaly) in self.classes.iter().enumerate() {
            for certainty in [Certainty::Certain, Certainty::Possible] {
                let count = self.counts[class][certainty as usize];
                let Some(case) = self.best[class][certainty as usize].as_ref() else { continue };
                let witness = tell(history, words, anomaly, certainty, case);
                let certain = certainty == Certainty::Certain;
                let (rule, records) = (rule.clone(), witness.operations.clone());
                let claim = Claim::Account(Account { rule, subject: case.subject, records });
                let witness = witness.claiming(history, anomaly, certain, &claim);
                let rules_out = anomaly.rules_out().iter().filter(|one| certain && members.contains(one)).copied();
                let rules_out = rules_out.collect();
                findings.push(Finding { anomaly, certainty, count, rules_out, witness: Some(witness) });
            }
        }
        findings
    }
}

/// What a vocabulary calls its records and its classes.
pub(super) trait Words {
    /// A record in a few words, of an operation or an observer: `publish of e-31`.
    fn record(&self, f: &str, key: Value, value: Value) -> String;
    /// What an occurrence means for the data.
    fn text(&self, anomaly: Anomaly, certainty: Certainty, case: &Case) -> String;
    /// Who asks in an operation, and who answers.
    fn lanes(&self, _: &Operation<'_>) -> [String; 2] {
        [CLIENT.to_owned(), SERVICE.to_owned()]
    }
    /// Where an observer's record of this function belongs.
    fn lane_of_fact(&self, _: &str) -> &'static str {
        STORE
    }
    /// How an operation ended.
    fn outcome(&self, op: &Operation<'_>) -> &'static str {
        match op.status() {
            Status::Ok => "is done",
            Status::Fail => "is refused: it did not happen",
            Status::Info => "ends without an answer: it may have happened, or not",
        }
    }
}

struct Told {
    name: String,
    position: u32,
    began: u32,
    ended: u32,
    what: String,
}

fn tell(history: &History, words: &dyn Words, anomaly: Anomaly, certainty: Certainty, case: &Case) -> Witness {
    let mut timeline = Timeline::default();
    let mut told: Vec<Told> = case.places.iter().map(|place| one(history, words, *place, &mut timeline)).collect();
    told.sort_by_key(|told| (told.began, told.position));
    let mut numbers = [0u32; 2];
    for told in &mut told {
        if told.name.len() == 1 {
            let number = &mut numbers[usize::from(told.name == "E")];
            *number += 1;
            told.name.push_str(&number.to_string());
        }
    }
    let steps = told
        .windows(2)
        .map(|pair| {
            let (a, b) = (&pair[0], &pair[1]);
            let before = a.ended != History::NO_POSITION && a.ended < b.began;
            let how = if before { "was over before" } else { "had begun before" };
            Step {
                from: a.position,
                to: b.position,
                relation: if before { "realtime" } else { "overlap" },
                key: (!case.subject.is_null()).then_some(case.subject),
                because: format!("{}, {}, {how} {}, {}", a.name, a.what, b.name, b.what),
            }
        })
        .collect();
    Witness {
        minimality: Minimality::Minimum,
        rechecked: false,
        claim: None,
        operations: told.iter().map(|told| told.position).collect(),
        names: told.iter().map(|told| told.name.clone()).collect(),
        steps,
        timeline: Some(timeline.finish()),
        text: words.text(anomaly, certainty, case),
    }
}

fn one(history: &History, words: &dyn Words, place: Place, timeline: &mut Timeline) -> Told {
    let values = history.values();
    match place {
        Place::Op(id) => {
            let op = history.op(id);
            let f = values.as_str(op.f()).unwrap_or("");
            let value = if op.argument().is_null() { op.result() } else { op.argument() };
            let what = words.record(f, op.key(), value);
            let [asks, answers] = words.lanes(&op);
            if let Some(position) = op.invoked() {
                timeline.say(position, op.invoked_time(), &asks, format!("{what} begins"));
            }
            let outcome = words.outcome(&op);
            if let Some(position) = op.completed() {
                let lane = if op.status() == Status::Info { &asks } else { &answers };
                timeline.say(position, op.completed_time(), lane, format!("{what} {outcome}"));
            }
            Told {
                name: "T".to_owned(),
                position: op.position(),
                began: op.began(),
                ended: op.completed().unwrap_or(History::NO_POSITION),
                what: format!("the {what}, which {outcome}"),
            }
        }
        Place::Seen(position) => {
            let seen = history.observations().binary_search_by_key(&position, |seen| seen.position);
            let mut lane = STORE;
            let (what, name, time) = match seen.ok().map(|at| &history.observations()[at]) {
                Some(seen) => {
                    let f = values.as_str(seen.f).unwrap_or("");
                    lane = words.lane_of_fact(f);
                    let name = if matches!(f, "audit" | "drained") { f.to_uppercase() } else { "E".to_owned() };
                    (words.record(f, seen.key, seen.value), name, seen.time)
                }
                None => ("record".to_owned(), "E".to_owned(), History::NO_TIME),
            };
            timeline.say(position, (time != History::NO_TIME).then_some(time), lane, what.clone());
            Told { name, position, began: position, ended: position, what }
        }
    }
}

/// Why nothing certain is wrong, and yet something may be.
pub(super) fn undecided(findings: &[&Finding]) -> String {
    let names: Vec<String> =
        findings.iter().map(|finding| format!("{} {} possible", finding.count, finding.anomaly)).collect();
    let what = findings.first().and_then(|finding| finding.witness.as_ref()).map_or("", |witness| &witness.text);
    format!("{}. {what}", names.join(", "))
}
