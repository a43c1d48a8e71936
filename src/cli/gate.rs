//! What fails a run: from the command line, and from the contract's `[gate]` where that says nothing.

use std::path::{Path, PathBuf};

use anachron::contract::{FailOn, anomaly};
use anachron::guarantee::Anomaly;
use anachron::report::{Baseline, Report};

use super::args::{FailOnChoice, Gating};
use super::contract::Found;
use super::{CommandError, files, output};

/// No baseline has more bytes.
const LARGEST: u64 = 256 << 20;

/// What was asked for.
pub(crate) struct Chosen {
    pub(crate) fail_on: FailOn,
    pub(crate) allow: Vec<Anomaly>,
    baseline: Option<(PathBuf, Baseline)>,
    update: bool,
}

impl Chosen {
    /// Reads what is needed before any history is.
    pub(crate) fn new(arguments: &Gating, contract: Option<&Found>) -> Result<Chosen, CommandError> {
        let said = contract.map(|found| &found.contract.gate);
        let fail_on = match arguments.fail_on {
            Some(FailOnChoice::Violated) => FailOn::Violated,
            Some(FailOnChoice::Unknown) => FailOn::Unknown,
            None => said.and_then(|gate| gate.fail_on).unwrap_or_default(),
        };
        let mut allow = said.map(|gate| gate.allow.clone()).unwrap_or_default();
        for name in &arguments.allow {
            allow.push(anomaly(name).map_err(|(message, help)| {
                CommandError::new(format!("--allow: {message}")).help(help.unwrap_or_default())
            })?);
        }
        let beside = |found: &Found| {
            let name = found.contract.gate.baseline.as_ref()?;
            Some(found.path.parent().unwrap_or(Path::new("")).join(name))
        };
        let path = arguments.baseline.clone().or_else(|| contract.and_then(beside));
        let update = arguments.update_baseline;
        if update && path.is_none() {
            return Err(CommandError::new("there is no baseline to update")
                .help("name its file: --baseline anachron.baseline.json"));
        }
        let baseline = path.map(|path| load(&path, update).map(|baseline| (path, baseline))).transpose()?;
        Ok(Chosen { fail_on, allow, baseline, update })
    }

    /// What was accepted before.
    pub(crate) fn baseline(&self) -> Option<&Baseline> {
        self.baseline.as_ref().map(|(_, baseline)| baseline)
    }

    /// Writes the baseline that accepts what this report shows, where that was asked for; the report is to be made anew.
    pub(crate) fn update(&mut self, report: &Report) -> Result<bool, CommandError> {
        let Some((path, baseline)) = self.baseline.as_mut().filter(|_| self.update) else { return Ok(false) };
        *baseline = baseline.updated(report);
        output::write_file(path, &baseline.to_text())?;
        Ok(true)
    }
}

fn load(path: &Path, may_be_missing: bool) -> Result<Baseline, CommandError> {
    match files::text(path, LARGEST) {
        Ok(text) => Baseline::parse(&text).map_err(|message| {
            CommandError::new(format!("{} is no baseline: {message}", path.display()))
                .help("--update-baseline writes one; remove the file to begin anew")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_be_missing => Ok(Baseline::default()),
        Err(error) => Err(CommandError::new(format!("the baseline {} can't be read: {error}", path.display()))
            .help("--update-baseline writes it")),
    }
}
