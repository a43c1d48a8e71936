//! Staleness.

mod atomicity;
pub(in crate::check) mod clock;
mod delta;
pub(in crate::check) mod key;
pub(in crate::check) mod overwritten;

#[cfg(test)]
mod oracle;
