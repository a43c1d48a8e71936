//! `bounded-staleness`: no read is certainly staler than a bound.
//!
//! That is said of every read, so there is nothing to find: the evidence is the bounds, and the digest of the times that they
//! rest on. Each read is looked at again: of the writes that had certainly overwritten what it shows when it began, how many
//! there are, and how long before the first of them had taken effect (see `versions`).
//!
//! Cost: n log n.

use serde::{Deserialize, Serialize};

use super::accesses::Accesses;
use super::evidence::{by_revision, other};
use super::versions::{Clock, Key, NEVER, Read, Unexplained};
use super::{Beside, Certificate, Claim, Ruling};

/// Bounds that every read keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staleness {
    /// The [`times`](super::times) of the history.
    pub times: String,
    /// One for each requirement.
    pub bounds: Vec<Bound>,
}

/// How stale a read may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// By how long, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<i64>,
    /// By how many versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<u32>,
    /// Whether a read is too stale only beyond both; else beyond either.
    #[serde(default)]
    pub all: bool,
}

impl Bound {
    /// Whether a read is staler; none where only a clock could tell.
    fn exceeded(&self, versions: u32, age: Option<i64>) -> Option<bool> {
        let by_versions = self.versions.map(|most| Some(versions > most));
        let by_time = self.time_ns.map(|most| age.map(|age| age > most));
        let parts: Vec<Option<bool>> = by_versions.into_iter().chain(by_time).collect();
        // One part that decides is enough; else each has to be known.
        if parts.contains(&Some(!self.all)) {
            return Some(!self.all);
        }
        if parts.contains(&None) { None } else { Some(self.all) }
    }

    fn text(&self) -> String {
        let time = self.time_ns.map(|most| format!("{most} ns"));
        let versions = self.versions.map(|most| format!("{most} versions"));
        time.into_iter().chain(versions).collect::<Vec<_>>().join(if self.all { " or " } else { " and " })
    }
}

/// What becomes of a claim that these bounds are kept.
pub(super) fn rule(beside: &Beside<'_>, certificate: &Certificate, claim: &Claim, evidence: &Staleness) -> Ruling {
    let known = ["register", "list-append"].contains(&certificate.workload.as_str());
    if !known || claim.guarantee != "bounded-staleness" {
        return other(certificate, claim);
    }
    if evidence.bounds.is_empty()
        || evidence.bounds.iter().any(|bound| bound.time_ns.is_none() && bound.versions.is_none())
    {
        return Ruling::Unproved("a bound is missing".to_owned());
    }
    let found = beside.times();
    if found != evidence.times {
        return Ruling::Refused(format!(
            "its times are of another history: their digest is {}, and this one's {found}",
            evidence.times
        ));
    }
    let looked = by_revision(beside.history)
        .and_then(|()| beside.accesses())
        .and_then(|accesses| look(accesses, beside.keys()?, &evidence.bounds));
    looked.map_or_else(|ruling| ruling, Ruling::Proved)
}

fn look(accesses: &Accesses<'_>, keys: &[Key], bounds: &[Bound]) -> Result<String, Ruling> {
    let clock = Clock::of(accesses.history);
    let (mut tested, mut stale) = (0_u64, 0_u64);
    for key in keys {
        if let Some((row, _)) = key.unexplained.iter().find(|(_, why)| *why == Unexplained::Nobody) {
            return Err(Ruling::Refused(format!("{} shows what nobody wrote", accesses.name(*row))));
        }
        if key.contradictory && !key.reads.is_empty() {
            return Err(Ruling::Unproved("lists contradict each other, so nobody knows what is newer".to_owned()));
        }
        let first = key.writes.iter().filter(|write| write.ended > 0).map(|write| write.ended).min().unwrap_or(NEVER);
        let overwritten = key.first_overwritten(|write| write.ended);
        let mut reads: Vec<&Read> = key.reads.iter().collect();
        reads.sort_by_key(|read| read.began);
        let mut counter = Counter::new(key);
        for read in reads {
            tested += u64::from(read.began > first);
            let end = overwritten[read.write];
            if end >= read.began {
                continue;
            }
            stale += 1;
            let versions = counter.overwriters(read);
            let age = clock.as_ref().map(|clock| clock.between(end, &accesses.rows[read.row as usize]));
            for bound in bounds {
                let by = || {
                    let age = age.map_or_else(String::new, |age| format!(" and {age} ns"));
                    format!("{} is stale by {versions} versions{age}", accesses.name(read.row))
                };
                match bound.exceeded(versions, age) {
                    Some(false) => {}
                    Some(true) => return Err(Ruling::Refused(format!("{}, and the bound is {}", by(), bound.text()))),
                    None => return Err(Ruling::Unproved(format!("{}, and no record has a time", by()))),
                }
            }
        }
    }
    if tested == 0 {
        return Err(Ruling::Unproved("no read began after a write had certainly taken effect".to_owned()));
    }
    let bounds: Vec<String> = bounds.iter().map(Bound::text).collect();
    Ok(format!(
        "of {tested} reads that began after a write had taken effect, {stale} are stale, and none by more than {}",
        bounds.join(", none by more than ")
    ))
}

/// How many writes overwrote what reads show, for reads in order of beginning: a Fenwick tree over the writes, in the order that
/// decides who overwrote whom, which takes them in as they take effect.
struct Counter<'k> {
    key: &'k Key,
    /// Writes in that order, and by their ends.
    sorted: Vec<usize>,
    by_end: Vec<usize>,
    taken: usize,
    place: Vec<usize>,
    sums: Vec<u32>,
}

impl<'k> Counter<'k> {
    fn new(key: &'k Key) -> Counter<'k> {
        let writes = &key.writes;
        let mut sorted: Vec<usize> = (0..writes.len()).collect();
        let mut by_end = sorted.clone();
        sorted.sort_by_key(|at| if key.ordered { writes[*at].place } else { writes[*at].began });
        by_end.sort_by_key(|at| writes[*at].ended);
        let mut place = vec![0; writes.len()];
        sorted.iter().enumerate().for_each(|(number, at)| place[*at] = number);
        Counter { key, sorted, by_end, taken: 0, place, sums: vec![0; writes.len() + 1] }
    }

    fn overwriters(&mut self, read: &Read) -> u32 {
        let writes = &self.key.writes;
        while let Some(at) = self.by_end.get(self.taken).filter(|at| writes[**at].ended < read.began) {
            let mut slot = self.place[*at] + 1;
            while let Some(sum) = self.sums.get_mut(slot) {
                *sum += 1;
                slot += slot & slot.wrapping_neg();
            }
            self.taken += 1;
        }
        let seen = &writes[read.write];
        let mut slot = self.sorted.partition_point(|at| !self.key.overwrote(&writes[*at], seen));
        let mut before = 0;
        while slot > 0 {
            before += self.sums[slot];
            slot -= slot & slot.wrapping_neg();
        }
        u32::try_from(self.taken).unwrap_or(u32::MAX) - before
    }
}
