//! Transactions: isolation levels and serializability, from dependencies between transactions.

pub mod axioms;
pub mod causality;
#[cfg(test)]
mod oracle;
pub mod orders;
pub mod prefix;
pub mod view;
pub mod weak;
