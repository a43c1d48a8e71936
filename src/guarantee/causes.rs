//! One row for each anomaly: what commonly causes it, and the smallest history that shows it.
//!
//! The histories are those of `histories/`; a test reads each and finds its anomaly there. Every anomaly that a check finds by
//! itself has one; the others stand in the lattice because others speak of them.

use super::{Anomaly, Guarantee};

/// What is told of an anomaly beside its row in the lattice.
#[derive(Debug)]
pub struct Cause {
    /// What commonly causes it, in a sentence.
    pub cause: &'static str,
    /// The smallest history that shows it: its path below `histories/`, and its text, JSON Lines.
    pub example: Option<(&'static str, &'static str)>,
}

macro_rules! rows {
    ($($anomaly:ident: $cause:literal $(, $example:literal)?;)+) => {
        const TABLE: &[(Anomaly, Cause)] =
            &[$((Anomaly::$anomaly, Cause { cause: $cause, example: rows!(example $($example)?) })),+];
    };
    (example) => { None };
    (example $path:literal) => {
        Some((
            concat!($path, ".jsonl"),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/histories/", $path, ".jsonl")),
        ))
    };
}

impl Anomaly {
    /// What commonly causes it, and the smallest history that shows it.
    #[must_use]
    pub fn told(self) -> &'static Cause {
        const NOTHING: &Cause = &Cause { cause: "", example: None };
        TABLE.iter().find(|(anomaly, _)| *anomaly == self).map_or(NOTHING, |(_, cause)| cause)
    }
}

impl Anomaly {
    /// Whether some check of this version finds it by itself. Predicates are not looked at; a changed
    /// second read is reported as `internal`.
    #[must_use]
    pub fn is_found(self) -> bool {
        use Anomaly as A;
        !matches!(
            self,
            A::GSingle
                | A::GSingleProcess
                | A::GSingleRealtime
                | A::GNonadjacent
                | A::GNonadjacentProcess
                | A::GNonadjacentRealtime
                | A::G2
                | A::G2Process
                | A::G2Realtime
                | A::NonRepeatableRead
                | A::CyclicVersions
                | A::PredicateReadMiss
        )
    }
}

impl Anomaly {
    /// What has to be required of its history to show it, with which parameters, where the parameters decide: without a bound,
    /// nothing is overdue.
    #[must_use]
    pub const fn shown_by(self) -> Option<(Guarantee, &'static [(&'static str, &'static str)])> {
        match self {
            Anomaly::OverdueVisibility => Some((Guarantee::Eventual, &[("within", "5s")])),
            Anomaly::PrefixInversion => Some((Guarantee::ConsistentPrefix, &[])),
            _ => None,
        }
    }
}

impl Guarantee {
    /// The anomaly whose smallest history shows what breaks this guarantee: of those that rule it out, the one that rules out
    /// the fewest others, and of these the one with the shortest history.
    #[must_use]
    pub fn example(self) -> Option<Anomaly> {
        let shown =
            Anomaly::ALL.iter().copied().filter_map(|one| one.told().example.map(|(_, text)| (one, text.len())));
        let against = shown.filter(|(one, _)| one.rules_out().contains(&self));
        against.min_by_key(|(one, len)| (one.rules_out().len(), *len)).map(|(one, _)| one)
    }
}

rows! {
    G0: "Writes that take no lock until commit, or a last-write-wins rule applied key by key.", "anomalies/G0";
    G0Process: "A client's writes go to different leaders or queues, which apply them in another order.", "anomalies/G0-process";
    G0Realtime: "Timestamps of skewed clocks decide which write is newer.", "anomalies/G0-realtime";
    G1a: "Reads are served from memory or a replica before the write is sure to be kept; or a timeout was recorded as fail.", "anomalies/G1a";
    G1b: "Reads see a transaction's writes one by one, before it commits.", "anomalies/G1b";
    G1c: "Reads see what is not committed yet (read uncommitted, dirty reads in a cache).", "anomalies/G1c";
    G1cProcess: "A request is executed again after its answer was lost, or a session's requests overtake each other.", "anomalies/G1c-process";
    G1cRealtime: "Timestamps of skewed clocks order transactions, not their commits.", "anomalies/G1c-realtime";
    GSingleItem: "Each statement reads the newest state (read committed), or a snapshot is put together from several moments.", "anomalies/G-single-item";
    GSingleItemProcess: "A client reads from a replica that lags behind what it wrote itself.", "anomalies/G-single-item-process";
    GSingleItemRealtime: "Reads come from a replica, a follower without a lease, or an old snapshot.", "anomalies/G-single-item-realtime";
    GSingle: "Each query reads the newest state, and rows appear or vanish between two of them.";
    GSingleProcess: "A client queries a replica that lags behind what it wrote itself.";
    GSingleRealtime: "Queries are answered from a replica or an old snapshot.";
    GNonadjacentItem: "Replicas or shards make transactions visible in different orders (a long fork).", "anomalies/G-nonadjacent-item";
    GNonadjacentItemProcess: "Each client sees its own writes at once and those of others late, as with local write buffers.", "anomalies/G-nonadjacent-item-process";
    GNonadjacentItemRealtime: "Shards acknowledge writes before they are visible everywhere, and reads pass between.", "anomalies/G-nonadjacent-item-realtime";
    GNonadjacent: "Replicas answer queries from states that no single order of the writes passes through.";
    GNonadjacentProcess: "Each client's queries see its own writes at once and those of others late.";
    GNonadjacentRealtime: "Shards acknowledge writes before queries can see them everywhere.";
    G2Item: "Snapshot isolation: transactions read from snapshots, and only writes of the same key collide.", "anomalies/G2-item";
    G2ItemProcess: "Serializable transactions whose order ignores the sessions, as with reads of an old but consistent snapshot.", "anomalies/G2-item-process";
    G2ItemRealtime: "Serializable transactions whose order ignores real time, as with reads of an old but consistent snapshot.", "anomalies/G2-item-realtime";
    G2: "Queries lock the rows they find and not the rows they would have found (phantoms).";
    G2Process: "Serializable transactions whose order ignores the sessions.";
    G2Realtime: "Serializable transactions whose order ignores real time.";
    Internal: "A transaction's statements go to different replicas, or its own writes are buffered where its reads don't look.", "anomalies/internal";
    NonRepeatableRead: "Each statement reads the newest state (read committed).";
    FutureRead: "A request was executed twice, or the harness recorded results of another attempt.", "anomalies/future-read";
    DirtyUpdate: "A transaction built on what another had not committed; or a commit whose answer was lost was recorded as fail.", "anomalies/dirty-update";
    DuplicateElements: "An append was retried by a driver or proxy after its answer was lost, without an idempotency key.", "anomalies/duplicate-elements";
    IncompatibleOrder: "Two replicas both took writes (split brain), or one lost a write that it had shown.", "anomalies/incompatible-order";
    LostUpdate: "Read, change and write as three steps, without a lock, a version check or compare-and-set.", "anomalies/lost-update";
    ThinAirRead: "Data left over from an earlier run, a wrong initial value (`--initial`), a key that is built wrongly, or corruption.", "anomalies/thin-air-read";
    NonMonotonicRead: "A transaction's writes become visible one by one, while others read.", "anomalies/non-monotonic-read";
    FracturedRead: "Each statement reads the newest state, or writes to several shards become visible one by one.", "anomalies/fractured-read";
    FracturedReadProcess: "A session's next transaction reads from a replica that lags behind its own writes.", "anomalies/fractured-read-process";
    CausalityViolation: "Shards or replicas receive an effect before its cause.", "anomalies/causality-violation";
    CausalityViolationProcess: "Two transactions of one session reach a replica out of order.", "anomalies/causality-violation-process";
    NonPrefixRead: "Replicas apply transactions in different orders (a long fork).", "anomalies/non-prefix-read";
    NonPrefixReadProcess: "Each session sees its own transactions at once and those of others late.", "anomalies/non-prefix-read-process";
    UnseenConflict: "Two sites commit writes of one key without asking each other.", "anomalies/unseen-conflict";
    GCursor: "Read and write of a key are two steps, without a lock on the row that was read.", "anomalies/G-cursor";
    GMonotonic: "Reads of one transaction are answered by several replicas.", "anomalies/G-monotonic";
    GMsr: "Statements of one transaction read from several snapshots.", "anomalies/G-MSR";
    GUpdate: "Snapshot isolation: transactions that write read from snapshots, and only writes of the same key collide.", "anomalies/G-update";
    CyclicVersions: "Read and write of a key are two steps, and several clients take them at once.";
    PredicateReadMiss: "An index is updated after the rows it points to.";
    NonLinearizable: "Reads from replicas or caches, a leader that does not know it was deposed, or acknowledgement before replication.", "anomalies/non-linearizable";
    StaleRead: "Reads from replicas or caches that lag behind, without a bound on how far.", "anomalies/stale-read";
    Divergence: "Two servers both took writes and were never reconciled, or replication stopped.", "anomalies/divergence";
    LostWrite: "Acknowledged before it was replicated, and lost on failover; or a write with an older timestamp won.", "anomalies/lost-write";
    Resurrection: "A server that was away came back with old data and won, or a tombstone was collected too early.", "anomalies/resurrection";
    OverdueVisibility: "Replication lags under load or after a partition, and nothing waits for it.", "anomalies/overdue-visibility";
    StrongDivergence: "Merging depends on the order of arrival, on local time or on the server.", "anomalies/strong-divergence";
    FutureReadProcess: "Records of a session are out of order, or an identifier was used twice.", "anomalies/G1c-process";
    MissingYourWrites: "A client writes to the primary and reads from a replica that lags, without a session token.", "anomalies/missing-your-writes";
    BackwardRead: "A client's reads are balanced over replicas that lag differently.", "anomalies/backward-read";
    NonMonotonicWrite: "A client's writes go to different replicas, and timestamps of skewed clocks decide which is newer.", "anomalies/G0-process";
    MissingReadWriteDependency: "Writes are replicated without what their client had seen: by timestamps instead of dependencies.", "anomalies/missing-read-write-dependency";
    CyclicCausality: "Reads see writes before they are kept, so that effects can come before their causes.", "anomalies/cyclic-causality";
    CausallyOverwrittenRead: "Keys are replicated each on its own way, so that an effect overtakes its cause.", "anomalies/causally-overwritten-read";
    SessionInversion: "A client moves between replicas that took concurrent writes in different orders.", "anomalies/session-inversion";
    CyclicConflict: "Replicas take concurrent writes in the order of arrival, and don't agree on one.", "anomalies/cyclic-conflict";
    PramInversion: "Writes of one client reach a replica out of order, or come back after they were replaced.", "anomalies/pram-inversion";
    CyclicHappenedBefore: "A late write takes the place of one that was already read.", "anomalies/cyclic-happened-before";
    MissingYourWritesGlobal: "Each replica applies its own clients' writes first.", "anomalies/missing-your-writes-global";
    BackwardReadGlobal: "Replicas take concurrent writes in the order of arrival, and don't agree on one.", "anomalies/backward-read-global";
    PrefixInversion: "Writes are replicated each on its own way (by shard, by key), or a reader moves to a replica that lags more.", "anomalies/prefix-inversion";
    ConflictingVersions: "Two servers took writes and numbered them by themselves, or what was recorded is the number of something else.", "anomalies/conflicting-versions";
    NonMonotonicWriteNode: "A server applies what it is sent in the order of arrival, and messages overtake each other.", "anomalies/non-monotonic-write-node";
    MissingReadWriteDependencyNode: "A server applies what it is sent without waiting for what it depends on.", "anomalies/missing-read-write-dependency-node";
    DuplicateEffect: "The key is looked up and stored in two steps, is stored after the effect, or is not stored at all.", "idempotency/duplicate-effect-violated";
    ConcurrentDuplicateEffect: "The key is looked up and stored in two steps: store it first, under a unique constraint.", "idempotency/concurrent-duplicate-effect-violated";
    PrematureExpiry: "Keys live in a cache that evicts, or their ttl is shorter than the clients' retries.", "idempotency/premature-expiry-violated";
    LostEffect: "The answer is sent before the transaction commits, or is replayed from a key whose first attempt failed.", "idempotency/lost-effect-violated";
    PhantomEffect: "A job runs again by itself, or effects are recorded under the wrong key.", "idempotency/phantom-effect-violated";
    RejectedEffect: "The effect was made before validation or the conflict check refused the request.", "idempotency/rejected-effect-violated";
    PartialEffect: "The parts of one request are not made in one transaction.", "idempotency/partial-effect-violated";
    DivergentReplay: "The answer is computed again on replay instead of being stored with the key.", "idempotency/divergent-replay-violated";
    ReplayMismatch: "The stored answer names another attempt's resource, or is stored before the effect is final.", "idempotency/replay-mismatch-violated";
    PayloadMismatchAccepted: "The key is stored without a fingerprint of the payload.", "idempotency/payload-mismatch-accepted-violated";
    MismatchFalselyRejected: "The fingerprint covers what may differ between retries: order of fields, timestamps, headers.", "idempotency/mismatch-falsely-rejected-violated";
    ScopeCollision: "Keys are unique in the whole service instead of per tenant and endpoint.", "idempotency/scope-collision-violated";
    InFlightViolation: "A second attempt is answered from a key whose first attempt is not finished.", "idempotency/in-flight-violation-violated";
    FalseConflict: "A lock outlives its attempt, or a finished key is answered as if it were in flight.", "idempotency/false-conflict-violated";
    StuckKey: "A crash leaves the key locked, and nothing releases it.", "idempotency/stuck-key-violated";
    OverRetention: "Keys are never removed, or their age is counted from the last use.", "idempotency/over-retention-violated";
    MissingKeyAccepted: "The endpoint does not check for the key.", "idempotency/missing-key-accepted-violated";
    LostMessage: "Acknowledged before it was processed, or dropped by the broker on failover.", "delivery/lost-message-violated";
    DeduplicationWindowExceeded: "Identities of processed messages are forgotten before the last redelivery.", "delivery/deduplication-window-exceeded-violated";
    GhostEffect: "An aborted publish was delivered all the same, or effects are recorded under the wrong message.", "delivery/ghost-effect-violated";
    RedeliveryAfterEffect: "The acknowledgement was lost or came after its deadline; at-most-once needs it before the effect.", "delivery/redelivery-after-effect-violated";
    DeliveryInversion: "Several consumers share a partition, or a failed message is retried behind later ones.", "delivery/delivery-inversion-violated";
    MaxAttemptsExceeded: "No dead-letter queue, or its counter is lost when a consumer crashes.", "delivery/max-attempts-exceeded-violated";
    FalseDeduplication: "The identity is taken from something that two messages can share, such as a hash of the payload.", "delivery/false-deduplication-violated";
    ConcurrentProcessing: "The visibility timeout or lease is shorter than the processing, without a fencing token.", "delivery/concurrent-processing-violated";
    EarlyAcknowledgement: "Automatic acknowledgement on receipt.", "delivery/early-acknowledgement-violated";
    ProcessedAfterDeadLetter: "A slow consumer finishes a message that was parked meanwhile.", "delivery/processed-after-dead-letter-violated";
    GhostDelivery: "Messages of an earlier run, or of an aborted transaction, are still in the topic.", "delivery/ghost-delivery-violated";
    MissingEntry: "A job that copies entries died half-way, or one system's write was lost.", "reconciliation/missing-entry-violated";
    EntryMismatch: "An update reached one system only, or the two round differently.", "reconciliation/entry-mismatch-violated";
    DuplicateEntry: "A copy was retried, and its target has no unique constraint.", "reconciliation/duplicate-entry-violated";
    OverCorrection: "The repair compared with a snapshot that was already old.", "reconciliation/over-correction-violated";
    RepeatedRepair: "The repair does not look again at what it has repaired.", "reconciliation/repeated-repair-violated";
    AuthorityOverruled: "The repair runs in the wrong direction: the system that is right was changed.", "reconciliation/authority-overruled-violated";
    MissingPublish: "The event is published by the process itself after the commit, and it died in between.", "outbox/missing-publish-violated";
    PublishGap: "The relay reads its outbox by a sequence that commits out of order, and passes over what commits late.", "outbox/publish-gap-violated";
    PhantomPublish: "The event is published before the commit, which then failed.", "outbox/phantom-publish-violated";
    EarlyPublish: "The event is published within the transaction.", "outbox/early-publish-violated";
    PublishInversion: "Several relays publish one aggregate's events, or a failed publish is retried behind later ones.", "outbox/publish-inversion-violated";
    DivergentEvent: "The payload is built when the event is published, from a state that has moved on.", "outbox/divergent-event-violated";
    EventVersionMismatch: "The version is read when the event is published instead of being stored with it.", "outbox/event-version-mismatch-violated";
    DuplicatePublish: "The relay crashed after publishing and before marking the event as published.", "outbox/duplicate-publish-violated";
    MissingCompensation: "The coordinator lost its state, or a compensation failed and was not retried.", "saga/missing-compensation-violated";
    FailedAfterPivot: "A step after the point of no return is not retried until it succeeds.", "saga/failed-after-pivot-violated";
    DoubleStep: "A step is retried after a timeout, and its service does not deduplicate.", "saga/double-step-violated";
    DoubleCompensation: "A compensation is retried after a timeout, and its service does not deduplicate.", "saga/double-compensation-violated";
    ZombieEffect: "A step that timed out takes effect after it was compensated: the service does not remember the compensation.", "saga/zombie-effect-violated";
    DanglingSaga: "The coordinator crashed, and nothing resumes its sagas.", "saga/dangling-saga-violated";
    SkippedStep: "The coordinator took a timeout for a success.", "saga/skipped-step-violated";
    CompletedAndCompensated: "Two coordinators run one saga, or a late success meets a compensation.", "saga/completed-and-compensated-violated";
    CompensationAfterPivot: "A timeout after the point of no return starts the compensations.", "saga/compensation-after-pivot-violated";
    CompensationWithoutStep: "The coordinator compensates the whole plan instead of what was done.", "saga/compensation-without-step-violated";
    CompensationOutOfOrder: "Compensations run all at once.", "saga/compensation-out-of-order-violated";
    StepAfterCompensation: "A retry of a step was still queued when the saga turned back.", "saga/step-after-compensation-violated";
    StepOutOfOrder: "Steps are sent without waiting for those they depend on.", "saga/step-out-of-order-violated";
    UnplannedStep: "The plan was changed while sagas of the old one were running.", "saga/unplanned-step-violated";
}
