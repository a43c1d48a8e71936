//! Goal: nothing that a report says of an anomaly can be changed unnoticed.

use std::collections::BTreeMap;
use std::sync::Arc;

use anachron::certificate::Ruling;
use anachron::guarantee::{Anomaly, Guarantee, weakest};
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::report::{Identity, seal};
use rayon::prelude::*;
use serde_json::Value as Json;

use super::{anomalies, files, report_of, reported, shipped, verified};

/// An anomaly of a report, alone in it.
struct Case {
    name: String,
    history: Arc<History>,
    report: Json,
}

impl Case {
    fn anomaly(&self) -> &Json {
        &anomalies(&self.report)[0]
    }

    /// What becomes of the report with another anomaly in its place.
    fn ruled(&self, anomaly: Json) -> Ruling {
        let mut report = self.report.clone();
        report["histories"][0]["anomalies"] = Json::Array(vec![anomaly]);
        verified(&self.history, &report)[0].ruling.clone()
    }

    /// The fingerprint of an anomaly by another name.
    fn fingerprint(&self, anomaly: &Json) -> String {
        let text = |it: &'static str| self.report["histories"][0][it].as_str().unwrap_or_default().to_owned();
        let steps = anomaly["witness"]["steps"].as_array().cloned().unwrap_or_default();
        let mut shape: Vec<&str> = steps.iter().filter_map(|step| step["relation"].as_str()).collect();
        shape.sort_unstable();
        shape.dedup();
        let of_step = steps.iter().find_map(|step| Some(&step["key"]).filter(|key| !key.is_null()));
        let of_record = anomaly["witness"]["records"][0]["key"].clone();
        let key = of_step.unwrap_or(&of_record);
        let names = anomaly["rules_out"].as_array().cloned().unwrap_or_default();
        let ruled_out: Vec<Guarantee> = names.iter().filter_map(Json::as_str).filter_map(Guarantee::named).collect();
        let (source, workload) = (text("source"), text("workload"));
        Identity {
            source: &source,
            workload: Some(&workload),
            rule: anomaly["anomaly"].as_str().unwrap_or_default(),
            guarantees: weakest(&ruled_out).iter().map(|guarantee| guarantee.name()).collect(),
            key: (!key.is_null()).then(|| key.as_str().map_or_else(|| key.to_string(), str::to_owned)),
            shape,
            certain: anomaly["certainty"] == "certain",
            ..Identity::default()
        }
        .fingerprint()
    }
}

/// Histories of sets and counters, in one line each: what is wrong, and the records.
const UPDATES: [(&str, &str); 6] = [
    (
        "a stale set",
        r#"{"process":0,"type":"invoke","f":"add","value":1,"time":0}
{"process":0,"type":"ok","f":"add","value":1,"time":5}
{"process":1,"type":"invoke","f":"read","time":1000}
{"process":1,"type":"ok","f":"read","value":[],"time":1001}"#,
    ),
    (
        "a set that lost an element",
        r#"{"process":0,"type":"invoke","f":"add","value":"a","time":0}
{"process":0,"type":"ok","f":"add","value":"a","time":5}
{"process":0,"type":"invoke","f":"read","time":10,"final":true}
{"process":0,"type":"ok","f":"read","value":[],"time":11,"final":true}"#,
    ),
    (
        "a set with what nobody added, twice",
        r#"{"process":0,"type":"invoke","f":"add","value":7}
{"process":0,"type":"fail","f":"add","value":7}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":[7,8,8]}"#,
    ),
    (
        "a set that comes and goes",
        r#"{"process":0,"type":"invoke","f":"add","value":1}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":[1]}
{"process":1,"type":"invoke","f":"read"}
{"process":1,"type":"ok","f":"read","value":[]}
{"process":0,"type":"ok","f":"add","value":1}"#,
    ),
    (
        "a stale counter",
        r#"{"process":0,"type":"invoke","f":"inc","value":2,"time":0}
{"process":0,"type":"ok","f":"inc","value":2,"time":5}
{"process":0,"type":"invoke","f":"inc","value":2,"time":6}
{"process":0,"type":"ok","f":"inc","value":2,"time":9}
{"process":0,"type":"invoke","f":"read","time":1000,"final":true}
{"process":0,"type":"ok","f":"read","value":2,"time":1001,"final":true}"#,
    ),
    (
        "a counter from nowhere",
        r#"{"process":0,"type":"invoke","f":"inc","value":2}
{"process":0,"type":"ok","f":"inc","value":2}
{"process":0,"type":"invoke","f":"dec","value":1}
{"process":0,"type":"fail","f":"dec","value":1}
{"process":0,"type":"invoke","f":"read"}
{"process":0,"type":"ok","f":"read","value":1}
{"process":0,"type":"invoke","f":"read"}
{"process":0,"type":"ok","f":"read","value":9}"#,
    ),
];

/// Of each anomaly and kind of claim the smallest witness that is shipped.
fn cases() -> Vec<Case> {
    let mut shipped_files = Vec::new();
    for folder in ["anomalies", "delivery", "idempotency", "outbox", "saga", "reconciliation"] {
        shipped_files.extend(files(&shipped().join(folder)));
    }
    let of_file = |path: std::path::PathBuf| {
        let (history, report) = reported(&path)?;
        Some((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), Arc::new(history), report))
    };
    let mut reports: Vec<_> = shipped_files.into_par_iter().filter_map(of_file).collect();
    for (name, lines) in UPDATES {
        let source = Source::Bytes { name: name.to_owned(), bytes: lines.into() };
        let history = read(source, &Options::default()).expect("a history");
        let report = report_of(&history).expect("a report");
        reports.push((name.to_owned(), Arc::new(history), report));
    }
    let mut smallest: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    for (number, (_, _, report)) in reports.iter().enumerate() {
        for (at, anomaly) in anomalies(report).iter().enumerate() {
            let mut kinds = Vec::new();
            leaves(&anomaly["witness"]["claim"], "", &mut kinds);
            // The beginning of a claim's path: what it is about, and what is said of it.
            let kind: Vec<&str> = kinds.first().map_or("", |first| first).split('/').take(4).collect();
            let kind = format!("{} {} {}", anomaly["anomaly"], anomaly["certainty"], kind.join("/"));
            let size = anomaly.to_string().len();
            let best = smallest.entry(kind).or_insert((size, number, at));
            *best = (*best).min((size, number, at));
        }
    }
    let mut chosen: Vec<(usize, usize)> = smallest.into_values().map(|(_, number, at)| (number, at)).collect();
    chosen.sort_unstable();
    let case = |(number, at): (usize, usize)| {
        let (name, history, report) = &reports[number];
        let mut report = report.clone();
        let one = anomalies(&report)[at].clone();
        report["histories"][0]["anomalies"] = Json::Array(vec![one]);
        // What nobody required is told by other tests.
        report["histories"][0]["measures"] = Json::Null;
        let rows = report["histories"][0]["guarantees"].as_array_mut().expect("guarantees");
        rows.retain(|row| row["required"] == true);
        Case { name: name.clone(), history: Arc::clone(history), report }
    };
    chosen.into_iter().map(case).collect()
}

/// All places of leaves below a place.
fn leaves(json: &Json, place: &str, all: &mut Vec<String>) {
    match json {
        Json::Object(fields) => fields.iter().for_each(|(name, it)| leaves(it, &format!("{place}/{name}"), all)),
        Json::Array(items) => items.iter().enumerate().for_each(|(at, it)| leaves(it, &format!("{place}/{at}"), all)),
        _ => all.push(place.to_owned()),
    }
}

/// Other leaves, in the place of one; of what an anomaly rules out, only what it does not rule out by its definition.
fn changed(anomaly: &Json, place: &str, leaf: &Json) -> Vec<Json> {
    let others = |names: &[&str]| names.iter().filter(|name| *leaf != **name).map(|name| Json::from(*name)).collect();
    match place {
        "/witness/minimality" => return others(&["minimum", "1-minimal", "bounded"]),
        "/certainty" => return others(&["certain", "possible"]),
        "/accepted" => return others(&["allowed", "baseline"]),
        "/rules_out/0" => {
            let known = anomaly["anomaly"].as_str().and_then(Anomaly::named).map_or(&[][..], Anomaly::rules_out);
            let all = ["linearizable", "sequential", "bounded-staleness", "eventual", "serializable"];
            let is_new = |name: &&str| !known.iter().any(|guarantee| guarantee.name() == *name);
            return others(&all.into_iter().filter(is_new).collect::<Vec<_>>());
        }
        place if place.starts_with("/rules_out/") => return others(&["strong-eventual"]),
        _ => {}
    }
    match leaf {
        Json::Number(number) => match number.as_i64() {
            Some(int) => vec![(int + 1).into(), int.saturating_sub(1).into()],
            None => vec![0.into()],
        },
        Json::String(text) => vec![format!("{text} ").into(), 1.into()],
        Json::Bool(is) => vec![(!is).into()],
        _ => vec![1.into()],
    }
}

/// Every leaf of every case, changed in some ways; those that are not ruled so are told.
fn fault(cases: &[Case], rules: impl Fn(&Case, &str, &mut Json) -> bool + Sync) -> (usize, Vec<String>) {
    let of_case = |case: &Case| {
        let (anomaly, mut places, mut tried, mut faults) = (case.anomaly(), Vec::new(), 0, Vec::new());
        leaves(anomaly, "", &mut places);
        for place in places {
            let leaf = anomaly.pointer(&place).expect("a leaf");
            // Of records, of which there is the most and which are compared as a whole, one change each.
            let most = if place.contains("/records/") { 1 } else { 4 };
            for other in changed(anomaly, &place, leaf).into_iter().take(most) {
                let mut one = anomaly.clone();
                *one.pointer_mut(&place).expect("a leaf") = other.clone();
                if !rules(case, &place, &mut one) {
                    let ruling = case.ruled(one);
                    faults.push(format!("{}: {}{place}: {leaf} as {other}: {ruling:?}", case.name, anomaly["anomaly"]));
                }
                tried += 1;
            }
        }
        (tried, faults)
    };
    let all: Vec<(usize, Vec<String>)> = cases.par_iter().map(of_case).collect();
    (all.iter().map(|(tried, _)| tried).sum(), all.into_iter().flat_map(|(_, faults)| faults).collect())
}

/// Goal: no leaf of an anomaly can be changed without its being refused; that a second look confirmed it can only be taken back, and
/// then it is not proved. What a history shows does not rest on seals: whoever seals a changed report anew is refused too, but where
/// only counting, or looking for something smaller, would tell.
#[test]
fn every_change_is_refused() {
    let cases = cases();
    assert!(cases.len() > 80, "{}", cases.len());
    let (tried, faults) = fault(&cases, |case, place, one| {
        let of = |kinds: &[&str]| kinds.iter().any(|kind| !case.anomaly()["witness"]["claim"][kind].is_null());
        // Of these the sentences are not told from their claims: what only a search found, and texts.
        let words = ["/steps/", "/timeline", "/text", "/name"].iter().any(|part| place.contains(part));
        let searched = of(&["no-order"]) && case.anomaly()["witness"]["claim"]["no-order"]["why"].is_null();
        let loose = words && (searched || of(&["two-places"]));
        if !place.contains("/records/") {
            let told = match case.ruled(one.clone()) {
                Ruling::Refused(_) => true,
                Ruling::Unproved(why) => place == "/witness/rechecked" && why.contains("changed after it was written"),
                Ruling::Proved(_) => false,
            };
            if !told || loose || ["/count", "/accepted", "/seal", "/witness/minimality"].contains(&place) {
                return told;
            }
            one["seal"] = seal(one).into();
        }
        let ruling = case.ruled(one.clone());
        matches!(ruling, Ruling::Refused(_)) || place == "/witness/rechecked" && matches!(ruling, Ruling::Unproved(_))
    });
    assert!(faults.is_empty(), "{} of {tried}:\n{}", faults.len(), faults[..faults.len().min(60)].join("\n"));
    assert!(tried > 4000, "{tried}");
}

/// Goal: no witness passes for another anomaly, whatever else is made to fit. What is no anomaly by a stronger name is one by a weaker.
#[test]
fn a_witness_is_of_one_anomaly_alone() {
    let cases = cases();
    let of_case = |case: &Case| {
        let mut faults = Vec::new();
        for name in Anomaly::ALL {
            let mut one = case.anomaly().clone();
            let was = one["anomaly"].as_str().unwrap_or_default().to_owned();
            if was == name.name() || *name == Anomaly::NonLinearizable {
                continue;
            }
            one["anomaly"] = name.name().into();
            one["rules_out"] = Json::Array(Vec::new());
            one["fingerprint"] = case.fingerprint(&one).into();
            one["seal"] = seal(&one).into();
            let ruling = case.ruled(one);
            if !matches!(ruling, Ruling::Refused(_)) {
                faults.push(format!("{}: {was} as {name}: {ruling:?}", case.name));
            }
        }
        faults
    };
    let faults: Vec<String> = cases.par_iter().flat_map(of_case).collect();
    assert!(faults.is_empty(), "{}:\n{}", faults.len(), faults[..faults.len().min(60)].join("\n"));
}
