//! An anomaly and its witness for people: what happened, why it can't be, what it means.

use super::operation::OperationView;
use super::page::{ASIDE, Cell, NAME, Page};
use super::table;
use super::text::{clean, duration, shorten};
use super::timeline;
use super::view::{AnomalyReport, StepReport, WitnessReport};

/// One kind of anomaly.
pub(super) fn render(page: &mut Page, anomaly: &AnomalyReport) {
    let certain = anomaly.certainty == "certain";
    let found = if certain { "" } else { "possible, " };
    let ruled_out = match anomaly.rules_out.as_slice() {
        [] => String::new(),
        guarantees => {
            let verb = if certain { "rules out" } else { "would rule out" };
            format!(" {verb} {}", some(guarantees, 4))
        }
    };
    page.gap();
    let accepted = match anomaly.accepted {
        Some("allowed") => ", allowed",
        Some(_) => ", accepted by the baseline",
        None => "",
    };
    let within = anomaly
        .use_case
        .as_ref()
        .map_or_else(String::new, |name| format!(" in use case {}", clean(&shorten(name, 60))));
    let with = match table::parameters(&anomaly.parameters) {
        parameters if parameters.is_empty() => parameters,
        parameters => format!(" with {parameters}"),
    };
    let text = format!("({found}found {}{within}{with}{accepted}){ruled_out}", times(anomaly.count));
    page.headed(0, 2, anomaly.anomaly, NAME, &text);
    if let Some(witness) = &anomaly.witness {
        show(page, witness);
    }
}

pub(super) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// The first of these names, and how many more there are.
pub(super) fn some(names: &[&str], most: usize) -> String {
    // One more name is as short as "and 1 more".
    if names.len() <= most + 1 {
        return names.join(", ");
    }
    format!("{} and {} more", names[..most].join(", "), names.len() - most)
}

fn show(page: &mut Page, witness: &WitnessReport) {
    operations(page, witness);
    if let Some(moments) = &witness.timeline {
        page.gap();
        timeline::render(page, 2, moments);
        page.gap();
    }
    for (at, step) in witness.steps.iter().enumerate() {
        let (from, to) = (name(witness, step.from), name(witness, step.to));
        let operations = if from == to { from } else { format!("{from} → {to}") };
        let sentence = format!("{operations} ({}): {}", clean(step.relation), clean(&step.because));
        page.paragraph(2, 3, &format!("{}. {sentence}", at + 1));
    }
    if let Some(position) = cycle(&witness.steps) {
        let name = name(witness, position);
        page.paragraph(2, 0, &format!("So {name} comes before itself: no order of these operations is possible."));
    }
    let meaning = meaning(witness);
    if !meaning.is_empty() {
        page.headed(2, 0, "Meaning:", ASIDE, &clean(meaning));
    }
    let size = match witness.minimality {
        "minimum" => "no smaller witness exists",
        "1-minimal" => "nothing can be left out of this witness",
        _ => "the budget ended before a smaller witness could be ruled out",
    };
    let rechecked = match witness.rechecked {
        true => "confirmed by a second look at the whole history",
        false => "not confirmed by recheck: read it with care",
    };
    page.headed(2, 0, "Witness:", ASIDE, &format!("{size}; {rechecked}."));
}

/// The text, without what the steps above it have said: it is made to be read alone, too.
pub(super) fn meaning(witness: &WitnessReport) -> &str {
    let told = |step: &StepReport| Some(witness.text.rfind(step.because.as_str())? + step.because.len());
    match witness.steps.iter().filter(|step| !step.because.is_empty()).filter_map(told).max() {
        Some(end) => witness.text[end..].trim_start_matches(['.', ';', ',', ' ']),
        None => &witness.text,
    }
}

fn operations(page: &mut Page, witness: &WitnessReport) {
    let moments = |op: &OperationView| [op.invoked_ns, op.completed_ns].into_iter().flatten().collect::<Vec<_>>();
    let first = witness.operations.iter().flat_map(moments).min();
    let mut rows = Vec::new();
    for op in &witness.operations {
        rows.push(vec![Cell::inked(clean(&shorten(&op.name, 16)), NAME), Cell::inked(about(op, first), ASIDE)]);
        rows.push(vec![Cell::default(), Cell::from(clean(&op.does))]);
    }
    page.grid(2, &rows, &[16]);
    if witness.more_operations > 0 {
        page.paragraph(2, 0, &format!("… and {} more operations: the JSON report has them.", witness.more_operations));
    }
}

/// Who, how it ended, where and when: `process 3, ok, records 10 and 14, 0 s to +1.2 ms`.
fn about(op: &OperationView, first: Option<i64>) -> String {
    let mut words = match op.status {
        "observed" => clean(&op.process),
        _ => format!("process {}", clean(&op.process)),
    };
    if let Some(session) = &op.session {
        words.push_str(&format!(", session {}", clean(session)));
    }
    if let Some(node) = &op.node {
        words.push_str(&format!(" on {}", clean(node)));
    }
    words.push_str(match op.status {
        "ok" => ", ok",
        "fail" => ", failed",
        "info" => ", unknown whether it happened",
        "observed" => "",
        _ => ", never completed",
    });
    match op.records.as_slice() {
        [] => {}
        [one] => words.push_str(&format!(", record {one}")),
        [one, other, ..] => words.push_str(&format!(", records {one} and {other}")),
    }
    let relative = |time: i64| match time.saturating_sub(first.unwrap_or(time)) {
        0 => "0 s".to_owned(),
        after => format!("+{}", duration(after)),
    };
    match (op.invoked_ns, op.completed_ns) {
        (Some(from), Some(to)) => words.push_str(&format!(", {} to {}", relative(from), relative(to))),
        (Some(at), None) if op.status == "observed" => words.push_str(&format!(", {}", relative(at))),
        (Some(from), None) => words.push_str(&format!(", from {}", relative(from))),
        (None, Some(to)) => words.push_str(&format!(", until {}", relative(to))),
        (None, None) => {}
    }
    words
}

/// What the witness calls the operation at this position.
pub(super) fn name(witness: &WitnessReport, position: u32) -> String {
    let found = witness.operations.iter().find(|op| op.position == position || op.records.contains(&position));
    found.map_or_else(|| format!("record {position}"), |op| clean(&shorten(&op.name, 16)))
}

/// Where the steps lead back to their start, it.
pub(super) fn cycle(steps: &[StepReport]) -> Option<u32> {
    let after = steps.iter().cycle().skip(1);
    let closed = steps.iter().zip(after).all(|(step, next)| step.to == next.from && step.from != step.to);
    steps.first().filter(|_| closed).map(|step| step.from)
}
