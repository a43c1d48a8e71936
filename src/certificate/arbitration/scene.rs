//! What happened, who saw what, and whether an order of the writes contains what it has to.

use super::super::accesses::{Access, Accesses, Source, number};
use super::super::places::at;
use super::super::{Map, Ruling, Set};
use super::{Rule, Visible, Writes, refuse};
use crate::history::{OpId, Value};

const NONE: u32 = u32::MAX;

/// The accesses that happened, by what the orders say of those of which it is not certain.
pub(super) struct Scene<'a, 'h> {
    pub(super) accesses: &'a Accesses<'h>,
    pub(super) happened: Vec<bool>,
    /// By row, of a read that happened: what it saw.
    pub(super) source: Vec<Source>,
    /// By row: the one before it in its session, or [`NONE`]. What is of unknown outcome precedes nothing but its own operation's.
    pub(super) before: Vec<u32>,
    /// By position of an operation: its first row.
    first: Vec<u32>,
    /// The server's revisions of what was written, by row; and of initial values, by key.
    revisions: (Map<u32, i64>, Map<u32, i64>),
}

impl<'a, 'h> Scene<'a, 'h> {
    pub(super) fn new(accesses: &'a Accesses<'h>, orders: &[Writes]) -> Result<Scene<'a, 'h>, Ruling> {
        let rows = accesses.rows.len();
        let mut first = vec![NONE; accesses.history.records() as usize];
        for (row, access) in (0..).zip(&accesses.rows) {
            if let Some(first) = first.get_mut(access.op.position() as usize) {
                *first = row.min(*first);
            }
        }
        let named: Set<u32> = orders.iter().flat_map(|order| &order.operations).copied().collect();
        let happens = |access: &Access<'_>| access.is_ok() || named.contains(&access.op.position());
        let happened: Vec<bool> = accesses.rows.iter().map(happens).collect();
        let source = accesses.sources(&happened);
        let mut scene =
            Scene { accesses, happened, source, before: vec![NONE; rows], first, revisions: Default::default() };
        scene.see()?;
        scene.number()?;
        scene.follow();
        Ok(scene)
    }

    /// Refuses reads of what can't have been seen.
    fn see(&self) -> Result<(), Ruling> {
        for (row, access) in
            (0..).zip(&self.accesses.rows).filter(|(row, access)| !access.writes && self.happened[*row])
        {
            let name = || self.accesses.name(number(row));
            match self.source[row] {
                Source::Initial => {}
                Source::Nobody => return refuse(format!("{} shows what nobody in the orders wrote", name())),
                Source::Several => {
                    return Err(Ruling::Unproved(format!("{} shows what was written several times", name())));
                }
                Source::Write(writer) => {
                    let write = &self.accesses.rows[writer as usize];
                    let own = write.op.id == access.op.id || write.session == access.session && access.is_ok();
                    if own && writer as usize > row {
                        return refuse(format!("{} shows what its own session wrote only later", name()));
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes in the server's revisions (`version`) of ok operations: a write has its own, a read that of what it shows.
    fn number(&mut self) -> Result<(), Ruling> {
        if self.accesses.lists {
            return Ok(());
        }
        let mut owners: Map<(u32, i64), u32> = Map::default();
        for (row, access) in self.accesses.rows.iter().enumerate().filter(|(_, access)| access.is_ok()) {
            let Some(revision) = self.accesses.history.values().as_int(access.op.version()) else { continue };
            let (owner, known) = match self.source[row] {
                _ if access.writes => (number(row), self.revisions.0.insert(number(row), revision)),
                // Of a compare-and-set, the record names what it wrote.
                _ if self.is_cas(row + 1) => continue,
                Source::Write(writer) => (writer, self.revisions.0.insert(writer, revision)),
                Source::Initial => (NONE, self.revisions.1.insert(access.key, revision)),
                Source::Several | Source::Nobody => continue,
            };
            let other = *owners.entry((access.key, revision)).or_insert(owner);
            if known.is_some_and(|known| known != revision) || other != owner {
                let name = self.accesses.name(number(row));
                return Err(Ruling::Unproved(format!("{name} contradicts the server's revisions in other records")));
            }
        }
        Ok(())
    }

    fn follow(&mut self) {
        let mut last = vec![NONE; self.accesses.sessions as usize];
        let mut within = NONE;
        for (row, access) in self.accesses.rows.iter().enumerate().filter(|(row, _)| self.happened[*row]) {
            let same = within != NONE && self.accesses.rows[within as usize].op.id == access.op.id;
            let session = &mut last[access.session as usize];
            self.before[row] = if same { within } else { *session };
            within = number(row);
            if access.is_ok() {
                *session = within;
            }
        }
    }

    /// The row of a write that an order names.
    fn write(&self, position: u32, mop: Option<u32>) -> Result<u32, String> {
        let first = self.first.get(position as usize).copied().filter(|row| *row != NONE);
        let Some(first) = first else {
            return Err("no operation that can have happened is named by this record".to_owned());
        };
        let own = (first..).zip(&self.accesses.rows[first as usize..]);
        let own = own.take_while(|(_, access)| access.op.position() == position);
        let mut writes = own.filter(|(_, access)| access.writes && mop.is_none_or(|mop| mop == access.mop));
        writes.next().map(|(row, _)| row).ok_or_else(|| "this operation doesn't write that".to_owned())
    }

    /// How many observations could have refuted a claim; what servers show is counted as it is looked at.
    pub(super) fn tested(&self, rule: &Rule) -> u64 {
        let rows = || (0..self.accesses.rows.len()).filter(|row| self.happened[*row]);
        let access = |row: usize| &self.accesses.rows[row];
        let mut met: Set<(u32, u32)> = Set::default();
        let mut count = 0;
        match rule.visible {
            Visible::There(_) => {}
            Visible::Past | Visible::Placed | Visible::Prefix => {
                count = rows().filter(|row| !access(*row).writes).count() as u64
            }
            // What the session did before with the key.
            Visible::Own | Visible::Seen => {
                for row in rows() {
                    let (one, writes) = ((access(row).session, access(row).key), access(row).writes);
                    count += u64::from(!writes && met.contains(&one));
                    if writes == (rule.visible == Visible::Own) && access(row).is_ok() {
                        met.insert(one);
                    }
                }
            }
            // Writes of which the history tells that others came before them.
            Visible::None if rule.monotonic_writes => {
                let shown = |row: usize| matches!(self.source[row], Source::Write(_));
                let lists: Set<u32> = rows().filter(|row| shown(*row)).map(|row| access(row).key).collect();
                for row in rows().filter(|row| access(*row).writes) {
                    let second =
                        self.accesses.lists && lists.contains(&access(row).key) && !met.insert((0, access(row).key));
                    count += u64::from(second || self.is_cas(row) && shown(row - 1));
                }
            }
            // Writes of sessions that had read what others wrote.
            Visible::None => {
                for row in rows() {
                    let session = access(row).session;
                    if access(row).writes {
                        count += u64::from(met.contains(&(session, 0)));
                    } else if let Source::Write(writer) = self.source[row]
                        && access(writer as usize).session != session
                    {
                        met.insert((session, 0));
                    }
                }
            }
        }
        count
    }

    /// Whether a row is the write of a compare-and-set, whose read is the row before.
    pub(super) fn is_cas(&self, row: usize) -> bool {
        !self.accesses.lists && self.accesses.rows.get(row).is_some_and(|access| access.writes && access.mop == 1)
    }
}

/// The place of each write in one order.
pub(super) struct Places<'s, 'h> {
    pub(super) scene: &'s Scene<'s, 'h>,
    /// By row: its place, from 1; 0 for what is no write.
    pub(super) of: Vec<u32>,
    /// The same, where writes that share a place all have that of the first of them.
    pub(super) rank: Vec<u32>,
    /// The rows in this order.
    pub(super) line: Vec<u32>,
}

impl<'s, 'h> Places<'s, 'h> {
    /// Each write that happened, once.
    pub(super) fn new(scene: &'s Scene<'s, 'h>, writes: &Writes) -> Result<Places<'s, 'h>, String> {
        let (positions, mops) = (&writes.operations, &writes.micro_operations);
        if mops.len() != if scene.accesses.lists { positions.len() } else { 0 } {
            return Err(
                "each write of a transaction, and only of these, is named by its micro-operation, too".to_owned()
            );
        }
        let rows = scene.accesses.rows.len();
        let mut places = Places { scene, of: vec![0; rows], rank: vec![0; rows], line: Vec::new() };
        let mut shares = writes.shares.iter().copied().peekable();
        for (step, position) in positions.iter().enumerate() {
            let row = scene.write(*position, mops.get(step).copied()).map_err(|why| at(step, *position, &why))?;
            if std::mem::replace(&mut places.of[row as usize], number(step + 1)) != 0 {
                return Err(at(step, *position, "this write was there before"));
            }
            let before = places.line.last().filter(|_| shares.next_if_eq(&number(step)).is_some());
            places.rank[row as usize] = before.map_or(number(step + 1), |before| places.rank[*before as usize]);
            places.line.push(row);
        }
        if let Some(step) = shares.next() {
            return Err(format!("step {step} is named out of order, or shares its place with nothing"));
        }
        let lacks = |row: &usize| scene.accesses.rows[*row].writes && scene.happened[*row] && places.of[*row] == 0;
        match (0..places.of.len()).find(lacks) {
            Some(row) => Err(format!("{} happened, and is not in it", scene.accesses.name(number(row)))),
            None => Ok(places),
        }
    }

    fn refuse<T>(&self, row: u32, why: &str) -> Result<T, String> {
        let step = self.of[row as usize].saturating_sub(1);
        Err(at(step as usize, self.scene.accesses.rows[row as usize].op.position(), why))
    }

    /// Whether it contains what the history tells of versions, and what the rule adds.
    pub(super) fn contains(&self, rule: &Rule) -> Result<(), String> {
        if self.scene.accesses.lists {
            self.contains_lists()?;
        } else {
            self.contains_replacements()?;
            self.contains_revisions()?;
        }
        self.contains_sessions(rule)
    }

    /// A compare-and-set comes after what it replaced.
    fn contains_replacements(&self) -> Result<(), String> {
        for row in self.line.iter().copied().filter(|row| self.scene.is_cas(*row as usize)) {
            if let Source::Write(replaced) = self.scene.source[row as usize - 1]
                && self.of[replaced as usize] > self.of[row as usize]
            {
                return self.refuse(row, "it replaced a value whose write comes only later");
            }
        }
        Ok(())
    }

    /// The server's revisions of a key ascend.
    fn contains_revisions(&self) -> Result<(), String> {
        let (revisions, initial) = &self.scene.revisions;
        let mut last = initial.clone();
        for row in &self.line {
            let Some(number) = revisions.get(row) else { continue };
            let key = self.scene.accesses.rows[*row as usize].key;
            if last.insert(key, *number).is_some_and(|last| last >= *number) {
                return self.refuse(*row, "an earlier write of its key has a higher revision (`version`)");
            }
        }
        Ok(())
    }

    /// Every list that was read is the beginning of its key's appends.
    fn contains_lists(&self) -> Result<(), String> {
        let accesses = &self.scene.accesses;
        let values = accesses.history.values();
        let mut elements: Vec<Vec<Value>> = vec![Vec::new(); accesses.keys.len()];
        // By row of a write: its place in its list.
        let mut places = vec![0; self.of.len()];
        for row in &self.line {
            let write = &accesses.rows[*row as usize];
            let list = &mut elements[write.key as usize];
            list.push(write.value);
            places[*row as usize] = list.len();
        }
        // Beginnings that were compared, by their handles: what two reads share is compared once.
        let mut compared: Set<(u32, Value)> = Set::default();
        for (row, read) in (0..).zip(&accesses.rows).filter(|(_, access)| !access.writes && access.is_ok()) {
            let mut rest = read.value;
            while let Some((before, last)) = values.split_last(rest) {
                if !compared.insert((read.key, rest)) {
                    break;
                }
                let place = values.len(rest);
                if elements[read.key as usize].get(place - 1) != Some(&last) {
                    let element = values.json(last, 60);
                    return Err(format!(
                        "{} shows {element} as element {place}, and the order doesn't",
                        accesses.name(row)
                    ));
                }
                rest = before;
            }
        }
        // By key: the last operation that read it, and the longest list that it found.
        let mut found: Vec<Option<(OpId, usize)>> = vec![None; accesses.keys.len()];
        for (row, access) in (0..).zip(&accesses.rows).filter(|(row, _)| self.scene.happened[*row as usize]) {
            let found = &mut found[access.key as usize];
            let length = found.filter(|found| found.0 == access.op.id).map_or(0, |found| found.1);
            if !access.writes {
                *found = Some((access.op.id, values.len(access.value).max(length)));
            } else if places[row as usize] <= length {
                return self.refuse(row, "its own transaction had read it before it appended it");
            }
        }
        Ok(())
    }

    /// Each write comes after its session's earlier writes (monotonic writes), and after all that its session had read by then
    /// (writes follow reads), as the rule asks.
    fn contains_sessions(&self, rule: &Rule) -> Result<(), String> {
        let scene = self.scene;
        // By row: the latest place of what has to come before later writes of its session.
        let mut led = vec![0; self.of.len()];
        for row in (0..self.of.len()).filter(|row| scene.happened[*row]) {
            led[row] = led.get(scene.before[row] as usize).copied().unwrap_or(0);
            if scene.accesses.rows[row].writes {
                if self.rank[row] <= led[row] {
                    return self.refuse(number(row), "what its session had written or read before comes only later");
                }
                if rule.monotonic_writes {
                    led[row] = self.rank[row];
                }
            } else if let (true, Source::Write(writer)) = (rule.writes_follow_reads, scene.source[row]) {
                led[row] = led[row].max(self.rank[writer as usize]);
            }
        }
        Ok(())
    }
}
