//! How fast `anachron check` is, how much memory it takes, and how both grow: every row of the promise, measured against
//! the plain read of the same file in the same run.
//!
//! `cargo bench --bench speed -- [--max OPERATIONS] [--runs N] [--sweep] [ROW]`: growth up to 10^6 operations and the best of 3
//! runs unless said otherwise, and only rows whose name contains ROW. `--sweep`: instead, the slowest of searches of all kinds
//! (some minutes). Every measured thing is a process of its own: the plain
//! read (one thread, each line into a `serde_json::Value` that is dropped), the reader alone, and the binary's `check`.
//! Inputs are generated into a temporary folder. Shared machines drift, so plain read and check take turns, and beside the ratio
//! of the clock stands that of what all threads computed: the clock's can be as low as half of it on two cores, and is higher where
//! others use them. A row whose check is not in the binary says "not yet".
#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

mod attempts;
mod measure;
mod rows;
mod stale;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anachron::ingest;
use measure::{Measured, run};
use rows::{PROMISED_SECONDS, Row, What, growing, promise, searches, sweep};
use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::{Alignment, Style};

type Failure = Box<dyn std::error::Error>;

/// How many operations the rows of the promise have.
const PROMISED: u64 = 1_000_000;

struct Arguments {
    max: u64,
    runs: usize,
    sweep: bool,
    only: String,
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments { max: PROMISED, runs: 3, sweep: false, only: String::new() };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut number = || {
            let text = given.next().unwrap_or_default();
            let number = text.parse::<f64>().ok().filter(|number| (1.0..=1e9).contains(number));
            number.map(|number| number as u64).ok_or(format!("{argument} takes a number from 1 to 10^9, not {text:?}"))
        };
        match argument.as_str() {
            // What `cargo bench` says to every benchmark.
            "--bench" => {}
            "--sweep" => arguments.sweep = true,
            "--max" => arguments.max = number()?,
            "--runs" => arguments.runs = usize::try_from(number()?).map_err(|error| error.to_string())?,
            row => row.clone_into(&mut arguments.only),
        }
    }
    Ok(arguments)
}

fn main() -> Result<(), Failure> {
    let given: Vec<String> = std::env::args().collect();
    if let [_, what, path] = &given[..] {
        match what.as_str() {
            "--plain" => return Ok(ingest::plain_read(Path::new(path)).map(drop)?),
            "--ingest" => {
                let history = ingest::read(ingest::Source::File(path.into()), &ingest::Options::default())?;
                // A command ends without tearing down what it holds; so does this.
                std::mem::forget(history);
                return Ok(());
            }
            _ => {}
        }
    }
    let Arguments { max, runs, sweep: sweeps, only } = arguments()?;
    let mut bench = Bench { runs, folder: tempfile::tempdir()?, inputs: BTreeMap::new() };
    let cores = std::thread::available_parallelism()?;
    println!(
        "{cores} cores; whole processes, the best of {runs} runs; JSON Lines; seconds, decimal megabytes (peak: with the mapped file)"
    );
    let named = |row: &Row| row.name.contains(&only);
    if sweeps {
        return bench.sweep(&sweep().into_iter().filter(named).collect::<Vec<_>>(), max.min(10_000));
    }
    bench.compare(&promise().into_iter().filter(named).collect::<Vec<_>>(), max.min(PROMISED))?;
    bench.search(&searches().into_iter().filter(|(_, row)| named(row)).collect::<Vec<_>>())?;
    bench.grow(&growing().into_iter().filter(named).collect::<Vec<_>>(), max)
}

struct Bench {
    runs: usize,
    folder: tempfile::TempDir,
    /// What was generated.
    inputs: BTreeMap<(String, u64), PathBuf>,
}

impl Bench {
    fn compare(&mut self, rows: &[Row], operations: u64) -> Result<(), Failure> {
        let heads = [
            "row",
            "MB",
            "plain read",
            "ours",
            "ratio",
            "at most",
            "dream",
            "computed",
            "peak MB",
            "own MB",
            "own B/op",
            "verdict",
        ];
        let mut table = Builder::default();
        table.push_record(heads);
        for row in rows {
            let file = self.input(row, operations)?;
            let (plain, ours) = self.both(row, &file)?;
            let verdict = verdict(row, &ours);
            let ratio = ours.seconds / plain.seconds;
            let said = |text: String| if verdict.is_some() { text } else { "-".into() };
            let promised = |most: f64| if most > 0.0 { most.to_string() } else { "-".into() };
            let above = row.at_most > 0.0 && ratio > row.at_most;
            table.push_record([
                row.name.to_owned(),
                megabytes(file.metadata()?.len()),
                format!("{:.3}", plain.seconds),
                said(format!("{:.3}", ours.seconds)),
                said(format!("{ratio:.2}{}", if above { "!" } else { "" })),
                promised(row.at_most),
                promised(row.dream),
                said(format!("{:.2}", ours.processor / plain.processor)),
                said(megabytes(ours.peak_bytes)),
                said(megabytes(ours.own_bytes)),
                said((ours.own_bytes / operations).to_string()),
                verdict.clone().unwrap_or("not yet".into()),
            ]);
        }
        show(&format!("Whole check, {operations} operations (!: above what is promised)"), table, 1)
    }

    fn search(&mut self, rows: &[(u64, Row)]) -> Result<(), Failure> {
        let mut table = Builder::default();
        table.push_record(["search", "operations", "seconds", "promised", "own MB", "verdict"]);
        for (operations, row) in rows {
            let file = self.input(row, *operations)?;
            let ours = self.best(&mut ours(row, &file)?)?;
            let verdict = verdict(row, &ours);
            let said = |text: String| if verdict.is_some() { text } else { "-".into() };
            table.push_record([
                row.name.to_owned(),
                operations.to_string(),
                said(seconds(&ours)),
                PROMISED_SECONDS.to_string(),
                said(megabytes(ours.own_bytes)),
                verdict.clone().unwrap_or("not yet".into()),
            ]);
        }
        self.logs(&mut table)?;
        show("Search (!: an engineer waits longer than a second, and has 500 MB)", table, 1)
    }

    /// Adds all of Porcupine's logs of etcd, checked together, where the corpus is at hand.
    fn logs(&self, table: &mut Builder) -> Result<(), Failure> {
        let Some(corpus) = std::env::var_os("ANACHRON_CORPUS") else { return Ok(()) };
        let logs = std::fs::read_dir(Path::new(&corpus).join("register-linear/porcupine-etcd"))?;
        let mut logs: Vec<PathBuf> = logs.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
        logs.sort();
        let mut command = Command::new(env!("CARGO_BIN_EXE_anachron"));
        command.arg("check").args(&logs).args(["--format", "json"]);
        let ours = self.best(&mut command)?;
        let report: serde_json::Value = serde_json::from_slice(&ours.stdout)?;
        let operations = report["histories"].as_array().into_iter().flatten();
        let operations: u64 = operations.filter_map(|it| it["statistics"]["operations"].as_u64()).sum();
        table.push_record([
            format!("{} logs of etcd, together", logs.len()),
            operations.to_string(),
            seconds(&ours),
            PROMISED_SECONDS.to_string(),
            megabytes(ours.own_bytes),
            report["verdict"].as_str().unwrap_or("-").to_owned(),
        ]);
        Ok(())
    }

    /// The slowest of these, at 10^3 operations and at 10^4.
    fn sweep(&mut self, rows: &[Row], max: u64) -> Result<(), Failure> {
        for operations in [1_000, 10_000].into_iter().filter(|operations| *operations <= max) {
            let mut measured: Vec<(&Row, Measured)> = Vec::new();
            for row in rows {
                let Ok(file) = self.input(row, operations) else { continue };
                measured.push((row, run(&mut ours(row, &file)?, self.folder.path())?));
            }
            measured.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
            let late = measured.iter().filter(|(_, ours)| ours.seconds > PROMISED_SECONDS).count();
            let of = measured.len();
            let mut table = Builder::default();
            table.push_record(["search", "seconds", "own MB", "verdict"]);
            for (row, ours) in measured.iter().take(10) {
                let verdict = verdict(row, ours).unwrap_or("not yet".into());
                table.push_record([
                    row.name.clone(),
                    format!("{:.3}", ours.seconds),
                    megabytes(ours.own_bytes),
                    verdict,
                ]);
            }
            show(&format!("{operations} operations: {late} of {of} take more than a second; the slowest"), table, 1)?;
        }
        Ok(())
    }

    fn grow(&mut self, rows: &[Row], max: u64) -> Result<(), Failure> {
        let mut table = Builder::default();
        table.push_record([
            "growth",
            "operations",
            "seconds",
            "ns/op",
            "ratio",
            "peak MB",
            "own MB",
            "own B/op",
            "verdict",
        ]);
        for row in rows {
            let sizes = std::iter::successors(Some(10_000u64), |size| size.checked_mul(10));
            for operations in sizes.take_while(|size| *size <= max) {
                let file = self.input(row, operations)?;
                let (plain, ours) = self.both(row, &file)?;
                let verdict = verdict(row, &ours);
                let said = |text: String| if verdict.is_some() { text } else { "-".into() };
                table.push_record([
                    row.name.to_owned(),
                    operations.to_string(),
                    said(format!("{:.3}", ours.seconds)),
                    said(format!("{:.0}", ours.seconds * 1e9 / operations as f64)),
                    said(format!("{:.2}", ours.seconds / plain.seconds)),
                    said(megabytes(ours.peak_bytes)),
                    said(megabytes(ours.own_bytes)),
                    said((ours.own_bytes / operations).to_string()),
                    verdict.clone().unwrap_or("not yet".into()),
                ]);
                if operations > PROMISED {
                    self.forget(row, operations)?;
                }
            }
        }
        show("Growth (linear: the same time an operation)", table, 1)
    }

    /// The file of an input, generated where it is not there yet.
    fn input(&mut self, row: &Row, operations: u64) -> io::Result<PathBuf> {
        let name = (row.input_name(), operations);
        if let Some(path) = self.inputs.get(&name) {
            return Ok(path.clone());
        }
        let path = self.folder.path().join(format!("{}.jsonl", self.inputs.len()));
        let mut file = BufWriter::new(File::create(&path)?);
        row.write(operations, &mut file)?;
        file.flush()?;
        self.inputs.insert(name, path.clone());
        Ok(path)
    }

    /// Large inputs would fill the disk.
    fn forget(&mut self, row: &Row, operations: u64) -> io::Result<()> {
        self.inputs.get(&(row.input_name(), operations)).map_or(Ok(()), std::fs::remove_file)?;
        self.inputs.insert((row.input_name(), operations), PathBuf::new());
        Ok(())
    }

    /// The plain read and the row's own command, in turns.
    fn both(&self, row: &Row, file: &Path) -> Result<(Measured, Measured), Failure> {
        let mut plain_command = Command::new(std::env::current_exe()?);
        plain_command.arg("--plain").arg(file);
        let mut our_command = ours(row, file)?;
        let (mut plain, mut ours) = (None, None);
        for _ in 0..self.runs {
            plain = Some(run(&mut plain_command, self.folder.path())?.best(plain));
            ours = Some(run(&mut our_command, self.folder.path())?.best(ours));
        }
        plain.zip(ours).ok_or_else(|| "at least one run is needed".into())
    }

    fn best(&self, command: &mut Command) -> Result<Measured, Failure> {
        let mut best = None;
        for _ in 0..self.runs {
            best = Some(run(command, self.folder.path())?.best(best));
        }
        best.ok_or_else(|| "at least one run is needed".into())
    }
}

fn ours(row: &Row, file: &Path) -> io::Result<Command> {
    let mut command;
    match row.what {
        What::Ingest => {
            command = Command::new(std::env::current_exe()?);
            command.arg("--ingest").arg(file);
        }
        What::Check(arguments) => {
            command = Command::new(env!("CARGO_BIN_EXE_anachron"));
            command.arg("check").arg(file).args(["--format", "json"]).args(arguments);
        }
        What::Verify => {
            let certificate = file.with_extension("certificate");
            if !certificate.exists() {
                let mut check = Command::new(env!("CARGO_BIN_EXE_anachron"));
                check.arg("check").arg(file).arg("--quiet").arg("--certificate").arg(&certificate).status()?;
            }
            command = Command::new(env!("CARGO_BIN_EXE_anachron"));
            command.arg("verify").arg(file).arg(certificate);
        }
    }
    Ok(command)
}

/// What a process found, and whether it is true; none where it found nothing yet.
fn verdict(row: &Row, measured: &Measured) -> Option<String> {
    if let What::Ingest = row.what {
        return Some(if measured.status == Some(0) { "-".into() } else { "can't be read".into() });
    }
    if measured.status == Some(2) {
        return None;
    }
    if let What::Verify = row.what {
        return Some(if measured.status == Some(0) { row.verdict.into() } else { format!("not {}", row.verdict) });
    }
    let report: serde_json::Value = serde_json::from_slice(&measured.stdout).ok()?;
    let verdict = report["verdict"].as_str()?;
    Some(if verdict == row.verdict { verdict.into() } else { format!("{verdict}, not {}", row.verdict) })
}

/// How long a search took, and whether that is longer than promised.
fn seconds(measured: &Measured) -> String {
    format!("{:.3}{}", measured.seconds, if measured.seconds > PROMISED_SECONDS { "!" } else { "" })
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// Prints a table: what is not a name, from column `from` on, to the right.
fn show(title: &str, table: Builder, from: usize) -> Result<(), Failure> {
    if table.count_records() > 1 {
        let mut table = table.build();
        table.with(Style::markdown()).modify(Columns::new(from..).intersect(Rows::new(..)), Alignment::right());
        println!("\n{title}\n\n{table}");
    }
    Ok(())
}
