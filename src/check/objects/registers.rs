//! Registers for the search engine: what reads, writes and compare-and-set allow.
//!
//! Values that nobody observes are one state, in which only writes are legal; crashed operations that lead to it are left
//! out (a linearization without them is legal too).

use hashbrown::HashMap;

use super::values::NONE;
use crate::history::{Status, Value};
use crate::search::{Operation, Specification};
use crate::workload::register::{Action, Initial, Key};

type SeededMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The state that stands for every value that nobody observes.
const UNSEEN: u32 = 0;

/// A register, with its states and classes numbered.
pub(super) struct Registers {
    classes: Vec<Class>,
    initial: Vec<u32>,
    values: Vec<Value>,
    /// Whether the engine is told what classes produce, so that it can look ahead.
    outlook: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Class {
    /// The state that it needs; none where any will do.
    observes: u32,
    /// The state that it leaves behind; none where it leaves the one it found.
    produces: u32,
}

/// An operation of a key, and whether its expectation is left out of account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Item {
    pub(super) op: u32,
    pub(super) blind: bool,
}

impl Item {
    /// What it certainly observed if it happened, as far as that counts here.
    pub(super) fn observed(&self, key: &Key<'_>) -> Option<Value> {
        key.observed(self.op as usize).filter(|_| !self.blind)
    }
}

impl Registers {
    /// These operations of a key, for the engine. Failed ones are left out.
    pub(super) fn new(key: &Key<'_>, items: &[Item]) -> (Registers, Vec<Operation>, Vec<u32>) {
        let states = States::new(key, items);
        let mut registers =
            Registers { classes: Vec::new(), initial: Vec::new(), values: states.values.clone(), outlook: true };
        registers.initial = match key.initial {
            Initial::Known(value) => vec![states.of(value)],
            Initial::Unknown => (0u32..).take(states.values.len()).collect(),
        };
        let mut numbers: SeededMap<Class, u32> = SeededMap::default();
        let mut operations = Vec::with_capacity(items.len());
        let mut origins = Vec::with_capacity(items.len());
        for item in items {
            let at = item.op as usize;
            let produces = key.written(at).map_or(NONE, |value| states.of(value));
            let crashed = key.status[at] == Status::Info;
            if key.status[at] == Status::Fail || crashed && (produces == UNSEEN || produces == NONE) {
                continue;
            }
            let class = Class { observes: item.observed(key).map_or(NONE, |value| states.of(value)), produces };
            if crashed && class.observes == class.produces {
                continue;
            }
            let number = *numbers.entry(class).or_insert_with(|| {
                registers.classes.push(class);
                u32::try_from(registers.classes.len() - 1).unwrap_or(NONE)
            });
            operations.push(Operation { class: number, began: key.began[at], ended: key.ended[at] });
            origins.push(item.op);
        }
        (registers, operations, origins)
    }

    /// The same, so that the search ends where an observation fails and not where that can be foreseen.
    pub(super) fn without_outlook(mut self) -> Registers {
        self.outlook = false;
        self
    }

    /// The value of a state; nothing for the one that stands for values nobody observes.
    pub(super) fn value(&self, state: u32) -> Option<Value> {
        if state == UNSEEN { None } else { self.values.get(state as usize).copied() }
    }
}

impl Specification for Registers {
    fn initial(&mut self) -> Vec<u32> {
        self.initial.clone()
    }

    #[inline]
    fn step(&mut self, state: u32, class: u32) -> Option<u32> {
        let Class { observes, produces } = self.classes[class as usize];
        if observes != NONE && observes != state {
            return None;
        }
        Some(if produces == NONE { state } else { produces })
    }

    fn classes(&self) -> u32 {
        u32::try_from(self.classes.len()).unwrap_or(NONE)
    }

    #[inline]
    fn pure(&self, class: u32) -> bool {
        let Class { observes, produces } = self.classes[class as usize];
        produces == NONE || produces == observes
    }

    #[inline]
    fn overwrites(&self, class: u32) -> bool {
        let Class { observes, produces } = self.classes[class as usize];
        observes == NONE && produces != NONE
    }

    fn observes(&self, class: u32) -> Option<u32> {
        Some(self.classes[class as usize].observes).filter(|state| *state != NONE)
    }

    fn produces(&self, class: u32) -> Option<u32> {
        if !self.outlook || self.pure(class) { None } else { Some(self.classes[class as usize].produces) }
    }

    fn nowhere(&self) -> Option<u32> {
        Some(UNSEEN)
    }
}

/// The observed values, numbered from 1.
struct States {
    numbers: SeededMap<Value, u32>,
    values: Vec<Value>,
}

impl States {
    fn new(key: &Key<'_>, items: &[Item]) -> States {
        let mut states = States { numbers: SeededMap::default(), values: vec![Value::ABSENT] };
        let mut crashed: SeededMap<Value, Vec<Value>> = SeededMap::default();
        let mut waiting: Vec<Value> = Vec::new();
        for item in items {
            let at = item.op as usize;
            let Some(value) = item.observed(key) else { continue };
            match (key.status[at], key.action[at]) {
                (Status::Ok, _) => waiting.push(value),
                (Status::Info, Action::Cas) => crashed.entry(key.value[at]).or_default().push(value),
                _ => {}
            }
        }
        // A crashed compare-and-set can matter where what it leaves behind is observed; then what it expects is too.
        waiting.reverse();
        while let Some(value) = waiting.pop() {
            if !states.numbers.contains_key(&value) {
                states.numbers.insert(value, u32::try_from(states.values.len()).unwrap_or(NONE));
                states.values.push(value);
                waiting.extend(crashed.get(&value).into_iter().flatten());
            }
        }
        states
    }

    fn of(&self, value: Value) -> u32 {
        self.numbers.get(&value).copied().unwrap_or(UNSEEN)
    }
}
