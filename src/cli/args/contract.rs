//! What `contract` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Limits, Reading};

#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    /// Check a contract, without any history.
    Check {
        /// The contract [default: `anachron.toml`, found from the working directory upward].
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Write a contract of the strongest guarantees that histories keep.
    Init(ContractInit),
}

#[derive(Debug, Args)]
pub(crate) struct ContractInit {
    /// Histories; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where to write it; `-` is standard output. What is there is not replaced.
    #[arg(long, short = 'o', value_name = "PATH", default_value = "anachron.toml")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) limits: Limits,
}
