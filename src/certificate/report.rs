//! The witnesses of a report in JSON: whether their records are in the history as they stand in the report, and, of registers,
//! whether these operations have no order.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{Line, Ruling};
use crate::history::{History, OpId, Value};
use crate::witness::recheck;

/// What reports call their format.
pub(super) const SCHEMA: &str = "anachron.report/1";

/// One line for each anomaly of the report.
pub(super) fn verify(history: &History, report: &Json) -> Result<Vec<Line>, String> {
    let judged = match report.get("histories").and_then(Json::as_array).map(Vec::as_slice) {
        Some([one]) => one,
        Some(several) => return Err(format!("the report is of {} histories: verify needs one of one", several.len())),
        None => return Err(format!("no {SCHEMA}: it has no `histories`")),
    };
    let anomalies = judged.get("anomalies").and_then(Json::as_array).map(Vec::as_slice);
    let anomalies = anomalies.ok_or_else(|| format!("no {SCHEMA}: its history has no `anomalies`"))?;
    let line = |anomaly: &Json| {
        let subject = anomaly.get("anomaly").and_then(Json::as_str).unwrap_or("anomaly").to_owned();
        let ruling = match anomaly.get("witness").filter(|witness| !witness.is_null()) {
            None => Ruling::Unproved("the report shows no witness of it".to_owned()),
            Some(witness) => match stands(history, witness) {
                Ok(operations) => follows(history, judged, anomaly, &operations),
                Err(ruling) => ruling,
            },
        };
        Line { subject, ruling }
    };
    Ok(anomalies.iter().map(line).collect())
}

/// The operations of a witness, by position, if their records and its steps are what the history has.
fn stands(history: &History, witness: &Json) -> Result<Vec<u32>, Ruling> {
    let refuse = |why: String| Err(Ruling::Refused(why));
    let list = |name: &str| witness.get(name).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let number = |it: &Json, name: &str| it.get(name).and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok());
    let mut shown: HashSet<u32> = HashSet::new();
    for record in list("records") {
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
            return refuse(format!(
                "record {position} is not what the history has there: {}",
                difference(&original, record)
            ));
        }
        shown.insert(position);
    }
    let mut operations = Vec::new();
    for operation in list("operations") {
        match number(operation, "position") {
            Some(position) if shown.contains(&position) => operations.push(position),
            Some(position) => {
                return refuse(format!("the operation at record {position} is not among the witness's records"));
            }
            None => return refuse("an operation of the witness has no `position`".to_owned()),
        }
    }
    for (at, step) in list("steps").iter().enumerate() {
        let ends = [number(step, "from"), number(step, "to")];
        if ends.iter().any(|end| end.is_none_or(|end| !operations.contains(&end))) {
            return refuse(format!("step {}: it is between operations that the witness does not have", at + 1));
        }
    }
    if operations.is_empty() {
        return Err(Ruling::Unproved("the witness has no operations".to_owned()));
    }
    Ok(operations)
}

fn parsed(text: &str, position: u32) -> Option<Json> {
    let mut record: Json = serde_json::from_str(text).ok()?;
    record.as_object_mut()?.insert("index".to_owned(), position.into());
    Some(record)
}

/// The first field that is not the same.
fn difference(original: &Json, shown: &Json) -> String {
    let fields = |it: &Json| it.as_object().cloned().unwrap_or_default();
    let (original, shown) = (fields(original), fields(shown));
    let name = original.keys().chain(shown.keys()).find(|name| original.get(*name) != shown.get(*name));
    name.map_or_else(|| "it is no record".to_owned(), |name| format!("`{name}` differs"))
}

/// Whether the anomaly follows from operations that are in the history.
fn follows(history: &History, judged: &Json, anomaly: &Json, positions: &[u32]) -> Ruling {
    const STAND: &str = "its records are in the history as the report shows them";
    let names = |it: &Json, field: &str, name: &str| {
        it.get(field).and_then(Json::as_array).is_some_and(|list| list.iter().any(|one| one == name))
    };
    let registers = judged.get("workload").is_some_and(|workload| workload == "register");
    if registers && names(anomaly, "rules_out", "linearizable") {
        let wanted: HashSet<u32> = positions.iter().copied().collect();
        let found: Vec<(OpId, Value)> =
            history.ops().filter(|op| wanted.contains(&op.position())).map(|op| (op.id, op.key())).collect();
        let ids: Vec<OpId> = found.iter().map(|(id, _)| *id).collect();
        if let Some((_, key)) = found.first()
            && recheck::objects::no_order(history, *key, &ids)
        {
            return Ruling::Proved(format!("{STAND}, and no order of them gives what was read: not linearizable"));
        }
    }
    Ruling::Unproved(format!("{STAND}; what follows from them was not gone through a second time"))
}
