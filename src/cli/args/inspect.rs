//! What `inspect` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Color, Limits, Reading};

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
