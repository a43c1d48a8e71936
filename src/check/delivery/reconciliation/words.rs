//! Findings about systems that should agree, in words.

use crate::check::delivery::cases::{Case, Words};
use crate::guarantee::Anomaly;
use crate::history::{History, Value};
use crate::verdict::Certainty;
use crate::workload::records::Place;

pub(super) struct Systems<'a> {
    pub(super) history: &'a History,
}

impl Systems<'_> {
    fn json(&self, value: Value) -> String {
        self.history.values().json(value, 60)
    }

    /// The snapshots of a case: each system with what it has under an id.
    fn shown(&self, case: &Case) -> String {
        let values = self.history.values();
        let observations = self.history.observations();
        let snapshot = |place: &Place| match place {
            Place::Op(id) => {
                let op = self.history.op(*id);
                (values.as_str(op.f()) == Some("snapshot")).then(|| op.result())
            }
            Place::Seen(position) => {
                let at = observations.binary_search_by_key(position, |seen| seen.position).ok()?;
                Some(observations[at].value)
            }
        };
        let says = |value: Value| {
            let system = self.json(values.get(value, "system").unwrap_or(Value::NULL));
            let entries = values.get(value, "entries").unwrap_or(Value::NULL);
            let text = self.json(case.subject);
            let same = |id: Value| id == case.subject || values.as_str(id).is_some_and(|id| id == text);
            let found: Vec<String> = if entries.is_list() {
                let pairs = values.items(entries).into_iter().map(|pair| values.items(pair));
                pairs.filter(|pair| pair.len() == 2 && same(pair[0])).map(|pair| self.json(pair[1])).collect()
            } else {
                values.entries(entries).filter(|(id, _)| same(*id)).map(|(_, value)| self.json(value)).collect()
            };
            if found.is_empty() {
                format!("{system} has no such entry")
            } else {
                format!("{system} has {}", found.join(", and "))
            }
        };
        let all: Vec<String> = case.places.iter().filter_map(snapshot).map(says).collect();
        all.join("; ")
    }
}

impl Words for Systems<'_> {
    fn record(&self, f: &str, _: Value, value: Value) -> String {
        let values = self.history.values();
        let size = |name: &str| {
            let items = values.get(value, name).unwrap_or(Value::NULL);
            if items.is_null() {
                0
            } else if items.is_list() {
                values.len(items)
            } else {
                values.entries(items).count()
            }
        };
        match f {
            "snapshot" => {
                let system = self.json(values.get(value, "system").unwrap_or(Value::NULL));
                match size("entries") {
                    1 => format!("snapshot of {system} (1 entry)"),
                    entries => format!("snapshot of {system} ({entries} entries)"),
                }
            }
            "reconcile" => match size("fixes") {
                0 => "repair".to_owned(),
                1 => "repair (1 fix)".to_owned(),
                fixes => format!("repair ({fixes} fixes)"),
            },
            other => other.to_owned(),
        }
    }

    fn text(&self, anomaly: Anomaly, certainty: Certainty, case: &Case) -> String {
        let entry = format!("entry {}", self.json(case.subject));
        let certain = certainty == Certainty::Certain;
        let shown = self.shown(case);
        const UNSEEN: &str = "a repair since then would have settled it: a snapshot after the repair would decide.";
        match (anomaly, case.because) {
            (Anomaly::MissingEntry, _) if certain => {
                format!("{entry} is missing: {shown}. Money or goods are booked on one side only.")
            }
            (Anomaly::EntryMismatch, _) if certain => format!("{entry} differs: {shown}. One of the two is wrong."),
            (Anomaly::MissingEntry | Anomaly::EntryMismatch, _) => format!("{entry} differed: {shown}; {UNSEEN}"),
            (Anomaly::DuplicateEntry, _) => {
                format!("{entry} is there twice: {shown}. Whoever sums it up counts it twice.")
            }
            (Anomaly::OverCorrection, "unseen") => format!(
                "{entry} was changed by a repair, and no snapshots of two systems before it show whether it differed: record \
                 `snapshot` before `reconcile`."
            ),
            (Anomaly::OverCorrection, _) if certain => {
                format!("{entry} was changed by a repair, and nothing differed there: {shown}. The repair did damage.")
            }
            (Anomaly::OverCorrection, _) => format!(
                "{entry} was changed by a repair; whether it differed then depends on a repair whose outcome is unknown: {shown}."
            ),
            (Anomaly::RepeatedRepair, _) if certain => format!(
                "{entry} was repaired again, and no snapshot since the repair before shows that it still differed: the repair \
                 is not idempotent."
            ),
            (Anomaly::RepeatedRepair, _) => format!(
                "{entry} was repaired again; the repair before has no known outcome, or ran at the same time: if it was done, \
                 this one is one too many."
            ),
            (Anomaly::AuthorityOverruled, "itself") => {
                format!("{entry} was changed in the system that the policy calls right.")
            }
            (Anomaly::AuthorityOverruled, _) if certain => {
                format!("{entry} was set to something else than the system has that the policy calls right: {shown}.")
            }
            (Anomaly::AuthorityOverruled, _) => format!(
                "{entry} was changed, and no snapshot before shows what the system has that the policy calls right."
            ),
            (other, _) => format!("{other}: {entry}"),
        }
    }
}
