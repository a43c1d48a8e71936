//! A stale read: what is claimed of it, and in words: the read, what it saw, and who had overwritten that.

use serde::{Deserialize, Serialize};

use super::objects::Cast;
use super::recheck::staleness::{Missed, Shown, Sight, bears_out, look, seen_before};
use super::sessions::Access;
use super::{Minimality, Witness, claim, deeds};
use crate::guarantee::Anomaly;
use crate::history::{History, OpId, Status};

/// What is claimed of a read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The read.
    pub read: Access,
    /// Writes that it missed, and that are named. Durations are about the first one.
    pub missed: Vec<Access>,
    /// What is said of that.
    pub says: Says,
}

/// What is said of a read that missed writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Says {
    /// It returned what had been overwritten before it began.
    Overwritten {
        /// By how many writes, at least.
        versions: u32,
        /// Since how long, at least, in nanoseconds; nothing without times.
        age_ns: Option<i64>,
    },
    /// It is final, and so they are lost, or what they had replaced is back.
    Gone,
    /// It began too long after they had been acknowledged.
    Overdue {
        /// How long after, at least, in nanoseconds.
        age_ns: i64,
        /// The bound.
        within_ns: i64,
    },
}

impl Claim {
    pub(super) fn operations_mut(&mut self) -> Vec<&mut OpId> {
        std::iter::once(&mut self.read).chain(&mut self.missed).map(|access| &mut access.op).collect()
    }
}

/// A claim as a witness, confirmed from the whole history where that bears it out.
#[must_use]
pub fn witness(history: &History, anomaly: Anomaly, claim: &Claim, minimality: Minimality) -> Witness {
    let sight = look(history, claim.read);
    let rechecked = sight.as_ref().is_some_and(|sight| bears_out(history, anomaly, claim, sight));
    let mut told = match &sight {
        Some(sight) => Story::new(history, claim, sight).tell(anomaly),
        None => plainly(history, claim),
    };
    told.minimality = minimality;
    told.rechecked = rechecked;
    told.claim = Some(claim::Claim::Stale(claim.clone()).to_json(history));
    told
}

/// The operations of some accesses, in order of beginning, each once.
pub(super) fn cast<'h>(history: &'h History, accesses: &[Access]) -> Cast<'h> {
    let mut accesses = accesses.to_vec();
    accesses.sort_by_key(|access| (history.op(access.op).began(), *access));
    accesses.dedup_by_key(|access| access.op);
    let key = accesses.last().map_or(crate::history::Value::ABSENT, |access| deeds::key(history, *access));
    Cast::new(history, key, accesses.iter().map(|access| (access.op, deeds::deed(history, *access))).collect())
}

/// The operations, where the history does not tell what the read saw.
fn plainly(history: &History, claim: &Claim) -> Witness {
    let accesses: Vec<Access> = claim.missed.iter().copied().chain([claim.read]).collect();
    let mut cast = cast(history, &accesses);
    for write in &claim.missed {
        cast.before(write.op, claim.read.op);
    }
    cast.witness("Nothing else tells what this read saw.", Minimality::Bounded, false)
}

struct Story<'a> {
    history: &'a History,
    claim: &'a Claim,
    sight: &'a Sight,
    missed: Vec<&'a Missed>,
    /// A read that showed the first one before.
    before: Option<(Access, super::objects::Source)>,
    cast: Cast<'a>,
}

impl<'a> Story<'a> {
    fn new(history: &'a History, claim: &'a Claim, sight: &'a Sight) -> Story<'a> {
        let missed: Vec<&Missed> = (claim.missed.iter())
            .filter_map(|write| sight.missed.iter().find(|missed| missed.by == Some(*write)))
            .collect();
        let overdue = matches!(claim.says, Says::Overdue { .. });
        let gone = claim.says == Says::Gone;
        let before = missed.first().filter(|_| gone).and_then(|first| seen_before(history, claim, first));
        let mut all = vec![claim.read];
        all.extend(sight.seen.map(|seen| seen.0));
        all.extend(sight.since.shown.map(|shown| shown.0));
        all.extend(&claim.missed);
        all.extend(missed.iter().filter_map(|missed| missed.end.shown).map(|shown| shown.0).filter(|_| !overdue));
        all.extend(before.map(|before| before.0));
        Story { history, claim, sight, missed, before, cast: cast(history, &all) }
    }

    fn tell(mut self, anomaly: Anomaly) -> Witness {
        let read = self.claim.read;
        if let Some((seen, source)) = self.sight.seen {
            self.cast.shows(seen.op, read.op, source);
        }
        for missed in self.missed.clone() {
            self.tell_missed(missed);
        }
        let meaning = match self.claim.says {
            Says::Overwritten { versions, age_ns } => self.tell_overwritten(versions, age_ns),
            Says::Gone => self.tell_gone(anomaly),
            Says::Overdue { age_ns, within_ns } => {
                let writer = self.claim.missed.first().map_or("a write", |write| self.cast.name(write.op));
                format!(
                    "{} began {} after {writer} had been acknowledged, and did not show it; the bound is {}.",
                    self.cast.name(read.op),
                    deeds::duration(age_ns),
                    deeds::exactly(within_ns)
                )
            }
        };
        self.cast.witness(&meaning, Minimality::Bounded, false)
    }

    /// That a write had taken effect after what was read, and before the read began.
    fn tell_missed(&mut self, missed: &Missed) {
        let Some(write) = missed.by else { return };
        let read = self.claim.read.op;
        // Where the order of versions is known, that and not real time says which is newer.
        if let Some((since, _)) = self.sight.since.shown.filter(|_| !self.sight.is_ordered)
            && since.op != write.op
        {
            self.cast.before(since.op, write.op);
        }
        if matches!(self.claim.says, Says::Overdue { .. }) {
            return self.cast.before(write.op, read);
        }
        let seen = match missed.end.shown {
            Some((access, Shown::Seen(source))) => Some((access, source)),
            _ => self.before,
        };
        if let Some((access, source)) = seen {
            self.cast.shows(write.op, access.op, source);
            self.cast.before(access.op, read);
        }
        if matches!(missed.end.shown, Some((_, Shown::Itself))) {
            self.cast.before(write.op, read);
        }
    }

    fn tell_overwritten(&mut self, versions: u32, age_ns: Option<i64>) -> String {
        let read = self.claim.read;
        let since = match age_ns {
            Some(age) => format!("at least {} before it began", deeds::duration(age)),
            None => "before it began".to_owned(),
        };
        let missed = match versions {
            1 => "it missed one version".to_owned(),
            versions => format!("it missed {versions} versions"),
        };
        if let Some(first) = self.claim.missed.first() {
            let because = format!(
                "{} returned {}, which {} had replaced {since}; {missed}",
                self.cast.name(read.op),
                deeds::value(self.history, read),
                self.cast.name(first.op)
            );
            self.cast.step(first.op, read.op, "stale", because);
        }
        "Whoever read this acted on data that was no longer true, and was not told so.".to_owned()
    }

    fn tell_gone(&self, anomaly: Anomaly) -> String {
        let read = self.claim.read;
        let Some(missed) = self.claim.missed.first() else { return String::new() };
        let (newer, returned) = (deeds::value(self.history, *missed), deeds::value(self.history, read));
        let name = self.cast.name(read.op);
        let known = match self.history.op(missed.op).status() {
            Status::Ok => "which a client had been told was stored",
            Status::Fail | Status::Info => "which had been there",
        };
        match anomaly {
            Anomaly::Resurrection => format!(
                "After everything had settled, {name} returned {returned}, which {newer} had replaced, and {newer} had been \
                 seen since: what was overwritten came back."
            ),
            _ => format!(
                "After everything had settled, {name} returned {returned} without {newer}, {known}: it is lost."
            ),
        }
    }
}
