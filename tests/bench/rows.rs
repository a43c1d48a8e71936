//! What is measured: inputs whose verdict is known by construction, and what is promised of each.

use std::io::{self, Write};

use anachron::generate::{Anomaly, Level, Options, Vocabulary, generate};

use crate::attempts;
use crate::stale::{self, Place};

/// One row of a table.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) input: Input,
    pub(crate) what: What,
    /// The most plain reads that it may take, and the dream; 0 where nothing is promised.
    pub(crate) at_most: f64,
    pub(crate) dream: f64,
    /// What `check` has to find.
    pub(crate) verdict: &'static str,
}

pub(crate) enum Input {
    Generated(Box<Options>),
    /// One register with more stale reads than crashed operations explain.
    Stale(Box<Options>, Place),
    Idempotency,
    Delivery,
}

pub(crate) enum What {
    /// The reader alone.
    Ingest,
    /// `check`, with these arguments.
    Check(&'static [&'static str]),
    /// `verify`, of the certificate that `check` wrote before.
    Verify,
}

impl Row {
    /// Writes its input.
    pub(crate) fn write(&self, operations: u64, out: &mut dyn Write) -> io::Result<()> {
        match &self.input {
            Input::Generated(options) => generate(&Options { operations, ..(**options).clone() }, out),
            Input::Stale(options, place) => stale::write(&Options { operations, ..(**options).clone() }, *place, out),
            Input::Idempotency => attempts::idempotency(operations, out),
            Input::Delivery => attempts::delivery(operations, out),
        }
    }

    /// Inputs of equal names are equal.
    pub(crate) fn input_name(&self) -> String {
        match &self.input {
            Input::Generated(options) => format!("{options:?}"),
            Input::Stale(options, place) => format!("{options:?} {place:?}"),
            Input::Idempotency => "idempotency".into(),
            Input::Delivery => "delivery".into(),
        }
    }
}

/// What sessions, staleness and convergence ask.
const SESSIONS: &[&str] = &[
    "--require=linearizable",
    "--require=read-your-writes",
    "--require=monotonic-reads",
    "--require=monotonic-writes",
    "--require=writes-follow-reads",
    "--require=bounded-staleness:time=1s,versions=1000",
    "--require=eventual",
];

/// What servers show in time, where no stronger guarantee answers it.
const SERVERS: &[&str] = &["--require=monotonic-writes@node", "--require=writes-follow-reads@node"];

/// Why it holds, besides.
const CERTIFICATE: &[&str] = &["--certificate=/dev/null"];

fn generated(name: &'static str, options: Options, what: What, target: (f64, f64), verdict: &'static str) -> Row {
    let (at_most, dream) = target;
    Row { name: name.to_owned(), input: Input::Generated(Box::new(options)), what, at_most, dream, verdict }
}

fn registers(keys: u32) -> Options {
    Options { processes: 30, keys, ..Options::new(Vocabulary::Register) }
}

fn lists() -> Options {
    Options { processes: 30, ..Options::new(Vocabulary::ListAppend) }
}

/// The promise.
pub(crate) fn promise() -> Vec<Row> {
    let sessions = Options { nodes: 3, final_reads: true, ..registers(100) };
    let stale = Options { anomaly: Some(Anomaly::StaleRead), ..registers(1) };
    let by_server = Options { anomaly: Some(Anomaly::StaleRead), nodes: 3, ..registers(100) };
    let injected = Options { anomaly: Some(Anomaly::GSingleItem), anomalies: 100, ..lists() };
    let skewed = Options { level: Some(Level::SnapshotIsolation), ..lists() };
    let check = || What::Check(&[]);
    let (ingest, objects, transactions, broken) = ((0.4, 0.15), (0.5, 0.25), (0.6, 0.3), (2.0, 0.6));
    let plain = |name: &str, input| Row {
        name: name.to_owned(),
        input,
        what: check(),
        at_most: 0.6,
        dream: 0.3,
        verdict: "holds",
    };
    vec![
        generated("ingest alone: register", registers(1), What::Ingest, ingest, "-"),
        generated("ingest alone: list-append", lists(), What::Ingest, ingest, "-"),
        generated("register, one key: linearizable", registers(1), check(), objects, "holds"),
        generated("register, 1000 keys: linearizable", registers(1000), check(), objects, "holds"),
        generated("register, one key: a stale read", stale, check(), (1.0, 0.4), "violated"),
        generated("register: sessions, staleness, convergence", sessions, What::Check(SESSIONS), (1.0, 0.4), "holds"),
        generated("register: a stale read, what servers show", by_server, What::Check(SERVERS), (1.0, 0.4), "holds"),
        generated("register, one key: with a certificate", registers(1), What::Check(CERTIFICATE), (0.0, 0.0), "holds"),
        generated("register, one key: verify", registers(1), What::Verify, (0.0, 0.0), "proved"),
        generated("list-append: strict-serializable", lists(), check(), transactions, "holds"),
        generated("list-append: with a certificate", lists(), What::Check(CERTIFICATE), (0.0, 0.0), "holds"),
        generated("list-append: verify", lists(), What::Verify, (0.0, 0.0), "proved"),
        generated("list-append: 100 times G-single-item", injected, check(), broken, "violated"),
        generated("list-append: snapshot isolation", skewed, check(), broken, "violated"),
        plain("idempotency", Input::Idempotency),
        plain("delivery", Input::Delivery),
    ]
}

/// The rows of the promise whose growth is shown.
pub(crate) fn growing() -> Vec<Row> {
    let shown = ["register, one key: linearizable", "list-append: strict-serializable", "idempotency"];
    promise().into_iter().filter(|row| shown.contains(&&*row.name)).collect()
}

/// A second, in which a search is promised, as an argument of `check`.
pub(crate) const PROMISED_SECONDS: f64 = 1.0;

/// Search: values that repeat, and operations of unknown outcome. Nothing linear decides these. With the number of
/// operations of each.
pub(crate) fn searches() -> Vec<(u64, Row)> {
    let registers = Options { values: Some(5), cas_rate: 0.3, crash_rate: 0.01, ..Options::new(Vocabulary::Register) };
    let one = Options { keys: 1, ..registers.clone() };
    let stale = Options { anomaly: Some(Anomaly::StaleRead), ..one.clone() };
    let strings = Options { crash_rate: 0.01, ..Options::new(Vocabulary::Kv) };
    let row = |name, options, verdict| generated(name, options, What::Check(&[]), (0.0, 0.0), verdict);
    let again = |options: &Options| {
        let input = Input::Stale(Box::new(options.clone()), Place::End);
        let name = "the same with stale reads, one more than what is unknown explains".to_owned();
        Row { name, input, what: What::Check(&[]), at_most: 0.0, dream: 0.0, verdict: "violated" }
    };
    vec![
        (10_000, row("register, one key, repeated values, 1% unknown", one.clone(), "holds")),
        (1_000, row("the same with a stale read of a value written once", stale.clone(), "violated")),
        (10_000, row("the same with a stale read of a value written once", stale, "violated")),
        (1_000, again(&one)),
        (10_000, again(&one)),
        (100_000, again(&one)),
        (100_000, row("register, 10 keys, repeated values, 1% unknown", registers, "holds")),
        (10_000, row("kv, 10 keys, 1% unknown", strings, "holds")),
    ]
}

/// Searches of all kinds: how many values, whether compare-and-sets, how many operations crash, how many clients act at once,
/// and where stale reads stand, if any do. Each stops after ten seconds.
pub(crate) fn sweep() -> Vec<Row> {
    let mut rows = Vec::new();
    for values in [2, 5, 10, 50] {
        for cas_rate in [0.0, 0.3] {
            for crash_rate in [0.0, 0.01, 0.05] {
                for processes in [5, 10, 30] {
                    for place in [None, Some(Place::Start), Some(Place::Middle), Some(Place::End)] {
                        let options = Options {
                            values: Some(values),
                            cas_rate,
                            crash_rate,
                            processes,
                            keys: 1,
                            ..Options::new(Vocabulary::Register)
                        };
                        let (input, verdict, stale) = match place {
                            None => (Input::Generated(Box::new(options)), "holds", String::new()),
                            Some(place) => {
                                (Input::Stale(Box::new(options), place), "violated", format!(", stale: {place:?}"))
                            }
                        };
                        let name = format!(
                            "{values} values, {}% cas, {}% unknown, {processes} clients{stale}",
                            cas_rate * 100.0,
                            crash_rate * 100.0
                        );
                        let what = What::Check(&["--timeout=10s", "--max-memory=500MB"]);
                        rows.push(Row { name, input, what, at_most: 0.0, dream: 0.0, verdict });
                    }
                }
            }
        }
    }
    rows
}
