//! `anachron completions` and `anachron man`: what the arguments themselves say, for shells and for readers.

use clap::CommandFactory as _;

use super::args::Cli;
use super::{CommandError, output};

/// A script that completes commands, options and their values.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<u8, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "anachron", &mut script);
    print(&script)
}

/// The manual page of the program, or of one of its commands.
pub(crate) fn page(name: Option<&str>) -> Result<u8, CommandError> {
    let mut program = Cli::command();
    program.build();
    let (command, title) = match name {
        None => (program, "anachron".to_owned()),
        Some(name) => {
            let names: Vec<String> = program.get_subcommands().map(|one| one.get_name().to_owned()).collect();
            let Some(command) = program.find_subcommand(name) else {
                let help = format!("choose one of: {}", names.join(", "));
                return Err(CommandError::new(format!("there is no command {name:?}")).help(help));
            };
            (command.clone(), format!("anachron-{name}"))
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .title(title)
        .render(&mut text)
        .map_err(|error| CommandError::new(format!("the page can't be made: {error}")))?;
    print(&text)
}

fn print(text: &[u8]) -> Result<u8, CommandError> {
    output::print(&String::from_utf8_lossy(text)).map(|()| 0)
}
