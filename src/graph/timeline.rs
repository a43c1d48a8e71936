//! Session order and real time, as edges that are found when they are asked for.
//!
//! Session order: each vertex follows its session's last one that is known to have ended. One of unknown end may have
//! happened at any time after its beginning: nothing follows it.
//!
//! Real time: an end before a beginning, by position. Ends form a chain of auxiliary vertices, the *barriers*: each vertex
//! leads into the barrier of its end, and follows the last barrier before its beginning. Ends with no beginning between
//! them share a barrier. So the edges are two for each vertex and one for each link of the chain, where the relation itself
//! is quadratic; and since the vertices behind a barrier are consecutive, not even these few are written down.
//!
//! Cost: linear in vertices and positions; 8 bytes a vertex and 4 a barrier stay.
//! Source: the barriers are our own; Elle keeps a transitive reduction instead.

use super::id;

/// What happened when.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// For each vertex, the next one of its session that counts; [`NONE`] for the last.
    follows: Vec<u32>,
    /// For each vertex, the barrier of its end; [`OPEN`] where nothing follows it, [`NONE`] where it does not count.
    ends: Vec<u32>,
    /// For each barrier, the rank of the first vertex that begins after it; one more entry than barriers.
    first: Vec<u32>,
    /// Vertices by rank of beginning; empty where they are numbered so.
    by_beginning: Vec<u32>,
    /// How many vertices follow another one in their session.
    pub in_session: u64,
    /// How many vertices began after another one had ended.
    pub in_time: u64,
}

const NONE: u32 = u32::MAX;
const OPEN: u32 = u32::MAX - 1;

/// A vertex, as a timeline takes it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Its session, dense.
    pub session: u32,
    /// It began at or after this position.
    pub began: u32,
    /// It had ended at this position; none where nothing follows it. No two end at one position.
    pub ended: Option<u32>,
    /// Whether it counts at all.
    pub counts: bool,
}

impl Timeline {
    /// Of these vertices, in order of their numbers, with positions below `positions`; in a session they are in order.
    #[must_use]
    pub fn new(positions: u32, moments: impl Iterator<Item = Moment> + Clone) -> Timeline {
        let mut line = Timeline::default();
        line.sessions(moments.clone());
        let until = line.endings(positions, moments.clone());
        line.beginnings(&until, moments);
        line
    }

    fn sessions(&mut self, moments: impl Iterator<Item = Moment>) {
        // Of each session, its last vertex, and whether one of those so far has ended.
        let mut last: Vec<(u32, bool)> = Vec::new();
        for (vertex, moment) in (0u32..).zip(moments) {
            self.follows.push(NONE);
            if !moment.counts {
                continue;
            }
            let session = moment.session as usize;
            if session >= last.len() {
                last.resize(session + 1, (NONE, false));
            }
            let (before, ended) = last[session];
            if before != NONE {
                self.follows[before as usize] = vertex;
            }
            self.in_session += u64::from(ended);
            last[session] = (vertex, ended || moment.ended.is_some());
        }
    }

    /// Gives each vertex the barrier of its end. Returns, for each position, how many barriers there are up to it.
    fn endings(&mut self, positions: u32, moments: impl Iterator<Item = Moment> + Clone) -> Vec<u32> {
        const BEGIN: u32 = 1;
        const END: u32 = 2;
        let mut until = vec![0u32; positions as usize + 1];
        for moment in moments.clone().filter(|moment| moment.counts) {
            until[moment.began as usize] |= BEGIN;
            if let Some(ended) = moment.ended {
                until[ended as usize] |= END;
            }
        }
        let (mut barriers, mut shared) = (0, false);
        for position in &mut until {
            shared &= *position & BEGIN == 0;
            if *position & END != 0 && !shared {
                (barriers, shared) = (barriers + 1, true);
            }
            *position = barriers;
        }
        let end = |moment: Moment| match moment.ended {
            Some(ended) if moment.counts => until[ended as usize] - 1,
            None if moment.counts => OPEN,
            _ => NONE,
        };
        self.ends = moments.map(end).collect();
        until
    }

    fn beginnings(&mut self, until: &[u32], moments: impl Iterator<Item = Moment> + Clone) {
        let barriers = until.last().copied().unwrap_or(0) as usize;
        let passed = |moment: Moment| moment.began.checked_sub(1).map_or(0, |before| until[before as usize]) as usize;
        // The vertices before the first barrier have the lowest ranks.
        let mut first = vec![0u32; barriers + 1];
        let (mut sorted, mut highest) = (true, 0);
        for moment in moments.clone() {
            let passed = passed(moment);
            first[passed] += 1;
            (sorted, highest) = (sorted && passed >= highest, passed);
            self.in_time += u64::from(moment.counts && passed > 0);
        }
        let mut sum = 0;
        for slot in &mut first {
            sum += *slot;
            *slot = sum;
        }
        if !sorted {
            let mut next: Vec<u32> = std::iter::once(0).chain(first.iter().copied()).collect();
            self.by_beginning = vec![0; self.ends.len()];
            for (vertex, moment) in (0u32..).zip(moments) {
                let rank = &mut next[passed(moment)];
                self.by_beginning[*rank as usize] = vertex;
                *rank += 1;
            }
        }
        self.first = first;
    }

    /// How many barriers there are.
    #[must_use]
    pub fn barriers(&self) -> u32 {
        id(self.first.len().saturating_sub(1))
    }

    /// The ranks of the vertices that begin after a barrier, and before the next one.
    pub(super) fn ranks(&self, barrier: u32) -> std::ops::Range<u32> {
        self.first[barrier as usize]..self.first[barrier as usize + 1]
    }

    /// The vertex of this rank, if it counts.
    pub(super) fn ranked(&self, rank: u32) -> Option<u32> {
        let vertex = self.by_beginning.get(rank as usize).copied().unwrap_or(rank);
        (self.ends[vertex as usize] != NONE).then_some(vertex)
    }

    /// The barrier of a vertex's end, if anything may follow it.
    pub(super) fn end(&self, vertex: u32) -> Option<u32> {
        Some(self.ends[vertex as usize]).filter(|end| *end < OPEN)
    }

    /// The vertices that follow `vertex` in its session, one by one: the one after `last`, which is `vertex` at first.
    pub(super) fn follower(&self, vertex: u32, last: u32) -> Option<u32> {
        // Behind one of unknown end come more that follow the same; behind one that ended, none.
        let more = if last == vertex { self.ends[vertex as usize] < OPEN } else { self.ends[last as usize] == OPEN };
        Some(self.follows[last as usize]).filter(|next| more && *next != NONE)
    }
}
