//! Levels of visibility: a read may miss what somebody left behind whom its transaction does not see.
//!
//! What a transaction sees is all that differs. Who sees comes after who is seen in the order, so that somebody who left a version
//! which a read misses is looked for from the reader back to the first of these versions, and no further.

use super::versions::{Read, Versions};
use crate::certificate::Map;

/// Whom a transaction sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sees {
    /// Whom it read from before that read, in its program.
    ReadSoFar,
    /// Whom it read from.
    Read,
    /// Whom it read from, and its session's earlier transactions.
    SessionAndRead,
    /// Whom it read from, and whoever wrote before it what it wrote, too.
    Overwritten,
    /// Whom reads lead back to.
    Reads,
    /// Whom reads and sessions lead back to.
    SessionsAndReads,
    /// Whom reads and overwritten versions lead back to.
    Dependencies,
    /// The same, of what it had read and written before that read, in its program.
    DependenciesSoFar,
    /// Whom reads, overwritten versions, and what writing transactions missed lead back to. These themselves miss nothing.
    Updates,
    /// Whoever left a version of a key that it read and later wrote itself.
    Cursor,
}

/// Steps after which nothing is said any more.
const MOST_STEPS: u64 = 2_000_000_000;

struct Search<'a, 'h> {
    versions: &'a Versions<'h>,
    sees: Sees,
    /// Who read a version and wrote something: by key and version.
    readers: Map<(u32, u32), Vec<u32>>,
    /// By transaction: the last question that came to it.
    visited: Vec<u32>,
    question: u32,
    open: Vec<u32>,
    steps: u64,
}

/// That no read misses what somebody left behind whom its transaction sees; `false`: it takes too long to tell.
pub(super) fn kept(versions: &Versions<'_>, sees: Sees) -> Result<bool, String> {
    let mut search = Search {
        versions,
        sees,
        readers: Map::default(),
        visited: vec![u32::MAX; versions.len() as usize],
        question: 0,
        open: Vec::new(),
        steps: 0,
    };
    if sees == Sees::Updates {
        for (at, read) in versions.all().filter(|(at, _)| !versions.writes_of(*at).is_empty()) {
            search.readers.entry((read.key, read.version)).or_default().push(at);
        }
    }
    for at in 0..versions.len() {
        let lacking: Vec<&Read> =
            versions.reads_of(at).iter().filter(|read| !versions.missed(at, read).is_empty()).collect();
        let apart = matches!(sees, Sees::ReadSoFar | Sees::DependenciesSoFar | Sees::Cursor);
        for reads in lacking.chunks(if apart { 1 } else { lacking.len().max(1) }) {
            search.ask(at, reads)?;
            if search.steps > MOST_STEPS {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

impl Search<'_, '_> {
    /// Whether a transaction sees somebody whom one of these reads misses; several, where they see the same.
    fn ask(&mut self, at: u32, reads: &[&Read]) -> Result<(), String> {
        let versions = self.versions;
        let writes = versions.writes_of(at);
        let missed = |read: &&Read| versions.missed(at, read).first().copied();
        let Some(first) = reads.iter().filter_map(missed).min() else { return Ok(()) };
        match self.sees {
            Sees::Cursor => {
                let written = |read: &&&Read| writes.iter().any(|own| own.key == read.key && own.mop > read.mop);
                return match reads.iter().find(written) {
                    Some(read) => {
                        Err(versions.refusal(at, read, missed(read).unwrap_or(0), "and then it overwrites these"))
                    }
                    None => Ok(()),
                };
            }
            Sees::Updates if !writes.is_empty() => {
                return Err(versions.refusal(at, reads[0], missed(&reads[0]).unwrap_or(0), "and it writes itself"));
            }
            _ => {}
        }
        self.question += 1;
        let so_far = matches!(self.sees, Sees::ReadSoFar | Sees::DependenciesSoFar);
        let until = if so_far { reads[0].mop } else { u32::MAX };
        self.push_from(at, until, first);
        if self.sees == Sees::Overwritten {
            for read in reads {
                for other in versions.missed(at, read) {
                    self.steps += 1 + writes.len() as u64;
                    let both = |own: &super::chains::Write| {
                        versions.writes_of(*other).binary_search_by_key(&own.key, |write| write.key).is_ok()
                    };
                    if writes.iter().any(both) {
                        return Err(versions.refusal(at, read, *other, "and overwrites others of its versions"));
                    }
                }
            }
        }
        while let Some(seen) = self.open.pop() {
            self.steps += reads.len() as u64;
            if let Some(read) = reads.iter().find(|read| versions.misses(at, read, seen)) {
                self.open.clear();
                return Err(versions.refusal(at, read, seen, "which it sees"));
            }
            match self.sees {
                Sees::Read | Sees::ReadSoFar | Sees::SessionAndRead | Sees::Overwritten => {}
                _ => self.push_from(seen, u32::MAX, first),
            }
            if self.steps > MOST_STEPS {
                self.open.clear();
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whom a transaction sees directly, of what it did up to a micro-operation; from a place of the order on.
    fn push_from(&mut self, at: u32, until: u32, first: u32) {
        let versions = self.versions;
        let (earlier, writes) = (versions.order.placed[at as usize].earlier, versions.writes_of(at));
        for read in versions.reads_of(at).iter().filter(|read| read.mop <= until) {
            self.push(versions.writer(read.key, read.version), first);
        }
        match self.sees {
            Sees::SessionAndRead => {
                let mut earlier = earlier;
                while let Some(before) = earlier.filter(|before| *before >= first) {
                    self.push(Some(before), first);
                    earlier = versions.order.placed[before as usize].earlier;
                }
            }
            Sees::SessionsAndReads => self.push(earlier, first),
            Sees::Dependencies | Sees::DependenciesSoFar | Sees::Updates => {
                for write in writes.iter().filter(|write| write.mop <= until) {
                    self.push(versions.writer(write.key, write.version - 1), first);
                }
            }
            _ => {}
        }
        if self.sees == Sees::Updates {
            for write in writes {
                let readers = self.readers.get(&(write.key, write.version - 1)).cloned().unwrap_or_default();
                readers.into_iter().filter(|reader| *reader != at).for_each(|reader| self.push(Some(reader), first));
            }
        }
    }

    fn push(&mut self, seen: Option<u32>, first: u32) {
        self.steps += 1;
        let Some(seen) = seen.filter(|seen| *seen >= first) else { return };
        if std::mem::replace(&mut self.visited[seen as usize], self.question) != self.question {
            self.open.push(seen);
        }
    }
}
