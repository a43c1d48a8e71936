//! Transactions: isolation levels and serializability, from dependencies between transactions.

pub mod axioms;
pub mod causality;
mod cycles;
pub mod dependencies;
mod levels;
pub mod list_append;
#[cfg(test)]
mod oracle;
mod order;
pub mod orders;
pub mod prefix;
pub mod view;
pub mod weak;
