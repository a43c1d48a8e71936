//! Isolation of transactions over lists, by the axioms: one order of commits, and what each transaction sees and misses.

use std::collections::{HashMap, HashSet};

use super::{Deed, Op, Story};

/// What the order keeps beside the data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Plain,
    Session,
    Strict,
}

/// When a transaction may miss what was committed before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Misses {
    /// What reads show need not even be there.
    Anything,
    Always,
    Never,
    /// Of after its snapshot; which is one, and holds what it overwrites.
    Snapshot {
        contains: Form,
        one: bool,
        exclusive: bool,
    },
    Unless(Sees),
}

/// Whom a transaction sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sees {
    ReadSoFar,
    Read,
    SessionAndRead,
    Overwritten,
    Reads,
    SessionsAndReads,
    Dependencies,
    DependenciesSoFar,
    Updates,
    Cursor,
}

fn level(guarantee: &str) -> (Form, Misses) {
    use {Form::*, Misses::*};
    let snapshot = |form, contains, exclusive| (form, Snapshot { contains, one: true, exclusive });
    match guarantee {
        "strict-serializable" => (Strict, Never),
        "strong-session-serializable" | "session-serializable" => (Session, Never),
        "serializable" | "view-serializable" | "1SR" | "repeatable-read" => (Plain, Never),
        "strong-snapshot-isolation" => snapshot(Strict, Strict, true),
        "strong-session-snapshot-isolation" => snapshot(Session, Session, true),
        "snapshot-isolation" => snapshot(Plain, Plain, true),
        "prefix@biswas-enea" => snapshot(Session, Session, false),
        "prefix" => snapshot(Plain, Plain, false),
        "monotonic-snapshot-read" => (Plain, Snapshot { contains: Plain, one: false, exclusive: false }),
        "update-serializable" => (Plain, Unless(Sees::Updates)),
        "parallel-snapshot-isolation" | "consistent-view" | "forward-consistent-view" => {
            (Plain, Unless(Sees::Dependencies))
        }
        "monotonic-view" => (Plain, Unless(Sees::DependenciesSoFar)),
        "update-atomic" => (Plain, Unless(Sees::Overwritten)),
        "cursor-stability" => (Plain, Unless(Sees::Cursor)),
        "causal" => (Session, Unless(Sees::SessionsAndReads)),
        "causal-cerone" => (Plain, Unless(Sees::Reads)),
        "read-atomic@biswas-enea" => (Session, Unless(Sees::SessionAndRead)),
        "read-atomic" => (Plain, Unless(Sees::Read)),
        "read-committed@biswas-enea" => (Session, Unless(Sees::ReadSoFar)),
        "monotonic-atomic-view" => (Plain, Unless(Sees::ReadSoFar)),
        "strong-read-committed" => (Strict, Always),
        "strong-session-read-committed" => (Session, Always),
        "read-committed" => (Plain, Always),
        "strong-read-uncommitted" => (Strict, Anything),
        "strong-session-read-uncommitted" => (Session, Anything),
        "read-uncommitted" => (Plain, Anything),
        other => panic!("no level {other}"),
    }
}

const NOWHERE: usize = usize::MAX;

/// A read: its key, its micro-operation, and how many elements it shows below those of its own transaction.
struct Read {
    key: usize,
    mop: u32,
    shows: usize,
}

/// An order of commits, and each key's list in it.
struct Scene<'s> {
    story: &'s Story,
    /// By place.
    order: Vec<usize>,
    /// By operation; [`NOWHERE`] where it is not in the order.
    place: Vec<usize>,
    /// By key: who left each version, in order; those whom reads show, and then the others.
    chain: Vec<Vec<usize>>,
    /// By key: for each number of elements, how many versions these are.
    versions: Vec<Vec<usize>>,
    /// By operation.
    reads: Vec<Vec<Read>>,
    /// By operation: the keys that it appends to, each with its last append.
    writes: Vec<Vec<(usize, u32)>>,
    /// By operation: the last ok one of its session before it.
    earlier: Vec<Option<usize>>,
}

/// Whether an order, of positions, is one that a guarantee allows. That reads show whole transactions, and each the own appends, is
/// the same in all orders.
pub(crate) fn is_legal(story: &Story, guarantee: &str, order: &[u32]) -> bool {
    let (form, misses) = level(guarantee);
    let order: Option<Vec<usize>> = order.iter().map(|position| story.at(*position)).collect();
    let Some(order) = order else { return false };
    let mut place = vec![NOWHERE; story.ops.len()];
    for (at, op) in order.iter().enumerate() {
        if std::mem::replace(&mut place[*op], at) != NOWHERE {
            return false;
        }
    }
    if (0..story.ops.len()).any(|op| story.ops[op].ok && place[op] == NOWHERE) {
        return false;
    }
    let kept = (0..order.len()).all(|at| {
        let later = &story.ops[order[at]];
        order[..at].iter().all(|before| {
            let earlier = &story.ops[*before];
            let by_session = earlier.session == later.session && later.ok && order[at] < *before;
            !(form >= Form::Session && by_session || form == Form::Strict && later.precedes(earlier))
        })
    });
    kept && Scene::new(story, order, place).is_some_and(|scene| scene.allows(misses))
}

impl<'s> Scene<'s> {
    /// Nothing where some list is not in the order.
    fn new(story: &'s Story, order: Vec<usize>, place: Vec<usize>) -> Option<Scene<'s>> {
        let mut keys: HashMap<&str, usize> = HashMap::new();
        let mut writers: HashMap<(usize, &str), usize> = HashMap::new();
        let mut longest: Vec<&[String]> = Vec::new();
        let mut writes: Vec<Vec<(usize, u32)>> = vec![Vec::new(); story.ops.len()];
        for (at, op) in story.ops.iter().enumerate() {
            for step in &op.steps {
                let next = keys.len();
                let key = *keys.entry(&step.key).or_insert(next);
                longest.resize(keys.len(), &[]);
                match &step.deed {
                    Deed::Write(element) => {
                        writers.insert((key, element), at);
                        writes[at].retain(|(other, _)| *other != key);
                        writes[at].push((key, step.mop));
                    }
                    Deed::Read(list) if longest[key].len() < list.len() => longest[key] = list,
                    Deed::Read(_) => {}
                }
            }
        }
        let (mut chain, mut versions): (Vec<Vec<usize>>, Vec<Vec<usize>>) = Default::default();
        for (key, list) in longest.iter().enumerate() {
            let (mut line, mut counts) = (Vec::new(), vec![0]);
            for element in *list {
                // What failed left nothing that this order has.
                if let Some(writer) = writers.get(&(key, element.as_str()))
                    && line.last() != Some(writer)
                {
                    line.push(*writer);
                }
                counts.push(line.len());
            }
            chain.push(line);
            versions.push(counts);
        }
        for op in &order {
            for (key, _) in &writes[*op] {
                if !chain[*key].contains(op) {
                    chain[*key].push(*op);
                }
            }
        }
        let ascends = |line: &Vec<usize>| {
            line.iter().all(|op| place[*op] != NOWHERE) && line.windows(2).all(|two| place[two[0]] < place[two[1]])
        };
        if !chain.iter().all(ascends) {
            return None;
        }
        let mut reads: Vec<Vec<Read>> = Vec::new();
        let mut earlier: Vec<Option<usize>> = Vec::new();
        let mut last: HashMap<usize, usize> = HashMap::new();
        for (at, op) in story.ops.iter().enumerate() {
            let mut own_reads = Vec::new();
            for step in &op.steps {
                let Deed::Read(list) = &step.deed else { continue };
                let key = keys[step.key.as_str()];
                let own = |element: &&String| writers.get(&(key, element.as_str())) == Some(&at);
                let shows = list.len() - list.iter().rev().take_while(own).count();
                own_reads.push(Read { key, mop: step.mop, shows });
            }
            reads.push(own_reads);
            earlier.push(last.get(&op.session).copied());
            if op.ok {
                last.insert(op.session, at);
            }
        }
        Some(Scene { story, order, place, chain, versions, reads, writes, earlier })
    }

    fn op(&self, op: usize) -> &'s Op {
        &self.story.ops[op]
    }

    /// Which version a read shows; 0: the empty list.
    fn version(&self, read: &Read) -> usize {
        self.versions[read.key][read.shows]
    }

    /// Who left what a read shows.
    fn shown(&self, read: &Read) -> Option<usize> {
        self.version(read).checked_sub(1).map(|at| self.chain[read.key][at])
    }

    /// Who left what a read does not show and what comes before its transaction.
    fn missed(&self, op: usize, read: &Read) -> &[usize] {
        let later = &self.chain[read.key][self.version(read)..];
        let count = later.iter().take_while(|writer| self.place[**writer] < self.place[op]).count();
        &later[..count]
    }

    /// Who left the version that a transaction overwrites.
    fn before(&self, op: usize, key: usize) -> Option<usize> {
        let line = &self.chain[key];
        line.iter().position(|one| *one == op)?.checked_sub(1).map(|at| line[at])
    }

    fn writes_to(&self, op: usize, key: usize) -> bool {
        self.writes[op].iter().any(|(other, _)| *other == key)
    }

    fn allows(&self, misses: Misses) -> bool {
        if misses == Misses::Anything {
            return true;
        }
        self.order.iter().all(|op| {
            let place = self.place[*op];
            let is_there =
                |read: &Read| self.shown(read).is_none_or(|writer| writer == *op || self.place[writer] < place);
            self.reads[*op].iter().all(is_there)
                && match misses {
                    Misses::Anything | Misses::Always => true,
                    Misses::Never => self.reads[*op].iter().all(|read| self.missed(*op, read).is_empty()),
                    Misses::Snapshot { contains, one, exclusive } => self.has_snapshots(*op, contains, one, exclusive),
                    Misses::Unless(sees) => self.reads[*op].iter().all(|read| !self.sees_missed(*op, read, sees)),
                }
        })
    }

    /// Whether the first so many transactions, or such beginnings that grow from read to read, are what a transaction read from.
    fn has_snapshots(&self, op: usize, contains: Form, one: bool, exclusive: bool) -> bool {
        let place = self.place[op];
        let mut least = 0;
        if contains >= Form::Session {
            least = self.earlier[op].map_or(0, |earlier| self.place[earlier] + 1);
        }
        if contains == Form::Strict {
            let returned = self.order[..place].iter().filter(|other| self.op(**other).precedes(self.op(op)));
            least = returned.map(|other| self.place[*other] + 1).fold(least, usize::max);
        }
        // A snapshot is told by what of these keys is in it.
        let written = &self.writes[op];
        let keys = self.reads[op].iter().map(|read| read.key).chain(written.iter().map(|(key, _)| *key));
        let ends = keys.flat_map(|key| &self.chain[key]).map(|writer| self.place[*writer] + 1);
        let mut ends: Vec<usize> = ends.chain([least]).filter(|end| (least..=place).contains(end)).collect();
        ends.sort_unstable();
        let shows = |read: &Read, end: usize| {
            let line = &self.chain[read.key];
            line.iter().filter(|writer| self.place[**writer] < end && **writer != op).count() == self.version(read)
        };
        let is_alone = |end: usize| {
            let others = written.iter().flat_map(|(key, _)| &self.chain[*key]).filter(|writer| **writer != op);
            !exclusive || others.map(|writer| self.place[*writer]).all(|other| other < end || other > place)
        };
        if one {
            return ends.iter().any(|end| self.reads[op].iter().all(|read| shows(read, *end)) && is_alone(*end));
        }
        let mut from = 0;
        self.reads[op].iter().all(|read| {
            let found = ends[from..].iter().position(|end| shows(read, *end));
            from += found.unwrap_or(0);
            found.is_some()
        })
    }

    /// Whether a transaction sees somebody whom its read misses.
    fn sees_missed(&self, op: usize, read: &Read, sees: Sees) -> bool {
        let (missed, written) = (self.missed(op, read), &self.writes[op]);
        if missed.is_empty() {
            return false;
        }
        match sees {
            Sees::Cursor => return written.iter().any(|(key, mop)| *key == read.key && *mop > read.mop),
            Sees::Updates if !written.is_empty() => return true,
            Sees::Overwritten
                if missed.iter().any(|other| written.iter().any(|(key, _)| self.writes_to(*other, *key))) =>
            {
                return true;
            }
            _ => {}
        }
        let so_far = matches!(sees, Sees::ReadSoFar | Sees::DependenciesSoFar);
        let mut seen: HashSet<usize> = HashSet::new();
        let mut open = self.directly(op, if so_far { read.mop } else { u32::MAX }, sees);
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                if missed.contains(&next) {
                    return true;
                }
                if !matches!(sees, Sees::Read | Sees::ReadSoFar | Sees::SessionAndRead | Sees::Overwritten) {
                    open.extend(self.directly(next, u32::MAX, sees));
                }
            }
        }
        false
    }

    /// Whom a transaction sees directly, by what it did up to a micro-operation.
    fn directly(&self, op: usize, until: u32, sees: Sees) -> Vec<usize> {
        let mut seen: Vec<usize> =
            self.reads[op].iter().filter(|read| read.mop <= until).filter_map(|read| self.shown(read)).collect();
        match sees {
            Sees::SessionsAndReads => seen.extend(self.earlier[op]),
            Sees::SessionAndRead => {
                seen.extend(std::iter::successors(self.earlier[op], |earlier| self.earlier[*earlier]));
            }
            Sees::Dependencies | Sees::DependenciesSoFar | Sees::Updates => {
                for (key, _) in self.writes[op].iter().filter(|(_, mop)| *mop <= until) {
                    let before = self.before(op, *key);
                    seen.extend(before);
                    if sees == Sees::Updates {
                        let same = |read: &Read| read.key == *key && self.shown(read) == before;
                        let updates =
                            self.order.iter().filter(|other| **other != op && !self.writes[**other].is_empty());
                        seen.extend(updates.filter(|other| self.reads[**other].iter().any(same)));
                    }
                }
            }
            _ => {}
        }
        seen
    }
}
