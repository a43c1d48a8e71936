//! Reconciliation: do the systems agree in the end, and did the repair change only what differed?
//!
//! The last snapshot of each system counts. Between these:
//! - `missing-entry`: an id that another system has. Counts ids, for each system that lacks it.
//! - `entry-mismatch`: an id whose values differ. `duplicate-entry`: an id that a system lists twice.
//!
//! A difference that a later repair would have settled is possible, not certain: no snapshot shows what it left.
//!
//! Of repairs, each fix of a `reconcile` with `ok` (`repair`):
//! - `over-correction`: no snapshot that it can have worked from shows a difference there.
//! - `repeated-repair`: the snapshots show one, and an earlier repair had settled it, with no snapshot since that differs.
//! - `authority-overruled`: it changes the system that the policy calls right, or to something else than that one has.
//!
//! Exactness: values are compared as values (`1` and `1.0` are two). Fewer than two systems leave the verdict unknown. Cost:
//! linear in entries; a fix costs the systems, and what was recorded of its entry while its repair ran, under the budget.
//! Source: own definitions.

pub(in crate::check::delivery) mod account;
mod repair;

use hashbrown::HashMap;

use super::cases::{Tally, undecided};
use super::figures::distribution;
use super::policy;
use crate::check::Settings;
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::{History, Value};
use crate::verdict::Certainty::{Certain, Possible};
use crate::verdict::{Figures, Finding, Judgement, Outcome, StoppedBy, Verdict};
use crate::witness::claim::Rule;
use crate::workload::WorkloadError;
use crate::workload::reconciliation::{Reconciliation, Snapshot};
use crate::workload::records::Place;

use repair::Repairs;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The classes, in the order in which a report lists them.
pub const CLASSES: [Anomaly; 6] = [
    Anomaly::MissingEntry,
    Anomaly::EntryMismatch,
    Anomaly::DuplicateEntry,
    Anomaly::OverCorrection,
    Anomaly::RepeatedRepair,
    Anomaly::AuthorityOverruled,
];

/// Judges `reconciled`.
///
/// # Errors
/// The history is not of this vocabulary, or the policy has a term that can't be read.
pub fn judge(history: &History, settings: &Settings<'_>) -> Result<Outcome, WorkloadError> {
    let policy = policy::stated(history, settings.requirements, &[Guarantee::Reconciled])?;
    let read = Reconciliation::from_history(history)?;
    let name = policy.word("authority");
    let values = history.values();
    let is_authority = |system: &Value| {
        let named = values.as_str(*system).map_or_else(|| values.json(*system, 200), str::to_owned);
        name.as_ref() == Some(&named)
    };
    let authority = read.systems.iter().position(is_authority);
    let repairs = Repairs::of(&read);
    let mut judge = Judge {
        read: &read,
        repairs: &repairs,
        tally: Tally::new(&CLASSES),
        incomplete: 0,
        has: vec![0; read.systems.len()],
    };
    judge.differences();
    let stopped = judge.repairs(authority, &mut settings.budget.meter()).err();
    let rule = Rule::Reconciliation { authority: name.clone() };
    let findings = judge.tally.findings(history, &[Guarantee::Reconciled], &rule);
    let absent = name.filter(|_| authority.is_none_or(|system| read.last()[system].is_none()));
    let judgement = judgement(&read, &findings, absent, stopped);
    let mut measures = Figures::new();
    measures.insert("delivery".to_owned(), judge.figures(history).into());
    Ok(Outcome { judgements: vec![judgement], findings, measures })
}

fn judgement(
    read: &Reconciliation,
    findings: &[Finding],
    absent: Option<String>,
    stopped: Option<StoppedBy>,
) -> Judgement {
    let mut judgement = Judgement::new(Guarantee::Reconciled, Verdict::Holds);
    let (certain, possible): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|one| one.certainty == Certain);
    let systems = read.last().iter().flatten().count();
    let unknown = if let Some(by) = stopped {
        judgement.stopped_by = Some(by);
        Some("not every fix of every repair was looked at".to_owned())
    } else if systems < 2 {
        Some(format!("{systems} systems have a snapshot: whether systems agree needs two"))
    } else if let Some(name) = absent {
        Some(format!("the authority {name:?} has no snapshot: nobody knows what is right"))
    } else if !possible.is_empty() {
        Some(undecided(&possible))
    } else {
        None
    };
    if !certain.is_empty() {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies = certain.iter().map(|finding| finding.anomaly).collect();
    } else if let Some(reason) = unknown {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some(reason);
    }
    let entries: usize = read.last().iter().flatten().map(|snapshot| snapshot.entries.len()).sum();
    for (name, value) in [
        ("systems", systems),
        ("snapshots", read.snapshots.len()),
        ("entries", entries),
        ("repairs", read.reconciles.len()),
        ("fixes", read.fixes.len()),
    ] {
        judgement.evidence.insert(name.to_owned(), value.into());
    }
    judgement
}

struct Judge<'a> {
    read: &'a Reconciliation,
    repairs: &'a Repairs<'a>,
    tally: Tally,
    /// Ids that some system certainly lacks, and of these, for each system, how many it has.
    incomplete: u64,
    has: Vec<u64>,
}

/// The entries of some systems under one id.
#[derive(Default)]
struct Row<'a> {
    /// Each system's snapshot, and its values there.
    cells: Vec<(&'a Snapshot, Vec<Value>)>,
}

impl Judge<'_> {
    /// What the last snapshots show.
    fn differences(&mut self) {
        let last: Vec<&Snapshot> = self.read.last().into_iter().flatten().collect();
        let mut rows: Vec<(Value, Row<'_>)> = Vec::new();
        let mut index: Map<Value, usize> = Map::default();
        for &snapshot in &last {
            for &(id, value) in &self.read.entries[snapshot.entries.clone()] {
                let at = *index.entry(id).or_insert_with(|| {
                    rows.push((id, Row::default()));
                    rows.len() - 1
                });
                let cells = &mut rows[at].1.cells;
                match cells.last_mut().filter(|(of, _)| of.system == snapshot.system) {
                    Some((_, values)) => values.push(value),
                    None => cells.push((snapshot, vec![value])),
                }
            }
        }
        for (id, row) in &mut rows {
            self.row(*id, row, &last);
        }
    }

    fn row(&mut self, id: Value, row: &mut Row<'_>, last: &[&Snapshot]) {
        let place = |snapshot: &Snapshot| snapshot.fact.place;
        for (snapshot, values) in &mut row.cells {
            if values.len() > 1 {
                let sure = if last.len() > 1 { Certain } else { Possible };
                let at = snapshot.fact.position;
                self.tally.add((Anomaly::DuplicateEntry, sure), id, at, None, &[place(snapshot)]);
                values.sort_unstable();
                values.dedup();
            }
        }
        let Some((first, values)) = row.cells.first() else { return };
        let other = row.cells.iter().find(|(_, others)| others != values);
        let lacking = last.len() - row.cells.len();
        if other.is_none() && lacking == 0 {
            return;
        }
        let settled = self.repairs.settle(id, last);
        let sure = if settled.is_some() { Possible } else { Certain };
        let mut add = |anomaly, other: &Snapshot| {
            let at = first.fact.position.max(other.fact.position);
            let places: Vec<Place> = [place(first), place(other)].into_iter().chain(settled).collect();
            self.tally.add((anomaly, sure), id, at, None, &places);
        };
        if let Some((other, _)) = other {
            add(Anomaly::EntryMismatch, other);
        }
        // The cells are in the order of the snapshots.
        let mut cells = row.cells.iter().map(|(snapshot, _)| snapshot.system).peekable();
        let lacks = last.iter().find(|snapshot| cells.next_if_eq(&snapshot.system).is_none());
        if let Some(lacks) = lacks {
            add(Anomaly::MissingEntry, lacks);
            self.tally.count_only(Anomaly::MissingEntry, sure, lacking as u64 - 1);
            if sure == Certain {
                self.incomplete += 1;
                row.cells.iter().for_each(|(snapshot, _)| self.has[snapshot.system as usize] += 1);
            }
        }
    }

    fn figures(self, history: &History) -> Figures {
        let read = self.read;
        let count = |anomaly| self.tally.count(anomaly, Certain);
        let done = || read.reconciles.iter().filter(|one| one.run.is_ok());
        let mut figures = Figures::new();
        let mut put = |name: &str, value: serde_json::Value| _ = figures.insert(name.to_owned(), value);
        put("systems", read.last().iter().flatten().count().into());
        put("snapshots", read.snapshots.len().into());
        put("missing", count(Anomaly::MissingEntry).into());
        let of = |system: &Value| {
            let values = history.values();
            values.as_str(*system).map_or_else(|| values.json(*system, 60), str::to_owned)
        };
        let lacks = |system: &Snapshot| self.incomplete - self.has[system.system as usize];
        let missing: Figures = read
            .last()
            .into_iter()
            .flatten()
            .map(|one| (of(&read.systems[one.system as usize]), lacks(one).into()))
            .collect();
        put("missing_in", missing.into());
        put("mismatches", count(Anomaly::EntryMismatch).into());
        put("duplicates", count(Anomaly::DuplicateEntry).into());
        put("repairs", done().count().into());
        put("fixes", done().map(|one| one.fixes.len()).sum::<usize>().into());
        let durations = done().filter_map(|one| {
            let known = |time: i64| (time != History::NO_TIME).then_some(time);
            Some(known(one.run.completed_time)?.saturating_sub(known(one.run.invoked_time)?).max(0))
        });
        put("repair_duration_ns", distribution(durations.collect()).into());
        put("classes", self.tally.figures().into());
        figures
    }
}
