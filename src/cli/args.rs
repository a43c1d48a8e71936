//! What can be typed. Raw arguments only: what they mean is resolved where they are used.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
pub(crate) struct Inspect {
    /// The history; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Only what touches this key, written as reports write it.
    #[arg(long, value_name = "KEY", help_heading = "Focus")]
    pub(crate) key: Option<String>,
    /// Only what this process does.
    #[arg(long, value_name = "PROCESS", help_heading = "Focus")]
    pub(crate) process: Option<String>,
    /// Only what is around this record.
    #[arg(long, value_name = "INDEX", help_heading = "Focus")]
    pub(crate) around: Option<u32>,
    /// How many operations before and after that record.
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Focus")]
    pub(crate) span: usize,
    /// Only the operations of a witness, numbered from 1 as a check lists them.
    #[arg(long, value_name = "N", help_heading = "Focus")]
    pub(crate) witness: Option<usize>,
    /// What is required where a witness is asked for, as `check` takes it; repeatable.
    #[arg(long, short = 'r', value_name = "GUARANTEE", help_heading = "Focus")]
    pub(crate) require: Vec<String>,
    /// Show no more lines than this.
    #[arg(long, value_name = "N", default_value_t = 500, help_heading = "Focus")]
    pub(crate) limit: usize,
    /// How to print it: a part as JSON is its records, one a line.
    #[arg(long, short = 'f', value_enum, default_value_t = InspectFormat::Table)]
    pub(crate) format: InspectFormat,
    /// Colour on standard output. NO_COLOR turns it off too.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum InspectFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Shrink {
    /// The history; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// What it breaks, as `check` takes it; repeatable [default: what is customary].
    #[arg(long, short = 'r', value_name = "GUARANTEE")]
    pub(crate) require: Vec<String>,
    /// By which anomaly [default: the first that `check` lists].
    #[arg(long, value_name = "NAME")]
    pub(crate) anomaly: Option<String>,
    /// Write it to this file, and not to standard output.
    #[arg(long, short = 'o', value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) limits: Limits,
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["redact", "join"])]
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
    /// An anomaly that is shown, and fails nothing; repeatable.
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

/// How histories are read.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// What the functions of the history mean, where that is not clear from them (`register`, `list-append`, ...).
    #[arg(long, value_name = "NAME")]
    pub(crate) workload: Option<String>,
    /// The initial value of every object, as JSON; `unknown`: the first read tells it.
    #[arg(long, value_name = "JSON")]
    pub(crate) initial: Option<String>,
    /// Whether values are Jepsen's independent tuples, [key, value].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) independent: Option<bool>,
    /// How the history is written, where its content doesn't show it.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) input_format: Option<InputFormat>,
    #[command(flatten)]
    pub(crate) mapping: Mapping,
}

/// How the rows of a foreign log become records.
#[derive(Debug, Args)]
#[command(next_help_heading = "Foreign logs")]
pub(crate) struct Mapping {
    /// Where a field of a record is in a row of a JSON log: FIELD=PATH, with a unit (time=ts|ms), a table
    /// (type=status|2xx=ok,5xx=info), or as a JSON constant (type='"ok"'); repeatable.
    #[arg(long, value_name = "FIELD=PATH")]
    pub(crate) map: Vec<String>,
    /// Only rows with this text at this path are mapped; repeatable.
    #[arg(long = "where", value_name = "PATH=TEXT", requires = "map")]
    pub(crate) when: Vec<String>,
    /// What to do with rows that lack what a record needs.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Unmapped::Refuse, requires = "map")]
    pub(crate) unmapped: Unmapped,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Unmapped {
    /// Such a log is not judged.
    Refuse,
    /// They are left out, and counted.
    Skip,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum JoinBy {
    /// By `time`: the files' clocks are one clock.
    Time,
    /// By `index`, which grows over all files.
    Index,
}

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

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all is proved; 1 something is refused; 2 usage, or what can't be read; 3 nothing is \
refused, but something is unproved."
)]
pub(crate) struct Verify {
    /// The history; `-` is standard input.
    #[arg(value_name = "HISTORY")]
    pub(crate) history: PathBuf,
    /// A certificate (`anachron check --certificate FILE`), or a report (`--output json=FILE`).
    #[arg(value_name = "FILE")]
    pub(crate) document: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum InputFormat {
    /// One array of records.
    Json,
    /// A record a line.
    Jsonl,
    /// Maps, as Jepsen writes them.
    Edn,
    /// Jepsen's `history.txt`, or a log with its operations.
    JepsenLog,
    /// Porcupine's operations: client_id, input, call, output, return.
    Porcupine,
}

#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// Stop reading and searching after this long (`30s`, `5m`): what is not decided by then is unknown.
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    pub(crate) timeout: Option<Duration>,
    /// Hold no more than this (`500MB`, `2GiB`) [default: three quarters of the machine's memory].
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    pub(crate) max_memory: Option<u64>,
    /// Threads [default: one a core]. The answer is the same with any number.
    #[arg(long, value_name = "N", help_heading = "Limits", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
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

#[derive(Debug, Args)]
pub(crate) struct Guarantees {
    /// How to print them.
    #[arg(long, short = 'f', value_enum, default_value_t = GuaranteesFormat::Table)]
    pub(crate) format: GuaranteesFormat,
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
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// The history; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// The format to write.
    #[arg(long, short = 't', value_enum)]
    pub(crate) to: ConvertTo,
    /// How the history is written, where its content doesn't show it.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) input_format: Option<InputFormat>,
    /// Write what the format has no word for as something near (a set as a list), and leave out what it has no place for.
    #[arg(long)]
    pub(crate) lossy: bool,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ConvertTo {
    /// One array of records.
    Json,
    /// A record a line.
    Jsonl,
    /// Jepsen's `history.edn`.
    Edn,
    /// Jepsen's `history.txt`, which has no time, index, key or node.
    Text,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// What the store holds: register, list-append, kv.
    #[arg(value_name = "WORKLOAD")]
    pub(crate) workload: String,
    /// How many operations.
    #[arg(long, short = 'n', default_value_t = 1000)]
    pub(crate) operations: u64,
    /// How many clients act at once.
    #[arg(long, default_value_t = 10)]
    pub(crate) processes: u32,
    /// How many keys are in use at once.
    #[arg(long, default_value_t = 10)]
    pub(crate) keys: u32,
    /// What the store guarantees [default: the strongest of the workload].
    #[arg(long, value_name = "LEVEL")]
    pub(crate) isolation: Option<String>,
    /// What is put wrong, in the middle.
    #[arg(long, value_name = "NAME")]
    pub(crate) anomaly: Option<String>,
    /// How many times it is put wrong.
    #[arg(long, default_value_t = 1)]
    pub(crate) anomalies: u64,
    /// The share of operations whose client crashes, from 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) crash_rate: f64,
    /// The share of the others that fail.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) fail_rate: f64,
    /// The share of reads.
    #[arg(long, default_value_t = 0.5)]
    pub(crate) read_rate: f64,
    /// Registers: the share of compare-and-set among the writes.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) cas_rate: f64,
    /// Registers: write so few values, again and again [default: every value is written once].
    #[arg(long)]
    pub(crate) values: Option<u64>,
    /// Lists and strings: how many writes one key takes before another takes its place.
    #[arg(long, default_value_t = 32)]
    pub(crate) max_writes_per_key: u32,
    /// Lists: how many micro-operations a transaction has at most.
    #[arg(long, default_value_t = 4)]
    pub(crate) max_transaction_length: u32,
    /// How many servers clients contact, each process one; the records then have `node`.
    #[arg(long, default_value_t = 0)]
    pub(crate) nodes: u32,
    /// Registers and strings: end with a read of every key at every node, marked `final`.
    #[arg(long)]
    pub(crate) final_reads: bool,
    /// Which of the histories of these options.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

fn output_file(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("an output is FORMAT=PATH, for example json=report.json")?;
    if path.is_empty() {
        return Err(format!("{format}= needs a path"));
    }
    Ok((Format::from_str(format, true)?, PathBuf::from(path)))
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("a duration has a unit: 500ms, 30s, 5m, 1h".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| format!("{number:?} is no number"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

fn size(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "kib" => 1 << 10,
        "m" | "mb" => 1_000_000,
        "mib" => 1 << 20,
        "g" | "gb" => 1_000_000_000,
        "gib" => 1 << 30,
        "t" | "tb" => 1_000_000_000_000,
        "tib" => 1 << 40,
        _ => return Err("a size has a unit: 500MB, 2GiB".to_owned()),
    };
    let number: u64 = number.trim().parse().map_err(|_| format!("{number:?} is no whole number"))?;
    number.checked_mul(factor).ok_or_else(|| "that is more than any machine has".to_owned())
}

#[cfg(test)]
mod tests {
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
