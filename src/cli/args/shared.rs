//! What several commands take: how histories are read, and what a run may take.

use std::time::Duration;

use clap::{Args, ValueEnum};

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

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
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

pub(super) fn size(text: &str) -> Result<u64, String> {
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
