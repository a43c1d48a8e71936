//! One row for each guarantee: its other names, its families, what it means, and who defined it.
//!
//! `local` marks the guarantees that a history keeps exactly when each of its keys does (Herlihy and Wing 1990, theorem 1, for
//! linearizability). The others say how keys, messages or sessions relate, so part of a history can't show that they hold.

use super::{Family, Guarantee};

/// What is known of a guarantee, beside its relations to others.
#[derive(Debug)]
pub struct GuaranteeRow {
    /// Other names for the same thing, as people type them; without regard to case.
    pub aliases: &'static [&'static str],
    /// Where it belongs; the first is its home.
    pub families: &'static [Family],
    /// Whether each key can be judged by itself.
    pub local: bool,
    /// In one line.
    pub meaning: &'static str,
    /// The paper or document that defines it.
    pub source: &'static str,
}

macro_rules! rows {
    ($($guarantee:ident: $($family:ident),+ $(; $local:ident)?; [$($alias:literal),*]; $meaning:literal; $source:literal;)+) => {
        impl Guarantee {
            /// Its row in the table.
            #[must_use]
            pub const fn row(self) -> &'static GuaranteeRow {
                match self {
                    $(Guarantee::$guarantee => &GuaranteeRow {
                        aliases: &[$($alias),*],
                        families: &[$(Family::$family),+],
                        local: rows!(is $($local)?),
                        meaning: $meaning,
                        source: $source,
                    },)+
                }
            }
        }
    };
    (is) => { false };
    (is local) => { true };
}

impl Guarantee {
    /// Its other names.
    #[must_use]
    pub const fn aliases(self) -> &'static [&'static str] {
        self.row().aliases
    }

    /// The families it belongs to.
    #[must_use]
    pub const fn families(self) -> &'static [Family] {
        self.row().families
    }

    /// Whether it holds of a history exactly when it holds of each key's part of it. One that isn't must never be judged on a
    /// slice: what breaks it can lie between the slice and the rest.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.row().local
    }

    /// What it means, in one line.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// Who defined it.
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.row().source
    }
}

rows! {
    StrictSerializable: Transactions; ["PL-SS", "strong-serializable", "strict-serializability", "strong-1SR", "SSER"];
        "one serial order of the transactions gives every read, and contains real time";
        "Papadimitriou 1979; Adya 1999, PL-SS";
    StrongSessionSerializable: Transactions; ["serializable@biswas-enea", "strong-session-1SR", "strong-session-PL-3"];
        "one serial order of the transactions gives every read, and contains each session's order";
        "Daudjee and Salem 2004; Biswas and Enea 2019, SER";
    StrongSnapshotIsolation: Transactions; ["strong-SI"];
        "snapshot isolation whose snapshots contain every transaction that had returned before";
        "Daudjee and Salem 2006";
    StrongSessionSnapshotIsolation: Transactions; ["snapshot-isolation@biswas-enea", "strong-session-SI"];
        "snapshot isolation whose snapshots contain the session's earlier transactions";
        "Daudjee and Salem 2006; Cerone and Gotsman 2016; Biswas and Enea 2019, SI";
    StrongReadCommitted: Transactions; ["strong-PL-2"];
        "read committed, with a version order that agrees with real time";
        "Elle's models, strong-PL-2";
    StrongReadUncommitted: Transactions; ["strong-PL-1"];
        "read uncommitted, with a version order that agrees with real time";
        "Elle's models, strong-PL-1";
    StrongSessionReadCommitted: Transactions; ["strong-session-PL-2"];
        "read committed, with a version order that agrees with each session's order";
        "Elle's models, strong-session-PL-2";
    StrongSessionReadUncommitted: Transactions; ["strong-session-PL-1"];
        "read uncommitted, with a version order that agrees with each session's order";
        "Elle's models, strong-session-PL-1";
    Serializable: Transactions; ["PL-3", "conflict-serializable", "serializability", "SER"];
        "some serial order of the transactions gives every read; sessions and real time don't count";
        "Bernstein, Hadzilacos, Goodman 1987; Adya 1999, PL-3";
    ViewSerializable: Transactions; ["VSR"];
        "some serial order has the same reads: for what clients see, the same as serializable";
        "Papadimitriou 1979";
    OneCopySerializable: Transactions; ["one-copy-serializable", "one-copy-serializability"];
        "replicas behave as one copy that runs a serial order: for what clients see, the same as serializable";
        "Bernstein and Goodman 1983";
    SessionSerializable: Transactions; [];
        "one-copy serializable, with each session's order: the same as strong-session-serializable";
        "Zuikeviciute and Pedone 2008";
    UpdateSerializable: Transactions; ["PL-3U"];
        "the writing transactions are serializable, also together with any single reading one";
        "Hansdah and Patnaik 1986; Adya 1999, ch. 4, PL-3U";
    RepeatableRead: Transactions; ["PL-2.99", "RR"];
        "serializable but for predicates: what a transaction read of an item doesn't change under it";
        "Adya 1999, ch. 3, PL-2.99";
    SnapshotIsolation: Transactions; ["PL-SI", "SI", "generalized-snapshot-isolation", "GSI"];
        "each transaction reads one snapshot, and no two that overlap from snapshot to commit write the same key";
        "Berenson et al. 1995; Adya 1999, ch. 4, PL-SI; Elnikety, Pedone, Zwaenepoel 2004 (old snapshots are allowed)";
    ParallelSnapshotIsolation: Transactions; ["PSI"];
        "snapshot isolation whose snapshots only have to be causal: long fork is allowed";
        "Sovran et al. 2011; Cerone, Bernardi, Gotsman 2015";
    ForwardConsistentView: Transactions; ["PL-FCV"];
        "a consistent view that may include transactions which committed after the reader began";
        "Adya 1999, ch. 4, PL-FCV; start points are the system's to choose, so on a history the same as consistent-view";
    ConsistentView: Transactions; ["PL-2+"];
        "a transaction sees either all that another wrote and all that this one had depended on, or none of it";
        "Adya 1999, ch. 4, PL-2+";
    MonotonicSnapshotRead: Transactions; ["PL-MSR"];
        "each read comes from a committed snapshot, and these snapshots advance";
        "Adya 1999, ch. 4, PL-MSR";
    MonotonicView: Transactions; ["PL-2L"];
        "what a transaction has seen, with all that it depended on, its later reads don't miss";
        "Adya 1999, ch. 4, PL-2L";
    MonotonicAtomicView: Transactions; ["MAV"];
        "once a transaction has read one write of another, its later reads don't miss the others";
        "Bailis et al. 2013 (Highly Available Transactions)";
    CursorStability: Transactions; ["PL-CS", "CS"];
        "read committed without lost updates of an item that was read before it was written";
        "Berenson et al. 1995; Adya 1999, ch. 4, PL-CS";
    Prefix: Transactions; ["prefix-consistency", "prefix-consistent"];
        "each transaction reads a prefix of one commit order";
        "Cerone, Bernardi, Gotsman 2015";
    CausalCerone: Transactions; [];
        "each transaction sees all that those it reads from had read from: causal without session order";
        "Cerone, Bernardi, Gotsman 2015";
    UpdateAtomic: Transactions; ["ROLA", "UA"];
        "read atomic without lost updates";
        "Cerone, Bernardi, Gotsman 2015; Liu et al. 2018 (ROLA)";
    ReadAtomic: Transactions; ["RA"];
        "a transaction sees all of another's writes or none, and its own reads and writes agree";
        "Bailis et al. 2014 (RAMP); Cerone, Bernardi, Gotsman 2015";
    ReadCommitted: Transactions; ["PL-2", "RC"];
        "reads return final values of committed transactions, and information flows in one direction";
        "Adya 1999, ch. 3, PL-2";
    ReadUncommitted: Transactions; ["PL-1", "RU"];
        "writes of transactions don't interleave in a circle";
        "Adya 1999, ch. 3, PL-1";
    PrefixBiswasEnea: Transactions; ["strong-session-prefix"];
        "each transaction reads a prefix of one commit order, which contains its session's earlier ones";
        "Biswas and Enea 2019, PC";
    ReadAtomicBiswasEnea: Transactions; [];
        "read atomic, where the session's earlier transactions are seen too";
        "Biswas and Enea 2019, RA";
    ReadCommittedBiswasEnea: Transactions; [];
        "a transaction's reads go forward in one commit order that contains each session's order";
        "Biswas and Enea 2019, RC";
    Linearizable: Objects; local; ["linearizability", "linearisable", "atomic-consistency", "strong-consistency"];
        "every operation takes effect at one moment between its invocation and its completion";
        "Herlihy and Wing 1990";
    Sequential: Objects; ["sequential-consistency", "sequentially-consistent"];
        "one order of all operations explains every result, and contains each session's order";
        "Lamport 1979";
    Causal: Transactions, Sessions; ["causal-convergent", "causal-convergence", "causal-consistency", "CCv", "TCC",
            "causal@biswas-enea", "causal@global"];
        "whoever sees something sees all that led to it, in one order for everybody";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, CCv; Biswas and Enea 2019, CC";
    CausalMemory: Sessions; ["CM"];
        "each session has one order of all writes and its own reads that contains what causally came before";
        "Ahamad et al. 1995; Bouajjani, Enea, Guerraoui, Hamza 2017, CM";
    WeakCausal: Sessions; ["causal@weak", "weak-causal-consistency", "CC"];
        "each read is explained by what causally came before it, in an order of its own";
        "Bouajjani, Enea, Guerraoui, Hamza 2017, CC";
    Pram: Sessions; ["pipelined-ram", "fifo-consistency"];
        "each session has one order of all writes and its own reads that contains each session's order";
        "Lipton and Sandberg 1988";
    Session: Sessions; ["session-consistency", "session-guarantees"];
        "the four session guarantees together: who sees a write sees what its session had done and read before it";
        "Terry et al. 1994";
    ReadYourWrites: Sessions; ["read-my-writes", "RYW"];
        "a session's reads don't miss its own earlier writes";
        "Terry et al. 1994; each session with an order of its own";
    MonotonicReads: Sessions; ["MR"];
        "a session's reads don't miss what an earlier read of it saw";
        "Terry et al. 1994; each session with an order of its own";
    MonotonicWrites: Sessions; ["MW"];
        "a session's writes are ordered as the session made them";
        "Terry et al. 1994; each session with an order of its own";
    WritesFollowReads: Sessions; ["session-causality", "WFR"];
        "a session's write is ordered after the writes that the session had read before";
        "Terry et al. 1994; each session with an order of its own";
    SessionGlobal: Sessions; [];
        "the four session guarantees together, with one order for everybody: the same as causal";
        "Brzezinski, Sobaniec, Wawrzyniak 2004";
    ReadYourWritesGlobal: Sessions; [];
        "read your writes, with one order of writes for everybody";
        "Viotti and Vukolic 2016";
    MonotonicReadsGlobal: Sessions; [];
        "monotonic reads, with one order of writes for everybody";
        "Viotti and Vukolic 2016";
    MonotonicWritesGlobal: Sessions; [];
        "monotonic writes, with one order of writes for everybody: alone, the same as monotonic-writes";
        "Viotti and Vukolic 2016";
    WritesFollowReadsGlobal: Sessions; [];
        "writes follow reads, with one order of writes for everybody: alone, the same as writes-follow-reads";
        "Viotti and Vukolic 2016";
    MonotonicWritesNode: Sessions; [];
        "a server that shows a session's second write has its first, before it";
        "Terry et al. 1994, as servers show it";
    WritesFollowReadsNode: Sessions; [];
        "a server that shows a write has what its session had read, before it";
        "Terry et al. 1994, as servers show it";
    BoundedStaleness: Staleness; local; ["bounded-stale"];
        "no read is staler than a bound in time, in versions, or both";
        "Golab, Li, Shah 2011; Golab, Hurwitz, Li 2013; Azure Cosmos DB";
    ConsistentPrefix: Staleness; ["monotonic-prefix-consistency", "MPC"];
        "reads show prefixes of one order of the writes, without gaps and never backwards in a session";
        "Terry 2013; Azure Cosmos DB; Girault et al. 2018, monotonic prefix consistency";
    Eventual: Eventual; local; ["eventual-consistency", "eventually-consistent", "convergence", "quiescent"];
        "when writing stops, all replicas come to show the same values, and these were written and not overwritten";
        "Vogels 2009; Burckhardt 2014";
    StrongEventual: Eventual; ["strong-eventual-consistency", "strong-convergence", "SEC"];
        "eventual, and replicas that have seen the same updates show the same values";
        "Shapiro et al. 2011";
    Idempotent: Delivery; local; ["idempotency"];
        "however often a request is sent with one key, it takes effect once, and its answers agree";
        "IETF draft-ietf-httpapi-idempotency-key-header";
    AtLeastOnce: Delivery; ["at-least-once-delivery"];
        "every published message takes effect in every group, or is parked";
        "defined here, from Kafka's delivery semantics";
    AtMostOnce: Delivery; local; ["at-most-once-delivery"];
        "no message takes effect twice in a group, or comes again after it did";
        "defined here, from Kafka's delivery semantics";
    EffectivelyOnce: Delivery; ["exactly-once", "exactly-once-processing"];
        "every published message takes effect once in every group, and nothing else does";
        "defined here, from Kafka's delivery semantics";
    OrderedDelivery: Delivery; ["ordered", "in-order-delivery"];
        "messages are first processed in the order of their partition or ordering key";
        "defined here, from Kafka's delivery semantics";
    Outbox: Delivery; ["transactional-outbox"];
        "every committed change publishes its events, in order; no aborted one does";
        "Richardson 2018, ch. 3, transactional outbox";
    Saga: Delivery; local; ["sagas"];
        "a plan runs to its end, or what it did is undone, in reverse and once";
        "Garcia-Molina and Salem 1987; Richardson 2018, ch. 4";
    Reconciled: Delivery; ["reconciliation"];
        "two systems agree in the end, and reconciling fixes only what differed";
        "defined here";
    Bank: Workloads; [];
        "every read sees the same total, and no account that can't be";
        "Jepsen's bank workload";
}
