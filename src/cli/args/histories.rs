//! What makes histories of histories, or of nothing: `convert`, `shrink` and `generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{InputFormat, Limits, Reading};

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
