//! Whether what a report shows of a witness is what the history has: to the letter, where all of it is told from a claim.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::Ruling;
use crate::history::{History, Operation};
use crate::report::{MOST_OPERATIONS, witness_in_json};
use crate::witness::Witness;
use crate::witness::claim::Claim;

fn list<'j>(it: &'j Json, name: &str) -> &'j [Json] {
    it.get(name).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn number(it: &Json, name: &str) -> Option<u32> {
    it.get(name).and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok())
}

/// Whether the records of a witness stand in the history, and its operations are among them.
pub(super) fn records(history: &History, witness: &Json) -> Result<(), Ruling> {
    let refuse = |why: String| Err(Ruling::Refused(why));
    let mut shown: HashSet<u32> = HashSet::new();
    for record in list(witness, "records") {
        let Some(position) = number(record, "index") else {
            return refuse("a record of the witness has no `index`".to_owned());
        };
        if position >= history.records() {
            return refuse(format!("record {position}: the history has {} records", history.records()));
        }
        let Some(original) = history.origin().json(position).and_then(|text| parsed(&text, position)) else {
            return Err(Ruling::Unproved(format!("record {position} can't be found again in the history's text")));
        };
        if original != *record {
            let differs = difference(&original, record);
            return refuse(format!("record {position} is not what the history has there: {differs}"));
        }
        shown.insert(position);
    }
    for operation in list(witness, "operations") {
        match number(operation, "position") {
            Some(position) if shown.contains(&position) => {}
            Some(position) => {
                return refuse(format!("the operation at record {position} is not among the witness's records"));
            }
            None => return refuse("an operation of the witness has no `position`".to_owned()),
        }
    }
    Ok(())
}

fn parsed(text: &str, position: u32) -> Option<Json> {
    let mut record: Json = serde_json::from_str(text).ok()?;
    record.as_object_mut()?.insert("index".to_owned(), position.into());
    Some(record)
}

/// The first field that is not the same.
fn difference(original: &Json, shown: &Json) -> String {
    let name = fields(original).chain(fields(shown)).find(|name| original.get(*name) != shown.get(*name));
    name.map_or_else(|| "it is no record".to_owned(), |name| format!("`{name}` differs"))
}

fn fields(it: &Json) -> impl Iterator<Item = &String> {
    it.as_object().into_iter().flat_map(|fields| fields.keys())
}

/// Whether a witness is shown as it is told from its claim.
pub(super) fn all(history: &History, told: &Witness, shown: &Json) -> Result<(), String> {
    same(&witness_in_json(history, told), shown, &["claim", "records", "operations", "steps", "timeline", "text"])
}

fn same(expected: &Json, shown: &Json, names: &[&str]) -> Result<(), String> {
    for name in names {
        let (Some(expected), Some(shown)) = (expected.get(*name), shown.get(*name)) else {
            return Err(format!("the witness has no `{name}`"));
        };
        let items = |it: &Json| it.as_array().cloned().unwrap_or_default();
        let (wanted, found) = (items(expected), items(shown));
        if let Some(at) = (0..wanted.len().max(found.len())).find(|at| wanted.get(*at) != found.get(*at)) {
            let what = match (wanted.get(at), found.get(at)) {
                (Some(expected), Some(shown)) => difference(expected, shown),
                (None, _) => "it is one too many".to_owned(),
                (_, None) => "it is missing".to_owned(),
            };
            return Err(format!("entry {} of its `{name}` is not what follows from its claim: {what}", at + 1));
        }
        if expected != shown {
            return Err(format!("its `{name}` is not what follows from its claim"));
        }
    }
    Ok(())
}

/// Whether records and operations are shown as they are, all of the claim's among them, and the steps are about them and their
/// objects, and right about real time.
pub(super) fn outline(history: &History, claim: &Claim, shown: &Json) -> Result<(), String> {
    let operations = list(shown, "operations");
    let (mut positions, mut names) = (Vec::new(), Vec::new());
    for operation in operations {
        positions.extend(number(operation, "position"));
        names.push(operation.get("name").and_then(Json::as_str).unwrap_or_default().to_owned());
    }
    // Of long witnesses not every operation is listed.
    let cut = operations.len() >= MOST_OPERATIONS;
    let claimed = claim.positions(history);
    for position in &claimed {
        if !positions.contains(position) {
            if !cut {
                return Err(format!("its claim is about record {position}, which it does not show"));
            }
            positions.push(*position);
        }
    }
    let exact = matches!(claim, Claim::NoOrder { .. });
    if exact && positions.len() != claimed.len() {
        return Err("it shows operations that its claim is not about".to_owned());
    }
    let told = Witness {
        minimality: crate::witness::Minimality::Bounded,
        rechecked: true,
        claim: Some(claim.to_json(history)),
        operations: positions.clone(),
        names,
        steps: Vec::new(),
        timeline: None,
        text: String::new(),
    };
    let told = witness_in_json(history, &told);
    same(&told, shown, if cut { &["claim", "records"] } else { &["claim", "records", "operations"] })?;
    let wanted: HashSet<u32> = positions.iter().copied().collect();
    let ops: HashMap<u32, Operation<'_>> =
        history.ops().filter(|op| wanted.contains(&op.position())).map(|op| (op.position(), op)).collect();
    let mut keys: HashSet<String> = HashSet::new();
    keys.extend(told.pointer("/claim/value").map(Json::to_string));
    for op in positions.iter().filter_map(|position| ops.get(position)) {
        let mine = std::iter::once(op.key()).chain(op.mops().iter().map(|mop| mop.key));
        keys.extend(mine.map(|key| history.values().json(key, usize::MAX)));
    }
    for (at, step) in list(shown, "steps").iter().enumerate() {
        let Some([from, to]) = number(step, "from").zip(number(step, "to")).map(|(from, to)| [from, to]) else {
            return Err(format!("step {}: it has no ends", at + 1));
        };
        if !wanted.contains(&from) || !wanted.contains(&to) {
            return Err(format!("step {}: it is between operations that the witness does not have", at + 1));
        }
        let over = |position: u32| ops.get(&position).map_or(Some(position), Operation::completed);
        let begun = |position: u32| ops.get(&position).map_or(position, Operation::began);
        let before = over(from).is_some_and(|end| end < begun(to));
        let timely = match step.get("relation").and_then(Json::as_str) {
            Some("realtime") => before,
            Some("overlap") => !before,
            Some(_) => true,
            None => false,
        };
        if !timely {
            return Err(format!("step {}: its operations are not in the relation that it says", at + 1));
        }
        let key = step.get("key").filter(|key| !key.is_null()).map(Json::to_string);
        if key.is_some_and(|key| !keys.contains(&key)) {
            return Err(format!("step {}: it is about a `key` that its operations are not about", at + 1));
        }
    }
    Ok(())
}
