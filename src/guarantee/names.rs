//! The names, one row each. Relations between them live in the tables beside this file.

macro_rules! names {
    ($(#[$meta:meta])* $kind:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum $kind {
            $(#[doc = concat!("`", $name, "`")] $variant),+
        }

        impl $kind {
            /// All, in the order of the table.
            pub const ALL: &'static [$kind] = &[$($kind::$variant),+];

            /// The name that reports use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($kind::$variant => $name),+ }
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
    /// A guarantee, in one reading.
    Guarantee {
        StrictSerializable = "strict-serializable",
        StrongSessionSerializable = "strong-session-serializable",
        StrongSnapshotIsolation = "strong-snapshot-isolation",
        StrongSessionSnapshotIsolation = "strong-session-snapshot-isolation",
        StrongReadCommitted = "strong-read-committed",
        StrongReadUncommitted = "strong-read-uncommitted",
        StrongSessionReadCommitted = "strong-session-read-committed",
        StrongSessionReadUncommitted = "strong-session-read-uncommitted",
        Serializable = "serializable",
        ViewSerializable = "view-serializable",
        OneCopySerializable = "1SR",
        SessionSerializable = "session-serializable",
        UpdateSerializable = "update-serializable",
        RepeatableRead = "repeatable-read",
        SnapshotIsolation = "snapshot-isolation",
        ParallelSnapshotIsolation = "parallel-snapshot-isolation",
        ForwardConsistentView = "forward-consistent-view",
        ConsistentView = "consistent-view",
        MonotonicSnapshotRead = "monotonic-snapshot-read",
        MonotonicView = "monotonic-view",
        MonotonicAtomicView = "monotonic-atomic-view",
        CursorStability = "cursor-stability",
        Prefix = "prefix",
        CausalCerone = "causal-cerone",
        UpdateAtomic = "update-atomic",
        ReadAtomic = "read-atomic",
        ReadCommitted = "read-committed",
        ReadUncommitted = "read-uncommitted",
        PrefixBiswasEnea = "prefix@biswas-enea",
        ReadAtomicBiswasEnea = "read-atomic@biswas-enea",
        ReadCommittedBiswasEnea = "read-committed@biswas-enea",
        Linearizable = "linearizable",
        Sequential = "sequential",
        Causal = "causal",
        CausalMemory = "causal-memory",
        WeakCausal = "weak-causal",
        Pram = "pram",
        Session = "session",
        ReadYourWrites = "read-your-writes",
        MonotonicReads = "monotonic-reads",
        MonotonicWrites = "monotonic-writes",
        WritesFollowReads = "writes-follow-reads",
        SessionGlobal = "session@global",
        ReadYourWritesGlobal = "read-your-writes@global",
        MonotonicReadsGlobal = "monotonic-reads@global",
        MonotonicWritesGlobal = "monotonic-writes@global",
        WritesFollowReadsGlobal = "writes-follow-reads@global",
        MonotonicWritesNode = "monotonic-writes@node",
        WritesFollowReadsNode = "writes-follow-reads@node",
        BoundedStaleness = "bounded-staleness",
        ConsistentPrefix = "consistent-prefix",
        Eventual = "eventual",
        StrongEventual = "strong-eventual",
        Idempotent = "idempotent",
        AtLeastOnce = "at-least-once",
        AtMostOnce = "at-most-once",
        EffectivelyOnce = "effectively-once",
        OrderedDelivery = "ordered-delivery",
        Outbox = "outbox",
        Saga = "saga",
        Reconciled = "reconciled",
        Bank = "bank",
    }
}

names! {
    /// A kind of evidence against a guarantee.
    Anomaly {
        G0 = "G0",
        G0Process = "G0-process",
        G0Realtime = "G0-realtime",
        G1a = "G1a",
        G1b = "G1b",
        G1c = "G1c",
        G1cProcess = "G1c-process",
        G1cRealtime = "G1c-realtime",
        GSingleItem = "G-single-item",
        GSingleItemProcess = "G-single-item-process",
        GSingleItemRealtime = "G-single-item-realtime",
        GSingle = "G-single",
        GSingleProcess = "G-single-process",
        GSingleRealtime = "G-single-realtime",
        GNonadjacentItem = "G-nonadjacent-item",
        GNonadjacentItemProcess = "G-nonadjacent-item-process",
        GNonadjacentItemRealtime = "G-nonadjacent-item-realtime",
        GNonadjacent = "G-nonadjacent",
        GNonadjacentProcess = "G-nonadjacent-process",
        GNonadjacentRealtime = "G-nonadjacent-realtime",
        G2Item = "G2-item",
        G2ItemProcess = "G2-item-process",
        G2ItemRealtime = "G2-item-realtime",
        G2 = "G2",
        G2Process = "G2-process",
        G2Realtime = "G2-realtime",
        Internal = "internal",
        NonRepeatableRead = "non-repeatable-read",
        FutureRead = "future-read",
        DirtyUpdate = "dirty-update",
        DuplicateElements = "duplicate-elements",
        IncompatibleOrder = "incompatible-order",
        LostUpdate = "lost-update",
        GCursor = "G-cursor",
        GMonotonic = "G-monotonic",
        GMsr = "G-MSR",
        GUpdate = "G-update",
        UnseenConflict = "unseen-conflict",
        NonMonotonicRead = "non-monotonic-read",
        FracturedRead = "fractured-read",
        FracturedReadProcess = "fractured-read-process",
        CausalityViolation = "causality-violation",
        CausalityViolationProcess = "causality-violation-process",
        NonPrefixRead = "non-prefix-read",
        NonPrefixReadProcess = "non-prefix-read-process",
        ThinAirRead = "thin-air-read",
        CyclicVersions = "cyclic-versions",
        PredicateReadMiss = "predicate-read-miss",
        NonLinearizable = "non-linearizable",
        DuplicateEffect = "duplicate-effect",
        ConcurrentDuplicateEffect = "concurrent-duplicate-effect",
        PrematureExpiry = "premature-expiry",
        LostEffect = "lost-effect",
        PhantomEffect = "phantom-effect",
        RejectedEffect = "rejected-effect",
        PartialEffect = "partial-effect",
        DivergentReplay = "divergent-replay",
        ReplayMismatch = "replay-mismatch",
        PayloadMismatchAccepted = "payload-mismatch-accepted",
        MismatchFalselyRejected = "mismatch-falsely-rejected",
        ScopeCollision = "scope-collision",
        InFlightViolation = "in-flight-violation",
        FalseConflict = "false-conflict",
        StuckKey = "stuck-key",
        OverRetention = "over-retention",
        MissingKeyAccepted = "missing-key-accepted",
        LostMessage = "lost-message",
        DeduplicationWindowExceeded = "deduplication-window-exceeded",
        GhostEffect = "ghost-effect",
        RedeliveryAfterEffect = "redelivery-after-effect",
        DeliveryInversion = "delivery-inversion",
        MaxAttemptsExceeded = "max-attempts-exceeded",
        FalseDeduplication = "false-deduplication",
        ConcurrentProcessing = "concurrent-processing",
        EarlyAcknowledgement = "early-acknowledgement",
        ProcessedAfterDeadLetter = "processed-after-dead-letter",
        GhostDelivery = "ghost-delivery",
        MissingPublish = "missing-publish",
        PublishGap = "publish-gap",
        PhantomPublish = "phantom-publish",
        EarlyPublish = "early-publish",
        PublishInversion = "publish-inversion",
        DivergentEvent = "divergent-event",
        EventVersionMismatch = "event-version-mismatch",
        DuplicatePublish = "duplicate-publish",
        MissingCompensation = "missing-compensation",
        FailedAfterPivot = "failed-after-pivot",
        DoubleStep = "double-step",
        DoubleCompensation = "double-compensation",
        ZombieEffect = "zombie-effect",
        DanglingSaga = "dangling-saga",
        SkippedStep = "skipped-step",
        CompletedAndCompensated = "completed-and-compensated",
        CompensationAfterPivot = "compensation-after-pivot",
        CompensationWithoutStep = "compensation-without-step",
        CompensationOutOfOrder = "compensation-out-of-order",
        StepAfterCompensation = "step-after-compensation",
        StepOutOfOrder = "step-out-of-order",
        UnplannedStep = "unplanned-step",
        MissingEntry = "missing-entry",
        EntryMismatch = "entry-mismatch",
        DuplicateEntry = "duplicate-entry",
        OverCorrection = "over-correction",
        RepeatedRepair = "repeated-repair",
        AuthorityOverruled = "authority-overruled",
    }
}
