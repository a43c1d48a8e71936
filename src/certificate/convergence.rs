//! `eventual`: once writing had stopped, every server showed the same, and that was written and not overwritten.
//!
//! The evidence names, for each key, the write of what is there in the end. The history has to have a `final` read of the key at
//! every server that did anything, begun after the key's last acknowledged write had completed; each of these shows what
//! that write left, and nothing had certainly overwritten it (see `versions`). No read of the history shows what nobody wrote. Where a
//! bound is claimed, each acknowledged write is visible to every read that began that long after it.
//!
//! Cost: n log n.

use serde::{Deserialize, Serialize};

use super::accesses::Accesses;
use super::evidence::{by_revision, other};
use super::versions::{Clock, Key, NEVER, Read, Unexplained, Write};
use super::{Beside, Certificate, Claim, Ruling, Set};
use crate::history::Value;

/// What is there in the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convergence {
    /// The [`times`](super::times) of the history.
    pub times: String,
    /// After how many nanoseconds an acknowledged write is visible to all; absent where that is not claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_ns: Option<i64>,
    /// By key, in order of first appearance: the position of the write whose value is there in the end; null where it is what was
    /// there at first.
    pub writes: Vec<Option<u32>>,
}

/// What becomes of a claim that the servers converge.
pub(super) fn rule(beside: &Beside<'_>, certificate: &Certificate, claim: &Claim, evidence: &Convergence) -> Ruling {
    let known = ["register", "list-append"].contains(&certificate.workload.as_str());
    if !known || claim.guarantee != "eventual" {
        return other(certificate, claim);
    }
    kept(beside, evidence).map_or_else(|ruling| ruling, Ruling::Proved)
}

fn refuse<T>(why: String) -> Result<T, Ruling> {
    Err(Ruling::Refused(why))
}

/// That the servers converge, in words; or what fails.
pub(super) fn kept(beside: &Beside<'_>, evidence: &Convergence) -> Result<String, Ruling> {
    by_revision(beside.history)?;
    let (accesses, keys) = (beside.accesses()?, beside.keys()?);
    if evidence.within_ns.is_some() && beside.times() != evidence.times {
        return refuse("its times are of another history: their digest is another".to_owned());
    }
    if evidence.writes.len() != keys.len() {
        return refuse(format!("it names the end of {} keys, and there are {}", evidence.writes.len(), keys.len()));
    }
    let servers = servers(accesses);
    let (mut finals, mut written) = (0, 0);
    for (key, write) in keys.iter().zip(&evidence.writes) {
        for (row, why) in &key.unexplained {
            let last = accesses.rows[*row as usize].op.is_final();
            if *why == Unexplained::Nobody || *why == Unexplained::Failed && last {
                return refuse(format!("{} shows what nobody wrote, or only a write that failed", accesses.name(*row)));
            }
        }
        let end = End { accesses, key, write: *write };
        let count = end.look(&servers)?;
        finals += count;
        let acknowledged = key.writes.iter().any(|write| write.row.is_some() && write.acknowledged != NEVER);
        written += usize::from(acknowledged);
    }
    if written == 0 {
        return Err(Ruling::Unproved("no key was written and read after that: nothing could have diverged".to_owned()));
    }
    let visible = match evidence.within_ns {
        None => String::new(),
        Some(bound) => {
            in_time(accesses, keys, bound)?;
            format!("; each acknowledged write is visible {bound} ns later")
        }
    };
    Ok(format!(
        "{finals} final reads of {} keys at {} servers show what the write that is named left, and nothing had overwritten it{visible}",
        keys.len(),
        servers.len()
    ))
}

/// Every server that did anything; where none is named, that is one.
fn servers(accesses: &Accesses<'_>) -> Set<Value> {
    let ok = accesses.rows.iter().filter(|access| access.is_ok()).map(|access| access.op.node());
    let named: Set<Value> = ok.filter(|node| !node.is_null()).collect();
    if named.is_empty() { std::iter::once(Value::ABSENT).collect() } else { named }
}

/// One key in the end.
struct End<'a, 'h> {
    accesses: &'a Accesses<'h>,
    key: &'a Key,
    write: Option<u32>,
}

impl End<'_, '_> {
    /// How many final reads show it.
    fn look(&self, servers: &Set<Value>) -> Result<usize, Ruling> {
        let (accesses, key) = (self.accesses, self.key);
        let name = |read: &Read| accesses.name(read.row);
        let acknowledged = key.writes.iter().map(|write| write.acknowledged).filter(|end| *end != NEVER);
        let quiet = acknowledged.max().unwrap_or(0);
        let access = |read: &Read| &accesses.rows[read.row as usize];
        let finals: Vec<&Read> =
            key.reads.iter().filter(|read| access(read).op.is_final() && read.began > quiet).collect();
        let node = |read: &Read| Some(access(read).op.node()).filter(|node| !node.is_null()).unwrap_or(Value::ABSENT);
        let read_at: Set<Value> = finals.iter().map(|read| node(read)).collect();
        let Some(first) = finals.first() else {
            return refuse("a key has no final read that began after its last write had completed".to_owned());
        };
        if let Some(missing) = servers.iter().filter(|server| !read_at.contains(*server)).min() {
            let server = accesses.history.values().json(*missing, 60);
            return refuse(format!("the key of {} has no final read at server {server}", name(first)));
        }
        if key.contradictory {
            return Err(Ruling::Unproved("lists contradict each other, so nobody knows what is newer".to_owned()));
        }
        let position = |write: &Write| write.row.map(|row| accesses.rows[row as usize].op.position());
        let value = |write: &Write| write.row.map(|row| accesses.rows[row as usize].value);
        let seen = |read: &Read| value(&key.writes[read.write]);
        let overwritten = key.first_overwritten(|write| write.ended);
        for read in &finals {
            if access(read).value != access(first).value {
                return refuse(format!("{} and {} differ", name(first), name(read)));
            }
            // Of several writes of one value, another read may have seen another.
            let mut named = key.writes.iter().enumerate().filter(|(_, write)| position(write) == self.write);
            if !named.any(|(at, write)| at == read.write || value(write).is_some() && value(write) == seen(read)) {
                return refuse(format!("{} does not show what the write that is named left", name(read)));
            }
            if overwritten[read.write] < read.began {
                return refuse(format!("{} shows what had been overwritten", name(read)));
            }
        }
        Ok(finals.len())
    }
}

/// Whether each acknowledged write is visible to every read that began later than the bound after it.
fn in_time(accesses: &Accesses<'_>, keys: &[Key], bound: i64) -> Result<(), Ruling> {
    let clock = Clock::of(accesses.history);
    let clock = clock.ok_or_else(|| Ruling::Unproved("no record has a time".to_owned()))?;
    for key in keys {
        let first = key.first_overwritten(|write| write.acknowledged);
        for read in &key.reads {
            let acknowledged = first[read.write];
            let late = || clock.between(acknowledged, &accesses.rows[read.row as usize]) > bound;
            if acknowledged < read.began && late() {
                return refuse(format!("{} misses a write for longer than the bound", accesses.name(read.row)));
            }
        }
    }
    Ok(())
}
