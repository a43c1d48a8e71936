//! Strings that grow, where gets do not show which appends made them: by search.
//!
//! What a string can be of use for is to begin a string that somebody got. So the states are the beginnings of these, as
//! the places of a tree, and one more for every string that begins none of them: from there, only a put leads back.
//!
//! A witness is *closed*: a get stays with every put that its string begins with, and every append whose text is in it.
//! Other puts and appends can be left out: whoever saw their effect would have shown their text. So a closed part of a
//! history that has an order has one. Cost of the search: see [`crate::search`].

use hashbrown::HashMap;

use super::decide::{Decision, Doubt, Method};
use super::narrow::leave_out;
use super::proof::{Proof, Shape};
use super::values::NONE;
use crate::budget::Budget;
use crate::guarantee::Anomaly;
use crate::history::{History, Status, Value, Values};
use crate::search::{Answer, Operation, Specification, search};
use crate::witness::Minimality;
use crate::workload::register::{Action, Initial, Key};

/// The state of all strings that begin none that was got.
const NOWHERE: u32 = 0;
/// The state of the empty string.
const EMPTY: u32 = 1;
/// Pairs of gets and others that are looked at to make a witness smaller.
const PAIRS: usize = 1 << 22;

type SeededMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The strings that were got, as a tree of their beginnings.
struct Tree<'a> {
    values: &'a Values,
    next: SeededMap<(u32, u8), u32>,
    classes: Vec<(Action, Value)>,
    initial: u32,
    /// Where gets and puts of each class lead; nothing for appends.
    target: Vec<u32>,
    /// Where appends lead, as far as it was asked.
    after: SeededMap<(u32, u32), u32>,
}

impl<'a> Tree<'a> {
    fn new(values: &'a Values, key: &Key<'_>, ops: &[u32], initial: Value) -> (Tree<'a>, Vec<Operation>, Vec<u32>) {
        let mut tree = Tree {
            values,
            next: SeededMap::default(),
            classes: Vec::new(),
            initial: NOWHERE,
            target: Vec::new(),
            after: SeededMap::default(),
        };
        let mut places = EMPTY + 1;
        for op in ops.iter().filter(|op| key.action[**op as usize] == Action::Read) {
            let mut at = EMPTY;
            for byte in tree.text(key.value[*op as usize]).bytes() {
                at = *tree.next.entry((at, byte)).or_insert_with(|| {
                    places += 1;
                    places - 1
                });
            }
        }
        tree.initial = tree.walk(EMPTY, tree.text(initial));
        let mut numbers: SeededMap<(Action, Value), u32> = SeededMap::default();
        let (mut operations, mut origins) = (Vec::with_capacity(ops.len()), Vec::with_capacity(ops.len()));
        for op in ops {
            let at = *op as usize;
            let class = (key.action[at], key.value[at]);
            let nothing = class.0 == Action::Cas && tree.text(class.1).is_empty();
            if nothing || key.status[at] == Status::Fail {
                continue;
            }
            let number = *numbers.entry(class).or_insert_with(|| {
                tree.target.push(if class.0 == Action::Cas { NONE } else { tree.walk(EMPTY, tree.text(class.1)) });
                tree.classes.push(class);
                u32::try_from(tree.classes.len() - 1).unwrap_or(NONE)
            });
            operations.push(Operation { class: number, began: key.began[at], ended: key.ended[at] });
            origins.push(*op);
        }
        (tree, operations, origins)
    }

    fn text(&self, value: Value) -> &'a str {
        self.values.as_str(value).unwrap_or_default()
    }

    fn walk(&self, from: u32, text: &str) -> u32 {
        let mut at = from;
        for byte in text.bytes() {
            match self.next.get(&(at, byte)) {
                Some(next) => at = *next,
                None => return NOWHERE,
            }
        }
        at
    }

    /// The string of a state, if it is one.
    fn string(&self, state: u32) -> Option<String> {
        if state == NOWHERE {
            return None;
        }
        let before: SeededMap<u32, (u32, u8)> =
            self.next.iter().map(|((before, byte), after)| (*after, (*before, *byte))).collect();
        let mut bytes = Vec::new();
        let mut at = state;
        while let Some((earlier, byte)) = before.get(&at) {
            bytes.push(*byte);
            at = *earlier;
        }
        bytes.reverse();
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Specification for Tree<'_> {
    fn initial(&mut self) -> Vec<u32> {
        vec![self.initial]
    }

    fn step(&mut self, state: u32, class: u32) -> Option<u32> {
        let (action, text) = self.classes[class as usize];
        let target = self.target[class as usize];
        match action {
            Action::Read => (state == target).then_some(state),
            Action::Write => Some(target),
            Action::Cas if state == NOWHERE => Some(NOWHERE),
            Action::Cas => Some(match self.after.get(&(state, class)) {
                Some(known) => *known,
                None => {
                    let after = self.walk(state, self.text(text));
                    self.after.insert((state, class), after);
                    after
                }
            }),
        }
    }

    fn classes(&self) -> u32 {
        u32::try_from(self.classes.len()).unwrap_or(NONE)
    }

    fn pure(&self, class: u32) -> bool {
        self.classes[class as usize].0 == Action::Read
    }

    fn overwrites(&self, class: u32) -> bool {
        self.classes[class as usize].0 == Action::Write
    }

    fn total(&self, class: u32) -> bool {
        self.classes[class as usize].0 != Action::Read
    }

    fn nowhere(&self) -> Option<u32> {
        Some(NOWHERE)
    }
}

/// Decides one key.
pub(super) fn decide(history: &History, key: &Key<'_>, budget: &Budget) -> Decision {
    let mut decision = Decision { proofs: Vec::new(), method: Method::Search, doubt: None };
    let Initial::Known(initial) = key.initial else { return decision };
    let mut meter = budget.meter();
    let all: Vec<u32> = (0u32..).take(key.len()).filter(|op| key.status[*op as usize] != Status::Fail).collect();
    let mut dies = |ops: &[u32]| {
        let (mut tree, operations, origins) = Tree::new(history.values(), key, ops, initial);
        let answer = search(&operations, &mut tree, &mut meter);
        (answer, tree, origins)
    };
    match dies(&all).0 {
        Answer::Order(_) => return decision,
        Answer::Stopped { by, placed, of } => {
            decision.doubt = Some(Doubt::Stopped { by, placed, of });
            return decision;
        }
        Answer::TooWide(lanes) => {
            decision.doubt = Some(Doubt::TooWide(lanes));
            return decision;
        }
        Answer::Dead(_) => {}
    }
    let gets = all.iter().filter(|op| key.action[**op as usize] == Action::Read).count();
    let (mut part, mut minimality) = (all.clone(), Minimality::Bounded);
    if gets.saturating_mul(all.len()) <= PAIRS {
        let needs = Needs::new(history.values(), key, &all);
        minimality = Minimality::OneMinimal;
        leave_out(&mut part, |rest| {
            let rest = needs.close(key, rest);
            match dies(&rest).0 {
                Answer::Dead(_) => return Some(rest),
                Answer::Order(_) => {}
                Answer::Stopped { .. } | Answer::TooWide(_) => minimality = Minimality::Bounded,
            }
            None
        });
    }
    let (answer, tree, origins) = dies(&part);
    let (mut last, mut held) = (part.last().copied().unwrap_or(0), Vec::new());
    if let Answer::Dead(dead) = answer {
        last = origins.get(dead.operation as usize).copied().unwrap_or(last);
        held = dead.states.iter().map(|state| tree.string(*state)).collect();
    }
    let shape = Shape::Stuck { last, held };
    let mut proof = Proof::new(Anomaly::NonLinearizable, shape, &part);
    proof.minimality = minimality;
    decision.with(proof)
}

/// An order of a key's operations, by number, if a search finds one. Appends of nothing are left out.
pub(super) fn order(history: &History, key: &Key<'_>, budget: &Budget) -> Option<Vec<u32>> {
    let Initial::Known(initial) = key.initial else { return None };
    let all: Vec<u32> = (0u32..).take(key.len()).collect();
    let (mut tree, operations, origins) = Tree::new(history.values(), key, &all, initial);
    match search(&operations, &mut tree, &mut budget.meter()) {
        Answer::Order(order) => Some(order.into_iter().map(|at| origins[at as usize]).collect()),
        _ => None,
    }
}

/// Which puts and appends may have made the string of each get.
struct Needs {
    of: SeededMap<u32, Vec<u32>>,
}

impl Needs {
    fn new(values: &Values, key: &Key<'_>, all: &[u32]) -> Needs {
        let text = |op: u32| values.as_str(key.value[op as usize]).unwrap_or_default();
        let (gets, others): (Vec<u32>, Vec<u32>) = all.iter().partition(|op| key.action[**op as usize] == Action::Read);
        let of = gets.into_iter().map(|get| {
            let may_have_made = |op: &&u32| {
                key.began[**op as usize] <= key.ended[get as usize]
                    && match key.action[**op as usize] {
                        Action::Write => text(get).starts_with(text(**op)),
                        _ => !text(**op).is_empty() && text(get).contains(text(**op)),
                    }
            };
            (get, others.iter().filter(may_have_made).copied().collect())
        });
        Needs { of: of.collect() }
    }

    fn close(&self, key: &Key<'_>, among: &[u32]) -> Vec<u32> {
        let mut inside = vec![false; key.len()];
        for op in among {
            inside[*op as usize] = true;
        }
        let is_closed = |op: &&u32| self.of.get(*op).is_none_or(|needs| needs.iter().all(|op| inside[*op as usize]));
        among.iter().filter(is_closed).copied().collect()
    }
}
