//! The history beside a certificate, and what several claims ask of it: made for the first, and kept for the others.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use super::accesses::Accesses;
use super::commits::{Gathered, Looked};
use super::versions::{Key, keys};
use super::{Certificate, Claim, Evidence, Ruling, SCHEMA, times};
use crate::history::History;

/// A history, to be gone through claim by claim.
pub struct Beside<'h> {
    pub(super) history: &'h History,
    accesses: OnceCell<Result<Accesses<'h>, String>>,
    keys: OnceCell<Vec<Key>>,
    times: OnceCell<String>,
    gathered: OnceCell<Result<Gathered, String>>,
    /// The last order of commits that was looked at.
    looked: RefCell<Option<Rc<Looked>>>,
}

impl std::fmt::Debug for Beside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beside").field("operations", &self.history.len()).finish_non_exhaustive()
    }
}

impl<'h> Beside<'h> {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(history: &'h History) -> Beside<'h> {
        let (accesses, gathered, looked) = (OnceCell::new(), OnceCell::new(), RefCell::new(None));
        Beside { history, accesses, keys: OnceCell::new(), times: OnceCell::new(), gathered, looked }
    }

    /// What becomes of a claim by its own evidence, of the history read as this vocabulary.
    #[must_use]
    pub fn rule(&self, workload: &str, claim: &Claim) -> Ruling {
        self.rule_by(workload, claim, &claim.evidence)
    }

    /// What would become of a claim by this evidence.
    #[must_use]
    pub fn rule_by(&self, workload: &str, claim: &Claim, evidence: &Evidence) -> Ruling {
        let (schema, workload) = (SCHEMA.to_owned(), workload.to_owned());
        let alone =
            Certificate { schema, history: String::new(), outline: None, workload, reading: None, claims: Vec::new() };
        let ruling = evidence.rule(self, &alone, claim);
        ruling.unwrap_or_else(|| Ruling::Unproved("it rests on another claim".to_owned()))
    }

    /// Reads and writes, of registers or of lists.
    pub(super) fn accesses(&self) -> Result<&Accesses<'h>, Ruling> {
        let read = self.accesses.get_or_init(|| Accesses::read(self.history));
        read.as_ref().map_err(|why| Ruling::Refused(why.clone()))
    }

    /// These, key by key.
    pub(super) fn keys(&self) -> Result<&[Key], Ruling> {
        let accesses = self.accesses()?;
        Ok(self.keys.get_or_init(|| keys(accesses)))
    }

    /// The digest of the times of the clock.
    pub(super) fn times(&self) -> &str {
        self.times.get_or_init(|| times(self.history))
    }

    /// The appends and lists of all transactions.
    pub(super) fn gathered(&self) -> Result<&Gathered, String> {
        self.gathered.get_or_init(|| Gathered::new(self.history)).as_ref().map_err(Clone::clone)
    }

    /// What an order of commits makes of the history: weaker levels ask again what stronger ones have asked.
    pub(super) fn looked(&self, gathered: &Gathered, order: &[u32]) -> Rc<Looked> {
        let mut last = self.looked.borrow_mut();
        let same = last.take().filter(|looked| looked.is_of(order));
        let looked = same.unwrap_or_else(|| Rc::new(Looked::new(self.history, gathered, order)));
        last.insert(looked).clone()
    }
}
