//! What processes, keys, nodes and sessions are called: a whole number or a text. `1` and `"1"` are two names.

use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A process, a key, a node or a session: made from integers and strings by `into`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Negative(i64),
    Number(u64),
    Text(Arc<str>),
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Kind::Negative(number) => serializer.serialize_i64(*number),
            Kind::Number(number) => serializer.serialize_u64(*number),
            Kind::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl From<i64> for Name {
    fn from(number: i64) -> Name {
        Name(u64::try_from(number).map_or(Kind::Negative(number), Kind::Number))
    }
}

impl From<i32> for Name {
    fn from(number: i32) -> Name {
        i64::from(number).into()
    }
}

impl From<u64> for Name {
    fn from(number: u64) -> Name {
        Name(Kind::Number(number))
    }
}

impl From<u32> for Name {
    fn from(number: u32) -> Name {
        u64::from(number).into()
    }
}

impl From<usize> for Name {
    fn from(number: usize) -> Name {
        // No platform has more than 64 bits.
        u64::try_from(number).unwrap_or(u64::MAX).into()
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(Kind::Text(text.into()))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name(Kind::Text(text.into()))
    }
}

impl From<&Name> for Name {
    fn from(name: &Name) -> Name {
        name.clone()
    }
}
