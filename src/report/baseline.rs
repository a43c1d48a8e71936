//! Baselines: findings that were accepted, by fingerprint, so that a run fails for new ones only.
//!
//! A file of JSON, `anachron.baseline/1`. What it says beside the fingerprints is for its readers; `reason` is theirs to
//! write, and is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::identity::plain;
use super::view::{HistoryReport, Notice, Overall, Report};

const SCHEMA: &str = "anachron.baseline/1";

/// Accepted findings.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    entries: Vec<Entry>,
    /// Sources with fingerprints.
    known: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: String,
    source: String,
    anomaly: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    use_case: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    findings: Vec<Entry>,
}

/// The histories that were judged.
fn by_source(histories: &[HistoryReport]) -> BTreeMap<String, Vec<&HistoryReport>> {
    let mut judged: BTreeMap<String, Vec<&HistoryReport>> = BTreeMap::new();
    for history in histories.iter().filter(|history| history.error.is_none()) {
        judged.entry(plain(&history.source)).or_default().push(history);
    }
    judged
}

impl Baseline {
    /// Reads a baseline's file.
    ///
    /// # Errors
    /// It is none: what is wrong, with line and column where that can be said.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.schema != SCHEMA {
            return Err(format!("its schema is {:?}, and this version reads {SCHEMA:?}", file.schema));
        }
        Ok(Baseline::of(file.findings))
    }

    fn of(entries: Vec<Entry>) -> Baseline {
        let known = entries.iter().map(|entry| (entry.source.clone(), entry.fingerprint.clone())).collect();
        Baseline { entries, known }
    }

    /// As the text of a file, in order of source and anomaly.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut findings = self.entries.clone();
        let order =
            |one: &Entry| (one.source.clone(), one.anomaly.clone(), one.use_case.clone(), one.fingerprint.clone());
        findings.sort_by_key(order);
        findings.dedup_by_key(|one| (one.source.clone(), one.fingerprint.clone()));
        let file = File { schema: SCHEMA.to_owned(), findings };
        super::json::safe(&serde_json::to_string_pretty(&file).expect("a baseline is text and nothing else"))
    }

    /// Whether it has a finding of this history.
    #[must_use]
    pub fn has(&self, source: &str, fingerprint: &str) -> bool {
        self.known.contains(&(plain(source), fingerprint.to_owned()))
    }

    /// What a run's histories no longer show. What is accepted of histories that were not judged in this run stays open.
    #[must_use]
    pub(super) fn stale(&self, histories: &[HistoryReport]) -> Vec<Notice> {
        let judged = by_source(histories);
        let gone = |entry: &&Entry| {
            let found = |history: &&HistoryReport| {
                history.anomalies.iter().any(|anomaly| anomaly.fingerprint == entry.fingerprint)
            };
            judged.get(entry.source.as_str()).is_some_and(|histories| !histories.iter().any(found))
        };
        let notice = |entry: &Entry| Notice {
            kind: "stale-baseline",
            subject: entry.fingerprint.clone(),
            message: format!(
                "the baseline accepts {} in {} ({}), which is no longer found there: --update-baseline drops it",
                entry.anomaly, entry.source, entry.fingerprint
            ),
            verdict: Overall::Holds,
        };
        self.entries.iter().filter(gone).map(notice).collect()
    }

    /// The baseline that accepts all that violates something required in this report. Entries of histories that the report
    /// has not stay.
    #[must_use]
    pub fn updated(&self, report: &Report) -> Baseline {
        let judged = by_source(&report.histories);
        let elsewhere = |entry: &&Entry| !judged.contains_key(entry.source.as_str());
        let mut entries: Vec<Entry> = self.entries.iter().filter(elsewhere).cloned().collect();
        let reasons: BTreeMap<(&str, &str), &Option<String>> = self
            .entries
            .iter()
            .map(|entry| ((entry.source.as_str(), entry.fingerprint.as_str()), &entry.reason))
            .collect();
        for history in &report.histories {
            let source = plain(&history.source);
            let required = || history.guarantees.iter().filter(|row| row.required);
            let violating = history.anomalies.iter().filter(|found| {
                found.certainty == "certain"
                    && found.accepted != Some("allowed")
                    && required().any(|row| found.explains(row))
            });
            for found in violating {
                let reason = reasons.get(&(source.as_str(), found.fingerprint.as_str()));
                entries.push(Entry {
                    fingerprint: found.fingerprint.clone(),
                    source: source.clone(),
                    anomaly: found.anomaly.to_owned(),
                    use_case: found.use_case.clone(),
                    reason: reason.and_then(|reason| (*reason).clone()),
                });
            }
        }
        Baseline::of(entries)
    }

    /// How many findings it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it accepts nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
