//! Claims of sets: an element is there or is not, although no additions and removals explain it.

use std::collections::HashSet;

use hashbrown::HashMap;

use super::{is_final, is_marked, of_object, precedes, same_session};
use crate::guarantee::Anomaly;
use crate::history::{History, OpId, Operation, Status, Value};
use crate::witness::updates::Says;
use crate::witness::updates::set::Shape;

/// All functions that change a set.
const UPDATES: [&str; 3] = ["add", "remove", "del"];

/// Whether a shape is of this anomaly, given what it means.
fn is_named(history: &History, anomaly: Anomaly, says: Says, shape: &Shape) -> bool {
    let in_time = matches!(says, Says::Behind { .. } if anomaly == Anomaly::StaleRead)
        || matches!(says, Says::Overdue { .. } if anomaly == Anomaly::OverdueVisibility);
    let unexplained = says == Says::Unexplained;
    let in_the_end = |read: OpId| says == Says::InTheEnd && is_final(history, read, &UPDATES);
    match *shape {
        Shape::Nowhere { .. } => unexplained && anomaly == Anomaly::ThinAirRead,
        Shape::Aborted { read, .. } => {
            anomaly == Anomaly::G1a && (unexplained || says == Says::InTheEnd && is_marked(history, read))
        }
        Shape::Repeated { .. } => unexplained && anomaly == Anomaly::DuplicateElements,
        Shape::Missed { read, .. } => in_time || anomaly == Anomaly::LostWrite && in_the_end(read),
        Shape::Returned { read, .. } => in_time || anomaly == Anomaly::Resurrection && in_the_end(read),
        Shape::Early { .. } | Shape::Fork { .. } | Shape::Overtaken { .. } | Shape::NoOrder { .. } => {
            unexplained && anomaly == Anomaly::NonLinearizable
        }
        Shape::OwnMissed { .. } => unexplained && anomaly == Anomaly::MissingYourWrites,
        Shape::Backward { .. } => unexplained && anomaly == Anomaly::BackwardRead,
        Shape::OwnFuture { .. } => unexplained && anomaly == Anomaly::FutureReadProcess,
        Shape::Differ { .. } => says == Says::InTheEnd && anomaly == Anomaly::Divergence,
    }
}

/// By how many updates a read is behind, and by which operation's end that was certain.
pub(super) fn behind(history: &History, shape: &Shape) -> Option<(u32, OpId)> {
    match *shape {
        Shape::Missed { read, by } => Some((amiss(history, read), by)),
        Shape::Returned { read, remove } => Some((amiss(history, read), remove)),
        _ => None,
    }
}

/// Whether the whole history bears a claim out.
#[must_use]
pub(super) fn holds(history: &History, anomaly: Anomaly, says: Says, shape: &Shape, elements: &[Value]) -> bool {
    is_named(history, anomaly, says, shape) && can_not_be(history, shape, elements)
}

fn can_not_be(history: &History, shape: &Shape, elements: &[Value]) -> bool {
    let look = |read: OpId| Object { history, any: read };
    match (shape, elements) {
        (&Shape::Nowhere { read }, &[element]) => {
            let object = look(read);
            object.shows(read, element) == Some(true) && object.updates("add", element).next().is_none()
        }
        (&Shape::Aborted { read, add }, []) => {
            let (object, element) = (look(read), element(&history.op(add)));
            object.shows(read, element) == Some(true)
                && object.updates("add", element).any(|other| other.id == add)
                && object.updates("add", element).all(|other| other.status() == Status::Fail)
        }
        (&Shape::Repeated { read }, []) => {
            let op = history.op(read);
            let mut items = history.values().items(op.result());
            let listed = items.len();
            items.sort_unstable();
            items.dedup();
            op.status() == Status::Ok && history.values().as_str(op.f()) == Some("read") && items.len() < listed
        }
        (&Shape::Missed { read, by }, &[element]) => {
            let (object, reads, by) = (look(read), history.op(read), history.op(by));
            let was_there = object.adds(&by, element) || object.shows(by.id, element) == Some(true);
            let may_be = |remove: &Operation<'_>| !precedes(remove, &by) && !precedes(&reads, remove);
            was_there
                && precedes(&by, &reads)
                && object.shows(read, element) == Some(false)
                && !object.attempts("remove", element).any(|remove| may_be(&remove))
        }
        (&Shape::Returned { read, remove }, []) => {
            let (object, remove, reads) = (look(read), history.op(remove), history.op(read));
            let element = element(&remove);
            let gone = |add: Operation<'_>| {
                let by = |other: Operation<'_>| precedes(&add, &other) && other.ended() <= remove.ended();
                precedes(&reads, &add) || object.attempts("remove", element).any(by)
            };
            precedes(&remove, &reads)
                && object.attempts("remove", element).any(|other| other.id == remove.id)
                && object.shows(read, element) == Some(true)
                && object.attempts("add", element).all(gone)
        }
        (&Shape::Early { read, add }, []) => {
            let (object, reads, element) = (look(read), history.op(read), element(&history.op(add)));
            object.shows(read, element) == Some(true)
                && object.attempts("add", element).all(|add| precedes(&reads, &add))
        }
        (&Shape::Fork { reads: [a, b] }, &[x, y]) => {
            let object = look(a);
            [(a, x, true), (a, y, false), (b, y, true), (b, x, false)]
                .into_iter()
                .all(|(read, element, is_there)| object.shows(read, element) == Some(is_there))
                && [x, y].into_iter().all(|element| object.attempts("remove", element).next().is_none())
        }
        (&Shape::Overtaken { first, then, read }, []) => {
            let (object, first) = (look(read), history.op(first));
            let [x, y] = [element(&first), element(&history.op(then))];
            object.adds(&first, x)
                && object.attempts("add", y).all(|add| precedes(&first, &add))
                && object.shows(read, y) == Some(true)
                && object.shows(read, x) == Some(false)
                && object.attempts("remove", x).next().is_none()
        }
        (&Shape::OwnMissed { read, add }, []) => {
            let (object, add) = (look(read), history.op(add));
            let element = element(&add);
            object.adds(&add, element)
                && same_session(&add, &history.op(read))
                && object.shows(read, element) == Some(false)
                && object.attempts("remove", element).next().is_none()
        }
        (&Shape::Backward { read, earlier }, &[element]) => {
            let object = look(read);
            same_session(&history.op(earlier), &history.op(read))
                && object.shows(earlier, element) == Some(true)
                && object.shows(read, element) == Some(false)
                && object.attempts("remove", element).next().is_none()
        }
        (&Shape::OwnFuture { read, add }, []) => {
            let (object, element) = (look(read), element(&history.op(add)));
            object.shows(read, element) == Some(true)
                && object.attempts("add", element).all(|add| same_session(&history.op(read), &add))
        }
        (&Shape::Differ { shows, lacks }, &[element]) => {
            let object = look(shows);
            let begun = history.op(shows).began().min(history.op(lacks).began());
            let finals = [shows, lacks].into_iter().all(|read| is_final(history, read, &UPDATES));
            let seen = || {
                let early =
                    |f| of_object(history, shows, f).filter(|read| read.status() == Status::Ok && read.ended() < begun);
                early("read").chain(early("contains")).any(|read| object.shows(read.id, element) == Some(true))
            };
            let pending = |f| object.attempts(f, element).any(|update| update.status() == Status::Info);
            let kept = object.attempts("remove", element).next().is_none()
                && (seen() || object.attempts("add", element).any(|add| add.status() == Status::Ok));
            finals
                && object.shows(shows, element) == Some(true)
                && object.shows(lacks, element) == Some(false)
                && (kept || !pending("add") && !pending("remove"))
        }
        (Shape::NoOrder { reads }, elements) => {
            reads.first().is_some_and(|first| look(*first).has_no_order(reads, elements))
        }
        _ => false,
    }
}

/// The object of an operation.
struct Object<'h> {
    history: &'h History,
    any: OpId,
}

impl<'h> Object<'h> {
    /// Whether a read that happened shows an element; nothing where it says nothing of it.
    fn shows(&self, read: OpId, element: Value) -> Option<bool> {
        let read = self.history.op(read);
        let same = read.key() == self.history.op(self.any).key() || read.key().is_null();
        if read.status() != Status::Ok || !same {
            return None;
        }
        match self.history.values().as_str(read.f())? {
            "read" => Some(self.history.values().items(read.result()).contains(&element)),
            "contains" if read.argument() == element => Some(read.result() == Value::TRUE),
            _ => None,
        }
    }

    /// Its additions or removals of an element, failed ones too.
    fn updates(&self, f: &'static str, of: Value) -> impl Iterator<Item = Operation<'h>> {
        let named = of_object(self.history, self.any, f);
        let other = (f == "remove").then(|| of_object(self.history, self.any, "del"));
        named.chain(other.into_iter().flatten()).filter(move |update| element(update) == of)
    }

    /// Those that did not fail.
    fn attempts(&self, f: &'static str, of: Value) -> impl Iterator<Item = Operation<'h>> {
        self.updates(f, of).filter(|update| update.status() != Status::Fail)
    }

    /// Whether brute force finds no order. More operations than it can try: nothing is confirmed.
    fn has_no_order(&self, reads: &[OpId], elements: &[Value]) -> bool {
        const MOST: usize = 20;
        let updates = elements.iter().flat_map(|element| {
            let of = |f| self.attempts(f, *element).map(move |update| (update, f == "add", *element));
            of("add").chain(of("remove")).collect::<Vec<_>>()
        });
        let mut steps: Vec<(Operation<'_>, Step)> = Vec::new();
        if elements.len() > MOST {
            return false;
        }
        for (update, adds, element) in updates {
            let said = [update.argument(), update.result()];
            let changed = match said[1] {
                Value::TRUE | Value::FALSE if update.status() == Status::Ok && said[0] != said[1] => {
                    (!said[0].is_null()).then_some(said[1] == Value::TRUE)
                }
                _ => None,
            };
            let Some(at) = elements.iter().position(|one| *one == element) else { return false };
            steps.push((update, Step::Update { bit: 1 << at, adds, changed }));
        }
        for read in reads {
            let mut says = [0u32; 2];
            for (at, element) in elements.iter().enumerate() {
                if let Some(is_there) = self.shows(*read, *element) {
                    says[usize::from(is_there)] |= 1 << at;
                }
            }
            steps.push((self.history.op(*read), Step::Read { without: says[0], with: says[1] }));
        }
        if steps.len() > MOST {
            return false;
        }
        // What was done, and what is there.
        let mut open = vec![(0u32, 0u32)];
        let mut met: HashSet<(u32, u32)> = HashSet::new();
        while let Some((done, state)) = open.pop() {
            if !met.insert((done, state)) {
                continue;
            }
            let left = || steps.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
            let due = left().filter(|(_, (op, _))| op.status() == Status::Ok).map(|(_, (op, _))| op.ended()).min();
            let Some(due) = due else { return false };
            for (at, (_, step)) in left().filter(|(_, (op, _))| op.began() <= due) {
                open.extend(step.from(state).map(|next| (done | 1 << at, next)));
            }
        }
        true
    }

    /// Whether this operation certainly added an element.
    fn adds(&self, op: &Operation<'_>, of: Value) -> bool {
        op.status() == Status::Ok && self.updates("add", of).any(|add| add.id == op.id)
    }
}

/// What an operation does to some elements, each a bit.
enum Step {
    Update { bit: u32, adds: bool, changed: Option<bool> },
    Read { without: u32, with: u32 },
}

impl Step {
    /// What is there after it, where it is legal.
    fn from(&self, state: u32) -> Option<u32> {
        match *self {
            Step::Read { without, with } => (state & with == with && state & without == 0).then_some(state),
            Step::Update { bit, adds, changed } => {
                let next = if adds { state | bit } else { state & !bit };
                changed.is_none_or(|said| said == (next != state)).then_some(next)
            }
        }
    }
}

/// The updates of these elements that did not fail, of the object that an operation is of.
pub(in crate::witness) fn updates_of(history: &History, of: OpId, elements: &[Value]) -> Vec<OpId> {
    let known: HashSet<Value> = elements.iter().copied().collect();
    let all = UPDATES.iter().flat_map(|f| of_object(history, of, f));
    let wanted = all.filter(|update| update.status() != Status::Fail && known.contains(&element(update)));
    wanted.map(|update| update.id).collect()
}

/// What updates did to an element.
#[derive(Default)]
struct Course<'h> {
    adds: Vec<Operation<'h>>,
    removes: Vec<Operation<'h>>,
}

impl Course<'_> {
    /// Whether the element can't be there, or can't be missing, in a read.
    fn contradicts(&self, is_shown: bool, read: &Operation<'_>) -> bool {
        let Course { adds, removes } = self;
        if is_shown {
            let gone =
                |add: &Operation<'_>| removes.iter().any(|remove| precedes(add, remove) && precedes(remove, read));
            let mut possible = adds.iter().filter(|add| !precedes(read, add)).peekable();
            return possible.peek().is_some() && possible.all(gone);
        }
        adds.iter().any(|add| {
            let may_be = |remove: &Operation<'_>| !precedes(remove, add) && !precedes(read, remove);
            precedes(add, read) && !removes.iter().any(may_be)
        })
    }
}

/// How many elements a read shows or lacks although that can't be: each by the updates of that element, and by what was shown
/// before of one that nobody tried to remove.
fn amiss(history: &History, read: OpId) -> u32 {
    let (reads, values) = (history.op(read), history.values());
    let mut courses: HashMap<Value, Course<'_>, foldhash::fast::RandomState> = HashMap::default();
    for f in UPDATES {
        for update in of_object(history, read, f).filter(|update| update.status() != Status::Fail) {
            let course = courses.entry(element(&update)).or_default();
            if f == "add" { course.adds.push(update) } else { course.removes.push(update) }
        }
    }
    let asked = (values.as_str(reads.f()) == Some("contains")).then_some(reads.argument());
    let shown: HashSet<Value> = listed(history, &reads).into_iter().collect();
    courses.retain(|element, _| asked.is_none_or(|asked| asked == *element));
    let all = courses.len();
    courses.retain(|element, course| !course.contradicts(shown.contains(element), &reads));
    let mut amiss = all - courses.len();
    // What was there because somebody had seen it.
    courses.retain(|element, course| !shown.contains(element) && course.removes.is_empty());
    let early = |f| of_object(history, read, f).filter(|other| precedes(other, &reads));
    for other in early("read").chain(early("contains")) {
        if courses.is_empty() {
            break;
        }
        for element in listed(history, &other) {
            let was_there = |course: &Course<'_>| course.adds.iter().any(|add| add.began() < other.ended());
            if courses.get(&element).is_some_and(was_there) {
                courses.remove(&element);
                amiss += 1;
            }
        }
    }
    u32::try_from(amiss).unwrap_or(u32::MAX)
}

/// What a read lists.
fn listed(history: &History, read: &Operation<'_>) -> Vec<Value> {
    match history.values().as_str(read.f()) {
        Some("read") => history.values().items(read.result()),
        _ if read.result() == Value::TRUE => vec![read.argument()],
        _ => Vec::new(),
    }
}

/// What an addition or removal was about.
pub(in crate::witness) fn element(update: &Operation<'_>) -> Value {
    if update.argument().is_null() { update.result() } else { update.argument() }
}
