//! `strong-eventual`: reads that had seen the same updates return the same value (Shapiro et al. 2011).
//!
//! What a read had seen is in a field of its record that only the file has: `seen` (a list of updates, in any order), or a
//! version vector as `vv`, `version-vector` or `version_vector` (an object). Reads are grouped by key and by what they say.
//! Judged only where it is required, since every read's record is looked up again. Cost: linear in the text of the records.

use hashbrown::HashMap;

use super::datatype::Datatype;
use super::explain;
use crate::check::staleness::Observed;
use crate::guarantee::{Anomaly, Guarantee};
use crate::history::Value;
use crate::verdict::{Certainty, Finding, Judgement, Verdict};

/// The fields that say what a read had seen, the first that is there.
const FIELDS: [&str; 4] = ["seen", "vv", "version-vector", "version_vector"];

/// Judges it from what the reads say and from `eventual`, which it implies.
pub(super) fn judge(
    observed: &Observed<'_>,
    datatype: &dyn Datatype,
    eventual: &Judgement,
) -> (Judgement, Option<Finding>) {
    let history = observed.accesses.history;
    // What was shown first by whom, for each key and each thing seen.
    let mut groups: HashMap<(usize, String), (Value, u32), foldhash::fast::RandomState> = HashMap::default();
    let (mut telling, mut silent, mut compared, mut count) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut first: Option<[u32; 2]> = None;
    for (number, key) in observed.keys.iter().enumerate() {
        for read in &key.reads {
            let position = observed.accesses.operation(read.row).completed();
            let Some(seen) = position.and_then(|position| history.origin().json(position)).and_then(|text| seen(&text))
            else {
                silent += 1;
                continue;
            };
            telling += 1;
            let shown = datatype.shown(observed, read.row);
            match groups.get(&(number, seen.clone())) {
                None => _ = groups.insert((number, seen), (shown, read.row)),
                Some((value, row)) => {
                    compared += 1;
                    if *value != shown {
                        count += 1;
                        first.get_or_insert([*row, read.row]);
                    }
                }
            }
        }
    }
    let mut judgement = Judgement::new(Guarantee::StrongEventual, Verdict::Holds);
    let mut put = |name: &str, value: u64| _ = judgement.evidence.insert(name.to_owned(), value.into());
    put("reads_that_say_what_they_had_seen", telling);
    put("reads_that_do_not", silent);
    put("compared", compared);
    if count > 0 {
        judgement.verdict = Verdict::Violated;
        judgement.anomalies = vec![Anomaly::StrongDivergence];
    } else if eventual.verdict != Verdict::Holds {
        // Violated goes through the lattice.
        judgement.verdict = Verdict::Unknown;
        judgement.reason = eventual.reason.clone().or_else(|| Some("eventual is not shown to hold".to_owned()));
    } else if compared == 0 {
        judgement.verdict = Verdict::Unknown;
        judgement.reason = Some(
            "no two reads of a key say that they had seen the same: give reads a field `seen` (the updates) or `vv` (a version \
             vector)"
                .to_owned(),
        );
    }
    let finding = first.map(|rows| Finding {
        anomaly: Anomaly::StrongDivergence,
        certainty: Certainty::Certain,
        count,
        rules_out: vec![Guarantee::StrongEventual],
        witness: Some(explain::strong(observed, rows)),
    });
    (judgement, finding)
}

/// For a certificate: the positions of operations whose reads say that they had seen the same.
pub(super) fn groups(observed: &Observed<'_>) -> Vec<Vec<u32>> {
    let accesses = observed.accesses;
    let mut positions: Vec<u32> = (observed.keys.iter().flat_map(|key| &key.reads))
        .filter_map(|read| accesses.operation(read.row).completed())
        .collect();
    positions.sort_unstable();
    positions.dedup();
    let mut number: HashMap<String, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for position in positions {
        let Some(seen) = accesses.history.origin().json(position).and_then(|text| seen(&text)) else { continue };
        let group = *number.entry(seen).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(position);
    }
    groups
}

/// What a record says that its read had seen, such that the same is the same text: a list in order, an object by name.
fn seen(record: &str) -> Option<String> {
    let serde_json::Value::Object(mut fields) = serde_json::from_str(record).ok()? else { return None };
    let said = FIELDS.iter().find_map(|name| fields.remove(*name))?;
    match said {
        serde_json::Value::Null => None,
        serde_json::Value::Array(updates) => {
            let mut updates: Vec<String> = updates.iter().map(ToString::to_string).collect();
            updates.sort_unstable();
            updates.dedup();
            Some(format!("[{}]", updates.join(",")))
        }
        serde_json::Value::Object(vector) => {
            let mut entries: Vec<String> = vector
                .iter()
                .map(|(name, count)| format!("{}:{count}", serde_json::Value::from(name.as_str())))
                .collect();
            entries.sort_unstable();
            Some(format!("{{{}}}", entries.join(",")))
        }
        other => Some(other.to_string()),
    }
}
