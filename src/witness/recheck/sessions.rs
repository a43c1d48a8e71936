//! Confirms, from the history alone, that what is claimed of sessions is so: each link, that the links form a circle, and that
//! the guarantee in question knows links of this kind.
//!
//! Cost: a few scans of the history, and memory for what was done to the keys that the claims speak of.

use std::collections::HashSet as Set;

use hashbrown::{HashMap, HashSet};

use super::revisions::Revisions;
use crate::guarantee::Anomaly;
use crate::history::{History, OpId, Operation, Status, Value};
use crate::witness::sessions::{Access, Claim, Hop, Link, Why};

/// Which of the claims are true of the history.
#[must_use]
pub fn confirm(history: &History, claims: &[&Claim]) -> Vec<bool> {
    if claims.is_empty() {
        return Vec::new();
    }
    let book = Book::read(history, claims);
    claims.iter().map(|claim| is_true(&book, claim)).collect()
}

fn is_true(book: &Book<'_>, claim: &Claim) -> bool {
    let premises = (0..claim.premises.len())
        .all(|at| book.is_so(&claim.premises[at], &claim.premises[..at]) && claim.premises[at].to.is_some());
    premises
        && claim.circle.iter().all(|link| book.is_so(link, &claim.premises))
        && closes(book, claim)
        && belongs(book, claim)
}

/// Whether the links lead back to where they began, or to the initial version of a key.
fn closes(book: &Book<'_>, claim: &Claim) -> bool {
    if let [Link { from, to: None, .. }] = &claim.circle[..] {
        return book.act(*from).is_some();
    }
    let count = claim.circle.len();
    count > 0 && (0..count).all(|at| claim.circle[at].to == Some(claim.circle[(at + 1) % count].from))
}

/// Whether the links are such as the anomaly is made of.
fn belongs(book: &Book<'_>, claim: &Claim) -> bool {
    let readers: Set<Value> = claim
        .links()
        .filter_map(|link| match &link.why {
            Why::Seen(hops) => hops.last().map(|hop| book.history.op(hop.1.op).session()),
            _ => None,
        })
        .collect();
    let one = readers.len() == 1;
    let all = |test: &dyn Fn(&Why) -> bool| claim.links().all(|link| test(&link.why));
    let own =
        |why: &Why| *why == Why::Replaced || matches!(why, Why::Seen(hops) if matches!(hops[..], [(Hop::Session, _)]));
    let reread = |why: &Why| {
        let twice = |hops: &[(Hop, Access)]| matches!(hops, [(Hop::Shows, _), (Hop::Session, _)]);
        *why == Why::Replaced || matches!(why, Why::Seen(hops) if twice(hops))
    };
    // Prefixes of one order are asked for by `consistent-prefix` alone.
    let by_prefix = claim.links().any(|link| matches!(link.why, Why::Missed { .. } | Why::Within(_)));
    let plain = claim.premises.is_empty() && (!by_prefix || claim.anomaly == Anomaly::PrefixInversion);
    let seen = claim.circle.iter().filter(|link| matches!(link.why, Why::Seen(_))).count();
    match claim.anomaly {
        Anomaly::FutureReadProcess => plain && matches!(&claim.circle[..], [Link { why: Why::Read(_), .. }]),
        Anomaly::MissingYourWrites => plain && one && all(&own),
        Anomaly::MissingYourWritesGlobal => plain && all(&own),
        Anomaly::BackwardRead => plain && one && all(&reread),
        Anomaly::BackwardReadGlobal => plain && all(&reread),
        Anomaly::NonMonotonicWrite => plain && all(&|why| matches!(why, Why::Wrote | Why::Replaced)),
        Anomaly::MissingReadWriteDependency => plain && all(&|why| matches!(why, Why::Read(_) | Why::Replaced)),
        Anomaly::CyclicCausality => plain && seen == 0,
        Anomaly::CausallyOverwrittenRead => plain && seen == 1,
        Anomaly::SessionInversion => plain && one,
        Anomaly::CyclicConflict => plain && seen > 0,
        Anomaly::CyclicHappenedBefore => readers.len() <= 1,
        // Growing prefixes: what a session read, it has; what it wrote and read need not meet.
        Anomaly::PrefixInversion => {
            plain && all(&|why| !matches!(why, Why::Read(_)) && (!matches!(why, Why::Seen(_)) || reread(why)))
        }
        Anomaly::NonMonotonicWriteNode | Anomaly::MissingReadWriteDependencyNode => by_server(book, claim),
        // Others' reads count for nothing.
        Anomaly::PramInversion => {
            let mut reads: Set<Value> = readers;
            for link in claim.links() {
                let session = |access: &Access| book.history.op(access.op).session();
                match &link.why {
                    Why::Wrote | Why::Replaced => {}
                    Why::Missed { .. } | Why::Within(_) => return false,
                    Why::Read(by) => {
                        reads.insert(session(by));
                    }
                    Why::Seen(hops) => {
                        reads.extend(hops.iter().filter(|hop| hop.0 == Hop::Shows).map(|hop| session(&hop.1)));
                    }
                }
            }
            reads.len() == 1
        }
        _ => false,
    }
}

/// Whether a claim is about what one server shows: by each read, by what was read there before and what that entails, and with something
/// at least that the guarantee asks for.
fn by_server(book: &Book<'_>, claim: &Claim) -> bool {
    let writes = claim.anomaly == Anomaly::NonMonotonicWriteNode;
    let mut servers: Set<Value> = Set::new();
    let mut asked = false;
    for link in &claim.circle {
        let fine = match &link.why {
            Why::Replaced => true,
            Why::Wrote => {
                asked = true;
                writes
            }
            Why::Missed { .. } | Why::Within(_) => false,
            Why::Read(_) => {
                asked = true;
                !writes
            }
            Why::Seen(hops) => {
                let Some(((Hop::Server, reader), way)) = hops.split_last() else { return false };
                let Some(((Hop::Shows, _), mut way)) = way.split_last() else { return false };
                servers.insert(book.history.op(reader.op).node());
                if let Some(((Hop::Premise(_), _), before)) = way.split_last() {
                    // A list holds what it shows and what came before that.
                    way = before;
                    if !book.lists {
                        return false;
                    }
                }
                asked |= !way.is_empty();
                match way {
                    [] => true,
                    [(Hop::Session, _)] => writes,
                    _ => !writes && way.chunks(2).all(|pair| matches!(pair, [(Hop::Shows, _), (Hop::Session, _)])),
                }
            }
        };
        if !fine {
            return false;
        }
    }
    asked && servers.len() == 1 && claim.premises.iter().all(|premise| premise.why == Why::Replaced)
}

/// A key and a value.
type Written = ((Value, Value), Value);

/// What an access did.
#[derive(Clone, Copy)]
struct Act {
    writes: bool,
    key: (Value, Value),
    /// What it wrote; what it read, of lists all of it.
    value: Value,
}

/// The accesses of a history, read anew.
struct Book<'h> {
    history: &'h History,
    /// Who wrote a value and did not fail: the first, and whether there are more.
    writers: HashMap<Written, (Access, bool), foldhash::fast::RandomState>,
    /// What reads that count show; of lists every element.
    shown: HashSet<Written, foldhash::fast::RandomState>,
    lists: bool,
    /// Of lists, what transactions that succeeded read: the key, and the list.
    reads: Vec<Written>,
    /// Of registers, what the servers' revisions say, where they say something and nothing else.
    revisions: HashMap<(Value, Value), Revisions, foldhash::fast::RandomState>,
}

impl<'h> Book<'h> {
    fn read(history: &'h History, claims: &[&Claim]) -> Book<'h> {
        let mut book = Book {
            history,
            writers: HashMap::default(),
            shown: HashSet::default(),
            lists: history.ops().any(|op| !op.mops().is_empty()),
            reads: Vec::new(),
            revisions: HashMap::default(),
        };
        // What the claims speak of: operations of other keys neither show these nor say who took effect.
        let mut keys: HashSet<(Value, Value), foldhash::fast::RandomState> = HashSet::default();
        for access in claims.iter().flat_map(|claim| claim.accesses()) {
            keys.extend(acts(history, &history.op(access.op)).iter().map(|(_, act)| act.key));
        }
        if history.has_versions() && !book.lists {
            let revisions = keys.iter().filter_map(|key| Some((*key, Revisions::of(history, key.0)?)));
            book.revisions = revisions.collect();
        }
        for op in history.ops() {
            for (mop, act) in acts(history, &op) {
                if !keys.contains(&act.key) {
                    continue;
                }
                let access = Access { op: op.id, mop };
                if book.lists && !act.writes && op.status() == Status::Ok {
                    book.reads.push((act.key, act.value));
                }
                if act.writes && op.status() != Status::Fail {
                    let entry = book.writers.entry((act.key, act.value));
                    entry.and_modify(|known| known.1 = true).or_insert((access, false));
                }
            }
        }
        let mut open: Vec<OpId> = history.ops().filter(|op| op.status() == Status::Ok).map(|op| op.id).collect();
        let mut counted: HashSet<OpId, foldhash::fast::RandomState> = open.iter().copied().collect();
        while let Some(op) = open.pop() {
            let reads = acts(history, &history.op(op)).into_iter().filter(|(_, act)| !act.writes);
            for (_, act) in reads.filter(|(_, act)| keys.contains(&act.key)) {
                let elements = if book.lists { history.values().items(act.value) } else { vec![act.value] };
                for element in elements {
                    book.shown.insert((act.key, element));
                    if let Some((writer, false)) = book.writers.get(&(act.key, element))
                        && counted.insert(writer.op)
                    {
                        open.push(writer.op);
                    }
                }
            }
        }
        book
    }

    fn act(&self, access: Access) -> Option<Act> {
        let all = acts(self.history, &self.history.op(access.op));
        all.into_iter().find(|(mop, _)| *mop == access.mop).map(|(_, act)| act)
    }

    /// Whether an access took effect.
    fn happened(&self, access: Access) -> bool {
        let status = self.history.op(access.op).status();
        status == Status::Ok
            || status == Status::Info
                && acts(self.history, &self.history.op(access.op)).into_iter().any(|(mop, act)| {
                    let writer = Some(&(Access { mop, ..access }, false));
                    act.writes
                        && self.shown.contains(&(act.key, act.value))
                        && self.writers.get(&(act.key, act.value)) == writer
                })
    }

    /// Whether an access precedes another one in its session.
    fn earlier(&self, first: Access, second: Access) -> bool {
        if first.op == second.op {
            return first.mop < second.mop;
        }
        let (a, b) = (self.history.op(first.op), self.history.op(second.op));
        a.session() == b.session() && first.op < second.op && a.status() == Status::Ok
    }

    /// Whether two reads were answered by one server, the second after the first had ended.
    fn served(&self, first: Access, second: Access) -> bool {
        let (a, b) = (self.history.op(first.op), self.history.op(second.op));
        let reads = |access: Access| self.act(access).is_some_and(|act| !act.writes) && self.happened(access);
        let named = !a.node().is_null() && !a.node().is_absent() && a.node() == b.node();
        named && reads(first) && reads(second) && a.status() == Status::Ok && a.ended() < b.began()
    }

    /// Whether a read shows a write, and can show no other.
    fn shows(&self, read: Access, write: Access) -> bool {
        let (Some(seen), Some(wrote)) = (self.act(read), self.act(write)) else { return false };
        let value = if self.lists {
            self.history.values().split_last(seen.value).map(|(_, last)| last)
        } else {
            Some(seen.value)
        };
        !seen.writes
            && wrote.writes
            && self.happened(read)
            && seen.key == wrote.key
            && value == Some(wrote.value)
            && (self.only(write, &wrote) || self.named(seen.key, read) == Some(write.op))
    }

    /// Whether nobody else wrote a value, and it was not there at first.
    fn only(&self, write: Access, wrote: &Act) -> bool {
        self.writers.get(&(wrote.key, wrote.value)) == Some(&(write, false))
            && (self.lists || self.initial(wrote.key) != Some(wrote.value))
    }

    /// The write that a read shows by its revision.
    fn named(&self, key: (Value, Value), read: Access) -> Option<OpId> {
        self.revisions.get(&key)?.shown(read.op)
    }

    /// Whether a read shows what was there before any write.
    fn shows_initial(&self, read: Access) -> bool {
        let Some(seen) = self.act(read).filter(|act| !act.writes) else { return false };
        let initial = if self.lists { Some(Value::EMPTY_LIST) } else { self.initial(seen.key) };
        let unwritten = !self.writers.contains_key(&(seen.key, seen.value));
        self.happened(read) && unwritten && initial.is_none_or(|initial| initial == seen.value)
    }

    fn initial(&self, key: (Value, Value)) -> Option<Value> {
        let values = self.history.values();
        let said = self.history.header_field("initial").unwrap_or(Value::NULL);
        let by_key = !key.0.is_null() && values.json(said, 1).starts_with('{');
        let mine = if by_key {
            let name = values.as_str(key.0).map_or_else(|| values.json(key.0, usize::MAX), str::to_owned);
            values.get(said, &name).unwrap_or(Value::NULL)
        } else {
            said
        };
        // Strings are empty at first, registers hold null.
        let f = self.history.ops().next().and_then(|op| values.as_str(op.f()));
        let strings = f.is_some_and(|f| ["get", "put"].contains(&f));
        let mine = if strings && mine.is_null() { Value::EMPTY_STRING } else { mine };
        (values.as_str(mine) != Some("unknown")).then_some(mine)
    }

    /// Whether the history itself orders two writes of a key.
    fn replaced(&self, first: Access, second: Access) -> bool {
        let (Some(a), Some(b)) = (self.act(first), self.act(second)) else { return false };
        if a.key != b.key || !a.writes || !b.writes {
            return false;
        }
        if self.lists {
            let reads = self.reads.iter().filter(|(key, _)| *key == a.key);
            let (mut together, mut has_first, mut has_second) = (false, false, false);
            for (_, list) in reads {
                let items = self.history.values().items(*list);
                let (at, then) =
                    (items.iter().position(|one| *one == a.value), items.iter().position(|one| *one == b.value));
                together |= matches!((at, then), (Some(at), Some(then)) if at < then);
                has_first |= at.is_some();
                has_second |= then.is_some();
            }
            return together || has_first && !has_second;
        }
        if self.revisions.get(&a.key).is_some_and(|revisions| revisions.precedes(first.op, second.op)) {
            return true;
        }
        let mut at = second;
        let mut steps = 0;
        loop {
            // A compare-and-set: its read is its first part.
            let read = Access { mop: 0, ..at };
            let Some(expected) = self.act(read).filter(|act| !act.writes && at.mop == 1) else { return false };
            let Some((writer, false)) = self.writers.get(&(expected.key, expected.value)).copied() else {
                return false;
            };
            if writer == first {
                return self.shows(read, first);
            }
            at = writer;
            steps += 1;
            if steps > self.writers.len() {
                return false;
            }
        }
    }

    fn is_so(&self, link: &Link, premises: &[Link]) -> bool {
        let writes = |access: Access| self.act(access).is_some_and(|act| act.writes) && self.happened(access);
        if !writes(link.from) || !link.to.is_none_or(writes) {
            return false;
        }
        match (&link.why, link.to) {
            (Why::Wrote, Some(to)) => self.earlier(link.from, to),
            (Why::Read(by), Some(to)) => self.shows(*by, link.from) && self.earlier(*by, to),
            (Why::Replaced, Some(to)) => self.replaced(link.from, to),
            (Why::Within(by), Some(to)) => {
                // Both parts of a compare-and-set.
                let reads = Access { mop: 0, ..to };
                to.mop == 1
                    && self.act(reads).is_some_and(|act| !act.writes)
                    && self.shows(*by, link.from)
                    && (*by == reads || self.earlier(*by, reads))
            }
            (Why::Missed { first, last, over }, Some(to)) => {
                let key = |access: Access| self.act(access).map(|act| act.key);
                let missed = match over {
                    Some(over) => self.shows(*last, *over) && (self.replaced(*over, to)),
                    None => self.shows_initial(*last),
                };
                self.shows(*first, link.from)
                    && (first == last || self.earlier(*first, *last) && self.happened(*last))
                    && missed
                    && key(*last) == key(to)
            }
            (Why::Seen(hops), to) => {
                let mut at = link.from;
                for (hop, next) in hops {
                    let fine = match hop {
                        Hop::Session => self.earlier(at, *next) && self.happened(*next),
                        Hop::Shows => self.shows(*next, at),
                        Hop::Server => self.served(at, *next),
                        Hop::Premise(number) => {
                            premises.get(*number).is_some_and(|link| link.from == at && link.to == Some(*next))
                        }
                    };
                    if !fine {
                        return false;
                    }
                    at = *next;
                }
                let same_key =
                    |other: Access| self.act(other).map(|act| act.key) == self.act(link.from).map(|act| act.key);
                match to {
                    Some(to) => self.shows(at, to) && same_key(to) && to != link.from,
                    None => self.shows_initial(at) && same_key(at),
                }
            }
            _ => false,
        }
    }
}

/// The accesses of an operation, by micro-operation.
fn acts(history: &History, op: &Operation<'_>) -> Vec<(u32, Act)> {
    let values = history.values();
    let ok = op.status() == Status::Ok;
    let present = |value: Value| if value.is_absent() { Value::NULL } else { value };
    if !op.mops().is_empty() {
        let of = |(mop, at): (&crate::history::MicroOp, u32)| {
            let reads = values.as_str(mop.f) == Some("r");
            let value = if reads && mop.value.is_null() { Value::EMPTY_LIST } else { mop.value };
            (!reads || ok).then_some((at, Act { writes: !reads, key: (mop.key, present(op.key())), value }))
        };
        return op.mops().iter().zip(0..).filter_map(of).collect();
    }
    let key = (present(op.key()), Value::NULL);
    let given = if op.argument().is_null() && !op.result().is_null() { op.result() } else { op.argument() };
    match values.as_str(op.f()) {
        Some("read") if ok => vec![(0, Act { writes: false, key, value: present(op.result()) })],
        Some("get") if ok => {
            let value = if op.result().is_null() { Value::EMPTY_STRING } else { op.result() };
            vec![(0, Act { writes: false, key, value })]
        }
        Some("write" | "put") => vec![(0, Act { writes: true, key, value: present(given) })],
        Some("cas") => match values.items(given)[..] {
            [old, new] if op.status() == Status::Fail => {
                let _ = old;
                vec![(0, Act { writes: true, key, value: new })]
            }
            [old, new] => {
                vec![(0, Act { writes: false, key, value: old }), (1, Act { writes: true, key, value: new })]
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
