//! Whether what a report shows of a witness is what the history has: to the letter, where all of it is told from a claim.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::Ruling;
use crate::guarantee::{Guarantee, weakest};
use crate::history::{History, Operation};
use crate::report::{Identity, MOST_OPERATIONS, parameters_in_words, witness_in_json};
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

/// Whether an anomaly's fingerprint is that of what is said of it.
pub(super) fn fingerprint(history: &History, judged: &Json, said: &Json) -> Result<(), String> {
    let text = |it: &'_ Json, name: &str| it.get(name).and_then(Json::as_str).map(str::to_owned);
    let witness = said.get("witness").unwrap_or(&Json::Null);
    let steps = list(witness, "steps");
    let scalar = |key: &Json| match key {
        Json::String(text) => Some(text.clone()),
        Json::Array(_) | Json::Object(_) => None,
        other => Some(other.to_string()),
    };
    let key = match steps.iter().find_map(|step| step.get("key").filter(|key| !key.is_null())) {
        // A key that is not a scalar is shortened: what its seal says has to do.
        Some(key) => match scalar(key) {
            None => return Ok(()),
            scalar => scalar,
        },
        None => key_of_first(history, witness),
    };
    let mut shape: Vec<&str> = steps.iter().filter_map(|step| step.get("relation").and_then(Json::as_str)).collect();
    shape.sort_unstable();
    shape.dedup();
    let ruled_out: Vec<Guarantee> =
        list(said, "rules_out").iter().filter_map(Json::as_str).filter_map(Guarantee::named).collect();
    let (source, workload) = (text(judged, "source"), text(judged, "workload"));
    let (rule, use_case) = (text(said, "anomaly"), text(said, "use_case"));
    let identity = Identity {
        source: source.as_deref().unwrap_or_default(),
        workload: workload.as_deref(),
        use_case: use_case.as_deref(),
        rule: rule.as_deref().unwrap_or_default(),
        guarantees: weakest(&ruled_out).iter().map(|guarantee| guarantee.name()).collect(),
        key,
        shape,
        certain: text(said, "certainty").as_deref() == Some("certain"),
        parameters: said.get("parameters").and_then(Json::as_object).map_or_else(String::new, parameters_in_words),
    };
    let expected = identity.fingerprint();
    if said.get("fingerprint") == Some(&Json::String(expected.clone())) {
        return Ok(());
    }
    Err(format!("its `fingerprint` is not what follows from the rest: {expected}"))
}

/// The object of a witness's first operation, as text.
fn key_of_first(history: &History, witness: &Json) -> Option<String> {
    let position = number(list(witness, "operations").first()?, "position")?;
    let op = history.ops().find(|op| op.invoked() == Some(position) || op.completed() == Some(position));
    let seen = || history.observations().iter().find(|seen| seen.position == position).map(|seen| seen.key);
    let key = op.map(|op| op.key()).or_else(seen).filter(|key| !key.is_null())?;
    let values = history.values();
    Some(values.as_str(key).map_or_else(|| values.plain_json(key, 200), str::to_owned))
}
