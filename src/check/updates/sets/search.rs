//! Whether a set is linearizable, where elements are removed or asked for one by one: by search.
//!
//! What a legal order of a set's operations leaves when one element is taken out of it, from reads too, is a legal order; and so is
//! what is left when a read is taken out (deletion of a value, Lee and Mathur 2025). So a set that has no order is made smaller
//! element by element and read by read, for as long as it has none.
//!
//! Exact. Exponential in what is in flight at one time: under the budget.

use hashbrown::HashMap;

use super::{Fault, Sets};
use crate::budget::Meter;
use crate::check::updates::{Order, stopped};
use crate::history::Status;
use crate::search::{Answer, Operation, Specification, refute, search};
use crate::workload::updates::NONE;

/// States hold at most so many elements together.
const MOST_STATES: usize = 1 << 24;
/// How often a smaller set is tried, at most, and how many operations all tries lay out together.
const MOST_TRIES: usize = 2_000;
const MOST_LAID_OUT: usize = 20_000_000;
/// Steps for making it smaller.
const STEPS: u64 = 20_000_000;

/// Decides a set of whose reads none is untimely.
pub(super) fn order(sets: &Sets<'_>, meter: &mut Meter<'_>) -> Order<Fault> {
    let mut part = Part { elements: vec![true; sets.elements.len()], reads: vec![true; sets.set.reads.len()] };
    let (operations, mut spec) = part.operations(sets);
    let answer = search(&operations, &mut spec, meter);
    if spec.is_full {
        return Order::Unknown("the set has too many states for a search".to_owned(), None);
    }
    match answer {
        Answer::Order(_) => Order::Found,
        Answer::Stopped { by, .. } => Order::Unknown(stopped(by), Some(by)),
        Answer::TooWide(lanes) => {
            let reason = format!("{lanes} operations were in flight at one time, more than the search can hold");
            Order::Unknown(reason, None)
        }
        Answer::Dead(_) => {
            meter.within(STEPS, |meter| part.narrow(sets, meter));
            Order::None(part.fault())
        }
    }
}

/// Some elements and reads of a set.
struct Part {
    elements: Vec<bool>,
    reads: Vec<bool>,
}

impl Part {
    /// Leaves out what can be left out.
    fn narrow(&mut self, sets: &Sets<'_>, meter: &mut Meter<'_>) {
        let count = sets.set.updates.len() + sets.set.reads.len();
        let mut tries = 0..MOST_TRIES.min(MOST_LAID_OUT / count.max(1));
        for at in 0..self.elements.len() {
            self.elements[at] = tries.next().is_none()
                || !{
                    self.elements[at] = false;
                    self.has_none(sets, meter)
                };
        }
        for at in (0..self.reads.len()).rev() {
            self.reads[at] = tries.next().is_none()
                || !{
                    self.reads[at] = false;
                    self.has_none(sets, meter)
                };
        }
    }

    fn has_none(&self, sets: &Sets<'_>, meter: &mut Meter<'_>) -> bool {
        let (operations, mut spec) = self.operations(sets);
        matches!(refute(&operations, &mut spec, meter), Answer::Dead(_)) && !spec.is_full
    }

    fn fault(&self) -> Fault {
        let numbers = |marks: &[bool]| (0u32..).zip(marks).filter(|(_, mark)| **mark).map(|(at, _)| at).collect();
        Fault::NoOrder { reads: numbers(&self.reads), elements: numbers(&self.elements) }
    }

    /// The operations of this part, each with a class; a failed one did nothing.
    fn operations(&self, sets: &Sets<'_>) -> (Vec<Operation>, States) {
        let mut states = States::default();
        let mut operations = Vec::new();
        let mut numbers: HashMap<Class, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut put = |class: Class, began: u32, ended: u32| {
            let number = *numbers.entry(class).or_insert_with_key(|class| {
                states.classes.push(class.clone());
                u32::try_from(states.classes.len() - 1).unwrap_or(NONE)
            });
            operations.push(Operation { class: number, began, ended });
        };
        for update in &sets.set.updates {
            let class = Class::Update { element: update.element, adds: update.adds, changed: update.changed };
            if update.act.status != Status::Fail && self.elements[update.element as usize] {
                put(class, update.act.began, update.act.ended);
            }
        }
        for (read, _) in sets.set.reads.iter().zip(&self.reads).filter(|(_, kept)| **kept) {
            let kept = |element: &&u32| self.elements[**element as usize];
            let shown: Vec<u32> = sets.set.shown(read).iter().filter(kept).copied().collect();
            if read.asked == NONE || self.elements[read.asked as usize] {
                put(Class::Read { asked: read.asked, shown }, read.act.began, read.act.ended);
            }
        }
        states.intern(Vec::new());
        (operations, states)
    }
}

/// What an operation does and returns.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Class {
    Update { element: u32, adds: bool, changed: Option<bool> },
    Read { asked: u32, shown: Vec<u32> },
}

/// The states of a set: its elements, ascending.
#[derive(Default)]
struct States {
    classes: Vec<Class>,
    states: Vec<Vec<u32>>,
    numbers: HashMap<Vec<u32>, u32, foldhash::fast::RandomState>,
    held: usize,
    /// Whether there were more than could be held: then no answer is one.
    is_full: bool,
}

impl States {
    fn intern(&mut self, state: Vec<u32>) -> Option<u32> {
        if let Some(number) = self.numbers.get(&state) {
            return Some(*number);
        }
        self.held += 2 * state.len() + 16;
        self.is_full |= self.held > MOST_STATES;
        if self.is_full {
            return None;
        }
        let number = u32::try_from(self.states.len()).ok()?;
        self.states.push(state.clone());
        self.numbers.insert(state, number);
        Some(number)
    }
}

impl Specification for States {
    fn initial(&mut self) -> Vec<u32> {
        vec![0]
    }

    fn step(&mut self, state: u32, class: u32) -> Option<u32> {
        let elements = &self.states[state as usize];
        let (element, adds, changed) = match &self.classes[class as usize] {
            Class::Read { asked: NONE, shown } => return (shown == elements).then_some(state),
            Class::Read { asked, shown } => {
                return (elements.binary_search(asked).is_ok() != shown.is_empty()).then_some(state);
            }
            Class::Update { element, adds, changed } => (*element, *adds, *changed),
        };
        let place = elements.binary_search(&element);
        let changes = place.is_err() == adds;
        if changed.is_some_and(|said| said != changes) {
            return None;
        }
        let mut next = match (changes, place) {
            (false, _) => return Some(state),
            (true, _) => elements.clone(),
        };
        match place {
            Ok(at) => _ = next.remove(at),
            Err(at) => next.insert(at, element),
        }
        self.intern(next)
    }

    fn classes(&self) -> u32 {
        u32::try_from(self.classes.len()).unwrap_or(NONE)
    }

    fn pure(&self, class: u32) -> bool {
        matches!(&self.classes[class as usize], Class::Read { .. } | Class::Update { changed: Some(false), .. })
    }
}
