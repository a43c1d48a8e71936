//! Guarantees of sessions, from their axioms: which writes have to stand before which in an order of all of them.
//!
//! What orders have to contain, and what reads had to see, are pairs of writes, and the same for all orders; they are listed once for
//! a history. Only for places in an order (PRAM, causal memory, prefixes), the order itself is walked along.

use std::collections::{BTreeMap, HashMap, HashSet};

use fixedbitset::FixedBitSet;

use super::{Deed, Story};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visible {
    Nothing,
    /// The session's own writes, what its reads had shown, all that led to it.
    Own,
    Seen,
    Past,
    /// All before its place among all, or among the reads, of its session.
    Placed,
    Prefix,
    /// What is at its server.
    There {
        writes: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OneFor {
    Everybody,
    Session,
    Server,
    Read,
}

struct Rule {
    writes: bool,
    reads: bool,
    visible: Visible,
    one_for: OneFor,
}

fn rule(guarantee: &str) -> Rule {
    let of = |writes, reads, visible, one_for| Rule { writes, reads, visible, one_for };
    use {OneFor::*, Visible::*};
    match guarantee {
        "read-your-writes" => of(false, false, Own, Session),
        "read-your-writes@global" => of(false, false, Own, Everybody),
        "monotonic-reads" => of(false, false, Seen, Session),
        "monotonic-reads@global" => of(false, false, Seen, Everybody),
        "monotonic-writes" | "monotonic-writes@global" => of(true, false, Nothing, Everybody),
        "writes-follow-reads" | "writes-follow-reads@global" => of(false, true, Nothing, Everybody),
        "monotonic-writes@node" => of(true, false, There { writes: true }, Server),
        "writes-follow-reads@node" => of(false, true, There { writes: false }, Server),
        "session" => of(true, true, Past, Session),
        "session@global" | "causal" => of(true, true, Past, Everybody),
        "weak-causal" => of(true, true, Past, OneFor::Read),
        "consistent-prefix" => of(true, false, Prefix, Everybody),
        "pram" => of(true, false, Placed, Session),
        "causal-memory" => of(true, true, Placed, Session),
        other => panic!("no rule {other}"),
    }
}

/// One read or write.
struct Row {
    op: usize,
    mop: u32,
    key: usize,
    writes: bool,
    /// Whose value a read shows: a row; none at first.
    source: Option<usize>,
    /// What comes right before it in its session, among what certainly is there, or in its operation.
    before: Option<usize>,
}

/// An order: what each row's place is, from 1, and its rank, which writes that share a place have in common.
pub(crate) struct Order {
    pub(crate) writes: Vec<(u32, u32)>,
    pub(crate) shares: Vec<u32>,
}

/// A history as all orders of the same writes have it.
pub(crate) struct Scene<'s> {
    story: &'s Story,
    rows: Vec<Row>,
    /// Writes by how orders name them: of registers, the operation is enough.
    named: HashMap<(usize, u32), usize>,
    /// By guarantee.
    known: HashMap<String, Pairs>,
}

/// Two writes: the one that has to come before; and the other, nothing for what was there before all writes; and whether they may
/// share a place.
type Asked = (usize, Option<usize>, bool);

/// Pairs that every order has to have, and those that units ask of one order of theirs.
struct Pairs {
    all: Vec<(usize, usize)>,
    asked: BTreeMap<usize, Vec<Asked>>,
}

impl<'s> Scene<'s> {
    /// `named`: the writes of the orders, which are taken to have happened.
    pub(crate) fn new(story: &'s Story, named: &HashSet<u32>) -> Scene<'s> {
        let mut rows: Vec<Row> = Vec::new();
        let mut keys: HashMap<&str, usize> = HashMap::new();
        let mut last: HashMap<usize, usize> = HashMap::new();
        for (at, op) in story.ops.iter().enumerate() {
            if !op.ok && !named.contains(&op.position) {
                continue;
            }
            let mut before = last.get(&op.session).copied();
            for step in &op.steps {
                let writes = matches!(step.deed, Deed::Write(_));
                let next = keys.len();
                let key = *keys.entry(&step.key).or_insert(next);
                rows.push(Row { op: at, mop: step.mop, key, writes, source: None, before });
                before = Some(rows.len() - 1);
            }
            if let (true, Some(row)) = (op.ok, before) {
                last.insert(op.session, row);
            }
        }
        let name = |row: &Row| (row.op, if story.lists { row.mop } else { 0 });
        let named = rows.iter().enumerate().filter(|(_, row)| row.writes).map(|(at, row)| (name(row), at)).collect();
        let mut scene = Scene { story, rows, named, known: HashMap::new() };
        let writers: HashMap<(usize, &str), usize> =
            (0..scene.rows.len()).filter_map(|row| Some(((scene.rows[row].key, scene.written(row)?), row))).collect();
        for row in 0..scene.rows.len() {
            let source = scene.shows(row).last().map(|value| writers[&(scene.rows[row].key, value.as_str())]);
            scene.rows[row].source = source;
        }
        scene
    }

    fn deed(&self, row: usize) -> &'s Deed {
        let row = &self.rows[row];
        let mut steps = self.story.ops[row.op].steps.iter();
        &steps.find(|step| step.mop == row.mop).expect("a step").deed
    }

    fn written(&self, row: usize) -> Option<&'s str> {
        match self.deed(row) {
            Deed::Write(value) => Some(value),
            Deed::Read(_) => None,
        }
    }

    fn shows(&self, row: usize) -> &'s [String] {
        match self.deed(row) {
            Deed::Read(list) => list,
            Deed::Write(_) => &[],
        }
    }

    fn session(&self, row: usize) -> usize {
        self.story.ops[self.rows[row].op].session
    }

    /// What came before a row in its session.
    fn earlier(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.rows[row].before, |row| self.rows[*row].before)
    }

    fn reads(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.rows.len()).filter(|row| !self.rows[*row].writes)
    }

    /// Whether these orders show a guarantee.
    pub(crate) fn is_legal(&mut self, guarantee: &str, orders: &[Order]) -> bool {
        let rule = rule(guarantee);
        if !self.known.contains_key(guarantee) {
            let pairs = self.pairs(&rule);
            self.known.insert(guarantee.to_owned(), pairs);
        }
        let lines: Option<Vec<Line>> = orders.iter().map(|order| self.line(order)).collect();
        let Some(lines) = lines else { return false };
        let pairs = &self.known[guarantee];
        let contains = |line: &Line| pairs.all.iter().all(|(one, other)| line.rank[*one] < line.rank[*other]);
        if !lines.iter().all(contains) || rule.one_for == OneFor::Everybody && lines.len() != 1 {
            return false;
        }
        let units: HashSet<usize> = match rule.visible {
            Visible::Placed => (0..self.rows.len()).map(|row| self.session(row)).collect(),
            Visible::Prefix => HashSet::from([0]),
            _ => pairs.asked.keys().copied().collect(),
        };
        units.iter().all(|unit| {
            lines.iter().any(|line| match rule.visible {
                Visible::Placed => self.is_placed(*unit, line),
                Visible::Prefix => self.has_prefixes(line),
                _ => pairs.asked[unit].iter().all(|(missed, shown, may_share)| {
                    let shown = shown.map(|shown| (line.rank[shown], line.of[shown]));
                    let missed = (line.rank[*missed], line.of[*missed]);
                    // A server that goes back to where nothing was does so by itself.
                    shown.map_or(*may_share, |shown| {
                        missed == shown || missed.0 < shown.0 || *may_share && missed.0 == shown.0
                    })
                }),
            })
        })
    }

    fn line(&self, order: &Order) -> Option<Line> {
        let row_of = |write: &(u32, u32)| self.named.get(&(self.story.at(write.0)?, write.1)).copied();
        let rows: Vec<usize> = order.writes.iter().map(row_of).collect::<Option<_>>()?;
        let (mut of, mut rank) = (vec![0; self.rows.len()], vec![0; self.rows.len()]);
        let mut by_key: Vec<Vec<usize>> = vec![Vec::new(); self.rows.len()];
        for (at, row) in rows.iter().enumerate() {
            let shared = order.shares.contains(&u32::try_from(at).expect("few")).then(|| rank[rows[at - 1]]);
            if of[*row] != 0 {
                return None;
            }
            of[*row] = at + 1;
            rank[*row] = shared.unwrap_or(at + 1);
            by_key[self.rows[*row].key].push(*row);
        }
        let all = (0..self.rows.len()).all(|row| self.rows[row].writes == (of[row] != 0));
        all.then_some(Line { rows, of, rank, by_key })
    }

    fn pairs(&self, rule: &Rule) -> Pairs {
        let mut all: Vec<(usize, usize)> = Vec::new();
        for write in (0..self.rows.len()).filter(|row| self.rows[*row].writes) {
            for row in self.earlier(write) {
                match self.rows[row].source {
                    // What comes before that one comes before it.
                    _ if self.rows[row].writes && rule.writes => {
                        all.push((row, write));
                        break;
                    }
                    Some(seen) if rule.reads => all.push((seen, write)),
                    _ => {}
                }
            }
            // What a compare-and-set replaced.
            let own = self.rows[write].before.filter(|read| self.rows[*read].op == self.rows[write].op);
            if let Some(replaced) = own.filter(|_| !self.story.lists).and_then(|read| self.rows[read].source) {
                all.push((replaced, write));
            }
        }
        self.lists(&mut all);
        self.revisions(&mut all);
        let mut asked = match rule.visible {
            Visible::Nothing | Visible::Placed | Visible::Prefix => BTreeMap::new(),
            Visible::There { writes } => self.there(writes),
            visible => self.seen(visible, rule.one_for),
        };
        for one in asked.values_mut() {
            one.sort_unstable();
            one.dedup();
        }
        all.sort_unstable();
        all.dedup();
        Pairs { all, asked }
    }

    /// Every list that was read is the beginning of its key's appends.
    fn lists(&self, all: &mut Vec<(usize, usize)>) {
        if !self.story.lists {
            return;
        }
        let mut longest: BTreeMap<usize, &[String]> = BTreeMap::new();
        for read in self.reads() {
            let known = longest.entry(self.rows[read].key).or_default();
            if known.len() < self.shows(read).len() {
                *known = self.shows(read);
            }
        }
        let writers: HashMap<(usize, &str), usize> =
            (0..self.rows.len()).filter_map(|row| Some(((self.rows[row].key, self.written(row)?), row))).collect();
        for (key, list) in &longest {
            all.extend(
                list.windows(2).map(|two| (writers[&(*key, two[0].as_str())], writers[&(*key, two[1].as_str())])),
            );
        }
        for write in (0..self.rows.len()).filter(|row| self.rows[*row].writes) {
            let list = longest.get(&self.rows[write].key).copied().unwrap_or_default();
            let shown = list.iter().any(|element| Some(element.as_str()) == self.written(write));
            all.extend(
                list.last().filter(|_| !shown).map(|last| (writers[&(self.rows[write].key, last.as_str())], write)),
            );
        }
    }

    /// The server's revisions of a key ascend.
    fn revisions(&self, all: &mut Vec<(usize, usize)>) {
        let mut revision: BTreeMap<usize, i64> = BTreeMap::new();
        for row in 0..self.rows.len() {
            let op = &self.story.ops[self.rows[row].op];
            let of_cas = self.rows.get(row + 1).is_some_and(|next| next.op == self.rows[row].op);
            let of = if self.rows[row].writes { Some(row) } else { self.rows[row].source.filter(|_| !of_cas) };
            if let (Some(of), Some(version), true, false) = (of, op.version, op.ok, self.story.lists) {
                revision.insert(of, version);
            }
        }
        for (one, low) in &revision {
            let higher =
                revision.iter().filter(|(other, high)| self.rows[**other].key == self.rows[*one].key && low < *high);
            all.extend(higher.map(|(other, _)| (*one, *other)));
        }
    }

    /// Of what reads had to see: writes of the key, and what is shown.
    fn seen(&self, visible: Visible, one_for: OneFor) -> BTreeMap<usize, Vec<Asked>> {
        let pasts = if visible == Visible::Past { self.pasts() } else { Vec::new() };
        let mut asked: BTreeMap<usize, Vec<Asked>> = BTreeMap::new();
        for read in self.reads() {
            let unit = match one_for {
                OneFor::Everybody => 0,
                OneFor::Session => self.session(read),
                OneFor::Server | OneFor::Read => read,
            };
            let same = |row: &usize| self.rows[*row].key == self.rows[read].key;
            let had: Vec<usize> = match visible {
                Visible::Own => self.earlier(read).filter(|row| self.rows[*row].writes).filter(same).collect(),
                Visible::Seen => self.earlier(read).filter(same).filter_map(|row| self.rows[row].source).collect(),
                _ => pasts[read].ones().filter(|row| self.rows[*row].writes).filter(same).collect(),
            };
            asked.entry(unit).or_default().extend(had.into_iter().map(|had| (had, self.rows[read].source, false)));
        }
        asked
    }

    /// All that led to each row.
    fn pasts(&self) -> Vec<FixedBitSet> {
        self.closure(|row| [self.rows[row].before, self.rows[row].source])
    }

    /// What comes with each row: what its session had written, or read, before it, and with that what comes with it.
    fn owed(&self, writes: bool) -> Vec<FixedBitSet> {
        let comes =
            |row: usize| if writes { Some(row).filter(|row| self.rows[*row].writes) } else { self.rows[row].source };
        let mut with = self.closure(|row| [self.rows[row].before, self.rows[row].before.and_then(comes)]);
        // Of the rows on the way, only those that come.
        let marked: FixedBitSet = (0..self.rows.len()).filter(|row| self.rows[*row].writes).collect();
        if writes {
            with.iter_mut().for_each(|with| with.intersect_with(&marked));
            return with;
        }
        let reads: Vec<Vec<usize>> =
            with.iter().map(|with| with.ones().filter_map(|row| self.rows[row].source).collect()).collect();
        reads.into_iter().map(|reads| reads.into_iter().collect()).collect()
    }

    /// What these lead to, and what that leads to, until nothing more comes.
    fn closure(&self, leads: impl Fn(usize) -> [Option<usize>; 2]) -> Vec<FixedBitSet> {
        let mut all = vec![FixedBitSet::with_capacity(self.rows.len()); self.rows.len()];
        let mut grows = true;
        while std::mem::take(&mut grows) {
            for row in 0..self.rows.len() {
                for led in leads(row).into_iter().flatten() {
                    let mut more = std::mem::take(&mut all[led]);
                    more.insert(led);
                    if !more.is_subset(&all[row]) {
                        all[row].union_with(&more);
                        grows = true;
                    }
                    more.set(led, false);
                    all[led] = more;
                }
            }
        }
        all
    }

    /// At each server, for each read: what reads that were over showed, and what that brings with it.
    fn there(&self, writes: bool) -> BTreeMap<usize, Vec<Asked>> {
        let mut asked: BTreeMap<usize, Vec<Asked>> = BTreeMap::new();
        let op = |row: usize| &self.story.ops[self.rows[row].op];
        let mut nodes: Vec<&String> = self.reads().filter_map(|row| op(row).node.as_ref()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let by_value: HashMap<(usize, &str), usize> =
            (0..self.rows.len()).filter_map(|row| Some(((self.rows[row].key, self.written(row)?), row))).collect();
        let owed = self.owed(writes);
        for (unit, node) in nodes.into_iter().enumerate() {
            let mut reads: Vec<usize> = self.reads().filter(|row| op(*row).node.as_ref() == Some(node)).collect();
            reads.sort_by_key(|row| (op(*row).began, *row));
            let mut ends = reads.clone();
            ends.sort_by_key(|row| (op(*row).ended, op(*row).began, *row));
            let mut ends = ends.into_iter().peekable();
            // By key, what is there: whether a read showed it before anything owed it.
            let mut there: HashMap<usize, Vec<(usize, bool)>> = HashMap::new();
            let (mut known, mut shown_before) = (HashSet::new(), HashSet::new());
            for read in reads {
                while let Some(over) = ends.next_if(|over| op(*over).precedes(op(read))) {
                    let key = self.rows[over].key;
                    let shown = self.shows(over).iter().rev().map(|value| by_value[&(key, value.as_str())]);
                    for shown in shown.filter(|shown| shown_before.insert(*shown)).collect::<Vec<_>>() {
                        let owed = owed[shown].ones().map(|owed| (owed, false));
                        for (row, is_shown) in std::iter::once((shown, true)).chain(owed) {
                            if known.insert(row) {
                                there.entry(self.rows[row].key).or_default().push((row, is_shown));
                            }
                        }
                    }
                }
                let same = there.get(&self.rows[read].key).map_or(&[][..], Vec::as_slice);
                let asked = asked.entry(unit).or_default();
                asked.extend(same.iter().map(|(row, shown)| (*row, self.rows[read].source, *shown)));
            }
        }
        asked
    }

    /// Whether a session's rows have places that keep its order: a write its own, and a read one where the last write of its key is
    /// what it shows.
    fn is_placed(&self, session: usize, line: &Line) -> bool {
        let mut place: HashMap<usize, usize> = HashMap::new();
        (0..self.rows.len()).filter(|row| self.session(*row) == session).all(|row| {
            let from = self.rows[row].before.map_or(0, |before| place[&before]);
            let found = match self.rows[row].writes {
                true => Some(line.of[row]).filter(|own| *own >= from),
                false => self.place_for(row, from, line.rows.len(), line),
            };
            place.insert(row, found.unwrap_or(0));
            found.is_some()
        })
    }

    /// The same of the reads of each session alone; that of a compare-and-set comes before its write.
    fn has_prefixes(&self, line: &Line) -> bool {
        let mut place: HashMap<usize, usize> = HashMap::new();
        self.reads().all(|row| {
            let before = self.earlier(row).find(|row| !self.rows[*row].writes);
            let from = before.map_or(0, |before| place[&before]);
            let own =
                self.rows.get(row + 1).filter(|next| next.op == self.rows[row].op && next.writes && !self.story.lists);
            let to = own.map_or(line.rows.len(), |_| line.of[row + 1] - 1);
            let found = self.place_for(row, from, to, line);
            place.insert(row, found.unwrap_or(0));
            found.is_some()
        })
    }

    /// The first place where a read can stand: there or right after a write of its key, the last write of that is what it shows.
    fn place_for(&self, read: usize, from: usize, to: usize, line: &Line) -> Option<usize> {
        let writes = &line.by_key[self.rows[read].key];
        let last = |place: usize| writes.iter().rev().find(|row| line.of[**row] <= place).copied();
        let places = std::iter::once(from).chain(writes.iter().map(|row| line.of[*row]));
        places.filter(|place| (from..=to).contains(place)).find(|place| last(*place) == self.rows[read].source)
    }
}

/// Writes in order, and by row its place and its rank; 0 for reads.
struct Line {
    rows: Vec<usize>,
    of: Vec<usize>,
    rank: Vec<usize>,
    /// By key, in order.
    by_key: Vec<Vec<usize>>,
}
