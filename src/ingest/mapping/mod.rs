//! Foreign logs: rows of JSON that are no records, and how they become some.
//!
//! A [`Mapping`] says where each field of a record is in a row: `spec` reads that, `row` does it for one row, `assemble` puts
//! the records of all rows in order. A row is one record, or, where it has a beginning and an end, an operation's two. This is
//! for logs as services write them: a slower path than the native one, which stays as it is.

mod clock;
mod row;
mod spec;
#[cfg(test)]
mod tests;

pub use spec::{Mapping, MappingError, Order};

pub(super) use row::{Half, Mapped, Unmapped, fields, is_record};
