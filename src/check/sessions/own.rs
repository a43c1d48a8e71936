//! `read-your-writes` and `monotonic-reads`, each session with an arbitration of its own.
//!
//! Decides: for one session and key, whether an order of the versions contains what the history tells of it and, for each
//! read, that what the session had to see by then comes before what it shows: its own writes, or what its reads have shown.
//! Keys don't meet: all that has to be ordered is of one key. Exact, both ways, by these arguments:
//!
//! - Monotonic reads: what was read is ordered by when it was read, so a circle needs a version that comes back after another
//!   one, or two versions of which the known order says the opposite; two reads show each of these, or three.
//! - Read your writes: a read orders all own earlier writes before what it shows. Take a circle and its last read. All own
//!   writes of the circle were made by then, so each is ordered before what this read shows. Either that is known to precede
//!   one of them; or it is an own write, made before another read of the circle which shows something that is, or is known to
//!   precede, an own write made by the last read. In the second case the known order can only come from a `cas` of the
//!   session's own, which had read what it replaced; so of all such reads the latest one is enough.
//!
//! Cost: linear; where a key's known order branches, and is more than that everything follows the initial version, a logarithm.

use std::collections::BTreeMap;

use super::facts::{Facts, INITIAL};
use super::links::{Between, Tally};
use crate::workload::accesses::NONE;

/// What one guarantee of a session's own came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// What breaks it.
    pub(super) tally: Tally,
    /// How many reads could have.
    pub(super) tested: u64,
}

/// Versions that a session has met, by their place in the walk of their tree, with the row that last met each.
struct Met {
    /// Only where the known order branches.
    places: Option<BTreeMap<u32, u32>>,
    /// The one with the last place.
    last: (u32, u32),
}

impl Met {
    fn new(branches: bool) -> Met {
        Met { places: branches.then(BTreeMap::new), last: (0, NONE) }
    }

    fn add(&mut self, place: u32, row: u32) {
        if self.last.1 == NONE || place >= self.last.0 {
            self.last = (place, row);
        }
        if let Some(places) = &mut self.places {
            places.insert(place, row);
        }
    }

    /// One that is known to follow a version.
    fn beyond(&self, facts: &Facts<'_, '_>, version: u32) -> Option<u32> {
        let (enter, leave) = (facts.enter[version as usize], facts.leave[version as usize]);
        if self.last.1 == NONE || self.last.0 <= enter || leave == enter {
            return None;
        }
        if self.last.0 <= leave {
            return Some(self.last.1);
        }
        let places = self.places.as_ref()?;
        places.range(enter + 1..=leave).next_back().map(|(_, row)| *row)
    }
}

/// Both guarantees, over all sessions and keys.
pub(super) fn judge(facts: &Facts<'_, '_>) -> (Own, Own) {
    let (mut writes, mut reads) = (Own::default(), Own::default());
    let mut seen_in = vec![(0u32, NONE); facts.accesses.versions()];
    for (group, rows) in (1u32..).zip(facts.groups.iter()) {
        if rows.len() < 2 {
            continue;
        }
        let key = facts.accesses.key[rows[0] as usize];
        let branches = facts.ordered[key as usize] && !facts.is_line(key);
        own_writes(facts, rows, branches, &mut writes);
        own_reads(facts, rows, branches, group, &mut seen_in, &mut reads);
    }
    (writes, reads)
}

/// A read of the session that orders its own writes before a version; the own write that this version is, or precedes.
#[derive(Clone, Copy)]
struct Ordered {
    version: u32,
    read: u32,
    write: u32,
}

fn own_writes(facts: &Facts<'_, '_>, rows: &[u32], branches: bool, found: &mut Own) {
    let accesses = facts.accesses;
    let session = accesses.session(rows[0] as usize);
    let mut own = Met::new(branches);
    let mut last_write = NONE;
    // The latest such reads, of two versions.
    let mut recent: [Option<Ordered>; 2] = [None, None];
    let order = |recent: &mut [Option<Ordered>; 2], one: Ordered| {
        if recent[0].is_some_and(|latest| latest.version != one.version) {
            recent[1] = recent[0];
        }
        recent[0] = Some(one);
    };
    for row in rows.iter().copied() {
        let version = facts.version(row);
        if accesses.writes[row as usize] {
            if !facts.is_followed(row) {
                continue;
            }
            let parent = accesses.parent[version as usize];
            let read = row.wrapping_sub(1);
            if branches && last_write != NONE && facts.source.get(read as usize).is_some_and(|s| *s != NONE) {
                let read_parent = accesses.op[read as usize] == accesses.op[row as usize]
                    && facts.version(read) == parent
                    && !accesses.is_initial(parent);
                if read_parent {
                    order(&mut recent, Ordered { version: parent, read, write: row });
                }
            }
            own.add(facts.enter[version as usize], row);
            last_write = row;
            continue;
        }
        if last_write == NONE {
            continue;
        }
        found.tested += 1;
        let source = facts.source[row as usize];
        if source == INITIAL {
            found.tally.add(facts, vec![Between::own(last_write, row, INITIAL)]);
            continue;
        }
        if let Some(newer) = own.beyond(facts, version) {
            found.tally.add(facts, vec![Between::replaced(source, newer), Between::own(newer, row, source)]);
            continue;
        }
        if accesses.session(source as usize) != session || source > row || !facts.is_followed(source) {
            continue;
        }
        // An own write, that another read of the session has ordered before one that was made since.
        let since = recent.iter().flatten().find(|one| one.version != version && one.read > source);
        if let Some(since) = since {
            let other = accesses.writer[since.version as usize];
            let mut circle = vec![Between::own(source, since.read, other)];
            if other != since.write {
                circle.push(Between::replaced(other, since.write));
            }
            circle.push(Between::own(since.write, row, source));
            found.tally.add(facts, circle);
        }
        order(&mut recent, Ordered { version, read: row, write: source });
    }
}

fn own_reads(
    facts: &Facts<'_, '_>,
    rows: &[u32],
    branches: bool,
    group: u32,
    seen_in: &mut [(u32, u32)],
    found: &mut Own,
) {
    let accesses = facts.accesses;
    let mut met = Met::new(branches);
    let mut last = NONE;
    for row in rows.iter().copied().filter(|row| !accesses.writes[*row as usize]) {
        let (version, source) = (facts.version(row), facts.source[row as usize]);
        if last != NONE {
            found.tested += 1;
            let shown = facts.source[last as usize];
            let again = seen_in[version as usize];
            if facts.version(last) == version || shown == INITIAL {
                // Nothing new, or nothing before.
            } else if source == INITIAL {
                found.tally.add(facts, vec![Between::reread(shown, last, row, INITIAL)]);
            } else if let Some(newer) = met.beyond(facts, version) {
                let write = facts.source[newer as usize];
                found
                    .tally
                    .add(facts, vec![Between::replaced(source, write), Between::reread(write, newer, row, source)]);
            } else if again.0 == group {
                let first = Between::reread(source, again.1, last, shown);
                found.tally.add(facts, vec![first, Between::reread(shown, last, row, source)]);
            }
        }
        if !facts.is_followed(row) {
            continue;
        }
        if source != INITIAL {
            met.add(facts.enter[version as usize], row);
        }
        seen_in[version as usize] = (group, row);
        last = row;
    }
}
