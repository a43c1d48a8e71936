//! What of a history's accesses counts for sessions: who read whose write, what precedes what in each session, and what is
//! known of the order of versions.
//!
//! Counted are the accesses that happened, and of reads those that tell which write they saw. To leave a read out asks less
//! of an order, so that what is violated without it is violated with it; what holds without it may not.
//!
//! The known order of versions is a tree for each key (see [`Accesses`]); a version precedes another if it is above it, which two
//! numbers tell.

use super::ring;
use crate::history::Status;
use crate::workload::accesses::{Accesses, NONE, Order};

/// Stands for the writer of all initial versions, where a row is meant.
pub(super) const INITIAL: u32 = NONE - 1;

/// See the module's text.
pub(super) struct Facts<'a, 'h> {
    pub(super) accesses: &'a Accesses<'h>,
    /// By row.
    pub(super) counted: Vec<bool>,
    /// By row: the counted one of its session before it, or [`NONE`]. What is of unknown outcome precedes nothing.
    pub(super) before: Vec<u32>,
    /// By row: of a counted read, the row of the write that it saw, or [`INITIAL`]; else [`NONE`].
    pub(super) source: Vec<u32>,
    /// By version: its place in a walk through the tree of its key ...
    pub(super) enter: Vec<u32>,
    /// ... and the last place below it.
    pub(super) leave: Vec<u32>,
    /// By key: whether some version is known to follow another that is not the initial one.
    pub(super) ordered: Vec<bool>,
    /// Reads that don't tell which write they saw.
    pub(super) untold: u64,
    /// Reads of what their own session wrote only later, in another operation; and the writes. They are not counted.
    pub(super) future: Vec<(u32, u32)>,
    pub(super) reads: u64,
    pub(super) writes: u64,
    /// By version: the nearest write that is known to precede it, or [`NONE`].
    pub(super) known: Vec<u32>,
    /// Where reads and known orders lead back in the order of rows: from, to.
    pub(super) back: Vec<(u32, u32)>,
    /// Reads that the order of rows does not explain, in order: the first row that can matter to each, and the read.
    pub(super) doubtful: Vec<(u32, u32)>,
    /// Counted rows, those of one session and key together.
    pub(super) groups: Groups,
}

impl<'a, 'h> Facts<'a, 'h> {
    pub(super) fn new(accesses: &'a Accesses<'h>) -> Facts<'a, 'h> {
        let rows = accesses.len();
        let (enter, leave) = walk(accesses);
        let mut facts = Facts {
            accesses,
            counted: vec![false; rows],
            before: vec![NONE; rows],
            source: vec![NONE; rows],
            enter,
            leave,
            ordered: vec![false; accesses.keys.len()],
            untold: 0,
            future: Vec::new(),
            reads: 0,
            writes: 0,
            known: Vec::new(),
            back: Vec::new(),
            doubtful: Vec::new(),
            groups: Groups { rows: Vec::new(), ends: Vec::new() },
        };
        for version in accesses.keys.len()..accesses.versions() {
            let key = accesses.version_key[version] as usize;
            facts.ordered[key] |= accesses.parent[version] as usize != key;
        }
        facts.count();
        (facts.known, facts.groups) = rayon::join(|| ring::known(&facts, |_| true), || facts.grouped());
        facts.back = ring::backward(&facts);
        facts.doubtful = facts.unexplained();
        facts
    }

    fn count(&mut self) {
        let accesses = self.accesses;
        let mut last = vec![NONE; accesses.sessions as usize];
        // The row before, if it is of the same operation.
        let mut within = NONE;
        for row in 0..accesses.len() {
            if within != NONE && accesses.op[within as usize] != accesses.op[row] {
                within = NONE;
            }
            let version = accesses.version[row] as usize;
            if !accesses.happened[row] {
                continue;
            }
            if accesses.writes[row] {
                self.writes += 1;
            } else if accesses.ambiguous[version] {
                self.untold += 1;
                continue;
            } else {
                let source =
                    if accesses.is_initial(accesses.version[row]) { INITIAL } else { accesses.writer[version] };
                // From nowhere, or of a failed write: anomalies of their own, which break everything.
                if source != INITIAL && !accesses.happened.get(source as usize).copied().unwrap_or(false) {
                    continue;
                }
                if source < INITIAL
                    && source as usize > row
                    && accesses.session(source as usize) == accesses.session(row)
                    && accesses.status(row) == Status::Ok
                {
                    // Breaks everything too. Within one operation, it is that operation's anomaly.
                    if accesses.op[source as usize] != accesses.op[row] {
                        self.future.push((id(row), source));
                    }
                    continue;
                }
                self.reads += 1;
                self.source[row] = source;
            }
            self.counted[row] = true;
            let session = &mut last[accesses.session(row) as usize];
            self.before[row] = if within == NONE { *session } else { within };
            within = id(row);
            if accesses.status(row) == Status::Ok {
                *session = within;
            }
        }
    }

    /// Whether other accesses of the session can follow it.
    #[inline]
    pub(super) fn is_followed(&self, row: u32) -> bool {
        self.accesses.status(row as usize) == Status::Ok
    }

    /// Whether a version is known to precede another of its key.
    #[inline]
    pub(super) fn precedes(&self, version: u32, other: u32) -> bool {
        let (version, other) = (version as usize, other as usize);
        self.enter[version] < self.enter[other] && self.enter[other] <= self.leave[version]
    }

    /// The version of a counted row.
    #[inline]
    pub(super) fn version(&self, row: u32) -> u32 {
        self.accesses.version[row as usize]
    }

    /// Whether a key's versions are all in one known order.
    pub(super) fn is_line(&self, key: u32) -> bool {
        matches!(self.accesses.order[key as usize], Order::Line { .. })
    }

    /// Whether sessions, reads and known orders lead on in the order of rows.
    pub(super) fn is_forward(&self) -> bool {
        self.back.is_empty()
    }

    /// Reads that show another write than the one of their key which is before them in the order of rows. Where that order leads
    /// on, what a read has in its past is before it; so the past of any other read forces nothing that leads back.
    fn unexplained(&self) -> Vec<(u32, u32)> {
        let accesses = self.accesses;
        let (mut first, mut last) = (vec![NONE; accesses.keys.len()], vec![INITIAL; accesses.keys.len()]);
        let mut doubtful = Vec::new();
        for row in (0..accesses.len()).filter(|row| self.counted[*row]) {
            let key = accesses.key[row] as usize;
            let source = self.source[row];
            if accesses.writes[row] {
                first[key] = first[key].min(id(row));
                last[key] = id(row);
            } else if !self.is_forward() {
                doubtful.push((0, id(row)));
            } else if source != last[key] {
                doubtful.push((if source == INITIAL { first[key] } else { source }, id(row)));
            }
        }
        doubtful
    }

    fn grouped(&self) -> Groups {
        let accesses = self.accesses;
        let counted: Vec<u32> = (0..id(accesses.len())).filter(|row| self.counted[*row as usize]).collect();
        let by_key = sorted(&counted, accesses.keys.len(), |row| accesses.key[row as usize]);
        let rows = sorted(&by_key, accesses.sessions as usize, |row| accesses.session(row as usize));
        let mut ends = Vec::new();
        for at in 1..=rows.len() {
            let differs = rows.get(at).is_none_or(|row| {
                let (row, last) = (*row as usize, rows[at - 1] as usize);
                accesses.key[row] != accesses.key[last] || accesses.session(row) != accesses.session(last)
            });
            if differs {
                ends.push(at);
            }
        }
        Groups { rows, ends }
    }
}

/// Rows in groups.
pub(super) struct Groups {
    rows: Vec<u32>,
    ends: Vec<usize>,
}

impl Groups {
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.rows[start..*end])
    }
}

/// A stable sort by small numbers, in linear time.
fn sorted(rows: &[u32], count: usize, number: impl Fn(u32) -> u32) -> Vec<u32> {
    let mut next = vec![0usize; count + 1];
    for row in rows {
        next[number(*row) as usize + 1] += 1;
    }
    for at in 0..count {
        next[at + 1] += next[at];
    }
    let mut out = vec![0; rows.len()];
    for row in rows {
        let at = &mut next[number(*row) as usize];
        out[*at] = *row;
        *at += 1;
    }
    out
}

/// Each version's place in a walk through its tree, and the last place below it.
pub(super) fn walk(accesses: &Accesses<'_>) -> (Vec<u32>, Vec<u32>) {
    let count = accesses.versions();
    let (mut first, mut next) = (vec![NONE; count], vec![NONE; count]);
    for version in (accesses.keys.len()..count).rev() {
        let parent = accesses.parent[version] as usize;
        next[version] = std::mem::replace(&mut first[parent], id(version));
    }
    let (mut enter, mut leave) = (vec![0; count], vec![0; count]);
    let mut place = 0;
    for root in 0..accesses.keys.len() {
        let mut at = id(root);
        'tree: loop {
            enter[at as usize] = place;
            place += 1;
            if first[at as usize] != NONE {
                at = first[at as usize];
                continue;
            }
            loop {
                leave[at as usize] = place - 1;
                if at as usize == root {
                    break 'tree;
                }
                if next[at as usize] != NONE {
                    at = next[at as usize];
                    break;
                }
                at = accesses.parent[at as usize];
            }
        }
    }
    (enter, leave)
}

/// A count as an id.
pub(super) fn id(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}
