//! Judging histories.

use std::time::{Duration, Instant};

use super::History;
use super::judge::{Terms, refused};
use crate::budget::Budget;
use crate::contract::{Contract, FailOn, Requirement};
use crate::guarantee::Anomaly;
use crate::report::{Gate, HistoryReport, HistoryResult, Report};

/// What histories are judged by. Without a requirement, what is customary for a history's workload is required of it.
///
/// ```
/// use std::time::Duration;
/// use anachron::{Check, Contract, Guarantee, History, Overall, Requirement};
///
/// let contract: Contract = r#"
///     [[use-case]]
///     name = "ledger"
///     match = { workload = "list-append" }
///     require = ["serializable"]
/// "#.parse()?;
/// let check = Check::new()
///     .require(Guarantee::ReadCommitted)
///     .require("snapshot-isolation".parse::<Requirement>()?)
///     .contract(contract)
///     .timeout(Duration::from_secs(60));
///
/// let history = History::read("histories/anomalies/G2-item.jsonl")?;
/// let report = check.run(&history);
/// assert_eq!(report.verdict(), Overall::Violated);
/// let violated = report.guarantees().find(|row| row.use_case() == Some("ledger"));
/// assert_eq!(violated.map(|row| row.guarantee()), Some(Guarantee::Serializable));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Check {
    required: Vec<Requirement>,
    contract: Option<Contract>,
    allow: Vec<Anomaly>,
    fail_on: Option<FailOn>,
    steps: u64,
    timeout: Option<Duration>,
    memory: u64,
    drawn: bool,
}

impl Default for Check {
    fn default() -> Check {
        Check::new()
    }
}

impl Check {
    /// Nothing required yet, [default steps](Check::max_steps), no clock, no limit of memory.
    #[must_use]
    pub fn new() -> Check {
        Check {
            required: Vec::new(),
            contract: None,
            allow: Vec::new(),
            fail_on: None,
            steps: Budget::DEFAULT_STEPS,
            timeout: None,
            memory: u64::MAX,
            drawn: false,
        }
    }

    /// Requires a guarantee of each history: a [`Guarantee`](crate::Guarantee), or a [`Requirement`] with its parameters.
    #[must_use]
    pub fn require(mut self, requirement: impl Into<Requirement>) -> Check {
        self.required.push(requirement.into());
        self
    }

    /// Requires what a contract does, of what its use cases select; its `[gate]` counts, a baseline that it names does not.
    #[must_use]
    pub fn contract(mut self, contract: Contract) -> Check {
        self.contract = Some(contract);
        self
    }

    /// An anomaly that is shown, and fails nothing.
    #[must_use]
    pub fn allow(mut self, anomaly: Anomaly) -> Check {
        self.allow.push(anomaly);
        self
    }

    /// What fails a run: see [`Report::exit_code`].
    #[must_use]
    pub fn fail_on(mut self, fail_on: FailOn) -> Check {
        self.fail_on = Some(fail_on);
        self
    }

    /// How many steps one search may take: what is not decided then is unknown, on every machine alike. By default half a
    /// billion, some tens of seconds.
    #[must_use]
    pub fn max_steps(mut self, steps: u64) -> Check {
        self.steps = steps;
        self
    }

    /// How long the judging of one run may take: what is not decided by then is unknown.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Check {
        self.timeout = Some(timeout);
        self
    }

    /// The most bytes that a history and the searches in it may hold together.
    #[must_use]
    pub fn max_memory(mut self, bytes: u64) -> Check {
        self.memory = bytes;
        self
    }

    /// Keeps what a page ([`Format::Html`](crate::Format::Html)) draws of each history, which is large: without it, a page has
    /// no time line.
    #[must_use]
    pub fn drawn(mut self) -> Check {
        self.drawn = true;
        self
    }

    /// Judges one history. What can't be judged has its error in the report.
    #[must_use]
    pub fn run(&self, history: &History) -> Report {
        self.run_all([history])
    }

    /// Judges several histories, one after the other, each with all cores: the worst verdict counts.
    #[must_use]
    pub fn run_all<'a>(&self, histories: impl IntoIterator<Item = &'a History>) -> Report {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let reports = histories.into_iter().map(|history| self.judge(history, deadline)).collect();
        let said = self.contract.as_ref().map(|contract| &contract.gate);
        let mut allow = said.map(|gate| gate.allow.clone()).unwrap_or_default();
        allow.extend(&self.allow);
        let fail_on = self.fail_on.or_else(|| said.and_then(|gate| gate.fail_on)).unwrap_or_default();
        let contract = self.contract.as_ref().map(|contract| ("the contract", contract));
        Report::gated(reports, &Gate { contract, fail_on, allow: &allow, baseline: None })
    }

    fn judge(&self, history: &History, deadline: Option<Instant>) -> HistoryReport {
        let use_cases = self.contract.as_ref().map_or(&[][..], |contract| &contract.use_cases);
        let terms = Terms {
            required: &self.required,
            use_cases,
            workload: None,
            steps: self.steps,
            memory: self.memory,
            deadline,
        };
        match terms.judge(&history.columns) {
            Ok(judged) => judged.report(&history.source, &history.columns, use_cases, self.drawn),
            Err(error) => HistoryReport::new(&HistoryResult {
                source: &history.source,
                error: Some(refused(error, &history.columns)),
                requirements: &self.required,
                customary: self.required.is_empty(),
                ..HistoryResult::default()
            }),
        }
    }
}
