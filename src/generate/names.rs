//! What can be generated, by the names that the rest of the program uses.

macro_rules! names {
    ($(#[$meta:meta])* $kind:ident { $($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $kind {
            $($(#[doc = $doc])+ $variant),+
        }

        impl $kind {
            /// All, in the order of the table.
            pub const ALL: &'static [$kind] = &[$($kind::$variant),+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($kind::$variant => $name),+ }
            }

            /// By its name.
            #[must_use]
            pub fn named(name: &str) -> Option<$kind> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

names! {
    /// What the simulated store holds.
    Vocabulary {
        /// Registers: `read`, `write`, `cas`.
        Register = "register",
        /// Lists: transactions of `append` and `r`.
        ListAppend = "list-append",
        /// Strings: `get`, `put`, `append`.
        Kv = "kv",
    }
}

names! {
    /// What a simulated store guarantees. Every history keeps it by construction; none of the stronger ones is promised,
    /// and long enough histories break them.
    Level {
        /// Objects. Each operation takes effect at one moment between its invocation and its completion.
        Linearizable = "linearizable",
        /// Registers. Writes as above, all in one log; a read is at any moment of the recent past that is not before its
        /// process's last operation.
        Sequential = "sequential",
        /// Each transaction takes effect at one moment between its invocation and its completion.
        StrictSerializable = "strict-serializable",
        /// The same, but read-only transactions may read the recent past, not before their process's last transaction.
        StrongSessionSerializable = "strong-session-serializable",
        /// The same, but read-only transactions may read any recent past.
        Serializable = "serializable",
        /// Lists know no predicates: the same store as `serializable`.
        RepeatableRead = "repeatable-read",
        /// Multi-version: reads show a snapshot taken at a moment after the invocation; appends are applied together at
        /// commit, and the first committer wins (the others fail). Write skew and long forks of the past occur.
        StrongSnapshotIsolation = "strong-snapshot-isolation",
        /// The same, but the snapshot may be of the recent past, not before the process's last transaction.
        StrongSessionSnapshotIsolation = "strong-session-snapshot-isolation",
        /// The same, but the snapshot may be of any recent past.
        SnapshotIsolation = "snapshot-isolation",
        /// Snapshots of any recent past without any check at commit: lost updates occur.
        Prefix = "prefix",
        /// Each read is of the present at its own moment, and appends are applied together at commit.
        MonotonicAtomicView = "monotonic-atomic-view",
        /// Each read is of its own recent past, and appends are applied together at commit: a read may even go back in
        /// time. Neither dirty nor intermediate nor circular.
        ReadCommitted = "read-committed",
        /// Each read is of the present at its own moment; appends are applied together, but before the transaction ends,
        /// and stay when it fails: G1a, G1c and dirty updates occur, never G0.
        ReadUncommitted = "read-uncommitted",
    }
}

impl Level {
    /// The strongest level of a vocabulary: what is generated where none is asked for.
    #[must_use]
    pub const fn strongest(vocabulary: Vocabulary) -> Level {
        match vocabulary {
            Vocabulary::Register | Vocabulary::Kv => Level::Linearizable,
            Vocabulary::ListAppend => Level::StrictSerializable,
        }
    }

    /// Whether a vocabulary's store can have this level.
    #[must_use]
    pub const fn fits(self, vocabulary: Vocabulary) -> bool {
        match (self, vocabulary) {
            (Level::Linearizable, Vocabulary::Register | Vocabulary::Kv) => true,
            (Level::Sequential, Vocabulary::Register) => true,
            (Level::Linearizable | Level::Sequential, _) => false,
            (_, vocabulary) => matches!(vocabulary, Vocabulary::ListAppend),
        }
    }
}

names! {
    /// What can be put wrong. The names are those of reports, except `stale-read`, which objects call a history that is
    /// not linearizable.
    Anomaly {
        /// A read of a value that was certainly overwritten before the read began.
        StaleRead = "stale-read",
        /// A read of a value that nobody wrote.
        ThinAirRead = "thin-air-read",
        /// Two updates of the same value: one of them has no effect.
        LostUpdate = "lost-update",
        /// A read of what a failed write wrote.
        G1a = "G1a",
        /// A read of what is written later: by the transaction itself (lists), or by a write that begins after it.
        FutureRead = "future-read",
        /// A read of a transaction's first write of two.
        G1b = "G1b",
        /// Two transactions whose writes are in opposite orders on two keys.
        G0 = "G0",
        /// The same, of one write before another of its own process.
        G0Process = "G0-process",
        /// The same, of one write before another that ended before it.
        G0Realtime = "G0-realtime",
        /// Two transactions that read each other's writes.
        G1c = "G1c",
        /// A read of what its process writes later.
        G1cProcess = "G1c-process",
        /// A read of what is written by a transaction that begins later.
        G1cRealtime = "G1c-realtime",
        /// Half of another transaction seen.
        GSingleItem = "G-single-item",
        /// A process that does not see its own earlier write.
        GSingleItemProcess = "G-single-item-process",
        /// A stale read.
        GSingleItemRealtime = "G-single-item-realtime",
        /// A long fork: two writes seen in opposite orders.
        GNonadjacentItem = "G-nonadjacent-item",
        /// A long fork that only session order closes.
        GNonadjacentItemProcess = "G-nonadjacent-item-process",
        /// A long fork that only real time closes.
        GNonadjacentItemRealtime = "G-nonadjacent-item-realtime",
        /// Write skew.
        G2Item = "G2-item",
        /// Three transactions in a circle that only session order closes.
        G2ItemProcess = "G2-item-process",
        /// Three transactions in a circle that only real time closes.
        G2ItemRealtime = "G2-item-realtime",
        /// A transaction that does not see its own write.
        Internal = "internal",
        /// A committed append upon a failed one.
        DirtyUpdate = "dirty-update",
        /// One element twice in a list.
        DuplicateElements = "duplicate-elements",
        /// Two reads of a list, neither of which begins with the other.
        IncompatibleOrder = "incompatible-order",
    }
}
