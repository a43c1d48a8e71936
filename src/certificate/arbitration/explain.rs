//! Whether an order of the writes explains what reads show: of the writes that a read had to see, the last one of its key.

use super::super::accesses::{Source, number};
use super::super::{Map, Ruling};
use super::Visible;
use super::scene::{Places, Scene};
use super::servers;

const NONE: u32 = u32::MAX;

/// Steps for looking up what led to reads: some seconds.
const MOST_STEPS: u64 = 1 << 33;

/// An access that an order doesn't explain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unexplained {
    pub(super) row: u32,
    /// The write that it had to see, and that comes after what it shows.
    pub(super) missed: u32,
}

impl Unexplained {
    /// In words.
    pub(super) fn why(&self, scene: &Scene<'_, '_>) -> String {
        let name = |row: u32| scene.accesses.name(row);
        if scene.accesses.rows[self.row as usize].writes {
            return format!("{} comes before what its session had read by then", name(self.row));
        }
        let shown = match scene.source[self.row as usize] {
            Source::Write(writer) => format!(", which comes after {}", name(writer)),
            _ => ", and shows what was there before all writes".to_owned(),
        };
        format!("{} had to see {}{shown}", name(self.row), name(self.missed))
    }
}

impl Places<'_, '_> {
    /// The accesses that this order doesn't explain.
    pub(super) fn unexplained(&self, visible: Visible) -> Result<Vec<Unexplained>, Ruling> {
        let mut failed = Vec::new();
        match visible {
            Visible::None => {}
            Visible::Own => self.met(true, &mut failed),
            Visible::Seen => self.met(false, &mut failed),
            Visible::Past => self.past(&mut failed)?,
            Visible::Placed => self.placed(&mut failed),
            Visible::Prefix => self.prefix(&mut failed),
            Visible::There(owes) => failed = servers::unexplained(self, owes).0,
        }
        Ok(failed)
    }

    fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        (0..number(self.of.len())).filter(|row| self.scene.happened[*row as usize])
    }

    /// The place of what a read shows: 0 for what was there at first.
    fn shown(&self, row: u32) -> u32 {
        match self.scene.source[row as usize] {
            Source::Write(writer) => self.of[writer as usize],
            _ => 0,
        }
    }

    /// Reads that show something before their session's own latest write of the key, or before the latest that it had read.
    fn met(&self, own: bool, failed: &mut Vec<Unexplained>) {
        let mut latest: Map<(u32, u32), u32> = Map::default();
        for row in self.rows() {
            let access = &self.scene.accesses.rows[row as usize];
            let known = latest.get(&(access.session, access.key)).copied();
            let known_place = known.map_or(0, |write| self.of[write as usize]);
            if !access.writes && self.shown(row) < known_place {
                failed.extend(known.map(|missed| Unexplained { row, missed }));
            }
            let met = match self.scene.source[row as usize] {
                _ if own => access.writes.then_some(row),
                Source::Write(writer) => Some(writer),
                _ => None,
            };
            if let Some(write) = met.filter(|write| access.is_ok() && self.of[*write as usize] > known_place) {
                latest.insert((access.session, access.key), write);
            }
        }
    }

    /// The first place that each access can have, if its session's places keep its order: a write has its own, and a read that
    /// of what it shows, or that of the one before it.
    fn first_places(&self) -> Vec<u32> {
        let mut first = vec![0; self.of.len()];
        for row in self.rows() {
            let before = self.scene.before[row as usize];
            let earlier = if before == NONE { 0 } else { first[before as usize] };
            let own =
                if self.scene.accesses.rows[row as usize].writes { self.of[row as usize] } else { self.shown(row) };
            first[row as usize] = earlier.max(own);
        }
        first
    }

    /// Reads with no place between what they show and the next write of the key; a later place is no better.
    fn placed(&self, failed: &mut Vec<Unexplained>) {
        let first = self.first_places();
        let rows = &self.scene.accesses.rows;
        let (next, next_of) = self.next();
        for row in self.rows() {
            let access = &rows[row as usize];
            if access.writes {
                if first[row as usize] > self.of[row as usize] {
                    failed.push(Unexplained { row, missed: row });
                }
                continue;
            }
            let newer = match self.scene.source[row as usize] {
                Source::Write(writer) => next[writer as usize],
                _ => next_of[access.key as usize],
            };
            if newer != NONE && self.of[newer as usize] <= first[row as usize] {
                failed.push(Unexplained { row, missed: newer });
            }
        }
    }

    /// Reads with no place between what they show and the next write of the key, at or after the places of their session's earlier
    /// reads; that of a compare-and-set is before its write.
    fn prefix(&self, failed: &mut Vec<Unexplained>) {
        let rows = &self.scene.accesses.rows;
        let (next, next_of) = self.next();
        let mut least = vec![0; self.scene.accesses.sessions as usize];
        for row in self.rows().filter(|row| !rows[*row as usize].writes) {
            let access = &rows[row as usize];
            let place = self.shown(row).max(least[access.session as usize]);
            let newer = match self.scene.source[row as usize] {
                Source::Write(writer) => next[writer as usize],
                _ => next_of[access.key as usize],
            };
            let own = Some(row + 1).filter(|write| self.scene.is_cas(*write as usize));
            let mut later = own.into_iter().chain(Some(newer).filter(|newer| *newer != NONE));
            let missed = later.find(|newer| self.of[*newer as usize] <= place);
            failed.extend(missed.map(|missed| Unexplained { row, missed }));
            if access.is_ok() {
                least[access.session as usize] = place;
            }
        }
    }

    /// By row, the next write of its key; by key, the first.
    fn next(&self) -> (Vec<u32>, Vec<u32>) {
        let rows = &self.scene.accesses.rows;
        let mut next = vec![NONE; self.of.len()];
        let mut next_of = vec![NONE; self.scene.accesses.keys.len()];
        for row in self.line.iter().rev() {
            next[*row as usize] = std::mem::replace(&mut next_of[rows[*row as usize].key as usize], *row);
        }
        (next, next_of)
    }

    /// Reads that something led to which comes after what they show. The order contains each session's, so of a session's writes
    /// of the key that led to a read, the last one is all that matters.
    fn past(&self, failed: &mut Vec<Unexplained>) -> Result<(), Ruling> {
        let scene = self.scene;
        let rows = &scene.accesses.rows;
        // All accesses, each after what leads to it: by first place, a write before those that saw it.
        let first = self.first_places();
        let mut sorted: Vec<u32> = self.rows().collect();
        sorted.sort_by_key(|row| (first[*row as usize], !rows[*row as usize].writes));
        let groups = self.groups();
        let mut late: Vec<u32> = vec![NONE; self.of.len()];
        let mut steps = 0;
        for group in groups.chunk_by(|a, b| a.0 == b.0) {
            steps += sorted.len() as u64;
            if steps > MOST_STEPS {
                return Err(Ruling::Unproved("more sessions write than can be looked at".to_owned()));
            }
            // By key: the group's writes of it, in the session's order.
            let of_key: Map<u32, &[(u32, u32, u32)]> =
                group.chunk_by(|a, b| a.1 == b.1).map(|writes| (writes[0].1, writes)).collect();
            // By row: the last row of the group that led to it, and one more; 0 for none.
            let mut led = vec![0_u32; self.of.len()];
            for row in sorted.iter().copied() {
                let at = row as usize;
                if let Some(before) = led.get(scene.before[at] as usize) {
                    led[at] = *before;
                }
                if let Source::Write(writer) = scene.source[at] {
                    led[at] = led[at].max(led[writer as usize]);
                }
                let writes = of_key.get(&rows[at].key).filter(|_| !rows[at].writes && led[at] > 0);
                if let Some(writes) = writes {
                    let count = writes.partition_point(|write| write.2 < led[at]);
                    let last = count.checked_sub(1).map(|last| writes[last].2);
                    if let Some(last) = last.filter(|last| self.of[*last as usize] > self.shown(row)) {
                        late[at] = last;
                    }
                }
                if self.is_of(row, group[0].0) {
                    led[at] = row + 1;
                }
            }
        }
        let found = (0..).zip(&late).filter(|(_, missed)| **missed != NONE);
        failed.extend(found.map(|(row, missed)| Unexplained { row, missed: *missed }));
        Ok(())
    }

    /// Writes by group and key: a session's are one group; what is of unknown outcome precedes nothing of its session, and is
    /// one by itself.
    fn groups(&self) -> Vec<(u32, u32, u32)> {
        let rows = &self.scene.accesses.rows;
        let writes = self.rows().filter(|row| rows[*row as usize].writes);
        let mut groups: Vec<(u32, u32, u32)> =
            writes.map(|row| (self.group(row), rows[row as usize].key, row)).collect();
        groups.sort_unstable();
        groups
    }

    fn group(&self, row: u32) -> u32 {
        let access = &self.scene.accesses.rows[row as usize];
        if access.is_ok() { access.session } else { self.scene.accesses.sessions + access.op.id.0 }
    }

    fn is_of(&self, row: u32, group: u32) -> bool {
        self.group(row) == group
    }
}
