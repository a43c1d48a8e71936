//! Contracts: which one counts, and `anachron contract check`.

use std::path::{Path, PathBuf};

use anachron::contract::{Contract, ContractError, place_of};
use anachron::ingest::Mapping;
use anachron::workload::Workload;

use super::args::{ContractChoice, Reading};
use super::{CommandError, files, output};

/// What a contract is called where nobody names one.
pub(crate) const NAME: &str = "anachron.toml";

/// No contract has more bytes.
const LARGEST: u64 = 16 << 20;

/// A contract, and where it is.
#[derive(Debug)]
pub(crate) struct Found {
    /// As a person names it from here.
    pub(crate) path: PathBuf,
    pub(crate) contract: Contract,
    text: String,
}

impl Found {
    /// How rows of foreign logs become records, where the contract says so.
    pub(crate) fn mapping(&self) -> Result<Option<Mapping>, CommandError> {
        let Some(input) = &self.contract.input else { return Ok(None) };
        Mapping::from_table(input).map(Some).map_err(|error| {
            let path: Vec<String> = std::iter::once("input".to_owned()).chain(error.at).collect();
            let (line, column) = place_of(&self.text, &path);
            CommandError::new(format!("{}:{line}:{column}: {}", self.path.display(), error.message)).help(error.help)
        })
    }

    /// As reports name it.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// The contract that counts, if there is one.
pub(crate) fn choose(choice: &ContractChoice) -> Result<Option<Found>, CommandError> {
    if choice.no_contract {
        return Ok(None);
    }
    choice.contract.clone().or_else(above).map(load).transpose()
}

/// The contract found upward, for what its `[input]` says of foreign logs; none where `--map` says that.
pub(crate) fn for_input(reading: &Reading) -> Result<Option<Found>, CommandError> {
    if !reading.mapping.map.is_empty() {
        return Ok(None);
    }
    above().map(load).transpose()
}

/// `anachron contract check`: what a contract says, in a line.
pub(crate) fn check(file: Option<&Path>) -> Result<u8, CommandError> {
    let Some(path) = file.map(Path::to_owned).or_else(above) else {
        return Err(CommandError::new(format!("there is no {NAME} here or in any folder above"))
            .help("name one, or write one with `anachron contract init HISTORY`"));
    };
    let found = load(path)?;
    found.mapping()?;
    let (cases, required) = (found.contract.use_cases.len(), found.contract.requirements().count());
    let counted = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    output::print(&format!(
        "{}: {}, {}\n",
        found.name(),
        counted(cases, "use case", "use cases"),
        counted(required, "required guarantee", "required guarantees"),
    ))?;
    Ok(0)
}

/// The nearest contract from the working directory upward, named from there.
fn above() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut name = PathBuf::from(NAME);
    for folder in here.ancestors() {
        if folder.join(NAME).is_file() {
            return Some(name);
        }
        name = Path::new("..").join(name);
    }
    None
}

/// Reads a contract. All that is wrong with it is said at once.
fn load(path: PathBuf) -> Result<Found, CommandError> {
    let text = files::text(&path, LARGEST).map_err(|error| {
        CommandError::new(format!("the contract {} can't be read: {error}", path.display()))
            .help("check the path; --no-contract does without")
    })?;
    match parse(&text) {
        Ok(contract) => Ok(Found { path, contract, text }),
        Err(errors) => Err(refused(&path, &errors)),
    }
}

/// Reads a contract's text.
pub(crate) fn parse(text: &str) -> Result<Contract, Vec<ContractError>> {
    let workloads: Vec<&str> = Workload::ALL.iter().map(|workload| workload.name()).collect();
    Contract::parse(text, &workloads)
}

fn refused(path: &Path, errors: &[ContractError]) -> CommandError {
    let line = |error: &ContractError| {
        let help = error.help.as_ref().map(|help| format!("\n         {help}")).unwrap_or_default();
        format!("{}:{}:{}: {}{help}", path.display(), error.line, error.column, error.message)
    };
    let lines: Vec<String> = errors.iter().map(line).collect();
    CommandError::new(lines.join("\n       ")).help("the contract is checked before any history: nothing was judged")
}
