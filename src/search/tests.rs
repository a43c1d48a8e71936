//! The engine on a specification of its own, against brute force.

use std::collections::HashSet;

use super::*;
use crate::budget::Budget;
use crate::history::History;

/// A register of small numbers with an addition: `produces` and `observes` are not said, so that no shortcut applies.
struct Adder;

/// Classes: 0..4 read that number, 4..8 write it, 8 adds one (modulo 4), 9 adds one if the number is even.
impl Specification for Adder {
    fn initial(&mut self) -> Vec<u32> {
        vec![0]
    }

    fn step(&mut self, state: u32, class: u32) -> Option<u32> {
        match class {
            0..4 => (state == class).then_some(state),
            4..8 => Some(class - 4),
            8 => Some((state + 1) % 4),
            _ => state.is_multiple_of(2).then_some(state + 1),
        }
    }

    fn classes(&self) -> u32 {
        10
    }

    fn pure(&self, class: u32) -> bool {
        class < 4
    }

    fn overwrites(&self, class: u32) -> bool {
        (4..8).contains(&class)
    }

    fn total(&self, class: u32) -> bool {
        (4..9).contains(&class)
    }
}

/// A register of small numbers that says all that it can of its classes, so that every shortcut applies. Class `a * 6 + b`
/// needs `a` and leaves `b` behind: of both, 5 is none. State 0 is that of values that nobody observes.
struct Cell;

impl Specification for Cell {
    fn initial(&mut self) -> Vec<u32> {
        vec![1]
    }

    fn step(&mut self, state: u32, class: u32) -> Option<u32> {
        let (needs, leaves) = (class / 6, class % 6);
        let is_legal = needs == 5 || needs == state;
        is_legal.then_some(if leaves == 5 { state } else { leaves })
    }

    fn classes(&self) -> u32 {
        36
    }

    fn pure(&self, class: u32) -> bool {
        class % 6 == 5 || class / 6 == class % 6
    }

    fn overwrites(&self, class: u32) -> bool {
        class / 6 == 5 && class % 6 != 5
    }

    fn observes(&self, class: u32) -> Option<u32> {
        Some(class / 6).filter(|needs| *needs != 5)
    }

    fn produces(&self, class: u32) -> Option<u32> {
        Some(class % 6).filter(|_| !self.pure(class))
    }

    fn nowhere(&self) -> Option<u32> {
        Some(0)
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(bound)).expect("below a u32")
    }
}

fn random(dice: &mut Dice, count: u32) -> Vec<Operation> {
    let class = |dice: &mut Dice, crashed: bool| if crashed { 4 + dice.below(6) } else { dice.below(10) };
    random_of(dice, count, [5, 5], class)
}

/// Operations that end among the next `near` records, of which one in so many crashes.
fn random_of(
    dice: &mut Dice,
    count: u32,
    [near, crashes]: [u32; 2],
    mut class: impl FnMut(&mut Dice, bool) -> u32,
) -> Vec<Operation> {
    let mut free: Vec<u32> = (0..2 * count).collect();
    let mut draw = |dice: &mut Dice, near: u32| {
        let at = dice.below(near.min(u32::try_from(free.len()).expect("few")));
        free.remove(at as usize)
    };
    let operations = (0..count).map(|_| {
        let (a, b) = (draw(dice, 1), draw(dice, near));
        let crashed = dice.below(crashes) == 0;
        let ended = if crashed { History::NO_POSITION } else { a.max(b) };
        Operation { class: class(dice, crashed), began: a.min(b), ended }
    });
    operations.collect()
}

/// Reads, writes and compare-and-sets of a [`Cell`] that mostly find what was written last.
fn random_cell(dice: &mut Dice, count: u32) -> Vec<Operation> {
    let (values, near, crashes, has_cas) = (1 + dice.below(4), 2 + dice.below(6), 2 + dice.below(9), dice.below(2));
    let mut last = 1;
    random_of(dice, count, [near, crashes], |dice, crashed| {
        let any = 1 + dice.below(values);
        let likely = if dice.below(2) == 0 { last } else { any };
        let class = match dice.below(3 + has_cas) {
            0 if !crashed => return likely * 6 + 5,
            3 => likely * 6 + any,
            // Now and then what nobody observes.
            _ if !crashed && dice.below(8) == 0 => return 30,
            _ => 30 + any,
        };
        last = class % 6;
        // Crashed operations that change nothing say nothing, and are left out.
        if crashed && class / 6 == class % 6 { 30 + any } else { class }
    })
}

fn brute_force(spec: &mut impl Specification, operations: &[Operation]) -> bool {
    let mut stack: Vec<(u32, u32)> = spec.initial().into_iter().map(|state| (0, state)).collect();
    let mut seen = HashSet::new();
    while let Some((done, state)) = stack.pop() {
        let left = || operations.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
        let due = left().map(|(_, operation)| operation.ended).min().unwrap_or(History::NO_POSITION);
        if due == History::NO_POSITION {
            return true;
        }
        if seen.insert((done, state)) {
            for (at, operation) in left().filter(|(_, operation)| operation.began <= due) {
                stack.extend(spec.step(state, operation.class).map(|state| (done | 1 << at, state)));
            }
        }
    }
    false
}

/// Panics where this is no order of all that completed and of some that crashed, in real time, that the object allows.
fn is_order(spec: &mut impl Specification, operations: &[Operation], order: &[u32]) {
    let mut state = spec.initial()[0];
    let mut had = vec![false; operations.len()];
    for (at, number) in order.iter().enumerate() {
        let operation = operations[*number as usize];
        assert!(!std::mem::replace(&mut had[*number as usize], true), "{operations:?}: {order:?}");
        let late = order[..at].iter().any(|earlier| operations[*earlier as usize].began > operation.ended);
        assert!(!late, "{operations:?}: {order:?}");
        let then = spec.step(state, operation.class);
        state = then.unwrap_or_else(|| panic!("{operations:?}: {order:?}: {number} in state {state}"));
    }
    let missing = |(operation, had): (&Operation, &bool)| operation.ended != History::NO_POSITION && !had;
    assert!(!operations.iter().zip(&had).any(missing), "{operations:?}: {order:?}");
}

/// Goal: with crashed operations, and without any help of the specification, the engine says what brute force says, and its orders are ones.
#[test]
fn agrees_with_brute_force() {
    let mut dice = Dice(11);
    let budget = Budget::default();
    let (mut orders, mut dead) = (0, 0);
    for round in 0..20_000 {
        let operations = random(&mut dice, 2 + round % 8);
        let answer = search(&operations, &mut Adder, &mut budget.meter());
        let found = matches!(answer, Answer::Order(_));
        assert_eq!(found, brute_force(&mut Adder, &operations), "{operations:?}: {answer:?}");
        match answer {
            Answer::Order(order) => {
                is_order(&mut Adder, &operations, &order);
                orders += 1;
            }
            _ => dead += 1,
        }
    }
    assert!(orders > 3000 && dead > 3000, "{orders} {dead}");
}

/// Goal: all passes answer alike: the later ones alone, without the first. (They may find a later place
/// that no order passes, since they begin with crashed operations without end.)
#[test]
fn all_passes_agree() {
    let mut dice = Dice(5);
    let budget = Budget::default();
    for round in 0..20_000 {
        let operations = random(&mut dice, 2 + round % 9);
        let whole = search(&operations, &mut Adder, &mut budget.meter());
        let later = refute(&operations, &mut Adder, &mut budget.meter());
        match (&whole, &later) {
            (Answer::Order(first), Answer::Order(later)) => {
                is_order(&mut Adder, &operations, first);
                is_order(&mut Adder, &operations, later);
            }
            (Answer::Dead(first), Answer::Dead(later)) => assert!(first.level <= later.level, "{operations:?}"),
            _ => panic!("{operations:?}: {whole:?}, {later:?}"),
        }
    }
}

/// Goal: with every help of the specification, too, all passes say what brute force says, and their orders are ones: windows of
/// two to seven records, up to half of all crashed, with and without compare-and-set.
#[test]
fn shortcuts_agree_with_brute_force() {
    let mut dice = Dice(31);
    let budget = Budget::default();
    let (mut orders, mut dead) = (0, 0);
    for round in 0..15_000 {
        let operations = random_cell(&mut dice, 2 + round % 11);
        let expected = brute_force(&mut Cell, &operations);
        let answers =
            [search(&operations, &mut Cell, &mut budget.meter()), refute(&operations, &mut Cell, &mut budget.meter())];
        for answer in answers {
            assert_eq!(matches!(answer, Answer::Order(_)), expected, "{operations:?}: {answer:?}");
            if let Answer::Order(order) = answer {
                is_order(&mut Cell, &operations, &order);
            }
        }
        (orders, dead) = (orders + u32::from(expected), dead + u32::from(!expected));
    }
    assert!(orders > 3000 && dead > 2000, "{orders} {dead}");
}

/// The same as the adder, beginning anywhere.
struct Anywhere;

impl Specification for Anywhere {
    fn initial(&mut self) -> Vec<u32> {
        vec![0, 1, 2, 3]
    }

    fn step(&mut self, state: u32, class: u32) -> Option<u32> {
        Adder.step(state, class)
    }

    fn classes(&self) -> u32 {
        Adder.classes()
    }

    fn pure(&self, class: u32) -> bool {
        Adder.pure(class)
    }

    fn overwrites(&self, class: u32) -> bool {
        Adder.overwrites(class)
    }
}

/// Goal: where an order may begin in several states, of which some pass more completions at once than others, none of them is
/// forgotten.
#[test]
fn every_beginning_counts() {
    let mut dice = Dice(23);
    let budget = Budget::default();
    let (mut orders, mut dead) = (0, 0);
    for round in 0..10_000 {
        let operations = random(&mut dice, 2 + round % 7);
        let expected = (0..4u32).any(|state| {
            // As if a write had been there first.
            let later = |position: u32| if position == History::NO_POSITION { position } else { position + 2 };
            let shift = |it: &Operation| Operation { began: it.began + 2, ended: later(it.ended), ..*it };
            let first = Operation { class: 4 + state, began: 0, ended: 1 };
            brute_force(&mut Adder, &[first].into_iter().chain(operations.iter().map(shift)).collect::<Vec<_>>())
        });
        let found = matches!(search(&operations, &mut Anywhere, &mut budget.meter()), Answer::Order(_));
        let later = matches!(refute(&operations, &mut Anywhere, &mut budget.meter()), Answer::Order(_));
        assert_eq!((found, later), (expected, expected), "{operations:?}");
        (orders, dead) = (orders + u32::from(expected), dead + u32::from(!expected));
    }
    assert!(orders > 2000 && dead > 2000, "{orders} {dead}");
}

/// Goal: the place of death is the first completion that no order passes, with the states before it.
#[test]
fn the_place_of_death() {
    let operation = |class, began, ended| Operation { class, began, ended };
    // Write 1, then write 2 and write 3 at one time, then read 1, then read 0.
    let operations =
        [operation(5, 0, 1), operation(6, 2, 4), operation(7, 3, 5), operation(1, 6, 7), operation(0, 8, 9)];
    let answer = search(&operations, &mut Adder, &mut Budget::default().meter());
    let next = vec![Next { operation: 3, states: vec![2, 3] }];
    assert_eq!(answer, Answer::Dead(Dead { operation: 3, level: 3, states: vec![2, 3], scarce: Vec::new(), next }));
    // Write 1; then read 0 while an addition to an even number is under way, which is not legal there.
    let operations = [operation(5, 0, 1), operation(9, 2, 6), operation(0, 3, 4)];
    let answer = search(&operations, &mut Adder, &mut Budget::default().meter());
    let next = [2, 1].map(|operation| Next { operation, states: vec![1] }).to_vec();
    assert_eq!(answer, Answer::Dead(Dead { operation: 2, level: 1, states: vec![1], scarce: Vec::new(), next }));
}

/// Goal: a budget that ends says how far the search came, and more operations at one time than lanes are refused.
#[test]
fn limits() {
    let operations: Vec<Operation> = (0..40).map(|at| Operation { class: 8, began: at, ended: 100 + at }).collect();
    let budget = Budget::new(30, None, u64::MAX);
    let answer = search(&operations, &mut Adder, &mut budget.meter());
    assert_eq!(answer, Answer::Stopped { by: StoppedBy::Budget, placed: 0, of: 40 });
    let wide: Vec<Operation> = (0..5000).map(|at| Operation { class: 8, began: at, ended: 10_000 + at }).collect();
    assert_eq!(search(&wide, &mut Adder, &mut Budget::default().meter()), Answer::TooWide(5000));
}

/// Goal: many at one time, in words beyond the first.
#[test]
fn two_hundred_at_one_time() {
    let mut operations: Vec<Operation> =
        (0..200).map(|at| Operation { class: 8, began: at, ended: 500 + at }).collect();
    operations.push(Operation { class: 0, began: 900, ended: 901 });
    match search(&operations, &mut Adder, &mut Budget::default().meter()) {
        Answer::Order(order) => is_order(&mut Adder, &operations, &order),
        other => panic!("{other:?}"),
    }
    operations[200].class = 1;
    assert!(matches!(search(&operations, &mut Adder, &mut Budget::default().meter()), Answer::Dead(_)));
}
