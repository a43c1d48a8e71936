//! One history, judged by terms, and the report of that: what [`super::Check`] and the command line share.

use std::time::Instant;

use crate::budget::Budget;
use crate::certificate::Certificate;
use crate::check::use_cases::{self, Ruling, Rulings};
use crate::check::{Pass, Settings, certify_all};
use crate::contract::{Requirement, UseCase};
use crate::history::History;
use crate::report::{CaseResult, HistoryReport, HistoryResult};
use crate::verdict::{Outcome, StoppedBy};
use crate::workload::{self, Workload, WorkloadError};

/// By what a history is judged.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// What is required of it as a whole.
    pub required: &'a [Requirement],
    /// What is required of parts of it.
    pub use_cases: &'a [UseCase],
    /// Its vocabulary; not said: what it shows itself.
    pub workload: Option<Workload>,
    /// Steps for each search.
    pub steps: u64,
    /// The most bytes that history and searches may hold together.
    pub memory: u64,
    /// When to stop.
    pub deadline: Option<Instant>,
}

/// What was judged of a history.
#[derive(Debug)]
pub struct Judged {
    /// Its vocabulary.
    pub workload: Workload,
    /// What was required of it as a whole.
    pub requirements: Vec<Requirement>,
    /// Whether that is only what is customary.
    pub customary: bool,
    /// What became of it, and of each use case.
    pub rulings: Rulings,
    /// What ended a search before its answer.
    pub stopped_by: Option<StoppedBy>,
}

impl Terms<'_> {
    /// What searches may use: what the history itself holds is not left for them.
    #[must_use]
    pub fn budget(&self, history: &History) -> Budget {
        let held = u64::try_from(history.bytes()).unwrap_or(u64::MAX);
        Budget::new(self.steps, self.deadline, self.memory.saturating_sub(held))
    }

    /// What becomes of a history. What is customary is required only where nothing is.
    ///
    /// # Errors
    /// A record that is not of the workload's vocabulary, or no workload that fits.
    pub fn judge(&self, history: &History) -> Result<Judged, WorkloadError> {
        let workload = self.workload.map_or_else(|| workload::detect(history), Ok)?;
        let customary = self.required.is_empty() && self.use_cases.is_empty();
        let requirements =
            if customary { vec![Requirement::new(workload.customary())] } else { self.required.to_vec() };
        let budget = self.budget(history);
        let settings = Settings { requirements: &requirements, budget: &budget };
        let mut rulings = use_cases::judge_all(history, workload, &settings, self.use_cases)?;
        rulings.whole.get_or_insert_with(Outcome::default);
        Ok(Judged { workload, requirements, customary, rulings, stopped_by: budget.stopped() })
    }
}

impl Judged {
    /// The certificate of what is required of the whole history and holds: each claim by the parameters that it was judged by.
    ///
    /// # Errors
    /// A record that is not of the workload's vocabulary.
    pub fn certificate(&self, history: &History, budget: &Budget) -> Result<Certificate, WorkloadError> {
        let apart = &self.rulings.apart;
        let is_apart = |one: &&Requirement| apart.iter().any(|apart| apart.requirements.contains(one));
        let together: Vec<Requirement> = self.requirements.iter().filter(|one| !is_apart(one)).cloned().collect();
        let whole = self.rulings.whole.as_ref();
        let first = whole.map(|whole| Pass { requirements: &together, judgements: &whole.judgements });
        let others =
            apart.iter().map(|one| Pass { requirements: &one.requirements, judgements: &one.outcome.judgements });
        certify_all(history, self.workload, &first.into_iter().chain(others).collect::<Vec<_>>(), budget)
    }

    /// The report; with what a page draws of the history where it is `drawn`.
    #[must_use]
    pub fn report(&self, source: &str, history: &History, use_cases: &[UseCase], drawn: bool) -> HistoryReport {
        let cases = use_cases.iter().zip(&self.rulings.cases).filter_map(|(use_case, ruling)| {
            let outcome = match ruling {
                Ruling::Elsewhere => return None,
                Ruling::Nothing => None,
                Ruling::Judged(outcome) => Some(outcome),
            };
            Some(CaseResult { name: Some(&use_case.name), requirements: &use_case.requirements, outcome })
        });
        let apart = self.rulings.apart.iter().map(|apart| CaseResult {
            name: None,
            requirements: &apart.requirements,
            outcome: Some(&apart.outcome),
        });
        let cases: Vec<CaseResult<'_>> = apart.chain(cases).collect();
        let report = HistoryReport::new(&HistoryResult {
            source,
            workload: Some(self.workload),
            history: Some(history),
            error: None,
            outcome: self.rulings.whole.as_ref(),
            requirements: &self.requirements,
            customary: self.customary,
            cases: &cases,
        });
        if !drawn {
            return report;
        }
        let outcomes = self.rulings.whole.as_ref().into_iter().chain(cases.iter().filter_map(|case| case.outcome));
        report.drawn(history, &outcomes.collect::<Vec<_>>())
    }
}

/// The report of a history that could not be judged: its record with its line.
#[must_use]
pub fn refused(error: WorkloadError, history: &History) -> crate::report::Failure {
    let line = error.position.and_then(|position| history.origin().line(position));
    crate::report::Failure { message: error.message, line, column: None, help: error.help, stopped_by: None }
}
