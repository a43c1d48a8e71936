//! What `check` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Color, EXIT_CODES, Limits, Reading};

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Check {
    /// Histories: JSON, JSON Lines or EDN, plain, .gz or .zst; `-` is standard input. The format is found by content. Of a
    /// folder, all histories below it; of a pattern in quotes ('runs/**/*.jsonl'), all that it names.
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) files: Vec<PathBuf>,
    /// A guarantee that must hold: NAME[@READING][:key=value,...]; repeatable. `anachron guarantees` lists the names.
    #[arg(long, short = 'r', value_name = "GUARANTEE")]
    pub(crate) require: Vec<String>,
    #[command(flatten)]
    pub(crate) contract: ContractChoice,
    /// All files are one history: put its records together by this.
    #[arg(long, value_enum, value_name = "FIELD")]
    pub(crate) join: Option<JoinBy>,
    /// Write why the required guarantees hold, for `anachron verify`; of one history.
    #[arg(long, value_name = "FILE", conflicts_with = "redact")]
    pub(crate) certificate: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) gating: Gating,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What fails a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct Gating {
    /// What fails the run, with exit code 1 [default: what is violated exits with 1, what is unknown with 3].
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub(crate) fail_on: Option<FailOnChoice>,
    /// An anomaly that is shown, and fails nothing; repeatable. With it passes what is the same fault by a more telling name and
    /// speaks against no other guarantee: with non-linearizable, a stale-read; not a missing-your-writes.
    #[arg(long, value_name = "ANOMALY")]
    pub(crate) allow: Vec<String>,
    /// Findings that were accepted: they are shown, and fail nothing.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Accept all that this run finds: write the baseline anew.
    #[arg(long)]
    pub(crate) update_baseline: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum FailOnChoice {
    /// What is violated; what is unknown passes.
    Violated,
    /// What is violated, and what is unknown.
    Unknown,
}

/// Which contract counts.
#[derive(Debug, Args)]
pub(crate) struct ContractChoice {
    /// The contract [default: `anachron.toml`, found from the working directory upward].
    #[arg(long, value_name = "FILE", conflicts_with = "no_contract")]
    pub(crate) contract: Option<PathBuf>,
    /// Look for no contract.
    #[arg(long)]
    pub(crate) no_contract: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum JoinBy {
    /// By `time`: the files' clocks are one clock.
    Time,
    /// By `index`, which grows over all files.
    Index,
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// What to print to standard output.
    #[arg(long, short = 'f', value_enum, default_value_t = Format::Table, help_heading = "Output")]
    pub(crate) format: Format,
    /// Another report into a file: FORMAT=PATH; repeatable.
    #[arg(long, short = 'o', value_name = "FORMAT=PATH", value_parser = output_file, help_heading = "Output")]
    pub(crate) output: Vec<(Format, PathBuf)>,
    /// Colour on standard output. NO_COLOR turns it off too.
    #[arg(long, value_enum, default_value_t = Color::Auto, help_heading = "Output")]
    pub(crate) color: Color,
    /// Keep values out of reports: placeholders stand in their place; `keys`: keys, too.
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, default_missing_value = "values", require_equals = true,
          help_heading = "Output")]
    pub(crate) redact: Option<Redact>,
    /// Print no report and no progress: the exit code tells.
    #[arg(long, short = 'q', help_heading = "Output")]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Redact {
    /// What operations wrote, read, sent and answered.
    Values,
    /// That, and the keys that they were about.
    Keys,
}

impl Output {
    /// Whether something that is written draws the history.
    pub(crate) fn draws(&self) -> bool {
        self.format == Format::Html && !self.quiet || self.output.iter().any(|(format, _)| *format == Format::Html)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs: see `anachron schema report`.
    Json,
    /// For CI servers: a test case for each required guarantee.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// For a step summary, or a comment.
    Markdown,
    /// One page for a browser, with the time line; it loads nothing.
    Html,
}

pub(super) fn output_file(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("an output is FORMAT=PATH, for example json=report.json")?;
    if path.is_empty() {
        return Err(format!("{format}= needs a path"));
    }
    Ok((Format::from_str(format, true)?, PathBuf::from(path)))
}
