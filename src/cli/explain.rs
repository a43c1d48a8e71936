//! `anachron explain`: what a name means, with its smallest history and what is said of that.

use anachron::budget::Budget;
use anachron::check::{self, Settings};
use anachron::contract::Requirement;
use anachron::ingest::{self, Options, Source};
use anachron::report::{self, HistoryReport, HistoryResult, Report, Style, Subject};
use anachron::workload;

use super::args::{Color, Explain};
use super::{CommandError, output};

/// Explains one name.
pub(crate) fn run(arguments: &Explain) -> Result<u8, CommandError> {
    let name = arguments.name.join(" ");
    let Some(subject) = Subject::named(&name) else {
        let help = match Subject::suggest(&name) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "`anachron guarantees` lists the guarantees; reports name anomalies".to_owned(),
        };
        return Err(CommandError::new(format!("nothing is called {:?}", shortened(&name))).help(help));
    };
    if arguments.history {
        let Some((_, text)) = subject.example() else {
            return Err(CommandError::new(format!("there is no history that shows {}", subject.name())));
        };
        return output::print(text).map(|()| 0);
    }
    let style = output::style(Color::Auto);
    let judged = subject.example().and_then(|(path, text)| judge(subject, path, text, &style));
    output::print(&report::explain(subject, judged.as_deref(), &style)).map(|()| 0)
}

/// What somebody typed, not longer than a message may be.
fn shortened(name: &str) -> String {
    const SHOWN: usize = 60;
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// The report on the example. Examples are tested: one that can't be judged is left without a report.
fn judge(subject: Subject, path: &str, text: &str, style: &Style) -> Option<String> {
    let source = Source::Bytes { name: path.to_owned(), bytes: text.into() };
    let history = ingest::read(source, &Options::default()).ok()?;
    let workload = workload::detect(&history).ok()?;
    let mut requirement = Requirement::new(match subject {
        Subject::Guarantee(guarantee) => guarantee,
        Subject::Anomaly(anomaly) => {
            let customary = workload.customary();
            let weakest = anomaly.rules_out().iter().copied().min_by_key(|one| one.covers().len());
            if anomaly.rules_out().contains(&customary) { customary } else { weakest.unwrap_or(customary) }
        }
        Subject::Term(_) => return None,
    });
    if let Subject::Anomaly(anomaly) = subject
        && let Some((guarantee, parameters)) = anomaly.shown_by()
    {
        requirement.guarantee = guarantee;
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        requirement.parameters = parameters.iter().map(own).collect();
    }
    let requirements = [requirement];
    let budget = Budget::default();
    let outcome = check::judge(&history, workload, &Settings { requirements: &requirements, budget: &budget }).ok()?;
    let report = HistoryReport::new(&HistoryResult {
        source: path,
        workload: Some(workload),
        history: Some(&history),
        error: None,
        outcome: Some(&outcome),
        requirements: &requirements,
        customary: false,
        cases: &[],
    });
    let narrow = Style { width: style.width.saturating_sub(2), ..*style };
    Some(report::render(&Report::new(vec![report]), report::Format::Table, &narrow))
}
