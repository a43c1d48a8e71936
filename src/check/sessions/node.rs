//! `monotonic-writes@node` and `writes-follow-reads@node`: what each server shows, in time.
//!
//! A server's writes are those that its reads have shown, and they stay: what a read showed is there for every read at that server
//! that began after the first had ended. *Monotonic writes* adds the earlier writes of whoever made one that is there, and orders them as
//! they were made; *writes follow reads* adds what its session had read before, and what had been read before that was written, and
//! orders them as they were read. A read shows the last of its key among the writes that are there.
//!
//! Decides, for each server with an order of its own: whether what has to come before what leads in a circle that passes through
//! something that the guarantee asks for (a circle without is a server that goes back, and no matter of a session's order), or a
//! read shows the initial version although the guarantee says that a write is there. Exact by this definition, both ways. Only what reads show
//! counts, and only reads that do not overlap are ordered.
//!
//! Each read has to order the writes that came since the last read of its key only: the others come before what that one showed. Cost:
//! linear in the accesses for each server, under the meter. Source: Terry et al. 1994, who define both by what a server has.

use std::collections::VecDeque;

use super::facts::{Facts, INITIAL, id};
use super::links::{Between, Reason, Tally};
use super::ring::Stretches;
use super::server_order::{Force, Order};
use crate::budget::Meter;
use crate::history::History;
use crate::verdict::StoppedBy;
use crate::witness::sessions::Hop;
use crate::workload::accesses::NONE;

/// What a server owes for a write that it shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Demand {
    /// The session's earlier writes.
    Writes,
    /// What the session had read before.
    Reads,
}

/// What all servers came to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) tally: Tally,
    /// On what the best circle rests.
    pub(super) premises: Vec<Between>,
    /// Reads at a server that owed a write of their key.
    pub(super) tested: u64,
    pub(super) stopped: Option<StoppedBy>,
}

impl Found {
    /// One more circle, with its premises.
    pub(super) fn add(&mut self, facts: &Facts<'_, '_>, circle: Vec<Between>, premises: Vec<Between>) {
        self.tally.add(facts, circle.clone());
        if self.tally.best() == Some(&circle[..]) {
            self.premises = premises;
        }
    }
}

/// Circles are told one by one up to here; of the others only how many is said.
const MOST_TOLD: u64 = 64;

/// Looks at one server after the other.
pub(super) fn judge(facts: &Facts<'_, '_>, demand: Demand, meter: &mut Meter<'_>) -> Found {
    let mut found = Found::default();
    let reads = reads(facts);
    let sessions = Sessions::new(facts);
    let mut server = Server::new(facts, demand, &sessions);
    for of_one in reads.chunk_by(|a, b| a.0 == b.0) {
        if let Err(by) = server.look(of_one, &mut found, meter) {
            found.stopped = Some(by);
            break;
        }
        server.clear();
    }
    found
}

/// For a certificate: what each server's reads force upon its order, by the server.
pub(super) fn forces(
    facts: &Facts<'_, '_>,
    demand: Demand,
    meter: &mut Meter<'_>,
) -> Result<Vec<(u32, Force)>, StoppedBy> {
    let (reads, sessions) = (reads(facts), Sessions::new(facts));
    let mut server = Server::new(facts, demand, &sessions);
    let mut forces = Vec::new();
    for of_one in reads.chunk_by(|a, b| a.0 == b.0) {
        server.pass(of_one, &mut Found::default(), meter)?;
        forces.extend(server.forces.drain(..).map(|force| (of_one[0].0, force)));
        server.clear();
    }
    Ok(forces)
}

/// Reads at servers: the server, when it began, and its row; ascending.
fn reads(facts: &Facts<'_, '_>) -> Vec<(u32, u32, u32)> {
    let accesses = facts.accesses;
    let reads = (0..id(accesses.len())).filter(|row| facts.source[*row as usize] != NONE);
    let mut reads: Vec<(u32, u32, u32)> =
        reads.filter_map(|row| Some((accesses.node_of(row)?, accesses.began(row as usize), row))).collect();
    reads.sort_unstable();
    reads
}

/// Counted rows by session, in order.
struct Sessions {
    rows: Vec<u32>,
    starts: Vec<u32>,
    /// By row: its place among these.
    place: Vec<u32>,
}

impl Sessions {
    fn new(facts: &Facts<'_, '_>) -> Sessions {
        let accesses = facts.accesses;
        let mut starts = vec![0; accesses.sessions as usize + 1];
        let counted = || (0..accesses.len()).filter(|row| facts.counted[*row]);
        for row in counted() {
            starts[accesses.session(row) as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; starts[starts.len() - 1] as usize];
        let mut place = vec![NONE; accesses.len()];
        for row in counted() {
            let at = &mut next[accesses.session(row) as usize];
            rows[*at as usize] = id(row);
            place[row] = *at;
            *at += 1;
        }
        Sessions { rows, starts, place }
    }
}

/// Writes of one key that are there, and don't yet come before what a read that has ended shows.
#[derive(Default)]
struct Pending {
    /// The write, and whether the guarantee alone says that it is there.
    writes: VecDeque<(u32, bool)>,
    /// How many have left.
    left: usize,
    /// The first write of the key that the guarantee said is there.
    owed: Option<u32>,
}

/// What one server has, while its reads pass by.
pub(super) struct Server<'f, 'a, 'h> {
    pub(super) facts: &'f Facts<'a, 'h>,
    pub(super) demand: Demand,
    sessions: &'f Sessions,
    /// By row of a write: the first read that showed it ...
    shown_by: Vec<u32>,
    /// ... and of a list that holds it before its end, the write at the end.
    shown_in: Vec<u32>,
    /// By row of a write that is there because another is: the read of it, if that is why, and the other one.
    owed_by: Vec<(u32, u32)>,
    /// By session: up to which place its rows were looked at.
    frontier: Vec<u32>,
    pending: Vec<Pending>,
    touched: Vec<u32>,
    forces: Vec<Force>,
}

impl<'f, 'a, 'h> Server<'f, 'a, 'h> {
    fn new(facts: &'f Facts<'a, 'h>, demand: Demand, sessions: &'f Sessions) -> Server<'f, 'a, 'h> {
        let accesses = facts.accesses;
        let mut pending = Vec::new();
        pending.resize_with(accesses.keys.len(), Pending::default);
        Server {
            facts,
            demand,
            sessions,
            shown_by: vec![NONE; accesses.len()],
            shown_in: vec![NONE; accesses.len()],
            owed_by: vec![(NONE, NONE); accesses.len()],
            frontier: sessions.starts[..accesses.sessions as usize].to_vec(),
            pending,
            touched: Vec::new(),
            forces: Vec::new(),
        }
    }

    /// Forgets one server, before the next.
    fn clear(&mut self) {
        for row in self.touched.drain(..) {
            let at = row as usize;
            (self.shown_by[at], self.shown_in[at], self.owed_by[at]) = (NONE, NONE, (NONE, NONE));
            let session = self.facts.accesses.session(at) as usize;
            self.frontier[session] = self.sessions.starts[session];
            self.pending[self.facts.accesses.key[at] as usize] = Pending::default();
        }
        self.forces.clear();
    }

    /// Whether what one server's reads force has an order.
    fn look(&mut self, reads: &[(u32, u32, u32)], found: &mut Found, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        self.pass(reads, found, meter)?;
        let spans = self.forces.iter().filter(|force| force.from > force.to).map(|force| (force.to, force.from));
        let stretches = Stretches::new(spans.chain(self.facts.back.iter().copied()).collect());
        let mut forces = std::mem::take(&mut self.forces);
        forces.retain(|force| stretches.joins(force.from, force.to));
        if forces.is_empty() {
            return Ok(());
        }
        Order::new(self, &stretches, forces, meter)?.judge(found, meter)
    }

    /// The reads of one server pass by, in order of beginning.
    fn pass(&mut self, reads: &[(u32, u32, u32)], found: &mut Found, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let accesses = self.facts.accesses;
        // By read: how much of its key's pending writes it has ordered.
        let mut marks = vec![0; reads.len()];
        let mut ends: Vec<(u32, usize)> =
            reads.iter().enumerate().map(|(at, read)| (accesses.ended(read.2 as usize), at)).collect();
        ends.retain(|end| end.0 != History::NO_POSITION);
        ends.sort_unstable();
        let mut ended = ends.into_iter().peekable();
        for (at, (_, began, read)) in reads.iter().copied().enumerate() {
            while let Some((_, done)) = ended.next_if(|end| end.0 < began) {
                self.close(reads[done].2, marks[done], meter)?;
            }
            marks[at] = self.open(read, found, meter)?;
        }
        Ok(())
    }

    /// A read begins: all that is there of its key comes before what it shows.
    fn open(&mut self, read: u32, found: &mut Found, meter: &mut Meter<'_>) -> Result<usize, StoppedBy> {
        let to = self.facts.source[read as usize];
        let pending = &self.pending[self.facts.accesses.key[read as usize] as usize];
        found.tested += u64::from(pending.owed.is_some());
        meter.steps(id(pending.writes.len() + 1))?;
        if to != INITIAL {
            let others = pending.writes.iter().filter(|(from, _)| *from != to);
            self.forces.extend(others.map(|(from, owed)| Force { from: *from, to, reader: read, owed: *owed }));
            return Ok(pending.left + pending.writes.len());
        }
        if let Some(from) = pending.owed {
            if found.tally.count < MOST_TOLD {
                let mut premises = Vec::new();
                let link = self.seen(Force { from, to, reader: read, owed: true }, &mut premises);
                found.add(self.facts, vec![link], premises);
            } else {
                found.tally.count += 1;
            }
        }
        Ok(0)
    }

    /// A read has ended: what it shows is there from now on.
    fn close(&mut self, read: u32, mark: usize, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let write = self.facts.source[read as usize];
        if write == INITIAL {
            return Ok(());
        }
        let pending = &mut self.pending[self.facts.accesses.key[read as usize] as usize];
        while pending.left < mark && pending.writes.pop_front().is_some() {
            pending.left += 1;
        }
        pending.writes.push_back((write, false));
        self.touched.push(write);
        self.show(write, NONE, read, meter)?;
        if self.facts.is_line(self.facts.accesses.key[read as usize])
            && !self.facts.accesses.operation(read).mops().is_empty()
        {
            self.show_list(write, read, meter)?;
        }
        Ok(())
    }

    /// The elements of a list before its last one.
    fn show_list(&mut self, last: u32, read: u32, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let accesses = self.facts.accesses;
        let mut version = accesses.parent[self.facts.version(last) as usize];
        while version != NONE && !accesses.is_initial(version) {
            let write = accesses.writer[version as usize];
            if write != NONE && self.facts.counted[write as usize] {
                if self.shown_by[write as usize] != NONE {
                    break;
                }
                self.show(write, last, read, meter)?;
            }
            version = accesses.parent[version as usize];
        }
        Ok(())
    }

    fn show(&mut self, write: u32, within: u32, read: u32, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        if self.shown_by[write as usize] == NONE {
            self.touched.push(write);
            (self.shown_by[write as usize], self.shown_in[write as usize]) = (read, within);
            self.owe(write, meter)?;
        }
        Ok(())
    }

    /// A write is there: what else the guarantee says is there.
    fn owe(&mut self, write: u32, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        let (facts, sessions) = (self.facts, self.sessions);
        let accesses = facts.accesses;
        let mut open = vec![write];
        while let Some(write) = open.pop() {
            let (session, place) = (accesses.session(write as usize) as usize, sessions.place[write as usize]);
            let same_op = |row: u32| accesses.op[row as usize] == accesses.op[write as usize];
            let mut from = self.frontier[session].min(place);
            self.frontier[session] = self.frontier[session].max(place);
            if !facts.is_followed(write) {
                // What is of unknown outcome was passed by for those after it, and not for its own operation.
                let start = sessions.starts[session];
                while from > start && same_op(sessions.rows[from as usize - 1]) {
                    from -= 1;
                }
            }
            meter.steps(place - from + 1)?;
            for row in sessions.rows[from as usize..place as usize].iter().copied() {
                if !facts.is_followed(row) && !same_op(row) {
                    continue;
                }
                let writes = accesses.writes[row as usize];
                let (by, owed) = match self.demand {
                    Demand::Writes if writes => (NONE, row),
                    Demand::Reads if !writes && facts.source[row as usize] < INITIAL => {
                        (row, facts.source[row as usize])
                    }
                    _ => continue,
                };
                let known = self.owed_by[owed as usize].1 != NONE || self.shown_by[owed as usize] != NONE;
                if known || owed == write {
                    continue;
                }
                self.touched.push(owed);
                self.owed_by[owed as usize] = (by, write);
                let pending = &mut self.pending[accesses.key[owed as usize] as usize];
                pending.writes.push_back((owed, true));
                pending.owed.get_or_insert(owed);
                if self.demand == Demand::Reads {
                    open.push(owed);
                }
            }
        }
        Ok(())
    }

    /// Why a write has to come before what a read shows.
    pub(super) fn seen(&self, force: Force, premises: &mut Vec<Between>) -> Between {
        let mut hops = Vec::new();
        let mut at = force.from;
        // What is shown later than it was owed is told as it was owed.
        while let (by, after) = self.owed_by[at as usize]
            && after != NONE
            && (force.owed || !hops.is_empty())
        {
            if by != NONE {
                hops.push((Hop::Shows, by));
            }
            hops.push((Hop::Session, after));
            at = after;
        }
        let last = self.shown_in[at as usize];
        if last != NONE {
            premises.push(Between::replaced(at, last));
            hops.push((Hop::Premise(premises.len() - 1), last));
        }
        hops.push((Hop::Shows, self.shown_by[at as usize]));
        hops.push((Hop::Server, force.reader));
        Between { from: force.from, to: force.to, why: Reason::Seen(hops) }
    }
}
