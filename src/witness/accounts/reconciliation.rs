//! Systems that should agree, in words.

use super::{Case, Reason, Record, Words};
use crate::guarantee::Anomaly;
use crate::history::Value;

const UNSEEN: &str = "a repair since then would have settled it: a snapshot after the repair would decide.";

pub(super) struct Systems<'c> {
    pub(super) case: &'c Case<'c>,
}

impl Systems<'_> {
    /// What each snapshot of the case has under the id.
    fn shown(&self) -> String {
        let snapshot = |record: &Record<'_>| match record {
            Record::Act(op) => (self.case.f(op.f()) == "snapshot").then(|| self.says(op.result())),
            Record::Seen(seen) => (self.case.f(seen.f) == "snapshot").then(|| self.says(seen.value)),
        };
        let all: Vec<String> = self.case.records.iter().filter_map(snapshot).collect();
        all.join("; ")
    }

    fn says(&self, snapshot: Value) -> String {
        let (case, values) = (self.case, self.case.history.values());
        let get = |name: &str| values.get(snapshot, name).unwrap_or(Value::NULL);
        let (system, entries) = (case.json(get("system")), get("entries"));
        // A map's ids are text.
        let whole = values.as_int(case.subject).map(|id| id.to_string());
        let same = |id: Value| id == case.subject || whole.as_deref().is_some_and(|id_| values.as_str(id) == Some(id_));
        let found: Vec<String> = if entries.is_list() {
            let pairs = values.items(entries).into_iter().map(|pair| values.items(pair));
            pairs.filter(|pair| pair.len() == 2 && same(pair[0])).map(|pair| case.json(pair[1])).collect()
        } else {
            values.entries(entries).filter(|(id, _)| same(*id)).map(|(_, value)| case.json(value)).collect()
        };
        if found.is_empty() {
            format!("{system} has no such entry")
        } else {
            format!("{system} has {}", found.join(", and "))
        }
    }
}

impl Words for Systems<'_> {
    fn record(&self, f: &str, _: Value, value: Value) -> String {
        let values = self.case.history.values();
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
                let system = self.case.json(values.get(value, "system").unwrap_or(Value::NULL));
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

    fn text(&self) -> String {
        let entry = format!("entry {}", self.case.json(self.case.subject));
        let certain = self.case.certain;
        let shown = self.shown();
        match (self.case.anomaly, self.case.why) {
            (Anomaly::MissingEntry, _) if certain => {
                format!("{entry} is missing: {shown}. Money or goods are booked on one side only.")
            }
            (Anomaly::EntryMismatch, _) if certain => format!("{entry} differs: {shown}. One of the two is wrong."),
            (Anomaly::MissingEntry | Anomaly::EntryMismatch, _) => format!("{entry} differed: {shown}; {UNSEEN}"),
            (Anomaly::DuplicateEntry, _) => {
                format!("{entry} is there twice: {shown}. Whoever sums it up counts it twice.")
            }
            (Anomaly::OverCorrection, Some(Reason::Unseen)) => format!(
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
            (Anomaly::AuthorityOverruled, Some(Reason::Authority)) => {
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
