//! A history in memory: operations in columns, immutable once built.
//!
//! This room knows no format (JSON, EDN, ...) and no meaning (what `read` does). It knows what a record is, which records
//! are one operation, and in which order things were seen. Ids are dense `u32`s, so that every check can index arrays.
//!
//! Order comes from *positions*: a record's rank among the records of the history, from 0, a header not counted. `time`
//! is for durations only.

mod batch;
mod builder;
mod find;
mod interner;
mod maps;
mod operations;
mod origin;
mod pairing;
mod redact;
mod select;
mod tags;
mod value;

pub use batch::{Batch, Record, RecordType};
pub use builder::{BuildError, Builder};
pub use interner::{Interner, Translation};
pub use operations::{Header, Histories, History, MicroOp, Observation, OpId, Operation, ProcessId, Status};
pub use origin::{Edn, NoOrigin, Origin};
pub use value::{Compound, Value, Values, View, escape_json};
