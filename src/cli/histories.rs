//! `anachron convert` and `anachron generate`: histories to standard output.

use std::fmt::Display;
use std::io::{BufWriter, ErrorKind, Write as _};
use std::time::Instant;

use anachron::convert::{self, ConvertError, Format};
use anachron::generate::{self, Anomaly, Level, Vocabulary};
use anachron::ingest::Options;

use super::args::{Convert, ConvertTo, Generate};
use super::{CommandError, judge, limits};

const BUFFER: usize = 1 << 18;

/// Reads a history, and writes it in another format.
pub(crate) fn convert(arguments: &Convert) -> Result<u8, CommandError> {
    let begin = Instant::now();
    limits::use_threads(&arguments.limits)?;
    let options = Options {
        format: arguments.input_format.map(judge::input_format),
        max_memory: Some(limits::memory(&arguments.limits)),
        deadline: limits::deadline(&arguments.limits, begin),
        ..Options::default()
    };
    let name = arguments.file.display();
    let history = judge::read(&arguments.file, &options).map_err(|error| judge::unreadable(&arguments.file, error))?;
    let format = match arguments.to {
        ConvertTo::Json => Format::Json,
        ConvertTo::Jsonl => Format::JsonLines,
        ConvertTo::Edn => Format::Edn,
        ConvertTo::Text => Format::Text,
    };
    let mut out = BufWriter::with_capacity(BUFFER, std::io::stdout().lock());
    let options = convert::Options { format, lossy: arguments.lossy };
    let written = convert::write(&history, &options, &mut out).and_then(|()| Ok(out.flush()?));
    match written {
        Ok(()) => Ok(0),
        Err(ConvertError::Io(error)) => sent(Err(error)),
        Err(ConvertError::Unfit { position, message, help }) => {
            let line = position
                .and_then(|position| history.origin().line(position))
                .map(|line| format!(":{line}"))
                .unwrap_or_default();
            Err(CommandError::new(format!("{name}{line}: {message}")).help(help))
        }
    }
}

/// Writes the history of a simulated store.
pub(crate) fn generate(arguments: &Generate) -> Result<u8, CommandError> {
    let vocabulary = named("workload", &arguments.workload, Vocabulary::named, Vocabulary::ALL)?;
    let level = arguments.isolation.as_deref().map(|name| named("isolation", name, Level::named, Level::ALL));
    let anomaly = arguments.anomaly.as_deref().map(|name| named("anomaly", name, Anomaly::named, Anomaly::ALL));
    let options = generate::Options {
        vocabulary,
        operations: arguments.operations,
        processes: arguments.processes,
        keys: arguments.keys,
        level: level.transpose()?,
        anomaly: anomaly.transpose()?,
        anomalies: arguments.anomalies,
        crash_rate: arguments.crash_rate,
        fail_rate: arguments.fail_rate,
        read_rate: arguments.read_rate,
        cas_rate: arguments.cas_rate,
        values: arguments.values,
        max_writes_per_key: arguments.max_writes_per_key,
        max_transaction_length: arguments.max_transaction_length,
        nodes: arguments.nodes,
        final_reads: arguments.final_reads,
        seed: arguments.seed,
    };
    options.validate().map_err(|error| CommandError::new(error.message).help(error.help))?;
    let mut out = BufWriter::with_capacity(BUFFER, std::io::stdout().lock());
    sent(generate::generate(&options, &mut out).and_then(|()| out.flush()))
}

/// Whether all was written; a reader that has seen enough (`| head`) is no error.
fn sent(result: std::io::Result<()>) -> Result<u8, CommandError> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
        result => {
            result.map(|()| 0).map_err(|error| CommandError::new(format!("standard output can't be written: {error}")))
        }
    }
}

fn named<T: Display>(what: &str, name: &str, find: impl Fn(&str) -> Option<T>, all: &[T]) -> Result<T, CommandError> {
    find(name).ok_or_else(|| {
        let names: Vec<String> = all.iter().map(T::to_string).collect();
        CommandError::new(format!("there is no {what} {name:?} to generate"))
            .help(format!("choose one of: {}", names.join(", ")))
    })
}
