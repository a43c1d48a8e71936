//! The shipped histories, each read as the pages beside them read it, and what is asked of each.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use anachron::budget::Budget;
use anachron::certificate::Certificate;
use anachron::check::{Settings, certify, judge};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::History;
use anachron::ingest::{Mapping, Options, Source, read};
use anachron::verdict::Verdict;
use anachron::workload::{Workload, detect};
use rayon::prelude::*;

/// Parameters that some page asks for, or that a guarantee needs: by the beginning of the file's name.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("redis/primary", &["bounded-staleness:time=0s,versions=0"]),
    (
        "redis/replica",
        &["bounded-staleness:time=100ms", "bounded-staleness:time=10s,versions=100", "eventual:within=10s"],
    ),
    ("payments/", &["idempotent:mismatch=422,in-flight=409"]),
    ("tours/payments", &["idempotent:mismatch=422,in-flight=409"]),
    ("", &["bounded-staleness:versions=1000"]),
];

/// A history, and where it lies.
pub(crate) struct Shipped {
    pub(crate) name: String,
    pub(crate) history: History,
    pub(crate) workload: Workload,
    /// Everything that there is to require, and then what is asked with parameters, each by itself.
    pub(crate) passes: Vec<Certified>,
}

/// What was judged, and the certificate of all that holds.
pub(crate) struct Certified {
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) holds: Vec<Guarantee>,
    pub(crate) certificate: Certificate,
}

/// Every file that is a history, judged and certified.
pub(crate) fn shipped() -> &'static [Shipped] {
    static SHELF: LazyLock<Vec<Shipped>> = LazyLock::new(|| paths().into_par_iter().map(open).collect());
    &SHELF
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("histories")
}

fn paths() -> Vec<PathBuf> {
    let mut folders = vec![root()];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let is_told = path.extension().is_some_and(|end| end == "md" || end == "toml");
            match path.is_dir() {
                true => folders.push(path),
                false if !is_told => paths.push(path),
                false => {}
            }
        }
    }
    paths.sort();
    paths
}

/// What no page says how to read has to be a history as it is.
fn open(path: PathBuf) -> Shipped {
    let name = path.strip_prefix(root()).expect("below histories").to_string_lossy().replace('\\', "/");
    // A log of a service's own is read by the contract beside it.
    let mapping = (path.extension().is_some_and(|end| end == "log")).then(|| {
        let contract = std::fs::read_to_string(path.with_extension("toml")).expect("a contract");
        let contract: toml::Table = contract.parse().expect("a table");
        let input = contract["input"].as_table().expect("how rows become records");
        Arc::new(Mapping::from_table(input).expect("a mapping"))
    });
    let options = Options { mapping, ..Options::default() };
    let history = read(Source::File(path), &options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let workload = detect(&history).unwrap_or_else(|error| panic!("{name}: {}", error.message));
    let all = Guarantee::ALL.iter().copied().map(Requirement::new).collect();
    let mine = PARAMETERS.iter().filter(|(start, _)| name.starts_with(start)).flat_map(|row| row.1);
    let one = |text: &&str| vec![text.parse().expect("a requirement")];
    let passes = std::iter::once(all).chain(mine.map(one)).map(|some| certified(&history, workload, some)).collect();
    Shipped { name, history, workload, passes }
}

fn certified(history: &History, workload: Workload, requirements: Vec<Requirement>) -> Certified {
    let budget = Budget::default();
    let settings = Settings { requirements: &requirements, budget: &budget };
    let outcome = judge(history, workload, &settings).expect("judged");
    let certificate = certify(history, workload, &outcome.judgements, &settings).expect("certified");
    let holds =
        outcome.judgements.iter().filter(|one| one.verdict == Verdict::Holds).map(|one| one.guarantee).collect();
    Certified { requirements, holds, certificate }
}
