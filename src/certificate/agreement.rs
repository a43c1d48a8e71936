//! `strong-eventual`: reads that had seen the same updates showed the same, and the servers converge.
//!
//! The evidence parts the reads that say what they had seen (`seen`, or a version vector, in their completion's record) into groups that
//! had seen the same, beside what shows that the servers converge (see `convergence`). What each read says is looked up in its record
//! again. Every read that says so is in one group, by its position and in order; those of a group say the same, and those of two
//! groups do not; in a group, all reads of a key show the same.
//!
//! Cost: as for convergence, and the text of the records of these reads.

use serde::{Deserialize, Serialize};

use super::accesses::Accesses;
use super::convergence::{self, Convergence};
use super::evidence::other;
use super::versions::Key;
use super::{Beside, Certificate, Claim, Map, Ruling, Set};
use crate::history::{History, Value};

/// Fields that say what a read had seen: the first that is there.
const FIELDS: [&str; 4] = ["seen", "vv", "version-vector", "version_vector"];

/// Who had seen the same, and what is there in the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// What shows that the servers converge.
    pub end: Convergence,
    /// Positions of operations whose reads had seen the same; ascending, and by the first of each.
    pub groups: Vec<Vec<u32>>,
}

/// What becomes of a claim that those who had seen the same showed the same.
pub(super) fn rule(beside: &Beside<'_>, certificate: &Certificate, claim: &Claim, evidence: &Agreement) -> Ruling {
    let known = ["register", "list-append"].contains(&certificate.workload.as_str());
    if !known || claim.guarantee != "strong-eventual" {
        return other(certificate, claim);
    }
    look(beside, evidence).map_or_else(|ruling| ruling, Ruling::Proved)
}

fn look(beside: &Beside<'_>, evidence: &Agreement) -> Result<String, Ruling> {
    let converged = convergence::kept(beside, &evidence.end)?;
    let compared = agreed(beside.accesses()?, beside.keys()?, &evidence.groups).map_err(Ruling::Refused)?;
    if compared == 0 {
        return Err(Ruling::Unproved("no two reads of a key say that they had seen the same".to_owned()));
    }
    Ok(format!("{compared} reads showed what an earlier one that had seen the same showed; {converged}"))
}

/// How many reads showed what an earlier one of their group did; or the first that did not, or is in the wrong one.
fn agreed(accesses: &Accesses<'_>, keys: &[Key], groups: &[Vec<u32>]) -> Result<u64, String> {
    // The reads of each operation, by its position.
    let mut reads: Map<u32, Vec<u32>> = Map::default();
    for read in keys.iter().flat_map(|key| &key.reads) {
        reads.entry(accesses.rows[read.row as usize].op.position()).or_default().push(read.row);
    }
    let mut known: Set<String> = Set::default();
    let (mut before, mut had, mut compared) = (None, Set::default(), 0);
    for (number, group) in groups.iter().enumerate() {
        let place = |why: &str| Err(format!("group {}: {why}", number + 1));
        if before >= group.first().copied() || group.windows(2).any(|pair| pair[0] >= pair[1]) {
            return place("it is empty, out of order, or names a record twice");
        }
        before = group.first().copied();
        let mut said: Option<String> = None;
        let mut shown: Map<u32, (Value, u32)> = Map::default();
        for position in group {
            let Some((rows, seen)) = reads.get(position).zip(seen(accesses.history, *position)) else {
                return place(&format!("record {position} is no read that says what it had seen"));
            };
            if !had.insert(*position) {
                return place(&format!("record {position} is in another group, too"));
            }
            if said.get_or_insert_with(|| seen.clone()) != &seen {
                return place(&format!("record {position} says that it had seen something else than those before it"));
            }
            for row in rows {
                let access = &accesses.rows[*row as usize];
                let (value, first) = *shown.entry(access.key).or_insert((access.value, *row));
                if value != access.value {
                    let (first, then) = (accesses.name(first), accesses.name(*row));
                    return place(&format!("{first} and {then} had seen the same, and differ"));
                }
                compared += u64::from(first != *row);
            }
        }
        if !known.insert(said.unwrap_or_default()) {
            return place("it had seen the same as another group");
        }
    }
    let mut left = reads.keys().copied().filter(|at| !had.contains(at) && seen(accesses.history, *at).is_some());
    match left.next() {
        None => Ok(compared),
        Some(first) => {
            let first = left.fold(first, u32::min);
            Err(format!("record {first} says what it had seen, and is in no group"))
        }
    }
}

/// What a record says that its read had seen, such that the same is the same text; nothing where it is none or says nothing.
fn seen(history: &History, position: u32) -> Option<String> {
    let mut record: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&history.origin().json(position)?).ok()?;
    let said = FIELDS.iter().find_map(|field| record.remove(*field))?;
    let mut parts: Vec<String> = match &said {
        serde_json::Value::Null => return None,
        serde_json::Value::Array(updates) => updates.iter().map(ToString::to_string).collect(),
        serde_json::Value::Object(vector) => {
            vector.iter().map(|(name, count)| format!("{}:{count}", serde_json::Value::from(name.as_str()))).collect()
        }
        single => return Some(single.to_string()),
    };
    parts.sort_unstable();
    if said.is_array() {
        parts.dedup();
    }
    let [open, close] = if said.is_array() { ["[", "]"] } else { ["{", "}"] };
    Some(format!("{open}{}{close}", parts.join(",")))
}
