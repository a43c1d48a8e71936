//! `pram` and `causal-memory`: each session has one order of the writes and its own reads.
//!
//! Decides, for each session, whether some order of writes and its reads is legal and contains what leads to what: for `pram`,
//! session order and what its own reads show, over all writes; for `causal-memory`, session order and what all reads show, over what
//! leads to the session. The known orders of versions are in it either way.
//!
//! The session's reads are in order, so what a write precedes is told by its *level*, the first of these reads that it comes
//! before. A read of a version orders before it every write of its key whose level is not later; that can lower levels, until
//! nothing changes. Then there is an order exactly if nothing leads back: no read shows the initial version below a write's
//! level, no two versions are each ordered before the other, and what is ordered has no circle. Exact (Bouajjani, Enea, Guerraoui,
//! Hamza 2017, for causal memory; Wei et al. 2016 for PRAM: with distinct values, what reads force is all there is).
//!
//! A session whose reads the order of rows explains has that order. Of another one only the stretches are looked at in which it does
//! not, with what the session read of them and in them: no circle leaves these.
//!
//! Cost: O(m) for a session of which m rows are looked at, and round, with few rounds in practice; so O(n k) at most for k sessions,
//! under the meter.

use super::arbitrations::sorted;
use super::facts::{Facts, INITIAL, id};
use super::links::Between;
use super::ring::Stretches;
use crate::budget::Meter;
use crate::history::Status;
use crate::verdict::StoppedBy;
use crate::workload::accesses::{Accesses, NONE};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum View {
    /// `pram`.
    Pram,
    /// `causal-memory`.
    CausalMemory,
}

/// What is known of a session's own order.
pub(super) struct Levels<'f, 'a, 'h> {
    pub(super) facts: &'f Facts<'a, 'h>,
    pub(super) view: View,
    pub(super) session: u32,
    /// The rows that are looked at: the first, and the last.
    pub(super) stretch: (u32, u32),
    /// By row, of the stretch.
    pub(super) level: Vec<u32>,
    /// By row, of a write: the last read of the session that shows it, by number.
    pub(super) last: Vec<u32>,
    /// The session's reads, in order.
    pub(super) reads: Vec<u32>,
    /// The keys that the session reads.
    pub(super) keys: Vec<u32>,
    /// Where it is asked for: each write that a read forced before another one, in the order in which that was found.
    pub(super) log: Option<Vec<(u32, u32)>>,
}

/// Why a session has no order: links on which others rest, and a circle.
#[derive(Clone, Debug, Default)]
pub(super) struct Broken {
    pub(super) premises: Vec<Between>,
    pub(super) circle: Vec<Between>,
}

/// What came of the sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// Why the first session that has no such order has none.
    pub(super) broken: Option<Broken>,
    /// Reads that were left out: of compare-and-sets of unknown outcome whose session went on. They may have happened later than
    /// what follows them, so that their place among the session's reads is not known.
    pub(super) unplaced: u64,
}

/// The first session that has no such order, if there is one; it is told under a meter of its own.
///
/// # Errors
/// What ended the check.
pub(super) fn judge(
    facts: &Facts<'_, '_>,
    view: View,
    meter: &mut Meter<'_>,
    telling: &mut Meter<'_>,
) -> Result<Judged, StoppedBy> {
    let accesses = facts.accesses;
    let mut judged = Judged::default();
    if facts.doubtful.is_empty() {
        return Ok(judged);
    }
    let writes = by_key(facts);
    let sessions = accesses.sessions as usize;
    let (mut reads, mut doubtful) = (vec![Vec::new(); sessions], vec![Vec::new(); sessions]);
    for span in &facts.doubtful {
        doubtful[accesses.session(span.1 as usize) as usize].push(*span);
    }
    for row in (0..id(accesses.len())).filter(|row| facts.source[*row as usize] != NONE) {
        let session = accesses.session(row as usize) as usize;
        if !doubtful[session].is_empty() {
            reads[session].push(row);
        }
    }
    meter.hold(8 * accesses.len() as u64)?;
    let mut levels = Levels::new(facts, view);
    for (session, (mut reads, doubtful)) in (0u32..).zip(reads.into_iter().zip(doubtful)) {
        levels.session = session;
        judged.unplaced += leave_out_unplaced(accesses, &mut reads);
        for stretch in together(facts, &reads, doubtful).spans() {
            let from = reads.partition_point(|row| *row < stretch.0);
            let to = reads.partition_point(|row| *row <= stretch.1);
            if !levels.has_order(stretch, reads[from..to].to_vec(), &writes, meter)? {
                // To be told of the whole history.
                levels.log = Some(Vec::new());
                levels.has_order((0, id(accesses.len() - 1)), reads, &writes, telling)?;
                judged.broken = Some(levels.explain(&writes, telling)?);
                return Ok(judged);
            }
        }
    }
    Ok(judged)
}

/// Leaves out the reads of operations of unknown outcome, but for the last read of all; and says how many.
fn leave_out_unplaced(accesses: &Accesses<'_>, reads: &mut Vec<u32>) -> u64 {
    let (all, end) = (reads.len(), reads.last().copied());
    let mut crashed = 0;
    reads.retain(|row| {
        let is_open = accesses.status(*row as usize) == Status::Info;
        crashed += u32::from(is_open);
        !is_open || (crashed == 1 && Some(*row) == end)
    });
    (all - reads.len()) as u64
}

/// An order of all writes in which the reads of a session have places, if there is one.
///
/// # Errors
/// What ended the search.
pub(super) fn order(
    facts: &Facts<'_, '_>,
    view: View,
    session: u32,
    meter: &mut Meter<'_>,
) -> Result<Option<Vec<u32>>, StoppedBy> {
    let (accesses, writes) = (facts.accesses, by_key(facts));
    let own = |row: &u32| facts.source[*row as usize] != NONE && accesses.session(*row as usize) == session;
    let reads: Vec<u32> = (0..id(accesses.len())).filter(own).collect();
    meter.hold(8 * accesses.len() as u64)?;
    let mut levels = Levels::new(facts, view);
    levels.session = session;
    let Some(last) = accesses.len().checked_sub(1).map(id) else { return Ok(None) };
    if !levels.has_order((0, last), reads, &writes, meter)? {
        return Ok(None);
    }
    let Some((vertices, edges)) = levels.edges(&writes) else { return Ok(None) };
    // What comes before a read of the session comes before all that doesn't.
    let priority = |vertex: u32| levels.level.get(vertex as usize).map(|level| (*level, vertex));
    let order = sorted(vertices, &edges, priority).unwrap_or_default();
    let is_write = |row: &u32| (*row as usize) < accesses.len() && accesses.writes[*row as usize];
    Ok(Some(order.into_iter().filter(is_write).filter(|row| facts.counted[*row as usize]).collect()))
}

/// How often stretches are made larger before all rows are taken for one.
const GROWN: usize = 8;

/// The stretches of a session's doubtful reads, with every read of the session that shows what was written in one, and every write
/// that a read in one shows.
fn together(facts: &Facts<'_, '_>, reads: &[u32], mut spans: Vec<(u32, u32)>) -> Stretches {
    let all = || Stretches::all(facts.accesses.len());
    if spans.is_empty() {
        return Stretches::new(spans);
    }
    if !facts.is_forward() {
        return all();
    }
    for _ in 0..GROWN {
        let stretches = Stretches::new(spans.clone());
        let before = spans.len();
        for row in reads {
            let source = facts.source[*row as usize];
            if source < INITIAL && (stretches.holds(source) || stretches.holds(*row)) && !stretches.joins(source, *row)
            {
                spans.push((source, *row));
            }
        }
        if spans.len() == before {
            return stretches;
        }
    }
    all()
}

/// The counted writes of each key.
fn by_key(facts: &Facts<'_, '_>) -> Vec<Vec<u32>> {
    let accesses = facts.accesses;
    let mut writes = vec![Vec::new(); accesses.keys.len()];
    for row in 0..accesses.len() {
        if facts.counted[row] && accesses.writes[row] {
            writes[accesses.key[row] as usize].push(id(row));
        }
    }
    writes
}

impl<'f, 'a, 'h> Levels<'f, 'a, 'h> {
    fn new(facts: &'f Facts<'a, 'h>, view: View) -> Levels<'f, 'a, 'h> {
        let rows = facts.accesses.len();
        Levels {
            facts,
            view,
            session: 0,
            stretch: (0, 0),
            level: vec![NONE; rows],
            last: vec![NONE; rows],
            reads: Vec::new(),
            keys: Vec::new(),
            log: None,
        }
    }

    fn has_order(
        &mut self,
        stretch: (u32, u32),
        reads: Vec<u32>,
        writes: &[Vec<u32>],
        meter: &mut Meter<'_>,
    ) -> Result<bool, StoppedBy> {
        let accesses = self.facts.accesses;
        self.stretch = stretch;
        self.reads = reads;
        let rows = stretch.0 as usize..=stretch.1 as usize;
        self.level[rows.clone()].fill(NONE);
        self.last[rows].fill(NONE);
        self.keys.clear();
        for (number, row) in (0u32..).zip(&self.reads) {
            let source = self.facts.source[*row as usize];
            self.level[*row as usize] = number;
            self.keys.push(accesses.key[*row as usize]);
            if source < INITIAL {
                self.last[source as usize] = number;
            }
        }
        self.keys.sort_unstable();
        self.keys.dedup();
        loop {
            self.spread(meter)?;
            meter.steps(stretch.1 - stretch.0)?;
            if !self.force(writes) {
                break;
            }
        }
        Ok(self.is_initial_first(writes) && self.is_acyclic(writes, meter)?)
    }

    /// Those of the writes that are in the stretch.
    fn within<'w>(&self, writes: &'w [u32]) -> &'w [u32] {
        let from = writes.partition_point(|row| *row < self.stretch.0);
        let to = writes.partition_point(|row| *row <= self.stretch.1);
        &writes[from..to]
    }

    /// What leads directly to a row in this view.
    pub(super) fn leads(&self, row: u32) -> impl Iterator<Item = u32> + use<> {
        let (facts, at) = (self.facts, row as usize);
        let shown = self.view == View::CausalMemory || facts.accesses.session(at) == self.session;
        let source = if shown { facts.source[at] } else { NONE };
        let known = if facts.accesses.writes[at] { facts.known[facts.version(row) as usize] } else { NONE };
        let earliest = self.stretch.0;
        let leads = [facts.before[at], source, known].into_iter();
        leads.filter(move |other| (earliest..INITIAL).contains(other))
    }

    /// What leads to an access comes before the reads that it comes before. Mostly what leads has the lower row, so that once
    /// is enough.
    fn spread(&mut self, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let (from, to) = self.stretch;
        loop {
            meter.steps(to - from + 1)?;
            let mut again = false;
            for row in (from..=to).rev().filter(|row| self.facts.counted[*row as usize]) {
                let level = self.level[row as usize];
                if level == NONE {
                    continue;
                }
                for other in self.leads(row) {
                    if self.level[other as usize] > level {
                        self.level[other as usize] = level;
                        again |= other > row;
                    }
                }
            }
            if !again {
                return Ok(());
            }
        }
    }

    /// What a read forces before the version that it shows comes before all that this version comes before. Whether a level
    /// has become lower.
    fn force(&mut self, writes: &[Vec<u32>]) -> bool {
        let mut changed = false;
        for key in &self.keys {
            // By level: the lowest level of a version of this key that is shown by a read of at least this number.
            let mut shown: Vec<(u32, u32, u32)> = Vec::new();
            for row in self.within(&writes[*key as usize]) {
                if self.last[*row as usize] != NONE {
                    shown.push((self.last[*row as usize], self.level[*row as usize], *row));
                }
            }
            shown.sort_unstable();
            // From the end: the two lowest levels among versions shown at or after a read, of different versions.
            let mut lowest: Vec<[(u32, u32); 2]> = vec![[(NONE, NONE); 2]; shown.len() + 1];
            for at in (0..shown.len()).rev() {
                let mut two = lowest[at + 1];
                let one = (shown[at].1, shown[at].2);
                if one < two[0] {
                    two = [one, two[0]];
                } else if one < two[1] {
                    two[1] = one;
                }
                lowest[at] = two;
            }
            for row in self.within(&writes[*key as usize]) {
                let level = self.level[*row as usize];
                if level == NONE {
                    continue;
                }
                let from = shown.partition_point(|one| one.0 < level);
                let two = lowest[from];
                let (other, shown) = if two[0].1 == *row { two[1] } else { two[0] };
                if other < level {
                    self.level[*row as usize] = other;
                    changed = true;
                    if let Some(log) = &mut self.log {
                        log.push((*row, shown));
                    }
                }
            }
        }
        changed
    }

    /// Whether no read shows the initial version of a key that a write comes before it.
    fn is_initial_first(&self, writes: &[Vec<u32>]) -> bool {
        let accesses = self.facts.accesses;
        let mut first = vec![NONE; self.keys.len()];
        for (first, key) in first.iter_mut().zip(&self.keys) {
            *first =
                self.within(&writes[*key as usize]).iter().map(|row| self.level[*row as usize]).min().unwrap_or(NONE);
        }
        (0u32..).zip(&self.reads).all(|(number, row)| {
            let at = self.keys.binary_search(&accesses.key[*row as usize]).unwrap_or(0);
            self.facts.source[*row as usize] != INITIAL || first[at] > number
        })
    }

    /// Whether all that is ordered has no circle.
    fn is_acyclic(&self, writes: &[Vec<u32>], meter: &mut Meter<'_>) -> Result<bool, StoppedBy> {
        let Some((vertices, edges)) = self.edges(writes) else { return Ok(false) };
        meter.steps(id(edges.len()))?;
        Ok(sorted(vertices, &edges, |_| ()).is_some())
    }

    /// All that is ordered, as vertices and edges: versions of a key one after another, and what leads to what. Nothing where
    /// two versions are read when both are there.
    fn edges(&self, writes: &[Vec<u32>]) -> Option<(u32, Vec<(u32, u32)>)> {
        let facts = self.facts;
        let (from, to) = self.stretch;
        // Edges between rows, and barriers: what is before a shown version enters the barrier that leads to it.
        let mut edges: Vec<(u32, u32)> = Vec::new();
        let mut vertices = to - from + 1;
        for row in (from..=to).filter(|row| facts.counted[*row as usize]) {
            edges.extend(self.leads(row).map(|other| (other - from, row - from)));
        }
        for key in &self.keys {
            let mut ordered: Vec<(u32, bool, u32)> = self
                .within(&writes[*key as usize])
                .iter()
                .filter(|row| self.level[**row as usize] != NONE)
                .map(|row| (self.level[*row as usize], self.last[*row as usize] != NONE, *row))
                .collect();
            // Those that are shown come after those of their level that are not. What comes before one of them comes before the
            // later ones through it.
            ordered.sort_unstable();
            let mut before: Option<(u32, u32, u32)> = None;
            let mut barrier = NONE;
            for (level, shown, row) in ordered {
                if !shown {
                    if barrier == NONE {
                        barrier = vertices;
                        vertices += 1;
                    }
                    edges.push((row - from, barrier));
                    continue;
                }
                let last = self.last[row as usize];
                if let Some((_, until, _)) = before
                    && until >= level
                {
                    // Both are read after both are there.
                    return None;
                }
                if let Some((_, _, earlier)) = before {
                    edges.push((earlier - from, row - from));
                }
                if barrier != NONE {
                    edges.push((barrier, row - from));
                    barrier = NONE;
                }
                before = Some((level, last, row));
            }
        }
        Some((vertices, edges))
    }
}
