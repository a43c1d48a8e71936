//! Standard output, standard error, and files: results here, everything else there.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;

use anachron::report::Style;

use super::CommandError;
use super::args::Color;

const DEFAULT_WIDTH: usize = 100;

/// The columns of the terminal, or of a page where there is none.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.or(terminal).filter(|width| *width > 0).unwrap_or(DEFAULT_WIDTH)
}

/// How a page on standard output looks.
pub(crate) fn style(color: Color) -> Style {
    Style { width: width(), color: takes_color(color) }
}

/// Whether standard output takes colour.
fn takes_color(choice: Color) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            std::io::stdout().is_terminal()
                && anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
        }
    }
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| CommandError::new(format!("standard output can't be written: {error}"))),
    }
}

/// Writes a file, whole or not at all: a reader never finds half a report.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new(format!("{} can't be written: {error}", path.display()))
            .help("check that the folder exists and that you may write there")
    };
    if path.exists() && !path.is_file() {
        // A pipe or a device: nothing to replace.
        return std::fs::write(path, text).map_err(failed);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = replacement().tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Adds a text to the summary of a step of GitHub Actions, where this is one.
pub(crate) fn add_step_summary(text: &str) -> Result<(), CommandError> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        CommandError::new(format!("the step summary {} can't be written: {error}", Path::new(&path).display()))
            .help("GITHUB_STEP_SUMMARY names it; without that variable there is no summary")
    })
}

/// A file that others may read, as far as the user's mask lets them: temporary ones are private by default.
fn replacement() -> tempfile::Builder<'static, 'static> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has permissions to set"))]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// Says something on standard error that is no error.
pub(crate) fn remark(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = std::io::stderr().lock().write_all(format!("{}\n", printable(text)).as_bytes());
}

/// Says on standard error why a command failed.
pub(crate) fn complain(error: &CommandError) {
    let mut text = format!("error: {}\n", printable(&error.message));
    if let Some(help) = &error.help {
        text.push_str(&format!(" help: {}\n", printable(help)));
    }
    // Nobody is left to tell when standard error is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The text without anything that a terminal would act on.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let hidden =
                c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
            let escaped = hidden.then(|| c.escape_unicode().collect::<String>());
            escaped.unwrap_or_else(|| c.to_string()).chars().collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a file's name or a value in a message can't steer the terminal.
    #[test]
    fn escape_sequences_are_shown() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}"), "a\\u{1b}[31mb\nc\\u{202e}");
    }
}
