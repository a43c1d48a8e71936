//! Whether an order of the writes explains what each server shows, in time, with what a guarantee of sessions adds.
//!
//! A write is there for a read at a server if a read that had ended by then showed it (in a list, too), or if one that is there owes it:
//! *monotonic writes*, its session's earlier writes; *writes follow reads*, what its session had read before. Of the writes of its
//! key, a read shows one that no other that is there comes after. What is there only because it is owed comes strictly before what is
//! shown; what had been shown may share its place, where the server went back by itself: that is no matter of sessions.
//!
//! Cost: for each server, linear in its reads and in the accesses of sessions that led to what it shows.

use std::collections::VecDeque;

use super::super::Map;
use super::super::accesses::Source;
use super::explain::Unexplained;
use super::scene::Places;
use crate::history::{History, Value};

const NONE: u32 = u32::MAX;

/// What a write that is there brings with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owes {
    /// Its session's earlier writes.
    Writes,
    /// What its session had read before it.
    Reads,
}

/// A key at a server.
#[derive(Default)]
struct There {
    /// The write that was shown and comes latest.
    shown: Option<u32>,
    /// The first write that was owed.
    first: Option<u32>,
    /// Writes that are owed: since when, and which; only those after which no later one came that comes as late in the order.
    owed: VecDeque<(u32, u32)>,
}

/// The server whose reads pass by.
struct Server<'p, 's, 'h> {
    places: &'p Places<'s, 'h>,
    owes: Owes,
    /// By key, the rows of its writes in the order; of lists.
    lists: Vec<Vec<u32>>,
    /// The server's number; by row, that of the last one that showed or owed it, and that passed it on the way along its session.
    number: u32,
    shown: Vec<u32>,
    owed: Vec<u32>,
    passed: Vec<u32>,
    keys: Map<u32, There>,
    failed: Vec<Unexplained>,
    tested: u64,
}

/// The reads that the order doesn't explain, and how many could have gone wrong.
pub(super) fn unexplained(places: &Places<'_, '_>, owes: Owes) -> (Vec<Unexplained>, u64) {
    let (scene, count) = (places.scene, places.of.len());
    let mut by_node: Map<Value, Vec<u32>> = Map::default();
    let mut nodes: Vec<Value> = Vec::new();
    for (row, access) in (0..).zip(&scene.accesses.rows) {
        let node = access.op.node();
        let tells = matches!(scene.source[row as usize], Source::Initial | Source::Write(_));
        if tells && !access.writes && scene.happened[row as usize] && !node.is_null() {
            let reads = by_node.entry(node).or_insert_with(|| {
                nodes.push(node);
                Vec::new()
            });
            reads.push(row);
        }
    }
    let mut lists = vec![Vec::new(); if scene.accesses.lists { scene.accesses.keys.len() } else { 0 }];
    for row in places.line.iter().filter(|_| scene.accesses.lists) {
        lists[scene.accesses.rows[*row as usize].key as usize].push(*row);
    }
    let mut server = Server {
        places,
        owes,
        lists,
        number: 0,
        shown: vec![0; count],
        owed: vec![0; count],
        passed: vec![0; count],
        keys: Map::default(),
        failed: Vec::new(),
        tested: 0,
    };
    for node in nodes {
        server.number += 1;
        server.keys.clear();
        server.look(by_node.remove(&node).unwrap_or_default());
    }
    (server.failed, server.tested)
}

impl Server<'_, '_, '_> {
    /// The reads of one server, each as it begins, and again as it ends.
    fn look(&mut self, mut reads: Vec<u32>) {
        let accesses = &self.places.scene.accesses;
        let began = |row: u32| accesses.rows[row as usize].op.began();
        let ended = |row: u32| accesses.rows[row as usize].op.ended();
        reads.sort_by_key(|row| (began(*row), *row));
        let mut ends: Vec<(u32, u32)> = reads.iter().map(|row| (ended(*row), *row)).collect();
        ends.retain(|end| end.0 != History::NO_POSITION);
        ends.sort_by_key(|end| (end.0, began(end.1), end.1));
        let mut ends = ends.into_iter().peekable();
        for read in reads {
            while let Some((at, done)) = ends.next_if(|end| end.0 < began(read)) {
                self.end(done, at);
            }
            self.begin(read);
        }
    }

    /// A read has to show what no write that is there comes after.
    fn begin(&mut self, read: u32) {
        let scene = self.places.scene;
        let Some(there) = self.keys.get(&scene.accesses.rows[read as usize].key) else { return };
        self.tested += u64::from(there.first.is_some());
        let Source::Write(seen) = scene.source[read as usize] else {
            self.failed.extend(there.first.map(|missed| Unexplained { row: read, missed }));
            return;
        };
        let rank = |write: u32| self.places.rank[write as usize];
        let mut latest = there.owed.iter().map(|owed| owed.1).filter(|owed| *owed != seen);
        let owed = latest.next().filter(|owed| rank(*owed) >= rank(seen));
        let missed = owed.or(there.shown.filter(|shown| rank(*shown) > rank(seen)));
        self.failed.extend(missed.map(|missed| Unexplained { row: read, missed }));
    }

    /// What a read showed is there for those that begin from now on. What had been there when it began comes before that.
    fn end(&mut self, read: u32, at: u32) {
        let scene = self.places.scene;
        let Source::Write(seen) = scene.source[read as usize] else { return };
        let access = &scene.accesses.rows[read as usize];
        let there = self.keys.entry(access.key).or_default();
        let began = access.op.began();
        while there.owed.front().is_some_and(|owed| owed.0 < began) {
            there.owed.pop_front();
        }
        let rank = |write: u32| self.places.rank[write as usize];
        there.shown = Some(there.shown.filter(|shown| rank(*shown) > rank(seen)).unwrap_or(seen));
        self.show(seen, at);
        if scene.accesses.lists {
            let before = scene.accesses.history.values().len(access.value).saturating_sub(1);
            for at_last in (0..before).rev() {
                let earlier = self.lists[access.key as usize].get(at_last).copied();
                if !earlier.is_some_and(|earlier| self.show(earlier, at)) {
                    break;
                }
            }
        }
    }

    /// A write is shown; whether that is new.
    fn show(&mut self, write: u32, at: u32) -> bool {
        let new = std::mem::replace(&mut self.shown[write as usize], self.number) != self.number;
        if new {
            self.owe(write, at);
        }
        new
    }

    /// What comes with a write that is there.
    fn owe(&mut self, write: u32, at: u32) {
        let scene = self.places.scene;
        let mut open = vec![write];
        while let Some(write) = open.pop() {
            let mut row = scene.before[write as usize];
            while row != NONE && std::mem::replace(&mut self.passed[row as usize], self.number) != self.number {
                let writes = scene.accesses.rows[row as usize].writes;
                let owed = match (self.owes, scene.source[row as usize]) {
                    (Owes::Writes, _) if writes => Some(row),
                    (Owes::Reads, Source::Write(seen)) if !writes => Some(seen),
                    _ => None,
                };
                if let Some(owed) = owed.filter(|owed| self.is_new(*owed)) {
                    self.add(owed, at);
                    if self.owes == Owes::Reads {
                        open.push(owed);
                    }
                }
                row = scene.before[row as usize];
            }
        }
    }

    fn is_new(&self, owed: u32) -> bool {
        self.shown[owed as usize] != self.number && self.owed[owed as usize] != self.number
    }

    fn add(&mut self, owed: u32, at: u32) {
        self.owed[owed as usize] = self.number;
        let there = self.keys.entry(self.places.scene.accesses.rows[owed as usize].key).or_default();
        there.first.get_or_insert(owed);
        let rank = |write: u32| self.places.rank[write as usize];
        while there.owed.back().is_some_and(|other| rank(other.1) < rank(owed)) {
            there.owed.pop_back();
        }
        there.owed.push_back((at, owed));
    }
}
