//! Simulated stores that write histories of any size, with a verdict that is known before any check runs: valid at a
//! named [`Level`] by construction, or with one named [`Anomaly`] in the middle.
//!
//! A history is a function of its [`Options`]: the same bytes on every machine. Records are JSON Lines of the native
//! form, with `index`, `time`, `type`, `process`, `f`, `key` (registers and strings; not where there is one register) and
//! `value`. Memory does not grow with the number of operations, except by one value a key.

mod clients;
mod kv;
mod lines;
mod list_append;
mod log;
mod names;
mod objects;
mod random;
mod register;
mod transactions;

use std::io::{self, Write};

pub use names::{Anomaly, Level, Vocabulary};

/// What to generate.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// What the store holds.
    pub vocabulary: Vocabulary,
    /// How many operations are invoked, those of the anomaly and the final reads included.
    pub operations: u64,
    /// How many clients act at once.
    pub processes: u32,
    /// How many keys are in use at once. One register has no `key` in its records.
    pub keys: u32,
    /// How many nodes clients contact, each process one; 0: records name no node. The store is one all the same.
    pub nodes: u32,
    /// Registers and strings: whether every key is read at every node after everything else, in records marked `final`.
    pub final_reads: bool,
    /// What the store guarantees; none: the strongest level of the vocabulary.
    pub level: Option<Level>,
    /// What is put wrong.
    pub anomaly: Option<Anomaly>,
    /// How many times, evenly spread.
    pub anomalies: u64,
    /// The share of the operations whose client crashes, from 0 to 1: a third had their effect, a third have it later, a
    /// third never; a quarter of them have no `info`.
    pub crash_rate: f64,
    /// The share of the others that fail. More fail at levels that refuse transactions, and by `cas`.
    pub fail_rate: f64,
    /// The share of reads among operations, or among micro-operations.
    pub read_rate: f64,
    /// Registers: the share of `cas` among the writes.
    pub cas_rate: f64,
    /// Registers: writes draw their values from so many, again and again; none: every value is written once.
    pub values: Option<u64>,
    /// Lists and strings: how many elements a key's list has at most before another key takes its place, and how many
    /// appends a string has about at most before it is overwritten.
    pub max_writes_per_key: u32,
    /// Lists: how many micro-operations a transaction has at most.
    pub max_transaction_length: u32,
    /// Which of the histories of these options.
    pub seed: u64,
}

impl Options {
    /// A thousand operations of ten clients on ten keys, without failures.
    #[must_use]
    pub const fn new(vocabulary: Vocabulary) -> Options {
        Options {
            vocabulary,
            operations: 1000,
            processes: 10,
            keys: 10,
            nodes: 0,
            final_reads: false,
            level: None,
            anomaly: None,
            anomalies: 1,
            crash_rate: 0.0,
            fail_rate: 0.0,
            read_rate: 0.5,
            cas_rate: 0.0,
            values: None,
            max_writes_per_key: 32,
            max_transaction_length: 4,
            seed: 0,
        }
    }

    /// What the store guarantees.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level.unwrap_or(Level::strongest(self.vocabulary))
    }

    /// Whether a history can be generated.
    ///
    /// # Errors
    /// The option that can't be met, and what could be.
    pub fn validate(&self) -> Result<(), OptionsError> {
        let error = |message: String, help: String| Err(OptionsError { message, help });
        let vocabulary = self.vocabulary;
        let level = self.level();
        if !level.fits(vocabulary) {
            let fitting = list(Level::ALL.iter().filter(|level| level.fits(vocabulary)));
            return error(
                format!("no {vocabulary} store has the isolation {level}"),
                format!("choose one of: {fitting}"),
            );
        }
        if let Some(anomaly) = self.anomaly
            && !anomaly.fits(vocabulary)
        {
            let fitting = list(Anomaly::ALL.iter().filter(|anomaly| anomaly.fits(vocabulary)));
            return error(format!("a {vocabulary} history can't show {anomaly}"), format!("choose one of: {fitting}"));
        }
        for (name, count) in [("processes", self.processes), ("keys", self.keys)] {
            if count == 0 {
                return error(format!("no history has 0 {name}"), format!("give {name} at least 1"));
            }
        }
        if self.final_reads && vocabulary == Vocabulary::ListAppend {
            return error("list-append has no final reads".into(), "leave final reads away".into());
        }
        if self.values == Some(0) {
            return error("nothing can be written with 0 values".into(), "give values at least 1".into());
        }
        let rates = [self.crash_rate, self.fail_rate, self.read_rate, self.cas_rate];
        for (name, rate) in ["crash rate", "fail rate", "read rate", "cas rate"].into_iter().zip(rates) {
            if !(0.0..=1.0).contains(&rate) {
                return error(format!("the {name} is {rate}"), "give a share between 0 and 1".into());
            }
        }
        Ok(())
    }
}

impl Anomaly {
    /// Whether a history of a vocabulary can show it.
    #[must_use]
    pub fn fits(self, vocabulary: Vocabulary) -> bool {
        match vocabulary {
            Vocabulary::Register => objects::register(self).is_some(),
            Vocabulary::Kv => objects::string(self).is_some(),
            Vocabulary::ListAppend => transactions::script(self).is_some(),
        }
    }
}

/// Options that no history meets.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct OptionsError {
    /// Which, and why.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Writes a history, a block of records at a time.
///
/// # Errors
/// What the writer says; [`io::ErrorKind::InvalidInput`] with an [`OptionsError`] for options that [`Options::validate`]
/// refuses.
pub fn generate(options: &Options, out: &mut dyn Write) -> io::Result<()> {
    options.validate().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let mut random = random::Random::new(options.seed);
    let mut lines = lines::Lines::new(out, options.nodes);
    match options.vocabulary {
        Vocabulary::Register => clients::run(&mut register::Registers::new(options), options, &mut lines, &mut random),
        Vocabulary::ListAppend => clients::run(&mut list_append::Lists::new(options), options, &mut lines, &mut random),
        Vocabulary::Kv => clients::run(&mut kv::Strings::new(options), options, &mut lines, &mut random),
    }
}

fn list<'a, T: ToString + 'a>(names: impl Iterator<Item = &'a T>) -> String {
    names.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
