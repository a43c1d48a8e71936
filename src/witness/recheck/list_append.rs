//! Confirms claims of list-append from the whole history.
//!
//! Reads the history's columns once, and keeps what concerns the objects of the claims: every append, and every read that an
//! `ok` transaction returned. Each claim is then checked by its definition, micro-operation by micro-operation, with plain
//! lists: no graph, no version order, no index that found it. Cost: linear in the history, and in the lists of the
//! claims' objects for each claim.

use hashbrown::{HashMap, HashSet};

use super::shapes::{is_shape, may_skip_versions};
use crate::guarantee::Anomaly;
use crate::history::{History, Operation, Status, Value, Values};
use crate::witness::list_append::{Appearance, Claim, Dependency, Mop, Order, Why};

type SeededMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// What identifies an object: its record's key, and its micro-operation's.
type Object = (Value, Value);

/// Which of these claims hold.
#[must_use]
pub fn confirm(history: &History, claims: &[&Claim]) -> Vec<bool> {
    let facts = Facts::gather(history, claims);
    claims.iter().map(|claim| facts.confirm(claim) == Some(true)).collect()
}

/// All appends to an object, and all reads of it by `ok` transactions.
#[derive(Default)]
struct Deeds {
    appends: SeededMap<Value, Vec<Mop>>,
    reads: Vec<Value>,
    /// Every element that one of the reads shows.
    shown: HashSet<Value, foldhash::fast::RandomState>,
    /// The length of the longest read.
    longest: usize,
}

impl Deeds {
    /// Walks each list from its end, up to what another list has shown before.
    fn look(&mut self, values: &Values) {
        let mut seen: HashSet<Value, foldhash::fast::RandomState> = HashSet::default();
        for list in &self.reads {
            self.longest = self.longest.max(values.len(*list));
            let mut rest = *list;
            while let Some((parent, last)) = values.split_last(rest)
                && seen.insert(rest)
            {
                self.shown.insert(last);
                rest = parent;
            }
        }
    }
}

struct Facts<'h> {
    history: &'h History,
    append: Option<Value>,
    read: Option<Value>,
    objects: SeededMap<Object, Deeds>,
}

impl<'h> Facts<'h> {
    fn gather(history: &'h History, claims: &[&Claim]) -> Facts<'h> {
        let mut facts = Facts { history, append: None, read: None, objects: SeededMap::default() };
        for mop in claims.iter().flat_map(|claim| claim.objects()) {
            if let Some(object) = facts.object(mop) {
                facts.objects.entry(object).or_default();
            }
        }
        for op in history.ops() {
            for (index, mop) in (0u32..).zip(op.mops()) {
                facts.learn(mop.f);
                let Some(deeds) = facts.objects.get_mut(&(op.key(), mop.key)) else { continue };
                let place = Mop { op: op.id, index };
                if Some(mop.f) == facts.append {
                    deeds.appends.entry(mop.value).or_default().push(place);
                } else if Some(mop.f) == facts.read && op.status() == Status::Ok {
                    deeds.reads.push(list_of(mop.value));
                }
            }
        }
        for deeds in facts.objects.values_mut() {
            deeds.look(history.values());
        }
        facts
    }

    fn learn(&mut self, name: Value) {
        if Some(name) != self.append && Some(name) != self.read {
            match self.history.values().as_str(name) {
                Some("append") => self.append = Some(name),
                Some("r") => self.read = Some(name),
                _ => {}
            }
        }
    }

    fn mop(&self, mop: Mop) -> Option<&crate::history::MicroOp> {
        self.history.op(mop.op).mops().get(mop.index as usize)
    }

    fn object(&self, mop: Mop) -> Option<Object> {
        Some((self.history.op(mop.op).key(), self.mop(mop)?.key))
    }

    fn deeds(&self, mop: Mop) -> Option<&Deeds> {
        self.objects.get(&self.object(mop)?)
    }

    fn status(&self, mop: Mop) -> Status {
        self.history.op(mop.op).status()
    }

    /// What an append appends; only if nobody else appends it to the object.
    fn element(&self, append: Mop) -> Option<Value> {
        let mop = self.mop(append).filter(|mop| Some(mop.f) == self.append)?;
        let appended = self.deeds(append)?.appends.get(&mop.value)?;
        (appended.as_slice() == [append]).then_some(mop.value)
    }

    /// What a read of an `ok` transaction returned.
    fn list(&self, read: Mop) -> Option<Value> {
        let mop = self.mop(read).filter(|mop| Some(mop.f) == self.read)?;
        (self.status(read) == Status::Ok).then(|| list_of(mop.value))
    }

    fn items(&self, read: Mop) -> Option<Vec<Value>> {
        Some(self.history.values().items(self.list(read)?))
    }

    /// The place of an append's element in the list that a read of the same object returned.
    fn place(&self, shown: Appearance) -> Option<usize> {
        let element = self.element(shown.append)?;
        let same = self.object(shown.append)? == self.object(shown.read)?;
        self.items(shown.read)?.iter().position(|item| *item == element).filter(|_| same)
    }

    /// Whether a read's last element is the append's.
    fn ends_with(&self, shown: Appearance) -> Option<bool> {
        self.place(shown)?;
        Some(self.items(shown.read)?.last().copied() == self.element(shown.append))
    }

    /// Whether a read shows the append's version: the append's element is its last one, the reader's own appends at the end aside.
    fn shows_version(&self, shown: Appearance) -> Option<bool> {
        self.place(shown)?;
        let mut items = self.items(shown.read)?;
        let (object, op) = (self.object(shown.read)?, self.history.op(shown.read.op));
        let own = |element: &Value| {
            (0u32..).zip(op.mops()).any(|(index, mop)| {
                let place = Mop { op: shown.read.op, index };
                Some(mop.f) == self.append && mop.value == *element && self.object(place) == Some(object)
            })
        };
        while items.last().is_some_and(own) {
            items.pop();
        }
        Some(items.last().copied() == self.element(shown.append))
    }

    /// `None` where a part of the claim is not what it is said to be.
    fn confirm(&self, claim: &Claim) -> Option<bool> {
        match claim {
            Claim::Cycle { anomaly, steps, happened } => self.cycle(*anomaly, steps, happened),
            Claim::EveryOrder { anomaly, cycles, happened } => self.every_order(*anomaly, cycles, happened),
            Claim::AbortedRead(shown) => {
                Some(self.place(*shown).is_some() && self.status(shown.append) == Status::Fail)
            }
            Claim::IntermediateRead { shown, later } => {
                let last = self.ends_with(*shown)?;
                let half = !self.items(shown.read)?.contains(&self.element(*later)?);
                Some(
                    last && half
                        && shown.append.op != shown.read.op
                        && self.status(shown.append) != Status::Fail
                        && (later.op == shown.append.op && later.index > shown.append.index)
                        && self.object(*later)? == self.object(shown.read)?,
                )
            }
            Claim::Internal { read } => self.internal(*read),
            Claim::FutureRead(shown) => {
                self.place(*shown)?;
                Some(shown.append.op == shown.read.op && shown.append.index > shown.read.index)
            }
            Claim::DirtyUpdate { aborted, over } => {
                let below = self.place(*aborted)?;
                let above = self.place(Appearance { append: *over, read: aborted.read })?;
                let between = self.items(aborted.read)?.get(below + 1..above)?.to_vec();
                let committed = between.iter().any(|item| self.statuses(aborted.read, *item).contains(&Status::Ok));
                let statuses = self.status(aborted.append) == Status::Fail && self.status(*over) == Status::Ok;
                Some(statuses && !committed)
            }
            Claim::DuplicateElements { read, element } => {
                Some(self.items(*read)?.iter().filter(|item| *item == element).count() > 1)
            }
            Claim::IncompatibleReads { one, other } => {
                let (left, right) = (self.items(*one)?, self.items(*other)?);
                let same = self.object(*one)? == self.object(*other)?;
                Some(same && !left.starts_with(&right) && !right.starts_with(&left))
            }
            Claim::OutOfOrder { first, second } => {
                let after = self.place(*second)?;
                let before = self.place(Appearance { append: *first, read: second.read });
                self.element(*first)?;
                Some(
                    self.object(*first)? == self.object(second.append)?
                        && first.op == second.append.op
                        && first.index < second.append.index
                        && self.status(*first) != Status::Fail
                        && before.is_none_or(|before| before > after),
                )
            }
            Claim::LostUpdate { reads, appends } => self.lost_update(*reads, *appends),
            Claim::ThinAirRead { read, element } => {
                let nobody = !self.deeds(*read)?.appends.contains_key(element);
                Some(nobody && self.items(*read)?.contains(element))
            }
        }
    }

    /// What became of the transactions that appended an element to the object of a read.
    fn statuses(&self, read: Mop, element: Value) -> Vec<Status> {
        let appended = self.deeds(read).and_then(|deeds| deeds.appends.get(&element));
        appended.into_iter().flatten().map(|append| self.status(*append)).collect()
    }

    /// Runs the transaction's micro-operations on the object up to the read.
    fn internal(&self, read: Mop) -> Option<bool> {
        let (object, found) = (self.object(read)?, self.items(read)?);
        let mut known: Option<Vec<Value>> = None;
        let mut own: Vec<Value> = Vec::new();
        for (index, mop) in (0u32..).zip(self.history.op(read.op).mops()).take(read.index as usize) {
            let place = Mop { op: read.op, index };
            if self.object(place)? != object {
                continue;
            }
            if Some(mop.f) == self.append {
                own.push(mop.value);
            } else {
                known = Some(self.items(place)?);
                own.clear();
            }
        }
        Some(match known {
            Some(mut list) => {
                list.append(&mut own);
                list != found
            }
            None => !found.ends_with(&own),
        })
    }

    fn lost_update(&self, reads: [Mop; 2], appends: [Mop; 2]) -> Option<bool> {
        let same = self.object(reads[0])? == self.object(reads[1])? && self.list(reads[0])? == self.list(reads[1])?;
        let mut holds = same && reads[0].op != reads[1].op;
        for (read, append) in reads.into_iter().zip(appends) {
            self.element(append)?;
            let object = self.object(read)?;
            let earlier = (0..read.index).map(|index| Mop { op: read.op, index });
            let mut earlier = earlier.filter(|mop| self.object(*mop) == Some(object));
            let first = !earlier.any(|mop| self.list(mop).is_some());
            holds &= first && append.op == read.op && append.index > read.index && self.object(append)? == object;
        }
        Some(holds)
    }

    fn cycle(&self, anomaly: Anomaly, steps: &[Dependency], happened: &[Appearance]) -> Option<bool> {
        let seen = steps.iter().all(|step| !matches!(step.why, Why::Supposed { .. }));
        let skips = may_skip_versions(anomaly);
        let of_type = if skips { self.is_shape(anomaly, steps)? } else { is_type(anomaly, steps) };
        Some(seen && of_type && self.circle(steps, happened, skips)?)
    }

    /// Whether a cycle is of one of the types that weaker guarantees forbid.
    fn is_shape(&self, anomaly: Anomaly, steps: &[Dependency]) -> Option<bool> {
        let appends = |mop: &crate::history::MicroOp| Some(mop.f) == self.append;
        let only_reads = |step: &Dependency| !self.history.op(step.from).mops().iter().any(appends);
        let mut one_key = true;
        if anomaly == Anomaly::GCursor {
            let mops = steps.iter().filter_map(|step| match step.why {
                Why::WriteWrite { later, .. } | Why::Supposed { later, .. } => Some(later),
                Why::ReadWrite { read, .. } => Some(read),
                _ => None,
            });
            let keys: Option<Vec<Object>> = mops.map(|mop| self.object(mop)).collect();
            one_key = keys?.windows(2).all(|pair| pair[0] == pair[1]);
        }
        Some(one_key && is_shape(anomaly, steps, only_reads))
    }

    /// Whether the steps hold and lead back to where they began. `skips`: steps may lead to any later version.
    fn circle(&self, steps: &[Dependency], happened: &[Appearance], skips: bool) -> Option<bool> {
        let mut members: HashSet<u32, foldhash::fast::RandomState> = HashSet::default();
        for (at, step) in steps.iter().enumerate() {
            let next = &steps[(at + 1) % steps.len()];
            let op = self.history.op(step.from);
            let sure = match op.status() {
                Status::Ok => true,
                Status::Fail => false,
                Status::Info => happened
                    .iter()
                    .any(|shown| shown.append.op == op.id && shown.read.op != op.id && self.place(*shown).is_some()),
            };
            if !sure || step.to != next.from || !members.insert(step.from.0) || !self.dependency(step, skips)? {
                return Some(false);
            }
        }
        Some(steps.len() > 1)
    }

    /// Whether every way to order the appends that nobody read closes one of the cycles, and each of these is of the type or
    /// of a more severe one. Ways are tried one by one, as long as they are not too many.
    fn every_order(&self, anomaly: Anomaly, cycles: &[Vec<Dependency>], happened: &[Appearance]) -> Option<bool> {
        const PAIRS: usize = 16;
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        // For each cycle, which pairs it supposes in ascending order, and which in descending order.
        let mut supposed: Vec<(u32, u32)> = Vec::new();
        for cycle in cycles {
            let skips = may_skip_versions(anomaly);
            let of_type = if skips {
                // Without rw, it breaks read-committed, and so all of these.
                self.is_shape(anomaly, cycle)? || type_of(cycle).0 < 2 && type_of(cycle).1 == 0
            } else {
                is_at_least(anomaly, cycle)
            };
            if !of_type || !self.circle(cycle, happened, skips)? {
                return Some(false);
            }
            let (mut ascending, mut descending) = (0, 0);
            for step in cycle.iter().filter(|step| matches!(step.why, Why::Supposed { .. })) {
                let pair = (step.from.0.min(step.to.0), step.from.0.max(step.to.0));
                let at = pairs.iter().position(|known| *known == pair).unwrap_or_else(|| {
                    pairs.push(pair);
                    pairs.len() - 1
                });
                if at >= PAIRS {
                    return None;
                }
                *(if step.from < step.to { &mut ascending } else { &mut descending }) |= 1 << at;
            }
            supposed.push((ascending, descending));
        }
        let closed = |way: u32| supposed.iter().any(|(up, down)| way & up == *up && way & down == 0);
        Some((0..1u32 << pairs.len()).all(closed))
    }

    fn dependency(&self, step: &Dependency, skips: bool) -> Option<bool> {
        match step.why {
            Why::Process => Some(self.same_session(step) && step.from < step.to),
            Why::Supposed { earlier, later } => {
                let unseen = |append: Mop| Some(!self.deeds(append)?.shown.contains(&self.element(append)?));
                let same = self.object(earlier)? == self.object(later)?;
                let ends = earlier.op == step.from && later.op == step.to;
                Some(same && ends && unseen(earlier)? && unseen(later)?)
            }
            Why::Realtime => {
                let (from, to) = (self.history.op(step.from), self.history.op(step.to));
                Some(from.status() == Status::Ok && from.ended() < to.began())
            }
            Why::WriteRead(shown) => {
                Some(self.shows_version(shown)? && shown.append.op == step.from && shown.read.op == step.to)
            }
            Why::WriteWrite { earlier, later, order } => {
                let read = match order {
                    Order::Shown(read) | Order::Unobserved(read) => read,
                };
                let place = self.place(Appearance { append: earlier, read })?;
                let ends = earlier.op == step.from && later.op == step.to;
                Some(ends && self.comes_after(read, place + 1, later, order, skips)?)
            }
            Why::ReadWrite { read, later, order } => {
                let by = match order {
                    Order::Shown(by) | Order::Unobserved(by) => by,
                };
                let (seen, all) = (self.items(read)?, self.items(by)?);
                let ends = read.op == step.from && later.op == step.to && all.starts_with(&seen);
                Some(
                    ends && self.object(read)? == self.object(by)?
                        && self.comes_after(by, seen.len(), later, order, skips)?,
                )
            }
        }
    }

    fn same_session(&self, step: &Dependency) -> bool {
        let (from, to) = (self.history.op(step.from), self.history.op(step.to));
        let named = |op: &Operation<'_>| !op.session().is_absent();
        let same = if named(&from) { from.session() == to.session() } else { from.process() == to.process() };
        same && from.status() == Status::Ok
    }

    /// Whether an append's version is the next one after so many elements of what a read returned: between them are only
    /// elements of transactions that did not happen. Or, if it may skip versions, any later one.
    fn comes_after(&self, read: Mop, length: usize, later: Mop, order: Order, skips: bool) -> Option<bool> {
        let items = self.items(read)?;
        let element = self.element(later)?;
        let same = self.object(later)? == self.object(read)?;
        let end = match order {
            Order::Shown(_) => items.iter().position(|item| *item == element)?,
            Order::Unobserved(_) => {
                // Elements of a longer list could be between.
                let deeds = self.deeds(read)?;
                if deeds.longest > items.len() || deeds.shown.contains(&element) {
                    return Some(false);
                }
                items.len()
            }
        };
        let between = items.get(length..end)?;
        let committed = between.iter().any(|item| self.statuses(read, *item).iter().any(|one| *one != Status::Fail));
        Some(same && (skips || !committed))
    }
}

fn list_of(value: Value) -> Value {
    if value.is_null() { Value::EMPTY_LIST } else { value }
}

/// The type of a cycle, as Elle names them: its place among the five, the most severe first, and whether it needs session order
/// (1) or real time (2).
fn type_of(steps: &[Dependency]) -> (usize, usize) {
    let is_rw = |step: &Dependency| matches!(step.why, Why::ReadWrite { .. });
    let rw = steps.iter().filter(|step| is_rw(step)).count();
    let adjacent = rw > 1 && (0..steps.len()).any(|at| is_rw(&steps[at]) && is_rw(&steps[(at + 1) % steps.len()]));
    let wr = steps.iter().any(|step| matches!(step.why, Why::WriteRead(_)));
    let base = match (rw, adjacent, wr) {
        (0, _, false) => 0,
        (0, _, true) => 1,
        (1, ..) => 2,
        (_, false, _) => 3,
        (_, true, _) => 4,
    };
    let process = steps.iter().any(|step| step.why == Why::Process);
    let realtime = steps.iter().any(|step| step.why == Why::Realtime);
    (base, if realtime { 2 } else { usize::from(process) })
}

const TYPES: [[Anomaly; 3]; 5] = [
    [Anomaly::G0, Anomaly::G0Process, Anomaly::G0Realtime],
    [Anomaly::G1c, Anomaly::G1cProcess, Anomaly::G1cRealtime],
    [Anomaly::GSingleItem, Anomaly::GSingleItemProcess, Anomaly::GSingleItemRealtime],
    [Anomaly::GNonadjacentItem, Anomaly::GNonadjacentItemProcess, Anomaly::GNonadjacentItemRealtime],
    [Anomaly::G2Item, Anomaly::G2ItemProcess, Anomaly::G2ItemRealtime],
];

fn is_type(anomaly: Anomaly, steps: &[Dependency]) -> bool {
    let (base, form) = type_of(steps);
    TYPES[base][form] == anomaly
}

/// Whether a cycle is of the type or of a more severe one.
fn is_at_least(anomaly: Anomaly, steps: &[Dependency]) -> bool {
    let (base, form) = type_of(steps);
    TYPES.iter().skip(base).any(|row| row[form..].contains(&anomaly))
}
