//! One kind of anomaly on a page: what it means, its picture, why it can't be, and the records.

use maud::{Markup, html};

use super::super::operation::OperationView;
use super::super::table;
use super::super::text::{clean, shorten};
use super::super::view::{AnomalyReport, HistoryReport, WitnessReport};
use super::super::witness::{cycle, meaning, name, some, times};
use super::picture;

/// A card that shows an anomaly.
pub(super) fn finding(anomaly: &AnomalyReport, history: &HistoryReport, id: &str) -> Markup {
    let certain = anomaly.certainty == "certain";
    let mut ruled_out = anomaly.rules_out.clone();
    let required = |name: &str| history.guarantees.iter().any(|row| row.required && row.guarantee == name);
    // What was asked for comes first.
    ruled_out.sort_by_key(|name| !required(name));
    html! {
        article.finding.possible[!certain].accepted[anomaly.accepted.is_some()] id=(id) aria-labelledby={ (id) "-name" } {
            h2 id={ (id) "-name" } {
                (anomaly.anomaly)
                span.count {
                    @if !certain { "possible, " } "found " (times(anomaly.count))
                    @if let Some(name) = &anomaly.use_case { " in use case " (clean(&shorten(name, 60))) }
                    @if !anomaly.parameters.is_empty() { " with " (table::parameters(&anomaly.parameters)) }
                }
                @match anomaly.accepted {
                    None => {},
                    Some("allowed") => { span.tag { "allowed" } },
                    Some(_) => { span.tag { "accepted by the baseline" } },
                }
            }
            @if let Some(witness) = &anomaly.witness { (shown(witness, id)) }
            @if !ruled_out.is_empty() {
                details.rules {
                    summary { @if certain { "Rules out " } @else { "Would rule out " } (some(&ruled_out, 3)) }
                    p { (ruled_out.join(", ")) }
                }
            }
        }
    }
}

fn shown(witness: &WitnessReport, id: &str) -> Markup {
    let meaning = match witness.steps.is_empty() {
        true => witness.text.as_str(),
        // The steps stand beside the picture: what the fault is and what it means is enough here.
        false => meaning(witness),
    };
    html! {
        @if !meaning.is_empty() { p.meaning { (clean(meaning)) } }
        div.witness {
            div.picture { (picture::draw(witness, id)) }
            div.words {
                @if !witness.steps.is_empty() {
                    ol.steps {
                        @for step in &witness.steps {
                            @let (from, to) = (name(witness, step.from), name(witness, step.to));
                            li {
                                b.(picture::relation_class(step.relation)) { (from) @if from != to { " → " (to) } " (" (step.relation) ")" } ": "
                                (clean(&step.because))
                            }
                        }
                    }
                    @if let Some(position) = cycle(&witness.steps) {
                        p.so { "So " (name(witness, position)) " comes before itself: no order of these operations is possible." }
                    }
                }
                p.sure {
                    @match witness.minimality {
                        "minimum" => "No smaller witness exists",
                        "1-minimal" => "Nothing can be left out of this witness",
                        _ => "The budget ended before a smaller witness could be ruled out",
                    }
                    @if witness.rechecked { "; confirmed by a second look at the whole history." } @else { "; not confirmed by recheck: read it with care." }
                }
            }
        }
        div.operations {
            @for (at, op) in witness.operations.iter().enumerate() {
                details id={ (id) "-" (at) } data-at=(op.position) {
                    summary {
                        b { (clean(&shorten(&op.name, 16))) } " " span.who { (who(op)) ", " (op.status) } " " span.does { (clean(&op.does)) }
                    }
                    @for record in witness.records.iter().filter(|record| record.position().is_some_and(|at| op.records.contains(&at))) {
                        pre tabindex="-1" { (clean(&serde_json::to_string(record).unwrap_or_default())) }
                    }
                }
            }
            @if witness.more_operations > 0 { p { "… and " (witness.more_operations) " more operations: the JSON report has them." } }
        }
    }
}

/// Who acted, and where: `process 3, session a on n2`.
pub(super) fn who(op: &OperationView) -> String {
    let mut words = if op.status == "observed" { String::new() } else { "process ".to_owned() };
    words.push_str(&clean(&op.process));
    if let Some(session) = &op.session {
        words.push_str(&format!(", session {}", clean(session)));
    }
    if let Some(node) = &op.node {
        words.push_str(&format!(" on {}", clean(node)));
    }
    words
}
