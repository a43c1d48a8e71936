//! Search under a budget, for what is provably hard.

pub mod sat;
