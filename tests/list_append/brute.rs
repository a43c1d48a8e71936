//! Transactions by definition only: every serial order, every schedule of snapshots, every order of versions is tried.
//!
//! Knows the definitions and nothing of how it is decided. For histories of a handful of transactions.

use anachron::guarantee::Guarantee;
use anachron::history::{History, Status, Value};

/// One micro-operation: a read with its list, or an append (`None` for the list).
#[derive(Clone, Debug)]
pub(super) struct Mop {
    pub(super) key: usize,
    pub(super) element: u32,
    pub(super) list: Option<Vec<u32>>,
}

#[derive(Clone, Debug)]
pub(super) struct Txn {
    pub(super) status: Status,
    session: u32,
    began: u32,
    ended: u32,
    /// Reads of transactions that are not `ok` are left out.
    pub(super) mops: Vec<Mop>,
}

/// An order of a key's elements: each with its writer, if that is committed.
pub(super) type Elements = Vec<(u32, Option<usize>)>;

/// The orders that a form of a guarantee contains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Form {
    Plain,
    Session,
    Strict,
}

/// A history as brute force sees it.
#[derive(Debug)]
pub(crate) struct Brute {
    pub(super) txns: Vec<Txn>,
    pub(super) keys: usize,
}

impl Brute {
    pub(crate) fn new(history: &History) -> Brute {
        let mut names: Vec<Value> = Vec::new();
        let mut txns = Vec::new();
        for op in history.ops() {
            let mut mops = Vec::new();
            for mop in op.mops() {
                let key = names.iter().position(|name| *name == mop.key).unwrap_or_else(|| {
                    names.push(mop.key);
                    names.len() - 1
                });
                if history.values().as_str(mop.f) == Some("append") {
                    mops.push(Mop { key, element: mop.value.raw(), list: None });
                } else if op.status() == Status::Ok {
                    let list = history.values().items(mop.value).iter().map(|element| element.raw()).collect();
                    mops.push(Mop { key, element: 0, list: Some(list) });
                }
            }
            let session = history.process_name(op.process()).raw();
            txns.push(Txn { status: op.status(), session, began: op.began(), ended: op.ended(), mops });
        }
        Brute { txns, keys: names.len() }
    }

    /// Whether anything was read.
    pub(crate) fn is_vacuous(&self) -> bool {
        !self.txns.iter().any(|txn| txn.mops.iter().any(|mop| mop.list.is_some()))
    }

    /// Whether the history keeps a guarantee: some of the transactions of unknown outcome happened, and there is a way.
    pub(crate) fn holds(&self, guarantee: Guarantee) -> bool {
        use Guarantee as G;
        self.cases().into_iter().any(|committed| match guarantee {
            G::Serializable => self.serial(&committed, Form::Plain),
            G::StrongSessionSerializable => self.serial(&committed, Form::Session),
            G::StrictSerializable => self.serial(&committed, Form::Strict),
            G::SnapshotIsolation => self.snapshots(&committed, Form::Plain, true),
            G::StrongSessionSnapshotIsolation => self.snapshots(&committed, Form::Session, true),
            G::StrongSnapshotIsolation => self.snapshots(&committed, Form::Strict, true),
            G::Prefix => self.snapshots(&committed, Form::Plain, false),
            G::PrefixBiswasEnea => self.snapshots(&committed, Form::Session, false),
            G::RepeatableRead => self.versions(&committed, Form::Plain, true, true),
            G::ReadCommitted => self.versions(&committed, Form::Plain, true, false),
            G::StrongSessionReadCommitted => self.versions(&committed, Form::Session, true, false),
            G::StrongReadCommitted => self.versions(&committed, Form::Strict, true, false),
            G::ReadUncommitted => self.versions(&committed, Form::Plain, false, false),
            G::StrongSessionReadUncommitted => self.versions(&committed, Form::Session, false, false),
            G::StrongReadUncommitted => self.versions(&committed, Form::Strict, false, false),
            other => panic!("{other} is not defined here"),
        })
    }

    /// The transactions that may have happened together: all that are `ok`, and any of unknown outcome.
    pub(super) fn cases(&self) -> Vec<Vec<usize>> {
        let unknown: Vec<usize> = (0..self.txns.len()).filter(|t| self.txns[*t].status == Status::Info).collect();
        let case = |chosen: u32| {
            let happened = |t: &usize| match self.txns[*t].status {
                Status::Ok => true,
                Status::Fail => false,
                Status::Info => unknown.iter().position(|u| u == t).is_some_and(|at| chosen & 1 << at != 0),
            };
            (0..self.txns.len()).filter(happened).collect()
        };
        (0..1u32 << unknown.len()).map(case).collect()
    }

    /// Whether `a` has to come before `b`.
    pub(super) fn before(&self, a: usize, b: usize, form: Form) -> bool {
        let (first, second) = (&self.txns[a], &self.txns[b]);
        // Operations are in order of invocation. What may happen at any time later comes before nothing.
        let ok = first.status == Status::Ok;
        let session = ok && a < b && first.session == second.session;
        let real_time = ok && first.ended < second.began;
        (form >= Form::Session && session) || (form >= Form::Strict && real_time)
    }

    /// What a transaction appends and reads, run on this state; nothing if a read shows something else.
    fn run(&self, t: usize, state: &[Vec<u32>]) -> Option<Vec<Vec<u32>>> {
        let mut state = state.to_vec();
        for mop in &self.txns[t].mops {
            match &mop.list {
                None => state[mop.key].push(mop.element),
                Some(list) if *list != state[mop.key] => return None,
                Some(_) => {}
            }
        }
        Some(state)
    }

    /// Some serial execution gives every read.
    fn serial(&self, committed: &[usize], form: Form) -> bool {
        self.serial_from(committed, &mut Vec::new(), &vec![Vec::new(); self.keys], form)
    }

    fn serial_from(&self, committed: &[usize], done: &mut Vec<usize>, state: &[Vec<u32>], form: Form) -> bool {
        if done.len() == committed.len() {
            return true;
        }
        for &t in committed.iter().filter(|t| !done.contains(t)).collect::<Vec<_>>() {
            if committed.iter().any(|other| !done.contains(other) && *other != t && self.before(*other, t, form)) {
                continue;
            }
            if let Some(next) = self.run(t, state) {
                done.push(t);
                let found = self.serial_from(committed, done, &next, form);
                done.pop();
                if found {
                    return true;
                }
            }
        }
        false
    }

    /// Some commit order, and a snapshot for each: a prefix of it that its reads show; and, if `exclusive`, such that nobody
    /// writes a common key between snapshot and commit.
    fn snapshots(&self, committed: &[usize], form: Form, exclusive: bool) -> bool {
        self.snapshots_from(committed, &mut Vec::new(), &mut vec![vec![Vec::new(); self.keys]], form, exclusive)
    }

    fn writes(&self, t: usize, key: usize) -> bool {
        self.txns[t].mops.iter().any(|mop| mop.list.is_none() && mop.key == key)
    }

    /// `states`: after each prefix of `done`.
    fn snapshots_from(
        &self,
        committed: &[usize],
        done: &mut Vec<usize>,
        states: &mut Vec<Vec<Vec<u32>>>,
        form: Form,
        exclusive: bool,
    ) -> bool {
        if done.len() == committed.len() {
            // A list that a transaction read with its own appends, and that never was: lists that contradict each other break every
            // guarantee. (Where no conflict is allowed, there is no such list.)
            return (0..self.keys)
                .all(|key| self.reads(key).iter().all(|(_, list)| states[done.len()][key].starts_with(list)));
        }
        for &t in committed.iter().filter(|t| !done.contains(t)).collect::<Vec<_>>() {
            let fits = (0..=done.len()).any(|snapshot| {
                let sees = committed
                    .iter()
                    .all(|other| *other == t || !self.before(*other, t, form) || done[..snapshot].contains(other));
                let conflict = done[snapshot..]
                    .iter()
                    .any(|other| (0..self.keys).any(|key| self.writes(t, key) && self.writes(*other, key)));
                sees && !(exclusive && conflict) && self.run(t, &states[snapshot]).is_some()
            });
            if !fits {
                continue;
            }
            let mut state = states[done.len()].clone();
            for mop in self.txns[t].mops.iter().filter(|mop| mop.list.is_none()) {
                state[mop.key].push(mop.element);
            }
            done.push(t);
            states.push(state);
            let found = self.snapshots_from(committed, done, states, form, exclusive);
            done.pop();
            states.pop();
            if found {
                return true;
            }
        }
        false
    }

    /// Some order of versions for each key without cycles of ww, wr (`dependencies`) and rw (`all`); and, with wr, without
    /// aborted, intermediate and future reads.
    fn versions(&self, committed: &[usize], form: Form, dependencies: bool, all: bool) -> bool {
        if dependencies && !self.reads_are_committed() {
            return false;
        }
        let orders: Vec<Vec<Elements>> = (0..self.keys).map(|key| self.orders(committed, key)).collect();
        let mut choice = vec![0; self.keys];
        if orders.iter().any(Vec::is_empty) {
            return false;
        }
        loop {
            let chosen: Vec<&[(u32, Option<usize>)]> =
                (0..self.keys).map(|key| &orders[key][choice[key]][..]).collect();
            if self.acyclic(committed, &chosen, form, dependencies, all) {
                return true;
            }
            let Some(key) = (0..self.keys).find(|key| choice[*key] + 1 < orders[*key].len()) else { return false };
            choice[key] += 1;
            choice[..key].fill(0);
        }
    }

    /// Who appends an element to a key.
    fn writer(&self, key: usize, element: u32) -> Option<usize> {
        (0..self.txns.len()).find(|t| {
            self.txns[*t].mops.iter().any(|mop| mop.list.is_none() && mop.key == key && mop.element == element)
        })
    }

    fn reads(&self, key: usize) -> Vec<(usize, Vec<u32>)> {
        let of = |t: usize| {
            let own = self.txns[t].mops.iter().filter(move |mop| mop.key == key);
            own.filter_map(|mop| mop.list.clone()).map(move |list| (t, list)).collect::<Vec<_>>()
        };
        (0..self.txns.len()).flat_map(of).collect()
    }

    /// No read shows what failed, ends with what its writer appended to later, or shows what its own transaction appends
    /// only after it.
    pub(super) fn reads_are_committed(&self) -> bool {
        for key in 0..self.keys {
            for (reader, list) in self.reads(key) {
                let failed = |element: &u32| {
                    self.writer(key, *element).is_some_and(|writer| self.txns[writer].status == Status::Fail)
                };
                if list.iter().any(failed) {
                    return false;
                }
                if let Some(last) = list.last()
                    && let Some(writer) = self.writer(key, *last).filter(|writer| *writer != reader)
                {
                    let own = self.txns[writer].mops.iter().filter(|mop| mop.list.is_none() && mop.key == key);
                    if own.into_iter().next_back().is_some_and(|mop| mop.element != *last) {
                        return false;
                    }
                }
            }
        }
        for txn in &self.txns {
            for (at, mop) in txn.mops.iter().enumerate() {
                let Some(list) = &mop.list else { continue };
                let later = txn.mops[at..].iter().filter(|later| later.list.is_none() && later.key == mop.key);
                if later.into_iter().any(|later| list.contains(&later.element)) {
                    return false;
                }
            }
        }
        true
    }

    /// The orders of a key's elements of which every read is a prefix, and in which the appends of a transaction come as it
    /// made them: those of committed transactions (with the writer), and those that failed and were seen (without).
    pub(super) fn orders(&self, committed: &[usize], key: usize) -> Vec<Elements> {
        let reads = self.reads(key);
        let mut elements: Elements = Vec::new();
        for (t, txn) in self.txns.iter().enumerate() {
            for mop in txn.mops.iter().filter(|mop| mop.list.is_none() && mop.key == key) {
                if committed.contains(&t) {
                    elements.push((mop.element, Some(t)));
                } else if txn.status == Status::Fail && reads.iter().any(|read| read.1.contains(&mop.element)) {
                    elements.push((mop.element, None));
                }
            }
        }
        let mut found = Vec::new();
        permute(&mut elements.clone(), 0, &mut |order| {
            let prefix = |list: &Vec<u32>| {
                list.len() <= order.len() && list.iter().zip(order).all(|(element, placed)| *element == placed.0)
            };
            let place = |element: u32| order.iter().position(|placed| placed.0 == element);
            let program = elements
                .windows(2)
                .all(|pair| pair[0].1.is_none() || pair[0].1 != pair[1].1 || place(pair[0].0) < place(pair[1].0));
            if program && reads.iter().all(|read| prefix(&read.1)) {
                found.push(order.to_vec());
            }
        });
        found
    }

    pub(super) fn acyclic(
        &self,
        committed: &[usize],
        orders: &[&[(u32, Option<usize>)]],
        form: Form,
        dependencies: bool,
        all: bool,
    ) -> bool {
        let count = self.txns.len();
        let mut edge = vec![vec![false; count]; count];
        let mut add = |from: Option<usize>, to: Option<usize>| {
            if let (Some(from), Some(to)) = (from, to)
                && from != to
            {
                edge[from][to] = true;
            }
        };
        for (key, order) in orders.iter().enumerate() {
            let writers: Vec<usize> = order.iter().filter_map(|placed| placed.1).collect();
            for pair in writers.windows(2) {
                add(Some(pair[0]), Some(pair[1]));
            }
            for (reader, list) in self.reads(key) {
                if dependencies {
                    add(list.len().checked_sub(1).and_then(|last| order[last].1), Some(reader));
                }
                if all {
                    add(Some(reader), order[list.len()..].iter().find_map(|placed| placed.1));
                }
            }
        }
        for &a in committed {
            for &b in committed {
                if a != b && self.before(a, b, form) {
                    edge[a][b] = true;
                }
            }
        }
        for middle in 0..count {
            let onward = edge[middle].clone();
            for row in edge.iter_mut().filter(|row| row[middle]) {
                row.iter_mut().zip(&onward).for_each(|(to, reached)| *to |= reached);
            }
        }
        (0..count).all(|t| !edge[t][t])
    }
}

fn permute<T: Clone>(items: &mut [T], at: usize, visit: &mut impl FnMut(&[T])) {
    if at == items.len() {
        visit(items);
    }
    for other in at..items.len() {
        items.swap(at, other);
        permute(items, at + 1, visit);
        items.swap(at, other);
    }
}
