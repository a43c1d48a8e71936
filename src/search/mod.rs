//! The linearization engine: operations of one object, what the object allows, a budget; and either an order exists, or the
//! place in time where none can go on.
//!
//! It follows Wing and Gong's search ("Testing and verifying concurrent objects", 1993) as Lowe memoised it ("Testing for
//! linearizability", 2017), over *levels*: level `e` is the `e`-th completion in time, and a configuration at level `e` has
//! linearized every operation that completed before it. What is left of a configuration is exact and small: the level, one
//! bit for each pending operation (its lane), the object's state, and how many crashed operations of each class it used.
//!
//! What keeps the configurations few:
//! - A pending operation that never changes a state is taken as soon as it is legal: moved forward in any order that
//!   completes, it changes nothing for the others.
//! - Of pending operations of one class, the one that completes first is taken first; crashed ones of that class after
//!   these. Two that do the same can change places.
//! - Crashed operations are counts for each class. Of two configurations that differ only in these, the one that used fewer
//!   stands for both; and of two that differ only in pure operations, the one that took more.
//! - What is legal everywhere can be *hidden*: just before an overwriting operation, nobody sees what it did. So an operation
//!   that was pending when the last overwriting one was taken need not be tried before it is due: then it may still have
//!   come before that one. Of two configurations, the one that has yet to take what it can hide stands for both.
//! - Where it is known which states operations need: one that overwrites is taken before it is due only if a pending operation
//!   needs what it leaves behind (else the next one overwrites it, and hides it), and a crashed one, which need not have
//!   happened, only then.
//! - A state is not left while an operation that has yet to begin needs it and nobody is left to bring it back.
//!
//! The first pass goes depth first under a limit of configurations, and finds most orders at once. The others go level by
//! level, keep one level's configurations only, and end where a level has none: there no order exists. They begin with
//! counting no crashed operations, as if there were any number of each, and count those of which an order then used more
//! than there are: what is hard about a history is seldom about more than a few of them.
//!
//! Exact: `Answer::Order` and `Answer::Dead` are proofs. Deciding a register with repeated values is NP-complete (Gibbons
//! and Korach 1997), so the budget may end first: `Answer::Stopped`. Cost: configurations times pending operations; at most
//! exponential in the operations that are pending at one time, linear in the length of the history.

pub mod sat;

mod configuration;
mod crashes;
mod engine;
mod order;
mod outlook;
mod path;
mod plan;
mod steps;
mod usage;

#[cfg(test)]
mod tests;

pub use engine::{refute, search};

use crate::verdict::StoppedBy;

/// What an object allows. States and classes are numbers that the specification gives; a class is all that operations which
/// do and return the same have in common.
pub trait Specification {
    /// The states in which an order may begin.
    fn initial(&mut self) -> Vec<u32>;

    /// The state after an operation of this class, or nothing where it is not legal in this state.
    fn step(&mut self, state: u32, class: u32) -> Option<u32>;

    /// How many classes: they are numbered from 0.
    fn classes(&self) -> u32;

    /// Whether the class leaves every state as it is, where it is legal.
    fn pure(&self, class: u32) -> bool;

    /// Whether the class is legal everywhere, and what it leaves behind does not depend on what was there.
    fn overwrites(&self, _class: u32) -> bool {
        false
    }

    /// Whether the class is legal everywhere: so that just before an overwriting operation, nobody sees what it did.
    fn total(&self, class: u32) -> bool {
        self.overwrites(class)
    }

    /// The one state in which the class is legal, where there is just one.
    fn observes(&self, _class: u32) -> Option<u32> {
        None
    }

    /// The one state that the class leaves behind wherever it is legal, where there is just one. A specification that says
    /// so of any class says it of all that are not pure, and [`Specification::observes`] of all that are not legal
    /// everywhere.
    fn produces(&self, _class: u32) -> Option<u32> {
        None
    }

    /// A state that only overwriting classes lead away from, and in which others do not matter, where there is one: states
    /// that nobody observes any more become it, and crashed operations that lead to it are left out.
    fn nowhere(&self) -> Option<u32> {
        None
    }

    /// Whether no order can go on from this state, given everything that begins after this position.
    fn hopeless(&mut self, _state: u32, _position: u32) -> bool {
        false
    }
}

/// An operation as the engine sees it. Crashed pure operations are left out by the caller: they say nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation {
    /// What it does and returns.
    pub class: u32,
    /// The position at or after which it began.
    pub began: u32,
    /// The position at which it had taken effect; [`crate::history::History::NO_POSITION`] where it may never have.
    pub ended: u32,
}

/// What the search found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// There is an order, this one: all operations that completed, and of the crashed ones those that it needs, by number
    /// among the operations given.
    Order(Vec<u32>),
    /// There is none: this is where the last configurations end.
    Dead(Dead),
    /// Nobody knows: what ended the search, and how many operations had been ordered at best.
    Stopped {
        /// What ended it.
        by: StoppedBy,
        /// Completions that the best configuration had passed.
        placed: u32,
        /// All completions.
        of: u32,
    },
    /// More operations at one time than the engine has lanes for: how many.
    TooWide(u32),
}

/// A completion that no order passes. The first such one, or a later one where the search counted no crashed operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dead {
    /// The operation that completes there, by its number among the operations given.
    pub operation: u32,
    /// Its number among the completions.
    pub level: u32,
    /// The states that could be reached before it, ascending.
    pub states: Vec<u32>,
    /// Where orders needed more crashed operations of a class than there are, had there been any number of them: the
    /// operations that were to complete next, ascending. Nothing where that was not asked.
    pub scarce: Vec<u32>,
    /// What could come there, had been taken or not: in order of completion, then crashed ones. Nothing where the last
    /// configurations are too many to be told.
    pub next: Vec<Next>,
}

/// An operation that could be taken where no order goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Next {
    /// Its number among the operations given.
    pub operation: u32,
    /// The states of the last configurations that had not taken it, ascending: none where all had.
    pub states: Vec<u32>,
}
