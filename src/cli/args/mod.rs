//! What can be typed, command by command. Raw arguments only: what they mean is resolved where they are used.

mod check;
mod contract;
mod histories;
mod inspect;
mod shared;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use check::{Check, ContractChoice, FailOnChoice, Format, Gating, JoinBy, Redact};
pub(crate) use contract::{Contract, ContractInit};
pub(crate) use histories::{Convert, ConvertTo, Generate, Shrink};
pub(crate) use inspect::{Inspect, InspectFormat};
pub(crate) use shared::{Color, InputFormat, Limits, Reading, Unmapped};

/// Reads recorded histories of distributed systems, says which guarantees they keep and which they break, and shows the
/// smallest piece that proves so.
#[derive(Debug, Parser)]
#[command(name = "anachron", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 everything required holds; 1 something required is violated; 2 usage, or input \
that can't be read or is not a history; 3 nothing is violated, but something required is unknown.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge histories.
    Check(Check),
    /// Go through a certificate, or a report's witnesses, with the history and nothing else.
    Verify(Verify),
    /// List all guarantees, with what they imply.
    Guarantees(Guarantees),
    /// Check a contract, or write one from what histories show.
    #[command(subcommand)]
    Contract(Contract),
    /// Show a history at a glance, or a part of it as a time line.
    Inspect(Inspect),
    /// Write the smallest history that still fails in the same way.
    Shrink(Shrink),
    /// Write a history in another format.
    Convert(Convert),
    /// Write a history of a simulated store, of any size, whose verdict is known.
    Generate(Generate),
    /// Say what a guarantee, an anomaly, an exit code or a word of a report means, with the smallest history that shows it.
    Explain(Explain),
    /// Print the JSON Schema of a document that anachron writes.
    Schema {
        /// Of which document.
        #[arg(value_enum)]
        document: Document,
    },
    /// Print a script that completes commands and options in a shell.
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print a manual page: `anachron man | man -l -`.
    Man {
        /// Of which command [default: the program].
        command: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// What to explain: `serializable`, `G2-item`, `write-skew`, `exit-codes`, `unknown`, ...
    #[arg(value_name = "NAME", required = true, num_args = 1..)]
    pub(crate) name: Vec<String>,
    /// Print the smallest history alone, to save it or to check it.
    #[arg(long)]
    pub(crate) history: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all is proved; 1 something is refused; 2 usage, or what can't be read; 3 nothing is \
refused, but something is unproved."
)]
pub(crate) struct Verify {
    /// The history (`-` is standard input; several files that were joined, in the same order), and last a certificate (`anachron check
    /// --certificate FILE`) or a report (`--output json=FILE`). The history is read as the document says that it was (`--map`,
    /// `--initial`, ...), but for what is said here.
    #[arg(value_name = "HISTORY", required = true, num_args = 2..)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Debug, Args)]
pub(crate) struct Guarantees {
    /// How to print them.
    #[arg(long, short = 'f', value_enum, default_value_t = GuaranteesFormat::Table)]
    pub(crate) format: GuaranteesFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum GuaranteesFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For Graphviz: the implications as a graph.
    Dot,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Document {
    /// What `check --format json` prints.
    Report,
    /// What `check --certificate FILE` writes.
    Certificate,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::check::output_file;
    use super::shared::{duration, size};
    use super::*;

    /// Goal: the arguments are consistent among themselves, and units mean what they say.
    #[test]
    fn arguments_hold_together() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert!(duration("5").is_err() && duration("-1s").is_err() && duration("1e400s").is_err());
        assert_eq!((size("2GiB"), size("500MB")), (Ok(2 << 30), Ok(500_000_000)));
        assert!(size("2 furlongs").is_err() && size("99999999999TB").is_err());
        assert!(output_file("json").is_err() && output_file("json=").is_err() && output_file("xml=a").is_err());
    }
}
