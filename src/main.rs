//! The command line of anachron.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
