//! What a report says of guarantees, by what became of its witnesses: a line for each required one.
//!
//! A violated one is proved where the anomalies that the report gives for it are there, one of them at least is proved, and that one
//! rules it out. That a guarantee holds is nothing that a report can show: a certificate is for that. Of those that nobody required,
//! only what does not stand is told.

use serde_json::Value as Json;

use super::{Line, Ruling};
use crate::guarantee::Guarantee;

/// Lines for the report's guarantees. `found`: the report's anomalies, with what became of each.
pub(super) fn rule(report: &Json, guarantees: &[Json], found: &[(&Json, &Ruling)]) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in guarantees {
        let ruling = of(row, found);
        let stands = matches!(ruling, Ruling::Proved(_)) || !is_violated(row);
        if row["required"] == true || !stands && !matches!(ruling, Ruling::Unproved(_)) {
            let use_case = row["use_case"].as_str().map(|name| format!(" ({name})")).unwrap_or_default();
            lines.push(Line { subject: format!("{}{use_case}", text(&row["guarantee"])), ruling });
        }
    }
    if let Some(why) = disagreement(report, guarantees) {
        lines.push(Line { subject: "report".to_owned(), ruling: Ruling::Refused(why) });
    }
    lines
}

fn of(row: &Json, found: &[(&Json, &Ruling)]) -> Ruling {
    if !is_violated(row) {
        return Ruling::Unproved(match text(&row["verdict"]) {
            "holds" => {
                "the report says that it holds, and shows nothing of why: `anachron check --certificate FILE` does"
                    .to_owned()
            }
            other => format!("the report says {other}, and claims nothing"),
        });
    }
    let guarantee = text(&row["guarantee"]);
    let (mut proved, mut shown) = (Vec::new(), 0);
    for name in row["anomalies"].as_array().into_iter().flatten().map(text) {
        let mut of_it =
            found.iter().filter(|(anomaly, _)| text(&anomaly["anomaly"]) == name && explains(anomaly, row)).peekable();
        if of_it.peek().is_none() {
            return Ruling::Refused(format!(
                "it is said to be violated by {name}, and the report shows no {name} that rules it out"
            ));
        }
        shown += 1;
        if of_it.any(|(_, ruling)| matches!(ruling, Ruling::Proved(_))) {
            proved.push(name);
        }
    }
    match (proved.as_slice(), shown) {
        ([], 0) => Ruling::Refused(format!("{guarantee} is said to be violated, and by nothing")),
        ([], _) => Ruling::Unproved("that it is violated rests on what is not proved above".to_owned()),
        (names, _) => Ruling::Proved(format!("violated: ruled out by {}", names.join(", "))),
    }
}

fn is_violated(row: &Json) -> bool {
    row["verdict"] == "violated"
}

/// Whether an anomaly is said to be why a guarantee is violated: in the same part of the history, by the same parameters.
fn explains(anomaly: &Json, row: &Json) -> bool {
    // What rules out a guarantee rules out all that imply it.
    let names = anomaly["rules_out"].as_array().into_iter().flatten();
    let mut ruled_out = names.filter_map(|name| Guarantee::named(text(name)));
    let rules_out =
        Guarantee::named(text(&row["guarantee"])).is_some_and(|one| ruled_out.any(|other| one.entails(other)));
    let use_case = &anomaly["use_case"];
    let is_of_part = use_case.is_null() || *use_case == row["use_case"];
    let is_by_terms = anomaly["parameters"].is_null() || anomaly["parameters"] == row["parameters"];
    rules_out && is_of_part && is_by_terms
}

/// Where the report's verdict is better than what its rows come to.
fn disagreement(report: &Json, guarantees: &[Json]) -> Option<String> {
    let required = || guarantees.iter().filter(|row| row["required"] == true);
    let violated = |accepted: bool| required().any(|row| is_violated(row) && (row["accepted"] == true) == accepted);
    let said = text(&report["verdict"]);
    let come_to = match (violated(false), violated(true)) {
        (true, _) => "violated",
        (false, true) => "accepted",
        (false, false) => return None,
    };
    let is_so = match come_to {
        "violated" => ["violated", "not-applicable", "error"].contains(&said) && report["exit_code"] != 0,
        _ => said != "holds",
    };
    let code = &report["exit_code"];
    (!is_so).then(|| format!("its verdict is {said}, with exit code {code}, and what is required comes to {come_to}"))
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}
