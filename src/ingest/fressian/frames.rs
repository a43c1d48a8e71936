//! Containers of Fressian while they are written.

/// A container that is being written.
pub(super) struct Frame {
    pub(super) what: What,
    /// How many values are still to come; none where the end is marked.
    pub(super) left: Option<u64>,
    /// How many came.
    pub(super) count: u64,
    /// Where its text begins.
    pub(super) start: usize,
    /// Where the text of the last of two values, or of an operation's other fields, begins.
    pub(super) second: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// `[...]`; an open one may end with the bytes.
    List {
        open: bool,
    },
    /// The list behind it is a map.
    Map,
    /// The list behind it is a set.
    Set,
    /// A keyword or a symbol: namespace and name.
    Name {
        keyword: bool,
    },
    /// A value that is cached from then on.
    Cached(usize),
    /// The tag of a structure, and how many values it has.
    Tag,
    /// The one value of what stands for it: an atom, a multiset.
    Itself,
    BigInt,
    BigDecimal,
    Ratio,
    Char,
    /// A time: milliseconds.
    Instant,
    /// A record: its class and its map.
    Record,
    /// Jepsen's operation.
    Op,
    /// Jepsen's independent tuple.
    Tuple,
    /// A structure of another kind.
    Tagged,
}

impl What {
    /// What a structure of this tag, with so many values, is; nothing where it is of another kind.
    pub(super) fn of_structure(tag: &str, fields: u64) -> Option<What> {
        Some(match (tag, fields) {
            ("jepsen.history.Op", 7) => What::Op,
            ("map-entry", 2) => What::Tuple,
            ("persistent-hash-set" | "persistent-sorted-set", 1) => What::Set,
            ("multiset" | "atom" | "byte" | "vec" | "throwable", 1) => What::Itself,
            ("char", 1) => What::Char,
            ("ratio", 2) => What::Ratio,
            ("bigint", 1) => What::BigInt,
            ("key", 2) => What::Name { keyword: true },
            ("sym", 2) => What::Name { keyword: false },
            ("record", 2) => What::Record,
            _ => return None,
        })
    }

    /// Whether it is put together from its text, which then is short.
    pub(super) fn is_small(self) -> bool {
        match self {
            What::Name { .. } | What::Tag | What::BigInt | What::BigDecimal | What::Ratio | What::Char => true,
            What::List { .. } | What::Map | What::Set | What::Cached(_) | What::Itself | What::Instant => false,
            What::Record | What::Op | What::Tuple | What::Tagged => false,
        }
    }
}
