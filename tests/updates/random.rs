//! Small random histories of a set or a counter: a store that answers rightly for the most part, and clients that crash.

use std::collections::BTreeSet;

/// A generator of random numbers (splitmix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % most
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

pub(super) const NEVER: usize = usize::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    Ok,
    Fail,
    Info,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// Of a set.
    Add(u64),
    Remove(u64),
    Read(BTreeSet<u64>),
    Contains(u64, bool),
    /// Of a counter.
    Change(i64),
    Sum(i64),
}

#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) what: What,
    pub(super) process: u64,
    pub(super) began: usize,
    /// [`NEVER`] where it is not ok.
    pub(super) ended: usize,
    pub(super) status: Status,
    pub(super) node: u64,
    pub(super) last: bool,
}

impl Op {
    pub(super) fn is_read(&self) -> bool {
        matches!(self.what, What::Read(_) | What::Contains(..) | What::Sum(_))
    }

    pub(super) fn precedes(&self, other: &Op) -> bool {
        self.ended < other.began
    }
}

/// What a history is made of.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) counter: bool,
    pub(super) removes: bool,
    pub(super) asks: bool,
    /// The amounts of a counter.
    pub(super) amounts: &'static [i64],
    pub(super) ops: u64,
    pub(super) finals: u64,
    /// How often a read is wrong, in percent.
    pub(super) wrong: u64,
}

/// The operations, in order of invocation, and their records.
pub(super) fn history(dice: &mut Dice, shape: Shape) -> (Vec<Op>, String) {
    let (mut ops, mut lines): (Vec<Op>, String) = (Vec::new(), String::new());
    let mut open: [Option<usize>; 3] = [None; 3];
    let mut processes = [0, 1, 2];
    let (mut state, mut sum): (BTreeSet<u64>, i64) = (BTreeSet::new(), 0);
    let mut applied: Vec<bool> = Vec::new();
    let (mut position, mut begun) = (0, 0);
    let all = shape.ops + shape.finals;
    while begun < all || open.iter().any(Option::is_some) {
        let lane = usize::try_from(dice.below(3)).expect("small");
        let Some(at) = open[lane] else {
            let last = begun >= shape.ops;
            // Final reads wait for the others, for the most part.
            if begun >= all || last && open.iter().any(Option::is_some) && !dice.chance(5) {
                continue;
            }
            begun += 1;
            let element = 1 + dice.below(4);
            let what = match (shape.counter, last || dice.chance(45)) {
                (true, true) => What::Sum(0),
                (true, false) => {
                    let at = dice.below(shape.amounts.len() as u64);
                    What::Change(shape.amounts[usize::try_from(at).expect("small")])
                }
                (false, true) if shape.asks && !last && dice.chance(40) => What::Contains(element, false),
                (false, true) => What::Read(BTreeSet::new()),
                (false, false) if shape.removes && dice.chance(35) => What::Remove(element),
                (false, false) => What::Add(element),
            };
            let reads = matches!(what, What::Read(_) | What::Contains(..) | What::Sum(_));
            let status = match dice.below(10) {
                0 if !reads => Status::Fail,
                1 | 2 if !reads => Status::Info,
                _ => Status::Ok,
            };
            let (process, node) = (processes[lane], dice.below(2));
            let op = Op { what, process, began: position, ended: NEVER, status, node, last };
            lines.push_str(&line("invoke", &op, true));
            open[lane] = Some(ops.len());
            ops.push(op);
            applied.push(false);
            position += 1;
            continue;
        };
        // It takes effect now, or it ends.
        let takes = ops[at].status == Status::Ok || ops[at].status == Status::Info && dice.chance(60);
        if !applied[at] && takes {
            match &mut ops[at].what {
                What::Add(element) => _ = state.insert(*element),
                What::Remove(element) => _ = state.remove(element),
                What::Change(amount) => sum += *amount,
                What::Read(shown) => {
                    shown.clone_from(&state);
                    if dice.chance(shape.wrong) {
                        let element = if dice.chance(4) { 9 } else { 1 + dice.below(4) };
                        if !shown.remove(&element) {
                            shown.insert(element);
                        }
                    }
                }
                What::Contains(element, answer) => *answer = state.contains(element) != dice.chance(shape.wrong),
                What::Sum(shown) => {
                    let off = i64::try_from(dice.below(5)).expect("small") - 2;
                    *shown = sum + if dice.chance(shape.wrong) { off } else { 0 };
                }
            }
            applied[at] = true;
            if dice.chance(50) {
                continue;
            }
        }
        let op = &mut ops[at];
        let kind = match op.status {
            Status::Ok => "ok",
            Status::Fail => "fail",
            Status::Info => "info",
        };
        if op.status == Status::Ok {
            op.ended = position;
        }
        lines.push_str(&line(kind, op, false));
        open[lane] = None;
        if op.status == Status::Info {
            processes[lane] += 3;
        }
        position += 1;
    }
    (ops, lines)
}

fn line(kind: &str, op: &Op, invokes: bool) -> String {
    let (f, value) = match &op.what {
        What::Add(element) => ("add", element.to_string()),
        What::Remove(element) => ("remove", element.to_string()),
        What::Read(_) if invokes => ("read", "null".to_owned()),
        What::Read(shown) => ("read", format!("{shown:?}").replace('{', "[").replace('}', "]")),
        What::Contains(element, _) if invokes => ("contains", element.to_string()),
        What::Contains(_, answer) => ("contains", answer.to_string()),
        What::Change(amount) => ("add", amount.to_string()),
        What::Sum(_) if invokes => ("read", "null".to_owned()),
        What::Sum(sum) => ("read", sum.to_string()),
    };
    let last = if op.last { ",\"final\":true" } else { "" };
    format!(
        "{{\"type\":\"{kind}\",\"process\":{},\"f\":\"{f}\",\"value\":{value},\"node\":\"n{}\"{last}}}\n",
        op.process, op.node
    )
}

/// Whether some order of the ok operations, and of some of unknown outcome, contains real time and explains every read.
pub(super) fn has_order(ops: &[&Op]) -> bool {
    fn go(ops: &[&Op], done: u32, state: &BTreeSet<u64>, sum: i64, met: &mut BTreeSet<(u32, BTreeSet<u64>)>) -> bool {
        let left = || ops.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
        let Some(due) = left().map(|(_, op)| op.ended).filter(|ended| *ended != NEVER).min() else { return true };
        met.insert((done, state.clone()))
            && left().filter(|(_, op)| op.began <= due).any(|(at, op)| {
                let (mut then, mut total) = (state.clone(), sum);
                let legal = match &op.what {
                    What::Add(element) => {
                        then.insert(*element);
                        true
                    }
                    What::Remove(element) => {
                        then.remove(element);
                        true
                    }
                    What::Change(amount) => {
                        total += amount;
                        true
                    }
                    What::Read(shown) => shown == state,
                    What::Contains(element, answer) => state.contains(element) == *answer,
                    What::Sum(shown) => *shown == sum,
                };
                legal && go(ops, done | 1 << at, &then, total, met)
            })
    }
    let counted: Vec<&Op> = ops.iter().copied().filter(|op| op.status != Status::Fail).collect();
    go(&counted, 0, &BTreeSet::new(), 0, &mut BTreeSet::new())
}
