//! The gate: what of all that was found makes a run fail, and the one line that says why.

use super::baseline::Baseline;
use super::table;
use super::text::{clean, shorten};
use super::view::{AnomalyReport, GuaranteeReport, HistoryReport, Notice, Overall, Report, Tool};
use super::{alert, witness};
use crate::contract::{Contract, FailOn};
use crate::guarantee::Anomaly;

/// What decides a run beside its histories' verdicts.
#[derive(Clone, Debug, Default)]
pub struct Gate<'a> {
    /// The contract that the histories were judged by, and where it came from.
    pub contract: Option<(&'a str, &'a Contract)>,
    /// What fails the run.
    pub fail_on: FailOn,
    /// Anomalies that are shown, and fail nothing.
    pub allow: &'a [Anomaly],
    /// Findings that were accepted earlier.
    pub baseline: Option<&'a Baseline>,
}

impl Report {
    /// The histories' reports as one, with nothing accepted. Without any, the verdict is `error`: nothing was judged.
    #[must_use]
    pub fn new(histories: Vec<HistoryReport>) -> Report {
        Report::gated(histories, &Gate::default())
    }

    /// The histories' reports as one: what was accepted is marked, and what the contract and the baseline say of the run as a
    /// whole is noted.
    #[must_use]
    pub fn gated(mut histories: Vec<HistoryReport>, gate: &Gate<'_>) -> Report {
        for history in &mut histories {
            accept(history, gate);
        }
        let mut notices = use_cases(&histories, gate);
        notices.extend(gate.baseline.map(|baseline| baseline.stale(&histories)).unwrap_or_default());
        let verdicts = histories.iter().map(|history| history.verdict);
        let verdict = verdicts.reduce(Overall::worse).unwrap_or(Overall::Error);
        let verdict = notices.iter().map(|notice| notice.verdict).fold(verdict, Overall::worse);
        let exit_code = match (gate.fail_on, verdict) {
            (FailOn::Violated, Overall::Unknown) => 0,
            (FailOn::Unknown, Overall::Unknown) => Overall::Violated.exit_code(),
            _ => verdict.exit_code(),
        };
        Report {
            schema: "anachron.report/1",
            tool: Tool::CURRENT,
            verdict,
            exit_code,
            summary: summary(verdict, &histories, &notices),
            contract: gate.contract.map(|(source, _)| source.to_owned()),
            notices,
            histories,
        }
    }
}

/// Marks what was accepted, and what follows from that. A guarantee is accepted as it is where everything certain that
/// violates it is.
fn accept(history: &mut HistoryReport, gate: &Gate<'_>) {
    let source = &history.source;
    for anomaly in &mut history.anomalies {
        let allowed = gate.allow.iter().any(|allowed| is_allowed(*allowed, anomaly));
        let known = gate.baseline.is_some_and(|baseline| baseline.has(source, &anomaly.fingerprint));
        anomaly.accepted = match (allowed, known) {
            (true, _) => Some("allowed"),
            (false, true) => Some("baseline"),
            (false, false) => None,
        };
    }
    for row in &mut history.guarantees {
        let explained = |name: &&str| {
            let certain = |found: &&AnomalyReport| found.anomaly == *name && found.certainty == "certain";
            let mut found = history.anomalies.iter().filter(certain).filter(|found| found.explains(row)).peekable();
            found.peek().is_some() && found.all(|found| found.accepted.is_some())
        };
        let violated = row.verdict == Overall::Violated && !row.anomalies.is_empty();
        row.open = row.anomalies.iter().copied().filter(|name| !explained(name)).collect();
        row.accepted = violated && row.open.is_empty();
        // What fails a run is said apart only where something else was accepted.
        if row.open.len() == row.anomalies.len() {
            row.open.clear();
        }
    }
    history.settle();
}

/// Whether an anomaly that is allowed lets a finding pass: it is that one, or the same fault by a more telling name (a stale
/// read is non-linearizable) which speaks against no guarantee that the allowed one doesn't.
fn is_allowed(allowed: Anomaly, found: &AnomalyReport) -> bool {
    let rules_out = |name: &&'static str| allowed.rules_out().iter().any(|one| one.name() == *name);
    Anomaly::named(found.anomaly).is_some_and(|anomaly| {
        anomaly == allowed || (anomaly.is_instance_of(allowed) && found.rules_out.iter().all(rules_out))
    })
}

/// The use cases that nothing was judged by.
fn use_cases(histories: &[HistoryReport], gate: &Gate<'_>) -> Vec<Notice> {
    let Some((source, contract)) = gate.contract else { return Vec::new() };
    // What could not be read may be what they are about.
    if histories.iter().any(|history| history.error.is_some()) {
        return Vec::new();
    }
    let mut notices = Vec::new();
    for use_case in &contract.use_cases {
        let name = &use_case.name;
        if histories.iter().any(|history| history.judged.contains(name)) {
            continue;
        }
        let place = format!("{source}, line {}", use_case.line);
        let nothing = histories.iter().any(|history| history.selecting_nothing.contains(name));
        notices.push(if nothing {
            Notice {
                kind: "use-case-selects-nothing",
                subject: name.clone(),
                message: format!(
                    "the use case {name} ({place}) selects nothing of any history, so nothing of what it requires was \
                     looked at: correct its `match`, or name its `workload` there if it is about other histories"
                ),
                verdict: Overall::Unknown,
            }
        } else {
            Notice {
                kind: "use-case-not-judged",
                subject: name.clone(),
                message: format!("the use case {name} ({place}) is about none of these histories"),
                verdict: Overall::Holds,
            }
        });
    }
    notices
}

/// How many characters one reason has in the summary at most.
const MOST: usize = 220;

/// Why a run ends as it does, in one line.
fn summary(verdict: Overall, histories: &[HistoryReport], notices: &[Notice]) -> String {
    let worst = histories.iter().find(|history| history.verdict == verdict);
    let notice = notices.iter().find(|notice| notice.verdict == verdict && verdict != Overall::Holds);
    let why = match (worst, notice) {
        (Some(history), _) => why(history),
        (None, Some(notice)) => clean(&shorten(&notice.message, MOST)),
        (None, None) => "no history was given".to_owned(),
    };
    match histories {
        [] | [_] => why,
        several => {
            let totals = table::totals(several);
            let named = |history: &HistoryReport| format!(" ({})", clean(&shorten(&history.source, 120)));
            match (verdict, worst) {
                (Overall::Holds, _) => totals,
                (_, worst) => format!("{totals}: {why}{}", worst.map(named).unwrap_or_default()),
            }
        }
    }
}

/// Why one history's verdict is what it is.
fn why(history: &HistoryReport) -> String {
    if let Some(error) = &history.error {
        let place = error.line.map_or_else(String::new, |line| format!("line {line}: "));
        return format!("{place}{}", clean(&shorten(error.message.lines().next().unwrap_or(""), MOST)));
    }
    let required: Vec<&GuaranteeReport> = history.guarantees.iter().filter(|row| row.required).collect();
    let same: Vec<&GuaranteeReport> =
        required.iter().copied().filter(|row| row.standing() == history.verdict).collect();
    match (history.verdict, same.as_slice()) {
        (Overall::Holds, _) | (_, []) => table::required(history),
        (_, [first, rest @ ..]) => {
            let customary = match history.workload {
                Some(workload) if history.customary => {
                    format!(" (customary for {workload}; choose with --require)")
                }
                _ => String::new(),
            };
            let mut text = shorten(&alert::verdict_of(first, &customary), MOST);
            if !rest.is_empty() {
                let names: Vec<&str> = rest.iter().map(|row| row.guarantee).collect();
                text.push_str(&format!(
                    "; so {} {}",
                    if rest.len() == 1 { "is" } else { "are" },
                    witness::some(&names, 3)
                ));
            }
            text
        }
    }
}
