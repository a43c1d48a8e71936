//! Claims of sets: an element is there or is not, although no additions and removals explain it.

use std::collections::HashSet;

use super::{is_final, of_object, precedes, same_session};
use crate::history::{History, OpId, Operation, Status, Value};

/// What is claimed.
#[derive(Clone, Debug)]
pub enum Claim {
    /// A read shows what nobody added.
    Nowhere {
        /// The read.
        read: OpId,
        /// What it shows.
        element: Value,
    },
    /// A read shows what only failed additions would have added.
    Aborted {
        /// The read.
        read: OpId,
        /// One of them.
        add: OpId,
    },
    /// A read lists an element twice.
    Repeated {
        /// The read.
        read: OpId,
    },
    /// A read lacks what was there before it began, and nothing can have taken it away.
    Missed {
        /// The read.
        read: OpId,
        /// What it lacks.
        element: Value,
        /// Its addition, or a read that shows it.
        by: OpId,
    },
    /// A read shows what was removed before it began, after every addition that it can have seen.
    Returned {
        /// The read.
        read: OpId,
        /// The removal.
        remove: OpId,
    },
    /// A read shows what nobody had begun to add when it ended.
    Early {
        /// The read.
        read: OpId,
        /// The first addition.
        add: OpId,
    },
    /// Each of two reads shows an element that the other lacks, and nobody tried to remove either.
    Fork {
        /// The reads.
        reads: [OpId; 2],
        /// What each of them shows.
        elements: [Value; 2],
    },
    /// One element was there before the only additions of another began, and a read shows that other without it.
    Overtaken {
        /// The addition that was over.
        first: OpId,
        /// The first addition of the other.
        then: OpId,
        /// The read.
        read: OpId,
    },
    /// A read lacks what its own session had added.
    OwnMissed {
        /// The read.
        read: OpId,
        /// The addition.
        add: OpId,
    },
    /// A read lacks what an earlier one of its session shows.
    Backward {
        /// The read.
        read: OpId,
        /// The earlier one.
        earlier: OpId,
        /// What it lacks.
        element: Value,
    },
    /// A read shows what only its own session added, and only later.
    OwnFuture {
        /// The read.
        read: OpId,
        /// The addition.
        add: OpId,
    },
    /// Of two final reads, one shows an element and the other doesn't, and no operation of unknown outcome explains it.
    Differ {
        /// The one that shows it.
        shows: OpId,
        /// The one that lacks it.
        lacks: OpId,
        /// The element.
        element: Value,
    },
    /// No order of all updates of some elements gives these reads what they show of these elements, and contains real time.
    NoOrder {
        /// The reads.
        reads: Vec<OpId>,
        /// The elements.
        elements: Vec<Value>,
    },
}

/// Whether the whole history bears a claim out.
#[must_use]
pub fn holds(history: &History, claim: &Claim) -> bool {
    let look = |read: OpId| Object { history, any: read };
    match *claim {
        Claim::Nowhere { read, element } => {
            let object = look(read);
            object.shows(read, element) == Some(true) && object.updates("add", element).next().is_none()
        }
        Claim::Aborted { read, add } => {
            let (object, element) = (look(read), element(&history.op(add)));
            object.shows(read, element) == Some(true)
                && object.updates("add", element).any(|other| other.id == add)
                && object.updates("add", element).all(|other| other.status() == Status::Fail)
        }
        Claim::Repeated { read } => {
            let items = history.values().items(history.op(read).result());
            (1..items.len()).any(|at| items[..at].contains(&items[at]))
        }
        Claim::Missed { read, element, by } => {
            let (object, reads, by) = (look(read), history.op(read), history.op(by));
            let was_there = object.adds(&by, element) || object.shows(by.id, element) == Some(true);
            let may_be = |remove: &Operation<'_>| !precedes(remove, &by) && !precedes(&reads, remove);
            was_there
                && precedes(&by, &reads)
                && object.shows(read, element) == Some(false)
                && !object.attempts("remove", element).any(|remove| may_be(&remove))
        }
        Claim::Returned { read, remove } => {
            let (object, remove, reads) = (look(read), history.op(remove), history.op(read));
            let element = element(&remove);
            let gone = |add: Operation<'_>| {
                let by = |other: Operation<'_>| precedes(&add, &other) && precedes(&other, &reads);
                precedes(&reads, &add) || object.attempts("remove", element).any(by)
            };
            precedes(&remove, &reads)
                && object.shows(read, element) == Some(true)
                && object.attempts("add", element).all(gone)
        }
        Claim::Early { read, add } => {
            let (object, reads, element) = (look(read), history.op(read), element(&history.op(add)));
            object.shows(read, element) == Some(true)
                && object.attempts("add", element).all(|add| precedes(&reads, &add))
        }
        Claim::Fork { reads: [a, b], elements: [x, y] } => {
            let object = look(a);
            [(a, x, true), (a, y, false), (b, y, true), (b, x, false)]
                .into_iter()
                .all(|(read, element, is_there)| object.shows(read, element) == Some(is_there))
                && [x, y].into_iter().all(|element| object.attempts("remove", element).next().is_none())
        }
        Claim::Overtaken { first, then, read } => {
            let (object, first) = (look(read), history.op(first));
            let [x, y] = [element(&first), element(&history.op(then))];
            object.adds(&first, x)
                && object.attempts("add", y).all(|add| precedes(&first, &add))
                && object.shows(read, y) == Some(true)
                && object.shows(read, x) == Some(false)
                && object.attempts("remove", x).next().is_none()
        }
        Claim::OwnMissed { read, add } => {
            let (object, add) = (look(read), history.op(add));
            let element = element(&add);
            object.adds(&add, element)
                && same_session(&add, &history.op(read))
                && object.shows(read, element) == Some(false)
                && object.attempts("remove", element).next().is_none()
        }
        Claim::Backward { read, earlier, element } => {
            let object = look(read);
            same_session(&history.op(earlier), &history.op(read))
                && object.shows(earlier, element) == Some(true)
                && object.shows(read, element) == Some(false)
                && object.attempts("remove", element).next().is_none()
        }
        Claim::OwnFuture { read, add } => {
            let (object, element) = (look(read), element(&history.op(add)));
            object.shows(read, element) == Some(true)
                && object.attempts("add", element).all(|add| same_session(&history.op(read), &add))
        }
        Claim::Differ { shows, lacks, element } => {
            let object = look(shows);
            let begun = history.op(shows).began().min(history.op(lacks).began());
            let finals = [shows, lacks].into_iter().all(|read| is_final(history, read, &["add", "remove", "del"]));
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
        Claim::NoOrder { ref reads, ref elements } => {
            reads.first().is_some_and(|first| look(*first).has_no_order(reads, elements))
        }
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

/// What an addition or removal was about.
fn element(update: &Operation<'_>) -> Value {
    if update.argument().is_null() { update.result() } else { update.argument() }
}
