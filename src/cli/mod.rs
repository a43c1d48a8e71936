//! The command line: arguments, standard streams, files to write, exit codes. Nothing else owns these.

mod args;
mod check;
mod contract;
mod explain;
mod files;
mod gate;
mod histories;
mod init;
mod inspect;
mod judge;
mod limits;
mod manual;
mod many;
mod output;
mod progress;
mod shrink;
mod verify;

use std::process::ExitCode;

use anachron::{certificate, report};
use clap::Parser as _;

use args::{Cli, Color, Command, Contract, Document, GuaranteesFormat};

/// The exit code for usage, and for input that can't be read.
const USAGE: u8 = 2;

/// Runs the program; the result is its exit code.
pub(crate) fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Guarantees(arguments) => {
            let text = match arguments.format {
                GuaranteesFormat::Table => report::guarantees_table(&output::style(Color::Auto)),
                GuaranteesFormat::Json => report::guarantees_json(),
                GuaranteesFormat::Dot => report::guarantees_dot(),
            };
            output::print(&text).map(|()| 0)
        }
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { command } => manual::page(command.as_deref()),
        Command::Contract(Contract::Check { file }) => contract::check(file.as_deref()),
        Command::Contract(Contract::Init(arguments)) => init::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Shrink(arguments) => shrink::run(&arguments),
        Command::Convert(arguments) => histories::convert(&arguments),
        Command::Generate(arguments) => histories::generate(&arguments),
        Command::Schema { document: Document::Report } => output::print(&report::schema()).map(|()| 0),
        Command::Schema { document: Document::Certificate } => output::print(&certificate::schema()).map(|()| 0),
    };
    result.map_or_else(
        |error| {
            output::complain(&error);
            ExitCode::from(USAGE)
        },
        ExitCode::from,
    )
}

/// Why a command could not do its work: what happened, and what to do.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl CommandError {
    pub(crate) fn new(message: impl Into<String>) -> CommandError {
        CommandError { message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> CommandError {
        self.help = Some(help.into()).filter(|help| !help.is_empty());
        self
    }
}
