//! Sets: which reads no choice of additions and removals explains.
//!
//! An element that nobody tried to remove can only come: it is there from the moment that its addition was acknowledged, or that
//! somebody saw it, whichever is first. For these everything here is exact, and linear in what reads list: a read that lacks
//! something that was known by then shows fewer known elements than there are. An element that somebody tried to remove is
//! looked at read by read (additions plus removals, times reads, under the budget), and only what no interleaving explains is
//! certain.
//!
//! Sources: Jepsen's `set` and `set-full` (an element is lost or stale by when it was known); Burckhardt et al. 2014, add-wins and
//! other sets agree on all that is certain here.

use hashbrown::HashMap;

use super::{Datatype, Difference, Order, Own, Unexplained, Untimely};
use crate::budget::Meter;
use crate::guarantee::Anomaly;
use crate::history::{History, Status, Value};
use crate::verdict::{Figures, StoppedBy};
use crate::witness::updates::{self, set::Shape};
use crate::workload::updates::set::{Read, Set};
use crate::workload::updates::{Act, NONE};

mod chain;
mod search;

/// A set, with what is known of its elements.
pub(super) struct Sets<'a> {
    set: &'a Set,
    /// By element.
    elements: Vec<Element>,
    /// Elements that are only added and were certainly there at some time, in order of that: the last column.
    known: Vec<(u32, u32)>,
}

/// What is known of an element.
#[derive(Clone, Default)]
struct Element {
    /// Its additions, failed ones left out.
    adds: Vec<u32>,
    /// Its removals, failed ones left out.
    removes: Vec<u32>,
    /// A failed addition; [`NONE`] where there is none.
    failed: u32,
    /// The position by which it was certainly there, if it was never removed; [`History::NO_POSITION`] where nobody knows.
    known: u32,
    /// The read that showed it by then; [`NONE`] where its addition was acknowledged before.
    shown_by: u32,
}

impl Element {
    /// Whether it can go again.
    fn is_removed(&self) -> bool {
        !self.removes.is_empty()
    }
}

/// Why something can't be: see [`Shape`], which says the same of operations.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    Nowhere {
        read: u32,
        element: u32,
    },
    Aborted {
        read: u32,
        update: u32,
    },
    Repeated {
        read: u32,
    },
    /// `update` is the addition, and `shown_by` the read that showed its element, if that was earlier.
    Missed {
        read: u32,
        update: u32,
        shown_by: u32,
    },
    Returned {
        read: u32,
        update: u32,
    },
    Early {
        read: u32,
        update: u32,
    },
    Fork {
        reads: [u32; 2],
        elements: [u32; 2],
    },
    Overtaken {
        first: u32,
        then: u32,
        read: u32,
    },
    OwnMissed {
        read: u32,
        update: u32,
    },
    Backward {
        read: u32,
        earlier: u32,
        element: u32,
    },
    OwnFuture {
        read: u32,
        update: u32,
    },
    Differ {
        shows: u32,
        lacks: u32,
        element: u32,
    },
    NoOrder {
        reads: Vec<u32>,
        elements: Vec<u32>,
    },
}

impl<'a> Sets<'a> {
    pub(super) fn new(set: &'a Set) -> Sets<'a> {
        let fresh = Element { failed: NONE, known: History::NO_POSITION, shown_by: NONE, ..Element::default() };
        let mut elements = vec![fresh; set.elements.len()];
        for (at, update) in (0u32..).zip(&set.updates) {
            let element = &mut elements[update.element as usize];
            match (update.act.status, update.adds) {
                (Status::Fail, true) => element.failed = at,
                (Status::Fail, false) => {}
                (_, true) => {
                    element.adds.push(at);
                    element.known = element.known.min(update.act.ended);
                }
                (_, false) => element.removes.push(at),
            }
        }
        for (at, read) in (0u32..).zip(&set.reads) {
            for shown in set.shown(read) {
                let element = &mut elements[*shown as usize];
                // A read of what nobody had begun to add shows something else.
                let began = element.adds.iter().map(|add| set.updates[*add as usize].act.began).min();
                if began.is_some_and(|began| began < read.act.ended) && read.act.ended < element.known {
                    (element.known, element.shown_by) = (read.act.ended, at);
                }
            }
        }
        let known = |(number, element): (u32, &Element)| {
            (!element.is_removed() && element.known != History::NO_POSITION).then_some((element.known, number))
        };
        let mut known: Vec<(u32, u32)> = (0u32..).zip(&elements).filter_map(known).collect();
        known.sort_unstable();
        Sets { set, elements, known }
    }

    fn act(&self, update: u32) -> &Act {
        &self.set.updates[update as usize].act
    }

    fn reading(&self, read: u32) -> &Read {
        &self.set.reads[read as usize]
    }

    fn whole_reads(&self) -> impl DoubleEndedIterator<Item = (u32, &Read)> {
        (0u32..).zip(&self.set.reads).collect::<Vec<_>>().into_iter().filter(|(_, read)| read.asked == NONE)
    }

    /// What a read lacks of an element that was certainly there.
    fn missed(&self, read: u32, element: u32) -> Fault {
        let known = &self.elements[element as usize];
        let first = || known.adds.iter().copied().min_by_key(|add| self.act(*add).ended);
        Fault::Missed { read, update: first().unwrap_or(NONE), shown_by: known.shown_by }
    }

    /// The elements that are only added and were certainly there before a position.
    fn known_before(&self, position: u32) -> &[(u32, u32)] {
        &self.known[..self.known.partition_point(|(known, _)| *known < position)]
    }

    /// The first known element that a read of everything lacks, and how many it lacks. Linear in what it shows, where it lacks
    /// none, and in what it shows until then, where it lacks one.
    fn first_missed(&self, read: &Read) -> Option<(u32, u32)> {
        let due = self.known_before(read.act.began);
        let is_due = |element: &u32| {
            let element = &self.elements[*element as usize];
            !element.is_removed() && element.known < read.act.began
        };
        let shown = self.set.shown(read).iter().filter(|element| is_due(element)).count();
        let lacks = due.len().checked_sub(shown).filter(|lacks| *lacks > 0)?;
        let (_, first) = due.iter().find(|(_, element)| !self.set.shows(read, *element))?;
        Some((*first, u32::try_from(lacks).unwrap_or(u32::MAX)))
    }

    /// What is wrong with a read, for an element that somebody tried to remove. `began` and `ended`: the time in which it read.
    fn contradiction(&self, read: u32, element: u32, meter: &mut Meter<'_>) -> Result<Option<Fault>, StoppedBy> {
        let (reading, known) = (self.reading(read), &self.elements[element as usize]);
        let act = &reading.act;
        meter.steps(u32::try_from(known.adds.len() + known.removes.len()).unwrap_or(u32::MAX))?;
        // Additions and removals are few for each element: what reads show of each is what grows.
        let mut removed_by = NONE;
        let end = |update: u32| self.act(update).ended;
        for add in known.adds.iter().copied() {
            let added = self.act(add);
            meter.steps(u32::try_from(known.removes.len()).unwrap_or(u32::MAX))?;
            let mut removes = known.removes.iter().copied();
            if self.set.shows(reading, element) {
                // Every addition that can have been there has to be gone for certain.
                if act.precedes(added) {
                    continue;
                }
                let takes = |remove: &u32| added.precedes(self.act(*remove)) && self.act(*remove).precedes(act);
                // It was certainly gone when the last of them was.
                match removes.filter(takes).min_by_key(|remove| end(*remove)) {
                    Some(remove) if removed_by == NONE || end(remove) > end(removed_by) => removed_by = remove,
                    Some(_) => {}
                    None => return Ok(None),
                }
            } else if added.precedes(act) {
                // One addition that nothing can have taken away again is enough.
                let between = |remove: u32| !self.act(remove).precedes(added) && !act.precedes(self.act(remove));
                if !removes.any(between) {
                    return Ok(Some(Fault::Missed { read, update: add, shown_by: NONE }));
                }
            }
        }
        Ok((removed_by != NONE).then_some(Fault::Returned { read, update: removed_by }))
    }

    /// The position by which a fault was certain.
    fn since(&self, fault: &Fault) -> Option<u32> {
        match fault {
            Fault::Missed { shown_by, .. } if *shown_by != NONE => Some(self.reading(*shown_by).act.ended),
            Fault::Missed { update, .. } | Fault::Returned { update, .. } => Some(self.act(*update).ended),
            _ => None,
        }
    }

    fn removed(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.elements).filter(|(_, element)| element.is_removed()).map(|(number, _)| number)
    }
}

impl Datatype for Sets<'_> {
    type Fault = Fault;

    fn name(&self) -> Value {
        self.set.name
    }

    fn updates(&self) -> impl Iterator<Item = &Act> {
        self.set.updates.iter().map(|update| &update.act)
    }

    fn reads(&self) -> usize {
        self.set.reads.len()
    }

    fn read(&self, read: u32) -> &Act {
        &self.reading(read).act
    }

    fn is_whole(&self, read: u32) -> bool {
        self.reading(read).asked == NONE
    }

    fn same(&self, a: u32, b: u32) -> bool {
        self.set.shown(self.reading(a)) == self.set.shown(self.reading(b))
    }

    fn unexplained(&self) -> Vec<Unexplained<Fault>> {
        let mut all = Vec::new();
        for (at, read) in (0u32..).zip(&self.set.reads) {
            let strange = |element: &&u32| self.elements[**element as usize].adds.is_empty();
            if let Some(element) = self.set.shown(read).iter().copied().find(|element| strange(&element)) {
                let (anomaly, fault) = match self.elements[element as usize].failed {
                    NONE => (Anomaly::ThinAirRead, Fault::Nowhere { read: at, element }),
                    update => (Anomaly::G1a, Fault::Aborted { read: at, update }),
                };
                all.push(Unexplained { read: at, anomaly, fault });
            }
            if read.repeated > 0 {
                let anomaly = Anomaly::DuplicateElements;
                all.push(Unexplained { read: at, anomaly, fault: Fault::Repeated { read: at } });
            }
        }
        all
    }

    fn untimely(&self, meter: &mut Meter<'_>) -> Result<Vec<Untimely<Fault>>, StoppedBy> {
        let removed: Vec<u32> = self.removed().collect();
        let mut all = Vec::new();
        for (at, read) in (0u32..).zip(&self.set.reads) {
            let mut missed: Option<(Fault, u32)> = None;
            if read.asked == NONE {
                missed = self.first_missed(read).map(|(first, lacks)| (self.missed(at, first), lacks));
            } else {
                let known = &self.elements[read.asked as usize];
                let lacks = !known.is_removed() && known.known < read.act.began && self.set.shown(read).is_empty();
                missed = lacks.then(|| (self.missed(at, read.asked), 1)).or(missed);
            }
            let mut worst = missed.and_then(|(fault, lacks)| Some((self.since(&fault)?, fault, lacks)));
            for element in removed.iter().copied().filter(|element| read.tells_of(*element)) {
                let Some(fault) = self.contradiction(at, element, meter)? else { continue };
                let Some(since) = self.since(&fault) else { continue };
                worst = Some(match worst {
                    Some((other, fault, count)) if other <= since => (other, fault, count + 1),
                    Some((.., count)) => (since, fault, count + 1),
                    None => (since, fault, 1),
                });
            }
            if let Some((since, fault, updates)) = worst {
                all.push(Untimely { read: at, since: Some(since), updates, fault });
            }
            let early = self.set.shown(read).iter().find_map(|element| {
                let adds = &self.elements[*element as usize].adds;
                let first = adds.iter().copied().min_by_key(|add| self.act(*add).began)?;
                read.act.precedes(self.act(first)).then_some(first)
            });
            if let Some(update) = early {
                all.push(Untimely { read: at, since: None, updates: 0, fault: Fault::Early { read: at, update } });
            }
        }
        Ok(all)
    }

    fn order(&self, meter: &mut Meter<'_>) -> Order<Fault> {
        chain::order(self, meter)
    }

    fn difference(&self, finals: &[u32]) -> Option<Difference<Fault>> {
        let first = *finals.first()?;
        let begins = finals.iter().map(|read| self.read(*read).began).min().unwrap_or(0);
        let open = |element: u32| {
            let known = &self.elements[element as usize];
            let pending = |update: &u32| self.act(*update).status == Status::Info;
            let settled = !known.is_removed() && known.known < begins;
            !settled && (known.adds.iter().any(pending) || known.removes.iter().any(pending))
        };
        // What differs between some two reads differs between the first and one of them.
        let mut possible = None;
        for other in finals.iter().copied().filter(|other| !self.same(first, *other)) {
            let [mine, theirs] = [first, other].map(|read| self.set.shown(self.reading(read)));
            let lacks = |some: &[u32], other: &[u32]| {
                some.iter().copied().find(|element| other.binary_search(element).is_err() && !open(*element))
            };
            if let Some(element) = lacks(mine, theirs) {
                return Some(Difference::Certain(Fault::Differ { shows: first, lacks: other, element }));
            }
            if let Some(element) = lacks(theirs, mine) {
                return Some(Difference::Certain(Fault::Differ { shows: other, lacks: first, element }));
            }
            possible = possible.or(Some(Difference::Possible(first, other)));
        }
        possible
    }

    fn in_the_end(&self, read: u32) -> Option<(Anomaly, Fault)> {
        if let Some((element, _)) = self.first_missed(self.reading(read)) {
            return Some((Anomaly::LostWrite, self.missed(read, element)));
        }
        // Every update has returned: what was removed after each of its additions is gone for certain.
        let reading = self.reading(read);
        self.removed().find_map(|element| {
            let known = &self.elements[element as usize];
            let (adds, removes) = (known.adds.iter().copied(), known.removes.iter().copied());
            let done = |update: &u32| self.act(*update).status == Status::Ok;
            if self.set.shows(reading, element) {
                let last = removes.filter(done).max_by_key(|remove| self.act(*remove).began)?;
                let gone = known.adds.iter().all(|add| self.act(*add).precedes(self.act(last)));
                (gone && self.act(last).precedes(&reading.act))
                    .then_some((Anomaly::Resurrection, Fault::Returned { read, update: last }))
            } else {
                let last = adds.filter(done).max_by_key(|add| self.act(*add).began)?;
                let kept = known.removes.iter().all(|remove| self.act(*remove).precedes(self.act(last)));
                (kept && self.act(last).precedes(&reading.act))
                    .then_some((Anomaly::LostWrite, Fault::Missed { read, update: last, shown_by: NONE }))
            }
        })
    }

    fn own(&self) -> Own<Fault> {
        own(self)
    }

    fn figures(objects: &[Sets<'_>]) -> Option<(&'static str, Figures)> {
        let mut counts = [0u64; 6];
        for set in objects {
            let last = set.whole_reads().map(|(_, read)| read).max_by_key(|read| (read.act.began, read.act.op));
            for (number, element) in (0u32..).zip(&set.elements).filter(|(_, element)| !element.is_removed()) {
                let acknowledged = element.adds.iter().any(|add| set.act(*add).status == Status::Ok);
                let attempted = !element.adds.is_empty() || element.failed != NONE;
                let is_there = last.is_some_and(|last| set.set.shows(last, number));
                let is_lost = !is_there && last.is_some_and(|last| element.known < last.act.began);
                let marks = [
                    attempted,
                    acknowledged,
                    attempted && is_there,
                    is_lost,
                    attempted && !is_there && !is_lost,
                    attempted && is_there && !acknowledged,
                ];
                for (count, mark) in counts.iter_mut().zip(marks) {
                    *count += u64::from(mark);
                }
            }
        }
        let names = ["added", "acknowledged", "stable", "lost", "never_read", "recovered"];
        let put = |(name, count): (&str, u64)| (name.to_owned(), count.into());
        Some(("set", names.into_iter().zip(counts).map(put).collect()))
    }

    fn claim(&self, fault: &Fault) -> (updates::Shape, Vec<Value>) {
        let (shape, elements) = fault.claim(self);
        (updates::Shape::Set(shape), elements)
    }
}

/// What sessions ask of their own reads: of elements that nobody tried to remove.
fn own(sets: &Sets<'_>) -> Own<Fault> {
    let set = sets.set;
    let mut own = Own { missing: Vec::new(), backward: Vec::new(), future: Vec::new(), could: [0; 2], doubt: None };
    // By session, its reads (even) and updates (odd) in order of invocation.
    let mut acts: Vec<(u32, u32, u32)> = Vec::with_capacity(set.reads.len() + set.updates.len());
    acts.extend((0u32..).zip(&set.reads).map(|(at, read)| (read.act.session, read.act.op.0, 2 * at)));
    acts.extend((0u32..).zip(&set.updates).map(|(at, update)| (update.act.session, update.act.op.0, 2 * at + 1)));
    acts.sort_unstable();
    let mut doubtful = false;
    for session in acts.chunk_by(|a, b| a.0 == b.0) {
        // What has to be there, in order, each with the act that says so; and which elements these are.
        let mut wrote: HashMap<u32, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut seen: HashMap<u32, u32, foldhash::fast::RandomState> = HashMap::default();
        let (mut wrote_in_order, mut seen_in_order) = (Vec::new(), Vec::new());
        for (_, op, act) in session {
            let at = act / 2;
            if act % 2 == 1 {
                let update = &set.updates[at as usize];
                let element = &sets.elements[update.element as usize];
                doubtful |= element.is_removed() && update.act.status == Status::Ok;
                if update.act.status == Status::Ok && !element.is_removed() && !wrote.contains_key(&update.element) {
                    wrote.insert(update.element, at);
                    wrote_in_order.push(update.element);
                }
                continue;
            }
            let read = &set.reads[at as usize];
            let lacks = |due: &HashMap<u32, u32, _>, in_order: &[u32]| {
                if read.asked != NONE {
                    let lacks = set.shown(read).is_empty() && due.contains_key(&read.asked);
                    return lacks.then_some(read.asked);
                }
                let shown = set.shown(read).iter().filter(|element| due.contains_key(*element)).count();
                let lacks = || in_order.iter().copied().find(|element| !set.shows(read, *element));
                if shown < due.len() { lacks() } else { None }
            };
            let asks = |due: &HashMap<u32, u32, _>| {
                if read.asked == NONE { !due.is_empty() } else { due.contains_key(&read.asked) }
            };
            own.could[0] += u64::from(asks(&wrote));
            own.could[1] += u64::from(asks(&seen));
            if let Some(element) = lacks(&wrote, &wrote_in_order) {
                own.missing.push((at, Fault::OwnMissed { read: at, update: wrote[&element] }));
            }
            if let Some(element) = lacks(&seen, &seen_in_order) {
                let earlier = seen[&element];
                own.backward.push((at, Fault::Backward { read: at, earlier, element }));
            }
            for element in set.shown(read).iter().copied() {
                let known = &sets.elements[element as usize];
                doubtful |= known.is_removed();
                if !known.is_removed() && !known.adds.is_empty() && !seen.contains_key(&element) {
                    seen.insert(element, at);
                    seen_in_order.push(element);
                }
                let later = |add: &u32| sets.act(*add).session == read.act.session && sets.act(*add).op.0 > *op;
                if !known.adds.is_empty() && known.adds.iter().all(later) {
                    own.future.push((at, Fault::OwnFuture { read: at, update: known.adds[0] }));
                }
            }
        }
    }
    if doubtful {
        own.doubt = Some(
            "elements are removed: a read that lacks one may have seen another's removal, and one that shows it an addition, so \
             that it can't be told what it had seen",
        );
    }
    own
}

impl Fault {
    /// What is claimed, of operations of the history, and of which elements.
    fn claim(&self, sets: &Sets<'_>) -> (Shape, Vec<Value>) {
        let set = sets.set;
        let value = |element: u32| set.elements[element as usize];
        let read = |read: u32| sets.reading(read).act.op;
        let update = |update: u32| sets.act(update).op;
        let alone = |shape: Shape| (shape, Vec::new());
        match *self {
            Fault::Nowhere { read: at, element } => (Shape::Nowhere { read: read(at) }, vec![value(element)]),
            Fault::Aborted { read: at, update: add } => alone(Shape::Aborted { read: read(at), add: update(add) }),
            Fault::Repeated { read: at } => alone(Shape::Repeated { read: read(at) }),
            Fault::Missed { read: at, update: add, shown_by } => {
                let by = if shown_by == NONE { update(add) } else { read(shown_by) };
                (Shape::Missed { read: read(at), by }, vec![value(set.updates[add as usize].element)])
            }
            Fault::Returned { read: at, update: remove } => {
                alone(Shape::Returned { read: read(at), remove: update(remove) })
            }
            Fault::Early { read: at, update: add } => alone(Shape::Early { read: read(at), add: update(add) }),
            Fault::Fork { reads: [a, b], elements } => {
                (Shape::Fork { reads: [read(a), read(b)] }, elements.map(value).to_vec())
            }
            Fault::Overtaken { first, then, read: at } => {
                alone(Shape::Overtaken { first: update(first), then: update(then), read: read(at) })
            }
            Fault::OwnMissed { read: at, update: add } => alone(Shape::OwnMissed { read: read(at), add: update(add) }),
            Fault::Backward { read: at, earlier, element } => {
                (Shape::Backward { read: read(at), earlier: read(earlier) }, vec![value(element)])
            }
            Fault::OwnFuture { read: at, update: add } => alone(Shape::OwnFuture { read: read(at), add: update(add) }),
            Fault::Differ { shows, lacks, element } => {
                (Shape::Differ { shows: read(shows), lacks: read(lacks) }, vec![value(element)])
            }
            Fault::NoOrder { ref reads, ref elements } => {
                let reads = reads.iter().map(|at| read(*at)).collect();
                (Shape::NoOrder { reads }, elements.iter().map(|element| value(*element)).collect())
            }
        }
    }
}
