//! Strings that grow, where gets do not show which appends made them: by search.
//!
//! What a string can be of use for is to begin a string that somebody got. So the states are the beginnings of these, as
//! the places of a tree, and one more for every string that begins none of them: from there, only a put leads back.
//!
//! A witness is *closed*: a get stays with every put that its string begins with, and every append whose text is in it, but for
//! those that were over before a put of the part began which itself was over before the get began: these are hidden.
//! Other puts and appends can be left out: whoever saw their effect would have shown their text. So a closed part of a
//! history that has an order has one. Cost of the search: see [`crate::search`].

use hashbrown::HashMap;

use super::decide::{Decision, Doubt, Method};
use super::narrow::{self, Ground, Narrowing};
use super::proof::{Next, Proof, Shape};
use super::values::NONE;
use crate::budget::{Budget, Meter};
use crate::guarantee::Anomaly;
use crate::history::{History, Status, Value, Values};
use crate::search::{Answer, Operation, Specification, search};
use crate::verdict::StoppedBy;
use crate::witness::Minimality;
use crate::workload::register::{Action, Initial, Key};

/// The state of all strings that begin none that was got.
const NOWHERE: u32 = 0;
/// The state of the empty string.
const EMPTY: u32 = 1;
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

/// Decides one key. An order that is found leaves appends of nothing out.
pub(super) fn decide(history: &History, key: &Key<'_>, budget: &Budget) -> Decision {
    let mut decision = Decision { proofs: Vec::new(), method: Method::Search, doubt: None, order: None };
    let Initial::Known(initial) = key.initial else { return decision };
    let all: Vec<u32> = (0u32..).take(key.len()).filter(|op| key.status[*op as usize] != Status::Fail).collect();
    let (mut tree, operations, origins) = Tree::new(history.values(), key, &all, initial);
    match search(&operations, &mut tree, &mut budget.meter()) {
        Answer::Order(order) => {
            decision.order = Some(order.into_iter().map(|at| origins[at as usize]).collect());
            decision
        }
        Answer::Stopped { by, placed, of } => {
            decision.doubt = Some(Doubt::Stopped { by, placed, of });
            decision
        }
        Answer::TooWide(lanes) => {
            decision.doubt = Some(Doubt::TooWide(lanes));
            decision
        }
        Answer::Dead(dead) => {
            let origin = |at: &u32| origins[*at as usize];
            let (last, scarce) = (origin(&dead.operation), dead.scarce.iter().map(origin).collect());
            let shape = Shape::Searched { dead: last, scarce, states: Vec::new() };
            decision.with(Proof::new(Anomaly::NonLinearizable, shape, &[]))
        }
    }
}

/// What a search found, made small.
pub(super) fn settle(history: &History, key: &Key<'_>, dead: u32, scarce: &[u32], meter: &mut Meter<'_>) -> Proof {
    let Initial::Known(initial) = key.initial else { return stuck(dead, Vec::new(), Vec::new(), &[]) };
    let needs = Needs { history, key, initial, order: narrow::in_order(key), of: SeededMap::default() };
    meter.within(narrow::STEPS, |meter| {
        let mut narrowing = Narrowing::new(key, needs, meter);
        let Some(mut part) = narrowing.window(dead, scarce) else { return stuck(dead, Vec::new(), Vec::new(), &[]) };
        narrowing.shrink(&mut part);
        let minimality = if narrowing.cut_short { Minimality::Bounded } else { Minimality::OneMinimal };
        let proof = match narrowing.death(&part) {
            Some(death) => {
                let held = death.states.iter().map(|state| death.spec.string(*state)).collect();
                stuck(death.last, held, death.next, &part)
            }
            None => stuck(dead, Vec::new(), Vec::new(), &part),
        };
        Proof { minimality, ..proof }
    })
}

fn stuck(last: u32, held: Vec<Option<String>>, next: Vec<Next>, part: &[u32]) -> Proof {
    let shape = Shape::Stuck { last, held, next };
    Proof { minimality: Minimality::Bounded, ..Proof::new(Anomaly::NonLinearizable, shape, part) }
}

/// What strings ask of the parts of their history: which puts and appends may have made the string of each get.
struct Needs<'a, 'k> {
    history: &'a History,
    key: &'a Key<'k>,
    initial: Value,
    /// Operations that count, in order of beginning.
    order: Vec<u32>,
    /// Of gets that were asked for: puts that their strings begin with, appends whose texts are in them.
    of: SeededMap<u32, Vec<u32>>,
}

impl Needs<'_, '_> {
    fn text(&self, op: u32) -> &str {
        self.history.values().as_str(self.key.value[op as usize]).unwrap_or_default()
    }

    fn ask(&mut self, get: u32, meter: &mut Meter<'_>) -> Result<(), StoppedBy> {
        if self.of.contains_key(&get) {
            return Ok(());
        }
        let (key, got) = (self.key, self.text(get));
        let begun = self.order.partition_point(|op| key.began[*op as usize] <= key.ended[get as usize]);
        meter.steps(u32::try_from(begun.saturating_mul(1 + got.len() / 64)).unwrap_or(u32::MAX))?;
        let may_have_made = |op: &&u32| match key.action[**op as usize] {
            Action::Read => false,
            Action::Write => got.starts_with(self.text(**op)),
            Action::Cas => !self.text(**op).is_empty() && got.contains(self.text(**op)),
        };
        let needs = self.order[..begun].iter().filter(may_have_made).copied().collect();
        self.of.insert(get, needs);
        Ok(())
    }
}

impl<'a> Ground for Needs<'a, '_> {
    type Item = u32;
    type Spec = Tree<'a>;

    fn op(item: u32) -> u32 {
        item
    }

    fn close(&mut self, among: &[u32], meter: &mut Meter<'_>) -> Result<Vec<u32>, StoppedBy> {
        let key = self.key;
        let mut inside = vec![false; key.len()];
        for op in among {
            inside[*op as usize] = true;
        }
        let newest = narrow::newest(key, among, |action| action == Action::Write);
        let mut part = Vec::with_capacity(among.len());
        for (op, newest) in among.iter().zip(newest) {
            if key.action[*op as usize] == Action::Read {
                self.ask(*op, meter)?;
                let needs = &self.of[op];
                meter.steps(u32::try_from(needs.len()).unwrap_or(u32::MAX))?;
                let is_hidden = |op: u32| newest != NONE && key.ended[op as usize] < key.began[newest as usize];
                if !needs.iter().all(|op| inside[*op as usize] || is_hidden(*op)) {
                    continue;
                }
            }
            part.push(*op);
        }
        Ok(part)
    }

    fn lay_out(&self, part: &[u32], _: bool) -> (Tree<'a>, Vec<Operation>, Vec<u32>) {
        Tree::new(self.history.values(), self.key, part, self.initial)
    }

    fn effort(&self, part: &[u32]) -> usize {
        let bytes = part.iter().map(|op| self.text(*op).len()).fold(0, usize::saturating_add);
        part.len().saturating_mul(16).saturating_add(bytes)
    }
}
