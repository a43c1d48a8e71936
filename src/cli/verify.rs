//! `anachron verify`: goes through a certificate, or a report's witnesses, with the history beside it.

use std::time::Instant;

use anachron::certificate::{self, Line, Ruling};

use super::args::Verify;
use super::{CommandError, contract, files, judge, limits, output};

/// What can be gone through.
const DOCUMENTS: &str = "give a file that `anachron check --certificate FILE` or `--output json=FILE` wrote";
/// A document takes several times its length in memory.
const SHARE: u64 = 8;

/// One line for each claim; the exit code is 0 where all is proved, 1 where something is refused, else 3.
pub(crate) fn run(arguments: &Verify) -> Result<u8, CommandError> {
    let begin = Instant::now();
    limits::use_threads(&arguments.limits)?;
    let memory = limits::memory(&arguments.limits);
    let Some((file, histories)) = arguments.files.split_last() else {
        return Err(CommandError::new("there is nothing to go through").help(DOCUMENTS));
    };
    let of = |error: String| CommandError::new(format!("{}: {error}", file.display())).help(DOCUMENTS);
    let text = files::text(file, memory / SHARE)
        .map_err(|error| CommandError::new(format!("{} can't be read: {error}", file.display())).help(DOCUMENTS))?;
    let document = certificate::read(&text).map_err(of)?;
    drop(text);
    let found = contract::for_input(&arguments.reading)?;
    let mut options =
        judge::options(&arguments.reading, found.as_ref(), memory, limits::deadline(&arguments.limits, begin))?;
    let join = match document.reading() {
        Some(told) => {
            output::remark(&format!("The history is read as {} says that it was: {told}", file.display()));
            options.follow(told).map_err(of)?
        }
        None => None,
    };
    let history = judge::read_all(histories, join, &options)
        .map_err(|error| judge::unreadable_named(&judge::names(histories), error))?;
    let lines = document.verify(&history).map_err(of)?;
    output::print(&render(&lines))?;
    Ok(exit_code(&lines))
}

fn render(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let (word, why) = match &line.ruling {
            Ruling::Proved(why) => ("proved", why),
            Ruling::Unproved(why) => ("unproved", why),
            Ruling::Refused(why) => ("refused", why),
        };
        text.push_str(&format!("{}: {word}: {}\n", printable(&line.subject), printable(why)));
    }
    if lines.is_empty() {
        text.push_str("unproved: nothing is claimed: no required guarantee held, or the report shows no anomaly\n");
    }
    text
}

/// Text of a file, without what a terminal would obey.
fn printable(text: &str) -> String {
    let is_safe = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_safe(&c) { c } else { '\u{fffd}' }).collect()
}

fn exit_code(lines: &[Line]) -> u8 {
    let any = |test: fn(&Ruling) -> bool| lines.iter().any(|line| test(&line.ruling));
    if any(|ruling| matches!(ruling, Ruling::Refused(_))) {
        1
    } else if lines.is_empty() || any(|ruling| matches!(ruling, Ruling::Unproved(_))) {
        3
    } else {
        0
    }
}
