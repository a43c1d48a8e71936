//! A contract from its text, and a requirement from a guarantee alone.

use std::fmt;
use std::str::FromStr;

use crate::contract::{Contract, ContractError, Requirement};
use crate::guarantee::Guarantee;
use crate::workload::Workload;

/// All that is wrong with the text of a contract, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractErrors(Vec<ContractError>);

impl ContractErrors {
    /// Each of them; never empty.
    #[must_use]
    pub fn all(&self) -> &[ContractError] {
        &self.0
    }
}

impl std::error::Error for ContractErrors {}

/// One a line.
impl fmt::Display for ContractErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            let end = if number == 0 { "" } else { "\n" };
            write!(f, "{end}{error}")?;
        }
        Ok(())
    }
}

impl FromStr for Contract {
    type Err = ContractErrors;

    /// Reads a contract as `anachron.toml` has it.
    fn from_str(text: &str) -> Result<Contract, ContractErrors> {
        let workloads = Workload::ALL.map(Workload::name);
        Contract::parse(text, &workloads).map_err(ContractErrors)
    }
}

impl From<Guarantee> for Requirement {
    /// The guarantee with the parameters that it has where nothing is said.
    fn from(guarantee: Guarantee) -> Requirement {
        Requirement::new(guarantee)
    }
}
